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
//! callee who has answered says the answer again, and who talks says that; what was hung up or declined
//! without a server is said later. Who waits for an answer waits for [`SERVER_WITHIN`] and then gives up, so that
//! nothing rings for ever (no ghost after [`limits::RINGS_FOR`] and a little).

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::people::{EndReason, PeopleEvent, PeopleRequest};
use visavis_protocol::{CallId, ErrorCode, Handle, limits};

use crate::fault::{Fault, Faults};
use crate::time::{Timestamp, earliest};

/// How long a call waits for a server that is gone or says nothing.
pub(crate) const SERVER_WITHIN: Duration = Duration::from_secs(10);
/// How much longer than the server a page waits for the end of a ring: its word may be on its way.
const GRACE: Duration = Duration::from_secs(3);
/// How long two who are in a call may take to be connected. The ladder of a connection has tried everything
/// twice by then.
pub(crate) const MEET_WITHIN: Duration = Duration::from_secs(30);
/// How much sooner the other side may have given up on the way to each other: both began with the word that the
/// call is taken, which comes to one of them later.
const SOONER: Duration = Duration::from_secs(5);
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
    /// What they call themselves, where they said so.
    pub name: Option<String>,
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
    faults: Faults,
    present: Option<DirectCall>,
    /// What the caller tells who takes the call.
    invite: String,
    /// Drawn for what the person answered here.
    answer: Option<CallId>,
    /// Since when there is no server to talk to, or it owes an answer.
    alone_since: Option<Timestamp>,
    /// Until when the present call rings, as far as this page knows.
    rings_until: Timestamp,
    over: Vec<CallId>,
    /// How this page ended a call, until the server has said how it ended.
    unheard: Option<(CallId, PeopleRequest)>,
    /// Whether the other side has just given up to meet, as this page was about to.
    is_unexplained: bool,
}

impl Machine {
    pub(crate) fn with(faults: Faults) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

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
        self.rings_until = now + limits::RINGS_FOR;
        self.alone_since = Some(now);
        self.say_again(now, out);
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
            name: kept.name,
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

    /// Whether a call is over because the two did not meet, and this page may know why.
    pub(crate) const fn is_unexplained(&self) -> bool {
        self.is_unexplained
    }

