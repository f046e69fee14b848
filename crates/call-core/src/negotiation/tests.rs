//! The races of perfect negotiation, one by one. The simulator finds the combinations.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

use super::*;

/// One side with the commands and signals it produced.
struct Side {
    negotiation: Negotiation,
    ids: Ids,
    out: Output,
    now: Timestamp,
}

impl Side {
    fn new(role: LinkRole, polite: bool) -> Self {
        let mut ids = Ids::default();
        let link = ids.link();
        let negotiation = Negotiation::new(link, 0, role, polite, Faults::default());
        Self {
            negotiation,
            ids,
            out: Output::default(),
            now: Timestamp::default(),
        }
    }

    fn step(&mut self, step: impl FnOnce(&mut Negotiation, Timestamp, &mut Ids, &mut Output)) {
        step(&mut self.negotiation, self.now, &mut self.ids, &mut self.out);
    }

    fn needed(&mut self) {
        self.step(Negotiation::handle_needed);
    }

    fn offer(&mut self, neg: u32) {
        self.step(|n, now, ids, out| n.handle_offer(now, description(neg, &format!("r{neg}")), ids, out));
    }

    fn answer(&mut self, neg: u32) {
        self.step(|n, now, ids, out| n.handle_answer(now, description(neg, &format!("a{neg}")), ids, out));
    }

    fn candidate(&mut self, ufrag: &str) {
        let list = vec![Candidate {
            candidate: "candidate:1".into(),
            mid: None,
            line: Some(0),
        }];
        self.step(|n, now, _, out| n.handle_candidates(now, ufrag.into(), list, false, out));
    }

    fn tick(&mut self, after: Duration) {
        self.now = self.now + after;
        self.step(|n, now, ids, out| n.handle_tick(now, true, ids, out));
    }

    /// The only command there is, which must be a description operation.
    fn request(&mut self) -> (RequestId, &'static str) {
        match self.command() {
            Command::SetLocalDescription { request, .. } => (request, "local"),
            Command::SetRemoteDescription {
                request,
                kind: SdpKind::Offer,
                ..
            } => (request, "offer"),
            Command::SetRemoteDescription {
                request,
                kind: SdpKind::Answer,
                ..
            } => (request, "answer"),
            Command::Rollback {
                request,
                side: RollbackSide::Local,
                ..
            } => (request, "rollback local"),
            Command::Rollback {
                request,
                side: RollbackSide::Remote,
                ..
            } => (request, "rollback remote"),
            other => panic!("not a description operation: {other:?}"),
        }
    }

    fn command(&mut self) -> Command {
        self.out.commands.pop_front().expect("a command")
    }

    fn quiet(&self) {
        assert!(self.out.commands.is_empty(), "{:?}", self.out.commands);
        assert!(self.out.signals.is_empty(), "{:?}", self.out.signals);
    }

    fn local_done(&mut self, request: RequestId, kind: SdpKind) {
        let sdp = description(0, "local").sdp;
        self.step(|n, now, ids, out| n.handle_local_applied(now, request, kind, sdp, ids, out));
    }

    fn remote_done(&mut self, request: RequestId) {
        self.step(|n, now, ids, out| n.handle_remote_applied(now, request, ids, out));
    }

    fn failed(&mut self, request: RequestId) {
        self.step(|n, now, ids, out| n.handle_failed(now, request, ids, out));
    }

    fn sent(&mut self) -> Vec<(&'static str, u32)> {
        core::mem::take(&mut self.out.signals)
            .into_iter()
            .map(|signal| match signal {
                Signal::Offer(offer) => ("offer", offer.neg),
                Signal::Answer(answer) => ("answer", answer.neg),
                Signal::Candidates { .. } => ("candidates", 0),
                Signal::Status(_) => ("status", 0),
                Signal::Leave {}
                | Signal::Refresh {}
                | Signal::Probe { .. }
                | Signal::Gone { .. }
                | Signal::Restart {}
                | Signal::AskMute {}
                | Signal::Reattach { .. } => ("other", 0),
            })
            .collect()
    }

