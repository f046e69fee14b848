//! Whose a room is, its gate, its passes, and who is sent away.

use core::time::Duration;

use visavis_protocol::{
    Claim, ClientMessage, CloseCode, ErrorCode, Gate, HostRequest, HostSecret, LeaveReason, RoomId,
    SeatSecret, ServerMessage, limits,
};

use super::harness::{World, join, peer, relay, room, seat};
use super::hosted::{
    HOST, admit, as_host, ask, error, guarded, hosting, join_of, open, remove, resume_of, room_of, set_gate,
    watch_of, with_pass,
};
use crate::hub::{Counts, HubConfig, PassKey};

const NOBODY: Claim = Claim {
    host: None,
    pass: None,
};

/// Rooms in which the host sits with two guests, 1 and 2, all news read.
fn three(world: &mut World, id: &RoomId) -> [crate::hub::ConnectionKey; 3] {
    let host = world.host_in(id);
    let mut sockets = [host; 3];
    for n in [1, 2] {
        let (socket, told) = world.joins(id, n, n, NOBODY);
        if told == [ServerMessage::Waiting {}] {
            world.say(host, &admit(&[n]));
        }
        sockets[usize::from(n)] = socket;
    }
    for socket in sockets {
        world.take(socket);
    }
    sockets
}

