//! Staying up: what is told beside the server, and when a connection is restarted.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;

use std::time::Duration;

use shell::{Shell, entry};
use visavis_call_core::{Command, ConnectionState, Event, Intent, LinkEvent, LinkId, Sample, Timestamp};
use visavis_protocol::{Frame, MediaStatus, Packet, SeatId, ServerMessage, Signal};

/// Somebody who is seen and heard, on a channel of their own.
fn connected(shell: &mut Shell) -> LinkId {
    let link = shell.links_of_view()[0];
    for event in [
        LinkEvent::ConnectionStateChanged(ConnectionState::Connected),
        LinkEvent::ChannelOpened,
    ] {
        shell.event(Event::Link(link, event));
    }
    link
}

fn in_band(shell: &mut Shell, link: LinkId, n: u64, signals: Vec<Signal>) {
    let body = Packet {
        signals,
        ..Packet::default()
    };
    let text = Frame::Packet { n, body }.encode();
    shell.event(Event::Link(link, LinkEvent::ChannelReceived(text)));
}

#[test]
fn who_leaves_while_the_server_is_away_is_gone_and_does_not_come_back_with_its_list() {
    let mut shell = Shell::joined(&[entry(8), entry(9)]);
    let link = connected(&mut shell);
    shell.lose(1006);
    in_band(&mut shell, link, 1, vec![Signal::Leave {}]);
    assert_eq!(shell.view().people.len(), 1);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(1);
    // The server did not hear it, and keeps the seat for a while.
    let mut away = entry(8);
    away.away = true;
    shell.seated(1, 2, &[away, entry(9)]);
    assert_eq!(shell.view().people.len(), 1);
}

#[test]
fn who_leaves_before_the_news_of_their_return_comes_stays_gone() {
    let mut shell = Shell::joined(&[entry(8), entry(9)]);
    let link = connected(&mut shell);
    shell.restart();
    assert_eq!(shell.view().people.len(), 2);
    in_band(&mut shell, link, 1, vec![Signal::Leave {}]);
    shell.hear(&ServerMessage::PeerJoined {
        version: 2,
        peer: entry(8),
    });
    shell.hear(&ServerMessage::PeerJoined {
        version: 3,
        peer: entry(9),
    });
    let seats: Vec<SeatId> = shell.view().people.iter().map(|person| person.seat).collect();
    assert_eq!(seats, [entry(9).seat]);
}

#[test]
fn every_frozen_flow_waits_for_the_server_and_not_for_a_minute() {
    let mut shell = Shell::joined(&[entry(0)]);
    shell.now = Timestamp::from_millis(60_000);
    shell.hear(&ServerMessage::Pong {});
    let link = connected(&mut shell);
    let sends = |microphone| {
        Signal::Status(MediaStatus {
            microphone,
            camera: true,
            ..MediaStatus::default()
        })
    };
    in_band(&mut shell, link, 1, vec![sends(true)]);
    shell.lose(1006);
    // They live, and neither sound nor pictures come.
    let go_on_for = |shell: &mut Shell, seconds: u64| {
        let until = shell.now + Duration::from_secs(seconds);
        while shell.now < until {
            shell.now = shell.core.poll_timeout().expect("a look").max(shell.now);
            shell.event(Event::Tick);
            shell.event(Event::Link(link, LinkEvent::Measured(Sample::default())));
            let beat = Frame::Beat {
                server: false,
                restarts: false,
            };
            shell.event(Event::Link(link, LinkEvent::ChannelReceived(beat.encode())));
        }
    };
    go_on_for(&mut shell, 18);
    // The sound is turned off: the pictures are waited for still.
    in_band(&mut shell, link, 2, vec![sends(false)]);
    shell.open();
    shell.greeted(1);
    shell.seated(1, 2, &[entry(0)]);
    let before = shell.links().len();
    go_on_for(&mut shell, 12);
    assert!(shell.links().len() > before, "a new connection is made soon");
}

#[test]
fn a_channel_that_closes_tells_of_a_leave_only_where_the_network_stood() {
    let closed = |silent_for: u64| {
        let mut shell = Shell::joined(&[entry(8)]);
        let link = connected(&mut shell);
        shell.lose(1006);
        shell.now = shell.now + Duration::from_secs(silent_for);
        shell.event(Event::Link(link, LinkEvent::ChannelClosed));
        let until = shell.now + Duration::from_secs(4);
        while shell.now < until {
            shell.wait_for_deadline();
        }
        shell.view().people.len()
    };
    assert_eq!(closed(0), 0, "they closed the page");
    assert_eq!(closed(10), 1, "our own network is away");
}

