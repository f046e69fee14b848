//! The call: tiles, controls, and what is said.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::{CaptureKind, CaptureState, Me, Person, Slot};
use visavis_protocol::SeatId;
use wasm_bindgen::JsValue;

use super::devices::{no_relay, pickers};
use super::prejoin::capture_toggle;
use super::status::{Reach, notice, reach, status};
use crate::components::dom::{El, button, each, el, el_class, live};
use crate::components::{
    Dialog, Face, Icon, InviteWords, Look, Mark, Tile, Toasts, Tone, heading, icon, invite,
};
use crate::i18n::words;
use crate::layout::arrange;
use crate::route::RoomLink;
use crate::runtime::{Runtime, use_runtime};

/// A movement within this time of the last one does not begin the controls' rest anew.
const STIR_EVERY_MS: f64 = 500.0;

/// The call of a room.
pub fn view(link: &RoomLink) -> El {
    let runtime = use_runtime();
    runtime.set_title(&words().title_in_call.fill(link.name()));
    let people = runtime.people();
    let is_alone = Memo::new(move |_| people.with(Vec::is_empty));
    let toasts = Toasts::new();
    let share = Share {
        runtime,
        url: link.url(&runtime.origin()).into(),
        toasts: toasts.clone(),
    };

    let call = el_class("div", "call");
    rest(&call);
    let top = el_class("header", "call-top")
        .child(heading(link.name()))
        .child(status_line(&toasts));
    let alone = share.clone();
    let middle = el_class("div", "stage-frame").child(stage()).slot(move || {
        is_alone.get().then(|| {
            let texts = InviteWords {
                title: words().alone,
                hint: words().alone_hint,
            };
            el_class("div", "stage-middle").child(alone.invite(texts, || {}))
        })
    });
    let bottom = el_class("div", "call-bottom").child(controls(is_alone, share));
    call.live(move |call| call.set_class("may-rest", !is_alone.get()))
        .child(top)
        .child(middle)
        .child(bottom)
        .child(el("div").attr("role", "alert").child(toasts.place(Tone::Error)))
        .slot(sound)
        .slot(move || {
            runtime
                .lacks_relay()
                .get()
                .then(|| el_class("div", "call-warning").child(no_relay()))
        })
}

/// Begins the rest of the controls anew at every movement, by changing which animation runs.
fn rest(call: &El) {
    let (last, is_odd) = (Cell::new(0.0), Cell::new(false));
    let stirred = call.clone();
    call.clone().on("pointermove", move |event| {
        let now = event.time_stamp();
        if now - last.get() > STIR_EVERY_MS {
            last.set(now);
            is_odd.set(!is_odd.get());
            stirred.set_attr("data-stir", Some(if is_odd.get() { "1" } else { "0" }));
        }
    });
    call.set_attr("data-stir", Some("0"));
}

/// The room's link and what one does with it.
#[derive(Clone)]
struct Share {
    runtime: Runtime,
    url: Rc<str>,
    toasts: Toasts,
}

impl Share {
    fn copy(&self) {
        let toasts = self.toasts.clone();
        self.runtime.copy(&self.url, move |is_copied| {
            if is_copied {
                toasts.say(Tone::Polite, words().link_copied.to_owned());
            } else {
                toasts.say(Tone::Error, words().link_not_copied.to_owned());
            }
        });
    }

    /// The link with its code. `copied` runs after a click on "Copy link".
    fn invite(&self, texts: InviteWords, copied: impl Fn() + 'static) -> El {
        let share = self.clone();
        invite(texts, &self.url, move || {
            share.copy();
            copied();
        })
    }
}

