//! What passes between the transfers and their shell: facts, wishes, commands, and what there is to show.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::transfer::{BlockHash, FileEntry, PipeName, StopReason};
use visavis_protocol::{RoomId, SeatId, TransferId};

use crate::id::{LinkId, PipeId, SourceId};

/// Where a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockPlace {
    /// The block's number in its transfer.
    pub number: u32,
    /// Which file of the transfer, from 0.
    pub file: u32,
    /// Where it begins in that file, in bytes.
    pub offset: u64,
    /// Its length in bytes: [`visavis_protocol::limits::BLOCK_BYTES`] but for the last of a file.
    pub bytes: u32,
}

/// What is to be done for a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileCommand {
    /// Sender: makes the pipe (see [`visavis_protocol::transfer`]) with `bufferedAmountLowThreshold` of
    /// [`visavis_protocol::limits::PIPE_LOW_BYTES`]. Answered by `PipeOpened` or `PipeClosed`.
    OpenPipe(PipeId),
    /// Closes a pipe, which may be gone already. Nothing more is heard of it, but for blocks that are whole;
    /// what was written on it just before still leaves.
    ClosePipe(PipeId),
    /// Writes a text message on a pipe that is open, never while a block is being sent on it; a [`visavis_protocol::transfer::PipeFrame`].
    WritePipe {
        /// Where to.
        pipe: PipeId,
        /// A whole message.
        text: String,
    },
    /// Sender: reads a block of a source and hashes it, and keeps it for [`FileCommand::SendBlock`].
    /// Answered by `BlockRead` or `ReadFailed`. Several transfers of one source ask for the same block:
    /// a shell reads it once where they keep step.
    ReadBlock {
        /// For which transfer.
        transfer: TransferId,
        /// Of what.
        source: SourceId,
        /// Which.
        place: BlockPlace,
    },
    /// Sender: takes the block that was read for this transfer, writes `head` (a text) and then the block,
    /// in chunks, resting while the pipe is full; then forgets it. Meanwhile the next one may be asked for by
    /// [`FileCommand::ReadBlock`]. Answered by `BlockSent` once all of it is in the pipe's buffer; by
    /// nothing if the pipe closes.
    SendBlock {
        /// Where to.
        pipe: PipeId,
        /// Which, for the record; the shell has it by its transfer.
        place: BlockPlace,
        /// A [`visavis_protocol::transfer::PipeFrame::Block`].
        head: String,
    },
    /// Forgets a block that was read and not sent, and answers no read of the transfer that is under way: it
    /// was cut, or the block was needed for its hash alone.
    DropRead(TransferId),
    /// Receiver: makes room for a transfer on disk, or finds what is there of it, and writes down what
    /// a later page needs to go on with it. What is there beyond [`Kept::hashes`] is void. Answered by
    /// `Prepared` or `StoreFailed`.
    Prepare(Kept),
    /// Receiver: the next binary messages on the pipe are this block. The shell gathers them, refuses
    /// more than were announced, hashes the block when it is whole and holds it; more
    /// than one may be held. Blocks of an earlier pipe of the same transfer that are still held are
    /// forgotten. Answered by `BlockCame`, also where the pipe went meanwhile and the block is whole, or `PipeBroken` where the messages do not fit.
    ExpectBlock {
        /// On which pipe.
        pipe: PipeId,
        /// Which.
        place: BlockPlace,
    },
    /// Receiver: puts a block that came on disk, and its hash behind those before it, so that a page
    /// that is loaded anew finds both. Answered by `BlockStored` or `StoreFailed`.
    StoreBlock {
        /// Of which transfer.
        transfer: TransferId,
        /// Which.
        place: BlockPlace,
        /// Its hash.
        hash: BlockHash,
    },
    /// Receiver: notes that the transfer is whole, for a later page. Answered by nothing.
    Complete(TransferId),
    /// Forgets all of a transfer, on either side: what is stored of it is deleted, its source let go if
    /// no other transfer has it.
    Forget(TransferId),
    /// Sender: writes down that this was offered, so that a later page of this tab may ask the person to
    /// pick the file again.
    Remember(Kept),
}

/// What a transfer is, for a page that is loaded anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub transfer: TransferId,
    /// In which room.
    pub room: RoomId,
    /// Whether it was sent or received here.
    pub direction: Direction,
    /// Who is on the other side.
    pub seat: SeatId,
    /// Their name then.
    pub name: String,
    /// The folder's name.
    pub folder: Option<String>,
    /// The files, with names that are clean.
    pub files: Vec<FileEntry>,
    /// The hashes of the blocks that are stored; empty for what was sent.
    pub hashes: Vec<BlockHash>,
    /// Whether it is whole.
    pub is_complete: bool,
}

/// Sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// By this side.
    Sending,
    /// By the other one.
    Receiving,
}

