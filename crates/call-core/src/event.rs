//! Facts that a shell tells the core.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::handle::{Nonce, PublicKey, Signature};
use visavis_protocol::{Candidate, ChatKey, Reaction, RoomId, SeatId, SeatSecret};

use crate::appointments::{DeskIntent, VisitIntent};
use crate::id::{CaptureId, LinkId, RequestId, SideChannel, Slot, SocketId, VisitId};
use crate::people::PeopleIntent;
use crate::room::{HostIntent, Hosted};
use crate::transfer::{FileEvent, FileIntent};
use crate::view::ConnectionState;

/// Something that happened, or that a person wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A deadline of [`crate::Core::poll_timeout`] has come.
    Tick,
    /// A person wants something.
    Intent(Intent),
    /// A socket did something. Events of sockets that were closed by command may still come.
    Socket(SocketId, SocketEvent),
    /// A connection did something.
    Link(LinkId, LinkEvent),
    /// A capture or device did something.
    Media(MediaEvent),
    /// Something happened to a transfer.
    File(FileEvent),
    /// There is no key to sign with: see [`crate::Command::Sign`].
    SignFailed {
        /// Repeated from the command.
        nonce: Nonce,
    },
    /// See [`crate::Command::Sign`].
    Signed {
        /// Repeated from the command.
        nonce: Nonce,
        /// The browser's key.
        key: PublicKey,
        /// By that key, over [`visavis_protocol::handle::proof`].
        signature: Signature,
    },
    /// The browser came online (`true`) or went offline.
    OnlineChanged(bool),
    /// The tab went to the background (`true`) or came back.
    VisibilityChanged {
        /// Whether nobody can see the tab.
        hidden: bool,
    },
}

/// What a person wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Opens a room's page: shows who is inside and prepares camera and microphone.
    EnterRoom {
        /// This stay on the page.
        visit: VisitId,
        /// The room, as the server knows it.
        room: RoomId,
        /// The seat of this tab.
        seat: SeatSecret,
        /// The key of its chat, where the room has a secret.
        chat: Option<ChatKey>,
        /// What the link says of a room with a host.
        hosted: Option<Hosted>,
    },
    /// Takes a seat in the room whose page is open. Also from [`crate::Stage::Ended`], to come back.
    Join {
        /// See [`visavis_protocol::text::check_name`]; a shell checks before, the server after.
        name: String,
    },
    /// Leaves the call and stays on the page.
    HangUp,
    /// Closes the page of that visit, leaving the call if need be.
    LeaveRoom {
        /// The stay that ends; ignored if it is not the present one.
        visit: VisitId,
    },
    /// Turns a capture on or off. Works before joining and in the call.
    Want {
        /// Which.
        kind: CaptureKind,
        /// On or off.
        on: bool,
    },
    /// Turns the microphone on for the moment if it is off, while a key is held for instance, and then off
    /// again. Ends with the call, and with whatever the person wants of the microphone meanwhile.
    Talk(bool),
    /// Says that the call is being recorded here, or no longer. The recording itself is the shell's:
    /// it runs exactly as long as [`crate::Me::recording`] says so.
    Record(bool),
    /// Raises the hand, for everybody to see, or lowers it.
    RaiseHand(bool),
    /// Shows everybody a sign for a moment. Dropped where it is one too many.
    React(Reaction),
    /// Shows one's own address to nobody: only relays are used from now on, or no longer only.
    HideAddress(bool),
    /// Uses another device for a kind, now if it is on.
    ChooseDevice {
        /// Which kind.
        kind: CaptureKind,
        /// `MediaDeviceInfo.deviceId`; `None` for the browser's choice.
        device: Option<String>,
    },
    /// Plays everything through another speaker: `deviceId`, or `None` for the system's.
    ChooseSpeaker(Option<String>),
    /// Uses the camera that looks the other way; where none says where it looks, the next one.
    FlipCamera,
    /// Says something in the chat. Dropped where [`crate::Core::check_say`] would refuse it.
    Say {
        /// The words.
        text: String,
        /// The one person whom they are for; `None` for everybody.
        to: Option<SeatId>,
        /// What the clock on the wall says: milliseconds since 1970.
        time: u64,
    },
    /// Wants something of a transfer.
    File(FileIntent),
    /// Wants something of other people, beside rooms.
    People(PeopleIntent),
    /// Wants something of the desk with one's appointments.
    Desk(DeskIntent),
    /// Wants something of the appointment to which one has a link.
    Visit(VisitIntent),
    /// Wants something as the room's host. Nothing happens where one is none.
    Host(HostIntent),
}

