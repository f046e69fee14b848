//! A grid of equal tiles that covers as much of its bounds as it can.

use super::{Rect, Size};

/// Width under which a face is hard to read: a grid takes fewer columns rather than go below,
/// where there is room.
pub const MIN_TILE_WIDTH_PX: f64 = 120.0;

/// The shapes a tile may take, as width over height.
///
/// A camera's picture is cut to the tile, so a range fills a stage that is far from the camera's
/// own shape (a phone held upright) at the price of the picture's edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aspect {
    /// The most upright shape.
    pub narrowest: f64,
    /// The flattest shape.
    pub widest: f64,
    /// Flatter ones than this are taken only where they cover an eighth more: an upright camera's
    /// picture would lose most of its height.
    pub liked_up_to: f64,
}

/// What a shape's area counts for that is flatter than one likes.
const DISLIKED: f64 = 7.0 / 8.0;

impl Aspect {
    /// The shape of nearly all cameras.
    pub const SIXTEEN_TO_NINE: Self = Self {
        narrowest: 16.0 / 9.0,
        widest: 16.0 / 9.0,
        liked_up_to: 16.0 / 9.0,
    };

    /// What tiles of a call may be: between what most computers send (4:3 to 16:9) on a flat stage,
    /// and whatever fills it on an upright one, where most send from a phone.
    #[must_use]
    pub const fn for_stage(stage: Size) -> Self {
        if stage.height_px > stage.width_px {
            Self {
                narrowest: 2.0 / 3.0,
                widest: 16.0 / 9.0,
                liked_up_to: 4.0 / 3.0,
            }
        } else {
            Self {
                narrowest: 4.0 / 3.0,
                widest: 16.0 / 9.0,
                liked_up_to: 16.0 / 9.0,
            }
        }
    }

    /// The largest tile of these shapes within a place, in its middle.
    #[must_use]
    pub fn within(self, place: Rect) -> Rect {
        let Size { width_px, height_px } = place.size;
        if width_px < 1.0 || height_px < 1.0 {
            return place;
        }
        let tile = self.fit(place.size).floor();
        Rect {
            x_px: place.x_px + ((width_px - tile.width_px) / 2.0).floor(),
            y_px: place.y_px + ((height_px - tile.height_px) / 2.0).floor(),
            size: tile,
        }
    }

    /// Orders tiles by what people see of them.
    fn rank(self, tile: Size) -> (bool, f64) {
        // A little more than that is a matter of rounding.
        let is_liked = tile.width_px <= tile.height_px * self.liked_up_to + 1e-6;
        let area = tile.area() * if is_liked { 1.0 } else { DISLIKED };
        (tile.width_px >= MIN_TILE_WIDTH_PX, area)
    }

    /// The largest tile of these shapes within a cell.
    fn fit(self, cell: Size) -> Size {
        let shape = (cell.width_px / cell.height_px).clamp(self.narrowest, self.widest);
        if cell.width_px > cell.height_px * shape {
            Size::new(cell.height_px * shape, cell.height_px)
        } else {
            Size::new(cell.width_px, cell.width_px / shape)
        }
    }
}

/// Equal tiles in rows, the last row centred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    bounds: Size,
    count: usize,
    columns: usize,
    tile: Size,
    gap_px: f64,
}

impl Grid {
    /// The grid whose tiles are largest, of those that keep [`MIN_TILE_WIDTH_PX`] if any does.
    #[must_use]
    pub fn new(bounds: Size, count: usize, aspect: Aspect, gap_px: f64) -> Self {
        let mut best = Self {
            bounds,
            count,
            columns: count.max(1),
            tile: Size::default(),
            gap_px,
        };
        for columns in 1..=count {
            let rows = count.div_ceil(columns);
            let cell = Size::new(
                share(bounds.width_px, columns, gap_px),
                share(bounds.height_px, rows, gap_px),
            );
            if cell.width_px < 1.0 || cell.height_px < 1.0 {
                continue;
            }
            let tile = aspect.fit(cell);
            if aspect.rank(tile) > aspect.rank(best.tile) {
                best.columns = columns;
                best.tile = tile;
            }
        }
        // Whole pixels: a video that lies between two is blurred.
        best.tile = best.tile.floor();
        best
    }

