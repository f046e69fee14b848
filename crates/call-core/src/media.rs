//! Camera, microphone and screen: what is wanted against what there is, one request at a time a kind.
//!
//! ```text
//! Idle ──wanted──▶ Asking ──captured──▶ Running ──another is wanted──▶ Running and asking
//!   ▲                │ failed             │ ended, unplugged: ask for another device
//!   └──not wanted────┴────────────────────┘
//! ```
//! While another device is asked for, the one that runs goes on, so that nobody sees or hears a gap. A
//! phone that opens one camera at a time refuses that: then the camera that runs is stopped first, and
//! asked for again if that was no help. A choice that cannot be had is told and chosen no more.
//!
//! A microphone that is turned off stays captured and is only detached, so that turning it on
//! again cannot cut the first word; a camera is stopped, so that its light goes out. A screen is
//! wanted once: what ended, failed or was not picked is asked for again only by the person. With it
//! may come the sound of what is shared, which lives and ends with its capture.

mod changes;
mod kind;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::MediaStatus;

use kind::{Asking, Kind, Reason, Running, Wish};

use crate::command::{CaptureRequest, Command};
use crate::devices;
use crate::event::{CaptureError, CaptureKind, Device, Facing, MediaEvent};
use crate::fault::{Fault, Faults};
use crate::id::{CaptureId, Ids, Slot};
use crate::speaker::Speaker;
use crate::view::{CaptureState, NoticeKind};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Media {
    microphone: Kind,
    camera: Kind,
    screen: Kind,
    /// The capture of a screen that brings sound as well.
    sounding: Option<CaptureId>,
    devices: Vec<Device>,
    speaker: Speaker,
    /// Whether there is a page or a call to capture for. Outside, wishes are only remembered.
    active: bool,
    /// Whether the call is being recorded here.
    recording: bool,
    /// Whether the microphone is wanted for the moment alone.
    is_talking: bool,
    /// Whether the person was told that they talk while the microphone is off, since it is.
    was_told_muted: bool,
    /// See [`MediaStatus::hand`].
    hand: u32,
    faults: Faults,
}

impl Media {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

    const fn kind(&self, kind: CaptureKind) -> &Kind {
        match kind {
            CaptureKind::Microphone => &self.microphone,
            CaptureKind::Camera => &self.camera,
            CaptureKind::Screen => &self.screen,
        }
    }

    const fn kind_mut(&mut self, kind: CaptureKind) -> &mut Kind {
        match kind {
            CaptureKind::Microphone => &mut self.microphone,
            CaptureKind::Camera => &mut self.camera,
            CaptureKind::Screen => &mut self.screen,
        }
    }

    /// Turns a kind on or off. Asking again for one that failed tries again.
    pub(crate) fn want(
        &mut self,
        kind: CaptureKind,
        on: bool,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) {
        let is_active = self.active;
        if kind == CaptureKind::Microphone {
            self.was_told_muted = false;
            self.is_talking = false;
        }
        let state = self.kind_mut(kind);
        state.wanted = on && (is_active || kind != CaptureKind::Screen);
        state.begin_anew();
        self.reconcile(kind, ids, commands);
    }

    /// Turns the microphone on for as long as the person talks, if it is off, and off again. Whatever they
    /// want of it meanwhile is the last word; what they were told and what is missed stays as it is.
    pub(crate) fn talk(&mut self, on: bool, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        let may_change = if on {
            self.active && !self.microphone.wanted
        } else {
            self.is_talking
        };
        if may_change {
            self.is_talking = on;
            self.microphone.wanted = on;
            self.microphone.failed = None;
            // What goes on while it is off is the one that is there.
            self.microphone.following = None;
            self.microphone.reason = Reason::Person;
            self.reconcile(CaptureKind::Microphone, ids, commands);
        }
    }

    /// Uses another device from now on. A screen is chosen in the browser's own list.
    pub(crate) fn choose(
        &mut self,
        kind: CaptureKind,
        device: Option<String>,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) {
        if kind != CaptureKind::Screen {
            self.choose_by(kind, device.map_or(Wish::Any, Wish::Device), ids, commands);
        }
    }

    /// Plays through another speaker from now on.
    pub(crate) fn choose_speaker(
        &mut self,
        device: Option<String>,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) {
        self.speaker.choose(device, &self.devices, ids, commands);
    }

    pub(crate) const fn speaker(&self) -> &Speaker {
        &self.speaker
    }

    /// Uses the camera that looks the other way, or the next one where no camera says where it looks.
    /// One press at a time.
    pub(crate) fn flip(&mut self, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        let camera = &self.camera;
        let (Some(running), None) = (&camera.running, &camera.asking) else {
            return;
        };
        let wish = match running.facing {
            Some(facing) => Some(Wish::Facing(facing.opposite())),
            None => self.next_camera(),
        };
        if let Some(wish) = wish {
            self.choose_by(CaptureKind::Camera, wish, ids, commands);
        }
    }

