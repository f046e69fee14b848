//! A person's stay in one room: the roster, the seat, and the peers behind it.
//!
//! Who offers is decided by the server's order: who finds a peer in the answer to `join` is the
//! newcomer and offers; who hears of a peer by `peer_joined` waits for their offer. Who is polite
//! is decided by the session ids, so it does not depend on that order.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::{
    ClientMessage, Epoch, ErrorCode, IceServer, LeaveReason, Packet, PeerEntry, PeerId, Reaction, RoomId,
    SeatSecret, ServerMessage, SessionSecret, limits,
};

use crate::command::Command;
use crate::config::Config;
use crate::fault::Fault;
use crate::given_up::GivenUp;
use crate::ice::IceServers;
use crate::id::{LinkId, VisitId};
use crate::peer::{Context, Peer, Presence, ServerRoad, Witness};
use crate::session::Session;
use crate::time::{Timestamp, earliest};
use crate::view::{EndReason, JoinProblem, NoticeKind, Stage};

/// Peers of whom a client keeps track: a full room and the same again, for seats being taken over.
const PEERS: usize = limits::ROOM_SEATS * 2;
/// How long the tile of a seat that is being taken over by a reload waits for its new session.
const TAKE_OVER_WITHIN: Duration = Duration::from_secs(5);
/// How much earlier than we the server may have begun to count our absence: a message's way.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);
/// Pause before what the server refused is asked for again: a seat after its restart, a look inside.
const REJOIN_AFTER: Duration = Duration::from_secs(3);
/// How often a connection is looked at on which nothing arrives: what returns is told so at once.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Sessions remembered that said they leave. The server keeps a seat for a minute.
const DEPARTED: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Preparing { problem: Option<JoinProblem> },
    Joining,
    Joined { epoch: Epoch, version: u64 },
    Ended(EndReason),
}

/// When packets that the server refused for their number are written again.
const REFUSED_RELAYS_AFTER: Duration = Duration::from_millis(1500);

/// What was asked of the server and not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Join,
    Resume,
}

/// What a person identifies a seat in a room by.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) visit: VisitId,
    pub(crate) room: RoomId,
    pub(crate) seat: SeatSecret,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    place: Place,
    session: SessionSecret,
    me: PeerId,
    name: String,
    standing: Standing,
    asked: Asked,
    rejoin_at: Option<Timestamp>,
    /// When to ask again who is inside, after the server would not say.
    watch_at: Option<Timestamp>,
    peers: Vec<Peer>,
    given_up: GivenUp,
    /// Those who said that they leave, the latest last. A server that did not hear it lists them on.
    departed: VecDeque<PeerId>,
    /// When connections are looked at next, all of them, and those on which nothing arrives.
    pulse_at: Option<Timestamp>,
    /// Since when packets that the server would not pass on are missing.
    relays_refused: Option<Timestamp>,
    look_at: Option<Timestamp>,
    /// When the server last wrote while our seat was not in doubt.
    heard: Timestamp,
    /// The life of the server behind the present socket.
    server: Option<Epoch>,
    occupancy_known: bool,
    ice: IceServers,
    config: Config,
}

impl Room {
    pub(crate) fn new(place: Place, session: SessionSecret, config: Config) -> Self {
        Self {
            place,
            me: session.peer_id(),
            session,
            name: String::new(),
            standing: Standing::Preparing { problem: None },
            asked: Asked::Nothing,
            rejoin_at: None,
            watch_at: None,
            peers: Vec::new(),
            given_up: GivenUp::default(),
            departed: VecDeque::new(),
            pulse_at: None,
            relays_refused: None,
            look_at: None,
            heard: Timestamp::default(),
            server: None,
            occupancy_known: false,
            ice: IceServers::default(),
            config,
        }
    }

    pub(crate) const fn visit(&self) -> VisitId {
        self.place.visit
    }

