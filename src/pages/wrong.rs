//! Addresses that lead nowhere.

use leptos::prelude::*;
use visavis_protocol::text::TextError;

use super::set_title;
use crate::components::{Icon, message};
use crate::i18n::words;
use crate::route::LinkError;

/// A link to a room that is none.
pub fn bad_link(error: LinkError) -> AnyView {
    set_title(words().bad_link);
    wrong(words().bad_link, link_error(error))
}

/// Any other address.
pub fn not_found() -> AnyView {
    set_title(words().not_found);
    wrong(words().not_found, words().not_found_hint)
}

/// What to say about a link that is none.
pub fn link_error(error: LinkError) -> &'static str {
    let words = words();
    match error {
        LinkError::Malformed => words.link_malformed,
        LinkError::Name(TextError::Empty) => words.room_empty,
        LinkError::Name(TextError::TooLong) => words.room_too_long,
        LinkError::Name(TextError::Forbidden) => words.room_forbidden,
        LinkError::Secret => words.link_secret,
        LinkError::OtherSite => words.link_other_site,
    }
}

fn wrong(title: &'static str, text: &'static str) -> AnyView {
    let home = view! {
        <a class="button button-primary" href="/">
            {words().back_to_lobby}
        </a>
    };
    view! { <main>{message(Icon::Warning, title, text, home.into_any())}</main> }.into_any()
}
