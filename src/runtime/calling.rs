//! A direct call as this browser plays it: it rings, both meet in a room of their own, and the page leaves it
//! when the call is over.

use core::cell::Cell;
use core::time::Duration;
use std::rc::{Rc, Weak};

use leptos::prelude::*;
use visavis_call_core::{
    CallEnd, CallState, CaptureError, CaptureKind, CaptureState, ChatLine, DirectCall, Intent, KeptCall,
    NoConnection, PeopleIntent, View,
};
use visavis_protocol::limits::{CALL_WINDOW, RINGS_FOR};
use visavis_protocol::{Handle, SeatId};

use super::Runtime;
use super::engine::{Engine, now};
use super::memory;
use super::record::{Entry, What};
use crate::i18n::words;
use crate::route::{RoomLink, Route};
use crate::web::lock::{self, Lock};
use crate::web::notify::{self, Notification, Permission};
use crate::web::task::spawn;
use crate::web::tone::Ring;
use crate::web::{console, day, page};

/// Lines of a call that are kept: the last ones.
const LINES: usize = 200;
/// Held by the tab that rings: several at once would be a noise.
const BELL: &str = "visavis.bell";

/// What calls for attention while it rings: gone when it does not.
pub(super) struct Alarm {
    /// The sound, once this tab may make it.
    _bell: Rc<Cell<Option<Bell>>>,
    _notification: Option<Notification>,
}

struct Bell {
    _ring: Ring,
    _lock: Lock,
}

/// The room in which this page meets the other one of a call.
#[derive(Clone, Debug)]
pub(super) struct Meeting {
    link: RoomLink,
    /// The call, to go on with it should the page be loaded anew.
    call: DirectCall,
    /// When it was taken, by the wall's clock.
    began: u64,
    wants_camera: bool,
    wants_microphone: bool,
    /// Whether the microphone was on in it.
    had_microphone: bool,
    /// The other one, once they are there: others may be asked in.
    seat: Option<SeatId>,
}

/// With whom one is in a direct call, for those who show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direct {
    /// Their handle.
    pub with: Handle,
    /// What they are called.
    pub name: String,
    /// Whether the two have been connected.
    pub met: bool,
}

impl Engine {
    /// Rings, meets, leaves and notes, as it stands with the call.
    pub(super) fn follow_call(&self, view: &View) {
        let call = view.others.call.as_ref();
        let before = self.others.call.replace(call.cloned());
        self.check_microphone(view);
        if before.as_ref() == call {
            return;
        }
        self.ring(before.as_ref(), call);
        let is_in = call.filter(|call| matches!(call.state, CallState::InCall { .. }));
        let was_in = self.others.meeting.borrow().is_some();
        match is_in {
            Some(call) if !was_in => self.meet(call),
            None if was_in => self.part(),
            Some(_) | None => {}
        }
        if let Some(call) = call
            && before.as_ref().map(|before| &before.state) != Some(&call.state)
        {
            let own = self.others.has_hung_up.get();
            let entry = Entry::of_call(call, own, now().since(call.since), day::now());
            self.note(entry.into_iter().collect(), |_| {});
            self.read_and_gone(call);
        }
    }

    /// What there is nothing to say of needs no words.
    fn read_and_gone(&self, call: &DirectCall) {
        use visavis_protocol::people::EndReason::{Cancelled, HungUp, Lost};
        let CallState::Over { reason, talked } = call.state else {
            return;
        };
        // The page of the two says how long they talked; and who thought better of it knows.
        let is_plain = matches!(reason, CallEnd::Said(HungUp)) && talked.is_some();
        let is_own = matches!(reason, CallEnd::Said(Cancelled)) && call.outgoing;
        let is_own = is_own || self.others.has_hung_up.take();
        let was_taken = matches!(reason, CallEnd::Said(HungUp | Lost));
        let is_others = !call.outgoing && matches!(reason, CallEnd::Said(_)) && !was_taken;
        if is_plain || is_own || is_others {
            self.intend(Intent::People(PeopleIntent::Dismiss));
        }
    }

