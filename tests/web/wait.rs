//! Waiting for a condition, with an end.

use core::time::Duration;

use js_sys::Promise;
use visavis::web::clock;
use visavis::web::timer::Timeout;
use wasm_bindgen_futures::JsFuture;

/// Longer than anything here takes on a busy machine. Firefox's recorder alone waits ten seconds for a
/// sound where the computer has nothing to play it with.
const PATIENCE: Duration = Duration::from_secs(25);
/// Between two looks.
const STEP: Duration = Duration::from_millis(10);

/// Lets the browser work for a while.
pub(crate) async fn pause(time: Duration) {
    let mut done = None;
    let passed = Promise::new(&mut |resolve, _| done = Some(resolve));
    let done = done.unwrap();
    let timeout = Timeout::new(time, move || {
        done.call0(&wasm_bindgen::JsValue::UNDEFINED).unwrap();
    });
    JsFuture::from(passed).await.unwrap();
    drop(timeout);
}

/// Returns when the condition holds.
///
/// # Panics
/// If it does not in time; says what was waited for.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = clock::now();
    while !condition() {
        assert!(clock::now() - start < PATIENCE, "waited too long until {what}");
        pause(STEP).await;
    }
}
