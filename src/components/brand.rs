//! The mark with the wordmark. The style sheet draws the wordmark itself.

use super::dom::{El, el_class};
use super::icon::mark;

/// Mark and wordmark, large, with something to read out.
pub fn brand(name: El) -> El {
    el_class("div", "brand brand-large")
        .child(mark())
        .child(el_class("div", "visually-hidden").child(name))
}

/// The way back to the lobby.
pub fn brand_link(name: &str) -> El {
    el_class("a", "brand")
        .attr("href", "/")
        .child(mark())
        .child(el_class("span", "visually-hidden").text(name))
}
