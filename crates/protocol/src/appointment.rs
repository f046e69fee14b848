//! Appointments: a professional's desk, and the page of a client who was given one of its links.
//!
//! Both prove themselves by a link that the server signed. Its token stands in the address bar after the
//! `#`, so it is in no request; it travels in the first message of the page and nowhere else. What the
//! desk says travels as `{"desk":{…}}`, what a client's page says as `{"visit":{…}}`. An appointment is
//! known by an id that the desk draws, so that what is said again after a cut is still one appointment.

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::{AppointmentId, DeskId, HostSecret, RoomId};

/// What a desk's page writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DeskRequest {
    /// Proves the desk on this socket. Answered by `opened` or an error.
    OpenDesk {
        /// A JSON Web Token (RFC 7519) of the kind that makes a desk.
        token: String,
    },
    /// Makes an appointment, or changes its facts. Written down before it is answered by `entry`.
    PutAppointment {
        /// Drawn by the desk; the same for every change.
        appointment: AppointmentId,
        /// What is agreed.
        facts: Facts,
    },
    /// Calls an appointment off. Answered by `entry`.
    CancelAppointment {
        /// Which.
        appointment: AppointmentId,
    },
    /// Asks the client in, who is waiting or comes later. Answered by `called_in`; whoever waits is told
    /// where to go. The first place that is said for an appointment stays its place.
    CallIn {
        /// Which.
        appointment: AppointmentId,
        /// Where to meet, if nobody has said so before.
        place: Place,
    },
    /// The professional is not at the desk any more; the page stays proven until its socket ends.
    CloseDesk {},
}

impl DeskRequest {
    /// Its name on the wire, by which an error says what it is about.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OpenDesk { .. } => "open_desk",
            Self::PutAppointment { .. } => "put_appointment",
            Self::CancelAppointment { .. } => "cancel_appointment",
            Self::CallIn { .. } => "call_in",
            Self::CloseDesk {} => "close_desk",
        }
    }
}

/// What a client's page writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VisitRequest {
    /// Shows the link. Answered by `appointment`, now and at each change, or by an error.
    OpenVisit {
        /// A JSON Web Token (RFC 7519) of the kind that admits to one appointment.
        token: String,
    },
    /// Sits down in the waiting room. Answered by `appointment`.
    Ready {
        /// For how long the page has waited already, in milliseconds, where it says so again: to a server
        /// that was started anew, or after a sleep, it goes on waiting.
        #[serde(default, skip_serializing_if = "is_zero")]
        waited_ms: u64,
    },
    /// Gets up again. Answered by `appointment`.
    StopWaiting {},
}

impl VisitRequest {
    /// Its name on the wire, by which an error says what it is about.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OpenVisit { .. } => "open_visit",
            Self::Ready { .. } => "ready",
            Self::StopWaiting {} => "stop_waiting",
        }
    }
}

/// What is agreed about an appointment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Who comes: see [`crate::text::check_name`].
    pub client: String,
    /// For the client to read; may be empty. At most [`crate::limits::NOTE_BYTES`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// When it begins: milliseconds since 1970.
    pub starts: u64,
    /// How long it is, from 1 to [`crate::limits::APPOINTMENT_MINUTES`].
    pub minutes: u16,
    /// The time zone in which it was agreed, as the IANA names it (`Europe/Berlin`): for calendars. At most
    /// [`crate::limits::ZONE_BYTES`].
    pub zone: String,
}

impl Facts {
    /// When it ends: milliseconds since 1970.
    #[must_use]
    pub const fn ends(&self) -> u64 {
        self.starts.saturating_add(self.minutes as u64 * 60_000)
    }
}

/// Where an appointment takes place: a room of its own, drawn by the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The room as the server knows it: who is in it tells how far the appointment is.
    pub room: RoomId,
    /// The path and fragment of the room's link. Opaque to the server, at most [`crate::limits::INVITE_BYTES`].
    pub link: String,
    /// What makes the desk the host of it; the client is never told.
    pub host: HostSecret,
}

