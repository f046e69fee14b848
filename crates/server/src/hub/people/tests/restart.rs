//! Calls and the lines under them: pages that are lost and come back, a server that is started anew.

use super::*;

#[test]
fn after_the_servers_restart_the_caller_says_the_same_call_again() {
    // A new server knows nothing; the callee's pages show the call still.
    let mut world = World::together();
    world.accept(BOB);
    assert_eq!(world.ends(), [(BOB, EndReason::UnknownCall)]);
    world.ring(ADA, 1, "bob");
    world.ask(BOB, PeopleRequest::Ack { call: call(1) });
    world.accept(BOB);
    assert!(world.hears_accepted(ADA));
}

impl World {
    /// The same people after a restart of the server, which knows what was written down.
    fn restarted(&mut self) {
        let mut directory = Directory::default();
        for change in &self.stored {
            directory.apply(change);
        }
        let config = PeopleConfig {
            directory,
            ..config()
        };
        self.people = People::new(config, self.people.unix);
        self.hear();
    }

    fn resume(&mut self, page: ConnectionKey, with: &str, outgoing: bool) {
        self.ask(
            page,
            PeopleRequest::Resume {
                call: call(1),
                with: handle(with),
                outgoing,
                video: true,
                invite: "here".into(),
            },
        );
    }

    fn taken(&self) -> usize {
        let calls = self.people.calls();
        calls.filter(|call| call.is_taken).count()
    }
}

#[test]
fn who_calls_anew_from_another_page_rings() {
    let mut world = World::rings();
    world.wait(Duration::from_secs(6));
    world.ring(ADA_2, 2, "bob");
    assert!(world.hear().contains(&(
        BOB,
        PeopleEvent::Incoming {
            call: call(2),
            from: handle("ada"),
            name: "ADA".into(),
            video: true,
            rung_ms: 0,
        }
    )));
    // Too soon it does not, and then the one before it was missed.
    world.ring(ADA, 3, "bob");
    assert_eq!(world.refused.pop(), Some((ADA, ErrorCode::RateLimited)));
    assert_eq!(world.missed(), 1);
}

#[test]
fn a_page_on_another_socket_has_its_call_while_the_former_one_passes_for_alive() {
    let mut world = World::rings();
    world.ring(ADA_2, 1, "bob");
    assert_eq!(
        world.hear().last(),
        Some(&(ADA_2, PeopleEvent::Ringing { call: call(1) }))
    );
    let answer = |answer| PeopleRequest::Accept {
        call: call(1),
        video: true,
        answer: Some(call(answer)),
    };
    world.ask(BOB, answer(7));
    world.hear();
    world.ask(BOB_2, answer(8));
    assert_eq!(
        world.ends(),
        [(BOB_2, AnsweredElsewhere)],
        "another page's answer"
    );
    world.ask(BOB_2, answer(7));
    assert!(matches!(
        &world.hear()[..],
        [(BOB_2, PeopleEvent::Accepted { .. })]
    ));
    world.gone(BOB, false);
    world.wait(Duration::from_secs(90));
    assert_eq!(world.taken(), 1);
}

/// Ada's call has rung for a second when the server is started anew, and she is back before Bob.
fn back_first() -> World {
    let mut world = World::rings();
    world.restarted();
    world.sign_in(ADA, "ada");
    world.hear();
    world.rung(ADA, 1, "bob", Duration::from_secs(1));
    world
}

#[test]
fn a_call_that_is_repeated_to_a_new_server_waits_for_whom_it_rang_for() {
    let mut world = back_first();
    assert_eq!(world.ends(), []);
    world.wait(Duration::from_secs(5));
    world.sign_in(BOB, "bob");
    let heard = world.hear();
    let is_incoming = |(page, event): &(_, PeopleEvent)| {
        *page == BOB && matches!(event, PeopleEvent::Incoming { call: id, .. } if *id == call(1))
    };
    assert!(heard.iter().any(is_incoming), "{heard:?}");
    world.ask(BOB, PeopleRequest::Ack { call: call(1) });
    assert!(
        world
            .hear()
            .contains(&(ADA, PeopleEvent::Ringing { call: call(1) }))
    );
}

