//! One page's call, step by step: what it is told, what it says, what there is to see.

mod signing;

use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::people::{EndReason, PeopleEvent, PeopleRequest};
use visavis_protocol::{CallId, Handle};

use super::direct_call::{MEET_WITHIN, Machine, SERVER_WITHIN};
use super::{CallEnd, CallState, KeptCall, NoConnection};
use crate::time::Timestamp;

const NEVER_MET: CallEnd = CallEnd::NoConnection(NoConnection::NobodyCame);

fn handle(name: &str) -> Handle {
    name.parse().unwrap()
}

fn call(n: u8) -> CallId {
    CallId::from_bytes([n; 16])
}

#[derive(Default)]
struct Page {
    machine: Machine,
    now: Timestamp,
    said: Vec<PeopleRequest>,
}

impl Page {
    /// In a state that every kind of word may meet.
    fn in_state(name: &str) -> Self {
        let mut page = Self::default();
        match name {
            "idle" => {}
            "asking" => page.ring(),
            "ringing" => {
                page.ring();
                page.hear(PeopleEvent::Ringing { call: call(1) });
            }
            "incoming" => page.incoming(1),
            "answered" => {
                page.incoming(1);
                page.machine.accept(page.now, true, call(9), &mut page.said);
            }
            "talking" => {
                page.ring();
                page.hear(accepted(1, "bob"));
            }
            "elsewhere" => page.hear(PeopleEvent::Outgoing {
                call: call(1),
                to: handle("bob"),
                video: true,
                rung_ms: 0,
            }),
            other => panic!("{other}"),
        }
        page.said.clear();
        page
    }

    fn ring(&mut self) {
        let (now, said) = (self.now, &mut self.said);
        self.machine
            .ring(now, call(1), handle("bob"), true, "here".into(), said);
    }

    fn incoming(&mut self, n: u8) {
        self.hear(PeopleEvent::Incoming {
            call: call(n),
            from: handle("bob"),
            name: "Bob".into(),
            video: true,
            rung_ms: 0,
        });
    }

    fn hear(&mut self, event: PeopleEvent) {
        self.machine.handle(self.now, event, &mut self.said);
    }

    fn ends(&mut self, n: u8, reason: EndReason) {
        self.hear(PeopleEvent::Ended {
            call: call(n),
            reason,
        });
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        self.machine.handle_tick(self.now, &mut self.said);
    }

    fn state(&self) -> &'static str {
        match self.machine.present().map(|call| &call.state) {
            None | Some(CallState::Idle) => "idle",
            Some(CallState::Outgoing { rings: false }) => "asking",
            Some(CallState::Outgoing { rings: true }) => "ringing",
            Some(CallState::Incoming { answered: None }) => "incoming",
            Some(CallState::Incoming { answered: Some(_) }) => "answered",
            Some(CallState::Elsewhere) => "elsewhere",
            Some(CallState::InCall { .. }) => "talking",
            Some(CallState::Over { .. }) => "over",
        }
    }

    fn end(&self) -> Option<CallEnd> {
        let CallState::Over { reason, .. } = self.machine.present()?.state else {
            return None;
        };
        Some(reason)
    }
}

fn accepted(n: u8, with: &str) -> PeopleEvent {
    PeopleEvent::Accepted {
        call: call(n),
        with: handle(with),
        video: true,
        invite: "here".into(),
    }
}

const STATES: [&str; 7] = [
    "idle",
    "asking",
    "ringing",
    "incoming",
    "answered",
    "talking",
    "elsewhere",
];

#[test]
fn every_word_of_the_server_has_its_effect_in_every_state() {
    type Say = fn(&mut Page);
    let words: [(&str, Say, [&str; 7]); 6] = [
        (
            "accepted",
            |page| page.hear(accepted(1, "bob")),
            [
                "idle",
                "talking",
                "talking",
                "incoming",
                "talking",
                "talking",
                "elsewhere",
            ],
        ),
        (
            "accepted with somebody else",
            |page| page.hear(accepted(1, "eve")),
            [
                "idle",
                "asking",
                "ringing",
                "incoming",
                "answered",
                "talking",
                "elsewhere",
            ],
        ),
        (
            "accepted, the other call of two",
            |page| page.hear(accepted(2, "bob")),
            [
                "idle",
                "talking",
                "talking",
                "incoming",
                "talking",
                "talking",
                "elsewhere",
            ],
        ),
        (
            "ended",
            |page| page.ends(1, EndReason::HungUp),
            ["idle", "over", "over", "over", "over", "over", "idle"],
        ),
        (
            "another call ended",
            |page| page.ends(2, EndReason::Cancelled),
            [
                "idle",
                "asking",
                "ringing",
                "incoming",
                "answered",
                "talking",
                "elsewhere",
            ],
        ),
        (
            "somebody calls",
            |page| page.incoming(2),
            [
                "incoming",
                "asking",
                "ringing",
                "incoming",
                "answered",
                "talking",
                "elsewhere",
            ],
        ),
    ];
    for (what, say, wanted) in words {
        for (state, wanted) in STATES.iter().zip(wanted) {
            let mut page = Page::in_state(state);
            say(&mut page);
            assert_eq!(page.state(), wanted, "{what} while {state}");
        }
    }
}

