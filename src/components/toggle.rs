//! The round button that turns camera, microphone or the share of a screen on and off.

use visavis_call_core::CaptureKind;

use super::dom::{El, button};
use super::icon::{Icon, changing_icon};
use crate::i18n::words;

/// Where a toggle lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// In the toolbar.
    Plain,
    /// On a picture.
    Veil,
}

impl Look {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "round",
            Self::Veil => "round round-veil",
        }
    }
}

/// Which of its states stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    MissedWhileOff,
    NotedWhileOn,
}

/// A toggle. Its name says what pressing it will do, so it has no pressed state beside it.
pub fn toggle(
    kind: CaptureKind,
    look: Look,
    is_on: impl Fn() -> bool + Copy + 'static,
    want: impl Fn(bool) + 'static,
) -> El {
    let words = words();
    let ([turn_on, turn_off], [on_icon, off_icon], class) = match kind {
        CaptureKind::Microphone => (
            [words.microphone.turn_on, words.microphone.turn_off],
            [Icon::Microphone, Icon::MicrophoneOff],
            Class::MissedWhileOff,
        ),
        CaptureKind::Camera => (
            [words.camera.turn_on, words.camera.turn_off],
            [Icon::Camera, Icon::CameraOff],
            Class::MissedWhileOff,
        ),
        CaptureKind::Screen => (
            [words.screen.share, words.screen.stop],
            [Icon::ScreenOff, Icon::Screen],
            Class::NotedWhileOn,
        ),
    };
    button(look.class(), move || want(!is_on()))
        .live(move |toggle| {
            let is_on = is_on();
            match class {
                Class::MissedWhileOff => toggle.set_class("is-off", !is_on),
                Class::NotedWhileOn => toggle.set_class("is-on", is_on),
            }
            toggle.set_label(if is_on { turn_off } else { turn_on });
        })
        .child(changing_icon(move || if is_on() { on_icon } else { off_icon }))
}
