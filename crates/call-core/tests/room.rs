//! The roster, the seat and who offers, as the server and the person see it.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;

use std::time::Duration;

use shell::{Shell, entry, epoch, sdp};
use visavis_call_core::{
    Command, ConnectionState, EndReason, Event, Intent, JoinProblem, LinkEvent, LinkRole, NoticeKind,
    SdpKind, Stage, Timestamp, VisitId,
};
use visavis_protocol::{
    ClientMessage, ErrorCode, IceServer, LeaveReason, Packet, PeerEntry, SeatId, ServerMessage, Signal,
    limits,
};

fn error(code: ErrorCode, about: &str) -> ServerMessage {
    ServerMessage::Error {
        code,
        about: Some(about.into()),
        peer: None,
        message: String::new(),
    }
}

fn roles(shell: &Shell) -> Vec<LinkRole> {
    shell
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::CreateLink { role, .. } => Some(*role),
            _ => None,
        })
        .collect()
}

#[test]
fn the_page_before_joining_watches_without_taking_a_seat() {
    let mut shell = Shell::in_front();
    assert_eq!(shell.kinds(), ["hello", "watch"]);
    assert_eq!(shell.view().inside, None);
    shell.hear(&ServerMessage::Occupancy {
        room: shell::room(),
        peers: vec![entry(9)],
        seats: 8,
        gate: visavis_protocol::Gate::default(),
        shut: false,
    });
    assert_eq!(shell.view().inside, Some(vec!["Person 9".to_owned()]));
    assert!(shell.view().people.is_empty());
}

#[test]
fn the_newcomers_offer_leaves_in_one_flight_with_the_join() {
    let mut shell = Shell::in_front();
    shell.hear(&ServerMessage::Occupancy {
        room: shell::room(),
        peers: vec![entry(9)],
        seats: 8,
        gate: visavis_protocol::Gate::default(),
        shut: false,
    });
    let links = shell.links();
    assert_eq!(links.len(), 1, "one connection is made ahead");
    shell.make_offer(links[0]);
    assert!(
        shell.packets().is_empty(),
        "nothing is sent before the person joins"
    );
    shell.join();
    assert_eq!(shell.kinds(), ["hello", "watch", "join", "relay"]);
    let (to, 1, packet) = shell.packets().remove(0) else {
        panic!("the first packet")
    };
    assert_eq!(to, entry(9).peer);
    assert!(
        matches!(&packet.signals[..], [Signal::Status(_), Signal::Offer(_)]),
        "{packet:?}"
    );
}

#[test]
fn an_offer_that_followed_the_join_is_sent_once_unless_its_socket_was_lost() {
    for is_lost in [false, true] {
        let mut shell = Shell::in_front();
        shell.hear(&ServerMessage::Occupancy {
            room: shell::room(),
            peers: vec![entry(9)],
            seats: 8,
            gate: visavis_protocol::Gate::default(),
            shut: false,
        });
        let link = shell.links()[0];
        shell.make_offer(link);
        shell.join();
        if is_lost {
            shell.lose(1006);
            shell.wait_for_deadline();
            shell.open();
        }
        shell.seated(1, 1, &[entry(9)]);
        assert_eq!(shell.packets().len(), if is_lost { 2 } else { 1 });
    }
}

#[test]
fn somebody_who_left_before_the_join_costs_nothing() {
    let mut shell = Shell::in_front();
    shell.hear(&ServerMessage::Occupancy {
        room: shell::room(),
        peers: vec![entry(9)],
        seats: 8,
        gate: visavis_protocol::Gate::default(),
        shut: false,
    });
    shell.hear(&ServerMessage::Occupancy {
        room: shell::room(),
        peers: vec![],
        seats: 8,
        gate: visavis_protocol::Gate::default(),
        shut: false,
    });
    assert_eq!(shell.closed_links(), shell.links());
    shell.join();
    shell.seated(1, 1, &[]);
    assert!(shell.view().people.is_empty());
}

