//! Sign-in by tokens of the operator's site, as a site makes them and as others do.

use std::time::{Duration, SystemTime};

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::KeyPair;
use serde_json::{Value, json};
use tokio::time::timeout;
use visavis_protocol::people::{PeopleEvent, PeopleRequest};
use visavis_protocol::{ErrorCode, ServerMessage};
use visavis_server::Config;
use visavis_server::token::{Signing, TokenKey, TokenRules};

use crate::folk::{Key, ask, hear, named};
use crate::support::{PATIENCE, Server, Socket};

/// The operator's site: it has the private half of the key.
struct Site(Key);

impl Site {
    fn rules(&self) -> TokenRules {
        TokenRules {
            key: TokenKey::new(Signing::Es256, self.public()).unwrap(),
            issuer: "https://site.example".into(),
            audience: "https://meet.example".into(),
        }
    }

    fn public(&self) -> Vec<u8> {
        self.0.0.public_key().as_ref().to_vec()
    }

    fn token(&self, claims: &Value) -> String {
        let text = unsigned("ES256", claims);
        let signature = self.0.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", Base64UrlUnpadded::encode_string(signature.as_ref()))
    }
}

/// A token's first two parts.
fn unsigned(algorithm: &str, claims: &Value) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let header = json!({"alg": algorithm, "typ": "JWT"});
    format!("{}.{}", part(&header), part(claims))
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

fn claims(name: &str) -> Value {
    json!({"sub": name, "iss": "https://site.example", "aud": "https://meet.example", "exp": now() + 60})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("ada");
    claims[name] = value;
    claims
}

fn request(token: String) -> PeopleRequest {
    PeopleRequest::SignInByToken {
        token,
        name: "Ada".into(),
    }
}

async fn is_refused(socket: &mut Socket, request: PeopleRequest, code: ErrorCode) {
    ask(socket, request).await;
    socket.hears_error(code).await;
}

#[tokio::test]
async fn the_operators_site_says_who_is_who() {
    let site = Site(Key::new());
    let server = Server::with(Config {
        tokens: Some(site.rules()),
        ..Config::default()
    })
    .await;
    let mut ada = server.greeted().await;
    // The page learns at its first word which way the server wants.
    is_refused(&mut ada, PeopleRequest::Challenge {}, ErrorCode::TokensOnly).await;
    let token = site.token(&claims("ada"));
    ask(&mut ada, request(token.clone())).await;
    let heard = hear(&mut ada).await;
    assert!(
        matches!(&heard, PeopleEvent::SignedIn { handle, .. } if *handle == named("ada")),
        "{heard:?}"
    );
    is_refused(&mut ada, PeopleRequest::MakeCode {}, ErrorCode::TokensOnly).await;
    // Again on a new socket, which is what a page does that lost its own.
    let mut again = server.greeted().await;
    ask(&mut again, request(token)).await;
    assert!(matches!(hear(&mut again).await, PeopleEvent::SignedIn { .. }));
    ask(&mut again, PeopleRequest::Add { handle: named("bob") }).await;
    for socket in [&mut again, &mut ada] {
        assert!(matches!(hear(socket).await, PeopleEvent::Contacts { .. }));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_token_that_the_site_did_not_make_so_is_none() {
    let site = Site(Key::new());
    let server = Server::with(Config {
        tokens: Some(site.rules()),
        ..Config::default()
    })
    .await;
    let mut eve = server.greeted().await;
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &site.public());
    let text = unsigned("HS256", &claims("ada"));
    let confused = hmac::sign(&secret, text.as_bytes());
    let confused = format!("{text}.{}", Base64UrlUnpadded::encode_string(confused.as_ref()));
    let mut no_end = claims("ada");
    no_end.as_object_mut().unwrap().remove("exp");
    for (what, token) in [
        (
            "nothing signed it",
            format!("{}.", unsigned("none", &claims("ada"))),
        ),
        ("signed with the public key as a secret", confused),
        ("another site's", Site(Key::new()).token(&claims("ada"))),
        ("expired", site.token(&with("exp", json!(now() - 60)))),
        ("not good yet", site.token(&with("nbf", json!(now() + 120)))),
        ("without an end", site.token(&no_end)),
        (
            "its end is a text",
            site.token(&with("exp", json!((now() + 60).to_string()))),
        ),
        ("good for years", site.token(&with("exp", json!(now() + 90_000)))),
        (
            "for another site",
            site.token(&with("aud", json!("https://other.example"))),
        ),
        (
            "of another site",
            site.token(&with("iss", json!("https://other.example"))),
        ),
        ("too long", site.token(&with("more", json!("x".repeat(3 * 1024))))),
        ("no handle", site.token(&claims("Ada Lovelace"))),
        ("a look-alike", site.token(&claims("\u{430}da"))),
        ("turned round", site.token(&claims("ada\u{202e}"))),
        ("nothing", String::new()),
    ] {
        ask(&mut eve, request(token)).await;
        let heard = eve.hear().await;
        let is_bad = matches!(
            heard,
            ServerMessage::Error {
                code: ErrorCode::BadToken,
                ..
            }
        );
        assert!(is_bad, "{what}: {heard:?}");
    }
    // All that and nobody is signed in.
    is_refused(
        &mut eve,
        PeopleRequest::Add { handle: named("bob") },
        ErrorCode::NotSignedIn,
    )
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_token_that_ends_ends_nothing() {
    let site = Site(Key::new());
    let server = Server::with(Config {
        tokens: Some(site.rules()),
        ..Config::default()
    })
    .await;
    let mut ada = server.greeted().await;
    // Good for five seconds more, thanks to what clocks may differ.
    let token = site.token(&with("exp", json!(now() - 25)));
    ask(&mut ada, request(token.clone())).await;
    assert!(matches!(hear(&mut ada).await, PeopleEvent::SignedIn { .. }));
    let ends = async {
        loop {
            let mut late = server.greeted().await;
            ask(&mut late, request(token.clone())).await;
            let heard = late.hear().await;
            if let ServerMessage::Error { code, .. } = heard {
                break assert_eq!(code, ErrorCode::BadToken);
            }
            let is_in = matches!(heard, ServerMessage::People(PeopleEvent::SignedIn { .. }));
            assert!(is_in, "{heard:?}");
            drop(late);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    timeout(PATIENCE, ends).await.unwrap();
    ask(&mut ada, PeopleRequest::Add { handle: named("bob") }).await;
    assert!(matches!(hear(&mut ada).await, PeopleEvent::Contacts { .. }));
    server.stop().await;
}

#[tokio::test]
async fn a_server_of_keys_says_so() {
    let server = Server::start().await;
    let mut ada = server.greeted().await;
    let token = Site(Key::new()).token(&claims("ada"));
    is_refused(&mut ada, request(token), ErrorCode::KeysOnly).await;
    server.stop().await;
}
