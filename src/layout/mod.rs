//! Where the tiles of a call lie: pure maths from the room there is to rectangles.
//!
//! Lengths are CSS pixels. `x` runs from the side where reading begins, so a view puts it into
//! `inset-inline-start` and right-to-left languages need nothing more. Knows nothing of people,
//! elements or the browser.
//!
//! [`arrange`] is the way in: it decides which tile is large, if any, and where each lies. [`Voices`]
//! beside it decides who speaks, from how loud everybody is, and [`Talk`] whether oneself does.

mod fit;
mod grid;
mod spotlight;
mod talk;
#[cfg(test)]
mod tests;
mod voices;
mod window;

pub use fit::{Fit, Placed};
pub use grid::{Aspect, Grid, MIN_TILE_WIDTH_PX};
pub use spotlight::Spotlight;
pub use talk::Talk;
pub use voices::Voices;
pub use window::{Anchor, Heights};

/// Gap between tiles.
pub const GAP_PX: f64 = 8.0;

/// A width and a height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Width.
    pub width_px: f64,
    /// Height.
    pub height_px: f64,
}

impl Size {
    /// A size of two lengths.
    #[must_use]
    pub const fn new(width_px: f64, height_px: f64) -> Self {
        Self { width_px, height_px }
    }

    /// Its area in square pixels.
    #[must_use]
    pub const fn area(self) -> f64 {
        self.width_px * self.height_px
    }

    /// The same in whole pixels.
    const fn floor(self) -> Self {
        Self::new(self.width_px.floor(), self.height_px.floor())
    }
}

/// Where a tile lies within the stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// From the side where reading begins.
    pub x_px: f64,
    /// From the top.
    pub y_px: f64,
    /// Width and height.
    pub size: Size,
}

/// What a tile shows, as far as its place depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody's screen. The one shared last stands before the others.
    Screen,
    /// One's own screen, which is never large by itself: it would show itself within itself.
    OwnScreen,
    /// Somebody else.
    Person,
    /// Oneself.
    Own,
}

/// How people want to see each other while nothing is pinned or shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everybody the same.
    #[default]
    Grid,
    /// Who spoke last large.
    Speaker,
}

/// What decides beside the tiles themselves. A tile is named by its place in their list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Grid or speaker.
    pub mode: Mode,
    /// The tile to be large, whatever else there is.
    pub pinned: Option<usize>,
    /// The tile of who spoke last, if anybody did.
    pub speaker: Option<usize>,
    /// Whether the own tile is to be out of the way. Who is alone sees it all the same.
    pub hides_own: bool,
}

/// The tiles of a call in their places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrangement {
    /// For each tile, in their order, its rectangle; `None` for one that is not shown.
    pub places: Vec<Option<Rect>>,
    /// The one that is larger than the others, if any is.
    pub large: Option<usize>,
}

/// Arranges the tiles of a call: a grid, or one of them large and the others beside it. Alone, the
/// own tile is small in the corner where reading ends, because the middle belongs to the invitation.
///
/// However many there are, each that is not hidden has a place: where it gets narrow they are small
/// rather than out of sight.
#[must_use]
pub fn arrange(stage: Size, tiles: &[Kind], wishes: Wishes) -> Arrangement {
    if tiles == [Kind::Own] {
        return Arrangement {
            places: vec![Some(corner(stage))],
            large: None,
        };
    }
    let is_shown = |kind: Kind| !(wishes.hides_own && kind == Kind::Own);
    let count = tiles.iter().filter(|kind| is_shown(**kind)).count();
    let aspect = Aspect::for_stage(stage);
    let large = large(tiles, wishes);
    let (mut spot, rects) = match large {
        None => (None, Grid::new(stage, count, aspect, GAP_PX).rects()),
        Some(at) => {
            let Spotlight { large, small } = Spotlight::new(stage, count.saturating_sub(1), GAP_PX);
            // A screen is shown whole within any shape; of a face too much would be cut away.
            let place = match tiles[at] {
                Kind::Screen | Kind::OwnScreen => large,
                Kind::Person | Kind::Own => aspect.within(large),
            };
            (Some(place), small)
        }
    };
    let mut rects = rects.into_iter();
    let places = tiles.iter().enumerate().map(|(index, kind)| {
        if !is_shown(*kind) {
            None
        } else if large == Some(index) {
            spot.take()
        } else {
            rects.next()
        }
    });
    Arrangement {
        places: places.collect(),
        large,
    }
}

/// The tile that is to be large: what is pinned, else the screen that somebody shared last, else, in
/// speaker mode, who spoke last, or the first of the others before anybody has.
#[must_use]
pub fn large(tiles: &[Kind], wishes: Wishes) -> Option<usize> {
    let is_there = |index: &usize| {
        let kind = tiles.get(*index);
        kind.is_some_and(|kind| !(wishes.hides_own && *kind == Kind::Own))
    };
    let first = |wanted: Kind| tiles.iter().position(|kind| *kind == wanted);
    let speaker = || match wishes.mode {
        Mode::Grid => None,
        Mode::Speaker => wishes.speaker.filter(is_there).or_else(|| first(Kind::Person)),
    };
    wishes
        .pinned
        .filter(is_there)
        .or_else(|| first(Kind::Screen))
        .or_else(speaker)
}

/// The own tile of somebody who is alone: a fifth of the stage, between 128 and 288 pixels wide.
fn corner(stage: Size) -> Rect {
    let width = (stage.width_px * 0.2)
        .clamp(128.0, 288.0)
        .min(stage.width_px.max(0.0))
        .floor();
    // Upright stages are phones, whose cameras are upright too.
    let aspect = if stage.height_px > stage.width_px {
        3.0 / 4.0
    } else {
        16.0 / 9.0
    };
    let height = (width / aspect).min(stage.height_px.max(0.0)).floor();
    Rect {
        x_px: stage.width_px - width,
        y_px: stage.height_px - height,
        size: Size::new(width, height),
    }
}
