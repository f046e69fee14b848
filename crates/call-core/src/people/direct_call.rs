//! One call from person to person, as one page sees it.
//!
//! ```text
//!            Ring                   ringing
//!   Idle ───────────▶ Outgoing ───────────────▶ Outgoing (rings)
//!    │ ▲                 │ accepted                  │ accepted
//!    │ │                 ▼                           ▼
//!    │ └─ended,     InCall ◀──────────────────────────
//!    │   dismissed    ▲
//!    │                │ accepted
//!    └─incoming──▶ Incoming ──answer──▶ Incoming (answered)
//! ```
//! A page that only watches another page of its person is `Elsewhere`. Every end has one [`EndReason`]; the
//! server decides it, but for what only this page can know: that there is no server, that the person
//! refused the microphone, that no connection came about.
//!
//! The server may be gone for a moment at any point. A caller says the same call again when it is back, a
//! callee who has answered says the answer again; both wait for [`SERVER_WITHIN`] and then give up, so that
//! nothing rings for ever (no ghost after [`limits::RINGS_FOR`] and a little).

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::people::{EndReason, PeopleEvent, PeopleRequest};
use visavis_protocol::{CallId, ErrorCode, Handle, limits};

use crate::time::{Timestamp, earliest};

/// How long a call waits for a server that is gone or says nothing.
pub(crate) const SERVER_WITHIN: Duration = Duration::from_secs(10);
/// How much longer than the server a page waits for the end of a ring: its word may be on its way.
const GRACE: Duration = Duration::from_secs(3);
/// How long two who are in a call may take to be connected. The ladder of a connection has tried everything
/// twice by then.
pub(crate) const MEET_WITHIN: Duration = Duration::from_secs(30);
/// Ends that are known, so that late words about them are not heard.
const OVER: usize = 32;

/// How a call stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallState {
    /// There is none.
    Idle,
    /// This page calls.
    Outgoing {
        /// Whether a page of the callee shows it.
        rings: bool,
    },
    /// Somebody calls.
    Incoming {
        /// What the person answered here, if they did: whether with their picture.
        answered: Option<bool>,
    },
    /// Another page of this person calls.
    Elsewhere,
    /// It was taken, on this page.
    InCall {
        /// Where to meet.
        invite: String,
        /// Whether the other one shows themselves from the start.
        their_video: bool,
        /// Whether this person does.
        own_video: bool,
        /// Whether the two have been connected.
        met: bool,
        /// Since when.
        since: Timestamp,
        /// How long before that, on a page that was loaded anew.
        before: Duration,
    },
    /// It is over, and the person may read why.
    Over {
        /// Why.
        reason: CallEnd,
        /// How long they talked.
        talked: Option<Duration>,
    },
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallEnd {
    /// The server's word.
    Said(EndReason),
    /// There is no server.
    NoServer,
    /// No connection came about.
    NoConnection(NoConnection),
    /// This page lacks what a call needs: the person refused the microphone, or there is none.
    NoMicrophone,
    /// The server refused to ring: too often, or oneself.
    Refused(ErrorCode),
}

/// Why no connection came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoConnection {
    /// The room of the call could not be entered.
    NoRoom,
    /// The other one never came there.
    NobodyCame,
    /// Both were there, and no way between them was found.
    NoWay {
        /// Whether this site has a relay, where it said.
        relay: Option<bool>,
    },
}

/// A call that was under way when the page was loaded anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCall {
    /// Which.
    pub call: CallId,
    /// With whom.
    pub with: Handle,
    /// Whether this side called.
    pub outgoing: bool,
    /// Whether the caller shows themselves.
    pub video: bool,
    /// Where to meet.
    pub invite: String,
    /// How long it has been under way.
    pub talked: Duration,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectCall {
    /// Which.
    pub call: CallId,
    /// With whom.
    pub with: Handle,
    /// What they call themselves, where they said so.
    pub name: Option<String>,
    /// Whether this side called.
    pub outgoing: bool,
    /// Whether the caller shows themselves.
    pub video: bool,
    /// Since when it is known here.
    pub since: Timestamp,
    /// How it stands.
    pub state: CallState,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    present: Option<DirectCall>,
    /// What the caller tells who takes the call.
    invite: String,
    /// Since when there is no server to talk to, or it owes an answer.
    alone_since: Option<Timestamp>,
    over: Vec<CallId>,
}

