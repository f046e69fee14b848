//! SHA-256 by the browser, which does it beside the page and faster than any code of ours.

use core::future::Future;

use js_sys::Uint8Array;

use super::{Error, task, value};

/// Bytes of a SHA-256.
const BYTES: usize = 32;

/// The SHA-256 of some bytes, which must stay as they are meanwhile.
///
/// The future fails with [`super::ErrorName::NotSupported`] where the page was not loaded securely;
/// there is no call there either.
pub fn sha256(bytes: &Uint8Array) -> impl Future<Output = Result<[u8; BYTES], Error>> + 'static + use<> {
    let crypto = value::get(&js_sys::global(), "crypto");
    let subtle = value::get(&crypto, "subtle");
    let begun = value::call(&subtle, "digest", &[&"SHA-256".into(), bytes]);
    async move {
        let digest = Uint8Array::new(&task::settled(begun).await?);
        let mut hash = [0; BYTES];
        if digest.length() as usize != BYTES {
            return Err(Error::missing("SHA-256"));
        }
        digest.copy_to(&mut hash);
        Ok(hash)
    }
}
