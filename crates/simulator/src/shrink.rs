//! Makes a failing script as small as it gets, and writes it down as a test.

use std::fmt::Write as _;

use crate::script::{Pace, Script};
use crate::world::{Options, Rule, run};

/// Removes whatever is not needed for the same rule to break.
#[must_use]
pub fn shrink(script: &Script, options: &Options) -> Script {
    let mut best = script.clone();
    let Some(rule) = broken(&best, options) else {
        return best;
    };
    let mut size = best.actions.len().div_ceil(2).max(1);
    loop {
        let mut removed = false;
        let mut at = 0;
        while at < best.actions.len() {
            let mut candidate = best.clone();
            let end = (at + size).min(candidate.actions.len());
            candidate.actions.drain(at..end);
            if broken(&candidate, options) == Some(rule) {
                best = candidate;
                removed = true;
            } else {
                at += size;
            }
        }
        removed |= simpler_pace(&mut best, options, rule);
        if size == 1 && !removed {
            return best;
        }
        size = (size / 2).max(1);
    }
}

fn broken(script: &Script, options: &Options) -> Option<Rule> {
    run(script, options).violation.map(|violation| violation.rule)
}

fn simpler_pace(best: &mut Script, options: &Options, rule: Rule) -> bool {
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
    let mut changed = false;
    for simplify in simpler {
        let mut candidate = best.clone();
        simplify(&mut candidate.pace, calm);
        if candidate.pace != best.pace && broken(&candidate, options) == Some(rule) {
            *best = candidate;
            changed = true;
        }
    }
    changed
}

/// The script as a unit test that passes once the failure is cured.
#[must_use]
pub fn as_test(script: &Script) -> String {
    let mut text = String::from(
        "#[test]\nfn found_by_the_simulator() {\n    use visavis_simulator::{Action::*, Change::*, Noticed::*, *};\n    use visavis_simulator::browser::{Direction::*, MediaKind::*};\n    use visavis_call_core::CaptureKind::*;\n    let script = Script {\n",
    );
    let written = write!(
        text,
        "        seed: {},\n        people: {},\n        pace: {:?},\n        actions: vec![\n",
        script.seed, script.people, script.pace
    );
    debug_assert!(written.is_ok(), "writing to a string");
    for (at, action) in &script.actions {
        let written = writeln!(text, "            ({at}, {action:?}),");
        debug_assert!(written.is_ok(), "writing to a string");
    }
    text.push_str("        ],\n    };\n    let outcome = run(&script, &Options::default());\n    assert_eq!(outcome.violation, None);\n}\n");
    text
}
