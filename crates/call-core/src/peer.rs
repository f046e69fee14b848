//! One other participant: their roster entry, the courier to them and the connection with them.

mod comforts;
mod pictures;
mod recovery;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::time::Duration;

use visavis_protocol::{
    Frame, IceServer, MediaStatus, Packet, PeerEntry, PeerId, Reaction, SeatId, Signal, limits,
};

use crate::command::{Command, LinkRole};
use crate::courier::{Courier, Road};
use crate::event::LinkEvent;
use crate::fault::{Fault, Faults};
use crate::flow::Flows;
use crate::health::Health;
use crate::ice;
use crate::id::{CaptureId, Ids, LinkId, Slot};
use crate::media::Media;
use crate::negotiation::{Negotiation, Output};
use crate::rate::Rate;
use crate::time::{Timestamp, earliest};
use crate::view::{ConnectionState, NoticeKind, Person};
use pictures::{Picture, Pictures};

/// Pause between two answers to somebody who asks whether we are here.
const ANSWER_PAUSE: Duration = Duration::from_millis(500);
/// Pause between two times that a peer can make us try the server again.
const BECKON_PAUSE: Duration = Duration::from_secs(5);
/// How long the impolite side gives a connection to come about before it makes a new one.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How much longer the polite side waits, so that both do not rebuild at once.
const POLITE_PATIENCE: Duration = Duration::from_secs(5);
/// New connections that a peer may ask for in a row.
const DEMANDS: u32 = 8;
/// Time after which one more may be asked for.
const DEMAND_FORGOTTEN_AFTER: Duration = Duration::from_secs(3);
/// Pause before a connection that cannot be negotiated is made anew; doubled each time.
const BROKEN_PAUSE: Duration = Duration::from_secs(1);
/// How much later than on the connection a peer must be heard over the server, to show that it is the
/// connection alone that is silent: what came a moment later was sent before.
const PROVES_AFTER: Duration = Duration::from_millis(900);
/// The longest pause between rebuilds, where nothing helps.
const REBUILD_PAUSE: Duration = Duration::from_secs(60);

/// What a peer may use of the core while it handles something.
pub(crate) struct Context<'a> {
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a mut Ids,
    pub(crate) commands: &'a mut VecDeque<Command>,
    pub(crate) media: &'a Media,
    pub(crate) ice: &'a [IceServer],
    /// Whether only relays may be used: the person hides their address.
    pub(crate) relay_only: bool,
    /// See [`crate::Config::failed_is_final`].
    pub(crate) failed_is_final: bool,
    /// See [`crate::Config::restarts_well`].
    pub(crate) restarts_well: bool,
    pub(crate) faults: Faults,
    pub(crate) server: ServerRoad,
    pub(crate) signs: Signs,
}

/// How it stands with the road over the server, as far as our side of it goes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerRoad {
    /// What is written goes out.
    pub(crate) is_open: bool,
    /// And no answer is overdue.
    pub(crate) is_sure: bool,
}

/// What a peer noticed that concerns more than that peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signs {
    /// The network is there again, or the server.
    pub(crate) of_return: bool,
    /// Nothing comes from somebody: it may be our own network.
    pub(crate) of_loss: bool,
    /// Somebody says that they, or somebody else, leaves.
    pub(crate) departed: Vec<(PeerId, Witness)>,
    /// What the person should be told.
    pub(crate) notices: Vec<NoticeKind>,
    /// Somebody shows a sign: their seat, their name, which.
    pub(crate) reactions: Vec<(SeatId, String, Reaction)>,
}

/// Who says that somebody leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Witness {
    /// They themselves.
    Themselves,
    /// Another peer, whom they told.
    Another,
}

/// How sure we are that the peer is in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Seen inside from the page before joining.
    Watched,
    /// The server lists them.
    Seated,
    /// Expected back: the server forgot everybody, or the seat is being taken over by a reload.
    Missing { until: Timestamp },
}

#[derive(Clone, Debug)]
struct Link {
    negotiation: Negotiation,
    role: LinkRole,
    connection: ConnectionState,
    receiving: [bool; Slot::ALL.len()],
    attached: [Option<CaptureId>; Slot::ALL.len()],
    /// When it is given up for a new one, unless it connects before.
    deadline: Option<Timestamp>,
    /// Since it stood for the first time.
    health: Option<Health>,
    flows: Flows,
    pictures: Pictures,
    relayed: Option<bool>,
    channel: Channel,
    /// Whether there are newer ICE servers than those that its candidates were gathered with.
    has_new_servers: bool,
}

