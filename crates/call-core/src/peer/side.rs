//! The side channels of a connection: which are open, and who is told of what comes on them.

use super::{Context, Correspondent, Peer};
use crate::event::SideEvent;
use crate::id::SideChannel;

impl Peer {
    /// Hands on what happened, with who they are.
    pub(super) fn handle_side(&mut self, channel: SideChannel, event: SideEvent, context: &mut Context<'_>) {
        let Some(link) = &self.link else { return };
        let whose = Correspondent {
            seat: self.seat,
            peer: self.id,
            name: self.name.clone(),
            link: link.negotiation.link(),
        };
        context.signs.aside.push((whose, channel, event));
    }
}
