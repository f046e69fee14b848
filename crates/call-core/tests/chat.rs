//! Chat with honest people: what is said, heard, told anew and kept.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;
mod talk;

use std::time::Duration;

use shell::{SEAT, Shell, VISIT, entry};
use talk::{
    THEM, ask, ask_anew, asked, beside, connect, end, frames, in_front, lines, message, open, past, said,
    say, shell_me, side, tell, texts, told, with,
};
use visavis_call_core::{Command, Event, Intent, LinkEvent, Privacy, SayError, SdpKind, SideEvent};
use visavis_protocol::chat::{ChatFrame, KnownUpTo};
use visavis_protocol::{MediaStatus, Signal, limits};
// What is said

#[test]
fn what_one_says_goes_to_all_and_is_shown_here() {
    let (mut shell, links) = with(None, &[8, 9]);
    for link in &links {
        open(&mut shell, *link);
        tell(&mut shell, *link, &end());
    }
    shell.intend(say("Hello\r\nthere \u{202e}you\n "));
    let said = said(&shell);
    assert_eq!(said.iter().map(|(link, _)| *link).collect::<Vec<_>>(), links);
    let message = &said[0].1;
    assert_eq!(
        (message.author, message.session),
        (SEAT.seat_id(), shell_me(&shell))
    );
    assert_eq!((message.seq, message.clock, message.time), (1, 1, 1));
    assert_eq!((message.name.as_str(), message.to), ("Ada", None));
    assert_eq!(texts(&shell), ["Hello\nthere you"]);
    assert!(lines(&shell)[0].is_own);
    assert_eq!(shell.view().chat.news, 0, "one knows what one wrote");
}

#[test]
fn what_is_for_one_goes_to_that_one() {
    let (mut shell, links) = with(None, &[8, 9]);
    for link in &links {
        open(&mut shell, *link);
        tell(&mut shell, *link, &end());
    }
    shell.intend(Intent::Say {
        text: "psst".into(),
        to: Some(entry(9).seat),
        time: 1,
    });
    let said = said(&shell);
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].0, said[0].1.to), (links[1], Some(entry(9).seat)));
    assert_eq!(lines(&shell)[0].privacy, Privacy::To(entry(9).name));
    // The third is not told of it, nor do they learn it by asking.
    ask(&mut shell, links[0], vec![], true);
    assert_eq!(told(&shell), []);
    ask(&mut shell, links[1], vec![], false);
    assert_eq!(told(&shell).len(), 1);
}

#[test]
fn what_cannot_be_said_is_refused_with_the_reason() {
    let shell = in_front(None);
    let check = |shell: &Shell, text: &str, to| shell.core.check_say(shell.now, text, to);
    assert_eq!(check(&shell, "x", None), Err(SayError::Outside));
    let (mut shell, _) = beside();
    assert_eq!(check(&shell, " \n\u{202e}", None), Err(SayError::Empty));
    let long = "é".repeat(limits::CHAT_BYTES / 2);
    assert_eq!(check(&shell, &long, None), Ok(()));
    assert_eq!(check(&shell, &(long + "x"), None), Err(SayError::TooLong));
    assert_eq!(check(&shell, "x", Some(entry(3).seat)), Err(SayError::Gone));
    for n in 0..limits::CHAT_BURST {
        assert_eq!(check(&shell, "x", None), Ok(()), "{n}");
        shell.intend(say("x"));
    }
    assert_eq!(check(&shell, "x", None), Err(SayError::TooFast));
    shell.intend(say("too fast"));
    assert_eq!(said(&shell).len(), limits::CHAT_BURST as usize);
    assert_eq!(shell.view().chat.count, limits::CHAT_BURST as usize);
    shell.wait(Duration::from_secs(1));
    assert_eq!(check(&shell, "x", None), Ok(()));
}

#[test]
fn what_is_said_before_one_knows_what_was_said_waits_for_it() {
    let (mut shell, links) = with(None, &[THEM]);
    shell.intend(say("early"));
    open(&mut shell, links[0]);
    assert_eq!((said(&shell).len(), lines(&shell).len()), (0, 0));
    tell(&mut shell, links[0], &past(vec![message(THEM, 1, 40, "before")]));
    assert_eq!(texts(&shell), ["before", "early"]);
    assert_eq!(said(&shell)[0].1.clock, 41);

    // Not for ever.
    let (mut shell, links) = with(None, &[THEM]);
    connect(&mut shell, &links);
    open(&mut shell, links[0]);
    shell.intend(say("early"));
    shell.wait(limits::CHAT_ANSWER_WITHIN);
    assert_eq!(said(&shell).len(), 1);
    // And whoever is alone has nobody to wait for.
    let (mut shell, _) = with(None, &[]);
    shell.intend(say("to myself"));
    assert_eq!(texts(&shell), ["to myself"]);
}

// What is heard

