//! What somebody is told who asks what was said: as much as they may know and do not know yet.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use visavis_protocol::chat::{ChatFrame, ChatMessage, KnownUpTo};
use visavis_protocol::limits;

use super::Chat;
use crate::command::Command;
use crate::id::SideChannel;
use crate::peer::Correspondent;

/// Bytes of a frame beside its messages.
const AROUND: usize = 64;

impl Chat {
    /// Tells the newest of what they lack, oldest first.
    pub(super) fn answer(
        &self,
        asker: &Correspondent,
        known: &[KnownUpTo],
        others: bool,
        commands: &mut VecDeque<Command>,
    ) {
        let lacks = |message: &ChatMessage| {
            let is_known = |known: &KnownUpTo| {
                known.author == message.author && known.session == message.session && known.seq >= message.seq
            };
            let is_own = Some(message.author) == self.seat;
            // What is private is between its author and its addressee: of the two we are one, and who
            // asks has to be the other.
            let may_know = message
                .to
                .is_none_or(|to| to == asker.seat || message.author == asker.seat);
            (is_own || others) && may_know && !known.iter().any(is_known)
        };
        let mut bytes = 0;
        let mut told: Vec<&ChatMessage> = Vec::new();
        for entry in self.history.entries().iter().rev() {
            let message = &entry.message;
            if !lacks(message) {
                continue;
            }
            bytes += message.text.len();
            if told.len() == limits::CHAT_PAST || bytes > limits::CHAT_PAST_BYTES {
                break;
            }
            told.push(message);
        }
        let mut list: Vec<ChatMessage> = Vec::new();
        let mut size = AROUND;
        let mut send = |list: Vec<ChatMessage>, end: bool| {
            commands.push_back(Command::SendAside {
                link: asker.link,
                channel: SideChannel::Chat,
                text: ChatFrame::Past { list, end }.encode(),
            });
        };
        for message in told.into_iter().rev() {
            let next = ChatFrame::Say(message.clone()).encode().len();
            if size + next > limits::CHAT_FRAME_BYTES {
                send(core::mem::take(&mut list), false);
                size = AROUND;
            }
            size += next;
            list.push(message.clone());
        }
        send(list, true);
    }
}
