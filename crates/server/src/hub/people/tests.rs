//! People without a hub around them: what each page is told, step by step.

mod guard;

use core::time::Duration;

use visavis_protocol::handle::{Fixed, PublicKey, Signature, proof};
use visavis_protocol::people::EndReason::{
    AnsweredElsewhere, Busy, Cancelled, Collision, Declined, DeclinedElsewhere, HungUp, Lost, Merged,
    TimedOut, Unreachable,
};
use visavis_protocol::people::{Contact, EndReason, PeopleEvent, PeopleRequest, Presence};
use visavis_protocol::{CallId, ErrorCode, Handle};

use super::super::room::RoomKey;
use super::super::{ConnectionKey, PeopleConfig};
use super::directory::{Change, Directory};
use super::{People, PeopleSecret, Site, Word};

const ADA: ConnectionKey = ConnectionKey(1);
const ADA_2: ConnectionKey = ConnectionKey(2);
const BOB: ConnectionKey = ConnectionKey(3);
const BOB_2: ConnectionKey = ConnectionKey(4);
const CLEO: ConnectionKey = ConnectionKey(5);

fn handle(name: &str) -> Handle {
    name.parse().unwrap()
}

fn key(n: u8) -> PublicKey {
    Fixed([n; 65])
}

/// A signature that tests can make: the first byte of the key, and the length and sum of the text.
fn sign(key: &PublicKey, text: &[u8]) -> Signature {
    let mut bytes = [key.0[0]; 64];
    let sum: u32 = text.iter().map(|byte| u32::from(*byte)).sum();
    bytes[..4].copy_from_slice(&sum.to_be_bytes());
    Fixed(bytes)
}

fn is_signed(key: &PublicKey, text: &[u8], signature: &Signature) -> bool {
    sign(key, text) == *signature
}

fn call(n: u8) -> CallId {
    CallId::from_bytes([n; 16])
}

fn config() -> PeopleConfig {
    PeopleConfig {
        secret: PeopleSecret([9; 32]),
        verify: is_signed,
        is_kept: true,
        directory: Directory::default(),
        tokens: None,
    }
}

struct World {
    people: People,
    /// Whether pages say that they are hidden before they sign in.
    hidden: bool,
    may_take: bool,
    now: Duration,
    told: Vec<(ConnectionKey, PeopleEvent)>,
    refused: Vec<(ConnectionKey, ErrorCode)>,
    stored: Vec<Change>,
}

impl World {
    fn new() -> Self {
        let unix = Duration::from_secs(1_800_000_000);
        Self {
            people: People::new(config(), unix),
            hidden: false,
            may_take: true,
            now: Duration::ZERO,
            told: Vec::new(),
            refused: Vec::new(),
            stored: Vec::new(),
        }
    }

    /// Ada and Bob with two pages each, and Cleo with one.
    fn together() -> Self {
        let mut world = Self::new();
        for (page, name) in [
            (ADA, "ada"),
            (ADA_2, "ada"),
            (BOB, "bob"),
            (BOB_2, "bob"),
            (CLEO, "cleo"),
        ] {
            world.sign_in(page, name);
        }
        world.hear();
        world
    }

    fn drain(&mut self) {
        while let Some(word) = self.people.poll_word() {
            match word {
                Word::Tell(page, event) => self.told.push((page, event)),
                Word::TellAll(pages, event) => {
                    self.told
                        .extend(pages.into_iter().map(|page| (page, event.clone())));
                }
                Word::Refuse(page, code, _) => self.refused.push((page, code)),
                Word::Store(change) => self.stored.push(change),
            }
        }
    }

    fn ask(&mut self, page: ConnectionKey, request: PeopleRequest) {
        let mut site = Site {
            hidden: self.hidden,
            seated: None,
            may_take_handle: &mut || self.may_take,
        };
        self.people.handle(self.now, page, request, &mut site);
        self.drain();
    }

    fn request(
        &mut self,
        page: ConnectionKey,
        name: &str,
        key: PublicKey,
        code: Option<&str>,
    ) -> PeopleRequest {
        self.ask(page, PeopleRequest::Challenge {});
        let Some((_, PeopleEvent::Challenge { nonce })) = self.told.pop() else {
            panic!("a challenge")
        };
        PeopleRequest::SignIn {
            handle: handle(name),
            key,
            signature: sign(&key, &proof(&nonce, &handle(name))),
            code: code.map(Into::into),
            take: true,
            name: name.to_uppercase(),
        }
    }

