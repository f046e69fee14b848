//! A professional's desk: their appointments, who waits, and the place where both meet.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::appointment::{DeskEvent, DeskRequest, DeskStatus, Entry, Facts, Place};
use visavis_protocol::limits::APPOINTMENTS_PER_DESK;
use visavis_protocol::{AppointmentId, ErrorCode};

use super::{ASK_AGAIN_AFTER, Proof, ServerClock, will_pass};
use crate::time::Timestamp;

/// Wishes that may wait for the server's answer: nobody types more while it is away.
const PENDING: usize = 64;
/// Arrivals that are told; a shell looks after every event.
const ARRIVALS: usize = 8;
/// A client whose begin of waiting moved by less has been here all the time: the server was started anew, and
/// they said themselves for how long they have waited.
const SAME_ARRIVAL_MS: u64 = 90_000;
/// Entries kept, whatever a server says: those that are past are beside those that count.
const ENTRIES: usize = APPOINTMENTS_PER_DESK * 2;

/// What the person at a desk wants.
#[derive(Clone, PartialEq, Eq)]
pub enum DeskIntent {
    /// To sit at the desk that a token makes.
    Open {
        /// Shown again on each new socket.
        token: String,
    },
    /// Not to be at the desk any more.
    Close,
    /// To make an appointment, or to change it.
    Put {
        /// Drawn by the shell for a new one.
        appointment: AppointmentId,
        /// What is agreed.
        facts: Facts,
    },
    /// To call one off.
    Cancel(AppointmentId),
    /// To ask its client in.
    CallIn {
        /// Which.
        appointment: AppointmentId,
        /// Where to meet, if nobody has said so before.
        place: Place,
    },
    /// Has gone to where [`DeskView::called_in`] says.
    Met,
    /// Has read what was refused.
    Dismiss,
}

/// Says nothing of tokens and places: who reads a log must not be able to use them.
impl core::fmt::Debug for DeskIntent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Open { .. } => "Open",
            Self::Close => "Close",
            Self::Put { .. } => "Put",
            Self::Cancel(_) => "Cancel",
            Self::CallIn { .. } => "CallIn",
            Self::Met => "Met",
            Self::Dismiss => "Dismiss",
        })
    }
}

/// What there is to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeskView {
    /// How it stands with the desk.
    pub proof: Proof,
    /// Whose it is, as clients read it; empty until the server has said so.
    pub name: String,
    /// Every appointment that is not long past, by begin. What is asked for and not answered yet is in it.
    pub entries: Vec<Entry>,
    /// Those of which something was asked that the server has not answered yet.
    pub unsaved: Vec<AppointmentId>,
    /// Those who came, the oldest first, numbered without gaps: each is to be told once, on this page.
    pub arrivals: Vec<Arrival>,
    /// Where the person is expected after they asked somebody in.
    pub called_in: Option<CalledIn>,
    /// What was refused last.
    pub refused: Option<Refusal>,
    /// The server's clock.
    pub clock: Option<ServerClock>,
}

/// Somebody came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Counts up.
    pub number: u64,
    /// For which appointment.
    pub appointment: AppointmentId,
    /// Who. Text from a stranger: show it as text only.
    pub client: String,
}

/// Where to meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledIn {
    /// For which appointment.
    pub appointment: AppointmentId,
    /// With whom.
    pub client: String,
    /// Where.
    pub place: Place,
}

/// What the server did not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Counts up.
    pub number: u64,
    /// Of which appointment.
    pub appointment: AppointmentId,
    /// What it was to be, if it was to be made or changed: nothing that was typed is lost.
    pub facts: Option<Facts>,
    /// Why.
    pub code: ErrorCode,
}

/// Whether an error about messages of that kind concerns desks.
pub(crate) fn is_about(kind: &str) -> bool {
    matches!(
        kind,
        "desk" | "open_desk" | "put_appointment" | "cancel_appointment" | "call_in" | "close_desk"
    )
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    token: Option<String>,
    proof: Proof,
    name: String,
    entries: Vec<Entry>,
    /// Not answered yet, in the order in which they were asked.
    pending: Vec<DeskRequest>,
    /// Since when somebody waits of whom was told already.
    told: BTreeMap<AppointmentId, u64>,
    arrivals: Vec<Arrival>,
    arrived: u64,
    called_in: Option<CalledIn>,
    refused: Option<Refusal>,
    refusals: u64,
    clock: Option<ServerClock>,
    asks_again: Option<Timestamp>,
}

