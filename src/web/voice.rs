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
    played_at: Cell<f64>,
}

impl Ear {
    /// How loud it is now, 0 to 1 of full scale; `None` if the browser does not say.
    ///
    /// A browser goes on to tell the last level for ten seconds after the last packet: what it told
    /// before already is silence.
    pub fn level(&self, receiver: &JsValue) -> Option<f64> {
        let sources = value::call(receiver, "getSynchronizationSources", &[]).ok()?;
        let number = |source: &JsValue, key| value::get(source, key).as_f64();
        let mut newest: Option<(f64, f64)> = None;
        for source in Array::from(&sources).iter() {
            let played_at = number(&source, "timestamp").unwrap_or_default();
            if let Some(level) = number(&source, "audioLevel")
                && newest.is_none_or(|(at, _)| at < played_at)
            {
                newest = Some((played_at, level));
            }
        }
        let (played_at, level) = newest?;
        let is_news = self.played_at.replace(played_at) != played_at;
        Some(if is_news { level } else { 0.0 })
    }
}