    fn sign_in(&mut self, page: ConnectionKey, name: &str) {
        let request = self.request(page, name, key(name.as_bytes()[0]), None);
        self.ask(page, request);
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.people.poll_timeout()
            && due <= until
        {
            self.now = self.now.max(due);
            self.people.tick(self.now);
            self.drain();
        }
        self.now = until;
        self.people.tick(until);
        self.drain();
    }

    fn hear(&mut self) -> Vec<(ConnectionKey, PeopleEvent)> {
        core::mem::take(&mut self.told)
    }

    /// What pages heard of the ends of calls.
    fn ends(&mut self) -> Vec<(ConnectionKey, EndReason)> {
        let ends = self.hear().into_iter().filter_map(|(page, event)| {
            if let PeopleEvent::Ended { reason, .. } = event {
                return Some((page, reason));
            }
            None
        });
        let mut ends: Vec<_> = ends.collect();
        ends.sort();
        ends
    }

    fn ring(&mut self, page: ConnectionKey, n: u8, to: &str) {
        self.rung(page, n, to, Duration::ZERO);
    }

    /// Says of a call that it has rung for so long.
    fn rung(&mut self, page: ConnectionKey, n: u8, to: &str, rung: Duration) {
        self.ask(
            page,
            PeopleRequest::Ring {
                call: call(n),
                to: handle(to),
                video: true,
                invite: "here".into(),
                rung_ms: super::directory::millis(rung),
            },
        );
    }

    /// Ada calls Bob, and it rings.
    fn rings() -> Self {
        let mut world = Self::together();
        world.ring(ADA, 1, "bob");
        world.ask(BOB, PeopleRequest::Ack { call: call(1) });
        world.hear();
        world
    }

    /// Ada and Bob talk.
    fn talks() -> Self {
        let mut world = Self::rings();
        world.ask(
            BOB,
            PeopleRequest::Accept {
                call: call(1),
                video: false,
                answer: None,
            },
        );
        world.hear();
        world
    }

    fn gone(&mut self, page: ConnectionKey, departed: bool) {
        self.people.page_gone(self.now, page, departed);
        self.drain();
    }

    fn presences(&mut self, page: ConnectionKey) -> Vec<Presence> {
        let heard = self.hear().into_iter().filter(|(to, _)| *to == page);
        let heard = heard.map(|(_, event)| {
            if let PeopleEvent::Presence(Contact { presence, .. }) = event {
                return vec![presence];
            }
            let PeopleEvent::Contacts { contacts, .. } = event else {
                return vec![];
            };
            contacts.iter().map(|contact| contact.presence).collect()
        });
        heard.flatten().collect()
    }

    /// No call is left in anybody's hands.
    fn is_quiet(&mut self) {
        self.wait(Duration::from_secs(50));
        for person in self.people.persons.values() {
            assert_eq!(person.call, None);
        }
    }

    fn missed(&self) -> usize {
        let is_missed = |change: &&Change| matches!(change, Change::Missed { .. });
        self.stored.iter().filter(is_missed).count()
    }
}

// Handles

#[test]
fn a_page_that_comes_back_by_itself_takes_no_handle_that_was_freed() {
    let mut world = World::new();
    let mut request = world.request(ADA, "ada", key(b'a'), None);
    if let PeopleRequest::SignIn { take, .. } = &mut request {
        *take = false;
    }
    world.ask(ADA, request.clone());
    assert_eq!(world.refused.pop(), Some((ADA, ErrorCode::HandleFree)));
    assert!(world.stored.is_empty());
    world.sign_in(ADA_2, "ada");
    world.ask(ADA, request.clone());
    assert!(world.refused.is_empty(), "it has the key by now");
    // Where nothing is kept, it was its own until the server was started anew.
    let config = PeopleConfig {
        is_kept: false,
        ..config()
    };
    world.people = People::new(config, world.people.unix);
    world.ask(ADA, request);
    assert!(world.refused.is_empty());
}

