//! Who of the others speaks: asks each connection a few times a second how loud it is.
//!
//! Only in a call with others, and in a tab that nobody sees only for what is seen elsewhere: the small
//! window above all others, and a recording. The own microphone is not asked: a meter on it would keep
//! an audio context running through the whole call.

use core::cell::{Cell, RefCell};
use core::time::Duration;

use leptos::prelude::{GetUntracked, WithUntracked};
use visavis_call_core::{Stage, View};
use visavis_protocol::SeatId;

use super::engine::Engine;
use super::store::set_if_changed;
use crate::layout::Voices;
use crate::web::task::spawn;
use crate::web::timer::Interval;
use crate::web::{clock, page};

/// Time between two readings: often enough that a ring is lit within half a second.
const PERIOD: Duration = Duration::from_millis(200);

/// Listens while there is somebody to listen to.
#[derive(Default)]
pub(super) struct Listening {
    voices: RefCell<Voices<SeatId>>,
    running: RefCell<Option<Interval>>,
    /// Whether a reading is under way: a browser that is slow is asked less often.
    is_asking: Cell<bool>,
}

impl Listening {
    /// Listens to nobody any more, and forgets who spoke.
    pub(super) fn stop(&self) {
        self.running.take();
        self.voices.take();
    }
}

impl Engine {
    /// Begins and ends to listen as others come and go.
    pub(super) fn listen_to_voices(&self, view: &View) {
        let is_wanted = view.stage == Stage::Joined && !view.people.is_empty();
        if is_wanted == self.listening.running.borrow().is_some() {
            return;
        }
        if is_wanted {
            let this = self.weak();
            let interval = Interval::new(PERIOD, move || {
                if let Some(engine) = this.upgrade() {
                    engine.hear_voices();
                }
            });
            self.listening.running.replace(Some(interval));
        } else {
            self.listening.stop();
            self.show_voices();
        }
    }

    fn hear_voices(&self) {
        let is_out = self.store.is_popped_out.get_untracked();
        let is_recording = self.store.view.with_untracked(|view| view.me.recording);
        if page::is_hidden() && !is_out && !is_recording {
            return;
        }
        if self.listening.is_asking.replace(true) {
            return;
        }
        let asked: Vec<_> = self.store.view.with_untracked(|view| {
            let people = view.people.iter();
            people
                .map(|person| {
                    let speaks = person.link.filter(|_| person.status.microphone);
                    let link = speaks.and_then(|link| self.links.get(link));
                    (person.seat, link.map(|link| link.level()))
                })
                .collect()
        });
        let this = self.weak();
        spawn(async move {
            let mut levels = Vec::with_capacity(asked.len());
            for (seat, level) in asked {
                // All were asked at once: the first one that is waited for waits for the others, too.
                let level = match level {
                    Some(level) => level.await,
                    None => None,
                };
                levels.push((seat, level.unwrap_or_default()));
            }
            let Some(engine) = this.upgrade() else { return };
            let listening = &engine.listening;
            listening.is_asking.set(false);
            // Nobody is listened to any more, if the call ended meanwhile.
            if listening.running.borrow().is_some() {
                listening.voices.borrow_mut().hear(clock::now(), &levels);
                engine.show_voices();
            }
        });
    }

    fn show_voices(&self) {
        let voices = self.listening.voices.borrow();
        let speaking = voices.speaking().collect();
        let last = voices.last_speaker().into_iter().collect();
        drop(voices);
        for (signal, value) in [(self.store.speaking, speaking), (self.store.last_speaker, last)] {
            set_if_changed(signal, value);
        }
    }
}
