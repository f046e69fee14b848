//! How often something may happen: so often a second, and some at once.

use core::time::Duration;

use crate::time::Timestamp;

/// Counts what was admitted. It holds no more than a moment, so nobody can make it grow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate {
    /// When all that was admitted so far would have been, had it come at an even pace.
    even: Timestamp,
}

impl Rate {
    /// Whether one more may happen now, where `every` is the even pace and `burst` may come at once.
    pub(crate) fn admit(&mut self, now: Timestamp, every: Duration, burst: u32) -> bool {
        let even = self.even.max(now);
        let is_admitted = even.since(now) <= every.saturating_mul(burst.saturating_sub(1));
        if is_admitted {
            self.even = even + every;
        }
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_millis(500);

    #[test]
    fn a_burst_is_admitted_and_then_an_even_pace() {
        let mut rate = Rate::default();
        let at = Timestamp::from_millis;
        let begin = 10_000;
        assert_eq!((0..9).filter(|_| rate.admit(at(begin), EVERY, 3)).count(), 3);
        assert!(!rate.admit(at(begin + 499), EVERY, 3));
        assert!(rate.admit(at(begin + 500), EVERY, 3));
        assert!(!rate.admit(at(begin + 501), EVERY, 3));
        // A long rest is no credit beyond the burst.
        assert_eq!(
            (0..9)
                .filter(|_| rate.admit(at(begin + 60_000), EVERY, 3))
                .count(),
            3
        );
    }
}
