//! Folders that a page may write to: the origin private file system, which nobody else sees, and one
//! that the person picked.
//!
//! Files are written whole: until the stream is closed there is nothing under the name, or what was
//! there before. No worker is needed for that, as it would be for the synchronous handles.

use core::future::Future;

use wasm_bindgen::JsValue;

use super::task::settled;
use super::{Error, ErrorName, task, value, window};

/// A `FileSystemDirectoryHandle`.
#[derive(Clone, Debug)]
pub struct Folder(JsValue);

/// A file that is being written: `FileSystemWritableFileStream`. Dropped before its end, it leaves the
/// disk as it was.
pub struct Writing(Option<JsValue>);

/// A `FileSystemFileHandle`.
#[derive(Clone, Debug)]
pub struct Place(JsValue);

/// Opens the origin private file system.
///
/// # Errors
/// Browsers have none in private windows (`SecurityError`), or none at all, or cannot write there
/// without a worker; both are [`ErrorName::NotSupported`].
pub async fn open_private() -> Result<Folder, Error> {
    let handles = value::get(&js_sys::global(), "FileSystemFileHandle");
    if value::method(&value::get(&handles, "prototype"), "createWritable").is_none() {
        return Err(Error::missing("createWritable"));
    }
    let storage = value::get(&window().navigator(), "storage");
    settled(value::call(&storage, "getDirectory", &[]))
        .await
        .map(Folder)
}

/// How many more bytes this site may keep, where the browser says.
pub async fn room_left() -> Option<f64> {
    let storage = value::get(&window().navigator(), "storage");
    let estimate = settled(value::call(&storage, "estimate", &[])).await.ok()?;
    let bytes = |key| value::get(&estimate, key).as_f64();
    Some(bytes("quota")? - bytes("usage")?)
}

/// Whether the person can pick a place to write a file to.
#[must_use]
pub fn can_pick_place() -> bool {
    value::method(&window(), "showSaveFilePicker").is_some()
}

/// Whether the person can pick a folder to write into.
#[must_use]
pub fn can_pick_folder() -> bool {
    value::method(&window(), "showDirectoryPicker").is_some()
}

/// Lets the person pick where a file is to be. Only within a click.
///
/// The future fails with [`ErrorName::Abort`] if they decide against it.
pub fn pick_place(name: &str) -> impl Future<Output = Result<Place, Error>> + 'static + use<> {
    let options = value::dictionary(&[("suggestedName", name.into())]);
    let picked = value::call(&window(), "showSaveFilePicker", &[&options]);
    async move { settled(picked).await.map(Place) }
}

/// Lets the person pick a folder to write into. Only within a click.
///
/// The future fails with [`ErrorName::Abort`] if they decide against it.
pub fn pick_folder() -> impl Future<Output = Result<Folder, Error>> + 'static + use<> {
    let options = value::dictionary(&[("mode", "readwrite".into())]);
    let picked = value::call(&window(), "showDirectoryPicker", &[&options]);
    async move { settled(picked).await.map(Folder) }
}

impl Folder {
    async fn get(&self, method: &str, name: &str, create: bool) -> Result<JsValue, Error> {
        let options = value::dictionary(&[("create", create.into())]);
        settled(value::call(&self.0, method, &[&name.into(), &options])).await
    }

    /// A folder in this one.
    ///
    /// # Errors
    /// [`ErrorName::NotFound`] if there is none and none is to be made.
    pub async fn folder(&self, name: &str, create: bool) -> Result<Self, Error> {
        self.get("getDirectoryHandle", name, create).await.map(Self)
    }

    /// Where a file of this folder is, or is to be. It is made, empty, if there is none.
    ///
    /// # Errors
    /// If the name is none for a file.
    pub async fn place(&self, name: &str) -> Result<Place, Error> {
        self.get("getFileHandle", name, true).await.map(Place)
    }

    /// A file, as a `File` that is read when it is used.
    ///
    /// # Errors
    /// [`ErrorName::NotFound`] if there is none.
    pub async fn file(&self, name: &str) -> Result<JsValue, Error> {
        let handle = self.get("getFileHandle", name, false).await?;
        settled(value::call(&handle, "getFile", &[])).await
    }

    /// Writes a whole file: a text, a buffer or a `Blob`.
    ///
    /// # Errors
    /// `QuotaExceededError` where there is no room.
    pub async fn write(&self, name: &str, content: &JsValue) -> Result<(), Error> {
        let writing = self.place(name).await?.open().await?;
        writing.add(content).await?;
        writing.close().await
    }

    /// Deletes a file or a folder with all that is in it.
    ///
    /// # Errors
    /// As `removeEntry`.
    pub async fn remove(&self, name: &str) -> Result<(), Error> {
        let options = value::dictionary(&[("recursive", true.into())]);
        settled(value::call(&self.0, "removeEntry", &[&name.into(), &options]))
            .await
            .map(drop)
    }

    /// The names of what is in it, in no order.
    ///
    /// # Errors
    /// If it was deleted.
    pub async fn names(&self) -> Result<Vec<String>, Error> {
        let keys = value::call(&self.0, "keys", &[])?;
        let mut names = Vec::new();
        loop {
            let next = settled(value::call(&keys, "next", &[])).await?;
            if value::get(&next, "done").is_truthy() {
                return Ok(names);
            }
            names.extend(value::get(&next, "value").as_string());
        }
    }
}

impl Place {
    /// Begins to write the file.
    ///
    /// # Errors
    /// If it may not be written.
    pub async fn open(&self) -> Result<Writing, Error> {
        settled(value::call(&self.0, "createWritable", &[]))
            .await
            .map(|stream| Writing(Some(stream)))
    }
}

impl Writing {
    /// Adds a text, a buffer or a `Blob`. One after the other.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub async fn add(&self, content: &JsValue) -> Result<(), Error> {
        let stream = self.0.as_ref().ok_or_else(|| Error::missing("a stream"))?;
        settled(value::call(stream, "write", &[content])).await.map(drop)
    }

    /// Ends the file: it is there under its name once this is over.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub async fn close(mut self) -> Result<(), Error> {
        let stream = self.0.take().ok_or_else(|| Error::missing("a stream"))?;
        settled(value::call(&stream, "close", &[])).await.map(drop)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(stream) = self.0.take() {
            // Else it stays open, and its file locked, until the page goes.
            task::see_to("a file stays open", value::call(&stream, "abort", &[]));
        }
    }
}

/// Whether a disk refused something because it is full.
#[must_use]
pub fn is_full(error: &Error) -> bool {
    matches!(&error.name, ErrorName::Other(name) if name == "QuotaExceededError")
}
