//! How it stands with somebody, and who may know.

use core::time::Duration;

use visavis_protocol::Handle;
use visavis_protocol::limits::{AWAY_AFTER, OFFLINE_AFTER};
use visavis_protocol::people::{Contact, PeopleEvent, Presence};

use super::super::ConnectionKey;
use super::{People, Timer, Word};

impl People {
    /// Whether somebody may know how it stands with another: both added each other, or they are in a
    /// call with each other; and neither blocked the other.
    fn may_see(&self, viewer: &Handle, person: &Handle) -> bool {
        let directory = &self.directory;
        let is_blocked = directory.has_blocked(person, viewer) || directory.has_blocked(viewer, person);
        let is_mutual = directory.has_added(viewer, person) && directory.has_added(person, viewer);
        !is_blocked && (is_mutual || self.talk(viewer, person))
    }

    /// How it stands with somebody as far as another may know.
    pub(super) fn presence_for(&self, viewer: &Handle, person: &Handle) -> Presence {
        if self.may_see(viewer, person) {
            self.persons
                .get(person)
                .map_or(Presence::Offline, |person| person.told)
        } else {
            Presence::Offline
        }
    }

    /// Whether somebody sits in a room, on any of their pages, in which another page does not sit as well.
    pub(super) fn sits_apart(&self, handle: &Handle, from: ConnectionKey) -> bool {
        let room_of = |page: &ConnectionKey| self.pages.get(page).and_then(|page| page.seated);
        let mut rooms = self.pages_of(handle).iter().filter_map(room_of);
        rooms.any(|room| room_of(&from) != Some(room))
    }

    /// Looks how it stands with somebody, and tells those who may know if that has changed.
    pub(super) fn look_at(&mut self, now: Duration, handle: &Handle) {
        let Some(person) = self.persons.get_mut(handle) else {
            return;
        };
        let pages = || person.pages.iter().filter_map(|page| self.pages.get(page));
        let is_seated = pages().any(|page| page.seated.is_some());
        let is_seen = pages().any(|page| !page.hidden);
        let is_taken = person.call.is_some_and(|call| self.calls.is_taken(call));
        let mut due = None;
        if is_seen {
            person.hidden_since = None;
        } else {
            person.hidden_since.get_or_insert(now);
        }
        let presence = if person.pages.is_empty() {
            let offline_at = person.gone_since.unwrap_or(now) + OFFLINE_AFTER;
            if now >= offline_at {
                Presence::Offline
            } else {
                due = Some(offline_at);
                person.told
            }
        } else if is_taken || is_seated {
            Presence::Busy
        } else if is_seen {
            Presence::Online
        } else {
            let away_at = person.hidden_since.unwrap_or(now) + AWAY_AFTER;
            if now >= away_at {
                Presence::Away
            } else {
                due = Some(away_at);
                Presence::Online
            }
        };
        let is_news = person.told != presence;
        person.told = presence;
        let is_over = presence == Presence::Offline && person.call.is_none();
        // One timer at a time: one that comes too early looks again.
        let due = due.filter(|due| person.look_at.is_none_or(|at| at > *due));
        if let Some(due) = due {
            person.look_at = Some(due);
            self.at(due, Timer::Presence(handle.clone()));
        }
        if is_news {
            self.tell_presence(handle);
        }
        if is_over {
            self.persons.remove(handle);
        }
    }

    /// Two talk no longer. What one knew of the other by the call alone they know no more.
    pub(super) fn tell_parted(&mut self, one: &Handle, other: &Handle) {
        for (viewer, person) in [(one, other), (other, one)] {
            if self.directory.has_added(viewer, person) && !self.may_see(viewer, person) {
                let event = PeopleEvent::Presence(self.contact_for(viewer, person));
                self.tell_all(viewer, None, &event);
            }
        }
    }

    /// Somebody is offline at once and will not be back.
    pub(super) fn gone_for_good(&mut self, handle: &Handle) {
        let Some(person) = self.persons.get_mut(handle) else {
            return;
        };
        person.told = Presence::Offline;
        self.tell_presence(handle);
        self.persons.remove(handle);
    }

    fn tell_presence(&mut self, handle: &Handle) {
        let presence = self
            .persons
            .get(handle)
            .map_or(Presence::Offline, |person| person.told);
        let viewers = self.directory.contacts(handle);
        let viewers =
            viewers.filter(|viewer| !self.pages_of(viewer).is_empty() && self.may_see(viewer, handle));
        let pages: Vec<_> = viewers
            .flat_map(|viewer| self.pages_of(viewer))
            .copied()
            .collect();
        if !pages.is_empty() {
            let event = PeopleEvent::Presence(Contact {
                handle: handle.clone(),
                presence,
            });
            self.words.push_back(Word::TellAll(pages, event));
        }
    }
}
