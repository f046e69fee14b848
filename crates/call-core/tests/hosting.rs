//! Rooms with a host, as one page plays them: before the gate, inside, and when somebody is removed.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;

use std::time::Duration;

use shell::{SEAT, Shell, VISIT, entry, epoch};
use visavis_call_core::{
    Command, ConnectionState, EndReason, Event, HostIntent, Hosted, Intent, JoinProblem, LinkEvent, LinkId,
    NoticeKind, Stage,
};
use visavis_protocol::{
    Charter, ClientMessage, ErrorCode, Frame, Gate, HostRequest, HostSecret, Hosting, LeaveReason, Pass,
    PeerEntry, PeerId, RoomId, RoomSecret, ServerMessage, Signal, Waiter,
};

const HOST: HostSecret = HostSecret::from_bytes([8; 16]);

fn id(secret: u8) -> RoomId {
    let charter = Charter {
        host: HOST.host_id(),
        waiting_room: true,
    };
    RoomId::derive_hosted("tea", &RoomSecret::from_bytes([secret; 16]), charter)
}

/// On the page of a room with a host.
fn in_front(host: Option<HostSecret>) -> Shell {
    let mut shell = Shell::new();
    shell.intend(Intent::EnterRoom {
        visit: VISIT,
        room: id(1),
        seat: SEAT,
        chat: None,
        hosted: Some(Hosted {
            name: "tea".into(),
            secret: RoomSecret::from_bytes([1; 16]),
            host,
        }),
    });
    shell.open();
    shell.greeted(1);
    shell
}

fn host(n: u8) -> PeerEntry {
    PeerEntry {
        host: true,
        ..entry(n)
    }
}

fn seated(shell: &mut Shell, life: u8, hosting: Hosting, peers: &[PeerEntry]) {
    let you = shell.me();
    seated_as(shell, you, life, hosting, peers);
}

fn seated_as(shell: &mut Shell, you: PeerId, life: u8, hosting: Hosting, peers: &[PeerEntry]) {
    shell.hear(&ServerMessage::Joined {
        epoch: epoch(life),
        you,
        version: 1,
        peers: peers.to_vec(),
        ice: vec![],
        ice_lifetime_ms: None,
        hosting,
    });
}

fn inside(own: Option<HostSecret>, peers: &[PeerEntry]) -> Shell {
    let mut shell = in_front(own);
    shell.join();
    let hosting = Hosting {
        host: own.is_some(),
        pass: Some(Pass::from_bytes([4; 16])),
        ..Hosting::default()
    };
    seated(&mut shell, 1, hosting, peers);
    for link in shell.links_of_view() {
        let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
        shell.event(Event::Link(link, connected));
        shell.event(Event::Link(link, LinkEvent::ChannelOpened));
    }
    shell.commands.clear();
    shell
}

fn frames(shell: &Shell) -> Vec<(LinkId, Frame)> {
    let frame = |command: &Command| match command {
        Command::SendInBand { link, text } => Some((*link, Frame::decode(text).ok()?)),
        _ => None,
    };
    shell.commands.iter().filter_map(frame).collect()
}

fn secrets(shell: &Shell) -> Vec<(LinkId, RoomSecret, bool)> {
    let secret = |(link, frame)| match frame {
        Frame::Secret { secret, moved, .. } => Some((link, secret, moved)),
        _ => None,
    };
    frames(shell).into_iter().filter_map(secret).collect()
}

fn say(shell: &mut Shell, link: LinkId, secret: u8, moved: bool) {
    say_without(shell, link, secret, moved, &[]);
}

fn say_without(shell: &mut Shell, link: LinkId, secret: u8, moved: bool, without: &[PeerId]) {
    let secret = RoomSecret::from_bytes([secret; 16]);
    let without = without.to_vec();
    let text = Frame::Secret {
        secret,
        moved,
        without,
    }
    .encode();
    shell.event(Event::Link(link, LinkEvent::ChannelReceived(text)));
}

fn moved(shell: &mut Shell, version: u64, secret: u8) {
    shell.hear(&ServerMessage::Moved {
        version,
        room: id(secret),
    });
}

