//! Reads the configuration from flags, environment and file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Deserializer, Serialize};
use visavis_protocol::{Handle, IceServer};

use super::limits::{self, NAMES};
use super::tls::WrittenTls;
use super::token::WrittenTokens;
use super::turn::{self, WrittenTurn};
use super::{Config, MetricsAccess, check_ice_server, ice_server};
use crate::hub::TurnSecret;

/// What environment variables begin with.
const PREFIX: &str = "VISAVIS_";

/// Settings that an environment variable can give, besides `limits` and [`TURN_SECRET`].
const SETTINGS: &[&str] = &[
    "listen",
    "data_dir",
    "assets",
    "tls_cert",
    "tls_key",
    "tls_local",
    "http_redirect",
    "public_origin",
    "trusted_proxy",
    "ice_server",
    "turn_url",
    "turn_secret_file",
    "turn_lifetime",
    "people_token_key_file",
    "people_token_secret_file",
    "people_token_issuer",
    "people_token_audience",
    "metrics",
    "log",
    "threads",
];

/// Read apart, as it stands: the others are taken for numbers where they look like some.
const TURN_SECRET: &str = "turn_secret";

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `--help`, `--version`, or flags that cannot be read. Prints itself as a whole.
    #[error("{0}")]
    Flags(clap::Error),
    /// A value that cannot be used.
    #[error("{0}")]
    Value(String),
}

/// What the program is started for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Serve the client and carry its signaling.
    #[default]
    Serve,
    /// Check ports, folders, STUN and TURN servers of the same settings, and say what is wrong.
    Doctor,
    /// Take a handle from whoever has it.
    FreeHandle(Handle),
}

/// The same as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum TaskName {
    /// Serve the client and carry its signaling.
    #[default]
    Serve,
    /// Check ports, folders, STUN and TURN servers of the same settings, and say what is wrong.
    Doctor,
    /// Take a handle whose key was lost from whoever has it: contacts and missed calls go with it.
    FreeHandle,
}

fn task(name: TaskName, handle: Option<&str>) -> Result<Task, ConfigError> {
    let wrong = |text: String| Err(ConfigError::Value(text));
    match (name, handle) {
        (TaskName::Serve, None) => Ok(Task::Serve),
        (TaskName::Doctor, None) => Ok(Task::Doctor),
        (TaskName::FreeHandle, None) => wrong("free-handle: which handle? Write `free-handle ada`".into()),
        (TaskName::FreeHandle, Some(text)) => match Handle::read(text) {
            Ok(handle) => Ok(Task::FreeHandle(handle)),
            Err(error) => wrong(format!("free-handle: `{}`: {error}", text.escape_debug())),
        },
        (TaskName::Serve | TaskName::Doctor, Some(text)) => {
            wrong(format!("`{}` is for free-handle alone", text.escape_debug()))
        }
    }
}

/// Serves the Visavis client and carries its signaling.
///
/// Every option can also be given as an environment variable (`--public-origin` as
/// VISAVIS_PUBLIC_ORIGIN, several separated by spaces) or in the file. A flag wins over the
/// environment, the environment over the file.
#[derive(Debug, Parser, Serialize)]
#[command(name = "visavis-server", version)]
struct Flags {
    /// What to do [default: serve]
    #[arg(value_enum)]
    #[serde(skip)]
    task: Option<TaskName>,
    /// Which handle, for free-handle
    #[serde(skip)]
    handle: Option<String>,
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<String>,
    /// Folder for what must outlive the process
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    data_dir: Option<PathBuf>,
    /// Folder of the built client [default: the one in the binary]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    assets: Option<PathBuf>,
    /// Certificate (PEM) to encrypt with, and those behind it; read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_key: Option<PathBuf>,
    /// Encrypt with a certificate of an authority made here, which devices are told to trust
    #[arg(long)]
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    tls_local: bool,
    /// Where plain HTTP leads on to HTTPS, besides the port that encrypts
    #[arg(long, value_name = "ADDRESS:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    http_redirect: Option<String>,
    /// Origin under which people reach the server, such as `https://meet.example`; repeatable
    #[arg(long, value_name = "ORIGIN")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    public_origin: Vec<String>,
    /// Proxy whose X-Forwarded-For is believed, as address or range; repeatable
    #[arg(long, value_name = "RANGE")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trusted_proxy: Vec<String>,
    /// STUN or TURN server: a URL, or {"urls":[…],"username":…,"credential":…}; repeatable
    #[arg(long, value_name = "SERVER")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ice_server: Vec<String>,
    /// TURN server that shares a secret with this one, such as `turn:turn.example`; repeatable
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    turn_url: Vec<String>,
    /// File with that secret (`static-auth-secret` of coturn) and nothing else
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    turn_secret_file: Option<PathBuf>,
    /// For how many seconds a credential for them is good [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    turn_lifetime: Option<u64>,
    /// Public key (PEM) of the site whose tokens let people sign in, instead of keys of their own
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    people_token_key_file: Option<PathBuf>,
    /// Secret that this site signs its tokens with, instead of a public key
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    people_token_secret_file: Option<PathBuf>,
    /// What `iss` of these tokens must be
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    people_token_issuer: Option<String>,
    /// What `aud` of these tokens must be
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    people_token_audience: Option<String>,
    /// Who may read /metrics: local, any or off [default: local]
    #[arg(long, value_name = "WHO")]
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<String>,
    /// What to log: error, warn, info, debug, trace, or target=level,… [default: info]
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    /// Threads that serve [default: 1]
    #[arg(long, value_name = "NUMBER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<usize>,
    /// A limit by its name, such as rooms_per_minute=30; repeatable
    #[arg(long, value_name = "NAME=NUMBER", value_parser = limit)]
    #[serde(skip)]
    limit: Vec<(String, u32)>,
    /// File to read the same settings from (TOML)
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

fn limit(text: &str) -> Result<(String, u32), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=NUMBER")?;
    let value = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
    Ok((name.into(), value))
}