#[test]
fn who_does_not_come_back_and_who_blocked_the_caller_look_the_same() {
    let absent = back_first();
    let mut blocked = World::rings();
    blocked.ask(
        CLEO,
        PeopleRequest::Block {
            handle: handle("ada"),
            blocked: true,
        },
    );
    blocked.restarted();
    for (page, name) in [(CLEO, "cleo"), (ADA, "ada")] {
        blocked.sign_in(page, name);
    }
    blocked.hear();
    blocked.rung(ADA, 1, "cleo", Duration::from_secs(1));
    let heard = blocked.hear();
    assert!(heard.iter().all(|(page, _)| *page == ADA), "{heard:?}");
    for (mut world, missed) in [(absent, 1), (blocked, 0)] {
        world.wait(Duration::from_secs(9));
        assert_eq!(world.ends(), []);
        world.wait(Duration::from_secs(2));
        assert_eq!(world.ends(), [(ADA, Unreachable)]);
        assert_eq!(world.missed(), missed);
        // Later nobody is waited for.
        world.rung(ADA, 2, "nobody", Duration::from_secs(1));
        assert_eq!(world.ends(), [(ADA, Unreachable)]);
        world.wait(Duration::from_secs(130));
        assert!(world.people.timers.is_empty());
    }
}

#[test]
fn who_calls_somebody_whom_they_blocked_meets_the_call_that_they_did_not_hear() {
    for [unheard, new] in [[1, 9], [9, 1]] {
        let mut world = World::together();
        world.ask(
            BOB,
            PeopleRequest::Block {
                handle: handle("ada"),
                blocked: true,
            },
        );
        world.restarted();
        world.sign_in(ADA, "ada");
        world.sign_in(BOB, "bob");
        world.hear();
        world.rung(ADA, unheard, "bob", Duration::from_secs(1));
        world.hear();
        world.ring(BOB, new, "ada");
        assert_eq!(world.taken(), 1);
        world.hear();
        world.ask(ADA, PeopleRequest::HangUp { call: call(9) });
        assert_eq!(world.ends(), [(ADA, HungUp), (BOB, HungUp)]);
        world.is_quiet();
    }
}

#[test]
fn who_talks_is_busy_for_a_call_that_came_before_they_were_back() {
    let mut world = World::talks();
    world.restarted();
    for (page, name) in [(ADA, "ada"), (CLEO, "cleo")] {
        world.sign_in(page, name);
    }
    world.hear();
    world.rung(CLEO, 3, "bob", Duration::from_secs(1));
    world.hear();
    world.resume(ADA, "bob", true);
    world.sign_in(BOB, "bob");
    world.hear();
    world.resume(BOB, "ada", false);
    let ends = world.ends();
    assert_eq!(ends, [(BOB, Cancelled), (CLEO, Busy)]);
    assert_eq!(world.missed(), 1);
    world.ask(ADA, PeopleRequest::HangUp { call: call(1) });
    assert_eq!(world.ends(), [(ADA, HungUp), (BOB, HungUp)]);
}

#[test]
fn a_call_goes_on_after_the_servers_restart_once_both_say_so() {
    let mut world = World::talks();
    world.restarted();
    world.sign_in(ADA, "ada");
    world.resume(ADA, "bob", true);
    world.sign_in(CLEO, "cleo");
    world.ring(CLEO, 2, "ada");
    assert_eq!(world.ends(), [(CLEO, Busy)]);
    world.sign_in(BOB, "bob");
    assert_eq!(world.taken(), 0, "one side alone changes nothing");
    world.resume(BOB, "ada", false);
    assert_eq!(world.taken(), 1);
    world.ask(ADA, PeopleRequest::HangUp { call: call(1) });
    assert_eq!(world.ends(), [(ADA, HungUp), (BOB, HungUp)]);
}

