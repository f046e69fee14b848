//! Where the keyboard goes when a page changes.

use std::cell::Cell;

use leptos::html::{self, ElementType};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

thread_local! {
    static IS_FIRST_PAGE: Cell<bool> = const { Cell::new(true) };
}

/// A page's heading. It takes the focus when the page is shown, so that a screen reader begins
/// there and the next Tab goes into the page; but not on the first page, where a browser has its
/// own beginning.
pub fn heading(text: impl IntoView + 'static) -> AnyView {
    let node = NodeRef::<html::H1>::new();
    if !IS_FIRST_PAGE.replace(false) {
        focus_when_shown(node);
    }
    view! { <h1 tabindex="-1" node_ref=node>{text}</h1> }.into_any()
}

/// Gives an element the focus as soon as it is in the page.
pub fn focus_when_shown<E>(node: NodeRef<E>)
where
    E: ElementType,
    E::Output: JsCast + Clone + AsRef<HtmlElement> + 'static,
{
    IS_FIRST_PAGE.set(false);
    node.on_load(|element| {
        // Fails for no element that is in the page.
        _ = AsRef::<HtmlElement>::as_ref(&element).focus();
    });
}
