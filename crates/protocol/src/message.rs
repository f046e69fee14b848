//! What client and server write to each other.
//!
//! One JSON object a WebSocket text message, tagged by its only key: `{"join":{…}}`. The server is
//! strict (an unknown field is an error), the client lenient (an unknown kind or field is passed
//! over), so that a newer server can speak to an older page.

use serde::{Deserialize, Serialize};

extern crate alloc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::appointment::{DeskEvent, DeskRequest, VisitEvent, VisitRequest};
use crate::host::{Claim, Gate, HostRequest, Waiter};
use crate::people::{PeopleEvent, PeopleRequest};
use crate::{Epoch, ErrorCode, Pass, PeerId, RoomId, SeatId, SeatSecret, SessionSecret};

/// What a client writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message on every socket. Answered by `welcome`, or `unsupported_version` and a close.
    Hello {
        /// Versions the client speaks, best first.
        versions: Vec<u16>,
    },
    /// Asks who is in a room, now and at each change, without being in it. Answered by
    /// `occupancy`. A second `watch` replaces the first; `join` and `leave` end it.
    Watch {
        /// The room to look at.
        room: RoomId,
        /// The seat that was let in before: its pass is good for no other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seat: Option<SeatId>,
        /// Who may come in without waiting sees who is inside, others do not.
        #[serde(default, skip_serializing_if = "Claim::is_empty")]
        claim: Claim,
    },
    /// Takes a seat. Answered by `joined` or an error; where a host lets people in, by `waiting`, and by
    /// `joined` or `declined` when the host has decided. Packets to peers known from `occupancy` may follow
    /// in the same flight. Said again while waiting, on this socket or another, it is the same wait.
    Join {
        /// The room to enter; the first to enter brings it to life.
        room: RoomId,
        /// Keeps the tile over a reload of the tab.
        seat: SeatSecret,
        /// New at each join; its hash is the sender's peer id.
        session: SessionSecret,
        /// What others see: see [`crate::text::check_name`].
        name: String,
        /// What the room's host and those who were let in before have to show.
        #[serde(default, skip_serializing_if = "Claim::is_empty")]
        claim: Claim,
    },
    /// Takes a session over on a new socket. Answered by `joined`, or by `unknown_session`, upon
    /// which the client joins again with the same secrets. On the socket that holds the session
    /// already it asks for the room as it is.
    Resume {
        /// The server's life in which the session was made.
        epoch: Epoch,
        /// The room it is in.
        room: RoomId,
        /// Proves it.
        session: SessionSecret,
        /// As in `join`: a seat is a host's as long as the last word on its claim said so.
        #[serde(default, skip_serializing_if = "Claim::is_empty")]
        claim: Claim,
    },
    /// A packet for one peer in the same room. Not answered unless it cannot be delivered.
    Relay {
        /// The addressee.
        to: PeerId,
        /// The packet's number between these two sessions, from 1.
        n: u64,
        /// Opaque to the server: a [`crate::Packet`] as JSON text, later sealed.
        body: String,
    },
    /// Gives the seat up, or stops watching or waiting. Answered by `left`.
    Leave {},
    /// Says that the tab went to the background or came back: a hidden tab may be silent longer.
    Visibility {
        /// Whether nobody can see the tab.
        hidden: bool,
    },
    /// Asks for the ICE servers again, for their credentials end. Answered by `ice`.
    Ice {},
    /// About people and calls: see [`PeopleRequest`].
    People(PeopleRequest),
    /// What the host of a room wants: see [`HostRequest`].
    Host(HostRequest),
    /// About appointments, from the desk: see [`DeskRequest`].
    Desk(DeskRequest),
    /// About an appointment, from its client: see [`VisitRequest`].
    Visit(VisitRequest),
    /// A sign of life. Answered by `pong`.
    Ping {},
}

