//! What the model must have in common with a browser.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

use visavis_call_core::{RequestId, RollbackSide, SdpKind, Slot};
use visavis_protocol::Candidate;

use super::*;

/// Runs everything but gathering, and returns what was told.
fn drain(pc: &mut PeerConnection) -> Vec<Output> {
    let mut told = Vec::new();
    while let Some(output) = pc.poll_output() {
        match output {
            Output::Later(Task::Gather(..)) | Output::Changed | Output::TracksChanged => {}
            Output::Later(task) => pc.run(task),
            other => told.push(other),
        }
    }
    told
}

fn needed(outputs: &[Output]) -> usize {
    outputs
        .iter()
        .filter(|output| **output == Output::NegotiationNeeded)
        .count()
}

fn make(pc: &mut PeerConnection, request: u32) -> String {
    pc.set_local_description(RequestId(request));
    drain(pc)
        .into_iter()
        .find_map(|output| match output {
            Output::Settled(_, Ok(Some((_, sdp)))) => Some(sdp),
            _ => None,
        })
        .expect("a description")
}

fn refused(pc: &mut PeerConnection) -> Refusal {
    drain(pc)
        .into_iter()
        .find_map(|output| match output {
            Output::Settled(_, Err(refusal)) | Output::CandidateRefused(refusal, _) => Some(refusal),
            _ => None,
        })
        .expect("a refusal")
}

/// Two who have exchanged an offer and its answer.
fn connected() -> (PeerConnection, PeerConnection) {
    let (mut one, mut two) = (PeerConnection::new(1), PeerConnection::new(2));
    one.add_slots();
    assert_eq!(needed(&drain(&mut one)), 1, "four transceivers, one event");
    let offer = make(&mut one, 1);
    two.set_remote_description(RequestId(1), SdpKind::Offer, offer);
    drain(&mut two);
    two.adopt_slots().unwrap();
    let answer = make(&mut two, 2);
    one.set_remote_description(RequestId(2), SdpKind::Answer, answer);
    assert_eq!(needed(&drain(&mut one)), 0);
    assert_eq!(needed(&drain(&mut two)), 0);
    (one, two)
}

#[test]
fn an_offer_and_an_answer_agree_on_everything() {
    let (one, two) = connected();
    assert_eq!(
        (one.signaling(), two.signaling()),
        (Signaling::Stable, Signaling::Stable)
    );
    assert_eq!(
        one.current_local().map(|description| &description.text),
        two.current_remote().map(|description| &description.text)
    );
    assert!(!one.is_negotiation_needed() && !two.is_negotiation_needed());
}

#[test]
fn a_remote_offer_rolls_the_local_one_back_and_the_change_is_wanted_again() {
    let (mut one, mut two) = connected();
    one.add_transceiver(MediaKind::Video);
    two.add_transceiver(MediaKind::Audio);
    drain(&mut one);
    drain(&mut two);
    let theirs = make(&mut one, 3);
    make(&mut two, 3);
    assert_eq!(two.signaling(), Signaling::HaveLocalOffer);
    two.set_remote_description(RequestId(4), SdpKind::Offer, theirs);
    drain(&mut two);
    assert_eq!(two.signaling(), Signaling::HaveRemoteOffer);
    two.set_local_description(RequestId(5));
    let told = drain(&mut two);
    assert_eq!(needed(&told), 1, "its own transceiver still has no section");
    assert_eq!(two.transceivers(), Slot::ALL.len() + 2);
}

#[test]
fn a_remote_rollback_takes_the_transceivers_of_the_offer_away() {
    let (mut one, mut two) = (PeerConnection::new(1), PeerConnection::new(2));
    one.add_slots();
    drain(&mut one);
    let offer = make(&mut one, 1);
    two.set_remote_description(RequestId(1), SdpKind::Offer, offer);
    drain(&mut two);
    two.adopt_slots().unwrap();
    two.rollback(RequestId(2), RollbackSide::Remote);
    assert_eq!(drain(&mut two), [Output::RolledBack(RequestId(2))]);
    assert_eq!((two.transceivers(), two.has_slots()), (0, false));
}

