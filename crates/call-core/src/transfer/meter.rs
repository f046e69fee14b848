//! How fast a transfer goes: bytes over the last few seconds.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Timestamp;

/// Over how long the rate is taken. Long enough to be calm, short enough to be of now.
const WINDOW: Duration = Duration::from_secs(5);
/// Pause between two notes that are kept.
const EVERY: Duration = Duration::from_millis(250);

/// Notes of how far a transfer was when, no more than the window holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Meter {
    notes: VecDeque<(Timestamp, u64)>,
    last: Option<(Timestamp, u64)>,
}

impl Meter {
    /// So many bytes are through. Fewer than before begins anew.
    pub(super) fn note(&mut self, now: Timestamp, bytes: u64) {
        if self.last.is_some_and(|(_, before)| bytes < before) {
            self.clear();
        }
        self.last = Some((now, bytes));
        let is_due = self.notes.back().is_none_or(|(at, _)| now.since(*at) >= EVERY);
        if is_due {
            self.notes.push_back((now, bytes));
        }
        // The oldest that is kept lies just before the window, or the rate of a slow one would be none.
        while self.notes.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            self.notes.pop_front();
        }
    }

    /// It rests.
    pub(super) fn clear(&mut self) {
        self.notes.clear();
        self.last = None;
    }

    /// Bytes a second lately.
    pub(super) fn rate(&self, now: Timestamp) -> u64 {
        let (Some((from, first)), Some((_, last))) = (self.notes.front(), self.last) else {
            return 0;
        };
        let millis = u64::try_from(now.since(*from).as_millis()).unwrap_or(u64::MAX);
        if millis < 100 {
            return 0;
        }
        last.saturating_sub(*first).saturating_mul(1000) / millis
    }

    /// How long so many bytes will take.
    pub(super) fn left(&self, now: Timestamp, bytes: u64) -> Option<Duration> {
        let rate = self.rate(now);
        (rate > 0).then(|| Duration::from_secs(bytes.div_ceil(rate)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_of_the_last_seconds() {
        let mut meter = Meter::default();
        let at = Timestamp::from_millis;
        for tenth in 0..=100 {
            meter.note(at(tenth * 100), tenth * 1000);
        }
        assert_eq!(meter.rate(at(10_000)), 10_000);
        assert_eq!(meter.left(at(10_000), 50_000), Some(Duration::from_secs(5)));
        // Twice as fast from now on: after the window that is all that counts.
        for tenth in 101..=200 {
            meter.note(at(tenth * 100), 100_000 + (tenth - 100) * 2000);
        }
        assert!(meter.rate(at(20_000)).abs_diff(20_000) < 500);
        assert!(meter.notes.len() <= 22, "{}", meter.notes.len());
        // It stalls: the rate goes down with every moment, without a note.
        assert!(meter.rate(at(60_000)) < 3_000);
    }

    #[test]
    fn a_block_that_must_come_again_is_no_negative_rate() {
        let mut meter = Meter::default();
        meter.note(Timestamp::from_millis(0), 5000);
        meter.note(Timestamp::from_millis(1000), 9000);
        meter.note(Timestamp::from_millis(2000), 6000);
        assert_eq!(meter.rate(Timestamp::from_millis(2000)), 0);
        assert_eq!(meter.left(Timestamp::from_millis(2000), 1), None);
    }
}
