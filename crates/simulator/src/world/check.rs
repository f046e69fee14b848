//! What must hold once the world is at rest.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use visavis_call_core::{CaptureKind, CaptureState, ConnectionState, SignalingState, Slot, Stage, View};
use visavis_protocol::{ClientMessage, ErrorCode, MediaStatus, PeerEntry, PeerId, SeatId, ServerMessage};
use visavis_server::hub::{AddressKey, ConnectionKey, Hub, Output};

use super::net::End;
use super::tab::{Capture, has_sound};
use super::{Due, Rule, World};
use crate::browser::Signaling;

/// The connection that looks into the room for the checks.
const OBSERVER: ConnectionKey = ConnectionKey(u64::MAX);

/// Errors that a server tells nobody who keeps to the protocol.
const COMPLAINTS: [ErrorCode; 11] = [
    ErrorCode::BadMessage,
    ErrorCode::UnknownKind,
    ErrorCode::UnsupportedVersion,
    ErrorCode::AlreadyGreeted,
    ErrorCode::InvalidName,
    ErrorCode::RoomFull,
    ErrorCode::ServerFull,
    ErrorCode::AlreadyJoined,
    ErrorCode::SelfAddressed,
    ErrorCode::RateLimited,
    ErrorCode::TooManyWatchers,
];

/// A rule and what is there instead.
pub(super) type Complaint = (Rule, String);

/// One who is in the call.
struct Member {
    tab: usize,
    peer: PeerId,
    seat: SeatId,
    view: View,
}

macro_rules! ensure {
    ($holds:expr, $rule:expr, $($detail:tt)*) => {
        if !$holds {
            return Err(($rule, format!($($detail)*)));
        }
    };
}

impl World {
    /// Whether everybody who wants to be in is in, connected with everybody else, and at rest.
    /// `ghosts` says whether somebody who vanished may still be listed.
    pub(super) fn settled(&mut self, ghosts: bool) -> Result<(), Complaint> {
        ensure!(
            self.arriving == 0,
            Rule::Settles,
            "{} pages are loading",
            self.arriving
        );
        let members = self.members()?;
        let seats: BTreeSet<SeatId> = members.iter().map(|member| member.seat).collect();
        ensure!(
            seats.len() == members.len(),
            Rule::Roster,
            "two tabs of one person are in"
        );
        for (person, owner) in self.people.iter().enumerate() {
            ensure!(
                !owner.wants_in || seats.contains(&owner.seat.seat_id()) || self.waits_in_vain(person),
                Rule::Settles,
                "person {person} wants to be in and is not: {:?}",
                self.tabs[owner.tab].core.as_ref().map(|core| core.view().stage)
            );
        }
        for member in &members {
            self.roster_of(member, &members, ghosts)?;
            self.media_of(member)?;
        }
        for (at, one) in members.iter().enumerate() {
            for two in &members[at + 1..] {
                self.pair(one, two)?;
            }
        }
        let views: Vec<_> = members
            .iter()
            .map(|member| (member.tab, member.seat, &member.view))
            .collect();
        self.files_settled(&views)?;
        self.links_settled(members.iter().map(|member| (member.tab, &member.view)))?;
        self.hub_lists(&members, ghosts)
    }

    /// Whether nothing is still to arrive that can change anything: a state that happens to be
    /// right before it does is no rest.
    pub(super) fn all_arrived(&self) -> Result<(), Complaint> {
        let matters = |wire: usize, text: &str| {
            !self.wires[wire].cut && !text.starts_with("{\"ping\"") && !text.starts_with("{\"pong\"")
        };
        // On a channel there is always a sign of life under way. But what waits there to be sent again
        // after a hole keeps the other end deaf until then.
        let soon = self.now + Duration::from_millis(self.pace.network_ms);
        let under_way = self.queue.iter().find(|(at, due)| {
            let is_late = *at > soon && matches!(due, Due::ChannelReceives { .. });
            is_late
                || matches!(
                    due,
                    Due::ServerReceives { wire, text } | Due::ClientReceives { wire, text } if matters(*wire, text)
                )
        });
        match under_way {
            None => Ok(()),
            Some((_, due)) => Err((Rule::Settles, format!("still under way: {due:?}"))),
        }
    }

