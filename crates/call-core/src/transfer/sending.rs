//! The sender's half of one transfer: reads, hashes and sends block after block to who wants them, and
//! compares a file that was picked again with what was sent of it before.
//!
//! ```text
//! Resting ──want──▶ (pending) ──slot──▶ Piping ──done──▶ (over)
//!    ▲                  │ not all hashes known        │
//!    │                  ▼                             │ pipe or connection gone
//!    └──same file── Comparing                         │
//!    └────────────────────────────────────────────────┘
//! ```

use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::limits::BLOCKS_AHEAD;
use visavis_protocol::transfer::{BlockHash, FilesFrame, PipeFrame, PipeName, StopReason};

use super::about::About;
use super::layout::root;
use super::out::Out;
use super::shell::FileCommand;
use crate::fault::Fault;
use crate::id::{LinkId, PipeId, SourceId};
use crate::time::Timestamp;

/// Blocks that a transfer may be ahead of the slowest one of the same source and still share what is read:
/// fewer than a shell keeps for that.
const STEP: u32 = 3;
/// Blocks behind which one is out of reach: what it reads is forgotten long since, waiting saves nothing.
pub(super) const REACH: u32 = 2 * STEP;
/// How long it waits for a slower one, and which part of its time (one half): the file is read once for both
/// where one is up to twice as fast, and nobody is held up by more than that for the sake of a read.
const PATIENCE: Duration = Duration::from_secs(1);
const PATIENT_PART: u32 = 2;
/// Shorter waits are not begun.
const LEAST_WAIT: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    /// `None` on a page that was loaded anew, until the person picks the file again.
    source: Option<SourceId>,
    /// The hashes of the blocks that were read so far, from the first.
    hashes: Vec<BlockHash>,
    /// Whether the receiver was ever heard to want it.
    was_wanted: bool,
    /// What they want and do not get yet.
    want: Option<Want>,
    /// Their last attempt, and on which connection.
    last: Option<(LinkId, u32)>,
    /// All blocks before this one are with the receiver, as far as they said.
    acked: u32,
    work: Work,
}

/// See [`FilesFrame::Want`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) attempt: u32,
    pub(super) from: u32,
    pub(super) root: BlockHash,
}

#[derive(Clone, Debug)]
enum Work {
    Resting,
    Comparing,
    Piping(Flow),
}

/// Blocks on their way.
#[derive(Clone, Debug)]
struct Flow {
    pipe: PipeId,
    is_open: bool,
    /// The block to be sent next.
    next: u32,
    /// Whether the shell reads the next one.
    is_reading: bool,
    /// The shell holds the next one: its hash.
    read: Option<BlockHash>,
    /// Whether the one before is on its way into the pipe.
    is_sending: bool,
    is_ended: bool,
    since: Timestamp,
    /// No block from this one on is read yet: see [`Sending::keep_step`].
    limit: u32,
    /// How long it has waited for slower ones, and until when it does.
    waited: Duration,
    waits: Option<Waits>,
}

#[derive(Clone, Copy, Debug)]
struct Waits {
    since: Timestamp,
    until: Timestamp,
}

impl Flow {
    /// Waits for a slower one, if it has not done so for too long; whether it does.
    fn begin_wait(&mut self, now: Timestamp) -> bool {
        if let Some(waits) = self.waits {
            return now < waits.until;
        }
        let earned = now.since(self.since) / PATIENT_PART;
        // What was not spent is not saved up: nobody stands still for minutes at once.
        self.waited = self.waited.max(earned);
        let may_wait = PATIENCE + earned;
        let left = may_wait.saturating_sub(self.waited);
        let is_worth_it = left >= LEAST_WAIT;
        if is_worth_it {
            self.waits = Some(Waits {
                since: now,
                until: now + left,
            });
        }
        is_worth_it
    }

    fn end_wait(&mut self, now: Timestamp) {
        if let Some(waits) = self.waits.take() {
            self.waited += now.since(waits.since);
        }
    }
}

