//! `setup`: gets the pinned tools, checks what is there, says what it cannot do.
//!
//! Nothing is taken from a place that no package registry stands behind: tools are compiled from
//! crates.io or come from npm and the distribution. What is there in the right version is left
//! alone, so that a second run costs a moment.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::browsers;
use crate::cache::{self, Tool};
use crate::process;

/// What the tools are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Building and serving the site.
    Serving,
    /// The same, and browsers with their drivers.
    Testing,
}

/// How often a long build says that it is still alive.
const STILL_EVERY: Duration = Duration::from_secs(30);

/// Something that was not installed, and what a person can do about it.
struct Missing {
    what: String,
    why: String,
    by_hand: String,
    /// Whether nothing works without it.
    is_needed: bool,
}

/// Gets what `purpose` needs, in parallel where that is safe.
///
/// # Errors
/// If something is missing without which nothing can be built.
pub fn setup(purpose: Purpose) -> Result<()> {
    let started = Instant::now();
    let tools = cache::dir()?.join("tools");
    std::fs::create_dir_all(&tools).with_context(|| format!("cannot make {}", tools.display()))?;
    // Two runs at once would install the same thing twice into the same folder.
    let lock = File::create(tools.join(".lock"))?;
    if lock.try_lock().is_err() {
        println!("setup: waiting for another setup to end");
        lock.lock()?;
    }

    let missing = Mutex::new(Vec::new());
    let record = |outcome: Result<(), Missing>| {
        if let (Err(what), Ok(mut list)) = (outcome, missing.lock()) {
            list.push(what);
        }
    };
    std::thread::scope(|scope| {
        // Two queues of compiling for two cores, one of downloads.
        scope.spawn(|| {
            record(trunk());
            if purpose == Purpose::Testing {
                record(geckodriver());
            }
        });
        scope.spawn(|| record(wasm_bindgen()));
        scope.spawn(|| {
            record(wasm_target());
            record(npm(
                &Tool::binaryen(),
                "binaryen",
                "the client is then about 1 % larger",
            ));
            if purpose == Purpose::Testing {
                record(npm(
                    &Tool::axe(),
                    "axe-core",
                    "accessibility is then checked less deeply",
                ));
                for outcome in browsers::install() {
                    record(outcome.map_err(|(what, why, by_hand)| Missing {
                        what,
                        why,
                        by_hand,
                        is_needed: false,
                    }));
                }
            }
        });
    });
    stand_in_for_wasm_opt()?;
    if process::is_interrupted() {
        bail!("interrupted");
    }

    let missing = missing.into_inner().unwrap_or_default();
    for what in &missing {
        println!("setup: {} is missing: {}", what.what, what.why);
        println!("       by hand: {}", what.by_hand);
    }
    if missing.iter().any(|what| what.is_needed) {
        bail!("setup could not get everything that is needed; see above");
    }
    if started.elapsed() > Duration::from_secs(2) {
        println!("setup: done in {}", process::spoken(started.elapsed()));
    }
    Ok(())
}

fn trunk() -> Result<(), Missing> {
    // Nobody waits for trunk itself: a quick build of it beats a quick trunk. Its only feature
    // of interest to others is asking the network for updates.
    cargo_install(
        &Tool::trunk(),
        "trunk",
        &["--locked", "--no-default-features"],
        true,
    )
}

fn geckodriver() -> Result<(), Missing> {
    cargo_install(&Tool::geckodriver(), "geckodriver", &["--locked"], false)
}

fn wasm_bindgen() -> Result<(), Missing> {
    let tool = Tool::wasm_bindgen().map_err(|error| Missing {
        what: "wasm-bindgen".into(),
        why: format!("{error:#}"),
        by_hand: "restore Cargo.lock".into(),
        is_needed: true,
    })?;
    // Without its lock file: that names a package version that was withdrawn.
    cargo_install(&tool, "wasm-bindgen-cli", &[], true)
}

/// Compiles a tool from crates.io unless its version is there.
fn cargo_install(tool: &Tool, package: &str, flags: &[&str], is_needed: bool) -> Result<(), Missing> {
    let folder = tool.folder().unwrap_or_default();
    let by_hand = format!(
        "cargo install {package} --version {} {} --root {}",
        tool.version,
        flags.join(" "),
        folder.display()
    );
    let install = || -> Result<()> {
        if has_version(&tool.program()?, &tool.version) {
            return Ok(());
        }
        let log = cache::dir()?.join("logs").join(format!("{}.log", tool.name));
        let what = format!("{} {}", tool.name, tool.version);
        with_progress(&what, "compiling", || {
            let mut command = Command::new("cargo");
            command
                .args(["install", package, "--version", &tool.version, "--force"])
                .args(flags)
                .arg("--root")
                .arg(&folder)
                .current_dir(cache::dir()?)
                .env_remove("CARGO_TARGET_DIR")
                .env_remove("RUSTFLAGS")
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
            process::run_logged(&mut command, &log)
        })?;
        if !has_version(&tool.program()?, &tool.version) {
            bail!(
                "it was installed but does not say that it is version {}",
                tool.version
            );
        }
        Ok(())
    };
    install().map_err(|error| Missing {
        what: format!("{} {}", tool.name, tool.version),
        why: format!("{error:#}"),
        by_hand,
        is_needed,
    })
}