/// Names of the kinds of [`ClientMessage`], to tell an unknown kind from a malformed message.
pub const CLIENT_KINDS: &[&str] = &[
    "hello",
    "watch",
    "join",
    "resume",
    "relay",
    "leave",
    "visibility",
    "ice",
    "people",
    "host",
    "desk",
    "visit",
    "ping",
];

/// What the server writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to `hello`.
    Welcome {
        /// The version both will speak.
        version: u16,
        /// This life of the server.
        epoch: Epoch,
        /// Servers for ICE that need no credentials.
        ice: Vec<IceServer>,
        /// Whether those who are seated are told of relays besides.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        relay: bool,
    },
    /// Who is in the watched room.
    Occupancy {
        /// The watched room.
        room: RoomId,
        /// Everybody seated, in the order in which they came.
        peers: Vec<PeerEntry>,
        /// How many it seats.
        seats: u8,
        /// Who comes in without being asked.
        #[serde(default, skip_serializing_if = "Gate::is_open")]
        gate: Gate,
        /// Whether the gate is shut for who asks: then `peers` is empty, whoever is inside.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        shut: bool,
    },
    /// The room as it is, after `join` and after every `resume`: to be compared, not trusted to
    /// continue what was known.
    Joined {
        /// This life of the server, for a later `resume`.
        epoch: Epoch,
        /// The sender's own id: the hash of the session secret.
        you: PeerId,
        /// The roster's version; every later event counts it up by one.
        version: u64,
        /// Everybody else, in the order in which they came. The newcomer offers to each.
        peers: Vec<PeerEntry>,
        /// Servers for ICE, with credentials where they need some.
        ice: Vec<IceServer>,
        /// For how long the credentials are good, from now; none if they do not end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ice_lifetime_ms: Option<u64>,
        /// What concerns rooms with a host; nothing in others.
        #[serde(default, skip_serializing_if = "Hosting::is_empty")]
        hosting: Hosting,
    },
    /// The host lets people in: the answer to `join` until they decide.
    Waiting {},
    /// The host sent the one away who waited.
    Declined {
        /// The host's word; may be empty. Text from a stranger: show it as text only.
        #[serde(default)]
        word: String,
    },
    /// The host removed this seat from the room. Its old link leads nowhere any more.
    Removed {},
    /// Who waits, told to hosts at each change.
    Knocks {
        /// In the order in which they came.
        waiting: Vec<Waiter>,
    },
    /// A host changed who comes in.
    Gate {
        /// The roster's version after this.
        version: u64,
        /// From now on.
        gate: Gate,
    },
    /// The room has another id from now on, by a secret that peers tell each other. Seats and sessions stay.
    Moved {
        /// The roster's version after this.
        version: u64,
        /// From now on.
        room: RoomId,
    },
    /// Somebody took a seat. They will offer.
    PeerJoined {
        /// The roster's version after this.
        version: u64,
        /// Who.
        peer: PeerEntry,
    },
    /// Somebody is gone for good.
    PeerLeft {
        /// The roster's version after this.
        version: u64,
        /// Who.
        peer: PeerId,
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody's socket was lost or is back. Their media need not notice.
    PeerAway {
        /// The roster's version after this.
        version: u64,
        /// Who.
        peer: PeerId,
        /// Whether the socket is gone. `false` asks for unacknowledged packets again.
        away: bool,
    },
    /// A packet from a peer.
    Relay {
        /// The sender, as the server knows it.
        from: PeerId,
        /// See [`ClientMessage::Relay`].
        n: u64,
        /// See [`ClientMessage::Relay`].
        body: String,
    },
    /// The answer to `ice`: the servers as they are now, in place of all told before.
    Ice {
        /// As in [`ServerMessage::Joined`].
        servers: Vec<IceServer>,
        /// As `ice_lifetime_ms` of [`ServerMessage::Joined`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lifetime_ms: Option<u64>,
    },
    /// The seat was given up as asked.
    Left {},
    /// About people and calls: see [`PeopleEvent`].
    People(PeopleEvent),
    /// About appointments, to the desk: see [`DeskEvent`].
    Desk(DeskEvent),
    /// About an appointment, to its client: see [`VisitEvent`].
    Visit(VisitEvent),
    /// The answer to `ping`.
    Pong {},
    /// Something could not be done.
    Error {
        /// The stable name of what went wrong.
        code: ErrorCode,
        /// The kind of the message that caused it, if it could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
        /// The peer that it concerns, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<PeerId>,
        /// English, for logs only.
        #[serde(default)]
        message: String,
    },
    /// The server is about to stop; the socket will be closed with 1012.
    GoingAway {
        /// When to come back, in milliseconds; different for each client.
        retry_after_ms: u64,
    },
}

