//! Makes a failing script as small as it gets, and writes it down as a test.

use std::fmt::Write as _;

use crate::people;
use crate::script::{Action, Pace, Script};
use crate::world::{Options, Rule, run};

/// A script that can be made smaller.
pub trait Case: Clone + PartialEq {
    /// One thing that happens.
    type Action;

    /// What happens, and when.
    fn actions(&mut self) -> &mut Vec<(u64, Self::Action)>;

    /// The rule that it breaks, if any.
    fn broken(&self, options: &Options) -> Option<Rule>;

    /// The same with calmer surroundings, each in another way.
    fn calmer(&self) -> Vec<Self>;
}

impl Case for Script {
    type Action = Action;

    fn actions(&mut self) -> &mut Vec<(u64, Action)> {
        &mut self.actions
    }

    fn broken(&self, options: &Options) -> Option<Rule> {
        run(self, options).violation.map(|violation| violation.rule)
    }

    fn calmer(&self) -> Vec<Self> {
        let calm = Pace::CALM;
        let simpler: [fn(&mut Pace, Pace); 9] = [
            |pace, calm| pace.network_ms = calm.network_ms,
            |pace, calm| pace.browser_ms = calm.browser_ms,
            |pace, calm| pace.prompt_ms = calm.prompt_ms,
            |pace, calm| pace.duplicated = calm.duplicated,
            |pace, calm| pace.overtaken = calm.overtaken,
            |pace, calm| pace.refused = calm.refused,
            |pace, calm| pace.links_ahead = calm.links_ahead,
            |pace, calm| pace.disk_trouble = calm.disk_trouble,
            |pace, calm| pace.spoiled = calm.spoiled,
        ];
        let calmed = simpler.map(|simplify| {
            let mut script = self.clone();
            simplify(&mut script.pace, calm);
            script
        });
        calmed.to_vec()
    }
}

impl Case for people::script::Script {
    type Action = people::script::Action;

    fn actions(&mut self) -> &mut Vec<(u64, Self::Action)> {
        &mut self.actions
    }

    fn broken(&self, options: &Options) -> Option<Rule> {
        people::run(self, options)
            .violation
            .map(|violation| violation.rule)
    }

    fn calmer(&self) -> Vec<Self> {
        use people::script::Pace;
        let simpler: [fn(&mut Pace); 3] = [
            |pace| pace.network_ms = Pace::CALM.network_ms,
            |pace| pace.sign_ms = Pace::CALM.sign_ms,
            |pace| pace.doubled = Pace::CALM.doubled,
        ];
        let mut calmed: Vec<Self> = simpler
            .map(|simplify| {
                let mut script = self.clone();
                simplify(&mut script.pace);
                script
            })
            .to_vec();
        for person in 0..self.pages.len() {
            let mut script = self.clone();
            script.pages[person] = script.pages[person].saturating_sub(1);
            calmed.push(script);
        }
        calmed
    }
}

/// Removes whatever is not needed for the same rule to break.
#[must_use]
pub fn shrink<C: Case>(script: &C, options: &Options) -> C {
    let mut best = script.clone();
    let Some(rule) = best.broken(options) else {
        return best;
    };
    let mut size = best.actions().len().div_ceil(2).max(1);
    loop {
        let mut removed = false;
        let mut at = 0;
        while at < best.actions().len() {
            let mut candidate = best.clone();
            let end = (at + size).min(candidate.actions().len());
            candidate.actions().drain(at..end);
            if candidate.broken(options) == Some(rule) {
                best = candidate;
                removed = true;
            } else {
                at += size;
            }
        }
        for candidate in 0..best.calmer().len() {
            let candidate = best.calmer().swap_remove(candidate);
            if candidate != best && candidate.broken(options) == Some(rule) {
                best = candidate;
                removed = true;
            }
        }
        if size == 1 && !removed {
            return best;
        }
        size = (size / 2).max(1);
    }
}

/// The script as a unit test that passes once the failure is cured.
#[must_use]
pub fn as_test(script: &Script) -> String {
    let uses = "    use visavis_simulator::{Action::*, Change::*, Noticed::*, *};\n    use visavis_simulator::browser::{Direction::*, MediaKind::*};\n    use visavis_call_core::CaptureKind::*;\n";
    let head = format!(
        "        seed: {},\n        people: {},\n        room: RoomKind::{:?},\n        pace: {:?},\n",
        script.seed, script.people, script.room, script.pace
    );
    written(uses, &head, &script.actions)
}

/// The same for people who call each other.
#[must_use]
pub fn as_test_of_people(script: &people::script::Script) -> String {
    let uses = "    use visavis_simulator::people::{run, script::{Action::*, At, Pace, Script}};\n    use visavis_simulator::{Noticed::*, Options};\n";
    let head = format!(
        "        seed: {},\n        pages: vec!{:?},\n        pace: {:?},\n",
        script.seed, script.pages, script.pace
    );
    written(uses, &head, &script.actions)
}

fn written<A: std::fmt::Debug>(uses: &str, head: &str, actions: &[(u64, A)]) -> String {
    let mut text = format!(
        "#[test]\nfn found_by_the_simulator() {{\n{uses}    let script = Script {{\n{head}        actions: vec![\n"
    );
    for (at, action) in actions {
        let written = writeln!(text, "            ({at}, {action:?}),");
        debug_assert!(written.is_ok(), "writing to a string");
    }
    text.push_str("        ],\n    };\n    let outcome = run(&script, &Options::default());\n    assert_eq!(outcome.violation, None);\n}\n");
    text
}
