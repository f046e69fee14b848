//! Captures by the core's numbers, and the previews of the own camera and screen.

use core::cell::RefCell;

use visavis_call_core::{
    CaptureError, CaptureId, CaptureKind, CaptureRequest, CaptureState, Device, Event, Facing, Me, MediaEvent,
};
use wasm_bindgen::JsCast;
use web_sys::{MediaStream, MediaStreamTrack};

use super::engine::Engine;
use super::store::Shown;
use super::table::Table;
use crate::web::capture::{self, Source, Track, TrackEvent, Wish};
use crate::web::devices::{DeviceInfo, DeviceKind};
use crate::web::task::spawn;
use crate::web::{Error, ErrorName, boot};

/// The captures that are wanted.
#[derive(Default)]
pub(super) struct Captures {
    /// `None` while the browser is asking. What comes for a number that is not in here is stopped.
    tracks: RefCell<Table<CaptureId, Option<Track>>>,
    camera: RefCell<Preview>,
    screen: RefCell<Preview>,
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
        Some(Clone::clone(tracks.get(capture)?.as_ref()?.media()))
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

    /// Keeps a track that came, or stops it if nobody wants it any more.
    fn keep(&self, capture: CaptureId, track: Track) {
        if let Some(kept) = self.tracks.borrow_mut().get_mut(capture) {
            *kept = Some(track);
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
        let source = source(kind);
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
        let track = match outcome {
            Ok(track) => track,
            Err(error) => {
                self.captures.stop(capture);
                crate::web::console::warn("capture failed", error.name.as_str());
                self.push(Event::Media(MediaEvent::CaptureFailed {
                    capture,
                    error: capture_error(&error.name),
                }));
                return;
            }
        };
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
        let (device, muted) = (track.device(), track.is_muted());
        let facing = [Facing::User, Facing::Environment]
            .into_iter()
            .find(|facing| facing_name(*facing) == track.facing());
        self.captures.keep(capture, track);
        self.push(Event::Media(MediaEvent::Captured {
            capture,
            device,
            facing,
        }));
        if muted {
            self.push(Event::Media(MediaEvent::CaptureMuted { capture, muted }));
        }
        // Only with a permission does the browser tell the devices' names.
        self.refresh_devices();
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

pub(super) const fn source(kind: CaptureKind) -> Source {
    match kind {
        CaptureKind::Microphone => Source::Microphone,
        CaptureKind::Camera => Source::Camera,
        CaptureKind::Screen => Source::Screen,
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
