//! What two peers write to each other, over whichever road the courier takes.
//!
//! The server carries a [`Packet`] as opaque text. On the control channel between the two (a data
//! channel, ordered and reliable, with the negotiated id [`CONTROL_CHANNEL`]) it travels in a
//! [`Frame`].

use serde::{Deserialize, Serialize};

extern crate alloc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::message::{DecodeError, encode};
use crate::{PeerId, RoomSecret, SeatId};

/// `id` of the control channel, which both sides make beforehand (`negotiated`).
pub const CONTROL_CHANNEL: u16 = 0;
/// `label` and `protocol` of the control channel.
pub const CONTROL_LABEL: &str = "control";

/// One message on the control channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The same as what the server carries: the two roads share their numbers.
    Packet {
        /// The packet's number between these two sessions, from 1.
        n: u64,
        /// What it says.
        body: Packet,
    },
    /// A sign of life, written every second and when `server` changes.
    Beat {
        /// Whether the sender reaches the server: who does not may try again at once.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        server: bool,
        /// Whether the sender should be the one to offer ICE restarts, where the addressee should not.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        restarts: bool,
    },
    /// The room's secret changes, because somebody is removed: what the addressee needs for the new link. On
    /// this road alone, which the server cannot read; said again on each new connection.
    Secret {
        /// The new one.
        secret: RoomSecret,
        /// Whether the room has it already. Before that it is a host's to say, and nothing changes.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        moved: bool,
        /// The seats that are sent away, whatever session they are: whoever passes the secret on tells them
        /// nothing of it, unless the server lists them in the room of that secret. Counts from a host alone; at
        /// most [`crate::limits::REMOVED_TOLD`], the newest.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        without: Vec<SeatId>,
    },
    /// A secret that the sender announced comes to nothing: the server would not change it.
    Withdrawn {
        /// Which.
        secret: RoomSecret,
    },
}

/// Signals that left in one flight. Numbered by the `n` of the message around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// Which beginning between the two sessions the numbers count from. A side that had given the
    /// other up and meets it again, with nothing left of what was said, begins the next era. The
    /// other side follows and forgets as well; packets of an earlier era are void.
    #[serde(default, skip_serializing_if = "is_first")]
    pub era: u32,
    /// The highest number received from the addressee without a gap: all up to it may be forgotten.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ack: u64,
    /// In order; may be empty in a packet that only acknowledges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
}

const fn is_zero(n: &u64) -> bool {
    *n == 0
}

const fn is_first(era: &u32) -> bool {
    *era == 0
}

/// One thing a peer tells another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// An offer (RFC 9429, section 4.1.8).
    Offer(Description),
    /// The answer to the offer of the same number.
    Answer(Description),
    /// ICE candidates of one generation, as they were found.
    Candidates {
        /// The connection between the two that they belong to.
        link: u32,
        /// The ICE user fragment of the description that they belong to.
        ufrag: String,
        /// In the order found.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        list: Vec<Candidate>,
        /// Whether no more will come for this user fragment.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        end: bool,
    },
    /// What the sender sends at the moment. The last one counts.
    Status(MediaStatus),
    /// The sender leaves the room for good.
    Leave {},
    /// Somebody told the sender that they leave: for a peer who had no road to them, while the server
    /// is away.
    Gone {
        /// Who.
        peer: PeerId,
    },
    /// Something comes again after a hole: the next picture should need no other.
    Refresh {},
    /// Nothing comes on the connection: is it only that, or is the addressee's network away? Answered
    /// by the same with `answer`. Stands alone in a packet numbered 0, which is in no sequence and
    /// takes the server's road.
    Probe {
        /// Whether this is the answer.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        answer: bool,
    },
    /// Nothing of this arrives although the connection stands: send it anew.
    Reattach {
        /// What does not arrive.
        kind: MediaKind,
    },
    /// ICE should be restarted, and it is the addressee who offers that.
    Restart {},
    /// The host asks the addressee to turn the microphone off. Whether they do is theirs to say.
    AskMute {},
}

/// What a media section carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// The microphone's sound.
    Microphone,
    /// The camera's picture.
    Camera,
    /// A shared screen.
    Screen,
    /// The sound of what is shared.
    ScreenSound,
}

