//! M23 to M40: messages at the wrong time, in a wrong name, about others.

use std::time::Duration;

use tokio::time::timeout;
use visavis_protocol::{ClientMessage, CloseCode, ErrorCode, RoomId, ServerMessage, SessionSecret};

use crate::support::{Server, Socket, besieged, join, peer, relay};

/// Two people in a room of their own, with all news read.
async fn two(server: &Server) -> (Socket, Socket) {
    let mut first = server.seated("tea", 1).await;
    let second = server.seated("tea", 2).await;
    assert!(matches!(first.hear().await, ServerMessage::PeerJoined { .. }));
    (first, second)
}

#[tokio::test]
async fn m23_a_message_before_hello() {
    besieged(async |server| {
        for message in [
            join("tea", 1),
            ClientMessage::Ping {},
            ClientMessage::Ice {},
            relay(201, 1, "x"),
        ] {
            let mut socket = server.socket().await;
            socket.say(&message).await;
            socket.hears_error(ErrorCode::BadMessage).await;
            socket.hears_close(CloseCode::NoHello).await;
        }
    })
    .await;
}

#[tokio::test]
async fn relays_are_only_for_the_seated() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        let ask = ClientMessage::Ice {}.encode();
        socket.is_refused(&ask, ErrorCode::NotJoined).await;
        socket
            .is_refused(r#"{"ice":{"lifetime_ms":1}}"#, ErrorCode::BadMessage)
            .await;
        let mut seated = server.seated("tea", 1).await;
        seated.say(&ClientMessage::Leave {}).await;
        assert_eq!(seated.hear().await, ServerMessage::Left {});
        seated.is_refused(&ask, ErrorCode::NotJoined).await;
    })
    .await;
}

#[tokio::test]
async fn m24_a_second_hello() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
        socket.hears_error(ErrorCode::AlreadyGreeted).await;
        socket.hears_close(CloseCode::BadMessage).await;
    })
    .await;
}

