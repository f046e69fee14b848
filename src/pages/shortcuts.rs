//! What keys do in a call: the list of them, and the doing.

use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::{CaptureKind, Intent};

use super::comforts::Comforts;
use super::devices::device_words;
use crate::components::dom::{El, el, el_class};
use crate::components::{Toasts, Tone, switch};
use crate::i18n::words;
use crate::runtime::{Choice, Focus, Key, KeyEvent, Runtime, use_runtime};
use crate::shortcuts::{PushToTalk, Shortcut, Talk};

/// The list, with the switches that turn them off.
pub fn content() -> El {
    let runtime = use_runtime();
    // Without its bullets some browsers no longer take it for a list.
    let (words, list) = (words(), el_class("ul", "keys").attr("role", "list"));
    let row = |key: &str, does: &str| el("li").child(el("kbd").text(key)).child(el("span").text(does));
    for shortcut in Shortcut::ALL
        .into_iter()
        .filter(|shortcut| is_offered(runtime, *shortcut))
    {
        list.put(&row(shortcut.key(), does(shortcut)));
    }
    list.put(&row(words.shortcut.space, words.shortcut.talk));
    list.put(&row(words.shortcut.escape, words.shortcut.close));
    el_class("div", "settings")
        .child(el_class("h2", "dialog-title").text(words.shortcuts))
        .child(list)
        .child(chosen(
            "single-keys-hint",
            [words.single_keys, words.single_keys_hint],
            Choice::SingleKeys,
        ))
        .child(chosen(
            "push-to-talk-hint",
            [words.push_to_talk, words.push_to_talk_hint],
            Choice::PushToTalk,
        ))
}

fn chosen(id: &str, text: [&'static str; 2], choice: Choice) -> El {
    let runtime = use_runtime();
    let is_on = runtime.choice(choice);
    switch(
        id,
        text,
        move || is_on.get(),
        move || runtime.choose(choice, !is_on.get_untracked()),
    )
}

/// Whether this browser can do it at all.
fn is_offered(runtime: Runtime, shortcut: Shortcut) -> bool {
    match shortcut {
        Shortcut::Share => runtime.can_share_screen(),
        Shortcut::FullScreen => runtime.can_fill_screen(),
        Shortcut::Microphone
        | Shortcut::Camera
        | Shortcut::Hand
        | Shortcut::React
        | Shortcut::People
        | Shortcut::Files
        | Shortcut::Chat
        | Shortcut::Help => true,
    }
}

fn does(shortcut: Shortcut) -> &'static str {
    let words = &words().shortcut;
    match shortcut {
        Shortcut::Microphone => words.microphone,
        Shortcut::Camera => words.camera,
        Shortcut::Hand => words.hand,
        Shortcut::Share => words.share,
        Shortcut::React => words.react,
        Shortcut::People => words.people,
        Shortcut::Files => words.files,
        Shortcut::Chat => words.chat,
        Shortcut::FullScreen => words.full_screen,
        Shortcut::Help => words.help,
    }
}

/// Hears of keys for as long as the call is shown. `stir` brings back controls that have faded.
pub fn hear(comforts: &Comforts, toasts: Toasts, stir: Rc<dyn Fn()>) {
    let keyboard = Keyboard {
        runtime: use_runtime(),
        comforts: comforts.clone(),
        toasts,
        stir,
        talk: StoredValue::new(PushToTalk::default()),
    };
    let (runtime, talk) = (keyboard.runtime, keyboard.talk);
    // Whoever is thrown out of the call while they speak is not to be heard in the next one.
    on_cleanup(move || {
        if talk.try_update_value(PushToTalk::end) == Some(Talk::Ends) {
            be_heard(runtime, false);
        }
    });
    runtime.hear_keys(move |event| keyboard.handle(&event));
}

/// Unlike a press on the button this is for the moment, so it is not remembered for the next call.
fn be_heard(runtime: Runtime, on: bool) {
    runtime.intend(Intent::Talk(on));
}

struct Keyboard {
    runtime: Runtime,
    comforts: Comforts,
    toasts: Toasts,
    stir: Rc<dyn Fn()>,
    talk: StoredValue<PushToTalk>,
}

impl Keyboard {
    /// Returns whether it had a use for it.
    fn handle(&self, event: &KeyEvent) -> bool {
        let talk = match event {
            KeyEvent::Pressed(key) => {
                let may_begin = self.runtime.choice(Choice::PushToTalk).get_untracked() && !self.is_heard();
                self.talk.try_update_value(|talk| talk.press(key, may_begin))
            }
            KeyEvent::Released(key) => self.talk.try_update_value(|talk| talk.release(key)),
            KeyEvent::Lost => self.talk.try_update_value(PushToTalk::end),
        };
        if !matches!(talk, Some(Talk::Nothing) | None) {
            (self.stir)();
        }
        match talk {
            Some(Talk::Begins) => be_heard(self.runtime, true),
            Some(Talk::Ends) => be_heard(self.runtime, false),
            Some(Talk::Goes) => {}
            Some(Talk::Nothing) | None => return matches!(event, KeyEvent::Pressed(key) if self.press(key)),
        }
        true
    }

    fn is_heard(&self) -> bool {
        let me = self.runtime.me();
        me.with_untracked(|me| me.microphone.is_wanted())
    }

    fn press(&self, key: &Key) -> bool {
        // A dialog or a menu above it is closed first.
        let is_free = key.focus != Focus::Taken;
        if key.key == "Escape" && is_free && self.comforts.close_panel() {
            return true;
        }
        let is_on = self.runtime.choice(Choice::SingleKeys).get_untracked();
        let wanted = Shortcut::of(key).filter(|shortcut| is_on && is_offered(self.runtime, *shortcut));
        let Some(shortcut) = wanted else {
            return false;
        };
        (self.stir)();
        match shortcut {
            Shortcut::Microphone => self.flip(CaptureKind::Microphone),
            Shortcut::Camera => self.flip(CaptureKind::Camera),
            Shortcut::Share => self.flip(CaptureKind::Screen),
            Shortcut::Hand => {
                let (words, was_raised) = (words(), untrack(|| self.comforts.is_raised()));
                self.comforts.flip_hand();
                self.tell(if was_raised {
                    words.hand_lowered
                } else {
                    words.hand_raised
                });
            }
            Shortcut::React => self.comforts.react.open(),
            Shortcut::People => self.comforts.flip(&self.comforts.people),
            Shortcut::Files => self.comforts.flip(&self.comforts.files.panel),
            Shortcut::Chat => self.comforts.flip(&self.comforts.chat),
            Shortcut::FullScreen => self.runtime.flip_full_screen(),
            Shortcut::Help => self.comforts.shortcuts.open(),
        }
        true
    }

    fn flip(&self, kind: CaptureKind) {
        let me = self.runtime.me();
        let is_on = me.with_untracked(|me| me.capture(kind).is_wanted());
        self.runtime.want(kind, !is_on);
        if let Some(device) = device_words(kind) {
            self.tell(if is_on { device.is_off } else { device.is_on });
        }
    }

    /// Who pressed a key knows no button that would say what it did.
    fn tell(&self, text: &str) {
        self.toasts.say(Tone::Heard, text.to_owned());
    }
}
