//! The names that a certificate is for.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Host names and addresses, as a browser compares them with the one it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// In lower case and in order; `*.` stands for one label.
    pub(crate) hosts: Vec<String>,
    /// In order.
    pub(crate) addresses: Vec<IpAddr>,
}

impl Names {
    pub(crate) fn new(mut hosts: Vec<String>, mut addresses: Vec<IpAddr>) -> Self {
        hosts.sort_unstable();
        hosts.dedup();
        addresses.sort_unstable();
        addresses.dedup();
        Self { hosts, addresses }
    }

    /// Those of a certificate (RFC 5280, section 4.2.1.6). What browsers pass over is passed over.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other kinds of names mean nothing to a browser"
    )]
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Self {
        let (mut hosts, mut addresses) = (Vec::new(), Vec::new());
        if let Ok(certificate) = Certificate::from_der(certificate)
            && let Ok(Some((_, names))) = certificate.tbs_certificate().get_extension::<SubjectAltName>()
        {
            for name in &names.0 {
                match name {
                    GeneralName::DnsName(host) => hosts.push(host.as_str().to_ascii_lowercase()),
                    GeneralName::IpAddress(bytes) => addresses.extend(address(bytes.as_bytes())),
                    _ => {}
                }
            }
        }
        Self::new(hosts, addresses)
    }

    /// Whether a host, in lower case and without brackets and port, is among them (RFC 6125).
    pub(crate) fn contain(&self, host: &str) -> bool {
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        self.hosts.iter().any(|name| match name.strip_prefix("*.") {
            Some(rest) => host
                .split_once('.')
                .is_some_and(|(label, of)| !label.is_empty() && of == rest),
            None => name == host,
        })
    }

    /// One that a person could type.
    pub(crate) fn first(&self) -> Option<&str> {
        self.hosts
            .iter()
            .map(String::as_str)
            .find(|name| !name.starts_with('*'))
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_label_and_addresses_are_compared_as_such() {
        let hosts = ["*.example", "meet.test"].map(Into::into).to_vec();
        let names = Names::new(hosts, vec!["2001:db8::1".parse().unwrap()]);
        for host in ["meet.test", "a.example", "2001:db8::1", "2001:0db8::1"] {
            assert!(names.contain(host), "{host}");
        }
        for host in [
            "example",
            "a.b.example",
            ".example",
            "evil-meet.test",
            "2001:db8::2",
            "",
        ] {
            assert!(!names.contain(host), "{host}");
        }
        assert_eq!(names.first(), Some("meet.test"));
    }
}
