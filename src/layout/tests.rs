//! The arrangement over many stages: what every one of them has to hold, and what some should be.

use super::*;

/// Stages of windows from 344 px (a phone, less its edges) to 3840 px wide, flat and upright, in
/// steps that hit no round numbers.
fn stages() -> Vec<Size> {
    let lengths = [
        344.0, 361.0, 412.5, 487.0, 600.0, 744.0, 883.0, 1007.0, 1264.0, 1583.0, 1904.0, 2543.0, 3166.0,
        3840.0,
    ];
    let pairs = lengths
        .into_iter()
        .flat_map(|width| lengths.map(|height| Size::new(width, height)));
    // No window is as flat or upright as the extremes of these.
    pairs
        .filter(|stage| (0.25..=4.0).contains(&(stage.width_px / stage.height_px)))
        .collect()
}

/// So many people with the own tile last, and before them so many screens.
fn tiles(people: usize, screens: usize) -> Vec<Kind> {
    let mut tiles = vec![Kind::Screen; screens];
    tiles.extend(vec![Kind::Person; people - 1]);
    tiles.push(Kind::Own);
    tiles
}

fn speaker(speaker: Option<usize>) -> Wishes {
    Wishes {
        mode: Mode::Speaker,
        speaker,
        ..Wishes::default()
    }
}

fn pinned(pinned: usize) -> Wishes {
    Wishes {
        pinned: Some(pinned),
        ..Wishes::default()
    }
}

/// Every stage with up to twelve people and up to three screens, in every way to see them.
fn arrangements() -> impl Iterator<Item = (Size, Vec<Kind>, Wishes, Arrangement)> {
    stages().into_iter().flat_map(|stage| {
        (1..=12).flat_map(move |people| {
            (0..=3).flat_map(move |screens| {
                let tiles = tiles(people, if people == 1 { 0 } else { screens });
                let mut wishes = vec![Wishes::default(), speaker(None), speaker(Some(tiles.len() / 2))];
                wishes.extend([0, tiles.len() - 1].map(pinned));
                wishes.push(Wishes {
                    hides_own: true,
                    ..speaker(None)
                });
                wishes.into_iter().map(move |wishes| {
                    let arrangement = arrange(stage, &tiles, wishes);
                    (stage, tiles.clone(), wishes, arrangement)
                })
            })
        })
    })
}

fn meet(one: &Rect, other: &Rect, gap_px: f64) -> bool {
    one.x_px < other.x_px + other.size.width_px + gap_px
        && other.x_px < one.x_px + one.size.width_px + gap_px
        && one.y_px < other.y_px + other.size.height_px + gap_px
        && other.y_px < one.y_px + one.size.height_px + gap_px
}

#[test]
fn tiles_keep_their_gap_and_lie_within_the_stage_in_every_arrangement() {
    for (stage, tiles, wishes, Arrangement { places, .. }) in arrangements() {
        assert_eq!(places.len(), tiles.len());
        let shown: Vec<&Rect> = places.iter().flatten().collect();
        for (index, one) in shown.iter().enumerate() {
            assert!(
                one.x_px >= 0.0 && one.y_px >= 0.0,
                "{stage:?} {wishes:?}: {one:?}"
            );
            assert!(one.size.area() > 0.0, "{stage:?} {wishes:?}: {one:?}");
            assert!(
                one.x_px + one.size.width_px <= stage.width_px
                    && one.y_px + one.size.height_px <= stage.height_px,
                "{stage:?} {wishes:?}: {one:?}"
            );
            for other in &shown[index + 1..] {
                assert!(
                    !meet(one, other, GAP_PX - 1e-9),
                    "{stage:?} {wishes:?}: {one:?} meets {other:?}"
                );
            }
        }
    }
}

#[test]
fn every_tile_has_a_place_but_the_own_one_that_is_hidden() {
    for (stage, tiles, wishes, Arrangement { places, .. }) in arrangements() {
        for (place, kind) in places.iter().zip(&tiles) {
            let is_hidden = wishes.hides_own && *kind == Kind::Own && tiles.len() > 1;
            assert_eq!(place.is_none(), is_hidden, "{stage:?} {wishes:?} {tiles:?}");
        }
    }
}

