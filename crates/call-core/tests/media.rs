//! Camera, microphone and screen: wanted against actual.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;

use shell::{Shell, entry};
use visavis_call_core::{
    CaptureError, CaptureId, CaptureKind, CaptureState, Command, Event, Intent, LinkEvent, MediaEvent,
    NoticeKind, RequestId, SdpKind, Slot,
};
use visavis_protocol::{MediaStatus, Signal};

fn want(shell: &mut Shell, kind: CaptureKind, on: bool) {
    shell.intend(Intent::Want { kind, on });
}

fn requests(shell: &Shell) -> Vec<CaptureId> {
    shell
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Capture(request) => Some(request.capture),
            _ => None,
        })
        .collect()
}

fn captured(shell: &mut Shell, capture: CaptureId) {
    shell.event(Event::Media(MediaEvent::Captured {
        capture,
        device: "d".into(),
        facing: None,
    }));
}

fn failed(shell: &mut Shell, capture: CaptureId, error: CaptureError) {
    shell.event(Event::Media(MediaEvent::CaptureFailed { capture, error }));
}

fn is_on(state: &CaptureState) -> bool {
    matches!(state, CaptureState::On { .. })
}

#[test]
fn camera_and_microphone_are_asked_for_separately() {
    let mut shell = Shell::in_front();
    want(&mut shell, CaptureKind::Microphone, true);
    want(&mut shell, CaptureKind::Camera, true);
    let [microphone, camera] = requests(&shell)[..] else {
        panic!("two requests")
    };
    failed(&mut shell, camera, CaptureError::NotFound);
    captured(&mut shell, microphone);
    assert_eq!(
        shell.view().me.camera,
        CaptureState::Failed(CaptureError::NotFound)
    );
    assert!(is_on(&shell.view().me.microphone));
}

#[test]
fn a_late_success_after_off_is_released() {
    let mut shell = Shell::in_front();
    want(&mut shell, CaptureKind::Camera, true);
    let capture = requests(&shell)[0];
    want(&mut shell, CaptureKind::Camera, false);
    captured(&mut shell, capture);
    assert!(shell.commands.contains(&Command::StopCapture { capture }));
    assert_eq!(shell.view().me.camera, CaptureState::Off);
}

#[test]
fn fast_toggling_keeps_one_request_a_time_and_the_last_wish() {
    let mut shell = Shell::in_front();
    for on in [true, false, true, false, true] {
        want(&mut shell, CaptureKind::Camera, on);
    }
    let all = requests(&shell);
    for capture in &all {
        captured(&mut shell, *capture);
    }
    let CaptureState::On { capture, .. } = shell.view().me.camera else {
        panic!("on")
    };
    assert_eq!(Some(&capture), all.last());
    for stale in &all[..all.len() - 1] {
        assert!(shell.commands.contains(&Command::StopCapture { capture: *stale }));
    }
}

#[test]
fn camera_off_stops_it_and_microphone_off_detaches_it() {
    let mut shell = Shell::joined(&[entry(9)]);
    want(&mut shell, CaptureKind::Microphone, true);
    want(&mut shell, CaptureKind::Camera, true);
    let [microphone, camera] = requests(&shell)[..] else {
        panic!("two requests")
    };
    captured(&mut shell, microphone);
    captured(&mut shell, camera);
    shell.commands.clear();
    want(&mut shell, CaptureKind::Microphone, false);
    want(&mut shell, CaptureKind::Camera, false);
    assert!(shell.commands.contains(&Command::StopCapture { capture: camera }));
    assert!(
        !shell
            .commands
            .contains(&Command::StopCapture { capture: microphone })
    );
    let detached = |slot| {
        shell
            .commands
            .iter()
            .any(|command| matches!(command, Command::SetTrack { slot: s, capture: None, .. } if *s == slot))
    };
    assert!(detached(Slot::Audio) && detached(Slot::Camera));
}

#[test]
fn peers_are_told_once_they_have_heard_from_us() {
    let mut shell = Shell::in_front();
    shell.join();
    shell.seated(1, 1, &[entry(9)]);
    let link = shell.links()[0];
    shell.make_offer(link);
    shell.commands.clear();
    want(&mut shell, CaptureKind::Microphone, true);
    let capture = requests(&shell)[0];
    captured(&mut shell, capture);
    let (_, _, packet) = shell.packets().remove(0);
    let told = MediaStatus {
        microphone: true,
        ..MediaStatus::default()
    };
    assert_eq!(packet.signals, [Signal::Status(told)]);
    assert!(shell.commands.contains(&Command::SetTrack {
        link,
        slot: Slot::Audio,
        capture: Some(capture)
    }));
}

