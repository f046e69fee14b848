//! A call from its ring to its end, on all pages of both.

use super::*;

#[test]
fn a_call_rings_on_all_pages_and_is_taken_on_one() {
    let mut world = World::together();
    world.ring(ADA, 1, "bob");
    let told = world.hear();
    let incoming = |page| {
        let event = PeopleEvent::Incoming {
            call: call(1),
            from: handle("ada"),
            name: "ADA".into(),
            video: true,
            rung_ms: 0,
        };
        told.contains(&(page, event))
    };
    assert!(incoming(BOB) && incoming(BOB_2) && !incoming(CLEO));
    assert!(matches!(
        told.iter().find(|(page, _)| *page == ADA_2),
        Some((_, PeopleEvent::Outgoing { .. }))
    ));
    world.ask(BOB, PeopleRequest::Ack { call: call(1) });
    assert!(
        world
            .hear()
            .contains(&(ADA, PeopleEvent::Ringing { call: call(1) }))
    );
    world.ask(
        BOB,
        PeopleRequest::Accept {
            call: call(1),
            video: false,
            answer: None,
        },
    );
    let told = world.hear();
    let accepted = |with: &str, video| PeopleEvent::Accepted {
        call: call(1),
        with: handle(with),
        video,
        invite: "here".into(),
    };
    assert!(told.contains(&(ADA, accepted("bob", false))), "{told:?}");
    assert!(told.contains(&(BOB, accepted("ada", true))), "{told:?}");
    world.told = told;
    assert_eq!(
        world.ends(),
        [(ADA_2, AnsweredElsewhere), (BOB_2, AnsweredElsewhere)]
    );
    // The other page is too late, and nothing is told to whom it does not concern.
    world.accept(BOB_2);
    assert_eq!(world.ends(), [(BOB_2, AnsweredElsewhere)]);
    world.ask(ADA, PeopleRequest::HangUp { call: call(1) });
    assert_eq!(world.ends(), [(ADA, HungUp), (BOB, HungUp)]);
    world.is_quiet();
    assert_eq!(world.missed(), 0);
}

#[test]
fn every_end_of_a_ringing_call_reaches_every_page() {
    let decline = PeopleRequest::Decline { call: call(1) };
    let hang_up = PeopleRequest::HangUp { call: call(1) };
    for (page, request, ends, missed) in [
        (
            BOB,
            decline.clone(),
            [
                (ADA, Declined),
                (ADA_2, Declined),
                (BOB, Declined),
                (BOB_2, DeclinedElsewhere),
            ],
            0,
        ),
        (
            BOB_2,
            hang_up.clone(),
            [
                (ADA, Declined),
                (ADA_2, Declined),
                (BOB, DeclinedElsewhere),
                (BOB_2, Declined),
            ],
            0,
        ),
        (
            ADA,
            hang_up.clone(),
            [
                (ADA, Cancelled),
                (ADA_2, Cancelled),
                (BOB, Cancelled),
                (BOB_2, Cancelled),
            ],
            1,
        ),
        (
            ADA_2,
            hang_up,
            [
                (ADA, Cancelled),
                (ADA_2, Cancelled),
                (BOB, Cancelled),
                (BOB_2, Cancelled),
            ],
            1,
        ),
    ] {
        let mut world = World::rings();
        world.ask(page, request);
        assert_eq!(world.ends(), ends);
        assert_eq!(world.missed(), missed);
        world.ask(BOB, decline.clone());
        world.is_quiet();
    }
}

#[test]
fn what_nobody_shows_is_unreachable_and_what_nobody_takes_times_out() {
    let mut world = World::together();
    world.ring(ADA, 1, "bob");
    world.wait(Duration::from_millis(2100));
    assert_eq!(
        world.ends(),
        [
            (ADA, Unreachable),
            (ADA_2, Unreachable),
            (BOB, TimedOut),
            (BOB_2, TimedOut)
        ]
    );
    assert_eq!(world.missed(), 1);
    let mut world = World::rings();
    world.wait(Duration::from_secs(44));
    assert_eq!(world.ends(), []);
    world.wait(Duration::from_secs(2));
    assert_eq!(
        world.ends(),
        [
            (ADA, TimedOut),
            (ADA_2, TimedOut),
            (BOB, TimedOut),
            (BOB_2, TimedOut)
        ]
    );
    assert_eq!(world.missed(), 1);
}

