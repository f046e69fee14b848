//! The stage: a tile for everybody and for every shared screen, each in its place.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::{CaptureKind, CaptureState, Me, Person, Slot, View};
use visavis_protocol::SeatId;
use wasm_bindgen::{JsCast, JsValue};

use super::scene::{Scene, Subject};
use super::status::{Reach, reach};
use crate::components::dom::{El, button, each, el_class, live};
use crate::components::{Face, Icon, Mark, Prominence, Reactions, Tile, TileKind, icon};
use crate::i18n::words;
use crate::layout::{Fit, Rect, Size};
use crate::runtime::{Shot, use_runtime};

/// The tiles.
pub fn stage(scene: Scene) -> El {
    let stage = el_class("section", "stage").attr("aria-label", words().participants);
    let size = use_runtime().size_of(stage.element());
    let pinning = move |subject| {
        let toggle_pin: Rc<dyn Fn()> = Rc::new(move || scene.toggle_pin(subject));
        tile(subject, Some(toggle_pin))
    };
    let own = pinning(Subject::Own);
    stage.put(&own.el());

    let tiles = Rc::new(RefCell::new(vec![(Subject::Own, own.clone())]));
    scene.tiles.set_value(Rc::clone(&tiles));
    let made = Rc::clone(&tiles);
    each(
        &stage,
        &own.el(),
        // The own tile is always there.
        move || {
            let mut others = scene.subjects.get();
            others.pop();
            others
        },
        move |subject| {
            let tile = pinning(subject);
            let element = tile.el();
            made.borrow_mut().push((subject, tile));
            element
        },
    );
    let filmed = Rc::clone(&tiles);
    use_runtime().show_scene(move |size| shots(scene, size, &filmed.borrow()));
    react(Rc::clone(&tiles), &stage);
    let last_size = Cell::new(Size::default());
    stage.live(move |stage| {
        let (size, subjects, pinned) = (size.get(), scene.subjects.get(), scene.pinned());
        let arrangement = scene.arrange(size, &subjects);
        let foremost = scene.foremost();
        // Tiles glide when people come, go or choose, and follow at once when the window changes.
        stage.set_class("is-moving", last_size.replace(size) == size);
        stage.set_class("is-alone", subjects.len() == 1);
        let mut tiles = tiles.borrow_mut();
        tiles.retain(|(subject, _)| subjects.contains(subject));
        for (subject, tile) in &*tiles {
            let index = subjects.iter().position(|other| other == subject);
            tile.place(index.and_then(|index| arrangement.places[index]));
            tile.set_prominence(Prominence {
                is_large: index.is_some() && index == arrangement.large,
                is_pinned: pinned == Some(*subject),
            });
            if *subject == foremost {
                scene.foremost_video.set_value(tile.video());
            }
        }
    })
}

/// Shows each reaction once, over the tile of whoever it is of; over the stage if that tile is not to be
/// seen, so that who hides their own still sees that they were understood.
fn react(tiles: Rc<RefCell<Vec<(Subject, Tile)>>>, stage: &El) {
    let view = use_runtime().view();
    let elsewhere = Reactions::new();
    stage.put(&elsewhere.el());
    let last = |view: &View| view.reactions.last().map_or(0, |last| last.number);
    // Those of before this call are over.
    let shown = Cell::new(view.with_untracked(last));
    live(move || {
        view.with(|view| {
            let before = shown.replace(last(view).max(shown.get()));
            for new in view.reactions.iter().filter(|new| new.number > before) {
                let of = new.seat.map_or(Subject::Own, Subject::Person);
                let sign = new.reaction.sign();
                if let Some((_, tile)) = tiles.borrow().iter().find(|(subject, _)| *subject == of)
                    && !tile.react(sign)
                {
                    elsewhere.show(sign);
                }
            }
        });
    });
}

/// A tile of its own for a subject, also beside the one on the stage, which alone can be pinned.
pub fn tile(subject: Subject, toggle_pin: Option<Rc<dyn Fn()>>) -> Tile {
    let new = |kind| Tile::new(kind, toggle_pin);
    match subject {
        Subject::Screen(seat) => tile_of(new(TileKind::Screen), seat, Slot::Screen, screen_face),
        Subject::OwnScreen => own_screen_tile(new(TileKind::Screen)),
        Subject::Person(seat) => speaking(
            tile_of(new(TileKind::Person), seat, Slot::Camera, remote_face),
            seat,
        ),
        Subject::Own => own_tile(new(TileKind::Own)),
    }
}

/// With a ring while they speak. Only the tile of who begins or ends is touched.
fn speaking(tile: Tile, seat: SeatId) -> Tile {
    let all = use_runtime().speaking();
    let is_speaking = Memo::new(move |_| all.with(|all| all.contains(&seat)));
    let shown = tile.clone();
    live(move || shown.set_speaking(is_speaking.get()));
    tile
}

