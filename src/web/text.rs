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

/// The lower case of a text, by which spellings of one open room are one.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Some lower cases are several characters, and may be composed again.
    let folded: String = JsString::from(text).to_lower_case().into();
    normalize(&folded)
}
