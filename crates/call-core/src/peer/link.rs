//! The connection with a peer: how it is made, replaced and let go of, and what its browser says of it.

use alloc::collections::VecDeque;
use core::time::Duration;

use super::pictures::Pictures;
use super::{Context, Peer, Presence};
use crate::command::{Command, LinkRole};
use crate::courier::Road;
use crate::event::LinkEvent;
use crate::flow::Flows;
use crate::health::Health;
use crate::ice;
use crate::id::{CaptureId, Ids, LinkId, Slot};
use crate::negotiation::{Negotiation, Output};
use crate::time::Timestamp;
use crate::view::ConnectionState;

/// How long the impolite side gives a connection to come about before it makes a new one.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How much longer the polite side waits, so that both do not rebuild at once.
const POLITE_PATIENCE: Duration = Duration::from_secs(5);
/// Pause before a connection that cannot be negotiated is made anew; doubled each time.
const BROKEN_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between rebuilds, where nothing helps.
const REBUILD_PAUSE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) negotiation: Negotiation,
    pub(super) role: LinkRole,
    pub(super) connection: ConnectionState,
    pub(super) receiving: [bool; Slot::ALL.len()],
    pub(super) attached: [Option<CaptureId>; Slot::ALL.len()],
    /// When it is given up for a new one, unless it connects before.
    pub(super) deadline: Option<Timestamp>,
    /// Since it stood for the first time.
    pub(super) health: Option<Health>,
    pub(super) flows: Flows,
    pub(super) pictures: Pictures,
    pub(super) relayed: Option<bool>,
    pub(super) channel: Channel,
    /// Whether there are newer ICE servers than those that its candidates were gathered with.
    pub(super) has_new_servers: bool,
}

/// The control channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Channel {
    #[default]
    Opening,
    Open,
    /// The other side closed the connection, then.
    Closed {
        since: Timestamp,
    },
    /// The browser gave it up, after nothing had come for long: a sign of the network, not of them.
    Failed,
}

impl Peer {
    pub(crate) fn owns(&self, link: LinkId) -> bool {
        self.link
            .as_ref()
            .is_some_and(|own| own.negotiation.link() == link)
    }

    pub(crate) const fn has_link(&self) -> bool {
        self.link.is_some()
    }

    /// Makes a connection on which we offer. Nothing is sent before the road is open.
    pub(crate) fn offer(&mut self, context: &mut Context<'_>) {
        self.create(LinkRole::Offerer, context);
    }

    /// Makes the connection ahead of the offer that a newcomer is about to send.
    pub(crate) fn expect_offer(&mut self, context: &mut Context<'_>) {
        self.create(LinkRole::Answerer, context);
    }

    pub(super) fn create(&mut self, role: LinkRole, context: &mut Context<'_>) {
        self.close(context.commands);
        self.picture = None;
        if !context.may_connect() {
            return;
        }
        let link = context.ids.link();
        context.commands.push_back(Command::CreateLink {
            link,
            role,
            ice: context.ice.to_vec(),
            relay_only: context.relay_only,
        });
        let negotiation = Negotiation::new(link, self.generation, role, self.polite, context.faults);
        self.link = Some(Link {
            negotiation,
            role,
            connection: ConnectionState::New,
            receiving: [false; Slot::ALL.len()],
            attached: [None; Slot::ALL.len()],
            deadline: Some(context.now + self.patience()),
            health: None,
            flows: Flows::default(),
            pictures: Pictures::default(),
            relayed: None,
            channel: Channel::Opening,
            has_new_servers: false,
        });
        self.sync_tracks(context);
    }

    pub(super) fn rebuild(&mut self, context: &mut Context<'_>) {
        self.generation = self.generation.saturating_add(1);
        self.rebuilds = self.rebuilds.saturating_add(1);
        let flows = self.link.as_ref().map(|link| link.flows);
        self.create(LinkRole::Offerer, context);
        if let (Some(link), Some(flows)) = (&mut self.link, flows) {
            link.flows = flows.map(|flow| flow.on_new_connection(context.now));
        }
    }

    /// A connection that no negotiation can mend is not waited for.
    fn replace_soon_if_broken(&mut self, context: &Context<'_>) {
        let pause = BROKEN_PAUSE
            .saturating_mul(1 << self.rebuilds.min(5))
            .min(REBUILD_PAUSE);
        if let Some(link) = self.link.as_mut().filter(|link| link.negotiation.is_broken()) {
            link.deadline = Some(context.now + pause);
        }
    }

    pub(super) fn patience(&self) -> Duration {
        let base = if self.polite {
            CONNECT_WITHIN + POLITE_PATIENCE
        } else {
            CONNECT_WITHIN
        };
        base.saturating_mul(1 << self.rebuilds.min(3)).min(REBUILD_PAUSE)
    }

    /// Lets go of the connection.
    pub(crate) fn close(&mut self, commands: &mut VecDeque<Command>) {
        if let Some(link) = self.link.take() {
            self.courier.road_lost(Road::Channel);
            commands.push_back(Command::CloseLink {
                link: link.negotiation.link(),
            });
        }
    }

