//! The server's own TLS: what it would show, looked at without showing it.

use std::time::SystemTime;

use super::Finding;
use super::tls::judge;
use crate::Config;
use crate::config::TlsSetting;
use crate::tls::{Authority, Names, Pair, PairError};

/// Whether the pair of the settings could be shown; nothing where TLS is off.
pub(super) fn check(config: &Config) -> Option<Finding> {
    match &config.tls {
        TlsSetting::Off => None,
        TlsSetting::Files(files) => {
            let finding = shown(Pair::read(files)).unwrap_or_else(|error| Finding::Broken(told(&error)));
            Some(finding)
        }
        TlsSetting::Local => Some(local(config)),
    }
}

/// What there is to say of a pair that was read.
fn shown(pair: Result<Pair, PairError>) -> Result<Finding, PairError> {
    let pair = pair?;
    let (names, end) = (pair.names(), pair.end()?);
    pair.into_config()?;
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let days = end.saturating_sub(now).as_secs() / (24 * 60 * 60);
    let about = format!("tls_cert, for {}, {days} days left", list(&names));
    Ok(judge(end, now).about(&about))
}

/// The local authority as it is kept. The doctor makes none.
fn local(config: &Config) -> Finding {
    let Some(folder) = &config.data_dir else {
        return Finding::Doubtful(
            "tls_local: no data folder is set, so every start makes another authority that devices do not trust".into(),
        );
    };
    match Authority::present(folder) {
        Ok(Some(authority)) => Finding::Fine(format!(
            "tls_local: the authority is there, its fingerprint is {}",
            authority.fingerprint()
        )),
        Ok(None) => Finding::Fine("tls_local: the authority will be made at the start".into()),
        Err(error) => Finding::Broken(told(&error)),
    }
}

fn list(names: &Names) -> String {
    let addresses = names.addresses.iter().map(ToString::to_string);
    let all: Vec<String> = names.hosts.iter().cloned().chain(addresses).collect();
    if all.is_empty() {
        "no name".into()
    } else {
        all.join(", ")
    }
}

/// An error and what it came from.
fn told(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;
    use crate::config::TlsFiles;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_pair_is_judged_as_browsers_and_the_server_would() {
        let folder = Folder(std::env::temp_dir().join(format!("visavis-doctor-pair-{}", std::process::id())));
        fs::create_dir_all(&folder.0).unwrap();
        let files = TlsFiles {
            certificate: folder.0.join("cert.pem"),
            key: folder.0.join("key.pem"),
        };
        let config = Config {
            tls: TlsSetting::Files(files.clone()),
            ..Config::default()
        };
        let found = || check(&config).unwrap();
        let missing = found();
        assert!(
            matches!(&missing, Finding::Broken(text) if text.starts_with("tls_cert: ")),
            "{missing}"
        );
        let write = |end_year| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(["meet.example".to_owned()]).unwrap();
            params.not_after = date_time_ymd(end_year, 1, 1);
            fs::write(&files.certificate, params.self_signed(&key).unwrap().pem()).unwrap();
            fs::write(&files.key, key.serialize_pem()).unwrap();
        };
        write(2999);
        let fine = found();
        assert!(
            matches!(&fine, Finding::Fine(text) if text.contains("for meet.example") && text.contains("days left")),
            "{fine}"
        );
        fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        let other = found();
        assert!(
            matches!(&other, Finding::Broken(text) if text.starts_with("tls_key: ")),
            "{other}"
        );
        write(2001);
        assert!(matches!(found(), Finding::Broken(_)));
        fs::write(&files.certificate, "nonsense").unwrap();
        assert!(matches!(found(), Finding::Broken(_)));
    }

    #[test]
    fn a_local_authority_is_looked_for_and_not_made() {
        let folder =
            Folder(std::env::temp_dir().join(format!("visavis-doctor-local-{}", std::process::id())));
        let mut config = Config {
            tls: TlsSetting::Local,
            ..Config::default()
        };
        assert!(matches!(check(&config), Some(Finding::Doubtful(_))));
        config.data_dir = Some(folder.0.clone());
        assert!(matches!(check(&config), Some(Finding::Fine(_))));
        assert!(!folder.0.exists());
        let authority = Authority::open(Some(&folder.0), None, &[]).unwrap();
        let finding = check(&config).unwrap();
        assert!(
            finding.to_string().contains(&authority.fingerprint()),
            "{finding}"
        );
    }
}
