//! Files between two people: offer, consent, blocks that are verified one by one, and how a transfer that
//! was cut goes on.
//!
//! A transfer belongs to two seats, not to a connection: what runs on one is cut with it and goes on with
//! the next files channel to the same seat. The receiver decides what comes when; the sender answers. What either
//! may have missed while they were cut off is said again when they meet.

mod about;
mod entry;
mod events;
mod frames;
mod intents;
mod layout;
mod meter;
mod names;
mod out;
mod receiving;
mod sending;
mod shell;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::limits::{TRANSFERS, TRANSFERS_AT_ONCE, TRANSFERS_PER_PERSON};
use visavis_protocol::transfer::{FilesFrame, StopReason};
use visavis_protocol::{RoomId, SeatId, TransferId, limits};

use crate::command::Command;
use crate::event::SideEvent;
use crate::fault::{Fault, Faults};
use crate::id::LinkId;
use crate::peer::Correspondent;
use crate::rate::Rate;
use crate::time::{Timestamp, earliest};
use crate::view::NoticeKind;
use about::About;
use entry::{End, Entry, Side};
pub use names::extension_of;
use out::Out;
use receiving::Receiving;
use sending::{REACH, Sending};
pub use shell::{
    BlockPlace, Direction, FileCommand, FileEvent, FileIntent, FileRead, FileTrouble, Kept, Transfer,
    TransferState,
};

/// Transfers that were ended here and of which the other side may not know; the oldest is forgotten first.
/// Who asks for a forgotten one hears that it is unknown, which ends it as well.
const STOPS: usize = TRANSFERS_PER_PERSON;
/// Questions that wait until it is known what an earlier page kept.
const EARLY: usize = 4 * TRANSFERS_PER_PERSON;
/// Even pace of the notices about offers, and how many at once: somebody may offer a few, and a flood
/// does not push other notices out.
const NOTICE_EVERY: Duration = Duration::from_secs(3);
const NOTICE_BURST: u32 = 4;
const FRAME_EVERY: Duration = Duration::from_millis(1000 / limits::FILES_FRAMES_PER_SECOND as u64);

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transfers {
    faults: Faults,
    /// The room that all this is about.
    room: Option<RoomId>,
    /// Whether the shell told what an earlier page kept.
    is_found: bool,
    channels: Vec<Channel>,
    list: Vec<Entry>,
    stops: VecDeque<(SeatId, TransferId, StopReason)>,
    /// Questions about transfers that an earlier page may have kept.
    early: VecDeque<(Correspondent, FilesFrame)>,
    notices: Vec<NoticeKind>,
    offers_noticed: Rate,
    refusals_noticed: Rate,
}

/// The files channel to somebody.
#[derive(Clone, Debug)]
struct Channel {
    whose: Correspondent,
    frames: Rate,
}

impl Transfers {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

    /// A room is entered. What is known of another one is forgotten, and stays with the shell.
    pub(crate) fn enter(&mut self, room: &RoomId) {
        if self.room.as_ref() == Some(room) {
            return;
        }
        *self = Self::new(self.faults);
        self.room = Some(room.clone());
    }

    /// The room has another id; nothing else changes.
    pub(crate) fn moved(&mut self, room: &RoomId) {
        self.room = Some(room.clone());
    }

    /// What the person should be told.
    pub(crate) fn take_notices(&mut self) -> Vec<NoticeKind> {
        core::mem::take(&mut self.notices)
    }

    /// Something happened on the files channel of a connection.
    pub(crate) fn handle_side(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        event: SideEvent,
        commands: &mut VecDeque<Command>,
    ) {
        match event {
            SideEvent::Opened => self.open(now, whose, commands),
            SideEvent::Received(text) => {
                self.open(now, whose, commands);
                let channel = self.channels.iter_mut().find(|one| one.whose.seat == whose.seat);
                let is_admitted = channel.is_some_and(|channel| {
                    channel.frames.admit(now, FRAME_EVERY, limits::FILES_FRAMES_BURST)
                });
                if is_admitted && text.len() <= limits::FILES_FRAME_BYTES {
                    self.read(now, whose, &text, commands);
                }
            }
            SideEvent::Closed => self.close(now, whose.link, true, commands),
        }
        self.advance(now, commands);
    }

