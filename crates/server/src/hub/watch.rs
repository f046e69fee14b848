//! Looking at a room without being in it: what the page shows before the join.

use core::cmp::Reverse;
use core::time::Duration;

use bytestring::ByteString;
use visavis_protocol::{Claim, ErrorCode, RoomId, SeatId};

use super::connection::Place;
use super::room::{Room, RoomKey, Watcher};
use super::{ConnectionKey, Hub, OCCUPANCY_EVERY, Timer};

impl Hub {
    pub(super) fn watch(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        id: RoomId,
        seat: Option<SeatId>,
        claim: &Claim,
    ) {
        match self.place(connection) {
            None => return,
            Some(Place::Seated(..) | Place::Waiting(..)) => {
                return self.send_error(connection, ErrorCode::AlreadyJoined, Some("watch"), None);
            }
            Some(Place::Watching(old)) => {
                self.stop_watching(now, old, connection);
                self.set_place(connection, Place::Greeted);
            }
            Some(Place::Stranger | Place::Greeted) => {}
        }
        let found = self.find_room(&id);
        let may_look_inside = self.may_look_inside(&found, seat, claim);
        if found.moved && !may_look_inside {
            return self.send_error(connection, ErrorCode::RoomMoved, Some("watch"), None);
        }
        let Some(key) = self.room_or_new(found.id) else {
            return self.send_error(connection, ErrorCode::ServerFull, Some("watch"), None);
        };
        let seats = self.config.limits.room_seats;
        let watchers = self.config.limits.room_watchers;
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        if room.watchers.len() >= watchers {
            return self.send_error(connection, ErrorCode::TooManyWatchers, Some("watch"), None);
        }
        let mut watcher = Watcher {
            connection,
            may_look_inside,
            asked: id,
            shut_by: None,
        };
        watcher.shut_by = room.shut_for(&watcher);
        let occupancy = room.occupancy(seats, &watcher);
        room.watchers.push(watcher);
        self.set_place(connection, Place::Watching(key));
        self.send(connection, &occupancy);
    }

    /// Takes a connection off the list of those who look.
    pub(super) fn stop_watching(&mut self, now: Duration, key: RoomKey, connection: ConnectionKey) {
        if let Some(room) = self.rooms.get_mut(&key) {
            room.watchers.retain(|watcher| watcher.connection != connection);
        }
        self.drop_room_if_empty(now, key);
    }

    /// Notes that the roster changed: watchers hear of it now, or with the next changes.
    pub(super) fn roster_changed(&mut self, now: Duration, key: RoomKey) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        if let Some(appointments) = &mut self.appointments {
            appointments.room_changed(now, key, &room.id, room.seats.len());
        }
        if room.watchers.is_empty() || room.tell_at.is_some() {
            return;
        }
        let at = room.told.map_or(now, |told| (told + OCCUPANCY_EVERY).max(now));
        room.tell_at = Some(at);
        self.timers.push(Reverse((at, Timer::Tell(key))));
    }

    pub(super) fn tell_watchers_if_due(&mut self, now: Duration, key: RoomKey) {
        let seats = self.config.limits.room_seats;
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        if room.tell_at.is_none_or(|at| now < at) {
            return;
        }
        room.tell_at = None;
        room.told = Some(now);
        // Written once for all who see the same, which is nearly always everybody.
        let mut last: Option<(bool, RoomId, ByteString)> = None;
        for watcher in room.watchers.clone() {
            let Some(room) = self.rooms.get_mut(&key) else {
                return;
            };
            let shut = room.is_shut_for(&watcher);
            // Whoever may not look inside does not learn either that something has changed there.
            let shut_by = room.shut_for(&watcher);
            if shut_by.is_some() && watcher.shut_by == shut_by {
                continue;
            }
            let text = match last {
                Some((seen, asked, text)) if seen == shut && asked == watcher.asked => text,
                Some(_) | None => room.occupancy(seats, &watcher).encode().into(),
            };
            let is_this = |known: &&mut Watcher| known.connection == watcher.connection;
            if let Some(known) = room.watchers.iter_mut().find(is_this) {
                known.shut_by = shut_by;
            }
            last = Some((shut, watcher.asked, text.clone()));
            self.push(watcher.connection, text);
        }
    }

    /// The room of that name, made if there is none. `None` when the server holds as many as it can.
    pub(super) fn room_or_new(&mut self, id: RoomId) -> Option<RoomKey> {
        if let Some(key) = self.room_keys.get(&id) {
            return Some(*key);
        }
        if self.rooms.len() >= self.config.limits.rooms {
            return None;
        }
        let key = RoomKey(self.next_room);
        self.next_room += 1;
        self.rooms.insert(key, Room::new(id.clone()));
        self.room_keys.insert(id, key);
        Some(key)
    }

    /// A room vanishes with the last who sits in it, waits before it or looks at it. Where there are only
    /// those left who look, it begins anew.
    pub(super) fn drop_room_if_empty(&mut self, now: Duration, key: RoomKey) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        if room.is_alive() {
            return;
        }
        if room.watchers.is_empty() {
            self.room_keys.remove(&room.id);
            self.rooms.remove(&key);
            return;
        }
        if let Some(hosted) = &mut room.hosted {
            let gate = hosted.gate;
            hosted.start_anew();
            if hosted.gate != gate {
                self.roster_changed(now, key);
            }
        }
    }
}
