//! A tab that was duplicated, and the tab it was made from: both are told, and nothing is taken
//! from the one that has the call unless the person says so in the other.
//!
//! The duplicate, which finds its seat taken, asks the tabs of this browser on every room's page
//! whether that seat is in the call there; the tab that is answers.

use leptos::prelude::{Set, Update, WithUntracked};
use visavis_call_core::{Intent, Stage, VisitId};
use visavis_protocol::RoomId;
use visavis_protocol::text::{self, TextError};

use super::engine::Engine;
use crate::web::broadcast::Broadcast;

/// The channel that all tabs of this site hear.
const CHANNEL: &str = "visavis.tabs";
const ASK: &str = "ask";
const HERE: &str = "here";

impl Engine {
    /// Begins to hear the other tabs.
    pub(super) fn hear_tabs(&self) {
        let this = self.weak();
        let tabs = Broadcast::open(CHANNEL, move |message| {
            if let Some(engine) = this.upgrade() {
                engine.tab_said(&message);
            }
        });
        let before = self.tabs.replace(tabs);
        drop(before);
    }

    /// Asks whether the seat that this tab has a copy of is in the call of a room.
    pub(super) fn ask_twin(&self, room: &RoomId) {
        self.store.is_elsewhere.set(false);
        if let Some(twin) = self.with_seat(|seat| seat.twin).flatten() {
            self.tell_tabs(ASK, &twin.seat_id().to_text(), room);
        }
    }

    fn tell_tabs(&self, what: &str, seat: &str, room: &RoomId) {
        if let Some(tabs) = &*self.tabs.borrow() {
            tabs.post(&[what, seat, room.as_str()].join(" "));
        }
    }

    fn tab_said(&self, message: &str) {
        if self.hear_other_tab(message) {
            return;
        }
        let mut words = message.splitn(3, ' ');
        let (Some(what), Some(seat), Some(room)) = (words.next(), words.next(), words.next()) else {
            return;
        };
        let here = self.room_id();
        let Some(here) = here.filter(|here| here.as_str() == room) else {
            return;
        };
        let (own, twin) = self
            .with_seat(|own| {
                (
                    own.secret.seat_id().to_text(),
                    own.twin.map(|twin| twin.seat_id().to_text()),
                )
            })
            .unwrap_or_default();
        let is_in = self.store.view.with_untracked(|view| view.stage == Stage::Joined);
        if what == ASK && own == seat && is_in {
            self.tell_tabs(HERE, seat, &here);
            self.store.duplicates.update(|count| *count += 1);
        } else if what == HERE && twin.as_deref() == Some(seat) {
            self.store.is_elsewhere.set(true);
        }
    }

    /// Goes on with the call here that is open in the tab from which this one was made.
    pub(super) fn move_here(&self, name: &str) -> Result<(), TextError> {
        text::check_name(&crate::web::text::normalize(name.trim()))?;
        let moved = self.with_seat(super::seat::Seat::of_twin).flatten();
        if let (Some(seat), Some(room)) = (moved, self.room_id()) {
            let visit = VisitId(self.visit.get());
            let secret = seat.secret.in_room(&room);
            self.take_seat(seat);
            self.store.is_elsewhere.set(false);
            self.intend(Intent::EnterRoom {
                visit,
                room,
                seat: secret,
                chat: self.chat_key(),
                hosted: self.hosted(),
            });
        }
        self.join(name)
    }
}
