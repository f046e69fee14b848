//! M33 and M35: the powers of a host in other hands, and the way back of somebody who was removed.

use visavis_protocol::{
    Claim, ClientMessage, ErrorCode, Gate, HostRequest, HostSecret, RoomId, SeatSecret, ServerMessage,
    SessionSecret,
};

use crate::support::{Server, Socket, as_host, besieged, host_secret, hosted, join_hosted, peer};

const HOST: u8 = 100;

/// A socket from an address of its own that asked for a seat.
async fn asks(server: &Server, room: &RoomId, n: u8, claim: Claim) -> Socket {
    let mut socket = server.greeted_from(&format!("127.0.2.{n}")).await;
    socket.say(&join_hosted(room, n, claim)).await;
    socket
}

async fn sits(socket: &mut Socket) -> (u64, visavis_protocol::Hosting) {
    let heard = socket.hear().await;
    let ServerMessage::Joined { version, hosting, .. } = heard else {
        panic!("not seated: {heard:?}");
    };
    (version, hosting)
}

/// All that a host may ask for.
fn powers(victim: u8, waiter: u8, next: &RoomId) -> [ClientMessage; 5] {
    [
        HostRequest::Remove {
            peer: peer(victim),
            next: next.clone(),
        },
        HostRequest::Admit {
            peers: vec![peer(waiter)],
        },
        HostRequest::Decline {
            peer: peer(waiter),
            word: String::new(),
        },
        HostRequest::SetGate {
            gate: Gate::default(),
        },
        HostRequest::SetGate {
            gate: Gate {
                waiting_room: true,
                locked: true,
            },
        },
    ]
    .map(ClientMessage::Host)
}

#[tokio::test]
async fn m33_the_powers_of_a_host_in_other_hands() {
    besieged(async |server| {
        let room = hosted(1, true);
        let mut host = asks(server, &room, HOST, as_host()).await;
        sits(&mut host).await;
        // Who shows a secret of their own, or the public id for the secret, is a guest like any other.
        let own = Claim {
            host: Some(HostSecret::from_bytes([1; 16])),
            pass: None,
        };
        let mut thief = asks(server, &room, 1, own).await;
        assert_eq!(thief.hear().await, ServerMessage::Waiting {});
        assert!(matches!(host.hear().await, ServerMessage::Knocks { .. }));
        for power in powers(HOST, 1, &hosted(2, true)) {
            thief.is_refused(&power.encode(), ErrorCode::NotJoined).await;
        }
        let admit = HostRequest::Admit { peers: vec![peer(1)] };
        host.say(&ClientMessage::Host(admit)).await;
        let (version, hosting) = sits(&mut thief).await;
        assert!(!hosting.host);
        assert!(matches!(host.hear().await, ServerMessage::PeerJoined { .. }));
        assert!(matches!(host.hear().await, ServerMessage::Knocks { .. }));
        let mut waiter = asks(server, &room, 2, Claim::default()).await;
        assert_eq!(waiter.hear().await, ServerMessage::Waiting {});
        assert!(matches!(host.hear().await, ServerMessage::Knocks { .. }));
        for power in powers(HOST, 2, &hosted(2, true)) {
            thief.is_refused(&power.encode(), ErrorCode::NotHost).await;
        }
        let public = *host_secret().host_id().as_bytes();
        let claim = Claim {
            host: Some(HostSecret::from_bytes(public)),
            pass: None,
        };
        let ServerMessage::Welcome { epoch, .. } = welcome(server).await else {
            panic!("not welcomed");
        };
        let resume = ClientMessage::Resume {
            epoch,
            room: room.clone(),
            session: SessionSecret::from_bytes([1; 16]),
            claim,
        };
        thief.say(&resume).await;
        let (now, hosting) = sits(&mut thief).await;
        assert!(!hosting.host);
        assert_eq!(now, version, "something changed");
        // A host of another room is none here.
        let mut elsewhere = asks(server, &hosted(9, false), 3, as_host()).await;
        sits(&mut elsewhere).await;
        let remove = HostRequest::Remove {
            peer: peer(HOST),
            next: hosted(8, false),
        };
        elsewhere
            .is_refused(&ClientMessage::Host(remove).encode(), ErrorCode::UnknownPeer)
            .await;
        waiter.is_open().await;
        host.is_open().await;
    })
    .await;
}

async fn welcome(server: &Server) -> ServerMessage {
    let mut socket = server.socket().await;
    socket.say(&ClientMessage::Hello { versions: vec![1] }).await;
    socket.hear().await
}

#[tokio::test]
async fn m35_the_way_back_of_somebody_who_was_removed() {
    besieged(async |server| {
        let (room, next) = (hosted(1, false), hosted(2, false));
        let mut host = asks(server, &room, HOST, as_host()).await;
        sits(&mut host).await;
        let mut gone = asks(server, &room, 1, Claim::default()).await;
        let (_, hosting) = sits(&mut gone).await;
        assert!(matches!(host.hear().await, ServerMessage::PeerJoined { .. }));
        let remove = HostRequest::Remove {
            peer: peer(1),
            next: next.clone(),
        };
        host.say(&ClientMessage::Host(remove)).await;
        assert_eq!(gone.hear().await, ServerMessage::Removed {});
        assert!(matches!(host.hear().await, ServerMessage::PeerLeft { .. }));
        assert!(matches!(host.hear().await, ServerMessage::Moved { .. }));
        let with_pass = Claim {
            host: None,
            pass: hosting.pass,
        };
        let ServerMessage::Welcome { epoch, .. } = welcome(server).await else {
            panic!("not welcomed");
        };
        for claim in [Claim::default(), with_pass] {
            let refused = ErrorCode::RoomMoved;
            gone.is_refused(&join_hosted(&room, 1, claim).encode(), ErrorCode::Removed)
                .await;
            let mut other = server.greeted_from("127.0.2.77").await;
            other
                .is_refused(&join_hosted(&room, 7, claim).encode(), refused)
                .await;
            let watch = ClientMessage::Watch {
                room: room.clone(),
                seat: Some(SeatSecret::from_bytes([1; 16]).seat_id()),
                claim,
            };
            gone.is_refused(&watch.encode(), refused).await;
            let by_link = [(&room, refused), (&next, ErrorCode::UnknownSession)];
            for (room, code) in by_link {
                let resume = ClientMessage::Resume {
                    epoch,
                    room: room.clone(),
                    session: SessionSecret::from_bytes([1; 16]),
                    claim,
                };
                gone.is_refused(&resume.encode(), code).await;
            }
        }
        // With the new link they would be asked like anybody.
        let gate = Gate {
            waiting_room: true,
            locked: false,
        };
        host.say(&ClientMessage::Host(HostRequest::SetGate { gate }))
            .await;
        assert!(matches!(host.hear().await, ServerMessage::Gate { .. }));
        let mut again = asks(server, &next, 1, with_pass).await;
        assert_eq!(again.hear().await, ServerMessage::Waiting {});
        assert!(matches!(host.hear().await, ServerMessage::Knocks { .. }));
        host.is_open().await;
    })
    .await;
}
