//! Starting the server that is measured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::program::{Program, ScratchFolder};
use crate::{program, table};

/// From the start of a server to the line that says where it listens.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// What stands before the address in that line.
const READY: &str = "Visavis is ready at http://";

/// A server of ours with an empty folder of its own.
pub struct Server {
    /// `address:port`.
    pub address: String,
    program: Program,
    _folder: ScratchFolder,
}

impl Server {
    /// Starts the server on a free port of `host`, by way of `wrap` (a network namespace) if given.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn start(path: &Path, host: &str, wrap: &[String], more: &[&str]) -> Result<Self> {
        Self::start_at(path, &format!("{host}:0"), wrap, more)
    }

    /// The same on a port of a caller's choice.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn start_at(path: &Path, listen: &str, wrap: &[String], more: &[&str]) -> Result<Self> {
        let folder = ScratchFolder::make("server")?;
        let log = std::fs::File::create(table::results()?.join("server.log"))?;
        let mut command = match wrap {
            [] => Command::new(path),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(path);
                command
            }
        };
        command
            .arg("--listen")
            .arg(listen)
            .arg("--data-dir")
            .arg(&folder.path)
            .args(more)
            .stderr(Stdio::from(log));
        let (program, address) = Program::start_until(&mut command, READY, READY_WITHIN)?;
        let address = address.trim_end_matches('/').to_owned();
        Ok(Self {
            address,
            program,
            _folder: folder,
        })
    }

    /// Asks it to end, as a service manager does.
    pub fn ask_to_end(&self) {
        self.program.ask_to_end();
    }

    /// Whether it has ended.
    ///
    /// # Errors
    /// If the system does not know.
    pub fn has_ended(&mut self) -> Result<bool> {
        self.program.has_ended()
    }

    /// The id of the server's process. With a wrapper that replaces itself it is the server's too.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }
}

/// The server to measure: the one named, else the environment's, else the release build.
///
/// # Errors
/// If there is none.
pub fn path(named: Option<PathBuf>) -> Result<PathBuf> {
    let path = named
        .or_else(|| std::env::var_os("VISAVIS_SERVER").map(PathBuf::from))
        .unwrap_or_else(|| program::root().join("target/release/visavis-server"));
    if !path.is_file() {
        bail!(
            "there is no server at {}: run `cargo build --release -p visavis-server`",
            path.display()
        );
    }
    path.canonicalize().context("the server's path")
}
