//! `/desk#<token>`: a professional's appointments, and who waits now.

mod card;
mod form;
mod item;
mod order;

use core::time::Duration;
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::Proof;
use visavis_protocol::appointment::Entry;
use visavis_protocol::{AppointmentId, ErrorCode};

use super::{link, not_yet, offline, set_title, to_lobby};
use crate::components::dom::{El, button, each, el, el_class, live};
use crate::components::{Icon, Toasts, Tone, brand_link, heading, message};
use crate::i18n::words;
use crate::route::LinkToken;
use crate::runtime::{times, use_runtime};
pub use card::arrival_card;
pub use form::Draft;
use order::Part;

/// How often what grows older is written anew.
const BEAT: Duration = Duration::from_secs(10);

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    Absent,
    Damaged,
    Opening,
    Refused(ErrorCode),
    Ended,
    Desk,
}

/// The page.
pub fn page(token: LinkToken) -> El {
    let runtime = use_runtime();
    let is_forgotten = RwSignal::new(false);
    let opened = match &token {
        LinkToken::Damaged => None,
        LinkToken::Absent => Some(runtime.open_desk(None)),
        LinkToken::Whole(token) => Some(runtime.open_desk(Some(token))),
    };
    runtime.dismiss_arrival();
    let desk = runtime.desk();
    let face = Memo::new(move |_| {
        desk.with(|desk| match (opened, desk.proof) {
            _ if is_forgotten.get() => Face::Absent,
            (None, _) => Face::Damaged,
            (Some(false), _) => Face::Absent,
            (Some(true), Proof::Refused(code)) => Face::Refused(code),
            (Some(true), Proof::Ended) => Face::Ended,
            // What was known before is still shown while the server is away.
            (Some(true), _) if desk.clock.is_some() => Face::Desk,
            (Some(true), Proof::None | Proof::Asking | Proof::Taken | Proof::Elsewhere) => Face::Opening,
        })
    });
    let speech = runtime.speech();
    let forget = Rc::new(move || {
        // Where the address has no token it stays as it is, and the page with it.
        is_forgotten.set(true);
        let of_link = match &token {
            LinkToken::Whole(token) => Some(token),
            LinkToken::Absent | LinkToken::Damaged => None,
        };
        runtime.forget_desk(of_link);
    });
    el_class("div", "slot").slot(move || {
        speech.track();
        let forget = Rc::clone(&forget);
        Some(match face.get() {
            Face::Absent => absent(),
            // It says no desk that could be forgotten.
            Face::Damaged => refused(ErrorCode::TokenMalformed, None),
            Face::Refused(code) => {
                let forget = button("button", move || forget()).text(words().desk.forget);
                refused(code, Some(forget))
            }
            Face::Ended => ended(),
            Face::Opening => opening(),
            Face::Desk => whole(),
        })
    })
}

/// Nobody has shown a link here.
fn absent() -> El {
    let words = words();
    set_title(words.appointments);
    let command = el("code").text("visavis-server desk-link");
    let text = message(Icon::Calendar, words.appointments, words.desk.about, [])
        .child(el("p").text(words.desk.about_link))
        .child(el_class("p", "desk-command").child(command))
        .child(el_class("div", "actions").child(to_lobby("button button-primary")));
    el("main").child(text)
}

fn refused(code: ErrorCode, forget: Option<El>) -> El {
    let words = words();
    set_title(words.appointments);
    let text = if code == ErrorCode::TooMany {
        words.desk.too_many_pages.to_owned()
    } else {
        [link::why(code).0, words.desk.ask_operator].join(" ")
    };
    el("main").child(message(
        Icon::Warning,
        words.link.bad,
        &text,
        [to_lobby("button button-primary")].into_iter().chain(forget),
    ))
}

fn ended() -> El {
    let runtime = use_runtime();
    let words = words();
    set_title(words.appointments);
    let reload = button("button button-primary", move || runtime.reload()).text(words.reload);
    el("main").child(message(Icon::Warning, words.visit.closed, "", [reload]))
}