#[test]
fn offline_unknown_and_blocked_are_the_same_to_a_caller() {
    let mut world = World::together();
    world.ask(
        CLEO,
        PeopleRequest::Block {
            handle: handle("ada"),
            blocked: true,
        },
    );
    world.gone(BOB, true);
    world.gone(BOB_2, true);
    world.wait(Duration::from_secs(2));
    world.hear();
    for (n, to) in [(1, "bob"), (2, "nobody"), (3, "cleo")] {
        world.ring(ADA, n, to);
        let ended = PeopleEvent::Ended {
            call: call(n),
            reason: Unreachable,
        };
        let told = world.hear();
        assert!(
            told.contains(&(ADA, ended)) && told.iter().all(|(page, _)| *page == ADA),
            "{told:?}"
        );
    }
    // Who was not there learns of it when they are back, once; who blocked somebody does not.
    assert_eq!(world.missed(), 1);
    world.sign_in(BOB, "bob");
    let told = world.hear();
    let [(BOB, PeopleEvent::SignedIn { missed, .. })] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((missed.len(), &missed[0].from), (1, &handle("ada")));
    world.ask(
        BOB,
        PeopleRequest::Seen {
            missed: missed[0].number,
        },
    );
    world.sign_in(BOB_2, "bob");
    let told = world.hear();
    assert!(matches!(&told[..], [(_, PeopleEvent::SignedIn { missed, .. })] if missed.is_empty()));
}

#[test]
fn two_who_call_each_other_get_one_call() {
    for (first, second, winner) in [(1, 2, 2), (2, 1, 2)] {
        let mut world = World::together();
        world.ring(ADA, first, "bob");
        world.hear();
        world.ring(BOB, second, "ada");
        let told = world.hear();
        let accepted: Vec<_> = told
            .iter()
            .filter_map(|(page, event)| {
                let PeopleEvent::Accepted { call, .. } = event else {
                    return None;
                };
                Some((*page, *call))
            })
            .collect();
        assert_eq!(accepted.len(), 2, "{told:?}");
        assert!(
            accepted.contains(&(ADA, call(winner))) && accepted.contains(&(BOB, call(winner))),
            "{told:?}"
        );
        let merged = told.iter().filter(|(_, event)| {
            matches!(event, PeopleEvent::Ended { call, reason: Merged } if *call != self::call(winner))
        });
        assert!(merged.count() >= 1, "{told:?}");
        world.ask(ADA, PeopleRequest::HangUp { call: call(winner) });
        assert_eq!(world.ends(), [(ADA, HungUp), (BOB, HungUp)]);
        world.is_quiet();
    }
    let mut world = World::together();
    world.ring(ADA, 1, "bob");
    world.ring(BOB, 1, "ada");
    let ends = world.ends();
    assert!(
        ends.contains(&(ADA, Collision)) && ends.contains(&(BOB, Collision)),
        "{ends:?}"
    );
    world.is_quiet();
}

#[test]
fn who_calls_somebody_else_meanwhile_is_told_that_it_is_their_own_call() {
    for mut world in [World::rings(), World::talks()] {
        for (page, number) in [(ADA_2, 9), (BOB_2, 10)] {
            world.ring(page, number, "cleo");
            assert_eq!(world.ends(), [(page, EndReason::InAnotherCall)]);
        }
        assert_eq!(world.missed(), 0, "nobody was called");
        assert!(world.hear().is_empty());
    }
}

#[test]
fn a_third_one_hears_busy_and_is_noted_as_missed() {
    for mut world in [World::rings(), World::talks()] {
        world.ring(CLEO, 9, "bob");
        assert_eq!(world.ends(), [(CLEO, Busy)]);
        assert_eq!(world.missed(), 1);
    }
}