    fn ring(&self, before: Option<&DirectCall>, call: Option<&DirectCall>) {
        let rings = |call: &DirectCall| match call.state {
            CallState::Incoming { answered: None } => Some(true),
            CallState::Outgoing { rings: true } => Some(false),
            CallState::Idle
            | CallState::Outgoing { .. }
            | CallState::Incoming { .. }
            | CallState::Elsewhere
            | CallState::InCall { .. }
            | CallState::Over { .. } => None,
        };
        let (was, is) = (before.and_then(rings), call.and_then(rings));
        if was == is {
            return;
        }
        let alarm = call.zip(is).map(|(call, is_incoming)| {
            let title = words().phone.is_calling.fill(&full_name_of(call));
            if is_incoming {
                self.set_title_of_call(Some(title.clone()));
            }
            let wants_notice = is_incoming && page::is_hidden();
            let may = wants_notice && notify::permission() == Permission::Granted;
            let body = if call.video {
                words().phone.video_call
            } else {
                words().phone.audio_call
            };
            Alarm {
                _bell: self.bell(is_incoming),
                _notification: may
                    .then(|| Notification::show("visavis-call", &title, body).ok())
                    .flatten(),
            }
        });
        if alarm.is_none() {
            self.set_title_of_call(None);
        }
        let before = self.others.alarm.replace(alarm);
        drop(before);
    }

    /// The sound, as soon as no other tab of this browser makes it.
    fn bell(&self, is_incoming: bool) -> Rc<Cell<Option<Bell>>> {
        let bell: Rc<Cell<Option<Bell>>> = Rc::default();
        let place: Weak<Cell<Option<Bell>>> = Rc::downgrade(&bell);
        let speaker = self.store.speaker.get_untracked();
        spawn(async move {
            let Some(lock) = lock::claim(BELL, RINGS_FOR).await else {
                return;
            };
            // It may have stopped meanwhile.
            let Some(place) = place.upgrade() else { return };
            let ring = if is_incoming {
                Ring::incoming()
            } else {
                Ring::back()
            };
            let Ok(ring) = ring else { return };
            let started = ring.start(speaker);
            place.set(Some(Bell {
                _ring: ring,
                _lock: lock,
            }));
            let place = Rc::downgrade(&place);
            if let Err(error) = started.await {
                // Nobody has clicked here yet: the page, its title and the notification say it. Another tab may
                // be allowed to ring.
                console::debug("ring not heard", error.name.as_str());
                if let Some(place) = place.upgrade() {
                    drop(place.take());
                }
            }
        });
        bell
    }

    /// Goes to the room of a call that was taken.
    fn meet(&self, call: &DirectCall) {
        let CallState::InCall {
            invite, own_video, ..
        } = &call.state
        else {
            return;
        };
        let Ok(link) = RoomLink::of_call(invite) else {
            return self.intend(Intent::People(PeopleIntent::Fail(CallEnd::NoConnection(
                NoConnection::NoRoom,
            ))));
        };
        let kept = self.kept_call(call);
        let meeting = kept.unwrap_or_else(|| Meeting {
            link: link.clone(),
            call: call.clone(),
            began: day::now(),
            wants_camera: *own_video,
            wants_microphone: true,
            had_microphone: false,
            seat: None,
        });
        self.others.meeting.replace(Some(meeting));
        self.others.has_hung_up.set(false);
        self.keep_call();
        // Whoever closes the page in the midst of it has it in the record all the same.
        self.note(vec![Entry::of_begun(call, day::now())], |_| {});
        self.navigate(&Route::Room(link));
    }

    /// Leaves it.
    fn part(&self) {
        let Some(meeting) = self.others.meeting.take() else {
            return;
        };
        self.note(self.lines_of(&meeting), |_| {});
        memory::put_direct_call(None);
        memory::put_call_to_return_to(None);
        let is_there = |route: &Route| matches!(route, Route::Room(link) if *link == meeting.link);
        if self.store.route.with_untracked(is_there) {
            self.intend(Intent::HangUp);
            self.navigate_in_place(&Route::Contact(meeting.call.with));
        }
    }

