//! A waiting room over real sockets: twenty wait, and hear nothing until it is their turn.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

mod fuzz;
#[path = "support/mod.rs"]
mod support;

use support::{Server, Socket, as_host, hosted, join_hosted, peer, relay};
use visavis_protocol::{Claim, ClientMessage, HostRequest, ServerMessage, limits};

const HOST: u8 = 100;
const GUEST: u8 = 101;
const WAITING: &str = r#"{"waiting":{}}"#;
const PONG: &str = r#"{"pong":{}}"#;

/// A socket from an address of its own that asked for a seat.
async fn asks(server: &Server, n: u8, claim: Claim) -> Socket {
    let mut socket = server.greeted_from(&format!("127.0.3.{n}")).await;
    socket.say(&join_hosted(&hosted(1, true), n, claim)).await;
    socket
}

/// Reads up to the next message that is looked for.
async fn hears(socket: &mut Socket, is_it: impl Fn(&ServerMessage) -> bool) -> ServerMessage {
    loop {
        let heard = socket.hear().await;
        if is_it(&heard) {
            return heard;
        }
    }
}

async fn admit(host: &mut Socket, n: u8) {
    let peers = vec![peer(n)];
    host.say(&ClientMessage::Host(HostRequest::Admit { peers })).await;
}

/// What was written to one who waits stands before the answer to their ping: there must be nothing.
async fn heard_nothing(waiter: &mut Socket) {
    waiter.say(&ClientMessage::Ping {}).await;
    assert_eq!(waiter.hear_text().await, PONG);
}

#[tokio::test]
async fn twenty_wait_and_hear_not_a_byte_of_the_room_until_they_are_admitted() {
    let server = Server::start().await;
    let mut host = asks(&server, HOST, as_host()).await;
    hears(&mut host, |heard| matches!(heard, ServerMessage::Joined { .. })).await;
    let mut guest = asks(&server, GUEST, Claim::default()).await;
    assert_eq!(guest.hear_text().await, WAITING);
    admit(&mut host, GUEST).await;
    hears(&mut guest, |heard| matches!(heard, ServerMessage::Joined { .. })).await;

    let mut waiters = Vec::new();
    for n in 1..=u8::try_from(limits::ROOM_WAITING).unwrap() {
        let mut waiter = asks(&server, n, Claim::default()).await;
        assert_eq!(waiter.hear_text().await, WAITING);
        waiters.push((n, waiter));
    }
    let all = hears(
        &mut host,
        |heard| matches!(heard, ServerMessage::Knocks { waiting } if waiting.len() == limits::ROOM_WAITING),
    )
    .await;
    let ServerMessage::Knocks { waiting } = all else {
        panic!("no knocks");
    };
    let expected: Vec<_> = (1..=20).map(peer).collect();
    let known: Vec<_> = waiting.iter().map(|waiter| waiter.peer).collect();
    assert_eq!(known, expected, "in the order in which they came");
    let mut late = asks(&server, 50, Claim::default()).await;
    late.hears_error(visavis_protocol::ErrorCode::TooManyWaiting)
        .await;

    let seed = fuzz::seed();
    let mut random = fuzz::Random::new(seed);
    let mut n = 0;
    while !waiters.is_empty() {
        // The room is busy all the while.
        n += 1;
        host.say(&relay(GUEST, n, "between us")).await;
        hears(&mut guest, |heard| matches!(heard, ServerMessage::Relay { .. })).await;
        for (_, waiter) in &mut waiters {
            heard_nothing(waiter).await;
        }
        let (next, mut waiter) = waiters.swap_remove(random.below(waiters.len()));
        admit(&mut host, next).await;
        let ServerMessage::Joined { peers, hosting, .. } = waiter.hear().await else {
            panic!("{next} is not seated, seed {seed}");
        };
        assert!(peers.iter().any(|entry| entry.host && entry.peer == peer(HOST)));
        assert!(hosting.pass.is_some());
        let left = hears(
            &mut host,
            |heard| matches!(heard, ServerMessage::Knocks { waiting } if waiting.len() == waiters.len()),
        )
        .await;
        assert!(!format!("{left:?}").contains(&format!("{:?}", peer(next))));
        // The others come and go: nobody who waits hears of it.
        waiter.say(&ClientMessage::Leave {}).await;
        hears(&mut waiter, |heard| matches!(heard, ServerMessage::Left {})).await;
        for (_, waiter) in &mut waiters {
            heard_nothing(waiter).await;
        }
    }
    server.metric_becomes("visavis_waiting", 0).await;
    server.metric_becomes("visavis_seats", 2).await;
    server.stop().await;
}

#[tokio::test]
async fn a_pass_is_good_after_a_restart_with_the_same_data_folder() {
    let folder = std::env::temp_dir().join(format!("visavis-passes-{}", std::process::id()));
    let config = || visavis_server::Config {
        data_dir: Some(folder.clone()),
        ..visavis_server::Config::default()
    };
    let server = Server::with(config()).await;
    let mut host = asks(&server, HOST, as_host()).await;
    hears(&mut host, |heard| matches!(heard, ServerMessage::Joined { .. })).await;
    let mut guest = asks(&server, GUEST, Claim::default()).await;
    assert_eq!(guest.hear_text().await, WAITING);
    admit(&mut host, GUEST).await;
    let ServerMessage::Joined { hosting, .. } = guest.hear().await else {
        panic!("not seated");
    };
    server.stop().await;
    let server = Server::with(config()).await;
    let with_pass = Claim {
        host: None,
        pass: hosting.pass,
    };
    let mut stranger = asks(&server, 1, with_pass).await;
    assert_eq!(stranger.hear_text().await, WAITING, "with another's pass");
    let mut guest = asks(&server, GUEST, with_pass).await;
    let heard = guest.hear().await;
    assert!(matches!(heard, ServerMessage::Joined { .. }), "{heard:?}");
    server.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}
