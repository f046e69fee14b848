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
//! [`meet`] decides. What ended is known for a while, so that late words find it.

mod ends;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use visavis_protocol::limits::{
    ACK_WITHIN, CALL_WINDOW, ENDED_CALLS_FOR, INVITE_BYTES, RING_EVERY, RINGS_FOR, RINGS_PER_MINUTE,
};
use visavis_protocol::people::{EndReason, Meeting, PeopleEvent, Present, Progress, meet};
use visavis_protocol::{CallId, ErrorCode, Handle};

use super::super::rate::{Bucket, Rate};
use super::super::{ConnectionKey, HubFault};
use super::directory::millis;
use super::{People, Person, Timer, Word};

/// How long a call rings on whose caller's socket was lost: as long as a page needs to come back.
const CALLER_BACK_WITHIN: Duration = Duration::from_secs(10);
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
}

impl Calls {
    pub(super) fn is_taken(&self, call: CallId) -> bool {
        let call = self.all.get(&call);
        call.is_some_and(|call| matches!(call.stage, Stage::Taken { .. }))
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
            !rates.each.is_empty() || !rates.all.is_full(now)
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

    #[expect(clippy::too_many_arguments, reason = "the message's own fields")]
    pub(super) fn ring(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        call: CallId,
        to: Handle,
        video: bool,
        invite: String,
        rung: Duration,
    ) {
        if invite.len() > INVITE_BYTES {
            return self.refuse(page, ErrorCode::BadMessage, "ring");
        }
        if to == *me {
            return self.refuse(page, ErrorCode::SelfAddressed, "ring");
        }
        if let Some(over) = self.calls.why.get(&call) {
            let reason = if over.from == *me {
                over.reason
            } else {
                EndReason::UnknownCall
            };
            self.tell(page, PeopleEvent::Ended { call, reason });
            if reason == EndReason::Merged {
                self.back_in_merged(page, me, &to);
            }
            return;
        }
        let is_blocked = self.directory.has_blocked(&to, me);
        // What the two are in already, the own call first.
        let present = [me, &to].map(|person| self.persons.get(person).and_then(|person| person.call));
        let mut is_replaced = false;
        for known in present.into_iter().flatten() {
            // Both may be in the same one, which the first look has ended.
            if !self.calls.all.contains_key(&known) {
                continue;
            }
            match self.meeting(known, call, me, &to) {
                Meeting::Same => return self.repeated(page, me, call),
                Meeting::Busy if self.has(HubFault::ThirdRings) => {}
                Meeting::Busy if Some(known) == present[0] => {
                    return self.refuse_call(now, page, call, me, EndReason::Busy);
                }
                Meeting::Busy => {
                    // A call like any other: it is noted as missed, and may not come too often.
                    if !self.calls.admit(now, me, &to) {
                        return self.refuse(page, ErrorCode::RateLimited, "ring");
                    }
                    if is_blocked {
                        return self.refuse_call(now, page, call, me, EndReason::Unreachable);
                    }
                    self.refuse_call(now, page, call, me, EndReason::Busy);
                    let since = self.repeated_since(now, rung);
                    return self.note_missed(now, &to, me, video, since);
                }
                Meeting::Collision => {
                    self.end(now, known, |_| EndReason::Collision);
                    return self.refuse_call(now, page, call, me, EndReason::Collision);
                }
                Meeting::TakePresent => {
                    self.tell_end(page, call, EndReason::Merged);
                    self.note_end(now, call, me, None, EndReason::Merged);
                    return self.take(now, page, me, known, video, None);
                }
                Meeting::TakeNew => {
                    return self.swap(now, page, me, known, (call, to, video, invite), rung);
                }
                Meeting::Replace => {
                    is_replaced = true;
                    self.end(now, known, |_| EndReason::Cancelled);
                }
            }
        }
        if self.calls.all.contains_key(&call) {
            return self.refuse_call(now, page, call, me, EndReason::UnknownCall);
        }
        // Who says that they are in a call of which this server has not heard from both yet is in one.
        if self.has_claim(me, call) {
            return self.refuse_call(now, page, call, me, EndReason::Busy);
        }
        if self.has_claim(&to, call) && !is_blocked {
            if !self.calls.admit(now, me, &to) {
                return self.refuse(page, ErrorCode::RateLimited, "ring");
            }
            self.refuse_call(now, page, call, me, EndReason::Busy);
            let since = self.repeated_since(now, rung);
            return self.note_missed(now, &to, me, video, since);
        }
        if !self.calls.admit(now, me, &to) {
            if is_replaced {
                // The one before it rang, and this one does not.
                self.note_missed(now, &to, me, video, None);
            }
            return self.refuse(page, ErrorCode::RateLimited, "ring");
        }
        // Unknown, blocked and not here are one and the same, and at the same moment.
        // Who sits in a room is in a call. Where the caller sits there too the two are in this very call, which a
        // server that was started anew has forgotten; or the callee has said that they took it.
        let is_in_call = self.sits_apart(&to, page) && !self.is_claimed(&to, call);
        if !is_blocked && is_in_call {
            self.refuse_call(now, page, call, me, EndReason::Busy);
            let since = self.repeated_since(now, rung);
            return self.note_missed(now, &to, me, video, since);
        }
        if is_blocked || self.pages_of(&to).is_empty() {
            self.refuse_call(now, page, call, me, EndReason::Unreachable);
            // After the answer, so that what is written down does not show in how long it takes.
            if !is_blocked {
                let since = self.repeated_since(now, rung);
                self.note_missed(now, &to, me, video, since);
            }
            return;
        }
        if self.is_claimed(&to, call) {
            // The callee took it, of which the server before this one told only them.
            return self.resume_as_caller(now, page, me, call, to, video, invite);
        }
        self.begin(now, page, me, call, to, video, invite, rung);
    }

    /// When a call began that is repeated, as far as the caller says.
    fn repeated_since(&self, now: Duration, rung: Duration) -> Option<u64> {
        // What a page says of its own clock comes after a while.
        (!rung.is_zero()).then(|| millis((self.unix + now).saturating_sub(rung + RING_EVERY)))
    }

    /// The page whose call merged into another one did not hear of that: its socket was lost just then.
    fn back_in_merged(&mut self, page: ConnectionKey, me: &Handle, with: &Handle) {
        let Some(id) = self.persons.get(me).and_then(|person| person.call) else {
            return;
        };
        if !self.talk(me, with) {
            return;
        }
        if let Some(call) = self.calls.all.get_mut(&id) {
            let seat = match &mut call.stage {
                Stage::Taken { .. } if call.from == *me => &mut call.caller,
                Stage::Taken { callee, .. } => callee,
                Stage::Asking { .. } | Stage::Ringing { .. } => return,
            };
            if seat.is_some_and(|seat| !is_later(&self.persons, me, page, seat)) {
                return;
            }
            if let Some(displaced) = seat.replace(page).filter(|seat| *seat != page) {
                self.words.push_back(displaced_word(displaced, id));
            }
            self.came_back(id, page);
        }
    }

    fn meeting(&self, known: CallId, call: CallId, from: &Handle, to: &Handle) -> Meeting {
        self.calls.all.get(&known).map_or(Meeting::Busy, |present| {
            let seen = Present {
                call: known,
                from: &present.from,
                to: &present.to,
                progress: present.progress(),
            };
            match meet(seen, call, from, to) {
                Meeting::TakeNew if self.has(HubFault::LowerIdWins) => Meeting::TakePresent,
                Meeting::TakePresent if self.has(HubFault::LowerIdWins) => Meeting::TakeNew,
                meeting @ (Meeting::Busy
                | Meeting::Same
                | Meeting::TakePresent
                | Meeting::TakeNew
                | Meeting::Collision
                | Meeting::Replace) => meeting,
            }
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the message's own fields")]
    fn begin(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        call: CallId,
        to: Handle,
        video: bool,
        invite: String,
        rung: Duration,
    ) {
        let name = self
            .pages
            .get(&page)
            .map(|page| page.name.clone())
            .unwrap_or_default();
        for handle in [me, &to] {
            self.persons.entry(handle.clone()).or_default().call = Some(call);
        }
        let until = now + ACK_WITHIN;
        self.at(until, Timer::Call(call));
        let rings_until = now + RINGS_FOR.saturating_sub(rung).max(ACK_WITHIN);
        let incoming = PeopleEvent::Incoming {
            call,
            from: me.clone(),
            name: name.clone(),
            video,
            rung_ms: rung_ms(now, rings_until),
        };
        self.tell_all(&to, None, &incoming);
        let outgoing = PeopleEvent::Outgoing {
            call,
            to: to.clone(),
            video,
            rung_ms: rung_ms(now, rings_until),
        };
        self.tell_all(me, Some(page), &outgoing);
        let made = Call {
            from: me.clone(),
            to,
            name,
            video,
            invite,
            rings_until,
            repeated_since: self.repeated_since(now, rung),
            stage: Stage::Asking { until },
            caller: Some(page),
        };
        self.calls.all.insert(call, made);
    }

    /// The caller says it again: their page or the server was lost for a moment, or a message came twice.
    pub(super) fn repeated(&mut self, page: ConnectionKey, me: &Handle, id: CallId) {
        let Some(call) = self.calls.all.get_mut(&id) else {
            return;
        };
        // No other page says so: it is the same one on another socket, be the former one noticed to be gone
        // or not.
        if call
            .caller
            .is_some_and(|caller| !is_later(&self.persons, me, page, caller))
        {
            return;
        }
        let displaced = call.caller.replace(page).filter(|caller| *caller != page);
        if let Some(displaced) = displaced {
            self.words.push_back(displaced_word(displaced, id));
        }
        match &mut call.stage {
            Stage::Asking { .. } => {}
            Stage::Ringing { caller_until, .. } => {
                *caller_until = None;
                self.tell(page, PeopleEvent::Ringing { call: id });
            }
            Stage::Taken { .. } => self.came_back(id, page),
        }
    }

    /// A page is in a call again that was taken.
    pub(super) fn came_back(&mut self, id: CallId, page: ConnectionKey) {
        let Some(call) = self.calls.all.get_mut(&id) else {
            return;
        };
        let Stage::Taken {
            callee, until, video, ..
        } = &mut call.stage
        else {
            return;
        };
        if callee.is_some() && call.caller.is_some() {
            *until = None;
        }
        let is_caller = call.caller == Some(page);
        let event = PeopleEvent::Accepted {
            call: id,
            with: if is_caller {
                call.to.clone()
            } else {
                call.from.clone()
            },
            video: if is_caller { *video } else { call.video },
            invite: call.invite.clone(),
        };
        self.tell(page, event);
    }

    pub(super) fn ack(&mut self, now: Duration, page: ConnectionKey, me: &Handle, id: CallId) {
        let Some(call) = self.calls.all.get_mut(&id).filter(|call| call.to == *me) else {
            return self.tell_over(page, me, id);
        };
        if let Some(callee) = call.callee() {
            // A page that was cut off when another one took it.
            if callee != Some(page) {
                self.tell_end(page, id, EndReason::AnsweredElsewhere);
            }
            return;
        }
        if let Stage::Asking { .. } = call.stage {
            let until = call.rings_until;
            // Their socket may have been lost before anybody showed it.
            let caller_until = call.caller.is_none().then(|| now + CALLER_BACK_WITHIN);
            call.stage = Stage::Ringing { until, caller_until };
            let from = call.from.clone();
            self.at(
                caller_until.map_or(until, |lost| lost.min(until)),
                Timer::Call(id),
            );
            self.tell_all(&from, None, &PeopleEvent::Ringing { call: id });
        }
    }

    pub(super) fn accept(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        id: CallId,
        video: bool,
        answer: Option<CallId>,
    ) {
        let is_trusting = self.has(HubFault::SecondAnswerTaken);
        let Some(call) = self.calls.all.get_mut(&id).filter(|call| call.to == *me) else {
            return self.accept_early(now, page, me, id, video);
        };
        match &mut call.stage {
            Stage::Asking { .. } | Stage::Ringing { .. } => self.take(now, page, me, id, video, answer),
            Stage::Taken {
                callee,
                answer: known,
                ..
            } => match callee {
                Some(callee) if *callee != page && answer.is_some() && *known == answer => {
                    if is_later(&self.persons, me, page, *callee) {
                        *callee = page;
                        self.came_back(id, page);
                    }
                }
                Some(callee) if *callee != page && is_trusting => self.came_back(id, page),
                Some(callee) if *callee != page => self.tell_end(page, id, EndReason::AnsweredElsewhere),
                Some(_) => {}
                None => {
                    *callee = Some(page);
                    self.came_back(id, page);
                }
            },
        }
    }

    /// The page that took a call says so on another socket.
    pub(super) fn callee_is_back(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        id: CallId,
        video: bool,
    ) {
        match self.calls.all.get_mut(&id).map(|call| &mut call.stage) {
            Some(Stage::Taken { callee, .. }) => {
                if callee.is_some_and(|callee| !is_later(&self.persons, me, page, callee)) {
                    return;
                }
                let displaced = callee.replace(page).filter(|callee| *callee != page);
                if let Some(displaced) = displaced {
                    self.words.push_back(displaced_word(displaced, id));
                }
                self.came_back(id, page);
            }
            // The caller had not heard that it was taken before this server was started.
            Some(Stage::Asking { .. } | Stage::Ringing { .. }) => {
                self.take(now, page, me, id, video, None);
            }
            None => {}
        }
    }

    /// Somebody takes a call, on one of their pages.
    fn take(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        id: CallId,
        video: bool,
        answer: Option<CallId>,
    ) {
        let Some(call) = self.calls.all.get_mut(&id) else {
            return;
        };
        let (from, caller, invite) = (call.from.clone(), call.caller, call.invite.clone());
        let until = caller.is_none().then(|| (now + CALL_WINDOW, EndReason::Lost));
        call.stage = Stage::Taken {
            callee: Some(page),
            answer,
            video,
            until,
        };
        let accepted = |with: &Handle, video| PeopleEvent::Accepted {
            call: id,
            with: with.clone(),
            video,
            invite: invite.clone(),
        };
        let to_callee = accepted(&from, call.video);
        let to_caller = accepted(me, video);
        if let Some((until, _)) = until {
            self.at(until, Timer::Call(id));
        }
        self.tell(page, to_callee);
        if let Some(caller) = caller {
            self.tell(caller, to_caller);
        }
        let elsewhere = PeopleEvent::Ended {
            call: id,
            reason: EndReason::AnsweredElsewhere,
        };
        self.tell_all(me, Some(page), &elsewhere);
        self.tell_all(&from, caller, &elsewhere);
        self.look_at(now, me);
        self.look_at(now, &from);
        self.tell_talkers(&from, me);
    }

    /// Two who may not have known it of each other know it now.
    fn tell_talkers(&mut self, one: &Handle, other: &Handle) {
        for (viewer, person) in [(one, other), (other, one)] {
            let event = PeopleEvent::Presence(self.contact_for(viewer, person));
            self.tell_all(viewer, None, &event);
        }
    }

    /// The new call of two who call each other goes on; the present one merges into it.
    fn swap(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        present: CallId,
        (call, to, video, invite): (CallId, Handle, bool, String),
        rung: Duration,
    ) {
        let known = self.calls.all.get(&present);
        let (other_page, other_video) = known.map_or((None, false), |known| (known.caller, known.video));
        self.end(now, present, |_| EndReason::Merged);
        let Some(other_page) = other_page else {
            // Their page is lost at the moment: it rings there once it is back.
            return self.begin(now, page, me, call, to, video, invite, rung);
        };
        let name = self
            .pages
            .get(&page)
            .map(|page| page.name.clone())
            .unwrap_or_default();
        for handle in [me, &to] {
            self.persons.entry(handle.clone()).or_default().call = Some(call);
        }
        let made = Call {
            from: me.clone(),
            to: to.clone(),
            name,
            video,
            invite,
            rings_until: now + RINGS_FOR,
            repeated_since: None,
            stage: Stage::Asking {
                until: now + ACK_WITHIN,
            },
            caller: Some(page),
        };
        self.calls.all.insert(call, made);
        self.take(now, other_page, &to, call, other_video, None);
    }

    pub(super) fn decline(&mut self, now: Duration, page: ConnectionKey, me: &Handle, id: CallId) {
        let known = self.calls.all.get(&id).filter(|call| call.to == *me);
        match known.map(Call::callee) {
            None => self.tell_over(page, me, id),
            // Who has taken it and thinks better of it, before hearing that it is taken.
            Some(Some(callee)) if callee == Some(page) => {
                self.end(now, id, |_| EndReason::HungUp);
            }
            Some(Some(_)) => self.tell_end(page, id, EndReason::AnsweredElsewhere),
            Some(None) => self.end(now, id, |told| {
                if told.is_callee && told.page != page {
                    EndReason::DeclinedElsewhere
                } else {
                    EndReason::Declined
                }
            }),
        }
    }

    pub(super) fn hang_up(&mut self, now: Duration, page: ConnectionKey, me: &Handle, id: CallId) {
        let Some(call) = self.calls.all.get(&id) else {
            if self.claims.get(&page).is_some_and(|claim| claim.call == id) {
                self.claims.remove(&page);
            }
            // It may overtake the call that it ends (F6).
            if let Some(over) = self.calls.why.get(&id) {
                let is_merged = over.reason == EndReason::Merged && over.from == *me;
                self.tell_over(page, me, id);
                if is_merged {
                    self.leave_merged(now, me);
                }
                return;
            }
            if !self.has(HubFault::HangUpForgotten) {
                self.note_end(now, id, me, None, EndReason::Cancelled);
            }
            self.end_claims(me, id);
            return self.tell_unknown(page, id);
        };
        let (is_caller, is_callee) = (call.from == *me, call.to == *me);
        match &call.stage {
            // Also on another socket than before, where it may be the page's first word.
            Stage::Taken { .. } if is_caller || is_callee => {
                let is_its_page = call.caller == Some(page) || call.callee() == Some(Some(page));
                self.end(now, id, |_| EndReason::HungUp);
                if !is_its_page {
                    self.tell_end(page, id, EndReason::HungUp);
                }
            }
            Stage::Taken { .. } => self.tell_unknown(page, id),
            Stage::Asking { .. } | Stage::Ringing { .. } if is_caller => {
                let (to, from, video) = (call.to.clone(), call.from.clone(), call.video);
                let since = call.repeated_since;
                self.note_missed(now, &to, &from, video, since);
                self.end(now, id, |_| EndReason::Cancelled);
            }
            Stage::Asking { .. } | Stage::Ringing { .. } if is_callee => self.decline(now, page, me, id),
            Stage::Asking { .. } | Stage::Ringing { .. } => self.tell_unknown(page, id),
        }
    }

    /// Who hangs up a call that has merged into another one had not heard of that, and wants neither.
    fn leave_merged(&mut self, now: Duration, me: &Handle) {
        if let Some(id) = self.persons.get(me).and_then(|person| person.call)
            && self.calls.is_taken(id)
        {
            self.end(now, id, |_| EndReason::HungUp);
        }
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
                *caller_until = Some(now + CALLER_BACK_WITHIN);
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

    /// Ends a call whose time is over.
    pub(super) fn look_at_call(&mut self, now: Duration, id: CallId) {
        let Some(call) = self.calls.all.get(&id) else {
            return;
        };
        let Some(due) = call.due() else { return };
        if due > now {
            return self.at(due, Timer::Call(id));
        }
        match call.stage {
            Stage::Asking { .. } if self.has(HubFault::AckNotAwaited) => return,
            Stage::Taken { .. } if self.has(HubFault::LostCallKept) => return,
            Stage::Asking { .. } | Stage::Ringing { .. } | Stage::Taken { .. } => {}
        }
        let (from, to, video) = (call.from.clone(), call.to.clone(), call.video);
        let since = call.repeated_since;
        match call.stage {
            Stage::Asking { .. } => {
                self.note_missed(now, &to, &from, video, since);
                self.end(now, id, |told| {
                    if told.is_callee {
                        EndReason::TimedOut
                    } else {
                        EndReason::Unreachable
                    }
                });
            }
            Stage::Ringing { until, .. } => {
                self.note_missed(now, &to, &from, video, since);
                let reason = if until <= now {
                    EndReason::TimedOut
                } else {
                    EndReason::Cancelled
                };
                self.end(now, id, |_| reason);
            }
            Stage::Taken { until, .. } => {
                let reason = until.map_or(EndReason::Lost, |(_, reason)| reason);
                self.end(now, id, |_| reason);
            }
        }
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
