//! The file as a parser of others reads it: the same begin, end, zone and link.

use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarParameterName,
    ICalendarProperty,
};
use chrono::{DateTime, Offset, TimeZone, Utc};

use super::*;

const LINK: &str = "https://visavis.example/join#eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhcHBvaW50bWVudCJ9.c2lnbmF0dXJlLW9mLXNpeHR5LWZvdXItYnl0ZXM";

fn event<'a>(starts: &str, zone: &'a str, note: &'a str) -> Event<'a> {
    let starts = DateTime::parse_from_rfc3339(starts).unwrap().timestamp_millis() as u64;
    Event {
        uid: "AQEBAQEBAQEBAQEBAQEBAQ@visavis.example",
        made: 1_790_000_000_000,
        starts,
        ends: starts + 45 * 60_000,
        zone,
        summary: "Appointment with Dr. Bell; cardiology, 2nd floor",
        description: note,
        url: LINK,
        is_cancelled: false,
    }
}

/// What a browser would say of the zone.
fn offset_in(zone: &str) -> impl Fn(i64) -> Option<i64> {
    let zone: Option<chrono_tz::Tz> = zone.parse().ok();
    move |time| {
        let utc = DateTime::<Utc>::from_timestamp(time, 0)?;
        let offset = zone?.offset_from_utc_datetime(&utc.naive_utc());
        Some(i64::from(offset.fix().local_minus_utc()))
    }
}

fn written(event: &Event<'_>) -> String {
    file(event, offset_in(event.zone))
}

fn parsed(file: &str) -> ICalendar {
    ICalendar::parse(file).expect("a calendar")
}

fn the_event(calendar: &ICalendar) -> &ICalendarComponent {
    let is_event = |part: &&ICalendarComponent| part.component_type == ICalendarComponentType::VEvent;
    calendar.components.iter().find(is_event).expect("an event")
}

fn property<'a>(of: &'a ICalendarComponent, name: &ICalendarProperty) -> &'a ICalendarEntry {
    of.property(name).unwrap_or_else(|| panic!("no {name:?}"))
}

fn text<'a>(of: &'a ICalendarComponent, name: &ICalendarProperty) -> &'a str {
    property(of, name).values[0].as_text().expect("a text")
}

/// When a property is, by the zone that it names alone.
fn time(of: &ICalendarComponent, name: &ICalendarProperty) -> u64 {
    let entry = property(of, name);
    let zone = entry
        .parameter(&ICalendarParameterName::Tzid)
        .and_then(|zone| zone.as_text());
    let zone: Tz = zone.map_or(Tz::UTC, |zone| zone.parse().expect("a known zone"));
    let date = entry.values[0].as_partial_date_time().expect("a date");
    let time = date.to_date_time_with_tz(zone).expect("one moment");
    time.timestamp_millis() as u64
}

#[test]
fn begin_end_zone_and_link_are_read_as_they_were_agreed() {
    for (zone, starts) in [
        ("Europe/Berlin", "2026-11-23T10:00:00+01:00"),
        // The last minutes of summer, and the first of winter.
        ("Europe/Berlin", "2026-10-25T01:10:00+02:00"),
        ("Europe/Berlin", "2026-10-25T03:00:00+01:00"),
        // The same in spring.
        ("Europe/Berlin", "2027-03-28T01:10:00+01:00"),
        ("Europe/Berlin", "2027-03-28T03:00:00+02:00"),
        ("America/New_York", "2026-11-01T00:10:00-04:00"),
        ("America/New_York", "2026-11-01T02:00:00-05:00"),
        ("America/New_York", "2027-03-14T03:00:00-04:00"),
        ("Asia/Kolkata", "2026-12-31T23:30:00+05:30"),
        ("Asia/Kathmandu", "2027-02-28T09:00:00+05:45"),
        ("UTC", "2026-11-23T10:00:00Z"),
    ] {
        let event = event(starts, zone, LINK);
        let file = written(&event);
        let calendar = parsed(&file);
        let read = the_event(&calendar);
        assert_eq!(
            time(read, &ICalendarProperty::Dtstart),
            event.starts,
            "{starts}\n{file}"
        );
        assert_eq!(
            time(read, &ICalendarProperty::Dtend),
            event.ends,
            "{starts}\n{file}"
        );
        let zone_read = property(read, &ICalendarProperty::Dtstart)
            .parameter(&ICalendarParameterName::Tzid)
            .and_then(|zone| zone.as_text());
        assert_eq!(zone_read, (zone != "UTC").then_some(zone));
        assert_eq!(text(read, &ICalendarProperty::Url), LINK);
        assert!(text(read, &ICalendarProperty::Description).contains(LINK));
        assert_eq!(read.uid(), Some(event.uid));
    }
}