#[test]
fn a_handle_belongs_to_the_key_that_came_first() {
    let mut world = World::new();
    world.sign_in(ADA, "ada");
    assert!(matches!(&world.hear()[..], [(ADA, PeopleEvent::SignedIn { .. })]));
    assert_eq!(world.stored.len(), 1, "the key is written down");
    let request = world.request(BOB, "ada", key(7), None);
    world.ask(BOB, request);
    assert_eq!(world.refused.pop(), Some((BOB, ErrorCode::HandleTaken)));
    // What was signed for one socket is nothing on another.
    let request = world.request(ADA_2, "ada", key(b'a'), None);
    world.ask(BOB, request);
    assert_eq!(world.refused.pop(), Some((BOB, ErrorCode::BadSignature)));
    assert_eq!(world.stored.len(), 1);
    // Without a handle nothing else is heard.
    world.ask(BOB, PeopleRequest::Ack { call: call(1) });
    assert_eq!(world.refused.pop(), Some((BOB, ErrorCode::NotSignedIn)));
}

#[test]
fn another_browser_is_linked_by_a_code_that_is_good_once() {
    let mut world = World::new();
    world.sign_in(ADA, "ada");
    world.ask(ADA, PeopleRequest::MakeCode {});
    let Some((_, PeopleEvent::Code { code, .. })) = world.told.pop() else {
        panic!("a code")
    };
    let request = world.request(BOB, "ada", key(7), Some("wrong"));
    world.ask(BOB, request);
    assert_eq!(world.refused.pop(), Some((BOB, ErrorCode::BadCode)));
    let request = world.request(BOB, "ada", key(7), Some(&code));
    world.ask(BOB, request);
    assert!(matches!(
        world.told.pop(),
        Some((BOB, PeopleEvent::SignedIn { .. }))
    ));
    let request = world.request(CLEO, "ada", key(8), Some(&code));
    world.ask(CLEO, request);
    assert_eq!(world.refused.pop(), Some((CLEO, ErrorCode::BadCode)));
}

#[test]
fn a_code_is_void_after_a_few_guesses_and_after_its_time() {
    for (guesses, wait) in [(5, 0), (0, 301)] {
        let mut world = World::new();
        world.sign_in(ADA, "ada");
        world.ask(ADA, PeopleRequest::MakeCode {});
        let Some((_, PeopleEvent::Code { code, .. })) = world.told.pop() else {
            panic!("a code")
        };
        for _ in 0..guesses {
            let request = world.request(BOB, "ada", key(7), Some("guess"));
            world.ask(BOB, request);
        }
        world.wait(Duration::from_secs(wait));
        let request = world.request(BOB, "ada", key(7), Some(&code));
        world.ask(BOB, request);
        assert_eq!(world.refused.pop(), Some((BOB, ErrorCode::BadCode)));
    }
}

#[test]
fn an_operator_frees_a_handle_and_its_pages_are_told() {
    let mut world = World::together();
    world.people.free(world.now, &handle("ada"));
    world.drain();
    let told = world.hear();
    assert!(
        told.contains(&(ADA, PeopleEvent::SignedOut {}))
            && told.contains(&(ADA_2, PeopleEvent::SignedOut {}))
    );
    let request = world.request(CLEO, "ada", key(7), None);
    world.ask(CLEO, request);
    assert_eq!(world.refused.pop(), Some((CLEO, ErrorCode::AlreadySignedIn)));
    world.gone(CLEO, true);
    let request = world.request(CLEO, "ada", key(7), None);
    world.ask(CLEO, request);
    assert!(matches!(
        world.told.pop(),
        Some((CLEO, PeopleEvent::SignedIn { .. }))
    ));
}

// Presence

fn add(world: &mut World, page: ConnectionKey, name: &str) {
    world.ask(page, PeopleRequest::Add { handle: handle(name) });
}

#[test]
fn who_takes_a_freed_handle_finds_nothing_of_its_last_owner() {
    let mut world = World::together();
    add(&mut world, ADA, "bob");
    add(&mut world, BOB, "ada");
    world.ask(ADA, PeopleRequest::MakeCode {});
    let Some((_, PeopleEvent::Code { code, .. })) = world.told.pop() else {
        panic!("a code")
    };
    world.ring(CLEO, 1, "ada");
    world.hear();
    world.people.free(world.now, &handle("ada"));
    world.drain();
    let told = world.hear();
    let offline = PeopleEvent::Presence(Contact {
        handle: handle("ada"),
        presence: Presence::Offline,
    });
    assert!(told.contains(&(BOB, offline)), "at once: {told:?}");
    let ended = PeopleEvent::Ended {
        call: call(1),
        reason: Unreachable,
    };
    assert!(told.contains(&(CLEO, ended)), "{told:?}");
    // Somebody else has it now: no call rings there, and the old code links nobody.
    let page = ConnectionKey(10);
    let request = world.request(page, "ada", key(7), None);
    world.ask(page, request);
    let told = world.hear();
    assert!(
        matches!(&told[..], [(_, PeopleEvent::SignedIn { contacts, .. })] if contacts.is_empty()),
        "{told:?}"
    );
    let other = ConnectionKey(11);
    let request = world.request(other, "ada", key(b'a'), Some(&code));
    world.ask(other, request);
    assert_eq!(world.refused, [(other, ErrorCode::BadCode)]);
    world.is_quiet();
}