#[test]
fn what_somebody_says_is_shown_once_and_is_news() {
    let (mut shell, link) = beside();
    let hello = message(THEM, 1, 5, "<img onerror=alert(1)>\u{202e}");
    for _ in 0..3 {
        tell(&mut shell, link, &ChatFrame::Say(hello.clone()));
    }
    assert_eq!(texts(&shell), ["<img onerror=alert(1)>"]);
    let line = &lines(&shell)[0];
    assert_eq!(
        (line.teller.as_deref(), line.is_before, line.is_own),
        (None, false, false)
    );
    let view = shell.view().chat;
    assert_eq!((view.count, view.news), (1, 1));
    assert_eq!(view.last_news.map(|news| news.name), Some(entry(THEM).name));
    // The next one is behind it.
    shell.intend(say("hello"));
    assert_eq!(said(&shell)[0].1.clock, 6);
}

// What is told

#[test]
fn both_sides_ask_when_a_channel_opens() {
    let (mut shell, link) = beside();
    tell(&mut shell, link, &ChatFrame::Say(message(THEM, 1, 1, "x")));
    ask_anew(&mut shell, link);
    let known = KnownUpTo {
        author: entry(THEM).seat,
        session: entry(THEM).peer,
        seq: 1,
    };
    assert_eq!(asked(&shell), [(link, vec![known], true)]);
    // What was said meanwhile by somebody known is news.
    tell(&mut shell, link, &past(vec![message(THEM, 2, 2, "meanwhile")]));
    assert_eq!(texts(&shell), ["x", "meanwhile"]);
    assert!(!lines(&shell)[1].is_before);
    assert_eq!(shell.view().chat.news, 2);
}

#[test]
fn others_words_are_asked_of_one_at_a_time() {
    let (mut shell, links) = with(None, &[7, 8, 9]);
    connect(&mut shell, &links);
    for link in &links {
        open(&mut shell, *link);
    }
    let others =
        |shell: &Shell| -> Vec<bool> { asked(shell).into_iter().map(|(.., others)| others).collect() };
    assert_eq!(others(&shell), [true, false, false]);
    // Silence, and then a channel that closes: the next one, without what is known by then.
    let part = ChatFrame::Past {
        list: vec![message(6, 4, 4, "from the first")],
        end: false,
    };
    tell(&mut shell, links[0], &part);
    shell.commands.clear();
    shell.wait(limits::CHAT_ANSWER_WITHIN - Duration::from_millis(1));
    assert_eq!(asked(&shell), []);
    shell.wait(Duration::from_millis(1));
    let known = KnownUpTo {
        author: entry(6).seat,
        session: entry(6).peer,
        seq: 4,
    };
    assert_eq!(asked(&shell), [(links[1], vec![known], true)]);
    shell.commands.clear();
    side(&mut shell, links[1], SideEvent::Closed);
    assert_eq!(asked(&shell), [(links[2], vec![known], true)]);
    // The answer to the question before it, and then to this one; nobody else is asked.
    shell.commands.clear();
    tell(&mut shell, links[2], &end());
    tell(&mut shell, links[2], &end());
    open(&mut shell, links[1]);
    assert_eq!(others(&shell), [false]);
}

#[test]
fn who_asks_is_told_the_newest_that_they_may_know_and_do_not() {
    let (mut shell, link) = beside();
    for n in 1..=3 {
        shell.intend(say(&n.to_string()));
    }
    tell(&mut shell, link, &ChatFrame::Say(message(THEM, 1, 9, "theirs")));
    let me = KnownUpTo {
        author: SEAT.seat_id(),
        session: shell_me(&shell),
        seq: 1,
    };
    ask(&mut shell, link, vec![me], false);
    let texts =
        |shell: &Shell| -> Vec<String> { told(shell).into_iter().map(|message| message.text).collect() };
    assert_eq!(texts(&shell), ["2", "3"]);
    ask(&mut shell, link, vec![me], true);
    assert_eq!(texts(&shell), ["2", "3", "theirs"]);
    // A question costs, so there are not many.
    ask(&mut shell, link, vec![], true);
    ask(&mut shell, link, vec![], true);
    assert_eq!(texts(&shell).len(), 4);
    ask(&mut shell, link, vec![], true);
    assert_eq!(frames(&shell).len(), 0);
}

#[test]
fn an_answer_is_bounded_and_cut_into_frames() {
    let (mut shell, link) = beside();
    let list: Vec<_> = (1..=600).map(|n| message(3, n, n, &"\"".repeat(1500))).collect();
    ask_anew(&mut shell, link);
    for part in list.chunks(8) {
        tell(
            &mut shell,
            link,
            &ChatFrame::Past {
                list: part.to_vec(),
                end: false,
            },
        );
    }
    assert_eq!(shell.view().chat.count, 600);
    ask(&mut shell, link, vec![], true);
    let told = told(&shell);
    assert_eq!(told.len(), limits::CHAT_PAST);
    assert_eq!((told[0].seq, told[499].seq), (101, 600));
    let ends = frames(&shell)
        .into_iter()
        .filter(|(_, frame)| matches!(frame, ChatFrame::Past { end: true, .. }));
    assert_eq!(ends.count(), 1);
}

// What is kept

