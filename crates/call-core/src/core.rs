//! The core itself: takes events, owns the machines, hands out commands.

mod appointments;

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use visavis_protocol::{
    ChatKey, ClientMessage, CloseCode, IceServer, Reaction, RoomSecret, SeatId, ServerMessage,
};

use crate::appointments::{Desk, Visit};
use crate::chat::{Chat, ChatLine, SayError};
use crate::command::Command;
use crate::config::{Config, Randomness, Seed};
use crate::event::{CaptureKind, Event, Intent, LinkEvent, MediaEvent, SocketEvent};
use crate::hands;
use crate::id::{Ids, LinkId, SideChannel, SocketId, VisitId};
use crate::media::Media;
use crate::peer::{Context, Peer, ServerRoad, Signs};
use crate::people::{self, DirectCall, NoConnection, People, PeopleIntent};
use crate::reactions::Reactions;
use crate::room::{Place, Room};
use crate::session::{Happening, Session};
use crate::time::{Timestamp, earliest};
use crate::transfer::{FileIntent, Transfers};
use crate::view::{ConnectionState, EndReason, Me, Notice, NoticeKind, Stage, View};

/// Notices kept for a shell that shows them late.
const NOTICES: usize = 8;

/// See the crate's documentation.
#[derive(Clone, Debug)]
pub struct Core {
    config: Config,
    random: Randomness,
    ids: Ids,
    session: Session,
    room: Option<Room>,
    media: Media,
    relay_only: bool,
    notices: VecDeque<Notice>,
    noticed: u64,
    reactions: Reactions,
    chat: Chat,
    transfers: Transfers,
    people: People,
    desk: Desk,
    visit: Visit,
    server_lost: bool,
    /// Whether the others were last told that we reach the server.
    told_server: bool,
    /// When the last event came.
    now: Timestamp,
    commands: VecDeque<Command>,
}

impl Core {
    /// A core that does nothing yet.
    #[must_use]
    pub fn new(config: Config, seed: Seed, now: Timestamp) -> Self {
        let faults = config.faults;
        Self {
            config,
            random: Randomness::new(seed),
            ids: Ids::default(),
            session: Session::new(),
            room: None,
            media: Media::new(faults),
            relay_only: false,
            notices: VecDeque::new(),
            noticed: 0,
            reactions: Reactions::default(),
            chat: Chat::default(),
            transfers: Transfers::new(faults),
            people: People::new(faults),
            desk: Desk::default(),
            visit: Visit::default(),
            server_lost: false,
            told_server: false,
            now,
            commands: VecDeque::new(),
        }
    }

    /// Takes one fact. Never fails and never panics, whatever a peer or a server wrote.
    pub fn handle(&mut self, now: Timestamp, event: Event) {
        self.now = now;
        match event {
            Event::Tick => self.tick(now),
            Event::Intent(intent) => self.intent(now, intent),
            Event::Socket(socket, event) => self.socket(now, socket, event),
            Event::Link(link, event) => self.link(now, link, event),
            Event::Media(event) => self.media(now, event),
            Event::File(event) => {
                self.transfers.handle_file(now, event, &mut self.commands);
                self.say_of_files();
            }
            Event::Signed {
                nonce,
                key,
                signature,
            } => self.about_people(now, |people, out| people.signed(&nonce, key, signature, out)),
            Event::SignFailed { nonce } => self.people.cannot_sign(&nonce),
            Event::OnlineChanged(online) => {
                if online {
                    self.session.hurry(now, &mut self.ids, &mut self.commands);
                }
            }
            Event::VisibilityChanged { hidden } => {
                self.session
                    .handle_visibility(now, hidden, &mut self.ids, &mut self.commands);
            }
        }
        self.tell_server(now);
        self.look_for_each_other(now);
        // Whoever closed a connection, what ran on it is cut.
        let room = self.room.as_ref();
        let is_live = |link| room.is_some_and(|room| room.has_link(link));
        self.chat.keep_links(now, is_live, &mut self.commands);
        self.transfers.keep_links(now, is_live, &mut self.commands);
        let joined = room.filter(|room| room.is_joined());
        let is_alone = joined.is_none_or(|room| room.people().next().is_none());
        let me = joined.map(|room| (room.me(), room.name()));
        self.chat.follow(now, me, is_alone, &mut self.commands);
        if let Some(room) = &mut self.room {
            room.flush(now, &mut self.session, &mut self.commands);
        }
    }

