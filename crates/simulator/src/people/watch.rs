//! What is looked at while it happens: every state of every page's call, every word of the hub about
//! calls, and what it writes down.

use std::collections::BTreeMap;
use std::time::Duration;

use visavis_call_core::{CallEnd, CallState, Core};
use visavis_protocol::people::EndReason;
use visavis_protocol::{CallId, Handle};
use visavis_server::hub::Hub;

use super::{Due, NAMES, World};
use crate::world::Rule;

/// From the call to the moment when nobody may show it as ringing any more.
pub(super) const RINGS_FOR: Duration = Duration::from_secs(50);
/// The same where a hole in the network held the first words up.
const HELD_UP_RINGS_FOR: Duration = Duration::from_secs(60);
/// How long two pages of a person may show different calls: words are on their way.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// A page's call as it was when it was looked at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) call: CallId,
    pub(super) with: usize,
    pub(super) is_outgoing: bool,
    pub(super) stage: Stage,
}

/// How it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Outgoing,
    Incoming,
    Answered,
    Elsewhere,
    InCall,
    Over { end: CallEnd, has_talked: bool },
}

impl Stage {
    /// Whether it shows a call that nobody has taken yet.
    pub(super) const fn is_ringing(self) -> bool {
        match self {
            Self::Outgoing | Self::Incoming | Self::Answered | Self::Elsewhere => true,
            Self::InCall | Self::Over { .. } => false,
        }
    }
}

/// One call, from outside.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) began: Duration,
    pub(super) parts: BTreeMap<usize, Part>,
    /// Somebody who was in it ended it, or went.
    pub(super) is_unwanted: bool,
    /// The server heard its caller hang up.
    pub(super) is_hung_up: bool,
    /// The caller was in another call when the server heard of it.
    pub(super) caller_is_busy: bool,
    /// Its caller began anew with another one.
    pub(super) is_replaced: bool,
    /// Its callee had blocked the caller when the server heard of it.
    pub(super) is_blocked: bool,
    /// Whether it is noted as missed depends on what came first: it was refused at some time, or blocked
    /// while it rang.
    pub(super) is_doubtful: bool,
    /// The callee saw missed calls while it rang: this one may be noted before a server's restart, seen, and
    /// noted once more.
    pub(super) is_seen_early: bool,
}

/// What one page has of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part {
    /// It was asked for or taken there.
    pub(super) is_asked: bool,
    pub(super) has_talked: bool,
    pub(super) end: Option<CallEnd>,
    /// Something was wrong with the page, its socket or the server meanwhile; or the page had turned to
    /// another call before it was told how this one ended.
    pub(super) is_disturbed: bool,
    /// The server said that it was taken or is over.
    pub(super) is_told: bool,
}

/// From a call to the end of its ring, wherever it shows: longer by as much as a page waits for a server,
/// where a hole in the network held its first words up or the server was away.
const fn rings_for(is_held_up: bool) -> Duration {
    if is_held_up { HELD_UP_RINGS_FOR } else { RINGS_FOR }
}

pub(super) fn person_of(handle: &Handle) -> usize {
    NAMES
        .iter()
        .position(|name| *name == handle.as_str())
        .unwrap_or(NAMES.len())
}

fn seen(core: &Core) -> Option<Seen> {
    let call = core.direct_call()?;
    let stage = match &call.state {
        CallState::Idle => return None,
        CallState::Outgoing { .. } => Stage::Outgoing,
        CallState::Incoming { answered: None } => Stage::Incoming,
        CallState::Incoming { answered: Some(_) } => Stage::Answered,
        CallState::Elsewhere => Stage::Elsewhere,
        CallState::InCall { .. } => Stage::InCall,
        CallState::Over { reason, talked } => Stage::Over {
            end: *reason,
            has_talked: talked.is_some(),
        },
    };
    Some(Seen {
        call: call.call,
        with: person_of(&call.with),
        is_outgoing: call.outgoing,
        stage,
    })
}

impl World {
    /// Looks what has become of a page's call.
    pub(super) fn look(&mut self, page: usize) {
        let before = self.pages[page].seen;
        let after = self.pages[page].core.as_ref().and_then(seen);
        if before == after {
            return;
        }
        self.pages[page].seen = after;
        if let Some(before) = before
            && after.is_none_or(|after| after.call != before.call)
        {
            self.turned_from(page, before, after);
        }
        if let Some(after) = after {
            self.turned_to(page, before, after);
        }
    }

