//! The ends of calls: who is told which reason, and how long it is known.

use core::time::Duration;

use visavis_protocol::limits::ENDED_CALLS_FOR;
use visavis_protocol::people::{EndReason, PeopleEvent};
use visavis_protocol::{CallId, Handle};

use super::super::super::{ConnectionKey, HubFault};
use super::super::{People, Timer};
use super::{Call, ENDED_CALLS, FORGET_EVERY, Over, Stage, per_minute};

impl People {
    pub(in crate::hub::people) fn decline(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        id: CallId,
    ) {
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

    pub(in crate::hub::people) fn hang_up(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        id: CallId,
    ) {
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
                self.note_unrung(now, id, me, EndReason::Cancelled);
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
    pub(super) fn leave_merged(&mut self, now: Duration, me: &Handle) {
        if let Some(id) = self.persons.get(me).and_then(|person| person.call)
            && self.calls.is_taken(id)
        {
            self.end(now, id, |_| EndReason::HungUp);
        }
    }

    /// Ends a call whose time is over.
    pub(in crate::hub::people) fn look_at_call(&mut self, now: Duration, id: CallId) {
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

    /// Ends a call that rings between somebody and whom they want to hear nothing of.
    pub(in crate::hub::people) fn end_ring_of(&mut self, now: Duration, me: &Handle, other: &Handle) {
        let Some(id) = self.persons.get(me).and_then(|person| person.call) else {
            return;
        };
        let Some(call) = self.calls.all.get(&id) else {
            return;
        };
        let is_theirs = call.from == *other || call.to == *other;
        match call.stage {
            Stage::Taken { .. } => {}
            Stage::Asking { .. } | Stage::Ringing { .. } if !is_theirs => {}
            Stage::Asking { .. } | Stage::Ringing { .. } if call.from == *me => {
                // It rang there like any other that was cancelled.
                let (to, video, since) = (call.to.clone(), call.video, call.repeated_since);
                self.note_missed(now, &to, me, video, since);
                self.end(now, id, |_| EndReason::Cancelled);
            }
            // Nobody told the caller that it rings: it never did. Both sides have a call that nobody took.
            Stage::Asking { .. } => self.end(now, id, |told| match told.is_callee {
                true => EndReason::Cancelled,
                false => EndReason::Unreachable,
            }),
            Stage::Ringing { .. } => self.end(now, id, |_| EndReason::Declined),
        }
    }

    /// Ends whatever call somebody is in, for the other one's sake: they are not to be had any more.
    pub(in crate::hub::people) fn end_call_of(&mut self, now: Duration, handle: &Handle) {
        let Some(id) = self.persons.get(handle).and_then(|person| person.call) else {
            return;
        };
        let reason = match self.calls.is_taken(id) {
            true => EndReason::Lost,
            false => EndReason::Unreachable,
        };
        self.end(now, id, |_| reason);
    }

    /// Ends a call and tells everybody who shows it.
    pub(super) fn end(&mut self, now: Duration, id: CallId, why: impl Fn(Told) -> EndReason) {
        let Some(call) = self.calls.all.remove(&id) else {
            return;
        };
        for handle in [&call.from, &call.to] {
            if let Some(person) = self.persons.get_mut(handle)
                && person.call == Some(id)
            {
                person.call = None;
            }
        }
        let in_it = match call.stage {
            Stage::Asking { .. } | Stage::Ringing { .. } => None,
            Stage::Taken { callee, .. } => Some([call.caller, callee]),
        };
        let mut reason = EndReason::Unknown;
        for (handle, is_callee) in [(&call.to, true), (&call.from, false)] {
            for page in self.pages_of(handle).to_vec() {
                if is_callee && call.is_unheard {
                    continue;
                }
                let shows = in_it.is_none_or(|pages| pages.contains(&Some(page)));
                if shows {
                    self.tell_end(page, id, why(Told { page, is_callee }));
                }
            }
            reason = why(Told {
                page: call.caller.unwrap_or(ConnectionKey(u64::MAX)),
                is_callee,
            });
        }
        self.note_end(now, id, &call.from, Some(&call.to), reason);
        self.look_at(now, &call.from);
        self.look_at(now, &call.to);
        if in_it.is_some() {
            self.tell_parted(&call.from, &call.to);
        }
    }

    /// Ends a call because whom it is for is in another one.
    pub(in crate::hub::people) fn end_as_busy(&mut self, now: Duration, id: CallId) {
        let Some(call) = self.calls.all.get(&id) else {
            return;
        };
        let (from, to, video) = (call.from.clone(), call.to.clone(), call.video);
        let since = call.repeated_since;
        self.note_missed(now, &to, &from, video, since);
        self.end(now, id, |told| match told.is_callee {
            true => EndReason::Cancelled,
            false => EndReason::Busy,
        });
    }

    /// Refuses a call that never rang.
    pub(super) fn refuse_call(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        id: CallId,
        me: &Handle,
        reason: EndReason,
    ) {
        self.tell_end(page, id, reason);
        if !self.calls.all.contains_key(&id) {
            self.note_end(now, id, me, None, reason);
        }
    }

    /// Refuses a call of somebody who is in another one. Nobody hears of it.
    pub(super) fn refuse_engaged(&mut self, now: Duration, page: ConnectionKey, id: CallId, me: &Handle) {
        self.tell_end(page, id, EndReason::InAnotherCall);
        if !self.calls.all.contains_key(&id) {
            self.note_unrung(now, id, me, EndReason::InAnotherCall);
        }
    }

    /// Remembers the end of a call that never rang, as long as somebody has not too many of those: who draws
    /// ids to end must not push out what is known of others' calls.
    pub(super) fn note_unrung(&mut self, now: Duration, id: CallId, me: &Handle, reason: EndReason) {
        let rates = self.calls.rates.entry(me.clone()).or_default();
        if rates.unrung.take(now, per_minute(), 1) {
            self.note_end(now, id, me, None, reason);
        }
    }

    pub(in crate::hub::people) fn note_end(
        &mut self,
        now: Duration,
        id: CallId,
        from: &Handle,
        to: Option<&Handle>,
        reason: EndReason,
    ) {
        if self.calls.ended.len() > ENDED_CALLS {
            self.calls.forget(now);
        }
        self.calls.ended.push_back((now, id));
        let over = Over {
            from: from.clone(),
            to: to.cloned(),
            reason,
        };
        self.calls.why.insert(id, over);
        self.forget_later(now);
    }

    /// Forgets what ended long enough ago.
    pub(in crate::hub::people) fn forget_ended(&mut self, now: Duration) {
        self.calls.will_forget = false;
        self.calls.forget(now);
        self.forget_later(now);
    }

    fn forget_later(&mut self, now: Duration) {
        if self.calls.will_forget {
            return;
        }
        if let Some((at, _)) = self.calls.ended.front() {
            self.calls.will_forget = true;
            self.at((*at + ENDED_CALLS_FOR).max(now + FORGET_EVERY), Timer::Ended);
        }
    }

    pub(in crate::hub::people) fn tell_end(&mut self, page: ConnectionKey, call: CallId, reason: EndReason) {
        self.tell(page, PeopleEvent::Ended { call, reason });
    }

    /// Answers a word about a call that is over, to one of the two whose it was.
    pub(in crate::hub::people) fn tell_over(&mut self, page: ConnectionKey, me: &Handle, id: CallId) {
        let over = self.calls.why.get(&id);
        let reason = match over {
            Some(over) if over.from == *me => over.reason,
            Some(over) if over.to.as_ref() == Some(me) => match over.reason {
                EndReason::Unreachable => EndReason::TimedOut,
                EndReason::Declined => EndReason::DeclinedElsewhere,
                EndReason::Busy
                | EndReason::InAnotherCall
                | EndReason::Cancelled
                | EndReason::TimedOut
                | EndReason::AnsweredElsewhere
                | EndReason::DeclinedElsewhere
                | EndReason::Merged
                | EndReason::Collision
                | EndReason::HungUp
                | EndReason::Lost
                | EndReason::UnknownCall
                | EndReason::Unknown => over.reason,
            },
            Some(_) | None => EndReason::UnknownCall,
        };
        self.tell_end(page, id, reason);
    }

    /// Answers a word about a call that is not, or is somebody else's: the two look the same.
    pub(in crate::hub::people) fn tell_unknown(&mut self, page: ConnectionKey, call: CallId) {
        self.tell_end(page, call, EndReason::UnknownCall);
    }
}

/// A page that is told of an end.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) page: ConnectionKey,
    pub(super) is_callee: bool,
}
