//! Devices that come, go and change in the middle of a call.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;

use shell::{Shell, entry};
use visavis_call_core::{
    CaptureError, CaptureId, CaptureKind, CaptureRequest, CaptureState, Command, Device, Event, Facing,
    Intent, MediaEvent, NoticeKind, Permission, Slot,
};

const CAMERA: CaptureKind = CaptureKind::Camera;
const MICROPHONE: CaptureKind = CaptureKind::Microphone;

fn media(shell: &mut Shell, event: MediaEvent) {
    shell.event(Event::Media(event));
}

/// Everything that was asked for since the last look.
fn asked(shell: &mut Shell) -> Vec<CaptureRequest> {
    let commands = core::mem::take(&mut shell.commands);
    let requests = commands.into_iter().filter_map(|command| match command {
        Command::Capture(request) => Some(request),
        _ => None,
    });
    requests.collect()
}

/// The one request that was made since the last look.
fn asked_once(shell: &mut Shell) -> CaptureRequest {
    let [request] = <[_; 1]>::try_from(asked(shell)).expect("one request");
    request
}

fn captured(shell: &mut Shell, capture: CaptureId, device: &str) {
    captured_facing(shell, capture, device, None);
}

fn captured_facing(shell: &mut Shell, capture: CaptureId, device: &str, facing: Option<Facing>) {
    let device = device.into();
    media(
        shell,
        MediaEvent::Captured {
            capture,
            device,
            facing,
        },
    );
}

fn failed(shell: &mut Shell, capture: CaptureId, error: CaptureError) {
    media(shell, MediaEvent::CaptureFailed { capture, error });
}

fn ended(shell: &mut Shell, capture: CaptureId) {
    media(shell, MediaEvent::CaptureEnded { capture });
}

fn listed(shell: &mut Shell, kind: CaptureKind, ids: &[&str]) {
    let devices = ids.iter().map(|id| Device {
        id: (*id).into(),
        label: format!("Label of {id}"),
        group: String::new(),
        kind: Some(kind),
    });
    let devices = devices.collect();
    media(shell, MediaEvent::DevicesChanged(devices));
}

fn permitted(shell: &mut Shell, kind: CaptureKind, permission: Permission) {
    media(shell, MediaEvent::PermissionChanged { kind, permission });
}

fn notices(shell: &Shell) -> Vec<NoticeKind> {
    let notices = shell.view().notices.into_iter();
    notices.map(|notice| notice.kind).collect()
}

fn want(shell: &mut Shell, kind: CaptureKind, on: bool) {
    shell.intend(Intent::Want { kind, on });
}

fn choose(shell: &mut Shell, kind: CaptureKind, device: &str) {
    let device = Some(device.into());
    shell.intend(Intent::ChooseDevice { kind, device });
}

fn in_use(shell: &Shell, kind: CaptureKind) -> Option<String> {
    match shell.view().me.capture(kind) {
        CaptureState::On { device, .. } => Some(device.clone()),
        _ => None,
    }
}

/// In a call with `device` in use, of those listed.
fn using(kind: CaptureKind, device: &str, ids: &[&str]) -> (Shell, CaptureId) {
    let mut shell = Shell::joined(&[entry(9)]);
    listed(&mut shell, kind, ids);
    want(&mut shell, kind, true);
    let CaptureRequest { capture, .. } = asked_once(&mut shell);
    captured(&mut shell, capture, device);
    shell.commands.clear();
    (shell, capture)
}

fn stops(shell: &Shell, capture: CaptureId) -> bool {
    shell.commands.contains(&Command::StopCapture { capture })
}

fn name(id: &str) -> String {
    format!("Label of {id}")
}

#[test]
fn another_camera_is_there_before_the_one_in_use_stops() {
    let (mut shell, old) = using(CAMERA, "a", &["a", "b"]);
    choose(&mut shell, CAMERA, "b");
    assert!(!stops(&shell, old), "it goes on");
    assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("a"));
    let request = asked_once(&mut shell);
    assert_eq!(request.device.as_deref(), Some("b"));
    captured(&mut shell, request.capture, "b");
    assert!(stops(&shell, old));
    assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("b"));
    assert_eq!(notices(&shell), [], "who chose knows");
}

