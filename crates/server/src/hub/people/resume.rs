//! Calls that were taken before this server was started: each side says that it is in one, and once both
//! have, it is known again.
//!
//! Nothing rings for it, and one side alone changes nothing for the other: what it says waits for as long
//! as a call stands without one of its two pages.

use core::time::Duration;

use visavis_protocol::limits::{CALL_WINDOW, INVITE_BYTES};
use visavis_protocol::people::{EndReason, PeopleEvent};
use visavis_protocol::{CallId, ErrorCode, Handle};

use super::super::ConnectionKey;
use super::calls::{Call, is_later};
use super::{People, Timer};

/// What a page says of a call that the hub does not know.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) call: CallId,
    /// With whom; a callee who has just answered does not say.
    pub(super) with: Option<Handle>,
    /// Whether the page's person called.
    pub(super) is_outgoing: bool,
    /// Whether the caller shows themselves, from the caller; else whether the callee does.
    pub(super) video: bool,
    pub(super) invite: String,
}

impl People {
    /// A page says that it is in a call.
    pub(super) fn resume(&mut self, now: Duration, page: ConnectionKey, me: &Handle, claim: Claim) {
        if claim.invite.len() > INVITE_BYTES {
            return self.refuse(page, ErrorCode::BadMessage, "resume_call");
        }
        let id = claim.call;
        if let Some(call) = self.calls.all.get(&id) {
            return if call.from == *me {
                self.repeated(page, me, id);
            } else if call.to == *me {
                self.callee_is_back(now, page, me, id, claim.video);
            } else {
                self.tell_unknown(page, id);
            };
        }
        if let Some(over) = self.calls.why.get(&id) {
            // It has ended, or one of the two hung up before this page said that it is in it.
            let is_theirs =
                [Some(me), claim.with.as_ref()].contains(&Some(&over.from)) || over.to.as_ref() == Some(me);
            return if is_theirs {
                self.tell_end(page, id, EndReason::HungUp);
            } else {
                self.tell_unknown(page, id);
            };
        }
        let is_free = |handle: &Handle| {
            let call = self.persons.get(handle).and_then(|person| person.call);
            call.is_none_or(|call| self.calls.rings_for(call, handle))
        };
        if !is_free(me) || !claim.with.as_ref().is_some_and(is_free) {
            return self.tell_end(page, id, EndReason::Lost);
        }
        // Who talks is busy, also for a call that came before they could say so.
        if let Some(call) = self.persons.get(me).and_then(|person| person.call) {
            self.end_as_busy(now, call);
        }
        self.claim(now, page, me, claim);
    }

    /// A callee takes a call that the hub does not know: the caller may have heard of it from the server
    /// before this one, and says so in a moment.
    pub(super) fn accept_early(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        id: CallId,
        video: bool,
    ) {
        self.tell_over(page, me, id);
        let is_free = self.persons.get(me).is_some_and(|person| person.call.is_none());
        if is_free && !self.calls.why.contains_key(&id) && !self.calls.all.contains_key(&id) {
            let claim = Claim {
                call: id,
                with: None,
                is_outgoing: false,
                video,
                invite: String::new(),
            };
            self.claim(now, page, me, claim);
        }
    }

    fn claim(&mut self, now: Duration, page: ConnectionKey, me: &Handle, claim: Claim) {
        if claim.with.is_some() {
            // The same page said so on another socket: the later one counts, be the other one noticed to
            // be gone or not.
            let is_same = |known: &Claim| {
                known.call == claim.call && known.is_outgoing == claim.is_outgoing && known.with.is_some()
            };
            let known = self
                .pages_of(me)
                .iter()
                .copied()
                .find(|known| *known != page && self.claims.get(known).is_some_and(is_same));
            match known {
                Some(known) if !is_later(&self.persons, me, page, known) => return,
                Some(known) => _ = self.claims.remove(&known),
                None => {}
            }
        }
        // A callee who has just answered does not know who called, until the caller says so.
        let others: Vec<ConnectionKey> = match &claim.with {
            Some(with) => self.pages_of(with).to_vec(),
            None => self.claims.keys().copied().collect(),
        };
        let others = others.into_iter().filter(|other| {
            let is_of = |known: &Claim| {
                let names_me = known.with.as_ref().is_none_or(|with| with == me);
                let is_told = claim.with.is_some() || known.with.is_some();
                known.call == claim.call && known.is_outgoing != claim.is_outgoing && names_me && is_told
            };
            *other != page && self.claims.get(other).is_some_and(is_of)
        });
        // Who is in it comes before who has only just answered.
        let is_early =
            |other: &ConnectionKey| self.claims.get(other).is_some_and(|claim| claim.with.is_none());
        let other = others.min_by_key(is_early);
        if let Some(other) = other
            && let Some(theirs) = self.claims.remove(&other)
            && let Some(them) = self.pages.get(&other).map(|page| page.handle.clone())
        {
            self.claims.remove(&page);
            let mine = (page, me.clone(), claim);
            let theirs = (other, them, theirs);
            let (caller, callee) = if mine.2.is_outgoing {
                (mine, theirs)
            } else {
                (theirs, mine)
            };
            return self.restore(now, caller, callee);
        }
        let (call, due) = (claim.call, now + CALL_WINDOW);
        self.claims.insert(page, claim);
        self.at(due, Timer::Claim(page, call));
    }

