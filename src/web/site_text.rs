//! Text files of this site, fetched when somebody wants them.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::{Error, value, window};

/// Where a file may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The browser's own copy if it has one, however old.
    AnyCopy,
    /// The site alone.
    Site,
}

/// The text at an address of this site.
///
/// # Errors
/// If it cannot be fetched, or the site has no such file.
pub async fn fetch(address: &str, from: Source) -> Result<String, Error> {
    let cache = match from {
        Source::AnyCopy => "force-cache",
        Source::Site => "reload",
    };
    let options = value::dictionary(&[("cache", cache.into())]);
    let answer = settled(value::call(&window(), "fetch", &[&address.into(), &options])).await?;
    if !value::get(&answer, "ok").is_truthy() {
        return Err(Error::missing(address));
    }
    let text = settled(value::call(&answer, "text", &[])).await?;
    Ok(text.as_string().unwrap_or_default())
}

async fn settled(started: Result<JsValue, Error>) -> Result<JsValue, Error> {
    JsFuture::from(Promise::resolve(&started?))
        .await
        .map_err(Error::from)
}