    /// The two meet: each says what the other may have missed.
    fn open(&mut self, now: Timestamp, whose: &Correspondent, commands: &mut VecDeque<Command>) {
        let known = self.channels.iter_mut().find(|one| one.whose.seat == whose.seat);
        let mut frames = Rate::default();
        match known {
            Some(channel) if channel.whose.link == whose.link => return,
            Some(channel) => {
                frames = channel.frames;
                let former = channel.whose.link;
                self.close(now, former, true, commands);
            }
            None => {}
        }
        self.channels.push(Channel {
            whose: whose.clone(),
            frames,
        });
        let mut out = Out {
            now,
            link: Some(whose.link),
            commands,
            notices: &mut self.notices,
            faults: self.faults,
        };
        if !self.faults.has(Fault::StopSaidOnce) {
            for (_, transfer, reason) in self.stops.iter().filter(|(seat, ..)| *seat == whose.seat) {
                out.tell(&FilesFrame::Stop {
                    transfer: *transfer,
                    reason: *reason,
                });
            }
        }
        for entry in self.list.iter_mut().filter(|one| one.about.seat == whose.seat) {
            entry.greet(&mut out);
        }
    }

    /// A connection is gone, or its files channel alone (`has_pipes`).
    fn close(&mut self, now: Timestamp, link: LinkId, has_pipes: bool, commands: &mut VecDeque<Command>) {
        let Some(at) = self.channels.iter().position(|one| one.whose.link == link) else {
            return;
        };
        let channel = self.channels.remove(at);
        let mut out = Out {
            now,
            link: None,
            commands,
            notices: &mut self.notices,
            faults: self.faults,
        };
        for entry in self.list.iter_mut() {
            if entry.about.seat == channel.whose.seat {
                entry.cut(has_pipes, &mut out);
            }
        }
    }

    /// Takes channels and pipes of connections that are no more for closed.
    pub(crate) fn keep_links(
        &mut self,
        now: Timestamp,
        is_live: impl Fn(LinkId) -> bool,
        commands: &mut VecDeque<Command>,
    ) {
        while let Some(channel) = self.channels.iter().find(|one| !is_live(one.whose.link)) {
            let link = channel.whose.link;
            self.close(now, link, false, commands);
        }
    }

    /// Goes on with what has waited for its turn: the receiver says what it wants, the sender answers.
    fn advance(&mut self, now: Timestamp, commands: &mut VecDeque<Command>) {
        self.keep_step(now, commands);
        let mut out = Out {
            now,
            link: None,
            commands,
            notices: &mut self.notices,
            faults: self.faults,
        };
        for entry in &mut self.list {
            let is_whole = match &entry.side {
                Side::Receiving(receiving) => {
                    entry.end.is_none() && receiving.is_whole_without_end(&entry.about)
                }
                Side::Sending(_) => false,
            };
            if is_whole {
                let seat = entry.about.seat;
                out.link = link_of(&self.channels, seat);
                entry.done(&mut out);
            }
        }
        for channel in &self.channels {
            out.link = Some(channel.whose.link);
            for is_sending in [false, true] {
                let belongs = |entry: &Entry| {
                    entry.about.seat == channel.whose.seat && entry.is_sending() == is_sending
                };
                let count = |list: &[Entry]| {
                    let running = list.iter().filter(|entry| belongs(entry) && entry.has_place());
                    running.count()
                };
                let mut running = count(&self.list);
                while let Some(next) = self
                    .list
                    .iter()
                    .position(|entry| belongs(entry) && entry.is_pending(now))
                {
                    if running >= TRANSFERS_AT_ONCE {
                        // Who rests gives its place to who can use it.
                        let resting = self.list.iter_mut().find(|entry| {
                            belongs(entry) && !is_sending && entry.has_place() && entry.is_paused()
                        });
                        let Some(resting) = resting else { break };
                        resting.yield_place(&mut out);
                        running -= 1;
                    }
                    if let Some(entry) = self.list.get_mut(next) {
                        entry.start(&mut out);
                        running += 1;
                    }
                }
            }
        }
    }

    /// Has those that send the same keep step, so that it is read once for all of them.
    fn keep_step(&mut self, now: Timestamp, commands: &mut VecDeque<Command>) {
        let step = |entry: &Entry| match &entry.side {
            Side::Sending(sending) if !entry.is_over() && !entry.is_paused() => sending.step(),
            Side::Sending(_) | Side::Receiving(_) => None,
        };
        let steps: Vec<_> = self.list.iter().filter_map(step).collect();
        for entry in &mut self.list {
            let Some((source, own)) = step(entry) else {
                continue;
            };
            let is_near = |next: u32| next.saturating_add(REACH) >= own;
            let same = || steps.iter().filter(|(of, next)| *of == source && is_near(*next));
            let slowest = same().map(|(_, next)| *next).min().filter(|_| same().count() > 1);
            let mut out = Out {
                now,
                link: link_of(&self.channels, entry.about.seat),
                commands,
                notices: &mut self.notices,
                faults: self.faults,
            };
            if let Side::Sending(sending) = &mut entry.side {
                sending.keep_step(slowest, &entry.about, &mut out);
            }
        }
    }

