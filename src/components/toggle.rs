//! The round button that turns the camera or the microphone on and off.

use leptos::prelude::*;
use visavis_call_core::CaptureKind;

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
pub fn toggle(kind: CaptureKind, is_on: Signal<bool>, look: Look, want: Callback<bool>) -> AnyView {
    let (texts, on_icon, off_icon) = match kind {
        CaptureKind::Microphone => (&words().microphone, Icon::Microphone, Icon::MicrophoneOff),
        CaptureKind::Camera => (&words().camera, Icon::Camera, Icon::CameraOff),
    };
    let name = move || {
        if is_on.get() {
            texts.turn_off
        } else {
            texts.turn_on
        }
    };
    let sign = Signal::derive(move || if is_on.get() { on_icon } else { off_icon });
    view! {
        <button
            type="button"
            class=look.class()
            class:is-off=move || !is_on.get()
            aria-label=name
            title=name
            on:click=move |_| want.run(!is_on.get_untracked())
        >
            {changing_icon(sign)}
        </button>
    }
    .into_any()
}
