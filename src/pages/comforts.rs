//! What makes a call pleasant beside sound and pictures: the hand, reactions, the panel of people, the
//! list of keys. The toolbar has a button for each where there is room, the menu an entry where not.

use leptos::prelude::*;
use visavis_call_core::Intent;
use visavis_protocol::Reaction;

use super::call::round;
use super::chat;
use super::files::Files;
use super::people;
use super::shortcuts;
use crate::components::badge;
use crate::components::dom::{El, button, el, el_class};
use crate::components::{Dialog, Icon, Menu, Panel, icon};
use crate::i18n::words;
use crate::runtime::{Runtime, use_runtime};

/// What buttons, entries of the menu and keys open. Copies are the same.
#[derive(Clone)]
pub struct Comforts {
    runtime: Runtime,
    pub people: Panel,
    pub files: Files,
    pub chat: Panel,
    draft: chat::Draft,
    pub react: Menu,
    pub shortcuts: Dialog,
}

impl Comforts {
    /// All closed.
    #[must_use]
    pub fn new() -> Self {
        let words = words();
        Self {
            runtime: use_runtime(),
            people: Panel::new(words.people),
            files: Files::new(),
            chat: Panel::new(words.chat.title),
            draft: chat::Draft::default(),
            react: Menu::new(Icon::React, words.react).in_a_row().class("only-wide"),
            shortcuts: Dialog::new(words.shortcuts),
        }
    }

    /// The panel of people, which belongs beside the stage.
    pub fn people_panel(&self, copy_link: impl Fn() + Clone + 'static) -> El {
        self.people.with(move || people::content(copy_link.clone()))
    }

    /// The chat, which belongs there as well.
    pub fn chat_panel(&self) -> El {
        let draft = self.draft.clone();
        self.chat.with(move || chat::content(draft.clone()))
    }

    const fn panels(&self) -> [&Panel; 3] {
        [&self.people, &self.chat, &self.files.panel]
    }

    /// Opens a panel in place of any other, or closes it.
    pub fn flip(&self, panel: &Panel) {
        for other in self.panels() {
            if !other.is(panel) {
                other.close();
            }
        }
        panel.flip();
    }

    /// Closes the panel that is open; whether one was.
    pub fn close_panel(&self) -> bool {
        let panels = self.panels();
        let open = panels.iter().find(|panel| panel.is_open().get_untracked());
        open.inspect(|panel| panel.close()).is_some()
    }

    /// The list of keys, which belongs anywhere.
    pub fn shortcuts_dialog(&self) -> El {
        self.shortcuts.with(shortcuts::content)
    }

    /// Buttons for the toolbar.
    pub fn group(&self) -> El {
        let words = words();
        let people = self.opener(Icon::People, words.people, &self.people);
        let chat = self.opener(Icon::Chat, words.chat.title, &self.chat);
        let files = self.opener(Icon::Files, words.file.files, &self.files.panel);
        el_class("div", "toolbar-group group-wide")
            .child(self.hand())
            .child(self.reactions())
            .child(badged(self.runtime, chat))
            .child(self.knocks(people))
            .child(self.files.badged(files))
    }

    /// How many wait to be let in.
    fn waiting(&self) -> usize {
        self.runtime.hosting().with(|hosting| hosting.waiting.len())
    }

    fn knocks(&self, button: El) -> El {
        let hosting = self.runtime.hosting();
        badge(
            button,
            move || hosting.with(|hosting| hosting.waiting.len()),
            words().host.waiting_count,
        )
    }

    /// The button of a panel.
    fn opener(&self, sign: Icon, name: &str, panel: &Panel) -> El {
        let (comforts, panel, is_open) = (self.clone(), panel.clone(), panel.is_open());
        let opener = round(sign, name, move || comforts.flip(&panel)).live(move |button| {
            let is_open = is_open.get();
            button.set_class("is-on", is_open);
            button.set_attr("aria-expanded", Some(if is_open { "true" } else { "false" }));
        });
        opener.set_class("only-wide", true);
        opener
    }

    /// Opens the panel of files, closing the others.
    pub fn open_files(&self) {
        let panel = &self.files.panel;
        if !panel.is_open().get_untracked() {
            self.flip(panel);
        }
    }

    /// Whether something waits for the person that has no button of its own where the toolbar is narrow.
    pub fn is_noted(&self) -> bool {
        self.is_raised()
            || self.files.asking() > 0
            || self.waiting() > 0
            || self.runtime.chat_unread().get() > 0
    }

    /// The same as entries of a menu, for where the toolbar has no room.
    pub fn entries(&self, menu: &Menu) -> Vec<El> {
        let (words, comforts, react) = (words(), self.clone(), self.react.clone());
        let panel = |sign, name, panel: &Panel| {
            let (comforts, panel) = (self.clone(), panel.clone());
            menu.entry(sign, name, move || comforts.flip(&panel))
        };
        let hand = if self.is_raised() {
            words.lower_hand
        } else {
            words.raise_hand
        };
        let entries = vec![
            menu.entry(Icon::Hand, hand, move || comforts.flip_hand()),
            menu.entry(Icon::React, words.react, move || react.open()),
            panel(Icon::Chat, words.chat.title, &self.chat),
            panel(Icon::People, words.people, &self.people),
            panel(Icon::Files, words.file.files, &self.files.panel),
            el("hr"),
        ];
        for entry in &entries {
            entry.set_class("only-narrow", true);
        }
        entries
    }

    /// The entry of the list of keys.
    pub fn shortcuts_entry(&self, menu: &Menu) -> El {
        let dialog = self.shortcuts.clone();
        menu.entry(Icon::Keyboard, words().shortcuts, move || dialog.open())
    }

    /// Whether the own hand is up.
    pub fn is_raised(&self) -> bool {
        self.runtime.me().with(|me| me.hand > 0)
    }

    /// Raises the hand, or lowers it.
    pub fn flip_hand(&self) {
        self.runtime
            .intend(Intent::RaiseHand(!untrack(|| self.is_raised())));
    }

    fn hand(&self) -> El {
        let (pressed, shown) = (self.clone(), self.clone());
        button("round only-wide", move || pressed.flip_hand())
            .live(move |hand| {
                let is_raised = shown.is_raised();
                hand.set_class("is-on", is_raised);
                hand.set_label(if is_raised {
                    words().lower_hand
                } else {
                    words().raise_hand
                });
            })
            .child(icon(Icon::Hand))
    }

    fn reactions(&self) -> El {
        let (menu, runtime) = (self.react.clone(), self.runtime);
        self.react.with(move || {
            let sign = |reaction: Reaction| {
                menu.sign(reaction.sign(), move || runtime.intend(Intent::React(reaction)))
            };
            Reaction::ALL.into_iter().map(sign).collect()
        })
    }
}

/// The button of the chat, with how many messages are unread.
fn badged(runtime: Runtime, button: El) -> El {
    let unread = runtime.chat_unread();
    badge(button, move || unread.get() as usize, words().unread_messages)
}
