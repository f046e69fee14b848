//! The receiver's half of one transfer: consent, blocks that are compared with their hashes and stored one
//! after the other, and how it goes on after a cut.
//!
//! ```text
//! Offered ──accept──▶ Preparing ──▶ Queued ──slot──▶ Wanted ──pipe──▶ Piping ──all there──▶ Whole
//!                                     ▲                 │                │
//!                                     └──no pipe came───┴──pipe gone─────┘
//! ```

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::limits::BLOCKS_AHEAD;
use visavis_protocol::transfer::{BlockHash, FilesFrame, PipeFrame, StopReason};

use super::about::About;
use super::layout::root;
use super::out::Out;
use super::shell::FileCommand;
use crate::fault::Fault;
use crate::id::PipeId;
use crate::time::Timestamp;

/// How long a pipe may take to come. What was said may lie in a hole that the connection does not
/// survive; then it is said anew on the next one.
const PIPE_WITHIN: Duration = Duration::from_secs(20);
/// Pause before a pipe that went while its connection stands is wanted again; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Attempts on one connection without a block between them, after which it is given up.
const ATTEMPTS: u32 = 6;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Receiving {
    stage: Stage,
    /// Of the blocks that are stored.
    hashes: Vec<BlockHash>,
    /// Counts what was wanted.
    attempt: u32,
    /// The pipe that the blocks below came on.
    pipe: Option<PipeId>,
    /// Announced and not stored, from the first that is not.
    coming: VecDeque<Coming>,
    /// Whether the first of them is being stored.
    is_storing: bool,
    /// Whether the sender said that they lack the file.
    is_lacking: bool,
    /// Attempts since the last block on this connection.
    attempts: u32,
    retry_at: Option<Timestamp>,
}

/// A block that was announced.
#[derive(Clone, Copy, Debug)]
struct Coming {
    hash: BlockHash,
    /// Whether it is all here, and is what was announced. A short one may be hashed before a long one.
    is_whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The person has not said yes.
    Offered,
    /// Kept by an earlier page.
    Kept,
    /// The shell makes room.
    Preparing,
    /// Waits for the sender, for its turn or for the next attempt.
    Queued,
    /// Waits for the pipe.
    Wanted { until: Timestamp },
    /// Blocks come.
    Piping {
        pipe: PipeId,
        /// What the sender said at the end.
        end: Option<BlockHash>,
    },
    /// All there. The sender closes the pipe.
    Whole { pipe: Option<PipeId> },
}

impl Receiving {
    pub(super) const fn new() -> Self {
        Self {
            stage: Stage::Offered,
            hashes: Vec::new(),
            attempt: 0,
            pipe: None,
            coming: VecDeque::new(),
            is_storing: false,
            is_lacking: false,
            attempts: 0,
            retry_at: None,
        }
    }

    /// What an earlier page had of it.
    pub(super) fn kept(hashes: Vec<BlockHash>, is_complete: bool) -> Self {
        let stage = if is_complete {
            Stage::Whole { pipe: None }
        } else {
            Stage::Kept
        };
        Self {
            stage,
            hashes,
            ..Self::new()
        }
    }

    pub(super) const fn is_offered(&self) -> bool {
        matches!(self.stage, Stage::Offered)
    }

    pub(super) const fn is_lacking(&self) -> bool {
        self.is_lacking
    }

    /// Whether one of the places for those that run is taken.
    pub(super) const fn has_place(&self) -> bool {
        matches!(self.stage, Stage::Wanted { .. } | Stage::Piping { .. })
    }

    /// Whether blocks come, and whether all of them have.
    pub(super) const fn flows(&self) -> Option<bool> {
        match self.stage {
            Stage::Piping { end, .. } => Some(end.is_some()),
            Stage::Offered
            | Stage::Kept
            | Stage::Preparing
            | Stage::Queued
            | Stage::Wanted { .. }
            | Stage::Whole { .. } => None,
        }
    }

    /// Whether blocks come on that pipe.
    pub(super) fn has_pipe(&self, pipe: PipeId) -> bool {
        matches!(self.stage, Stage::Piping { pipe: present, .. } if present == pipe)
    }

