//! A page of a room with a host, and what the others write to it.

#![allow(dead_code, reason = "not every test uses everything")]

use visavis_call_core::{Command, ConnectionState, Event, Hosted, Intent, LinkEvent, LinkId, NoticeKind};
use visavis_protocol::{
    Charter, Frame, HostSecret, Hosting, Pass, PeerEntry, PeerId, RoomId, RoomSecret, SeatId, ServerMessage,
};

use crate::shell::{SEAT, Shell, VISIT, entry, epoch};

pub const HOST: HostSecret = HostSecret::from_bytes([8; 16]);

pub fn id(secret: u8) -> RoomId {
    let charter = Charter {
        host: HOST.host_id(),
        waiting_room: true,
    };
    RoomId::derive_hosted("tea", &RoomSecret::from_bytes([secret; 16]), charter)
}

/// On the page of a room with a host.
pub fn in_front(host: Option<HostSecret>) -> Shell {
    let mut shell = Shell::new();
    shell.intend(Intent::EnterRoom {
        visit: VISIT,
        room: id(1),
        seat: SEAT,
        chat: None,
        hosted: Some(Hosted {
            name: "tea".into(),
            secret: RoomSecret::from_bytes([1; 16]),
            host,
        }),
    });
    shell.open();
    shell.greeted(1);
    shell
}

pub fn host(n: u8) -> PeerEntry {
    PeerEntry {
        host: true,
        ..entry(n)
    }
}

pub fn seated(shell: &mut Shell, life: u8, hosting: Hosting, peers: &[PeerEntry]) {
    let you = shell.me();
    seated_as(shell, you, life, hosting, peers);
}

pub fn seated_as(shell: &mut Shell, you: PeerId, life: u8, hosting: Hosting, peers: &[PeerEntry]) {
    shell.hear(&ServerMessage::Joined {
        epoch: epoch(life),
        you,
        version: 1,
        peers: peers.to_vec(),
        ice: vec![],
        ice_lifetime_ms: None,
        hosting,
    });
}

pub fn inside(own: Option<HostSecret>, peers: &[PeerEntry]) -> Shell {
    let mut shell = in_front(own);
    shell.join();
    let hosting = Hosting {
        host: own.is_some(),
        pass: Some(Pass::from_bytes([4; 16])),
        ..Hosting::default()
    };
    seated(&mut shell, 1, hosting, peers);
    for link in shell.links_of_view() {
        let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
        shell.event(Event::Link(link, connected));
        shell.event(Event::Link(link, LinkEvent::ChannelOpened));
    }
    shell.commands.clear();
    shell
}

pub fn frames(shell: &Shell) -> Vec<(LinkId, Frame)> {
    let frame = |command: &Command| match command {
        Command::SendInBand { link, text } => Some((*link, Frame::decode(text).ok()?)),
        _ => None,
    };
    shell.commands.iter().filter_map(frame).collect()
}

pub fn secrets(shell: &Shell) -> Vec<(LinkId, RoomSecret, bool)> {
    let secret = |(link, frame)| match frame {
        Frame::Secret { secret, moved, .. } => Some((link, secret, moved)),
        _ => None,
    };
    frames(shell).into_iter().filter_map(secret).collect()
}

pub fn say(shell: &mut Shell, link: LinkId, secret: u8, moved: bool) {
    say_without(shell, link, secret, moved, &[]);
}

pub fn say_without(shell: &mut Shell, link: LinkId, secret: u8, moved: bool, without: &[SeatId]) {
    let secret = RoomSecret::from_bytes([secret; 16]);
    let without = without.to_vec();
    let text = Frame::Secret {
        secret,
        moved,
        without,
    }
    .encode();
    shell.event(Event::Link(link, LinkEvent::ChannelReceived(text)));
}

pub fn moved(shell: &mut Shell, version: u64, secret: u8) {
    shell.hear(&ServerMessage::Moved {
        version,
        room: id(secret),
    });
}

pub fn notices(shell: &Shell) -> Vec<NoticeKind> {
    shell
        .view()
        .notices
        .into_iter()
        .map(|notice| notice.kind)
        .collect()
}

pub fn link_secret(shell: &Shell) -> Option<RoomSecret> {
    shell.view().hosting.secret
}