#[test]
fn an_answer_in_stable_and_one_that_does_not_match_are_refused() {
    let (mut one, two) = connected();
    let answer = two.current_local().unwrap().text.to_string();
    one.set_remote_description(RequestId(9), SdpKind::Answer, answer.clone());
    assert_eq!(refused(&mut one), Refusal::WrongState);
    one.add_transceiver(MediaKind::Video);
    make(&mut one, 10);
    one.set_remote_description(RequestId(11), SdpKind::Answer, answer);
    assert_eq!(refused(&mut one), Refusal::AnswerMismatch);
    one.rollback(RequestId(12), RollbackSide::Remote);
    assert_eq!(refused(&mut one), Refusal::WrongState);
}

#[test]
fn an_offer_with_fewer_sections_is_refused() {
    let (mut one, _) = connected();
    let ufrag = Ufrag {
        connection: 2,
        generation: 1,
    };
    let short = SessionDescription::new(SdpKind::Offer, 9, ufrag, Vec::new());
    one.set_remote_description(RequestId(9), SdpKind::Offer, short.text.to_string());
    assert_eq!(refused(&mut one), Refusal::SectionsMoved);
}

#[test]
fn candidates_need_a_description_of_their_generation() {
    let candidate = |mid: &str| Candidate {
        candidate: "candidate:1".into(),
        mid: Some(mid.into()),
        line: None,
    };
    let mut fresh = PeerConnection::new(3);
    fresh.add_ice_candidate("p1g1".into(), Some(&candidate("0")));
    assert_eq!(refused(&mut fresh), Refusal::NoRemoteDescription);

    let (mut one, _) = connected();
    one.add_ice_candidate("p2g7".into(), Some(&candidate("0")));
    assert_eq!(refused(&mut one), Refusal::UnknownUfrag);
    one.add_ice_candidate("p2g1".into(), Some(&candidate("8")));
    assert_eq!(refused(&mut one), Refusal::UnknownMid);
    one.add_ice_candidate("p2g1".into(), Some(&candidate("0")));
    assert_eq!(drain(&mut one), []);
    assert!(one.has_remote_candidates());
}

#[test]
fn a_restart_changes_the_credentials_of_both_and_survives_a_rollback() {
    let (mut one, mut two) = connected();
    one.restart_ice();
    assert_eq!(needed(&drain(&mut one)), 1);
    make(&mut one, 3);
    one.rollback(RequestId(4), RollbackSide::Local);
    assert_eq!(needed(&drain(&mut one)), 1, "still wanted");
    let offer = make(&mut one, 5);
    two.set_remote_description(RequestId(3), SdpKind::Offer, offer);
    drain(&mut two);
    let answer = make(&mut two, 4);
    one.set_remote_description(RequestId(6), SdpKind::Answer, answer);
    assert_eq!(needed(&drain(&mut one)), 0);
    assert_eq!(one.current_local().unwrap().ufrag.generation, 3);
    assert_eq!(two.current_local().unwrap().ufrag.generation, 2);
}

#[test]
fn nothing_is_fired_while_an_operation_is_in_the_chain() {
    let (mut one, _) = connected();
    one.set_local_description(RequestId(3));
    let Some(Output::Later(Task::Chain)) = one.poll_output() else {
        panic!("the first operation starts at once")
    };
    one.add_transceiver(MediaKind::Video);
    assert_eq!(one.poll_output(), None, "the check waits for the chain");
    one.run(Task::Chain);
    let told = drain(&mut one);
    assert_eq!(one.signaling(), Signaling::HaveLocalOffer);
    assert_eq!(needed(&told), 0, "and then for stable");
}
