//! Fuzzes the hub with sequences of facts: whatever people, sockets and clocks do, everybody sees
//! the same room, and in the end nothing is left.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

mod client;
#[path = "../fuzz/mod.rs"]
mod fuzz;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use client::{Client, View};
use fuzz::Fuzz;
use visavis_protocol::{
    Charter, Claim, ClientMessage, CloseCode, Epoch, Gate, HostRequest, HostSecret, Pass, PeerId, RoomId,
    RoomSecret, SeatId, SeatSecret, ServerMessage, SessionSecret, limits,
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
/// Secrets that each room with a host can have, one after the other.
const SECRETS: usize = 4;
/// Ids that rooms can have: open ones, those with a host, and those with a waiting room besides.
const IDS: usize = ROOMS.len() + 2 * SECRETS;
/// Sockets open at once, so that long inputs do not only open more.
const SOCKETS: usize = 24;

struct World<'a> {
    input: std::slice::Iter<'a, u8>,
    hub: Hub,
    now: Duration,
    next: u64,
    open: BTreeMap<ConnectionKey, Client>,
    passes: Vec<Pass>,
    /// Seats that were removed, by the id that their room had until then.
    removed: BTreeSet<(RoomId, SeatId)>,
}

fn secret(n: usize) -> SessionSecret {
    SessionSecret::from_bytes([n as u8; 16])
}

fn host_secret() -> HostSecret {
    HostSecret::from_bytes([0xaa; 16])
}

