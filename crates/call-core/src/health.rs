//! Whether anything arrives on one connection, and what to do when nothing does.
//!
//! ```text
//! heard ──2 s──▶ ask the server for a sign of life, restart ICE
//!                (one fixed side; the other 5 s later, should that one not see it)
//!       ──3 s──▶ the person is told
//!       ──10 s after the first restart──▶ a new connection
//! ```
//! The bytes that arrive decide, not the name of a state alone: ICE says `disconnected` seconds
//! late, and says it of connections that heal by themselves (F15 to F17).

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::fault::{Fault, Faults};
use crate::time::Timestamp;

/// Silence after which something is done, where sound should flow without a pause.
const SILENT_AFTER: Duration = Duration::from_secs(2);
/// The same where only a beat comes every second, from a page that may be held up for a moment.
const QUIET_AFTER: Duration = Duration::from_secs(4);
/// How much longer the side waits whose turn it is not, so that both do not restart at once.
const OTHER_PATIENCE: Duration = Duration::from_secs(5);
/// Silence after which nobody need be quick any more.
const LONG: Duration = Duration::from_secs(120);
/// How long before that the server is asked for a sign of life: if it does not answer either, the
/// network is away, and the connection will heal by itself when it is back. What is done meanwhile
/// would only be in its way.
const SUSPICIOUS_BEFORE: Duration = Duration::from_millis(1100);
/// How long silence is kept from the person after something is done about it.
const TOLD_AFTER: Duration = Duration::from_secs(1);
/// Pause between two ICE restarts, and how many there may be in [`RESTARTS_WITHIN`].
const RESTART_PAUSE: Duration = Duration::from_secs(5);
const RESTARTS: usize = 5;
const RESTARTS_WITHIN: Duration = Duration::from_secs(60);

/// See the module. Begins when the connection stands for the first time.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    heard: Timestamp,
    /// Whether there was a silence, and no media since.
    misses_media: bool,
    on_channel: Timestamp,
    /// When the other side last said that it hears nothing.
    doubted: Option<Timestamp>,
    bytes: u64,
    /// Whether the other side sends sound.
    is_loud: bool,
    restarts: VecDeque<Timestamp>,
    faults: Faults,
}

impl Health {
    pub(crate) fn new(now: Timestamp, faults: Faults) -> Self {
        Self {
            heard: now,
            misses_media: false,
            on_channel: now,
            doubted: None,
            bytes: 0,
            is_loud: false,
            restarts: VecDeque::new(),
            faults,
        }
    }

    /// Something arrived.
    pub(crate) fn hear(&mut self, now: Timestamp) {
        self.hear_from(now, Duration::ZERO);
    }

    /// Something arrived so long ago.
    fn hear_from(&mut self, now: Timestamp, age: Duration) {
        self.misses_media |= self.is_silent(now);
        self.heard = self.heard.max(now - age);
    }

    /// A message came on the control channel.
    pub(crate) fn hear_on_channel(&mut self, now: Timestamp) {
        self.on_channel = now;
    }

    /// Whether the control channel was alive a moment ago. After a hole media are there at once, but
    /// SCTP tries again only seconds later, and whatever is written meanwhile waits for that.
    pub(crate) fn has_sure_channel(&self, now: Timestamp) -> bool {
        let is_doubted = self.doubted.is_some_and(|at| now.since(at) < QUIET_AFTER);
        now.since(self.on_channel) < QUIET_AFTER && !is_doubted
    }

    /// The other side hears nothing on this connection. Returns whether that is news.
    pub(crate) fn doubt_channel(&mut self, now: Timestamp) -> bool {
        let was_sure = self.has_sure_channel(now);
        self.doubted = Some(now);
        was_sure
    }

    /// Whether anything arrived after a moment.
    pub(crate) fn heard_after(&self, moment: Timestamp) -> bool {
        self.heard > moment
    }

    /// So many bytes of media have arrived since the connection was made, the last of them so long
    /// ago. Returns whether they are the first after a silence.
    pub(crate) fn measured(&mut self, now: Timestamp, bytes: u64, age: Duration) -> bool {
        let is_new = bytes != self.bytes;
        if is_new {
            self.bytes = bytes;
            // Asked once a second, silence that began between would be noticed up to a second late.
            self.hear_from(now, age);
        }
        is_new && core::mem::take(&mut self.misses_media)
    }

    /// The other side says whether it sends sound.
    pub(crate) fn expect(&mut self, is_loud: bool) {
        self.is_loud = is_loud;
    }

    const fn patience(&self) -> Duration {
        if self.is_loud { SILENT_AFTER } else { QUIET_AFTER }
    }

    /// Whether nothing arrives. Then nothing that is written on the control channel does, either.
    pub(crate) fn is_silent(&self, now: Timestamp) -> bool {
        now.since(self.heard) >= self.patience()
    }

