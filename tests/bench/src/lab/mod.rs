//! Places for hosts of a test: network namespaces with nothing but each other.
//!
//! A *quiet* place is one host with its loopback interface. A *distant* place has several hosts,
//! and every packet between two of them takes the same time: the kernel here has no `netem`, so
//! [`router`] carries the packets by hand between one TUN device a host. All namespaces are removed
//! with the place; those of a run that was killed are removed by the next.

mod router;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use router::Router;

/// Namespaces and devices of ours are named by this and the id of the process that made them.
const PREFIX: &str = "vvb";
/// The network that all hosts of a distant place are in.
const NETWORK: [u8; 3] = [10, 88, 0];

/// Where hosts are.
pub struct Place {
    hosts: Vec<Host>,
    is_distant: bool,
    // Declared before the namespaces: the devices go before what they are in.
    _router: Option<Router>,
    _namespaces: Vec<Namespace>,
}

/// One machine of a place.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its address.
    pub address: String,
    /// The command that runs the rest of its arguments there; empty for this machine as it is.
    pub wrap: Vec<String>,
    /// Whether its only address is the loopback's.
    pub is_loopback: bool,
}

impl Place {
    /// One host for everybody. Without the right to make namespaces it is this machine's loopback.
    #[must_use]
    pub fn quiet() -> Self {
        let (namespaces, wrap) = match Namespace::make(0) {
            Ok(namespace) => {
                let wrap = namespace.wrap();
                (vec![namespace], wrap)
            }
            Err(error) => {
                println!("no network namespace ({error:#}): measuring on this machine's loopback");
                (Vec::new(), Vec::new())
            }
        };
        Self {
            hosts: vec![Host {
                address: "127.0.0.1".into(),
                wrap,
                is_loopback: true,
            }],
            is_distant: false,
            _router: None,
            _namespaces: namespaces,
        }
    }

    /// `count` hosts, `one_way` from each other.
    ///
    /// # Errors
    /// If namespaces or TUN devices cannot be had: only root gets them.
    pub fn distant(count: u8, one_way: Duration) -> Result<Self> {
        let mut namespaces = Vec::new();
        let mut devices = Vec::new();
        let mut hosts = Vec::new();
        for n in 1..=count {
            let namespace = Namespace::make(n)?;
            let device = router::device(&namespace.name)?;
            let [a, b, c] = NETWORK;
            let address = format!("{a}.{b}.{c}.{n}");
            ip(&["link", "set", &namespace.name, "netns", &namespace.name])?;
            for arguments in [
                format!("addr add {address}/24 dev {}", namespace.name),
                format!("link set {} mtu 1500 up", namespace.name),
                // Browsers gather candidates on the default route; there is nothing behind it.
                format!("route add default dev {}", namespace.name),
            ] {
                namespace.ip(&arguments)?;
            }
            hosts.push(Host {
                address,
                wrap: namespace.wrap(),
                is_loopback: false,
            });
            namespaces.push(namespace);
            devices.push(device);
        }
        Ok(Self {
            hosts,
            is_distant: true,
            _router: Some(Router::start(devices, NETWORK, one_way)?),
            _namespaces: namespaces,
        })
    }

    /// The nth host; a quiet place has one for all.
    #[must_use]
    pub fn host(&self, n: usize) -> &Host {
        &self.hosts[n % self.hosts.len()]
    }

    /// Whether its hosts are apart.
    #[must_use]
    pub const fn is_distant(&self) -> bool {
        self.is_distant
    }
}

impl Host {
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
}

/// A network namespace; dropping it ends everything in it.
struct Namespace {
    name: String,
}

impl Namespace {
    fn make(n: u8) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            bail!("only root may make one");
        }
        remove_stale();
        let namespace = Self {
            name: format!("{PREFIX}{}n{n}", std::process::id()),
        };
        ip(&["netns", "add", &namespace.name])?;
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    fn wrap(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.name].map(str::to_owned).to_vec()
    }

    fn ip(&self, arguments: &str) -> Result<()> {
        let mut all = vec!["-n", self.name.as_str()];
        all.extend(arguments.split(' '));
        ip(&all)
    }
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
        let pids = output(&["netns", "pids", name]).unwrap_or_default();
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
    ip(&["netns", "delete", name]).ok();
}

/// Removes the namespaces of runs that were killed.
fn remove_stale() {
    let list = output(&["netns", "list"]).unwrap_or_default();
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('n'));
        if owner.is_some_and(|(pid, _)| pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists())
        {
            println!("removing {name}, left behind by a run that was killed");
            remove(name);
        }
    }
}

fn output(arguments: &[&str]) -> Result<String> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .context("cannot start `ip`")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .context("cannot start `ip`")?;
    if !output.status.success() {
        bail!(
            "`ip {}`: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_between_distant_hosts_takes_its_time() {
        let place = match Place::distant(2, Duration::from_millis(50)) {
            Ok(place) => place,
            Err(error) => {
                println!("skipped: {error:#}");
                return;
            }
        };
        let script = "import socket,sys,time
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
s.settimeout(5)
s.bind((sys.argv[1],7777))
if sys.argv[2]=='echo':
    print('listening at here',flush=True)
    while True:
        d,a=s.recvfrom(99); s.sendto(d,a)
else:
    def trip():
        t=time.monotonic(); s.sendto(b'x',(sys.argv[2],7777)); s.recvfrom(99)
        return time.monotonic()-t
    print('took at',min(trip() for _ in range(10)),flush=True)";
        let start = |host: &Host, with: &str| {
            let mut command = host.command("python3");
            command.args(["-c", script, &host.address, with]);
            crate::program::Program::start_until(&mut command, " at ", Duration::from_secs(10)).unwrap()
        };
        let (_echo, _) = start(place.host(0), "echo");
        let (_asking, took) = start(place.host(1), &place.host(0).address);
        let took: f64 = took.parse().unwrap();
        // The quickest of ten: a machine that is busy keeps some of them waiting, and none is too early.
        assert!((0.1..0.13).contains(&took), "a round trip took {took} s");
    }
}