#[test]
fn a_silent_connection_is_restarted_once_the_peer_is_heard_over_the_server() {
    let mut shell = Shell::joined(&[entry(0)]);
    shell.now = Timestamp::from_millis(60_000);
    shell.hear(&ServerMessage::Pong {});
    let link = connected(&mut shell);
    shell.signal(
        entry(0).peer,
        1,
        vec![Signal::Status(MediaStatus {
            microphone: true,
            ..MediaStatus::default()
        })],
    );
    shell.commands.clear();
    let flat = |shell: &mut Shell| {
        let deadline = shell.core.poll_timeout().expect("a look");
        shell.now = deadline.max(shell.now);
        shell.event(Event::Tick);
        shell.event(Event::Link(link, LinkEvent::Measured(Sample::default())));
    };
    let restarts = |shell: &Shell| {
        shell
            .commands
            .iter()
            .filter(|command| matches!(command, Command::RestartIce { .. }))
            .count()
    };
    let began = shell.now;
    while shell.now < began + Duration::from_secs(8) {
        flat(&mut shell);
        shell.hear(&ServerMessage::Pong {});
    }
    assert_eq!(restarts(&shell), 0, "their network may be away");
    assert!(
        shell
            .packets()
            .iter()
            .any(|(_, n, packet)| *n == 0 && packet.signals == [Signal::Probe { answer: false }]),
        "they are asked"
    );
    assert!(shell.view().people[0].silent, "and the person is told");
    let answer = Packet {
        signals: vec![Signal::Probe { answer: true }],
        ..Packet::default()
    };
    shell.packet(entry(0).peer, 0, &answer);
    let answered = shell.now;
    while restarts(&shell) == 0 {
        flat(&mut shell);
        assert!(shell.now < answered + Duration::from_secs(2));
    }
}

/// When ICE is restarted on a connection that we offered and on which nothing comes, counted from the
/// last sign of them, while they are there for the server. `restarts`: what their beat says.
fn restarted_after(restarts: bool) -> Duration {
    let mut shell = Shell::joined(&[entry(0)]);
    shell.now = Timestamp::from_millis(60_000);
    shell.hear(&ServerMessage::Pong {});
    let link = connected(&mut shell);
    let status = MediaStatus {
        microphone: true,
        ..MediaStatus::default()
    };
    in_band(&mut shell, link, 1, vec![Signal::Status(status)]);
    let beat = Frame::Beat {
        server: true,
        restarts,
    };
    shell.event(Event::Link(link, LinkEvent::ChannelReceived(beat.encode())));
    shell.commands.clear();
    let began = shell.now;
    let answer = Packet {
        signals: vec![Signal::Probe { answer: true }],
        ..Packet::default()
    };
    loop {
        shell.now = shell.core.poll_timeout().expect("a look").max(shell.now);
        shell.event(Event::Tick);
        shell.event(Event::Link(link, LinkEvent::Measured(Sample::default())));
        shell.hear(&ServerMessage::Pong {});
        shell.packet(entry(0).peer, 0, &answer);
        let is_restarted = |command: &Command| matches!(command, Command::RestartIce { .. });
        if shell.commands.iter().any(is_restarted) {
            return shell.now.since(began);
        }
        assert!(shell.now < began + Duration::from_secs(20), "never");
    }
}

#[test]
fn who_offers_restarts_well_does_and_the_other_side_only_when_they_do_not() {
    assert!(restarted_after(false) < Duration::from_secs(4));
    assert!(restarted_after(true) > Duration::from_secs(6));
}

#[test]
fn a_restart_that_is_asked_for_is_offered_once() {
    let mut shell = Shell::joined(&[entry(0)]);
    shell.now = Timestamp::from_millis(60_000);
    let link = connected(&mut shell);
    shell.commands.clear();
    in_band(&mut shell, link, 1, vec![Signal::Restart {}]);
    in_band(&mut shell, link, 2, vec![Signal::Restart {}]);
    let restarts = shell
        .commands
        .iter()
        .filter(|command| matches!(command, Command::RestartIce { .. }))
        .count();
    assert_eq!(restarts, 1);
}

#[test]
fn who_hides_their_address_takes_back_what_has_not_left_yet() {
    let mut shell = Shell::in_front();
    shell.hear(&ServerMessage::Occupancy {
        room: shell::room(),
        peers: vec![entry(9)],
        seats: 8,
        gate: visavis_protocol::Gate::default(),
        shut: false,
    });
    let link = shell.links()[0];
    shell.make_offer(link);
    shell.intend(Intent::HideAddress(true));
    assert_eq!(shell.closed_links(), [link]);
    shell.join();
    shell.seated(1, 1, &[entry(9)]);
    let told: Vec<Signal> = shell
        .packets()
        .into_iter()
        .flat_map(|(_, _, packet)| packet.signals)
        .collect();
    let is_status = |signal: &Signal| matches!(signal, Signal::Status(_));
    assert!(told.iter().all(is_status), "{told:?}");
    assert_eq!(
        shell.links(),
        [link],
        "and there is no relay to make another one with"
    );
    assert!(shell.view().hides_address);
}