/// The settings as they are written, in whichever of the three places.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    listen: Option<String>,
    data_dir: Option<PathBuf>,
    assets: Option<PathBuf>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    #[serde(default)]
    tls_local: bool,
    http_redirect: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    public_origin: Vec<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    trusted_proxy: Vec<String>,
    #[serde(default, deserialize_with = "ice_servers")]
    ice_server: Vec<IceServer>,
    #[serde(default, deserialize_with = "one_or_many")]
    turn_url: Vec<String>,
    #[serde(default, deserialize_with = "turn::secret")]
    turn_secret: Option<TurnSecret>,
    turn_secret_file: Option<PathBuf>,
    turn_lifetime: Option<u64>,
    people_token_key_file: Option<PathBuf>,
    people_token_secret_file: Option<PathBuf>,
    people_token_issuer: Option<String>,
    people_token_audience: Option<String>,
    metrics: Option<MetricsAccess>,
    log: Option<String>,
    threads: Option<usize>,
    #[serde(default)]
    limits: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(String),
    Many(Vec<T>),
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match OneOrMany::<String>::deserialize(deserializer)? {
        OneOrMany::One(text) => text.split_whitespace().map(Into::into).collect(),
        OneOrMany::Many(list) => list,
    })
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenIceServer {
    Text(String),
    Table(IceServer),
}

fn ice_servers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IceServer>, D::Error> {
    let parse = |text: &str| ice_server(text).map_err(serde::de::Error::custom);
    match OneOrMany::<WrittenIceServer>::deserialize(deserializer)? {
        OneOrMany::One(text) => text.split_whitespace().map(parse).collect(),
        OneOrMany::Many(list) => list
            .into_iter()
            .map(|written| match written {
                WrittenIceServer::Text(text) => parse(&text),
                WrittenIceServer::Table(server) => {
                    check_ice_server(&server).map_err(serde::de::Error::custom)?;
                    Ok(server)
                }
            })
            .collect(),
    }
}

/// Reads the configuration of this process, and what it is started for.
///
/// # Errors
/// See [`ConfigError`].
pub fn from_environment() -> Result<(Task, Config), ConfigError> {
    let flags = Flags::try_parse().map_err(ConfigError::Flags)?;
    let task = task(flags.task.unwrap_or_default(), flags.handle.as_deref())?;
    Ok((task, read(flags)?))
}

fn read(flags: Flags) -> Result<Config, ConfigError> {
    let mut figment = Figment::new();
    let named = std::env::var_os(format!("{PREFIX}CONFIG")).map(PathBuf::from);
    if let Some(file) = flags.config.clone().or(named) {
        if !file.is_file() {
            return Err(ConfigError::Value(format!("there is no file {}", file.display())));
        }
        figment = figment.merge(Toml::file_exact(file));
    }
    figment = figment.merge(environment());
    if let Ok(secret) = std::env::var(format!("{PREFIX}TURN_SECRET")) {
        figment = figment.merge(Serialized::default(TURN_SECRET, secret));
    }
    figment = figment.merge(Serialized::defaults(&flags));
    let mut written: Written = figment.extract().map_err(|error| plain(&error))?;
    written.limits.extend(flags.limit);
    check(written)
}

/// The variables that are ours. Others with the same beginning belong to other programs.
fn environment() -> Env {
    Env::prefixed(PREFIX)
        .map(|key| {
            let key = key.as_str().to_ascii_lowercase();
            match key.strip_prefix("limits_") {
                Some(name) => format!("limits.{name}").into(),
                None => key.into(),
            }
        })
        .filter(|key| {
            let key = key.as_str();
            SETTINGS.contains(&key) || key.starts_with("limits.")
        })
}

/// The first complaint, in one line, with where it comes from.
fn plain(error: &figment::Error) -> ConfigError {
    let path = error.path.join(".");
    let place = error
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.source.as_ref())
        .map_or_else(String::new, |source| format!(" ({source})"));
    let text = match path.as_str() {
        "" => format!("{}{place}", error.kind),
        path => format!("{path}: {}{place}", error.kind),
    };
    ConfigError::Value(text.replace('\n', " "))
}

