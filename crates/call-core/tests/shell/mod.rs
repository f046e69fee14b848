//! A shell that does nothing by itself: tests play server and browser by hand.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]
#![allow(dead_code, reason = "each test file uses its part")]

use std::time::Duration;

use visavis_call_core::{
    Command, Config, Core, Event, Intent, LinkEvent, LinkId, RequestId, SdpKind, Seed, SocketEvent, SocketId,
    Timestamp, View, VisitId,
};
use visavis_protocol::{
    ClientMessage, Description, Epoch, ErrorCode, Packet, PeerEntry, PeerId, RoomId, SeatId, SeatSecret,
    ServerMessage, Signal,
};

pub struct Shell {
    pub core: Core,
    pub now: Timestamp,
    pub commands: Vec<Command>,
    pub socket: Option<SocketId>,
}

pub const VISIT: VisitId = VisitId(1);

/// The seat of whoever this shell is.
pub const SEAT: SeatSecret = SeatSecret::from_bytes([1; 16]);

pub fn entry(n: u8) -> PeerEntry {
    PeerEntry {
        peer: PeerId::from_bytes([n; 16]),
        seat: SeatId::from_bytes([n; 16]),
        name: format!("Person {n}"),
        away: false,
        host: false,
    }
}

pub fn epoch(n: u8) -> Epoch {
    Epoch::from_bytes([n; 16])
}

pub fn room() -> RoomId {
    RoomId::derive("tea", None)
}

pub fn sdp(ufrag: &str) -> String {
    format!("v=0\r\na=ice-ufrag:{ufrag}\r\n")
}

impl Shell {
    pub fn new() -> Self {
        Self::with(Config {
            links_ahead: 1,
            ..Config::default()
        })
    }

    pub fn with(config: Config) -> Self {
        let now = Timestamp::default();
        let core = Core::new(config, Seed::new([7; 32]), now);
        Self {
            core,
            now,
            commands: Vec::new(),
            socket: None,
        }
    }

    /// On the page of a room, connected and greeted.
    pub fn in_front() -> Self {
        let mut shell = Self::new();
        shell.enter();
        shell.open();
        shell.greeted(1);
        shell
    }

    pub fn greeted(&mut self, life: u8) {
        self.hear(&ServerMessage::Welcome {
            version: 1,
            epoch: epoch(life),
            ice: vec![],
            relay: false,
        });
    }

    /// Seated beside these.
    pub fn joined(peers: &[PeerEntry]) -> Self {
        let mut shell = Self::in_front();
        shell.join();
        shell.seated(1, 1, peers);
        shell.commands.clear();
        shell
    }

    pub fn event(&mut self, event: Event) {
        self.core.handle(self.now, event);
        while let Some(command) = self.core.poll_command() {
            if let Command::OpenSocket { socket } = &command {
                self.socket = Some(*socket);
            }
            self.commands.push(command);
        }
    }

    pub fn intend(&mut self, intent: Intent) {
        self.event(Event::Intent(intent));
    }

    pub fn enter(&mut self) {
        self.intend(Intent::EnterRoom {
            visit: VISIT,
            room: room(),
            seat: SEAT,
            chat: None,
            hosted: None,
        });
    }

    pub fn join(&mut self) {
        self.intend(Intent::Join { name: "Ada".into() });
    }

    pub fn on_socket(&mut self, event: SocketEvent) {
        let socket = self.socket.expect("a socket was opened");
        self.event(Event::Socket(socket, event));
    }

    pub fn open(&mut self) {
        self.on_socket(SocketEvent::Opened);
    }

    pub fn hear(&mut self, message: &ServerMessage) {
        self.on_socket(SocketEvent::Received(message.encode()));
    }

    pub fn lose(&mut self, code: u16) {
        self.on_socket(SocketEvent::Closed { code });
    }

    /// The server was restarted, and we are the first to join it anew.
    pub fn restart(&mut self) {
        self.lose(1006);
        self.wait_for_deadline();
        self.open();
        self.greeted(2);
        self.hear(&ServerMessage::Error {
            code: ErrorCode::UnknownSession,
            about: Some("resume".into()),
            peer: None,
            message: String::new(),
        });
        self.seated(2, 1, &[]);
    }

