//! `/join#<token>`: a client's appointment, their devices, and the wait for it.

use core::cell::Cell;
use core::time::Duration;

use leptos::prelude::*;
use visavis_call_core::{Appointment, Proof, VisitView};
use visavis_protocol::ErrorCode;
use visavis_protocol::appointment::{Facts, VisitState};

use super::prejoin::preview;
use super::{dead_end, link, not_yet, offline, set_title, to_lobby};
use crate::components::dom::{El, button, el, el_class, live};
use crate::components::{Icon, brand_link, heading, icon, message};
use crate::i18n::words;
use crate::route::LinkToken;
use crate::runtime::{Runtime, times, use_runtime};

/// How often the countdown is written anew.
const SECOND: Duration = Duration::from_secs(1);

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    Absent,
    Damaged,
    Looking,
    Refused(ErrorCode),
    Elsewhere,
    Closed,
    /// The facts, with the devices.
    Before,
    /// They come from the call.
    Left,
    Cancelled,
    Late,
    Over,
}

/// The page.
pub fn page(token: LinkToken) -> El {
    let runtime = use_runtime();
    if let LinkToken::Whole(token) = &token {
        runtime.open_visit(token);
        on_cleanup(move || runtime.leave_visit());
    }
    let visit = runtime.visit();
    let shape = match &token {
        LinkToken::Absent => Some(Face::Absent),
        LinkToken::Damaged => Some(Face::Damaged),
        LinkToken::Whole(_) => None,
    };
    let has_left = runtime.has_left_visit();
    let face = Memo::new(move |_| shape.unwrap_or_else(|| visit.with(|visit| face(visit, has_left.get()))));
    // Asked for once: what the person turns off meanwhile stays off.
    let wants_devices = Memo::new(move |_| face.get() == Face::Before);
    let has_devices = Cell::new(false);
    live(move || {
        let wants = wants_devices.get();
        if wants {
            runtime.try_devices();
        } else if has_devices.get() {
            // What is shown instead has no button that turns them off.
            runtime.release_devices();
        }
        has_devices.set(wants);
    });
    let speech = runtime.speech();
    el_class("div", "slot").slot(move || {
        speech.track();
        Some(match face.get() {
            Face::Absent => dead_end(Icon::Calendar, words().visit.yours, words().visit.about),
            Face::Damaged => bad_link(ErrorCode::TokenMalformed),
            Face::Refused(code) => bad_link(code),
            Face::Looking => not_yet(
                Icon::Calendar,
                [words().visit.yours, words().visit.looking],
                || words().visit.offline,
            ),
            Face::Elsewhere => elsewhere(),
            Face::Closed => closed(),
            Face::Before => before(),
            Face::Left => left(),
            Face::Cancelled | Face::Late | Face::Over => over(face.get()),
        })
    })
}

fn face(visit: &VisitView, has_left: bool) -> Face {
    match visit.proof {
        Proof::Refused(code) => return Face::Refused(code),
        Proof::Elsewhere => return Face::Elsewhere,
        Proof::Ended => return Face::Closed,
        Proof::None | Proof::Asking | Proof::Taken => {}
    }
    match visit.appointment.as_ref().map(|known| &known.state) {
        None => Face::Looking,
        Some(VisitState::Cancelled {}) => Face::Cancelled,
        Some(VisitState::Over {}) => Face::Over,
        Some(VisitState::Late {}) => Face::Late,
        Some(_) if has_left => Face::Left,
        Some(
            VisitState::Early { .. }
            | VisitState::Open {}
            | VisitState::Waiting { .. }
            | VisitState::CalledIn { .. }
            | VisitState::Unknown,
        ) => Face::Before,
    }
}

fn bad_link(code: ErrorCode) -> El {
    let words = words();
    set_title(words.visit.yours);
    let (why, may_copy) = link::why(code);
    let what = if may_copy {
        words.visit.copy_again
    } else {
        words.visit.ask
    };
    let text = [why, what].join(" ");
    el("main").child(message(
        Icon::Warning,
        words.link.bad,
        &text,
        [to_lobby("button")],
    ))
}

fn elsewhere() -> El {
    let words = words();
    let runtime = use_runtime();
    set_title(words.visit.yours);
    // The server takes the word of a later socket alone: what an earlier one wrote may have come late.
    let here = button("button button-primary", move || runtime.reload()).text(words.visit.use_here);
    el("main").child(message(
        Icon::People,
        words.visit.elsewhere,
        words.visit.elsewhere_hint,
        [here],
    ))
}

fn closed() -> El {
    let words = words();
    let runtime = use_runtime();
    set_title(words.visit.yours);
    let reload = button("button button-primary", move || runtime.reload()).text(words.reload);
    el("main").child(message(Icon::Warning, words.visit.closed, "", [reload]))
}

/// After the call, while it may still go on.
fn left() -> El {
    let words = words();
    let runtime = use_runtime();
    set_title(words.ended_hung_up);
    let again = button("button", move || runtime.be_ready()).text(words.rejoin);
    el("main").child(message(
        Icon::Leave,
        words.ended_hung_up,
        &facts_line(),
        [again, to_lobby("button button-primary")],
    ))
}

