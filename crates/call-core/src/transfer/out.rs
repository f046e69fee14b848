//! What one transfer may use while it handles something.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use visavis_protocol::transfer::{FilesFrame, PipeFrame};

use super::shell::FileCommand;
use crate::command::Command;
use crate::fault::Faults;
use crate::id::{LinkId, PipeId, SideChannel};
use crate::time::Timestamp;
use crate::view::NoticeKind;

/// See the module.
pub(super) struct Out<'a> {
    pub(super) now: Timestamp,
    /// The connection whose files channel to the other side is open.
    pub(super) link: Option<LinkId>,
    pub(super) commands: &'a mut VecDeque<Command>,
    pub(super) notices: &'a mut Vec<NoticeKind>,
    pub(super) faults: Faults,
}

impl Out<'_> {
    /// Tells the other side, if there is a way to.
    pub(super) fn tell(&mut self, frame: &FilesFrame) {
        if let Some(link) = self.link {
            self.commands.push_back(Command::SendAside {
                link,
                channel: SideChannel::Files,
                text: frame.encode(),
            });
        }
    }

    pub(super) fn file(&mut self, command: FileCommand) {
        self.commands.push_back(Command::File(command));
    }

    pub(super) fn write(&mut self, pipe: PipeId, frame: &PipeFrame) {
        let text = frame.encode();
        self.file(FileCommand::WritePipe { pipe, text });
    }
}
