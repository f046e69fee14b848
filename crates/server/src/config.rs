//! Everything an operator can set, and where it is read from.
//!
//! A flag wins over an environment variable, that over the file, that over the default. What
//! cannot work is refused at the start, in one plain line.

mod ice_url;
mod limits;
mod origin;
mod read;
mod tls;
mod token;
mod turn;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use visavis_protocol::IceServer;

use crate::hub::HubConfig;
use crate::token::TokenRules;
pub(crate) use ice_url::{IceUrl, Transport};
pub use limits::Limits;
pub use origin::{InvalidOrigin, Origin};
pub use read::{ConfigError, Task, from_environment};
pub use tls::{TlsFiles, TlsSetting};

/// The settings of one server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The folder for what must outlive the process. Made if it is not there.
    pub data_dir: Option<PathBuf>,
    /// The folder of the built client; without one, what is in the binary.
    pub assets: Option<PathBuf>,
    /// How it encrypts what goes through there.
    pub tls: TlsSetting,
    /// Where plain HTTP only leads on to HTTPS, besides [`Config::listen`] itself.
    pub http_redirect: Option<SocketAddr>,
    /// Origins under which people reach the server. Empty: the one that a request's `Host` names, over
    /// plain HTTP; with TLS over HTTPS, if it is a name of the certificate.
    pub public_origins: Vec<Origin>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<Network>,
    /// Who may read `/metrics`.
    pub metrics: MetricsAccess,
    /// What is logged, such as `info` or `visavis_server=debug`.
    pub log: String,
    /// Threads that serve. One is the most efficient; more serve more at once.
    pub threads: usize,
    /// How tokens are judged by which people sign in; none where they sign in by keys of their own.
    pub tokens: Option<TokenRules>,
    /// What the hub is told, ICE servers among it.
    pub hub: HubConfig,
    /// What the sockets may cost.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            data_dir: None,
            assets: None,
            tls: TlsSetting::Off,
            http_redirect: None,
            public_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            metrics: MetricsAccess::Local,
            log: "info".into(),
            threads: 1,
            tokens: None,
            hub: HubConfig::default(),
            limits: Limits::default(),
        }
    }
}

/// Who may read the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricsAccess {
    /// Programs on the same machine.
    Local,
    /// Everybody.
    Any,
    /// Nobody.
    Off,
}

/// A range of addresses, as `192.0.2.0/24` or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is not a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address or a range like 10.0.0.0/8")]
pub struct InvalidNetwork(String);

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.into());
        let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            "" if !text.contains('/') => longest,
            digits => digits.parse().map_err(|_| invalid())?,
        };
        if prefix > longest {
            return Err(invalid());
        }
        Ok(Self { address, prefix })
    }
}

impl Network {
    /// Whether an address is in the range. IPv4 written as IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Why a text names no ICE server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIceServer {
    /// Neither of the schemes of RFC 7064 and RFC 7065.
    #[error("`{0}` does not begin with stun:, stuns:, turn: or turns:")]
    Scheme(String),
    /// TURN needs a user and a password.
    #[error("`{0}` needs a username and a credential")]
    NoCredential(String),
    /// JSON that has not the form of `RTCIceServer`.
    #[error("not an ICE server: {0}")]
    Json(String),
}

/// Reads an ICE server: a URL, or a JSON object with `urls`, `username` and `credential`.
///
/// # Errors
/// See [`InvalidIceServer`].
pub fn ice_server(text: &str) -> Result<IceServer, InvalidIceServer> {
    let server = if text.starts_with('{') {
        serde_json::from_str(text).map_err(|error| InvalidIceServer::Json(error.to_string()))?
    } else {
        IceServer {
            urls: vec![text.into()],
            username: None,
            credential: None,
        }
    };
    check_ice_server(&server)?;
    Ok(server)
}

/// Checks an ICE server as a browser would: it throws on one it does not understand, and the call
/// with it.
pub(crate) fn check_ice_server(server: &IceServer) -> Result<(), InvalidIceServer> {
    for url in &server.urls {
        let scheme = url.split(':').next().unwrap_or_default();
        let complete = server.username.is_some() && server.credential.is_some();
        match scheme {
            "stun" | "stuns" => {}
            "turn" | "turns" if complete => {}
            "turn" | "turns" => return Err(InvalidIceServer::NoCredential(url.clone())),
            _ => return Err(InvalidIceServer::Scheme(url.clone())),
        }
    }
    if server.urls.is_empty() {
        return Err(InvalidIceServer::Json("`urls` is empty".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_own() {
        let network: Network = "10.1.0.0/16".parse().unwrap();
        assert!(network.contains("10.1.255.1".parse().unwrap()));
        assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!network.contains("10.2.0.1".parse().unwrap()));
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
        assert!(!all.contains("2001:db8::1".parse().unwrap()));
        let one: Network = "2001:db8::1".parse().unwrap();
        assert!(one.contains("2001:db8::1".parse().unwrap()));
        assert!(!one.contains("2001:db8::2".parse().unwrap()));
        for text in ["", "10.0.0.0/33", "10.0.0.0/", "somewhere", "::/129"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn ice_servers_that_a_browser_would_refuse_are_refused_at_the_start() {
        assert_eq!(ice_server("stun:stun.example:3478").unwrap().urls.len(), 1);
        assert!(matches!(
            ice_server("turn:turn.example"),
            Err(InvalidIceServer::NoCredential(_))
        ));
        assert!(matches!(
            ice_server("http://stun.example"),
            Err(InvalidIceServer::Scheme(_))
        ));
        assert!(matches!(ice_server("{}"), Err(InvalidIceServer::Json(_))));
        let turn = r#"{"urls":["turn:turn.example"],"username":"u","credential":"p"}"#;
        assert_eq!(ice_server(turn).unwrap().username.as_deref(), Some("u"));
    }
}
