//! `dev`: the server beside a client that is built anew on every change.

use std::process::Command;

use anyhow::{Result, bail};

use crate::install::{self, Purpose};
use crate::process::{self, Group};
use crate::{build, cache};

/// Where the server listens; `Trunk.toml` proxies to it.
const SERVER: &str = "127.0.0.1:8081";
/// Where the page is in development.
const PAGE_PORT: &str = "8080";

/// Runs both until one ends or Ctrl-C; then ends the other.
///
/// # Errors
/// If one cannot be built or started, or ends by itself.
pub fn run() -> Result<()> {
    install::setup(Purpose::Serving)?;
    process::run(build::cargo().args(["build", "--package", "visavis-server"]))?;
    std::fs::create_dir_all(build::dist())?;
    let mut server = Group::start(
        Command::new(build::target_dir().join("debug/visavis-server"))
            .args(["--listen", SERVER, "--assets"])
            .arg(build::dist())
            // The page's own origin: the proxy passes the browser's header on.
            .args(["--public-origin", &format!("http://127.0.0.1:{PAGE_PORT}")])
            .args(["--public-origin", &format!("http://localhost:{PAGE_PORT}")]),
    )?;
    let mut page = Group::start(
        Command::new(cache::Tool::trunk().program()?)
            .args(["serve", "--offline", "--skip-version-check", "--port", PAGE_PORT])
            .env_remove("NO_COLOR")
            .env("PATH", cache::search_path()?),
    )?;
    loop {
        if process::is_interrupted() {
            return Ok(());
        }
        if let Some(status) = server.try_wait()? {
            bail!("the server ended with {status}");
        }
        if let Some(status) = page.try_wait()? {
            bail!("trunk ended with {status}");
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
