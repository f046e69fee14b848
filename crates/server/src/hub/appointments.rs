//! Appointments: desks, who waits for them, and how far each appointment is.
//!
//! ```text
//! Planned ──ready──▶ Waiting ──call_in──▶ CalledIn ──somebody sits──▶ InCall ──both were there, all left──▶ Done
//!    │                  │  ▲ socket lost      │                          ▲                                    │
//!    │                  └──┘ within a window  └──────────────────────────┼────────────── call_in again ───────┘
//!    └──────────────── cancel ──▶ Cancelled          its time is over ──▶ Done
//! ```
//! Only the server's clock counts. What must outlast the server is written down before anybody is told;
//! who waits is not: their page says so again, with how long it has been.

mod desk;
mod kept;
mod visit;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use visavis_protocol::appointment::{DeskEvent, DeskStatus, Entry, VisitEvent, VisitState};
use visavis_protocol::{AppointmentId, Charter, DeskId, ErrorCode, RoomId, limits};

use super::ConnectionKey;
use super::link::{Links, VisitClaims};
use super::people::Change;
use super::rate::Bucket;
use super::room::RoomKey;
use kept::millis;
pub use kept::{Booking, Kept, KeptAppointment, Progress};

/// What a hub needs to know of appointments.
#[derive(Clone, Debug)]
pub struct AppointmentsConfig {
    /// Signs and reads links.
    pub links: Links,
    /// What was written down.
    pub kept: Kept,
}

/// How long after its last page is gone a desk still counts as open: a page is loaded anew in less.
const DESK_CLOSES_AFTER: Duration = Duration::from_secs(3);
/// Appointments of one desk, those included that are past and whose links still say so.
const IN_ALL_PER_DESK: usize = 20 * limits::APPOINTMENTS_PER_DESK;
/// How often an appointment that is long past is looked at while somebody still sits in its room.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(60);
/// A clock that was put right by more than this changes what is due.
const CLOCK_JUMPS: Duration = Duration::from_secs(1);

/// What is to be told or written down, in order.
pub(super) enum Word {
    Desk(ConnectionKey, DeskEvent),
    Visit(ConnectionKey, VisitEvent),
    /// A refusal; and whether no honest page would have asked.
    Refuse(ConnectionKey, ErrorCode, &'static str, bool),
    Store(Change),
}

/// One page of a desk.
struct Page {
    connection: ConnectionKey,
    is_hidden: bool,
    /// Whether the professional sits there: they may say that they do not.
    is_present: bool,
    /// Counts up with each page that is opened or looked at: the highest was looked at last.
    seen: u64,
}

struct Desk {
    name: String,
    /// At most [`limits::PAGES_PER_DESK`].
    pages: Vec<Page>,
    appointments: BTreeSet<AppointmentId>,
    /// Until when it counts as open after its last page is gone.
    open_until: Option<Duration>,
    /// What clients were told.
    was_open: bool,
}

impl Desk {
    fn is_open(&self, now: Duration) -> bool {
        self.pages.iter().any(|page| page.is_present) || self.open_until.is_some_and(|until| now < until)
    }

    /// The page that calls the professional's attention: of those that can be seen the one looked at last.
    fn attentive(&self) -> Option<ConnectionKey> {
        let page = self
            .pages
            .iter()
            .filter(|page| page.is_present)
            .max_by_key(|page| (!page.is_hidden, page.seen))?;
        Some(page.connection)
    }
}

/// A client in the waiting room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    /// Milliseconds since 1970.
    since: u64,
    /// Where their page cannot be reached: until when they count as waiting all the same.
    until: Option<Duration>,
    /// Whether a page of the desk has called the professional's attention to it.
    is_told: bool,
}

struct Appointment {
    kept: KeptAppointment,
    /// The client's page, if one is open.
    page: Option<ConnectionKey>,
    waiting: Option<Waiting>,
    /// Seats taken in its room. A host's id may stand in other rooms' ids as well, such as the one that the room had
    /// before somebody was removed: those who sit there are no reason to take a call for ended.
    rooms: BTreeMap<RoomKey, usize>,
    /// How often what the client does may concern the desk.
    pace: Bucket,
    told_desk: Option<DeskStatus>,
    told_visit: Option<VisitState>,
    due: Option<Duration>,
}

