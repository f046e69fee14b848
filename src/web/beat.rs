//! A steady beat that goes on in a tab that nobody sees.
//!
//! Timers of such a tab fire once a second or less, and animation frames never. What sounds does
//! not wait: there a silent note of one period follows another, and the end of each is a beat. The
//! timer stays for the tab that is seen, and for a computer without anything to play sound with,
//! where no note ever ends.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use web_sys::{AudioContext, AudioNode};

use super::mix::Mix;
use super::timer::Interval;
use super::{Error, page, value};

/// Calls a handler again and again, until this is dropped.
#[must_use = "a dropped beat is never heard"]
pub struct Beat {
    notes: Rc<Notes>,
    _closure: Closure<dyn Fn()>,
    _timer: Interval,
}

struct Notes {
    context: AudioContext,
    /// Notes that lead nowhere are not played.
    sink: AudioNode,
    period: Duration,
    /// The handler, as JavaScript knows it: it belongs to the [`Closure`], not to this.
    ended: RefCell<JsValue>,
    /// The one that sounds.
    note: RefCell<JsValue>,
}

impl Beat {
    /// Calls `handler` about every `period`, led by the clock of a mix where no timer helps. It must
    /// not drop this beat.
    pub fn new(mix: &Mix, period: Duration, handler: Rc<dyn Fn()>) -> Self {
        let (context, sink) = mix.clock();
        let notes = Rc::new(Notes {
            context: context.clone(),
            sink: sink.clone(),
            period,
            ended: RefCell::default(),
            note: RefCell::default(),
        });
        let (next, unseen) = (Rc::clone(&notes), Rc::clone(&handler));
        let closure = Closure::<dyn Fn()>::new(move || {
            if page::is_hidden() {
                unseen();
            }
            // A context that is closing plays no more.
            _ = next.play();
        });
        notes.ended.replace(Clone::clone(closure.as_ref()));
        _ = notes.play();
        Self {
            notes,
            _closure: closure,
            _timer: Interval::new(period, move || handler()),
        }
    }
}

impl Notes {
    fn play(&self) -> Result<(), Error> {
        let note = value::call(&self.context, "createConstantSource", &[])?;
        value::set(&value::get(&note, "offset"), "value", &JsValue::from(0));
        value::set(&note, "onended", &self.ended.borrow());
        value::call(&note, "connect", &[&self.sink])?;
        value::call(&note, "start", &[])?;
        let end = self.context.current_time() + self.period.as_secs_f64();
        value::call(&note, "stop", &[&end.into()])?;
        self.note.replace(note);
        Ok(())
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        let note = self.notes.note.take();
        value::set(&note, "onended", &JsValue::NULL);
        // None was played if there is none.
        _ = value::call(&note, "disconnect", &[]);
    }
}
