//! How people reach the server: the way a browser would take to each public origin.

use core::net::IpAddr;

use super::http::{self, Answer};
use super::tls::Trust;
use super::wire::{self, Deadline, Stream, Wire};
use super::{Finding, Means};
use crate::Config;
use crate::config::{Origin, TlsSetting};

/// What a proxy says when nothing answers behind it.
const NOBODY_BEHIND: [u16; 3] = [502, 503, 504];

/// What the settings alone tell of the way.
pub(super) fn surroundings(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let local = config.listen.ip().is_loopback();
    if config.public_origins.is_empty() && !local && config.tls == TlsSetting::Off {
        findings.push(Finding::Doubtful(
            "public origin: none is set; browsers elsewhere give no camera over plain http, so \
             --tls-cert, --tls-local, or a proxy with https and --public-origin are wanted"
                .into(),
        ));
    }
    if !config.public_origins.is_empty()
        && local
        && config.trusted_proxies.is_empty()
        && config.tls == TlsSetting::Off
    {
        findings.push(Finding::Doubtful(format!(
            "trusted proxy: none is set, and only this machine reaches {}; all who come through a proxy count as a \
             single address, with its limits; --trusted-proxy {} if it runs here",
            config.listen,
            config.listen.ip()
        )));
    }
    findings
}

/// A public origin in its parts.
struct Place<'a> {
    origin: &'a Origin,
    /// As in a `Host` header.
    host: &'a str,
    /// With its port.
    authority: String,
    secure: bool,
}

impl<'a> Place<'a> {
    fn of(origin: &'a Origin) -> Self {
        let text = origin.as_str();
        let (scheme, host) = text.split_once("://").unwrap_or(("http", text));
        let secure = scheme == "https";
        let authority = match host.rsplit_once(':') {
            Some((_, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host.to_owned(),
            Some(_) | None => format!("{host}:{}", if secure { 443 } else { 80 }),
        };
        Self {
            origin,
            host,
            authority,
            secure,
        }
    }

    /// Whether browsers trust the way there without TLS (W3C Secure Contexts, section 3.1).
    fn is_local(&self) -> bool {
        let host = wire::host(&self.authority);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// A way for a question, as a browser would open it.
    fn open(&self, means: &Means) -> Result<Box<dyn Stream>, Finding> {
        let deadline = Deadline::after(means.patience.check);
        let wire = Wire::connect(&self.authority, deadline).map_err(Finding::Broken)?;
        if !self.secure {
            return Ok(Box::new(wire));
        }
        let secured = secure(&means.trust, wire, &self.authority)?;
        Ok(Box::new(secured.stream))
    }
}

fn secure(trust: &Trust, wire: Wire, authority: &str) -> Result<super::tls::Secured, Finding> {
    trust.secure(wire, wire::host(authority), &[b"http/1.1"])
}

/// Tells of an origin: its door, and if that opens, what is behind it. `is_running`: whether a
/// server has the port of these settings already, so that it should answer.
pub(super) fn check<E>(
    origin: &Origin,
    is_running: bool,
    means: &Means,
    mut tell: impl FnMut(Finding) -> Result<(), E>,
) -> Result<(), E> {
    let place = Place::of(origin);
    let name = format!("public origin {origin}");
    let door = door(&place, is_running, means);
    let goes_on = matches!(door, Step::Open(_));
    let (Step::Open(finding) | Step::Shut(finding)) = door;
    tell(finding.about(&name))?;
    if goes_on {
        tell(health(&place, is_running, means).about(&name))?;
        tell(socket(&place, is_running, means).about(&name))?;
    }
    Ok(())
}

/// Whether there is a way on.
enum Step {
    Open(Finding),
    Shut(Finding),
}

/// Whether a connection can be made, and would be believed.
fn door(place: &Place<'_>, is_running: bool, means: &Means) -> Step {
    let deadline = Deadline::after(means.patience.check);
    let wire = match Wire::connect(&place.authority, deadline) {
        Ok(wire) => wire,
        // What should listen there may be the server itself.
        Err(error) if place.is_local() && !place.secure && !is_running => {
            return Step::Shut(Finding::Doubtful(format!("{error}; the server does not run")));
        }
        Err(error) => return Step::Shut(Finding::Broken(error)),
    };
    if place.secure {
        return match secure(&means.trust, wire, &place.authority) {
            Ok(secured) => Step::Open(secured.certificate),
            Err(finding) => Step::Shut(finding),
        };
    }
    Step::Open(if place.is_local() {
        Finding::Fine("it accepts connections".into())
    } else {
        Finding::Doubtful(
            "it accepts connections, but browsers give no camera and no microphone over plain http; they want https"
                .into(),
        )
    })
}

/// Whether our server answers there.
fn health(place: &Place<'_>, is_running: bool, means: &Means) -> Finding {
    let asked = place
        .open(means)
        .and_then(|mut stream| http::health(&mut *stream, place.host).map_err(Finding::Broken));
    match asked {
        Ok(answer) if answer.is_health() => Finding::Fine("a Visavis server answers there".into()),
        Ok(answer) => stranger("/healthz", &answer, is_running),
        Err(finding) => finding,
    }
}

/// Whether WebSockets come through.
fn socket(place: &Place<'_>, is_running: bool, means: &Means) -> Finding {
    let asked = place.open(means).and_then(|mut stream| {
        http::socket(&mut *stream, place.host, place.origin.as_str()).map_err(Finding::Broken)
    });
    match asked {
        Ok(answer) if answer.is_socket() => Finding::Fine("WebSockets come through".into()),
        Ok(answer) if answer.status == 403 => Finding::Broken(
            "/ws refuses this origin (403); the server may run with another --public-origin, or the proxy changes \
             the header Origin"
                .into(),
        ),
        Ok(answer) if answer.status == 426 => Finding::Broken(
            "/ws does not hear that a WebSocket is wanted (426); the proxy must pass on Upgrade and Connection".into(),
        ),
        Ok(answer) if answer.status == 101 => {
            Finding::Broken("/ws is answered by something else than a Visavis server".into())
        }
        Ok(answer) => stranger("/ws", &answer, is_running),
        Err(finding) => finding,
    }
}

/// An answer that is not our server's.
fn stranger(path: &str, answer: &Answer, is_running: bool) -> Finding {
    match answer.status {
        status if NOBODY_BEHIND.contains(&status) && !is_running => Finding::Doubtful(format!(
            "{path} is answered with {status}: the proxy is there, but the server behind it does not run"
        )),
        status if NOBODY_BEHIND.contains(&status) => Finding::Broken(format!(
            "{path} is answered with {status}: the proxy does not reach the server, or that is unwell"
        )),
        429 => Finding::Doubtful(format!(
            "{path} is answered with 429: too many connections from this address just now"
        )),
        status @ 300..400 => Finding::Broken(format!(
            "{path} is answered with {status}, a redirect; an origin must be the one that serves"
        )),
        200 => Finding::Broken(format!(
            "{path} is answered by something else than a Visavis server"
        )),
        status => Finding::Broken(format!(
            "{path} is answered with {status}; the proxy may lead elsewhere"
        )),
    }
}

#[cfg(test)]
mod tests;
