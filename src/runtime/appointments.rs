//! Appointments as this browser plays them: the desk that is kept over reloads and told of from every page, the
//! client's wait, and the room in which both meet.

use core::cell::{Cell, RefCell};
use core::time::Duration;

use leptos::prelude::*;
use visavis_call_core::{
    Arrival, DeskIntent, DeskView, Intent, Proof, ServerClock, Stage, View, VisitIntent, VisitView,
};
use visavis_protocol::appointment::{Facts, Place};
use visavis_protocol::{AppointmentId, Charter, HostSecret, RoomSecret, text};

use super::Runtime;
use super::engine::{Engine, now};
use super::memory;
use super::store::set_if_changed;
use crate::calendar;
use crate::i18n::words;
use crate::route::{LinkToken, RoomLink, Route, Token};
use crate::web::notify::{self, Notification, Permission};
use crate::web::task::spawn;
use crate::web::text::{fold, normalize};
use crate::web::timer::Interval;
use crate::web::{blob, console, day, file_sink, location, page, random, tone};

/// Who somebody is called of whom nothing better is known: never seen, for both sides say a name.
const SOMEBODY: &str = "?";

/// On which side of an appointment this page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Desk,
    Visit,
}

/// The room of an appointment in which this page is, or to which it is on its way.
#[derive(Clone, Debug)]
struct Meeting {
    link: RoomLink,
    side: Side,
    /// What this page's person is called there.
    name: String,
    /// Whom they meet.
    with: String,
}

/// What the engine knows of appointments beside the core.
#[derive(Default)]
pub(super) struct Appointments {
    meeting: RefCell<Option<Meeting>>,
    /// Whether anybody was seen there.
    has_met: Cell<bool>,
    /// The desk of a link that was opened here and that the server has not taken yet.
    unproven_desk: RefCell<Option<Token>>,
    /// The last arrival that was told.
    told: Cell<u64>,
    /// Gone when somebody looks.
    notification: RefCell<Option<Notification>>,
}

impl Engine {
    /// Sits down again at the desk at which this tab was, and goes on with the appointment in whose room it was.
    pub(super) fn remember_appointments(&self) {
        if memory::is_at_desk()
            && let Some(token) = memory::desk()
        {
            self.open_desk(&token);
        }
        let kept = memory::appointment().and_then(|text| Meeting::from_text(&text));
        let Some(meeting) = kept else { return };
        let is_there = |route: &Route| matches!(route, Route::Room(link) if *link == meeting.link);
        if page::is_reload() && self.store.route.with_untracked(is_there) {
            if meeting.side == Side::Visit
                && let Some(token) = memory::visit()
            {
                self.intend(Intent::Visit(VisitIntent::Open {
                    token: token.as_str().to_owned(),
                }));
            }
            self.appointments.meeting.replace(Some(meeting));
        } else {
            memory::put_appointment(None);
        }
    }

    fn open_desk(&self, token: &Token) {
        let token = token.as_str().to_owned();
        self.intend(Intent::Desk(DeskIntent::Open { token }));
    }

    /// Keeps the desk that was opened: not before, for a link that is none must not take a good one's place.
    fn keep_desk(&self) {
        if let Some(token) = self.appointments.unproven_desk.take() {
            memory::put_desk(Some(&token));
            memory::put_at_desk(true);
        }
    }

    /// Tells who came, and goes where one is expected.
    pub(super) fn follow_appointments(&self, view: &View) {
        if view.stage == Stage::Joined && !view.people.is_empty() && self.is_in_appointment() {
            self.appointments.has_met.set(true);
        }
        if view.desk.proof == Proof::Taken {
            self.keep_desk();
        }
        let told = self.appointments.told.get();
        for arrival in view.desk.arrivals.iter().filter(|arrival| arrival.number > told) {
            self.appointments.told.set(arrival.number);
            self.tell_arrival(arrival);
        }
        if let Some(called) = &view.desk.called_in {
            self.intend(Intent::Desk(DeskIntent::Met));
            // It may be another page of the desk that said where, and another browser's.
            memory::put_appointment_host(&called.place.host);
            self.go_to_meeting(&called.place.link, Side::Desk, &view.desk.name, &called.client);
        }
        if let Some((link, appointment)) = view.visit.enter.as_ref().zip(view.visit.appointment.as_ref()) {
            self.intend(Intent::Visit(VisitIntent::Met));
            memory::put_ready_since(None);
            self.go_to_meeting(
                link,
                Side::Visit,
                &appointment.facts.client,
                &appointment.professional,
            );
        }
    }

