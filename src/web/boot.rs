//! What the inline script in `index.html` began while this program was still being compiled: a
//! socket to the server, and the request for camera and microphone.
//!
//! The script leaves `window.visavis = { socket, inbox, audio, video, audioDevice, videoDevice }`.
//! Each is taken at most once, and what nobody took is let go by [`discard`].

use js_sys::{Array, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::task::spawn;
use web_sys::{MediaStream, MediaStreamTrack, WebSocket};

use super::capture::Source;
use super::{value, window};

/// Takes the socket, with the messages that it has received. `None` if there is none, or it has
/// failed meanwhile.
#[must_use]
pub fn take_socket() -> Option<(WebSocket, Vec<String>)> {
    let socket: WebSocket = take("socket")?.dyn_into().ok()?;
    // From here on the one who takes it listens.
    socket.set_onmessage(None);
    let received = take("inbox").map_or_else(Array::new, JsCast::unchecked_into);
    let is_alive = matches!(socket.ready_state(), WebSocket::CONNECTING | WebSocket::OPEN);
    is_alive.then(|| {
        let messages = received.iter().filter_map(|text| text.as_string()).collect();
        (socket, messages)
    })
}

/// Takes the request for a camera or a microphone, if it asked for the same device. A request for
/// another device is let go.
#[must_use]
pub fn take_capture(source: Source, device: Option<&str>) -> Option<Promise> {
    let (key, device_key) = keys(source);
    let asked_for = value::get(&value::get(&window(), "visavis"), device_key).as_string();
    let request: Promise = take(key)?.dyn_into().ok()?;
    if asked_for.as_deref() == device {
        return Some(request);
    }
    release(request);
    None
}

/// Lets go of everything that nobody took.
pub fn discard() {
    if let Some((socket, _)) = take_socket() {
        _ = socket.close_with_code(1000);
    }
    for source in [Source::Microphone, Source::Camera] {
        let (key, _) = keys(source);
        if let Some(request) = take(key).and_then(|request| request.dyn_into().ok()) {
            release(request);
        }
    }
}

/// Where the request is kept, and the device that it asked for.
const fn keys(source: Source) -> (&'static str, &'static str) {
    match source {
        Source::Microphone => ("audio", "audioDevice"),
        Source::Camera => ("video", "videoDevice"),
    }
}

fn take(key: &str) -> Option<JsValue> {
    let kept = value::get(&window(), "visavis");
    let thing = value::get(&kept, key);
    if thing.is_undefined() || thing.is_null() {
        return None;
    }
    value::set(kept.unchecked_ref(), key, &JsValue::UNDEFINED);
    Some(thing)
}

/// Stops a capture as soon as it comes: a request cannot be taken back.
fn release(request: Promise) {
    spawn(async move {
        let Ok(stream) = JsFuture::from(request).await else {
            return;
        };
        let stream: MediaStream = stream.unchecked_into();
        for track in stream.get_tracks().iter() {
            track.unchecked_into::<MediaStreamTrack>().stop();
        }
    });
}
