//! What happens to files, pipes and the browser's disk.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use visavis_protocol::limits::PIPE_FRAME_BYTES;
use visavis_protocol::transfer::{PipeFrame, StopReason};

use super::about::About;
use super::entry::{End, Entry, Side};
use super::layout::Layout;
use super::receiving::Receiving;
use super::sending::Sending;
use super::shell::{Direction, FileCommand, FileEvent, FileRead, FileTrouble, Kept};
use super::{Out, Transfers};
use crate::command::Command;
use crate::id::PipeId;
use crate::time::Timestamp;

impl Transfers {
    /// Something happened to a file, a pipe or the browser's disk.
    pub(crate) fn handle_file(&mut self, now: Timestamp, event: FileEvent, commands: &mut VecDeque<Command>) {
        match event {
            FileEvent::Found(kept) => self.found(now, kept, commands),
            FileEvent::PipeCame { link, name } => {
                let pipe = PipeId { link, name };
                let mut is_wanted = false;
                self.with(now, name.transfer, commands, |entry, out| {
                    if let (Side::Receiving(receiving), None) = (&mut entry.side, entry.end) {
                        is_wanted = receiving.pipe_came(pipe, out);
                    }
                });
                if !is_wanted {
                    commands.push_back(Command::File(FileCommand::ClosePipe(pipe)));
                }
            }
            FileEvent::PipeOpened(pipe) => {
                self.sending(
                    now,
                    pipe.name.transfer,
                    commands,
                    |sending, is_paused, about, out| {
                        sending.pipe_opened(pipe, is_paused, about, out);
                        Ok(())
                    },
                );
            }
            FileEvent::PipeReceived { pipe, text } => self.pipe_received(now, pipe, &text, commands),
            FileEvent::PipeClosed(pipe) => self.with(now, pipe.name.transfer, commands, |entry, out| {
                let closed = match &mut entry.side {
                    Side::Sending(sending) => Ok(sending.pipe_closed(pipe, &entry.about, out)),
                    Side::Receiving(receiving) => receiving.pipe_closed(pipe, now),
                };
                match closed {
                    Ok(true) => entry.rest(),
                    Ok(false) => {}
                    Err(reason) => entry.stop(reason, out),
                }
            }),
            FileEvent::PipeBroken(pipe) => self.with(now, pipe.name.transfer, commands, |entry, out| {
                if let Side::Receiving(receiving) = &entry.side
                    && receiving.has_pipe(pipe)
                {
                    entry.stop(StopReason::BadContent, out);
                }
            }),
            FileEvent::BlockRead {
                transfer,
                number,
                hash,
            } => self.sending(now, transfer, commands, |sending, is_paused, about, out| {
                sending.block_read(number, hash, is_paused, about, out)
            }),
            FileEvent::ReadFailed { transfer, error } => {
                let reason = match error {
                    FileRead::Changed => StopReason::Changed,
                    FileRead::Other => StopReason::Unreadable,
                };
                self.with(now, transfer, commands, |entry, out| {
                    if entry.is_sending() {
                        entry.stop(reason, out);
                    }
                });
            }
            FileEvent::BlockSent { pipe, number } => {
                self.sending(
                    now,
                    pipe.name.transfer,
                    commands,
                    |sending, is_paused, about, out| {
                        sending.block_sent(pipe, number, is_paused, about, out);
                        Ok(())
                    },
                );
            }
            FileEvent::Progress { pipe, number, bytes } => {
                self.with(now, pipe.name.transfer, commands, |entry, _| {
                    entry.progress(number, bytes, now);
                });
            }
            FileEvent::Prepared(transfer) => {
                self.receiving(now, transfer, commands, |receiving, _, _| {
                    receiving.prepared();
                    Ok(false)
                });
            }
            FileEvent::BlockCame { pipe, number, hash } => {
                self.receiving(now, pipe.name.transfer, commands, |receiving, about, out| {
                    receiving.block_came(pipe, number, hash, about, out)?;
                    Ok(false)
                });
            }
            FileEvent::BlockStored { transfer, number } => {
                self.receiving(now, transfer, commands, |receiving, about, out| {
                    receiving.block_stored(number, about, out)
                });
            }
            FileEvent::StoreFailed { transfer, error } => {
                let reason = match error {
                    FileTrouble::Full => StopReason::TooBig,
                    FileTrouble::Other => StopReason::Unstorable,
                };
                self.with(now, transfer, commands, |entry, out| {
                    if !entry.is_sending() {
                        entry.stop(reason, out);
                    }
                });
            }
            FileEvent::Saved(transfer) => self.with(now, transfer, commands, |entry, out| {
                if entry.end == Some(End::Done) {
                    entry.forget(out);
                }
            }),
        }
        self.advance(now, commands);
    }

