//! The recording of a call: the button that begins and ends it, and who is known to make one.

use leptos::prelude::*;
use visavis_call_core::Intent;

use super::status::recorders;
use crate::components::dom::{El, button, el_class};
use crate::components::{Icon, Toasts, Tone, changing_icon};
use crate::i18n::words;
use crate::runtime::{Recorded, use_runtime};

/// Begins and ends a recording; `None` where the browser can make none.
pub fn record_toggle(toasts: &Toasts) -> Option<El> {
    let runtime = use_runtime();
    if !runtime.can_record() {
        return None;
    }
    let me = runtime.me();
    let is_on = move || me.with(|me| me.recording);
    let toasts = toasts.clone();
    let press = move || {
        if is_on() {
            runtime.intend(Intent::Record(false));
        } else {
            let toasts = toasts.clone();
            runtime.record(move |recorded| {
                let (tone, text) = said(recorded);
                toasts.say(tone, text.to_owned());
            });
        }
    };
    let toggle = button("round", press)
        .live(move |toggle| {
            let is_on = is_on();
            toggle.set_class("is-on", is_on);
            toggle.set_label(if is_on {
                words().stop_recording
            } else {
                words().record
            });
        })
        .child(changing_icon(move || {
            if is_on() { Icon::RecordStop } else { Icon::Record }
        }));
    Some(toggle)
}

fn said(recorded: Recorded) -> (Tone, &'static str) {
    let words = words();
    match recorded {
        Recorded::Begun => (Tone::Polite, words.recording_own),
        Recorded::Saved => (Tone::Polite, words.recording_saved),
        Recorded::Full => (Tone::Error, words.recording_full),
        Recorded::Failed => (Tone::Error, words.recording_failed),
    }
}

/// Who records, for as long as they do. Said once by a notice, so this is no live region.
pub fn recording_chip() -> El {
    let runtime = use_runtime();
    let (me, people) = (runtime.me(), runtime.people());
    let text = el_class("span", "cut");
    let shown = text.clone();
    el_class("p", "chip recorders").child(text).live(move |chip| {
        let is_own = me.with(|me| me.recording);
        let said = people.with(|people| recorders(is_own, people));
        chip.set_flag("hidden", said.is_empty());
        shown.set_text(&said);
    })
}
