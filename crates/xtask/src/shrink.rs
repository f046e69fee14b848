//! Makes the built client smaller where its tools do not.
//!
//! wasm-bindgen names each function that the wasm takes from the script by its purpose and a hash.
//! Both files carry these names, and hashes do not compress: 5 KB of what goes over the wire. Here
//! they become one or two letters in both. Of the script, comments and indentation go too: trunk's
//! own minifier cannot read it.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// What a wasm file begins with: its magic number and version.
const HEADER: usize = 8;
/// The id of the section that lists imports.
const IMPORTS: u8 = 2;
/// What stands for the script in the wasm's imports.
const MODULE: &str = "x";

/// Rewrites script and wasm in `dist`, and gives them new names: theirs tell their content.
///
/// # Errors
/// If the site is not as trunk leaves it.
pub fn site(dist: &Path) -> Result<()> {
    let wasm_path = one(dist, "_bg.wasm")?;
    let name = name_of(&wasm_path)?.trim_end_matches("_bg.wasm").to_owned();
    let script_path = dist.join(format!("{name}.js"));
    let page_path = dist.join("index.html");
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };

    let (wasm, names) = rename_imports(&std::fs::read(&wasm_path)?)?;
    let script = rename_words(&strip(&read(&script_path)?), &names);
    let mut hasher = DefaultHasher::new();
    (&wasm, &script).hash(&mut hasher);
    let base = name.rsplit_once('-').map_or(name.as_str(), |(base, _)| base);
    let fresh = format!("{base}-{:016x}", hasher.finish());
    let page = read(&page_path)?.replace(&name, &fresh);
    if !page.contains(&fresh) {
        bail!("the page does not name {name}");
    }
    std::fs::write(dist.join(format!("{fresh}_bg.wasm")), wasm)?;
    std::fs::write(dist.join(format!("{fresh}.js")), script)?;
    std::fs::write(page_path, page)?;
    std::fs::remove_file(wasm_path)?;
    std::fs::remove_file(script_path)?;
    Ok(())
}

/// The only file in a folder whose name ends so.
fn one(folder: &Path, end: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if name_of(&path)?.ends_with(end) {
            found.push(path);
        }
    }
    match <[PathBuf; 1]>::try_from(found) {
        Ok([path]) => Ok(path),
        Err(found) => bail!("{} files end in {end}", found.len()),
    }
}

fn name_of(path: &Path) -> Result<&str> {
    path.file_name()
        .and_then(|name| name.to_str())
        .context("a file with a name that is no text")
}

/// Gives imports the shortest names; the wasm, and new names by old ones.
fn rename_imports(wasm: &[u8]) -> Result<(Vec<u8>, BTreeMap<String, String>)> {
    let mut names = BTreeMap::new();
    let mut short = (0..).map(short_name);
    let mut out = wasm.get(..HEADER).context("no wasm")?.to_vec();
    let mut input = Reader(&wasm[HEADER..]);
    while !input.0.is_empty() {
        let id = input.byte()?;
        let body = input.sized()?;
        let body = match id {
            IMPORTS => rewrite_section(body, &mut names, &mut short)?,
            _ => body.to_vec(),
        };
        out.push(id);
        put_sized(&mut out, &body);
    }
    Ok((out, names))
}

fn rewrite_section(
    section: &[u8],
    names: &mut BTreeMap<String, String>,
    short: &mut impl Iterator<Item = String>,
) -> Result<Vec<u8>> {
    let mut input = Reader(section);
    let count = input.number()?;
    let mut out = Vec::new();
    put_number(&mut out, count);
    for _ in 0..count {
        let module = std::str::from_utf8(input.sized()?)?;
        let name = std::str::from_utf8(input.sized()?)?;
        names.insert(module.to_owned(), MODULE.to_owned());
        let fresh = names
            .entry(name.to_owned())
            .or_insert_with(|| short.next().unwrap_or_default());
        put_sized(&mut out, MODULE.as_bytes());
        put_sized(&mut out, fresh.as_bytes());
        // wasm-bindgen imports functions alone: a zero and the number of a type.
        match input.byte()? {
            0 => out.push(0),
            kind => bail!("{name} is an import of kind {kind}, which is not understood here"),
        }
        put_number(&mut out, input.number()?);
    }
    Ok(out)
}

