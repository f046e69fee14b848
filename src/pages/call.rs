//! The call: tiles, controls, and what is said.

use leptos::html;
use leptos::prelude::*;
use visavis_call_core::{CaptureKind, CaptureState, LinkId, Person, Slot};
use visavis_protocol::SeatId;
use wasm_bindgen::JsValue;
use web_sys::PointerEvent;

use super::prejoin::capture_toggle;
use super::status::{Reach, notice, reach, status};
use crate::components::{
    DialogRef, Face, Icon, InviteWords, Look, Mark, Place, Toasts, Tone, dialog, heading, icon, invite, tile,
};
use crate::i18n::words;
use crate::layout::{Arrangement, arrange};
use crate::route::RoomLink;
use crate::runtime::{Runtime, use_runtime};

/// A movement within this time of the last one does not begin the controls' rest anew.
const STIR_EVERY_MS: f64 = 500.0;

/// The call of a room.
pub fn view(link: &RoomLink) -> AnyView {
    let runtime = use_runtime();
    runtime.set_title(&words().title_in_call.fill(link.name()));
    let people = runtime.people();
    let is_alone = Memo::new(move |_| people.with(Vec::is_empty));
    let toasts = Toasts::new();
    let url = StoredValue::new(link.url(&runtime.origin()));
    let copy = Callback::new(move |()| {
        url.with_value(|url| {
            runtime.copy(url, move |copied| {
                if copied {
                    toasts.say(Tone::Polite, words().link_copied.to_owned());
                } else {
                    toasts.say(Tone::Error, words().link_not_copied.to_owned());
                }
            });
        });
    });

    // Every movement begins the rest of the controls anew, by changing which animation runs.
    let stir = RwSignal::new(false);
    let last_stir = StoredValue::new(0.0);
    let on_move = move |event: PointerEvent| {
        let now = event.time_stamp();
        if now - last_stir.get_value() > STIR_EVERY_MS {
            last_stir.set_value(now);
            stir.update(|stir| *stir = !*stir);
        }
    };
    let name = link.name().to_owned();
    view! {
        <div
            class="call"
            class:may-rest=move || !is_alone.get()
            data-stir=move || if stir.get() { "1" } else { "0" }
            on:pointermove=on_move
        >
            <header class="call-top">
                {heading(view! { <span dir="auto">{name}</span> })} {status_line(toasts)}
            </header>
            <div class="stage-frame">
                {stage()}
                {move || {
                    is_alone
                        .get()
                        .then(|| {
                            let texts = InviteWords {
                                title: words().alone,
                                hint: words().alone_hint,
                            };
                            let card = url.with_value(|url| invite(texts, url, copy));
                            view! { <div class="stage-middle">{card}</div> }
                        })
                }}
            </div>
            <div class="call-bottom">{controls(is_alone, url, copy)}</div>
        </div>
        {sound()}
    }
    .into_any()
}

/// The status line and what is said of notices, in the page's live regions.
fn status_line(toasts: Toasts) -> AnyView {
    let runtime = use_runtime();
    let (stage, signaling, people) = (runtime.stage(), runtime.signaling(), runtime.people());
    let shown = Memo::new(move |_| people.with(|people| status(stage.get(), signaling.get(), people)));

    let notices = runtime.notices();
    // What was said before this call is no news.
    let already_said = notices.with_untracked(|notices| notices.last().map_or(0, |last| last.number));
    Effect::new(move |said: Option<u64>| {
        let said = said.unwrap_or(already_said);
        notices.with(|notices| {
            for new in notices.iter().filter(|notice| notice.number > said) {
                let (tone, text) = notice(&new.kind);
                toasts.say(tone, text);
            }
            notices.last().map_or(said, |last| last.number.max(said))
        })
    });
    view! {
        <div role="status" class="status-line" class:is-trouble=move || shown.with(|shown| shown.is_trouble)>
            <span class="cut">{move || shown.with(|shown| shown.text.clone())}</span>
            <div class="toasts">{toasts.view(Tone::Polite)}</div>
        </div>
        <div role="alert" class="toasts toasts-errors">
            {toasts.view(Tone::Error)}
        </div>
    }
    .into_any()
}

