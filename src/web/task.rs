//! Work that waits for the browser.

use core::future::Future;
use core::pin::Pin;

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
