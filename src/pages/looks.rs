//! In which language and which colours the page is: for the lobby and for the settings.

use leptos::prelude::*;

use crate::components::dom::{El, el_class};
use crate::components::{PickerOption, labelled, picker, picker_list};
use crate::i18n::{self, Language, words};
use crate::runtime::{Theme, use_runtime};

/// The two pickers, and what is said if a language did not come.
pub fn looks() -> [El; 3] {
    let failed = use_runtime().language_failed();
    let problem = el_class("p", "field-error")
        .attr("role", "alert")
        .live_text(move || {
            let text = if failed.get() { words().language_failed } else { "" };
            text.to_owned()
        });
    [language(), theme(), problem]
}

fn language() -> El {
    let runtime = use_runtime();
    let options = || {
        let option = |language: Language| PickerOption {
            value: language.tag().to_owned(),
            label: language.name().to_owned(),
            is_picked: language == i18n::language(),
        };
        Language::ALL.map(option).into()
    };
    let list = picker_list(options, move |tag| {
        runtime.choose_language(Language::of_tag(&tag).unwrap_or_default());
    });
    // What had the focus went with the former words.
    if runtime.take_language_picked() {
        list.focus_soon();
    }
    labelled(words().language, list)
}

fn theme() -> El {
    let runtime = use_runtime();
    let options = move || {
        let words = words();
        let chosen = runtime.theme();
        let option = |theme: Theme| PickerOption {
            value: theme.as_str().to_owned(),
            label: match theme {
                Theme::System => words.theme_auto,
                Theme::Light => words.theme_light,
                Theme::Dark => words.theme_dark,
            }
            .to_owned(),
            is_picked: theme == chosen,
        };
        Theme::ALL.map(option).into()
    };
    picker(words().theme, options, move |name| {
        runtime.choose_theme(Theme::from_name(&name));
    })
}
