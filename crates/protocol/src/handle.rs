//! Handles: the names by which people call each other, and what proves them.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

extern crate alloc;

use crate::limits::{HANDLE_CHARS, HANDLE_CHARS_LEAST};

/// A person's handle, in its one spelling.
///
/// 3 to 32 of the letters `a` to `z`, digits, and `.`, `-`, `_` between them; a letter first. Capitals are
/// taken for small letters. Other scripts are left out on purpose: a name that rings must not look like
/// somebody else's, and there is no rule that keeps look-alikes of all scripts apart (Unicode TR 39). What
/// people are called is their display name, which knows every script.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(String);

/// Why a text is no handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHandle {
    /// Fewer than [`HANDLE_CHARS_LEAST`] characters.
    #[error("a handle has 3 characters at least")]
    TooShort,
    /// More than [`HANDLE_CHARS`].
    #[error("a handle has 32 characters at most")]
    TooLong,
    /// A character that no handle has.
    #[error("a handle has letters a to z, digits and . - _ alone")]
    Character,
    /// It does not begin with a letter, ends with a mark, or has two marks in a row.
    #[error("a handle begins with a letter, and its marks stand between letters and digits")]
    Shape,
}

impl Handle {
    /// The handle's one spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads what a person wrote: without spaces around it, capitals as small letters.
    ///
    /// # Errors
    /// See [`InvalidHandle`].
    pub fn read(text: &str) -> Result<Self, InvalidHandle> {
        text.trim().to_ascii_lowercase().parse()
    }
}

impl FromStr for Handle {
    type Err = InvalidHandle;

    /// Takes the one spelling alone: this is what may stand on the wire.
    fn from_str(text: &str) -> Result<Self, InvalidHandle> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_mark = |c: char| matches!(c, '.' | '-' | '_');
        if !text.chars().all(|c| is_plain(c) || is_mark(c)) {
            return Err(InvalidHandle::Character);
        }
        // All of it is ASCII from here on.
        if text.len() < HANDLE_CHARS_LEAST {
            return Err(InvalidHandle::TooShort);
        }
        if text.len() > HANDLE_CHARS {
            return Err(InvalidHandle::TooLong);
        }
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        let doubled = text
            .as_bytes()
            .windows(2)
            .any(|pair| pair.iter().all(|byte| is_mark(char::from(*byte))));
        if !begins || text.ends_with(is_mark) || doubled {
            return Err(InvalidHandle::Shape);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// So many bytes, on the wire as base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed<const N: usize>(pub [u8; N]);

/// An ECDSA key on P-256: the uncompressed point, as `exportKey("raw")` gives it (SEC 1, 2.3.3).
pub type PublicKey = Fixed<65>;

/// A signature by such a key over SHA-256: `r` and `s`, as Web Cryptography gives them.
pub type Signature = Fixed<64>;

/// What a server draws for each socket that wants to prove a handle.
pub type Nonce = Fixed<32>;

/// What is signed to prove a handle on a socket: nothing else that this app signs begins like it.
#[must_use]
pub fn proof(nonce: &Nonce, handle: &Handle) -> Vec<u8> {
    let mut text = b"visavis1/sign-in\0".to_vec();
    text.extend_from_slice(&nonce.0);
    text.extend_from_slice(handle.as_str().as_bytes());
    text
}

impl<const N: usize> fmt::Debug for Fixed<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{N} bytes]")
    }
}

impl<const N: usize> Serialize for Fixed<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || de::Error::custom(format_args!("not {N} bytes of base64url"));
        let mut bytes = [0; N];
        let decoded = Base64UrlUnpadded::decode(&text, &mut bytes).map_err(|_| wrong())?;
        if decoded.len() != N {
            return Err(wrong());
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_has_one_spelling() {
        assert_eq!(Handle::read("  Ada.Lovelace ").unwrap().as_str(), "ada.lovelace");
        for good in ["ada", "a-1", "x_y.z", &"a".repeat(HANDLE_CHARS)] {
            assert_eq!(Handle::read(good).unwrap().as_str(), good);
        }
        // On the wire it is that spelling or nothing.
        assert_eq!("Ada".parse::<Handle>(), Err(InvalidHandle::Character));
    }

    #[test]
    fn what_could_pass_for_somebody_else_is_no_handle() {
        use InvalidHandle::{Character, Shape, TooLong, TooShort};
        for (text, why) in [
            ("", TooShort),
            ("ab", TooShort),
            (&"a".repeat(HANDLE_CHARS + 1)[..], TooLong),
            ("аdа", Character),         // Cyrillic
            ("ada\u{202e}", Character), // turns what follows
            ("ad\u{200b}a", Character), // nothing to be seen
            ("ａｄａ", Character),      // wide
            ("jürgen", Character),
            ("ada lovelace", Character),
            ("ada/../bob", Character),
            ("1ada", Shape),
            (".ada", Shape),
            ("ada-", Shape),
            ("a..da", Shape),
            ("a-_da", Shape),
        ] {
            assert_eq!(Handle::read(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn bytes_are_as_many_as_they_should_be() {
        let key = Fixed([7_u8; 65]);
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<PublicKey>(&text).unwrap(), key);
        assert!(serde_json::from_str::<Signature>(&text).is_err());
        assert!(serde_json::from_str::<Nonce>("\"AA\"").is_err());
        assert!(serde_json::from_str::<PublicKey>("\"not base64!\"").is_err());
    }
}