#[test]
fn the_newcomer_offers_and_the_member_waits() {
    let mut shell = Shell::in_front();
    shell.join();
    shell.seated(1, 3, &[entry(9)]);
    assert_eq!(roles(&shell), [LinkRole::Offerer]);
    shell.hear(&ServerMessage::PeerJoined {
        version: 4,
        peer: entry(8),
    });
    assert_eq!(roles(&shell), [LinkRole::Offerer, LinkRole::Answerer]);
    let names: Vec<_> = shell
        .view()
        .people
        .into_iter()
        .map(|person| person.name)
        .collect();
    assert_eq!(names, ["Person 9", "Person 8"]);
    let notices: Vec<_> = shell
        .view()
        .notices
        .into_iter()
        .map(|notice| notice.kind)
        .collect();
    assert_eq!(
        notices,
        [NoticeKind::PersonJoined {
            name: "Person 8".into()
        }]
    );
}

#[test]
fn nothing_is_made_ahead_for_a_full_room() {
    let mut shell = Shell::in_front();
    shell.hear(&ServerMessage::Occupancy {
        room: shell::room(),
        peers: vec![entry(8), entry(9)],
        seats: 2,
        gate: visavis_protocol::Gate::default(),
        shut: false,
    });
    assert!(shell.links().is_empty());
}

#[test]
fn a_full_room_is_told_and_can_be_tried_again() {
    let mut shell = Shell::in_front();
    shell.join();
    shell.hear(&error(ErrorCode::RoomFull, "join"));
    assert_eq!(
        shell.view().stage,
        Stage::Preparing {
            problem: Some(JoinProblem::RoomFull)
        }
    );
    assert_eq!(shell.kinds(), ["hello", "watch", "join", "watch"]);
    assert_eq!(
        shell.view().inside,
        None,
        "nobody is said to be there until the server says who is"
    );
    shell.join();
    shell.seated(1, 1, &[]);
    assert_eq!(shell.view().stage, Stage::Joined);
}

#[test]
fn a_reload_of_a_peer_keeps_their_tile_in_its_place() {
    let mut shell = Shell::joined(&[entry(8), entry(9)]);
    let fresh = PeerEntry {
        seat: entry(8).seat,
        ..entry(5)
    };
    shell.hear(&ServerMessage::PeerLeft {
        version: 2,
        peer: entry(8).peer,
        reason: LeaveReason::Replaced,
    });
    let seats = |shell: &Shell| {
        shell
            .view()
            .people
            .into_iter()
            .map(|person| person.seat)
            .collect::<Vec<SeatId>>()
    };
    assert_eq!(seats(&shell), [entry(8).seat, entry(9).seat]);
    shell.hear(&ServerMessage::PeerJoined {
        version: 3,
        peer: fresh.clone(),
    });
    assert_eq!(seats(&shell), [entry(8).seat, entry(9).seat]);
    assert_eq!(shell.view().people[0].peer, fresh.peer);
    assert!(shell.view().notices.is_empty(), "a reload is no news");
}

#[test]
fn a_reload_during_a_restart_of_the_server_is_one_tile() {
    let mut shell = Shell::joined(&[entry(8)]);
    let fresh = PeerEntry {
        seat: entry(8).seat,
        ..entry(5)
    };
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(2);
    shell.hear(&error(ErrorCode::UnknownSession, "resume"));
    shell.seated(2, 1, core::slice::from_ref(&fresh));
    let people = shell.view().people;
    assert_eq!(people.len(), 1);
    assert_eq!(people[0].peer, fresh.peer);
}

#[test]
fn the_old_connection_of_a_seat_is_closed_before_a_new_one_is_made() {
    let mut shell = Shell::joined(&[entry(8)]);
    shell.hear(&ServerMessage::PeerJoined {
        version: 2,
        peer: PeerEntry {
            seat: entry(8).seat,
            ..entry(5)
        },
    });
    let links: Vec<bool> = shell
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::CreateLink { .. } => Some(true),
            Command::CloseLink { .. } => Some(false),
            _ => None,
        })
        .collect();
    assert_eq!(links, [false, true]);
}

#[test]
fn leaving_closes_every_connection_and_says_so() {
    let mut shell = Shell::in_front();
    shell.join();
    shell.seated(1, 1, &[entry(8), entry(9)]);
    let links = shell.links();
    shell.intend(Intent::HangUp);
    assert_eq!(shell.closed_links(), links);
    assert_eq!(shell.kinds().last(), Some(&"leave"));
    assert_eq!(shell.view().stage, Stage::Ended(EndReason::HungUp));
    assert_eq!(shell.core.poll_timeout(), None, "no timer outlives the call");
}