#[test]
fn nobody_is_in_a_call_that_they_did_not_want() {
    for state in ["idle", "incoming", "elsewhere"] {
        let mut page = Page::in_state(state);
        page.hear(accepted(1, "bob"));
        assert_eq!(page.said, [PeopleRequest::HangUp { call: call(1) }], "{state}");
    }
}

#[test]
fn what_ended_never_rings_again() {
    // The end is heard before the call (F6), or after it was declined here.
    let mut page = Page::default();
    page.ends(1, EndReason::Cancelled);
    page.incoming(1);
    assert_eq!(page.state(), "idle");
    let mut page = Page::in_state("incoming");
    page.machine.end(page.now, &mut page.said);
    page.machine.dismiss();
    page.incoming(1);
    assert_eq!(page.state(), "idle");
}

#[test]
fn both_call_and_one_call_goes_on() {
    let mut page = Page::in_state("asking");
    page.ends(1, EndReason::Merged);
    assert_eq!(page.state(), "asking", "the other call follows");
    // To a page on another socket than the hub knows it is said as to one of the others first.
    page.ends(2, EndReason::AnsweredElsewhere);
    page.hear(accepted(2, "bob"));
    assert_eq!(
        page.machine.present().map(|call| (call.call, call.outgoing)),
        Some((call(2), false))
    );
    page.ends(2, EndReason::HungUp);
    assert_eq!(page.end(), Some(CallEnd::Said(EndReason::HungUp)));
}

#[test]
fn a_server_that_comes_back_is_told_again_and_one_that_does_not_ends_it() {
    for state in ["asking", "ringing", "answered"] {
        let mut page = Page::in_state(state);
        page.machine.alone(page.now);
        page.wait(Duration::from_secs(5));
        assert_eq!(page.state(), state);
        page.machine.signed_in(page.now, &mut page.said);
        let is_said = match &page.said[..] {
            [PeopleRequest::Ring { call, .. }] => *call == self::call(1) && state != "answered",
            [PeopleRequest::Accept { call, .. }] => *call == self::call(1) && state == "answered",
            _ => false,
        };
        assert!(is_said, "{state}: {:?}", page.said);
        page.machine.alone(page.now);
        page.wait(SERVER_WITHIN);
        assert_eq!(page.end(), Some(CallEnd::NoServer), "{state}");
    }
    // A new server knows nothing of the call that is answered here: its caller says it again.
    let mut page = Page::in_state("answered");
    page.ends(1, EndReason::UnknownCall);
    assert_eq!(page.state(), "answered");
    page.incoming(1);
    assert_eq!(
        page.said,
        [PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: Some(call(9)),
        }]
    );
    // Those who talk need no server.
    let mut page = Page::in_state("talking");
    page.machine.alone(page.now);
    page.wait(Duration::from_secs(600));
    page.machine.signed_in(page.now, &mut page.said);
    page.ends(1, EndReason::UnknownCall);
    assert_eq!(page.state(), "talking");
}

#[test]
fn nothing_rings_for_ever() {
    for state in ["ringing", "incoming", "elsewhere"] {
        let mut page = Page::in_state(state);
        page.wait(Duration::from_secs(47));
        assert_eq!(page.state(), state);
        page.wait(Duration::from_secs(2));
        // Who was called hears from the server that they missed it.
        let wanted = if state == "ringing" { "over" } else { "idle" };
        assert_eq!(page.state(), wanted, "{state}");
    }
}

#[test]
fn what_this_page_alone_knows_ends_it_for_both() {
    for (state, said) in [
        ("asking", PeopleRequest::HangUp { call: call(1) }),
        ("incoming", PeopleRequest::Decline { call: call(1) }),
        ("talking", PeopleRequest::HangUp { call: call(1) }),
    ] {
        let mut page = Page::in_state(state);
        page.machine.fail(page.now, CallEnd::NoMicrophone, &mut page.said);
        assert_eq!(
            (page.end(), &page.said[..]),
            (Some(CallEnd::NoMicrophone), &[said][..])
        );
        // The server's answer to that is no news.
        page.ends(1, EndReason::HungUp);
        assert_eq!(page.end(), Some(CallEnd::NoMicrophone));
    }
}

