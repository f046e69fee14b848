//! Texts kept on this device, or for the life of this tab.
//!
//! Private windows and strict settings take storage away, also in the middle of a visit. Nothing
//! may depend on it: reading gives nothing then, and writing does nothing.

use web_sys::Storage;

/// Where a text is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// On this device, for every tab (`localStorage`).
    Device,
    /// In this tab, over reloads (`sessionStorage`). A duplicated tab starts with a copy.
    Tab,
}

impl Shelf {
    /// The text of a key, if there is one.
    #[must_use]
    pub fn get(self, key: &str) -> Option<String> {
        self.storage()?.get_item(key).ok().flatten()
    }

    /// Keeps a text; `None` forgets it.
    pub fn put(self, key: &str, text: Option<&str>) {
        let Some(storage) = self.storage() else { return };
        // Full or forbidden storage is no reason to disturb anybody.
        _ = match text {
            Some(text) => storage.set_item(key, text),
            None => storage.remove_item(key),
        };
    }

    fn storage(self) -> Option<Storage> {
        let window = super::window();
        match self {
            Self::Device => window.local_storage(),
            Self::Tab => window.session_storage(),
        }
        .ok()
        .flatten()
    }
}
