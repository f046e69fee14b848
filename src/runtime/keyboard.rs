//! The keyboard, for a page that wants it.

use leptos::prelude::StoredValue;

use super::Runtime;
use crate::web::fullscreen;
use crate::web::keys::Keys;
pub use crate::web::keys::{Focus, Key, KeyEvent};

impl Runtime {
    /// Hears of keys until the calling component goes. `handler` says whether it had a use for one.
    pub fn hear_keys(self, handler: impl Fn(KeyEvent) -> bool + 'static) {
        StoredValue::new_local(Keys::new(handler));
    }

    /// Takes the whole screen, only within a click or a key press, or gives it back.
    pub fn flip_full_screen(self) {
        fullscreen::fill(!fullscreen::is_filled());
    }
}
