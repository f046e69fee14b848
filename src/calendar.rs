//! An appointment as a calendar file (RFC 5545): one event, in the zone in which it was agreed, with what any
//! calendar needs to know of that zone.
//!
//! Pure text. What a zone's clock does is asked of the caller, for the browser has the tables.

/// Octets of a line before it is folded (RFC 5545, section 3.1).
const LINE_OCTETS: usize = 75;
const DAY: i64 = 24 * 60 * 60;
/// How far around the event its zone is described: the rules change now and then, so no more is said than is known.
const AROUND: i64 = 400 * DAY;
/// Clocks are changed at most so often.
const STEP: i64 = 7 * DAY;
/// Before which every serial number was smaller: minutes since then count edits.
const SEQUENCE_BEGINS: u64 = 1_735_689_600;

/// What is in the file.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Names the event in every calendar, also after it was changed: `<id>@<host>`.
    pub uid: &'a str,
    /// When the file is made: milliseconds since 1970.
    pub made: u64,
    /// Milliseconds since 1970.
    pub starts: u64,
    /// Milliseconds since 1970.
    pub ends: u64,
    /// As the IANA names it.
    pub zone: &'a str,
    /// One line.
    pub summary: &'a str,
    /// May have several lines.
    pub description: &'a str,
    /// The whole address of the client's link.
    pub url: &'a str,
    /// Whether it was called off.
    pub is_cancelled: bool,
}

/// The file. `offset` tells how many seconds a time (seconds since 1970) is behind the event's zone; a zone of
/// which it knows nothing is written in UTC.
#[must_use]
pub fn file(event: &Event<'_>, offset: impl Fn(i64) -> Option<i64>) -> String {
    let (starts, ends) = (seconds(event.starts), seconds(event.ends));
    let is_utc = matches!(event.zone, "UTC" | "Etc/UTC" | "Etc/GMT" | "GMT");
    let here = (!is_utc && is_zone_name(event.zone))
        .then(|| offset(starts).zip(offset(ends)))
        .flatten()
        // A time that the clock shows twice is read as the first of the two.
        .filter(|_| ![starts, ends].iter().any(|time| is_second(*time, &offset)));
    let mut lines = Lines::default();
    lines.put("BEGIN:VCALENDAR");
    lines.put("VERSION:2.0");
    lines.put("PRODID:-//Visavis//Appointments//EN");
    lines.put("CALSCALE:GREGORIAN");
    lines.put("METHOD:PUBLISH");
    if here.is_some() {
        put_zone(&mut lines, event.zone, starts, &offset);
    }
    lines.put("BEGIN:VEVENT");
    lines.put(&["UID:", &escaped(event.uid)].concat());
    lines.put(&["DTSTAMP:", &utc(seconds(event.made))].concat());
    match here {
        Some((at_start, at_end)) => {
            let named = |key: &str, time: i64| [key, ";TZID=", event.zone, ":", &local(time)].concat();
            lines.put(&named("DTSTART", starts + at_start));
            lines.put(&named("DTEND", ends + at_end));
        }
        None => {
            lines.put(&["DTSTART:", &utc(starts)].concat());
            lines.put(&["DTEND:", &utc(ends)].concat());
        }
    }
    // Whoever has an older file takes this one for newer, whichever browser made them.
    let sequence = (event.made / 1000).saturating_sub(SEQUENCE_BEGINS) / 60;
    lines.put(&["SEQUENCE:", &sequence.to_string()].concat());
    lines.put(if event.is_cancelled {
        "STATUS:CANCELLED"
    } else {
        "STATUS:CONFIRMED"
    });
    lines.put(&["SUMMARY:", &escaped(event.summary)].concat());
    lines.put(&["DESCRIPTION:", &escaped(event.description)].concat());
    lines.put(&["URL:", &one_line(event.url)].concat());
    lines.put(&["LOCATION:", &escaped(event.url)].concat());
    lines.put("END:VEVENT");
    lines.put("END:VCALENDAR");
    lines.0
}