    /// As many tiles of the same size.
    #[must_use]
    pub const fn with_count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// Whether the tiles are wide enough for a face.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.tile.width_px >= MIN_TILE_WIDTH_PX
    }

    /// One rectangle for each tile, row by row, the whole centred in the bounds.
    #[must_use]
    pub fn rects(&self) -> Vec<Rect> {
        let rows = self.count.div_ceil(self.columns);
        let top = centred(self.bounds.height_px, self.tile.height_px, rows, self.gap_px);
        (0..self.count)
            .map(|index| {
                let (row, column) = (index / self.columns, index % self.columns);
                let in_row = self.columns.min(self.count - row * self.columns);
                let start = centred(self.bounds.width_px, self.tile.width_px, in_row, self.gap_px);
                Rect {
                    x_px: start + step(column, self.tile.width_px, self.gap_px),
                    y_px: top + step(row, self.tile.height_px, self.gap_px),
                    size: self.tile,
                }
            })
            .collect()
    }
}

/// What each of `parts` gets of a length, with gaps between them.
fn share(length_px: f64, parts: usize, gap_px: f64) -> f64 {
    (length_px - step(parts - 1, 0.0, gap_px)) / to_f64(parts)
}

/// Where the tile after `count` tiles begins.
fn step(count: usize, tile_px: f64, gap_px: f64) -> f64 {
    to_f64(count) * (tile_px + gap_px)
}

/// Where a line of tiles begins that is centred in `length_px`.
fn centred(length_px: f64, tile_px: f64, count: usize, gap_px: f64) -> f64 {
    let line = step(count, tile_px, gap_px) - gap_px;
    ((length_px - line) / 2.0).floor().max(0.0)
}

