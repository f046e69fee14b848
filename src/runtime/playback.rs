//! Playing what others say, through the chosen speaker, with the browser's leave.

use core::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::RwSignal;
use visavis_call_core::{LinkId, Slot};
use web_sys::{HtmlMediaElement, MediaStream};

use super::loudness::Loudness;
use super::store::set_if_changed;
use super::table::Table;
use crate::web::element::{self, AudioSink};
use crate::web::task::spawn;
use crate::web::{ErrorName, console};

/// Elements of pages that wait for a click at once; more are forgotten.
const BLOCKED: usize = 16;

pub(super) struct Playback {
    sinks: RefCell<Table<(LinkId, Slot), AudioSink>>,
    speaker: RefCell<Option<String>>,
    blocked: Rc<Blocked>,
}

/// What the browser refused to play without a click.
struct Blocked {
    elements: RefCell<Vec<HtmlMediaElement>>,
    is_any: RwSignal<bool>,
}

impl Playback {
    pub(super) fn new(is_blocked: RwSignal<bool>, speaker: Option<String>) -> Self {
        Self {
            sinks: RefCell::default(),
            speaker: RefCell::new(speaker),
            blocked: Rc::new(Blocked {
                elements: RefCell::default(),
                is_any: is_blocked,
            }),
        }
    }

    /// Plays a sound of a connection from now on, if it does not yet.
    pub(super) fn add(&self, link: LinkId, slot: Slot, stream: impl FnOnce() -> Option<MediaStream>) {
        if self.sinks.borrow().contains((link, slot)) {
            return;
        }
        let Some(stream) = stream() else { return };
        let sink = match AudioSink::new(&stream) {
            Ok(sink) => sink,
            Err(error) => {
                console::warn("no element for sound", error.message);
                return;
            }
        };
        let speaker = self.speaker.borrow().clone();
        if speaker.is_some() {
            choose(sink.element(), speaker.as_deref());
        }
        self.play(sink.element());
        self.sinks.borrow_mut().insert((link, slot), sink);
    }

    /// Plays the sounds of a connection no more.
    pub(super) fn remove(&self, link: LinkId) {
        for slot in [Slot::Audio, Slot::ScreenSound] {
            let sink = self.sinks.borrow_mut().remove((link, slot));
            if let Some(sink) = sink {
                self.blocked.forget(sink.element());
            }
        }
    }

    pub(super) fn clear(&self) {
        let sinks = self.sinks.take();
        drop(sinks);
        self.blocked.elements.take();
    }

    /// Makes the sounds of a connection this loud: the voice, and what is shared beside it.
    pub(super) fn set_loudness(&self, link: LinkId, loudness: Loudness) {
        let sinks = self.sinks.borrow();
        let of_link = [Slot::Audio, Slot::ScreenSound].map(|slot| sinks.get((link, slot)));
        for sink in of_link.into_iter().flatten() {
            let element = sink.element();
            element.set_volume(f64::from(loudness.percent) / 100.0);
            // Some phones let no page set a volume; silence is always to be had.
            element.set_muted(loudness.is_muted || loudness.percent == 0);
        }
    }

    pub(super) fn choose_speaker(&self, device: Option<String>) {
        for sink in self.sinks.borrow().values() {
            choose(sink.element(), device.as_deref());
        }
        self.speaker.replace(device);
    }

    /// Plays an element, now or at the next [`Playback::unblock`].
    pub(super) fn play(&self, element: &HtmlMediaElement) {
        let played = element::play(element);
        let (element, blocked) = (element.clone(), Rc::clone(&self.blocked));
        spawn(async move {
            match played.await {
                // Aborted: it got something else to play, or was taken away.
                Err(error) if error.name == ErrorName::NotAllowed => blocked.remember(element),
                Ok(()) | Err(_) => {}
            }
        });
    }

    /// Plays all that was refused. Only within a click.
    pub(super) fn unblock(&self) {
        let refused = self.blocked.elements.take();
        self.blocked.tell();
        for element in refused {
            self.play(&element);
        }
    }
}

impl Blocked {
    fn remember(&self, element: HtmlMediaElement) {
        if self.elements.borrow().len() < BLOCKED {
            self.elements.borrow_mut().push(element);
        }
        self.tell();
    }

    fn forget(&self, element: &HtmlMediaElement) {
        self.elements.borrow_mut().retain(|refused| refused != element);
        self.tell();
    }

    fn tell(&self) {
        set_if_changed(self.is_any, !self.elements.borrow().is_empty());
    }
}

fn choose(element: &HtmlMediaElement, speaker: Option<&str>) {
    let chosen = element::set_speaker(element, speaker);
    spawn(async move {
        // A speaker that is gone leaves the sound where it was, which is better than none.
        if let Err(error) = chosen.await {
            console::warn("speaker refused", error.name.as_str());
        }
    });
}
