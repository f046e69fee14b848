//! Before the call: how one looks and sounds, who is inside, and the way in.

use leptos::prelude::*;
use visavis_call_core::{CaptureKind, CaptureState, JoinProblem, SignalingState, Stage};
use wasm_bindgen::JsValue;

use super::devices::{can_retry, pickers, why};
use super::{PersonName, set_title};
use crate::components::dom::{El, button, el, el_class};
use crate::components::{
    Avatar, Field, Icon, Look, brand_link, focus_on_arrival, heading, icon, name_error, name_field, toggle,
};
use crate::i18n::{list_names, words};
use crate::route::RoomLink;
use crate::runtime::use_runtime;

/// Faces shown of those inside; the text names them all the same.
const FACES: usize = 4;

/// The page before joining.
pub fn view(link: &RoomLink) -> El {
    set_title(link.name());
    // Made first: the picker of the language, which takes the focus after a change, has the last word.
    let enter = enter(link);
    el_class("div", "page prejoin")
        .child(el("div").child(brand_link(words().visavis)))
        .child(el_class("div", "prejoin-columns").child(preview()).child(enter))
}

/// The own picture with its toggles, its level and its pickers.
pub fn preview() -> El {
    let words = words();
    let runtime = use_runtime();
    let stream = runtime.preview_stream();
    let video = el("video")
        .attr("autoplay", "")
        .attr("playsinline", "")
        // Firefox would stop at it with every Tab, and it does nothing.
        .attr("tabindex", "-1")
        .live(move |video| {
            // The attribute would only be the default.
            video.set_property("muted", &JsValue::TRUE);
            stream.with(|stream| {
                let source = stream.as_ref().map_or(JsValue::NULL, JsValue::from);
                video.set_property("srcObject", &source);
            });
            video.set_class("is-mirrored", runtime.mirrors_own());
        });
    let are_pickers_shown = RwSignal::new(runtime.is_language_picked());
    let gear = button("round round-veil", move || {
        are_pickers_shown.update(|shown| *shown = !*shown)
    })
    .attr("aria-controls", "devices")
    .live(move |gear| {
        let is_shown = are_pickers_shown.get();
        gear.set_attr("aria-expanded", Some(if is_shown { "true" } else { "false" }));
    })
    .child(icon(Icon::Settings));
    gear.set_label(words.settings);
    let me = runtime.me();
    // A note is made anew when its own device changes, and not with everything else about oneself.
    let (camera, microphone) = (
        Memo::new(move |_| me.with(|me| me.camera.clone())),
        Memo::new(move |_| me.with(|me| me.microphone.clone())),
    );
    let [microphone_toggle, camera_toggle] =
        [CaptureKind::Microphone, CaptureKind::Camera].map(|kind| capture_toggle(kind, Look::Veil));
    let (by_camera, by_microphone) = (camera_toggle.clone(), microphone_toggle.clone());
    let controls = el_class("div", "preview-controls")
        .child(microphone_toggle)
        .child(camera_toggle)
        .child(flip_button("round round-veil flip"))
        .child(gear);
    el_class("section", "prejoin-self")
        .attr("aria-label", words.preview)
        .child(
            el_class("div", "preview")
                .child(video)
                .slot(move || camera.with(|camera| preview_note(camera, &by_camera)))
                .child(controls)
                .child(level()),
        )
        .slot(move || microphone.with(|microphone| microphone_note(microphone, &by_microphone)))
        .slot(move || are_pickers_shown.get().then(pickers))
}

/// A toggle of a kind, wherever it lies.
pub fn capture_toggle(kind: CaptureKind, look: Look) -> El {
    let runtime = use_runtime();
    let me = runtime.me();
    let is_on = move || me.with(|me| me.capture(kind).is_wanted());
    toggle(kind, look, is_on, move |on| runtime.want(kind, on))
}

/// The button that changes to the camera on the other side, where there is one.
pub fn flip_button(class: &str) -> El {
    let runtime = use_runtime();
    let flip = button(class, move || runtime.flip_camera())
        .child(icon(Icon::Flip))
        .live(move |flip| flip.set_flag("hidden", !runtime.can_flip_camera()));
    flip.set_label(words().flip_camera);
    flip
}

/// What stands in the place of the picture while there is none.
fn preview_note(camera: &CaptureState, toggle: &El) -> Option<El> {
    let words = words();
    let note = el_class("div", "preview-note");
    Some(match *camera {
        CaptureState::On { .. } => return None,
        CaptureState::Off => note.child(el("p").text(words.camera.is_off)),
        CaptureState::Starting => note.child(el("p").text(words.camera.starting)),
        CaptureState::Failed(error) => {
            let text = [why(CaptureKind::Camera, error), words.join_anyway].join(" ");
            note.child(el("p").attr("role", "alert").text(&text))
                .children(can_retry(error).then(|| again(CaptureKind::Camera, toggle)))
        }
    })
}

/// What is wrong with the microphone, under the picture.
fn microphone_note(microphone: &CaptureState, toggle: &El) -> Option<El> {
    let (text, retry) = match *microphone {
        CaptureState::Failed(error) => (
            why(CaptureKind::Microphone, error),
            can_retry(error).then(|| again(CaptureKind::Microphone, toggle)),
        ),
        CaptureState::On { muted: true, .. } => (words().microphone.muted_by_system, None),
        CaptureState::On { .. } | CaptureState::Off | CaptureState::Starting => return None,
    };
    Some(
        el_class("div", "note")
            .attr("role", "alert")
            .child(icon(Icon::MicrophoneOff))
            .child(el("p").text(text))
            .children(retry),
    )
}

