//! After the call: why it ended, and how to go on.

use leptos::prelude::*;
use visavis_call_core::{EndReason, Stage};

use super::{PersonName, set_title};
use crate::components::{Icon, message};
use crate::i18n::words;
use crate::route::RoomLink;
use crate::runtime::use_runtime;

/// What is shown after a call.
pub fn view(link: &RoomLink, reason: EndReason) -> AnyView {
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
    };
    let go_on = move |_| match reason {
        EndReason::PageOutdated => runtime.reload(),
        EndReason::HungUp | EndReason::SeatMoved | EndReason::Refused => {
            if !is_joining() {
                // The name was good enough to get in; if not, the page before joining says why.
                _ = runtime.join(&name.get_untracked());
            }
        }
    };
    let actions = view! {
        <button
            type="button"
            class="button button-primary"
            aria-disabled=move || is_joining().then_some("true")
            on:click=go_on
        >
            {move || if is_joining() { words.joining } else { again }}
        </button>
        <a class="button" href="/">
            {words.back_to_lobby}
        </a>
    };
    message(sign, title, text, actions.into_any())
}
