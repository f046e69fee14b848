//! Calls of several: CPU for each person, memory of the page, and six at once (G8, G9).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::stage::{CONNECTED_WITHIN, Site, Stage};
use crate::chromium::Page;
use crate::lab::Place;
use crate::program;
use crate::stats::Sample;
use crate::table::{Row, Table, Verdict};

/// Camera pictures of this size and rate, whatever a page asks for: encoding is most of the cost,
/// and both pages shall pay the same.
const PICTURE: &str = "(() => {
  const native = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = function (wanted) {
    const video = wanted?.video && { width: 640, height: 360, frameRate: 15 };
    return native.call(this, { ...wanted, ...(video ? { video } : {}) });
  };
})()";
const RATE: f64 = 15.0;
/// A link keeps the rate if no more than one frame in twenty is missing.
const KEPT: f64 = 0.95;
/// Bandwidth estimation and encoders need this long to find their level.
const SETTLES_IN: Duration = Duration::from_secs(8);
const MEASURED: Duration = Duration::from_secs(10);
/// How long a call is left alone.
const AT_REST: Duration = Duration::from_secs(30);
/// Turns of ours and the floor.
const TURNS: usize = 3;

/// What a call used while it was looked at.
#[derive(Default)]
struct Use {
    /// Percent of one core for each person.
    cpu: Sample,
    /// Frames a second on each link.
    rates: Sample,
    slowest: f64,
}

/// Measures calls of two and of four beside the floor (G8).
///
/// # Errors
/// If a call does not connect.
pub fn measure_cpu(server: &Path, table: &mut Table) -> Result<()> {
    for people in [2, 4] {
        println!("CPU of a call of {people}, {TURNS} turns each");
        let stage = Stage::new(Place::quiet(), server, people)?;
        let mut uses = [Use::new(), Use::new()];
        for turn in 0..TURNS {
            let mut turns: Vec<_> = [Site::Floor, Site::Ours].into_iter().zip(&mut uses).collect();
            turns.rotate_left(turn % 2);
            for (site, sum) in turns {
                look_at_call(&stage, site, people, sum)?;
            }
        }
        let [floor, ours] = &uses;
        let middle = |sample: &Sample| sample.median().unwrap_or(f64::NAN);
        let (our_cpu, floor_cpu) = (middle(&ours.cpu), middle(&floor.cpu));
        let ratio = our_cpu / floor_cpu;
        let keeps_rate = ours.slowest >= RATE * KEPT;
        let cpu_verdict = Verdict::at_most(ratio, 1.15, 1.05);
        table.push(Row {
            id: "G8",
            metric: format!("CPU of one core for each person, call of {people}, 640x360 at 15/s"),
            goal: "1.15x floor, all 15 fps".into(),
            stretch: "1.05x".into(),
            measured: format!(
                "{our_cpu:.0} % = {ratio:.2}x; {:.1} fps, slowest link {:.1}",
                middle(&ours.rates),
                ours.slowest
            ),
            floor: format!(
                "{floor_cpu:.0} %; {:.1} fps, slowest {:.1}",
                middle(&floor.rates),
                floor.slowest
            ),
            verdict: if keeps_rate { cpu_verdict } else { Verdict::Missed },
        });
    }
    Ok(())
}

/// Measures heap, wasm memory and nodes of a page in a call of four (G9).
///
/// # Errors
/// If a call does not connect.
pub fn measure_memory(server: &Path, table: &mut Table) -> Result<()> {
    println!("memory of a page in a call of four");
    let stage = Stage::new(Place::quiet(), server, 4)?;
    let measure = |site| -> Result<Memory> {
        let pages = call(&stage, site, 4)?;
        program::pause(SETTLES_IN)?;
        memory(&pages[3])
    };
    let floor = measure(Site::Floor)?;
    let ours = measure(Site::Ours)?;
    let sum = (ours.heap + ours.wasm) / 1e6;
    table.push(Row {
        id: "G9",
        metric: "JS heap and wasm memory in a call of four".into(),
        goal: "6 MB".into(),
        stretch: "4 MB".into(),
        measured: format!("{sum:.1} MB ({:.1} + {:.1})", ours.heap / 1e6, ours.wasm / 1e6),
        floor: format!("{:.1} MB", floor.heap / 1e6),
        verdict: Verdict::at_most(sum, 6.0, 4.0),
    });
    table.push(Row {
        id: "G9",
        metric: "DOM nodes in a call of four (as the browser counts them; elements)".into(),
        goal: "1000".into(),
        stretch: "1000".into(),
        measured: format!("{:.0}; {:.0}", ours.nodes, ours.elements),
        floor: format!("{:.0}; {:.0}", floor.nodes, floor.elements),
        verdict: Verdict::at_most(ours.nodes, 1000.0, 1000.0),
    });
    table.push(Row::told(
        "",
        "of these in the tree, browser's own parts of elements included; by element that they belong to",
        format!("{:.0}; {}", ours.in_tree, ours.largest),
        format!("{:.0}; {}", floor.in_tree, floor.largest),
    ));
    Ok(())
}

