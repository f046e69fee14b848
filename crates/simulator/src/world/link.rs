//! Connections: what the model browsers tell, and whether two of them reach each other.

use std::time::Duration;

use visavis_call_core::{ConnectionState, Event, LinkEvent, LinkId, Slot};

use super::{Due, Rule, World};
use crate::browser::{Output, Refusal, SessionDescription, Task};
use crate::script::{Action, Change};
use crate::world::tab::Link;

/// Silence after which a browser says `disconnected`.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(6);
/// Silence after which a browser says `failed`.
const FAILED_AFTER: Duration = Duration::from_secs(16);
/// Transceivers that a connection may come to have by changes, both sides together.
const TRANSCEIVERS: usize = 8;

impl World {
    pub(super) fn connection(&self, number: usize) -> Option<&Link> {
        let (tab, link) = self.connections.get(number)?;
        self.tabs[*tab].links.get(link)
    }

    pub(super) fn connection_mut(&mut self, number: usize) -> Option<&mut Link> {
        let (tab, link) = self.connections.get(number)?;
        self.tabs[*tab].links.get_mut(link)
    }

    /// Takes what a connection told after a call; nothing of that is an event yet.
    pub(super) fn drain_link(&mut self, tab: usize, link: LinkId) {
        let events = self.collect(tab, link);
        debug_assert!(events.is_empty(), "a call into a browser answers later");
    }

    pub(super) fn run_link(&mut self, connection: usize, task: Task) {
        let Some((tab, handle)) = self.connections.get(connection).copied() else {
            return;
        };
        let Some(link) = self.tabs[tab].links.get_mut(&handle) else {
            return;
        };
        link.pc.run(task);
        for event in self.collect(tab, handle) {
            // An event before it may have closed the connection.
            if self.tabs[tab].links.contains_key(&handle) {
                self.tell(tab, Event::Link(handle, event));
            }
        }
    }

    fn collect(&mut self, tab: usize, handle: LinkId) -> Vec<LinkEvent> {
        let mut events = Vec::new();
        while let Some(link) = self.tabs[tab].links.get_mut(&handle) {
            let connection = link.pc.id() as usize;
            let Some(output) = link.pc.poll_output() else {
                break;
            };
            match output {
                Output::Later(task) => {
                    let delay = match task {
                        Task::Chain => self.delay(tab, self.pace.browser_ms),
                        Task::CheckNegotiationNeeded => self.delay(tab, self.pace.browser_ms.min(4)),
                        Task::Gather(..) => self.delay(tab, self.pace.browser_ms * 4),
                    };
                    self.after(delay, Due::Link { connection, task });
                }
                Output::Settled(request, result) => {
                    link.request = None;
                    match result {
                        Ok(Some((kind, sdp))) => {
                            events.push(LinkEvent::LocalDescriptionApplied { request, kind, sdp });
                        }
                        Ok(None) => events.push(LinkEvent::RemoteDescriptionApplied { request }),
                        Err(refusal) => {
                            let excused = link.injected && refusal == Refusal::WrongState;
                            if refusal == Refusal::Injected {
                                link.injected = true;
                            } else if !excused {
                                let state = link.pc.signaling();
                                self.violate(
                                    Rule::Refused,
                                    format_args!("tab {tab} {handle:?} in {state:?}: {refusal}"),
                                );
                            }
                            let error = refusal.to_string();
                            events.push(LinkEvent::DescriptionFailed { request, error });
                        }
                    }
                }
                Output::RolledBack(request) => {
                    link.request = None;
                    events.push(LinkEvent::RolledBack { request });
                }
                Output::CandidateRefused(refusal, ufrag) => self.violate(
                    Rule::CandidateRefused,
                    format_args!("tab {tab} {handle:?}: candidate of {ufrag}: {refusal}"),
                ),
                Output::NegotiationNeeded => events.push(LinkEvent::NegotiationNeeded),
                Output::LocalCandidate(ufrag, candidate) => events.push(LinkEvent::LocalCandidate {
                    ufrag: ufrag.to_string(),
                    candidate,
                }),
                Output::Changed => self.look_for_pair(connection, &mut events),
                Output::TracksChanged => {
                    if let Some(far) = self.far(connection) {
                        self.look_at_tracks(far);
                    }
                    self.look_at_tracks(connection);
                }
            }
        }
        events
    }

    /// The connection whose description this one applied last.
    fn far(&self, connection: usize) -> Option<usize> {
        let remote = self.connection(connection)?.pc.current_remote()?;
        Some(remote.ufrag.connection as usize)
    }

