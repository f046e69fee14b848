//! One socket as the hub sees it, and the way of its messages.

use core::cmp::Reverse;
use core::time::Duration;

use unicode_normalization::is_nfc;
use visavis_protocol::message::{DecodeError, claimed_kind};
use visavis_protocol::people::PeopleRequest;
use visavis_protocol::{
    ClientMessage, CloseCode, ErrorCode, PeerId, RoomId, ServerMessage, VERSIONS, limits,
};

use super::address::AddressKey;
use super::config::{HubFault, HubLimits};
use super::people::Site;
use super::rate::{Bucket, Rate};
use super::relay::RawRelay;
use super::room::RoomKey;
use super::roster::{Newcomer, Return};
use super::{ConnectionKey, Hub, Timer};

/// How far a connection has come.
///
/// ```text
/// Stranger ──hello──▶ Greeted ◀──watch, leave──▶ Watching
///                        │  ▲                        │
///              join, resume │ leave         join, resume
///                        ▼  │                        │
///                       Seated ◀─────────────────────┘
///                        ▲
///                        │ a host admits
///   Greeted, Watching ──join──▶ Waiting ──leave, declined──▶ Greeted
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Has not said `hello`.
    Stranger,
    /// In no room.
    Greeted,
    /// Looks at a room.
    Watching(RoomKey),
    /// Waits before a room until a host decides.
    Waiting(RoomKey, PeerId),
    /// Sits in a room.
    Seated(RoomKey, PeerId),
}

/// One socket.
pub(super) struct Connection {
    pub(super) address: AddressKey,
    pub(super) place: Place,
    /// When it was last heard.
    heard: Duration,
    /// When its silence will be looked at.
    look_at: Duration,
    hidden: bool,
    messages: Bucket,
    bytes: Bucket,
    message_flood: Bucket,
    byte_flood: Bucket,
    /// When a refusal for haste was last answered; more often than once a second would only
    /// add to the flood.
    warned: Option<Duration>,
    offences: u32,
}

impl Connection {
    pub(super) fn new(now: Duration, address: AddressKey, look_at: Duration) -> Self {
        Self {
            address,
            place: Place::Stranger,
            heard: now,
            look_at,
            hidden: false,
            messages: Bucket::default(),
            bytes: Bucket::default(),
            message_flood: Bucket::default(),
            byte_flood: Bucket::default(),
            warned: None,
            offences: 0,
        }
    }

    /// When it will have been silent too long, if nothing more is heard.
    fn deadline(&self, limits: &HubLimits) -> Duration {
        let patience = match (self.place, self.hidden) {
            (Place::Stranger, _) => limits.first_message_within,
            (_, false) => limits.dead_after,
            (_, true) => limits.dead_after_hidden,
        };
        self.heard + patience
    }
}

/// The rates of every connection.
pub(super) struct Rates {
    messages: Rate,
    bytes: Rate,
    message_flood: Rate,
    byte_flood: Rate,
}

impl Rates {
    pub(super) fn new(config: &HubLimits) -> Self {
        // Three times the rate for `FLOOD_AFTER`: a bucket of that size which fills at that pace.
        let flood = |rate: u32| {
            let rate = rate.saturating_mul(3);
            let burst = u64::from(rate).saturating_mul(limits::FLOOD_AFTER.as_secs());
            Rate::per_second(rate, u32::try_from(burst).unwrap_or(u32::MAX))
        };
        Self {
            messages: Rate::per_second(config.messages_per_second, config.messages_burst),
            bytes: Rate::per_second(config.bytes_per_second, config.bytes_burst),
            message_flood: flood(config.messages_per_second),
            byte_flood: flood(config.bytes_per_second),
        }
    }
}

/// What the rates say to a message.
enum Verdict {
    Fine,
    TooFast,
    Flood,
}

impl Place {
    /// The room in which it is a seat.
    const fn room_of_seat(self) -> Option<RoomKey> {
        match self {
            Self::Seated(room, _) => Some(room),
            Self::Stranger | Self::Greeted | Self::Watching(_) | Self::Waiting(..) => None,
        }
    }
}

