//! A call that is taken: on which page of each of the two, and where each of them is found again.

use core::time::Duration;

use visavis_protocol::limits::{ACK_WITHIN, CALL_WINDOW, RINGS_FOR};
use visavis_protocol::people::{EndReason, PeopleEvent};
use visavis_protocol::{CallId, Handle};

use super::super::super::{ConnectionKey, HubFault};
use super::super::{People, Timer};
use super::{Call, Stage, displaced_word, is_later};

impl People {
    pub(in crate::hub::people) fn accept(
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
    pub(in crate::hub::people) fn callee_is_back(
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
    pub(super) fn take(
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
        // Who calls somebody whom they hear nothing of wants to talk with them.
        if core::mem::take(&mut call.is_unheard) {
            self.persons.entry(me.clone()).or_default().call = Some(id);
        }
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

    /// The new call of two who call each other goes on; the present one merges into it.
    pub(super) fn swap(
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
            is_unheard: false,
            caller: Some(page),
        };
        self.calls.all.insert(call, made);
        self.take(now, other_page, &to, call, other_video, None);
    }

    /// Two who may not have known it of each other know it now.
    pub(super) fn tell_talkers(&mut self, one: &Handle, other: &Handle) {
        for (viewer, person) in [(one, other), (other, one)] {
            let event = PeopleEvent::Presence(self.contact_for(viewer, person));
            self.tell_all(viewer, None, &event);
        }
    }

    /// A page is in a call again that was taken.
    pub(in crate::hub::people) fn came_back(&mut self, id: CallId, page: ConnectionKey) {
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

    /// The page whose call merged into another one did not hear of that: its socket was lost just then.
    pub(super) fn back_in_merged(&mut self, page: ConnectionKey, me: &Handle, with: &Handle) {
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
}
