//! TLS at the server's own door: what it shows, and how a connection becomes an encrypted one.
//!
//! Nothing here decides what is answered. A certificate that cannot be used is found at the start;
//! one that comes later and cannot be used changes nothing.

mod authority;
mod names;
mod pair;
mod wire;

use core::time::Duration;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::{fmt, io};

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};
use x509_cert::der::DateTime;

pub(crate) use authority::Authority;
pub use authority::AuthorityError;
pub(crate) use names::Names;
pub(crate) use pair::Pair;
pub use pair::PairError;
pub(crate) use wire::Wire;

use crate::config::{TlsFiles, TlsSetting};
use crate::{driver, lan};

/// What a TLS connection begins with: a record of the kind handshake (RFC 8446, section 5.1). No
/// request of HTTP begins so.
const HANDSHAKE: u8 = 0x16;

/// Why the server cannot encrypt.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The operator's pair cannot be used.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// There is no local authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// Where what is shown comes from.
enum Source {
    Files(TlsFiles),
    Local(Box<Authority>),
}

/// What is shown now.
struct Shown {
    config: Arc<ServerConfig>,
    names: Names,
    /// The address by which the local network knows this machine, for people to type.
    lan: Option<IpAddr>,
}

/// The server's TLS.
pub(crate) struct Tls {
    source: Source,
    listening: IpAddr,
    shown: RwLock<Arc<Shown>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads or makes what is to be shown; nothing if TLS is off. `data` is the data folder.
    pub(crate) fn open(
        setting: TlsSetting,
        data: Option<&PathBuf>,
        listening: IpAddr,
    ) -> Result<Option<Arc<Self>>, TlsError> {
        let source = match setting {
            TlsSetting::Off => return Ok(None),
            TlsSetting::Files(files) => Source::Files(files),
            TlsSetting::Local => {
                if data.is_none() {
                    warn!(
                        "no data folder is set: the local authority is forgotten with this process, and every device \
                         has to trust another one after a restart"
                    );
                }
                let (host, addresses) = (lan::host_name(), lan::addresses());
                let authority = Authority::open(data.map(PathBuf::as_path), host.as_deref(), &addresses)?;
                info!(
                    fingerprint = authority.fingerprint(),
                    "the local authority (SHA-256)"
                );
                Source::Local(Box::new(authority))
            }
        };
        let (shown, end) = source.show(listening)?;
        if end < driver::unix_time() {
            warn!(on = day(end), "the certificate has ended: browsers refuse it");
        } else {
            info!(until = day(end), "speaking TLS");
        }
        Ok(Some(Arc::new(Self {
            source,
            listening,
            shown: RwLock::new(Arc::new(shown)),
        })))
    }

    /// Reads the pair again, or makes what the machine's new addresses want. Connections that are open
    /// go on with what they were shown.
    pub(crate) fn reload(&self) {
        match self.source.show(self.listening) {
            Ok((_, end)) if end < driver::unix_time() => {
                warn!(error = %PairError::Ended(day(end)), "the former certificate stays");
            }
            Ok((shown, end)) => {
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shown);
                info!(until = day(end), "showing the certificate that was read again");
            }
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                warn!(%error, source, "the former certificate stays");
            }
        }
    }

    fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the certificate is for a host, in lower case and without brackets and port.
    pub(crate) fn is_for(&self, host: &str) -> bool {
        self.shown().names.contain(host)
    }

    /// A name in the certificate that a person could type.
    pub(crate) fn name(&self) -> Option<String> {
        self.shown().names.first().map(Into::into)
    }

    /// The address by which the local network knows this machine.
    pub(crate) fn lan(&self) -> Option<IpAddr> {
        self.shown().lan
    }

    /// The local authority's certificate and its fingerprint, if there is one.
    pub(crate) fn authority(&self) -> Option<(&CertificateDer<'static>, String)> {
        match &self.source {
            Source::Files(_) => None,
            Source::Local(authority) => Some((authority.certificate(), authority.fingerprint())),
        }
    }

    /// Looks how a connection begins, and encrypts it if it begins so. Whoever calls bounds the time.
    pub(crate) async fn greet(&self, stream: TcpStream) -> io::Result<Wire> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if first != [HANDSHAKE] {
            return Ok(Wire::Plain(stream));
        }
        let acceptor = TlsAcceptor::from(Arc::clone(&self.shown().config));
        Ok(Wire::Secure(Box::new(acceptor.accept(stream).await?)))
    }
}

impl Source {
    /// What it has now, and when that ends.
    fn show(&self, listening: IpAddr) -> Result<(Shown, Duration), TlsError> {
        let pair = match self {
            Self::Files(files) => Pair::read(files)?,
            Self::Local(authority) => {
                let names = authority.names(lan::host_name().as_deref(), &lan::addresses());
                authority.leaf(&names)?
            }
        };
        let (names, end) = (pair.names(), pair.end()?);
        let lan = match self {
            Self::Files(_) => lan::address(listening),
            Self::Local(_) => certified(listening, &names),
        };
        let shown = Shown {
            config: pair.into_config()?,
            names,
            lan,
        };
        Ok((shown, end))
    }
}

/// The address by which others reach what listens there and believe it: the best known, or another one.
fn certified(listening: IpAddr, names: &Names) -> Option<IpAddr> {
    let best = lan::address(listening)?;
    let is_reached = |address: &IpAddr| {
        listening.is_unspecified() && !address.is_loopback() && (address.is_ipv4() || listening.is_ipv6())
    };
    if names.addresses.contains(&best) {
        return Some(best);
    }
    names.addresses.iter().copied().find(is_reached)
}

/// The day of a moment since 1970, in UTC.
pub(crate) fn day(moment: Duration) -> String {
    DateTime::from_unix_duration(moment).map_or_else(
        |_| "an unreadable day".into(),
        |date| format!("{}-{:02}-{:02}", date.year(), date.month(), date.day()),
    )
}
