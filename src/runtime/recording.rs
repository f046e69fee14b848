//! A recording of the call, kept on this device: what one sees, painted from the tiles' own videos,
//! and what one hears, mixed from clones of the tracks.
//!
//! The core says whether it runs, because everybody is told as long as it does; so it also ends with
//! the call. What it shows the stage says at each picture: people come and go meanwhile.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::Rc;

use js_sys::Date;
use leptos::prelude::{ReadSignal, Update, WithUntracked, WithValue, on_cleanup};
use visavis_call_core::{CaptureState, Event, Intent, Slot, Stage, View};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, HtmlVideoElement, MediaStream, MediaStreamTrack};

use super::Runtime;
use super::engine::Engine;
use crate::layout::{Fit, Rect, Size};
use crate::web::beat::Beat;
use crate::web::file_sink::{self, FileSink};
use crate::web::film::{self, Film};
use crate::web::mix::Mix;
use crate::web::recorder::{self, Recorder, RecorderEvent};
use crate::web::task::spawn;
use crate::web::{Error, ErrorName, Listener, console, page};

/// Its size, whatever the window's.
const SIZE: Size = Size::new(1280.0, 720.0);
/// Pictures a second at most.
const FRAMES_PER_SECOND: u32 = 20;
/// Time between two pictures: lively enough for faces, and half the work of a camera's.
const PERIOD: Duration = Duration::from_millis(62);

/// One tile, as it is at the moment.
pub struct Shot {
    /// Where it lies.
    pub place: Rect,
    /// The element that plays its pictures.
    pub video: HtmlVideoElement,
    /// Whether they are to be seen.
    pub has_picture: bool,
    /// How they lie in the tile.
    pub fit: Fit,
    /// Whether the person sees them mirrored.
    pub is_mirrored: bool,
    /// What stands in their place, if anything.
    pub avatar: Option<HtmlElement>,
    /// Whose it is.
    pub name: String,
}

/// What there is to be seen on a stage of this size.
pub type Scene = Rc<dyn Fn(Size) -> Vec<Shot>>;

/// What becomes of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It runs.
    Begun,
    /// The same, and it is lost if the tab is closed before its end.
    Held,
    /// It is over, and saved.
    Saved,
    /// The same, because there was no room for more.
    Full,
    /// It could not begin or not be saved.
    Failed,
}

#[derive(Default)]
pub(super) struct Recording {
    scene: RefCell<Option<Scene>>,
    running: RefCell<Option<Running>>,
    /// From the click to the end of the file: there is one at a time.
    is_busy: Cell<bool>,
    /// How many calls were joined, to know one from the next.
    calls: Cell<u32>,
    /// What became of the last one of this call, or of the one before that.
    last: Cell<Option<Recorded>>,
}

/// All of it ends with this.
struct Running {
    recorder: Recorder,
    file: Rc<FileSink>,
    film: Film,
    mix: Mix,
    _beat: Beat,
    /// Makes the browser ask before the page goes away.
    _held: Listener,
}

impl Recording {
    /// Another call begins.
    pub(super) fn joined(&self) {
        self.last.set(None);
        self.calls.set(self.calls.get().wrapping_add(1));
    }

    fn paint(&self) {
        let running = self.running.borrow();
        let scene = self.scene.borrow();
        let (Some(Running { film, .. }), Some(scene)) = (&*running, &*scene) else {
            return;
        };
        film.clear();
        for shot in scene(film.size()) {
            film.tile(shot.place);
            let is_shown =
                shot.has_picture && film.picture(&shot.video, shot.fit, shot.is_mirrored, shot.place);
            if let Some(avatar) = shot.avatar.filter(|_| !is_shown) {
                film.face(&avatar, shot.place);
            }
            film.name(&shot.name, shot.place);
        }
    }
}