    /// Whether both ends hold what the other says of itself and have candidates to try.
    pub(super) fn is_pair(&self, one: usize, two: usize) -> bool {
        let (Some(one), Some(two)) = (self.connection(one), self.connection(two)) else {
            return false;
        };
        let says = |link: &Link| link.pc.current_local().map(|description| description.ufrag);
        let heard = |link: &Link| link.pc.current_remote().map(|description| description.ufrag);
        let stale = |link: &Link| link.given_up.is_some() && link.given_up == says(link).zip(heard(link));
        says(one).is_some()
            && !stale(one)
            && !stale(two)
            && says(one) == heard(two)
            && heard(one) == says(two)
            && one.pc.has_remote_candidates()
            && two.pc.has_remote_candidates()
    }

    fn look_for_pair(&mut self, connection: usize, events: &mut Vec<LinkEvent>) {
        let Some(far) = self.far(connection) else { return };
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        if link.state == ConnectionState::New {
            link.state = ConnectionState::Connecting;
            events.push(LinkEvent::ConnectionStateChanged(ConnectionState::Connecting));
            self.after(
                FAILED_AFTER,
                Due::IceLoses {
                    connection,
                    failed: true,
                },
            );
        }
        if self.is_pair(connection, far) {
            for connection in [connection, far] {
                let (tab, _) = self.connections[connection];
                let delay = self.delay(tab, self.pace.network_ms * 2);
                self.after(delay, Due::IceConnects { connection });
            }
        }
    }

    pub(super) fn ice_connects(&mut self, connection: usize) {
        let Some(far) = self.far(connection) else { return };
        if !self.is_pair(connection, far) {
            return;
        }
        if self.is_severed(connection, far) {
            return;
        }
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        if link.is_stubborn && link.state == ConnectionState::Failed {
            return;
        }
        link.far = Some(far);
        link.given_up = None;
        self.leave_black_hole(connection);
        self.leave_black_hole(far);
        self.open_channel_soon(connection);
        self.release_held(connection);
        self.release_held(far);
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        if link.state != ConnectionState::Connected {
            self.change_state(connection, ConnectionState::Connected);
        }
        self.look_at_tracks(connection);
    }

    pub(super) fn ice_loses(&mut self, connection: usize, failed: bool) {
        let Some(link) = self.connection(connection) else {
            return;
        };
        let far = link.far.or_else(|| self.far(connection));
        let reaches = link.far.is_some_and(|far| self.connection(far).is_some())
            && far.is_some_and(|far| !self.is_severed(connection, far));
        if reaches {
            return;
        }
        match (link.state, failed) {
            (ConnectionState::Connected, false) => {
                self.change_state(connection, ConnectionState::Disconnected);
            }
            (
                ConnectionState::Connecting | ConnectionState::Connected | ConnectionState::Disconnected,
                true,
            ) => {
                if let Some(link) = self.connection_mut(connection) {
                    let ufrag = |description: Option<&SessionDescription>| description.map(|d| d.ufrag);
                    link.given_up = ufrag(link.pc.current_local()).zip(ufrag(link.pc.current_remote()));
                }
                self.change_state(connection, ConnectionState::Failed);
            }
            (
                ConnectionState::New
                | ConnectionState::Connecting
                | ConnectionState::Disconnected
                | ConnectionState::Failed
                | ConnectionState::Closed,
                _,
            ) => {}
        }
    }

    pub(super) fn persons(&self, one: usize, two: usize) -> (usize, usize) {
        let person = |connection: usize| {
            let known = self.connections.get(connection);
            known.map_or(usize::MAX, |(tab, _)| self.tabs[*tab].person)
        };
        let (one, two) = (person(one), person(two));
        (one.min(two), one.max(two))
    }

    pub(super) fn is_severed(&self, one: usize, two: usize) -> bool {
        self.severed.contains_key(&self.persons(one, two))
    }

    /// The media of two people stop to reach each other, on this connection and on all that they
    /// make meanwhile.
    pub(super) fn sever(&mut self, connection: usize, time: Duration) {
        let Some(far) = self.far(connection) else { return };
        *self.severed.entry(self.persons(connection, far)).or_default() += 1;
        for connection in [connection, far] {
            for (after, failed) in [(DISCONNECTED_AFTER, false), (FAILED_AFTER, true)] {
                self.after(after, Due::IceLoses { connection, failed });
            }
        }
        let (one, two) = self.persons(connection, far);
        self.interrupted.insert((one, two), self.now + time);
        self.after(time, Due::PathBack { one, two });
    }

    pub(super) fn path_back(&mut self, one: usize, two: usize) {
        if let Some(times) = self.severed.get_mut(&(one, two)) {
            *times -= 1;
            if *times == 0 {
                self.severed.remove(&(one, two));
            }
        }
        for connection in 0..self.connections.len() {
            let between = self.far(connection).map(|far| self.persons(connection, far));
            if between == Some((one, two)) {
                self.release_held(connection);
                self.after(Duration::from_millis(100), Due::IceConnects { connection });
            }
        }
    }

