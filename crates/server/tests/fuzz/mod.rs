//! A small fuzzer for the stable toolchain: replays a corpus, then mutates it for a time.
//!
//! `VISAVIS_FUZZ_SECONDS` sets the time (2 by default), `VISAVIS_FUZZ_SEED` the seed (a number, or `clock`). A failing
//! input is written to the system's folder for temporary files and named in the panic; put it into
//! the corpus with the cure. A target is a plain function of bytes, as `cargo fuzz` wants it too.
#![allow(dead_code, reason = "each test binary uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]
#![allow(clippy::print_stdout, reason = "the figures are for whoever runs it")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// xorshift64*: the same inputs from the same seed, on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from((self.next() >> 33) % end as u64).unwrap()
    }
}

/// What to run on what.
pub struct Fuzz<'a> {
    pub name: &'a str,
    /// Longest input made.
    pub longest: usize,
    /// Pieces worth inserting.
    pub dictionary: &'a [&'a [u8]],
    pub target: fn(&[u8]),
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The time each target runs for.
pub fn budget() -> Duration {
    Duration::from_secs(setting("VISAVIS_FUZZ_SECONDS").unwrap_or(2))
}

/// The seed of this run: always the same, so that a change is judged by what it did; `clock` for one that nobody
/// had yet.
pub fn seed() -> u64 {
    if std::env::var("VISAVIS_FUZZ_SEED").is_ok_and(|wanted| wanted == "clock") {
        return SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |time| time.as_nanos() as u64);
    }
    setting("VISAVIS_FUZZ_SEED").unwrap_or(1)
}

/// The committed inputs of a target, in a fixed order.
pub fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

impl Fuzz<'_> {
    /// Replays the corpus, then runs for the budget.
    pub fn run(&self) {
        let mut pool = corpus(self.name);
        assert!(!pool.is_empty(), "no corpus");
        for input in &pool {
            self.check(input, 0);
        }
        let (seed, budget, start) = (seed(), budget(), Instant::now());
        let mut random = Random::new(seed);
        let kept = pool.len();
        let mut executions = 0_u64;
        while start.elapsed() < budget {
            for _ in 0..256 {
                let input = self.mutate(&pool, &mut random);
                self.check(&input, seed);
                executions += 1;
                // A few descendants stay, so that changes add up.
                if executions.is_multiple_of(64) {
                    if pool.len() < kept + 256 {
                        pool.push(input);
                    } else {
                        let at = kept + random.below(256);
                        pool[at] = input;
                    }
                }
            }
        }
        let rate = executions as f64 / start.elapsed().as_secs_f64();
        println!("{}: {executions} executions, {rate:.0}/s, seed {seed}", self.name);
    }

    fn check(&self, input: &[u8], seed: u64) {
        let target = self.target;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
            let path = std::env::temp_dir().join(format!("visavis-fuzz-{}-{seed}", self.name));
            std::fs::write(&path, input).unwrap();
            eprintln!("{}: fails on {} (seed {seed})", self.name, path.display());
            std::panic::resume_unwind(panic);
        }
    }

    fn mutate(&self, pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
        let mut input = pool[random.below(pool.len())].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(input.len() + 1);
            match random.below(9) {
                0 if at < input.len() => input[at] ^= 1 << random.below(8),
                1 if at < input.len() => input[at] = random.next() as u8,
                2 => input.truncate(at),
                3 => input.insert(at, random.next() as u8),
                4 if at < input.len() => drop(input.drain(at..(at + 1 + random.below(16)).min(input.len()))),
                5 => {
                    let other = &pool[random.below(pool.len())];
                    let from = random.below(other.len() + 1);
                    let to = from + random.below(other.len() - from + 1);
                    input.splice(at..at, other[from..to].iter().copied());
                }
                6 => {
                    let end = (at + 1 + random.below(32)).min(input.len());
                    let again = input[at..end].to_vec();
                    input.splice(at..at, again);
                }
                _ if !self.dictionary.is_empty() => {
                    let word = self.dictionary[random.below(self.dictionary.len())];
                    let end = if random.below(2) == 0 {
                        at
                    } else {
                        (at + word.len()).min(input.len())
                    };
                    input.splice(at..end, word.iter().copied());
                }
                _ => input.extend((0..random.below(32)).map(|_| random.next() as u8)),
            }
        }
        input.truncate(self.longest);
        input
    }
}
