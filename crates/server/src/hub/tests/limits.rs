//! Limits, silence and broken rules.

use core::time::Duration;

use visavis_protocol::{Claim, ClientMessage, CloseCode, ErrorCode, HostRequest, ServerMessage, limits};

use super::harness::{World, hello, join, join_as, relay, resume, room, seat, session};
use super::hosted::{HOST, as_host, ask, error, guarded, join_of, room_of};
use crate::hub::{HubConfig, HubLimits};

#[test]
fn hello_comes_first() {
    let mut world = World::new();
    for text in ["{\"ping\":{}}", "{\"fly\":{}}", "nonsense", ""] {
        let a = world.connect_from(1);
        world.say_text(a, text);
        assert_eq!(world.take_error(a), Some(ErrorCode::BadMessage), "{text}");
        assert_eq!(world.closed(a), Some(CloseCode::NoHello));
    }
    let a = world.connect_from(1);
    world.pass(limits::FIRST_MESSAGE_WITHIN, &[]);
    assert_eq!(world.closed(a), Some(CloseCode::NoHello));
}

#[test]
fn hello_comes_once() {
    let mut world = World::new();
    let a = world.greeted();
    world.say(a, &hello());
    assert_eq!(world.take_error(a), Some(ErrorCode::AlreadyGreeted));
    assert_eq!(world.closed(a), Some(CloseCode::BadMessage));
}

#[test]
fn a_version_from_the_future_is_told_so() {
    let mut world = World::new();
    let a = world.connect_from(1);
    world.say(
        a,
        &ClientMessage::Hello {
            versions: vec![999, 2],
        },
    );
    assert_eq!(world.take_error(a), Some(ErrorCode::UnsupportedVersion));
    assert_eq!(world.closed(a), Some(CloseCode::Version));
    let b = world.connect_from(1);
    world.say(
        b,
        &ClientMessage::Hello {
            versions: vec![999, 1],
        },
    );
    assert!(matches!(
        world.take(b)[..],
        [ServerMessage::Welcome { version: 1, .. }]
    ));
}

#[test]
fn silence_ends_a_connection_and_a_hidden_tab_may_be_silent_longer() {
    let mut world = World::new();
    let a = world.seated(1);
    let hidden = world.seated(2);
    world.say(hidden, &ClientMessage::Visibility { hidden: true });
    let live = world.seated(3);
    world.pass(limits::DEAD_AFTER - Duration::from_millis(1), &[live]);
    assert_eq!(world.closed(a), None);
    world.pass(Duration::from_millis(1), &[live]);
    assert_eq!(world.closed(a), Some(CloseCode::Silent));
    assert_eq!(world.closed(hidden), None);
    assert_eq!(world.counts().away, 1);
    world.pass(limits::DEAD_AFTER_HIDDEN - limits::DEAD_AFTER, &[live]);
    assert_eq!(world.closed(hidden), Some(CloseCode::Silent));
    assert_eq!(world.closed(live), None);
}

#[test]
fn a_tab_that_is_seen_again_must_speak_again() {
    let mut world = World::new();
    let a = world.seated(1);
    world.say(a, &ClientMessage::Visibility { hidden: true });
    world.pass(limits::DEAD_AFTER_HIDDEN - Duration::from_secs(1), &[]);
    world.say(a, &ClientMessage::Visibility { hidden: false });
    world.pass(limits::DEAD_AFTER, &[]);
    assert_eq!(world.closed(a), Some(CloseCode::Silent));
}

#[test]
fn a_burst_is_let_through_and_haste_is_answered_once() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.seated(2);
    world.take(a);
    let spent = 2; // hello, join
    for n in 0..u64::from(limits::MESSAGES_BURST) + 50 {
        world.say(a, &relay(2, n));
    }
    assert_eq!(world.take(b).len(), limits::MESSAGES_BURST as usize - spent);
    assert_eq!(world.take_error(a), Some(ErrorCode::RateLimited));
    assert_eq!(world.closed(a), None);
    world.pass(Duration::from_secs(1), &[]);
    world.say(a, &relay(2, 1));
    assert_eq!(world.take(b).len(), 1);
}

