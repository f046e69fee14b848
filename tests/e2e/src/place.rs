//! Where a program of a test runs: on this machine, or on a host that a test has made.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anyhow::Result;

/// A host. The default is this machine as it is.
#[derive(Clone, Default)]
pub struct Place {
    /// The command that runs the rest of its arguments there; empty for this machine.
    pub wrap: Vec<String>,
    /// How a port of that host's loopback interface is reached from here: by another port.
    pub reach: Option<Arc<dyn Fn(u16) -> Result<u16> + Send + Sync>>,
    /// An origin that browsers there are to take for a secure one, although it is plain HTTP.
    pub trusted_origin: Option<String>,
    /// A certificate authority (PEM) that Chromium there is told to trust, as a person would.
    pub authority: Option<PathBuf>,
}

impl Place {
    /// A command that will run there.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        match self.wrap.as_slice() {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        }
    }

    /// The port here by which a port there is reached.
    ///
    /// # Errors
    /// If the way cannot be opened.
    pub fn port(&self, port: u16) -> Result<u16> {
        self.reach.as_ref().map_or(Ok(port), |reach| reach(port))
    }
}
