//! `/trust`: how a device is told to trust the local authority.
//!
//! A page without scripts, served over plain HTTP as well: before there is trust, a phone opens
//! nothing over HTTPS without a warning. Whoever changes it on the way could offer another
//! authority, which is why the fingerprint is to be compared with what the server logs.

mod words;

use core::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use qrcodegen::{QrCode, QrCodeEcc};

use super::{House, joined, page, plain};
use crate::metrics::Metrics;
use words::{ENGLISH, GERMAN, Words};

/// How the pages look that the server writes itself: as the app, in less.
pub(super) const STYLE: &str = include_str!("trust/style.css");
/// Empty modules around a QR code (ISO/IEC 18004).
const QUIET_ZONE: i32 = 4;
/// The app's mark.
const MARK: &str = "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"M2.2 3a9 9 0 0 1 0 18z\"/><path d=\"M21.8 3a9 9 0 0 0 0 18z\"/></svg>";

/// The languages of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
}

impl Language {
    /// What a request asks for: `?lang=`, else what its browser prefers (RFC 9110, section 12.5.4).
    pub(super) fn of(request: &Request) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let asked = query.split('&').find_map(|pair| pair.strip_prefix("lang="));
        let accepted = joined(request.headers(), &header::ACCEPT_LANGUAGE);
        asked
            .and_then(Self::read)
            .or_else(|| Self::preferred(&accepted))
            .unwrap_or(Self::English)
    }

    fn read(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("de") {
            Some(Self::German)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::English)
        } else {
            None
        }
    }

    fn preferred(accepted: &str) -> Option<Self> {
        let mut best = None;
        for item in accepted.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let Some(language) = parts.next().and_then(Self::read) else {
                continue;
            };
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight: f32 = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            if weight > 0.0 && best.is_none_or(|(_, most)| weight > most) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }

    const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    const fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }
}

/// The page and the certificate, where there is a local authority.
pub(super) fn routes(house: &House) -> Router<Arc<House>> {
    let router = Router::new();
    if house.tls.as_ref().is_none_or(|tls| tls.authority().is_none()) {
        return router;
    }
    router
        .route("/trust", get(show))
        .route("/trust/authority.crt", get(certificate))
}

async fn show(State(house): State<Arc<House>>, request: Request) -> Response {
    Metrics::count(&house.metrics.requests);
    let Some(tls) = &house.tls else {
        return plain(StatusCode::NOT_FOUND, "not found\n");
    };
    let Some((_, fingerprint)) = tls.authority() else {
        return plain(StatusCode::NOT_FOUND, "not found\n");
    };
    let language = Language::of(&request);
    let lan = tls.lan().map(|address| SocketAddr::new(address, house.port));
    let body = body(language.words(), &fingerprint, lan, house.port);
    page(
        StatusCode::OK,
        document(language, language.words().title, &body),
        STYLE,
    )
}

async fn certificate(State(house): State<Arc<House>>) -> Response {
    Metrics::count(&house.metrics.requests);
    let authority = house.tls.as_ref().and_then(|tls| tls.authority());
    let Some((certificate, _)) = authority else {
        return plain(StatusCode::NOT_FOUND, "not found\n");
    };
    let bytes = Bytes::copy_from_slice(certificate);
    let mut response = plain(StatusCode::OK, Body::from(bytes));
    // By this name phones know what to do with it.
    let kind = HeaderValue::from_static("application/x-x509-ca-cert");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// A whole page around what it says. Only text of ours goes in.
pub(super) fn document(language: Language, title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>{title} – \
         Visavis</title><style>{STYLE}</style></head><body><p class=\"brand\">{MARK}visavis</p><main>{body}</main></body></html>",
        language.tag()
    )
}

fn body(words: &Words, fingerprint: &str, lan: Option<SocketAddr>, port: u16) -> String {
    let mut html = format!(
        "<h1>{}</h1><p>{}</p><section class=\"card\"><h2>{}</h2>",
        words.title, words.why, words.phone
    );
    let address = lan.unwrap_or_else(|| SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port));
    // Writing into a string cannot fail.
    let _ = match lan {
        Some(address) => {
            // Over plain HTTP: the phone does not trust us yet.
            let url = format!("http://{address}/trust");
            write!(
                html,
                "<p>{}</p>{}<p class=\"quiet\">{url}</p>",
                words.scan,
                code(&url)
            )
        }
        None => write!(html, "<p>{}</p>", words.alone),
    };
    let _ = write!(
        html,
        "</section><section class=\"card\"><h2>{}</h2><p><a class=\"button\" href=\"/trust/authority.crt\">{}</a></p>\
         <p>{}</p><p class=\"print\">{fingerprint}</p></section><section class=\"card\"><h2>{}</h2>",
        words.get, words.download, words.compare, words.install
    );
    for (device, steps) in words.devices {
        let _ = write!(html, "<details><summary>{device}</summary><ol>");
        for step in *steps {
            let _ = write!(html, "<li>{step}</li>");
        }
        html.push_str("</ol></details>");
    }
    let _ = write!(
        html,
        "</section><section class=\"card\"><h2>{}</h2><p><a class=\"button\" href=\"https://{address}/\">{}</a></p>\
         <p class=\"quiet\">https://{address}/</p></section><p class=\"quiet\">{}</p><p>{}</p>",
        words.last, words.open, words.bounds, words.other
    );
    html
}

/// A QR code as one path: one bar for each run of dark modules in a row.
fn code(text: &str) -> String {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else {
        return String::new();
    };
    let side = code.size() + 2 * QUIET_ZONE;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let start = x;
            while code.get_module(x, y) {
                x += 1;
            }
            if x > start {
                let (left, top, length) = (start + QUIET_ZONE, y + QUIET_ZONE, x - start);
                let _ = write!(path, "M{left} {top}h{length}v1h-{length}z");
            }
            x += 1;
        }
    }
    format!(
        "<svg class=\"qr\" role=\"img\" aria-label=\"{text}\" viewBox=\"0 0 {side} {side}\"><path d=\"{path}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_what_the_browser_likes_best_of_ours() {
        for (accepted, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some(Language::German)),
            ("fr, en-GB;q=0.4, de;q=0.6", Some(Language::German)),
            ("en, de", Some(Language::English)),
            ("de;q=0, fr", None),
            ("", None),
        ] {
            assert_eq!(Language::preferred(accepted), expected, "{accepted}");
        }
    }

    #[test]
    fn a_phone_is_led_to_plain_http_first_and_to_https_last() {
        let lan = Some("192.168.1.5:8443".parse().unwrap());
        for words in [&ENGLISH, &GERMAN] {
            let html = body(words, "AB:CD", lan, 8443);
            assert!(html.contains("aria-label=\"http://192.168.1.5:8443/trust\""));
            assert!(html.contains("href=\"https://192.168.1.5:8443/\""));
            assert!(html.contains("AB:CD") && html.contains("/trust/authority.crt"));
            assert_eq!(words.devices.len(), ENGLISH.devices.len());
            let alone = body(words, "AB:CD", None, 8443);
            assert!(alone.contains(words.alone) && !alone.contains("<svg"));
        }
    }
}
