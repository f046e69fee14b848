//! Looking at a room from the page before the join.

use core::time::Duration;

use visavis_protocol::{ClientMessage, ErrorCode, ServerMessage, limits};

use super::harness::{World, join, room};
use crate::hub::{ConnectionKey, OCCUPANCY_EVERY};

fn watch(world: &mut World) -> ConnectionKey {
    let watcher = world.greeted();
    world.say(
        watcher,
        &ClientMessage::Watch {
            room: room("tea"),
            seat: None,
            claim: visavis_protocol::Claim::default(),
        },
    );
    watcher
}

fn seen(messages: &[ServerMessage]) -> Vec<usize> {
    messages
        .iter()
        .map(|message| {
            let ServerMessage::Occupancy { peers, .. } = message else {
                panic!("{message:?}");
            };
            peers.len()
        })
        .collect()
}

#[test]
fn a_watcher_sees_the_room_now_and_at_each_change() {
    let mut world = World::new();
    let watcher = watch(&mut world);
    assert_eq!(seen(&world.take(watcher)), [0]);
    let a = world.seated(1);
    assert_eq!(seen(&world.take(watcher)), [1]);
    world.pass(OCCUPANCY_EVERY, &[]);
    world.say(a, &ClientMessage::Leave {});
    assert_eq!(seen(&world.take(watcher)), [0]);
}

#[test]
fn changes_close_together_are_told_together() {
    let mut world = World::new();
    let watcher = watch(&mut world);
    world.take(watcher);
    for n in 1..=5 {
        world.seated(n);
    }
    assert_eq!(seen(&world.take(watcher)), [1]);
    world.pass(OCCUPANCY_EVERY, &[]);
    assert_eq!(seen(&world.take(watcher)), [5]);
}

#[test]
fn a_watcher_who_joins_watches_no_more() {
    let mut world = World::new();
    let watcher = watch(&mut world);
    world.take(watcher);
    world.say(watcher, &join(1));
    assert!(matches!(world.take(watcher)[..], [ServerMessage::Joined { .. }]));
    world.pass(Duration::from_secs(1), &[]);
    assert_eq!(world.take(watcher), []);
    assert_eq!((world.counts().watchers, world.counts().seats), (0, 1));
}

#[test]
fn a_second_watch_replaces_the_first() {
    let mut world = World::new();
    let watcher = watch(&mut world);
    world.say(
        watcher,
        &ClientMessage::Watch {
            room: room("coffee"),
            seat: None,
            claim: visavis_protocol::Claim::default(),
        },
    );
    world.take(watcher);
    world.seated(1);
    world.pass(Duration::from_secs(1), &[]);
    assert_eq!(world.take(watcher), []);
    assert_eq!(world.counts().watchers, 1);
    world.say(watcher, &ClientMessage::Leave {});
    assert_eq!(world.take(watcher), [ServerMessage::Left {}]);
    assert_eq!(world.counts().watchers, 0);
}

#[test]
fn a_room_has_only_so_many_watchers() {
    let mut world = World::new();
    for _ in 0..limits::ROOM_WATCHERS {
        watch(&mut world);
    }
    let one_more = watch(&mut world);
    assert_eq!(world.take_error(one_more), Some(ErrorCode::TooManyWatchers));
    assert_eq!(world.counts().watchers, limits::ROOM_WATCHERS);
}

#[test]
fn a_watched_empty_room_is_no_room_yet() {
    let mut world = World::new();
    let watcher = watch(&mut world);
    assert_eq!(world.counts().rooms, 0);
    world.disconnect(watcher);
    assert_eq!(world.counts().watchers, 0);
}
