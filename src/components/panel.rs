//! A panel beside the stage, or over it where there is no room for both: people, messages, files.
//!
//! The focus goes into it and back to where it was; Escape closes it. It is no dialog: the call goes on
//! beside it, and its controls stay in reach.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;

use super::dom::{El, button, el, el_class, focused};
use super::icon::{Icon, icon};
use crate::i18n::words;
use crate::web::value;

/// A panel. Its content is made while it is open.
#[derive(Clone)]
pub struct Panel {
    element: El,
    heading: El,
    is_open: RwSignal<bool>,
    /// What had the focus before.
    back: Rc<RefCell<Option<El>>>,
}

impl Panel {
    /// A closed panel.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let is_open = RwSignal::new(false);
        let heading = el_class("h2", "panel-title").attr("tabindex", "-1").text(name);
        let element = el_class("section", "panel")
            .attr("aria-label", name)
            .live(move |panel| panel.set_flag("hidden", !is_open.get()));
        Self {
            element,
            heading,
            is_open,
            back: Rc::default(),
        }
    }

    /// Its element, with what it is to show.
    #[must_use]
    pub fn with(&self, content: impl Fn() -> El + 'static) -> El {
        let (is_open, closed, escaped) = (self.is_open, self.clone(), self.clone());
        let heading = self.heading.clone();
        let close = button("sign", move || closed.close()).child(icon(Icon::Close));
        close.set_label(words().close);
        let top = el_class("div", "panel-top")
            .child(self.heading.clone())
            .child(close);
        self.element
            .clone()
            .child(top)
            .child(el("div").attr("class", "panel-content").slot(move || {
                is_open.get().then(|| {
                    heading.focus_soon();
                    untrack(&content)
                })
            }))
            .on("keydown", move |event| {
                if value::get(&event, "key").as_string().as_deref() == Some("Escape") {
                    event.stop_propagation();
                    escaped.close();
                }
            })
    }

    /// Whether another handle is the same panel.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.element == other.element
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> ReadSignal<bool> {
        self.is_open.read_only()
    }

    /// Opens it, or closes it.
    pub fn flip(&self) {
        if self.is_open.get_untracked() {
            self.close();
        } else {
            self.back.replace(focused());
            self.is_open.set(true);
        }
    }

    /// Closes it, if it is open. The focus goes back if it is inside.
    pub fn close(&self) {
        if !self.is_open.get_untracked() {
            return;
        }
        let was_inside = focused().is_some_and(|focused| self.element.contains(&focused));
        self.is_open.set(false);
        if let Some(back) = self.back.take().filter(|_| was_inside) {
            back.focus();
        }
    }
}
