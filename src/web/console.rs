//! The browser's console, for engineers. Names, addresses, descriptions and secrets do not belong
//! here above `debug`.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = debug)]
    fn console_debug(what: &str, details: &JsValue);
    #[wasm_bindgen(js_namespace = console, js_name = warn)]
    fn console_warn(what: &str, details: &JsValue);
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(what: &str);
}

/// A step that an engineer may want to follow.
pub fn debug(what: &str, details: impl Into<JsValue>) {
    console_debug(what, &details.into());
}

/// Odd, but the app goes on as it should.
pub fn warn(what: &str, details: impl Into<JsValue>) {
    console_warn(what, &details.into());
}

/// A person lost something.
pub fn error(what: &str) {
    console_error(what);
}