#[test]
fn the_large_one_is_larger_than_any_other() {
    let mut count = 0;
    for (stage, tiles, wishes, Arrangement { places, large }) in arrangements() {
        let Some(large) = large else { continue };
        count += 1;
        let area = places[large].expect("what is large is shown").size.area();
        for (index, other) in places.iter().enumerate() {
            let Some(other) = other.filter(|_| index != large) else {
                continue;
            };
            assert!(area > other.size.area(), "{stage:?} {wishes:?} {tiles:?}");
        }
    }
    assert!(count > 10_000, "{count}");
}

/// The most area that so many equal tiles of 16:9 can cover, by trying every width in quarters of a
/// pixel and counting how many fit across and down.
fn best_by_trying(bounds: Size, count: usize) -> f64 {
    let mut best = 0.0_f64;
    let mut width = bounds.width_px;
    while width >= 1.0 {
        let height = width * 9.0 / 16.0;
        let across = ((bounds.width_px + GAP_PX) / (width + GAP_PX)).floor();
        let down = ((bounds.height_px + GAP_PX) / (height + GAP_PX)).floor();
        if across * down >= f64::from(u32::try_from(count).expect("at most twelve")) {
            best = width * height;
            break;
        }
        width -= 0.25;
    }
    best
}

#[test]
fn the_area_used_is_at_least_85_percent_of_the_best_packing_at_16_to_9() {
    let mut worst = f64::INFINITY;
    for stage in stages() {
        for count in 1..=12 {
            let rects = Grid::new(stage, count, Aspect::SIXTEEN_TO_NINE, GAP_PX).rects();
            let used = rects[0].size.area() / best_by_trying(stage, count);
            assert!(used >= 0.85, "{stage:?}, {count} tiles: {used}");
            worst = worst.min(used);
        }
    }
    assert!(worst <= 1.0, "{worst}: a packing that is better than the best");
}

#[test]
fn in_a_call_as_much_is_used_with_the_shapes_that_tiles_take_there() {
    for stage in stages() {
        for people in 2..=12 {
            let places = arrange(stage, &tiles(people, 0), Wishes::default()).places;
            let tile = places[0].expect("nobody hides").size;
            let best = best_by_trying(stage, people);
            assert!(
                tile.area() >= 0.85 * best,
                "{stage:?}, {people}: {tile:?}, best is {best}"
            );
        }
    }
}

#[test]
fn no_tile_is_narrower_than_a_face_needs_while_fewer_columns_have_room() {
    for stage in stages() {
        let aspect = Aspect::for_stage(stage);
        for count in 1..=12_u32 {
            let grid = Grid::new(stage, count as usize, aspect, GAP_PX);
            if grid.is_readable() {
                continue;
            }
            for columns in 1..=count {
                let rows = f64::from(count.div_ceil(columns));
                let width = (stage.width_px - GAP_PX * f64::from(columns - 1)) / f64::from(columns);
                let height = (stage.height_px - GAP_PX * (rows - 1.0)) / rows;
                let width = width.min(height * aspect.widest);
                // A pixel less than that is what whole pixels cost.
                assert!(
                    width < MIN_TILE_WIDTH_PX + 1.0,
                    "{stage:?}: {count} tiles could have {columns} columns"
                );
            }
        }
    }
}

#[test]
fn beside_a_large_tile_the_others_are_readable_where_there_is_room() {
    for (width, height, people) in [
        (1264.0, 664.0, 8),
        (1904.0, 940.0, 12),
        (752.0, 900.0, 8),
        (360.0, 660.0, 3),
    ] {
        let Arrangement { places, large } =
            arrange(Size::new(width, height), &tiles(people, 0), speaker(None));
        for (index, place) in places.iter().enumerate() {
            let width_px = place.expect("nobody hides").size.width_px;
            assert!(
                large == Some(index) || width_px >= MIN_TILE_WIDTH_PX,
                "{people} in {width} x {height}: {width_px}"
            );
        }
    }
}

