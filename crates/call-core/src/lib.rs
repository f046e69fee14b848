//! The call machines of Visavis, without browser, clock, randomness or IO: facts in, commands out.
//!
//! A shell feeds [`Event`]s to [`Core::handle`], drains [`Core::poll_command`] after each, and wakes
//! the core with [`Event::Tick`] when [`Core::poll_timeout`] is due. The same core runs in the
//! browser, in unit tests, in the simulator and in fuzzers.

extern crate alloc;

mod appointments;
mod candidates;
mod chat;
mod command;
mod config;
mod core;
mod courier;
mod devices;
mod event;
mod fault;
mod flow;
mod given_up;
mod hands;
mod health;
mod ice;
mod id;
mod media;
mod negotiation;
mod peer;
mod people;
mod rate;
mod reactions;
mod room;
mod sdp;
mod session;
mod speaker;
mod time;
mod transfer;
mod view;

pub use crate::core::Core;
pub use appointments::{
    Appointment, Arrival, CalledIn, DeskIntent, DeskView, Proof, Refusal, ServerClock, VisitIntent, VisitView,
};
pub use chat::{ChatLine, ChatNews, ChatView, Privacy, SayError};
pub use command::{CaptureRequest, Command, LinkRole, RollbackSide};
pub use config::{Config, Seed};
pub use event::{
    CaptureError, CaptureKind, Device, Event, Facing, Intent, LinkEvent, MediaEvent, Permission, Sample,
    SdpKind, SideEvent, SocketEvent,
};
pub use fault::{Fault, Faults};
pub use id::{CaptureId, LinkId, PipeId, RequestId, SideChannel, Slot, SocketId, SourceId, VisitId};
pub use people::{
    CallEnd, CallState, DirectCall, KeptCall, NoConnection, PeopleIntent, PeopleView, Standing,
};
pub use reactions::ReactionRate;
pub use room::{HostIntent, Hosted};
pub use time::Timestamp;
pub use transfer::{
    BlockPlace, Direction, FileCommand, FileEvent, FileIntent, FileRead, FileTrouble, Kept, Transfer,
    TransferState, extension_of,
};
pub use view::{
    CaptureState, ConnectionState, EndReason, HostingView, JoinProblem, Knock, Me, Notice, NoticeKind,
    Person, Reacted, SignalingState, Stage, View,
};
