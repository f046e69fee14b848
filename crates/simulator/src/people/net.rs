//! Sockets and the server, which keeps what it wrote down over its restarts.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use visavis_call_core::{Event, SocketEvent, SocketId};
use visavis_protocol::handle::PublicKey;
use visavis_protocol::{CallId, Epoch, Handle};
use visavis_server::hub::{
    AddressKey, Change, ConnectionKey, Directory, Hub, HubConfig, HubFault, Output, PeopleConfig,
    PeopleSecret,
};

use super::{Due, World, is_signed};
use crate::script::Noticed;
use crate::world::Rule;

/// `CloseEvent.code` where nothing was said.
const ABNORMAL: u16 = 1006;
/// The server's time since 1970 at the beginning of a run.
const UNIX: Duration = Duration::from_secs(1_767_225_600);
/// How often of a hundred times a connection attempt without a network hangs instead of failing at once.
const HANGS: u8 = 40;

/// The server between its restarts.
pub(super) struct Server {
    /// `None` while it is down.
    pub(super) hub: Option<Hub>,
    life: u64,
    /// What it wrote down.
    store: Directory,
    rng: Rng,
    fault: Option<HubFault>,
    timer: Option<Duration>,
}

impl Server {
    pub(super) fn new(
        seed: u64,
        fault: Option<HubFault>,
        keys: impl Iterator<Item = (Handle, PublicKey)>,
    ) -> Self {
        let mut store = Directory::default();
        for (handle, key) in keys {
            store.apply(&Change::Key { handle, key });
        }
        let mut server = Self {
            hub: None,
            life: 0,
            store,
            rng: Rng::with_seed(seed ^ 0x5e17_e25e_17e2_5e17),
            fault,
            timer: None,
        };
        server.start(Duration::ZERO);
        server
    }

    fn start(&mut self, now: Duration) {
        let mut epoch = [0; 16];
        self.rng.fill(&mut epoch);
        let mut secret = [0; 32];
        self.rng.fill(&mut secret);
        let config = HubConfig {
            people: Some(PeopleConfig {
                secret: PeopleSecret(secret),
                verify: is_signed,
                tokens: None,
                directory: self.store.clone(),
                is_kept: true,
            }),
            fault: self.fault,
            ..HubConfig::default()
        };
        let mut hub = Hub::new(config, Epoch::from_bytes(epoch), UNIX);
        hub.set_clock(now, UNIX + now);
        self.hub = Some(hub);
        self.timer = None;
    }
}

/// One socket, both ends and what is between.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) page: usize,
    socket: SocketId,
    /// The life of the server that it goes to.
    life: u64,
    /// Nothing passes any more.
    pub(super) cut: bool,
    /// What its page knows.
    pub(super) client: End,
    /// What the server knows.
    pub(super) server: End,
    /// Until when what is said on it waits.
    pub(super) stalled_until: Duration,
    /// Whether the hub said that the page's handle is proven on it.
    pub(super) is_proven: bool,
    /// Missed calls that the hub told on it as they came.
    pub(super) told_missed: BTreeSet<u64>,
    /// The call that the hub said last to have merged into another.
    pub(super) merged: Option<(Duration, CallId)>,
    /// The call that was asked for last on it.
    pub(super) rang: Option<CallId>,
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

/// The wire that a hub means.
pub(super) fn wire_of(key: ConnectionKey) -> usize {
    usize::try_from(key.0).unwrap_or(usize::MAX)
}

impl World {
    pub(super) fn open_socket(&mut self, page: usize, socket: SocketId) {
        let wire = self.wires.len();
        self.wires.push(Wire {
            page,
            socket,
            life: self.server.life,
            cut: false,
            client: End::Opening,
            server: End::Opening,
            stalled_until: Duration::ZERO,
            is_proven: false,
            told_missed: BTreeSet::new(),
            merged: None,
            rang: None,
            to_server_free: Duration::ZERO,
            to_client_free: Duration::ZERO,
        });
        self.pages[page].sockets.insert(socket, wire);
        let open = self.pages[page]
            .sockets
            .values()
            .filter(|wire| self.wires[**wire].client != End::Gone);
        if open.count() > 2 {
            self.violate(
                Rule::Bounded,
                format_args!("page {page} has more than two sockets"),
            );
        }
        if self.people[self.pages[page].person].offline {
            self.wires[wire].cut = true;
            self.wires[wire].server = End::Gone;
            if self.pages[page].rng.u8(0..100) >= HANGS {
                let code = ABNORMAL;
                self.after(Duration::from_millis(5), Due::ClientLoses { wire, code });
            }
            return;
        }
        let delay = self.delay(page, self.pace.network_ms * 2);
        self.after(delay, Due::ServerOpens { wire });
    }

