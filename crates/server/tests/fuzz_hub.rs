//! Fuzzes the hub with sequences of facts: whatever people, sockets and clocks do, everybody sees
//! the same room, and in the end nothing is left.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

mod fuzz;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fuzz::Fuzz;
use visavis_protocol::{
    ClientMessage, CloseCode, Epoch, IceServer, PeerEntry, PeerId, RoomId, SeatSecret, ServerMessage,
    SessionSecret, limits,
};
use visavis_server::config::ice_server;
use visavis_server::hub::{
    AddressKey, ConnectionKey, Hub, HubConfig, HubFault, Output, TurnConfig, TurnSecret,
};

const EPOCH: Epoch = Epoch::from_bytes([1; 16]);
/// When the hub's own time is zero.
const UNIX: Duration = Duration::from_secs(1_767_225_600);
/// Short, so that credentials end within a run.
const TURN_LIFETIME: Duration = Duration::from_secs(90);
const ROOMS: [&str; 3] = ["tea", "coffee", "milk"];
/// Sockets open at once, so that long inputs do not only open more.
const SOCKETS: usize = 24;

/// What one client knows of its room.
#[derive(Default)]
struct View {
    you: Option<PeerId>,
    version: u64,
    others: Vec<PeerEntry>,
    room: usize,
}

#[derive(Default)]
struct Client {
    view: View,
    /// The room of the `join` or `resume` that is not answered yet.
    asked: usize,
    /// Whether what is asked must be refused: a resume of another epoch.
    must_fail: bool,
}

struct World<'a> {
    input: std::slice::Iter<'a, u8>,
    hub: Hub,
    now: Duration,
    next: u64,
    open: BTreeMap<ConnectionKey, Client>,
}

fn secret(n: usize) -> SessionSecret {
    SessionSecret::from_bytes([n as u8; 16])
}

fn room(n: usize) -> RoomId {
    RoomId::derive(ROOMS[n], None)
}

