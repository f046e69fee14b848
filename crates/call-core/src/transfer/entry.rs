//! One transfer: its two possible halves, whether it rests, how it ended, and how it looks.

use visavis_protocol::transfer::{FilesFrame, StopReason};

use super::about::About;
use super::meter::Meter;
use super::out::Out;
use super::receiving::Receiving;
use super::sending::Sending;
use super::shell::{FileCommand, Transfer, TransferState};
use crate::id::LinkId;
use crate::time::Timestamp;
use crate::view::NoticeKind;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) about: About,
    pub(super) side: Side,
    /// Whether this side, and whether the other one, wants it to rest.
    paused_by_us: bool,
    paused_by_them: bool,
    pub(super) end: Option<End>,
    /// Whether the shell has something of it.
    is_kept: bool,
    meter: Meter,
    /// How far the block is that comes or leaves: its number, and bytes of it.
    under_way: Option<(u32, u32)>,
}

/// See [`super::shell::Direction`].
#[derive(Clone, Debug)]
pub(super) enum Side {
    Sending(Sending),
    Receiving(Receiving),
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Stopped { reason: StopReason, by_us: bool },
}

impl Entry {
    pub(super) fn new(about: About, side: Side) -> Self {
        Self {
            about,
            side,
            paused_by_us: false,
            paused_by_them: false,
            end: None,
            is_kept: false,
            meter: Meter::default(),
            under_way: None,
        }
    }

    /// Something of it is with the shell from now on.
    pub(super) fn keep(&mut self) {
        self.is_kept = true;
    }

    pub(super) const fn is_over(&self) -> bool {
        self.end.is_some()
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.paused_by_us || self.paused_by_them
    }

    /// Whether its line may go without a word to make room for another: nothing is lost with it.
    pub(super) const fn is_spare(&self) -> bool {
        self.end.is_some() && !self.is_kept
    }

    /// Whether it waits for the receiver's answer.
    pub(super) const fn is_offered(&self) -> bool {
        self.end.is_none()
            && match &self.side {
                Side::Sending(sending) => !sending.was_wanted(),
                Side::Receiving(receiving) => receiving.is_offered(),
            }
    }

    pub(super) const fn is_sending(&self) -> bool {
        matches!(self.side, Side::Sending(_))
    }

    /// Whether it takes one of the places for those that run.
    pub(super) const fn has_place(&self) -> bool {
        self.end.is_none()
            && match &self.side {
                Side::Sending(sending) => sending.has_pipe(),
                Side::Receiving(receiving) => receiving.has_place(),
            }
    }

    /// Whether it would run if it had a place.
    pub(super) fn is_pending(&self, now: Timestamp) -> bool {
        self.end.is_none()
            && !self.is_paused()
            && match &self.side {
                Side::Sending(sending) => sending.is_pending(),
                Side::Receiving(receiving) => receiving.is_pending(now),
            }
    }

    /// Takes a place.
    pub(super) fn start(&mut self, out: &mut Out<'_>) {
        let is_paused = self.is_paused();
        match &mut self.side {
            Side::Sending(sending) => sending.open_pipe(is_paused, &self.about, out),
            Side::Receiving(receiving) => receiving.want(&self.about, out),
        }
    }

    /// Gives its place to another of the same kind, which can use it.
    pub(super) fn yield_place(&mut self, out: &mut Out<'_>) {
        self.rest();
        if let Side::Receiving(receiving) = &mut self.side {
            receiving.yield_place(out);
        }
    }

    /// The two meet again: what both must know of it.
    pub(super) fn greet(&mut self, out: &mut Out<'_>) {
        self.paused_by_them = false;
        if let Some(End::Stopped { reason, by_us }) = self.end {
            // It was the word of one tab: of two in one seat the other one may still show it.
            if !by_us && self.is_sending() {
                let transfer = self.about.transfer;
                out.tell(&FilesFrame::Stop { transfer, reason });
            }
            return;
        }
        let is_done = self.end.is_some();
        match &mut self.side {
            Side::Sending(sending) if !is_done => sending.greet(&self.about, out),
            Side::Sending(_) => {}
            Side::Receiving(receiving) => {
                self.is_kept |= !receiving.is_offered();
                receiving.greet(&self.about, out);
            }
        }
        if self.paused_by_us && !is_done {
            self.tell_pause(out);
        }
    }