fn notices(shell: &Shell) -> Vec<NoticeKind> {
    shell
        .view()
        .notices
        .into_iter()
        .map(|notice| notice.kind)
        .collect()
}

fn link_secret(shell: &Shell) -> Option<RoomSecret> {
    shell.view().hosting.secret
}

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
fn a_host_tells_the_others_before_the_server() {
    let mut shell = inside(Some(HOST), &[entry(3), entry(4)]);
    let [third, fourth] = shell.links_of_view()[..] else {
        panic!("two connections")
    };
    shell.intend(Intent::Host(HostIntent::Remove(entry(4).seat)));
    let told = secrets(&shell);
    let [(link, secret, false)] = told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(link, third, "who goes hears nothing");
    let charter = id(1).charter().expect("a charter");
    let next = RoomId::derive_hosted("tea", &secret, charter);
    assert_eq!(
        shell.sent(),
        [ClientMessage::Host(HostRequest::Remove {
            peer: entry(4).peer,
            next: next.clone(),
        })]
    );
    assert_eq!(link_secret(&shell), None, "nothing has changed yet");
    shell.hear(&ServerMessage::PeerLeft {
        version: 2,
        peer: entry(4).peer,
        reason: LeaveReason::Removed,
    });
    assert_eq!(shell.closed_links(), [fourth]);
    shell.hear(&ServerMessage::Moved {
        version: 3,
        room: next,
    });
    assert_eq!(link_secret(&shell), Some(secret));
    let name = "Person 4".to_owned();
    assert!(notices(&shell).contains(&NoticeKind::PersonRemoved { name }));
    assert!(notices(&shell).contains(&NoticeKind::LinkChanged));
    assert!(secrets(&shell).contains(&(third, secret, true)));
}

#[test]
fn the_link_changes_by_the_hosts_word_and_the_servers_in_either_order() {
    for server_first in [false, true] {
        let mut shell = inside(None, &[host(3)]);
        let link = shell.links_of_view()[0];
        if server_first {
            moved(&mut shell, 2, 2);
            assert!(shell.view().hosting.is_link_old);
        }
        say(&mut shell, link, 2, false);
        assert_eq!(link_secret(&shell).is_some(), server_first);
        if !server_first {
            moved(&mut shell, 2, 2);
        }
        assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([2; 16])));
        assert!(!shell.view().hosting.is_link_old);
    }
}

#[test]
fn nobody_but_a_host_changes_the_link_by_their_word() {
    let mut shell = inside(None, &[entry(3)]);
    let link = shell.links_of_view()[0];
    for has_moved in [false, true] {
        say(&mut shell, link, 2, has_moved);
        assert_eq!(link_secret(&shell), None);
    }
    moved(&mut shell, 2, 5);
    assert_eq!(
        link_secret(&shell),
        None,
        "the server's word alone is not enough either"
    );
    // With the server's word anybody may tell what it is about: only its secret gives that id.
    say(&mut shell, link, 5, true);
    assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([5; 16])));
}

