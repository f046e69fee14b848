//! Handles and calls over real sockets, with real keys and a real file.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

#[path = "support/mod.rs"]
mod support;

use std::path::PathBuf;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use support::{Server, Socket};
use visavis_protocol::handle::{Fixed, proof};
use visavis_protocol::people::{Contact, EndReason, PeopleEvent, PeopleRequest, Presence};
use visavis_protocol::{CallId, ClientMessage, ErrorCode, Handle, ServerMessage};
use visavis_server::Config;

/// A browser's key.
struct Key(EcdsaKeyPair, SystemRandom);

impl Key {
    fn new() -> Self {
        let random = SystemRandom::new();
        let secret = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, secret.as_ref(), &random);
        Self(pair.unwrap(), random)
    }
}

fn named(name: &str) -> Handle {
    name.parse().unwrap()
}

fn call(n: u8) -> CallId {
    CallId::from_bytes([n; 16])
}

async fn ask(socket: &mut Socket, request: PeopleRequest) {
    socket.say(&ClientMessage::People(request)).await;
}

async fn hear(socket: &mut Socket) -> PeopleEvent {
    match socket.hear().await {
        ServerMessage::People(event) => event,
        other => panic!("{other:?}"),
    }
}

/// Asks to sign in; the answer follows.
async fn sign(socket: &mut Socket, name: &str, key: &Key) {
    ask(socket, PeopleRequest::Challenge {}).await;
    let PeopleEvent::Challenge { nonce } = hear(socket).await else {
        panic!("a challenge")
    };
    let text = proof(&nonce, &named(name));
    let request = PeopleRequest::SignIn {
        handle: named(name),
        key: Fixed(key.0.public_key().as_ref().try_into().unwrap()),
        signature: Fixed(key.0.sign(&key.1, &text).unwrap().as_ref().try_into().unwrap()),
        code: None,
        name: name.to_owned(),
    };
    ask(socket, request).await;
}

async fn signed_in(server: &Server, name: &str, key: &Key) -> Socket {
    let mut socket = server.greeted().await;
    sign(&mut socket, name, key).await;
    let event = hear(&mut socket).await;
    assert!(matches!(event, PeopleEvent::SignedIn { .. }), "{event:?}");
    socket
}

fn ring(n: u8, to: &str) -> PeopleRequest {
    PeopleRequest::Ring {
        call: call(n),
        to: named(to),
        video: true,
        invite: "here".into(),
        rung_ms: 0,
    }
}

