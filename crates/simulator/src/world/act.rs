//! What people do and what breaks.

use std::time::Duration;

use visavis_call_core::{CaptureKind, Device, Event, Intent, LinkId, MediaEvent, VisitId};
use visavis_protocol::{PeerId, Reaction};

use super::net::End;
use super::tab::{Capture, Departure};
use super::{Due, Rule, World};
use crate::script::{Action, Noticed, Pace};

/// Time after which nobody shows somebody who went without being heard.
const GHOST_AFTER: Duration = Duration::from_secs(90);
/// The same for a hidden tab, whose silence proves less: 70 s, and 60 s for its seat.
const HIDDEN_GHOST_AFTER: Duration = Duration::from_secs(135);
/// Within what time a leave is heard that needs no server, and when that is looked at again.
const LEAVE_HEARD_AFTER: Duration = Duration::from_secs(3);
const LEAVE_STILL_HEARD_AFTER: Duration = Duration::from_secs(20);
/// How long a browser needs for a page, at most.
const PAGE_MS: u64 = 800;

impl World {
    pub(super) fn act(&mut self, nth: usize) {
        let Some((_, action)) = self.script.actions.get(nth).copied() else {
            return;
        };
        self.trace.note(self.now, format_args!("{action:?}"));
        match action {
            Action::Enter { person } => {
                let tab = self.tab_in_use(person);
                self.enter(tab);
                // Also on a page that was loading and would have joined by itself.
                self.depart(person, false);
            }
            Action::Join { person } => {
                let tab = self.tab_in_use(person);
                if !self.tabs[tab].entered {
                    self.enter(tab);
                }
                // Whom the host sent away may knock, and nobody answers.
                self.people[person].wants_in = !self.people[person].removed;
                self.join(tab);
            }
            Action::HangUp { person } => {
                self.expect_leave_heard(person);
                self.depart(person, true);
                self.intend(person, Intent::HangUp);
            }
            Action::Leave { person } => {
                self.expect_leave_heard(person);
                self.depart(person, true);
                let tab = self.people[person].tab;
                self.tabs[tab].entered = false;
                self.keep_link(tab);
                let visit = self.tabs[tab].visit;
                self.intend(person, Intent::LeaveRoom { visit });
            }
            Action::Want { person, kind, on } => {
                self.intend(person, Intent::Want { kind, on });
                // Who has something to show also has something to say.
                if kind == CaptureKind::Screen {
                    self.intend(person, Intent::RaiseHand(on));
                    self.intend(person, Intent::React(Reaction::Clap));
                }
            }
            Action::Choose { person, kind, device } => {
                let device = (device > 0).then(|| format!("device {device}"));
                self.intend(person, Intent::ChooseDevice { kind, device });
            }
            Action::Unplug { person, kind } => self.unplug(self.people[person].tab, kind),
            Action::Flip { person } => self.intend(person, Intent::FlipCamera),
            Action::Plug {
                person,
                kind,
                devices,
            } => {
                let listed = (0..8_u8).filter(|device| devices >> device & 1 == 1);
                let listed = listed.map(|device| Device {
                    id: format!("device {device}"),
                    label: String::new(),
                    group: String::new(),
                    kind: Some(kind),
                });
                let tab = self.people[person].tab;
                self.tell(tab, Event::Media(MediaEvent::DevicesChanged(listed.collect())));
            }
            Action::Reload { person, noticed } => {
                let old = self.people[person].tab;
                self.abandon(old, noticed);
                let tab = self.open_tab(person);
                self.arrive_later(person, tab);
            }
            Action::Vanish { person, noticed } => {
                let tab = self.people[person].tab;
                if self.tabs[tab].core.is_some() {
                    self.depart(person, false);
                    self.abandon(tab, noticed);
                }
            }
            Action::Duplicate { person } => {
                self.keep_link(self.people[person].tab);
                let tab = self.open_tab(person);
                self.arrive_later(person, tab);
            }
            Action::Hide { person, hidden } => {
                let tab = self.people[person].tab;
                self.tabs[tab].hidden = hidden;
                self.people[person].was_hidden |= hidden;
                self.tell(tab, Event::VisibilityChanged { hidden });
            }
            Action::Cut {
                person,
                client,
                server,
            } => {
                for wire in self.wires_of_tab(self.people[person].tab) {
                    self.cut(wire, client, server);
                }
            }
            Action::Offline { person, for_ms } => self.go_offline(person, Duration::from_millis(for_ms)),
            Action::Restart { down_ms, noticed } => {
                self.restart_server(Duration::from_millis(down_ms), noticed);
            }
            Action::Change { person, link, change } => {
                if let Some((_, connection)) = self.nth_link(person, link) {
                    self.change(connection, change);
                }
            }
            Action::Sever { person, link, for_ms } => {
                if let Some((_, connection)) = self.nth_link(person, link) {
                    self.sever(connection, Duration::from_millis(for_ms));
                }
            }
            Action::BlackHole { person, link } => {
                if let Some((_, connection)) = self.nth_link(person, link) {
                    self.black_hole(connection);
                }
            }
            Action::Freeze { person, link, kind } => {
                if let Some((handle, _)) = self.nth_link(person, link)
                    && let Some(link) = self.tabs[self.people[person].tab].links.get_mut(&handle)
                {
                    link.channel.stuck[kind.slot().index()] = true;
                }
            }
            Action::Offer { person, to, sort } => self.offer_files(person, to, sort),
            Action::Answer { person, accept } => self.answer_files(person, accept),
            Action::Pause { person, nth, paused } => self.pause_files(person, nth, paused),
            Action::Cancel { person, nth } => self.cancel_files(person, nth),
            Action::SetGate { person, waiting_room } => self.set_gate(person, waiting_room),
            Action::Admit { person } => self.admit(person),
            Action::Remove { person, nth } => self.remove(person, nth),
            // Waits for its operation.
            Action::ChangeAtAwait { .. } => {}
            Action::Hiccup { person, link } => {
                if let Some((handle, _)) = self.nth_link(person, link)
                    && let Some(link) = self.tabs[self.people[person].tab].links.get_mut(&handle)
                {
                    link.pc.fail_next();
                }
            }
        }
    }

