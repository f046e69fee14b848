//! Rooms with a host: who comes in without being asked, and what a host may do.
//!
//! Whose a room is stands in its id. So there is nothing to remember and nothing to claim: whoever shows
//! the secret that hashes to it is the host, also after a restart of the server.

use core::time::Duration;
use std::collections::VecDeque;

use bytestring::ByteString;
use visavis_protocol::{
    Charter, Claim, CloseCode, ErrorCode, Gate, HostRequest, Hosting, LeaveReason, PeerId, RoomId, SeatId,
    ServerMessage, limits, text,
};

use super::config::HubFault;
use super::connection::Place;
use super::moved::Found;
use super::rate::{Bucket, Rate};
use super::room::{RoomKey, Watcher};
use super::roster::Newcomer;
use super::waiting::Wait;
use super::{ConnectionKey, Hub};

/// Seats that one room remembers to have let in, and as many that were removed from it. Who is forgotten
/// has a pass, or none any more.
const REMEMBERED_SEATS: usize = 256;
/// How long a page takes to come back after a reload. Whoever has left for longer when somebody is removed comes
/// by the new link like everybody: it may be the same person's other browser.
const BACK_WITHIN: Duration = Duration::from_secs(15);
/// Ids that a room had before, under which passes are good for who watches it.
const FORMER_IDS: usize = 8;

/// A few seats, the oldest forgotten first.
#[derive(Default)]
struct SeatBook(VecDeque<SeatId>);

impl SeatBook {
    fn insert(&mut self, seat: SeatId) {
        self.remove(seat);
        self.0.push_back(seat);
        if self.0.len() > REMEMBERED_SEATS {
            self.0.pop_front();
        }
    }

    fn remove(&mut self, seat: SeatId) {
        self.0.retain(|known| *known != seat);
    }

    fn contains(&self, seat: SeatId) -> bool {
        self.0.contains(&seat)
    }
}

/// What a room with a host has beside its seats.
pub(super) struct Hosted {
    pub(super) charter: Charter,
    pub(super) gate: Gate,
    /// In the order in which they came; at most [`limits::ROOM_WAITING`].
    pub(super) waits: Vec<Wait>,
    /// Who was let in, to come back without being asked.
    admitted: SeatBook,
    /// Those of them who have left, and when.
    gone: VecDeque<(Duration, SeatId)>,
    /// Who was removed: neither a pass nor what was before lets them in.
    removed: SeatBook,
    /// Ids of before, the newest last.
    former: VecDeque<RoomId>,
    removals: Bucket,
}

impl Hosted {
    pub(super) fn new(charter: Charter) -> Self {
        Self {
            charter,
            gate: first_gate(charter),
            waits: Vec::new(),
            admitted: SeatBook::default(),
            gone: VecDeque::new(),
            removed: SeatBook::default(),
            former: VecDeque::new(),
            removals: Bucket::default(),
        }
    }

    /// Forgets all but the pace of its removals: nobody sits or waits there any more.
    pub(super) fn start_anew(&mut self) {
        *self = Self {
            removals: self.removals,
            ..Self::new(self.charter)
        };
    }

    /// Notes that somebody took a seat. Who was removed stays so: they may have heard of the new link, and
    /// came through an open gate.
    pub(super) fn let_in(&mut self, seat: SeatId) {
        self.gone.retain(|(_, known)| *known != seat);
        if !self.removed.contains(seat) {
            self.admitted.insert(seat);
        }
    }

    /// Notes that somebody has left.
    pub(super) fn has_left(&mut self, now: Duration, seat: SeatId) {
        self.gone.push_back((now, seat));
        if self.gone.len() > REMEMBERED_SEATS {
            self.gone.pop_front();
        }
    }

    /// The room gets another link: whoever has left it for good comes by that one, if somebody gives it to them.
    fn forget_gone(&mut self, now: Duration) {
        self.gone.retain(|(left, seat)| {
            let may_come_back = *left + BACK_WITHIN > now;
            if !may_come_back {
                self.admitted.remove(*seat);
            }
            may_come_back
        });
    }

    /// Whether a seat was let in, and not removed since.
    fn knows(&self, seat: SeatId) -> bool {
        self.admitted.contains(seat)
    }
}

