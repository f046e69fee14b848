//! Seats: taken, taken over, lost and given up, in every order.

use core::time::Duration;

use visavis_protocol::{CloseCode, Epoch, ErrorCode, LeaveReason, RoomId, ServerMessage, limits};

use super::harness::{World, hello, join, join_as, peer, relay, resume, room, seat, session};
use crate::hub::Counts;
use visavis_protocol::ClientMessage;

fn versions(messages: &[ServerMessage]) -> Vec<u64> {
    messages
        .iter()
        .filter_map(|message| match message {
            ServerMessage::Joined { version, .. }
            | ServerMessage::PeerJoined { version, .. }
            | ServerMessage::PeerLeft { version, .. }
            | ServerMessage::PeerAway { version, .. } => Some(*version),
            ServerMessage::Welcome { .. }
            | ServerMessage::Occupancy { .. }
            | ServerMessage::Relay { .. }
            | ServerMessage::Ice { .. }
            | ServerMessage::Left {}
            | ServerMessage::People(_)
            | ServerMessage::Waiting {}
            | ServerMessage::Declined { .. }
            | ServerMessage::Removed {}
            | ServerMessage::Knocks { .. }
            | ServerMessage::Gate { .. }
            | ServerMessage::Moved { .. }
            | ServerMessage::Desk(_)
            | ServerMessage::Visit(_)
            | ServerMessage::Pong {}
            | ServerMessage::Error { .. }
            | ServerMessage::GoingAway { .. } => None,
        })
        .collect()
}

#[test]
fn the_first_to_join_finds_an_empty_room_and_the_second_finds_the_first() {
    let mut world = World::new();
    let a = world.greeted();
    world.say(a, &join(1));
    let [ServerMessage::Joined { you, peers, .. }] = &world.take(a)[..] else {
        panic!("no snapshot");
    };
    assert_eq!((*you, peers.len()), (peer(1), 0));
    let b = world.greeted();
    world.say(b, &join(2));
    let [ServerMessage::Joined { peers, version, .. }] = &world.take(b)[..] else {
        panic!("no snapshot");
    };
    assert_eq!((peers[0].peer, peers[0].seat), (peer(1), seat(1).seat_id()));
    let [
        ServerMessage::PeerJoined {
            version: seen,
            peer: entry,
        },
    ] = &world.take(a)[..]
    else {
        panic!("not told");
    };
    assert_eq!((seen, entry.peer), (version, peer(2)));
}

#[test]
fn every_member_sees_the_same_versions_without_a_gap() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.seated(2);
    world.take(a);
    let c = world.seated(3);
    world.say(c, &ClientMessage::Leave {});
    world.disconnect(b);
    let b = world.greeted();
    world.say(b, &resume(2));
    let d = world.greeted();
    world.say(d, &join_as(2, 4));
    let seen = versions(&world.take(a));
    let first = seen[0];
    let expected: Vec<u64> = (first..first + 6).collect();
    assert_eq!(seen, expected, "joined, left, away, back, replaced, joined");
    let snapshot = versions(&world.take(d));
    assert_eq!(snapshot, [first + 5]);
}

#[test]
fn a_lost_socket_leaves_the_seat_away_and_then_lost() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.seated(2);
    world.take(a);
    world.disconnect(b);
    let told = world.take(a);
    assert!(matches!(told[..], [ServerMessage::PeerAway { away: true, .. }]));
    assert_eq!(world.counts().away, 1);
    world.pass(limits::RESUME_WINDOW - Duration::from_secs(1), &[a]);
    assert_eq!(world.take(a), []);
    world.pass(Duration::from_secs(1), &[a]);
    let told = world.take(a);
    assert!(
        matches!(
            told[..],
            [ServerMessage::PeerLeft {
                reason: LeaveReason::Lost,
                ..
            }]
        ),
        "{told:?}"
    );
    assert_eq!(world.counts().seats, 1);
}

