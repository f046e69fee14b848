//! What must hold once the faults are over.

use std::collections::BTreeSet;
use std::time::Duration;

use visavis_call_core::{CallEnd, PeopleIntent, Standing};
use visavis_protocol::people::EndReason;
use visavis_server::hub::{Hub, PeopleCounts};

use super::World;
use super::class::{Class, class};
use super::net::wire_of;
use super::watch::{RINGS_FOR, Stage, Story};
use crate::world::Rule;

/// How often it is looked whether all is at rest.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time for a call of which one page is lost to end: a minute after the other one has found its way back
/// to the server, which a page in the background does slowly.
const LOST_WITHIN: Duration = Duration::from_secs(100);
/// Time for the last words.
const SAID_WITHIN: Duration = Duration::from_secs(2);
/// Time after which a hub without pages knows nothing of calls any more: a minute for those that ended,
/// and a minute for how often somebody called.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(125);

/// A rule and what is there instead.
type Complaint = (Rule, String);

macro_rules! ensure {
    ($holds:expr, $rule:expr, $($detail:tt)*) => {
        if !$holds {
            return Err(($rule, format!($($detail)*)));
        }
    };
}

impl World {
    /// Plays the script and what comes after it; how long all took to come to rest.
    pub(super) fn play(&mut self) -> Duration {
        let end = self.script.end();
        self.advance(end);
        self.heal();
        let settled_after = self.settle();
        self.hang_up();
        self.part();
        settled_after
    }

    fn settle(&mut self) -> Duration {
        let start = self.now;
        loop {
            self.advance(self.now + LOOK_EVERY);
            let took = self.now - start;
            if self.violation.is_some() {
                return took;
            }
            let Err((rule, detail)) = self.settled() else {
                return took;
            };
            let within = if rule == Rule::TalkCut {
                LOST_WITHIN
            } else {
                RINGS_FOR
            };
            if took >= within {
                self.violate(rule, format_args!("{detail}"));
            }
        }
    }

    /// Whether everybody is signed in who wants to be, nothing rings, and who is in a call is so with the
    /// other one and to the hub.
    fn settled(&self) -> Result<(), Complaint> {
        let calls: Vec<_> = self.server.hub.iter().flat_map(Hub::calls).collect();
        for (page, entry) in self.pages.iter().enumerate() {
            let Some(core) = &entry.core else { continue };
            let standing = core.view().others.standing;
            ensure!(
                !entry.wants_in || standing == Standing::SignedIn,
                Rule::Settles,
                "page {page} is not signed in: {standing:?}"
            );
            let Some(seen) = entry.seen else { continue };
            ensure!(
                !seen.stage.is_ringing(),
                Rule::GhostRing,
                "page {page} shows {seen:?}"
            );
        }
        for call in &calls {
            ensure!(call.is_taken, Rule::GhostRing, "to the hub it rings: {call:?}");
        }
        for (page, entry) in self.pages.iter().enumerate() {
            let Some(seen) = entry.seen.filter(|seen| seen.stage == Stage::InCall) else {
                continue;
            };
            // One that was refused for want of room knows no better.
            if entry.core.is_none() || !entry.wants_in {
                continue;
            }
            let others = self.people[seen.with].pages.iter().filter(|other| {
                let other = self.pages[**other].seen;
                other.is_some_and(|other| other.stage == Stage::InCall && other.call == seen.call)
            });
            let others = others.count();
            ensure!(
                others == 1,
                Rule::TalkCut,
                "page {page} is in {seen:?} with {others} pages"
            );
            let known = calls.iter().find(|call| call.call == seen.call);
            let has_page = known.is_some_and(|known| {
                let mut pages = known.pages.iter().flatten();
                pages.any(|key| self.wires[wire_of(*key)].page == page)
            });
            ensure!(
                has_page,
                Rule::TalkCut,
                "page {page} is in {seen:?}, of which the hub knows {known:?}"
            );
        }
        for call in &calls {
            for key in call.pages {
                let page = key.map(|key| self.wires[wire_of(key)].page);
                let seen = page.and_then(|page| self.pages[page].seen);
                ensure!(
                    seen.is_some_and(|seen| seen.stage == Stage::InCall && seen.call == call.call),
                    Rule::TalkCut,
                    "to the hub page {page:?} is in {call:?}, and it shows {seen:?}"
                );
            }
        }
        Ok(())
    }

    /// Everybody ends the call they are in; then all ends are compared.
    fn hang_up(&mut self) {
        if self.violation.is_some() {
            return;
        }
        for page in 0..self.pages.len() {
            if self.pages[page]
                .seen
                .is_some_and(|seen| seen.stage == Stage::InCall)
            {
                self.unwanted(page);
                self.intend(page, PeopleIntent::End);
            }
        }
        self.advance(self.now + SAID_WITHIN);
        if self.violation.is_some() {
            return;
        }
        if let Err((rule, detail)) = self.compare() {
            self.violate(rule, format_args!("{detail}"));
        }
    }

