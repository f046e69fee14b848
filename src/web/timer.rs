//! Deadlines and steady beats. Browsers throttle both in background tabs: count time, not calls.

use core::time::Duration;

use js_sys::Promise;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A callback after a delay, unless this is dropped before.
#[must_use = "a dropped timer never fires"]
pub struct Timeout {
    id: i32,
    _closure: Closure<dyn Fn()>,
}

impl Timeout {
    /// Calls `handler` once, at the earliest after `delay`. It must not drop this timer.
    pub fn new(delay: Duration, handler: impl Fn() + 'static) -> Self {
        let closure = Closure::<dyn Fn()>::new(handler);
        let id = super::window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                closure.as_ref().unchecked_ref(),
                // A timer that fires early would only be set again.
                whole_millis(delay),
            )
            .unwrap_or_default();
        Self {
            id,
            _closure: closure,
        }
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        super::window().clear_timeout_with_handle(self.id);
    }
}

/// A callback again and again, until this is dropped.
#[must_use = "a dropped timer never fires"]
pub struct Interval {
    id: i32,
    _closure: Closure<dyn Fn()>,
}

impl Interval {
    /// Calls `handler` about every `period`. It must not drop this timer.
    pub fn new(period: Duration, handler: impl Fn() + 'static) -> Self {
        let closure = Closure::<dyn Fn()>::new(handler);
        let id = super::window()
            .set_interval_with_callback_and_timeout_and_arguments_0(
                closure.as_ref().unchecked_ref(),
                whole_millis(period),
            )
            .unwrap_or_default();
        Self {
            id,
            _closure: closure,
        }
    }
}

impl Drop for Interval {
    fn drop(&mut self) {
        super::window().clear_interval_with_handle(self.id);
    }
}

/// Waits.
pub async fn sleep(delay: Duration) {
    let mut settle = None;
    let over = Promise::new(&mut |resolve, _| settle = Some(resolve));
    let timer = settle.map(|settle| Timeout::new(delay, move || _ = settle.call0(&JsValue::UNDEFINED)));
    _ = JsFuture::from(over).await;
    drop(timer);
}

/// Rounded up, so that a deadline has passed when its timer fires; at most what `setTimeout` takes,
/// for more would overflow and fire at once.
fn whole_millis(duration: Duration) -> i32 {
    let begun = u128::from(!duration.subsec_nanos().is_multiple_of(1_000_000));
    i32::try_from(duration.as_millis() + begun).unwrap_or(i32::MAX)
}