    /// Says why the two did not meet; nothing, if they did at the last moment.
    pub(crate) fn explain(&mut self, why: Option<NoConnection>) {
        if core::mem::take(&mut self.is_unexplained)
            && let Some(why) = why
            && let Some(DirectCall {
                state: CallState::Over { reason, talked: None },
                ..
            }) = &mut self.present
        {
            *reason = CallEnd::NoConnection(why);
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
    pub(crate) fn accept(
        &mut self,
        now: Timestamp,
        video: bool,
        answer: CallId,
        out: &mut Vec<PeopleRequest>,
    ) {
        if let Some(call) = &mut self.present
            && let CallState::Incoming { answered } = &mut call.state
            && answered.is_none()
        {
            *answered = Some(video);
            self.answer = Some(answer);
            self.alone_since = Some(now);
            self.say_again(now, out);
        }
    }

    /// The person wants no call, or no longer: declines, cancels, hangs up.
    pub(crate) fn end(&mut self, now: Timestamp, out: &mut Vec<PeopleRequest>) {
        let Some(call) = &self.present else { return };
        let id = call.call;
        let (request, reason) = match call.state {
            CallState::Idle | CallState::Elsewhere | CallState::Over { .. } => return,
            // The server may have heard the answer.
            CallState::Incoming { answered: Some(_) } => {
                (PeopleRequest::HangUp { call: id }, EndReason::Declined)
            }
            CallState::Incoming { answered: None } => {
                (PeopleRequest::Decline { call: id }, EndReason::Declined)
            }
            CallState::Outgoing { .. } => (PeopleRequest::HangUp { call: id }, EndReason::Cancelled),
            CallState::InCall { .. } => (PeopleRequest::HangUp { call: id }, EndReason::HungUp),
        };
        out.push(request.clone());
        self.over(now, CallEnd::Said(reason));
        self.unheard = Some((id, request));
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
        if let Some((_, request)) = &self.unheard {
            out.push(request.clone());
        }
        if self.is_elsewhere() {
            // It is told again where it still rings.
            self.present = None;
        }
        if !self.faults.has(Fault::RingSaidOnce) {
            self.say_again(now, out);
        }
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
                CallState::Outgoing { rings: false } | CallState::Incoming { .. }
            )
        })
    }

    /// Says what the server may not have heard.
    fn say_again(&self, now: Timestamp, out: &mut Vec<PeopleRequest>) {
        let Some(call) = &self.present else { return };
        let id = call.call;
        let left = self.rings_until.since(now);
        match call.state {
            CallState::Outgoing { .. } => out.push(PeopleRequest::Ring {
                call: id,
                to: call.with.clone(),
                video: call.video,
                invite: self.invite.clone(),
                rung_ms: millis(limits::RINGS_FOR.saturating_sub(left)),
            }),
            CallState::Incoming { answered: None } => out.push(PeopleRequest::Ack { call: id }),
            CallState::Incoming {
                answered: Some(video),
            } => out.push(PeopleRequest::Accept {
                call: id,
                video,
                answer: self.answer,
            }),
            CallState::InCall { .. } => out.push(PeopleRequest::Resume {
                call: id,
                with: call.with.clone(),
                outgoing: call.outgoing,
                video: call.video,
                invite: if call.outgoing {
                    self.invite.clone()
                } else {
                    String::new()
                },
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
                rung_ms,
            } => self.incoming(now, (call, from, name, video), rung_ms, out),
            PeopleEvent::Outgoing {
                call,
                to,
                video,
                rung_ms,
            } => self.elsewhere(now, (call, to, video), rung_ms),
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

    fn is_outgoing(&self) -> bool {
        self.present
            .as_ref()
            .is_some_and(|call| matches!(call.state, CallState::Outgoing { .. }))
    }

    fn is_elsewhere(&self) -> bool {
        self.present
            .as_ref()
            .is_some_and(|call| call.state == CallState::Elsewhere)
    }

    fn is_about(&mut self, call: CallId) -> Option<&mut DirectCall> {
        self.present.as_mut().filter(|present| present.call == call)
    }

    fn incoming(
        &mut self,
        now: Timestamp,
        (call, from, name, video): (CallId, Handle, String, bool),
        rung_ms: u64,
        out: &mut Vec<PeopleRequest>,
    ) {
        // What ended here does not ring again, whatever is still on its way (F6).
        if self.over.contains(&call) && !self.faults.has(Fault::EndedCallRings) {
            return;
        }
        if let Some(present) = self.is_about(call)
            && !matches!(present.state, CallState::Over { .. })
        {
            // The server, or its word, came again.
            if present.state == (CallState::Incoming { answered: None }) {
                self.alone_since = None;
            }
            return self.say_again(now, out);
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
        self.rings_until = still_rings(now, rung_ms);
        self.say_again(now, out);
    }

    fn elsewhere(&mut self, now: Timestamp, (call, to, video): (CallId, Handle, bool), rung_ms: u64) {
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
            self.rings_until = still_rings(now, rung_ms);
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
        if let Some(present) = self.is_about(call)
            && let CallState::Over { reason, talked } = &mut present.state
        {
            // It was taken before the server heard that this page gave it up: to the other side, they
            // have talked.
            (*reason, *talked) = (CallEnd::Said(EndReason::HungUp), talked.or(Some(Duration::ZERO)));
            return out.push(PeopleRequest::HangUp { call });
        }
        // What this page ended it does not take for another call with the same person.
        if self.over.contains(&call) {
            return out.push(PeopleRequest::HangUp { call });
        }
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
        let trusts = self.faults.has(Fault::AcceptedTrusted);
        let Some(present) = self
            .present
            .as_mut()
            .filter(|present| is_asked(present) || trusts && present.with == with)
        else {
            return out.push(PeopleRequest::HangUp { call });
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
        let is_merge = reason == EndReason::Merged && !self.faults.has(Fault::MergedIsOver);
        if self.unheard.as_ref().is_some_and(|(ended, _)| *ended == call) {
            self.unheard = None;
        }
        let Some(present) = self.is_about(call) else {
            // Said to all other pages, of the call into which this page's own may merge in a moment.
            let may_follow = reason == EndReason::AnsweredElsewhere && self.is_outgoing();
            if !may_follow {
                self.note_over(call);
            }
            return;
        };
        match (&mut present.state, reason) {
            (
                CallState::Over {
                    reason: known,
                    talked,
                },
                said,
            ) => {
                // What the server says goes for both sides; what only this page knows stays.
                if is_corrected(*known, talked.is_some(), said) {
                    *known = CallEnd::Said(said);
                }
            }
            // The other call of two follows; until then this page calls, though not for long.
            (CallState::Outgoing { .. }, EndReason::Merged) if is_merge => {
                self.alone_since = Some(now);
            }
            // This page's call was answered, and it was on no socket at the time: it hears more on this one.
            (CallState::Outgoing { .. }, EndReason::AnsweredElsewhere) => {}
            // A server that was started anew knows no call: the caller says it again in a moment.
            (CallState::Incoming { .. }, EndReason::UnknownCall) if is_alone => {}
            (CallState::InCall { met, since, .. }, EndReason::HungUp | EndReason::Lost) => {
                let has_given_up = !*met && *since + MEET_WITHIN <= now + SOONER;
                self.over(now, CallEnd::Said(reason));
                self.is_unexplained = has_given_up && reason == EndReason::HungUp;
            }
            // People talk without it.
            (CallState::InCall { .. }, _) => {}
            // Another page took it, and that is over as well.
            (CallState::Incoming { answered: None }, EndReason::HungUp | EndReason::Lost) => {
                self.over(now, CallEnd::Said(EndReason::AnsweredElsewhere));
            }
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
            // Two who were never connected have not talked, whoever took the call.
            CallState::InCall {
                since,
                before,
                met: true,
                ..
            } => Some(before + now.since(since)),
            CallState::InCall { .. }
            | CallState::Idle
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
        if self.faults.has(Fault::RingsForEver) {
            return None;
        }
        match call.state {
            CallState::InCall { .. } => self.meets_until(),
            CallState::Idle | CallState::Over { .. } => None,
            CallState::Outgoing { .. } | CallState::Incoming { .. } | CallState::Elsewhere => earliest(
                Some(self.rings_until + GRACE),
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
        let is_unanswered = matches!(
            self.present.as_ref().map(|call| &call.state),
            Some(CallState::Incoming { answered: None })
        );
        if self.is_elsewhere() || (is_unanswered && is_alone) {
            // Nobody here said anything: it rings on elsewhere, and here again once there is a server.
            self.present = None;
            self.alone_since = None;
        } else if is_unanswered {
            let call = self.present.take().map(|call| call.call);
            call.into_iter().for_each(|call| self.note_over(call));
        } else if is_alone {
            self.fail(now, CallEnd::NoServer, out);
        } else {
            self.fail(now, CallEnd::Said(EndReason::TimedOut), out);
        }
    }
}

/// Until when a call rings that has rung for so long.
fn still_rings(now: Timestamp, rung_ms: u64) -> Timestamp {
    now + limits::RINGS_FOR.saturating_sub(Duration::from_millis(rung_ms))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Whether the server's word is to be shown in place of how this page took a call to have ended.
const fn is_corrected(known: CallEnd, has_talked: bool, said: EndReason) -> bool {
    match known {
        CallEnd::Said(EndReason::Cancelled | EndReason::TimedOut | EndReason::Declined)
        | CallEnd::NoServer => {
            let says_the_same = matches!(
                (known, said),
                (CallEnd::Said(EndReason::Declined), EndReason::DeclinedElsewhere)
            );
            !has_talked && !says_the_same && !matches!(said, EndReason::UnknownCall | EndReason::Unknown)
        }
        // Another page of this person was quicker.
        CallEnd::NoMicrophone => matches!(said, EndReason::AnsweredElsewhere),
        CallEnd::Said(_) | CallEnd::NoConnection(_) | CallEnd::Refused(_) => false,
    }
}