impl Machine {
    pub(crate) const fn present(&self) -> Option<&DirectCall> {
        self.present.as_ref()
    }

    /// Whether a call rings or is under way, so that another one cannot begin.
    pub(crate) fn is_busy(&self) -> bool {
        self.present
            .as_ref()
            .is_some_and(|call| !matches!(call.state, CallState::Over { .. }))
    }

    /// The person calls somebody.
    pub(crate) fn ring(
        &mut self,
        now: Timestamp,
        call: CallId,
        to: Handle,
        video: bool,
        invite: String,
        out: &mut Vec<PeopleRequest>,
    ) {
        if self.is_busy() {
            return;
        }
        self.present = Some(DirectCall {
            call,
            with: to,
            name: None,
            outgoing: true,
            video,
            since: now,
            state: CallState::Outgoing { rings: false },
        });
        self.invite = invite;
        self.alone_since = Some(now);
        self.say_again(out);
    }

    /// The page was loaded anew in a call: it goes on.
    pub(crate) fn go_on(&mut self, now: Timestamp, kept: KeptCall) {
        if self.present.is_some() {
            return;
        }
        self.invite.clone_from(&kept.invite);
        self.present = Some(DirectCall {
            call: kept.call,
            with: kept.with,
            name: None,
            outgoing: kept.outgoing,
            video: kept.video,
            since: now,
            state: CallState::InCall {
                invite: kept.invite,
                their_video: false,
                own_video: false,
                // They may be a while in coming back, too.
                met: true,
                since: now,
                before: kept.talked,
            },
        });
        self.alone_since = Some(now);
    }

    /// The two are connected.
    pub(crate) fn meet(&mut self) {
        if let Some(DirectCall {
            state: CallState::InCall { met, .. },
            ..
        }) = &mut self.present
        {
            *met = true;
        }
    }

    /// Since when the two are on their way to each other.
    fn meets_until(&self) -> Option<Timestamp> {
        match self.present.as_ref()?.state {
            CallState::InCall {
                met: false, since, ..
            } => Some(since + MEET_WITHIN),
            CallState::InCall { .. }
            | CallState::Idle
            | CallState::Outgoing { .. }
            | CallState::Incoming { .. }
            | CallState::Elsewhere
            | CallState::Over { .. } => None,
        }
    }

    /// Whether the two are on their way to each other.
    pub(crate) fn is_meeting(&self) -> bool {
        self.meets_until().is_some()
    }

    /// Whether the two should have been connected by now.
    pub(crate) fn has_missed(&self, now: Timestamp) -> bool {
        self.meets_until().is_some_and(|until| until <= now)
    }

    /// The person takes the call, with their picture or without.
    pub(crate) fn accept(&mut self, now: Timestamp, video: bool, out: &mut Vec<PeopleRequest>) {
        if let Some(call) = &mut self.present
            && let CallState::Incoming { answered } = &mut call.state
            && answered.is_none()
        {
            *answered = Some(video);
            self.alone_since = Some(now);
            self.say_again(out);
        }
    }

    /// The person wants no call, or no longer: declines, cancels, hangs up.
    pub(crate) fn end(&mut self, now: Timestamp, out: &mut Vec<PeopleRequest>) {
        let Some(call) = &self.present else { return };
        let id = call.call;
        let (request, reason) = match call.state {
            CallState::Idle | CallState::Elsewhere | CallState::Over { .. } => return,
            CallState::Incoming { .. } => (PeopleRequest::Decline { call: id }, EndReason::Declined),
            CallState::Outgoing { .. } => (PeopleRequest::HangUp { call: id }, EndReason::Cancelled),
            CallState::InCall { .. } => (PeopleRequest::HangUp { call: id }, EndReason::HungUp),
        };
        out.push(request);
        self.over(now, CallEnd::Said(reason));
    }

    /// What this page alone knows makes the call impossible.
    pub(crate) fn fail(&mut self, now: Timestamp, why: CallEnd, out: &mut Vec<PeopleRequest>) {
        if self.is_busy() {
            let before = self.present.clone();
            self.end(now, out);
            if let (Some(call), Some(before)) = (&mut self.present, before)
                && call.call == before.call
                && let CallState::Over { reason, .. } = &mut call.state
            {
                *reason = why;
            }
        }
    }

