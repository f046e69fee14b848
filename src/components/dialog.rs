//! A dialog over the page, by the browser's own means: it keeps the focus inside, Escape closes
//! it, and the focus goes back to where it was.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlDialogElement;

use super::dom::{El, button, el_class};
use super::icon::{Icon, icon};
use crate::i18n::words;
use crate::web::task;

/// A dialog. Its content is made while it is open.
#[derive(Clone)]
pub struct Dialog {
    element: El,
    is_open: RwSignal<bool>,
}

impl Dialog {
    /// A closed dialog.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let is_open = RwSignal::new(false);
        let element = el_class("dialog", "dialog")
            .attr("aria-label", name)
            .on("close", move |_| is_open.set(false));
        Self { element, is_open }
    }

    /// Its element, with what it is to show.
    #[must_use]
    pub fn with(&self, content: impl Fn() -> El + 'static) -> El {
        let is_open = self.is_open;
        let closed = self.clone();
        let close = button("sign dialog-close", move || closed.close()).child(icon(Icon::Close));
        close.set_label(words().close);
        self.element
            .clone()
            .child(close)
            .slot(move || is_open.get().then(&content))
    }

    /// Shows it above everything.
    pub fn open(&self) {
        self.is_open.set(true);
        // Fails only for a dialog that is open or not in the page.
        _ = self.dialog().show_modal();
    }

    /// Shows it as soon as it is in the page: after what is being built is built. The focus goes to
    /// `opener` when it is closed, as if it had been opened there.
    pub fn open_soon(&self, opener: &El) {
        let (dialog, opener) = (self.clone(), opener.clone());
        task::spawn(async move {
            opener.focus();
            dialog.open();
        });
    }

    /// Closes it.
    pub fn close(&self) {
        self.dialog().close();
    }

    fn dialog(&self) -> &HtmlDialogElement {
        self.element.element().unchecked_ref()
    }
}