#[test]
fn what_comes_late_or_twice_or_from_somebody_else_never_rings() {
    // The end overtakes the call (F6).
    let mut world = World::together();
    world.ask(ADA, PeopleRequest::HangUp { call: call(1) });
    world.hear();
    world.ring(ADA, 1, "bob");
    assert_eq!(world.ends(), [(ADA, Cancelled)]);
    // The call comes twice, and again after its end.
    let mut world = World::rings();
    world.ring(ADA, 1, "bob");
    let told = world.hear();
    assert!(told.iter().all(|(page, _)| *page == ADA), "{told:?}");
    world.ask(ADA, PeopleRequest::HangUp { call: call(1) });
    world.hear();
    world.ring(ADA, 1, "bob");
    assert_eq!(world.ends(), [(ADA, Cancelled)]);
    // Somebody takes, declines or ends another's call, or calls under its id.
    let mut world = World::rings();
    for request in [
        PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: None,
        },
        PeopleRequest::Decline { call: call(1) },
        PeopleRequest::HangUp { call: call(1) },
        PeopleRequest::Ack { call: call(1) },
    ] {
        world.ask(CLEO, request);
        assert_eq!(world.ends(), [(CLEO, EndReason::UnknownCall)]);
    }
    world.ring(CLEO, 1, "bob");
    assert_eq!(world.ends(), [(CLEO, Busy)]);
    world.accept(BOB);
    assert!(world.hears_accepted(ADA));
}

#[test]
fn nobody_rings_too_often() {
    let mut world = World::together();
    for n in 0..12 {
        world.ring(ADA, 10 + n, &format!("nobody{n}"));
    }
    assert_eq!(world.refused, [(ADA, ErrorCode::RateLimited); 2]);
    world.refused.clear();
    world.wait(Duration::from_secs(60));
    world.ring(ADA, 1, "bob");
    world.ask(ADA, PeopleRequest::HangUp { call: call(1) });
    world.ring(ADA, 2, "bob");
    assert_eq!(world.refused, [(ADA, ErrorCode::RateLimited)]);
    world.ring(ADA, 3, "ada");
    assert_eq!(world.refused[1], (ADA, ErrorCode::SelfAddressed));
}

#[test]
fn a_caller_whose_socket_was_lost_goes_on_with_the_same_call() {
    let mut world = World::rings();
    world.gone(ADA, false);
    world.wait(Duration::from_secs(3));
    assert_eq!(world.ends(), []);
    let back = ConnectionKey(10);
    world.sign_in(back, "ada");
    world.hear();
    world.ring(back, 1, "bob");
    assert!(
        world
            .hear()
            .contains(&(back, PeopleEvent::Ringing { call: call(1) }))
    );
    // Who does not come back has cancelled.
    world.gone(back, false);
    world.wait(Duration::from_secs(11));
    assert_eq!(
        world.ends(),
        [(ADA_2, Cancelled), (BOB, Cancelled), (BOB_2, Cancelled)]
    );
    // And who closes the page has done so at once.
    let mut world = World::rings();
    world.gone(ADA, true);
    assert_eq!(
        world.ends(),
        [(ADA_2, Cancelled), (BOB, Cancelled), (BOB_2, Cancelled)]
    );
}

#[test]
fn a_page_that_is_lost_in_a_call_comes_back_to_it() {
    let mut world = World::talks();
    world.gone(BOB, false);
    world.wait(Duration::from_secs(30));
    assert_eq!(world.ends(), []);
    let back = ConnectionKey(10);
    world.sign_in(back, "bob");
    world.accept(back);
    assert!(world.hears_accepted(back));
    world.wait(Duration::from_secs(100));
    assert_eq!(world.ends(), [], "it goes on for as long as they like");
    world.gone(ADA, false);
    world.wait(Duration::from_secs(61));
    assert_eq!(world.ends(), [(back, Lost)]);
}

#[test]
fn a_callees_new_page_rings_too() {
    let mut world = World::rings();
    let page = ConnectionKey(10);
    world.sign_in(page, "bob");
    assert!(
        world
            .hear()
            .iter()
            .any(|(to, event)| *to == page && matches!(event, PeopleEvent::Incoming { .. }))
    );
}
