//! The table, line by line.

use core::time::Duration;

use Act::{Accept, Again, Cancel, Decline, Discard, Keep, Pause, Preview, Remove, Resume, Save};
use Direction::{Receiving, Sending};
use visavis_protocol::{SeatId, TransferId};

use super::*;

const REASONS: [StopReason; 11] = [
    StopReason::Declined,
    StopReason::Cancelled,
    StopReason::TooBig,
    StopReason::TooMany,
    StopReason::BadOffer,
    StopReason::BadContent,
    StopReason::Changed,
    StopReason::Unreadable,
    StopReason::Unstorable,
    StopReason::Unknown,
    StopReason::Other,
];

fn transfer(direction: Direction, state: TransferState) -> Transfer {
    Transfer {
        transfer: TransferId::from_bytes([1; 16]),
        direction,
        seat: SeatId::from_bytes([2; 16]),
        name: "Bea".to_owned(),
        title: "tea.pdf".to_owned(),
        is_folder: false,
        files: 1,
        bytes: 5_000_000,
        passed: 1_000_000,
        rate: 0,
        left: None,
        state,
    }
}

fn stands(direction: Direction, state: TransferState) -> (String, Vec<Act>) {
    let standing = standing(&transfer(direction, state), Beside::default(), false);
    (standing.text, standing.acts.to_vec())
}

#[test]
fn every_state_has_its_words_and_buttons() {
    use TransferState::{Done, Interrupted, Lacking, Offered, Paused, Running, Verifying, Waiting};

    let interrupted = "Interrupted. It goes on by itself when Bea is back.";
    let table: [(Direction, TransferState, &str, &[Act]); 22] = [
        (Sending, Offered, "Waiting for Bea to accept…", &[Cancel]),
        (
            Receiving,
            Offered,
            "Bea wants to send you this.",
            &[Accept, Decline],
        ),
        (Sending, Waiting, "Waiting for its turn…", &[Pause, Cancel]),
        (Receiving, Waiting, "Waiting for its turn…", &[Pause, Cancel]),
        (Sending, Running, "Sending…", &[Pause, Cancel]),
        (Receiving, Running, "Receiving…", &[Pause, Cancel]),
        (Sending, Paused { by_us: true }, "Paused", &[Resume, Cancel]),
        (Receiving, Paused { by_us: true }, "Paused", &[Resume, Cancel]),
        (Sending, Paused { by_us: false }, "Paused by Bea", &[Cancel]),
        (Receiving, Paused { by_us: false }, "Paused by Bea", &[Cancel]),
        (Sending, Interrupted, interrupted, &[Cancel]),
        (Receiving, Interrupted, interrupted, &[Cancel]),
        (
            Sending,
            Lacking { ours: true },
            "This page was loaded again. Choose the same file once more, then it goes on.",
            &[Again, Cancel],
        ),
        (
            Receiving,
            Lacking { ours: false },
            "Bea has to choose the file again. Then it goes on.",
            &[Cancel],
        ),
        (Sending, Verifying, "Checking that all of it is right…", &[Cancel]),
        (
            Receiving,
            Verifying,
            "Checking that all of it is right…",
            &[Cancel],
        ),
        (Sending, Done, "Bea has it", &[Remove]),
        (Receiving, Done, "All here. Save it to keep it.", &[Save, Remove]),
        (
            Receiving,
            TransferState::Stopped {
                reason: StopReason::Declined,
                by_us: true,
            },
            "You declined it",
            &[Remove],
        ),
        (
            Sending,
            TransferState::Stopped {
                reason: StopReason::Declined,
                by_us: false,
            },
            "Bea declined it",
            &[Remove],
        ),
        (
            Sending,
            TransferState::Stopped {
                reason: StopReason::Cancelled,
                by_us: true,
            },
            "You cancelled it",
            &[Remove],
        ),
        // A sender that says "declined" of its own offer took it back, whatever it calls it.
        (
            Receiving,
            TransferState::Stopped {
                reason: StopReason::Declined,
                by_us: false,
            },
            "Bea cancelled it",
            &[Remove],
        ),
    ];
    for (direction, state, text, acts) in table {
        assert_eq!(
            stands(direction, state),
            (text.to_owned(), acts.to_vec()),
            "{direction:?} {state:?}"
        );
    }
}

#[test]
fn what_runs_says_how_fast_and_how_long() {
    let mut runs = transfer(Sending, TransferState::Running);
    runs.rate = 3_200_000;
    assert_eq!(pace(&runs), "3.2 MB/s");
    runs.left = Some(Duration::from_secs(115));
    assert_eq!(pace(&runs), "3.2 MB/s, 2 minutes left");
}

#[test]
fn every_end_says_what_happened_and_to_both_what_concerns_them() {
    for reason in REASONS {
        for by_us in [true, false] {
            let state = TransferState::Stopped { reason, by_us };
            let (sent, received) = (stands(Sending, state), stands(Receiving, state));
            for (text, acts) in [&sent, &received] {
                assert!(!text.is_empty() && !text.contains("{}"), "{text}");
                assert_eq!(acts, &[Remove]);
            }
            let is_word = matches!(reason, StopReason::Cancelled | StopReason::Declined);
            assert!(is_word || sent.0 != received.0, "{reason:?}: {}", sent.0);
            // Whoever reads of a fault reads what to do as well.
            assert!(is_word || sent.0.ends_with('.'), "{}", sent.0);
        }
    }
}

#[test]
fn what_was_not_saved_does_not_go_without_a_question() {
    let done = transfer(Receiving, TransferState::Done);
    let mut beside = Beside::default();
    assert!(would_be_lost(&done, beside));
    assert_eq!(standing(&done, beside, true).acts, [Save, Discard, Keep]);
    assert_eq!(standing(&done, beside, false).acts, [Save, Remove]);
    beside.is_saved = true;
    assert!(!would_be_lost(&done, beside));
    assert!(!would_be_lost(
        &transfer(Sending, TransferState::Done),
        Beside::default()
    ));
}

#[test]
fn a_picture_can_be_looked_at_and_what_is_saved_says_so() {
    let done = transfer(Receiving, TransferState::Done);
    let beside = Beside {
        is_saved: true,
        can_preview: true,
    };
    let shown = standing(&done, beside, true);
    assert_eq!(shown.acts, [Save, Preview, Remove]);
    assert_eq!(shown.text, "Saved");
    // What one sent oneself one knows.
    let sent = standing(&transfer(Sending, TransferState::Done), beside, true);
    assert_eq!(sent.acts, [Remove]);
}

#[test]
fn what_waits_for_the_person_is_first_and_what_is_over_last() {
    use TransferState::{Done, Lacking, Offered, Running};

    let ranks = [
        (Receiving, Offered),
        (Sending, Lacking { ours: true }),
        (Sending, Offered),
        (Sending, Done),
    ]
    .map(|(direction, state)| rank(&transfer(direction, state)));
    assert_eq!(ranks, [0, 1, 2, 3]);
    assert_eq!(rank(&transfer(Receiving, Running)), 2);
    assert_eq!(rank(&transfer(Receiving, Done)), 3);
}
