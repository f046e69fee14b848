//! From the click on "Join now" to the first frame at both ends, in a call of two (G5, G6).

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::stage::{CONNECTED_WITHIN, Site, Stage};
use crate::chromium::Page;
use crate::lab::Place;
use crate::stats::Sample;
use crate::table::{self, Row, Table, Verdict};

/// One way between any two of the two browsers and the server.
const ONE_WAY: Duration = Duration::from_millis(50);
/// Joins of one page.
#[derive(Default)]
struct Joins {
    both: Sample,
    joiner: Sample,
    member: Sample,
}

/// Measures with 100 ms between any two hosts (G5).
///
/// # Errors
/// If a call does not connect, or namespaces cannot be had.
pub fn measure_distant(server: &Path, runs: usize, table: &mut Table) -> Result<()> {
    println!("click to first frame, round trips of 100 ms, {runs} joins each");
    let stage = Stage::new(Place::distant(3, ONE_WAY)?, server, 2)?;
    // The stretch is against the cold floor too: what a page gains that connects ahead.
    measure(&stage, runs, "G5", "round trips of 100 ms", (1.15, 0.4), table)
}

/// Measures with no distance (G6).
///
/// # Errors
/// If a call does not connect.
pub fn measure_near(server: &Path, runs: usize, table: &mut Table) -> Result<()> {
    println!("click to first frame, no distance, {runs} joins each");
    let stage = Stage::new(Place::quiet(), server, 2)?;
    measure(&stage, runs, "G6", "no distance", (1.3, 1.1), table)
}

fn measure(
    stage: &Stage,
    runs: usize,
    id: &'static str,
    distance: &str,
    (goal, stretch): (f64, f64),
    table: &mut Table,
) -> Result<()> {
    let sites = [Site::Floor, Site::Ours, Site::WarmFloor];
    let mut joins = [Joins::default(), Joins::default(), Joins::default()];
    // The first round warms what a browser keeps for all contexts, and is not counted.
    for run in 0..=runs {
        let mut turns: Vec<_> = sites.iter().zip(&mut joins).collect();
        // Whoever comes later may find something warm that the first did not.
        turns.rotate_left(run % sites.len());
        for (site, joins) in turns {
            let (joiner, member) = join(stage, *site)?;
            if run > 0 {
                joins.joiner.push(joiner);
                joins.member.push(member);
                joins.both.push(joiner.max(member));
            }
        }
    }
    let middle = |sample: &Sample| sample.median().unwrap_or(f64::NAN);
    let [floor, ours, warm] = &joins;
    let ratio = middle(&ours.both) / middle(&floor.both);
    table.push(Row {
        id,
        metric: format!("click to first frame at both ends, {distance}"),
        goal: format!("{goal}x cold floor"),
        stretch: format!("{stretch}x"),
        measured: format!(
            "{:.0} ms ({}) = {ratio:.2}x",
            middle(&ours.both),
            ours.both.spread()
        ),
        floor: format!("{:.0} ms ({})", middle(&floor.both), floor.both.spread()),
        verdict: Verdict::at_most(ratio, goal, stretch),
    });
    table.push(Row::told(
        "",
        format!("of that at the joiner / at the member, {distance}"),
        format!("{:.0} / {:.0} ms", middle(&ours.joiner), middle(&ours.member)),
        format!("{:.0} / {:.0} ms", middle(&floor.joiner), middle(&floor.member)),
    ));
    table.push(Row::told(
        "",
        format!("a floor that connects before the click, {distance}"),
        "-",
        format!("{:.0} ms ({})", middle(&warm.both), warm.both.spread()),
    ));
    Ok(())
}

/// One call: milliseconds from the click to the first frame at the joiner and at the member.
fn join(stage: &Stage, site: Site) -> Result<(f64, f64)> {
    let room = stage.room(site);
    let member = stage.browser(0).page()?;
    room.open(&member, "Ada")?;
    room.join(&member)?;
    let joiner = stage.browser(1).page()?;
    room.open(&joiner, "Bob")?;
    room.wait_before_click(&joiner)?;
    joiner.eval("__probe.click()")?;
    joiner.wait("__probe.frames.length > 0", CONNECTED_WITHIN)?;
    member.wait("__probe.frames.length > 0", CONNECTED_WITHIN)?;
    let clicked = joiner.number("__probe.clicked")?;
    let seen_by_joiner = joiner.number("__probe.frames[0]")?;
    let seen_by_member = member.number("__probe.frames[0]")?;
    keep_timeline(stage, site, clicked, &[("joiner", &joiner), ("member", &member)])?;
    Ok((seen_by_joiner - clicked, seen_by_member - clicked))
}

/// Keeps what happened in both pages from the click on, to see where the time went.
fn keep_timeline(stage: &Stage, site: Site, clicked: f64, pages: &[(&str, &Page)]) -> Result<()> {
    let mut lines = Vec::new();
    for (who, page) in pages {
        let events = page.eval("__probe.timeline()")?;
        for event in events.as_array().into_iter().flatten() {
            let after = event[0].as_f64().unwrap_or(f64::NAN) - clicked;
            if after >= -1.0 {
                lines.push((
                    after,
                    format!("{after:8.1} {who} {}", event[1].as_str().unwrap_or_default()),
                ));
            }
        }
    }
    lines.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let text: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    let distance = if stage.is_distant() { "distant" } else { "near" };
    let file = table::results()?.join(format!("timeline-{distance}-{site:?}.txt"));
    std::fs::write(file, text.join("\n"))?;
    Ok(())
}
