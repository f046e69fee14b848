//! The hub: every decision the server takes about rooms, as a pure state machine.
//!
//! Facts go in ([`Hub::connect`], [`Hub::receive`], [`Hub::disconnect`], [`Hub::tick`]), outputs
//! come out ([`Hub::poll_output`]). It has no clock, no randomness and no sockets (what it needs of
//! the first two it is told), so that the simulator and the fuzzer run the very code that serves people. It never panics on what a client
//! writes, and every one of its collections has a limit. It knows nothing of frames, HTTP or TLS:
//! what a socket may carry is the business of the shell.

mod address;
mod appointments;
mod config;
mod connection;
mod hosts;
mod json_string;
mod link;
mod moved;
mod pass;
mod people;
mod rate;
mod relay;
mod room;
mod roster;
mod totals;
mod turn;
mod waiting;
mod watch;

#[cfg(test)]
mod tests;

use core::cmp::Reverse;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use bytestring::ByteString;
use rustc_hash::FxHashMap;
use visavis_protocol::{CloseCode, Epoch, ErrorCode, Handle, PeerId, RoomId, ServerMessage, VERSIONS};

pub use address::AddressKey;
use address::Addresses;
use appointments::Appointments;
pub use appointments::{AppointmentsConfig, Booking, Kept, KeptAppointment, Progress};
pub use config::{HubConfig, HubFault, HubLimits, PeopleConfig};
use connection::{Connection, Rates};
pub use link::{DeskClaims, LinkSigner, Links, VisitClaims};
use moved::MovedRooms;
pub use pass::PassKey;
pub use people::{CallFigure, Change, Directory, PeopleCounts, PeopleSecret, ReadToken, Tokens, Verify};
use people::{People, Word};
pub use rate::{Bucket, Rate};
use room::{Room, RoomKey};
pub use totals::{Counts, Totals};
use turn::Relays;
pub use turn::{Credentials, TurnConfig, TurnSecret};

/// Names one socket. Chosen by the caller and never used twice, so that a late word about an old
/// socket cannot be taken for one about its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey(pub u64);

/// What the caller is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this text message.
    Send {
        /// To whom.
        connection: ConnectionKey,
        /// The message; cheap to clone.
        text: ByteString,
    },
    /// Write this down before anything that follows is sent.
    Store(Change),
    /// Close the socket after what was sent before. The hub has forgotten the connection already:
    /// nothing more comes for it, and what is said of it is ignored.
    Close {
        /// Which.
        connection: ConnectionKey,
        /// The code of the close frame.
        code: CloseCode,
    },
}

/// Watchers are told of a change at once, of the next ones together after this. A room that fills
/// would otherwise cost the square of its joins.
const OCCUPANCY_EVERY: Duration = Duration::from_millis(250);
/// How often idle addresses are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Sessions remembered after their end, so that the resume of a sleeper is not taken for a guess.
const ENDED_SESSIONS: usize = 20_000;

/// Something that is due at a time. What is no longer true by then does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A connection may have been silent too long.
    Silence(ConnectionKey),
    /// The resume window of a seat, or of somebody who waits, may be over.
    Window(RoomKey, PeerId),
    /// Watchers are to be told.
    Tell(RoomKey),
    /// Idle addresses are to be forgotten.
    Sweep,
}

/// Rooms, seats and connections of one server. See the [module](self).
pub struct Hub {
    config: HubConfig,
    relays: Relays,
    rates: Rates,
    epoch: Epoch,
    connections: FxHashMap<ConnectionKey, Connection>,
    rooms: FxHashMap<RoomKey, Room>,
    /// Ordered by name: names are chosen by strangers, who could make a fast hash collide.
    room_keys: BTreeMap<RoomId, RoomKey>,
    moved: MovedRooms,
    next_room: u64,
    addresses: Addresses,
    timers: BinaryHeap<Reverse<(Duration, Timer)>>,
    sweeping: bool,
    ended: Ended,
    /// None where this server knows no handles.
    people: Option<People>,
    /// None where this server signs no links.
    appointments: Option<Appointments>,
    outputs: VecDeque<Output>,
    welcome: ByteString,
    pong: ByteString,
    totals: Totals,
}

