//! The server's own part: its port, its folders, and how people reach it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::Path;

use super::{Finding, Patience};
use crate::Config;
use crate::assets::Bundle;

/// Whether the address can be listened on, and who sits there if not.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the system's errors are an open set"
)]
pub(super) fn listening(config: &Config, patience: Patience) -> Finding {
    let address = config.listen;
    let error = match TcpListener::bind(address) {
        Ok(_) => return Finding::Fine(format!("listen {address}: it is free")),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::AddrInUse if is_healthy(address, patience) => Finding::Doubtful(format!(
            "listen {address}: a server like this one runs there already"
        )),
        ErrorKind::AddrInUse => Finding::Broken(format!(
            "listen {address}: another program has it; stop that or choose another port"
        )),
        ErrorKind::PermissionDenied => Finding::Broken(format!(
            "listen {address}: the system does not allow it; ports below 1024 want a privilege"
        )),
        ErrorKind::AddrNotAvailable => Finding::Broken(format!(
            "listen {address}: this machine has no such address; 0.0.0.0 stands for all it has"
        )),
        _ => Finding::Broken(format!("listen {address}: {error}")),
    }
}

/// Whether something at an address answers as our server does when it is asked for its health.
fn is_healthy(mut address: SocketAddr, patience: Patience) -> bool {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, patience.attempt)?;
        stream.set_read_timeout(Some(patience.attempt))?;
        write!(
            stream,
            "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok::<_, std::io::Error>(status)
    };
    ask().is_ok_and(|status| &status == b"HTTP/1.1 200")
}

/// Whether the data folder is there, or can be, and can be written to.
pub(super) fn data_folder(config: &Config) -> Finding {
    let Some(folder) = &config.data_dir else {
        return Finding::Fine("data folder: none is set, so nothing is kept".into());
    };
    match try_folder(folder) {
        Ok(()) => Finding::Fine(format!("data folder {}: it can be written to", folder.display())),
        Err(error) => Finding::Broken(format!("data folder {}: {error}", folder.display())),
    }
}

fn try_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(probe)
}

/// Whether there is a client to serve.
pub(super) fn client(config: &Config) -> Finding {
    let Some(folder) = &config.assets else {
        // Without a client the program serves a page that says so, which is none.
        return if cfg!(feature = "embed") {
            Finding::Fine("client: it is in this program".into())
        } else {
            Finding::Broken("client: this program has none; --assets names the folder of a built one".into())
        };
    };
    match Bundle::from_folder(folder) {
        Ok(bundle) if bundle.page().is_some() => {
            Finding::Fine(format!("client: it is in {}", folder.display()))
        }
        Ok(_) => Finding::Broken(format!("client: there is none in {}", folder.display())),
        Err(error) => Finding::Broken(format!("client: {}: {error}", folder.display())),
    }
}

/// How people reach the server, and what their browsers will make of it.
pub(super) fn origins(config: &Config, patience: Patience) -> Vec<Finding> {
    let mut findings = Vec::new();
    let local = config.listen.ip().is_loopback();
    if config.public_origins.is_empty() && !local {
        findings.push(Finding::Doubtful(
            "public origin: none is set; browsers elsewhere give no camera over plain http, so a proxy with https \
             and --public-origin are wanted"
                .into(),
        ));
    }
    if !config.public_origins.is_empty() && local && config.trusted_proxies.is_empty() {
        findings.push(Finding::Doubtful(format!(
            "trusted proxy: none is set; all who come through one count as a single address, with its limits; \
             --trusted-proxy {} if it runs here",
            config.listen.ip()
        )));
    }
    for origin in &config.public_origins {
        findings.push(reach(origin.as_str(), patience));
    }
    findings
}

