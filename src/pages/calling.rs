//! A call that rings, is on its way, or has just ended: a card over whatever page is open.

use leptos::prelude::*;
use visavis_call_core::{CallEnd, CallState, DirectCall, NoConnection, PeopleIntent, Stage};
use visavis_protocol::people::EndReason;

use crate::components::dom::{El, button, el, el_class, focused};
use crate::components::{Avatar, Icon, icon};
use crate::i18n::words;
use crate::runtime::{name_of, use_runtime};

/// What the card shows. Only what changes the card is in it.
#[derive(Clone, Debug, PartialEq)]
enum Card {
    Incoming { call: DirectCall, is_answered: bool },
    Outgoing { call: DirectCall, rings: bool },
    Elsewhere(DirectCall),
    Over { call: DirectCall, why: String },
}

/// The card, over everything.
pub fn card() -> El {
    let runtime = use_runtime();
    let others = runtime.others();
    let shown = Memo::new(move |_| others.with(|others| others.call.as_ref().and_then(card_of)));
    // What had the focus before there was a card; it gets it back.
    let before: StoredValue<Option<El>, LocalStorage> = StoredValue::new_local(None);
    // It is there before there is anything to say, else not everybody hears it.
    let said = el_class("p", "visually-hidden")
        .attr("role", "status")
        .attr("aria-live", "assertive")
        .live_text(move || {
            runtime.speech().track();
            shown.with(|card| card.as_ref().map(spoken)).unwrap_or_default()
        });
    el_class("div", "ring-place").child(said).slot(move || {
        // Other words are another card.
        runtime.speech().track();
        let Some(card) = shown.get() else {
            if let Some(before) = before.try_update_value(Option::take).flatten() {
                before.focus_soon();
            }
            return None;
        };
        before.update_value(|before| {
            if before.is_none() {
                *before = focused();
            }
        });
        Some(match card {
            Card::Incoming { call, is_answered } => incoming(&call, is_answered),
            Card::Outgoing { call, rings } => outgoing(&call, rings),
            Card::Elsewhere(call) => elsewhere(&call),
            Card::Over { call, why } => over(&call, &why),
        })
    })
}

fn card_of(call: &DirectCall) -> Option<Card> {
    let call = call.clone();
    match call.state {
        CallState::Idle | CallState::InCall { .. } => None,
        CallState::Incoming { answered } => Some(Card::Incoming {
            call,
            is_answered: answered.is_some(),
        }),
        CallState::Outgoing { rings } => Some(Card::Outgoing { call, rings }),
        CallState::Elsewhere => Some(Card::Elsewhere(call)),
        CallState::Over { reason, .. } => {
            let why = why(&call, reason)?;
            Some(Card::Over { call, why })
        }
    }
}

/// What is said of a card to those who do not see it.
fn spoken(card: &Card) -> String {
    let words = &words().phone;
    match card {
        Card::Incoming {
            is_answered: true, ..
        } => words.answering.to_owned(),
        Card::Incoming { call, .. } => {
            [words.is_calling.fill(&name_of(call)), kind_and_handle(call)].join(", ")
        }
        Card::Outgoing { call, rings } => called(call, *rings),
        Card::Elsewhere(call) => words.elsewhere.fill(call.with.as_str()),
        Card::Over { why, .. } => why.clone(),
    }
}

fn called(call: &DirectCall, rings: bool) -> String {
    let words = &words().phone;
    let title = if rings { words.ringing_at } else { words.calling_to };
    title.fill(&name_of(call))
}

fn frame(role: &str, name: &str, call: &DirectCall, title: &str, text: &str) -> El {
    let person = el_class("div", "ring-person")
        .child(Avatar::of(&name_of(call)).el())
        .child(
            el_class("div", "ring-text")
                .child(
                    el_class("p", "ring-title")
                        .attr("id", "ring-title")
                        .attr("dir", "auto")
                        .text(title),
                )
                .child(el_class("p", "quiet small").attr("id", "ring-kind").text(text)),
        );
    let card = el_class("div", "ring-card")
        .attr("role", role)
        .attr("aria-label", name)
        .attr("aria-describedby", "ring-title ring-kind")
        .attr("tabindex", "-1")
        .child(person);
    // Who is just typing goes on typing; the region says it anyway.
    if focused().is_none_or(|focus| !is_typed_into(&focus)) {
        card.focus_soon();
    }
    card
}

fn is_typed_into(element: &El) -> bool {
    matches!(
        element.element().tag_name().as_str(),
        "INPUT" | "TEXTAREA" | "SELECT"
    )
}

/// Who calls beside what they are called: that they chose themselves.
fn kind_and_handle(call: &DirectCall) -> String {
    let words = &words().phone;
    let kind = if call.video {
        words.video_call
    } else {
        words.audio_call
    };
    if name_of(call) == call.with.as_str() {
        kind.to_owned()
    } else {
        [call.with.as_str(), kind].join(" · ")
    }
}

