//! The clipboard.

use wasm_bindgen_futures::JsFuture;

use super::{Error, value, window};

/// Copies a text. Only within a click, and only where the page came over HTTPS or from localhost.
///
/// # Errors
/// If the browser refuses, or has no clipboard for pages.
pub fn copy(text: &str) -> impl Future<Output = Result<(), Error>> + 'static + use<> {
    // Asked for at once: the click's permission does not survive waiting.
    let clipboard = value::get(&window().navigator(), "clipboard");
    let started = value::call(&clipboard, "writeText", &[&text.into()]);
    async move {
        JsFuture::from(js_sys::Promise::resolve(&started?))
            .await
            .map(drop)
            .map_err(Error::from)
    }
}
