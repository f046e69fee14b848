//! What there is to show: plain data, compared by value, with ids instead of browser objects.

use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::{Gate, MediaKind, MediaStatus, PeerId, Reaction, RoomSecret, SeatId};

use crate::appointments::{DeskView, VisitView};
use crate::chat::ChatView;
use crate::event::{CaptureError, CaptureKind, Device, Facing};
use crate::id::{CaptureId, LinkId, Slot};
use crate::people::PeopleView;
use crate::time::Timestamp;
use crate::transfer::Transfer;

/// Everything a shell shows of a core.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Where the person is.
    pub stage: Stage,
    /// How it stands with the server.
    pub signaling: SignalingState,
    /// Their own side.
    pub me: Me,
    /// Everybody else in the call, in the order in which they came; one entry a seat.
    pub people: Vec<Person>,
    /// Before joining: the names of those inside, once known.
    pub inside: Option<Vec<String>>,
    /// Cameras, microphones and speakers there are.
    pub devices: Vec<Device>,
    /// Whether the person hides their address.
    pub hides_address: bool,
    /// Whether they do and the site has no relay, so that nobody can be reached.
    pub lacks_relay: bool,
    /// The last few things worth saying, oldest first, numbered without gaps.
    pub notices: Vec<Notice>,
    /// The last few reactions, oldest first, numbered without gaps.
    pub reactions: Vec<Reacted>,
    /// What there is to say of the chat. Its lines have their own way: [`crate::Core::chat_lines`].
    pub chat: ChatView,
    /// Files that are sent and received, in the order in which they were offered.
    pub transfers: Vec<Transfer>,
    /// Others by their handles, beside rooms.
    pub others: PeopleView,
    /// One's appointments, where one is at a desk.
    pub desk: DeskView,
    /// The appointment to which one has a link.
    pub visit: VisitView,
    /// Who comes in, and by which link, where the room has a host.
    pub hosting: HostingView,
}

/// A room's host, its gate, and its link as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostingView {
    /// Whether the room has a host at all.
    pub has_host: bool,
    /// Whether this page is one.
    pub is_host: bool,
    /// Who comes in without being asked.
    pub gate: Gate,
    /// Before joining: whether the gate is shut for this page.
    pub is_shut: bool,
    /// Who waits, told to hosts alone, in the order in which they came.
    pub waiting: Vec<Knock>,
    /// The room's secret, where it is another one than the link's that brought us here.
    pub secret: Option<RoomSecret>,
    /// Whether the room has a new link that this page has not heard yet.
    pub is_link_old: bool,
    /// What the host said who sent us away.
    pub word: Option<String>,
}

/// Somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knock {
    /// The session with which they asked.
    pub peer: PeerId,
    /// What they call themselves.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether they cannot be reached at the moment.
    pub away: bool,
}

/// A reaction, to be shown once and for a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reacted {
    /// Counts up; a shell shows each number once.
    pub number: u64,
    /// Whose; `None` for the person's own.
    pub seat: Option<SeatId>,
    /// Which.
    pub reaction: Reaction,
}

/// Where a person is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// In no room.
    #[default]
    Outside,
    /// On a room's page, before joining.
    Preparing {
        /// Why the last try to join did not succeed, until the next.
        problem: Option<JoinProblem>,
    },
    /// Has asked for a seat.
    Joining,
    /// Waits until a host lets them in.
    Waiting,
    /// Has a seat. Whether the server is there at the moment says [`View::signaling`].
    Joined,
    /// Had a seat.
    Ended(EndReason),
}

/// Why somebody could not join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinProblem {
    /// All seats are taken.
    RoomFull,
    /// The server has no place for another room.
    ServerFull,
    /// The server did not accept the name.
    InvalidName,
    /// Too many joins in a short time.
    RateLimited,
    /// The host locked the room.
    Locked,
    /// The host said no: see [`HostingView::word`].
    Declined,
    /// Somebody was removed since, and the room has another link.
    Moved,
    /// As many wait already as may.
    TooManyWaiting,
    /// The server said something that this page does not understand.
    Other,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// As the person wanted.
    HungUp,
    /// The seat was taken by another tab or a reload of this one.
    SeatMoved,
    /// The page is older than the server; reloading helps.
    PageOutdated,
    /// The server refused the connection for good.
    Refused,
    /// The host sent them away.
    Removed,
    /// The room got another link while they were away, and nobody is left who could tell it.
    LinkChanged,
}