/// What the server writes to a desk's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeskEvent {
    /// The desk is proven. All there is to know follows within.
    Opened {
        /// Which.
        desk: DeskId,
        /// Whose, as clients read it.
        name: String,
        /// The server's clock: milliseconds since 1970.
        now: u64,
        /// Every appointment that is not long past.
        entries: Vec<Entry>,
    },
    /// An appointment as it is now.
    Entry {
        /// All of it.
        entry: Entry,
        /// Whether this page is the one to call the professional's attention: somebody came. Of all pages
        /// that one professional has open, one is told so.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        alert: bool,
    },
    /// Where to meet: the answer to `call_in`.
    CalledIn {
        /// Which appointment.
        appointment: AppointmentId,
        /// Where: what was said first.
        place: Place,
    },
    /// The desk was closed, as asked.
    DeskClosed {},
}

/// One appointment as its desk sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which.
    pub appointment: AppointmentId,
    /// What is agreed.
    pub facts: Facts,
    /// How far it is.
    pub status: DeskStatus,
    /// The token of the client's link, `/join#<token>`.
    pub token: String,
}

/// How far an appointment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeskStatus {
    /// Nobody is there yet.
    Planned {},
    /// The client waits.
    Waiting {
        /// Since when: milliseconds since 1970.
        since: u64,
        /// Whether their page cannot be reached just now: it sleeps, or its network is away.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        away: bool,
    },
    /// The client was asked in and is not there yet, or waits no more.
    CalledIn {},
    /// Somebody is in its room.
    InCall {},
    /// Both were there and have left, or its time is over.
    Done {},
    /// It was called off.
    Cancelled {},
    /// What a newer server may say.
    #[serde(other)]
    Unknown,
}

/// What the server writes to a client's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitEvent {
    /// The appointment as it is now.
    Appointment {
        /// Who expects the client.
        professional: String,
        /// What is agreed.
        facts: Facts,
        /// The server's clock: milliseconds since 1970.
        now: u64,
        /// Whether the professional is at the desk.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        desk_open: bool,
        /// How it stands with the client.
        state: VisitState,
    },
    /// The link was opened on another page, which is the one from now on.
    Elsewhere {},
}

/// How it stands with a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitState {
    /// They came too early.
    Early {
        /// When the waiting room opens: milliseconds since 1970.
        opens: u64,
    },
    /// They may say that they are ready.
    Open {},
    /// They sit in the waiting room.
    Waiting {
        /// Since when: milliseconds since 1970.
        since: u64,
    },
    /// They are expected in a room.
    CalledIn {
        /// The path and fragment of its link.
        link: String,
    },
    /// It has taken place.
    Over {},
    /// Its time is over, and nobody came.
    Late {},
    /// It was called off.
    Cancelled {},
    /// What a newer server may say.
    #[serde(other)]
    Unknown,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientMessage, ServerMessage};

    #[test]
    fn requests_are_known_by_their_kind_on_the_wire() {
        let appointment = AppointmentId::from_bytes([1; 16]);
        let desk = DeskRequest::CancelAppointment { appointment };
        let text = ClientMessage::Desk(desk.clone()).encode();
        assert!(text.starts_with(r#"{"desk":{"cancel_appointment":"#), "{text}");
        assert!(text.contains(desk.kind()));
        assert_eq!(ClientMessage::decode(&text), Ok(ClientMessage::Desk(desk)));
        let visit = VisitRequest::Ready { waited_ms: 0 };
        let text = ClientMessage::Visit(visit.clone()).encode();
        assert_eq!(text, r#"{"visit":{"ready":{}}}"#);
        assert_eq!(ClientMessage::decode(&text), Ok(ClientMessage::Visit(visit)));
    }

    #[test]
    fn a_status_of_a_newer_server_is_no_error() {
        let text = r#"{"desk":{"entry":{"entry":{"appointment":"AQEBAQEBAQEBAQEBAQEBAQ","token":"t",
            "facts":{"client":"Ada","starts":5,"minutes":30,"zone":"UTC"},"status":"dancing"}}}}"#;
        let Ok(ServerMessage::Desk(DeskEvent::Entry { entry, alert })) = ServerMessage::decode(text) else {
            panic!("not read");
        };
        assert_eq!((entry.status, alert), (DeskStatus::Unknown, false));
        assert_eq!(entry.facts.ends(), 5 + 30 * 60_000);
    }
}
