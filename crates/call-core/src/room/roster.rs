//! Who is here: the roster as the server has it, brought in line with the peers whom we know, and the
//! word of peers for who has left.

use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::{Epoch, IceServer, LeaveReason, PeerEntry, PeerId, limits};

use super::{Asked, Room, Standing};
use crate::fault::Fault;
use crate::peer::{Context, Peer, Presence, Witness};
use crate::session::Session;
use crate::view::{JoinProblem, NoticeKind};

/// Peers of whom a client keeps track: a full room and the same again, for seats being taken over.
const PEERS: usize = limits::ROOM_SEATS * 2;
/// How long the tile of a seat that is being taken over by a reload waits for its new session.
const TAKE_OVER_WITHIN: Duration = Duration::from_secs(5);
/// Sessions remembered that said they leave. The server keeps a seat for a minute.
const DEPARTED: usize = 32;

impl Room {
    pub(super) fn watched(&mut self, entries: Vec<PeerEntry>, seats: usize, context: &mut Context<'_>) {
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
                    peer.is_host = entry.host;
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
    pub(super) fn joined(
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
        entries.retain(|entry| !self.has_departed(entry.peer));
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
            peer.is_host = entry.host;
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

    /// Whether a session has said that it leaves. It never comes back.
    fn has_departed(&self, id: PeerId) -> bool {
        self.departed.contains(&id) && !self.config.faults.has(Fault::DepartedListed)
    }

    pub(super) fn peer_joined(&mut self, entry: PeerEntry, context: &mut Context<'_>) -> Option<NoticeKind> {
        self.came_in(&entry);
        if let Some(at) = self.position(entry.peer) {
            // Back after the server forgot both of us: the connection never noticed.
            let peer = self.peers.get_mut(at)?;
            peer.presence = Presence::Seated;
            peer.away = entry.away;
            peer.name = entry.name;
            peer.is_host = entry.host;
            peer.server_road_reopened(context);
            return None;
        }
        // Said of somebody who came and left again while that was on its way: we heard them leave.
        if self.has_departed(entry.peer) {
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

    pub(super) fn peer_left(
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
        let name = peer.name;
        Some(if reason == LeaveReason::Removed {
            NoticeKind::PersonRemoved { name }
        } else {
            NoticeKind::PersonLeft { name }
        })
    }

    pub(super) fn peer_away(&mut self, id: PeerId, away: bool, context: &mut Context<'_>) {
        let Some(peer) = self.position(id).and_then(|at| self.peers.get_mut(at)) else {
            return;
        };
        peer.away = away;
        if !away {
            peer.server_road_reopened(context);
        }
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
    pub(super) fn drop_peer(&mut self, id: PeerId, context: &mut Context<'_>) -> bool {
        let notice = self.peer_left(id, LeaveReason::Left, context);
        let was_here = notice.is_some();
        context.signs.notices.extend(notice);
        was_here
    }
}
