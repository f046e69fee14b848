//! The link of a room with a host: who is told the next one when somebody is removed, and who follows whom.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod hosted;
mod shell;

use std::time::Duration;

use hosted::{
    HOST, frames, host, id, in_front, inside, link_secret, moved, notices, say, say_without, seated,
    seated_as, secrets,
};
use shell::{Shell, entry};
use visavis_call_core::{
    ConnectionState, EndReason, Event, HostIntent, Intent, LinkEvent, LinkId, NoticeKind, Stage,
};
use visavis_protocol::{
    ClientMessage, ErrorCode, Frame, HostRequest, Hosting, LeaveReason, PeerEntry, RoomId, RoomSecret,
    ServerMessage,
};

#[test]
fn a_host_tells_the_others_before_the_server() {
    let mut shell = inside(Some(HOST), &[entry(3), entry(4)]);
    let [third, fourth] = shell.links_of_view()[..] else {
        panic!("two connections")
    };
    shell.intend(Intent::Host(HostIntent::Remove(entry(4).seat)));
    let told = secrets(&shell);
    let [(link, secret, false)] = told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(link, third, "who goes hears nothing");
    let charter = id(1).charter().expect("a charter");
    let next = RoomId::derive_hosted("tea", &secret, charter);
    assert_eq!(
        shell.sent(),
        [ClientMessage::Host(HostRequest::Remove {
            peer: entry(4).peer,
            next: next.clone(),
        })]
    );
    assert_eq!(link_secret(&shell), None, "nothing has changed yet");
    shell.hear(&ServerMessage::PeerLeft {
        version: 2,
        peer: entry(4).peer,
        reason: LeaveReason::Removed,
    });
    assert_eq!(shell.closed_links(), [fourth]);
    shell.hear(&ServerMessage::Moved {
        version: 3,
        room: next,
    });
    assert_eq!(link_secret(&shell), Some(secret));
    let name = "Person 4".to_owned();
    assert!(notices(&shell).contains(&NoticeKind::PersonRemoved { name }));
    assert!(notices(&shell).contains(&NoticeKind::LinkChanged));
    assert!(secrets(&shell).contains(&(third, secret, true)));
}

#[test]
fn the_link_changes_by_the_hosts_word_and_the_servers_in_either_order() {
    for server_first in [false, true] {
        let mut shell = inside(None, &[host(3)]);
        let link = shell.links_of_view()[0];
        if server_first {
            moved(&mut shell, 2, 2);
            assert!(shell.view().hosting.is_link_old);
        }
        say(&mut shell, link, 2, false);
        assert_eq!(link_secret(&shell).is_some(), server_first);
        if !server_first {
            moved(&mut shell, 2, 2);
        }
        assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([2; 16])));
        assert!(!shell.view().hosting.is_link_old);
    }
}

#[test]
fn nobody_but_a_host_changes_the_link_by_their_word() {
    let mut shell = inside(None, &[entry(3)]);
    let link = shell.links_of_view()[0];
    for has_moved in [false, true] {
        say(&mut shell, link, 2, has_moved);
        assert_eq!(link_secret(&shell), None);
    }
    moved(&mut shell, 2, 5);
    assert_eq!(
        link_secret(&shell),
        None,
        "the server's word alone is not enough either"
    );
    // With the server's word anybody may tell what it is about: only its secret gives that id.
    say(&mut shell, link, 5, true);
    assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([5; 16])));
}

