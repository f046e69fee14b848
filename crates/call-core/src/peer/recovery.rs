//! How a connection is kept alive: what is looked at, and what is done about what is missing.

use visavis_protocol::{Frame, MediaKind, Signal};

use super::link::Channel;
use super::{Context, Peer, Presence};
use crate::command::{Command, LinkRole};
use crate::event::Sample;
use crate::fault::Fault;
use crate::flow::Remedy;
use crate::health::Health;
use crate::id::Slot;
use crate::negotiation::Output;
use crate::time::Timestamp;
use crate::view::{ConnectionState, NoticeKind};
use core::time::Duration;

/// How long the first connection may take before newer ICE servers are tried on it.
const RESTART_UNMET_AFTER: Duration = Duration::from_secs(3);
/// How long a connection is given to heal by itself, once the other side is heard over the server.
const HEALS_WITHIN: Duration = Duration::from_millis(400);
/// Pause between two questions whether a peer lives. They are not repeated by the courier, and the
/// peer's way to the server may just be the one that was cut.
const PROBE_PAUSE: Duration = Duration::from_secs(1);
/// Pause between two times of sending the same anew.
const REATTACH_PAUSE: Duration = Duration::from_secs(2);
/// How long somebody is kept whose side closed the connection while the server is away, so that
/// nobody can say whether they left: the word of their leaving may still be under way.
const CLOSED_FOR: Duration = Duration::from_millis(1200);

impl Peer {
    pub(super) fn connection_changed(&mut self, state: ConnectionState, context: &mut Context<'_>) {
        let patience = self.patience();
        let is_loud = self.status.microphone;
        let Some(link) = &mut self.link else { return };
        let before = core::mem::replace(&mut link.connection, state);
        match state {
            ConnectionState::Connected => {
                if !link.negotiation.is_broken() {
                    link.deadline = None;
                }
                let health = link.health.get_or_insert_with(|| {
                    for flow in &mut link.flows {
                        flow.begin(context.now);
                    }
                    Health::new(context.now, context.faults)
                });
                health.expect(is_loud);
                health.hear(context.now);
                self.rebuilds = 0;
                if matches!(before, ConnectionState::Disconnected | ConnectionState::Failed) {
                    self.returned(context);
                }
                context.signs.of_return |= core::mem::replace(&mut self.was_met, true);
            }
            ConnectionState::Failed => {
                link.deadline = Some(context.now + patience);
                self.mend(context);
            }
            ConnectionState::New
            | ConnectionState::Connecting
            | ConnectionState::Disconnected
            | ConnectionState::Closed => {}
        }
        self.update_missed(context);
    }

    /// Asks what arrived, where nothing does, more often than once a second: what has returned can
    /// be told so.
    pub(crate) fn look(&self, context: &mut Context<'_>) {
        if self.is_watched(context.now)
            && let Some(link) = &self.link
        {
            let link = link.negotiation.link();
            context.commands.push_back(Command::Measure { link });
        }
    }

    /// Whether nothing has come for some time, and not for long.
    fn fell_silent(&self, now: Timestamp) -> bool {
        let health = self.link.as_ref().and_then(|link| link.health.as_ref());
        health.is_some_and(|health| health.fell_silent(now))
    }

    /// Whether it is worth a look more often than once a second.
    pub(crate) fn is_watched(&self, now: Timestamp) -> bool {
        self.picture.is_some() || self.fell_silent(now)
    }

    /// Once a second: asks what arrived, and gives a sign of life.
    pub(crate) fn pulse(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        let Some(link) = &self.link else { return };
        if link.health.is_some() {
            let link = link.negotiation.link();
            context.commands.push_back(Command::Measure { link });
        } else if self.was_met && link.connection != ConnectionState::Connected {
            // A new connection in place of one that stood: the server may have gone with it.
            context.signs.of_loss = true;
        }
        if link.health.is_none()
            && link.has_new_servers
            && link
                .deadline
                .is_some_and(|deadline| now + self.patience() >= deadline + RESTART_UNMET_AFTER)
        {
            self.restart_ice(context);
        }
        self.beat(context);
        self.mend(context);
    }

    /// Says that we live, and whether we reach the server.
    pub(crate) fn beat(&self, context: &mut Context<'_>) {
        let stands = self
            .link
            .as_ref()
            .is_some_and(|link| link.connection == ConnectionState::Connected);
        // Where nothing passes beats would only pile up.
        if stands {
            let beat = Frame::Beat {
                server: context.server.is_sure,
                restarts: context.restarts_well,
            };
            self.write(&beat, context.commands);
        }
    }

