//! Chat: what people write to each other, and what those who come later are told of it.

use alloc::collections::VecDeque;

use crate::command::Command;
use crate::event::SideEvent;
use crate::id::LinkId;
use crate::peer::Correspondent;
use crate::time::Timestamp;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chat {}

impl Chat {
    /// Something happened on the chat channel of a connection.
    pub(crate) fn handle_side(
        &mut self,
        _now: Timestamp,
        _whose: &Correspondent,
        _event: SideEvent,
        _commands: &mut VecDeque<Command>,
    ) {
    }

    /// Forgets channels of connections that are no more.
    pub(crate) fn keep_links(&mut self, _is_live: impl Fn(LinkId) -> bool) {}
}