    fn tell_pause(&self, out: &mut Out<'_>) {
        out.tell(&FilesFrame::Pause {
            transfer: self.about.transfer,
            paused: self.paused_by_us,
        });
    }

    /// The person wants it to rest, or to go on.
    pub(super) fn pause(&mut self, paused: bool, out: &mut Out<'_>) {
        if self.is_over() || self.is_offered() || self.paused_by_us == paused {
            return;
        }
        self.paused_by_us = paused;
        self.tell_pause(out);
        self.rest_or_go_on(out);
    }

    /// The other side does.
    pub(super) fn paused_by_them(&mut self, paused: bool, out: &mut Out<'_>) {
        if let (Side::Sending(sending), true) = (&mut self.side, paused) {
            sending.accepted();
        }
        if !self.is_over() && self.paused_by_them != paused {
            self.paused_by_them = paused;
            self.rest_or_go_on(out);
        }
    }

    fn rest_or_go_on(&mut self, out: &mut Out<'_>) {
        if self.is_paused() {
            self.meter.clear();
            return;
        }
        match &mut self.side {
            Side::Sending(sending) => sending.push(false, &self.about, out),
            Side::Receiving(receiving) => receiving.resumed(out.now),
        }
    }

    /// The receiver wants it: they do not hold it back, and should know who does.
    pub(super) fn wanted(&mut self, out: &mut Out<'_>) {
        self.paused_by_them(false, out);
        if self.paused_by_us && !self.is_over() {
            self.tell_pause(out);
        }
    }

    /// The connection is gone (`has_pipe` false), or its files channel alone.
    pub(super) fn cut(&mut self, has_pipe: bool, out: &mut Out<'_>) {
        self.rest();
        match &mut self.side {
            Side::Sending(sending) => sending.cut(has_pipe, &self.about, out),
            Side::Receiving(receiving) => receiving.cut(has_pipe, out),
        }
    }

    /// Ends it by our word. The other side is to be told, now or when they are back.
    pub(super) fn stop(&mut self, reason: StopReason, out: &mut Out<'_>) {
        if self.is_over() {
            return;
        }
        out.tell(&FilesFrame::Stop {
            transfer: self.about.transfer,
            reason,
        });
        self.stopped(reason, true, out);
    }

    /// It is over before its end.
    pub(super) fn stopped(&mut self, reason: StopReason, by_us: bool, out: &mut Out<'_>) {
        if self.is_over() {
            return;
        }
        let is_own_wish = by_us && matches!(reason, StopReason::Cancelled | StopReason::Declined);
        if !is_own_wish {
            out.notices.push(NoticeKind::TransferFailed {
                name: self.about.name.clone(),
                title: self.about.title().into(),
            });
        }
        self.let_go(out);
        self.forget(out);
        self.end = Some(End::Stopped { reason, by_us });
    }

    /// Everything is with the receiver.
    pub(super) fn done(&mut self, out: &mut Out<'_>) {
        if self.end == Some(End::Done) {
            return;
        }
        let (name, title) = (self.about.name.clone(), self.about.title().into());
        match &mut self.side {
            Side::Sending(_) => {
                out.notices.push(NoticeKind::FileSent { name, title });
                self.let_go(out);
                self.forget(out);
            }
            Side::Receiving(receiving) => {
                out.notices.push(NoticeKind::FileReceived { name, title });
                receiving.complete(&self.about, out);
            }
        }
        self.rest();
        self.end = Some(End::Done);
    }

    fn let_go(&mut self, out: &mut Out<'_>) {
        self.rest();
        match &mut self.side {
            Side::Sending(sending) => sending.cut(true, &self.about, out),
            Side::Receiving(receiving) => receiving.close_pipe(out),
        }
    }