impl Appointment {
    /// Seats taken where it takes place.
    fn seats(&self) -> usize {
        self.rooms.values().sum()
    }
}

/// What one socket has proved.
#[derive(Clone, Copy, Default)]
struct Site {
    desk: Option<DeskId>,
    visit: Option<AppointmentId>,
}

/// See the [module](self).
pub(super) struct Appointments {
    links: Links,
    /// The time since 1970 when the hub's count was zero, in milliseconds.
    epoch_ms: i128,
    desks: BTreeMap<DeskId, Desk>,
    appointments: BTreeMap<AppointmentId, Appointment>,
    /// Which appointment a room belongs to.
    rooms: BTreeMap<RoomOf, AppointmentId>,
    sites: BTreeMap<ConnectionKey, Site>,
    due: BTreeSet<(Duration, AppointmentId)>,
    desks_due: BTreeSet<(Duration, DeskId)>,
    seen: u64,
    words: VecDeque<Word>,
}

/// By what a room is known however often its id changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RoomOf {
    Host([u8; 16]),
    Id(RoomId),
}

impl RoomOf {
    fn new(room: &RoomId) -> Self {
        match room.charter() {
            Some(Charter { host, .. }) => Self::Host(*host.as_bytes()),
            None => Self::Id(room.clone()),
        }
    }
}

impl Appointments {
    pub(super) fn new(config: AppointmentsConfig, unix: Duration) -> Self {
        let mut this = Self {
            links: config.links,
            epoch_ms: i128::from(millis(unix)),
            desks: BTreeMap::new(),
            appointments: BTreeMap::new(),
            rooms: BTreeMap::new(),
            sites: BTreeMap::new(),
            due: BTreeSet::new(),
            desks_due: BTreeSet::new(),
            seen: 0,
            words: VecDeque::new(),
        };
        for (desk, name) in config.kept.desks {
            this.desk_or_new(desk, name);
        }
        for kept in config.kept.appointments {
            let id = kept.appointment;
            if let Some(desk) = this.desks.get_mut(&kept.desk) {
                desk.appointments.insert(id);
                this.insert(kept);
                this.schedule(Duration::ZERO, id);
            }
        }
        this
    }

    pub(super) fn poll_word(&mut self) -> Option<Word> {
        self.words.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let first = self.due.first().map(|(due, _)| *due);
        let desk = self.desks_due.first().map(|(due, _)| *due);
        match (first, desk) {
            (Some(first), Some(desk)) => Some(first.min(desk)),
            (first, desk) => first.or(desk),
        }
    }

    /// The machine's clock says something else than the count since the start.
    pub(super) fn set_clock(&mut self, now: Duration, unix: Duration) {
        let epoch = i128::from(millis(unix)) - i128::from(millis(now));
        let jumped = epoch.abs_diff(self.epoch_ms) > CLOCK_JUMPS.as_millis();
        if jumped {
            self.epoch_ms = epoch;
            let all: Vec<AppointmentId> = self.appointments.keys().copied().collect();
            for id in all {
                self.look(now, id);
            }
        }
    }

    /// Milliseconds since 1970.
    fn unix_ms(&self, now: Duration) -> u64 {
        u64::try_from(self.epoch_ms + i128::from(millis(now))).unwrap_or_default()
    }

    fn unix(&self, now: Duration) -> Duration {
        Duration::from_millis(self.unix_ms(now))
    }

    /// The hub's count at a time since 1970.
    fn count_at(&self, unix_ms: u64) -> Duration {
        let count = i128::from(unix_ms) - self.epoch_ms;
        Duration::from_millis(u64::try_from(count).unwrap_or_default())
    }