    /// Whoever leaves says so on every channel: those who can hear it must not show them on.
    fn expect_leave_heard(&mut self, person: usize) {
        let tab = self.people[person].tab;
        let Some(me) = self.tabs[tab].core.as_ref().and_then(|core| core.view().me.peer) else {
            return;
        };
        let mut hearers = Vec::new();
        for link in self.tabs[tab].links.values() {
            let number = link.pc.id() as usize;
            let Some(far) = link
                .far
                .filter(|_| link.channel.is_open && !link.channel.is_closed)
            else {
                continue;
            };
            let hears = self
                .connection(far)
                .is_some_and(|far| far.far == Some(number) && far.channel.is_open && !far.channel.is_closed);
            if hears && !self.is_dead(number) && !self.is_dead(far) {
                hearers.push((self.connections[far].0, self.persons(number, far)));
            }
        }
        let way = Duration::from_millis(self.pace.network_ms);
        let since = self.now;
        for (tab, pair) in hearers {
            let view = self.tabs[tab].core.as_ref().map(|core| core.view());
            let hearer = view.and_then(|view| view.me.peer);
            for after in [LEAVE_HEARD_AFTER, LEAVE_STILL_HEARD_AFTER] {
                let due = Due::LeaveHeard {
                    tab,
                    pair,
                    hearer,
                    peer: me,
                    since,
                };
                self.after(after + way, due);
            }
        }
    }

    pub(super) fn leave_heard(
        &mut self,
        tab: usize,
        pair: (usize, usize),
        hearer: Option<PeerId>,
        peer: PeerId,
        since: Duration,
    ) {
        let Some(view) = self.tabs[tab].core.as_ref().map(|core| core.view()) else {
            return;
        };
        // What was said may still be under way then.
        let was_interrupted = self.interrupted.get(&pair).is_some_and(|until| *until >= since);
        // Who came back as somebody else has heard nothing.
        let is_same = hearer.is_some() && view.me.peer == hearer;
        if is_same && !was_interrupted && view.people.iter().any(|person| person.peer == peer) {
            self.violate(
                Rule::LeaveIsHeard,
                format_args!("tab {tab} shows {peer:?}, who said on their channel that they leave"),
            );
        }
    }

    /// Notes that somebody goes out, saying so if there is a socket.
    fn depart(&mut self, person: usize, says_so: bool) {
        let wire = self.wires_of_tab(self.people[person].tab).first().copied();
        // That their page can be seen again, or is another one, may not have reached the server.
        let hidden = self.people[person].was_hidden;
        let departure = Departure {
            forgotten_at: self.now + if hidden { HIDDEN_GHOST_AFTER } else { GHOST_AFTER },
            wire: wire.filter(|_| says_so),
        };
        let person = &mut self.people[person];
        if std::mem::take(&mut person.wants_in) {
            person.departure = Some(departure);
        }
    }

