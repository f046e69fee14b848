//! A button with a menu of what is needed less often than what has a button of its own.
//!
//! The keyboard works as the ARIA Authoring Practices have it: the arrows, Home and End go from entry
//! to entry, Escape and Tab close it. It closes with every choice, so an entry says what was so when
//! the menu was opened.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;

use super::dom::{El, button, el_class, focused};
use super::icon::{Icon, icon};
use crate::web::{Listener, document, value};

/// A menu and the button that opens it.
#[derive(Clone)]
pub struct Menu {
    /// Both the button and the menu.
    place: El,
    opener: El,
    is_open: RwSignal<bool>,
    is_row: bool,
    /// What had the focus before, where it was not opened by its button.
    back: Rc<RefCell<Option<El>>>,
    /// What one can go through, while it is open.
    entries: Rc<RefCell<Vec<El>>>,
}

impl Menu {
    /// A closed menu behind a round button.
    #[must_use]
    pub fn new(sign: Icon, name: &str) -> Self {
        let is_open = RwSignal::new(false);
        let back: Rc<RefCell<Option<El>>> = Rc::default();
        let forgotten = Rc::clone(&back);
        let opener = button("round", move || {
            forgotten.take();
            is_open.update(|open| *open = !*open);
        })
        .attr("aria-haspopup", "menu")
        .live(move |opener| {
            opener.set_attr(
                "aria-expanded",
                Some(if is_open.get() { "true" } else { "false" }),
            );
        })
        .child(icon(sign));
        opener.set_label(name);
        Self {
            place: el_class("div", "menu-place").child(opener.clone()),
            opener,
            is_open,
            is_row: false,
            back,
            entries: Rc::default(),
        }
    }

    /// The button, and the menu while it is open. `fill` gives its entries each time: those of
    /// [`Menu::entry`] and [`Menu::choice`], and separators.
    #[must_use]
    pub fn with(&self, fill: impl Fn() -> Vec<El> + 'static) -> El {
        let (menu, is_open) = (self.clone(), self.is_open);
        self.place
            .clone()
            .slot(move || is_open.get().then(|| menu.list(untrack(&fill))))
    }

    /// An entry that does something.
    #[must_use]
    pub fn entry(&self, sign: Icon, name: &str, press: impl Fn() + 'static) -> El {
        let menu = self.clone();
        // The focus goes back first, so that what is done may take it elsewhere.
        button("menu-entry", move || {
            menu.close();
            press();
        })
        .attr("role", "menuitem")
        .attr("tabindex", "-1")
        .child(icon(sign))
        .child(el_class("span", "cut").text(name))
    }

    /// An entry that is a sign alone, in a row of such.
    #[must_use]
    pub fn sign(&self, sign: &str, press: impl Fn() + 'static) -> El {
        let menu = self.clone();
        button("menu-sign", move || {
            menu.close();
            press();
        })
        .attr("role", "menuitem")
        .attr("tabindex", "-1")
        .text(sign)
    }

    /// An entry that is one of several, of which one stands.
    #[must_use]
    pub fn choice(&self, sign: Icon, name: &str, is_chosen: bool, press: impl Fn() + 'static) -> El {
        let check = is_chosen.then(|| icon(Icon::Check));
        self.entry(sign, name, press)
            .attr("role", "menuitemradio")
            .attr("aria-checked", if is_chosen { "true" } else { "false" })
            .children(check)
    }

    /// The same menu with its entries side by side.
    #[must_use]
    pub fn in_a_row(mut self) -> Self {
        self.is_row = true;
        self
    }

    /// The same menu, whose button is there only where there is room for it.
    #[must_use]
    pub fn class(self, class: &str) -> Self {
        self.opener.set_class(class, true);
        self
    }

    /// The same menu, whose button has a dot while something within stands that one should not forget.
    #[must_use]
    pub fn noted(self, is_noted: impl Fn() -> bool + 'static) -> Self {
        self.opener
            .clone()
            .live(move |opener| opener.set_class("is-noted", is_noted()));
        self
    }

