//! Captures by the core's numbers, and the previews of the own camera and screen.

use core::cell::RefCell;

use leptos::prelude::GetUntracked;
use visavis_call_core::{
    CaptureError, CaptureId, CaptureKind, CaptureRequest, CaptureState, Device, Event, Facing, Me, MediaEvent,
};
use wasm_bindgen::JsCast;
use web_sys::{MediaStream, MediaStreamTrack};

use super::choices::Choice;
use super::engine::Engine;
use super::store::Shown;
use super::table::Table;
use crate::web::capture::{self, Source, Track, TrackEvent, Wish};
use crate::web::devices::{DeviceInfo, DeviceKind};
use crate::web::screen::Content;
use crate::web::task::spawn;
use crate::web::{Error, ErrorName, boot, screen};

/// The captures that are wanted.
#[derive(Default)]
pub(super) struct Captures {
    /// `None` while the browser is asking. What comes for a number that is not in here is stopped.
    tracks: RefCell<Table<CaptureId, Option<Running>>>,
    camera: RefCell<Preview>,
    screen: RefCell<Preview>,
}

/// A capture that has come.
struct Running {
    track: Track,
    /// Of a screen, if it brings any.
    sound: Option<Track>,
}

/// The stream that shows the own camera, or screen: one object for the page's life, so that no
/// element has to be made anew when the camera changes.
#[derive(Default)]
struct Preview {
    stream: Option<MediaStream>,
    showing: Option<CaptureId>,
}

impl Captures {
    /// The track of a capture, if it runs.
    pub(super) fn track(&self, capture: CaptureId) -> Option<MediaStreamTrack> {
        let tracks = self.tracks.borrow();
        Some(Clone::clone(tracks.get(capture)?.as_ref()?.track.media()))
    }

    /// The sound of what is shared, if it runs.
    pub(super) fn sound(&self, capture: CaptureId) -> Option<MediaStreamTrack> {
        let tracks = self.tracks.borrow();
        let sound = tracks.get(capture)?.as_ref()?.sound.as_ref();
        Some(Clone::clone(sound?.media()))
    }

    /// Stops a capture, or makes sure that it is stopped when it comes.
    pub(super) fn stop(&self, capture: CaptureId) {
        let track = self.tracks.borrow_mut().remove(capture);
        drop(track);
    }

    pub(super) fn clear(&self) {
        let tracks = self.tracks.take();
        drop(tracks);
    }

    /// Keeps what came, or stops it if nobody wants it any more.
    fn keep(&self, capture: CaptureId, running: Running) {
        if let Some(kept) = self.tracks.borrow_mut().get_mut(capture) {
            *kept = Some(running);
        }
    }

    /// Shows a capture in a preview, or none.
    fn show(&self, preview: &RefCell<Preview>, shown: Shown, capture: Option<CaptureId>) {
        use leptos::prelude::Set;

        let mut preview = preview.borrow_mut();
        if preview.showing == capture {
            return;
        }
        let Some(stream) = preview.stream.clone().or_else(|| MediaStream::new().ok()) else {
            return;
        };
        for track in stream.get_tracks().iter() {
            stream.remove_track(track.unchecked_ref());
        }
        if let Some(track) = capture.and_then(|capture| self.track(capture)) {
            stream.add_track(&track);
        }
        let was_shown = preview.showing.is_some();
        preview.showing = capture;
        preview.stream = Some(Clone::clone(&stream));
        drop(preview);
        if was_shown != capture.is_some() {
            shown.set(capture.map(|_| stream));
        }
    }
}

impl Engine {
    /// Asks for a camera, a microphone or a screen.
    pub(super) fn capture(&self, request: CaptureRequest) {
        let CaptureRequest {
            capture,
            kind,
            device,
            facing,
        } = request;
        self.captures.tracks.borrow_mut().insert(capture, None);
        let Some(source) = source(kind) else {
            self.capture_screen(capture);
            return;
        };
        // What was begun ahead asked for no side.
        let begun = facing
            .is_none()
            .then(|| boot::take_capture(source, device.as_deref()));
        let wish = Wish {
            device,
            facing: facing.map(facing_name),
        };
        let this = self.weak();
        spawn(async move {
            let outcome = capture::open(source, wish, begun.flatten()).await;
            match this.upgrade() {
                Some(engine) => engine.captured(capture, kind, outcome),
                // The app has ended: stop what came.
                None => drop(outcome.map(|track| Track::new(track, |_| ()))),
            }
        });
    }

    fn captured(&self, capture: CaptureId, kind: CaptureKind, outcome: Result<MediaStreamTrack, Error>) {
        match outcome {
            Ok(track) => self.runs(capture, kind, track, None),
            Err(error) => self.failed(capture, &error),
        }
    }

    /// Has the person choose a screen.
    fn capture_screen(&self, capture: CaptureId) {
        let chosen = screen::open(self.content());
        let this = self.weak();
        spawn(async move {
            let outcome = chosen.await;
            let Some(engine) = this.upgrade() else {
                drop(outcome.map(|shared| {
                    let sound = shared.sound.map(|sound| Track::new(sound, |_| ()));
                    (Track::new(shared.picture, |_| ()), sound)
                }));
                return;
            };
            match outcome {
                Ok(shared) => engine.runs(capture, CaptureKind::Screen, shared.picture, shared.sound),
                Err(error) => engine.failed(capture, &error),
            }
        });
    }

