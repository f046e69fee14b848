//! One appointment in a list: when, who, how it stands, and what one does about it.

use leptos::prelude::*;
use visavis_protocol::AppointmentId;
use visavis_protocol::appointment::{DeskStatus, Entry};

use super::entry_of;
use super::form::Form;
use super::order::{Part, is_here};
use crate::components::dom::{El, button, el, el_class, live};
use crate::components::{Dialog, Icon, InviteWords, Toasts, Tone, icon, invite};
use crate::i18n::words;
use crate::route::encode_into;
use crate::runtime::{Runtime, times, use_runtime};

/// The item of an appointment. It stays while it changes, so that nobody loses the button that they are on.
pub fn item(id: AppointmentId, part: Part, form: &Form, toasts: &Toasts, beat: ReadSignal<u32>) -> El {
    let runtime = use_runtime();
    let words = &words().desk;
    let desk = runtime.desk();
    let entry = Memo::new(move |_| entry_of(id));
    let of = move |look: fn(&Entry) -> String| {
        move || entry.with(|entry| entry.as_ref().map(look)).unwrap_or_default()
    };
    let client = Memo::new(move |_| of(|entry| entry.facts.client.clone())());
    let status = Memo::new(move |_| entry.with(|entry| entry.as_ref().map(|entry| entry.status)));
    let is_unsaved = Memo::new(move |_| desk.with(|desk| desk.unsaved.contains(&id)));
    let standing = move || {
        beat.track();
        let now = runtime.server_now(desk.with_untracked(|desk| desk.clock));
        status
            .get()
            .map_or_else(String::new, |status| status_text(status, now))
    };

    let day = (part != Part::Today)
        .then(|| el_class("span", "quiet").live_text(of(|entry| times::short_day(entry.facts.starts))));
    let when = el_class("div", "appointment-when")
        .children(day)
        .child(
            el_class("time", "appointment-clock")
                .live_text(of(|entry| times::clock(entry.facts.starts, None))),
        )
        .child(el_class("span", "quiet small").live_text(of(|entry| words_minutes(entry.facts.minutes))));
    let said = el_class("p", "appointment-status")
        .child(el("span").live_text(standing))
        .slot(move || {
            is_unsaved
                .get()
                .then(|| el_class("span", "quiet").text(words.unsaved))
        });
    let note = el_class("p", "appointment-note quiet").live(move |note| {
        let text = of(|entry| entry.facts.note.clone())();
        note.set_flag("hidden", text.is_empty());
        note.set_text(&text);
    });
    let join = button("button", move || runtime.call_in(id)).live(move |join| {
        let (label, status) = (words.join.fill(&client.get()), status.get());
        join.set_text(&label);
        let is_waiting = matches!(status, Some(DeskStatus::Waiting { .. }));
        join.set_class("button-primary", is_waiting);
        join.set_class("button-large", is_waiting);
        join.set_flag("hidden", !status.is_some_and(can_join));
    });
    let main = el_class("div", "appointment-main")
        .child(
            el_class("p", "appointment-client")
                .attr("dir", "auto")
                .live_text(move || client.get()),
        )
        .child(said)
        .child(note);
    let item = el_class("li", "appointment").attr("tabindex", "-1");
    let acts = acts(id, entry, form, toasts);
    let (whole, within) = (item.clone(), acts.clone());
    let is_off = Memo::new(move |_| status.get().is_some_and(is_over));
    live(move || {
        // Most of the buttons are gone then, the one that was pressed among them.
        if is_off.get() && within.has_focus_within() {
            whole.focus();
        }
    });
    item.live(move |item| {
        item.set_attr("aria-label", Some(&client.get()));
        let status = status.get();
        item.set_class("is-waiting", matches!(status, Some(DeskStatus::Waiting { .. })));
        item.set_class("is-here", status.is_some_and(is_here));
        item.set_class("is-over", status.is_some_and(is_over));
    })
    .child(when)
    .child(main)
    .child(el_class("div", "appointment-join").child(join))
    .child(acts)
}

fn words_minutes(minutes: u16) -> String {
    words().phone.minutes.fill(&minutes.to_string())
}

/// How far an appointment is, in words.
fn status_text(status: DeskStatus, now: u64) -> String {
    let words = words();
    match status {
        DeskStatus::Planned {} | DeskStatus::Unknown => words.desk.not_here.to_owned(),
        DeskStatus::Waiting { since, away } => {
            let mut text = words.desk.waiting_since.fill(&times::clock(since, None));
            let minutes = now.saturating_sub(since) / 60_000;
            if minutes > 0 {
                text.push_str(words.comma);
                text.push_str(&words.phone.minutes.fill(&minutes.to_string()));
            }
            if away {
                text.push_str(words.comma);
                text.push_str(words.desk.is_away);
            }
            text
        }
        DeskStatus::CalledIn {} => words.desk.called_in.to_owned(),
        DeskStatus::InCall {} => words.desk.in_call.to_owned(),
        DeskStatus::Done {} => words.desk.done.to_owned(),
        DeskStatus::Cancelled {} => words.desk.cancelled.to_owned(),
    }
}

const fn is_over(status: DeskStatus) -> bool {
    matches!(status, DeskStatus::Done {} | DeskStatus::Cancelled {})
}

const fn can_join(status: DeskStatus) -> bool {
    !is_over(status)
}