#[test]
fn every_sender_gets_the_other_camera_and_nothing_is_negotiated() {
    let mut shell = Shell::in_front();
    shell.join();
    shell.seated(1, 1, &[entry(9)]);
    let link = shell.links()[0];
    shell.make_offer(link);
    want(&mut shell, CAMERA, true);
    let first = asked_once(&mut shell).capture;
    captured(&mut shell, first, "a");
    choose(&mut shell, CAMERA, "b");
    let second = asked_once(&mut shell).capture;
    captured(&mut shell, second, "b");
    let sent: Vec<_> = shell.commands.iter().collect();
    let replaced = Command::SetTrack {
        link,
        slot: Slot::Camera,
        capture: Some(second),
    };
    assert_eq!(sent, [&Command::StopCapture { capture: first }, &replaced]);
}

#[test]
fn a_phone_that_opens_one_camera_at_a_time_stops_the_first() {
    let (mut shell, old) = using(CAMERA, "a", &["a", "b"]);
    choose(&mut shell, CAMERA, "b");
    let request = asked_once(&mut shell);
    failed(&mut shell, request.capture, CaptureError::NotReadable);
    assert!(stops(&shell, old));
    let again = asked_once(&mut shell);
    assert_eq!(again.device.as_deref(), Some("b"));
    captured(&mut shell, again.capture, "b");
    assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("b"));
    assert_eq!(notices(&shell), []);
}

#[test]
fn a_camera_that_is_busy_even_so_gives_the_former_one_back() {
    let (mut shell, old) = using(CAMERA, "a", &["a", "b", "c"]);
    choose(&mut shell, CAMERA, "b");
    let busy = CaptureError::NotReadable;
    let request = asked_once(&mut shell);
    failed(&mut shell, request.capture, busy);
    assert!(stops(&shell, old));
    let again = asked_once(&mut shell);
    failed(&mut shell, again.capture, busy);
    let former = asked_once(&mut shell);
    assert_eq!(former.device.as_deref(), Some("a"), "and none that nobody chose");
    let told = NoticeKind::CaptureFailed {
        kind: CAMERA,
        error: busy,
    };
    assert_eq!(notices(&shell), core::slice::from_ref(&told));
    captured(&mut shell, former.capture, "a");
    assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("a"));
    assert_eq!(shell.view().me.chosen_camera.as_deref(), Some("a"));
    assert_eq!(notices(&shell), [told]);

    // If that is gone by now, any is better than none.
    choose(&mut shell, CAMERA, "b");
    for device in ["b", "b", "a"] {
        let request = asked_once(&mut shell);
        assert_eq!(request.device.as_deref(), Some(device));
        failed(&mut shell, request.capture, busy);
    }
    let any = asked_once(&mut shell);
    assert_eq!(any.device, None);
    captured(&mut shell, any.capture, "c");
    let switched = NoticeKind::DeviceSwitched {
        kind: CAMERA,
        name: name("c"),
    };
    assert_eq!(notices(&shell).last(), Some(&switched));
}

#[test]
fn who_turns_the_camera_off_meanwhile_does_not_get_the_former_one_back() {
    let (mut shell, _) = using(CAMERA, "a", &["a", "b"]);
    choose(&mut shell, CAMERA, "b");
    let request = asked_once(&mut shell);
    failed(&mut shell, request.capture, CaptureError::NotReadable);
    want(&mut shell, CAMERA, false);
    shell.commands.clear();
    want(&mut shell, CAMERA, true);
    let request = asked_once(&mut shell);
    assert_eq!(request.device.as_deref(), Some("b"), "it is the one chosen");
    failed(&mut shell, request.capture, CaptureError::NotReadable);
    assert_eq!(asked_once(&mut shell).device, None);
}

