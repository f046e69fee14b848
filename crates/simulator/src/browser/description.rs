//! Session descriptions of the model: what matters of SDP, and a text form with real lines.

use std::fmt;
use std::fmt::Write as _;
use std::rc::Rc;
use std::str::FromStr;

use visavis_call_core::SdpKind;

/// The name of one ICE generation of one connection. It tells whose it is, so that the world can
/// find the other end of a connection by what was signaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ufrag {
    /// The connection that made it.
    pub connection: u32,
    /// Which of its generations.
    pub generation: u32,
}

impl fmt::Display for Ufrag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}g{}", self.connection, self.generation)
    }
}

/// A text that is not one of the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a description or user fragment of the model")]
pub struct Unreadable;

impl FromStr for Ufrag {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let (connection, generation) = text
            .strip_prefix('p')
            .and_then(|rest| rest.split_once('g'))
            .ok_or(Unreadable)?;
        Ok(Self {
            connection: connection.parse().map_err(|_| Unreadable)?,
            generation: generation.parse().map_err(|_| Unreadable)?,
        })
    }
}

/// What a media section carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
}

impl MediaKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// `RTCRtpTransceiverDirection`, without `stopped`: the project never stops a transceiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// From here only.
    SendOnly,
    /// To here only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether media may leave.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether media may come.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same as the other side sees it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What is left where both must agree.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// One media section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Section {
    /// `a=mid`
    pub mid: u16,
    /// The kind in `m=`.
    pub kind: MediaKind,
    /// As the side that made the description sees it.
    pub direction: Direction,
}

/// A description that was made or read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionDescription {
    /// Offer or answer; not part of the text.
    pub is_offer: bool,
    /// Everything is bundled, so there is one.
    pub ufrag: Ufrag,
    /// In the order of the text.
    pub sections: Vec<Section>,
    /// The whole, unique by the version in its `o=` line.
    pub text: Rc<str>,
}

impl SessionDescription {
    /// Puts a description into words.
    #[must_use]
    pub fn new(kind: SdpKind, version: u32, ufrag: Ufrag, sections: Vec<Section>) -> Self {
        let mut text = String::with_capacity(160 + sections.len() * 70);
        let made = write!(
            text,
            "v=0\r\no=- {} {version} IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:-\r\n",
            ufrag.connection
        );
        debug_assert!(made.is_ok(), "writing to a string");
        for section in &sections {
            let made = write!(
                text,
                "m={} 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{}\r\na={}\r\n",
                section.kind.as_str(),
                section.mid,
                section.direction.as_str()
            );
            debug_assert!(made.is_ok(), "writing to a string");
        }
        Self {
            is_offer: kind == SdpKind::Offer,
            ufrag,
            sections,
            text: text.into(),
        }
    }

    /// Reads a description that came from somewhere.
    ///
    /// # Errors
    /// If it is none that [`Self::new`] could have made.
    pub fn parse(kind: SdpKind, text: &str) -> Result<Self, Unreadable> {
        let mut ufrag = None;
        let mut sections: Vec<Section> = Vec::new();
        for line in text.lines() {
            if let Some(value) = line.strip_prefix("a=ice-ufrag:") {
                ufrag = Some(value.parse()?);
            } else if let Some(value) = line.strip_prefix("m=") {
                sections.push(Section {
                    mid: u16::MAX,
                    kind: if value.starts_with("audio") {
                        MediaKind::Audio
                    } else {
                        MediaKind::Video
                    },
                    direction: Direction::SendRecv,
                });
            } else if let Some(section) = sections.last_mut() {
                match line {
                    "a=sendrecv" => section.direction = Direction::SendRecv,
                    "a=sendonly" => section.direction = Direction::SendOnly,
                    "a=recvonly" => section.direction = Direction::RecvOnly,
                    "a=inactive" => section.direction = Direction::Inactive,
                    other => {
                        if let Some(value) = other.strip_prefix("a=mid:") {
                            section.mid = value.parse().map_err(|_| Unreadable)?;
                        }
                    }
                }
            }
        }
        Ok(Self {
            is_offer: kind == SdpKind::Offer,
            ufrag: ufrag.ok_or(Unreadable)?,
            sections,
            text: text.into(),
        })
    }

    /// The section of a mid, if there is one.
    #[must_use]
    pub fn section(&self, mid: u16) -> Option<&Section> {
        self.sections.iter().find(|section| section.mid == mid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_reads_as_it_was_written() {
        let ufrag = Ufrag {
            connection: 3,
            generation: 2,
        };
        let sections = vec![
            Section {
                mid: 0,
                kind: MediaKind::Audio,
                direction: Direction::SendRecv,
            },
            Section {
                mid: 1,
                kind: MediaKind::Video,
                direction: Direction::Inactive,
            },
        ];
        let made = SessionDescription::new(SdpKind::Offer, 7, ufrag, sections);
        assert_eq!(SessionDescription::parse(SdpKind::Offer, &made.text), Ok(made));
    }

    #[test]
    fn directions_reverse_and_agree() {
        assert_eq!(Direction::SendOnly.reversed(), Direction::RecvOnly);
        assert_eq!(Direction::SendRecv.and(Direction::RecvOnly), Direction::RecvOnly);
        assert_eq!(Direction::SendOnly.and(Direction::RecvOnly), Direction::Inactive);
    }
}
