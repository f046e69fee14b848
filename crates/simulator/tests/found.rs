//! Scripts that once failed, as `shrink` printed them.

use visavis_call_core::CaptureKind::{Camera, Microphone, Screen};
use visavis_simulator::Action::{
    BlackHole, Change, ChangeAtAwait, Cut, Duplicate, Enter, HangUp, Hiccup, Join, Offline, Restart, Want,
};
use visavis_simulator::Change::{AddTransceiver, RestartIce, Turn};
use visavis_simulator::Noticed::{After, Never};
use visavis_simulator::browser::Direction::{Inactive, RecvOnly};
use visavis_simulator::browser::MediaKind::{Audio, Video};
use visavis_simulator::{Options, Pace, RoomKind, Script, run};

fn passes(seed: u64, people: usize, pace: Pace, actions: Vec<(u64, visavis_simulator::Action)>) {
    let script = Script {
        seed,
        people,
        room: RoomKind::Open,
        pace,
        actions,
    };
    assert_eq!(run(&script, &Options::default()).violation, None);
}

#[test]
fn a_seat_taken_by_another_tab_while_the_first_is_offline() {
    passes(
        1129,
        3,
        Pace::CALM,
        vec![
            (1, Join { person: 0 }),
            (1, Join { person: 1 }),
            (
                205,
                Offline {
                    person: 0,
                    for_ms: 2000,
                },
            ),
            (
                935,
                Want {
                    person: 0,
                    kind: Camera,
                    on: true,
                },
            ),
            (1441, Duplicate { person: 0 }),
        ],
    );
}

#[test]
fn a_first_answer_that_comes_after_its_offer_was_given_up() {
    passes(
        38258,
        2,
        Pace {
            network_ms: 2000,
            ..Pace::CALM
        },
        vec![
            (
                0,
                ChangeAtAwait {
                    nth: 10,
                    far_side: true,
                    change: AddTransceiver(Video),
                },
            ),
            (1, Join { person: 1 }),
            (30, Join { person: 0 }),
            (3690, Hiccup { person: 0, link: 0 }),
            (
                6429,
                Cut {
                    person: 0,
                    client: After(142),
                    server: After(0),
                },
            ),
            (
                7352,
                Offline {
                    person: 1,
                    for_ms: 20000,
                },
            ),
        ],
    );
}

#[test]
fn who_leaves_before_the_news_of_their_return_comes() {
    passes(
        1346799,
        2,
        Pace {
            network_ms: 2000,
            browser_ms: 500,
            prompt_ms: 100,
            duplicated: 37,
            overtaken: 0,
            refused: 0,
            links_ahead: 0,
            stubborn: 0,
            disk_trouble: 0,
            spoiled: 0,
        },
        vec![
            (271, Join { person: 1 }),
            (
                2324,
                Want {
                    person: 0,
                    kind: Microphone,
                    on: true,
                },
            ),
            (
                2324,
                Want {
                    person: 0,
                    kind: Camera,
                    on: true,
                },
            ),
            (2324, Join { person: 0 }),
            (3569, HangUp { person: 1 }),
            (
                4746,
                Want {
                    person: 1,
                    kind: Camera,
                    on: true,
                },
            ),
            (5506, Join { person: 1 }),
            (
                12743,
                Restart {
                    down_ms: 0,
                    noticed: After(0),
                },
            ),
            (14565, HangUp { person: 1 }),
            (
                16444,
                Restart {
                    down_ms: 60000,
                    noticed: Never,
                },
            ),
        ],
    );
}

#[test]
fn two_frozen_flows_while_the_server_is_away() {
    passes(
        960216,
        2,
        Pace {
            network_ms: 20,
            browser_ms: 100,
            prompt_ms: 100,
            duplicated: 0,
            overtaken: 0,
            refused: 0,
            links_ahead: 0,
            stubborn: 0,
            disk_trouble: 0,
            spoiled: 0,
        },
        vec![
            (
                0,
                ChangeAtAwait {
                    nth: 0,
                    far_side: false,
                    change: AddTransceiver(Audio),
                },
            ),
            (
                0,
                ChangeAtAwait {
                    nth: 5,
                    far_side: true,
                    change: Turn(1, Inactive),
                },
            ),
            (
                0,
                ChangeAtAwait {
                    nth: 11,
                    far_side: false,
                    change: Turn(0, RecvOnly),
                },
            ),
            (
                1785,
                Want {
                    person: 1,
                    kind: Microphone,
                    on: true,
                },
            ),
            (
                1785,
                Want {
                    person: 1,
                    kind: Camera,
                    on: true,
                },
            ),
            (
                2814,
                Want {
                    person: 0,
                    kind: Microphone,
                    on: true,
                },
            ),
            (
                2814,
                Want {
                    person: 0,
                    kind: Camera,
                    on: true,
                },
            ),
            (2814, Enter { person: 0 }),
            (2844, Join { person: 0 }),
            (3785, Join { person: 1 }),
            (
                8135,
                Offline {
                    person: 0,
                    for_ms: 20000,
                },
            ),
            (
                17138,
                Want {
                    person: 1,
                    kind: Microphone,
                    on: false,
                },
            ),
            (
                17299,
                Want {
                    person: 0,
                    kind: Camera,
                    on: false,
                },
            ),
        ],
    );
}

#[test]
fn what_waits_to_be_sent_again_is_no_rest() {
    passes(
        1544469,
        3,
        Pace {
            network_ms: 40,
            browser_ms: 5,
            prompt_ms: 100,
            duplicated: 0,
            overtaken: 0,
            refused: 0,
            links_ahead: 0,
            stubborn: 50,
            disk_trouble: 0,
            spoiled: 0,
        },
        vec![
            (
                0,
                ChangeAtAwait {
                    nth: 4,
                    far_side: false,
                    change: RestartIce,
                },
            ),
            (
                333,
                Want {
                    person: 0,
                    kind: Microphone,
                    on: true,
                },
            ),
            (363, Join { person: 0 }),
            (1172, Join { person: 1 }),
            (1592, BlackHole { person: 0, link: 0 }),
            (
                3192,
                Change {
                    person: 0,
                    link: 0,
                    change: AddTransceiver(Audio),
                },
            ),
            (3244, Join { person: 2 }),
        ],
    );
}

#[test]
fn the_sound_of_a_share_that_was_given_up_comes_late() {
    let pace = Pace {
        network_ms: 1,
        browser_ms: 5,
        prompt_ms: 5000,
        refused: 22,
        ..Pace::CALM
    };
    passes(
        4711,
        2,
        pace,
        vec![
            (
                74,
                Want {
                    person: 0,
                    kind: Microphone,
                    on: true,
                },
            ),
            (
                74,
                Want {
                    person: 0,
                    kind: Camera,
                    on: true,
                },
            ),
            (74, Enter { person: 0 }),
            (104, Join { person: 0 }),
            (194, Join { person: 1 }),
            (
                3803,
                Offline {
                    person: 1,
                    for_ms: 100_000,
                },
            ),
            (
                5281,
                Want {
                    person: 1,
                    kind: Screen,
                    on: true,
                },
            ),
            (
                8559,
                Want {
                    person: 1,
                    kind: Screen,
                    on: false,
                },
            ),
            (
                8574,
                Want {
                    person: 1,
                    kind: Screen,
                    on: true,
                },
            ),
        ],
    );
}
