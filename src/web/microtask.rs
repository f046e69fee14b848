//! Work to be done right after the present callback, within the same task.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Runs one piece of work in a microtask, once however often it was asked for until then.
pub struct Microtask {
    closure: Closure<dyn Fn()>,
    is_waiting: Rc<Cell<bool>>,
}

impl Microtask {
    /// Nothing runs yet. A microtask that was asked for still runs after this is dropped, as a
    /// failure that the browser logs: drop it only when nothing is waiting or the page ends.
    #[must_use]
    pub fn new(work: impl Fn() + 'static) -> Self {
        let is_waiting = Rc::new(Cell::new(false));
        let waiting = Rc::clone(&is_waiting);
        let closure = Closure::<dyn Fn()>::new(move || {
            waiting.set(false);
            work();
        });
        Self { closure, is_waiting }
    }

    /// Asks for the work to be done after the present callback.
    pub fn schedule(&self) {
        if !self.is_waiting.replace(true) {
            super::window().queue_microtask(self.closure.as_ref().unchecked_ref());
        }
    }
}
