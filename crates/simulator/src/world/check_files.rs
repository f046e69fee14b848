//! What must hold of transfers once the world is at rest: both sides agree, or somebody is asked.

use visavis_call_core::{Direction, Transfer, TransferState, View};
use visavis_protocol::SeatId;
use visavis_protocol::transfer::StopReason;

use super::check::Complaint;
use super::{Rule, World};

impl World {
    /// Looks at every transfer of everybody who is in.
    pub(super) fn files_settled(&self, members: &[(usize, SeatId, &View)]) -> Result<(), Complaint> {
        if !self.has_files {
            return Ok(());
        }
        for (tab, seat, view) in members {
            for transfer in &view.transfers {
                let other = members.iter().find(|(_, other, _)| *other == transfer.seat);
                let other = other.map(|(_, _, view)| {
                    let same = |one: &&Transfer| one.transfer == transfer.transfer && one.seat == *seat;
                    view.transfers.iter().find(same)
                });
                self.transfer_settled(*tab, transfer, other)?;
            }
            self.pipes_settled(*tab, view)?;
        }
        Ok(())
    }

    /// `other` is what the other side makes of it, if they are in.
    fn transfer_settled(
        &self,
        tab: usize,
        transfer: &Transfer,
        other: Option<Option<&Transfer>>,
    ) -> Result<(), Complaint> {
        let id = transfer.transfer;
        let theirs = other.flatten().map(|other| other.state);
        let detail = || {
            format!(
                "tab {tab}: {id:?} ({:?}) is {:?}, and the other side says {other_state:?}",
                transfer.direction,
                transfer.state,
                other_state = other.map(|_| theirs)
            )
        };
        let is_right = match transfer.state {
            TransferState::Done => {
                self.is_content_right(tab, transfer)?;
                matches!(theirs, None | Some(TransferState::Done))
            }
            TransferState::Stopped { reason, .. } => {
                let is_explained = match reason {
                    StopReason::Declined | StopReason::Cancelled | StopReason::Unknown => true,
                    StopReason::Changed => self.contents.get(&id).is_some_and(|known| known.len() > 1),
                    StopReason::Unreadable | StopReason::Unstorable | StopReason::TooBig => self.troubles > 0,
                    StopReason::BadContent => self.spoiled > 0,
                    StopReason::TooMany | StopReason::BadOffer | StopReason::Other => false,
                };
                if !is_explained {
                    return Err((Rule::Transfer, format!("for no reason: {}", detail())));
                }
                matches!(theirs, None | Some(TransferState::Stopped { .. }))
            }
            // Its sender may have forgotten it: then the person's answer shows that.
            TransferState::Offered => {
                other.is_none()
                    || theirs == Some(TransferState::Offered)
                    || (theirs.is_none() && transfer.direction == Direction::Receiving)
            }
            TransferState::Paused { by_us: true } => {
                other.is_none()
                    || matches!(theirs, Some(TransferState::Paused { .. }))
                    || (theirs.is_none() && transfer.direction == Direction::Receiving)
            }
            TransferState::Paused { by_us: false } => {
                matches!(theirs, Some(TransferState::Paused { by_us: true }))
            }
            TransferState::Interrupted | TransferState::Lacking { ours: true } => other.is_none(),
            TransferState::Waiting
            | TransferState::Running
            | TransferState::Verifying
            | TransferState::Lacking { ours: false } => false,
        };
        if is_right {
            Ok(())
        } else {
            Err((Rule::Transfer, detail()))
        }
    }

    /// Whether what was received is what was sent, all of it of one file.
    fn is_content_right(&self, tab: usize, transfer: &Transfer) -> Result<(), Complaint> {
        if transfer.direction != Direction::Receiving {
            return Ok(());
        }
        let person = self.tabs[tab].person;
        let id = transfer.transfer;
        let Some(stored) = self.people[person].disk.get(&id) else {
            return Err((Rule::Content, format!("tab {tab}: {id:?} is done and not there")));
        };
        let known = self.contents.get(&id).map_or(&[][..], |known| known);
        let is_one = known.iter().any(|content| {
            let hashes = stored.kept.hashes.iter().enumerate();
            hashes
                .into_iter()
                .all(|(at, hash)| u32::try_from(at).is_ok_and(|at| content.hash(at) == *hash))
        });
        if is_one && stored.kept.is_complete {
            Ok(())
        } else {
            Err((
                Rule::Content,
                format!("tab {tab}: {id:?} is done and not what was sent"),
            ))
        }
    }

    /// Whether no pipe is open but those of transfers that somebody lets rest.
    fn pipes_settled(&self, tab: usize, view: &View) -> Result<(), Complaint> {
        for (handle, link) in &self.tabs[tab].links {
            for (name, end) in &link.freight.pipes {
                let is_resting = view.transfers.iter().any(|one| {
                    one.transfer == name.transfer && matches!(one.state, TransferState::Paused { .. })
                });
                if !end.is_closed && !is_resting {
                    return Err((
                        Rule::Pipe,
                        format!("tab {tab} {handle:?}: {name:?} is open for nothing"),
                    ));
                }
            }
        }
        Ok(())
    }
}