#[tokio::test]
async fn m25_a_forged_sender() {
    besieged(async |server| {
        let (mut first, mut second) = two(server).await;
        let (to, from) = (peer(1), peer(201));
        for text in [
            format!(r#"{{"relay":{{"from":"{from}","to":"{to}","n":1,"body":"x"}}}}"#),
            format!(r#"{{"relay":{{"to":"{to}","n":1,"body":"x","from":"{from}"}}}}"#),
        ] {
            second.is_refused(&text, ErrorCode::BadMessage).await;
        }
        // A body that tries to end early stays a body.
        let body = format!(r#""}}}},{{"relay":{{"from":"{from}","n":9,"body":""#);
        second.say(&relay(1, 2, &body)).await;
        let expected = ServerMessage::Relay {
            from: peer(2),
            n: 2,
            body,
        };
        assert_eq!(first.hear().await, expected);
    })
    .await;
}

#[tokio::test]
async fn m26_a_packet_into_another_room() {
    besieged(async |server| {
        let mut socket = server.seated("tea", 1).await;
        socket
            .is_refused(&relay(201, 1, "x").encode(), ErrorCode::UnknownPeer)
            .await;
    })
    .await;
}

#[tokio::test]
async fn m27_a_packet_to_oneself() {
    besieged(async |server| {
        let mut socket = server.seated("tea", 1).await;
        socket
            .is_refused(&relay(1, 1, "x").encode(), ErrorCode::SelfAddressed)
            .await;
    })
    .await;
}

#[tokio::test]
async fn m28_m29_what_packets_say_is_between_the_peers() {
    besieged(async |server| {
        let (mut first, mut second) = two(server).await;
        // An answer without an offer, one of an old number, and nonsense: carried as they are.
        for (n, body) in [
            (
                1,
                r#"{"signals":[{"answer":{"link":0,"neg":1,"sdp":"v=0\r\n"}}]}"#,
            ),
            (
                2,
                r#"{"signals":[{"answer":{"link":0,"neg":0,"sdp":"v=0\r\n"}}]}"#,
            ),
            (3, "not even JSON"),
        ] {
            second.say(&relay(1, n, body)).await;
            let expected = ServerMessage::Relay {
                from: peer(2),
                n,
                body: body.into(),
            };
            assert_eq!(first.hear().await, expected);
        }
        second.is_open().await;
    })
    .await;
}

#[tokio::test]
async fn m30_a_candidate_for_an_unknown_peer() {
    besieged(async |server| {
        let mut socket = server.seated("tea", 1).await;
        socket.say(&relay(77, 1, r#"{"signals":[]}"#)).await;
        let heard = socket.hear().await;
        assert!(
            matches!(heard, ServerMessage::Error { code: ErrorCode::UnknownPeer, peer: Some(named), .. } if named == peer(77)),
            "{heard:?}"
        );
        socket.is_open().await;
    })
    .await;
}

#[tokio::test]
async fn m31_ten_thousand_candidates() {
    besieged(async |server| {
        let (mut first, mut second) = two(server).await;
        let candidate =
            r#"{"candidate":"candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host ufrag abcd","mid":"0"}"#;
        let list = vec![candidate; 64].join(",");
        let packet =
            format!(r#"{{"signals":[{{"candidates":{{"link":0,"ufrag":"abcd","list":[{list}]}}}}]}}"#);
        let sender = tokio::spawn(async move {
            for n in 1..=157 {
                second.say(&relay(1, n, &packet)).await;
            }
            second
        });
        let mut received = 0;
        while let Ok(heard) = timeout(Duration::from_secs(1), first.hear()).await {
            assert!(matches!(heard, ServerMessage::Relay { .. }), "{heard:?}");
            received += 1;
        }
        let mut second = sender.await.unwrap();
        assert!((50..157).contains(&received), "{received}");
        second.hears_error(ErrorCode::RateLimited).await;
        first.is_open().await;
        second.is_open().await;
    })
    .await;
}

#[tokio::test]
async fn m32_a_good_bye_for_another() {
    besieged(async |server| {
        let (mut first, mut second) = two(server).await;
        let other = peer(1);
        second
            .is_refused(
                &format!(r#"{{"leave":{{"peer":"{other}"}}}}"#),
                ErrorCode::BadMessage,
            )
            .await;
        second
            .is_refused(
                &format!(r#"{{"bye":{{"peer":"{other}"}}}}"#),
                ErrorCode::UnknownKind,
            )
            .await;
        let forged = format!(r#"{{"peer_left":{{"version":9,"peer":"{other}","reason":"left"}}}}"#);
        second.is_refused(&forged, ErrorCode::UnknownKind).await;
        first.is_open().await;
    })
    .await;
}

#[tokio::test]
async fn m33_m35_to_m38_powers_that_nobody_has() {
    besieged(async |server| {
        let (mut first, mut second) = two(server).await;
        let other = peer(1);
        for kind in [
            "kick", "mute", "admit", "ban", "ring", "accept", "reject", "busy", "hangup", "cancel",
        ] {
            let text = format!(r#"{{"{kind}":{{"peer":"{other}","call":"1"}}}}"#);
            second.is_refused(&text, ErrorCode::UnknownKind).await;
        }
        first.is_open().await;
    })
    .await;
}

#[tokio::test]
async fn m34_a_join_of_a_full_room() {
    besieged(async |server| {
        let mut sockets = Vec::new();
        for n in 1..=8 {
            // From several addresses: one may join only so fast.
            let mut socket = server.greeted_from(&format!("127.0.1.{n}")).await;
            socket.say(&join("tea", n)).await;
            assert!(matches!(socket.hear().await, ServerMessage::Joined { .. }));
            sockets.push(socket);
        }
        let mut ninth = server.greeted().await;
        ninth
            .is_refused(&join("tea", 9).encode(), ErrorCode::RoomFull)
            .await;
        for (n, socket) in sockets.iter_mut().enumerate() {
            for _ in n + 1..8 {
                assert!(matches!(socket.hear().await, ServerMessage::PeerJoined { .. }));
            }
            socket.is_open().await;
        }
    })
    .await;
}

#[tokio::test]
async fn m39_a_resume_with_what_others_know_of_one() {
    besieged(async |server| {
        let mut first = server.seated("tea", 1).await;
        let mut thief = server.socket_from("127.0.0.9").await;
        thief.say(&ClientMessage::Hello { versions: vec![1] }).await;
        let ServerMessage::Welcome { epoch, .. } = thief.hear().await else {
            panic!("not welcomed");
        };
        // The public id is a hash of the secret, and no substitute for it.
        let stolen = ClientMessage::Resume {
            epoch,
            room: RoomId::derive("tea", None),
            session: SessionSecret::from_bytes(*peer(1).as_bytes()),
            claim: visavis_protocol::Claim::default(),
        };
        thief
            .is_refused(&stolen.encode(), ErrorCode::UnknownSession)
            .await;
        first.is_open().await;
    })
    .await;
}

#[tokio::test]
async fn m40_eleven_guesses_of_a_session() {
    besieged(async |server| {
        let mut socket = server.socket_from("127.0.0.9").await;
        socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
        let ServerMessage::Welcome { epoch, .. } = socket.hear().await else {
            panic!("not welcomed");
        };
        let guess = |n: u8| ClientMessage::Resume {
            epoch,
            room: RoomId::derive("honest", None),
            session: SessionSecret::from_bytes([n; 16]),
            claim: visavis_protocol::Claim::default(),
        };
        for n in 0..10 {
            socket
                .is_refused(&guess(n).encode(), ErrorCode::UnknownSession)
                .await;
        }
        socket.say(&guess(10)).await;
        socket.hears_error(ErrorCode::RateLimited).await;
        socket.hears_close(CloseCode::RateLimited).await;
        let mut again = server.greeted_from("127.0.0.9").await;
        again.say(&guess(11)).await;
        again.hears_error(ErrorCode::RateLimited).await;
        again.hears_close(CloseCode::RateLimited).await;
        // Others behind the same address still come in.
        let mut neighbour = server.greeted_from("127.0.0.9").await;
        neighbour.say(&join("tea", 3)).await;
        assert!(matches!(neighbour.hear().await, ServerMessage::Joined { .. }));
        server.greeted_from("127.0.0.10").await.is_open().await;
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_messages_is_slowed_and_then_ended() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        for _ in 0..2000 {
            socket.say(&ClientMessage::Ping {}).await;
        }
        socket.hears_close(CloseCode::RateLimited).await;
    })
    .await;
}

#[tokio::test]
async fn nonsense_without_end_is_ended() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        for _ in 0..64 {
            socket.say_text("nonsense").await;
        }
        socket.hears_close(CloseCode::BadMessage).await;
    })
    .await;
}