    pub(super) fn measured(&mut self, sample: Sample, context: &mut Context<'_>) {
        let now = context.now;
        let Some(link) = &mut self.link else { return };
        let Some(health) = &mut link.health else { return };
        link.relayed = sample.relayed;
        let is_return = health.measured(now, sample.bytes, sample.age);
        let stands = link.connection == ConnectionState::Connected;
        if stands && !health.is_silent(now) && !link.negotiation.is_broken() {
            link.deadline = None;
        }
        if !health.is_silent(now) {
            self.only_by_server = None;
        }
        let is_suspicious = health.is_suspicious(now);
        context.signs.of_loss |= is_suspicious;
        let may_ask = self.probed.is_none_or(|last| now.since(last) >= PROBE_PAUSE);
        if is_suspicious && may_ask && self.is_reachable() {
            self.probed = Some(now);
            self.probe = Some(false);
        }
        if is_return {
            self.returned(context);
        }
        self.pause_pictures(context);
        self.await_picture(sample.progress[Slot::Camera.index()], now);
        self.watch_flows(sample, context);
        self.mend(context);
        self.update_missed(context);
    }

    /// Does about silence what is due now. Without a road nothing that is done would be heard of.
    pub(super) fn mend(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        // A channel on which nothing arrives is no road, and the server is one only if it answers.
        let has_road = self.has_sure_server(now, context.server);
        let Some(link) = &self.link else { return };
        let Some(health) = &link.health else { return };
        let has_failed = link.connection == ConnectionState::Failed;
        let is_due = if context.faults.has(Fault::StateTrusted) {
            has_failed
        } else {
            health.wants_restart(now, self.offers_restarts(link.role, context), has_failed)
        };
        // Both roads come back at once where a network does, and then the connection is the quicker.
        let heals = !has_failed
            && self
                .only_by_server
                .is_some_and(|since| now.since(since) < HEALS_WITHIN);
        if has_road && has_failed && context.failed_is_final {
            if self.demands.admit(now) {
                self.rebuild(context);
            }
            return;
        }
        if has_road && is_due && !heals && !link.negotiation.is_restarting() {
            self.restart_ice(context);
        }
    }

    pub(super) fn restart_ice(&mut self, context: &mut Context<'_>) {
        let patience = self.patience();
        if self.link.as_ref().is_some_and(|link| link.has_new_servers) {
            self.use_ice_servers(context);
        }
        let Some(link) = &mut self.link else { return };
        link.has_new_servers = false;
        link.deadline.get_or_insert(context.now + patience);
        if let Some(health) = &mut link.health {
            health.restarted(context.now);
        }
        let mut out = Output::default();
        link.negotiation.restart_ice(&mut out);
        self.carry_out(out, context);
    }

    /// Whether it is we who offer ICE restarts: who does it well, else who offered the connection, for
    /// they have the controlling role (RFC 8445, section 6.1.1), which a restart gives to its offerer
    /// in a Chromium and leaves with whom it is in a Firefox.
    fn offers_restarts(&self, role: LinkRole, context: &Context<'_>) -> bool {
        if context.restarts_well == self.restarts_well {
            role == LinkRole::Offerer
        } else {
            context.restarts_well
        }
    }

    /// Sees to it that ICE is restarted on a connection that stands, by the right side.
    pub(super) fn have_restarted(&mut self, context: &mut Context<'_>) {
        let Some(role) = self.link.as_ref().map(|link| link.role) else {
            return;
        };
        let is_ours = self.offers_restarts(role, context);
        match self.link.as_mut().and_then(|link| link.health.as_mut()) {
            Some(health) if !is_ours => {
                health.restarted(context.now);
                self.courier.post(Signal::Restart {});
            }
            Some(_) | None => self.restart_ice(context),
        }
    }

    /// They ask for a restart that is ours to offer.
    pub(super) fn restart_for_them(&mut self, context: &mut Context<'_>) {
        let Some(link) = &self.link else { return };
        let may_restart = link
            .health
            .as_ref()
            .is_some_and(|health| health.may_restart(context.now));
        if may_restart && !link.negotiation.is_restarting() {
            self.restart_ice(context);
        }
    }

    /// What the peer says it sends has changed: sound that should flow is waited for less long, and
    /// what begins now is not late yet.
    pub(super) fn expect(&mut self) {
        let is_loud = self.status.microphone;
        if let Some(health) = self.link.as_mut().and_then(|link| link.health.as_mut()) {
            health.expect(is_loud);
        }
    }

    /// Something of theirs came over the server.
    pub(super) fn heard_by_server(&mut self, now: Timestamp) {
        self.heard = now;
        if self.fell_silent(now) {
            self.only_by_server.get_or_insert(now);
        } else {
            self.only_by_server = None;
        }
    }