    /// Calls for attention, once: all that can be heard and seen from elsewhere.
    fn tell_arrival(&self, arrival: &Arrival) {
        set_if_changed(
            self.store.arrival,
            u32::try_from(arrival.number).unwrap_or(u32::MAX),
        );
        self.add_unread(1);
        let speaker = self.store.speaker.get_untracked();
        spawn(async move {
            if let Err(error) = tone::play_arrival(speaker).await {
                // Nobody has clicked here yet: the page, its title and the notification say it.
                console::debug("arrival not heard", error.name.as_str());
            }
        });
        if page::is_hidden() && notify::permission() == Permission::Granted {
            let words = &words().desk;
            let title = words.is_waiting.fill(&arrival.client);
            let shown = Notification::show("visavis-arrival", &title, "").ok();
            let before = self.appointments.notification.replace(shown);
            drop(before);
        }
    }

    /// Somebody looks again.
    pub(super) fn seen_arrivals(&self) {
        let shown = self.appointments.notification.take();
        drop(shown);
    }

    fn go_to_meeting(&self, link: &str, side: Side, name: &str, with: &str) {
        let Ok(link) = RoomLink::from_path(link, normalize) else {
            console::warn("no room to meet in", String::new());
            return;
        };
        let name = if text::check_name(name).is_ok() {
            name
        } else {
            SOMEBODY
        };
        let meeting = Meeting {
            link: link.clone(),
            side,
            name: name.to_owned(),
            with: with.to_owned(),
        };
        memory::put_appointment(Some(&meeting.to_text()));
        self.appointments.has_met.set(false);
        self.appointments.meeting.replace(Some(meeting));
        self.navigate(&Route::Room(link));
    }

    /// What this page's person is called in the room of an appointment, if that is one.
    pub(super) fn name_in_appointment(&self, link: &RoomLink) -> Option<String> {
        let meeting = self.appointments.meeting.borrow();
        let meeting = meeting.as_ref().filter(|meeting| meeting.link == *link)?;
        Some(meeting.name.clone())
    }

    fn whom_in_appointment(&self, link: &RoomLink) -> Option<String> {
        let meeting = self.appointments.meeting.borrow();
        let meeting = meeting.as_ref().filter(|meeting| meeting.link == *link)?;
        Some(meeting.with.clone())
    }

    /// Leaves the room of an appointment for the page from which one came; whether there was one.
    pub(super) fn leave_appointment(&self) -> bool {
        let meeting = self.appointments.meeting.borrow().clone();
        let Some(meeting) = meeting.filter(|meeting| self.room_is(&meeting.link)) else {
            return false;
        };
        self.forget_appointment();
        self.intend(Intent::HangUp);
        let back = match meeting.side {
            Side::Desk => Route::Desk(LinkToken::Absent),
            Side::Visit => Route::Join(memory::visit().map_or(LinkToken::Absent, LinkToken::Whole)),
        };
        self.navigate_in_place(&back);
        true
    }

    /// The room's link is another one from now on; whether it is that of an appointment.
    pub(super) fn move_appointment(&self, before: &RoomLink, link: &RoomLink) -> bool {
        let mut present = self.appointments.meeting.borrow_mut();
        let Some(meeting) = present.as_mut().filter(|meeting| meeting.link == *before) else {
            return false;
        };
        meeting.link = link.clone();
        memory::put_appointment(Some(&meeting.to_text()));
        true
    }

    /// The room whose page is open is left, whichever way.
    pub(super) fn forget_present_appointment(&self) {
        if self.is_in_appointment() {
            self.forget_appointment();
        }
    }

    /// Whether the room whose page is open is that of an appointment.
    fn is_in_appointment(&self) -> bool {
        let meeting = self.appointments.meeting.borrow();
        meeting
            .as_ref()
            .is_some_and(|meeting| self.room_is(&meeting.link))
    }

    fn forget_appointment(&self) {
        let left = self.appointments.meeting.take();
        let was_visit = left.is_some_and(|meeting| meeting.side == Side::Visit);
        set_if_changed(self.store.has_left_visit, was_visit);
        memory::put_appointment(None);
        memory::put_call_to_return_to(None);
    }

    /// Whether the page is on its way to somebody: their devices are to stay as they are.
    fn is_on_the_way(&self) -> bool {
        self.appointments.meeting.borrow().is_some()
    }
}