/// The control channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Channel {
    #[default]
    Opening,
    Open,
    /// The other side closed the connection, then.
    Closed {
        since: Timestamp,
    },
    /// The browser gave it up, after nothing had come for long: a sign of the network, not of them.
    Failed,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) seat: SeatId,
    pub(crate) name: String,
    pub(crate) away: bool,
    pub(crate) presence: Presence,
    /// The smaller session id is polite: a pure function of both, so both agree.
    polite: bool,
    courier: Courier,
    link: Option<Link>,
    generation: u32,
    rebuilds: u32,
    demands: Demands,
    status: MediaStatus,
    told: Option<MediaStatus>,
    /// The road that packets took last.
    last_road: Option<Road>,
    /// Whether there ever was a connection with them that stood.
    was_met: bool,
    /// Whether the person was told that they are being brought back.
    is_missed: bool,
    /// Whether they reach the server, as far as they say.
    has_server: bool,
    /// Whether they should be the ones to offer ICE restarts, as far as they say.
    restarts_well: bool,
    /// When something was last sent anew because they asked for it.
    reattached: [Option<Timestamp>; Slot::ALL.len()],
    /// When they were last told that we are here.
    answered: Option<Timestamp>,
    /// When they last made us try the server again.
    beckoned: Option<Timestamp>,
    /// When something of theirs last came over the server.
    heard: Timestamp,
    /// When they were last asked whether they live.
    probed: Option<Timestamp>,
    /// Such a question, or the answer to theirs, that is to leave.
    probe: Option<bool>,
    /// Since when they are heard over the server and not on the connection.
    only_by_server: Option<Timestamp>,
    /// A picture that is asked for, after a hole.
    picture: Option<Picture>,
    /// How many reactions are taken from them.
    reactions: Rate,
    /// How often it is said that they raised their hand.
    hands: Rate,
}

/// How often a peer may make us begin a new connection. A browser runs out of connections that it
/// made and closed in a hurry, for everybody in the room.
#[derive(Clone, Copy, Debug, Default)]
struct Demands {
    /// Those not forgotten yet, and when the oldest will be.
    recent: u32,
    since: Timestamp,
}

impl Demands {
    /// Whether one more may be met.
    fn admit(&mut self, now: Timestamp) -> bool {
        while self.recent > 0 && now >= self.since + DEMAND_FORGOTTEN_AFTER {
            self.recent -= 1;
            self.since = self.since + DEMAND_FORGOTTEN_AFTER;
        }
        if self.recent == 0 {
            self.since = now;
        }
        let admitted = self.recent < DEMANDS;
        self.recent += u32::from(admitted);
        admitted
    }
}

impl Context<'_> {
    /// Whether a connection can come about at all.
    fn may_connect(&self) -> bool {
        !self.relay_only || self.ice.iter().any(ice::is_relay)
    }
}

impl Peer {
    pub(crate) fn new(entry: PeerEntry, me: PeerId, presence: Presence, era: u32, faults: Faults) -> Self {
        let polite = me < entry.peer;
        Self {
            id: entry.peer,
            seat: entry.seat,
            name: entry.name,
            away: entry.away,
            presence,
            polite: (polite && !faults.has(Fault::BothImpolite)) || faults.has(Fault::BothPolite),
            courier: Courier::new(era, faults),
            link: None,
            generation: 0,
            rebuilds: 0,
            demands: Demands::default(),
            status: MediaStatus::default(),
            told: None,
            last_road: None,
            was_met: false,
            is_missed: false,
            has_server: false,
            restarts_well: false,
            reattached: [None; Slot::ALL.len()],
            answered: None,
            beckoned: None,
            heard: Timestamp::default(),
            probed: None,
            probe: None,
            only_by_server: None,
            picture: None,
            reactions: Rate::default(),
            hands: Rate::default(),
        }
    }

    pub(crate) fn owns(&self, link: LinkId) -> bool {
        self.link
            .as_ref()
            .is_some_and(|own| own.negotiation.link() == link)
    }

    pub(crate) const fn has_link(&self) -> bool {
        self.link.is_some()
    }

    /// Whether a packet written now reaches the peer, given that we reach the server.
    pub(crate) const fn is_reachable(&self) -> bool {
        matches!(self.presence, Presence::Seated) && !self.away
    }

