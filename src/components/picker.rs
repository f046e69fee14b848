//! A labelled list to pick one from.

use super::dom::{El, el, el_class};

/// One thing to pick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickerOption {
    /// What the page knows it by; empty for "whatever the system has".
    pub value: String,
    /// What people read.
    pub label: String,
    /// Whether it is the one.
    pub is_picked: bool,
}

/// A labelled list that follows what there is to pick and what is picked, whoever changes it.
pub fn picker(
    label: &str,
    options: impl Fn() -> Vec<PickerOption> + 'static,
    pick: impl Fn(String) + 'static,
) -> El {
    labelled(label, picker_list(options, pick))
}

/// The list alone, for who has more to do with it.
pub fn picker_list(options: impl Fn() -> Vec<PickerOption> + 'static, pick: impl Fn(String) + 'static) -> El {
    let list = el_class("select", "input").live(move |list| {
        list.set_only_child(None);
        for option in options() {
            let item = el("option").attr("value", &option.value).text(&option.label);
            item.set_property("selected", &option.is_picked.into());
            list.put(&item);
        }
    });
    let picked = list.clone();
    list.on("change", move |_| pick(picked.field_value()))
}

/// A list under its label.
pub fn labelled(label: &str, list: El) -> El {
    el_class("label", "field")
        .child(el("span").text(label))
        .child(list)
}
