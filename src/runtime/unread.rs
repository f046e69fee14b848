//! What the tab's title says: where one is, what happened while nobody looked, how far files have come.

use core::cell::{Cell, RefCell};

use leptos::prelude::{GetUntracked, ReadSignal, WithValue};
use visavis_call_core::{NoticeKind, Transfer, TransferState, View};

use super::Runtime;
use super::engine::Engine;
use super::store::set_if_changed;
use crate::i18n::amounts;
use crate::web::{Listener, appearance, page};

/// More is not counted: a title has little room.
const MOST: u32 = 99;

/// What the title is made of, beside the store's count.
#[derive(Default)]
pub(super) struct Title {
    /// Where one is.
    place: RefCell<String>,
    /// Who calls: said in place of where one is.
    call: RefCell<Option<String>>,
    /// The last notice that was looked at.
    noticed: Cell<u64>,
    /// How far files have come, in percent, while any are under way. The page is held meanwhile: what is
    /// sent ends with it, and the browser asks first.
    under_way: RefCell<Option<(u32, Listener)>>,
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

    /// Says how far files have come.
    pub(super) fn follow_transfers(&self, view: &View) {
        let now = under_way(&view.transfers);
        let before = self.title.under_way.take();
        if before.as_ref().map(|(percent, _)| *percent) == now {
            self.title.under_way.replace(before);
            return;
        }
        let held = |percent| {
            let hold = before.map_or_else(page::hold, |(_, hold)| hold);
            (percent, hold)
        };
        self.title.under_way.replace(now.map(held));
        self.show_title();
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

    /// Says who calls, or no longer.
    pub(super) fn set_title_of_call(&self, title: Option<String>) {
        self.title.call.replace(title);
        self.show_title();
    }

    /// Shows where one is, and how much there is to see: news of the call and messages.
    pub(super) fn show_title(&self) {
        let place = self.title.place.borrow();
        let percent = self
            .title
            .under_way
            .borrow()
            .as_ref()
            .map(|(percent, _)| *percent);
        let unread = self.store.unread.get_untracked();
        let unread = unread
            .saturating_add(self.store.chat_unread.get_untracked())
            .min(MOST);
        let call = self.title.call.borrow();
        appearance::set_title(&titled(call.as_ref().unwrap_or(&place), unread, percent));
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
        NoticeKind::PersonJoined { .. }
            | NoticeKind::Knocked { .. }
            | NoticeKind::HandRaised { .. }
            | NoticeKind::FileOffered { .. }
    )
}

/// How far all that is under way has come together, in percent; `None` if nothing is. What waits for its
/// turn counts, else the share would jump back; what rests does not, it may do so for ever.
fn under_way(transfers: &[Transfer]) -> Option<u32> {
    let (mut passed, mut bytes, mut runs) = (0_u64, 0_u64, false);
    for transfer in transfers {
        let counts = match transfer.state {
            TransferState::Running | TransferState::Verifying => {
                runs = true;
                true
            }
            TransferState::Waiting => true,
            TransferState::Offered
            | TransferState::Paused { .. }
            | TransferState::Interrupted
            | TransferState::Lacking { .. }
            | TransferState::Done
            | TransferState::Stopped { .. } => false,
        };
        if counts {
            passed = passed.saturating_add(transfer.passed);
            bytes = bytes.saturating_add(transfer.bytes);
        }
    }
    runs.then(|| amounts::percent_of(passed, bytes))
}

fn titled(place: &str, unread: u32, percent: Option<u32>) -> String {
    let mut title = String::new();
    if unread > 0 {
        title.push('(');
        title.push_str(&unread.to_string());
        title.push_str(") ");
    }
    if let Some(percent) = percent {
        title.push_str(&amounts::percent(percent));
        title.push_str(" · ");
    }
    title.push_str(place);
    title
}

#[cfg(test)]
mod tests {
    use visavis_call_core::Direction;
    use visavis_protocol::{SeatId, TransferId};

    use super::*;

    #[test]
    fn the_title_says_how_much_is_unread() {
        assert_eq!(titled("tea · Visavis", 0, None), "tea · Visavis");
        assert_eq!(titled("tea · Visavis", 2, None), "(2) tea · Visavis");
    }

    #[test]
    fn the_title_says_how_far_files_have_come() {
        assert_eq!(titled("tea · Visavis", 0, Some(37)), "37% · tea · Visavis");
        assert_eq!(titled("tea · Visavis", 2, Some(0)), "(2) 0% · tea · Visavis");
    }

    fn transfer(passed: u64, state: TransferState) -> Transfer {
        Transfer {
            transfer: TransferId::from_bytes([1; 16]),
            direction: Direction::Sending,
            seat: SeatId::from_bytes([1; 16]),
            name: String::new(),
            title: String::new(),
            is_folder: false,
            files: 1,
            bytes: 100,
            passed,
            rate: 0,
            left: None,
            state,
        }
    }

    #[test]
    fn only_what_is_under_way_counts() {
        let running = transfer(50, TransferState::Running);
        let waiting = transfer(0, TransferState::Waiting);
        let paused = transfer(90, TransferState::Paused { by_us: true });
        let done = transfer(100, TransferState::Done);
        assert_eq!(under_way(&[done.clone(), paused.clone()]), None);
        // Something else has to begin first, and does not.
        assert_eq!(under_way(std::slice::from_ref(&waiting)), None);
        assert_eq!(under_way(&[running.clone(), paused, done]), Some(50));
        assert_eq!(under_way(&[running, waiting]), Some(25));
        assert_eq!(under_way(&[transfer(100, TransferState::Verifying)]), Some(100));
    }
}
