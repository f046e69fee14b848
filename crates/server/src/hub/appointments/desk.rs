//! What a desk asks for.

use core::time::Duration;

use unicode_normalization::is_nfc;
use visavis_protocol::appointment::{DeskEvent, DeskRequest, Facts, Place};
use visavis_protocol::{AppointmentId, DeskId, ErrorCode, limits, text};

use super::kept::{Booking, KeptAppointment, Progress, millis};
use super::{Appointment, Appointments, DESK_CLOSES_AFTER, IN_ALL_PER_DESK, Page, RoomOf, Word};
use crate::hub::ConnectionKey;

/// How far in the past an appointment may be made: for one that has begun already.
const MADE_LATE: Duration = Duration::from_secs(24 * 60 * 60);

impl Appointments {
    pub(in crate::hub) fn desk(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        is_hidden: bool,
        request: DeskRequest,
    ) {
        let kind = request.kind();
        if let DeskRequest::OpenDesk { token } = &request {
            return self.open_desk(now, connection, is_hidden, token);
        }
        let Some(desk) = self.sites.get(&connection).and_then(|site| site.desk) else {
            return self.refuse(connection, ErrorCode::NoDesk, kind, true);
        };
        let done = match request {
            DeskRequest::OpenDesk { .. } => Ok(()),
            DeskRequest::PutAppointment { appointment, facts } => self.put(now, desk, appointment, facts),
            DeskRequest::CancelAppointment { appointment } => self.cancel(now, desk, appointment),
            DeskRequest::CallIn { appointment, place } => {
                self.call_in(now, connection, desk, appointment, place)
            }
            DeskRequest::CloseDesk {} => {
                self.close_desk(now, connection, desk);
                Ok(())
            }
        };
        if let Err(code) = done {
            self.refuse(connection, code, kind, false);
        }
    }

    pub(super) fn refuse(
        &mut self,
        connection: ConnectionKey,
        code: ErrorCode,
        kind: &'static str,
        is_offence: bool,
    ) {
        self.words
            .push_back(Word::Refuse(connection, code, kind, is_offence));
    }

    fn open_desk(&mut self, now: Duration, connection: ConnectionKey, is_hidden: bool, token: &str) {
        const KIND: &str = "open_desk";
        let claims = match self.links.0.read_desk(token, self.unix(now)) {
            Ok(claims) => claims,
            Err(code) => return self.refuse(connection, code, KIND, true),
        };
        let id = claims.desk;
        let before = self.sites.get(&connection).and_then(|site| site.desk);
        if let Some(before) = before.filter(|before| *before != id) {
            self.leave_desk(now, connection, before);
            self.sites.entry(connection).or_default().desk = None;
        }
        if !self.desks.contains_key(&id) && self.desks.len() >= limits::DESKS {
            return self.refuse(connection, ErrorCode::ServerFull, KIND, false);
        }
        let is_new = !self.desks.contains_key(&id);
        self.seen += 1;
        let seen = self.seen;
        let desk = self.desk_or_new(id, claims.name.clone());
        let is_renamed = desk.name != claims.name;
        desk.name.clone_from(&claims.name);
        let is_full = desk.pages.len() >= limits::PAGES_PER_DESK;
        match desk.pages.iter_mut().find(|page| page.connection == connection) {
            Some(page) => {
                page.is_present = true;
                page.seen = seen;
            }
            None if is_full => {
                return self.refuse(connection, ErrorCode::TooMany, KIND, false);
            }
            None => desk.pages.push(Page {
                connection,
                is_hidden,
                is_present: true,
                seen,
            }),
        }
        desk.open_until = None;
        if is_new || is_renamed {
            self.store(Booking::Desk {
                desk: id,
                name: claims.name,
            });
        }
        self.sites.entry(connection).or_default().desk = Some(id);
        let time = self.unix_ms(now);
        let Some(desk) = self.desks.get(&id) else { return };
        let shown = desk
            .appointments
            .iter()
            .filter_map(|id| self.appointments.get(id))
            .filter(|appointment| time < appointment.kept.shown_until());
        let mut entries: Vec<_> = shown.map(|appointment| self.entry(now, appointment)).collect();
        entries.sort_by_key(|entry| (entry.facts.starts, entry.appointment));
        let opened = DeskEvent::Opened {
            desk: id,
            name: desk.name.clone(),
            now: time,
            entries,
        };
        self.words.push_back(Word::Desk(connection, opened));
        self.tell_open(now, id);
        self.tell_arrivals(now, id);
        if is_renamed {
            let all = self.desks.get(&id).map(|desk| desk.appointments.clone());
            for appointment in all.unwrap_or_default() {
                self.tell_visit(now, appointment);
            }
        }
    }

