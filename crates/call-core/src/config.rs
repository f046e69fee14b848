//! What a core is told once, at its beginning.

use core::fmt;
use core::time::Duration;

use sha2::{Digest, Sha256};
use visavis_protocol::{CallId, RoomSecret, SessionSecret, TransferId};

use crate::fault::Faults;

/// Settings of a core.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many connections may be made ready on the page before joining, with nothing sent.
    pub links_ahead: usize,
    /// How often what arrived on connections is looked at, and beats are sent.
    pub pulse: Duration,
    /// Whether a connection that has failed stays useless in this browser although ICE is restarted.
    /// It is made anew then, without trying that first.
    pub failed_is_final: bool,
    /// Whether this browser keeps to the working path until the new one is complete, when it offers an
    /// ICE restart. Where only one of two does, it is the one to offer them.
    pub restarts_well: bool,
    /// Whether the two of a direct call meet in a room. Where there are none, as where calls alone are played
    /// through, they have met as soon as the call is taken.
    pub calls_have_rooms: bool,
    /// Wrong behaviour to be planted, for the simulator's own test. Always empty in a shipped build.
    pub faults: Faults,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            links_ahead: 0,
            pulse: Duration::from_secs(1),
            failed_is_final: false,
            restarts_well: false,
            calls_have_rooms: true,
            faults: Faults::default(),
        }
    }
}

/// 256 bits from a cryptographic generator, from which a core makes its secrets and its jitter.
#[derive(Clone)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Takes the bytes as they are.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// Makes secrets and random numbers from a [`Seed`], the same ones each time it is replayed.
#[derive(Clone, Debug)]
pub(crate) struct Randomness {
    seed: Seed,
    sessions: u64,
    transfers: u64,
    calls: u64,
    rooms: u64,
    /// For jitter only: not a cryptographic generator.
    jitter: fastrand::Rng,
}

impl Randomness {
    pub(crate) fn new(seed: Seed) -> Self {
        let digest = Sha256::new()
            .chain_update(b"visavis1/jitter")
            .chain_update(seed.0)
            .finalize();
        let mut start = [0; 8];
        start.copy_from_slice(&digest[..8]);
        Self {
            seed,
            sessions: 0,
            transfers: 0,
            calls: 0,
            rooms: 0,
            jitter: fastrand::Rng::with_seed(u64::from_le_bytes(start)),
        }
    }

    pub(crate) fn session_secret(&mut self) -> SessionSecret {
        self.sessions += 1;
        SessionSecret::from_bytes(self.draw(b"visavis1/session", self.sessions))
    }

    pub(crate) fn room_secret(&mut self) -> RoomSecret {
        self.rooms += 1;
        RoomSecret::from_bytes(self.draw(b"visavis1/room-secret", self.rooms))
    }

    pub(crate) fn call(&mut self) -> CallId {
        self.calls += 1;
        CallId::from_bytes(self.draw(b"visavis1/call", self.calls))
    }

    pub(crate) fn transfer(&mut self) -> TransferId {
        self.transfers += 1;
        TransferId::from_bytes(self.draw(b"visavis1/transfer", self.transfers))
    }

    fn draw(&self, label: &[u8], nth: u64) -> [u8; 16] {
        let digest = Sha256::new()
            .chain_update(label)
            .chain_update(self.seed.0)
            .chain_update(nth.to_le_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes
    }

    /// A duration between zero and `longest`, evenly distributed.
    pub(crate) fn up_to(&mut self, longest: Duration) -> Duration {
        let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX - 1);
        Duration::from_micros(self.jitter.u64(0..=micros))
    }
}
