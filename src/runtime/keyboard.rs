//! The keyboard, for a page that wants it.

use leptos::prelude::StoredValue;

use super::Runtime;
use crate::web::keys::Keys;
pub use crate::web::keys::{Focus, Key, KeyEvent};
use crate::web::{fullscreen, page, value};

impl Runtime {
    /// Hears of keys until the calling component goes. `handler` says whether it had a use for one.
    pub fn hear_keys(self, handler: impl Fn(KeyEvent) -> bool + 'static) {
        StoredValue::new_local(Keys::new(handler));
    }

    /// Whether a key press is Enter alone, in a place where that sends: not while a word is still being put
    /// together, and not on a screen keyboard, which has no other key for a new line.
    #[must_use]
    pub fn is_plain_enter(self, event: &web_sys::Event) -> bool {
        let is_held = |key: &str| value::get(event, key).is_truthy();
        let is_enter = value::get(event, "key").as_string().as_deref() == Some("Enter");
        let is_other = ["shiftKey", "ctrlKey", "altKey", "metaKey", "isComposing"]
            .into_iter()
            .any(is_held);
        is_enter && !is_other && !page::is_touched()
    }

    /// Takes the whole screen, only within a click or a key press, or gives it back.
    pub fn flip_full_screen(self) {
        fullscreen::fill(!fullscreen::is_filled());
    }
}