#[test]
fn a_leave_of_an_older_visit_is_ignored() {
    let mut shell = Shell::joined(&[]);
    shell.intend(Intent::LeaveRoom { visit: VisitId(0) });
    assert_eq!(shell.view().stage, Stage::Joined);
    shell.intend(Intent::LeaveRoom { visit: shell::VISIT });
    assert_eq!(shell.view().stage, Stage::Outside);
}

#[test]
fn coming_back_after_the_end_is_a_new_session_in_the_same_seat() {
    let mut shell = Shell::joined(&[]);
    let before = {
        shell.lose(4410);
        shell.view().stage
    };
    assert_eq!(before, Stage::Ended(EndReason::SeatMoved));
    shell.join();
    shell.open();
    let [
        ..,
        ClientMessage::Join {
            session: first,
            seat: first_seat,
            ..
        },
    ] = &shell.sent()[..]
    else {
        panic!("a join, {:?}", shell.kinds())
    };
    let (first, first_seat) = (*first, *first_seat);
    shell.seated(1, 1, &[]);
    shell.lose(4410);
    shell.join();
    shell.open();
    let [.., ClientMessage::Join { session, seat, .. }] = &shell.sent()[..] else {
        panic!("a join")
    };
    assert_ne!(*session, first);
    assert_eq!(*seat, first_seat);
}

#[test]
fn a_lost_socket_is_resumed_and_the_snapshot_compared() {
    let mut shell = Shell::joined(&[entry(7), entry(8)]);
    let notices = |shell: &Shell| {
        shell
            .view()
            .notices
            .into_iter()
            .map(|notice| notice.kind)
            .collect::<Vec<_>>()
    };
    shell.lose(1006);
    assert_eq!(notices(&shell), [NoticeKind::ServerLost]);
    assert_eq!(shell.view().people.len(), 2, "the call goes on");
    shell.wait_for_deadline();
    shell.open();
    assert_eq!(shell.kinds(), ["hello", "resume"]);
    shell.seated(1, 9, &[entry(8), entry(9)]);
    let names: Vec<_> = shell
        .view()
        .people
        .into_iter()
        .map(|person| person.name)
        .collect();
    assert_eq!(names, ["Person 8", "Person 9"]);
    // 9 joined while we were away: they found us in their snapshot and offer.
    assert_eq!(roles(&shell), [LinkRole::Answerer]);
}

#[test]
fn a_server_that_forgot_everybody_is_rejoined_and_connections_are_kept() {
    let mut shell = Shell::joined(&[entry(8)]);
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(2);
    shell.hear(&error(ErrorCode::UnknownSession, "resume"));
    assert_eq!(shell.kinds(), ["hello", "resume", "join"]);
    shell.seated(2, 1, &[]);
    assert!(shell.closed_links().is_empty());
    assert!(shell.view().people[0].away);
    shell.hear(&ServerMessage::PeerJoined {
        version: 2,
        peer: entry(8),
    });
    assert!(!shell.view().people[0].away);
    assert!(
        shell.closed_links().is_empty() && shell.links().is_empty(),
        "the connection never noticed"
    );
}

#[test]
fn who_does_not_come_back_to_a_restarted_server_is_let_go() {
    let mut shell = Shell::joined(&[entry(8)]);
    shell.restart();
    shell.wait(limits::RESUME_WINDOW);
    assert!(shell.view().people.is_empty());
}

#[test]
fn a_missed_roster_event_asks_for_the_whole() {
    let mut shell = Shell::joined(&[]);
    shell.hear(&ServerMessage::PeerJoined {
        version: 3,
        peer: entry(9),
    });
    assert_eq!(shell.kinds(), ["resume"]);
    assert!(shell.view().people.is_empty());
    shell.seated(1, 3, &[entry(8), entry(9)]);
    assert_eq!(shell.view().people.len(), 2);
}

#[test]
fn servers_for_ice_that_come_with_the_seat_reach_a_connection_made_ahead() {
    let mut shell = Shell::in_front();
    shell.hear(&ServerMessage::Occupancy {
        room: shell::room(),
        peers: vec![entry(9)],
        seats: 8,
        gate: visavis_protocol::Gate::default(),
        shut: false,
    });
    let link = shell.links()[0];
    shell.make_offer(link);
    shell.join();
    let turn = IceServer {
        urls: vec!["turn:turn.example".into()],
        username: None,
        credential: None,
    };
    let you = shell.me();
    let ice = vec![turn.clone()];
    shell.hear(&ServerMessage::Joined {
        epoch: epoch(1),
        you,
        version: 1,
        peers: vec![entry(9)],
        ice: ice.clone(),
        ice_lifetime_ms: None,
        hosting: visavis_protocol::Hosting::default(),
    });
    // They are for what cannot be reached otherwise: a connection that comes about needs no more.
    assert!(!shell.commands.contains(&Command::RestartIce { link }));
    while shell.now < Timestamp::from_millis(4000) {
        shell.wait_for_deadline();
    }
    assert!(shell.commands.contains(&Command::SetIceServers {
        link,
        ice,
        relay_only: false
    }));
    assert!(shell.commands.contains(&Command::RestartIce { link }));
}

