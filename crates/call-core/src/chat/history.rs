//! The messages that a tab keeps: in one order for everybody, each once, and the oldest dropped where
//! there are too many.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};

use visavis_protocol::chat::ChatMessage;
use visavis_protocol::{ChatKey, PeerId, SeatId, limits};

/// What names a message.
type Name = (SeatId, PeerId, u32);
/// Its place in the order.
type Place = (u32, u32, SeatId, PeerId, u32);

/// A message that is kept.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) message: ChatMessage,
    /// Who told it, where that was not its author.
    pub(super) teller: Option<String>,
    pub(super) is_disputed: bool,
    pub(super) is_before: bool,
    /// Counts what comes, in this tab.
    pub(super) number: u64,
}

impl Entry {
    fn place(&self) -> Place {
        place(&self.message)
    }

    fn bytes(&self) -> usize {
        self.message.text.len() + self.message.name.len() + self.teller.as_ref().map_or(0, String::len)
    }
}

const fn name(message: &ChatMessage) -> Name {
    (message.author, message.session, message.seq)
}

const fn place(message: &ChatMessage) -> Place {
    (
        message.clock,
        message.aside,
        message.author,
        message.session,
        message.seq,
    )
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// In their order.
    entries: VecDeque<Entry>,
    places: BTreeMap<Name, Place>,
    bytes: usize,
    counted: u64,
    version: u64,
    /// The first and the last place of what was said before the present stay began.
    before: Option<(Place, Place)>,
}

impl History {
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// Forgets all. What comes is numbered on.
    pub(super) fn clear(&mut self) {
        *self = Self {
            counted: self.counted,
            version: self.version + 1,
            ..Self::default()
        };
    }

    /// Marks everything with another key.
    pub(super) fn mark_again(&mut self, key: &ChatKey) {
        for entry in &mut self.entries {
            entry.message.tag = Some(entry.message.tag_with(key));
        }
    }

    /// A new stay begins: what is here by now is of earlier ones.
    pub(super) fn begin_stay(&mut self) {
        self.before = None;
        self.version += 1;
    }

    /// The numbers of the first and the last line from before the present stay.
    pub(super) fn before(&self) -> Option<(u64, u64)> {
        let (first, last) = self.before?;
        let from = self.entries.partition_point(|entry| entry.place() < first);
        let to = self.entries.partition_point(|entry| entry.place() <= last);
        let entry = |at: usize| self.entries.get(at).map(|entry| entry.number);
        entry(from).zip(entry(to.checked_sub(1)?))
    }

    /// Takes a message from its author, where `teller` is none, or from somebody else. Whether it is new
    /// here.
    pub(super) fn take(&mut self, message: ChatMessage, teller: Option<&str>, is_before: bool) -> bool {
        let Some(at) = self.find(&message) else {
            return self.insert(message, teller, is_before);
        };
        let Some(known) = self.entries.get_mut(at) else {
            return false;
        };
        let is_hearsay = known.teller.is_some();
        let is_same = same(&known.message, &message);
        match (is_same, teller) {
            // What its author told stands, whatever else is told.
            _ if !is_hearsay => return false,
            (true, Some(_)) => return false,
            (true, None) => {
                self.bytes -= known.teller.take().map_or(0, |teller| teller.len());
                known.is_disputed = false;
            }
            (false, Some(_)) => known.is_disputed = true,
            (false, None) => {
                let is_before = known.is_before;
                self.remove(at);
                self.insert(message, None, is_before);
            }
        }
        self.version += 1;
        false
    }

    fn find(&self, message: &ChatMessage) -> Option<usize> {
        let place = *self.places.get(&name(message))?;
        self.entries
            .binary_search_by(|entry| entry.place().cmp(&place))
            .ok()
    }

    fn insert(&mut self, message: ChatMessage, teller: Option<&str>, is_before: bool) -> bool {
        let place = place(&message);
        let at = self.entries.partition_point(|entry| entry.place() < place);
        let entry = Entry {
            message,
            teller: teller.map(ToString::to_string),
            is_disputed: false,
            is_before,
            number: self.counted + 1,
        };
        let is_full =
            self.entries.len() >= limits::CHAT_KEPT || self.bytes + entry.bytes() > limits::CHAT_KEPT_BYTES;
        if at == 0 && is_full {
            // It would be the first to be dropped.
            return false;
        }
        self.counted += 1;
        self.version += 1;
        self.bytes += entry.bytes();
        self.places.insert(name(&entry.message), place);
        self.entries.insert(at, entry);
        if is_before {
            let (first, last) = self.before.unwrap_or((place, place));
            self.before = Some((first.min(place), last.max(place)));
        }
        while self.entries.len() > limits::CHAT_KEPT || self.bytes > limits::CHAT_KEPT_BYTES {
            self.remove(0);
        }
        true
    }

    fn remove(&mut self, at: usize) {
        if let Some(entry) = self.entries.remove(at) {
            self.bytes -= entry.bytes();
            self.places.remove(&name(&entry.message));
        }
    }
}

/// Whether two tellings say the same. The tag follows from the rest.
fn same(one: &ChatMessage, other: &ChatMessage) -> bool {
    place(one) == place(other)
        && one.time == other.time
        && one.name == other.name
        && one.to == other.to
        && one.text == other.text
}
