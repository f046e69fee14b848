//! Words and choices about cameras, microphones and speakers.

use leptos::prelude::*;
use visavis_call_core::{CaptureError, CaptureKind, CaptureState, Me};

use super::looks::looks;
use crate::components::dom::{El, button, el_class};
use crate::components::{Icon, PickerOption, icon, picker, switch};
use crate::i18n::{self, DeviceWords, words};
use crate::runtime::{Choice, use_runtime};

/// Ids by which Chromium lists the system's choice once more.
const ALIASES: [&str; 2] = ["default", "communications"];

/// The words about a kind of device; a screen is none.
pub fn device_words(kind: CaptureKind) -> Option<&'static DeviceWords> {
    match kind {
        CaptureKind::Microphone => Some(&words().microphone),
        CaptureKind::Camera => Some(&words().camera),
        CaptureKind::Screen => None,
    }
}

/// What is wrong and what to do about it.
pub fn why(kind: CaptureKind, error: CaptureError) -> &'static str {
    let Some(words) = device_words(kind) else {
        return why_no_screen(error);
    };
    match error {
        CaptureError::NotAllowed => words.not_allowed,
        CaptureError::NotFound => words.not_found,
        CaptureError::NotReadable => words.not_readable,
        CaptureError::Overconstrained => words.overconstrained,
        CaptureError::Insecure => words.insecure,
        CaptureError::Other => words.failed,
    }
}

fn why_no_screen(error: CaptureError) -> &'static str {
    let words = &words().screen;
    match error {
        CaptureError::NotAllowed => words.not_allowed,
        CaptureError::Insecure => words.insecure,
        CaptureError::NotFound
        | CaptureError::NotReadable
        | CaptureError::Overconstrained
        | CaptureError::Other => words.failed,
    }
}

/// Whether asking again can help.
pub const fn can_retry(error: CaptureError) -> bool {
    !matches!(error, CaptureError::Insecure)
}

/// The pickers and the test sound.
pub fn pickers() -> El {
    let runtime = use_runtime();
    let speaker = runtime.can_choose_speaker().then(|| {
        let options = || {
            options(
                None,
                &use_runtime().speaker().get().unwrap_or_default(),
                words().speaker_unnamed,
            )
        };
        picker(words().speaker, options, move |id| {
            runtime.choose_speaker(some(id))
        })
    });
    el_class("div", "devices")
        .attr("id", "devices")
        .child(camera_picker())
        .child(microphone_picker())
        .children(speaker)
        .child(
            button("button", move || runtime.play_test_sound())
                .child(icon(Icon::Speaker))
                .text(words().play_test_sound),
        )
        .child(mirror())
        .child(privacy())
        .children(looks())
}

/// The switch that keeps one's address to oneself, and the warning where that cannot be.
pub fn privacy() -> El {
    let (words, runtime) = (words(), use_runtime());
    let (hides, lacks) = (runtime.hides_address(), runtime.lacks_relay());
    let hide = switch(
        "hide-address-hint",
        [words.hide_address, words.hide_address_hint],
        move || hides.get(),
        move || runtime.hide_address(!hides.get_untracked()),
    );
    el_class("div", "privacy")
        .child(hide)
        .slot(move || lacks.get().then(no_relay))
}

/// The switch of the own picture.
fn mirror() -> El {
    let (words, runtime) = (words(), use_runtime());
    let mirrors = runtime.choice(Choice::MirrorOwn);
    switch(
        "mirror-hint",
        [words.mirror, words.mirror_hint],
        move || mirrors.get(),
        move || runtime.choose(Choice::MirrorOwn, !mirrors.get_untracked()),
    )
}

/// What is said where somebody hides and nobody can be reached.
pub fn no_relay() -> El {
    el_class("div", "note")
        .attr("role", "alert")
        .child(icon(Icon::Warning))
        .child(el_class("p", "").text(words().no_relay))
}

fn camera_picker() -> El {
    capture_picker(CaptureKind::Camera, &words().camera, |me| &me.chosen_camera)
}

fn microphone_picker() -> El {
    capture_picker(CaptureKind::Microphone, &words().microphone, |me| {
        &me.chosen_microphone
    })
}

fn capture_picker(kind: CaptureKind, words: &'static DeviceWords, chosen: fn(&Me) -> &Option<String>) -> El {
    let runtime = use_runtime();
    let me = runtime.me();
    let picked = move || {
        me.with(|me| {
            let chosen = chosen(me);
            // What is in use is the better answer to "which one?".
            match me.capture(kind) {
                CaptureState::On { device, .. } => device.clone(),
                CaptureState::Off | CaptureState::Starting | CaptureState::Failed(_) => {
                    chosen.clone().unwrap_or_default()
                }
            }
        })
    };
    let options = move || options(Some(kind), &picked(), words.unnamed);
    picker(words.picker, options, move |id| {
        runtime.choose_device(kind, some(id));
    })
}

/// The system's choice, then every device of the kind.
fn options(kind: Option<CaptureKind>, picked: &str, unnamed: i18n::With) -> Vec<PickerOption> {
    let mut options = vec![PickerOption {
        value: String::new(),
        label: words().default_device.to_owned(),
        is_picked: picked.is_empty(),
    }];
    use_runtime().devices().with(|devices| {
        let listed = devices
            .iter()
            .filter(|device| device.kind == kind && !ALIASES.contains(&device.id.as_str()));
        for (index, device) in listed.enumerate() {
            let label = match device.label.as_str() {
                "" => unnamed.fill(&(index + 1).to_string()),
                label => label.to_owned(),
            };
            options.push(PickerOption {
                value: device.id.clone(),
                label,
                is_picked: device.id == picked,
            });
        }
    });
    options
}

fn some(id: String) -> Option<String> {
    Some(id).filter(|id| !id.is_empty())
}
