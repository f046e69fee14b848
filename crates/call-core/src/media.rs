//! Camera, microphone and screen: what is wanted against what there is, one request at a time a kind.
//!
//! ```text
//! Idle ──wanted──▶ Acquiring ──captured──▶ Live
//!   ▲                 │ failed               │ ended, unplugged: try another device
//!   └──not wanted─────┴──────────────────────┘
//! ```
//! A microphone that is turned off stays captured and is only detached, so that turning it on
//! again cannot cut the first word; a camera is stopped, so that its light goes out. A screen is
//! wanted once: what ended, failed or was not picked is asked for again only by the person.

use alloc::collections::VecDeque;
use alloc::string::String;

use visavis_protocol::MediaStatus;

use crate::command::{CaptureRequest, Command};
use crate::event::{CaptureError, CaptureKind, MediaEvent};
use crate::fault::{Fault, Faults};
use crate::id::{CaptureId, Ids, Slot};
use crate::view::{CaptureState, NoticeKind};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Actual {
    #[default]
    Idle,
    Acquiring {
        capture: CaptureId,
        asked_for: Option<String>,
    },
    Live {
        capture: CaptureId,
        asked_for: Option<String>,
        device: String,
        muted: bool,
    },
}

#[derive(Clone, Debug, Default)]
struct Kind {
    wanted: bool,
    chosen: Option<String>,
    actual: Actual,
    failed: Option<CaptureError>,
    /// The chosen device let us down: ask for any until the person chooses again.
    any_will_do: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Media {
    microphone: Kind,
    camera: Kind,
    screen: Kind,
    /// Whether there is a page or a call to capture for. Outside, wishes are only remembered.
    active: bool,
    /// Whether the call is being recorded here.
    recording: bool,
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
        let state = self.kind_mut(kind);
        state.wanted = on && (is_active || kind != CaptureKind::Screen);
        state.failed = None;
        state.any_will_do = false;
        self.reconcile(kind, ids, commands);
    }

