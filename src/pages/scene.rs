//! What there are tiles for, and which of them matters most: the same for the stage and for the small
//! window above all others.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::CaptureState;
use visavis_protocol::SeatId;
use web_sys::Event;

use crate::components::Tile;
use crate::components::dom::{El, el};
use crate::layout::{Arrangement, Kind, Mode, Size, Wishes, arrange, large};
use crate::runtime::{Choice, Runtime, use_runtime};

/// What a tile is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Somebody's screen.
    Screen(SeatId),
    /// One's own screen.
    OwnScreen,
    /// Somebody.
    Person(SeatId),
    /// Oneself.
    Own,
}

impl Subject {
    const fn kind(self) -> Kind {
        match self {
            Self::Screen(_) => Kind::Screen,
            Self::OwnScreen => Kind::OwnScreen,
            Self::Person(_) => Kind::Person,
            Self::Own => Kind::Own,
        }
    }
}

/// Tiles and what they are about.
pub type Tiles = Rc<RefCell<Vec<(Subject, Tile)>>>;

/// What there is to see in a call.
#[derive(Clone, Copy)]
pub struct Scene {
    /// What there are tiles for, in their order: screens first, the one shared last before the
    /// others, then everybody, and oneself at the end.
    pub subjects: Memo<Vec<Subject>>,
    /// What matters most, be it large on the stage or not: exactly one. A list like the one above, for
    /// each kind of memo is code that every visitor loads.
    foremost: Memo<Vec<Subject>>,
    /// The element that shows it on the stage, which keeps this true.
    pub foremost_video: StoredValue<El, LocalStorage>,
    /// Those on the stage, which puts them here.
    pub tiles: StoredValue<Tiles, LocalStorage>,
    /// Stays when it is gone: who comes back, or shares again, is pinned still.
    pinned: RwSignal<Option<Subject>>,
    /// A recording asks where tiles lie at each of its pictures, outside of any component.
    runtime: Runtime,
}

impl Scene {
    /// Of the call that is under way.
    #[must_use]
    pub fn new() -> Self {
        let runtime = use_runtime();
        let subjects = subjects(runtime);
        let pinned = RwSignal::new(None);
        let foremost = Memo::new(move |_| {
            subjects.with(|subjects| {
                // As if one wanted to see who speaks: in a grid nobody else stands out.
                let wishes = wishes(runtime, subjects, pinned.get(), Mode::Speaker);
                let foremost = large(&kinds(subjects), wishes);
                vec![foremost.map_or(Subject::Own, |index| subjects[index])]
            })
        });
        Self {
            subjects,
            foremost,
            foremost_video: StoredValue::new_local(el("video")),
            tiles: StoredValue::new_local(Tiles::default()),
            pinned,
            runtime,
        }
    }

    /// What matters most, be it large on the stage or not.
    #[must_use]
    pub fn foremost(self) -> Subject {
        self.foremost
            .with(|foremost| foremost.first().copied().unwrap_or(Subject::Own))
    }

    /// Whose tile something happens on, if it is somebody else's: it itself, or their screen.
    #[must_use]
    pub fn tile_at(self, event: &Event) -> Option<(SeatId, El)> {
        let tiles = self.tiles.try_get_value()?;
        let tiles = tiles.borrow();
        let (subject, tile) = tiles.iter().find(|(_, tile)| tile.el().holds(event))?;
        match subject {
            Subject::Person(seat) | Subject::Screen(seat) => Some((*seat, tile.el())),
            Subject::Own | Subject::OwnScreen => None,
        }
    }

    /// Makes something large, or no longer.
    pub fn toggle_pin(self, subject: Subject) {
        let is_pinned = self.pinned.get_untracked() == Some(subject);
        self.pinned.set((!is_pinned).then_some(subject));
    }

    /// What is to be large because the person wants it.
    #[must_use]
    pub fn pinned(self) -> Option<Subject> {
        self.pinned.get()
    }

    /// Whether the person sees their own picture mirrored.
    #[must_use]
    pub fn mirrors_own(self) -> bool {
        untrack(|| self.runtime.mirrors_own())
    }

    /// Where the tiles lie. Follows all that it depends on, and nothing else: who speaks counts only
    /// where it is seen.
    #[must_use]
    pub fn arrange(self, stage: Size, subjects: &[Subject]) -> Arrangement {
        let mode = if self.runtime.choice(Choice::SpeakerView).get() {
            Mode::Speaker
        } else {
            Mode::Grid
        };
        let wishes = wishes(self.runtime, subjects, self.pinned.get(), mode);
        arrange(stage, &kinds(subjects), wishes)
    }
}

fn kinds(subjects: &[Subject]) -> Vec<Kind> {
    subjects.iter().map(|subject| subject.kind()).collect()
}

fn wishes(runtime: Runtime, subjects: &[Subject], pinned: Option<Subject>, mode: Mode) -> Wishes {
    let at = |wanted: Subject| subjects.iter().position(|subject| *subject == wanted);
    let speaker = match mode {
        Mode::Grid => None,
        Mode::Speaker => runtime.last_speaker().with(|last| last.first().copied()),
    };
    Wishes {
        mode,
        pinned: pinned.and_then(at),
        speaker: speaker.map(Subject::Person).and_then(at),
        hides_own: runtime.choice(Choice::HideOwn).get(),
    }
}

fn subjects(runtime: Runtime) -> Memo<Vec<Subject>> {
    let (people, me) = (runtime.people(), runtime.me());
    // Who shared first stays first, whatever the order in which people came.
    let screens = Memo::new(move |before: Option<&Vec<SeatId>>| {
        people.with(|people| {
            let shares = |seat: &SeatId| {
                let person = people.iter().find(|person| person.seat == *seat);
                person.is_some_and(|person| person.status.screen)
            };
            let kept = before.into_iter().flatten().copied().filter(shares);
            let mut screens: Vec<SeatId> = kept.collect();
            for person in people {
                if shares(&person.seat) && !screens.contains(&person.seat) {
                    screens.push(person.seat);
                }
            }
            screens
        })
    });
    Memo::new(move |_| {
        let is_shared = me.with(|me| matches!(me.screen, CaptureState::On { .. }));
        let mut subjects: Vec<Subject> =
            screens.with(|screens| screens.iter().rev().copied().map(Subject::Screen).collect());
        people.with(|people| {
            // Alone, nobody sees what is shared, and the middle belongs to the invitation.
            if is_shared && !people.is_empty() {
                subjects.push(Subject::OwnScreen);
            }
            subjects.extend(people.iter().map(|person| Subject::Person(person.seat)));
        });
        subjects.push(Subject::Own);
        subjects
    })
}
