//! What the server answers over HTTP: the client's files, its health, its figures, the upgrade.

mod caller;
mod insecure;
mod trust;
mod upgrade;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

pub(crate) use caller::{Accepted, Caller};
pub(crate) use insecure::router as insecure_router;

use crate::admission::Admission;
use crate::assets::{Asset, Assets, Found};
use crate::config::{MetricsAccess, Network, Origin};
use crate::driver::Request as HubRequest;
use crate::metrics::Metrics;
use crate::socket::Surroundings;
use crate::tls::Tls;

/// What every request handler can reach.
pub(crate) struct House {
    pub(crate) assets: Assets,
    pub(crate) admission: Arc<Admission>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) metrics_access: MetricsAccess,
    pub(crate) public_origins: Vec<Origin>,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) tls: Option<Arc<Tls>>,
    /// The port that it listens on.
    pub(crate) port: u16,
    pub(crate) requests: mpsc::Sender<HubRequest>,
    pub(crate) sockets: Surroundings,
    pub(crate) next_key: core::sync::atomic::AtomicU64,
}

/// What our page may ask the browser for, and what not. Only names that browsers know: each other
/// one is a warning in every visitor's console.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(self), browsing-topics=(), camera=(self), \
    display-capture=(self), encrypted-media=(), fullscreen=(self), gamepad=(), geolocation=(), gyroscope=(), \
    hid=(), identity-credentials-get=(), idle-detection=(), local-fonts=(), magnetometer=(), \
    microphone=(self), midi=(), payment=(), picture-in-picture=(self), publickey-credentials-get=(), \
    screen-wake-lock=(self), serial=(), speaker-selection=(self), storage-access=(), usb=(), \
    xr-spatial-tracking=()";

impl House {
    /// The origin that a request's `Host` names, if people may reach us there: without a public one
    /// any over plain HTTP, any of the certificate's names over HTTPS. An operator who says the public
    /// origins has said all of them, but for the names of an authority of our own.
    fn own_origin(&self, caller: Caller, headers: &HeaderMap) -> Option<Origin> {
        let is_local = self.tls.as_ref().is_some_and(|tls| tls.authority().is_some());
        if !self.public_origins.is_empty() && !is_local {
            return None;
        }
        let own = caller.own_origin(headers)?;
        match &self.tls {
            Some(tls) => (own.is_secure() && tls.is_for(own.host())).then_some(own),
            None => Some(own),
        }
    }
}

/// The routes. There is no redirect among them, and no cookie is read or set.
pub(crate) fn router(house: Arc<House>) -> Router {
    trust::routes(&house)
        .route("/ws", any(upgrade::upgrade))
        .route("/healthz", get(health))
        .route("/metrics", get(figures))
        .fallback(asset)
        .with_state(house)
}

/// Whether the hub still answers: a server whose hub hangs is not healthy.
async fn health(State(house): State<Arc<House>>) -> Response {
    match ask_figures(&house).await {
        Some(_) => plain(StatusCode::OK, "ok\n"),
        None => plain(StatusCode::SERVICE_UNAVAILABLE, "the hub does not answer\n"),
    }
}

async fn ask_figures(house: &House) -> Option<(crate::hub::Counts, crate::hub::Totals)> {
    let (reply, answer) = oneshot::channel();
    house.requests.send(HubRequest::Figures(reply)).await.ok()?;
    let patience = core::time::Duration::from_secs(5);
    tokio::time::timeout(patience, answer).await.ok()?.ok()
}

async fn figures(State(house): State<Arc<House>>, request: Request) -> Response {
    let caller = Caller::of(&request, &house.trusted_proxies);
    let allowed = match house.metrics_access {
        MetricsAccess::Any => true,
        MetricsAccess::Off => false,
        MetricsAccess::Local => caller.is_some_and(|caller| caller.address.is_loopback()),
    };
    if !allowed {
        return plain(StatusCode::NOT_FOUND, "not found\n");
    }
    let Some((counts, totals)) = ask_figures(&house).await else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "the hub does not answer\n");
    };
    let page = house.metrics.render(house.admission.open(), counts, &totals);
    let mut response = plain(StatusCode::OK, page);
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Answers with a file of the client, or with its page.
async fn asset(State(house): State<Arc<House>>, request: Request) -> Response {
    Metrics::count(&house.metrics.requests);
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let mut bundle = house.assets.bundle();
    let is_page = match bundle.find(request.uri().path()) {
        Found::Page => true,
        Found::File(name) => name == "index.html",
        Found::Nothing => return plain(StatusCode::NOT_FOUND, "not found\n"),
    };
    if is_page {
        house.assets.refresh();
        bundle = house.assets.bundle();
    }
    let name = request.uri().path().trim_start_matches('/');
    let found = if is_page { bundle.page() } else { bundle.file(name) };
    let Some(file) = found else {
        return plain(StatusCode::NOT_FOUND, "not found\n");
    };
    let mut response = file_response(file, &request);
    if is_page {
        let policy = bundle.policy().header(&page_origins(&house, &request));
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response
                .headers_mut()
                .insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
    response
}

/// The origins under which this page is seen, for its policy.
fn page_origins(house: &House, request: &Request) -> Vec<Origin> {
    let caller = Caller::of(request, &house.trusted_proxies);
    let own = caller.and_then(|caller| house.own_origin(caller, request.headers()));
    let public = house.public_origins.iter();
    let other = own.filter(|own| !house.public_origins.contains(own));
    public.cloned().chain(other).collect()
}

fn file_response(file: &Asset, request: &Request) -> Response {
    let headers = request.headers();
    let accepted = joined(headers, &header::ACCEPT_ENCODING);
    let (encoding, body) = file.best(&accepted);
    let known = joined(headers, &header::IF_NONE_MATCH);
    let unchanged = known.split(',').any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.trim_start_matches("W/") == file.etag
    });
    let length = body.len();
    let status = if unchanged {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    };
    let without_body = unchanged || request.method() == Method::HEAD;
    let body = if without_body { Bytes::new() } else { body };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, file.content_type);
    set(header::ETAG, &file.etag);
    let cache = if file.hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    set(header::CACHE_CONTROL, cache);
    if file.varies() {
        set(header::VARY, "accept-encoding");
    }
    if !unchanged {
        if let Some(name) = encoding.name() {
            set(header::CONTENT_ENCODING, name);
        }
        if without_body {
            set(header::CONTENT_LENGTH, &length.to_string());
        }
    }
    secure(&mut response);
    response
}

fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.join(",")
}

/// A short answer in words.
fn plain(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    secure(&mut response);
    response
}

/// A page that the server writes itself: no script, no file besides, nothing that is kept.
fn page(status: StatusCode, html: String, style: &str) -> Response {
    let mut response = plain(status, html);
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let hash = Base64::encode_string(&Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    response
}

/// The headers that every answer carries.
fn secure(response: &mut Response) {
    let headers = [
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
}