#[test]
fn two_who_take_a_call_are_looked_for_until_they_meet() {
    let mut page = Page::in_state("talking");
    assert_eq!(page.machine.poll_timeout(), Some(page.now + MEET_WITHIN));
    page.wait(MEET_WITHIN);
    // Why they did not meet the core says.
    assert!(page.machine.has_missed(page.now));
    assert_eq!(page.state(), "talking");
    let mut page = Page::in_state("talking");
    page.machine.meet();
    page.wait(MEET_WITHIN * 2);
    assert!(!page.machine.has_missed(page.now));
    assert_eq!(page.machine.poll_timeout(), None);
}

#[test]
fn a_page_that_was_loaded_anew_goes_on_with_its_call() {
    for outgoing in [true, false] {
        let mut page = Page::default();
        let kept = KeptCall {
            call: call(1),
            with: "bob".parse().unwrap(),
            outgoing,
            video: true,
            invite: String::from("room"),
            talked: Duration::from_secs(60),
            name: None,
        };
        page.machine.go_on(page.now, kept);
        assert_eq!(page.state(), "talking");
        page.machine.signed_in(page.now, &mut page.said);
        let said = page.said.clone();
        let [
            PeopleRequest::Resume {
                call,
                outgoing: is_own,
                invite,
                ..
            },
        ] = &said[..]
        else {
            panic!("{said:?}");
        };
        assert_eq!((*call, *is_own), (self::call(1), outgoing));
        assert_eq!(invite, if outgoing { "room" } else { "" });
        // The other one is not looked for: they may be loading their page, too.
        page.wait(MEET_WITHIN * 2);
        assert!(!page.machine.has_missed(page.now));
        page.ends(1, EndReason::HungUp);
        let talked = page.machine.present().map(|call| call.state.clone());
        assert_eq!(
            talked,
            Some(CallState::Over {
                reason: CallEnd::Said(EndReason::HungUp),
                talked: Some(Duration::from_secs(60) + MEET_WITHIN * 2),
            })
        );
    }
}

#[test]
fn how_long_people_talked_outlives_the_servers_last_word() {
    let mut page = Page::in_state("talking");
    page.machine.meet();
    page.wait(Duration::from_secs(30));
    page.machine.end(page.now, &mut page.said);
    page.ends(1, EndReason::HungUp);
    let state = page.machine.present().map(|call| call.state.clone());
    assert_eq!(
        state,
        Some(CallState::Over {
            reason: CallEnd::Said(EndReason::HungUp),
            talked: Some(Duration::from_secs(30)),
        })
    );
}

#[test]
fn what_the_server_says_of_the_end_goes_for_both_sides() {
    // Declined here while it was cancelled there, and heard of in that order.
    let mut page = Page::in_state("incoming");
    page.machine.end(page.now, &mut page.said);
    page.ends(1, EndReason::Cancelled);
    page.ends(1, EndReason::UnknownCall);
    assert_eq!(page.end(), Some(CallEnd::Said(EndReason::Cancelled)));
    // Cancelled here after it was taken there: they have talked, for no time.
    let mut page = Page::in_state("ringing");
    page.machine.end(page.now, &mut page.said);
    page.hear(accepted(1, "bob"));
    page.ends(1, EndReason::HungUp);
    assert_eq!(page.end(), Some(CallEnd::Said(EndReason::HungUp)));
    // What this page alone knows is worth more.
    let mut page = Page::in_state("talking");
    page.machine.fail(page.now, NEVER_MET, &mut page.said);
    page.ends(1, EndReason::HungUp);
    assert_eq!(page.end(), Some(NEVER_MET));
}

#[test]
fn a_hang_up_without_a_server_is_said_when_it_is_back() {
    for (state, said) in [
        ("ringing", PeopleRequest::HangUp { call: call(1) }),
        ("incoming", PeopleRequest::Decline { call: call(1) }),
        // The server may have heard the answer.
        ("answered", PeopleRequest::HangUp { call: call(1) }),
        ("talking", PeopleRequest::HangUp { call: call(1) }),
    ] {
        let mut page = Page::in_state(state);
        page.machine.alone(page.now);
        page.machine.end(page.now, &mut page.said);
        page.said.clear();
        page.machine.signed_in(page.now, &mut page.said);
        assert_eq!(page.said, [said], "{state}");
        page.ends(1, EndReason::HungUp);
        page.said.clear();
        page.machine.signed_in(page.now, &mut page.said);
        assert!(page.said.is_empty(), "{state}: it was heard");
    }
}

