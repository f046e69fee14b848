//! Handles for things that live in the shell. Counted up, never reused.

use visavis_protocol::MediaKind;
use visavis_protocol::transfer::PipeName;

/// One WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// One `RTCPeerConnection`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

/// One asynchronous browser operation; its outcome carries the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// One local track, from the request that asked for it until it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureId(pub u32);

/// One stay on a room's page, counted by the pages. A leave of an older visit is ignored, because
/// a router builds the next page before it drops the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VisitId(pub u32);

/// The pipe of a transfer on one connection. Made by the sender's [`crate::FileCommand::OpenPipe`], on
/// the other side by [`crate::FileEvent::PipeCame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipeId {
    /// The connection.
    pub link: LinkId,
    /// Its name there; never used twice on one connection.
    pub name: PipeName,
}

/// What a person picked to send: one file, or a folder. Counted by the shell, which holds the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A channel that every connection has beside the control channel: ordered, reliable, made beforehand by
/// both sides, open from about when the control channel opens to the connection's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SideChannel {
    /// See [`visavis_protocol::chat`].
    Chat,
    /// See [`visavis_protocol::transfer`].
    Files,
}

/// A media section that every connection has from its first description on, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The microphone.
    Audio,
    /// The camera.
    Camera,
    /// A shared screen.
    Screen,
    /// The sound of what is shared.
    ScreenSound,
}

impl Slot {
    /// Every slot, in the order of the media sections.
    pub const ALL: [Self; 4] = [Self::Audio, Self::Camera, Self::Screen, Self::ScreenSound];

    /// What its media section carries, in the words of the wire.
    #[must_use]
    pub const fn kind(self) -> MediaKind {
        match self {
            Self::Audio => MediaKind::Microphone,
            Self::Camera => MediaKind::Camera,
            Self::Screen => MediaKind::Screen,
            Self::ScreenSound => MediaKind::ScreenSound,
        }
    }

    /// The slot of a kind.
    #[must_use]
    pub const fn of(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Microphone => Self::Audio,
            MediaKind::Camera => Self::Camera,
            MediaKind::Screen => Self::Screen,
            MediaKind::ScreenSound => Self::ScreenSound,
        }
    }

    /// The place of its media section.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Audio => 0,
            Self::Camera => 1,
            Self::Screen => 2,
            Self::ScreenSound => 3,
        }
    }
}

/// Hands out numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    last: u32,
}

impl Ids {
    fn next(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    pub(crate) fn socket(&mut self) -> SocketId {
        SocketId(self.next())
    }

    pub(crate) fn link(&mut self) -> LinkId {
        LinkId(self.next())
    }

    pub(crate) fn request(&mut self) -> RequestId {
        RequestId(self.next())
    }

    pub(crate) fn capture(&mut self) -> CaptureId {
        CaptureId(self.next())
    }
}
