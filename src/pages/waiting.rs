//! Before a gate: one sees oneself, and waits for the host.

use super::prejoin::preview;
use super::{offline, set_title};
use crate::components::dom::{El, button, el, el_class};
use crate::components::{brand_link, focus_on_arrival, heading};
use crate::i18n::words;
use crate::route::RoomLink;
use crate::runtime::use_runtime;

/// What is shown to who waits.
pub fn view(link: &RoomLink) -> El {
    let (runtime, words) = (use_runtime(), words().host);
    set_title(&words.wait_page.fill(link.name()));
    let stop = button("button", move || runtime.hang_up()).text(words.stop_waiting);
    let title = heading(words.wait_title).attr("tabindex", "-1");
    focus_on_arrival(&title);
    let text = el_class("section", "prejoin-enter waiting")
        .child(
            el_class("div", "room-head")
                .child(title)
                .child(el_class("p", "room-kind").text(link.name())),
        )
        .child(
            el_class("p", "waiting-note")
                .attr("role", "status")
                .child(el("i"))
                .child(el("span").text(words.wait_hint)),
        )
        .slot(|| offline(crate::i18n::words().visit.offline))
        .child(stop);
    el_class("div", "page prejoin")
        .child(el("div").child(brand_link(crate::i18n::words().visavis)))
        .child(el_class("div", "prejoin-columns").child(preview()).child(text))
}