impl Hub {
    /// A text message came. Total: whatever it is, the answer is an output.
    pub fn receive(&mut self, now: Duration, connection: ConnectionKey, text: &str) {
        self.tick(now);
        self.take_in(now, connection, text);
        self.say_where(now, connection);
        self.tick(now);
    }

    /// Tells those who call each other whether somebody sits in a room.
    pub(super) fn say_where(&mut self, now: Duration, connection: ConnectionKey) {
        if let Some(people) = &mut self.people {
            let place = self.connections.get(&connection).map(|known| known.place);
            people.set_seated(now, connection, place.and_then(Place::room_of_seat));
        }
    }

    fn take_in(&mut self, now: Duration, connection: ConnectionKey, text: &str) {
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        self.totals.messages += 1;
        known.heard = now;
        let place = known.place;
        match known.judge(now, &self.rates, text.len()) {
            Verdict::Fine => {}
            Verdict::TooFast => return self.warn_of_haste(now, connection, text),
            Verdict::Flood => {
                self.send_error(connection, ErrorCode::RateLimited, None, None);
                return self.close(now, connection, CloseCode::RateLimited);
            }
        }
        if let Place::Seated(room, from) = place
            && let Some(raw) = RawRelay::read(text)
            && self.relay_raw(connection, room, from, raw)
        {
            return;
        }
        match ClientMessage::decode(text) {
            Ok(message) => self.handle(now, connection, place, message),
            Err(error) => self.refuse_text(now, connection, place, text, error),
        }
    }

    fn handle(&mut self, now: Duration, connection: ConnectionKey, place: Place, message: ClientMessage) {
        if let Place::Stranger = place {
            return match message {
                ClientMessage::Hello { versions } => self.greet(now, connection, &versions),
                ClientMessage::Watch { .. }
                | ClientMessage::Join { .. }
                | ClientMessage::Resume { .. }
                | ClientMessage::Relay { .. }
                | ClientMessage::Leave {}
                | ClientMessage::Visibility { .. }
                | ClientMessage::Ice {}
                | ClientMessage::People(_)
                | ClientMessage::Host(_)
                | ClientMessage::Desk(_)
                | ClientMessage::Visit(_)
                | ClientMessage::Ping {} => self.refuse_stranger(now, connection, message.kind()),
            };
        }
        if let ClientMessage::Watch { room, .. }
        | ClientMessage::Join { room, .. }
        | ClientMessage::Resume { room, .. } = &message
            && !is_canonical(room)
        {
            return self.offend(now, connection, ErrorCode::BadMessage, Some(message.kind()));
        }
        match message {
            ClientMessage::Hello { .. } => {
                self.send_error(connection, ErrorCode::AlreadyGreeted, Some("hello"), None);
                self.close(now, connection, CloseCode::BadMessage);
            }
            ClientMessage::Watch { room, seat, claim } => self.watch(now, connection, room, seat, &claim),
            ClientMessage::Join {
                room,
                seat,
                session,
                name,
                claim,
            } => {
                let who = Newcomer {
                    asked: room,
                    seat: seat.seat_id(),
                    peer: session.peer_id(),
                    name,
                    host: false,
                    pass: None,
                };
                self.join(now, connection, who, &claim);
            }
            ClientMessage::Resume {
                epoch,
                room,
                session,
                claim,
            } => {
                let who = Return {
                    epoch,
                    asked: &room,
                    peer: session.peer_id(),
                    claim: &claim,
                };
                self.resume(now, connection, &who);
            }
            ClientMessage::Relay { to, n, body } => self.relay(now, connection, place, to, n, body),
            ClientMessage::Leave {} => self.leave(now, connection),
            ClientMessage::Visibility { hidden } => {
                self.set_hidden(connection, hidden);
                if let Some(people) = &mut self.people {
                    people.set_hidden(now, connection, hidden);
                }
                if let Some(appointments) = &mut self.appointments {
                    appointments.set_hidden(connection, hidden);
                }
            }
            ClientMessage::Ice {} => self.tell_ice(now, connection, place),
            ClientMessage::People(request) => self.about_people(now, connection, place, request),
            ClientMessage::Host(request) => self.host(now, connection, place, request),
            ClientMessage::Desk(request) => {
                let is_hidden = self
                    .connections
                    .get(&connection)
                    .is_some_and(|known| known.hidden);
                match &mut self.appointments {
                    Some(appointments) => appointments.desk(now, connection, is_hidden, request),
                    None => self.send_error(connection, ErrorCode::UnknownKind, Some("desk"), None),
                }
            }
            ClientMessage::Visit(request) => match &mut self.appointments {
                Some(appointments) => appointments.visit(now, connection, request),
                None => self.send_error(connection, ErrorCode::UnknownKind, Some("visit"), None),
            },
            ClientMessage::Ping {} => self.push(connection, self.pong.clone()),
        }
    }

