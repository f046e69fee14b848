//! What passes between a peer and the core while it handles something: what it may use, and what it
//! noticed that concerns more than itself.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::{IceServer, PeerId, Reaction, RoomSecret, SeatId};

use crate::command::Command;
use crate::event::SideEvent;
use crate::fault::Faults;
use crate::ice;
use crate::id::{Ids, LinkId, SideChannel};
use crate::media::Media;
use crate::time::Timestamp;
use crate::view::NoticeKind;

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
    /// Somebody tells a secret of the room.
    pub(crate) secrets: Vec<SecretTold>,
    /// Somebody takes back a secret that they told.
    pub(crate) withdrawn: Vec<(PeerId, RoomSecret)>,
    /// What the person should be told.
    pub(crate) notices: Vec<NoticeKind>,
    /// Somebody shows a sign: their seat, their name, which.
    pub(crate) reactions: Vec<(SeatId, String, Reaction)>,
    /// What happened on side channels, in order.
    pub(crate) aside: Vec<(Correspondent, SideChannel, SideEvent)>,
}

/// The other end of a side channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Correspondent {
    /// Stays the same over reloads of their tab.
    pub(crate) seat: SeatId,
    /// Does not.
    pub(crate) peer: PeerId,
    pub(crate) name: String,
    /// The connection that the channel belongs to.
    pub(crate) link: LinkId,
}

/// Who says that somebody leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Witness {
    /// They themselves.
    Themselves,
    /// Another peer, whom they told.
    Another,
}

impl Context<'_> {
    /// Whether a connection can come about at all.
    pub(super) fn may_connect(&self) -> bool {
        !self.relay_only || self.ice.iter().any(ice::is_relay)
    }
}

/// Which secret the room gets, or has, as a peer tells it.
#[derive(Clone, Debug)]
pub(crate) struct SecretTold {
    pub(crate) from: PeerId,
    pub(crate) secret: RoomSecret,
    /// Whether the room has it already.
    pub(crate) moved: bool,
    /// Who was sent away, if a host says so.
    pub(crate) without: Vec<SeatId>,
}
