//! What is said to the client of an appointment.

use super::{Key, Texts, With};

words! {
    /// What is said to the client of an appointment.
    VisitWords:
    /// Heading.
    with: With,
    /// Heading while nothing is known.
    yours: &'static str,
    /// The time in the zone in which it was agreed.
    agreed: With,
    /// Button.
    ready: &'static str,
    /// Under it.
    ready_hint: &'static str,
    /// Status.
    waiting_for: With,
    /// Title.
    waiting: &'static str,
    /// Under it.
    waiting_hint: &'static str,
    /// How long.
    since: With,
    /// Whether the professional is there.
    desk_open: With,
    /// The same.
    desk_closed: With,
    /// Button.
    stop: &'static str,
    /// Status; the hole takes a time.
    early: With,
    /// The same of another day.
    early_day: With,
    /// Under it.
    early_hint: &'static str,
    /// Countdown.
    opens_in: With,
    /// Note; the hole takes the old time.
    moved_from: With,
    /// After it; the hole takes the new time.
    moved_to: With,
    /// Heading.
    cancelled: &'static str,
    /// What to do.
    cancelled_hint: With,
    /// Heading.
    late: &'static str,
    /// What to do.
    late_hint: With,
    /// Heading.
    over: &'static str,
    /// Under it.
    over_hint: &'static str,
    /// Status.
    expected: With,
    /// Heading.
    elsewhere: &'static str,
    /// Under it.
    elsewhere_hint: &'static str,
    /// Button.
    use_here: &'static str,
    /// Before anything is known.
    looking: &'static str,
    /// Note.
    offline: &'static str,
    /// The server wants no more of this page.
    closed: &'static str,
    /// Page without a link.
    about: &'static str,
    /// What to do.
    ask: &'static str,
    /// What to do.
    copy_again: &'static str,
    /// Refused.
    not_ready: &'static str,
}
