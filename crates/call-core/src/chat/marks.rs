//! Up to where each author's words are known, so that they need not be told again.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use visavis_protocol::chat::KnownUpTo;
use visavis_protocol::{PeerId, SeatId, limits};

/// How far one session of one author is known.
#[derive(Clone, Copy, Debug)]
struct Mark {
    author: SeatId,
    session: PeerId,
    /// From the author.
    own: u32,
    /// From anybody.
    any: u32,
}

/// See the module. Bounded: who is forgotten is asked for once more.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// Whoever was heard of last is last.
    marks: VecDeque<Mark>,
}

impl Marks {
    /// Everything of a session up to a number is known, from its author or from somebody else.
    pub(super) fn note(&mut self, author: SeatId, session: PeerId, seq: u32, is_own: bool) {
        let known = |mark: &Mark| mark.author == author && mark.session == session;
        let at = self.marks.iter().position(known);
        let mut mark = at.and_then(|at| self.marks.remove(at)).unwrap_or(Mark {
            author,
            session,
            own: 0,
            any: 0,
        });
        mark.any = mark.any.max(seq);
        if is_own {
            mark.own = mark.own.max(seq);
        }
        self.marks.push_back(mark);
        if self.marks.len() > limits::CHAT_KNOWN {
            self.marks.pop_front();
        }
    }

    /// What need not be told by somebody: of their own words what they told, of others' what anybody did.
    pub(super) fn known_to_tell(&self, teller: SeatId, others: bool) -> Vec<KnownUpTo> {
        let is_asked = |mark: &&Mark| others || mark.author == teller;
        let known = self.marks.iter().filter(is_asked).map(|mark| KnownUpTo {
            author: mark.author,
            session: mark.session,
            seq: if mark.author == teller { mark.own } else { mark.any },
        });
        known.filter(|known| known.seq > 0).collect()
    }

    pub(super) fn clear(&mut self) {
        self.marks.clear();
    }
}
