//! What happened while nobody looked: counted in the tab's title until somebody does.

use core::cell::{Cell, RefCell};

use leptos::prelude::{GetUntracked, ReadSignal, WithValue};
use visavis_call_core::{NoticeKind, View};

use super::Runtime;
use super::engine::Engine;
use super::store::set_if_changed;
use crate::web::{appearance, page};

/// More is not counted: a title has little room.
const MOST: u32 = 99;

/// What the title is made of, beside the store's count.
#[derive(Default)]
pub(super) struct Title {
    /// Where one is.
    place: RefCell<String>,
    /// The last notice that was looked at.
    noticed: Cell<u64>,
}

impl Engine {
    /// Counts what is news in the tab that nobody sees.
    pub(super) fn count_notices(&self, view: &View) {
        let last = view.notices.last().map_or(0, |last| last.number);
        let before = self.title.noticed.replace(last);
        if last == before || !page::is_hidden() {
            return;
        }
        let news = view.notices.iter().filter(|notice| notice.number > before);
        let count = news.filter(|notice| counts(&notice.kind)).count();
        self.add_unread(u32::try_from(count).unwrap_or(MOST));
    }

    /// Adds to the count; nothing where somebody looks.
    pub(super) fn add_unread(&self, count: u32) {
        if page::is_hidden() {
            self.set_unread(self.store.unread.get_untracked().saturating_add(count).min(MOST));
        }
    }

    /// Somebody looks again.
    pub(super) fn clear_unread(&self) {
        self.set_unread(0);
    }

    fn set_unread(&self, count: u32) {
        set_if_changed(self.store.unread, count);
        self.show_title();
    }

    fn set_title(&self, place: &str) {
        self.title.place.replace(place.to_owned());
        self.show_title();
    }

    /// Shows where one is, and how much there is to see: news of the call and messages.
    pub(super) fn show_title(&self) {
        let place = self.title.place.borrow();
        let unread = self.store.unread.get_untracked();
        let unread = unread
            .saturating_add(self.store.chat_unread.get_untracked())
            .min(MOST);
        appearance::set_title(&titled(&place, unread));
    }
}

impl Runtime {
    /// Says in the tab's title where one is. What is unread stands before it.
    pub fn set_title(self, title: &str) {
        self.engine.with_value(|engine| engine.set_title(title));
    }

    /// How much happened since the tab went to the background.
    #[must_use]
    pub fn unread(self) -> ReadSignal<u32> {
        self.store.unread.read_only()
    }
}

/// Whether it is worth a look at the tab.
const fn counts(kind: &NoticeKind) -> bool {
    matches!(
        kind,
        NoticeKind::PersonJoined { .. } | NoticeKind::HandRaised { .. }
    )
}

fn titled(place: &str, unread: u32) -> String {
    if unread == 0 {
        return place.to_owned();
    }
    ["(", &unread.to_string(), ") ", place].concat()
}

#[cfg(test)]
mod tests {
    use super::titled;

    #[test]
    fn the_title_says_how_much_is_unread() {
        assert_eq!(titled("tea · Visavis", 0), "tea · Visavis");
        assert_eq!(titled("tea · Visavis", 2), "(2) tea · Visavis");
    }
}
