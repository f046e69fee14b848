//! Carries signals between two peers, in order, once each, whatever happens to the road.
//!
//! Packets are numbered per pair of sessions and kept until the other side acknowledges them.
//! Acknowledgements ride on packets that go the other way. There are two roads: the server, and the
//! control channel between the two. The numbers belong to the pair and not to a road, so packets of
//! one sequence may travel on both. When a road is lost, what went along it and was not
//! acknowledged is sent again on whichever there is; the receiver puts it in order and drops what
//! it already has.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use visavis_protocol::{Candidate, Packet, Signal, limits};

use crate::fault::{Fault, Faults};
use crate::time::Timestamp;

/// Received packets after which an acknowledgement goes out on its own: the other side keeps as
/// many at most without hearing from us.
const ACK_AFTER: u64 = 16;
/// Packets that arrived ahead of a missing one. More means that the sender does not resend.
const AHEAD: usize = 64;
/// Signals and packets kept for a peer who cannot be reached. An honest pair needs a few dozen.
const BACKLOG: usize = 256;

/// What the signals of one packet may weigh: half of what the server takes, since texts within texts
/// grow by their escapes. An honest offer weighs 4 KiB.
const PACKET_WEIGHT: usize = limits::BODY_BYTES / 2;
/// What may be unacknowledged: all of it goes out at once when a road comes back.
const BACKLOG_WEIGHT: usize = 8 * PACKET_WEIGHT;

/// How a packet gets to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Road {
    /// Our socket, the server, their socket.
    Server,
    /// The control channel of the connection between the two.
    Channel,
}

/// A packet that the other side may not have.
#[derive(Clone, Debug)]
struct Sent {
    n: u64,
    signals: Vec<Signal>,
    /// Where it was last seen; `None` if it has to go again.
    road: Option<Road>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Courier {
    era: u32,
    last_sent: u64,
    unacknowledged: VecDeque<Sent>,
    /// What these weigh.
    outstanding: usize,
    pending: Vec<Signal>,
    /// Candidates wait for company until then; everything else leaves at once.
    hold_until: Option<Timestamp>,
    received: u64,
    acknowledged: u64,
    /// At most [`AHEAD`], in no order.
    ahead: Vec<(u64, Vec<Signal>)>,
    faults: Faults,
}

impl Courier {
    pub(crate) fn new(era: u32, faults: Faults) -> Self {
        Self {
            era,
            faults,
            ..Self::default()
        }
    }

    /// See [`Packet::era`].
    pub(crate) const fn era(&self) -> u32 {
        self.era
    }

    /// Whether anything was ever sent or received.
    pub(crate) const fn was_used(&self) -> bool {
        self.last_sent > 0 || self.received > 0
    }

    /// Queues a signal. A newer status replaces one that has not left, candidates of one generation
    /// are gathered, and nothing waits twice.
    pub(crate) fn post(&mut self, signal: Signal) {
        match &signal {
            Signal::Status(_) => self
                .pending
                .retain(|waiting| !matches!(waiting, Signal::Status(_))),
            Signal::Offer(_)
            | Signal::Answer(_)
            | Signal::Leave {}
            | Signal::Refresh {}
            | Signal::Probe { .. }
            | Signal::Gone { .. }
            | Signal::Restart {}
            | Signal::AskMute {}
            | Signal::Reattach { .. } => self.pending.retain(|waiting| *waiting != signal),
            Signal::Candidates { .. } => {}
        }
        if self.pending.len() < BACKLOG {
            self.pending.push(signal);
        }
    }

    /// Queues one local candidate, or their end.
    pub(crate) fn post_candidate(&mut self, link: u32, ufrag: String, candidate: Option<Candidate>) {
        if let Some(Signal::Candidates {
            link: to,
            ufrag: of,
            list,
            end,
        }) = self.pending.last_mut()
            && *to == link
            && *of == ufrag
        {
            match candidate {
                Some(candidate) if list.len() < limits::CANDIDATES_PER_GENERATION => list.push(candidate),
                Some(_) => {}
                None => *end = true,
            }
            return;
        }
        let end = candidate.is_none();
        self.post(Signal::Candidates {
            link,
            ufrag,
            list: candidate.into_iter().collect(),
            end,
        });
    }