    fn desk_or_new(&mut self, desk: DeskId, name: String) -> &mut Desk {
        self.desks.entry(desk).or_insert_with(|| Desk {
            name,
            pages: Vec::new(),
            appointments: BTreeSet::new(),
            open_until: None,
            was_open: false,
        })
    }

    fn insert(&mut self, kept: KeptAppointment) {
        if let Some(place) = &kept.place {
            self.rooms.insert(RoomOf::new(&place.room), kept.appointment);
        }
        let appointment = Appointment {
            page: None,
            waiting: None,
            rooms: BTreeMap::new(),
            pace: Bucket::default(),
            told_desk: None,
            told_visit: None,
            due: None,
            kept,
        };
        self.appointments
            .insert(appointment.kept.appointment, appointment);
    }

    fn store(&mut self, booking: Booking) {
        self.words.push_back(Word::Store(Change::Booking(booking)));
    }

    /// Writes an appointment down as it is now.
    fn keep(&mut self, id: AppointmentId) {
        if let Some(appointment) = self.appointments.get(&id) {
            let kept = Box::new(appointment.kept.clone());
            self.store(Booking::Appointment(kept));
        }
    }

    // How far an appointment is

    fn status(&self, now: Duration, appointment: &Appointment) -> DeskStatus {
        let progress = appointment.kept.progress;
        if progress.is_cancelled {
            return DeskStatus::Cancelled {};
        }
        if appointment.seats() > 0 {
            return DeskStatus::InCall {};
        }
        if progress.is_done || self.unix_ms(now) >= appointment.kept.closes() {
            return DeskStatus::Done {};
        }
        if progress.is_called {
            return DeskStatus::CalledIn {};
        }
        appointment
            .waiting
            .map_or(DeskStatus::Planned {}, |waiting| DeskStatus::Waiting {
                since: waiting.since,
                away: waiting.until.is_some(),
            })
    }

    fn state(&self, now: Duration, appointment: &Appointment) -> VisitState {
        let kept = &appointment.kept;
        let time = self.unix_ms(now);
        if kept.progress.is_cancelled {
            return VisitState::Cancelled {};
        }
        if kept.progress.is_done {
            return VisitState::Over {};
        }
        if let Some(place) = kept.place.as_ref().filter(|_| kept.progress.is_called)
            && (time < kept.closes() || appointment.seats() > 0)
        {
            return VisitState::CalledIn {
                link: place.link.clone(),
            };
        }
        if time >= kept.closes() {
            return VisitState::Late {};
        }
        if let Some(waiting) = appointment.waiting {
            return VisitState::Waiting { since: waiting.since };
        }
        if time < kept.opens() {
            return VisitState::Early { opens: kept.opens() };
        }
        VisitState::Open {}
    }

    fn entry(&self, now: Duration, appointment: &Appointment) -> Entry {
        let kept = &appointment.kept;
        Entry {
            appointment: kept.appointment,
            facts: kept.facts.clone(),
            status: self.status(now, appointment),
            token: self.links.0.sign_visit(&VisitClaims {
                appointment: kept.appointment,
                number: kept.number,
                expires: kept.expires,
            }),
        }
    }

    fn visit_event(&self, now: Duration, appointment: &Appointment) -> VisitEvent {
        let desk = self.desks.get(&appointment.kept.desk);
        VisitEvent::Appointment {
            professional: desk.map(|desk| desk.name.clone()).unwrap_or_default(),
            facts: appointment.kept.facts.clone(),
            now: self.unix_ms(now),
            desk_open: desk.is_some_and(|desk| desk.is_open(now)),
            state: self.state(now, appointment),
        }
    }

    /// Tells everybody whom it concerns how an appointment stands. `alert` is for one page of the desk.
    fn tell(&mut self, now: Duration, id: AppointmentId, alert: bool) {
        self.tell_desk(now, id, alert);
        self.tell_visit(now, id);
        self.schedule(now, id);
    }

