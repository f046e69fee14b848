//! Figures for operators: what there is, and what there has been.

use visavis_protocol::{CloseCode, ErrorCode};

/// What a hub holds at the moment. Everything but the memory of addresses is zero once everybody
/// has left, and that fades within the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open sockets.
    pub connections: usize,
    /// Rooms with somebody seated.
    pub rooms: usize,
    /// Seats taken.
    pub seats: usize,
    /// Seats among them whose socket is gone.
    pub away: usize,
    /// Sockets that watch a room.
    pub watchers: usize,
    /// People who wait before a room.
    pub waiting: usize,
    /// Addresses remembered for their rates or failures.
    pub addresses: usize,
    /// Timers, some of which may turn out to have nothing to do.
    pub timers: usize,
}

/// What a hub has seen since its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Sockets opened.
    pub connections: u64,
    /// Messages received.
    pub messages: u64,
    /// Seats taken.
    pub joins: u64,
    /// Sessions taken over by another socket.
    pub resumes: u64,
    /// Packets handed on.
    pub relayed: u64,
    /// Bytes of them.
    pub relayed_bytes: u64,
    /// In the order of [`ErrorCode::ALL`].
    pub errors: [u64; ErrorCode::ALL.len()],
    /// In the order of [`CloseCode::ALL`]; those that the hub decided.
    pub closes: [u64; CloseCode::ALL.len()],
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            connections: 0,
            messages: 0,
            joins: 0,
            resumes: 0,
            relayed: 0,
            relayed_bytes: 0,
            // More than the standard library makes defaults of.
            errors: [0; ErrorCode::ALL.len()],
            closes: [0; CloseCode::ALL.len()],
        }
    }
}

impl Totals {
    pub(super) fn count_error(&mut self, code: ErrorCode) {
        if let Some(at) = ErrorCode::ALL.iter().position(|known| *known == code) {
            self.errors[at] += 1;
        }
    }

    pub(super) fn count_close(&mut self, code: CloseCode) {
        if let Some(at) = CloseCode::ALL.iter().position(|known| *known == code) {
            self.closes[at] += 1;
        }
    }
}
