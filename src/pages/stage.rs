//! The stage: a tile for everybody and for every shared screen, each in its place.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::{CaptureState, Me, Person, Slot};
use visavis_protocol::SeatId;
use wasm_bindgen::{JsCast, JsValue};

use super::status::{Reach, reach};
use crate::components::dom::{El, each, el_class, live};
use crate::components::{Face, Mark, Tile, TileKind};
use crate::i18n::words;
use crate::layout::{Fit, GAP_PX, Rect, Size, Spotlight, arrange};
use crate::runtime::{Shot, use_runtime};

/// What a tile is about. The own camera's is always there and needs no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// Somebody's screen.
    Screen(SeatId),
    /// One's own screen.
    OwnScreen,
    /// Somebody.
    Person(SeatId),
}

/// The tiles.
pub fn stage() -> El {
    let runtime = use_runtime();
    let people = runtime.people();
    let stage = el_class("section", "stage").attr("aria-label", words().participants);
    let size = runtime.size_of(stage.element());
    let own = own_tile();
    stage.put(&own.el());

    let subjects = subjects();
    let others: Rc<RefCell<Vec<(Subject, Tile)>>> = Rc::default();
    let made = Rc::clone(&others);
    each(
        &stage,
        &own.el(),
        move || subjects.get(),
        move |subject| {
            let tile = match subject {
                Subject::Screen(seat) => screen_tile(seat),
                Subject::OwnScreen => own_screen_tile(),
                Subject::Person(seat) => remote_tile(seat),
            };
            let element = tile.el();
            made.borrow_mut().push((subject, tile));
            element
        },
    );
    let filmed = (Rc::clone(&others), own.clone());
    runtime.show_scene(move |size| {
        let subjects = subjects.try_get_untracked().unwrap_or_default();
        shots(size, &subjects, &filmed.0.borrow(), &filmed.1)
    });
    let is_alone = Memo::new(move |_| people.with(Vec::is_empty));
    let seated = RefCell::new(subjects.get_untracked());
    stage.live(move |stage| {
        let (size, subjects, is_alone) = (size.get(), subjects.get(), is_alone.get());
        let mut others = others.borrow_mut();
        others.retain(|(subject, _)| subjects.contains(subject));
        // Tiles glide when somebody comes or goes, and follow at once when the window changes.
        stage.set_class("is-moving", seated.replace(subjects.clone()) != subjects);
        let (places, own_place) = places(size, &subjects, is_alone);
        for (subject, place) in subjects.iter().zip(places) {
            if let Some((_, tile)) = others.iter().find(|(other, _)| other == subject) {
                tile.place(place);
            }
        }
        own.place(own_place);
    })
}

/// What there are tiles for: screens first, the one shared last before the others, then everybody.
fn subjects() -> Memo<Vec<Subject>> {
    let runtime = use_runtime();
    let (people, me) = (runtime.people(), runtime.me());
    // Who shared first stays first, whatever the order in which people came.
    let screens = Memo::new(move |before: Option<&Vec<SeatId>>| {
        people.with(|people| {
            let shares = |seat: &SeatId| {
                let person = people.iter().find(|person| person.seat == *seat);
                person.is_some_and(|person| person.status.screen)
            };
            let kept = before.into_iter().flatten().copied().filter(shares);
            let mut screens: Vec<SeatId> = kept.collect();
            for person in people {
                if shares(&person.seat) && !screens.contains(&person.seat) {
                    screens.push(person.seat);
                }
            }
            screens
        })
    });
    Memo::new(move |_| {
        let is_shared = me.with(|me| matches!(me.screen, CaptureState::On { .. }));
        let mut subjects: Vec<Subject> =
            screens.with(|screens| screens.iter().rev().copied().map(Subject::Screen).collect());
        people.with(|people| {
            // Alone, nobody sees what is shared, and the middle belongs to the invitation.
            if is_shared && !people.is_empty() {
                subjects.push(Subject::OwnScreen);
            }
            subjects.extend(people.iter().map(|person| Subject::Person(person.seat)));
        });
        subjects
    })
}

/// Where they lie, and the own tile: the last screen that somebody shared is large.
fn places(size: Size, subjects: &[Subject], is_alone: bool) -> (Vec<Rect>, Rect) {
    let mut places = if !is_alone && matches!(subjects.first(), Some(Subject::Screen(_))) {
        let Spotlight { large, mut small } = Spotlight::new(size, subjects.len(), GAP_PX);
        small.insert(0, large);
        small
    } else {
        let places = arrange(size, subjects.len());
        places.others.into_iter().chain([places.own]).collect()
    };
    let own = places.pop().unwrap_or_default();
    (places, own)
}