#[test]
fn who_missed_the_servers_word_follows_the_others() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let [third, fourth] = shell.links_of_view()[..] else {
        panic!("two connections")
    };
    say(&mut shell, third, 2, false);
    // As long as the server that heard the host is there, it would have said so.
    say(&mut shell, fourth, 2, true);
    assert_eq!(link_secret(&shell), None);
    shell.restart();
    let hosting = Hosting::default();
    let you = shell.view().me.peer.expect("a seat");
    seated_as(&mut shell, you, 2, hosting, &[host(3), entry(4)]);
    say(&mut shell, fourth, 2, true);
    assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([2; 16])));
    shell.commands.clear();
    for _ in 0..8 {
        shell.wait(Duration::from_secs(1));
    }
    let rejoined = shell
        .sent()
        .into_iter()
        .any(|message| matches!(message, ClientMessage::Join { room, .. } if room == id(2)));
    assert!(
        rejoined,
        "sits in a room that the others have left: {:?}",
        shell.kinds()
    );
    // Where the server confirms it, the seat stays.
    let mut shell = inside(None, &[host(3), entry(4)]);
    let link = shell.links_of_view()[0];
    say(&mut shell, link, 2, true);
    moved(&mut shell, 2, 2);
    shell.commands.clear();
    for _ in 0..8 {
        shell.wait(Duration::from_secs(1));
    }
    assert!(!shell.kinds().contains(&"leave"), "{:?}", shell.kinds());
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
fn two_who_are_removed_at_once_are_both_told_nothing() {
    let mut shell = inside(Some(HOST), &[entry(3), entry(4), entry(5)]);
    let links = shell.links_of_view();
    shell.intend(Intent::Host(HostIntent::Remove(entry(3).seat)));
    // Before the server has answered.
    shell.commands.clear();
    shell.intend(Intent::Host(HostIntent::Remove(entry(4).seat)));
    let told = frames(&shell);
    let [(link, Frame::Secret { moved, without, .. })] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((*link, *moved), (links[2], false));
    assert_eq!(without[..], [entry(3).peer, entry(4).peer]);
    // The server refuses the first: they hear of the next secret again.
    shell.hear(&ServerMessage::Error {
        code: ErrorCode::RateLimited,
        about: Some("remove_peer".into()),
        peer: Some(entry(3).peer),
        message: String::new(),
    });
    shell.commands.clear();
    shell.intend(Intent::Host(HostIntent::Remove(entry(5).seat)));
    assert_eq!(secrets(&shell).len(), 2);
}

#[test]
fn what_a_host_says_of_is_not_passed_on_to_those_who_are_sent_away() {
    let mut shell = inside(None, &[host(3), entry(4), entry(5)]);
    let links = shell.links_of_view();
    say_without(&mut shell, links[0], 2, false, &[entry(4).peer]);
    shell.commands.clear();
    // The host's word overtakes the server's.
    say_without(&mut shell, links[0], 2, true, &[entry(4).peer]);
    let told: Vec<LinkId> = secrets(&shell).into_iter().map(|(link, ..)| link).collect();
    assert_eq!(told, [links[0], links[2]]);
    // The server lists them in the room of that secret: they were not sent away.
    moved(&mut shell, 2, 2);
    shell.commands.clear();
    let you = shell.view().me.peer.expect("a seat");
    let all = [host(3), entry(4), entry(5)];
    seated_as(&mut shell, you, 1, Hosting::default(), &all);
    let told: Vec<LinkId> = secrets(&shell).into_iter().map(|(link, ..)| link).collect();
    assert_eq!(told, [links[1]]);
}

#[test]
fn a_word_of_a_secret_that_was_left_behind_leads_nobody_back() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let link = shell.links_of_view()[0];
    say(&mut shell, link, 2, false);
    say(&mut shell, link, 3, false);
    moved(&mut shell, 2, 2);
    moved(&mut shell, 3, 3);
    let current = RoomSecret::from_bytes([3; 16]);
    assert_eq!(link_secret(&shell), Some(current));
    say(&mut shell, link, 2, true);
    say(&mut shell, link, 1, true);
    assert_eq!(link_secret(&shell), Some(current));
    shell.commands.clear();
    for _ in 0..8 {
        shell.wait(Duration::from_secs(1));
    }
    assert!(!shell.kinds().contains(&"leave"), "{:?}", shell.kinds());
}

#[test]
fn the_server_s_word_for_a_move_that_others_told_of_later_leads_nobody_back() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let link = shell.links_of_view()[0];
    say(&mut shell, link, 2, true);
    say(&mut shell, link, 3, true);
    let current = RoomSecret::from_bytes([3; 16]);
    moved(&mut shell, 2, 2);
    assert_eq!(link_secret(&shell), Some(current));
    moved(&mut shell, 3, 3);
    assert_eq!(link_secret(&shell), Some(current));
    assert!(!shell.view().hosting.is_link_old);
}

#[test]
fn who_came_by_the_new_link_tells_it_to_those_who_did_not() {
    let mut shell = in_front(None);
    shell.join();
    seated(&mut shell, 1, Hosting::default(), &[host(3)]);
    let link = shell.links_of_view()[0];
    let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
    shell.event(Event::Link(link, connected));
    shell.event(Event::Link(link, LinkEvent::ChannelOpened));
    assert_eq!(secrets(&shell), [(link, RoomSecret::from_bytes([1; 16]), true)]);
}