    /// Looks whether the two of a direct call are connected, and ends it where they should be by now.
    fn look_for_each_other(&mut self, now: Timestamp) {
        if !self.people.are_meeting() {
            return;
        }
        if !self.config.calls_have_rooms {
            return self.people.meet();
        }
        let room = self.room.as_ref();
        let is_connected = |peer: &Peer| peer.view().connection == ConnectionState::Connected;
        if room.is_some_and(|room| room.people().any(is_connected)) {
            return self.people.meet();
        }
        let joined = room.filter(|room| room.is_joined());
        let why = match joined {
            None => NoConnection::NoRoom,
            Some(room) if room.people().next().is_none() => NoConnection::NobodyCame,
            Some(room) => NoConnection::NoWay {
                relay: room.has_relay(),
            },
        };
        self.about_people(now, |people, out| people.look_for(now, why, out));
    }

    /// Lets the others know at once when the server can be reached again: who waits for their next
    /// try need not wait any longer.
    fn tell_server(&mut self, now: Timestamp) {
        let is_sure = self.server_road(now).is_sure;
        if core::mem::replace(&mut self.told_server, is_sure) != is_sure {
            self.in_room(now, |room, _, context| {
                room.tell_server(context);
                Vec::new()
            });
        }
    }

    fn server_road(&self, now: Timestamp) -> ServerRoad {
        self.room
            .as_ref()
            .map_or_else(ServerRoad::default, |room| room.server_road(&self.session, now))
    }