    fn restore(
        &mut self,
        now: Duration,
        caller: (ConnectionKey, Handle, Claim),
        callee: (ConnectionKey, Handle, Claim),
    ) {
        let id = caller.2.call;
        let pages = [caller.0, callee.0];
        let is_early = callee.2.with.is_none();
        let name = self.pages.get(&caller.0).map(|page| page.name.clone());
        for handle in [&caller.1, &callee.1] {
            self.persons.entry(handle.clone()).or_default().call = Some(id);
        }
        let call = Call::taken(
            (caller.1.clone(), callee.1.clone()),
            name.unwrap_or_default(),
            (caller.2.video, callee.2.video),
            caller.2.invite,
            pages,
        );
        self.calls.all.insert(id, call);
        if is_early {
            self.came_back(id, callee.0);
        }
        let elsewhere = PeopleEvent::Ended {
            call: id,
            reason: EndReason::AnsweredElsewhere,
        };
        self.tell_all(&callee.1, Some(callee.0), &elsewhere);
        self.look_at(now, &caller.1);
        self.look_at(now, &callee.1);
    }

    /// Whether somebody says that they are in a call, other than this one, that the hub does not know.
    pub(super) fn has_claim(&self, handle: &Handle, but: CallId) -> bool {
        let is_in = |claim: &Claim| claim.with.is_some() && claim.call != but;
        let mut pages = self.pages_of(handle).iter();
        pages.any(|page| self.claims.get(page).is_some_and(is_in))
    }

    /// Whether a callee says that they are in a call that the hub does not know.
    pub(super) fn is_claimed(&self, callee: &Handle, call: CallId) -> bool {
        let is_of = |claim: &Claim| claim.with.is_some() && claim.call == call && !claim.is_outgoing;
        let mut pages = self.pages_of(callee).iter();
        pages.any(|page| self.claims.get(page).is_some_and(is_of))
    }

    /// A caller rings who has not heard that the callee took the call.
    #[expect(clippy::too_many_arguments, reason = "the message's own fields")]
    pub(super) fn resume_as_caller(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        me: &Handle,
        call: CallId,
        to: Handle,
        video: bool,
        invite: String,
    ) {
        let claim = Claim {
            call,
            with: Some(to),
            is_outgoing: true,
            video,
            invite,
        };
        self.claim(now, page, me, claim);
        if self.calls.is_taken(call) {
            self.came_back(call, page);
        }
    }

    /// One side ends a call of which the hub knows at most what the other one said.
    pub(super) fn end_claims(&mut self, me: &Handle, call: CallId) {
        let is_of = |claim: &Claim| claim.call == call && claim.with.as_ref() == Some(me);
        let pages = self.claims.iter().filter(|(_, claim)| is_of(claim));
        let mut pages: Vec<ConnectionKey> = pages.map(|(page, _)| *page).collect();
        pages.sort_unstable();
        for page in pages {
            self.claims.remove(&page);
            self.tell_end(page, call, EndReason::HungUp);
        }
    }

    /// The other side did not come back.
    pub(super) fn give_up_claim(&mut self, page: ConnectionKey, call: CallId) {
        if self.claims.get(&page).is_some_and(|claim| claim.call == call) {
            self.claims.remove(&page);
            if !self.calls.all.contains_key(&call) {
                self.tell_end(page, call, EndReason::Lost);
            }
        }
    }
}
