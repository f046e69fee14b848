//! Files and folders that were dropped on the page or pasted into it.
//!
//! Folders come by `webkitGetAsEntry`, which every browser has although no standard asks for it; only
//! within the event's own callback.

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use web_sys::DataTransfer;

use super::file_picker::{Given, listed};
use super::task::settled;
use super::{Error, value};

/// One thing that was dropped.
#[derive(Clone, Debug)]
pub enum Dropped {
    /// A file.
    File(Given),
    /// A folder, to be read by [`Folder::files`].
    Folder(Folder),
}

/// A folder that was dropped.
#[derive(Clone, Debug)]
pub struct Folder(JsValue);

/// What was dropped, at most so many things. Only within the event's callback.
#[must_use]
pub fn of(dropped: &DataTransfer, most: usize) -> Vec<Dropped> {
    let items = value::get(dropped, "items");
    if items.is_undefined() {
        let files = listed(&value::get(dropped, "files"), most);
        return files.into_iter().map(Dropped::File).collect();
    }
    let mut things = Vec::new();
    for item in Array::from(&items).iter() {
        if things.len() >= most {
            break;
        }
        if value::get(&item, "kind").as_string().as_deref() != Some("file") {
            continue;
        }
        let entry = value::call(&item, "webkitGetAsEntry", &[]).unwrap_or(JsValue::NULL);
        if value::get(&entry, "isDirectory").is_truthy() {
            things.push(Dropped::Folder(Folder(entry)));
        } else if let Ok(file) = value::call(&item, "getAsFile", &[])
            && file.is_object()
        {
            things.push(Dropped::File(Given::single(file)));
        }
    }
    things
}

impl Folder {
    /// A folder of which one has the `FileSystemDirectoryEntry`.
    #[must_use]
    pub const fn new(entry: JsValue) -> Self {
        Self(entry)
    }

    /// All files in it and in its folders, with their paths from this folder's name on. At most `most`
    /// files are read, and folders no deeper than `depth`: what lies deeper is told as if the folder
    /// itself were an empty file, so that it is not taken for all.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub async fn files(self, most: usize, depth: usize) -> Result<Vec<Given>, Error> {
        let mut files = Vec::new();
        let name = text(&self.0, "name");
        let mut folders = vec![(self.0, name, 0)];
        while let Some((folder, path, above)) = folders.pop() {
            let reader = value::call(&folder, "createReader", &[])?;
            loop {
                // It gives some at a time, and none at the end.
                let some = Array::from(&asked(&reader, "readEntries").await?);
                if some.length() == 0 {
                    break;
                }
                for entry in some.iter() {
                    if files.len() >= most {
                        return Ok(files);
                    }
                    let mut inner = path.clone();
                    inner.push('/');
                    inner.push_str(&text(&entry, "name"));
                    if !value::get(&entry, "isDirectory").is_truthy() {
                        let file = asked(&entry, "file").await?;
                        files.push(Given { file, path: inner });
                    } else if above < depth {
                        folders.push((entry, inner, above + 1));
                    } else {
                        let file = super::blob::join(&Array::new())?;
                        files.push(Given { file, path: inner });
                    }
                }
            }
        }
        Ok(files)
    }
}

/// Calls a method that answers by callbacks.
async fn asked(on: &JsValue, method: &str) -> Result<JsValue, Error> {
    let mut begun = Ok(JsValue::UNDEFINED);
    let answer = Promise::new(&mut |resolve, reject| {
        begun = value::call(on, method, &[&resolve, &reject]);
    });
    begun?;
    settled(Ok(answer.into())).await
}

fn text(of: &JsValue, key: &str) -> String {
    value::get(of, key).as_string().unwrap_or_default()
}