impl World<'_> {
    fn byte(&mut self) -> usize {
        usize::from(self.input.next().copied().unwrap_or_default())
    }

    fn pick(&mut self) -> Option<ConnectionKey> {
        let at = self.byte();
        let count = self.open.len();
        (count > 0).then(|| *self.open.keys().nth(at % count).unwrap())
    }

    fn step(&mut self, action: u8) {
        match action % 12 {
            0 | 1 if self.open.len() < SOCKETS => self.connect(action % 12 == 1),
            2 => {
                if let Some(key) = self.pick() {
                    self.open.remove(&key);
                    if (action / 12).is_multiple_of(2) {
                        self.hub.disconnect(self.now, key);
                    } else {
                        self.hub.depart(self.now, key);
                    }
                }
            }
            3 => {
                let time = Duration::from_millis([1, 100, 251, 5_000, 26_000, 61_000][self.byte() % 6]);
                // As the driver does: the hub is woken when it asked for it.
                let end = self.now + time;
                while let Some(due) = self.hub.poll_timeout().filter(|due| *due <= end) {
                    self.now = self.now.max(due);
                    self.hub.tick(self.now);
                    self.read();
                }
                self.now = end;
                self.hub.tick(self.now);
            }
            4 => {
                if let Some(key) = self.pick() {
                    let length = self.byte() % 64;
                    let bytes: Vec<u8> = self.input.by_ref().take(length).copied().collect();
                    self.say_text(key, &String::from_utf8_lossy(&bytes));
                }
            }
            _ => {
                if let Some(key) = self.pick() {
                    let message = self.message(key);
                    self.say_text(key, &message.encode());
                }
            }
        }
        self.read();
        self.check();
    }

    fn connect(&mut self, greet: bool) {
        let key = ConnectionKey(self.next);
        self.next += 1;
        self.open.insert(key, Client::default());
        let address = AddressKey::V4(u32::try_from(self.byte() % 8).unwrap());
        self.hub.connect(self.now, key, address);
        if greet {
            self.read();
            self.say_text(key, &ClientMessage::Hello { versions: vec![1] }.encode());
        }
    }

    fn say_text(&mut self, key: ConnectionKey, text: &str) {
        if let Some(client) = self.open.get_mut(&key) {
            match ClientMessage::decode(text) {
                Ok(ClientMessage::Join { room: id, .. }) => {
                    client.must_fail = false;
                    client.asked = (0..ROOMS.len()).find(|n| room(*n) == id).unwrap_or(usize::MAX);
                }
                Ok(ClientMessage::Resume { room: id, epoch, .. }) => {
                    client.must_fail = epoch != EPOCH;
                    client.asked = (0..ROOMS.len()).find(|n| room(*n) == id).unwrap_or(usize::MAX);
                }
                Ok(_) | Err(_) => {}
            }
            self.hub.receive(self.now, key, text);
        }
    }

    fn message(&mut self, key: ConnectionKey) -> ClientMessage {
        let (kind, a, b) = (self.byte(), self.byte(), self.byte());
        match kind % 16 {
            0 => ClientMessage::Hello {
                versions: vec![(a % 3) as u16],
            },
            1 => ClientMessage::Watch {
                room: room(a % 3),
                seat: None,
                claim: visavis_protocol::Claim::default(),
            },
            2..=6 => ClientMessage::Join {
                room: room(a % 3),
                seat: SeatSecret::from_bytes([(b % 10) as u8; 16]),
                session: secret(b / 10),
                name: if a == 255 {
                    "\u{202e}".into()
                } else {
                    format!("Person {b}")
                },
                claim: visavis_protocol::Claim::default(),
            },
            7..=9 => ClientMessage::Resume {
                epoch: if a >= 240 {
                    Epoch::from_bytes([2; 16])
                } else {
                    EPOCH
                },
                room: room(a % 3),
                session: secret(b / 10),
                claim: visavis_protocol::Claim::default(),
            },
            10..=12 => {
                // The addressee is in the body, for the one who gets it to compare.
                let others = &self.open[&key].view.others;
                let to = match others.get(a % 9) {
                    Some(entry) => entry.peer,
                    None => secret(b / 10).peer_id(),
                };
                ClientMessage::Relay {
                    to,
                    n: b as u64,
                    body: format!("{to}\r\n\""),
                }
            }
            13 => ClientMessage::Leave {},
            14 => ClientMessage::Visibility { hidden: a % 2 == 0 },
            _ if a % 2 == 0 => ClientMessage::Ice {},
            _ => ClientMessage::Ping {},
        }
    }

    /// Reads what the hub says, as clients do.
    fn read(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Send { connection, text } => {
                    let client = self.open.get_mut(&connection).expect("told after the end");
                    let message = ServerMessage::decode(&text).expect("our own message");
                    assert_eq!(message.encode(), &*text, "written in another way");
                    client.hear(message);
                }
                Output::Store(change) => panic!("a hub without people keeps {change:?}"),
                Output::Close { connection, code } => {
                    assert!(CloseCode::ALL.contains(&code));
                    assert!(self.open.remove(&connection).is_some(), "closed after the end");
                }
            }
        }
    }

    /// What must hold between any two facts.
    fn check(&self) {
        let counts = self.hub.counts();
        assert_eq!(counts.connections, self.open.len());
        assert!(counts.rooms <= ROOMS.len() && counts.seats <= ROOMS.len() * limits::ROOM_SEATS);
        assert!(counts.watchers <= self.open.len() && counts.away <= counts.seats);
        // Stale timers lie about until they are due: some for each socket, seat and room.
        assert!(counts.timers < 4096, "{} timers", counts.timers);
        let mut seated = BTreeSet::new();
        for client in self.open.values() {
            let Some(you) = client.view.you else {
                continue;
            };
            assert!(
                seated.insert((client.view.room, you)),
                "one session on two sockets"
            );
            client.view.is_consistent();
        }
        assert_eq!(
            counts.seats - counts.away,
            seated.len(),
            "a seat without its socket"
        );
        // Each with the first of their room: who agrees with one agrees with all.
        let mut first_of: BTreeMap<usize, &View> = BTreeMap::new();
        for view in self.open.values().map(|client| &client.view) {
            let Some(you) = view.you else {
                continue;
            };
            match first_of.get(&view.room) {
                Some(first) => first.agrees_with(view, you),
                None => drop(first_of.insert(view.room, view)),
            }
        }
    }

    /// Everybody goes; time passes; nothing is left.
    fn end(mut self) {
        for key in std::mem::take(&mut self.open).into_keys() {
            self.hub.disconnect(self.now, key);
            // The others are gone as well, in a moment.
            while self.hub.poll_output().is_some() {}
        }
        self.now += limits::RESUME_WINDOW;
        self.hub.tick(self.now);
        assert!(self.hub.poll_output().is_none(), "told after the end");
        let left = self.hub.counts();
        assert_eq!(
            (left.connections, left.rooms, left.seats, left.watchers),
            (0, 0, 0, 0)
        );
        self.now += limits::REFUSED_FOR + Duration::from_secs(120);
        self.hub.tick(self.now);
        assert_eq!(self.hub.counts(), visavis_server::hub::Counts::default());
    }
}