    /// Whether it would go on if it had a place.
    pub(super) fn is_pending(&self, now: Timestamp) -> bool {
        let is_due = self.retry_at.is_none_or(|at| at <= now);
        self.stage == Stage::Queued && !self.is_lacking && is_due && self.is_at_rest()
    }

    /// Whether nothing is in memory that is worth being stored first.
    fn is_at_rest(&self) -> bool {
        !self.is_storing && self.coming.front().is_none_or(|first| !first.is_whole)
    }

    pub(super) fn stored(&self) -> u32 {
        u32::try_from(self.hashes.len()).unwrap_or(u32::MAX)
    }

    /// The person says yes.
    pub(super) fn accept(&mut self, about: &About, out: &mut Out<'_>) {
        if self.stage == Stage::Offered {
            self.prepare(about, out);
        }
    }

    /// Goes on with what an earlier page had, and says what is whole.
    pub(super) fn greet(&mut self, about: &About, out: &mut Out<'_>) {
        match self.stage {
            Stage::Kept => self.prepare(about, out),
            Stage::Whole { .. } => self.say_done(about, out),
            Stage::Offered
            | Stage::Preparing
            | Stage::Queued
            | Stage::Wanted { .. }
            | Stage::Piping { .. } => {}
        }
    }

    fn say_done(&self, about: &About, out: &mut Out<'_>) {
        if !out.faults.has(Fault::DoneSaidOnce) {
            let transfer = about.transfer;
            out.tell(&FilesFrame::Done { transfer });
        }
    }

    fn prepare(&mut self, about: &About, out: &mut Out<'_>) {
        self.stage = Stage::Preparing;
        out.file(FileCommand::Prepare(about.kept(self.hashes.clone())));
    }

    pub(super) fn prepared(&mut self) {
        if self.stage == Stage::Preparing {
            self.stage = Stage::Queued;
        }
    }

    /// Whether all blocks are stored although no pipe says so any more: whole all the same, since each
    /// was compared with what the sender announced.
    pub(super) fn is_whole_without_end(&self, about: &About) -> bool {
        self.stage == Stage::Queued && self.stored() == about.layout.blocks()
    }

    /// Notes that it is whole.
    pub(super) fn complete(&mut self, about: &About, out: &mut Out<'_>) {
        out.file(FileCommand::Complete(about.transfer));
        let pipe = match self.stage {
            Stage::Piping { pipe, .. } => {
                out.write(pipe, &PipeFrame::Done {});
                Some(pipe)
            }
            Stage::Offered
            | Stage::Kept
            | Stage::Preparing
            | Stage::Queued
            | Stage::Wanted { .. }
            | Stage::Whole { .. } => {
                self.say_done(about, out);
                None
            }
        };
        self.stage = Stage::Whole { pipe };
    }

    /// Says what is missing.
    pub(super) fn want(&mut self, about: &About, out: &mut Out<'_>) {
        self.attempt = self.attempt.saturating_add(1);
        self.coming.clear();
        self.retry_at = None;
        self.stage = Stage::Wanted {
            until: out.now + PIPE_WITHIN,
        };
        out.tell(&FilesFrame::Want {
            transfer: about.transfer,
            attempt: self.attempt,
            from: self.stored(),
            root: root(&self.hashes),
        });
    }

    /// Gives its place to another that can use it.
    pub(super) fn yield_place(&mut self, out: &mut Out<'_>) {
        if let Stage::Piping { pipe, .. } = self.stage
            && !out.faults.has(Fault::PipeLeftOpen)
        {
            out.file(FileCommand::ClosePipe(pipe));
        }
        self.stage = Stage::Queued;
    }

    /// A pipe came; whether it is the one that was wanted.
    pub(super) fn pipe_came(&mut self, pipe: PipeId, out: &Out<'_>) -> bool {
        let is_wanted = matches!(self.stage, Stage::Wanted { .. })
            && out.link == Some(pipe.link)
            && self.attempt == pipe.name.attempt;
        if is_wanted {
            self.pipe = Some(pipe);
            self.stage = Stage::Piping { pipe, end: None };
        }
        is_wanted
    }