    /// A page shows another call, or none.
    fn turned_from(&mut self, page: usize, before: Seen, after: Option<Seen>) {
        let mut part = self
            .stories
            .get_mut(&before.call)
            .and_then(|story| story.parts.get_mut(&page));
        if let Some(Part {
            is_told: false,
            is_disturbed,
            ..
        }) = &mut part
            && matches!(before.stage, Stage::Over { .. })
        {
            *is_disturbed = true;
        }
        // The other call of two goes on, or another page's call is over, which says nothing.
        let is_merged = !matches!(before.stage, Stage::Over { .. })
            && after.is_some_and(|after| after.with == before.with);
        if is_merged && let Some(part) = part {
            part.end.get_or_insert(CallEnd::Said(EndReason::Merged));
        }
    }

    fn turned_to(&mut self, page: usize, before: Option<Seen>, after: Seen) {
        let now = self.now;
        let person = self.pages[page].person;
        let is_disturbed = self.pages[page].well_since.is_none();
        if after.stage == Stage::Outgoing && !self.stories.contains_key(&after.call) {
            // Whoever does not want the call that this one crosses wants neither.
            let is_unwanted = self.stories.values().any(|story| {
                let crosses = (story.from, story.to) == (after.with, person);
                crosses && story.is_unwanted && story.began + RINGS_FOR > now
            });
            let story = Story {
                from: person,
                to: after.with,
                began: now,
                parts: BTreeMap::new(),
                is_unwanted,
                is_hung_up: false,
                caller_is_busy: false,
                is_replaced: false,
                is_blocked: false,
                is_doubtful: false,
                is_seen_early: false,
            };
            self.stories.insert(after.call, story);
            let call = after.call;
            self.after(RINGS_FOR, Due::RingIsOver { call });
        }
        let Some(story) = self.stories.get_mut(&after.call) else {
            return self.violate(
                Rule::Nonsense,
                format_args!("page {page} shows {after:?}, which nobody made"),
            );
        };
        let began = story.began;
        let part = story.parts.entry(page).or_default();
        part.is_disturbed |= is_disturbed;
        let was_over = part.end;
        let had_talked = part.has_talked;
        let mut unwanted_with = None;
        match after.stage {
            Stage::Outgoing | Stage::Answered => part.is_asked = true,
            Stage::InCall => part.has_talked = true,
            Stage::Over { end, has_talked } => {
                // Who asked for it and gave up by itself, without a server.
                let gave_up = part.is_asked && part.end.is_none() && !part.has_talked;
                part.end = Some(end);
                part.has_talked |= has_talked;
                if gave_up {
                    unwanted_with = Some(after.with);
                }
            }
            Stage::Incoming | Stage::Elsewhere => {}
        }
        let is_held_up = story.parts.values().any(|part| part.is_disturbed);
        if let Some(with) = unwanted_with {
            story.is_unwanted = true;
            self.nor_the_crossing_one(person, with);
        }
        if after.stage.is_ringing() && now > began + rings_for(is_held_up) {
            self.violate(
                Rule::GhostRing,
                format_args!("page {page} begins to show {after:?}, which is from {began:?}"),
            );
        }
        match after.stage {
            Stage::Incoming | Stage::Elsewhere if was_over.is_some() => {
                self.violate(
                    Rule::LateRing,
                    format_args!("page {page} shows {after:?} again, which was over: {was_over:?}"),
                );
            }
            Stage::InCall => self.came_into_call(page, before, after),
            Stage::Over { end, has_talked } => {
                if had_talked && !has_talked {
                    self.violate(
                        Rule::EndClass,
                        format_args!("page {page} forgot that people talked: {after:?}"),
                    );
                }
                let is_merged = end == CallEnd::Said(EndReason::Merged);
                if is_merged && before.is_some_and(|before| before.stage == Stage::Outgoing) {
                    self.violate(
                        Rule::Collision,
                        format_args!("page {page} takes its call for over, which goes on as another one"),
                    );
                }
                if before.is_some_and(|before| before.stage == Stage::InCall) {
                    self.went_out_of_call(page, after.call, end);
                }
            }
            Stage::Outgoing | Stage::Incoming | Stage::Answered | Stage::Elsewhere => {}
        }
    }

    /// Nobody is in a call without having asked for it there, nor without the other one having done so.
    fn came_into_call(&mut self, page: usize, before: Option<Seen>, after: Seen) {
        let person = self.pages[page].person;
        let has_asked = before.is_some_and(|before| {
            matches!(before.stage, Stage::Outgoing | Stage::Answered) && before.with == after.with
        });
        if !has_asked {
            self.violate(
                Rule::Consent,
                format_args!("page {page} is in a call that it did not ask for: {before:?}, then {after:?}"),
            );
        }
        let other_has_asked = self.stories.iter().any(|(call, story)| {
            let of_other =
                |part: (&usize, &Part)| self.pages[*part.0].person == after.with && part.1.is_asked;
            let is_this = *call == after.call && story.parts.iter().any(of_other);
            let is_other_way = story.from == after.with
                && story.to == person
                && story.began + RINGS_FOR + HEARD_WITHIN > self.now;
            is_this || is_other_way
        });
        if !other_has_asked {
            self.violate(
                Rule::Consent,
                format_args!("page {page} is in a call that the other side did not ask for: {after:?}"),
            );
        }
        let calls = self.calls_of(person, Duration::ZERO);
        if calls.iter().any(|call| *call != after.call) {
            self.after(HEARD_WITHIN, Due::OneCallEach { person });
        }
    }