/// What happened to a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileEvent {
    /// What an earlier page of this tab kept for this room; nothing, where there is nothing or it cannot be
    /// read. Told once, soon after the room was entered: until then nobody is told that a transfer is unknown.
    Found(Vec<Kept>),
    /// The pipe that we made can be written to.
    PipeOpened(PipeId),
    /// The other side made a channel labelled as a pipe, and it is open. The core closes those that
    /// nobody wants; the shell closes those whose name is none, and other channels, by itself.
    PipeCame {
        /// On which connection.
        link: LinkId,
        /// Its name.
        name: PipeName,
    },
    /// A text message came on a pipe, at most 1 KiB; the shell closes a pipe that brings longer ones.
    PipeReceived {
        /// Where.
        pipe: PipeId,
        /// The message.
        text: String,
    },
    /// The pipe is gone by the other side's doing or with its connection.
    PipeClosed(PipeId),
    /// Binary messages came that were not announced, or were too long, or ended too late.
    PipeBroken(PipeId),
    /// See [`FileCommand::ReadBlock`].
    BlockRead {
        /// For which transfer.
        transfer: TransferId,
        /// Which.
        number: u32,
        /// Its SHA-256.
        hash: BlockHash,
    },
    /// See [`FileCommand::ReadBlock`].
    ReadFailed {
        /// For which transfer.
        transfer: TransferId,
        /// Why.
        error: FileRead,
    },
    /// See [`FileCommand::SendBlock`].
    BlockSent {
        /// Where.
        pipe: PipeId,
        /// Which.
        number: u32,
    },
    /// How much of the block that is under way came or left so far; told a few times a second.
    Progress {
        /// On which pipe.
        pipe: PipeId,
        /// Which block.
        number: u32,
        /// How many of its bytes.
        bytes: u32,
    },
    /// See [`FileCommand::Prepare`].
    Prepared(TransferId),
    /// See [`FileCommand::ExpectBlock`].
    BlockCame {
        /// Where.
        pipe: PipeId,
        /// Which.
        number: u32,
        /// What the browser makes of its bytes.
        hash: BlockHash,
    },
    /// See [`FileCommand::StoreBlock`].
    BlockStored {
        /// Of which transfer.
        transfer: TransferId,
        /// Which.
        number: u32,
    },
    /// Something could not be put on disk.
    StoreFailed {
        /// Of which transfer.
        transfer: TransferId,
        /// Why.
        error: FileTrouble,
    },
    /// The person saved what was received; the browser's copy may go.
    Saved(TransferId),
}

/// Why a source could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileRead {
    /// It is another file by now, or gone (`NotReadableError`, `NotFoundError`).
    Changed,
    /// Anything else.
    Other,
}

/// Why something could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileTrouble {
    /// There is no room for it (`QuotaExceededError`), or more than this browser can keep at all.
    Full,
    /// Anything else.
    Other,
}

/// What a person wants of transfers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileIntent {
    /// Offers a file or a folder to some people, each a transfer of its own.
    Offer {
        /// To whom; all in the call where empty.
        to: Vec<SeatId>,
        /// What the shell holds.
        source: SourceId,
        /// The folder's name; `None` for a single file.
        folder: Option<String>,
        /// The files.
        files: Vec<FileEntry>,
    },
    /// Takes what is offered.
    Accept(TransferId),
    /// Does not.
    Decline(TransferId),
    /// Lets it rest, or go on.
    Pause(TransferId, bool),
    /// Ends it, on either side and at any time.
    Cancel(TransferId),
    /// Picked the same file again for a transfer that lacks it.
    PickAgain {
        /// Which.
        transfer: TransferId,
        /// What the shell holds.
        source: SourceId,
        /// The files.
        files: Vec<FileEntry>,
    },
    /// Takes a line that is over from the list, with what is kept of it.
    Dismiss(TransferId),
}

/// One transfer, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Which.
    pub transfer: TransferId,
    /// Sent or received.
    pub direction: Direction,
    /// Who is on the other side.
    pub seat: SeatId,
    /// Their name.
    pub name: String,
    /// The folder's or the file's name, clean.
    pub title: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// How many files.
    pub files: u32,
    /// Bytes of all of it.
    pub bytes: u64,
    /// Bytes that are through: verified and stored by the receiver, and what is under way of the next block.
    pub passed: u64,
    /// Bytes a second lately; 0 while it rests.
    pub rate: u64,
    /// How long it will take at this rate; `None` where nobody can say.
    pub left: Option<Duration>,
    /// How it stands.
    pub state: TransferState,
}

/// How a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferState {
    /// The receiver has not answered yet.
    Offered,
    /// Accepted, and others are before it; or the pipe is being made.
    Waiting,
    /// Bytes flow.
    Running,
    /// Rests by the person's own wish (`true`) or the other's.
    Paused {
        /// Whether this side may let it go on.
        by_us: bool,
    },
    /// The connection or the other side's page is gone; it goes on by itself when they are back.
    Interrupted,
    /// The sender's page was loaded anew and needs the file again: this side's person is to pick it
    /// (`true`), or the other's.
    Lacking {
        /// Whose.
        ours: bool,
    },
    /// Everything came, and the last of it is being verified or stored; or a sender who picked the
    /// file again is comparing it.
    Verifying,
    /// Whole, and with the receiver.
    Done,
    /// Over before its end. `by_us` says whose word it was.
    Stopped {
        /// Why.
        reason: StopReason,
        /// Whether this side ended it.
        by_us: bool,
    },
}
