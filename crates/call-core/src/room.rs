//! A person's stay in one room: the roster, the seat, and the peers behind it.
//!
//! Who offers is decided by the server's order: who finds a peer in the answer to `join` is the
//! newcomer and offers; who hears of a peer by `peer_joined` waits for their offer. Who is polite
//! is decided by the session ids, so it does not depend on that order.

mod hosting;
mod messages;
mod pulse;
mod roster;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::{
    ClientMessage, Epoch, IceServer, Packet, PeerId, Reaction, RoomId, SeatSecret, SessionSecret,
};

use crate::command::Command;
use crate::config::Config;
use crate::fault::Fault;
use crate::given_up::GivenUp;
use crate::ice::IceServers;
use crate::id::{LinkId, VisitId};
use crate::peer::{Context, Peer, Presence, ServerRoad};
use crate::session::Session;
use crate::time::Timestamp;
use crate::view::{EndReason, JoinProblem, Stage};
use hosting::Hosting;
pub use hosting::{HostIntent, Hosted};
use pulse::LOOK_EVERY;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Preparing {
        problem: Option<JoinProblem>,
    },
    Joining,
    /// Before a gate, until a host decides.
    Waiting,
    Joined {
        epoch: Epoch,
        version: u64,
    },
    Ended(EndReason),
}

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
    /// What the link says of a room with a host.
    pub(crate) hosted: Option<Hosted>,
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
    /// The id by which it was asked.
    asked_as: Option<RoomId>,
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
    hosting: Hosting,
    /// Whether the link has changed and nobody was told.
    is_new_link: bool,
    config: Config,
}

impl Room {
    pub(crate) fn new(mut place: Place, session: SessionSecret, config: Config) -> Self {
        let hosting = Hosting::new(place.hosted.take());
        Self {
            place,
            hosting,
            is_new_link: false,
            me: session.peer_id(),
            session,
            name: String::new(),
            standing: Standing::Preparing { problem: None },
            asked: Asked::Nothing,
            asked_as: None,
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

    pub(crate) const fn stage(&self) -> Stage {
        match self.standing {
            Standing::Preparing { problem } => Stage::Preparing { problem },
            Standing::Joining => Stage::Joining,
            Standing::Waiting => Stage::Waiting,
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

    /// Whether a connection is in use.
    pub(crate) fn has_link(&self, link: LinkId) -> bool {
        self.peers.iter().any(|peer| peer.owns(link))
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
            Standing::Joining | Standing::Waiting => self.ask_to_join(now, session, commands),
            Standing::Joined { .. } => self.ask_to_resume(now, session, commands),
            Standing::Ended(_) => {}
        }
    }

    /// Asks who is inside.
    fn watch(&mut self, now: Timestamp, session: &mut Session, commands: &mut VecDeque<Command>) {
        self.watch_at = None;
        let watch = ClientMessage::Watch {
            room: self.place.room.clone(),
            seat: self.hosting.has_pass().then(|| self.place.seat.seat_id()),
            claim: self.hosting.claim(),
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
        self.asked_as = Some(self.place.room.clone());
        self.rejoin_at = None;
        let join = ClientMessage::Join {
            room: self.place.room.clone(),
            seat: self.place.seat,
            session: self.session,
            name: self.name.clone(),
            claim: self.hosting.claim(),
        };
        session.send(now, &join, commands);
    }

    fn ask_to_resume(&mut self, now: Timestamp, session: &mut Session, commands: &mut VecDeque<Command>) {
        let Standing::Joined { epoch, .. } = self.standing else {
            return;
        };
        self.asked = Asked::Resume;
        self.asked_as = Some(self.place.room.clone());
        let resume = ClientMessage::Resume {
            epoch,
            room: self.place.room.clone(),
            session: self.session,
            claim: self.hosting.claim(),
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
        self.hosting.leave();
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
        self.rejoin_at = None;
        self.standing = Standing::Preparing { problem: None };
        self.occupancy_known = false;
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

    /// Tells everybody at once that the server can be reached again, or no longer.
    pub(crate) fn tell_server(&mut self, context: &mut Context<'_>) {
        for peer in &mut self.peers {
            peer.beat(context);
        }
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
        self.tell_secret(commands);
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
