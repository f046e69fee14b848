//! How it stands with one kind: what is wished for, what is asked for, what runs, what went wrong.

use alloc::collections::VecDeque;
use alloc::string::String;

use crate::command::Command;
use crate::event::{CaptureError, Facing, Permission};
use crate::id::CaptureId;

/// Which device a kind is to come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Wish {
    /// The browser's choice.
    #[default]
    Any,
    /// This one, by its `deviceId`.
    Device(String),
    /// The camera that looks this way.
    Facing(Facing),
}

#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) capture: CaptureId,
    pub(super) wish: Wish,
}

#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) capture: CaptureId,
    pub(super) wish: Wish,
    pub(super) device: String,
    pub(super) facing: Option<Facing>,
    pub(super) muted: bool,
}

impl Running {
    /// Whether it is what is wished for, however it was asked for.
    pub(super) fn fits(&self, wish: &Wish) -> bool {
        self.wish == *wish || matches!(wish, Wish::Device(id) if *id == self.device)
    }

    /// The wish for this very device, where the browser tells which it is.
    pub(super) fn by_device(&self) -> Wish {
        if self.device.is_empty() {
            self.wish.clone()
        } else {
            Wish::Device(self.device.clone())
        }
    }
}

/// Why something is asked for, as far as the person has to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reason {
    /// They want it.
    #[default]
    Person,
    /// The former one is gone, or is the system's choice no more.
    Replacement,
    /// What was gone is there again.
    Return,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Kind {
    pub(super) wanted: bool,
    pub(super) chosen: Wish,
    pub(super) running: Option<Running>,
    pub(super) asking: Option<Asking>,
    pub(super) failed: Option<CaptureError>,
    /// The chosen device let us down: ask for any until the person chooses again, or it is back.
    pub(super) any_will_do: bool,
    /// The system's new choice, from when it is asked for until the outcome.
    pub(super) following: Option<String>,
    /// What ran until it was stopped so that another one could be opened: to be asked for again if that
    /// cannot be had.
    pub(super) stopped: Option<Wish>,
    /// The device to go back to as soon as it is there again.
    pub(super) missed: Option<String>,
    /// What runs took the place of one that ended, and nothing was plugged in or out since.
    pub(super) is_replacement: bool,
    pub(super) reason: Reason,
    pub(super) permission: Option<Permission>,
    /// Whether the page may no longer use it although it could.
    pub(super) is_revoked: bool,
}

impl Kind {
    pub(super) fn wish(&self) -> Wish {
        match &self.following {
            _ if !self.follows_system() => self.chosen.clone(),
            Some(device) => Wish::Device(device.clone()),
            None => Wish::Any,
        }
    }

    /// Whether whichever the system has will do.
    fn follows_system(&self) -> bool {
        self.any_will_do || self.chosen == Wish::Any
    }

    /// Follows the system to its new choice, if that is another one than what runs. By its id: a browser
    /// that is asked for any may hand out the one that it has once more.
    pub(super) fn follow(&mut self, device: String) {
        let is_another = |running: &Running| running.device != device;
        if self.wanted && self.follows_system() && self.running.as_ref().is_some_and(is_another) {
            self.following = Some(device);
            self.reason = Reason::Replacement;
        } else {
            self.following = None;
        }
    }

    /// Forgets what went wrong: the person decides anew.
    pub(super) fn begin_anew(&mut self) {
        self.failed = None;
        self.any_will_do = false;
        self.is_replacement = false;
        self.missed = None;
        self.following = None;
        self.reason = Reason::Person;
    }

    pub(super) fn stop_asking(&mut self, commands: &mut VecDeque<Command>) {
        if let Some(Asking { capture, .. }) = self.asking.take() {
            commands.push_back(Command::StopCapture { capture });
        }
    }

    pub(super) fn stop_running(&mut self, commands: &mut VecDeque<Command>) {
        if let Some(Running { capture, .. }) = self.running.take() {
            commands.push_back(Command::StopCapture { capture });
        }
    }
}
