//! A page that says one thing and offers a way on.

use leptos::prelude::*;

use super::heading::heading;
use super::icon::{Icon, icon};

/// The page's content. The first action is the one that most will want.
pub fn message(sign: Icon, title: &'static str, text: &'static str, actions: AnyView) -> AnyView {
    view! {
        <div class="page message">
            <div class="message-icon">{icon(sign)}</div>
            {heading(title)}
            <p>{text}</p>
            <div class="actions">{actions}</div>
        </div>
    }
    .into_any()
}
