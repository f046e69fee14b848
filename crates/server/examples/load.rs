//! A rough measurement of one server process: memory of idle sockets, packets and joins for each
//! second of its CPU time.
//!
//! `cargo run --release -p visavis-server --example load -- target/release/visavis-server`
//!
//! Given `--bare ADDRESS PID` instead, it measures packets through any server that hands what
//! connection 2n says to connection 2n+1 and back, for comparison.
#![allow(clippy::unwrap_used, reason = "a failure here is a failed measurement")]
#![allow(clippy::print_stdout, reason = "the figures are its purpose")]

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use visavis_protocol::{ClientMessage, RoomId, SeatSecret, SessionSecret};

/// Limits that one machine's load would meet.
const LIMITS: &[&str] = &[
    "messages_per_second=0",
    "bytes_per_second=0",
    "joins_per_second=0",
    "rooms_per_minute=0",
    "accepts_per_second=0",
    "connections_per_address=100000",
    "strangers_per_address=100000",
];

fn frame(text: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x81];
    match text.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        middle => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(middle).unwrap().to_be_bytes());
        }
    }
    // Not zeros: some servers look, and save themselves the work.
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    bytes.extend(mask);
    bytes.extend(
        text.iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

struct Socket {
    stream: TcpStream,
    read: Vec<u8>,
    filled: usize,
}

impl Socket {
    async fn open(address: SocketAddr, n: usize) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        let source = Ipv4Addr::new(127, 0, 1, u8::try_from(n % 200 + 1).unwrap());
        socket.bind(SocketAddr::from((source, 0))).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(
            head.starts_with(b"HTTP/1.1 101"),
            "{}",
            String::from_utf8_lossy(&head)
        );
        Self {
            stream,
            read: Vec::new(),
            filled: 0,
        }
    }

    async fn say(&mut self, message: &ClientMessage) {
        self.stream
            .write_all(&frame(message.encode().as_bytes()))
            .await
            .unwrap();
    }

    /// Reads at least one frame; returns how many came.
    async fn hear(&mut self) -> u64 {
        self.read.resize(256 * 1024, 0);
        loop {
            let got = self.stream.read(&mut self.read[self.filled..]).await.unwrap();
            assert_ne!(got, 0, "closed by the server");
            self.filled += got;
            let (mut at, mut frames) = (0, 0);
            while let Some(length) = frame_len(&self.read[at..self.filled]) {
                at += length;
                frames += 1;
            }
            self.read.copy_within(at..self.filled, 0);
            self.filled -= at;
            if frames > 0 {
                return frames;
            }
        }
    }
}

fn frame_len(bytes: &[u8]) -> Option<usize> {
    let length = match *bytes.get(1)? {
        126 => 4 + usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
        127 => panic!("no such long frame is expected"),
        short => 2 + usize::from(short),
    };
    (bytes.len() >= length).then_some(length)
}

fn secret(n: usize) -> [u8; 16] {
    (n as u128 + 1).to_be_bytes()
}

fn join(room: usize, n: usize) -> ClientMessage {
    ClientMessage::Join {
        room: RoomId::derive(&format!("room {room}"), None),
        seat: SeatSecret::from_bytes(secret(n)),
        session: SessionSecret::from_bytes(secret(n)),
        name: "Load".into(),
        claim: visavis_protocol::Claim::default(),
    }
}

fn rss_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

async fn idle(address: SocketAddr, pid: u32, number: usize) {
    let before = rss_kib(pid);
    let mut sockets = Vec::new();
    for n in 0..number {
        let mut socket = Socket::open(address, n).await;
        socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
        socket.hear().await;
        socket.read = Vec::new();
        sockets.push(socket);
    }
    let after = rss_kib(pid);
    println!(
        "idle: {before} KiB with none, {after} KiB with {number}: {} bytes each",
        (after - before) * 1024 / number as u64
    );
}