fn room(n: usize) -> RoomId {
    let n = n % IDS;
    let Some(n) = n.checked_sub(ROOMS.len()) else {
        return RoomId::derive(ROOMS[n], None);
    };
    let host = host_secret().host_id();
    let waiting_room = n.is_multiple_of(2);
    let secret = RoomSecret::from_bytes([(n / 2) as u8; 16]);
    RoomId::derive_hosted("tea", &secret, Charter { host, waiting_room })
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
        let Some(client) = self.open.get_mut(&key) else {
            return;
        };
        let message = ClientMessage::decode(text);
        match &message {
            Ok(ClientMessage::Join {
                room, seat, claim, ..
            }) => {
                client.must_fail = false;
                client.asked = Some(room.clone());
                client.seat = Some(seat.seat_id());
                client.claims_host = claim.host == Some(host_secret());
            }
            Ok(ClientMessage::Resume {
                room, epoch, claim, ..
            }) => {
                client.must_fail = *epoch != EPOCH;
                client.asked = Some(room.clone());
                client.claims_host = claim.host == Some(host_secret());
            }
            Ok(ClientMessage::Host(HostRequest::Admit { .. })) => self.removed.clear(),
            Ok(_) | Err(_) => {}
        }
        let joins = self.hub.totals().joins;
        self.hub.receive(self.now, key, text);
        self.read();
        let Some(client) = self.open.get_mut(&key) else {
            return;
        };
        let is_new = std::mem::take(&mut client.let_in) && self.hub.totals().joins > joins;
        if let (Ok(ClientMessage::Join { room, seat, .. }), true) = (message, is_new) {
            assert!(
                !self.removed.contains(&(room, seat.seat_id())),
                "who was removed came back by the old link"
            );
        }
        // What is told later is about the wait, not about what was refused meanwhile.
        if let Some(waits) = &client.waits {
            client.asked = Some(waits.clone());
            client.must_fail = false;
            client.claims_host = false;
        }
    }

    /// What somebody shows, where the room has a host.
    fn claim(&mut self, room: &RoomId) -> Claim {
        if room.charter().is_none() {
            return Claim::default();
        }
        let what = self.byte();
        let host = match what % 4 {
            0 | 1 => None,
            2 => Some(host_secret()),
            _ => Some(HostSecret::from_bytes([0xbb; 16])),
        };
        let count = self.passes.len().max(1);
        let pass = (what >= 64)
            .then(|| self.passes.get((what / 4) % count).copied())
            .flatten();
        Claim { host, pass }
    }

    fn message(&mut self, key: ConnectionKey) -> ClientMessage {
        let (kind, a, b) = (self.byte(), self.byte(), self.byte());
        match kind % 21 {
            0 => ClientMessage::Hello {
                versions: vec![(a % 3) as u16],
            },
            1 => ClientMessage::Watch {
                room: room(a),
                seat: Some(SeatSecret::from_bytes([(b % 10) as u8; 16]).seat_id()),
                claim: self.claim(&room(a)),
            },
            2..=6 => ClientMessage::Join {
                room: room(a),
                seat: SeatSecret::from_bytes([(b % 10) as u8; 16]),
                session: secret(b / 10),
                name: if a == 255 {
                    "\u{202e}".into()
                } else {
                    format!("Person {b}")
                },
                claim: self.claim(&room(a)),
            },
            7..=9 => ClientMessage::Resume {
                epoch: if a >= 240 {
                    Epoch::from_bytes([2; 16])
                } else {
                    EPOCH
                },
                room: room(a),
                session: secret(b / 10),
                claim: self.claim(&room(a)),
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
            15 if a % 2 == 0 => ClientMessage::Ice {},
            15 => ClientMessage::Ping {},
            _ => ClientMessage::Host(self.host_request(key, kind, a, b)),
        }
    }

    fn host_request(&self, key: ConnectionKey, kind: usize, a: usize, b: usize) -> HostRequest {
        let view = &self.open[&key].view;
        let waiting = |n: usize| match view.knocks.get(n % view.knocks.len().max(1)) {
            Some(waiter) => waiter.peer,
            None => secret(b / 10).peer_id(),
        };
        match kind % 21 {
            16 => HostRequest::SetGate {
                gate: Gate {
                    waiting_room: a % 2 == 1,
                    locked: a % 8 >= 6,
                },
            },
            17 | 18 => HostRequest::Admit {
                peers: (0..a % 4).map(|n| waiting(n + b)).collect(),
            },
            19 => HostRequest::Decline {
                peer: waiting(a),
                word: "later\u{202e}".into(),
            },
            _ if a >= 192 => HostRequest::Rename { next: room(b) },
            _ => HostRequest::Remove {
                peer: match view.others.get(a % 9) {
                    Some(entry) => entry.peer,
                    None => secret(a / 10).peer_id(),
                },
                next: room(b),
            },
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
                    if let (ServerMessage::Removed {}, Some(room), Some(seat)) =
                        (&message, &client.view.room, client.seat)
                    {
                        self.removed.insert((room.clone(), seat));
                    }
                    if let ServerMessage::Joined { hosting, .. } = &message {
                        self.passes.extend(hosting.pass);
                    }
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
        assert!(counts.rooms <= IDS && counts.seats <= IDS * limits::ROOM_SEATS);
        assert!(counts.waiting <= IDS * limits::ROOM_WAITING);
        let waiting = self.open.values().filter(|client| client.waits.is_some());
        assert!(waiting.count() <= counts.waiting, "somebody waits unnoticed");
        assert!(counts.watchers <= self.open.len() && counts.away <= counts.seats);
        // Stale timers lie about until they are due: some for each socket, seat and room.
        assert!(counts.timers < 4096, "{} timers", counts.timers);
        let mut seated = BTreeSet::new();
        for client in self.open.values() {
            let Some(you) = client.view.you else {
                continue;
            };
            assert!(
                seated.insert((client.view.room.clone(), you)),
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
        let mut first_of: BTreeMap<Option<&RoomId>, &View> = BTreeMap::new();
        let mut host_of: BTreeMap<Option<&RoomId>, &View> = BTreeMap::new();
        for view in self.open.values().map(|client| &client.view) {
            let Some(you) = view.you else {
                continue;
            };
            let room = view.room.as_ref();
            match first_of.get(&room) {
                Some(first) => first.agrees_with(view, you),
                None => drop(first_of.insert(room, view)),
            }
            if view.host {
                let first = host_of.entry(room).or_insert(view);
                let who = |view: &View| -> Vec<(PeerId, bool)> {
                    view.knocks
                        .iter()
                        .map(|waiter| (waiter.peer, waiter.away))
                        .collect()
                };
                assert_eq!(who(first), who(view), "two hosts see others wait");
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
            (
                left.connections,
                left.rooms,
                left.seats,
                left.watchers,
                left.waiting
            ),
            (0, 0, 0, 0, 0)
        );
        self.now += limits::REFUSED_FOR + Duration::from_secs(120);
        self.hub.tick(self.now);
        assert_eq!(self.hub.counts(), visavis_server::hub::Counts::default());
    }
}

fn run(config: HubConfig, input: &[u8]) {
    let mut world = World {
        input: input.iter(),
        hub: Hub::new(config, EPOCH, UNIX),
        now: Duration::from_secs(1),
        next: 0,
        open: BTreeMap::new(),
        passes: Vec::new(),
        removed: BTreeSet::new(),
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
            // A host, somebody who comes or waits, and what the host does with them.
            b"\x05\x00\x02\x04\x00\x02",
            b"\x05\x01\x02\x04\x0b\x00",
            b"\x05\x00\x02\x03\x00\x02",
            b"\x05\x01\x02\x03\x0b\x00",
            b"\x05\x00\x11\x03\x00",
            b"\x05\x00\x10\x01\x00",
            b"\x05\x00\x10\x00\x00",
            b"\x05\x00\x14\x00\x06",
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
    for fault in HubFault::OF_ROOMS.iter().chain(HubFault::OF_HOSTS) {
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