    /// The person has read why it is over.
    pub(crate) fn dismiss(&mut self) {
        if !self.is_busy() {
            self.present = None;
        }
    }

    /// There is a server again, and it knows who we are.
    pub(crate) fn signed_in(&mut self, now: Timestamp, out: &mut Vec<PeopleRequest>) {
        if self.is_waiting() {
            self.alone_since = Some(now);
        } else {
            self.alone_since = None;
        }
        self.say_again(out);
    }

    /// There is no server to talk to.
    pub(crate) fn alone(&mut self, now: Timestamp) {
        self.alone_since.get_or_insert(now);
    }

    /// Whether the server owes a word.
    fn is_waiting(&self) -> bool {
        self.present.as_ref().is_some_and(|call| {
            matches!(
                call.state,
                CallState::Outgoing { rings: false } | CallState::Incoming { answered: Some(_) }
            )
        })
    }

    /// Says what the server may not have heard.
    fn say_again(&self, out: &mut Vec<PeopleRequest>) {
        let Some(call) = &self.present else { return };
        let id = call.call;
        let ring = || PeopleRequest::Ring {
            call: id,
            to: call.with.clone(),
            video: call.video,
            invite: self.invite.clone(),
        };
        match call.state {
            CallState::Outgoing { .. } => out.push(ring()),
            CallState::InCall { .. } if call.outgoing => out.push(ring()),
            CallState::Incoming { answered: None } => out.push(PeopleRequest::Ack { call: id }),
            CallState::Incoming {
                answered: Some(video),
            } => out.push(PeopleRequest::Accept { call: id, video }),
            CallState::InCall { .. } => out.push(PeopleRequest::Accept {
                call: id,
                video: false,
            }),
            CallState::Idle | CallState::Elsewhere | CallState::Over { .. } => {}
        }
    }

    /// The server wrote something about calls.
    pub(crate) fn handle(&mut self, now: Timestamp, event: PeopleEvent, out: &mut Vec<PeopleRequest>) {
        match event {
            PeopleEvent::Incoming {
                call,
                from,
                name,
                video,
            } => self.incoming(now, (call, from, name, video), out),
            PeopleEvent::Outgoing { call, to, video } => self.elsewhere(now, call, to, video),
            PeopleEvent::Ringing { call } => {
                if let Some(present) = self.is_about(call)
                    && let CallState::Outgoing { rings } = &mut present.state
                {
                    *rings = true;
                    self.alone_since = None;
                }
            }
            PeopleEvent::Accepted {
                call,
                with,
                video,
                invite,
            } => self.accepted(now, call, with, video, invite, out),
            PeopleEvent::Ended { call, reason } => self.ended(now, call, reason),
            PeopleEvent::Challenge { .. }
            | PeopleEvent::SignedIn { .. }
            | PeopleEvent::SignedOut {}
            | PeopleEvent::Code { .. }
            | PeopleEvent::Contacts { .. }
            | PeopleEvent::Presence(_)
            | PeopleEvent::Missed(_) => {}
        }
    }

    fn is_about(&mut self, call: CallId) -> Option<&mut DirectCall> {
        self.present.as_mut().filter(|present| present.call == call)
    }

    fn incoming(
        &mut self,
        now: Timestamp,
        (call, from, name, video): (CallId, Handle, String, bool),
        out: &mut Vec<PeopleRequest>,
    ) {
        // What ended here does not ring again, whatever is still on its way (F6).
        if self.over.contains(&call) {
            return;
        }
        if self.is_about(call).is_some() {
            // The server, or its word, came again.
            return self.say_again(out);
        }
        if self.is_busy() {
            return;
        }
        self.present = Some(DirectCall {
            call,
            with: from,
            name: Some(name),
            outgoing: false,
            video,
            since: now,
            state: CallState::Incoming { answered: None },
        });
        self.alone_since = None;
        self.say_again(out);
    }

    fn elsewhere(&mut self, now: Timestamp, call: CallId, to: Handle, video: bool) {
        if !self.is_busy() && !self.over.contains(&call) {
            self.present = Some(DirectCall {
                call,
                with: to,
                name: None,
                outgoing: true,
                video,
                since: now,
                state: CallState::Elsewhere,
            });
        }
    }

