//! What is received, until the person saves it: made room for, stored block by block, found again.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Date, Uint8Array};
use visavis_call_core::{BlockPlace, Direction, Event, FileEvent, FileTrouble, Kept};
use visavis_protocol::TransferId;
use visavis_protocol::transfer::BlockHash;

use super::super::engine::Engine;
use super::{cut, kept, remembered};
use crate::web::blocks::{self, Blocks, Left};
use crate::web::task::spawn;
use crate::web::timer::sleep;
use crate::web::{Error, ErrorName, console, folder};

/// How long what nobody saved stays on disk, when its tab is not there any more to ask for it.
const LEFT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often it is looked what earlier pages left, where the disk cannot be read; each pause is longer.
const LOOKS: u32 = 5;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A transfer that is received.
pub(super) struct Keeping {
    pub(super) kept: Kept,
    /// `None` while room is made for it.
    blocks: RefCell<Option<Rc<Blocks>>>,
    waiting: RefCell<VecDeque<(BlockPlace, BlockHash, Uint8Array)>>,
    is_storing: Cell<bool>,
}

impl Keeping {
    fn new(kept: Kept, blocks: Option<Blocks>) -> Self {
        Self {
            kept,
            blocks: RefCell::new(blocks.map(Rc::new)),
            waiting: RefCell::default(),
            is_storing: Cell::new(false),
        }
    }

    pub(super) fn blocks(&self) -> Option<Rc<Blocks>> {
        self.blocks.borrow().clone()
    }

    fn bytes_in_memory(&self) -> u64 {
        let blocks = self.blocks.borrow();
        let is_there = blocks.as_ref().is_some_and(|blocks| blocks.are_in_memory());
        if is_there { cut::total(&self.kept.files) } else { 0 }
    }
}

impl Engine {
    pub(super) fn keeping(&self, transfer: TransferId) -> Option<Rc<Keeping>> {
        self.files.keeping.borrow().get(transfer).cloned()
    }

    /// Whether this is still what is kept of the transfer: it may have been forgotten meanwhile.
    fn is_kept(&self, keeping: &Rc<Keeping>) -> bool {
        self.keeping(keeping.kept.transfer)
            .is_some_and(|present| Rc::ptr_eq(&present, keeping))
    }

    pub(super) fn prepare(&self, mut kept: Kept) {
        let transfer = kept.transfer;
        if let Some(keeping) = self.keeping(transfer) {
            if keeping.blocks().is_some() {
                self.tell_file(FileEvent::Prepared(transfer));
            }
            return;
        }
        let Some(own) = self.own_seat(&kept.room) else {
            return self.store_failed(transfer, FileTrouble::Other);
        };
        let hashes = core::mem::take(&mut kept.hashes)
            .iter()
            .map(|hash| hash.0)
            .collect();
        let in_memory = {
            let all = self.files.keeping.borrow();
            all.values().map(|keeping| keeping.bytes_in_memory()).sum()
        };
        let bytes = cut::total(&kept.files);
        let meta = kept::write(&kept, &own);
        let keeping = Rc::new(Keeping::new(kept, None));
        let before = self
            .files
            .keeping
            .borrow_mut()
            .insert(transfer, Rc::clone(&keeping));
        drop(before);
        let this = self.weak();
        let is_first = !self.files.has_cleaned.replace(true);
        spawn(async move {
            if is_first {
                drop_old().await;
            }
            let made = Blocks::prepare(&transfer.to_text(), &meta, bytes, hashes, in_memory).await;
            let Some(engine) = this.upgrade() else { return };
            if !engine.is_kept(&keeping) {
                if made.is_ok() {
                    drop_stored(transfer);
                }
                return;
            }
            match made {
                Ok(blocks) => {
                    if !blocks.are_in_memory() {
                        remembered::note_put_on_disk();
                    }
                    keeping.blocks.replace(Some(Rc::new(blocks)));
                    engine.tell_file(FileEvent::Prepared(transfer));
                }
                Err(error) => {
                    console::debug("no room for a file", error.to_string());
                    let removed = engine.files.keeping.borrow_mut().remove(transfer);
                    drop(removed);
                    engine.store_failed(transfer, trouble(&error));
                }
            }
        });
    }

    pub(super) fn store_block(&self, transfer: TransferId, place: BlockPlace, hash: BlockHash) {
        let bytes = self.files.take_came(transfer, place.number);
        let keeping = self
            .keeping(transfer)
            .filter(|keeping| keeping.blocks().is_some());
        let (Some(bytes), Some(keeping)) = (bytes, keeping) else {
            return self.store_failed(transfer, FileTrouble::Other);
        };
        keeping.waiting.borrow_mut().push_back((place, hash, bytes));
        if keeping.is_storing.replace(true) {
            return;
        }
        let this = self.weak();
        spawn(async move {
            loop {
                let next = keeping.waiting.borrow_mut().pop_front();
                let Some(((place, hash, bytes), blocks)) = next.zip(keeping.blocks()) else {
                    break;
                };
                let stored = blocks.store(place.number, hash.0, &bytes).await;
                let Some(engine) = this.upgrade() else { return };
                if !engine.is_kept(&keeping) {
                    return;
                }
                match stored {
                    Ok(()) => {
                        engine.files.spare(bytes);
                        engine.tell_file(FileEvent::BlockStored {
                            transfer,
                            number: place.number,
                        });
                    }
                    Err(error) => {
                        console::debug("a file is not stored", error.to_string());
                        keeping.waiting.take();
                        engine.store_failed(transfer, trouble(&error));
                    }
                }
            }
            keeping.is_storing.set(false);
        });
    }

