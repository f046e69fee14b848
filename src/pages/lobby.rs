//! `/`: who one is, which room, or a new one.

use leptos::html;
use leptos::prelude::*;
use visavis_protocol::text;
use web_sys::SubmitEvent;

use super::PersonName;
use super::wrong::link_error;
use crate::components::{Icon, heading, icon, mark, name_error, name_field};
use crate::i18n::words;
use crate::route::{RoomLink, Route};
use crate::runtime::{Theme, use_runtime};

/// The lobby.
pub fn page() -> AnyView {
    let words = words();
    use_runtime().set_title(words.visavis);
    view! {
        <main class="page lobby">
            <div class="lobby-head">
                <div class="brand brand-large">
                    {mark()} <div class="visually-hidden">{heading(words.visavis)}</div>
                </div>
                <p class="quiet">{words.tagline}</p>
            </div>
            {enter()}
            {recent()}
            {ways()}
            {theme()}
        </main>
    }
    .into_any()
}

/// The card: name, room, and the two ways in.
fn enter() -> AnyView {
    let words = words();
    let runtime = use_runtime();
    let PersonName(name) = expect_context();
    let wrong_name = RwSignal::new(None);
    let room = RwSignal::new(String::new());
    let wrong_room = RwSignal::new(None);
    let (name_node, room_node) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());

    // A name may wait until the room's own page, but a wrong one is said where it is typed.
    let name_will_do = move || {
        let problem = name.with_untracked(|name| match name.trim() {
            "" => None,
            name => text::check_name(name).err(),
        });
        wrong_name.set(problem.map(name_error));
        if problem.is_some() {
            focus(name_node);
        }
        problem.is_none()
    };
    let join = move |event: SubmitEvent| {
        event.prevent_default();
        if !name_will_do() {
            return;
        }
        match room.with_untracked(|room| runtime.room_from_input(room)) {
            Ok(link) => runtime.navigate(&Route::Room(link)),
            Err(error) => {
                wrong_room.set(Some(link_error(error)));
                focus(room_node);
            }
        }
    };
    let make = move |_| {
        if name_will_do() {
            runtime.navigate(&Route::Room(runtime.new_room()));
        }
    };
    view! {
        <form class="card" novalidate on:submit=join>
            {name_field(name, wrong_name, name_node)}
            <div class="field">
                <label for="room">{words.room}</label>
                <div class="field-row">
                    <input
                        id="room"
                        class="input"
                        type="text"
                        autocomplete="off"
                        autocapitalize="none"
                        enterkeyhint="go"
                        spellcheck="false"
                        placeholder=words.room_hint
                        aria-invalid=move || wrong_room.get().is_some().then_some("true")
                        aria-describedby="room-error"
                        prop:value=room
                        on:input=move |event| {
                            room.set(event_target_value(&event));
                            wrong_room.set(None);
                        }
                        node_ref=room_node
                    />
                    <button class="button">{words.join_room}</button>
                </div>
                <p id="room-error" class="field-error" role="alert">
                    {wrong_room}
                </p>
            </div>
            <div class="divider">{words.or}</div>
            <button
                type="button"
                class="button button-primary button-large"
                aria-describedby="new-room-hint"
                on:click=make
            >
                {words.new_room}
            </button>
            <p id="new-room-hint" class="under">
                {words.new_room_hint}
            </p>
        </form>
    }
    .into_any()
}

fn focus(node: NodeRef<html::Input>) {
    if let Some(input) = node.get_untracked() {
        // Fails for no element that is in the page.
        _ = input.focus();
    }
}

/// Rooms joined before. Not there at all for somebody who comes for the first time.
fn recent() -> AnyView {
    let runtime = use_runtime();
    let rooms = runtime.recent_rooms();
    let title = words().recent_rooms;
    let item = move |link: RoomLink| {
        let name = link.name().to_owned();
        let sign = if link.has_secret() { Icon::Lock } else { Icon::Open };
        let forget = words().forget_room.fill(&name);
        let href = link.path();
        view! {
            <li>
                <a href=href>{icon(sign)} <span class="cut" dir="auto">{name}</span></a>
                <button
                    type="button"
                    class="sign"
                    aria-label=forget.clone()
                    title=forget
                    on:click=move |_| runtime.forget_room(&link)
                >
                    {icon(Icon::Close)}
                </button>
            </li>
        }
    };
    let list = move || {
        view! {
            <section>
                <h2 class="section-title">{title}</h2>
                <ul class="rows" role="list" aria-label=title>
                    <For each=move || rooms.get() key=RoomLink::path children=item />
                </ul>
            </section>
        }
    };
    let is_any = Memo::new(move |_| rooms.with(|rooms| !rooms.is_empty()));
    (move || is_any.get().then(list)).into_any()
}

/// The other two ways to talk.
fn ways() -> AnyView {
    let words = words();
    view! {
        <nav class="ways">
            {way("/contacts", Icon::People, words.contacts, words.contacts_hint)}
            {way("/desk", Icon::Calendar, words.appointments, words.appointments_hint)}
        </nav>
    }
    .into_any()
}

fn way(href: &'static str, sign: Icon, name: &'static str, hint: &'static str) -> AnyView {
    view! {
        <a class="way" href=href aria-label=name>
            {icon(sign)}
            <b>{name}</b>
            <span>{hint}</span>
        </a>
    }
    .into_any()
}

fn theme() -> AnyView {
    let runtime = use_runtime();
    let chosen = runtime.theme();
    let options = Theme::ALL.map(|theme| {
        let label = match theme {
            Theme::System => words().theme_auto,
            Theme::Light => words().theme_light,
            Theme::Dark => words().theme_dark,
        };
        view! {
            <option value=theme.as_str() selected=theme == chosen>
                {label}
            </option>
        }
    });
    view! {
        <div class="lobby-foot">
            <label class="inline-field">
                {words().theme}
                <select
                    class="input select-small"
                    on:change=move |event| runtime.choose_theme(Theme::from_name(&event_target_value(&event)))
                >
                    {options.into_iter().collect_view()}
                </select>
            </label>
        </div>
    }
    .into_any()
}