    /// Whether the control channel is open, and something arrives on its connection.
    pub(crate) fn has_sure_channel(&self, now: Timestamp) -> bool {
        self.link.as_ref().is_some_and(|link| {
            let is_heard = link
                .health
                .as_ref()
                .is_some_and(|health| !health.is_silent(now) && health.has_sure_channel(now));
            link.channel == Channel::Open && is_heard
        })
    }

    /// How packets travel now. The channel needs no server; where nothing arrives on it, the server
    /// is the better bet, and with neither the channel keeps them until the network is back.
    fn road(&self, now: Timestamp, server: ServerRoad) -> Option<Road> {
        if self.has_sure_channel(now) {
            return Some(Road::Channel);
        }
        if server.is_open && self.is_reachable() {
            return Some(Road::Server);
        }
        let is_open = self
            .link
            .as_ref()
            .is_some_and(|link| link.channel == Channel::Open);
        is_open.then_some(Road::Channel)
    }

    /// Whether what is said now is likely to be answered soon.
    fn has_sure_road(&self, now: Timestamp, server: ServerRoad) -> bool {
        self.has_sure_channel(now) || self.has_sure_server(now, server)
    }

    /// Whether the server reaches the peer. Where nothing comes on the connection, that has to be
    /// shown first by something that came over the server since: their network may be away, and a
    /// connection that is left alone heals by itself when it is back.
    fn has_sure_server(&self, now: Timestamp, server: ServerRoad) -> bool {
        let health = self.link.as_ref().and_then(|link| link.health.as_ref());
        let is_heard = health
            .is_none_or(|health| !health.is_silent(now) || !health.heard_after(self.heard - PROVES_AFTER));
        server.is_sure && is_heard && self.is_reachable()
    }

    /// Makes a connection on which we offer. Nothing is sent before the road is open.
    pub(crate) fn offer(&mut self, context: &mut Context<'_>) {
        self.create(LinkRole::Offerer, context);
    }

    /// Makes the connection ahead of the offer that a newcomer is about to send.
    pub(crate) fn expect_offer(&mut self, context: &mut Context<'_>) {
        self.create(LinkRole::Answerer, context);
    }

    fn create(&mut self, role: LinkRole, context: &mut Context<'_>) {
        self.close(context.commands);
        self.picture = None;
        if !context.may_connect() {
            return;
        }
        let link = context.ids.link();
        context.commands.push_back(Command::CreateLink {
            link,
            role,
            ice: context.ice.to_vec(),
            relay_only: context.relay_only,
        });
        let negotiation = Negotiation::new(link, self.generation, role, self.polite, context.faults);
        self.link = Some(Link {
            negotiation,
            role,
            connection: ConnectionState::New,
            receiving: [false; Slot::ALL.len()],
            attached: [None; Slot::ALL.len()],
            deadline: Some(context.now + self.patience()),
            health: None,
            flows: Flows::default(),
            pictures: Pictures::default(),
            relayed: None,
            channel: Channel::Opening,
            has_new_servers: false,
        });
        self.sync_tracks(context);
    }

    fn rebuild(&mut self, context: &mut Context<'_>) {
        self.generation = self.generation.saturating_add(1);
        self.rebuilds = self.rebuilds.saturating_add(1);
        let flows = self.link.as_ref().map(|link| link.flows);
        self.create(LinkRole::Offerer, context);
        if let (Some(link), Some(flows)) = (&mut self.link, flows) {
            link.flows = flows.map(|flow| flow.on_new_connection(context.now));
        }
    }

    /// A connection that no negotiation can mend is not waited for.
    fn replace_soon_if_broken(&mut self, context: &Context<'_>) {
        let pause = BROKEN_PAUSE
            .saturating_mul(1 << self.rebuilds.min(5))
            .min(REBUILD_PAUSE);
        if let Some(link) = self.link.as_mut().filter(|link| link.negotiation.is_broken()) {
            link.deadline = Some(context.now + pause);
        }
    }

    fn patience(&self) -> Duration {
        let base = if self.polite {
            CONNECT_WITHIN + POLITE_PATIENCE
        } else {
            CONNECT_WITHIN
        };
        base.saturating_mul(1 << self.rebuilds.min(3)).min(REBUILD_PAUSE)
    }