/// The status line and what is said of notices, in one live region.
fn status_line(toasts: &Toasts) -> El {
    let runtime = use_runtime();
    let (stage, signaling, people, notices) = (
        runtime.stage(),
        runtime.signaling(),
        runtime.people(),
        runtime.notices(),
    );
    // What was said before this call is no news.
    let said = Cell::new(notices.with_untracked(|notices| notices.last().map_or(0, |last| last.number)));
    let say = toasts.clone();
    live(move || {
        notices.with(|notices| {
            for new in notices.iter().filter(|notice| notice.number > said.get()) {
                said.set(new.number);
                if let Some((tone, text)) = notice(&new.kind) {
                    say.say(tone, text);
                }
            }
        });
    });
    let (duplicates, tell) = (runtime.duplicates(), toasts.clone());
    live(move || {
        if duplicates.get() > 0 {
            tell.say(Tone::Polite, words().also_open.to_owned());
        }
    });
    let line = el_class("span", "cut");
    el_class("div", "status-line")
        .attr("role", "status")
        .child(line.clone())
        .child(toasts.place(Tone::Polite))
        .live(move |region| {
            let status = people.with(|people| status(stage.get(), signaling.get(), people));
            region.set_class("is-trouble", status.is_trouble);
            line.set_text(&status.text);
        })
}

/// The tiles.
fn stage() -> El {
    let runtime = use_runtime();
    let people = runtime.people();
    let stage = el_class("section", "stage").attr("aria-label", words().participants);
    let size = runtime.size_of(stage.element());
    let own = own_tile();
    stage.put(&own.el());

    let seats =
        Memo::new(move |_| people.with(|people| people.iter().map(|person| person.seat).collect::<Vec<_>>()));
    let others: Rc<RefCell<Vec<(SeatId, Tile)>>> = Rc::default();
    let made = Rc::clone(&others);
    each(
        &stage,
        &own.el(),
        move || seats.get(),
        move |seat| {
            let tile = remote_tile(seat);
            let element = tile.el();
            made.borrow_mut().push((seat, tile));
            element
        },
    );
    let seated = RefCell::new(seats.get_untracked());
    stage.live(move |stage| {
        let (size, seats) = (size.get(), seats.get());
        let mut others = others.borrow_mut();
        others.retain(|(seat, _)| seats.contains(seat));
        // Tiles glide when somebody comes or goes, and follow at once when the window changes.
        stage.set_class("is-moving", seated.replace(seats.clone()) != seats);
        let places = arrange(size, seats.len());
        for (seat, place) in seats.iter().zip(places.others) {
            if let Some((_, tile)) = others.iter().find(|(other, _)| other == seat) {
                tile.place(place);
            }
        }
        own.place(places.own);
    })
}

fn remote_tile(seat: SeatId) -> Tile {
    let runtime = use_runtime();
    let people = runtime.people();
    let tile = Tile::new(false);
    let shown = tile.clone();
    // A stream is asked for once for each connection.
    let link = Cell::new(None);
    live(move || {
        people.with(|people| {
            // Somebody who has left is shown as they were until the tile is taken away.
            let Some(person) = people.iter().find(|person| person.seat == seat) else {
                return;
            };
            shown.show(remote_face(person));
            if link.replace(person.link) != person.link {
                let stream = person.link.and_then(|link| runtime.stream(link, Slot::Camera));
                shown.set_stream(stream.map(JsValue::from));
            }
        });
    });
    tile
}

fn own_tile() -> Tile {
    let runtime = use_runtime();
    let (me, stream) = (runtime.me(), runtime.preview_stream());
    let tile = Tile::new(true);
    let shown = tile.clone();
    live(move || {
        shown.show(me.with(own_face));
        shown.set_stream(stream.with(|stream| stream.as_ref().map(JsValue::from)));
    });
    tile
}

fn remote_face(person: &Person) -> Face {
    let reach = reach(person);
    let is_lost = matches!(reach, Reach::Reconnecting | Reach::Failed);
    Face {
        name: person.name.clone(),
        connection: Some(person.connection.as_str()),
        has_picture: person.status.camera && person.receiving[Slot::Camera.index()],
        marks: marks(is_lost, person.status.microphone, person.status.camera)
            .into_iter()
            .chain(person.relayed.map(way))
            .collect(),
        trouble: match reach {
            Reach::Here => stuck(person),
            Reach::Joining => Some(words().connecting),
            Reach::Reconnecting => Some(words().reconnecting_now),
            Reach::Failed => Some(words().connection_failed),
        },
    }
}

