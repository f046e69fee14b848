//! The server under load: memory of idle sockets, CPU of joins, messages a second (G12 to G14, G16),
//! a restart, and handles whose contacts hear how it stands with them.
//!
//! The load comes from this process, over loopback, from as many source addresses as the server's
//! limits ask for; no limit is raised for it. CPU time is the server's own, so that it does not
//! matter how many cores the two share.

mod bare;
mod client;
mod crowd;
mod drain;
mod frame;
mod herd;
mod joins;
mod people;
mod relay;
mod sockets;

use std::path::PathBuf;

use anyhow::{Result, bail};
use lexopt::prelude::*;

use crate::table::Table;
use crate::{server, usage};

/// Files that are open beside the sockets.
const OTHER_FILES: u64 = 1000;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Idle,
    Joins,
    Small,
    Large,
    Drain,
    People,
}

impl Part {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Idle, "idle"),
        (Self::Joins, "joins"),
        (Self::Small, "small"),
        (Self::Large, "large"),
        (Self::Drain, "drain"),
        (Self::People, "people"),
    ];
}

/// The command line of `load`.
pub struct Options {
    server: PathBuf,
    parts: Vec<Part>,
    sockets: usize,
    pairs: usize,
    rounds: usize,
    people: usize,
    handles: usize,
    seconds: u64,
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
            parts: Part::ALL.map(|(part, _)| part).to_vec(),
            sockets: 10_000,
            pairs: 2_000,
            rounds: 5,
            people: 1_000,
            handles: 10_000,
            seconds: 40,
            in_document: false,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("server") => named = Some(parser.value()?.into()),
                Long("only") => options.parts = parts(&parser.value()?.string()?)?,
                Long("drain") => options.parts = vec![Part::Drain],
                Long("people") => options.people = parser.value()?.parse()?,
                Long("handles") => options.handles = parser.value()?.parse()?,
                Long("seconds") => options.seconds = parser.value()?.parse()?,
                Long("sockets") => options.sockets = parser.value()?.parse()?,
                Long("pairs") => options.pairs = parser.value()?.parse()?,
                Long("rounds") => options.rounds = parser.value()?.parse()?,
                Long("docs") => options.in_document = true,
                other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
            }
        }
        options.server = server::path(named)?;
        Ok(options)
    }
}

fn parts(list: &str) -> Result<Vec<Part>> {
    list.split(',')
        .map(|name| match Part::ALL.iter().find(|(_, known)| *known == name) {
            Some((part, _)) => Ok(*part),
            None => bail!("`{name}` is none of idle, joins, small, large, drain, people"),
        })
        .collect()
}

/// Measures what was asked for and prints the table.
///
/// # Errors
/// If the server or the bare relay fail.
pub fn run(options: &Options) -> Result<()> {
    let sockets = [
        options.sockets,
        2 * options.pairs,
        options.people,
        options.handles,
    ];
    usage::raise_open_files(sockets.into_iter().max().unwrap_or_default() as u64 + OTHER_FILES)?;
    let mut table = Table::new("load", "bare ws");
    for part in &options.parts {
        let sizes: &[&relay::Size] = match part {
            Part::Idle => {
                sockets::measure(&options.server, options.sockets, &mut table)?;
                &[]
            }
            Part::Joins => {
                joins::measure(&options.server, options.sockets, &mut table)?;
                &[]
            }
            Part::Drain => {
                drain::measure(&options.server, options.people, &mut table)?;
                &[]
            }
            Part::People => {
                people::measure(&options.server, options.handles, options.seconds, &mut table)?;
                &[]
            }
            Part::Small => &[&relay::SMALL],
            Part::Large => &[&relay::LARGE, &relay::LARGE_SHALLOW],
        };
        for size in sizes {
            relay::measure(&options.server, size, options.pairs, options.rounds, &mut table)?;
        }
    }
    table.finish(options.in_document)
}
