//! TLS at the server's own door, as browsers and operators meet it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

mod support;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use support::{PATIENCE, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use visavis_protocol::{ClientMessage, ServerMessage};
use visavis_server::Config;
use visavis_server::config::{TlsFiles, TlsSetting};

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("visavis-tls-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a pair for `localhost`; its certificate.
    fn pair(&self) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let files = self.files();
        std::fs::write(files.certificate, certificate.pem()).unwrap();
        std::fs::write(files.key, key.serialize_pem()).unwrap();
        certificate.der().clone()
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.0.join("cert.pem"),
            key: self.0.join("key.pem"),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server with a local authority in `folder`, and that authority.
async fn local(folder: &Folder) -> (Server, CertificateDer<'static>) {
    local_with(folder, Config::default()).await
}

async fn local_with(folder: &Folder, config: Config) -> (Server, CertificateDer<'static>) {
    let config = Config {
        tls: TlsSetting::Local,
        data_dir: Some(folder.path().into()),
        ..config
    };
    let server = Server::with(config).await;
    (server, authority(folder))
}

fn authority(folder: &Folder) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(folder.path().join("tls/authority.crt")).unwrap()
}

fn trusting(root: &CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

async fn try_secure(
    address: SocketAddr,
    root: &CertificateDer<'static>,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    timeout(PATIENCE, trusting(root).connect(name, stream))
        .await
        .unwrap()
}

async fn secure(server: &Server, root: &CertificateDer<'static>, name: &str) -> TlsStream<TcpStream> {
    try_secure(server.address, root, name).await.unwrap()
}

/// Asks over TLS and reads all of the answer.
async fn get(server: &Server, root: &CertificateDer<'static>, path: &str) -> String {
    let mut stream = secure(server, root, "localhost").await;
    let port = server.address.port();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(named, _)| named.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[tokio::test]
async fn the_page_health_and_figures_come_over_tls_to_who_trusts_the_authority() {
    let folder = Folder::new("page");
    let (server, root) = local(&folder).await;
    let page = get(&server, &root, "/").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let policy = header(&page, "content-security-policy").unwrap();
    let socket = format!("connect-src 'self' wss://localhost:{};", server.address.port());
    assert!(policy.contains(&socket), "{policy}");
    assert_eq!(header(&page, "strict-transport-security"), None);
    assert!(get(&server, &root, "/healthz").await.ends_with("ok\n"));
    assert!(
        get(&server, &root, "/metrics")
            .await
            .contains("visavis_open_connections")
    );
    let spoken = secure(&server, &root, "127.0.0.1").await;
    assert_eq!(spoken.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let stranger = Folder::new("stranger").pair();
    assert!(try_secure(server.address, &stranger, "localhost").await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn sockets_are_for_the_https_origins_of_the_certificate_s_names() {
    let folder = Folder::new("origins");
    let (server, root) = local(&folder).await;
    let port = server.address.port();
    for (host, origin, status) in [
        ("localhost", format!("https://localhost:{port}"), 101),
        ("127.0.0.1", format!("https://127.0.0.1:{port}"), 101),
        ("localhost", format!("http://localhost:{port}"), 403),
        ("localhost", format!("https://127.0.0.1:{port}"), 403),
        ("localhost", "https://localhost".to_owned(), 403),
        ("rebound.example", format!("https://rebound.example:{port}"), 403),
    ] {
        let mut stream = secure(&server, &root, "localhost").await;
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.unwrap();
        assert!(line.contains(&format!(" {status} ")), "{host}, {origin}: {line}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_socket_speaks_over_tls_also_to_somebody_who_reads_late() {
    /// More in all than the kernel takes off the server's hands.
    const PACKETS: u64 = 250;
    let folder = Folder::new("wss");
    let mut config = Config::default();
    config.hub.limits.messages_per_second = 0;
    config.hub.limits.bytes_per_second = 0;
    config.limits.queue_messages = 1000;
    config.limits.queue_bytes = 100_000_000;
    let (server, root) = local_with(&folder, config).await;
    let address = format!("localhost:{}", server.address.port());
    let mut sockets = Vec::new();
    for n in 1..=2 {
        let mut request = format!("wss://{address}/ws").into_client_request().unwrap();
        let origin = format!("https://{address}").parse().unwrap();
        request.headers_mut().insert("origin", origin);
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        if n == 1 {
            socket.set_recv_buffer_size(4096).unwrap();
        }
        let stream = socket.connect(server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = trusting(&root).connect(name, stream).await.unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        let hello = ClientMessage::Hello { versions: vec![1] };
        socket.send(Message::text(hello.encode())).await.unwrap();
        let welcome = socket.next().await.unwrap().unwrap();
        let welcome = ServerMessage::decode(welcome.to_text().unwrap()).unwrap();
        assert!(matches!(welcome, ServerMessage::Welcome { .. }));
        let join = support::join("tea", n).encode();
        socket.send(Message::text(join)).await.unwrap();
        sockets.push(socket);
    }
    let mut hears = async |at: usize, wanted: &str| loop {
        let message = timeout(PATIENCE, sockets[at].next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        if message.to_text().unwrap().starts_with(wanted) {
            return message;
        }
    };
    hears(1, "{\"joined\":").await;
    hears(0, "{\"peer_joined\":").await;
    let body = "x".repeat(60_000);
    for n in 1..=PACKETS {
        let packet = support::relay(1, n, &body).encode();
        sockets[1].send(Message::text(packet)).await.unwrap();
    }
    // All have been handed over; whatever TLS kept back for want of room must come without another word.
    server_relayed(&server, &root, PACKETS).await;
    let mut heard = 0;
    while heard < PACKETS {
        let message = timeout(PATIENCE, sockets[0].next()).await;
        let message = message.unwrap_or_else(|_| panic!("{heard} packets and no more"));
        heard += u64::from(message.unwrap().unwrap().to_text().unwrap().len() > 60_000);
    }
    let mut first = sockets.remove(0);
    first.close(None).await.unwrap();
    assert!(matches!(first.next().await, Some(Ok(Message::Close(_)))));
    drop((first, sockets));
    server.stop().await;
}

async fn server_relayed(server: &Server, root: &CertificateDer<'static>, packets: u64) {
    let all = format!("visavis_relayed_messages_total {packets}\n");
    let begun = Instant::now();
    while !get(server, root, "/metrics").await.contains(&all) {
        assert!(begun.elapsed() < PATIENCE, "packets are missing");
    }
}

/// What plain HTTP is answered on the port that encrypts.
async fn plainly(server: &Server, path: &str, host: &str) -> String {
    server
        .request(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ))
        .await
}

#[tokio::test]
async fn plain_http_leads_to_https_but_never_with_a_secret() {
    let folder = Folder::new("plain");
    let (server, _) = local(&folder).await;
    let host = format!("localhost:{}", server.address.port());
    for (path, location) in [
        ("/", "/#"),
        ("/?a=b&c", "/?a=b&c#"),
        ("/app-0123.js", "/app-0123.js#"),
        ("//elsewhere.example/x.js", "//elsewhere.example/x.js#"),
        ("/metrics.txt?x", "/metrics.txt?x#"),
    ] {
        let answer = plainly(&server, path, &host).await;
        assert!(answer.starts_with("HTTP/1.1 308"), "{path}: {answer}");
        let expected = format!("https://{host}{location}");
        assert_eq!(header(&answer, "location"), Some(expected.as_str()));
        assert_eq!(header(&answer, "strict-transport-security"), None);
    }
    for path in [
        "/room/tea",
        "/room/v1.2",
        "/room/tea?x=1",
        "/desk",
        "/join",
        "/call/ada",
        "/contacts",
        "/%72oom/tea",
        "/ws",
    ] {
        let answer = plainly(&server, path, &host).await;
        assert!(answer.starts_with("HTTP/1.1 426"), "{path}: {answer}");
        assert_eq!(header(&answer, "location"), None, "{path}");
        assert!(
            answer.contains(&format!("href=\"https://{host}/\"")),
            "{path}: {answer}"
        );
        assert!(!answer.contains("<script"), "{answer}");
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
    }
    for stranger in ["elsewhere.example", "localhost.elsewhere.example", "", "a b"] {
        let answer = plainly(&server, "/", stranger).await;
        assert!(!answer.starts_with("HTTP/1.1 3"), "{stranger}: {answer}");
        assert_eq!(header(&answer, "location"), None, "{stranger}");
    }
    let post = format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert!(server.request(&post).await.starts_with("HTTP/1.1 403"));
    assert!(plainly(&server, "/healthz", &host).await.ends_with("ok\n"));
    server.stop().await;
}

#[tokio::test]
async fn an_operator_s_public_origin_is_where_plain_http_leads() {
    let folder = Folder::new("public");
    folder.pair();
    let config = Config {
        tls: TlsSetting::Files(folder.files()),
        public_origins: vec!["https://meet.example".parse().unwrap()],
        ..Config::default()
    };
    let server = Server::with(config).await;
    let answer = plainly(&server, "/x.js", "meet.example").await;
    assert_eq!(header(&answer, "location"), Some("https://meet.example/x.js#"));
    // It is in the certificate, and not what the operator said.
    assert!(
        plainly(&server, "/", "localhost")
            .await
            .starts_with("HTTP/1.1 421")
    );
    // The app's own page, for there is nothing to trust.
    assert!(
        plainly(&server, "/trust", "meet.example")
            .await
            .starts_with("HTTP/1.1 426")
    );
    server.stop().await;
}

#[tokio::test]
async fn how_to_trust_is_told_over_plain_http_and_https_in_two_languages() {
    let folder = Folder::new("trust");
    let (server, root) = local(&folder).await;
    let host = server.address.to_string();
    let page = plainly(&server, "/trust", &host).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("Trust this Visavis") && !page.contains("<script"));
    let policy = header(&page, "content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(
        plainly(&server, "/trust?lang=de", &host)
            .await
            .contains("lang=\"de\"")
    );
    let german = get(&server, &root, "/trust?lang=de").await;
    assert!(german.contains("Diesem Visavis vertrauen"), "{german}");
    let mut stream = server.tcp().await;
    let request = format!("GET /trust/authority.crt HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert!(answer.ends_with(&root), "the certificate is another one");
    let head = String::from_utf8_lossy(&answer);
    assert_eq!(header(&head, "content-type"), Some("application/x-x509-ca-cert"));
    server.stop().await;
}

#[tokio::test]
async fn the_authority_stays_over_restarts_and_its_keys_are_private() {
    let folder = Folder::new("restart");
    let (server, first) = local(&folder).await;
    server.stop().await;
    let (server, second) = local(&folder).await;
    assert_eq!(first, second);
    assert!(get(&server, &first, "/").await.starts_with("HTTP/1.1 200"));
    #[cfg(unix)]
    for name in ["authority.key", "leaf.key"] {
        use std::os::unix::fs::PermissionsExt;
        let file = folder.path().join("tls").join(name);
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_leaf_is_for_every_address_of_this_machine() {
    let folder = Folder::new("names");
    let (server, root) = local(&folder).await;
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".into(), "::1".into()];
    let addresses = visavis_server::lan::addresses();
    names.extend(addresses.iter().map(ToString::to_string));
    if let Some(host) = visavis_server::lan::host_name() {
        names.push(format!("{}.local", host.split('.').next().unwrap()));
        names.push(host);
    }
    for name in names {
        let greeted = try_secure(server.address, &root, &name).await;
        assert!(greeted.is_ok(), "{name}: {:?}", greeted.err());
    }
    assert!(
        try_secure(server.address, &root, "elsewhere.example")
            .await
            .is_err()
    );
    server.stop().await;
}

#[tokio::test]
async fn stalled_handshakes_end_and_hold_up_nobody_else() {
    let folder = Folder::new("stalled");
    let mut config = Config::default();
    config.limits.strangers_per_address = 3;
    let (server, root) = local_with(&folder, config).await;
    let begun = Instant::now();
    let mut stalled = Vec::new();
    // Half of them say nothing, half begin and stop.
    for n in 0..6 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(server.address).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
        }
        stalled.push(stream);
    }
    // Somebody else is served all the while.
    assert!(get(&server, &root, "/healthz").await.ends_with("ok\n"));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for mut stream in stalled {
        let mut end = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut end))
            .await
            .expect("it never ends");
    }
    assert!(begun.elapsed() >= Duration::from_secs(9), "{:?}", begun.elapsed());
    server.stop().await;
}

/// The program, its first line, and what it logs.
async fn program(folder: &Folder, more: &[&str]) -> (Child, String, BufReader<ChildStderr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_visavis-server"))
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path().join("data"))
        .args(more)
        .env("NO_COLOR", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    timeout(PATIENCE, output.read_line(&mut line))
        .await
        .unwrap()
        .unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    (child, line, log)
}

/// Reads the log up to a line with these words.
async fn logs(log: &mut BufReader<ChildStderr>, words: &str) {
    loop {
        let mut line = String::new();
        let read = timeout(PATIENCE, log.read_line(&mut line)).await;
        let read = read.unwrap_or_else(|_| panic!("never says {words}")).unwrap();
        assert_ne!(read, 0, "ended without {words}");
        if line.contains(words) {
            return;
        }
    }
}

async fn hang_up(child: &Child) {
    let pid = child.id().unwrap().to_string();
    let status = Command::new("kill").args(["-HUP", &pid]).status().await.unwrap();
    assert!(status.success());
}

#[cfg(unix)]
#[tokio::test]
async fn a_pair_is_read_again_when_told_and_a_bad_one_changes_nothing() {
    let folder = Folder::new("reload");
    let first = folder.pair();
    let files = folder.files();
    let (certificate, key) = (files.certificate.to_str().unwrap(), files.key.to_str().unwrap());
    let (child, line, mut log) = program(&folder, &["--tls-cert", certificate, "--tls-key", key]).await;
    let origin = line.trim().strip_prefix("Visavis is ready at ").unwrap();
    let port = origin.strip_prefix("https://localhost:").expect(origin);
    let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
    logs(&mut log, "speaking TLS until=").await;
    assert!(try_secure(address, &first, "localhost").await.is_ok());

    std::fs::write(&files.certificate, "nonsense").unwrap();
    hang_up(&child).await;
    logs(&mut log, "the former certificate stays").await;
    assert!(try_secure(address, &first, "localhost").await.is_ok());

    let second = folder.pair();
    hang_up(&child).await;
    logs(&mut log, "showing the certificate that was read again").await;
    assert!(try_secure(address, &second, "localhost").await.is_ok());
    assert!(try_secure(address, &first, "localhost").await.is_err());
}

#[tokio::test]
async fn a_pair_that_cannot_be_used_is_refused_at_the_start_by_its_setting() {
    let folder = Folder::new("refused");
    folder.pair();
    let files = folder.files();
    let other = folder.path().join("other.pem");
    std::fs::write(&other, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let absent = folder.path().join("absent.pem");
    let cert = files.certificate.as_path();
    for (certificate, key, named) in [
        (absent.as_path(), files.key.as_path(), "tls_cert: "),
        (cert, absent.as_path(), "tls_key: "),
        (cert, other.as_path(), "tls_key: "),
        (cert, cert, "tls_key: "),
        (other.as_path(), files.key.as_path(), "tls_cert: "),
    ] {
        let flags = [
            "--tls-cert",
            certificate.to_str().unwrap(),
            "--tls-key",
            key.to_str().unwrap(),
        ];
        let (mut child, line, mut log) = program(&folder, &flags).await;
        assert_eq!(line, "");
        let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(64));
        let mut said = String::new();
        log.read_to_string(&mut said).await.unwrap();
        let complaint = said.lines().last().unwrap();
        assert!(
            complaint.starts_with(&format!("visavis-server: {named}")),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_port_for_plain_http_alone_leads_to_the_one_that_encrypts() {
    let folder = Folder::new("redirect");
    let flags = ["--tls-local", "--http-redirect", "127.0.0.1:0"];
    let (_child, line, mut log) = program(&folder, &flags).await;
    let port = line
        .trim()
        .strip_prefix("Visavis is ready at https://127.0.0.1:")
        .expect(&line);
    let mut told = String::new();
    while !told.contains("leading to https ") {
        told.clear();
        assert_ne!(log.read_line(&mut told).await.unwrap(), 0);
    }
    let address = told.trim().rsplit_once("address=").unwrap().1;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /x.js?y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let expected = format!("https://localhost:{port}/x.js?y#");
    assert_eq!(header(&answer, "location"), Some(expected.as_str()), "{answer}");
}
