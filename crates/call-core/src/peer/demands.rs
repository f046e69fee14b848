//! How many new connections a peer may make us begin.

use core::time::Duration;

use crate::time::Timestamp;

/// New connections that a peer may ask for in a row.
const DEMANDS: u32 = 8;
/// Time after which one more may be asked for.
const DEMAND_FORGOTTEN_AFTER: Duration = Duration::from_secs(3);

/// How often a peer may make us begin a new connection. A browser runs out of connections that it
/// made and closed in a hurry, for everybody in the room.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demands {
    /// Those not forgotten yet, and when the oldest will be.
    recent: u32,
    since: Timestamp,
}

impl Demands {
    /// Whether one more may be met.
    pub(super) fn admit(&mut self, now: Timestamp) -> bool {
        while self.recent > 0 && now >= self.since + DEMAND_FORGOTTEN_AFTER {
            self.recent -= 1;
            self.since = self.since + DEMAND_FORGOTTEN_AFTER;
        }
        if self.recent == 0 {
            self.since = now;
        }
        let admitted = self.recent < DEMANDS;
        self.recent += u32::from(admitted);
        admitted
    }
}
