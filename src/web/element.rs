//! Media elements: playing them, and through which speaker.

use js_sys::Promise;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlAudioElement, HtmlMediaElement, MediaStream};

use super::{Error, document, value};

/// Plays an element. Call it within a click where the browser wants one.
///
/// # Errors
/// [`super::ErrorName::NotAllowed`] if the browser wants a click first;
/// [`super::ErrorName::Abort`] if the element got something else to play meanwhile.
pub fn play(element: &HtmlMediaElement) -> impl Future<Output = Result<(), Error>> + 'static + use<> {
    let started = element.play();
    async move {
        JsFuture::from(started.map_err(Error::from)?)
            .await
            .map(drop)
            .map_err(Error::from)
    }
}

/// Whether pages may choose the speaker (`setSinkId`).
#[must_use]
pub fn can_choose_speaker() -> bool {
    let element = value::get(&js_sys::global(), "HTMLMediaElement");
    value::method(&value::get(&element, "prototype"), "setSinkId").is_some()
}

/// Plays an element through a speaker; `None` for the system's.
///
/// # Errors
/// If the speaker is gone, not allowed, or the browser lets no page choose.
pub fn set_speaker(
    element: &HtmlMediaElement,
    device: Option<&str>,
) -> impl Future<Output = Result<(), Error>> + 'static + use<> {
    // Heard from now on: one of several that fails while another is waited for is no error of the page.
    let started = value::call(element, "setSinkId", &[&device.unwrap_or_default().into()])
        .map(|promise| JsFuture::from(Promise::resolve(&promise)));
    async move { started?.await.map(drop).map_err(Error::from) }
}

/// An `<audio>` in the page that plays a stream's sound, until this is dropped.
///
/// It is an element and no Web Audio, because only what elements play is known to the echo
/// canceller. And it is no `<video>`: Chromium keeps those silent until their first frame.
pub struct AudioSink {
    element: HtmlAudioElement,
}

impl AudioSink {
    /// Puts the element into the page; [`play`] starts it.
    ///
    /// # Errors
    /// If the page has no body.
    pub fn new(stream: &MediaStream) -> Result<Self, Error> {
        let element: HtmlAudioElement = document()
            .create_element("audio")
            .map_err(Error::from)?
            .unchecked_into();
        element.set_autoplay(true);
        element.set_src_object(Some(stream));
        let body = document().body().ok_or_else(|| Error::missing("body"))?;
        body.append_child(&element).map_err(Error::from)?;
        Ok(Self { element })
    }

    /// The element.
    #[must_use]
    pub fn element(&self) -> &HtmlMediaElement {
        &self.element
    }
}

impl Drop for AudioSink {
    fn drop(&mut self) {
        self.element.set_src_object(None);
        self.element.remove();
    }
}
