//! Beyond the tab: the whole screen, and a small window above all others.

use leptos::prelude::*;
use web_sys::HtmlElement;

use super::Runtime;
use crate::web::console;
use crate::web::task::spawn;
use crate::web::{fullscreen, popout};

/// What the small window has room for at first: a face of 16:9, as large as on a phone. The person
/// may change it, and browsers remember that.
const POP_OUT_PX: (u32, u32) = (400, 225);

impl Runtime {
    /// Whether the page can have the whole screen. Hide the control where not.
    #[must_use]
    pub fn can_fill_screen(self) -> bool {
        fullscreen::is_offered()
    }

    /// Whether it has, until the calling component goes; then it gives the screen back.
    #[must_use]
    pub fn fills_screen(self) -> ReadSignal<bool> {
        let fills = RwSignal::new(fullscreen::is_filled());
        // A last event may still come while the component goes.
        let watch = fullscreen::watch(move || _ = fills.try_set(fullscreen::is_filled()));
        StoredValue::new_local(watch);
        on_cleanup(|| fullscreen::fill(false));
        fills.read_only()
    }

    /// Takes the whole screen, only within a click, or gives it back.
    pub fn fill_screen(self, on: bool) {
        fullscreen::fill(on);
    }

    /// A window above all others, which closes when the calling component goes; `None` where the
    /// browser has none.
    #[must_use]
    pub fn pop_out(self) -> Option<PopOut> {
        popout::is_offered().then(|| {
            let is_out = self.store.is_popped_out;
            // The window goes with the component, and does not say so.
            on_cleanup(move || _ = is_out.try_set(false));
            PopOut {
                window: StoredValue::new_local(None),
                is_out,
            }
        })
    }
}

/// The window above all others, open or not.
#[derive(Clone, Copy)]
pub struct PopOut {
    window: StoredValue<Option<popout::PopOut>, LocalStorage>,
    is_out: RwSignal<bool>,
}

impl PopOut {
    /// Whether it is open.
    #[must_use]
    pub fn is_out(self) -> ReadSignal<bool> {
        self.is_out.read_only()
    }

    /// Opens it, only within a click: for `content`, which is moved there, or, where the browser has
    /// nothing better, for what `video` shows.
    pub fn open(self, content: &HtmlElement, video: &HtmlElement) {
        // What was closed by the person is kept until now. It must not go once the next one is there.
        self.window.set_value(None);
        // Only the signal: this is run by the window's own listener, which must outlive it.
        let closed = move || _ = self.is_out.try_set(false);
        let opened = popout::PopOut::open(content, video, POP_OUT_PX, Box::new(closed));
        spawn(async move {
            match opened.await {
                // Given back and dropped if the call is over by now, which closes it again.
                Ok(window) => {
                    if self.window.try_set_value(Some(window)).is_none() {
                        _ = self.is_out.try_set(true);
                    }
                }
                Err(error) => console::warn("no window above the others", error.name.as_str()),
            }
        });
    }

    /// Closes it.
    pub fn close(self) {
        self.window.set_value(None);
        self.is_out.set(false);
    }
}
