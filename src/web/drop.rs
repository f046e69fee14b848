//! Files that are dragged over the page, dropped on it, or pasted into it.
//!
//! What is dragged and is no file is left alone. A file that is dropped on a page that does nothing about
//! it takes the page's place, and with it the call's; so while this lives none does.

use core::cell::RefCell;
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::JsCast;
use web_sys::{DataTransfer, Element, Event, EventTarget, FileList};

use super::{Listener, document, value, window};

/// What one types in: text that is pasted there belongs there.
const FIELDS: &str = "input, textarea, [contenteditable]";

/// What happens to files.
#[derive(Clone, Debug)]
pub enum DropEvent {
    /// They are above what the event is about.
    Over(Event),
    /// They are above the page no longer.
    Left,
    /// They were let go of above what the event is about. To be read at once: later there is nothing.
    Dropped(Event, DataTransfer),
    /// They were pasted. They stay.
    Pasted(FileList),
}

/// Hears of files until dropped.
pub struct Drops {
    _listeners: [Listener; 5],
}

impl Drops {
    /// Calls `handler` at each event. It says whether it had a use for the files; the person sees
    /// beforehand whether it has.
    pub fn new(handler: impl Fn(DropEvent) -> bool + 'static) -> Self {
        let handler: Rc<dyn Fn(DropEvent) -> bool> = Rc::new(handler);
        // What they came over last. What they leave otherwise is behind them.
        let over: Rc<RefCell<Option<EventTarget>>> = Rc::default();
        let window = window();
        let (entered, left, let_go) = (Rc::clone(&over), Rc::clone(&over), over);
        let [on_over, on_left, on_dropped, on_pasted] = [0; 4].map(|_| Rc::clone(&handler));
        let dragged = move |event: Event| {
            let Some(files) = carried(&event, "dataTransfer") else {
                return;
            };
            event.prevent_default();
            let takes = on_over(DropEvent::Over(event));
            files.set_drop_effect(if takes { "copy" } else { "none" });
        };
        let again = dragged.clone();
        Self {
            _listeners: [
                Listener::new(&window, "dragenter", move |event| {
                    entered.replace(event.target());
                    dragged(event);
                }),
                Listener::new(&window, "dragover", again),
                Listener::new(&window, "dragleave", move |event| {
                    let is_out = *left.borrow() == event.target();
                    if is_out && left.take().is_some() {
                        on_left(DropEvent::Left);
                    }
                }),
                Listener::new(&window, "drop", move |event| {
                    let_go.take();
                    if let Some(files) = carried(&event, "dataTransfer") {
                        event.prevent_default();
                        on_dropped(DropEvent::Dropped(event, files));
                    }
                }),
                Listener::new(&document(), "paste", move |event| {
                    let Some(files) = carried(&event, "clipboardData") else {
                        return;
                    };
                    // Text with a picture of it, as offices copy it, is text where one types.
                    if is_in_field(&event) && has_type(&files, "text/plain") {
                        return;
                    }
                    if let Some(kept) = keep(&files)
                        && on_pasted(DropEvent::Pasted(kept))
                    {
                        event.prevent_default();
                    }
                }),
            ],
        }
    }
}

/// What an event carries, if there is a file in it.
fn carried(event: &Event, key: &str) -> Option<DataTransfer> {
    let carried: DataTransfer = value::get(event, key).dyn_into().ok()?;
    has_type(&carried, "Files").then_some(carried)
}

fn has_type(carried: &DataTransfer, wanted: &str) -> bool {
    let types = Array::from(&value::get(carried, "types"));
    types
        .iter()
        .any(|kind| kind.as_string().as_deref() == Some(wanted))
}

fn is_in_field(event: &Event) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| matches!(target.closest(FIELDS), Ok(Some(_))))
}

/// A list of the same files that outlasts the event; `None` if there is none among them after all.
fn keep(files: &DataTransfer) -> Option<FileList> {
    let kept = DataTransfer::new().ok()?;
    let items = value::get(&kept, "items");
    for file in Array::from(&value::get(files, "files")).iter() {
        // Fails for nothing that was just empty.
        _ = value::call(&items, "add", &[&file]);
    }
    kept.files().filter(|list| list.length() > 0)
}
