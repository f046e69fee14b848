//! A small window that stays above all others: one for elements of the page where the browser has
//! it (Document Picture-in-Picture), else one for a single video (Picture-in-Picture).

use core::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{EventTarget, HtmlElement};

use super::task::see_to;
use super::{Error, Listener, document, value, window};

/// What goes along with elements into their window: how they look, and the signs that they point at.
const BELONGINGS: &str = "style, link[rel=stylesheet], body > svg";

/// Whether the browser has either.
#[must_use]
pub fn is_offered() -> bool {
    !windows().is_undefined() || value::get(&document(), "pictureInPictureEnabled").is_truthy()
}

fn windows() -> JsValue {
    value::get(&window(), "documentPictureInPicture")
}

/// A window above all others, until this is dropped.
pub struct PopOut {
    /// What ends it, and the name of the method: the window itself, or the document.
    end: (JsValue, &'static str),
    /// Whether it is over already. Another one may be open by then, and the document would end that.
    has_ended: Rc<Cell<bool>>,
    /// Taken off before the end is asked for, which is no news to whoever drops this.
    listener: Option<Listener>,
}

impl PopOut {
    /// Opens one of this size: for `content`, which is moved there, or for what `video` shows. Only
    /// within a click. `closed` is called when the person closes it.
    ///
    /// # Errors
    /// If the browser has neither, or does not allow it now.
    pub fn open(
        content: &HtmlElement,
        video: &HtmlElement,
        size: (u32, u32),
        closed: Box<dyn Fn()>,
    ) -> impl Future<Output = Result<Self, Error>> + 'static + use<> {
        let (windows, content, video) = (windows(), content.clone(), JsValue::from(video));
        let is_document = !windows.is_undefined();
        let started = if is_document {
            let size = value::dictionary(&[("width", size.0.into()), ("height", size.1.into())]);
            value::call(&windows, "requestWindow", &[&size])
        } else {
            value::call(&video, "requestPictureInPicture", &[])
        };
        async move {
            let opened = JsFuture::from(Promise::resolve(&started?))
                .await
                .map_err(Error::from)?;
            let (target, ended, end) = if is_document {
                (opened.clone(), "pagehide", (opened.clone(), "close"))
            } else {
                let end = (document().into(), "exitPictureInPicture");
                (video, "leavepictureinpicture", end)
            };
            let target: EventTarget = target.unchecked_into();
            let has_ended = Rc::new(Cell::new(false));
            let ends = Rc::clone(&has_ended);
            let listener = Listener::new(&target, ended, move |_| {
                ends.set(true);
                closed();
            });
            // From here on it closes the window should anything go wrong.
            let window = Self {
                end,
                has_ended,
                listener: Some(listener),
            };
            if is_document {
                furnish(&opened, &content)?;
            }
            Ok(window)
        }
    }
}

impl Drop for PopOut {
    fn drop(&mut self) {
        self.listener.take();
        if self.has_ended.get() {
            return;
        }
        let (of, method) = &self.end;
        see_to("no window to close", value::call(of, method, &[]));
    }
}

/// Puts an element into an empty window, with what makes it look as it does here.
fn furnish(window: &JsValue, content: &HtmlElement) -> Result<(), Error> {
    let there = value::get(window, "document");
    let body = value::get(&there, "body");
    if let Some(root) = document().document_element() {
        let copy = value::get(&there, "documentElement");
        for name in ["lang", "dir", "data-theme"] {
            if let Some(text) = root.get_attribute(name) {
                value::call(&copy, "setAttribute", &[&name.into(), &text.into()])?;
            }
        }
    }
    let belongings = value::call(&document(), "querySelectorAll", &[&BELONGINGS.into()])?;
    for belonging in Array::from(&belongings).iter() {
        let copy = value::call(&belonging, "cloneNode", &[&JsValue::TRUE])?;
        value::call(&body, "append", &[&copy])?;
    }
    value::call(&body, "append", &[content]).map(drop)
}
