//! How a picture lies in its tile: which part of it is seen, and where.
//!
//! The same as `object-fit` (CSS Images, section 5.5) does on the page, for a canvas that has to be
//! told both rectangles.

use super::{Rect, Size};

/// What gives way where a picture and its tile are of different shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The picture's edges: the tile is full.
    Cover,
    /// The tile's: the picture is whole.
    Contain,
}

/// Which part of a picture goes where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// The part, in the picture's own pixels.
    pub part: Rect,
    /// Where it lies.
    pub place: Rect,
}

impl Fit {
    /// Lays a picture into a tile. `None` while either has no size: a video before its first frame.
    #[must_use]
    pub fn lay(self, picture: Size, tile: Rect) -> Option<Placed> {
        if picture.area() <= 0.0 || tile.size.area() <= 0.0 {
            return None;
        }
        let scales = (
            tile.size.width_px / picture.width_px,
            tile.size.height_px / picture.height_px,
        );
        let scale = match self {
            Self::Cover => scales.0.max(scales.1),
            Self::Contain => scales.0.min(scales.1),
        };
        let seen = Size::new(
            picture.width_px.min(tile.size.width_px / scale),
            picture.height_px.min(tile.size.height_px / scale),
        );
        let whole = Rect {
            size: picture,
            ..Rect::default()
        };
        Some(Placed {
            part: whole.middle(seen),
            place: tile.middle(Size::new(seen.width_px * scale, seen.height_px * scale)),
        })
    }
}

impl Rect {
    /// A rectangle of another size around the same middle.
    #[must_use]
    pub fn middle(self, size: Size) -> Self {
        Self {
            x_px: self.x_px + (self.size.width_px - size.width_px) / 2.0,
            y_px: self.y_px + (self.size.height_px - size.height_px) / 2.0,
            size,
        }
    }

    /// What `x` and its mirror image in this rectangle add up to: mirrored, `x` is this less `x`.
    #[must_use]
    pub const fn mirror_px(self) -> f64 {
        self.x_px + self.x_px + self.size.width_px
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILE: Rect = Rect {
        x_px: 100.0,
        y_px: 40.0,
        size: Size::new(400.0, 300.0),
    };

    fn rect(x_px: f64, y_px: f64, width_px: f64, height_px: f64) -> Rect {
        Rect {
            x_px,
            y_px,
            size: Size::new(width_px, height_px),
        }
    }

    #[test]
    fn a_camera_fills_its_tile_and_loses_its_edges() {
        let flat = Fit::Cover.lay(Size::new(1280.0, 720.0), TILE).unwrap();
        assert_eq!(flat.place, TILE);
        assert_eq!(flat.part, rect(160.0, 0.0, 960.0, 720.0));
        let upright = Fit::Cover.lay(Size::new(480.0, 640.0), TILE).unwrap();
        assert_eq!(upright.place, TILE);
        assert_eq!(upright.part, rect(0.0, 140.0, 480.0, 360.0));
    }

    #[test]
    fn a_screen_is_whole_and_leaves_its_tile_some_edges() {
        let flat = Fit::Contain.lay(Size::new(1600.0, 900.0), TILE).unwrap();
        assert_eq!(flat.part, rect(0.0, 0.0, 1600.0, 900.0));
        assert_eq!(flat.place, rect(100.0, 77.5, 400.0, 225.0));
        let upright = Fit::Contain.lay(Size::new(300.0, 600.0), TILE).unwrap();
        assert_eq!(upright.place, rect(225.0, 40.0, 150.0, 300.0));
    }

    #[test]
    fn a_picture_of_the_tiles_shape_is_whole_and_fills_it() {
        for fit in [Fit::Cover, Fit::Contain] {
            let same = fit.lay(Size::new(640.0, 480.0), TILE).unwrap();
            assert_eq!(same.place, TILE);
            assert_eq!(same.part, rect(0.0, 0.0, 640.0, 480.0));
        }
    }

    #[test]
    fn nothing_is_laid_while_there_is_no_size() {
        for fit in [Fit::Cover, Fit::Contain] {
            assert_eq!(fit.lay(Size::default(), TILE), None);
            assert_eq!(fit.lay(Size::new(640.0, 0.0), TILE), None);
            assert_eq!(fit.lay(Size::new(640.0, 480.0), Rect::default()), None);
        }
    }

    #[test]
    fn a_mirrored_tile_stays_in_its_place() {
        assert_eq!(TILE.mirror_px() - TILE.x_px, TILE.x_px + TILE.size.width_px);
    }
}