/// Exact: counts of tiles are small.
fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::super::GAP_PX;
    use super::*;

    /// From a watch to a wall of screens, flat and upright, in steps that hit no round numbers.
    fn stages() -> impl Iterator<Item = Size> {
        let lengths = [
            151.0, 244.0, 344.0, 360.0, 487.5, 640.0, 753.0, 1007.0, 1264.0, 1904.0, 2543.0, 3824.0,
        ];
        lengths
            .into_iter()
            .flat_map(move |width| lengths.into_iter().map(move |height| Size::new(width, height)))
    }

    fn grids(aspect: fn(Size) -> Aspect) -> impl Iterator<Item = (Grid, Aspect)> {
        stages().flat_map(move |stage| {
            let aspect = aspect(stage);
            (1..=12).map(move |count| (Grid::new(stage, count, aspect, GAP_PX), aspect))
        })
    }

    fn fixed(_: Size) -> Aspect {
        Aspect::SIXTEEN_TO_NINE
    }

    fn both_shapes() -> impl Iterator<Item = (Grid, Aspect)> {
        grids(fixed).chain(grids(Aspect::for_stage))
    }

    #[test]
    fn tiles_do_not_overlap_and_keep_their_gap() {
        for (grid, _) in both_shapes() {
            let rects = grid.rects();
            for (index, a) in rects.iter().enumerate() {
                for b in &rects[index + 1..] {
                    let apart_x = a.x_px + a.size.width_px + GAP_PX <= b.x_px + 1e-9
                        || b.x_px + b.size.width_px + GAP_PX <= a.x_px + 1e-9;
                    let apart_y = a.y_px + a.size.height_px + GAP_PX <= b.y_px + 1e-9
                        || b.y_px + b.size.height_px + GAP_PX <= a.y_px + 1e-9;
                    assert!(apart_x || apart_y, "{grid:?}: {a:?} meets {b:?}");
                }
            }
        }
    }

    #[test]
    fn tiles_lie_within_their_bounds() {
        for (grid, _) in both_shapes() {
            let rects = grid.rects();
            assert_eq!(rects.len(), grid.count);
            for rect in rects {
                assert!(rect.x_px >= 0.0 && rect.y_px >= 0.0, "{grid:?}: {rect:?}");
                assert!(
                    rect.x_px + rect.size.width_px <= grid.bounds.width_px,
                    "{grid:?}: {rect:?}"
                );
                assert!(
                    rect.y_px + rect.size.height_px <= grid.bounds.height_px,
                    "{grid:?}: {rect:?}"
                );
                assert!(rect.size.area() > 0.0, "{grid:?}");
            }
        }
    }

    #[test]
    fn tiles_keep_their_shape() {
        for (grid, aspect) in both_shapes() {
            let (width, height) = (grid.tile.width_px, grid.tile.height_px);
            // A pixel of play for the rounding.
            assert!((width + 1.0) / height >= aspect.narrowest, "{grid:?}");
            assert!(width / (height + 1.0) <= aspect.widest, "{grid:?}");
        }
    }

    #[test]
    fn no_tile_is_tiny_while_fewer_columns_would_have_room() {
        for (grid, aspect) in both_shapes().filter(|(grid, _)| grid.tile.width_px < MIN_TILE_WIDTH_PX) {
            for columns in 1..grid.columns {
                let rows = grid.count.div_ceil(columns);
                let height = share(grid.bounds.height_px, rows, GAP_PX);
                let width = share(grid.bounds.width_px, columns, GAP_PX).min(height * aspect.widest);
                assert!(width < MIN_TILE_WIDTH_PX, "{grid:?} could have {columns} columns");
            }
        }
    }

    /// The largest width at which the tiles still fit, found without thinking in columns first.
    fn best_width(bounds: Size, count: usize, aspect: f64) -> f64 {
        let fits = |width: f64| {
            let across = ((bounds.width_px + GAP_PX) / (width + GAP_PX)).floor();
            let down = ((bounds.height_px + GAP_PX) / (width / aspect + GAP_PX)).floor();
            across * down >= to_f64(count)
        };
        let (mut low, mut high) = (0.0, bounds.width_px);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if fits(middle) { low = middle } else { high = middle }
        }
        low
    }

    /// The most that tiles of any of eleven allowed shapes could cover.
    fn best_area(bounds: Size, count: usize, aspect: Aspect) -> f64 {
        (0..=10)
            .map(|tenths| aspect.narrowest + (aspect.widest - aspect.narrowest) * f64::from(tenths) / 10.0)
            .map(|shape| (best_width(bounds, count, shape), shape))
            // Narrow tiles are not wanted where there is a choice, however much they cover.
            .filter(|(width, _)| *width >= MIN_TILE_WIDTH_PX)
            .map(|(width, shape)| width * width / shape)
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_area_used_is_at_least_85_percent_of_the_best_packing() {
        for (grid, aspect) in both_shapes() {
            let best = best_area(grid.bounds, grid.count, aspect);
            assert!(grid.tile.area() >= 0.85 * best, "{grid:?}: best is {best}");
        }
    }

    #[test]
    fn familiar_rooms_look_as_expected() {
        let columns = |width, height, count| {
            let stage = Size::new(width, height);
            Grid::new(stage, count, Aspect::for_stage(stage), GAP_PX).columns
        };
        assert_eq!(columns(1264.0, 664.0, 2), 2);
        assert_eq!(columns(1264.0, 664.0, 4), 2);
        assert_eq!(columns(1264.0, 664.0, 6), 3);
        assert_eq!(columns(344.0, 660.0, 2), 1);
        assert_eq!(columns(344.0, 660.0, 4), 2);
        assert_eq!(columns(344.0, 660.0, 8), 2);
    }
}
