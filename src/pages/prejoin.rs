//! Before the call: how one looks and sounds, who is inside, and the way in.

use leptos::html;
use leptos::prelude::*;
use visavis_call_core::{CaptureKind, CaptureState, JoinProblem, SignalingState, Stage};
use wasm_bindgen::JsValue;
use web_sys::SubmitEvent;

use super::devices::{can_retry, pickers, why};
use super::{PersonName, set_title};
use crate::components::{
    Icon, Look, avatar, brand_link, focus_when_shown, heading, icon, name_error, name_field, toggle,
};
use crate::i18n::{list_names, words};
use crate::route::RoomLink;
use crate::runtime::use_runtime;

/// Faces shown of those inside; the text names them all the same.
const FACES: usize = 4;

/// The page before joining.
pub fn view(link: &RoomLink) -> AnyView {
    set_title(link.name());
    view! {
        <div class="page prejoin">
            <div>{brand_link(words().visavis)}</div>
            <div class="prejoin-columns">{preview()} {enter(link)}</div>
        </div>
    }
    .into_any()
}

/// The own picture with its toggles, its level and its pickers.
fn preview() -> AnyView {
    let words = words();
    let runtime = use_runtime();
    let stream = runtime.preview_stream();
    let source = move || stream.with(|stream| stream.as_ref().map(JsValue::from));
    let are_pickers_shown = RwSignal::new(false);
    view! {
        <section class="prejoin-self" aria-label=words.preview>
            <div class="preview">
                <video autoplay playsinline prop:muted=true prop:srcObject=source></video>
                {preview_note()}
                <div class="preview-controls">
                    {capture_toggle(CaptureKind::Microphone, Look::Veil)}
                    {capture_toggle(CaptureKind::Camera, Look::Veil)}
                    <button
                        type="button"
                        class="round round-veil"
                        aria-label=words.device_settings
                        title=words.device_settings
                        aria-expanded=move || if are_pickers_shown.get() { "true" } else { "false" }
                        aria-controls="devices"
                        on:click=move |_| are_pickers_shown.update(|shown| *shown = !*shown)
                    >
                        {icon(Icon::Settings)}
                    </button>
                </div>
                {level()}
            </div>
            {microphone_note()}
            {move || are_pickers_shown.get().then(pickers)}
        </section>
    }
    .into_any()
}

/// A toggle of a kind, wherever it lies.
pub fn capture_toggle(kind: CaptureKind, look: Look) -> AnyView {
    let runtime = use_runtime();
    let me = runtime.me();
    let is_on = Memo::new(move |_| me.with(|me| me.capture(kind).is_wanted()));
    toggle(
        kind,
        is_on.into(),
        look,
        Callback::new(move |on| runtime.want(kind, on)),
    )
}

/// What stands in the place of the picture while there is none.
fn preview_note() -> AnyView {
    let runtime = use_runtime();
    let me = runtime.me();
    let camera = Memo::new(move |_| me.with(|me| me.camera.clone()));
    let again = move |_| runtime.want(CaptureKind::Camera, true);
    let content = move || {
        let words = words();
        let note = match camera.get() {
            CaptureState::On { .. } => return None,
            CaptureState::Off => view! { <p>{words.camera.is_off}</p> }.into_any(),
            CaptureState::Starting => view! { <p>{words.camera.starting}</p> }.into_any(),
            CaptureState::Failed(error) => view! {
                <p role="alert">{why(CaptureKind::Camera, error)} " " {words.join_anyway}</p>
                {can_retry(error)
                    .then(|| {
                        view! {
                            <button type="button" class="button button-small" on:click=again>
                                {words.try_again}
                            </button>
                        }
                    })}
            }
            .into_any(),
        };
        Some(view! { <div class="preview-note">{note}</div> })
    };
    content.into_any()
}

/// What is wrong with the microphone, under the picture.
fn microphone_note() -> AnyView {
    let runtime = use_runtime();
    let me = runtime.me();
    let trouble = Memo::new(move |_| {
        me.with(|me| match &me.microphone {
            CaptureState::Failed(error) => Some((why(CaptureKind::Microphone, *error), can_retry(*error))),
            CaptureState::On { muted: true, .. } => Some((words().microphone.muted_by_system, false)),
            CaptureState::On { .. } | CaptureState::Off | CaptureState::Starting => None,
        })
    });
    let again = move |_| runtime.want(CaptureKind::Microphone, true);
    let content = move || {
        trouble.get().map(|(text, can_retry)| {
            view! {
                <div class="note" role="alert">
                    {icon(Icon::MicrophoneOff)}
                    <p>{text}</p>
                    {can_retry
                        .then(|| {
                            view! {
                                <button type="button" class="button button-small" on:click=again>
                                    {words().try_again}
                                </button>
                            }
                        })}
                </div>
            }
        })
    };
    content.into_any()
}

