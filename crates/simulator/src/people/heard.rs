//! What is said between pages and the hub about calls, and what the hub writes down: listened to on both
//! ends of every wire.

use std::time::Duration;

use visavis_protocol::people::{EndReason, PeopleEvent, PeopleRequest};
use visavis_protocol::{CallId, ClientMessage, ErrorCode, ServerMessage};
use visavis_server::hub::{Change, Hub};

use super::World;
use super::watch::{RINGS_FOR, person_of};
use crate::world::Rule;

impl World {
    /// A message comes to the server.
    pub(super) fn server_hears(&mut self, wire: usize, text: &str) {
        const OF_CALLS: [&str; 3] = ["{\"ring\"", "{\"hang_up\"", "{\"seen\""];
        let Some(inner) = text.strip_prefix("{\"people\":") else {
            return;
        };
        if !self.wires[wire].is_proven || !OF_CALLS.iter().any(|kind| inner.starts_with(kind)) {
            return;
        }
        let person = self.pages[self.wires[wire].page].person;
        match ClientMessage::decode(text) {
            Ok(ClientMessage::People(PeopleRequest::Ring { call, to, .. })) => {
                self.wires[wire].rang = Some(call);
                self.server_hears_ring(person, call, person_of(&to));
            }
            Ok(ClientMessage::People(PeopleRequest::HangUp { call })) => {
                if let Some(story) = self.stories.get_mut(&call).filter(|story| story.from == person) {
                    story.is_hung_up = true;
                }
            }
            Ok(ClientMessage::People(PeopleRequest::Seen { missed })) => {
                self.people[person].unseen.retain(|number| *number > missed);
                let now = self.now;
                for story in self.stories.values_mut() {
                    story.is_seen_early |= story.to == person && story.began + RINGS_FOR > now;
                }
            }
            _ => {}
        }
    }

    fn server_hears_ring(&mut self, person: usize, call: CallId, to: usize) {
        let is_blocked = self.people[to].blocked.contains(&person);
        let hub = self.server.hub.as_ref();
        let has_claims = hub.is_some_and(|hub| hub.people_counts().claims > 0);
        let present = self.server.hub.iter().flat_map(Hub::calls).find(|known| {
            let people = [person_of(&known.from), person_of(&known.to)];
            people.contains(&person) && known.call != call
        });
        // A server that was started anew may not know yet of a call, or of its end.
        let is_in_call = !self.calls_of(person, Duration::ZERO).is_empty();
        let mut caller_is_busy = false;
        if let Some(present) = present {
            let people = (person_of(&present.from), person_of(&present.to));
            if people == (person, to) && !present.is_taken {
                if let Some(story) = self.stories.get_mut(&present.call) {
                    story.is_replaced = true;
                }
            } else {
                caller_is_busy |= people != (to, person) || present.is_taken;
            }
        }
        if let Some(story) = self.stories.get_mut(&call) {
            story.is_blocked |= is_blocked;
            story.caller_is_busy |= caller_is_busy;
            // What one side alone says it is in makes busy as well.
            story.is_doubtful |= has_claims || is_in_call;
        }
    }

    /// The hub writes something, whether or not it arrives.
    pub(super) fn hub_says(&mut self, wire: usize, text: &str) {
        if text.starts_with("{\"error\"") {
            return self.hub_complains(wire, text);
        }
        if !text.starts_with("{\"people\"") {
            return;
        }
        let Ok(ServerMessage::People(event)) = ServerMessage::decode(text) else {
            return self.violate(Rule::Nonsense, format_args!("the hub says {text}"));
        };
        let page = self.wires[wire].page;
        // What merged is told right before the call that it merged into.
        let merged = if matches!(event, PeopleEvent::Presence(_)) {
            None
        } else {
            self.wires[wire].merged.take()
        };
        match event {
            PeopleEvent::Incoming { call, .. } => {
                if self.stories.get(&call).is_some_and(|story| story.is_hung_up) {
                    self.violate(
                        Rule::LateRing,
                        format_args!("{call:?} rings on page {page} after its caller hung up"),
                    );
                }
            }
            PeopleEvent::SignedIn { missed, .. } => {
                self.wires[wire].is_proven = true;
                let numbers: Vec<u64> = missed.iter().map(|missed| missed.number).collect();
                let unseen = &self.people[self.pages[page].person].unseen;
                if numbers != *unseen {
                    let unseen = unseen.clone();
                    self.violate(
                        Rule::Missed,
                        format_args!("page {page} is told of missed calls {numbers:?} instead of {unseen:?}"),
                    );
                }
            }
            PeopleEvent::SignedOut {} => self.wires[wire].is_proven = false,
            PeopleEvent::Missed(missed) => {
                if !self.wires[wire].told_missed.insert(missed.number) {
                    self.violate(
                        Rule::Missed,
                        format_args!("page {page} is told twice of {missed:?}"),
                    );
                }
            }
            PeopleEvent::Ended { call, reason } => {
                if let Some(story) = self.stories.get_mut(&call) {
                    // Who gives it up meanwhile has cancelled nothing.
                    story.is_doubtful |= reason == EndReason::Merged;
                    // After a server's restart that only the callee heard of its being taken before.
                    story.is_unwanted |= reason == EndReason::Unreachable;
                }
                if reason == EndReason::Merged {
                    self.wires[wire].merged = Some((self.now, call));
                }
            }
            PeopleEvent::Accepted { call, .. } => {
                if let Some((at, merged)) = merged
                    && at == self.now
                    && merged > call
                {
                    self.violate(
                        Rule::Collision,
                        format_args!("{merged:?} merged into {call:?}, which is the lower one"),
                    );
                }
            }
            PeopleEvent::Challenge { .. }
            | PeopleEvent::Code { .. }
            | PeopleEvent::Contacts { .. }
            | PeopleEvent::Presence(_)
            | PeopleEvent::Ringing { .. }
            | PeopleEvent::Outgoing { .. } => {}
        }
    }