    pub(crate) const fn me(&self) -> PeerId {
        self.me
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn ice(&self) -> Vec<IceServer> {
        self.ice.list().to_vec()
    }

    /// Whether the site has a relay, once known.
    pub(crate) const fn has_relay(&self) -> Option<bool> {
        self.ice.has_relay()
    }

    /// The person hides their address from now on, or no longer.
    pub(crate) fn change_policy(&mut self, context: &mut Context<'_>) {
        for peer in &mut self.peers {
            peer.change_policy(context);
        }
    }

    pub(crate) const fn stage(&self) -> Stage {
        match self.standing {
            Standing::Preparing { problem } => Stage::Preparing { problem },
            Standing::Joining => Stage::Joining,
            Standing::Joined { .. } => Stage::Joined,
            Standing::Ended(reason) => Stage::Ended(reason),
        }
    }

    pub(crate) const fn is_joined(&self) -> bool {
        matches!(self.standing, Standing::Joined { .. })
    }

    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.standing, Standing::Ended(_))
    }

    /// Everybody whose tile is to be shown.
    pub(crate) fn people(&self) -> impl Iterator<Item = &Peer> {
        self.peers
            .iter()
            .filter(|peer| !matches!(peer.presence, Presence::Watched))
    }

    /// The names of those inside, as seen from the page before joining.
    pub(crate) fn inside(&self) -> Option<Vec<String>> {
        let known = matches!(self.standing, Standing::Preparing { .. }) && self.occupancy_known;
        known.then(|| self.peers.iter().map(|peer| peer.name.clone()).collect())
    }

    fn position(&self, id: PeerId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.id == id)
    }

    pub(crate) fn peer_of_link(&mut self, link: LinkId) -> Option<&mut Peer> {
        self.peers.iter_mut().find(|peer| peer.owns(link))
    }

    /// The socket opened: says again what we are about.
    pub(crate) fn handle_opened(
        &mut self,
        now: Timestamp,
        session: &mut Session,
        commands: &mut VecDeque<Command>,
    ) {
        match self.standing {
            Standing::Preparing { .. } => self.watch(now, session, commands),
            Standing::Joining => self.ask_to_join(now, session, commands),
            Standing::Joined { .. } => self.ask_to_resume(now, session, commands),
            Standing::Ended(_) => {}
        }
    }

    /// Asks who is inside.
    fn watch(&mut self, now: Timestamp, session: &mut Session, commands: &mut VecDeque<Command>) {
        self.watch_at = None;
        let watch = ClientMessage::Watch {
            room: self.place.room.clone(),
        };
        session.send(now, &watch, commands);
    }

    pub(crate) fn handle_lost(&mut self, commands: &mut VecDeque<Command>) {
        self.asked = Asked::Nothing;
        for peer in &mut self.peers {
            peer.server_road_lost();
            if self.config.faults.has(Fault::LinkDiesWithServer) {
                peer.close(commands);
            }
        }
    }

    /// Takes a seat. The connections to those seen inside are begun at once, so that the offers
    /// leave in one flight with the question.
    pub(crate) fn join(&mut self, name: String, session: &mut Session, context: &mut Context<'_>) {
        self.name = name;
        self.standing = Standing::Joining;
        for peer in &mut self.peers {
            if !peer.has_link() {
                peer.offer(context);
            }
        }
        self.ask_to_join(context.now, session, context.commands);
    }

    fn ask_to_join(&mut self, now: Timestamp, session: &mut Session, commands: &mut VecDeque<Command>) {
        if !session.is_open() {
            return;
        }
        self.asked = Asked::Join;
        self.rejoin_at = None;
        let join = ClientMessage::Join {
            room: self.place.room.clone(),
            seat: self.place.seat,
            session: self.session,
            name: self.name.clone(),
        };
        session.send(now, &join, commands);
    }

    fn ask_to_resume(&mut self, now: Timestamp, session: &mut Session, commands: &mut VecDeque<Command>) {
        let Standing::Joined { epoch, .. } = self.standing else {
            return;
        };
        self.asked = Asked::Resume;
        let resume = ClientMessage::Resume {
            epoch,
            room: self.place.room.clone(),
            session: self.session,
        };
        session.send(now, &resume, commands);
    }

    /// Tells the others directly that we leave; the server may be away.
    pub(crate) fn take_leave(&mut self, now: Timestamp, commands: &mut VecDeque<Command>) {
        for peer in &mut self.peers {
            peer.take_leave(now, commands);
        }
    }

    /// Gives everything up; the caller has said `leave` if there was somebody to say it to.
    pub(crate) fn end(&mut self, reason: EndReason, commands: &mut VecDeque<Command>) {
        self.close_peers(commands);
        self.standing = Standing::Ended(reason);
        self.asked = Asked::Nothing;
        self.rejoin_at = None;
        self.pulse_at = None;
        self.look_at = None;
    }

    pub(crate) fn close_peers(&mut self, commands: &mut VecDeque<Command>) {
        for mut peer in self.peers.drain(..) {
            peer.close(commands);
            self.given_up.note(&peer);
        }
    }

    /// Begins anew after the end, as somebody nobody has met.
    pub(crate) fn come_back(&mut self, secret: SessionSecret) {
        self.me = secret.peer_id();
        self.session = secret;
        self.given_up.clear();
        self.departed.clear();
        self.standing = Standing::Preparing { problem: None };
        self.occupancy_known = false;
    }

    /// Takes what the server wrote; returns what the person should be told.
    pub(crate) fn handle_message(
        &mut self,
        message: ServerMessage,
        session: &mut Session,
        context: &mut Context<'_>,
    ) -> Vec<NoticeKind> {
        // A page that was frozen reads old messages first: they say nothing of the present.
        let is_fresh = context.now.since(self.heard) < limits::DEAD_AFTER_HIDDEN;
        if self.is_joined() && self.asked == Asked::Nothing && is_fresh {
            self.heard = context.now;
        }
        match message {
            ServerMessage::Welcome {
                ice, epoch, relay, ..
            } => {
                self.server = Some(epoch);
                if !self.is_joined() {
                    self.ice.welcomed(ice, relay);
                }
            }
            ServerMessage::Occupancy { room, peers, seats } => {
                if room == self.place.room && matches!(self.standing, Standing::Preparing { .. }) {
                    self.watched(peers, usize::from(seats), context);
                }
            }
            ServerMessage::Joined {
                epoch,
                you,
                version,
                peers,
                ice,
                ice_lifetime_ms,
            } => {
                if you == self.me && !self.is_over() {
                    self.joined(epoch, version, peers, (ice, ice_lifetime_ms), session, context);
                }
            }
            ServerMessage::PeerJoined { version, peer } => {
                if self.follows(version, session, context) {
                    return self.peer_joined(peer, context).into_iter().collect();
                }
            }
            ServerMessage::PeerLeft {
                version,
                peer,
                reason,
            } => {
                if self.follows(version, session, context) {
                    return self.peer_left(peer, reason, context).into_iter().collect();
                }
            }
            ServerMessage::PeerAway { version, peer, away } => {
                if self.follows(version, session, context) {
                    self.peer_away(peer, away, context);
                }
            }
            ServerMessage::Relay { from, n, body } => {
                if let (Some(at), Ok(packet)) = (self.position(from), Packet::decode(&body))
                    && let Some(peer) = self.peers.get_mut(at)
                {
                    peer.handle_relayed(n, packet, context);
                }
            }
            ServerMessage::Error { code, about, .. } => {
                self.refused(code, about.as_deref(), session, context)
            }
            ServerMessage::Ice { servers, lifetime_ms } => {
                if self.is_joined() && self.ice.granted(context.now, servers, lifetime_ms) {
                    self.with_ice(context, |room, context| {
                        for peer in &mut room.peers {
                            peer.set_ice_servers(context);
                        }
                    });
                }
            }
            ServerMessage::Left {} | ServerMessage::Pong {} | ServerMessage::GoingAway { .. } => {}
        }
        Vec::new()
    }

    /// Whether a roster event is the next one. If one was missed, the whole roster is asked for.
    fn follows(&mut self, next: u64, session: &mut Session, context: &mut Context<'_>) -> bool {
        let Standing::Joined { version, .. } = &mut self.standing else {
            return false;
        };
        if self.asked != Asked::Nothing || next <= *version {
            return false;
        }
        if next == *version + 1 {
            *version = next;
            return true;
        }
        self.ask_to_resume(context.now, session, context.commands);
        false
    }

    fn watched(&mut self, entries: Vec<PeerEntry>, seats: usize, context: &mut Context<'_>) {
        // Nobody who is not inside already will get into a full room.
        let own = self.place.seat.seat_id();
        let is_full = entries.len() >= seats && entries.iter().all(|entry| entry.seat != own);
        if let Standing::Preparing { problem } = &mut self.standing {
            match problem {
                None if is_full => *problem = Some(JoinProblem::RoomFull),
                Some(JoinProblem::RoomFull) if !is_full => *problem = None,
                None | Some(_) => {}
            }
        }
        self.occupancy_known = true;
        let seen: Vec<PeerId> = entries.iter().map(|entry| entry.peer).collect();
        self.retain_peers(context, |peer| seen.contains(&peer.id));
        for entry in entries {
            if let Some(at) = self.position(entry.peer) {
                if let Some(peer) = self.peers.get_mut(at) {
                    peer.name = entry.name;
                    peer.away = entry.away;
                }
            } else {
                self.add(entry, Presence::Watched);
            }
        }
        let ready = self.peers.iter().filter(|peer| peer.has_link()).count();
        let ahead = if is_full {
            0
        } else {
            self.config.links_ahead.saturating_sub(ready)
        };
        for peer in self.peers.iter_mut().filter(|peer| !peer.has_link()).take(ahead) {
            peer.offer(context);
        }
    }

    /// Compares what is known with the room as the server has it.
    fn joined(
        &mut self,
        epoch: Epoch,
        version: u64,
        entries: Vec<PeerEntry>,
        (ice, lifetime_ms): (Vec<IceServer>, Option<u64>),
        session: &mut Session,
        context: &mut Context<'_>,
    ) {
        let forgotten = matches!(self.standing, Standing::Joined { epoch: known, .. } if known != epoch);
        let newcomer = self.asked != Asked::Resume;
        self.asked = Asked::Nothing;
        self.rejoin_at = None;
        self.standing = Standing::Joined { epoch, version };
        self.heard = context.now;
        let new_servers = self.ice.granted(context.now, ice, lifetime_ms);
        self.with_ice(context, |room, context| {
            if new_servers {
                for peer in &mut room.peers {
                    peer.set_ice_servers(context);
                }
            }
            room.compare(entries, forgotten, newcomer, session, context);
        });
    }

    /// Goes on with the ICE servers as they are now.
    fn with_ice(&mut self, context: &mut Context<'_>, step: impl FnOnce(&mut Self, &mut Context<'_>)) {
        let ice = self.ice();
        let mut with = Context {
            now: context.now,
            ids: &mut *context.ids,
            commands: &mut *context.commands,
            media: context.media,
            ice: &ice,
            relay_only: context.relay_only,
            failed_is_final: context.failed_is_final,
            restarts_well: context.restarts_well,
            faults: context.faults,
            server: context.server,
            signs: core::mem::take(&mut context.signs),
        };
        step(self, &mut with);
        context.signs = with.signs;
    }

    /// Brings those whom we know in line with those whom the server lists.
    fn compare(
        &mut self,
        mut entries: Vec<PeerEntry>,
        forgotten: bool,
        newcomer: bool,
        session: &Session,
        context: &mut Context<'_>,
    ) {
        context.server = self.server_road(session, context.now);
        if !self.config.faults.has(Fault::DepartedListed) {
            entries.retain(|entry| !self.departed.contains(&entry.peer));
        }
        let listed: Vec<PeerId> = entries.iter().map(|entry| entry.peer).collect();
        if forgotten {
            // The server forgot everybody. They will be back, and their media never left.
            let until = context.now + limits::RESUME_WINDOW;
            for peer in self.peers.iter_mut().filter(|peer| !listed.contains(&peer.id)) {
                peer.presence = Presence::Missing { until };
            }
        } else if !self.config.faults.has(Fault::SnapshotTrusted) {
            self.retain_peers(context, |peer| listed.contains(&peer.id));
        }
        for entry in entries {
            let at = self
                .position(entry.peer)
                .or_else(|| self.seat(entry.clone(), context).map(|(at, _)| at));
            let Some(peer) = at.and_then(|at| self.peers.get_mut(at)) else {
                continue;
            };
            peer.presence = Presence::Seated;
            peer.away = entry.away;
            peer.name = entry.name;
            if !peer.has_link() {
                if newcomer {
                    peer.offer(context)
                } else {
                    peer.expect_offer(context)
                }
            }
            if !newcomer && peer.is_reachable() {
                peer.server_road_reopened(context);
            }
        }
    }

    fn peer_joined(&mut self, entry: PeerEntry, context: &mut Context<'_>) -> Option<NoticeKind> {
        if let Some(at) = self.position(entry.peer) {
            // Back after the server forgot both of us: the connection never noticed.
            let peer = self.peers.get_mut(at)?;
            peer.presence = Presence::Seated;
            peer.away = entry.away;
            peer.name = entry.name;
            peer.server_road_reopened(context);
            return None;
        }
        let name = entry.name.clone();
        let (at, took_over) = self.seat(entry, context)?;
        self.peers.get_mut(at)?.expect_offer(context);
        (!took_over).then_some(NoticeKind::PersonJoined { name })
    }

    /// Gives somebody new a place in the roster and returns it, and whether it was another
    /// session's: the same seat under a new session is a reload, and the tile stays where it was.
    fn seat(&mut self, entry: PeerEntry, context: &mut Context<'_>) -> Option<(usize, bool)> {
        let known = self.peers.iter().position(|peer| peer.seat == entry.seat);
        let former = known.filter(|_| !self.config.faults.has(Fault::SeatDoubled));
        let at = match former {
            Some(at) => {
                let slot = self.peers.get_mut(at)?;
                slot.close(context.commands);
                self.given_up.note(slot);
                let era = self.given_up.era_of(entry.peer);
                *slot = Peer::new(entry, self.me, Presence::Seated, era, self.config.faults);
                at
            }
            None => self.add(entry, Presence::Seated)?,
        };
        self.peers.get_mut(at)?.greet_again(context);
        Some((at, former.is_some()))
    }

    fn peer_left(
        &mut self,
        id: PeerId,
        reason: LeaveReason,
        context: &mut Context<'_>,
    ) -> Option<NoticeKind> {
        let at = self.position(id)?;
        if reason == LeaveReason::Replaced {
            let peer = self.peers.get_mut(at)?;
            peer.close(context.commands);
            peer.presence = Presence::Missing {
                until: context.now + TAKE_OVER_WITHIN,
            };
            return None;
        }
        let mut peer = self.peers.remove(at);
        peer.close(context.commands);
        self.given_up.note(&peer);
        Some(NoticeKind::PersonLeft { name: peer.name })
    }

    fn peer_away(&mut self, id: PeerId, away: bool, context: &mut Context<'_>) {
        let Some(peer) = self.position(id).and_then(|at| self.peers.get_mut(at)) else {
            return;
        };
        peer.away = away;
        if !away {
            peer.server_road_reopened(context);
        }
    }

    fn refused(
        &mut self,
        code: ErrorCode,
        about: Option<&str>,
        session: &mut Session,
        context: &mut Context<'_>,
    ) {
        match (about, self.asked) {
            (Some("resume"), Asked::Resume) => {
                self.asked = Asked::Nothing;
                if code == ErrorCode::UnknownSession {
                    if self.was_replaced(context.now) {
                        // Two tabs that take the seat from each other would never end.
                        self.end(EndReason::SeatMoved, context.commands);
                        return;
                    }
                    // The server forgot us, or held the seat no longer: the same join again.
                    self.ask_to_join(context.now, session, context.commands);
                } else {
                    self.rejoin_at = Some(context.now + REJOIN_AFTER);
                }
            }
            (Some("join"), Asked::Join) => {
                self.asked = Asked::Nothing;
                if self.is_joined() {
                    // A call is not dropped because a restarted server is short of something.
                    self.rejoin_at = Some(context.now + REJOIN_AFTER);
                    return;
                }
                self.close_peers(context.commands);
                self.occupancy_known = false;
                self.standing = Standing::Preparing {
                    problem: Some(problem(code)),
                };
                self.watch(context.now, session, context.commands);
            }
            (Some("watch"), _) if matches!(self.standing, Standing::Preparing { .. }) => {
                self.watch_at = Some(context.now + REJOIN_AFTER);
            }
            (Some("relay") | None, _) if code == ErrorCode::RateLimited => {
                self.relays_refused.get_or_insert(context.now);
            }
            _ => {}
        }
    }

    /// Whether the only reason for which the server can have ended our session is that our seat was
    /// taken by another tab: it is still the same server, and the seat would have been kept longer.
    fn was_replaced(&self, now: Timestamp) -> bool {
        let same_server =
            matches!(self.standing, Standing::Joined { epoch, .. } if self.server == Some(epoch));
        same_server && now.since(self.heard) + CLOCKS_DIFFER < limits::RESUME_WINDOW
    }

    fn add(&mut self, entry: PeerEntry, presence: Presence) -> Option<usize> {
        if self.peers.len() >= PEERS {
            return None;
        }
        let era = self.given_up.era_of(entry.peer);
        self.peers
            .push(Peer::new(entry, self.me, presence, era, self.config.faults));
        Some(self.peers.len() - 1)
    }

    fn retain_peers(&mut self, context: &mut Context<'_>, keep: impl Fn(&Peer) -> bool) {
        let given_up = &mut self.given_up;
        self.peers.retain_mut(|peer| {
            let kept = keep(peer);
            if !kept {
                peer.close(context.commands);
                given_up.note(peer);
            }
            kept
        });
    }

    pub(crate) fn react(&self, reaction: Reaction, context: &mut Context<'_>) {
        for peer in &self.peers {
            peer.react(reaction, context);
        }
    }

    pub(crate) fn sync_media(&mut self, context: &mut Context<'_>) {
        for peer in &mut self.peers {
            peer.sync_media(context);
        }
    }

    pub(crate) fn handle_tick(
        &mut self,
        session: &mut Session,
        context: &mut Context<'_>,
    ) -> Vec<NoticeKind> {
        let now = context.now;
        if self.rejoin_at.is_some_and(|at| now >= at) && session.is_open() {
            self.ask_to_join(now, session, context.commands);
        }
        if self.watch_at.is_some_and(|at| now >= at) && session.is_open() {
            self.watch_at = None;
            if matches!(self.standing, Standing::Preparing { .. }) {
                self.watch(now, session, context.commands);
            }
        }
        if self.is_joined() {
            self.ice.renew(now, session, context.commands);
        }
        let mut gone = Vec::new();
        let given_up = &mut self.given_up;
        self.peers.retain_mut(|peer| {
            let overdue = matches!(peer.presence, Presence::Missing { until } if now >= until);
            if overdue {
                peer.close(context.commands);
                given_up.note(peer);
                gone.push(NoticeKind::PersonLeft {
                    name: core::mem::take(&mut peer.name),
                });
            }
            !overdue
        });
        self.pulse(context);
        for peer in &mut self.peers {
            peer.handle_tick(context);
        }
        gone
    }

    /// Looks at all connections once a second, in one go.
    fn pulse(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        let has_links = self.is_joined() && self.peers.iter().any(Peer::has_link);
        if !has_links {
            self.pulse_at = None;
            self.look_at = None;
            return;
        }
        if self.look_at.is_some_and(|at| now >= at) {
            for peer in &mut self.peers {
                peer.look(context);
            }
        }
        let someone_is_silent = self.peers.iter().any(|peer| peer.is_watched(now));
        self.look_at = someone_is_silent.then(|| now + LOOK_EVERY);
        if self.pulse_at.is_some_and(|at| now < at) {
            return;
        }
        self.pulse_at = Some(now + self.config.pulse);
        let relays_are_missing = self
            .relays_refused
            .take_if(|at| now.since(*at) >= REFUSED_RELAYS_AFTER)
            .is_some();
        for peer in &mut self.peers {
            if relays_are_missing {
                peer.server_road_lost();
            }
            peer.pulse(context);
        }
        if !context.server.is_open {
            let closed: Vec<PeerId> = self
                .peers
                .iter()
                .filter(|peer| peer.has_closed(now))
                .map(|peer| peer.id)
                .collect();
            for peer in closed {
                self.drop_peer(peer, context);
            }
        }
    }

    /// Takes the word of peers for who has left.
    pub(crate) fn depart(&mut self, departed: Vec<(PeerId, Witness)>, context: &mut Context<'_>) {
        for (peer, witness) in departed {
            let is_here = self
                .position(peer)
                .and_then(|at| self.peers.get(at))
                .is_some_and(|peer| peer.has_sure_channel(context.now));
            // While the server is there it tells us; and who speaks to us has not left.
            if witness == Witness::Another && (context.server.is_open || is_here) {
                continue;
            }
            if witness == Witness::Themselves && !self.departed.contains(&peer) {
                self.departed.push_back(peer);
                if self.departed.len() > DEPARTED {
                    self.departed.pop_front();
                }
            }
            if self.drop_peer(peer, context) && !context.server.is_open {
                for other in &mut self.peers {
                    other.tell_gone(peer);
                }
            }
        }
    }

    /// Gives somebody up who is gone; returns whether they were here.
    fn drop_peer(&mut self, id: PeerId, context: &mut Context<'_>) -> bool {
        let notice = self.peer_left(id, LeaveReason::Left, context);
        let was_here = notice.is_some();
        context.signs.notices.extend(notice);
        was_here
    }

    /// Tells everybody at once that the server can be reached again, or no longer.
    pub(crate) fn tell_server(&mut self, context: &mut Context<'_>) {
        for peer in &mut self.peers {
            peer.beat(context);
        }
    }

    pub(crate) fn poll_timeout(&self, now: Timestamp, session: &Session) -> Option<Timestamp> {
        let server = self.server_road(session, now);
        let renew = self.ice.poll_timeout().filter(|_| self.is_joined());
        let asking = earliest(earliest(self.rejoin_at, self.watch_at), renew);
        self.peers.iter().map(|peer| peer.poll_timeout(now, server)).fold(
            earliest(
                earliest(self.pulse_at, self.look_at),
                asking.filter(|_| session.is_open()),
            ),
            earliest,
        )
    }

    pub(crate) fn server_road(&self, session: &Session, now: Timestamp) -> ServerRoad {
        let is_open =
            self.is_joined() && self.asked == Asked::Nothing && self.rejoin_at.is_none() && session.is_open();
        ServerRoad {
            is_open,
            is_sure: is_open && session.is_sure(now),
        }
    }

    /// Sends what couriers have ready. While the answer to `join` is under way, packets to those
    /// seen inside already follow the question: the server reads them in order.
    pub(crate) fn flush(&mut self, now: Timestamp, session: &mut Session, commands: &mut VecDeque<Command>) {
        let server = self.server_road(session, now);
        let ahead = self.standing == Standing::Joining && self.asked == Asked::Join && session.is_open();
        for peer in &mut self.peers {
            let packets = if matches!(peer.presence, Presence::Watched) {
                if !ahead || peer.away {
                    continue;
                }
                peer.flush_ahead(now)
            } else {
                peer.flush(now, server, commands)
            };
            for (n, packet) in packets {
                relay(peer.id, n, &packet, now, session, commands);
            }
        }
        // Whoever joined has something to look at from now on.
        if self.pulse_at.is_none() && self.is_joined() && self.peers.iter().any(Peer::has_link) {
            self.pulse_at = Some(now + self.config.pulse);
        }
        let is_watched = self.look_at.is_some() || self.pulse_at.is_none();
        if !is_watched && self.peers.iter().any(|peer| peer.is_watched(now)) {
            self.look_at = Some(now + LOOK_EVERY);
        }
    }
}

const fn problem(code: ErrorCode) -> JoinProblem {
    match code {
        ErrorCode::RoomFull => JoinProblem::RoomFull,
        ErrorCode::ServerFull => JoinProblem::ServerFull,
        ErrorCode::InvalidName => JoinProblem::InvalidName,
        ErrorCode::RateLimited => JoinProblem::RateLimited,
        ErrorCode::BadMessage
        | ErrorCode::UnknownKind
        | ErrorCode::UnsupportedVersion
        | ErrorCode::AlreadyGreeted
        | ErrorCode::AlreadyJoined
        | ErrorCode::NotJoined
        | ErrorCode::UnknownSession
        | ErrorCode::UnknownPeer
        | ErrorCode::SelfAddressed
        | ErrorCode::TooManyWatchers
        | ErrorCode::Unknown => JoinProblem::Other,
    }
}

fn relay(
    to: PeerId,
    n: u64,
    packet: &Packet,
    now: Timestamp,
    session: &mut Session,
    commands: &mut VecDeque<Command>,
) {
    session.send(
        now,
        &ClientMessage::Relay {
            to,
            n,
            body: packet.encode(),
        },
        commands,
    );
}
