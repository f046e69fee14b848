//! Which appointment stands where: who waits comes first, then as the day goes.

use visavis_protocol::AppointmentId;
use visavis_protocol::appointment::{DeskStatus, Entry};

/// A list of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Of this day, and whoever is here whatever day it is.
    Today,
    /// Of a later day.
    Upcoming,
    /// Of a day before.
    Earlier,
}

impl Part {
    /// How many there are.
    pub const COUNT: usize = 3;
}

/// The appointments of each list in their order. `day_of` gives a time's day in a form that can be compared.
pub fn parts(
    entries: &[Entry],
    now: u64,
    day_of: impl Fn(u64) -> String,
) -> [Vec<AppointmentId>; Part::COUNT] {
    let today = day_of(now);
    let mut parts: [Vec<&Entry>; Part::COUNT] = Default::default();
    for entry in entries {
        let day = day_of(entry.facts.starts);
        let part = if is_here(entry.status) || day == today {
            Part::Today
        } else if day > today {
            Part::Upcoming
        } else {
            Part::Earlier
        };
        parts[part as usize].push(entry);
    }
    parts[Part::Today as usize].sort_by_key(|entry| (rank(entry.status), entry.facts.starts));
    parts.map(|part| part.into_iter().map(|entry| entry.appointment).collect())
}

/// Whether somebody is there for it now.
pub const fn is_here(status: DeskStatus) -> bool {
    match status {
        DeskStatus::Waiting { .. } | DeskStatus::CalledIn {} | DeskStatus::InCall {} => true,
        DeskStatus::Planned {} | DeskStatus::Done {} | DeskStatus::Cancelled {} | DeskStatus::Unknown => {
            false
        }
    }
}

/// Who waits comes first, and who waits longest before the others; what is over comes last.
const fn rank(status: DeskStatus) -> (u8, u64) {
    match status {
        DeskStatus::Waiting { since, .. } => (0, since),
        DeskStatus::InCall {} | DeskStatus::CalledIn {} => (1, 0),
        DeskStatus::Planned {} | DeskStatus::Unknown => (2, 0),
        DeskStatus::Done {} | DeskStatus::Cancelled {} => (3, 0),
    }
}

#[cfg(test)]
mod tests {
    use visavis_protocol::appointment::Facts;

    use super::*;

    const DAY: u64 = 86_400_000;

    fn entry(n: u8, starts: u64, status: DeskStatus) -> Entry {
        Entry {
            appointment: AppointmentId::from_bytes([n; 16]),
            facts: Facts {
                client: "Ada".to_owned(),
                note: String::new(),
                starts,
                minutes: 30,
                zone: "UTC".to_owned(),
            },
            status,
            token: String::new(),
        }
    }

    #[test]
    fn who_waits_comes_first_whatever_day_it_is() {
        let waits = |since| DeskStatus::Waiting { since, away: false };
        let entries = [
            entry(1, 10 * DAY + 1, DeskStatus::Planned {}),
            entry(2, 10 * DAY + 2, waits(9)),
            entry(3, 11 * DAY, waits(5)),
            entry(4, 10 * DAY, DeskStatus::Done {}),
            entry(5, 11 * DAY, DeskStatus::Planned {}),
            entry(6, 9 * DAY, DeskStatus::Done {}),
            entry(7, 10 * DAY + 3, DeskStatus::InCall {}),
        ];
        let parts = parts(&entries, 10 * DAY + 5, |time| format!("{:05}", time / DAY));
        let ids = |part: Part| {
            let of = |id: &AppointmentId| (1..=7).find(|n| *id == AppointmentId::from_bytes([*n; 16]));
            parts[part as usize].iter().filter_map(of).collect::<Vec<u8>>()
        };
        assert_eq!(ids(Part::Today), [3, 2, 7, 1, 4]);
        assert_eq!(ids(Part::Upcoming), [5]);
        assert_eq!(ids(Part::Earlier), [6]);
    }
}