    /// Who keeps to the protocol hears no complaints but these.
    fn hub_complains(&mut self, wire: usize, text: &str) {
        let Ok(ServerMessage::Error { code, about, .. }) = ServerMessage::decode(text) else {
            return self.violate(Rule::Nonsense, format_args!("the hub says {text}"));
        };
        let about = about.unwrap_or_default();
        // Somebody who calls again and again; sockets that are cut and not yet missed, which count as
        // pages; words that followed a good-bye.
        let is_expected = (code == ErrorCode::RateLimited && about == "ring")
            || (code == ErrorCode::TooMany && about == "sign_in")
            || code == ErrorCode::NotSignedIn;
        if code == ErrorCode::TooMany {
            self.pages[self.wires[wire].page].wants_in = false;
        }
        let rang = self.wires[wire].rang.filter(|_| code == ErrorCode::RateLimited);
        if let Some(story) = rang.and_then(|call| self.stories.get_mut(&call)) {
            story.is_doubtful = true;
        }
        if !is_expected {
            self.violate(
                Rule::ServerComplained,
                format_args!("wire {wire} is told of {code:?} about {about:?}"),
            );
        }
    }

    /// The hub wrote something down.
    pub(super) fn stored(&mut self, change: &Change) {
        match change {
            Change::Missed { owner, missed } => {
                let from = person_of(&missed.from);
                let owner = &mut self.people[person_of(owner)];
                owner.unseen.push(missed.number);
                *owner.noted.entry(from).or_default() += 1;
            }
            Change::Blocked { owner, other, is } => {
                let other = person_of(other);
                let theirs = (other, person_of(owner));
                for story in self.stories.values_mut() {
                    story.is_doubtful |=
                        *is && (story.from, story.to) == theirs && story.began + RINGS_FOR > self.now;
                }
                let owner = &mut self.people[person_of(owner)];
                owner.blocked.retain(|known| *known != other);
                if *is {
                    owner.blocked.push(other);
                }
            }
            Change::Booking(_)
            | Change::Key { .. }
            | Change::Person { .. }
            | Change::Contact { .. }
            | Change::Seen { .. }
            | Change::Freed { .. } => {}
        }
    }

    /// A message comes to a page, which is about to hear it.
    pub(super) fn page_hears(&mut self, page: usize, wire: usize, text: &str) {
        if (text.starts_with("{\"people\":{\"ended\"") || text.starts_with("{\"people\":{\"accepted\""))
            && let Ok(ServerMessage::People(
                PeopleEvent::Ended { call, .. } | PeopleEvent::Accepted { call, .. },
            )) = ServerMessage::decode(text)
            && let Some(story) = self.stories.get_mut(&call)
            && let Some(part) = story.parts.get_mut(&page)
        {
            part.is_told = true;
        }
        if text.starts_with("{\"people\":{\"signed_in\"") {
            self.pages[page].signed_in = Some(wire);
        } else if text.starts_with("{\"people\":{\"signed_out\"") {
            self.pages[page].signed_in = None;
        }
        let is_well = self.pages[page].signed_in == Some(wire) && self.wires[wire].stalled_until <= self.now;
        let page = &mut self.pages[page];
        if !is_well {
            page.well_since = None;
        } else if page.well_since.is_none() {
            page.well_since = Some(self.now);
        }
    }
}
