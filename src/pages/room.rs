//! `/room/<name>#<secret>`: before the call, in it, and after it.

use leptos::prelude::*;
use visavis_call_core::{EndReason, SignalingState, Stage};

use super::{call, ended, prejoin};
use crate::components::dom::{El, el};
use crate::route::RoomLink;
use crate::runtime::use_runtime;

/// Which of the page's three faces is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Before,
    In,
    After(EndReason),
}

/// The page of a room.
pub fn page(link: RoomLink) -> El {
    let runtime = use_runtime();
    let visit = runtime.enter_room(&link);
    on_cleanup(move || runtime.leave_room(visit));

    let (stage, signaling) = (runtime.stage(), runtime.signaling());
    let phase = Memo::new(move |last: Option<&Phase>| match stage.get() {
        Stage::Outside | Stage::Preparing { .. } => Phase::Before,
        // Where the button was pressed it also says that it works, so nothing jumps if it fails.
        Stage::Joining => last.copied().unwrap_or(Phase::Before),
        Stage::Joined => Phase::In,
        Stage::Ended(reason) => Phase::After(reason),
    });
    let state = move || match stage.get() {
        Stage::Outside | Stage::Preparing { .. } => None,
        Stage::Joining => Some("joining"),
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
                Phase::In => call::view(&link),
                Phase::After(reason) => ended::view(&link, reason),
            })
        })
}