    fn tell_desk(&mut self, now: Duration, id: AppointmentId, alert: bool) {
        let Some(appointment) = self.appointments.get(&id) else {
            return;
        };
        let status = self.status(now, appointment);
        let Some(desk) = self.desks.get(&appointment.kept.desk) else {
            return;
        };
        if !desk.pages.is_empty() {
            let entry = self.entry(now, appointment);
            let attentive = desk.attentive().filter(|_| alert);
            let pages: Vec<ConnectionKey> = desk.pages.iter().map(|page| page.connection).collect();
            for page in pages {
                let event = DeskEvent::Entry {
                    entry: entry.clone(),
                    alert: attentive == Some(page),
                };
                self.words.push_back(Word::Desk(page, event));
            }
        }
        let is_told = alert && desk.attentive().is_some();
        if let Some(appointment) = self.appointments.get_mut(&id) {
            appointment.told_desk = Some(status);
            if let Some(waiting) = &mut appointment.waiting {
                waiting.is_told |= is_told;
            }
        }
    }

    fn tell_visit(&mut self, now: Duration, id: AppointmentId) {
        let Some(appointment) = self.appointments.get(&id) else {
            return;
        };
        let Some(page) = appointment.page else { return };
        let state = self.state(now, appointment);
        let event = self.visit_event(now, appointment);
        self.words.push_back(Word::Visit(page, event));
        if let Some(appointment) = self.appointments.get_mut(&id) {
            appointment.told_visit = Some(state);
        }
    }

    // Time

    /// Notes when an appointment is to be looked at next.
    fn schedule(&mut self, now: Duration, id: AppointmentId) {
        let Some(appointment) = self.appointments.get(&id) else {
            return;
        };
        let kept = &appointment.kept;
        let time = self.unix_ms(now);
        let by_clock = [
            kept.opens(),
            kept.closes(),
            kept.shown_until(),
            kept.forgotten_at(),
        ];
        let next = by_clock
            .into_iter()
            .filter(|at| *at > time)
            .map(|at| self.count_at(at))
            .min();
        // What is long past is forgotten at once, or when its room is empty.
        let next = next.unwrap_or(match appointment.seats() {
            0 => now,
            _ => now + LOOKED_AT_EVERY,
        });
        let until = appointment.waiting.and_then(|waiting| waiting.until);
        let next = until.map_or(next, |until| until.min(next));
        let before = appointment.due;
        if before != Some(next) {
            if let Some(before) = before {
                self.due.remove(&(before, id));
            }
            self.due.insert((next, id));
            if let Some(appointment) = self.appointments.get_mut(&id) {
                appointment.due = Some(next);
            }
        }
    }

    pub(super) fn tick(&mut self, now: Duration) {
        while let Some((due, id)) = self.due.first().copied()
            && due <= now
        {
            self.due.pop_first();
            if let Some(appointment) = self.appointments.get_mut(&id) {
                appointment.due = None;
            }
            self.look(now, id);
        }
        while let Some((due, desk)) = self.desks_due.first().copied()
            && due <= now
        {
            self.desks_due.pop_first();
            self.tell_open(now, desk);
        }
    }

    /// Looks whether time alone has changed something.
    fn look(&mut self, now: Duration, id: AppointmentId) {
        let time = self.unix_ms(now);
        let Some(appointment) = self.appointments.get_mut(&id) else {
            return;
        };
        if time >= appointment.kept.forgotten_at() && appointment.seats() == 0 {
            return self.forget(id);
        }
        if appointment
            .waiting
            .is_some_and(|waiting| waiting.until.is_some_and(|until| until <= now))
        {
            appointment.waiting = None;
        }
        let Some(appointment) = self.appointments.get(&id) else {
            return;
        };
        let is_news_for_desk = appointment.told_desk != Some(self.status(now, appointment));
        let is_news_for_visit = appointment.told_visit != Some(self.state(now, appointment));
        if is_news_for_desk {
            self.tell_desk(now, id, false);
        }
        if is_news_for_visit {
            self.tell_visit(now, id);
        }
        self.schedule(now, id);
    }

