//! The tab: seen or hidden, online or not, on its way out.

use std::rc::Rc;

use web_sys::VisibilityState;

use super::{Listener, document, value, window};

/// What happened to the tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageEvent {
    /// It went to the background (`true`) or came back.
    Hidden(bool),
    /// The computer has a network (`true`) or lost it.
    Online(bool),
    /// The page goes away: closed, reloaded, or left for another site. The last thing heard.
    Leaving,
    /// The page is back from the browser's memory, with everything that was closed on leaving.
    Restored,
}

/// Hears of the tab until dropped.
pub struct Page {
    _listeners: [Listener; 5],
}

impl Page {
    /// Calls `handler` at each change.
    pub fn new(handler: impl Fn(PageEvent) + 'static) -> Self {
        let handler = Rc::new(handler);
        let window = window();
        let tell = |kind, event| {
            let handler = Rc::clone(&handler);
            Listener::new(&window, kind, move |_| handler(event))
        };
        let (on_visible, on_show) = (Rc::clone(&handler), Rc::clone(&handler));
        Self {
            _listeners: [
                tell("online", PageEvent::Online(true)),
                tell("offline", PageEvent::Online(false)),
                // Unlike `unload` and `beforeunload` it comes on phones too.
                tell("pagehide", PageEvent::Leaving),
                Listener::new(&document(), "visibilitychange", move |_| {
                    on_visible(PageEvent::Hidden(is_hidden()));
                }),
                Listener::new(&window, "pageshow", move |event| {
                    if value::get(&event, "persisted").is_truthy() {
                        on_show(PageEvent::Restored);
                    }
                }),
            ],
        }
    }
}

/// The `id` of what has the focus, if it has one.
#[must_use]
pub fn focused_id() -> Option<String> {
    let id = document().active_element()?.id();
    (!id.is_empty()).then_some(id)
}

/// Gives the focus to whatever has this `id` now.
pub fn focus_id(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        // Whatever had the focus before has the method.
        _ = value::call(&element, "focus", &[]);
    }
}

/// Whether people touch this device: it has a screen to be held, and so probably cameras on both sides.
#[must_use]
pub fn has_touch() -> bool {
    let points = value::get(&window().navigator(), "maxTouchPoints").as_f64();
    points.is_some_and(|points| points > 0.0)
}

/// Whether a finger is what people mostly point with here: then a keyboard is probably on the screen.
#[must_use]
pub fn is_touched() -> bool {
    let query = value::call(&window(), "matchMedia", &[&"(pointer: coarse)".into()]);
    query.is_ok_and(|query| value::get(&query, "matches").is_truthy())
}

/// Makes the browser ask the person before the page goes away, until this is dropped.
pub fn hold() -> Listener {
    Listener::new(&window(), "beforeunload", |event| {
        event.prevent_default();
        // The older way to say it.
        value::set(&event, "returnValue", &true.into());
    })
}

/// Whether nobody can see the tab.
#[must_use]
pub fn is_hidden() -> bool {
    document().visibility_state() == VisibilityState::Hidden
}

/// Whether the page came over HTTPS or from this machine: without that a browser gives no camera,
/// microphone or clipboard.
#[must_use]
pub fn is_secure() -> bool {
    window().is_secure_context()
}

/// Whether the page is here because it was loaded again.
#[must_use]
pub fn is_reload() -> bool {
    // The older of two ways to ask: Firefox fills in the newer one only once the page has loaded.
    const RELOAD: f64 = 1.0;
    let performance = value::get(&window(), "performance");
    let navigation = value::get(&performance, "navigation");
    value::get(&navigation, "type").as_f64() == Some(RELOAD)
}

/// Marks the body with `data-<key>="<text>"`, for styles and for tests.
pub fn mark_body(key: &str, text: &str) {
    if let Some(body) = document().body() {
        _ = body.set_attribute(key, text);
    }
}

/// Takes the static first paint away, once the app has painted its own.
pub fn remove_shell() {
    if let Some(shell) = document().get_element_by_id("shell") {
        shell.remove();
    }
}

/// Names the build that this page runs: the fingerprint in the file name of its script.
#[must_use]
pub fn build() -> String {
    let script = document()
        .query_selector("link[rel=modulepreload]")
        .ok()
        .flatten()
        .and_then(|link| link.get_attribute("href"))
        .unwrap_or_default();
    let name = script.rsplit('/').next().unwrap_or_default();
    name.trim_end_matches(".js")
        .rsplit('-')
        .next()
        .unwrap_or_default()
        .to_owned()
}
