//! What two peers write to each other, over whichever road the courier takes.
//!
//! The server carries a [`Packet`] as opaque text.

use serde::{Deserialize, Serialize};

extern crate alloc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::message::{DecodeError, encode};

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
                }),
            ],
        };
        assert_eq!(Packet::decode(&packet.encode()), Ok(packet));
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
