//! Desks and appointments in the store.

use core::str::FromStr;

use rusqlite::{Connection, Row, params};
use visavis_protocol::appointment::{Facts, Place};
use visavis_protocol::{AppointmentId, DeskId};

use crate::hub::{Booking, Kept, KeptAppointment, Progress};

/// The second step of the store's form; never changed.
pub(super) const TABLES: &str = "
    CREATE TABLE desk (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID, STRICT;
    CREATE TABLE appointment (id TEXT PRIMARY KEY, desk TEXT NOT NULL, client TEXT NOT NULL, note TEXT NOT NULL,
        starts INTEGER NOT NULL, minutes INTEGER NOT NULL, zone TEXT NOT NULL, number INTEGER NOT NULL,
        expires INTEGER NOT NULL, cancelled INTEGER NOT NULL, called INTEGER NOT NULL, met INTEGER NOT NULL,
        done INTEGER NOT NULL, room TEXT, link TEXT, host TEXT) WITHOUT ROWID, STRICT;
";

pub(super) fn write(db: &Connection, booking: &Booking) -> rusqlite::Result<()> {
    match booking {
        Booking::Desk { desk, name } => {
            db.execute(
                "INSERT OR REPLACE INTO desk (id, name) VALUES (?1, ?2)",
                [&desk.to_text(), name],
            )?;
        }
        Booking::Appointment(kept) => {
            let (facts, progress, place) = (&kept.facts, kept.progress, kept.place.as_ref());
            db.execute(
                "INSERT OR REPLACE INTO appointment (id, desk, client, note, starts, minutes, zone, number, expires,
                    cancelled, called, met, done, room, link, host)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
                params![
                    kept.appointment.to_text(),
                    kept.desk.to_text(),
                    facts.client,
                    facts.note,
                    signed(facts.starts),
                    facts.minutes,
                    facts.zone,
                    kept.number,
                    signed(kept.expires),
                    progress.is_cancelled,
                    progress.is_called,
                    progress.has_met,
                    progress.is_done,
                    place.map(|place| place.room.as_str()),
                    place.map(|place| place.link.as_str()),
                    place.map(|place| place.host.to_text()),
                ],
            )?;
        }
        Booking::Forgotten(id) => {
            db.execute("DELETE FROM appointment WHERE id = ?1", [id.to_text()])?;
        }
    }
    Ok(())
}

/// All of it, and how many rows were not understood.
pub(super) fn read(db: &Connection) -> rusqlite::Result<(Kept, u32)> {
    let (mut kept, mut skipped) = (Kept::default(), 0);
    let mut statement = db.prepare("SELECT id, name FROM desk")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match parsed::<DeskId>(row, 0)? {
            Some(desk) => kept.desks.push((desk, row.get(1)?)),
            None => skipped += 1,
        }
    }
    let mut statement = db.prepare(
        "SELECT id, desk, client, note, starts, minutes, zone, number, expires, cancelled, called, met, done, room,
            link, host FROM appointment",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match appointment(row)? {
            Some(appointment) => kept.appointments.push(appointment),
            None => skipped += 1,
        }
    }
    Ok((kept, skipped))
}

fn appointment(row: &Row<'_>) -> rusqlite::Result<Option<KeptAppointment>> {
    let ids = parsed::<AppointmentId>(row, 0)?.zip(parsed::<DeskId>(row, 1)?);
    let place = match (parsed(row, 13)?, row.get(14)?, parsed(row, 15)?) {
        (Some(room), Some(link), Some(host)) => Some(Place { room, link, host }),
        _ => None,
    };
    let Some((appointment, desk)) = ids else {
        return Ok(None);
    };
    Ok(Some(KeptAppointment {
        appointment,
        desk,
        facts: Facts {
            client: row.get(2)?,
            note: row.get(3)?,
            starts: unsigned(row.get(4)?),
            minutes: row.get(5)?,
            zone: row.get(6)?,
        },
        number: row.get(7)?,
        expires: unsigned(row.get(8)?),
        progress: Progress {
            is_cancelled: row.get(9)?,
            is_called: row.get(10)?,
            has_met: row.get(11)?,
            is_done: row.get(12)?,
        },
        place,
    }))
}

fn parsed<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
