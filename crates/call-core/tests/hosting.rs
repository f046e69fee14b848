//! Rooms with a host, as one page plays them: before the gate and inside.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod hosted;
mod shell;

use std::time::Duration;

use hosted::{HOST, host, id, in_front, inside, notices, seated, seated_as, secrets};
use shell::{entry, epoch};
use visavis_call_core::{EndReason, HostIntent, Intent, JoinProblem, NoticeKind, Stage};
use visavis_protocol::{
    ClientMessage, ErrorCode, Gate, HostRequest, Hosting, Pass, ServerMessage, Signal, Waiter,
};

#[test]
fn a_newcomer_waits_and_comes_in_with_an_offer_to_everybody() {
    let mut shell = in_front(None);
    shell.hear(&ServerMessage::Occupancy {
        room: id(1),
        peers: vec![],
        seats: 8,
        gate: Gate {
            waiting_room: true,
            locked: false,
        },
        shut: true,
    });
    assert!(shell.view().hosting.is_shut);
    shell.join();
    shell.hear(&ServerMessage::Waiting {});
    assert_eq!(shell.view().stage, Stage::Waiting);
    // Over a lost socket it is the same wait, asked for by the same session.
    let me = shell.me();
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.commands.clear();
    shell.open();
    assert!(
        matches!(shell.sent().last(), Some(ClientMessage::Join { session, .. }) if session.peer_id() == me)
    );
    shell.hear(&ServerMessage::Waiting {});
    seated(&mut shell, 1, Hosting::default(), &[host(3), entry(4)]);
    assert_eq!(shell.view().stage, Stage::Joined);
    assert_eq!(shell.links().len(), 2, "a newcomer offers");
    assert!(shell.view().people[0].is_host && !shell.view().people[1].is_host);
}

#[test]
fn who_is_declined_reads_the_word_and_may_ask_again() {
    let mut shell = in_front(None);
    shell.join();
    shell.hear(&ServerMessage::Waiting {});
    shell.hear(&ServerMessage::Declined {
        word: "Monday\u{202e} please".into(),
    });
    let problem = Some(JoinProblem::Declined);
    assert_eq!(shell.view().stage, Stage::Preparing { problem });
    assert_eq!(shell.view().hosting.word.as_deref(), Some("Monday please"));
    shell.join();
    assert_eq!(shell.kinds().last(), Some(&"join"));
}

#[test]
fn who_stops_waiting_is_on_the_page_before_joining_again() {
    let mut shell = in_front(None);
    shell.join();
    shell.hear(&ServerMessage::Waiting {});
    shell.commands.clear();
    shell.intend(Intent::HangUp);
    assert_eq!(shell.view().stage, Stage::Preparing { problem: None });
    assert_eq!(shell.kinds(), ["leave", "watch"]);
    // A verdict that crossed it is none any more.
    shell.hear(&ServerMessage::Declined { word: String::new() });
    assert_eq!(shell.view().stage, Stage::Preparing { problem: None });
}

#[test]
fn who_stopped_waiting_is_not_let_in_by_a_host_who_did_not_know_it() {
    let mut shell = in_front(None);
    shell.join();
    shell.hear(&ServerMessage::Waiting {});
    let you = shell.me();
    shell.intend(Intent::HangUp);
    // The host's word crossed the leave.
    shell.hear(&ServerMessage::Joined {
        epoch: epoch(1),
        you,
        version: 1,
        peers: vec![host(3)],
        ice: vec![],
        ice_lifetime_ms: None,
        hosting: Hosting::default(),
    });
    assert_eq!(shell.view().stage, Stage::Preparing { problem: None });
    assert_eq!(shell.links().len(), 0);
    shell.join();
    assert_ne!(shell.me(), you, "they come back as somebody else");
}

