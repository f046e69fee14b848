//! Scripts that once failed, as `shrink` printed them.

use visavis_call_core::CaptureKind::Camera;
use visavis_simulator::Action::{ChangeAtAwait, Cut, Duplicate, Hiccup, Join, Offline, Want};
use visavis_simulator::Change::AddTransceiver;
use visavis_simulator::Noticed::After;
use visavis_simulator::browser::MediaKind::Video;
use visavis_simulator::{Options, Pace, Script, run};

fn passes(seed: u64, people: usize, pace: Pace, actions: Vec<(u64, visavis_simulator::Action)>) {
    let script = Script {
        seed,
        people,
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