    /// What the two wrote to each other in a call, at first hand: what somebody passed on, or somebody else said,
    /// is not kept as theirs.
    fn lines_of(&self, meeting: &Meeting) -> Vec<Entry> {
        let lines = self.with_core(|core| core.chat_lines(0..usize::MAX));
        let is_theirs = |line: &ChatLine| {
            let is_first_hand = line.teller.is_none() && !line.is_disputed && !line.is_before;
            line.is_own || (is_first_hand && Some(line.author) == meeting.seat)
        };
        let now = day::now();
        let kept = lines.into_iter().filter(is_theirs).rev().take(LINES);
        kept.collect::<Vec<_>>()
            .into_iter()
            .rev()
            .map(|line| Entry {
                key: [meeting.call.call.to_text(), line.number.to_string()].join("-"),
                with: meeting.call.with.clone(),
                // Their clock may say anything.
                at: line.time.clamp(meeting.began.min(now), now),
                what: What::Text {
                    own: line.is_own,
                    text: line.text,
                },
            })
            .collect()
    }

    /// A call cannot do without a microphone that its person refuses.
    fn check_microphone(&self, view: &View) {
        let mut present = self.others.meeting.borrow_mut();
        let Some(meeting) = &mut *present else { return };
        if meeting.seat.is_none() {
            meeting.seat = view.people.first().map(|person| person.seat);
        }
        let mut is_news = false;
        match view.me.microphone {
            CaptureState::On { .. } if !meeting.had_microphone => {
                meeting.had_microphone = true;
                is_news = true;
            }
            CaptureState::Failed(CaptureError::NotAllowed | CaptureError::Insecure)
                if !meeting.had_microphone =>
            {
                self.intend(Intent::People(PeopleIntent::Fail(CallEnd::NoMicrophone)));
            }
            CaptureState::On { .. }
            | CaptureState::Off
            | CaptureState::Starting
            | CaptureState::Failed(_) => {}
        }
        drop(present);
        if is_news {
            self.keep_call();
        }
    }

    // Before and after the page is loaded anew

    /// Notes the call for the case that the page is loaded anew.
    fn keep_call(&self) {
        let meeting = self.others.meeting.borrow();
        let text = meeting.as_ref().and_then(Meeting::to_text);
        memory::put_direct_call(text.as_deref());
        memory::put_direct_call_left(day::now());
    }

    /// Goes on with the call in which the page was loaded anew. Not with one that was left a while ago: it is
    /// over, and nobody's camera is to come on for it.
    pub(super) fn return_to_call(&self) {
        let kept = memory::direct_call().and_then(|text| Meeting::from_text(&text));
        let Some(meeting) = kept else { return };
        let is_fresh = day::now().saturating_sub(memory::direct_call_left()) < millis(CALL_WINDOW);
        if !page::is_reload() || !is_fresh {
            memory::put_direct_call(None);
            memory::put_call_to_return_to(None);
            let is_there = |route: &Route| matches!(route, Route::Room(link) if *link == meeting.link);
            if self.store.route.with_untracked(is_there) {
                self.navigate_in_place(&Route::Contact(meeting.call.with));
            }
            return;
        }
        let CallState::InCall { invite, .. } = &meeting.call.state else {
            return;
        };
        let kept = KeptCall {
            call: meeting.call.call,
            with: meeting.call.with.clone(),
            outgoing: meeting.call.outgoing,
            video: meeting.call.video,
            invite: invite.clone(),
            talked: Duration::from_millis(day::now().saturating_sub(meeting.began)),
            name: meeting.call.name.clone(),
        };
        self.others.meeting.replace(Some(meeting));
        self.intend(Intent::People(PeopleIntent::GoOn(kept)));
    }

    fn kept_call(&self, call: &DirectCall) -> Option<Meeting> {
        let meeting = self.others.meeting.borrow();
        meeting
            .as_ref()
            .filter(|meeting| meeting.call.call == call.call)
            .cloned()
    }

    // What others ask

    /// Whether a link is that of the room in which this page is in a call.
    pub(super) fn is_meeting_at(&self, link: &RoomLink) -> bool {
        let meeting = self.others.meeting.borrow();
        meeting.as_ref().is_some_and(|meeting| meeting.link == *link)
    }

    /// What is on in the call whose room is entered; `None` in any other room.
    pub(super) fn wants_in_call(&self, kind: CaptureKind) -> Option<bool> {
        let meeting = self.others.meeting.borrow();
        let meeting = meeting.as_ref()?;
        (self.room_is(&meeting.link)).then_some(match kind {
            CaptureKind::Camera => meeting.wants_camera,
            CaptureKind::Microphone => meeting.wants_microphone,
            CaptureKind::Screen => false,
        })
    }

