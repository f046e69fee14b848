//! What may come on a pipe, counted: the binary messages of one block after the other, each announced.
//!
//! Pure; the bytes themselves lie elsewhere.

use visavis_protocol::limits::{BLOCK_BYTES, CHUNK_BYTES};

/// Counts what comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gather {
    /// Bytes of the block that is coming, and how many of them are here.
    block: Option<(u32, u32)>,
}

/// What a message was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A part of the block that begins here; more follows.
    Part {
        /// Where in the block.
        at: u32,
    },
    /// The last part of it.
    Last {
        /// Where in the block.
        at: u32,
    },
}

/// The messages do not fit what was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit;

impl Gather {
    /// A block of so many bytes comes next.
    ///
    /// # Errors
    /// If the one before it is not whole, or there can be no such block.
    pub const fn expect(&mut self, bytes: u32) -> Result<(), Misfit> {
        if self.block.is_some() || bytes == 0 || bytes > BLOCK_BYTES {
            return Err(Misfit);
        }
        self.block = Some((bytes, 0));
        Ok(())
    }

    /// A binary message of so many bytes came.
    ///
    /// # Errors
    /// If none was announced, or not so long a one, or it is no honest one at all.
    pub fn take(&mut self, bytes: u32) -> Result<Step, Misfit> {
        let (whole, at) = self.block.ok_or(Misfit)?;
        if bytes == 0 || bytes as usize > CHUNK_BYTES || bytes > whole - at {
            return Err(Misfit);
        }
        let here = at + bytes;
        if here == whole {
            self.block = None;
            return Ok(Step::Last { at });
        }
        self.block = Some((whole, here));
        Ok(Step::Part { at })
    }

    /// Whether a block has begun, or is to.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        self.block.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: u32 = CHUNK_BYTES as u32;

    #[test]
    fn a_block_comes_in_parts_and_the_next_one_after_it() {
        let mut gather = Gather::default();
        for _ in 0..2 {
            assert_eq!(gather.expect(2 * CHUNK + 1), Ok(()));
            assert_eq!(gather.take(CHUNK), Ok(Step::Part { at: 0 }));
            assert_eq!(gather.take(CHUNK), Ok(Step::Part { at: CHUNK }));
            assert!(gather.is_within());
            assert_eq!(gather.take(1), Ok(Step::Last { at: 2 * CHUNK }));
            assert!(!gather.is_within());
        }
    }

    #[test]
    fn smaller_parts_than_usual_are_parts_as_well() {
        let mut gather = Gather::default();
        gather.expect(3).unwrap();
        assert_eq!(gather.take(1), Ok(Step::Part { at: 0 }));
        assert_eq!(gather.take(2), Ok(Step::Last { at: 1 }));
    }

    #[test]
    fn what_was_not_announced_does_not_fit() {
        assert_eq!(Gather::default().take(1), Err(Misfit));
        let within = |bytes| {
            let mut gather = Gather::default();
            gather.expect(bytes).unwrap();
            gather
        };
        assert_eq!(within(3).take(4), Err(Misfit), "beyond the end");
        assert_eq!(within(3).take(0), Err(Misfit), "nothing, for ever");
        assert_eq!(
            within(BLOCK_BYTES).take(CHUNK + 1),
            Err(Misfit),
            "too much at once"
        );
        assert_eq!(within(BLOCK_BYTES).take(u32::MAX), Err(Misfit));
        assert_eq!(
            within(3).expect(3),
            Err(Misfit),
            "before the end of the one before"
        );
        let mut over = within(1);
        over.take(1).unwrap();
        assert_eq!(over.take(1), Err(Misfit), "after the end");
    }

    #[test]
    fn there_are_no_blocks_without_bytes_and_none_too_long() {
        for bytes in [0, BLOCK_BYTES + 1, u32::MAX] {
            assert_eq!(Gather::default().expect(bytes), Err(Misfit), "{bytes}");
        }
        assert_eq!(Gather::default().expect(BLOCK_BYTES), Ok(()));
    }
}