#[test]
fn whoever_has_the_secret_is_the_host_and_nobody_else() {
    let mut world = World::new();
    let host = world.host_in(&open());
    let wrong = Claim {
        host: Some(HostSecret::from_bytes([6; 16])),
        pass: None,
    };
    let (guest, told) = world.joins(&open(), 1, 1, wrong);
    assert!(!hosting(&told).host);
    let [ServerMessage::Joined { peers, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(peers[0].host, "the host is not shown");
    let told = world.take(host);
    assert!(
        matches!(&told[..], [ServerMessage::PeerJoined { peer, .. }] if !peer.host),
        "{told:?}"
    );
    for request in [
        set_gate(true, true),
        admit(&[2]),
        remove(HOST, &room_of(2, false)),
    ] {
        world.say(guest, &request);
        assert_eq!(world.take_error(guest), Some(ErrorCode::NotHost));
    }
    assert_eq!(world.take(host), [], "somebody else was heard");
}

#[test]
fn a_second_tab_of_the_host_is_a_host_too() {
    let mut world = World::new();
    world.host_in(&guarded());
    let (second, told) = world.joins(&guarded(), 1, 1, as_host());
    assert!(hosting(&told).host);
    world.say(second, &set_gate(false, false));
    assert!(matches!(world.take(second)[..], [ServerMessage::Gate { .. }]));
}

#[test]
fn rooms_without_a_host_have_none() {
    let mut world = World::new();
    let id = room("tea");
    let (a, told) = world.joins(&id, 1, 1, as_host());
    assert!(hosting(&told).is_empty());
    world.say(a, &set_gate(true, false));
    assert_eq!(world.take_error(a), Some(ErrorCode::NotHost));
    let b = world.greeted();
    world.say(b, &set_gate(true, false));
    assert_eq!(world.take_error(b), Some(ErrorCode::NotJoined));
}

#[test]
fn the_last_word_on_a_claim_counts() {
    let mut world = World::new();
    let host = world.host_in(&open());
    world.say(host, &resume_of(&open(), HOST, NOBODY));
    assert!(!hosting(&world.take(host)).host);
    world.say(host, &set_gate(true, false));
    assert_eq!(world.take_error(host), Some(ErrorCode::NotHost));
    let again = world.greeted();
    world.say(again, &resume_of(&open(), HOST, as_host()));
    assert!(hosting(&world.take(again)).host);
}

#[test]
fn a_gate_is_told_to_all_who_sit_and_counted() {
    let mut world = World::new();
    let sockets = three(&mut world, &open());
    let watcher = world.greeted();
    world.say(watcher, &watch_of(&open(), None, NOBODY));
    let told = world.take(watcher);
    assert!(
        matches!(&told[..], [ServerMessage::Occupancy { peers, shut: false, gate, .. }] if peers.len() == 3 && gate.is_open()),
        "{told:?}"
    );
    let gate = Gate {
        waiting_room: false,
        locked: true,
    };
    world.say(sockets[0], &set_gate(false, true));
    for socket in sockets {
        assert_eq!(world.take(socket), [ServerMessage::Gate { version: 4, gate }]);
    }
    let told = world.take(watcher);
    assert!(
        matches!(&told[..], [ServerMessage::Occupancy { peers, shut: true, gate: now, .. }] if peers.is_empty() && *now == gate),
        "{told:?}"
    );
    world.say(sockets[0], &set_gate(false, true));
    assert_eq!(world.take(sockets[0]), [], "nothing changed");
    world.say(sockets[1], &resume_of(&open(), 1, NOBODY));
    assert_eq!(hosting(&world.take(sockets[1])).gate, gate);
}

#[test]
fn a_locked_room_takes_nobody_new() {
    let mut world = World::new();
    let sockets = three(&mut world, &open());
    world.say(sockets[0], &set_gate(false, true));
    let (stranger, told) = world.joins(&open(), 9, 9, NOBODY);
    assert_eq!(error(&told), ErrorCode::RoomLocked);
    // A reload, one who left, and the host from elsewhere.
    let (_, told) = world.joins(&open(), 1, 11, NOBODY);
    hosting(&told);
    world.say(sockets[2], &ClientMessage::Leave {});
    let (_, told) = world.joins(&open(), 2, 12, NOBODY);
    hosting(&told);
    let (_, told) = world.joins(&open(), 3, 3, as_host());
    hosting(&told);
    world.say(sockets[0], &set_gate(false, false));
    world.say(stranger, &join_of(&open(), 9, 9, NOBODY));
    hosting(&world.take(stranger));
}

#[test]
fn a_gate_lasts_as_long_as_anybody_sits_or_waits() {
    let mut world = World::new();
    let host = world.host_in(&open());
    let watcher = world.greeted();
    world.say(watcher, &watch_of(&open(), None, NOBODY));
    world.say(host, &set_gate(true, false));
    let waiter = world.waits_at(&open(), 1);
    world.say(host, &ClientMessage::Leave {});
    assert_eq!(world.counts().waiting, 1);
    let second = world.waits_at(&open(), 2);
    world.pass(Duration::from_secs(1), &[]);
    world.take(watcher);
    world.say(waiter, &ClientMessage::Leave {});
    world.say(second, &ClientMessage::Leave {});
    let told = world.take(watcher);
    assert!(
        matches!(&told[..], [ServerMessage::Occupancy { gate, .. }] if gate.is_open()),
        "{told:?}"
    );
    world.guest_in(&open(), 3);
}

#[test]
fn a_pass_lets_its_seat_in_also_after_a_restart() {
    let key = PassKey([3; 32]);
    let config = || HubConfig {
        pass_key: key,
        ..HubConfig::default()
    };
    let mut before = World::with(config());
    let (_, pass) = before.guest_in(&open(), 1);
    let mut world = World::with(config());
    let host = world.host_in(&open());
    world.say(host, &set_gate(true, true));
    let (_, told) = world.joins(&open(), 1, 21, with_pass(pass));
    assert_eq!(hosting(&told).pass, Some(pass));
    // Another seat's, and another room's.
    let (_, told) = world.joins(&open(), 2, 22, with_pass(pass));
    assert_eq!(error(&told), ErrorCode::RoomLocked);
    let (_, told) = world.joins(&guarded(), 1, 23, with_pass(pass));
    assert_eq!(told, [ServerMessage::Waiting {}]);
    let mut other = World::new();
    other.host_in(&guarded());
    let (_, told) = other.joins(&guarded(), 1, 1, with_pass(pass));
    assert_eq!(told, [ServerMessage::Waiting {}], "by another server's key");
}

#[test]
fn who_looks_at_a_shut_room_sees_nobody_without_a_pass() {
    let mut world = World::new();
    let host = world.host_in(&open());
    let (_, pass) = world.guest_in(&open(), 1);
    world.say(host, &set_gate(true, false));
    let seen = |world: &mut World, seat_n, claim| {
        let watcher = world.greeted();
        world.say(watcher, &watch_of(&open(), seat_n, claim));
        match &world.take(watcher)[..] {
            [ServerMessage::Occupancy { peers, shut, .. }] => (peers.len(), *shut),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(seen(&mut world, None, NOBODY), (0, true));
    assert_eq!(
        seen(&mut world, Some(1), NOBODY),
        (0, true),
        "a seat's id is no secret"
    );
    assert_eq!(seen(&mut world, Some(2), with_pass(pass)), (0, true));
    assert_eq!(seen(&mut world, Some(1), with_pass(pass)), (2, false));
    assert_eq!(seen(&mut world, None, as_host()), (2, false));
}

#[test]
fn who_is_removed_is_told_and_gone_and_the_room_has_another_id() {
    let mut world = World::new();
    let [host, first, second] = three(&mut world, &guarded());
    let next = room_of(2, true);
    world.say(host, &remove(1, &next));
    assert_eq!(world.take(first), [ServerMessage::Removed {}]);
    let expected = [
        ServerMessage::PeerLeft {
            version: 4,
            peer: peer(1),
            reason: LeaveReason::Removed,
        },
        ServerMessage::Moved {
            version: 5,
            room: next.clone(),
        },
    ];
    assert_eq!(world.take(host), expected);
    assert_eq!(world.take(second), expected);
    world.say(first, &relay(2, 1));
    assert_eq!(world.take_error(first), Some(ErrorCode::NotJoined));
    world.say(second, &relay(HOST, 1));
    assert!(matches!(world.take(host)[..], [ServerMessage::Relay { .. }]));
    assert_eq!(world.counts().seats, 2);
}

#[test]
fn who_was_removed_does_not_come_back() {
    let mut world = World::new();
    let host = world.host_in(&open());
    let (first, pass) = world.guest_in(&open(), 1);
    let next = room_of(2, false);
    world.say(host, &remove(1, &next));
    world.take(first);
    let claims = [NOBODY, with_pass(pass)];
    for (n, claim) in (20..).zip(claims) {
        for session_n in [1, n] {
            world.say(first, &join_of(&open(), 1, session_n, claim));
            assert_eq!(world.take_error(first), Some(ErrorCode::Removed));
        }
        world.say(first, &watch_of(&open(), Some(1), claim));
        assert_eq!(world.take_error(first), Some(ErrorCode::RoomMoved));
        world.say(first, &resume_of(&open(), 1, claim));
        assert_eq!(world.take_error(first), Some(ErrorCode::RoomMoved));
    }
    // With another seat just as little.
    let (_, told) = world.joins(&open(), 9, 9, NOBODY);
    assert_eq!(error(&told), ErrorCode::RoomMoved);
    // Even with the new link they are asked like anybody else, whatever they had.
    world.say(host, &set_gate(true, false));
    let (again, told) = world.joins(&next, 1, 30, with_pass(pass));
    assert_eq!(told, [ServerMessage::Waiting {}]);
    world.say(again, &ClientMessage::Leave {});
    // Should they have a pass for it, of a time that nobody remembers, it is void.
    let forgotten = PassKey::default().make(&next, seat(1).seat_id()).unwrap();
    let (again, told) = world.joins(&next, 1, 33, with_pass(forgotten));
    assert_eq!(told, [ServerMessage::Waiting {}]);
    world.say(again, &ClientMessage::Leave {});
    world.take(again);
    world.say(again, &watch_of(&next, Some(1), with_pass(forgotten)));
    assert!(matches!(
        world.take(again)[..],
        [ServerMessage::Occupancy { shut: true, .. }]
    ));
    world.say(host, &set_gate(false, false));
    let (again, told) = world.joins(&next, 1, 31, NOBODY);
    assert_eq!(hosting(&told).pass, None);
    world.say(host, &set_gate(true, false));
    world.disconnect(again);
    let (_, told) = world.joins(&next, 1, 32, NOBODY);
    assert_eq!(told, [ServerMessage::Waiting {}]);
}

#[test]
fn a_host_takes_a_removal_back_by_letting_them_in() {
    let mut world = World::new();
    let [host, _, _] = three(&mut world, &guarded());
    let next = room_of(2, true);
    world.say(host, &remove(1, &next));
    let (again, _) = world.joins(&next, 1, 31, NOBODY);
    world.say(host, &admit(&[31]));
    assert!(hosting(&world.take(again)).pass.is_some());
    let (_, told) = world.joins(&next, 1, 32, NOBODY);
    hosting(&told);
}

#[test]
fn who_stays_comes_back_by_the_old_link_and_is_told_the_new_one() {
    let mut world = World::new();
    let [host, _, second] = three(&mut world, &guarded());
    let (a, b) = (room_of(2, true), room_of(3, true));
    world.say(host, &remove(1, &a));
    world.say(second, &resume_of(&guarded(), 2, NOBODY));
    assert_eq!(hosting(&last(&mut world, second)).room, Some(a.clone()));
    world.say(second, &resume_of(&a, 2, NOBODY));
    assert_eq!(hosting(&last(&mut world, second)).room, None);
    let (_, told) = world.joins(&guarded(), 3, 3, NOBODY);
    assert_eq!(error(&told), ErrorCode::RoomMoved);
    let third = world.waits_at(&a, 3);
    world.say(host, &admit(&[3]));
    world.say(host, &remove(3, &b));
    world.take(third);
    // A lost socket, a reload, the host from elsewhere: all by the oldest link.
    let lost = world.greeted();
    world.say(lost, &resume_of(&guarded(), 2, NOBODY));
    assert_eq!(hosting(&last(&mut world, lost)).room, Some(b.clone()));
    let (reloaded, told) = world.joins(&guarded(), 2, 40, NOBODY);
    let new = hosting(&told);
    assert_eq!(new.room, Some(b.clone()));
    world.disconnect(reloaded);
    let (_, told) = world.joins(&guarded(), 50, 50, as_host());
    assert_eq!(hosting(&told).room, Some(b.clone()));
    // The new pass is for the new id.
    let watcher = world.greeted();
    world.say(watcher, &watch_of(&b, Some(2), with_pass(new.pass.unwrap())));
    let told = world.take(watcher);
    assert!(
        matches!(&told[..], [ServerMessage::Occupancy { shut: false, .. }]),
        "{told:?}"
    );
    assert_eq!(world.counts().rooms, 1);
}

/// What a socket was told but for the roster's news.
fn last(world: &mut World, connection: crate::hub::ConnectionKey) -> Vec<ServerMessage> {
    let mut told = world.take(connection);
    told.retain(|message| matches!(message, ServerMessage::Joined { .. }));
    told
}

#[test]
fn who_stays_and_has_the_pass_of_before_sees_who_is_inside() {
    let mut world = World::new();
    let host = world.host_in(&open());
    let (_, stays) = world.guest_in(&open(), 1);
    let (_, goes) = world.guest_in(&open(), 2);
    let next = room_of(2, false);
    world.say(host, &set_gate(true, false));
    world.say(host, &remove(2, &next));
    for (id, seat_n, pass, may) in [
        (&next, 1, stays, true),
        (&open(), 1, stays, true),
        (&next, 2, goes, false),
    ] {
        let watcher = world.greeted();
        world.say(watcher, &watch_of(id, Some(seat_n), with_pass(pass)));
        let told = world.take(watcher);
        assert!(
            matches!(&told[..], [ServerMessage::Occupancy { shut, room, .. }] if *shut != may && room == id),
            "{seat_n}: {told:?}"
        );
    }
}

#[test]
fn who_looks_in_is_told_that_the_room_moved() {
    let mut world = World::new();
    let [host, _, _] = three(&mut world, &open());
    let watcher = world.greeted();
    world.say(watcher, &watch_of(&open(), None, NOBODY));
    world.take(watcher);
    world.say(host, &remove(1, &room_of(2, false)));
    let told = world.take(watcher);
    assert!(
        matches!(&told[..], [ServerMessage::Error { code: ErrorCode::RoomMoved, about: Some(about), .. }] if about == "watch"),
        "{told:?}"
    );
    world.guest_in(&room_of(2, false), 9);
    world.pass(Duration::from_secs(1), &[]);
    assert_eq!(world.take(watcher), []);
    assert_eq!(world.counts().watchers, 0);
}

#[test]
fn an_old_link_is_known_after_the_room_is_empty() {
    let mut world = World::new();
    let sockets = three(&mut world, &open());
    world.say(sockets[0], &remove(1, &room_of(2, false)));
    for socket in sockets {
        world.say(socket, &ClientMessage::Leave {});
    }
    assert_eq!(world.counts().rooms, 0);
    let (_, told) = world.joins(&open(), 1, 40, NOBODY);
    assert_eq!(error(&told), ErrorCode::RoomMoved);
    assert_eq!(world.counts().rooms, 0);
    let (_, told) = world.joins(&open(), HOST, 41, as_host());
    assert_eq!(hosting(&told).room, Some(room_of(2, false)));
}

#[test]
fn a_removal_that_makes_no_sense_changes_nothing() {
    let mut world = World::new();
    let [host, first, _] = three(&mut world, &open());
    let other_host = {
        let tail = HostSecret::from_bytes([6; 16]).host_id();
        format!("h.{}.{tail}", SeatSecret::from_bytes([1; 16]).to_text())
            .parse()
            .unwrap()
    };
    for (n, next, code) in [
        (HOST, room_of(2, false), ErrorCode::SelfAddressed),
        (77, room_of(2, false), ErrorCode::UnknownPeer),
        (1, open(), ErrorCode::BadMessage),
        (1, room_of(2, true), ErrorCode::BadMessage),
        (1, room("tea"), ErrorCode::BadMessage),
        (1, other_host, ErrorCode::BadMessage),
    ] {
        world.say(host, &remove(n, &next));
        assert_eq!(world.take_error(host), Some(code), "{n} {next:?}");
    }
    assert_eq!(world.take(first), []);
    // Back to an id of before: it would lead in a circle.
    world.say(host, &remove(1, &room_of(2, false)));
    world.take(host);
    world.say(host, &remove(2, &open()));
    assert_eq!(world.take_error(host), Some(ErrorCode::BadMessage));
}

#[test]
fn a_room_moves_only_so_often() {
    let mut world = World::new();
    let host = world.host_in(&open());
    let mut id = open();
    let mut errors = Vec::new();
    for n in 0..=u8::try_from(limits::REMOVALS_PER_MINUTE).unwrap() {
        world.guest_in(&id, n + 1);
        world.take(host);
        let next = room_of(n + 2, false);
        world.say(host, &remove(n + 1, &next));
        let told = world.take(host);
        match &told[..] {
            [ServerMessage::PeerLeft { .. }, ServerMessage::Moved { .. }] => id = next,
            other => errors.push(error(other)),
        }
    }
    assert_eq!(errors, [ErrorCode::RateLimited]);
}

#[test]
fn a_seat_is_the_same_over_the_room_s_ids() {
    // What the passes and the list of those who were let in stand on.
    let tab = seat(1);
    assert_eq!(tab.in_room(&open()), tab.in_room(&room_of(2, false)));
}

#[test]
fn a_list_that_is_too_long_and_a_word_too() {
    let mut world = World::new();
    let host = world.host_in(&open());
    let peers: Vec<u8> = (1..=21).collect();
    world.say(host, &admit(&peers));
    assert_eq!(world.take_error(host), Some(ErrorCode::BadMessage));
    world.say(
        host,
        &ask(HostRequest::Decline {
            peer: peer(1),
            word: "x".repeat(limits::WORD_BYTES + 1),
        }),
    );
    assert_eq!(world.take_error(host), Some(ErrorCode::BadMessage));
}

#[test]
fn nothing_is_left_of_rooms_with_a_host() {
    let mut world = World::new();
    let [host, ..] = three(&mut world, &guarded());
    world.waits_at(&guarded(), 3);
    world.say(host, &remove(1, &room_of(2, true)));
    world.waits_at(&room_of(2, true), 4);
    let plain = world.greeted();
    world.say(plain, &join(9));
    world.pass(Duration::from_secs(300), &[]);
    assert_eq!(world.counts(), Counts::default());
    assert_eq!(world.hub.poll_timeout(), None);
}

#[test]
fn nobody_stands_in_the_way_of_a_removal() {
    let mut world = World::new();
    let [host, first, second] = three(&mut world, &open());
    // Heard before the server did, by one who then makes the room.
    let next = room_of(7, false);
    let watcher = world.greeted();
    world.say(watcher, &watch_of(&next, None, NOBODY));
    let (squatter, _) = world.guest_in(&next, 9);
    let (other, _) = world.joins(&next, 8, 8, NOBODY);
    world.disconnect(other);
    world.take(watcher);
    world.say(host, &remove(1, &next));
    assert_eq!(world.take(first), [ServerMessage::Removed {}]);
    assert!(matches!(
        world.take(second)[..],
        [ServerMessage::PeerLeft { .. }, ServerMessage::Moved { .. }]
    ));
    assert_eq!(world.take_error(watcher), Some(ErrorCode::RoomMoved));
    assert_eq!(world.closed(squatter), Some(CloseCode::SeatMoved));
    let counts = world.counts();
    assert_eq!((counts.rooms, counts.seats, counts.watchers), (1, 2, 0));
}

#[test]
fn a_host_gives_the_room_another_link_with_nobody_sent_away() {
    let mut world = World::new();
    let [host, first, _] = three(&mut world, &open());
    let rename = |n| {
        ask(HostRequest::Rename {
            next: room_of(n, false),
        })
    };
    world.say(first, &rename(2));
    assert_eq!(world.take_error(first), Some(ErrorCode::NotHost));
    world.say(host, &rename(2));
    for socket in [host, first] {
        let told = world.take(socket);
        assert!(
            matches!(&told[..], [ServerMessage::Moved { room, .. }] if *room == room_of(2, false)),
            "{told:?}"
        );
    }
    world.say(host, &rename(1));
    assert_eq!(world.take_error(host), Some(ErrorCode::BadMessage), "once theirs");
    world.say(host, &rename(2));
    assert_eq!(
        world.take_error(host),
        Some(ErrorCode::BadMessage),
        "theirs already"
    );
}

#[test]
fn whoever_has_left_comes_by_the_new_link_and_a_reload_by_the_old_one() {
    let mut world = World::new();
    let host = world.host_in(&open());
    let (_, _) = world.guest_in(&open(), 1);
    // The same person as the first, in another browser.
    let (other, pass) = world.guest_in(&open(), 2);
    world.say(other, &ClientMessage::Leave {});
    world.pass(Duration::from_secs(20), &[host]);
    let (reloaded, _) = world.guest_in(&open(), 3);
    world.depart(reloaded);
    world.say(host, &remove(1, &room_of(2, false)));
    for claim in [NOBODY, with_pass(pass)] {
        let (_, told) = world.joins(&open(), 2, 22, claim);
        assert_eq!(error(&told), ErrorCode::RoomMoved);
    }
    let (_, told) = world.joins(&open(), 3, 33, NOBODY);
    assert_eq!(hosting(&told).room, Some(room_of(2, false)));
}

#[test]
fn whoever_looks_at_a_shut_room_does_not_learn_that_something_happens_inside() {
    let mut world = World::new();
    let watcher = world.greeted();
    world.say(watcher, &watch_of(&guarded(), None, NOBODY));
    world.take(watcher);
    let host = world.host_in(&guarded());
    let guest = world.waits_at(&guarded(), 1);
    world.say(host, &admit(&[1]));
    world.pass(Duration::from_secs(2), &[host, guest, watcher]);
    world.disconnect(guest);
    world.pass(Duration::from_secs(2), &[host, watcher]);
    let told = world.take(watcher);
    assert!(
        told.iter().all(|message| *message == ServerMessage::Pong {}),
        "{told:?}"
    );
    // But when it opens.
    world.say(host, &set_gate(false, false));
    world.pass(Duration::from_secs(2), &[host, watcher]);
    let told = world.take(watcher);
    assert!(
        told.iter()
            .any(|message| matches!(message, ServerMessage::Occupancy { shut: false, .. })),
        "{told:?}"
    );
}