    /// It was taken: the present call, or the one of two that goes on where both called.
    fn accepted(
        &mut self,
        now: Timestamp,
        call: CallId,
        with: Handle,
        video: bool,
        invite: String,
        out: &mut Vec<PeopleRequest>,
    ) {
        let is_asked = |present: &DirectCall| {
            let has_asked = match present.state {
                CallState::Outgoing { .. } | CallState::Incoming { answered: Some(_) } => true,
                CallState::InCall { .. } => present.call == call,
                CallState::Idle
                | CallState::Elsewhere
                | CallState::Incoming { answered: None }
                | CallState::Over { .. } => false,
            };
            // No call without both having asked for it or taken it: this side did so with that person.
            has_asked && present.with == with
        };
        let Some(present) = self.present.as_mut().filter(|present| is_asked(present)) else {
            if !self.over.contains(&call) {
                out.push(PeopleRequest::HangUp { call });
            }
            return;
        };
        self.alone_since = None;
        if matches!(present.state, CallState::InCall { .. }) {
            return;
        }
        let own_video = match present.state {
            CallState::Incoming { answered } => answered == Some(true),
            CallState::Outgoing { .. } => present.video,
            CallState::Idle | CallState::Elsewhere | CallState::InCall { .. } | CallState::Over { .. } => {
                false
            }
        };
        present.outgoing = present.outgoing && present.call == call;
        present.call = call;
        present.state = CallState::InCall {
            invite,
            their_video: video,
            own_video,
            met: false,
            since: now,
            before: Duration::ZERO,
        };
    }

    fn ended(&mut self, now: Timestamp, call: CallId, reason: EndReason) {
        let is_alone = self.alone_since.is_some();
        let Some(present) = self.is_about(call) else {
            return self.note_over(call);
        };
        match (&present.state, reason) {
            // It is over here already, for a reason that this page knows better.
            (CallState::Over { .. }, _) => {}
            // The other call of two follows; until then this page calls.
            (CallState::Outgoing { .. }, EndReason::Merged) => {}
            // A server that was started anew knows no call: the caller says it again in a moment.
            (CallState::Incoming { .. }, EndReason::UnknownCall) if is_alone => {}
            // People talk without it.
            (
                CallState::InCall { .. },
                EndReason::UnknownCall | EndReason::AnsweredElsewhere | EndReason::Busy,
            ) => {}
            (CallState::Elsewhere, _) => {
                self.present = None;
                self.note_over(call);
            }
            _ => self.over(now, CallEnd::Said(reason)),
        }
    }

    fn over(&mut self, now: Timestamp, reason: CallEnd) {
        let Some(present) = &mut self.present else { return };
        let talked = match present.state {
            CallState::InCall { since, before, .. } => Some(before + now.since(since)),
            CallState::Idle
            | CallState::Outgoing { .. }
            | CallState::Incoming { .. }
            | CallState::Elsewhere
            | CallState::Over { .. } => None,
        };
        let call = present.call;
        present.state = CallState::Over { reason, talked };
        self.alone_since = None;
        self.note_over(call);
    }

    fn note_over(&mut self, call: CallId) {
        if !self.over.contains(&call) {
            if self.over.len() >= OVER {
                self.over.remove(0);
            }
            self.over.push(call);
        }
    }

    /// When it is to be looked at again.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let call = self.present.as_ref()?;
        match call.state {
            CallState::InCall { .. } => self.meets_until(),
            CallState::Idle | CallState::Over { .. } => None,
            CallState::Outgoing { .. } | CallState::Incoming { .. } | CallState::Elsewhere => earliest(
                Some(call.since + limits::RINGS_FOR + GRACE),
                self.alone_since.map(|since| since + SERVER_WITHIN),
            ),
        }
    }

    pub(crate) fn handle_tick(&mut self, now: Timestamp, out: &mut Vec<PeopleRequest>) {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        // Why these two did not meet the core knows: see [`Machine::has_missed`].
        if self.has_missed(now) {
            return;
        }
        let is_alone = self.alone_since.is_some_and(|since| since + SERVER_WITHIN <= now);
        let is_elsewhere = matches!(
            self.present.as_ref().map(|call| &call.state),
            Some(CallState::Elsewhere)
        );
        if is_elsewhere {
            self.present = None;
        } else if is_alone {
            self.fail(now, CallEnd::NoServer, out);
        } else {
            self.fail(now, CallEnd::Said(EndReason::TimedOut), out);
        }
    }
}
