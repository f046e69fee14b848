//! Ids and the secrets they are derived from.
//!
//! A seat and a session are both known to others by a hash of a secret that only their holder has.
//! So nobody can claim somebody else's id, and a server that lost its memory can check a claim
//! without having kept anything.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use hkdf::Hkdf;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

extern crate alloc;

/// Bytes in every id and secret: 128 bits, beyond guessing and short in a link.
pub const ID_BYTES: usize = 16;

/// Characters of an id in base64url without padding.
pub const ID_CHARS: usize = 22;

/// A text that is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 22 characters of base64url")]
pub struct InvalidId;

fn parse_bytes(text: &str) -> Result<[u8; ID_BYTES], InvalidId> {
    let mut bytes = [0; ID_BYTES];
    if text.len() != ID_CHARS {
        return Err(InvalidId);
    }
    let decoded = Base64UrlUnpadded::decode(text, &mut bytes).map_err(|_| InvalidId)?;
    if decoded.len() != ID_BYTES {
        return Err(InvalidId);
    }
    Ok(bytes)
}

fn hash(label: &[u8], secret: &[u8]) -> [u8; ID_BYTES] {
    let digest = Sha256::new().chain_update(label).chain_update(secret).finalize();
    let mut bytes = [0; ID_BYTES];
    bytes.copy_from_slice(&digest[..ID_BYTES]);
    bytes
}

/// Visits a borrowed or owned string without asking which the decoder has.
struct IdVisitor;

impl de::Visitor<'_> for IdVisitor {
    type Value = [u8; ID_BYTES];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("22 characters of base64url")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        parse_bytes(text).map_err(E::custom)
    }
}

macro_rules! bytes16 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; ID_BYTES]);

        impl $name {
            /// Takes 16 bytes as they are. Secrets must come from a cryptographic generator.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
                Self(bytes)
            }

            /// The bytes behind the text form.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
                &self.0
            }

            /// The 22 characters of base64url that stand for it on the wire and in links.
            #[must_use]
            pub fn to_text(&self) -> String {
                Base64UrlUnpadded::encode_string(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_bytes(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut buffer = [0; ID_CHARS];
                match Base64UrlUnpadded::encode(&self.0, &mut buffer) {
                    Ok(text) => serializer.serialize_str(text),
                    Err(_) => Err(serde::ser::Error::custom("id does not fit its text form")),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(IdVisitor).map(Self)
            }
        }
    };
}

macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident) => {
        bytes16!($(#[$doc])* $name);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_text())
            }
        }

        impl fmt::Debug for $name {
            /// The first six characters: enough to tell ids apart in a log.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_text()[..6])
            }
        }
    };
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        bytes16!($(#[$doc])* $name);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

public_id! {
    /// One participant's session: new at each join, kept over reconnects of the socket.
    ///
    /// The order of two peer ids decides who is polite in perfect negotiation.
    PeerId
}

public_id! {
    /// One place at the table: kept over reloads of the tab, so that one tile stays one tile.
    SeatId
}

public_id! {
    /// One life of a server. A client that sees a new epoch knows that the server forgot it.
    Epoch
}

public_id! {
    /// Shows that a chat message was written with the room's secret. See [`crate::chat::ChatMessage`].
    ChatTag
}

public_id! {
    /// One transfer of files between two people. Known to these two alone, drawn by the sender.
    TransferId
}

public_id! {
    /// One call from one person to another, drawn by the caller.
    CallId
}

public_id! {
    /// The host of a room: a hash of what its maker keeps. It stands in the room's link and id.
    HostId
}

public_id! {
    /// A professional's desk, made by the operator.
    DeskId
}

public_id! {
    /// One appointment, drawn by its desk.
    AppointmentId
}

secret! {
    /// Proves the host of a room to the server; its hash is the [`HostId`]. Kept in the maker's browser.
    HostSecret
}

secret! {
    /// Shows to the server that made it that one seat was let into one room. Good for nobody else.
    Pass
}

secret! {
    /// Proves a session to the server; its hash is the [`PeerId`]. Lives in memory only.
    SessionSecret
}

secret! {
    /// Proves a seat to the server; its hash is the [`SeatId`]. Lives in the tab's session storage.
    SeatSecret
}

secret! {
    /// The secret in a room link's fragment. Sent nowhere: the server sees a [`RoomId`] made of it.
    RoomSecret
}

secret! {
    /// What the messages of a room's chat are marked with. See [`RoomSecret::chat_key`].
    ChatKey
}

impl RoomSecret {
    /// The key of a room's chat: `HKDF-SHA256(secret, info = "visavis1/chat" || room id, 16 bytes)`.
    /// Whoever has the link has it, the server has not.
    #[must_use]
    pub fn chat_key(&self, room: &RoomId) -> ChatKey {
        let mut bytes = [0; ID_BYTES];
        let expanded = Hkdf::<Sha256>::new(None, self.as_bytes())
            .expand_multi_info(&[b"visavis1/chat", room.as_str().as_bytes()], &mut bytes);
        debug_assert!(expanded.is_ok(), "16 bytes are within HKDF's reach");
        ChatKey(bytes)
    }
}

impl HostSecret {
    /// The public id of this host.
    #[must_use]
    pub fn host_id(&self) -> HostId {
        HostId(hash(b"visavis1/host", &self.0))
    }
}

/// Whose a room is, as its link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Charter {
    /// The host.
    pub host: HostId,
    /// Whether newcomers wait from the room's first second on, until the host says otherwise.
    pub waiting_room: bool,
}

impl SessionSecret {
    /// The public id of this session.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        PeerId(hash(b"visavis1/peer", &self.0))
    }
}

