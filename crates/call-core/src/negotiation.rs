//! Offers and answers on one connection: W3C perfect negotiation as a machine.
//!
//! Follows the "Perfect negotiation example" of W3C WebRTC 1.0 (section 10.7), with what the field
//! taught beyond it: one description operation in flight at a time, offers numbered and answers
//! matched to their offer (F4), an unanswered offer repeated and then taken back, the newest of
//! several offers taken and those between dropped, candidates kept by user fragment (F2, F3).
//!
//! ```text
//!          MakeOffer                 ApplyAnswer
//! Stable ─────────────▶ LocalOffer ─────────────▶ Stable
//!    │                      │ ▲ repeated after 5 s, taken back after 15 s
//!    │ ApplyOffer           │ ApplyOffer, if polite (implicit rollback)
//!    ▼                      ▼
//! RemoteOffer ──MakeAnswer──▶ Stable
//! ```

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::{Candidate, Description, Signal};

use crate::candidates::Candidates;
use crate::command::{Command, LinkRole, RollbackSide};
use crate::event::SdpKind;
use crate::fault::{Fault, Faults};
use crate::id::{Ids, LinkId, RequestId};
use crate::sdp::{self, Ufrags};
use crate::time::{Timestamp, earliest};

/// An offer unanswered this long is sent again as it is; the other side knows its number.
pub(crate) const REPEAT_OFFER_AFTER: Duration = Duration::from_secs(5);
/// An offer unanswered this long is taken back and a new one made.
pub(crate) const RENEW_OFFER_AFTER: Duration = Duration::from_secs(15);
/// Pause before a failed operation is tried in another way.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Pause before an answer is repeated: whoever asks for it faster has it, and wants our bytes.
const ANSWER_PAUSE: Duration = Duration::from_secs(1);
/// Failed operations in a row after which the connection counts as broken.
const FAILURES: u8 = 5;

/// What a negotiation wants done: commands for the shell and signals for the peer.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) commands: VecDeque<Command>,
    pub(crate) signals: Vec<Signal>,
}

