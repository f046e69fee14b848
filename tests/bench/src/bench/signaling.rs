//! What a joiner writes and hears on its socket until a call of two stands (G7).

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::stage::{CONNECTED_WITHIN, Site, Stage};
use crate::lab::Place;
use crate::program;
use crate::stats::Sample;
use crate::table::{Row, Table, Verdict};

/// Calls that are counted.
const CALLS: usize = 5;
/// What comes this soon after the first frame belongs to the join; heartbeats come later.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Messages and bytes of one call.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    sent: f64,
    sent_bytes: f64,
    received: f64,
    received_bytes: f64,
}

/// Measures calls of ours and one of the floor.
///
/// # Errors
/// If a call does not connect.
pub fn measure(server: &Path, table: &mut Table) -> Result<()> {
    println!("signaling at the joiner of a call of two");
    let stage = Stage::new(Place::quiet(), server, 2)?;
    let ours = (0..CALLS)
        .map(|_| call(&stage, Site::Ours))
        .collect::<Result<Vec<_>>>()?;
    let floor = call(&stage, Site::Floor)?;
    let middle = |of: fn(&Traffic) -> f64| {
        ours.iter()
            .map(of)
            .collect::<Sample>()
            .median()
            .unwrap_or(f64::NAN)
    };
    let messages = middle(|traffic| traffic.sent + traffic.received);
    let (out, back) = (
        middle(|t| t.sent_bytes) / 1000.0,
        middle(|t| t.received_bytes) / 1000.0,
    );
    table.push(Row {
        id: "G7",
        metric: "messages at the joiner, both ways, from opening the link".into(),
        goal: "8".into(),
        stretch: "6".into(),
        measured: format!(
            "{messages:.0} ({:.0} out, {:.0} in)",
            middle(|t| t.sent),
            middle(|t| t.received)
        ),
        floor: format!("{:.0}", floor.sent + floor.received),
        verdict: Verdict::at_most(messages, 8.0, 6.0),
    });
    table.push(Row {
        id: "G7",
        metric: "bytes at the joiner, out / in".into(),
        goal: "8 KB each".into(),
        stretch: "3 KB".into(),
        measured: format!("{out:.1} / {back:.1} KB"),
        floor: format!(
            "{:.1} / {:.1} KB",
            floor.sent_bytes / 1000.0,
            floor.received_bytes / 1000.0
        ),
        verdict: Verdict::at_most(out.max(back), 8.0, 3.0),
    });
    Ok(())
}

fn call(stage: &Stage, site: Site) -> Result<Traffic> {
    let room = stage.room(site);
    let member = stage.browser(0).page()?;
    room.open(&member, "Ada")?;
    room.join(&member)?;
    let joiner = stage.browser(1).page()?;
    room.open(&joiner, "Bob")?;
    room.wait_before_click(&joiner)?;
    joiner.eval("__probe.click()")?;
    joiner.wait("__probe.frames.length > 0", CONNECTED_WITHIN)?;
    program::pause(AFTERWARDS)?;
    let mut traffic = Traffic::default();
    let mut log = Vec::new();
    for event in joiner.take_events() {
        let payload = event.params["response"]["payloadData"]
            .as_str()
            .unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let bytes = payload.len() as f64;
        let way = match event.method.as_str() {
            "Network.webSocketFrameSent" => {
                traffic.sent += 1.0;
                traffic.sent_bytes += bytes;
                "out"
            }
            "Network.webSocketFrameReceived" => {
                traffic.received += 1.0;
                traffic.received_bytes += bytes;
                "in"
            }
            _ => continue,
        };
        log.push(format!("{way} {} {payload}", payload.len()));
    }
    std::fs::write(
        crate::table::results()?.join(format!("signaling-{site:?}.log")),
        log.join("\n"),
    )?;
    Ok(traffic)
}