    /// The sender wrote on the pipe; whether everything is there.
    pub(super) fn received(
        &mut self,
        frame: &PipeFrame,
        about: &About,
        out: &mut Out<'_>,
    ) -> Result<bool, StopReason> {
        let Stage::Piping { pipe, end } = &mut self.stage else {
            return Ok(false);
        };
        let pipe = *pipe;
        let in_memory = self.coming.len();
        let next = self.hashes.len() + in_memory;
        match *frame {
            PipeFrame::Block { number, bytes, hash } => {
                let is_next = usize::try_from(number) == Ok(next);
                let is_ahead = u32::try_from(in_memory).map_or(true, |many| many >= BLOCKS_AHEAD);
                let place = about.layout.place(number);
                let Some(place) = place.filter(|place| is_next && place.bytes == bytes) else {
                    return Err(StopReason::BadContent);
                };
                if is_ahead && !out.faults.has(Fault::SentUnacknowledged) {
                    return Err(StopReason::BadContent);
                }
                self.coming.push_back(Coming {
                    hash,
                    is_whole: false,
                });
                out.file(FileCommand::ExpectBlock { pipe, place });
                Ok(false)
            }
            PipeFrame::End { root } => {
                if end.is_some() || usize::try_from(about.layout.blocks()) != Ok(next) {
                    return Err(StopReason::BadContent);
                }
                *end = Some(root);
                self.look_at_end(about)
            }
            PipeFrame::Have { .. } | PipeFrame::Done {} => Err(StopReason::BadContent),
        }
    }

    /// A block came, perhaps while its pipe went.
    pub(super) fn block_came(
        &mut self,
        pipe: PipeId,
        number: u32,
        hash: BlockHash,
        about: &About,
        out: &mut Out<'_>,
    ) -> Result<(), StopReason> {
        let at = number
            .checked_sub(self.stored())
            .and_then(|at| usize::try_from(at).ok());
        let coming = at.and_then(|at| self.coming.get_mut(at));
        let Some(coming) = coming.filter(|_| self.pipe == Some(pipe)) else {
            return Ok(());
        };
        if coming.hash != hash && !out.faults.has(Fault::BlockNotCompared) {
            return Err(StopReason::BadContent);
        }
        coming.is_whole = true;
        self.store(about, out);
        Ok(())
    }

    fn store(&mut self, about: &About, out: &mut Out<'_>) {
        let place = about.layout.place(self.stored());
        if let (false, Some(first), Some(place)) = (self.is_storing, self.coming.front(), place)
            && first.is_whole
        {
            self.is_storing = true;
            out.file(FileCommand::StoreBlock {
                transfer: about.transfer,
                place,
                hash: first.hash,
            });
        }
    }

    /// A block is stored; whether everything is there.
    pub(super) fn block_stored(
        &mut self,
        number: u32,
        about: &About,
        out: &mut Out<'_>,
    ) -> Result<bool, StopReason> {
        if !self.is_storing || number != self.stored() {
            return Ok(false);
        }
        self.is_storing = false;
        self.hashes
            .extend(self.coming.pop_front().map(|first| first.hash));
        self.attempts = 0;
        self.store(about, out);
        if let Stage::Piping { pipe, .. } = self.stage {
            let upto = self.stored();
            out.write(pipe, &PipeFrame::Have { upto });
        }
        self.look_at_end(about)
    }

    fn look_at_end(&self, about: &About) -> Result<bool, StopReason> {
        let Stage::Piping { end: Some(end), .. } = self.stage else {
            return Ok(false);
        };
        if self.stored() != about.layout.blocks() {
            return Ok(false);
        }
        if root(&self.hashes) == end {
            Ok(true)
        } else {
            Err(StopReason::BadContent)
        }
    }

