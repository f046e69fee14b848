//! The signaling connection: heartbeats, and coming back.

mod shell;

use std::time::Duration;

use shell::{Shell, entry};
use visavis_call_core::{
    Command, ConnectionState, EndReason, Event, LinkEvent, SignalingState, SocketEvent, Stage, Timestamp,
};
use visavis_protocol::{ServerMessage, limits};

fn opened(shell: &Shell) -> usize {
    shell
        .commands
        .iter()
        .filter(|command| matches!(command, Command::OpenSocket { .. }))
        .count()
}

#[test]
fn silence_is_answered_with_a_ping_and_then_taken_for_death() {
    let mut shell = Shell::joined(&[]);
    assert_eq!(shell.wait_for_deadline(), limits::HEARTBEAT);
    assert_eq!(shell.kinds(), ["ping"]);
    shell.hear(&ServerMessage::Pong {});
    let heard = shell.now;
    while shell.view().signaling == SignalingState::Online {
        shell.wait_for_deadline();
    }
    assert_eq!(shell.now.since(heard), limits::DEAD_AFTER);
    assert!(
        shell
            .commands
            .iter()
            .any(|command| matches!(command, Command::CloseSocket { .. }))
    );
}

#[test]
fn a_hidden_tab_is_given_more_time_and_says_so() {
    let mut shell = Shell::joined(&[]);
    shell.event(Event::VisibilityChanged { hidden: true });
    assert_eq!(shell.kinds(), ["visibility"]);
    let heard = shell.now;
    while shell.view().signaling == SignalingState::Online {
        shell.wait_for_deadline();
    }
    assert_eq!(shell.now.since(heard), limits::DEAD_AFTER_HIDDEN);
}

#[test]
fn retries_slow_down_and_never_end() {
    let mut shell = Shell::joined(&[entry(9)]);
    shell.lose(1006);
    let mut waits = Vec::new();
    for _ in 0..30 {
        let SignalingState::Waiting { retry_at } = shell.view().signaling else {
            panic!("waiting")
        };
        waits.push(retry_at.since(shell.now));
        shell.wait(retry_at.since(shell.now));
        shell.lose(1006);
    }
    assert_eq!(waits[0], Duration::ZERO);
    let longest = [0, 300, 1_200, 2_700, 4_800].map(Duration::from_millis);
    assert!(waits.iter().zip(longest).all(|(wait, longest)| *wait <= longest));
    // Full jitter: anything up to the longest, the short ones as well.
    let later = &waits[5..];
    assert!(
        later.iter().all(|wait| *wait <= Duration::from_secs(7)),
        "{waits:?}"
    );
    assert!(
        later.iter().any(|wait| *wait > Duration::from_secs(5)),
        "{waits:?}"
    );
    assert!(
        later.iter().any(|wait| *wait < Duration::from_secs(2)),
        "{waits:?}"
    );
    assert_eq!(shell.view().stage, Stage::Joined);
}

#[test]
fn nobody_hurries_for_a_tab_that_nobody_sees() {
    let mut shell = Shell::joined(&[]);
    shell.event(Event::VisibilityChanged { hidden: true });
    for _ in 0..12 {
        shell.lose(1006);
        shell.wait_for_deadline();
    }
    shell.lose(1006);
    let SignalingState::Waiting { retry_at } = shell.view().signaling else {
        panic!("waiting")
    };
    assert!(retry_at.since(shell.now) >= Duration::from_secs(15));
}

#[test]
fn a_socket_that_owes_an_answer_gets_a_rival_and_the_session_moves_to_it() {
    let mut shell = Shell::joined(&[]);
    let first = shell.socket.expect("a socket");
    shell.wait(limits::HEARTBEAT);
    assert_eq!(shell.kinds(), ["ping"]);
    assert_eq!(shell.wait_for_deadline(), Duration::from_secs(5));
    let second = shell.socket.expect("another socket");
    assert_ne!(first, second);
    assert_eq!(shell.view().signaling, SignalingState::Online);
    // An answer after all: the rival is not needed.
    shell.event(Event::Socket(
        first,
        SocketEvent::Received(ServerMessage::Pong {}.encode()),
    ));
    assert!(shell.commands.contains(&Command::CloseSocket { socket: second }));

    shell.commands.clear();
    shell.wait(limits::HEARTBEAT);
    shell.wait(Duration::from_secs(5));
    let third = shell.socket.expect("a third socket");
    shell.open();
    assert!(shell.commands.contains(&Command::CloseSocket { socket: first }));
    assert_eq!(shell.kinds(), ["ping", "hello", "resume"]);
    assert!(third > second);
}

