//! Listeners that take themselves off again.

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AddEventListenerOptions, Event, EventTarget};

/// A handler on an event target, there until this is dropped.
///
/// The handler is a `Fn` and must only enqueue: the browser may call it while another one runs. It
/// must not drop its own listener, directly or otherwise; the queue does that later.
#[must_use = "a dropped listener hears nothing"]
pub struct Listener {
    target: EventTarget,
    kind: &'static str,
    capture: bool,
    closure: Closure<dyn Fn(Event)>,
}

impl Listener {
    /// Calls `handler` at each event of a kind.
    pub fn new(target: &EventTarget, kind: &'static str, handler: impl Fn(Event) + 'static) -> Self {
        Self::attach(target, kind, false, handler)
    }

    /// The same, before the handlers of the elements below the target.
    pub fn capturing(target: &EventTarget, kind: &'static str, handler: impl Fn(Event) + 'static) -> Self {
        Self::attach(target, kind, true, handler)
    }

    fn attach(
        target: &EventTarget,
        kind: &'static str,
        capture: bool,
        handler: impl Fn(Event) + 'static,
    ) -> Self {
        let closure = Closure::<dyn Fn(Event)>::new(handler);
        let options = AddEventListenerOptions::new();
        options.set_capture(capture);
        // `addEventListener` throws for no argument that has these types.
        _ = target.add_event_listener_with_callback_and_add_event_listener_options(
            kind,
            closure.as_ref().unchecked_ref(),
            &options,
        );
        Self {
            target: target.clone(),
            kind,
            capture,
            closure,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let handler: &JsValue = self.closure.as_ref();
        _ = self.target.remove_event_listener_with_callback_and_bool(
            self.kind,
            handler.unchecked_ref(),
            self.capture,
        );
    }
}
