//! The recording of a call: what begins and ends it, and who is known to make one.

use leptos::prelude::*;
use visavis_call_core::Intent;

use super::status::recorders;
use crate::components::dom::{El, button, el_class};
use crate::components::{Icon, Menu, Toasts, Tone, changing_icon};
use crate::i18n::words;
use crate::runtime::{Recorded, Runtime, use_runtime};

/// Begins and ends a recording: by a button of the toolbar, and by an entry of the menu where the
/// toolbar has no room.
#[derive(Clone)]
pub struct Record(Toasts);

impl Record {
    /// `None` where the browser can make none.
    #[must_use]
    pub fn new(toasts: &Toasts) -> Option<Self> {
        use_runtime().can_record().then(|| Self(toasts.clone()))
    }

    /// The button.
    pub fn toggle(&self) -> El {
        let (runtime, pressed) = (use_runtime(), self.clone());
        button("round only-wide", move || pressed.flip(runtime))
            .live(move |toggle| {
                let is_on = is_on(runtime);
                toggle.set_class("is-on", is_on);
                toggle.set_label(name(is_on));
            })
            .child(changing_icon(move || sign(is_on(runtime))))
    }

    /// The entry, as it is now.
    pub fn entry(&self, menu: &Menu) -> El {
        let (runtime, pressed) = (use_runtime(), self.clone());
        let is_on = is_on(runtime);
        let entry = menu.entry(sign(is_on), name(is_on), move || pressed.flip(runtime));
        entry.set_class("only-narrow", true);
        entry
    }

    fn flip(&self, runtime: Runtime) {
        if untrack(|| is_on(runtime)) {
            runtime.intend(Intent::Record(false));
            return;
        }
        let toasts = self.0.clone();
        runtime.record(move |recorded| {
            let (tone, text) = said(recorded);
            toasts.say(tone, text.to_owned());
        });
    }
}

fn is_on(runtime: Runtime) -> bool {
    runtime.me().with(|me| me.recording)
}

const fn sign(is_on: bool) -> Icon {
    if is_on { Icon::RecordStop } else { Icon::Record }
}

fn name(is_on: bool) -> &'static str {
    if is_on {
        words().stop_recording
    } else {
        words().record
    }
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