    /// Makes place for one more with somebody, by letting go of lines that are over.
    fn make_room(&mut self, seat: SeatId) -> bool {
        let with = |entry: &Entry| entry.about.seat == seat;
        while self.list.iter().filter(|entry| with(entry)).count() >= TRANSFERS_PER_PERSON {
            let Some(at) = self.list.iter().position(|entry| with(entry) && entry.is_spare()) else {
                return false;
            };
            self.list.remove(at);
        }
        while self.list.len() >= TRANSFERS {
            let channels = &self.channels;
            let is_spare = |entry: &Entry| {
                let is_stale = !entry.is_sending()
                    && entry.is_offered()
                    && link_of(channels, entry.about.seat).is_none();
                entry.is_spare() || is_stale
            };
            let Some(at) = self.list.iter().position(is_spare) else {
                return false;
            };
            self.list.remove(at);
        }
        true
    }

    fn position(&self, transfer: TransferId) -> Option<usize> {
        self.list
            .iter()
            .position(|entry| entry.about.transfer == transfer)
    }

    fn link_to(&self, seat: SeatId) -> Option<LinkId> {
        link_of(&self.channels, seat)
    }

    /// Does something with a transfer that is known.
    fn with(
        &mut self,
        now: Timestamp,
        transfer: TransferId,
        commands: &mut VecDeque<Command>,
        step: impl FnOnce(&mut Entry, &mut Out<'_>),
    ) {
        let Some(at) = self.position(transfer) else { return };
        let Some(entry) = self.list.get_mut(at) else {
            return;
        };
        let was_over = entry.is_over();
        let mut out = Out {
            now,
            link: link_of(&self.channels, entry.about.seat),
            commands,
            notices: &mut self.notices,
            faults: self.faults,
        };
        step(entry, &mut out);
        if let (false, Some(End::Stopped { reason, by_us: true })) = (was_over, entry.end) {
            let stop = (entry.about.seat, transfer, reason);
            self.note_stop(stop);
        }
    }

    fn sending(
        &mut self,
        now: Timestamp,
        transfer: TransferId,
        commands: &mut VecDeque<Command>,
        step: impl FnOnce(&mut Sending, bool, &About, &mut Out<'_>) -> Result<(), StopReason>,
    ) {
        self.with(now, transfer, commands, |entry, out| {
            let is_paused = entry.is_paused();
            if let (Side::Sending(sending), None) = (&mut entry.side, entry.end)
                && let Err(reason) = step(sending, is_paused, &entry.about, out)
            {
                entry.stop(reason, out);
            }
        });
    }

    fn receiving(
        &mut self,
        now: Timestamp,
        transfer: TransferId,
        commands: &mut VecDeque<Command>,
        step: impl FnOnce(&mut Receiving, &About, &mut Out<'_>) -> Result<bool, StopReason>,
    ) {
        self.with(now, transfer, commands, |entry, out| {
            let (Side::Receiving(receiving), None) = (&mut entry.side, entry.end) else {
                return;
            };
            match step(receiving, &entry.about, out) {
                Ok(true) => entry.done(out),
                Ok(false) => entry.measure(now),
                Err(reason) => entry.stop(reason, out),
            }
        });
    }

    /// Remembers what the other side may not have heard.
    fn note_stop(&mut self, stop: (SeatId, TransferId, StopReason)) {
        if self.stops.len() >= STOPS {
            self.stops.pop_front();
        }
        self.stops.push_back(stop);
    }

    pub(crate) fn handle_tick(&mut self, now: Timestamp, commands: &mut VecDeque<Command>) {
        let due: Vec<TransferId> = self
            .list
            .iter()
            .filter(|entry| self.deadline(entry).is_some_and(|at| at <= now))
            .map(|entry| entry.about.transfer)
            .collect();
        if due.is_empty() {
            return;
        }
        for transfer in due {
            self.receiving(now, transfer, commands, |receiving, _, _| {
                receiving.tick(now)?;
                Ok(false)
            });
        }
        self.advance(now, commands);
    }

    /// When one of them wants to be looked at. Who rests or has nobody to talk to does not.
    fn deadline(&self, entry: &Entry) -> Option<Timestamp> {
        if entry.is_over() || entry.is_paused() || self.link_to(entry.about.seat).is_none() {
            return None;
        }
        match &entry.side {
            Side::Sending(sending) => sending.poll_timeout(),
            Side::Receiving(receiving) => receiving.poll_timeout(),
        }
    }

    /// When a tick is wanted at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let deadlines = self.list.iter().map(|entry| self.deadline(entry));
        deadlines.fold(None, earliest)
    }

    pub(crate) fn view(&self, now: Timestamp) -> Vec<Transfer> {
        let seen = |entry: &Entry| entry.view(self.link_to(entry.about.seat), now);
        self.list.iter().map(seen).collect()
    }
}

fn link_of(channels: &[Channel], seat: SeatId) -> Option<LinkId> {
    let channel = channels.iter().find(|channel| channel.whose.seat == seat)?;
    Some(channel.whose.link)
}
