//! The control channel between two connected browsers, and what arrives on their connection.
//!
//! Ordered and reliable like SCTP: where the path is gone, messages wait for its return. The other
//! side learns of a closed connection by the channel's end, unless the path is gone as well.

use std::collections::VecDeque;
use std::time::Duration;

use visavis_call_core::{ConnectionState, Event, LinkEvent, LinkId, Sample, Slot};
use visavis_protocol::Reaction;

use super::{Due, Rule, World};
use crate::browser::Ufrag;

/// The longest pause before SCTP tries again after a hole.
const RETRANSMITS_WITHIN_MS: u64 = 3_000;

/// One end of a channel, and the counters of its connection.
#[derive(Debug, Default)]
pub(super) struct Channel {
    pub(super) is_open: bool,
    is_opening: bool,
    pub(super) is_closed: bool,
    /// When the last message on its way to the other end arrives there.
    free: Duration,
    /// What waits for the path.
    held: VecDeque<String>,
    /// What has arrived so far.
    sample: Sample,
    counted: Duration,
    /// Slots whose sender brings nothing until its track is attached anew.
    pub(super) stuck: [bool; Slot::ALL.len()],
    /// Whether no pictures are sent, by the core's wish.
    pub(super) paused: bool,
    /// What both ends said of themselves when the path went dead without ICE taking notice.
    pub(super) dead: Option<(Ufrag, Ufrag)>,
    /// When ICE was restarted by the core, in the last minute.
    restarts: VecDeque<Duration>,
}

impl Channel {
    /// When the last message has arrived at the other end.
    pub(super) const fn free(&self) -> Duration {
        self.free
    }
}

/// Pause between two ICE restarts, and how many there may be in a minute (`limits.md`).
const RESTART_PAUSE: Duration = Duration::from_secs(5);
const RESTARTS_A_MINUTE: usize = 5;

impl World {
    /// The connection stands: the channel opens a little later.
    pub(super) fn open_channel_soon(&mut self, connection: usize) {
        if self.options.is_still {
            return;
        }
        let (tab, _) = self.connections[connection];
        let delay = self.delay(tab, self.pace.network_ms * 2);
        if let Some(link) = self.connection_mut(connection)
            && !std::mem::replace(&mut link.channel.is_opening, true)
        {
            self.after(delay, Due::ChannelOpens { connection });
        }
    }

    pub(super) fn channel_opens(&mut self, connection: usize) {
        let (tab, handle) = self.connections[connection];
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        if link.channel.is_closed || std::mem::replace(&mut link.channel.is_open, true) {
            return;
        }
        self.tell(tab, Event::Link(handle, LinkEvent::ChannelOpened));
        self.open_files(connection);
    }

    pub(super) fn send_in_band(&mut self, tab: usize, handle: LinkId, text: String) {
        let Some(link) = self.link_or_violate(tab, handle, "SendInBand") else {
            return;
        };
        if !link.channel.is_open || link.channel.is_closed {
            let detail = format!("tab {tab} {handle:?}: a message to a channel that is not open");
            return self.violate(Rule::Nonsense, format_args!("{detail}"));
        }
        let connection = link.pc.id() as usize;
        if self.is_dead(connection) {
            if let Some(link) = self.connection_mut(connection) {
                link.channel.held.push_back(text);
            }
            return;
        }
        self.carry(connection, text, Duration::ZERO);
    }

    /// Puts a message on its way to the other end.
    fn carry(&mut self, connection: usize, text: String, later: Duration) {
        let (tab, _) = self.connections[connection];
        let delay = self.delay(tab, self.pace.network_ms) + later;
        let now = self.now;
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        let Some(far) = link.far else { return };
        let at = (now + delay).max(link.channel.free);
        link.channel.free = at;
        self.schedule(
            at,
            Due::ChannelReceives {
                connection: far,
                text,
            },
        );
    }

    pub(super) fn channel_receives(&mut self, connection: usize, text: String) {
        // A message is proof enough that the channel is there.
        self.channel_opens(connection);
        let (tab, handle) = self.connections[connection];
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        if !link.channel.is_closed {
            self.note_secret(tab, &text);
            self.tell(tab, Event::Link(handle, LinkEvent::ChannelReceived(text)));
        }
    }

    /// A reaction overtakes what is on the control channel, and is lost where nothing passes.
    pub(super) fn send_reaction(&mut self, tab: usize, handle: LinkId, reaction: Reaction) {
        const ON_ITS_WAY: Duration = Duration::from_millis(5);
        let Some(link) = self.link_or_violate(tab, handle, "SendReaction") else {
            return;
        };
        let (connection, far) = (link.pc.id() as usize, link.far);
        if !self.is_dead(connection)
            && let Some(connection) = far
        {
            let text = reaction.sign().to_owned();
            self.after(ON_ITS_WAY, Due::ReactionComes { connection, text });
        }
    }

    pub(super) fn reaction_comes(&mut self, connection: usize, text: String) {
        let (tab, handle) = self.connections[connection];
        if self
            .connection_mut(connection)
            .is_some_and(|link| link.channel.is_open && !link.channel.is_closed)
        {
            self.tell(tab, Event::Link(handle, LinkEvent::ReactionReceived(text)));
        }
    }

    /// One end closed its connection: the other end's channel closes after what was said before.
    pub(super) fn close_channel(&mut self, far: usize, free: Duration, is_dead: bool) {
        if !is_dead {
            let at = free.max(self.now) + Duration::from_millis(1);
            self.schedule(at, Due::ChannelCloses { connection: far });
        }
    }