impl Meeting {
    /// As it is kept in the tab.
    fn to_text(&self) -> String {
        let side = match self.side {
            Side::Desk => "desk",
            Side::Visit => "visit",
        };
        // Names have no line breaks: both ends check that.
        [side, &self.link.path(), &self.name, &self.with].join("\n")
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut fields = text.splitn(4, '\n');
        let side = match fields.next()? {
            "desk" => Side::Desk,
            "visit" => Side::Visit,
            _ => return None,
        };
        Some(Self {
            side,
            link: RoomLink::from_path(fields.next()?, normalize).ok()?,
            name: fields.next()?.to_owned(),
            with: fields.next()?.to_owned(),
        })
    }
}

/// Where an appointment is to take place: a room that nobody else knows.
fn new_place() -> Option<Place> {
    let secret = RoomSecret::from_bytes(random::bytes().ok()?);
    let host = HostSecret::from_bytes(random::bytes().ok()?);
    // Whoever has the link was let in by the desk already.
    let charter = Charter {
        host: host.host_id(),
        waiting_room: false,
    };
    let link = RoomLink::of_appointment(secret, charter).ok()?;
    Some(Place {
        room: link.room_id(fold),
        link: link.path(),
        host,
    })
}

// The desk
impl Runtime {
    /// The desk at which one is.
    #[must_use]
    pub const fn desk(self) -> Memo<DeskView> {
        self.store.desk
    }

    /// Sits down at the desk of a token, or at the one that this browser remembers; whether there is one.
    pub fn open_desk(self, token: Option<&Token>) -> bool {
        let kept = memory::desk();
        if token.is_none() && kept.is_some() {
            memory::put_at_desk(true);
        }
        let Some(opened) = token.or(kept.as_ref()) else {
            return false;
        };
        self.engine.with_value(|engine| {
            engine.appointments.unproven_desk.replace(token.cloned());
            engine.open_desk(opened);
        });
        true
    }

    /// Gets up from the desk for good, as far as this browser is concerned: the one of a link, or else the one that
    /// is remembered. Another one than that of the link stays.
    pub fn forget_desk(self, token: Option<&Token>) {
        if token.is_none_or(|token| memory::desk().as_ref() == Some(token)) {
            memory::put_desk(None);
            memory::put_at_desk(false);
        }
        self.engine
            .with_value(|engine| _ = engine.appointments.unproven_desk.take());
        self.intend(Intent::Desk(DeskIntent::Close));
        // What is to be forgotten is not to stay in the address either.
        self.engine
            .with_value(|engine| engine.navigate_in_place(&Route::Desk(LinkToken::Absent)));
    }

    /// Makes an appointment, or changes one. Nothing happens in a browser that cannot draw numbers.
    pub fn put_appointment(self, appointment: Option<AppointmentId>, facts: Facts) {
        let drawn = || random::bytes().ok().map(AppointmentId::from_bytes);
        if let Some(appointment) = appointment.or_else(drawn) {
            self.intend(Intent::Desk(DeskIntent::Put { appointment, facts }));
        }
    }

    /// Calls an appointment off.
    pub fn cancel_appointment(self, appointment: AppointmentId) {
        self.intend(Intent::Desk(DeskIntent::Cancel(appointment)));
    }

    /// Asks the client in and goes where both meet.
    pub fn call_in(self, appointment: AppointmentId) {
        if let Some(place) = new_place() {
            self.intend(Intent::Desk(DeskIntent::CallIn { appointment, place }));
        }
    }

    /// The number of the arrival to tell of, 0 for none.
    #[must_use]
    pub fn arrival(self) -> ReadSignal<u32> {
        self.store.arrival.read_only()
    }

    /// Has seen who came.
    pub fn dismiss_arrival(self) {
        set_if_changed(self.store.arrival, 0);
    }

    /// The whole address of a client's link.
    #[must_use]
    pub fn client_link(self, token: &str) -> String {
        [&self.origin(), "/join#", token].concat()
    }

    /// Gives the calendar file of an appointment to the person.
    pub fn save_calendar_file(
        self,
        appointment: AppointmentId,
        facts: &Facts,
        url: &str,
        is_cancelled: bool,
    ) {
        let professional = self.desk().with_untracked(|desk| desk.name.clone());
        let summary = words().visit.with.fill(&professional);
        let description = if facts.note.is_empty() {
            url.to_owned()
        } else {
            [&facts.note, "\n\n", url].concat()
        };
        let host = location::host();
        let event = calendar::Event {
            uid: &[&appointment.to_string(), "@", &host].concat(),
            made: day::now(),
            starts: facts.starts,
            ends: facts.ends(),
            zone: &facts.zone,
            summary: &summary,
            description: &description,
            url,
            is_cancelled,
        };
        let offset = |time: i64| {
            let ms = u64::try_from(time).ok()?.checked_mul(1000)?;
            day::offset_seconds(ms, &facts.zone)
        };
        let file = calendar::file(&event, offset);
        let saved = blob::of_text(&file, "text/calendar;charset=utf-8")
            .and_then(|blob| file_sink::download_blob(&blob, &calendar::file_name(&facts.client)));
        if let Err(error) = saved {
            console::warn("calendar file not saved", error.to_string());
        }
    }
}