/// A name for the file that every system takes.
#[must_use]
pub fn file_name(client: &str) -> String {
    let mut name = String::new();
    for c in client.chars().take(40) {
        let c = if c.is_alphanumeric() { c } else { '-' };
        if c != '-' || !(name.is_empty() || name.ends_with('-')) {
            name.push(c);
        }
    }
    let name = name.trim_matches('-');
    if name.is_empty() {
        "appointment.ics".to_owned()
    } else {
        [name, ".ics"].concat()
    }
}

/// What the zone's clock does around the event: each change as an observance of its own (section 3.6.5).
fn put_zone(lines: &mut Lines, zone: &str, around: i64, offset: &impl Fn(i64) -> Option<i64>) {
    let begin = (around - AROUND).max(0);
    let first = offset(begin).unwrap_or_default();
    let mut changes = vec![(None, first, first)];
    let (mut time, mut present) = (begin, first);
    while time < around + AROUND {
        let next = time + STEP;
        let there = offset(next).unwrap_or(present);
        if there != present {
            let at = change_between(time, next, present, offset);
            changes.push((Some(at), present, there));
            present = there;
        }
        time = next;
    }
    let standard = changes.iter().map(|(_, _, to)| *to).min().unwrap_or(first);
    lines.put("BEGIN:VTIMEZONE");
    lines.put(&["TZID:", zone].concat());
    for (at, from, to) in changes {
        let kind = if to == standard { "STANDARD" } else { "DAYLIGHT" };
        lines.put(&["BEGIN:", kind].concat());
        // As the clock showed it that was about to be changed.
        let since = at.map_or_else(|| "19700101T000000".to_owned(), |at| local(at + from));
        lines.put(&["DTSTART:", &since].concat());
        lines.put(&["TZOFFSETFROM:", &written_offset(from)].concat());
        lines.put(&["TZOFFSETTO:", &written_offset(to)].concat());
        lines.put(&["END:", kind].concat());
    }
    lines.put("END:VTIMEZONE");
}

/// Whether the zone's clock has shown this time before: it was put back in between.
fn is_second(time: i64, offset: &impl Fn(i64) -> Option<i64>) -> bool {
    let (Some(now), Some(before)) = (offset(time), offset(time - 3 * 3600)) else {
        return false;
    };
    before > now && offset(time + now - before) == Some(before)
}

/// The first second of the new offset.
fn change_between(before: i64, after: i64, present: i64, offset: &impl Fn(i64) -> Option<i64>) -> i64 {
    let (mut before, mut after) = (before, after);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset(middle).unwrap_or(present) == present {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

/// Lines of a file, folded, each with its end.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, line: &str) {
        let mut octets = 0;
        for c in line.chars() {
            if octets + c.len_utf8() > LINE_OCTETS {
                self.0.push_str("\r\n ");
                octets = 1;
            }
            self.0.push(c);
            octets += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// A text as a value (section 3.3.11). Control characters have no place in one.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\n' | '\r' => escaped.push_str("\\n"),
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\t' => escaped.push('\t'),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Whether a name may stand in a parameter as it is.
fn is_zone_name(zone: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    !zone.is_empty() && zone.bytes().all(is_plain)
}

fn seconds(ms: u64) -> i64 {
    i64::try_from(ms / 1000).unwrap_or(i64::MAX / 4)
}

fn utc(time: i64) -> String {
    [&local(time), "Z"].concat()
}

/// A time as a calendar writes it, `20261123T100200`; the offset is in it already.
fn local(time: i64) -> String {
    let (days, rest) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let (year, month, day) = date_of(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let mut text = padded(year, 4);
    for part in [month, day] {
        text.push_str(&padded(part, 2));
    }
    text.push('T');
    for part in [hour, minute, second] {
        text.push_str(&padded(part, 2));
    }
    text
}

/// Days since 1970 as a date of the Gregorian calendar; years begin in March, so that leap days come last.
const fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// `+0200` (section 3.3.14).
fn written_offset(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "+" };
    let size = seconds.abs();
    let mut text = [sign, &padded(size / 3600, 2), &padded(size / 60 % 60, 2)].concat();
    if size % 60 != 0 {
        text.push_str(&padded(size % 60, 2));
    }
    text
}

fn padded(number: i64, digits: usize) -> String {
    let text = number.to_string();
    ["0".repeat(digits.saturating_sub(text.len())), text].concat()
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
