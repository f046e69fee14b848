//! Whether this site can be reached, asked by plain HTTP.
//!
//! Browsers hold WebSockets back that failed before, longer each time: Firefox up to a minute
//! (`network.websocket.delay-failed-reconnects`), Chromium up to five seconds. A request is not held
//! back, so a socket is opened only once one was answered.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::task::spawn;
use super::{value, window};

/// A question under way; dropping it gives it up.
pub struct Reach {
    abort: JsValue,
}

impl Reach {
    /// Asks for a path of this site; `done` hears whether it was answered, or is never called if
    /// this is dropped before. `None` in a browser that cannot give a request up.
    pub fn ask(path: &str, done: impl FnOnce(bool) + 'static) -> Option<Self> {
        let constructor: Function = value::get(&js_sys::global(), "AbortController").dyn_into().ok()?;
        let abort = Reflect::construct(&constructor, &js_sys::Array::new()).ok()?;
        let signal = value::get(&abort, "signal");
        let options = value::dictionary(&[("cache", "no-store".into()), ("signal", signal.clone())]);
        let asked = value::call(&window(), "fetch", &[&path.into(), &options]).ok()?;
        spawn(async move {
            let answer = JsFuture::from(Promise::resolve(&asked)).await;
            let is_answered = answer.is_ok_and(|answer| value::get(&answer, "ok").is_truthy());
            if !value::get(&signal, "aborted").is_truthy() {
                done(is_answered);
            }
        });
        Some(Self { abort })
    }
}

impl Drop for Reach {
    fn drop(&mut self) {
        // What was answered already does not mind.
        _ = value::call(&self.abort, "abort", &[]);
    }
}
