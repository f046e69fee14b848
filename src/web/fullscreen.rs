//! The page on the whole screen, without the browser around it (Fullscreen API).

use super::task::see_to;
use super::{Listener, document, value};

/// Whether the browser lets the page do so. Phones of Apple do not.
#[must_use]
pub fn is_offered() -> bool {
    value::get(&document(), "fullscreenEnabled").is_truthy()
}

/// Fills the screen with the page, or gives it back. To begin it has to be within a click.
pub fn fill(on: bool) {
    if is_filled() == on {
        return;
    }
    let document = document();
    // The root and not the call alone: what is said may stand beside it.
    let started = match document.document_element() {
        Some(root) if on => value::call(&root, "requestFullscreen", &[]),
        Some(_) | None => value::call(&document, "exitFullscreen", &[]),
    };
    see_to("full screen refused", started);
}

/// Whether the page fills the screen.
#[must_use]
pub fn is_filled() -> bool {
    value::get(&document(), "fullscreenElement").is_object()
}

/// Calls `handler` whenever the page begins or ceases to fill the screen, whoever caused it.
pub fn watch(handler: impl Fn() + 'static) -> Listener {
    Listener::new(&document(), "fullscreenchange", move |_| handler())
}