#[test]
fn a_microphone_that_is_busy_leaves_the_one_in_use() {
    let (mut shell, old) = using(MICROPHONE, "a", &["a", "b"]);
    choose(&mut shell, MICROPHONE, "b");
    let request = asked_once(&mut shell);
    let error = CaptureError::NotReadable;
    failed(&mut shell, request.capture, error);
    assert!(!stops(&shell, old) && asked(&mut shell).is_empty());
    let told = NoticeKind::CaptureFailed {
        kind: MICROPHONE,
        error,
    };
    assert_eq!(notices(&shell), [told]);
    // Nor does muting let go of it for the one that cannot be had.
    want(&mut shell, MICROPHONE, false);
    assert!(!stops(&shell, old));
    want(&mut shell, MICROPHONE, true);
    assert_eq!(in_use(&shell, MICROPHONE).as_deref(), Some("a"));
}

#[test]
fn a_device_that_is_back_and_busy_is_tried_again_with_its_next_plug() {
    let (mut shell, capture) = using(MICROPHONE, "b", &["a", "b"]);
    choose(&mut shell, MICROPHONE, "b");
    ended(&mut shell, capture);
    listed(&mut shell, MICROPHONE, &["a"]);
    let other = asked_once(&mut shell).capture;
    captured(&mut shell, other, "a");
    let said = notices(&shell).len();
    for is_ready in [false, true] {
        listed(&mut shell, MICROPHONE, &["a", "b"]);
        let back = asked_once(&mut shell);
        assert_eq!(back.device.as_deref(), Some("b"));
        if is_ready {
            captured(&mut shell, back.capture, "b");
        } else {
            failed(&mut shell, back.capture, CaptureError::NotReadable);
            assert_eq!(in_use(&shell, MICROPHONE).as_deref(), Some("a"));
            assert_eq!(notices(&shell).len(), said, "nobody has chosen anything");
            listed(&mut shell, MICROPHONE, &["a"]);
        }
    }
    assert_eq!(in_use(&shell, MICROPHONE).as_deref(), Some("b"));
}

#[test]
fn a_camera_that_cannot_be_had_leaves_the_one_in_use() {
    let (mut shell, old) = using(CAMERA, "a", &["a", "b"]);
    choose(&mut shell, CAMERA, "b");
    let request = asked_once(&mut shell);
    let error = CaptureError::Overconstrained;
    failed(&mut shell, request.capture, error);
    assert!(!stops(&shell, old) && asked(&mut shell).is_empty());
    assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("a"));
    assert_eq!(
        notices(&shell),
        [NoticeKind::CaptureFailed { kind: CAMERA, error }]
    );
}

#[test]
fn choosing_what_is_in_use_asks_for_nothing() {
    let (mut shell, _) = using(CAMERA, "a", &["a", "b"]);
    choose(&mut shell, CAMERA, "a");
    assert_eq!(asked(&mut shell), []);
}

#[test]
fn a_flip_asks_for_the_camera_that_looks_the_other_way() {
    let mut shell = Shell::joined(&[]);
    want(&mut shell, CAMERA, true);
    let front = asked_once(&mut shell).capture;
    captured_facing(&mut shell, front, "front", Some(Facing::User));
    assert_eq!(shell.view().me.camera_facing, Some(Facing::User));
    shell.intend(Intent::FlipCamera);
    shell.intend(Intent::FlipCamera);
    let rear = asked_once(&mut shell);
    assert_eq!((rear.device, rear.facing), (None, Some(Facing::Environment)));
    captured_facing(&mut shell, rear.capture, "rear", Some(Facing::Environment));
    shell.intend(Intent::FlipCamera);
    assert_eq!(asked_once(&mut shell).facing, Some(Facing::User));
}

#[test]
fn a_flip_goes_to_the_next_camera_where_none_says_where_it_looks() {
    let (mut shell, _) = using(CAMERA, "a", &["a", "b", "c"]);
    shell.intend(Intent::FlipCamera);
    let request = asked_once(&mut shell);
    assert_eq!(request.device.as_deref(), Some("b"));
    captured(&mut shell, request.capture, "b");

    // One that says so, among others that do not.
    let mut shell = Shell::joined(&[]);
    listed(&mut shell, CAMERA, &["a", "b"]);
    want(&mut shell, CAMERA, true);
    let first = asked_once(&mut shell).capture;
    captured_facing(&mut shell, first, "a", Some(Facing::User));
    shell.intend(Intent::FlipCamera);
    let request = asked_once(&mut shell);
    failed(&mut shell, request.capture, CaptureError::Overconstrained);
    assert_eq!(asked_once(&mut shell).device.as_deref(), Some("b"));

    // A camera that is alone or off has nothing to be flipped to.
    let (mut shell, _) = using(CAMERA, "a", &["a"]);
    shell.intend(Intent::FlipCamera);
    want(&mut shell, CAMERA, false);
    shell.intend(Intent::FlipCamera);
    assert_eq!(asked(&mut shell), []);
}

