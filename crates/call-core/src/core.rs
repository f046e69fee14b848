//! The core itself: takes events, owns the machines, hands out commands.

use alloc::collections::VecDeque;

use crate::command::Command;
use crate::config::{Config, Seed};
use crate::event::Event;
use crate::time::Timestamp;
use crate::view::View;

/// See the crate's documentation.
pub struct Core {
    commands: VecDeque<Command>,
    view: View,
}

impl Core {
    /// A core that does nothing yet.
    #[must_use]
    pub fn new(config: Config, seed: Seed, now: Timestamp) -> Self {
        _ = (config, seed, now);
        Self {
            commands: VecDeque::new(),
            view: View::default(),
        }
    }

    /// Takes one fact. Never fails and never panics, whatever a peer or a server wrote.
    pub fn handle(&mut self, now: Timestamp, event: Event) {
        _ = (now, event);
    }

    /// The next thing to do; to be drained to `None` after every [`Core::handle`].
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When [`Event::Tick`] is wanted at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        None
    }

    /// What there is to show now.
    #[must_use]
    pub fn view(&self) -> View {
        self.view.clone()
    }
}
