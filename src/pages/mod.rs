//! What people see, one page a route. Pages read the runtime's signals and tell it what people want.

mod call;
mod calling;
mod chat;
mod comforts;
mod contacts;
mod desk;
mod devices;
mod ended;
mod files;
mod join;
mod link;
mod lobby;
mod looks;
mod more;
mod people;
mod popout;
mod prejoin;
mod recording;
mod room;
mod scene;
mod shortcuts;
mod stage;
mod status;
mod waiting;
mod wrong;

use leptos::prelude::*;
use visavis_call_core::SignalingState;

pub use calling::card;
pub use desk::Draft as DeskDraft;
pub use desk::arrival_card;

use crate::components::dom::{El, el, el_class};
use crate::components::{Icon, icon, message};
use crate::i18n::words;
use crate::route::Route;
use crate::runtime::use_runtime;

/// The name as it stands in the field, carried from page to page.
#[derive(Clone, Copy)]
pub struct PersonName(pub StoredValue<String>);

/// What stands in the lobby's other field: it outlasts a change of the words.
#[derive(Clone, Copy)]
pub struct RoomText(pub StoredValue<String>);

/// The page of a route.
pub fn page(route: Route) -> El {
    // A stay in a room outlasts its words.
    if let Route::Room(link) = route {
        return room::page(link);
    }
    // So does what somebody types at a desk, and the wait for an appointment.
    if let Route::Desk(token) = route {
        return desk::page(token);
    }
    if let Route::Join(token) = route {
        return join::page(token);
    }
    let speech = use_runtime().speech();
    el_class("div", "slot").slot(move || {
        speech.track();
        Some(match &route {
            Route::Lobby | Route::Room(_) => lobby::page(),
            Route::Contacts => contacts::page(),
            Route::Contact(handle) => contacts::conversation(handle),
            Route::Desk(_) | Route::Join(_) => lobby::page(),
            Route::BadRoomLink(error) => wrong::bad_link(*error),
            Route::NotFound => wrong::not_found(),
        })
    })
}

/// `<what> · Visavis` in the tab's title.
fn set_title(what: &str) {
    use_runtime().set_title(&words().title.fill(what));
}

/// A page that says one thing and leads back to the lobby.
fn dead_end(sign: Icon, title: &str, text: &str) -> El {
    set_title(title);
    let home = to_lobby("button button-primary");
    el("main").child(message(sign, title, text, [home]))
}

/// The same of what is still to come, which says so while there is no server.
fn not_yet(sign: Icon, [title, text]: [&str; 2], away: fn() -> &'static str) -> El {
    set_title(title);
    let home = to_lobby("button button-primary");
    el("main").child(message(sign, title, text, [home]).slot(move || offline(away())))
}

/// What is said while there is no server. Follows signals.
fn offline(text: &str) -> Option<El> {
    let signaling = use_runtime().signaling();
    let is_away = Memo::new(move |_| matches!(signaling.get(), SignalingState::Waiting { .. }));
    is_away.get().then(|| {
        el_class("div", "note")
            .attr("role", "status")
            .child(icon(Icon::Reconnecting))
            .child(el("p").text(text))
    })
}

fn to_lobby(class: &str) -> El {
    el_class("a", class).attr("href", "/").text(words().back_to_lobby)
}