#[test]
fn who_departs_has_left_at_once_but_not_from_a_seat_that_moved_on() {
    let mut world = World::new();
    let a = world.seated(1);
    let old = world.seated(2);
    let new = world.greeted();
    world.say(new, &resume(2));
    world.take(a);
    world.depart(old);
    assert_eq!(world.take(a), []);
    assert_eq!(world.counts().seats, 2);
    world.depart(new);
    let told = world.take(a);
    assert!(
        matches!(
            told[..],
            [ServerMessage::PeerLeft {
                reason: LeaveReason::Left,
                ..
            }]
        ),
        "{told:?}"
    );
    world.depart(a);
    let counts = world.counts();
    assert_eq!((counts.rooms, counts.seats, counts.connections), (0, 0, 0));
}

#[test]
fn a_resume_returns_to_the_seat_with_a_full_snapshot() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.seated(2);
    world.disconnect(b);
    world.take(a);
    let again = world.greeted();
    world.say(again, &resume(2));
    let told = world.take(again);
    let [
        ServerMessage::Joined {
            you, peers, version, ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!((*you, peers[0].peer), (peer(2), peer(1)));
    let told = world.take(a);
    let [
        ServerMessage::PeerAway {
            away: false,
            version: seen,
            ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(seen, version);
    world.pass(limits::RESUME_WINDOW * 2, &[a, again]);
    assert_eq!(world.take(a), [], "the window of the old loss is forgotten");
}

#[test]
fn the_close_of_an_old_socket_does_not_remove_the_seat_that_moved_on() {
    let mut world = World::new();
    let a = world.seated(1);
    let old = world.seated(2);
    let new = world.greeted();
    world.say(new, &resume(2));
    assert_eq!(world.closed(old), Some(CloseCode::Superseded));
    world.take(a);
    world.disconnect(old);
    world.pass(limits::RESUME_WINDOW * 2, &[a, new]);
    assert_eq!(world.take(a), []);
    assert_eq!(world.counts().seats, 2);
    world.say(a, &relay(2, 1));
    assert!(matches!(
        world.take(new)[..],
        [ServerMessage::Joined { .. }, ServerMessage::Relay { .. }]
    ));
}

#[test]
fn an_old_socket_that_still_speaks_is_not_heard() {
    let mut world = World::new();
    let a = world.seated(1);
    let old = world.seated(2);
    let new = world.greeted();
    world.say(new, &resume(2));
    world.take(a);
    world.say(old, &ClientMessage::Leave {});
    world.say(old, &relay(1, 9));
    assert_eq!(world.take(a), []);
    assert_eq!(world.counts().seats, 2);
}

#[test]
fn what_an_old_socket_asked_long_ago_does_not_take_the_seat_back() {
    let mut world = World::new();
    let a = world.seated(1);
    let held_up = [world.greeted(), world.greeted()];
    let new = world.greeted();
    world.say(new, &join(2));
    world.take(a);
    world.take(new);
    for (old, late) in held_up.into_iter().zip([join(2), resume(2)]) {
        world.say(old, &late);
        assert_eq!(world.closed(old), Some(CloseCode::Superseded));
    }
    assert_eq!(world.take(a), []);
    assert_eq!(world.closed(new), None);
    world.say(a, &relay(2, 1));
    assert!(matches!(world.take(new)[..], [ServerMessage::Relay { .. }]));
}

#[test]
fn a_takeover_of_a_socket_not_known_lost_asks_for_packets_again() {
    let mut world = World::new();
    let a = world.seated(1);
    let _old = world.seated(2);
    world.take(a);
    let new = world.greeted();
    world.say(new, &resume(2));
    let told = world.take(a);
    assert!(
        matches!(told[..], [ServerMessage::PeerAway { away: false, .. }]),
        "{told:?}"
    );
}

#[test]
fn a_join_of_a_session_that_sits_there_takes_it_over() {
    let mut world = World::new();
    let a = world.seated(1);
    let old = world.seated(2);
    world.take(a);
    let new = world.greeted();
    world.say(new, &join(2));
    assert_eq!(world.closed(old), Some(CloseCode::Superseded));
    assert!(matches!(world.take(new)[..], [ServerMessage::Joined { .. }]));
    assert!(matches!(
        world.take(a)[..],
        [ServerMessage::PeerAway { away: false, .. }]
    ));
    assert_eq!(world.counts().seats, 2);
}

#[test]
fn a_reload_replaces_the_seat_at_once() {
    let mut world = World::new();
    let a = world.seated(1);
    let old = world.seated(2);
    world.take(a);
    let new = world.greeted();
    world.say(new, &join_as(2, 3));
    assert_eq!(world.closed(old), Some(CloseCode::SeatMoved));
    let told = world.take(a);
    let [
        ServerMessage::PeerLeft {
            peer: gone,
            reason: LeaveReason::Replaced,
            ..
        },
        ServerMessage::PeerJoined { peer: entry, .. },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(
        (*gone, entry.peer, entry.seat),
        (peer(2), peer(3), seat(2).seat_id())
    );
    world.disconnect(old);
    assert_eq!(world.take(a), []);
}

#[test]
fn a_reload_of_one_alone_keeps_the_room() {
    let mut world = World::new();
    let old = world.seated(1);
    world.disconnect(old);
    let new = world.greeted();
    world.say(new, &join_as(1, 2));
    let told = world.take(new);
    assert!(
        matches!(&told[..], [ServerMessage::Joined { peers, .. }] if peers.is_empty()),
        "{told:?}"
    );
    assert_eq!((world.counts().rooms, world.counts().seats), (1, 1));
}

#[test]
fn a_full_room_refuses_a_stranger_and_admits_a_returning_seat() {
    let mut world = World::new();
    let members: Vec<_> = (1..=8).map(|n| world.seated(n)).collect();
    let ninth = world.greeted();
    world.say(ninth, &join(9));
    assert_eq!(world.take_error(ninth), Some(ErrorCode::RoomFull));
    assert_eq!(world.closed(ninth), None);
    let back = world.greeted();
    world.say(back, &join_as(3, 10));
    assert!(matches!(&world.take(back)[..], [ServerMessage::Joined { peers, .. }] if peers.len() == 7));
    assert_eq!(world.closed(members[2]), Some(CloseCode::SeatMoved));
    assert_eq!(world.counts().seats, 8);
    world.say(members[0], &ClientMessage::Leave {});
    world.say(ninth, &join(9));
    assert!(matches!(world.take(ninth)[..], [ServerMessage::Joined { .. }]));
}

#[test]
fn a_resume_of_another_life_of_the_server_is_told_to_join_again() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.greeted();
    for _ in 0..2 * limits::FAILED_RESUMES {
        world.say(
            b,
            &ClientMessage::Resume {
                epoch: Epoch::from_bytes([8; 16]),
                room: room("tea"),
                session: session(1),
                claim: visavis_protocol::Claim::default(),
            },
        );
        assert_eq!(world.take_error(b), Some(ErrorCode::UnknownSession));
    }
    assert_eq!(world.closed(a), None);
    world.say(b, &join(2));
    assert!(
        matches!(world.take(b)[..], [ServerMessage::Joined { .. }]),
        "not counted as failures"
    );
}

#[test]
fn a_resume_after_the_window_is_told_to_join_again_and_is_no_guess() {
    let mut world = World::new();
    let a = world.seated(1);
    world.disconnect(a);
    world.pass(limits::RESUME_WINDOW, &[]);
    assert_eq!(world.counts().rooms, 0);
    let again = world.greeted();
    for _ in 0..2 * limits::FAILED_RESUMES {
        world.say(again, &resume(1));
        assert_eq!(world.take_error(again), Some(ErrorCode::UnknownSession));
    }
    world.say(again, &join(1));
    assert!(matches!(world.take(again)[..], [ServerMessage::Joined { .. }]));
}

#[test]
fn a_session_is_resumed_only_in_its_own_room() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.greeted();
    world.say(
        b,
        &ClientMessage::Resume {
            epoch: super::harness::EPOCH,
            room: room("coffee"),
            session: session(1),
            claim: visavis_protocol::Claim::default(),
        },
    );
    assert_eq!(world.take_error(b), Some(ErrorCode::UnknownSession));
    assert_eq!(world.closed(a), None);
}

#[test]
fn one_connection_sits_once() {
    let mut world = World::new();
    let a = world.seated(1);
    world.say(a, &join(2));
    assert_eq!(world.take_error(a), Some(ErrorCode::AlreadyJoined));
    world.say(a, &resume(2));
    assert_eq!(world.take_error(a), Some(ErrorCode::AlreadyJoined));
    world.say(
        a,
        &ClientMessage::Watch {
            room: room("coffee"),
            seat: None,
            claim: visavis_protocol::Claim::default(),
        },
    );
    assert_eq!(world.take_error(a), Some(ErrorCode::AlreadyJoined));
    assert_eq!((world.counts().seats, world.counts().watchers), (1, 0));
}

#[test]
fn a_resume_on_the_session_s_own_socket_asks_for_the_room_as_it_is() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.seated(2);
    world.take(a);
    world.say(a, &resume(1));
    let told = world.take(a);
    let [
        ServerMessage::Joined {
            you,
            peers,
            version: 2,
            ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!((*you, peers[0].peer), (peer(1), peer(2)));
    assert_eq!(world.take(b), [], "nothing changed for the others");
    assert_eq!(world.closed(a), None);
}

#[test]
fn who_left_can_join_again_on_the_same_connection() {
    let mut world = World::new();
    let a = world.seated(1);
    world.say(a, &ClientMessage::Leave {});
    assert_eq!(world.take(a), [ServerMessage::Left {}]);
    world.say(a, &ClientMessage::Leave {});
    assert_eq!(world.take_error(a), Some(ErrorCode::NotJoined));
    world.say(a, &join_as(1, 2));
    assert!(matches!(world.take(a)[..], [ServerMessage::Joined { .. }]));
}

#[test]
fn an_open_room_has_one_spelling() {
    let mut world = World::new();
    let a = world.greeted();
    // The second is an `a` and a combining ring, which has a form of its own.
    for name in ["TEA", "a\u{30a}"] {
        let messages = [
            ClientMessage::Watch {
                room: RoomId::derive(name, None),
                seat: None,
                claim: visavis_protocol::Claim::default(),
            },
            ClientMessage::Join {
                room: RoomId::derive(name, None),
                seat: seat(1),
                session: session(1),
                name: "Ada".into(),
                claim: visavis_protocol::Claim::default(),
            },
        ];
        for message in messages {
            world.say(a, &message);
            assert_eq!(world.take_error(a), Some(ErrorCode::BadMessage), "{message:?}");
        }
    }
    assert_eq!(world.counts().rooms, 0);
}

#[test]
fn a_name_that_deceives_is_refused() {
    let mut world = World::new();
    let a = world.greeted();
    let long = "x".repeat(65);
    for name in ["", "a\u{202e}b", "e\u{301}", "\u{0}", long.as_str()] {
        let message = ClientMessage::Join {
            room: room("tea"),
            seat: seat(1),
            session: session(1),
            name: name.into(),
            claim: visavis_protocol::Claim::default(),
        };
        world.say(a, &message);
        assert_eq!(world.take_error(a), Some(ErrorCode::InvalidName), "{name:?}");
    }
    assert_eq!(world.counts().seats, 0);
}

#[test]
fn everything_returns_to_zero() {
    let mut world = World::new();
    for n in 1..=8 {
        world.seated(n);
    }
    let watcher = world.greeted();
    world.say(
        watcher,
        &ClientMessage::Watch {
            room: room("tea"),
            seat: None,
            claim: visavis_protocol::Claim::default(),
        },
    );
    let silent = world.connect_from(4);
    world.say(silent, &hello());
    world.pass(Duration::from_secs(300), &[]);
    assert_eq!(world.counts(), Counts::default());
    assert_eq!(world.hub.poll_timeout(), None);
}