/// The microphone's level as the preview's edge.
fn level() -> AnyView {
    let level = use_runtime().level();
    let percent = Memo::new(move |_| (level.get().clamp(0.0, 1.0) * 100.0) as u32);
    view! {
        <div
            class="level"
            role="meter"
            aria-label=words().microphone_level
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || percent.get()
        >
            <i style:--level=move || percent.get().to_string()></i>
        </div>
    }
    .into_any()
}

/// The room, who is inside, and the way in.
fn enter(link: &RoomLink) -> AnyView {
    let words = words();
    let runtime = use_runtime();
    let PersonName(name) = expect_context();
    let wrong_name = RwSignal::new(None);
    let name_node = NodeRef::<html::Input>::new();
    let button = NodeRef::<html::Button>::new();
    let title = link.name().to_owned();
    let (sign, kind) = if link.has_secret() {
        (Icon::Lock, words.room_locked)
    } else {
        (Icon::Open, words.room_open)
    };
    let stage = runtime.stage();
    let is_joining = move || stage.get() == Stage::Joining;
    let problem = move || match stage.get() {
        Stage::Preparing { problem } => problem.map(join_problem),
        Stage::Outside | Stage::Joining | Stage::Joined | Stage::Ended(_) => None,
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if stage.get_untracked() == Stage::Joining {
            return;
        }
        if let Err(error) = name.with_untracked(|name| runtime.join(name)) {
            wrong_name.set(Some(name_error(error)));
            if let Some(input) = name_node.get_untracked() {
                // Fails for no element that is in the page.
                _ = input.focus();
            }
        }
    };
    let content = view! {
        <section class="prejoin-enter">
            <div class="room-head">
                {heading(view! { <span dir="auto">{title}</span> })}
                <p class="room-kind">{icon(sign)} {kind}</p>
            </div>
            {inside()}
            <form class="form" novalidate on:submit=submit>
                {name_field(name, wrong_name, name_node)}
                <button
                    class="button button-primary button-large"
                    aria-disabled=move || is_joining().then_some("true")
                    node_ref=button
                >
                    {move || if is_joining() { words.joining } else { words.join_now }}
                </button>
                <div role="alert">{move || problem().map(|text| view! { <p class="note">{icon(Icon::Warning)} {text}</p> })}</div>
            </form>
        </section>
    };
    // Enter alone is to be enough: into the field if the name is missing, else onto the button.
    if name.with_untracked(String::is_empty) {
        focus_when_shown(name_node);
    } else {
        focus_when_shown(button);
    }
    content.into_any()
}

fn join_problem(problem: JoinProblem) -> &'static str {
    let words = words();
    match problem {
        JoinProblem::RoomFull => words.room_full,
        JoinProblem::ServerFull => words.server_full,
        JoinProblem::InvalidName => words.invalid_name,
        JoinProblem::RateLimited => words.rate_limited,
        JoinProblem::Other => words.join_failed,
    }
}

/// Who is inside, as far as is known.
fn inside() -> AnyView {
    let runtime = use_runtime();
    let (inside, signaling) = (runtime.inside(), runtime.signaling());
    let text = move || {
        let words = words();
        if let SignalingState::Waiting { .. } = signaling.get() {
            return words.server_unreachable.to_owned();
        }
        inside.with(|inside| match inside.as_deref() {
            None => words.inside_unknown.to_owned(),
            Some([]) => words.inside_nobody.to_owned(),
            Some([one]) => words.inside_one.fill(one),
            Some(names) => words.inside_many.fill(&list_names(names)),
        })
    };
    let faces = move || {
        inside
            .get()
            .unwrap_or_default()
            .into_iter()
            .take(FACES)
            .map(|name| avatar(Signal::stored(name)))
            .collect_view()
    };
    view! {
        <div class="inside">
            <span class="inside-faces">{faces}</span>
            <p role="status">{text}</p>
        </div>
    }
    .into_any()
}