impl SeatSecret {
    /// The seat secret of one room, made of a tab's: whoever sees two rooms must not learn that the
    /// same tab sits in both. A room with a host keeps its seats when its secret changes.
    #[must_use]
    pub fn in_room(&self, room: &RoomId) -> Self {
        let mut bytes = self.0.to_vec();
        match room.charter() {
            Some(charter) => bytes.extend_from_slice(charter.host.as_bytes()),
            None => bytes.extend_from_slice(room.as_str().as_bytes()),
        }
        Self(hash(b"visavis1/room-seat", &bytes))
    }

    /// The public id of this seat.
    #[must_use]
    pub fn seat_id(&self) -> SeatId {
        SeatId(hash(b"visavis1/seat", &self.0))
    }
}

/// A room as the server knows it.
///
/// `n.<name>` is an open room, reached by whoever knows its name. `s.<22 characters>` is derived
/// from a link's secret and tells the server neither the name nor the secret. `h.<22>.<22>` is the
/// same with the id of the room's host behind it, `w.<22>.<22>` where newcomers wait from the first
/// second on. The prefixes keep them apart, so that knowing a derived id opens nothing through an open
/// room's link, and a link that was changed to say another host leads to another room.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RoomId(String);

impl RoomId {
    /// The id of the room that a link names.
    ///
    /// With a secret: `HKDF-SHA256(secret, info = "visavis1/room-id" || name, 16 bytes)`.
    /// Without one: the name, which must be in lower case then. `name` must be a
    /// [valid](crate::room_name::check) name in normalization form C, or two browsers could derive
    /// two rooms from one link. Both forms are the caller's to make: a browser has the tables for
    /// them, and a program of ours would carry them along. The server checks.
    #[must_use]
    pub fn derive(name: &str, secret: Option<&RoomSecret>) -> Self {
        let Some(secret) = secret else {
            return Self(alloc::format!("n.{name}"));
        };
        let mut bytes = [0; ID_BYTES];
        let expanded = Hkdf::<Sha256>::new(None, secret.as_bytes())
            .expand_multi_info(&[b"visavis1/room-id", name.as_bytes()], &mut bytes);
        debug_assert!(expanded.is_ok(), "16 bytes are within HKDF's reach");
        Self(alloc::format!("s.{}", Base64UrlUnpadded::encode_string(&bytes)))
    }

    /// The id of the room that a link with a host names: see [`RoomId::derive`].
    #[must_use]
    pub fn derive_hosted(name: &str, secret: &RoomSecret, charter: Charter) -> Self {
        let derived = Self::derive(name, Some(secret));
        let id = derived.0.strip_prefix("s.").unwrap_or_default();
        let kind = if charter.waiting_room { 'w' } else { 'h' };
        Self(alloc::format!("{kind}.{id}.{}", charter.host.to_text()))
    }

    /// Whose the room is; none where it has no host.
    #[must_use]
    pub fn charter(&self) -> Option<Charter> {
        let waiting_room = match self.0.split_at_checked(2)?.0 {
            "h." => false,
            "w." => true,
            _ => return None,
        };
        let (_, host) = self.0[2..].split_once('.')?;
        let host = host.parse().ok()?;
        Some(Charter { host, waiting_room })
    }

    /// The name of an open room.
    #[must_use]
    pub fn open_name(&self) -> Option<&str> {
        self.0.strip_prefix("n.")
    }

