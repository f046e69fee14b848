//! Links that open nothing, each with its own error, on the wire; and no word of any of them in a log.

use std::collections::BTreeSet;

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::hmac;
use serde_json::{Value, json};
use visavis_protocol::appointment::{
    DeskEvent, DeskRequest, DeskStatus, Place, VisitEvent, VisitRequest, VisitState,
};
use visavis_protocol::{
    ClientMessage, ErrorCode, HostSecret, RoomId, RoomSecret, SeatSecret, ServerMessage, SessionSecret,
};

use crate::office::{Folder, Program, desk, desk_token, facts, id, now_ms, refused, visit};
use crate::support::Socket;

/// What somebody who has stolen the keys could sign.
struct Forger {
    key: String,
    secret: Vec<u8>,
}

impl Forger {
    fn new(folder: &std::path::Path) -> Self {
        let text = std::fs::read_to_string(folder.join("links.keys")).unwrap();
        let keys: Value = serde_json::from_str(&text).unwrap();
        Self {
            key: keys[0]["id"].as_str().unwrap().to_owned(),
            secret: Base64UrlUnpadded::decode_vec(keys[0]["secret"].as_str().unwrap()).unwrap(),
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let text = [part(header), part(claims)].join(".");
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret), text.as_bytes());
        [text, Base64UrlUnpadded::encode_string(signature.as_ref())].join(".")
    }
}

async fn put(socket: &mut Socket, n: u32) -> String {
    let appointment = id(n);
    desk(
        socket,
        DeskRequest::PutAppointment {
            appointment,
            facts: facts("Cleo"),
        },
    )
    .await;
    match socket.hear().await {
        ServerMessage::Desk(DeskEvent::Entry { entry, .. }) => entry.token,
        other => panic!("{other:?}"),
    }
}

async fn come(program: &Program, token: &str) -> (Socket, Result<VisitState, ErrorCode>) {
    let mut socket = program.greeted().await;
    let token = token.to_owned();
    visit(&mut socket, VisitRequest::OpenVisit { token }).await;
    let answer = match socket.hear().await {
        ServerMessage::Visit(VisitEvent::Appointment { state, .. }) => Ok(state),
        ServerMessage::Error { code, .. } => Err(code),
        other => panic!("{other:?}"),
    };
    (socket, answer)
}