    /// Uses another device from now on. A screen is chosen in the browser's own list.
    pub(crate) fn choose(
        &mut self,
        kind: CaptureKind,
        device: Option<String>,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) {
        if kind == CaptureKind::Screen {
            return;
        }
        let state = self.kind_mut(kind);
        state.chosen = device;
        state.any_will_do = false;
        state.failed = None;
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
            stop(&mut state.actual, commands);
            state.failed = None;
        }
        self.screen.wanted = false;
    }

    /// Starts whatever is wanted and not there, now and at each wish from now on.
    pub(crate) fn resume(&mut self, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        self.active = true;
        for kind in CaptureKind::ALL {
            self.reconcile(kind, ids, commands);
        }
    }

    /// Takes what a capture did; returns what the person should be told.
    pub(crate) fn handle(
        &mut self,
        event: &MediaEvent,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        match event {
            MediaEvent::Captured { capture, device } => self.captured(*capture, device, ids, commands),
            MediaEvent::CaptureFailed { capture, error } => {
                return self.failed(*capture, *error, ids, commands);
            }
            MediaEvent::CaptureEnded { capture } => return self.ended(*capture, ids, commands),
            MediaEvent::CaptureMuted {
                capture,
                muted: now_muted,
            } => {
                for kind in CaptureKind::ALL {
                    if let Actual::Live {
                        capture: live, muted, ..
                    } = &mut self.kind_mut(kind).actual
                        && live == capture
                    {
                        *muted = *now_muted;
                    }
                }
            }
            MediaEvent::DevicesChanged(_) => {}
        }
        None
    }

    fn captured(
        &mut self,
        capture: CaptureId,
        device: &str,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) {
        let Some(kind) = self.acquiring(capture) else {
            // Too late: it was turned off, or another device was chosen, while the browser asked.
            if !self.is_live(capture) && !self.faults.has(Fault::LateCaptureKept) {
                commands.push_back(Command::StopCapture { capture });
            }
            return;
        };
        let state = self.kind_mut(kind);
        if let Actual::Acquiring { asked_for, .. } = core::mem::take(&mut state.actual) {
            state.actual = Actual::Live {
                capture,
                asked_for,
                device: device.into(),
                muted: false,
            };
        }
        self.reconcile(kind, ids, commands);
    }

    fn failed(
        &mut self,
        capture: CaptureId,
        error: CaptureError,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        let kind = self.acquiring(capture)?;
        let state = self.kind_mut(kind);
        let had_choice = matches!(
            &state.actual,
            Actual::Acquiring {
                asked_for: Some(_),
                ..
            }
        );
        state.actual = Actual::Idle;
        if kind == CaptureKind::Screen {
            state.wanted = false;
            // Who closes the browser's list without a choice knows that.
            let is_news = error != CaptureError::NotAllowed;
            return is_news.then_some(NoticeKind::CaptureFailed { kind, error });
        }
        let another_may_do = match error {
            CaptureError::NotFound | CaptureError::NotReadable | CaptureError::Overconstrained => true,
            CaptureError::NotAllowed | CaptureError::Insecure | CaptureError::Other => false,
        };
        if had_choice && another_may_do {
            state.any_will_do = true;
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
        let kind = CaptureKind::ALL.into_iter().find(
            |kind| matches!(self.kind(*kind).actual, Actual::Live { capture: live, .. } if live == capture),
        )?;
        let state = self.kind_mut(kind);
        stop(&mut state.actual, commands);
        if kind == CaptureKind::Screen {
            // The person's own doing, by the browser's bar or by closing the window.
            state.wanted = false;
            return None;
        }
        if core::mem::replace(&mut state.any_will_do, true) {
            // The replacement ended as well: asking on and on would only make a light blink.
            state.failed = Some(CaptureError::NotReadable);
        }
        self.reconcile(kind, ids, commands);
        Some(NoticeKind::CaptureEnded { kind })
    }

    fn reconcile(&mut self, kind: CaptureKind, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        if !self.active {
            return;
        }
        let faults = self.faults;
        let state = self.kind_mut(kind);
        let ask_for = state.chosen.clone().filter(|_| !state.any_will_do);
        if state.wanted {
            let fits = match &state.actual {
                Actual::Idle => false,
                Actual::Acquiring { asked_for, .. } | Actual::Live { asked_for, .. } => *asked_for == ask_for,
            };
            if !fits && state.failed.is_none() {
                stop(&mut state.actual, commands);
                let capture = ids.capture();
                commands.push_back(Command::Capture(CaptureRequest {
                    capture,
                    kind,
                    device: ask_for.clone(),
                }));
                state.actual = Actual::Acquiring {
                    capture,
                    asked_for: ask_for,
                };
            }
        } else {
            match (&state.actual, kind) {
                (Actual::Idle, _) | (Actual::Live { .. }, CaptureKind::Microphone) => {}
                (Actual::Acquiring { .. }, _) if faults.has(Fault::LateCaptureKept) => {
                    state.actual = Actual::Idle;
                }
                (Actual::Acquiring { .. }, _)
                | (Actual::Live { .. }, CaptureKind::Camera | CaptureKind::Screen) => {
                    stop(&mut state.actual, commands);
                }
            }
        }
    }

    fn acquiring(&self, capture: CaptureId) -> Option<CaptureKind> {
        CaptureKind::ALL.into_iter().find(
            |kind| matches!(self.kind(*kind).actual, Actual::Acquiring { capture: asked, .. } if asked == capture),
        )
    }

    fn is_live(&self, capture: CaptureId) -> bool {
        CaptureKind::ALL.into_iter().any(
            |kind| matches!(self.kind(kind).actual, Actual::Live { capture: live, .. } if live == capture),
        )
    }

    /// The track that belongs on a sender now.
    pub(crate) const fn outgoing(&self, slot: Slot) -> Option<CaptureId> {
        let kind = match slot {
            Slot::Audio => &self.microphone,
            Slot::Camera => &self.camera,
            Slot::Screen => &self.screen,
        };
        match &kind.actual {
            Actual::Live { capture, .. } if kind.wanted => Some(*capture),
            Actual::Idle | Actual::Acquiring { .. } | Actual::Live { .. } => None,
        }
    }

    /// What peers are told.
    pub(crate) const fn status(&self) -> MediaStatus {
        MediaStatus {
            microphone: self.brings(CaptureKind::Microphone),
            camera: self.brings(CaptureKind::Camera),
            screen: self.brings(CaptureKind::Screen),
            recording: self.recording,
            hand: self.hand,
        }
    }

    /// Whether something is sent and brings anything: what the system has muted does not.
    const fn brings(&self, kind: CaptureKind) -> bool {
        let kind = self.kind(kind);
        kind.wanted && matches!(kind.actual, Actual::Live { muted: false, .. })
    }

    pub(crate) fn view(&self, kind: CaptureKind) -> CaptureState {
        let state = self.kind(kind);
        match (&state.actual, state.failed) {
            _ if !state.wanted => CaptureState::Off,
            (_, Some(error)) => CaptureState::Failed(error),
            (
                Actual::Live {
                    capture,
                    device,
                    muted,
                    ..
                },
                None,
            ) => CaptureState::On {
                capture: *capture,
                device: device.clone(),
                muted: *muted,
            },
            (Actual::Idle | Actual::Acquiring { .. }, None) => CaptureState::Starting,
        }
    }

    pub(crate) fn chosen(&self, kind: CaptureKind) -> Option<String> {
        self.kind(kind).chosen.clone()
    }
}

fn stop(actual: &mut Actual, commands: &mut VecDeque<Command>) {
    match core::mem::take(actual) {
        Actual::Idle => {}
        Actual::Acquiring { capture, .. } | Actual::Live { capture, .. } => {
            commands.push_back(Command::StopCapture { capture });
        }
    }
}