/// Nothing comes of it any more.
fn over(face: Face) -> El {
    let words = &words().visit;
    let professional = use_runtime().visit().with(|visit| {
        let known = visit.appointment.as_ref();
        known.map(|known| known.professional.clone()).unwrap_or_default()
    });
    let (sign, title, hint) = match face {
        Face::Cancelled => (
            Icon::Calendar,
            words.cancelled,
            words.cancelled_hint.fill(&professional),
        ),
        Face::Late => (Icon::Calendar, words.late, words.late_hint.fill(&professional)),
        Face::Absent
        | Face::Damaged
        | Face::Looking
        | Face::Refused(_)
        | Face::Elsewhere
        | Face::Closed
        | Face::Before
        | Face::Left
        | Face::Over => (Icon::Check, words.over, words.over_hint.to_owned()),
    };
    set_title(title);
    let facts = el_class("p", "quiet small").text(&facts_line());
    el("main").child(message(sign, title, &hint, [to_lobby("button")]).child(facts))
}

/// With whom and when, in one line.
fn facts_line() -> String {
    use_runtime().visit().with_untracked(|visit| {
        visit.appointment.as_ref().map_or_else(String::new, |known| {
            [
                words().visit.with.fill(&known.professional),
                when(&known.facts, None),
            ]
            .join(", ")
        })
    })
}

/// The day and the time, in the person's own zone or in another one.
fn when(facts: &Facts, zone: Option<&str>) -> String {
    let (begin, end) = (times::clock(facts.starts, zone), times::clock(facts.ends(), zone));
    [times::day(facts.starts, zone), [begin, end].join(" – ")].join(", ")
}

/// The appointment, one's own picture, and the way to wait.
fn before() -> El {
    let words = words();
    let runtime = use_runtime();
    let visit = runtime.visit();
    let known = Memo::new(move |_| visit.with(|visit| visit.appointment.clone()));
    let ready = Memo::new(move |_| visit.with(|visit| visit.ready.is_some()));
    let professional = Memo::new(move |_| {
        known
            .with(|known| known.as_ref().map(|known| known.professional.clone()))
            .unwrap_or_default()
    });
    live(move || {
        if ready.get() {
            set_title(words.visit.waiting);
        } else {
            set_title(&words.visit.with.fill(&professional.get()));
        }
    });
    let head = el_class("div", "visit-head").slot({
        let head = heading(&words.visit.with.fill(&professional.get_untracked()));
        move || {
            let name = professional.get();
            head.set_text(&words.visit.with.fill(&name));
            Some(head.clone())
        }
    });
    let facts = Memo::new(move |_| known.with(|known| known.as_ref().map(|known| known.facts.clone())));
    // Not made anew by all that is told meanwhile: whoever is on a button would lose it.
    let is_known = Memo::new(move |_| known.with(Option::is_some));
    let enter = el_class("section", "prejoin-enter visit")
        .child(head.slot(move || facts.get().map(|facts| about(&facts))))
        .slot(moved)
        .child(
            el_class("div", "visit-state")
                .attr("role", "status")
                .slot(move || known.get().map(|known| standing(&known, ready.get()))),
        )
        .slot(move || is_known.get().then(|| acts(known, ready)))
        .slot(move || offline(words.visit.offline));
    el_class("main", "slot").child(
        el_class("div", "page prejoin")
            .child(el("div").child(brand_link(words.visavis)))
            .child(el_class("div", "prejoin-columns").child(preview()).child(enter)),
    )
}

/// When, how long, and what the professional wrote.
fn about(facts: &Facts) -> El {
    let words = words();
    let length = words.desk.minutes.of(usize::from(facts.minutes));
    let agreed = when(facts, Some(&facts.zone));
    let is_other = !agreed.is_empty() && agreed != when(facts, None);
    let zoned = [&agreed, " (", &facts.zone, ")"].concat();
    el_class("div", "visit-facts")
        .child(el_class("p", "visit-when").text(&when(facts, None)))
        .child(el_class("p", "quiet").text(&length))
        .children(is_other.then(|| el_class("p", "quiet small").text(&words.visit.agreed.fill(&zoned))))
        .children((!facts.note.is_empty()).then(|| el_class("p", "visit-note").text(&facts.note)))
}

/// That it was moved.
fn moved() -> Option<El> {
    let visit = use_runtime().visit();
    let moved = Memo::new(move |_| {
        visit.with(|visit| {
            let facts = visit.appointment.as_ref().map(|known| known.facts.clone());
            visit.moved_from.zip(facts)
        })
    });
    let (from, facts) = moved.get()?;
    let words = &words().visit;
    let before = [times::day(from, None), times::clock(from, None)].join(", ");
    let text = [
        words.moved_from.fill(&before),
        words.moved_to.fill(&when(&facts, None)),
    ]
    .join(" ");
    Some(
        el_class("div", "note")
            .attr("role", "status")
            .child(icon(Icon::Calendar))
            .child(el("p").text(&text)),
    )
}

