//! What must not be learned, had for nothing, or left behind.

use std::sync::Arc;

use super::super::Tokens;
use super::*;

fn block(world: &mut World, page: ConnectionKey, name: &str, blocked: bool) {
    world.ask(
        page,
        PeopleRequest::Block {
            handle: handle(name),
            blocked,
        },
    );
}

#[test]
fn a_stranger_is_not_told_that_somebody_added_or_blocked_them() {
    let mut world = World::together();
    add(&mut world, ADA, "bob");
    world.hear();
    // Bob, whom she cannot see, blocks her, thinks better of it, and removes what he never added.
    block(&mut world, BOB, "ada", true);
    block(&mut world, BOB, "ada", false);
    world.ask(
        BOB,
        PeopleRequest::Remove {
            handle: handle("ada"),
        },
    );
    let told = world.hear();
    assert!(
        told.iter().all(|(page, _)| [BOB, BOB_2].contains(page)),
        "{told:?}"
    );
    // Who may know learns of it once.
    add(&mut world, BOB, "ada");
    assert_eq!(world.presences(ADA), [Presence::Online]);
    add(&mut world, BOB, "ada");
    assert_eq!(world.presences(ADA), []);
    block(&mut world, BOB, "ada", true);
    assert_eq!(world.presences(ADA), [Presence::Offline]);
    block(&mut world, BOB, "ada", true);
    assert_eq!(world.presences(ADA), []);
}

#[test]
fn who_is_blocked_does_not_hear_that_somebody_is_in_a_call() {
    for mut world in [World::rings(), World::talks()] {
        block(&mut world, BOB, "cleo", true);
        world.hear();
        world.ring(CLEO, 9, "bob");
        assert_eq!(world.ends(), [(CLEO, Unreachable)]);
        assert_eq!(world.missed(), 0);
    }
}

#[test]
fn what_one_knows_of_another_by_a_call_ends_with_it() {
    let mut world = World::rings();
    add(&mut world, ADA, "bob");
    assert_eq!(world.presences(ADA), [Presence::Offline], "Bob has not added her");
    world.accept(BOB);
    assert_eq!(world.presences(ADA), [Presence::Busy]);
    world.ask(BOB, PeopleRequest::HangUp { call: call(1) });
    assert_eq!(world.presences(ADA), [Presence::Offline]);
}

#[test]
fn who_is_in_a_call_is_rung_no_oftener_than_anybody() {
    let mut world = World::talks();
    for n in 0..30 {
        world.ring(CLEO, 20 + n, "bob");
    }
    assert_eq!(world.missed(), 1);
    assert_eq!(world.ends(), [(CLEO, Busy)]);
    assert_eq!(world.refused.len(), 29);
}

#[test]
fn a_call_that_rings_ends_when_one_blocks_the_other() {
    for (page, name, ends) in [
        (
            BOB,
            "ada",
            [
                (ADA, Declined),
                (ADA_2, Declined),
                (BOB, Declined),
                (BOB_2, Declined),
            ],
        ),
        (
            ADA,
            "bob",
            [
                (ADA, Cancelled),
                (ADA_2, Cancelled),
                (BOB, Cancelled),
                (BOB_2, Cancelled),
            ],
        ),
    ] {
        let mut world = World::rings();
        block(&mut world, page, name, true);
        assert_eq!(world.ends(), ends);
        // Who is blocked while they call have cancelled nothing; who blocks whom they call has.
        assert_eq!(world.missed(), usize::from(page == ADA));
        world.is_quiet();
    }
    // It had not rung: then it was as if nobody were there.
    let mut world = World::together();
    world.ring(ADA, 1, "bob");
    block(&mut world, BOB, "ada", true);
    assert!(world.ends().contains(&(ADA, Unreachable)));
    // Another's call goes on.
    let mut world = World::rings();
    block(&mut world, BOB, "cleo", true);
    assert_eq!(world.ends(), []);
}

