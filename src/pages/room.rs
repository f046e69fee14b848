//! `/room/<name>#<secret>`: before the call, in it, and after it.

use leptos::prelude::*;
use visavis_call_core::{EndReason, SignalingState, Stage};

use super::{call, ended, prejoin, set_title, waiting};
use crate::components::dom::{El, el};
use crate::components::{Icon, message};
use crate::i18n::words;
use crate::route::RoomLink;
use crate::runtime::use_runtime;

/// Which of the page's three faces is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Before,
    /// Before a gate, until the host opens it.
    Waiting,
    /// On the way to somebody in a direct call: whoever took it has said that they come.
    Meeting,
    In,
    After(EndReason),
}

/// The page of a room.
pub fn page(link: RoomLink) -> El {
    let runtime = use_runtime();
    let visit = runtime.enter_room(&link);
    on_cleanup(move || runtime.leave_room(visit));

    let (stage, signaling) = (runtime.stage(), runtime.signaling());
    let of_call = link.clone();
    let appointed = runtime.appointed(&link);
    let direct = Memo::new(move |_| {
        let direct = runtime.direct(&of_call).map(|direct| direct.name);
        direct.or_else(|| appointed.clone())
    });
    let phase = Memo::new(move |last: Option<&Phase>| match stage.get() {
        // Why it did not work is said on the page before joining.
        Stage::Preparing { problem: Some(_) } => Phase::Before,
        Stage::Outside | Stage::Preparing { .. } | Stage::Joining if direct.with(Option::is_some) => {
            Phase::Meeting
        }
        Stage::Outside | Stage::Preparing { .. } => Phase::Before,
        Stage::Waiting => Phase::Waiting,
        // Where the button was pressed it also says that it works, so nothing jumps if it fails.
        Stage::Joining => last.copied().unwrap_or(Phase::Before),
        Stage::Joined => Phase::In,
        Stage::Ended(reason) => Phase::After(reason),
    });
    let state = move || match stage.get() {
        Stage::Outside | Stage::Preparing { .. } => None,
        Stage::Joining => Some("joining"),
        Stage::Waiting => Some("waiting"),
        Stage::Joined if signaling.get() == SignalingState::Online => Some("joined"),
        Stage::Joined => Some("reconnecting"),
        Stage::Ended(_) => Some("ended"),
    };
    let speech = runtime.speech();
    el("main")
        .live(move |main| main.set_attr("data-room-state", state()))
        .slot(move || {
            // Other words are a new face of the same stay.
            speech.track();
            Some(match phase.get() {
                Phase::Before => prejoin::view(&link),
                Phase::Waiting => waiting::view(&link),
                Phase::Meeting => meeting(&direct.get_untracked().unwrap_or_default()),
                Phase::In => call::view(&link),
                Phase::After(reason) => ended::view(&link, reason),
            })
        })
}

/// Between the answer and the call: a moment, mostly.
fn meeting(name: &str) -> El {
    let text = words().phone.connecting_to.fill(name);
    set_title(&text);
    message(Icon::Phone, &text, "", [call::leave_button()])
}
