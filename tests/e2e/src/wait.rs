//! Waiting for conditions. Never for time.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a look at a condition found.
#[derive(Debug)]
pub enum Look<T> {
    /// It holds.
    There(T),
    /// Not yet; what was seen instead, for the message should it never hold.
    NotYet(String),
}

/// Looks until a condition holds.
///
/// # Errors
/// If it does not within `limit`, with what the last look saw; or the look itself fails.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<Look<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        let seen = match look().await? {
            Look::There(found) => return Ok(found),
            Look::NotYet(seen) => seen,
        };
        if started.elapsed() > limit {
            bail!(
                "waited {:.1} s for {what}; last seen: {seen}",
                limit.as_secs_f64()
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl<T> Look<T> {
    /// A look at something that may be there.
    pub fn at(found: Option<T>, otherwise: impl FnOnce() -> String) -> Self {
        found.map_or_else(|| Self::NotYet(otherwise()), Self::There)
    }
}

impl Look<()> {
    /// A look at a plain condition.
    pub fn when(holds: bool, otherwise: impl FnOnce() -> String) -> Self {
        Self::at(holds.then_some(()), otherwise)
    }
}