#[test]
fn a_ring_waits_for_its_caller_after_a_servers_restart() {
    let mut page = Page::in_state("incoming");
    page.machine.alone(page.now);
    page.machine.signed_in(page.now, &mut page.said);
    page.ends(1, EndReason::UnknownCall);
    assert_eq!(page.state(), "incoming");
    page.incoming(1);
    page.wait(SERVER_WITHIN * 2);
    assert_eq!(page.state(), "incoming", "the caller has said it again");
    // And not for long if they do not.
    page.machine.signed_in(page.now, &mut page.said);
    page.ends(1, EndReason::UnknownCall);
    page.wait(SERVER_WITHIN);
    assert_eq!(page.state(), "idle");
}

#[test]
fn a_page_without_a_server_says_nothing_for_its_person() {
    let mut page = Page::in_state("incoming");
    page.machine.alone(page.now);
    page.wait(SERVER_WITHIN);
    assert_eq!(page.state(), "idle", "it rings on wherever there is a server");
    page.machine.signed_in(page.now, &mut page.said);
    assert_eq!(page.said, [], "nobody declined anything");
    page.incoming(1);
    assert_eq!(page.state(), "incoming");
}

#[test]
fn two_who_never_met_have_not_talked() {
    let mut page = Page::in_state("talking");
    page.wait(Duration::from_secs(20));
    page.ends(1, EndReason::HungUp);
    let state = page.machine.present().map(|call| call.state.clone());
    let reason = CallEnd::Said(EndReason::HungUp);
    assert_eq!(state, Some(CallState::Over { reason, talked: None }));
    // That was somebody's wish.
    assert!(!page.machine.is_unexplained());
}

#[test]
fn who_gives_up_a_moment_later_than_the_other_one_says_why_as_well() {
    let why = NoConnection::NoWay { relay: Some(false) };
    for (met, why, end) in [
        (false, Some(why), CallEnd::NoConnection(why)),
        (false, None, CallEnd::Said(EndReason::HungUp)),
        (true, Some(why), CallEnd::Said(EndReason::HungUp)),
    ] {
        let mut page = Page::in_state("talking");
        if met {
            page.machine.meet();
        }
        page.wait(MEET_WITHIN.saturating_sub(Duration::from_secs(1)));
        page.ends(1, EndReason::HungUp);
        assert_eq!(page.machine.is_unexplained(), !met);
        page.machine.explain(why);
        assert!(!page.machine.is_unexplained());
        assert_eq!(page.end(), Some(end));
        assert!(page.said.is_empty(), "the server knows");
    }
}

#[test]
fn people_who_talk_say_so_to_a_new_server_and_nothing_else_ends_it() {
    let mut page = Page::in_state("talking");
    page.machine.alone(page.now);
    page.machine.signed_in(page.now, &mut page.said);
    assert!(matches!(
        &page.said[..],
        [PeopleRequest::Resume { outgoing: true, invite, .. }] if invite == "here"
    ));
    for reason in [
        EndReason::Unreachable,
        EndReason::Busy,
        EndReason::TimedOut,
        EndReason::UnknownCall,
        EndReason::AnsweredElsewhere,
    ] {
        page.ends(1, reason);
        assert_eq!(page.state(), "talking", "{reason:?}");
    }
    page.ends(1, EndReason::Lost);
    assert_eq!(page.state(), "over");
}

#[test]
fn a_page_that_comes_late_rings_for_the_rest_of_the_time() {
    let mut page = Page::default();
    page.hear(PeopleEvent::Incoming {
        call: call(1),
        from: handle("bob"),
        name: "Bob".into(),
        video: true,
        rung_ms: 40_000,
    });
    page.wait(Duration::from_secs(7));
    assert_eq!(page.state(), "incoming");
    page.wait(Duration::from_secs(2));
    assert_eq!(page.state(), "idle");
}

#[test]
fn what_this_page_ended_is_not_taken_for_its_next_call() {
    let mut page = Page::in_state("ringing");
    page.machine.end(page.now, &mut page.said);
    let (now, said) = (page.now, &mut page.said);
    page.machine
        .ring(now, call(3), handle("bob"), true, "here".into(), said);
    page.hear(accepted(1, "bob"));
    assert_eq!(page.state(), "asking");
}
