//! People who have keys, and what they say.

use std::path::PathBuf;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use visavis_protocol::handle::{Fixed, proof};
use visavis_protocol::people::{PeopleEvent, PeopleRequest};
use visavis_protocol::{CallId, ClientMessage, Handle, ServerMessage};
use visavis_server::Config;

use crate::support::{Server, Socket};

/// A browser's key.
pub struct Key(pub EcdsaKeyPair, SystemRandom);

impl Key {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let secret = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, secret.as_ref(), &random);
        Self(pair.unwrap(), random)
    }
}

pub fn named(name: &str) -> Handle {
    name.parse().unwrap()
}

pub fn call(n: u8) -> CallId {
    CallId::from_bytes([n; 16])
}

pub async fn ask(socket: &mut Socket, request: PeopleRequest) {
    socket.say(&ClientMessage::People(request)).await;
}

pub async fn hear(socket: &mut Socket) -> PeopleEvent {
    let message = socket.hear().await;
    let ServerMessage::People(event) = message else {
        panic!("{message:?}")
    };
    event
}

/// What this key writes to prove a handle on a socket.
pub async fn proven(socket: &mut Socket, name: &str, key: &Key, code: Option<&str>) -> PeopleRequest {
    ask(socket, PeopleRequest::Challenge {}).await;
    let PeopleEvent::Challenge { nonce } = hear(socket).await else {
        panic!("a challenge")
    };
    let text = proof(&nonce, &named(name));
    PeopleRequest::SignIn {
        handle: named(name),
        key: Fixed(key.0.public_key().as_ref().try_into().unwrap()),
        signature: Fixed(key.0.sign(&key.1, &text).unwrap().as_ref().try_into().unwrap()),
        code: code.map(Into::into),
        take: true,
        name: name.to_owned(),
    }
}

/// Asks to sign in; the answer follows.
pub async fn sign(socket: &mut Socket, name: &str, key: &Key) {
    let request = proven(socket, name, key, None).await;
    ask(socket, request).await;
}

pub async fn signed_in(server: &Server, name: &str, key: &Key) -> Socket {
    let mut socket = server.greeted().await;
    sign(&mut socket, name, key).await;
    let event = hear(&mut socket).await;
    assert!(matches!(event, PeopleEvent::SignedIn { .. }), "{event:?}");
    socket
}

pub fn ring(n: u8, to: &str) -> PeopleRequest {
    PeopleRequest::Ring {
        call: call(n),
        to: named(to),
        video: true,
        invite: "here".into(),
        rung_ms: 0,
    }
}

/// A data folder, gone with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("visavis-people-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The settings of a server that keeps what it knows here.
    pub fn config(&self) -> Config {
        Config {
            data_dir: Some(self.0.clone()),
            ..Config::default()
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
