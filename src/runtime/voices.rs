//! Who of the others speaks: asks each connection a few times a second how loud it is.
//!
//! Only in a call with others, and in a tab that nobody sees only for what is seen elsewhere: the small
//! window above all others, and a recording. The own microphone is not asked: a meter on it would keep
//! an audio context running through the whole call.

use core::cell::RefCell;
use core::time::Duration;

use leptos::prelude::{GetUntracked, WithUntracked};
use visavis_call_core::{Stage, View};
use visavis_protocol::SeatId;

use super::engine::Engine;
use super::store::set_if_changed;
use crate::layout::Voices;
use crate::web::timer::Interval;
use crate::web::{clock, page};

/// Time between two readings: often enough that a ring is lit within half a second, and next to no
/// work.
const PERIOD: Duration = Duration::from_millis(200);

/// Listens while there is somebody to listen to.
#[derive(Default)]
pub(super) struct Listening {
    voices: RefCell<Voices<SeatId>>,
    running: RefCell<Option<Interval>>,
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
        let levels: Vec<(SeatId, f64)> = self.store.view.with_untracked(|view| {
            let people = view.people.iter();
            people
                .map(|person| {
                    let link = person.link.and_then(|link| self.links.get(link));
                    // Asked also of who is muted, so that what is old by then counts for nothing.
                    let level = link.and_then(|link| link.level()).unwrap_or_default();
                    (person.seat, if person.status.microphone { level } else { 0.0 })
                })
                .collect()
        });
        self.listening.voices.borrow_mut().hear(clock::now(), &levels);
        self.show_voices();
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
