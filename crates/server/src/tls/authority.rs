//! A certificate authority of this server alone, for networks where no public one gives certificates.
//!
//! It is made once and kept, for every device has to be told to trust it. What it may sign for is
//! bounded by itself (RFC 5280, section 4.2.1.10): names of this machine and of local networks,
//! and IPv6 addresses, so that who steals its key cannot stand in for a bank's name. The certificate
//! that it signs for the server is made anew whenever the machine is called otherwise.

use core::time::Duration;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix;
use x509_cert::ext::pkix::name::GeneralName;

use super::{Names, Pair};
use crate::config::Network;

const DAY: Duration = Duration::from_hours(24);
/// Ten years: trusting it again on every device is work for people.
const AUTHORITY_DAYS: u32 = 3650;
/// With the day before, for clocks that are slow, 397 in all: browsers take no longer ones.
const LEAF_DAYS: u32 = 396;
/// A certificate with less time than this is made anew.
const RENEW_BEFORE_DAYS: u32 = 30;
/// The folder within the data folder.
const FOLDER: &str = "tls";
const AUTHORITY: &str = "authority";
const LEAF: &str = "leaf";
/// What it may sign addresses of, besides those that the machine has when it is made: loopback, private networks (RFC 1918, 6598, 3927, 4193, 4291),
/// and all that IPv6 gives out, where homes have no others.
const NETWORKS: [&str; 10] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
    "2000::/3",
];

