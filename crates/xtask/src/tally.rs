//! Counts of passed and failed checks, read from what test runners print.
//!
//! Knows the summary lines of cargo-nextest, of libtest (which the wasm runner imitates) and of
//! the simulator. Anything else is no summary.

use std::fmt;

/// How many checks passed, failed and were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Checks that held.
    pub passed: u64,
    /// Checks that did not, timed out or could not run.
    pub failed: u64,
    /// Checks left out, with the reason in the output above.
    pub skipped: u64,
}

impl Tally {
    /// One check that held.
    pub const PASSED: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };
    /// One check that did not hold.
    pub const FAILED: Self = Self {
        passed: 0,
        failed: 1,
        skipped: 0,
    };
    /// One check left out.
    pub const SKIPPED: Self = Self {
        passed: 0,
        failed: 0,
        skipped: 1,
    };

    /// Reads a line if it is a runner's summary.
    pub fn of_line(line: &str) -> Option<Self> {
        let line = plain(line);
        // Indented, it is a failed test's own output, shown again by the runner above it.
        if let Some(rest) = line.strip_prefix("test result: ") {
            let (_, counts) = rest.split_once(". ")?;
            return Some(Self::of_counts(counts.split(';')));
        }
        if let Some(rest) = line.trim_start().strip_prefix("Summary [") {
            let (_, counts) = rest.split_once(" run: ")?;
            return Some(Self::of_counts(without_parentheses(counts).split(',')));
        }
        // The simulator's stands alone on its line.
        let (passed, failed) = line.split_once(", ")?;
        let is_number = |text: Option<&str>| text.is_some_and(|text| text.parse::<u64>().is_ok());
        let is_summary =
            is_number(passed.strip_suffix(" passed")) && is_number(failed.strip_suffix(" failed"));
        is_summary.then(|| Self::of_counts([passed, failed].into_iter()))
    }

    fn of_counts<'a>(counts: impl Iterator<Item = &'a str>) -> Self {
        let mut tally = Self::default();
        for count in counts {
            let Some((number, word)) = count.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "passed" => tally.passed += number,
                "failed" | "timed out" | "exec failed" => tally.failed += number,
                // What a runner leaves out by a filter is not ours to count: `ignored` alone is a
                // decision written in the code.
                "ignored" => tally.skipped += number,
                _ => {}
            }
        }
        tally
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// The line without terminal colours.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // A colour is `ESC [ … m`.
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            text.push(c);
        }
    }
    text
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept.replace(" ,", ",")
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Option<Tally> {
        Some(Tally {
            passed,
            failed,
            skipped,
        })
    }

    #[test]
    fn summaries_of_every_runner_are_read() {
        for (line, expected) in [
            (
                "     Summary [   0.005s] 12 tests run: 11 passed (1 slow, 2 leaky), 1 failed, 3 skipped",
                tally(11, 1, 0),
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   1.5s] \u{1b}[1m4\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m passed, 1 timed out, 1 exec failed, 0 skipped",
                tally(2, 2, 0),
            ),
            (
                "     Summary [   0.005s] 3/9 tests run: 2 passed, 1 failed, 0 skipped",
                tally(2, 1, 0),
            ),
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s",
                tally(3, 0, 1),
            ),
            (
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 filtered out",
                tally(3, 2, 0),
            ),
            ("100000 passed, 0 failed", tally(100_000, 0, 0)),
            ("    test result: FAILED. 0 passed; 1 failed; 0 ignored", None),
            ("of 3 rules all passed, 1 failed", None),
            ("running 3 tests", None),
            ("test summary … ok", None),
        ] {
            assert_eq!(Tally::of_line(line), expected, "{line}");
        }
    }

    #[test]
    fn the_last_line_names_skipped_only_if_there_are_any() {
        assert_eq!(
            tally(3, 1, 0).map(|t| t.to_string()).as_deref(),
            Some("3 passed, 1 failed")
        );
        assert_eq!(
            tally(3, 0, 2).map(|t| t.to_string()).as_deref(),
            Some("3 passed, 0 failed, 2 skipped")
        );
    }
}
