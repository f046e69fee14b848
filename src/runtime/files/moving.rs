//! What the core wants done for transfers: pipes, and blocks that leave and come by them.

use std::rc::Rc;

use js_sys::Uint8Array;
use visavis_call_core::{BlockPlace, Event, FileCommand, FileEvent, FileRead, LinkId, PipeId, SourceId};
use visavis_protocol::TransferId;
use visavis_protocol::limits::{BLOCKS_AHEAD, TRANSFERS_AT_ONCE};
use visavis_protocol::transfer::{BlockHash, PipeName};

use super::super::engine::Engine;
use super::remembered;
use crate::web::data_channel::Incoming;
use crate::web::pipe::{Pipe, PipeEvent};
use crate::web::reader::Which;
use crate::web::task::spawn;
use crate::web::{blob, console, digest};

/// Pipes of one connection, both ways: twice what honest sides have, for one may come before the end of
/// the one before it was heard.
const PIPES: usize = 4 * TRANSFERS_AT_ONCE;
/// Blocks that may have come on one pipe and not be stored yet. The core takes no more.
const BLOCKS_HELD: usize = BLOCKS_AHEAD as usize;

impl Engine {
    /// Starts one command. It waits for nothing.
    pub(in super::super) fn execute_file(&self, command: FileCommand) {
        match command {
            FileCommand::OpenPipe(pipe) => self.open_pipe(pipe),
            FileCommand::ClosePipe(pipe) => self.drop_pipe(pipe),
            FileCommand::WritePipe { pipe, text } => {
                if let Some(pipe) = self.pipe(pipe) {
                    pipe.write(&text);
                }
            }
            FileCommand::ReadBlock {
                transfer,
                source,
                place,
            } => self.read_block(transfer, source, place),
            FileCommand::SendBlock { pipe, place, head } => {
                let read = self.files.read.borrow_mut().remove(pipe.name.transfer);
                match (self.pipe(pipe), read) {
                    (Some(pipe), Some((number, bytes))) if number == place.number => {
                        pipe.send_block(number, head, bytes);
                    }
                    // Its end was told.
                    (None, _) => {}
                    (Some(_), _) => self.read_failed(pipe.name.transfer, FileRead::Other),
                }
            }
            FileCommand::DropRead(transfer) => self.files.forget_read(transfer),
            FileCommand::Prepare(kept) => self.prepare(kept),
            FileCommand::ExpectBlock { pipe, place } => {
                let is_former = |of: PipeId| of != pipe && of.name.transfer == pipe.name.transfer;
                self.files.forget_came(is_former);
                if let Some(pipe) = self.pipe(pipe) {
                    pipe.expect_block(place.number, self.files.place_for(place.bytes));
                }
            }
            FileCommand::StoreBlock {
                transfer,
                place,
                hash,
            } => self.store_block(transfer, place, hash),
            FileCommand::Complete(transfer) => self.complete(transfer),
            FileCommand::Forget(transfer) => {
                self.files.forget_read(transfer);
                self.files.forget_came(|pipe| pipe.name.transfer == transfer);
                self.drop_kept(transfer);
                remembered::forget(transfer);
            }
            FileCommand::Remember(kept) => {
                if let Some(own) = self.own_seat(&kept.room) {
                    remembered::put(&kept, &own);
                }
            }
        }
    }

    // Pipes

    fn pipe(&self, pipe: PipeId) -> Option<Rc<Pipe>> {
        self.files.pipes.borrow().get(pipe).cloned()
    }

    fn open_pipe(&self, pipe: PipeId) {
        let Some(peer) = self.links.get(pipe.link) else {
            return self.tell_file(FileEvent::PipeClosed(pipe));
        };
        let this = self.weak();
        let made = Pipe::make(&peer, pipe.name, move |event| {
            if let Some(engine) = this.upgrade() {
                engine.pipe_event(pipe, true, event);
            }
        });
        match made {
            Ok(made) => self.keep_pipe(pipe, made),
            Err(error) => {
                console::debug("no pipe", error.to_string());
                self.tell_file(FileEvent::PipeClosed(pipe));
            }
        }
    }

    /// Takes up a pipe within the callback that brought it.
    pub(in super::super) fn pipe_came(&self, link: LinkId, name: PipeName, incoming: Incoming) {
        let pipe = PipeId { link, name };
        let is_known = self.files.pipes.borrow().contains(pipe);
        if is_known || self.files.pipes_of(link).len() >= PIPES {
            return incoming.refuse();
        }
        let this = self.weak();
        let taken = Pipe::take(incoming, move |event| {
            if let Some(engine) = this.upgrade() {
                engine.pipe_event(pipe, false, event);
            }
        });
        if let Ok(taken) = taken {
            self.keep_pipe(pipe, taken);
        }
    }