#[test]
fn a_caller_who_begins_anew_replaces_the_call_of_before() {
    let mut world = World::rings();
    world.wait(Duration::from_secs(6));
    world.hear();
    world.ring(ADA, 9, "bob");
    let told = world.hear();
    let cancelled = |page| {
        (
            page,
            PeopleEvent::Ended {
                call: call(1),
                reason: Cancelled,
            },
        )
    };
    assert!(
        told.contains(&cancelled(BOB)) && told.contains(&cancelled(ADA)),
        "{told:?}"
    );
    let rings =
        |event: &PeopleEvent| matches!(event, PeopleEvent::Incoming { call, .. } if *call == self::call(9));
    assert!(
        told.iter().any(|(page, event)| *page == BOB && rings(event)),
        "{told:?}"
    );
    world.is_quiet();
}

#[test]
fn a_ninth_page_is_refused_and_takes_nothing_with_it() {
    let mut world = World::new();
    for n in 0..8 {
        world.sign_in(ConnectionKey(20 + n), "ada");
    }
    world.ask(ConnectionKey(20), PeopleRequest::MakeCode {});
    let Some((_, PeopleEvent::Code { code, .. })) = world.told.pop() else {
        panic!("a code")
    };
    let stored = world.stored.len();
    let request = world.request(ADA, "ada", key(7), Some(&code));
    world.ask(ADA, request.clone());
    assert_eq!(world.refused.pop(), Some((ADA, ErrorCode::TooMany)));
    assert_eq!(world.stored.len(), stored, "no key was linked");
    // Nor was the code used up.
    world.gone(ConnectionKey(21), true);
    world.ask(ADA, request);
    assert_eq!(world.refused, []);
    assert_eq!(world.stored.len(), stored + 1);
}

#[test]
fn handles_are_not_harvested() {
    let mut world = World::new();
    world.sign_in(ADA, "ada");
    world.may_take = false;
    world.sign_in(BOB, "bob");
    assert_eq!(world.refused, [(BOB, ErrorCode::RateLimited)]);
    assert_eq!(world.stored.len(), 1);
    // Who has one gets in as before.
    world.sign_in(ADA_2, "ada");
    assert_eq!(world.refused.len(), 1);
}

#[test]
fn a_page_that_was_hidden_before_it_signed_in_is_hidden() {
    let mut world = World::new();
    world.hidden = true;
    world.sign_in(ADA, "ada");
    world.hidden = false;
    world.sign_in(BOB, "bob");
    add(&mut world, ADA, "bob");
    add(&mut world, BOB, "ada");
    world.hear();
    world.wait(Duration::from_secs(301));
    assert_eq!(world.presences(BOB), [Presence::Away]);
}

#[test]
fn what_is_known_of_ended_calls_goes_and_keeps_one_timer() {
    let mut world = World::together();
    for n in 0..200 {
        world.ask(ADA, PeopleRequest::HangUp { call: call(n) });
    }
    assert!(world.people.timers.len() < 8, "{}", world.people.timers.len());
    world.wait(Duration::from_secs(62));
    assert_eq!(world.people.calls.remembered(), 0);
    world.ring(ADA, 1, "nobody");
    world.wait(Duration::from_secs(125));
    assert_eq!(world.people.calls.remembered(), 0);
    assert_eq!(world.people.timers.len(), 0);
}

#[test]
fn who_is_blocked_before_it_rings_has_reached_nobody() {
    let mut world = World::together();
    world.ring(ADA, 1, "bob");
    world.hear();
    world.ask(
        BOB,
        PeopleRequest::Block {
            handle: handle("ada"),
            blocked: true,
        },
    );
    let ends = world.ends();
    assert!(ends.contains(&(ADA, Unreachable)), "{ends:?}");
    assert!(ends.contains(&(BOB_2, Cancelled)), "{ends:?}");
    assert_eq!(world.missed(), 0);
}