#[test]
fn a_locked_or_moved_room_says_so() {
    for (code, problem) in [
        (ErrorCode::RoomLocked, JoinProblem::Locked),
        (ErrorCode::RoomMoved, JoinProblem::Moved),
        (ErrorCode::TooManyWaiting, JoinProblem::TooManyWaiting),
    ] {
        let mut shell = in_front(None);
        shell.join();
        shell.hear(&ServerMessage::Error {
            code,
            about: Some("join".into()),
            peer: None,
            message: String::new(),
        });
        let problem = Some(problem);
        assert_eq!(shell.view().stage, Stage::Preparing { problem });
    }
}

#[test]
fn a_host_shows_its_claim_and_sees_who_waits() {
    let mut shell = inside(Some(HOST), &[entry(3)]);
    let waiter = |n: u8| Waiter {
        peer: entry(n).peer,
        name: format!("Person {n}"),
        waited_ms: 5000,
        away: false,
    };
    shell.now = shell.now + Duration::from_secs(20);
    shell.hear(&ServerMessage::Knocks {
        waiting: vec![waiter(5), waiter(6)],
    });
    let waiting = shell.view().hosting.waiting;
    assert_eq!(waiting.len(), 2);
    assert_eq!(shell.now.since(waiting[0].since), Duration::from_secs(5));
    assert_eq!(
        notices(&shell)
            .iter()
            .filter(|kind| matches!(kind, NoticeKind::Knocked { .. }))
            .count(),
        2
    );
    shell.hear(&ServerMessage::Knocks {
        waiting: vec![waiter(6)],
    });
    assert_eq!(
        notices(&shell)
            .iter()
            .filter(|kind| matches!(kind, NoticeKind::Knocked { .. }))
            .count(),
        2,
        "told once"
    );
    shell.commands.clear();
    let peers = vec![entry(6).peer];
    shell.intend(Intent::Host(HostIntent::Admit(peers.clone())));
    assert_eq!(shell.sent(), [ClientMessage::Host(HostRequest::Admit { peers })]);
}

#[test]
fn who_was_in_the_call_comes_back_to_a_server_that_forgot_them() {
    let mut shell = inside(Some(HOST), &[entry(3)]);
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(2);
    shell.hear(&ServerMessage::Error {
        code: ErrorCode::UnknownSession,
        about: Some("resume".into()),
        peer: None,
        message: String::new(),
    });
    let claim = shell.sent().into_iter().rev().find_map(|message| match message {
        ClientMessage::Join { claim, .. } => Some(claim),
        _ => None,
    });
    let claim = claim.expect("a join");
    assert_eq!(
        (claim.host, claim.pass),
        (Some(HOST), Some(Pass::from_bytes([4; 16])))
    );
    let hosting = Hosting {
        host: true,
        ..Hosting::default()
    };
    seated(&mut shell, 2, hosting, &[]);
    shell.commands.clear();
    let back = Waiter {
        peer: entry(3).peer,
        name: "Person 3".into(),
        waited_ms: 0,
        away: false,
    };
    shell.hear(&ServerMessage::Knocks { waiting: vec![back] });
    assert!(shell.view().hosting.waiting.is_empty(), "nobody is asked");
    let peers = vec![entry(3).peer];
    assert!(
        shell
            .sent()
            .contains(&ClientMessage::Host(HostRequest::Admit { peers }))
    );
}

#[test]
fn a_call_goes_on_while_its_members_wait_for_a_forgetful_server() {
    let mut shell = inside(None, &[host(3)]);
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(2);
    shell.hear(&ServerMessage::Error {
        code: ErrorCode::UnknownSession,
        about: Some("resume".into()),
        peer: None,
        message: String::new(),
    });
    shell.hear(&ServerMessage::Waiting {});
    assert_eq!(shell.view().stage, Stage::Joined);
    assert!(shell.closed_links().is_empty());
    seated(&mut shell, 2, Hosting::default(), &[host(3)]);
    assert!(shell.closed_links().is_empty());
    assert_eq!(shell.view().people.len(), 1);
}

#[test]
fn who_is_removed_is_told_and_keeps_nothing() {
    let mut shell = inside(None, &[host(3)]);
    shell.hear(&ServerMessage::Removed {});
    assert_eq!(shell.view().stage, Stage::Ended(EndReason::Removed));
    assert_eq!(shell.closed_links().len(), 1);
}

