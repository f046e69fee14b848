//! Programs that a test starts, and their end.
//!
//! Browsers start many processes and some of those leave their parents. Every program gets a mark
//! in its environment that its descendants inherit; at the end whatever carries the mark is killed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait::{Look, until};

/// The variable that carries the mark.
const MARK: &str = "VISAVIS_STAGE";

/// A running program whose output goes to a file; dropping it kills it.
pub struct Program {
    child: Child,
    /// What it printed, standard output and errors together.
    pub log: PathBuf,
}

impl Program {
    /// Starts a program under a mark.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &mut Command, mark: &str, log: PathBuf) -> Result<Self> {
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .env(MARK, mark)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        Ok(Self { child, log })
    }

    /// Waits until a line of the output holds `before`; gives what follows on that line.
    ///
    /// # Errors
    /// If it does not come in time, or the program ends.
    pub async fn printed(&mut self, before: &str) -> Result<String> {
        let what = format!("`{before}` in {}", self.log.display());
        until(&what, Duration::from_secs(20), async || {
            let text = read(&self.log);
            // Only whole lines: the rest of this one may still come.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            if let Some(rest) = whole.lines().find_map(|line| line.split_once(before)) {
                return Ok(Look::There(rest.1.trim().to_owned()));
            }
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("it ended with {status}: {text}");
            }
            Ok(Look::NotYet(text))
        })
        .await
    }

    /// Ends the program at once, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(path) {
        file.read_to_end(&mut bytes).ok();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Kills everything that carries the mark, or names the stage's folder on its command line.
pub fn sweep(mark: &str, folder: &Path) {
    let mark = format!("{MARK}={mark}");
    let folder = folder.to_string_lossy();
    // What is being killed may be starting another.
    for _ in 0..5 {
        let found: Vec<Pid> = processes(&mark, &folder);
        if found.is_empty() {
            return;
        }
        for pid in found {
            kill_process(pid, Signal::KILL).ok();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn processes(mark: &str, folder: &str) -> Vec<Pid> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| Some((entry.path(), entry.file_name().to_str()?.parse::<i32>().ok()?)))
        .filter(|(path, pid)| {
            let environment = std::fs::read(path.join("environ")).unwrap_or_default();
            let line = std::fs::read(path.join("cmdline")).unwrap_or_default();
            *pid != own
                && (environment
                    .split(|byte| *byte == 0)
                    .any(|pair| pair == mark.as_bytes())
                    || String::from_utf8_lossy(&line).contains(folder))
        })
        .filter_map(|(_, pid)| Pid::from_raw(pid))
        .collect()
}
