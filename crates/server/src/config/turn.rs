//! The settings of TURN servers that share a secret with us.

use core::time::Duration;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::ice_url::IceUrl;
use super::read::ConfigError;
use crate::hub::{TurnConfig, TurnSecret};

/// For how long credentials are good if nothing else is said: a call changes its network at least
/// as often, and what a thief has of them ends soon.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
/// Shorter ones would end while a browser still gathers.
const SHORTEST_SECONDS: u64 = 30;
/// Longer ones are as good as passwords.
const LONGEST_SECONDS: u64 = 7 * 24 * 60 * 60;
/// A file with more than this is not one with a secret.
const SECRET_FILE_BYTES: u64 = 4096;

/// The settings as they are written.
pub(super) struct WrittenTurn {
    pub(super) urls: Vec<String>,
    pub(super) secret: Option<TurnSecret>,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) lifetime_seconds: Option<u64>,
}

/// Reads `turn_secret` without repeating it in a complaint.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TurnSecret>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    let complaint = match Written::deserialize(deserializer)? {
        Written::Text(text) => match TurnSecret::new(&text) {
            Some(secret) => return Ok(Some(secret)),
            None => "it is empty",
        },
        Written::Other(_) => "it is to be a text in quotes",
    };
    Err(serde::de::Error::custom(complaint))
}

impl WrittenTurn {
    /// What the hub is told; nothing if nothing is set.
    pub(super) fn check(self) -> Result<Option<TurnConfig>, ConfigError> {
        let wrong = |text: &str| Err(ConfigError::Value(text.into()));
        let secret = match (self.secret, self.secret_file) {
            (Some(_), Some(_)) => {
                return wrong("turn_secret: it is given, and turn_secret_file too; choose one");
            }
            (Some(secret), None) => Some(secret),
            (None, Some(file)) => Some(read(&file)?),
            (None, None) => None,
        };
        for url in &self.urls {
            if IceUrl::has_user(url) {
                return wrong(
                    "turn_url: no user stands in it; a name and a password are made from turn_secret",
                );
            }
            let place = IceUrl::parse(url)
                .map_err(|error| ConfigError::Value(format!("turn_url: `{url}`: {error}")))?;
            if !place.relays {
                let text = format!("turn_url: `{url}` is none of TURN; write it with --ice-server");
                return Err(ConfigError::Value(text));
            }
        }
        let lifetime = match self.lifetime_seconds {
            None => LIFETIME,
            Some(seconds @ SHORTEST_SECONDS..=LONGEST_SECONDS) => Duration::from_secs(seconds),
            Some(_) => {
                return Err(ConfigError::Value(format!(
                    "turn_lifetime: from {SHORTEST_SECONDS} to {LONGEST_SECONDS} seconds"
                )));
            }
        };
        match (secret, self.urls) {
            (None, urls) if urls.is_empty() => Ok(None),
            (None, _) => {
                wrong("turn_url: it wants turn_secret_file, with the secret that the TURN server has too")
            }
            (Some(_), urls) if urls.is_empty() => {
                wrong("turn_secret: it wants turn_url, for it is of no use without a TURN server")
            }
            (Some(secret), urls) => Ok(Some(TurnConfig {
                urls,
                secret,
                lifetime,
            })),
        }
    }
}

