//! Two people who are connected and at rest, taken out of their world.

use visavis_call_core::{LinkId, SocketId, Timestamp};

use super::{Options, Rule, Violation, World};
use crate::exhaustive::Side;
use crate::script::{Action, Pace, RoomKind, Script};

/// Two cores that have come to rest with each other.
///
/// # Errors
/// If they do not.
pub(crate) fn connected_pair(options: &Options) -> Result<([Side; 2], Timestamp), Box<Violation>> {
    let script = Script {
        seed: 1,
        people: 2,
        room: RoomKind::Open,
        pace: Pace::CALM,
        actions: vec![(0, Action::Join { person: 0 }), (500, Action::Join { person: 1 })],
    };
    let options = Options {
        is_still: true,
        ..options.clone()
    };
    let mut world = World::new(&script, &options);
    world.settle_calm();
    if let Some(violation) = world.violation.take() {
        return Err(Box::new(violation));
    }
    let now = world.timestamp();
    let mut sides = Vec::new();
    for tab in 0..2 {
        sides.push(world.take_side(tab).ok_or_else(|| {
            Box::new(Violation {
                at: now.since_start(),
                rule: Rule::Settles,
                detail: format!("tab {tab} has no connection"),
            })
        })?);
    }
    let sides = <[Side; 2]>::try_from(sides).map_err(|_| {
        Box::new(Violation {
            at: now.since_start(),
            rule: Rule::Settles,
            detail: "not two".to_owned(),
        })
    })?;
    Ok((sides, now))
}

impl World {
    fn take_side(&mut self, tab: usize) -> Option<Side> {
        let entry = &mut self.tabs[tab];
        let core = entry.core.take()?;
        let me = core.view().me.peer?;
        let socket: SocketId = *entry.sockets.keys().next()?;
        let (link, mut connection): (LinkId, _) = entry.links.pop_first()?;
        connection.pc.find_all_at_once();
        Some(Side::new(core, connection.pc, link, socket, me))
    }
}