/// The gate of a room that comes to life.
const fn first_gate(charter: Charter) -> Gate {
    Gate {
        waiting_room: charter.waiting_room,
        locked: false,
    }
}

/// What the gate says to somebody who asks for a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entrance {
    /// May take one.
    Open,
    /// Waits until a host decides.
    Wait,
    /// Comes by a link of before.
    Moved,
    /// Does so because a host sent them away.
    Removed,
    /// Must stay outside.
    Locked,
}

impl Hub {
    /// Whether a claim makes its bearer a host there.
    pub(super) fn is_host(&self, room: &RoomId, claim: &Claim) -> bool {
        let (Some(charter), Some(secret)) = (room.charter(), claim.host) else {
            return false;
        };
        secret.host_id() == charter.host || self.config.has(HubFault::ClaimBelieved)
    }

    pub(super) fn hosted(&self, key: RoomKey) -> Option<&Hosted> {
        self.rooms.get(&key)?.hosted.as_deref()
    }

    pub(super) fn hosted_mut(&mut self, key: RoomKey) -> Option<&mut Hosted> {
        self.rooms.get_mut(&key)?.hosted.as_deref_mut()
    }

    /// What the gate says.
    pub(super) fn entrance(&self, found: &Found, who: &Newcomer) -> Entrance {
        let Some(charter) = found.id.charter() else {
            return Entrance::Open;
        };
        let hosted = found.key.and_then(|key| self.hosted(key));
        if who.host || hosted.is_some_and(|hosted| hosted.knows(who.seat)) {
            return Entrance::Open;
        }
        let waits = hosted.is_some_and(|hosted| hosted.wait_of(who.peer, who.seat).is_some());
        let removed = hosted.is_some_and(|hosted| hosted.removed.contains(who.seat));
        if found.moved && !self.config.has(HubFault::RemovedComesBack) {
            return match (waits, removed) {
                (true, _) => Entrance::Wait,
                (false, true) => Entrance::Removed,
                (false, false) => Entrance::Moved,
            };
        }
        let has_pass = |pass| self.config.pass_key.is_good(pass, &found.id, who.seat);
        if !removed && who.pass.is_some_and(has_pass) {
            return Entrance::Open;
        }
        let gate = hosted.map_or(first_gate(charter), |hosted| hosted.gate);
        match gate {
            Gate {
                waiting_room: false,
                locked: false,
            } => Entrance::Open,
            Gate { locked: true, .. } if !waits => Entrance::Locked,
            Gate { .. } => Entrance::Wait,
        }
    }

    /// Whether somebody who looks at a room may see who is inside, whatever its gate. A seat's id is known
    /// to others, so it takes a pass; one for an id of before does for a seat that was not removed since.
    pub(super) fn may_look_inside(&self, found: &Found, seat: Option<SeatId>, claim: &Claim) -> bool {
        if self.is_host(&found.id, claim) {
            return true;
        }
        let (Some(seat), Some(pass)) = (seat, claim.pass) else {
            return false;
        };
        let key = &self.config.pass_key;
        let Some(hosted) = found.key.and_then(|key| self.hosted(key)) else {
            return !found.moved && key.is_good(pass, &found.id, seat);
        };
        if hosted.removed.contains(seat) {
            return false;
        }
        (!found.moved && key.is_good(pass, &found.id, seat))
            || (hosted.knows(seat) && hosted.former.iter().any(|id| key.is_good(pass, id, seat)))
    }

    /// What `joined` says of the room's host and gate.
    pub(super) fn hosting(&self, key: RoomKey, peer: PeerId, asked: &RoomId) -> Hosting {
        let Some(room) = self.rooms.get(&key) else {
            return Hosting::default();
        };
        let Some(hosted) = &room.hosted else {
            return Hosting::default();
        };
        let Some(seat) = room.seats.iter().find(|seat| seat.peer == peer) else {
            return Hosting::default();
        };
        let may_come_back = !hosted.removed.contains(seat.seat);
        Hosting {
            host: seat.host,
            gate: hosted.gate,
            pass: may_come_back
                .then(|| self.config.pass_key.make(&room.id, seat.seat))
                .flatten(),
            room: (*asked != room.id).then(|| room.id.clone()),
        }
    }

