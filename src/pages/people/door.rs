//! What a host does at the door: who waits, who comes in, who goes, and whether it is open at all.

use leptos::prelude::*;
use visavis_call_core::{HostIntent, Knock};
use visavis_protocol::limits::WORD_BYTES;
use visavis_protocol::{Gate, PeerId, SeatId};

use crate::components::dom::{El, button, each, el, el_class, live};
use crate::components::{Avatar, Icon, icon, switch};
use crate::i18n::words;
use crate::runtime::use_runtime;

/// Those who wait, for a host; nothing while nobody does. Who was on one of its buttons then is in the list of those
/// inside.
pub fn waiting(inside: &El) -> Option<El> {
    let runtime = use_runtime();
    let hosting = runtime.hosting();
    let is_shown = Memo::new(move |_| hosting.with(|hosting| hosting.is_host && !hosting.waiting.is_empty()));
    is_shown.get().then(|| {
        let words = words().host;
        let word = el_class("input", "input")
            .attr("aria-label", words.word)
            .attr("maxlength", &(WORD_BYTES / 4).to_string())
            .attr("placeholder", words.word);
        let all = button("button button-small button-primary", move || {
            let all =
                hosting.with_untracked(|hosting| hosting.waiting.iter().map(|knock| knock.peer).collect());
            runtime.as_host(HostIntent::Admit(all));
        })
        .child(icon(Icon::Check))
        .text(words.admit_all);
        let end = el("template");
        let list = el_class("ul", "people")
            .attr("role", "list")
            .attr("aria-label", words.waiting)
            .attr("tabindex", "-1")
            .child(end.clone());
        let said = word.clone();
        each(
            &list,
            &end,
            move || {
                hosting.with(|hosting| hosting.waiting.iter().map(|knock| knock.peer).collect::<Vec<_>>())
            },
            move |peer| one(peer, &said),
        );
        let head = el_class("div", "door-head")
            .child(el_class("h3", "section-title").text(words.waiting))
            .child(all);
        let whole = el_class("section", "door").child(head).child(list).child(word);
        hand_on_focus(&whole, inside);
        whole
    })
}

/// Gives the focus to another element when this one goes and has it.
fn hand_on_focus(from: &El, to: &El) {
    // No element is to go from one thread to another, and there is but one.
    let both = StoredValue::new_local((from.clone(), to.clone()));
    on_cleanup(move || {
        both.try_with_value(|(from, to)| {
            if from.has_focus_within() {
                to.focus_soon();
            }
        });
    });
}

fn one(peer: PeerId, word: &El) -> El {
    let runtime = use_runtime();
    let hosting = runtime.hosting();
    let (name, since) = (
        el_class("span", "person-name cut").attr("dir", "auto"),
        el_class("span", "hint"),
    );
    let avatar = Avatar::new();
    let admit = button("sign sign-good", move || {
        runtime.as_host(HostIntent::Admit(vec![peer]))
    })
    .child(icon(Icon::Check));
    let word = word.clone();
    let decline = button("sign", move || {
        let word = word.field_value();
        let word = word.trim().to_owned();
        runtime.as_host(HostIntent::Decline { peer, word });
    })
    .child(icon(Icon::Close));
    let whole = el_class("li", "person")
        .child(avatar.el())
        .child(
            el_class("span", "door-name")
                .child(name.clone())
                .child(since.clone()),
        )
        .child(
            el_class("span", "person-sound")
                .child(admit.clone())
                .child(decline.clone()),
        );
    live(move || {
        let words = words().host;
        hosting.with(|hosting| {
            let Some(knock) = hosting.waiting.iter().find(|knock| knock.peer == peer) else {
                return;
            };
            avatar.set(&knock.name);
            name.set_text(&knock.name);
            since.set_text(&said_of(knock));
            admit.set_label(&words.admit.fill(&knock.name));
            decline.set_label(&words.decline.fill(&knock.name));
        });
    });
    whole
}

/// Since when somebody waits.
fn said_of(knock: &Knock) -> String {
    let words = words().host;
    if knock.away {
        return words.is_away.to_owned();
    }
    words.since.fill(&use_runtime().time_of(knock.since))
}

/// Whether the door is open, and for whom.
pub fn gate() -> Option<El> {
    let runtime = use_runtime();
    let hosting = runtime.hosting();
    let is_host = Memo::new(move |_| hosting.with(|hosting| hosting.is_host));
    is_host.get().then(|| {
        let words = words().host;
        let gate = Memo::new(move |_| hosting.with(|hosting| hosting.gate));
        let set = move |change: fn(Gate) -> Gate| {
            runtime.as_host(HostIntent::SetGate(change(gate.get_untracked())));
        };
        let lock = button("button", move || {
            set(|gate| Gate {
                locked: !gate.locked,
                ..gate
            });
        })
        .live(move |button| {
            let is_locked = gate.get().locked;
            let (sign, text) = if is_locked {
                (Icon::Open, words.unlock)
            } else {
                (Icon::Lock, words.lock)
            };
            button.set_only_child(Some(icon(sign)));
            button.put(&el("span").text(text));
        });
        el_class("section", "door")
            .child(switch(
                "door-hint",
                [words.waiting_room, words.waiting_room_hint],
                move || gate.get().waiting_room,
                move || {
                    set(|gate| Gate {
                        waiting_room: !gate.waiting_room,
                        ..gate
                    });
                },
            ))
            .child(lock)
    })
}

/// What a host may do about somebody inside. `list` has the focus after them.
pub fn over(seat: SeatId, list: &El) -> Option<El> {
    let runtime = use_runtime();
    let (hosting, people) = (runtime.hosting(), runtime.people());
    let is_over = Memo::new(move |_| {
        let is_host = hosting.with(|hosting| hosting.is_host);
        is_host && people.with(|people| people.iter().any(|person| person.seat == seat))
    });
    is_over.get().then(|| {
        let mute = button("sign", move || runtime.as_host(HostIntent::AskMute(seat)))
            .child(icon(Icon::MicrophoneOff));
        let remove =
            button("sign", move || runtime.as_host(HostIntent::Remove(seat))).child(icon(Icon::Leave));
        let (muted, removed) = (mute.clone(), remove.clone());
        live(move || {
            let words = words().host;
            people.with(|people| {
                if let Some(person) = people.iter().find(|person| person.seat == seat) {
                    muted.set_label(&words.ask_mute.fill(&person.name));
                    removed.set_label(&words.remove.fill(&person.name));
                    muted.set_flag("disabled", !person.status.microphone);
                }
            });
        });
        let whole = el_class("span", "person-over").child(mute).child(remove);
        hand_on_focus(&whole, list);
        whole
    })
}
