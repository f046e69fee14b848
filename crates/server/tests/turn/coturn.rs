//! A coturn with the settings of `docs/operations.md`, on the loopback interface.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::client;

const DOCUMENT: &str = include_str!("../../../../docs/operations.md");
const PROGRAM: &str = "turnserver";
/// What the relay and we share.
pub const SECRET: &str = "north-star";
const PORTS_TRIED: u32 = 10;

/// Ended with the test.
pub struct Coturn {
    child: Child,
    folder: PathBuf,
    pub address: SocketAddr,
    pub has_v6: bool,
}

/// Tells whoever runs the tests; `cargo test` keeps what a passing test prints to itself.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED: {text}");
}

/// The settings that operators are told to take.
fn documented() -> &'static str {
    let (_, rest) = DOCUMENT.split_once("```ini\n# /etc/turnserver.conf").unwrap();
    rest.split_once("\n").unwrap().1.split("```").next().unwrap()
}

/// The same with this machine's addresses and a free port, without certificates.
fn here(port: u16, has_v6: bool) -> String {
    let mut config = String::new();
    for line in documented().lines() {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        let here = match (name, value) {
            ("listening-ip" | "relay-ip", "203.0.113.1") => format!("{name}=127.0.0.1"),
            ("listening-ip" | "relay-ip", "2001:db8::1") if has_v6 => format!("{name}=::1"),
            ("listening-ip" | "relay-ip", "2001:db8::1") => continue,
            ("listening-ip" | "relay-ip", other) => panic!("another address than the others: {other}"),
            ("listening-port", _) => format!("{name}={port}"),
            ("static-auth-secret", _) => format!("{name}={SECRET}"),
            ("tls-listening-port" | "cert" | "pkey", _) => continue,
            _ => line.to_owned(),
        };
        config.push_str(&here);
        config.push('\n');
    }
    config
}

/// One that nobody has, for both transports and at both addresses: coturn takes it at each.
fn free_port(has_v6: bool) -> u16 {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = udp.local_addr().unwrap().port();
        let is_free = TcpListener::bind(("127.0.0.1", port)).is_ok()
            && (!has_v6
                || UdpSocket::bind(("::1", port)).is_ok() && TcpListener::bind(("::1", port)).is_ok());
        if is_free {
            return port;
        }
    }
}

impl Coturn {
    /// Starts one whose settings were changed in some way. `None` if there is no coturn here.
    pub fn start(change: impl Fn(&str) -> String) -> Option<Self> {
        if Command::new(PROGRAM).arg("--version").output().is_err() {
            say("there is no `turnserver` on this machine; nothing was checked against a real relay");
            return None;
        }
        let has_v6 = UdpSocket::bind("[::1]:0").is_ok();
        // Nobody keeps a port for us between our look and coturn's taking it, and a connection of
        // another test may have it by then: that is not what is judged.
        for _ in 0..PORTS_TRIED {
            let port = free_port(has_v6);
            // EADDRINUSE, of this port. Coturn goes on trying.
            let taken = format!(":{port}>: errno=98");
            let coturn = Self::spawn(&change(&here(port, has_v6)), port, has_v6);
            if client::answers_while(coturn.address, || !coturn.log().contains(&taken)) {
                return Some(coturn);
            }
            let log = coturn.log();
            assert!(log.contains(&taken), "coturn does not answer: {log}");
        }
        panic!("each of {PORTS_TRIED} ports was taken by somebody else");
    }

    fn spawn(config: &str, port: u16, has_v6: bool) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("visavis-coturn-{}-{n}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("index.html"), "<!doctype html><title>Visavis</title>").unwrap();
        let in_folder = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let around = format!(
            "no-tls\nno-dtls\nlog-file=stdout\npidfile={}\nuserdb={}\n",
            in_folder("pid"),
            in_folder("db")
        );
        let path = folder.join("turnserver.conf");
        fs::write(&path, format!("{config}\n{around}")).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new(PROGRAM)
            .arg("-c")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            child,
            folder,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            has_v6,
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A folder with a page in it, which the doctor takes for a client.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
