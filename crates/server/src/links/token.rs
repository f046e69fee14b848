//! What a token of ours must say (RFC 7519, and RFC 8725 for how to be careful with one).
//!
//! The key is chosen by `kid` among our own, and its algorithm is ours; a header that says another one is
//! refused before anything is computed. Every rule has an error of its own, for whoever is asked for help.

use core::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Map, Value, json};
use unicode_normalization::is_nfc;
use visavis_protocol::limits::{TOKEN_BYTES, TOKEN_LEEWAY};
use visavis_protocol::{AppointmentId, DeskId, ErrorCode, text};

use super::keys::Key;
use crate::hub::{DeskClaims, VisitClaims};

const ISSUER: &str = "visavis";

/// What a token is for.
#[derive(Clone, Copy)]
struct Use {
    typ: &'static str,
    audience: &'static str,
}

const DESK: Use = Use {
    typ: "visavis-desk+jwt",
    audience: "visavis-desk",
};
const VISIT: Use = Use {
    typ: "visavis-join+jwt",
    audience: "visavis-join",
};

/// Whether a desk may be called so.
pub(super) fn is_name(name: &str) -> bool {
    text::check_name(name).is_ok() && is_nfc(name)
}

fn sign(key: &Key, of: Use, claims: &Value) -> String {
    let header = Header {
        typ: Some(of.typ.into()),
        kid: Some(key.id.clone()),
        ..Header::new(Algorithm::HS256)
    };
    let signed = encode(&header, claims, &EncodingKey::from_secret(&key.secret));
    debug_assert!(signed.is_ok(), "an HMAC has no way to fail");
    signed.unwrap_or_default()
}

pub(super) fn sign_desk(
    key: &Key,
    desk: DeskId,
    name: &str,
    number: &str,
    now: Duration,
    lifetime: Duration,
) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": DESK.audience, "sub": desk.to_text(), "name": name, "jti": number,
        "nbf": now.as_secs(), "exp": (now + lifetime).as_secs(),
    });
    sign(key, DESK, &claims)
}

/// The same claims by the same key are the same token: it says no time at which it was made.
pub(super) fn sign_visit(key: &Key, visit: &VisitClaims) -> String {
    let appointment = visit.appointment.to_text();
    let claims = json!({
        "iss": ISSUER, "aud": VISIT.audience, "sub": appointment,
        "jti": format!("{appointment}.{}", visit.number), "nbf": 0, "exp": visit.expires,
    });
    sign(key, VISIT, &claims)
}

pub(super) fn read_desk(keys: &[Key], token: &str, unix: Duration) -> Result<DeskClaims, ErrorCode> {
    let claims = read(keys, token, DESK, unix, &["name"])?;
    let desk = text_of(&claims, "sub")?
        .parse()
        .map_err(|_| ErrorCode::TokenClaims)?;
    let name = text_of(&claims, "name")?;
    text_of(&claims, "jti")?
        .parse::<DeskId>()
        .map_err(|_| ErrorCode::TokenClaims)?;
    if !is_name(name) {
        return Err(ErrorCode::TokenClaims);
    }
    Ok(DeskClaims {
        desk,
        name: name.into(),
    })
}

pub(super) fn read_visit(keys: &[Key], token: &str, unix: Duration) -> Result<VisitClaims, ErrorCode> {
    let claims = read(keys, token, VISIT, unix, &[])?;
    let subject = text_of(&claims, "sub")?;
    let appointment: AppointmentId = subject.parse().map_err(|_| ErrorCode::TokenClaims)?;
    let (of, number) = text_of(&claims, "jti")?
        .split_once('.')
        .ok_or(ErrorCode::TokenClaims)?;
    // The number of another appointment's link.
    if of != subject {
        return Err(ErrorCode::TokenReused);
    }
    let number = number.parse().map_err(|_| ErrorCode::TokenClaims)?;
    let expires = seconds_of(&claims, "exp")?;
    Ok(VisitClaims {
        appointment,
        number,
        // Never negative by now, and whole in every token that was made here.
        expires: expires as u64,
    })
}

/// Reads a token by all rules that both uses share.
fn read(
    keys: &[Key],
    token: &str,
    of: Use,
    unix: Duration,
    more: &[&str],
) -> Result<Map<String, Value>, ErrorCode> {
    if token.len() > TOKEN_BYTES {
        return Err(ErrorCode::TokenTooLong);
    }
    let header = header(token).ok_or(ErrorCode::TokenMalformed)?;
    let word = |name: &str| header.get(name).and_then(Value::as_str);
    let algorithm = word("alg").ok_or(ErrorCode::TokenMalformed)?;
    if algorithm.eq_ignore_ascii_case("none") || token.ends_with('.') {
        return Err(ErrorCode::TokenUnsigned);
    }
    if algorithm != "HS256" {
        return Err(ErrorCode::TokenAlgorithm);
    }
    // Compared with those we have, and never looked up anywhere.
    let key = word("kid").and_then(|kid| keys.iter().find(|key| key.id == kid));
    let key = key.ok_or(ErrorCode::TokenKey)?;
    let mut validation = Validation::new(Algorithm::HS256);
    // The claims are judged below, each with an error of its own.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = decode::<Value>(token, &DecodingKey::from_secret(&key.secret), &validation)
        .map_err(|_| ErrorCode::TokenSignature)?
        .claims;
    if word("typ") != Some(of.typ) || header.contains_key("crit") {
        return Err(ErrorCode::TokenType);
    }
    let Value::Object(claims) = claims else {
        return Err(ErrorCode::TokenClaims);
    };
    let wanted = ["iss", "aud", "sub", "jti", "exp", "nbf"];
    if wanted.iter().chain(more).any(|name| !claims.contains_key(*name)) {
        return Err(ErrorCode::TokenClaims);
    }
    let (from, until) = (seconds_of(&claims, "nbf")?, seconds_of(&claims, "exp")?);
    for name in ["sub", "jti"].iter().chain(more) {
        text_of(&claims, name)?;
    }
    if text_of(&claims, "iss")? != ISSUER {
        return Err(ErrorCode::TokenIssuer);
    }
    if text_of(&claims, "aud")? != of.audience {
        return Err(ErrorCode::TokenAudience);
    }
    let (now, leeway) = (unix.as_secs_f64(), TOKEN_LEEWAY.as_secs_f64());
    if until + leeway <= now {
        return Err(ErrorCode::TokenExpired);
    }
    if from > now + leeway {
        return Err(ErrorCode::TokenNotYet);
    }
    Ok(claims)
}

/// The header of a token of three parts, if it is an object.
fn header(token: &str) -> Option<Map<String, Value>> {
    let (header, rest) = token.split_once('.')?;
    if rest.matches('.').count() != 1 {
        return None;
    }
    let bytes = Base64UrlUnpadded::decode_vec(header).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn text_of<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, ErrorCode> {
    let claim = claims.get(name).ok_or(ErrorCode::TokenClaims)?;
    claim.as_str().ok_or(ErrorCode::TokenClaimType)
}

/// Seconds since 1970; a fraction is allowed (RFC 7519, 2).
fn seconds_of(claims: &Map<String, Value>, name: &str) -> Result<f64, ErrorCode> {
    let claim = claims.get(name).ok_or(ErrorCode::TokenClaims)?;
    claim
        .as_f64()
        .filter(|seconds| *seconds >= 0.0 && seconds.is_finite())
        .ok_or(ErrorCode::TokenClaimType)
}
