//! Where things are: the checkout, the cache, the pinned tools in it.
//!
//! The cache lies outside the checkout so that a fresh clone starts warm. Every tool has a folder
//! of its own version there; two versions never meet.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The checkout's top folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The user's cache folder of this project.
///
/// # Errors
/// If no home is known.
pub fn dir() -> Result<PathBuf> {
    if let Some(dir) = set("VISAVIS_CACHE") {
        return Ok(dir.into());
    }
    if let Some(dir) = set("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(dir).join("visavis"));
    }
    match set("HOME") {
        Some(home) => Ok(PathBuf::from(home).join(".cache/visavis")),
        None => bail!("no home folder is known: set VISAVIS_CACHE to a folder for tools"),
    }
}

fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A tool of exactly one version, kept in the cache.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its name, as in its folder.
    pub name: &'static str,
    /// The pinned version.
    pub version: String,
    /// The program, relative to the tool's folder.
    program: &'static str,
}

impl Tool {
    /// Builds the client's page around the wasm.
    pub fn trunk() -> Self {
        Self {
            name: "trunk",
            version: "0.21.14".into(),
            program: "bin/trunk",
        }
    }

    /// Writes the JavaScript around the wasm. Must have the very version of the crate.
    ///
    /// # Errors
    /// If `Cargo.lock` cannot be read.
    pub fn wasm_bindgen() -> Result<Self> {
        Ok(Self {
            name: "wasm-bindgen",
            version: locked_version("wasm-bindgen")?.unwrap_or_else(|| "0.2.130".into()),
            program: "bin/wasm-bindgen",
        })
    }

    /// Drives Firefox.
    pub fn geckodriver() -> Self {
        Self {
            name: "geckodriver",
            version: "0.37.1".into(),
            program: "bin/geckodriver",
        }
    }

    /// Makes the wasm a little smaller.
    pub fn binaryen() -> Self {
        Self {
            name: "binaryen",
            version: "132.0.0".into(),
            program: "node_modules/.bin/wasm-opt",
        }
    }

    /// Finds faults of accessibility in a page.
    pub fn axe() -> Self {
        Self {
            name: "axe-core",
            version: "4.14.1".into(),
            program: "node_modules/axe-core/axe.min.js",
        }
    }

    /// The folder with everything of this tool.
    ///
    /// # Errors
    /// See [`dir`].
    pub fn folder(&self) -> Result<PathBuf> {
        Ok(dir()?
            .join("tools")
            .join(format!("{}-{}", self.name, self.version)))
    }

    /// The program itself, whether it is there or not.
    ///
    /// # Errors
    /// See [`dir`].
    pub fn program(&self) -> Result<PathBuf> {
        Ok(self.folder()?.join(self.program))
    }
}

/// The search path with the pinned tools first, so that trunk takes them and not a distribution's.
///
/// # Errors
/// See [`dir`].
pub fn search_path() -> Result<OsString> {
    let mut folders = Vec::new();
    for tool in [
        Tool::wasm_bindgen()?,
        Tool::trunk(),
        Tool::geckodriver(),
        Tool::binaryen(),
    ] {
        if let Some(folder) = tool.program()?.parent() {
            folders.push(folder.to_path_buf());
        }
    }
    folders.push(stand_in_folder()?);
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    std::env::join_paths(folders).context("a folder with a colon in its name cannot stand in PATH")
}

/// Where a stand-in for a missing `wasm-opt` is put; behind the real one in the path.
///
/// # Errors
/// See [`dir`].
pub fn stand_in_folder() -> Result<PathBuf> {
    Ok(dir()?.join("tools").join("stand-in"))
}

/// The version of a package in `Cargo.lock`.
fn locked_version(package: &str) -> Result<Option<String>> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).context("reading Cargo.lock")?;
    Ok(version_in_lock(&lock, package).map(str::to_owned))
}

fn version_in_lock<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| **line != *name);
    lines.next()?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::version_in_lock;

    const LOCK: &str = "\
[[package]]
name = \"wasm-bindgen-futures\"
version = \"0.4.9\"

[[package]]
name = \"wasm-bindgen\"
version = \"0.2.130\"
";

    #[test]
    fn a_locked_version_is_found_by_its_whole_name() {
        assert_eq!(version_in_lock(LOCK, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(version_in_lock(LOCK, "wasm"), None);
    }
}
