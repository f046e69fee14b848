//! What is known of appointments for good, and what of that may be shown.

use core::time::Duration;

use visavis_protocol::appointment::{Facts, Place};
use visavis_protocol::{AppointmentId, DeskId, limits};

/// Something about appointments that must outlast the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Booking {
    /// A desk was opened for the first time, or has another name.
    Desk {
        /// Which.
        desk: DeskId,
        /// Whose.
        name: String,
    },
    /// An appointment as it is from now on.
    Appointment(Box<KeptAppointment>),
    /// An appointment is so long past that even its link is of no interest.
    Forgotten(AppointmentId),
}

/// How far an appointment has come, as far as that must be remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// It was called off.
    pub is_cancelled: bool,
    /// The client was asked in.
    pub is_called: bool,
    /// Two were in its room together.
    pub has_met: bool,
    /// It has taken place.
    pub is_done: bool,
}

/// One appointment as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAppointment {
    /// Which.
    pub appointment: AppointmentId,
    /// Whose.
    pub desk: DeskId,
    /// What is agreed.
    pub facts: Facts,
    /// Which of its links is the present one, counted from 1.
    pub number: u32,
    /// Until when that link is good, in seconds since 1970.
    pub expires: u64,
    /// How far it is.
    pub progress: Progress,
    /// Where it takes place, once somebody has said so.
    pub place: Option<Place>,
}

/// Everything that was written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Desks and their names.
    pub desks: Vec<(DeskId, String)>,
    /// Their appointments.
    pub appointments: Vec<KeptAppointment>,
}

/// A span in milliseconds, as times since 1970 are counted.
pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl KeptAppointment {
    /// From when on the client may wait.
    pub(super) fn opens(&self) -> u64 {
        self.facts
            .starts
            .saturating_sub(millis(limits::VISIT_OPENS_BEFORE))
    }

    /// Until when.
    pub(super) fn closes(&self) -> u64 {
        self.facts
            .ends()
            .saturating_add(millis(limits::VISIT_CLOSES_AFTER))
    }

    /// Until when it stands on the desk.
    pub(super) fn shown_until(&self) -> u64 {
        self.facts
            .ends()
            .saturating_add(millis(limits::APPOINTMENT_SHOWN_FOR))
    }

    /// When it is forgotten.
    pub(super) fn forgotten_at(&self) -> u64 {
        self.facts.ends().saturating_add(millis(limits::VISIT_LINK_AFTER))
    }

    /// Gives it a link that outlasts it, where the present one does not.
    pub(super) fn renew_link(&mut self) {
        let wanted = self.forgotten_at() / 1000;
        // A link that ends a little earlier than it might does as well as a new one.
        let least = self.closes() / 1000;
        if self.number == 0 || self.expires < least {
            self.number = self.number.saturating_add(1);
            self.expires = wanted;
        }
    }
}
