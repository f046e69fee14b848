//! The wall's clock, and how the person's system writes its times.

use js_sys::Date;
use wasm_bindgen::JsValue;

use super::value;

/// Milliseconds since 1970.
#[must_use]
pub fn now() -> u64 {
    // Positive, and whole far beyond anybody's life.
    Date::now().max(0.0) as u64
}

/// A time of day as people here write it, with the day where it is not today.
#[must_use]
pub fn written(time: u64) -> String {
    let date = Date::new(&JsValue::from_f64(time as f64));
    let short = value::dictionary(&[("hour", "numeric".into()), ("minute", "2-digit".into())]);
    let is_today = date.to_date_string() == Date::new_0().to_date_string();
    if !is_today {
        value::set(&short, "day", &"numeric".into());
        value::set(&short, "month", &"short".into());
    }
    let how = if is_today {
        "toLocaleTimeString"
    } else {
        "toLocaleString"
    };
    // A time out of all range has no text.
    let text = value::call(&date, how, &[&JsValue::UNDEFINED, &short]).ok();
    text.and_then(|text| text.as_string()).unwrap_or_default()
}
