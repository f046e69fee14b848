//! Against a server of ours, directly and behind proxies that do and do not what they should.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustls::{RootCertStore, ServerConfig};
use tokio::runtime::{Builder, Runtime};

use super::super::Patience;
use super::super::tls::tests::{Identity, far_day, secure as encrypted};
use super::*;

const PATIENCE: Patience = Patience {
    attempt: Duration::from_secs(20),
    attempts: 1,
    check: Duration::from_secs(20),
};

/// The connections that a check makes where nothing is wrong.
const CONNECTIONS: usize = 3;

fn nobody_trusted() -> Means {
    Means {
        patience: PATIENCE,
        trust: Trust::of(RootCertStore::empty()),
    }
}

/// A Visavis server, gone with this.
struct Visavis {
    handle: crate::Handle,
    _runtime: Runtime,
}

impl Visavis {
    /// One that knows itself by these origins.
    fn of(public_origins: &[&str]) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            public_origins: public_origins.iter().map(|text| text.parse().unwrap()).collect(),
            ..Config::default()
        };
        Self {
            handle: runtime.block_on(crate::serve(config)).unwrap(),
            _runtime: runtime,
        }
    }

    fn address(&self) -> SocketAddr {
        self.handle.local_addr()
    }
}

fn told(origin: &str, is_running: bool, means: &Means) -> Vec<Finding> {
    let mut findings = Vec::new();
    check(&origin.parse().unwrap(), is_running, means, |finding| {
        findings.push(finding);
        Ok::<_, ()>(())
    })
    .unwrap();
    findings
}

/// A proxy that does TLS, and passes on one request of each connection as `pass` rewrites it.
fn proxy(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    behind: SocketAddr,
    pass: fn(String) -> String,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for _ in 0..CONNECTIONS {
            let (stream, _) = listener.accept().unwrap();
            let mut front = encrypted(stream, Arc::clone(&config));
            // The first connection only looks at the certificate.
            let Some(head) = head(&mut front) else { continue };
            let Ok(mut back) = TcpStream::connect(behind) else {
                front
                    .write_all(b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n")
                    .unwrap();
                continue;
            };
            back.write_all(pass(head).as_bytes()).unwrap();
            let mut answer = Vec::new();
            if let Some(head) = self::head(&mut back) {
                answer.extend_from_slice(head.as_bytes());
                if !head.starts_with("HTTP/1.1 101") {
                    back.read_to_end(&mut answer).unwrap();
                }
            }
            front.write_all(&answer).unwrap();
        }
    })
}

/// A head of HTTP, if one comes.
fn head(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut one).ok()?;
        bytes.push(one[0]);
    }
    String::from_utf8(bytes).ok()
}

/// What is told of a proxy on this machine, in front of a server that knows itself by `origins`;
/// `own` among them stands for the proxy's origin. None: no server.
fn behind_proxy(origins: Option<&[&str]>, is_running: bool, pass: fn(String) -> String) -> Vec<Finding> {
    let identity = Identity::of("localhost", far_day());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let server = origins.map(|origins| {
        let origins: Vec<_> = origins
            .iter()
            .map(|text| if *text == "own" { origin.as_str() } else { text })
            .collect();
        Visavis::of(&origins)
    });
    let behind = match &server {
        Some(server) => server.address(),
        // Bound and dropped: nobody is there.
        None => TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(),
    };
    let serving = proxy(listener, identity.server(), behind, pass);
    let means = Means {
        patience: PATIENCE,
        trust: identity.trust(),
    };
    let findings = told(&origin, is_running, &means);
    // First: a proxy that is not asked waits for ever.
    assert_eq!(findings.len(), CONNECTIONS, "{findings:?}");
    serving.join().unwrap();
    findings
}

fn has(finding: &Finding, sign: &str, words: &str) {
    let text = finding.to_string();
    assert!(text.starts_with(sign) && text.contains(words), "{text}");
}

#[test]
fn a_proxy_that_is_right_passes_everything() {
    let findings = behind_proxy(Some(&["own"]), true, |head| head);
    has(&findings[0], "ok", "good until 2999-12-31");
    has(&findings[1], "ok", "a Visavis server answers");
    has(&findings[2], "ok", "WebSockets come through");
}