    pub(super) fn send(&mut self, page: usize, socket: SocketId, text: String) {
        let wire = self.pages[page].sockets.get(&socket).copied();
        let Some(wire) = wire.filter(|wire| self.wires[*wire].client == End::Open) else {
            return self.violate(
                Rule::Nonsense,
                format_args!("a message to {socket:?}, which is not open"),
            );
        };
        if self.wires[wire].cut {
            return;
        }
        let delay = self.delay(page, self.pace.network_ms);
        let entry = &mut self.wires[wire];
        let at = (self.now + delay)
            .max(entry.to_server_free)
            .max(entry.stalled_until);
        entry.to_server_free = at;
        if self.is_doubled(page, &text) {
            let text = text.clone();
            self.schedule(at, Due::ServerReceives { wire, text });
        }
        self.schedule(at, Due::ServerReceives { wire, text });
    }

    /// Whether a message comes twice: no socket does that, but a page that repeats itself is no different.
    fn is_doubled(&mut self, page: usize, text: &str) -> bool {
        let odds = self.pace.doubled;
        odds > 0 && text.starts_with("{\"people\"") && self.pages[page].rng.u8(0..100) < odds
    }

    pub(super) fn close_socket(&mut self, page: usize, socket: SocketId) {
        let Some(wire) = self.pages[page].sockets.remove(&socket) else {
            return self.violate(
                Rule::Nonsense,
                format_args!("{socket:?} closed, which is not there"),
            );
        };
        self.wires[wire].client = End::Gone;
        self.server_hears_close(wire, false);
    }

    /// The close of a socket comes behind all that was said on it.
    pub(super) fn server_hears_close(&mut self, wire: usize, departed: bool) {
        let entry = &self.wires[wire];
        if !entry.cut {
            let at = self.now + Duration::from_millis(1);
            let at = at.max(entry.to_server_free).max(entry.stalled_until);
            self.schedule(at, Due::ServerLoses { wire, departed });
        }
    }

    /// Breaks a wire. What is under way is lost.
    pub(super) fn cut(&mut self, wire: usize, client: Noticed, server: Noticed) {
        self.wires[wire].cut = true;
        self.trace.note(self.now, format_args!("wire {wire} is cut"));
        self.trouble(self.wires[wire].page);
        if let Noticed::After(ms) = client {
            let code = ABNORMAL;
            self.after(Duration::from_millis(ms), Due::ClientLoses { wire, code });
        }
        if let Noticed::After(ms) = server {
            let departed = false;
            self.after(Duration::from_millis(ms), Due::ServerLoses { wire, departed });
        }
    }

    /// The wires of a page that work as far as it knows.
    pub(super) fn wires_of(&self, page: usize) -> Vec<usize> {
        let known = self.pages[page].sockets.values().copied();
        known
            .filter(|wire| self.wires[*wire].client != End::Gone && !self.wires[*wire].cut)
            .collect()
    }

    /// Tells every page that a cut wire is cut: the faults are over.
    pub(super) fn reveal_cuts(&mut self) {
        for wire in 0..self.wires.len() {
            let entry = &mut self.wires[wire];
            entry.stalled_until = Duration::ZERO;
            let is_cut = entry.cut;
            if is_cut && entry.client != End::Gone {
                let code = ABNORMAL;
                self.after(Duration::from_millis(10), Due::ClientLoses { wire, code });
            }
            if is_cut && self.wires[wire].server == End::Open {
                let departed = false;
                self.after(Duration::from_millis(10), Due::ServerLoses { wire, departed });
            }
        }
    }

    pub(super) fn server_opens(&mut self, wire: usize) {
        let entry = &mut self.wires[wire];
        if entry.cut {
            return;
        }
        let now = self.now;
        let (Some(hub), true) = (self.server.hub.as_mut(), entry.life == self.server.life) else {
            entry.server = End::Gone;
            let code = ABNORMAL;
            return self.after(Duration::from_millis(1), Due::ClientLoses { wire, code });
        };
        entry.server = End::Open;
        let person = u32::try_from(self.pages[entry.page].person).unwrap_or(u32::MAX);
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
        self.server_hears(wire, text);
        if let Some(hub) = &mut self.server.hub {
            hub.receive(now, key(wire), text);
        }
        self.drain_hub();
    }