/// How it stands with the signaling server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignalingState {
    /// Not wanted.
    #[default]
    Idle,
    /// A socket is opening.
    Connecting,
    /// The server answers.
    Online,
    /// The connection was lost.
    Waiting {
        /// When the next try comes.
        retry_at: Timestamp,
    },
}

/// A person's own side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Me {
    /// Their name, once they joined.
    pub name: String,
    /// Their session, once they joined.
    pub peer: Option<PeerId>,
    /// The microphone.
    pub microphone: CaptureState,
    /// The camera.
    pub camera: CaptureState,
    /// A screen that is shared.
    pub screen: CaptureState,
    /// Whether its sound is shared with it.
    pub screen_sound: bool,
    /// Whether everybody is told that the call is being recorded here.
    pub recording: bool,
    /// The place of the person's hand among those that are raised; 0 while it is down.
    pub hand: u32,
    /// Chosen devices.
    pub chosen_microphone: Option<String>,
    /// Chosen devices.
    pub chosen_camera: Option<String>,
    /// The speaker to show as picked: which plays, or is about to; `None` for the system's.
    pub speaker: Option<String>,
    /// The speaker to remember: also while it is gone.
    pub chosen_speaker: Option<String>,
    /// Where the camera that runs looks, if it says so.
    pub camera_facing: Option<Facing>,
    /// The microphone that stays captured while it is off, as long as it is worth knowing whether the
    /// person talks, also while it is on for the moment: see [`crate::MediaEvent::TalkingWhileMuted`].
    pub listening_while_muted: Option<CaptureId>,
}

impl Me {
    /// The state of one kind.
    #[must_use]
    pub const fn capture(&self, kind: CaptureKind) -> &CaptureState {
        match kind {
            CaptureKind::Microphone => &self.microphone,
            CaptureKind::Camera => &self.camera,
            CaptureKind::Screen => &self.screen,
        }
    }
}

/// How it stands with a camera, a microphone or a screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CaptureState {
    /// Not wanted.
    #[default]
    Off,
    /// Wanted; the browser is asking or starting it.
    Starting,
    /// Running.
    On {
        /// Its track.
        capture: CaptureId,
        /// `deviceId` in use.
        device: String,
        /// Whether the system has muted it.
        muted: bool,
    },
    /// Wanted and not to be had.
    Failed(CaptureError),
}

impl CaptureState {
    /// Whether the person wants it: the state their toggle shows.
    #[must_use]
    pub const fn is_wanted(&self) -> bool {
        matches!(self, Self::Starting | Self::On { .. })
    }
}

/// Somebody else in the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Names their tile: stays over their reloads.
    pub seat: SeatId,
    /// Their session.
    pub peer: PeerId,
    /// Text from a stranger: show as text only.
    pub name: String,
    /// The connection whose streams belong in the tile.
    pub link: Option<LinkId>,
    /// `connectionState` of it.
    pub connection: ConnectionState,
    /// Whether their signaling is gone at the moment.
    pub away: bool,
    /// Whether they are a host of the room.
    pub is_host: bool,
    /// What they say they send.
    pub status: MediaStatus,
    /// Which slots bring media right now.
    pub receiving: [bool; Slot::ALL.len()],
    /// Whether nothing has come from them for some seconds, whatever the state says.
    pub silent: bool,
    /// Which slots stand still although they say that they send.
    pub frozen: [bool; Slot::ALL.len()],
    /// Whether their media come through a relay; `None` while that is not known.
    pub relayed: Option<bool>,
}

/// `RTCPeerConnectionState` (W3C WebRTC 1.0, section 4.3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// `"new"`
    #[default]
    New,
    /// `"connecting"`
    Connecting,
    /// `"connected"`
    Connected,
    /// `"disconnected"`
    Disconnected,
    /// `"failed"`
    Failed,
    /// `"closed"`
    Closed,
}

impl ConnectionState {
    /// The standard's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Failed => "failed",
            Self::Closed => "closed",
        }
    }
}