#[tokio::test]
async fn a_call_rings_and_is_taken() {
    let server = Server::start().await;
    let mut ada = signed_in(&server, "ada", &Key::new()).await;
    let mut bob = signed_in(&server, "bob", &Key::new()).await;
    ask(&mut ada, ring(1, "bob")).await;
    assert!(matches!(hear(&mut bob).await, PeopleEvent::Incoming { from, .. } if from == named("ada")));
    ask(&mut bob, PeopleRequest::Ack { call: call(1) }).await;
    assert_eq!(hear(&mut ada).await, PeopleEvent::Ringing { call: call(1) });
    ask(
        &mut bob,
        PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: None,
        },
    )
    .await;
    for socket in [&mut ada, &mut bob] {
        let event = hear(socket).await;
        assert!(
            matches!(&event, PeopleEvent::Accepted { invite, .. } if invite == "here"),
            "{event:?}"
        );
        let event = hear(socket).await;
        let busy = matches!(
            &event,
            PeopleEvent::Presence(Contact {
                presence: Presence::Busy,
                ..
            })
        );
        assert!(busy, "{event:?}");
    }
    ask(&mut bob, PeopleRequest::HangUp { call: call(1) }).await;
    for socket in [&mut ada, &mut bob] {
        let ended = PeopleEvent::Ended {
            call: call(1),
            reason: EndReason::HungUp,
        };
        assert_eq!(hear(socket).await, ended);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_handle_outlasts_the_server_and_belongs_to_its_key() {
    let folder = std::env::temp_dir().join(format!("visavis-people-{}", std::process::id()));
    let config = || Config {
        data_dir: Some(PathBuf::from(&folder)),
        ..Config::default()
    };
    let key = Key::new();
    let server = Server::with(config()).await;
    let mut ada = signed_in(&server, "ada", &key).await;
    ask(&mut ada, PeopleRequest::Add { handle: named("bob") }).await;
    hear(&mut ada).await;
    // Whoever is called and not there finds it later, also with another server.
    drop(signed_in(&server, "bob", &Key::new()).await);
    let mut cleo = signed_in(&server, "cleo", &Key::new()).await;
    drop(ada);
    server.metric_becomes("visavis_sockets", 1).await;
    ask(&mut cleo, ring(1, "ada")).await;
    assert!(matches!(
        hear(&mut cleo).await,
        PeopleEvent::Ended {
            reason: EndReason::Unreachable,
            ..
        }
    ));
    server.stop().await;

    let server = Server::with(config()).await;
    let mut eve = server.greeted().await;
    sign(&mut eve, "ada", &Key::new()).await;
    eve.hears_error(ErrorCode::HandleTaken).await;
    let mut ada = server.greeted().await;
    sign(&mut ada, "ada", &key).await;
    let PeopleEvent::SignedIn { contacts, missed, .. } = hear(&mut ada).await else {
        panic!("the key is known")
    };
    assert_eq!(
        contacts
            .iter()
            .map(|contact| contact.handle.as_str())
            .collect::<Vec<_>>(),
        ["bob"]
    );
    assert_eq!(
        missed
            .iter()
            .map(|missed| missed.from.as_str())
            .collect::<Vec<_>>(),
        ["cleo"]
    );
    server.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn what_nobody_may_do_is_refused_by_name() {
    let server = Server::start().await;
    let (mut ada, mut bob, mut eve) = (
        signed_in(&server, "ada", &Key::new()).await,
        signed_in(&server, "bob", &Key::new()).await,
        signed_in(&server, "eve", &Key::new()).await,
    );
    // Without a handle, to oneself, in another's name, by names that look like another.
    let mut stranger = server.greeted().await;
    ask(&mut stranger, ring(1, "bob")).await;
    stranger.hears_error(ErrorCode::NotSignedIn).await;
    ask(&mut eve, ring(1, "eve")).await;
    eve.hears_error(ErrorCode::SelfAddressed).await;
    for text in [
        r#"{"people":{"ring":{"call":"BQUFBQUFBQUFBQUFBQUFBQ","to":"bob","video":true,"invite":"","from":"ada"}}}"#,
        r#"{"people":{"ring":{"call":"BQUFBQUFBQUFBQUFBQUFBQ","to":"b\u043eb","video":true,"invite":""}}}"#,
        r#"{"people":{"ring":{"call":"BQUFBQUFBQUFBQUFBQUFBQ","to":"bob\u202e","video":true,"invite":""}}}"#,
        r#"{"people":{"ring":{"call":"short","to":"bob","video":true,"invite":""}}}"#,
        r#"{"people":{}}"#,
        r#"{"people":[]}"#,
    ] {
        eve.is_refused(text, ErrorCode::BadMessage).await;
    }
    // Another's call, and one that is not.
    ask(&mut ada, ring(1, "bob")).await;
    assert!(matches!(hear(&mut bob).await, PeopleEvent::Incoming { .. }));
    for request in [
        PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: None,
        },
        PeopleRequest::HangUp { call: call(1) },
        PeopleRequest::Decline { call: call(9) },
    ] {
        ask(&mut eve, request).await;
        let event = hear(&mut eve).await;
        let is_unknown = matches!(
            event,
            PeopleEvent::Ended {
                reason: EndReason::UnknownCall,
                ..
            }
        );
        assert!(is_unknown, "{event:?}");
    }
    // Too often.
    for n in 0..11 {
        ask(&mut eve, ring(20 + n, &format!("nobody{n}"))).await;
    }
    for _ in 0..10 {
        assert!(matches!(hear(&mut eve).await, PeopleEvent::Ended { .. }));
    }
    eve.hears_error(ErrorCode::RateLimited).await;
    bob.is_open().await;
    server.stop().await;
}
