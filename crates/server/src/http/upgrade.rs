//! From an HTTP request to a signaling socket (RFC 6455, section 4.2).
//!
//! A page of another origin may not speak for the person who has it open: the `Origin` is checked
//! before anything else, and no cookie would help.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::upgrade::{OnUpgrade, Parts};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use tracing::debug;

use super::caller::Accepted;
use super::{Caller, House, plain};
use crate::config::Origin;
use crate::hub::{AddressKey, ConnectionKey};
use crate::metrics::Metrics;
use crate::socket;
use crate::tls::Wire;

/// What a server appends to the client's key (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Answers `GET /ws`.
pub(super) async fn upgrade(State(house): State<Arc<House>>, mut request: Request) -> Response {
    Metrics::count(&house.metrics.requests);
    let Some(caller) = Caller::of(&request, &house.trusted_proxies) else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "unknown caller\n");
    };
    if !is_own_origin(&house, caller, request.headers()) {
        Metrics::count(&house.metrics.foreign);
        return plain(StatusCode::FORBIDDEN, "this origin may not connect\n");
    }
    let Some(accept) = accept_key(request.method(), request.headers()) else {
        let mut response = plain(
            StatusCode::UPGRADE_REQUIRED,
            "a WebSocket of version 13 is expected\n",
        );
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    };
    let address = AddressKey::from(caller.address);
    let (Ok((place, stranger)), Some(on_upgrade), Some(accepted)) = (
        house.admission.admit_socket(address),
        request.extensions_mut().remove::<OnUpgrade>(),
        request.extensions_mut().remove::<Accepted>(),
    ) else {
        Metrics::count(&house.metrics.refused);
        let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "too many connections\n");
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    };
    let key = ConnectionKey(house.next_key.fetch_add(1, Ordering::Relaxed));
    let sockets = house.sockets.clone();
    drop(house);
    tokio::spawn(async move {
        // Both places are given back when the socket is gone, however that comes about.
        let _places = (place, accepted.ticket);
        match take(on_upgrade).await {
            Some((stream, leftover)) => socket::run(stream, leftover, key, address, stranger, sockets).await,
            None => debug!("the upgrade came to nothing"),
        }
    });
    switching_protocols(&accept)
}

/// Takes the bare connection out of the HTTP server's hands, with what was read too much.
async fn take(on_upgrade: OnUpgrade) -> Option<(Wire, Bytes)> {
    let upgraded = on_upgrade.await.ok()?;
    let Parts { io, read_buf, .. } = upgraded.downcast::<TokioIo<Wire>>().ok()?;
    // A copy, so that the HTTP server's larger buffer is freed.
    Some((io.into_inner(), Bytes::copy_from_slice(&read_buf)))
}

/// Whether the page that asks is ours. Exactly: no sub-domains, no other port, no `null`.
fn is_own_origin(house: &House, caller: Caller, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return false;
    };
    let is = |allowed: &Origin| allowed.as_str().as_bytes() == origin.as_bytes();
    house.public_origins.iter().any(is) || house.own_origin(caller, headers).as_ref().is_some_and(is)
}

/// The answer to the client's key, if this is a proper request for a WebSocket.
fn accept_key(method: &Method, headers: &HeaderMap) -> Option<String> {
    let has_token = |name: HeaderName, token: &str| {
        headers.get_all(name).iter().any(|value| {
            let listed = value.to_str().unwrap_or_default();
            listed
                .split(',')
                .any(|listed| listed.trim().eq_ignore_ascii_case(token))
        })
    };
    let is_upgrade = method == Method::GET
        && has_token(header::CONNECTION, "upgrade")
        && has_token(header::UPGRADE, "websocket")
        && headers.get(header::SEC_WEBSOCKET_VERSION)? == "13";
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    let mut decoded = [0; 16];
    let is_key = Base64::decode(key.as_bytes(), &mut decoded).is_ok_and(|key| key.len() == 16);
    (is_upgrade && is_key).then(|| {
        let digest = Sha1::new()
            .chain_update(key.as_bytes())
            .chain_update(GUID)
            .finalize();
        Base64::encode_string(&digest)
    })
}

fn switching_protocols(accept: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_standard_s_example_is_answered_as_there() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONNECTION,
            HeaderValue::from_static("keep-alive, Upgrade"),
        );
        headers.insert(header::UPGRADE, HeaderValue::from_static("WebSocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        headers.insert(header::SEC_WEBSOCKET_KEY, key);
        let answer = accept_key(&Method::GET, &headers);
        assert_eq!(answer.as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(accept_key(&Method::POST, &headers), None);
        headers.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_static("short"));
        assert_eq!(accept_key(&Method::GET, &headers), None);
    }
}
