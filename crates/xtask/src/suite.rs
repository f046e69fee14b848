//! `test`: every check that a change must pass, one after another.
//!
//! A step that fails does not stop the others, unless they need what it makes. The last line
//! printed is the sum of all checks, alone, for machines to read.

use std::io::IsTerminal;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::install::{self, Purpose};
use crate::netns::Namespace;
use crate::tally::Tally;
use crate::{browsers, build, cache, process, weight};

/// What was asked for on the command line.
#[derive(Debug)]
pub struct Options {
    /// Print the steps, run none.
    pub list: bool,
    /// Run these alone; empty for all.
    pub only: Vec<String>,
    /// Leave these out.
    pub skip: Vec<String>,
    /// Schedules that the simulator tries.
    pub seeds: u64,
    /// How long each fuzz target runs.
    pub fuzz_seconds: u64,
    /// Run browsers in the machine's own network.
    pub direct: bool,
    /// Also run what browsers of one kind do together.
    pub every_pair: bool,
    /// Names of tests for the end-to-end step.
    pub filter: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            list: false,
            only: Vec::new(),
            skip: Vec::new(),
            seeds: 100_000,
            fuzz_seconds: 30,
            direct: false,
            every_pair: false,
            filter: Vec::new(),
        }
    }
}

/// One check.
struct Step {
    name: &'static str,
    what: &'static str,
    /// Steps without whose success this one cannot run.
    needs: &'static [&'static str],
    /// Above this it hangs.
    minutes: u64,
    run: fn(&Bench) -> Result<Tally>,
}

/// In this order: what is quick and what others need comes first.
const STEPS: [Step; 13] = [
    Step {
        name: "fmt",
        what: "formatting",
        needs: &[],
        minutes: 2,
        run: fmt,
    },
    Step {
        name: "clippy",
        what: "lints, all crates, on this machine",
        needs: &[],
        minutes: 20,
        run: clippy,
    },
    Step {
        name: "clippy-web",
        what: "lints, the client, as wasm",
        needs: &[],
        minutes: 20,
        run: clippy_web,
    },
    Step {
        name: "doc",
        what: "documentation without broken links",
        needs: &[],
        minutes: 15,
        run: doc,
    },
    Step {
        name: "unit",
        what: "unit and integration tests of all crates",
        needs: &[],
        minutes: 30,
        run: unit,
    },
    Step {
        name: "build",
        what: "client and server, optimised",
        needs: &[],
        minutes: 30,
        run: release,
    },
    Step {
        name: "weight",
        what: "bytes on the wire until one can join",
        needs: &["build"],
        minutes: 1,
        run: weigh,
    },
    Step {
        name: "simulate",
        what: "seeded simulation of the core and the hub",
        needs: &[],
        minutes: 20,
        run: simulate,
    },
    Step {
        name: "fuzz",
        what: "fuzz targets: the corpus, then new inputs",
        needs: &[],
        minutes: 20,
        run: fuzz,
    },
    Step {
        name: "web",
        what: "tests inside Chromium and Firefox",
        needs: &[],
        minutes: 20,
        run: web,
    },
    Step {
        name: "e2e",
        what: "calls between real browsers",
        needs: &["build"],
        minutes: 60,
        run: e2e,
    },
    Step {
        name: "net",
        what: "calls behind NATs of our own, and what breaks between them",
        needs: &["build"],
        minutes: 30,
        run: net,
    },
    Step {
        name: "deny",
        what: "licences and sources of dependencies",
        needs: &[],
        minutes: 5,
        run: deny,
    },
];

/// What every step works with.
struct Bench<'a> {
    options: &'a Options,
    /// The network that browsers run in, if it could be made.
    namespace: Option<Namespace>,
    /// Above this the step that runs hangs.
    limit: Duration,
}

/// How a step ended.
struct Outcome {
    name: &'static str,
    tally: Tally,
    took: Duration,
    /// Why it was left out or broke off.
    why: Option<String>,
}

