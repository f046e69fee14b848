//! STUN and TURN servers, asked as a browser would ask them.

use stun_types::attribute::{ErrorCode, Nonce, Realm, Username, XorMappedAddress};
use stun_types::message::{
    BINDING, IntegrityAlgorithm, LongTermCredentials, Message, MessageClass, MessageIntegrityCredentials,
    MessageWriteVec, Method,
};
use stun_types::prelude::{MessageWrite, MessageWriteExt};
use turn_types::attribute::{Lifetime, RequestedTransport, XorRelayedAddress};
use turn_types::message::{ALLOCATE, REFRESH};
use visavis_protocol::IceServer;

use super::exchange::Road;
use super::{Finding, Patience, site};

/// The port where none is said (RFC 7064, section 3.2, and RFC 7065, section 3.2).
const PORT: u16 = 3478;
/// The same over TLS.
const TLS_PORT: u16 = 5349;
/// "Unauthorized": say who you are.
const UNAUTHORIZED: u16 = 401;
/// "Stale Nonce": ask again with the one that comes with this.
const STALE_NONCE: u16 = 438;
/// How often a server may ask for something else before it is given up.
const TURNS: usize = 3;

/// A URL of an ICE server in its parts.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    relays: bool,
    over_tls: bool,
    over_tcp: bool,
    authority: String,
}

impl Place {
    fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (relays, over_tls) = match scheme {
            "stun" => (false, false),
            "stuns" => (false, true),
            "turn" => (true, false),
            "turns" => (true, true),
            _ => return None,
        };
        let (host, query) = rest.split_once('?').unwrap_or((rest, ""));
        let has_port = host.rsplit_once(':').is_some_and(|(before, port)| {
            port.parse::<u16>().is_ok() && (!before.contains(':') || before.ends_with(']'))
        });
        let port = if over_tls { TLS_PORT } else { PORT };
        let authority = if has_port {
            host.to_owned()
        } else {
            format!("{host}:{port}")
        };
        Some(Self {
            relays,
            over_tls,
            over_tcp: query == "transport=tcp",
            authority,
        })
    }
}

/// Asks one URL of a server.
pub(super) fn check(url: &str, server: &IceServer, patience: Patience) -> Finding {
    let outcome = match Place::parse(url) {
        None => Err("not a URL of a STUN or TURN server".into()),
        Some(place) => visit(&place, server, patience),
    };
    match outcome {
        Ok(Finding::Fine(text)) => Finding::Fine(format!("{url}: {text}")),
        Ok(Finding::Doubtful(text)) => Finding::Doubtful(format!("{url}: {text}")),
        Ok(Finding::Broken(text)) | Err(text) => Finding::Broken(format!("{url}: {text}")),
    }
}

fn visit(place: &Place, server: &IceServer, patience: Patience) -> Result<Finding, String> {
    if place.over_tls {
        site::connect(&place.authority, patience)?;
        return Ok(Finding::Doubtful(
            "it accepts connections; what it says over TLS was not looked at".into(),
        ));
    }
    let address = *site::resolve(&place.authority)?
        .first()
        .ok_or("its name has no address")?;
    let mut road = Road::open(address, place.over_tcp, patience)?;
    if place.relays {
        relay(&mut road, server, patience)
    } else {
        bind(&mut road, patience)
    }
}

/// Asks who we are, seen from there.
fn bind(road: &mut Road, patience: Patience) -> Result<Finding, String> {
    let answer = road.ask(
        &Message::builder_request(BINDING, MessageWriteVec::new()).finish(),
        patience,
    )?;
    let answer = Message::from_bytes(&answer).map_err(|error| error.to_string())?;
    match answer.attribute::<XorMappedAddress>() {
        Ok(mapped) if answer.has_class(MessageClass::Success) => {
            let seen = mapped.addr(answer.transaction_id());
            Ok(Finding::Fine(format!(
                "it answers, and sees this machine as {}",
                seen.ip()
            )))
        }
        Ok(_) | Err(_) => Err(refusal(&answer)),
    }
}

/// What a server asked for before it lets one in.
struct Challenge {
    realm: String,
    nonce: String,
}