    pub(super) fn server_loses(&mut self, wire: usize, departed: bool) {
        if self.wires[wire].server != End::Open {
            return;
        }
        self.wires[wire].server = End::Gone;
        let now = self.now;
        self.trace.note(
            now,
            format_args!("server loses wire {wire}, departed: {departed}"),
        );
        if let Some(hub) = &mut self.server.hub {
            if departed {
                hub.depart(now, key(wire));
            } else {
                hub.disconnect(now, key(wire));
            }
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

    fn drain_hub(&mut self) {
        while let Some(output) = self.server.hub.as_mut().and_then(Hub::poll_output) {
            match output {
                Output::Send { connection, text } => self.deliver(wire_of(connection), text.as_ref()),
                Output::Store(change) => {
                    self.trace.note(self.now, format_args!("stored: {change:?}"));
                    self.server.store.apply(&change);
                    self.stored(&change);
                }
                Output::Close { connection, code } => {
                    let wire = wire_of(connection);
                    let entry = &mut self.wires[wire];
                    entry.server = End::Gone;
                    if !entry.cut {
                        let at = entry.to_client_free.max(self.now + Duration::from_millis(1));
                        let code = code.code();
                        self.schedule(at, Due::ClientLoses { wire, code });
                    }
                }
            }
        }
        self.nobody_in_two_calls();
        let wanted = self.server.hub.as_ref().and_then(Hub::poll_timeout);
        if self.server.timer != wanted {
            self.server.timer = wanted;
            if let Some(at) = wanted {
                self.schedule(at, Due::HubTimer);
            }
        }
    }

    /// Puts a message on its way to a page.
    fn deliver(&mut self, wire: usize, text: &str) {
        self.hub_says(wire, text);
        let Some(entry) = self.wires.get(wire).filter(|entry| !entry.cut) else {
            return;
        };
        let (page, free, stalled) = (entry.page, entry.to_client_free, entry.stalled_until);
        let delay = self.delay(page, self.pace.network_ms);
        let at = (self.now + delay).max(free).max(stalled);
        self.wires[wire].to_client_free = at;
        if self.is_doubled(page, text) {
            let text = text.to_owned();
            self.schedule(at, Due::ClientReceives { wire, text });
        }
        let text = text.to_owned();
        self.schedule(at, Due::ClientReceives { wire, text });
    }

    pub(super) fn client_opened(&mut self, wire: usize) {
        let entry = &mut self.wires[wire];
        if entry.cut || entry.client != End::Opening {
            return;
        }
        entry.client = End::Open;
        let (page, socket) = (entry.page, entry.socket);
        self.tell(page, Event::Socket(socket, SocketEvent::Opened));
    }

    pub(super) fn client_receives(&mut self, wire: usize, text: String) {
        let entry = &self.wires[wire];
        if entry.cut || entry.client != End::Open {
            return;
        }
        let (page, socket) = (entry.page, entry.socket);
        self.page_hears(page, wire, &text);
        self.tell(page, Event::Socket(socket, SocketEvent::Received(text)));
    }

    pub(super) fn client_loses(&mut self, wire: usize, code: u16) {
        let entry = &mut self.wires[wire];
        if entry.client == End::Gone {
            return;
        }
        entry.client = End::Gone;
        entry.cut = true;
        let (page, socket) = (entry.page, entry.socket);
        self.trouble(page);
        self.pages[page].sockets.remove(&socket);
        self.tell(page, Event::Socket(socket, SocketEvent::Closed { code }));
    }

    /// The server loses its memory.
    pub(super) fn restart_server(&mut self, down: Duration, noticed: Noticed) {
        self.trace.note(self.now, format_args!("the server is gone"));
        self.server.hub = None;
        self.server.life += 1;
        self.server.timer = None;
        for wire in 0..self.wires.len() {
            let entry = &mut self.wires[wire];
            if entry.server != End::Gone || entry.client != End::Gone {
                entry.server = End::Gone;
                if !entry.cut {
                    self.cut(wire, noticed, Noticed::Never);
                }
            }
        }
        for page in 0..self.pages.len() {
            self.trouble(page);
        }
        let life = self.server.life;
        self.after(down, Due::ServerBack { life });
    }

    pub(super) fn server_back(&mut self, life: u64) {
        if self.server.hub.is_none() && self.server.life == life {
            self.trace.note(self.now, format_args!("the server is back"));
            self.server.start(self.now);
        }
    }

    /// The server is up from now on.
    pub(super) fn server_is_up(&mut self) {
        let life = self.server.life;
        self.server_back(life);
    }
}
