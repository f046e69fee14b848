//! Rooms with a host: who comes in, who waits, and what becomes of the link when somebody is removed.
//!
//! The host's page draws the room's next secret, tells it to those who stay over their connections, and only
//! then asks the server to remove somebody. The server renames the room by an id that it cannot have made up
//! itself, and whoever has heard the secret of that id has the new link. So nobody is ever left in a room
//! whose link they do not know, and the server never reads a secret.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::{
    Charter, ChatKey, Claim, ClientMessage, Epoch, ErrorCode, Gate, HostRequest, HostSecret, Hosting as Told,
    LeaveReason, Pass, PeerEntry, PeerId, RoomId, RoomSecret, SeatId, SessionSecret, Waiter, limits,
};

use super::{Asked, Room, Standing};
use crate::command::Command;
use crate::fault::Fault;
use crate::peer::{Context, SecretTold};
use crate::session::Session;
use crate::time::{Timestamp, earliest};
use crate::view::{EndReason, HostingView, JoinProblem, Knock, NoticeKind};

/// Secrets that were heard of and are not in force: a host that tries again draws a new one each time.
const HEARD: usize = 8;
/// How long a host waits to be told the room's secret by the others before the room gets another.
const UNKNOWN_FOR: Duration = Duration::from_secs(10);
/// How long the server may take to say what peers have said already: that the room has moved. A server
/// that was started anew does not know it, and then we sit in a room that the others have left.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(4);

/// What the link of a room with a host says beyond its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosted {
    /// The room's name, of which its ids are made.
    pub name: String,
    /// The link's secret: others may know an older one.
    pub secret: RoomSecret,
    /// Makes this browser the host.
    pub host: Option<HostSecret>,
}

/// What a host wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostIntent {
    /// To set who comes in without being asked.
    SetGate(Gate),
    /// To let people in who wait.
    Admit(Vec<PeerId>),
    /// To send somebody away who waits.
    Decline {
        /// Whom.
        peer: PeerId,
        /// What they are told; may be empty.
        word: String,
    },
    /// To send somebody away who is inside.
    Remove(SeatId),
    /// To ask somebody to turn their microphone off.
    AskMute(SeatId),
}

/// A secret that was told, and is not in force yet.
#[derive(Clone, Debug)]
struct Heard {
    secret: RoomSecret,
    /// In which life of the server.
    epoch: Option<Epoch>,
    /// Who was sent away, as the host said.
    without: Vec<SeatId>,
    /// Who said so; none for what this page says itself.
    from: Option<PeerId>,
}

/// Somebody whom this page sent away, or wanted to.
#[derive(Clone, Copy, Debug)]
struct Removal {
    peer: PeerId,
    seat: SeatId,
    /// The secret that the room gets.
    next: RoomSecret,
}

/// Keeps the newest few secrets.
fn keep_some(book: &mut VecDeque<RoomSecret>, secret: RoomSecret) {
    if book.len() >= HEARD {
        book.pop_front();
    }
    book.push_back(secret);
}

/// What a room knows of its host, its gate and its link.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosting {
    /// As the link says; none where the room has no host.
    pub(super) hosted: Option<Hosted>,
    pub(super) is_host: bool,
    pub(super) gate: Gate,
    /// Whether the gate is shut for us, as far as the page before joining knows.
    shut: bool,
    pass: Option<Pass>,
    waiting: Vec<Knock>,
    /// Of whose knock the person was told.
    known_waiting: Vec<PeerId>,
    /// The secret since somebody was removed; the link's own one before.
    secret: Option<RoomSecret>,
    /// Those that it had before, the newest last: no word of theirs that comes late leads back.
    former: VecDeque<RoomSecret>,
    /// Those that were told of before the one in force and that it never had, as far as we know.
    skipped: VecDeque<RoomSecret>,
    /// Whom the host sent away, up to the secret that is in force, or wanted to.
    without: Vec<SeatId>,
    /// Those of them who are told nothing of it. Whom the server lists in a room of that secret has stayed.
    untold: Vec<SeatId>,
    heard: VecDeque<Heard>,
    /// Whom this page sent away or wanted to, the newest last.
    removing: VecDeque<Removal>,
    /// The room's id, as the server called it last.
    called: Option<RoomId>,
    /// The room's id as the server has it, while we do not know its secret.
    moved: Option<RoomId>,
    /// Until when the server is to say that the room has moved.
    confirm_at: Option<Timestamp>,
    /// When a host gives the room another secret, because nobody inside tells the one that it has.
    rename_at: Option<Timestamp>,
    /// Why the host sent us away.
    word: Option<String>,
}

