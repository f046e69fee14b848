//! Sessions that were given up and may come back: a laptop that slept longer than the server waits.
//!
//! Their side still has its courier and its connection, ours has neither. What is kept here is
//! only the number of the era in which both can start from nothing.

use alloc::collections::VecDeque;

use visavis_protocol::PeerId;

use crate::peer::Peer;

/// Sessions that are remembered; the longest gone is forgotten first. Who was forgotten and comes back
/// is not reached until a reload, so it is more than a room sees while somebody sleeps: 10 KiB.
const REMEMBERED: usize = 512;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct GivenUp {
    next_eras: VecDeque<(PeerId, u32)>,
}

impl GivenUp {
    /// Notes a peer that is given up with all that was said.
    pub(crate) fn note(&mut self, peer: &Peer) {
        let Some(era) = peer.next_era() else { return };
        self.next_eras.retain(|(id, _)| *id != peer.id);
        self.next_eras.push_back((peer.id, era));
        if self.next_eras.len() > REMEMBERED {
            self.next_eras.pop_front();
        }
    }

    /// The era in which a peer is met.
    pub(crate) fn era_of(&self, id: PeerId) -> u32 {
        self.next_eras
            .iter()
            .find(|(known, _)| *known == id)
            .map_or(0, |(_, era)| *era)
    }

    /// Forgets all: our own session is a new one, which nobody has met.
    pub(crate) fn clear(&mut self) {
        self.next_eras.clear();
    }
}
