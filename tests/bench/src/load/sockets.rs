//! Ten thousand sockets that do nothing: what each costs in memory (G12).

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::bare::BareRelay;
use super::client;
use super::crowd::{Crowd, Target};
use crate::table::{Row, Table, Verdict};
use crate::{program, usage};

/// Clients from one address: within the server's burst of accepts for one address, so that opening
/// does not wait for an allowance.
const PER_ADDRESS: usize = 50;
/// Memory has settled when two looks this far apart differ by less than [`SETTLED`].
const LOOK_EVERY: Duration = Duration::from_millis(500);
const SETTLED: u64 = 256 * 1024;
/// Looks after which it is taken as it is.
const LOOKS: usize = 12;

/// Measures our server and the bare relay.
///
/// # Errors
/// If one of them fails.
pub fn measure(server: &Path, count: usize, table: &mut Table) -> Result<()> {
    println!("{count} idle sockets");
    let (running, target) = client::start(server)?;
    let empty = settled(running.pid())?;
    let mut crowd = Crowd::new(target)?;
    let before = usage::cpu_of_threads(running.pid())?;
    crowd.open(count, PER_ADDRESS)?;
    let opening = usage::cpu_of_threads(running.pid())?.saturating_sub(before);
    let full = settled(running.pid())?;
    let each = per_socket(full, empty, count);
    drop(crowd);
    drop(running);

    let (bare_empty, bare_each) = measure_bare(count)?;
    let (each_kb, empty_mb) = (each / 1000.0, megabytes(empty));
    table.push(Row {
        id: "G12",
        metric: format!("memory per idle socket, {count} of them, after `hello`"),
        goal: "7.0 KB".into(),
        stretch: "5 KB".into(),
        measured: format!("{each_kb:.1} KB"),
        floor: format!("{:.1} KB", bare_each / 1000.0),
        verdict: Verdict::at_most(each_kb, 7.0, 5.0),
    });
    table.push(Row {
        id: "G12",
        metric: "memory with no socket".into(),
        goal: "20 MB".into(),
        stretch: "20 MB".into(),
        measured: format!("{empty_mb:.1} MB"),
        floor: format!("{:.1} MB", megabytes(bare_empty)),
        verdict: Verdict::at_most(empty_mb, 20.0, 20.0),
    });
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let micros = opening.as_secs_f64() * 1e6 / count as f64;
    table.push(Row::told(
        "",
        "server CPU per socket opened, upgrade and `hello`",
        format!("{micros:.0} us"),
        "-",
    ));
    Ok(())
}

fn measure_bare(count: usize) -> Result<(u64, f64)> {
    let bare = BareRelay::start()?;
    let empty = settled(bare.pid())?;
    let mut crowd = Crowd::new(Target {
        address: bare.address.parse()?,
        path: "/pair".into(),
        names_pair: true,
        greeting: None,
    })?;
    crowd.open(count, PER_ADDRESS)?;
    let full = settled(bare.pid())?;
    Ok((empty, per_socket(full, empty, count)))
}

/// Resident memory once it no longer moves.
fn settled(pid: u32) -> Result<u64> {
    let mut last = usage::resident(pid)?;
    for _ in 0..LOOKS {
        program::pause(LOOK_EVERY)?;
        let now = usage::resident(pid)?;
        if now.abs_diff(last) < SETTLED {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn per_socket(full: u64, empty: u64, count: usize) -> f64 {
    full.saturating_sub(empty) as f64 / count as f64
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
