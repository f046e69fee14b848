//! A named switch with a line about what it does.

use super::dom::{El, button, el_class};

/// A switch. `id` names its hint within the page.
pub fn switch(
    id: &str,
    [name, hint]: [&'static str; 2],
    is_on: impl Fn() -> bool + Copy + 'static,
    flip: impl Fn() + 'static,
) -> El {
    let switch = button("switch", flip)
        .attr("role", "switch")
        .attr("aria-label", name)
        .attr("aria-describedby", id)
        .live(move |switch| {
            switch.set_attr("aria-checked", Some(if is_on() { "true" } else { "false" }));
        });
    let text = el_class("div", "switch-text")
        .child(el_class("span", "switch-name").text(name))
        .child(el_class("span", "hint").attr("id", id).text(hint));
    el_class("div", "switch-row").child(text).child(switch)
}
