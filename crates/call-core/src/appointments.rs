//! Appointments as one page sees them: a professional's desk, and the visit of a client who was given a link.
//!
//! Either is proven by its token, anew on each socket. What a page shows is the server's word; what was asked and
//! not answered yet is said again after a cut, for everything here is known by an id that the page drew.

mod desk;
#[cfg(test)]
mod tests;
mod visit;

use core::time::Duration;

use visavis_protocol::ErrorCode;

use crate::time::Timestamp;
pub use desk::{Arrival, CalledIn, DeskIntent, DeskView, Refusal};
pub(crate) use desk::{Desk, is_about as is_about_desk};
pub use visit::{Appointment, VisitIntent, VisitView};
pub(crate) use visit::{Visit, is_about as is_about_visit};

/// How soon it is asked again where too many pages are open, or too much was asked.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// How it stands with the token of a desk or of a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// None is wanted.
    #[default]
    None,
    /// The server has not said anything of it yet. What was known before is still shown.
    Asking,
    /// The server took it, on the present socket.
    Taken,
    /// The server refused it.
    Refused(ErrorCode),
    /// Another page showed it: that one is it from now on. Of a visit alone.
    Elsewhere,
    /// The server does not want this page's socket any more; loading the page anew may help.
    Ended,
}

impl Proof {
    /// Whether a socket is wanted for it.
    const fn wants_server(self) -> bool {
        matches!(self, Self::Asking | Self::Taken | Self::Elsewhere)
            || matches!(self, Self::Refused(code) if will_pass(code))
    }

    /// After the socket was lost.
    const fn lost(self) -> Self {
        match self {
            Self::Taken => Self::Asking,
            Self::None | Self::Asking | Self::Refused(_) | Self::Elsewhere | Self::Ended => self,
        }
    }

    /// Whether the token is to be shown on a new socket. A refusal for good would be one again.
    const fn is_to_be_shown(self) -> bool {
        matches!(self, Self::Asking | Self::Taken) || matches!(self, Self::Refused(code) if will_pass(code))
    }
}

/// Whether a refusal is about the moment and not about what was asked.
const fn will_pass(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::TooMany | ErrorCode::RateLimited)
}

/// The server's clock, as it was told last: appointments are about times on which two must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClock {
    told_ms: u64,
    at: Timestamp,
}

impl ServerClock {
    const fn told(told_ms: u64, at: Timestamp) -> Self {
        Self { told_ms, at }
    }

    /// What it says now: milliseconds since 1970.
    #[must_use]
    pub fn now(self, now: Timestamp) -> u64 {
        self.told_ms.saturating_add(millis(now.since(self.at)))
    }

    /// When it will say that.
    fn when(self, ms: u64) -> Timestamp {
        self.at + Duration::from_millis(ms.saturating_sub(self.told_ms))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
