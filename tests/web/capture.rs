//! Cameras and microphones: that they start, and above all that they stop.

use core::cell::RefCell;
use std::rc::Rc;

use visavis::web::ErrorName;
use visavis::web::capture::{self, Source, Track, TrackEvent, Wish};
use visavis::web::devices::{self, DeviceKind};
use visavis::web::permission::{self, State};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::MediaStreamTrackState;

#[wasm_bindgen_test]
async fn a_capture_runs_until_its_guard_is_dropped() {
    for (source, kind) in [(Source::Microphone, "audio"), (Source::Camera, "video")] {
        let heard = Rc::new(RefCell::new(Vec::new()));
        let hear = Rc::clone(&heard);
        let media = capture::open(source, Wish::default(), None).await.unwrap();
        let track = Track::new(Clone::clone(&media), move |event| hear.borrow_mut().push(event));
        assert_eq!(track.media().kind(), kind);
        assert_eq!(media.ready_state(), MediaStreamTrackState::Live);
        drop(track);
        assert_eq!(media.ready_state(), MediaStreamTrackState::Ended);
        // A page that stops a track itself is not told so.
        assert_eq!(*heard.borrow(), Vec::<TrackEvent>::new());
    }
}

#[wasm_bindgen_test]
async fn a_capture_that_comes_too_late_is_stopped() {
    // The request cannot be taken back: whoever gets its answer stops it.
    let request = capture::open(Source::Camera, Wish::default(), None);
    let media = request.await.unwrap();
    drop(Track::new(Clone::clone(&media), |_| ()));
    assert_eq!(media.ready_state(), MediaStreamTrackState::Ended);
}

#[wasm_bindgen_test]
async fn a_device_that_is_gone_is_named() {
    let wish = Wish {
        device: Some("no such device".into()),
        ..Wish::default()
    };
    let refused = capture::open(Source::Camera, wish, None).await.unwrap_err();
    // Firefox's fake devices know no ids, and Chromium says which wish failed.
    assert!(
        matches!(refused.name, ErrorName::Overconstrained | ErrorName::NotFound),
        "{refused}"
    );
}

#[wasm_bindgen_test]
async fn devices_are_listed_with_their_names_once_allowed() {
    let media = capture::open(Source::Microphone, Wish::default(), None)
        .await
        .unwrap();
    let track = Track::new(media, |_| ());
    let listed = devices::list().await.unwrap();
    let microphone = listed
        .iter()
        .find(|device| device.kind == DeviceKind::Microphone)
        .unwrap();
    assert!(!microphone.label.is_empty());
    drop(track);
}

#[wasm_bindgen_test]
async fn a_permission_is_told_where_the_browser_tells_it() {
    let (status, state) = permission::of(Source::Microphone).await.unwrap();
    assert!(matches!(state, State::Granted | State::Prompt), "{state:?}");
    drop(permission::watch(&status, |_| ()));
}