    /// A side whose first offer is out.
    fn offering(polite: bool) -> Self {
        let mut side = Self::new(LinkRole::Offerer, polite);
        side.needed();
        let (request, what) = side.request();
        assert_eq!(what, "local");
        side.local_done(request, SdpKind::Offer);
        assert_eq!(side.sent(), [("offer", 1)]);
        side
    }

    /// A side that has answered a first offer.
    fn settled(polite: bool) -> Self {
        let mut side = Self::new(LinkRole::Answerer, polite);
        side.offer(1);
        side.answer_in_full();
        assert_eq!(side.sent(), [("answer", 1)]);
        side
    }

    /// Completes the application of an offer and the making of its answer.
    fn answer_in_full(&mut self) {
        let (request, what) = self.request();
        assert_eq!(what, "offer");
        self.remote_done(request);
        if matches!(self.out.commands.front(), Some(Command::AdoptTransceivers { .. })) {
            self.command();
        }
        let (request, what) = self.request();
        assert_eq!(what, "local");
        self.local_done(request, SdpKind::Answer);
    }
}

fn description(neg: u32, ufrag: &str) -> Description {
    Description {
        link: 0,
        neg,
        sdp: format!("v=0\r\na=ice-ufrag:{ufrag}\r\n"),
    }
}

#[test]
fn an_offer_is_made_sent_and_its_answer_applied() {
    let mut side = Side::offering(false);
    side.answer(1);
    let (request, what) = side.request();
    assert_eq!(what, "answer");
    side.remote_done(request);
    side.quiet();
    assert!(side.negotiation.was_ever_answered());
}

#[test]
fn transceivers_are_adopted_once_and_before_the_answer() {
    let mut side = Side::new(LinkRole::Answerer, true);
    side.offer(1);
    let (request, _) = side.request();
    assert!(!side.negotiation.has_slots());
    side.remote_done(request);
    assert!(matches!(side.command(), Command::AdoptTransceivers { .. }));
    let (request, _) = side.request();
    side.local_done(request, SdpKind::Answer);
    side.sent();
    side.offer(2);
    let (request, _) = side.request();
    side.remote_done(request);
    assert_eq!(side.request().1, "local");
}

#[test]
fn f1_the_impolite_side_ignores_a_crossing_offer() {
    let mut side = Side::offering(false);
    side.offer(1);
    side.quiet();
    side.answer(1);
    assert_eq!(side.request().1, "answer");
}

#[test]
fn f1_the_polite_side_takes_a_crossing_offer_and_rolls_back() {
    let mut side = Side::offering(true);
    side.offer(1);
    side.answer_in_full();
    assert_eq!(side.sent(), [("answer", 1)]);
    // The answer to its own offer, if one came, would be to an offer that no longer stands.
    side.answer(1);
    side.quiet();
}

#[test]
fn f1_a_polite_side_that_is_making_an_offer_keeps_it_to_itself() {
    let mut side = Side::new(LinkRole::Offerer, true);
    side.needed();
    let (request, _) = side.request();
    side.offer(1);
    side.quiet();
    side.local_done(request, SdpKind::Offer);
    assert_eq!(side.sent(), []);
    side.answer_in_full();
    assert_eq!(side.sent(), [("answer", 1)]);
}

#[test]
fn f1_an_impolite_side_that_is_making_an_offer_ignores_the_other() {
    let mut side = Side::new(LinkRole::Offerer, false);
    side.needed();
    let (request, _) = side.request();
    side.offer(1);
    side.local_done(request, SdpKind::Offer);
    assert_eq!(side.sent(), [("offer", 1)]);
    side.quiet();
}

#[test]
fn f1_an_offer_during_the_application_of_an_answer_is_no_collision() {
    for polite in [true, false] {
        let mut side = Side::offering(polite);
        side.answer(1);
        let (request, _) = side.request();
        side.offer(1);
        side.quiet();
        side.remote_done(request);
        side.answer_in_full();
        assert_eq!(side.sent(), [("answer", 1)]);
    }
}

