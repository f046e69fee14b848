//! What the host of a room may do: let in, keep out, and send away.
//!
//! A room whose link was made with a host has the host's id in its own id (see [`RoomId`]), so the server
//! need not remember who made it, and nobody can claim it: whoever says another host's id names another room.

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::{HostSecret, Pass, PeerId, RoomId};

/// What somebody shows beside their name to be let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Makes the bearer a host, where its hash stands in the room's id. Elsewhere it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostSecret>,
    /// Shows that this seat was let in before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
}

impl Claim {
    /// Whether nothing is shown.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.host.is_none() && self.pass.is_none()
    }
}

/// Who comes in without being asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Newcomers wait until a host admits them.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub waiting_room: bool,
    /// No newcomer comes in, and none may wait.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub locked: bool,
}

impl Gate {
    /// Whether anybody with the link comes in.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !self.waiting_room && !self.locked
    }
}

/// What a host writes. Refused with `not_host` from anybody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HostRequest {
    /// Sets who comes in. Told to everybody by `gate`.
    SetGate {
        /// From now on.
        gate: Gate,
    },
    /// Lets people in who wait, as many as there are seats. Who has left meanwhile is passed over.
    Admit {
        /// Whom; at most [`crate::limits::ROOM_WAITING`].
        peers: Vec<PeerId>,
    },
    /// Sends somebody away who waits.
    Decline {
        /// Whom.
        peer: PeerId,
        /// What they are told; may be empty. At most [`crate::limits::WORD_BYTES`].
        #[serde(default, skip_serializing_if = "String::is_empty")]
        word: String,
    },
    /// Sends somebody away who is inside. The room has another id from then on, by a secret that those who
    /// stay have heard of before, from each other.
    Remove {
        /// Whom.
        peer: PeerId,
        /// The room's id from then on; with the same host.
        next: RoomId,
    },
    /// Gives the room another id with nobody sent away: after a removal nobody inside may have heard of the
    /// secret, where the host's page went before the server answered it.
    Rename {
        /// The room's id from then on; with the same host.
        next: RoomId,
    },
}

impl HostRequest {
    /// Its name on the wire, by which an error says what it is about.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SetGate { .. } => "set_gate",
            Self::Admit { .. } => "admit",
            Self::Decline { .. } => "decline_waiting",
            Self::Remove { .. } => "remove_peer",
            Self::Rename { .. } => "rename_room",
        }
    }
}

/// Somebody who waits, as hosts see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// The session with which they asked.
    pub peer: PeerId,
    /// What they call themselves. Text from a stranger: show it as text only.
    pub name: String,
    /// For how long they have waited, in milliseconds.
    pub waited_ms: u64,
    /// Whether their socket is gone at the moment.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub away: bool,
}
