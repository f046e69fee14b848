//! Seats: taking, taking over, losing and giving up.
//!
//! The order of things is what goes wrong in the field (F7 to F10): a seat follows the newest
//! connection that proves it, and an older one has no more say in it.

use core::cmp::Reverse;
use core::time::Duration;

use bytestring::ByteString;
use unicode_normalization::is_nfc;
use visavis_protocol::{
    Claim, CloseCode, Epoch, ErrorCode, LeaveReason, Pass, PeerId, RoomId, SeatId, ServerMessage, text,
};

use super::config::HubFault;
use super::connection::Place;
use super::hosts::Entrance;
use super::room::{Hold, RoomKey, RosterEvent, Seat};
use super::{ConnectionKey, Hub, Timer};

/// Somebody who asks for a seat.
pub(super) struct Newcomer {
    /// The id by which they know the room.
    pub(super) asked: RoomId,
    pub(super) seat: SeatId,
    pub(super) peer: PeerId,
    pub(super) name: String,
    /// Whether they proved to be the room's host.
    pub(super) host: bool,
    /// Not yet known to be good.
    pub(super) pass: Option<Pass>,
}

/// What a resume shows.
pub(super) struct Return<'a> {
    pub(super) epoch: Epoch,
    /// The id by which they know the room.
    pub(super) asked: &'a RoomId,
    pub(super) peer: PeerId,
    pub(super) claim: &'a Claim,
}

impl Hub {
    pub(super) fn place(&self, connection: ConnectionKey) -> Option<Place> {
        self.connections.get(&connection).map(|known| known.place)
    }

