//! Files between two peers.
//!
//! What is to be said about transfers travels as [`FilesFrame`]s on the `files` channel (ordered,
//! reliable, negotiated id [`FILES_CHANNEL`]). Each transfer's bytes travel on a channel of its own, the
//! *pipe*, which the sender makes once the receiver wants them: in-band, ordered and reliable, label
//! [`PIPE_LABEL`], `protocol` as [`PipeName`] writes it. On it the sender writes for each block a text
//! message ([`PipeFrame::Block`]) and then its bytes in binary messages of
//! [`crate::limits::CHUNK_BYTES`] (the last one shorter).
//!
//! A transfer is one file or a folder of files. Its bytes are cut into blocks of
//! [`crate::limits::BLOCK_BYTES`]; each file begins a new block, so that the last block of a file may be
//! shorter and an empty file has none. Blocks are numbered from 0 over all files of the transfer.

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::InvalidId;
use crate::message::{DecodeError, encode};

/// `id` of the channel on which transfers are talked about (`negotiated` by both sides).
pub const FILES_CHANNEL: u16 = 3;
/// `label` and `protocol` of that channel.
pub const FILES_LABEL: &str = "files";
/// `label` of a channel that carries one transfer's bytes.
pub const PIPE_LABEL: &str = "file";

/// A SHA-256, 64 characters of lower-case hexadecimal on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash(pub [u8; 32]);

/// The name of a pipe, its `protocol`: which transfer, and for the how manieth time the receiver wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipeName {
    /// Which transfer.
    pub transfer: TransferId,
    /// Repeated from [`FilesFrame::Want`].
    pub attempt: u32,
}

pub use crate::id::TransferId;

/// One file of a transfer, as its sender tells it. Nothing of it is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// The file's name, in a folder with the folders that it is in, parted by `/`, without the name
    /// of the folder that is sent.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was changed last: milliseconds since 1970, 0 where unknown.
    #[serde(default)]
    pub modified: u64,
}

/// What is said about a transfer beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilesFrame {
    /// Sender: may I send you this?
    Offer {
        /// Its name from now on, drawn at random.
        transfer: TransferId,
        /// The folder's name; `None` for a single file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<String>,
        /// The files, at least one.
        files: Vec<FileEntry>,
    },
    /// Receiver: send it, from this block on. Also how a cut transfer goes on.
    Want {
        /// Which.
        transfer: TransferId,
        /// To be in the pipe's name; counts up with each `want` of one stay.
        attempt: u32,
        /// The first block that is missing: all before it are stored and verified.
        from: u32,
        /// SHA-256 over the hashes of all blocks before `from`, one after the other. A sender that
        /// has picked the file anew compares it.
        root: BlockHash,
    },
    /// Sender: I no longer have the file at hand, the person was asked to pick it again; or they did, and
    /// it is being compared with what was sent of it.
    Lacking {
        /// Which.
        transfer: TransferId,
    },
    /// Sender: say what you want of it. Said when a file that was lacking is at hand again, and whenever
    /// the two meet.
    Ready {
        /// Which.
        transfer: TransferId,
    },
    /// Either side: wait a little, or go on.
    Pause {
        /// Which.
        transfer: TransferId,
        /// Whether the teller wants it to rest.
        paused: bool,
    },
    /// Receiver: everything is verified and stored. Said whenever the two meet again: they may have been
    /// cut off from each other after the last block and before [`PipeFrame::Done`] was read.
    Done {
        /// Which.
        transfer: TransferId,
    },
    /// Either side: this transfer is over before its end.
    Stop {
        /// Which.
        transfer: TransferId,
        /// Why.
        reason: StopReason,
    },
}

/// Why a transfer ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The receiver does not want it.
    Declined,
    /// Somebody changed their mind.
    Cancelled,
    /// The receiver cannot take so much.
    TooBig,
    /// Too many offers wait for the receiver's answer.
    TooMany,
    /// The offer makes no sense: no file, a name that is none, a length that is none.
    BadOffer,
    /// What came is not what was announced.
    BadContent,
    /// The file is another one than was offered: changed, or another was picked.
    Changed,
    /// It could not be read by the sender.
    Unreadable,
    /// It could not be stored by the receiver.
    Unstorable,
    /// The teller knows no such transfer.
    Unknown,
    /// What a newer version may say.
    #[serde(other)]
    Other,
}

