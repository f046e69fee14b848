//! Looking at a room without being in it: what the page shows before the join.

use core::cmp::Reverse;
use core::time::Duration;

use visavis_protocol::{ErrorCode, RoomId};

use super::connection::Place;
use super::room::{Room, RoomKey};
use super::{ConnectionKey, Hub, OCCUPANCY_EVERY, Timer};

impl Hub {
    pub(super) fn watch(&mut self, connection: ConnectionKey, id: RoomId) {
        match self.place(connection) {
            None => return,
            Some(Place::Seated(..)) => {
                return self.send_error(connection, ErrorCode::AlreadyJoined, Some("watch"), None);
            }
            Some(Place::Watching(old)) => {
                self.stop_watching(old, connection);
                self.set_place(connection, Place::Greeted);
            }
            Some(Place::Stranger | Place::Greeted) => {}
        }
        let Some(key) = self.room_or_new(id) else {
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
        room.watchers.push(connection);
        let occupancy = room.occupancy(seats);
        self.set_place(connection, Place::Watching(key));
        self.send(connection, &occupancy);
    }

    /// Takes a connection off the list of those who look.
    pub(super) fn stop_watching(&mut self, key: RoomKey, connection: ConnectionKey) {
        if let Some(room) = self.rooms.get_mut(&key) {
            room.watchers.retain(|watcher| *watcher != connection);
        }
        self.drop_room_if_empty(key);
    }

    /// Notes that the roster changed: watchers hear of it now, or with the next changes.
    pub(super) fn roster_changed(&mut self, now: Duration, key: RoomKey) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
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
        let text = bytestring::ByteString::from(room.occupancy(seats).encode());
        for connection in room.watchers.clone() {
            self.push(connection, text.clone());
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

    /// A room vanishes with the last who sits in it or looks at it.
    pub(super) fn drop_room_if_empty(&mut self, key: RoomKey) {
        if let Some(room) = self.rooms.get(&key)
            && room.seats.is_empty()
            && room.watchers.is_empty()
        {
            self.room_keys.remove(&room.id);
            self.rooms.remove(&key);
        }
    }
}