/// A numbered session description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Which connection between the two: counted up when one is rebuilt.
    pub link: u32,
    /// The offer's number, counted by the offering side; an answer repeats it.
    pub neg: u32,
    /// Session description (RFC 8866).
    pub sdp: String,
}

/// An ICE candidate, as `RTCIceCandidateInit` wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The `candidate-attribute` (RFC 8839, section 5.1).
    pub candidate: String,
    /// The media section's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// The media section's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u16>,
}

/// What a participant sends and wants to be seen of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaStatus {
    /// The microphone is on.
    #[serde(default)]
    pub microphone: bool,
    /// The camera is on.
    #[serde(default)]
    pub camera: bool,
    /// A screen is shared.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub screen: bool,
    /// The sound of what is shared is sent with it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub screen_sound: bool,
    /// The call is being recorded here. Who says nothing of it records nothing.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub recording: bool,
    /// The place in the order in which hands were raised, from 1; 0 while the hand is down. Whoever raises
    /// theirs takes one more than the highest that they know of, so no two clocks are compared. A place
    /// out of all reason is not counted: see [`crate::limits::HANDS_APART`].
    #[serde(default, skip_serializing_if = "is_down")]
    pub hand: u32,
}

const fn is_down(hand: &u32) -> bool {
    *hand == 0
}

impl Frame {
    /// The frame as JSON text.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self)
    }

    /// Reads a peer's frame.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if it is none; a newer client may write kinds that this one passes
    /// over.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        serde_json::from_str(text).map_err(|_| DecodeError::Malformed)
    }
}

impl Packet {
    /// The packet as JSON text.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self)
    }

    /// Reads a peer's packet.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if any signal in it is unknown or malformed; a peer of a newer
    /// version is expected to have learnt from its `hello` what this one understands.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        serde_json::from_str(text).map_err(|_| DecodeError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_packet_survives_its_text_form() {
        let packet = Packet {
            era: 1,
            ack: 4,
            signals: vec![
                Signal::Offer(Description {
                    link: 0,
                    neg: 1,
                    sdp: "v=0\r\n".into(),
                }),
                Signal::Candidates {
                    link: 0,
                    ufrag: "abcd".into(),
                    list: vec![Candidate {
                        candidate: "candidate:1 …".into(),
                        mid: Some("0".into()),
                        line: Some(0),
                    }],
                    end: true,
                },
                Signal::Status(MediaStatus {
                    microphone: true,
                    camera: false,
                    screen: false,
                    screen_sound: true,
                    recording: true,
                    hand: 3,
                }),
                Signal::Reattach {
                    kind: MediaKind::Camera,
                },
                Signal::Reattach {
                    kind: MediaKind::ScreenSound,
                },
                Signal::Gone {
                    peer: PeerId::from_bytes([1; 16]),
                },
                Signal::Restart {},
                Signal::Leave {},
            ],
        };
        assert_eq!(Packet::decode(&packet.encode()), Ok(packet));
    }

    #[test]
    fn a_frame_survives_its_text_form() {
        let body = Packet {
            ack: 4,
            ..Packet::default()
        };
        let beat = |server, restarts| Frame::Beat { server, restarts };
        for frame in [Frame::Packet { n: 3, body }, beat(true, false), beat(false, true)] {
            assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
        }
        assert_eq!(beat(false, false).encode(), r#"{"beat":{}}"#);
        assert_eq!(Frame::decode(r#"{"confetti":{}}"#), Err(DecodeError::Malformed));
    }

    #[test]
    fn who_says_nothing_of_recording_or_a_hand_does_neither() {
        let said = |text| Packet::decode(text).map(|packet| packet.signals);
        let status = MediaStatus {
            microphone: true,
            ..MediaStatus::default()
        };
        assert_eq!(
            said(r#"{"signals":[{"status":{"microphone":true,"camera":false}}]}"#),
            Ok(vec![Signal::Status(status)])
        );
        let packet = Packet {
            signals: vec![Signal::Status(status)],
            ..Packet::default()
        };
        let text = packet.encode();
        for word in ["recording", "screen", "hand"] {
            assert!(!text.contains(word), "{text}");
        }
    }

    #[test]
    fn an_empty_packet_is_an_acknowledgement() {
        assert_eq!(
            Packet {
                ack: 9,
                ..Packet::default()
            }
            .encode(),
            r#"{"ack":9}"#
        );
    }
}
