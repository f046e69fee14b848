//! How loud the other side of a connection is, as its own browser says in each packet (RFC 6464).
//!
//! From `getSynchronizationSources` (W3C WebRTC 1.0, section 5.3), which costs next to nothing;
//! `getStats` would make a report of everything several times a second.

use core::cell::Cell;

use js_sys::Array;
use wasm_bindgen::JsValue;

use super::value;

/// Listens to one receiver.
#[derive(Default)]
pub struct Ear {
    /// When the sound was played that the last reading was about, on whatever clock the browser has.
    heard_at: Cell<f64>,
}

impl Ear {
    /// How loud it is now, 0 to 1 of full scale; `None` if the browser does not say.
    ///
    /// A browser goes on to tell the last level for ten seconds after the last packet: what it told
    /// before already is silence.
    pub fn level(&self, receiver: &JsValue) -> Option<f64> {
        let sources = value::call(receiver, "getSynchronizationSources", &[]).ok()?;
        let mut newest = None;
        let mut at = self.heard_at.get();
        let mut is_told = false;
        for source in Array::from(&sources).iter() {
            let level = value::get(&source, "audioLevel").as_f64();
            is_told |= level.is_some();
            let played_at = value::get(&source, "timestamp").as_f64().unwrap_or_default();
            if played_at > at {
                at = played_at;
                newest = level;
            }
        }
        self.heard_at.set(at);
        newest.or_else(|| is_told.then_some(0.0))
    }
}
