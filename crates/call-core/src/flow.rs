//! Whether sound and pictures that a peer says they send arrive, on a connection that stands (S5).
//!
//! ```text
//! flows ──3 s flat──▶ the sender is asked to attach it anew
//!       ──3 s──▶ ICE is restarted ──5 s──▶ a new connection ──60 s──▶ from the beginning
//! ```
//! Each step is told on both sides: here in the tile, there by the question.

use core::time::Duration;

use crate::id::Slot;
use crate::time::Timestamp;

/// How long a flow may stand still. A camera at 10 fps brings 30 pictures in that time.
const FLAT_AFTER: Duration = Duration::from_secs(3);
/// How long to wait for the effect of an ICE restart.
const RESTART_HELPS_WITHIN: Duration = Duration::from_secs(5);
/// Pause after the last step: a picture that its sender's network cannot carry freezes for long.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Connections on which nothing came, after which there is a pause.
const IN_VAIN: u8 = 3;

/// What to do about a flow that stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    Reattach,
    Restart,
    Rebuild,
}

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    progress: u64,
    /// When it last moved, or something was last done about it.
    since: Timestamp,
    tried: Option<Remedy>,
    /// Whether anything has come since it was last begun.
    has_begun: bool,
    /// On how many connections before this one nothing ever came.
    in_vain: u8,
}

impl Flow {
    /// Whether it stands still so that the person should know.
    pub(crate) const fn is_frozen(&self) -> bool {
        self.tried.is_some()
    }

    /// Nothing is sent.
    pub(crate) fn end(&mut self, now: Timestamp) {
        self.rest(now);
        self.has_begun = false;
    }

    /// Whether anything has come since it was last begun.
    pub(crate) const fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// The connection stands from now on.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        if self.tried.is_none() {
            self.since = now;
        }
    }

    /// The flow of the connection that takes this one's place. A camera that brings nothing on one
    /// connection after another would have them made anew without end: after three there is a pause.
    pub(crate) fn on_new_connection(self, now: Timestamp) -> Self {
        if self.has_begun {
            return Self::default();
        }
        let in_vain = self.in_vain.saturating_add(1);
        Self {
            since: now,
            tried: (in_vain >= IN_VAIN).then_some(Remedy::Rebuild),
            in_vain,
            ..Self::default()
        }
    }

    /// Nothing is expected to flow, or a new connection begins.
    pub(crate) fn rest(&mut self, now: Timestamp) {
        self.since = now;
        self.tried = None;
    }

    /// A new connection could not be made now: soon again.
    pub(crate) const fn postpone(&mut self) {
        self.tried = Some(Remedy::Restart);
    }

    /// So much has arrived in all; what to do if that is no more than before.
    pub(crate) fn measured(&mut self, now: Timestamp, progress: u64) -> Option<Remedy> {
        if progress != self.progress {
            self.progress = progress;
            self.has_begun = true;
            self.in_vain = 0;
            self.rest(now);
            return None;
        }
        let (patience, remedy) = match self.tried {
            None => (FLAT_AFTER, Remedy::Reattach),
            Some(Remedy::Reattach) => (FLAT_AFTER, Remedy::Restart),
            Some(Remedy::Restart) => (RESTART_HELPS_WITHIN, Remedy::Rebuild),
            Some(Remedy::Rebuild) => (AGAIN_AFTER, Remedy::Reattach),
        };
        if now.since(self.since) < patience {
            return None;
        }
        self.since = now;
        self.tried = Some(remedy);
        Some(remedy)
    }
}

/// One for each slot.
pub(crate) type Flows = [Flow; Slot::ALL.len()];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_flow_is_helped_step_by_step() {
        let mut flow = Flow::default();
        let mut steps = Vec::new();
        for second in 0..90_u64 {
            let now = Timestamp::from_millis(second * 1000);
            let progress = if second < 5 { second } else { 4 };
            if let Some(remedy) = flow.measured(now, progress) {
                steps.push((second, remedy));
            }
        }
        assert_eq!(
            steps,
            [
                (7, Remedy::Reattach),
                (10, Remedy::Restart),
                (15, Remedy::Rebuild),
                (75, Remedy::Reattach),
                (78, Remedy::Restart),
                (83, Remedy::Rebuild),
            ]
        );
        assert!(flow.is_frozen());
        assert_eq!(flow.measured(Timestamp::from_millis(91_000), 5), None);
        assert!(!flow.is_frozen());
    }

    #[test]
    fn a_flow_that_never_comes_has_three_new_connections_and_then_one_a_minute() {
        let mut flow = Flow::default();
        let mut rebuilt = Vec::new();
        for second in 0..240_u64 {
            let now = Timestamp::from_millis(second * 1000);
            if flow.measured(now, 0) == Some(Remedy::Rebuild) {
                rebuilt.push(second);
                flow = flow.on_new_connection(now);
                flow.begin(now);
            }
        }
        for pair in rebuilt[3..].windows(2) {
            assert!(pair[1] - pair[0] >= 60, "{rebuilt:?}");
        }
        assert!(rebuilt.len() > 4, "it never stops: {rebuilt:?}");
    }

    #[test]
    fn what_is_not_sent_is_not_missed() {
        let mut flow = Flow::default();
        for second in 0..60_u64 {
            flow.rest(Timestamp::from_millis(second * 1000));
        }
        assert_eq!(flow.measured(Timestamp::from_millis(61_000), 0), None);
    }
}
