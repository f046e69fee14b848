//! Pages whose rooms are not built yet: they say so, and what helps until then.

use leptos::prelude::*;

use super::set_title;
use crate::components::{Icon, message};
use crate::i18n::words;

/// `/contacts`
pub fn contacts() -> AnyView {
    later(words().contacts, words().contacts_later, Icon::People)
}

/// `/desk`
pub fn appointments() -> AnyView {
    later(words().appointments, words().appointments_later, Icon::Calendar)
}

fn later(title: &'static str, text: &'static str, sign: Icon) -> AnyView {
    set_title(title);
    let home = view! {
        <a class="button button-primary" href="/">
            {words().back_to_lobby}
        </a>
    };
    view! { <main>{message(sign, title, text, home.into_any())}</main> }.into_any()
}
