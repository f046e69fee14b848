//! What people show each other beside sound and pictures: a raised hand, signs, and that they record.

use core::time::Duration;

use visavis_protocol::{MediaStatus, Reaction};

use super::link::Channel;
use super::{Context, Peer};
use crate::command::Command;
use crate::view::NoticeKind;

/// Pause between two times that it is said that the same person raised their hand: who waves is seen.
const HAND_EVERY: Duration = Duration::from_secs(5);

/// The same for who records, where beginning and end make a pair. What is shown of it is never late.
const RECORDING_EVERY: Duration = Duration::from_secs(5);
/// A beginning and an end may follow each other at once.
const RECORDING_BURST: u32 = 2;

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

    /// Says that they record, or no longer, if that is not what was said last. One that is too much now
    /// is said later, should it still be so.
    pub(super) fn say_recording(&mut self, context: &mut Context<'_>) {
        let is_recording = self.status.recording;
        if is_recording == self.said_recording
            || !self
                .recordings
                .admit(context.now, RECORDING_EVERY, RECORDING_BURST)
        {
            return;
        }
        self.said_recording = is_recording;
        let name = self.name.clone();
        context.signs.notices.push(if is_recording {
            NoticeKind::RecordingStarted { name }
        } else {
            NoticeKind::RecordingStopped { name }
        });
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
        if self.reactions.admit(context.now) {
            let sign = (self.seat, self.name.clone(), reaction);
            context.signs.reactions.push(sign);
        }
    }
}