    fn went_out_of_call(&mut self, page: usize, call: CallId, end: CallEnd) {
        let Some(story) = self.stories.get(&call) else {
            return;
        };
        // Lost for good, or gone on with on another page of the person after a server's restart.
        let is_lost = matches!(end, CallEnd::Said(EndReason::Lost | EndReason::AnsweredElsewhere));
        let is_disturbed = story.parts.values().any(|part| part.is_disturbed);
        if !(story.is_unwanted || is_lost && is_disturbed) {
            self.violate(
                Rule::TalkCut,
                format_args!("page {page}: {call:?} ended although nobody wanted that: {end:?}"),
            );
        }
    }

    /// Calls that a person is in on pages with which nothing has been wrong for a while.
    pub(super) fn calls_of(&self, person: usize, well_for: Duration) -> Vec<CallId> {
        let pages = self.people[person].pages.iter().map(|page| &self.pages[*page]);
        let well = pages.filter(|page| {
            let is_well = page.well_since.is_some_and(|since| since + well_for <= self.now);
            well_for.is_zero() || is_well
        });
        let in_call = well.filter_map(|page| page.seen.filter(|seen| seen.stage == Stage::InCall));
        in_call.map(|seen| seen.call).collect()
    }

    pub(super) fn one_call_each(&mut self, person: usize) {
        let mut calls = self.calls_of(person, HEARD_WITHIN);
        calls.dedup();
        if calls.len() > 1 {
            self.violate(
                Rule::TwoCalls,
                format_args!("person {person} is in two calls: {calls:?}"),
            );
        }
    }

    pub(super) fn nobody_in_two_calls(&mut self) {
        let calls = self.server.hub.iter().flat_map(Hub::calls);
        let calls: Vec<_> = calls.map(|call| [call.from, call.to]).collect();
        let twice = calls.iter().enumerate().find(|(at, people)| {
            let mut others = calls[at + 1..].iter().flatten();
            others.any(|other| people.contains(other))
        });
        if let Some((_, people)) = twice {
            let people = people.clone();
            self.violate(
                Rule::TwoCalls,
                format_args!("to the hub one of {people:?} is in two calls"),
            );
        }
    }

    pub(super) fn ring_is_over(&mut self, call: CallId) {
        let Some(story) = self.stories.get(&call) else {
            return;
        };
        let is_held_up = story.parts.values().any(|part| part.is_disturbed);
        let over_at = story.began + rings_for(is_held_up);
        if self.now < over_at {
            return self.schedule(over_at, Due::RingIsOver { call });
        }
        let ghost = self.pages.iter().enumerate().find_map(|(page, entry)| {
            let seen = entry
                .seen
                .filter(|seen| entry.core.is_some() && seen.call == call)?;
            seen.stage.is_ringing().then_some((page, seen))
        });
        if let Some((page, seen)) = ghost {
            self.violate(
                Rule::GhostRing,
                format_args!("page {page} still shows {seen:?} after {RINGS_FOR:?}"),
            );
        }
    }

    /// Something is wrong with a page, its socket or its server.
    pub(super) fn trouble(&mut self, page: usize) {
        self.pages[page].well_since = None;
        let Some(seen) = self.pages[page].seen else { return };
        let part = self
            .stories
            .get_mut(&seen.call)
            .and_then(|story| story.parts.get_mut(&page));
        if let Some(part) = part {
            part.is_disturbed = true;
        }
    }

    /// Somebody does not want the call that a page shows, or the page is gone.
    pub(super) fn unwanted(&mut self, page: usize) {
        let person = self.pages[page].person;
        let Some(seen) = self.pages[page].seen else { return };
        if let Some(story) = self.stories.get_mut(&seen.call) {
            story.is_unwanted = true;
        }
        self.nor_the_crossing_one(person, seen.with);
    }

    /// Who does not want a call does not want the one that crosses it, into which it may have merged.
    fn nor_the_crossing_one(&mut self, person: usize, with: usize) {
        for story in self.stories.values_mut() {
            story.is_unwanted |= (story.from, story.to) == (with, person);
        }
    }
}
