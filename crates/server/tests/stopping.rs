//! The end of the program, whoever stands in its way.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

mod support;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use support::{PATIENCE, Socket, join, relay};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};
use visavis_protocol::{ClientMessage, limits};

/// More than the kernel takes off the server's hands.
const LARGE_BYTES: usize = 24 * 1024 * 1024;
/// As much again, in packets.
const PACKETS: u64 = 400;
const PACKET_BYTES: usize = 60_000;

/// A folder with a page and a large file, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("visavis-stopping-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("index.html"), "<!doctype html><title>Visavis</title>").unwrap();
        std::fs::write(path.join("large.wasm"), vec![0; LARGE_BYTES]).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn program(folder: &Folder, more: &[&str]) -> (Child, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_visavis-server"))
        .args(["--listen", "127.0.0.1:0", "--log", "error", "--assets"])
        .arg(&folder.0)
        .args(more)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    timeout(PATIENCE, output.read_line(&mut line))
        .await
        .unwrap()
        .unwrap();
    let (_, address) = line.trim().split_once("http://").unwrap();
    (child, address.parse().unwrap())
}

/// A connection whose end takes in next to nothing.
async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(address).await.unwrap()
}

async fn seated(address: SocketAddr, n: u8) -> Socket {
    let mut socket = Socket {
        stream: narrow(address).await,
    };
    let head = socket
        .upgrade(address, &format!("Origin: http://{address}\r\n"))
        .await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
    socket.hear().await;
    socket.say(&join("tea", n)).await;
    socket.hear().await;
    socket
}

/// Asks for a page and reads all of it.
async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut page))
        .await
        .unwrap()
        .unwrap();
    page
}

#[tokio::test]
async fn neither_sockets_nor_downloads_that_are_never_read_hold_it_up() {
    let folder = Folder::new();
    for threads in ["1", "2"] {
        let limits = [
            "--limit=bytes_per_second=0",
            "--limit=messages_per_second=0",
            "--limit=queue_bytes=100000000",
            "--limit=queue_messages=100000",
        ];
        let (mut child, address) = program(&folder, &[&limits[..], &["--threads", threads]].concat()).await;
        let mut download = narrow(address).await;
        let request = format!("GET /large.wasm HTTP/1.1\r\nHost: {address}\r\n\r\n");
        download.write_all(request.as_bytes()).await.unwrap();
        // Somebody who gets more than they ever read, and somebody who has read all but answers no close.
        let _stuck = seated(address, 1).await;
        let mut talker = seated(address, 2).await;
        let body = "x".repeat(PACKET_BYTES);
        for n in 1..=PACKETS {
            talker.say(&relay(1, n, &body)).await;
        }
        let start = Instant::now();
        let all = format!("visavis_relayed_messages_total {PACKETS}\n");
        while !get(address, "/metrics").await.contains(&all) {
            assert!(start.elapsed() < PATIENCE, "packets are missing");
        }
        let pid = child.id().unwrap().to_string();
        let asked = Instant::now();
        let status = Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        assert!(status.success());
        let ended = timeout(limits::DRAIN_WITHIN + Duration::from_secs(5), child.wait()).await;
        let took = asked.elapsed();
        assert!(ended.expect("it never ends").unwrap().success());
        assert!(took <= limits::DRAIN_WITHIN, "{threads} threads: {took:?}");
        // It was stuck indeed: what was not taken in is lost.
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, download.read_to_end(&mut rest)).await.unwrap();
        assert!(rest.len() < LARGE_BYTES, "the download was read");
    }
}
