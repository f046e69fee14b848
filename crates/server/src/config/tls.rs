//! How the listener encrypts.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::read::ConfigError;

/// Whether the server speaks TLS itself, and what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TlsSetting {
    /// It speaks plain HTTP; a proxy may do TLS.
    #[default]
    Off,
    /// A certificate that the operator has.
    Files(TlsFiles),
    /// A certificate of an authority of its own, which people tell their devices to trust.
    Local,
}

/// Where a certificate and its key are (PEM).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and behind it those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The settings as they are written.
pub(super) struct WrittenTls {
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) local: bool,
    pub(super) redirect: Option<String>,
}

impl WrittenTls {
    /// What they come to, with the address that only leads to HTTPS.
    pub(super) fn check(self) -> Result<(TlsSetting, Option<SocketAddr>), ConfigError> {
        let wrong = |text: String| Err(ConfigError::Value(text));
        let setting = match (self.certificate, self.key, self.local) {
            (None, None, false) => TlsSetting::Off,
            (None, None, true) => TlsSetting::Local,
            (Some(certificate), Some(key), false) => TlsSetting::Files(TlsFiles { certificate, key }),
            (Some(_), Some(_), true) => {
                return wrong("tls_local: tls_cert and tls_key are given too; choose one".into());
            }
            (Some(_), None, _) => return wrong("tls_cert: it needs its key, tls_key".into()),
            (None, Some(_), _) => return wrong("tls_key: it needs its certificate, tls_cert".into()),
        };
        let Some(redirect) = self.redirect else {
            return Ok((setting, None));
        };
        if setting == TlsSetting::Off {
            return wrong(
                "http_redirect: it leads to https, which needs tls_cert and tls_key, or tls_local".into(),
            );
        }
        match redirect.parse() {
            Ok(address) => Ok((setting, Some(address))),
            Err(_) => wrong(format!("http_redirect: `{redirect}` is not like 0.0.0.0:80")),
        }
    }
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "the signature of figment's test jail")]
mod tests {
    use figment::Jail;

    use super::super::read::tests::with_flags;
    use super::*;

    #[test]
    fn a_certificate_comes_with_its_key_or_is_made_here() {
        Jail::expect_with(|jail| {
            assert_eq!(with_flags(&[]).unwrap().tls, TlsSetting::Off);
            assert_eq!(with_flags(&["--tls-local"]).unwrap().tls, TlsSetting::Local);
            let files = TlsSetting::Files(TlsFiles {
                certificate: "a.pem".into(),
                key: "b.pem".into(),
            });
            let flags = ["--tls-cert", "a.pem", "--tls-key", "b.pem"];
            assert_eq!(with_flags(&flags).unwrap().tls, files);
            jail.create_file(
                "visavis.toml",
                "tls_local = true\nhttp_redirect = \"127.0.0.1:80\"",
            )?;
            let config = with_flags(&["--config", "visavis.toml"]).unwrap();
            assert_eq!(config.tls, TlsSetting::Local);
            assert_eq!(config.http_redirect, Some("127.0.0.1:80".parse().unwrap()));
            jail.set_env("VISAVIS_TLS_CERT", "a.pem");
            jail.set_env("VISAVIS_TLS_KEY", "b.pem");
            assert_eq!(with_flags(&[]).unwrap().tls, files);
            Ok(())
        });
    }

    #[test]
    fn half_a_pair_two_ways_at_once_and_a_redirect_to_nowhere_are_refused_by_name() {
        for (flags, named) in [
            (&["--tls-cert", "a.pem"][..], "tls_cert"),
            (&["--tls-key", "b.pem"], "tls_key"),
            (&["--tls-key", "b.pem", "--tls-local"], "tls_key"),
            (&["--tls-cert", "a", "--tls-key", "b", "--tls-local"], "tls_local"),
            (&["--http-redirect", "0.0.0.0:80"], "http_redirect"),
            (&["--tls-local", "--http-redirect", "somewhere"], "somewhere"),
        ] {
            let ConfigError::Value(text) = with_flags(flags).unwrap_err() else {
                panic!("{flags:?}");
            };
            assert!(text.contains(named), "{text}");
        }
    }
}
