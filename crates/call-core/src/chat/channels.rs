//! Channels of the chat: which are open, what was asked on them, and how much is taken from them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::chat::{ChatFrame, ChatMessage};
use visavis_protocol::{SeatId, limits};

use crate::command::Command;
use crate::id::{LinkId, SideChannel};
use crate::peer::Correspondent;
use crate::rate::Rate;
use crate::time::Timestamp;

/// The even pace of one person's messages.
pub(super) const CHAT_EVERY: Duration = Duration::from_millis(1000 / limits::CHAT_PER_SECOND as u64);

/// An open channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) whose: Correspondent,
    /// Whether all that they said so far is known, so that what they say next leaves no gap.
    pub(super) is_complete: bool,
    /// Questions that they have not answered to the end, each with whether others' words were asked for.
    asked: VecDeque<bool>,
    /// Frames and messages that are taken as answers.
    taken: usize,
    said: Rate,
    questions: Rate,
}

/// What the end of an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Goes on.
    Going,
    /// Their own words.
    Own,
    /// Theirs and others'.
    Others,
}

impl Channel {
    pub(super) fn new(whose: Correspondent) -> Self {
        Self {
            whose,
            is_complete: false,
            asked: VecDeque::new(),
            taken: 0,
            said: Rate::default(),
            questions: Rate::default(),
        }
    }

    pub(super) fn send(&self, frame: &ChatFrame, commands: &mut VecDeque<Command>) {
        commands.push_back(Command::SendAside {
            link: self.whose.link,
            channel: SideChannel::Chat,
            text: frame.encode(),
        });
    }

    /// Notes a question, whose answer is taken from now on.
    pub(super) fn ask(&mut self, others: bool) {
        self.asked.push_back(others);
        self.taken += limits::CHAT_PAST_TAKEN;
    }

    /// Whether a frame with so many messages may be part of an answer.
    pub(super) fn admit_past(&mut self, messages: usize) -> bool {
        let cost = messages.max(1);
        if self.asked.is_empty() || cost > self.taken {
            self.asked.clear();
            self.taken = 0;
            return false;
        }
        self.taken -= cost;
        true
    }

    /// A part of an answer came.
    pub(super) fn answered(&mut self, is_end: bool) -> Answer {
        if !is_end {
            return Answer::Going;
        }
        let others = self.asked.pop_front();
        if self.asked.is_empty() {
            self.taken = 0;
        }
        self.is_complete = true;
        if others == Some(true) {
            Answer::Others
        } else {
            Answer::Own
        }
    }

    /// Whether a message may be taken now. After one that may not, there is a gap.
    pub(super) fn admit_said(&mut self, now: Timestamp) -> bool {
        let is_admitted = self.said.admit(now, CHAT_EVERY, limits::CHAT_BURST_TAKEN);
        self.is_complete &= is_admitted;
        is_admitted
    }

    /// Whether a question of theirs may be answered now.
    pub(super) fn admit_question(&mut self, now: Timestamp) -> bool {
        self.questions
            .admit(now, limits::CHAT_ASKED_EVERY, limits::CHAT_ASKED_BURST)
    }
}

/// Open channels, in the order in which they opened.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    open: Vec<Channel>,
}

impl Channels {
    pub(super) fn get_mut(&mut self, link: LinkId) -> Option<&mut Channel> {
        self.open.iter_mut().find(|channel| channel.whose.link == link)
    }

    pub(super) fn has(&self, link: LinkId) -> bool {
        self.open.iter().any(|channel| channel.whose.link == link)
    }

    pub(super) fn open(&mut self, channel: Channel) {
        self.open.push(channel);
    }

    pub(super) fn keep(&mut self, is_kept: impl Fn(LinkId) -> bool) {
        self.open.retain(|channel| is_kept(channel.whose.link));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.open.iter()
    }

    /// Writes a message to whom it is for.
    pub(super) fn say(&self, message: ChatMessage, commands: &mut VecDeque<Command>) {
        let to = message.to;
        let frame = ChatFrame::Say(message);
        let is_for = |seat: SeatId| to.is_none_or(|to| to == seat);
        for channel in self.open.iter().filter(|channel| is_for(channel.whose.seat)) {
            channel.send(&frame, commands);
        }
    }
}
