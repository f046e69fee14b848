//! What is due: what is asked again, who is waited for no longer, and which connections are looked at.

use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::PeerId;

use super::{Room, Standing};
use crate::peer::{Context, Peer, Presence};
use crate::session::Session;
use crate::time::{Timestamp, earliest};
use crate::view::NoticeKind;

/// How often a connection is looked at on which nothing arrives: what returns is told so at once.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);
/// When packets that the server refused for their number are written again.
const REFUSED_RELAYS_AFTER: Duration = Duration::from_millis(1500);

impl Room {
    pub(crate) fn handle_tick(
        &mut self,
        session: &mut Session,
        context: &mut Context<'_>,
    ) -> Vec<NoticeKind> {
        let now = context.now;
        if self.rejoin_at.is_some_and(|at| now >= at) && session.is_open() {
            self.ask_to_join(now, session, context.commands);
        }
        if self.watch_at.is_some_and(|at| now >= at) && session.is_open() {
            self.watch_at = None;
            if matches!(self.standing, Standing::Preparing { .. }) {
                self.watch(now, session, context.commands);
            }
        }
        self.follow_the_others(now, session, context.commands);
        if self.is_joined() {
            self.ice.renew(now, session, context.commands);
        }
        let mut gone = Vec::new();
        let given_up = &mut self.given_up;
        self.peers.retain_mut(|peer| {
            let overdue = matches!(peer.presence, Presence::Missing { until } if now >= until);
            if overdue {
                peer.close(context.commands);
                given_up.note(peer);
                gone.push(NoticeKind::PersonLeft {
                    name: core::mem::take(&mut peer.name),
                });
            }
            !overdue
        });
        self.pulse(context);
        for peer in &mut self.peers {
            peer.handle_tick(context);
        }
        gone
    }

    /// Looks at all connections once a second, in one go.
    fn pulse(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        let has_links = self.is_joined() && self.peers.iter().any(Peer::has_link);
        if !has_links {
            self.pulse_at = None;
            self.look_at = None;
            return;
        }
        if self.look_at.is_some_and(|at| now >= at) {
            for peer in &mut self.peers {
                peer.look(context);
            }
        }
        let someone_is_silent = self.peers.iter().any(|peer| peer.is_watched(now));
        self.look_at = someone_is_silent.then(|| now + LOOK_EVERY);
        if self.pulse_at.is_some_and(|at| now < at) {
            return;
        }
        self.pulse_at = Some(now + self.config.pulse);
        let relays_are_missing = self
            .relays_refused
            .take_if(|at| now.since(*at) >= REFUSED_RELAYS_AFTER)
            .is_some();
        for peer in &mut self.peers {
            if relays_are_missing {
                peer.server_road_lost();
            }
            peer.pulse(context);
        }
        if !context.server.is_open {
            let closed: Vec<PeerId> = self
                .peers
                .iter()
                .filter(|peer| peer.has_closed(now))
                .map(|peer| peer.id)
                .collect();
            for peer in closed {
                self.drop_peer(peer, context);
            }
        }
    }

    pub(crate) fn poll_timeout(&self, now: Timestamp, session: &Session) -> Option<Timestamp> {
        let server = self.server_road(session, now);
        let renew = self.ice.poll_timeout().filter(|_| self.is_joined());
        let asking = earliest(earliest(self.rejoin_at, self.watch_at), renew);
        let asking = earliest(asking, self.hosting.poll_timeout());
        self.peers.iter().map(|peer| peer.poll_timeout(now, server)).fold(
            earliest(
                earliest(self.pulse_at, self.look_at),
                asking.filter(|_| session.is_open()),
            ),
            earliest,
        )
    }
}
