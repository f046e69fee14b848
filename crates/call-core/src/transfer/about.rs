//! What a transfer is: the part of it that never changes.

use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::transfer::{BlockHash, FilesFrame};
use visavis_protocol::{RoomId, SeatId, TransferId};

use super::layout::Layout;
use super::shell::{Direction, Kept};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) transfer: TransferId,
    pub(super) room: RoomId,
    pub(super) direction: Direction,
    /// Who is on the other side. Stays the same over reloads of their tab.
    pub(super) seat: SeatId,
    pub(super) name: String,
    pub(super) folder: Option<String>,
    pub(super) layout: Layout,
}

impl About {
    /// What a person calls it.
    pub(super) fn title(&self) -> &str {
        match &self.folder {
            Some(folder) => folder,
            None => self.layout.files().first().map_or("", |file| &file.path),
        }
    }

    /// As it is told to the receiver.
    pub(super) fn offer(&self) -> FilesFrame {
        FilesFrame::Offer {
            transfer: self.transfer,
            folder: self.folder.clone(),
            files: self.layout.files().to_vec(),
        }
    }

    /// As a later page needs it.
    pub(super) fn kept(&self, hashes: Vec<BlockHash>) -> Kept {
        Kept {
            transfer: self.transfer,
            room: self.room.clone(),
            direction: self.direction,
            seat: self.seat,
            name: self.name.clone(),
            folder: self.folder.clone(),
            files: self.layout.files().to_vec(),
            hashes,
            is_complete: false,
        }
    }
}