/// Asks for a relayed address, and gives it back.
fn relay(road: &mut Road, server: &IceServer, patience: Patience) -> Result<Finding, String> {
    let credentials = LongTermCredentials::new(
        server.username.clone().unwrap_or_default(),
        server.credential.clone().unwrap_or_default(),
    );
    let mut challenge: Option<Challenge> = None;
    for _ in 0..TURNS {
        let request = request(ALLOCATE, challenge.as_ref(), &credentials)?;
        let bytes = road.ask(&request, patience)?;
        let answer = Message::from_bytes(&bytes).map_err(|error| error.to_string())?;
        if answer.has_class(MessageClass::Success) {
            return allocated(road, &answer, challenge.as_ref(), &credentials, patience);
        }
        let code = answer.attribute::<ErrorCode>().map_or(0, |error| error.code());
        let refused = code == UNAUTHORIZED && challenge.is_some();
        if refused || !matches!(code, UNAUTHORIZED | STALE_NONCE) {
            return Err(refusal(&answer));
        }
        let realm = answer.attribute::<Realm>().map(|realm| realm.realm().to_owned());
        let nonce = answer.attribute::<Nonce>().map(|nonce| nonce.nonce().to_owned());
        let (Ok(realm), Ok(nonce)) = (realm, nonce) else {
            return Err("it asks for a credential without saying how".into());
        };
        challenge = Some(Challenge { realm, nonce });
    }
    Err("it asks for the credential again and again".into())
}

fn allocated(
    road: &mut Road,
    answer: &Message<'_>,
    challenge: Option<&Challenge>,
    credentials: &LongTermCredentials,
    patience: Patience,
) -> Result<Finding, String> {
    let relayed = answer
        .attribute::<XorRelayedAddress>()
        .map_err(|_| "it agrees, but names no relayed address".to_owned())?
        .addr(answer.transaction_id());
    // Whoever is not thanked keeps the port for ten minutes; it is no failure if this gets lost.
    if let Ok(request) = request(REFRESH, challenge, credentials) {
        let _ = road.ask(&request, patience);
    }
    let Some(challenge) = challenge else {
        return Ok(Finding::Doubtful(format!(
            "it relays from {} for anybody, without a credential",
            relayed.ip()
        )));
    };
    if answer.validate_integrity(&key(challenge, credentials)).is_err() {
        return Err("its answer is not signed with the credential".into());
    }
    Ok(Finding::Fine(format!("it relays from {}", relayed.ip())))
}

fn key(challenge: &Challenge, credentials: &LongTermCredentials) -> MessageIntegrityCredentials {
    credentials.to_key(challenge.realm.clone()).into()
}

/// A request for an allocation, or for its end; signed once we know how.
fn request(
    method: Method,
    challenge: Option<&Challenge>,
    credentials: &LongTermCredentials,
) -> Result<Vec<u8>, String> {
    let mut message = Message::builder_request(method, MessageWriteVec::new());
    let mut write = || {
        if method == ALLOCATE {
            message.add_attribute(&RequestedTransport::new(RequestedTransport::UDP))?;
        } else {
            message.add_attribute(&Lifetime::new(0))?;
        }
        if let Some(challenge) = challenge {
            message.add_attribute(&Username::new(credentials.username())?)?;
            message.add_attribute(&Realm::new(&challenge.realm)?)?;
            message.add_attribute(&Nonce::new(&challenge.nonce)?)?;
            message.add_message_integrity(&key(challenge, credentials), IntegrityAlgorithm::Sha1)?;
        }
        Ok::<_, stun_types::message::StunWriteError>(())
    };
    write().map_err(|error| format!("a request for it cannot be written: {error}"))?;
    Ok(message.finish())
}

/// An error response in words. Its own text is somebody else's: short, and without controls.
fn refusal(answer: &Message<'_>) -> String {
    let Ok(error) = answer.attribute::<ErrorCode>() else {
        return "its answer makes no sense".into();
    };
    match error.code() {
        UNAUTHORIZED => {
            "it refuses the username and credential; the shared secret or the clock may be wrong".into()
        }
        442 => "it relays no UDP".into(),
        486 => "it gives this user no more allocations".into(),
        508 => "it has no port left to relay from".into(),
        code => {
            let reason = error.reason().chars().filter(|c| !c.is_control()).take(80);
            format!("it says {code}: {}", reason.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests;
