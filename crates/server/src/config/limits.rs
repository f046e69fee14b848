//! The limits of the sockets, and the names by which an operator changes any limit.

use visavis_protocol::limits;

use crate::hub::HubLimits;

/// The limits that the sockets enforce. The defaults are those of [`visavis_protocol::limits`],
/// which gives the reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// See [`limits::ACCEPTS_PER_SECOND`].
    pub accepts_per_second: u32,
    /// See [`limits::ACCEPTS_BURST`].
    pub accepts_burst: u32,
    /// See [`limits::STRANGERS_PER_ADDRESS`].
    pub strangers_per_address: u32,
    /// See [`limits::CONNECTIONS_PER_ADDRESS`].
    pub connections_per_address: u32,
    /// See [`limits::CONNECTIONS`].
    pub connections: usize,
    /// See [`limits::QUEUE_MESSAGES`].
    pub queue_messages: usize,
    /// See [`limits::QUEUE_BYTES`].
    pub queue_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            accepts_per_second: limits::ACCEPTS_PER_SECOND,
            accepts_burst: limits::ACCEPTS_BURST,
            strangers_per_address: limits::STRANGERS_PER_ADDRESS,
            connections_per_address: limits::CONNECTIONS_PER_ADDRESS,
            connections: limits::CONNECTIONS,
            queue_messages: limits::QUEUE_MESSAGES,
            queue_bytes: limits::QUEUE_BYTES,
        }
    }
}

/// Limits an operator may change, by name. Rates may be raised as far as one likes; 0 per second
/// means no limit.
pub(super) const NAMES: &[&str] = &[
    "accepts_burst",
    "accepts_per_second",
    "bytes_burst",
    "bytes_per_second",
    "connections",
    "connections_per_address",
    "errors_per_connection",
    "failed_resumes",
    "handles_per_minute",
    "joins_burst",
    "joins_per_second",
    "messages_burst",
    "messages_per_second",
    "queue_bytes",
    "queue_messages",
    "room_seats",
    "room_watchers",
    "rooms",
    "rooms_per_minute",
    "strangers_per_address",
];

/// Sets the limit of that name. `false` if there is none.
pub(super) fn set(name: &str, value: u32, sockets: &mut Limits, hub: &mut HubLimits) -> bool {
    let size = value as usize;
    match name {
        "accepts_burst" => sockets.accepts_burst = value,
        "accepts_per_second" => sockets.accepts_per_second = value,
        "bytes_burst" => hub.bytes_burst = value,
        "bytes_per_second" => hub.bytes_per_second = value,
        "connections" => sockets.connections = size,
        "connections_per_address" => sockets.connections_per_address = value,
        "errors_per_connection" => hub.errors_per_connection = value,
        "failed_resumes" => hub.failed_resumes = value,
        "handles_per_minute" => hub.handles_per_minute = value,
        "joins_burst" => hub.joins_burst = value,
        "joins_per_second" => hub.joins_per_second = value,
        "messages_burst" => hub.messages_burst = value,
        "messages_per_second" => hub.messages_per_second = value,
        "queue_bytes" => sockets.queue_bytes = size,
        "queue_messages" => sockets.queue_messages = size,
        "room_seats" => hub.room_seats = size.min(limits::ROOM_SEATS),
        "room_watchers" => hub.room_watchers = size,
        "rooms" => hub.rooms = size,
        "rooms_per_minute" => hub.rooms_per_minute = value,
        "strangers_per_address" => sockets.strangers_per_address = value,
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_sets_a_limit_of_its_own() {
        let before = (Limits::default(), HubLimits::default());
        let mut seen = Vec::new();
        for name in NAMES {
            let mut after = before.clone();
            assert!(set(name, 1, &mut after.0, &mut after.1), "{name}");
            assert_ne!(after, before, "{name} changes nothing");
            assert!(!seen.contains(&after), "{name} changes what another name does");
            seen.push(after);
        }
        assert!(!set(
            "nonsense",
            1,
            &mut Limits::default(),
            &mut HubLimits::default()
        ));
    }
}
