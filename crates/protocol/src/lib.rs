//! Wire types of the Visavis signaling channel.
//!
//! This crate is the one place that says what client and server may write to each other: the
//! messages, their ids, the error and close codes, the versions and the limits. It does no IO and
//! knows no clock. `docs/protocol.md` is the same contract in prose; its examples are tests here.

pub mod appointment;
pub mod chat;
pub mod close;
pub mod error;
pub mod handle;
pub mod host;
pub mod id;
pub mod limits;
pub mod message;
pub mod people;
pub mod reaction;
pub mod room_name;
pub mod signal;
pub mod text;
pub mod transfer;

pub use close::{CloseCode, PAGE_GONE};
pub use error::ErrorCode;
pub use handle::Handle;
pub use host::{Claim, Gate, HostRequest, Waiter};
pub use id::{
    AppointmentId, CallId, Charter, ChatKey, ChatTag, DeskId, Epoch, HostId, HostSecret, Pass, PeerId,
    RoomId, RoomSecret, SeatId, SeatSecret, SessionSecret, TransferId,
};
pub use message::{ClientMessage, Hosting, IceServer, LeaveReason, PeerEntry, ServerMessage};
pub use reaction::Reaction;
pub use signal::{Candidate, Description, Frame, MediaKind, MediaStatus, Packet, Signal};

/// Protocol versions this build speaks, best first. A breaking change adds one in front.
pub const VERSIONS: &[u16] = &[1];
