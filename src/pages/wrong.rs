//! Addresses that lead nowhere.

use visavis_protocol::text::TextError;

use super::dead_end;
use crate::components::Icon;
use crate::components::dom::El;
use crate::i18n::words;
use crate::route::LinkError;

/// A link to a room that is none.
pub fn bad_link(error: LinkError) -> El {
    dead_end(Icon::Warning, words().bad_link, link_error(error))
}

/// Any other address.
pub fn not_found() -> El {
    dead_end(Icon::Warning, words().not_found, words().not_found_hint)
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