    fn watch_flows(&mut self, sample: Sample, context: &mut Context<'_>) {
        let now = context.now;
        let status = self.status;
        let Some(link) = &mut self.link else { return };
        let is_alive = link.connection == ConnectionState::Connected
            && link.health.as_ref().is_some_and(|health| !health.is_silent(now));
        let mut remedies = Vec::new();
        for slot in Slot::ALL {
            let is_sent = match slot {
                Slot::Audio => status.microphone,
                Slot::Camera => status.camera,
                Slot::Screen => status.screen,
                Slot::ScreenSound => status.screen_sound,
            };
            let flow = &mut link.flows[slot.index()];
            // A screen on which nothing happens brings no pictures, once the first is there.
            let may_stand_still = slot == Slot::Screen && flow.has_begun() && link.receiving[slot.index()];
            if !is_sent {
                flow.end(now);
            } else if !is_alive || may_stand_still {
                flow.rest(now);
            } else if let Some(remedy) = flow.measured(now, sample.progress[slot.index()]) {
                remedies.push((slot, remedy));
            }
        }
        for (slot, remedy) in remedies {
            let is_new = self.remedy(slot, remedy, context);
            if is_new {
                // The others are on the new connection as well.
                break;
            }
        }
    }

    /// Returns whether there is a new connection now.
    fn remedy(&mut self, slot: Slot, remedy: Remedy, context: &mut Context<'_>) -> bool {
        let may_restart = self
            .link
            .as_ref()
            .and_then(|link| link.health.as_ref())
            .is_some_and(|health| health.may_restart(context.now));
        match remedy {
            // What is shared may be silent, and some systems then bring nothing at all: that is no
            // reason to touch the connection, on which the pictures show whether it lives.
            Remedy::Restart | Remedy::Rebuild if slot == Slot::ScreenSound => {}
            Remedy::Reattach => self.courier.post(Signal::Reattach { kind: slot.kind() }),
            Remedy::Restart if may_restart => self.have_restarted(context),
            Remedy::Restart => {}
            Remedy::Rebuild => {
                if self.has_sure_server(context.now, context.server) {
                    self.rebuild(context);
                    return true;
                }
                if let Some(link) = &mut self.link {
                    link.flows[slot.index()].postpone();
                }
            }
        }
        false
    }

    /// Sends a track anew, as the peer asks: it does not arrive there.
    pub(super) fn reattach(&mut self, kind: MediaKind, context: &mut Context<'_>) {
        let now = context.now;
        let slot = Slot::of(kind);
        if self.reattached[slot.index()].is_some_and(|last| now.since(last) < REATTACH_PAUSE) {
            return;
        }
        let Some(link) = &self.link else { return };
        let Some(capture) = link.attached[slot.index()] else {
            return;
        };
        self.resume_pictures(context);
        let Some(link) = &self.link else { return };
        self.reattached[slot.index()] = Some(now);
        let link = link.negotiation.link();
        for capture in [None, Some(capture)] {
            context
                .commands
                .push_back(Command::SetTrack { link, slot, capture });
        }
        // Of something silent nobody can tell whether it arrives.
        if slot != Slot::ScreenSound {
            context.signs.notices.push(NoticeKind::NotReaching {
                name: self.name.clone(),
                kind,
            });
        }
    }

    /// Tells the person once when somebody who was there is lost, and once when they are back.
    pub(super) fn update_missed(&mut self, context: &mut Context<'_>) {
        let Some(link) = &self.link else { return };
        let is_missed = match link.connection {
            ConnectionState::Connected => link
                .health
                .as_ref()
                .is_some_and(|health| health.is_to_be_told(context.now)),
            ConnectionState::Disconnected | ConnectionState::Failed => true,
            ConnectionState::New | ConnectionState::Connecting | ConnectionState::Closed => self.is_missed,
        };
        let is_missed = is_missed && self.was_met;
        if core::mem::replace(&mut self.is_missed, is_missed) != is_missed {
            let name = self.name.clone();
            context.signs.notices.push(if is_missed {
                NoticeKind::PersonReconnecting { name }
            } else {
                NoticeKind::PersonBack { name }
            });
        }
    }

    /// Whether their side closed the connection some time ago, and nobody can say why: with the
    /// server away that is how somebody looks whose last words were lost.
    pub(crate) fn has_closed(&self, now: Timestamp) -> bool {
        let closed = self.link.as_ref().is_some_and(|link| {
            let Channel::Closed { since } = link.channel else {
                return false;
            };
            // What was under way when they closed is counted a moment later.
            let lives = link
                .health
                .as_ref()
                .is_some_and(|health| health.heard_after(since + CLOSED_FOR));
            !lives && now.since(since) >= CLOSED_FOR
        });
        closed && !matches!(self.presence, Presence::Watched)
    }
}
