//! Scripts of rooms with a host that once failed, as `shrink` printed them.

use visavis_simulator::Action::{
    Admit, Cut, Duplicate, HangUp, Join, Leave, Offline, Reload, Remove, SetGate, Vanish,
};
use visavis_simulator::Noticed::{After, Never};
use visavis_simulator::{Action, Options, Pace, RoomKind, Script, run};

fn passes(seed: u64, people: usize, waiting_room: bool, network_ms: u64, actions: Vec<(u64, Action)>) {
    let script = Script {
        seed,
        people,
        room: RoomKind::Hosted { waiting_room },
        pace: Pace {
            network_ms,
            ..Pace::CALM
        },
        actions,
    };
    assert_eq!(run(&script, &Options::default()).violation, None);
}

const fn join(person: usize) -> Action {
    Join { person }
}

#[test]
fn the_new_link_passed_on_to_the_one_who_was_removed() {
    let cut = Cut {
        person: 2,
        client: After(1800),
        server: After(3696),
    };
    let actions = vec![
        (1, join(2)),
        (30, join(0)),
        (30, join(1)),
        (200, cut),
        (1830, Remove { person: 0, nth: 0 }),
    ];
    passes(135, 3, false, 20, actions);
}

#[test]
fn a_host_who_leaves_before_the_answer_to_a_removal() {
    let gate = SetGate {
        person: 0,
        waiting_room: false,
    };
    let actions = vec![
        (5, join(0)),
        (44, join(1)),
        (3439, gate),
        (6175, Remove { person: 0, nth: 0 }),
        (6277, Leave { person: 0 }),
        (9069, join(0)),
    ];
    passes(866, 2, true, 600, actions);
}

#[test]
fn somebody_who_stops_waiting_as_they_are_let_in() {
    let actions = vec![(70, join(3)), (80, join(0)), (7026, HangUp { person: 3 })];
    passes(650, 6, true, 20, actions);
}

#[test]
fn a_newcomer_between_a_removal_and_the_new_passes() {
    let reload = Reload {
        person: 3,
        noticed: After(86),
    };
    let actions = vec![
        (1185, join(3)),
        (2519, join(0)),
        (2897, join(2)),
        (3253, join(1)),
        (6216, Remove { person: 0, nth: 1 }),
        (6774, reload),
    ];
    passes(3715, 4, false, 2000, actions);
}

#[test]
fn a_reloaded_host_and_somebody_who_waits_by_the_old_link() {
    let reload = Reload {
        person: 0,
        noticed: After(2570),
    };
    let actions = vec![
        (2127, join(3)),
        (4257, join(1)),
        (4590, join(0)),
        (5608, Admit { person: 0 }),
        (7468, Remove { person: 0, nth: 0 }),
        (9945, reload),
    ];
    passes(7878, 4, true, 2000, actions);
}

#[test]
fn somebody_removed_while_their_network_is_away() {
    let away = Offline {
        person: 2,
        for_ms: 65_000,
    };
    let actions = vec![
        (65, join(2)),
        (1985, join(0)),
        (2587, away),
        (6467, Remove { person: 0, nth: 0 }),
    ];
    passes(2295, 5, false, 20, actions);
}

#[test]
fn two_removals_in_a_millisecond() {
    let actions = vec![
        (1, join(0)),
        (1, join(1)),
        (1, join(2)),
        (2000, join(3)),
        (2525, Remove { person: 0, nth: 1 }),
        (2526, Remove { person: 0, nth: 0 }),
    ];
    passes(8493, 5, false, 20, actions);
}

#[test]
fn a_removal_that_is_lost_and_another_one() {
    let cut = |person, client, server| Cut {
        person,
        client: After(client),
        server,
    };
    let actions = vec![
        (0, join(0)),
        (1, join(1)),
        (1, join(2)),
        (1, join(5)),
        (30, join(4)),
        (259, Duplicate { person: 4 }),
        (300, join(3)),
        (341, cut(5, 2395, After(32))),
        (945, cut(0, 16, After(144))),
        (969, Remove { person: 0, nth: 0 }),
        (1028, cut(2, 1420, Never)),
        (1143, Remove { person: 0, nth: 4 }),
    ];
    passes(85_014, 6, false, 150, actions);
}

#[test]
fn a_host_who_is_gone_with_the_only_copy_of_the_secret() {
    let away = Offline {
        person: 2,
        for_ms: 65_000,
    };
    let gone = Vanish {
        person: 0,
        noticed: Never,
    };
    let gate = SetGate {
        person: 0,
        waiting_room: false,
    };
    let actions = vec![
        (1, join(2)),
        (30, join(0)),
        (123, away),
        (300, join(1)),
        (2878, gate),
        (3168, Remove { person: 0, nth: 1 }),
        (3249, gone),
    ];
    passes(74_281, 3, true, 20, actions);
}
