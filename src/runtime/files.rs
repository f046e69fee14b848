//! Files, as pages want and see them; and what there is of them in the browser while they move.
//!
//! The core decides what is sent, wanted and stored. Here are the things themselves, by the core's
//! numbers: what the person picked, pipes, blocks on their way, and what is kept until it is saved. None of
//! it is there before the first file is.

mod cut;
mod keeping;
mod kept;
mod moving;
mod remembered;
mod saving;

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use leptos::prelude::*;
use visavis_call_core::{
    Direction, FileIntent, Intent, LinkId, PipeId, SourceId, Transfer, TransferState, View,
};
use visavis_protocol::limits::{BLOCK_BYTES, BLOCKS_AHEAD, FILE_DEPTH, OFFERS_WAITING, TRANSFER_FILES};
use visavis_protocol::transfer::FileEntry;
use visavis_protocol::{RoomId, SeatId, TransferId};
use web_sys::{DataTransfer, FileList, HtmlCanvasElement};

use self::keeping::Keeping;
use super::Runtime;
use super::engine::Engine;
use super::table::Table;
use crate::web::buffer::Buffer;
use crate::web::dropped::{self, Dropped};
use crate::web::file_picker::{self, Given, listed};
use crate::web::pipe::Pipe;
use crate::web::reader::Reader;
use crate::web::task::spawn;
use crate::web::{blob, console};

/// Files of a folder that are looked at: one more than may be sent, so that the core sees that there are
/// too many.
const FILES_LOOKED_AT: usize = TRANSFER_FILES + 1;

/// Places of blocks that are kept for others.
const SPARE_PLACES: usize = BLOCKS_AHEAD as usize;

#[derive(Default)]
pub(super) struct Files {
    /// What the person picked. A `File` is a reference, so they cost next to nothing.
    sources: RefCell<Table<SourceId, Rc<[Given]>>>,
    last_source: Cell<u32>,
    reader: Reader,
    /// Reads under way, by their numbers: the last one of a transfer is the one that counts.
    reading: RefCell<Table<TransferId, u32>>,
    asked: Cell<u32>,
    /// Blocks that were read and are to be sent.
    read: RefCell<Table<TransferId, (u32, Rc<Buffer>)>>,
    pipes: RefCell<Table<PipeId, Rc<Pipe>>>,
    /// Blocks that came and are to be stored.
    came: RefCell<Vec<(PipeId, u32, Uint8Array)>>,
    /// Places of blocks that are stored, for others to be put in: a new one for each would be garbage by
    /// the megabyte, and lie about until the browser looks for it.
    spare: RefCell<Vec<Uint8Array>>,
    keeping: RefCell<Table<TransferId, Rc<Keeping>>>,
    /// What the person has saved.
    saved: RefCell<Vec<TransferId>>,
    /// The room that all this is about.
    room: RefCell<Option<RoomId>>,
    has_cleaned: Cell<bool>,
}

impl Files {
    /// Lets go of everything, on disk of nothing.
    pub(super) fn clear(&self) {
        let pipes = self.pipes.take();
        drop(pipes);
        self.came.take();
        self.spare.take();
        self.keeping.take();
        self.forget_sources();
    }

    /// Lets go of what belongs to another room. The core has forgotten it; what is on disk stays there.
    fn stay_in(&self, room: &RoomId) {
        if self.room.replace(Some(room.clone())).as_ref() == Some(room) {
            return;
        }
        let keeping = self.keeping.take();
        drop(keeping);
        self.came.take();
        self.spare.take();
        self.saved.take();
        self.forget_sources();
    }

    fn forget_sources(&self) {
        self.sources.take();
        self.reader.forget_all();
        self.reading.take();
        self.read.take();
    }

    fn pipes_of(&self, link: LinkId) -> Vec<PipeId> {
        let pipes = self.pipes.borrow();
        pipes.ids().filter(|pipe| pipe.link == link).collect()
    }

    fn forget_read(&self, transfer: TransferId) {
        self.reading.borrow_mut().remove(transfer);
        let read = self.read.borrow_mut().remove(transfer);
        drop(read);
    }