#[test]
fn an_unplugged_device_is_replaced_and_comes_back_with_its_plug() {
    for (list_first, chosen) in [(false, true), (true, true), (false, false), (true, false)] {
        let (mut shell, capture) = using(CAMERA, "a", &["a", "b"]);
        if chosen {
            choose(&mut shell, CAMERA, "a");
        }
        if list_first {
            listed(&mut shell, CAMERA, &["b"]);
            ended(&mut shell, capture);
        } else {
            ended(&mut shell, capture);
            listed(&mut shell, CAMERA, &["b"]);
        }
        let other = asked_once(&mut shell);
        assert_eq!(other.device, None);
        captured(&mut shell, other.capture, "b");
        let lost = [
            NoticeKind::CaptureEnded { kind: CAMERA },
            NoticeKind::DeviceSwitched {
                kind: CAMERA,
                name: name("b"),
            },
        ];
        assert_eq!(notices(&shell), lost);

        listed(&mut shell, CAMERA, &["a", "b"]);
        let back = asked_once(&mut shell);
        assert_eq!(back.device.as_deref(), Some("a"));
        captured(&mut shell, back.capture, "a");
        assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("a"));
        let back = NoticeKind::DeviceBack {
            kind: CAMERA,
            name: name("a"),
        };
        assert_eq!(notices(&shell)[2..], [back]);
    }
}

#[test]
fn the_only_device_is_missed_until_it_is_back() {
    let (mut shell, capture) = using(CAMERA, "a", &["a"]);
    ended(&mut shell, capture);
    listed(&mut shell, CAMERA, &[]);
    let none = asked_once(&mut shell);
    failed(&mut shell, none.capture, CaptureError::NotFound);
    assert_eq!(
        shell.view().me.camera,
        CaptureState::Failed(CaptureError::NotFound)
    );
    listed(&mut shell, CAMERA, &["a"]);
    let back = asked_once(&mut shell);
    captured(&mut shell, back.capture, "a");
    assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("a"));
}

#[test]
fn whoever_has_chosen_meanwhile_keeps_that() {
    let (mut shell, capture) = using(CAMERA, "a", &["a", "b", "c"]);
    ended(&mut shell, capture);
    listed(&mut shell, CAMERA, &["b", "c"]);
    let other = asked_once(&mut shell).capture;
    captured(&mut shell, other, "b");
    choose(&mut shell, CAMERA, "c");
    let chosen = asked_once(&mut shell).capture;
    captured(&mut shell, chosen, "c");
    listed(&mut shell, CAMERA, &["a", "b", "c"]);
    assert_eq!(asked(&mut shell), []);
}

#[test]
fn a_device_that_is_plugged_in_ends_the_want_of_one() {
    let mut shell = Shell::joined(&[]);
    want(&mut shell, CAMERA, true);
    let capture = asked_once(&mut shell).capture;
    failed(&mut shell, capture, CaptureError::NotFound);
    listed(&mut shell, CAMERA, &["a"]);
    let capture = asked_once(&mut shell).capture;
    captured(&mut shell, capture, "a");
    assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("a"));
}

#[test]
fn many_devices_may_be_pulled_out_in_a_long_call() {
    let (mut shell, mut capture) = using(CAMERA, "a", &["a", "b", "c", "d"]);
    for left in [&["b", "c", "d"][..], &["c", "d"], &["d"]] {
        ended(&mut shell, capture);
        listed(&mut shell, CAMERA, left);
        capture = asked_once(&mut shell).capture;
        captured(&mut shell, capture, left[0]);
        shell.commands.clear();
    }
    assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("d"));
}