    /// Tells the desk of those who came while no page of it could be reached.
    fn tell_arrivals(&mut self, now: Duration, id: DeskId) {
        let Some(desk) = self.desks.get(&id) else { return };
        let untold = |id: &&AppointmentId| {
            let appointment = self.appointments.get(id);
            appointment
                .and_then(|appointment| appointment.waiting)
                .is_some_and(|waiting| !waiting.is_told)
        };
        let untold: Vec<AppointmentId> = desk.appointments.iter().filter(untold).copied().collect();
        for appointment in untold {
            self.tell_desk(now, appointment, true);
        }
    }

    /// The professional is not there on this page any more.
    fn close_desk(&mut self, now: Duration, connection: ConnectionKey, id: DeskId) {
        if let Some(desk) = self.desks.get_mut(&id)
            && let Some(page) = desk.pages.iter_mut().find(|page| page.connection == connection)
        {
            page.is_present = false;
        }
        self.words
            .push_back(Word::Desk(connection, DeskEvent::DeskClosed {}));
        self.tell_open(now, id);
    }

    /// The page is gone; it may be loaded anew.
    pub(super) fn leave_desk(&mut self, now: Duration, connection: ConnectionKey, id: DeskId) {
        let Some(desk) = self.desks.get_mut(&id) else {
            return;
        };
        let was_there = desk
            .pages
            .iter()
            .any(|page| page.connection == connection && page.is_present);
        desk.pages.retain(|page| page.connection != connection);
        if was_there && !desk.pages.iter().any(|page| page.is_present) {
            let until = now + DESK_CLOSES_AFTER;
            desk.open_until = Some(until);
            self.desks_due.insert((until, id));
        }
    }

    /// An appointment of this desk.
    fn own(&self, desk: DeskId, id: AppointmentId) -> Result<&KeptAppointment, ErrorCode> {
        self.appointments
            .get(&id)
            .map(|appointment| &appointment.kept)
            .filter(|kept| kept.desk == desk)
            .ok_or(ErrorCode::UnknownAppointment)
    }

    fn put(&mut self, now: Duration, desk: DeskId, id: AppointmentId, facts: Facts) -> Result<(), ErrorCode> {
        let time = self.unix_ms(now);
        if self.appointments.contains_key(&id) {
            let kept = self.own(desk, id)?;
            if kept.facts == facts {
                // Said again after a cut.
                self.tell(now, id, false);
                return Ok(());
            }
            let is_settled = kept.progress.is_cancelled || kept.progress.is_done;
            if is_settled || !is_sound(&facts, time, kept.facts.starts == facts.starts) {
                return Err(ErrorCode::InvalidAppointment);
            }
        } else {
            if !is_sound(&facts, time, false) {
                return Err(ErrorCode::InvalidAppointment);
            }
            let Some(there) = self.desks.get_mut(&desk) else {
                return Err(ErrorCode::NoDesk);
            };
            let is_shown = |id: &&AppointmentId| {
                let appointment = self.appointments.get(id);
                appointment.is_some_and(|appointment| time < appointment.kept.shown_until())
            };
            let shown = there.appointments.iter().filter(is_shown).count();
            if shown >= limits::APPOINTMENTS_PER_DESK || there.appointments.len() >= IN_ALL_PER_DESK {
                return Err(ErrorCode::TooMany);
            }
            there.appointments.insert(id);
            self.insert(KeptAppointment {
                appointment: id,
                desk,
                facts: facts.clone(),
                number: 0,
                expires: 0,
                progress: Progress::default(),
                place: None,
            });
        }
        if let Some(appointment) = self.appointments.get_mut(&id) {
            appointment.kept.facts = facts;
            appointment.kept.renew_link();
            // Moved out of the time in which one may wait, nobody waits.
            if time < appointment.kept.opens() {
                appointment.waiting = None;
                // And what was asked for at the old time is not for the new one.
                if appointment.seats() == 0 {
                    appointment.kept.progress = Progress::default();
                }
            }
        }
        self.keep(id);
        self.tell(now, id, false);
        Ok(())
    }

