//! How a transfer stands, in words, and what one can do about it: a table of plain values.

use visavis_call_core::{Direction, Transfer, TransferState};
use visavis_protocol::transfer::StopReason;

use crate::i18n::{amounts, words};

/// What a person can do about a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Takes what is offered.
    Accept,
    /// Does not.
    Decline,
    /// Lets it rest.
    Pause,
    /// Lets it go on.
    Resume,
    /// Picks the file, or the folder, that is lacking.
    Again,
    /// Puts what came where it is wanted.
    Save,
    /// Looks at it, or no longer.
    Preview,
    /// Ends it.
    Cancel,
    /// Takes the line away. Asks first where that would lose what came.
    Remove,
    /// Takes it away although it would.
    Discard,
    /// Does not, after all.
    Keep,
}

/// How a line is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Somebody is to do something.
    Asking,
    /// It goes its way.
    Calm,
    /// It rests, by a wish or for a while.
    Resting,
    /// All is well.
    Good,
    /// It is over before its end.
    Over,
}

/// What is known of a transfer beside what the core tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Whether it was saved already.
    pub is_saved: bool,
    /// Whether it can be looked at here.
    pub can_preview: bool,
}

/// How a transfer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// In words.
    pub text: String,
    /// At a glance.
    pub mood: Mood,
    /// What one can do, what matters most first.
    pub acts: &'static [Act],
}

/// The state's name, for styles and for tests.
#[must_use]
pub const fn state_name(state: TransferState) -> &'static str {
    match state {
        TransferState::Offered => "offered",
        TransferState::Waiting => "waiting",
        TransferState::Running => "running",
        TransferState::Paused { .. } => "paused",
        TransferState::Interrupted => "interrupted",
        TransferState::Lacking { .. } => "lacking",
        TransferState::Verifying => "verifying",
        TransferState::Done => "done",
        TransferState::Stopped { .. } => "stopped",
    }
}

/// Whether it waits for this person's answer.
#[must_use]
pub fn asks(transfer: &Transfer) -> bool {
    transfer.state == TransferState::Offered && transfer.direction == Direction::Receiving
}

/// Whether this is all there is of something that came.
#[must_use]
pub fn would_be_lost(transfer: &Transfer, beside: Beside) -> bool {
    transfer.state == TransferState::Done && transfer.direction == Direction::Receiving && !beside.is_saved
}

/// Where it belongs in the list: what waits for the person before what goes its way, and what is over
/// at the end.
#[must_use]
pub fn rank(transfer: &Transfer) -> u8 {
    match transfer.state {
        TransferState::Offered if asks(transfer) => 0,
        TransferState::Lacking { ours: true } => 1,
        TransferState::Offered
        | TransferState::Waiting
        | TransferState::Running
        | TransferState::Paused { .. }
        | TransferState::Interrupted
        | TransferState::Lacking { ours: false }
        | TransferState::Verifying => 2,
        TransferState::Done | TransferState::Stopped { .. } => 3,
    }
}