/// Where the connection stands between the two (`signalingState`), and what is in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Signaling {
    Stable,
    LocalOffer(SentOffer),
    RemoteOffer { neg: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SentOffer {
    neg: u32,
    sdp: String,
    /// Counts only while the road to the peer is open.
    since: Timestamp,
    repeated: bool,
}

/// The one description operation in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Operation {
    MakeOffer,
    ApplyOffer { neg: u32, ufrags: Ufrags },
    MakeAnswer { neg: u32 },
    ApplyAnswer { ufrags: Ufrags },
    Rollback(RollbackSide),
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Negotiation {
    link: LinkId,
    /// Which connection between the two peers this is: part of every signal.
    generation: u32,
    polite: bool,
    signaling: Signaling,
    operation: Option<(RequestId, Operation)>,
    wants_offer: bool,
    not_before: Option<Timestamp>,
    failures: u8,
    last_own_neg: u32,
    last_remote_neg: u32,
    queued_offer: Option<(Description, Ufrags)>,
    queued_answer: Option<(Description, Ufrags)>,
    /// Our last answer and when it was given, to be repeated if its offer is.
    answered: Option<(Description, Timestamp)>,
    /// Whether the transceivers that came with the first remote offer are bound to slots.
    adopted: bool,
    completed: bool,
    /// Whether an answer to an offer of ours came.
    answered_once: bool,
    local_ufrags: Ufrags,
    /// User fragments before a wanted ICE restart; the restart is done once they are gone.
    restarting_from: Option<Ufrags>,
    /// Remote user fragments of the last stable state.
    stable_remote: Ufrags,
    candidates: Candidates,
    faults: Faults,
}

impl Negotiation {
    pub(crate) fn new(link: LinkId, generation: u32, role: LinkRole, polite: bool, faults: Faults) -> Self {
        Self {
            link,
            generation,
            polite,
            signaling: Signaling::Stable,
            operation: None,
            wants_offer: false,
            not_before: None,
            failures: 0,
            last_own_neg: 0,
            last_remote_neg: 0,
            queued_offer: None,
            queued_answer: None,
            answered: None,
            adopted: role == LinkRole::Offerer,
            completed: false,
            answered_once: false,
            local_ufrags: Ufrags::new(),
            restarting_from: None,
            stable_remote: Ufrags::new(),
            candidates: Candidates::new(faults),
            faults,
        }
    }

    pub(crate) const fn link(&self) -> LinkId {
        self.link
    }

    /// Whether the transceivers exist and tracks can be attached to their slots.
    pub(crate) const fn has_slots(&self) -> bool {
        self.adopted
    }

    /// Whether an offer of ours was ever answered or one of theirs taken, so that the peer holds the
    /// other end of this very connection. An answer that is still being applied counts: the peer is
    /// stable, and may offer already.
    pub(crate) const fn was_ever_answered(&self) -> bool {
        self.completed || self.answered_once
    }

    /// Whether description operations keep failing.
    pub(crate) const fn is_broken(&self) -> bool {
        self.failures >= FAILURES
    }

    /// `negotiationneeded` fired.
    pub(crate) fn handle_needed(&mut self, now: Timestamp, ids: &mut Ids, out: &mut Output) {
        self.wants_offer = true;
        self.advance(now, ids, out);
    }

    /// Whether a restart was asked for and its offer not made yet.
    pub(crate) const fn is_restarting(&self) -> bool {
        self.restarting_from.is_some()
    }

    /// Asks for new ICE credentials on both sides.
    pub(crate) fn restart_ice(&mut self, out: &mut Output) {
        self.restarting_from = Some(self.local_ufrags.clone());
        out.commands.push_back(Command::RestartIce { link: self.link });
    }

    /// The peer's offer came.
    ///
    /// An offer collides when we are making one, or when one of ours is unanswered and no answer
    /// is being applied. The impolite side then ignores it; the polite side takes it, which rolls
    /// its own offer back.
    pub(crate) fn handle_offer(
        &mut self,
        now: Timestamp,
        offer: Description,
        ids: &mut Ids,
        out: &mut Output,
    ) {
        if offer.neg <= self.last_remote_neg {
            let again = self
                .answered
                .as_mut()
                .filter(|(answer, at)| answer.neg == offer.neg && now >= *at + ANSWER_PAUSE);
            if let Some((answer, at)) = again {
                *at = now;
                out.signals.push(Signal::Answer(answer.clone()));
            }
            return;
        }
        let Ok(ufrags) = sdp::check(&offer.sdp) else {
            return;
        };
        let in_flight = self.operation.as_ref().map(|(_, operation)| operation);
        let collides = match (&self.signaling, in_flight) {
            (_, Some(Operation::MakeOffer)) => true,
            (Signaling::LocalOffer(_), Some(Operation::ApplyAnswer { .. } | Operation::Rollback(_))) => false,
            (Signaling::LocalOffer(_), _) => true,
            (Signaling::Stable | Signaling::RemoteOffer { .. }, _) => false,
        };
        if collides && !self.polite {
            return;
        }
        if self
            .queued_offer
            .as_ref()
            .is_none_or(|(queued, _)| queued.neg < offer.neg)
        {
            self.queued_offer = Some((offer, ufrags));
        }
        self.advance(now, ids, out);
    }

    /// The peer's answer came. One that does not match our outstanding offer is stale or doubled.
    pub(crate) fn handle_answer(
        &mut self,
        now: Timestamp,
        answer: Description,
        ids: &mut Ids,
        out: &mut Output,
    ) {
        let Signaling::LocalOffer(offer) = &self.signaling else {
            if self.faults.has(Fault::AnswerNotMatched)
                && let Ok(ufrags) = sdp::check(&answer.sdp)
            {
                self.queued_answer = Some((answer, ufrags));
                self.advance(now, ids, out);
            }
            return;
        };
        if offer.neg != answer.neg && !self.faults.has(Fault::AnswerNotMatched) {
            return;
        }
        let Ok(ufrags) = sdp::check(&answer.sdp) else {
            return;
        };
        self.answered_once = true;
        self.queued_answer = Some((answer, ufrags));
        self.advance(now, ids, out);
    }

    /// The peer's candidates came; `end` says that no more will.
    pub(crate) fn handle_candidates(
        &mut self,
        now: Timestamp,
        ufrag: String,
        list: Vec<Candidate>,
        end: bool,
        out: &mut Output,
    ) {
        let all = list.into_iter().map(Some).chain(end.then_some(None));
        self.candidates.receive(now, ufrag, all);
        self.flush_candidates(out);
    }

    pub(crate) fn handle_local_applied(
        &mut self,
        now: Timestamp,
        request: RequestId,
        kind: SdpKind,
        sdp: String,
        ids: &mut Ids,
        out: &mut Output,
    ) {
        let Some(operation) = self.take_operation(request) else {
            return;
        };
        match (operation, kind) {
            (Operation::MakeOffer, SdpKind::Offer) => {
                self.local_applied(&sdp);
                self.last_own_neg += 1;
                let neg = self.last_own_neg;
                // A polite side that already holds the peer's offer keeps its own to itself: it is
                // about to roll it back.
                if self.queued_offer.is_none() || self.faults.has(Fault::RollbackForgotten) {
                    let description = Description {
                        link: self.generation,
                        neg,
                        sdp: sdp.clone(),
                    };
                    out.signals.push(Signal::Offer(description));
                }
                self.signaling = Signaling::LocalOffer(SentOffer {
                    neg,
                    sdp,
                    since: now,
                    repeated: false,
                });
            }
            (Operation::MakeAnswer { neg }, SdpKind::Answer) => {
                self.local_applied(&sdp);
                let answer = Description {
                    link: self.generation,
                    neg,
                    sdp,
                };
                self.answered = Some((answer.clone(), now));
                out.signals.push(Signal::Answer(answer));
                self.became_stable();
            }
            // The browser and this machine disagree about the state: bring both back to stable.
            (Operation::MakeOffer, SdpKind::Answer) => self.became_stable(),
            (Operation::MakeAnswer { .. }, SdpKind::Offer) => {
                self.start(Operation::Rollback(RollbackSide::Local), ids, out);
            }
            (Operation::ApplyOffer { .. } | Operation::ApplyAnswer { .. } | Operation::Rollback(_), _) => {}
        }
        self.advance(now, ids, out);
    }

    pub(crate) fn handle_remote_applied(
        &mut self,
        now: Timestamp,
        request: RequestId,
        ids: &mut Ids,
        out: &mut Output,
    ) {
        let Some(operation) = self.take_operation(request) else {
            return;
        };
        match operation {
            Operation::ApplyOffer { neg, ufrags } => {
                self.candidates.described(ufrags);
                self.signaling = Signaling::RemoteOffer { neg };
                if !self.adopted {
                    self.adopted = true;
                    out.commands
                        .push_back(Command::AdoptTransceivers { link: self.link });
                }
            }
            Operation::ApplyAnswer { ufrags } => {
                self.candidates.described(ufrags);
                self.became_stable();
            }
            Operation::MakeOffer | Operation::MakeAnswer { .. } | Operation::Rollback(_) => {}
        }
        self.advance(now, ids, out);
    }

    pub(crate) fn handle_rolled_back(
        &mut self,
        now: Timestamp,
        request: RequestId,
        ids: &mut Ids,
        out: &mut Output,
    ) {
        if let Some(Operation::Rollback(side)) = self.take_operation(request) {
            self.rolled_back(side);
            self.advance(now, ids, out);
        }
    }

    /// A description operation was refused: the way back to stable is a rollback and a new offer.
    ///
    /// Before the first exchange is complete there is no state that both sides could go back to: the
    /// peer may hold an answer that we could not apply, and a rollback takes the transceivers of a
    /// first offer away. Such a connection is broken, to be made anew.
    pub(crate) fn handle_failed(
        &mut self,
        now: Timestamp,
        request: RequestId,
        ids: &mut Ids,
        out: &mut Output,
    ) {
        let Some(operation) = self.take_operation(request) else {
            return;
        };
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + RETRY_AFTER);
        if !self.completed && operation != Operation::MakeOffer {
            self.failures = FAILURES;
            return;
        }
        match operation {
            Operation::MakeOffer => self.wants_offer = true,
            // Refused once, the offer would be refused again: only a newer one may pass.
            Operation::ApplyOffer { .. } => {
                // Whether an offer of ours was rolled back before the refusal is not told.
                if matches!(self.signaling, Signaling::LocalOffer(_)) {
                    self.start(Operation::Rollback(RollbackSide::Local), ids, out);
                }
            }
            Operation::ApplyAnswer { .. } => self.start(Operation::Rollback(RollbackSide::Local), ids, out),
            Operation::MakeAnswer { .. } => self.start(Operation::Rollback(RollbackSide::Remote), ids, out),
            // There was nothing to take back.
            Operation::Rollback(side) => self.rolled_back(side),
        }
        self.advance(now, ids, out);
    }

    /// Packets can reach the peer again: an offer made before has its whole time from now on.
    pub(crate) fn road_reopened(&mut self, now: Timestamp) {
        if let Signaling::LocalOffer(offer) = &mut self.signaling {
            offer.since = now;
        }
    }

    /// Deadlines. `road_open` says whether anything sent now can reach the peer: an offer is not
    /// late while nobody could have answered it.
    pub(crate) fn handle_tick(&mut self, now: Timestamp, road_open: bool, ids: &mut Ids, out: &mut Output) {
        self.candidates.expire(now);
        let renewable = self.may_renew();
        if let Signaling::LocalOffer(offer) = &mut self.signaling {
            if !road_open {
                offer.since = now;
            } else if self.faults.has(Fault::OfferNeverRepeated) {
            } else if now.since(offer.since) >= RENEW_OFFER_AFTER && renewable {
                self.start(Operation::Rollback(RollbackSide::Local), ids, out);
            } else if now.since(offer.since) >= REPEAT_OFFER_AFTER && !offer.repeated {
                offer.repeated = true;
                let description = Description {
                    link: self.generation,
                    neg: offer.neg,
                    sdp: offer.sdp.clone(),
                };
                out.signals.push(Signal::Offer(description));
            }
        }
        self.advance(now, ids, out);
    }

    pub(crate) fn poll_timeout(&self, road_open: bool) -> Option<Timestamp> {
        let offer = match &self.signaling {
            Signaling::LocalOffer(_) if self.faults.has(Fault::OfferNeverRepeated) => None,
            Signaling::LocalOffer(offer) if road_open && !offer.repeated => {
                Some(offer.since + REPEAT_OFFER_AFTER)
            }
            Signaling::LocalOffer(offer) if road_open && self.may_renew() => {
                Some(offer.since + RENEW_OFFER_AFTER)
            }
            Signaling::LocalOffer(_) | Signaling::Stable | Signaling::RemoteOffer { .. } => None,
        };
        let retry = self
            .not_before
            .filter(|_| !self.is_broken() && self.operation.is_none());
        earliest(earliest(offer, retry), self.candidates.poll_timeout())
    }

    /// Whether the outstanding offer may be taken back for a new one.
    ///
    /// Never the first: the peer may have answered it, and the answer be on its way. There is no
    /// earlier state that both could fall back to, so a first offer without answer ends with the
    /// whole connection, which its owner replaces.
    const fn may_renew(&self) -> bool {
        self.completed && self.operation.is_none()
    }

    /// Starts the next operation if none is in flight and there is one to do.
    fn advance(&mut self, now: Timestamp, ids: &mut Ids, out: &mut Output) {
        self.flush_candidates(out);
        if self.is_broken() || self.operation.is_some() && !self.faults.has(Fault::OperationsOverlap) {
            return;
        }
        if self.not_before.is_some_and(|time| time > now) {
            return;
        }
        self.not_before = None;
        if let Signaling::RemoteOffer { neg } = self.signaling {
            if self.operation.is_none() {
                self.start(Operation::MakeAnswer { neg }, ids, out);
            }
            return;
        }
        if let Some((answer, ufrags)) = self.queued_answer.take() {
            let matches = matches!(&self.signaling, Signaling::LocalOffer(offer) if offer.neg == answer.neg);
            if matches || self.faults.has(Fault::AnswerNotMatched) {
                self.start_remote(
                    Operation::ApplyAnswer { ufrags },
                    SdpKind::Answer,
                    answer.sdp,
                    ids,
                    out,
                );
                return;
            }
        }
        if let Some((offer, ufrags)) = self.queued_offer.take() {
            if self.faults.has(Fault::RollbackForgotten) && matches!(self.signaling, Signaling::LocalOffer(_))
            {
                return;
            }
            // The browser fires again after the answer if there is still something to negotiate.
            self.wants_offer = false;
            // From now on a repetition of it is one, even while it is being applied.
            self.last_remote_neg = offer.neg;
            self.start_remote(
                Operation::ApplyOffer {
                    neg: offer.neg,
                    ufrags,
                },
                SdpKind::Offer,
                offer.sdp,
                ids,
                out,
            );
            return;
        }
        if self.wants_offer && self.signaling == Signaling::Stable {
            self.wants_offer = false;
            self.start(Operation::MakeOffer, ids, out);
        }
    }

    fn start(&mut self, operation: Operation, ids: &mut Ids, out: &mut Output) {
        let request = ids.request();
        let link = self.link;
        out.commands.push_back(match &operation {
            Operation::Rollback(side) => Command::Rollback {
                link,
                request,
                side: *side,
            },
            Operation::MakeOffer
            | Operation::MakeAnswer { .. }
            | Operation::ApplyOffer { .. }
            | Operation::ApplyAnswer { .. } => Command::SetLocalDescription { link, request },
        });
        self.operation = Some((request, operation));
    }

    fn start_remote(
        &mut self,
        operation: Operation,
        kind: SdpKind,
        sdp: String,
        ids: &mut Ids,
        out: &mut Output,
    ) {
        let request = ids.request();
        out.commands.push_back(Command::SetRemoteDescription {
            link: self.link,
            request,
            kind,
            sdp,
        });
        self.operation = Some((request, operation));
    }

    fn take_operation(&mut self, request: RequestId) -> Option<Operation> {
        let (_, operation) = self.operation.take_if(|(waiting, _)| *waiting == request)?;
        Some(operation)
    }

    fn local_applied(&mut self, sdp: &str) {
        self.local_ufrags = sdp::ufrags(sdp);
        // Already asked for once more by the browser, or part of this description.
        if self
            .restarting_from
            .as_ref()
            .is_some_and(|before| *before != self.local_ufrags)
        {
            self.restarting_from = None;
        }
    }

    fn became_stable(&mut self) {
        self.signaling = Signaling::Stable;
        self.failures = 0;
        self.completed = true;
        self.stable_remote = self.candidates.current().clone();
        // A restart asked for outside stable waits for the next offer; make sure there is one.
        self.wants_offer |= self.restarting_from.is_some();
    }

    fn rolled_back(&mut self, side: RollbackSide) {
        self.signaling = Signaling::Stable;
        match side {
            RollbackSide::Local => self.wants_offer = true,
            RollbackSide::Remote => {
                self.candidates.rolled_back_to(self.stable_remote.clone());
                self.wants_offer = true;
            }
        }
    }

    fn flush_candidates(&mut self, out: &mut Output) {
        let applying = matches!(
            self.operation,
            Some((
                _,
                Operation::ApplyOffer { .. } | Operation::ApplyAnswer { .. } | Operation::Rollback(_)
            ))
        );
        if applying && !self.faults.has(Fault::IgnoreUfrag) {
            return;
        }
        let link = self.link;
        out.commands
            .extend(
                self.candidates
                    .ready()
                    .into_iter()
                    .map(|(ufrag, candidate)| Command::AddCandidate {
                        link,
                        ufrag,
                        candidate,
                    }),
            );
    }

    /// The user fragment for local candidates whose own the browser did not tell.
    pub(crate) fn local_ufrag(&self) -> Option<&String> {
        self.local_ufrags.first()
    }
}

#[cfg(test)]
mod tests;
