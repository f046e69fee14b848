//! The real server, one for each test, on a free port.

use std::path::PathBuf;

use anyhow::{Context, Result};

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
    pub async fn start(folder: &std::path::Path, mark: &str, more: &[&str]) -> Result<Self> {
        Self::start_at("127.0.0.1:0", &Place::default(), folder, mark, more).await
    }

    /// Starts it at an address that it had before.
    ///
    /// # Errors
    /// If it does not come up.
    pub async fn start_at(
        address: &str,
        place: &Place,
        folder: &std::path::Path,
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

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.program.kill();
    }
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
