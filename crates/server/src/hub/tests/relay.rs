//! Who may write to whom.

use visavis_protocol::{ClientMessage, ErrorCode, ServerMessage};

use super::harness::{World, peer, relay, resume, room, seat, session};

#[test]
fn a_packet_reaches_its_addressee_alone_and_names_its_sender() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.seated(2);
    let c = world.seated(3);
    for connection in [a, b, c] {
        world.take(connection);
    }
    world.say(a, &relay(2, 5));
    assert_eq!(
        world.take(b),
        [ServerMessage::Relay {
            from: peer(1),
            n: 5,
            body: "packet 5".into()
        }]
    );
    assert_eq!((world.take(a), world.take(c)), (vec![], vec![]));
    assert_eq!(world.hub.totals().relayed, 1);
}

#[test]
fn a_packet_in_an_unusual_form_is_relayed_alike() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.seated(2);
    let text = format!(
        "{{ \"relay\" : {{\"n\":5, \"body\":\"\\u0000\\u00e9\",\"to\":\"{}\"}} }}",
        peer(2)
    );
    world.say_text(a, &text);
    assert_eq!(
        world.take(b),
        [ServerMessage::Relay {
            from: peer(1),
            n: 5,
            body: "\0é".into()
        }]
    );
}

#[test]
fn a_packet_to_oneself_or_to_nobody_is_refused() {
    let mut world = World::new();
    let a = world.seated(1);
    world.say(a, &relay(1, 1));
    assert_eq!(world.take_error(a), Some(ErrorCode::SelfAddressed));
    world.say(a, &relay(9, 1));
    let told = world.take(a);
    let [
        ServerMessage::Error {
            code,
            about,
            peer: named,
            ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(
        (*code, about.as_deref(), *named),
        (ErrorCode::UnknownPeer, Some("relay"), Some(peer(9)))
    );
}

#[test]
fn a_packet_does_not_leave_its_room() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.greeted();
    world.say(
        b,
        &ClientMessage::Join {
            room: room("coffee"),
            seat: seat(2),
            session: session(2),
            name: "Two".into(),
            claim: visavis_protocol::Claim::default(),
        },
    );
    world.take(b);
    world.say(a, &relay(2, 1));
    assert_eq!(world.take_error(a), Some(ErrorCode::UnknownPeer));
    assert_eq!(world.take(b), []);
}

#[test]
fn who_sits_nowhere_cannot_write() {
    let mut world = World::new();
    world.seated(1);
    let b = world.greeted();
    world.say(b, &relay(1, 1));
    assert_eq!(world.take_error(b), Some(ErrorCode::NotJoined));
}

#[test]
fn a_packet_to_somebody_away_is_dropped_and_asked_for_again() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.seated(2);
    world.disconnect(b);
    world.take(a);
    world.say(a, &relay(2, 1));
    assert_eq!(world.take(a), []);
    let b = world.greeted();
    world.say(b, &resume(2));
    assert!(matches!(world.take(b)[..], [ServerMessage::Joined { .. }]));
    assert!(matches!(
        world.take(a)[..],
        [ServerMessage::PeerAway { away: false, .. }]
    ));
    world.say(a, &relay(2, 1));
    assert!(matches!(world.take(b)[..], [ServerMessage::Relay { n: 1, .. }]));
}

#[test]
fn a_lone_surrogate_goes_to_nobody() {
    let mut world = World::new();
    let a = world.seated(1);
    let b = world.seated(2);
    let text = format!(r#"{{"relay":{{"to":"{}","n":5,"body":"\ud800"}}}}"#, peer(2));
    world.take(a);
    world.say_text(a, &text);
    assert_eq!(world.take_error(a), Some(ErrorCode::BadMessage));
    assert_eq!(world.take(b), []);
}
