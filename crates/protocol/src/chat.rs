//! Chat between two peers: what they write on a channel of its own, ordered and reliable.
//!
//! Messages go directly from their author to those they are for ([`ChatFrame::Say`]). When a channel
//! opens both sides ask for what they have missed ([`ChatFrame::Ask`]) and are told
//! ([`ChatFrame::Past`]): each peer's own words, and to a newcomer those of others, which are hearsay.

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use hkdf::hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::id::{ChatKey, ChatTag, ID_BYTES, PeerId, SeatId};
use crate::message::{DecodeError, encode};
use crate::{limits, text};

/// `id` of the chat channel, which both sides make beforehand (`negotiated`).
pub const CHAT_CHANNEL: u16 = 2;
/// `label` and `protocol` of that channel.
pub const CHAT_LABEL: &str = "chat";

/// What somebody wrote. Author, session and number name it for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Whose it is, over reloads.
    pub author: SeatId,
    /// Their session when they wrote it.
    pub session: PeerId,
    /// The how manieth message it is of that session, from 1.
    pub seq: u32,
    /// One more than the highest that its author had seen (a Lamport clock): the order of the chat.
    /// What is for one person takes the highest itself: those who do not know of it must not fall behind.
    pub clock: u32,
    /// What is for one person: the same among such messages, 1 at least, for their order after the
    /// public one of the same clock. 0 for everything else.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub aside: u32,
    /// What their clock said: milliseconds since 1970. To be shown, never relied on.
    pub time: u64,
    /// Their name then.
    pub name: String,
    /// The one person whom it is for; `None` for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<SeatId>,
    /// Its words, [`limits::CHAT_BYTES`] at most.
    pub text: String,
    /// Where the room has a secret: shows that the author had it, and that nothing was changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<ChatTag>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// All of a session's messages up to a number are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownUpTo {
    /// Whose.
    pub author: SeatId,
    /// Which session of theirs.
    pub session: PeerId,
    /// The number.
    pub seq: u32,
}

/// One message on the chat channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatFrame {
    /// Said just now, by whom the channel leads to.
    Say(ChatMessage),
    /// What was said beyond this? Answered by [`ChatFrame::Past`].
    Ask {
        /// What need not be told. Of the addressee's own words only what they told themself.
        #[serde(default)]
        known: Vec<KnownUpTo>,
        /// Whether to tell others' words as well as one's own.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        others: bool,
    },
    /// A part of what was said, oldest first.
    Past {
        /// The messages.
        list: Vec<ChatMessage>,
        /// Whether that was all.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        end: bool,
    },
}

impl ChatMessage {
    /// The tag that it has in a room with this key: HMAC-SHA-256, the first 16 bytes, over
    /// `"visavis1/chat-message"`, author, session, number, clock, aside and time (big-endian), a byte that says
    /// whether an addressee follows, the addressee, and name and text, each after its length in 32 bits.
    #[must_use]
    pub fn tag_with(&self, key: &ChatKey) -> ChatTag {
        let mut mac = keyed(key);
        mac.update(b"visavis1/chat-message");
        mac.update(self.author.as_bytes());
        mac.update(self.session.as_bytes());
        mac.update(&self.seq.to_be_bytes());
        mac.update(&self.clock.to_be_bytes());
        mac.update(&self.aside.to_be_bytes());
        mac.update(&self.time.to_be_bytes());
        mac.update(&[u8::from(self.to.is_some())]);
        if let Some(to) = &self.to {
            mac.update(to.as_bytes());
        }
        for part in [&self.name, &self.text] {
            mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let whole = mac.finalize().into_bytes();
        let mut bytes = [0; ID_BYTES];
        bytes.copy_from_slice(&whole[..ID_BYTES]);
        ChatTag::from_bytes(bytes)
    }

    /// Whether it has the tag that the room asks for. Every room without a secret takes every message.
    #[must_use]
    pub fn is_tagged(&self, key: Option<&ChatKey>) -> bool {
        // The time that a comparison takes tells a peer nothing: whoever could use it is in the room,
        // and has the key.
        key.is_none_or(|key| self.tag == Some(self.tag_with(key)))
    }

    /// Whether it keeps the rules of every message: a name, some words and not too many.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.seq > 0
            && self.to.is_some() == (self.aside > 0)
            && self.text.len() <= limits::CHAT_BYTES
            && !text::is_blank(&self.text)
            && text::check_name(&self.name).is_ok()
    }
}

fn keyed(key: &ChatKey) -> Hmac<Sha256> {
    <Hmac<Sha256> as Mac>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of every length")
}

