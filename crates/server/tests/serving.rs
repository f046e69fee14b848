//! The server as honest browsers and operators meet it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

#[path = "support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use support::{CLOSE, Heard, PATIENCE, Server, frame, join, peer, relay};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use visavis_protocol::{ClientMessage, CloseCode, ErrorCode, LeaveReason, RoomId, ServerMessage, limits};
use visavis_server::Config;
use visavis_server::assets::precompress;
use visavis_server::config::MetricsAccess;

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("visavis-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("snippets")).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn client(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write(
        "index.html",
        "<!doctype html><html><head><script type=module>import init from '/app-0123456789abcdef.js';init()</script>\
         </head><body>Visavis</body></html>",
    );
    folder.write(
        "app-0123456789abcdef.js",
        &"export default () => {};\n".repeat(100),
    );
    folder.write("app-0123456789abcdef_bg.wasm", &"\0asm".repeat(200));
    folder.write("favicon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
    precompress(folder.path()).unwrap();
    folder
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(named, _)| named.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[tokio::test]
async fn a_library_of_others_speaks_with_it() {
    let server = Server::start().await;
    let mut request = format!("ws://{}/ws", server.address)
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("origin", server.origin().parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let hello = ClientMessage::Hello { versions: vec![1] };
    socket.send(Message::text(hello.encode())).await.unwrap();
    let welcome = socket.next().await.unwrap().unwrap();
    let welcome = ServerMessage::decode(welcome.to_text().unwrap()).unwrap();
    assert!(matches!(welcome, ServerMessage::Welcome { version: 1, .. }));
    socket.send(Message::text(join("tea", 1).encode())).await.unwrap();
    assert!(
        socket
            .next()
            .await
            .unwrap()
            .unwrap()
            .to_text()
            .unwrap()
            .starts_with("{\"joined\":")
    );
    socket.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("x".into()));
    let mut other = server.seated("tea", 2).await;
    assert!(
        socket
            .next()
            .await
            .unwrap()
            .unwrap()
            .to_text()
            .unwrap()
            .starts_with("{\"peer_joined\":")
    );
    let body = "x".repeat(60_000);
    other.say(&relay(1, 1, &body)).await;
    let packet = socket.next().await.unwrap().unwrap();
    let expected = ServerMessage::Relay {
        from: peer(2),
        n: 1,
        body,
    };
    assert_eq!(ServerMessage::decode(packet.to_text().unwrap()), Ok(expected));
    socket.close(None).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    server.metric_becomes("visavis_sockets", 1).await;
    server.stop().await;
}

#[tokio::test]
async fn a_socket_that_drops_can_resume_elsewhere() {
    let server = Server::start().await;
    let mut first = server.seated("tea", 1).await;
    let second = server.seated("tea", 2).await;
    assert!(matches!(first.hear().await, ServerMessage::PeerJoined { .. }));
    drop(second);
    assert!(matches!(
        first.hear().await,
        ServerMessage::PeerAway { away: true, .. }
    ));
    let mut again = server.socket().await;
    again.say(&ClientMessage::Hello { versions: vec![1] }).await;
    let ServerMessage::Welcome { epoch, .. } = again.hear().await else {
        panic!("not welcomed");
    };
    let resume = ClientMessage::Resume {
        epoch,
        room: RoomId::derive("tea", None),
        session: visavis_protocol::SessionSecret::from_bytes([2; 16]),
        claim: visavis_protocol::Claim::default(),
    };
    again.say(&resume).await;
    assert!(matches!(again.hear().await, ServerMessage::Joined { you, .. } if you == peer(2)));
    assert!(matches!(
        first.hear().await,
        ServerMessage::PeerAway { away: false, .. }
    ));
    let mut third = server.greeted().await;
    third.say(&resume).await;
    assert!(matches!(third.hear().await, ServerMessage::Joined { .. }));
    again.hears_close(CloseCode::Superseded).await;
    drop(again);
    first.say(&relay(2, 1, "still there")).await;
    assert!(matches!(third.hear().await, ServerMessage::Relay { .. }));
    server.stop().await;
}

#[tokio::test]
async fn a_page_that_goes_away_has_left() {
    let server = Server::start().await;
    let mut first = server.seated("tea", 1).await;
    let mut second = server.seated("tea", 2).await;
    assert!(matches!(first.hear().await, ServerMessage::PeerJoined { .. }));
    second.write(&frame(CLOSE, &1001_u16.to_be_bytes(), true)).await;
    assert!(matches!(
        first.hear().await,
        ServerMessage::PeerLeft {
            reason: LeaveReason::Left,
            ..
        }
    ));
    server.stop().await;
}

#[tokio::test]
async fn a_restart_asks_everybody_to_come_back_at_another_moment() {
    let server = Server::start().await;
    let mut sockets = Vec::new();
    for n in 0..20 {
        sockets.push(server.seated("tea", n).await);
        if n == 7 {
            break;
        }
    }
    let idle = server.tcp().await;
    let stop = tokio::spawn(server.stop());
    let start = Instant::now();
    let mut times = Vec::new();
    for socket in &mut sockets {
        loop {
            match socket.hear_any().await {
                Heard::Message(ServerMessage::GoingAway { retry_after_ms }) => times.push(retry_after_ms),
                Heard::Message(_) => {}
                Heard::Close(code) => break assert_eq!(code, Some(CloseCode::Restart)),
                other @ (Heard::Pong(_) | Heard::End) => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(times.len(), 8);
    assert!(times.iter().all(|time| *time < 5000));
    times.dedup();
    assert!(times.len() > 4, "all at once: {times:?}");
    drop(sockets);
    timeout(limits::DRAIN_WITHIN, stop).await.unwrap().unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "an idle connection held it up"
    );
    drop(idle);
}

#[tokio::test]
async fn ice_servers_come_with_the_welcome_and_the_seat() {
    let mut config = Config::default();
    config.hub.ice = vec![visavis_server::config::ice_server("stun:stun.example:3478").unwrap()];
    let server = Server::with(config).await;
    let mut socket = server.socket().await;
    socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
    let ServerMessage::Welcome { ice, .. } = socket.hear().await else {
        panic!("not welcomed");
    };
    assert_eq!(ice[0].urls, ["stun:stun.example:3478"]);
    socket.say(&join("tea", 1)).await;
    assert!(matches!(socket.hear().await, ServerMessage::Joined { ice, .. } if ice.len() == 1));
    server.stop().await;
}

#[tokio::test]
async fn the_client_is_served_compressed_and_hashed_files_for_ever() {
    let folder = client("served");
    let config = Config {
        assets: Some(folder.path().into()),
        ..Config::default()
    };
    let server = Server::with(config).await;
    let script = "/app-0123456789abcdef.js";
    for (accepted, coding) in [("gzip, br", Some("br")), ("gzip", Some("gzip")), ("", None)] {
        let answer = server
            .get(script, &format!("Accept-Encoding: {accepted}\r\n"))
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(header(&answer, "content-encoding"), coding);
        assert_eq!(header(&answer, "vary"), Some("accept-encoding"));
        assert_eq!(
            header(&answer, "content-type"),
            Some("text/javascript; charset=utf-8")
        );
        assert_eq!(
            header(&answer, "cache-control"),
            Some("public, max-age=31536000, immutable")
        );
    }
    let wasm = server.get("/app-0123456789abcdef_bg.wasm", "").await;
    assert_eq!(header(&wasm, "content-type"), Some("application/wasm"));
    assert!(header(&wasm, "cache-control").unwrap().contains("immutable"));
    let icon = server.get("/favicon.svg", "").await;
    assert_eq!(header(&icon, "cache-control"), Some("no-cache"));
    assert!(server.get("/missing.js", "").await.starts_with("HTTP/1.1 404"));
    assert!(
        server
            .get("/app-0123456789abcdef.js.br", "")
            .await
            .starts_with("HTTP/1.1 404")
    );
    server.stop().await;
}

#[tokio::test]
async fn the_page_answers_every_place_of_the_app_and_is_never_kept() {
    let folder = client("page");
    let config = Config {
        assets: Some(folder.path().into()),
        ..Config::default()
    };
    let server = Server::with(config).await;
    for path in ["/", "/index.html", "/room/tea", "/room/v1.2", "/contacts"] {
        let answer = server.get(path, "").await;
        assert!(answer.contains("<body>Visavis</body>"), "{path}: {answer}");
        assert_eq!(header(&answer, "cache-control"), Some("no-cache"));
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(
            policy.contains("script-src 'self' 'wasm-unsafe-eval' 'sha256-"),
            "{policy}"
        );
        assert!(
            policy.contains(&format!("connect-src 'self' ws://{};", server.address)),
            "{policy}"
        );
        for name in [
            "permissions-policy",
            "x-content-type-options",
            "referrer-policy",
            "x-frame-options",
        ] {
            assert!(header(&answer, name).is_some(), "{name} is missing");
        }
    }
    let page = server.get("/", "").await;
    let tag = header(&page, "etag").unwrap().to_owned();
    let again = server.get("/", &format!("If-None-Match: {tag}\r\n")).await;
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
    assert!(header(&again, "content-security-policy").is_some());
    let head = server
        .request(&format!(
            "HEAD / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            server.address
        ))
        .await;
    assert!(
        head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    assert_eq!(header(&head, "content-length"), header(&page, "content-length"));
    let post = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        server.address
    );
    assert!(server.request(&post).await.starts_with("HTTP/1.1 405"));
    // Built anew while the server runs, as in development.
    folder.write("index.html", "<!doctype html><body>Anew</body>");
    let later = std::time::SystemTime::now() + Duration::from_secs(5);
    let page = std::fs::File::options()
        .write(true)
        .open(folder.path().join("index.html"))
        .unwrap();
    page.set_modified(later).unwrap();
    assert!(server.get("/room/tea", "").await.contains("Anew"));
    server.stop().await;
}

#[tokio::test]
async fn a_public_origin_and_a_trusted_proxy_are_as_the_operator_says() {
    let config = Config {
        public_origins: vec!["https://meet.example".parse().unwrap()],
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..Config::default()
    };
    let server = Server::with(config).await;
    for (origin, status) in [("https://meet.example", "101"), (server.origin().as_str(), "403")] {
        let mut socket = support::Socket {
            stream: server.tcp().await,
        };
        let headers = format!("Origin: {origin}\r\nX-Forwarded-For: 198.51.100.7\r\n");
        let head = socket.upgrade(server.address, &headers).await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{origin}: {head}"
        );
    }
    let page = server.get("/", "").await;
    assert!(
        header(&page, "content-security-policy")
            .unwrap()
            .contains("wss://meet.example")
    );
    // Behind a proxy, a stranger's request for the figures is a stranger's.
    assert!(
        server
            .get("/metrics", "X-Forwarded-For: 198.51.100.7\r\n")
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(server.get("/metrics", "").await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

#[tokio::test]
async fn one_address_has_only_so_many_sockets() {
    let mut config = Config::default();
    config.limits.connections_per_address = 3;
    config.limits.strangers_per_address = 2;
    let server = Server::with(config).await;
    let first = server.socket_from("127.0.0.2").await;
    let _second = server.socket_from("127.0.0.2").await;
    let try_again = async || {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut socket = support::Socket {
            stream: socket.connect(server.address).await.unwrap(),
        };
        socket
            .upgrade(server.address, &format!("Origin: {}\r\n", server.origin()))
            .await
    };
    assert!(try_again().await.starts_with("HTTP/1.1 429"));
    drop(first);
    let start = Instant::now();
    while !try_again().await.starts_with("HTTP/1.1 101") {
        assert!(start.elapsed() < PATIENCE, "the place is never given back");
    }
    server.greeted_from("127.0.0.3").await.is_open().await;
    server.stop().await;
}

#[tokio::test]
async fn the_figures_are_shown_to_whom_they_should() {
    let server = Server::start().await;
    let mut socket = server.seated("tea", 1).await;
    socket.say(&relay(9, 1, "x")).await;
    socket.hears_error(ErrorCode::UnknownPeer).await;
    assert_eq!(server.metric("visavis_rooms").await, 1);
    assert_eq!(server.metric("visavis_seats").await, 1);
    assert_eq!(server.metric("visavis_joins_total").await, 1);
    assert_eq!(
        server.metric("visavis_errors_total{code=\"unknown_peer\"}").await,
        1
    );
    socket.say(&ClientMessage::Leave {}).await;
    assert_eq!(socket.hear().await, ServerMessage::Left {});
    server.metric_becomes("visavis_rooms", 0).await;
    server.stop().await;
    let config = Config {
        metrics: MetricsAccess::Off,
        ..Config::default()
    };
    let server = Server::with(config).await;
    assert!(server.get("/metrics", "").await.starts_with("HTTP/1.1 404"));
    server.stop().await;
}

/// Starts the program itself and reads the line with its address.
async fn program(arguments: &[&str]) -> (tokio::process::Child, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_visavis-server"));
    command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let output = child.stdout.as_mut().unwrap();
    timeout(PATIENCE, BufReader::new(output).read_line(&mut line))
        .await
        .unwrap()
        .unwrap();
    (child, line)
}

#[cfg(unix)]
#[tokio::test]
async fn the_program_says_where_it_is_and_stops_when_told() {
    let folder = Folder::new("data");
    let data = folder.path().join("made");
    let (mut child, line) = program(&["--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()]).await;
    let port = line
        .trim()
        .strip_prefix("Visavis is ready at http://127.0.0.1:")
        .unwrap();
    assert_ne!(port.parse::<u16>().unwrap(), 0);
    let mode = |path: &Path| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("visavis.sqlite3")), 0o600);
    let pid = child.id().unwrap().to_string();
    let killed = tokio::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    assert!(killed.success());
    let status = timeout(limits::DRAIN_WITHIN, child.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success(), "{status}");
    let mut rest = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut rest)
        .await
        .unwrap();
    assert_eq!(rest, "", "more than one line");
}

#[tokio::test]
async fn the_program_refuses_nonsense_in_one_plain_line() {
    let (mut child, line) = program(&["--listen", "nowhere"]).await;
    assert_eq!(line, "");
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(64));
    let mut complaint = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaint)
        .await
        .unwrap();
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.contains("nowhere"), "{complaint}");
}