#[tokio::test]
async fn every_bad_link_has_its_own_error_and_none_is_logged() {
    let folder = Folder::new("refusals");
    let desk_link = desk_token(&folder.0, &[]).await;
    let program = Program::start(&folder.0, 0, &[]).await;
    let mut page = program.greeted().await;
    let token = desk_link.clone();
    desk(&mut page, DeskRequest::OpenDesk { token }).await;
    assert!(matches!(
        page.hear().await,
        ServerMessage::Desk(DeskEvent::Opened { .. })
    ));
    let good = put(&mut page, 1).await;
    let other = put(&mut page, 2).await;
    let (_, answer) = come(&program, &good).await;
    assert_eq!(answer, Ok(VisitState::Open {}));

    let forger = Forger::new(&folder.0);
    let (own, foreign) = (id(1).to_text(), id(2).to_text());
    let time = now_ms() / 1000;
    let header = json!({"typ": "visavis-join+jwt", "alg": "HS256", "kid": forger.key});
    let claims = json!({"iss": "visavis", "aud": "visavis-join", "sub": own, "jti": format!("{own}.1"),
        "nbf": time, "exp": time + 1000});
    let with = |value: &Value, name: &str, to: Value| {
        let mut value = value.clone();
        value[name] = to;
        value
    };
    let head = |name: &str, to: Value| forger.sign(&with(&header, name, to), &claims);
    let claim = |name: &str, to: Value| forger.sign(&header, &with(&claims, name, to));
    let parts: Vec<&str> = good.split('.').collect();
    let mut lacking = claims.clone();
    lacking.as_object_mut().unwrap().remove("exp");
    let wrong_key = Forger {
        key: forger.key.clone(),
        secret: vec![9; 32],
    };
    let raised = {
        let bytes = Base64UrlUnpadded::decode_vec(parts[1]).unwrap();
        let mut claims: Value = serde_json::from_slice(&bytes).unwrap();
        claims["aud"] = json!("visavis-desk");
        claims["role"] = json!("host");
        let part = Base64UrlUnpadded::encode_string(claims.to_string().as_bytes());
        [parts[0], &part, parts[2]].join(".")
    };
    let mut tried = vec![desk_link.clone(), good.clone(), other.clone()];
    let mut codes = BTreeSet::new();
    let whole = forger.sign(&header, &claims);
    assert_eq!(
        come(&program, &whole).await.1,
        Ok(VisitState::Open {}),
        "the forger can sign"
    );
    for (token, code, what) in [
        (head("alg", json!("none")), ErrorCode::TokenUnsigned, "M41"),
        (head("alg", json!("RS256")), ErrorCode::TokenAlgorithm, "M42"),
        (wrong_key.sign(&header, &claims), ErrorCode::TokenSignature, "M43"),
        (claim("exp", json!(time - 100)), ErrorCode::TokenExpired, "M44"),
        (claim("nbf", json!(time + 100)), ErrorCode::TokenNotYet, "M45"),
        (claim("nbf", json!("0")), ErrorCode::TokenClaimType, "M46"),
        (forger.sign(&header, &lacking), ErrorCode::TokenClaims, "M47"),
        (
            claim("aud", json!("visavis-desk")),
            ErrorCode::TokenAudience,
            "M48",
        ),
        (head("typ", json!("JWT")), ErrorCode::TokenType, "M49"),
        (head("kid", json!("../../etc/passwd")), ErrorCode::TokenKey, "M50"),
        (head("kid", json!("x' OR '1'='1")), ErrorCode::TokenKey, "M50"),
        (
            claim("x", json!("y".repeat(4000))),
            ErrorCode::TokenTooLong,
            "M51",
        ),
        (
            claim("jti", json!(format!("{foreign}.1"))),
            ErrorCode::TokenReused,
            "M52",
        ),
        (
            claim("jti", json!(format!("{own}.2"))),
            ErrorCode::TokenReused,
            "M52: a link that was never made",
        ),
        (raised, ErrorCode::TokenSignature, "a role raised in the address"),
        (
            claim("iss", json!("elsewhere")),
            ErrorCode::TokenIssuer,
            "another issuer",
        ),
        (desk_link.clone(), ErrorCode::TokenType, "a desk's link"),
        ("nonsense".into(), ErrorCode::TokenMalformed, "nonsense"),
    ] {
        let (_, answer) = come(&program, &token).await;
        assert_eq!(answer, Err(code), "{what}");
        codes.insert(code);
        tried.push(token);
    }
    assert_eq!(codes.len(), 14, "each its own");
    // M51: two megabytes are no message at all.
    let mut socket = program.greeted().await;
    let text = ClientMessage::Visit(VisitRequest::OpenVisit {
        token: "x".repeat(2 * 1024 * 1024),
    })
    .encode();
    socket.say_text(&text).await;
    assert_eq!(socket.try_hear().await, None, "the connection ends");
    // A client's link opens no desk.
    let mut socket = program.greeted().await;
    let token = good.clone();
    desk(&mut socket, DeskRequest::OpenDesk { token }).await;
    assert_eq!(refused(&mut socket).await, ErrorCode::TokenType);

    // Another desk's professional has no say.
    let foreign_desk = desk_token(&folder.0, &[]).await;
    let token = foreign_desk.clone();
    desk(&mut socket, DeskRequest::OpenDesk { token }).await;
    assert!(
        matches!(socket.hear().await, ServerMessage::Desk(DeskEvent::Opened { entries, .. }) if entries.is_empty())
    );
    desk(&mut socket, DeskRequest::CancelAppointment { appointment: id(1) }).await;
    assert_eq!(refused(&mut socket).await, ErrorCode::UnknownAppointment);

    // Used up.
    let (mut client, answer) = come(&program, &good).await;
    assert_eq!(answer, Ok(VisitState::Open {}));
    let room = RoomId::derive("call", Some(&RoomSecret::from_bytes([5; 16])));
    let place = Place {
        room: room.clone(),
        link: "/room/call#…".into(),
        host: HostSecret::from_bytes([6; 16]),
    };
    desk(
        &mut page,
        DeskRequest::CallIn {
            appointment: id(1),
            place,
        },
    )
    .await;
    let mut seats = Vec::new();
    for n in [1, 2] {
        let mut seat = program.greeted().await;
        let join = ClientMessage::Join {
            room: room.clone(),
            seat: SeatSecret::from_bytes([n; 16]),
            session: SessionSecret::from_bytes([n; 16]),
            name: format!("Person {n}"),
            claim: visavis_protocol::Claim::default(),
        };
        seat.say(&join).await;
        assert!(matches!(seat.hear().await, ServerMessage::Joined { .. }));
        seats.push(seat);
    }
    for seat in &mut seats {
        seat.say(&ClientMessage::Leave {}).await;
    }
    loop {
        if let ServerMessage::Desk(DeskEvent::Entry { entry, .. }) = page.hear().await
            && entry.status == (DeskStatus::Done {})
        {
            break;
        }
    }
    loop {
        if let ServerMessage::Visit(VisitEvent::Appointment {
            state: VisitState::Over {},
            ..
        }) = client.hear().await
        {
            break;
        }
    }
    visit(&mut client, VisitRequest::Ready { waited_ms: 0 }).await;
    assert_eq!(refused(&mut client).await, ErrorCode::AppointmentOver);

    let log = program.log();
    assert!(log.contains("listening"), "it logs: {log}");
    tried.push(foreign_desk);
    for token in tried.iter().filter(|token| token.contains('.')) {
        for part in token
            .split('.')
            .skip(1)
            .chain([token.as_str()])
            .filter(|part| part.len() > 20)
        {
            assert!(!log.contains(part), "a part of a token is in the log");
        }
    }
    assert!(!log.contains(&Base64UrlUnpadded::encode_string(&forger.secret)));
}
