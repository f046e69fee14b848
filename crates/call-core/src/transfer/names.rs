//! Names of files that somebody else chose, made fit to be shown and to be stored: no way out of the
//! folder, nothing that looks like another name, nothing that a file system has its own idea of.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use visavis_protocol::limits::FILE_NAME_CHARS;
use visavis_protocol::text::is_forbidden;
use visavis_protocol::transfer::FileEntry;

/// Bytes of one part of a path: what every file system takes.
const PART_BYTES: usize = 255;
/// Characters of what counts as an extension, the dot included; longer ones are part of the name.
const EXTENSION_CHARS: usize = 17;
/// The name of a file of whose own nothing is left.
const NAMELESS: &str = "file";

/// Names that mean devices to Windows, whatever extension they have.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Cleans the names of a transfer, and makes those different that would be the same for a file system
/// that knows no large and small letters. `depth` is how many folders a file may be in; 0 takes the name alone.
/// Whether every file has a name then.
pub(super) fn clean_all(files: &mut [FileEntry], depth: usize) -> bool {
    for file in &mut *files {
        let Some(path) = clean(&file.path, depth) else {
            return false;
        };
        file.path = path;
    }
    let mut folders = BTreeSet::new();
    for file in &*files {
        for (at, _) in file.path.match_indices('/') {
            folders.insert(folded(file.path.get(..at).unwrap_or_default()));
        }
    }
    let mut taken = BTreeSet::new();
    // What number was given last to a name that there is more than once.
    let mut numbers = BTreeMap::new();
    for file in files {
        let mut key = folded(&file.path);
        if folders.contains(&key) || taken.contains(&key) {
            let number = numbers.entry(key.clone()).or_insert(1_u32);
            let mut path = file.path.clone();
            while folders.contains(&key) || taken.contains(&key) {
                *number += 1;
                path = numbered(&file.path, *number);
                key = folded(&path);
            }
            file.path = path;
        }
        taken.insert(key);
    }
    true
}

/// The name of a folder that is sent, or of a single file; `None` where there is none.
pub(super) fn clean_name(name: &str) -> Option<String> {
    clean(name, 0)
}

/// A path with `/` between its parts that leads nowhere but down; `None` if it names nothing, or lies
/// deeper than allowed.
fn clean(path: &str, depth: usize) -> Option<String> {
    let parts: Vec<&str> = path
        .split(['/', '\\'])
        .map(without_drive)
        .filter(|part| !part.is_empty() && *part != "." && *part != "..")
        .collect();
    let (name, folders) = parts.split_last()?;
    if depth > 0 && folders.len() > depth {
        return None;
    }
    let mut cleaned = String::new();
    for folder in folders.iter().take(depth) {
        if let Some(folder) = clean_part(folder) {
            cleaned.push_str(&folder);
            cleaned.push('/');
        }
    }
    match clean_part(name) {
        Some(name) => cleaned.push_str(&name),
        None => cleaned.push_str(NAMELESS),
    }
    Some(cleaned)
}

/// `C:` before a path on Windows.
fn without_drive(part: &str) -> &str {
    match part.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 && drive.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            rest
        }
        Some(_) | None => part,
    }
}

/// One part of a path; `None` if nothing is left of it.
fn clean_part(part: &str) -> Option<String> {
    let mut cleaned = String::with_capacity(part.len());
    for c in part.chars() {
        if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '/' | '\\') {
            cleaned.push('_');
        } else if !is_forbidden(c) && !is_unseen(c) {
            cleaned.push(c);
        }
    }
    let trimmed = cleaned.trim_start().trim_end_matches(is_loose_end);
    if trimmed.is_empty() {
        return None;
    }
    let mut name = String::new();
    if is_reserved(trimmed) {
        name.push('_');
    }
    name.push_str(trimmed);
    Some(fitted(&name, ""))
}

/// Characters that show nothing: with them one name looks like another.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}' | '\u{2061}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        | '\u{1d173}'..='\u{1d17a}')
}

/// What Windows takes off the end of a name without a word.
fn is_loose_end(c: char) -> bool {
    c == '.' || c.is_whitespace()
}

fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_lowercase();
    if RESERVED.contains(&stem.as_str()) {
        return true;
    }
    // A digit, or one of the raised ones that stand for it.
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    port.is_some_and(|port| {
        let mut rest = port.chars();
        matches!(rest.next(), Some('0'..='9' | '¹' | '²' | '³')) && rest.next().is_none()
    })
}

/// The extension of a name with its dot, as far as it is one: something before it, and not too long.
#[must_use]
pub fn extension_of(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or_default();
    let Some(at) = name.rfind('.').filter(|at| *at > 0) else {
        return "";
    };
    let extension = name.get(at..).unwrap_or_default();
    let is_one = extension.len() > 1 && extension.chars().count() <= EXTENSION_CHARS;
    if is_one { extension } else { "" }
}

/// A name with something put before its extension, cut to what may be so long.
fn fitted(name: &str, suffix: &str) -> String {
    let extension = extension_of(name);
    let stem = name.strip_suffix(extension).unwrap_or(name);
    let mut chars = FILE_NAME_CHARS.saturating_sub(suffix.chars().count() + extension.chars().count());
    let mut bytes = PART_BYTES.saturating_sub(suffix.len() + extension.len());
    let mut fitted = String::with_capacity(name.len());
    for c in stem.chars() {
        if chars == 0 || c.len_utf8() > bytes {
            break;
        }
        chars -= 1;
        bytes -= c.len_utf8();
        fitted.push(c);
    }
    if extension.is_empty() && fitted.len() < stem.len() {
        fitted.truncate(fitted.trim_end_matches(is_loose_end).len());
    }
    fitted.push_str(suffix);
    fitted.push_str(extension);
    fitted
}

