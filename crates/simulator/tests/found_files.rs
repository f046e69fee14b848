//! Scripts with transfers that once failed, as `shrink` printed them.

use visavis_call_core::CaptureKind::Camera;
use visavis_simulator::Action::{Answer, Cancel, Join, Offer, Pause, Reload, Sever, Want};
use visavis_simulator::Noticed::After;
use visavis_simulator::{Action, Options, Pace, RoomKind, Script, run};

fn passes(seed: u64, pace: Pace, actions: Vec<(u64, Action)>) {
    let script = Script {
        seed,
        people: 2,
        room: RoomKind::Open,
        pace,
        actions,
    };
    assert_eq!(run(&script, &Options::default()).violation, None);
}

#[test]
fn a_short_block_that_is_hashed_before_a_long_one() {
    passes(
        11,
        Pace::CALM,
        vec![
            (378, Join { person: 0 }),
            (7216, Join { person: 1 }),
            (
                8196,
                Offer {
                    person: 1,
                    to: 0,
                    sort: 99,
                },
            ),
            (
                8906,
                Answer {
                    person: 0,
                    accept: true,
                },
            ),
        ],
    );
}

#[test]
fn both_reload_and_the_sender_lacks_a_file_that_nobody_asked_for_yet() {
    let offer = |to, sort| Offer { person: 0, to, sort };
    let reload = |person| Reload {
        person,
        noticed: After(0),
    };
    passes(
        1,
        Pace {
            overtaken: 11,
            ..Pace::CALM
        },
        vec![
            (
                0,
                Want {
                    person: 1,
                    kind: Camera,
                    on: true,
                },
            ),
            (1, Join { person: 0 }),
            (1, Join { person: 1 }),
            (2305, offer(1, 61)),
            (3170, Cancel { person: 0, nth: 2 }),
            (4690, offer(1, 116)),
            (5105, offer(0, 80)),
            (
                5527,
                Answer {
                    person: 1,
                    accept: true,
                },
            ),
            (
                5705,
                Pause {
                    person: 0,
                    nth: 1,
                    paused: true,
                },
            ),
            (7751, reload(0)),
            (8016, reload(1)),
        ],
    );
}

#[test]
fn a_receiver_lets_rest_what_it_accepted_while_nothing_passed() {
    passes(
        1989,
        Pace::CALM,
        vec![
            (5, Join { person: 0 }),
            (2002, Join { person: 1 }),
            (
                7912,
                Offer {
                    person: 0,
                    to: 0,
                    sort: 185,
                },
            ),
            (
                8261,
                Sever {
                    person: 0,
                    link: 0,
                    for_ms: 20_000,
                },
            ),
            (
                8321,
                Answer {
                    person: 1,
                    accept: true,
                },
            ),
            (
                14_023,
                Pause {
                    person: 1,
                    nth: 0,
                    paused: true,
                },
            ),
        ],
    );
}
