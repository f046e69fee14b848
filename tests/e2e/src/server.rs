//! The real server, one for each test, on a free port.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::place::Place;
use crate::process::Program;

/// A server process.
pub struct Server {
    program: Program,
    /// `http://ADDR:PORT`, as it printed it.
    pub origin: String,
}

impl Server {
    /// Starts the server and waits until it accepts.
    ///
    /// # Errors
    /// If it is not built, or does not come up.
    pub async fn start(folder: &Path, mark: &str, more: &[&str]) -> Result<Self> {
        Self::start_at("127.0.0.1:0", &Place::default(), folder, mark, more).await
    }

    /// Starts it at an address that it had before.
    ///
    /// # Errors
    /// If it does not come up.
    pub async fn start_at(
        address: &str,
        place: &Place,
        folder: &Path,
        mark: &str,
        more: &[&str],
    ) -> Result<Self> {
        let data = folder.join("server-data");
        std::fs::create_dir_all(&data)?;
        let mut command = place.command(&program().to_string_lossy());
        command
            .args(["--listen", address, "--data-dir"])
            .arg(&data)
            .args(more)
            .env("NO_COLOR", "1");
        let mut program = Program::start(&mut command, mark, folder.join("server.log"))
            .context("the server is not there; `cargo xtask build` makes it")?;
        let origin = program.printed("Visavis is ready at ").await?;
        let origin = origin.trim_end_matches('/').to_owned();
        Ok(Self { program, origin })
    }

    /// The address of its WebSocket.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("{}/ws", self.origin.replacen("http", "ws", 1))
    }

    /// What it prints behind these words.
    ///
    /// # Errors
    /// If it does not.
    pub async fn printed(&mut self, before: &str) -> Result<String> {
        self.program.printed(before).await
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.program.kill();
    }
}

/// What an operator's command says, run beside a server of this folder.
///
/// # Errors
/// If it fails, with what it says then.
pub fn operate(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .arg("--data-dir")
        .arg(folder.join("server-data"));
    let done = command
        .output()
        .context("the server is not there; `cargo xtask build` makes it")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    ensure!(done.status.success(), "{arguments:?}: {}", text(&done.stderr));
    Ok(text(&done.stdout))
}

fn program() -> PathBuf {
    std::env::var_os("VISAVIS_SERVER").map_or_else(
        || {
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("../..")
                .join(target)
                .join("xtask/visavis-server")
        },
        PathBuf::from,
    )
}