impl Running {
    /// How it ends if nothing more goes wrong.
    fn end(&self) -> Recorded {
        if self.file.has_failed() {
            Recorded::Failed
        } else if self.file.is_full() {
            Recorded::Full
        } else {
            Recorded::Saved
        }
    }
}

impl Engine {
    /// Begins a recording. Only within a click: the browser may ask where to put it.
    pub(super) fn record(&self) {
        let Some(kind) = recorder::kind().filter(|_| !self.recording.is_busy.replace(true)) else {
            return;
        };
        let opened = file_sink::open(file_name(kind), kind);
        let (this, call) = (self.weak(), self.recording.calls.get());
        spawn(async move {
            let opened = opened.await;
            let Some(engine) = this.upgrade() else { return };
            // The call may have ended while the browser asked, and another one have begun.
            let is_in = engine.store.stage.with_untracked(|stage| *stage == Stage::Joined);
            if !is_in || engine.recording.calls.get() != call {
                engine.recording.is_busy.set(false);
                return;
            }
            match opened.and_then(|file| engine.begin_recording(file, kind)) {
                Ok(begun) => {
                    engine.push(Event::Intent(Intent::Record(true)));
                    engine.tell_recorded(begun);
                }
                Err(error) => {
                    engine.recording.is_busy.set(false);
                    // Who closes the browser's question knows that.
                    if error.name != ErrorName::Abort {
                        console::warn("recording failed", error.message);
                        engine.tell_recorded(Recorded::Failed);
                    }
                }
            }
        });
    }

    /// Says what became of a recording to whatever page there is: the one on which it began may be gone.
    fn tell_recorded(&self, recorded: Recorded) {
        self.recording.last.set(Some(recorded));
        self.store.recorded.update(|count| *count += 1);
    }

    fn begin_recording(&self, file: FileSink, kind: &str) -> Result<Recorded, Error> {
        let film = Film::new(SIZE, FRAMES_PER_SECOND)?;
        let mix = Mix::new()?;
        let stream = MediaStream::new().map_err(Error::from)?;
        for track in [film.track(), mix.track()].into_iter().flatten() {
            stream.add_track(&track);
        }
        let file = Rc::new(file);
        let (this, pieces) = (self.weak(), Rc::clone(&file));
        let recorder = Recorder::start(&stream, kind, move |event| {
            let is_over = match event {
                RecorderEvent::Piece(piece) => {
                    pieces.write(&piece);
                    pieces.is_full() || pieces.has_failed()
                }
                RecorderEvent::Stopped => true,
            };
            if let Some(engine) = this.upgrade().filter(|_| is_over) {
                engine.push(Event::Intent(Intent::Record(false)));
            }
        })?;
        let this = self.weak();
        let paint = move || {
            if let Some(engine) = this.upgrade() {
                engine.recording.paint();
            }
        };
        let beat = Beat::new(&mix, PERIOD, Rc::new(paint));
        let begun = if file.is_held() {
            Recorded::Held
        } else {
            Recorded::Begun
        };
        self.recording.running.replace(Some(Running {
            recorder,
            file,
            film,
            mix,
            _beat: beat,
            _held: page::hold(),
        }));
        Ok(begun)
    }

    /// Brings the recording in line with the core: whether there is one, and who is heard in it.
    pub(super) fn follow_recording(&self, view: &View) {
        if view.me.recording {
            self.mix_anew(view);
        } else {
            self.end_recording();
        }
    }

    /// Brings what is heard in the recording in line, if there is one.
    pub(super) fn mix_anew(&self, view: &View) {
        if let Some(running) = &*self.recording.running.borrow() {
            running.mix.follow(&self.sounds(view));
        }
    }

