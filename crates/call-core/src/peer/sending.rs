//! What is sent to a peer: the tracks, and what they are told of them.

use visavis_protocol::{MediaStatus, Signal};

use super::{Context, Peer};
use crate::command::Command;
use crate::id::Slot;

impl Peer {
    /// Brings senders and the peer's knowledge in line with what is captured.
    pub(crate) fn sync_media(&mut self, context: &mut Context<'_>) {
        self.sync_tracks(context);
        // Who has not heard from us yet is told with the first offer or answer.
        if self.told.is_some() {
            self.tell(context.media.status());
        }
    }

    pub(super) fn sync_tracks(&mut self, context: &mut Context<'_>) {
        let Some(link) = self.link.as_mut().filter(|link| link.negotiation.has_slots()) else {
            return;
        };
        for slot in Slot::ALL {
            let capture = context.media.outgoing(slot);
            if core::mem::replace(&mut link.attached[slot.index()], capture) != capture {
                let link = link.negotiation.link();
                context
                    .commands
                    .push_back(Command::SetTrack { link, slot, capture });
            }
        }
    }

    pub(super) fn tell(&mut self, status: MediaStatus) {
        if self.told != Some(status) {
            self.told = Some(status);
            self.courier.post(Signal::Status(status));
        }
    }
}
