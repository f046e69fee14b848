//! What the page may do with camera and microphone, and when that changes: W3C Permissions.
//!
//! It tells what `getUserMedia` would do without asking for anything. Not every browser knows these
//! names; then nothing is told.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::EventTarget;

use super::capture::Source;
use super::{Listener, value, window};

/// `PermissionState`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// `"granted"`
    Granted,
    /// `"prompt"`
    Prompt,
    /// `"denied"`
    Denied,
}

/// Asks what the page may do, now: the status to be watched and what it says. `None` where the browser
/// does not tell.
pub async fn of(source: Source) -> Option<(EventTarget, State)> {
    let name = match source {
        Source::Microphone => "microphone",
        Source::Camera => "camera",
    };
    let permissions = value::get(&window().navigator(), "permissions");
    let question = value::dictionary(&[("name", name.into())]);
    let asked = value::call(&permissions, "query", &[&question]).ok()?;
    let status = JsFuture::from(asked.dyn_into::<js_sys::Promise>().ok()?)
        .await
        .ok()?;
    let state = state(&status)?;
    Some((status.unchecked_into(), state))
}

/// Calls `handler` at each change of a status, until dropped.
pub fn watch(status: &EventTarget, handler: impl Fn(State) + 'static) -> Listener {
    let watched = status.clone();
    Listener::new(status, "change", move |_| {
        if let Some(state) = state(&watched) {
            handler(state);
        }
    })
}

fn state(status: &wasm_bindgen::JsValue) -> Option<State> {
    match value::get(status, "state").as_string()?.as_str() {
        "granted" => Some(State::Granted),
        "prompt" => Some(State::Prompt),
        "denied" => Some(State::Denied),
        _ => None,
    }
}
