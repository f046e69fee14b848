//! What one client knows, and what it may never hear.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use visavis_protocol::{Gate, IceServer, PeerEntry, PeerId, RoomId, SeatId, ServerMessage, Waiter, limits};

use crate::{EPOCH, TURN_LIFETIME};

/// What one client knows of its room.
#[derive(Default)]
pub struct View {
    pub you: Option<PeerId>,
    pub version: u64,
    pub others: Vec<PeerEntry>,
    pub room: Option<RoomId>,
    pub host: bool,
    pub gate: Gate,
    /// Who waits, as a host was told.
    pub knocks: Vec<Waiter>,
}

#[derive(Default)]
pub struct Client {
    pub view: View,
    /// The room of the `join` or `resume` that is not answered yet.
    pub asked: Option<RoomId>,
    pub seat: Option<SeatId>,
    /// Whether what is asked must be refused: a resume of another epoch.
    pub must_fail: bool,
    /// Whether the secret of the host was shown with it.
    pub claims_host: bool,
    /// The id of the room before which it waits.
    pub waits: Option<RoomId>,
    /// Whether it was given a seat without being a host since this was last looked at.
    pub let_in: bool,
}

impl Client {
    pub fn hear(&mut self, message: ServerMessage) {
        if self.waits.is_some() {
            let is_silent = matches!(
                message,
                ServerMessage::Waiting {}
                    | ServerMessage::Joined { .. }
                    | ServerMessage::Declined { .. }
                    | ServerMessage::Left {}
                    | ServerMessage::Error { .. }
                    | ServerMessage::Pong {}
            );
            assert!(is_silent, "who waits hears of the room: {message:?}");
        }
        let view = &mut self.view;
        match message {
            ServerMessage::Joined {
                you,
                version,
                peers,
                epoch,
                ice,
                ice_lifetime_ms,
                hosting,
            } => {
                assert_eq!(epoch, EPOCH);
                is_good(&ice, ice_lifetime_ms);
                assert!(!self.must_fail, "another life's session was resumed");
                let room = hosting.room.or_else(|| self.asked.clone());
                let has_host = room.as_ref().is_some_and(|room| room.charter().is_some());
                assert_eq!(hosting.host, self.claims_host && has_host, "a false host");
                self.let_in = !hosting.host;
                self.waits = None;
                let same = view.you == Some(you) && view.room == room;
                let knocks = std::mem::take(&mut view.knocks);
                *view = View {
                    you: Some(you),
                    version,
                    others: peers,
                    room,
                    host: hosting.host,
                    gate: hosting.gate,
                    knocks: if same { knocks } else { Vec::new() },
                };
            }
            ServerMessage::PeerJoined { version, peer } => {
                view.step(version);
                view.others.push(peer);
            }
            ServerMessage::PeerLeft { version, peer, .. } => {
                view.step(version);
                let before = view.others.len();
                view.others.retain(|entry| entry.peer != peer);
                assert_eq!(before, view.others.len() + 1, "somebody unknown left");
            }
            ServerMessage::PeerAway { version, peer, away } => {
                view.step(version);
                let entry = view.others.iter_mut().find(|entry| entry.peer == peer);
                entry.expect("somebody unknown is away").away = away;
            }
            ServerMessage::Relay { from, body, .. } => {
                let you = view.you.expect("a packet for nobody");
                assert!(
                    view.others.iter().any(|entry| entry.peer == from),
                    "from a stranger"
                );
                assert!(body.starts_with(&you.to_text()), "for somebody else");
            }
            ServerMessage::Left {} | ServerMessage::Declined { .. } => {
                *view = View::default();
                self.waits = None;
            }
            ServerMessage::Removed {} => {
                assert!(view.you.is_some(), "removed from nowhere");
                *view = View::default();
            }
            ServerMessage::Waiting {} => {
                assert!(view.you.is_none(), "seated and waiting");
                self.waits.clone_from(&self.asked);
            }
            ServerMessage::Knocks { waiting } => {
                assert!(view.host && view.you.is_some(), "told of those who wait");
                assert!(waiting.len() <= limits::ROOM_WAITING);
                view.knocks = waiting;
            }
            ServerMessage::Gate { version, gate } => {
                view.step(version);
                assert_ne!(view.gate, gate, "the same gate again");
                view.gate = gate;
            }
            ServerMessage::Moved { version, room } => {
                view.step(version);
                assert_ne!(view.room.as_ref(), Some(&room));
                view.room = Some(room);
            }
            ServerMessage::Occupancy {
                peers, seats, shut, ..
            } => {
                assert!(view.you.is_none(), "seated and still watching");
                assert!(!shut || peers.is_empty(), "seen through a shut gate");
                assert!(peers.len() <= usize::from(seats));
            }
            ServerMessage::Welcome { ice, relay, .. } => {
                assert!(relay && ice.iter().all(|server| server.credential.is_none()));
            }
            ServerMessage::Ice { servers, lifetime_ms } => {
                assert!(view.you.is_some(), "a relay for somebody without a seat");
                is_good(&servers, lifetime_ms);
            }
            ServerMessage::Pong {} | ServerMessage::Error { .. } => {}
            ServerMessage::Desk(_) | ServerMessage::Visit(_) => {}
            ServerMessage::People(event) => panic!("a hub without people says {event:?}"),
            ServerMessage::GoingAway { .. } => panic!("the hub does not stop"),
        }
    }
}

/// The seated are told of the relay, with credentials that do not end soon.
fn is_good(servers: &[IceServer], lifetime_ms: Option<u64>) {
    let secret = servers.iter().filter(|server| server.credential.is_some());
    assert_eq!((servers.len(), secret.count()), (2, 1));
    let lifetime = Duration::from_millis(lifetime_ms.unwrap());
    assert!(
        lifetime > TURN_LIFETIME / 2 && lifetime <= TURN_LIFETIME,
        "{lifetime:?}"
    );
}

impl View {
    fn step(&mut self, version: u64) {
        assert_eq!(version, self.version + 1, "a gap in the versions");
        self.version = version;
    }

    pub fn is_consistent(&self) {
        assert!(self.others.len() < limits::ROOM_SEATS, "too many in the room");
        let peers: BTreeSet<PeerId> = self.others.iter().map(|entry| entry.peer).collect();
        let seats: BTreeSet<_> = self.others.iter().map(|entry| entry.seat).collect();
        assert_eq!(
            (peers.len(), seats.len()),
            (self.others.len(), self.others.len()),
            "seated twice"
        );
        assert!(
            self.you.is_some_and(|you| !peers.contains(&you)),
            "oneself among the others"
        );
    }

    pub fn agrees_with(&self, other: &Self, them: PeerId) {
        assert_eq!(self.version, other.version, "two versions of one room");
        assert_eq!(self.gate, other.gate, "two gates of one room");
        let entry = self.others.iter().find(|entry| entry.peer == them);
        assert!(
            !entry.expect("somebody seated is not seen").away,
            "somebody here is seen away"
        );
        let names = |view: &Self| -> BTreeMap<PeerId, bool> {
            view.others.iter().map(|entry| (entry.peer, entry.away)).collect()
        };
        let (mut mine, mut theirs) = (names(self), names(other));
        mine.remove(&them);
        if let Some(you) = self.you {
            theirs.remove(&you);
        }
        assert_eq!(mine, theirs, "two views of one room");
    }
}
