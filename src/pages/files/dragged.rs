//! Files over the call: dragged onto all of it or onto one person, dropped, pasted.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use visavis_protocol::SeatId;

use super::Files;
use crate::components::dom::{El, el_class};
use crate::components::{Icon, icon};
use crate::i18n::words;
use crate::pages::scene::Scene;
use crate::runtime::DropEvent;

/// What is dragged, and over what.
#[derive(Clone)]
struct Dragged {
    is_over: RwSignal<bool>,
    /// Whose tile it is over; empty for everyone.
    onto: RwSignal<Vec<SeatId>>,
    /// That tile.
    lit: Rc<RefCell<Option<El>>>,
}

impl Files {
    /// Says what dropping would do while files are dragged over the page. Belongs over the stage. `open`
    /// opens the panel, if it is closed.
    pub fn dragged(&self, scene: Scene, open: impl Fn() + 'static) -> El {
        let runtime = self.runtime;
        let people = runtime.people();
        let dragged = Dragged {
            is_over: RwSignal::new(false),
            onto: RwSignal::new(Vec::new()),
            lit: Rc::default(),
        };
        let text = el_class("span", "cut");
        let said = text.clone();
        let (is_over, onto) = (dragged.is_over, dragged.onto);
        let files = self.clone();
        runtime.hear_drops(move |event| match event {
            DropEvent::Over(event) => {
                let tile = scene.tile_at(&event);
                dragged.over(tile);
                people.with_untracked(|people| !people.is_empty())
            }
            DropEvent::Left => {
                dragged.end();
                false
            }
            DropEvent::Dropped(event, dropped) => {
                let onto = scene.tile_at(&event).map(|(seat, _)| seat);
                dragged.end();
                let is_offered = people.with_untracked(|people| !people.is_empty())
                    && runtime.offer_dropped(&dropped, onto.into_iter().collect());
                if is_offered {
                    open();
                }
                is_offered
            }
            DropEvent::Pasted(list) => {
                files.paste(list);
                open();
                true
            }
        });
        el_class("div", "drop-here")
            .attr("aria-hidden", "true")
            .child(el_class("p", "drop-text").child(icon(Icon::Upload)).child(text))
            .live(move |place| {
                place.set_flag("hidden", !is_over.get());
                let name = onto.with(|onto| {
                    people.with(|people| {
                        let found = people.iter().find(|person| onto.contains(&person.seat));
                        found.map(|person| person.name.clone())
                    })
                });
                let text = match name {
                    Some(name) => words().file.drop_person.fill(&name),
                    None if people.with(Vec::is_empty) => words().alone.to_owned(),
                    None => words().file.drop_everyone.to_owned(),
                };
                said.set_text(&text);
            })
    }
}

impl Dragged {
    fn over(&self, tile: Option<(SeatId, El)>) {
        self.is_over.set(true);
        let (onto, lit): (Vec<SeatId>, Option<El>) = match tile {
            Some((seat, tile)) => (vec![seat], Some(tile)),
            None => (Vec::new(), None),
        };
        if self.onto.with_untracked(|before| *before != onto) {
            self.onto.set(onto);
        }
        let before = self.lit.replace(lit.clone());
        if before != lit {
            if let Some(before) = before {
                before.set_class("is-target", false);
            }
            if let Some(lit) = lit {
                lit.set_class("is-target", true);
            }
        }
    }

    fn end(&self) {
        self.over(None);
        self.is_over.set(false);
    }
}