impl Client {
    fn hear(&mut self, message: ServerMessage) {
        let view = &mut self.view;
        match message {
            ServerMessage::Joined {
                you,
                version,
                peers,
                epoch,
                ice,
                ice_lifetime_ms,
                ..
            } => {
                assert_eq!(epoch, EPOCH);
                is_good(&ice, ice_lifetime_ms);
                assert!(!self.must_fail, "another life's session was resumed");
                *view = View {
                    you: Some(you),
                    version,
                    others: peers,
                    room: self.asked,
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
            ServerMessage::Left {} => *view = View::default(),
            ServerMessage::Occupancy { peers, seats, .. } => {
                assert!(view.you.is_none(), "seated and still watching");
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
            ServerMessage::Waiting {}
            | ServerMessage::Declined { .. }
            | ServerMessage::Removed {}
            | ServerMessage::Knocks { .. }
            | ServerMessage::Gate { .. }
            | ServerMessage::Moved { .. }
            | ServerMessage::Desk(_)
            | ServerMessage::Visit(_) => {}
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

    fn is_consistent(&self) {
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

    fn agrees_with(&self, other: &Self, them: PeerId) {
        assert_eq!(self.version, other.version, "two versions of one room");
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

fn run(config: HubConfig, input: &[u8]) {
    let mut world = World {
        input: input.iter(),
        hub: Hub::new(config, EPOCH, UNIX),
        now: Duration::from_secs(1),
        next: 0,
        open: BTreeMap::new(),
    };
    while let Some(action) = world.input.next().copied() {
        world.step(action);
    }
    world.end();
}

/// The first byte chooses between the usual limits and hardly any, which lets more happen.
fn config(input: &[u8], fault: Option<HubFault>) -> HubConfig {
    let mut config = HubConfig {
        ice: vec![ice_server("stun:stun.example").unwrap()],
        turn: Some(TurnConfig {
            urls: vec!["turn:turn.example".into()],
            secret: TurnSecret::new("north").unwrap(),
            lifetime: TURN_LIFETIME,
        }),
        ..HubConfig::default()
    };
    if input.first().is_none_or(|byte| byte % 4 != 0) {
        config.limits.joins_per_second = 0;
        config.limits.rooms_per_minute = 0;
        config.limits.failed_resumes = 1000;
        config.limits.errors_per_connection = 1000;
    }
    #[cfg(feature = "planted-bugs")]
    {
        config.fault = fault;
    }
    let _ = fault;
    config
}

fn target(input: &[u8]) {
    run(config(input, None), input);
}

#[test]
fn a_hub_keeps_its_word_whatever_happens() {
    Fuzz {
        name: "hub",
        longest: 2048,
        // A socket that is greeted; joins, resumes and packets of it.
        dictionary: &[
            b"\x01\x00",
            b"\x05\x00\x02\x00\x00",
            b"\x05\x01\x03\x00\x0b",
            b"\x05\x00\x07\x00\x0b",
            b"\x05\x01\x0a\x00\x00",
            b"\x03\x05",
            b"\x03\x03",
            b"\x02\x00",
        ],
        target,
    }
    .run();
}

/// A test that cannot fail proves nothing: each planted bug must be found.
#[cfg(feature = "planted-bugs")]
#[test]
#[allow(clippy::print_stdout, reason = "the figures are for whoever runs it")]
fn every_planted_bug_is_found() {
    std::panic::set_hook(Box::new(|_| {}));
    let seed = fuzz::seed();
    let pool = fuzz::corpus("hub");
    for fault in HubFault::OF_ROOMS {
        let mut random = fuzz::Random::new(seed);
        let found = (0..20_000).find(|n| {
            let input: Vec<u8> = match pool.get(*n) {
                Some(input) => input.clone(),
                None => (0..400).map(|_| random.next() as u8).collect(),
            };
            std::panic::catch_unwind(|| run(config(&input, Some(*fault)), &input)).is_err()
        });
        println!("{fault:?}: found by input {found:?}, seed {seed}");
        assert!(found.is_some(), "{fault:?} is not found");
    }
}
