//! What plain HTTP is answered where the server speaks TLS: the way to HTTPS.
//!
//! A browser takes a link's fragment along through a redirect (Fetch, section 4.4), and here the
//! fragment is the secret of a room or the name of an account. Whoever sent a link over plain HTTP
//! is told so by a page instead, which has no script and links to the front page alone. Everything
//! else is redirected, with an empty fragment of our own so that the browser keeps none.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};

use super::caller::Accepted;
use super::trust::{self, Language};
use super::{House, health, page, plain};
use crate::assets::Found;
use crate::config::Origin;
use crate::metrics::Metrics;

/// The routes of plain HTTP. The page about trust is among them: it is read before there is trust.
pub(crate) fn router(house: Arc<House>) -> Router {
    trust::routes(&house)
        .route("/healthz", get(health))
        .fallback(answer)
        .with_state(house)
}

async fn answer(State(house): State<Arc<House>>, request: Request) -> Response {
    Metrics::count(&house.metrics.requests);
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::FORBIDDEN, "only over https\n");
    }
    let port = request
        .extensions()
        .get::<Accepted>()
        .and_then(|accepted| accepted.https_port);
    let Some(origin) = secure_origin(&house, request.headers(), port) else {
        return plain(
            StatusCode::MISDIRECTED_REQUEST,
            "this server is not known by that name\n",
        );
    };
    let path = request.uri().path();
    let may_carry_secret = !matches!(path, "" | "/") && house.assets.bundle().find(path) == Found::Page;
    if may_carry_secret {
        return open_securely(&origin, Language::of(&request));
    }
    let rest = request.uri().path_and_query().map_or("/", |rest| rest.as_str());
    let Ok(location) = HeaderValue::from_str(&format!("{origin}{rest}#")) else {
        return plain(StatusCode::BAD_REQUEST, "no such path\n");
    };
    let mut response = plain(StatusCode::PERMANENT_REDIRECT, "only over https\n");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// The origin over HTTPS of whoever a request names, if that is us: by the same rule as the origins of
/// sockets. `port` is that of HTTPS where it is another one than the request came to.
fn secure_origin(house: &House, headers: &HeaderMap, port: Option<u16>) -> Option<Origin> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return None;
    };
    let named = Origin::of(false, host.to_str().ok()?)?;
    let mut public = house.public_origins.iter();
    if let Some(origin) = public.find(|origin| origin.is_secure() && origin.host() == named.host()) {
        return Some(origin.clone());
    }
    let tls = house.tls.as_ref()?;
    let is_ours = house.public_origins.is_empty() || tls.authority().is_some();
    if !is_ours || !tls.is_for(named.host()) {
        return None;
    }
    // Where no port is written it was 80: ours, or one that somebody else passes on to us.
    let port = port.unwrap_or(match named.port() {
        80 if house.port != 80 => 443,
        port => port,
    });
    let host = named.host();
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.into()
    };
    Origin::of(true, &format!("{host}:{port}"))
}

/// The page that says how a link is opened.
fn open_securely(origin: &Origin, language: Language) -> Response {
    let (title, text, link) = match language {
        Language::English => (
            "Open this with https",
            "This link came over a connection that is not encrypted. Visavis is at the address below; open \
             your link again with <code>https://</code> in front instead of <code>http://</code>. What follows \
             the # in it was not sent to anybody.",
            "Open Visavis",
        ),
        Language::German => (
            "Bitte mit https öffnen",
            "Dieser Link führte über eine Verbindung, die nicht verschlüsselt ist. Visavis ist unter der Adresse \
             unten; öffne deinen Link noch einmal mit <code>https://</code> statt <code>http://</code> davor. Was \
             darin hinter dem # steht, wurde niemandem gesendet.",
            "Visavis öffnen",
        ),
    };
    let body = format!(
        "<h1>{title}</h1><p>{text}</p><p><a class=\"button\" href=\"{origin}/\">{link}</a></p><p class=\"quiet\">{origin}</p>"
    );
    let html = trust::document(language, title, &body);
    let mut response = page(StatusCode::UPGRADE_REQUIRED, html, trust::STYLE);
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("TLS/1.2, HTTP/1.1"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    response
}