#[test]
fn a_loss_that_the_list_told_first_is_not_the_last_one_mended() {
    let (mut shell, _) = using(CAMERA, "a", &["a", "b", "c"]);
    listed(&mut shell, CAMERA, &["b", "c"]);
    let second = asked_once(&mut shell).capture;
    captured(&mut shell, second, "b");
    listed(&mut shell, CAMERA, &["b", "c"]);
    ended(&mut shell, second);
    let third = asked_once(&mut shell).capture;
    listed(&mut shell, CAMERA, &["c"]);
    captured(&mut shell, third, "c");
    assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("c"));
}

#[test]
fn a_headset_that_the_list_lost_first_returns_with_its_plug() {
    let (mut shell, old) = using(MICROPHONE, "headset", &["headset", "built in"]);
    listed(&mut shell, MICROPHONE, &["built in"]);
    ended(&mut shell, old);
    let other = asked_once(&mut shell).capture;
    captured(&mut shell, other, "built in");
    listed(&mut shell, MICROPHONE, &["headset", "built in"]);
    let back = asked_once(&mut shell).capture;
    captured(&mut shell, back, "headset");
    assert_eq!(in_use(&shell, MICROPHONE).as_deref(), Some("headset"));
}

#[test]
fn the_microphone_follows_the_systems_choice() {
    let (mut shell, mut old) = using(MICROPHONE, "a", &["a", "b"]);
    for (ids, default) in [(["b", "a"], "b"), (["a", "b"], "a")] {
        listed(&mut shell, MICROPHONE, &ids);
        assert!(!stops(&shell, old), "it is heard until the other one is there");
        let request = asked_once(&mut shell);
        assert_eq!(
            request.device.as_deref(),
            Some(default),
            "or the browser may give the same again"
        );
        captured(&mut shell, request.capture, default);
        assert!(stops(&shell, old));
        old = request.capture;
        let switched = NoticeKind::DeviceSwitched {
            kind: MICROPHONE,
            name: name(default),
        };
        assert_eq!(notices(&shell).last(), Some(&switched));
        assert_eq!(shell.view().me.chosen_microphone, None);
        assert_eq!(asked(&mut shell), []);
    }

    let (mut shell, _) = using(MICROPHONE, "a", &["a", "b"]);
    choose(&mut shell, MICROPHONE, "a");
    listed(&mut shell, MICROPHONE, &["b", "a"]);
    assert_eq!(asked(&mut shell), [], "not where one was chosen");
    let (mut shell, _) = using(CAMERA, "a", &["a", "b"]);
    listed(&mut shell, CAMERA, &["b", "a"]);
    assert_eq!(asked(&mut shell), [], "and there is no default camera");
}

#[test]
fn a_microphone_that_is_the_systems_choice_already_goes_on() {
    let (mut shell, old) = using(MICROPHONE, "b", &["a", "b"]);
    listed(&mut shell, MICROPHONE, &["b"]);
    assert!(!stops(&shell, old) && asked(&mut shell).is_empty());
    assert_eq!(notices(&shell), []);
}

#[test]
fn a_systems_choice_that_cannot_be_had_leaves_the_microphone_in_use() {
    let (mut shell, old) = using(MICROPHONE, "a", &["a", "b"]);
    listed(&mut shell, MICROPHONE, &["b", "a"]);
    let request = asked_once(&mut shell);
    failed(&mut shell, request.capture, CaptureError::NotReadable);
    assert!(!stops(&shell, old) && asked(&mut shell).is_empty());
    assert_eq!(in_use(&shell, MICROPHONE).as_deref(), Some("a"));
    assert_eq!(notices(&shell), [], "who hears nothing of it misses nothing");

    // The one in use ends meanwhile.
    listed(&mut shell, MICROPHONE, &["a", "b"]);
    listed(&mut shell, MICROPHONE, &["b", "a"]);
    let request = asked_once(&mut shell);
    ended(&mut shell, old);
    failed(&mut shell, request.capture, CaptureError::NotReadable);
    let any = asked_once(&mut shell);
    assert_eq!(any.device, None);
    captured(&mut shell, any.capture, "a");
    assert_eq!(in_use(&shell, MICROPHONE).as_deref(), Some("a"));
}

