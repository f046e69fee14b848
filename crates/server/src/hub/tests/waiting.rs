//! Who waits before a room: what they hear, who hears of them, and how it ends.

use core::time::Duration;

use visavis_protocol::{Claim, ClientMessage, CloseCode, ErrorCode, HostRequest, ServerMessage, limits};

use super::harness::{World, peer, relay, seat};
use super::hosted::{
    HOST, admit, as_host, ask, error, guarded, hosting, join_of, knocks, last_knocks, open, remove,
    resume_of, room_of, set_gate, watch_of,
};

const NOBODY: Claim = Claim {
    host: None,
    pass: None,
};

fn decline(n: u8, word: &str) -> ClientMessage {
    ask(HostRequest::Decline {
        peer: peer(n),
        word: word.into(),
    })
}

#[test]
fn who_waits_hears_nothing_of_the_room_and_does_nothing_there() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let waiter = world.waits_at(&guarded(), 1);
    let other = world.waits_at(&guarded(), 2);
    world.say(host, &admit(&[2]));
    world.take(other);
    world.say(other, &relay(HOST, 1));
    world.say(host, &relay(1, 1));
    world.say(host, &set_gate(true, true));
    world.say(host, &remove(2, &room_of(2, true)));
    world.pass(Duration::from_secs(1), &[]);
    assert_eq!(world.take(waiter), []);
    world.take(host);
    for message in [
        relay(HOST, 1),
        ClientMessage::Ice {},
        set_gate(false, false),
        admit(&[1]),
    ] {
        world.say(waiter, &message);
        assert_eq!(
            world.take_error(waiter),
            Some(ErrorCode::NotJoined),
            "{message:?}"
        );
    }
    for message in [
        watch_of(&guarded(), None, NOBODY),
        resume_of(&guarded(), 1, NOBODY),
        join_of(&open(), 1, 1, NOBODY),
        join_of(&guarded(), 7, 7, NOBODY),
    ] {
        world.say(waiter, &message);
        assert_eq!(
            world.take_error(waiter),
            Some(ErrorCode::AlreadyJoined),
            "{message:?}"
        );
    }
    assert_eq!(world.take(host), []);
    assert_eq!(world.counts().waiting, 1);
}

#[test]
fn hosts_hear_who_waits_and_nobody_else() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let guest = world.waits_at(&guarded(), 1);
    let told = world.take(host);
    let [ServerMessage::Knocks { waiting }] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (waiting[0].peer, waiting[0].name.as_str(), waiting[0].away),
        (peer(1), "Person 1", false)
    );
    world.say(host, &admit(&[1]));
    let told = world.take(host);
    assert!(
        matches!(&told[..], [ServerMessage::PeerJoined { peer, .. }, ServerMessage::Knocks { waiting }]
            if !peer.host && waiting.is_empty()),
        "{told:?}"
    );
    let told = world.take(guest);
    assert!(hosting(&told).pass.is_some());
    let second = world.waits_at(&guarded(), 2);
    assert_eq!(last_knocks(&world.take(host)), [peer(2)]);
    world.disconnect(second);
    let told = world.take(host);
    assert!(knocks(&told)[0][0].away);
    let (other, told) = world.joins(&guarded(), 50, 50, as_host());
    assert_eq!(last_knocks(&told), [peer(2)]);
    assert_eq!(last(&world.take(host)), None, "nothing changed for the first");
    // On the return of a host who knew of some: also when nobody waits any more.
    world.disconnect(other);
    world.say(host, &decline(2, ""));
    let back = world.greeted();
    world.say(back, &resume_of(&guarded(), 50, as_host()));
    assert_eq!(last_knocks(&world.take(back)), []);
    world.say(back, &resume_of(&guarded(), 50, as_host()));
    assert_eq!(knocks(&world.take(back)).len(), 0, "told already");
    assert_eq!(knocks(&world.take(guest)).len(), 0);
}

fn last(told: &[ServerMessage]) -> Option<usize> {
    knocks(told).last().map(Vec::len)
}

