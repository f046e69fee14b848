//! Who is told of which ICE servers, and the credentials for relays.
//!
//! A relay costs its operator bandwidth, so only those who are seated are told of one. A TURN server
//! that shares a secret with us takes credentials that we make ("A REST API For Access To TURN
//! Services", draft-uberti-behave-turn-rest-00; `use-auth-secret` of coturn): they end by
//! themselves, and nothing has to be stored on either side.

use core::fmt;
use core::time::Duration;

use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use visavis_protocol::{Epoch, IceServer, PeerId, ServerMessage};

use super::config::HubConfig;
use super::connection::Place;
use super::room::RoomKey;
use super::{ConnectionKey, Hub};

/// Bytes of a username's second half: enough that no two sessions share a relay's quota by chance.
const TAIL_BYTES: usize = 4;

/// TURN servers that share a secret with us.
#[derive(Clone, Debug)]
pub struct TurnConfig {
    /// Their URLs, told as one ICE server.
    pub urls: Vec<String>,
    /// What the servers know as `static-auth-secret`.
    pub secret: TurnSecret,
    /// For how long credentials are good.
    pub lifetime: Duration,
}

impl TurnConfig {
    /// Credentials that are good from a moment since 1970 on. `tail` makes the username somebody's
    /// own; it has no colon.
    #[must_use]
    pub fn credentials(&self, unix: Duration, tail: &str) -> Credentials {
        let until = unix.saturating_add(self.lifetime).as_secs();
        let username = format!("{until}:{tail}");
        let credential = Base64::encode_string(&self.secret.sign(&[username.as_bytes()]));
        Credentials {
            username,
            credential,
            until: Duration::from_secs(until),
        }
    }

    /// The servers with credentials, as browsers want them.
    #[must_use]
    pub fn server(&self, credentials: &Credentials) -> IceServer {
        IceServer {
            urls: self.urls.clone(),
            username: Some(credentials.username.clone()),
            credential: Some(credentials.credential.clone()),
        }
    }
}

/// A secret shared with TURN servers. Shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnSecret(Box<str>);

impl TurnSecret {
    /// The secret, or `None` if there is nothing but space.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// HMAC-SHA1 of the parts one after another. The relay's protocol knows no other hash; the
    /// collisions of SHA-1 are no way into its HMAC.
    fn sign(&self, parts: &[&[u8]]) -> [u8; 20] {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(self.0.as_bytes()).expect("an HMAC takes a key of any length");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for TurnSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnSecret(..)")
    }
}

/// A user of a TURN server, for a while.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: String,
    credential: String,
    /// The end, since 1970.
    until: Duration,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// The ICE servers of a hub.
pub(super) struct Relays {
    /// Those that need no credentials.
    open: Vec<IceServer>,
    /// Those whose credentials stand in the settings.
    fixed: Vec<IceServer>,
    turn: Option<TurnConfig>,
    epoch: Epoch,
    /// The time since 1970 when the hub's own count is zero.
    unix: Duration,
    /// Credentials made so far.
    made: u64,
}

impl Relays {
    pub(super) fn new(config: &HubConfig, epoch: Epoch, unix: Duration) -> Self {
        let (fixed, open) = config
            .ice
            .iter()
            .cloned()
            .partition(|server| server.credential.is_some());
        Self {
            open,
            fixed,
            turn: config.turn.clone(),
            epoch,
            unix,
            made: 0,
        }
    }

    /// Servers for everybody.
    pub(super) fn open(&self) -> &[IceServer] {
        &self.open
    }

    /// Whether there is more for those who are seated.
    pub(super) const fn are_set(&self) -> bool {
        self.turn.is_some() || !self.fixed.is_empty()
    }

    pub(super) const fn set_clock(&mut self, now: Duration, unix: Duration) {
        self.unix = unix.saturating_sub(now);
    }

