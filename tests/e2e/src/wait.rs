//! Waiting for conditions. Never for time.

use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};
use thirtyfour::error::{WebDriverError, WebDriverErrorInner};

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

/// Looks until a condition holds. A page replaces elements whenever it likes: a look that held one which
/// was just replaced has seen nothing, and looks again.
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
        let seen = match look().await {
            Ok(Look::There(found)) => return Ok(found),
            Ok(Look::NotYet(seen)) => seen,
            Err(error) if was_replaced(&error) => String::from("an element that was just replaced"),
            Err(error) => return Err(error),
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

/// Whether a driver was asked about an element that its page no longer has. It says so too of one that goes
/// while it is being handed over.
#[must_use]
pub fn was_replaced(error: &Error) -> bool {
    let told = error
        .downcast_ref::<WebDriverError>()
        .map(WebDriverError::as_inner);
    matches!(told, Some(WebDriverErrorInner::StaleElementReference(_)))
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
