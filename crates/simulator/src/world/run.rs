//! One run from its first action to the last that is let go.

use std::time::Duration;

use visavis_call_core::{Event, Intent};

use super::{Options, Rule, Violation, World};
use crate::script::{Action, Script};

/// Time for everything to come to rest after the faults: three connections one after another, each of
/// which has a flow that never comes, take up to fifteen seconds each.
const SETTLE_WITHIN: Duration = Duration::from_secs(48);
/// Outage of the server, in milliseconds, after which clients have slowed their pace down.
const LONG_OUTAGE_MS: u64 = 10_000;
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Looks in a row at which all must be as it should. What is right by chance, before a message that
/// is under way or a second attempt at something that failed, does not stay so.
const LOOKS: u32 = 4;
/// Time in which nothing more may happen then.
const QUIET_FOR: Duration = Duration::from_secs(4);
/// Time after which all seats and sockets are forgotten, also those that were never taken leave of.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(140);

/// What became of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The rule that was broken, if any.
    pub violation: Option<Violation>,
    /// The same for the same script, or something is not deterministic.
    pub hash: u64,
    /// How much happened.
    pub events: u64,
    /// How long after the faults everything was at rest.
    pub settled_after: Duration,
    /// What happened, if it was asked for.
    pub lines: Vec<String>,
}

/// Plays a script to its end or to the first broken rule.
#[must_use]
pub fn run(script: &Script, options: &Options) -> Outcome {
    let mut world = World::new(script, options);
    let settled_after = world.play();
    let violation = world.violation.take();
    Outcome {
        violation,
        hash: world.trace.hash(),
        events: world.trace.events(),
        settled_after,
        lines: world.trace.into_lines(),
    }
}

impl World {
    fn play(&mut self) -> Duration {
        let end = self.script.end();
        self.advance(end);
        self.heal();
        let settled_after = self.settle();
        if self.violation.is_none() {
            self.rest();
        }
        if self.violation.is_none() {
            self.leave();
        }
        settled_after
    }

    /// Plays a script without faults until all is at rest.
    pub(super) fn settle_calm(&mut self) {
        let end = self.script.end();
        self.advance(end);
        self.settle();
    }

    fn settle(&mut self) -> Duration {
        let start = self.now;
        // Clients of a server that was away for long look for it twice a minute.
        let long = self.script.actions.iter().any(
            |(_, action)| matches!(action, Action::Restart { down_ms, .. } if *down_ms > LONG_OUTAGE_MS),
        );
        let within = if long { SETTLE_WITHIN * 2 } else { SETTLE_WITHIN };
        let mut calm = 0;
        loop {
            self.admit_all();
            self.ask_for_links();
            self.advance(self.now + LOOK_EVERY);
            if self.violation.is_some() {
                return self.now - start;
            }
            match self.settled(true).and_then(|()| self.all_arrived()) {
                Ok(()) => {
                    calm += 1;
                    if calm == LOOKS {
                        return self.now - start;
                    }
                }
                Err((rule, detail)) => {
                    calm = 0;
                    if self.now >= start + within {
                        self.violate(rule, format_args!("{detail}"));
                    }
                }
            }
        }
    }

    /// Nothing but heartbeats from now on.
    fn rest(&mut self) {
        let operations = self.operations;
        let departures = self.people.iter().filter_map(|person| person.departure);
        let last = departures.map(|departure| departure.forgotten_at).max();
        let until = last.unwrap_or_default().max(self.now + QUIET_FOR);
        self.advance(until);
        if self.violation.is_some() {
            return;
        }
        if let Err((rule, detail)) = self.settled(false) {
            return self.violate(rule, format_args!("after having been at rest: {detail}"));
        }
        // Somebody who is only lost is worth new attempts until it is forgotten, and a page that
        // hears late who is inside makes its connections ahead.
        let more = self.operations - operations;
        let ahead = self.script.pace.links_ahead * 4 * self.script.people;
        if more > ahead as u64 && last.is_none() {
            self.violate(
                Rule::Livelock,
                format_args!("{more} description operations after all was at rest"),
            );
        }
    }

    fn leave(&mut self) {
        for tab in 0..self.tabs.len() {
            let visit = self.tabs[tab].visit;
            if self.tabs[tab].entered {
                self.tell(tab, Event::Intent(Intent::LeaveRoom { visit }));
            }
        }
        self.advance(self.now + FORGOTTEN_AFTER);
        if let Err((rule, detail)) = self.all_left() {
            self.violate(rule, format_args!("{detail}"));
        }
    }
}