#[test]
fn pinned_beats_the_newest_share_beats_the_speaker() {
    let tiles = tiles(4, 2);
    let all = Wishes {
        pinned: Some(3),
        ..speaker(Some(4))
    };
    assert_eq!(large(&tiles, all), Some(3));
    // The older of two screens can be pinned just so.
    assert_eq!(
        large(
            &tiles,
            Wishes {
                pinned: Some(1),
                ..all
            }
        ),
        Some(1)
    );
    assert_eq!(large(&tiles, speaker(Some(4))), Some(0));
    assert_eq!(large(&tiles[2..], speaker(Some(2))), Some(2));
    assert_eq!(
        large(&tiles[2..], speaker(None)),
        Some(0),
        "the first before anybody spoke"
    );
    let grid = Wishes {
        speaker: Some(2),
        ..Wishes::default()
    };
    assert_eq!(large(&tiles[2..], grid), None);
}

#[test]
fn a_pin_on_what_is_gone_or_hidden_counts_for_nothing() {
    let tiles = tiles(3, 0);
    assert_eq!(large(&tiles, pinned(7)), None);
    assert_eq!(large(&tiles, pinned(2)), Some(2));
    let hidden = Wishes {
        hides_own: true,
        ..pinned(2)
    };
    assert_eq!(large(&tiles, hidden), None);
}

#[test]
fn ones_own_screen_is_large_only_if_pinned() {
    let tiles = [Kind::OwnScreen, Kind::Person, Kind::Own];
    assert_eq!(large(&tiles, Wishes::default()), None);
    assert_eq!(large(&tiles, speaker(None)), Some(1));
    assert_eq!(large(&tiles, pinned(0)), Some(0));
}

#[test]
fn alone_the_own_tile_is_small_and_in_the_last_corner_also_if_it_is_hidden_among_others() {
    for stage in stages() {
        for hides_own in [false, true] {
            let wishes = Wishes {
                hides_own,
                ..pinned(0)
            };
            let alone = arrange(stage, &[Kind::Own], wishes);
            let own = alone.places[0].expect("it is shown");
            assert_eq!(alone.large, None);
            assert!(own.size.area() < 0.2 * stage.area(), "{stage:?}");
            assert!((own.x_px + own.size.width_px - stage.width_px).abs() < 1e-9);
            assert!((own.y_px + own.size.height_px - stage.height_px).abs() < 1e-9);
        }
    }
}

#[test]
fn in_a_grid_everybody_has_a_tile_of_the_same_size() {
    for stage in stages() {
        for people in 2..=12 {
            let places = arrange(stage, &tiles(people, 0), Wishes::default()).places;
            let first = places[0].map(|place| place.size);
            assert!(places.iter().all(|place| place.map(|place| place.size) == first));
        }
    }
}

#[test]
fn a_large_face_loses_no_more_than_in_a_grid_and_a_screen_may_have_any_shape() {
    let flat = Size::new(2400.0, 600.0);
    let face = arrange(flat, &tiles(3, 0), speaker(None)).places[0].expect("it is shown");
    assert!(
        face.size.width_px / face.size.height_px <= 16.0 / 9.0 + 0.01,
        "{face:?}"
    );
    let screen = arrange(flat, &tiles(3, 1), Wishes::default()).places[0].expect("it is shown");
    assert!(screen.size.width_px > face.size.width_px, "{screen:?} {face:?}");
}

#[test]
fn a_stage_without_room_is_no_trouble() {
    for stage in [Size::default(), Size::new(10.0, 0.0), Size::new(5.0, 5.0)] {
        for people in 1..8 {
            for wishes in [Wishes::default(), speaker(None), pinned(0)] {
                assert_eq!(arrange(stage, &tiles(people, 0), wishes).places.len(), people);
            }
        }
    }
}
