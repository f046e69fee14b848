//! The two roads to a peer, the server and the control channel of the connection itself: which of them
//! packets take, and what comes along each.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::{Frame, Packet, PeerId, RoomSecret, SeatId, Signal, limits};

use super::link::Channel;
use super::{Context, Peer, Presence, SecretTold, ServerRoad};
use crate::command::Command;
use crate::courier::Road;
use crate::time::Timestamp;

/// Pause between two answers to somebody who asks whether we are here.
const ANSWER_PAUSE: Duration = Duration::from_millis(500);
/// Pause between two times that a peer can make us try the server again.
const BECKON_PAUSE: Duration = Duration::from_secs(5);
/// How much later than on the connection a peer must be heard over the server, to show that it is the
/// connection alone that is silent: what came a moment later was sent before.
const PROVES_AFTER: Duration = Duration::from_millis(900);

impl Peer {
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
    pub(super) fn road(&self, now: Timestamp, server: ServerRoad) -> Option<Road> {
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
    pub(super) fn has_sure_road(&self, now: Timestamp, server: ServerRoad) -> bool {
        self.has_sure_channel(now) || self.has_sure_server(now, server)
    }

    /// Whether the server reaches the peer. Where nothing comes on the connection, that has to be
    /// shown first by something that came over the server since: their network may be away, and a
    /// connection that is left alone heals by itself when it is back.
    pub(super) fn has_sure_server(&self, now: Timestamp, server: ServerRoad) -> bool {
        let health = self.link.as_ref().and_then(|link| link.health.as_ref());
        let is_heard = health
            .is_none_or(|health| !health.is_silent(now) || !health.heard_after(self.heard - PROVES_AFTER));
        server.is_sure && is_heard && self.is_reachable()
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

    pub(super) fn write(&self, frame: &Frame, commands: &mut VecDeque<Command>) {
        if let Some(link) = self.link.as_ref().filter(|link| link.channel == Channel::Open) {
            commands.push_back(Command::SendInBand {
                link: link.negotiation.link(),
                text: frame.encode(),
            });
        }
    }

    /// Says which secret the room gets, or has, where that takes neither the server nor anybody else.
    /// `without` are those who were sent away.
    pub(crate) fn say_secret(
        &self,
        secret: RoomSecret,
        moved: bool,
        without: Vec<SeatId>,
        commands: &mut VecDeque<Command>,
    ) {
        let frame = Frame::Secret {
            secret,
            moved,
            without,
        };
        self.write(&frame, commands);
    }

    /// Says which secret the room has, once on each connection.
    pub(crate) fn tell_secret(
        &mut self,
        secret: RoomSecret,
        without: &[SeatId],
        commands: &mut VecDeque<Command>,
    ) {
        let link = self.link.as_ref().filter(|link| link.channel == Channel::Open);
        let Some(link) = link.map(|link| link.negotiation.link()) else {
            return;
        };
        if self.told_secret.replace((link, secret)) != Some((link, secret)) {
            self.say_secret(secret, true, without.to_vec(), commands);
        }
    }

    /// Says that a secret comes to nothing.
    pub(crate) fn withdraw_secret(&self, secret: RoomSecret, commands: &mut VecDeque<Command>) {
        self.write(&Frame::Withdrawn { secret }, commands);
    }

    /// Asks them to turn the microphone off.
    pub(crate) fn ask_to_mute(&mut self) {
        self.courier.post(Signal::AskMute {});
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

    pub(super) fn handle_frame(&mut self, text: &str, context: &mut Context<'_>) {
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
            Ok(Frame::Secret {
                secret,
                moved,
                without,
            }) => context.signs.secrets.push(SecretTold {
                from: self.id,
                secret,
                moved,
                without,
            }),
            Ok(Frame::Withdrawn { secret }) => context.signs.withdrawn.push((self.id, secret)),
            Err(_) => {}
        }
    }
}