/// Measures how much of a core the page's own script takes in a call of four that nobody touches.
///
/// By the processor's time, which is what a core is taken by. The wall's time is told beside it: four
/// pages that encode and decode fill a machine of two cores, and whoever waits for one while in a script
/// is in it all the longer.
///
/// # Errors
/// If a call does not connect.
pub fn measure_script(server: &Path, table: &mut Table) -> Result<()> {
    println!("script of a page in a call of four at rest");
    let stage = Stage::new(Place::quiet(), server, 4)?;
    let measure = |site| -> Result<[[f64; 2]; 2]> {
        let pages = call(&stage, site, 4)?;
        program::pause(SETTLES_IN)?;
        let pages = [&pages[2], &pages[3]];
        for (page, domain) in pages.into_iter().zip(["threadTicks", "timeTicks"]) {
            page.call("Performance.enable", &json!({ "timeDomain": domain }))?;
        }
        let read = || -> Result<[[f64; 2]; 2]> { Ok([durations(pages[0])?, durations(pages[1])?]) };
        let (started, before) = (Instant::now(), read()?);
        program::pause(AT_REST)?;
        let (span, after) = (started.elapsed().as_secs_f64(), read()?);
        Ok([0, 1].map(|page| [0, 1].map(|at| (after[page][at] - before[page][at]) / span * 100.0)))
    };
    let floor = measure(Site::Floor)?;
    let ours = measure(Site::Ours)?;
    let spoken = |[[script, task], [script_wall, task_wall]]: [[f64; 2]; 2]| {
        format!(
            "{script:.2} % (all tasks {task:.1} %; by the wall's clock {script_wall:.1} % and {task_wall:.1} %)"
        )
    };
    table.push(Row {
        id: "M8",
        metric: "script on the main thread in a call of four at rest, of one core".into(),
        goal: "5 %".into(),
        stretch: "2 %".into(),
        measured: spoken(ours),
        floor: spoken(floor),
        verdict: Verdict::at_most(ours[0][0], 5.0, 2.0),
    });
    Ok(())
}

/// Seconds that a page has spent in script and in tasks of its main thread, script included.
fn durations(page: &Page) -> Result<[f64; 2]> {
    let metrics = page.call("Performance.getMetrics", &json!({}))?;
    Ok([
        metric(&metrics, "ScriptDuration")?,
        metric(&metrics, "TaskDuration")?,
    ])
}

fn metric(metrics: &Value, name: &str) -> Result<f64> {
    let all = metrics["metrics"].as_array().into_iter().flatten();
    all.filter(|metric| metric["name"] == name)
        .find_map(|metric| metric["value"].as_f64())
        .with_context(|| format!("the browser has no metric {name}"))
}

/// Puts six people into one room and counts the links that carry pictures and sound.
///
/// # Errors
/// If they do not all connect.
pub fn measure_six(server: &Path, table: &mut Table) -> Result<()> {
    const PEOPLE: usize = 6;
    println!("a call of six");
    let stage = Stage::new(Place::quiet(), server, PEOPLE)?;
    let pages = call(&stage, Site::Ours, PEOPLE)?;
    program::pause(SETTLES_IN)?;
    let before = inbound(&pages)?;
    let started = Instant::now();
    program::pause(MEASURED)?;
    let span = started.elapsed().as_secs_f64();
    let after = inbound(&pages)?;
    let grown = |name: &'static str| {
        let pairs = before.iter().flatten().zip(after.iter().flatten());
        pairs.map(move |(before, after)| {
            after[name].as_f64().unwrap_or(0.0) - before[name].as_f64().unwrap_or(0.0)
        })
    };
    let links = after.iter().flatten().count();
    let seen = grown("frames").filter(|frames| *frames > 0.0).count();
    let heard = grown("energy").filter(|energy| *energy > 0.0).count();
    let rates: Sample = grown("frames").map(|frames| frames / span).collect();
    let all = PEOPLE * (PEOPLE - 1);
    table.push(Row {
        id: "R3",
        metric: "directed links of six people with growing pictures / sound".into(),
        goal: format!("{all} / {all}"),
        stretch: format!("{all} / {all}"),
        measured: format!(
            "{seen} / {heard} of {links}; {:.1} fps in the middle",
            rates.median().unwrap_or(f64::NAN)
        ),
        floor: "-".into(),
        verdict: if seen == all && heard == all {
            Verdict::Met
        } else {
            Verdict::Missed
        },
    });
    Ok(())
}