#[test]
fn a_proxy_that_drops_the_upgrade_is_told() {
    let findings = behind_proxy(Some(&["own"]), true, |head| {
        head.replace("Connection: Upgrade\r\n", "Connection: close\r\n")
            .replace("Upgrade: websocket\r\n", "")
    });
    has(&findings[1], "ok", "a Visavis server answers");
    has(&findings[2], "failed", "must pass on Upgrade");
}

#[test]
fn a_server_that_knows_itself_by_another_origin_is_told() {
    let findings = behind_proxy(Some(&["https://other.example"]), true, |head| {
        head.replace("Connection: Upgrade\r\n", "Connection: Upgrade, close\r\n")
    });
    has(&findings[1], "ok", "a Visavis server answers");
    has(&findings[2], "failed", "refuses this origin");
}

#[test]
fn a_proxy_with_nothing_behind_it_is_broken_only_when_the_server_runs() {
    let findings = behind_proxy(None, false, |head| head);
    has(&findings[1], "warning", "502");
    has(&findings[2], "warning", "502");
    let findings = behind_proxy(None, true, |head| head);
    has(&findings[1], "failed", "502");
    has(&findings[2], "failed", "502");
}

#[test]
fn behind_a_certificate_that_is_not_trusted_nothing_is_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let config = Identity::of("localhost", far_day()).server();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let asked = head(&mut encrypted(stream, config));
        listener.set_nonblocking(true).unwrap();
        (asked, listener.accept().is_ok())
    });
    let findings = told(&origin, true, &nobody_trusted());
    assert_eq!(serving.join().unwrap(), (None, false));
    assert_eq!(findings.len(), 1, "{findings:?}");
    has(&findings[0], "failed", "nobody whom this machine trusts");
}

#[test]
fn without_tls_only_this_machine_is_fine() {
    let server = Visavis::of(&[]);
    let address = server.address();
    let findings = told(&format!("http://{address}"), true, &nobody_trusted());
    assert_eq!(findings.len(), CONNECTIONS, "{findings:?}");
    for finding in &findings {
        has(finding, "ok", "");
    }
    // The same machine, by a name that no browser takes for it.
    let findings = told(
        &format!("http://0.0.0.0:{}", address.port()),
        true,
        &nobody_trusted(),
    );
    has(&findings[0], "warning", "no camera");
    for (origin, is_local) in [
        ("http://localhost:8080", true),
        ("http://meet.localhost", true),
        ("http://127.9.9.9", true),
        ("http://[::1]:8080", true),
        ("http://meet.example", false),
        ("http://localhost.example", false),
        ("http://192.168.1.2:8080", false),
    ] {
        assert_eq!(
            Place::of(&origin.parse().unwrap()).is_local(),
            is_local,
            "{origin}"
        );
    }
}

#[test]
fn where_nobody_listens_it_matters_whether_the_server_runs() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (scheme, is_running, sign) in [
        ("http", false, "warning"),
        ("http", true, "failed"),
        ("https", false, "failed"),
    ] {
        let findings = told(&format!("{scheme}://{address}"), is_running, &nobody_trusted());
        assert_eq!(findings.len(), 1, "{findings:?}");
        has(&findings[0], sign, "nothing listens");
    }
}

#[test]
fn other_servers_and_redirects_are_not_ours() {
    for (answer, words) in [
        (
            "HTTP/1.1 200 OK\r\n\r\nWelcome\n",
            "something else than a Visavis server",
        ),
        ("HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", "a redirect"),
        ("SSH-2.0-OpenSSH_9.9\r\n", "does not speak HTTP"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let serving = thread::spawn(move || {
            for _ in 0..CONNECTIONS {
                let (mut stream, _) = listener.accept().unwrap();
                if head(&mut stream).is_some() {
                    stream.write_all(answer.as_bytes()).unwrap();
                }
            }
        });
        let findings = told(&origin, true, &nobody_trusted());
        assert_eq!(findings.len(), CONNECTIONS, "{findings:?}");
        serving.join().unwrap();
        has(&findings[1], "failed", words);
        has(&findings[2], "failed", words);
    }
}

#[test]
fn a_proxy_that_is_not_trusted_is_doubtful() {
    let mut config = Config {
        public_origins: vec!["https://meet.example".parse().unwrap()],
        ..Config::default()
    };
    let findings = surroundings(&config);
    assert!(matches!(&findings[..], [Finding::Doubtful(text)] if text.contains("trusted proxy")));
    config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    assert_eq!(surroundings(&config), []);
}