/// What a WebSocket did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// It can be written to.
    Opened,
    /// A text message came.
    Received(String),
    /// It is gone, by either side's doing or without ever opening.
    Closed {
        /// `CloseEvent.code`; 1006 if nothing was said.
        code: u16,
    },
}

/// Whether a description is an offer or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdpKind {
    /// `"offer"`
    Offer,
    /// `"answer"`
    Answer,
}

/// What an `RTCPeerConnection` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// `negotiationneeded` fired.
    NegotiationNeeded,
    /// [`crate::Command::SetLocalDescription`] succeeded.
    LocalDescriptionApplied {
        /// The command's number.
        request: RequestId,
        /// What the browser made.
        kind: SdpKind,
        /// `localDescription.sdp`, read after the operation.
        sdp: String,
    },
    /// [`crate::Command::SetRemoteDescription`] succeeded.
    RemoteDescriptionApplied {
        /// The command's number.
        request: RequestId,
    },
    /// [`crate::Command::Rollback`] succeeded.
    RolledBack {
        /// The command's number.
        request: RequestId,
    },
    /// A description operation was refused.
    DescriptionFailed {
        /// The command's number.
        request: RequestId,
        /// The error's name, for logs.
        error: String,
    },
    /// `icecandidate` fired; `None` for the end of candidates.
    LocalCandidate {
        /// `usernameFragment`, empty where the browser does not tell.
        ufrag: String,
        /// The candidate, or that there are no more.
        candidate: Option<Candidate>,
    },
    /// `connectionstatechange` fired.
    ConnectionStateChanged(ConnectionState),
    /// The control channel can be written to.
    ChannelOpened,
    /// A message came on the control channel.
    ChannelReceived(String),
    /// A message came on the channel of reactions.
    ReactionReceived(String),
    /// A side channel did something.
    Side(SideChannel, SideEvent),
    /// The control channel is gone while we still want it: the other side closed the connection.
    ChannelClosed,
    /// The answer to [`crate::Command::Measure`]. None is fine as well.
    Measured(Sample),
    /// The remote track of a slot started (`true`) or stopped to bring media: `unmute`, `mute`.
    Receiving(Slot, bool),
    /// The connection could not be made at all.
    CreationFailed {
        /// The error's name, for logs.
        error: String,
    },
}

/// What a side channel did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SideEvent {
    /// It can be written to.
    Opened,
    /// A text message came.
    Received(String),
    /// It is gone.
    Closed,
}

/// What has arrived on a connection so far, from its `getStats` (W3C WebRTC Statistics).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Bytes of media, all of them together: `bytesReceived` of `inbound-rtp`.
    pub bytes: u64,
    /// How long ago the last packet of them came: `lastPacketReceivedTimestamp` of `inbound-rtp`. Zero
    /// where the browser does not say.
    pub age: Duration,
    /// What shows that a slot's media really come: bytes of sound, decoded pictures.
    pub progress: [u64; Slot::ALL.len()],
    /// Whether the chosen pair of candidates goes through a relay; `None` while there is none.
    pub relayed: Option<bool>,
}

/// A kind of local capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaptureKind {
    /// The microphone.
    Microphone,
    /// The camera.
    Camera,
    /// A screen, a window or a tab. Only the person can start it, each time anew.
    Screen,
}

