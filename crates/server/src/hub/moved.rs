//! Ids under which rooms were known before somebody was removed from them.
//!
//! Who comes by an old link is told that there is another one, instead of sitting alone in a room of the
//! old name. Where the room went is told to nobody who cannot show that they belong there.

use std::collections::{BTreeMap, VecDeque};

use visavis_protocol::{RoomId, limits};

use super::Hub;
use super::room::RoomKey;

/// How many of the oldest are looked at for one of a room in which nobody is.
const LOOKED_THROUGH: usize = 64;

/// Old ids, the oldest forgotten first.
#[derive(Default)]
pub(super) struct MovedRooms {
    /// From an old id to a later one; never in a circle, for an old id is no room's next one.
    next: BTreeMap<RoomId, RoomId>,
    order: VecDeque<RoomId>,
}

impl MovedRooms {
    /// Notes that a room has another id. Where there are too many, one of the oldest goes, rather one of a room
    /// in which nobody is: an old link to it opens an empty room, and not one that somebody was sent away from.
    pub(super) fn insert(&mut self, old: RoomId, next: RoomId, is_alive: impl Fn(&RoomId) -> bool) {
        if self.next.insert(old.clone(), next).is_none() {
            self.order.push_back(old);
        }
        if self.order.len() > limits::MOVED_ROOMS {
            let oldest: Vec<RoomId> = self.order.iter().take(LOOKED_THROUGH).cloned().collect();
            let is_dead = |id: &RoomId| self.end_of(id).is_none_or(|end| !is_alive(&end));
            let at = oldest.iter().position(is_dead).unwrap_or(0);
            if let Some(id) = self.order.remove(at) {
                self.next.remove(&id);
            }
        }
    }

    pub(super) fn contains(&self, id: &RoomId) -> bool {
        self.next.contains_key(id)
    }

    /// The id that a room has now which had this one once.
    fn end_of(&mut self, id: &RoomId) -> Option<RoomId> {
        let mut end = self.next.get(id)?;
        while let Some(later) = self.next.get(end) {
            end = later;
        }
        let end = end.clone();
        // So that a long way is gone once.
        self.next.insert(id.clone(), end.clone());
        Some(end)
    }
}

/// Where an id leads.
pub(super) struct Found {
    /// The room's id at present.
    pub(super) id: RoomId,
    /// None where there is no such room at the moment.
    pub(super) key: Option<RoomKey>,
    /// Whether the room was asked for by an id that it had once.
    pub(super) moved: bool,
}

impl Hub {
    /// The room that has an id, or had it once.
    pub(super) fn find_room(&mut self, id: &RoomId) -> Found {
        let later = self.moved.end_of(id);
        let moved = later.is_some();
        let id = later.unwrap_or_else(|| id.clone());
        Found {
            key: self.room_keys.get(&id).copied(),
            id,
            moved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> RoomId {
        RoomId::derive(&format!("room {n}"), None)
    }

    #[test]
    fn an_old_id_leads_to_the_newest_however_often_the_room_moved() {
        let mut moved = MovedRooms::default();
        for n in 0..100 {
            moved.insert(id(n), id(n + 1), |_| true);
        }
        assert_eq!(moved.end_of(&id(0)), Some(id(100)));
        assert_eq!(moved.next[&id(0)], id(100), "the way was not shortened");
        assert_eq!(moved.end_of(&id(99)), Some(id(100)));
        assert_eq!(moved.end_of(&id(100)), None);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut moved = MovedRooms::default();
        for n in 0..=limits::MOVED_ROOMS {
            moved.insert(id(2 * n), id(2 * n + 1), |_| true);
        }
        assert_eq!(moved.end_of(&id(0)), None);
        assert_eq!(moved.end_of(&id(2)), Some(id(3)));
        assert_eq!(
            (moved.next.len(), moved.order.len()),
            (limits::MOVED_ROOMS, limits::MOVED_ROOMS)
        );
    }

    #[test]
    fn one_of_a_room_in_which_nobody_is_is_forgotten_before_older_ones() {
        let mut moved = MovedRooms::default();
        for n in 0..=limits::MOVED_ROOMS {
            moved.insert(id(2 * n), id(2 * n + 1), |end| *end != id(7));
        }
        assert_eq!(moved.end_of(&id(6)), None);
        assert_eq!(moved.end_of(&id(0)), Some(id(1)));
    }
}
