//! Calls from one person to another, from the first word to the last.
//!
//! ```text
//!          ring             ack               accept
//! (none) ───────▶ Asking ───────▶ Ringing ───────────▶ Taken
//!                   │                │                   │
//!                   └── unreachable  └── declined,       └── hung up, lost
//!                       cancelled        cancelled,
//!                                        timed out
//! ```
//! A person is in one call at a time, with all their pages. Who asks for a second one is told what
//! [`meet`](visavis_protocol::people::meet) decides. What ended is known for a while, so that late words find it.

mod ends;
mod ringing;
mod taking;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use visavis_protocol::limits::{CALL_WINDOW, ENDED_CALLS_FOR, RING_EVERY, RINGS_FOR, RINGS_PER_MINUTE};
use visavis_protocol::people::{EndReason, PeopleEvent, Progress};
use visavis_protocol::{CallId, Handle};

use super::super::ConnectionKey;
use super::super::rate::{Bucket, Rate};
use super::directory::millis;
use super::{People, Person, Timer, Word};

/// How long a page needs to come back: for so long a call rings on whose caller's socket was lost, and whom a
/// call rang for that is repeated to a server that was started anew.
const BACK_WITHIN: Duration = Duration::from_secs(10);
/// How long a call goes on whose page was left: it may have been loaded anew (S4).
const LOADED_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked what may be forgotten, at most.
const FORGET_EVERY: Duration = Duration::from_secs(1);
/// Ended calls that are known at most; the oldest are forgotten first.
const ENDED_CALLS: usize = 20_000;

#[derive(Default)]
pub(super) struct Calls {
    pub(super) all: BTreeMap<CallId, Call>,
    /// When, of whom, and why, the oldest first.
    pub(super) ended: VecDeque<(Duration, CallId)>,
    pub(super) why: BTreeMap<CallId, Over>,
    pub(super) rates: BTreeMap<Handle, Rates>,
    /// Whether a timer will look what may be forgotten: one for all.
    will_forget: bool,
}

pub(super) struct Call {
    pub(super) from: Handle,
    pub(super) to: Handle,
    name: String,
    video: bool,
    invite: String,
    /// Until when it rings if nobody takes it.
    rings_until: Duration,
    /// When it began, where it was heard of by a server before this one: milliseconds since 1970.
    repeated_since: Option<u64>,
    stage: Stage,
    /// Whether whom it is for is to hear nothing of it: to the caller they are somebody who does not come back.
    pub(super) is_unheard: bool,
    /// The page that calls; none while its socket is lost.
    pub(super) caller: Option<ConnectionKey>,
}

enum Stage {
    /// No page of the callee's has shown it yet.
    Asking { until: Duration },
    /// One has.
    Ringing {
        until: Duration,
        /// Until when the caller's page has to be back, if its socket was lost.
        caller_until: Option<Duration>,
    },
    /// The callee took it.
    Taken {
        /// The page that did; none while its socket is lost.
        callee: Option<ConnectionKey>,
        /// What it said when it did.
        answer: Option<CallId>,
        /// Whether the callee shows themselves.
        video: bool,
        /// Until when a page has to be back, if one is lost, and why the call is over if it is not.
        until: Option<(Duration, EndReason)>,
    },
}

/// What is known of a call that ended.
pub(super) struct Over {
    pub(super) from: Handle,
    /// Whom, if it got as far as that.
    pub(super) to: Option<Handle>,
    reason: EndReason,
}

/// How often somebody called lately.
#[derive(Default)]
pub(super) struct Rates {
    all: Bucket,
    each: BTreeMap<Handle, Duration>,
    /// What was said of calls that never rang, and is remembered.
    unrung: Bucket,
}

impl Calls {
    pub(super) fn is_taken(&self, call: CallId) -> bool {
        let call = self.all.get(&call);
        call.is_some_and(|call| matches!(call.stage, Stage::Taken { .. }))
    }

    /// Whether a call is for somebody who has not taken it.
    pub(super) fn rings_for(&self, call: CallId, callee: &Handle) -> bool {
        let known = self.all.get(&call);
        known.is_some_and(|known| known.to == *callee && known.progress() == Progress::Ringing)
    }

    /// How much is known of calls that are over.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.ended.len() + self.why.len() + self.rates.len()
    }

    fn forget(&mut self, now: Duration) {
        while let Some((at, call)) = self.ended.front().copied()
            && (at + ENDED_CALLS_FOR <= now || self.ended.len() > ENDED_CALLS)
        {
            self.ended.pop_front();
            self.why.remove(&call);
        }
        self.rates.retain(|_, rates| {
            rates.each.retain(|_, last| *last + RING_EVERY > now);
            !rates.each.is_empty() || !rates.all.is_full(now) || !rates.unrung.is_full(now)
        });
    }

    /// Whether somebody may call another one now.
    fn admit(&mut self, now: Duration, from: &Handle, to: &Handle) -> bool {
        let rates = self.rates.entry(from.clone()).or_default();
        rates.each.retain(|_, last| *last + RING_EVERY > now);
        if rates.each.contains_key(to) || !rates.all.take(now, per_minute(), 1) {
            return false;
        }
        rates.each.insert(to.clone(), now);
        true
    }
}

/// For how long a call has rung that rings until then.
pub(super) fn rung_ms(now: Duration, rings_until: Duration) -> u64 {
    millis(RINGS_FOR.saturating_sub(rings_until.saturating_sub(now)))
}

fn per_minute() -> Rate {
    Rate::new(RINGS_PER_MINUTE, Duration::from_secs(60), RINGS_PER_MINUTE)
}

