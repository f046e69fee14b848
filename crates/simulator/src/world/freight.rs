//! What travels beside the control channel: words on the files channel, and the pipes of transfers.
//!
//! Each is ordered and reliable by itself and overtakes the others. Where the path is gone everything waits
//! for its return; what the connection does not survive is lost with it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use visavis_call_core::{Event, FileEvent, LinkEvent, LinkId, PipeId, SideChannel, SideEvent};
use visavis_protocol::limits::TRANSFERS_AT_ONCE;
use visavis_protocol::transfer::{BlockHash, PipeName};

use super::{Due, Rule, World};

/// Which channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    Files,
    Pipe(PipeName),
}

/// One thing on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) lane: Lane,
    pub(super) what: What,
}

/// See [`Load`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A channel is made by the other side.
    Open,
    /// That it was made is known to both.
    Opened,
    Text(String),
    /// The bytes of a block.
    Block {
        bytes: u32,
        hash: BlockHash,
    },
    Close,
}

/// One end of what a connection carries beside its control channel.
#[derive(Debug, Default)]
pub(super) struct Freight {
    is_open: bool,
    /// When the last load of a lane arrives at the other end.
    free: BTreeMap<Lane, Duration>,
    held: VecDeque<Load>,
    pub(super) pipes: BTreeMap<PipeName, Pipe>,
}

/// One end of a pipe.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    pub(super) is_ours: bool,
    pub(super) is_open: bool,
    pub(super) is_closed: bool,
    /// The blocks that the core expects: their numbers and lengths.
    pub(super) expected: VecDeque<(u32, u32)>,
}

impl World {
    pub(super) fn send_aside(&mut self, tab: usize, handle: LinkId, text: String) {
        if text.starts_with("{\"lacking\"") {
            self.pick_again_soon(tab, &text);
        }
        let Some(link) = self.link_or_violate(tab, handle, "SendAside") else {
            return;
        };
        if !link.freight.is_open {
            let detail = format!("tab {tab} {handle:?}: {text} to a files channel that is not open");
            return self.violate(Rule::Nonsense, format_args!("{detail}"));
        }
        if link.channel.is_closed {
            // It is about to hear so.
            return;
        }
        let connection = link.pc.id() as usize;
        let what = What::Text(text);
        self.load(
            connection,
            Load {
                lane: Lane::Files,
                what,
            },
        );
    }

    /// Sends something to the other end, or keeps it until something passes.
    pub(super) fn load(&mut self, connection: usize, load: Load) {
        if self.is_dead(connection) {
            if let Some(link) = self.connection_mut(connection) {
                link.freight.held.push_back(load);
            }
            return;
        }
        self.carry_load(connection, load, Duration::ZERO);
    }

    fn carry_load(&mut self, connection: usize, load: Load, later: Duration) {
        let (tab, _) = self.connections[connection];
        let mut delay = self.file_delay(tab, self.pace.network_ms) + later;
        if matches!(load.what, What::Block { .. }) {
            delay += self.file_delay(tab, 200);
        }
        let now = self.now;
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        let Some(far) = link.far else { return };
        let free = link.freight.free.entry(load.lane).or_default();
        let at = (now + delay).max(*free);
        *free = at;
        self.schedule(
            at,
            Due::Freight {
                connection: far,
                load,
            },
        );
    }

    pub(super) fn release_freight(&mut self, connection: usize) {
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        let held = std::mem::take(&mut link.freight.held);
        if held.is_empty() {
            return;
        }
        let (tab, _) = self.connections[connection];
        let later = self.file_delay(tab, 1_000);
        for load in held {
            self.carry_load(connection, load, later);
        }
    }

    /// The control channel opened, and with it the one for files.
    pub(super) fn open_files(&mut self, connection: usize) {
        if !self.has_files {
            return;
        }
        let (tab, handle) = self.connections[connection];
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        if !link.channel.is_closed && !std::mem::replace(&mut link.freight.is_open, true) {
            self.tell_side(tab, handle, SideEvent::Opened);
        }
    }

    fn tell_side(&mut self, tab: usize, handle: LinkId, event: SideEvent) {
        self.tell(
            tab,
            Event::Link(handle, LinkEvent::Side(SideChannel::Files, event)),
        );
    }

    /// The other end closed the connection.
    pub(super) fn close_freight(&mut self, connection: usize) {
        let (tab, handle) = self.connections[connection];
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        let was_open = link.freight.is_open;
        let names: Vec<PipeName> = link.freight.pipes.keys().copied().collect();
        let mut order = names.into_iter().map(Some).collect::<Vec<_>>();
        order.push(None);
        if self.tabs[tab].files.rng.bool() {
            order.reverse();
        }
        for name in order {
            match name {
                Some(name) => self.pipe_closes(connection, name),
                None if was_open => {
                    let Some(link) = self.connection_mut(connection) else {
                        return;
                    };
                    link.freight.is_open = false;
                    self.tell_side(tab, handle, SideEvent::Closed);
                }
                None => {}
            }
        }
    }

