//! Whether somebody talks into the microphone that they turned off.
//!
//! Measured on the own track alone, which stays captured while it is off: nothing of it leaves the
//! browser. Only in a call with others, and only until the person was told once.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use visavis_call_core::{CaptureId, Event, MediaEvent, Stage, View};

use super::engine::Engine;
use crate::layout::Talk;
use crate::web::clock;
use crate::web::meter::Meter;
use crate::web::timer::Interval;

/// Time between two readings: often enough to tell talk from a knock.
const PERIOD: Duration = Duration::from_millis(100);

/// Listens while there is something to tell.
#[derive(Default)]
pub(super) struct Hint {
    /// What is measured. Without a clock if the browser could not.
    measured: RefCell<Option<(CaptureId, Option<Interval>)>>,
}

impl Hint {
    pub(super) fn stop(&self) {
        let measured = self.measured.take();
        drop(measured);
    }
}

impl Engine {
    /// Begins and ends to listen as the core says.
    pub(super) fn listen_while_muted(&self, view: &View) {
        let is_heard_by_others = view.stage == Stage::Joined && !view.people.is_empty();
        let wanted = view.me.listening_while_muted.filter(|_| is_heard_by_others);
        let measured = self.hint.measured.borrow().as_ref().map(|(capture, _)| *capture);
        if measured == wanted {
            return;
        }
        self.hint.stop();
        let Some((capture, track)) = wanted.and_then(|id| Some((id, self.captures.track(id)?))) else {
            return;
        };
        let listening = Meter::new(&track).ok().map(|meter| {
            let (this, talk) = (self.weak(), Rc::new(RefCell::new(Talk::default())));
            Interval::new(PERIOD, move || {
                let Some(engine) = this.upgrade() else { return };
                let mut is_heard = false;
                engine.with_view(|view| is_heard = view.me.microphone.is_wanted());
                if is_heard {
                    // While a key is held: those words are no sign of anything.
                    talk.take();
                } else if talk.borrow_mut().hear(clock::now(), meter.level()) {
                    engine.push(Event::Media(MediaEvent::TalkingWhileMuted));
                }
            })
        });
        self.hint.measured.replace(Some((capture, listening)));
    }
}
