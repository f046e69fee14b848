//! How loud the other side of a connection is.
//!
//! From the report of one receiver (`getStats`, W3C WebRTC 1.0, section 5.3), which comes when it is
//! ready. `getSynchronizationSources` says it at once, and in Chromium has the page wait for another
//! thread meanwhile: where every core is busy that took a third of the page's time in a call of four.

use core::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::{stats, value};

/// Listens to one receiver.
#[derive(Default)]
pub struct Ear(Rc<RefCell<Heard>>);

#[derive(Default)]
struct Heard {
    /// The id of the row that tells.
    row: JsValue,
    /// When the last packet had come, on whatever clock the browser has, at the last reading.
    until: f64,
}

impl Ear {
    /// How loud it is now, 0 to 1 of full scale; `None` if the browser does not say.
    ///
    /// A browser may go on to tell the last level when nothing comes any more: without a packet since
    /// the last reading there is silence.
    pub fn level(&self, receiver: &JsValue) -> impl Future<Output = Option<f64>> + 'static + use<> {
        let asked = value::call(receiver, "getStats", &[]);
        let heard = Rc::clone(&self.0);
        async move {
            let report = JsFuture::from(Promise::resolve(&asked.ok()?)).await.ok()?;
            let mut heard = heard.borrow_mut();
            let row = stats::row(&report, &heard.row).or_else(|| inbound(&report))?;
            heard.row = value::get(&row, "id");
            let level = value::get(&row, "audioLevel").as_f64()?;
            let last = value::get(&row, "lastPacketReceivedTimestamp").as_f64();
            let is_news = last.is_none_or(|last| core::mem::replace(&mut heard.until, last) != last);
            Some(if is_news { level } else { 0.0 })
        }
    }
}

fn inbound(report: &JsValue) -> Option<JsValue> {
    let rows = Array::from(&value::call(report, "values", &[]).ok()?);
    rows.iter()
        .find(|row| value::get(row, "type").as_string().as_deref() == Some("inbound-rtp"))
}