    /// A pipe ends by the other side's doing.
    fn pipe_closes(&mut self, connection: usize, name: PipeName) {
        let (tab, link) = self.connections[connection];
        let Some(entry) = self.connection_mut(connection) else {
            return;
        };
        let Some(pipe) = entry.freight.pipes.get_mut(&name) else {
            return;
        };
        if !std::mem::replace(&mut pipe.is_closed, true) {
            self.tell_file(tab, FileEvent::PipeClosed(PipeId { link, name }));
        }
    }

    pub(super) fn freight_comes(&mut self, connection: usize, load: Load) {
        // A message is proof enough that the channel is there.
        self.channel_opens(connection);
        let (tab, handle) = self.connections[connection];
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        if link.channel.is_closed {
            return;
        }
        match (load.lane, load.what) {
            (Lane::Files, What::Text(text)) => self.tell_side(tab, handle, SideEvent::Received(text)),
            (Lane::Files, What::Open | What::Opened | What::Block { .. } | What::Close) => {}
            (Lane::Pipe(name), what) => self.pipe_load_comes(connection, name, what),
        }
    }

    fn pipe_load_comes(&mut self, connection: usize, name: PipeName, what: What) {
        let (tab, link) = self.connections[connection];
        let pipe = PipeId { link, name };
        let Some(entry) = self.connection_mut(connection) else {
            return;
        };
        if what == What::Open {
            let end = Pipe {
                is_open: true,
                ..Pipe::default()
            };
            if entry.freight.pipes.insert(name, end).is_some() {
                return self.violate(Rule::Nonsense, format_args!("{pipe:?} was made twice"));
            }
            let lane = Lane::Pipe(name);
            self.load(
                connection,
                Load {
                    lane,
                    what: What::Opened,
                },
            );
            return self.tell_file(tab, FileEvent::PipeCame { link, name });
        }
        let Some(end) = entry.freight.pipes.get_mut(&name).filter(|end| !end.is_closed) else {
            return;
        };
        match what {
            What::Open => {}
            What::Opened => {
                end.is_open = true;
                self.tell_file(tab, FileEvent::PipeOpened(pipe));
            }
            What::Text(text) => self.tell_file(tab, FileEvent::PipeReceived { pipe, text }),
            What::Close => self.pipe_closes(connection, name),
            What::Block { bytes, hash } => match end.expected.pop_front() {
                Some((number, expected)) if expected == bytes => {
                    self.block_gathered(tab, pipe, number, hash);
                }
                Some(_) | None => self.tell_file(tab, FileEvent::PipeBroken(pipe)),
            },
        }
    }

    pub(super) fn open_pipe(&mut self, tab: usize, pipe: PipeId) {
        let Some(link) = self.link_or_violate(tab, pipe.link, "OpenPipe") else {
            return;
        };
        let connection = link.pc.id() as usize;
        let end = Pipe {
            is_ours: true,
            ..Pipe::default()
        };
        let was_there = link.freight.pipes.insert(pipe.name, end).is_some();
        let ours = link
            .freight
            .pipes
            .values()
            .filter(|end| end.is_ours && !end.is_closed);
        let open = ours.count();
        if was_there {
            return self.violate(Rule::Nonsense, format_args!("{pipe:?} is made twice"));
        }
        if open > TRANSFERS_AT_ONCE {
            return self.violate(Rule::Bounded, format_args!("tab {tab} has {open} pipes"));
        }
        let lane = Lane::Pipe(pipe.name);
        self.load(
            connection,
            Load {
                lane,
                what: What::Open,
            },
        );
    }

    pub(super) fn close_pipe(&mut self, tab: usize, pipe: PipeId) {
        let Some(link) = self.tabs[tab].links.get_mut(&pipe.link) else {
            return;
        };
        let connection = link.pc.id() as usize;
        let Some(end) = link.freight.pipes.get_mut(&pipe.name) else {
            return self.violate(
                Rule::Nonsense,
                format_args!("{pipe:?} closed, which is not there"),
            );
        };
        if !std::mem::replace(&mut end.is_closed, true) {
            let lane = Lane::Pipe(pipe.name);
            self.load(
                connection,
                Load {
                    lane,
                    what: What::Close,
                },
            );
        }
    }

    /// Writes on a pipe. Nonsense where the core has heard that it is gone.
    pub(super) fn write_pipe(&mut self, tab: usize, pipe: PipeId, what: What) {
        let Some(link) = self.link_or_violate(tab, pipe.link, "WritePipe") else {
            return;
        };
        let connection = link.pc.id() as usize;
        let is_open = link
            .freight
            .pipes
            .get(&pipe.name)
            .is_some_and(|end| end.is_open && !end.is_closed);
        if !is_open {
            return self.violate(
                Rule::Nonsense,
                format_args!("tab {tab} writes on {pipe:?}, which is not open: {what:?}"),
            );
        }
        let lane = Lane::Pipe(pipe.name);
        self.load(connection, Load { lane, what });
    }
}