    /// Takes the last word on a claim, of a session that sits.
    pub(super) fn set_host(&mut self, key: RoomKey, peer: PeerId, claim: &Claim) {
        let host = self
            .rooms
            .get(&key)
            .is_some_and(|room| self.is_host(&room.id, claim));
        let seats = self.rooms.get_mut(&key).map(|room| room.seats.iter_mut());
        if let Some(seat) = seats.into_iter().flatten().find(|seat| seat.peer == peer) {
            seat.host = host;
        }
    }

    /// Does what a host asks.
    pub(super) fn host(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        place: Place,
        request: HostRequest,
    ) {
        let kind = request.kind();
        let Place::Seated(key, own) = place else {
            return self.send_error(connection, ErrorCode::NotJoined, Some(kind), None);
        };
        let may = self.rooms.get(&key).is_some_and(|room| {
            room.hosted.is_some() && room.seats.iter().any(|seat| seat.peer == own && seat.host)
        });
        if !may {
            return self.offend(now, connection, ErrorCode::NotHost, Some(kind));
        }
        match request {
            HostRequest::SetGate { gate } => self.set_gate(now, key, gate),
            HostRequest::Admit { peers } => {
                if peers.len() > limits::ROOM_WAITING {
                    return self.offend(now, connection, ErrorCode::BadMessage, Some(kind));
                }
                if let Some(left) = self.admit(now, key, &peers) {
                    self.send_error(connection, ErrorCode::RoomFull, Some(kind), Some(left));
                }
            }
            HostRequest::Decline { peer, word } => {
                if word.len() > limits::WORD_BYTES {
                    return self.offend(now, connection, ErrorCode::BadMessage, Some(kind));
                }
                self.decline(now, key, peer, text::clean_text(&word));
            }
            HostRequest::Remove { peer, next } => {
                if let Err(code) = self.remove(now, connection, (key, own), peer, next) {
                    self.send_error(connection, code, Some(kind), Some(peer));
                }
            }
            HostRequest::Rename { next } => match self.may_rename(now, connection, key, &next) {
                Ok(()) => self.rename(now, key, next),
                Err(code) => self.send_error(connection, code, Some(kind), None),
            },
        }
    }

    fn set_gate(&mut self, now: Duration, key: RoomKey, gate: Gate) {
        let Some(hosted) = self.hosted_mut(key) else {
            return;
        };
        if hosted.gate == gate {
            return;
        }
        hosted.gate = gate;
        self.tell_seated(key, |version| ServerMessage::Gate { version, gate });
        self.roster_changed(now, key);
        self.let_in_if_open(now, key);
    }

    /// Where nobody has to be asked any more, whoever waits comes in, as many as there are seats.
    pub(super) fn let_in_if_open(&mut self, now: Duration, key: RoomKey) {
        let Some(hosted) = self.hosted(key) else {
            return;
        };
        if hosted.gate.is_open() && !hosted.waits.is_empty() {
            let peers: Vec<PeerId> = hosted.waits.iter().map(|wait| wait.peer).collect();
            self.admit(now, key, &peers);
        }
    }

    /// Lets people in who wait, in this order. Returns the first for whom there was no seat.
    fn admit(&mut self, now: Duration, key: RoomKey, peers: &[PeerId]) -> Option<PeerId> {
        let mut left = None;
        let mut changed = false;
        for peer in peers {
            let Some(seat) = self
                .hosted(key)
                .and_then(|hosted| hosted.waits.iter().find(|wait| wait.peer == *peer))
                .map(|wait| wait.seat)
            else {
                continue;
            };
            if !self.has_place_for(key, seat) {
                left = left.or(Some(*peer));
                continue;
            }
            changed = true;
            if let Some(hosted) = self.hosted_mut(key) {
                // A host who lets somebody in whom they removed takes that back.
                hosted.removed.remove(seat);
                // Who is away at the moment has the seat when they are back, if there still is one.
                hosted.admitted.insert(seat);
            }
            self.seat_wait(now, key, *peer);
        }
        if changed {
            self.tell_knocks(now, key);
        }
        left
    }