    /// The text that stands for the room on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let valid = match text.split_at_checked(2) {
            Some(("s.", id)) => parse_bytes(id).is_ok(),
            Some(("h." | "w.", rest)) => rest
                .split_once('.')
                .is_some_and(|(id, host)| parse_bytes(id).is_ok() && parse_bytes(host).is_ok()),
            Some(("n.", name)) => crate::room_name::check(name).is_ok(),
            Some(_) | None => false,
        };
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId)
        }
    }
}

impl fmt::Debug for RoomId {
    /// Eight characters: a log may tell rooms apart, never let somebody in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Sha256::digest(self.0.as_bytes());
        f.write_str(&Base64UrlUnpadded::encode_string(&digest[..6]))
    }
}

impl<'de> Deserialize<'de> for RoomId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_in_debug_output() {
        let secret = RoomSecret::from_bytes([7; 16]);
        assert_eq!(alloc::format!("{secret:?}"), "RoomSecret(…)");
    }

    #[test]
    fn a_room_says_whose_it_is_and_keeps_its_seats_over_a_new_secret() {
        let host = HostSecret::from_bytes([5; 16]).host_id();
        let charter = |waiting_room| Charter { host, waiting_room };
        let secret = |byte| RoomSecret::from_bytes([byte; 16]);
        let room = RoomId::derive_hosted("tea", &secret(1), charter(true));
        assert_eq!(room.as_str().parse(), Ok(room.clone()));
        assert_eq!(room.charter(), Some(charter(true)));
        let next = RoomId::derive_hosted("tea", &secret(2), charter(true));
        assert_ne!(room, next);
        let tab = SeatSecret::from_bytes([9; 16]);
        assert_eq!(tab.in_room(&room), tab.in_room(&next));
        let plain = RoomId::derive("tea", Some(&secret(1)));
        assert_eq!(plain.charter(), None);
        assert_ne!(tab.in_room(&plain), tab.in_room(&room));
        assert_ne!(room, RoomId::derive_hosted("tea", &secret(1), charter(false)));
        for text in [
            "h.short.x",
            "h.AAAAAAAAAAAAAAAAAAAAAA",
            "x.AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(text.parse::<RoomId>(), Err(InvalidId), "{text}");
        }
    }

    #[test]
    fn ids_survive_their_text_form() {
        let id = PeerId::from_bytes([0xfb; 16]);
        assert_eq!(id.to_text().parse(), Ok(id));
        assert_eq!(id.to_text().len(), ID_CHARS);
        assert_eq!("short".parse::<PeerId>(), Err(InvalidId));
        // The last character carries four unused bits: only their zero form is an id.
        assert_eq!("AAAAAAAAAAAAAAAAAAAAAB".parse::<PeerId>(), Err(InvalidId));
    }

    #[test]
    fn a_room_with_a_secret_tells_the_server_neither_name_nor_secret() {
        let secret = RoomSecret::from_bytes([1; 16]);
        let room = RoomId::derive("tea", Some(&secret));
        assert!(room.as_str().starts_with("s."));
        assert!(!room.as_str().contains("tea"));
        assert_ne!(room, RoomId::derive("Tea", Some(&secret)));
        assert_ne!(
            room,
            RoomId::derive("tea", Some(&RoomSecret::from_bytes([2; 16])))
        );
        assert_eq!(room.as_str().parse(), Ok(room.clone()));
        // Pinned: a change here would turn every shared link into another room.
        assert_eq!(room.as_str(), "s.d3GXnGYeaf_v4clp6CVQXg");
    }

    #[test]
    fn a_tab_has_another_seat_in_every_room() {
        let tab = SeatSecret::from_bytes([1; 16]);
        let (tea, milk) = (RoomId::derive("tea", None), RoomId::derive("milk", None));
        assert_eq!(tab.in_room(&tea).seat_id(), tab.in_room(&tea).seat_id());
        assert_ne!(tab.in_room(&tea).seat_id(), tab.in_room(&milk).seat_id());
        assert_ne!(tab.in_room(&tea).seat_id(), tab.seat_id());
    }

    #[test]
    fn an_open_room_is_its_name() {
        assert_eq!(RoomId::derive("tea time", None).as_str(), "n.tea time");
        assert_eq!(RoomId::derive("tea time", None).open_name(), Some("tea time"));
        assert!("tea".parse::<RoomId>().is_err());
        assert!("s.tea".parse::<RoomId>().is_err());
    }
}
