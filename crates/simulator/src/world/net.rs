//! Sockets and the server: FIFO in each direction, until something breaks.

use std::time::Duration;

use fastrand::Rng;
use visavis_call_core::{Event, SocketEvent, SocketId};
use visavis_protocol::{Epoch, ErrorCode};
use visavis_server::hub::{AddressKey, ConnectionKey, Hub, HubConfig, HubFault, Output};

use super::{Due, Rule, World};
use crate::script::Noticed;

/// `CloseEvent.code` where nothing was said.
const ABNORMAL: u16 = 1006;
/// The server's time since 1970 at the beginning of a run.
const UNIX: Duration = Duration::from_secs(1_767_225_600);
/// How often a connection attempt without a network hangs instead of failing at once.
const HANGS: u8 = 40;

/// The server between its restarts.
pub(super) struct Server {
    /// `None` while it is down.
    pub(super) hub: Option<Hub>,
    pub(super) life: u64,
    rng: Rng,
    fault: Option<HubFault>,
    timer: Option<Duration>,
    /// Errors of lives that are over.
    errors: [u64; ErrorCode::ALL.len()],
}

impl Server {
    pub(super) fn new(seed: u64, fault: Option<HubFault>) -> Self {
        let mut server = Self {
            hub: None,
            life: 0,
            rng: Rng::with_seed(seed ^ 0x5e17_e25e_17e2_5e17),
            fault,
            timer: None,
            errors: [0; ErrorCode::ALL.len()],
        };
        server.start();
        server
    }

    fn start(&mut self) {
        let mut epoch = [0; 16];
        self.rng.fill(&mut epoch);
        let config = HubConfig {
            fault: self.fault,
            ..HubConfig::default()
        };
        self.hub = Some(Hub::new(config, Epoch::from_bytes(epoch), UNIX));
        self.timer = None;
    }

    /// Errors of a code that clients were told, over all lives.
    pub(super) fn errors(&self, code: ErrorCode) -> u64 {
        let Some(at) = ErrorCode::ALL.iter().position(|known| *known == code) else {
            return 0;
        };
        self.errors[at] + self.hub.as_ref().map_or(0, |hub| hub.totals().errors[at])
    }
}

/// One socket, both ends and what is between.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) tab: usize,
    pub(super) socket: SocketId,
    /// The life of the server that it goes to.
    life: u64,
    /// Nothing passes any more.
    pub(super) cut: bool,
    /// What its tab knows.
    pub(super) client: End,
    /// What the server knows.
    pub(super) server: End,
    /// Whether the server heard a `leave` on it.
    pub(super) left: bool,
    to_server_free: Duration,
    to_client_free: Duration,
}

/// One end of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Opening,
    Open,
    Gone,
}

const fn key(wire: usize) -> ConnectionKey {
    ConnectionKey(wire as u64)
}

impl World {
    pub(super) fn open_socket(&mut self, tab: usize, socket: SocketId) {
        let wire = self.wires.len();
        self.wires.push(Wire {
            tab,
            socket,
            life: self.server.life,
            cut: false,
            client: End::Opening,
            server: End::Opening,
            left: false,
            to_server_free: Duration::ZERO,
            to_client_free: Duration::ZERO,
        });
        if self.tabs[tab].sockets.insert(socket, wire).is_some() {
            self.violate(Rule::Nonsense, format_args!("{socket:?} was opened twice"));
        }
        let open = self.tabs[tab]
            .sockets
            .values()
            .filter(|wire| self.wires[**wire].client != End::Gone)
            .count();
        if open > 2 {
            self.violate(Rule::Bounded, format_args!("tab {tab} has {open} sockets"));
        }
        if self.people[self.tabs[tab].person].offline {
            self.wires[wire].cut = true;
            self.wires[wire].server = End::Gone;
            if self.tabs[tab].rng.u8(0..100) >= HANGS {
                self.after(
                    Duration::from_millis(5),
                    Due::ClientLoses { wire, code: ABNORMAL },
                );
            }
            return;
        }
        let delay = self.delay(tab, self.pace.network_ms * 2);
        // A handshake takes longer than what was said before it on another socket.
        let person = self.tabs[tab].person;
        let said = self
            .wires
            .iter()
            .filter(|other| self.tabs[other.tab].person == person && !other.cut);
        let said = said.map(|other| other.to_server_free).max().unwrap_or_default();
        self.schedule((self.now + delay).max(said), Due::ServerOpens { wire });
    }