    pub(super) fn channel_closes(&mut self, connection: usize) {
        let (tab, handle) = self.connections[connection];
        // In which order a connection's channels are said to be gone is nobody's promise.
        let is_last = self.has_files && self.tabs[tab].files.rng.bool();
        if self.has_files && !is_last {
            self.close_freight(connection);
        }
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        let was_open = link.channel.is_open && !link.channel.is_closed;
        link.channel.is_closed = true;
        if was_open {
            self.tell(tab, Event::Link(handle, LinkEvent::ChannelClosed));
        }
        if is_last {
            self.close_freight(connection);
        }
    }

    /// Whether nothing passes between a connection and its other end.
    pub(super) fn is_dead(&self, connection: usize) -> bool {
        let Some(link) = self.connection(connection) else {
            return true;
        };
        let Some(far) = link.far else { return true };
        self.is_severed(connection, far) || self.is_black_hole(connection) || self.is_black_hole(far)
    }

    fn is_black_hole(&self, connection: usize) -> bool {
        self.connection(connection)
            .is_some_and(|link| link.channel.dead.is_some())
    }

    /// ICE has found a pair: another one than that which leads nowhere, or the same.
    pub(super) fn leave_black_hole(&mut self, connection: usize) {
        let now = self.ufrags(connection);
        if let Some(link) = self.connection_mut(connection)
            && link.channel.dead != now
        {
            link.channel.dead = None;
        }
    }

    /// What both ends of a connection say of themselves.
    pub(super) fn ufrags(&self, connection: usize) -> Option<(Ufrag, Ufrag)> {
        let link = self.connection(connection)?;
        let local = link.pc.current_local()?.ufrag;
        Some((local, link.pc.current_remote()?.ufrag))
    }

    /// Nothing passes any more, and ICE says nothing of it: a NAT that forgot what it mapped.
    pub(super) fn black_hole(&mut self, connection: usize) {
        let dead = self.ufrags(connection);
        if let Some(far) = self.connection(connection).and_then(|link| link.far) {
            // Until it is noticed and mended.
            self.interrupted
                .insert(self.persons(connection, far), self.now + Duration::from_secs(60));
        }
        if let Some(link) = self.connection_mut(connection) {
            link.channel.dead = dead;
        }
    }

    /// The path is there again, perhaps: what waited goes on.
    pub(super) fn release_held(&mut self, connection: usize) {
        if self.is_dead(connection) {
            return;
        }
        self.release_freight(connection);
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        let held = std::mem::take(&mut link.channel.held);
        if held.is_empty() {
            return;
        }
        let (tab, _) = self.connections[connection];
        let later = self.delay(tab, RETRANSMITS_WITHIN_MS);
        for text in held {
            self.carry(connection, text, later);
        }
    }

    pub(super) fn measure(&mut self, tab: usize, handle: LinkId) {
        let Some(link) = self.link_or_violate(tab, handle, "Measure") else {
            return;
        };
        let connection = link.pc.id() as usize;
        let delay = self.delay(tab, self.pace.browser_ms);
        self.after(delay, Due::Measured { connection });
    }

    pub(super) fn measured(&mut self, connection: usize) {
        let (tab, handle) = self.connections[connection];
        let flows = self.flows(connection);
        let now = self.now;
        let Some(link) = self.connection_mut(connection) else {
            return;
        };
        let channel = &mut link.channel;
        let passed = u64::try_from((now - channel.counted).as_millis()).unwrap_or(u64::MAX);
        channel.counted = now;
        for slot in Slot::ALL {
            if flows[slot.index()] {
                channel.sample.bytes += passed.max(1);
                channel.sample.progress[slot.index()] += passed.max(1);
            }
        }
        let sample = channel.sample;
        self.tell(tab, Event::Link(handle, LinkEvent::Measured(sample)));
    }

    /// Which slots bring media at this moment.
    pub(super) fn flows(&self, connection: usize) -> [bool; Slot::ALL.len()] {
        let mut flows = self.expected_receiving(connection);
        let Some(link) = self.connection(connection) else {
            return flows;
        };
        let mut stuck = [false; Slot::ALL.len()];
        if let Some(far) = link.far.and_then(|far| self.connection(far)) {
            stuck = far.channel.stuck;
            if far.channel.paused {
                stuck[Slot::Camera.index()] = true;
                stuck[Slot::Screen.index()] = true;
            }
        }
        let passes = link.state == ConnectionState::Connected && !self.is_dead(connection);
        for slot in Slot::ALL {
            flows[slot.index()] &= passes && !stuck[slot.index()];
        }
        flows
    }

    /// Looks whether the core restarts ICE more often than it may.
    pub(super) fn count_restart(&mut self, tab: usize, handle: LinkId) {
        let now = self.now;
        let Some(link) = self.tabs[tab].links.get_mut(&handle) else {
            return;
        };
        let restarts = &mut link.channel.restarts;
        restarts.retain(|at| now - *at < Duration::from_secs(60));
        let too_soon = restarts.back().is_some_and(|last| now - *last < RESTART_PAUSE);
        restarts.push_back(now);
        if too_soon || restarts.len() > RESTARTS_A_MINUTE {
            let times = restarts.len();
            self.violate(
                Rule::Bounded,
                format_args!("tab {tab} {handle:?}: ICE restarted {times} times within a minute"),
            );
        }
    }
}