#[test]
fn who_missed_the_servers_word_follows_the_others() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let [third, fourth] = shell.links_of_view()[..] else {
        panic!("two connections")
    };
    say(&mut shell, third, 2, false);
    // As long as the server that heard the host is there, it would have said so.
    say(&mut shell, fourth, 2, true);
    assert_eq!(link_secret(&shell), None);
    shell.restart();
    let hosting = Hosting::default();
    let you = shell.view().me.peer.expect("a seat");
    seated_as(&mut shell, you, 2, hosting, &[host(3), entry(4)]);
    say(&mut shell, fourth, 2, true);
    assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([2; 16])));
    shell.commands.clear();
    for _ in 0..8 {
        shell.wait(Duration::from_secs(1));
    }
    let rejoined = shell
        .sent()
        .into_iter()
        .any(|message| matches!(message, ClientMessage::Join { room, .. } if room == id(2)));
    assert!(
        rejoined,
        "sits in a room that the others have left: {:?}",
        shell.kinds()
    );
    // Where the server confirms it, the seat stays.
    let mut shell = inside(None, &[host(3), entry(4)]);
    let link = shell.links_of_view()[0];
    say(&mut shell, link, 2, true);
    moved(&mut shell, 2, 2);
    shell.commands.clear();
    for _ in 0..8 {
        shell.wait(Duration::from_secs(1));
    }
    assert!(!shell.kinds().contains(&"leave"), "{:?}", shell.kinds());
}

#[test]
fn two_who_are_removed_at_once_are_both_told_nothing() {
    let mut shell = inside(Some(HOST), &[entry(3), entry(4), entry(5)]);
    let links = shell.links_of_view();
    shell.intend(Intent::Host(HostIntent::Remove(entry(3).seat)));
    let announced = frames(&shell).remove(0).1;
    // Before the server has answered.
    shell.commands.clear();
    shell.intend(Intent::Host(HostIntent::Remove(entry(4).seat)));
    let told = frames(&shell);
    let [(link, Frame::Secret { moved, without, .. })] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((*link, *moved), (links[2], false));
    assert_eq!(without[..], [entry(3).seat, entry(4).seat]);
    // The server refuses the first: they hear of the next secret again.
    shell.hear(&ServerMessage::Error {
        code: ErrorCode::RateLimited,
        about: Some("remove_peer".into()),
        peer: Some(entry(3).peer),
        message: String::new(),
    });
    // What was announced for them comes to nothing, and nobody is to take it for done.
    let Frame::Secret { secret: void, .. } = announced else {
        panic!("{announced:?}");
    };
    let withdrawn = (links[0], Frame::Withdrawn { secret: void });
    assert!(frames(&shell).contains(&withdrawn), "{:?}", frames(&shell));
    shell.commands.clear();
    shell.intend(Intent::Host(HostIntent::Remove(entry(5).seat)));
    let told: Vec<LinkId> = secrets(&shell).into_iter().map(|(link, ..)| link).collect();
    assert_eq!(told, [links[0]], "the second is still on its way out");
}

#[test]
fn what_a_host_says_of_is_not_passed_on_to_those_who_are_sent_away() {
    let mut shell = inside(None, &[host(3), entry(4), entry(5)]);
    let links = shell.links_of_view();
    say_without(&mut shell, links[0], 2, false, &[entry(4).seat]);
    shell.commands.clear();
    // The host's word overtakes the server's.
    say_without(&mut shell, links[0], 2, true, &[entry(4).seat]);
    let told: Vec<LinkId> = secrets(&shell).into_iter().map(|(link, ..)| link).collect();
    assert_eq!(told, [links[0], links[2]]);
    // The server lists them in the room of that secret: they were not sent away.
    moved(&mut shell, 2, 2);
    shell.commands.clear();
    let you = shell.view().me.peer.expect("a seat");
    let all = [host(3), entry(4), entry(5)];
    seated_as(&mut shell, you, 1, Hosting::default(), &all);
    let told: Vec<LinkId> = secrets(&shell).into_iter().map(|(link, ..)| link).collect();
    assert_eq!(told, [links[1]]);
}

