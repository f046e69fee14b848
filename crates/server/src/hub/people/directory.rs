//! What is known of people for good: their keys, whom they added and blocked, and calls that they missed.
//!
//! It lives in memory and is made anew at each start from what was written down; see [`Change`].

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use visavis_protocol::Handle;
use visavis_protocol::handle::PublicKey;
use visavis_protocol::limits::{CONTACTS, HANDLES, KEYS_PER_PERSON, MISSED_CALLS, MISSED_FOR};
use visavis_protocol::people::Missed;

use crate::hub::appointments::Booking;

/// Something that must outlast the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A key proves a handle from now on: the first one, or that of another browser.
    Key {
        /// Which handle.
        handle: Handle,
        /// The key.
        key: PublicKey,
    },
    /// Somebody was named by a token for the first time: they have no key.
    Person {
        /// Which handle.
        handle: Handle,
    },
    /// Somebody is a contact, or no longer.
    Contact {
        /// Whose.
        owner: Handle,
        /// Who.
        contact: Handle,
        /// Whether from now on.
        is: bool,
    },
    /// Somebody is blocked, or no longer.
    Blocked {
        /// By whom.
        owner: Handle,
        /// Who.
        other: Handle,
        /// Whether from now on.
        is: bool,
    },
    /// A call was missed.
    Missed {
        /// By whom.
        owner: Handle,
        /// Which.
        missed: Missed,
    },
    /// Missed calls were told, up to this one.
    Seen {
        /// To whom.
        owner: Handle,
        /// The number of the last one.
        upto: u64,
    },
    /// Something about appointments.
    Booking(Booking),
    /// A handle is nobody's any more, by the operator's word.
    Freed {
        /// Which.
        handle: Handle,
    },
}

/// What the server has written down of people, in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    entries: BTreeMap<Handle, Entry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    keys: Vec<PublicKey>,
    contacts: BTreeSet<Handle>,
    blocked: BTreeSet<Handle>,
    missed: VecDeque<Missed>,
    /// The number of the missed call that was noted last.
    last_missed: u64,
}

impl Directory {
    /// Makes a change; whether it was one.
    pub fn apply(&mut self, change: &Change) -> bool {
        match change {
            Change::Key { handle, key } => {
                let entry = self.entries.entry(handle.clone()).or_default();
                let is_new = !entry.keys.contains(key) && entry.keys.len() < KEYS_PER_PERSON;
                if is_new {
                    entry.keys.push(*key);
                }
                is_new
            }
            Change::Person { handle } => {
                let is_new = !self.entries.contains_key(handle);
                self.entries.entry(handle.clone()).or_default();
                is_new
            }
            Change::Contact { owner, contact, is } => {
                let Some(entry) = self.entries.get_mut(owner) else {
                    return false;
                };
                set(&mut entry.contacts, contact, *is)
            }
            Change::Blocked { owner, other, is } => {
                let Some(entry) = self.entries.get_mut(owner) else {
                    return false;
                };
                set(&mut entry.blocked, other, *is)
            }
            Change::Missed { owner, missed } => {
                let Some(entry) = self.entries.get_mut(owner) else {
                    return false;
                };
                entry.last_missed = entry.last_missed.max(missed.number);
                if entry.missed.len() >= MISSED_CALLS {
                    entry.missed.pop_front();
                }
                entry.missed.push_back(missed.clone());
                true
            }
            Change::Seen { owner, upto } => {
                let Some(entry) = self.entries.get_mut(owner) else {
                    return false;
                };
                let before = entry.missed.len();
                entry.missed.retain(|missed| missed.number > *upto);
                entry.missed.len() < before
            }
            Change::Booking(_) => false,
            Change::Freed { handle } => self.entries.remove(handle).is_some(),
        }
    }

    /// Goes on counting missed calls where an earlier server was.
    pub fn note_last_missed(&mut self, owner: &Handle, number: u64) {
        if let Some(entry) = self.entries.get_mut(owner) {
            entry.last_missed = entry.last_missed.max(number);
        }
    }

    /// Whether no handle can be taken any more.
    pub(super) fn is_whole(&self) -> bool {
        self.entries.len() >= HANDLES
    }

    pub(super) fn is_taken(&self, handle: &Handle) -> bool {
        self.entries.contains_key(handle)
    }

    pub(super) fn has_key(&self, handle: &Handle, key: &PublicKey) -> bool {
        self.entries
            .get(handle)
            .is_some_and(|entry| entry.keys.contains(key))
    }

    pub(super) fn may_have_another_key(&self, handle: &Handle) -> bool {
        self.entries
            .get(handle)
            .is_some_and(|entry| entry.keys.len() < KEYS_PER_PERSON)
    }

    pub(super) fn contacts(&self, owner: &Handle) -> impl Iterator<Item = &Handle> {
        self.entries
            .get(owner)
            .into_iter()
            .flat_map(|entry| &entry.contacts)
    }

    pub(super) fn blocked(&self, owner: &Handle) -> impl Iterator<Item = &Handle> {
        self.entries
            .get(owner)
            .into_iter()
            .flat_map(|entry| &entry.blocked)
    }

    pub(super) fn has_blocked(&self, owner: &Handle, other: &Handle) -> bool {
        self.entries
            .get(owner)
            .is_some_and(|entry| entry.blocked.contains(other))
    }

    pub(super) fn has_added(&self, owner: &Handle, other: &Handle) -> bool {
        self.entries
            .get(owner)
            .is_some_and(|entry| entry.contacts.contains(other))
    }

    /// Whether somebody's list of contacts is full.
    pub(super) fn is_full(&self, owner: &Handle) -> bool {
        self.entries
            .get(owner)
            .is_none_or(|entry| entry.contacts.len() >= CONTACTS)
    }

    /// Whether somebody's list of those they blocked is.
    pub(super) fn has_blocked_enough(&self, owner: &Handle) -> bool {
        self.entries
            .get(owner)
            .is_none_or(|entry| entry.blocked.len() >= CONTACTS)
    }

    /// Missed calls that are not too old, by a time since 1970.
    pub(super) fn missed(&self, owner: &Handle, unix: Duration) -> Vec<Missed> {
        let oldest = millis(unix.saturating_sub(MISSED_FOR));
        let all = self
            .entries
            .get(owner)
            .into_iter()
            .flat_map(|entry| &entry.missed);
        all.filter(|missed| missed.at >= oldest).cloned().collect()
    }

    /// Whether somebody missed a call of another since then, in milliseconds since 1970.
    pub(super) fn has_missed(&self, owner: &Handle, from: &Handle, since: u64) -> bool {
        let mut missed = self
            .entries
            .get(owner)
            .into_iter()
            .flat_map(|entry| &entry.missed);
        missed.any(|missed| missed.from == *from && missed.at >= since)
    }

    /// The number of the next missed call.
    pub(super) fn next_missed(&self, owner: &Handle) -> u64 {
        self.entries
            .get(owner)
            .map_or(1, |entry| entry.last_missed.saturating_add(1))
    }
}

fn set(list: &mut BTreeSet<Handle>, handle: &Handle, is: bool) -> bool {
    if is {
        list.insert(handle.clone())
    } else {
        list.remove(handle)
    }
}

/// Milliseconds, as far as they go.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