    /// The tabs that are in the call, all others being properly out of it.
    fn members(&self) -> Result<Vec<Member>, Complaint> {
        let mut members = Vec::new();
        for (tab, entry) in self.tabs.iter().enumerate() {
            let Some(core) = &entry.core else { continue };
            let view = core.view();
            match view.stage {
                Stage::Joined => {
                    ensure!(
                        view.signaling == SignalingState::Online,
                        Rule::Settles,
                        "tab {tab} is in and its server is {:?}",
                        view.signaling
                    );
                    let Some(peer) = view.me.peer else {
                        return Err((
                            Rule::Settles,
                            format!("tab {tab} is in and does not know as whom"),
                        ));
                    };
                    let seat = self.people[entry.person].seat.seat_id();
                    members.push(Member {
                        tab,
                        peer,
                        seat,
                        view,
                    });
                }
                Stage::Waiting if self.may_wait(tab) => {}
                Stage::Joining | Stage::Waiting => {
                    return Err((Rule::Settles, format!("tab {tab} waits to be let in")));
                }
                Stage::Preparing { problem } => {
                    ensure!(
                        view.signaling == SignalingState::Online,
                        Rule::Settles,
                        "tab {tab} looks in and its server is {:?}",
                        view.signaling
                    );
                    ensure!(
                        problem.is_none_or(|problem| self.may_be_refused(tab, problem)),
                        Rule::Settles,
                        "tab {tab} was not let in: {problem:?}"
                    );
                    ensure!(
                        entry.links.len() <= self.script.pace.links_ahead,
                        Rule::OneConnection,
                        "tab {tab} is not in and has {} connections",
                        entry.links.len()
                    );
                }
                Stage::Ended(_) | Stage::Outside => self.holds_nothing(tab)?,
            }
        }
        Ok(members)
    }

    /// Whether a tab that is in no call has let go of everything.
    fn holds_nothing(&self, tab: usize) -> Result<(), Complaint> {
        let entry = &self.tabs[tab];
        let links = entry.links.len();
        ensure!(
            links == 0,
            Rule::Leaves,
            "tab {tab} left and has {links} connections"
        );
        let sockets = entry
            .sockets
            .values()
            .filter(|wire| self.wires[**wire].client != End::Gone)
            .count();
        ensure!(
            sockets == 0,
            Rule::Leaves,
            "tab {tab} left and has {sockets} sockets"
        );
        let live = entry.captures.iter().find(|(_, capture)| {
            matches!(
                capture,
                Capture::Live { .. } | Capture::Asking { stopped: false, .. }
            )
        });
        // In the lobby a preview may run; after the end of a call nothing does.
        let stage = entry.core.as_ref().map(|core| core.view().stage);
        if let (Some((id, _)), Some(Stage::Ended(_))) = (live, stage) {
            return Err((Rule::Leaves, format!("tab {tab} left and {id:?} runs on")));
        }
        let timer = entry.core.as_ref().and_then(|core| core.poll_timeout());
        ensure!(
            timer.is_none(),
            Rule::Leaves,
            "tab {tab} left and wants to be woken at {timer:?}"
        );
        Ok(())
    }

    fn roster_of(&self, member: &Member, members: &[Member], ghosts: bool) -> Result<(), Complaint> {
        let tab = member.tab;
        let mut seen = BTreeSet::from([member.seat]);
        for person in &member.view.people {
            ensure!(
                seen.insert(person.seat),
                Rule::Roster,
                "tab {tab} shows seat {:?} twice",
                person.seat
            );
            let is_in = members.iter().any(|other| other.peer == person.peer);
            if !is_in {
                let vanished = self.may_be_ghost(person.seat);
                ensure!(
                    ghosts && vanished,
                    if vanished { Rule::Ghost } else { Rule::Roster },
                    "tab {tab} shows {} ({:?}), who is not in",
                    person.name,
                    person.peer
                );
            }
            ensure!(
                !is_in || !person.away,
                Rule::Settles,
                "tab {tab} takes {} for away",
                person.name
            );
        }
        for other in members.iter().filter(|other| other.tab != tab) {
            ensure!(
                member.view.people.iter().any(|person| person.peer == other.peer),
                Rule::Roster,
                "tab {tab} does not show tab {}",
                other.tab
            );
        }
        let with_link = member
            .view
            .people
            .iter()
            .filter(|person| person.link.is_some())
            .count();
        let open = self.tabs[tab].links.len();
        ensure!(
            open == with_link,
            Rule::OneConnection,
            "tab {tab} has {open} connections for {with_link} people"
        );
        Ok(())
    }

    /// Whether somebody may still be shown because nobody could know that they went.
    fn may_be_ghost(&self, seat: SeatId) -> bool {
        let owner = self.people.iter().find(|person| person.seat.seat_id() == seat);
        let Some(departure) = owner.and_then(|person| person.departure) else {
            return false;
        };
        let heard = departure.wire.is_some_and(|wire| self.wires[wire].left);
        // Who finds a restarted server waits for those it knew, whatever was said there before.
        !heard || self.server.life > 0
    }

