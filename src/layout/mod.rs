//! Where the tiles of a call lie: pure maths from the room there is to rectangles.
//!
//! Lengths are CSS pixels. `x` runs from the side where reading begins, so a view puts it into
//! `inset-inline-start` and right-to-left languages need nothing more. Knows nothing of people,
//! elements or the browser.

mod fit;
mod grid;
mod spotlight;

pub use fit::{Fit, Placed};
pub use grid::{Aspect, Grid, MIN_TILE_WIDTH_PX};
pub use spotlight::Spotlight;

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

/// The tiles of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrangement {
    /// One rectangle for each of the others, in their order.
    pub others: Vec<Rect>,
    /// The own tile.
    pub own: Rect,
}

/// Arranges the tiles of a call: a grid with the own tile last, or, alone, the own tile small in
/// the corner where reading ends, because the middle belongs to the invitation.
#[must_use]
pub fn arrange(stage: Size, others: usize) -> Arrangement {
    if others == 0 {
        return Arrangement {
            others: Vec::new(),
            own: corner(stage),
        };
    }
    let mut rects = Grid::new(stage, others + 1, Aspect::for_stage(stage), GAP_PX).rects();
    let own = rects.pop().unwrap_or_default();
    Arrangement { others: rects, own }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_the_own_tile_is_small_and_in_the_last_corner() {
        for stage in [
            Size::new(344.0, 640.0),
            Size::new(1264.0, 640.0),
            Size::new(3824.0, 2000.0),
        ] {
            let alone = arrange(stage, 0);
            assert!(alone.others.is_empty());
            assert!(alone.own.size.area() < 0.15 * stage.area(), "{stage:?}");
            assert!((alone.own.x_px + alone.own.size.width_px - stage.width_px).abs() < 1e-9);
            assert!((alone.own.y_px + alone.own.size.height_px - stage.height_px).abs() < 1e-9);
        }
    }

    #[test]
    fn with_others_everybody_has_a_tile_of_the_same_size() {
        let together = arrange(Size::new(1264.0, 640.0), 3);
        assert_eq!(together.others.len(), 3);
        assert!(
            together
                .others
                .iter()
                .all(|other| other.size == together.own.size)
        );
    }

    #[test]
    fn a_stage_without_room_is_no_trouble() {
        for stage in [Size::default(), Size::new(10.0, 0.0), Size::new(5.0, 5.0)] {
            for others in 0..8 {
                assert_eq!(arrange(stage, others).others.len(), others);
            }
        }
    }
}