fn opening() -> El {
    not_yet(
        Icon::Calendar,
        [words().appointments, words().desk.opening],
        || words().desk.offline,
    )
}

/// The desk itself.
fn whole() -> El {
    let runtime = use_runtime();
    let words = words();
    set_title(words.appointments);
    let desk = runtime.desk();
    let toasts = Toasts::new();
    let name = Memo::new(move |_| desk.with(|desk| desk.name.clone()));
    let whose = el_class("p", "quiet").live_text(move || words.desk.desk_of.fill(&name.get()));
    let asked = RwSignal::new(false);
    let notify = move || {
        (!asked.get() && runtime.may_ask_to_notify()).then(|| {
            button("button button-small", move || {
                runtime.ask_to_notify(move || asked.set(true));
            })
            .text(words.desk.tell_me)
        })
    };
    let head = el_class("div", "desk-head")
        .child(
            el_class("div", "desk-name")
                .child(heading(words.appointments))
                .child(whose),
        )
        .slot(notify);
    let form = form::Form::new(&toasts);
    let beat = runtime.beats(BEAT);
    let lists = Lists::new(form.clone(), toasts.clone(), beat);
    let agenda = el_class("div", "desk-agenda")
        .child(lists.section(Part::Today, words.desk.today, Some(words.desk.nothing_today)))
        .child(lists.section(
            Part::Upcoming,
            words.desk.upcoming,
            Some(words.desk.nothing_upcoming),
        ))
        .child(lists.section(Part::Earlier, words.desk.earlier, None));
    el_class("main", "page desk")
        .child(el("div").child(brand_link(words.visavis)))
        .child(head)
        .slot(move || offline(words.desk.offline))
        .child(el_class("div", "desk-columns").child(agenda).child(form.el()))
        .child(el("div").attr("role", "status").child(toasts.place(Tone::Polite)))
        .child(el("div").attr("role", "alert").child(toasts.place(Tone::Error)))
}

/// The three lists: an appointment moves from one to another as time goes by.
struct Lists {
    parts: Memo<[Vec<AppointmentId>; Part::COUNT]>,
    form: form::Form,
    toasts: Toasts,
    beat: ReadSignal<u32>,
}

impl Lists {
    fn new(form: form::Form, toasts: Toasts, beat: ReadSignal<u32>) -> Self {
        let runtime = use_runtime();
        let desk = runtime.desk();
        let parts = Memo::new(move |_| {
            beat.track();
            desk.with(|desk| {
                let now = runtime.server_now(desk.clock);
                order::parts(&desk.entries, now, |time| times::fields(time).0)
            })
        });
        Self {
            parts,
            form,
            toasts,
            beat,
        }
    }

    fn section(&self, part: Part, title: &'static str, empty: Option<&'static str>) -> El {
        let parts = self.parts;
        let end = el("template");
        let list = el_class("ul", "appointments")
            // Without its bullets some browsers no longer take it for a list.
            .attr("role", "list")
            .attr("aria-label", title)
            // For whoever was in an item that moves to another list.
            .attr("tabindex", "-1")
            .child(end.clone());
        let (form, toasts, beat) = (self.form.clone(), self.toasts.clone(), self.beat);
        each(
            &list,
            &end,
            move || parts.with(|parts| parts[part as usize].clone()),
            move |id| item::item(id, part, &form, &toasts, beat),
        );
        let section = el("section")
            .child(el_class("h2", "section-title").text(title))
            .child(list);
        let is_empty = Memo::new(move |_| parts.with(|parts| parts[part as usize].is_empty()));
        match empty {
            Some(text) => section.slot(move || is_empty.get().then(|| el_class("p", "quiet").text(text))),
            None => {
                let shown = section.clone();
                live(move || shown.set_flag("hidden", is_empty.get()));
                section
            }
        }
    }
}

/// An appointment as it is now. Follows signals.
fn entry_of(id: AppointmentId) -> Option<Entry> {
    use_runtime().desk().with(|desk| {
        let entry = desk.entries.iter().find(|entry| entry.appointment == id);
        entry.cloned()
    })
}
