//! What people see, one page a route. Pages read the runtime's signals and tell it what people want.

mod call;
mod devices;
mod ended;
mod later;
mod lobby;
mod prejoin;
mod room;
mod status;
mod wrong;

use leptos::prelude::*;

use crate::route::Route;

/// The name as it stands in the field, carried from page to page.
#[derive(Clone, Copy)]
pub struct PersonName(pub RwSignal<String>);

/// The page of a route.
pub fn page(route: Route) -> AnyView {
    match route {
        Route::Lobby => lobby::page(),
        Route::Contacts => later::contacts(),
        Route::Desk => later::appointments(),
        Route::Room(link) => room::page(link),
        Route::BadRoomLink(error) => wrong::bad_link(error),
        Route::NotFound => wrong::not_found(),
    }
}

/// `<what> · Visavis` in the tab's title.
fn set_title(what: &str) {
    let title = crate::i18n::words().title.fill(what);
    crate::runtime::use_runtime().set_title(&title);
}
