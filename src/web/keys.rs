//! The keyboard, wherever the focus is: what is pressed and let go of, and what has a use for it.

use core::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event};

use super::{Listener, document, page, value, window};

/// What has the keys for itself: what one types or chooses in, and what lies above the page.
const TAKERS: &str = "input:not([type=range], [type=checkbox], [type=radio]), textarea, select, \
                      [contenteditable], dialog, [role=menu]";
/// What has them wherever the focus is, as long as it is open.
const ABOVE: &str = "dialog[open], [role=menu]";
/// What Space and Enter press or move.
const CONTROLS: &str = "button, input, a[href], summary, [role=switch], [role=slider]";
/// Keys by which one goes about a page. Who presses one sees where the focus is from then on.
const MOVERS: [&str; 9] = [
    "Tab",
    "Enter",
    "Escape",
    "ArrowUp",
    "ArrowDown",
    "ArrowLeft",
    "ArrowRight",
    "Home",
    "End",
];

/// Where the focus is, as far as keys are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// On nothing that has a use for any.
    #[default]
    Page,
    /// On something that Space and Enter press. Not if a pointer has left it there: who clicked on it
    /// is done with it.
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
    /// Whether it is the bar, whatever it writes: with another key held it has another name.
    pub is_space: bool,
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
    _listeners: [Listener; 6],
}

impl Keys {
    /// Calls `handler` at each event. It says whether it had a use for it; the browser has none then.
    pub fn new(handler: impl Fn(KeyEvent) -> bool + 'static) -> Self {
        let handler: Rc<dyn Fn(KeyEvent) -> bool> = Rc::new(handler);
        let (document, window) = (document(), window());
        let by_pointer = Rc::new(Cell::new(false));
        let listen = |kind, wrap: fn(Key) -> KeyEvent| {
            let (handler, by_pointer) = (Rc::clone(&handler), Rc::clone(&by_pointer));
            Listener::new(&document, kind, move |event| {
                let key = read(&event, by_pointer.get());
                if MOVERS.contains(&key.key.as_str()) {
                    by_pointer.set(false);
                }
                if handler(wrap(key)) {
                    event.prevent_default();
                }
            })
        };
        let (blurred, hidden, asked) = (Rc::clone(&handler), Rc::clone(&handler), Rc::clone(&handler));
        Self {
            _listeners: [
                listen("keydown", KeyEvent::Pressed),
                listen("keyup", KeyEvent::Released),
                Listener::capturing(&document, "pointerdown", move |_| by_pointer.set(true)),
                // Its menu takes the keys, and some say nothing of it.
                Listener::new(&document, "contextmenu", move |_| _ = asked(KeyEvent::Lost)),
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

fn read(event: &Event, by_pointer: bool) -> Key {
    let is = |key| value::get(event, key).is_truthy();
    Key {
        key: value::get(event, "key").as_string().unwrap_or_default(),
        has_modifier: is("ctrlKey") || is("altKey") || is("metaKey"),
        is_space: value::get(event, "code").as_string().as_deref() == Some("Space"),
        has_shift: is("shiftKey"),
        is_repeat: is("repeat"),
        focus: focus(event, by_pointer),
    }
}

fn focus(event: &Event, by_pointer: bool) -> Focus {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let is_in = |selector| {
        target
            .as_ref()
            .is_some_and(|target| matches!(target.closest(selector), Ok(Some(_))))
    };
    if is_in(TAKERS) || matches!(document().query_selector(ABOVE), Ok(Some(_))) {
        Focus::Taken
    } else if is_in(CONTROLS) && !by_pointer {
        Focus::Control
    } else {
        Focus::Page
    }
}
