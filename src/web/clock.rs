//! The page's monotonic clock.

use core::time::Duration;

/// Time since the page's navigation began (`performance.now()`), which goes on while the computer
/// does and is never set back. Zero in the absence of a clock.
#[must_use]
pub fn now() -> Duration {
    let ms = super::window().performance().map_or(0.0, |clock| clock.now());
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}
