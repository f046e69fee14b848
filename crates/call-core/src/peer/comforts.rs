//! What people show each other beside sound and pictures: a raised hand, and signs.

use core::time::Duration;

use visavis_protocol::{MediaStatus, Reaction, limits};

use super::link::Channel;
use super::{Context, Peer};
use crate::command::Command;
use crate::reactions::REACTION_EVERY;
use crate::view::NoticeKind;

/// Pause between two times that it is said that the same person raised their hand: who waves is seen.
const HAND_EVERY: Duration = Duration::from_secs(5);

impl Peer {
    /// The place of their hand among those that are raised; 0 while it is down.
    pub(crate) const fn hand(&self) -> u32 {
        self.status.hand
    }

    pub(super) fn hand_changed(&mut self, before: MediaStatus, context: &mut Context<'_>) {
        let is_news = self.status.hand > 0 && before.hand == 0;
        if is_news && self.hands.admit(context.now, HAND_EVERY, 1) {
            let name = self.name.clone();
            context.signs.notices.push(NoticeKind::HandRaised { name });
        }
    }

    /// Shows them a sign, where there is a way to.
    pub(crate) fn react(&self, reaction: Reaction, context: &mut Context<'_>) {
        if let Some(link) = self.link.as_ref().filter(|link| link.channel == Channel::Open) {
            let link = link.negotiation.link();
            context
                .commands
                .push_back(Command::SendReaction { link, reaction });
        }
    }

    pub(super) fn take_reaction(&mut self, text: &str, context: &mut Context<'_>) {
        let Some(reaction) = Reaction::from_sign(text) else {
            return;
        };
        if self
            .reactions
            .admit(context.now, REACTION_EVERY, limits::REACTIONS_BURST_TAKEN)
        {
            let sign = (self.seat, self.name.clone(), reaction);
            context.signs.reactions.push(sign);
        }
    }
}
