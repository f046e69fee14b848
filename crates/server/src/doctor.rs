//! `visavis-server doctor`: looks whether what the settings name is there and works.
//!
//! Each check says one line and none stops the others. It runs before or beside a server, asks
//! politely, and prints no credential. No check takes longer than its time, whatever answers.

mod exchange;
mod http;
mod ice;
mod origin;
mod pair;
mod site;
mod tls;
mod wire;

use core::fmt;
use core::time::Duration;
use std::io::{self, Write};
use std::time::SystemTime;

use crate::Config;
use tls::Trust;

/// How long answers are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the answer to one datagram.
    pub attempt: Duration,
    /// How often a datagram is sent, for the network may lose any of them.
    pub attempts: u32,
    /// For one check in all, from the search for the name to the last answer.
    pub check: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempt: Duration::from_millis(750),
            attempts: 4,
            check: Duration::from_secs(5),
        }
    }
}

/// What checks work with.
struct Means {
    patience: Patience,
    trust: Trust,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    /// It works.
    Fine(String),
    /// It may be meant so, and has a price.
    Doubtful(String),
    /// It cannot work.
    Broken(String),
}

impl Finding {
    /// The same, of something named.
    fn about(self, subject: &str) -> Self {
        match self {
            Self::Fine(text) => Self::Fine(format!("{subject}: {text}")),
            Self::Doubtful(text) => Self::Doubtful(format!("{subject}: {text}")),
            Self::Broken(text) => Self::Broken(format!("{subject}: {text}")),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fine(text) => write!(f, "ok       {text}"),
            Self::Doubtful(text) => write!(f, "warning  {text}"),
            Self::Broken(text) => write!(f, "failed   {text}"),
        }
    }
}

/// Checks all that the settings name and prints a line for each; whether nothing is broken.
///
/// # Errors
/// If nothing can be written to `out`.
pub fn run(config: &Config, patience: Patience, out: &mut dyn Write) -> io::Result<bool> {
    let means = Means {
        patience,
        trust: Trust::of_system(),
    };
    let mut broken = 0;
    let mut tell = |finding: Finding| {
        broken += u32::from(matches!(finding, Finding::Broken(_)));
        writeln!(out, "{finding}")?;
        out.flush()
    };
    let listening = site::listening(config, patience);
    let is_running = matches!(listening, Finding::Doubtful(_));
    tell(listening)?;
    tell(site::data_folder(config))?;
    tell(site::client(config))?;
    if let Some(finding) = pair::check(config) {
        tell(finding)?;
    }
    for finding in origin::surroundings(config) {
        tell(finding)?;
    }
    for origin in &config.public_origins {
        origin::check(origin, is_running, &means, &mut tell)?;
    }
    if config.hub.ice.is_empty() && config.hub.turn.is_none() {
        tell(Finding::Doubtful(
            "no STUN or TURN server is set: calls reach only as far as the local network".into(),
        ))?;
    }
    for server in &config.hub.ice {
        for url in &server.urls {
            tell(ice::check(url, server, &means))?;
        }
    }
    if let Some(turn) = &config.hub.turn {
        let unix = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let server = turn.server(&turn.credentials(unix, "doctor"));
        for url in &turn.urls {
            tell(ice::check(url, &server, &means))?;
        }
    }
    match broken {
        0 => writeln!(out, "Nothing is broken.")?,
        1 => writeln!(out, "One thing is broken.")?,
        many => writeln!(out, "{many} things are broken.")?,
    }
    Ok(broken == 0)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn every_finding_is_told_and_one_that_is_broken_is_the_result() {
        let mut config = Config::default();
        config.listen.set_port(0);
        // Who has the port below never answers.
        let impatient = Patience {
            check: Duration::from_millis(50),
            ..Patience::default()
        };
        let said = |config: &Config| {
            let mut out = Vec::new();
            let fine = run(config, impatient, &mut out).unwrap();
            (fine, String::from_utf8(out).unwrap())
        };
        let (fine, text) = said(&config);
        // A build without the client inside has one thing broken.
        assert_eq!(fine, cfg!(feature = "embed"), "{text}");
        assert_eq!(fine, !text.contains("failed"), "{text}");
        assert!(text.contains("ok       listen 127.0.0.1:0"), "{text}");
        assert!(text.contains("warning  no STUN or TURN server"), "{text}");

        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        config.listen = taken.local_addr().unwrap();
        let (fine, text) = said(&config);
        assert!(!fine && text.contains("failed   listen"), "{text}");
    }
}
