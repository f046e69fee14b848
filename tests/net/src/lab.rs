//! The lab itself: namespaces, cables, addresses, and what can be broken.

use std::sync::Arc;

use anyhow::{Result, bail};
use visavis_e2e::Place;

use crate::host::reach;
use crate::namespace::{Namespace, cable, remove_stale, run};

/// Where server and relay are.
pub const PUBLIC: &str = "203.0.113.10";
/// The server's port.
const SERVER_PORT: u16 = 8080;
/// What a host that is not on the public network may be sent to: nobody answers there.
const NOBODY: &str = "203.0.113.254";

/// One of the two hosts with a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The one with another way out.
    A,
    /// The other one.
    B,
}

/// One of the three NATs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nat {
    /// A's first.
    A,
    /// B's.
    B,
    /// A's second.
    C,
}

impl Nat {
    const ALL: [Self; 3] = [Self::A, Self::B, Self::C];

    const fn number(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
            Self::C => 2,
        }
    }

    /// Its address on the public network.
    #[must_use]
    pub fn address(self) -> String {
        format!("203.0.113.{}", 21 + self.number())
    }
}

/// See the crate.
#[derive(Debug)]
pub struct Lab {
    // Hosts first: what runs in them goes before their network does.
    hosts: [Namespace; 2],
    nats: [Namespace; 3],
    public: Namespace,
}

