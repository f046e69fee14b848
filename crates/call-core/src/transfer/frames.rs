//! What is said about transfers beside their bytes.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::TransferId;
use visavis_protocol::limits::OFFERS_WAITING;
use visavis_protocol::transfer::{FileEntry, FilesFrame, StopReason};

use super::about::About;
use super::entry::{End, Entry, Side};
use super::layout::Layout;
use super::receiving::Receiving;
use super::sending::Want;
use super::shell::Direction;
use super::{EARLY, NOTICE_BURST, NOTICE_EVERY, Out, Transfers, names};
use crate::command::Command;
use crate::peer::Correspondent;
use crate::time::Timestamp;
use crate::view::NoticeKind;

impl Transfers {
    /// Reads what somebody wrote. What is no frame at all may come from a newer version.
    pub(super) fn read(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        text: &str,
        commands: &mut VecDeque<Command>,
    ) {
        if let Ok(frame) = FilesFrame::decode(text) {
            self.take(now, whose, frame, commands);
        } else if let Some(transfer) = FilesFrame::named_by_bad_offer(text)
            && self.position(transfer).is_none()
        {
            self.refuse(now, whose, transfer, StopReason::BadOffer, commands);
        }
    }

    pub(super) fn take(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        frame: FilesFrame,
        commands: &mut VecDeque<Command>,
    ) {
        let transfer = frame.transfer();
        let known = self.position(transfer).and_then(|at| self.list.get(at));
        let Some(seat) = known.map(|entry| entry.about.seat) else {
            return self.take_unknown(now, whose, frame, commands);
        };
        // What two have with each other is nobody else's business.
        if seat != whose.seat {
            return;
        }
        match frame {
            FilesFrame::Offer { .. } => self.answer(now, whose, transfer, commands),
            FilesFrame::Want {
                attempt, from, root, ..
            } => {
                self.answer(now, whose, transfer, commands);
                let want = Want { attempt, from, root };
                self.with(now, transfer, commands, |entry, out| {
                    if entry.is_sending() {
                        entry.wanted(out);
                    }
                });
                self.sending(now, transfer, commands, |sending, _, about, out| {
                    sending.handle_want(want, about, out)
                });
            }
            FilesFrame::Lacking { .. } | FilesFrame::Ready { .. } => {
                let is_lacking = matches!(frame, FilesFrame::Lacking { .. });
                self.answer(now, whose, transfer, commands);
                self.receiving(now, transfer, commands, |receiving, _, _| {
                    receiving.lacks(is_lacking);
                    Ok(false)
                });
            }
            FilesFrame::Pause { paused, .. } => {
                self.with(now, transfer, commands, |entry, out| {
                    entry.paused_by_them(paused, out)
                });
            }
            FilesFrame::Done { .. } => self.with(now, transfer, commands, |entry, out| {
                // Also where we ended it at the same time; not where they did.
                let is_theirs = matches!(entry.end, Some(End::Stopped { by_us: false, .. }));
                if entry.is_sending() && !is_theirs {
                    entry.done(out);
                }
            }),
            FilesFrame::Stop { reason, .. } => {
                self.with(now, transfer, commands, |entry, out| match entry.end {
                    // They cannot know that it is whole already.
                    Some(End::Done) if !entry.is_sending() => out.tell(&FilesFrame::Done { transfer }),
                    Some(_) => {}
                    None => entry.stopped(reason, false, out),
                });
            }
        }
    }

    /// Tells who speaks of a transfer that is over how it ended.
    fn answer(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        transfer: TransferId,
        commands: &mut VecDeque<Command>,
    ) {
        let end = self.position(transfer).and_then(|at| self.list.get(at));
        let Some((end, is_sending)) = end.and_then(|entry| Some((entry.end?, entry.is_sending()))) else {
            return;
        };
        let frame = match end {
            End::Done if is_sending => return,
            End::Done => FilesFrame::Done { transfer },
            End::Stopped { reason, by_us } => FilesFrame::Stop {
                transfer,
                reason: if by_us { reason } else { StopReason::Unknown },
            },
        };
        self.out(now, whose, commands).tell(&frame);
    }

