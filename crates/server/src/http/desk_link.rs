//! `POST /api/desk-link`: a desk's link for a program of the operator's.

use core::time::Duration;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use hyper::{Method, StatusCode, header};
use tokio::time::{Instant, timeout};

use super::{Caller, House, plain};
use crate::hub::AddressKey;
use crate::operator::Refusal;

/// How long the body may take once the key was shown.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a request: a name, a number and an id.
const BODY_BYTES: usize = 4096;

pub(super) async fn make(State(house): State<Arc<House>>, request: Request) -> Response {
    let caller = Caller::of(&request, &house.trusted_proxies);
    let (Some(office), Some(caller)) = (&house.office, caller) else {
        return plain(StatusCode::NOT_FOUND, "not found\n");
    };
    if *request.method() != Method::POST {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only POST\n");
    }
    let (head, body) = request.into_parts();
    let shown = head
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let address = AddressKey::from(caller.address);
    if let Err(refusal) = office.check(Instant::now(), address, shown) {
        return refused(refusal);
    }
    let body = match timeout(BODY_WITHIN, axum::body::to_bytes(body, BODY_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "too long\n"),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "too slow\n"),
    };
    match office.answer(&body) {
        Ok(made) => {
            let text = serde_json::to_string(&made).unwrap_or_default();
            let mut response = plain(StatusCode::OK, text);
            let kind = header::HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::TooMany => plain(
            StatusCode::TOO_MANY_REQUESTS,
            "too many wrong keys; wait a minute\n",
        ),
        Refusal::Key => {
            let mut response = plain(StatusCode::UNAUTHORIZED, "the operator's key is wanted\n");
            let scheme = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            response
        }
        Refusal::Request(why) => plain(StatusCode::BAD_REQUEST, [why, "\n"].concat()),
        Refusal::Server => plain(StatusCode::INTERNAL_SERVER_ERROR, "it cannot be made\n"),
    }
}