impl Hosting {
    pub(super) const fn new(hosted: Option<Hosted>) -> Self {
        Self {
            hosted,
            is_host: false,
            gate: Gate {
                waiting_room: false,
                locked: false,
            },
            shut: false,
            pass: None,
            waiting: Vec::new(),
            known_waiting: Vec::new(),
            secret: None,
            former: VecDeque::new(),
            skipped: VecDeque::new(),
            without: Vec::new(),
            untold: Vec::new(),
            heard: VecDeque::new(),
            removing: VecDeque::new(),
            called: None,
            moved: None,
            confirm_at: None,
            rename_at: None,
            word: None,
        }
    }

    pub(super) fn claim(&self) -> Claim {
        Claim {
            host: self.hosted.as_ref().and_then(|hosted| hosted.host),
            pass: self.pass,
        }
    }

    pub(super) const fn has_pass(&self) -> bool {
        self.pass.is_some()
    }

    /// What is over with the stay in the room.
    pub(super) fn leave(&mut self) {
        self.is_host = false;
        self.waiting.clear();
        self.confirm_at = None;
        self.rename_at = None;
    }

    pub(super) fn watched(&mut self, gate: Gate, shut: bool) {
        (self.gate, self.shut) = (gate, shut);
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        earliest(self.confirm_at, self.rename_at)
    }

    /// The secret that is in force: the link's, or one since.
    fn current(&self) -> Option<RoomSecret> {
        let of_link = self.hosted.as_ref().map(|hosted| hosted.secret);
        self.secret.or(of_link)
    }

    fn knows(&self, secret: RoomSecret) -> bool {
        self.heard.iter().any(|heard| heard.secret == secret)
    }

    /// In which life of the server a secret was told.
    fn heard_in(&self, secret: RoomSecret) -> Option<Epoch> {
        self.heard.iter().find(|heard| heard.secret == secret)?.epoch
    }

    fn note(&mut self, heard: Heard) {
        if !self.knows(heard.secret) {
            if self.heard.len() >= HEARD {
                self.heard.pop_front();
            }
            self.heard.push_back(heard);
        }
    }

    /// Notes whom this page wants to send away. Two clicks may come before the server has answered the first:
    /// whoever it is about hears no secret any more.
    fn note_removal(&mut self, removal: Removal) -> Vec<SeatId> {
        self.removing.retain(|known| known.seat != removal.seat);
        self.removing.push_back(removal);
        if self.removing.len() > limits::REMOVED_TOLD {
            self.removing.pop_front();
        }
        self.sent_away()
    }

    fn sent_away(&self) -> Vec<SeatId> {
        self.removing.iter().map(|removal| removal.seat).collect()
    }
}

impl Room {
    /// Whose the room is, as its id says.
    pub(crate) fn charter(&self) -> Option<Charter> {
        self.place.room.charter()
    }

    pub(crate) fn hosting(&self) -> HostingView {
        let hosting = &self.hosting;
        HostingView {
            has_host: self.charter().is_some(),
            is_host: hosting.is_host,
            gate: hosting.gate,
            is_shut: hosting.shut,
            waiting: hosting.waiting.clone(),
            secret: hosting.secret,
            is_link_old: hosting.moved.is_some(),
            word: hosting.word.clone(),
        }
    }

    /// The life of the server that gave us our seat.
    const fn epoch(&self) -> Option<Epoch> {
        match self.standing {
            Standing::Joined { epoch, .. } => Some(epoch),
            Standing::Preparing { .. } | Standing::Joining | Standing::Waiting | Standing::Ended(_) => None,
        }
    }

    /// The id that a secret gives this room.
    fn id_by(&self, secret: &RoomSecret) -> Option<RoomId> {
        let name = &self.hosting.hosted.as_ref()?.name;
        Some(RoomId::derive_hosted(name, secret, self.charter()?))
    }