    /// The next packet to send along a road, if any. To be called while that road is open only, and
    /// again until it returns nothing.
    pub(crate) fn poll_packet(&mut self, now: Timestamp, road: Road) -> Option<(u64, Packet)> {
        let (era, ack) = (self.era, self.received);
        if let Some(again) = self.unacknowledged.iter_mut().find(|sent| sent.road.is_none()) {
            again.road = Some(road);
            self.acknowledged = ack;
            let signals = again.signals.clone();
            return Some((again.n, Packet { era, ack, signals }));
        }
        if self.is_stuck() {
            return None;
        }
        if self.pending.is_empty() {
            if self.received - self.acknowledged < ACK_AFTER {
                return None;
            }
        } else {
            let only_candidates = self
                .pending
                .iter()
                .all(|signal| matches!(signal, Signal::Candidates { .. }));
            if only_candidates && self.hold_until.is_some_and(|until| until > now) {
                return None;
            }
            // The first candidates leave at once; those that follow are gathered.
            self.hold_until = only_candidates.then(|| now + limits::CANDIDATE_BATCH);
        }
        self.last_sent += 1;
        let mut weight = 0;
        let fits = self.pending.iter().take_while(|signal| {
            let first = weight == 0;
            weight += weigh(signal);
            first || weight <= PACKET_WEIGHT
        });
        let fits = fits.count();
        let signals: Vec<Signal> = self.pending.drain(..fits).collect();
        self.outstanding += weigh_all(&signals);
        self.unacknowledged.push_back(Sent {
            n: self.last_sent,
            signals: signals.clone(),
            road: Some(road),
        });
        self.acknowledged = ack;
        Some((self.last_sent, Packet { era, ack, signals }))
    }

    /// Forgets what was said of connections and has not been heard yet: it tells of addresses that
    /// are hidden from now on.
    pub(crate) fn forget_connections(&mut self) {
        let is_other = |signal: &Signal| {
            !matches!(
                signal,
                Signal::Offer(_) | Signal::Answer(_) | Signal::Candidates { .. }
            )
        };
        self.pending.retain(is_other);
        for sent in &mut self.unacknowledged {
            sent.signals.retain(is_other);
        }
        let left = self.unacknowledged.iter().map(|sent| weigh_all(&sent.signals));
        self.outstanding = left.sum();
    }

    /// What went along a road may not have arrived: it will go again.
    pub(crate) fn road_lost(&mut self, road: Road) {
        let forgotten = road == Road::Channel && self.faults.has(Fault::ChannelLossForgotten);
        if self.faults.has(Fault::NoResend) || forgotten {
            return;
        }
        for sent in &mut self.unacknowledged {
            if sent.road == Some(road) {
                sent.road = None;
            }
        }
    }

    /// Takes a packet and returns the signals that are now in order.
    pub(crate) fn receive(&mut self, n: u64, packet: Packet) -> Vec<Signal> {
        // An acknowledgement of what was never sent is not one.
        if packet.ack <= self.last_sent {
            while let Some(sent) = self.unacknowledged.front()
                && sent.n <= packet.ack
            {
                self.outstanding -= weigh_all(&sent.signals);
                self.unacknowledged.pop_front();
            }
        }
        if self.faults.has(Fault::DuplicatesTaken) && n <= self.received {
            return packet.signals;
        }
        if n <= self.received || n > self.received + AHEAD as u64 {
            return Vec::new();
        }
        if !self.ahead.iter().any(|(waiting, _)| *waiting == n) {
            self.ahead.push((n, packet.signals));
        }
        let mut signals = Vec::new();
        while let Some(at) = self
            .ahead
            .iter()
            .position(|(waiting, _)| *waiting == self.received + 1)
        {
            let (_, next) = self.ahead.swap_remove(at);
            self.received += 1;
            signals.extend(next);
        }
        signals
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.hold_until
            .filter(|_| !self.pending.is_empty() && !self.is_stuck())
    }

