//! The chat: what was said, and a box to say something in.

mod line;
mod links;
mod list;

use core::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::{Person, SayError};
use visavis_protocol::{SeatId, limits};

use crate::components::dom::{El, button, el, el_class, live};
use crate::components::{Icon, Menu, PickerOption, icon, picker_list};
use crate::i18n::words;
use crate::runtime::{Runtime, use_runtime};
use list::List;

/// Signs that are offered; a keyboard knows all.
const SIGNS: [&str; 10] = ["👍", "🙂", "😂", "❤️", "🎉", "🙏", "👀", "🤔", "😮", "👋"];

/// Bytes that are left when it is said how many.
const FEW_BYTES: usize = 512;

/// Bytes beyond the limit that the box still takes, so that a long text can be cut by who wrote it.
const ROOM_BYTES: usize = 4 * limits::CHAT_BYTES;

/// What was begun and not sent, kept while the panel is closed. Copies are the same.
#[derive(Clone, Default)]
pub struct Draft(Rc<RefCell<(String, Option<SeatId>)>>);

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Addressee {
    Everyone,
    One(SeatId),
    /// Somebody of this name, who has left. Nothing is sent to anybody else by accident.
    Gone(String),
}

/// What the panel shows.
pub fn content(draft: Draft) -> El {
    let runtime = use_runtime();
    let list = List::new(runtime);
    on_cleanup(move || runtime.read_chat(false));
    el_class("div", "chat")
        .child(list.el())
        .child(notify_row(runtime))
        .child(composer(runtime, draft, list))
}

/// A quiet offer that is gone once it is answered.
fn notify_row(runtime: Runtime) -> El {
    let may_ask = RwSignal::new(runtime.may_ask_to_notify());
    el_class("div", "slot").slot(move || {
        may_ask.get().then(|| {
            let ask = button("button button-plain button-small", move || {
                runtime.ask_to_notify(move || may_ask.set(runtime.may_ask_to_notify()));
            });
            el_class("div", "chat-notify").child(ask.text(words().chat.notify))
        })
    })
}

fn composer(runtime: Runtime, draft: Draft, list: List) -> El {
    let words = &words().chat;
    let problem = RwSignal::new(String::new());
    let (begun, to) = draft.0.borrow().clone();
    let addressee = RwSignal::new(to.map_or(Addressee::Everyone, Addressee::One));
    let text = el_class("textarea", "input chat-input")
        .attr("rows", "1")
        .attr("dir", "auto")
        .attr("placeholder", words.message)
        .attr("aria-label", words.message)
        .attr("aria-describedby", "chat-problem");
    text.set_property("value", &begun.into());

    let kept = draft.clone();
    live(move || {
        kept.0.borrow_mut().1 = match addressee.get() {
            Addressee::One(seat) => Some(seat),
            Addressee::Everyone | Addressee::Gone(_) => None,
        };
    });
    let (written, to_keep) = (text.clone(), draft);
    let changed = move || {
        let value = written.field_value();
        grow(&written);
        problem.set(room_left(&value).unwrap_or_default());
        to_keep.0.borrow_mut().0 = value;
    };
    changed();
    let (boxed, after) = (text.clone(), changed.clone());
    let send = Rc::new(move || {
        let to = match addressee.get_untracked() {
            Addressee::Everyone => None,
            Addressee::One(seat) => Some(seat),
            Addressee::Gone(name) => {
                problem.set(words.gone.fill(&name));
                return;
            }
        };
        let said = runtime.say(&boxed.field_value(), to);
        if said.is_ok() {
            boxed.set_property("value", &"".into());
            after();
            list.to_end();
        } else if let Err(error) = said {
            problem.set(why(error).to_owned());
        }
        boxed.focus();
    });
    let (by_key, typed) = (Rc::clone(&send), changed.clone());
    let text = text.on("input", move |_| typed()).on("keydown", move |event| {
        if runtime.is_plain_enter(&event) {
            event.prevent_default();
            by_key();
        }
    });
    let send_button = button("round chat-send", move || send()).child(icon(Icon::Send));
    send_button.set_label(words.send);
    let menu = Menu::new(Icon::React, words.emoji).in_a_row();
    let signs = emoji(&menu, &text, changed);
    text.focus_soon();
    let grown = text.clone();
    // Its height is known once it is in the page.
    live(move || grow_soon(&grown));
    let status = el_class("p", "chat-problem")
        .attr("id", "chat-problem")
        .attr("role", "status")
        .live(move |line| line.set_text(&problem.get()));
    el_class("div", "chat-composer")
        .child(addressees(runtime, addressee, problem))
        .child(status)
        .child(
            el_class("div", "chat-row")
                .child(signs)
                .child(text)
                .child(send_button),
        )
}

