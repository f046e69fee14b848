//! Lines of the record: calls, and what was written in them.

use core::time::Duration;

use leptos::prelude::*;
use visavis_protocol::Handle;

use crate::components::dom::{El, button, el, el_class};
use crate::components::{Icon, icon};
use crate::i18n::words;
use crate::route::Route;
use crate::runtime::{Entry, Outcome, What, use_runtime};

/// Lines that are shown; older ones are kept and not shown.
const LINES: usize = 200;

/// The calls there were, the newest first: with everybody, or the whole conversation with one.
pub fn call_list(with: Option<Handle>) -> El {
    let runtime = use_runtime();
    let (record, speech) = (runtime.past_calls(), words());
    let name = match &with {
        Some(with) => speech.phone.conversation.fill(with.as_str()),
        None => speech.phone.calls.to_owned(),
    };
    el("div").slot(move || {
        let lines: Vec<El> = record.with(|entries| {
            let shown = entries.iter().rev().filter(|entry| match &with {
                Some(with) => entry.with == *with,
                None => matches!(entry.what, What::Call { .. }),
            });
            shown
                .take(LINES)
                .map(|entry| line(entry, with.is_some()))
                .collect()
        });
        let words = &words().phone;
        if lines.is_empty() {
            let text = if with.is_some() {
                words.nothing
            } else {
                words.no_calls
            };
            return Some(el_class("p", "quiet").text(text));
        }
        Some(
            el_class("ul", "rows call-rows")
                // Without its bullets some browsers no longer take it for a list.
                .attr("role", "list")
                .attr("aria-label", &name)
                .children(lines),
        )
    })
}

fn line(entry: &Entry, is_conversation: bool) -> El {
    let runtime = use_runtime();
    let words = &words().phone;
    let time = el_class("time", "quiet small").text(&runtime.written_time(entry.at));
    match &entry.what {
        What::Text { own, text } => el_class("li", if *own { "wrote is-own" } else { "wrote" })
            .child(el_class("p", "wrote-text").attr("dir", "auto").text(text))
            .child(time),
        What::Call {
            outgoing,
            video,
            outcome,
        } => {
            let with = entry.with.as_str();
            let sign = match (outcome, outgoing) {
                (Outcome::Missed, _) => Icon::PhoneMissed,
                (_, true) => Icon::PhoneOut,
                (_, false) => Icon::PhoneIn,
            };
            let said = el_class("span", "call-said").text(&said(*outgoing, *video, *outcome));
            let text = el_class("div", "call-text grow");
            let text = if is_conversation {
                text.child(said)
            } else {
                let link = el_class("a", "cut")
                    .attr("href", &Route::Contact(entry.with.clone()).path())
                    .child(el("bdi").text(with));
                text.child(link).child(said)
            };
            let (to, video) = (entry.with.clone(), *video);
            let back = button("sign", move || runtime.call(&to, video)).child(icon(if video {
                Icon::Camera
            } else {
                Icon::Phone
            }));
            back.set_label(&words.call_back.fill(with));
            let back = back.live(move |back| back.set_flag("disabled", super::is_in_call(runtime)));
            let item = el("li").child(icon(sign)).child(text).child(time).child(back);
            item.set_class("is-missed", *outcome == Outcome::Missed);
            item
        }
    }
}

/// A call in words: which way, of what kind, and what became of it.
fn said(outgoing: bool, video: bool, outcome: Outcome) -> String {
    let words = &words().phone;
    let kind = if video { words.video_call } else { words.audio_call };
    let way = match (outcome, outgoing) {
        (Outcome::Missed, _) => words.line_missed,
        (_, true) => words.line_out,
        (_, false) => words.line_in,
    };
    let became = match outcome {
        Outcome::Talked(seconds) => Some(lasted(Duration::from_secs(seconds))),
        Outcome::Missed | Outcome::Begun => None,
        Outcome::Declined => Some(words.outcome_declined.to_owned()),
        Outcome::Cancelled => Some(words.outcome_cancelled.to_owned()),
        Outcome::NoAnswer => Some(words.outcome_no_answer.to_owned()),
        Outcome::Busy => Some(words.outcome_busy.to_owned()),
        Outcome::Unreachable => Some(words.outcome_unreachable.to_owned()),
        Outcome::Elsewhere => Some(words.outcome_elsewhere.to_owned()),
        Outcome::Failed => Some(words.outcome_failed.to_owned()),
    };
    let line = way.fill(kind);
    match became {
        Some(became) => [line.as_str(), became.as_str()].join(" · "),
        None => line,
    }
}

/// How long a call lasted: whole minutes, seconds below one.
pub fn lasted(time: Duration) -> String {
    let (words, seconds) = (&words().phone, time.as_secs());
    let number = |n: u64| n.to_string();
    if seconds < 60 {
        return words.seconds.fill(&number(seconds));
    }
    let minutes = words.minutes.fill(&number(seconds / 60 % 60));
    match seconds / 3600 {
        0 => minutes,
        hours => [words.hours.fill(&number(hours)), minutes].join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_became_of_a_call() {
        for (outgoing, video, outcome, wanted) in [
            (true, true, Outcome::Talked(185), "Outgoing: Video call · 3 min"),
            (false, false, Outcome::Talked(42), "Incoming: Audio call · 42 s"),
            (
                false,
                true,
                Outcome::Talked(3_720),
                "Incoming: Video call · 1 h 2 min",
            ),
            (false, false, Outcome::Missed, "Missed: Audio call"),
            (true, false, Outcome::NoAnswer, "Outgoing: Audio call · no answer"),
        ] {
            assert_eq!(said(outgoing, video, outcome), wanted);
        }
    }
}