/// The nth file of one name.
fn numbered(path: &str, number: u32) -> String {
    let (folder, name) = match path.rfind('/') {
        Some(at) => path.split_at(at + 1),
        None => ("", path),
    };
    let mut suffix = String::from(" (");
    suffix.push_str(&number.to_string());
    suffix.push(')');
    let mut numbered = String::from(folder);
    numbered.push_str(&fitted(name, &suffix));
    numbered
}

fn folded(path: &str) -> String {
    path.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_name_leads_nowhere_and_looks_like_itself() {
        for (given, expected) in [
            ("photo.jpg", "photo.jpg"),
            ("Größe 1.txt", "Größe 1.txt"),
            ("../../x", "x"),
            ("..\\..\\x", "x"),
            ("/etc/passwd", "passwd"),
            ("C:\\Windows\\win.ini", "win.ini"),
            ("C:win.ini", "win.ini"),
            ("a.pdf\u{202e}gpj.exe", "a.pdfgpj.exe"),
            ("a\u{200b}\u{200d}\u{feff}\u{2066}b\u{61c}.t\u{200f}xt", "ab.txt"),
            ("a\u{0}\n\u{7f}\u{85}b", "ab"),
            ("what?.txt", "what_.txt"),
            ("a<b>c:d\"e|f*g", "a_b_c_d_e_f_g"),
            ("name. . .", "name"),
            ("  name", "name"),
            ("\u{202e}", "file"),
            ("...", "file"),
            (".profile", ".profile"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("Nul .tar.gz", "_Nul .tar.gz"),
            ("COM1", "_COM1"),
            ("lpt²", "_lpt²"),
            ("COM10", "COM10"),
            ("console", "console"),
            (
                "<img src=x onerror=alert(1)>.svg",
                "_img src=x onerror=alert(1)_.svg",
            ),
        ] {
            assert_eq!(clean_name(given).as_deref(), Some(expected), "{given:?}");
        }
        for nothing in ["", ".", "..", "/", "../..", "\\", "C:"] {
            assert_eq!(clean_name(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_path_keeps_its_folders_within_bounds() {
        let cleaned = |path: &str| clean(path, 3);
        assert_eq!(cleaned("a/b/c.txt").as_deref(), Some("a/b/c.txt"));
        assert_eq!(cleaned("/a//./b\\../c.txt").as_deref(), Some("a/b/c.txt"));
        assert_eq!(cleaned("aux/ nul /x").as_deref(), Some("_aux/_nul/x"));
        assert_eq!(cleaned("\u{202e}/x").as_deref(), Some("x"));
        assert_eq!(cleaned("1/2/3/x").as_deref(), Some("1/2/3/x"));
        assert_eq!(cleaned("1/2/3/4/x"), None);
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let long = format!("{}.tar.xyz", "é".repeat(400));
        let name = clean_name(&long).unwrap();
        assert!(name.ends_with("é.xyz"), "{name}");
        assert_eq!(name.chars().count(), FILE_NAME_CHARS);
        let wide = clean_name(&format!("{}.txt", "👪".repeat(100))).unwrap();
        assert!(wide.len() <= PART_BYTES && wide.ends_with("👪.txt"), "{wide}");
        let odd = clean_name(&format!("a.{}", "x".repeat(500))).unwrap();
        assert_eq!(odd.chars().count(), FILE_NAME_CHARS);
    }

    #[test]
    fn an_extension_is_what_follows_the_last_dot() {
        for (name, expected) in [
            ("a.txt", ".txt"),
            ("d.x/a", ""),
            ("d/a.tar.gz", ".gz"),
            (".profile", ""),
            ("a.", ""),
            ("a", ""),
            ("a.thisisnoextensionatall", ""),
        ] {
            assert_eq!(extension_of(name), expected, "{name}");
        }
    }

    fn paths(given: &[&str]) -> Vec<String> {
        let entry = |path: &&str| FileEntry {
            path: (*path).into(),
            bytes: 0,
            modified: 0,
        };
        let mut files: Vec<_> = given.iter().map(entry).collect();
        assert!(clean_all(&mut files, 16));
        files.into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn no_two_files_have_one_name() {
        assert_eq!(
            paths(&[
                "a.txt",
                "A.TXT",
                "a (2).txt",
                "a?.txt",
                "a*.txt",
                "b/a.txt",
                "./a.txt"
            ]),
            [
                "a.txt",
                "A (2).TXT",
                "a (2) (2).txt",
                "a_.txt",
                "a_ (2).txt",
                "b/a.txt",
                "a (3).txt"
            ]
        );
        // Nor a file that of a folder.
        assert_eq!(paths(&["x", "X/y", "x/z"]), ["x (2)", "X/y", "x/z"]);
        let same: Vec<_> = (0..1000).map(|_| "x").collect();
        let mut names = paths(&same);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 1000);
    }

    #[test]
    fn what_is_clean_stays_as_it_is() {
        let mut random = fastrand::Rng::with_seed(5);
        let alphabet: Vec<char> = "ab.. //\\:*?CONcom1 ()é👪\u{202e}\u{200d}\u{0}".chars().collect();
        for _ in 0..20_000 {
            let length = random.usize(0..300);
            let text: String = (0..length)
                .map(|_| alphabet[random.usize(0..alphabet.len())])
                .collect();
            let Some(once) = clean(&text, 16) else { continue };
            assert_eq!(clean(&once, 16).as_deref(), Some(once.as_str()), "{text:?}");
            for part in once.split('/') {
                assert!(!part.is_empty() && part != ".." && part != ".", "{text:?}");
                assert!(part.chars().count() <= FILE_NAME_CHARS + 1 && part.len() <= PART_BYTES);
            }
        }
    }
}