    /// Lets go of the connection.
    pub(crate) fn close(&mut self, commands: &mut VecDeque<Command>) {
        if let Some(link) = self.link.take() {
            self.courier.road_lost(Road::Channel);
            commands.push_back(Command::CloseLink {
                link: link.negotiation.link(),
            });
        }
    }

    /// Takes over other servers for ICE. Where the connection stands they are for its next restart;
    /// where it does not yet, they are what it may wait for: see [`Self::mend`].
    pub(crate) fn set_ice_servers(&mut self, context: &mut Context<'_>) {
        let Some(link) = &mut self.link else { return };
        link.has_new_servers = true;
        // A Chromium that is given other servers while it connects for the first time takes seconds
        // longer; and who has connected once may be asked for a restart by the other side.
        if link.health.is_some() {
            self.use_ice_servers(context);
        }
    }

    pub(super) fn use_ice_servers(&mut self, context: &mut Context<'_>) {
        if let Some(link) = &self.link {
            context.commands.push_back(Command::SetIceServers {
                link: link.negotiation.link(),
                ice: context.ice.to_vec(),
                relay_only: context.relay_only,
            });
        }
    }

    /// The person hides their address from now on, or no longer. What was told of it cannot be taken
    /// back, but a new connection tells no more; and who has nothing to hide may use a shorter way.
    pub(crate) fn change_policy(&mut self, context: &mut Context<'_>) {
        if context.relay_only {
            self.close(context.commands);
            self.courier.forget_connections();
            self.rebuild(context);
        } else if self.link.is_some() {
            self.set_ice_servers(context);
            self.have_restarted(context);
        } else if !matches!(self.presence, Presence::Watched) {
            self.rebuild(context);
        }
    }

    /// What went over the server may be lost, by a socket of ours or of theirs.
    pub(crate) fn server_road_lost(&mut self) {
        // Who has just come back asks at once, and is heard by it.
        self.probed = None;
        self.courier.road_lost(Road::Server);
    }

    /// The road over the server came back: what may have been lost goes out again, and what could not
    /// have been answered meanwhile is not late.
    pub(crate) fn server_road_reopened(&mut self, context: &mut Context<'_>) {
        self.heard_by_server(context.now);
        self.server_road_lost();
        let patience = self.patience();
        if let Some(link) = &mut self.link {
            link.negotiation.road_reopened(context.now);
            link.deadline = link.deadline.map(|_| context.now + patience);
        }
        self.mend(context);
    }

    /// Writes what is ready along whichever road there is; returns what is for the server's.
    pub(crate) fn flush(
        &mut self,
        now: Timestamp,
        server: ServerRoad,
        commands: &mut VecDeque<Command>,
    ) -> Vec<(u64, Packet)> {
        let mut packets = Vec::new();
        if server.is_open
            && self.is_reachable()
            && let Some(answer) = self.probe.take()
        {
            let probe = Packet {
                signals: [Signal::Probe { answer }].into(),
                ..Packet::default()
            };
            packets.push((0, probe));
        }
        while let Some(road) = self.road(now, server) {
            if let Some(last) = self.last_road.replace(road)
                && last != road
            {
                // What went there may be lost without anybody knowing, or held up for long, and all
                // that follows would wait for it.
                self.courier.road_lost(last);
            }
            let Some((n, packet)) = self.courier.poll_packet(now, road) else {
                break;
            };
            match road {
                Road::Server => packets.push((n, packet)),
                Road::Channel => self.write(&Frame::Packet { n, body: packet }, commands),
            }
        }
        packets
    }

    /// What follows the question for a seat on its way to somebody seen inside.
    pub(crate) fn flush_ahead(&mut self, now: Timestamp) -> Vec<(u64, Packet)> {
        self.last_road = Some(Road::Server);
        core::iter::from_fn(|| self.courier.poll_packet(now, Road::Server)).collect()
    }

    fn write(&self, frame: &Frame, commands: &mut VecDeque<Command>) {
        if let Some(link) = self.link.as_ref().filter(|link| link.channel == Channel::Open) {
            commands.push_back(Command::SendInBand {
                link: link.negotiation.link(),
                text: frame.encode(),
            });
        }
    }

    /// Says that we leave, where that does not take the server.
    pub(crate) fn take_leave(&mut self, now: Timestamp, commands: &mut VecDeque<Command>) {
        self.courier.post(Signal::Leave {});
        _ = self.flush(now, ServerRoad::default(), commands);
    }