/// The tiles.
fn stage() -> AnyView {
    let runtime = use_runtime();
    let people = runtime.people();
    let node = NodeRef::<html::Section>::new();
    let size = runtime.size_of(node);
    let seats =
        Memo::new(move |_| people.with(|people| people.iter().map(|person| person.seat).collect::<Vec<_>>()));
    let arrangement = Memo::new(move |_| arrange(size.get(), seats.with(Vec::len)));
    // Tiles glide when somebody comes or goes, and follow at once when the window changes.
    let is_moving = Memo::new(move |last: Option<&(bool, Vec<SeatId>)>| {
        size.track();
        let seats = seats.get();
        (last.is_some_and(|(_, before)| *before != seats), seats)
    });
    let item = move |seat: SeatId| remote_tile(seat, people, seats, arrangement);
    view! {
        <section
            class="stage"
            class:is-moving=move || is_moving.with(|(is_moving, _)| *is_moving)
            aria-label=words().participants
            node_ref=node
        >
            <For each=move || seats.get() key=|seat| *seat children=item />
            {own_tile(arrangement)}
        </section>
    }
    .into_any()
}

fn remote_tile(
    seat: SeatId,
    people: Memo<Vec<Person>>,
    seats: Memo<Vec<SeatId>>,
    arrangement: Memo<Arrangement>,
) -> AnyView {
    let runtime = use_runtime();
    // Somebody who has left is shown as they were until the tile is taken away.
    let person = Memo::new(move |last: Option<&Option<Person>>| {
        let found = people.with(|people| people.iter().find(|person| person.seat == seat).cloned());
        found.or_else(|| last.cloned().flatten())
    });
    let name = Signal::derive(move || of(person, |person| person.name.clone()));
    let link = Memo::new(move |_| of(person, |person| person.link));
    let has_picture = Memo::new(move |_| {
        of(person, |person| {
            person.status.camera && person.receiving[Slot::Camera.index()]
        })
    });
    let marks = Memo::new(move |_| of(person, remote_marks));
    let rect = Memo::new(move |_| {
        let index = seats.with(|seats| seats.iter().position(|other| *other == seat));
        arrangement.with(|arrangement| {
            index
                .and_then(|index| arrangement.others.get(index).copied())
                .unwrap_or_default()
        })
    });
    let face = Face {
        name,
        initial_of: name,
        is_own: false,
        connection: Signal::derive(move || Some(of(person, |person| person.connection).as_str())),
        has_picture: has_picture.into(),
        stream: Signal::derive_local(move || camera_of(runtime, link.get())),
        marks: marks.into(),
        trouble: Signal::derive(move || of(person, trouble)),
    };
    tile(face, Place(rect.into()))
}

/// A part of somebody, or nothing in the moment in which they are gone.
fn of<T: Default>(person: Memo<Option<Person>>, part: fn(&Person) -> T) -> T {
    person
        .with(|person| person.as_ref().map(part))
        .unwrap_or_default()
}

fn camera_of(runtime: Runtime, link: Option<LinkId>) -> Option<JsValue> {
    runtime.stream(link?, Slot::Camera).map(JsValue::from)
}

fn remote_marks(person: &Person) -> Vec<Mark> {
    let mut marks = Vec::new();
    match reach(person) {
        Reach::Reconnecting | Reach::Failed => marks.push(Mark::Reconnecting),
        Reach::Joining | Reach::Here => {}
    }
    if !person.status.microphone {
        marks.push(Mark::MicrophoneOff);
    }
    if !person.status.camera {
        marks.push(Mark::CameraOff);
    }
    marks
}

fn trouble(person: &Person) -> Option<&'static str> {
    match reach(person) {
        Reach::Here => None,
        Reach::Joining => Some(words().connecting),
        Reach::Reconnecting => Some(words().reconnecting_now),
        Reach::Failed => Some(words().connection_failed),
    }
}

