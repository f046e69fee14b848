//! URLs of STUN and TURN servers (RFC 7064, RFC 7065), read as browsers read them.

use super::origin::is_authority;

/// The port where none is said (RFC 7064, section 3.2, and RFC 7065, section 3.2).
const PORT: u16 = 3478;
/// The same over TLS.
const TLS_PORT: u16 = 5349;

/// A URL of an ICE server in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IceUrl {
    /// Whether it relays (TURN).
    pub(crate) relays: bool,
    /// How it is reached.
    pub(crate) transport: Transport,
    /// Its `host:port`.
    pub(crate) authority: String,
}

/// What a URL says of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl IceUrl {
    /// Whether a user, and perhaps a password, stands before the host. No browser takes that.
    pub(crate) fn has_user(url: &str) -> bool {
        url.contains('@')
    }

    /// Reads what RFC 7064 and RFC 7065 allow; browsers refuse the rest, and the call with it.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let wrong = "no browser takes it for a STUN or TURN server";
        let (scheme, rest) = url.split_once(':').ok_or(wrong)?;
        let (host, query) = match rest.split_once('?') {
            Some((host, query)) => (host, Some(query)),
            None => (rest, None),
        };
        let (relays, transport) = match (scheme, query) {
            ("stun", None) => (false, Transport::Udp),
            ("stuns", None) => (false, Transport::Tls),
            ("turn", None | Some("transport=udp")) => (true, Transport::Udp),
            ("turn", Some("transport=tcp")) => (true, Transport::Tcp),
            ("turns", None | Some("transport=tcp")) => (true, Transport::Tls),
            ("stun" | "stuns", Some(_)) => return Err("browsers take no `?` in a STUN server".into()),
            ("turn" | "turns", Some(_)) => {
                return Err(
                    "after `?` stands transport=udp or transport=tcp, with turns: only the second".into(),
                );
            }
            _ => return Err(wrong.into()),
        };
        let has_port = host.rsplit_once(':').is_some_and(|(before, port)| {
            port.parse::<u16>().is_ok() && (!before.contains(':') || before.ends_with(']'))
        });
        let port = if transport == Transport::Tls {
            TLS_PORT
        } else {
            PORT
        };
        let authority = if has_port {
            host.to_owned()
        } else {
            format!("{host}:{port}")
        };
        if !is_authority(&authority) {
            return Err("there is no host in it, or no port after the colon".into());
        }
        Ok(Self {
            relays,
            transport,
            authority,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_their_ports() {
        for (url, authority, transport) in [
            ("stun:stun.example", "stun.example:3478", Transport::Udp),
            (
                "turns:turn.example?transport=tcp",
                "turn.example:5349",
                Transport::Tls,
            ),
            (
                "turn:turn.example?transport=tcp",
                "turn.example:3478",
                Transport::Tcp,
            ),
            (
                "turn:[2001:db8::1]:99?transport=udp",
                "[2001:db8::1]:99",
                Transport::Udp,
            ),
            ("stun:[2001:db8::1]", "[2001:db8::1]:3478", Transport::Udp),
        ] {
            let place = IceUrl::parse(url).unwrap();
            assert_eq!(
                (place.authority.as_str(), place.transport),
                (authority, transport),
                "{url}"
            );
        }
        for url in [
            "http://turn.example",
            "stun:stun.example?transport=udp",
            "turn:turn.example?transport=sctp",
            "turns:turn.example?transport=udp",
            "turn",
            "turn:",
            "turn:turn.example:99999",
            "turn:turn example",
        ] {
            assert!(IceUrl::parse(url).is_err(), "{url}");
        }
    }
}
