//! Making offers and answers (RFC 9429, sections 5.2 and 5.3).

use visavis_call_core::SdpKind;

use super::{PeerConnection, Section, SessionDescription, Signaling, Transceiver, Ufrag};

impl PeerConnection {
    /// The description that an argument-less `setLocalDescription` would set now, and the
    /// transceivers of its sections.
    pub(super) fn make_description(&mut self) -> (SessionDescription, Vec<u32>) {
        match self.signaling {
            Signaling::Stable | Signaling::HaveLocalOffer => self.make_offer(),
            Signaling::HaveRemoteOffer => self.make_answer(),
        }
    }

    fn make_offer(&mut self) -> (SessionDescription, Vec<u32>) {
        let mut sections = Vec::with_capacity(self.transceivers.len());
        let mut transceivers = Vec::with_capacity(self.transceivers.len());
        // Sections that were agreed on, or are on offer, keep their place.
        let known = self.pending_local.as_ref().or(self.current_local.as_ref());
        for section in known.iter().flat_map(|description| &description.sections) {
            if let Some(transceiver) = self.by_mid(section.mid) {
                sections.push(Section {
                    direction: transceiver.direction,
                    ..*section
                });
                transceivers.push(transceiver.id);
            }
        }
        let taken = self.transceivers.iter().filter_map(|transceiver| transceiver.mid);
        let unused = taken.max().map_or(0, |mid| mid + 1)..;
        let fresh = self.transceivers.iter().filter(|t| t.mid.is_none());
        for (mid, transceiver) in unused.zip(fresh) {
            sections.push(Section {
                mid,
                kind: transceiver.kind,
                direction: transceiver.direction,
            });
            transceivers.push(transceiver.id);
        }
        let ufrag = match known {
            Some(description) if self.ice_credentials_to_replace.is_empty() => description.ufrag,
            Some(_) | None => self.next_generation(),
        };
        let description = SessionDescription::new(SdpKind::Offer, self.next_version(), ufrag, sections);
        (description, transceivers)
    }

    fn make_answer(&mut self) -> (SessionDescription, Vec<u32>) {
        let offer = self.pending_remote.clone();
        let offered = offer.iter().flat_map(|offer| &offer.sections);
        let mut sections = Vec::new();
        let mut transceivers = Vec::new();
        for section in offered {
            if let Some(transceiver) = self.by_mid(section.mid) {
                sections.push(Section {
                    direction: transceiver.direction.and(section.direction.reversed()),
                    ..*section
                });
                transceivers.push(transceiver.id);
            }
        }
        // An answer has new credentials if and only if the offer has.
        let restarts = self.current_remote.as_ref().map(|remote| remote.ufrag)
            != offer.as_ref().map(|offer| offer.ufrag);
        let ufrag = match &self.current_local {
            Some(local) if !restarts => local.ufrag,
            Some(_) | None => self.next_generation(),
        };
        let description = SessionDescription::new(SdpKind::Answer, self.next_version(), ufrag, sections);
        (description, transceivers)
    }

    pub(super) fn by_mid(&self, mid: u16) -> Option<&Transceiver> {
        self.transceivers
            .iter()
            .find(|transceiver| transceiver.mid == Some(mid))
    }

    const fn next_generation(&mut self) -> Ufrag {
        self.last_generation += 1;
        Ufrag {
            connection: self.id,
            generation: self.last_generation,
        }
    }

    const fn next_version(&mut self) -> u32 {
        self.last_version += 1;
        self.last_version
    }
}