    /// What an earlier page of this tab kept.
    fn found(&mut self, now: Timestamp, kept: Vec<Kept>, commands: &mut VecDeque<Command>) {
        self.is_found = true;
        for kept in kept {
            if Some(&kept.room) == self.room.as_ref() {
                self.take_kept(now, kept, commands);
            }
        }
        for (whose, frame) in core::mem::take(&mut self.early) {
            if self.link_to(whose.seat) == Some(whose.link) {
                self.take(now, &whose, frame, commands);
            }
        }
    }

    fn take_kept(&mut self, now: Timestamp, kept: Kept, commands: &mut VecDeque<Command>) {
        let Ok(layout) = Layout::new(kept.files, kept.folder.is_some()) else {
            return;
        };
        let blocks = usize::try_from(layout.blocks()).unwrap_or(usize::MAX);
        if kept.hashes.len() > blocks || (kept.is_complete && kept.hashes.len() < blocks) {
            return;
        }
        if let Some(at) = self.position(kept.transfer) {
            // Offered anew before it was known that the person had said yes.
            let is_again = self.list.get(at).is_some_and(|entry| {
                entry.is_offered()
                    && !entry.is_sending()
                    && entry.about.seat == kept.seat
                    && entry.about.layout == layout
            });
            if !is_again || kept.direction != Direction::Receiving {
                return;
            }
            self.list.remove(at);
        }
        if !self.make_room(kept.seat) {
            return;
        }
        let side = match kept.direction {
            Direction::Sending => Side::Sending(Sending::new(None)),
            Direction::Receiving => Side::Receiving(Receiving::kept(kept.hashes, kept.is_complete)),
        };
        let about = About {
            transfer: kept.transfer,
            room: kept.room,
            direction: kept.direction,
            seat: kept.seat,
            name: kept.name,
            folder: kept.folder,
            layout,
        };
        let seat = about.seat;
        let mut entry = Entry::new(about, side);
        entry.keep();
        if kept.is_complete {
            entry.end = Some(End::Done);
        }
        if let Some(link) = self.link_to(seat) {
            let mut out = Out {
                now,
                link: Some(link),
                commands,
                notices: &mut self.notices,
                faults: self.faults,
            };
            entry.greet(&mut out);
        }
        self.list.push(entry);
    }

    fn pipe_received(&mut self, now: Timestamp, pipe: PipeId, text: &str, commands: &mut VecDeque<Command>) {
        self.with(now, pipe.name.transfer, commands, |entry, out| {
            let is_paused = entry.is_paused();
            let frame = Some(text)
                .filter(|text| text.len() <= PIPE_FRAME_BYTES)
                .and_then(|text| PipeFrame::decode(text).ok())
                .ok_or(StopReason::BadContent);
            if entry.is_over() {
                if let Side::Receiving(receiving) = &mut entry.side
                    && receiving.has_late_pipe(pipe)
                {
                    receiving.close_pipe(out);
                }
                return;
            }
            let is_done = match &mut entry.side {
                Side::Sending(sending) if sending.has_this_pipe(pipe) => {
                    frame.and_then(|frame| sending.received(&frame, is_paused, &entry.about, out))
                }
                Side::Receiving(receiving) if receiving.has_pipe(pipe) => {
                    frame.and_then(|frame| receiving.received(&frame, &entry.about, out))
                }
                Side::Sending(_) | Side::Receiving(_) => Ok(false),
            };
            entry.measure(now);
            match is_done {
                Ok(true) => entry.done(out),
                Ok(false) => {}
                Err(reason) => entry.stop(reason, out),
            }
        });
    }
}
