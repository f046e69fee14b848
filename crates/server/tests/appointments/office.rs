//! The program with a data folder of its own, and pages that speak to it of appointments.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use visavis_protocol::appointment::{DeskRequest, Facts, VisitRequest};
use visavis_protocol::{AppointmentId, ClientMessage, ErrorCode, ServerMessage};

use crate::support::{PATIENCE, Socket};

/// A folder that is gone with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("visavis-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server as a process.
pub struct Program {
    pub child: Child,
    pub address: SocketAddr,
    log: PathBuf,
}

impl Program {
    /// Starts it on a data folder and, but for the first time, on the port that it had.
    pub async fn start(folder: &Path, port: u16, more: &[&str]) -> Self {
        let log = folder.with_extension("log");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let assets = folder.join("assets");
        std::fs::create_dir_all(&assets).unwrap();
        std::fs::write(assets.join("index.html"), "<!doctype html><title>Visavis</title>").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_visavis-server"))
            .args(["--listen", &format!("127.0.0.1:{port}"), "--log", "trace"])
            .args([
                "--limit",
                "accepts_burst=100000",
                "--limit",
                "accepts_per_second=10000",
            ])
            .arg("--data-dir")
            .arg(folder)
            .arg("--assets")
            .arg(&assets)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        timeout(PATIENCE, output.read_line(&mut line))
            .await
            .unwrap()
            .unwrap();
        let (_, address) = line
            .trim()
            .split_once("http://")
            .unwrap_or_else(|| panic!("{line}"));
        let address = address.replace("localhost", "127.0.0.1").parse().unwrap();
        Self { child, address, log }
    }

    /// SIGKILL, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// All that was logged.
    pub fn log(&self) -> String {
        let mut text = String::new();
        std::fs::File::open(&self.log)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    /// A socket that was welcomed; none where the server is away.
    pub async fn try_greeted(address: SocketAddr) -> Option<Socket> {
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let mut socket = Socket { stream };
        let head = socket
            .upgrade(address, &format!("Origin: http://{address}\r\n"))
            .await;
        if !head.starts_with("HTTP/1.1 101") {
            return None;
        }
        socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
        let heard = socket.try_hear().await?;
        matches!(heard, ServerMessage::Welcome { .. }).then_some(socket)
    }

    pub async fn greeted(&self) -> Socket {
        Self::try_greeted(self.address).await.expect("a socket")
    }
}

/// What an operator's command prints.
pub async fn operate(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_visavis-server"))
        .arg(arguments[0])
        .arg("--data-dir")
        .arg(folder)
        .args(&arguments[1..])
        .output()
        .await
        .unwrap()
}

/// The token of a desk's link, made by the command.
pub async fn desk_token(folder: &Path, more: &[&str]) -> String {
    let arguments: Vec<&str> = ["desk-link", "--name", "Dr. Ada"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let output = operate(folder, &arguments).await;
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let (_, token) = printed
        .trim()
        .split_once("/desk#")
        .unwrap_or_else(|| panic!("{printed}"));
    token.to_owned()
}

pub fn id(n: u32) -> AppointmentId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&n.to_le_bytes());
    AppointmentId::from_bytes(bytes)
}

pub fn now_ms() -> u64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// An appointment that is on by now.
pub fn facts(client: &str) -> Facts {
    Facts {
        client: client.into(),
        note: String::new(),
        starts: now_ms() + 60_000,
        minutes: 30,
        zone: "UTC".into(),
    }
}

pub async fn desk(socket: &mut Socket, request: DeskRequest) {
    socket.say(&ClientMessage::Desk(request)).await;
}

pub async fn visit(socket: &mut Socket, request: VisitRequest) {
    socket.say(&ClientMessage::Visit(request)).await;
}

/// The next error.
pub async fn refused(socket: &mut Socket) -> ErrorCode {
    match socket.hear().await {
        ServerMessage::Error { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

/// Waits until a file says something, for a program that writes when it likes.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let begun = tokio::time::Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "it never holds");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
