//! `Blob` and `File`: read in slices, and put together. What is in a file stays outside of the page's
//! memory until it is read.

use core::future::Future;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;

use super::{Error, ErrorName, task, value};

/// What every file is that came from somebody: never what its sender says.
pub const ANY_BYTES: &str = "application/octet-stream";

/// Reads a part of a file, all of it or nothing.
///
/// The future fails with `NotReadableError` or `NotFoundError` if the file is another one by now or gone,
/// and with the first of them if it ends too early.
#[expect(clippy::cast_precision_loss, reason = "no file has 2^53 bytes")]
pub fn read(
    file: &JsValue,
    offset: u64,
    bytes: u32,
) -> impl Future<Output = Result<Uint8Array, Error>> + 'static + use<> {
    let end = (offset.saturating_add(u64::from(bytes))) as f64;
    let begun = value::call(file, "slice", &[&(offset as f64).into(), &end.into()])
        .and_then(|slice| value::call(&slice, "arrayBuffer", &[]));
    async move {
        let whole = Uint8Array::new(&task::settled(begun).await?);
        if whole.length() == bytes {
            Ok(whole)
        } else {
            Err(Error {
                name: ErrorName::NotReadable,
                message: "shorter than it was".to_owned(),
            })
        }
    }
}

/// Whether a file could not be read because it is another one by now, or gone. Firefox says `AbortError`
/// of one that went away on a disk that the page may write to.
#[must_use]
pub const fn is_changed(error: &Error) -> bool {
    matches!(
        error.name,
        ErrorName::NotReadable | ErrorName::NotFound | ErrorName::Abort
    )
}

/// A file's length.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and lengths are whole"
)]
pub fn size(file: &JsValue) -> u64 {
    value::get(file, "size").as_f64().unwrap_or_default() as u64
}

/// When a file was changed last, in milliseconds since 1970.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates: what was before 1970 is unknown"
)]
pub fn modified(file: &JsValue) -> u64 {
    value::get(file, "lastModified").as_f64().unwrap_or_default() as u64
}

/// A text as a file of a kind.
///
/// # Errors
/// As `Blob`: there is no memory.
pub fn of_text(text: &str, kind: &str) -> Result<JsValue, Error> {
    let options = value::dictionary(&[("type", kind.into())]);
    value::construct("Blob", &[&Array::of1(&text.into()), &options])
}

/// Blobs and buffers as one, which is of no kind that a browser would show.
///
/// # Errors
/// As `Blob`: there is no memory.
pub fn join(parts: &Array) -> Result<JsValue, Error> {
    let options = value::dictionary(&[("type", ANY_BYTES.into())]);
    value::construct("Blob", &[parts, &options])
}
