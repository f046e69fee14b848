//! What a join costs the server, and whether it grows with the rooms that are there (G16).

use std::path::Path;

use anyhow::Result;

use super::client;
use super::crowd::Crowd;
use crate::stats::Sample;
use crate::table::{Row, Table, Verdict};
use crate::usage;

/// Clients from one address: the burst of joins that the server allows it.
const PER_ADDRESS: usize = 10;
/// Into how many equal parts the joins are cut, to see a growth.
const SLICES: usize = 10;
/// Growth from the first to the last rooms that is taken for none: the spread of equal slices.
const NO_GROWTH: f64 = 1.15;

/// Measures our server.
///
/// # Errors
/// If it fails.
pub fn measure(server: &Path, count: usize, table: &mut Table) -> Result<()> {
    println!("{count} joins, two to a room");
    let (running, target) = client::start(server)?;
    let mut crowd = Crowd::new(target)?;
    crowd.open(count, PER_ADDRESS)?;
    let slice = count / SLICES / 2 * 2;
    let mut micros = Vec::new();
    for n in 0..SLICES {
        let before = usage::cpu_of_threads(running.pid())?;
        client::join(&mut crowd, n * slice..(n + 1) * slice)?;
        let used = usage::cpu_of_threads(running.pid())?.saturating_sub(before);
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        micros.push(used.as_secs_f64() * 1e6 / slice as f64);
    }
    println!(
        "  us per join, by slices of {slice}: {}",
        micros
            .iter()
            .map(|micros| format!("{micros:.0}"))
            .collect::<Vec<_>>()
            .join(" ")
    );
    let middle = |slices: &[f64]| {
        slices
            .iter()
            .copied()
            .collect::<Sample>()
            .median()
            .unwrap_or(f64::NAN)
    };
    let all = middle(&micros);
    let growth = middle(&micros[SLICES - 3..]) / middle(&micros[..3]);
    table.push(Row {
        id: "G16",
        metric: "server CPU per join (`join` to `joined`, the other told)".into(),
        goal: "70 us".into(),
        stretch: "50 us".into(),
        measured: format!("{all:.0} us"),
        floor: "-".into(),
        verdict: Verdict::at_most(all, 70.0, 50.0),
    });
    table.push(Row {
        id: "G16",
        metric: format!("growth of that from {} to {} rooms", slice * 3 / 2, count / 2),
        goal: "none".into(),
        stretch: "none".into(),
        measured: format!("x{growth:.2}"),
        floor: "-".into(),
        verdict: Verdict::at_most(growth, NO_GROWTH, NO_GROWTH),
    });
    Ok(())
}
