//! `visavis-server doctor`: looks whether what the settings name is there and works.
//!
//! Each check says one line and none stops the others. It runs before or beside a server, asks
//! politely, and prints no credential.

mod exchange;
mod ice;
mod site;

use core::fmt;
use core::time::Duration;
use std::io::{self, Write};

use crate::Config;

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one attempt.
    pub attempt: Duration,
    /// Attempts over UDP, which may lose any of them.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(1),
            attempts: 4,
        }
    }
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
    let mut broken = 0;
    let mut tell = |finding: Finding| {
        broken += u32::from(matches!(finding, Finding::Broken(_)));
        writeln!(out, "{finding}")?;
        out.flush()
    };
    tell(site::listening(config, patience))?;
    tell(site::data_folder(config))?;
    tell(site::client(config))?;
    for finding in site::origins(config, patience) {
        tell(finding)?;
    }
    if config.hub.ice.is_empty() {
        tell(Finding::Doubtful(
            "no STUN or TURN server is set: calls reach only as far as the local network".into(),
        ))?;
    }
    for server in &config.hub.ice {
        for url in &server.urls {
            tell(ice::check(url, server, patience))?;
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
        let said = |config: &Config| {
            let mut out = Vec::new();
            let fine = run(config, Patience::default(), &mut out).unwrap();
            (fine, String::from_utf8(out).unwrap())
        };
        let (fine, text) = said(&config);
        let has_client = cfg!(feature = "embed");
        assert_eq!(fine, has_client, "{text}");
        assert_eq!(text.contains("failed   client"), !has_client, "{text}");
        assert!(text.contains("ok       listen 127.0.0.1:0"), "{text}");
        assert!(text.contains("warning  no STUN or TURN server"), "{text}");

        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        config.listen = taken.local_addr().unwrap();
        let (fine, text) = said(&config);
        assert!(!fine && text.contains("failed   listen"), "{text}");
    }
}