#[test]
fn a_word_of_a_secret_that_was_left_behind_leads_nobody_back() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let link = shell.links_of_view()[0];
    say(&mut shell, link, 2, false);
    say(&mut shell, link, 3, false);
    moved(&mut shell, 2, 2);
    moved(&mut shell, 3, 3);
    let current = RoomSecret::from_bytes([3; 16]);
    assert_eq!(link_secret(&shell), Some(current));
    say(&mut shell, link, 2, true);
    say(&mut shell, link, 1, true);
    assert_eq!(link_secret(&shell), Some(current));
    shell.commands.clear();
    for _ in 0..8 {
        shell.wait(Duration::from_secs(1));
    }
    assert!(!shell.kinds().contains(&"leave"), "{:?}", shell.kinds());
}

#[test]
fn the_server_s_word_for_a_move_that_others_told_of_later_leads_nobody_back() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let link = shell.links_of_view()[0];
    say(&mut shell, link, 2, true);
    say(&mut shell, link, 3, true);
    let current = RoomSecret::from_bytes([3; 16]);
    moved(&mut shell, 2, 2);
    assert_eq!(link_secret(&shell), Some(current));
    moved(&mut shell, 3, 3);
    assert_eq!(link_secret(&shell), Some(current));
    assert!(!shell.view().hosting.is_link_old);
}

#[test]
fn who_came_by_the_new_link_tells_it_to_those_who_did_not() {
    let mut shell = in_front(None);
    shell.join();
    seated(&mut shell, 1, Hosting::default(), &[host(3)]);
    let link = shell.links_of_view()[0];
    let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
    shell.event(Event::Link(link, connected));
    shell.event(Event::Link(link, LinkEvent::ChannelOpened));
    assert_eq!(secrets(&shell), [(link, RoomSecret::from_bytes([1; 16]), true)]);
}

#[test]
fn a_host_whom_nobody_tells_the_secret_gives_the_room_another() {
    let mut shell = in_front(Some(HOST));
    shell.join();
    let hosting = Hosting {
        host: true,
        room: Some(id(2)),
        ..Hosting::default()
    };
    seated(&mut shell, 1, hosting, &[]);
    assert!(shell.view().hosting.is_link_old);
    let renamed = |shell: &Shell| {
        shell.sent().into_iter().find_map(|message| match message {
            ClientMessage::Host(HostRequest::Rename { next }) => Some(next),
            _ => None,
        })
    };
    shell.wait(Duration::from_secs(9));
    assert_eq!(renamed(&shell), None, "somebody may still tell it");
    shell.wait(Duration::from_secs(1));
    let room = renamed(&shell).expect("a new id");
    shell.hear(&ServerMessage::Moved { version: 2, room });
    assert!(!shell.view().hosting.is_link_old && link_secret(&shell).is_some());
    // A guest waits for those who know.
    let mut shell = in_front(None);
    shell.join();
    let hosting = Hosting {
        room: Some(id(2)),
        ..Hosting::default()
    };
    seated(&mut shell, 1, hosting, &[]);
    shell.wait(Duration::from_secs(30));
    assert_eq!(renamed(&shell), None);
}

fn refused(shell: &mut Shell, code: ErrorCode, about: &str) {
    shell.hear(&ServerMessage::Error {
        code,
        about: Some(about.into()),
        peer: None,
        message: String::new(),
    });
}

/// Away for longer than a seat is kept, and back at a server in this life.
fn slept(shell: &mut Shell, life: u8) {
    shell.lose(1006);
    shell.now = shell.now + Duration::from_secs(70);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(life);
}

#[test]
fn who_was_removed_while_away_is_told_when_they_are_back() {
    let mut shell = inside(None, &[host(3)]);
    slept(&mut shell, 1);
    refused(&mut shell, ErrorCode::UnknownSession, "resume");
    refused(&mut shell, ErrorCode::Removed, "join");
    assert_eq!(shell.view().stage, Stage::Ended(EndReason::Removed));
}

