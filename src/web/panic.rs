//! The last resort: a panic leaves the app dead on a page that looks alive, so the page says so.

use std::panic;

use super::{console, document};

/// Logs panics, and shows the page's prepared "Something broke" with its link to reload.
///
/// The words and the link stand in `index.html`: nothing is built here, because nothing can be
/// relied on any more.
pub fn install_hook() {
    panic::set_hook(Box::new(|info| {
        console::error(&info.to_string());
        if let Some(broken) = document().get_element_by_id("broken") {
            _ = broken.remove_attribute("hidden");
        }
    }));
}
