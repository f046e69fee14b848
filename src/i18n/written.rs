//! A language that is written in a text file beside this one, and read when somebody wants it.
//!
//! English alone is in the program; what few visitors read costs the others nothing. The compiler
//! reads the file too: a key that is missing, one too many, or one out of its order does not compile.
//! What it keeps of the file is a fingerprint, so that a file of another version is not taken for it.

use super::en;
use super::words::{Key, Texts, Words};

/// A file of texts: `key = "text"`, one a line, in the order of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where the site has it.
    pub path: &'static str,
    fingerprint: u32,
}

impl Written {
    /// The file as it is now. Only at compile time: the text itself must not get into the program.
    ///
    /// # Panics
    /// If it is not exactly the keys of [`Words`].
    pub(super) const fn check(path: &'static str, text: &str) -> Self {
        let end = check(text.as_bytes(), 0, "", <Words as Texts>::KEYS);
        assert!(end == text.len(), "there is more in the file than all keys");
        let fingerprint = fingerprint(text.as_bytes());
        Self { path, fingerprint }
    }

    /// The file's address, which is another one for another version.
    #[must_use]
    pub fn address(self) -> String {
        [self.path, "?", &self.fingerprint.to_string()].concat()
    }

    /// The words in the file's text; `None` if it is not the file that this program was made with.
    ///
    /// Words are handed around as plain references, so the text stays for the page's life.
    #[must_use]
    pub(super) fn read(self, text: String) -> Option<Words> {
        if fingerprint(text.as_bytes()) != self.fingerprint {
            return None;
        }
        let mut texts = text.leak().lines().filter_map(|line| {
            let (_, text) = line.split_once(" = \"")?;
            text.strip_suffix('"')
        });
        let mut words = en::WORDS;
        words.each(&mut |text| {
            if let Some(next) = texts.next() {
                *text = next;
            }
        });
        Some(words)
    }
}

/// FNV-1a: not to be forged is no concern here, the file comes from where the program came from.
const fn fingerprint(bytes: &[u8]) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}

/// Goes over the lines of these keys; where the next line begins.
const fn check(text: &[u8], mut at: usize, prefix: &str, keys: &[Key]) -> usize {
    let mut index = 0;
    while index < keys.len() {
        let key = &keys[index];
        if !key.within.is_empty() {
            at = check(text, at, key.name, key.within);
        } else {
            if !prefix.is_empty() {
                at = expect(text, at, prefix, key.name);
                at = expect(text, at, ".", key.name);
            }
            at = expect(text, at, key.name, key.name);
            at = expect(text, at, " = \"", key.name);
            let begin = at;
            while at < text.len() && text[at] != b'"' && text[at] != b'\n' {
                at += 1;
            }
            if at == begin {
                wrong(key.name);
            }
            at = expect(text, at, "\"\n", key.name);
        }
        index += 1;
    }
    at
}

const fn expect(text: &[u8], mut at: usize, wanted: &str, key: &str) -> usize {
    let wanted = wanted.as_bytes();
    let mut index = 0;
    while index < wanted.len() {
        if at >= text.len() || text[at] != wanted[index] {
            wrong(key);
        }
        at += 1;
        index += 1;
    }
    at
}

/// Ends the compilation with the key at which the file stops being right.
const fn wrong(key: &str) -> ! {
    panic!("{}", key)
}
