//! What the core wants done.

use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::handle::Nonce;
use visavis_protocol::{Candidate, Handle, IceServer, Reaction};

use crate::event::{CaptureKind, Facing, SdpKind};
use crate::id::{CaptureId, LinkId, RequestId, SideChannel, Slot, SocketId};
use crate::transfer::FileCommand;

/// One thing for the shell to do. Commands are executed in order and none waits for another's
/// outcome; outcomes come back as [`crate::Event`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Opens a WebSocket to the server's signaling address.
    OpenSocket {
        /// Its handle from now on.
        socket: SocketId,
    },
    /// Writes a text message. The socket has opened and was not closed since.
    Send {
        /// Where to.
        socket: SocketId,
        /// A whole message.
        text: String,
    },
    /// Signs [`visavis_protocol::handle::proof`] with this browser's key, made if there is none. Answered by
    /// `Signed`, or by `SignFailed` where no key can be had.
    Sign {
        /// The server's.
        nonce: Nonce,
        /// Which handle.
        handle: Handle,
    },
    /// Closes a socket and detaches from it; no event of it is wanted any more.
    CloseSocket {
        /// Which.
        socket: SocketId,
    },
    /// Makes an `RTCPeerConnection` with `bundlePolicy: "max-bundle"` and, before anything else on
    /// it, the control channel: ordered, reliable, with the negotiated id
    /// [`visavis_protocol::signal::CONTROL_CHANNEL`]; beside it that of reactions (see
    /// [`visavis_protocol::reaction`]) and every [`SideChannel`].
    CreateLink {
        /// Its handle from now on.
        link: LinkId,
        /// Whether it makes the first offer.
        role: LinkRole,
        /// Its `iceServers`.
        ice: Vec<IceServer>,
        /// `iceTransportPolicy: "relay"` instead of `"all"`.
        relay_only: bool,
    },
    /// Replaces the `iceServers` of a connection (`setConfiguration`).
    SetIceServers {
        /// Which connection.
        link: LinkId,
        /// Its `iceServers` from now on.
        ice: Vec<IceServer>,
        /// `iceTransportPolicy: "relay"` instead of `"all"`.
        relay_only: bool,
    },
    /// Calls `setLocalDescription()` without an argument: an offer when stable, an answer when an
    /// offer was applied. Answered by `LocalDescriptionApplied` or `DescriptionFailed`.
    SetLocalDescription {
        /// Which connection.
        link: LinkId,
        /// To be repeated in the outcome.
        request: RequestId,
    },
    /// Calls `setRemoteDescription`. Answered by `RemoteDescriptionApplied` or `DescriptionFailed`.
    SetRemoteDescription {
        /// Which connection.
        link: LinkId,
        /// To be repeated in the outcome.
        request: RequestId,
        /// Offer or answer.
        kind: SdpKind,
        /// The description.
        sdp: String,
    },
    /// Sets a description of type `rollback`. Answered by `RolledBack` or `DescriptionFailed`.
    Rollback {
        /// Which connection.
        link: LinkId,
        /// To be repeated in the outcome.
        request: RequestId,
        /// Whose pending offer is taken back.
        side: RollbackSide,
    },
    /// Calls `addIceCandidate`; a failure is for the log only.
    AddCandidate {
        /// Which connection.
        link: LinkId,
        /// The generation that it belongs to.
        ufrag: String,
        /// The candidate, or that no more will come.
        candidate: Option<Candidate>,
    },
    /// After the first remote offer was applied, before it is answered: sets the direction of the
    /// transceivers to `sendrecv` and binds them to [`Slot`]s by their order.
    AdoptTransceivers {
        /// Which connection.
        link: LinkId,
    },
    /// Calls `replaceTrack` on the sender of a slot.
    SetTrack {
        /// Which connection.
        link: LinkId,
        /// Which sender.
        slot: Slot,
        /// The track to send, or none.
        capture: Option<CaptureId>,
    },
    /// Calls `restartIce()`; the browser answers with `negotiationneeded` once it is stable.
    RestartIce {
        /// Which connection.
        link: LinkId,
    },
    /// Writes a text message on the control channel, which has opened and not closed since.
    SendInBand {
        /// Which connection.
        link: LinkId,
        /// A whole message.
        text: String,
    },
    /// Writes a reaction on the channel of reactions, if that is open; nobody misses one that is lost.
    SendReaction {
        /// Which connection.
        link: LinkId,
        /// Which.
        reaction: Reaction,
    },
    /// Writes a text message on a side channel, which has opened and not closed since.
    SendAside {
        /// Which connection.
        link: LinkId,
        /// Which channel.
        channel: SideChannel,
        /// A whole message.
        text: String,
    },
    /// Something to be done for a transfer.
    File(FileCommand),
    /// Makes the next picture of every video sender one that needs no other, where the browser can
    /// be told to: the other side has missed some.
    SendKeyFrame {
        /// Which connection.
        link: LinkId,
    },
    /// Stops to send on the video senders of a connection, or goes on, beginning with a picture that
    /// needs no other: `active` of their encodings. Their tracks stay attached.
    PausePictures {
        /// Which connection.
        link: LinkId,
        /// Whether nothing is sent from now on.
        paused: bool,
    },
    /// Asks what has arrived so far. Answered by `Measured`, soon or never.
    Measure {
        /// Which connection.
        link: LinkId,
    },
    /// Closes a connection and lets go of all that belongs to it. Its events are over; what was
    /// written on its control channel just before still leaves.
    CloseLink {
        /// Which.
        link: LinkId,
    },
    /// Asks for a camera, a microphone or a screen. Answered by `Captured` or `CaptureFailed` exactly once,
    /// also after [`Command::StopCapture`].
    Capture(CaptureRequest),
    /// Stops the tracks of a capture; if it is still being asked for, as soon as it comes.
    StopCapture {
        /// Which.
        capture: CaptureId,
    },
    /// Plays everything through a speaker, also what begins to play later. Answered by `SpeakerSet` or
    /// `SpeakerRefused` exactly once, and by `SpeakerRefused` again should something that begins to play
    /// later not get there.
    SetSpeaker {
        /// To be repeated in the outcome.
        request: RequestId,
        /// `deviceId`; `None` for the system's.
        device: Option<String>,
    },
}

/// A camera, microphone or screen to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureRequest {
    /// Its handle from now on.
    pub capture: CaptureId,
    /// Which kind.
    pub kind: CaptureKind,
    /// `deviceId` to ask for exactly; `None` for the browser's choice. The browser lets the person
    /// choose a screen by itself.
    pub device: Option<String>,
    /// `facingMode` to ask for exactly, for a camera of which no device is named.
    pub facing: Option<Facing>,
}

/// Who makes the first offer on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRole {
    /// This side: the transceivers are added at once, `sendrecv`, in the order of
    /// [`Slot::ALL`].
    Offerer,
    /// The other side: the transceivers come with its offer.
    Answerer,
}

/// Whose pending offer a rollback takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RollbackSide {
    /// Ours: `setLocalDescription({type: "rollback"})`.
    Local,
    /// Theirs: `setRemoteDescription({type: "rollback"})`.
    Remote,
}
