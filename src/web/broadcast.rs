//! What the tabs of this browser tell each other (`BroadcastChannel`).

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventTarget, MessageEvent};

use super::{Listener, value};

/// A channel that all open tabs of this site hear, until this is dropped.
pub struct Broadcast {
    channel: JsValue,
    _listener: Listener,
}

impl Broadcast {
    /// Opens the channel of a name. `None` in a browser that has none: its tabs do not know of each
    /// other then.
    pub fn open(name: &str, handler: impl Fn(String) + 'static) -> Option<Self> {
        let channel = value::construct("BroadcastChannel", &[&name.into()]).ok()?;
        let listener = Listener::new(channel.unchecked_ref::<EventTarget>(), "message", move |event| {
            let text = event
                .dyn_ref::<MessageEvent>()
                .and_then(|event| event.data().as_string());
            if let Some(text) = text {
                handler(text);
            }
        });
        Some(Self {
            channel,
            _listener: listener,
        })
    }

    /// Tells the other tabs something.
    pub fn post(&self, text: &str) {
        _ = value::call(&self.channel, "postMessage", &[&text.into()]);
    }
}

impl Drop for Broadcast {
    fn drop(&mut self) {
        _ = value::call(&self.channel, "close", &[]);
    }
}