    /// The sender lacks the file, or has it again.
    pub(super) fn lacks(&mut self, is_lacking: bool) {
        if self.is_offered() {
            return;
        }
        self.is_lacking = is_lacking;
        if is_lacking && matches!(self.stage, Stage::Wanted { .. }) {
            self.stage = Stage::Queued;
        }
    }

    /// A pipe is gone while its connection stands; whether it was the present one.
    pub(super) fn pipe_closed(&mut self, pipe: PipeId, now: Timestamp) -> Result<bool, StopReason> {
        match &mut self.stage {
            Stage::Piping { pipe: present, .. } if *present == pipe => {}
            Stage::Whole { pipe: last } if *last == Some(pipe) => {
                *last = None;
                return Ok(false);
            }
            Stage::Offered
            | Stage::Kept
            | Stage::Preparing
            | Stage::Queued
            | Stage::Wanted { .. }
            | Stage::Piping { .. }
            | Stage::Whole { .. } => return Ok(false),
        }
        self.try_again(now)?;
        Ok(true)
    }

    fn try_again(&mut self, now: Timestamp) -> Result<(), StopReason> {
        self.stage = Stage::Queued;
        self.attempts += 1;
        if self.attempts >= ATTEMPTS {
            return Err(StopReason::Other);
        }
        self.retry_at = Some(now + FIRST_PAUSE * 2_u32.saturating_pow(self.attempts - 1));
        Ok(())
    }

    /// A pipe that should have come by now did not.
    pub(super) fn tick(&mut self, now: Timestamp) -> Result<(), StopReason> {
        match self.stage {
            Stage::Wanted { until } if until <= now => self.try_again(now),
            Stage::Offered
            | Stage::Kept
            | Stage::Preparing
            | Stage::Queued
            | Stage::Wanted { .. }
            | Stage::Piping { .. }
            | Stage::Whole { .. } => Ok(()),
        }
    }

    /// When to look again.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Wanted { until } => Some(until),
            Stage::Queued if !self.is_lacking && self.is_at_rest() => self.retry_at,
            Stage::Offered
            | Stage::Kept
            | Stage::Preparing
            | Stage::Queued
            | Stage::Piping { .. }
            | Stage::Whole { .. } => None,
        }
    }

    /// It goes on after a rest: the pipe has its time from now on.
    pub(super) fn resumed(&mut self, now: Timestamp) {
        if let Stage::Wanted { until } = &mut self.stage {
            *until = now + PIPE_WITHIN;
        }
    }

    /// The connection is gone, or another takes its place. What is whole is stored all the same.
    pub(super) fn cut(&mut self, has_pipe: bool, out: &mut Out<'_>) {
        self.is_lacking = false;
        self.attempts = 0;
        self.retry_at = None;
        if out.faults.has(Fault::WholeBlocksDropped) {
            self.coming.truncate(usize::from(self.is_storing));
        }
        match self.stage {
            Stage::Piping { pipe, .. } => {
                if has_pipe {
                    out.file(FileCommand::ClosePipe(pipe));
                }
                self.stage = Stage::Queued;
            }
            Stage::Wanted { .. } => self.stage = Stage::Queued,
            Stage::Whole { .. } => self.stage = Stage::Whole { pipe: None },
            Stage::Offered | Stage::Kept | Stage::Preparing | Stage::Queued => {}
        }
    }

    /// Lets go of the pipe: it is over.
    pub(super) fn close_pipe(&mut self, out: &mut Out<'_>) {
        match &mut self.stage {
            Stage::Piping { pipe, .. } | Stage::Whole { pipe: Some(pipe) } => {
                out.file(FileCommand::ClosePipe(*pipe));
                self.stage = Stage::Whole { pipe: None };
            }
            Stage::Offered
            | Stage::Kept
            | Stage::Preparing
            | Stage::Queued
            | Stage::Wanted { .. }
            | Stage::Whole { pipe: None } => {}
        }
    }

    /// Where the pipe that was said `done` on is still open: it should have been closed by its maker.
    pub(super) fn has_late_pipe(&self, pipe: PipeId) -> bool {
        self.stage == Stage::Whole { pipe: Some(pipe) }
    }
}