/// Runs the steps; whether none failed.
///
/// # Errors
/// If a step was named that does not exist, or the tools cannot be had.
pub fn run(options: &Options) -> Result<bool> {
    for name in options.only.iter().chain(&options.skip) {
        if !STEPS.iter().any(|step| step.name == name) {
            bail!("there is no step `{name}`; `--list` shows them");
        }
    }
    if options.list {
        for step in &STEPS {
            println!("{:<12} {}", step.name, step.what);
        }
        return Ok(true);
    }
    let is_wanted = |name: &str| {
        (options.only.is_empty() || options.only.iter().any(|only| only == name))
            && !options.skip.iter().any(|skip| skip == name)
    };

    let started = Instant::now();
    let needs_browsers = ["web", "e2e", "net"].into_iter().any(is_wanted);
    let purpose = if needs_browsers {
        Purpose::Testing
    } else {
        Purpose::Serving
    };
    let mut outcomes: Vec<Outcome> = Vec::new();
    if let Err(error) = install::setup(purpose) {
        // Most steps need no tool of ours: go on and say what this one cost.
        println!("setup: {error:#}");
        outcomes.push(Outcome {
            name: "setup",
            tally: Tally::FAILED,
            took: started.elapsed(),
            why: Some(format!("{error:#}")),
        });
    }
    let mut bench = Bench {
        options,
        namespace: needs_browsers.then(|| network(options)).flatten(),
        limit: Duration::ZERO,
    };
    for step in STEPS.iter().filter(|step| is_wanted(step.name)) {
        if process::is_interrupted() {
            break;
        }
        bench.limit = Duration::from_secs(step.minutes * 60);
        outcomes.push(take(step, &bench, &outcomes));
    }
    drop(bench);
    Ok(close(&outcomes, started.elapsed()))
}

/// Runs one step under a header, and says how it went.
fn take(step: &Step, bench: &Bench, before: &[Outcome]) -> Outcome {
    println!("\n=== {}: {}", step.name, step.what);
    let broken = before
        .iter()
        .find(|outcome| step.needs.contains(&outcome.name) && outcome.tally.failed > 0);
    let started = Instant::now();
    let (tally, why) = match broken {
        Some(broken) => (
            Tally::FAILED,
            Some(format!("it needs `{}`, which failed", broken.name)),
        ),
        None => match (step.run)(bench) {
            Ok(tally) => (tally, None),
            Err(error) => (Tally::FAILED, Some(format!("{error:#}"))),
        },
    };
    let took = started.elapsed();
    if let Some(why) = &why {
        println!("{}: {why}", step.name);
    }
    println!("--- {}: {tally}, {}", step.name, process::spoken(took));
    Outcome {
        name: step.name,
        tally,
        took,
        why,
    }
}

/// Prints the table of steps and the sum.
fn close(outcomes: &[Outcome], took: Duration) -> bool {
    let mut sum = Tally::default();
    println!("\n=== in all, {}", process::spoken(took));
    for outcome in outcomes {
        sum += outcome.tally;
        let word = match outcome.tally {
            Tally { failed: 1.., .. } => "FAILED",
            Tally {
                passed: 0,
                skipped: 1..,
                ..
            } => "skipped",
            Tally { .. } => "ok",
        };
        let why = outcome
            .why
            .as_deref()
            .and_then(|why| why.lines().next())
            .unwrap_or_default();
        println!(
            "{word:>8}  {:<12} {:>12}  {}  {why}",
            outcome.name,
            process::spoken(outcome.took),
            outcome.tally
        );
    }
    if process::is_interrupted() {
        println!("interrupted before the end");
        sum.failed += 1;
    }
    println!("{sum}");
    sum.failed == 0
}

/// The network for browsers, or the reason why it is the machine's own.
fn network(options: &Options) -> Option<Namespace> {
    if options.direct {
        println!("browsers run in this machine's network, as asked");
        return None;
    }
    match Namespace::make() {
        Ok(namespace) => Some(namespace),
        Err(error) => {
            println!("browsers run in this machine's network, not in one of their own: {error:#}");
            None
        }
    }
}

impl Bench<'_> {
    /// Runs a command whose success is the only thing it tells.
    fn check(&self, command: &mut Command) -> Result<Tally> {
        let report = process::run_tallied(colours(command), self.limit)?;
        Ok(if report.status.success() {
            Tally::PASSED
        } else {
            Tally::FAILED
        })
    }

    /// Runs a test runner and reads its summaries.
    fn tests(&self, command: &mut Command) -> Result<Tally> {
        let report = process::run_tallied(colours(command), self.limit)?;
        let mut tally = report.tally.unwrap_or_default();
        if !report.status.success() && tally.failed == 0 {
            // It did not come to its tests: that is a failure too.
            tally.failed = 1;
        }
        Ok(tally)
    }

    /// A command that starts browsers: in their network, with the tools in its path.
    fn in_network(&self, program: &str) -> Result<Command> {
        let mut command = match &self.namespace {
            Some(namespace) => namespace.command(program),
            None => Command::new(program),
        };
        command.env("PATH", cache::search_path()?);
        Ok(command)
    }
}

