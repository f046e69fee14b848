//! Telling how much room an element has.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, ResizeObserver};

use super::console;

/// Hears of an element's size until dropped, beginning with the present one.
pub struct ResizeWatch {
    observer: Option<ResizeObserver>,
    _closure: Closure<dyn Fn()>,
}

impl ResizeWatch {
    /// Calls `handler` with the width and height, in CSS pixels, of the element's inside.
    pub fn new(element: &Element, handler: impl Fn(f64, f64) + 'static) -> Self {
        let watched = element.clone();
        let closure = Closure::<dyn Fn()>::new(move || {
            handler(watched.client_width().into(), watched.client_height().into());
        });
        let observer = ResizeObserver::new(closure.as_ref().unchecked_ref())
            .inspect_err(|error| console::warn("no ResizeObserver", error))
            .ok();
        if let Some(observer) = &observer {
            observer.observe(element);
        }
        Self {
            observer,
            _closure: closure,
        }
    }
}

impl Drop for ResizeWatch {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
    }
}