#[test]
fn they_come_in_in_the_order_that_the_host_gives_as_far_as_there_are_seats() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let waiters: Vec<_> = (1..=9).map(|n| world.waits_at(&guarded(), n)).collect();
    world.take(host);
    world.say(host, &admit(&[9, 88, 3, 3]));
    let told = world.take(host);
    let joined: Vec<_> = told
        .iter()
        .filter_map(|message| {
            let ServerMessage::PeerJoined { peer, .. } = message else {
                return None;
            };
            Some(peer.peer)
        })
        .collect();
    assert_eq!(joined, [peer(9), peer(3)]);
    assert_eq!(
        last_knocks(&told),
        [1, 2, 4, 5, 6, 7, 8].map(peer),
        "the others keep their order"
    );
    world.say(host, &admit(&[8, 7, 6, 5, 4, 2, 1]));
    let told = world.take(host);
    assert!(
        told.iter().any(|message| matches!(message,
            ServerMessage::Error { code: ErrorCode::RoomFull, about: Some(about), peer: Some(left), .. }
            if about == "admit" && *left == peer(2))),
        "{told:?}"
    );
    assert_eq!(last_knocks(&told), [peer(1), peer(2)]);
    assert_eq!(world.take(waiters[0]), []);
    assert_eq!((world.counts().seats, world.counts().waiting), (8, 2));
}

#[test]
fn who_knocks_again_waits_in_the_same_place() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let old = world.waits_at(&guarded(), 1);
    world.waits_at(&guarded(), 2);
    world.pass(Duration::from_secs(10), &[host, old]);
    world.take(host);
    // Said again, on the same socket.
    world.say(old, &join_of(&guarded(), 1, 1, NOBODY));
    assert_eq!(world.take(old), [ServerMessage::Waiting {}]);
    assert_eq!(world.take(host), [], "nothing changed");
    // On another one.
    let new = world.greeted();
    world.say(new, &join_of(&guarded(), 1, 1, NOBODY));
    assert_eq!(world.take(new), [ServerMessage::Waiting {}]);
    assert_eq!(world.closed(old), Some(CloseCode::Superseded));
    // After a reload: another session of the same seat.
    let (reloaded, told) = world.joins(&guarded(), 1, 11, NOBODY);
    assert_eq!(told, [ServerMessage::Waiting {}]);
    assert_eq!(world.closed(new), Some(CloseCode::SeatMoved));
    let told = world.take(host);
    let list = knocks(&told).pop().unwrap();
    assert_eq!((list.len(), list[0].peer), (2, peer(11)));
    assert!(list[0].waited_ms >= 10_000, "{}", list[0].waited_ms);
    world.say(host, &admit(&[11]));
    hosting(&world.take(reloaded));
    assert_eq!(world.counts().waiting, 1);
}

#[test]
fn an_old_socket_does_not_take_a_wait_back() {
    let mut world = World::new();
    world.host_in(&guarded());
    let held_up = world.greeted();
    let new = world.waits_at(&guarded(), 1);
    world.say(held_up, &join_of(&guarded(), 1, 1, NOBODY));
    assert_eq!(world.closed(held_up), Some(CloseCode::Superseded));
    assert_eq!(world.closed(new), None);
    assert_eq!(world.counts().waiting, 1);
}

#[test]
fn a_lost_socket_keeps_its_place_for_a_while() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    for leave in [World::disconnect, World::depart] {
        let waiter = world.waits_at(&guarded(), 1);
        world.take(host);
        leave(&mut world, waiter);
        assert!(knocks(&world.take(host))[0][0].away);
        world.pass(limits::WAITER_WINDOW - Duration::from_secs(1), &[host]);
        let back = world.waits_at(&guarded(), 1);
        let list = knocks(&world.take(host)).pop().unwrap();
        assert!(!list[0].away && list[0].waited_ms >= 50_000, "{list:?}");
        leave(&mut world, back);
        world.take(host);
        world.pass(limits::WAITER_WINDOW, &[host]);
        assert_eq!(last(&world.take(host)), Some(0));
        assert_eq!(world.counts().waiting, 0);
    }
    // The resume of one who waits, or waited, is no guess.
    world.waits_at(&guarded(), 2);
    let again = world.greeted();
    for n in [1, 2]
        .into_iter()
        .cycle()
        .take(4 * limits::FAILED_RESUMES as usize)
    {
        world.say(again, &resume_of(&guarded(), n, NOBODY));
        assert_eq!(world.take_error(again), Some(ErrorCode::UnknownSession), "{n}");
    }
}