#[test]
fn a_systems_choice_that_changes_back_is_asked_for_no_more() {
    let (mut shell, old) = using(MICROPHONE, "a", &["a", "b"]);
    listed(&mut shell, MICROPHONE, &["b", "a"]);
    let late = asked_once(&mut shell).capture;
    listed(&mut shell, MICROPHONE, &["a", "b"]);
    assert!(stops(&shell, late) && !stops(&shell, old));
    captured(&mut shell, late, "b");
    assert_eq!(in_use(&shell, MICROPHONE).as_deref(), Some("a"));
}

#[test]
fn what_took_the_place_of_an_unplugged_default_is_the_new_one() {
    let (mut shell, capture) = using(MICROPHONE, "a", &["a", "b"]);
    ended(&mut shell, capture);
    let other = asked_once(&mut shell).capture;
    captured(&mut shell, other, "b");
    listed(&mut shell, MICROPHONE, &["b"]);
    assert_eq!(asked(&mut shell), []);
}

#[test]
fn a_permission_that_is_taken_back_is_not_asked_for_again() {
    for now in [Permission::Prompt, Permission::Denied] {
        let (mut shell, capture) = using(CAMERA, "a", &["a", "b"]);
        permitted(&mut shell, CAMERA, Permission::Granted);
        permitted(&mut shell, CAMERA, now);
        ended(&mut shell, capture);
        let error = CaptureError::NotAllowed;
        assert_eq!(shell.view().me.camera, CaptureState::Failed(error));
        assert_eq!(
            notices(&shell),
            [NoticeKind::CaptureFailed { kind: CAMERA, error }]
        );
        listed(&mut shell, CAMERA, &[]);
        listed(&mut shell, CAMERA, &["a", "b"]);
        assert_eq!(asked(&mut shell), []);

        permitted(&mut shell, CAMERA, Permission::Granted);
        let again = asked_once(&mut shell).capture;
        captured(&mut shell, again, "a");
        assert_eq!(in_use(&shell, CAMERA).as_deref(), Some("a"));
    }
}

#[test]
fn a_permission_that_was_only_for_once_is_none_that_was_taken_back() {
    let (mut shell, capture) = using(CAMERA, "a", &["a", "b"]);
    permitted(&mut shell, CAMERA, Permission::Prompt);
    ended(&mut shell, capture);
    assert_eq!(asked(&mut shell).len(), 1);
}

#[test]
fn what_the_system_mutes_is_said_and_so_is_that_it_is_over() {
    let (mut shell, capture) = using(MICROPHONE, "a", &["a"]);
    let told = |muted| NoticeKind::MutedBySystem {
        kind: MICROPHONE,
        muted,
    };
    for muted in [true, true, false, false] {
        media(&mut shell, MediaEvent::CaptureMuted { capture, muted });
    }
    assert_eq!(notices(&shell), [told(true), told(false)]);
    want(&mut shell, MICROPHONE, false);
    media(&mut shell, MediaEvent::CaptureMuted { capture, muted: true });
    assert_eq!(notices(&shell).len(), 2, "who is mute anyway need not know");
}

#[test]
fn a_camera_that_is_muted_while_another_opens_is_no_news() {
    let (mut shell, capture) = using(CAMERA, "a", &["a", "b"]);
    choose(&mut shell, CAMERA, "b");
    media(&mut shell, MediaEvent::CaptureMuted { capture, muted: true });
    let CaptureState::On { muted, .. } = shell.view().me.camera else {
        panic!("on")
    };
    assert!(!muted);
    assert_eq!(notices(&shell), []);
}

