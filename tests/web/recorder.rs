//! Recording: a painted film and a mix of sounds become pieces of one file.

use core::cell::Cell;
use core::time::Duration;
use std::rc::Rc;

use visavis::layout::{Fit, Rect, Size};
use visavis::web::beat::Beat;
use visavis::web::capture::{self, Source, Track, Wish};
use visavis::web::film::Film;
use visavis::web::meter::Meter;
use visavis::web::mix::Mix;
use visavis::web::recorder::{self, Recorder, RecorderEvent};
use visavis::web::{clock, element, file_sink, value};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{
    AudioContext, Document, HtmlElement, HtmlVideoElement, MediaStream, MediaStreamTrack,
    MediaStreamTrackState,
};

use crate::wait::{pause, until};

const SIZE: Size = Size::new(320.0, 180.0);
const WHOLE: Rect = Rect {
    x_px: 0.0,
    y_px: 0.0,
    size: SIZE,
};

fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}

fn kinds(stream: &MediaStream) -> Vec<String> {
    let tracks = stream.get_tracks();
    let mut kinds: Vec<String> = tracks
        .iter()
        .map(|track| track.unchecked_into::<MediaStreamTrack>().kind())
        .collect();
    kinds.sort();
    kinds
}

#[wasm_bindgen_test]
async fn a_film_and_a_mix_become_pieces_of_a_file() {
    let kind = recorder::kind().unwrap();
    let film = Rc::new(Film::new(SIZE, 20).unwrap());
    let mix = Mix::new().unwrap();
    let stream = MediaStream::new().unwrap();
    for track in [film.track(), mix.track()].into_iter().flatten() {
        stream.add_track(&track);
    }
    assert_eq!(kinds(&stream), ["audio", "video"]);

    let painted = Rc::clone(&film);
    let beat = Beat::new(
        &mix,
        Duration::from_millis(40),
        Rc::new(move || {
            painted.clear();
            painted.tile(WHOLE);
            painted.name("Ada", WHOLE);
        }),
    );
    let bytes = Rc::new(Cell::new(0.0));
    let is_over = Rc::new(Cell::new(false));
    let (counted, ended) = (Rc::clone(&bytes), Rc::clone(&is_over));
    let recorder = Recorder::start(&stream, kind, move |event| match event {
        RecorderEvent::Piece(piece) => {
            counted.set(counted.get() + value::get(&piece, "size").as_f64().unwrap());
        }
        RecorderEvent::Stopped => ended.set(true),
    })
    .unwrap();
    until("a piece came", || bytes.get() > 0.0).await;
    let before = bytes.get();
    recorder.stop().await;
    assert!(is_over.get());
    assert!(bytes.get() >= before);
    drop(beat);
    let video = film.track().unwrap();
    drop((film, mix));
    assert_eq!(video.ready_state(), MediaStreamTrackState::Ended);
}

#[wasm_bindgen_test]
async fn a_mix_leaves_its_tracks_as_they_are() {
    let media = capture::open(Source::Microphone, Wish::default(), None)
        .await
        .unwrap();
    let track = Track::new(Clone::clone(&media), |_| ());
    let mix = Mix::new().unwrap();
    let loud = |volume| [(Clone::clone(&media), volume)];
    mix.follow(&loud(1.0));
    mix.follow(&loud(0.5));
    mix.follow(&[]);
    assert_eq!(media.ready_state(), MediaStreamTrackState::Live);
    mix.follow(&loud(1.0));
    let mixed = mix.track().unwrap();
    drop(mix);
    assert_eq!(media.ready_state(), MediaStreamTrackState::Live);
    assert_eq!(mixed.kind(), "audio");
    drop(track);
}

#[wasm_bindgen_test]
async fn a_mix_has_each_sound_as_loud_as_it_says() {
    let context = AudioContext::new().unwrap();
    let deadline = clock::now() + Duration::from_secs(3);
    while context.current_time() <= 0.0 {
        if clock::now() > deadline {
            // A Firefox on a computer with nothing to play sound with.
            return;
        }
        pause(Duration::from_millis(10)).await;
    }
    let tone = value::call(&context, "createOscillator", &[]).unwrap();
    let sink = value::call(&context, "createMediaStreamDestination", &[]).unwrap();
    value::call(&tone, "connect", &[&sink]).unwrap();
    value::call(&tone, "start", &[]).unwrap();
    let stream: MediaStream = value::get(&sink, "stream").unchecked_into();
    let track: MediaStreamTrack = stream.get_tracks().get(0).unchecked_into();

    let mix = Mix::new().unwrap();
    let meter = Meter::new(&mix.track().unwrap()).unwrap();
    // The level counts in decibels, of which it knows sixty: a tenth is a third of it less.
    mix.follow(&[(Clone::clone(&track), 1.0)]);
    until("it is loud", || meter.level() > 0.9).await;
    mix.follow(&[(Clone::clone(&track), 0.1)]);
    until("it is quieter", || (0.55..0.7).contains(&meter.level())).await;
    mix.follow(&[]);
    until("it is silent", || meter.level() <= 0.0).await;
    _ = context.close().unwrap();
}