    fn media_of(&self, member: &Member) -> Result<(), Complaint> {
        let tab = member.tab;
        for kind in CaptureKind::ALL {
            let shown = match member.view.me.capture(kind) {
                CaptureState::On { capture, .. } => Some(*capture),
                CaptureState::Off | CaptureState::Failed(_) => None,
                CaptureState::Starting => {
                    return Err((Rule::Media, format!("tab {tab}: {kind:?} never starts")));
                }
            };
            let live: Vec<_> = self.tabs[tab]
                .captures
                .iter()
                .filter(|(_, capture)| **capture == Capture::Live { kind })
                .map(|(id, _)| *id)
                .collect();
            ensure!(
                live.len() <= 1,
                Rule::Media,
                "tab {tab}: {kind:?} runs {} times",
                live.len()
            );
            // A microphone that is off may stay captured, a camera's light goes out.
            ensure!(
                shown.is_none_or(|shown| live == [shown])
                    && (shown.is_some() || kind == CaptureKind::Microphone || live.is_empty()),
                Rule::Media,
                "tab {tab}: {kind:?} shows {shown:?} and {live:?} runs"
            );
            for (handle, link) in &self.tabs[tab].links {
                let (sent, _) = link.pc.sending(kind.slot());
                ensure!(
                    sent == shown || !link.pc.has_slots(),
                    Rule::Media,
                    "tab {tab} {handle:?} sends {sent:?} for {kind:?}, not {shown:?}"
                );
            }
        }
        Ok(())
    }

    /// Whether two who are in the call are connected as they should be.
    fn pair(&self, one: &Member, two: &Member) -> Result<(), Complaint> {
        let (a, b) = (self.side(one, two)?, self.side(two, one)?);
        let names = format!("tabs {} and {}", one.tab, two.tab);
        let (Some(left), Some(right)) = (self.connection(a), self.connection(b)) else {
            return Err((Rule::Settles, format!("{names}: a connection is not there")));
        };
        let text = |description: Option<&crate::browser::SessionDescription>| {
            description.map(|description| description.text.clone())
        };
        ensure!(
            text(left.pc.current_local()).is_some()
                && text(left.pc.current_local()) == text(right.pc.current_remote())
                && text(left.pc.current_remote()) == text(right.pc.current_local()),
            Rule::Settles,
            "{names}: what one says is not what the other heard"
        );
        ensure!(
            self.is_pair(a, b),
            Rule::Settles,
            "{names}: a side has no candidates of the other"
        );
        ensure!(
            left.far == Some(b) && right.far == Some(a),
            Rule::Settles,
            "{names}: not connected with each other"
        );
        Ok(())
    }

    /// One side of a pair; returns the number of its connection.
    fn side(&self, me: &Member, them: &Member) -> Result<usize, Complaint> {
        let tab = me.tab;
        let name = format!("tab {tab} with tab {}", them.tab);
        let Some(person) = me.view.people.iter().find(|person| person.peer == them.peer) else {
            return Err((Rule::Roster, format!("{name}: not shown")));
        };
        let Some(link) = person.link.and_then(|handle| self.tabs[tab].links.get(&handle)) else {
            return Err((Rule::Settles, format!("{name}: no connection")));
        };
        ensure!(
            link.pc.signaling() == Signaling::Stable && link.request.is_none() && !link.pc.is_busy(),
            Rule::Settles,
            "{name}: {:?}, in flight {:?}",
            link.pc.signaling(),
            link.request
        );
        ensure!(
            !link.pc.is_negotiation_needed(),
            Rule::Settles,
            "{name}: something was never negotiated"
        );
        ensure!(
            link.state == ConnectionState::Connected && person.connection == link.state,
            Rule::Settles,
            "{name}: {:?}, shown as {:?}",
            link.state,
            person.connection
        );
        let number = link.pc.id() as usize;
        let expected = self.expected_receiving(number);
        ensure!(
            person.receiving == expected,
            Rule::Settles,
            "{name}: shows {:?} as coming, not {expected:?}",
            person.receiving
        );
        ensure!(
            !person.silent && person.frozen == [false; Slot::ALL.len()],
            Rule::Settles,
            "{name}: silent {}, frozen {:?}",
            person.silent,
            person.frozen
        );
        ensure!(!self.is_dead(number), Rule::Settles, "{name}: nothing passes");
        let on = |kind: CaptureKind| matches!(them.view.me.capture(kind), CaptureState::On { .. });
        // Also where a direction was turned from outside: a new connection puts that right.
        let flows = self.flows(number);
        let sounds = match them.view.me.screen {
            CaptureState::On { capture, .. } => has_sound(CaptureKind::Screen, capture),
            CaptureState::Off | CaptureState::Starting | CaptureState::Failed(_) => false,
        };
        ensure!(
            !sounds || flows[Slot::ScreenSound.index()],
            Rule::Settles,
            "{name}: the screen's sound does not come"
        );
        ensure!(
            CaptureKind::ALL
                .into_iter()
                .all(|kind| !on(kind) || flows[kind.slot().index()]),
            Rule::Settles,
            "{name}: of what is sent comes {flows:?}"
        );
        let status = MediaStatus {
            microphone: on(CaptureKind::Microphone),
            camera: on(CaptureKind::Camera),
            screen: on(CaptureKind::Screen),
            screen_sound: sounds,
            recording: them.view.me.recording,
            hand: them.view.me.hand,
        };
        ensure!(
            person.status == status,
            Rule::Settles,
            "{name}: shows {:?}, which is {status:?}",
            person.status
        );
        ensure!(
            link.pc.transceivers() >= Slot::ALL.len(),
            Rule::Settles,
            "{name}: {} transceivers",
            link.pc.transceivers()
        );
        Ok(number)
    }