    fn take_came(&self, transfer: TransferId, number: u32) -> Option<Uint8Array> {
        let mut came = self.came.borrow_mut();
        let at = came
            .iter()
            .position(|(pipe, known, _)| pipe.name.transfer == transfer && *known == number)?;
        Some(came.swap_remove(at).2)
    }

    /// Where a block of so many bytes can be put.
    fn place_for(&self, bytes: u32) -> Uint8Array {
        let spare = (bytes == BLOCK_BYTES).then(|| self.spare.borrow_mut().pop());
        spare
            .flatten()
            .unwrap_or_else(|| Uint8Array::new_with_length(bytes))
    }

    /// Keeps the place of a block that nobody needs any more.
    fn spare(&self, place: Uint8Array) {
        let mut spare = self.spare.borrow_mut();
        if place.length() == BLOCK_BYTES && spare.len() < SPARE_PLACES {
            spare.push(place);
        }
    }

    fn forget_came(&self, of: impl Fn(PipeId) -> bool) {
        self.came.borrow_mut().retain(|(pipe, ..)| !of(*pipe));
    }
}

impl Engine {
    /// Lets go of what was picked once nothing is offered or sent any more.
    pub(super) fn follow_sources(&self, view: &View) {
        let is_over = |transfer: &Transfer| match transfer.state {
            TransferState::Done | TransferState::Stopped { .. } => true,
            TransferState::Offered
            | TransferState::Waiting
            | TransferState::Running
            | TransferState::Paused { .. }
            | TransferState::Interrupted
            | TransferState::Lacking { .. }
            | TransferState::Verifying => false,
        };
        let is_sent = |transfer: &Transfer| transfer.direction == Direction::Sending && !is_over(transfer);
        if !self.files.sources.borrow().is_empty() && !view.transfers.iter().any(is_sent) {
            self.files.forget_sources();
        }
    }

    fn offer_files(&self, list: &FileList, to: &[SeatId], folder: bool) {
        if folder {
            self.offer_folder(to, listed(list, FILES_LOOKED_AT));
        } else {
            self.offer_each(to, listed(list, OFFERS_WAITING));
        }
    }

    fn offer_dropped(&self, dropped: &DataTransfer, to: &[SeatId]) -> bool {
        let things = dropped::of(dropped, OFFERS_WAITING);
        let has_any = !things.is_empty();
        for thing in things {
            match thing {
                Dropped::File(given) => self.offer_each(to, vec![given]),
                Dropped::Folder(folder) => {
                    let (this, to) = (self.weak(), to.to_vec());
                    spawn(async move {
                        let read = folder.files(FILES_LOOKED_AT, FILE_DEPTH).await;
                        let Some(engine) = this.upgrade() else { return };
                        match read {
                            Ok(given) => engine.offer_folder(&to, given),
                            Err(error) => console::debug("a folder cannot be read", error.to_string()),
                        }
                    });
                }
            }
        }
        has_any
    }

    /// Offers each file by itself.
    fn offer_each(&self, to: &[SeatId], given: Vec<Given>) {
        for given in given {
            let files = vec![entry(&given)];
            let source = self.keep_source(vec![given]);
            self.offer(to, source, None, files);
        }
    }

    /// Offers files as the folder whose name their paths begin with. A browser that cannot pick folders
    /// gives files without one.
    fn offer_folder(&self, to: &[SeatId], given: Vec<Given>) {
        let folder = given.first().and_then(|given| given.path.split_once('/'));
        let Some(folder) = folder.map(|(folder, _)| folder.to_owned()) else {
            return self.offer_each(to, given);
        };
        let files = in_folder(&given);
        let source = self.keep_source(given);
        self.offer(to, source, Some(folder), files);
    }

    fn offer(&self, to: &[SeatId], source: SourceId, folder: Option<String>, files: Vec<FileEntry>) {
        self.intend(Intent::File(FileIntent::Offer {
            to: to.to_vec(),
            source,
            folder,
            files,
        }));
    }

