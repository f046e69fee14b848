//! A restart under a thousand people: how soon the old server is gone, how soon everybody is back, and
//! whether they come as a herd (F11).

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::client;
use super::herd::Herd;
use crate::server::Server;
use crate::stats::Sample;
use crate::table::{Row, Table, Verdict};

/// People in one room.
const TO_A_ROOM: usize = 4;
/// The old server's time to end, and everybody's to be back.
const GOAL: Duration = Duration::from_secs(10);
/// New connections in any one second.
const CONNECTIONS: usize = 300;
/// When it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures our server.
///
/// # Errors
/// If it fails, or anybody is refused.
pub fn measure(path: &Path, count: usize, table: &mut Table) -> Result<()> {
    println!("a restart under {count} people, {TO_A_ROOM} to a room");
    let (mut old, target) = client::start(path)?;
    let address = old.address.clone();
    let mut herd = Herd::new(target, count, TO_A_ROOM)?;
    let start = Instant::now();
    while !herd.is_whole() {
        herd.turn()?;
        if start.elapsed() > PATIENCE {
            bail!("not everybody came in the first place");
        }
    }
    herd.attempts.clear();

    let asked = Instant::now();
    old.ask_to_end();
    while !old.has_ended()? {
        herd.turn()?;
        if asked.elapsed() > PATIENCE {
            bail!("the server does not end");
        }
    }
    let ended = asked.elapsed();
    drop(old);
    let new = Server::start_at(path, &address, &[], &[])?;
    let up = asked.elapsed();
    while !herd.is_whole() && asked.elapsed() < PATIENCE {
        herd.turn()?;
    }
    drop(new);

    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    println!(
        "  the new server accepts {} after the signal; {} connections were tried",
        seconds(up),
        herd.attempts.len()
    );
    let times = herd.members.iter().filter_map(|member| member.seated);
    let back: Sample = times.map(|at| (at - asked).as_secs_f64()).collect();
    let [half, most, all] = [0.5, 0.95, 1.0].map(|share| back.quantile(share).unwrap_or(f64::NAN));
    let complete = herd.complete();
    let peak = busiest_second(&mut herd.attempts);
    let (goal, met) = (GOAL.as_secs_f64(), |text: String, goal: String| {
        (text, goal.clone(), goal)
    });
    let mut tell = |metric: &str, (measured, goal, stretch): (String, String, String), verdict| {
        table.push(Row {
            id: "",
            metric: format!("restart under {count} people: {metric}"),
            goal,
            stretch,
            measured,
            floor: "-".into(),
            verdict,
        });
    };
    tell(
        "from SIGTERM to the end of the process",
        met(seconds(ended), seconds(GOAL)),
        Verdict::at_most(ended.as_secs_f64(), goal, goal),
    );
    tell(
        "from SIGTERM until they are back, half / 95 % / all",
        met(format!("{half:.1} / {most:.1} / {all:.1} s"), seconds(GOAL)),
        Verdict::at_most(all, goal, goal),
    );
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    {
        tell(
            "new connections in the busiest second",
            met(peak.to_string(), CONNECTIONS.to_string()),
            Verdict::at_most(peak as f64, CONNECTIONS as f64, CONNECTIONS as f64),
        );
        tell(
            "complete rosters",
            met(complete.to_string(), count.to_string()),
            Verdict::at_least(complete as f64, count as f64, count as f64),
        );
    }
    Ok(())
}

/// The most moments within any one second.
fn busiest_second(times: &mut [Instant]) -> usize {
    times.sort_unstable();
    let mut first = 0;
    let mut most = 0;
    for last in 0..times.len() {
        while times[last] - times[first] >= Duration::from_secs(1) {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_begins_anywhere() {
        let start = Instant::now();
        let mut times: Vec<_> = [0, 700, 900, 1100, 1699, 1700, 5000]
            .map(|ms| start + Duration::from_millis(ms))
            .into();
        assert_eq!(busiest_second(&mut times), 4);
        assert_eq!(busiest_second(&mut []), 0);
    }
}
