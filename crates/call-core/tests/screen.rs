//! A shared screen and its sound: they come, are told and end together or one by one.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;

use core::time::Duration;

use shell::{Shell, entry};
use visavis_call_core::{
    CaptureId, CaptureKind, CaptureState, Command, ConnectionState, Event, Intent, LinkEvent, LinkId,
    MediaEvent, Sample, Slot, Timestamp,
};
use visavis_protocol::{Frame, MediaKind, MediaStatus, Packet, ServerMessage, Signal};

/// A call with one other, in which a screen is shared.
fn sharing() -> (Shell, CaptureId) {
    let mut shell = Shell::in_front();
    shell.join();
    shell.seated(1, 1, &[entry(9)]);
    shell.make_offer(shell.links()[0]);
    shell.commands.clear();
    shell.intend(Intent::Want {
        kind: CaptureKind::Screen,
        on: true,
    });
    let capture = shell.commands.iter().find_map(|command| match command {
        Command::Capture(request) => Some(request.capture),
        _ => None,
    });
    let capture = capture.expect("a screen is asked for");
    shell.event(Event::Media(MediaEvent::Captured {
        capture,
        device: String::new(),
        facing: None,
    }));
    (shell, capture)
}

fn sound(shell: &mut Shell, capture: CaptureId, is_there: bool) {
    shell.event(Event::Media(MediaEvent::CaptureSound { capture, is_there }));
}

/// What the others were told last.
fn told(shell: &Shell) -> MediaStatus {
    let packets = shell.packets().into_iter();
    let signals = packets.flat_map(|(_, _, packet)| packet.signals);
    let mut statuses = signals.filter_map(|signal| match signal {
        Signal::Status(status) => Some(status),
        _ => None,
    });
    statuses.next_back().expect("a status")
}

/// What was last put on the sender of a slot.
fn sent(shell: &Shell, wanted: Slot) -> Option<CaptureId> {
    let mut tracks = shell.commands.iter().filter_map(|command| match command {
        Command::SetTrack { slot, capture, .. } if *slot == wanted => Some(*capture),
        _ => None,
    });
    tracks.next_back().flatten()
}

#[test]
fn its_sound_goes_out_on_a_section_of_its_own() {
    let (mut shell, capture) = sharing();
    assert_eq!(sent(&shell, Slot::ScreenSound), None, "not every screen has one");
    assert!(!told(&shell).screen_sound);
    sound(&mut shell, capture, true);
    assert_eq!(sent(&shell, Slot::ScreenSound), Some(capture));
    assert_eq!(sent(&shell, Slot::Screen), Some(capture));
    let status = told(&shell);
    assert!(status.screen && status.screen_sound && !status.microphone);
    assert!(shell.view().me.screen_sound);
}

#[test]
fn its_sound_may_end_before_it() {
    let (mut shell, capture) = sharing();
    sound(&mut shell, capture, true);
    sound(&mut shell, capture, false);
    assert_eq!(sent(&shell, Slot::ScreenSound), None);
    let status = told(&shell);
    assert!(status.screen && !status.screen_sound);
    assert!(matches!(shell.view().me.screen, CaptureState::On { .. }));
}

#[test]
fn it_ends_with_its_sound_without_a_negotiation() {
    let (mut shell, capture) = sharing();
    sound(&mut shell, capture, true);
    shell.commands.clear();
    // The browser's own bar.
    shell.event(Event::Media(MediaEvent::CaptureEnded { capture }));
    assert!(shell.commands.contains(&Command::StopCapture { capture }));
    for slot in [Slot::Screen, Slot::ScreenSound] {
        assert_eq!(sent(&shell, slot), None);
        let is_taken =
            |command: &Command| matches!(command, Command::SetTrack { slot: of, .. } if *of == slot);
        assert!(shell.commands.iter().any(is_taken), "{slot:?}");
    }
    let offers = |command: &Command| matches!(command, Command::SetLocalDescription { .. });
    assert!(!shell.commands.iter().any(offers));
    assert_eq!(told(&shell), MediaStatus::default());
    assert!(!shell.view().me.screen_sound);
}

#[test]
fn a_sound_that_comes_too_late_is_nobodys() {
    let (mut shell, capture) = sharing();
    shell.intend(Intent::Want {
        kind: CaptureKind::Screen,
        on: false,
    });
    sound(&mut shell, capture, true);
    assert_eq!(sent(&shell, Slot::ScreenSound), None);
    assert_eq!(told(&shell), MediaStatus::default());
}

#[test]
fn a_sound_that_comes_too_late_does_not_silence_what_is_shared_since() {
    let (mut shell, capture) = sharing();
    sound(&mut shell, capture, true);
    let late = CaptureId(capture.0 - 1);
    sound(&mut shell, late, true);
    assert_eq!(sent(&shell, Slot::ScreenSound), Some(capture));
    assert!(told(&shell).screen_sound);
    sound(&mut shell, late, false);
    assert_eq!(sent(&shell, Slot::ScreenSound), Some(capture));
}

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

/// How often a screen's sound that does not come is asked for, and how often ICE is restarted or a
/// connection made anew, while everything else comes.
fn remedies(says_so: bool) -> (usize, usize) {
    let mut shell = Shell::joined(&[entry(9)]);
    shell.now = Timestamp::from_millis(60_000);
    shell.hear(&ServerMessage::Pong {});
    let link = connected(&mut shell);
    let status = MediaStatus {
        microphone: true,
        screen_sound: says_so,
        ..MediaStatus::default()
    };
    in_band(&mut shell, link, 1, vec![Signal::Status(status)]);
    shell.commands.clear();
    let until = shell.now + Duration::from_secs(30);
    let mut sample = Sample::default();
    while shell.now < until {
        shell.now = shell.core.poll_timeout().expect("a look").max(shell.now);
        shell.event(Event::Tick);
        sample.bytes += 1;
        sample.progress[Slot::Audio.index()] += 1;
        shell.event(Event::Link(link, LinkEvent::Measured(sample)));
        let beat = Frame::Beat {
            server: true,
            restarts: false,
        };
        shell.event(Event::Link(link, LinkEvent::ChannelReceived(beat.encode())));
        shell.hear(&ServerMessage::Pong {});
    }
    let commands = shell.commands.iter();
    let asked = commands.clone().filter(|command| match command {
        // Acknowledged by nobody here, so it is written again: the same number counts once.
        Command::SendInBand { text, .. } => match Frame::decode(text) {
            Ok(Frame::Packet { body, .. }) => body.signals.contains(&Signal::Reattach {
                kind: MediaKind::ScreenSound,
            }),
            _ => false,
        },
        _ => false,
    });
    let drastic = commands.filter(|command| {
        matches!(
            command,
            Command::RestartIce { .. } | Command::CreateLink { .. } | Command::CloseLink { .. }
        )
    });
    (asked.count(), drastic.count())
}

#[test]
fn a_sound_that_does_not_come_is_asked_for_and_nothing_else_is_touched() {
    let (asked, drastic) = remedies(true);
    assert!(asked > 0);
    assert_eq!(drastic, 0, "it may just be silent");
    assert_eq!(remedies(false), (0, 0), "what is not sent is not missed");
}