#[test]
fn a_chosen_device_that_is_gone_falls_back_to_any() {
    let mut shell = Shell::in_front();
    shell.intend(Intent::ChooseDevice {
        kind: CaptureKind::Camera,
        device: Some("gone".into()),
    });
    want(&mut shell, CaptureKind::Camera, true);
    let capture = requests(&shell)[0];
    failed(&mut shell, capture, CaptureError::Overconstrained);
    let Some(Command::Capture(second)) = shell.commands.last() else {
        panic!("a second request")
    };
    assert_eq!(second.device, None);
}

#[test]
fn an_unplugged_device_is_replaced_and_said() {
    let mut shell = Shell::joined(&[]);
    want(&mut shell, CaptureKind::Microphone, true);
    let capture = requests(&shell)[0];
    captured(&mut shell, capture);
    shell.event(Event::Media(MediaEvent::CaptureEnded { capture }));
    let again = requests(&shell)[1];
    captured(&mut shell, again);
    assert!(is_on(&shell.view().me.microphone));
    let notices: Vec<_> = shell
        .view()
        .notices
        .into_iter()
        .map(|notice| notice.kind)
        .collect();
    assert_eq!(
        notices,
        [
            NoticeKind::CaptureEnded {
                kind: CaptureKind::Microphone
            },
            NoticeKind::DeviceSwitched {
                kind: CaptureKind::Microphone,
                name: String::new()
            }
        ]
    );
    // A device that ends each time it starts is not asked for ever.
    shell.event(Event::Media(MediaEvent::CaptureEnded { capture: again }));
    assert_eq!(requests(&shell).len(), 2);
}

#[test]
fn refused_is_final_until_asked_again() {
    let mut shell = Shell::in_front();
    want(&mut shell, CaptureKind::Camera, true);
    let capture = requests(&shell)[0];
    failed(&mut shell, capture, CaptureError::NotAllowed);
    assert!(!shell.view().me.camera.is_wanted());
    assert_eq!(requests(&shell).len(), 1);
    want(&mut shell, CaptureKind::Camera, true);
    assert_eq!(requests(&shell).len(), 2);
}

#[test]
fn leaving_lets_go_of_every_capture() {
    let mut shell = Shell::joined(&[]);
    want(&mut shell, CaptureKind::Microphone, true);
    want(&mut shell, CaptureKind::Camera, true);
    let all = requests(&shell);
    captured(&mut shell, all[0]);
    shell.intend(Intent::HangUp);
    for capture in all {
        assert!(shell.commands.contains(&Command::StopCapture { capture }));
    }
}

#[test]
fn what_was_wanted_is_asked_for_on_the_next_page() {
    let mut shell = Shell::in_front();
    want(&mut shell, CaptureKind::Camera, true);
    let first = requests(&shell);
    captured(&mut shell, first[0]);
    shell.intend(Intent::LeaveRoom { visit: shell::VISIT });
    shell.commands.clear();
    shell.enter();
    assert_eq!(requests(&shell).len(), 1, "the camera is prepared again");
}

#[test]
fn nothing_is_captured_outside_of_pages_and_calls() {
    let mut shell = Shell::joined(&[]);
    shell.intend(Intent::HangUp);
    want(&mut shell, CaptureKind::Camera, true);
    want(&mut shell, CaptureKind::Microphone, true);
    assert_eq!(requests(&shell), [], "no light after the call");
    shell.join();
    assert_eq!(requests(&shell).len(), 2, "the wishes were remembered");
}