    fn next_camera(&self) -> Option<Wish> {
        let device = self.camera.running.as_ref().map_or("", |running| &running.device);
        let next = devices::next(&self.devices, CaptureKind::Camera, device)?;
        Some(Wish::Device(next.into()))
    }

    fn choose_by(&mut self, kind: CaptureKind, wish: Wish, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        let state = self.kind_mut(kind);
        state.chosen = wish;
        state.begin_anew();
        self.reconcile(kind, ids, commands);
    }

    /// Says that the call is being recorded here, or no longer.
    pub(crate) const fn record(&mut self, recording: bool) {
        self.recording = recording;
    }

    pub(crate) const fn is_recording(&self) -> bool {
        self.recording
    }

    /// Puts the hand up, in this place of the order, or down for 0.
    pub(crate) const fn raise_hand(&mut self, place: u32) {
        self.hand = place;
    }

    /// See [`MediaStatus::hand`].
    pub(crate) const fn hand(&self) -> u32 {
        self.hand
    }

    /// Stops everything; what was wanted of devices stays wanted for the next time.
    pub(crate) fn release_all(&mut self, commands: &mut VecDeque<Command>) {
        self.active = false;
        self.recording = false;
        self.hand = 0;
        for kind in CaptureKind::ALL {
            let state = self.kind_mut(kind);
            state.stop_asking(commands);
            state.stop_running(commands);
            state.stopped = None;
            state.following = None;
            state.failed = None;
        }
        self.screen.wanted = false;
        if core::mem::take(&mut self.is_talking) {
            self.microphone.wanted = false;
        }
    }

    /// Starts whatever is wanted and not there, now and at each wish from now on.
    pub(crate) fn resume(&mut self, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        self.active = true;
        for kind in CaptureKind::ALL {
            self.reconcile(kind, ids, commands);
        }
    }

    /// Takes what captures and devices did; returns what the person should be told.
    pub(crate) fn handle(
        &mut self,
        event: MediaEvent,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) -> Vec<NoticeKind> {
        let notice = match event {
            MediaEvent::Captured {
                capture,
                device,
                facing,
            } => self.captured(capture, device, facing, ids, commands),
            MediaEvent::CaptureFailed { capture, error } => self.failed(capture, error, ids, commands),
            MediaEvent::CaptureEnded { capture } => self.ended(capture, ids, commands),
            MediaEvent::CaptureMuted { capture, muted } => self.muted(capture, muted),
            MediaEvent::DevicesChanged(list) => return self.devices_changed(list, ids, commands),
            MediaEvent::PermissionChanged { kind, permission } => {
                self.permission_changed(kind, permission, ids, commands);
                None
            }
            MediaEvent::CaptureSound { capture, is_there } => {
                // What came too late is let go of, and its sound may be heard of all the same.
                if is_there && self.runs(CaptureKind::Screen, capture) {
                    self.sounding = Some(capture);
                } else if !is_there && self.sounding == Some(capture) {
                    self.sounding = None;
                }
                None
            }
            MediaEvent::SpeakerSet { request } => self.speaker.set(request, &self.devices, ids, commands),
            MediaEvent::SpeakerRefused { request } => {
                self.speaker.refused(request, &self.devices, ids, commands)
            }
            MediaEvent::TalkingWhileMuted => self.talking_while_muted(),
        };
        notice.into_iter().collect()
    }

    fn captured(
        &mut self,
        capture: CaptureId,
        device: String,
        facing: Option<Facing>,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        let Some(kind) = self.asking(capture) else {
            // Too late: it was turned off, or another device was chosen, while the browser asked.
            if !self.is_running(capture) && !self.faults.has(Fault::LateCaptureKept) {
                commands.push_back(Command::StopCapture { capture });
            }
            return None;
        };
        let name = String::from(devices::label(&self.devices, kind, &device));
        let state = self.kind_mut(kind);
        // What ran until now has been replaced.
        state.stop_running(commands);
        if let Some(Asking { wish, .. }) = state.asking.take() {
            let was_followed = state.following.take().is_some();
            let wish = if was_followed { Wish::Any } else { wish };
            state.running = Some(Running {
                capture,
                wish,
                device,
                facing,
                muted: false,
            });
        }
        state.is_revoked = false;
        state.stopped = None;
        let notice = match core::mem::take(&mut state.reason) {
            Reason::Person => None,
            Reason::Replacement => Some(NoticeKind::DeviceSwitched { kind, name }),
            Reason::Return => Some(NoticeKind::DeviceBack { kind, name }),
        };
        self.reconcile(kind, ids, commands);
        notice
    }

