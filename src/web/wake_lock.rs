//! Keeping the screen on (Screen Wake Lock). A comfort: where the browser has none or refuses it,
//! nothing happens.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::task::spawn;
use super::{Listener, document, page, value, window};

/// The screen stays on until this is dropped. The browser lets go of it whenever nobody can see the
/// tab; then it is asked for again.
pub struct WakeLock {
    held: Held,
    _listener: Listener,
}

/// The `WakeLockSentinel`, or `undefined`.
type Held = Rc<RefCell<JsValue>>;

impl WakeLock {
    /// Asks for it now, and each time that the tab comes back.
    pub fn hold() -> Self {
        let held = Held::default();
        ask(&held);
        let again = Rc::downgrade(&held);
        let listener = Listener::new(&document(), "visibilitychange", move |_| {
            if let Some(held) = again.upgrade()
                && !page::is_hidden()
            {
                ask(&held);
            }
        });
        Self {
            held,
            _listener: listener,
        }
    }
}

impl Drop for WakeLock {
    fn drop(&mut self) {
        release(&self.held.take());
    }
}

fn ask(held: &Held) {
    let lock = value::get(&window().navigator(), "wakeLock");
    let Ok(asked) = value::call(&lock, "request", &[&"screen".into()]) else {
        return;
    };
    let wanted = Rc::downgrade(held);
    spawn(async move {
        let Ok(sentinel) = JsFuture::from(Promise::resolve(&asked)).await else {
            return;
        };
        match wanted.upgrade() {
            Some(held) => {
                let before = held.replace(sentinel);
                release(&before);
            }
            // The call was over before the browser answered.
            None => release(&sentinel),
        }
    });
}

fn release(sentinel: &JsValue) {
    // There may be none, or the browser has let go of it already.
    _ = value::call(sentinel, "release", &[]);
}
