//! What changes around captures: devices that are plugged in and out, permissions given and taken back.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::Media;
use super::kind::{Reason, Running, Wish};
use crate::command::Command;
use crate::devices;
use crate::event::{CaptureError, CaptureKind, Device, Permission};
use crate::id::Ids;
use crate::view::NoticeKind;

/// Devices remembered: more than anybody has, so that a strange list cannot fill the memory.
const DEVICES: usize = 64;

impl Media {
    pub(super) fn devices_changed(
        &mut self,
        mut after: Vec<Device>,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) -> Vec<NoticeKind> {
        after.truncate(DEVICES);
        let before = core::mem::replace(&mut self.devices, after);
        if before == self.devices {
            return Vec::new();
        }
        let mut notices = Vec::new();
        for kind in CaptureKind::DEVICES {
            let after = &self.devices;
            let is_gone = |running: &Running| devices::is_gone(&before, after, kind, &running.device);
            let state = self.kind(kind);
            let gone = state.running.as_ref().filter(|running| is_gone(running));
            let gone = gone.map(|running| running.capture);
            let missed = state.missed.as_deref();
            let is_back = missed.is_some_and(|id| devices::has_come(&before, after, kind, id));
            let has_any_come = devices::has_any_come(&before, after, kind);
            let default = devices::is_default_another(&before, after, kind)
                .then(|| devices::default(after, kind))
                .flatten()
                .map(String::from);

            let state = self.kind_mut(kind);
            let was_replaced = core::mem::take(&mut state.is_replacement);
            if let Some(capture) = gone {
                // Most browsers end the track as well; whichever they say first.
                notices.extend(self.ended(capture, ids, commands));
                // This list is what told of the loss: no later one will take the mark away.
                self.kind_mut(kind).is_replacement = false;
                continue;
            }
            let may_help = match state.failed {
                None => false,
                Some(CaptureError::NotFound | CaptureError::NotReadable | CaptureError::Overconstrained) => {
                    true
                }
                Some(CaptureError::NotAllowed | CaptureError::Insecure | CaptureError::Other) => continue,
            };
            if is_back {
                state.chosen = state.missed.take().map_or(Wish::Any, Wish::Device);
                state.any_will_do = false;
                state.following = None;
                state.failed = None;
                state.reason = Reason::Return;
            } else if may_help && has_any_come {
                state.any_will_do = true;
                state.failed = None;
                state.reason = Reason::Replacement;
            } else if !was_replaced && let Some(default) = default {
                state.follow(default);
            }
            self.reconcile(kind, ids, commands);
        }
        self.speaker.listed(&self.devices, ids, commands);
        notices
    }

    pub(super) fn permission_changed(
        &mut self,
        kind: CaptureKind,
        permission: Permission,
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) {
        let state = self.kind_mut(kind);
        let before = state.permission.replace(permission);
        match permission {
            Permission::Granted => {
                state.is_revoked = false;
                if state.failed == Some(CaptureError::NotAllowed) {
                    state.failed = None;
                    state.reason = Reason::Replacement;
                    self.reconcile(kind, ids, commands);
                }
            }
            // Some browsers say so also of what was granted for once: only a change tells anything.
            Permission::Prompt => state.is_revoked |= before == Some(Permission::Granted),
            Permission::Denied => state.is_revoked = true,
        }
    }
}
