//! A network of our own for tests with browsers: nothing in it can leave the machine.
//!
//! One namespace with `lo` and a pair of virtual interfaces. Both ends stay inside: the one carries
//! the address, the other only makes the link come up. The default route leads nowhere, but must be
//! there: Firefox, and Chromium without a camera's permission, gather candidates on it alone.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::{browsers, process};

/// Namespaces of ours are named by this and the id of the process that made them.
const PREFIX: &str = "vv";

/// A namespace; dropping it ends everything in it and removes it.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one, or says why it cannot.
    ///
    /// # Errors
    /// If a privilege, `ip`, or the kernel's help is missing.
    pub fn make() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            bail!("only root may make a network namespace");
        }
        if !browsers::is_there("ip") {
            bail!("`ip` is not installed (package iproute2)");
        }
        remove_stale();
        let name = format!("{PREFIX}{}", std::process::id());
        let namespace = Self { name };
        ip(&["netns", "add", &namespace.name])?;
        for arguments in [
            "link set lo up",
            "link add v0 type veth peer name v1",
            "link set v0 up",
            "link set v1 up",
            "addr add 10.77.0.1/24 dev v0",
            "route add default via 10.77.0.254 dev v0",
        ] {
            let mut all = vec!["-n", namespace.name.as_str()];
            all.extend(arguments.split(' '));
            ip(&all)?;
        }
        for server in name_servers() {
            // Without this each question waits five seconds for an answer that cannot come, and a
            // Chromium asks some before its first page. A loopback server needs none: it refuses.
            let route = ["route", "add", "unreachable", server.as_str()];
            let mut all = vec!["-n", namespace.name.as_str()];
            all.extend(route);
            ip(&all).ok();
        }
        // Entering needs more than making: try it now, not in the middle of the tests.
        ip(&["netns", "exec", &namespace.name, "true"])?;
        Ok(namespace)
    }

    /// A command that will run inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }
}

/// Whom this machine asks for names.
fn name_servers() -> Vec<String> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("nameserver"))
        .map(|server| server.trim().to_owned())
        .collect()
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Ends what is in a namespace and removes it.
fn remove(name: &str) {
    // A process may start another while it is being ended.
    for _ in 0..10 {
        let pids = process::output(Command::new("ip").args(["netns", "pids", name])).unwrap_or_default();
        if pids.is_empty() {
            break;
        }
        for pid in pids.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    ip(&["netns", "delete", name]).ok();
}

/// Removes the namespaces of runs that were killed.
fn remove_stale() {
    let list = process::output(Command::new("ip").args(["netns", "list"])).unwrap_or_default();
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        let owner = name.strip_prefix(PREFIX).filter(|pid| pid.parse::<u32>().is_ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            println!("removing {name}, left behind by a run that was killed");
            remove(name);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(arguments).output()?;
    if !output.status.success() {
        bail!(
            "`ip {}`: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
