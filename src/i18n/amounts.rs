//! How much, how fast, how long: numbers as one says them in the present language.
//!
//! Whole numbers all through: a float costs more to print than all of this.

use core::time::Duration;

use super::words;

const KILO: u64 = 1000;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Less is over before it is read.
const FEW_SECONDS: u64 = 10;

/// An amount of bytes: "812 bytes", "3.2 MB". Thousands, as disks are sold and systems count them.
#[must_use]
pub fn bytes(amount: u64) -> String {
    let words = &words().amount;
    if amount < KILO {
        // Below a thousand.
        return words.bytes.of(amount as usize);
    }
    let (unit, text) = match amount {
        0..1_000_000 => (KILO, words.kilobytes),
        1_000_000..1_000_000_000 => (KILO * KILO, words.megabytes),
        1_000_000_000.. => (KILO * KILO * KILO, words.gigabytes),
    };
    text.fill(&tenths(amount, unit))
}

/// How many of a unit: with one digit behind the point as long as that says something.
fn tenths(amount: u64, unit: u64) -> String {
    // Down, so that nothing is said to be whole before it is.
    let (whole, tenth) = (amount / unit, amount % unit / (unit / 10));
    let mut text = whole.to_string();
    if whole < 100 && tenth > 0 {
        text.push_str(words().amount.point);
        text.push_str(&tenth.to_string());
    }
    text
}

/// A rate: "3.2 MB/s".
#[must_use]
pub fn rate(bytes_a_second: u64) -> String {
    words().amount.a_second.fill(&bytes(bytes_a_second))
}

/// A part of a whole in percent, 0 to 100, and 100 only for all of it. Nothing of nothing is all.
#[must_use]
pub const fn percent_of(part: u64, whole: u64) -> u32 {
    if part >= whole {
        return 100;
    }
    // Both as large as may be. Below 100, for the part is less than the whole.
    (part as u128 * 100 / whole as u128) as u32
}

/// "37%".
#[must_use]
pub fn percent(percent: u32) -> String {
    words().amount.percent.fill(&percent.to_string())
}

/// How long something will take: "2 minutes left".
#[must_use]
pub fn time_left(left: Duration) -> String {
    let words = &words().amount;
    let seconds = left.as_secs();
    let up = |unit: u64| usize::try_from(seconds.div_ceil(unit)).unwrap_or(usize::MAX);
    match seconds {
        0..FEW_SECONDS => words.few_seconds_left.to_owned(),
        FEW_SECONDS..MINUTE => words.minute_left.to_owned(),
        MINUTE..HOUR => words.minutes_left.of(up(MINUTE)),
        HOUR..DAY => words.hours_left.of(up(HOUR)),
        DAY.. => words.days_left.to_owned(),
    }
}

/// "1.2 MB of 5 MB".
#[must_use]
pub fn part_of(part: u64, whole: u64) -> String {
    [bytes(part), words().amount.of.fill(&bytes(whole))].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_said_in_the_unit_that_fits() {
        for (amount, said) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1 kB"),
            (1949, "1.9 kB"),
            (99_949, "99.9 kB"),
            (123_456, "123 kB"),
            (999_999, "999 kB"),
            (3_200_000, "3.2 MB"),
            (4_294_967_296, "4.2 GB"),
            (u64::MAX, "18446744073 GB"),
        ] {
            assert_eq!(bytes(amount), said);
        }
        assert_eq!(rate(3_290_000), "3.2 MB/s");
        assert_eq!(part_of(1_200_000, 5_000_000), "1.2 MB of 5 MB");
    }

    #[test]
    fn all_is_said_only_of_all() {
        assert_eq!(percent_of(0, 0), 100);
        assert_eq!(percent_of(0, 3), 0);
        assert_eq!(percent_of(2, 3), 66);
        assert_eq!(percent_of(u64::MAX - 1, u64::MAX), 99);
        assert_eq!(percent_of(9, 3), 100);
        assert_eq!(percent(37), "37%");
    }

    #[test]
    fn time_is_said_more_roughly_the_longer_it_is() {
        for (seconds, said) in [
            (0, "a few seconds left"),
            (10, "less than a minute left"),
            (60, "1 minute left"),
            (61, "2 minutes left"),
            (3600, "1 hour left"),
            (3601, "2 hours left"),
            (86_400, "more than a day left"),
        ] {
            assert_eq!(time_left(Duration::from_secs(seconds)), said);
        }
        assert_eq!(time_left(Duration::MAX), "more than a day left");
    }
}