    /// Everything for somebody seated, and for how long it is good. `held` is what they were told
    /// before: it is told again until half its life is over, for a relay counts what it gives by
    /// credentials, and who asks often must not get often.
    fn seated(&mut self, now: Duration, held: &mut Option<Credentials>) -> (Vec<IceServer>, Option<u64>) {
        let mut servers = [self.open.as_slice(), &self.fixed].concat();
        let Some(turn) = &self.turn else {
            return (servers, None);
        };
        let unix = self.unix.saturating_add(now);
        let left = |held: &Credentials| held.until.saturating_sub(unix);
        let credentials = match held.take().filter(|held| left(held) > turn.lifetime / 2) {
            Some(credentials) => credentials,
            None => {
                let tail = tail(&turn.secret, self.epoch, self.made);
                self.made += 1;
                turn.credentials(unix, &tail)
            }
        };
        servers.push(turn.server(&credentials));
        let lifetime_ms = u64::try_from(left(&credentials).as_millis()).unwrap_or(u64::MAX);
        *held = Some(credentials);
        (servers, Some(lifetime_ms))
    }
}

/// The second half of the `n`th username of an epoch. It need not be secret, only other than all
/// before: nothing has to be drawn by chance.
fn tail(secret: &TurnSecret, epoch: Epoch, n: u64) -> String {
    let hash = secret.sign(&[b"visavis1/turn-user", epoch.as_bytes(), &n.to_be_bytes()]);
    let mut text = String::with_capacity(2 * TAIL_BYTES);
    for byte in &hash[..TAIL_BYTES] {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

impl Hub {
    /// The ICE servers for a session that is seated, and for how many milliseconds they are good.
    pub(super) fn ice_for(
        &mut self,
        now: Duration,
        key: RoomKey,
        peer: PeerId,
    ) -> (Vec<IceServer>, Option<u64>) {
        let seat = self
            .rooms
            .get_mut(&key)
            .and_then(|room| room.seats.iter_mut().find(|seat| seat.peer == peer));
        match seat {
            Some(seat) => self.relays.seated(now, &mut seat.turn),
            None => (self.relays.open.clone(), None),
        }
    }

    /// Answers `ice`.
    pub(super) fn tell_ice(&mut self, now: Duration, connection: ConnectionKey, place: Place) {
        let Place::Seated(key, peer) = place else {
            return self.send_error(
                connection,
                visavis_protocol::ErrorCode::NotJoined,
                Some("ice"),
                None,
            );
        };
        let (servers, lifetime_ms) = self.ice_for(now, key, peer);
        self.send(connection, &ServerMessage::Ice { servers, lifetime_ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202, section 3.
    #[test]
    fn the_mac_is_that_of_its_standard() {
        let hex = |bytes: [u8; 20]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let jefe = TurnSecret::new("Jefe").unwrap();
        assert_eq!(
            hex(jefe.sign(&[b"what do ya want ", b"for nothing?"])),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        let long = TurnSecret::new(&"k".repeat(200)).unwrap();
        assert_ne!(long.sign(&[b"x"]), jefe.sign(&[b"x"]));
    }

    #[test]
    fn credentials_are_those_that_a_turn_server_computes() {
        let turn = TurnConfig {
            urls: vec!["turn:turn.example".into()],
            secret: TurnSecret::new("north\n").unwrap(),
            lifetime: Duration::from_secs(3600),
        };
        let server = turn.server(&turn.credentials(Duration::from_secs(1_767_222_000), "0a1b2c3d"));
        assert_eq!(server.username.as_deref(), Some("1767225600:0a1b2c3d"));
        // printf 1767225600:0a1b2c3d | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(server.credential.as_deref(), Some("Zwp+inZRHGErvNNZlAUgTfqBiB0="));
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(TurnSecret::new(" \n"), None);
        let turn = TurnConfig {
            urls: Vec::new(),
            secret: TurnSecret::new("north").unwrap(),
            lifetime: Duration::from_secs(30),
        };
        let credentials = turn.credentials(Duration::ZERO, "ab");
        let shown = format!("{turn:?} {credentials:?}");
        assert!(!shown.contains("north"), "{shown}");
        assert!(!shown.contains(&credentials.credential), "{shown}");
    }
}