/// A text message on a pipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PipeFrame {
    /// Sender: the binary messages that follow are this block.
    Block {
        /// Its number; they come in order, without gaps, beginning with `from` of `want`.
        number: u32,
        /// Its length, known to both from the offer.
        bytes: u32,
        /// Its SHA-256.
        hash: BlockHash,
    },
    /// Sender: that was the last block.
    End {
        /// SHA-256 over the hashes of all blocks, one after the other.
        root: BlockHash,
    },
    /// Receiver: all blocks before this one are verified and stored.
    Have {
        /// The first one that is not.
        upto: u32,
    },
    /// Receiver: everything is verified and stored. The sender closes the pipe.
    Done {},
}

impl FilesFrame {
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

    /// The transfer that an offer is about which cannot be read for what else it says: lengths below
    /// zero, names that are numbers.
    #[must_use]
    pub fn named_by_bad_offer(text: &str) -> Option<TransferId> {
        let broken: BadOffer = serde_json::from_str(text).ok()?;
        Some(broken.offer.transfer)
    }

    /// Which transfer it is about.
    #[must_use]
    pub const fn transfer(&self) -> TransferId {
        match self {
            Self::Offer { transfer, .. }
            | Self::Want { transfer, .. }
            | Self::Lacking { transfer }
            | Self::Ready { transfer }
            | Self::Pause { transfer, .. }
            | Self::Done { transfer }
            | Self::Stop { transfer, .. } => *transfer,
        }
    }
}

#[derive(Deserialize)]
struct BadOffer {
    offer: Named,
}

#[derive(Deserialize)]
struct Named {
    transfer: TransferId,
}

impl PipeFrame {
    /// The frame as JSON text.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self)
    }

    /// Reads a peer's frame.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if it is none.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        serde_json::from_str(text).map_err(|_| DecodeError::Malformed)
    }
}

impl fmt::Display for PipeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.transfer, self.attempt)
    }
}

impl FromStr for PipeName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (transfer, attempt) = text.split_once('.').ok_or(InvalidId)?;
        Ok(Self {
            transfer: transfer.parse()?,
            attempt: attempt.parse().map_err(|_| InvalidId)?,
        })
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}{:02x}", self.0[0], self.0[1], self.0[2])
    }
}

impl Serialize for BlockHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for BlockHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HashVisitor)
    }
}

struct HashVisitor;

impl de::Visitor<'_> for HashVisitor {
    type Value = BlockHash;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64 lower-case hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<BlockHash, E> {
        let wrong = || E::custom("not 64 lower-case hexadecimal digits");
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(wrong());
            };
            *byte = high << 4 | low;
        }
        Ok(BlockHash(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_named_by_its_transfer_and_attempt() {
        let name = PipeName {
            transfer: TransferId::from_bytes([7; 16]),
            attempt: 3,
        };
        assert_eq!(name.to_string().parse(), Ok(name));
        for wrong in [
            "",
            ".",
            "BwcHBwcHBwcHBwcHBwcHBw",
            "BwcHBwcHBwcHBwcHBwcHBw.-1",
            "x.1",
        ] {
            assert!(wrong.parse::<PipeName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_hash_has_one_spelling() {
        let hash = BlockHash([0xab; 32]);
        let text = serde_json::to_string(&hash).unwrap();
        assert_eq!(text, format!("\"{}\"", "ab".repeat(32)));
        assert_eq!(serde_json::from_str::<BlockHash>(&text).unwrap(), hash);
        for wrong in ["AB".repeat(32), "ab".repeat(31), "gg".repeat(32), "é".repeat(32)] {
            assert!(serde_json::from_str::<BlockHash>(&format!("\"{wrong}\"")).is_err());
        }
    }

    #[test]
    fn a_reason_of_a_newer_version_is_another() {
        assert_eq!(
            serde_json::from_str::<StopReason>("\"moonlight\"").unwrap(),
            StopReason::Other
        );
    }
}