    /// Whether the other side has to acknowledge something before anything more can leave.
    fn is_stuck(&self) -> bool {
        self.unacknowledged.len() >= BACKLOG || self.outstanding >= BACKLOG_WEIGHT
    }
}

fn weigh_all(signals: &[Signal]) -> usize {
    signals.iter().map(weigh).sum()
}

/// About how many bytes a signal takes on the wire.
fn weigh(signal: &Signal) -> usize {
    const FRAME: usize = 64;
    match signal {
        // Every end of a line is written with four more characters.
        Signal::Offer(description) | Signal::Answer(description) => {
            FRAME + description.sdp.len() + 4 * description.sdp.matches('\n').count()
        }
        Signal::Candidates { list, .. } => {
            let texts = list.iter().map(|candidate| FRAME + candidate.candidate.len());
            FRAME + texts.sum::<usize>()
        }
        Signal::Status(_)
        | Signal::Leave {}
        | Signal::Refresh {}
        | Signal::Probe { .. }
        | Signal::Gone { .. }
        | Signal::Restart {}
        | Signal::AskMute {}
        | Signal::Reattach { .. } => FRAME,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Road::{Channel, Server};
    use visavis_protocol::MediaStatus;

    /// All that goes again when the server's road is lost.
    fn resend(courier: &mut Courier) -> Vec<(u64, Packet)> {
        courier.road_lost(Server);
        core::iter::from_fn(|| courier.poll_packet(Timestamp::default(), Server)).collect()
    }

    fn status(microphone: bool) -> Signal {
        Signal::Status(MediaStatus {
            microphone,
            ..MediaStatus::default()
        })
    }

    fn candidate() -> Option<Candidate> {
        Some(Candidate {
            candidate: "candidate:1".into(),
            mid: None,
            line: Some(0),
        })
    }

    #[test]
    fn packets_arrive_once_and_in_order() {
        let (mut ada, mut bob) = (Courier::default(), Courier::default());
        let now = Timestamp::default();
        let sent: Vec<_> = [true, false, true]
            .into_iter()
            .filter_map(|on| {
                ada.post(status(on));
                ada.poll_packet(now, Server)
            })
            .collect();
        let [one, two, three] = &sent[..] else {
            panic!("three packets")
        };
        assert_eq!(bob.receive(one.0, one.1.clone()), [status(true)]);
        assert_eq!(bob.receive(three.0, three.1.clone()), []);
        assert_eq!(bob.receive(one.0, one.1.clone()), []);
        assert_eq!(bob.receive(two.0, two.1.clone()), [status(false), status(true)]);
    }

    #[test]
    fn what_was_lost_with_a_road_is_sent_again_until_acknowledged() {
        let (mut ada, mut bob) = (Courier::default(), Courier::default());
        let now = Timestamp::default();
        ada.post(status(true));
        let lost = ada.poll_packet(now, Server).expect("a packet");
        assert_eq!(resend(&mut ada), core::slice::from_ref(&lost));
        bob.receive(lost.0, lost.1);
        bob.post(status(false));
        let (n, reply) = bob.poll_packet(now, Server).expect("a packet");
        assert_eq!(reply.ack, 1);
        ada.receive(n, reply);
        assert_eq!(resend(&mut ada), []);
    }

    #[test]
    fn two_roads_carry_one_sequence() {
        let (mut ada, mut bob) = (Courier::default(), Courier::default());
        let now = Timestamp::default();
        ada.post(status(true));
        let one = ada.poll_packet(now, Server).expect("a packet");
        ada.post(status(false));
        let two = ada.poll_packet(now, Channel).expect("a packet");
        // The second road is quicker.
        assert_eq!(bob.receive(two.0, two.1.clone()), []);
        assert_eq!(bob.receive(one.0, one.1.clone()), [status(true), status(false)]);
        // What went along the road that stands is not sent again.
        ada.road_lost(Server);
        assert_eq!(ada.poll_packet(now, Channel), Some(one));
        assert_eq!(ada.poll_packet(now, Channel), None);
        ada.road_lost(Channel);
        let again: Vec<_> = core::iter::from_fn(|| ada.poll_packet(now, Server)).collect();
        assert_eq!(again.len(), 2);
        assert!(
            again
                .into_iter()
                .all(|(n, packet)| bob.receive(n, packet).is_empty())
        );
    }

    #[test]
    fn a_one_sided_talk_is_acknowledged_now_and_then() {
        let (mut ada, mut bob) = (Courier::default(), Courier::default());
        let now = Timestamp::default();
        for _ in 0..ACK_AFTER {
            assert_eq!(bob.poll_packet(now, Server), None);
            ada.post(status(true));
            let (n, packet) = ada.poll_packet(now, Server).expect("a packet");
            bob.receive(n, packet);
        }
        let (n, ack) = bob.poll_packet(now, Server).expect("an acknowledgement");
        assert!(ack.signals.is_empty());
        ada.receive(n, ack);
        assert!(resend(&mut ada).is_empty());
        // An acknowledgement alone asks for none, or two idle peers would talk for ever.
        assert_eq!(ada.poll_packet(now, Server), None);
    }

    #[test]
    fn the_first_candidates_leave_at_once_and_the_rest_are_gathered() {
        let mut ada = Courier::default();
        let now = Timestamp::default();
        ada.post_candidate(0, "a".into(), candidate());
        assert!(ada.poll_packet(now, Server).is_some());
        for _ in 0..1_000 {
            ada.post_candidate(0, "a".into(), candidate());
            assert_eq!(ada.poll_packet(now, Server), None);
        }
        ada.post_candidate(0, "a".into(), None);
        let later = ada.poll_timeout().expect("a deadline");
        let (_, packet) = ada.poll_packet(later, Server).expect("a packet");
        let [Signal::Candidates { list, end: true, .. }] = &packet.signals[..] else {
            panic!("{packet:?}")
        };
        assert_eq!(list.len(), limits::CANDIDATES_PER_GENERATION);
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_sent_is_ignored() {
        let mut ada = Courier::default();
        ada.post(status(true));
        let _sent = ada.poll_packet(Timestamp::default(), Server);
        ada.receive(
            1,
            Packet {
                ack: u64::MAX,
                ..Packet::default()
            },
        );
        assert_eq!(resend(&mut ada).len(), 1);
        assert_eq!(ada.receive(u64::MAX, Packet::default()), []);
    }

    fn offer(neg: u32, bytes: usize) -> Signal {
        Signal::Offer(visavis_protocol::Description {
            link: 0,
            neg,
            sdp: "a=x\r\n".repeat(bytes / 5),
        })
    }

    #[test]
    fn a_packet_fits_through_the_server_whatever_waits() {
        let mut courier = Courier::default();
        for neg in 0..60 {
            courier.post(offer(neg, 4000));
        }
        let mut signals = 0;
        while let Some((n, packet)) = courier.poll_packet(Timestamp::default(), Server) {
            signals += packet.signals.len();
            let message = visavis_protocol::ClientMessage::Relay {
                to: visavis_protocol::PeerId::from_bytes([1; 16]),
                n,
                body: packet.encode(),
            };
            assert!(message.encode().len() <= limits::MESSAGE_BYTES);
            let reply = Packet {
                era: 0,
                ack: n,
                signals: Vec::new(),
            };
            courier.receive(n, reply);
        }
        assert_eq!(signals, 60);
    }

    #[test]
    fn nothing_waits_twice() {
        let mut courier = Courier::default();
        for _ in 0..200 {
            courier.post(offer(1, 4000));
        }
        let (_, packet) = courier.poll_packet(Timestamp::default(), Server).unwrap();
        assert_eq!(packet.signals.len(), 1);
    }

    #[test]
    fn who_never_acknowledges_is_waited_for_in_peace() {
        let mut courier = Courier::default();
        let mut bytes = 0;
        for neg in 0..1_000 {
            courier.post(offer(neg, 4000));
            while let Some((_, packet)) = courier.poll_packet(Timestamp::default(), Server) {
                bytes += packet.encode().len();
            }
        }
        courier.post_candidate(0, "x".into(), candidate());
        assert_eq!(courier.poll_packet(Timestamp::default(), Server), None);
        assert_eq!(courier.poll_timeout(), None);
        assert!(
            bytes < 2 * BACKLOG_WEIGHT,
            "{bytes} bytes to somebody who says nothing"
        );
    }
}