#[test]
fn talking_while_muted_is_said_once_each_time() {
    let (mut shell, capture) = using(MICROPHONE, "a", &["a"]);
    let talk = |shell: &mut Shell| media(shell, MediaEvent::TalkingWhileMuted);
    talk(&mut shell);
    assert_eq!(notices(&shell), [], "not while one is heard");
    assert_eq!(shell.view().me.listening_while_muted, None);
    for times in 1..=2 {
        want(&mut shell, MICROPHONE, false);
        assert_eq!(shell.view().me.listening_while_muted, Some(capture));
        talk(&mut shell);
        talk(&mut shell);
        assert_eq!(notices(&shell), vec![NoticeKind::TalkingWhileMuted; times]);
        assert_eq!(shell.view().me.listening_while_muted, None);
        want(&mut shell, MICROPHONE, true);
    }
}

fn is_heard(shell: &Shell) -> bool {
    shell.view().me.microphone.is_wanted()
}

#[test]
fn who_talks_for_the_moment_is_not_told_again_that_they_are_muted() {
    let (mut shell, capture) = using(MICROPHONE, "a", &["a"]);
    let talk = |shell: &mut Shell| media(shell, MediaEvent::TalkingWhileMuted);
    want(&mut shell, MICROPHONE, false);
    shell.intend(Intent::Talk(true));
    assert!(is_heard(&shell));
    assert_eq!(
        shell.view().me.listening_while_muted,
        Some(capture),
        "nothing is begun anew"
    );
    talk(&mut shell);
    assert_eq!(notices(&shell), [], "they are heard");
    shell.intend(Intent::Talk(false));
    assert!(!is_heard(&shell));
    talk(&mut shell);
    for on in [true, false, true, false] {
        shell.intend(Intent::Talk(on));
        assert_eq!(shell.view().me.listening_while_muted, None);
        talk(&mut shell);
    }
    assert_eq!(notices(&shell), [NoticeKind::TalkingWhileMuted]);
    assert_eq!(asked(&mut shell), []);
}

#[test]
fn a_press_while_somebody_talks_for_the_moment_is_the_last_word() {
    for presses in [&[false][..], &[false, true], &[true]] {
        let (mut shell, _) = using(MICROPHONE, "a", &["a"]);
        want(&mut shell, MICROPHONE, false);
        shell.intend(Intent::Talk(true));
        for on in presses {
            want(&mut shell, MICROPHONE, *on);
            assert_eq!(is_heard(&shell), *on, "at once");
        }
        shell.intend(Intent::Talk(false));
        assert_eq!(Some(&is_heard(&shell)), presses.last());
    }
    // Who is not muted has nothing to begin, and nothing ends with it.
    let (mut shell, _) = using(MICROPHONE, "a", &["a"]);
    shell.intend(Intent::Talk(true));
    shell.intend(Intent::Talk(false));
    assert!(is_heard(&shell));
}

#[test]
fn a_default_that_changes_while_somebody_talks_for_the_moment_stops_nothing() {
    let (mut shell, old) = using(MICROPHONE, "a", &["a", "b"]);
    want(&mut shell, MICROPHONE, false);
    shell.intend(Intent::Talk(true));
    listed(&mut shell, MICROPHONE, &["b", "a"]);
    let request = asked_once(&mut shell);
    shell.intend(Intent::Talk(false));
    assert!(stops(&shell, request.capture) && !stops(&shell, old));
}

#[test]
fn talking_for_the_moment_ends_with_the_call() {
    let (mut shell, capture) = using(MICROPHONE, "a", &["a"]);
    want(&mut shell, MICROPHONE, false);
    shell.intend(Intent::Talk(true));
    shell.intend(Intent::HangUp);
    assert!(stops(&shell, capture));
    shell.intend(Intent::Talk(false));
    shell.intend(Intent::Talk(true));
    shell.join();
    assert!(!is_heard(&shell));
    assert_eq!(asked(&mut shell), []);
}

#[test]
fn a_microphone_chosen_while_muted_is_the_only_one_heard_afterwards() {
    let (mut shell, old) = using(MICROPHONE, "a", &["a", "b"]);
    want(&mut shell, MICROPHONE, false);
    choose(&mut shell, MICROPHONE, "b");
    assert!(stops(&shell, old));
    want(&mut shell, MICROPHONE, true);
    assert_eq!(asked_once(&mut shell).device.as_deref(), Some("b"));
}
