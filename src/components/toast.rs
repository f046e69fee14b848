//! Short sentences about what just happened, one at a time.
//!
//! A sentence stays for as long as its animation runs and makes place for the next by its end, so
//! there is no timer; in a tab that nobody sees they wait, the oldest giving way.

use std::collections::VecDeque;

use leptos::prelude::*;

/// Sentences that may wait. More are old news by the time they would be read.
const WAITING: usize = 3;

/// What kind of sentence it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something to know.
    Polite,
    /// Something that did not work.
    Error,
}

/// One sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    number: u64,
    text: String,
}

/// Takes sentences and shows them. Copied freely.
#[derive(Clone, Copy)]
pub struct Toasts {
    polite: RwSignal<VecDeque<Toast>>,
    errors: RwSignal<VecDeque<Toast>>,
    last: StoredValue<u64>,
}

impl Toasts {
    /// Nothing to say yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            polite: RwSignal::default(),
            errors: RwSignal::default(),
            last: StoredValue::new(0),
        }
    }

    /// Says a sentence, after those that were said before.
    pub fn say(self, tone: Tone, text: String) {
        let number = self.last.get_value() + 1;
        self.last.set_value(number);
        self.queue(tone).update(|queue| {
            queue.push_back(Toast { number, text });
            if queue.len() > WAITING {
                queue.pop_front();
            }
        });
    }

    const fn queue(self, tone: Tone) -> RwSignal<VecDeque<Toast>> {
        match tone {
            Tone::Polite => self.polite,
            Tone::Error => self.errors,
        }
    }

    /// The present sentence of a tone, to stand in a live region.
    pub fn view(self, tone: Tone) -> AnyView {
        let queue = self.queue(tone);
        let first = move || queue.with(|queue| queue.front().cloned());
        let item = move |toast: Toast| {
            view! {
                <p
                    class="toast"
                    class:toast-error=tone == Tone::Error
                    on:animationend=move |_| queue.update(|queue| queue.retain(|other| other.number != toast.number))
                >
                    {toast.text}
                </p>
            }
        };
        view! { <For each=first key=|toast| toast.number children=item /> }.into_any()
    }
}

impl Default for Toasts {
    fn default() -> Self {
        Self::new()
    }
}
