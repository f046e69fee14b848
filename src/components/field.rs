//! The field for one's name, with its rules.

use leptos::html;
use leptos::prelude::*;
use visavis_protocol::text::TextError;

use crate::i18n::words;

/// The field for one's name. What is wrong with it stands under it, and is read with it.
pub fn name_field(
    name: RwSignal<String>,
    error: RwSignal<Option<&'static str>>,
    node: NodeRef<html::Input>,
) -> AnyView {
    view! {
        <div class="field">
            <label for="your-name">{words().your_name}</label>
            <input
                id="your-name"
                class="input"
                name="name"
                type="text"
                autocomplete="nickname"
                autocapitalize="words"
                enterkeyhint="go"
                spellcheck="false"
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby="your-name-error"
                prop:value=name
                on:input=move |event| {
                    name.set(event_target_value(&event));
                    error.set(None);
                }
                node_ref=node
            />
            <p id="your-name-error" class="field-error" role="alert">
                {error}
            </p>
        </div>
    }
    .into_any()
}

/// What to say about a name that breaks a rule.
#[must_use]
pub fn name_error(error: TextError) -> &'static str {
    match error {
        TextError::Empty => words().name_empty,
        TextError::TooLong => words().name_too_long,
        TextError::Forbidden => words().name_forbidden,
    }
}