#[test]
fn only_the_newest_of_several_offers_is_taken_after_the_present_answer() {
    let mut side = Side::new(LinkRole::Answerer, false);
    side.offer(1);
    side.offer(3);
    side.offer(2);
    side.answer_in_full();
    side.answer_in_full();
    assert_eq!(side.sent(), [("answer", 1), ("answer", 3)]);
    side.quiet();
}

#[test]
fn negotiation_wanted_while_answering_waits_until_stable() {
    let mut side = Side::new(LinkRole::Answerer, false);
    side.offer(1);
    side.needed();
    side.answer_in_full();
    assert_eq!(side.request().1, "local");
}

#[test]
fn f2_early_candidates_reach_the_browser_after_their_description() {
    let mut side = Side::new(LinkRole::Answerer, false);
    side.candidate("r1");
    side.quiet();
    side.offer(1);
    let (request, _) = side.request();
    side.quiet();
    side.remote_done(request);
    let added = side
        .out
        .commands
        .iter()
        .any(|command| matches!(command, Command::AddCandidate { .. }));
    assert!(added, "{:?}", side.out.commands);
}

#[test]
fn f2_the_polite_sides_candidates_survive_their_offers_defeat() {
    // Its new offer or answer may carry the same user fragment.
    let mut side = Side::offering(false);
    side.offer(1);
    side.candidate("a1");
    side.quiet();
    side.answer(1);
    let (request, _) = side.request();
    side.remote_done(request);
    assert!(matches!(side.command(), Command::AddCandidate { .. }));
}

#[test]
fn f3_candidates_of_a_replaced_generation_are_dropped() {
    let mut side = Side::settled(false);
    side.offer(2);
    side.answer_in_full();
    side.sent();
    side.candidate("r1");
    side.quiet();
    side.candidate("r2");
    assert!(matches!(side.command(), Command::AddCandidate { .. }));
}

#[test]
fn f4_an_answer_to_another_offer_is_ignored() {
    let mut side = Side::offering(false);
    side.answer(7);
    side.quiet();
    let mut side = Side::settled(true);
    side.answer(1);
    side.quiet();
}

#[test]
fn f4_an_offer_that_comes_again_is_answered_again_but_not_in_a_hurry() {
    let mut side = Side::settled(true);
    for _ in 0..2 {
        side.now = side.now + ANSWER_PAUSE;
        for _ in 0..200 {
            side.offer(1);
        }
        assert_eq!(side.sent(), [("answer", 1)]);
    }
    side.quiet();
}

#[test]
fn f4_an_offer_that_comes_again_while_it_is_applied_is_answered_once() {
    let mut side = Side::new(LinkRole::Answerer, false);
    side.offer(1);
    side.offer(1);
    side.answer_in_full();
    assert_eq!(side.sent(), [("answer", 1)]);
    side.quiet();
}

#[test]
fn an_offer_whose_answer_is_being_applied_counts_as_answered() {
    let mut side = Side::offering(true);
    assert!(!side.negotiation.was_ever_answered());
    side.answer(1);
    assert!(side.negotiation.was_ever_answered());
}

#[test]
fn f4_a_first_offer_is_repeated_and_never_taken_back() {
    let mut side = Side::offering(false);
    side.tick(REPEAT_OFFER_AFTER);
    assert_eq!(side.sent(), [("offer", 1)]);
    side.tick(RENEW_OFFER_AFTER);
    side.quiet();
    assert_eq!(side.negotiation.poll_timeout(true), None);
    // However late, its answer is one: the peer holds the other end of this connection.
    side.answer(1);
    assert_eq!(side.request().1, "answer");
}