    pub(super) fn send(&mut self, tab: usize, socket: SocketId, text: String) {
        let Some(wire) = self.wire_of(tab, socket) else {
            return self.violate(Rule::Nonsense, format_args!("a message to {socket:?}, not there"));
        };
        if self.wires[wire].client != End::Open {
            return self.violate(Rule::Nonsense, format_args!("a message to {socket:?}, not open"));
        }
        if self.wires[wire].cut {
            return;
        }
        let delay = self.delay(tab, self.pace.network_ms);
        let at = (self.now + delay).max(self.wires[wire].to_server_free);
        self.wires[wire].to_server_free = at;
        self.schedule(at, Due::ServerReceives { wire, text });
    }

    pub(super) fn close_socket(&mut self, tab: usize, socket: SocketId) {
        let Some(wire) = self.wire_of(tab, socket) else {
            return self.violate(
                Rule::Nonsense,
                format_args!("{socket:?} closed, which is not there"),
            );
        };
        self.tabs[tab].sockets.remove(&socket);
        self.wires[wire].client = End::Gone;
        if !self.wires[wire].cut {
            let at = (self.now + Duration::from_millis(1)).max(self.wires[wire].to_server_free);
            self.schedule(at, Due::ServerLoses { wire });
        }
    }

    /// Breaks a wire. What is under way is lost.
    pub(super) fn cut(&mut self, wire: usize, client: Noticed, server: Noticed) {
        self.wires[wire].cut = true;
        self.trace.note(self.now, format_args!("wire {wire} is cut"));
        if let Noticed::After(ms) = client {
            let code = ABNORMAL;
            self.after(Duration::from_millis(ms), Due::ClientLoses { wire, code });
        }
        if let Noticed::After(ms) = server {
            self.after(Duration::from_millis(ms), Due::ServerLoses { wire });
        }
    }

    /// The wires of a tab that it has not given up.
    pub(super) fn wires_of_tab(&self, tab: usize) -> Vec<usize> {
        let known = self.tabs[tab].sockets.values().copied();
        known
            .filter(|wire| self.wires[*wire].client != End::Gone && !self.wires[*wire].cut)
            .collect()
    }

    /// Tells every tab that a cut wire is cut: the faults are over.
    pub(super) fn reveal_cuts(&mut self) {
        for wire in 0..self.wires.len() {
            let broken = self.wires[wire].cut && self.wires[wire].client != End::Gone;
            if broken && self.tabs[self.wires[wire].tab].core.is_some() {
                let code = ABNORMAL;
                self.after(Duration::from_millis(10), Due::ClientLoses { wire, code });
            }
        }
    }

    pub(super) fn server_opens(&mut self, wire: usize) {
        let entry = &mut self.wires[wire];
        if entry.cut {
            return;
        }
        let now = self.now;
        let tab = entry.tab;
        let (Some(hub), true) = (self.server.hub.as_mut(), entry.life == self.server.life) else {
            entry.server = End::Gone;
            let code = ABNORMAL;
            return self.after(Duration::from_millis(1), Due::ClientLoses { wire, code });
        };
        entry.server = End::Open;
        let person = u32::try_from(self.tabs[tab].person).unwrap_or(u32::MAX);
        hub.connect(now, key(wire), AddressKey::V4(person));
        let at = now + Duration::from_millis(1);
        self.wires[wire].to_client_free = at;
        self.schedule(at, Due::ClientOpened { wire });
        self.drain_hub();
    }

    pub(super) fn server_receives(&mut self, wire: usize, text: &str) {
        if self.wires[wire].cut || self.wires[wire].server != End::Open {
            return;
        }
        let now = self.now;
        self.trace
            .note(now, format_args!("server <- wire {wire}: {text}"));
        self.wires[wire].left |= text.starts_with("{\"leave\"");
        let removal = self.removal_in(text);
        if let Some(hub) = &mut self.server.hub {
            hub.receive(now, key(wire), text);
        }
        self.drain_hub();
        if let Some((peer, next)) = removal {
            self.note_removal(peer, &next);
        }
    }

    pub(super) fn server_loses(&mut self, wire: usize) {
        if self.wires[wire].server != End::Open {
            return;
        }
        self.wires[wire].server = End::Gone;
        let now = self.now;
        self.trace.note(now, format_args!("server loses wire {wire}"));
        if let Some(hub) = &mut self.server.hub {
            hub.disconnect(now, key(wire));
        }
        self.drain_hub();
    }

    pub(super) fn wake_hub(&mut self) {
        if self.server.timer.is_none_or(|at| at > self.now) {
            return;
        }
        self.server.timer = None;
        let now = self.now;
        if let Some(hub) = &mut self.server.hub {
            hub.tick(now);
        }
        self.drain_hub();
    }

    pub(super) fn drain_hub(&mut self) {
        while let Some(output) = self.server.hub.as_mut().and_then(Hub::poll_output) {
            self.take_outputs([output]);
        }
        self.note_empty();
        let wanted = self.server.hub.as_ref().and_then(Hub::poll_timeout);
        if self.server.timer != wanted {
            self.server.timer = wanted;
            if let Some(at) = wanted {
                self.schedule(at, Due::HubTimer);
            }
        }
    }