#[test]
fn who_does_not_come_back_after_the_servers_restart_is_lost() {
    let mut world = World::talks();
    world.restarted();
    world.sign_in(ADA, "ada");
    world.resume(ADA, "bob", true);
    world.hear();
    world.wait(Duration::from_secs(61));
    assert_eq!(world.ends(), [(ADA, Lost)]);
    // Or has hung up, before the other one says anything or after.
    for first in [true, false] {
        let mut world = World::talks();
        world.restarted();
        world.sign_in(ADA, "ada");
        world.sign_in(BOB, "bob");
        if first {
            world.resume(ADA, "bob", true);
        }
        world.ask(BOB, PeopleRequest::HangUp { call: call(1) });
        if !first {
            world.resume(ADA, "bob", true);
        }
        assert!(world.ends().contains(&(ADA, HungUp)), "{first}");
    }
}

#[test]
fn a_call_that_was_missed_on_both_sides_of_a_restart_is_noted_once() {
    let mut world = World::new();
    world.sign_in(ADA, "ada");
    world.sign_in(BOB, "bob");
    world.gone(BOB, true);
    world.ring(ADA, 1, "bob");
    assert_eq!(world.missed(), 1);
    world.restarted();
    world.sign_in(ADA, "ada");
    world.ask(
        ADA,
        PeopleRequest::Ring {
            call: call(1),
            to: handle("bob"),
            video: true,
            invite: "here".into(),
            rung_ms: 1_500,
        },
    );
    world.wait(Duration::from_secs(11));
    assert_eq!(world.ends(), [(ADA, Unreachable)]);
    assert_eq!(world.missed(), 1);
}

#[test]
fn a_page_that_was_cut_off_when_its_call_merged_is_told_of_the_one_that_goes_on() {
    let mut world = World::together();
    world.ring(ADA, 1, "bob");
    world.ring(BOB, 9, "ada");
    world.hear();
    world.ring(ADA_2, 1, "bob");
    let heard = world.hear();
    assert!(heard.iter().any(|(page, event)| {
        *page == ADA_2 && matches!(event, PeopleEvent::Accepted { call, .. } if *call == self::call(9))
    }));
}

#[test]
fn who_takes_a_call_and_thinks_better_of_it_ends_it() {
    let mut world = World::talks();
    world.ask(BOB_2, PeopleRequest::Decline { call: call(1) });
    assert_eq!(world.ends(), [(BOB_2, AnsweredElsewhere)]);
    world.ask(BOB, PeopleRequest::Decline { call: call(1) });
    assert_eq!(world.ends(), [(ADA, HungUp), (BOB, HungUp)]);
}

#[test]
fn what_was_said_on_an_earlier_socket_and_comes_late_moves_no_call_back() {
    let mut world = World::rings();
    world.ring(ADA_2, 1, "bob");
    world.ring(ADA, 1, "bob");
    let answer = PeopleRequest::Accept {
        call: call(1),
        video: true,
        answer: Some(call(7)),
    };
    for page in [BOB, BOB_2, BOB] {
        world.ask(page, answer.clone());
    }
    world.gone(ADA, false);
    world.gone(BOB, false);
    world.wait(Duration::from_secs(90));
    assert_eq!(world.taken(), 1);
}

#[test]
fn a_caller_who_had_not_heard_of_the_answer_before_the_restart_is_in_the_call() {
    let mut world = World::talks();
    world.restarted();
    world.sign_in(BOB, "bob");
    world.resume(BOB, "ada", false);
    world.sign_in(ADA, "ada");
    world.hear();
    world.ring(ADA, 1, "bob");
    assert!(matches!(&world.hear()[..], [(ADA, PeopleEvent::Accepted { .. })]));
    assert_eq!((world.taken(), world.missed()), (1, 0));
}

#[test]
fn who_says_twice_that_they_are_in_a_call_is_in_it_on_the_later_socket() {
    let mut world = World::talks();
    world.restarted();
    world.sign_in(BOB, "bob");
    world.resume(BOB, "ada", false);
    world.sign_in(BOB_2, "bob");
    world.resume(BOB_2, "ada", false);
    world.resume(BOB, "ada", false);
    world.sign_in(ADA, "ada");
    world.resume(ADA, "bob", true);
    world.gone(BOB, false);
    world.wait(Duration::from_secs(90));
    assert_eq!(world.taken(), 1);
}