    fn keep_pipe(&self, id: PipeId, pipe: Pipe) {
        let before = self.files.pipes.borrow_mut().insert(id, Rc::new(pipe));
        drop(before);
    }

    pub(super) fn drop_pipe(&self, pipe: PipeId) {
        let closed = self.files.pipes.borrow_mut().remove(pipe);
        drop(closed);
    }

    /// Closes what a connection carried. A connection that we close ourselves says nothing of its channels.
    pub(in super::super) fn close_pipes(&self, link: LinkId) {
        for pipe in self.files.pipes_of(link) {
            self.drop_pipe(pipe);
            self.tell_file(FileEvent::PipeClosed(pipe));
        }
    }

    /// Lets go of a pipe that is over. Not within its own callback: this is when the queue is drained.
    pub(in super::super) fn hear_of_files(&self, event: &Event) {
        if let Event::File(FileEvent::PipeClosed(pipe) | FileEvent::PipeBroken(pipe)) = event {
            self.drop_pipe(*pipe);
        }
    }

    fn pipe_event(&self, pipe: PipeId, is_ours: bool, event: PipeEvent) {
        self.tell_file(match event {
            PipeEvent::Opened if is_ours => FileEvent::PipeOpened(pipe),
            PipeEvent::Opened => FileEvent::PipeCame {
                link: pipe.link,
                name: pipe.name,
            },
            PipeEvent::Text(text) => FileEvent::PipeReceived { pipe, text },
            PipeEvent::Sent(number) => FileEvent::BlockSent { pipe, number },
            PipeEvent::Came(number, bytes) => return self.block_came(pipe, number, bytes),
            PipeEvent::Progress(number, bytes) => FileEvent::Progress { pipe, number, bytes },
            PipeEvent::Broken => FileEvent::PipeBroken(pipe),
            PipeEvent::Closed => FileEvent::PipeClosed(pipe),
        });
    }

    // Blocks

    fn read_block(&self, transfer: TransferId, source: SourceId, place: BlockPlace) {
        let file = {
            let sources = self.files.sources.borrow();
            let files = sources.get(source);
            let given = files.and_then(|files| files.get(place.file as usize));
            given.map(|given| given.file.clone())
        };
        let Some(file) = file else {
            return self.read_failed(transfer, FileRead::Other);
        };
        let which = Which {
            source: source.0,
            number: place.number,
        };
        let asked = self.files.asked.get().wrapping_add(1);
        self.files.asked.set(asked);
        self.files.reading.borrow_mut().insert(transfer, asked);
        let read = self.files.reader.read(which, &file, place.offset, place.bytes);
        let this = self.weak();
        spawn(async move {
            let read = read.await;
            let Some(engine) = this.upgrade() else { return };
            let wanted = engine.files.reading.borrow().get(transfer) == Some(&asked);
            if !wanted {
                return;
            }
            engine.files.reading.borrow_mut().remove(transfer);
            match read {
                Ok(read) => {
                    let number = place.number;
                    let held = (number, read.bytes);
                    let before = engine.files.read.borrow_mut().insert(transfer, held);
                    drop(before);
                    engine.tell_file(FileEvent::BlockRead {
                        transfer,
                        number,
                        hash: BlockHash(read.hash),
                    });
                }
                Err(error) => {
                    console::debug("a file cannot be read", error.to_string());
                    let why = if blob::is_changed(&error) {
                        FileRead::Changed
                    } else {
                        FileRead::Other
                    };
                    engine.read_failed(transfer, why);
                }
            }
        });
    }

    fn read_failed(&self, transfer: TransferId, error: FileRead) {
        self.tell_file(FileEvent::ReadFailed { transfer, error });
    }

    fn block_came(&self, pipe: PipeId, number: u32, bytes: Uint8Array) {
        let held = {
            let mut came = self.files.came.borrow_mut();
            came.push((pipe, number, bytes.clone()));
            came.iter().filter(|came| came.0 == pipe).count()
        };
        if held > BLOCKS_HELD {
            return self.tell_file(FileEvent::PipeBroken(pipe));
        }
        let this = self.weak();
        let hashed = digest::sha256(&bytes);
        spawn(async move {
            let hashed = hashed.await;
            let Some(engine) = this.upgrade() else { return };
            match hashed {
                Ok(hash) => engine.tell_file(FileEvent::BlockCame {
                    pipe,
                    number,
                    hash: BlockHash(hash),
                }),
                Err(error) => {
                    // Nothing that the other side did.
                    console::debug("no digest", error.to_string());
                    engine.tell_file(FileEvent::PipeClosed(pipe));
                }
            }
        });
    }
}
