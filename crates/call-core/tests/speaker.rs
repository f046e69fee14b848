//! The speaker: chosen, refused, pulled out and plugged in.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;

use shell::{Shell, entry};
use visavis_call_core::{Command, Device, Event, Intent, MediaEvent, NoticeKind, RequestId};

fn listed(shell: &mut Shell, ids: &[&str]) {
    let devices = ids.iter().map(|id| Device {
        id: (*id).into(),
        label: format!("Label of {id}"),
        group: String::new(),
        kind: None,
    });
    let devices = devices.collect();
    shell.event(Event::Media(MediaEvent::DevicesChanged(devices)));
}

fn choose(shell: &mut Shell, device: &str) {
    shell.intend(Intent::ChooseSpeaker(Some(device.into())));
}

/// Everything that was asked for since the last look.
fn asked(shell: &mut Shell) -> Vec<(RequestId, Option<String>)> {
    let commands = core::mem::take(&mut shell.commands).into_iter();
    let requests = commands.filter_map(|command| match command {
        Command::SetSpeaker { request, device } => Some((request, device)),
        _ => None,
    });
    requests.collect()
}

/// Looks that this one alone was asked for.
fn asked_for(shell: &mut Shell, device: Option<&str>) -> RequestId {
    let [(request, asked)] = <[_; 1]>::try_from(asked(shell)).expect("one request");
    assert_eq!(asked.as_deref(), device);
    request
}

fn set(shell: &mut Shell, request: RequestId) {
    shell.event(Event::Media(MediaEvent::SpeakerSet { request }));
}

fn refuse(shell: &mut Shell, request: RequestId) {
    shell.event(Event::Media(MediaEvent::SpeakerRefused { request }));
}

fn notices(shell: &Shell) -> Vec<NoticeKind> {
    let notices = shell.view().notices.into_iter();
    notices.map(|notice| notice.kind).collect()
}

/// What is shown as picked, and what is remembered.
fn picked(shell: &Shell) -> (Option<String>, Option<String>) {
    let me = shell.view().me;
    (me.speaker, me.chosen_speaker)
}

fn both(device: &str) -> (Option<String>, Option<String>) {
    (Some(device.into()), Some(device.into()))
}

/// In a call, hearing it from `device`, of those listed.
fn hearing(device: &str, ids: &[&str]) -> (Shell, RequestId) {
    let mut shell = Shell::joined(&[entry(9)]);
    listed(&mut shell, ids);
    choose(&mut shell, device);
    let request = asked_for(&mut shell, Some(device));
    set(&mut shell, request);
    (shell, request)
}

#[test]
fn a_speaker_that_is_gone_gives_way_to_the_systems_until_it_is_back() {
    let (mut shell, _) = hearing("a", &["default", "a", "b"]);
    listed(&mut shell, &["default", "b"]);
    let request = asked_for(&mut shell, None);
    assert_eq!(
        picked(&shell),
        (None, Some("a".into())),
        "it is still the one chosen"
    );
    assert_eq!(notices(&shell), [], "not before it is so");
    set(&mut shell, request);
    assert_eq!(notices(&shell), [NoticeKind::SpeakerGone]);
    listed(&mut shell, &["default"]);
    assert_eq!(asked(&mut shell), []);

    listed(&mut shell, &["default", "a"]);
    let request = asked_for(&mut shell, Some("a"));
    set(&mut shell, request);
    assert_eq!(picked(&shell), both("a"));
    let name = "Label of a".into();
    assert_eq!(
        notices(&shell),
        [NoticeKind::SpeakerGone, NoticeKind::SpeakerBack { name }]
    );
}