    /// Notes what is on in a call, which says nothing of the next room; whether there is one.
    pub(super) fn want_in_call(&self, kind: CaptureKind, on: bool) -> bool {
        let mut meeting = self.others.meeting.borrow_mut();
        let Some(present) = meeting.as_mut().filter(|meeting| self.room_is(&meeting.link)) else {
            return false;
        };
        match kind {
            CaptureKind::Camera => present.wants_camera = on,
            CaptureKind::Microphone => present.wants_microphone = on,
            CaptureKind::Screen => {}
        }
        drop(meeting);
        self.keep_call();
        true
    }

    /// Ends the call whose room this page leaves; whether there was one.
    pub(super) fn leave_meeting(&self) -> bool {
        let is_there = {
            let meeting = self.others.meeting.borrow();
            meeting
                .as_ref()
                .is_some_and(|meeting| self.room_is(&meeting.link))
        };
        if is_there {
            // Before another room is entered, whose chat is another one.
            let meeting = self.others.meeting.borrow().clone();
            if let Some(meeting) = meeting {
                self.note(self.lines_of(&meeting), |_| {});
            }
            self.others.has_hung_up.set(true);
            self.intend(Intent::People(PeopleIntent::End));
        }
        is_there
    }

    /// The page goes away, perhaps to be loaded anew.
    pub(super) fn leave_call_for_now(&self) {
        if self.others.meeting.borrow().is_some() {
            memory::put_direct_call_left(day::now());
        }
    }
}

impl Meeting {
    /// As it is kept in the tab.
    fn to_text(&self) -> Option<String> {
        let flag = |is: bool| if is { "1" } else { "0" };
        let secret = self.link.secret_text()?;
        let call = &self.call;
        let flags = [
            flag(call.outgoing),
            flag(call.video),
            flag(self.wants_camera),
            flag(self.wants_microphone),
            flag(self.had_microphone),
        ]
        .concat();
        Some(
            [
                &call.call.to_text(),
                call.with.as_str(),
                &secret,
                &flags,
                &self.began.to_string(),
                call.name.as_deref().unwrap_or_default(),
            ]
            .join("\n"),
        )
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, '\n');
        let mut field = || fields.next();
        let (call, with, secret) = (field()?.parse().ok()?, field()?.parse().ok()?, field()?);
        let (flags, began, name) = (field()?.as_bytes(), field()?.parse().ok()?, field()?);
        let flag = |at: usize| flags.get(at) == Some(&b'1');
        Some(Self {
            link: RoomLink::of_call(secret).ok()?,
            call: DirectCall {
                call,
                with,
                name: (!name.is_empty()).then(|| name.to_owned()),
                outgoing: flag(0),
                video: flag(1),
                since: now(),
                state: CallState::InCall {
                    invite: secret.to_owned(),
                    their_video: false,
                    own_video: flag(2),
                    met: true,
                    since: now(),
                    before: Duration::ZERO,
                },
            },
            began,
            wants_camera: flag(2),
            wants_microphone: flag(3),
            had_microphone: flag(4),
            seat: None,
        })
    }
}

/// What somebody is called, with their handle where that is another one: names prove nothing.
#[must_use]
pub fn full_name_of(call: &DirectCall) -> String {
    match &call.name {
        Some(name) if name != call.with.as_str() => [name, " (", call.with.as_str(), ")"].concat(),
        Some(_) | None => call.with.to_string(),
    }
}

/// What somebody is called.
#[must_use]
pub fn name_of(call: &DirectCall) -> String {
    call.name.clone().unwrap_or_else(|| call.with.to_string())
}

impl Runtime {
    /// With whom one is in a call, if the link is that of its room. Follows signals.
    #[must_use]
    pub fn direct(self, link: &RoomLink) -> Option<Direct> {
        self.others().track();
        let is_there = self.engine.with_value(|engine| engine.is_meeting_at(link));
        is_there.then(|| {
            let call = self.others().with_untracked(|others| others.call.clone());
            call.map(|call| Direct {
                name: full_name_of(&call),
                met: matches!(call.state, CallState::InCall { met: true, .. }),
                with: call.with,
            })
        })?
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
