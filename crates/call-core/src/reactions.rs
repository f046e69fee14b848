//! Signs that people show for a moment: who showed which lately, and how often that is said.
//!
//! Every sign is shown; said of them is little, for a screen reader would talk of nothing else.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::{Reaction, SeatId, limits};

use crate::rate::Rate;
use crate::time::Timestamp;
use crate::view::{NoticeKind, Reacted};

/// Reactions kept for a shell that shows them late: what eight people show in a second.
const REACTIONS: usize = 24;
/// Pause between two times that a sign is said aloud, whoever showed it.
const SAID_EVERY: Duration = Duration::from_secs(3);

/// The even pace of one person's reactions.
const REACTION_EVERY: Duration = Duration::from_millis(1000 / limits::REACTIONS_PER_SECOND as u64);

/// How many reactions are taken from one other person. The core drops what is too much; a shell that
/// counts as well, before it tells the core, has less to do with a flood of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReactionRate(Rate);

impl ReactionRate {
    /// Whether one more may be taken now.
    pub fn admit(&mut self, now: Timestamp) -> bool {
        self.0.admit(now, REACTION_EVERY, limits::REACTIONS_BURST_TAKEN)
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reactions {
    last: VecDeque<Reacted>,
    counted: u64,
    sent: Rate,
    said: Rate,
}

impl Reactions {
    /// Takes the person's own; returns whether it is to be sent.
    pub(crate) fn send(&mut self, now: Timestamp, reaction: Reaction) -> bool {
        let is_sent = self.sent.admit(now, REACTION_EVERY, limits::REACTIONS_BURST);
        if is_sent {
            self.show(None, reaction);
        }
        is_sent
    }

    /// Takes somebody's; returns what the person should be told of it, if anything.
    pub(crate) fn take(
        &mut self,
        now: Timestamp,
        seat: SeatId,
        name: String,
        reaction: Reaction,
    ) -> Option<NoticeKind> {
        self.show(Some(seat), reaction);
        self.said
            .admit(now, SAID_EVERY, 1)
            .then_some(NoticeKind::Reacted { name, reaction })
    }

    fn show(&mut self, seat: Option<SeatId>, reaction: Reaction) {
        self.counted += 1;
        self.last.push_back(Reacted {
            number: self.counted,
            seat,
            reaction,
        });
        if self.last.len() > REACTIONS {
            self.last.pop_front();
        }
    }

    /// Forgets them; the next one is still numbered after them.
    pub(crate) fn clear(&mut self) {
        self.last.clear();
    }

    pub(crate) fn view(&self) -> Vec<Reacted> {
        self.last.iter().cloned().collect()
    }
}