impl Hub {
    /// An empty hub. `epoch` must be new at each start of a server; `unix` is the time since 1970
    /// when the hub's own count is zero.
    #[must_use]
    pub fn new(config: HubConfig, epoch: Epoch, unix: Duration) -> Self {
        let relays = Relays::new(&config, epoch, unix);
        let welcome = ServerMessage::Welcome {
            version: VERSIONS[0],
            epoch,
            ice: relays.open().to_vec(),
            relay: relays.are_set(),
        };
        let people = config
            .people
            .clone()
            .map(|people| People::new(people, unix).planted(&config));
        Self {
            appointments: config
                .appointments
                .clone()
                .map(|appointments| Appointments::new(appointments, unix)),
            people,
            relays,
            rates: Rates::new(&config.limits),
            addresses: Addresses::new(&config.limits),
            config,
            epoch,
            connections: FxHashMap::default(),
            rooms: FxHashMap::default(),
            room_keys: BTreeMap::new(),
            moved: MovedRooms::default(),
            next_room: 0,
            timers: BinaryHeap::new(),
            sweeping: false,
            ended: Ended::default(),
            outputs: VecDeque::new(),
            welcome: welcome.encode().into(),
            pong: ServerMessage::Pong {}.encode().into(),
            totals: Totals::default(),
        }
    }

    /// The machine's clock says something else than the count since the start: it was put right,
    /// or the machine slept. `unix` is the time since 1970.
    pub fn set_clock(&mut self, now: Duration, unix: Duration) {
        self.relays.set_clock(now, unix);
        if let Some(people) = &mut self.people {
            people.set_clock(now, unix);
        }
        if let Some(appointments) = &mut self.appointments {
            appointments.set_clock(now, unix);
        }
    }

    /// A socket is open. `now` counts from any fixed point and never goes back; the same holds for
    /// all other methods.
    pub fn connect(&mut self, now: Duration, connection: ConnectionKey, address: AddressKey) {
        self.tick(now);
        if self.connections.contains_key(&connection) {
            debug_assert!(false, "a connection key was used twice");
            return;
        }
        self.totals.connections += 1;
        self.addresses.connected(address);
        let deadline = now + self.config.limits.first_message_within;
        self.connections
            .insert(connection, Connection::new(now, address, deadline));
        self.timers.push(Reverse((deadline, Timer::Silence(connection))));
        if !self.sweeping {
            self.sweeping = true;
            self.timers.push(Reverse((now + SWEEP_EVERY, Timer::Sweep)));
        }
    }

    /// The socket is gone, whoever ended it. Its seat is kept for the resume window.
    pub fn disconnect(&mut self, now: Duration, connection: ConnectionKey) {
        self.tick(now);
        self.forget(now, connection);
        self.tick(now);
    }

    /// The socket is gone together with its page: whoever sat there has left. A browser closes the
    /// sockets of a page that goes away before the page's own last words (Firefox), or cuts these
    /// short, so they cannot be relied upon.
    pub fn depart(&mut self, now: Duration, connection: ConnectionKey) {
        self.tick(now);
        if let Some(people) = &mut self.people {
            people.page_gone(now, connection, true);
        }
        self.give_up_seat(now, connection);
        self.forget(now, connection);
        self.tick(now);
    }

    /// Does what has become due.
    pub fn tick(&mut self, now: Duration) {
        while let Some(Reverse((due, timer))) = self.timers.peek().copied()
            && due <= now
        {
            self.timers.pop();
            match timer {
                Timer::Silence(connection) => self.check_silence(now, due, connection),
                Timer::Window(room, peer) => self.check_window(now, room, peer),
                Timer::Tell(room) => self.tell_watchers_if_due(now, room),
                Timer::Sweep => self.sweep(now),
            }
        }
        if let Some(people) = &mut self.people {
            people.tick(now);
        }
        if let Some(appointments) = &mut self.appointments {
            appointments.tick(now);
        }
        self.speak(now);
    }

