//! The ICE servers of a room: when newer ones are due, and what is kept to oneself when a person
//! hides their address.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::{Candidate, ClientMessage, IceServer};

use crate::command::Command;
use crate::session::Session;
use crate::time::Timestamp;
use alloc::collections::VecDeque;

/// Pause before newer credentials are asked for again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct IceServers {
    servers: Vec<IceServer>,
    /// Whether the server of this site has a relay to offer, once known.
    has_relay: Option<bool>,
    /// Half the life of the credentials; then others are asked for (F18).
    renew_at: Option<Timestamp>,
}

impl IceServers {
    pub(crate) fn list(&self) -> &[IceServer] {
        &self.servers
    }

    pub(crate) const fn has_relay(&self) -> Option<bool> {
        self.has_relay
    }

    /// What everybody learns who says hello.
    pub(crate) fn welcomed(&mut self, servers: Vec<IceServer>, has_relay: bool) {
        self.servers = servers;
        self.has_relay = Some(has_relay);
    }

    /// What somebody learns who is seated. Returns whether anything is new.
    pub(crate) fn granted(
        &mut self,
        now: Timestamp,
        servers: Vec<IceServer>,
        lifetime_ms: Option<u64>,
    ) -> bool {
        self.renew_at = lifetime_ms.map(|lifetime| now + Duration::from_millis(lifetime / 2));
        self.has_relay = Some(servers.iter().any(is_relay));
        let is_new = servers != self.servers;
        self.servers = servers;
        is_new
    }

    /// Asks for newer credentials when they are due.
    pub(crate) fn renew(&mut self, now: Timestamp, session: &mut Session, commands: &mut VecDeque<Command>) {
        if self.renew_at.is_some_and(|at| now >= at) && session.is_open() {
            self.renew_at = Some(now + ASK_AGAIN_AFTER);
            session.send(now, &ClientMessage::Ice {}, commands);
        }
    }

    pub(crate) const fn poll_timeout(&self) -> Option<Timestamp> {
        self.renew_at
    }
}

/// Whether a server relays.
pub(crate) fn is_relay(server: &IceServer) -> bool {
    server.urls.iter().any(|url| url.starts_with("turn"))
}

/// A candidate as it may be told by somebody who hides their address: only a relay's, and nothing
/// of where the relay found them (`raddr`, RFC 8839, section 5.1).
pub(crate) fn without_address(candidate: Candidate) -> Option<Candidate> {
    let mut words: Vec<String> = candidate.candidate.split(' ').map(str::to_owned).collect();
    let value_of = |words: &[String], key: &str| {
        words
            .iter()
            .position(|word| word == key)
            .map(|at| at + 1)
            .filter(|at| *at < words.len())
    };
    let kind = value_of(&words, "typ")?;
    if words[kind] != "relay" {
        return None;
    }
    for (key, nothing) in [("raddr", "0.0.0.0"), ("rport", "0")] {
        if let Some(at) = value_of(&words, key) {
            nothing.clone_into(&mut words[at]);
        }
    }
    Some(Candidate {
        candidate: words.join(" "),
        ..candidate
    })
}

/// A description without the candidates in it: they are told one by one as well.
pub(crate) fn without_candidates(sdp: &str) -> String {
    let lines: Vec<&str> = sdp
        .split("\r\n")
        .filter(|line| !line.starts_with("a=candidate:"))
        .collect();
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(text: &str) -> Candidate {
        Candidate {
            candidate: text.into(),
            mid: None,
            line: Some(0),
        }
    }

    #[test]
    fn who_hides_tells_of_relays_alone_and_not_of_the_way_there() {
        let host = "candidate:1 1 udp 2113937151 10.0.0.7 50000 typ host ufrag x";
        assert_eq!(without_address(candidate(host)), None);
        let mapped = "candidate:2 1 udp 1 198.51.100.7 50000 typ srflx raddr 10.0.0.7 rport 50000";
        assert_eq!(without_address(candidate(mapped)), None);
        assert_eq!(without_address(candidate("")), None);
        assert_eq!(without_address(candidate("candidate:3 typ")), None);
        let relay = "candidate:3 1 udp 1 203.0.113.5 49160 typ relay raddr 198.51.100.7 rport 50000 ufrag x";
        let told = without_address(candidate(relay)).expect("a relay's");
        assert_eq!(
            told.candidate,
            "candidate:3 1 udp 1 203.0.113.5 49160 typ relay raddr 0.0.0.0 rport 0 ufrag x"
        );
    }

    #[test]
    fn a_description_is_told_without_candidates() {
        let sdp = "v=0\r\na=candidate:1 1 udp 1 10.0.0.7 5 typ host\r\na=mid:0\r\n";
        assert_eq!(without_candidates(sdp), "v=0\r\na=mid:0\r\n");
    }
}