fn check(written: Written) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    if let Some(listen) = written.listen {
        config.listen = listen
            .parse::<SocketAddr>()
            .map_err(|_| ConfigError::Value(format!("listen: `{listen}` is not like 127.0.0.1:8080")))?;
    }
    (config.tls, config.http_redirect) = WrittenTls {
        certificate: written.tls_cert,
        key: written.tls_key,
        local: written.tls_local,
        redirect: written.http_redirect,
    }
    .check()?;
    config.public_origins = each("public_origin", &written.public_origin)?;
    config.trusted_proxies = each("trusted_proxy", &written.trusted_proxy)?;
    config.hub.ice = written.ice_server;
    config.hub.turn = WrittenTurn {
        urls: written.turn_url,
        secret: written.turn_secret,
        secret_file: written.turn_secret_file,
        lifetime_seconds: written.turn_lifetime,
    }
    .check()?;
    config.tokens = WrittenTokens {
        key_file: written.people_token_key_file,
        secret_file: written.people_token_secret_file,
        issuer: written.people_token_issuer,
        audience: written.people_token_audience,
    }
    .check()?;
    config.data_dir = written.data_dir;
    if let Some(folder) = &written.assets
        && !folder.join("index.html").is_file()
    {
        let folder = folder.display();
        return Err(ConfigError::Value(format!(
            "assets: there is no index.html in {folder}"
        )));
    }
    config.assets = written.assets;
    config.metrics = written.metrics.unwrap_or(config.metrics);
    config.threads = written.threads.unwrap_or(config.threads);
    if !(1..=256).contains(&config.threads) {
        return Err(ConfigError::Value("threads: from 1 to 256".into()));
    }
    config.log = written.log.unwrap_or(config.log);
    for (name, value) in written.limits {
        if !limits::set(&name, value, &mut config.limits, &mut config.hub.limits) {
            let names = NAMES.join(", ");
            return Err(ConfigError::Value(format!(
                "limits: no `{name}`; there are {names}"
            )));
        }
    }
    Ok(config)
}

fn each<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    texts: &[String],
) -> Result<Vec<T>, ConfigError> {
    texts
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|error| ConfigError::Value(format!("{name}: {error}")))
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "the signature of figment's test jail")]
pub(super) mod tests {
    use super::*;
    use figment::Jail;

    pub(in crate::config) fn with_flags(flags: &[&str]) -> Result<Config, ConfigError> {
        let flags = std::iter::once("visavis-server").chain(flags.iter().copied());
        read(Flags::try_parse_from(flags).map_err(ConfigError::Flags)?)
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        Jail::expect_with(|jail| {
            jail.create_file(
                "visavis.toml",
                r#"
                listen = "127.0.0.1:1"
                log = "warn"
                threads = 2
                public_origin = "https://file.example"
                [limits]
                rooms = 5
                joins_burst = 6
                [[ice_server]]
                urls = ["turn:turn.example"]
                username = "u"
                credential = "p"
                "#,
            )?;
            jail.set_env("VISAVIS_LISTEN", "127.0.0.1:2");
            jail.set_env("VISAVIS_LOG", "debug");
            jail.set_env("VISAVIS_LIMITS_ROOMS", "7");
            jail.set_env("VISAVIS_PUBLIC_ORIGIN", "https://a.example https://b.example");
            let flags = ["--config", "visavis.toml", "--listen", "127.0.0.1:3"];
            let config = with_flags(&flags).unwrap();
            assert_eq!(config.listen.port(), 3);
            assert_eq!(config.log, "debug");
            assert_eq!(config.threads, 2);
            assert_eq!(config.public_origins.len(), 2);
            assert_eq!((config.hub.limits.rooms, config.hub.limits.joins_burst), (7, 6));
            assert_eq!(config.hub.ice[0].credential.as_deref(), Some("p"));
            let config = with_flags(&[&flags[..], &["--limit", "rooms=9"]].concat()).unwrap();
            assert_eq!(config.hub.limits.rooms, 9);
            Ok(())
        });
    }

    #[test]
    fn what_cannot_work_is_refused_in_one_line() {
        Jail::expect_with(|jail| {
            jail.create_file("visavis.toml", "lisen = \"127.0.0.1:1\"")?;
            for (flags, named) in [
                (&["--config", "visavis.toml"][..], "lisen"),
                (&["--config", "absent.toml"], "absent.toml"),
                (&["--listen", "somewhere"], "somewhere"),
                (&["--public-origin", "meet.example"], "meet.example"),
                (&["--trusted-proxy", "10.0.0.0/99"], "10.0.0.0/99"),
                (&["--ice-server", "turn:turn.example"], "turn.example"),
                (&["--limit", "nonsense=1"], "nonsense"),
                (&["--assets", "nowhere"], "nowhere"),
                (&["--metrics", "perhaps"], "perhaps"),
                (&["--threads", "0"], "threads"),
            ] {
                let error = with_flags(flags).unwrap_err();
                let ConfigError::Value(text) = error else {
                    panic!("{error}");
                };
                assert!(text.contains(named), "{text}");
                assert!(!text.contains('\n'), "{text}");
            }
            Ok(())
        });
    }
}
