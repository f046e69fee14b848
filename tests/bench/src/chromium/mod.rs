//! Chromium, driven by its DevTools protocol over a pipe.
//!
//! Not by WebDriver: the figures ask for the protocol's own events (bytes on the wire, frames of a
//! WebSocket), for its throttling, and for an answer within a millisecond. A pipe rather than a
//! port, so that a browser in a namespace of its own is driven from outside.

mod page;
mod pipe;

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

pub use page::{Page, Throttle};
use pipe::Pipe;

use crate::lab::Host;
use crate::program::{Program, ScratchFolder};
use crate::{table, usage};

/// Lets the shell put the pipe to the numbers at which Chromium looks for it, and vanish.
const TO_PIPE: &str = "exec 3<&0 4>&1 </dev/null >&2; exec chromium \"$@\"";

/// The same for every browser: no calls home, invented devices, permission granted.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=MediaRouter,OptimizationHints",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1280,800",
    "--remote-debugging-pipe",
];

/// A browser with a profile of its own.
pub struct Browser {
    pipe: Pipe,
    program: Program,
    _profile: ScratchFolder,
}

impl Browser {
    /// Starts one on a host. `sites` are the `address:port` of pages that may use the devices.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn start(host: &Host, sites: &[&str]) -> Result<Self> {
        let profile = ScratchFolder::make("chromium")?;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(table::results()?.join("chromium.log"))?;
        let mut command = host.command("sh");
        command.args(["-c", TO_PIPE, "sh"]).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.path.display()));
        if host.is_loopback {
            command.arg("--allow-loopback-in-peer-connection");
        } else {
            let origins: Vec<String> = sites.iter().map(|site| format!("http://{site}")).collect();
            command.arg(format!(
                "--unsafely-treat-insecure-origin-as-secure={}",
                origins.join(",")
            ));
        }
        command.arg("about:blank");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut program = Program::start(&mut command)?;
        let (writer, reader) = program.take_pipes()?;
        let pipe = Pipe::new(writer, reader);
        let browser = Self {
            pipe,
            program,
            _profile: profile,
        };
        browser
            .pipe
            .call(None, "Browser.getVersion", &json!({}))
            .context("Chromium did not come up; see test-results/bench/chromium.log")?;
        Ok(browser)
    }

    /// An empty page in a context of its own: no cache, no storage, nobody else's tabs.
    ///
    /// # Errors
    /// If the browser is gone.
    pub fn page(&self) -> Result<Page> {
        Page::open(&self.pipe)
    }

    /// CPU time of all its processes.
    ///
    /// # Errors
    /// If it is gone.
    pub fn cpu(&self) -> Result<Duration> {
        usage::cpu_of_tree(self.program.pid())
    }
}

/// A field that the protocol promises.
fn field<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name]
        .as_str()
        .with_context(|| format!("the browser's answer has no {name}"))
}