/// Names of the kinds of [`ServerMessage`], to tell an unknown kind from a malformed message.
pub const SERVER_KINDS: &[&str] = &[
    "welcome",
    "occupancy",
    "joined",
    "peer_joined",
    "peer_left",
    "peer_away",
    "relay",
    "ice",
    "left",
    "waiting",
    "declined",
    "removed",
    "knocks",
    "gate",
    "moved",
    "people",
    "desk",
    "visit",
    "pong",
    "error",
    "going_away",
];

/// One person in the roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerEntry {
    /// The session: changes at each join.
    pub peer: PeerId,
    /// The seat: stays over a reload.
    pub seat: SeatId,
    /// What they call themselves. Text from a stranger: show it as text only.
    pub name: String,
    /// Whether their socket is gone at the moment.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub away: bool,
    /// Whether they proved to be the room's host.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub host: bool,
}

/// What `joined` says of a room with a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosting {
    /// Whether the one who reads it is a host.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub host: bool,
    /// Who comes in without being asked.
    #[serde(default, skip_serializing_if = "Gate::is_open")]
    pub gate: Gate,
    /// For this seat, to come back without waiting, also to a server that was started anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
    /// The room's id, where it is another one than was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
}

impl Hosting {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why somebody is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// They said so.
    Left,
    /// Their socket did not come back within the resume window.
    Lost,
    /// The same seat joined anew (a reload); a `peer_joined` of that seat follows at once.
    Replaced,
    /// The host sent them away.
    Removed,
    /// A reason of a newer server.
    #[serde(other)]
    Unknown,
}

/// A STUN or TURN server, as `RTCIceServer` of W3C WebRTC 1.0 wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URLs.
    pub urls: Vec<String>,
    /// The user of a TURN server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password of a TURN server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Why a text is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The kind is none that this side knows; a client passes over it.
    #[error("unknown kind of message")]
    UnknownKind,
    /// Anything else: not JSON, fields missing, unknown, doubled or of the wrong type.
    #[error("malformed message")]
    Malformed,
}

impl ClientMessage {
    /// The message as JSON text.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self)
    }

    /// Reads a client's message, strictly.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        // The decoder would also take a list of values in the order of the fields.
        if !has_object_body(text) {
            return Err(classify(text, CLIENT_KINDS));
        }
        serde_json::from_str(text).map_err(|_| classify(text, CLIENT_KINDS))
    }

    /// The key under which the message stands on the wire.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Watch { .. } => "watch",
            Self::Join { .. } => "join",
            Self::Resume { .. } => "resume",
            Self::Relay { .. } => "relay",
            Self::Leave {} => "leave",
            Self::Visibility { .. } => "visibility",
            Self::Ice {} => "ice",
            Self::People(_) => "people",
            Self::Host(_) => "host",
            Self::Desk(_) => "desk",
            Self::Visit(_) => "visit",
            Self::Ping {} => "ping",
        }
    }
}

impl ServerMessage {
    /// The message as JSON text.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self)
    }

    /// Reads a server's message, passing over fields it does not know.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        serde_json::from_str(text).map_err(|_| classify(text, SERVER_KINDS))
    }
}

