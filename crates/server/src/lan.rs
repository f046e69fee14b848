//! What this machine is called on its networks.
//!
//! IPv4 and IPv6 are looked for apart, for a network may have one without the other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// No machine needs more of them in a certificate; the first are those of the network cards.
const ADDRESSES: usize = 32;
/// The longest name that DNS carries (RFC 1035, section 2.3.4).
const NAME_BYTES: usize = 253;

/// The name of this machine, in lower case, if it could stand in a certificate.
#[must_use]
pub fn host_name() -> Option<String> {
    let name = gethostname::gethostname()
        .into_string()
        .ok()?
        .to_ascii_lowercase();
    is_name(&name).then_some(name)
}

/// Whether this is a name of letters, digits and hyphens (RFC 1123, section 2.1), and no address.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= NAME_BYTES && name.split('.').all(is_label) && name.parse::<IpAddr>().is_err()
}

/// The addresses by which other machines may know this one, IPv4 first.
#[must_use]
pub fn addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the addresses of this machine cannot be read");
        Vec::new()
    });
    let known = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    let routed = known.into_iter().filter_map(routed);
    let mut found: Vec<IpAddr> = Vec::new();
    for address in routed.chain(interfaces.iter().map(if_addrs::Interface::ip)) {
        if is_of_network(address) && !found.contains(&address) {
            found.push(address);
        }
    }
    found.truncate(ADDRESSES);
    found.sort_unstable();
    found
}

/// The address by which others reach what listens at `listening`; none if only this machine does.
#[must_use]
pub fn address(listening: IpAddr) -> Option<IpAddr> {
    if !listening.is_unspecified() {
        return (!listening.is_loopback()).then_some(listening);
    }
    let of_family = |unspecified: IpAddr| {
        routed(unspecified)
            .filter(|address| is_of_network(*address))
            .or_else(|| {
                let mut all = addresses().into_iter();
                all.find(|address| address.is_ipv4() == unspecified.is_ipv4())
            })
    };
    let four = of_family(Ipv4Addr::UNSPECIFIED.into());
    match listening {
        IpAddr::V4(_) => four,
        // Who listens on all of IPv6 is reached by IPv4 as well, and by a shorter text.
        IpAddr::V6(_) => four.or_else(|| of_family(listening)),
    }
}

/// Whether an address means this machine to others, without naming a network card besides.
const fn is_of_network(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            !four.is_loopback() && !four.is_link_local() && !four.is_unspecified() && !four.is_multicast()
        }
        IpAddr::V6(six) => {
            !six.is_loopback() && !six.is_unicast_link_local() && !six.is_unspecified() && !six.is_multicast()
        }
    }
}

/// The address that packets to elsewhere would carry. Nothing is sent: a connected datagram socket
/// only asks the routing table.
fn routed(unspecified: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(unspecified, 0)).ok()?;
    let anywhere = if unspecified.is_ipv4() {
        "192.0.2.1:9"
    } else {
        "[2001:db8::1]:9"
    };
    socket.connect(anywhere).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_cannot_use_is_no_address() {
        for text in [
            "127.0.0.1",
            "169.254.1.1",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "::",
            "ff02::1",
        ] {
            assert!(!is_of_network(text.parse().unwrap()), "{text}");
        }
        for text in [
            "192.168.1.5",
            "10.77.0.1",
            "203.0.113.1",
            "fd00::1",
            "2001:db8::1",
        ] {
            assert!(is_of_network(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_listener_is_reached_at_its_own_address() {
        assert_eq!(address("127.0.0.1".parse().unwrap()), None);
        assert_eq!(address("::1".parse().unwrap()), None);
        let own = "192.0.2.7".parse().unwrap();
        assert_eq!(address(own), Some(own));
        // Whatever networks this machine has: of a family alone only that family.
        let four = address(Ipv4Addr::UNSPECIFIED.into());
        assert!(four.is_none_or(|address| address.is_ipv4() && addresses().contains(&address)));
    }

    #[test]
    fn a_name_that_no_certificate_takes_is_none() {
        for name in ["box", "box.example", "a-1"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "my box", "-a", "a_b", "a..b", "10.0.0.1", "bücher"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
