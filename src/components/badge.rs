//! A number on a button: how much is there that its owner has not seen or answered yet.

use super::dom::{El, el_class};
use crate::i18n::Plural;

/// More is not counted: there is little room.
const MOST: usize = 99;

/// Puts a number on a button while it is not zero. It is said behind the button's name, which stays
/// the same; so it is painted by the style sheet and is no text of the button.
pub fn badge(button: El, count: impl Fn() -> usize + 'static, words: Plural) -> El {
    let number = el_class("span", "badge").attr("aria-hidden", "true");
    button.child(number.clone()).live(move |button| {
        let count = count();
        number.set_flag("hidden", count == 0);
        number.set_attr("data-count", Some(&count.min(MOST).to_string()));
        let said = words.of(count);
        button.set_attr("aria-description", (count > 0).then_some(said.as_str()));
    })
}