/// Lets people join one after the other until everybody has everybody.
fn call(stage: &Stage, site: Site, people: usize) -> Result<Vec<Page>> {
    let room = stage.room(site);
    let mut pages: Vec<Page> = Vec::new();
    for (n, browser) in stage.browsers().iter().enumerate().take(people) {
        let page = browser.page()?;
        page.before_load(PICTURE)?;
        room.open(&page, &format!("Person {}", n + 1))?;
        if n > 0 {
            room.wait_before_click(&page)?;
        }
        room.join(&page)?;
        pages.push(page);
        for page in &pages {
            room.wait_for_links(page, n)?;
        }
    }
    // Connected is not yet alive: everybody must see everybody.
    for page in &pages {
        let seen = "__probe.inbound().then((links) => links.filter((link) => link.frames > 0).length";
        page.wait(&format!("{seen} >= {})", people - 1), CONNECTED_WITHIN)
            .context("somebody is not seen")?;
    }
    Ok(pages)
}

/// Looks at one call for a while.
fn look_at_call(stage: &Stage, site: Site, people: usize, sum: &mut Use) -> Result<()> {
    let pages = call(stage, site, people)?;
    program::pause(SETTLES_IN)?;
    let before = inbound(&pages)?;
    let cpu_before = stage
        .browsers()
        .iter()
        .map(|browser| browser.cpu())
        .collect::<Result<Vec<_>>>()?;
    let started = Instant::now();
    program::pause(MEASURED)?;
    let span = started.elapsed().as_secs_f64();
    for (browser, before) in stage.browsers().iter().zip(cpu_before) {
        let used = browser.cpu()?.saturating_sub(before).as_secs_f64();
        sum.cpu.push(used / span * 100.0);
    }
    let after = inbound(&pages)?;
    for (before, after) in before.iter().flatten().zip(after.iter().flatten()) {
        let frames = |link: &Value| link["frames"].as_f64().unwrap_or(0.0);
        let rate = (frames(after) - frames(before)) / span;
        sum.rates.push(rate);
        sum.slowest = sum.slowest.min(rate);
    }
    Ok(())
}

impl Use {
    fn new() -> Self {
        Self {
            slowest: f64::INFINITY,
            ..Self::default()
        }
    }
}

/// What every page gets over each of its live links.
fn inbound(pages: &[Page]) -> Result<Vec<Vec<Value>>> {
    pages
        .iter()
        .map(|page| {
            let links = page.eval("__probe.inbound()")?;
            links.as_array().cloned().context("the probe tells no links")
        })
        .collect()
}

/// What a page keeps.
struct Memory {
    heap: f64,
    wasm: f64,
    nodes: f64,
    elements: f64,
    /// Nodes that hang in the document, with the browser's own inside videos, fields and icons.
    in_tree: f64,
    /// Which kinds of element bring most of those.
    largest: String,
}

fn memory(page: &Page) -> Result<Memory> {
    page.call("Performance.enable", &json!({}))?;
    page.call("HeapProfiler.collectGarbage", &json!({}))?;
    let metrics = page.call("Performance.getMetrics", &json!({}))?;
    let document = page.call("DOM.getDocument", &json!({ "depth": -1, "pierce": true }))?;
    let mut owned = BTreeMap::new();
    count(&document["root"], "document", &mut owned);
    let mut by_size: Vec<_> = owned.iter().collect();
    by_size.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let named = by_size
        .iter()
        .take(4)
        .map(|(name, nodes)| format!("{name} {nodes:.0}"));
    Ok(Memory {
        in_tree: owned.values().sum(),
        largest: named.collect::<Vec<_>>().join(", "),
        heap: metric(&metrics, "JSHeapUsedSize")?,
        nodes: metric(&metrics, "Nodes")?,
        wasm: page.number("__probe.wasmBytes()")?,
        elements: page.number("document.querySelectorAll('*').length")?,
    })
}

/// Counts nodes by the element that brings them: a video's own controls count as the video's.
fn count(node: &Value, owner: &str, owned: &mut BTreeMap<String, f64>) {
    *owned.entry(owner.to_owned()).or_default() += 1.0;
    let children = |name: &str| node[name].as_array().into_iter().flatten();
    for child in children("children") {
        count(child, owner, owned);
    }
    let name = node["nodeName"].as_str().unwrap_or_default().to_lowercase();
    for root in children("shadowRoots").chain(children("pseudoElements")) {
        count(root, &name, owned);
    }
}
