//! The link of a room or of an appointment, to be shared: to copy, to read, to scan.

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use super::dom::{El, button, el, el_class};
use super::icon::{Icon, icon};
use super::qr_code;
use crate::i18n::words;

/// What stands above the link, and what it is called.
#[derive(Clone, Copy)]
pub struct InviteWords {
    /// Heading.
    pub title: &'static str,
    /// One sentence.
    pub hint: &'static str,
    /// Name of the text box with the link.
    pub link: &'static str,
    /// Name of its code.
    pub code: &'static str,
}

/// The link with its code. `copy` is to copy it.
pub fn invite(texts: InviteWords, url: &str, copy: impl Fn() + 'static) -> El {
    let words = words();
    let link = el_class("input", "input")
        .attr("readonly", "")
        .attr("aria-label", texts.link)
        .attr("value", url);
    let selected = link.clone();
    // Copying by hand is one key away then.
    let link = link.on("focus", move |_| {
        selected.element().unchecked_ref::<HtmlInputElement>().select();
    });
    el_class("div", "invite")
        .child(el("h2").text(texts.title))
        .child(el("p").text(texts.hint))
        .children(qr_code(url, texts.code))
        .child(
            el_class("div", "invite-row").child(link).child(
                button("button button-primary", copy)
                    .child(icon(Icon::Link))
                    .text(words.copy_link),
            ),
        )
}