#[test]
fn who_only_slept_while_somebody_else_was_removed_is_not_told_that_they_were() {
    let mut shell = inside(None, &[host(3)]);
    slept(&mut shell, 1);
    refused(&mut shell, ErrorCode::RoomMoved, "resume");
    refused(&mut shell, ErrorCode::RoomMoved, "join");
    assert_eq!(shell.view().stage, Stage::Ended(EndReason::LinkChanged));
}

#[test]
fn who_is_left_behind_by_a_restarted_server_learns_it_once_nobody_is_there_to_tell() {
    let mut shell = inside(None, &[entry(3)]);
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(2);
    refused(&mut shell, ErrorCode::UnknownSession, "resume");
    refused(&mut shell, ErrorCode::RoomMoved, "join");
    assert_eq!(shell.view().stage, Stage::Joined, "they talk, and may be told");
    slept(&mut shell, 2);
    refused(&mut shell, ErrorCode::UnknownSession, "resume");
    refused(&mut shell, ErrorCode::RoomMoved, "join");
    assert_eq!(shell.view().stage, Stage::Ended(EndReason::LinkChanged));
}

#[test]
fn who_comes_while_the_new_pass_is_asked_for_is_seen() {
    let mut shell = inside(None, &[host(3)]);
    let link = shell.links_of_view()[0];
    say(&mut shell, link, 2, false);
    moved(&mut shell, 2, 2);
    assert_eq!(shell.kinds().last(), Some(&"resume"));
    shell.hear(&ServerMessage::PeerJoined {
        version: 3,
        peer: entry(6),
    });
    assert_eq!(shell.view().people.len(), 2);
}

#[test]
fn whoever_repeats_a_host_is_believed_while_the_server_is_away() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let [third, fourth] = shell.links_of_view()[..] else {
        panic!("two connections")
    };
    say(&mut shell, third, 2, false);
    shell.lose(1006);
    say(&mut shell, fourth, 2, true);
    assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([2; 16])));
}

#[test]
fn a_host_who_came_by_the_old_link_does_not_tell_it() {
    let mut shell = in_front(Some(HOST));
    shell.join();
    let hosting = Hosting {
        host: true,
        room: Some(id(2)),
        ..Hosting::default()
    };
    seated(&mut shell, 1, hosting, &[entry(3)]);
    let link = shell.links_of_view()[0];
    let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
    shell.event(Event::Link(link, connected));
    shell.event(Event::Link(link, LinkEvent::ChannelOpened));
    assert_eq!(secrets(&shell), []);
    say(&mut shell, link, 2, true);
    assert_eq!(secrets(&shell), [(link, RoomSecret::from_bytes([2; 16]), true)]);
}

#[test]
fn a_host_without_a_server_announces_nothing() {
    let mut shell = inside(Some(HOST), &[entry(3), entry(4)]);
    shell.lose(1006);
    shell.commands.clear();
    shell.intend(Intent::Host(HostIntent::Remove(entry(3).seat)));
    assert_eq!(secrets(&shell), []);
    assert_eq!(notices(&shell).last(), Some(&NoticeKind::HostRefused));
}

#[test]
fn a_reload_makes_nobody_hear_who_was_sent_away() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let links = shell.links_of_view();
    // The host saw them reload; this page did not yet.
    let seat = entry(4).seat;
    say_without(&mut shell, links[0], 2, false, &[seat]);
    let reloaded = PeerEntry { seat, ..entry(6) };
    shell.hear(&ServerMessage::PeerJoined {
        version: 2,
        peer: reloaded.clone(),
    });
    shell.commands.clear();
    moved(&mut shell, 3, 2);
    let link = shell.links_of_view().last().copied().expect("a connection");
    let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
    shell.event(Event::Link(link, connected));
    shell.event(Event::Link(link, LinkEvent::ChannelOpened));
    let told: Vec<LinkId> = secrets(&shell).into_iter().map(|(link, ..)| link).collect();
    assert_eq!(told, [links[0]]);
    // Back in the room of that secret they are like everybody.
    shell.hear(&ServerMessage::PeerLeft {
        version: 4,
        peer: reloaded.peer,
        reason: LeaveReason::Removed,
    });
    shell.hear(&ServerMessage::PeerJoined {
        version: 5,
        peer: PeerEntry { seat, ..entry(7) },
    });
    shell.commands.clear();
    let link = shell.links_of_view().last().copied().expect("a connection");
    shell.event(Event::Link(link, LinkEvent::ChannelOpened));
    assert_eq!(secrets(&shell), [(link, RoomSecret::from_bytes([2; 16]), true)]);
}