    /// Says that somebody else told us that they leave.
    pub(crate) fn tell_gone(&mut self, peer: PeerId) {
        if self
            .link
            .as_ref()
            .is_some_and(|link| link.channel == Channel::Open)
        {
            self.courier.post(Signal::Gone { peer });
        }
    }

    /// The era after all that there was with this peer, if there was anything: to be used should
    /// they be met again under the same session after having been given up.
    pub(crate) fn next_era(&self) -> Option<u32> {
        let only_seen = matches!(self.presence, Presence::Watched) && !self.courier.was_used();
        (!only_seen).then(|| self.courier.era().saturating_add(1))
    }

    /// Meets a peer again whom we had given up: they must learn that we start from nothing.
    pub(crate) fn greet_again(&mut self, context: &Context<'_>) {
        if self.courier.era() > 0 {
            self.tell(context.media.status());
        }
    }

    /// The peer had given us up and starts from nothing: so do we.
    fn follow_into(&mut self, era: u32, context: &mut Context<'_>) {
        self.close(context.commands);
        self.courier = Courier::new(era, context.faults);
        self.generation = 0;
        self.rebuilds = 0;
        self.told = None;
    }

    pub(crate) fn handle_packet(&mut self, n: u64, packet: Packet, context: &mut Context<'_>) {
        let former = context.faults.has(Fault::FormerEraTaken);
        match packet.era.cmp(&self.courier.era()) {
            _ if former => {}
            Ordering::Less => return,
            Ordering::Equal => {}
            Ordering::Greater if !self.demands.admit(context.now) => return,
            Ordering::Greater => {
                self.follow_into(packet.era, context);
                if !packet
                    .signals
                    .iter()
                    .any(|signal| matches!(signal, Signal::Offer(_)))
                {
                    // Who gives up somebody waits for their offer when they meet again.
                    self.offer(context);
                }
            }
        }
        for signal in self.courier.receive(n, packet) {
            self.handle_signal(signal, context);
        }
    }

