//! Who waits before a room until a host decides.
//!
//! Somebody who waits hears nothing of the room, not even whether anybody is inside; and nobody but the
//! hosts hears of them.

use core::cmp::Reverse;
use core::time::Duration;

use bytestring::ByteString;
use visavis_protocol::{CloseCode, ErrorCode, PeerId, RoomId, SeatId, ServerMessage, Waiter, limits};

use super::connection::Place;
use super::hosts::Hosted;
use super::room::{Hold, RoomKey};
use super::roster::Newcomer;
use super::{ConnectionKey, Hub, Timer};

/// Somebody who waits.
pub(super) struct Wait {
    pub(super) peer: PeerId,
    pub(super) seat: SeatId,
    name: Box<str>,
    /// Since when, over reloads.
    since: Duration,
    pub(super) hold: Hold,
    /// The id by which they know the room.
    asked: RoomId,
}

impl Wait {
    const fn connection(&self) -> Option<ConnectionKey> {
        match self.hold {
            Hold::Held(connection) => Some(connection),
            Hold::Away { .. } => None,
        }
    }

    fn entry(&self, now: Duration) -> Waiter {
        let waited = now.saturating_sub(self.since);
        Waiter {
            peer: self.peer,
            name: self.name.as_ref().into(),
            waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            away: matches!(self.hold, Hold::Away { .. }),
        }
    }
}

impl Hosted {
    /// The wait of a session, or of a seat that a reload gave another session.
    pub(super) fn wait_of(&self, peer: PeerId, seat: SeatId) -> Option<&Wait> {
        let same = |wait: &&Wait| wait.peer == peer;
        let by_session = self.waits.iter().find(same);
        by_session.or_else(|| self.waits.iter().find(|wait| wait.seat == seat))
    }
}

impl Hub {
    /// Whether a session waits before a room.
    pub(super) fn waits(&self, key: RoomKey, peer: PeerId) -> bool {
        self.hosted(key)
            .is_some_and(|hosted| hosted.waits.iter().any(|wait| wait.peer == peer))
    }

    /// Whether a newcomer is the one who waits there as that session.
    pub(super) fn is_same_wait(&self, key: RoomKey, own: PeerId, who: &Newcomer) -> bool {
        self.hosted(key).is_some_and(|hosted| {
            hosted
                .wait_of(who.peer, who.seat)
                .is_some_and(|wait| wait.peer == own)
        })
    }

    /// Goes on with the wait of a session, on this socket if it is the newer one.
    pub(super) fn wait_on(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        key: RoomKey,
        peer: PeerId,
        asked: RoomId,
    ) {
        let Some(wait) = self
            .hosted_mut(key)
            .and_then(|hosted| hosted.waits.iter_mut().find(|wait| wait.peer == peer))
        else {
            return;
        };
        let old = wait.connection();
        if old.is_some_and(|old| old > connection) {
            return self.close(now, connection, CloseCode::Superseded);
        }
        wait.hold = Hold::Held(connection);
        wait.asked = asked;
        if let Some(old) = old.filter(|old| *old != connection) {
            self.detach(now, old, CloseCode::Superseded);
        }
        self.stand_outside(now, connection, key, peer);
        if old.is_none() {
            self.tell_knocks(now, key);
        }
    }

    /// Lets a newcomer wait, in their old place if they reloaded the page.
    pub(super) fn wait(&mut self, now: Duration, connection: ConnectionKey, key: RoomKey, who: Newcomer) {
        let peer = who.peer;
        let Some(hosted) = self.hosted_mut(key) else {
            return;
        };
        let wait = Wait {
            peer,
            seat: who.seat,
            name: who.name.into(),
            since: now,
            hold: Hold::Held(connection),
            asked: who.asked,
        };
        let before = hosted.waits.iter_mut().find(|known| known.seat == wait.seat);
        let old = match before {
            Some(known) => {
                let since = known.since;
                Some(core::mem::replace(known, Wait { since, ..wait }))
            }
            None => {
                hosted.waits.push(wait);
                None
            }
        };
        if let Some(old) = old {
            self.ended.insert(old.peer);
            if let Some(socket) = old.connection().filter(|socket| *socket != connection) {
                self.detach(now, socket, CloseCode::SeatMoved);
            }
        }
        self.stand_outside(now, connection, key, peer);
        self.tell_knocks(now, key);
    }

    fn stand_outside(&mut self, now: Duration, connection: ConnectionKey, key: RoomKey, peer: PeerId) {
        let before = self.place(connection);
        self.set_place(connection, Place::Waiting(key, peer));
        if let Some(Place::Watching(watched)) = before {
            self.stop_watching(now, watched, connection);
        }
        self.send(connection, &ServerMessage::Waiting {});
    }

    /// Takes somebody out of those who wait; nobody is told.
    fn take_wait(&mut self, key: RoomKey, peer: PeerId) -> Option<Wait> {
        let hosted = self.hosted_mut(key)?;
        let at = hosted.waits.iter().position(|wait| wait.peer == peer)?;
        Some(hosted.waits.remove(at))
    }

    /// Gives somebody who waits their seat; who is away has it when they are back. Hosts are not told yet.
    pub(super) fn seat_wait(&mut self, now: Duration, key: RoomKey, peer: PeerId) {
        let Some(wait) = self.take_wait(key, peer) else {
            return;
        };
        let Some(connection) = wait.connection() else {
            self.ended.insert(peer);
            return;
        };
        let who = Newcomer {
            asked: wait.asked,
            seat: wait.seat,
            peer,
            name: wait.name.into(),
            host: false,
            pass: None,
        };
        self.take_seat(now, connection, key, who);
        self.say_where(now, connection);
    }