    /// It stands still.
    pub(super) fn rest(&mut self) {
        self.meter.clear();
        self.under_way = None;
    }

    /// The person does not want to see it any more.
    pub(super) fn dismiss(&mut self, out: &mut Out<'_>) {
        if let Side::Receiving(receiving) = &mut self.side {
            receiving.close_pipe(out);
        }
        self.forget(out);
    }

    /// The shell may forget it.
    pub(super) fn forget(&mut self, out: &mut Out<'_>) {
        if core::mem::take(&mut self.is_kept) {
            out.file(FileCommand::Forget(self.about.transfer));
        }
    }

    /// So much of a block came or left.
    pub(super) fn progress(&mut self, number: u32, bytes: u32, now: Timestamp) {
        if !self.is_over() {
            self.under_way = Some((number, bytes));
            self.measure(now);
        }
    }

    /// Notes how far it is.
    pub(super) fn measure(&mut self, now: Timestamp) {
        if !self.is_over() && !self.is_paused() {
            self.meter.note(now, self.passed());
        }
    }

    fn passed(&self) -> u64 {
        let layout = &self.about.layout;
        let verified = match (&self.end, &self.side) {
            (Some(End::Done), _) => return layout.bytes(),
            (_, Side::Sending(sending)) => sending.acked(),
            (_, Side::Receiving(receiving)) => receiving.stored(),
        };
        let mut passed = layout.bytes_before(verified);
        if let Some((number, bytes)) = self.under_way
            && number >= verified
            && let Some(place) = layout.place(number)
        {
            passed = layout.bytes_before(number) + u64::from(bytes.min(place.bytes));
        }
        passed
    }

    fn state(&self, link: Option<LinkId>) -> TransferState {
        match self.end {
            Some(End::Done) => return TransferState::Done,
            Some(End::Stopped { reason, by_us }) => return TransferState::Stopped { reason, by_us },
            None => {}
        }
        let lacks = match &self.side {
            Side::Sending(sending) => sending.was_wanted() && !sending.has_source(),
            Side::Receiving(_) => false,
        };
        if self.is_offered() {
            let is_known = match &self.side {
                Side::Sending(sending) => sending.has_source() || link.is_some(),
                Side::Receiving(_) => true,
            };
            return if is_known {
                TransferState::Offered
            } else {
                TransferState::Interrupted
            };
        }
        if self.paused_by_us {
            return TransferState::Paused { by_us: true };
        }
        if self.paused_by_them && link.is_some() {
            return TransferState::Paused { by_us: false };
        }
        if lacks {
            return TransferState::Lacking { ours: true };
        }
        if link.is_none() {
            return TransferState::Interrupted;
        }
        let flows = match &self.side {
            Side::Sending(sending) if sending.is_comparing() => return TransferState::Verifying,
            Side::Sending(sending) => sending.flows(),
            Side::Receiving(receiving) if receiving.is_lacking() => {
                return TransferState::Lacking { ours: false };
            }
            Side::Receiving(receiving) => receiving.flows(),
        };
        match flows {
            Some(true) => TransferState::Verifying,
            Some(false) => TransferState::Running,
            None => TransferState::Waiting,
        }
    }

    pub(super) fn view(&self, link: Option<LinkId>, now: Timestamp) -> Transfer {
        let state = self.state(link);
        let passed = self.passed();
        let bytes = self.about.layout.bytes();
        let is_running = state == TransferState::Running;
        Transfer {
            transfer: self.about.transfer,
            direction: self.about.direction,
            seat: self.about.seat,
            name: self.about.name.clone(),
            title: self.about.title().into(),
            is_folder: self.about.folder.is_some(),
            files: u32::try_from(self.about.layout.files().len()).unwrap_or(u32::MAX),
            bytes,
            passed,
            rate: if is_running { self.meter.rate(now) } else { 0 },
            left: self
                .meter
                .left(now, bytes.saturating_sub(passed))
                .filter(|_| is_running),
            state,
        }
    }
}