    /// Whether the hub lists the same people.
    fn hub_lists(&mut self, members: &[Member], ghosts: bool) -> Result<(), Complaint> {
        let listed = self.look_into_room();
        for entry in &listed {
            let is_in = members.iter().any(|member| member.peer == entry.peer);
            ensure!(
                is_in || (ghosts && self.may_be_ghost(entry.seat)),
                if self.may_be_ghost(entry.seat) {
                    Rule::Ghost
                } else {
                    Rule::Roster
                },
                "the server lists {} ({:?}), who is not in",
                entry.name,
                entry.peer
            );
            ensure!(
                !is_in || !entry.away,
                Rule::Settles,
                "the server takes {} for away",
                entry.name
            );
        }
        for member in members {
            ensure!(
                listed.iter().any(|entry| entry.peer == member.peer),
                Rule::Roster,
                "the server does not list tab {}",
                member.tab
            );
        }
        Ok(())
    }

    fn look_into_room(&mut self) -> Vec<PeerEntry> {
        let now = self.now;
        let (room, claim) = (self.room.clone(), self.host_claim());
        let Some(hub) = &mut self.server.hub else {
            return Vec::new();
        };
        let mut listed = Vec::new();
        hub.connect(now, OBSERVER, AddressKey::V4(u32::MAX));
        for message in [
            ClientMessage::Hello { versions: vec![1] },
            ClientMessage::Watch {
                room,
                seat: None,
                claim,
            },
        ] {
            hub.receive(now, OBSERVER, &message.encode());
        }
        let mut others = Vec::new();
        while let Some(output) = hub.poll_output() {
            match output {
                Output::Send { connection, text } if connection == OBSERVER => {
                    if let Ok(ServerMessage::Occupancy { peers, .. }) = ServerMessage::decode(&text) {
                        listed = peers;
                    }
                }
                Output::Send { .. } | Output::Store(_) | Output::Close { .. } => others.push(output),
            }
        }
        hub.disconnect(now, OBSERVER);
        self.take_outputs(others);
        self.drain_hub();
        listed
    }

    /// After everybody has left and time has passed: nothing is kept anywhere.
    pub(super) fn all_left(&self) -> Result<(), Complaint> {
        let open = (0..self.tabs.len()).filter(|tab| self.tabs[*tab].core.is_some());
        for tab in open {
            self.holds_nothing(tab)?;
            if let Some((id, _)) = self.tabs[tab].captures.first_key_value() {
                return Err((Rule::Leaves, format!("tab {tab} left and {id:?} runs on")));
            }
        }
        let counts = self.server.hub.as_ref().map(Hub::counts).unwrap_or_default();
        ensure!(
            counts.rooms == 0
                && counts.seats == 0
                && counts.waiting == 0
                && counts.watchers == 0
                && counts.connections == 0,
            Rule::Leaves,
            "all left and the server has {counts:?}"
        );
        ensure!(
            counts.timers <= 2,
            Rule::Leaves,
            "all left and the server has {} timers",
            counts.timers
        );
        let mut complaints = String::new();
        for code in COMPLAINTS {
            let times = self.server.errors(code);
            if times > 0 && write!(complaints, "{code} {times} times ").is_err() {
                break;
            }
        }
        ensure!(
            complaints.is_empty(),
            Rule::ServerComplained,
            "the server said {complaints}"
        );
        Ok(())
    }

    /// Whether a tab that is in has one connection a person, looked at whenever one is made.
    pub(super) fn count_links(&mut self, tab: usize) {
        let Some(view) = self.tabs[tab].core.as_ref().map(|core| core.view()) else {
            return;
        };
        if view.stage != Stage::Joined {
            return;
        }
        let shown = view.people.iter().filter(|person| person.link.is_some()).count();
        let open = self.tabs[tab].links.len();
        if open > shown {
            self.violate(
                Rule::OneConnection,
                format_args!("tab {tab} has {open} connections for {shown} people"),
            );
        }
    }
}
