//! Whom somebody added or blocked, and the calls they missed.

use core::time::Duration;

use visavis_protocol::people::{Contact, Missed, PeopleEvent, Presence};
use visavis_protocol::{ErrorCode, Handle};

use super::super::{ConnectionKey, HubFault};
use super::directory::millis;
use super::{Change, People};

impl People {
    pub(super) fn contacts_of(&self, me: &Handle) -> Vec<Contact> {
        let contacts = self.directory.contacts(me);
        contacts.map(|handle| self.contact_for(me, handle)).collect()
    }

    pub(super) fn contact_for(&self, viewer: &Handle, handle: &Handle) -> Contact {
        Contact {
            handle: handle.clone(),
            presence: self.presence_for(viewer, handle),
        }
    }

    pub(super) fn add(&mut self, page: ConnectionKey, me: &Handle, handle: Handle) {
        if handle == *me {
            return self.refuse(page, ErrorCode::SelfAddressed, "add");
        }
        if self.directory.is_full(me) && !self.directory.has_added(me, &handle) {
            return self.refuse(page, ErrorCode::TooMany, "add");
        }
        self.set_contact(me, &handle, true);
    }

    pub(super) fn remove(&mut self, me: &Handle, handle: &Handle) {
        self.set_contact(me, handle, false);
    }

    fn set_contact(&mut self, me: &Handle, handle: &Handle, is: bool) {
        let before = self.presence_for(handle, me);
        self.change(Change::Contact {
            owner: me.clone(),
            contact: handle.clone(),
            is,
        });
        self.tell_contacts(me);
        self.tell_of(me, handle, before);
    }

    pub(super) fn block(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        handle: Handle,
        blocked: bool,
    ) {
        if handle == *me {
            return self.refuse(page, ErrorCode::SelfAddressed, "block");
        }
        if blocked && self.directory.has_blocked_enough(me) && !self.directory.has_blocked(me, &handle) {
            return self.refuse(page, ErrorCode::TooMany, "block");
        }
        let before = self.presence_for(&handle, me);
        self.change(Change::Blocked {
            owner: me.clone(),
            other: handle.clone(),
            is: blocked,
        });
        self.tell_contacts(me);
        self.tell_of(me, &handle, before);
        if blocked {
            self.end_ring_of(now, me, &handle);
        }
    }

    fn tell_contacts(&mut self, me: &Handle) {
        let event = PeopleEvent::Contacts {
            contacts: self.contacts_of(me),
            blocked: self.directory.blocked(me).cloned().collect(),
        };
        self.tell_all(me, None, &event);
    }

    /// Tells one person how it stands with another, if they have them among their contacts and read
    /// something else `before`. Nothing is said where nothing changed for them: a stranger would learn
    /// from it that there is somebody who has just added or blocked them.
    fn tell_of(&mut self, person: &Handle, viewer: &Handle, before: Presence) {
        let contact = self.contact_for(viewer, person);
        if self.directory.has_added(viewer, person) && contact.presence != before {
            let event = PeopleEvent::Presence(contact);
            self.tell_all(viewer, None, &event);
        }
    }

    /// Notes a call that somebody missed, and tells them if they are there. One that a server before this
    /// one may have noted is noted once.
    pub(super) fn note_missed(
        &mut self,
        now: Duration,
        owner: &Handle,
        from: &Handle,
        video: bool,
        repeated_since: Option<u64>,
    ) {
        let is_noted = repeated_since.is_some_and(|since| self.directory.has_missed(owner, from, since));
        if is_noted || !self.directory.is_taken(owner) || self.directory.has_blocked(owner, from) {
            return;
        }
        let missed = Missed {
            number: self.directory.next_missed(owner),
            from: from.clone(),
            video,
            at: millis(self.unix + now),
        };
        self.change(Change::Missed {
            owner: owner.clone(),
            missed: missed.clone(),
        });
        self.tell_all(owner, None, &PeopleEvent::Missed(missed));
    }

    pub(super) fn seen(&mut self, me: &Handle, upto: u64) {
        if self.has(HubFault::SeenForgotten) {
            return;
        }
        self.change(Change::Seen {
            owner: me.clone(),
            upto,
        });
    }
}
