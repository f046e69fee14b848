//! Many seeds on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::people;
use crate::script::Script;
use crate::world::{Options, Outcome, Violation, run};

/// Failing seeds that are kept; beyond that nobody reads them.
const KEPT: usize = 1000;

/// What a seed is played as. The two know nothing of each other: the same seed makes one run of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// People in a room.
    Rooms,
    /// People who call each other.
    People,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rooms, Self::People];

    /// Plays a seed.
    #[must_use]
    pub fn play(self, seed: u64, options: &Options) -> Outcome {
        match self {
            Self::Rooms => run(&Script::generate(seed), options),
            Self::People => people::run(&people::script::Script::generate(seed), options),
        }
    }
}

/// Which seeds, and how.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// As what.
    pub kind: Kind,
    /// The first seed.
    pub start: u64,
    /// How many.
    pub seeds: u64,
    /// On how many threads.
    pub threads: usize,
    /// What every run is like.
    pub options: Options,
    /// Whether the first failure ends it.
    pub stop_at_first: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Runs without a broken rule.
    pub passed: u64,
    /// Runs with one.
    pub failed: u64,
    /// Some of those, by seed.
    pub failures: Vec<(u64, Violation)>,
    /// Events in all runs.
    pub events: u64,
    /// The longest that a run took to come to rest after its faults.
    pub slowest: (Duration, u64),
    /// A hash over all runs: the same for the same seeds and the same program.
    pub hash: u64,
    /// Wall time.
    pub took: Duration,
}

impl Report {
    fn take(&mut self, seed: u64, outcome: Outcome) {
        self.events += outcome.events;
        self.hash ^= outcome.hash.rotate_left(u32::try_from(seed % 64).unwrap_or(0));
        if outcome.settled_after > self.slowest.0 {
            self.slowest = (outcome.settled_after, seed);
        }
        match outcome.violation {
            None => self.passed += 1,
            Some(violation) => {
                self.failed += 1;
                if self.failures.len() < KEPT {
                    self.failures.push((seed, violation));
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
        self.events += other.events;
        self.hash ^= other.hash;
        self.slowest = self.slowest.max(other.slowest);
    }
}

/// Runs all seeds of a sweep. A panic of a core counts as a failure of its thread and is not caught:
/// it would abort a browser's module as well.
#[must_use]
pub fn sweep(sweep: &Sweep, progress: &(dyn Fn(u64) + Sync)) -> Report {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let total = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..sweep.threads.max(1) {
            scope.spawn(|| {
                let mut report = Report::default();
                while !stop.load(Ordering::Relaxed) {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= sweep.seeds {
                        break;
                    }
                    let seed = sweep.start + nth;
                    report.take(seed, sweep.kind.play(seed, &sweep.options));
                    if report.failed > 0 && sweep.stop_at_first {
                        stop.store(true, Ordering::Relaxed);
                    }
                    progress(nth + 1);
                }
                if let Ok(mut total) = total.lock() {
                    total.merge(report);
                }
            });
        }
    });
    let mut report = total
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    report.failures.sort_by_key(|(seed, _)| *seed);
    report.took = began.elapsed();
    report
}