    pub(super) fn take_outputs(&mut self, outputs: impl IntoIterator<Item = Output>) {
        for output in outputs {
            match output {
                Output::Send { connection, text } => {
                    let wire = usize::try_from(connection.0).unwrap_or(usize::MAX);
                    self.deliver(wire, text.as_ref());
                }
                Output::Store(_) => {}
                Output::Close { connection, code } => {
                    let wire = usize::try_from(connection.0).unwrap_or(usize::MAX);
                    let Some(entry) = self.wires.get_mut(wire) else {
                        continue;
                    };
                    // With the bug of F8 planted the hub still listens to what it closed.
                    if self.server.fault != Some(HubFault::OldSocketRemovesNewSeat) {
                        entry.server = End::Gone;
                    } else {
                        let at = self.now + Duration::from_millis(1);
                        self.schedule(at, Due::ServerLoses { wire });
                    }
                    let entry = &self.wires[wire];
                    if !entry.cut {
                        let at = entry.to_client_free.max(self.now + Duration::from_millis(1));
                        let code = code.code();
                        self.schedule(at, Due::ClientLoses { wire, code });
                    }
                }
            }
        }
    }

    /// Puts a message on its way to a tab.
    fn deliver(&mut self, wire: usize, text: &str) {
        self.note_moved(text);
        let Some(entry) = self.wires.get(wire) else {
            return;
        };
        let (tab, free) = (entry.tab, entry.to_client_free);
        if entry.cut {
            return;
        }
        let delay = self.delay(tab, self.pace.network_ms);
        let at = (self.now + delay).max(free);
        let relayed = text.starts_with("{\"relay\":");
        let detour = Duration::from_millis(20 + self.pace.network_ms * 3);
        if relayed && self.tabs[tab].rng.u8(0..100) < self.pace.duplicated {
            let late = at + self.delay(tab, 1).max(detour) / 2;
            let text = text.to_owned();
            self.schedule(late, Due::ClientReceives { wire, text });
        }
        let overtaken = relayed && self.tabs[tab].rng.u8(0..100) < self.pace.overtaken;
        let text = text.to_owned();
        if overtaken {
            self.schedule(at + detour, Due::ClientReceives { wire, text });
        } else {
            self.wires[wire].to_client_free = at;
            self.schedule(at, Due::ClientReceives { wire, text });
        }
    }

    pub(super) fn client_opened(&mut self, wire: usize) {
        let entry = &mut self.wires[wire];
        if entry.cut || entry.client != End::Opening {
            return;
        }
        entry.client = End::Open;
        let (tab, socket) = (entry.tab, entry.socket);
        self.tell(tab, Event::Socket(socket, SocketEvent::Opened));
    }

    pub(super) fn client_receives(&mut self, wire: usize, text: String) {
        let entry = &self.wires[wire];
        if entry.cut || entry.client != End::Open {
            return;
        }
        let (tab, socket) = (entry.tab, entry.socket);
        self.people[self.tabs[tab].person].was_in |= text.starts_with("{\"joined\"");
        self.tell(tab, Event::Socket(socket, SocketEvent::Received(text)));
    }

    pub(super) fn client_loses(&mut self, wire: usize, code: u16) {
        let entry = &mut self.wires[wire];
        if entry.client == End::Gone {
            return;
        }
        entry.client = End::Gone;
        entry.cut = true;
        let (tab, socket) = (entry.tab, entry.socket);
        self.tabs[tab].sockets.remove(&socket);
        self.tell(tab, Event::Socket(socket, SocketEvent::Closed { code }));
    }

    /// The server loses its memory.
    pub(super) fn restart_server(&mut self, down: Duration, noticed: Noticed) {
        self.trace.note(self.now, format_args!("the server is gone"));
        if let Some(hub) = self.server.hub.take() {
            for (sum, errors) in self.server.errors.iter_mut().zip(hub.totals().errors) {
                *sum += errors;
            }
        }
        self.server.life += 1;
        self.server.timer = None;
        for wire in 0..self.wires.len() {
            if self.wires[wire].server != End::Gone || self.wires[wire].client != End::Gone {
                self.wires[wire].server = End::Gone;
                if !self.wires[wire].cut {
                    self.cut(wire, noticed, Noticed::Never);
                }
            }
        }
        let life = self.server.life;
        self.after(down, Due::ServerBack { life });
    }

    pub(super) fn server_back(&mut self, life: u64) {
        if self.server.hub.is_none() && self.server.life == life {
            self.trace.note(self.now, format_args!("the server is back"));
            self.server.start();
        }
    }
}