    /// Ends the wait of a session or seat that takes a seat now. Says whether there was one.
    pub(super) fn end_waits(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        key: RoomKey,
        peer: PeerId,
        seat: SeatId,
    ) -> bool {
        let mut any = false;
        while let Some(own) = self
            .hosted(key)
            .and_then(|hosted| hosted.wait_of(peer, seat))
            .map(|wait| wait.peer)
        {
            let Some(wait) = self.take_wait(key, own) else {
                break;
            };
            any = true;
            if own != peer {
                self.ended.insert(own);
            }
            if let Some(socket) = wait.connection().filter(|socket| *socket != connection) {
                self.detach(now, socket, CloseCode::SeatMoved);
            }
        }
        any
    }

    /// The socket of somebody who waits is gone. A page that goes away may come back at once (a reload),
    /// so it is no other than a lost one.
    pub(super) fn waiter_lost(
        &mut self,
        now: Duration,
        key: RoomKey,
        peer: PeerId,
        connection: ConnectionKey,
    ) {
        let Some(wait) = self
            .hosted_mut(key)
            .and_then(|hosted| hosted.waits.iter_mut().find(|wait| wait.peer == peer))
        else {
            return;
        };
        if wait.connection() != Some(connection) {
            return;
        }
        let until = now + limits::WAITER_WINDOW;
        wait.hold = Hold::Away { until };
        self.timers.push(Reverse((until, Timer::Window(key, peer))));
        self.tell_knocks(now, key);
    }

    /// Forgets somebody who waits and has been away too long.
    pub(super) fn check_wait(&mut self, now: Duration, key: RoomKey, peer: PeerId) {
        let over = self.hosted(key).is_some_and(|hosted| {
            hosted.waits.iter().any(|wait| {
                let is_over = match wait.hold {
                    Hold::Away { until } => until <= now,
                    Hold::Held(_) => false,
                };
                wait.peer == peer && is_over
            })
        });
        if over {
            self.end_wait(now, key, peer);
        }
    }

    /// Ends a wait, and tells the hosts.
    pub(super) fn end_wait(&mut self, now: Duration, key: RoomKey, peer: PeerId) {
        if self.take_wait(key, peer).is_some() {
            self.ended.insert(peer);
            self.tell_knocks(now, key);
        }
        self.drop_room_if_empty(now, key);
    }

    /// Sends somebody away who waits. Who has left meanwhile is passed over.
    pub(super) fn decline(&mut self, now: Duration, key: RoomKey, peer: PeerId, word: String) {
        let Some(wait) = self.take_wait(key, peer) else {
            return;
        };
        self.ended.insert(peer);
        if let Some(connection) = wait.connection() {
            self.set_place(connection, Place::Greeted);
            self.send(connection, &ServerMessage::Declined { word });
        }
        self.tell_knocks(now, key);
    }

    /// Why nobody else may wait, if so.
    pub(super) fn refuse_wait(&self, key: Option<RoomKey>, seat: SeatId) -> Option<ErrorCode> {
        let hosted = self.hosted(key?)?;
        let known = hosted.waits.iter().any(|wait| wait.seat == seat);
        (hosted.waits.len() >= limits::ROOM_WAITING && !known).then_some(ErrorCode::TooManyWaiting)
    }

    /// Those who wait, as far as they have a socket.
    pub(super) fn waiting_sockets(&self, key: RoomKey) -> Vec<ConnectionKey> {
        let waits = self.hosted(key).map(|hosted| hosted.waits.iter());
        waits.into_iter().flatten().filter_map(Wait::connection).collect()
    }

    /// Tells every host who waits.
    pub(super) fn tell_knocks(&mut self, now: Duration, key: RoomKey) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let Some(text) = room.knocks(now) else {
            return;
        };
        let some = room
            .hosted
            .as_ref()
            .is_some_and(|hosted| !hosted.waits.is_empty());
        let mut told = Vec::new();
        for seat in room.seats.iter_mut().filter(|seat| seat.host) {
            if let Some(connection) = seat.connection() {
                seat.knows_of_knocks = some;
                told.push(connection);
            }
        }
        for connection in told {
            self.push(connection, text.clone());
        }
    }

    /// Tells one who sits down who waits, if they are a host and do not know.
    pub(super) fn tell_knocks_to(&mut self, now: Duration, key: RoomKey, peer: PeerId) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let some = room
            .hosted
            .as_ref()
            .is_some_and(|hosted| !hosted.waits.is_empty());
        let text = room.knocks(now);
        let Some(seat) = room.seats.iter_mut().find(|seat| seat.peer == peer && seat.host) else {
            return;
        };
        if let (true, Some(text), Some(connection)) = (some || seat.knows_of_knocks, text, seat.connection())
        {
            seat.knows_of_knocks = some;
            self.push(connection, text);
        }
    }
}

impl super::room::Room {
    /// Who waits, as hosts are told.
    fn knocks(&self, now: Duration) -> Option<ByteString> {
        let hosted = self.hosted.as_ref()?;
        let waiting = hosted.waits.iter().map(|wait| wait.entry(now)).collect();
        Some(ServerMessage::Knocks { waiting }.encode().into())
    }
}
