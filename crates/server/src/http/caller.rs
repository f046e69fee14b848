//! Who asks: the address behind a request, and the origin under which it was made.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use hyper::header::{self, HeaderMap};

use crate::admission::Ticket;
use crate::config::{Network, Origin};

/// What is known of a connection from its acceptance on. Kept in every request's extensions.
#[derive(Clone)]
pub(crate) struct Accepted {
    pub(crate) peer: SocketAddr,
    /// Whether it is encrypted up to this server.
    pub(crate) secure: bool,
    /// The port for HTTPS, where this connection's own leads there only.
    pub(crate) https_port: Option<u16>,
    /// The connection's place; an upgraded socket takes it over.
    pub(crate) ticket: Arc<Ticket>,
}

/// The person behind a request, as far as a trusted proxy tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) address: IpAddr,
    secure: bool,
}

impl Caller {
    /// Finds out who asks. `None` cannot happen over a connection that this server accepted.
    pub(crate) fn of(request: &Request, trusted: &[Network]) -> Option<Self> {
        let accepted = request.extensions().get::<Accepted>()?;
        let headers = request.headers();
        Some(Self::behind(
            accepted.peer.ip(),
            accepted.secure,
            headers,
            trusted,
        ))
    }

    /// The last address in the chain that no trusted proxy speaks for.
    fn behind(peer: IpAddr, secure: bool, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        if !is_trusted(peer) {
            return Self {
                address: peer,
                secure,
            };
        }
        let values: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let mut address = peer;
        for hop in values.iter().flat_map(|value| value.split(',')).rev() {
            let Ok(hop) = hop.trim().parse() else {
                break;
            };
            address = hop;
            if !is_trusted(hop) {
                break;
            }
        }
        let secure = headers
            .get("x-forwarded-proto")
            .map_or(secure, |scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
        Self { address, secure }
    }

    /// The origin that this request's `Host` names.
    pub(crate) fn own_origin(&self, headers: &HeaderMap) -> Option<Origin> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next()?.to_str().ok()?;
        if hosts.next().is_some() {
            return None;
        }
        Origin::of(self.secure, host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn behind(peer: &str, chain: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_str(chain).unwrap());
        let trusted = ["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        Caller::behind(peer.parse().unwrap(), false, &headers, &trusted)
            .address
            .to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_for_its_own_caller() {
        assert_eq!(behind("203.0.113.1", "198.51.100.7"), "203.0.113.1");
        assert_eq!(behind("127.0.0.1", "198.51.100.7"), "198.51.100.7");
        // The first entry is what the caller wrote themselves.
        assert_eq!(
            behind("127.0.0.1", "192.0.2.66, 198.51.100.7, 10.1.1.1"),
            "198.51.100.7"
        );
        assert_eq!(behind("127.0.0.1", "nonsense"), "127.0.0.1");
    }
}