impl core::fmt::Debug for Desk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Desk")
            .field("proof", &self.proof)
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// Whether the server is wanted for it.
    pub(crate) const fn wants_server(&self) -> bool {
        self.proof.wants_server()
    }

    pub(crate) fn intend(&mut self, intent: DeskIntent, out: &mut Vec<DeskRequest>) {
        match intent {
            DeskIntent::Open { token } => self.open(token, out),
            DeskIntent::Close => {
                if self.proof == Proof::Taken {
                    out.push(DeskRequest::CloseDesk {});
                }
                *self = self.emptied();
            }
            DeskIntent::Put { appointment, facts } => {
                self.ask(DeskRequest::PutAppointment { appointment, facts }, out);
            }
            DeskIntent::Cancel(appointment) => self.ask(DeskRequest::CancelAppointment { appointment }, out),
            DeskIntent::CallIn { appointment, place } => {
                self.ask(DeskRequest::CallIn { appointment, place }, out);
            }
            DeskIntent::Met => self.called_in = None,
            DeskIntent::Dismiss => self.refused = None,
        }
    }

    fn open(&mut self, token: String, out: &mut Vec<DeskRequest>) {
        if self.token.as_ref() != Some(&token) {
            if self.proof == Proof::Taken {
                out.push(DeskRequest::CloseDesk {});
            }
            *self = self.emptied();
        } else if matches!(self.proof, Proof::Asking | Proof::Taken) {
            return;
        }
        out.push(DeskRequest::OpenDesk { token: token.clone() });
        self.token = Some(token);
        self.proof = Proof::Asking;
    }

    /// Knows nothing; what counts up goes on.
    fn emptied(&self) -> Self {
        Self {
            arrived: self.arrived,
            refusals: self.refusals,
            ..Self::default()
        }
    }

    /// Asks for something, now and again until it is answered. A later word on the same takes the place of an
    /// earlier one.
    fn ask(&mut self, request: DeskRequest, out: &mut Vec<DeskRequest>) {
        if self.token.is_none() {
            return;
        }
        self.refused = None;
        let (kind, id) = (request.kind(), id_of(&request));
        self.pending
            .retain(|known| known.kind() != kind || id_of(known) != id);
        if self.pending.len() >= PENDING {
            self.pending.remove(0);
        }
        if self.proof == Proof::Taken {
            out.push(request.clone());
        }
        self.pending.push(request);
    }

    /// The socket can be written to; nothing is known of the one before.
    pub(crate) fn opened(&mut self, out: &mut Vec<DeskRequest>) {
        self.asks_again = None;
        if let Some(token) = self.token.as_ref().filter(|_| self.proof.is_to_be_shown()) {
            out.push(DeskRequest::OpenDesk { token: token.clone() });
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

    pub(crate) fn handle(&mut self, now: Timestamp, event: DeskEvent, out: &mut Vec<DeskRequest>) {
        if self.token.is_none() {
            return;
        }
        match event {
            DeskEvent::Opened {
                desk: _,
                name,
                now: told,
                mut entries,
            } => {
                self.proof = Proof::Taken;
                self.name = name;
                self.clock = Some(ServerClock::told(told, now));
                entries.truncate(ENTRIES);
                self.entries = entries;
                let entries = &self.entries;
                self.pending
                    .retain(|request| !entries.iter().any(|entry| is_answered_by(request, entry)));
                // Who went while there was no server has not come back until they say so.
                self.told
                    .retain(|id, _| entries.iter().any(|entry| entry.appointment == *id));
                out.extend(self.pending.iter().cloned());
            }
            DeskEvent::Entry { entry, alert } => self.take(entry, alert),
            DeskEvent::CalledIn { appointment, place } => {
                let before = self.pending.len();
                let is_it = |request: &DeskRequest| matches!(request, DeskRequest::CallIn { appointment: asked, .. } if *asked == appointment);
                self.pending.retain(|request| !is_it(request));
                if self.pending.len() < before {
                    let client = self.entry(appointment).map(|entry| entry.facts.client.clone());
                    self.called_in = Some(CalledIn {
                        appointment,
                        client: client.unwrap_or_default(),
                        place,
                    });
                }
            }
            DeskEvent::DeskClosed {} => {}
        }
    }

    fn entry(&self, appointment: AppointmentId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.appointment == appointment)
    }

    fn take(&mut self, entry: Entry, alert: bool) {
        self.pending.retain(|request| !is_answered_by(request, &entry));
        if let DeskStatus::Waiting { since, .. } = entry.status {
            let told = self.told.insert(entry.appointment, since);
            let is_same = told.is_some_and(|told| told.abs_diff(since) < SAME_ARRIVAL_MS);
            if alert && !is_same {
                self.tell(&entry);
            }
        }
        let known = self
            .entries
            .iter()
            .position(|known| known.appointment == entry.appointment);
        match known {
            Some(at) => self.entries[at] = entry,
            None if self.entries.len() < ENTRIES => self.entries.push(entry),
            None => {}
        }
    }

    fn tell(&mut self, entry: &Entry) {
        self.arrived += 1;
        if self.arrivals.len() >= ARRIVALS {
            self.arrivals.remove(0);
        }
        self.arrivals.push(Arrival {
            number: self.arrived,
            appointment: entry.appointment,
            client: entry.facts.client.clone(),
        });
    }

    /// The server refused something of ours. It answers in the order in which it was asked, so what waited longest
    /// is meant.
    pub(crate) fn refused(&mut self, now: Timestamp, code: ErrorCode, about: &str) {
        match about {
            "open_desk" | "desk" => {
                self.proof = Proof::Refused(code);
                self.asks_again = will_pass(code).then(|| now + ASK_AGAIN_AFTER);
            }
            _ => {
                let Some(at) = self.pending.iter().position(|request| request.kind() == about) else {
                    return;
                };
                if code == ErrorCode::RateLimited {
                    self.asks_again = Some(now + ASK_AGAIN_AFTER);
                    return;
                }
                let request = self.pending.remove(at);
                let Some(appointment) = id_of(&request) else {
                    return;
                };
                self.refusals += 1;
                self.refused = Some(Refusal {
                    number: self.refusals,
                    appointment,
                    facts: match request {
                        DeskRequest::PutAppointment { facts, .. } => Some(facts),
                        DeskRequest::OpenDesk { .. }
                        | DeskRequest::CancelAppointment { .. }
                        | DeskRequest::CallIn { .. }
                        | DeskRequest::CloseDesk {} => None,
                    },
                    code,
                });
            }
        }
    }

    pub(crate) fn handle_tick(&mut self, now: Timestamp, out: &mut Vec<DeskRequest>) {
        if self.asks_again.is_none_or(|due| due > now) {
            return;
        }
        self.asks_again = None;
        match (&self.token, self.proof) {
            (Some(_), Proof::Taken) => out.extend(self.pending.iter().cloned()),
            (Some(token), _) => {
                out.push(DeskRequest::OpenDesk { token: token.clone() });
                self.proof = Proof::Asking;
            }
            (None, _) => {}
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.asks_again
    }

    pub(crate) fn view(&self) -> DeskView {
        let mut entries = self.entries.clone();
        for request in &self.pending {
            apply(&mut entries, request);
        }
        entries.sort_by_key(|entry| (entry.facts.starts, entry.appointment));
        DeskView {
            proof: self.proof,
            name: self.name.clone(),
            entries,
            unsaved: self.pending.iter().filter_map(id_of).collect(),
            arrivals: self.arrivals.clone(),
            called_in: self.called_in.clone(),
            refused: self.refused.clone(),
            clock: self.clock,
        }
    }
}

/// Shows what was asked as if it were done: the person who asked need not wait to see it.
fn apply(entries: &mut Vec<Entry>, request: &DeskRequest) {
    let Some(id) = id_of(request) else { return };
    let known = entries.iter_mut().find(|entry| entry.appointment == id);
    match (request, known) {
        (DeskRequest::PutAppointment { facts, .. }, Some(entry)) => entry.facts = facts.clone(),
        (DeskRequest::PutAppointment { facts, .. }, None) => entries.push(Entry {
            appointment: id,
            facts: facts.clone(),
            status: DeskStatus::Planned {},
            token: String::new(),
        }),
        (DeskRequest::CancelAppointment { .. }, Some(entry)) => entry.status = DeskStatus::Cancelled {},
        (
            DeskRequest::OpenDesk { .. }
            | DeskRequest::CancelAppointment { .. }
            | DeskRequest::CallIn { .. }
            | DeskRequest::CloseDesk {},
            _,
        ) => {}
    }
}

const fn id_of(request: &DeskRequest) -> Option<AppointmentId> {
    match request {
        DeskRequest::PutAppointment { appointment, .. }
        | DeskRequest::CancelAppointment { appointment }
        | DeskRequest::CallIn { appointment, .. } => Some(*appointment),
        DeskRequest::OpenDesk { .. } | DeskRequest::CloseDesk {} => None,
    }
}

fn is_answered_by(request: &DeskRequest, entry: &Entry) -> bool {
    id_of(request) == Some(entry.appointment)
        && match request {
            DeskRequest::PutAppointment { facts, .. } => *facts == entry.facts,
            DeskRequest::CancelAppointment { .. } => entry.status == DeskStatus::Cancelled {},
            DeskRequest::OpenDesk { .. } | DeskRequest::CallIn { .. } | DeskRequest::CloseDesk {} => false,
        }
}
