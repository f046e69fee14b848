//! Short sentences about what just happened, one at a time.
//!
//! A sentence stays for as long as its animation runs and makes place for the next by its end, so
//! there is no timer. While another waits it is shorter; in a tab that nobody sees they wait, the
//! oldest giving way.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::dom::{El, el_class};

/// Sentences that may wait. More are old news by the time they would be read.
const WAITING: usize = 3;

/// What kind of sentence it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something to know.
    Polite,
    /// Something that did not work.
    Error,
    /// Something that is seen elsewhere: it is only said.
    Heard,
}

/// Takes sentences and shows them.
#[derive(Clone)]
pub struct Toasts {
    polite: Region,
    errors: Region,
    heard: Region,
}

impl Toasts {
    /// Nothing to say yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            polite: Region::new("toast"),
            errors: Region::new("toast toast-error"),
            heard: Region::new("toast visually-hidden"),
        }
    }

    /// Says a sentence, after those that were said before.
    pub fn say(&self, tone: Tone, text: String) {
        self.region(tone).say(text);
    }

    /// Where the sentences of a tone appear, to stand in a live region.
    #[must_use]
    pub fn place(&self, tone: Tone) -> El {
        self.region(tone).place.clone()
    }

    const fn region(&self, tone: Tone) -> &Region {
        match tone {
            Tone::Polite => &self.polite,
            Tone::Error => &self.errors,
            Tone::Heard => &self.heard,
        }
    }
}

impl Default for Toasts {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone)]
struct Region {
    place: El,
    class: &'static str,
    /// The first is on show.
    queue: Rc<RefCell<VecDeque<String>>>,
}

impl Region {
    fn new(class: &'static str) -> Self {
        let region = Self {
            place: el_class("div", "toasts"),
            class,
            queue: Rc::default(),
        };
        let shown = region.clone();
        region.place.clone().on("animationend", move |_| shown.next());
        region
    }

    fn say(&self, text: String) {
        let mut queue = self.queue.borrow_mut();
        queue.push_back(text);
        if queue.len() > WAITING {
            // The one on show stays.
            queue.remove(1);
        }
        let is_first = queue.len() == 1;
        drop(queue);
        if is_first {
            self.show();
        } else {
            self.place.set_class("is-hurried", true);
        }
    }

    fn next(&self) {
        self.queue.borrow_mut().pop_front();
        self.show();
    }

    fn show(&self) {
        let queue = self.queue.borrow();
        self.place.set_class("is-hurried", queue.len() > 1);
        let first = queue.front().cloned();
        // A new element each time: its animation begins anew.
        self.place
            .set_only_child(first.map(|text| el_class("p", self.class).text(&text)));
    }
}