#[wasm_bindgen_test]
fn a_recorded_letter_is_a_capital_as_on_the_page() {
    let painted = |letter: &str| {
        let avatar: HtmlElement = document().create_element("span").unwrap().unchecked_into();
        avatar.set_text_content(Some(letter));
        avatar
            .set_attribute("style", "color: white; background-color: black")
            .unwrap();
        document().body().unwrap().append_child(&avatar).unwrap();
        let film = Film::new(SIZE, 1).unwrap();
        film.face(&avatar, WHOLE);
        avatar.remove();
        let whole = [
            &0.into(),
            &0.into(),
            &SIZE.width_px.into(),
            &SIZE.height_px.into(),
        ];
        let read = value::call(film.pen(), "getImageData", &whole).unwrap();
        js_sys::Uint8Array::new(&value::get(&read, "data")).to_vec()
    };
    assert!(
        painted("q") == painted("Q"),
        "a small letter is not painted as a capital"
    );
    assert!(painted("Q") != painted("A"), "nothing is painted at all");
}

#[wasm_bindgen_test]
async fn a_mirrored_picture_is_mirrored_within_its_tile() {
    // A picture whose left half is an empty tile and whose right half is the ground.
    let left = Rect {
        size: Size::new(160.0, 180.0),
        ..WHOLE
    };
    let film = Rc::new(Film::new(SIZE, 20).unwrap());
    let painted = Rc::clone(&film);
    let timer = visavis::web::timer::Interval::new(Duration::from_millis(40), move || {
        painted.clear();
        painted.tile(left);
    });
    let stream = MediaStream::new().unwrap();
    stream.add_track(&film.track().unwrap());
    let video: HtmlVideoElement = document().create_element("video").unwrap().unchecked_into();
    value::set(&video, "muted", &JsValue::TRUE);
    video.set_src_object(Some(&stream));
    element::play(&video).await.unwrap();
    let straight = Film::new(SIZE, 1).unwrap();
    let mirrored = Film::new(SIZE, 1).unwrap();
    let brightness = |film: &Film, x: f64| {
        let point = [&x.into(), &90.into(), &1.into(), &1.into()];
        let read = value::call(film.pen(), "getImageData", &point).unwrap();
        js_sys::Uint8Array::new(&value::get(&read, "data")).get_index(1)
    };
    // The first pictures may be from before there was a tile.
    until("the tile is to be seen", || {
        let is_straight = straight.picture(&video, Fit::Cover, false, WHOLE);
        let is_mirrored = mirrored.picture(&video, Fit::Cover, true, WHOLE);
        is_straight && is_mirrored && brightness(&straight, 20.0) > brightness(&straight, 300.0)
    })
    .await;
    assert!(brightness(&mirrored, 20.0) < brightness(&mirrored, 300.0));
    video.set_src_object(None);
    drop(timer);
}

#[wasm_bindgen_test]
async fn a_picked_file_is_aborted_unless_it_is_closed() {
    let run = |script: &str| {
        let function = js_sys::Function::new_no_args(script);
        function.call0(&JsValue::UNDEFINED).unwrap()
    };
    run("window.__ends = [];
        const writable = { close: async () => { __ends.push('close'); }, abort: async () => { __ends.push('abort'); } };
        window.showSaveFilePicker = async () => ({ createWritable: async () => writable });");
    let ends = || run("return __ends.join();").as_string().unwrap();
    let open = async || file_sink::open("a".to_owned(), "video/webm").await.unwrap();
    drop(open().await);
    assert_eq!(ends(), "abort");
    let file = open().await;
    assert!(!file.is_held());
    file.close().await.unwrap();
    drop(file);
    assert_eq!(ends(), "abort,close");
    run("delete window.showSaveFilePicker;");
}

#[wasm_bindgen_test]
fn a_mix_that_was_interrupted_goes_on() {
    // No test can click or be called by phone, so the browser's part is played here.
    let run = |script: &str| {
        let function = js_sys::Function::new_no_args(script);
        function.call0(&JsValue::UNDEFINED).unwrap().as_f64()
    };
    run("const { prototype } = AudioContext;
        const { createMediaStreamDestination } = prototype;
        window.__resumed = 0;
        prototype.createMediaStreamDestination = function () {
            prototype.createMediaStreamDestination = createMediaStreamDestination;
            window.__context = this;
            this.resume = async () => { window.__resumed += 1; };
            Object.defineProperty(this, 'state', { value: 'running', writable: true });
            return this.createMediaStreamDestination();
        };");
    let mix = Mix::new().unwrap();
    let tell = |state: &str, target: &str, kind: &str| {
        let script = format!(
            "__context.state = '{state}'; {target}.dispatchEvent(new Event('{kind}')); return __resumed;"
        );
        run(&script)
    };
    assert_eq!(tell("running", "__context", "statechange"), Some(0.0));
    assert_eq!(tell("interrupted", "__context", "statechange"), Some(1.0));
    assert_eq!(tell("suspended", "__context", "statechange"), Some(2.0));
    assert_eq!(tell("interrupted", "document", "visibilitychange"), Some(3.0));
    drop(mix);
    assert_eq!(tell("interrupted", "__context", "statechange"), Some(3.0));
    assert_eq!(tell("interrupted", "document", "visibilitychange"), Some(3.0));
}