    /// Hands on what people are to be told.
    fn speak(&mut self, now: Duration) {
        self.speak_of_appointments(now);
        while let Some(word) = self.people.as_mut().and_then(People::poll_word) {
            match word {
                Word::Tell(connection, event) => self.send(connection, &ServerMessage::People(event)),
                Word::Refuse(connection, code, about) => {
                    self.send_error(connection, code, Some(about), None);
                }
                Word::TellAll(connections, event) => {
                    // Written once, however many are told.
                    let text: ByteString = ServerMessage::People(event).encode().into();
                    for connection in connections {
                        self.push(connection, text.clone());
                    }
                }
                Word::Store(change) => self.outputs.push_back(Output::Store(change)),
            }
        }
    }

    /// Hands on what desks and clients are to be told.
    fn speak_of_appointments(&mut self, now: Duration) {
        while let Some(word) = self.appointments.as_mut().and_then(Appointments::poll_word) {
            match word {
                appointments::Word::Desk(connection, event) => {
                    self.send(connection, &ServerMessage::Desk(event));
                }
                appointments::Word::Visit(connection, event) => {
                    self.send(connection, &ServerMessage::Visit(event));
                }
                appointments::Word::Refuse(connection, code, about, true) => {
                    self.offend(now, connection, code, Some(about));
                }
                appointments::Word::Refuse(connection, code, about, false) => {
                    self.send_error(connection, code, Some(about), None);
                }
                appointments::Word::Store(change) => self.outputs.push_back(Output::Store(change)),
            }
        }
    }

    /// An operator took a handle from whoever had it.
    pub fn free_handle(&mut self, now: Duration, handle: &Handle) {
        if let Some(people) = &mut self.people {
            people.free(now, handle);
        }
        self.tick(now);
    }

    /// When [`Hub::tick`] next has something to do, at the latest. May come early: a look at a
    /// clock is cheaper than a timer moved with every message.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let rooms = self.timers.peek().map(|Reverse((due, _))| *due);
        let people = self.people.as_ref().and_then(People::poll_timeout);
        let appointments = self.appointments.as_ref().and_then(Appointments::poll_timeout);
        [rooms, people, appointments].into_iter().flatten().min()
    }

    /// The next thing to do; to be drained after each call of another method.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What there is at the moment.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            connections: self.connections.len(),
            addresses: self.addresses.len(),
            timers: self.timers.len(),
            ..Counts::default()
        };
        for room in self.rooms.values() {
            counts.rooms += usize::from(!room.seats.is_empty());
            counts.seats += room.seats.len();
            counts.away += room
                .seats
                .iter()
                .filter(|seat| seat.connection().is_none())
                .count();
            counts.watchers += room.watchers.len();
            counts.waiting += room.hosted.as_ref().map_or(0, |hosted| hosted.waits.len());
        }
        counts
    }

    /// The calls between people at the moment.
    pub fn calls(&self) -> impl Iterator<Item = CallFigure> {
        self.people.iter().flat_map(People::calls)
    }

    /// How much there is of people at the moment.
    #[must_use]
    pub fn people_counts(&self) -> PeopleCounts {
        self.people.as_ref().map(People::counts).unwrap_or_default()
    }

    /// What there has been since the start.
    #[must_use]
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    fn sweep(&mut self, now: Duration) {
        self.addresses.sweep(now);
        self.sweeping = self.addresses.len() > 0;
        if self.sweeping {
            self.timers.push(Reverse((now + SWEEP_EVERY, Timer::Sweep)));
        }
    }

    fn push(&mut self, connection: ConnectionKey, text: ByteString) {
        self.outputs.push_back(Output::Send { connection, text });
    }

    fn send(&mut self, connection: ConnectionKey, message: &ServerMessage) {
        self.push(connection, message.encode().into());
    }

    fn send_error(
        &mut self,
        connection: ConnectionKey,
        code: ErrorCode,
        about: Option<&str>,
        peer: Option<PeerId>,
    ) {
        self.totals.count_error(code);
        self.send(
            connection,
            &ServerMessage::Error {
                code,
                about: about.map(Into::into),
                peer,
                message: explanation(code).into(),
            },
        );
    }

    fn push_close(&mut self, connection: ConnectionKey, code: CloseCode) {
        self.totals.count_close(code);
        self.outputs.push_back(Output::Close { connection, code });
    }
}

