//! Remote candidates that wait for the description they belong to.
//!
//! A candidate belongs to one ICE generation, named by its user fragment. It may come before that
//! generation's description (then it waits) or after the generation was replaced (then it is
//! stale and dropped without a word): field failures F2 and F3.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::{Candidate, limits};

use crate::fault::{Fault, Faults};
use crate::sdp::Ufrags;
use crate::time::Timestamp;

/// The longest ICE user fragment (RFC 8839, section 5.4), and the longest id of a media section here.
const UFRAG_BYTES: usize = 256;

/// Generations that may wait or be remembered as retired at once: the present one, one that is
/// being applied, one that lost a collision, and one to spare.
const GENERATIONS: usize = 4;

#[derive(Clone, Debug)]
struct Held {
    ufrag: String,
    /// `None` says that no more will come.
    candidate: Option<Candidate>,
    until: Timestamp,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates {
    /// User fragments of the applied remote description.
    current: Ufrags,
    retired: VecDeque<String>,
    held: VecDeque<Held>,
    faults: Faults,
}

impl Candidates {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

    /// The user fragments of the applied remote description.
    pub(crate) const fn current(&self) -> &Ufrags {
        &self.current
    }

    /// Takes candidates of one generation; those that must wait are kept within the limits.
    pub(crate) fn receive(
        &mut self,
        now: Timestamp,
        ufrag: String,
        candidates: impl Iterator<Item = Option<Candidate>>,
    ) {
        if self.retired.contains(&ufrag) {
            return;
        }
        if self.faults.has(Fault::DropEarlyCandidates) && !self.current.contains(&ufrag) {
            return;
        }
        if ufrag.len() > UFRAG_BYTES {
            return;
        }
        let until = now + limits::CANDIDATE_HELD_FOR;
        let mut room = limits::CANDIDATES_PER_GENERATION
            .saturating_sub(self.held.iter().filter(|held| held.ufrag == ufrag).count());
        for candidate in candidates {
            let too_long = candidate.as_ref().is_some_and(|c| {
                let mid = c.mid.as_ref().map_or(0, String::len);
                c.candidate.len() > limits::CANDIDATE_BYTES || mid > UFRAG_BYTES
            });
            if room == 0 || too_long {
                continue;
            }
            room -= 1;
            self.held.push_back(Held {
                ufrag: ufrag.clone(),
                candidate,
                until,
            });
        }
        while self.held.len() > limits::CANDIDATES_PER_GENERATION * GENERATIONS {
            self.held.pop_front();
        }
    }

    /// A remote description with these user fragments was applied.
    pub(crate) fn described(&mut self, ufrags: Ufrags) {
        if ufrags == self.current {
            return;
        }
        for old in core::mem::replace(&mut self.current, ufrags) {
            self.retired.push_back(old);
        }
        self.forget_retired();
    }

    /// The applied remote offer was taken back and these user fragments hold again.
    pub(crate) fn rolled_back_to(&mut self, ufrags: Ufrags) {
        // Those taken back may come again with the next offer, so they are not retired.
        self.current = ufrags;
        self.forget_retired();
    }

    fn forget_retired(&mut self) {
        let current = &self.current;
        self.retired.retain(|ufrag| !current.contains(ufrag));
        while self.retired.len() > GENERATIONS {
            self.retired.pop_front();
        }
        let retired = &self.retired;
        self.held.retain(|held| !retired.contains(&held.ufrag));
    }

    /// Takes out, in order, all that may be handed to the browser now.
    pub(crate) fn ready(&mut self) -> Vec<(String, Option<Candidate>)> {
        if self.faults.has(Fault::IgnoreUfrag) {
            return self
                .held
                .drain(..)
                .map(|held| (held.ufrag, held.candidate))
                .collect();
        }
        if !self.held.iter().any(|held| self.current.contains(&held.ufrag)) {
            return Vec::new();
        }
        let (ready, waiting): (VecDeque<_>, _) = self
            .held
            .drain(..)
            .partition(|held| self.current.contains(&held.ufrag));
        self.held = waiting;
        ready
            .into_iter()
            .map(|held| (held.ufrag, held.candidate))
            .collect()
    }

    /// Drops what has waited too long.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.held.retain(|held| held.until > now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.held.iter().map(|held| held.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(n: usize) -> Option<Candidate> {
        Some(Candidate {
            candidate: alloc::format!("candidate:{n}"),
            mid: None,
            line: Some(0),
        })
    }

    fn set(ufrag: &str) -> Ufrags {
        vec![ufrag.into()]
    }

    #[test]
    fn early_candidates_wait_for_their_description() {
        let mut held = Candidates::default();
        held.receive(Timestamp::default(), "a".into(), [candidate(1), None].into_iter());
        assert!(held.ready().is_empty());
        held.described(set("a"));
        assert_eq!(held.ready(), [("a".into(), candidate(1)), ("a".into(), None)]);
        assert!(held.ready().is_empty());
    }

    #[test]
    fn candidates_of_a_replaced_generation_are_dropped() {
        let mut held = Candidates::default();
        held.described(set("a"));
        held.described(set("b"));
        held.receive(Timestamp::default(), "a".into(), [candidate(1)].into_iter());
        held.receive(Timestamp::default(), "b".into(), [candidate(2)].into_iter());
        assert_eq!(held.ready(), [("b".into(), candidate(2))]);
    }

    #[test]
    fn a_generation_that_returns_is_not_stale() {
        let mut held = Candidates::default();
        held.described(set("a"));
        held.described(set("b"));
        held.described(set("a"));
        held.receive(Timestamp::default(), "a".into(), [candidate(1)].into_iter());
        assert_eq!(held.ready().len(), 1);
    }

    #[test]
    fn ten_thousand_candidates_are_held_to_sixty_four() {
        let mut held = Candidates::default();
        held.receive(Timestamp::default(), "a".into(), (0..10_000).map(candidate));
        for n in 0..1_000 {
            held.receive(
                Timestamp::default(),
                alloc::format!("u{n}"),
                (0..70).map(candidate),
            );
        }
        held.receive(Timestamp::default(), "z".into(), (0..10_000).map(candidate));
        assert!(held.held.len() <= limits::CANDIDATES_PER_GENERATION * GENERATIONS);
        held.described(set("z"));
        assert_eq!(held.ready().len(), limits::CANDIDATES_PER_GENERATION);
    }

    #[test]
    fn nothing_waits_for_ever() {
        let mut held = Candidates::default();
        held.receive(Timestamp::default(), "a".into(), [candidate(1)].into_iter());
        let deadline = held.poll_timeout().expect("something waits");
        held.expire(deadline);
        assert_eq!(held.poll_timeout(), None);
    }
}
