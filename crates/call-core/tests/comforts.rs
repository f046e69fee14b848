//! What people show each other beside sound and pictures: raised hands, and signs.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;

use std::time::Duration;

use shell::{Shell, entry};
use visavis_call_core::{Command, Event, Intent, LinkEvent, LinkId, NoticeKind};
use visavis_protocol::{MediaStatus, Reaction, Signal, limits};

fn status(hand: u32) -> Vec<Signal> {
    vec![Signal::Status(MediaStatus {
        hand,
        ..MediaStatus::default()
    })]
}

fn notices(shell: &Shell) -> Vec<NoticeKind> {
    let notices = shell.view().notices;
    notices.into_iter().map(|notice| notice.kind).collect()
}

/// Beside one whose channels are open.
fn beside() -> (Shell, LinkId) {
    let mut shell = Shell::in_front();
    shell.join();
    shell.seated(1, 1, &[entry(9)]);
    let link = shell.links()[0];
    shell.make_offer(link);
    shell.event(Event::Link(link, LinkEvent::ChannelOpened));
    shell.commands.clear();
    (shell, link)
}

fn shows(shell: &mut Shell, link: LinkId, text: &str) {
    shell.event(Event::Link(link, LinkEvent::ReactionReceived(text.into())));
}

fn sent(shell: &Shell) -> usize {
    let is_sent = |command: &&Command| matches!(command, Command::SendReaction { .. });
    shell.commands.iter().filter(is_sent).count()
}

#[test]
fn a_hand_goes_behind_those_that_are_up() {
    let mut shell = Shell::joined(&[entry(8), entry(9)]);
    shell.signal(entry(8).peer, 1, status(4));
    shell.signal(entry(9).peer, 1, status(2));
    shell.intend(Intent::RaiseHand(true));
    assert_eq!(shell.view().me.hand, 5);
    // Whoever comes later does not change one's place, nor does wishing again.
    shell.signal(entry(9).peer, 2, status(7));
    shell.intend(Intent::RaiseHand(true));
    assert_eq!(shell.view().me.hand, 5);
    shell.intend(Intent::RaiseHand(false));
    assert_eq!(shell.view().me.hand, 0);
}

#[test]
fn a_place_out_of_all_reason_does_not_end_the_order() {
    let mut shell = Shell::joined(&[entry(7), entry(8), entry(9)]);
    shell.signal(entry(7).peer, 1, status(u32::MAX));
    shell.signal(entry(8).peer, 1, status(1));
    shell.signal(entry(9).peer, 1, status(2));
    shell.intend(Intent::RaiseHand(true));
    assert_eq!(shell.view().me.hand, 3);
    let places = shell.view().people.into_iter().map(|person| person.status.hand);
    assert!(
        places.eq([u32::MAX, 1, 2]),
        "what others say is the same for everybody"
    );
}