    fn cancel(&mut self, now: Duration, desk: DeskId, id: AppointmentId) -> Result<(), ErrorCode> {
        let kept = self.own(desk, id)?;
        if kept.progress.is_done {
            return Err(ErrorCode::AppointmentOver);
        }
        let is_news = !kept.progress.is_cancelled;
        if let Some(appointment) = self.appointments.get_mut(&id).filter(|_| is_news) {
            appointment.kept.progress.is_cancelled = true;
            appointment.kept.progress.is_called = false;
            appointment.waiting = None;
            self.keep(id);
        }
        self.tell(now, id, false);
        Ok(())
    }

    fn call_in(
        &mut self,
        now: Duration,
        connection: ConnectionKey,
        desk: DeskId,
        id: AppointmentId,
        place: Place,
    ) -> Result<(), ErrorCode> {
        let time = self.unix_ms(now);
        let kept = self.own(desk, id)?;
        if kept.progress.is_cancelled {
            return Err(ErrorCode::AppointmentCancelled);
        }
        let seats = self.appointments.get(&id).map_or(0, Appointment::seats);
        if time >= kept.closes() && seats == 0 {
            return Err(ErrorCode::AppointmentLate);
        }
        if kept.place.is_none() {
            let is_taken = self.rooms.contains_key(&RoomOf::new(&place.room));
            if place.link.len() > limits::INVITE_BYTES || place.room.open_name().is_some() || is_taken {
                return Err(ErrorCode::InvalidAppointment);
            }
            self.rooms.insert(RoomOf::new(&place.room), id);
        }
        let Some(appointment) = self.appointments.get_mut(&id) else {
            return Err(ErrorCode::UnknownAppointment);
        };
        let kept = &mut appointment.kept;
        let before = (kept.progress, kept.place.is_some());
        let place = kept.place.get_or_insert(place).clone();
        kept.progress.is_called = true;
        if kept.progress.is_done {
            // Once more: they were cut off, or something was forgotten.
            kept.progress.is_done = false;
            kept.progress.has_met = false;
        }
        if before != (kept.progress, true) {
            self.keep(id);
        }
        let called = DeskEvent::CalledIn {
            appointment: id,
            place,
        };
        self.words.push_back(Word::Desk(connection, called));
        self.tell(now, id, false);
        Ok(())
    }
}

/// Whether facts can be kept and shown.
fn is_sound(facts: &Facts, time: u64, is_same_time: bool) -> bool {
    let zone = facts.zone.as_bytes();
    let is_zone = !zone.is_empty()
        && zone.len() <= limits::ZONE_BYTES
        && zone
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+-/".contains(byte));
    let may_begin = is_same_time
        || (facts.starts.saturating_add(millis(MADE_LATE)) >= time
            && facts.starts <= time.saturating_add(millis(limits::APPOINTMENT_AHEAD)));
    text::check_name(&facts.client).is_ok()
        && is_nfc(&facts.client)
        && facts.note.len() <= limits::NOTE_BYTES
        && text::clean_text(&facts.note) == facts.note
        && (1..=limits::APPOINTMENT_MINUTES).contains(&facts.minutes)
        && is_zone
        && may_begin
}
