//! Work that waits for the browser.

use core::future::Future;
use core::pin::Pin;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::{Error, console};

/// Lets work go on by itself from the next microtask on. Nothing can stop it: after each wait it
/// has to ask whether it is still wanted.
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    spawn_boxed(Box::pin(work));
}

/// One copy of the executor's code, instead of one for each kind of work.
#[inline(never)]
fn spawn_boxed(work: Pin<Box<dyn Future<Output = ()>>>) {
    wasm_bindgen_futures::spawn_local(work);
}

/// Waits for something that has been started, on which nothing depends: should it fail, an engineer
/// sees that it did.
pub fn see_to(what: &'static str, started: Result<JsValue, Error>) {
    spawn(async move {
        if let Err(error) = settled(started).await {
            console::debug(what, error.name.as_str());
        }
    });
}

/// What a call comes to that may have given a promise.
///
/// # Errors
/// What it threw, or what the promise was rejected with.
pub async fn settled(begun: Result<JsValue, Error>) -> Result<JsValue, Error> {
    JsFuture::from(Promise::resolve(&begun?))
        .await
        .map_err(Error::from)
}
