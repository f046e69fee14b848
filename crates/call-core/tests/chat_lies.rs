//! Chat with one who may lie: what is taken, refused, limited and told as hearsay.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;
mod talk;

use shell::{SEAT, Shell, entry, room};
use talk::{
    THEM, ask_anew, asked, beside, beside_with, key, lines, message, open, past, said, say, shell_me, side,
    tell, texts, with,
};
use visavis_call_core::{NoticeKind, Privacy, SideEvent};
use visavis_protocol::chat::{ChatFrame, ChatMessage};
use visavis_protocol::{PeerId, RoomSecret, SeatId, limits};
#[test]
fn who_says_something_as_somebody_else_is_not_heard() {
    let (mut shell, link) = beside();
    let own = message(THEM, 1, 1, "x");
    let mut forged = vec![message(8, 1, 1, "x"); 5];
    forged[1] = ChatMessage {
        session: PeerId::from_bytes([3; 16]),
        ..own.clone()
    };
    forged[2] = ChatMessage {
        name: "Ada".into(),
        ..own.clone()
    };
    forged[3] = ChatMessage {
        author: SEAT.seat_id(),
        session: shell_me(&shell),
        ..own.clone()
    };
    forged[4] = ChatMessage {
        to: Some(entry(8).seat),
        aside: 1,
        ..own.clone()
    };
    let unsound = [
        ChatMessage {
            seq: 0,
            ..own.clone()
        },
        ChatMessage {
            text: " \n".into(),
            ..own.clone()
        },
        ChatMessage {
            text: "x".repeat(limits::CHAT_BYTES + 1),
            ..own
        },
    ];
    for message in forged.into_iter().chain(unsound) {
        tell(&mut shell, link, &ChatFrame::Say(message));
    }
    assert_eq!(texts(&shell), [""; 0]);
    for text in [
        "",
        "{",
        "null",
        r#"{"say":{}}"#,
        r#"{"confetti":{}}"#,
        &"[".repeat(100_000),
    ] {
        side(&mut shell, link, SideEvent::Received(text.into()));
    }
    assert_eq!(shell.view().chat.count, 0);
}

#[test]
fn a_message_without_the_rooms_mark_is_refused_and_said_once() {
    let (mut shell, link) = beside_with(Some(key()));
    let notices = |shell: &Shell| -> Vec<NoticeKind> {
        shell
            .view()
            .notices
            .into_iter()
            .map(|notice| notice.kind)
            .collect()
    };
    let mut good = message(THEM, 1, 1, "good");
    good.tag = Some(good.tag_with(&key()));
    let mut changed = good.clone();
    changed.text.push('!');
    let wrong = RoomSecret::from_bytes([6; 16]).chat_key(&room());
    let mut other = message(THEM, 1, 1, "x");
    other.tag = Some(other.tag_with(&wrong));
    for bad in [message(THEM, 1, 1, "bare"), changed, other.clone()] {
        tell(&mut shell, link, &ChatFrame::Say(bad));
    }
    ask_anew(&mut shell, link);
    tell(&mut shell, link, &past(vec![other]));
    assert_eq!(shell.view().chat.count, 0);
    assert_eq!(
        notices(&shell),
        [NoticeKind::MessageRefused {
            name: entry(THEM).name
        }]
    );
    tell(&mut shell, link, &ChatFrame::Say(good));
    assert_eq!(texts(&shell), ["good"]);
    shell.intend(say("mine"));
    assert!(said(&shell)[0].1.is_tagged(Some(&key())));
}

#[test]
fn a_flood_is_cut_and_what_was_cut_comes_back_with_the_next_channel() {
    let (mut shell, link) = beside();
    for n in 1..=100 {
        tell(&mut shell, link, &ChatFrame::Say(message(THEM, n, n, "x")));
    }
    assert_eq!(shell.view().chat.count, limits::CHAT_BURST_TAKEN as usize);
    ask_anew(&mut shell, link);
    let known = asked(&shell)[0].1.clone();
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].seq, limits::CHAT_BURST_TAKEN);
}

#[test]
fn a_clock_out_of_all_reason_is_not_followed() {
    let (mut shell, link) = beside();
    tell(&mut shell, link, &ChatFrame::Say(message(THEM, 1, 3, "three")));
    tell(
        &mut shell,
        link,
        &ChatFrame::Say(message(THEM, 2, u32::MAX, "never")),
    );
    shell.intend(say("four"));
    assert_eq!(said(&shell)[0].1.clock, 4);
    assert_eq!(
        texts(&shell),
        ["three", "four", "never"],
        "the order is the same for everybody"
    );
}

#[test]
fn what_nobody_asked_for_is_dropped() {
    let (mut shell, link) = beside();
    tell(&mut shell, link, &past(vec![message(THEM, 1, 1, "unasked")]));
    assert_eq!(shell.view().chat.count, 0);
}