    /// Whether nothing arrives, and that not for long.
    pub(crate) fn fell_silent(&self, now: Timestamp) -> bool {
        self.is_suspicious(now) && now.since(self.heard) < LONG
    }

    /// Whether it looks as if nothing arrived: time to ask whether anything else does.
    pub(crate) fn is_suspicious(&self, now: Timestamp) -> bool {
        now.since(self.heard) + SUSPICIOUS_BEFORE >= self.patience()
    }

    pub(crate) fn is_to_be_told(&self, now: Timestamp) -> bool {
        now.since(self.heard) >= self.patience() + TOLD_AFTER
    }

    /// Whether ICE is to be restarted now. `is_first` if it is this side's turn, `has_failed` if the
    /// browser itself has given up.
    pub(crate) fn wants_restart(&self, now: Timestamp, is_first: bool, has_failed: bool) -> bool {
        let more = if is_first { Duration::ZERO } else { OTHER_PATIENCE };
        let is_due = now.since(self.heard) >= self.patience() + more || (has_failed && is_first);
        is_due && self.may_restart(now)
    }

    /// Whether another restart is allowed by now.
    pub(crate) fn may_restart(&self, now: Timestamp) -> bool {
        self.may_restart_at().is_none_or(|at| now >= at)
    }

    /// When the next restart is allowed.
    fn may_restart_at(&self) -> Option<Timestamp> {
        if self.faults.has(Fault::RestartsUnbounded) {
            return None;
        }
        let after_last = self.restarts.back().map(|last| *last + RESTART_PAUSE);
        let full = self.restarts.len() >= RESTARTS;
        let after_first = self
            .restarts
            .front()
            .filter(|_| full)
            .map(|first| *first + RESTARTS_WITHIN);
        match (after_last, after_first) {
            (Some(last), Some(first)) => Some(last.max(first)),
            (one, None) | (None, one) => one,
        }
    }

    /// ICE is being restarted.
    pub(crate) fn restarted(&mut self, now: Timestamp) {
        self.restarts.push_back(now);
        if self.restarts.len() > RESTARTS {
            self.restarts.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default() + S * u32::try_from(seconds).unwrap()
    }

    fn loud() -> Health {
        let mut health = Health::new(at(0), Faults::default());
        health.expect(true);
        health
    }

    #[test]
    fn who_sends_no_sound_is_waited_for_longer() {
        let mut health = loud();
        health.expect(false);
        assert!(!health.is_silent(at(3)));
        assert!(health.is_silent(at(4)));
    }

    #[test]
    fn silence_is_counted_from_the_last_byte() {
        let mut health = loud();
        health.measured(at(1), 100, Duration::ZERO);
        health.measured(at(2), 100, Duration::ZERO);
        assert!(!health.is_silent(at(2)));
        assert!(health.is_silent(at(3)));
        assert!(health.is_to_be_told(at(4)));
        health.measured(at(5), 101, Duration::ZERO);
        assert!(!health.is_silent(at(5)));
    }

    #[test]
    fn silence_begins_with_the_last_packet_and_not_when_somebody_asks() {
        let mut health = loud();
        health.measured(at(4), 100, Duration::from_millis(900));
        assert!(health.is_silent(at(6) - Duration::from_millis(900)));
        health.hear(at(7));
        health.measured(at(7), 101, S);
        assert!(!health.is_silent(at(8)), "what was heard later counts");
    }

    #[test]
    fn media_return_once_also_where_a_message_was_first() {
        let mut health = loud();
        assert!(!health.measured(at(1), 100, Duration::ZERO));
        health.hear(at(5));
        assert!(!health.measured(at(5), 100, Duration::ZERO));
        assert!(health.measured(at(6), 101, Duration::ZERO));
        assert!(!health.measured(at(7), 102, Duration::ZERO));
        assert!(health.measured(at(9), 103, Duration::ZERO));
    }

    #[test]
    fn one_side_restarts_first() {
        let health = loud();
        assert!(!health.wants_restart(at(1), true, false));
        assert!(health.wants_restart(at(2), true, false));
        assert!(!health.wants_restart(at(6), false, false));
        assert!(health.wants_restart(at(7), false, false));
        assert!(health.wants_restart(at(0), true, true), "the browser gave up");
        assert!(!health.wants_restart(at(0), false, true));
    }

    #[test]
    fn restarts_are_five_seconds_apart_and_five_a_minute() {
        let mut health = loud();
        let mut restarts = Vec::new();
        for second in 0..180 {
            if health.wants_restart(at(second), true, false) {
                health.restarted(at(second));
                restarts.push(second);
            }
        }
        assert_eq!(restarts[..5], [2, 7, 12, 17, 22]);
        for window in restarts.windows(6) {
            assert!(window[5] - window[0] >= 60, "{restarts:?}");
        }
        assert!(restarts.len() > 12, "it never stops: {restarts:?}");
    }
}
