//! What happened, as a hash always and as lines when somebody wants to read it.

use std::fmt;
use std::time::Duration;

/// The FNV-1a hash of every line, and the lines if they are kept.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
    events: u64,
}

/// Longest line that is kept for reading; the hash always has the whole.
const SHOWN: usize = 400;

impl Trace {
    /// An empty one.
    #[must_use]
    pub const fn new(keep: bool) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: if keep { Some(Vec::new()) } else { None },
            events: 0,
        }
    }

    /// Notes that something happened.
    pub fn note(&mut self, now: Duration, what: fmt::Arguments<'_>) {
        self.events += 1;
        self.mix(u64::try_from(now.as_micros()).unwrap_or(u64::MAX));
        // Never fails: the hasher below takes everything.
        _ = fmt::write(self, what);
        if let Some(lines) = &mut self.lines {
            let mut line = format!("{:>11.6} {what}", now.as_secs_f64());
            if line.len() > SHOWN {
                let end = (0..=SHOWN).rev().find(|at| line.is_char_boundary(*at));
                line.truncate(end.unwrap_or(0));
                line.push('…');
            }
            lines.push(line);
        }
    }

    fn mix(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        self.hash ^= self.hash >> 29;
    }

    /// The hash of all so far.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events there were.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The lines, if they were kept.
    #[must_use]
    pub fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

impl fmt::Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut chunks = text.as_bytes().chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        let mut last = [0; 8];
        let rest = chunks.remainder();
        last[..rest.len()].copy_from_slice(rest);
        last[7] = u8::try_from(rest.len()).unwrap_or(7);
        self.mix(u64::from_le_bytes(last));
        Ok(())
    }
}