#[test]
fn who_ends_calls_that_never_were_pushes_out_nothing() {
    let mut world = World::together();
    world.ring(ADA, 1, "bob");
    world.ask(BOB, PeopleRequest::Decline { call: call(1) });
    world.hear();
    for number in 100..400_u32 {
        world.ask(
            CLEO,
            PeopleRequest::HangUp {
                call: CallId::from_bytes(u128::from(number).to_be_bytes()),
            },
        );
    }
    assert!(
        world.people.calls.remembered() < 40,
        "{}",
        world.people.calls.remembered()
    );
    world.hear();
    world.ring(ADA, 1, "bob");
    assert_eq!(world.ends(), [(ADA, Declined)]);
}

// Tokens

fn by_token(page: ConnectionKey, token: &str, world: &mut World) {
    world.ask(
        page,
        PeopleRequest::SignInByToken {
            token: token.into(),
            name: "Ada".into(),
        },
    );
}

/// A world where `name@seconds` is a token that is good up to then.
fn of_tokens() -> World {
    let mut world = World::new();
    let check = |token: &str, unix: Duration| {
        let (name, until) = token.split_once('@')?;
        let until = Duration::from_secs(1_800_000_000 + until.parse::<u64>().ok()?);
        (unix < until).then(|| name.parse().ok()).flatten()
    };
    world.people = People::new(
        PeopleConfig {
            tokens: Some(Tokens(Arc::new(check))),
            ..config()
        },
        Duration::from_secs(1_800_000_000),
    );
    world
}

#[test]
fn where_tokens_are_taken_nothing_else_is() {
    let mut world = of_tokens();
    let sign_in = World::new().request(ADA, "ada", key(1), None);
    for request in [PeopleRequest::Challenge {}, sign_in, PeopleRequest::MakeCode {}] {
        world.ask(ADA, request);
        assert_eq!(world.refused.pop(), Some((ADA, ErrorCode::TokensOnly)));
    }
    by_token(ADA, "ada@60", &mut world);
    assert!(
        matches!(&world.hear()[..], [(ADA, PeopleEvent::SignedIn { handle, .. })] if handle.as_str() == "ada")
    );
    let person = Change::Person {
        handle: handle("ada"),
    };
    assert_eq!(world.stored, [person], "once");
    by_token(ADA_2, "ada@60", &mut world);
    assert_eq!(world.stored.len(), 1);
    // What is known of them is kept as of anybody.
    add(&mut world, ADA, "bob");
    assert_eq!(world.stored.len(), 2);
    // Another's token on the same page, a bad one, and one whose time is over.
    by_token(ADA, "bob@60", &mut world);
    assert_eq!(world.refused.pop(), Some((ADA, ErrorCode::AlreadySignedIn)));
    by_token(BOB, &"x".repeat(3 * 1024), &mut world);
    assert_eq!(world.refused.pop(), Some((BOB, ErrorCode::BadToken)));
    world.wait(Duration::from_secs(61));
    by_token(BOB, "ada@60", &mut world);
    assert_eq!(world.refused.pop(), Some((BOB, ErrorCode::BadToken)));
    // It ends nothing that is under way.
    add(&mut world, ADA, "cleo");
    assert_eq!((world.refused.len(), world.stored.len()), (0, 3));
}

#[test]
fn who_gives_no_name_with_their_token_is_called_by_their_handle() {
    let mut world = of_tokens();
    let request = PeopleRequest::SignInByToken {
        token: "cleo@60".into(),
        name: String::new(),
    };
    world.ask(CLEO, request);
    by_token(ADA, "ada@60", &mut world);
    world.hear();
    world.ring(CLEO, 1, "ada");
    let told = world.hear();
    let is_named =
        |event: &PeopleEvent| matches!(event, PeopleEvent::Incoming { name, .. } if name == "cleo");
    assert!(
        told.iter().any(|(page, event)| *page == ADA && is_named(event)),
        "{told:?}"
    );
}

#[test]
fn where_keys_are_taken_a_token_is_nothing() {
    let mut world = World::new();
    by_token(ADA, "ada@60", &mut world);
    assert_eq!(world.refused, [(ADA, ErrorCode::KeysOnly)]);
    assert_eq!(world.stored, []);
}