#[test]
fn a_tab_keeps_so_much_and_drops_the_oldest() {
    let (mut shell, links) = with(None, &[THEM]);
    let fill = |shell: &mut Shell, from: u32, text: &str| {
        ask_anew(shell, links[0]);
        let list: Vec<_> = (from..from + 500).map(|n| message(3, n, n, text)).collect();
        for part in list.chunks(4) {
            tell(
                shell,
                links[0],
                &ChatFrame::Past {
                    list: part.to_vec(),
                    end: false,
                },
            );
        }
        side(shell, links[0], SideEvent::Closed);
    };
    for round in 0..22 {
        fill(&mut shell, 1 + round * 500, "x");
    }
    assert_eq!(shell.view().chat.count, limits::CHAT_KEPT);
    assert_eq!(shell.core.chat_numbers().len(), limits::CHAT_KEPT);
    let first = &shell.core.chat_lines(0..1)[0];
    assert_eq!(first.number, 1001, "the oldest went");
    for round in 22..28 {
        fill(&mut shell, 1 + round * 500, &"x".repeat(4000));
    }
    let bytes: usize = lines(&shell).iter().map(|line| line.text.len()).sum();
    assert!(
        bytes <= limits::CHAT_KEPT_BYTES && bytes > limits::CHAT_KEPT_BYTES - 50_000,
        "{bytes}"
    );
    // What would be the first to go does not come.
    ask_anew(&mut shell, links[0]);
    let count = shell.view().chat.count;
    tell(
        &mut shell,
        links[0],
        &ChatFrame::Past {
            list: vec![message(3, 1, 1, &"y".repeat(4000))],
            end: false,
        },
    );
    assert!(shell.view().chat.count <= count);
    assert!(!texts(&shell)[0].starts_with('y'));
}

#[test]
fn it_outlasts_the_call_and_ends_with_the_room() {
    let (mut shell, link) = beside();
    tell(&mut shell, link, &ChatFrame::Say(message(THEM, 1, 1, "kept")));
    shell.intend(say("mine"));
    shell.intend(Intent::HangUp);
    assert_eq!(texts(&shell), ["kept", "mine"]);
    shell.join();
    shell.open();
    shell.greeted(1);
    shell.seated(1, 5, &[entry(THEM)]);
    let link = shell.links_of_view()[0];
    shell.commands.clear();
    open(&mut shell, link);
    let known: Vec<u32> = asked(&shell)[0].1.iter().map(|known| known.seq).collect();
    assert_eq!(known, [1, 1], "of both what is known");
    tell(
        &mut shell,
        link,
        &past(vec![message(THEM, 2, 3, "while you were away")]),
    );
    assert_eq!(texts(&shell), ["kept", "mine", "while you were away"]);
    assert!(lines(&shell)[2].is_before);
    let number = lines(&shell)[2].number;
    assert_eq!(shell.view().chat.before, Some((number, number)));

    let version = shell.view().chat.version;
    let room = visavis_protocol::RoomId::derive("milk", None);
    shell.intend(Intent::EnterRoom {
        visit: VISIT,
        room,
        seat: SEAT,
        chat: None,
        hosted: None,
    });
    assert_eq!(shell.view().chat.count, 0);
    assert!(shell.view().chat.version > version);
}

#[test]
fn connections_that_are_no_more_have_no_channel() {
    let (mut shell, _) = beside();
    shell.hear(&visavis_protocol::ServerMessage::PeerLeft {
        peer: entry(THEM).peer,
        version: 2,
        reason: visavis_protocol::LeaveReason::Left,
    });
    shell.commands.clear();
    shell.intend(say("alone"));
    assert_eq!(said(&shell).len(), 0);
    assert_eq!(texts(&shell), ["alone"]);
}

/// Nothing of the chat is needed for it: who comes later hears of both with the first status.
#[test]
fn who_comes_later_sees_who_records_and_whose_hand_is_up() {
    let mut shell = Shell::joined(&[]);
    shell.intend(Intent::RaiseHand(true));
    shell.intend(Intent::Record(true));
    shell.hear(&visavis_protocol::ServerMessage::PeerJoined {
        peer: entry(THEM),
        version: 2,
    });
    shell.commands.clear();
    shell.offer_from(entry(THEM).peer, 1, 0);
    let link = shell.links_of_view()[0];
    let requested = |command: &Command| match command {
        Command::SetRemoteDescription { request, .. } => Some(*request),
        _ => None,
    };
    let request = shell
        .commands
        .iter()
        .find_map(requested)
        .expect("an offer to apply");
    shell.event(Event::Link(link, LinkEvent::RemoteDescriptionApplied { request }));
    let answered = LinkEvent::LocalDescriptionApplied {
        request: shell.local_request(),
        kind: SdpKind::Answer,
        sdp: shell::sdp("mine"),
    };
    shell.event(Event::Link(link, answered));
    let packets = shell.packets();
    let mut signals = packets
        .iter()
        .filter(|(to, ..)| *to == entry(THEM).peer)
        .flat_map(|(.., packet)| &packet.signals);
    let is_told = |signal: &Signal| {
        matches!(
            signal,
            Signal::Status(MediaStatus {
                recording: true,
                hand: 1,
                ..
            })
        )
    };
    assert!(signals.any(is_told), "{packets:?}");
}
