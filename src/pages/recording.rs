//! The recording of a call: what begins and ends it, and who is known to make one.

use std::cell::Cell;

use leptos::prelude::*;
use visavis_call_core::Intent;

use super::status::recorders;
use crate::components::dom::{El, button, el, el_class, live};
use crate::components::{Icon, Menu, Toasts, Tone, changing_icon};
use crate::i18n::words;
use crate::runtime::{Recorded, Runtime, use_runtime};

/// Begins and ends a recording: by a button of the toolbar, and by an entry of the menu where the
/// toolbar has no room.
#[derive(Clone)]
pub struct Record(Runtime);

impl Record {
    /// `None` where the browser can make none. What becomes of it is said by toasts, also of one that was
    /// begun in the words of another language.
    #[must_use]
    pub fn new(toasts: &Toasts) -> Option<Self> {
        let runtime = use_runtime();
        runtime.can_record().then(|| {
            say_news(runtime, toasts.clone());
            Self(runtime)
        })
    }

    /// The button.
    pub fn toggle(&self) -> El {
        let runtime = self.0;
        button("round only-wide", move || flip(runtime))
            .live(move |toggle| {
                let is_on = is_on(runtime);
                toggle.set_class("is-on", is_on);
                toggle.set_label(name(is_on));
            })
            .child(changing_icon(move || sign(is_on(runtime))))
    }

    /// The entry, as it is now.
    pub fn entry(&self, menu: &Menu) -> El {
        let runtime = self.0;
        let is_on = is_on(runtime);
        let entry = menu.entry(sign(is_on), name(is_on), move || flip(runtime));
        entry.set_class("only-narrow", true);
        entry
    }
}

fn flip(runtime: Runtime) {
    if untrack(|| is_on(runtime)) {
        runtime.intend(Intent::Record(false));
    } else {
        runtime.record();
    }
}

fn say_news(runtime: Runtime, toasts: Toasts) {
    let news = runtime.recorded();
    // What was said before this page was built is no news.
    let said_before = Cell::new(news.get_untracked());
    live(move || {
        let count = news.get();
        if said_before.replace(count) == count {
            return;
        }
        if let Some(recorded) = runtime.last_recorded() {
            let (tone, text) = said(recorded);
            toasts.say(tone, text.to_owned());
        }
    });
}

/// What became of the recording of a call that is over, once that is known.
pub fn outcome() -> El {
    let runtime = use_runtime();
    let news = runtime.recorded();
    el("p").attr("role", "status").live(move |outcome| {
        news.track();
        // One that runs is about to end with its call.
        let runs = |last: &Recorded| matches!(last, Recorded::Begun | Recorded::Held);
        let over = runtime.last_recorded().filter(|last| !runs(last));
        outcome.set_text(over.map_or("", |last| said(last).1));
    })
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
        Recorded::Held => (Tone::Polite, words.recording_held),
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