    pub(super) fn complete(&self, transfer: TransferId) {
        let Some(blocks) = self.keeping(transfer).and_then(|keeping| keeping.blocks()) else {
            return;
        };
        spawn(async move {
            if let Err(error) = blocks.note_whole().await {
                console::debug("a file is not noted as whole", error.to_string());
            }
        });
    }

    /// Drops what is kept of a transfer.
    pub(super) fn drop_kept(&self, transfer: TransferId) {
        let removed = self.files.keeping.borrow_mut().remove(transfer);
        let Some(blocks) = removed.and_then(|keeping| keeping.blocks()) else {
            return;
        };
        if !blocks.are_in_memory() {
            drop_stored(transfer);
        }
    }

    /// Tells the core what an earlier page of this tab left of transfers in this room.
    pub(in super::super) fn find_kept(&self) {
        let Some((room, own)) = self.room_id().and_then(|room| {
            let own = self.own_seat(&room)?;
            Some((room, own))
        }) else {
            return;
        };
        self.files.stay_in(&room);
        let this = self.weak();
        spawn(async move {
            let mut found = remembered::offers(&own);
            found.retain(|kept| kept.room == room);
            let mut stored = Vec::new();
            if remembered::has_put_on_disk() {
                for left in left_before().await {
                    stored.extend(take_up(left, &own).await);
                }
                stored.retain(|(kept, _)| kept.room == room);
            }
            let Some(engine) = this.upgrade() else { return };
            if engine.room_id().as_ref() != Some(&room) {
                return;
            }
            for (kept, blocks) in stored {
                found.push(kept.clone());
                let transfer = kept.transfer;
                let mut all = engine.files.keeping.borrow_mut();
                // In the same page the one that is being received is the better one.
                if !all.contains(transfer) {
                    all.insert(transfer, Rc::new(Keeping::new(kept, Some(blocks))));
                }
            }
            engine.tell_file(FileEvent::Found(found));
        });
    }

    pub(super) fn store_failed(&self, transfer: TransferId, error: FileTrouble) {
        self.tell_file(FileEvent::StoreFailed { transfer, error });
    }

    pub(super) fn tell_file(&self, event: FileEvent) {
        self.push(Event::File(event));
    }

    pub(super) fn own_seat(&self, room: &visavis_protocol::RoomId) -> Option<String> {
        self.with_seat(|seat| seat.secret.in_room(room).seat_id().to_text())
    }
}

/// What earlier pages left. A browser that still tidies up behind the page before may refuse to tell at
/// first.
async fn left_before() -> Vec<Left> {
    for tried in 1..=LOOKS {
        match blocks::left().await {
            Ok(left) => return left,
            Err(error) if matches!(error.name, ErrorName::NotFound | ErrorName::NotSupported) => break,
            Err(error) => console::debug("what was received before cannot be read", error.to_string()),
        }
        sleep(LOOK_AGAIN_AFTER * tried).await;
    }
    Vec::new()
}

async fn take_up(mut left: Left, own: &str) -> Option<(Kept, Blocks)> {
    let mut kept = kept::read(&left.meta, own)?;
    if kept.direction != Direction::Receiving || kept.transfer.to_text() != left.name {
        return None;
    }
    left.drop_torn(|number| cut::block_bytes(&kept.files, u32::try_from(number).ok()?))
        .await;
    kept.is_complete = left.is_whole;
    kept.hashes = left.hashes.iter().map(|hash| BlockHash(*hash)).collect();
    match Blocks::take_up(left).await {
        Ok(blocks) => Some((kept, blocks)),
        Err(error) => {
            console::debug("what was received before is gone", error.to_string());
            None
        }
    }
}

/// Deletes what tabs left that are long gone.
async fn drop_old() {
    let oldest = Date::now() - LEFT_FOR.as_secs_f64() * 1000.0;
    for left in blocks::left().await.unwrap_or_default() {
        #[expect(clippy::cast_precision_loss, reason = "no time has 2^53 milliseconds")]
        if (left.since as f64) < oldest {
            _ = blocks::forget(&left.name).await;
        }
    }
}

fn drop_stored(transfer: TransferId) {
    spawn(async move {
        if let Err(error) = blocks::forget(&transfer.to_text()).await {
            console::debug("a file is not deleted", error.to_string());
        }
    });
}

fn trouble(error: &Error) -> FileTrouble {
    if folder::is_full(error) {
        FileTrouble::Full
    } else {
        FileTrouble::Other
    }
}