/// Whether anything accepts connections where an origin says.
fn reach(origin: &str, patience: Patience) -> Finding {
    let (scheme, authority) = origin.split_once("://").unwrap_or(("http", origin));
    let secure = scheme == "https";
    let authority = match authority.rsplit_once(':') {
        Some((_, port)) if port.bytes().all(|c| c.is_ascii_digit()) => authority.to_owned(),
        Some(_) | None => format!("{authority}:{}", if secure { 443 } else { 80 }),
    };
    let host = authority.rsplit_once(':').map_or("", |(host, _)| host);
    match connect(&authority, patience) {
        Err(error) => Finding::Broken(format!("public origin {origin}: {error}")),
        Ok(()) if secure => Finding::Fine(format!(
            "public origin {origin}: something answers; its certificate is for a browser to judge"
        )),
        Ok(()) if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => {
            Finding::Fine(format!("public origin {origin}: something answers"))
        }
        Ok(()) => Finding::Doubtful(format!(
            "public origin {origin}: something answers, but browsers give no camera over plain http"
        )),
    }
}

/// Opens and closes a TCP connection; what is wrong, in words.
pub(super) fn connect(authority: &str, patience: Patience) -> Result<(), String> {
    let mut last = "its name has no address".to_owned();
    for address in resolve(authority)? {
        match TcpStream::connect_timeout(&address, patience.attempt) {
            Ok(_) => return Ok(()),
            Err(error) => last = plain(&error),
        }
    }
    Err(last)
}

/// The addresses of a `host:port`.
pub(super) fn resolve(authority: &str) -> Result<Vec<SocketAddr>, String> {
    authority
        .to_socket_addrs()
        .map(Iterator::collect)
        .map_err(|error| format!("its name cannot be found: {error}"))
}

/// What went wrong with a connection, for whoever set its address.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the system's errors are an open set"
)]
pub(super) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".into(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            "no answer in time; a firewall may be in the way".into()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience {
            attempt: core::time::Duration::from_secs(5),
            attempts: 1,
        }
    }

    #[test]
    fn who_has_the_port_is_told_apart() {
        let mut config = Config::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        config.listen = listener.local_addr().unwrap();
        for (answer, healthy) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("SSH-2.0-OpenSSH_9.9\r\n", false),
        ] {
            let other = listener.try_clone().unwrap();
            let answering = std::thread::spawn(move || {
                let (mut stream, _) = other.accept().unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            });
            let finding = listening(&config, patience());
            answering.join().unwrap();
            assert_eq!(matches!(finding, Finding::Doubtful(_)), healthy, "{finding}");
            assert_eq!(matches!(finding, Finding::Broken(_)), !healthy, "{finding}");
        }
    }

    #[test]
    fn a_data_folder_that_cannot_be_is_broken() {
        let file = std::env::temp_dir().join(format!("visavis-doctor-{}", std::process::id()));
        std::fs::write(&file, b"").unwrap();
        let mut config = Config {
            data_dir: Some(file.join("below-a-file")),
            ..Config::default()
        };
        assert!(matches!(data_folder(&config), Finding::Broken(_)));
        std::fs::remove_file(&file).unwrap();
        config.data_dir = Some(file.clone());
        assert!(matches!(data_folder(&config), Finding::Fine(_)));
        assert_eq!(std::fs::read_dir(&file).unwrap().count(), 0);
        std::fs::remove_dir(file).unwrap();
    }

    #[test]
    fn origins_that_lead_nowhere_or_give_no_camera_are_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap();
        assert!(matches!(
            reach(&format!("http://{open}"), patience()),
            Finding::Fine(_)
        ));
        drop(listener);
        let finding = reach(&format!("https://{open}"), patience());
        assert!(
            matches!(&finding, Finding::Broken(text) if text.contains("nothing listens")),
            "{finding}"
        );
        let config = Config {
            public_origins: vec![format!("http://{open}").parse().unwrap()],
            ..Config::default()
        };
        let findings = origins(&config, patience());
        assert!(matches!(&findings[0], Finding::Doubtful(text) if text.contains("trusted proxy")));
    }
}