#[test]
fn who_is_admitted_while_away_comes_in_when_they_are_back() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let waiter = world.waits_at(&guarded(), 1);
    world.disconnect(waiter);
    world.take(host);
    world.say(host, &admit(&[1]));
    let told = world.take(host);
    assert!(
        matches!(&told[..], [ServerMessage::Knocks { waiting }] if waiting.is_empty()),
        "{told:?}"
    );
    assert_eq!(world.counts().seats, 1);
    world.say(host, &set_gate(true, true));
    world.take(host);
    let (_, told) = world.joins(&guarded(), 1, 1, NOBODY);
    hosting(&told);
    assert!(matches!(world.take(host)[..], [ServerMessage::PeerJoined { .. }]));
}

#[test]
fn who_is_declined_is_told_the_word_and_may_knock_again() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let waiter = world.waits_at(&guarded(), 1);
    world.take(host);
    world.say(host, &decline(1, "later\u{202e}\u{7}, please"));
    assert_eq!(
        world.take(waiter),
        [ServerMessage::Declined {
            word: "later, please".into()
        }]
    );
    assert_eq!(last(&world.take(host)), Some(0));
    world.say(host, &decline(1, ""));
    assert_eq!(world.take(host), [], "nobody of that name waits");
    let mut refused = None;
    for _ in 0..=limits::JOINS_BURST {
        world.say(waiter, &join_of(&guarded(), 1, 1, NOBODY));
        match &world.take(waiter)[..] {
            [ServerMessage::Waiting {}] => {}
            other => {
                refused = Some(error(other));
                break;
            }
        }
        world.say(host, &decline(1, ""));
        world.take(waiter);
    }
    assert_eq!(refused, Some(ErrorCode::RateLimited));
}

#[test]
fn who_leaves_waits_no_more() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let waiter = world.waits_at(&guarded(), 1);
    world.take(host);
    world.say(waiter, &ClientMessage::Leave {});
    assert_eq!(world.take(waiter), [ServerMessage::Left {}]);
    assert_eq!(last(&world.take(host)), Some(0));
    world.say(host, &admit(&[1]));
    assert_eq!(world.take(waiter), []);
    world.say(waiter, &watch_of(&guarded(), None, NOBODY));
    assert!(matches!(
        world.take(waiter)[..],
        [ServerMessage::Occupancy { shut: true, .. }]
    ));
}

#[test]
fn only_so_many_wait() {
    let mut world = World::new();
    let count = u8::try_from(limits::ROOM_WAITING).unwrap();
    for n in 1..=count {
        world.waits_at(&guarded(), n);
    }
    let (_, told) = world.joins(&guarded(), 50, 50, NOBODY);
    assert_eq!(error(&told), ErrorCode::TooManyWaiting);
    let (_, told) = world.joins(&guarded(), 1, 51, NOBODY);
    assert_eq!(told, [ServerMessage::Waiting {}], "a reload is nobody new");
    assert_eq!(world.counts().waiting, limits::ROOM_WAITING);
    let host = world.host_in(&guarded());
    assert_eq!(
        world.counts().seats,
        1,
        "a room of those who wait has all its seats"
    );
    assert_eq!(world.closed(host), None);
}

#[test]
fn a_name_is_looked_at_before_the_host_sees_it() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let waiter = world.greeted();
    let ClientMessage::Join {
        room,
        seat,
        session,
        claim,
        ..
    } = join_of(&guarded(), 1, 1, NOBODY)
    else {
        panic!("no join");
    };
    let message = ClientMessage::Join {
        room,
        seat,
        session,
        claim,
        name: "a\u{202e}b".into(),
    };
    world.say(waiter, &message);
    assert_eq!(world.take_error(waiter), Some(ErrorCode::InvalidName));
    assert_eq!(world.take(host), []);
}

#[test]
fn an_opened_gate_lets_all_in_for_whom_there_are_seats_and_the_others_as_seats_get_free() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let waiters: Vec<_> = (1..=9).map(|n| world.waits_at(&guarded(), n)).collect();
    world.take(host);
    world.say(host, &set_gate(false, true));
    assert_eq!(world.counts().waiting, 9, "locked is not open");
    world.say(host, &set_gate(false, false));
    let told = world.take(host);
    assert!(matches!(told[1], ServerMessage::Gate { .. }), "{told:?}");
    assert_eq!(last_knocks(&told), [peer(8), peer(9)]);
    assert_eq!((world.counts().seats, world.counts().waiting), (8, 2));
    world.say(waiters[0], &ClientMessage::Leave {});
    hosting(&world.take(waiters[7]));
    world.say(host, &remove(2, &room_of(2, true)));
    let told = world.take(waiters[8]);
    assert_eq!(hosting(&told).room, Some(room_of(2, true)));
    assert_eq!((world.counts().seats, world.counts().waiting), (8, 0));
}

