//! The optimised client and the server that carries it.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::{cache, process, shrink};

/// The folder into which trunk puts the site.
pub fn dist() -> PathBuf {
    cache::root().join("dist")
}

/// What the client is made of: a change in one of these builds it anew.
const CLIENT_SOURCES: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "index.html",
    "src",
    "style",
    "public",
    "crates/protocol/src",
    "crates/call-core/src",
];

/// Builds the client into [`dist`] and compresses it, unless nothing changed.
///
/// # Errors
/// If a step fails.
pub fn client() -> Result<()> {
    let stamp = target_dir().join("xtask/client.stamp");
    let wanted = fingerprint()?;
    let is_built = std::fs::read_to_string(&stamp).is_ok_and(|built| built == wanted);
    if is_built && dist().join("index.html.br").exists() {
        println!("client: unchanged");
        return Ok(());
    }
    let started = Instant::now();
    println!("client: building");
    fetch()?;
    process::run(
        Command::new(cache::Tool::trunk().program()?)
            .args(["build", "--release", "--offline", "--skip-version-check"])
            .args(["--cargo-profile", "web", "--dist"])
            .arg(dist())
            // trunk reads this as a setting of its own and knows only `true` and `false`.
            .env_remove("NO_COLOR")
            .env("RUST_BACKTRACE", "0")
            .env("PATH", cache::search_path()?)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", nameless()?),
    )?;
    shrink::site(&dist())?;
    println!("client: compressing");
    process::run(
        cargo()
            .args(["run", "--quiet", "--release", "--package", "visavis-server"])
            .args(["--bin", "visavis-precompress", "--"])
            .arg(dist()),
    )?;
    if let Some(folder) = stamp.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&stamp, wanted)?;
    println!("client: ready in {}", process::spoken(started.elapsed()));
    Ok(())
}

/// Builds the server with the client inside; the path of the program.
///
/// # Errors
/// If it does not build.
pub fn server() -> Result<PathBuf> {
    let started = Instant::now();
    println!("server: building");
    process::run(
        cargo()
            .args(["build", "--quiet", "--release", "--package", "visavis-server"])
            .args(["--bin", "visavis-server", "--features", "embed"])
            .env("VISAVIS_DIST", dist()),
    )?;
    println!("server: ready in {}", process::spoken(started.elapsed()));
    // A later build without the client would replace the program at cargo's own place.
    let built = target_dir().join("release/visavis-server");
    std::fs::create_dir_all(target_dir().join("xtask"))?;
    // A program that runs cannot be written over, but its name can be given away.
    let fresh = server_program().with_extension("new");
    std::fs::copy(&built, &fresh)?;
    std::fs::rename(&fresh, server_program())?;
    Ok(server_program())
}

/// The server with the client inside, where [`server`] puts it.
pub fn server_program() -> PathBuf {
    target_dir().join("xtask/visavis-server")
}

/// Runs a command of the benches, which live in a crate of their own: they need far more than we do.
///
/// # Errors
/// If they are not there, or one fails.
pub fn bench(command: &str, rest: &[OsString]) -> Result<()> {
    if !cache::root().join("tests/bench/Cargo.toml").exists() {
        bail!("there is no tests/bench in this checkout");
    }
    process::run(
        cargo()
            .args([
                "run",
                "--quiet",
                "--release",
                "--package",
                "visavis-bench",
                "--",
                command,
            ])
            .args(rest)
            .env("PATH", cache::search_path()?)
            .env("VISAVIS_SERVER", server_program())
            .env("VISAVIS_DIST", dist()),
    )
}

/// Runs a program that uses the end-to-end tests' browsers, with the server that was built last: one that
/// takes pictures of every screen, or one that measures transfers.
///
/// # Errors
/// If it fails.
pub fn with_browsers(program: &str, rest: &[OsString]) -> Result<()> {
    process::run(
        cargo()
            .args([
                "run",
                "--quiet",
                "--package",
                "visavis-e2e",
                "--bin",
                program,
                "--",
            ])
            .args(rest)
            .env("PATH", cache::search_path()?)
            .env("VISAVIS_SERVER", server_program()),
    )
}

/// Gets every dependency: trunk looks for none, and in the browsers' network there are none.
///
/// # Errors
/// If a registry cannot be reached.
pub fn fetch() -> Result<()> {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    process::run(
        cargo()
            .args(["fetch", "--quiet", "--locked", "--target", &host])
            .args(["--target", "wasm32-unknown-unknown"]),
    )
}

/// Flags by which the client says nothing of the machine that built it: what panics names the
/// file it is in, and those of dependencies lie in somebody's home.
fn nameless() -> Result<String> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => home.into(),
        None => Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
    };
    let mut flags = vec![format!("--remap-path-prefix={}=", cache::root().display())];
    // A registry's folder is named by its host; there is one for each.
    for registry in std::fs::read_dir(home.join("registry/src")).into_iter().flatten() {
        flags.push(format!("--remap-path-prefix={}/=", registry?.path().display()));
    }
    // The variable is split at blanks, whatever stands around them.
    flags.retain(|flag| !flag.contains(' '));
    Ok(flags.join(" "))
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => cache::root().join(folder),
        None => cache::root().join("target"),
    }
}

/// A text that changes with every change of the client's sources and tools.
fn fingerprint() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for source in CLIENT_SOURCES {
        hash_tree(&cache::root().join(source), &mut hasher)?;
    }
    cache::Tool::wasm_bindgen()?.version.hash(&mut hasher);
    cache::Tool::trunk().version.hash(&mut hasher);
    cache::Tool::binaryen().program()?.exists().hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

fn hash_tree(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    if path.is_dir() {
        let mut inside: Vec<PathBuf> = std::fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        inside.sort();
        inside.iter().try_for_each(|path| hash_tree(path, hasher))
    } else {
        path.hash(hasher);
        if path.exists() {
            std::fs::read(path)?.hash(hasher);
        }
        Ok(())
    }
}