/// What an error means, for whoever reads a log or writes a client.
const fn explanation(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadMessage => "not a message of this protocol, or not now",
        ErrorCode::UnknownKind => "no message of this kind",
        ErrorCode::UnsupportedVersion => "no protocol version in common",
        ErrorCode::AlreadyGreeted => "hello was said before",
        ErrorCode::InvalidName => "a name has 1 to 64 visible characters in normalization form C",
        ErrorCode::RoomFull => "every seat of the room is taken",
        ErrorCode::ServerFull => "the server holds as many of these as it can",
        ErrorCode::AlreadyJoined => "this connection is in a room already",
        ErrorCode::NotJoined => "this connection is in no room",
        ErrorCode::UnknownSession => "no such session; join again",
        ErrorCode::UnknownPeer => "no such peer in this room",
        ErrorCode::SelfAddressed => "a packet to oneself",
        ErrorCode::RateLimited => "too many; slow down",
        ErrorCode::TooManyWatchers => "too many watch this room already",
        ErrorCode::NotSignedIn => "this connection has proved no handle",
        ErrorCode::AlreadySignedIn => "this connection has proved another handle",
        ErrorCode::HandleTaken => "somebody else has this handle",
        ErrorCode::HandleFree => "nobody has this handle",
        ErrorCode::BadSignature => "not a signature by that key over this connection's nonce",
        ErrorCode::BadCode => "a wrong, used or old code",
        ErrorCode::TooMany => "more of these than one person may have",
        ErrorCode::BadToken => "not a token that this server takes, or not any more",
        ErrorCode::TokensOnly => "this server takes tokens of its operator's site and no keys",
        ErrorCode::KeysOnly => "this server takes keys and no tokens",
        ErrorCode::NotHost => "only the room's host may do that",
        ErrorCode::RoomLocked => "the host locked the room: no newcomer comes in",
        ErrorCode::RoomMoved => "the room has another link since somebody was removed from it",
        ErrorCode::Removed => "the host removed you from this room, and it has another link",
        ErrorCode::TooManyWaiting => "as many wait before this room as may",
        ErrorCode::TokenTooLong => "the token is longer than any that was made here",
        ErrorCode::TokenMalformed => "the token is none: a part of the link was lost or changed",
        ErrorCode::TokenUnsigned => "the token's header says that it is not signed",
        ErrorCode::TokenAlgorithm => "the token's header names another way of signing than its key has",
        ErrorCode::TokenKey => "the token names no key that is known here",
        ErrorCode::TokenSignature => "the token's signature is not by the key that it names",
        ErrorCode::TokenClaims => "the token lacks a claim that it must have",
        ErrorCode::TokenClaimType => "a claim of the token has the wrong type",
        ErrorCode::TokenIssuer => "the token is of another issuer",
        ErrorCode::TokenType => {
            "the token is of another type than is asked for here: a desk's, or a client's"
        }
        ErrorCode::TokenAudience => "the token is for another use than this one",
        ErrorCode::TokenExpired => "the token was good until a time that has passed",
        ErrorCode::TokenNotYet => "the token is good from a time that has not come",
        ErrorCode::TokenReused => {
            "the token's number belongs to another desk or appointment, or was replaced"
        }
        ErrorCode::NoDesk => "this socket has proved no desk",
        ErrorCode::NoVisit => "this socket has shown no link to an appointment",
        ErrorCode::UnknownAppointment => "no such appointment, or another desk's",
        ErrorCode::InvalidAppointment => {
            "the facts of an appointment break a rule: name, note, time, length or zone"
        }
        ErrorCode::AppointmentEarly => "the appointment's waiting room is not open yet",
        ErrorCode::AppointmentLate => "the appointment's time is over",
        ErrorCode::AppointmentOver => "the appointment has taken place: its link is used up",
        ErrorCode::AppointmentCancelled => "the appointment was called off",
        ErrorCode::Unknown => "",
    }
}

/// Sessions that ended, the oldest forgotten first.
#[derive(Default)]
struct Ended {
    known: BTreeSet<PeerId>,
    order: VecDeque<PeerId>,
}

impl Ended {
    fn insert(&mut self, peer: PeerId) {
        if !self.known.insert(peer) {
            return;
        }
        self.order.push_back(peer);
        if self.order.len() > ENDED_SESSIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn contains(&self, peer: PeerId) -> bool {
        self.known.contains(&peer)
    }
}