#[test]
fn the_zone_that_comes_with_the_file_says_the_same_as_the_tables() {
    for (zone, starts) in [
        ("Europe/Berlin", "2026-10-25T01:15:00+02:00"),
        ("Europe/Berlin", "2026-10-25T03:00:00+01:00"),
        ("America/New_York", "2027-03-14T03:00:00-04:00"),
        ("Asia/Kolkata", "2026-11-23T10:00:00+05:30"),
    ] {
        let event = event(starts, zone, "");
        let file = written(&event);
        // Read by hand: each observance begins at a time of the clock before it, and the last one that has
        // begun counts (RFC 5545, section 3.6.5).
        let zone_part = file.split("END:VTIMEZONE").next().unwrap();
        let value = |part: &str, key: &str| {
            let line = part.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.trim().to_owned()
        };
        let local = value(&file, &["DTSTART;TZID=", zone, ":"].concat());
        let observed = zone_part
            .split("BEGIN:")
            .filter(|part| part.starts_with("STANDARD") || part.starts_with("DAYLIGHT"))
            .filter(|part| value(part, "DTSTART:") <= local)
            .max_by_key(|part| value(part, "DTSTART:"))
            .unwrap();
        let offset = value(observed, "TZOFFSETTO:");
        let at = offset_in(zone)((event.starts / 1000) as i64).unwrap();
        assert_eq!(offset, written_offset(at), "{starts}\n{file}");
        let is_standard = observed.starts_with("STANDARD");
        assert_eq!(
            is_standard,
            !matches!(offset.as_str(), "+0200" | "-0400"),
            "{file}"
        );
    }
}

#[test]
fn texts_survive_folds_and_signs_that_mean_something() {
    let note = "Bitte mitbringen: Ausweis, Röntgenbilder; \\ Überweisung\nZweite Zeile, mit Ümläuten und 🙂\r\nBEGIN:VALARM";
    let event = event("2026-11-23T10:00:00+01:00", "Europe/Berlin", note);
    let file = written(&event);
    assert!(file.ends_with("END:VCALENDAR\r\n"));
    for line in file.split("\r\n") {
        assert!(line.len() <= 75, "{line}");
        assert!(!line.contains(['\n', '\r']), "{line}");
    }
    let calendar = parsed(&file);
    let read = the_event(&calendar);
    assert_eq!(
        text(read, &ICalendarProperty::Description),
        note.replace("\r\n", "\n")
    );
    assert_eq!(text(read, &ICalendarProperty::Summary), event.summary);
    let is_alarm = |part: &ICalendarComponent| part.component_type == ICalendarComponentType::VAlarm;
    assert!(!calendar.components.iter().any(is_alarm), "{file}");
}

#[test]
fn a_zone_that_nobody_knows_is_written_in_utc() {
    for zone in ["Mars/Olympus", "A\r\nBEGIN:VALARM", ""] {
        let event = event("2026-11-23T10:00:00+01:00", zone, "");
        let file = written(&event);
        assert!(file.contains("DTSTART:20261123T090000Z\r\n"), "{file}");
        assert!(!file.contains("VALARM"), "{file}");
        assert_eq!(
            time(the_event(&parsed(&file)), &ICalendarProperty::Dtend),
            event.ends
        );
    }
}

#[test]
fn a_time_that_the_clock_shows_twice_is_no_riddle() {
    for starts in ["2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00+01:00"] {
        let event = event(starts, "Europe/Berlin", "");
        let calendar = parsed(&written(&event));
        assert_eq!(
            time(the_event(&calendar), &ICalendarProperty::Dtstart),
            event.starts
        );
    }
}

#[test]
fn a_later_file_takes_the_place_of_an_earlier_one() {
    let first = event("2026-11-23T10:00:00+01:00", "UTC", "");
    let later = Event {
        made: first.made + 60_000,
        is_cancelled: true,
        ..first
    };
    let sequence = |event: &Event<'_>| {
        let file = written(event);
        let calendar = parsed(&file);
        let read = property(the_event(&calendar), &ICalendarProperty::Sequence).values[0].as_integer();
        read.expect("a number")
    };
    assert!(sequence(&first) > 0 && sequence(&first) < sequence(&later));
    assert!(written(&later).contains("STATUS:CANCELLED"));
}

#[test]
fn a_file_s_name_is_one_on_every_system() {
    for (client, name) in [
        ("Ada Lovelace", "Ada-Lovelace.ics"),
        ("Zoë / 李小龍", "Zoë-李小龍.ics"),
        ("../../etc", "etc.ics"),
        ("???", "appointment.ics"),
        (&"a".repeat(200), &["a".repeat(40), ".ics".to_owned()].concat()),
    ] {
        assert_eq!(file_name(client), name);
    }
}
