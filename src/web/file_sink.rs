//! A file that grows piece by piece: on the disk where the browser lets a page write there (File
//! System Access), else in the browser's keeping until it is whole, and then downloaded.

use core::cell::Cell;
use core::future::Future;
use core::time::Duration;
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlAnchorElement, HtmlElement};

use super::task::settled;
use super::{Error, ErrorName, document, task, timer, value, window};

/// Bytes that may be held, waiting for their end or for a slow disk. Browsers keep them outside of
/// the page's memory and partly on disk; more than this and phones close the tab.
pub const HELD_BYTES: f64 = 1_073_741_824.0;
/// How long a browser may take to begin a download: it may be busy, or ask the person first. Until then the
/// link holds what it leads to, which costs nothing where that is on the disk already.
const DOWNLOAD_WITHIN: Duration = Duration::from_secs(300);

/// See the module. Dropped without a [`FileSink::close`], it leaves the disk as it was.
pub struct FileSink {
    name: String,
    kind: &'static str,
    place: Place,
    state: Rc<State>,
}

enum Place {
    /// A `FileSystemWritableFileStream`.
    Disk(JsValue),
    /// `Blob`s.
    Held(Array),
}

#[derive(Default)]
struct State {
    held_bytes: Cell<f64>,
    has_any: Cell<bool>,
    has_failed: Cell<bool>,
    is_closed: Cell<bool>,
}

/// Opens a file of a name and a kind. Call it within a click: the browser asks where to put it, if
/// it does.
///
/// # Errors
/// [`ErrorName::Abort`] if the person decides against it.
pub fn open(
    name: String,
    kind: &'static str,
) -> impl Future<Output = Result<FileSink, Error>> + 'static + use<> {
    let options = value::dictionary(&[("suggestedName", name.as_str().into())]);
    let picked = value::call(&window(), "showSaveFilePicker", &[&options]);
    async move {
        let place = match writable(picked).await {
            Ok(writable) => Place::Disk(writable),
            Err(error) if error.name == ErrorName::Abort => return Err(error),
            // Older browsers, and pages within pages, have none.
            Err(_) => Place::Held(Array::new()),
        };
        Ok(FileSink {
            name,
            kind,
            place,
            state: Rc::default(),
        })
    }
}

async fn writable(picked: Result<JsValue, Error>) -> Result<JsValue, Error> {
    let file = settled(picked).await?;
    settled(value::call(&file, "createWritable", &[])).await
}

impl FileSink {
    /// Adds a piece, a `Blob`.
    pub fn write(&self, piece: &JsValue) {
        let bytes = value::get(piece, "size").as_f64().unwrap_or_default();
        let state = Rc::clone(&self.state);
        state.has_any.set(state.has_any.get() || bytes > 0.0);
        state.held_bytes.set(state.held_bytes.get() + bytes);
        match &self.place {
            Place::Held(pieces) => _ = pieces.push(piece),
            Place::Disk(writable) => {
                let written = value::call(writable, "write", &[piece]);
                task::spawn(async move {
                    match settled(written).await {
                        Ok(_) => state.held_bytes.set(state.held_bytes.get() - bytes),
                        Err(_) => state.has_failed.set(true),
                    }
                });
            }
        }
    }

    /// Whether it is nowhere yet but in the browser's keeping. No browser begins a download for a page
    /// that goes away, so it is lost with the tab.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.place, Place::Held(_))
    }

    /// Whether nothing was added so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.state.has_any.get()
    }

    /// Whether no more should be added: see [`HELD_BYTES`].
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.state.held_bytes.get() >= HELD_BYTES
    }

    /// Whether something could not be written: the disk is full, or was taken out.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state.has_failed.get()
    }

    /// Ends the file: what was written is there under its name once this is over. All that can be
    /// done at once is done at once, for a page that goes away.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn close(&self) -> impl Future<Output = Result<(), Error>> + 'static + use<> {
        self.state.is_closed.set(true);
        let closed = match &self.place {
            Place::Disk(writable) => value::call(writable, "close", &[]),
            // Nobody wants a file of nothing.
            Place::Held(_) if self.is_empty() => Ok(JsValue::UNDEFINED),
            Place::Held(pieces) => download(pieces, &self.name, self.kind).map(|()| JsValue::UNDEFINED),
        };
        async move { settled(closed).await.map(drop) }
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        if let (Place::Disk(writable), false) = (&self.place, self.state.is_closed.get()) {
            // Else it stays open, and a file of the same name stays locked, until the page goes.
            task::see_to("a file stays open", value::call(writable, "abort", &[]));
        }
    }
}

fn download(pieces: &Array, name: &str, kind: &str) -> Result<(), Error> {
    let options = value::dictionary(&[("type", kind.into())]);
    download_blob(&value::construct("Blob", &[pieces, &options])?, name)
}

/// Downloads a `Blob` under a name, as a click on a link would. The browser reads it in its own time.
///
/// # Errors
/// If the page may not make links.
pub fn download_blob(blob: &JsValue, name: &str) -> Result<(), Error> {
    let urls = value::get(&js_sys::global(), "URL");
    let url = value::call(&urls, "createObjectURL", &[blob])?;
    let link: HtmlAnchorElement = document()
        .create_element("a")
        .map_err(Error::from)?
        .unchecked_into();
    value::set(&link, "href", &url);
    value::set(&link, "download", &name.into());
    link.unchecked_ref::<HtmlElement>().click();
    task::spawn(async move {
        timer::sleep(DOWNLOAD_WITHIN).await;
        _ = value::call(&urls, "revokeObjectURL", &[&url]);
    });
    Ok(())
}