/// What a recording of this size shows: each tile in its place, as it looks now.
fn shots(scene: Scene, size: Size, tiles: &[(Subject, Tile)]) -> Vec<Shot> {
    let subjects = scene.subjects.try_get_untracked().unwrap_or_default();
    let mut places = untrack(|| scene.arrange(size, &subjects)).places;
    if let ([Subject::Own], [place]) = (&subjects[..], &mut places[..]) {
        // Alone, the middle belongs to the invitation, which is not recorded.
        *place = Some(Rect {
            size,
            ..Rect::default()
        });
    }
    let of = |subject| tiles.iter().find(|(other, _)| other == subject);
    subjects
        .iter()
        .zip(places)
        .filter_map(|(subject, place)| Some(shot(scene, &of(subject)?.1, place?)))
        .collect()
}

fn shot(scene: Scene, tile: &Tile, place: Rect) -> Shot {
    let face = tile.face();
    let (fit, is_mirrored) = match tile.kind() {
        TileKind::Person => (Fit::Cover, false),
        TileKind::Own => (Fit::Cover, scene.mirrors_own()),
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

/// A tile with what somebody sends.
fn tile_of(tile: Tile, seat: SeatId, slot: Slot, face: fn(&Person) -> Face) -> Tile {
    let runtime = use_runtime();
    let people = runtime.people();
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

fn own_tile(tile: Tile) -> Tile {
    let runtime = use_runtime();
    let (me, stream) = (runtime.me(), runtime.preview_stream());
    let shown = tile.clone();
    live(move || {
        shown.set_mirrored(runtime.mirrors_own());
        shown.show(me.with(own_face));
        shown.set_stream(stream.with(|stream| stream.as_ref().map(JsValue::from)));
    });
    tile
}

fn own_screen_tile(tile: Tile) -> Tile {
    let runtime = use_runtime();
    let (me, stream) = (runtime.me(), runtime.own_screen_stream());
    let stop = button("chip", move || runtime.want(CaptureKind::Screen, false))
        .child(icon(Icon::Screen))
        .child(el_class("span", "cut").text(words().screen.stop));
    tile.offer(&stop);
    let shown = tile.clone();
    live(move || {
        shown.show(Face {
            name: words().screen.own.to_owned(),
            has_picture: stream.with(Option::is_some),
            marks: me.with(|me| sound(me.screen_sound)),
            ..Face::default()
        });
        shown.set_covered(!runtime.may_show_own_screen());
        shown.set_stream(stream.with(|stream| stream.as_ref().map(JsValue::from)));
    });
    tile
}

/// That what is shared is to be heard as well.
fn sound(is_there: bool) -> Vec<Mark> {
    is_there.then_some(Mark::Sound).into_iter().collect()
}

/// What is shown of somebody else.
pub fn remote_face(person: &Person) -> Face {
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
            .chain(hand(person.status.hand))
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
    let is_frozen = person.frozen[Slot::Screen.index()];
    let trouble = match (is_frozen, is_here) {
        (true, _) => words().picture_stuck,
        (false, true) => words().connecting,
        (false, false) => words().reconnecting_now,
    };
    Face {
        name: words().screen.of.fill(&person.name),
        connection: Some(person.connection.as_str()),
        has_picture,
        marks: sound(person.status.screen_sound),
        trouble: (!has_picture || !is_here || is_frozen).then_some(trouble),
    }
}

const fn way(is_relayed: bool) -> Mark {
    if is_relayed { Mark::Relayed } else { Mark::Direct }
}

/// What does not arrive although the connection stands.
fn stuck(person: &Person) -> Option<&'static str> {
    match person.frozen {
        [true, ..] => Some(words().sound_stuck),
        [_, true, ..] => Some(words().picture_stuck),
        // A screen has a tile of its own.
        [false, false, ..] => None,
    }
}

/// What is shown of oneself.
pub fn own_face(me: &Me) -> Face {
    let is_muted = |state: &CaptureState| matches!(state, CaptureState::On { muted: true, .. });
    // What others see of one: what the system has muted is off for them.
    let brings = |state: &CaptureState| state.is_wanted() && !is_muted(state);
    let microphone = is_muted(&me.microphone).then_some(words().microphone.muted_by_system);
    let camera = is_muted(&me.camera).then_some(words().camera.muted_by_system);
    Face {
        name: me.name.clone(),
        connection: None,
        has_picture: matches!(me.camera, CaptureState::On { .. }),
        marks: marks(false, brings(&me.microphone), brings(&me.camera))
            .into_iter()
            .chain(recording(me.recording))
            .chain(hand(me.hand))
            .collect(),
        trouble: microphone.or(camera),
    }
}

fn hand(place: u32) -> Option<Mark> {
    (place > 0).then_some(Mark::Hand)
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
