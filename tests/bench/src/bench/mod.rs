//! A call in real browsers beside the floor: weight, time to a usable page, time to the first
//! frame, signaling, CPU, memory (G1 to G9), and six people at once.

mod calls;
mod connect;
mod ready;
mod signaling;
mod stage;
mod weight;

use std::path::PathBuf;

use anyhow::{Result, bail};
use lexopt::prelude::*;

use crate::server;
use crate::table::Table;

/// What to measure, and the goals that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Weight,
    Ready,
    Distant,
    Near,
    Signaling,
    Cpu,
    Memory,
    Script,
    Six,
}

impl Part {
    const NAMES: [(&'static str, Self); 11] = [
        ("g1", Self::Weight),
        ("g2", Self::Weight),
        ("g3", Self::Ready),
        ("g4", Self::Ready),
        ("g5", Self::Distant),
        ("g6", Self::Near),
        ("g7", Self::Signaling),
        ("g8", Self::Cpu),
        ("g9", Self::Memory),
        ("script", Self::Script),
        ("six", Self::Six),
    ];
}

/// The command line of `bench`.
pub struct Options {
    server: PathBuf,
    parts: Vec<Part>,
    runs: usize,
    in_document: bool,
}

impl Options {
    /// Reads what follows the command's name.
    ///
    /// # Errors
    /// If it is not understood.
    pub fn parse(parser: &mut lexopt::Parser) -> Result<Self> {
        let mut named = None;
        let mut options = Self {
            server: PathBuf::new(),
            parts: Part::NAMES.map(|(_, part)| part).to_vec(),
            runs: 15,
            in_document: false,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("server") => named = Some(parser.value()?.into()),
                Long("only") => options.parts = parts(&parser.value()?.string()?)?,
                Long("runs") => options.runs = parser.value()?.parse()?,
                Long("docs") => options.in_document = true,
                other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
            }
        }
        options.parts.dedup();
        options.server = server::path(named)?;
        Ok(options)
    }
}

fn parts(list: &str) -> Result<Vec<Part>> {
    list.split(',')
        .map(
            |name| match Part::NAMES.iter().find(|(known, _)| *known == name) {
                Some((_, part)) => Ok(*part),
                None => bail!("`{name}` is none of g1 to g9, script and six"),
            },
        )
        .collect()
}

/// Measures what was asked for and prints the table.
///
/// # Errors
/// If a browser, the server or the call fail.
pub fn run(options: &Options) -> Result<()> {
    let mut table = Table::new("bench", "floor");
    let mut failures = Vec::new();
    for part in &options.parts {
        let result = match part {
            Part::Weight => weight::measure(&options.server, &mut table),
            Part::Ready => ready::measure(&options.server, options.runs, &mut table),
            Part::Distant => connect::measure_distant(&options.server, options.runs, &mut table),
            Part::Near => connect::measure_near(&options.server, options.runs, &mut table),
            Part::Signaling => signaling::measure(&options.server, &mut table),
            Part::Cpu => calls::measure_cpu(&options.server, &mut table),
            Part::Memory => calls::measure_memory(&options.server, &mut table),
            Part::Script => calls::measure_script(&options.server, &mut table),
            Part::Six => calls::measure_six(&options.server, &mut table),
        };
        crate::program::check_interrupt()?;
        // One part that fails must not cost the figures of the others.
        if let Err(error) = result {
            eprintln!("  FAILED {part:?}: {error:#}");
            failures.push(format!("{part:?}"));
        }
    }
    table.finish(options.in_document)?;
    if !failures.is_empty() {
        bail!("could not be measured: {}", failures.join(", "));
    }
    Ok(())
}
