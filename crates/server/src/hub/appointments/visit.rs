//! What a client's page asks for.

use core::time::Duration;

use visavis_protocol::appointment::{VisitEvent, VisitRequest, VisitState};
use visavis_protocol::{AppointmentId, ErrorCode, limits};

use super::{Appointments, Waiting, Word};
use crate::hub::ConnectionKey;
use crate::hub::rate::Rate;

impl Appointments {
    pub(in crate::hub) fn visit(&mut self, now: Duration, connection: ConnectionKey, request: VisitRequest) {
        let kind = request.kind();
        if let VisitRequest::OpenVisit { token } = &request {
            return self.open_visit(now, connection, token);
        }
        let Some(id) = self.sites.get(&connection).and_then(|site| site.visit) else {
            return self.refuse(connection, ErrorCode::NoVisit, kind, true);
        };
        match request {
            VisitRequest::OpenVisit { .. } => {}
            VisitRequest::Ready { waited_ms } => {
                if let Err(code) = self.ready(now, id, waited_ms) {
                    self.refuse(connection, code, kind, false);
                }
            }
            VisitRequest::StopWaiting {} => {
                let waiting = self
                    .appointments
                    .get_mut(&id)
                    .map(|appointment| appointment.waiting.take());
                match waiting.flatten() {
                    Some(_) => self.tell(now, id, false),
                    None => self.tell_visit(now, id),
                }
            }
        }
    }

    fn open_visit(&mut self, now: Duration, connection: ConnectionKey, token: &str) {
        const KIND: &str = "open_visit";
        let claims = match self.links.0.read_visit(token, self.unix(now)) {
            Ok(claims) => claims,
            Err(code) => return self.refuse(connection, code, KIND, true),
        };
        let id = claims.appointment;
        let Some(appointment) = self.appointments.get(&id) else {
            return self.refuse(connection, ErrorCode::UnknownAppointment, KIND, false);
        };
        // An earlier link of the same appointment is as good; one that was never made is not.
        if claims.number == 0 || claims.number > appointment.kept.number {
            return self.refuse(connection, ErrorCode::TokenReused, KIND, true);
        }
        let before = self.sites.get(&connection).and_then(|site| site.visit);
        if let Some(before) = before.filter(|before| *before != id) {
            self.leave_visit(now, connection, before);
            self.sites.entry(connection).or_default().visit = None;
        }
        let former = self
            .appointments
            .get(&id)
            .and_then(|appointment| appointment.page);
        let former = former.filter(|former| *former != connection);
        // What a socket wrote into a hole of the network may come long after its page went on to another.
        if former.is_some_and(|former| former > connection) {
            return self
                .words
                .push_back(Word::Visit(connection, VisitEvent::Elsewhere {}));
        }
        if let Some(former) = former {
            if let Some(site) = self.sites.get_mut(&former) {
                site.visit = None;
            }
            self.words
                .push_back(Word::Visit(former, VisitEvent::Elsewhere {}));
        }
        self.sites.entry(connection).or_default().visit = Some(id);
        let mut is_back = false;
        if let Some(appointment) = self.appointments.get_mut(&id) {
            appointment.page = Some(connection);
            // A page that was loaded anew, or has a new socket, waits on.
            if let Some(waiting) = &mut appointment.waiting {
                is_back = waiting.until.take().is_some();
            }
        }
        if is_back {
            self.tell_desk(now, id, false);
        }
        self.tell_visit(now, id);
        self.schedule(now, id);
    }

    fn ready(&mut self, now: Duration, id: AppointmentId, waited_ms: u64) -> Result<(), ErrorCode> {
        let time = self.unix_ms(now);
        let appointment = self.appointments.get(&id).ok_or(ErrorCode::UnknownAppointment)?;
        match self.state(now, appointment) {
            VisitState::Open {} | VisitState::Waiting { .. } => {}
            VisitState::CalledIn { .. } => {
                self.tell_visit(now, id);
                return Ok(());
            }
            VisitState::Early { .. } => return Err(ErrorCode::AppointmentEarly),
            VisitState::Over {} => return Err(ErrorCode::AppointmentOver),
            VisitState::Late {} => return Err(ErrorCode::AppointmentLate),
            VisitState::Cancelled {} => return Err(ErrorCode::AppointmentCancelled),
            VisitState::Unknown => return Err(ErrorCode::BadMessage),
        }
        let Some(appointment) = self.appointments.get_mut(&id) else {
            return Ok(());
        };
        let said = time.saturating_sub(waited_ms).max(appointment.kept.opens());
        let before = appointment.waiting;
        let waiting = Waiting {
            since: before.map_or(said, |before| before.since.min(said)),
            until: None,
            is_told: before.is_some_and(|before| before.is_told),
        };
        if before == Some(waiting) {
            self.tell_visit(now, id);
            return Ok(());
        }
        // Each time is told to every page of the desk: nobody may fill their sockets by coming and going.
        let pace = Rate::new(1, Duration::from_secs(2), 5);
        if !appointment.pace.take(now, pace, 1) {
            return Err(ErrorCode::RateLimited);
        }
        appointment.waiting = Some(waiting);
        // A desk that was told before a restart of the server knows by when they came that it is the same arrival.
        self.tell(now, id, !waiting.is_told);
        Ok(())
    }

    /// The page is gone; who waited is waited for.
    pub(super) fn leave_visit(&mut self, now: Duration, connection: ConnectionKey, id: AppointmentId) {
        let Some(appointment) = self.appointments.get_mut(&id) else {
            return;
        };
        if appointment.page != Some(connection) {
            return;
        }
        appointment.page = None;
        appointment.told_visit = None;
        if let Some(waiting) = &mut appointment.waiting {
            waiting.until = Some(now + limits::VISIT_WINDOW);
            self.tell_desk(now, id, false);
            self.schedule(now, id);
        }
    }
}
