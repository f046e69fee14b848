//! What the server says: each message, whether it is the next one, and what a refusal means.

use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::{ErrorCode, Packet, ServerMessage, limits};

use super::{Asked, Room, Standing};
use crate::peer::Context;
use crate::session::Session;
use crate::time::Timestamp;
use crate::view::{EndReason, JoinProblem, NoticeKind};

/// How much earlier than we the server may have begun to count our absence: a message's way.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);
/// Pause before what the server refused is asked for again: a seat after its restart, a look inside.
const REJOIN_AFTER: Duration = Duration::from_secs(3);

impl Room {
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
            ServerMessage::Occupancy {
                room,
                peers,
                seats,
                gate,
                shut,
            } => {
                if room == self.place.room && matches!(self.standing, Standing::Preparing { .. }) {
                    self.hosting.watched(gate, shut);
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
                hosting,
            } => {
                if you == self.me && !self.is_over() {
                    self.listed(&hosting, &peers);
                    self.told_hosting(hosting, (epoch, version), session, context);
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
            ServerMessage::Error {
                code, about, peer, ..
            } => {
                let about_host = |about: &str| self.host_refused(code, about, peer, context.commands);
                if let Some(notice) = about.as_deref().and_then(about_host) {
                    return [notice].into();
                }
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
            ServerMessage::Waiting {} => {
                if self.asked == Asked::Join {
                    self.must_wait(context);
                }
            }
            ServerMessage::Declined { word } => self.declined(word, session, context),
            ServerMessage::Removed {} => {
                if self.is_joined() {
                    self.end(EndReason::Removed, context.commands);
                }
            }
            ServerMessage::Knocks { waiting } => {
                if self.is_joined() && self.hosting.is_host {
                    return self.knocked(waiting, session, context);
                }
            }
            ServerMessage::Gate { version, gate } => {
                if self.follows(version, session, context) {
                    let was = core::mem::replace(&mut self.hosting.gate, gate);
                    return (was != gate)
                        .then_some(NoticeKind::GateChanged(gate))
                        .into_iter()
                        .collect();
                }
            }
            ServerMessage::Moved { version, room } => {
                if self.follows(version, session, context) {
                    self.is_called(context.now, room);
                    // The pass is for the room's id: there is a new one.
                    self.ask_to_resume(context.now, session, context.commands);
                }
            }
            ServerMessage::Left {}
            | ServerMessage::Pong {}
            | ServerMessage::People(_)
            | ServerMessage::Desk(_)
            | ServerMessage::Visit(_)
            | ServerMessage::GoingAway { .. } => {}
        }
        Vec::new()
    }

    /// Whether a roster event is the next one. If one was missed, the whole roster is asked for. One that comes
    /// before the answer counts all the same: whoever it tells of may speak to us before the answer is there.
    fn follows(&mut self, next: u64, session: &mut Session, context: &mut Context<'_>) -> bool {
        let Standing::Joined { version, .. } = &mut self.standing else {
            return false;
        };
        if self.asked == Asked::Join || next <= *version {
            return false;
        }
        if next == *version + 1 {
            *version = next;
            return true;
        }
        if self.asked == Asked::Nothing {
            self.ask_to_resume(context.now, session, context.commands);
        }
        false
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
                } else if code == ErrorCode::RoomMoved {
                    // Sent away while we were not there, or away for longer than a seat is kept: `join` says.
                    self.ask_to_join(context.now, session, context.commands);
                } else {
                    self.rejoin_at = Some(context.now + REJOIN_AFTER);
                }
            }
            (Some("join"), Asked::Join)
                if self.standing == Standing::Waiting && code == ErrorCode::RateLimited =>
            {
                // A server that was started anew, and many behind one address.
                self.asked = Asked::Nothing;
                self.rejoin_at = Some(context.now + REJOIN_AFTER);
            }
            (Some("join"), Asked::Join) => {
                self.asked = Asked::Nothing;
                if self.is_joined() && code == ErrorCode::Removed {
                    return self.end(EndReason::Removed, context.commands);
                }
                // It knows whom it let in; those who are away for long come by the new link. One that was
                // started anew may not know us, and then those with whom we talk tell it.
                let nobody_tells = || self.peers.iter().all(|peer| !peer.has_sure_channel(context.now));
                if self.is_joined()
                    && code == ErrorCode::RoomMoved
                    && (self.is_same_server() || nobody_tells())
                {
                    return self.end(EndReason::LinkChanged, context.commands);
                }
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
            (Some("watch"), _) if code == ErrorCode::RoomMoved => {
                if let Standing::Preparing { problem } = &mut self.standing {
                    *problem = Some(JoinProblem::Moved);
                }
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
        self.is_same_server() && now.since(self.heard) + CLOCKS_DIFFER < limits::RESUME_WINDOW
    }

    /// Whether we sit, and the server is the one that gave us the seat.
    fn is_same_server(&self) -> bool {
        matches!(self.standing, Standing::Joined { epoch, .. } if self.server == Some(epoch))
    }
}

const fn problem(code: ErrorCode) -> JoinProblem {
    match code {
        ErrorCode::RoomFull => JoinProblem::RoomFull,
        ErrorCode::RoomLocked => JoinProblem::Locked,
        ErrorCode::RoomMoved | ErrorCode::Removed => JoinProblem::Moved,
        ErrorCode::TooManyWaiting => JoinProblem::TooManyWaiting,
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
        | ErrorCode::NotSignedIn
        | ErrorCode::AlreadySignedIn
        | ErrorCode::HandleTaken
        | ErrorCode::HandleFree
        | ErrorCode::BadSignature
        | ErrorCode::BadCode
        | ErrorCode::TooMany
        | ErrorCode::BadToken
        | ErrorCode::TokensOnly
        | ErrorCode::KeysOnly
        | ErrorCode::NotHost
        | ErrorCode::TokenTooLong
        | ErrorCode::TokenMalformed
        | ErrorCode::TokenUnsigned
        | ErrorCode::TokenAlgorithm
        | ErrorCode::TokenKey
        | ErrorCode::TokenSignature
        | ErrorCode::TokenClaims
        | ErrorCode::TokenClaimType
        | ErrorCode::TokenIssuer
        | ErrorCode::TokenType
        | ErrorCode::TokenAudience
        | ErrorCode::TokenExpired
        | ErrorCode::TokenNotYet
        | ErrorCode::TokenReused
        | ErrorCode::NoDesk
        | ErrorCode::NoVisit
        | ErrorCode::UnknownAppointment
        | ErrorCode::InvalidAppointment
        | ErrorCode::AppointmentEarly
        | ErrorCode::AppointmentLate
        | ErrorCode::AppointmentOver
        | ErrorCode::AppointmentCancelled
        | ErrorCode::Unknown => JoinProblem::Other,
    }
}