#[test]
fn an_answer_without_an_end_is_cut_off() {
    let (mut shell, links) = with(None, &[THEM]);
    open(&mut shell, links[0]);
    for n in 0..300 {
        let list = (1..=10)
            .map(|k| message(3, n * 10 + k, n * 10 + k, "x"))
            .collect();
        tell(&mut shell, links[0], &ChatFrame::Past { list, end: false });
    }
    assert!(shell.view().chat.count <= limits::CHAT_PAST_TAKEN);
    // Nor is there an endless one of nothing.
    let (mut shell, links) = with(None, &[THEM]);
    open(&mut shell, links[0]);
    for _ in 0..=limits::CHAT_PAST_TAKEN {
        tell(
            &mut shell,
            links[0],
            &ChatFrame::Past {
                list: vec![],
                end: false,
            },
        );
    }
    tell(&mut shell, links[0], &past(vec![message(THEM, 1, 1, "late")]));
    assert_eq!(shell.view().chat.count, 0);
}

#[test]
fn what_another_tells_is_hearsay_until_its_author_does() {
    let (mut shell, links) = with(None, &[8, 9]);
    open(&mut shell, links[0]);
    tell(
        &mut shell,
        links[0],
        &past(vec![message(9, 1, 1, "nine"), message(8, 1, 2, "eight")]),
    );
    let marks =
        |shell: &Shell| -> Vec<Option<String>> { lines(shell).into_iter().map(|line| line.teller).collect() };
    assert_eq!(marks(&shell), [Some(entry(8).name), None]);
    assert!(lines(&shell).iter().all(|line| line.is_before));
    let view = shell.view().chat;
    assert_eq!(
        (view.news, view.before.is_some()),
        (0, true),
        "it is no news to who comes"
    );
    // Of what they said themself the author is not spared the telling.
    open(&mut shell, links[1]);
    assert_eq!(asked(&shell)[1], (links[1], vec![], false));
    tell(&mut shell, links[1], &past(vec![message(9, 1, 1, "nine")]));
    assert_eq!(marks(&shell), [None, None]);
    assert_eq!(texts(&shell), ["nine", "eight"]);
}

#[test]
fn two_tellings_that_differ_are_disputed_unless_the_author_speaks() {
    let (mut shell, links) = with(None, &[7, 8, 9]);
    open(&mut shell, links[0]);
    tell(&mut shell, links[0], &past(vec![message(9, 1, 1, "yes")]));
    side(&mut shell, links[0], SideEvent::Closed);
    open(&mut shell, links[1]);
    tell(&mut shell, links[1], &past(vec![message(9, 1, 1, "no")]));
    assert_eq!(texts(&shell), ["yes"]);
    assert!(lines(&shell)[0].is_disputed);
    open(&mut shell, links[2]);
    tell(&mut shell, links[2], &past(vec![message(9, 1, 1, "perhaps")]));
    assert_eq!(texts(&shell), ["perhaps"]);
    let line = &lines(&shell)[0];
    assert_eq!((line.is_disputed, line.teller.as_deref()), (false, None));
    // What the author told stands, whatever others tell, or they themself later.
    ask_anew(&mut shell, links[1]);
    tell(&mut shell, links[1], &past(vec![message(9, 1, 1, "no")]));
    ask_anew(&mut shell, links[2]);
    tell(&mut shell, links[2], &past(vec![message(9, 1, 1, "no")]));
    assert_eq!(texts(&shell), ["perhaps"]);
    assert!(!lines(&shell)[0].is_disputed);
}

#[test]
fn nobody_tells_what_is_private_to_others_or_what_we_are_to_have_said() {
    let (mut shell, links) = with(None, &[8, 9]);
    open(&mut shell, links[0]);
    let me = SEAT.seat_id();
    let private = |author: u8, to: SeatId| ChatMessage {
        to: Some(to),
        aside: 1,
        ..message(author, 1, 1, "psst")
    };
    let forged = ChatMessage {
        author: me,
        session: shell_me(&shell),
        ..message(8, 9, 9, "I owe you")
    };
    let ours = |to: SeatId| ChatMessage {
        author: me,
        to: Some(to),
        aside: 1,
        ..message(8, 1, 2, "mine, before a reload")
    };
    let list = vec![
        private(9, me),
        private(9, entry(8).seat),
        private(8, entry(9).seat),
        forged,
        ours(entry(9).seat),
    ];
    tell(&mut shell, links[0], &ChatFrame::Past { list, end: false });
    assert_eq!(texts(&shell), [""; 0]);
    tell(
        &mut shell,
        links[0],
        &past(vec![private(8, me), ours(entry(8).seat)]),
    );
    let lines = lines(&shell);
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (lines[0].privacy.clone(), lines[0].teller.as_deref()),
        (Privacy::ToUs, None)
    );
    assert_eq!(lines[1].privacy, Privacy::To(entry(8).name));
    assert_eq!(
        (lines[1].is_own, lines[1].teller.clone()),
        (true, Some(entry(8).name))
    );
}
