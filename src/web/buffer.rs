//! Memory outside of wasm's that is given back when nobody needs it, not when the browser next looks for
//! garbage: a file that passes by the page makes megabytes of it every second.

use js_sys::{ArrayBuffer, Uint8Array};

use super::value;

/// Bytes that several may hold; their memory goes with the last of them.
#[derive(Debug)]
pub struct Buffer(Uint8Array);

impl Buffer {
    /// Takes bytes that nobody else holds.
    #[must_use]
    pub const fn new(bytes: Uint8Array) -> Self {
        Self(bytes)
    }

    /// The bytes, not to be kept for longer than this.
    #[must_use]
    pub const fn bytes(&self) -> &Uint8Array {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        release(&self.0.buffer());
    }
}

/// Gives a buffer's memory back. Who still looks at it finds it empty.
///
/// A transfer to a length of nothing is what frees it (ECMAScript 2024, 25.1.6.9); browsers that know
/// none wait for their garbage collection.
pub fn release(buffer: &ArrayBuffer) {
    if value::method(buffer, "transfer").is_some() {
        // Fails for a buffer that is empty already.
        _ = value::call(buffer, "transfer", &[&0.into()]);
    }
}
