//! A call on its way: who may call whom, what becomes of two calls that meet, and the pages that show it.

use core::time::Duration;

use visavis_protocol::limits::{ACK_WITHIN, INVITE_BYTES, RING_EVERY, RINGS_FOR};
use visavis_protocol::people::{EndReason, Meeting, PeopleEvent, Present, meet};
use visavis_protocol::{CallId, ErrorCode, Handle};

use super::super::super::{ConnectionKey, HubFault};
use super::super::directory::millis;
use super::super::{People, Timer};
use super::{BACK_WITHIN, Call, Stage, displaced_word, is_later, rung_ms};

impl People {
    #[expect(clippy::too_many_arguments, reason = "the message's own fields")]
    pub(in crate::hub::people) fn ring(
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
                    return self.refuse_engaged(now, page, call, me);
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
            return self.refuse_engaged(now, page, call, me);
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
        let is_absent = is_blocked || self.pages_of(&to).is_empty();
        if is_absent && self.back_until(now, rung).is_none() {
            self.refuse_call(now, page, call, me, EndReason::Unreachable);
            // After the answer, so that what is written down does not show in how long it takes.
            if !is_blocked {
                let since = self.repeated_since(now, rung);
                self.note_missed(now, &to, me, video, since);
            }
            return;
        }
        if !is_absent && self.is_claimed(&to, call) {
            // The callee took it, of which the server before this one told only them.
            return self.resume_as_caller(now, page, me, call, to, video, invite);
        }
        self.begin(now, page, me, call, to, video, invite, rung);
    }

    /// Until when whoever a repeated call is for may still come back: this server was started while it rang,
    /// and it is chance which of the two comes first.
    fn back_until(&self, now: Duration, rung: Duration) -> Option<Duration> {
        let until = self.began.unwrap_or(now) + BACK_WITHIN;
        (!rung.is_zero() && until > now).then_some(until)
    }

    /// When a call began that is repeated, as far as the caller says.
    pub(super) fn repeated_since(&self, now: Duration, rung: Duration) -> Option<u64> {
        // What a page says of its own clock comes after a while.
        (!rung.is_zero()).then(|| millis((self.unix + now).saturating_sub(rung + RING_EVERY)))
    }

    pub(super) fn meeting(&self, known: CallId, call: CallId, from: &Handle, to: &Handle) -> Meeting {
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
    pub(super) fn begin(
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
        let is_unheard = self.directory.has_blocked(&to, me);
        let mut until = now + ACK_WITHIN;
        if is_unheard || self.pages_of(&to).is_empty() {
            until = self.back_until(now, rung).unwrap_or_default().max(until);
        }
        for handle in [me, &to].into_iter().take(if is_unheard { 1 } else { 2 }) {
            let person = self.persons.entry(handle.clone()).or_default();
            person.call = Some(call);
            if person.pages.is_empty() {
                person.gone_since.get_or_insert(now);
            }
        }
        self.at(until, Timer::Call(call));
        let rings_until = now + RINGS_FOR.saturating_sub(rung).max(ACK_WITHIN);
        let incoming = PeopleEvent::Incoming {
            call,
            from: me.clone(),
            name: name.clone(),
            video,
            rung_ms: rung_ms(now, rings_until),
        };
        if !is_unheard {
            self.tell_all(&to, None, &incoming);
        }
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
            is_unheard,
            caller: Some(page),
        };
        self.calls.all.insert(call, made);
    }

    /// The caller says it again: their page or the server was lost for a moment, or a message came twice.
    pub(in crate::hub::people) fn repeated(&mut self, page: ConnectionKey, me: &Handle, id: CallId) {
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

    pub(in crate::hub::people) fn ack(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        id: CallId,
    ) {
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
            let caller_until = call.caller.is_none().then(|| now + BACK_WITHIN);
            call.stage = Stage::Ringing { until, caller_until };
            let from = call.from.clone();
            self.at(
                caller_until.map_or(until, |lost| lost.min(until)),
                Timer::Call(id),
            );
            self.tell_all(&from, None, &PeopleEvent::Ringing { call: id });
        }
    }
}
