//! Rooms with a host: what the host does, who is sent away, and who has which link.

use visavis_call_core::{EndReason, Event, HostIntent, Hosted, Intent, JoinProblem, Stage, View};
use visavis_protocol::{
    Charter, ClientMessage, Frame, Gate, HostRequest, HostSecret, PeerId, RoomId, RoomSecret, ServerMessage,
};

use visavis_server::hub::Hub;

use super::check::Complaint;
use super::{Rule, World};
use crate::script::{RoomKind, Script};

/// The name of every run's room.
const NAME: &str = "room";

/// Made by the first person's browser; all their tabs have it.
fn host_secret(seed: u64) -> HostSecret {
    HostSecret::from_bytes(spread(seed, 0x4057))
}

/// The secret of the link that everybody has in the beginning.
pub(super) fn first_secret(seed: u64) -> RoomSecret {
    RoomSecret::from_bytes(spread(seed, 0x5ec4))
}

fn spread(seed: u64, salt: u64) -> [u8; 16] {
    let mut rng = fastrand::Rng::with_seed(seed ^ salt);
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    bytes
}

/// The room's id in the beginning.
pub(super) fn first_room(script: &Script) -> RoomId {
    room_by(script, &first_secret(script.seed))
}

fn room_by(script: &Script, secret: &RoomSecret) -> RoomId {
    match script.room {
        RoomKind::Open => RoomId::derive(NAME, None),
        RoomKind::Hosted { waiting_room } => {
            let host = host_secret(script.seed).host_id();
            RoomId::derive_hosted(NAME, secret, Charter { host, waiting_room })
        }
    }
}

impl World {
    const fn is_hosted(&self) -> bool {
        matches!(self.script.room, RoomKind::Hosted { .. })
    }

    /// The room's id by the link that somebody has.
    pub(super) fn room_of(&self, person: usize) -> RoomId {
        room_by(&self.script, &self.people[person].secret)
    }

    /// What somebody's page knows of the room's host.
    pub(super) fn hosted_for(&self, person: usize) -> Option<Hosted> {
        self.is_hosted().then(|| Hosted {
            name: NAME.into(),
            secret: self.people[person].secret,
            host: (person == 0).then(|| host_secret(self.script.seed)),
        })
    }

    /// What whoever holds the host's secret shows.
    pub(super) fn host_claim(&self) -> visavis_protocol::Claim {
        visavis_protocol::Claim {
            host: self.is_hosted().then(|| host_secret(self.script.seed)),
            pass: None,
        }
    }

    /// The link in a tab's address bar is that of its person from now on.
    pub(super) fn keep_link(&mut self, tab: usize) {
        if !self.is_hosted() {
            return;
        }
        let core = self.tabs[tab].core.as_ref();
        if let Some(secret) = core.and_then(|core| core.view().hosting.secret) {
            let person = self.tabs[tab].person;
            self.people[person].secret = secret;
        }
    }

    /// The tab in which somebody is in the call: not always their newest.
    fn tab_inside(&self, person: usize) -> Option<(usize, View)> {
        self.tabs.iter().enumerate().find_map(|(tab, entry)| {
            let view = entry.core.as_ref().filter(|_| entry.person == person)?.view();
            (view.stage == Stage::Joined).then_some((tab, view))
        })
    }

    pub(super) fn set_gate(&mut self, person: usize, waiting_room: bool) {
        let gate = Gate {
            waiting_room,
            locked: false,
        };
        let tab = self.people[person].tab;
        self.tell(tab, Event::Intent(Intent::Host(HostIntent::SetGate(gate))));
    }

    /// Lets in who waits, as far as the host's page shows it.
    pub(super) fn admit(&mut self, person: usize) {
        let Some((tab, view)) = self.tab_inside(person) else {
            return;
        };
        let peers: Vec<PeerId> = view.hosting.waiting.iter().map(|knock| knock.peer).collect();
        if !peers.is_empty() {
            self.tell(tab, Event::Intent(Intent::Host(HostIntent::Admit(peers))));
        }
    }

