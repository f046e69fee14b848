//! What tests of rooms with a host share.

use visavis_protocol::{
    Charter, Claim, ClientMessage, ErrorCode, HostRequest, HostSecret, Hosting, Pass, PeerId, RoomId,
    RoomSecret, ServerMessage, Waiter,
};

use super::harness::{EPOCH, World, peer, seat, session};
use crate::hub::ConnectionKey;

/// The number of the host, whose secret is [`secret`].
pub(super) const HOST: u8 = 100;

pub(super) fn secret() -> HostSecret {
    HostSecret::from_bytes([5; 16])
}

/// A room of the host by one of its secrets; with a waiting room if asked.
pub(super) fn room_of(n: u8, waiting_room: bool) -> RoomId {
    let host = secret().host_id();
    let charter = Charter { host, waiting_room };
    RoomId::derive_hosted("tea", &RoomSecret::from_bytes([n; 16]), charter)
}

/// Without a waiting room.
pub(super) fn open() -> RoomId {
    room_of(1, false)
}

/// With one.
pub(super) fn guarded() -> RoomId {
    room_of(1, true)
}

pub(super) fn as_host() -> Claim {
    Claim {
        host: Some(secret()),
        pass: None,
    }
}

pub(super) fn with_pass(pass: Pass) -> Claim {
    Claim {
        host: None,
        pass: Some(pass),
    }
}

pub(super) fn join_of(room: &RoomId, seat_n: u8, session_n: u8, claim: Claim) -> ClientMessage {
    ClientMessage::Join {
        room: room.clone(),
        seat: seat(seat_n),
        session: session(session_n),
        name: format!("Person {seat_n}"),
        claim,
    }
}

pub(super) fn resume_of(room: &RoomId, n: u8, claim: Claim) -> ClientMessage {
    ClientMessage::Resume {
        epoch: EPOCH,
        room: room.clone(),
        session: session(n),
        claim,
    }
}

pub(super) fn watch_of(room: &RoomId, seat_n: Option<u8>, claim: Claim) -> ClientMessage {
    ClientMessage::Watch {
        room: room.clone(),
        seat: seat_n.map(|n| seat(n).seat_id()),
        claim,
    }
}

pub(super) fn ask(request: HostRequest) -> ClientMessage {
    ClientMessage::Host(request)
}

pub(super) fn set_gate(waiting_room: bool, locked: bool) -> ClientMessage {
    ask(HostRequest::SetGate {
        gate: visavis_protocol::Gate { waiting_room, locked },
    })
}

pub(super) fn admit(numbers: &[u8]) -> ClientMessage {
    ask(HostRequest::Admit {
        peers: numbers.iter().map(|n| peer(*n)).collect(),
    })
}

pub(super) fn remove(n: u8, next: &RoomId) -> ClientMessage {
    ask(HostRequest::Remove {
        peer: peer(n),
        next: next.clone(),
    })
}

impl World {
    /// A new socket that asked for a seat, and what it was told.
    pub(super) fn joins(
        &mut self,
        room: &RoomId,
        seat_n: u8,
        session_n: u8,
        claim: Claim,
    ) -> (ConnectionKey, Vec<ServerMessage>) {
        let connection = self.greeted();
        self.say(connection, &join_of(room, seat_n, session_n, claim));
        let told = self.take(connection);
        (connection, told)
    }

    /// The host, seated.
    pub(super) fn host_in(&mut self, room: &RoomId) -> ConnectionKey {
        let (connection, told) = self.joins(room, HOST, HOST, as_host());
        assert!(hosting(&told).host, "{told:?}");
        connection
    }

    /// Somebody who comes in without being asked.
    pub(super) fn guest_in(&mut self, room: &RoomId, n: u8) -> (ConnectionKey, Pass) {
        let (connection, told) = self.joins(room, n, n, Claim::default());
        let pass = hosting(&told).pass.expect("no pass");
        (connection, pass)
    }

    /// Somebody who waits.
    pub(super) fn waits_at(&mut self, room: &RoomId, n: u8) -> ConnectionKey {
        let (connection, told) = self.joins(room, n, n, Claim::default());
        assert_eq!(told, [ServerMessage::Waiting {}]);
        connection
    }
}

/// What the only `joined` among the messages says of the host.
pub(super) fn hosting(told: &[ServerMessage]) -> Hosting {
    let mut all = told.iter().filter_map(|message| {
        let ServerMessage::Joined { hosting, .. } = message else {
            return None;
        };
        Some(hosting.clone())
    });
    let found = all.next().unwrap_or_else(|| panic!("not seated: {told:?}"));
    assert!(all.next().is_none(), "seated twice");
    found
}

/// The lists of those who wait among the messages.
pub(super) fn knocks(told: &[ServerMessage]) -> Vec<Vec<Waiter>> {
    told.iter()
        .filter_map(|message| {
            let ServerMessage::Knocks { waiting } = message else {
                return None;
            };
            Some(waiting.clone())
        })
        .collect()
}

/// Who is in the last of these lists.
pub(super) fn last_knocks(told: &[ServerMessage]) -> Vec<PeerId> {
    let lists = knocks(told);
    let last = lists.last().unwrap_or_else(|| panic!("no knocks: {told:?}"));
    last.iter().map(|waiter| waiter.peer).collect()
}

/// The error that is all that was told.
pub(super) fn error(told: &[ServerMessage]) -> ErrorCode {
    match told {
        [ServerMessage::Error { code, .. }] => *code,
        other => panic!("expected one error: {other:?}"),
    }
}
