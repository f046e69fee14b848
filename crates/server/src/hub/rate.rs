//! A token bucket in one word: the generic cell rate algorithm (ITU-T I.371).

use core::time::Duration;

/// How fast a [`Bucket`] fills and how much it holds.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    nanos_per_token: u64,
    tolerance: u64,
}

impl Rate {
    /// `tokens` in each `period`, and up to `burst` at once. No tokens at all means no limit.
    #[must_use]
    pub fn new(tokens: u32, period: Duration, burst: u32) -> Self {
        let nanos_per_token = nanos(period).checked_div(u64::from(tokens)).unwrap_or(0);
        Self {
            nanos_per_token,
            tolerance: nanos_per_token.saturating_mul(u64::from(burst)),
        }
    }

    /// `tokens` a second.
    #[must_use]
    pub fn per_second(tokens: u32, burst: u32) -> Self {
        Self::new(tokens, Duration::from_secs(1), burst)
    }

    /// The time in which one token comes.
    #[must_use]
    pub const fn period(self) -> Duration {
        Duration::from_nanos(self.nanos_per_token)
    }

    /// The time in which an empty bucket fills.
    #[must_use]
    pub const fn tolerance(self) -> Duration {
        Duration::from_nanos(self.tolerance)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What one sender has used of its allowance: the time at which the bucket will be full again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket(u64);

impl Bucket {
    /// Takes `cost` tokens, or says `false` and takes none.
    pub fn take(&mut self, now: Duration, rate: Rate, cost: usize) -> bool {
        let now = nanos(now);
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let full_at = self
            .0
            .max(now)
            .saturating_add(cost.saturating_mul(rate.nanos_per_token));
        if full_at - now > rate.tolerance {
            return false;
        }
        self.0 = full_at;
        true
    }

    /// Whether nothing is used at the moment, so that forgetting the bucket gives nothing away.
    #[must_use]
    pub fn is_full(&self, now: Duration) -> bool {
        self.0 <= nanos(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let rate = Rate::per_second(10, 3);
        let mut bucket = Bucket::default();
        let start = Duration::from_secs(100);
        let taken = (0..10).filter(|_| bucket.take(start, rate, 1)).count();
        assert_eq!(taken, 3);
        assert!(!bucket.take(start + Duration::from_millis(99), rate, 1));
        assert!(bucket.take(start + Duration::from_millis(100), rate, 1));
        assert!(!bucket.take(start + Duration::from_millis(100), rate, 1));
        assert!(!bucket.is_full(start + Duration::from_millis(399)));
        assert!(bucket.is_full(start + Duration::from_millis(400)));
    }

    #[test]
    fn no_rate_is_no_limit_and_a_huge_cost_does_not_overflow() {
        let mut bucket = Bucket::default();
        assert!(bucket.take(Duration::ZERO, Rate::per_second(0, 0), usize::MAX));
        assert!(!bucket.take(Duration::from_secs(1), Rate::per_second(1, 1), usize::MAX));
    }
}