impl Sending {
    pub(super) const fn new(source: Option<SourceId>) -> Self {
        Self {
            source,
            hashes: Vec::new(),
            was_wanted: false,
            want: None,
            last: None,
            acked: 0,
            work: Work::Resting,
        }
    }

    pub(super) const fn was_wanted(&self) -> bool {
        self.was_wanted
    }

    pub(super) const fn has_source(&self) -> bool {
        self.source.is_some()
    }

    pub(super) const fn is_comparing(&self) -> bool {
        matches!(self.work, Work::Comparing)
    }

    /// Whether it has a pipe, be it open or not.
    pub(super) const fn has_pipe(&self) -> bool {
        matches!(self.work, Work::Piping(_))
    }

    /// Whether that pipe is the present one.
    pub(super) fn has_this_pipe(&self, pipe: PipeId) -> bool {
        matches!(&self.work, Work::Piping(flow) if flow.pipe == pipe)
    }

    /// Whether the pipe is open, and whether all is said on it.
    pub(super) const fn flows(&self) -> Option<bool> {
        match &self.work {
            Work::Piping(flow) if flow.is_open => Some(flow.is_ended),
            Work::Piping(_) | Work::Resting | Work::Comparing => None,
        }
    }

    /// Whether a pipe may be made.
    pub(super) const fn is_pending(&self) -> bool {
        self.want.is_some() && self.source.is_some() && matches!(self.work, Work::Resting)
    }

    /// The first block that the receiver is not known to have.
    pub(super) const fn acked(&self) -> u32 {
        self.acked
    }

    /// Tells who is met again what there is.
    pub(super) fn greet(&self, about: &About, out: &mut Out<'_>) {
        let transfer = about.transfer;
        if self.was_wanted || self.source.is_none() {
            out.tell(&FilesFrame::Ready { transfer });
        } else {
            out.tell(&about.offer());
        }
    }

    /// The receiver lets it rest, so they have said yes.
    pub(super) fn accepted(&mut self) {
        self.was_wanted = true;
    }

    /// The receiver wants blocks.
    pub(super) fn handle_want(
        &mut self,
        want: Want,
        about: &About,
        out: &mut Out<'_>,
    ) -> Result<(), StopReason> {
        let Some(link) = out.link else { return Ok(()) };
        // A name is used once on a connection.
        if self
            .last
            .is_some_and(|(on, attempt)| on == link && attempt >= want.attempt)
        {
            return Ok(());
        }
        if want.from > about.layout.blocks() {
            return Err(StopReason::BadContent);
        }
        self.last = Some((link, want.attempt));
        if self.has_pipe() {
            self.cut(true, about, out);
        }
        self.was_wanted = true;
        self.want = Some(want);
        self.consider(about, out)
    }

    /// The person picked the same file again.
    pub(super) fn pick(&mut self, source: SourceId, about: &About, out: &mut Out<'_>) {
        self.source = Some(source);
        // They wait no longer for what they wanted; they say it anew.
        self.want = None;
        let transfer = about.transfer;
        out.tell(&FilesFrame::Ready { transfer });
    }

    /// Looks what a want needs: the file, its comparison, or only a pipe.
    fn consider(&mut self, about: &About, out: &mut Out<'_>) -> Result<(), StopReason> {
        let Some(want) = self.want else { return Ok(()) };
        let transfer = about.transfer;
        if self.source.is_none() {
            out.tell(&FilesFrame::Lacking { transfer });
            return Ok(());
        }
        let from = usize::try_from(want.from).unwrap_or(usize::MAX);
        let Some(known) = self.hashes.get(..from) else {
            if out.faults.has(Fault::PickedTrusted) {
                self.hashes.resize(from, BlockHash([0; 32]));
                return Ok(());
            }
            out.tell(&FilesFrame::Lacking { transfer });
            if !self.is_comparing() {
                self.work = Work::Comparing;
                self.read_to_compare(about, out);
            }
            return Ok(());
        };
        if root(known) != want.root && !out.faults.has(Fault::PickedTrusted) {
            return Err(StopReason::Changed);
        }
        if self.is_comparing() {
            // They say anew what they want: it may be something else by now.
            self.work = Work::Resting;
            self.want = None;
            out.tell(&FilesFrame::Ready { transfer });
        }
        Ok(())
    }

