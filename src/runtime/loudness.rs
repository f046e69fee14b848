//! How loud each of the others is here: chosen by the person, for this tab's life, by seat.
//!
//! By the elements that play them (`HTMLMediaElement.volume`), never by Web Audio: the echo canceller
//! knows only what elements play. A recording has everybody as loud as they are here.

use core::cell::RefCell;

use leptos::prelude::WithValue;
use visavis_call_core::View;
use visavis_protocol::SeatId;

use super::Runtime;
use super::engine::Engine;
use crate::web::storage::Shelf::Tab;

/// Where they are kept: a line for each seat.
const KEY: &str = "visavis.loudness";
/// Seats remembered; the one that was touched first is forgotten first. A room has eight.
const SEATS: usize = 32;
/// As loud as they are.
const FULL: u8 = 100;

/// How loud somebody is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loudness {
    /// 0 to 100.
    pub percent: u8,
    /// Not to be heard at all, whatever the number says.
    pub is_muted: bool,
}

impl Default for Loudness {
    fn default() -> Self {
        Self {
            percent: FULL,
            is_muted: false,
        }
    }
}

impl Loudness {
    /// The same as a factor; `None` if they are not to be heard.
    pub(super) fn volume(self) -> Option<f64> {
        (!self.is_muted && self.percent > 0).then(|| f64::from(self.percent) / 100.0)
    }
}

/// Those that were changed.
#[derive(Default)]
pub(super) struct LoudnessBySeat(RefCell<Vec<(SeatId, Loudness)>>);

impl LoudnessBySeat {
    /// As kept in this tab.
    pub(super) fn kept() -> Self {
        Self(RefCell::new(read(&Tab.get(KEY).unwrap_or_default())))
    }

    pub(super) fn get(&self, seat: SeatId) -> Loudness {
        let all = self.0.borrow();
        let of = all.iter().find(|(other, _)| *other == seat);
        of.map_or_else(Loudness::default, |(_, loudness)| *loudness)
    }

    fn put(&self, seat: SeatId, loudness: Loudness) {
        let mut all = self.0.borrow_mut();
        all.retain(|(other, _)| *other != seat);
        all.push((seat, loudness));
        if all.len() > SEATS {
            all.remove(0);
        }
        Tab.put(KEY, Some(&write(&all)));
    }
}

impl Engine {
    /// Plays everybody as loud as the person wants them. An element that is made later, by a new
    /// connection with the same person, is met here before it is heard.
    pub(super) fn apply_loudness(&self, view: &View) {
        if self.loudness.0.borrow().is_empty() {
            return;
        }
        for person in &view.people {
            if let Some(link) = person.link {
                self.playback.set_loudness(link, self.loudness.get(person.seat));
            }
        }
    }

    fn set_loudness(&self, seat: SeatId, loudness: Loudness) {
        self.loudness.put(seat, loudness);
        self.with_view(|view| {
            self.apply_loudness(view);
            self.mix_anew(view);
        });
    }
}

impl Runtime {
    /// How loud somebody is to be.
    #[must_use]
    pub fn loudness(self, seat: SeatId) -> Loudness {
        self.engine.with_value(|engine| engine.loudness.get(seat))
    }

    /// Makes somebody louder or quieter, here alone.
    pub fn set_loudness(self, seat: SeatId, loudness: Loudness) {
        self.engine
            .with_value(|engine| engine.set_loudness(seat, loudness));
    }
}

/// One seat a line: its id, the number, and a word if it is muted.
fn write(all: &[(SeatId, Loudness)]) -> String {
    let mut text = String::new();
    for (seat, loudness) in all {
        text.push_str(&seat.to_text());
        text.push(' ');
        text.push_str(&loudness.percent.to_string());
        text.push_str(if loudness.is_muted { " muted\n" } else { "\n" });
    }
    text
}

/// What is no such line is passed over.
fn read(text: &str) -> Vec<(SeatId, Loudness)> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let seat = words.next()?.parse().ok()?;
        let percent: u8 = words.next()?.parse().ok()?;
        let loudness = Loudness {
            percent: percent.min(FULL),
            is_muted: words.next().is_some(),
        };
        Some((seat, loudness))
    });
    lines.take(SEATS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_read_again() {
        let seat = |n| SeatId::from_bytes([n; 16]);
        let all = vec![
            (
                seat(1),
                Loudness {
                    percent: 35,
                    is_muted: false,
                },
            ),
            (
                seat(2),
                Loudness {
                    percent: 100,
                    is_muted: true,
                },
            ),
        ];
        assert_eq!(read(&write(&all)), all);
        assert_eq!(read("x\n\n1 2 3\n"), vec![]);
        let loud = write(&all).replace("35", "250");
        assert_eq!(read(&loud)[0].1.percent, 100);
    }
}
