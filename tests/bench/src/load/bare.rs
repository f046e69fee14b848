//! The server that ours is compared with: the least relay that one writes with npm's `ws`.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::program::{self, Program};

/// The version of `ws` that figures are given for.
const VERSION: &str = "8.23.0";
/// From its start to its first word.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A running bare relay.
pub struct BareRelay {
    /// `address:port`.
    pub address: String,
    program: Program,
}

impl BareRelay {
    /// Starts it, after getting `ws` from npm into the cache if it is not there.
    ///
    /// # Errors
    /// If Node.js or npm are missing, or it does not come up.
    pub fn start() -> Result<Self> {
        let folder = fetch()?;
        let script = folder.join("relay.mjs");
        std::fs::write(&script, include_str!("bare-relay.mjs"))?;
        let mut command = Command::new("node");
        command.arg(&script).stderr(Stdio::inherit());
        let (program, address) = Program::start_until(&mut command, "listening at ", READY_WITHIN)?;
        Ok(Self { address, program })
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }
}

/// The folder with `ws` in it.
fn fetch() -> Result<PathBuf> {
    let folder = program::cache()?.join("tools").join(format!("ws-{VERSION}"));
    if folder.join("node_modules/ws/package.json").exists() {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder)?;
    let output = Command::new("npm")
        .args([
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefix",
        ])
        .arg(&folder)
        .arg(format!("ws@{VERSION}"))
        .stdin(Stdio::null())
        .output()
        .context("cannot start npm, which gets the relay to compare with")?;
    if !output.status.success() {
        bail!(
            "npm could not get ws: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(folder)
}
