//! What a process costs, as the kernel tells it under `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Bytes of memory that a process has resident.
///
/// # Errors
/// If the process is gone.
pub fn resident(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).context("reading smaps_rollup")?;
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("Rss:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<u64>().ok())
        .context("no Rss in smaps_rollup")?;
    Ok(kilobytes * 1024)
}

/// CPU time of a process's living threads, to the nanosecond.
///
/// What ended threads used is missing: right for short spans of a server with a fixed pool.
///
/// # Errors
/// If the process is gone.
pub fn cpu_of_threads(pid: u32) -> Result<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        let first = text.split_whitespace().next().unwrap_or("0");
        sum += first.parse::<u64>().unwrap_or(0);
    }
    Ok(Duration::from_nanos(sum))
}

/// CPU time of a process with all its threads, in the kernel's ticks of 10 ms.
///
/// # Errors
/// If the process is gone.
pub fn cpu(pid: u32) -> Result<Duration> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).context("reading stat")?;
    Ok(Stat::read(&line).context("stat has an unknown form")?.cpu)
}

/// CPU time of a process and all its descendants that are alive, or ended and were waited for.
///
/// # Errors
/// If the process is gone.
pub fn cpu_of_tree(root: u32) -> Result<Duration> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // Processes come and go while we look.
        if let Ok(line) = fs::read_to_string(format!("/proc/{pid}/stat"))
            && let Some(stat) = Stat::read(&line)
        {
            all.insert(pid, stat);
        }
    }
    let mut sum = Duration::ZERO;
    let mut waiting = vec![root];
    while let Some(pid) = waiting.pop() {
        let stat = all.get(&pid).with_context(|| format!("process {pid} is gone"))?;
        sum += stat.cpu + stat.cpu_of_children;
        waiting.extend(
            all.iter()
                .filter(|(_, stat)| stat.parent == pid)
                .map(|(pid, _)| *pid),
        );
    }
    Ok(sum)
}

struct Stat {
    parent: u32,
    cpu: Duration,
    cpu_of_children: Duration,
}

impl Stat {
    /// Reads proc_pid_stat(5). The program's name may hold anything, so counting starts behind it.
    fn read(line: &str) -> Option<Self> {
        let (_, rest) = line.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let span =
            |ticks: u64| Duration::from_micros(ticks * 1_000_000 / rustix::param::clock_ticks_per_second());
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            cpu: span(ticks(11)? + ticks(12)?),
            cpu_of_children: span(ticks(13)? + ticks(14)?),
        })
    }
}

/// Lets us and the programs that we start have as many open sockets as the system allows.
///
/// # Errors
/// If `wanted` cannot be had.
pub fn raise_open_files(wanted: u64) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    if now.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let maximum = now.maximum.map_or(wanted, |maximum| maximum.max(wanted));
    let raised = Rlimit {
        current: Some(wanted),
        maximum: Some(maximum),
    };
    setrlimit(Resource::Nofile, raised)
        .with_context(|| format!("{wanted} open files are needed: raise the hard limit (ulimit -Hn)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_strange_name_is_read() {
        let line = "7 (a) b (c) S 3 7 7 0 -1 0 0 0 0 0 150 50 7 1 20 0 1 0 5 0 0";
        let stat = Stat::read(line).unwrap();
        assert_eq!(stat.parent, 3);
        assert_eq!(stat.cpu.as_millis(), 2000);
        assert_eq!(stat.cpu_of_children.as_millis(), 80);
    }

    #[test]
    fn work_shows_in_both_clocks() {
        let pid = std::process::id();
        let (before, fine) = (cpu(pid).unwrap(), cpu_of_threads(pid).unwrap());
        let started = std::time::Instant::now();
        while started.elapsed() < Duration::from_millis(60) {
            std::hint::black_box(0);
        }
        assert!(cpu_of_threads(pid).unwrap() > fine);
        assert!(cpu(pid).unwrap() > before);
        assert!(cpu_of_tree(pid).unwrap() >= before);
    }
}
