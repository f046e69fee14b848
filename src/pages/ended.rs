//! After the call: why it ended, and how to go on.

use leptos::prelude::*;
use visavis_call_core::{EndReason, Stage};

use super::recording::outcome;
use super::{PersonName, set_title, to_lobby};
use crate::components::dom::{El, button};
use crate::components::{Icon, message};
use crate::i18n::words;
use crate::route::RoomLink;
use crate::runtime::use_runtime;

/// What is shown after a call.
pub fn view(link: &RoomLink, reason: EndReason) -> El {
    set_title(link.name());
    let words = words();
    let runtime = use_runtime();
    let PersonName(name) = expect_context();
    let is_joining = move || runtime.stage().get() == Stage::Joining;
    let (sign, title, text, again) = match reason {
        EndReason::HungUp => (Icon::Leave, words.ended_hung_up, "", words.rejoin),
        EndReason::SeatMoved => (
            Icon::People,
            words.ended_moved,
            words.ended_moved_hint,
            words.continue_here,
        ),
        EndReason::PageOutdated => (
            Icon::Reconnecting,
            words.ended_outdated,
            words.ended_outdated_hint,
            words.reload,
        ),
        EndReason::Refused => (
            Icon::Warning,
            words.ended_refused,
            words.ended_refused_hint,
            words.try_again,
        ),
        EndReason::Removed => (
            Icon::Lock,
            words.host.removed,
            words.host.removed_hint,
            words.rejoin,
        ),
        EndReason::LinkChanged => (
            Icon::Link,
            words.host.left_behind,
            words.host.left_behind_hint,
            words.rejoin,
        ),
    };
    let go_on = button("button button-primary", move || match reason {
        EndReason::PageOutdated => runtime.reload(),
        EndReason::HungUp
        | EndReason::SeatMoved
        | EndReason::Refused
        | EndReason::Removed
        | EndReason::LinkChanged => {
            // The name was good enough to get in; if not, the page before joining says why.
            _ = runtime.join(&name.get_value());
        }
    })
    .live(move |button| {
        button.set_flag("disabled", is_joining());
        button.set_text(if is_joining() { words.joining } else { again });
    });
    // The old link leads nowhere: there is nothing to go on with.
    let go_on = (!matches!(reason, EndReason::Removed | EndReason::LinkChanged)).then_some(go_on);
    message(sign, title, text, go_on.into_iter().chain([to_lobby("button")])).child(outcome())
}