    fn about_people(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        place: Place,
        request: PeopleRequest,
    ) {
        let (Some(people), Some(known)) = (&mut self.people, self.connections.get(&connection)) else {
            return self.send_error(connection, ErrorCode::UnknownKind, Some("people"), None);
        };
        let addresses = &mut self.addresses;
        let mut site = Site {
            hidden: known.hidden,
            seated: place.room_of_seat(),
            may_take_handle: &mut || addresses.may_take_handle(now, known.address),
        };
        people.handle(now, connection, request, &mut site);
    }

    fn greet(&mut self, now: Duration, connection: ConnectionKey, versions: &[u16]) {
        if !versions.iter().any(|version| VERSIONS.contains(version)) {
            self.send_error(connection, ErrorCode::UnsupportedVersion, Some("hello"), None);
            return self.close(now, connection, CloseCode::Version);
        }
        if let Some(known) = self.connections.get_mut(&connection) {
            known.place = Place::Greeted;
        }
        self.push(connection, self.welcome.clone());
    }

    fn refuse_stranger(&mut self, now: Duration, connection: ConnectionKey, kind: &str) {
        let about = (!kind.is_empty()).then_some(kind);
        self.send_error(connection, ErrorCode::BadMessage, about, None);
        self.close(now, connection, CloseCode::NoHello);
    }

    fn refuse_text(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        place: Place,
        text: &str,
        error: DecodeError,
    ) {
        let about = claimed_kind(text);
        if let Place::Stranger = place {
            return self.refuse_stranger(now, connection, about.unwrap_or_default());
        }
        let code = match error {
            DecodeError::UnknownKind => ErrorCode::UnknownKind,
            DecodeError::Malformed => ErrorCode::BadMessage,
        };
        self.offend(now, connection, code, about);
    }

    /// Answers something that no honest client writes. Too much of it ends the connection.
    pub(super) fn offend(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        code: ErrorCode,
        about: Option<&str>,
    ) {
        self.send_error(connection, code, about, None);
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        known.offences += 1;
        if known.offences >= self.config.limits.errors_per_connection {
            self.close(now, connection, CloseCode::BadMessage);
        }
    }

    /// Hands a packet on in the usual case. `false` leaves the message to the strict way.
    fn relay_raw(
        &mut self,
        connection: ConnectionKey,
        room: RoomKey,
        from: PeerId,
        raw: RawRelay<'_>,
    ) -> bool {
        if raw.body.len() > limits::BODY_BYTES {
            return false;
        }
        let Some(room) = self.rooms.get(&room) else {
            return false;
        };
        let Some(sender) = room
            .seats
            .iter()
            .find(|seat| seat.peer == from && seat.connection() == Some(connection))
        else {
            return false;
        };
        let Some(mut target) = room
            .seats
            .iter()
            .find(|seat| *seat.peer_text == *raw.to && seat.peer != from)
        else {
            return false;
        };
        if self.config.has(HubFault::RelayMisdelivered)
            && let Some(first) = room.seats.iter().find(|seat| seat.peer != from)
        {
            target = first;
        }
        // Somebody who is away misses it: on their return the sender is told to send it again.
        if let Some(to) = target.connection() {
            let text = raw.write(&sender.peer_text);
            self.totals.relayed += 1;
            self.totals.relayed_bytes += text.len() as u64;
            self.push(to, text);
        }
        true
    }