    fn failed(
        &mut self,
        capture: CaptureId,
        error: CaptureError,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        let kind = self.asking(capture)?;
        let next = match kind {
            CaptureKind::Camera => self.next_camera(),
            CaptureKind::Microphone | CaptureKind::Screen => None,
        };
        let state = self.kind_mut(kind);
        let wish = state.asking.take()?.wish;
        if kind == CaptureKind::Screen {
            state.wanted = false;
            // Who closes the browser's list without a choice knows that.
            let is_news = error != CaptureError::NotAllowed;
            return is_news.then_some(NoticeKind::CaptureFailed { kind, error });
        }
        if state.following.take().is_some() {
            // The one in use goes on; if that has ended meanwhile, any other will do.
            self.reconcile(kind, ids, commands);
            return None;
        }
        if let (CaptureKind::Camera, CaptureError::NotReadable, Some(running)) = (kind, error, &state.running)
        {
            // A phone opens one camera at a time.
            state.stopped = Some(running.by_device());
            state.stop_running(commands);
            self.reconcile(kind, ids, commands);
            return None;
        }
        let is_absent = matches!(error, CaptureError::NotFound | CaptureError::Overconstrained);
        if let (Wish::Facing(_), true, Some(next)) = (&wish, is_absent, next) {
            // None looks that way, or none says so.
            state.chosen = next;
            self.reconcile(kind, ids, commands);
            return None;
        }
        let was_chosen = state.reason == Reason::Person;
        if let Wish::Device(id) = &wish
            && (is_absent || state.reason == Reason::Return)
        {
            state.missed = Some(id.clone());
        }
        let runs = state.running.as_ref().map(|running| running.wish.clone());
        if let Some(former) = runs.or_else(|| state.stopped.take()) {
            // What was in use until now is better than one that nobody chose.
            state.chosen = former;
            state.any_will_do = false;
            state.reason = Reason::Person;
            self.reconcile(kind, ids, commands);
            return was_chosen.then_some(NoticeKind::CaptureFailed { kind, error });
        }
        if wish != Wish::Any && (is_absent || error == CaptureError::NotReadable) {
            state.any_will_do = true;
            state.reason = Reason::Replacement;
            self.reconcile(kind, ids, commands);
            return None;
        }
        state.failed = Some(error);
        Some(NoticeKind::CaptureFailed { kind, error })
    }

    fn ended(
        &mut self,
        capture: CaptureId,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        let kind = CaptureKind::ALL
            .into_iter()
            .find(|kind| self.runs(*kind, capture))?;
        let state = self.kind_mut(kind);
        let chose_none = state.chosen == Wish::Any;
        // Whoever follows the system's choice of microphone goes on to do so.
        let follows_system = kind == CaptureKind::Microphone && chose_none;
        let device = state.running.as_ref().map(|running| running.device.clone());
        state.stop_running(commands);
        if kind == CaptureKind::Screen {
            // The person's own doing, by the browser's bar or by closing the window.
            state.wanted = false;
            return None;
        }
        if !state.wanted || state.asking.is_some() {
            // Nobody misses it.
            return None;
        }
        if state.is_revoked {
            let error = CaptureError::NotAllowed;
            state.failed = Some(error);
            return Some(NoticeKind::CaptureFailed { kind, error });
        }
        if state.missed.is_none() && !follows_system {
            state.missed = device.filter(|device| !device.is_empty());
        }
        state.any_will_do = true;
        state.reason = Reason::Replacement;
        if core::mem::replace(&mut state.is_replacement, true) {
            // The replacement ended as well: asking on and on would only make a light blink.
            state.failed = Some(CaptureError::NotReadable);
        }
        self.reconcile(kind, ids, commands);
        Some(NoticeKind::CaptureEnded { kind })
    }

    fn muted(&mut self, capture: CaptureId, muted: bool) -> Option<NoticeKind> {
        let kind = CaptureKind::ALL
            .into_iter()
            .find(|kind| self.runs(*kind, capture))?;
        let state = self.kind_mut(kind);
        // A phone mutes the camera in use while another is opened: that will be over in a moment.
        let is_settled = state.wanted && state.asking.is_none();
        let running = state.running.as_mut()?;
        let is_news = core::mem::replace(&mut running.muted, muted) != muted;
        (is_news && is_settled && kind != CaptureKind::Screen)
            .then_some(NoticeKind::MutedBySystem { kind, muted })
    }

    fn talking_while_muted(&mut self) -> Option<NoticeKind> {
        self.listening_while_muted().filter(|_| !self.is_talking)?;
        self.was_told_muted = true;
        Some(NoticeKind::TalkingWhileMuted)
    }

