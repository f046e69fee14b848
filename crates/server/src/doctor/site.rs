//! The server's own part: its port and its folders.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;

use super::wire::{Deadline, Wire, plain};
use super::{Finding, Patience, http};
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
        Ok(_) if address.ip() == Ipv4Addr::UNSPECIFIED => {
            let port = address.port();
            return Finding::Fine(format!(
                "listen {address}: it is free; it takes IPv4 alone, [::]:{port} would take IPv6 too"
            ));
        }
        Ok(_) => return Finding::Fine(format!("listen {address}: it is free")),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::AddrInUse if is_healthy(address, patience) => {
            Finding::Doubtful(format!("listen {address}: a Visavis server runs there already"))
        }
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
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    Wire::open(address, Deadline::after(patience.check))
        .map_err(|error| plain(&error))
        .and_then(|mut wire| http::health(&mut wire, &address.to_string()))
        .is_ok_and(|answer| answer.is_health())
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
    crate::private::folder(folder)?;
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(probe)
}

/// Whether there is a client to serve.
pub(super) fn client(config: &Config) -> Finding {
    let (bundle, place) = match &config.assets {
        Some(folder) => (Bundle::from_folder(folder), folder.display().to_string()),
        None => (Ok(Bundle::embedded()), "in this program".into()),
    };
    match bundle {
        Ok(bundle) if bundle.is_client() => Finding::Fine(format!("client: it is {place}")),
        Ok(_) => Finding::Broken(format!(
            "client: it is not {place}; --assets names the folder of a built one"
        )),
        Err(error) => Finding::Broken(format!("client: {place}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn patience() -> Patience {
        Patience {
            attempt: core::time::Duration::from_secs(5),
            attempts: 1,
            check: core::time::Duration::from_secs(20),
        }
    }

    #[test]
    fn who_has_the_port_is_told_apart() {
        let mut config = Config::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        config.listen = listener.local_addr().unwrap();
        for (answer, healthy) in [
            ("HTTP/1.1 200 OK\r\n\r\nok\n", true),
            ("HTTP/1.1 200 OK\r\n\r\n<title>Welcome to nginx!</title>\n", false),
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
    fn a_client_that_is_not_there_is_broken() {
        let finding = client(&Config::default());
        assert_eq!(
            matches!(finding, Finding::Fine(_)),
            cfg!(feature = "embed"),
            "{finding}"
        );
        let folder = std::env::temp_dir().join(format!("visavis-doctor-client-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = Config {
            assets: Some(folder.clone()),
            ..Config::default()
        };
        let empty = client(&config);
        std::fs::write(folder.join("index.html"), "<!doctype html><title>Visavis</title>").unwrap();
        let whole = client(&config);
        std::fs::remove_dir_all(folder).unwrap();
        assert!(matches!(empty, Finding::Broken(_)), "{empty}");
        assert!(matches!(whole, Finding::Fine(_)), "{whole}");
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
}