    /// Takes over other servers for ICE. Where the connection stands they are for its next restart;
    /// where it does not yet, they are what it may wait for: see [`Self::mend`].
    pub(crate) fn set_ice_servers(&mut self, context: &mut Context<'_>) {
        let Some(link) = &mut self.link else { return };
        link.has_new_servers = true;
        // A Chromium that is given other servers while it connects for the first time takes seconds
        // longer; and who has connected once may be asked for a restart by the other side.
        if link.health.is_some() {
            self.use_ice_servers(context);
        }
    }

    pub(super) fn use_ice_servers(&mut self, context: &mut Context<'_>) {
        if let Some(link) = &self.link {
            context.commands.push_back(Command::SetIceServers {
                link: link.negotiation.link(),
                ice: context.ice.to_vec(),
                relay_only: context.relay_only,
            });
        }
    }

    /// The person hides their address from now on, or no longer. What was told of it cannot be taken
    /// back, but a new connection tells no more; and who has nothing to hide may use a shorter way.
    pub(crate) fn change_policy(&mut self, context: &mut Context<'_>) {
        if context.relay_only {
            self.close(context.commands);
            self.courier.forget_connections();
            self.rebuild(context);
        } else if self.link.is_some() {
            self.set_ice_servers(context);
            self.have_restarted(context);
        } else if !matches!(self.presence, Presence::Watched) {
            self.rebuild(context);
        }
    }

    pub(crate) fn handle_link(&mut self, event: LinkEvent, context: &mut Context<'_>) {
        match event {
            LinkEvent::NegotiationNeeded => {
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_needed(now, ids, out)
                });
            }
            LinkEvent::LocalDescriptionApplied { request, kind, sdp } => {
                let sdp = if context.relay_only {
                    ice::without_candidates(&sdp)
                } else {
                    sdp
                };
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_local_applied(now, request, kind, sdp, ids, out);
                });
            }
            LinkEvent::RemoteDescriptionApplied { request } => {
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_remote_applied(now, request, ids, out);
                });
                self.sync_tracks(context);
            }
            LinkEvent::RolledBack { request } => {
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_rolled_back(now, request, ids, out);
                });
            }
            LinkEvent::DescriptionFailed { request, error: _ } => {
                self.negotiate(context, |negotiation, now, ids, out| {
                    negotiation.handle_failed(now, request, ids, out);
                });
                self.replace_soon_if_broken(context);
            }
            LinkEvent::LocalCandidate { ufrag, candidate } => {
                let known = self
                    .link
                    .as_ref()
                    .and_then(|link| link.negotiation.local_ufrag().cloned());
                let ufrag = if ufrag.is_empty() {
                    known.unwrap_or_default()
                } else {
                    ufrag
                };
                let candidate = match candidate {
                    Some(candidate) if context.relay_only => match ice::without_address(candidate) {
                        None => return,
                        told => told,
                    },
                    told => told,
                };
                self.courier.post_candidate(self.generation, ufrag, candidate);
            }
            LinkEvent::ConnectionStateChanged(state) => self.connection_changed(state, context),
            LinkEvent::ChannelOpened => {
                if let Some(link) = &mut self.link {
                    link.channel = Channel::Open;
                }
                self.beat(context);
            }
            LinkEvent::ChannelReceived(text) => self.handle_frame(&text, context),
            LinkEvent::ReactionReceived(text) => self.take_reaction(&text, context),
            LinkEvent::Side(channel, event) => self.handle_side(channel, event, context),
            LinkEvent::ChannelClosed => {
                if let Some(link) = &mut self.link {
                    let was_silent = link
                        .health
                        .as_ref()
                        .is_some_and(|health| health.is_silent(context.now));
                    link.channel = if was_silent {
                        Channel::Failed
                    } else {
                        Channel::Closed { since: context.now }
                    };
                }
                self.courier.road_lost(Road::Channel);
            }
            LinkEvent::Measured(sample) => self.measured(sample, context),
            LinkEvent::Receiving(slot, receiving) => {
                if let Some(link) = &mut self.link {
                    link.receiving[slot.index()] = receiving;
                }
            }
            LinkEvent::CreationFailed { error: _ } => {
                if let Some(link) = &mut self.link {
                    link.connection = ConnectionState::Failed;
                }
            }
        }
    }

    pub(super) fn negotiate(
        &mut self,
        context: &mut Context<'_>,
        step: impl FnOnce(&mut Negotiation, Timestamp, &mut Ids, &mut Output),
    ) {
        let Some(link) = &mut self.link else { return };
        let mut out = Output::default();
        step(&mut link.negotiation, context.now, context.ids, &mut out);
        self.carry_out(out, context);
    }

    pub(super) fn carry_out(&mut self, out: Output, context: &mut Context<'_>) {
        for command in out.commands {
            let adopted = matches!(command, Command::AdoptTransceivers { .. });
            context.commands.push_back(command);
            if adopted {
                // Before the answer is made, so that it says what is sent.
                self.sync_tracks(context);
            }
        }
        if !out.signals.is_empty() {
            self.tell(context.media.status());
        }
        for signal in out.signals {
            self.courier.post(signal);
        }
    }
}
