//! Beside people who chat: what they say and ask, and what this side says, asks and shows.

#![allow(dead_code, reason = "each test file uses its part")]

use visavis_call_core::{
    ChatLine, Command, ConnectionState, Event, Intent, LinkEvent, LinkId, SideChannel, SideEvent,
};
use visavis_protocol::chat::{ChatFrame, ChatMessage, KnownUpTo};
use visavis_protocol::{ChatKey, PeerId, RoomSecret, limits};

use crate::shell::{SEAT, Shell, VISIT, entry, room};

pub const THEM: u8 = 9;

pub fn key() -> ChatKey {
    RoomSecret::from_bytes([5; 16]).chat_key(&room())
}

/// In front of the room, whose chat has this key.
pub fn in_front(chat: Option<ChatKey>) -> Shell {
    let mut shell = Shell::in_front();
    shell.intend(Intent::EnterRoom {
        visit: VISIT,
        room: room(),
        seat: SEAT,
        chat,
        hosted: None,
    });
    shell.open();
    shell.greeted(1);
    shell
}

/// In a call with these, before any channel.
pub fn with(chat: Option<ChatKey>, others: &[u8]) -> (Shell, Vec<LinkId>) {
    let mut shell = in_front(chat);
    shell.join();
    let others: Vec<_> = others.iter().map(|n| entry(*n)).collect();
    shell.seated(1, 1, &others);
    let links = shell.links_of_view();
    shell.commands.clear();
    (shell, links)
}

pub fn side(shell: &mut Shell, link: LinkId, event: SideEvent) {
    shell.event(Event::Link(link, LinkEvent::Side(SideChannel::Chat, event)));
}

pub fn open(shell: &mut Shell, link: LinkId) {
    side(shell, link, SideEvent::Opened);
}

pub fn tell(shell: &mut Shell, link: LinkId, frame: &ChatFrame) {
    side(shell, link, SideEvent::Received(frame.encode()));
}

pub fn end() -> ChatFrame {
    past(vec![])
}

pub const fn past(list: Vec<ChatMessage>) -> ChatFrame {
    ChatFrame::Past { list, end: true }
}

/// The connections stand, so that they outlast a wait.
pub fn connect(shell: &mut Shell, links: &[LinkId]) {
    for link in links {
        let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
        shell.event(Event::Link(*link, connected));
    }
}

/// Beside one who has told all.
pub fn beside() -> (Shell, LinkId) {
    beside_with(None)
}

pub fn beside_with(chat: Option<ChatKey>) -> (Shell, LinkId) {
    let (mut shell, links) = with(chat, &[THEM]);
    open(&mut shell, links[0]);
    tell(&mut shell, links[0], &end());
    shell.commands.clear();
    (shell, links[0])
}

pub fn message(author: u8, seq: u32, clock: u32, text: &str) -> ChatMessage {
    ChatMessage {
        author: entry(author).seat,
        session: entry(author).peer,
        seq,
        clock,
        aside: 0,
        time: 7,
        name: entry(author).name,
        to: None,
        text: text.into(),
        tag: None,
    }
}

pub fn say(text: &str) -> Intent {
    Intent::Say {
        text: text.into(),
        to: None,
        time: 1,
    }
}

pub fn lines(shell: &Shell) -> Vec<ChatLine> {
    shell.core.chat_lines(0..usize::MAX)
}

pub fn texts(shell: &Shell) -> Vec<String> {
    lines(shell).into_iter().map(|line| line.text).collect()
}

pub fn frames(shell: &Shell) -> Vec<(LinkId, ChatFrame)> {
    let frame = |command: &Command| match command {
        Command::SendAside {
            link,
            channel: SideChannel::Chat,
            text,
        } => {
            assert!(text.len() <= limits::CHAT_FRAME_BYTES, "{}", text.len());
            Some((*link, ChatFrame::decode(text).expect("a frame")))
        }
        _ => None,
    };
    shell.commands.iter().filter_map(frame).collect()
}

pub fn said(shell: &Shell) -> Vec<(LinkId, ChatMessage)> {
    let say = |(link, frame)| match frame {
        ChatFrame::Say(message) => Some((link, message)),
        _ => None,
    };
    frames(shell).into_iter().filter_map(say).collect()
}

pub fn asked(shell: &Shell) -> Vec<(LinkId, Vec<KnownUpTo>, bool)> {
    let ask = |(link, frame)| match frame {
        ChatFrame::Ask { known, others } => Some((link, known, others)),
        _ => None,
    };
    frames(shell).into_iter().filter_map(ask).collect()
}

pub fn told(shell: &Shell) -> Vec<ChatMessage> {
    let past = |(_, frame)| match frame {
        ChatFrame::Past { list, .. } => Some(list),
        _ => None,
    };
    frames(shell).into_iter().filter_map(past).flatten().collect()
}

pub fn ask(shell: &mut Shell, link: LinkId, known: Vec<KnownUpTo>, others: bool) {
    shell.commands.clear();
    tell(shell, link, &ChatFrame::Ask { known, others });
}

pub fn shell_me(shell: &Shell) -> PeerId {
    shell.view().me.peer.expect("joined")
}

/// The channel closes and opens, so that there is a question to be answered.
pub fn ask_anew(shell: &mut Shell, link: LinkId) {
    side(shell, link, SideEvent::Closed);
    shell.commands.clear();
    open(shell, link);
}
