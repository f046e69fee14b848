//! The project's own commands, run as `cargo xtask <command>`.
//!
//! One place that knows how to get from a fresh machine to a running site, and from a change to an
//! answer whether it is good. It starts other programs and reads what they print; it does no work
//! of its own that a released tool does, and keeps its dependencies few because everybody compiles
//! it first.

#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on standard output"
)]

mod browsers;
mod build;
mod cache;
mod dev;
mod install;
mod netns;
mod process;
mod shrink;
mod suite;
mod tally;
mod weight;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::prelude::*;

const HELP: &str = "\
cargo xtask <command> [options]

  setup    get the tools and browsers that the other commands need
  serve    set up, build everything optimised, serve it      [--listen ADDR:PORT] [-- server options]
  dev      the server and a client that rebuilds on change
  build    the optimised client and the server that carries it
  test     every check that a change must pass               [--list] [--only STEP] [--skip STEP] [--seeds N]
                                                             [--fuzz-seconds N] [--direct] [--every-pair] [-- test filter]
  screenshots  pictures of every screen, in test-results/screenshots [-- outside, crowd, call]
  transfer figures of files between two browsers                    [-- speed, flat-chromium, flat-firefox]
  bench    figures of a call beside the least that a page can cost  [-- bench options]
  load     figures of the server under load                         [-- load options]

Tools are kept in $VISAVIS_CACHE, else $XDG_CACHE_HOME/visavis, else ~/.cache/visavis.";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command named on the command line; `false` if it ran to its end and found faults.
fn run() -> Result<bool> {
    process::watch_interrupts()?;
    std::env::set_current_dir(cache::root())?;
    let mut parser = lexopt::Parser::from_env();
    let command = match parser.next()? {
        Some(Value(value)) => value.string()?,
        Some(Short('h') | Long("help")) | None => {
            println!("{HELP}");
            return Ok(true);
        }
        Some(other @ (Short(_) | Long(_))) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "setup" => {
            no_more(&mut parser)?;
            install::setup(install::Purpose::Testing)?;
            Ok(true)
        }
        "build" => {
            no_more(&mut parser)?;
            install::setup(install::Purpose::Serving)?;
            build::client()?;
            build::server()?;
            Ok(true)
        }
        "serve" => serve(&mut parser),
        "dev" => {
            no_more(&mut parser)?;
            dev::run()?;
            Ok(true)
        }
        "test" => test(&mut parser),
        "bench" | "load" => {
            let rest = rest(&mut parser)?;
            install::setup(if command == "bench" {
                install::Purpose::Testing
            } else {
                install::Purpose::Serving
            })?;
            build::client()?;
            build::server()?;
            build::bench(&command, &rest)?;
            Ok(true)
        }
        "screenshots" | "transfer" => {
            let rest = rest(&mut parser)?;
            install::setup(install::Purpose::Testing)?;
            build::client()?;
            build::server()?;
            build::with_browsers(&command, &rest)?;
            Ok(true)
        }
        "help" => {
            println!("{HELP}");
            Ok(true)
        }
        unknown => bail!("unknown command `{unknown}`\n\n{HELP}"),
    }
}

fn serve(parser: &mut lexopt::Parser) -> Result<bool> {
    // Where to listen is the server's own default, its environment's or its file's, unless said.
    let mut arguments = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => arguments.extend(["--listen".into(), parser.value()?]),
            Value(value) => arguments.push(value),
            other @ (Short(_) | Long(_)) => return Err(other.unexpected().into()),
        }
    }
    install::setup(install::Purpose::Serving)?;
    build::client()?;
    let server = build::server()?;
    // The server takes this process's place, so that its line is the last and signals reach it.
    Err(process::become_program(&server, &arguments))
}

fn test(parser: &mut lexopt::Parser) -> Result<bool> {
    let mut options = suite::Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("list") => options.list = true,
            Long("only") => options.only.push(parser.value()?.string()?),
            Long("skip") => options.skip.push(parser.value()?.string()?),
            Long("seeds") => options.seeds = parser.value()?.parse()?,
            Long("fuzz-seconds") => options.fuzz_seconds = parser.value()?.parse()?,
            Long("direct") => options.direct = true,
            Long("every-pair") => options.every_pair = true,
            Value(value) => options.filter.push(value.string()?),
            other @ (Short(_) | Long(_)) => return Err(other.unexpected().into()),
        }
    }
    suite::run(&options)
}

/// Everything that is left, for a program that we start.
fn rest(parser: &mut lexopt::Parser) -> Result<Vec<OsString>> {
    Ok(parser.raw_args()?.filter(|argument| argument != "--").collect())
}

fn no_more(parser: &mut lexopt::Parser) -> Result<()> {
    match parser.next()? {
        Some(argument) => Err(argument.unexpected().into()),
        None => Ok(()),
    }
}