/// How it stands. `is_asked` is whether the person has to say if what would be lost may go.
#[must_use]
pub fn standing(transfer: &Transfer, beside: Beside, is_asked: bool) -> Standing {
    let (words, name) = (&words().file, transfer.name.as_str());
    let is_sent = transfer.direction == Direction::Sending;
    let plain = |text: &str, mood, acts| Standing {
        text: text.to_owned(),
        mood,
        acts,
    };
    let filled = |text: crate::i18n::With, mood, acts| Standing {
        text: text.fill(name),
        mood,
        acts,
    };
    match transfer.state {
        TransferState::Offered if is_sent => filled(words.offered_out, Mood::Calm, &[Act::Cancel]),
        TransferState::Offered => filled(words.offered_in, Mood::Asking, &[Act::Accept, Act::Decline]),
        TransferState::Waiting => plain(words.queued, Mood::Calm, &[Act::Pause, Act::Cancel]),
        TransferState::Running => Standing {
            text: pace(transfer),
            mood: Mood::Calm,
            acts: &[Act::Pause, Act::Cancel],
        },
        TransferState::Paused { by_us: true } => {
            plain(words.paused, Mood::Resting, &[Act::Resume, Act::Cancel])
        }
        TransferState::Paused { by_us: false } => filled(words.paused_by, Mood::Resting, &[Act::Cancel]),
        TransferState::Interrupted => filled(words.interrupted, Mood::Resting, &[Act::Cancel]),
        TransferState::Lacking { ours: true } => {
            let text = if transfer.is_folder {
                words.lacking_folder
            } else {
                words.lacking
            };
            plain(text, Mood::Asking, &[Act::Again, Act::Cancel])
        }
        TransferState::Lacking { ours: false } => filled(words.lacking_there, Mood::Resting, &[Act::Cancel]),
        TransferState::Verifying => plain(words.verifying, Mood::Calm, &[Act::Cancel]),
        TransferState::Done if is_sent => filled(words.sent, Mood::Good, &[Act::Remove]),
        TransferState::Done if is_asked && would_be_lost(transfer, beside) => {
            plain(words.unsaved, Mood::Asking, &[Act::Save, Act::Discard, Act::Keep])
        }
        TransferState::Done => {
            let text = if beside.is_saved {
                words.saved
            } else {
                words.received
            };
            let acts: &[Act] = if beside.can_preview {
                &[Act::Save, Act::Preview, Act::Remove]
            } else {
                &[Act::Save, Act::Remove]
            };
            plain(text, Mood::Good, acts)
        }
        TransferState::Stopped { reason, by_us } => Standing {
            text: why(reason, by_us, transfer),
            mood: Mood::Over,
            acts: &[Act::Remove],
        },
    }
}

/// How fast it goes and how long it will take, as far as anybody can say.
fn pace(transfer: &Transfer) -> String {
    let words = words();
    if transfer.rate == 0 {
        return match transfer.direction {
            Direction::Sending => words.file.sending,
            Direction::Receiving => words.file.receiving,
        }
        .to_owned();
    }
    let mut text = amounts::rate(transfer.rate);
    if let Some(left) = transfer.left {
        text.push_str(words.comma);
        text.push_str(&amounts::time_left(left));
    }
    text
}

/// What happened, and what to do.
fn why(reason: StopReason, by_us: bool, transfer: &Transfer) -> String {
    use Direction::{Receiving, Sending};

    let (words, name) = (&words().file, transfer.name.as_str());
    let text = match (reason, transfer.direction) {
        (StopReason::Declined, Receiving) if by_us => return words.declined_in.to_owned(),
        (StopReason::Declined, Sending) if !by_us => words.declined_out,
        (StopReason::Cancelled | StopReason::Declined, Sending | Receiving) => {
            if by_us {
                return words.cancelled.to_owned();
            }
            words.cancelled_by
        }
        (StopReason::TooBig, Receiving) => words.too_big_in,
        (StopReason::TooBig, Sending) => words.too_big_out,
        (StopReason::TooMany, Receiving) => words.too_many_in,
        (StopReason::TooMany, Sending) => words.too_many_out,
        (StopReason::BadOffer, Receiving) => words.bad_offer_in,
        (StopReason::BadOffer, Sending) => return words.bad_offer_out.to_owned(),
        (StopReason::BadContent, Receiving) => words.bad_content_in,
        (StopReason::BadContent, Sending) => words.bad_content_out,
        (StopReason::Changed, Receiving) => words.changed_in,
        (StopReason::Changed, Sending) => return words.changed_out.to_owned(),
        (StopReason::Unreadable, Receiving) => words.unreadable_in,
        (StopReason::Unreadable, Sending) => return words.unreadable_out.to_owned(),
        (StopReason::Unstorable, Receiving) => words.unstorable_in,
        (StopReason::Unstorable, Sending) => words.unstorable_out,
        (StopReason::Unknown, Receiving) => words.unknown_in,
        (StopReason::Unknown, Sending) => words.unknown_out,
        (StopReason::Other, Receiving) => words.other_in,
        (StopReason::Other, Sending) => words.other_out,
    };
    text.fill(name)
}

#[cfg(test)]
mod tests;
