//! Cameras and microphones, and what every captured track has in common.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaDevices, MediaStream, MediaStreamTrack};

use super::{Error, ErrorName, Listener, value, window};

/// What is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A microphone.
    Microphone,
    /// A camera.
    Camera,
}

/// Where a camera looks, by the standard's word for it.
pub const FACINGS: [&str; 2] = ["user", "environment"];

/// What is asked for of a kind, beside what we like of its quality.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// `deviceId`, exactly.
    pub device: Option<String>,
    /// `facingMode`, exactly: one of [`FACINGS`].
    pub facing: Option<&'static str>,
}

/// What a captured track did by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackEvent {
    /// Unplugged, or the permission was taken back.
    Ended,
    /// The system silenced it (`true`) or gave it back.
    Muted(bool),
}

/// `navigator.mediaDevices`
///
/// # Errors
/// [`ErrorName::Security`] where there is none, which is on pages that came over plain HTTP.
pub fn media_devices() -> Result<MediaDevices, Error> {
    let devices = value::get(&window().navigator(), "mediaDevices");
    if devices.is_undefined() {
        return Err(Error {
            name: ErrorName::Security,
            message: String::from("no mediaDevices"),
        });
    }
    Ok(devices.unchecked_into())
}

/// Asks for one camera or microphone, as wished or the browser's choice.
///
/// `first_try` is a request that was made before, with the same wishes. The answer comes even if
/// nobody wants it any more; whoever gets it stops the track (drop a [`Track`] made of it).
///
/// # Errors
/// As `getUserMedia` (Media Capture and Streams, section 10.2), and see [`media_devices`].
pub async fn open(source: Source, wish: Wish, first_try: Option<Promise>) -> Result<MediaStreamTrack, Error> {
    let devices = media_devices()?;
    let ask = |is_strict| ask(&devices, source, &wish, is_strict);
    let first_try = first_try.map_or_else(|| ask(true), Ok)?;
    let stream = match JsFuture::from(first_try).await.map_err(Error::from) {
        // A camera that cannot do quite what we like is better than none.
        Err(error) if error.name == ErrorName::Overconstrained && source == Source::Camera => {
            JsFuture::from(ask(false)?).await.map_err(Error::from)?
        }
        outcome => outcome?,
    };
    let stream: MediaStream = stream.unchecked_into();
    stream.get_tracks().get(0).dyn_into().map_err(|_| Error {
        name: ErrorName::NotFound,
        message: String::from("a stream without a track"),
    })
}

fn ask(devices: &MediaDevices, source: Source, wish: &Wish, is_strict: bool) -> Result<Promise, Error> {
    let wishes = match source {
        Source::Microphone => value::dictionary(&[
            ("echoCancellation", JsValue::TRUE),
            ("noiseSuppression", JsValue::TRUE),
            ("autoGainControl", JsValue::TRUE),
        ]),
        Source::Camera => value::dictionary(&[
            ("width", range(320, 640, 1280, is_strict)),
            ("height", range(240, 480, 720, is_strict)),
            ("frameRate", range(10, 20, 30, is_strict)),
        ]),
    };
    let exactly = [("deviceId", wish.device.as_deref()), ("facingMode", wish.facing)];
    for (key, wanted) in exactly {
        if let Some(wanted) = wanted {
            value::set(&wishes, key, &value::dictionary(&[("exact", wanted.into())]));
        }
    }
    let key = match source {
        Source::Microphone => "audio",
        Source::Camera => "video",
    };
    let constraints = value::dictionary(&[(key, wishes.into())]);
    value::call(devices, "getUserMedia", &[&constraints]).map(JsCast::unchecked_into)
}

/// A range of numbers with its best, or the best alone, as `ConstrainULong` and `ConstrainDouble` want it.
fn range(min: u32, ideal: u32, max: u32, is_strict: bool) -> JsValue {
    let range = value::dictionary(&[("ideal", ideal.into())]);
    if is_strict {
        value::set(&range, "min", &min.into());
        value::set(&range, "max", &max.into());
    }
    range.into()
}

/// A captured track, until this is dropped: then it stops, and the camera's light goes out.
pub struct Track {
    track: MediaStreamTrack,
    _listeners: [Listener; 3],
}

impl Track {
    /// Takes charge of a track.
    pub fn new(track: MediaStreamTrack, handler: impl Fn(TrackEvent) + 'static) -> Self {
        let handler = Rc::new(handler);
        let tell = |kind, event| {
            let handler = Rc::clone(&handler);
            Listener::new(&track, kind, move |_| handler(event))
        };
        let listeners = [
            tell("ended", TrackEvent::Ended),
            tell("mute", TrackEvent::Muted(true)),
            tell("unmute", TrackEvent::Muted(false)),
        ];
        Self {
            track,
            _listeners: listeners,
        }
    }

    /// The track itself, to be sent or shown. Not to be kept beyond this.
    #[must_use]
    pub const fn media(&self) -> &MediaStreamTrack {
        &self.track
    }

    /// `deviceId` of the device in use; empty where the browser does not tell.
    #[must_use]
    pub fn device(&self) -> String {
        self.setting("deviceId")
    }

    /// `facingMode` of the camera in use; empty where it does not tell.
    #[must_use]
    pub fn facing(&self) -> String {
        self.setting("facingMode")
    }

    fn setting(&self, key: &str) -> String {
        value::call(&self.track, "getSettings", &[])
            .ok()
            .and_then(|settings| value::get(&settings, key).as_string())
            .unwrap_or_default()
    }

    /// Whether the system has silenced it.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.track.muted()
    }
}

impl Drop for Track {
    fn drop(&mut self) {
        self.track.stop();
    }
}
