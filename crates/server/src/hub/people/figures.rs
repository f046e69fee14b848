//! What there is of people and calls at the moment, for whoever looks whether it is as it should be.

use visavis_protocol::{CallId, Handle};

use super::super::ConnectionKey;
use super::calls::Calls;
use super::{People, Timer};

/// A call as the hub knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFigure {
    /// Which.
    pub call: CallId,
    /// Who called.
    pub from: Handle,
    /// Whom.
    pub to: Handle,
    /// Whether it was taken.
    pub is_taken: bool,
    /// The page that called, and the one that took it; none while its socket is lost.
    pub pages: [Option<ConnectionKey>; 2],
}

/// How much there is. All of it is zero some time after the last page is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeopleCounts {
    /// Sockets that proved a handle.
    pub pages: usize,
    /// Everybody who has one, or had a moment ago.
    pub persons: usize,
    /// Calls that ring or were taken.
    pub calls: usize,
    /// Calls that are known to have ended.
    pub ended: usize,
    /// People who called lately.
    pub callers: usize,
    /// Calls that one side alone says it is in.
    pub claims: usize,
    /// Timers of calls, some of which may turn out to have nothing to do.
    pub call_timers: usize,
}

impl People {
    pub(in super::super) fn calls(&self) -> impl Iterator<Item = CallFigure> {
        self.calls.figures()
    }

    pub(in super::super) fn counts(&self) -> PeopleCounts {
        let of_calls = |timer: &Timer| match timer {
            Timer::Call(_) | Timer::Claim(..) | Timer::Ended => true,
            Timer::Presence(_) => false,
        };
        let call_timers = self.timers.iter().filter(|entry| of_calls(&entry.0.1));
        PeopleCounts {
            pages: self.pages.len(),
            persons: self.persons.len(),
            claims: self.claims.len(),
            call_timers: call_timers.count(),
            ..self.calls.counts()
        }
    }
}

impl Calls {
    fn figures(&self) -> impl Iterator<Item = CallFigure> {
        let heard = self.all.iter().filter(|(_, known)| !known.is_unheard);
        heard.map(|(call, known)| CallFigure {
            call: *call,
            from: known.from.clone(),
            to: known.to.clone(),
            is_taken: known.callee().is_some(),
            pages: [known.caller, known.callee().flatten()],
        })
    }

    fn counts(&self) -> PeopleCounts {
        PeopleCounts {
            calls: self.all.len(),
            ended: self.ended.len().max(self.why.len()),
            callers: self.rates.len(),
            ..PeopleCounts::default()
        }
    }
}