/// The same for a recording of this size: each tile in its place, as it looks now.
fn shots(size: Size, subjects: &[Subject], others: &[(Subject, Tile)], own: &Tile) -> Vec<Shot> {
    let (places, mut own_place) = places(size, subjects, subjects.is_empty());
    if subjects.is_empty() {
        // Alone, the middle belongs to the invitation, which is not recorded.
        own_place = Rect {
            size,
            ..Rect::default()
        };
    }
    let of = |subject| others.iter().find(|(other, _)| other == subject);
    let others = subjects.iter().zip(places);
    others
        .filter_map(|(subject, place)| Some(shot(&of(subject)?.1, place)))
        .chain([shot(own, own_place)])
        .collect()
}

fn shot(tile: &Tile, place: Rect) -> Shot {
    let face = tile.face();
    let (fit, is_mirrored) = match tile.kind() {
        TileKind::Person => (Fit::Cover, false),
        TileKind::Own => (Fit::Cover, true),
        TileKind::Screen => (Fit::Contain, false),
    };
    Shot {
        place,
        video: tile.video().element().clone().unchecked_into(),
        has_picture: face.has_picture,
        fit,
        is_mirrored,
        avatar: tile.avatar().map(|avatar| avatar.element().clone()),
        name: face.name,
    }
}

fn remote_tile(seat: SeatId) -> Tile {
    tile_of(seat, TileKind::Person, Slot::Camera, remote_face)
}

fn screen_tile(seat: SeatId) -> Tile {
    tile_of(seat, TileKind::Screen, Slot::Screen, screen_face)
}

/// A tile with what somebody sends.
fn tile_of(seat: SeatId, kind: TileKind, slot: Slot, face: fn(&Person) -> Face) -> Tile {
    let runtime = use_runtime();
    let people = runtime.people();
    let tile = Tile::new(kind);
    let shown = tile.clone();
    // A stream is asked for once for each connection.
    let link = Cell::new(None);
    live(move || {
        people.with(|people| {
            // Somebody who has left is shown as they were until the tile is taken away.
            let Some(person) = people.iter().find(|person| person.seat == seat) else {
                return;
            };
            shown.show(face(person));
            if link.replace(person.link) != person.link {
                let stream = person.link.and_then(|link| runtime.stream(link, slot));
                shown.set_stream(stream.map(JsValue::from));
            }
        });
    });
    tile
}

fn own_tile() -> Tile {
    let runtime = use_runtime();
    let (me, stream) = (runtime.me(), runtime.preview_stream());
    let tile = Tile::new(TileKind::Own);
    let shown = tile.clone();
    live(move || {
        shown.show(me.with(own_face));
        shown.set_stream(stream.with(|stream| stream.as_ref().map(JsValue::from)));
    });
    tile
}

fn own_screen_tile() -> Tile {
    let stream = use_runtime().own_screen_stream();
    let tile = Tile::new(TileKind::Screen);
    let shown = tile.clone();
    live(move || {
        shown.show(Face {
            name: words().screen.own.to_owned(),
            has_picture: stream.with(Option::is_some),
            ..Face::default()
        });
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
            .chain(recording(person.status.recording))
            .collect(),
        trouble: match reach {
            Reach::Here => stuck(person),
            Reach::Joining => Some(words().connecting),
            Reach::Reconnecting => Some(words().reconnecting_now),
            Reach::Failed => Some(words().connection_failed),
        },
    }
}

fn screen_face(person: &Person) -> Face {
    let has_picture = person.receiving[Slot::Screen.index()];
    let is_here = matches!(reach(person), Reach::Here);
    let trouble = match person.frozen {
        [.., true] => words().picture_stuck,
        [.., false] if is_here => words().connecting,
        [.., false] => words().reconnecting_now,
    };
    Face {
        name: words().screen.of.fill(&person.name),
        connection: Some(person.connection.as_str()),
        has_picture,
        marks: Vec::new(),
        trouble: (!has_picture || !is_here || person.frozen[Slot::Screen.index()]).then_some(trouble),
    }
}

const fn way(is_relayed: bool) -> Mark {
    if is_relayed { Mark::Relayed } else { Mark::Direct }
}

/// What does not arrive although the connection stands.
fn stuck(person: &Person) -> Option<&'static str> {
    match person.frozen {
        [true, ..] => Some(words().sound_stuck),
        [_, true, _] => Some(words().picture_stuck),
        // A screen has a tile of its own.
        [false, false, _] => None,
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
        marks: marks(false, me.microphone.is_wanted(), me.camera.is_wanted())
            .into_iter()
            .chain(recording(me.recording))
            .collect(),
        trouble: microphone.or(camera),
    }
}

fn recording(is_on: bool) -> Option<Mark> {
    is_on.then_some(Mark::Recording)
}

fn marks(is_lost: bool, has_microphone: bool, has_camera: bool) -> Vec<Mark> {
    let lost = is_lost.then_some(Mark::Reconnecting);
    let microphone = (!has_microphone).then_some(Mark::MicrophoneOff);
    let camera = (!has_camera).then_some(Mark::CameraOff);
    [lost, microphone, camera].into_iter().flatten().collect()
}
