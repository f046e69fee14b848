//! The mark with the wordmark.

use leptos::prelude::*;

use super::icon::mark;

/// The way back to the lobby. The wordmark itself is drawn by the style sheet.
pub fn brand_link(name: &'static str) -> impl IntoView {
    view! {
        <a class="brand" href="/">
            {mark()} <span class="visually-hidden">{name}</span>
        </a>
    }
}