    fn compare(&self) -> Result<(), Complaint> {
        let calls = self.server.hub.iter().flat_map(Hub::calls).count();
        ensure!(calls == 0, Rule::Leftover, "{calls} calls after all hung up");
        for (call, story) in &self.stories {
            agreed(story).map_err(|detail| (Rule::EndClass, format!("{call:?}: {detail}")))?;
        }
        for (to, person) in self.people.iter().enumerate() {
            for from in 0..self.people.len() {
                let noted = person.noted.get(&from).copied().unwrap_or(0);
                let stories = self.stories.values();
                let theirs = stories.filter(|story| (story.from, story.to) == (from, to));
                let (mut least, mut most) = (0, 0);
                for story in theirs {
                    let [a, b] = missed(story);
                    (least, most) = (least + a, most + b);
                }
                ensure!(
                    (least..=most).contains(&noted),
                    Rule::Missed,
                    "{noted} calls from person {from} are noted as missed by person {to}, and there were {least} to {most}"
                );
            }
            for page in person.pages.iter().map(|page| &self.pages[*page]) {
                let Some(core) = page.core.as_ref().filter(|_| page.wants_in) else {
                    continue;
                };
                let shown: Vec<u64> = core.view().others.missed.iter().map(|m| m.number).collect();
                let numbers: BTreeSet<u64> = shown.iter().copied().collect();
                ensure!(
                    numbers.len() == shown.len(),
                    Rule::Missed,
                    "a missed call is shown twice: {shown:?}"
                );
            }
        }
        Ok(())
    }

    /// All pages go; some time later nothing is left of any of it.
    fn part(&mut self) {
        if self.violation.is_some() {
            return;
        }
        for page in 0..self.pages.len() {
            if self.pages[page].core.is_some() {
                self.close_page(page, None);
            }
        }
        self.advance(self.now + FORGOTTEN_AFTER);
        let counts = self.server.hub.as_ref().map(Hub::people_counts);
        if let Some(counts) = counts
            && counts != PeopleCounts::default()
        {
            self.violate(Rule::Leftover, format_args!("the hub still has {counts:?}"));
        }
    }
}

/// Ends of a story as each page knows them, and whether something was wrong with the page.
fn ends(story: &Story) -> Vec<(Class, CallEnd, bool)> {
    let parts = story.parts.values();
    let ends = parts.filter_map(|part| {
        let end = part.end?;
        Some((class(end, part.has_talked), end, part.is_disturbed))
    });
    ends.collect()
}

/// Whether all pages agree. One with which something was wrong may have given up without knowing how it
/// ended; no other one may.
fn agreed(story: &Story) -> Result<(), String> {
    let ends = ends(story);
    let is_disturbed = ends.iter().any(|(_, _, is_disturbed)| *is_disturbed);
    let mut classes = BTreeSet::new();
    for (class, end, is_disturbed) in &ends {
        match class {
            Class::Elsewhere => {}
            Class::Failed => {
                let is_excused = match end {
                    CallEnd::Refused(_)
                    | CallEnd::NoConnection(_)
                    | CallEnd::NoMicrophone
                    | CallEnd::Said(EndReason::Collision) => true,
                    CallEnd::Said(_) | CallEnd::NoServer => *is_disturbed,
                };
                if !is_excused {
                    return Err(format!("a page in good order ended with {end:?}: {ends:?}"));
                }
            }
            Class::Talked | Class::Declined | Class::Missed => {
                classes.insert(*class);
            }
        }
    }
    if classes.len() > 1 && !is_disturbed {
        return Err(format!("{ends:?}"));
    }
    Ok(())
}

/// How many entries among the missed calls a story makes: at least, and at most.
fn missed(story: &Story) -> [u32; 2] {
    let ends = ends(story);
    // Given up by the caller while it merged into another one, of which the caller had not heard.
    let is_merged = ends
        .iter()
        .any(|(_, end, _)| *end == CallEnd::Said(EndReason::Merged));
    let is_disturbed = is_merged || story.is_doubtful || story.parts.values().any(|part| part.is_disturbed);
    if story.is_blocked {
        return [0, u32::from(is_disturbed)];
    }
    let is = |wanted: Class| ends.iter().any(|(class, _, _)| *class == wanted);
    let is_in_another = ends
        .iter()
        .any(|(_, end, _)| *end == CallEnd::Said(EndReason::InAnotherCall));
    let certain = if is(Class::Talked) || is(Class::Declined) || !is(Class::Missed) {
        0
    } else {
        u32::from(!(story.is_replaced || is_in_another && story.caller_is_busy))
    };
    if is_disturbed || is(Class::Failed) {
        [0, 1 + u32::from(story.is_seen_early)]
    } else {
        [certain, certain]
    }
}
