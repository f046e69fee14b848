//! What kind of end a call had: the one measure by which two sides are compared.

use visavis_call_core::CallEnd;
use visavis_protocol::people::EndReason;

/// What kind of end a page knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It was taken, if only for a moment.
    Talked,
    /// The callee said no.
    Declined,
    /// Nobody took it: an entry among the missed calls.
    Missed,
    /// This page is out of it, because another page of the person, or another call, goes on. It says
    /// nothing of how that ends.
    Elsewhere,
    /// It came to nothing, and this page cannot know what the other side saw.
    Failed,
}

/// The class of an end as one page knows it.
///
/// - Who has talked has talked, whatever came then.
/// - What a page alone knows (no microphone, no connection, no server) says nothing of the other side,
///   which is told of a call that was cancelled, declined or hung up.
/// - `hung up` and `lost` are said of calls that were taken, also to a page that had not heard of that.
#[must_use]
pub const fn class(end: CallEnd, has_talked: bool) -> Class {
    if has_talked {
        return Class::Talked;
    }
    match end {
        CallEnd::Said(reason) => match reason {
            EndReason::HungUp | EndReason::Lost => Class::Talked,
            EndReason::Declined | EndReason::DeclinedElsewhere => Class::Declined,
            EndReason::Unreachable
            | EndReason::Busy
            | EndReason::InAnotherCall
            | EndReason::Cancelled
            | EndReason::TimedOut => Class::Missed,
            EndReason::AnsweredElsewhere | EndReason::Merged => Class::Elsewhere,
            EndReason::Collision | EndReason::UnknownCall | EndReason::Unknown => Class::Failed,
        },
        CallEnd::NoServer | CallEnd::Refused(_) | CallEnd::NoConnection(_) | CallEnd::NoMicrophone => {
            Class::Failed
        }
    }
}