impl CaptureKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Microphone, Self::Camera, Self::Screen];
    /// Those that come from a device, are chosen from a list and wanted until further notice.
    pub const DEVICES: [Self; 2] = [Self::Microphone, Self::Camera];

    /// The media section that carries it.
    #[must_use]
    pub const fn slot(self) -> Slot {
        match self {
            Self::Microphone => Slot::Audio,
            Self::Camera => Slot::Camera,
            Self::Screen => Slot::Screen,
        }
    }
}

/// An input or output device, as `enumerateDevices` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `deviceId`
    pub id: String,
    /// `label`, empty until a permission was given.
    pub label: String,
    /// `groupId`: devices of one group are parts of one thing.
    pub group: String,
    /// What it captures; `None` for a speaker.
    pub kind: Option<CaptureKind>,
}

/// Where a camera looks: `facingMode` (Media Capture and Streams, section 4.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Facing {
    /// `"user"`: at the person.
    User,
    /// `"environment"`: away from them.
    Environment,
}

impl Facing {
    /// The other way.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::User => Self::Environment,
            Self::Environment => Self::User,
        }
    }
}

/// What a page may do with a kind: `PermissionState` (W3C Permissions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// `"granted"`
    Granted,
    /// `"prompt"`: the person would be asked.
    Prompt,
    /// `"denied"`
    Denied,
}

/// What captures and devices did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// A [`crate::Command::Capture`] succeeded.
    Captured {
        /// The command's number.
        capture: CaptureId,
        /// The device in use.
        device: String,
        /// Where it looks, if it is a camera that says so.
        facing: Option<Facing>,
    },
    /// A [`crate::Command::Capture`] failed.
    CaptureFailed {
        /// The command's number.
        capture: CaptureId,
        /// Why.
        error: CaptureError,
    },
    /// A track ended by itself: unplugged, or the permission taken back.
    CaptureEnded {
        /// Which.
        capture: CaptureId,
    },
    /// The system muted (`true`) or unmuted a track.
    CaptureMuted {
        /// Which.
        capture: CaptureId,
        /// Whether it is silent now.
        muted: bool,
    },
    /// A screen's capture brings the sound of what is shared as well (`true`), or no longer: the sound
    /// ended, or the system muted it, while the picture goes on.
    CaptureSound {
        /// Which.
        capture: CaptureId,
        /// Whether there is sound now.
        is_there: bool,
    },
    /// A [`crate::Command::SetSpeaker`] succeeded.
    SpeakerSet {
        /// The command's number.
        request: RequestId,
    },
    /// A [`crate::Command::SetSpeaker`] failed, at once or for what began to play later.
    SpeakerRefused {
        /// The command's number.
        request: RequestId,
    },
    /// The devices there are now.
    DevicesChanged(Vec<Device>),
    /// The browser tells what the page may do with a kind, first and at each change. To be told before
    /// the end of a track that it caused.
    PermissionChanged {
        /// Which kind.
        kind: CaptureKind,
        /// What it may do now.
        permission: Permission,
    },
    /// The person talks into the microphone that is off: [`crate::Me::listening_while_muted`].
    TalkingWhileMuted,
}

/// Why a capture failed: the errors of `getUserMedia` (Media Capture and Streams, section 10.2) and
/// of `getDisplayMedia` (Screen Capture, section 5.1) by what a person can do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaptureError {
    /// `NotAllowedError`: the person or a policy said no.
    NotAllowed,
    /// `NotFoundError`: there is no such device.
    NotFound,
    /// `NotReadableError`, `AbortError`: another program uses it, or it is broken.
    NotReadable,
    /// `OverconstrainedError`: the chosen device is gone or cannot do what was asked.
    Overconstrained,
    /// `SecurityError`, or no `mediaDevices` at all: the page came over plain HTTP.
    Insecure,
    /// Anything else.
    Other,
}
