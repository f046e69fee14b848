//! Chat among several cores: what each of them ends up with, whoever comes, goes or is cut off.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod shell;

use shell::{Shell, VISIT, epoch, room};
use visavis_call_core::{
    ChatLine, Command, Config, ConnectionState, Core, Event, Intent, LinkEvent, LinkId, Seed, SideChannel,
    SideEvent, Timestamp,
};
use visavis_protocol::{ChatKey, LeaveReason, PeerEntry, PeerId, RoomSecret, SeatSecret, ServerMessage};

fn key() -> ChatKey {
    RoomSecret::from_bytes([5; 16]).chat_key(&room())
}

struct Member {
    shell: Shell,
    name: &'static str,
    seat: SeatSecret,
    peer: PeerId,
}

impl Member {
    fn entry(&self) -> PeerEntry {
        PeerEntry {
            peer: self.peer,
            seat: self.seat.seat_id(),
            name: self.name.to_owned(),
            away: false,
            host: false,
        }
    }

    fn link_to(&self, peer: PeerId) -> Option<LinkId> {
        let people = self.shell.view().people;
        people.into_iter().find(|person| person.peer == peer)?.link
    }

    fn lines(&self) -> Vec<ChatLine> {
        self.shell.core.chat_lines(0..usize::MAX)
    }

    fn texts(&self) -> Vec<String> {
        self.lines().into_iter().map(|line| line.text).collect()
    }
}

/// A room whose members' channels carry everything at once, in order, unless they are cut.
#[derive(Default)]
struct Party {
    members: Vec<Member>,
    lives: u8,
    version: u64,
    cut: Vec<(PeerId, PeerId)>,
}

impl Party {
    /// Somebody comes, with the seat of that name.
    fn join(&mut self, name: &'static str) {
        self.lives += 1;
        let mut bytes = [0; 16];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        let seat = SeatSecret::from_bytes(bytes);
        let config = Config {
            links_ahead: 0,
            ..Config::default()
        };
        let core = Core::new(config, Seed::new([self.lives; 32]), Timestamp::default());
        let mut shell = Shell {
            core,
            now: Timestamp::default(),
            commands: vec![],
            socket: None,
        };
        shell.intend(Intent::EnterRoom {
            visit: VISIT,
            room: room(),
            seat,
            chat: Some(key()),
            hosted: None,
        });
        shell.open();
        shell.greeted(1);
        shell.intend(Intent::Join { name: name.into() });
        let peer = shell.me();
        let member = Member {
            shell,
            name,
            seat,
            peer,
        };
        self.version += 1;
        let there: Vec<PeerEntry> = self.members.iter().map(Member::entry).collect();
        for other in &mut self.members {
            let joined = ServerMessage::PeerJoined {
                version: self.version,
                peer: member.entry(),
            };
            other.shell.hear(&joined);
        }
        self.members.push(member);
        let (version, last) = (self.version, self.members.len() - 1);
        let member = &mut self.members[last];
        member.shell.hear(&ServerMessage::Joined {
            epoch: epoch(1),
            you: peer,
            version,
            peers: there,
            ice: vec![],
            ice_lifetime_ms: None,
            hosting: visavis_protocol::Hosting::default(),
        });
        for other in 0..last {
            self.reach(last, other);
        }
        self.carry();
    }

    /// The connection of two stands. Both see the channel open at once.
    fn reach(&mut self, one: usize, other: usize) {
        for (from, to) in [(one, other), (other, one)] {
            let peer = self.members[to].peer;
            let member = &mut self.members[from];
            // Who waits for the offer of a newcomer has no connection yet.
            if member.link_to(peer).is_none() {
                member.shell.offer_from(peer, 1, 0);
            }
            let link = member.link_to(peer).expect("a connection");
            let connected = LinkEvent::ConnectionStateChanged(ConnectionState::Connected);
            member.shell.event(Event::Link(link, connected));
            member.side(link, SideEvent::Opened);
        }
    }

    fn leave(&mut self, name: &str) {
        self.version += 1;
        let at = self.at(name);
        let gone = self.members.remove(at).peer;
        for other in &mut self.members {
            let left = ServerMessage::PeerLeft {
                version: self.version,
                peer: gone,
                reason: LeaveReason::Left,
            };
            other.shell.hear(&left);
        }
        self.carry();
    }

    fn at(&self, name: &str) -> usize {
        self.members
            .iter()
            .position(|member| member.name == name)
            .expect("they are there")
    }

    fn say(&mut self, name: &str, text: &str, to: Option<&str>) {
        let to = to.map(|to| self.members[self.at(to)].seat.seat_id());
        let at = self.at(name);
        let shell = &mut self.members[at].shell;
        shell.now = shell.now + std::time::Duration::from_secs(1);
        shell.intend(Intent::Say {
            text: text.into(),
            to,
            time: 1,
        });
        self.carry();
    }

    /// Between two nothing passes any more: their channel is closed.
    fn cut(&mut self, one: &str, other: &str) {
        let (one, other) = (self.at(one), self.at(other));
        for (from, to) in [(one, other), (other, one)] {
            let peer = self.members[to].peer;
            let link = self.members[from].link_to(peer).expect("a connection");
            self.members[from].side(link, SideEvent::Closed);
            self.cut.push((self.members[from].peer, peer));
        }
    }