    /// The next thing to do; to be drained to `None` after every [`Core::handle`].
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When [`Event::Tick`] is wanted at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let room = self
            .room
            .as_ref()
            .and_then(|room| room.poll_timeout(self.now, &self.session));
        earliest(
            earliest(
                earliest(self.session.poll_timeout(), room),
                self.people.poll_timeout(),
            ),
            earliest(
                earliest(self.chat.poll_timeout(), self.transfers.poll_timeout()),
                earliest(self.desk.poll_timeout(), self.visit.poll_timeout()),
            ),
        )
    }

    /// The call with another person that rings, is under way, or has just ended: a part of
    /// [`Core::view`], for who looks at it after every event.
    #[must_use]
    pub const fn direct_call(&self) -> Option<&DirectCall> {
        self.people.call()
    }

    /// What there is to show now.
    #[must_use]
    pub fn view(&self) -> View {
        let room = self.room.as_ref();
        View {
            stage: room.map_or(Stage::Outside, Room::stage),
            signaling: self.session.view(),
            me: Me {
                name: room.map(|room| room.name().to_string()).unwrap_or_default(),
                peer: room.filter(|room| room.is_joined()).map(Room::me),
                microphone: self.media.view(CaptureKind::Microphone),
                camera: self.media.view(CaptureKind::Camera),
                screen: self.media.view(CaptureKind::Screen),
                screen_sound: self.media.status().screen_sound,
                recording: self.media.is_recording(),
                hand: self.media.hand(),
                chosen_microphone: self.media.chosen(CaptureKind::Microphone),
                chosen_camera: self.media.chosen(CaptureKind::Camera),
                speaker: self.media.speaker().shown(),
                chosen_speaker: self.media.speaker().chosen(),
                camera_facing: self.media.camera_facing(),
                listening_while_muted: self.media.listening_while_muted(),
            },
            people: room
                .map(|room| room.people().map(Peer::view).collect())
                .unwrap_or_default(),
            inside: room.and_then(Room::inside),
            devices: self.media.devices().to_vec(),
            hides_address: self.relay_only,
            lacks_relay: self.relay_only && room.and_then(Room::has_relay) == Some(false),
            notices: self.notices.iter().cloned().collect(),
            reactions: self.reactions.view(),
            chat: self.chat.view(),
            transfers: self.transfers.view(self.now),
            others: self.people.view(),
            desk: self.desk.view(),
            visit: self.visit.view(),
            hosting: room.map(Room::hosting).unwrap_or_default(),
        }
    }

    /// Some lines of the chat, by their places in its order. They are none of [`View`]: there may be
    /// thousands, and few are seen at a time.
    #[must_use]
    pub fn chat_lines(&self, range: Range<usize>) -> Vec<ChatLine> {
        self.chat.lines(range)
    }

    /// The numbers of all lines of the chat, in their order.
    #[must_use]
    pub fn chat_numbers(&self) -> Vec<u64> {
        self.chat.numbers()
    }

    /// Whether [`Intent::Say`] would say this.
    ///
    /// # Errors
    /// Says why not.
    pub fn check_say(&self, now: Timestamp, text: &str, to: Option<SeatId>) -> Result<(), SayError> {
        self.sayable(now, text, to).map(drop)
    }

    fn sayable(&self, now: Timestamp, text: &str, to: Option<SeatId>) -> Result<String, SayError> {
        let room = self.room.as_ref();
        let is_there = |seat| room.is_some_and(|room| room.people().any(|peer| peer.seat == seat));
        self.chat.check(now, text, to, is_there)
    }

    fn intent(&mut self, now: Timestamp, intent: Intent) {
        match intent {
            Intent::EnterRoom {
                visit,
                room,
                seat,
                chat,
                hosted,
            } => {
                let place = Place {
                    visit,
                    room,
                    seat,
                    hosted,
                };
                self.enter(now, place, chat);
            }
            Intent::Join { name } => self.join(now, name),
            Intent::HangUp => self.hang_up(now),
            Intent::LeaveRoom { visit } => self.leave(now, visit),
            Intent::Want { kind, on } => {
                self.media.want(kind, on, &mut self.ids, &mut self.commands);
                self.sync_media(now);
            }
            Intent::Talk(on) => {
                self.media.talk(on, &mut self.ids, &mut self.commands);
                self.sync_media(now);
            }
            Intent::Record(recording) => {
                let is_in = self.room.as_ref().is_some_and(Room::is_joined);
                self.media.record(recording && is_in);
                self.sync_media(now);
            }
            Intent::RaiseHand(raised) => self.raise_hand(now, raised),
            Intent::React(reaction) => self.react(now, reaction),
            Intent::HideAddress(hide) => {
                if core::mem::replace(&mut self.relay_only, hide) != hide {
                    self.in_room(now, |room, _, context| {
                        room.change_policy(context);
                        Vec::new()
                    });
                }
            }
            Intent::ChooseDevice { kind, device } => {
                self.media.choose(kind, device, &mut self.ids, &mut self.commands);
                self.sync_media(now);
            }
            Intent::ChooseSpeaker(device) => {
                self.media
                    .choose_speaker(device, &mut self.ids, &mut self.commands);
            }
            Intent::File(intent) => self.about_files(now, intent),
            Intent::People(intent) => {
                if matches!(
                    intent,
                    PeopleIntent::SignIn { .. } | PeopleIntent::SignInByToken { .. }
                ) {
                    self.session.start(now, &mut self.ids, &mut self.commands);
                }
                let call = self.random.call();
                self.about_people(now, |people, out| people.intend(now, intent, call, out));
                self.rest();
            }
            Intent::Desk(intent) => self.intend_desk(now, intent),
            Intent::Visit(intent) => self.intend_visit(now, intent),
            Intent::Host(intent) => {
                self.change_secret(now, |room, next, session, context| {
                    room.as_host(intent, next, session, context)
                });
            }
            Intent::Say { text, to, time } => {
                if let Ok(text) = self.sayable(now, &text, to) {
                    self.chat.say(now, text, to, time, &mut self.commands);
                }
            }
            Intent::FlipCamera => {
                self.media.flip(&mut self.ids, &mut self.commands);
                self.sync_media(now);
            }
        }
    }

    /// Does what may give the room another secret; its chat then gets another key.
    fn change_secret(
        &mut self,
        now: Timestamp,
        step: impl FnOnce(&mut Room, RoomSecret, &mut Session, &mut Context<'_>) -> Option<ChatKey>,
    ) {
        let next = self.random.room_secret();
        let mut key = None;
        self.in_room(now, |room, session, context| {
            key = step(room, next, session, context);
            Vec::new()
        });
        if let Some(key) = key {
            self.chat.expect_key(key);
        }
    }

    fn about_files(&mut self, now: Timestamp, intent: FileIntent) {
        let room = self.room.as_ref().filter(|room| room.is_joined());
        let people: Vec<_> = room
            .map(|room| room.people().map(|peer| (peer.seat, peer.name.clone())).collect())
            .unwrap_or_default();
        self.transfers
            .intend(now, intent, &people, &mut self.random, &mut self.commands);
        self.say_of_files();
    }

    /// Does something about people, and says and signs what comes of it.
    fn about_people(&mut self, now: Timestamp, step: impl FnOnce(&mut People, &mut people::Out)) {
        let mut out = people::Out::default();
        step(&mut self.people, &mut out);
        for request in out.requests {
            let message = ClientMessage::People(request);
            self.session.send(now, &message, &mut self.commands);
        }
        if let Some((nonce, handle)) = out.sign {
            self.commands.push_back(Command::Sign { nonce, handle });
        }
    }

    fn say_of_files(&mut self) {
        for notice in self.transfers.take_notices() {
            self.notice(notice);
        }
    }

    /// A hand goes behind all that are up already, as far as we know of them.
    fn raise_hand(&mut self, now: Timestamp, raised: bool) {
        let Some(room) = self.room.as_ref().filter(|room| room.is_joined()) else {
            return;
        };
        if raised == (self.media.hand() > 0) {
            return;
        }
        let place = if raised {
            hands::place_behind(room.people().map(Peer::hand))
        } else {
            0
        };
        self.media.raise_hand(place);
        self.sync_media(now);
    }

    fn react(&mut self, now: Timestamp, reaction: Reaction) {
        let is_in = self.room.as_ref().is_some_and(Room::is_joined);
        if is_in && self.reactions.send(now, reaction) {
            self.in_room(now, |room, _, context| {
                room.react(reaction, context);
                Vec::new()
            });
        }
    }

    fn enter(&mut self, now: Timestamp, place: Place, chat: Option<ChatKey>) {
        if let Some(visit) = self.room.as_ref().map(Room::visit) {
            self.leave(now, visit);
        }
        self.transfers.enter(&place.room);
        self.chat.enter(&place.room, place.seat.seat_id(), chat);
        let secret = self.random.session_secret();
        self.room = Some(Room::new(place, secret, self.config.clone()));
        self.media.resume(&mut self.ids, &mut self.commands);
        self.connect(now);
    }

    fn join(&mut self, now: Timestamp, name: String) {
        let secret = self.random.session_secret();
        let Some(room) = &mut self.room else { return };
        match room.stage() {
            Stage::Preparing { .. } => {}
            Stage::Ended(_) => {
                room.come_back(secret);
                self.media.resume(&mut self.ids, &mut self.commands);
            }
            Stage::Outside | Stage::Joining | Stage::Waiting | Stage::Joined => return,
        }
        self.session.start(now, &mut self.ids, &mut self.commands);
        self.in_room(now, |room, session, context| {
            room.join(name, session, context);
            Vec::new()
        });
    }

    /// Wants the server from now on, and tells it what the room is about if it is there already.
    fn connect(&mut self, now: Timestamp) {
        self.session.start(now, &mut self.ids, &mut self.commands);
        if self.session.is_open()
            && let Some(room) = &mut self.room
        {
            room.handle_opened(now, &mut self.session, &mut self.commands);
        }
    }

    fn hang_up(&mut self, now: Timestamp) {
        let Some(room) = self.room.as_mut().filter(|room| !room.is_over()) else {
            return;
        };
        if room.stage() == Stage::Waiting {
            let next = self.random.session_secret();
            return room.stop_waiting(now, next, &mut self.session, &mut self.commands);
        }
        self.session
            .send(now, &ClientMessage::Leave {}, &mut self.commands);
        room.take_leave(now, &mut self.commands);
        room.end(EndReason::HungUp, &mut self.commands);
        self.let_go();
    }

    fn leave(&mut self, now: Timestamp, visit: VisitId) {
        if self.room.as_ref().is_some_and(|room| room.visit() == visit) {
            self.hang_up(now);
            // Who waited is on the page before joining now, and leaves that as well.
            self.hang_up(now);
            self.room = None;
            self.let_go();
        }
    }

    fn let_go(&mut self) {
        if !self.wants_server() {
            self.session.stop(&mut self.commands);
        }
        self.media.release_all(&mut self.commands);
        self.reactions.clear();
        self.server_lost = false;
    }

    fn socket(&mut self, now: Timestamp, socket: SocketId, event: SocketEvent) {
        let happening = self
            .session
            .handle_socket(now, socket, event, &mut self.random, &mut self.commands);
        if let Some(happening) = happening {
            self.happened(now, happening);
        }
    }

    fn happened(&mut self, now: Timestamp, happening: Happening) {
        match &happening {
            Happening::Opened | Happening::Reopened => {
                self.about_people(now, People::opened);
                self.about_desk(now, Desk::opened);
                self.about_visit(now, Visit::opened);
            }
            Happening::Lost | Happening::Ended(_) => {
                self.people.lost(now);
                self.desk.lost();
                self.visit.lost();
            }
            Happening::Message(ServerMessage::People(event)) => {
                let event = event.clone();
                return self.about_people(now, |people, out| people.handle(now, event, out));
            }
            Happening::Message(ServerMessage::Error {
                code,
                about: Some(about),
                ..
            }) if people::is_about(about) => {
                return self.about_people(now, |people, out| people.refused(now, *code, about, out));
            }
            Happening::Message(message) if self.is_of_appointments(now, message) => return,
            Happening::Message(_) => {}
        }
        match happening {
            Happening::Opened => {
                if let Some(room) = &mut self.room {
                    room.handle_opened(now, &mut self.session, &mut self.commands);
                }
            }
            Happening::Message(message) => {
                let joined = matches!(message, ServerMessage::Joined { .. });
                if joined && core::mem::take(&mut self.server_lost) {
                    self.notice(NoticeKind::ServerBack);
                }
                self.in_room(now, |room, session, context| {
                    room.handle_message(message, session, context)
                });
                if self.room.as_ref().is_some_and(Room::is_over) {
                    self.let_go();
                }
            }
            Happening::Reopened => {
                if let Some(room) = &mut self.room {
                    room.handle_lost(&mut self.commands);
                    room.handle_opened(now, &mut self.session, &mut self.commands);
                }
            }
            Happening::Lost => {
                if let Some(room) = &mut self.room {
                    room.handle_lost(&mut self.commands);
                    if room.is_joined() && !core::mem::replace(&mut self.server_lost, true) {
                        self.notice(NoticeKind::ServerLost);
                    }
                }
            }
            Happening::Ended(code) => {
                if let Some(room) = &mut self.room {
                    room.end(reason(code), &mut self.commands);
                }
                if reason(code) != EndReason::SeatMoved {
                    self.desk.ended();
                    self.visit.ended();
                }
                self.let_go();
                // The seat went elsewhere; whose calls ring here is another matter.
                if reason(code) == EndReason::SeatMoved && self.wants_server() {
                    self.session.start(now, &mut self.ids, &mut self.commands);
                }
            }
        }
    }

    fn link(&mut self, now: Timestamp, link: LinkId, event: LinkEvent) {
        self.in_room(now, |room, _, context| {
            if let Some(peer) = room.peer_of_link(link) {
                peer.handle_link(event, context);
            }
            Vec::new()
        });
    }

    fn media(&mut self, now: Timestamp, event: MediaEvent) {
        let mut notices = self.media.handle(event, &mut self.ids, &mut self.commands);
        // Before joining the preview itself says what is wrong.
        notices.retain(|_| self.room.as_ref().is_some_and(Room::is_joined));
        for notice in notices {
            self.notice(notice);
        }
        self.sync_media(now);
    }

    fn sync_media(&mut self, now: Timestamp) {
        self.in_room(now, |room, _, context| {
            room.sync_media(context);
            Vec::new()
        });
    }

    fn tick(&mut self, now: Timestamp) {
        let happening = self
            .session
            .handle_tick(now, &mut self.ids, &mut self.random, &mut self.commands);
        if let Some(happening) = happening {
            self.happened(now, happening);
        }
        self.in_room(now, |room, session, context| room.handle_tick(session, context));
        if self.room.as_ref().is_some_and(|room| room.must_rename(now)) {
            self.change_secret(now, Room::rename);
        }
        self.chat.handle_tick(now, &mut self.commands);
        self.transfers.handle_tick(now, &mut self.commands);
        self.about_people(now, |people, out| people.handle_tick(now, out));
        self.about_desk(now, |desk, out| desk.handle_tick(now, out));
        self.about_visit(now, |visit, out| visit.handle_tick(now, out));
        self.say_of_files();
    }

    fn in_room(
        &mut self,
        now: Timestamp,
        step: impl FnOnce(&mut Room, &mut Session, &mut Context<'_>) -> Vec<NoticeKind>,
    ) {
        let server = self.server_road(now);
        let Some(room) = &mut self.room else { return };
        let ice: Vec<IceServer> = room.ice();
        let mut context = Context {
            now,
            ids: &mut self.ids,
            commands: &mut self.commands,
            media: &self.media,
            ice: &ice,
            relay_only: self.relay_only,
            failed_is_final: self.config.failed_is_final,
            restarts_well: self.config.restarts_well,
            faults: self.config.faults,
            server,
            signs: Signs::default(),
        };
        let mut notices = step(room, &mut self.session, &mut context);
        let departed = core::mem::take(&mut context.signs.departed);
        room.depart(departed, &mut context);
        for told in core::mem::take(&mut context.signs.secrets) {
            if let Some(key) = room.hear_secret(told, &mut context) {
                self.chat.expect_key(key);
            }
        }
        for (from, secret) in core::mem::take(&mut context.signs.withdrawn) {
            room.hear_withdrawn(from, secret);
        }
        let signs = context.signs;
        notices.extend(signs.notices);
        if let Some((id, secret)) = room.take_new_link() {
            self.chat.moved(&id, secret.chat_key(&id));
            self.transfers.moved(&id);
            notices.push(NoticeKind::LinkChanged);
        }
        for (seat, name, reaction) in signs.reactions {
            notices.extend(self.reactions.take(now, seat, name, reaction));
        }
        for (whose, channel, event) in signs.aside {
            match channel {
                SideChannel::Chat => {
                    notices.extend(self.chat.handle_side(now, &whose, event, &mut self.commands));
                }
                SideChannel::Files => self.transfers.handle_side(now, &whose, event, &mut self.commands),
            }
        }
        self.say_of_files();
        if signs.of_return {
            self.session.hurry(now, &mut self.ids, &mut self.commands);
        }
        if signs.of_loss {
            self.session.probe(now, &mut self.ids, &mut self.commands);
        }
        for notice in notices {
            self.notice(notice);
        }
    }

    fn notice(&mut self, kind: NoticeKind) {
        self.noticed += 1;
        self.notices.push_back(Notice {
            number: self.noticed,
            kind,
        });
        while self.notices.len() > NOTICES {
            self.notices.pop_front();
        }
    }
}

const fn reason(code: CloseCode) -> EndReason {
    match code {
        CloseCode::SeatMoved | CloseCode::Superseded => EndReason::SeatMoved,
        CloseCode::Version => EndReason::PageOutdated,
        CloseCode::Normal
        | CloseCode::ProtocolError
        | CloseCode::Unsupported
        | CloseCode::NotUtf8
        | CloseCode::TooBig
        | CloseCode::Restart
        | CloseCode::TryAgainLater
        | CloseCode::BadMessage
        | CloseCode::NoHello
        | CloseCode::Silent
        | CloseCode::RateLimited => EndReason::Refused,
    }
}