#[test]
fn a_connection_that_comes_back_is_a_reason_to_try_at_once() {
    let mut shell = Shell::joined(&[entry(9)]);
    let link = shell.links_of_view()[0];
    let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
    shell.event(Event::Link(link, connected.clone()));
    for _ in 0..8 {
        shell.lose(1006);
        shell.wait_for_deadline();
    }
    shell.lose(1006);
    let before = opened(&shell);
    shell.event(Event::Link(
        link,
        LinkEvent::ConnectionStateChanged(ConnectionState::Disconnected),
    ));
    shell.event(Event::Link(link, connected));
    assert_eq!(opened(&shell), before + 1);
}

#[test]
fn a_network_that_returns_or_a_person_who_does_ends_the_wait() {
    for event in [
        Event::OnlineChanged(true),
        Event::VisibilityChanged { hidden: false },
    ] {
        let mut shell = Shell::joined(&[]);
        shell.event(Event::VisibilityChanged { hidden: true });
        for _ in 0..12 {
            shell.lose(1006);
            shell.wait_for_deadline();
        }
        shell.lose(1006);
        let before = opened(&shell);
        shell.event(event);
        assert_eq!(opened(&shell), before + 1);
    }
}

#[test]
fn a_draining_server_says_when_to_return() {
    let mut shell = Shell::joined(&[]);
    shell.hear(&ServerMessage::GoingAway {
        retry_after_ms: 4_321,
    });
    shell.lose(1012);
    let SignalingState::Waiting { retry_at } = shell.view().signaling else {
        panic!("waiting")
    };
    assert_eq!(retry_at.since(shell.now), Duration::from_millis(4_321));
}

#[test]
fn final_close_codes_end_the_call_in_words() {
    for (code, reason) in [
        (4409, EndReason::SeatMoved),
        (4410, EndReason::SeatMoved),
        (4402, EndReason::PageOutdated),
    ] {
        let mut shell = Shell::joined(&[entry(9)]);
        shell.lose(code);
        assert_eq!(shell.view().stage, Stage::Ended(reason));
        assert_eq!(shell.core.poll_timeout(), None);
    }
}

#[test]
fn a_server_that_accepts_and_drops_is_not_hammered() {
    let mut shell = Shell::joined(&[]);
    for _ in 0..8 {
        shell.lose(1006);
        shell.wait_for_deadline();
        shell.open();
    }
    shell.lose(1006);
    let SignalingState::Waiting { retry_at } = shell.view().signaling else {
        panic!("waiting")
    };
    assert!(retry_at.since(shell.now) > Duration::from_secs(1), "{retry_at:?}");
}

#[test]
fn a_socket_that_never_opens_is_given_up() {
    let mut shell = Shell::new();
    shell.enter();
    let first = shell.socket.expect("a socket");
    // Another is tried beside it, for whatever may be wrong with this one.
    assert_eq!(shell.wait_for_deadline(), Duration::from_secs(3));
    assert_eq!(opened(&shell), 2);
    let given_up = Command::CloseSocket { socket: first };
    while !shell.commands.contains(&given_up) {
        shell.wait_for_deadline();
        assert!(shell.now <= Timestamp::from_millis(10_000));
    }
    // One is under way at any time.
    assert_eq!(shell.view().signaling, SignalingState::Connecting);
}

#[test]
fn a_network_that_returns_replaces_an_attempt_that_hangs() {
    let mut shell = Shell::joined(&[]);
    shell.lose(1006);
    shell.wait_for_deadline();
    let before = opened(&shell);
    shell.event(Event::OnlineChanged(true));
    assert_eq!(opened(&shell), before, "an attempt just begun is left alone");
    shell.wait(Duration::from_secs(2));
    shell.event(Event::OnlineChanged(true));
    assert_eq!(opened(&shell), before + 1);
    assert!(
        shell
            .commands
            .iter()
            .any(|command| matches!(command, Command::CloseSocket { .. }))
    );
}