    fn mend(&mut self, one: &str, other: &str) {
        self.cut.clear();
        self.reach(self.at(one), self.at(other));
        self.carry();
    }

    /// Delivers what was written, until nothing is.
    fn carry(&mut self) {
        loop {
            let mut written = Vec::new();
            for member in &mut self.members {
                let people = member.shell.view().people;
                for command in member.shell.commands.drain(..) {
                    if let Command::SendAside {
                        link,
                        channel: SideChannel::Chat,
                        text,
                    } = command
                    {
                        let to = people.iter().find(|person| person.link == Some(link));
                        written.extend(to.map(|to| (member.peer, to.peer, text)));
                    }
                }
            }
            if written.is_empty() {
                return;
            }
            for (from, to, text) in written {
                let Some(member) = self.members.iter_mut().find(|member| member.peer == to) else {
                    continue;
                };
                let link = member.link_to(from);
                if let Some(link) = link.filter(|_| !self.cut.contains(&(from, to))) {
                    member.side(link, SideEvent::Received(text));
                }
            }
        }
    }

    fn texts(&self, name: &str) -> Vec<String> {
        self.members[self.at(name)].texts()
    }

    fn tellers(&self, name: &str) -> Vec<Option<String>> {
        self.members[self.at(name)]
            .lines()
            .into_iter()
            .map(|line| line.teller)
            .collect()
    }

    fn news(&self, name: &str) -> u64 {
        self.members[self.at(name)].shell.view().chat.news
    }
}

impl Member {
    fn side(&mut self, link: LinkId, event: SideEvent) {
        self.shell
            .event(Event::Link(link, LinkEvent::Side(SideChannel::Chat, event)));
    }
}

#[test]
fn who_comes_late_learns_all_once_and_in_order_also_from_one_who_heard_it() {
    let mut party = Party::default();
    party.join("Ada");
    party.join("Ben");
    for n in 0..4 {
        party.say("Ada", &format!("a{n}"), None);
        party.say("Ben", &format!("b{n}"), None);
    }
    let all = ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3"];
    assert_eq!(
        (party.texts("Ada"), party.texts("Ben")),
        (all.map(String::from).to_vec(), all.map(String::from).to_vec())
    );
    assert_eq!((party.news("Ada"), party.news("Ben")), (4, 4));
    party.join("Cleo");
    assert_eq!(party.texts("Cleo"), all);
    assert_eq!(party.tellers("Cleo"), [const { None }; 8], "both told their own");
    party.leave("Ada");
    party.join("Dov");
    assert_eq!(party.texts("Dov"), all);
    let told: Vec<_> = party
        .tellers("Dov")
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect();
    assert!(
        told.iter()
            .step_by(2)
            .all(|teller| teller == "Ben" || teller == "Cleo"),
        "{told:?}"
    );
    assert!(told.iter().skip(1).step_by(2).all(String::is_empty), "{told:?}");
    assert_eq!(party.news("Dov"), 0);
    // The line between then and now.
    party.say("Ben", "hello Dov", None);
    let lines = party.members[party.at("Dov")].lines();
    let before = party.members[party.at("Dov")].shell.view().chat.before;
    assert_eq!(before, Some((lines[0].number, lines[7].number)));
    assert_eq!((party.news("Dov"), lines[8].is_before), (1, false));
}

#[test]
fn what_was_said_during_a_cut_arrives_once_and_is_news() {
    let mut party = Party::default();
    party.join("Ada");
    party.join("Ben");
    party.say("Ada", "one", None);
    party.cut("Ada", "Ben");
    party.say("Ada", "two", None);
    party.say("Ben", "three", None);
    assert_eq!(party.texts("Ben"), ["one", "three"]);
    party.mend("Ada", "Ben");
    let (ada, ben) = (party.texts("Ada"), party.texts("Ben"));
    assert_eq!(ada, ben);
    assert_eq!(ada.len(), 3);
    assert_eq!((party.news("Ada"), party.news("Ben")), (1, 2));
    assert!(party.tellers("Ben").iter().all(Option::is_none));
}

#[test]
fn after_a_reload_one_has_all_again_ones_own_by_others() {
    let mut party = Party::default();
    party.join("Ada");
    party.join("Ben");
    party.join("Cleo");
    party.say("Ada", "mine", None);
    party.say("Ben", "his", None);
    party.say("Ada", "to Ben", Some("Ben"));
    party.say("Ben", "to Cleo", Some("Cleo"));
    assert_eq!(party.texts("Cleo"), ["mine", "his", "to Cleo"]);
    party.leave("Ada");
    party.join("Ada");
    assert_eq!(party.texts("Ada"), ["mine", "his", "to Ben"]);
    let lines = party.members[party.at("Ada")].lines();
    let own: Vec<_> = lines
        .iter()
        .map(|line| (line.is_own, line.teller.as_deref()))
        .collect();
    assert_eq!(own, [(true, Some("Ben")), (false, None), (true, Some("Ben"))]);
    party.say("Ada", "again", None);
    for name in ["Ben", "Cleo"] {
        assert_eq!(
            party.texts(name).last().map(String::as_str),
            Some("again"),
            "{name}"
        );
    }
    assert_eq!(party.texts("Ben"), ["mine", "his", "to Ben", "to Cleo", "again"]);
}