fn own_tile(arrangement: Memo<Arrangement>) -> AnyView {
    let runtime = use_runtime();
    let me = runtime.me();
    let stream = runtime.preview_stream();
    let own_name = Memo::new(move |_| me.with(|me| me.name.clone()));
    let has_picture = Memo::new(move |_| me.with(|me| matches!(me.camera, CaptureState::On { .. })));
    let marks = Memo::new(move |_| {
        me.with(|me| {
            let mut marks = Vec::new();
            if !me.microphone.is_wanted() {
                marks.push(Mark::MicrophoneOff);
            }
            if !me.camera.is_wanted() {
                marks.push(Mark::CameraOff);
            }
            marks
        })
    });
    let trouble = Memo::new(move |_| {
        me.with(|me| match (&me.microphone, &me.camera) {
            (CaptureState::On { muted: true, .. }, _) => Some(words().microphone.muted_by_system),
            (_, CaptureState::On { muted: true, .. }) => Some(words().camera.muted_by_system),
            (_, _) => None,
        })
    });
    let face = Face {
        name: Signal::derive(move || own_name.with(|name| words().you.fill(name))),
        initial_of: own_name.into(),
        is_own: true,
        connection: Signal::stored(None),
        has_picture: has_picture.into(),
        stream: Signal::derive_local(move || stream.with(|stream| stream.as_ref().map(JsValue::from))),
        marks: marks.into(),
        trouble: trouble.into(),
    };
    let rect = Memo::new(move |_| arrangement.with(|arrangement| arrangement.own));
    tile(face, Place(rect.into()))
}

/// The toolbar. While alone the invitation in the middle has the link, so it is not here as well.
fn controls(is_alone: Memo<bool>, url: StoredValue<String>, copy: Callback<()>) -> AnyView {
    let words = words();
    let runtime = use_runtime();
    let code = DialogRef::default();
    let copy_and_close = Callback::new(move |()| {
        code.close();
        copy.run(());
    });
    let invite_content = move || {
        let texts = InviteWords {
            title: words.invite,
            hint: words.qr_hint,
        };
        url.with_value(|url| invite(texts, url, copy_and_close))
    };
    let share = move || {
        (!is_alone.get()).then(|| {
            view! {
                <div class="toolbar-group">
                    {round(Icon::Link, words.copy_link, copy)}
                    {round(Icon::Qr, words.show_qr, Callback::new(move |()| code.open()))}
                </div>
            }
        })
    };
    view! {
        <div class="toolbar" role="toolbar" aria-label=words.call_controls>
            <div class="toolbar-group">
                {capture_toggle(CaptureKind::Microphone, Look::Plain)}
                {capture_toggle(CaptureKind::Camera, Look::Plain)}
            </div>
            {share}
            <div class="toolbar-group">
                <button
                    type="button"
                    class="round round-danger"
                    aria-label=words.leave_call
                    title=words.leave_call
                    on:click=move |_| runtime.hang_up()
                >
                    {icon(Icon::Leave)}
                </button>
            </div>
        </div>
        {dialog(code, words.invite, invite_content)}
    }
    .into_any()
}

fn round(sign: Icon, name: &'static str, press: Callback<()>) -> AnyView {
    view! {
        <button type="button" class="round" aria-label=name title=name on:click=move |_| press.run(())>
            {icon(sign)}
        </button>
    }
    .into_any()
}

/// One button for a browser that wants a click before it plays sound.
fn sound() -> AnyView {
    let runtime = use_runtime();
    let is_blocked = runtime.playback_blocked();
    let content = move || {
        is_blocked.get().then(|| {
            view! {
                <div class="sound-blocked" role="alert">
                    <button
                        type="button"
                        class="button button-primary"
                        title=words().sound_blocked
                        on:click=move |_| runtime.unblock_playback()
                    >
                        {icon(Icon::Speaker)}
                        {words().turn_on_sound}
                    </button>
                </div>
            }
        })
    };
    content.into_any()
}
