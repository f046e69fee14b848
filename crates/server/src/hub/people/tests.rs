//! People without a hub around them: what each page is told, step by step.

mod calls;
mod guard;
mod restart;

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

    /// Somebody takes the call, with pictures.
    fn accept(&mut self, page: ConnectionKey) {
        self.ask(
            page,
            PeopleRequest::Accept {
                call: call(1),
                video: true,
                answer: None,
            },
        );
    }

    /// Whether a page is told that a call was taken.
    fn hears_accepted(&mut self, page: ConnectionKey) -> bool {
        let is_it = |(to, event): (ConnectionKey, PeopleEvent)| {
            to == page && matches!(event, PeopleEvent::Accepted { .. })
        };
        self.hear().into_iter().any(is_it)
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