    /// What is to be heard, and how loud: everybody who has a connection, as the person hears them, the
    /// own microphone unless it is off, and what is shared with sound.
    fn sounds(&self, view: &View) -> Vec<(MediaStreamTrack, f64)> {
        let own = match &view.me.microphone {
            CaptureState::On { capture, .. } => self.captures.track(*capture),
            CaptureState::Off | CaptureState::Starting | CaptureState::Failed(_) => None,
        };
        let voices = view.people.iter().map(|person| (person, Slot::Audio));
        let sharers = view.people.iter().filter(|person| person.status.screen_sound);
        voices
            .chain(sharers.map(|person| (person, Slot::ScreenSound)))
            .filter_map(|(person, slot)| {
                let volume = self.loudness.get(person.seat).volume()?;
                let stream = self.stream(person.link?, slot)?;
                Some((stream.get_tracks().get(0).dyn_into().ok()?, volume))
            })
            .chain(
                own.into_iter()
                    .chain(self.own_screen_sound())
                    .map(|track| (track, 1.0)),
            )
            .collect()
    }

    /// Ends the recording, if there is one, and sees to it that its file is whole.
    fn end_recording(&self) {
        let Some(running) = self.recording.running.take() else {
            return;
        };
        // The clones go at once: a microphone that seems to be open is none after the call.
        running.mix.follow(&[]);
        let this = self.weak();
        spawn(async move {
            let end = running.end();
            let Running {
                recorder,
                file,
                film,
                mix,
                _beat: beat,
                _held: held,
            } = running;
            drop(beat);
            recorder.stop().await;
            drop((film, mix));
            // A browser that was stopped before it had begun to write has nothing to be kept.
            let is_kept = !file.is_empty();
            let closed = file.close().await;
            drop(held);
            if let Some(engine) = this.upgrade() {
                engine.recording.is_busy.set(false);
                engine.tell_recorded(if closed.is_ok() && is_kept {
                    end
                } else {
                    Recorded::Failed
                });
            }
        });
    }

    /// The page goes away: there is no time to wait for the last piece.
    pub(super) fn abandon_recording(&self) {
        if let Some(running) = self.recording.running.take() {
            // Goes on without us; whether it works nobody hears any more.
            let closed = running.file.close();
            spawn(async move { _ = closed.await });
        }
    }
}

impl Runtime {
    /// Whether the browser can record a call. Hide the control where not.
    #[must_use]
    pub fn can_record(self) -> bool {
        film::can_film() && recorder::kind().is_some()
    }

    /// Begins to record the call and lets everybody know. Only within a click. [`Intent::Record`] ends
    /// it, and so does the end of the call.
    pub fn record(self) {
        self.engine.with_value(|engine| engine.record());
    }

    /// How often there was news of a recording: see [`Runtime::last_recorded`]. The end of one is known
    /// only after that of its call.
    #[must_use]
    pub fn recorded(self) -> ReadSignal<u32> {
        self.store.recorded.read_only()
    }

    /// The last news, if there was any since one joined.
    #[must_use]
    pub fn last_recorded(self) -> Option<Recorded> {
        self.engine.with_value(|engine| engine.recording.last.get())
    }

    /// Says what there is to be recorded, until the calling component goes.
    pub fn show_scene(self, scene: impl Fn(Size) -> Vec<Shot> + 'static) {
        self.engine.with_value(|engine| {
            engine.recording.scene.replace(Some(Rc::new(scene)));
        });
        on_cleanup(move || {
            self.engine.try_with_value(|engine| {
                engine.recording.scene.take();
            });
        });
    }
}

/// Named by the time, in the zone of whoever keeps it.
fn file_name(kind: &str) -> String {
    let now = Date::new_0();
    let here = Date::new(&JsValue::from(
        now.get_time() - now.get_timezone_offset() * 60_000.0,
    ));
    let time = String::from(here.to_iso_string());
    let part = |range| time.get(range).unwrap_or_default();
    let end = if kind.starts_with("video/mp4") {
        ".mp4"
    } else {
        ".webm"
    };
    // Some systems allow no colon in a name.
    ["Visavis ", part(0..10), " ", part(11..13), "-", part(14..16), end].concat()
}
