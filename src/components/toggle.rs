//! The round button that turns the camera or the microphone on and off.

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

/// A toggle. Its name says what pressing it will do, so it has no pressed state beside it.
pub fn toggle(
    kind: CaptureKind,
    look: Look,
    is_on: impl Fn() -> bool + Copy + 'static,
    want: impl Fn(bool) + 'static,
) -> El {
    let (texts, on_icon, off_icon) = match kind {
        CaptureKind::Microphone => (&words().microphone, Icon::Microphone, Icon::MicrophoneOff),
        CaptureKind::Camera => (&words().camera, Icon::Camera, Icon::CameraOff),
    };
    button(look.class(), move || want(!is_on()))
        .live(move |toggle| {
            let is_on = is_on();
            toggle.set_class("is-off", !is_on);
            toggle.set_label(if is_on { texts.turn_off } else { texts.turn_on });
        })
        .child(changing_icon(move || if is_on() { on_icon } else { off_icon }))
}
