//! What the browser knows about text.

use js_sys::JsString;

/// Brings a text into normalization form C, so that one name typed on two keyboards is one name.
#[must_use]
pub fn normalize(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    JsString::from(text).normalize("NFC").into()
}
