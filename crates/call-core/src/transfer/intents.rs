//! What a person wants of transfers.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::limits::{FILES_FRAME_BYTES, OFFERS_WAITING};
use visavis_protocol::transfer::{FileEntry, StopReason};
use visavis_protocol::{SeatId, TransferId};

use super::about::About;
use super::entry::{Entry, Side};
use super::frames::clean_folder;
use super::layout::Layout;
use super::sending::Sending;
use super::shell::{Direction, FileCommand, FileIntent};
use super::{Out, Transfers};
use crate::command::Command;
use crate::config::Randomness;
use crate::fault::Fault;
use crate::id::SourceId;
use crate::time::Timestamp;
use crate::view::NoticeKind;

impl Transfers {
    /// A person wants something. `people` are those in the call.
    pub(crate) fn intend(
        &mut self,
        now: Timestamp,
        intent: FileIntent,
        people: &[(SeatId, String)],
        random: &mut Randomness,
        commands: &mut VecDeque<Command>,
    ) {
        match intent {
            FileIntent::Offer {
                to,
                source,
                folder,
                files,
            } => {
                for (seat, name) in people {
                    if to.is_empty() || to.contains(seat) {
                        let transfer = random.transfer();
                        let about = self.about(transfer, *seat, name, folder.clone(), files.clone());
                        if let Some(about) = about {
                            self.offer(now, about, source, commands);
                        }
                    }
                }
            }
            FileIntent::Accept(transfer) => self.with(now, transfer, commands, |entry, out| {
                if let (Side::Receiving(receiving), None) = (&mut entry.side, entry.end) {
                    receiving.accept(&entry.about, out);
                    entry.keep();
                }
            }),
            FileIntent::Decline(transfer) => self.with(now, transfer, commands, |entry, out| {
                if !entry.is_sending() && entry.is_offered() {
                    entry.stop(StopReason::Declined, out);
                }
            }),
            FileIntent::Pause(transfer, paused) => {
                self.with(now, transfer, commands, |entry, out| entry.pause(paused, out));
            }
            FileIntent::Cancel(transfer) => self.with(now, transfer, commands, |entry, out| {
                entry.stop(StopReason::Cancelled, out);
            }),
            FileIntent::PickAgain {
                transfer,
                source,
                files,
            } => self.pick_again(now, transfer, source, files, commands),
            FileIntent::Dismiss(transfer) => {
                self.with(now, transfer, commands, |entry, out| {
                    if entry.is_over() {
                        entry.dismiss(out);
                    }
                });
                self.list
                    .retain(|entry| entry.about.transfer != transfer || !entry.is_over());
            }
        }
        self.advance(now, commands);
    }

    /// What is to be offered to somebody; `None` outside of any room.
    fn about(
        &self,
        transfer: TransferId,
        seat: SeatId,
        name: &str,
        folder: Option<String>,
        files: Vec<FileEntry>,
    ) -> Option<Result<About, (About, StopReason)>> {
        let room = self.room.clone()?;
        let about = |folder, layout| About {
            transfer,
            room,
            direction: Direction::Sending,
            seat,
            name: name.into(),
            folder,
            layout,
        };
        let layout = clean_folder(folder.clone())
            .and_then(|folder| Layout::new(files.clone(), folder.is_some()).map(|layout| (folder, layout)));
        Some(match layout {
            Ok((folder, layout)) => Ok(about(folder, layout)),
            Err(reason) => Err((about(folder, Layout::unsendable(files)), reason)),
        })
    }

    fn offer(
        &mut self,
        now: Timestamp,
        about: Result<About, (About, StopReason)>,
        source: SourceId,
        commands: &mut VecDeque<Command>,
    ) {
        let (about, mut trouble) = match about {
            Ok(about) => (about, None),
            Err((about, reason)) => (about, Some(reason)),
        };
        let seat = about.seat;
        let waiting = self
            .list
            .iter()
            .filter(|entry| entry.about.seat == seat && entry.is_sending() && entry.is_offered());
        let is_full = waiting.count() >= OFFERS_WAITING;
        if !self.make_room(seat) {
            return;
        }
        if is_full {
            trouble = trouble.or(Some(StopReason::TooMany));
        }
        let offer = about.offer();
        if offer.encode().len() > FILES_FRAME_BYTES {
            trouble = trouble.or(Some(StopReason::TooBig));
        }
        let mut entry = Entry::new(about, Side::Sending(Sending::new(Some(source))));
        let link = self.link_to(seat);
        let mut out = Out {
            now,
            link,
            commands,
            notices: &mut self.notices,
            faults: self.faults,
        };
        entry.keep();
        match trouble {
            Some(reason) => entry.stopped(reason, true, &mut out),
            None => {
                out.file(FileCommand::Remember(entry.about.kept(Vec::new())));
                out.tell(&offer);
            }
        }
        self.list.push(entry);
    }

    fn pick_again(
        &mut self,
        now: Timestamp,
        transfer: TransferId,
        source: SourceId,
        files: Vec<FileEntry>,
        commands: &mut VecDeque<Command>,
    ) {
        self.with(now, transfer, commands, |entry, out| {
            let is_folder = entry.about.folder.is_some();
            let (Side::Sending(sending), None) = (&mut entry.side, entry.end) else {
                return;
            };
            if sending.has_source() {
                return;
            }
            let picked = Layout::new(files, is_folder);
            if !picked.is_ok_and(|picked| entry.about.layout.is_same(&picked))
                && !out.faults.has(Fault::PickedTrusted)
            {
                out.notices.push(NoticeKind::AnotherFilePicked {
                    title: entry.about.title().into(),
                });
                return;
            }
            sending.pick(source, &entry.about, out);
        });
    }
}
