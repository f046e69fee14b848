//! One other participant: their roster entry, the courier to them and the connection with them.

mod comforts;
mod context;
mod demands;
mod link;
mod pictures;
mod recovery;
mod roads;
mod sending;
mod side;
mod signals;

use alloc::string::String;

use visavis_protocol::{MediaStatus, PeerEntry, PeerId, RoomSecret, SeatId};

use crate::courier::{Courier, Road};
use crate::fault::{Fault, Faults};
use crate::id::{LinkId, Slot};
use crate::rate::Rate;
use crate::reactions::ReactionRate;
use crate::time::{Timestamp, earliest};
use crate::view::{ConnectionState, Person};
pub(crate) use context::{Context, Correspondent, SecretTold, ServerRoad, Signs, Witness};
use demands::Demands;
use link::Link;
use pictures::Picture;

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

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) seat: SeatId,
    pub(crate) name: String,
    pub(crate) away: bool,
    /// As the server says.
    pub(crate) is_host: bool,
    /// The connection on which the room's new secret was told last, and which.
    told_secret: Option<(LinkId, RoomSecret)>,
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
    reactions: ReactionRate,
    /// How often it is said that they raised their hand.
    hands: Rate,
    /// How often it is said that they record, or no longer.
    recordings: Rate,
    /// Which of the two was said last.
    said_recording: bool,
}

impl Peer {
    pub(crate) fn new(entry: PeerEntry, me: PeerId, presence: Presence, era: u32, faults: Faults) -> Self {
        let polite = me < entry.peer;
        Self {
            id: entry.peer,
            seat: entry.seat,
            name: entry.name,
            away: entry.away,
            is_host: entry.host,
            told_secret: None,
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
            reactions: ReactionRate::default(),
            hands: Rate::default(),
            recordings: Rate::default(),
            said_recording: false,
        }
    }

    pub(crate) fn handle_tick(&mut self, context: &mut Context<'_>) {
        self.say_recording(context);
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
            is_host: self.is_host,
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
