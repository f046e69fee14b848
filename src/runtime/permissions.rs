//! What the page may do with camera and microphone, told to the core while there is a page or a call to
//! capture for, where the browser tells.

use core::cell::RefCell;
use std::rc::Rc;

use visavis_call_core::{CaptureId, CaptureKind, Event, MediaEvent, Permission, Proof, Stage, View};

use super::captures::source;
use super::engine::Engine;
use crate::web::Listener;
use crate::web::permission::{self, State};
use crate::web::task::spawn;

/// Who listens: one for each kind of device at most. What the browser answers too late finds it gone.
#[derive(Default)]
pub(super) struct Permissions {
    listeners: RefCell<Option<Rc<RefCell<Vec<Listener>>>>>,
}

impl Permissions {
    pub(super) fn stop(&self) {
        let listeners = self.listeners.take();
        drop(listeners);
    }
}

impl Engine {
    /// Begins and ends to listen as pages and calls come and go.
    pub(super) fn follow_permissions(&self, view: &View) {
        let is_wanted = match view.stage {
            Stage::Preparing { .. } | Stage::Waiting | Stage::Joining | Stage::Joined => true,
            // Who waits for an appointment looks at their devices outside of any room.
            Stage::Outside => view.visit.proof != Proof::None,
            Stage::Ended(_) => false,
        };
        if is_wanted == self.permissions.listeners.borrow().is_some() {
            return;
        }
        self.permissions.stop();
        if !is_wanted {
            return;
        }
        let listeners = Rc::new(RefCell::new(Vec::new()));
        for kind in CaptureKind::DEVICES {
            let Some(source) = source(kind) else { continue };
            let (this, listeners) = (self.weak(), Rc::downgrade(&listeners));
            spawn(async move {
                let Some((status, state)) = permission::of(source).await else {
                    return;
                };
                let (Some(engine), Some(listeners)) = (this.upgrade(), listeners.upgrade()) else {
                    return;
                };
                engine.permission_is(kind, state);
                let listener = permission::watch(&status, move |state| {
                    if let Some(engine) = this.upgrade() {
                        engine.permission_is(kind, state);
                    }
                });
                listeners.borrow_mut().push(listener);
            });
        }
        self.permissions.listeners.replace(Some(listeners));
    }

    /// Tells of the end of a track, after what the page may do now: to be asked for it again in the middle
    /// of a call is no answer to somebody who has just taken it back.
    pub(super) fn capture_ended(&self, capture: CaptureId, kind: CaptureKind) {
        let this = self.weak();
        spawn(async move {
            // A screen is chosen each time.
            let status = match source(kind) {
                Some(source) => permission::of(source).await,
                None => None,
            };
            let Some(engine) = this.upgrade() else { return };
            if let Some((_, state)) = status {
                engine.permission_is(kind, state);
            }
            engine.push(Event::Media(MediaEvent::CaptureEnded { capture }));
        });
    }

    fn permission_is(&self, kind: CaptureKind, state: State) {
        let permission = match state {
            State::Granted => Permission::Granted,
            State::Prompt => Permission::Prompt,
            State::Denied => Permission::Denied,
        };
        self.push(Event::Media(MediaEvent::PermissionChanged { kind, permission }));
    }
}