    /// What the person wants shared pictures to be good for.
    fn content(&self) -> Content {
        if self.store.choices[Choice::ScreenMotion as usize].get_untracked() {
            Content::Motion
        } else {
            Content::Text
        }
    }

    /// Makes a screen that is being shared good for what the person wants by now.
    pub(super) fn apply_content(&self) {
        let shared = self.captures.screen.borrow().showing;
        if let Some(picture) = shared.and_then(|capture| self.captures.track(capture)) {
            screen::prefer(&picture, self.content());
        }
    }

    /// The sound that is shared beside a screen, if any is.
    pub(super) fn own_screen_sound(&self) -> Option<MediaStreamTrack> {
        let shared = self.captures.screen.borrow().showing;
        shared.and_then(|capture| self.captures.sound(capture))
    }

    /// Whether what is shared may be shown here as well: see [`screen::is_tab`].
    pub(super) fn may_show_own_screen(&self) -> bool {
        let shared = self.captures.screen.borrow().showing;
        shared
            .and_then(|capture| self.captures.track(capture))
            .is_some_and(|picture| screen::is_tab(&picture))
    }

    fn failed(&self, capture: CaptureId, error: &Error) {
        self.captures.stop(capture);
        crate::web::console::warn("capture failed", error.name.as_str());
        self.push(Event::Media(MediaEvent::CaptureFailed {
            capture,
            error: capture_error(&error.name),
        }));
    }

    /// A capture has come.
    fn runs(
        &self,
        capture: CaptureId,
        kind: CaptureKind,
        track: MediaStreamTrack,
        sound: Option<MediaStreamTrack>,
    ) {
        let this = self.weak();
        let track = Track::new(track, move |event| {
            let Some(engine) = this.upgrade() else { return };
            match event {
                TrackEvent::Ended => engine.capture_ended(capture, kind),
                TrackEvent::Muted(muted) => {
                    engine.push(Event::Media(MediaEvent::CaptureMuted { capture, muted }));
                }
            }
        });
        let sound = sound.map(|sound| self.sound_runs(capture, sound));
        let (device, muted) = (track.device(), track.is_muted());
        let is_heard = sound.as_ref().is_some_and(|sound| !sound.is_muted());
        let facing = [Facing::User, Facing::Environment]
            .into_iter()
            .find(|facing| facing_name(*facing) == track.facing());
        self.captures.keep(capture, Running { track, sound });
        self.push(Event::Media(MediaEvent::Captured {
            capture,
            device,
            facing,
        }));
        if muted {
            self.push(Event::Media(MediaEvent::CaptureMuted { capture, muted }));
        }
        if is_heard {
            let is_there = true;
            self.push(Event::Media(MediaEvent::CaptureSound { capture, is_there }));
        }
        // Only with a permission does the browser tell the devices' names.
        self.refresh_devices();
    }

    fn sound_runs(&self, capture: CaptureId, sound: MediaStreamTrack) -> Track {
        let this = self.weak();
        Track::new(sound, move |event| {
            let Some(engine) = this.upgrade() else { return };
            let is_there = event == TrackEvent::Muted(false);
            engine.push(Event::Media(MediaEvent::CaptureSound { capture, is_there }));
        })
    }

    pub(super) fn devices_listed(&self, listed: Vec<DeviceInfo>) {
        let devices = listed
            .into_iter()
            .map(|device| Device {
                id: device.id,
                label: device.label,
                group: device.group,
                kind: match device.kind {
                    DeviceKind::Microphone => Some(CaptureKind::Microphone),
                    DeviceKind::Camera => Some(CaptureKind::Camera),
                    DeviceKind::Speaker => None,
                },
            })
            .collect();
        self.push(Event::Media(MediaEvent::DevicesChanged(devices)));
    }

    /// Brings previews and level meter in line with what runs.
    pub(super) fn show_own_media(&self, me: &Me) {
        let captures = &self.captures;
        captures.show(&captures.camera, self.store.preview, running(&me.camera));
        captures.show(&captures.screen, self.store.own_screen, running(&me.screen));
        let microphone = running(&me.microphone);
        self.level
            .use_track(microphone.and_then(|capture| Some((capture, self.captures.track(capture)?))));
    }
}

const fn running(state: &CaptureState) -> Option<CaptureId> {
    match state {
        CaptureState::On { capture, .. } => Some(*capture),
        CaptureState::Off | CaptureState::Starting | CaptureState::Failed(_) => None,
    }
}

const fn facing_name(facing: Facing) -> &'static str {
    let [user, environment] = capture::FACINGS;
    match facing {
        Facing::User => user,
        Facing::Environment => environment,
    }
}

/// `None` for a screen, which is no device.
pub(super) const fn source(kind: CaptureKind) -> Option<Source> {
    match kind {
        CaptureKind::Microphone => Some(Source::Microphone),
        CaptureKind::Camera => Some(Source::Camera),
        CaptureKind::Screen => None,
    }
}

const fn capture_error(name: &ErrorName) -> CaptureError {
    match name {
        ErrorName::NotAllowed => CaptureError::NotAllowed,
        ErrorName::NotFound => CaptureError::NotFound,
        ErrorName::NotReadable | ErrorName::Abort => CaptureError::NotReadable,
        ErrorName::Overconstrained => CaptureError::Overconstrained,
        ErrorName::Security => CaptureError::Insecure,
        ErrorName::InvalidState | ErrorName::NotSupported | ErrorName::Other(_) => CaptureError::Other,
    }
}
