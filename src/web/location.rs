//! The address bar: where it points, and telling when that changes without a reload.

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

use super::{Listener, window};

/// `location.origin`
#[must_use]
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// `location.host`
#[must_use]
pub fn host() -> String {
    window().location().host().unwrap_or_default()
}

/// `location.pathname`
#[must_use]
pub fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// `location.search`, with its `?`, empty without one.
#[must_use]
pub fn query() -> String {
    window().location().search().unwrap_or_default()
}

/// `location.hash`, with its `#`, empty without one.
#[must_use]
pub fn fragment() -> String {
    window().location().hash().unwrap_or_default()
}

/// Goes to an address of this site in a new entry of the history. Fires no event.
pub fn push(address: &str) {
    // Fails for another site's address, or when called hundreds of times a second.
    _ = window()
        .history()
        .and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(address)));
}

/// Goes to an address of this site in place of the present entry of the history. Fires no event.
pub fn replace(address: &str) {
    // Fails as above.
    _ = window()
        .history()
        .and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(address)));
}

/// Loads the page anew.
pub fn reload() {
    _ = window().location().reload();
}

/// Hears of moves through the history and of clicks on links within this site, until dropped.
pub struct Navigation {
    _listeners: [Listener; 3],
}

impl Navigation {
    /// Calls `handler` with the address of a link that was clicked, or with `None` when the
    /// address bar has changed already. A link that it is called for is not followed otherwise.
    pub fn new(handler: impl Fn(Option<String>) + 'static) -> Self {
        let handler = Rc::new(handler);
        let (on_pop, on_hash) = (Rc::clone(&handler), Rc::clone(&handler));
        let window = window();
        let click = Listener::new(&super::document(), "click", move |event| {
            let Some(address) = event.dyn_ref::<MouseEvent>().and_then(link_address) else {
                return;
            };
            event.prevent_default();
            handler(Some(address));
        });
        Self {
            _listeners: [
                click,
                Listener::new(&window, "popstate", move |_| on_pop(None)),
                // A fragment edited by hand in the address bar.
                Listener::new(&window, "hashchange", move |_| on_hash(None)),
            ],
        }
    }
}

/// The address that a plain click asks for, if it is one of this site and meant for this tab.
fn link_address(click: &MouseEvent) -> Option<String> {
    if click.default_prevented()
        || click.button() != 0
        || click.meta_key()
        || click.ctrl_key()
        || click.shift_key()
        || click.alt_key()
    {
        return None;
    }
    let link: HtmlAnchorElement = click
        .target()?
        .dyn_into::<Element>()
        .ok()?
        .closest("a[href]")
        .ok()??
        .dyn_into()
        .ok()?;
    let is_for_this_tab = matches!(link.target().as_str(), "" | "_self") && !link.has_attribute("download");
    let is_within_page = link
        .get_attribute("href")
        .is_some_and(|href| href.starts_with('#'));
    if !is_for_this_tab || is_within_page || link.origin() != origin() {
        return None;
    }
    let mut address = link.pathname();
    address.push_str(&link.hash());
    Some(address)
}