fn incoming(call: &DirectCall, is_answered: bool) -> El {
    let runtime = use_runtime();
    let words = &words().phone;
    let title = words.is_calling.fill(&name_of(call));
    let card = frame(
        "alertdialog",
        words.incoming,
        call,
        &title,
        &kind_and_handle(call),
    );
    if is_answered {
        let cancel = button("button", move || runtime.about_people(PeopleIntent::End)).text(words.decline);
        return card
            .child(el_class("p", "quiet small").text(words.answering))
            .child(el_class("div", "ring-acts").child(cancel));
    }
    let answer = |sign, text, class, video| {
        button(class, move || {
            runtime.about_people(PeopleIntent::Accept { video });
        })
        .child(icon(sign))
        .text(text)
    };
    // What the caller offers is what most will want.
    let classes = ["button", "button button-primary"];
    let [plain, first] = classes;
    let (of_audio, of_video) = if call.video {
        (plain, first)
    } else {
        (first, plain)
    };
    let decline = button("button button-danger", move || {
        runtime.about_people(PeopleIntent::End);
    })
    .child(icon(Icon::Leave))
    .text(words.decline);
    let note = move || {
        (runtime.stage().get() == Stage::Joined).then(|| el_class("p", "quiet small").text(words.leaves_room))
    };
    card.slot(note).child(
        el_class("div", "ring-acts")
            .child(answer(Icon::Phone, words.accept, of_audio, false))
            .child(answer(Icon::Camera, words.accept_video, of_video, true))
            .child(decline),
    )
}

fn outgoing(call: &DirectCall, rings: bool) -> El {
    let runtime = use_runtime();
    let words = &words().phone;
    let cancel = button("button button-danger", move || {
        runtime.about_people(PeopleIntent::End);
    })
    .child(icon(Icon::Leave))
    .text(words.cancel_call);
    frame(
        "dialog",
        words.calling,
        call,
        &called(call, rings),
        &kind_and_handle(call),
    )
    .child(el_class("div", "ring-acts").child(cancel))
}

fn elsewhere(call: &DirectCall) -> El {
    el_class("div", "ring-card ring-note")
        .child(icon(Icon::PhoneOut))
        .child(el("p").text(&words().phone.elsewhere.fill(call.with.as_str())))
}

fn over(call: &DirectCall, why: &str) -> El {
    let runtime = use_runtime();
    let speech = words();
    let (to, video) = (call.with.clone(), call.video);
    let again = button("button button-primary", move || runtime.call(&to, video)).text(speech.try_again);
    let close = button("button", move || runtime.about_people(PeopleIntent::Dismiss)).text(speech.close);
    let card = frame(
        "dialog",
        speech.phone.ended,
        call,
        speech.phone.ended,
        call.with.as_str(),
    );
    card.child(el("p").text(why))
        .child(el_class("div", "ring-acts").child(again).child(close))
}

/// Why a call is over, in words; nothing where the person knows or need not.
fn why(call: &DirectCall, reason: CallEnd) -> Option<String> {
    let words = &words().phone;
    let name = name_of(call);
    let said = match reason {
        CallEnd::Said(reason) => match reason {
            EndReason::Unreachable => words.unreachable.fill(&name),
            EndReason::Busy => words.is_busy.fill(&name),
            EndReason::InAnotherCall => words.in_another.to_owned(),
            EndReason::Declined => words.declined.fill(&name),
            EndReason::TimedOut => words.no_answer.fill(&name),
            EndReason::Collision => words.both_called.fill(&name),
            EndReason::Lost => words.lost.fill(&name),
            EndReason::HungUp if !has_talked(call) => words.never_met.fill(&name),
            EndReason::AnsweredElsewhere => words.elsewhere_answered.to_owned(),
            EndReason::Cancelled | EndReason::DeclinedElsewhere | EndReason::Merged | EndReason::HungUp => {
                return None;
            }
            EndReason::UnknownCall | EndReason::Unknown => words.failed.to_owned(),
        },
        CallEnd::NoServer => words.no_server.to_owned(),
        CallEnd::NoMicrophone => words.no_microphone.to_owned(),
        CallEnd::Refused(visavis_protocol::ErrorCode::RateLimited) => words.too_often.to_owned(),
        CallEnd::Refused(_) => words.failed.to_owned(),
        CallEnd::NoConnection(why) => match why {
            NoConnection::NoRoom => words.no_room.to_owned(),
            NoConnection::NobodyCame => words.nobody_came.fill(&name),
            NoConnection::NoWay { relay: Some(false) } => words.no_way_no_relay.fill(&name),
            NoConnection::NoWay { .. } => words.no_way.fill(&name),
        },
    };
    // Who was called and did not take it has nothing to try again.
    let was_taken = matches!(reason, CallEnd::Said(EndReason::HungUp | EndReason::Lost));
    let is_plain = matches!(reason, CallEnd::Said(_)) && !was_taken;
    (call.outgoing || !is_plain).then_some(said)
}

const fn has_talked(call: &DirectCall) -> bool {
    matches!(call.state, CallState::Over { talked: Some(_), .. })
}