impl ChatFrame {
    /// The frame as JSON text.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self)
    }

    /// Reads a peer's frame.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if it is none, or of a kind that a newer client may write.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        if text.len() > limits::CHAT_FRAME_BYTES {
            return Err(DecodeError::Malformed);
        }
        serde_json::from_str(text).map_err(|_| DecodeError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RoomId, RoomSecret};

    fn message() -> ChatMessage {
        ChatMessage {
            author: SeatId::from_bytes([1; 16]),
            session: PeerId::from_bytes([2; 16]),
            seq: 3,
            clock: 4,
            aside: 0,
            time: 1_700_000_000_000,
            name: "Ada".into(),
            to: None,
            text: "Tea?\nNow.".into(),
            tag: None,
        }
    }

    fn key() -> ChatKey {
        let secret = RoomSecret::from_bytes([1; 16]);
        secret.chat_key(&RoomId::derive("tea", Some(&secret)))
    }

    #[test]
    fn frames_survive_their_text_form() {
        let mut private = message();
        private.to = Some(SeatId::from_bytes([9; 16]));
        private.tag = Some(private.tag_with(&key()));
        let known = KnownUpTo {
            author: private.author,
            session: private.session,
            seq: 3,
        };
        for frame in [
            ChatFrame::Say(private.clone()),
            ChatFrame::Ask {
                known: vec![known],
                others: true,
            },
            ChatFrame::Past {
                list: vec![message(), private],
                end: true,
            },
        ] {
            assert_eq!(ChatFrame::decode(&frame.encode()), Ok(frame));
        }
        let ask = ChatFrame::Ask {
            known: vec![],
            others: false,
        };
        assert_eq!(ask.encode(), r#"{"ask":{"known":[]}}"#);
        assert_eq!(ChatFrame::decode(r#"{"ask":{}}"#), Ok(ask));
        assert_eq!(
            ChatFrame::decode(r#"{"confetti":{}}"#),
            Err(DecodeError::Malformed)
        );
        let long = " ".repeat(limits::CHAT_FRAME_BYTES) + r#"{"ask":{}}"#;
        assert_eq!(ChatFrame::decode(&long), Err(DecodeError::Malformed));
    }

    #[test]
    fn a_tag_is_pinned_and_covers_every_field() {
        // Pinned: a change here would part those who have it from those who do not.
        assert_eq!(message().tag_with(&key()).to_text(), "zIZCErt12EuhlKciEnV_ZA");
        let changes: [fn(&mut ChatMessage); 9] = [
            |message| message.author = SeatId::from_bytes([8; 16]),
            |message| message.session = PeerId::from_bytes([8; 16]),
            |message| message.seq += 1,
            |message| message.clock += 1,
            |message| message.aside += 1,
            |message| message.time += 1,
            |message| message.name.push('x'),
            |message| message.to = Some(message.author),
            |message| message.text.push('x'),
        ];
        for change in changes {
            let mut changed = message();
            changed.tag = Some(changed.tag_with(&key()));
            assert!(changed.is_tagged(Some(&key())));
            change(&mut changed);
            assert!(!changed.is_tagged(Some(&key())), "{changed:?}");
            assert!(changed.is_tagged(None), "an open room has no key");
        }
        // Where one field ends and the next begins is part of it.
        let (mut one, mut other) = (message(), message());
        (one.name, one.text) = ("ab".into(), "c".into());
        (other.name, other.text) = ("a".into(), "bc".into());
        assert_ne!(one.tag_with(&key()), other.tag_with(&key()));
        let elsewhere = RoomSecret::from_bytes([1; 16]).chat_key(&RoomId::derive("milk", None));
        assert_ne!(message().tag_with(&key()), message().tag_with(&elsewhere));
    }

    #[test]
    fn an_unsound_message_is_known_as_such() {
        assert!(message().is_sound());
        let changes: [fn(&mut ChatMessage); 7] = [
            |message| message.seq = 0,
            |message| message.aside = 1,
            |message| message.to = Some(message.author),
            |message| message.text = "x".repeat(limits::CHAT_BYTES + 1),
            |message| message.text = " \n ".into(),
            |message| message.name = String::new(),
            |message| message.name = "a\u{202e}b".into(),
        ];
        for change in changes {
            let mut changed = message();
            change(&mut changed);
            assert!(!changed.is_sound(), "{changed:?}");
        }
    }

    #[test]
    fn the_longest_message_and_the_longest_question_fit_into_a_frame() {
        let mut long = message();
        long.name = "\"".repeat(limits::NAME_CHARS);
        long.text = "\"".repeat(limits::CHAT_BYTES);
        long.to = Some(long.author);
        long.tag = Some(long.tag_with(&key()));
        assert!(ChatFrame::Say(long).encode().len() <= limits::CHAT_FRAME_BYTES);
        let known = KnownUpTo {
            author: message().author,
            session: message().session,
            seq: u32::MAX,
        };
        let ask = ChatFrame::Ask {
            known: vec![known; limits::CHAT_KNOWN],
            others: true,
        };
        assert!(
            ask.encode().len() <= limits::CHAT_FRAME_BYTES,
            "{}",
            ask.encode().len()
        );
    }
}
