//! Web origins (RFC 6454), compared exactly: scheme, host and port.

use core::fmt;
use std::str::FromStr;

/// An origin as a browser writes it: `https://meet.example`, without a default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    secure: bool,
}

/// A text that is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin like https://meet.example")]
pub struct InvalidOrigin(String);

impl Origin {
    /// The origin of a scheme and an authority (`host` or `host:port`).
    #[must_use]
    pub fn of(secure: bool, authority: &str) -> Option<Self> {
        let authority = authority.to_ascii_lowercase();
        let (scheme, default_port) = if secure {
            ("https", ":443")
        } else {
            ("http", ":80")
        };
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
        is_authority(authority).then(|| Self {
            text: format!("{scheme}://{authority}"),
            secure,
        })
    }

    /// The text that a browser sends in its `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and, where it is not the scheme's own, port: as in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The host, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.authority();
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            Some(_) | None => authority,
        };
        host.strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
    }

    /// The port, the scheme's own if none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        let written = self.authority().rsplit_once(':').map(|(_, port)| port.parse());
        match written {
            Some(Ok(port)) => port,
            Some(Err(_)) | None if self.secure => 443,
            Some(Err(_)) | None => 80,
        }
    }

    /// Whether its scheme is `https`.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The source expression by which a policy allows WebSockets to this origin.
    #[must_use]
    pub fn websocket(&self) -> String {
        let authority = self.authority();
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{authority}")
    }
}

/// Whether this is a host and perhaps a port, and nothing that could end a header's directive.
pub(super) fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (text, None),
    };
    let named = |c: u8| c.is_ascii_alphanumeric() || b"-._".contains(&c);
    let numbered = |c: u8| c.is_ascii_hexdigit() || b":.".contains(&c);
    let host_is_fine = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => !address.is_empty() && address.bytes().all(numbered),
        None => !host.is_empty() && host.bytes().all(named),
    };
    host_is_fine && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let parsed = match text.trim_end_matches('/').split_once("://") {
            Some(("https", authority)) => Self::of(true, authority),
            Some(("http", authority)) => Self::of(false, authority),
            Some(_) | None => None,
        };
        parsed.ok_or_else(|| InvalidOrigin(text.into()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_ports_and_case_do_not_matter() {
        let origin: Origin = "https://Meet.Example:443/".parse().unwrap();
        assert_eq!(origin.as_str(), "https://meet.example");
        assert_eq!(origin.websocket(), "wss://meet.example");
        assert_eq!(
            Origin::of(false, "[::1]:8080").unwrap().as_str(),
            "http://[::1]:8080"
        );
        assert_eq!(Origin::of(false, "[::1]").unwrap().as_str(), "http://[::1]");
    }

    #[test]
    fn an_origin_comes_apart_into_host_and_port() {
        for (text, host, port) in [
            ("https://meet.example", "meet.example", 443),
            ("http://meet.example:8080", "meet.example", 8080),
            ("https://[2001:db8::1]", "2001:db8::1", 443),
            ("http://[::1]:81", "::1", 81),
            ("http://192.0.2.1", "192.0.2.1", 80),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!((origin.host(), origin.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn what_could_break_out_of_a_header_is_no_origin() {
        for text in [
            "null",
            "",
            "https://",
            "ftp://meet.example",
            "https://meet.example/room",
            "https://meet.example; script-src *",
            "https://meet.example:0",
            "https://meet.example:99999",
            "https://user@meet.example",
            "https://[::1",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
