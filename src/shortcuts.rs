//! What keys do in a call: pure, without page or call.
//!
//! Single letters are for who knows them and in the way of who speaks to the computer, so they can be
//! turned off (WCAG 2.1, 2.1.4), and never count where one types.

use crate::runtime::{Focus, Key};

/// Something that a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// Microphone on or off.
    Microphone,
    /// Camera on or off.
    Camera,
    /// Hand up or down.
    Hand,
    /// Begins or ends to share a screen.
    Share,
    /// Opens the reactions.
    React,
    /// Opens or closes the panel of people.
    People,
    /// Opens or closes the panel of files.
    Files,
    /// Opens or closes the chat.
    Chat,
    /// The whole screen, or no longer.
    FullScreen,
    /// Opens the list of these.
    Help,
}

impl Shortcut {
    /// Every one, in the order of the list.
    pub const ALL: [Self; 10] = [
        Self::Microphone,
        Self::Camera,
        Self::Hand,
        Self::Share,
        Self::React,
        Self::People,
        Self::Files,
        Self::Chat,
        Self::FullScreen,
        Self::Help,
    ];

    /// Its key.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Microphone => "m",
            Self::Camera => "v",
            Self::Hand => "h",
            Self::Share => "s",
            Self::React => "r",
            Self::People => "p",
            Self::Files => "d",
            Self::Chat => "c",
            Self::FullScreen => "f",
            Self::Help => "?",
        }
    }

    /// What a key does, where single keys are wanted.
    #[must_use]
    pub fn of(key: &Key) -> Option<Self> {
        if key.has_modifier || key.is_repeat || key.focus == Focus::Taken {
            return None;
        }
        // A question mark takes Shift on most keyboards; a capital by Caps Lock is the letter still.
        Self::ALL.into_iter().find(|shortcut| {
            shortcut.key().eq_ignore_ascii_case(&key.key) && (!key.has_shift || *shortcut == Self::Help)
        })
    }
}

/// Push to talk: while Space is held somebody who is muted can be heard.
///
/// ```text
/// Resting ──Space, muted──▶ Talking ──let go, or keys go elsewhere──▶ Resting
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PushToTalk {
    is_held: bool,
}

/// What a key means for who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Nothing: it is for others.
    Nothing,
    /// It goes on as it is; the key is for nobody else.
    Goes,
    /// The microphone is to be on.
    Begins,
    /// And off again.
    Ends,
}

impl PushToTalk {
    /// A key went down, or is held. `may_begin`: it is wanted and the microphone is off.
    pub fn press(&mut self, key: &Key, may_begin: bool) -> Talk {
        if self.is_held && key.has_modifier {
            // A Mac says nothing of a key that goes up while its command key is held.
            return self.end();
        }
        if !key.is_space {
            return Talk::Nothing;
        }
        if self.is_held {
            return Talk::Goes;
        }
        let is_free = key.focus == Focus::Page && !key.has_modifier && !key.has_shift;
        // One that was held before had another meaning, and keeps it.
        if !may_begin || !is_free || key.is_repeat {
            return Talk::Nothing;
        }
        self.is_held = true;
        Talk::Begins
    }

    /// A key went up.
    pub fn release(&mut self, key: &Key) -> Talk {
        if key.is_space || key.has_modifier {
            self.end()
        } else {
            Talk::Nothing
        }
    }

    /// Keys go elsewhere, or the call is over.
    pub fn end(&mut self) -> Talk {
        if core::mem::take(&mut self.is_held) {
            Talk::Ends
        } else {
            Talk::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> Key {
        Key {
            key: key.to_owned(),
            is_space: key == " ",
            ..Key::default()
        }
    }

    #[test]
    fn each_key_does_one_thing() {
        for shortcut in Shortcut::ALL {
            assert_eq!(Shortcut::of(&key(shortcut.key())), Some(shortcut));
        }
        for other in ["a", "Enter", "Escape", " ", "mm", ""] {
            assert_eq!(Shortcut::of(&key(other)), None);
        }
        assert_eq!(Shortcut::of(&key("M")), Some(Shortcut::Microphone));
    }

    #[test]
    fn keys_of_others_are_left_to_them() {
        let control = Key {
            has_modifier: true,
            ..key("m")
        };
        let typed = Key {
            focus: Focus::Taken,
            ..key("m")
        };
        let held = Key {
            is_repeat: true,
            ..key("m")
        };
        let capital = Key {
            has_shift: true,
            ..key("M")
        };
        for other in [control, typed, held, capital] {
            assert_eq!(Shortcut::of(&other), None, "{other:?}");
        }
        let on_a_button = Key {
            focus: Focus::Control,
            ..key("m")
        };
        assert_eq!(Shortcut::of(&on_a_button), Some(Shortcut::Microphone));
        let question = Key {
            has_shift: true,
            ..key("?")
        };
        assert_eq!(Shortcut::of(&question), Some(Shortcut::Help));
    }

    #[test]
    fn one_is_heard_while_the_key_is_held() {
        let mut talk = PushToTalk::default();
        assert_eq!(talk.press(&key(" "), true), Talk::Begins);
        // The microphone is on by now, and the key repeats.
        let held = Key {
            is_repeat: true,
            ..key(" ")
        };
        assert_eq!(talk.press(&held, false), Talk::Goes);
        assert_eq!(talk.release(&key("m")), Talk::Nothing);
        assert_eq!(talk.release(&key(" ")), Talk::Ends);
        assert_eq!(talk.release(&key(" ")), Talk::Nothing);
    }

    #[test]
    fn losing_the_keys_ends_it() {
        let mut talk = PushToTalk::default();
        talk.press(&key(" "), true);
        assert_eq!(talk.end(), Talk::Ends);
        assert_eq!(talk.end(), Talk::Nothing);
        // Held on, it begins nothing by itself.
        let held = Key {
            is_repeat: true,
            ..key(" ")
        };
        assert_eq!(talk.press(&held, true), Talk::Nothing);
    }

    #[test]
    fn a_command_ends_it_for_the_rest_may_never_be_heard_of() {
        let command = Key {
            has_modifier: true,
            ..key("Meta")
        };
        let mut talk = PushToTalk::default();
        talk.press(&key(" "), true);
        assert_eq!(talk.press(&command, false), Talk::Ends);
        talk.press(&key(" "), true);
        assert_eq!(talk.release(&command), Talk::Ends);
        assert_eq!(PushToTalk::default().press(&command, true), Talk::Nothing);
        // With another key held the bar writes something else as it goes up.
        let renamed = Key {
            key: "\u{a0}".to_owned(),
            has_modifier: true,
            ..key(" ")
        };
        talk.press(&key(" "), true);
        assert_eq!(talk.release(&renamed), Talk::Ends);
    }

    #[test]
    fn space_belongs_to_fields_and_buttons_first() {
        for focus in [Focus::Control, Focus::Taken] {
            let pressed = Key { focus, ..key(" ") };
            assert_eq!(PushToTalk::default().press(&pressed, true), Talk::Nothing);
        }
        assert_eq!(
            PushToTalk::default().press(&key(" "), false),
            Talk::Nothing,
            "not muted"
        );
    }
}
