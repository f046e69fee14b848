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
    Charter, ChatKey, Claim, ClientMessage, ErrorCode, Gate, HostRequest, HostSecret, Hosting as Told, Pass,
    PeerId, RoomId, RoomSecret, SeatId, Waiter, limits,
};

use super::{Asked, Room, Standing};
use crate::command::Command;
use crate::peer::Context;
use crate::session::Session;
use crate::time::Timestamp;
use crate::view::{EndReason, HostingView, JoinProblem, Knock, NoticeKind};

/// Secrets that were heard of and are not in force: a host that tries again draws a new one each time.
const HEARD: usize = 8;
/// How long the server may take to say what peers have said already: that the room has moved. A server
/// that was started anew does not know it, and then we sit in a room that the others have left.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(4);

/// What the link of a room with a host says beyond its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosted {
    /// The room's name, of which its ids are made.
    pub name: String,
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
    /// The secret since somebody was removed; the link's own one before.
    secret: Option<RoomSecret>,
    heard: VecDeque<RoomSecret>,
    /// The room's id as the server has it, while we do not know its secret.
    moved: Option<RoomId>,
    /// Until when the server is to say that the room has moved.
    confirm_at: Option<Timestamp>,
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
            secret: None,
            heard: VecDeque::new(),
            moved: None,
            confirm_at: None,
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
    }

    pub(super) fn watched(&mut self, gate: Gate, shut: bool) {
        (self.gate, self.shut) = (gate, shut);
    }

    pub(super) const fn poll_timeout(&self) -> Option<Timestamp> {
        self.confirm_at
    }

    fn note(&mut self, secret: RoomSecret) {
        if !self.heard.contains(&secret) {
            if self.heard.len() >= HEARD {
                self.heard.pop_front();
            }
            self.heard.push_back(secret);
        }
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

    /// The id that a secret gives this room.
    fn id_by(&self, secret: &RoomSecret) -> Option<RoomId> {
        let name = &self.hosting.hosted.as_ref()?.name;
        Some(RoomId::derive_hosted(name, secret, self.charter()?))
    }

    /// The answer to `join` or `resume` says how it stands.
    pub(super) fn told_hosting(&mut self, told: Told) {
        let hosting = &mut self.hosting;
        hosting.is_host = told.host;
        hosting.gate = told.gate;
        hosting.shut = false;
        hosting.word = None;
        if told.pass.is_some() {
            hosting.pass = told.pass;
        }
        if !told.host {
            hosting.waiting.clear();
        }
        hosting.confirm_at = None;
        let moved = told.room.filter(|room| *room != self.place.room);
        self.hosting.moved = moved;
        self.settle();
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
        self.hosting.word = Some(visavis_protocol::text::clean_text(&word)).filter(|word| !word.is_empty());
        self.standing = Standing::Preparing {
            problem: Some(JoinProblem::Declined),
        };
        self.watch(context.now, session, context.commands);
    }

    /// Gets up from the waiting room; returns whether we sat there.
    pub(crate) fn stop_waiting(
        &mut self,
        now: Timestamp,
        session: &mut Session,
        commands: &mut VecDeque<Command>,
    ) -> bool {
        if self.standing != Standing::Waiting {
            return false;
        }
        session.send(now, &ClientMessage::Leave {}, commands);
        self.asked = Asked::Nothing;
        self.standing = Standing::Preparing { problem: None };
        self.occupancy_known = false;
        self.watch(now, session, commands);
        true
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
        let before: Vec<PeerId> = self.hosting.waiting.iter().map(|knock| knock.peer).collect();
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
        let mut key = None;
        let request = match intent {
            HostIntent::SetGate(gate) => HostRequest::SetGate { gate },
            HostIntent::Admit(peers) => HostRequest::Admit { peers },
            HostIntent::Decline { peer, word } => HostRequest::Decline { peer, word },
            HostIntent::Remove(seat) => {
                let whom = self.peers.iter().find(|peer| peer.seat == seat);
                let (peer, id) = whom.map(|peer| peer.id).zip(self.id_by(&next))?;
                self.hosting.note(next);
                key = Some(next.chat_key(&id));
                for other in self.peers.iter().filter(|other| other.id != peer) {
                    other.say_secret(next, false, context.commands);
                }
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

    /// The server renamed the room.
    pub(super) fn moved(&mut self, room: RoomId) {
        self.hosting.confirm_at = None;
        self.hosting.moved = Some(room).filter(|room| *room != self.place.room);
        self.settle();
    }

    /// A peer told the secret that the room gets, or has. Returns the key of its chat, if that is news.
    pub(crate) fn hear_secret(
        &mut self,
        from: PeerId,
        secret: RoomSecret,
        moved: bool,
        now: Timestamp,
    ) -> Option<ChatKey> {
        let is_host = self
            .position(from)
            .and_then(|at| self.peers.get(at))
            .is_some_and(|peer| peer.is_host);
        let id = self.id_by(&secret).filter(|id| *id != self.place.room)?;
        let is_told = self.hosting.moved.as_ref() == Some(&id);
        let is_known = self.hosting.heard.contains(&secret);
        let key = (is_host && !is_known).then(|| secret.chat_key(&id));
        if is_host || is_told {
            self.hosting.note(secret);
        }
        self.settle();
        // Who missed the server's word, because the server is away or was started anew, has it from the
        // others: a host alone, or anybody who repeats what a host had announced.
        if moved && self.place.room != id && (is_host || is_known) && self.hosting.moved.is_none() {
            self.take_on(secret, id);
            self.hosting.confirm_at = Some(now + CONFIRMED_WITHIN);
        }
        key
    }

    /// Takes the new link on once both its secret and the server's word for it are there.
    fn settle(&mut self) {
        let Some(moved) = self.hosting.moved.clone() else {
            return;
        };
        let secret = self
            .hosting
            .heard
            .iter()
            .copied()
            .find(|secret| self.id_by(secret).as_ref() == Some(&moved));
        if let Some(secret) = secret {
            self.take_on(secret, moved);
        }
    }

    fn take_on(&mut self, secret: RoomSecret, id: RoomId) {
        self.place.room = id;
        let hosting = &mut self.hosting;
        hosting.secret = Some(secret);
        hosting.moved = None;
        hosting.heard.retain(|heard| *heard != secret);
        self.is_new_link = true;
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
        if self.hosting.confirm_at.is_none_or(|at| now < at) {
            return;
        }
        self.hosting.confirm_at = None;
        if self.is_joined() && self.asked == Asked::Nothing && session.is_open() {
            session.send(now, &ClientMessage::Leave {}, commands);
            self.ask_to_join(now, session, commands);
        }
    }

    /// Tells the new secret on every connection on which it was not told.
    pub(super) fn tell_secret(&mut self, commands: &mut VecDeque<Command>) {
        if let Some(secret) = self.hosting.secret {
            for peer in &mut self.peers {
                peer.tell_secret(secret, commands);
            }
        }
    }

    /// The server would not do what a host asked.
    pub(super) fn host_refused(code: ErrorCode, about: &str) -> Option<NoticeKind> {
        let is_about_host = ["set_gate", "admit", "decline_waiting", "remove_peer", "host"].contains(&about);
        let is_full = code == ErrorCode::RoomFull;
        is_about_host.then_some(if is_full {
            NoticeKind::NoSeatForWaiting
        } else {
            NoticeKind::HostRefused
        })
    }
}