/// How it stands, and what there is to do.
fn standing(known: &Appointment, is_ready: bool) -> El {
    let words = &words().visit;
    let place = el_class("div", "visit-standing");
    let title = |text: &str| el_class("p", "visit-title").text(text);
    let hint = |text: &str| el_class("p", "quiet").text(text);
    let at_desk = || {
        let text = if known.desk_open {
            words.desk_open
        } else {
            words.desk_closed
        };
        el_class("p", "visit-desk")
            .attr("data-open", if known.desk_open { "true" } else { "false" })
            .text(&text.fill(&known.professional))
    };
    match &known.state {
        VisitState::Early { opens } => place
            .child(title(&come_back(*opens)))
            .child(countdown(*opens))
            .child(hint(words.early_hint)),
        VisitState::CalledIn { .. } => place.child(title(&words.expected.fill(&known.professional))),
        VisitState::Waiting { since } => place
            .child(title(&words.waiting_for.fill(&known.professional)))
            .child(hint(&words.since.fill(&times::clock(*since, None))))
            .child(at_desk())
            .child(hint(words.waiting_hint)),
        // The server hears of it in a moment.
        VisitState::Open {} | VisitState::Unknown if is_ready => place
            .child(title(&words.waiting_for.fill(&known.professional)))
            .child(at_desk())
            .child(hint(words.waiting_hint)),
        VisitState::Open {}
        | VisitState::Unknown
        | VisitState::Over {}
        | VisitState::Late {}
        | VisitState::Cancelled {} => place.child(at_desk()).child(hint(words.ready_hint)),
    }
}

/// When to come back: with the day, where that is another one.
fn come_back(opens: u64) -> String {
    let words = &words().visit;
    let clock = times::clock(opens, None);
    let is_today = times::fields(opens).0 == times::fields(times::now()).0;
    if is_today {
        words.early.fill(&clock)
    } else {
        words.early_day.fill(&[times::day(opens, None), clock].join(", "))
    }
}

/// How long until the waiting room opens. What changes each second is not read out.
fn countdown(opens: u64) -> El {
    let runtime = use_runtime();
    let visit = runtime.visit();
    let beat = runtime.beats(SECOND);
    el_class("p", "visit-countdown")
        .attr("aria-live", "off")
        .attr("role", "timer")
        .live_text(move || {
            beat.track();
            let now = runtime.server_now(visit.with_untracked(|visit| visit.clock));
            words().visit.opens_in.fill(&span(opens.saturating_sub(now)))
        })
}

/// A time that counts down: "1:05:09", "5:09".
fn span(ms: u64) -> String {
    let seconds = ms.div_ceil(1000);
    let two = |number: u64| {
        let text = number.to_string();
        if text.len() < 2 {
            ["0", &text].concat()
        } else {
            text
        }
    };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        [hours.to_string(), two(minutes), two(seconds)].join(":")
    } else {
        [minutes.to_string(), two(seconds)].join(":")
    }
}

/// The one button.
fn acts(known: Memo<Option<Appointment>>, ready: Memo<bool>) -> El {
    let runtime = use_runtime();
    let words = words();
    let visit = runtime.visit();
    let state = Memo::new(move |_| known.with(|known| known.as_ref().map(|known| known.state.clone())));
    let refused = Memo::new(move |_| visit.with(|visit| visit.refused.is_some()));
    let go = button("button button-primary button-large", move || begin(runtime));
    let stop = button("button button-plain", move || runtime.stop_waiting()).text(words.visit.stop);
    let (begins, stops) = (go.clone(), stop.clone());
    live(move || {
        let state = state.get();
        let is_called = matches!(state, Some(VisitState::CalledIn { .. }));
        let is_early = matches!(state, Some(VisitState::Early { .. }));
        begins.set_text(if is_called {
            words.join_now
        } else {
            words.visit.ready
        });
        let (may_begin, may_stop) = (!ready.get() && !is_early, ready.get() && !is_called);
        // Whoever pressed the one goes on at the other.
        let (was_begin, was_stop) = (begins.has_focus(), stops.has_focus());
        begins.set_flag("hidden", !may_begin);
        stops.set_flag("hidden", !may_stop);
        if was_begin && may_stop {
            stops.focus();
        } else if was_stop && may_begin {
            begins.focus();
        }
    });
    el_class("div", "form")
        .child(go)
        .child(stop)
        .child(el("div").attr("role", "alert").slot(move || {
            refused.get().then(|| {
                el_class("div", "note")
                    .child(icon(Icon::Warning))
                    .child(el("p").text(words.visit.not_ready))
            })
        }))
}

fn begin(runtime: Runtime) {
    runtime.be_ready();
    // Within this click: in the call there is none.
    runtime.unblock_playback();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_down_in_the_form_of_a_clock() {
        for (ms, said) in [
            (0, "0:00"),
            (1, "0:01"),
            (59_001, "1:00"),
            (309_000, "5:09"),
            (3_909_000, "1:05:09"),
        ] {
            assert_eq!(span(ms), said);
        }
    }
}
