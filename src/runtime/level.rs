//! How loud the own microphone is, measured while somebody looks.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::Rc;

use leptos::prelude::RwSignal;
use visavis_call_core::CaptureId;
use web_sys::MediaStreamTrack;

use super::store::set_if_changed;
use crate::web::meter::Meter;
use crate::web::timer::Interval;

/// Time between two readings: lively to the eye, and next to no work.
const PERIOD: Duration = Duration::from_millis(66);
/// Steps between silence and full scale: what a meter on a screen can show.
const STEPS: f64 = 50.0;

pub(super) struct Level {
    level: RwSignal<f64>,
    watchers: Cell<usize>,
    /// The microphone to measure, as long as it runs.
    track: RefCell<Option<(CaptureId, MediaStreamTrack)>>,
    running: RefCell<Option<Interval>>,
}

impl Level {
    pub(super) fn new(level: RwSignal<f64>) -> Self {
        Self {
            level,
            watchers: Cell::new(0),
            track: RefCell::default(),
            running: RefCell::default(),
        }
    }

    /// One more looks (`true`), or one less.
    pub(super) fn watch(&self, on: bool) {
        let before = self.watchers.get();
        self.watchers
            .set(if on { before + 1 } else { before.saturating_sub(1) });
        if before.min(1) != self.watchers.get().min(1) {
            self.restart();
        }
    }

    /// Measures another microphone from now on, or none.
    pub(super) fn use_track(&self, track: Option<(CaptureId, MediaStreamTrack)>) {
        let id = |track: &Option<(CaptureId, MediaStreamTrack)>| track.as_ref().map(|(id, _)| *id);
        let is_same = id(&self.track.borrow()) == id(&track);
        if !is_same {
            self.track.replace(track);
            self.restart();
        }
    }

    /// Measures nothing any more.
    pub(super) fn stop(&self) {
        self.track.take();
        self.restart();
    }

    fn restart(&self) {
        self.running.take();
        let is_watched = self.watchers.get() > 0;
        let track = self
            .track
            .borrow()
            .as_ref()
            .filter(|_| is_watched)
            .map(|(_, track)| Clone::clone(track));
        let level = self.level;
        let Some(meter) = track.and_then(|track| Meter::new(&track).ok()).map(Rc::new) else {
            set_if_changed(level, 0.0);
            return;
        };
        self.running.replace(Some(Interval::new(PERIOD, move || {
            set_if_changed(level, (meter.level() * STEPS).round() / STEPS);
        })));
    }
}
