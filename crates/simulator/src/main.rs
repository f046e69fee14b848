//! The simulator's command line: many seeds, one seed, a seed made small, the planted bugs, and
//! every interleaving of two.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use visavis_simulator::exhaustive::{plans, search};
use visavis_simulator::shrink::{as_test, as_test_of_people, shrink};
use visavis_simulator::sweep::{Kind, Sweep, sweep};
use visavis_simulator::teeth::{Planted, bite};
use visavis_simulator::{Options, Outcome, Script, people, run};

/// Failing seeds that are printed.
const SHOWN: usize = 20;

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What a seed is played as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// People in a room.
    Rooms,
    /// People who call each other.
    People,
}

impl Of {
    const fn kind(self) -> Kind {
        match self {
            Self::Rooms => Kind::Rooms,
            Self::People => Kind::People,
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Runs many seeds, each as rooms and as people.
    Run {
        /// As one of the two alone.
        #[arg(long, value_enum)]
        of: Option<Of>,
        /// How many.
        #[arg(long, default_value_t = 1000)]
        seeds: u64,
        /// The first.
        #[arg(long, default_value_t = 0)]
        start: u64,
        /// On how many threads.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Runs one seed, and shows what happens in it.
    Replay {
        /// The seed.
        seed: u64,
        /// As what.
        #[arg(long, value_enum, default_value = "rooms")]
        of: Of,
        /// Prints every event and command.
        #[arg(long)]
        trace: bool,
    },
    /// Plants every known bug, one at a time, and looks how soon it is caught.
    Teeth {
        /// After how many seeds a bug counts as missed.
        #[arg(long, default_value_t = 100_000)]
        seeds: u64,
        /// On how many threads.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Searches every interleaving of two who both change tracks.
    Exhaustive {
        /// After how many states to give a plan up.
        #[arg(long, default_value_t = 20_000_000)]
        states: usize,
    },
    /// Finds the smallest script that fails as a seed does, and prints it as a test.
    Shrink {
        /// The seed.
        seed: u64,
        /// As what.
        #[arg(long, value_enum, default_value = "rooms")]
        of: Of,
        /// Prints every event and command of the smallest script.
        #[arg(long)]
        trace: bool,
    },
}

fn main() -> ExitCode {
    let (passed, failed) = match Arguments::parse().command {
        Command::Run {
            of,
            seeds,
            start,
            threads,
        } => run_all(of, seeds, start, threads),
        Command::Teeth { seeds, threads } => show_teeth(seeds, threads),
        Command::Exhaustive { states } => search_all(states),
        Command::Replay { seed, of, trace } => match of {
            Of::Rooms => replay(&Script::generate(seed), trace),
            Of::People => replay_people(&people::script::Script::generate(seed), trace),
        },
        Command::Shrink { seed, of, trace } => match of {
            Of::Rooms => {
                let smallest = shrink(&Script::generate(seed), &Options::default());
                let counts = replay(&smallest, trace);
                println!("{}", as_test(&smallest));
                counts
            }
            Of::People => {
                let smallest = shrink(&people::script::Script::generate(seed), &Options::default());
                let counts = replay_people(&smallest, trace);
                println!("{}", as_test_of_people(&smallest));
                counts
            }
        },
    };
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run_all(of: Option<Of>, seeds: u64, start: u64, threads: usize) -> (u64, u64) {
    let (mut passed, mut failed) = (0, 0);
    for kind in Kind::ALL {
        if of.is_none_or(|of| of.kind() == kind) {
            let (well, badly) = run_many(kind, seeds, start, threads);
            passed += well;
            failed += badly;
        }
    }
    (passed, failed)
}

fn run_many(kind: Kind, seeds: u64, start: u64, threads: usize) -> (u64, u64) {
    let report = sweep(
        &Sweep {
            kind,
            start,
            seeds,
            threads,
            options: Options::default(),
            stop_at_first: false,
        },
        &|_| {},
    );
    let mut rules = BTreeMap::new();
    for (_, violation) in &report.failures {
        *rules.entry(violation.rule).or_insert(0_u32) += 1;
    }
    for (rule, times) in rules {
        println!("{rule:?}: {times} times");
    }
    for (seed, violation) in report.failures.iter().take(SHOWN) {
        println!("seed {seed}: {violation}");
    }
    if let Some((seed, _)) = report.failures.first() {
        let of = match kind {
            Kind::Rooms => "",
            Kind::People => " --of people",
        };
        println!(
            "replay with: visavis-simulator replay {seed}{of} --trace; make small with: shrink {seed}{of}"
        );
    }
    let per_second = (report.passed + report.failed) as f64 / report.took.as_secs_f64();
    println!(
        "{kind:?}: {} events in {:.1} s, {per_second:.0} seeds/s; slowest to settle {:.1} s (seed {}); hash {:016x}",
        report.events,
        report.took.as_secs_f64(),
        report.slowest.0.as_secs_f64(),
        report.slowest.1,
        report.hash
    );
    (report.passed, report.failed)
}

fn show_teeth(seeds: u64, threads: usize) -> (u64, u64) {
    let (mut caught, mut missed) = (0, 0);
    for planted in Planted::all() {
        let bite = bite(planted, seeds, threads);
        let name = format!("{planted:?}");
        match bite.caught {
            Some((after, violation)) => {
                caught += 1;
                println!(
                    "{name:<32} caught after {after:>6} seeds, {:>6.1} s: {violation}",
                    bite.took.as_secs_f64()
                );
            }
            None => {
                missed += 1;
                println!("{name:<32} MISSED in {seeds} seeds");
            }
        }
    }
    (caught, missed)
}

fn search_all(states: usize) -> (u64, u64) {
    let (mut passed, mut failed) = (0, 0);
    for plan in plans(states) {
        let findings = search(&plan, &Options::default());
        println!(
            "{}: {} states, {} steps, {} ends, longest way {} steps, {}, {:.1} s",
            plan.name,
            findings.states,
            findings.steps,
            findings.ends,
            findings.depth,
            if findings.complete {
                "complete"
            } else {
                "NOT COMPLETE"
            },
            findings.took.as_secs_f64()
        );
        if let Some((broken, path)) = &findings.violation {
            println!("  {broken}");
            for step in path {
                println!("    {step}");
            }
        }
        if findings.complete {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    (passed, failed)
}

fn replay(script: &Script, trace: bool) -> (u64, u64) {
    for (at, action) in &script.actions {
        println!("{at:>6} ms {action:?}");
    }
    println!("{} people, {:?}", script.people, script.pace);
    show(&run(script, &options(trace)))
}

fn replay_people(script: &people::script::Script, trace: bool) -> (u64, u64) {
    for (at, action) in &script.actions {
        println!("{at:>6} ms {action:?}");
    }
    println!("people with {:?} pages, {:?}", script.pages, script.pace);
    show(&people::run(script, &options(trace)))
}

fn options(trace: bool) -> Options {
    Options {
        trace,
        ..Options::default()
    }
}

fn show(outcome: &Outcome) -> (u64, u64) {
    for line in &outcome.lines {
        println!("{line}");
    }
    println!(
        "{} events, settled after {:.1} s, hash {:016x}",
        outcome.events,
        outcome.settled_after.as_secs_f64(),
        outcome.hash
    );
    match &outcome.violation {
        None => (1, 0),
        Some(violation) => {
            println!("{violation}");
            (0, 1)
        }
    }
}
