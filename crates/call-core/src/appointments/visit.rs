//! A client's visit: the appointment that their link admits to, and the wait for it.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::ErrorCode;
use visavis_protocol::appointment::{Facts, VisitEvent, VisitRequest, VisitState};

use super::{ASK_AGAIN_AFTER, Proof, ServerClock, millis, will_pass};
use crate::time::Timestamp;

/// How long after the waiting room should have opened it is asked whether it has: the server tells it by itself.
const LATE_AFTER: Duration = Duration::from_millis(1500);

/// What the person with a link wants.
#[derive(Clone, PartialEq, Eq)]
pub enum VisitIntent {
    /// To see the appointment that a token admits to; once more, if another page has it now.
    Open {
        /// Shown again on each new socket.
        token: String,
    },
    /// To wait from now on, and to be asked in.
    Ready {
        /// For how long they have waited already, where the page was loaded anew meanwhile.
        waited: Duration,
    },
    /// Not to wait any more.
    StopWaiting,
    /// Has gone to where [`VisitView::enter`] says, or has come back from there.
    Met,
    /// To see nothing of it any more.
    Close,
    /// To have camera and microphone as wanted, outside of any room, or no longer.
    TryDevices(bool),
}

/// Says nothing of tokens: who reads a log must not be able to use them.
impl core::fmt::Debug for VisitIntent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Open { .. } => "Open",
            Self::Ready { .. } => "Ready",
            Self::StopWaiting => "StopWaiting",
            Self::Met => "Met",
            Self::Close => "Close",
            Self::TryDevices(true) => "TryDevices",
            Self::TryDevices(false) => "ReleaseDevices",
        })
    }
}

/// What there is to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VisitView {
    /// How it stands with the link.
    pub proof: Proof,
    /// The appointment as the server told it last.
    pub appointment: Option<Appointment>,
    /// When it was to begin before it was moved: milliseconds since 1970.
    pub moved_from: Option<u64>,
    /// Since when the person is ready, on this page's clock.
    pub ready: Option<Timestamp>,
    /// Where they are expected, if they are ready to go there.
    pub enter: Option<String>,
    /// What was refused last of what they wanted.
    pub refused: Option<ErrorCode>,
    /// The server's clock.
    pub clock: Option<ServerClock>,
}

/// An appointment as its client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// Who expects them.
    pub professional: String,
    /// What is agreed.
    pub facts: Facts,
    /// Whether the professional is at the desk.
    pub desk_open: bool,
    /// How it stands.
    pub state: VisitState,
}

/// Whether an error about messages of that kind concerns visits.
pub(crate) fn is_about(kind: &str) -> bool {
    matches!(kind, "visit" | "open_visit" | "ready" | "stop_waiting")
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Visit {
    token: Option<String>,
    proof: Proof,
    appointment: Option<Appointment>,
    moved_from: Option<u64>,
    ready: Option<Ready>,
    refused: Option<ErrorCode>,
    clock: Option<ServerClock>,
    asks_again: Option<Timestamp>,
}

/// Since when somebody is ready.
#[derive(Clone, Copy, Debug)]
struct Ready {
    since: Timestamp,
    /// For how long they had waited by then: a clock of this page may not go back so far.
    before: Duration,
}

impl core::fmt::Debug for Visit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Visit")
            .field("proof", &self.proof)
            .finish_non_exhaustive()
    }
}

impl Visit {
    /// Whether the server is wanted for it.
    pub(crate) const fn wants_server(&self) -> bool {
        self.proof.wants_server()
    }

    pub(crate) fn intend(&mut self, now: Timestamp, intent: VisitIntent, out: &mut Vec<VisitRequest>) {
        match intent {
            VisitIntent::Open { token } => self.open(token, out),
            VisitIntent::Ready { waited } => {
                self.refused = None;
                self.ready = Some(Ready {
                    since: now,
                    before: waited,
                });
                self.say_ready(now, out);
            }
            VisitIntent::StopWaiting => self.stop_waiting(out),
            VisitIntent::Met => self.ready = None,
            VisitIntent::Close => {
                self.stop_waiting(out);
                *self = Self::default();
            }
            VisitIntent::TryDevices(_) => {}
        }
    }

    fn open(&mut self, token: String, out: &mut Vec<VisitRequest>) {
        if self.token.as_ref() != Some(&token) {
            self.stop_waiting(out);
            *self = Self::default();
        } else if matches!(self.proof, Proof::Asking | Proof::Taken) {
            return;
        }
        out.push(VisitRequest::OpenVisit { token: token.clone() });
        self.token = Some(token);
        self.proof = Proof::Asking;
    }

    fn stop_waiting(&mut self, out: &mut Vec<VisitRequest>) {
        if self.ready.take().is_some() && self.proof == Proof::Taken {
            out.push(VisitRequest::StopWaiting {});
        }
    }