    /// Hands a packet on, or says why not.
    fn relay(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        place: Place,
        to: PeerId,
        n: u64,
        body: String,
    ) {
        let Place::Seated(room, from) = place else {
            return self.send_error(connection, ErrorCode::NotJoined, Some("relay"), Some(to));
        };
        if to == from {
            return self.offend(now, connection, ErrorCode::SelfAddressed, Some("relay"));
        }
        if body.len() > limits::BODY_BYTES {
            return self.offend(now, connection, ErrorCode::BadMessage, Some("relay"));
        }
        let target = self
            .rooms
            .get(&room)
            .and_then(|room| room.seats.iter().find(|seat| seat.peer == to));
        let Some(target) = target else {
            return self.send_error(connection, ErrorCode::UnknownPeer, Some("relay"), Some(to));
        };
        if let Some(target) = target.connection() {
            let message = ServerMessage::Relay { from, n, body }.encode();
            self.totals.relayed += 1;
            self.totals.relayed_bytes += message.len() as u64;
            self.push(target, message.into());
        }
    }

    fn set_hidden(&mut self, connection: ConnectionKey, hidden: bool) {
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        known.hidden = hidden;
        let deadline = known.deadline(&self.config.limits);
        if deadline < known.look_at {
            known.look_at = deadline;
            self.timers.push(Reverse((deadline, Timer::Silence(connection))));
        }
    }

    /// Closes a connection that has been silent too long, or looks again later.
    pub(super) fn check_silence(&mut self, now: Duration, due: Duration, connection: ConnectionKey) {
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        if known.look_at != due {
            return;
        }
        let deadline = known.deadline(&self.config.limits);
        if deadline > now {
            known.look_at = deadline;
            self.timers.push(Reverse((deadline, Timer::Silence(connection))));
            return;
        }
        let code = match known.place {
            Place::Stranger => CloseCode::NoHello,
            Place::Greeted | Place::Watching(_) | Place::Waiting(..) | Place::Seated(..) => CloseCode::Silent,
        };
        self.close(now, connection, code);
    }

    fn warn_of_haste(&mut self, now: Duration, connection: ConnectionKey, text: &str) {
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        let recently = known
            .warned
            .is_some_and(|warned| now < warned + Duration::from_secs(1));
        if !recently {
            known.warned = Some(now);
            self.send_error(connection, ErrorCode::RateLimited, claimed_kind(text), None);
        }
    }

    /// Ends a connection from our side: as if the socket were gone, plus a close frame.
    pub(super) fn close(&mut self, now: Duration, connection: ConnectionKey, code: CloseCode) {
        self.push_close(connection, code);
        self.forget(now, connection);
    }

    /// Forgets a connection; a seat that it holds goes into its resume window.
    pub(super) fn forget(&mut self, now: Duration, connection: ConnectionKey) {
        let Some(known) = self.connections.remove(&connection) else {
            return;
        };
        self.addresses.disconnected(now, known.address);
        if let Some(people) = &mut self.people {
            people.page_gone(now, connection, false);
        }
        if let Some(appointments) = &mut self.appointments {
            appointments.page_gone(now, connection);
        }
        match known.place {
            Place::Stranger | Place::Greeted => {}
            Place::Watching(room) => self.stop_watching(now, room, connection),
            Place::Waiting(room, peer) => self.waiter_lost(now, room, peer, connection),
            Place::Seated(room, peer) => self.socket_lost(now, room, peer, connection),
        }
    }
}

/// Whether an open room's name is in the one spelling that stands for all.
fn is_canonical(room: &RoomId) -> bool {
    room.open_name()
        .is_none_or(|name| is_nfc(name) && name == name.to_lowercase())
}

impl Connection {
    fn judge(&mut self, now: Duration, rates: &Rates, bytes: usize) -> Verdict {
        if !self.message_flood.take(now, rates.message_flood, 1)
            || !self.byte_flood.take(now, rates.byte_flood, bytes)
        {
            return Verdict::Flood;
        }
        if !self.messages.take(now, rates.messages, 1) || !self.bytes.take(now, rates.bytes, bytes) {
            return Verdict::TooFast;
        }
        Verdict::Fine
    }
}