/// Colours where a person looks, none in a log.
fn colours(command: &mut Command) -> &mut Command {
    let is_seen = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    command.env("CARGO_TERM_COLOR", if is_seen { "always" } else { "never" })
}

fn cargo_is() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

fn has_nextest() -> bool {
    process::output(Command::new(cargo_is()).args(["nextest", "--version"])).is_ok()
}

fn fmt(bench: &Bench) -> Result<Tally> {
    bench.check(build::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(bench: &Bench) -> Result<Tally> {
    bench.check(build::cargo().args([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))
}

fn clippy_web(bench: &Bench) -> Result<Tally> {
    bench.check(build::cargo().args([
        "clippy",
        "--locked",
        "--package",
        "visavis",
        "--all-targets",
        "--target",
        "wasm32-unknown-unknown",
        "--",
        "--deny",
        "warnings",
    ]))
}

fn doc(bench: &Bench) -> Result<Tally> {
    bench.check(
        build::cargo()
            .args([
                "doc",
                "--locked",
                "--workspace",
                "--no-deps",
                "--document-private-items",
            ])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

fn unit(bench: &Bench) -> Result<Tally> {
    // The end-to-end tests want the optimised server and their own network: a step of their own.
    let which = [
        "--locked",
        "--workspace",
        "--exclude",
        "visavis-e2e",
        "--exclude",
        "visavis-net",
        "--no-fail-fast",
    ];
    if has_nextest() {
        bench.tests(build::cargo().args(["nextest", "run"]).args(which))
    } else {
        println!("cargo-nextest is not installed: cargo's own runner it is");
        bench.tests(build::cargo().arg("test").args(which))
    }
}

fn release(_: &Bench) -> Result<Tally> {
    build::client()?;
    build::server()?;
    Ok(Tally::PASSED)
}

fn weigh(_: &Bench) -> Result<Tally> {
    Ok(if weight::check(&build::dist())? {
        Tally::PASSED
    } else {
        Tally::FAILED
    })
}

fn simulate(bench: &Bench) -> Result<Tally> {
    bench.tests(
        build::cargo()
            .args([
                "run",
                "--quiet",
                "--locked",
                "--release",
                "--package",
                "visavis-simulator",
                "--",
            ])
            .args(["run", "--seeds", &bench.options.seeds.to_string()]),
    )
}

fn fuzz(bench: &Bench) -> Result<Tally> {
    bench.tests(
        build::cargo()
            .args(["test", "--locked", "--release", "--no-fail-fast"])
            .args(["--package", "visavis-server"])
            .args(["--test", "fuzz_wire", "--test", "fuzz_hub"])
            .args(["--test", "fuzz_appointments", "--test", "fuzz_links"])
            .env("VISAVIS_FUZZ_SECONDS", bench.options.fuzz_seconds.to_string()),
    )
}

fn web(bench: &Bench) -> Result<Tally> {
    build::fetch()?;
    let mut tally = Tally::default();
    for (browser, variable, driver) in [
        ("Chromium", "CHROMEDRIVER", "chromedriver"),
        ("Firefox", "GECKODRIVER", "geckodriver"),
    ] {
        println!("in {browser}:");
        let mut command = bench.in_network(&cargo_is())?;
        command
            .args(["test", "--locked", "--offline", "--package", "visavis"])
            .args(["--test", "web", "--target", "wasm32-unknown-unknown"])
            .env_remove("CHROMEDRIVER")
            .env_remove("GECKODRIVER")
            .env(variable, program(driver)?)
            // For all of them together; its own 20 seconds are too few.
            .env("WASM_BINDGEN_TEST_TIMEOUT", "240");
        tally += bench.tests(&mut command)?;
    }
    Ok(tally)
}

/// A driver's own path: the wasm runner does not search for it.
fn program(driver: &str) -> Result<std::path::PathBuf> {
    let path = cache::search_path()?;
    match std::env::split_paths(&path)
        .map(|folder| folder.join(driver))
        .find(|file| file.is_file())
    {
        Some(file) => Ok(file),
        None => bail!("{driver} is not installed; `cargo xtask setup` says why"),
    }
}

fn e2e(bench: &Bench) -> Result<Tally> {
    let command = bench.in_network(&cargo_is())?;
    browser_tests(bench, command, "visavis-e2e", &bench.options.filter)
}

/// Tests of the lab that CI runs: every kind of fault once. All of them take half an hour; names
/// after `--only net` choose others, and `::` all.
const NET_IN_CI: [&str; 10] = [
    "a_file_goes_on::mixed",
    "loss_5s",
    "loss_8s::mixed",
    "loss_15s::mixed",
    "address_change::mixed",
    "nat_flushed::mixed",
    "udp_blocked_between::mixed",
    "relay_restarted::chromium",
    "hidden_address",
    "short_lived_credentials::chromium",
];

fn net(bench: &Bench) -> Result<Tally> {
    // The lab makes its own networks, and needs the right to do so.
    let mut command = Command::new(cargo_is());
    command.env("PATH", cache::search_path()?);
    let chosen = NET_IN_CI.map(str::to_owned);
    let filter = if bench.options.filter.is_empty() {
        &chosen[..]
    } else {
        &bench.options.filter
    };
    browser_tests(bench, command, "visavis-net", filter)
}

fn browser_tests(bench: &Bench, mut command: Command, package: &str, filter: &[String]) -> Result<Tally> {
    for wanted in ["chromium", "firefox-esr"] {
        if !browsers::is_there(wanted) {
            println!("{wanted} is not installed: its tests will fail");
        }
    }
    if !browsers::is_there("certutil") {
        println!(
            "certutil is not installed (package libnss3-tools): https with a local authority is not tested"
        );
    }
    build::fetch()?;
    let run = std::process::id().to_string();
    let skipped = build::target_dir().join("xtask/skipped.txt");
    let figures = build::target_dir().join("xtask/figures.txt");
    for file in [&skipped, &figures] {
        std::fs::remove_file(file).ok();
    }
    if has_nextest() {
        command.args(["nextest", "run", "--profile", "e2e"]);
        if bench.options.every_pair || !bench.options.filter.is_empty() {
            command.arg("--ignore-default-filter");
        }
    } else {
        command.arg("test");
    }
    command
        .args(["--locked", "--offline", "--no-fail-fast", "--package", package])
        .args(filter);
    if !has_nextest() {
        println!("without cargo-nextest what browsers of one kind do together runs as well");
        command.args(["--", "--test-threads", "1"]);
    }
    command
        .env("VISAVIS_SERVER", build::server_program())
        .env("VISAVIS_AXE", cache::Tool::axe().program()?)
        .env("VISAVIS_SKIPPED", &skipped)
        .env("VISAVIS_FIGURES", &figures)
        .env("VISAVIS_RUN", &run)
        // A wait that failed says what it waited for; where in the runtime is no news.
        .env("RUST_BACKTRACE", "0");
    let tally = bench.tests(&mut command);
    // A test that was killed has not stopped what it started.
    process::end_by_environment("VISAVIS_RUN", &run);
    let mut tally = tally?;
    for figure in std::fs::read_to_string(&figures).unwrap_or_default().lines() {
        println!("measured: {figure}");
    }
    // A test that finds nothing to judge says so in this file, and has passed in the runner's eyes.
    for reason in std::fs::read_to_string(&skipped).unwrap_or_default().lines() {
        println!("skipped: {reason}");
        tally.skipped += 1;
        tally.passed = tally.passed.saturating_sub(1);
    }
    Ok(tally)
}

fn deny(bench: &Bench) -> Result<Tally> {
    if process::output(Command::new(cargo_is()).args(["deny", "--version"])).is_err() {
        println!("cargo-deny is not installed: `cargo install cargo-deny --locked` brings it");
        return Ok(Tally::SKIPPED);
    }
    let checked = bench.check(build::cargo().args(["deny", "check", "licenses", "bans", "sources"]))?;
    match process::run_logged(
        build::cargo().args(["deny", "check", "advisories"]),
        &build::target_dir().join("xtask/advisories.log"),
    ) {
        Ok(()) => Ok(checked),
        Err(error) => {
            let text = format!("{error:#}");
            println!("{text}");
            if text.contains("failed to fetch advisory database") {
                println!("known vulnerabilities were not looked for: their list could not be fetched");
                return Ok(checked);
            }
            Ok(Tally::FAILED)
        }
    }
}