impl Lab {
    /// Builds it.
    ///
    /// # Errors
    /// Without root, or without `ip`, `iptables`, `sysctl` or `turnserver`.
    pub fn build() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            bail!("only root may make network namespaces");
        }
        for (tool, ask) in [
            ("iptables", "--version"),
            ("sysctl", "--version"),
            ("turnserver", "--version"),
        ] {
            if std::process::Command::new(tool).arg(ask).output().is_err() {
                bail!("{tool} is not installed");
            }
        }
        remove_stale();
        let lab = Self {
            hosts: [Namespace::make("ha")?, Namespace::make("hb")?],
            nats: [
                Namespace::make("na")?,
                Namespace::make("nb")?,
                Namespace::make("nc")?,
            ],
            public: Namespace::make("pub")?,
        };
        lab.public.run("ip link add br0 type bridge")?;
        lab.public.run(&format!("ip addr add {PUBLIC}/24 dev br0"))?;
        lab.public.run("ip link set br0 up")?;
        // Peers name private addresses to the relay. Without any route to them its sockets fail and
        // it gives whole sessions up after a few packets: they go to somebody who is not there.
        lab.public.run(&format!("ip route add default via {NOBODY}"))?;
        lab.public.run(&format!(
            "ip neigh add {NOBODY} lladdr 02:00:00:00:00:fe dev br0 nud permanent"
        ))?;
        for nat in Nat::ALL {
            lab.connect(nat)?;
        }
        // A's second way out is there, and not in use.
        lab.hosts[0].run("ip link set lan2 down")?;
        Ok(lab)
    }

    fn connect(&self, nat: Nat) -> Result<()> {
        let inside = &self.nats[nat.number()];
        let (host, lan) = match nat {
            Nat::A => (&self.hosts[0], "lan0"),
            Nat::B => (&self.hosts[1], "lan0"),
            Nat::C => (&self.hosts[0], "lan2"),
        };
        let net = 1 + nat.number();
        let port = format!("port{net}");
        cable((inside, "wan"), (&self.public, &port))?;
        self.public.run(&format!("ip link set {port} master br0"))?;
        self.public.run(&format!("ip link set {port} up"))?;
        inside.run(&format!("ip addr add {}/24 dev wan", nat.address()))?;
        inside.run("ip link set wan up")?;
        cable((inside, "lan"), (host, lan))?;
        inside.run(&format!("ip addr add 10.0.{net}.1/24 dev lan"))?;
        inside.run("ip link set lan up")?;
        host.run(&format!("ip addr add 10.0.{net}.2/24 dev {lan}"))?;
        host.run(&format!("ip link set {lan} up"))?;
        if nat != Nat::C {
            host.run(&format!("ip route add default via 10.0.{net}.1"))?;
        }
        inside.run("sysctl -q -w net.ipv4.ip_forward=1")?;
        inside.run("iptables -t nat -A POSTROUTING -o wan -j MASQUERADE")?;
        inside.run("iptables -A FORWARD -i wan -m conntrack --ctstate NEW -j DROP")?;
        // A packet that comes before anything went out would otherwise be noted as a connection of
        // the NAT's own, and the one that goes out later gets another port: nothing ever meets.
        inside.run("iptables -A INPUT -i wan -j DROP").map(drop)
    }

    /// Where server and relay run.
    #[must_use]
    pub fn public(&self) -> Place {
        Place {
            wrap: self.public.wrap(),
            ..Place::default()
        }
    }

    /// Where the server listens.
    #[must_use]
    pub fn server_address(&self) -> String {
        format!("{PUBLIC}:{SERVER_PORT}")
    }

    /// Where a browser runs.
    #[must_use]
    pub fn client(&self, client: Client) -> Place {
        let host = self.host(client);
        let path = host.path();
        Place {
            wrap: host.wrap(),
            reach: Some(Arc::new(move |port| reach(&path, port))),
            trusted_origin: Some(format!("http://{}", self.server_address())),
            ..Place::default()
        }
    }

    const fn host(&self, client: Client) -> &Namespace {
        match client {
            Client::A => &self.hosts[0],
            Client::B => &self.hosts[1],
        }
    }

    fn nat(&self, nat: Nat) -> &Namespace {
        &self.nats[nat.number()]
    }

    /// Loses every packet that goes through a NAT, both ways; nobody is told.
    ///
    /// # Errors
    /// If the rule is refused.
    pub fn cut(&self, nat: Nat) -> Result<()> {
        self.nat(nat).run("iptables -I FORWARD -j DROP").map(drop)
    }

    /// Ends [`Lab::cut`].
    ///
    /// # Errors
    /// If the rule is refused.
    pub fn restore(&self, nat: Nat) -> Result<()> {
        self.nat(nat).run("iptables -D FORWARD -j DROP").map(drop)
    }

    /// Lets no UDP pass between the two clients; each still reaches server and relay.
    ///
    /// # Errors
    /// If a rule is refused.
    pub fn block_udp_between(&self) -> Result<()> {
        for (nat, other) in [
            (Nat::A, Nat::B),
            (Nat::B, Nat::A),
            (Nat::C, Nat::B),
            (Nat::B, Nat::C),
        ] {
            let other = other.address();
            self.nat(nat)
                .run(&format!("iptables -I FORWARD -p udp -d {other} -j DROP"))?;
        }
        Ok(())
    }

    /// Lets no UDP pass through a NAT.
    ///
    /// # Errors
    /// If the rule is refused.
    pub fn block_udp(&self, nat: Nat) -> Result<()> {
        self.nat(nat).run("iptables -I FORWARD -p udp -j DROP").map(drop)
    }

    /// A moves to its other network: another address, another NAT, and the first way is gone.
    ///
    /// # Errors
    /// If a command is refused.
    pub fn change_address(&self) -> Result<()> {
        let host = self.host(Client::A);
        host.run("ip link set lan0 down")?;
        host.run("ip link set lan2 up")?;
        host.run("ip route replace default via 10.0.3.1").map(drop)
    }

    /// A NAT forgets what it mapped, and maps to other ports from now on.
    ///
    /// # Errors
    /// If a command is refused; the tool `conntrack` may be missing.
    pub fn flush(&self, nat: Nat) -> Result<()> {
        let nat = self.nat(nat);
        // Ports that no browser has inside: a port that lies in the range is kept as it is.
        for protocol in ["udp", "tcp"] {
            nat.run(&format!(
                "iptables -t nat -I POSTROUTING -o wan -p {protocol} -j MASQUERADE --to-ports 21000-22000"
            ))?;
        }
        nat.run("conntrack -F").map(drop)
    }
}

/// Whether a tool of the lab is installed that only some tests need.
#[must_use]
pub fn has_conntrack() -> bool {
    run("conntrack --version").is_ok()
}