    fn take_unknown(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        frame: FilesFrame,
        commands: &mut VecDeque<Command>,
    ) {
        let transfer = frame.transfer();
        let stopped = self
            .stops
            .iter()
            .find(|(seat, stopped, _)| *seat == whose.seat && *stopped == transfer);
        let reason = stopped.map(|(.., reason)| *reason);
        match frame {
            FilesFrame::Offer { folder, files, .. } => {
                if let Some(reason) = reason {
                    self.say_stop(now, whose, transfer, reason, commands);
                } else if let Err(reason) = self.take_offer(now, whose, transfer, folder, files) {
                    self.refuse(now, whose, transfer, reason, commands);
                }
            }
            FilesFrame::Want { .. }
            | FilesFrame::Lacking { .. }
            | FilesFrame::Ready { .. }
            | FilesFrame::Pause { .. }
            | FilesFrame::Done { .. }
            | FilesFrame::Stop { .. } => {
                let is_question = matches!(
                    frame,
                    FilesFrame::Want { .. } | FilesFrame::Lacking { .. } | FilesFrame::Ready { .. }
                );
                if self.is_found && !is_question {
                    return;
                }
                if let Some(reason) = reason {
                    self.say_stop(now, whose, transfer, reason, commands);
                } else if self.is_found {
                    self.say_stop(now, whose, transfer, StopReason::Unknown, commands);
                } else {
                    // An earlier page may know of it.
                    if self.early.len() >= EARLY {
                        self.early.pop_front();
                    }
                    self.early.push_back((whose.clone(), frame));
                }
            }
        }
    }

    /// Puts an offer before the person, if it makes sense.
    fn take_offer(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        transfer: TransferId,
        folder: Option<String>,
        files: Vec<FileEntry>,
    ) -> Result<(), StopReason> {
        let room = self.room.clone().ok_or(StopReason::Unknown)?;
        // First, for it costs the least.
        let waiting = self
            .list
            .iter()
            .filter(|entry| entry.about.seat == whose.seat && !entry.is_sending() && entry.is_offered());
        if waiting.count() >= OFFERS_WAITING || !self.make_room(whose.seat) {
            return Err(StopReason::TooMany);
        }
        let folder = clean_folder(folder)?;
        let layout = Layout::new(files, folder.is_some())?;
        let about = About {
            transfer,
            room,
            direction: Direction::Receiving,
            seat: whose.seat,
            name: whose.name.clone(),
            folder,
            layout,
        };
        if self.offers_noticed.admit(now, NOTICE_EVERY, NOTICE_BURST) {
            self.notices.push(NoticeKind::FileOffered {
                name: whose.name.clone(),
                title: about.title().into(),
            });
        }
        let side = Side::Receiving(Receiving::new());
        self.list.push(Entry::new(about, side));
        Ok(())
    }

    /// Does not put it before the person.
    fn refuse(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        transfer: TransferId,
        reason: StopReason,
        commands: &mut VecDeque<Command>,
    ) {
        if self.refusals_noticed.admit(now, NOTICE_EVERY, 1) {
            let name = whose.name.clone();
            self.notices.push(NoticeKind::FileRefused { name });
        }
        self.say_stop(now, whose, transfer, reason, commands);
    }

    fn say_stop(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        transfer: TransferId,
        reason: StopReason,
        commands: &mut VecDeque<Command>,
    ) {
        self.out(now, whose, commands)
            .tell(&FilesFrame::Stop { transfer, reason });
    }

    fn out<'a>(
        &'a mut self,
        now: Timestamp,
        whose: &Correspondent,
        commands: &'a mut VecDeque<Command>,
    ) -> Out<'a> {
        Out {
            now,
            link: self.link_to(whose.seat),
            commands,
            notices: &mut self.notices,
            faults: self.faults,
        }
    }
}

/// The folder's name; a name of which nothing is left makes no offer.
pub(super) fn clean_folder(folder: Option<String>) -> Result<Option<String>, StopReason> {
    match folder {
        None => Ok(None),
        Some(folder) => names::clean_name(&folder).map(Some).ok_or(StopReason::BadOffer),
    }
}
