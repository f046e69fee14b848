//! How the page presents itself as a whole: its title, its language, its theme.

use super::{document, value, window};

/// Names the tab, the window and the entry in the history.
pub fn set_title(title: &str) {
    document().set_title(title);
}

/// Says which language the page is in and how it runs: `"ltr"` or `"rtl"`.
pub fn set_language(tag: &str, direction: &str) {
    set_root_attribute("lang", Some(tag));
    set_root_attribute("dir", Some(direction));
}

/// `"light"`, `"dark"`, or `None` for what the system has.
pub fn set_theme(theme: Option<&str>) {
    set_root_attribute("data-theme", theme);
}

/// The language that the address forces: `?lang=…`.
#[must_use]
pub fn forced_language() -> Option<String> {
    let query = window().location().search().unwrap_or_default();
    query
        .trim_start_matches('?')
        .split('&')
        .find_map(|pair| pair.strip_prefix("lang="))
        .map(str::to_owned)
}

/// The languages that the browser is set to, most wanted first.
#[must_use]
pub fn browser_languages() -> Vec<String> {
    let set: js_sys::Array = value::get(&window().navigator(), "languages").into();
    set.iter().filter_map(|tag| tag.as_string()).collect()
}

fn set_root_attribute(name: &str, text: Option<&str>) {
    let Some(root) = document().document_element() else {
        return;
    };
    // Both refuse only names that are none.
    _ = match text {
        Some(text) => root.set_attribute(name, text),
        None => root.remove_attribute(name),
    };
}
