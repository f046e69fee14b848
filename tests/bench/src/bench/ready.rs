//! From a click on a link to a page in which one could join (G3, G4).

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::stage::{Site, Stage};
use crate::chromium::{Page, Throttle};
use crate::lab::Place;
use crate::program;
use crate::stats::Sample;
use crate::table::{self, Row, Table, Verdict};

/// What a browser does after opening an empty tab (a process kept ready for the next site) must not
/// fall into the load.
const BEFORE_LOAD: Duration = Duration::from_millis(700);

/// Cold loads of one page.
#[derive(Default)]
struct Loads {
    usable: Sample,
    painted: Sample,
}

/// Measures loads over a slow network and over none, ours and the floor's in turns.
///
/// # Errors
/// If a page does not become usable.
pub fn measure(server: &Path, runs: usize, table: &mut Table) -> Result<()> {
    println!("usable join, {runs} cold loads each");
    let stage = Stage::new(Place::quiet(), server, 1)?;
    let (ours, floor) = loads(&stage, runs, Some(Throttle::SLOW_4G))?;
    let seconds = |sample: &Sample| sample.median().unwrap_or(f64::NAN) / 1000.0;
    let usable = seconds(&ours.usable);
    table.push(Row {
        id: "G3",
        metric: "usable join, Slow 4G and CPU/4".into(),
        goal: "2.3 s".into(),
        stretch: "1.9 s".into(),
        measured: format!("{usable:.2} s"),
        floor: format!("{:.2} s", seconds(&floor.usable)),
        verdict: Verdict::at_most(usable, 2.3, 1.9),
    });
    let painted = seconds(&ours.painted);
    table.push(Row {
        id: "G3",
        metric: "first contentful paint, the same".into(),
        goal: "1 s".into(),
        stretch: "1 s".into(),
        measured: format!("{painted:.2} s"),
        floor: format!("{:.2} s", seconds(&floor.painted)),
        verdict: Verdict::at_most(painted, 1.0, 1.0),
    });
    let (ours, floor) = loads(&stage, runs, None)?;
    let (our_time, floor_time) = (seconds(&ours.usable) * 1000.0, seconds(&floor.usable) * 1000.0);
    let ratio = our_time / floor_time;
    table.push(Row {
        id: "G4",
        metric: "usable join, unthrottled".into(),
        goal: "1.8x floor".into(),
        stretch: "1.3x".into(),
        measured: format!("{our_time:.0} ms ({}) = {ratio:.2}x", ours.usable.spread()),
        floor: format!("{floor_time:.0} ms ({})", floor.usable.spread()),
        verdict: Verdict::at_most(ratio, 1.8, 1.3),
    });
    Ok(())
}

fn loads(stage: &Stage, runs: usize, throttle: Option<Throttle>) -> Result<(Loads, Loads)> {
    let (mut ours, mut floor) = (Loads::default(), Loads::default());
    // The first load of each warms what a browser keeps for all contexts, and is not counted.
    for run in 0..=runs {
        let mut turns = [(Site::Floor, &mut floor), (Site::Ours, &mut ours)];
        // Whoever is second may find something warm that the first did not.
        if run % 2 == 1 {
            turns.reverse();
        }
        for (site, loads) in turns {
            let page = stage.browser(0).page()?;
            program::pause(BEFORE_LOAD)?;
            if let Some(throttle) = throttle {
                page.throttle(throttle)?;
            }
            stage.room(site).open(&page, "Ada")?;
            if run > 0 {
                loads.usable.push(page.number("__probe.ready")?);
                let paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN";
                // A page may be usable before it was painted; then the paint is waited for.
                page.wait(&format!("!Number.isNaN({paint})"), super::stage::USABLE_WITHIN)?;
                loads.painted.push(page.number(paint)?);
                keep_timeline(&page, site, throttle.is_some())?;
            }
        }
    }
    Ok((ours, floor))
}

/// Keeps what the page loaded and did from the click on its link, to see where the time went.
fn keep_timeline(page: &Page, site: Site, is_slow: bool) -> Result<()> {
    let events = page.eval("__probe.loads()")?;
    let mut lines: Vec<(f64, String)> = events
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| Some((event[0].as_f64()?, event[1].as_str()?.to_owned())))
        .collect();
    lines.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let text: Vec<String> = lines
        .iter()
        .map(|(at, what)| format!("{at:8.1} {what}"))
        .collect();
    let network = if is_slow { "slow" } else { "fast" };
    let file = table::results()?.join(format!("timeline-{network}-{site:?}.txt"));
    std::fs::write(file, text.join("\n"))?;
    Ok(())
}