// The visit
impl Runtime {
    /// The appointment to which one has a link.
    #[must_use]
    pub const fn visit(self) -> Memo<VisitView> {
        self.store.visit
    }

    /// Looks up the appointment that a token admits to, and goes on waiting where this tab did before it was
    /// loaded anew.
    pub fn open_visit(self, token: &Token) {
        let is_same = memory::visit().as_ref() == Some(token);
        memory::put_visit(Some(token));
        if !is_same {
            memory::put_ready_since(None);
            self.engine
                .with_value(|engine| set_if_changed(engine.store.has_left_visit, false));
        }
        self.intend(Intent::Visit(VisitIntent::Open {
            token: token.as_str().to_owned(),
        }));
        let is_ready = self.visit().with_untracked(|visit| visit.ready.is_some());
        if let Some(since) = memory::ready_since().filter(|_| is_same && !is_ready) {
            let waited = Duration::from_millis(day::now().saturating_sub(since));
            self.intend(Intent::Visit(VisitIntent::Ready { waited }));
        }
    }

    /// Asks for camera and microphone as last chosen, to be looked at while one waits.
    pub fn try_devices(self) {
        self.engine.with_value(|engine| engine.want_devices());
        self.intend(Intent::Visit(VisitIntent::TryDevices(true)));
    }

    /// Lets go of camera and microphone, unless they are for the room in which one is expected.
    pub fn release_devices(self) {
        self.engine.with_value(|engine| {
            if !engine.is_on_the_way() {
                engine.intend(Intent::Visit(VisitIntent::TryDevices(false)));
            }
        });
    }

    /// The page is left: the devices are let go of, unless it is for the room in which one is expected.
    pub fn leave_visit(self) {
        self.engine.try_with_value(|engine| {
            if !engine.is_on_the_way() {
                memory::put_ready_since(None);
                engine.intend(Intent::Visit(VisitIntent::TryDevices(false)));
                engine.intend(Intent::Visit(VisitIntent::Close));
            }
        });
    }

    /// Whether this page comes from the room of its appointment, which its person has left.
    #[must_use]
    pub fn has_left_visit(self) -> ReadSignal<bool> {
        self.store.has_left_visit.read_only()
    }

    /// Waits from now on.
    pub fn be_ready(self) {
        set_if_changed(self.store.has_left_visit, false);
        memory::put_ready_since(Some(day::now()));
        self.intend(Intent::Visit(VisitIntent::Ready {
            waited: Duration::ZERO,
        }));
    }

    /// Waits no longer.
    pub fn stop_waiting(self) {
        memory::put_ready_since(None);
        self.intend(Intent::Visit(VisitIntent::StopWaiting));
    }
}

// Either
impl Runtime {
    /// Whom one meets in a room, if it is that of an appointment.
    #[must_use]
    pub fn appointed(self, link: &RoomLink) -> Option<String> {
        self.engine.with_value(|engine| engine.whom_in_appointment(link))
    }

    /// Whether they were seen there. Follows signals.
    #[must_use]
    pub fn has_met(self, link: &RoomLink) -> bool {
        self.store.people.track();
        self.engine.with_value(|engine| {
            engine.whom_in_appointment(link).is_some() && engine.appointments.has_met.get()
        })
    }

    /// What the server's clock says now; this browser's where it has not told.
    #[must_use]
    pub fn server_now(self, clock: Option<ServerClock>) -> u64 {
        clock.map_or_else(day::now, |clock| clock.now(now()))
    }

    /// Counts up every so often while the calling component is shown, for what grows older.
    #[must_use]
    pub fn beats(self, period: Duration) -> ReadSignal<u32> {
        let count = RwSignal::new(0_u32);
        let interval = Interval::new(period, move || {
            count.try_update(|count| *count = count.wrapping_add(1));
        });
        StoredValue::new_local(interval);
        count.read_only()
    }
}
