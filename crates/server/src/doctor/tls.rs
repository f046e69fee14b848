//! TLS as a browser would do it: with the machine's certificate authorities, for one name.
//!
//! There is no way round the check of the certificate: where it fails, nothing is asked.

use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::Finding;
use super::wire::{self, Wire};
use crate::tls::day;

/// A certificate with less time than this should have been renewed: those for 90 days are with 30
/// left, by the usual programs.
const RENEW_BEFORE: Duration = Duration::from_hours(14 * 24);

/// Whose signatures count.
pub(super) enum Trust {
    /// Those of these authorities.
    Roots(Arc<ClientConfig>),
    /// Nobody's, and why.
    Nobody(String),
}

/// A connection that was encrypted, and what there is to say of the certificate.
pub(super) struct Secured {
    pub(super) stream: StreamOwned<ClientConnection, Wire>,
    pub(super) certificate: Finding,
}

impl Trust {
    /// The authorities that this machine trusts; those of a file if `SSL_CERT_FILE` names one.
    pub(super) fn of_system() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Self::Nobody(
                "its certificate cannot be judged: this machine knows no certificate authorities; the system's \
                 package ca-certificates brings them, or SSL_CERT_FILE names a file"
                    .into(),
            );
        }
        Self::of(roots)
    }

    /// These and no others.
    pub(super) fn of(roots: RootCertStore) -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions();
        match config {
            Ok(config) => Self::Roots(Arc::new(
                config.with_root_certificates(roots).with_no_client_auth(),
            )),
            Err(error) => Self::Nobody(format!("TLS cannot be used: {error}")),
        }
    }

    /// Encrypts a connection to a host, and judges its certificate. `protocols` are offered (ALPN).
    pub(super) fn secure(&self, mut wire: Wire, host: &str, protocols: &[&[u8]]) -> Result<Secured, Finding> {
        let mut config = match self {
            Self::Roots(config) => ClientConfig::clone(config),
            Self::Nobody(why) => return Err(Finding::Doubtful(why.clone())),
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Finding::Broken("no certificate can be for such a name".into()))?;
        let mut connection = ClientConnection::new(Arc::new(config), name)
            .map_err(|error| Finding::Broken(format!("TLS cannot be used: {error}")))?;
        while connection.is_handshaking() {
            connection
                .complete_io(&mut wire)
                .map_err(|error| Finding::Broken(fault(&error)))?;
        }
        let certificate = connection.peer_certificates().and_then(|chain| chain.first());
        let certificate = match certificate.map(|leaf| Certificate::from_der(leaf)) {
            Some(Ok(leaf)) => {
                let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
                judge(
                    leaf.tbs_certificate().validity().not_after.to_unix_duration(),
                    now,
                )
            }
            Some(Err(_)) | None => Finding::Doubtful("when its certificate ends cannot be read".into()),
        };
        Ok(Secured {
            stream: StreamOwned::new(connection, wire),
            certificate,
        })
    }
}

/// What the end of a certificate means now; both since 1970.
pub(super) fn judge(end: Duration, now: Duration) -> Finding {
    let day = day(end);
    if end < now {
        Finding::Broken(format!("its certificate ended on {day}"))
    } else if end < now + RENEW_BEFORE {
        Finding::Doubtful(format!(
            "its certificate is good only until {day}; what renews it seems not to run"
        ))
    } else {
        Finding::Fine(format!("its certificate is good until {day}"))
    }
}

/// Why a connection could not be encrypted, in words.
fn fault(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(fault)) => certificate_fault(fault),
        Some(rustls::Error::InvalidMessage(_)) => "what answers there does not speak TLS".into(),
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("it refuses TLS ({alert:?}); it may have no certificate for this name")
        }
        Some(rustls::Error::PeerIncompatible(_)) => {
            "it offers only TLS that browsers no longer take; 1.2 or 1.3 is wanted".into()
        }
        Some(other) => format!("TLS fails: {other}"),
        None => wire::plain(error),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls' errors are an open set")]
fn certificate_fault(fault: &CertificateError) -> String {
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => {
            let day = day(Duration::from_secs(not_after.as_secs()));
            format!("its certificate ended on {day}; renew it, and see why nothing did")
        }
        CertificateError::Expired => "its certificate has ended; renew it".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not good yet; this machine's clock may be wrong".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".into()
        }
        CertificateError::UnknownIssuer => {
            "its certificate is signed by nobody whom this machine trusts: it is self-made, or the proxy does not \
             send the certificates between it and its authority"
                .into()
        }
        other => format!("its certificate is not accepted: {other}"),
    }
}

#[cfg(test)]
pub(super) mod tests;