/// What one does about an appointment beside meeting its client.
fn acts(id: AppointmentId, entry: Memo<Option<Entry>>, form: &Form, toasts: &Toasts) -> El {
    let runtime = use_runtime();
    let words = words();
    let now = move || entry.get_untracked();
    let link = move || entry.with(|entry| entry.as_ref().map(|entry| entry.token.clone()));
    // There is a link once the server has made one.
    let has_link = Memo::new(move |_| link().is_some_and(|token| !token.is_empty()));
    let is_over =
        Memo::new(move |_| entry.with(|entry| entry.as_ref().is_none_or(|entry| is_over(entry.status))));
    let is_cancelled = Memo::new(move |_| {
        entry.with(|entry| {
            entry
                .as_ref()
                .is_some_and(|entry| entry.status == DeskStatus::Cancelled {})
        })
    });
    let small = |sign: Icon, text: &str, press: Box<dyn Fn()>| {
        button("button button-small button-plain", press)
            .child(icon(sign))
            .text(text)
    };
    let while_linked = move |act: El, may_be_cancelled: bool| {
        act.live(move |act| {
            let is_off = is_over.get() && !(may_be_cancelled && is_cancelled.get());
            act.set_flag("hidden", !has_link.get() || is_off);
        })
    };

    let copied = toasts.clone();
    let copy = move || {
        if let Some(entry) = now() {
            copy_link(runtime, &entry, &copied);
        }
    };
    let copy_button = small(Icon::Link, words.copy_link, Box::new(copy.clone()));
    let dialog = Dialog::new(words.show_qr);
    let (opened, closed) = (dialog.clone(), dialog.clone());
    let code = small(Icon::Qr, words.show_qr, Box::new(move || opened.open()));
    let calendar = small(
        Icon::Calendar,
        words.desk.calendar,
        Box::new(move || {
            if let Some(entry) = now() {
                let url = runtime.client_link(&entry.token);
                let is_cancelled = entry.status == DeskStatus::Cancelled {};
                runtime.save_calendar_file(id, &entry.facts, &url, is_cancelled);
            }
        }),
    );
    let mail = el_class("a", "button button-small button-plain")
        .child(icon(Icon::Send))
        .text(words.desk.mail)
        .live(move |mail| {
            let address = entry.with(|entry| entry.as_ref().map(|entry| mail_address(runtime, entry)));
            mail.set_attr("href", address.as_deref());
        });
    let edited = form.clone();
    let edit = button("button button-small button-plain", move || {
        if let Some(entry) = now() {
            edited.edit(&entry);
        }
    })
    .child(icon(Icon::Text))
    .child(el("span").live_text(move || {
        let client = entry.with(|entry| entry.as_ref().map(|entry| entry.facts.client.clone()));
        words.desk.edit.fill(&client.unwrap_or_default())
    }))
    .live(move |edit| edit.set_flag("hidden", is_over.get()));
    let cancel = small(
        Icon::Close,
        words.desk.cancel,
        Box::new(move || runtime.cancel_appointment(id)),
    )
    .live(move |cancel| cancel.set_flag("hidden", is_over.get()));
    let shown = dialog.with(move || {
        let (copy, closed) = (copy.clone(), closed.clone());
        let entry = now();
        let url = entry
            .as_ref()
            .map(|entry| runtime.client_link(&entry.token))
            .unwrap_or_default();
        let client = entry.map(|entry| entry.facts.client).unwrap_or_default();
        let texts = InviteWords {
            title: words.show_qr,
            hint: words.desk.link_hint,
            link: words.desk.link_name,
            code: words.desk.link_code,
        };
        el_class("div", "desk-code")
            .child(el_class("p", "quiet").text(&words.desk.link_of.fill(&client)))
            .child(invite(texts, &url, move || {
                copy();
                closed.close();
            }))
    });
    el_class("div", "appointment-acts")
        .child(while_linked(copy_button, false))
        .child(while_linked(code, false))
        .child(while_linked(calendar, true))
        .child(while_linked(mail, false))
        .child(edit)
        .child(cancel)
        .child(shown)
}

fn copy_link(runtime: Runtime, entry: &Entry, toasts: &Toasts) {
    let toasts = toasts.clone();
    runtime.copy(&runtime.client_link(&entry.token), move |is_copied| {
        if is_copied {
            toasts.say(Tone::Polite, words().link_copied.to_owned());
        } else {
            toasts.say(Tone::Error, words().link_not_copied.to_owned());
        }
    });
}

/// A letter with the link, to be sent with whatever program the person has (RFC 6068).
fn mail_address(runtime: Runtime, entry: &Entry) -> String {
    let words = &words().desk;
    let name = runtime.desk().with_untracked(|desk| desk.name.clone());
    let starts = entry.facts.starts;
    let when = [
        times::day(starts, None),
        times::clock(starts, None),
        times::zone(),
    ]
    .join(", ");
    let mut text = words.mail_text.fill(&when);
    if !entry.facts.note.is_empty() {
        text.push_str("\r\n\r\n");
        text.push_str(&entry.facts.note);
    }
    text.push_str("\r\n\r\n");
    text.push_str(words.mail_link);
    text.push_str("\r\n");
    text.push_str(&runtime.client_link(&entry.token));
    let mut address = String::from("mailto:?subject=");
    encode_into(&mut address, &words.mail_subject.fill(&name));
    address.push_str("&body=");
    encode_into(&mut address, &text);
    address
}
