//! Network namespaces by the commands of iproute2.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Namespaces of ours are named by this and the id of the process that made them.
const PREFIX: &str = "vvl";

/// A namespace; dropping it ends everything in it and removes it.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) name: String,
}

impl Namespace {
    pub(crate) fn make(short: &str) -> Result<Self> {
        let namespace = Self {
            name: format!("{PREFIX}{}{short}", std::process::id()),
        };
        run(&format!("ip netns add {}", namespace.name))?;
        namespace.run("ip link set lo up")?;
        // One family is enough, and the other one's neighbour discovery takes seconds. But on the
        // loopback interface: chromedriver wants both.
        namespace.run("sysctl -q -w net.ipv6.conf.default.disable_ipv6=1")?;
        Ok(namespace)
    }

    /// The command that runs the rest of its arguments in here.
    pub(crate) fn wrap(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.name].map(str::to_owned).to_vec()
    }

    /// Runs a command in here; its words are separated by blanks.
    pub(crate) fn run(&self, line: &str) -> Result<String> {
        run(&format!("ip netns exec {} {line}", self.name))
    }

    pub(crate) fn path(&self) -> String {
        format!("/run/netns/{}", self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Joins two namespaces by a cable; the names are those of its two ends.
pub(crate) fn cable(one: (&Namespace, &str), two: (&Namespace, &str)) -> Result<()> {
    run(&format!(
        "ip link add {} netns {} type veth peer name {} netns {}",
        one.1, one.0.name, two.1, two.0.name
    ))?;
    Ok(())
}

/// Runs a command; its words are separated by blanks.
pub(crate) fn run(line: &str) -> Result<String> {
    let mut words = line.split(' ');
    let program = words.next().unwrap_or_default();
    let output = Command::new(program)
        .args(words)
        .output()
        .with_context(|| format!("cannot start `{program}`"))?;
    if !output.status.success() {
        bail!("`{line}`: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Ends what is in a namespace and removes it.
fn remove(name: &str) {
    // A process may start another while it is being ended.
    for _ in 0..10 {
        let pids = run(&format!("ip netns pids {name}")).unwrap_or_default();
        if pids.trim().is_empty() {
            break;
        }
        for pid in pids.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            if let Some(pid) = Pid::from_raw(pid) {
                kill_process(pid, Signal::KILL).ok();
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    run(&format!("ip netns delete {name}")).ok();
}

/// Removes the namespaces of runs that were killed.
pub(crate) fn remove_stale() {
    let list = run("ip netns list").unwrap_or_default();
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        let owner: String = name
            .strip_prefix(PREFIX)
            .unwrap_or_default()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        if !owner.is_empty() && !Path::new("/proc").join(&owner).exists() {
            remove(name);
        }
    }
}
