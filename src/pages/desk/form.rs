//! The form that makes an appointment, or changes one.

use std::rc::Rc;

use leptos::prelude::*;
use visavis_protocol::appointment::{Entry, Facts};
use visavis_protocol::limits::{APPOINTMENT_AHEAD, NOTE_BYTES};
use visavis_protocol::{AppointmentId, ErrorCode, text};

use crate::components::dom::{El, button, el_class, live};
use crate::components::{Field, PickerOption, Toasts, Tone, labelled, name_error, picker_list};
use crate::i18n::words;
use crate::runtime::{Runtime, times, use_runtime};

/// Lengths to pick from, in minutes.
const LENGTHS: [u16; 9] = [10, 15, 20, 30, 45, 60, 90, 120, 180];
const USUAL: u16 = 30;
const HALF_HOUR_MS: u64 = 30 * 60 * 1000;

/// What is typed, over changes of the page and of its words.
#[derive(Clone, Copy)]
pub struct Draft(StoredValue<Typed>);

#[derive(Clone, Debug)]
struct Typed {
    /// The appointment that is changed; `None` for a new one.
    of: Option<AppointmentId>,
    client: String,
    note: String,
    day: String,
    clock: String,
    minutes: u16,
}

impl Typed {
    /// Nothing yet: the next full half hour, which is at least some minutes ahead.
    fn new() -> Self {
        let next = times::now() / HALF_HOUR_MS * HALF_HOUR_MS + HALF_HOUR_MS;
        let (day, clock) = times::fields(next);
        Self {
            of: None,
            client: String::new(),
            note: String::new(),
            day,
            clock,
            minutes: USUAL,
        }
    }

    fn of(id: AppointmentId, facts: &Facts) -> Self {
        let (day, clock) = times::fields(facts.starts);
        Self {
            of: Some(id),
            client: facts.client.clone(),
            note: facts.note.clone(),
            day,
            clock,
            minutes: facts.minutes,
        }
    }

    fn is_untouched(&self) -> bool {
        self.of.is_none() && self.client.is_empty() && self.note.is_empty()
    }
}

impl Draft {
    /// Nothing is typed.
    #[must_use]
    pub fn new() -> Self {
        Self(StoredValue::new(Typed::new()))
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self::new()
    }
}

/// The form. A handle: copies are the same form.
#[derive(Clone)]
pub struct Form(Rc<Parts>);

struct Parts {
    whole: El,
    client: Field,
    note: Field,
    day: Field,
    clock: Field,
    minutes: RwSignal<u16>,
    draft: StoredValue<Typed>,
    /// The same as in the draft, for what follows it.
    is_change: RwSignal<bool>,
    toasts: Toasts,
    /// Kept here: within an event there is nobody to ask for it.
    runtime: Runtime,
}

impl Form {
    pub fn new(toasts: &Toasts) -> Self {
        let words = &words().desk;
        let Draft(draft) = expect_context();
        // What stood here an hour ago proposes a time that is over.
        if draft.with_value(Typed::is_untouched) {
            draft.set_value(Typed::new());
        }
        let client = Field::new("client", words.client, None);
        client
            .input()
            .attr("autocomplete", "off")
            .attr("maxlength", "200");
        let note = Field::area("note", words.note);
        let day = Field::new("date", words.date, None);
        day.input().attr("type", "date");
        let clock = Field::new("time", words.time, None);
        clock.input().attr("type", "time");
        let form = Self(Rc::new(Parts {
            whole: el_class("form", "card desk-form").attr("novalidate", ""),
            client,
            note,
            day,
            clock,
            minutes: RwSignal::new(USUAL),
            draft,
            is_change: RwSignal::new(false),
            toasts: toasts.clone(),
            runtime: use_runtime(),
        }));
        form.build();
        form.show();
        form.follow_refusals();
        form
    }

    pub fn el(&self) -> El {
        self.0.whole.clone()
    }

    fn build(&self) {
        let words = &words().desk;
        let parts = &self.0;
        let (minutes, is_change) = (parts.minutes, parts.is_change);
        let title = move || if is_change.get() { words.editing } else { words.new };
        let lengths = move || {
            let picked = minutes.get();
            let mut lengths = LENGTHS.to_vec();
            if !lengths.contains(&picked) {
                lengths.push(picked);
                lengths.sort_unstable();
            }
            let option = |length: u16| PickerOption {
                value: length.to_string(),
                label: words.minutes.of(usize::from(length)),
                is_picked: length == picked,
            };
            lengths.into_iter().map(option).collect()
        };
        let kept = self.clone();
        let list = picker_list(lengths, move |picked| {
            if let Ok(picked) = picked.parse() {
                minutes.set(picked);
                kept.keep();
            }
        });
        let discarded = self.clone();
        let discard = move || {
            let discarded = discarded.clone();
            is_change.get().then(|| {
                button("button", move || {
                    discarded.0.draft.set_value(Typed::new());
                    discarded.show();
                    discarded.0.client.input().focus();
                })
                .text(words.discard)
            })
        };
        let save = el_class("button", "button button-primary")
            .live(move |save| save.set_text(if is_change.get() { words.save } else { words.create }));
        let zone = el_class("p", "quiet small").text(&words.in_zone.fill(&times::zone()));
        let (typed, submitted) = (self.clone(), self.clone());
        parts
            .whole
            .clone()
            .live(move |form| form.set_attr("aria-label", Some(title())))
            .on("input", move |_| typed.keep())
            .on("submit", move |event| {
                event.prevent_default();
                submitted.submit();
            })
            .child(el_class("h2", "desk-form-title").live_text(move || title().to_owned()))
            .child(parts.client.whole.clone())
            .child(
                el_class("div", "desk-when")
                    .child(parts.day.whole.clone())
                    .child(parts.clock.whole.clone())
                    .child(labelled(words.length, list)),
            )
            .child(zone)
            .child(parts.note.whole.clone())
            .child(el_class("p", "quiet small").text(words.note_hint))
            .child(el_class("div", "desk-form-acts").child(save).slot(discard));
    }