#[test]
fn a_connection_that_never_comes_about_is_made_anew() {
    let mut shell = Shell::joined(&[entry(9)]);
    shell.wait(Duration::from_secs(20));
    assert_eq!(
        (shell.closed_links().len(), roles(&shell)),
        (1, vec![LinkRole::Offerer])
    );
    let link = shell.links()[0];
    shell.make_offer(link);
    let offered = shell.packets().into_iter().any(
        |(_, _, packet)| matches!(&packet.signals[..], [_, Signal::Offer(offer)] if offer.link == 1 && offer.neg == 1),
    );
    assert!(offered, "{:?}", shell.packets());
}

#[test]
fn connections_made_by_both_at_once_become_one() {
    // 255 is greater than any hash: we are the polite side. 0 is smaller: we are not.
    for (peer, yields) in [(255, true), (0, false)] {
        let mut shell = Shell::in_front();
        shell.join();
        shell.seated(1, 1, &[entry(peer)]);
        let first = shell.links()[0];
        shell.make_offer(first);
        shell.offer_from(entry(peer).peer, 1, 0);
        assert_eq!(shell.closed_links().contains(&first), yields);
        assert_eq!(roles(&shell).contains(&LinkRole::Answerer), yields);
    }
}

#[test]
fn packets_of_strangers_and_nonsense_change_nothing() {
    let mut shell = Shell::joined(&[entry(9)]);
    let before = shell.view();
    shell.offer_from(entry(3).peer, 1, 0);
    shell.hear(&ServerMessage::Relay {
        from: entry(9).peer,
        n: 1,
        body: "{".into(),
    });
    shell.hear(&ServerMessage::Relay {
        from: entry(9).peer,
        n: 9_999,
        body: r#"{"ack":77}"#.into(),
    });
    shell.on_socket(visavis_call_core::SocketEvent::Received(
        r#"{"confetti":{}}"#.into(),
    ));
    assert_eq!(shell.view(), before);
    assert!(shell.commands.is_empty());
}

#[test]
fn an_answered_offer_connects_the_tile() {
    let mut shell = Shell::joined(&[]);
    shell.hear(&ServerMessage::PeerJoined {
        version: 2,
        peer: entry(9),
    });
    let link = shell.links()[0];
    shell.offer_from(entry(9).peer, 1, 0);
    let Some(Command::SetRemoteDescription {
        request,
        kind: SdpKind::Offer,
        ..
    }) = shell.commands.last()
    else {
        panic!("{:?}", shell.commands)
    };
    let request = *request;
    shell.event(Event::Link(link, LinkEvent::RemoteDescriptionApplied { request }));
    let request = shell.local_request();
    let applied = LinkEvent::LocalDescriptionApplied {
        request,
        kind: SdpKind::Answer,
        sdp: sdp("mine"),
    };
    shell.event(Event::Link(link, applied));
    let (_, 1, packet) = shell.packets().remove(0) else {
        panic!("the first packet")
    };
    assert!(
        matches!(&packet.signals[..], [Signal::Status(_), Signal::Answer(_)]),
        "{packet:?}"
    );
    let connected = ConnectionState::Connected;
    shell.event(Event::Link(link, LinkEvent::ConnectionStateChanged(connected)));
    assert_eq!(shell.view().people[0].connection, connected);
}

#[test]
fn f7_a_session_whose_seat_was_taken_while_it_was_away_does_not_take_it_back() {
    let mut shell = Shell::joined(&[entry(8)]);
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(1);
    shell.hear(&error(ErrorCode::UnknownSession, "resume"));
    assert_eq!(shell.view().stage, Stage::Ended(EndReason::SeatMoved));
    assert_eq!(shell.kinds(), ["hello", "resume"]);
    assert!(!shell.closed_links().is_empty());
}