pub(crate) fn encode<T: Serialize>(message: &T) -> String {
    // Serialising plain structs of strings and numbers into memory has no way to fail.
    serde_json::to_string(message).unwrap_or_default()
}

/// Tells an unknown kind from a malformed message, after the decoder has said no.
fn classify(text: &str, known: &[&str]) -> DecodeError {
    let trimmed = text.trim_start();
    let kind = trimmed
        .strip_prefix('{')
        .map(str::trim_start)
        .and_then(|rest| rest.strip_prefix('"'))
        .and_then(|rest| rest.split_once('"'))
        .map(|(kind, _)| kind);
    match kind {
        Some(kind) if !known.contains(&kind) => DecodeError::UnknownKind,
        Some(_) | None => DecodeError::Malformed,
    }
}

/// Whether what follows the first key is an object.
fn has_object_body(text: &str) -> bool {
    text.trim_start()
        .strip_prefix('{')
        .and_then(|rest| rest.trim_start().strip_prefix('"'))
        .and_then(|rest| rest.split_once('"'))
        .and_then(|(_, rest)| rest.trim_start().strip_prefix(':'))
        .is_some_and(|body| body.trim_start().starts_with('{'))
}

/// The kind that a text claims to be, if it is one a client may write: for `about` in errors.
#[must_use]
pub fn claimed_kind(text: &str) -> Option<&'static str> {
    let start = text
        .trim_start()
        .strip_prefix('{')?
        .trim_start()
        .strip_prefix('"')?;
    let (kind, _) = start.split_once('"')?;
    CLIENT_KINDS.iter().copied().find(|known| *known == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;

    #[test]
    fn an_unknown_kind_is_told_from_a_malformed_message() {
        assert_eq!(
            ClientMessage::decode(r#"{"fly":{}}"#),
            Err(DecodeError::UnknownKind)
        );
        assert_eq!(
            ClientMessage::decode(r#"{"join":{}}"#),
            Err(DecodeError::Malformed)
        );
        assert_eq!(ClientMessage::decode("nonsense"), Err(DecodeError::Malformed));
        assert_eq!(
            ServerMessage::decode(r#"{"confetti":{"n":3}}"#),
            Err(DecodeError::UnknownKind)
        );
    }

    #[test]
    fn the_server_is_strict_and_the_client_lenient() {
        assert_eq!(
            ClientMessage::decode(r#"{"ping":{"x":1}}"#),
            Err(DecodeError::Malformed)
        );
        assert_eq!(
            ClientMessage::decode(r#"{"ping":{}} trailing"#),
            Err(DecodeError::Malformed)
        );
        assert_eq!(
            ClientMessage::decode(r#"{"ping":[]}"#),
            Err(DecodeError::Malformed)
        );
        assert_eq!(
            ServerMessage::decode(r#"{"pong":{"x":1}}"#),
            Ok(ServerMessage::Pong {})
        );
        let code = r#"{"error":{"code":"from_the_future"}}"#;
        assert!(matches!(
            ServerMessage::decode(code),
            Ok(ServerMessage::Error {
                code: ErrorCode::Unknown,
                ..
            })
        ));
    }

    #[test]
    fn every_kind_decodes_what_it_encodes() {
        let messages = vec![
            ClientMessage::Hello { versions: vec![1] },
            ClientMessage::Leave {},
            ClientMessage::Visibility { hidden: true },
            ClientMessage::Ice {},
            ClientMessage::Ping {},
            ClientMessage::Relay {
                to: PeerId::from_bytes([3; 16]),
                n: 7,
                body: "a\r\n\"b\"".into(),
            },
        ];
        for message in messages {
            let text = message.encode();
            assert!(text.starts_with(&format!("{{\"{}\":", message.kind())));
            assert_eq!(claimed_kind(&text), Some(message.kind()));
            assert_eq!(ClientMessage::decode(&text), Ok(message));
        }
    }
}
