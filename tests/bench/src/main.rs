//! Measures a call in real browsers, and the server under load, against the project's goals.
//!
//! Every figure stands beside one that was taken in the same run on the same machine: a bare WebRTC
//! page of our own (the floor) or a bare `ws` relay. Ratios, bytes and counts hold anywhere;
//! milliseconds alone do not. Everything stays on the loopback interface or in network namespaces
//! made for the run, is bounded in count and time, and is ended whatever happens.

#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on standard output"
)]

mod bench;
mod chromium;
mod floor;
mod lab;
mod load;
mod program;
mod server;
mod stats;
mod table;
mod usage;

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::prelude::*;

const HELP: &str = "\
visavis-bench <command> [options]      (usually by way of `cargo xtask bench` and `cargo xtask load`)

  load     the server under load, beside a bare `ws` relay
             --server PATH      the server to measure        (default: $VISAVIS_SERVER, else the release build)
             --only LIST        of idle,joins,small,large,drain,people (default: all)
             --drain            the same as --only drain: a restart
             --people N         in the rooms at the restart  (default: 1000)
             --handles N        online, with 50 contacts each (default: 10000)
             --seconds N        in which one in a hundred of them changes each second (default: 40)
             --sockets N        idle sockets                 (default: 10000)
             --rounds N         rounds of relaying           (default: 5)
             --pairs N          pairs that exchange messages (default: 2000)
             --docs             also write the table into docs/performance.md

  bench    a call in Chromium, beside the least page that can have one
             --server PATH      as above; the server must carry the built client
             --only LIST        of g1 to g9, script and six  (default: all)
             --runs N           loads and joins              (default: 15)
             --docs             also write the table into docs/performance.md

  floor    serves that least page, to look at it             [--listen ADDRESS:PORT]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    program::watch_interrupts()?;
    let mut parser = lexopt::Parser::from_env();
    let command = match parser.next()? {
        Some(Value(value)) => value.string()?,
        Some(Short('h') | Long("help")) | None => {
            println!("{HELP}");
            return Ok(());
        }
        Some(other @ (Short(_) | Long(_))) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "load" => load::run(&load::Options::parse(&mut parser)?),
        "bench" => bench::run(&bench::Options::parse(&mut parser)?),
        "floor" => {
            let mut listen = String::from("127.0.0.1:8081");
            while let Some(argument) = parser.next()? {
                match argument {
                    Long("listen") => listen = parser.value()?.string()?,
                    other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
                }
            }
            floor::serve(&listen)
        }
        "help" => {
            println!("{HELP}");
            Ok(())
        }
        unknown => bail!("unknown command `{unknown}`\n\n{HELP}"),
    }
}
