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
        // On the desk itself the list says it.
        if matches!(route.get(), Route::Desk(_)) {
            return None;
        }
        Some(card(&client))
    })
}

fn card(client: &str) -> El {
    let runtime = use_runtime();
    let words = words();
    let close = button("sign", move || runtime.dismiss_arrival()).child(icon(Icon::Close));
    close.set_label(words.close);
    let go = button("button button-primary", move || {
        runtime.navigate(&Route::Desk(LinkToken::Absent));
    })
    .text(words.desk.to_desk);
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