    /// The answer to `join` or `resume` says how it stands.
    pub(super) fn told_hosting(
        &mut self,
        told: Told,
        (epoch, version): (Epoch, u64),
        session: &mut Session,
        context: &mut Context<'_>,
    ) {
        let now = context.now;
        let is_forgotten = match self.standing {
            Standing::Joined {
                epoch: known,
                version: read,
            } => known != epoch || version < read,
            Standing::Preparing { .. } | Standing::Joining | Standing::Waiting | Standing::Ended(_) => false,
        };
        let hosting = &mut self.hosting;
        if told.host && is_forgotten && told.gate != hosting.gate {
            // A server that was started anew has the gate of the link, and so has a room whose seats were all
            // given up. Who shut it, or opened it, did so for this call.
            let gate = HostRequest::SetGate { gate: hosting.gate };
            session.send(now, &ClientMessage::Host(gate), context.commands);
        } else {
            hosting.gate = told.gate;
        }
        hosting.is_host = told.host;
        hosting.shut = false;
        hosting.word = None;
        if told.pass.is_some() {
            hosting.pass = told.pass;
        }
        // A host is told again who waits, if anybody does.
        hosting.waiting.clear();
        if let Some(room) = told.room.or_else(|| self.asked_as.clone()) {
            self.is_called(now, room);
        }
    }

    /// The host lets people in: there is nothing to do but wait.
    pub(super) fn must_wait(&mut self, context: &mut Context<'_>) {
        if self.is_joined() {
            // A server that was started anew knows nobody. The call goes on, and the host lets us in: until
            // then the answer to `join` is still to come.
            return;
        }
        self.asked = Asked::Nothing;
        self.close_peers(context.commands);
        self.standing = Standing::Waiting;
        self.hosting.word = None;
    }

    pub(super) fn declined(&mut self, word: String, session: &mut Session, context: &mut Context<'_>) {
        if self.is_joined() {
            return self.end(EndReason::Removed, context.commands);
        }
        if self.standing != Standing::Waiting && self.standing != Standing::Joining {
            return;
        }
        self.asked = Asked::Nothing;
        self.rejoin_at = None;
        self.hosting.word = Some(visavis_protocol::text::clean_text(&word)).filter(|word| !word.is_empty());
        self.standing = Standing::Preparing {
            problem: Some(JoinProblem::Declined),
        };
        self.watch(context.now, session, context.commands);
    }

    /// Gets up from the waiting room, to come back as somebody else if at all: a host may let in who has gone
    /// meanwhile.
    pub(crate) fn stop_waiting(
        &mut self,
        now: Timestamp,
        next: SessionSecret,
        session: &mut Session,
        commands: &mut VecDeque<Command>,
    ) {
        session.send(now, &ClientMessage::Leave {}, commands);
        self.asked = Asked::Nothing;
        let next = if self.config.faults.has(Fault::LetInAfterLeaving) {
            self.session
        } else {
            next
        };
        self.come_back(next);
        self.watch(now, session, commands);
    }

    /// Who waits, for a host. Those who were in the call before the server was started anew come in at once.
    pub(super) fn knocked(
        &mut self,
        waiting: Vec<Waiter>,
        session: &mut Session,
        context: &mut Context<'_>,
    ) -> Vec<NoticeKind> {
        let now = context.now;
        let known: Vec<PeerId> = self.peers.iter().map(|peer| peer.id).collect();
        let back: Vec<PeerId> = waiting
            .iter()
            .map(|waiter| waiter.peer)
            .filter(|peer| known.contains(peer))
            .collect();
        let all: Vec<PeerId> = waiting.iter().map(|waiter| waiter.peer).collect();
        let before = core::mem::replace(&mut self.hosting.known_waiting, all);
        self.hosting.waiting = waiting
            .into_iter()
            .filter(|waiter| !back.contains(&waiter.peer))
            .take(limits::ROOM_WAITING)
            .map(|waiter| Knock {
                peer: waiter.peer,
                name: waiter.name,
                since: now - Duration::from_millis(waiter.waited_ms),
                away: waiter.away,
            })
            .collect();
        if !back.is_empty() {
            self.ask_as_host(HostRequest::Admit { peers: back }, now, session, context.commands);
        }
        let is_new = |knock: &&Knock| !before.contains(&knock.peer);
        self.hosting
            .waiting
            .iter()
            .filter(is_new)
            .map(|knock| NoticeKind::Knocked {
                name: knock.name.clone(),
            })
            .collect()
    }

