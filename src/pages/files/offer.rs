//! An offer that comes while the panel is closed: a card that takes no focus and stays until it is
//! answered or put aside. It is said by a notice, so this is no live region.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::{FileIntent, Transfer};
use visavis_protocol::TransferId;

use super::Files;
use crate::components::dom::{El, button, el, el_class, live};
use crate::components::{Icon, asks, file_name, icon};
use crate::i18n::{amounts, words};

impl Files {
    /// The card, which belongs above the stage. `open` opens the panel.
    pub fn offer(&self, open: impl Fn() + Clone + 'static) -> El {
        let (files, is_open) = (self.clone(), self.panel.is_open());
        let all = self.runtime.transfers();
        // What the person left for later.
        let aside: Rc<RefCell<Vec<TransferId>>> = Rc::default();
        let asides = RwSignal::new(0_u32);
        // Transfers change all the time while one runs; the card does so when offers come and go.
        let offered = RwSignal::new(Vec::<TransferId>::new());
        let left = Rc::clone(&aside);
        live(move || {
            asides.track();
            let aside = left.borrow();
            let now = all.with(|all| waiting(all, &aside));
            if offered.with_untracked(|before| *before != now) {
                offered.set(now);
            }
        });
        el_class("div", "slot").slot(move || {
            let offered = offered.get();
            let first = *offered.first().filter(|_| !is_open.get())?;
            let shown = all.with_untracked(|all| {
                let found = all.iter().find(|transfer| transfer.transfer == first);
                found.cloned()
            })?;
            let (aside, several) = (Rc::clone(&aside), offered.len());
            let later = button("sign", move || {
                aside.borrow_mut().extend(offered.iter().copied());
                asides.update(|count| *count += 1);
            })
            .child(icon(Icon::Close));
            later.set_label(words().close);
            let card = if several > 1 {
                several_card(several, open.clone())
            } else {
                files.single_card(&shown)
            };
            Some(card.child(later))
        })
    }

    fn single_card(&self, transfer: &Transfer) -> El {
        let (words, runtime, id) = (&words().file, self.runtime, transfer.transfer);
        let answer = |class, name, intent: FileIntent| {
            button(class, move || runtime.about_file(intent.clone())).text(name)
        };
        let who = words.offer.fill(&transfer.name);
        let what = el_class("p", "offer-what")
            .child(file_name(&transfer.title))
            .child(el_class("span", "hint").text(&amounts::bytes(transfer.bytes)));
        let text = el_class("div", "offer-text")
            .child(el("p").text(&who))
            .child(what);
        card([&who, " ", &transfer.title].concat().as_str(), text)
            .child(answer(
                "button button-small",
                words.decline,
                FileIntent::Decline(id),
            ))
            .child(answer(
                "button button-small button-primary",
                words.accept,
                FileIntent::Accept(id),
            ))
    }
}

fn several_card(count: usize, open: impl Fn() + 'static) -> El {
    let words = &words().file;
    let text = words.waiting.of(count);
    card(&text, el_class("p", "offer-text").text(&text))
        .child(button("button button-small button-primary", open).text(words.show))
}

fn card(name: &str, text: El) -> El {
    el_class("div", "offer")
        .attr("role", "group")
        .attr("aria-label", name)
        .child(icon(Icon::File))
        .child(text)
}

/// What waits for an answer and was not left for later.
fn waiting(all: &[Transfer], aside: &[TransferId]) -> Vec<TransferId> {
    let asking = all.iter().filter(|transfer| asks(transfer));
    let ids = asking.map(|transfer| transfer.transfer);
    ids.filter(|id| !aside.contains(id)).collect()
}