    fn handle_signal(&mut self, signal: Signal, context: &mut Context<'_>) {
        match signal {
            Signal::Offer(offer) => {
                if !self.make_ready_for(offer.link, context) {
                    return;
                }
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_offer(now, offer, ids, out);
                });
            }
            Signal::Answer(answer) => {
                if answer.link != self.generation {
                    return;
                }
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_answer(now, answer, ids, out);
                });
            }
            Signal::Candidates {
                link,
                ufrag,
                list,
                end,
            } => {
                if link != self.generation {
                    return;
                }
                self.negotiate(context, |negotiation, now, _, out| {
                    negotiation.handle_candidates(now, ufrag, list, end, out);
                });
            }
            Signal::Status(status) => {
                let before = core::mem::replace(&mut self.status, status);
                if status.recording != before.recording {
                    let name = self.name.clone();
                    context.signs.notices.push(if status.recording {
                        NoticeKind::RecordingStarted { name }
                    } else {
                        NoticeKind::RecordingStopped { name }
                    });
                }
                self.hand_changed(before, context);
                self.expect();
            }
            Signal::Leave {} => {
                if !context.faults.has(Fault::LeaveUnheard) {
                    context.signs.departed.push((self.id, Witness::Themselves));
                }
            }
            Signal::Refresh {} => self.refresh_pictures(context),
            // Never part of a sequence.
            Signal::Probe { .. } => {}
            Signal::Gone { peer } => context.signs.departed.push((peer, Witness::Another)),
            Signal::Reattach { kind } => self.reattach(kind, context),
            Signal::Restart {} => self.restart_for_them(context),
        }
    }

    /// Sees to it that there is a connection of the generation of an offer that came. Returns
    /// whether the offer is to be looked at.
    fn make_ready_for(&mut self, generation: u32, context: &mut Context<'_>) -> bool {
        if generation < self.generation {
            return false;
        }
        let has_failed = self
            .link
            .as_ref()
            .is_some_and(|link| link.connection == ConnectionState::Failed);
        if has_failed && context.failed_is_final && generation == self.generation {
            // They want to mend what cannot be mended here.
            self.mend(context);
            return false;
        }
        let fresh = generation > self.generation || self.link.is_none();
        // Both made a connection of their own: transceivers added here would not be matched with
        // those of the offer, so yielding means to begin anew and not to roll back.
        let crossed = self
            .link
            .as_ref()
            .is_some_and(|link| link.role == LinkRole::Offerer && !link.negotiation.was_ever_answered());
        let merged = crossed && context.faults.has(Fault::CrossingRolledBack);
        if merged {
            return true;
        }
        if fresh || (crossed && self.polite) {
            if !self.demands.admit(context.now) {
                return false;
            }
            self.generation = generation;
            self.create(LinkRole::Answerer, context);
            return self.link.is_some();
        }
        !crossed
    }

    pub(crate) fn handle_link(&mut self, event: LinkEvent, context: &mut Context<'_>) {
        match event {
            LinkEvent::NegotiationNeeded => {
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_needed(now, ids, out)
                });
            }
            LinkEvent::LocalDescriptionApplied { request, kind, sdp } => {
                let sdp = if context.relay_only {
                    ice::without_candidates(&sdp)
                } else {
                    sdp
                };
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_local_applied(now, request, kind, sdp, ids, out);
                });
            }
            LinkEvent::RemoteDescriptionApplied { request } => {
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_remote_applied(now, request, ids, out);
                });
                self.sync_tracks(context);
            }
            LinkEvent::RolledBack { request } => {
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_rolled_back(now, request, ids, out);
                });
            }
            LinkEvent::DescriptionFailed { request, error: _ } => {
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_failed(now, request, ids, out);
                });
                self.replace_soon_if_broken(context);
            }
            LinkEvent::LocalCandidate { ufrag, candidate } => {
                let known = self
                    .link
                    .as_ref()
                    .and_then(|link| link.negotiation.local_ufrag().cloned());
                let ufrag = if ufrag.is_empty() {
                    known.unwrap_or_default()
                } else {
                    ufrag
                };
                let candidate = match candidate {
                    Some(candidate) if context.relay_only => match ice::without_address(candidate) {
                        None => return,
                        told => told,
                    },
                    told => told,
                };
                self.courier.post_candidate(self.generation, ufrag, candidate);
            }
            LinkEvent::ConnectionStateChanged(state) => self.connection_changed(state, context),
            LinkEvent::ChannelOpened => {
                if let Some(link) = &mut self.link {
                    link.channel = Channel::Open;
                }
                self.beat(context);
            }
            LinkEvent::ChannelReceived(text) => self.handle_frame(&text, context),
            LinkEvent::ReactionReceived(text) => self.take_reaction(&text, context),
            LinkEvent::ChannelClosed => {
                if let Some(link) = &mut self.link {
                    let was_silent = link
                        .health
                        .as_ref()
                        .is_some_and(|health| health.is_silent(context.now));
                    link.channel = if was_silent {
                        Channel::Failed
                    } else {
                        Channel::Closed { since: context.now }
                    };
                }
                self.courier.road_lost(Road::Channel);
            }
            LinkEvent::Measured(sample) => self.measured(sample, context),
            LinkEvent::Receiving(slot, receiving) => {
                if let Some(link) = &mut self.link {
                    link.receiving[slot.index()] = receiving;
                }
            }
            LinkEvent::CreationFailed { error: _ } => {
                if let Some(link) = &mut self.link {
                    link.connection = ConnectionState::Failed;
                }
            }
        }
    }

    /// A packet came over the server.
    pub(crate) fn handle_relayed(&mut self, n: u64, packet: Packet, context: &mut Context<'_>) {
        self.heard_by_server(context.now);
        if n > 0 {
            self.handle_packet(n, packet, context);
        } else if packet.signals == [Signal::Probe { answer: false }] {
            self.asked_for(context.now);
        }
        self.mend(context);
    }

    /// They ask whether we are here: they do not hear us on the connection, so nothing that we write
    /// there is heard, whatever we hear.
    fn asked_for(&mut self, now: Timestamp) {
        if self.answered.is_none_or(|last| now.since(last) >= ANSWER_PAUSE) {
            self.answered = Some(now);
            self.probe = Some(true);
        }
        if let Some(health) = self.link.as_mut().and_then(|link| link.health.as_mut())
            && health.doubt_channel(now)
        {
            self.courier.road_lost(Road::Channel);
        }
    }

    fn handle_frame(&mut self, text: &str, context: &mut Context<'_>) {
        let now = context.now;
        if let Some(health) = self.link.as_mut().and_then(|link| link.health.as_mut()) {
            health.hear(now);
            health.hear_on_channel(now);
        }
        self.update_missed(context);
        if text.len() > limits::MESSAGE_BYTES {
            return;
        }
        match Frame::decode(text) {
            Ok(Frame::Packet { n, body }) => self.handle_packet(n, body, context),
            Ok(Frame::Beat { server, restarts }) => {
                self.restarts_well = restarts;
                let is_new = !core::mem::replace(&mut self.has_server, server);
                let may_beckon = self.beckoned.is_none_or(|last| now.since(last) >= BECKON_PAUSE);
                if server && is_new && !context.server.is_open && may_beckon {
                    self.beckoned = Some(now);
                    context.signs.of_return = true;
                }
            }
            Err(_) => {}
        }
    }

    fn negotiate(
        &mut self,
        context: &mut Context<'_>,
        step: impl FnOnce(&mut Negotiation, Timestamp, &mut Ids, &mut Output),
    ) {
        let Some(link) = &mut self.link else { return };
        let mut out = Output::default();
        step(&mut link.negotiation, context.now, context.ids, &mut out);
        self.carry_out(out, context);
    }

    fn carry_out(&mut self, out: Output, context: &mut Context<'_>) {
        for command in out.commands {
            let adopted = matches!(command, Command::AdoptTransceivers { .. });
            context.commands.push_back(command);
            if adopted {
                // Before the answer is made, so that it says what is sent.
                self.sync_tracks(context);
            }
        }
        if !out.signals.is_empty() {
            self.tell(context.media.status());
        }
        for signal in out.signals {
            self.courier.post(signal);
        }
    }

    /// Brings senders and the peer's knowledge in line with what is captured.
    pub(crate) fn sync_media(&mut self, context: &mut Context<'_>) {
        self.sync_tracks(context);
        // Who has not heard from us yet is told with the first offer or answer.
        if self.told.is_some() {
            self.tell(context.media.status());
        }
    }

    fn sync_tracks(&mut self, context: &mut Context<'_>) {
        let Some(link) = self.link.as_mut().filter(|link| link.negotiation.has_slots()) else {
            return;
        };
        for slot in Slot::ALL {
            let capture = context.media.outgoing(slot);
            if core::mem::replace(&mut link.attached[slot.index()], capture) != capture {
                let link = link.negotiation.link();
                context
                    .commands
                    .push_back(Command::SetTrack { link, slot, capture });
            }
        }
    }

    fn tell(&mut self, status: MediaStatus) {
        if self.told != Some(status) {
            self.told = Some(status);
            self.courier.post(Signal::Status(status));
        }
    }

    pub(crate) fn handle_tick(&mut self, context: &mut Context<'_>) {
        let road = self.has_sure_road(context.now, context.server);
        self.negotiate(context, |negotiation, now, ids, out| {
            negotiation.handle_tick(now, road, ids, out);
        });
        let patience = self.patience();
        // Only the server's road outlives the connection that is replaced.
        let may_rebuild = self.has_sure_server(context.now, context.server);
        let Some(link) = &mut self.link else { return };
        let Some(deadline) = link.deadline else { return };
        if !may_rebuild || context.faults.has(Fault::NeverRebuilt) {
            link.deadline = Some(context.now + patience);
        } else if context.now >= deadline {
            self.rebuild(context);
        }
    }

    pub(crate) fn poll_timeout(&self, now: Timestamp, server: ServerRoad) -> Option<Timestamp> {
        let missing = match self.presence {
            Presence::Missing { until } => Some(until),
            Presence::Watched | Presence::Seated => None,
        };
        let Some(link) = &self.link else { return missing };
        let negotiation = link.negotiation.poll_timeout(self.has_sure_road(now, server));
        let deadline = link.deadline.filter(|_| self.has_sure_server(now, server));
        let courier = self
            .courier
            .poll_timeout()
            .filter(|_| self.road(now, server).is_some());
        earliest(earliest(missing, negotiation), earliest(deadline, courier))
    }

    pub(crate) fn view(&self) -> Person {
        let link = self.link.as_ref();
        Person {
            seat: self.seat,
            peer: self.id,
            name: self.name.clone(),
            link: link.map(|link| link.negotiation.link()),
            connection: link.map_or(ConnectionState::New, |link| link.connection),
            away: self.away || !matches!(self.presence, Presence::Seated),
            status: self.status,
            receiving: link.map_or([false; Slot::ALL.len()], |link| link.receiving),
            silent: self.is_missed,
            frozen: link.map_or([false; Slot::ALL.len()], |link| {
                link.flows.map(|flow| flow.is_frozen())
            }),
            relayed: link.and_then(|link| link.relayed),
        }
    }
}