#[test]
fn a_screen_is_shared_once_and_never_by_itself() {
    let mut shell = Shell::in_front();
    want(&mut shell, CaptureKind::Screen, true);
    let first = requests(&shell)[0];
    captured(&mut shell, first);
    assert!(is_on(&shell.view().me.screen));

    // The browser's own bar ends it.
    shell.event(Event::Media(MediaEvent::CaptureEnded { capture: first }));
    assert_eq!(shell.view().me.screen, CaptureState::Off);
    assert_eq!(requests(&shell).len(), 1, "not asked for again");

    // Closing the browser's list is an answer.
    want(&mut shell, CaptureKind::Screen, true);
    let second = requests(&shell)[1];
    failed(&mut shell, second, CaptureError::NotAllowed);
    assert_eq!(shell.view().me.screen, CaptureState::Off);
    assert!(shell.view().notices.is_empty());

    // Off while the list is open: what is picked then is let go.
    want(&mut shell, CaptureKind::Screen, true);
    let third = requests(&shell)[2];
    want(&mut shell, CaptureKind::Screen, false);
    captured(&mut shell, third);
    assert!(shell.commands.contains(&Command::StopCapture { capture: third }));
    assert_eq!(shell.view().me.screen, CaptureState::Off);
}

/// What the others were told last.
fn told(shell: &Shell) -> Option<MediaStatus> {
    let signals = shell
        .packets()
        .into_iter()
        .flat_map(|(_, _, packet)| packet.signals);
    signals
        .filter_map(|signal| match signal {
            Signal::Status(status) => Some(status),
            _ => None,
        })
        .next_back()
}

#[test]
fn a_recording_is_told_to_everybody_while_it_runs() {
    let mut shell = Shell::in_front();
    shell.join();
    shell.seated(1, 1, &[entry(9)]);
    shell.make_offer(shell.links()[0]);
    shell.intend(Intent::Record(true));
    assert!(shell.view().me.recording);
    assert!(told(&shell).expect("a status").recording);
    shell.intend(Intent::Record(false));
    assert!(!shell.view().me.recording);
    assert!(!told(&shell).expect("a status").recording);
}

#[test]
fn who_comes_while_it_is_recorded_is_told_with_the_first_words() {
    let mut shell = Shell::joined(&[]);
    shell.intend(Intent::Record(true));
    shell.hear(&visavis_protocol::ServerMessage::PeerJoined {
        version: 2,
        peer: entry(9),
    });
    shell.offer_from(entry(9).peer, 1, 0);
    let link = shell.links()[0];
    shell.event(Event::Link(
        link,
        LinkEvent::RemoteDescriptionApplied {
            request: remote_request(&shell),
        },
    ));
    let applied = LinkEvent::LocalDescriptionApplied {
        request: shell.local_request(),
        kind: SdpKind::Answer,
        sdp: shell::sdp("mine"),
    };
    shell.event(Event::Link(link, applied));
    assert!(told(&shell).expect("a status").recording);
}

fn remote_request(shell: &Shell) -> RequestId {
    let mut requests = shell.commands.iter().filter_map(|command| match command {
        Command::SetRemoteDescription { request, .. } => Some(*request),
        _ => None,
    });
    requests.next_back().expect("a remote description was set")
}

#[test]
fn a_recording_needs_a_call_and_ends_with_it() {
    let mut shell = Shell::in_front();
    shell.intend(Intent::Record(true));
    assert!(!shell.view().me.recording, "not before the call");
    let mut shell = Shell::joined(&[]);
    shell.intend(Intent::Record(true));
    assert!(shell.view().me.recording);
    shell.intend(Intent::HangUp);
    assert!(!shell.view().me.recording);
    shell.join();
    assert!(
        !shell.view().me.recording,
        "nor does it begin again with the next one"
    );
}

#[test]
fn that_somebody_records_is_said_once() {
    let mut shell = Shell::joined(&[entry(9)]);
    let status = |recording, camera| {
        vec![Signal::Status(MediaStatus {
            recording,
            camera,
            ..MediaStatus::default()
        })]
    };
    let them = entry(9).peer;
    shell.signal(them, 1, status(true, false));
    shell.signal(them, 2, status(true, true));
    assert!(shell.view().people[0].status.recording);
    shell.signal(them, 3, status(false, true));
    shell.signal(them, 4, status(false, false));
    let name = entry(9).name;
    let notices = shell.view().notices;
    let kinds: Vec<_> = notices.into_iter().map(|notice| notice.kind).collect();
    assert_eq!(
        kinds,
        [
            NoticeKind::RecordingStarted { name: name.clone() },
            NoticeKind::RecordingStopped { name }
        ]
    );
}
