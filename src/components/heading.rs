//! Where the keyboard goes when a page changes.

use std::cell::Cell;

use super::dom::{El, el};

thread_local! {
    static IS_FIRST_PAGE: Cell<bool> = const { Cell::new(true) };
}

/// A page's heading. It takes the focus when the page is shown, so that a screen reader begins
/// there and the next Tab goes into the page; but not on the first page, where a browser has its
/// own beginning.
pub fn heading(text: &str) -> El {
    let heading = el("h1").attr("tabindex", "-1").child(el("bdi").text(text));
    if !IS_FIRST_PAGE.replace(false) {
        heading.focus_soon();
    }
    heading
}

/// Gives a control the focus when its page is shown, also when it is the first page. After the
/// heading, so that the control has the last word.
pub fn focus_on_arrival(control: &El) {
    control.focus_soon();
}