#[test]
fn a_flood_ends_the_connection() {
    let mut world = World::new();
    let a = world.seated(1);
    let mut said = 0_u32;
    while world.closed(a).is_none() {
        world.say(a, &ClientMessage::Ping {});
        world.now += Duration::from_millis(3);
        said += 1;
        assert!(said < 10_000, "ten times the rate goes on unhindered");
    }
    assert_eq!(world.closed(a), Some(CloseCode::RateLimited));
    let elapsed = Duration::from_millis(u64::from(said) * 3);
    assert!(elapsed < Duration::from_secs(15), "{elapsed:?}");
}

#[test]
fn a_sender_within_three_times_the_rate_is_slowed_but_not_ended() {
    let mut world = World::new();
    let a = world.seated(1);
    for _ in 0..3000 {
        world.say(a, &ClientMessage::Ping {});
        world.now += Duration::from_millis(12);
    }
    assert_eq!(world.closed(a), None);
}

#[test]
fn nonsense_is_answered_by_name_and_ends_the_connection_in_the_end() {
    let mut world = World::new();
    let a = world.seated(1);
    world.say_text(a, r#"{"kick":{"peer":"x"}}"#);
    assert_eq!(world.take_error(a), Some(ErrorCode::UnknownKind));
    for n in 2..=limits::ERRORS_PER_CONNECTION {
        assert_eq!(world.closed(a), None, "{n}");
        world.say_text(a, r#"{"join":{}}"#);
        assert_eq!(world.take_error(a), Some(ErrorCode::BadMessage));
    }
    assert_eq!(world.closed(a), Some(CloseCode::BadMessage));
}

#[test]
fn guessed_sessions_close_the_door_to_more_guesses_from_their_address() {
    let mut world = World::new();
    let honest = world.connect_from(77);
    world.say(honest, &hello());
    world.say(honest, &join(5));
    let a = world.connect_from(77);
    world.say(a, &hello());
    world.take(a);
    for n in 0..10 {
        world.say(a, &resume(100 + n));
        assert_eq!(world.take_error(a), Some(ErrorCode::UnknownSession));
    }
    world.say(a, &resume(120));
    assert_eq!(world.take_error(a), Some(ErrorCode::RateLimited));
    assert_eq!(world.closed(a), Some(CloseCode::RateLimited));
    let again = world.connect_from(77);
    world.say(again, &hello());
    world.say(again, &resume(121));
    assert_eq!(world.closed(again), Some(CloseCode::RateLimited));
    // Whoever holds a session gets it back from there, and joins are not touched.
    let back = world.connect_from(77);
    world.say(back, &hello());
    world.say(back, &resume(5));
    assert!(matches!(world.take(back)[..], [_, ServerMessage::Joined { .. }]));
    let new = world.connect_from(77);
    world.say(new, &hello());
    world.say(new, &join(6));
    assert!(matches!(world.take(new)[..], [_, ServerMessage::Joined { .. }]));
    world.now += limits::REFUSED_FOR;
    let later = world.connect_from(77);
    world.say(later, &hello());
    world.say(later, &resume(122));
    assert!(world.closed(later).is_none());
}

#[test]
fn an_address_joins_only_so_fast_and_resumes_are_not_counted() {
    let mut world = World::new();
    let connections: Vec<_> = (0..=limits::JOINS_BURST)
        .map(|_| {
            let connection = world.connect_from(5);
            world.say(connection, &hello());
            world.take(connection);
            connection
        })
        .collect();
    let mut refused = 0;
    for (n, connection) in (0_u8..).zip(&connections) {
        let message = ClientMessage::Join {
            room: room(&format!("room {}", n % 3)),
            seat: seat(n),
            session: session(n),
            name: "x".into(),
            claim: Claim::default(),
        };
        world.say(*connection, &message);
        if let [
            ServerMessage::Error {
                code: ErrorCode::RateLimited,
                ..
            },
        ] = world.take(*connection)[..]
        {
            refused += 1;
        }
    }
    assert_eq!(refused, 1);
}

#[test]
fn an_address_opens_only_so_many_rooms() {
    let mut world = World::new();
    let mut opened = 0;
    for n in 0..20_u8 {
        let connection = world.connect_from(5);
        world.say(connection, &hello());
        world.take(connection);
        let message = ClientMessage::Join {
            room: room(&format!("room {n}")),
            seat: seat(n),
            session: session(n),
            name: "x".into(),
            claim: Claim::default(),
        };
        world.say(connection, &message);
        opened += u32::from(matches!(
            world.take(connection)[..],
            [ServerMessage::Joined { .. }]
        ));
        world.now += Duration::from_secs(1);
    }
    let refilled = 20 * limits::ROOMS_PER_MINUTE / 60;
    assert!(
        (limits::ROOMS_PER_MINUTE..=limits::ROOMS_PER_MINUTE + refilled).contains(&opened),
        "{opened}"
    );
}

#[test]
fn a_full_server_opens_no_more_rooms_and_serves_those_it_has() {
    let mut world = World::with(HubConfig {
        limits: HubLimits {
            rooms: 1,
            ..HubLimits::default()
        },
        ..HubConfig::default()
    });
    world.seated(1);
    let b = world.greeted();
    world.say(
        b,
        &ClientMessage::Watch {
            room: room("coffee"),
            seat: None,
            claim: Claim::default(),
        },
    );
    assert_eq!(world.take_error(b), Some(ErrorCode::ServerFull));
    world.say(
        b,
        &ClientMessage::Join {
            room: room("coffee"),
            seat: seat(2),
            session: session(2),
            name: "x".into(),
            claim: Claim::default(),
        },
    );
    assert_eq!(world.take_error(b), Some(ErrorCode::ServerFull));
    world.say(b, &join(2));
    assert!(matches!(world.take(b)[..], [ServerMessage::Joined { .. }]));
}

#[test]
fn what_comes_for_an_unknown_connection_is_nothing() {
    let mut world = World::new();
    let a = world.seated(1);
    world.disconnect(a);
    world.say(a, &join_as(1, 2));
    world.disconnect(a);
    assert_eq!(world.counts().connections, 0);
}

#[test]
fn waiting_before_a_room_costs_no_allowance_whether_anybody_is_inside_or_not() {
    let mut world = World::new();
    world.host_in(&guarded());
    for (at, room) in [guarded(), room_of(9, true)].iter().enumerate() {
        let address = 70 + u32::try_from(at).unwrap();
        for n in 0..limits::ROOMS_PER_MINUTE {
            let connection = world.connect_from(address);
            world.say(connection, &hello());
            world.say(
                connection,
                &join_of(
                    &room_of(20 + u8::try_from(n).unwrap(), false),
                    1,
                    1,
                    Claim::default(),
                ),
            );
            world.say(connection, &ClientMessage::Leave {});
            world.now += Duration::from_millis(400);
        }
        let connection = world.connect_from(address);
        world.say(connection, &hello());
        world.take(connection);
        world.say(connection, &join_of(room, 1, 1, Claim::default()));
        assert_eq!(world.take(connection), [ServerMessage::Waiting {}], "{room:?}");
    }
}

#[test]
fn one_address_changes_only_so_many_secrets() {
    let mut world = World::new();
    let mut refused = Vec::new();
    let mut next = 10;
    for n in 1..=4 {
        let host = world.connect_from(5);
        world.say(host, &hello());
        world.say(host, &join_of(&room_of(n, false), HOST, HOST, as_host()));
        world.take(host);
        for _ in 0..limits::REMOVALS_PER_MINUTE {
            next += 1;
            let next = room_of(next, false);
            world.say(host, &ask(HostRequest::Rename { next }));
            let told = world.take(host);
            if !matches!(told[..], [ServerMessage::Moved { .. }]) {
                refused.push((n, error(&told)));
            }
        }
    }
    let all = usize::try_from(4 * limits::REMOVALS_PER_MINUTE - limits::RENAMES_PER_ADDRESS).unwrap();
    assert_eq!(refused, vec![(4, ErrorCode::RateLimited); all]);
}
