//! The speaker: which one is chosen against which one plays, one request at a time.
//!
//! ```text
//! Settled ──another is wanted──▶ Asking ──set──▶ Settled, or asking for what is wanted by now
//!                                  └─refused──▶ asking for what played before
//! ```
//! A chosen speaker that is gone stays chosen: the system's plays until it is listed again. A choice that
//! is refused is taken back. The system's own is never refused: there is nothing better.

use alloc::collections::VecDeque;
use alloc::string::String;

use crate::command::Command;
use crate::devices;
use crate::event::Device;
use crate::id::{Ids, RequestId};
use crate::view::NoticeKind;

/// Why another one is to play, as far as the person has to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reason {
    /// They chose it.
    #[default]
    Person,
    /// The chosen one is gone.
    Gone,
    /// It is there again.
    Return,
    /// Another one was refused: part of the sound may be there already.
    Undo,
}

#[derive(Clone, Debug)]
struct Asking {
    request: RequestId,
    device: Option<String>,
}

/// See the module. Everywhere `None` is the system's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Speaker {
    chosen: Option<String>,
    /// Whether the chosen one is gone.
    is_missed: bool,
    /// Whether it was ever listed: one that never was may be there all the same, for browsers tell of
    /// none before they have a permission.
    was_listed: bool,
    /// Which one plays.
    used: Option<String>,
    /// The request that brought it there.
    settled: Option<RequestId>,
    asking: Option<Asking>,
    reason: Reason,
}

impl Speaker {
    /// Plays through another one from now on.
    pub(crate) fn choose(
        &mut self,
        device: Option<String>,
        list: &[Device],
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) {
        self.take(device, list);
        self.is_missed = false;
        self.reason = Reason::Person;
        self.reconcile(ids, commands);
    }

    /// Looks whether the chosen one is in the list.
    pub(crate) fn listed(&mut self, list: &[Device], ids: &mut Ids, commands: &mut VecDeque<Command>) {
        let Some(chosen) = &self.chosen else { return };
        let is_listed = devices::has(list, None, chosen);
        // Without a permission no speaker is listed, which says nothing of this one.
        let tells = list.iter().any(|device| device.kind.is_none());
        if is_listed && self.is_missed {
            self.is_missed = false;
            self.reason = Reason::Return;
        } else if !is_listed && self.was_listed && tells && !self.is_missed {
            self.is_missed = true;
            self.reason = Reason::Gone;
        }
        self.was_listed |= is_listed;
        self.reconcile(ids, commands);
    }

    /// All sound is there now.
    pub(crate) fn set(
        &mut self,
        request: RequestId,
        list: &[Device],
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        let asked = self.asking.take_if(|asking| asking.request == request)?;
        self.used = asked.device;
        self.settled = Some(request);
        if self.used != *self.wanted() {
            self.reconcile(ids, commands);
            return None;
        }
        match core::mem::take(&mut self.reason) {
            Reason::Person | Reason::Undo => None,
            Reason::Gone => Some(NoticeKind::SpeakerGone),
            Reason::Return => {
                let id = self.used.as_deref().unwrap_or_default();
                let name = devices::label(list, None, id).into();
                Some(NoticeKind::SpeakerBack { name })
            }
        }
    }

    /// The browser refused: for what played, or for what began to play since.
    pub(crate) fn refused(
        &mut self,
        request: RequestId,
        list: &[Device],
        ids: &mut Ids,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        let Some(asked) = self.asking.take_if(|asking| asking.request == request) else {
            if self.settled == Some(request) && self.asking.is_none() && self.used.is_some() {
                self.is_missed = true;
                self.reason = Reason::Gone;
                self.reconcile(ids, commands);
            }
            return None;
        };
        if asked.device.is_none() {
            self.asking = Some(asked);
            return self.set(request, list, ids, commands);
        }
        let mut notice = None;
        if asked.device == *self.wanted() {
            match self.reason {
                Reason::Person => {
                    self.take(self.used.clone(), list);
                    self.reason = Reason::Undo;
                    notice = Some(NoticeKind::SpeakerFailed);
                }
                Reason::Return | Reason::Gone => {
                    self.is_missed = true;
                    self.reason = Reason::Undo;
                }
                Reason::Undo => {
                    self.is_missed = true;
                    self.reason = Reason::Gone;
                }
            }
        }
        self.ask(ids, commands);
        notice
    }

    fn take(&mut self, device: Option<String>, list: &[Device]) {
        self.was_listed = device.as_deref().is_some_and(|id| devices::has(list, None, id));
        self.chosen = device;
    }

    /// What is to play.
    const fn wanted(&self) -> &Option<String> {
        if self.is_missed { &None } else { &self.chosen }
    }

    fn reconcile(&mut self, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        if self.asking.is_none() && *self.wanted() != self.used {
            self.ask(ids, commands);
        }
    }

    fn ask(&mut self, ids: &mut Ids, commands: &mut VecDeque<Command>) {
        let request = ids.request();
        let device = self.wanted().clone();
        commands.push_back(Command::SetSpeaker {
            request,
            device: device.clone(),
        });
        self.asking = Some(Asking { request, device });
    }

    /// Which one is to be shown as picked.
    pub(crate) fn shown(&self) -> Option<String> {
        self.wanted().clone()
    }

    /// Which one is to be remembered.
    pub(crate) fn chosen(&self) -> Option<String> {
        self.chosen.clone()
    }
}