#[test]
fn a_host_alone_asks_to_mute() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    shell.signal(entry(4).peer, 1, vec![Signal::AskMute {}]);
    assert!(notices(&shell).is_empty());
    shell.signal(entry(3).peer, 1, vec![Signal::AskMute {}]);
    let name = "Person 3".to_owned();
    assert_eq!(notices(&shell), [NoticeKind::AskedToMute { name }]);
}

#[test]
fn who_is_no_host_asks_for_nothing() {
    let mut shell = inside(None, &[host(3)]);
    for intent in [
        HostIntent::Remove(entry(3).seat),
        HostIntent::AskMute(entry(3).seat),
        HostIntent::Admit(vec![entry(5).peer]),
        HostIntent::SetGate(Gate::default()),
    ] {
        shell.intend(Intent::Host(intent));
    }
    assert!(shell.sent().is_empty() && secrets(&shell).is_empty());
}

#[test]
fn a_host_shuts_the_gate_again_after_the_server_forgot_it() {
    let mut shell = inside(Some(HOST), &[entry(3)]);
    let gate = Gate {
        waiting_room: false,
        locked: true,
    };
    shell.hear(&ServerMessage::Gate { version: 2, gate });
    let you = shell.view().me.peer.expect("a seat");
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(2);
    shell.commands.clear();
    let hosting = Hosting {
        host: true,
        ..Hosting::default()
    };
    seated_as(&mut shell, you, 2, hosting, &[]);
    let request = ClientMessage::Host(HostRequest::SetGate { gate });
    assert!(shell.sent().contains(&request), "{:?}", shell.kinds());
    assert!(shell.view().hosting.gate.locked);
}

#[test]
fn who_waits_no_more_is_not_shown_after_the_host_was_away() {
    let mut shell = inside(Some(HOST), &[]);
    let waiting = vec![Waiter {
        peer: entry(5).peer,
        name: "Person 5".into(),
        waited_ms: 0,
        away: false,
    }];
    let knocks = ServerMessage::Knocks { waiting };
    shell.hear(&knocks);
    let hosting = || Hosting {
        host: true,
        ..Hosting::default()
    };
    let you = shell.view().me.peer.expect("a seat");
    seated_as(&mut shell, you, 1, hosting(), &[]);
    assert!(shell.view().hosting.waiting.is_empty());
    // Where they still wait nobody is told of it twice.
    shell.hear(&knocks);
    assert_eq!(shell.view().hosting.waiting.len(), 1);
    assert_eq!(notices(&shell).len(), 1);
}

#[test]
fn who_waits_goes_on_waiting_when_a_restarted_server_is_busy() {
    let mut shell = in_front(None);
    shell.join();
    shell.hear(&ServerMessage::Waiting {});
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(2);
    shell.hear(&ServerMessage::Error {
        code: ErrorCode::RateLimited,
        about: Some("join".into()),
        peer: None,
        message: String::new(),
    });
    assert_eq!(shell.view().stage, Stage::Waiting);
    shell.commands.clear();
    shell.wait(Duration::from_secs(3));
    assert!(shell.kinds().contains(&"join"), "{:?}", shell.kinds());
}

#[test]
fn a_host_shuts_the_gate_again_after_everybody_was_away_for_too_long() {
    let mut shell = inside(Some(HOST), &[entry(3)]);
    let gate = Gate {
        waiting_room: false,
        locked: true,
    };
    shell.hear(&ServerMessage::Gate { version: 2, gate });
    let you = shell.view().me.peer.expect("a seat");
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(1);
    shell.commands.clear();
    let hosting = Hosting {
        host: true,
        ..Hosting::default()
    };
    // The room has begun anew in the same life of the server.
    seated_as(&mut shell, you, 1, hosting, &[]);
    let request = ClientMessage::Host(HostRequest::SetGate { gate });
    assert!(shell.sent().contains(&request), "{:?}", shell.kinds());
}
