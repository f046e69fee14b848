//! One large tile, and all others small beside it.

use super::{Aspect, Grid, Rect, Size};

/// The shape of most screens, as width over height.
const SCREEN: f64 = 16.0 / 9.0;
/// Between these parts of the stage's longer side the small tiles have their strip.
const STRIP: (f64, f64) = (0.2, 0.4);
/// In such steps of the longer side the strip grows until faces in it can be read.
const STEP: f64 = 0.05;

/// One large tile, and all others small beside it: on a flat stage where reading ends, on an
/// upright one below.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spotlight {
    /// The large tile. Its picture is shown whole, so it may have any shape.
    pub large: Rect,
    /// The others, in their order.
    pub small: Vec<Rect>,
}

impl Spotlight {
    /// Arranges one large tile and so many small ones, with gaps of `gap_px`.
    #[must_use]
    pub fn new(stage: Size, small: usize, gap_px: f64) -> Self {
        let whole = Rect {
            size: stage,
            ..Rect::default()
        };
        if small == 0 {
            return Self {
                large: whole,
                small: Vec::new(),
            };
        }
        let is_upright = stage.height_px > stage.width_px;
        // What the large picture leaves of the longer side, within limits.
        let (long, rest) = if is_upright {
            (stage.height_px, stage.height_px - stage.width_px / SCREEN)
        } else {
            (stage.width_px, stage.width_px - stage.height_px * SCREEN)
        };
        let widest = (long * STRIP.1).floor();
        let mut strip = (rest - gap_px).clamp(long * STRIP.0, long * STRIP.1).floor();
        let beside = |strip: f64| {
            let size = if is_upright {
                Size::new(stage.width_px, strip)
            } else {
                Size::new(strip, stage.height_px)
            };
            // As if there were two: one alone would be as large as the large one on a long stage.
            Grid::new(size, small.max(2), Aspect::for_stage(stage), gap_px).with_count(small)
        };
        let mut grid = beside(strip);
        while !grid.is_readable() && strip < widest {
            strip = (strip + (long * STEP).ceil()).min(widest);
            grid = beside(strip);
        }
        let mut large = whole;
        let begin = (long - strip).max(0.0);
        let length = (begin - gap_px).max(0.0);
        let mut rects = grid.rects();
        if is_upright {
            large.size.height_px = length;
        } else {
            large.size.width_px = length;
        }
        for rect in &mut rects {
            if is_upright {
                rect.y_px += begin;
            } else {
                rect.x_px += begin;
            }
        }
        Self { large, small: rects }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP_PX: f64 = 8.0;

    fn overlap(one: &Rect, other: &Rect) -> bool {
        one.x_px < other.x_px + other.size.width_px
            && other.x_px < one.x_px + one.size.width_px
            && one.y_px < other.y_px + other.size.height_px
            && other.y_px < one.y_px + one.size.height_px
    }

    #[test]
    fn nothing_overlaps_or_sticks_out_and_the_large_one_has_most() {
        for (width, height) in [
            (344.0, 640.0),
            (640.0, 344.0),
            (752.0, 900.0),
            (1264.0, 640.0),
            (1904.0, 940.0),
            (3824.0, 2000.0),
            (2400.0, 600.0),
            (700.0, 700.0),
        ] {
            let stage = Size::new(width, height);
            for small in 1..=12 {
                let spotlight = Spotlight::new(stage, small, GAP_PX);
                assert_eq!(spotlight.small.len(), small);
                let all: Vec<&Rect> = spotlight.small.iter().chain([&spotlight.large]).collect();
                for (index, one) in all.iter().enumerate() {
                    assert!(
                        one.x_px >= 0.0 && one.x_px + one.size.width_px <= width,
                        "{stage:?} {one:?}"
                    );
                    assert!(
                        one.y_px >= 0.0 && one.y_px + one.size.height_px <= height,
                        "{stage:?} {one:?}"
                    );
                    for other in &all[index + 1..] {
                        assert!(!overlap(one, other), "{stage:?}: {one:?} and {other:?}");
                    }
                }
                assert!(spotlight.large.size.area() > 0.55 * stage.area(), "{stage:?}");
            }
        }
    }

    #[test]
    fn with_nobody_else_the_large_one_has_everything() {
        let stage = Size::new(1264.0, 640.0);
        let spotlight = Spotlight::new(stage, 0, GAP_PX);
        assert_eq!(spotlight.large.size, stage);
        assert!(spotlight.small.is_empty());
    }

    #[test]
    fn the_strip_grows_where_faces_in_it_would_be_too_small() {
        // A fifth of it would leave less than a face needs.
        let narrow = Spotlight::new(Size::new(520.0, 400.0), 2, GAP_PX);
        let width = narrow.small[0].size.width_px;
        assert!(width >= super::super::MIN_TILE_WIDTH_PX, "{width}");
    }

    #[test]
    fn a_stage_without_room_is_no_trouble() {
        for stage in [Size::default(), Size::new(10.0, 0.0), Size::new(5.0, 5.0)] {
            assert_eq!(Spotlight::new(stage, 3, GAP_PX).small.len(), 3);
        }
    }
}
