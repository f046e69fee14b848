//! Connections by the core's numbers.

use core::cell::RefCell;
use std::rc::Rc;

use visavis_call_core::LinkId;

use super::table::Table;
use crate::web::console;
use crate::web::peer::{Peer, PeerEvent, StateKind};

/// The connections that there are.
#[derive(Default)]
pub(super) struct Links {
    peers: RefCell<Table<LinkId, Rc<Peer>>>,
}

impl Links {
    pub(super) fn get(&self, link: LinkId) -> Option<Rc<Peer>> {
        self.peers.borrow().get(link).map(Rc::clone)
    }

    pub(super) fn insert(&self, link: LinkId, peer: Peer) {
        self.peers.borrow_mut().insert(link, Rc::new(peer));
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
            | PeerEvent::Reaction(_) => return,
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