#[test]
fn who_has_no_server_parts_from_the_removed_by_the_host_s_word() {
    let mut shell = inside(None, &[host(3), entry(4), entry(5)]);
    let links = shell.links_of_view();
    let seats = [entry(4).seat];
    say_without(&mut shell, links[0], 2, false, &seats);
    shell.lose(1006);
    assert_eq!(shell.view().people.len(), 3);
    say_without(&mut shell, links[0], 2, true, &seats);
    assert!(shell.closed_links().contains(&links[1]));
    assert_eq!(shell.view().people.len(), 2);
    let removed = |notice: &NoticeKind| matches!(notice, NoticeKind::PersonRemoved { .. });
    assert!(notices(&shell).iter().any(removed));
}

#[test]
fn a_secret_that_was_withdrawn_is_nobody_else_s_to_put_in_force() {
    for withdrawn_by in [0, 1] {
        let mut shell = inside(None, &[host(3), entry(4)]);
        let links = shell.links_of_view();
        say(&mut shell, links[0], 2, false);
        let secret = RoomSecret::from_bytes([2; 16]);
        let text = Frame::Withdrawn { secret }.encode();
        shell.event(Event::Link(links[withdrawn_by], LinkEvent::ChannelReceived(text)));
        shell.lose(1006);
        say(&mut shell, links[1], 2, true);
        // Only who announced it can take it back.
        assert_eq!(link_secret(&shell).is_some(), withdrawn_by == 1);
    }
}

#[test]
fn a_late_word_of_a_secret_that_was_passed_over_leads_nobody_there() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let link = shell.links_of_view()[0];
    say(&mut shell, link, 2, false);
    say(&mut shell, link, 3, false);
    moved(&mut shell, 2, 3);
    let current = Some(RoomSecret::from_bytes([3; 16]));
    assert_eq!(link_secret(&shell), current);
    say(&mut shell, link, 2, true);
    assert_eq!(link_secret(&shell), current);
    // Two hosts at once: the server says otherwise.
    moved(&mut shell, 3, 2);
    assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([2; 16])));
}

#[test]
fn whoever_a_restarted_server_seats_by_the_old_id_goes_where_the_others_are() {
    let mut shell = inside(None, &[host(3), entry(4)]);
    let link = shell.links_of_view()[0];
    let you = shell.view().me.peer.expect("a seat");
    shell.lose(1006);
    shell.wait_for_deadline();
    shell.open();
    shell.greeted(2);
    refused(&mut shell, ErrorCode::UnknownSession, "resume");
    // Before the answer to `join` the host tells of a move in the life before.
    say(&mut shell, link, 2, true);
    seated_as(&mut shell, you, 2, Hosting::default(), &[]);
    assert_eq!(link_secret(&shell), Some(RoomSecret::from_bytes([2; 16])));
    shell.commands.clear();
    for _ in 0..5 {
        shell.wait(Duration::from_secs(1));
    }
    let kinds = shell.kinds();
    assert!(kinds.contains(&"leave") && kinds.contains(&"join"), "{kinds:?}");
    let asked = shell.sent().into_iter().find_map(|message| match message {
        ClientMessage::Join { room, .. } => Some(room),
        _ => None,
    });
    assert_eq!(asked, Some(id(2)));
}