    fn ask_as_host(
        &self,
        request: HostRequest,
        now: Timestamp,
        session: &mut Session,
        commands: &mut VecDeque<Command>,
    ) {
        session.send(now, &ClientMessage::Host(request), commands);
    }

    /// What a host wants. `next` is the secret that the room gets should somebody be removed; then the key that
    /// its chat gets is returned.
    pub(crate) fn as_host(
        &mut self,
        intent: HostIntent,
        next: RoomSecret,
        session: &mut Session,
        context: &mut Context<'_>,
    ) -> Option<ChatKey> {
        if !self.hosting.is_host || !self.is_joined() {
            return None;
        }
        if !session.is_open() && !matches!(intent, HostIntent::AskMute(_)) {
            // Only the server can do it, and it is away: nothing is announced that will not be.
            context.signs.notices.push(NoticeKind::HostRefused);
            return None;
        }
        let mut key = None;
        let request = match intent {
            HostIntent::SetGate(gate) => HostRequest::SetGate { gate },
            HostIntent::Admit(peers) => HostRequest::Admit { peers },
            HostIntent::Decline { peer, word } => HostRequest::Decline { peer, word },
            HostIntent::Remove(seat) => {
                let whom = self.peers.iter().find(|peer| peer.seat == seat);
                let (peer, id) = whom.map(|peer| peer.id).zip(self.id_by(&next))?;
                let without = self.hosting.note_removal(Removal { peer, seat, next });
                key = Some(next.chat_key(&id));
                self.announce(next, without, context.commands);
                HostRequest::Remove { peer, next: id }
            }
            HostIntent::AskMute(seat) => {
                if let Some(peer) = self.peers.iter_mut().find(|peer| peer.seat == seat) {
                    peer.ask_to_mute();
                }
                return None;
            }
        };
        self.ask_as_host(request, context.now, session, context.commands);
        key
    }

    /// Says which secret the room is to get to all but those who are sent away.
    fn announce(&mut self, next: RoomSecret, without: Vec<SeatId>, commands: &mut VecDeque<Command>) {
        for other in self.peers.iter().filter(|other| !without.contains(&other.seat)) {
            other.say_secret(next, false, without.clone(), commands);
        }
        let epoch = self.epoch();
        self.hosting.note(Heard {
            secret: next,
            epoch,
            without,
            from: None,
        });
    }

    /// Whether it is time for a host to give the room another secret: nobody inside knows the one it has.
    pub(crate) fn must_rename(&self, now: Timestamp) -> bool {
        self.hosting.rename_at.is_some_and(|at| now >= at)
    }

    /// Gives the room another secret. Returns the key that its chat gets.
    pub(crate) fn rename(
        &mut self,
        next: RoomSecret,
        session: &mut Session,
        context: &mut Context<'_>,
    ) -> Option<ChatKey> {
        let now = context.now;
        self.hosting.rename_at = Some(now + UNKNOWN_FOR);
        if !self.is_joined() || self.asked != Asked::Nothing || !session.is_open() {
            return None;
        }
        let id = self.id_by(&next)?;
        let without = self.hosting.sent_away();
        self.announce(next, without, context.commands);
        let key = next.chat_key(&id);
        self.ask_as_host(HostRequest::Rename { next: id }, now, session, context.commands);
        Some(key)
    }

    /// The server says what the room is called.
    pub(super) fn is_called(&mut self, now: Timestamp, room: RoomId) {
        self.hosting.called = Some(room.clone());
        let is_former = |secret: &RoomSecret| self.id_by(secret).as_ref() == Some(&room);
        if self.hosting.confirm_at.is_some() && self.hosting.former.iter().any(is_former) {
            // The others told of a later move already. The server's word for that one is still to come; or it
            // was started anew, and seated us by what it was asked.
            return;
        }
        self.hosting.confirm_at = None;
        self.hosting.moved = Some(room).filter(|room| *room != self.place.room);
        self.settle(now);
    }