/// Why there is no authority, or nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Its folder cannot be used.
    #[error("tls_local: {} cannot be used", file.display())]
    File {
        /// The file or the folder.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What is kept is not an authority of ours.
    #[error("tls_local: what {} holds is not whole; remove it to have another authority made", .0.display())]
    Damaged(PathBuf),
    /// No certificate can be made.
    #[error("tls_local: no certificate can be made")]
    Make(#[from] rcgen::Error),
    /// What was signed would not be believed.
    #[error("tls_local: what the authority signs is not accepted")]
    Refused(#[source] rustls::Error),
}

/// The authority, ready to sign.
pub(crate) struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    bounds: Bounds,
    /// Where it is kept, if it is.
    folder: Option<PathBuf>,
}

impl Authority {
    /// Takes the one that is kept in the data folder, or makes one. Without a folder it is forgotten with
    /// the process.
    pub(crate) fn open(
        data: Option<&Path>,
        host: Option<&str>,
        addresses: &[IpAddr],
    ) -> Result<Self, AuthorityError> {
        let folder = data.map(|data| data.join(FOLDER));
        if let Some(folder) = &folder {
            crate::private::folder(folder).map_err(|source| AuthorityError::File {
                file: folder.clone(),
                source,
            })?;
            if let Some(kept) = Self::kept(folder)? {
                return Ok(kept);
            }
        }
        let key = KeyPair::generate()?;
        let host = host.unwrap_or("localhost").to_owned();
        let params = authority_params(&host, addresses);
        let certificate = params.self_signed(&key)?;
        if let Some(folder) = &folder {
            // The certificate last: it is looked for first.
            write(&folder.join(format!("{AUTHORITY}.key")), &key.serialize_pem())?;
            write(&folder.join(format!("{AUTHORITY}.crt")), &certificate.pem())?;
        }
        Ok(Self {
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            bounds: Bounds::of(certificate.der()),
            folder,
        })
    }

    /// The one that is kept in the data folder, if there is one.
    pub(crate) fn present(data: &Path) -> Result<Option<Self>, AuthorityError> {
        Self::kept(&data.join(FOLDER))
    }

    /// What is kept, unless it ends soon.
    fn kept(folder: &Path) -> Result<Option<Self>, AuthorityError> {
        let Some(pair) = read(folder, AUTHORITY)? else {
            return Ok(None);
        };
        let damaged = || AuthorityError::Damaged(folder.into());
        let PrivateKeyDer::Pkcs8(key) = &pair.key else {
            return Err(damaged());
        };
        let key = KeyPair::try_from(key.secret_pkcs8_der()).map_err(|_| damaged())?;
        let certificate = pair.chain.first().ok_or_else(damaged)?.clone();
        let parsed = Certificate::from_der(&certificate).map_err(|_| damaged())?;
        let subject = parsed.tbs_certificate().subject().to_string();
        let host = host_in(&subject).ok_or_else(damaged)?.to_owned();
        if pair.end().map_err(|_| damaged())? < now() + RENEW_BEFORE_DAYS * DAY {
            tracing::warn!(
                "the local authority ends; another one is made, which every device has to trust anew"
            );
            return Ok(None);
        }
        Ok(Some(Self {
            bounds: Bounds::of(&certificate),
            certificate,
            issuer: Issuer::new(authority_params(&host, &[]), key),
            folder: Some(folder.into()),
        }))
    }

    pub(crate) const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// What people compare: SHA-256 of the certificate.
    pub(crate) fn fingerprint(&self) -> String {
        let bytes = Sha256::digest(&self.certificate);
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// Of all that this machine is called, what this authority may sign for.
    pub(crate) fn names(&self, host: Option<&str>, addresses: &[IpAddr]) -> Names {
        let mut hosts = vec![String::from("localhost")];
        if let Some(host) = host {
            let label = host.split('.').next().unwrap_or(host);
            hosts.push(format!("{label}.local"));
            if self.bounds.permit_host(host) {
                hosts.push(host.to_owned());
            } else {
                tracing::warn!(
                    host,
                    "the authority was made under another name of this machine; use the one with .local, or remove \
                     the authority's folder"
                );
            }
        }
        let mut all = vec![
            IpAddr::from([127, 0, 0, 1]),
            IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16]),
        ];
        for &address in addresses {
            if self.bounds.permit_address(address) {
                all.push(address);
            } else {
                tracing::warn!(
                    %address,
                    "a public address that this machine had not when the authority was made; its certificate is not \
                     for it, unless the authority's folder is removed"
                );
            }
        }
        Names::new(hosts, all)
    }

    /// The server's certificate for these names: the one that is kept, or another one.
    pub(crate) fn leaf(&self, names: &Names) -> Result<Pair, AuthorityError> {
        if let Some(folder) = &self.folder
            && let Ok(Some(kept)) = read(folder, LEAF)
            && kept.names() == *names
            // Who was killed between the two files left a certificate with another one's key.
            && kept.goes_together()
            && self.check(&kept, names, RENEW_BEFORE_DAYS * DAY).is_ok()
        {
            return Ok(kept);
        }
        let key = KeyPair::generate()?;
        let certificate = leaf_params(names)?.signed_by(&key, &self.issuer)?;
        let pair = Pair {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        };
        self.check(&pair, names, DAY).map_err(AuthorityError::Refused)?;
        if let Some(folder) = &self.folder {
            write(&folder.join(format!("{LEAF}.key")), &key.serialize_pem())?;
            write(&folder.join(format!("{LEAF}.crt")), &certificate.pem())?;
        }
        Ok(pair)
    }

    /// Whether somebody who trusts this authority would still believe a certificate after this time.
    fn check(&self, pair: &Pair, names: &Names, after: Duration) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let then = UnixTime::since_unix_epoch(now() + after);
        let leaf = pair.chain.first().ok_or(rustls::Error::NoCertificatesPresented)?;
        let hosts = names.hosts.iter().map(|host| ServerName::try_from(host.as_str()));
        let addresses = names
            .addresses
            .iter()
            .map(|address| Ok(ServerName::from(*address)));
        for name in hosts.chain(addresses) {
            let name = name.map_err(|_: rustls::pki_types::InvalidDnsNameError| {
                rustls::Error::General("a name that is none".into())
            })?;
            verifier.verify_server_cert(leaf, &[], &name, &[], then)?;
        }
        Ok(())
    }
}

fn now() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// What everything signed here says of its issuer.
fn authority_name(host: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Visavis");
    name.push(DnType::CommonName, format!("Visavis local authority ({host})"));
    name
}

/// The machine's name out of that.
fn host_in(subject: &str) -> Option<&str> {
    let (host, _) = subject.split_once('(')?.1.split_once(')')?;
    (!host.is_empty()).then_some(host)
}