    fn intend(&mut self, person: usize, intent: Intent) {
        let tab = self.people[person].tab;
        self.tell(tab, Event::Intent(intent));
    }

    /// The tab that a person uses; a new one if the last is gone.
    fn tab_in_use(&mut self, person: usize) -> usize {
        let tab = self.people[person].tab;
        if self.tabs[tab].core.is_some() {
            tab
        } else {
            self.open_tab(person)
        }
    }

    pub(super) fn enter(&mut self, tab: usize) {
        if self.tabs[tab].entered {
            // Another room's page would leave this one as well.
            self.depart(self.tabs[tab].person, true);
        }
        self.keep_link(tab);
        self.open_link(tab);
    }

    /// By the link that the person has.
    pub(super) fn open_link(&mut self, tab: usize) {
        let person = self.tabs[tab].person;
        let room = self.room_of(person);
        let hosted = self.hosted_for(person);
        let entry = &mut self.tabs[tab];
        entry.entered = true;
        entry.visit = VisitId(entry.visit.0 + 1);
        let intent = Intent::EnterRoom {
            visit: entry.visit,
            room,
            seat: self.people[person].seat,
            chat: None,
            hosted,
        };
        self.tell(tab, Event::Intent(intent));
        self.find_files(tab);
    }

    pub(super) fn join(&mut self, tab: usize) {
        let name = format!("Person {}", self.tabs[tab].person);
        self.tell(tab, Event::Intent(Intent::Join { name }));
    }

    fn arrive_later(&mut self, person: usize, tab: usize) {
        let join = self.people[person].wants_in;
        let delay = self.delay(tab, PAGE_MS);
        self.arriving += 1;
        self.after(delay, Due::Arrive { tab, join });
    }

    pub(super) fn arrive(&mut self, tab: usize, join: bool) {
        self.arriving -= 1;
        if self.tabs[tab].core.is_none() || self.tabs[tab].entered {
            return;
        }
        for kind in CaptureKind::DEVICES {
            self.tell(tab, Event::Intent(Intent::Want { kind, on: true }));
        }
        self.enter(tab);
        if join && self.people[self.tabs[tab].person].wants_in {
            self.join(tab);
        }
    }

    /// The end of a tab, with or without notice to the server.
    fn abandon(&mut self, tab: usize, noticed: Noticed) {
        for wire in self.wires_of_tab(tab) {
            self.cut(wire, Noticed::Never, noticed);
            self.wires[wire].client = End::Gone;
        }
        self.kill_tab(tab);
    }

    fn unplug(&mut self, tab: usize, kind: CaptureKind) {
        let live = self.tabs[tab]
            .captures
            .iter()
            .find(|(_, capture)| **capture == Capture::Live { kind })
            .map(|(id, _)| *id);
        if let Some(capture) = live {
            self.tell(tab, Event::Media(MediaEvent::CaptureEnded { capture }));
        }
    }

    fn go_offline(&mut self, person: usize, time: Duration) {
        self.people[person].offline = true;
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].person == person {
                for wire in self.wires_of_tab(tab) {
                    self.cut(wire, Noticed::After(50), Noticed::Never);
                }
                self.tell(tab, Event::OnlineChanged(false));
            }
        }
        self.after(time, Due::OnlineAgain { person });
    }

    pub(super) fn online_again(&mut self, person: usize) {
        self.people[person].offline = false;
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].person == person {
                self.tell(tab, Event::OnlineChanged(true));
            }
        }
    }

    fn nth_link(&self, person: usize, nth: usize) -> Option<(LinkId, usize)> {
        let tab = &self.tabs[self.people[person].tab];
        let (handle, link) = tab.links.iter().nth(nth)?;
        Some((*handle, link.pc.id() as usize))
    }

    /// The end of all faults: everything is quick, and whoever waits for nothing is told so.
    pub(super) fn heal(&mut self) {
        self.trace.note(self.now, format_args!("the faults are over"));
        let calm = Pace {
            links_ahead: self.pace.links_ahead,
            ..Pace::CALM
        };
        self.pace = calm;
        for tab in 0..self.tabs.len() {
            for link in self.tabs[tab].links.values_mut() {
                link.pc.forgive();
            }
        }
        self.reveal_cuts();
        if self.server.life > 0 {
            // Nobody could count anybody's absence before.
            for departure in self
                .people
                .iter_mut()
                .filter_map(|person| person.departure.as_mut())
            {
                departure.forgotten_at = departure.forgotten_at.max(self.now + GHOST_AFTER);
            }
        }
    }
}
