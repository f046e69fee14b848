//! Who sits in a room is busy for those who call each other, also where a host seated or removed them.

use visavis_protocol::handle::Fixed;
use visavis_protocol::people::{PeopleEvent, PeopleRequest, Presence};
use visavis_protocol::{Claim, ClientMessage, ServerMessage};

use super::harness::World;
use super::hosted::{admit, guarded, join_of, remove, room_of};
use crate::hub::{ConnectionKey, Directory, HubConfig, PeopleConfig, PeopleSecret};

fn signed_in(world: &mut World, n: u8, name: &str, contact: &str) -> ConnectionKey {
    let page = world.greeted();
    let sign_in = PeopleRequest::SignIn {
        handle: name.parse().unwrap(),
        key: Fixed([n; 65]),
        signature: Fixed([n; 64]),
        code: None,
        take: true,
        name: "Somebody".into(),
    };
    let add = PeopleRequest::Add {
        handle: contact.parse().unwrap(),
    };
    for request in [sign_in, add] {
        world.say(page, &ClientMessage::People(request));
    }
    page
}

/// How it stands with the other one, as a page was told last.
fn presence(world: &mut World, page: ConnectionKey) -> Option<Presence> {
    let told = world.take(page);
    let mut presences = told.iter().filter_map(|message| {
        let ServerMessage::People(PeopleEvent::Presence(contact)) = message else {
            return None;
        };
        Some(contact.presence)
    });
    presences.next_back()
}

#[test]
fn who_is_admitted_is_busy_and_who_is_removed_is_not() {
    let people = PeopleConfig {
        secret: PeopleSecret([9; 32]),
        verify: |_, _, _| true,
        directory: Directory::default(),
        is_kept: true,
        tokens: None,
    };
    let mut world = World::with(HubConfig {
        people: Some(people),
        ..HubConfig::default()
    });
    let ada = signed_in(&mut world, 1, "ada", "bob");
    let bob = signed_in(&mut world, 2, "bob", "ada");
    assert_eq!(presence(&mut world, ada), Some(Presence::Online));
    let host = world.host_in(&guarded());
    world.say(bob, &join_of(&guarded(), 1, 1, Claim::default()));
    assert_eq!(presence(&mut world, ada), None, "who waits is not busy");
    world.say(host, &admit(&[1]));
    assert_eq!(presence(&mut world, ada), Some(Presence::Busy));
    world.say(host, &remove(1, &room_of(2, true)));
    assert_eq!(presence(&mut world, ada), Some(Presence::Online));
}