    /// Writes the draft into the fields.
    fn show(&self) {
        let parts = &self.0;
        let typed = parts.draft.get_value();
        let fill = |field: &Field, text: &str| {
            field.input().set_property("value", &text.into());
            field.clear_error();
        };
        fill(&parts.client, &typed.client);
        fill(&parts.note, &typed.note);
        fill(&parts.day, &typed.day);
        fill(&parts.clock, &typed.clock);
        parts.minutes.set(typed.minutes);
        parts.is_change.set(typed.of.is_some());
    }

    /// Writes the fields into the draft.
    fn keep(&self) {
        let parts = &self.0;
        parts.draft.update_value(|typed| {
            typed.client = parts.client.text();
            typed.note = parts.note.text();
            typed.day = parts.day.text();
            typed.clock = parts.clock.text();
            typed.minutes = parts.minutes.get_untracked();
        });
    }

    /// Shows an appointment to be changed.
    pub fn edit(&self, entry: &Entry) {
        self.0.draft.set_value(Typed::of(entry.appointment, &entry.facts));
        self.show();
        self.0.whole.element().scroll_into_view();
        self.0.client.input().focus();
    }

    fn submit(&self) {
        let words = &words().desk;
        let Some(facts) = self.read() else { return };
        let of = self.0.draft.with_value(|typed| typed.of);
        let said = if of.is_some() {
            words.changed
        } else {
            words.created
        };
        let (client, starts) = (facts.client.clone(), facts.starts);
        self.0.runtime.put_appointment(of, facts);
        self.0.draft.set_value(Typed::new());
        self.show();
        let when = [client, times::short_day(starts), times::clock(starts, None)].join(", ");
        self.0.toasts.say(Tone::Polite, said.fill(&when));
        self.0.client.input().focus();
    }

    /// What is agreed, or says at each field what is wrong. The first of them has the cursor then.
    fn read(&self) -> Option<Facts> {
        let words = &words().desk;
        let parts = &self.0;
        let client = parts.client.normalized();
        let of_client = match text::check_name(&client) {
            Ok(()) => None,
            Err(text::TextError::Empty) => Some(words.no_client),
            Err(error) => Some(name_error(error)),
        };
        // As the server takes it: no signs that nobody sees.
        let note = text::clean_text(&parts.note.normalized()).trim().to_owned();
        let of_note = (note.len() > NOTE_BYTES).then_some(words.note_long);
        let (day, clock) = (parts.day.text(), parts.clock.text());
        let of_day = day.is_empty().then_some(words.no_date);
        let of_clock = clock.is_empty().then_some(words.no_time);
        let minutes = parts.minutes.get_untracked();
        let now = times::now();
        let starts = times::of_fields(&day, &clock);
        let of_time = starts.map_or(Some(words.no_day), |starts| {
            let ends = starts.saturating_add(u64::from(minutes) * 60_000);
            let ahead = u64::try_from(APPOINTMENT_AHEAD.as_millis()).unwrap_or(u64::MAX);
            if ends <= now {
                Some(words.past)
            } else if starts > now.saturating_add(ahead) {
                Some(words.far)
            } else {
                None
            }
        });
        let of_day = of_day.or(of_time.filter(|_| of_clock.is_none()));
        // The last one that is set has the cursor.
        for (field, error) in [
            (&parts.note, of_note),
            (&parts.clock, of_clock),
            (&parts.day, of_day),
            (&parts.client, of_client),
        ] {
            field.set_error(error);
        }
        let is_right = [of_note, of_clock, of_day, of_client].iter().all(Option::is_none);
        Some(Facts {
            client,
            note,
            starts: starts.filter(|_| is_right)?,
            minutes,
            zone: times::zone(),
        })
    }

    /// Gives back what the server did not take, and says why. Nothing else that is being typed is lost for it.
    fn follow_refusals(&self) {
        let desk = self.0.runtime.desk();
        let refused = Memo::new(move |_| desk.with(|desk| desk.refused.clone()));
        let form = self.clone();
        let said = StoredValue::new(
            desk.with_untracked(|desk| desk.refused.as_ref().map_or(0, |refused| refused.number)),
        );
        live(move || {
            let Some(refused) = refused.get().filter(|refused| refused.number > said.get_value()) else {
                return;
            };
            said.set_value(refused.number);
            let text = why(refused.code);
            form.0.toasts.say(Tone::Error, text.to_owned());
            let Some(facts) = &refused.facts else { return };
            if form.0.draft.with_value(Typed::is_untouched) {
                form.0.draft.set_value(Typed {
                    of: None,
                    ..Typed::of(refused.appointment, facts)
                });
                form.show();
                form.0.day.set_error(Some(text));
            }
        });
    }
}

/// What to say of something that the server did not do.
fn why(code: ErrorCode) -> &'static str {
    let words = &words().desk;
    let known = [
        (ErrorCode::InvalidAppointment, words.not_taken),
        (ErrorCode::InvalidName, words.not_taken),
        (ErrorCode::BadMessage, words.not_taken),
        (ErrorCode::TooMany, words.too_many),
        (ErrorCode::UnknownAppointment, words.unknown),
    ];
    let said = known.into_iter().find(|(known, _)| *known == code);
    said.map_or(words.not_done, |(_, text)| text)
}