    /// The server lists somebody new. Where it calls the room as we do, they are not sent away, whoever was.
    pub(super) fn came_in(&mut self, entry: &PeerEntry) {
        let hosting = &mut self.hosting;
        if hosting.called.as_ref() == Some(&self.place.room) {
            hosting.untold.retain(|seat| *seat != entry.seat);
            hosting
                .removing
                .retain(|removal| removal.seat != entry.seat || removal.peer == entry.peer);
        }
    }

    /// A peer told the secret that the room gets, or has. Returns the key of its chat, if that is news.
    pub(crate) fn hear_secret(&mut self, told: SecretTold, context: &mut Context<'_>) -> Option<ChatKey> {
        let now = context.now;
        let server_is_open = context.server.is_open;
        let SecretTold {
            from,
            secret,
            moved,
            mut without,
        } = told;
        let is_host = self
            .position(from)
            .and_then(|at| self.peers.get(at))
            .is_some_and(|peer| peer.is_host);
        let id = self.id_by(&secret).filter(|id| *id != self.place.room)?;
        let is_told = self.hosting.moved.as_ref() == Some(&id);
        let is_past = self.hosting.former.contains(&secret) || self.hosting.skipped.contains(&secret);
        if is_past && !is_told {
            return None;
        }
        let is_known = self.hosting.knows(secret);
        let epoch_of_word = self.hosting.heard_in(secret);
        let key = (is_host && !is_known).then(|| secret.chat_key(&id));
        if is_host || is_told {
            // Who is sent away is the host's to say.
            let own = self.place.seat.seat_id();
            without.retain(|seat| is_host && *seat != own);
            without.truncate(limits::REMOVED_TOLD);
            let epoch = self.epoch();
            self.hosting.note(Heard {
                secret,
                epoch,
                without,
                from: Some(from),
            });
        }
        self.settle(now);
        // Who missed the server's word, because the server is away or was started anew, has it from the
        // others: a host alone, or anybody who repeats what a host had announced. While the server that heard
        // the host is there it says so itself: what it never did is nobody else's to do.
        let repeats = is_known && (!server_is_open || epoch_of_word != self.epoch());
        if moved && self.place.room != id && (is_host || repeats) && self.hosting.moved.is_none() {
            self.take_on(secret, id);
            self.hosting.confirm_at = Some(now + CONFIRMED_WITHIN);
            if is_host && !server_is_open {
                self.part_from_the_removed(context);
            }
        }
        key
    }

    /// Whom the host sent away goes, where there is no server to say so.
    fn part_from_the_removed(&mut self, context: &mut Context<'_>) {
        for seat in self.hosting.without.clone() {
            let peer = self.peers.iter().find(|peer| peer.seat == seat);
            if let Some(peer) = peer.map(|peer| peer.id) {
                let notice = self.peer_left(peer, LeaveReason::Removed, context);
                context.signs.notices.extend(notice);
            }
        }
    }

    /// The server would not do what a host had announced: nobody is to take it for done, whoever says so.
    pub(crate) fn hear_withdrawn(&mut self, from: PeerId, secret: RoomSecret) {
        self.hosting
            .heard
            .retain(|heard| heard.secret != secret || heard.from != Some(from));
    }

    /// Takes the new link on once both its secret and the server's word for it are there.
    fn settle(&mut self, now: Timestamp) {
        let Some(moved) = self.hosting.moved.clone() else {
            self.hosting.rename_at = None;
            return;
        };
        let secret = self
            .hosting
            .heard
            .iter()
            .map(|heard| heard.secret)
            .chain(self.hosting.former.iter().copied())
            .chain(self.hosting.skipped.iter().copied())
            .find(|secret| self.id_by(secret).as_ref() == Some(&moved));
        let hosting = &mut self.hosting;
        match secret {
            Some(secret) => self.take_on(secret, moved),
            None if hosting.is_host => _ = hosting.rename_at.get_or_insert(now + UNKNOWN_FOR),
            None => hosting.rename_at = None,
        }
    }

