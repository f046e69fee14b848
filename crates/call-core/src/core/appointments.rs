//! How the core has to do with appointments: what is wanted goes in, what is to be said goes out.

use alloc::vec::Vec;

use visavis_protocol::appointment::{DeskRequest, VisitRequest};
use visavis_protocol::{ClientMessage, ServerMessage};

use super::Core;
use crate::appointments::{Desk, DeskIntent, Visit, VisitIntent, is_about_desk, is_about_visit};
use crate::time::Timestamp;

impl Core {
    pub(super) fn intend_desk(&mut self, now: Timestamp, intent: DeskIntent) {
        if matches!(intent, DeskIntent::Open { .. }) {
            self.session.start(now, &mut self.ids, &mut self.commands);
        }
        self.about_desk(now, |desk, out| desk.intend(intent, out));
        self.rest();
    }

    pub(super) fn intend_visit(&mut self, now: Timestamp, intent: VisitIntent) {
        match intent {
            VisitIntent::Open { .. } => self.session.start(now, &mut self.ids, &mut self.commands),
            VisitIntent::TryDevices(true) => self.media.resume(&mut self.ids, &mut self.commands),
            // In a room they are that room's.
            VisitIntent::TryDevices(false) if self.room.is_none() => {
                self.media.release_all(&mut self.commands);
            }
            VisitIntent::TryDevices(false)
            | VisitIntent::Ready { .. }
            | VisitIntent::StopWaiting
            | VisitIntent::Met
            | VisitIntent::Close => {}
        }
        self.about_visit(now, |visit, out| visit.intend(now, intent, out));
        self.rest();
    }

    /// Whether the server is wanted beside any room.
    pub(super) const fn wants_server(&self) -> bool {
        self.people.wants_server() || self.desk.wants_server() || self.visit.wants_server()
    }

    /// Lets go of the server where nothing wants it any more.
    pub(super) fn rest(&mut self) {
        if self.room.is_none() && !self.wants_server() {
            self.session.stop(&mut self.commands);
        }
    }

    /// Does something about the desk, and says what comes of it.
    pub(super) fn about_desk(&mut self, now: Timestamp, step: impl FnOnce(&mut Desk, &mut Vec<DeskRequest>)) {
        let mut out = Vec::new();
        step(&mut self.desk, &mut out);
        for request in out {
            self.session
                .send(now, &ClientMessage::Desk(request), &mut self.commands);
        }
    }

    /// The same about a visit.
    pub(super) fn about_visit(
        &mut self,
        now: Timestamp,
        step: impl FnOnce(&mut Visit, &mut Vec<VisitRequest>),
    ) {
        let mut out = Vec::new();
        step(&mut self.visit, &mut out);
        for request in out {
            self.session
                .send(now, &ClientMessage::Visit(request), &mut self.commands);
        }
    }

    /// Takes a message that is about appointments; whether it was.
    pub(super) fn is_of_appointments(&mut self, now: Timestamp, message: &ServerMessage) -> bool {
        match message {
            ServerMessage::Desk(event) => {
                let event = event.clone();
                self.about_desk(now, |desk, out| desk.handle(now, event, out));
            }
            ServerMessage::Visit(event) => {
                let event = event.clone();
                self.about_visit(now, |visit, out| visit.handle(now, event, out));
            }
            ServerMessage::Error {
                code,
                about: Some(about),
                ..
            } if is_about_desk(about) => {
                self.desk.refused(now, *code, about);
                self.rest();
            }
            ServerMessage::Error {
                code,
                about: Some(about),
                ..
            } if is_about_visit(about) => {
                self.visit.refused(now, *code, about);
                self.rest();
            }
            ServerMessage::Error { .. }
            | ServerMessage::Welcome { .. }
            | ServerMessage::Occupancy { .. }
            | ServerMessage::Joined { .. }
            | ServerMessage::Waiting {}
            | ServerMessage::Declined { .. }
            | ServerMessage::Removed {}
            | ServerMessage::Knocks { .. }
            | ServerMessage::Gate { .. }
            | ServerMessage::Moved { .. }
            | ServerMessage::PeerJoined { .. }
            | ServerMessage::PeerLeft { .. }
            | ServerMessage::PeerAway { .. }
            | ServerMessage::Relay { .. }
            | ServerMessage::Ice { .. }
            | ServerMessage::Left {}
            | ServerMessage::People(_)
            | ServerMessage::Pong {}
            | ServerMessage::GoingAway { .. } => return false,
        }
        true
    }
}