#[test]
fn who_waits_already_waits_on_when_the_room_is_locked_or_moves() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let guest = world.waits_at(&guarded(), 2);
    world.say(host, &admit(&[2]));
    world.take(guest);
    let waiter = world.waits_at(&guarded(), 1);
    world.say(host, &set_gate(true, true));
    let (_, told) = world.joins(&guarded(), 3, 3, NOBODY);
    assert_eq!(error(&told), ErrorCode::RoomLocked);
    world.say(host, &remove(2, &room_of(2, true)));
    world.disconnect(waiter);
    // By the link that they have; after a reload, too.
    let back = world.waits_at(&guarded(), 1);
    world.disconnect(back);
    let (back, told) = world.joins(&guarded(), 1, 11, NOBODY);
    assert_eq!(told, [ServerMessage::Waiting {}]);
    world.say(host, &admit(&[11]));
    assert_eq!(hosting(&world.take(back)).room, Some(room_of(2, true)));
}

#[test]
fn a_room_where_somebody_waits_is_opened_once() {
    let mut world = World::new();
    let address = 7;
    for n in 1..=5 {
        // One room each: the first waits and opens it, the host comes from the same house.
        let id = room_of(n, true);
        let waiter = world.connect_from(address);
        world.say(waiter, &super::harness::hello());
        world.say(waiter, &join_of(&id, n, n, NOBODY));
        let host = world.connect_from(address);
        world.say(host, &super::harness::hello());
        world.say(host, &join_of(&id, HOST, n + 50, as_host()));
        world.pass(Duration::from_secs(1), &[waiter, host]);
        world.take(waiter);
        hosting(&world.take(host));
    }
    let late: Vec<_> = (6..=11)
        .map(|n| {
            let waiter = world.connect_from(address);
            world.say(waiter, &super::harness::hello());
            world.say(waiter, &join_of(&room_of(n, true), n, n, NOBODY));
            world.pass(Duration::from_secs(1), &[waiter]);
            world.take(waiter).pop().unwrap()
        })
        .collect();
    let waiting = late
        .iter()
        .filter(|told| **told == ServerMessage::Waiting {})
        .count();
    // Ten a minute, and a few come back meanwhile.
    assert!((5..=6).contains(&waiting), "{late:?}");
}

#[test]
fn a_host_who_waited_without_saying_so_comes_in_with_the_claim() {
    let mut world = World::new();
    let waiter = world.waits_at(&guarded(), 1);
    world.say(waiter, &join_of(&guarded(), 1, 1, as_host()));
    assert!(hosting(&world.take(waiter)).host);
    assert_eq!((world.counts().seats, world.counts().waiting), (1, 0));
    // The same from another tab of the same seat.
    let other = world.waits_at(&room_of(3, true), 2);
    let (_, told) = world.joins(&room_of(3, true), 2, 22, as_host());
    assert!(hosting(&told).host);
    assert_eq!(world.closed(other), Some(CloseCode::SeatMoved));
    assert_eq!(world.counts().waiting, 0);
    assert_ne!(seat(1), seat(2));
}

#[test]
fn who_takes_a_seat_of_theirs_over_from_the_door_waits_no_more() {
    let mut world = World::new();
    let host = world.host_in(&guarded());
    let guest = world.waits_at(&guarded(), 1);
    world.say(host, &admit(&[1]));
    let door = world.waits_at(&guarded(), 2);
    world.take(host);
    // Of the seat that waits on this socket, but as the session that sits.
    world.say(door, &join_of(&guarded(), 2, 1, NOBODY));
    let told = world.take(door);
    assert!(
        told.iter()
            .any(|message| matches!(message, ServerMessage::Joined { you, .. } if *you == peer(1))),
        "{told:?}"
    );
    assert_eq!(last_knocks(&world.take(host)), []);
    assert_eq!(world.closed(guest), Some(CloseCode::Superseded));
    assert_eq!(world.counts().waiting, 0);
}
