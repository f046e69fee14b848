//! The small window above all others, where browsers have one for a single video only. No test can
//! click, so the browser's part is played here.

use core::cell::Cell;
use std::rc::Rc;

use visavis::web::popout::PopOut;
use visavis::web::value;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, EventTarget, HtmlElement};

/// Takes the window for elements away and counts how often that of a video is left.
const PLAYED: &str = "
    Object.defineProperty(window, 'documentPictureInPicture', { value: undefined, configurable: true });
    document.__left = 0;
    document.exitPictureInPicture = async () => { document.__left += 1; };
    const video = document.createElement('video');
    video.requestPictureInPicture = async () => ({});
    return video;";
const RESTORED: &str = "delete document.exitPictureInPicture; delete document.__left;";

fn run(script: &str) -> JsValue {
    let function = js_sys::Function::new_no_args(script);
    function.call0(&JsValue::UNDEFINED).unwrap()
}

fn left() -> f64 {
    let document = web_sys::window().unwrap().document().unwrap();
    value::get(&document, "__left").as_f64().unwrap()
}

#[wasm_bindgen_test]
async fn a_window_that_the_person_closed_is_not_closed_again() {
    let video: HtmlElement = run(PLAYED).unchecked_into();
    let is_closed = Rc::new(Cell::new(false));
    let open = async || {
        let told = Rc::clone(&is_closed);
        let closed = Box::new(move || told.set(true));
        PopOut::open(&video, &video, (400, 225), closed).await.unwrap()
    };

    let first = open().await;
    let target: &EventTarget = &video;
    target
        .dispatch_event(&Event::new("leavepictureinpicture").unwrap())
        .unwrap();
    assert!(is_closed.get());
    let second = open().await;
    drop(first);
    assert!(
        left() < 1.0,
        "the second window was closed by the end of the first"
    );
    drop(second);
    assert!(left() > 0.0, "an open window is closed when it is dropped");
    run(RESTORED);
}
