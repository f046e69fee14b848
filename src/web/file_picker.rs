//! What the browser's dialog for picking files or a folder gives.

use wasm_bindgen::JsValue;

use super::value;

/// A file that the person gave us.
#[derive(Clone, Debug)]
pub struct Given {
    /// The `File`.
    pub file: JsValue,
    /// Its name, in a folder with the folders that it is in, the picked one first, parted by `/`.
    pub path: String,
}

impl Given {
    /// A file by itself.
    #[must_use]
    pub fn single(file: JsValue) -> Self {
        let path = value::get(&file, "name").as_string().unwrap_or_default();
        Self { file, path }
    }
}

/// Whether a folder can be picked as one. Phones cannot.
#[must_use]
pub fn can_pick_folder() -> bool {
    let class = value::get(&js_sys::global(), "HTMLInputElement");
    let prototype = value::get(&class, "prototype");
    js_sys::Reflect::has(&prototype, &"webkitdirectory".into()).unwrap_or_default()
}

/// The files of a `FileList`, at most so many.
#[must_use]
pub fn listed(list: &JsValue, most: usize) -> Vec<Given> {
    let files = js_sys::Array::from(list);
    let given = files.iter().take(most).map(|file| {
        let path = value::get(&file, "webkitRelativePath").as_string();
        match path.filter(|path| !path.is_empty()) {
            Some(path) => Given { file, path },
            None => Given::single(file),
        }
    });
    given.collect()
}