    pub(super) fn remove(&mut self, person: usize, nth: usize) {
        let Some((tab, view)) = self.tab_inside(person) else {
            return;
        };
        let Some(shown) = view.people.get(nth) else {
            return;
        };
        let owner = self
            .people
            .iter()
            .position(|owner| owner.seat.seat_id() == shown.seat);
        // Another tab of the host's own is not somebody to send away.
        if let Some(owner) = owner.filter(|owner| *owner != person) {
            self.whose.insert(shown.peer, owner);
            self.tell(tab, Event::Intent(Intent::Host(HostIntent::Remove(shown.seat))));
        }
    }

    /// Whom a message asks the server to send away, and what the room is called then.
    pub(super) fn removal_in(&self, text: &str) -> Option<(PeerId, RoomId)> {
        if !text.starts_with("{\"host\"") {
            return None;
        }
        match ClientMessage::decode(text) {
            Ok(ClientMessage::Host(HostRequest::Remove { peer, next })) => Some((peer, next)),
            Ok(_) | Err(_) => None,
        }
    }

    /// The server has answered: whoever it sent away is not to come back.
    pub(super) fn note_removal(&mut self, peer: PeerId, next: &RoomId) {
        if self.room != *next {
            return;
        }
        if let Some(person) = self.whose.get(&peer).copied() {
            let owner = &mut self.people[person];
            (owner.removed, owner.wants_in) = (true, false);
        }
    }

    /// The server says that the room has another id.
    pub(super) fn note_moved(&mut self, text: &str) {
        if text.starts_with("{\"moved\"")
            && let Ok(ServerMessage::Moved { room, .. }) = ServerMessage::decode(text)
        {
            self.room = room;
        }
    }

    /// Notes who was told a secret.
    pub(super) fn note_secret(&mut self, tab: usize, text: &str) {
        if text.starts_with("{\"secret\"")
            && let Ok(Frame::Secret { secret, .. }) = Frame::decode(text)
        {
            let person = self.tabs[tab].person;
            self.heard_by.entry(secret).or_default().insert(person);
        }
    }

    /// Hosts let in whoever waits, at the latest when all is quiet.
    pub(super) fn admit_all(&mut self) {
        for person in 0..self.people.len() {
            if self.is_hosted() {
                self.admit(person);
            }
        }
    }

    /// Whoever comes by a link of before asks for the new one, and those inside give it to them.
    pub(super) fn ask_for_links(&mut self) {
        let Some(secret) = self.links_inside() else {
            return;
        };
        for person in 0..self.people.len() {
            let tab = self.people[person].tab;
            let stage = self.tabs[tab].core.as_ref().map(|core| core.view().stage);
            let is_refused = matches!(
                stage,
                Some(Stage::Preparing {
                    problem: Some(JoinProblem::Moved)
                })
            );
            let was_left_behind = stage == Some(Stage::Ended(EndReason::LinkChanged));
            let owner = &mut self.people[person];
            // Who was in the room before comes back without that, if they were not away for too long.
            if (is_refused && !owner.was_in || was_left_behind) && !owner.removed {
                owner.secret = secret;
                let wants_in = owner.wants_in;
                self.open_link(tab);
                if wants_in {
                    self.join(tab);
                }
            }
        }
    }

    /// The server remembers whom it let in as long as somebody is inside.
    pub(super) fn note_empty(&mut self) {
        let is_empty = |hub: &Hub| hub.counts().seats == 0;
        if self.is_hosted() && self.server.hub.as_ref().is_none_or(is_empty) {
            for owner in &mut self.people {
                owner.was_in = false;
            }
        }
    }

