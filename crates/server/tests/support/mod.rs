//! A server on a free port, and clients that can misbehave as no library would let them.
#![allow(dead_code, reason = "each test binary uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use visavis_protocol::{
    Charter, Claim, ClientMessage, CloseCode, ErrorCode, HostSecret, PeerId, RoomId, RoomSecret, SeatSecret,
    ServerMessage, SessionSecret,
};
use visavis_server::{Config, Handle};

/// Longer than anything in these tests takes that is not waited for on purpose.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// First bytes of frames.
pub const TEXT: u8 = 0x81;
pub const PING: u8 = 0x89;
pub const CLOSE: u8 = 0x88;

pub struct Server {
    handle: Handle,
    pub address: SocketAddr,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            ..config
        };
        let handle = visavis_server::serve(config).await.unwrap();
        let address = handle.local_addr();
        Self { handle, address }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn stop(self) {
        self.handle.shutdown().await;
    }

    /// A bare TCP connection.
    pub async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes as a request and reads all that comes until the server closes.
    pub async fn request(&self, text: &str) -> String {
        let mut stream = self.tcp().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A reset after the answer is as good as an end.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub async fn get(&self, path: &str, headers: &str) -> String {
        let host = self.address;
        self.request(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"
        ))
        .await
    }

    /// A figure of `/metrics`.
    pub async fn metric(&self, name: &str) -> u64 {
        let page = self.get("/metrics", "").await;
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {page}"))
            .trim()
            .parse()
            .unwrap()
    }

    /// Waits until a figure is what it should become.
    pub async fn metric_becomes(&self, name: &str, value: u64) {
        let start = Instant::now();
        loop {
            let now = self.metric(name).await;
            if now == value {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{name} stays {now}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// An open signaling socket that has said nothing yet.
    pub async fn socket(&self) -> Socket {
        self.socket_from("127.0.0.1").await
    }

    /// The same from another address of the loopback network.
    pub async fn socket_from(&self, source: &str) -> Socket {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut socket = Socket { stream };
        let origin = format!("Origin: {}\r\n", self.origin());
        let head = socket.upgrade(self.address, &origin).await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        socket
    }

    /// A socket that has been welcomed.
    pub async fn greeted(&self) -> Socket {
        self.greeted_from("127.0.0.1").await
    }

    pub async fn greeted_from(&self, source: &str) -> Socket {
        let mut socket = self.socket_from(source).await;
        socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
        assert!(matches!(socket.hear().await, ServerMessage::Welcome { .. }));
        socket
    }

    /// A socket that sits in a room.
    pub async fn seated(&self, room: &str, n: u8) -> Socket {
        let mut socket = self.greeted().await;
        socket.say(&join(room, n)).await;
        let heard = socket.hear().await;
        assert!(matches!(heard, ServerMessage::Joined { .. }), "{heard:?}");
        socket
    }
}

pub fn join(room: &str, n: u8) -> ClientMessage {
    ClientMessage::Join {
        room: RoomId::derive(room, None),
        seat: SeatSecret::from_bytes([n; 16]),
        session: SessionSecret::from_bytes([n; 16]),
        name: format!("Person {n}"),
        claim: Claim::default(),
    }
}

/// The secret of the host of [`hosted`] rooms.
pub fn host_secret() -> HostSecret {
    HostSecret::from_bytes([0xaa; 16])
}

/// A room with a host, by one of its secrets.
pub fn hosted(n: u8, waiting_room: bool) -> RoomId {
    let host = host_secret().host_id();
    let charter = Charter { host, waiting_room };
    RoomId::derive_hosted("tea", &RoomSecret::from_bytes([n; 16]), charter)
}

pub fn as_host() -> Claim {
    Claim {
        host: Some(host_secret()),
        pass: None,
    }
}

/// A join whose seat and session carry the same number.
pub fn join_hosted(room: &RoomId, n: u8, claim: Claim) -> ClientMessage {
    ClientMessage::Join {
        room: room.clone(),
        seat: SeatSecret::from_bytes([n; 16]),
        session: SessionSecret::from_bytes([n; 16]),
        name: format!("Person {n}"),
        claim,
    }
}

pub fn peer(n: u8) -> PeerId {
    SessionSecret::from_bytes([n; 16]).peer_id()
}

pub fn relay(to: u8, n: u64, body: &str) -> ClientMessage {
    ClientMessage::Relay {
        to: peer(to),
        n,
        body: body.into(),
    }
}

/// A frame as a client writes it, or wrongly if asked.
pub fn frame(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mask = if masked { [0x21, 0x43, 0x65, 0x87] } else { [0; 4] };
    let mut bytes = vec![first];
    let flag = u8::from(masked) << 7;
    match payload.len() {
        short @ 0..=125 => bytes.push(flag | short as u8),
        middle @ 126..=0xffff => {
            bytes.push(flag | 126);
            bytes.extend((middle as u16).to_be_bytes());
        }
        long => {
            bytes.push(flag | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    if masked {
        bytes.extend(mask);
    }
    bytes.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

/// What a server wrote.
#[derive(Debug)]
pub enum Heard {
    Message(ServerMessage),
    Pong(Vec<u8>),
    Close(Option<CloseCode>),
    /// The connection ended without a close frame.
    End,
}

pub struct Socket {
    pub stream: TcpStream,
}

impl Socket {
    /// Asks for the upgrade and returns the head of the answer.
    pub async fn upgrade(&mut self, host: SocketAddr, headers: &str) -> String {
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match timeout(PATIENCE, self.stream.read_u8()).await.unwrap() {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8(head).unwrap()
    }

    /// Writes bytes; says whether the server still took them.
    pub async fn write(&mut self, bytes: &[u8]) -> bool {
        timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .unwrap()
            .is_ok()
    }

    pub async fn say_text(&mut self, text: &str) {
        self.write(&frame(TEXT, text.as_bytes(), true)).await;
    }

    pub async fn say(&mut self, message: &ClientMessage) {
        self.say_text(&message.encode()).await;
    }

    pub async fn hear_any(&mut self) -> Heard {
        timeout(PATIENCE, self.read_frame()).await.expect("nothing heard")
    }

    /// The first byte and the payload of the next frame; none at the end.
    async fn read_payload(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).await.ok()?;
        assert_eq!(head[1] & 0x80, 0, "a server does not mask");
        let length = match head[1] {
            126 => usize::from(self.stream.read_u16().await.unwrap()),
            127 => self.stream.read_u64().await.unwrap() as usize,
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some((head[0], payload))
    }

    async fn read_frame(&mut self) -> Heard {
        let Some((first, payload)) = self.read_payload().await else {
            return Heard::End;
        };
        match first {
            TEXT => Heard::Message(ServerMessage::decode(std::str::from_utf8(&payload).unwrap()).unwrap()),
            0x8a => Heard::Pong(payload),
            CLOSE => Heard::Close(match payload[..] {
                [high, low, ..] => CloseCode::from_code(u16::from_be_bytes([high, low])),
                _ => None,
            }),
            other => panic!("unexpected frame {other:#x}"),
        }
    }

    /// The next message. Anything else fails the test.
    pub async fn hear(&mut self) -> ServerMessage {
        match self.hear_any().await {
            Heard::Message(message) => message,
            other @ (Heard::Pong(_) | Heard::Close(_) | Heard::End) => panic!("no message but {other:?}"),
        }
    }

    /// The next message as it stood on the wire.
    pub async fn hear_text(&mut self) -> String {
        let read = async {
            let (first, payload) = self.read_payload().await.expect("ended");
            assert_eq!(first, TEXT);
            String::from_utf8(payload).unwrap()
        };
        timeout(PATIENCE, read).await.expect("nothing heard")
    }

    pub async fn hears_error(&mut self, expected: ErrorCode) {
        let heard = self.hear().await;
        assert!(
            matches!(heard, ServerMessage::Error { code, .. } if code == expected),
            "{heard:?}"
        );
    }

    /// Reads to the close frame, passing over messages.
    pub async fn hears_close(&mut self, expected: CloseCode) {
        loop {
            match self.hear_any().await {
                Heard::Message(_) | Heard::Pong(_) => {}
                Heard::Close(code) => return assert_eq!(code, Some(expected)),
                Heard::End => panic!("ended without a close frame"),
            }
        }
    }

    /// Proves that the connection is open and answered in order.
    pub async fn is_open(&mut self) {
        self.say(&ClientMessage::Ping {}).await;
        let heard = self.hear().await;
        assert_eq!(heard, ServerMessage::Pong {});
    }

    /// Refused by name, and still open.
    pub async fn is_refused(&mut self, text: &str, code: ErrorCode) {
        self.say_text(text).await;
        self.hears_error(code).await;
        self.is_open().await;
    }
}

/// Two people who mind their own business.
pub struct HonestPair {
    task: tokio::task::JoinHandle<(Socket, Socket, u64)>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl HonestPair {
    pub async fn meet(server: &Server) -> Self {
        let mut first = server.seated("honest", 201).await;
        let second = server.seated("honest", 202).await;
        assert!(matches!(first.hear().await, ServerMessage::PeerJoined { .. }));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(async move {
            let (mut first, mut second, mut n) = (first, second, 0);
            while !*stopped.borrow() {
                n += 1;
                exchange(&mut first, &mut second, n).await;
                sleep(Duration::from_millis(50)).await;
            }
            (first, second, n)
        });
        Self { task, stop }
    }

    /// Fails if the two were disturbed at any time, or are no longer heard.
    pub async fn was_undisturbed(self) {
        self.stop.send(true).unwrap();
        let (mut first, mut second, n) = self.task.await.unwrap();
        assert!(n > 0);
        exchange(&mut first, &mut second, n + 1).await;
    }
}

async fn exchange(first: &mut Socket, second: &mut Socket, n: u64) {
    const SOON: Duration = Duration::from_secs(2);
    first.say(&relay(202, n, "over")).await;
    second.say(&relay(201, n, "and back")).await;
    let at_second = timeout(SOON, second.hear()).await.expect("the honest pair waits");
    let at_first = timeout(SOON, first.hear()).await.expect("the honest pair waits");
    let expected = |from, body: &str| ServerMessage::Relay {
        from: peer(from),
        n,
        body: body.into(),
    };
    assert_eq!(at_second, expected(201, "over"));
    assert_eq!(at_first, expected(202, "and back"));
}

/// Runs an attack against a server that an honest pair uses all the while.
pub async fn besieged(attack: impl AsyncFnOnce(&Server)) {
    besieged_with(Config::default(), attack).await;
}

pub async fn besieged_with(config: Config, attack: impl AsyncFnOnce(&Server)) {
    let server = Server::with(config).await;
    let pair = HonestPair::meet(&server).await;
    attack(&server).await;
    pair.was_undisturbed().await;
    assert!(server.get("/healthz", "").await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}
