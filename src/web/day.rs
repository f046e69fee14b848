//! The wall's clock, and how the person's system writes its times.

use js_sys::{Array, Date, Object};
use wasm_bindgen::JsValue;

use super::value;

/// Milliseconds since 1970.
#[must_use]
pub fn now() -> u64 {
    // Positive, and whole far beyond anybody's life.
    Date::now().max(0.0) as u64
}

/// A time of day as people here write it, with the day where it is not today.
#[must_use]
pub fn written(time: u64) -> String {
    let short = value::dictionary(&[("hour", "numeric".into()), ("minute", "2-digit".into())]);
    let is_today = fields(time).0 == fields(now()).0;
    if !is_today {
        value::set(&short, "day", &"numeric".into());
        value::set(&short, "month", &"short".into());
    }
    let how = if is_today {
        "toLocaleTimeString"
    } else {
        "toLocaleString"
    };
    write(time, how, &short)
}

/// A time of day as people here write it: in their own zone, or in one that the IANA names. Empty where the
/// browser does not know that zone.
#[must_use]
pub fn clock(time: u64, zone: Option<&str>) -> String {
    let short = value::dictionary(&[("hour", "numeric".into()), ("minute", "2-digit".into())]);
    within(&short, zone);
    write(time, "toLocaleTimeString", &short)
}

/// A day in full: "Monday, November 23, 2026".
#[must_use]
pub fn day(time: u64, zone: Option<&str>) -> String {
    let long = value::dictionary(&[
        ("weekday", "long".into()),
        ("day", "numeric".into()),
        ("month", "long".into()),
        ("year", "numeric".into()),
    ]);
    within(&long, zone);
    write(time, "toLocaleDateString", &long)
}

/// A day in few letters: "Mon, Nov 23".
#[must_use]
pub fn short_day(time: u64) -> String {
    let short = value::dictionary(&[
        ("weekday", "short".into()),
        ("day", "numeric".into()),
        ("month", "short".into()),
    ]);
    write(time, "toLocaleDateString", &short)
}

/// The zone of this browser, as the IANA names it.
#[must_use]
pub fn zone() -> String {
    let format = value::call(&intl(), "DateTimeFormat", &[]);
    let options = format.and_then(|format| value::call(&format, "resolvedOptions", &[]));
    let zone = options.map(|options| value::get(&options, "timeZone").as_string());
    zone.ok().flatten().unwrap_or_else(|| "UTC".to_owned())
}

/// How far a zone is ahead of UTC at a time, in seconds. Nothing where the browser does not know the zone.
#[must_use]
pub fn offset_seconds(time: u64, zone: &str) -> Option<i64> {
    let number = || JsValue::from("numeric");
    let parts = value::dictionary(&[
        ("year", number()),
        ("month", number()),
        ("day", number()),
        ("hour", number()),
        ("minute", number()),
        ("second", number()),
        ("hourCycle", "h23".into()),
        ("calendar", "gregory".into()),
        ("numberingSystem", "latn".into()),
    ]);
    within(&parts, Some(zone));
    let date = Date::new(&JsValue::from_f64(time as f64));
    let text = value::call(&date, "toLocaleString", &[&"en-US".into(), &parts]).ok()?;
    let text = text.as_string()?;
    // "11/23/2026, 10:02:33"
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse::<i32>().ok());
    let mut next = || numbers.next();
    let (month, day, year) = (next()?, next()?, next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    let there = Array::of5(
        &year.into(),
        &(month - 1).into(),
        &day.into(),
        &hour.into(),
        &minute.into(),
    );
    let utc = value::method(&value::get(&js_sys::global(), "Date"), "UTC")?;
    let there = utc.apply(&JsValue::UNDEFINED, &there).ok()?.as_f64()?;
    let here = (time / 1000) as i64;
    Some((there / 1000.0) as i64 + i64::from(second) - here)
}

/// A time as the fields for a date and for a time of day have it: `2026-11-23`, `10:30`. In this browser's zone.
#[must_use]
pub fn fields(time: u64) -> (String, String) {
    let date = Date::new(&JsValue::from_f64(time as f64));
    let day = [
        padded(date.get_full_year(), 4),
        padded(date.get_month() + 1, 2),
        padded(date.get_date(), 2),
    ]
    .join("-");
    let clock = [padded(date.get_hours(), 2), padded(date.get_minutes(), 2)].join(":");
    (day, clock)
}

/// The first year that [`of_fields`] takes. `Date` takes the first hundred for those of the last century.
const FIRST_YEAR: u32 = 1970;

/// What such fields say. A time that a clock skips is the one after it, one that it shows twice is the first.
/// Nothing before 1970: a year of two digits is one that is still being typed.
#[must_use]
pub fn of_fields(day: &str, clock: &str) -> Option<u64> {
    let numbers = |text: &str, by: char| {
        let numbers: Option<Vec<u32>> = text.split(by).map(|part| part.parse().ok()).collect();
        numbers.filter(|numbers| numbers.len() >= 2)
    };
    let (day, clock) = (numbers(day, '-')?, numbers(clock, ':')?);
    let year = *day.first()?;
    if year < FIRST_YEAR {
        return None;
    }
    let date = Date::new_with_year_month_day_hr_min(
        year,
        i32::try_from(*day.get(1)?).ok()? - 1,
        i32::try_from(*day.get(2)?).ok()?,
        i32::try_from(*clock.first()?).ok()?,
        i32::try_from(*clock.get(1)?).ok()?,
    );
    let time = date.get_time();
    (time >= 0.0).then_some(time as u64)
}

fn padded(number: u32, digits: usize) -> String {
    let text = number.to_string();
    ["0".repeat(digits.saturating_sub(text.len())), text].concat()
}

fn intl() -> JsValue {
    value::get(&js_sys::global(), "Intl")
}

fn within(options: &Object, zone: Option<&str>) {
    if let Some(zone) = zone {
        value::set(options, "timeZone", &zone.into());
    }
}

fn write(time: u64, how: &str, options: &Object) -> String {
    let date = Date::new(&JsValue::from_f64(time as f64));
    // A time out of all range has no text.
    let text = value::call(&date, how, &[&JsValue::UNDEFINED, options]).ok();
    text.and_then(|text| text.as_string()).unwrap_or_default()
}
