//! One room: who sits there, who looks in, and the version of its roster.

use core::time::Duration;

use visavis_protocol::{Gate, LeaveReason, PeerEntry, PeerId, RoomId, SeatId, ServerMessage};

use super::ConnectionKey;
use super::config::{HubConfig, HubFault};
use super::hosts::Hosted;
use super::turn::Credentials;

/// Names a room inside the hub; never reused, so that a late timer cannot meet another room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RoomKey(pub(super) u64);

/// How a seat is reached.
///
/// ```text
/// Held(a) ──socket a gone──▶ Away ──window over──▶ (the seat is given up)
///    │  ▲                      │
///    └──┴──────resume─on─b─────┘  Held(b); socket a is closed and speaks for nobody
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// By this connection.
    Held(ConnectionKey),
    /// By nobody until then; afterwards the seat is given up.
    Away {
        /// The end of the resume window.
        until: Duration,
    },
}

/// One participant.
pub(super) struct Seat {
    pub(super) peer: PeerId,
    /// The text form of `peer`, for the relay's hot path.
    pub(super) peer_text: Box<str>,
    pub(super) seat: SeatId,
    pub(super) name: Box<str>,
    pub(super) hold: Hold,
    /// Whether the last word on its claim proved it to be a host.
    pub(super) host: bool,
    /// Whether it was last told that somebody waits.
    pub(super) knows_of_knocks: bool,
    /// What its session was last told for the relays.
    pub(super) turn: Option<Credentials>,
}

impl Seat {
    pub(super) const fn connection(&self) -> Option<ConnectionKey> {
        match self.hold {
            Hold::Held(connection) => Some(connection),
            Hold::Away { .. } => None,
        }
    }

    pub(super) fn entry(&self) -> PeerEntry {
        PeerEntry {
            peer: self.peer,
            seat: self.seat,
            name: self.name.as_ref().into(),
            away: matches!(self.hold, Hold::Away { .. }),
            host: self.host,
        }
    }
}

/// Somebody who looks at a room.
#[derive(Clone)]
pub(super) struct Watcher {
    pub(super) connection: ConnectionKey,
    /// Whether they see who is inside, whatever the gate.
    pub(super) may_look_inside: bool,
    /// The id by which they know the room.
    pub(super) asked: RoomId,
    /// The gate that kept them from seeing inside when they were last told.
    pub(super) shut_by: Option<Gate>,
}

/// A room with somebody in it, waiting before it or looking at it.
pub(super) struct Room {
    pub(super) id: RoomId,
    /// Counted up by one with each roster event.
    pub(super) version: u64,
    /// In the order in which they came; at most [`super::HubLimits::room_seats`].
    pub(super) seats: Vec<Seat>,
    /// At most [`super::HubLimits::room_watchers`].
    pub(super) watchers: Vec<Watcher>,
    /// When the watchers were last told; a change soon after waits for its fellows.
    pub(super) told: Option<Duration>,
    /// A change that the watchers will be told at the time that is set.
    pub(super) tell_at: Option<Duration>,
    /// None where the room has no host.
    pub(super) hosted: Option<Box<Hosted>>,
}

impl Room {
    pub(super) fn new(id: RoomId) -> Self {
        Self {
            hosted: id.charter().map(Hosted::new).map(Box::new),
            id,
            version: 0,
            seats: Vec::new(),
            watchers: Vec::new(),
            told: None,
            tell_at: None,
        }
    }

    /// Whether anybody sits or waits there.
    pub(super) fn is_alive(&self) -> bool {
        !self.seats.is_empty()
            || self
                .hosted
                .as_ref()
                .is_some_and(|hosted| !hosted.waits.is_empty())
    }

    pub(super) fn position(&self, peer: PeerId) -> Option<usize> {
        self.seats.iter().position(|seat| seat.peer == peer)
    }

    /// Everybody but one, as a snapshot has them.
    pub(super) fn entries_without(&self, peer: PeerId) -> Vec<PeerEntry> {
        self.seats
            .iter()
            .filter(|seat| seat.peer != peer)
            .map(Seat::entry)
            .collect()
    }

    /// Whether the gate hides from a watcher who is inside.
    pub(super) fn is_shut_for(&self, watcher: &Watcher) -> bool {
        self.shut_for(watcher).is_some()
    }

    /// The gate that keeps somebody who looks from seeing inside, if one does.
    pub(super) fn shut_for(&self, watcher: &Watcher) -> Option<Gate> {
        let gate = self.hosted.as_ref().map(|hosted| hosted.gate)?;
        (!watcher.may_look_inside && !gate.is_open()).then_some(gate)
    }

    /// Everybody, as a watcher sees them.
    pub(super) fn occupancy(&self, seats: usize, watcher: &Watcher) -> ServerMessage {
        let shut = self.is_shut_for(watcher);
        let seen = self.seats.iter().filter(|_| !shut);
        ServerMessage::Occupancy {
            room: watcher.asked.clone(),
            peers: seen.map(Seat::entry).collect(),
            seats: u8::try_from(seats).unwrap_or(u8::MAX),
            gate: self.hosted.as_ref().map(|hosted| hosted.gate).unwrap_or_default(),
            shut,
        }
    }

    /// The next version of the roster.
    pub(super) fn count_up(&mut self, config: &HubConfig) -> u64 {
        self.version += 1;
        if config.has(HubFault::VersionSkips) && self.version % 4 == 3 {
            self.version += 1;
        }
        self.version
    }
}

/// A change of the roster, without its number.
pub(super) enum RosterEvent {
    /// Took a seat.
    Joined(PeerEntry),
    /// Gave it up or lost it.
    Left(PeerId, LeaveReason),
    /// The socket is gone or back.
    Away(PeerId, bool),
}

impl RosterEvent {
    pub(super) const fn peer(&self) -> PeerId {
        match self {
            Self::Joined(entry) => entry.peer,
            Self::Left(peer, _) | Self::Away(peer, _) => *peer,
        }
    }

    pub(super) fn into_message(self, version: u64) -> ServerMessage {
        match self {
            Self::Joined(peer) => ServerMessage::PeerJoined { version, peer },
            Self::Left(peer, reason) => ServerMessage::PeerLeft {
                version,
                peer,
                reason,
            },
            Self::Away(peer, away) => ServerMessage::PeerAway { version, peer, away },
        }
    }
}