    fn read_to_compare(&self, about: &About, out: &mut Out<'_>) {
        let next = u32::try_from(self.hashes.len()).unwrap_or(u32::MAX);
        self.read(next, about, out);
    }

    fn read(&self, number: u32, about: &About, out: &mut Out<'_>) -> bool {
        let (Some(source), Some(place)) = (self.source, about.layout.place(number)) else {
            return false;
        };
        out.file(FileCommand::ReadBlock {
            transfer: about.transfer,
            source,
            place,
        });
        true
    }

    /// Makes the pipe that is wanted.
    pub(super) fn open_pipe(&mut self, is_paused: bool, about: &About, out: &mut Out<'_>) {
        let (Some(want), Some(link)) = (self.want.take(), out.link) else {
            return;
        };
        let pipe = PipeId {
            link,
            name: PipeName {
                transfer: about.transfer,
                attempt: want.attempt,
            },
        };
        self.acked = want.from;
        self.work = Work::Piping(Flow {
            pipe,
            is_open: false,
            next: want.from,
            is_reading: false,
            read: None,
            is_sending: false,
            is_ended: false,
            since: out.now,
            limit: u32::MAX,
            waited: Duration::ZERO,
            waits: None,
        });
        out.file(FileCommand::OpenPipe(pipe));
        self.push(is_paused, about, out);
    }

    pub(super) fn pipe_opened(&mut self, pipe: PipeId, is_paused: bool, about: &About, out: &mut Out<'_>) {
        if let Work::Piping(flow) = &mut self.work
            && flow.pipe == pipe
        {
            flow.is_open = true;
            self.push(is_paused, about, out);
        }
    }

    /// Goes on as far as it may.
    pub(super) fn push(&mut self, is_paused: bool, about: &About, out: &mut Out<'_>) {
        let blocks = about.layout.blocks();
        let Work::Piping(flow) = &mut self.work else {
            return;
        };
        if flow.is_open && !flow.is_sending && flow.next >= blocks {
            if !flow.is_ended {
                flow.is_ended = true;
                let root = root(&self.hashes);
                out.write(flow.pipe, &PipeFrame::End { root });
            }
            return;
        }
        if is_paused {
            return;
        }
        let may_go = flow.is_open
            && !flow.is_sending
            && (flow.next < self.acked.saturating_add(BLOCKS_AHEAD)
                || out.faults.has(Fault::SentUnacknowledged));
        if let (true, Some(hash), Some(place)) = (may_go, flow.read, about.layout.place(flow.next)) {
            flow.read = None;
            flow.is_sending = true;
            flow.next += 1;
            let head = PipeFrame::Block {
                number: place.number,
                bytes: place.bytes,
                hash,
            };
            out.file(FileCommand::SendBlock {
                pipe: flow.pipe,
                place,
                head: head.encode(),
            });
        }
        // The next one is read while this one leaves.
        let next = flow.next;
        let is_wanting = !flow.is_reading && flow.read.is_none() && next < blocks.min(flow.limit);
        if is_wanting
            && self.read(next, about, out)
            && let Work::Piping(flow) = &mut self.work
        {
            flow.is_reading = true;
        }
    }

    /// What it reads and which block is the next, while blocks leave.
    pub(super) fn step(&self) -> Option<(SourceId, u32)> {
        match &self.work {
            Work::Piping(flow) if flow.is_open && !flow.is_ended => Some((self.source?, flow.next)),
            Work::Piping(_) | Work::Resting | Work::Comparing => None,
        }
    }