#[test]
fn a_speaker_that_is_back_and_refused_is_tried_again_with_the_next_list() {
    let (mut shell, _) = hearing("a", &["default", "a"]);
    listed(&mut shell, &["default"]);
    let request = asked_for(&mut shell, None);
    set(&mut shell, request);
    listed(&mut shell, &["default", "a"]);
    let request = asked_for(&mut shell, Some("a"));
    refuse(&mut shell, request);
    let request = asked_for(&mut shell, None);
    set(&mut shell, request);
    assert_eq!(notices(&shell), [NoticeKind::SpeakerGone]);
    listed(&mut shell, &["default", "a", "b"]);
    let request = asked_for(&mut shell, Some("a"));
    set(&mut shell, request);
    assert_eq!(picked(&shell), both("a"));
}

#[test]
fn a_list_without_any_speaker_says_nothing() {
    let (mut shell, _) = hearing("a", &["a", "b"]);
    listed(&mut shell, &[]);
    assert_eq!(asked(&mut shell), []);
    listed(&mut shell, &["b"]);
    asked_for(&mut shell, None);

    // Nor does one that comes before a permission, of one that is remembered.
    let mut shell = Shell::joined(&[]);
    choose(&mut shell, "a");
    let request = asked_for(&mut shell, Some("a"));
    set(&mut shell, request);
    listed(&mut shell, &["b"]);
    assert_eq!(asked(&mut shell), []);
}

#[test]
fn a_choice_that_is_refused_is_taken_back() {
    let (mut shell, _) = hearing("a", &["default", "a", "b"]);
    choose(&mut shell, "b");
    assert_eq!(picked(&shell), both("b"));
    let request = asked_for(&mut shell, Some("b"));
    refuse(&mut shell, request);
    assert_eq!(picked(&shell), both("a"));
    assert_eq!(notices(&shell), [NoticeKind::SpeakerFailed]);
    // Part of the sound may have got there.
    let request = asked_for(&mut shell, Some("a"));
    set(&mut shell, request);
    assert_eq!(asked(&mut shell), []);
    assert_eq!(notices(&shell).len(), 1);

    // And if nothing helps, the system's plays.
    choose(&mut shell, "b");
    for device in ["b", "a"] {
        let request = asked_for(&mut shell, Some(device));
        refuse(&mut shell, request);
    }
    let request = asked_for(&mut shell, None);
    refuse(&mut shell, request);
    assert_eq!(asked(&mut shell), []);
    assert_eq!(picked(&shell), (None, Some("a".into())));
    assert_eq!(notices(&shell).last(), Some(&NoticeKind::SpeakerGone));
}

#[test]
fn two_quick_choices_follow_each_other_and_the_last_one_stays() {
    let (mut shell, _) = hearing("a", &["a", "b", "c"]);
    choose(&mut shell, "b");
    let first = asked_for(&mut shell, Some("b"));
    choose(&mut shell, "c");
    choose(&mut shell, "a");
    choose(&mut shell, "c");
    assert_eq!(asked(&mut shell), [], "one at a time");
    assert_eq!(picked(&shell), both("c"));
    set(&mut shell, first);
    let last = asked_for(&mut shell, Some("c"));
    set(&mut shell, last);
    assert_eq!(picked(&shell), both("c"));

    // Also where the first one is refused.
    choose(&mut shell, "b");
    let first = asked_for(&mut shell, Some("b"));
    choose(&mut shell, "c");
    refuse(&mut shell, first);
    let last = asked_for(&mut shell, Some("c"));
    set(&mut shell, last);
    assert_eq!(picked(&shell), both("c"));
    assert_eq!(notices(&shell), []);
}

#[test]
fn what_begins_to_play_and_is_refused_takes_all_to_the_systems() {
    let (mut shell, request) = hearing("a", &["default", "a"]);
    refuse(&mut shell, request);
    let other = asked_for(&mut shell, None);
    refuse(&mut shell, request);
    assert_eq!(asked(&mut shell), [], "once");
    set(&mut shell, other);
    refuse(&mut shell, request);
    assert_eq!(asked(&mut shell), [], "late");
    assert_eq!(notices(&shell), [NoticeKind::SpeakerGone]);
    assert_eq!(picked(&shell), (None, Some("a".into())));
}
