//! A certificate and its key: read from files, judged, made ready to be shown.

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::Names;
use crate::config::TlsFiles;

/// A file with more than this holds no certificate chain.
const FILE_BYTES: u64 = 1024 * 1024;

/// Why a certificate and a key cannot be shown. Begins with the name of the setting.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// A file cannot be read.
    #[error("{setting}: {} cannot be read", file.display())]
    File {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{setting}: {} holds no {wanted} (PEM)", file.display())]
    Empty {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        file: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// The key is that of another certificate.
    #[error("tls_key: it is not the key of the certificate in tls_cert")]
    Mismatch,
    /// The certificate or the key is of no use for TLS.
    #[error("tls_cert: the pair cannot be used")]
    Unusable(#[source] rustls::Error),
    /// The certificate cannot be understood.
    #[error("tls_cert: the first certificate cannot be understood")]
    Unreadable,
    /// The certificate has ended.
    #[error("tls_cert: the certificate ended on {0}")]
    Ended(String),
}

/// A certificate with those behind it, and its key.
pub(crate) struct Pair {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Pair {
    /// Reads both files.
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, PairError> {
        let chain = pem::<CertificateDer<'static>>("tls_cert", &files.certificate, "certificate")?;
        let key = pem::<PrivateKeyDer<'static>>("tls_key", &files.key, "private key")?;
        let Some(key) = key.into_iter().next() else {
            return Err(PairError::Empty {
                setting: "tls_key",
                file: files.key.clone(),
                wanted: "private key",
            });
        };
        Ok(Self { chain, key })
    }

    /// When the certificate ends, since 1970.
    pub(crate) fn end(&self) -> Result<Duration, PairError> {
        let first = self.chain.first().ok_or(PairError::Unreadable)?;
        let certificate = Certificate::from_der(first).map_err(|_| PairError::Unreadable)?;
        let end = certificate.tbs_certificate().validity().not_after;
        Ok(end.to_unix_duration())
    }

    /// What the certificate is for.
    pub(crate) fn names(&self) -> Names {
        self.chain.first().map_or_else(Names::default, Names::of)
    }

    /// Whether the key is that of the certificate, and both can be used.
    pub(crate) fn goes_together(&self) -> bool {
        let copy = Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
        };
        copy.into_config().is_ok()
    }

    /// What a listener speaks TLS with.
    pub(crate) fn into_config(self) -> Result<Arc<ServerConfig>, PairError> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(PairError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key);
        let mut config = config.map_err(|error| {
            if error == rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) {
                PairError::Mismatch
            } else {
                PairError::Unusable(error)
            }
        })?;
        // WebSockets are upgraded from HTTP/1.1 here, and nothing else is spoken.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// All of one kind that a PEM file holds, at least one.
fn pem<T: PemObject>(setting: &'static str, file: &Path, wanted: &'static str) -> Result<Vec<T>, PairError> {
    let bytes = bytes(file).map_err(|source| PairError::File {
        setting,
        file: file.into(),
        source,
    })?;
    let all: Result<Vec<T>, _> = T::pem_slice_iter(&bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) | Err(_) => Err(PairError::Empty {
            setting,
            file: file.into(),
            wanted,
        }),
    }
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(file)?.len() > FILE_BYTES {
        return Err(io::Error::other("it is too large"));
    }
    fs::read(file)
}