#[test]
fn a_hand_is_told_to_all_and_to_those_who_come_later() {
    let (mut shell, link) = beside();
    shell.intend(Intent::RaiseHand(true));
    let is_told = |command: &Command| match command {
        Command::SendInBand { link: to, text } => *to == link && text.contains(r#""hand":1"#),
        Command::Send { text, .. } => text.contains(r#"\"hand\":1"#),
        _ => false,
    };
    assert!(shell.commands.iter().any(is_told), "{:?}", shell.commands);
    // A newcomer is told with the first answer or offer: see `peers_are_told_once_they_have_heard_from_us`.
    shell.intend(Intent::HangUp);
    assert_eq!(shell.view().me.hand, 0, "it is down in the next call");
}

#[test]
fn a_hand_is_up_only_in_a_call() {
    let mut shell = Shell::in_front();
    shell.intend(Intent::RaiseHand(true));
    assert_eq!(shell.view().me.hand, 0);
}

#[test]
fn that_somebody_raised_a_hand_is_said_once_however_they_wave() {
    let mut shell = Shell::joined(&[entry(9)]);
    let them = entry(9).peer;
    for (n, hand) in [(1, 1), (2, 1), (3, 0), (4, 2), (5, 0), (6, u32::MAX)] {
        shell.signal(them, n, status(hand));
    }
    let name = entry(9).name;
    assert_eq!(notices(&shell), [NoticeKind::HandRaised { name: name.clone() }]);
    shell.intend(Intent::RaiseHand(true));
    assert_eq!(
        shell.view().me.hand,
        1,
        "a place out of all reason is not counted"
    );
    shell.signal(them, 7, status(0));
    shell.now = shell.now + Duration::from_secs(6);
    shell.signal(them, 8, status(9));
    assert_eq!(notices(&shell).len(), 2);
}

fn records(recording: bool) -> Signal {
    Signal::Status(MediaStatus {
        recording,
        ..MediaStatus::default()
    })
}

#[test]
fn one_packet_is_one_piece_of_news_at_most() {
    let mut shell = Shell::joined(&[entry(9)]);
    let them = entry(9).peer;
    let wave = (0..300).map(|n| records(n % 2 == 0));
    shell.signal(them, 1, wave.clone().collect());
    assert_eq!(notices(&shell), [], "it ends as it began");
    shell.signal(them, 2, wave.chain([records(true)]).collect());
    let name = entry(9).name;
    assert_eq!(notices(&shell), [NoticeKind::RecordingStarted { name }]);
}

#[test]
fn that_somebody_records_is_said_in_the_end_however_they_wave() {
    let mut shell = Shell::joined(&[entry(9)]);
    let them = entry(9).peer;
    for n in 1..=300 {
        shell.signal(them, n, vec![records(n % 2 == 1)]);
    }
    let first = shell.view().notices.last().map(|notice| notice.number);
    assert_eq!(first, Some(2), "a beginning and an end");
    shell.signal(them, 301, vec![records(true)]);
    assert!(shell.view().people[0].status.recording, "it is shown at once");
    assert_eq!(notices(&shell).len(), 2);
    shell.wait(Duration::from_secs(6));
    let name = entry(9).name;
    assert_eq!(
        notices(&shell).last(),
        Some(&NoticeKind::RecordingStarted { name })
    );
    shell.wait(Duration::from_secs(6));
    assert_eq!(notices(&shell).len(), 3, "once");
}

#[test]
fn a_reaction_goes_to_all_and_is_shown_here_too() {
    let (mut shell, _) = beside();
    shell.intend(Intent::React(Reaction::Clap));
    assert_eq!(sent(&shell), 1);
    let shown = shell.view().reactions;
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].seat, shown[0].reaction), (None, Reaction::Clap));
    assert_eq!(notices(&shell), [], "one knows what one did");
}

#[test]
fn a_reaction_waits_for_no_channel() {
    let mut shell = Shell::joined(&[entry(9)]);
    shell.intend(Intent::React(Reaction::Clap));
    assert_eq!(sent(&shell), 0);
    let mut shell = Shell::in_front();
    shell.intend(Intent::React(Reaction::Clap));
    assert!(shell.view().reactions.is_empty(), "not before the call");
}

#[test]
fn reactions_are_limited_on_their_way_out_and_in() {
    let (mut shell, link) = beside();
    for _ in 0..100 {
        shell.intend(Intent::React(Reaction::Party));
    }
    assert_eq!(sent(&shell), limits::REACTIONS_BURST as usize);
    let before = shell.view().reactions.last().map_or(0, |last| last.number);
    for _ in 0..1_000 {
        shows(&mut shell, link, "👏");
    }
    let after = shell.view().reactions.last().map_or(0, |last| last.number);
    assert_eq!(after - before, u64::from(limits::REACTIONS_BURST_TAKEN));
    assert!(shell.view().reactions.len() <= 24, "a bounded list");
    assert_eq!(notices(&shell).len(), 1, "and it is said once");
    shell.now = shell.now + Duration::from_secs(4);
    shows(&mut shell, link, "👏");
    assert_eq!(notices(&shell).len(), 2);
}

#[test]
fn what_is_no_reaction_is_dropped() {
    let (mut shell, link) = beside();
    for text in ["", "x", "🧨", "👏👏", &"👏".repeat(100_000)] {
        shows(&mut shell, link, text);
    }
    assert!(shell.view().reactions.is_empty());
    shows(&mut shell, link, "😮");
    let shown = shell.view().reactions;
    assert_eq!(shown[0].seat, Some(entry(9).seat));
}