/// Fetches a tool from npm unless it is there. npm's scripts stay off: none of these needs one.
fn npm(tool: &Tool, package: &str, without: &str) -> Result<(), Missing> {
    let folder = tool.folder().unwrap_or_default();
    let wanted = format!("{package}@{}", tool.version);
    let by_hand = format!(
        "npm install --ignore-scripts --prefix {} {wanted}",
        folder.display()
    );
    let install = || -> Result<()> {
        if tool.program()?.exists() {
            return Ok(());
        }
        if !process::is_in_path("npm") {
            bail!("npm is not installed; going on without ({without})");
        }
        let log = cache::dir()?.join("logs").join(format!("{}.log", tool.name));
        with_progress(&wanted, "fetching", || {
            std::fs::create_dir_all(&folder)?;
            let mut command = Command::new("npm");
            command
                .args([
                    "install",
                    "--ignore-scripts",
                    "--no-audit",
                    "--no-fund",
                    "--no-save",
                    "--prefix",
                ])
                .arg(&folder)
                .arg(&wanted);
            process::run_logged(&mut command, &log)
        })
    };
    install().map_err(|error| Missing {
        what: wanted.clone(),
        why: format!("{error:#}"),
        by_hand,
        is_needed: false,
    })
}

/// Adds the wasm target to the toolchain in use.
fn wasm_target() -> Result<(), Missing> {
    let has = || {
        process::output(Command::new("rustc").args([
            "--print",
            "target-libdir",
            "--target",
            "wasm32-unknown-unknown",
        ]))
        .is_ok_and(|folder| Path::new(&folder).is_dir())
    };
    if has() {
        return Ok(());
    }
    let by_hand = "rustup target add wasm32-unknown-unknown";
    let outcome = with_progress("the wasm32 target", "fetching", || {
        let log = cache::dir()?.join("logs").join("rustup.log");
        process::run_logged(
            Command::new("rustup").args(["target", "add", "wasm32-unknown-unknown"]),
            &log,
        )
    });
    outcome.map_err(|error| Missing {
        what: "the target wasm32-unknown-unknown".into(),
        why: format!("{error:#}"),
        by_hand: by_hand.into(),
        is_needed: true,
    })
}

/// Whether a program is there and says that it has the wanted version.
fn has_version(program: &Path, version: &str) -> bool {
    process::output(Command::new(program).arg("--version")).is_ok_and(|text| {
        text.lines()
            .next()
            .is_some_and(|line| names_version(line, version))
    })
}

fn names_version(line: &str, version: &str) -> bool {
    line.split(|c: char| c.is_whitespace() || c == '(' || c == ')')
        .any(|word| word.strip_prefix('v').unwrap_or(word) == version)
}

/// Says what is being done, that it still is, and how long it took.
pub fn with_progress(what: &str, doing: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("setup: {doing} {what}");
    let started = Instant::now();
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(move || {
            while wait.recv_timeout(STILL_EVERY) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                println!(
                    "setup: still {doing} {what}, {}",
                    process::spoken(started.elapsed())
                );
            }
        });
        let outcome = work();
        drop(done);
        outcome
    });
    if outcome.is_ok() {
        println!("setup: {what} is ready, {}", process::spoken(started.elapsed()));
    }
    outcome
}

/// trunk insists on a `wasm-opt` of its pinned version and cannot be told to go on without one.
/// Where npm is missing, this stand-in passes the file on as it is.
fn stand_in_for_wasm_opt() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = cache::stand_in_folder()?;
    if Tool::binaryen().program()?.exists() {
        // Behind the real one in the path anyhow; gone, nobody wonders which is used.
        std::fs::remove_dir_all(&folder).ok();
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    let script = folder.join("wasm-opt");
    std::fs::write(&script, STAND_IN)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

const STAND_IN: &str = r#"#!/bin/sh
# Stands in for wasm-opt where npm is missing: copies its input to its output.
out= in=
while [ $# -gt 0 ]; do
  case "$1" in
    --version) echo "wasm-opt version 132 (stand-in that optimises nothing)"; exit 0 ;;
    --output=*) out=${1#--output=} ;;
    -o|--output) shift; out=$1 ;;
    -*) ;;
    *) in=$1 ;;
  esac
  shift
done
[ "$in" = "$out" ] || cp "$in" "$out"
"#;

#[cfg(test)]
mod tests {
    use super::names_version;

    #[test]
    fn versions_are_compared_as_words() {
        assert!(names_version("wasm-bindgen 0.2.130", "0.2.130"));
        assert!(names_version("geckodriver 0.37.1 (abcdef 2026-01-01)", "0.37.1"));
        assert!(names_version("trunk v0.21.14", "0.21.14"));
        assert!(!names_version("wasm-bindgen 0.2.1305", "0.2.130"));
    }
}
