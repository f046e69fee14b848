//! What makes a call pleasant beside sound and pictures: the hand, reactions, the panel of people, the
//! list of keys. The toolbar has a button for each where there is room, the menu an entry where not.

use leptos::prelude::*;
use visavis_call_core::Intent;
use visavis_protocol::Reaction;

use super::call::round;
use super::files::Files;
use super::people;
use super::shortcuts;
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
            react: Menu::new(Icon::React, words.react).in_a_row().class("only-wide"),
            shortcuts: Dialog::new(words.shortcuts),
        }
    }

    /// The panel of people, which belongs beside the stage.
    pub fn people_panel(&self, copy_link: impl Fn() + Clone + 'static) -> El {
        self.people.with(move || people::content(copy_link.clone()))
    }

    /// The list of keys, which belongs anywhere.
    pub fn shortcuts_dialog(&self) -> El {
        self.shortcuts.with(shortcuts::content)
    }

    /// Buttons for the toolbar.
    pub fn group(&self) -> El {
        let words = words();
        let files = self.opener(Icon::Files, words.file.files, &self.files.panel);
        el_class("div", "toolbar-group group-wide")
            .child(self.hand())
            .child(self.reactions())
            .child(self.opener(Icon::People, words.people, &self.people))
            .child(self.files.badged(files))
    }

    /// The button of a panel.
    fn opener(&self, sign: Icon, name: &str, panel: &Panel) -> El {
        let (comforts, panel, is_open) = (self.clone(), panel.clone(), panel.is_open());
        let opener = round(sign, name, move || comforts.flip_panel(&panel)).live(move |button| {
            let is_open = is_open.get();
            button.set_class("is-on", is_open);
            button.set_attr("aria-expanded", Some(if is_open { "true" } else { "false" }));
        });
        opener.set_class("only-wide", true);
        opener
    }

    /// Opens a panel, closing the others, or closes it.
    pub fn flip_panel(&self, panel: &Panel) {
        for other in [&self.people, &self.files.panel] {
            if !other.is(panel) {
                other.close();
            }
        }
        panel.flip();
    }

    /// Opens the panel of files, closing the others.
    pub fn open_files(&self) {
        let panel = &self.files.panel;
        if !panel.is_open().get_untracked() {
            self.flip_panel(panel);
        }
    }

    /// Whether something waits for the person that has no button of its own where the toolbar is narrow.
    pub fn is_noted(&self) -> bool {
        self.is_raised() || self.files.asking() > 0
    }

    /// The same as entries of a menu, for where the toolbar has no room.
    pub fn entries(&self, menu: &Menu) -> Vec<El> {
        let (words, comforts, react) = (words(), self.clone(), self.react.clone());
        let panel = |sign, name, panel: &Panel| {
            let (comforts, panel) = (self.clone(), panel.clone());
            menu.entry(sign, name, move || comforts.flip_panel(&panel))
        };
        let hand = if self.is_raised() {
            words.lower_hand
        } else {
            words.raise_hand
        };
        let entries = vec![
            menu.entry(Icon::Hand, hand, move || comforts.flip_hand()),
            menu.entry(Icon::React, words.react, move || react.open()),
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
