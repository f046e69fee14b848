//! What people do with files in a script, and what is done to them meanwhile. From a generator of its own: the
//! seeds without files stay as they were.

use fastrand::Rng;

use super::{Action, Pace, draw_noticed, pick};

/// How many of a hundred seeds have transfers.
const WITH_FILES: u8 = 30;

/// Adds offers and what becomes of them to some seeds.
pub(super) fn draw(seed: u64, people: usize, end: u64, pace: &mut Pace, actions: &mut Vec<(u64, Action)>) {
    let mut rng = Rng::with_seed(seed ^ 0xf11e_0f5e_edf1_1e05);
    if rng.u8(0..100) >= WITH_FILES {
        return;
    }
    pace.disk_trouble = *pick(&mut rng, &[0, 0, 0, 15]);
    pace.spoiled = *pick(&mut rng, &[0, 0, 0, 0, 0, 5]);
    // Somebody has to be there first.
    let begin = end / 3;
    let end = end + rng.u64(2_000..15_000);
    for _ in 0..rng.u8(1..6) {
        let person = rng.usize(0..people);
        let at = rng.u64(begin..end);
        let to = rng.usize(0..people);
        let sort = rng.u8(..);
        actions.push((at, Action::Offer { person, to, sort }));
        for answerer in (0..people).filter(|one| *one != person) {
            let later = *pick(&mut rng, &[50, 500, 3_000]);
            let accept = rng.u8(0..10) > 0;
            let answer = Action::Answer {
                person: answerer,
                accept,
            };
            actions.push((at + rng.u64(1..=later), answer));
        }
    }
    for _ in 0..rng.u8(0..4) {
        let (person, nth) = (rng.usize(0..people), rng.usize(0..4));
        let at = rng.u64(begin..end + 2_000);
        actions.push((
            at,
            Action::Pause {
                person,
                nth,
                paused: true,
            },
        ));
        if rng.u8(0..4) > 0 {
            let paused = false;
            actions.push((at + rng.u64(1..4_000), Action::Pause { person, nth, paused }));
        }
    }
    for _ in 0..rng.u8(0..3) {
        let (person, nth) = (rng.usize(0..people), rng.usize(0..4));
        actions.push((rng.u64(begin..end + 2_000), Action::Cancel { person, nth }));
    }
    if rng.bool() {
        for _ in 0..rng.u8(1..3) {
            let person = rng.usize(0..people);
            let noticed = draw_noticed(&mut rng);
            actions.push((rng.u64(begin..end + 2_000), Action::Reload { person, noticed }));
        }
    }
    if rng.u8(0..3) == 0 {
        let (person, link) = (rng.usize(0..people), rng.usize(0..people - 1));
        let for_ms = *pick(&mut rng, &[300, 3_000, 20_000]);
        actions.push((
            rng.u64(begin..end + 2_000),
            Action::Sever { person, link, for_ms },
        ));
    }
}
