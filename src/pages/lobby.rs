//! `/`: who one is, which room, or a new one.

use leptos::prelude::*;
use visavis_protocol::text;

use super::looks::looks;
use super::wrong::link_error;
use super::{PersonName, RoomText};
use crate::components::dom::{El, button, el, el_class};
use crate::components::{Field, Icon, brand, heading, icon, name_error, name_field, switch};
use crate::i18n::words;
use crate::route::{RoomLink, Route};
use crate::runtime::use_runtime;

/// The lobby.
pub fn page() -> El {
    let words = words();
    use_runtime().set_title(words.visavis);
    let head = el_class("div", "lobby-head")
        .child(brand(heading(words.visavis)))
        .child(el_class("p", "quiet").text(words.tagline));
    el_class("main", "page lobby")
        .child(head)
        .child(enter())
        .slot({
            let has_forgotten = StoredValue::new(false);
            move || recent(has_forgotten)
        })
        .child(ways())
        .child(el_class("div", "lobby-foot").children(looks()))
}

/// The card: name, room, and the two ways in.
fn enter() -> El {
    let words = words();
    let runtime = use_runtime();
    let PersonName(name) = expect_context();
    let name_field = name_field(name);
    let join = el_class("button", "button").text(words.join_room);
    let room_field = Field::new("room", words.room, Some(join));
    let RoomText(typed) = expect_context();
    let kept = room_field.clone();
    let input = room_field
        .input()
        .on("input", move |_| typed.set_value(kept.text()));
    input.set_property("value", &typed.get_value().into());
    input
        .attr("autocomplete", "off")
        .attr("autocapitalize", "none")
        .attr("placeholder", words.room_hint);

    // A name may wait until the room's own page, but a wrong one is said where it is typed.
    let named = name_field.clone();
    let name_will_do = move || {
        let text = named.text();
        let problem = match text.trim() {
            "" => None,
            name => text::check_name(name).err(),
        };
        named.set_error(problem.map(name_error));
        problem.is_none()
    };
    let room = room_field.clone();
    let named = name_will_do.clone();
    let join = move || {
        if !named() {
            return;
        }
        match runtime.room_from_input(&room.text()) {
            Ok(link) => {
                typed.set_value(String::new());
                runtime.navigate(&Route::Room(link));
            }
            Err(error) => room.set_error(Some(link_error(error))),
        }
    };
    let has_waiting_room = RwSignal::new(false);
    let make = move || {
        if name_will_do() {
            typed.set_value(String::new());
            runtime.navigate(&Route::Room(runtime.new_room(has_waiting_room.get_untracked())));
        }
    };
    el_class("form", "card")
        .attr("novalidate", "")
        .on("submit", move |event| {
            event.prevent_default();
            join();
        })
        .child(name_field.whole)
        .child(room_field.whole)
        .child(el_class("div", "divider").text(words.or))
        .child(
            button("button button-primary button-large", make)
                .attr("aria-describedby", "new-room-hint")
                .text(words.new_room),
        )
        .child(
            el_class("p", "under")
                .attr("id", "new-room-hint")
                .text(words.new_room_hint),
        )
        .child(switch(
            "waiting-room-hint",
            [words.host.waiting_room, words.host.waiting_room_hint],
            move || has_waiting_room.get(),
            move || has_waiting_room.update(|on| *on = !*on),
        ))
}

/// Rooms joined before. Not there at all for somebody who comes for the first time.
fn recent(has_forgotten: StoredValue<bool>) -> Option<El> {
    let rooms = use_runtime().recent_rooms().get();
    if rooms.is_empty() {
        return None;
    }
    let title = words().recent_rooms;
    let heading = el_class("h2", "section-title").attr("tabindex", "-1").text(title);
    // The button that was pressed went with its room.
    if has_forgotten.get_value() {
        has_forgotten.set_value(false);
        heading.focus_soon();
    }
    let list = el_class("ul", "rows")
        // Without its bullets some browsers no longer take it for a list.
        .attr("role", "list")
        .attr("aria-label", title)
        .children(rooms.into_iter().map(|link| recent_room(link, has_forgotten)));
    Some(el("section").child(heading).child(list))
}

fn recent_room(link: RoomLink, has_forgotten: StoredValue<bool>) -> El {
    let runtime = use_runtime();
    let sign = if link.has_secret() { Icon::Lock } else { Icon::Open };
    let to_room = el("a")
        .attr("href", &link.path())
        .child(icon(sign))
        .child(el_class("span", "cut").attr("dir", "auto").text(link.name()));
    let label = words().forget_room.fill(link.name());
    let forget = button("sign", move || {
        has_forgotten.set_value(true);
        runtime.forget_room(&link);
    })
    .child(icon(Icon::Close));
    forget.set_label(&label);
    el("li").child(to_room).child(forget)
}

/// The other two ways to talk.
fn ways() -> El {
    let words = words();
    el_class("nav", "ways")
        .child(to_contacts(way(
            "/contacts",
            Icon::People,
            words.contacts,
            words.contacts_hint,
        )))
        .child(way(
            "/desk",
            Icon::Calendar,
            words.appointments,
            words.appointments_hint,
        ))
}

/// The way to one's contacts, with the calls that were missed.
fn to_contacts(way: El) -> El {
    let runtime = use_runtime();
    way.slot(move || {
        let missed = runtime.missed();
        (missed > 0).then(|| el_class("span", "way-news").text(&words().phone.missed.of(missed)))
    })
}

/// The whole card is the link's, but only its name is in it: the hint is no part of the name.
fn way(href: &str, sign: Icon, name: &str, hint: &str) -> El {
    el_class("div", "way")
        .child(icon(sign))
        .child(el("a").attr("href", href).text(name))
        .child(el("span").text(hint))
}