impl Call {
    /// The page that took it, once one did; none of them while its socket is lost.
    pub(super) const fn callee(&self) -> Option<Option<ConnectionKey>> {
        match self.stage {
            Stage::Asking { .. } | Stage::Ringing { .. } => None,
            Stage::Taken { callee, .. } => Some(callee),
        }
    }

    /// One that was taken before this server was started.
    pub(super) fn taken(
        (from, to): (Handle, Handle),
        name: String,
        (video, callee_video): (bool, bool),
        invite: String,
        [caller, callee]: [ConnectionKey; 2],
    ) -> Self {
        Self {
            from,
            to,
            name,
            video,
            invite,
            rings_until: Duration::ZERO,
            repeated_since: None,
            stage: Stage::Taken {
                callee: Some(callee),
                answer: None,
                video: callee_video,
                until: None,
            },
            is_unheard: false,
            caller: Some(caller),
        }
    }

    const fn progress(&self) -> Progress {
        match self.stage {
            Stage::Asking { .. } | Stage::Ringing { .. } => Progress::Ringing,
            Stage::Taken { .. } => Progress::Taken,
        }
    }

    /// When it is to be looked at.
    fn due(&self) -> Option<Duration> {
        match self.stage {
            Stage::Asking { until } => Some(until),
            Stage::Ringing { until, caller_until } => {
                Some(caller_until.map_or(until, |lost| lost.min(until)))
            }
            Stage::Taken { until, .. } => until.map(|(until, _)| until),
        }
    }
}

impl People {
    /// Whether two people are in a call with each other that was taken.
    pub(super) fn talk(&self, one: &Handle, other: &Handle) -> bool {
        let call = self.persons.get(one).and_then(|person| person.call);
        call.and_then(|call| self.calls.all.get(&call))
            .is_some_and(|call| {
                let is_theirs = call.from == *other || call.to == *other;
                is_theirs && call.progress() == Progress::Taken
            })
    }

    /// A page of somebody in a call is gone.
    pub(super) fn call_lost_page(
        &mut self,
        now: Duration,
        handle: &Handle,
        page: ConnectionKey,
        departed: bool,
    ) {
        let Some(id) = self.persons.get(handle).and_then(|person| person.call) else {
            return;
        };
        let Some(call) = self.calls.all.get_mut(&id) else {
            return;
        };
        let is_caller = call.caller == Some(page);
        match &mut call.stage {
            Stage::Asking { .. } if is_caller && departed => {}
            Stage::Asking { .. } if is_caller => call.caller = None,
            Stage::Ringing { .. } if is_caller && departed => {}
            Stage::Ringing { caller_until, .. } if is_caller => {
                call.caller = None;
                *caller_until = Some(now + BACK_WITHIN);
            }
            Stage::Asking { .. } | Stage::Ringing { .. } => return,
            Stage::Taken { callee, until, .. } if is_caller || *callee == Some(page) => {
                if is_caller {
                    call.caller = None;
                } else {
                    *callee = None;
                }
                *until = Some(if departed {
                    (now + LOADED_WITHIN, EndReason::HungUp)
                } else {
                    (now + CALL_WINDOW, EndReason::Lost)
                });
            }
            Stage::Taken { .. } => return,
        }
        let has_left = is_caller && departed && call.progress() == Progress::Ringing;
        if has_left {
            let (to, from, video) = (call.to.clone(), call.from.clone(), call.video);
            let since = call.repeated_since;
            self.note_missed(now, &to, &from, video, since);
            return self.end(now, id, |_| EndReason::Cancelled);
        }
        if let Some(due) = self.calls.all.get(&id).and_then(Call::due) {
            self.at(due, Timer::Call(id));
        }
    }

    /// A page that has just come learns what its person is in.
    pub(super) fn tell_present_call(&mut self, now: Duration, page: ConnectionKey, handle: &Handle) {
        let call = self.persons.get(handle).and_then(|person| person.call);
        let Some((id, call)) = call.and_then(|id| Some((id, self.calls.all.get(&id)?))) else {
            return;
        };
        let event = match call.stage {
            Stage::Taken { .. } => return,
            Stage::Asking { .. } | Stage::Ringing { .. } if call.to == *handle => PeopleEvent::Incoming {
                call: id,
                from: call.from.clone(),
                name: call.name.clone(),
                video: call.video,
                rung_ms: rung_ms(now, call.rings_until),
            },
            // The page that called says so itself.
            Stage::Asking { .. } | Stage::Ringing { .. } if call.caller.is_none() => return,
            Stage::Asking { .. } | Stage::Ringing { .. } => PeopleEvent::Outgoing {
                call: id,
                to: call.to.clone(),
                video: call.video,
                rung_ms: rung_ms(now, call.rings_until),
            },
        };
        self.tell(page, event);
    }
}

/// Whether a page is on the socket that it had before, or on one that proved the handle later: what was
/// said on an earlier one and comes late does not move a call back there.
pub(super) fn is_later(
    persons: &BTreeMap<Handle, Person>,
    me: &Handle,
    page: ConnectionKey,
    before: ConnectionKey,
) -> bool {
    let pages = persons.get(me).map_or(&[][..], |person| &person.pages);
    let place = |page| pages.iter().position(|known| *known == page);
    place(page) >= place(before)
}

/// Another page, or the same on another socket, has the place of one in a call.
const fn displaced_word(page: ConnectionKey, call: CallId) -> Word {
    let reason = EndReason::Lost;
    Word::Tell(page, PeopleEvent::Ended { call, reason })
}