const fn way(is_relayed: bool) -> Mark {
    if is_relayed { Mark::Relayed } else { Mark::Direct }
}

/// What does not arrive although the connection stands.
fn stuck(person: &Person) -> Option<&'static str> {
    match person.frozen {
        [true, ..] => Some(words().sound_stuck),
        [_, true, _] | [.., true] => Some(words().picture_stuck),
        [false, false, false] => None,
    }
}

fn own_face(me: &Me) -> Face {
    let is_muted = |state: &CaptureState| matches!(state, CaptureState::On { muted: true, .. });
    let microphone = is_muted(&me.microphone).then_some(words().microphone.muted_by_system);
    let camera = is_muted(&me.camera).then_some(words().camera.muted_by_system);
    Face {
        name: me.name.clone(),
        connection: None,
        has_picture: matches!(me.camera, CaptureState::On { .. }),
        marks: marks(false, me.microphone.is_wanted(), me.camera.is_wanted()),
        trouble: microphone.or(camera),
    }
}

fn marks(is_lost: bool, has_microphone: bool, has_camera: bool) -> Vec<Mark> {
    let lost = is_lost.then_some(Mark::Reconnecting);
    let microphone = (!has_microphone).then_some(Mark::MicrophoneOff);
    let camera = (!has_camera).then_some(Mark::CameraOff);
    [lost, microphone, camera].into_iter().flatten().collect()
}

/// The toolbar. While alone the invitation in the middle has the link, so it is not here as well.
fn controls(is_alone: Memo<bool>, share: Share) -> El {
    let words = words();
    let runtime = use_runtime();
    let code = Dialog::new(words.invite);
    let (shared, opened, closed) = (share.clone(), code.clone(), code.clone());
    let dialog = code.with(move || {
        let texts = InviteWords {
            title: words.invite,
            hint: words.qr_hint,
        };
        let closed = closed.clone();
        shared.invite(texts, move || closed.close())
    });
    let settings = Dialog::new(words.settings);
    let opening = settings.clone();
    let settings = settings.with(|| {
        el_class("div", "settings")
            .child(el_class("h2", "dialog-title").text(words.settings))
            .child(pickers())
    });
    let group = || el_class("div", "toolbar-group");
    let sharing = move || {
        let (share, opened) = (share.clone(), opened.clone());
        (!is_alone.get()).then(|| {
            group()
                .child(round(Icon::Link, words.copy_link, move || share.copy()))
                .child(round(Icon::Qr, words.show_qr, move || opened.open()))
        })
    };
    let leave = button("round round-danger", move || runtime.hang_up()).child(icon(Icon::Leave));
    leave.set_label(words.leave_call);
    let toolbar = el_class("div", "toolbar")
        .attr("role", "toolbar")
        .attr("aria-label", words.call_controls)
        .child(
            group()
                .child(capture_toggle(CaptureKind::Microphone, Look::Plain))
                .child(capture_toggle(CaptureKind::Camera, Look::Plain)),
        )
        .slot(sharing)
        .child(group().child(round(Icon::Settings, words.settings, move || opening.open())))
        .child(group().child(leave));
    el_class("div", "slot")
        .child(toolbar)
        .child(dialog)
        .child(settings)
}

fn round(sign: Icon, name: &str, press: impl Fn() + 'static) -> El {
    let round = button("round", press).child(icon(sign));
    round.set_label(name);
    round
}

/// One button for a browser that wants a click before it plays sound.
fn sound() -> Option<El> {
    let runtime = use_runtime();
    runtime.playback_blocked().get().then(|| {
        el_class("div", "sound-blocked").attr("role", "alert").child(
            button("button button-primary", move || runtime.unblock_playback())
                .attr("title", words().sound_blocked)
                .child(icon(Icon::Speaker))
                .text(words().turn_on_sound),
        )
    })
}
