//! What a peer says, whichever way it came: packets of which era count, and what each signal does.

use core::cmp::Ordering;

use visavis_protocol::{Packet, Signal};

use super::{Context, Peer, Presence, Witness};
use crate::command::LinkRole;
use crate::courier::Courier;
use crate::fault::Fault;
use crate::view::ConnectionState;
use crate::view::NoticeKind;

impl Peer {
    /// The era after all that there was with this peer, if there was anything: to be used should
    /// they be met again under the same session after having been given up.
    pub(crate) fn next_era(&self) -> Option<u32> {
        let only_seen = matches!(self.presence, Presence::Watched) && !self.courier.was_used();
        (!only_seen).then(|| self.courier.era().saturating_add(1))
    }

    /// Meets a peer again whom we had given up: they must learn that we start from nothing.
    pub(crate) fn greet_again(&mut self, context: &Context<'_>) {
        if self.courier.era() > 0 {
            self.tell(context.media.status());
        }
    }

    /// The peer had given us up and starts from nothing: so do we.
    fn follow_into(&mut self, era: u32, context: &mut Context<'_>) {
        self.close(context.commands);
        self.courier = Courier::new(era, context.faults);
        self.generation = 0;
        self.rebuilds = 0;
        self.told = None;
    }

    pub(super) fn handle_packet(&mut self, n: u64, packet: Packet, context: &mut Context<'_>) {
        let former = context.faults.has(Fault::FormerEraTaken);
        match packet.era.cmp(&self.courier.era()) {
            _ if former => {}
            Ordering::Less => return,
            Ordering::Equal => {}
            Ordering::Greater if !self.demands.admit(context.now) => return,
            Ordering::Greater => {
                self.follow_into(packet.era, context);
                if !packet
                    .signals
                    .iter()
                    .any(|signal| matches!(signal, Signal::Offer(_)))
                {
                    // Who gives up somebody waits for their offer when they meet again.
                    self.offer(context);
                }
            }
        }
        let before = self.status;
        for signal in self.courier.receive(n, packet) {
            self.handle_signal(signal, context);
        }
        // Of all that one packet says only the last word is news.
        self.hand_changed(before, context);
        self.say_recording(context);
    }

    fn handle_signal(&mut self, signal: Signal, context: &mut Context<'_>) {
        match signal {
            Signal::Offer(offer) => {
                if !self.make_ready_for(offer.link, context) {
                    return;
                }
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_offer(now, offer, ids, out);
                });
            }
            Signal::Answer(answer) => {
                if answer.link != self.generation {
                    return;
                }
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_answer(now, answer, ids, out);
                });
            }
            Signal::Candidates {
                link,
                ufrag,
                list,
                end,
            } => {
                if link != self.generation {
                    return;
                }
                self.negotiate(context, |negotiation, now, _, out| {
                    negotiation.handle_candidates(now, ufrag, list, end, out);
                });
            }
            Signal::Status(status) => {
                self.status = status;
                self.expect();
            }
            Signal::Leave {} => {
                if !context.faults.has(Fault::LeaveUnheard) {
                    context.signs.departed.push((self.id, Witness::Themselves));
                }
            }
            Signal::Refresh {} => self.refresh_pictures(context),
            // Never part of a sequence.
            Signal::Probe { .. } => {}
            Signal::AskMute {} => {
                if self.is_host {
                    let name = self.name.clone();
                    context.signs.notices.push(NoticeKind::AskedToMute { name });
                }
            }
            Signal::Gone { peer } => context.signs.departed.push((peer, Witness::Another)),
            Signal::Reattach { kind } => self.reattach(kind, context),
            Signal::Restart {} => self.restart_for_them(context),
        }
    }

    /// Sees to it that there is a connection of the generation of an offer that came. Returns
    /// whether the offer is to be looked at.
    fn make_ready_for(&mut self, generation: u32, context: &mut Context<'_>) -> bool {
        if generation < self.generation {
            return false;
        }
        let has_failed = self
            .link
            .as_ref()
            .is_some_and(|link| link.connection == ConnectionState::Failed);
        if has_failed && context.failed_is_final && generation == self.generation {
            // They want to mend what cannot be mended here.
            self.mend(context);
            return false;
        }
        let fresh = generation > self.generation || self.link.is_none();
        // Both made a connection of their own: transceivers added here would not be matched with
        // those of the offer, so yielding means to begin anew and not to roll back.
        let crossed = self
            .link
            .as_ref()
            .is_some_and(|link| link.role == LinkRole::Offerer && !link.negotiation.was_ever_answered());
        let merged = crossed && context.faults.has(Fault::CrossingRolledBack);
        if merged {
            return true;
        }
        if fresh || (crossed && self.polite) {
            if !self.demands.admit(context.now) {
                return false;
            }
            self.generation = generation;
            self.create(LinkRole::Answerer, context);
            return self.link.is_some();
        }
        !crossed
    }
}