/// Something worth saying once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Counts up; a shell says each number once.
    pub number: u64,
    /// What to say.
    pub kind: NoticeKind,
}

/// What a [`Notice`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Somebody came.
    PersonJoined {
        /// Who.
        name: String,
    },
    /// Somebody left or was lost.
    PersonLeft {
        /// Who.
        name: String,
    },
    /// The host sent somebody away.
    PersonRemoved {
        /// Who.
        name: String,
    },
    /// Somebody waits to be let in.
    Knocked {
        /// Who.
        name: String,
    },
    /// A host changed who comes in.
    GateChanged(Gate),
    /// The room has another link from now on; the page has it.
    LinkChanged,
    /// A host asks to turn the microphone off.
    AskedToMute {
        /// Which host.
        name: String,
    },
    /// There is no seat for who is to be let in.
    NoSeatForWaiting,
    /// The server did not do what the host asked.
    HostRefused,
    /// The media of somebody stopped; it is being brought back.
    PersonReconnecting {
        /// Who.
        name: String,
    },
    /// Somebody is back.
    PersonBack {
        /// Who.
        name: String,
    },
    /// Somebody records the call.
    RecordingStarted {
        /// Who.
        name: String,
    },
    /// Somebody does so no longer.
    RecordingStopped {
        /// Who.
        name: String,
    },
    /// Somebody raised their hand.
    HandRaised {
        /// Who.
        name: String,
    },
    /// Somebody shows a sign. Not said of each one: see [`View::reactions`] for those.
    Reacted {
        /// Who.
        name: String,
        /// Which.
        reaction: Reaction,
    },
    /// Somebody handed on a message that was not made with the room's secret. It is not shown.
    MessageRefused {
        /// Who.
        name: String,
    },
    /// Something that we send does not arrive at somebody; it is sent anew.
    NotReaching {
        /// At whom.
        name: String,
        /// What.
        kind: MediaKind,
    },
    /// Somebody offers a file or a folder.
    FileOffered {
        /// Who.
        name: String,
        /// Its name.
        title: String,
    },
    /// Somebody offered something that makes no sense, or more than can wait for an answer. Said now and then.
    FileRefused {
        /// Who.
        name: String,
    },
    /// A file or a folder is whole and here.
    FileReceived {
        /// From whom.
        name: String,
        /// Its name.
        title: String,
    },
    /// A file or a folder is whole and with the other side.
    FileSent {
        /// With whom.
        name: String,
        /// Its name.
        title: String,
    },
    /// A transfer ended before its end, and not by the person's own wish.
    TransferFailed {
        /// Who is on the other side.
        name: String,
        /// What it was.
        title: String,
    },
    /// What was picked is not the file that was offered.
    AnotherFilePicked {
        /// The file that was.
        title: String,
    },
    /// The server is out of reach; the call goes on.
    ServerLost,
    /// The server is back.
    ServerBack,
    /// A camera or microphone stopped by itself.
    CaptureEnded {
        /// Which.
        kind: CaptureKind,
    },
    /// A camera, a microphone or a screen could not be started in the call.
    CaptureFailed {
        /// Which.
        kind: CaptureKind,
        /// Why.
        error: CaptureError,
    },
    /// Another device took the place of one that is gone, or is the system's choice no more.
    DeviceSwitched {
        /// Of which kind.
        kind: CaptureKind,
        /// Its label; empty if the browser does not tell.
        name: String,
    },
    /// The device that was gone is there again, and in use.
    DeviceBack {
        /// Of which kind.
        kind: CaptureKind,
        /// Its label; empty if the browser does not tell.
        name: String,
    },
    /// The chosen speaker is gone; the system's plays.
    SpeakerGone,
    /// The chosen speaker is there again, and plays.
    SpeakerBack {
        /// Its label; empty if the browser does not tell.
        name: String,
    },
    /// A speaker could not be used; the former one plays.
    SpeakerFailed,
    /// The system muted a camera or a microphone (`true`), or gave it back.
    MutedBySystem {
        /// Which.
        kind: CaptureKind,
        /// Whether it brings nothing now.
        muted: bool,
    },
    /// The person talks and their microphone is off. Said once each time it is turned off.
    TalkingWhileMuted,
}