    fn take_on(&mut self, secret: RoomSecret, id: RoomId) {
        self.place.room = id;
        let hosting = &mut self.hosting;
        if let Some(before) = hosting.current() {
            keep_some(&mut hosting.former, before);
        }
        hosting.secret = Some(secret);
        hosting.moved = None;
        hosting.rename_at = None;
        // Those before it never came to be, unless the server still says so.
        let at = hosting.heard.iter().position(|heard| heard.secret == secret);
        for heard in hosting.heard.drain(..at.map_or(0, |at| at + 1)) {
            if heard.secret == secret {
                hosting.untold.clone_from(&heard.without);
                hosting.without = heard.without;
            } else {
                keep_some(&mut hosting.skipped, heard.secret);
            }
        }
        self.is_new_link = true;
    }

    /// Takes note of those whom the server lists. If it calls the room by the secret that is in force, nobody
    /// who was sent away is among them.
    pub(super) fn listed(&mut self, told: &Told, entries: &[PeerEntry]) {
        if told.room.as_ref().or(self.asked_as.as_ref()) == Some(&self.place.room) {
            let is_listed = |seat: &SeatId| entries.iter().any(|entry| entry.seat == *seat);
            self.hosting.untold.retain(|seat| !is_listed(seat));
        }
    }

    /// The room's id and secret, once after they have changed.
    pub(crate) fn take_new_link(&mut self) -> Option<(RoomId, RoomSecret)> {
        let is_new = core::mem::take(&mut self.is_new_link);
        let secret = self.hosting.secret.filter(|_| is_new)?;
        Some((self.place.room.clone(), secret))
    }

    /// The server did not say that the room has moved: it knows it by its old id, and we sit there alone.
    pub(super) fn follow_the_others(
        &mut self,
        now: Timestamp,
        session: &mut Session,
        commands: &mut VecDeque<Command>,
    ) {
        if self.hosting.confirm_at.is_none_or(|at| now < at) || !session.is_open() {
            return;
        }
        if !self.is_joined() {
            self.hosting.confirm_at = None;
        } else if self.asked != Asked::Nothing && self.asked_as.as_ref() == Some(&self.place.room) {
            self.hosting.confirm_at = Some(now + CONFIRMED_WITHIN);
        } else {
            self.hosting.confirm_at = None;
            session.send(now, &ClientMessage::Leave {}, commands);
            self.ask_to_join(now, session, commands);
        }
    }

    /// Tells the new secret on every connection on which it was not told.
    pub(super) fn tell_secret(&mut self, commands: &mut VecDeque<Command>) {
        // Whoever came by a link of before knows none that is worth telling, until somebody tells them.
        let current = self.hosting.current().filter(|_| self.hosting.moved.is_none());
        if let Some(secret) = current {
            let untold = &self.hosting.untold;
            let to_all = self.config.faults.has(Fault::SecretToldToAll);
            for peer in self
                .peers
                .iter_mut()
                .filter(|peer| to_all || !untold.contains(&peer.seat))
            {
                peer.tell_secret(secret, &self.hosting.without, commands);
            }
        }
    }

    /// The server would not do what a host asked.
    pub(super) fn host_refused(
        &mut self,
        code: ErrorCode,
        about: &str,
        peer: Option<PeerId>,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        if about == "remove_peer" {
            // They stay, and hear of the next link like everybody; what was announced for them comes to nothing.
            let is_refused = |removal: &Removal| peer.is_none_or(|peer| removal.peer == peer);
            let refused = self.hosting.removing.iter().copied().filter(is_refused);
            let void: Vec<RoomSecret> = refused.map(|removal| removal.next).collect();
            let peers = &self.peers;
            let is_here = |removal: &Removal| peers.iter().any(|peer| peer.id == removal.peer);
            self.hosting
                .removing
                .retain(|removal| !(is_refused(removal) && is_here(removal)));
            self.hosting.heard.retain(|heard| !void.contains(&heard.secret));
            for (other, secret) in self
                .peers
                .iter()
                .flat_map(|other| void.iter().map(move |secret| (other, *secret)))
            {
                other.withdraw_secret(secret, commands);
            }
        }
        let is_about_host = ["set_gate", "admit", "decline_waiting", "remove_peer", "host"].contains(&about);
        let is_full = code == ErrorCode::RoomFull;
        is_about_host.then_some(if is_full {
            NoticeKind::NoSeatForWaiting
        } else {
            NoticeKind::HostRefused
        })
    }
}