fn grow_soon(text: &El) {
    let text = text.clone();
    crate::web::task::spawn(async move { grow(&text) });
}

/// Makes the box as high as its text, within what the style sheet allows.
fn grow(text: &El) {
    text.set_style("block-size", "auto");
    let height = text.element().scroll_height() + 2;
    text.set_style("block-size", &(height.to_string() + "px"));
}

/// How many bytes are left, where they are few.
fn room_left(text: &str) -> Option<String> {
    let words = &words().chat;
    if text.len() > limits::CHAT_BYTES {
        return Some(words.too_long.to_owned());
    }
    let left = limits::CHAT_BYTES - text.len();
    (left <= FEW_BYTES).then(|| crate::i18n::words().bytes_left.of(left))
}

fn why(error: SayError) -> &'static str {
    let words = &words().chat;
    match error {
        SayError::Outside => words.outside,
        SayError::Empty => "",
        SayError::TooLong => words.too_long,
        SayError::TooFast => words.too_fast,
        SayError::Gone => words.choose_again,
    }
}

fn emoji(menu: &Menu, text: &El, changed: impl Fn() + Clone + 'static) -> El {
    let (menu, made, text) = (menu.clone(), menu.clone(), text.clone());
    menu.with(move || {
        let sign = |sign: &'static str| {
            let (text, changed) = (text.clone(), changed.clone());
            made.sign(sign, move || {
                if text.field_value().len() < ROOM_BYTES {
                    text.insert(sign);
                    changed();
                }
                text.focus();
            })
        };
        SIGNS.into_iter().map(sign).collect()
    })
}

/// The list of those to whom one may write.
fn addressees(runtime: Runtime, addressee: RwSignal<Addressee>, problem: RwSignal<String>) -> El {
    let people = runtime.people();
    let words = &words().chat;
    // Names of those who are there, for when they are not.
    let name = Memo::new(move |before: Option<&String>| match addressee.get() {
        Addressee::One(seat) => people.with(|people| {
            let there = people.iter().find(|person| person.seat == seat);
            there
                .map(|person| person.name.clone())
                .or_else(|| before.cloned())
                .unwrap_or_default()
        }),
        Addressee::Everyone | Addressee::Gone(_) => String::new(),
    });
    live(move || {
        let (name, chosen) = (name.get(), addressee.get());
        if let Addressee::One(seat) = chosen
            && people.with(|people| people.iter().all(|person| person.seat != seat))
        {
            problem.set(words.gone.fill(&name));
            addressee.set(Addressee::Gone(name));
        }
    });
    let list = picker_list(
        move || people.with(|people| addressee.with(|addressee| options(people, addressee))),
        move |value| {
            problem.set(String::new());
            addressee.set(value.parse().map_or(Addressee::Everyone, Addressee::One));
        },
    )
    .attr("aria-label", words.send_to)
    .live(move |list| {
        let is_gone = matches!(addressee.get(), Addressee::Gone(_));
        list.set_attr("aria-invalid", is_gone.then_some("true"));
    });
    el_class("div", "chat-to")
        .child(el("span").attr("aria-hidden", "true").text(words.send_to))
        .child(list)
}

fn options(people: &[Person], addressee: &Addressee) -> Vec<PickerOption> {
    let option = |value: String, label: &str, is_picked: bool| PickerOption {
        value,
        label: label.to_owned(),
        is_picked,
    };
    let mut options = Vec::new();
    if let Addressee::Gone(name) = addressee {
        options.push(option("gone".to_owned(), &words().chat.has_left.fill(name), true));
    }
    let is_everyone = *addressee == Addressee::Everyone;
    options.push(option(String::new(), words().chat.everyone, is_everyone));
    options.extend(people.iter().map(|person| {
        let is_picked = *addressee == Addressee::One(person.seat);
        option(person.seat.to_text(), &person.name, is_picked)
    }));
    options
}
