//! Where the bytes of a transfer lie: its files cut into numbered blocks.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use visavis_protocol::limits::{BLOCK_BYTES, FILE_DEPTH, TRANSFER_BYTES, TRANSFER_FILES};
use visavis_protocol::transfer::{BlockHash, FileEntry, StopReason};

use super::names;
use super::shell::BlockPlace;

/// The files of a transfer, with clean names, and how they are cut. Each file begins a new block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    files: Vec<FileEntry>,
    /// The number of each file's first block.
    starts: Vec<u32>,
    blocks: u32,
    bytes: u64,
}

impl Layout {
    /// Takes what somebody says of files.
    ///
    /// # Errors
    /// Why a transfer of them makes no sense.
    pub(super) fn new(mut files: Vec<FileEntry>, is_folder: bool) -> Result<Self, StopReason> {
        if files.is_empty() || files.len() > TRANSFER_FILES || (!is_folder && files.len() > 1) {
            return Err(StopReason::BadOffer);
        }
        if !names::clean_all(&mut files, if is_folder { FILE_DEPTH } else { 0 }) {
            return Err(StopReason::BadOffer);
        }
        let mut starts = Vec::with_capacity(files.len());
        let (mut blocks, mut bytes) = (0_u64, 0_u64);
        for file in &files {
            bytes = bytes.checked_add(file.bytes).ok_or(StopReason::TooBig)?;
            if bytes > TRANSFER_BYTES {
                return Err(StopReason::TooBig);
            }
            starts.push(u32::try_from(blocks).map_err(|_| StopReason::TooBig)?);
            blocks += file.bytes.div_ceil(u64::from(BLOCK_BYTES));
        }
        Ok(Self {
            files,
            starts,
            blocks: u32::try_from(blocks).map_err(|_| StopReason::TooBig)?,
            bytes,
        })
    }

    /// Of files that cannot be sent, only to be shown.
    pub(super) fn unsendable(files: Vec<FileEntry>) -> Self {
        let bytes = files
            .iter()
            .fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        Self {
            files: files.into_iter().take(1).collect(),
            starts: Vec::new(),
            blocks: 0,
            bytes,
        }
    }

    pub(super) fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// How many blocks there are in all.
    pub(super) const fn blocks(&self) -> u32 {
        self.blocks
    }

    /// How many bytes there are in all.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where a block lies; `None` past the end.
    pub(super) fn place(&self, number: u32) -> Option<BlockPlace> {
        if number >= self.blocks {
            return None;
        }
        // Empty files begin where the next one does: the last that begins there has the block.
        let file = self
            .starts
            .partition_point(|start| *start <= number)
            .checked_sub(1)?;
        let within = number - self.starts.get(file)?;
        let offset = u64::from(within) * u64::from(BLOCK_BYTES);
        let rest = self.files.get(file)?.bytes.checked_sub(offset)?;
        Some(BlockPlace {
            number,
            file: u32::try_from(file).ok()?,
            offset,
            bytes: u32::try_from(rest).unwrap_or(u32::MAX).min(BLOCK_BYTES),
        })
    }

    /// How many bytes lie before a block.
    pub(super) fn bytes_before(&self, number: u32) -> u64 {
        let Some(place) = self.place(number) else {
            return self.bytes;
        };
        let file = usize::try_from(place.file).unwrap_or(usize::MAX);
        let before = self.files.iter().take(file).map(|file| file.bytes).sum::<u64>();
        before + place.offset
    }

    /// Whether somebody picked the same files: the same names and lengths, and changed at the same time
    /// where both are known.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same = |(one, two): (&FileEntry, &FileEntry)| {
            let same_time = one.modified == two.modified || one.modified == 0 || two.modified == 0;
            one.path == two.path && one.bytes == two.bytes && same_time
        };
        self.files.len() == other.files.len() && self.files.iter().zip(&other.files).all(same)
    }
}

/// SHA-256 over hashes, one after the other.
pub(super) fn root<'a>(hashes: impl IntoIterator<Item = &'a BlockHash>) -> BlockHash {
    let mut digest = Sha256::new();
    for hash in hashes {
        digest.update(hash.0);
    }
    BlockHash(digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;

    const BLOCK: u64 = BLOCK_BYTES as u64;

    fn file(path: &str, bytes: u64) -> FileEntry {
        FileEntry {
            path: String::from(path),
            bytes,
            modified: 0,
        }
    }

    #[test]
    fn every_byte_lies_in_one_block_and_every_file_begins_one() {
        let sizes = [0, 1, BLOCK, 0, 0, 3 * BLOCK + 7, BLOCK - 1, 0];
        let files: Vec<_> = (b'a'..)
            .zip(sizes)
            .map(|(name, bytes)| file(&String::from(char::from(name)), bytes))
            .collect();
        let layout = Layout::new(files, true).unwrap();
        assert_eq!(layout.blocks(), 7);
        let mut at = (0, 0, 0);
        for number in 0..layout.blocks() {
            let place = layout.place(number).unwrap();
            assert_eq!(place.number, number);
            assert_eq!(layout.bytes_before(number), at.2);
            if place.file == at.0 {
                assert_eq!(place.offset, at.1);
            } else {
                assert_eq!(place.offset, 0);
            }
            assert!(place.bytes > 0 && place.bytes <= BLOCK_BYTES);
            at = (
                place.file,
                place.offset + u64::from(place.bytes),
                at.2 + u64::from(place.bytes),
            );
        }
        assert_eq!(at.2, layout.bytes());
        assert_eq!(layout.bytes_before(7), layout.bytes());
        assert_eq!(layout.place(7), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |files, is_folder| Layout::new(files, is_folder).unwrap_err();
        assert_eq!(refused(vec![], true), StopReason::BadOffer);
        let two = vec![file("a", 1), file("b", 1)];
        assert_eq!(refused(two, false), StopReason::BadOffer);
        let many = (0..=TRANSFER_FILES).map(|_| file("a", 0)).collect();
        assert_eq!(refused(many, true), StopReason::BadOffer);
        assert_eq!(refused(vec![file("a", u64::MAX)], false), StopReason::TooBig);
        let sum = vec![file("a", u64::MAX - 1), file("b", 2)];
        assert_eq!(refused(sum, true), StopReason::TooBig);
        assert_eq!(
            refused(vec![file("a", TRANSFER_BYTES + 1)], false),
            StopReason::TooBig
        );
        assert!(Layout::new(vec![file("a", TRANSFER_BYTES)], false).is_ok());
    }
}
