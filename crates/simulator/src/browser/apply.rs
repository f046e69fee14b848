//! Setting descriptions and candidates: "set a session description" of W3C WebRTC 1.0
//! (section 4.4.1.5), and what it refuses.

use visavis_call_core::SdpKind;

use super::{
    Direction, Output, PeerConnection, Refusal, SessionDescription, Signaling, Task, Transceiver, Ufrag,
};

impl PeerConnection {
    pub(super) fn apply_local(&mut self, description: SessionDescription, transceivers: &[u32]) {
        for (section, id) in description.sections.iter().zip(transceivers) {
            if let Some(transceiver) = self.transceivers.iter_mut().find(|t| t.id == *id) {
                transceiver.mid = Some(section.mid);
            }
        }
        if self.gathered.insert(description.ufrag) {
            self.tell(Output::Later(Task::Gather(description.ufrag, 0)));
        }
        if description.is_offer {
            self.pending_local = Some(description);
            self.signaling = Signaling::HaveLocalOffer;
        } else {
            self.current_remote = self.pending_remote.take();
            self.current_local = Some(description);
            self.pending_local = None;
            self.agreed();
        }
    }

    pub(super) fn apply_remote(&mut self, kind: SdpKind, sdp: &str) -> Result<(), Refusal> {
        let description = SessionDescription::parse(kind, sdp).map_err(|_| Refusal::Unreadable)?;
        match kind {
            SdpKind::Offer => self.apply_remote_offer(description),
            SdpKind::Answer => self.apply_remote_answer(description),
        }
    }

    fn apply_remote_offer(&mut self, offer: SessionDescription) -> Result<(), Refusal> {
        if self.signaling == Signaling::HaveLocalOffer {
            return Err(Refusal::WrongState);
        }
        if let Some(current) = &self.current_local {
            let keeps_order = current
                .sections
                .iter()
                .zip(&offer.sections)
                .all(|(ours, theirs)| ours.mid == theirs.mid && ours.kind == theirs.kind);
            if !keeps_order || offer.sections.len() < current.sections.len() {
                return Err(Refusal::SectionsMoved);
            }
        }
        for section in &offer.sections {
            if self.by_mid(section.mid).is_none() {
                self.last_transceiver += 1;
                self.transceivers.push(Transceiver {
                    id: self.last_transceiver,
                    kind: section.kind,
                    direction: Direction::RecvOnly,
                    current_direction: None,
                    mid: Some(section.mid),
                    from_pending_offer: true,
                    track: None,
                });
            }
        }
        self.pending_remote = Some(offer);
        self.signaling = Signaling::HaveRemoteOffer;
        Ok(())
    }

    fn apply_remote_answer(&mut self, answer: SessionDescription) -> Result<(), Refusal> {
        if self.signaling != Signaling::HaveLocalOffer {
            return Err(Refusal::WrongState);
        }
        let Some(offer) = &self.pending_local else {
            return Err(Refusal::WrongState);
        };
        let matches = offer.sections.len() == answer.sections.len()
            && offer
                .sections
                .iter()
                .zip(&answer.sections)
                .all(|(offered, answered)| {
                    offered.mid == answered.mid
                        && offered.kind == answered.kind
                        && answered.direction.and(offered.direction.reversed()) == answered.direction
                });
        if !matches {
            return Err(Refusal::AnswerMismatch);
        }
        self.current_local = self.pending_local.take();
        self.current_remote = Some(answer);
        self.pending_remote = None;
        self.agreed();
        Ok(())
    }

    /// An answer was applied, on either side.
    fn agreed(&mut self) {
        let (Some(local), Some(remote)) = (&self.current_local, &self.current_remote) else {
            return;
        };
        for transceiver in &mut self.transceivers {
            let Some(mid) = transceiver.mid else { continue };
            if let (Some(ours), Some(theirs)) = (local.section(mid), remote.section(mid)) {
                transceiver.current_direction = Some(ours.direction.and(theirs.direction.reversed()));
                transceiver.from_pending_offer = false;
            }
        }
        if !self.ice_credentials_to_replace.contains(&local.ufrag) {
            self.ice_credentials_to_replace.clear();
        }
        let remote = remote.ufrag;
        self.remote_candidates.retain(|ufrag| *ufrag == remote);
        self.became_stable();
        self.tell(Output::TracksChanged);
    }

    /// Takes the local offer back. Transceivers that were added by a call stay, without a section.
    pub(super) fn roll_back_local(&mut self) {
        self.pending_local = None;
        self.forget_pending_sections();
        self.became_stable();
    }

    /// Takes the remote offer back. Transceivers that it made go with it.
    pub(super) fn roll_back_remote(&mut self) {
        self.pending_remote = None;
        self.transceivers
            .retain(|transceiver| !transceiver.from_pending_offer);
        if let Some(slots) = self.slots
            && slots.iter().any(|id| self.transceiver(*id).is_none())
        {
            self.slots = None;
        }
        self.forget_pending_sections();
        let current = self.current_remote.as_ref().map(|remote| remote.ufrag);
        self.remote_candidates.retain(|ufrag| Some(*ufrag) == current);
        self.became_stable();
    }

    fn forget_pending_sections(&mut self) {
        let current = self.current_local.as_ref();
        for transceiver in &mut self.transceivers {
            transceiver.mid = transceiver
                .mid
                .filter(|mid| current.is_some_and(|current| current.section(*mid).is_some()));
        }
    }

    pub(super) fn apply_candidate(&mut self, ufrag: &str, mid: Option<&str>) -> Result<(), Refusal> {
        let remotes = [&self.pending_remote, &self.current_remote];
        if remotes.iter().all(|remote| remote.is_none()) {
            return Err(Refusal::NoRemoteDescription);
        }
        let ufrag: Ufrag = ufrag.parse().map_err(|_| Refusal::UnknownUfrag)?;
        let remote = remotes
            .into_iter()
            .flatten()
            .find(|remote| remote.ufrag == ufrag)
            .ok_or(Refusal::UnknownUfrag)?;
        if let Some(mid) = mid {
            let mid = mid.parse().map_err(|_| Refusal::UnknownMid)?;
            remote.section(mid).ok_or(Refusal::UnknownMid)?;
            self.remote_candidates.insert(ufrag);
        }
        Ok(())
    }
}