/// `a` to `z`, then `aa` and on.
fn short_name(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    match number.checked_sub(26) {
        None => letter(number).into(),
        Some(rest) => short_name(rest / 26) + letter(rest).encode_utf8(&mut [0; 4]),
    }
}

/// What is left of a section; numbers are LEB128 (WebAssembly core specification, section 5.2.2).
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.0.split_first().context("the wasm breaks off")?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        bail!("a number in the wasm does not end")
    }

    fn sized(&mut self) -> Result<&'a [u8]> {
        let length = self.number()? as usize;
        let (part, rest) = self
            .0
            .split_at_checked(length)
            .context("a part of the wasm is longer than the rest")?;
        self.0 = rest;
        Ok(part)
    }
}

fn put_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

/// Drops indentation, empty lines and lines that are comments. wasm-bindgen writes no text that
/// goes over several lines.
fn strip(script: &str) -> String {
    let mut stripped = String::new();
    for line in script.lines().map(str::trim) {
        let is_comment = ["//", "/*", "* ", "*/"].iter().any(|mark| line.starts_with(mark));
        if !line.is_empty() && line != "*" && !is_comment {
            stripped.push_str(line);
            stripped.push('\n');
        }
    }
    stripped
}

/// Replaces whole words. A module's path is one, by its quotes.
fn rename_words(script: &str, names: &BTreeMap<String, String>) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_$./".contains(c);
    let mut out = String::new();
    let mut rest = script;
    while let Some(start) = rest.find(is_word) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        out.push_str(before);
        out.push_str(names.get(word).map_or(word, String::as_str));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One type, `() -> ()`; two imports of it; a custom section.
    fn wasm() -> Vec<u8> {
        let mut wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
        let mut imports = vec![2];
        for name in ["__wbg_now_0123456789abcdef", "__wbg_log_fedcba9876543210"] {
            put_sized(&mut imports, b"./app_bg.js");
            put_sized(&mut imports, name.as_bytes());
            imports.extend([0, 0]);
        }
        wasm.push(IMPORTS);
        put_sized(&mut wasm, &imports);
        wasm.extend(b"\0\x04\x01x\x01\x02");
        wasm
    }

    #[test]
    fn imports_get_short_names_and_nothing_else_changes() {
        let (short, names) = rename_imports(&wasm()).unwrap();
        assert_eq!(names["__wbg_now_0123456789abcdef"], "a");
        assert_eq!(names["__wbg_log_fedcba9876543210"], "b");
        assert_eq!(
            short,
            b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0d\x02\x01x\x01a\0\0\x01x\x01b\0\0\0\x04\x01x\x01\x02"
        );
        for end in HEADER + 1..wasm().len() {
            // Cut between two sections it is whole, elsewhere refused; it must not panic anywhere.
            rename_imports(&wasm()[..end]).ok();
        }
        assert!(rename_imports(&wasm()[..20]).is_err());
    }

    #[test]
    fn short_names_are_all_different() {
        let names: Vec<_> = (0..1000).map(short_name).collect();
        assert_eq!((names[25].as_str(), names[26].as_str()), ("z", "aa"));
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
    }

    #[test]
    fn the_script_uses_the_names_of_the_wasm() {
        let (_, names) = rename_imports(&wasm()).unwrap();
        let script = "/**\n * What time it is.\n */\nconst imports = {\n    __wbg_now_0123456789abcdef: function() { return a_b; },\n    // Casts.\n};\nreturn { \"./app_bg.js\": imports, __wbg_now: 1 };\n";
        assert_eq!(
            rename_words(&strip(script), &names),
            "const imports = {\na: function() { return a_b; },\n};\nreturn { \"x\": imports, __wbg_now: 1 };\n"
        );
    }
}
