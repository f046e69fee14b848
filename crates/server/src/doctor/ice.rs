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
use super::tls::Secured;
use super::wire::{self, Deadline, Wire};
use super::{Finding, Means};
use crate::config::{IceUrl, Transport};

/// "Unauthorized": say who you are.
const UNAUTHORIZED: u16 = 401;
/// "Stale Nonce": ask again with the one that comes with this.
const STALE_NONCE: u16 = 438;
/// How often a server may ask for something else before it is given up.
const TURNS: usize = 3;

/// Asks one URL of a server.
pub(super) fn check(url: &str, server: &IceServer, means: &Means) -> Finding {
    if IceUrl::has_user(url) {
        // Not shown, for what stands before it may be a password.
        return Finding::Broken(
            "a STUN or TURN server: browsers take no user in its URL; username and credential stand beside it".into(),
        );
    }
    IceUrl::parse(url)
        .map_err(Finding::Broken)
        .and_then(|place| visit(&place, server, means))
        .unwrap_or_else(|finding| finding)
        .about(url)
}

fn visit(place: &IceUrl, server: &IceServer, means: &Means) -> Result<Finding, Finding> {
    let deadline = Deadline::after(means.patience.check);
    let ask = |road: &mut Road| {
        if place.relays {
            relay(road, server)
        } else {
            bind(road)
        }
    };
    let connect = || Wire::connect(&place.authority, deadline).map_err(Finding::Broken);
    match place.transport {
        Transport::Udp => {
            let mut last = String::new();
            for address in wire::resolve(&place.authority, deadline).map_err(Finding::Broken)? {
                let asked =
                    Road::datagrams(address, means.patience, deadline).and_then(|mut road| ask(&mut road));
                match asked {
                    Ok(finding) => return Ok(finding),
                    Err(error) => last = error,
                }
            }
            Err(Finding::Broken(last))
        }
        Transport::Tcp => ask(&mut Road::Stream(Box::new(connect()?))).map_err(Finding::Broken),
        Transport::Tls => {
            let Secured { stream, certificate } =
                means
                    .trust
                    .secure(connect()?, wire::host(&place.authority), &[])?;
            let asked = ask(&mut Road::Stream(Box::new(stream))).map_err(Finding::Broken)?;
            Ok(both(asked, certificate))
        }
    }
}

/// Two findings of one server in one, as bad as the worse of them.
fn both(first: Finding, second: Finding) -> Finding {
    let (Finding::Fine(one) | Finding::Doubtful(one) | Finding::Broken(one)) = &first;
    let (Finding::Fine(other) | Finding::Doubtful(other) | Finding::Broken(other)) = &second;
    let text = format!("{one}; {other}");
    match (&first, &second) {
        (Finding::Broken(_), _) | (_, Finding::Broken(_)) => Finding::Broken(text),
        (Finding::Doubtful(_), _) | (_, Finding::Doubtful(_)) => Finding::Doubtful(text),
        (Finding::Fine(_), Finding::Fine(_)) => Finding::Fine(text),
    }
}

/// Asks who we are, seen from there.
fn bind(road: &mut Road) -> Result<Finding, String> {
    let answer = road.ask(&Message::builder_request(BINDING, MessageWriteVec::new()).finish())?;
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
fn relay(road: &mut Road, server: &IceServer) -> Result<Finding, String> {
    let credentials = LongTermCredentials::new(
        server.username.clone().unwrap_or_default(),
        server.credential.clone().unwrap_or_default(),
    );
    let mut challenge: Option<Challenge> = None;
    for _ in 0..TURNS {
        let request = request(ALLOCATE, challenge.as_ref(), &credentials)?;
        let bytes = road.ask(&request)?;
        let answer = Message::from_bytes(&bytes).map_err(|error| error.to_string())?;
        if answer.has_class(MessageClass::Success) {
            return allocated(road, &answer, challenge.as_ref(), &credentials);
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
) -> Result<Finding, String> {
    let relayed = answer
        .attribute::<XorRelayedAddress>()
        .map_err(|_| "it agrees, but names no relayed address".to_owned())?
        .addr(answer.transaction_id());
    // Whoever is not thanked keeps the port for ten minutes; it is no failure if this gets lost.
    if let Ok(request) = request(REFRESH, challenge, credentials) {
        let _ = road.ask(&request);
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
        300 => "it sends callers on to another server (300); name that one".into(),
        403 => "it forbids this user to relay (403)".into(),
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