    /// Says that the person is ready, where the server does not know it yet and may take it.
    fn say_ready(&self, now: Timestamp, out: &mut Vec<VisitRequest>) {
        let (Some(ready), Proof::Taken) = (self.ready, self.proof) else {
            return;
        };
        let is_open = |appointment: &Appointment| match appointment.state {
            VisitState::Open {} => true,
            VisitState::Early { .. }
            | VisitState::Waiting { .. }
            | VisitState::CalledIn { .. }
            | VisitState::Over {}
            | VisitState::Late {}
            | VisitState::Cancelled {}
            | VisitState::Unknown => false,
        };
        if self.appointment.as_ref().is_some_and(is_open) {
            out.push(VisitRequest::Ready {
                waited_ms: millis(ready.before.saturating_add(now.since(ready.since))),
            });
        }
    }

    /// The socket can be written to; nothing is known of the one before.
    pub(crate) fn opened(&mut self, out: &mut Vec<VisitRequest>) {
        self.asks_again = None;
        if let Some(token) = self.token.as_ref().filter(|_| self.proof.is_to_be_shown()) {
            out.push(VisitRequest::OpenVisit { token: token.clone() });
            self.proof = Proof::Asking;
        }
    }

    /// There is no server.
    pub(crate) fn lost(&mut self) {
        self.proof = self.proof.lost();
        self.asks_again = None;
    }

    /// There will be none.
    pub(crate) fn ended(&mut self) {
        if self.wants_server() {
            self.proof = Proof::Ended;
        }
    }

    pub(crate) fn handle(&mut self, now: Timestamp, event: VisitEvent, out: &mut Vec<VisitRequest>) {
        if self.token.is_none() {
            return;
        }
        match event {
            VisitEvent::Appointment {
                professional,
                facts,
                now: told,
                desk_open,
                state,
            } => {
                let clock = ServerClock::told(told, now);
                let before = self.appointment.as_ref().map(|known| known.facts.starts);
                match before {
                    // Moved back to where it was before: nothing to tell.
                    _ if self.moved_from == Some(facts.starts) => self.moved_from = None,
                    Some(before) if before != facts.starts => {
                        self.moved_from.get_or_insert(before);
                    }
                    Some(_) | None => {}
                }
                self.asks_again = match state {
                    VisitState::Early { opens } => Some(clock.when(opens).max(now) + LATE_AFTER),
                    VisitState::Open {}
                    | VisitState::Waiting { .. }
                    | VisitState::CalledIn { .. }
                    | VisitState::Over {}
                    | VisitState::Late {}
                    | VisitState::Cancelled {}
                    | VisitState::Unknown => None,
                };
                // Said once each time that the waiting room opens, and not for ever to a server that does not
                // take it.
                let was_open = self.proof == Proof::Taken
                    && matches!(
                        self.appointment.as_ref().map(|known| &known.state),
                        Some(VisitState::Open {})
                    );
                self.proof = Proof::Taken;
                self.clock = Some(clock);
                self.appointment = Some(Appointment {
                    professional,
                    facts,
                    desk_open,
                    state,
                });
                if !was_open {
                    self.say_ready(now, out);
                }
            }
            VisitEvent::Elsewhere {} => {
                self.proof = Proof::Elsewhere;
                self.asks_again = None;
                self.ready = None;
            }
        }
    }

    /// The server refused something of ours.
    pub(crate) fn refused(&mut self, now: Timestamp, code: ErrorCode, about: &str) {
        match about {
            "open_visit" | "visit" => {
                self.proof = Proof::Refused(code);
                self.asks_again = will_pass(code).then(|| now + ASK_AGAIN_AFTER);
            }
            "ready" if code == ErrorCode::RateLimited => self.asks_again = Some(now + ASK_AGAIN_AFTER),
            "ready" => {
                self.ready = None;
                self.refused = Some(code);
            }
            // Who did not wait need not stop.
            _ => {}
        }
    }

    pub(crate) fn handle_tick(&mut self, now: Timestamp, out: &mut Vec<VisitRequest>) {
        if self.asks_again.is_none_or(|due| due > now) {
            return;
        }
        self.asks_again = None;
        if let Some(token) = &self.token {
            out.push(VisitRequest::OpenVisit { token: token.clone() });
            self.proof = Proof::Asking;
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.asks_again
    }

    pub(crate) fn view(&self) -> VisitView {
        let link = self.appointment.as_ref().and_then(|known| match &known.state {
            VisitState::CalledIn { link } => Some(link.clone()),
            VisitState::Early { .. }
            | VisitState::Open {}
            | VisitState::Waiting { .. }
            | VisitState::Over {}
            | VisitState::Late {}
            | VisitState::Cancelled {}
            | VisitState::Unknown => None,
        });
        VisitView {
            proof: self.proof,
            appointment: self.appointment.clone(),
            moved_from: self.moved_from,
            ready: self.ready.map(|ready| ready.since),
            enter: link.filter(|_| self.ready.is_some() && self.proof == Proof::Taken),
            refused: self.refused,
            clock: self.clock,
        }
    }
}