    /// The secret of the link that those inside show.
    fn links_inside(&self) -> Option<RoomSecret> {
        if !self.is_hosted() {
            return None;
        }
        (0..self.people.len()).find_map(|person| {
            let (_, view) = self.tab_inside(person)?;
            let secret = view.hosting.secret.unwrap_or(self.people[person].secret);
            (room_by(&self.script, &secret) == self.room).then_some(secret)
        })
    }

    /// Whether a tab that is outside is so for a good reason: its person was sent away, or there is nobody
    /// who could give them the new link.
    pub(super) fn may_be_refused(&self, tab: usize, problem: JoinProblem) -> bool {
        let is_meant = matches!(problem, JoinProblem::Moved | JoinProblem::Declined);
        let owner = &self.people[self.tabs[tab].person];
        let is_elsewhere = owner.tab != tab || self.tab_inside(self.tabs[tab].person).is_some();
        is_meant && (!owner.wants_in || is_elsewhere || self.links_inside().is_none())
    }

    /// Whether a tab may wait before the room: there is nobody to let it in, or its person was sent away.
    pub(super) fn may_wait(&self, tab: usize) -> bool {
        let has_host = self.tabs.iter().any(|other| {
            let view = other.core.as_ref().map(|core| core.view());
            view.is_some_and(|view| view.stage == Stage::Joined && view.hosting.is_host)
        });
        self.is_hosted() && !has_host || self.people[self.tabs[tab].person].removed
    }

    /// Whether somebody who wants to be in cannot be, with nobody there to let them in or give them the link.
    pub(super) fn waits_in_vain(&self, person: usize) -> bool {
        self.tabs.iter().enumerate().any(|(tab, entry)| {
            let stage = entry.core.as_ref().map(|core| core.view().stage);
            entry.person == person
                && match stage {
                    Some(Stage::Waiting) => self.may_wait(tab),
                    Some(Stage::Preparing {
                        problem: Some(problem),
                    }) => self.may_be_refused(tab, problem),
                    Some(Stage::Ended(EndReason::LinkChanged)) => {
                        self.may_be_refused(tab, JoinProblem::Moved)
                    }
                    Some(_) | None => false,
                }
        })
    }

    /// Whether those who are inside have the room's link, and those who were sent away have not.
    pub(super) fn links_settled<'a>(
        &self,
        inside: impl Iterator<Item = (usize, &'a View)>,
    ) -> Result<(), Complaint> {
        if !self.is_hosted() {
            return Ok(());
        }
        let id = |secret: Option<RoomSecret>, tab: usize| {
            let secret = secret.unwrap_or(self.people[self.tabs[tab].person].secret);
            room_by(&self.script, &secret)
        };
        for (tab, view) in inside {
            let person = self.tabs[tab].person;
            if self.people[person].removed {
                return Err((Rule::Removed, format!("tab {tab} is in and was sent away")));
            }
            // Nobody can tell what nobody knows: the host who knew it is gone.
            let is_known = view.hosting.is_host || self.links_inside().is_some();
            if is_known && (view.hosting.is_link_old || id(view.hosting.secret, tab) != self.room) {
                return Err((
                    Rule::Link,
                    format!(
                        "tab {tab} has {:?} for {}",
                        id(view.hosting.secret, tab),
                        self.room.as_str()
                    ),
                ));
            }
        }
        for (secret, heard) in &self.heard_by {
            if room_by(&self.script, secret) != self.room {
                continue;
            }
            if let Some(person) = heard.iter().find(|person| self.people[**person].removed) {
                return Err((
                    Rule::Removed,
                    format!("person {person} was sent away and was told the link of those who stay"),
                ));
            }
        }
        for (tab, entry) in self.tabs.iter().enumerate() {
            let stage = entry.core.as_ref().map(|core| core.view().stage);
            if stage == Some(Stage::Ended(EndReason::Removed)) && !self.people[entry.person].removed {
                return Err((Rule::Removed, format!("tab {tab} was sent away by nobody")));
            }
        }
        Ok(())
    }
}