    fn forget(&mut self, id: AppointmentId) {
        let Some(gone) = self.appointments.remove(&id) else {
            return;
        };
        if let Some(due) = gone.due {
            self.due.remove(&(due, id));
        }
        if let Some(desk) = self.desks.get_mut(&gone.kept.desk) {
            desk.appointments.remove(&id);
        }
        if let Some(place) = &gone.kept.place {
            self.rooms.remove(&RoomOf::new(&place.room));
        }
        if let Some(site) = gone.page.and_then(|page| self.sites.get_mut(&page)) {
            site.visit = None;
        }
        self.store(Booking::Forgotten(id));
    }

    /// Tells clients whether their professional is there, if that has changed.
    fn tell_open(&mut self, now: Duration, id: DeskId) {
        let Some(desk) = self.desks.get_mut(&id) else {
            return;
        };
        let is_open = desk.is_open(now);
        if core::mem::replace(&mut desk.was_open, is_open) == is_open {
            return;
        }
        let appointments: Vec<AppointmentId> = desk.appointments.iter().copied().collect();
        for appointment in appointments {
            self.tell_visit(now, appointment);
        }
    }

    // What others know

    /// So many sit in a room now, and so many of them as its host. `key` is the room itself, whatever its id
    /// becomes.
    pub(super) fn room_changed(
        &mut self,
        now: Duration,
        key: RoomKey,
        room: &RoomId,
        in_room: usize,
        hosts: usize,
    ) {
        let time = self.unix_ms(now);
        let Some(id) = self.rooms.get(&RoomOf::new(room)).copied() else {
            return;
        };
        let Some(appointment) = self.appointments.get_mut(&id) else {
            return;
        };
        let before = match in_room {
            0 => appointment.rooms.remove(&key),
            _ => appointment.rooms.insert(key, in_room),
        };
        if before.unwrap_or_default() == in_room {
            return;
        }
        let seats = appointment.seats();
        let (opens, closes) = (appointment.kept.opens(), appointment.kept.closes());
        let before = appointment.kept.progress;
        let progress = &mut appointment.kept.progress;
        // A professional with two pages, or one of a seat that is lost, is still alone.
        let both = hosts > 0 && in_room > hosts;
        progress.has_met |= both;
        if both {
            appointment.waiting = None;
        }
        if seats == 0 {
            // Only who has met is done with it, and not with what was moved to another time meanwhile. Otherwise the
            // client comes to the waiting room as before, and is heard there.
            progress.is_done |= progress.has_met && time >= opens;
            progress.has_met &= progress.is_done;
            progress.is_called = false;
        } else if hosts > 0 && time < closes && !progress.is_cancelled {
            // Also after a reload, which leaves the room empty for a moment.
            progress.is_called = true;
            progress.is_done = false;
        }
        if *progress != before {
            self.keep(id);
        }
        self.tell(now, id, false);
    }

    pub(super) fn set_hidden(&mut self, connection: ConnectionKey, is_hidden: bool) {
        let Some(desk) = self.sites.get(&connection).and_then(|site| site.desk) else {
            return;
        };
        self.seen += 1;
        let seen = self.seen;
        let pages = self.desks.get_mut(&desk).map(|desk| &mut desk.pages);
        if let Some(page) =
            pages.and_then(|pages| pages.iter_mut().find(|page| page.connection == connection))
        {
            page.is_hidden = is_hidden;
            if !is_hidden {
                page.seen = seen;
            }
        }
    }

    /// A socket is gone.
    pub(super) fn page_gone(&mut self, now: Duration, connection: ConnectionKey) {
        let Some(site) = self.sites.remove(&connection) else {
            return;
        };
        if let Some(desk) = site.desk {
            self.leave_desk(now, connection, desk);
        }
        if let Some(visit) = site.visit {
            self.leave_visit(now, connection, visit);
        }
    }

    /// Whether no page is known: for tests of what is left behind.
    #[cfg(test)]
    pub(super) fn has_no_page(&self) -> bool {
        let has_page = |desk: &Desk| !desk.pages.is_empty();
        self.sites.is_empty() && !self.desks.values().any(has_page)
    }
}
