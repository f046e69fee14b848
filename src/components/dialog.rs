//! A dialog over the page, by the browser's own means: it keeps the focus inside, Escape closes
//! it, and the focus goes back to where it was.

use leptos::html;
use leptos::prelude::*;

use super::icon::{Icon, icon};
use crate::i18n::words;

/// Opens and closes a [`dialog`].
#[derive(Clone, Copy, Default)]
pub struct DialogRef {
    node: NodeRef<html::Dialog>,
    is_open: RwSignal<bool>,
}

impl DialogRef {
    /// Shows it above everything.
    pub fn open(self) {
        self.is_open.set(true);
        if let Some(dialog) = self.node.get_untracked() {
            // Fails only for a dialog that is open or not in the page.
            _ = dialog.show_modal();
        }
    }

    /// Closes it.
    pub fn close(self) {
        if let Some(dialog) = self.node.get_untracked() {
            dialog.close();
        }
    }
}

/// A dialog whose content is built while it is open.
pub fn dialog(
    reference: DialogRef,
    name: &'static str,
    content: impl Fn() -> AnyView + Send + Sync + 'static,
) -> AnyView {
    let content = move || reference.is_open.get().then(&content);
    view! {
        <dialog
            class="dialog"
            aria-label=name
            node_ref=reference.node
            on:close=move |_| reference.is_open.set(false)
        >
            <button
                type="button"
                class="sign dialog-close"
                aria-label=words().close
                title=words().close
                on:click=move |_| reference.close()
            >
                {icon(Icon::Close)}
            </button>
            {content}
        </dialog>
    }
    .into_any()
}
