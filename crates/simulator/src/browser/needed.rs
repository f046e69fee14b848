//! The negotiation-needed flag: W3C WebRTC 1.0, section 4.7.3, step by step.

use super::{Direction, Output, PeerConnection, Signaling, Task, Transceiver};

/// The slots of the algorithm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Flags {
    /// `[[NegotiationNeeded]]`
    needed: bool,
    /// `[[UpdateNegotiationNeededFlagOnEmptyChain]]`
    update_on_empty_chain: bool,
    /// A check is queued; a second one would find nothing new.
    queued: bool,
}

impl PeerConnection {
    /// "Update the negotiation-needed flag".
    pub(super) fn update_negotiation_needed(&mut self) {
        if !self.chain.is_empty() {
            self.needed.update_on_empty_chain = true;
            return;
        }
        if !self.needed.queued {
            self.needed.queued = true;
            self.tell(Output::Later(Task::CheckNegotiationNeeded));
        }
    }

    /// The queued task of that algorithm.
    pub(super) fn check_negotiation_needed(&mut self) {
        self.needed.queued = false;
        if !self.chain.is_empty() {
            self.needed.update_on_empty_chain = true;
            return;
        }
        if self.signaling != Signaling::Stable {
            return;
        }
        if !self.is_negotiation_needed() {
            self.needed.needed = false;
            return;
        }
        if !self.needed.needed {
            self.needed.needed = true;
            self.tell(Output::NegotiationNeeded);
        }
    }

    pub(super) fn chain_is_empty(&mut self) {
        if std::mem::take(&mut self.needed.update_on_empty_chain) {
            self.update_negotiation_needed();
        }
    }

    pub(super) fn became_stable(&mut self) {
        self.signaling = Signaling::Stable;
        self.needed.needed = false;
        self.update_negotiation_needed();
    }

    /// "Check if negotiation is needed".
    #[must_use]
    pub fn is_negotiation_needed(&self) -> bool {
        !self.ice_credentials_to_replace.is_empty()
            || self
                .transceivers
                .iter()
                .any(|transceiver| self.needs_negotiation(transceiver))
    }

    fn needs_negotiation(&self, transceiver: &Transceiver) -> bool {
        let (Some(local), Some(remote), Some(mid)) =
            (&self.current_local, &self.current_remote, transceiver.mid)
        else {
            return true;
        };
        let (Some(ours), Some(theirs)) = (local.section(mid), remote.section(mid)) else {
            return true;
        };
        let wanted: Direction = transceiver.direction;
        if local.is_offer {
            wanted != ours.direction && wanted != theirs.direction.reversed()
        } else {
            ours.direction != wanted.and(theirs.direction.reversed())
        }
    }
}
