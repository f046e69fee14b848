//! What a hub is told at its start.

use core::time::Duration;

use visavis_protocol::{IceServer, limits};

use super::appointments::AppointmentsConfig;
use super::pass::PassKey;
use super::people::{Directory, PeopleSecret, Tokens, Verify};
use super::turn::TurnConfig;

/// Settings of a [`Hub`](super::Hub).
#[derive(Clone, Debug, Default)]
pub struct HubConfig {
    /// ICE servers as they are (R9). Those with credentials are told only to the seated.
    pub ice: Vec<IceServer>,
    /// Relays for which each session gets credentials of its own.
    pub turn: Option<TurnConfig>,
    /// Handles and calls; none where this server knows none.
    pub people: Option<PeopleConfig>,
    /// Desks and appointments; none where this server signs no links.
    pub appointments: Option<AppointmentsConfig>,
    /// What the passes of those are made with who were let into a room with a host.
    pub pass_key: PassKey,
    /// How much of everything is allowed.
    pub limits: HubLimits,
    /// The wrong behaviour planted in this hub, to prove that a test would notice it.
    #[cfg(feature = "planted-bugs")]
    pub fault: Option<HubFault>,
}

/// What a hub needs to know of people.
#[derive(Clone, Debug)]
pub struct PeopleConfig {
    /// Drawn at the start of the server.
    pub secret: PeopleSecret,
    /// Checks a signature.
    pub verify: Verify,
    /// What was written down.
    pub directory: Directory,
    /// Whether it will be there after this server, too. Where it is not, a page that comes back takes the
    /// handle that it had, as if it asked for it.
    pub is_kept: bool,
    /// Reads tokens, where these and nothing else prove a handle.
    pub tokens: Option<Tokens>,
}

/// The limits that the hub enforces. The defaults are those of [`visavis_protocol::limits`], which
/// gives the reasons; a load test or a school with one address may need others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubLimits {
    /// See [`limits::ROOM_SEATS`].
    pub room_seats: usize,
    /// See [`limits::ROOM_WATCHERS`].
    pub room_watchers: usize,
    /// See [`limits::ROOMS`].
    pub rooms: usize,
    /// See [`limits::FIRST_MESSAGE_WITHIN`].
    pub first_message_within: Duration,
    /// See [`limits::DEAD_AFTER`].
    pub dead_after: Duration,
    /// See [`limits::DEAD_AFTER_HIDDEN`].
    pub dead_after_hidden: Duration,
    /// See [`limits::RESUME_WINDOW`].
    pub resume_window: Duration,
    /// See [`limits::MESSAGES_PER_SECOND`].
    pub messages_per_second: u32,
    /// See [`limits::MESSAGES_BURST`].
    pub messages_burst: u32,
    /// See [`limits::BYTES_PER_SECOND`].
    pub bytes_per_second: u32,
    /// See [`limits::BYTES_BURST`].
    pub bytes_burst: u32,
    /// See [`limits::ERRORS_PER_CONNECTION`].
    pub errors_per_connection: u32,
    /// See [`limits::JOINS_PER_SECOND`].
    pub joins_per_second: u32,
    /// See [`limits::JOINS_BURST`].
    pub joins_burst: u32,
    /// See [`limits::ROOMS_PER_MINUTE`].
    pub rooms_per_minute: u32,
    /// See [`limits::HANDLES_PER_MINUTE`].
    pub handles_per_minute: u32,
    /// See [`limits::FAILED_RESUMES`].
    pub failed_resumes: u32,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            room_seats: limits::ROOM_SEATS,
            room_watchers: limits::ROOM_WATCHERS,
            rooms: limits::ROOMS,
            first_message_within: limits::FIRST_MESSAGE_WITHIN,
            dead_after: limits::DEAD_AFTER,
            dead_after_hidden: limits::DEAD_AFTER_HIDDEN,
            resume_window: limits::RESUME_WINDOW,
            messages_per_second: limits::MESSAGES_PER_SECOND,
            messages_burst: limits::MESSAGES_BURST,
            bytes_per_second: limits::BYTES_PER_SECOND,
            bytes_burst: limits::BYTES_BURST,
            errors_per_connection: limits::ERRORS_PER_CONNECTION,
            joins_per_second: limits::JOINS_PER_SECOND,
            joins_burst: limits::JOINS_BURST,
            rooms_per_minute: limits::ROOMS_PER_MINUTE,
            handles_per_minute: limits::HANDLES_PER_MINUTE,
            failed_resumes: limits::FAILED_RESUMES,
        }
    }
}

/// A bug that was met in the field, built in on purpose: the simulator must catch each one.
///
/// Without the feature `planted-bugs` none of them can be chosen and the checks compile to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HubFault {
    /// The close of a socket that was taken over removes the session that took it over (F8).
    OldSocketRemovesNewSeat,
    /// Every fourth roster event counts the version up by two (F9).
    VersionSkips,
    /// A seat that joins anew stays in the roster under its old session as well (F7).
    ReplacedSeatKept,
    /// A lost socket's seat is never given up (a ghost).
    LostSeatKept,
    /// A resume is answered, but the others are not told that the peer is back.
    ReturnNotTold,
    /// A resume after the server's restart is answered as if the session were known (F10).
    ForeignEpochAccepted,
    /// A packet is handed to the first peer of the room instead of its addressee.
    RelayMisdelivered,
    /// Somebody who waits is told who comes and goes.
    WaiterHearsRoster,
    /// Who was removed comes back by the old link.
    RemovedComesBack,
    /// A host is whoever says so.
    ClaimBelieved,
    /// Of two calls that cross the one with the lower id goes on.
    LowerIdWins,
    /// Who is in a call is called by a third one all the same.
    ThirdRings,
    /// Each page that takes a call is in it.
    SecondAnswerTaken,
    /// A call waits without end for a page that shows it.
    AckNotAwaited,
    /// A hang-up that overtakes its call is forgotten, and the call rings (F6).
    HangUpForgotten,
    /// A call that was taken stands without one of its two pages for ever.
    LostCallKept,
    /// Missed calls that were seen are told again.
    SeenForgotten,
}

impl HubFault {
    /// Those of rooms, for tests that plant them one by one.
    pub const OF_ROOMS: &'static [Self] = &[
        Self::OldSocketRemovesNewSeat,
        Self::VersionSkips,
        Self::ReplacedSeatKept,
        Self::LostSeatKept,
        Self::ReturnNotTold,
        Self::ForeignEpochAccepted,
        Self::RelayMisdelivered,
    ];
    /// Those of rooms with a host.
    pub const OF_HOSTS: &'static [Self] = &[
        Self::WaiterHearsRoster,
        Self::RemovedComesBack,
        Self::ClaimBelieved,
    ];
    /// Those of people, which only the simulator's many calls find.
    pub const OF_PEOPLE: &'static [Self] = &[
        Self::LowerIdWins,
        Self::ThirdRings,
        Self::SecondAnswerTaken,
        Self::AckNotAwaited,
        Self::HangUpForgotten,
        Self::LostCallKept,
        Self::SeenForgotten,
    ];
}

impl HubConfig {
    /// Whether this wrong behaviour was asked for.
    #[cfg(feature = "planted-bugs")]
    pub(crate) fn has(&self, fault: HubFault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether this wrong behaviour was asked for: never, in this build.
    #[cfg(not(feature = "planted-bugs"))]
    #[expect(clippy::unused_self, reason = "the same call as with the feature")]
    pub(crate) const fn has(&self, _fault: HubFault) -> bool {
        false
    }
}
