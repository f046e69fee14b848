//! The browser's dialog for picking files or a folder.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

use super::{Listener, document, value};

/// What is to be picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// One file.
    File,
    /// Any number of files.
    Files,
    /// A folder with all that is in it.
    Folder,
}

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

/// A dialog. What is picked is told as long as this lives; there may be nothing told at all.
#[must_use = "a dropped dialog tells nothing"]
pub struct FilePicker {
    input: HtmlElement,
    _listener: Listener,
}

/// Whether a folder can be picked as one. Phones cannot.
#[must_use]
pub fn can_pick_folder() -> bool {
    let class = value::get(&js_sys::global(), "HTMLInputElement");
    let prototype = value::get(&class, "prototype");
    js_sys::Reflect::has(&prototype, &"webkitdirectory".into()).unwrap_or_default()
}

impl FilePicker {
    /// Opens the dialog; only within a click. `None` if the page has no such elements.
    pub fn open(pick: Pick, most: usize, handler: impl Fn(Vec<Given>) + 'static) -> Option<Self> {
        let input = document().create_element("input").ok()?;
        for (key, on) in [
            ("multiple", pick == Pick::Files),
            ("webkitdirectory", pick == Pick::Folder),
        ] {
            value::set(&input, key, &on.into());
        }
        value::set(&input, "type", &"file".into());
        let input: HtmlElement = input.unchecked_into();
        let listener = Listener::new(&input, "change", move |event| {
            let picked = event.target().map(|input| value::get(&input, "files"));
            handler(listed(&picked.unwrap_or_default(), most));
        });
        input.click();
        Some(Self {
            input,
            _listener: listener,
        })
    }

    #[doc(hidden)]
    #[must_use]
    pub fn input_for_tests(&self) -> &JsValue {
        &self.input
    }
}

/// The files of a `FileList`, at most so many.
pub(super) fn listed(list: &JsValue, most: usize) -> Vec<Given> {
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