    fn change_state(&mut self, connection: usize, state: ConnectionState) {
        let (tab, handle) = self.connections[connection];
        if let Some(link) = self.connection_mut(connection) {
            link.state = state;
            self.tell(tab, Event::Link(handle, LinkEvent::ConnectionStateChanged(state)));
        }
    }

    pub(super) fn close_link(&mut self, tab: usize, handle: LinkId) {
        let number = self.tabs[tab]
            .links
            .get(&handle)
            .map(|link| link.pc.id() as usize);
        let is_dead = number.is_none_or(|number| self.is_dead(number));
        let Some(link) = self.tabs[tab].links.remove(&handle) else {
            return;
        };
        let far = link.far.or_else(|| {
            link.pc
                .current_remote()
                .map(|remote| remote.ufrag.connection as usize)
        });
        if let Some(far) = far {
            self.close_channel(far, link.channel.free(), is_dead);
            for (after, failed) in [(DISCONNECTED_AFTER, false), (FAILED_AFTER, true)] {
                self.after(
                    after,
                    Due::IceLoses {
                        connection: far,
                        failed,
                    },
                );
            }
        }
    }

    fn look_at_tracks(&mut self, connection: usize) {
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        if !std::mem::replace(&mut link.receiving_due, true) {
            let (tab, _) = self.connections[connection];
            let delay = self.delay(tab, self.pace.network_ms);
            self.after(delay, Due::Receiving { connection });
        }
    }

    /// Which slots bring media: the far sender has a track and both agreed that it sends.
    pub(super) fn expected_receiving(&self, connection: usize) -> [bool; Slot::ALL.len()] {
        let mut receiving = [false; Slot::ALL.len()];
        let Some(link) = self.connection(connection) else {
            return receiving;
        };
        if let Some(far) = link.far.and_then(|far| self.connection(far)) {
            for slot in Slot::ALL {
                let (track, sends) = far.pc.sending(slot);
                receiving[slot.index()] = sends && track.is_some();
            }
        }
        receiving
    }

    pub(super) fn update_receiving(&mut self, connection: usize) {
        let expected = self.expected_receiving(connection);
        let (tab, handle) = self.connections[connection];
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        link.receiving_due = false;
        let before = std::mem::replace(&mut link.receiving, expected);
        for slot in Slot::ALL {
            let at = slot.index();
            if before[at] != expected[at] && self.tabs[tab].links.contains_key(&handle) {
                self.tell(tab, Event::Link(handle, LinkEvent::Receiving(slot, expected[at])));
            }
        }
    }

    /// Something on a connection wants to be negotiated.
    pub(super) fn change(&mut self, connection: usize, change: Change) {
        let Some((tab, handle)) = self.connections.get(connection).copied() else {
            return;
        };
        let Some(link) = self.tabs[tab].links.get_mut(&handle) else {
            return;
        };
        self.trace
            .note(self.now, format_args!("tab {tab} {handle:?}: {change:?}"));
        match change {
            Change::RestartIce => link.pc.restart_ice(),
            Change::AddTransceiver(kind) => {
                if link.pc.has_slots() && link.pc.transceivers() < TRANSCEIVERS {
                    link.pc.add_transceiver(kind);
                }
            }
            Change::Turn(place, direction) => {
                if link.pc.has_slots() {
                    link.pc.set_direction(place, direction);
                }
            }
        }
        self.drain_link(tab, handle);
    }

    /// Lets the changes happen that wait for the nth description operation.
    pub(super) fn changes_at_await(&mut self, tab: usize, handle: LinkId, nth: u64) {
        for at in 0..self.script.actions.len() {
            let (
                _,
                Action::ChangeAtAwait {
                    nth: wanted,
                    far_side,
                    change,
                },
            ) = self.script.actions[at]
            else {
                continue;
            };
            if wanted != nth {
                continue;
            }
            let near = self.tabs[tab]
                .links
                .get(&handle)
                .map(|link| link.pc.id() as usize);
            let target = if far_side {
                self.counterpart(tab, handle)
            } else {
                near
            };
            if let Some(connection) = target {
                let longest = self.pace.browser_ms * 1000;
                let delay = Duration::from_micros(self.chaos.u64(0..=longest));
                self.after(delay, Due::Change { connection, change });
            }
        }
    }

    /// The connection with which the other side would answer this one, if it has made one.
    fn counterpart(&self, tab: usize, handle: LinkId) -> Option<usize> {
        let view = self.tabs[tab].core.as_ref()?.view();
        let me = view.me.peer?;
        let them = view
            .people
            .iter()
            .find(|person| person.link == Some(handle))?
            .peer;
        self.tabs.iter().find_map(|other| {
            let view = other.core.as_ref()?.view();
            if view.me.peer != Some(them) {
                return None;
            }
            let link = view.people.iter().find(|person| person.peer == me)?.link?;
            Some(other.links.get(&link)?.pc.id() as usize)
        })
    }
}
