//! Notifications of the system: W3C Notifications. Not every browser lets a page show them.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{Error, Listener, value, window};

const CLASS: &str = "Notification";

/// What the page may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// There are none here, or a page may not show them.
    Absent,
    /// The person was not asked.
    Unasked,
    /// They may be shown.
    Granted,
    /// They may not, and the browser would not even ask.
    Denied,
}

/// What the page may do now.
#[must_use]
pub fn permission() -> Permission {
    let class = value::get(&js_sys::global(), CLASS);
    match value::get(&class, "permission").as_string().as_deref() {
        Some("granted") => Permission::Granted,
        Some("denied") => Permission::Denied,
        Some("default") => Permission::Unasked,
        _ => Permission::Absent,
    }
}

/// Asks the person. Only within a click.
///
/// # Errors
/// If the browser has none.
pub async fn ask() -> Result<Permission, Error> {
    let class = value::get(&js_sys::global(), CLASS);
    let asked = value::call(&class, "requestPermission", &[])?;
    JsFuture::from(js_sys::Promise::resolve(&asked))
        .await
        .map_err(Error::from)?;
    Ok(permission())
}

/// A notification that is shown until it is clicked, closed or dropped.
pub struct Notification {
    object: JsValue,
    _clicked: Listener,
}

impl Notification {
    /// Shows one in place of the one before it that had its tag, in whichever tab. A click on it brings the tab to the front.
    ///
    /// # Errors
    /// If the browser will not: Android's wants a worker for it.
    pub fn show(tag: &str, title: &str, body: &str) -> Result<Self, Error> {
        let options = value::dictionary(&[("body", body.into()), ("tag", tag.into())]);
        let object = value::construct(CLASS, &[&title.into(), &options])?;
        let shown = object.clone();
        let clicked = Listener::new(object.unchecked_ref(), "click", move |_| {
            _ = window().focus();
            _ = value::call(&shown, "close", &[]);
        });
        Ok(Self {
            object,
            _clicked: clicked,
        })
    }
}

impl Drop for Notification {
    fn drop(&mut self) {
        _ = value::call(&self.object, "close", &[]);
    }
}