#[test]
fn f4_an_unanswered_offer_is_repeated_and_then_renewed() {
    let mut side = Side::settled(false);
    side.needed();
    let (request, _) = side.request();
    side.local_done(request, SdpKind::Offer);
    assert_eq!(side.sent(), [("offer", 1)]);
    side.tick(REPEAT_OFFER_AFTER);
    assert_eq!(side.sent(), [("offer", 1)]);
    side.tick(RENEW_OFFER_AFTER - REPEAT_OFFER_AFTER);
    let (request, what) = side.request();
    assert_eq!(what, "rollback local");
    side.step(|n, now, ids, out| n.handle_rolled_back(now, request, ids, out));
    let (request, _) = side.request();
    side.local_done(request, SdpKind::Offer);
    assert_eq!(side.sent(), [("offer", 2)]);
    // The answer to the first is late.
    side.answer(1);
    side.quiet();
    side.answer(2);
    assert_eq!(side.request().1, "answer");
}

#[test]
fn an_offer_is_not_late_while_nobody_can_be_reached() {
    let mut side = Side::offering(false);
    side.now = side.now + RENEW_OFFER_AFTER * 4;
    side.step(|n, now, ids, out| n.handle_tick(now, false, ids, out));
    side.quiet();
    assert_eq!(side.negotiation.poll_timeout(false), None);
    side.tick(Duration::ZERO);
    side.quiet();
}

#[test]
fn a_refused_answer_leads_back_to_stable_by_a_rollback() {
    let mut side = Side::settled(false);
    side.needed();
    let (request, _) = side.request();
    side.local_done(request, SdpKind::Offer);
    assert_eq!(side.sent(), [("offer", 1)]);
    side.answer(1);
    let (request, _) = side.request();
    side.failed(request);
    let (request, what) = side.request();
    assert_eq!(what, "rollback local");
    side.step(|n, now, ids, out| n.handle_rolled_back(now, request, ids, out));
    side.quiet();
    side.tick(RETRY_AFTER);
    assert_eq!(side.request().1, "local");
}

#[test]
fn a_connection_whose_first_exchange_is_refused_is_broken() {
    let mut side = Side::offering(false);
    side.answer(1);
    let (request, _) = side.request();
    side.failed(request);
    assert!(side.negotiation.is_broken());
    assert!(
        side.negotiation.was_ever_answered(),
        "the peer holds its other end"
    );
    side.quiet();

    let mut side = Side::new(LinkRole::Answerer, false);
    side.offer(1);
    let (request, _) = side.request();
    side.failed(request);
    assert!(side.negotiation.is_broken());
    side.quiet();
}

#[test]
fn a_connection_that_keeps_refusing_is_broken_and_left_alone() {
    let mut side = Side::new(LinkRole::Offerer, false);
    side.needed();
    for _ in 0..FAILURES {
        let (request, _) = side.request();
        side.failed(request);
        side.tick(RETRY_AFTER);
    }
    assert!(side.negotiation.is_broken());
    side.quiet();
    assert_eq!(side.negotiation.poll_timeout(true), None);
}

#[test]
fn a_restart_asked_for_outside_stable_is_made_good_later() {
    let mut side = Side::settled(false);
    side.offer(2);
    let (request, _) = side.request();
    side.step(|n, _, _, out| n.restart_ice(out));
    assert!(matches!(side.command(), Command::RestartIce { .. }));
    side.remote_done(request);
    let (request, _) = side.request();
    side.local_done(request, SdpKind::Answer);
    assert_eq!(side.sent(), [("answer", 2)]);
    assert_eq!(side.request().1, "local");
}

#[test]
fn outcomes_of_operations_that_nobody_waits_for_change_nothing() {
    let mut side = Side::offering(true);
    side.local_done(RequestId(999), SdpKind::Answer);
    side.remote_done(RequestId(999));
    side.failed(RequestId(999));
    side.quiet();
}

#[test]
fn malformed_descriptions_are_not_handed_to_the_browser() {
    let mut side = Side::settled(true);
    let huge = Description {
        link: 0,
        neg: 5,
        sdp: "a=ice-ufrag:x\r\n".repeat(10_000),
    };
    side.step(|n, now, ids, out| n.handle_offer(now, huge, ids, out));
    side.quiet();
}