#[test]
fn only_who_added_each_other_know_of_each_other() {
    let mut world = World::together();
    add(&mut world, ADA, "bob");
    assert_eq!(world.presences(ADA), [Presence::Offline], "Bob has not added her");
    add(&mut world, BOB, "ada");
    assert_eq!(world.presences(ADA_2), [Presence::Online], "on all pages");
    world.ask(
        BOB,
        PeopleRequest::Block {
            handle: handle("ada"),
            blocked: true,
        },
    );
    assert_eq!(
        world.presences(ADA),
        [Presence::Offline],
        "blocked is like offline"
    );
}

#[test]
fn away_is_who_is_hidden_on_all_pages_for_a_while_and_offline_who_has_none() {
    let mut world = World::together();
    add(&mut world, ADA, "bob");
    add(&mut world, BOB, "ada");
    world.hear();
    world.people.set_hidden(world.now, BOB, true);
    world.wait(Duration::from_secs(400));
    assert_eq!(world.presences(ADA), [], "one page is seen");
    world.people.set_hidden(world.now, BOB_2, true);
    world.wait(Duration::from_secs(299));
    assert_eq!(world.presences(ADA), []);
    world.wait(Duration::from_secs(2));
    assert_eq!(world.presences(ADA), [Presence::Away]);
    world.people.set_hidden(world.now, BOB, false);
    world.drain();
    assert_eq!(world.presences(ADA), [Presence::Online]);
    world.gone(BOB, false);
    world.gone(BOB_2, false);
    world.sign_in(BOB, "bob");
    world.wait(Duration::from_secs(5));
    assert_eq!(
        world.presences(ADA),
        [],
        "a page that is loaded anew is nothing to tell"
    );
    world.gone(BOB, true);
    world.wait(Duration::from_secs(2));
    assert_eq!(world.presences(ADA), [Presence::Offline]);
}

#[test]
fn who_sits_in_a_room_or_talks_is_busy() {
    let mut world = World::together();
    add(&mut world, ADA, "bob");
    add(&mut world, BOB, "ada");
    world.hear();
    world.people.set_seated(world.now, BOB_2, Some(RoomKey(1)));
    world.drain();
    assert_eq!(world.presences(ADA), [Presence::Busy]);
    world.people.set_seated(world.now, BOB_2, None);
    world.drain();
    assert_eq!(world.presences(ADA), [Presence::Online]);
}

// Calls

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
    world.ask(
        BOB_2,
        PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: None,
        },
    );
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
    world.ask(
        BOB,
        PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: None,
        },
    );
    assert!(
        world
            .hear()
            .iter()
            .any(|(page, event)| *page == ADA && matches!(event, PeopleEvent::Accepted { .. }))
    );
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
    world.ask(
        back,
        PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: None,
        },
    );
    assert!(
        world
            .hear()
            .iter()
            .any(|(page, event)| *page == back && matches!(event, PeopleEvent::Accepted { .. }))
    );
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

#[test]
fn after_the_servers_restart_the_caller_says_the_same_call_again() {
    // A new server knows nothing; the callee's pages show the call still.
    let mut world = World::together();
    world.ask(
        BOB,
        PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: None,
        },
    );
    assert_eq!(world.ends(), [(BOB, EndReason::UnknownCall)]);
    world.ring(ADA, 1, "bob");
    world.ask(BOB, PeopleRequest::Ack { call: call(1) });
    world.ask(
        BOB,
        PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: None,
        },
    );
    assert!(
        world
            .hear()
            .iter()
            .any(|(page, event)| *page == ADA && matches!(event, PeopleEvent::Accepted { .. }))
    );
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
