//! Rooms with a host in a script: who is let in and who is sent away. From a generator of its own: the seeds
//! without a host stay as they were.

use fastrand::Rng;

use super::{Action, RoomKind, pick};

/// How many of a hundred seeds have a host.
const WITH_HOST: u8 = 20;

/// Gives some seeds' rooms a host, who is the first person, and something for them to do.
pub(super) fn draw(seed: u64, people: usize, end: u64, actions: &mut Vec<(u64, Action)>) -> RoomKind {
    let mut rng = Rng::with_seed(seed ^ 0x4057_a11d_0fd0_0125);
    if rng.u8(0..100) >= WITH_HOST {
        return RoomKind::Open;
    }
    // A server that was started anew knows neither who was sent away nor the ids of before: whoever has an old
    // link opens the room of that id, alone (docs/security.md).
    actions.retain(|(_, action)| !matches!(action, Action::Restart { .. }));
    let person = 0;
    for _ in 0..rng.u8(0..5) {
        actions.push((rng.u64(0..end), Action::Admit { person }));
    }
    for _ in 0..rng.u8(0..3) {
        let waiting_room = rng.bool();
        actions.push((rng.u64(0..end), Action::SetGate { person, waiting_room }));
    }
    for _ in 0..rng.u8(0..3) {
        let at = rng.u64(end / 4..end);
        let nth = rng.usize(0..people);
        actions.push((at, Action::Remove { person, nth }));
        // Somebody else at once, before the first is known to be gone.
        if rng.u8(0..4) == 0 {
            let nth = rng.usize(0..people);
            let at = at + *pick(&mut rng, &[0, 1, 30, 500]);
            actions.push((at, Action::Remove { person, nth }));
        }
    }
    RoomKind::Hosted {
        waiting_room: rng.bool(),
    }
}
