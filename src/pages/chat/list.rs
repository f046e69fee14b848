//! The messages, of which only those that can be seen are in the page, however many there are.
//!
//! It stays at its end while it is there, and where it is while it is not. What is above is as high as
//! it was measured or is guessed to be; `layout::Heights` does the arithmetic.

use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::ChatLine;

use super::line::Look;
use crate::components::dom::{El, button, el_class, live};
use crate::i18n::words;
use crate::layout::{Anchor, Heights};
use crate::runtime::Runtime;

/// Pixels above and below what can be seen that are in the page as well.
const MARGIN_PX: f64 = 400.0;
/// This far from the end is at the end: zoomed pages have fractions.
const END_PX: f64 = 24.0;

/// The list. Copies are the same.
#[derive(Clone)]
pub struct List {
    runtime: Runtime,
    whole: El,
    log: El,
    before: El,
    shown: El,
    after: El,
    state: Rc<State>,
    /// How much news there is below what can be seen.
    below: RwSignal<u32>,
}

#[derive(Default)]
struct State {
    numbers: RefCell<Vec<u64>>,
    heights: RefCell<Heights>,
    /// Measured, by the line's number.
    measured: RefCell<BTreeMap<u64, f64>>,
    /// What is in the page, in its order.
    rows: RefCell<Vec<(Look, El)>>,
    is_at_end: Cell<bool>,
    width: Cell<f64>,
    is_placing: Cell<bool>,
}

impl List {
    /// The list of all messages, at its end.
    pub fn new(runtime: Runtime) -> Self {
        let log = el_class("div", "chat-log")
            .attr("role", "log")
            .attr("aria-label", words().chat.messages)
            // What is new is said in a region of its own: this one changes by scrolling as well.
            .attr("aria-live", "off")
            .attr("tabindex", "0");
        let [before, shown, after] =
            ["chat-space", "chat-shown", "chat-space"].map(|class| el_class("div", class));
        let list = Self {
            runtime,
            whole: el_class("div", "chat-list"),
            log: log
                .child(before.clone())
                .child(shown.clone())
                .child(after.clone()),
            before,
            shown,
            after,
            state: Rc::default(),
            below: RwSignal::new(0),
        };
        list.state.is_at_end.set(true);
        let (scrolled, sized, followed) = (list.clone(), list.clone(), list.clone());
        _ = list.log.clone().on("scroll", move |_| scrolled.scrolled());
        runtime.measure(list.log.element(), move |width, _| sized.sized(width));
        let chat = runtime.chat();
        live(move || {
            let version = chat.with(|chat| chat.version);
            _ = version;
            untrack(|| followed.changed());
        });
        list
    }

    /// Its element.
    pub fn el(&self) -> El {
        let (chat, below, jumped) = (self.runtime.chat(), self.below, self.clone());
        let empty = move || {
            let is_empty = chat.with(|chat| chat.count == 0);
            is_empty.then(|| {
                el_class("div", "chat-empty")
                    .child(el_class("p", "chat-empty-title").text(words().chat.empty))
                    .child(el_class("p", "hint").text(words().chat.empty_hint))
            })
        };
        let to_end = move || {
            let (count, list) = (below.get(), jumped.clone());
            (count > 0).then(|| {
                let jump = button("button button-small button-primary chat-jump", move || {
                    list.to_end()
                });
                jump.text(&words().new_messages.of(count as usize))
            })
        };
        self.whole
            .clone()
            .child(self.log.clone())
            .slot(empty)
            .slot(to_end)
    }

    /// Goes to the end, and stays there.
    pub fn to_end(&self) {
        self.state.is_at_end.set(true);
        self.read();
        self.place(None);
    }

    fn view_height(&self) -> f64 {
        self.log.element().client_height().into()
    }

    fn top(&self) -> f64 {
        self.log.element().scroll_top().into()
    }

    fn scrolled(&self) {
        let log = self.log.element();
        let left = f64::from(log.scroll_height()) - self.top() - self.view_height();
        let is_at_end = left < END_PX;
        if self.state.is_at_end.replace(is_at_end) != is_at_end {
            self.read();
        }
        let anchor = (!is_at_end)
            .then(|| self.state.heights.borrow().anchor(self.top()))
            .flatten();
        self.place(anchor);
    }

    fn sized(&self, width: f64) {
        // Text breaks anew.
        if (self.state.width.replace(width) - width).abs() >= 1.0 {
            self.state.measured.borrow_mut().clear();
        }
        self.changed();
    }

