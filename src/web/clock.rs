//! The page's clock.

use core::cell::Cell;
use core::time::Duration;

/// How much the wall's clock may move against the page's before it is taken for a sleep, in
/// milliseconds. Below it they are only set to each other.
const SLEEP_MS: f64 = 1000.0;

thread_local! {
    static SLEEP: Cell<Sleep> = const { Cell::new(Sleep { slept: 0.0, apart: None }) };
}

/// What the page's clock missed.
#[derive(Clone, Copy, Debug)]
struct Sleep {
    slept: f64,
    /// How far the wall's clock was ahead at the last look.
    apart: Option<f64>,
}

impl Sleep {
    /// Looks at both clocks, in milliseconds; what the page's must be put forward by.
    ///
    /// A wall's clock that is put forward counts as a sleep, which costs a look at the server; one
    /// that is put back does not count.
    fn look(&mut self, page: f64, wall: f64) -> f64 {
        let apart = wall - page;
        let moved = self.apart.map_or(0.0, |before| apart - before);
        if moved > SLEEP_MS {
            self.slept += moved;
        }
        self.apart = Some(apart);
        self.slept
    }
}

/// Time since the page's navigation began, never set back, and going on while the computer sleeps:
/// there `performance.now()` stands still in some browsers on most systems (W3C High Resolution
/// Time, section 8), and with it all patience would. Zero in the absence of a clock.
#[must_use]
pub fn now() -> Duration {
    let page = super::window().performance().map_or(0.0, |clock| clock.now());
    let slept = SLEEP.with(|cell| {
        let mut sleep = cell.get();
        let slept = sleep.look(page, js_sys::Date::now());
        cell.set(sleep);
        slept
    });
    Duration::try_from_secs_f64((page + slept) / 1000.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_counts_and_a_clock_that_is_put_back_does_not() {
        let mut sleep = Sleep {
            slept: 0.0,
            apart: None,
        };
        assert_eq!(sleep.look(10.0, 1_000_010.0), 0.0);
        assert_eq!(sleep.look(20.0, 1_000_020.5), 0.0);
        // The page's clock stood still for a minute.
        let slept = sleep.look(30.0, 1_060_030.5);
        assert_eq!(slept, 60_000.0);
        assert_eq!(sleep.look(40.0, 1_060_040.5), 60_000.0);
        assert_eq!(sleep.look(50.0, 960_050.5), 60_000.0);
        assert_eq!(sleep.look(60.0, 960_060.5), 60_000.0);
    }
}