fn read(file: &Path) -> Result<TurnSecret, ConfigError> {
    let complain = |error: &str| ConfigError::Value(format!("turn_secret_file: {}: {error}", file.display()));
    let bytes = std::fs::metadata(file).map_err(|error| complain(&error.to_string()))?;
    if bytes.len() > SECRET_FILE_BYTES {
        return Err(complain("it is too long for a secret"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| complain(&error.to_string()))?;
    let secret = TurnSecret::new(&text).ok_or_else(|| complain("it is empty"))?;
    if text.trim().contains(char::is_whitespace) {
        return Err(complain("there is to be the secret in it and nothing else"));
    }
    Ok(secret)
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "the signature of figment's test jail")]
mod tests {
    use figment::Jail;

    use super::super::read::tests::with_flags;
    use super::*;

    const URL: [&str; 2] = ["--turn-url", "turn:turn.example"];

    #[test]
    fn the_secret_comes_from_a_file_or_the_environment_and_is_shown_nowhere() {
        Jail::expect_with(|jail| {
            jail.create_file("secret", "north-star\n")?;
            let flags = [
                &URL[..],
                &["--turn-url", "turns:turn.example:443?transport=tcp"],
                &["--turn-secret-file", "secret", "--turn-lifetime", "30"],
            ]
            .concat();
            let config = with_flags(&flags).unwrap();
            let turn = config.hub.turn.clone().unwrap();
            assert_eq!(turn.secret, TurnSecret::new("north-star").unwrap());
            assert_eq!((turn.urls.len(), turn.lifetime.as_secs()), (2, 30));
            assert!(!format!("{config:?}").contains("north"));

            // A variable's text is taken as it stands, also where it looks like a number.
            jail.set_env("VISAVIS_TURN_SECRET", "00123");
            jail.set_env("VISAVIS_TURN_URL", "turn:a.example turn:b.example?transport=tcp");
            let turn = with_flags(&[]).unwrap().hub.turn.unwrap();
            assert_eq!(turn.secret, TurnSecret::new("00123").unwrap());
            assert_eq!((turn.urls.len(), turn.lifetime), (2, LIFETIME));
            Ok(())
        });
        Jail::expect_with(|jail| {
            let text = "turn_url = [\"turn:turn.example\"]\nturn_secret = \"north-star\"\nturn_lifetime = 60";
            jail.create_file("visavis.toml", text)?;
            let turn = with_flags(&["--config", "visavis.toml"])
                .unwrap()
                .hub
                .turn
                .unwrap();
            assert_eq!((turn.urls.len(), turn.lifetime.as_secs()), (1, 60));
            Ok(())
        });
    }

    #[test]
    fn what_cannot_work_is_refused_without_repeating_the_secret() {
        Jail::expect_with(|jail| {
            jail.create_file("secret", "north-star")?;
            jail.create_file("empty", " \n")?;
            jail.create_file("list", "north-star\nsouth-star")?;
            jail.create_file("number.toml", "turn_url = \"turn:a.example\"\nturn_secret = 4711")?;
            jail.create_file(
                "both.toml",
                "turn_url = \"turn:a.example\"\nturn_secret = \"north-star\"",
            )?;
            let secret = ["--turn-secret-file", "secret"];
            for (flags, named) in [
                (URL.to_vec(), "turn_url: it wants turn_secret_file"),
                (secret.to_vec(), "turn_secret: it wants turn_url"),
                ([URL, ["--turn-secret-file", "absent"]].concat(), "absent"),
                ([URL, ["--turn-secret-file", "empty"]].concat(), "is empty"),
                ([URL, ["--turn-secret-file", "list"]].concat(), "nothing else"),
                ([secret, ["--turn-url", "turn.example"]].concat(), "turn.example"),
                (
                    [secret, ["--turn-url", "stun:a.example"]].concat(),
                    "--ice-server",
                ),
                ([secret, ["--turn-url", "turn:"]].concat(), "turn:"),
                (
                    [secret, ["--turn-url", "turn:a.example:0"]].concat(),
                    "a.example:0",
                ),
                ([secret, ["--turn-url", "turn:a:99999"]].concat(), "a:99999"),
                (
                    [secret, ["--turn-url", "turn:a?transport=sctp"]].concat(),
                    "transport",
                ),
                (
                    [secret, ["--turn-url", "turn:ada:north-star@a"]].concat(),
                    "no user",
                ),
                (
                    [&secret[..], &URL, &["--turn-lifetime", "29"]].concat(),
                    "turn_lifetime",
                ),
                (vec!["--config", "number.toml"], "text in quotes"),
                (
                    [["--config", "both.toml"], secret].concat(),
                    "turn_secret_file too",
                ),
            ] {
                let error = with_flags(&flags).unwrap_err();
                let ConfigError::Value(text) = error else {
                    panic!("{error}");
                };
                assert!(text.contains(named), "{flags:?}: {text}");
                assert!(!text.contains('\n'), "{text}");
                assert!(!text.contains("north") && !text.contains("4711"), "{text}");
            }
            Ok(())
        });
    }
}