/// Tries once more. The button goes with the note that it is in, so the focus goes to the toggle of the
/// same device, which stays.
fn again(kind: CaptureKind, toggle: &El) -> El {
    let (runtime, toggle) = (use_runtime(), toggle.clone());
    button("button button-small", move || {
        toggle.focus();
        runtime.want(kind, true);
    })
    .text(words().try_again)
}

/// The microphone's level as the preview's edge.
fn level() -> El {
    let level = use_runtime().level();
    let bar = el("i");
    el_class("div", "level")
        .attr("role", "meter")
        .attr("aria-label", words().microphone_level)
        .attr("aria-valuemin", "0")
        .attr("aria-valuemax", "100")
        .child(bar.clone())
        .live(move |meter| {
            let percent = ((level.get().clamp(0.0, 1.0) * 100.0) as u32).to_string();
            meter.set_attr("aria-valuenow", Some(&percent));
            bar.set_style("--level", &percent);
        })
}

/// The room, who is inside, and the way in.
fn enter(link: &RoomLink) -> El {
    let words = words();
    let runtime = use_runtime();
    let PersonName(name) = expect_context();
    let stage = runtime.stage();
    let (sign, kind) = if link.has_secret() {
        (Icon::Lock, words.room_locked)
    } else {
        (Icon::Open, words.room_open)
    };
    let head = el_class("div", "room-head")
        .child(heading(link.name()))
        .child(el_class("p", "room-kind").child(icon(sign)).text(kind));

    let field = name_field(name);
    let join = el_class("button", "button button-primary button-large").live(move |join| {
        let is_joining = stage.get() == Stage::Joining;
        join.set_attr("aria-disabled", is_joining.then_some("true"));
        join.set_text(if is_joining { words.joining } else { words.join_now });
    });
    // Enter alone is to be enough: into the field if the name is missing, else onto the button.
    focus_on_arrival(&if field.text().is_empty() {
        field.input()
    } else {
        join.clone()
    });

    let (typed, moving) = (field.clone(), field.clone());
    let form = el_class("form", "form")
        .attr("novalidate", "")
        .on("submit", move |event| {
            event.prevent_default();
            if stage.get_untracked() != Stage::Joining
                && let Err(error) = runtime.join(&typed.text())
            {
                typed.set_error(Some(name_error(error)));
            }
        })
        .child(field.whole)
        .slot(move || runtime.is_elsewhere().get().then(|| elsewhere(&moving)))
        .child(join)
        .child(el("div").attr("role", "alert").slot(move || problem(stage.get())));
    el_class("section", "prejoin-enter")
        .child(head)
        .child(inside())
        .child(form)
}

/// What is said in a duplicate of a tab that is in this call.
fn elsewhere(field: &Field) -> El {
    let (words, runtime) = (words(), use_runtime());
    let typed = field.clone();
    let go_on = button("button button-small", move || {
        if let Err(error) = runtime.move_here(&typed.text()) {
            typed.set_error(Some(name_error(error)));
        }
    })
    .attr("type", "button")
    .text(words.move_here);
    el_class("div", "note")
        .attr("role", "status")
        .child(icon(Icon::People))
        .child(el("p").text(words.open_elsewhere))
        .child(go_on)
}

/// Why the last try to join did not succeed.
fn problem(stage: Stage) -> Option<El> {
    let Stage::Preparing {
        problem: Some(problem),
    } = stage
    else {
        return None;
    };
    let words = words();
    let host = words.host;
    let word = use_runtime().hosting().with(|hosting| hosting.word.clone());
    let text = match problem {
        JoinProblem::RoomFull => words.room_full,
        JoinProblem::ServerFull => words.server_full,
        JoinProblem::InvalidName => words.invalid_name,
        JoinProblem::RateLimited => words.rate_limited,
        JoinProblem::Other => words.join_failed,
        JoinProblem::Locked => host.locked,
        JoinProblem::Declined => {
            &word.map_or(host.declined.to_owned(), |word| host.declined_with.fill(&word))
        }
        JoinProblem::Moved => host.moved,
        JoinProblem::TooManyWaiting => host.too_many,
    };
    Some(
        el_class("div", "note")
            .child(icon(Icon::Warning))
            .child(el("p").text(text)),
    )
}

/// Who is inside, as far as is known.
fn inside() -> El {
    let runtime = use_runtime();
    let (inside, signaling, hosting) = (runtime.inside(), runtime.signaling(), runtime.hosting());
    let text = move || {
        let words = words();
        if let SignalingState::Waiting { .. } = signaling.get() {
            return words.server_unreachable.to_owned();
        }
        let is_locked = hosting.with(|hosting| hosting.is_shut.then_some(hosting.gate.locked));
        if let Some(is_locked) = is_locked {
            let host = words.host;
            return if is_locked { host.locked } else { host.shut }.to_owned();
        }
        inside.with(|inside| match inside.as_deref() {
            None => words.inside_unknown.to_owned(),
            Some([]) => words.inside_nobody.to_owned(),
            Some([one]) => words.inside_one.fill(one),
            Some(names) => words.inside_many.fill(&list_names(names)),
        })
    };
    let faces = move |place: &El| {
        place.set_only_child(None);
        for name in inside.get().iter().flatten().take(FACES) {
            place.put(&Avatar::of(name).el());
        }
    };
    el_class("div", "inside")
        .child(el_class("span", "inside-faces").live(faces))
        .child(el("p").attr("role", "status").live_text(text))
}