/// What an authority may sign for, as its own certificate says.
struct Bounds {
    hosts: Vec<String>,
    networks: Vec<Network>,
}

impl Bounds {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "an authority of ours bounds nothing else"
    )]
    fn of(certificate: &CertificateDer<'_>) -> Self {
        let (mut hosts, mut networks) = (Vec::new(), Vec::new());
        if let Ok(certificate) = Certificate::from_der(certificate)
            && let Ok(Some((_, constraints))) = certificate
                .tbs_certificate()
                .get_extension::<pkix::NameConstraints>()
        {
            for subtree in constraints.permitted_subtrees.iter().flatten() {
                match &subtree.base {
                    GeneralName::DnsName(host) => hosts.push(host.as_str().to_owned()),
                    GeneralName::IpAddress(bytes) => networks.extend(network(bytes.as_bytes())),
                    _ => {}
                }
            }
        }
        Self { hosts, networks }
    }

    fn permit_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|parent| {
            let rest = host.strip_suffix(parent.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    fn permit_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// An address and a mask, each in as many bytes.
fn network(bytes: &[u8]) -> Option<Network> {
    let (address, mask) = bytes.split_at(bytes.len() / 2);
    let address = match *address {
        [a, b, c, d] => IpAddr::from([a, b, c, d]),
        _ => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
    };
    let prefix: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    format!("{address}/{prefix}").parse().ok()
}

/// `addresses` are those of the machine, of which the public ones are permitted as well.
fn authority_params(host: &str, addresses: &[IpAddr]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = authority_name(host);
    let begin = SystemTime::now() - DAY;
    params.not_before = begin.into();
    params.not_after = (begin + AUTHORITY_DAYS * DAY).into();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let names = ["localhost", "local", host].map(|name| GeneralSubtree::DnsName(name.into()));
    let networks = NETWORKS.iter().filter_map(|text| {
        let (address, prefix) = text.split_once('/')?;
        let subnet = CidrSubnet::from_addr_prefix(address.parse().ok()?, prefix.parse().ok()?);
        Some(GeneralSubtree::IpAddress(subnet))
    });
    let own = addresses.iter().map(|&address| {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
    });
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.into_iter().chain(networks).chain(own).collect(),
        excluded_subtrees: Vec::new(),
    });
    params
}

fn leaf_params(names: &Names) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    // No common name: where there is one, some take it for a host.
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Visavis");
    let begin = SystemTime::now() - DAY;
    params.not_before = begin.into();
    params.not_after = (begin + (LEAF_DAYS + 1) * DAY).into();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    for host in &names.hosts {
        params
            .subject_alt_names
            .push(SanType::DnsName(host.as_str().try_into()?));
    }
    let addresses = names.addresses.iter().copied().map(SanType::IpAddress);
    params.subject_alt_names.extend(addresses);
    Ok(params)
}

/// A pair of files of this name, if the certificate is there.
fn read(folder: &Path, name: &str) -> Result<Option<Pair>, AuthorityError> {
    let text = |end: &str| {
        let file = folder.join(format!("{name}.{end}"));
        fs::read(&file).map_err(|source| AuthorityError::File { file, source })
    };
    let certificate = match text("crt") {
        Ok(bytes) => bytes,
        Err(AuthorityError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let damaged = |_| AuthorityError::Damaged(folder.into());
    Ok(Some(Pair {
        chain: vec![CertificateDer::from_pem_slice(&certificate).map_err(damaged)?],
        key: PrivateKeyDer::from_pem_slice(&text("key")?).map_err(damaged)?,
    }))
}

/// Writes a file that only this user reads, whole or not at all.
fn write(file: &Path, text: &str) -> Result<(), AuthorityError> {
    let wrong = |source| AuthorityError::File {
        file: file.into(),
        source,
    };
    let part = file.with_extension("part");
    // What is left of an attempt may have other rights.
    let _ = fs::remove_file(&part);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = |mut part: File| part.write_all(text.as_bytes()).and_then(|()| part.sync_all());
    options.open(&part).and_then(write).map_err(wrong)?;
    fs::rename(&part, file).map_err(wrong)
}

#[cfg(test)]
mod tests;