    pub fn seated(&mut self, life: u8, version: u64, peers: &[PeerEntry]) {
        let you = self.me();
        self.hear(&ServerMessage::Joined {
            epoch: epoch(life),
            you,
            version,
            peers: peers.to_vec(),
            ice: vec![],
            ice_lifetime_ms: None,
            hosting: visavis_protocol::Hosting::default(),
        });
    }

    /// Our own id, as said in the last `join` or `resume`.
    pub fn me(&self) -> PeerId {
        self.sent()
            .iter()
            .rev()
            .find_map(|message| match message {
                ClientMessage::Join { session, .. } | ClientMessage::Resume { session, .. } => {
                    Some(session.peer_id())
                }
                _ => None,
            })
            .expect("a join or resume was sent")
    }

    pub fn sent(&self) -> Vec<ClientMessage> {
        self.commands
            .iter()
            .filter_map(|command| match command {
                Command::Send { text, .. } => {
                    Some(ClientMessage::decode(text).expect("what the server accepts"))
                }
                _ => None,
            })
            .collect()
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.sent().iter().map(ClientMessage::kind).collect()
    }

    pub fn packets(&self) -> Vec<(PeerId, u64, Packet)> {
        self.sent()
            .into_iter()
            .filter_map(|message| match message {
                ClientMessage::Relay { to, n, body } => {
                    Some((to, n, Packet::decode(&body).expect("a packet")))
                }
                _ => None,
            })
            .collect()
    }

    pub fn links(&self) -> Vec<LinkId> {
        self.commands
            .iter()
            .filter_map(|command| match command {
                Command::CreateLink { link, .. } => Some(*link),
                _ => None,
            })
            .collect()
    }

    /// The connections to those who are shown, in their order.
    pub fn links_of_view(&self) -> Vec<LinkId> {
        self.view()
            .people
            .iter()
            .filter_map(|person| person.link)
            .collect()
    }

    pub fn closed_links(&self) -> Vec<LinkId> {
        self.commands
            .iter()
            .filter_map(|command| match command {
                Command::CloseLink { link } => Some(*link),
                _ => None,
            })
            .collect()
    }

    pub fn local_request(&self) -> RequestId {
        self.commands
            .iter()
            .rev()
            .find_map(|command| match command {
                Command::SetLocalDescription { request, .. } => Some(*request),
                _ => None,
            })
            .expect("a local description was asked for")
    }

    /// The browser makes the offer of a connection.
    pub fn make_offer(&mut self, link: LinkId) {
        self.event(Event::Link(link, LinkEvent::NegotiationNeeded));
        let request = self.local_request();
        let applied = LinkEvent::LocalDescriptionApplied {
            request,
            kind: SdpKind::Offer,
            sdp: sdp("mine"),
        };
        self.event(Event::Link(link, applied));
    }

    pub fn signal(&mut self, from: PeerId, n: u64, signals: Vec<Signal>) {
        let packet = Packet {
            signals,
            ..Packet::default()
        };
        self.packet(from, n, &packet);
    }

    pub fn packet(&mut self, from: PeerId, n: u64, packet: &Packet) {
        let body = packet.encode();
        self.hear(&ServerMessage::Relay { from, n, body });
    }

    pub fn offer_from(&mut self, from: PeerId, n: u64, link: u32) {
        self.signal(
            from,
            n,
            vec![Signal::Offer(Description {
                link,
                neg: 1,
                sdp: sdp("theirs"),
            })],
        );
    }

    pub fn view(&self) -> View {
        self.core.view()
    }

    pub fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        self.event(Event::Tick);
    }

    /// Goes to the next deadline.
    pub fn wait_for_deadline(&mut self) -> Duration {
        let deadline = self.core.poll_timeout().expect("a deadline");
        let time = deadline.since(self.now);
        self.wait(time);
        time
    }
}
