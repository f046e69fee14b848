//! The link of a room, to be shared: to copy, to read, to scan.

use leptos::prelude::*;
use web_sys::{FocusEvent, HtmlInputElement};

use super::icon::{Icon, icon};
use super::qr_code;
use crate::i18n::words;

/// What stands above the link.
#[derive(Clone, Copy)]
pub struct InviteWords {
    /// Heading.
    pub title: &'static str,
    /// One sentence.
    pub hint: &'static str,
}

/// Selects the link, so that copying by hand is one key away.
fn select_all(event: FocusEvent) {
    event_target::<HtmlInputElement>(&event).select();
}

/// The link with its code. `copy` is to copy it.
pub fn invite(texts: InviteWords, url: &str, copy: Callback<()>) -> AnyView {
    let words = words();
    view! {
        <div class="invite">
            <h2>{texts.title}</h2>
            <p>{texts.hint}</p>
            {qr_code(url, words.qr)}
            <div class="invite-row">
                <input
                    class="input"
                    readonly
                    aria-label=words.room_link
                    value=url.to_owned()
                    on:focus=select_all
                />
                <button type="button" class="button button-primary" on:click=move |_| copy.run(())>
                    {icon(Icon::Link)}
                    {words.copy_link}
                </button>
            </div>
        </div>
    }
    .into_any()
}