#[test]
fn a_host_whom_nobody_tells_the_secret_gives_the_room_another() {
    let mut shell = in_front(Some(HOST));
    shell.join();
    let hosting = Hosting {
        host: true,
        room: Some(id(2)),
        ..Hosting::default()
    };
    seated(&mut shell, 1, hosting, &[]);
    assert!(shell.view().hosting.is_link_old);
    let renamed = |shell: &Shell| {
        shell.sent().into_iter().find_map(|message| match message {
            ClientMessage::Host(HostRequest::Rename { next }) => Some(next),
            _ => None,
        })
    };
    shell.wait(Duration::from_secs(9));
    assert_eq!(renamed(&shell), None, "somebody may still tell it");
    shell.wait(Duration::from_secs(1));
    let room = renamed(&shell).expect("a new id");
    shell.hear(&ServerMessage::Moved { version: 2, room });
    assert!(!shell.view().hosting.is_link_old && link_secret(&shell).is_some());
    // A guest waits for those who know.
    let mut shell = in_front(None);
    shell.join();
    let hosting = Hosting {
        room: Some(id(2)),
        ..Hosting::default()
    };
    seated(&mut shell, 1, hosting, &[]);
    shell.wait(Duration::from_secs(30));
    assert_eq!(renamed(&shell), None);
}

#[test]
fn who_was_removed_while_away_is_told_when_they_are_back() {
    let mut shell = inside(None, &[host(3)]);
    shell.lose(1006);
    shell.now = shell.now + Duration::from_secs(70);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(1);
    for (code, about) in [
        (ErrorCode::UnknownSession, "resume"),
        (ErrorCode::RoomMoved, "join"),
    ] {
        shell.hear(&ServerMessage::Error {
            code,
            about: Some(about.into()),
            peer: None,
            message: String::new(),
        });
    }
    assert_eq!(shell.view().stage, Stage::Ended(EndReason::Removed));
}

#[test]
fn who_comes_while_the_new_pass_is_asked_for_is_seen() {
    let mut shell = inside(None, &[host(3)]);
    let link = shell.links_of_view()[0];
    say(&mut shell, link, 2, false);
    moved(&mut shell, 2, 2);
    assert_eq!(shell.kinds().last(), Some(&"resume"));
    shell.hear(&ServerMessage::PeerJoined {
        version: 3,
        peer: entry(6),
    });
    assert_eq!(shell.view().people.len(), 2);
}

#[test]
fn whoever_repeats_a_host_is_believed_while_the_server_is_away() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let [third, fourth] = shell.links_of_view()[..] else {
        panic!("two connections")
    };
    say(&mut shell, third, 2, false);
    shell.lose(1006);
    say(&mut shell, fourth, 2, true);
    assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([2; 16])));
}

#[test]
fn a_host_who_came_by_the_old_link_does_not_tell_it() {
    let mut shell = in_front(Some(HOST));
    shell.join();
    let hosting = Hosting {
        host: true,
        room: Some(id(2)),
        ..Hosting::default()
    };
    seated(&mut shell, 1, hosting, &[entry(3)]);
    let link = shell.links_of_view()[0];
    let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
    shell.event(Event::Link(link, connected));
    shell.event(Event::Link(link, LinkEvent::ChannelOpened));
    assert_eq!(secrets(&shell), []);
    say(&mut shell, link, 2, true);
    assert_eq!(secrets(&shell), [(link, RoomSecret::from_bytes([2; 16]), true)]);
}

#[test]
fn a_host_without_a_server_announces_nothing() {
    let mut shell = inside(Some(HOST), &[entry(3), entry(4)]);
    shell.lose(1006);
    shell.commands.clear();
    shell.intend(Intent::Host(HostIntent::Remove(entry(3).seat)));
    assert_eq!(secrets(&shell), []);
    assert_eq!(notices(&shell).last(), Some(&NoticeKind::HostRefused));
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