    fn pick_again(&self, transfer: TransferId, list: &FileList) {
        let mut is_folder = false;
        self.with_view(|view| {
            let known = view.transfers.iter().find(|known| known.transfer == transfer);
            is_folder = known.is_some_and(|known| known.is_folder);
        });
        let (given, files) = if is_folder {
            let given = listed(list, FILES_LOOKED_AT);
            let files = in_folder(&given);
            (given, files)
        } else {
            let given = listed(list, 1);
            let files = given.iter().map(entry).collect();
            (given, files)
        };
        let source = self.keep_source(given);
        self.intend(Intent::File(FileIntent::PickAgain {
            transfer,
            source,
            files,
        }));
    }

    fn keep_source(&self, given: Vec<Given>) -> SourceId {
        let source = SourceId(self.files.last_source.get().wrapping_add(1));
        self.files.last_source.set(source.0);
        self.files.sources.borrow_mut().insert(source, given.into());
        source
    }
}

fn entry(given: &Given) -> FileEntry {
    FileEntry {
        path: given.path.clone(),
        bytes: blob::size(&given.file),
        modified: blob::modified(&given.file),
    }
}

/// The same without the folder's own name.
fn in_folder(given: &[Given]) -> Vec<FileEntry> {
    let entries = given.iter().map(|given| {
        let mut entry = entry(given);
        if let Some((_, path)) = given.path.split_once('/') {
            entry.path = path.to_owned();
        }
        entry
    });
    entries.collect()
}

impl Runtime {
    /// What is sent and received, in the order in which it was offered.
    #[must_use]
    pub const fn transfers(self) -> Memo<Vec<Transfer>> {
        self.store.transfers
    }

    /// Answers, pauses, ends or dismisses a transfer.
    pub fn about_file(self, intent: FileIntent) {
        self.intend(Intent::File(intent));
    }

    /// Offers what was picked or pasted, to all where `to` is empty: as one folder where it was picked as
    /// one. The list may be emptied right after.
    pub fn offer_files(self, list: &FileList, to: Vec<SeatId>, folder: bool) {
        self.engine
            .with_value(|engine| engine.offer_files(list, &to, folder));
    }

    /// Takes what was picked for a transfer that lacks its file. The list may be emptied right after.
    pub fn pick_again_files(self, transfer: TransferId, list: &FileList) {
        self.engine.with_value(|engine| engine.pick_again(transfer, list));
    }

    /// Offers what was dropped, folders too. Whether there was any file in it.
    pub fn offer_dropped(self, dropped: &DataTransfer, to: Vec<SeatId>) -> bool {
        self.engine
            .with_value(|engine| engine.offer_dropped(dropped, &to))
    }

    /// Whether a folder can be picked as one, rather than file by file.
    #[must_use]
    pub fn can_pick_folder(self) -> bool {
        file_picker::can_pick_folder()
    }

    /// Saves what was received where the person wants it. Only within a click. Tells whether it worked;
    /// not at all if the person decided against it.
    pub fn save_file(self, transfer: TransferId, done: impl FnOnce(bool) + 'static) {
        self.engine.with_value(|engine| engine.save_file(transfer, done));
    }

    /// Whether the person has saved it. Follows no signal.
    #[must_use]
    pub fn is_saved(self, transfer: TransferId) -> bool {
        self.engine
            .with_value(|engine| engine.files.saved.borrow().contains(&transfer))
    }

    /// Whether a received file can be looked at here: a picture of a kind that browsers decode, whole
    /// and not too large. By its name; what is in it shows when it is decoded.
    #[must_use]
    pub fn can_preview(self, transfer: &Transfer) -> bool {
        saving::can_preview(transfer)
    }

    /// Draws a received picture into a canvas, made as large as the picture needs within the limits of
    /// its present size; tells whether it is one.
    pub fn preview(self, transfer: TransferId, canvas: HtmlCanvasElement, done: impl FnOnce(bool) + 'static) {
        self.engine
            .with_value(|engine| engine.preview_file(transfer, canvas, done));
    }
}
