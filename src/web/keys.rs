//! The keyboard, wherever the focus is: what is pressed and let go of, and what has a use for it.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event};

use super::{Listener, document, page, value, window};

/// What has the keys for itself: what one types or chooses in, and what lies above the page.
const TAKERS: &str = "input:not([type=range], [type=checkbox], [type=radio]), textarea, select, \
                      [contenteditable], dialog, [role=menu]";
/// What Space and Enter press or move.
const CONTROLS: &str = "button, input, a[href], summary, [role=switch], [role=slider]";

/// Where the focus is, as far as keys are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// On nothing that has a use for any.
    #[default]
    Page,
    /// On something that Space and Enter press.
    Control,
    /// In something that has them all: a field, a menu, a dialog.
    Taken,
}

/// A key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// `KeyboardEvent.key`: what it writes, or its name.
    pub key: String,
    /// Whether Control, Alt or Meta is held: it belongs to the browser or the system then.
    pub has_modifier: bool,
    /// Whether Shift is held.
    pub has_shift: bool,
    /// Whether it has been held down for a while.
    pub is_repeat: bool,
    /// Where the focus is.
    pub focus: Focus,
}

/// What happened to the keyboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// A key went down, or is held.
    Pressed(Key),
    /// A key went up.
    Released(Key),
    /// Keys go elsewhere from now on: what is held down will not be heard to go up.
    Lost,
}

/// Hears of keys until dropped.
pub struct Keys {
    _listeners: [Listener; 4],
}

impl Keys {
    /// Calls `handler` at each event. It says whether it had a use for it; the browser has none then.
    pub fn new(handler: impl Fn(KeyEvent) -> bool + 'static) -> Self {
        let handler: Rc<dyn Fn(KeyEvent) -> bool> = Rc::new(handler);
        let (document, window) = (document(), window());
        let listen = |kind, wrap: fn(Key) -> KeyEvent| {
            let handler = Rc::clone(&handler);
            Listener::new(&document, kind, move |event| {
                if handler(wrap(read(&event))) {
                    event.prevent_default();
                }
            })
        };
        let (blurred, hidden) = (Rc::clone(&handler), Rc::clone(&handler));
        Self {
            _listeners: [
                listen("keydown", KeyEvent::Pressed),
                listen("keyup", KeyEvent::Released),
                Listener::new(&window, "blur", move |_| _ = blurred(KeyEvent::Lost)),
                Listener::new(&document, "visibilitychange", move |_| {
                    if page::is_hidden() {
                        hidden(KeyEvent::Lost);
                    }
                }),
            ],
        }
    }
}

fn read(event: &Event) -> Key {
    let is = |key| value::get(event, key).is_truthy();
    Key {
        key: value::get(event, "key").as_string().unwrap_or_default(),
        has_modifier: is("ctrlKey") || is("altKey") || is("metaKey"),
        has_shift: is("shiftKey"),
        is_repeat: is("repeat"),
        focus: focus(event),
    }
}

fn focus(event: &Event) -> Focus {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let is_in = |selector| {
        target
            .as_ref()
            .is_some_and(|target| matches!(target.closest(selector), Ok(Some(_))))
    };
    if is_in(TAKERS) {
        Focus::Taken
    } else if is_in(CONTROLS) {
        Focus::Control
    } else {
        Focus::Page
    }
}
