//! What people do who call each other, and what breaks.

use std::time::Duration;

use visavis_call_core::{CallEnd, Event, NoConnection, PeopleIntent};

use super::script::{Action, At, Pace};
use super::watch::Stage;
use super::{Due, World, handle};
use crate::script::Noticed;

/// How long a browser needs for a page, at most.
const PAGE_MS: u64 = 800;

impl World {
    pub(super) fn act(&mut self, nth: usize) {
        let Some((_, action)) = self.script.actions.get(nth).copied() else {
            return;
        };
        self.trace.note(self.now, format_args!("{action:?}"));
        match action {
            Action::SignIn(at) => self.on(at, Self::sign_in),
            Action::SignOut(at) => self.on(at, |world, page| {
                world.unwanted(page);
                // What it says last may not arrive, and it hears no more.
                world.trouble(page);
                world.pages[page].wants_in = false;
                world.intend(page, PeopleIntent::SignOut);
            }),
            Action::Open { person } => self.arrive(person),
            Action::Close(at, noticed) => self.on(at, |world, page| world.close_page(page, noticed)),
            Action::Reload(at, noticed) => self.on(at, |world, page| {
                let delay = world.delay(page, PAGE_MS);
                world.close_page(page, noticed);
                let person = at.person;
                world.after(delay, Due::Arrive { person });
            }),
            Action::Hide(at, hidden) => self.on(at, |world, page| {
                world.pages[page].hidden = hidden;
                world.tell(page, Event::VisibilityChanged { hidden });
            }),
            Action::Add(at, whom) => self.want(
                at,
                PeopleIntent::Contact {
                    handle: handle(whom),
                    is: true,
                },
            ),
            Action::Block(at, whom, blocked) => self.want(
                at,
                PeopleIntent::Block {
                    handle: handle(whom),
                    blocked,
                },
            ),
            Action::Call { at, to, video } => self.want(
                at,
                PeopleIntent::Call {
                    to: handle(to),
                    video,
                    invite: "a room".to_owned(),
                },
            ),
            Action::Accept(at, video) => self.want(at, PeopleIntent::Accept { video }),
            Action::End(at) => self.on(at, |world, page| {
                world.unwanted(page);
                world.intend(page, PeopleIntent::End);
            }),
            Action::Fail(at) => self.on(at, |world, page| {
                world.unwanted(page);
                let is_in = world.pages[page]
                    .seen
                    .is_some_and(|seen| seen.stage == Stage::InCall);
                let why = if is_in {
                    CallEnd::NoConnection(NoConnection::NobodyCame)
                } else {
                    CallEnd::NoMicrophone
                };
                world.intend(page, PeopleIntent::Fail(why));
            }),
            Action::Dismiss(at) => self.want(at, PeopleIntent::Dismiss),
            Action::SeeMissed(at) => self.want(at, PeopleIntent::SeeMissed),
            Action::Cut { at, client, server } => self.on(at, |world, page| {
                for wire in world.wires_of(page) {
                    world.cut(wire, client, server);
                }
            }),
            Action::Stall(at, for_ms) => self.on(at, |world, page| {
                world.trouble(page);
                let until = world.now + Duration::from_millis(for_ms);
                for wire in world.wires_of(page) {
                    world.wires[wire].stalled_until = until;
                }
            }),
            Action::Offline(person, for_ms) => self.go_offline(person, Duration::from_millis(for_ms)),
            Action::Restart { down_ms, noticed } => {
                self.restart_server(Duration::from_millis(down_ms), noticed);
            }
        }
    }

    /// Does something with a person's page, if they have one.
    fn on(&mut self, at: At, act: impl FnOnce(&mut Self, usize)) {
        let pages = &self.people[at.person].pages;
        if let Some(page) = pages.get(at.page % pages.len().max(1)).copied() {
            act(self, page);
        }
    }

    fn want(&mut self, at: At, intent: PeopleIntent) {
        self.on(at, |world, page| world.intend(page, intent));
    }

    fn sign_in(&mut self, page: usize) {
        self.pages[page].wants_in = true;
        let person = self.pages[page].person;
        let intent = PeopleIntent::SignIn {
            handle: handle(person),
            name: handle(person).to_string(),
            code: None,
            take: true,
        };
        self.intend(page, intent);
    }

    pub(super) fn arrive(&mut self, person: usize) {
        let page = self.open_page(person);
        self.sign_in(page);
    }

    /// Ends a page without a word to its core.
    pub(super) fn close_page(&mut self, page: usize, noticed: Option<Noticed>) {
        self.trace.note(self.now, format_args!("page {page} is gone"));
        self.unwanted(page);
        self.trouble(page);
        for wire in self.wires_of(page) {
            match noticed {
                None => self.server_hears_close(wire, true),
                Some(noticed) => self.cut(wire, Noticed::Never, noticed),
            }
        }
        let entry = &mut self.pages[page];
        entry.core = None;
        entry.timer = None;
        entry.wants_in = false;
        let person = entry.person;
        self.people[person].pages.retain(|open| *open != page);
    }

    fn go_offline(&mut self, person: usize, time: Duration) {
        self.people[person].offline = true;
        for page in self.people[person].pages.clone() {
            for wire in self.wires_of(page) {
                self.cut(wire, Noticed::Never, Noticed::Never);
            }
        }
        self.after(time, Due::OnlineAgain { person });
    }

    pub(super) fn online_again(&mut self, person: usize) {
        if core::mem::replace(&mut self.people[person].offline, false) {
            for page in self.people[person].pages.clone() {
                self.tell(page, Event::OnlineChanged(true));
            }
        }
    }

    /// Ends all faults.
    pub(super) fn heal(&mut self) {
        self.trace.note(self.now, format_args!("no more faults"));
        self.pace = Pace::CALM;
        self.server_is_up();
        self.reveal_cuts();
        for person in 0..self.people.len() {
            self.online_again(person);
        }
    }
}