    pub(super) fn set_place(&mut self, connection: ConnectionKey, place: Place) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.place = place;
        }
    }

    pub(super) fn join(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        mut who: Newcomer,
        claim: &Claim,
    ) {
        let Some(known) = self.connections.get(&connection) else {
            return;
        };
        let (address, place) = (known.address, known.place);
        if matches!(place, Place::Seated(..)) {
            return self.refuse_join(connection, ErrorCode::AlreadyJoined);
        }
        if text::check_name(&who.name).is_err() || !is_nfc(&who.name) {
            return self.offend(now, connection, ErrorCode::InvalidName, Some("join"));
        }
        let found = self.find_room(&who.asked);
        if let Place::Waiting(key, own) = place
            && (found.key != Some(key) || !self.is_same_wait(key, own, &who))
        {
            return self.refuse_join(connection, ErrorCode::AlreadyJoined);
        }
        if let Some(key) = found.key
            && self.sits(key, who.peer)
        {
            if let Place::Waiting(key, own) = place {
                // A session that sits, on a socket on which its seat waited as another one.
                self.end_wait(now, key, own);
            }
            // The answer to an earlier `join` or `resume` was lost, or the two crossed.
            return self.take_over(now, connection, key, who.peer, &who.asked, claim);
        }
        who.host = self.is_host(&found.id, claim);
        who.pass = claim.pass;
        let entrance = self.entrance(&found, &who);
        if let (Entrance::Wait, Some(key)) = (entrance, found.key)
            && self.waits(key, who.peer)
        {
            return self.wait_on(now, connection, key, who.peer, who.asked);
        }
        if !self.addresses.may_join(now, address) {
            return self.refuse_join(connection, ErrorCode::RateLimited);
        }
        let refused = match entrance {
            Entrance::Open => {
                let full = found.key.is_some_and(|key| !self.has_place_for(key, who.seat));
                full.then_some(ErrorCode::RoomFull)
            }
            Entrance::Wait => self.refuse_wait(found.key, who.seat),
            Entrance::Moved => Some(ErrorCode::RoomMoved),
            Entrance::Removed => Some(ErrorCode::Removed),
            Entrance::Locked => Some(ErrorCode::RoomLocked),
        };
        if let Some(code) = refused {
            return self.refuse_join(connection, code);
        }
        // Whoever waits is told nothing of a room, and not by their allowance either; they take up no more of
        // it than their socket.
        let is_empty = |room: RoomKey| self.rooms.get(&room).is_none_or(|room| room.seats.is_empty());
        let opens = entrance != Entrance::Wait && found.key.is_none_or(is_empty);
        if opens && !self.addresses.may_open_room(now, address) {
            return self.refuse_join(connection, ErrorCode::RateLimited);
        }
        let Some(key) = self.room_or_new(found.id) else {
            return self.refuse_join(connection, ErrorCode::ServerFull);
        };
        if entrance == Entrance::Wait {
            return self.wait(now, connection, key, who);
        }
        let waited = self.end_waits(now, connection, key, who.peer, who.seat);
        self.take_seat(now, connection, key, who);
        if waited {
            self.tell_knocks(now, key);
        }
    }

    /// Seats somebody who may come in, in the place of an older session of the same seat.
    pub(super) fn take_seat(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        key: RoomKey,
        who: Newcomer,
    ) {
        self.replace_seat(now, key, who.seat);
        self.add_seat(now, connection, key, who);
    }

    /// Whether a seat is free, or this one's already.
    pub(super) fn has_place_for(&self, key: RoomKey, seat: SeatId) -> bool {
        self.rooms.get(&key).is_none_or(|room| {
            room.seats.len() < self.config.limits.room_seats
                || room.seats.iter().any(|taken| taken.seat == seat)
        })
    }

    fn refuse_join(&mut self, connection: ConnectionKey, code: ErrorCode) {
        self.send_error(connection, code, Some("join"), None);
    }

    fn sits(&self, key: RoomKey, peer: PeerId) -> bool {
        self.rooms
            .get(&key)
            .is_some_and(|room| room.position(peer).is_some())
    }

    /// Removes an older session of the same seat, so that nobody ever sees two tiles of one tab.
    fn replace_seat(&mut self, now: Duration, key: RoomKey, seat: SeatId) {
        if self.config.has(HubFault::ReplacedSeatKept) {
            return;
        }
        let old = self
            .rooms
            .get(&key)
            .and_then(|room| room.seats.iter().find(|taken| taken.seat == seat))
            .map(|old| (old.peer, old.connection()));
        let Some((peer, socket)) = old else {
            return;
        };
        if let Some(socket) = socket {
            self.detach(now, socket, CloseCode::SeatMoved);
        }
        self.remove_seat(now, key, peer, LeaveReason::Replaced);
    }

    fn add_seat(&mut self, now: Duration, connection: ConnectionKey, key: RoomKey, who: Newcomer) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let peer = who.peer;
        let taken = Seat {
            peer,
            peer_text: peer.to_text().into(),
            seat: who.seat,
            name: who.name.into(),
            hold: Hold::Held(connection),
            host: who.host,
            knows_of_knocks: false,
            turn: None,
        };
        let entry = taken.entry();
        room.seats.push(taken);
        if let Some(hosted) = &mut room.hosted {
            hosted.let_in(who.seat);
        }
        self.totals.joins += 1;
        self.announce(now, key, RosterEvent::Joined(entry));
        self.sit(now, connection, key, peer, &who.asked);
    }

    /// Gives the connection its seat and the room as it is.
    fn sit(&mut self, now: Duration, connection: ConnectionKey, key: RoomKey, peer: PeerId, asked: &RoomId) {
        let before = self.place(connection);
        self.set_place(connection, Place::Seated(key, peer));
        if let Some(Place::Watching(watched)) = before {
            self.stop_watching(now, watched, connection);
        }
        let hosting = self.hosting(key, peer, asked);
        let (ice, ice_lifetime_ms) = self.ice_for(now, key, peer);
        let Some(room) = self.rooms.get(&key) else {
            return;
        };
        let joined = ServerMessage::Joined {
            epoch: self.epoch,
            you: peer,
            version: room.version,
            peers: room.entries_without(peer),
            ice,
            ice_lifetime_ms,
            hosting,
        };
        self.send(connection, &joined);
        self.tell_knocks_to(now, key, peer);
    }

    pub(super) fn resume(&mut self, now: Duration, connection: ConnectionKey, who: &Return<'_>) {
        let Return {
            epoch,
            asked,
            peer,
            claim,
        } = *who;
        let Some(known) = self.connections.get(&connection) else {
            return;
        };
        let (address, place) = (known.address, known.place);
        let found = self.find_room(asked);
        let key = found.key;
        if let Place::Seated(own_key, own) = place {
            // A client that missed a roster event asks for the room as it is.
            let is_own = own == peer && key == Some(own_key);
            if is_own && epoch == self.epoch {
                self.set_host(own_key, peer, claim);
                return self.sit(now, connection, own_key, peer, asked);
            }
            return self.send_error(connection, ErrorCode::AlreadyJoined, Some("resume"), None);
        }
        if matches!(place, Place::Waiting(..)) {
            return self.send_error(connection, ErrorCode::AlreadyJoined, Some("resume"), None);
        }
        if epoch != self.epoch && self.config.has(HubFault::ForeignEpochAccepted) {
            let joined = ServerMessage::Joined {
                epoch,
                you: peer,
                version: 0,
                peers: Vec::new(),
                ice: self.config.ice.clone(),
                ice_lifetime_ms: None,
                hosting: visavis_protocol::Hosting::default(),
            };
            return self.send(connection, &joined);
        }
        if epoch != self.epoch {
            // Not a failure of theirs: we were restarted.
            return self.send_error(connection, ErrorCode::UnknownSession, Some("resume"), None);
        }
        if let Some(key) = key
            && self.sits(key, peer)
        {
            return self.take_over(now, connection, key, peer, asked, claim);
        }
        // After those who hold a session: others may live behind the address of one who guesses.
        if self.addresses.is_refused(now, address) {
            self.send_error(connection, ErrorCode::RateLimited, Some("resume"), None);
            return self.close(now, connection, CloseCode::RateLimited);
        }
        let waits = key.is_some_and(|key| self.waits(key, peer));
        if !waits && !self.ended.contains(peer) {
            self.addresses.resume_failed(now, address);
        }
        // Whoever comes by a link of before may have been sent away; whether they were, `join` says.
        let code = if found.moved && !waits {
            ErrorCode::RoomMoved
        } else {
            ErrorCode::UnknownSession
        };
        self.send_error(connection, code, Some("resume"), None);
    }

    /// Moves a session to another connection, if that is the newer one.
    ///
    /// The others are told even when the old socket was not known to be lost: what was written to
    /// it in its last seconds may never have arrived.
    fn take_over(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        key: RoomKey,
        peer: PeerId,
        asked: &RoomId,
        claim: &Claim,
    ) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let Some(seat) = room.seats.iter_mut().find(|seat| seat.peer == peer) else {
            return;
        };
        let old = seat.connection();
        // What a socket wrote into a hole of the network may arrive long after its client went on to
        // another one.
        if old.is_some_and(|old| old > connection) {
            return self.close(now, connection, CloseCode::Superseded);
        }
        seat.hold = Hold::Held(connection);
        self.totals.resumes += 1;
        self.set_host(key, peer, claim);
        if let Some(old) = old {
            self.detach(now, old, CloseCode::Superseded);
        }
        if !self.config.has(HubFault::ReturnNotTold) {
            self.announce(now, key, RosterEvent::Away(peer, false));
        }
        self.sit(now, connection, key, peer, asked);
    }

    /// Closes a socket that no longer speaks for its seat, and forgets it, so that its end says
    /// nothing about the seat.
    pub(super) fn detach(&mut self, now: Duration, connection: ConnectionKey, code: CloseCode) {
        if self.config.has(HubFault::OldSocketRemovesNewSeat) {
            return self.push_close(connection, code);
        }
        self.set_place(connection, Place::Greeted);
        self.close(now, connection, code);
    }

    /// The socket of a seat is gone: the seat waits for its return.
    pub(super) fn socket_lost(
        &mut self,
        now: Duration,
        key: RoomKey,
        peer: PeerId,
        connection: ConnectionKey,
    ) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let Some(seat) = room.seats.iter_mut().find(|seat| seat.peer == peer) else {
            return;
        };
        if seat.connection() != Some(connection) {
            if self.config.has(HubFault::OldSocketRemovesNewSeat) {
                self.remove_seat(now, key, peer, LeaveReason::Lost);
                self.drop_room_if_empty(now, key);
            }
            return;
        }
        let until = now + self.config.limits.resume_window;
        seat.hold = Hold::Away { until };
        self.timers.push(Reverse((until, Timer::Window(key, peer))));
        self.announce(now, key, RosterEvent::Away(peer, true));
    }

    /// Gives a seat up whose resume window is over.
    pub(super) fn check_window(&mut self, now: Duration, key: RoomKey, peer: PeerId) {
        if self.config.has(HubFault::LostSeatKept) {
            return;
        }
        let over = self
            .rooms
            .get(&key)
            .and_then(|room| room.seats.iter().find(|seat| seat.peer == peer))
            .is_some_and(|seat| match seat.hold {
                Hold::Away { until } => until <= now,
                Hold::Held(_) => false,
            });
        self.check_wait(now, key, peer);
        if over {
            self.remove_seat(now, key, peer, LeaveReason::Lost);
            self.let_in_if_open(now, key);
            self.drop_room_if_empty(now, key);
        }
    }

    pub(super) fn leave(&mut self, now: Duration, connection: ConnectionKey) {
        match self.place(connection) {
            None | Some(Place::Stranger) => {}
            Some(Place::Greeted) => {
                self.send_error(connection, ErrorCode::NotJoined, Some("leave"), None);
            }
            Some(Place::Watching(room)) => {
                self.set_place(connection, Place::Greeted);
                self.stop_watching(now, room, connection);
                self.send(connection, &ServerMessage::Left {});
            }
            Some(Place::Waiting(room, peer)) => {
                self.set_place(connection, Place::Greeted);
                self.end_wait(now, room, peer);
                self.send(connection, &ServerMessage::Left {});
            }
            Some(Place::Seated(..)) => {
                self.give_up_seat(now, connection);
                self.send(connection, &ServerMessage::Left {});
            }
        }
    }

    /// Empties the seat that a connection holds, if it holds one.
    pub(super) fn give_up_seat(&mut self, now: Duration, connection: ConnectionKey) {
        if let Some(Place::Seated(room, peer)) = self.place(connection) {
            self.set_place(connection, Place::Greeted);
            self.remove_seat(now, room, peer, LeaveReason::Left);
            self.let_in_if_open(now, room);
            self.drop_room_if_empty(now, room);
        }
    }

    /// Takes a seat out of the roster; the room stays, even empty.
    pub(super) fn remove_seat(&mut self, now: Duration, key: RoomKey, peer: PeerId, reason: LeaveReason) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let Some(at) = room.position(peer) else {
            return;
        };
        let seat = room.seats.remove(at).seat;
        if let Some(hosted) = &mut room.hosted {
            hosted.has_left(now, seat);
        }
        self.ended.insert(peer);
        self.announce(now, key, RosterEvent::Left(peer, reason));
    }

    /// Counts the roster's version up and tells everybody but the one whom the event is about.
    fn announce(&mut self, now: Duration, key: RoomKey, event: RosterEvent) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let about = event.peer();
        let version = room.count_up(&self.config);
        let text = ByteString::from(event.into_message(version).encode());
        for seat in room.seats.iter().filter(|seat| seat.peer != about) {
            if let Some(connection) = seat.connection() {
                self.outputs.push_back(super::Output::Send {
                    connection,
                    text: text.clone(),
                });
            }
        }
        if self.config.has(HubFault::WaiterHearsRoster) {
            for connection in self.waiting_sockets(key) {
                self.push(connection, text.clone());
            }
        }
        self.roster_changed(now, key);
    }
}
