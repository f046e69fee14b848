//! Connections by the core's numbers.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use visavis_call_core::{LinkId, ReactionRate, Timestamp};

use super::table::Table;
use crate::web::console;
use crate::web::peer::{Peer, PeerEvent, StateKind};

/// The connections that there are.
#[derive(Default)]
pub(super) struct Links {
    peers: RefCell<Table<LinkId, Linked>>,
}

struct Linked {
    peer: Rc<Peer>,
    reactions: Cell<ReactionRate>,
}

impl Links {
    pub(super) fn get(&self, link: LinkId) -> Option<Rc<Peer>> {
        self.peers
            .borrow()
            .get(link)
            .map(|linked| Rc::clone(&linked.peer))
    }

    /// Whether the core is to hear of one more reaction: whoever sends thousands a second would have it
    /// do nothing else.
    pub(super) fn admits_reaction(&self, link: LinkId, now: Timestamp) -> bool {
        let peers = self.peers.borrow();
        let Some(Linked { reactions, .. }) = peers.get(link) else {
            return false;
        };
        let mut rate = reactions.get();
        let is_admitted = rate.admit(now);
        reactions.set(rate);
        is_admitted
    }

    pub(super) fn insert(&self, link: LinkId, peer: Peer) {
        let linked = Linked {
            peer: Rc::new(peer),
            reactions: Cell::default(),
        };
        self.peers.borrow_mut().insert(link, linked);
    }

    /// Notes what decides nothing, for an engineer to see.
    pub(super) fn observe(&self, link: LinkId, event: PeerEvent) {
        let text = match event {
            PeerEvent::Observed(kind, state) => {
                let mut text = String::from(match kind {
                    StateKind::IceConnection => "iceConnectionState ",
                    StateKind::IceGathering => "iceGatheringState ",
                    StateKind::Signaling => "signalingState ",
                });
                text.push_str(&state);
                text
            }
            PeerEvent::CandidateError { code, url } => {
                let mut text = String::from("icecandidateerror ");
                text.push_str(&code.to_string());
                text.push(' ');
                text.push_str(&url);
                text
            }
            PeerEvent::NegotiationNeeded
            | PeerEvent::Candidate { .. }
            | PeerEvent::ConnectionState(_)
            | PeerEvent::Receiving(..)
            | PeerEvent::Channel(_)
            | PeerEvent::Reaction(_)
            | PeerEvent::Chat(_)
            | PeerEvent::Files(_)
            | PeerEvent::Pipe(..) => return,
        };
        console::debug(&text, link.0);
    }

    /// Closes a connection.
    pub(super) fn remove(&self, link: LinkId) {
        let peer = self.peers.borrow_mut().remove(link);
        drop(peer);
    }

    pub(super) fn clear(&self) {
        let peers = self.peers.take();
        drop(peers);
    }
}
