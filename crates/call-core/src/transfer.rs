//! Files between two people: offer, consent, blocks that are verified one by one, and how a transfer that
//! was cut goes on.

mod shell;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::command::Command;
use crate::event::SideEvent;
use crate::id::LinkId;
use crate::peer::Correspondent;
use crate::time::Timestamp;
pub use shell::{
    BlockPlace, Direction, FileCommand, FileEvent, FileIntent, FileRead, FileTrouble, Kept, Transfer,
    TransferState,
};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transfers {}

impl Transfers {
    /// Something happened on the files channel of a connection.
    pub(crate) fn handle_side(
        &mut self,
        _now: Timestamp,
        _whose: &Correspondent,
        _event: SideEvent,
        _commands: &mut VecDeque<Command>,
    ) {
    }

    /// Something happened to a file, a pipe or the browser's disk.
    pub(crate) fn handle_file(
        &mut self,
        _now: Timestamp,
        _event: FileEvent,
        _commands: &mut VecDeque<Command>,
    ) {
    }

    /// A person wants something.
    pub(crate) fn intend(&mut self, _now: Timestamp, _intent: FileIntent, _commands: &mut VecDeque<Command>) {
    }

    /// Takes channels and pipes of connections that are no more for closed.
    pub(crate) fn keep_links(&mut self, _now: Timestamp, _is_live: impl Fn(LinkId) -> bool) {}

    pub(crate) fn view(&self) -> Vec<Transfer> {
        Vec::new()
    }

    /// When a tick is wanted at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        None
    }
}
