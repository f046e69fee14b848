//! A labelled list to pick one from.

use leptos::prelude::*;

/// One thing to pick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickerOption {
    /// What the page knows it by; empty for "whatever the system has".
    pub value: String,
    /// What people read.
    pub label: String,
}

/// A list that follows what there is to pick and what is picked, whoever changes it.
pub fn picker(
    label: &'static str,
    options: Signal<Vec<PickerOption>>,
    picked: Signal<String>,
    pick: Callback<String>,
) -> AnyView {
    let item = move |option: PickerOption| {
        let value = option.value.clone();
        let is_picked = move || picked.with(|picked| *picked == value);
        view! {
            <option value=option.value prop:selected=is_picked>
                {option.label}
            </option>
        }
    };
    view! {
        <label class="field">
            <span>{label}</span>
            <select class="input" on:change=move |event| pick.run(event_target_value(&event))>
                <For each=move || options.get() key=|option| (option.value.clone(), option.label.clone()) children=item />
            </select>
        </label>
    }
    .into_any()
}