    /// Opens it from elsewhere: by a key, or by an entry of another menu.
    pub fn open(&self) {
        self.back.replace(focused());
        self.is_open.set(true);
    }

    fn close(&self) {
        self.is_open.set(false);
        self.back.take().unwrap_or_else(|| self.opener.clone()).focus();
    }

    fn list(&self, entries: Vec<El>) -> El {
        let list = el_class("div", "menu").attr("role", "menu");
        if self.is_row {
            list.set_class("menu-row", true);
            list.set_attr("aria-orientation", Some("horizontal"));
        }
        if let Some(name) = self.opener.element().get_attribute("aria-label") {
            list.set_attr("aria-label", Some(&name));
        }
        for entry in &entries {
            list.put(entry);
        }
        let is_entry = |entry: &El| entry.element().has_attribute("tabindex");
        self.entries
            .replace(entries.into_iter().filter(is_entry).collect());
        if let Some(first) = self.entries.borrow().first() {
            first.focus_soon();
        }
        let (keys, outside) = (self.clone(), self.clone());
        // A press elsewhere closes it and does what it does there as well.
        StoredValue::new_local(Listener::capturing(&document(), "pointerdown", move |event| {
            if !outside.place.holds(&event) {
                outside.back.take();
                outside.is_open.set(false);
            }
        }));
        // A press beside the entries leaves the focus where it is, else the keys would go elsewhere.
        let list = list.on("mousedown", |event| event.prevent_default());
        list.on("keydown", move |event| {
            let key = value::get(&event, "key").as_string().unwrap_or_default();
            if keys.pressed(&key) {
                event.prevent_default();
                // Escape is for the menu alone, and arrows are not for the toolbar.
                event.stop_propagation();
            }
        })
    }

    /// Takes a key; whether it was one for the menu alone.
    fn pressed(&self, key: &str) -> bool {
        match key {
            "Escape" => self.close(),
            // The focus goes on from the button, as if there had been no menu.
            "Tab" => {
                self.close();
                return false;
            }
            _ => {
                let entries = self.entries.borrow();
                // Some are there only where the window is narrow.
                let is_seen = |entry: &&El| entry.element().offset_height() > 0;
                let entries: Vec<&El> = entries.iter().filter(is_seen).collect();
                let here = entries.iter().position(|entry| entry.has_focus());
                let Some(next) = step(key, here, entries.len()) else {
                    return false;
                };
                entries[next].focus();
            }
        }
        true
    }
}

/// The entry that a key leads to, of so many; `None` if it leads nowhere.
fn step(key: &str, here: Option<usize>, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    match (key, here) {
        // Sideways as well: some menus are a row.
        ("ArrowDown" | "ArrowRight", Some(here)) if here < last => Some(here + 1),
        ("ArrowDown" | "ArrowRight" | "Home", _) => Some(0),
        ("ArrowUp" | "ArrowLeft", Some(here)) if here > 0 => Some(here - 1),
        ("ArrowUp" | "ArrowLeft" | "End", _) => Some(last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn arrows_go_round_and_other_keys_nowhere() {
        assert_eq!(step("ArrowDown", None, 3), Some(0));
        assert_eq!(step("ArrowDown", Some(0), 3), Some(1));
        assert_eq!(step("ArrowDown", Some(2), 3), Some(0));
        assert_eq!(step("ArrowRight", Some(0), 3), Some(1));
        assert_eq!(step("ArrowLeft", Some(0), 3), Some(2));
        assert_eq!(step("ArrowUp", None, 3), Some(2));
        assert_eq!(step("ArrowUp", Some(2), 3), Some(1));
        assert_eq!(step("ArrowUp", Some(0), 3), Some(2));
        assert_eq!(step("Home", Some(1), 3), Some(0));
        assert_eq!(step("End", Some(1), 3), Some(2));
        assert_eq!(step("a", Some(1), 3), None);
        assert_eq!(step("ArrowDown", None, 0), None);
    }
}
