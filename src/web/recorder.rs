//! A stream made into pieces of a file (`MediaRecorder`, MediaStream Recording).

use core::time::Duration;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{EventTarget, MediaStream};

use super::timer::Timeout;
use super::{Error, Listener, value};

/// Kinds of files, the one that costs least to make first. The last is Apple's.
const KINDS: [&str; 4] = [
    "video/webm;codecs=vp8,opus",
    "video/webm",
    "video/mp4;codecs=avc1,mp4a.40.2",
    "video/mp4",
];
/// Enough for faces and for text on a screen at 1280×720.
const VIDEO_BITS_PER_SECOND: u32 = 2_500_000;
const AUDIO_BITS_PER_SECOND: u32 = 96_000;
/// How much is lost at most if the page goes away without a word.
const PIECE_MS: u32 = 1000;
/// How long the last piece may take: longer than an encoder that is behind on a busy machine. What
/// has come until then is a file.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// What a recorder did.
#[derive(Debug)]
pub enum RecorderEvent {
    /// The next piece of the file, a `Blob`.
    Piece(JsValue),
    /// It records no more, by our doing or by itself.
    Stopped,
}

/// The kind of file that this browser records, if it can.
#[must_use]
pub fn kind() -> Option<&'static str> {
    let recorder = value::get(&js_sys::global(), "MediaRecorder");
    KINDS.into_iter().find(|kind| {
        value::call(&recorder, "isTypeSupported", &[&(*kind).into()]).is_ok_and(|can| can.is_truthy())
    })
}

/// Records, until this is stopped. Dropped, it goes on until its tracks end, and nobody hears of it.
pub struct Recorder {
    recorder: JsValue,
    _listeners: [Listener; 2],
}

impl Recorder {
    /// Begins to record all tracks of a stream.
    ///
    /// # Errors
    /// If the browser cannot record a stream like this one.
    pub fn start(
        stream: &MediaStream,
        kind: &str,
        handler: impl Fn(RecorderEvent) + 'static,
    ) -> Result<Self, Error> {
        let options = value::dictionary(&[
            ("mimeType", kind.into()),
            ("videoBitsPerSecond", VIDEO_BITS_PER_SECOND.into()),
            ("audioBitsPerSecond", AUDIO_BITS_PER_SECOND.into()),
        ]);
        let recorder = value::construct("MediaRecorder", &[stream, &options])?;
        let handler = Rc::new(handler);
        let on_piece = Rc::clone(&handler);
        let target: &EventTarget = recorder.unchecked_ref();
        let listeners = [
            Listener::new(target, "dataavailable", move |event| {
                on_piece(RecorderEvent::Piece(value::get(&event, "data")));
            }),
            Listener::new(target, "stop", move |_| handler(RecorderEvent::Stopped)),
        ];
        value::call(&recorder, "start", &[&PIECE_MS.into()])?;
        Ok(Self {
            recorder,
            _listeners: listeners,
        })
    }

    /// Ends the file. The last piece has come when this is over, or is given up after `STOP_WITHIN`.
    pub async fn stop(self) {
        let mut settle = None;
        let stopped = Promise::new(&mut |resolve, _| settle = Some(resolve));
        let waits = settle.map(|settle| {
            let late = Clone::clone(&settle);
            let listener = Listener::new(self.recorder.unchecked_ref(), "stop", move |_| {
                _ = settle.call0(&JsValue::UNDEFINED);
            });
            let timeout = Timeout::new(STOP_WITHIN, move || _ = late.call0(&JsValue::UNDEFINED));
            (listener, timeout)
        });
        // One that has stopped by itself will not do so again.
        let is_running = value::get(&self.recorder, "state").as_string().as_deref() != Some("inactive");
        if is_running && value::call(&self.recorder, "stop", &[]).is_ok() {
            _ = JsFuture::from(stopped).await;
        }
        drop(waits);
    }
}