async fn packets(address: SocketAddr, pid: u32, pairs: usize, window: usize, bytes: usize, bare: bool) {
    let received = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for pair in 0..pairs {
        let mut sides = Vec::new();
        for side in 0..2 {
            let n = 2 * pair + side;
            let mut socket = Socket::open(address, n).await;
            if !bare {
                socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
                socket.hear().await;
                socket.say(&join(pair, n)).await;
                socket.hear().await;
            }
            sides.push(socket);
        }
        if !bare {
            sides[0].hear().await;
        }
        for (side, mut socket) in sides.into_iter().enumerate() {
            let to = SessionSecret::from_bytes(secret(2 * pair + 1 - side)).peer_id();
            let empty = ClientMessage::Relay {
                to,
                n: 1,
                body: String::new(),
            }
            .encode()
            .len();
            // As in a call: a session description, with its many escaped line ends.
            let line = "a=rtpmap:111 opus/48000/2\\r\\n";
            let body: String = line
                .chars()
                .cycle()
                .take((bytes - empty).saturating_sub(bytes / 14))
                .collect();
            let packet = ClientMessage::Relay { to, n: 1, body };
            let packet = frame(packet.encode().as_bytes());
            let (received, stop) = (Arc::clone(&received), Arc::clone(&stop));
            tasks.push(tokio::spawn(async move {
                socket.stream.write_all(&packet.repeat(window)).await.unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let frames = socket.hear().await;
                    received.fetch_add(frames, Ordering::Relaxed);
                    let more = packet.repeat(usize::try_from(frames).unwrap());
                    socket.stream.write_all(&more).await.unwrap();
                }
            }));
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (start, cpu_before, before) = (Instant::now(), cpu(pid), received.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs(4)).await;
    let messages = received.load(Ordering::Relaxed) - before;
    let used = (cpu(pid) - cpu_before).as_secs_f64();
    println!(
        "packets: {bytes} B, {pairs} pairs, {window} in flight: {:.0}/s at {:.0} % CPU: {:.0} for each second of CPU",
        messages as f64 / start.elapsed().as_secs_f64(),
        100.0 * used / start.elapsed().as_secs_f64(),
        messages as f64 / used
    );
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.abort();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
}

async fn joins(address: SocketAddr, pid: u32, rounds: usize) {
    let before = cpu(pid);
    for n in 0..rounds {
        let mut socket = Socket::open(address, n).await;
        socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
        socket.hear().await;
        socket.say(&join(n / 2, 1_000_000 + n)).await;
        socket.hear().await;
        socket.say(&ClientMessage::Leave {}).await;
        socket.hear().await;
    }
    let used = cpu(pid) - before;
    println!(
        "joins: {:.0} us of CPU each, connection and leave included",
        used.as_secs_f64() * 1e6 / rounds as f64
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, address, pid] = &arguments[..]
        && flag == "--bare"
    {
        let (address, pid) = (address.parse().unwrap(), pid.parse().unwrap());
        println!("bare: {} KiB", rss_kib(pid));
        for (window, bytes) in [(1, 300), (16, 300), (1, 6000), (16, 6000)] {
            packets(address, pid, 50, window, bytes, true).await;
        }
        return;
    }
    let binary = arguments
        .first()
        .map_or("target/release/visavis-server", String::as_str);
    let mut command = tokio::process::Command::new(binary);
    command.args(["--listen", "127.0.0.1:0", "--log", "warn"]);
    command.args(arguments.iter().skip(1));
    for limit in LIMITS {
        command.args(["--limit", limit]);
    }
    let mut server = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let pid = server.id().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    output.read_line(&mut line).await.unwrap();
    let address = line.trim().rsplit('/').next().unwrap().parse().unwrap();
    idle(address, pid, 10_000).await;
    for (window, bytes) in [(1, 300), (16, 300), (1, 6000), (16, 6000)] {
        packets(address, pid, 50, window, bytes, false).await;
    }
    joins(address, pid, 20_000).await;
}