    /// Follows the lines that there are.
    fn changed(&self) {
        let numbers = self.runtime.chat_numbers();
        let is_at_end = self.state.is_at_end.get();
        let kept = if is_at_end {
            None
        } else {
            let anchor = self.state.heights.borrow().anchor(self.top());
            let line = |anchor: &Anchor| self.state.numbers.borrow().get(anchor.line).copied();
            anchor.and_then(|anchor| line(&anchor).zip(Some(anchor.offset)))
        };
        {
            let measured = self.state.measured.borrow();
            let heights = numbers.iter().map(|number| measured.get(number).copied());
            *self.state.heights.borrow_mut() = Heights::new(heights.collect());
        }
        let found = kept.and_then(|(number, offset)| {
            let line = numbers.iter().position(|other| *other == number)?;
            Some(Anchor { line, offset })
        });
        // Of lines that are no more nothing need be known.
        if self.state.measured.borrow().len() > 2 * numbers.len() {
            self.state
                .measured
                .borrow_mut()
                .retain(|number, _| numbers.contains(number));
        }
        *self.state.numbers.borrow_mut() = numbers;
        self.read();
        self.place(found);
    }

    /// Says what is seen: whoever sees the end has read all.
    fn read(&self) {
        let is_at_end = self.state.is_at_end.get();
        self.runtime.read_chat(is_at_end);
        let unread = self.runtime.chat_unread().get_untracked();
        let below = if is_at_end { 0 } else { unread };
        if self.below.get_untracked() != below {
            self.below.set(below);
        }
    }

    /// Puts into the page what can be seen, and keeps a line, or the end, where it is.
    fn place(&self, anchor: Option<Anchor>) {
        // What is placed scrolls, and that would place again.
        if self.state.is_placing.replace(true) {
            return;
        }
        // What was measured may change what can be seen; it settles at once or after a few lines.
        for _ in 0..4 {
            let view = self.view_height();
            let top = self.wanted_top(anchor, view);
            let window = self.state.heights.borrow().window(top, view, MARGIN_PX);
            self.before.set_style("block-size", &px(window.before));
            self.after.set_style("block-size", &px(window.after));
            self.fill(window.lines.start, window.lines.end);
            let is_settled = !self.measure(window.lines.start);
            let top = self.wanted_top(anchor, view);
            if (self.top() - top).abs() >= 1.0 {
                self.log.element().set_scroll_top(top as i32);
            }
            if is_settled {
                break;
            }
        }
        self.state.is_placing.set(false);
    }

    fn wanted_top(&self, anchor: Option<Anchor>, view: f64) -> f64 {
        let heights = self.state.heights.borrow();
        if self.state.is_at_end.get() {
            (heights.whole() - view).max(0.0)
        } else {
            anchor.map_or_else(|| self.top(), |anchor| heights.begin(anchor.line) - anchor.offset)
        }
    }

    /// Makes these lines what is in the page. Those that stay are not touched.
    fn fill(&self, from: usize, to: usize) {
        // With the one before, of which the look of the first depends.
        let first = from.saturating_sub(1);
        let lines = self.runtime.chat_lines(first..to);
        let bounds = self.runtime.chat().with_untracked(|chat| chat.before);
        let mut before: Option<&ChatLine> = None;
        let mut looks = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            if first + index >= from {
                looks.push(Look::new(line.clone(), before, bounds));
            }
            before = Some(line);
        }
        let time = |time| self.runtime.written_time(time);
        let mut rows = self.state.rows.borrow_mut();
        let mut old = core::mem::take(&mut *rows);
        for look in looks {
            let kept = old.iter().position(|(other, _)| *other == look);
            rows.push(kept.map_or_else(|| (look.clone(), look.view(&time)), |at| old.swap_remove(at)));
        }
        for (_, gone) in old {
            gone.remove();
        }
        let elements: Vec<El> = rows.iter().map(|(_, row)| row.clone()).collect();
        self.shown.set_children(&elements);
    }

    /// Takes the heights of what is in the page; whether any was another than thought.
    fn measure(&self, from: usize) -> bool {
        let rows = self.state.rows.borrow();
        let mut heights = self.state.heights.borrow_mut();
        let mut measured = self.state.measured.borrow_mut();
        let mut is_changed = false;
        for (index, (look, row)) in rows.iter().enumerate() {
            let height = row.height();
            // A panel that is not shown yet has none.
            if height > 0.0 {
                measured.insert(look.line.number, height);
                is_changed |= heights.set(from + index, height);
            }
        }
        is_changed
    }
}

fn px(length: f64) -> String {
    (length.round() as i64).to_string() + "px"
}
