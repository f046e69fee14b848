//! Who is told of relays, and how long credentials are told again.

use core::time::Duration;

use visavis_protocol::{ClientMessage, ErrorCode, IceServer, ServerMessage};

use super::harness::{UNIX, World, hello, join, resume};
use crate::hub::{ConnectionKey, HubConfig, TurnConfig, TurnSecret};

const LIFETIME: Duration = Duration::from_secs(3600);

fn stun() -> IceServer {
    IceServer {
        urls: vec!["stun:stun.example".into()],
        username: None,
        credential: None,
    }
}

fn fixed() -> IceServer {
    IceServer {
        urls: vec!["turn:fixed.example".into()],
        username: Some("ada".into()),
        credential: Some("lovelace".into()),
    }
}

fn config() -> HubConfig {
    HubConfig {
        ice: vec![fixed(), stun()],
        turn: Some(TurnConfig {
            urls: vec!["turn:turn.example".into(), "turns:turn.example".into()],
            secret: TurnSecret::new("north").unwrap(),
            lifetime: LIFETIME,
        }),
        ..HubConfig::default()
    }
}

/// The one answer that names servers, and for how many milliseconds they are good.
fn told(world: &mut World, connection: ConnectionKey) -> (Vec<IceServer>, Option<u64>) {
    let told: Vec<_> = world
        .take(connection)
        .into_iter()
        .filter_map(|message| match message {
            ServerMessage::Joined {
                ice, ice_lifetime_ms, ..
            } => Some((ice, ice_lifetime_ms)),
            ServerMessage::Ice { servers, lifetime_ms } => Some((servers, lifetime_ms)),
            ServerMessage::Welcome { .. }
            | ServerMessage::Occupancy { .. }
            | ServerMessage::PeerJoined { .. }
            | ServerMessage::PeerLeft { .. }
            | ServerMessage::PeerAway { .. }
            | ServerMessage::Relay { .. }
            | ServerMessage::Left {}
            | ServerMessage::People(_)
            | ServerMessage::Waiting {}
            | ServerMessage::Declined { .. }
            | ServerMessage::Removed {}
            | ServerMessage::Knocks { .. }
            | ServerMessage::Gate { .. }
            | ServerMessage::Moved { .. }
            | ServerMessage::Desk(_)
            | ServerMessage::Visit(_)
            | ServerMessage::Pong {}
            | ServerMessage::Error { .. }
            | ServerMessage::GoingAway { .. } => None,
        })
        .collect();
    let [told] = <[_; 1]>::try_from(told).unwrap();
    told
}

fn ask(world: &mut World, connection: ConnectionKey) -> (Vec<IceServer>, Option<u64>) {
    world.say(connection, &ClientMessage::Ice {});
    told(world, connection)
}

fn username(servers: &[IceServer]) -> String {
    servers.last().unwrap().username.clone().unwrap()
}

#[test]
fn a_stranger_is_told_that_there_are_relays_and_the_seated_which() {
    let mut world = World::with(config());
    let a = world.connect_from(1);
    world.say(a, &hello());
    let [ServerMessage::Welcome { ice, relay, .. }] = &world.take(a)[..] else {
        panic!("not welcomed");
    };
    assert_eq!((&ice[..], *relay), (&[stun()][..], true));
    world.say(a, &ClientMessage::Ice {});
    assert_eq!(world.take_error(a), Some(ErrorCode::NotJoined));
    world.say(a, &join(1));
    let (servers, lifetime_ms) = told(&mut world, a);
    assert_eq!(servers[..2], [stun(), fixed()]);
    assert_eq!(servers[2].urls.len(), 2);
    let until = UNIX + world.now + LIFETIME;
    assert!(username(&servers).starts_with(&format!("{}:", until.as_secs())));
    assert_eq!(lifetime_ms, Some(3_600_000));
}

#[test]
fn without_relays_nobody_is_told_of_any_and_servers_have_no_end() {
    let mut world = World::with(HubConfig {
        ice: vec![stun()],
        ..HubConfig::default()
    });
    let a = world.connect_from(1);
    world.say(a, &hello());
    assert!(matches!(
        world.take(a)[..],
        [ServerMessage::Welcome { relay: false, .. }]
    ));
    world.say(a, &join(1));
    assert_eq!(told(&mut world, a), (vec![stun()], None));
    assert_eq!(ask(&mut world, a), (vec![stun()], None));
}

#[test]
fn servers_with_credentials_of_their_own_are_for_the_seated_and_do_not_end() {
    let mut world = World::with(HubConfig {
        ice: vec![fixed()],
        ..HubConfig::default()
    });
    let a = world.connect_from(1);
    world.say(a, &hello());
    let [ServerMessage::Welcome { ice, relay, .. }] = &world.take(a)[..] else {
        panic!("not welcomed");
    };
    assert_eq!((ice.len(), *relay), (0, true));
    world.say(a, &join(1));
    assert_eq!(told(&mut world, a), (vec![fixed()], None));
}

#[test]
fn a_session_keeps_its_credentials_until_half_their_life_is_over() {
    let mut world = World::with(config());
    let a = world.greeted();
    world.say(a, &join(1));
    let (first, _) = told(&mut world, a);
    for _ in 0..20 {
        assert_eq!(ask(&mut world, a).0, first);
    }
    // On another socket it is the same session.
    let b = world.greeted();
    world.say(b, &resume(1));
    assert_eq!(told(&mut world, b).0, first);
    world.pass(LIFETIME / 2 - Duration::from_secs(1), &[b]);
    let (servers, lifetime_ms) = ask(&mut world, b);
    assert_eq!((servers, lifetime_ms), (first.clone(), Some(1_801_000)));
    world.pass(Duration::from_secs(1), &[b]);
    let (second, lifetime_ms) = ask(&mut world, b);
    assert_ne!(username(&second), username(&first));
    assert_eq!(lifetime_ms, Some(3_600_000));
    world.pass(LIFETIME / 2, &[b]);
    world.say(b, &resume(1));
    assert_ne!(username(&told(&mut world, b).0), username(&second));
}

#[test]
fn no_two_sessions_share_a_relay_s_quota() {
    let mut world = World::with(config());
    let mut names = std::collections::BTreeSet::new();
    for n in 0..8 {
        let connection = world.greeted();
        world.say(connection, &join(n));
        names.insert(username(&told(&mut world, connection).0));
    }
    assert_eq!(names.len(), 8);
}

#[test]
fn a_clock_that_is_put_right_makes_credentials_right() {
    let mut world = World::with(config());
    let a = world.greeted();
    world.say(a, &join(1));
    let (first, _) = told(&mut world, a);
    // As on a machine that began without knowing the time: all told before has ended.
    let unix = UNIX + Duration::from_secs(1_000_000_000);
    world.hub.set_clock(world.now, unix);
    let (second, _) = ask(&mut world, a);
    assert_ne!(username(&first), username(&second));
    let until = unix + LIFETIME;
    assert!(username(&second).starts_with(&format!("{}:", until.as_secs())));
}
