//! A hub with fake connections: every test speaks to it as the sockets do.

use core::time::Duration;
use std::collections::BTreeMap;

use visavis_protocol::{
    ClientMessage, CloseCode, Epoch, ErrorCode, PeerId, RoomId, SeatSecret, ServerMessage, SessionSecret,
};

use crate::hub::{AddressKey, Change, ConnectionKey, Counts, Hub, HubConfig, Output};

pub(super) const EPOCH: Epoch = Epoch::from_bytes([7; 16]);
/// When the hub's own time is zero.
pub(super) const UNIX: Duration = Duration::from_secs(1_767_225_600);

/// What a connection was told.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) messages: Vec<ServerMessage>,
    pub(super) closed: Option<CloseCode>,
}

pub(super) struct World {
    pub(super) hub: Hub,
    pub(super) now: Duration,
    /// What was to be written down.
    pub(super) stored: Vec<Change>,
    next: u64,
    inboxes: BTreeMap<ConnectionKey, Inbox>,
}

pub(super) fn room(name: &str) -> RoomId {
    RoomId::derive(name, None)
}

pub(super) fn session(n: u8) -> SessionSecret {
    SessionSecret::from_bytes([n; 16])
}

pub(super) fn peer(n: u8) -> PeerId {
    session(n).peer_id()
}

pub(super) fn seat(n: u8) -> SeatSecret {
    SeatSecret::from_bytes([n; 16])
}

pub(super) fn hello() -> ClientMessage {
    ClientMessage::Hello { versions: vec![1] }
}

/// A join whose seat and session carry the same number.
pub(super) fn join(n: u8) -> ClientMessage {
    join_as(n, n)
}

pub(super) fn join_as(seat_n: u8, session_n: u8) -> ClientMessage {
    ClientMessage::Join {
        room: room("tea"),
        seat: seat(seat_n),
        session: session(session_n),
        name: format!("Person {seat_n}"),
        claim: visavis_protocol::Claim::default(),
    }
}

pub(super) fn resume(n: u8) -> ClientMessage {
    ClientMessage::Resume {
        epoch: EPOCH,
        room: room("tea"),
        session: session(n),
        claim: visavis_protocol::Claim::default(),
    }
}

pub(super) fn relay(to: u8, n: u64) -> ClientMessage {
    ClientMessage::Relay {
        to: peer(to),
        n,
        body: format!("packet {n}"),
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(HubConfig::default())
    }

    pub(super) fn with(config: HubConfig) -> Self {
        Self {
            hub: Hub::new(config, EPOCH, UNIX),
            now: Duration::from_secs(1000),
            stored: Vec::new(),
            next: 0,
            inboxes: BTreeMap::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Send { connection, text } => {
                    let inbox = self.inboxes.get_mut(&connection).unwrap();
                    assert_eq!(inbox.closed, None, "written to after the close");
                    inbox.messages.push(ServerMessage::decode(&text).unwrap());
                }
                Output::Store(change) => self.stored.push(change),
                Output::Close { connection, code } => {
                    let inbox = self.inboxes.get_mut(&connection).unwrap();
                    assert_eq!(inbox.closed, None, "closed twice");
                    inbox.closed = Some(code);
                }
            }
        }
    }

    pub(super) fn connect_from(&mut self, address: u32) -> ConnectionKey {
        let key = ConnectionKey(self.next);
        self.next += 1;
        self.inboxes.insert(key, Inbox::default());
        self.hub.connect(self.now, key, AddressKey::V4(address));
        self.drain();
        key
    }

    pub(super) fn say_text(&mut self, connection: ConnectionKey, text: &str) {
        self.hub.receive(self.now, connection, text);
        self.drain();
    }

    pub(super) fn say(&mut self, connection: ConnectionKey, message: &ClientMessage) {
        self.say_text(connection, &message.encode());
    }

    pub(super) fn disconnect(&mut self, connection: ConnectionKey) {
        self.hub.disconnect(self.now, connection);
        self.drain();
    }

    /// A connection that has said `hello` and read the `welcome`. Each from its own address.
    pub(super) fn depart(&mut self, connection: ConnectionKey) {
        self.hub.depart(self.now, connection);
        self.drain();
    }

    pub(super) fn greeted(&mut self) -> ConnectionKey {
        let address = u32::try_from(self.next).unwrap();
        let connection = self.connect_from(address);
        self.say(connection, &hello());
        let messages = self.take(connection);
        assert!(matches!(
            messages[..],
            [ServerMessage::Welcome { version: 1, .. }]
        ));
        connection
    }

    /// A connection seated in the room "tea" that has read its snapshot.
    pub(super) fn seated(&mut self, n: u8) -> ConnectionKey {
        let connection = self.greeted();
        self.say(connection, &join(n));
        let messages = self.take(connection);
        assert!(
            matches!(messages[..], [ServerMessage::Joined { .. }]),
            "{messages:?}"
        );
        connection
    }

    /// What the connection was told since the last look.
    pub(super) fn take(&mut self, connection: ConnectionKey) -> Vec<ServerMessage> {
        std::mem::take(&mut self.inboxes.get_mut(&connection).unwrap().messages)
    }

    pub(super) fn take_error(&mut self, connection: ConnectionKey) -> Option<ErrorCode> {
        match &self.take(connection)[..] {
            [] => None,
            [ServerMessage::Error { code, .. }] => Some(*code),
            other => panic!("expected one error: {other:?}"),
        }
    }

    pub(super) fn closed(&self, connection: ConnectionKey) -> Option<CloseCode> {
        self.inboxes[&connection].closed
    }

    /// Lets time pass, waking the hub whenever it asked for it. Those who live say so.
    pub(super) fn pass(&mut self, time: Duration, alive: &[ConnectionKey]) {
        let end = self.now + time;
        while self.now < end {
            let due = self.hub.poll_timeout().unwrap_or(end);
            self.now = due.max(self.now).min(end).min(self.now + Duration::from_secs(5));
            self.hub.tick(self.now);
            self.drain();
            assert!(
                self.hub.poll_timeout().is_none_or(|due| due > self.now),
                "a timer stuck"
            );
            for connection in alive {
                self.say(*connection, &ClientMessage::Ping {});
                let inbox = self.inboxes.get_mut(connection).unwrap();
                inbox
                    .messages
                    .retain(|message| *message != ServerMessage::Pong {});
            }
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.hub.counts()
    }
}
