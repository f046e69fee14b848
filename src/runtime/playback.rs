//! Playing what others say, through the chosen speaker, with the browser's leave.

use core::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::{GetUntracked, RwSignal, WithUntracked};
use visavis_call_core::{Event, Intent, LinkId, Me, MediaEvent, RequestId, Slot, View};
use web_sys::{HtmlMediaElement, MediaStream};

use super::engine::Engine;
use super::loudness::Loudness;
use super::memory;
use super::store::set_if_changed;
use super::table::Table;
use crate::web::element::{self, AudioSink};
use crate::web::task::spawn;
use crate::web::{Error, ErrorName, console, tone};

/// Elements of pages that wait for a click at once; more are forgotten.
const BLOCKED: usize = 16;

pub(super) struct Playback {
    sinks: RefCell<Table<(LinkId, Slot), AudioSink>>,
    /// Where it plays, and the core's number for that; nothing for the system's choice.
    speaker: RefCell<Option<(RequestId, String)>>,
    blocked: Rc<Blocked>,
}

/// What the browser refused to play without a click.
struct Blocked {
    elements: RefCell<Vec<HtmlMediaElement>>,
    is_any: RwSignal<bool>,
}

impl Playback {
    pub(super) fn new(is_blocked: RwSignal<bool>) -> Self {
        Self {
            sinks: RefCell::default(),
            speaker: RefCell::default(),
            blocked: Rc::new(Blocked {
                elements: RefCell::default(),
                is_any: is_blocked,
            }),
        }
    }

    /// Plays a sound of a connection from now on, if it does not yet. `refused` hears which speaker does not
    /// take it.
    pub(super) fn add(
        &self,
        link: LinkId,
        slot: Slot,
        stream: impl FnOnce() -> Option<MediaStream>,
        refused: impl FnOnce(RequestId) + 'static,
    ) {
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
        if let Some((request, speaker)) = self.speaker.borrow().clone() {
            let set = element::set_speaker(sink.element(), Some(&speaker));
            spawn(async move {
                match set.await {
                    // Aborted: it was taken away.
                    Err(error) if error.name != ErrorName::Abort => {
                        console::warn("speaker refused", error.name.as_str());
                        refused(request);
                    }
                    Ok(()) | Err(_) => {}
                }
            });
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

    /// Plays everything through another speaker, also what comes later. An error if none of what plays
    /// got there; one alone that did not may have been about to end.
    pub(super) fn set_speaker(
        &self,
        request: RequestId,
        device: Option<String>,
    ) -> impl Future<Output = Result<(), Error>> + 'static + use<> {
        let sinks = self.sinks.borrow();
        let sets: Vec<_> = sinks
            .values()
            .map(|sink| element::set_speaker(sink.element(), device.as_deref()))
            .collect();
        self.speaker.replace(device.map(|device| (request, device)));
        async move {
            let (mut is_any_set, mut outcome) = (false, Ok(()));
            for set in sets {
                match set.await {
                    Ok(()) => is_any_set = true,
                    Err(error) => outcome = Err(error),
                }
            }
            if is_any_set { Ok(()) } else { outcome }
        }
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

impl Engine {
    pub(super) fn can_choose_speaker(&self) -> bool {
        element::can_choose_speaker()
    }

    pub(super) fn choose_speaker(&self, device: Option<String>) {
        self.intend(Intent::ChooseSpeaker(device));
    }

    pub(super) fn set_speaker(&self, request: RequestId, device: Option<String>) {
        let (this, set) = (self.weak(), self.playback.set_speaker(request, device));
        spawn(async move {
            let event = match set.await {
                Ok(()) => MediaEvent::SpeakerSet { request },
                Err(error) => {
                    console::warn("speaker refused", error.name.as_str());
                    MediaEvent::SpeakerRefused { request }
                }
            };
            if let Some(engine) = this.upgrade() {
                engine.push(Event::Media(event));
            }
        });
    }

    /// Shows which speaker is picked, and remembers it: the core takes a choice back that cannot be had.
    pub(super) fn follow_speaker(&self, me: &Me) {
        let is_another = |shown: &View| shown.me.chosen_speaker != me.chosen_speaker;
        if self.store.view.with_untracked(is_another) {
            memory::put_speaker(me.chosen_speaker.as_deref());
        }
        set_if_changed(self.store.speaker, me.speaker.clone());
    }

    pub(super) fn play_test_sound(&self) {
        let device = self.store.speaker.get_untracked();
        spawn(async move {
            if let Err(error) = tone::play_test_sound(device).await {
                console::warn("test sound failed", error.name.as_str());
            }
        });
    }

    pub(super) fn unblock_playback(&self) {
        self.playback.unblock();
    }

    pub(super) fn play(&self, element: &HtmlMediaElement) {
        self.playback.play(element);
    }

    pub(super) fn play_sound(&self, link: LinkId, slot: Slot) {
        let this = self.weak();
        let refused = move |request| {
            if let Some(engine) = this.upgrade() {
                engine.push(Event::Media(MediaEvent::SpeakerRefused { request }));
            }
        };
        self.playback.add(link, slot, || self.stream(link, slot), refused);
    }
}