    /// Reads on as long as it is not far ahead of the slowest one that reads the same; waits for that one
    /// a little. `None` where it is alone.
    pub(super) fn keep_step(&mut self, slowest: Option<u32>, about: &About, out: &mut Out<'_>) {
        let Work::Piping(flow) = &mut self.work else {
            return;
        };
        let fair = slowest.map_or(u32::MAX, |slowest| slowest.saturating_add(STEP));
        if flow.next < fair || flow.next >= about.layout.blocks() {
            flow.end_wait(out.now);
            flow.limit = fair;
        } else if flow.is_reading || flow.read.is_some() {
            flow.limit = flow.next;
            return;
        } else if flow.begin_wait(out.now) {
            return;
        } else {
            flow.end_wait(out.now);
            flow.limit = flow.next.saturating_add(1);
        }
        self.push(false, about, out);
    }

    /// When it waits no longer.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.work {
            Work::Piping(flow) => flow.waits.map(|waits| waits.until),
            Work::Resting | Work::Comparing => None,
        }
    }

    /// A block was read.
    pub(super) fn block_read(
        &mut self,
        number: u32,
        hash: BlockHash,
        is_paused: bool,
        about: &About,
        out: &mut Out<'_>,
    ) -> Result<(), StopReason> {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        match &mut self.work {
            Work::Resting => return Ok(()),
            Work::Comparing => {
                if at != self.hashes.len() {
                    return Ok(());
                }
                self.hashes.push(hash);
                out.file(FileCommand::DropRead(about.transfer));
                self.consider(about, out)?;
                if self.is_comparing() {
                    self.read_to_compare(about, out);
                }
            }
            Work::Piping(flow) => {
                if !flow.is_reading || flow.next != number {
                    return Ok(());
                }
                flow.is_reading = false;
                flow.read = Some(hash);
                match self.hashes.get(at) {
                    Some(known) if *known != hash => return Err(StopReason::Changed),
                    Some(_) => {}
                    None => self.hashes.push(hash),
                }
                self.push(is_paused, about, out);
            }
        }
        Ok(())
    }

    /// A block is in the pipe.
    pub(super) fn block_sent(
        &mut self,
        pipe: PipeId,
        number: u32,
        is_paused: bool,
        about: &About,
        out: &mut Out<'_>,
    ) {
        if let Work::Piping(flow) = &mut self.work
            && flow.pipe == pipe
            && flow.next == number.wrapping_add(1)
        {
            flow.is_sending = false;
            self.push(is_paused, about, out);
        }
    }

    /// The receiver wrote on the pipe; whether they have everything.
    pub(super) fn received(
        &mut self,
        frame: &PipeFrame,
        is_paused: bool,
        about: &About,
        out: &mut Out<'_>,
    ) -> Result<bool, StopReason> {
        let Work::Piping(flow) = &mut self.work else {
            return Ok(false);
        };
        match frame {
            PipeFrame::Have { upto } => {
                if *upto < self.acked || *upto > flow.next {
                    return Err(StopReason::BadContent);
                }
                self.acked = *upto;
                self.push(is_paused, about, out);
                Ok(false)
            }
            PipeFrame::Done {} if flow.is_ended => Ok(true),
            PipeFrame::Done {} | PipeFrame::Block { .. } | PipeFrame::End { .. } => {
                Err(StopReason::BadContent)
            }
        }
    }

    /// A pipe is gone; whether it was the present one.
    pub(super) fn pipe_closed(&mut self, pipe: PipeId, about: &About, out: &mut Out<'_>) -> bool {
        let is_present = self.has_this_pipe(pipe);
        if is_present {
            self.cut(false, about, out);
        }
        is_present
    }

    /// Lets go of what is under way. What was wanted is to be wanted anew.
    pub(super) fn cut(&mut self, has_pipe: bool, about: &About, out: &mut Out<'_>) {
        self.want = None;
        match core::mem::replace(&mut self.work, Work::Resting) {
            Work::Resting => {}
            Work::Comparing => out.file(FileCommand::DropRead(about.transfer)),
            Work::Piping(flow) => {
                if has_pipe && !out.faults.has(Fault::PipeLeftOpen) {
                    out.file(FileCommand::ClosePipe(flow.pipe));
                }
                if flow.is_reading || flow.read.is_some() {
                    out.file(FileCommand::DropRead(about.transfer));
                }
            }
        }
    }
}