#[test]
fn who_slept_longer_than_the_seat_was_kept_joins_again() {
    let mut shell = Shell::joined(&[entry(8)]);
    shell.lose(1006);
    shell.wait(limits::RESUME_WINDOW);
    shell.open();
    shell.greeted(1);
    shell.hear(&error(ErrorCode::UnknownSession, "resume"));
    assert_eq!(shell.kinds(), ["hello", "resume", "join"]);
}

#[test]
fn a_peer_who_was_given_up_and_returns_is_met_in_a_new_era() {
    let mut shell = Shell::joined(&[entry(8)]);
    shell.signal(entry(8).peer, 1, vec![]);
    shell.hear(&ServerMessage::PeerLeft {
        version: 2,
        peer: entry(8).peer,
        reason: LeaveReason::Lost,
    });
    shell.commands.clear();
    shell.hear(&ServerMessage::PeerJoined {
        version: 3,
        peer: entry(8),
    });
    assert_eq!(roles(&shell), [LinkRole::Answerer]);
    let packets = shell.packets();
    let [(_, 1, packet)] = &packets[..] else {
        panic!("a greeting: {packets:?}")
    };
    assert_eq!(packet.era, 1);
}

#[test]
fn whom_a_peer_had_given_up_begins_anew_with_them() {
    let mut shell = Shell::joined(&[entry(8)]);
    for n in 1..=3 {
        shell.signal(entry(8).peer, n, vec![]);
    }
    shell.commands.clear();
    let greeting = Packet {
        era: 1,
        ..Packet::default()
    };
    shell.packet(entry(8).peer, 1, &greeting);
    assert_eq!(shell.closed_links().len(), 1);
    assert_eq!(roles(&shell), [LinkRole::Offerer]);
    shell.commands.clear();
    shell.signal(entry(8).peer, 4, vec![]);
    assert_eq!(shell.commands, [], "the former era is void");
}

fn occupancy(peers: &[PeerEntry], seats: u8) -> ServerMessage {
    ServerMessage::Occupancy {
        room: shell::room(),
        peers: peers.to_vec(),
        seats,
        gate: visavis_protocol::Gate::default(),
        shut: false,
    }
}

#[test]
fn a_full_room_is_told_before_one_asks_and_no_longer_than_it_is_full() {
    let full = Stage::Preparing {
        problem: Some(JoinProblem::RoomFull),
    };
    let mut shell = Shell::in_front();
    shell.hear(&occupancy(&[entry(8), entry(9)], 2));
    assert_eq!(shell.view().stage, full);
    shell.hear(&occupancy(&[entry(9)], 2));
    assert_eq!(shell.view().stage, Stage::Preparing { problem: None });
    // One's own seat from before a reload is not somebody else's.
    let mut own = entry(8);
    own.seat = shell::SEAT.seat_id();
    shell.hear(&occupancy(&[own, entry(9)], 2));
    assert_eq!(shell.view().stage, Stage::Preparing { problem: None });
}

#[test]
fn a_look_inside_that_was_refused_is_tried_again() {
    let mut shell = Shell::in_front();
    shell.hear(&error(ErrorCode::TooManyWatchers, "watch"));
    assert_eq!(shell.kinds(), ["hello", "watch"]);
    shell.wait(Duration::from_secs(3));
    assert_eq!(shell.kinds(), ["hello", "watch", "watch"]);
}

#[test]
fn a_peer_who_starts_over_again_and_again_gets_no_connection_for_each() {
    let mut shell = Shell::joined(&[entry(9)]);
    for era in 1..500 {
        let packet = Packet {
            era,
            ack: 0,
            signals: Vec::new(),
        };
        shell.hear(&ServerMessage::Relay {
            from: entry(9).peer,
            n: 1,
            body: packet.encode(),
        });
    }
    assert!(shell.links().len() < 12, "{} connections", shell.links().len());
    let mut shell = Shell::joined(&[entry(9)]);
    for link in 1..500 {
        let offer = Signal::Offer(visavis_protocol::Description {
            link,
            neg: 1,
            sdp: sdp("x"),
        });
        let packet = Packet {
            era: 0,
            ack: 0,
            signals: vec![offer],
        };
        shell.hear(&ServerMessage::Relay {
            from: entry(9).peer,
            n: u64::from(link),
            body: packet.encode(),
        });
    }
    assert!(shell.links().len() < 12, "{} connections", shell.links().len());
}