    /// Sends somebody away for good: the room has another id, which they do not know.
    fn remove(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        (key, own): (RoomKey, PeerId),
        peer: PeerId,
        next: RoomId,
    ) -> Result<(), ErrorCode> {
        if peer == own {
            return Err(ErrorCode::SelfAddressed);
        }
        let seats = self.rooms.get(&key).map(|room| room.seats.iter());
        let (seat, socket) = seats
            .into_iter()
            .flatten()
            .find(|seat| seat.peer == peer)
            .map(|seat| (seat.seat, seat.connection()))
            .ok_or(ErrorCode::UnknownPeer)?;
        self.may_rename(now, connection, key, &next)?;
        if let Some(hosted) = self.hosted_mut(key) {
            hosted.forget_gone(now);
            hosted.admitted.remove(seat);
            hosted.removed.insert(seat);
        }
        self.remove_seat(now, key, peer, LeaveReason::Removed);
        if let Some(socket) = socket {
            self.set_place(socket, Place::Greeted);
            self.say_where(now, socket);
            self.send(socket, &ServerMessage::Removed {});
        }
        self.rename(now, key, next);
        self.let_in_if_open(now, key);
        Ok(())
    }

    /// Whether a host may give a room that id now.
    fn may_rename(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        key: RoomKey,
        next: &RoomId,
    ) -> Result<(), ErrorCode> {
        // A room that stands under it already is none to spare: only those who heard the secret can have made it,
        // and it is the host's to give.
        let taken = self.moved.contains(next) || self.rooms.get(&key).is_some_and(|room| room.id == *next);
        let hosted = self.hosted_mut(key).ok_or(ErrorCode::NotHost)?;
        if taken || next.charter() != Some(hosted.charter) {
            return Err(ErrorCode::BadMessage);
        }
        let pace = limits::REMOVALS_PER_MINUTE;
        let rate = Rate::new(pace, Duration::from_secs(60), pace);
        let may = hosted.removals.take(now, rate, 1)
            && self
                .connections
                .get(&connection)
                .is_some_and(|known| self.addresses.may_rename(now, known.address));
        if may { Ok(()) } else { Err(ErrorCode::RateLimited) }
    }

    /// Gives a room another id. Whoever sits or waits there stays; who looks in is told that it moved.
    fn rename(&mut self, now: Duration, key: RoomKey, next: RoomId) {
        if let Some(other) = self.room_keys.get(&next).copied() {
            self.dissolve(now, other);
        }
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let old = core::mem::replace(&mut room.id, next.clone());
        if let Some(hosted) = room.hosted.as_deref_mut() {
            hosted.former.push_back(old.clone());
            if hosted.former.len() > FORMER_IDS {
                hosted.former.pop_front();
            }
        }
        let watchers = core::mem::take(&mut room.watchers);
        self.room_keys.remove(&old);
        self.room_keys.insert(next.clone(), key);
        let keys = &self.room_keys;
        self.moved.insert(old, next.clone(), |id| keys.contains_key(id));
        self.tell_seated(key, |version| ServerMessage::Moved { version, room: next });
        self.send_watchers_on(watchers);
    }

    fn send_watchers_on(&mut self, watchers: Vec<Watcher>) {
        for watcher in watchers {
            self.set_place(watcher.connection, Place::Greeted);
            self.send_error(watcher.connection, ErrorCode::RoomMoved, Some("watch"), None);
        }
    }

    /// Ends a room that stands in the way of another.
    fn dissolve(&mut self, now: Duration, key: RoomKey) {
        let waiting = self.waiting_sockets(key);
        let Some(room) = self.rooms.remove(&key) else {
            return;
        };
        self.room_keys.remove(&room.id);
        for seat in &room.seats {
            self.ended.insert(seat.peer);
        }
        let seated = room.seats.iter().filter_map(|seat| seat.connection());
        for socket in seated.chain(waiting) {
            self.detach(now, socket, CloseCode::SeatMoved);
            self.say_where(now, socket);
        }
        self.send_watchers_on(room.watchers);
    }

    /// Counts the roster's version up and tells everybody who sits there.
    fn tell_seated(&mut self, key: RoomKey, message: impl FnOnce(u64) -> ServerMessage) {
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let text = ByteString::from(message(room.count_up(&self.config)).encode());
        let sockets: Vec<ConnectionKey> = room.seats.iter().filter_map(|seat| seat.connection()).collect();
        for socket in sockets {
            self.push(socket, text.clone());
        }
    }
}
