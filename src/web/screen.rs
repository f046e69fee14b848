//! Sharing a screen, a window or a tab, with its sound where the browser has that to give.

use js_sys::{Object, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaStream, MediaStreamTrack};

use super::capture::media_devices;
use super::task::spawn;
use super::{Error, ErrorName, value};

/// What the pictures of a screen are to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Slides, code, documents: every pixel counts, few pictures a second do.
    Text,
    /// Films, games: movement counts more than pixels.
    Motion,
}

/// What is shared.
pub struct Shared {
    /// Its pictures.
    pub picture: MediaStreamTrack,
    /// Its sound, if the person wants that shared as well and the browser can.
    pub sound: Option<MediaStreamTrack>,
}

/// Whether the browser can share a screen. Those of phones cannot.
#[must_use]
pub fn can_share() -> bool {
    media_devices().is_ok_and(|devices| !value::get(&devices, "getDisplayMedia").is_undefined())
}

/// Has the person choose what to share. Only within a click.
///
/// The answer comes even if nobody wants it any more; whoever gets it stops the tracks.
///
/// # Errors
/// As `getDisplayMedia` (Screen Capture, section 5.1), and see [`media_devices`].
pub async fn open(content: Content) -> Result<Shared, Error> {
    let stream: MediaStream = JsFuture::from(ask(content)?).await?.unchecked_into();
    let track = |tracks: js_sys::Array| tracks.get(0).dyn_into::<MediaStreamTrack>().ok();
    let sound = track(stream.get_audio_tracks().unchecked_into());
    let Some(picture) = track(stream.get_video_tracks().unchecked_into()) else {
        if let Some(sound) = sound {
            sound.stop();
        }
        return Err(Error {
            name: ErrorName::NotFound,
            message: String::from("a screen without a picture"),
        });
    };
    hint(&picture, content);
    if let Some(sound) = &sound {
        // Else an encoder takes it for a voice and leaves out what no voice has.
        value::set(sound, "contentHint", &"music".into());
    }
    Ok(Shared { picture, sound })
}

/// Makes pictures that are being shared good for something else.
pub fn prefer(picture: &MediaStreamTrack, content: Content) {
    hint(picture, content);
    if let Ok(applied) = value::call(picture, "applyConstraints", &[&wishes(content)]) {
        spawn(async move {
            // Refused by a browser that cannot: then they stay as they are.
            _ = JsFuture::from(Promise::resolve(&applied)).await;
        });
    }
}

/// Whether a tab is shared, which is never the one that shares: only that can be shown here without
/// showing itself within itself.
#[must_use]
pub fn is_tab(picture: &MediaStreamTrack) -> bool {
    let settings = value::call(picture, "getSettings", &[]).unwrap_or_default();
    value::get(&settings, "displaySurface").as_string().as_deref() == Some("browser")
}

/// `contentHint` (MediaStreamTrack Content Hints): what an encoder gives up first, sharpness or
/// movement. A browser that does not know it has rules of its own for screens.
fn hint(picture: &MediaStreamTrack, content: Content) {
    let hint = match content {
        Content::Text => "text",
        Content::Motion => "motion",
    };
    value::set(picture, "contentHint", &hint.into());
}

/// No minimum and nothing exact: the standard forbids them here.
fn wishes(content: Content) -> Object {
    let up_to = |most: u32| value::dictionary(&[("max", most.into())]);
    let frame_rate = |best: u32| value::dictionary(&[("ideal", best.into()), ("max", best.into())]).into();
    match content {
        // As many pixels as there are.
        Content::Text => value::dictionary(&[("frameRate", frame_rate(15))]),
        Content::Motion => value::dictionary(&[
            ("frameRate", frame_rate(30)),
            ("width", up_to(1920).into()),
            ("height", up_to(1080).into()),
        ]),
    }
}

fn ask(content: Content) -> Result<Promise, Error> {
    let devices = media_devices()?;
    let supported = value::call(&devices, "getSupportedConstraints", &[]).unwrap_or_default();
    // The system's sound has in it what the others say. Where the browser cannot take that out, the
    // others would hear themselves, so only the sound of single tabs is offered.
    let can_leave_out_ours = value::get(&supported, "restrictOwnAudio").is_truthy();
    let system_audio = if can_leave_out_ours { "include" } else { "exclude" };
    let sound = value::dictionary(&[
        // It is not a voice in a room: nothing is to be taken from it.
        ("echoCancellation", JsValue::FALSE),
        ("noiseSuppression", JsValue::FALSE),
        ("autoGainControl", JsValue::FALSE),
        ("restrictOwnAudio", JsValue::TRUE),
    ]);
    let options = value::dictionary(&[
        ("video", wishes(content).into()),
        ("audio", sound.into()),
        // The call within the call within the call.
        ("selfBrowserSurface", "exclude".into()),
        // Another tab may take the place of the one that is shared.
        ("surfaceSwitching", "include".into()),
        ("systemAudio", system_audio.into()),
    ]);
    value::call(&devices, "getDisplayMedia", &[&options]).map(JsCast::unchecked_into)
}
