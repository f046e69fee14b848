//! A page that says one thing and offers a way on.

use super::dom::{El, el, el_class};
use super::heading::heading;
use super::icon::{Icon, icon};

/// The page's content. The first action is the one that most will want.
pub fn message(sign: Icon, title: &str, text: &str, actions: impl IntoIterator<Item = El>) -> El {
    el_class("div", "page message")
        .child(el_class("div", "message-icon").child(icon(sign)))
        .child(heading(title))
        .child(el("p").text(text))
        .child(el_class("div", "actions").children(actions))
}
