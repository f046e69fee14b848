//! Who came to the desk, told on every other page: a card that leads there, also in the middle of a call.

use leptos::prelude::*;
use visavis_protocol::appointment::DeskStatus;

use crate::components::dom::{El, button, el_class};
use crate::components::{Avatar, Icon, icon};
use crate::i18n::words;
use crate::route::{LinkToken, Route};
use crate::runtime::use_runtime;

/// The card, over everything, and what is said of it to those who do not see it.
pub fn arrival_card() -> El {
    let runtime = use_runtime();
    let (desk, number, route) = (runtime.desk(), runtime.arrival(), runtime.route());
    let arrived = Memo::new(move |_| {
        let number = number.get();
        desk.with(|desk| {
            let is_it = |number_of: u64| number > 0 && number_of == u64::from(number);
            let arrival = desk.arrivals.iter().find(|arrival| is_it(arrival.number))?;
            let entry = desk
                .entries
                .iter()
                .find(|entry| entry.appointment == arrival.appointment)?;
            matches!(entry.status, DeskStatus::Waiting { .. }).then(|| arrival.client.clone())
        })
    });
    let said = el_class("p", "visually-hidden")
        .attr("role", "status")
        .attr("aria-live", "assertive")
        .live_text(move || {
            runtime.speech().track();
            let client = arrived.get();
            client.map_or_else(String::new, |client| words().desk.is_here.fill(&client))
        });
    el_class("div", "ring-place").child(said).slot(move || {
        runtime.speech().track();
        let client = arrived.get()?;
        let is_in_room = match route.get() {
            // On the desk itself the list says it.
            Route::Desk(_) => return None,
            Route::Room(_) => true,
            Route::Lobby
            | Route::Contacts
            | Route::Contact(_)
            | Route::Join(_)
            | Route::BadRoomLink(_)
            | Route::NotFound => false,
        };
        Some(card(&client, is_in_room))
    })
}

fn card(client: &str, is_in_room: bool) -> El {
    let runtime = use_runtime();
    let words = words();
    let close = button("sign", move || runtime.dismiss_arrival()).child(icon(Icon::Close));
    close.set_label(words.close);
    let desk = Route::Desk(LinkToken::Absent);
    let go = if is_in_room {
        // Whoever leaves a room's page leaves its call.
        el_class("a", "button button-primary")
            .attr("href", &desk.path())
            .attr("target", "_blank")
            .attr("rel", "noopener")
            .text(words.desk.to_desk_beside)
    } else {
        button("button button-primary", move || runtime.navigate(&desk)).text(words.desk.to_desk)
    };
    el_class("div", "ring-card arrival")
        .attr("role", "region")
        .attr("aria-label", words.appointments)
        .child(
            el_class("div", "ring-person")
                .child(Avatar::of(client).el())
                .child(
                    el_class("p", "ring-title grow")
                        .attr("dir", "auto")
                        .text(&words.desk.is_waiting.fill(client)),
                )
                .child(close),
        )
        .child(el_class("div", "ring-acts").child(go))
}