    /// The microphone that stays captured while it is off, as long as it is worth knowing whether the
    /// person talks: they are told once. Also while it is on for the moment, when nobody is told, so that
    /// nothing is begun anew each time.
    pub(crate) fn listening_while_muted(&self) -> Option<CaptureId> {
        let running = self.microphone.running.as_ref();
        running
            .filter(|_| (self.is_talking || !self.microphone.wanted) && !self.was_told_muted)
            .map(|running| running.capture)
    }

    fn reconcile(&mut self, kind: CaptureKind, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        if !self.active {
            return;
        }
        let faults = self.faults;
        let state = self.kind_mut(kind);
        let wish = state.wish();
        let fits = state.running.as_ref().is_some_and(|running| running.fits(&wish));
        if !state.wanted {
            if faults.has(Fault::LateCaptureKept) {
                state.asking = None;
            }
            state.stop_asking(commands);
            state.stopped = None;
            state.following = None;
            // One that was not chosen is not to be heard even for a moment when it is turned on again.
            if kind != CaptureKind::Microphone || !fits {
                state.stop_running(commands);
            }
            return;
        }
        if fits {
            state.stop_asking(commands);
            if let Some(running) = &mut state.running {
                running.wish = wish;
            }
            return;
        }
        let is_asked = state.asking.as_ref().is_some_and(|asking| asking.wish == wish);
        if is_asked || state.failed.is_some() {
            return;
        }
        state.stop_asking(commands);
        let capture = ids.capture();
        let (device, facing) = match wish.clone() {
            Wish::Any => (None, None),
            Wish::Device(id) => (Some(id), None),
            Wish::Facing(facing) => (None, Some(facing)),
        };
        commands.push_back(Command::Capture(CaptureRequest {
            capture,
            kind,
            device,
            facing,
        }));
        state.asking = Some(Asking { capture, wish });
    }

    fn asking(&self, capture: CaptureId) -> Option<CaptureKind> {
        CaptureKind::ALL.into_iter().find(|kind| {
            let asking = self.kind(*kind).asking.as_ref();
            asking.is_some_and(|asking| asking.capture == capture)
        })
    }

    fn runs(&self, kind: CaptureKind, capture: CaptureId) -> bool {
        let running = self.kind(kind).running.as_ref();
        running.is_some_and(|running| running.capture == capture)
    }

    fn is_running(&self, capture: CaptureId) -> bool {
        CaptureKind::ALL.into_iter().any(|kind| self.runs(kind, capture))
    }

    /// The track that belongs on a sender now.
    pub(crate) fn outgoing(&self, slot: Slot) -> Option<CaptureId> {
        let kind = match slot {
            Slot::Audio => &self.microphone,
            Slot::Camera => &self.camera,
            Slot::Screen | Slot::ScreenSound => &self.screen,
        };
        let running = kind.running.as_ref().filter(|_| kind.wanted)?;
        let is_sent = slot != Slot::ScreenSound || self.sounding == Some(running.capture);
        is_sent.then_some(running.capture)
    }

    /// What peers are told.
    pub(crate) fn status(&self) -> MediaStatus {
        MediaStatus {
            microphone: self.brings(CaptureKind::Microphone),
            camera: self.brings(CaptureKind::Camera),
            screen: self.brings(CaptureKind::Screen),
            screen_sound: self.outgoing(Slot::ScreenSound).is_some(),
            recording: self.recording,
            hand: self.hand,
        }
    }

    /// Whether something is sent and brings anything: what the system has muted does not, unless that
    /// is only so while another is opened.
    fn brings(&self, kind: CaptureKind) -> bool {
        let kind = self.kind(kind);
        let running = kind.running.as_ref().filter(|_| kind.wanted);
        running.is_some_and(|running| !running.muted || kind.asking.is_some())
    }

    pub(crate) fn view(&self, kind: CaptureKind) -> CaptureState {
        let state = self.kind(kind);
        match (&state.running, state.failed) {
            _ if !state.wanted => CaptureState::Off,
            (_, Some(error)) => CaptureState::Failed(error),
            (Some(running), None) => CaptureState::On {
                capture: running.capture,
                device: running.device.clone(),
                muted: running.muted && state.asking.is_none(),
            },
            (None, None) => CaptureState::Starting,
        }
    }

    pub(crate) fn chosen(&self, kind: CaptureKind) -> Option<String> {
        match &self.kind(kind).chosen {
            Wish::Device(id) => Some(id.clone()),
            Wish::Any | Wish::Facing(_) => None,
        }
    }

    /// Where the camera in use looks, if it says so.
    pub(crate) fn camera_facing(&self) -> Option<Facing> {
        let running = self.camera.running.as_ref().filter(|_| self.camera.wanted);
        running.and_then(|running| running.facing)
    }

    pub(crate) fn devices(&self) -> &[Device] {
        &self.devices
    }
}
