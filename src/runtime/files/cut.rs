//! How the bytes of a transfer are cut into blocks: each file begins a new one. Pure.

use core::ops::Range;

use visavis_protocol::limits::BLOCK_BYTES;
use visavis_protocol::transfer::FileEntry;

/// How many blocks a file has.
fn count(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(u64::from(BLOCK_BYTES))).unwrap_or(u32::MAX)
}

/// The numbers of the blocks of each file.
pub(super) fn blocks(files: &[FileEntry]) -> impl Iterator<Item = Range<u32>> {
    let mut next = 0u32;
    files.iter().map(move |file| {
        let first = next;
        next = next.saturating_add(count(file.bytes));
        first..next
    })
}

/// How long a block is; `None` if there is none of this number.
pub(super) fn block_bytes(files: &[FileEntry], number: u32) -> Option<u32> {
    let (file, range) = files
        .iter()
        .zip(blocks(files))
        .find(|(_, range)| range.contains(&number))?;
    let before = u64::from(number - range.start) * u64::from(BLOCK_BYTES);
    let left = file.bytes.saturating_sub(before).min(u64::from(BLOCK_BYTES));
    u32::try_from(left).ok()
}

/// Bytes of all of it.
pub(super) fn total(files: &[FileEntry]) -> u64 {
    files
        .iter()
        .fold(0, |sum: u64, file| sum.saturating_add(file.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_begins_a_new_block() {
        let block = u64::from(BLOCK_BYTES);
        let files: Vec<_> = [block + 1, 0, 5, 2 * block]
            .into_iter()
            .map(|bytes| FileEntry {
                path: "a".into(),
                bytes,
                modified: 0,
            })
            .collect();
        assert_eq!(blocks(&files).collect::<Vec<_>>(), [0..2, 2..2, 2..3, 3..5]);
        let lengths: Vec<_> = (0..6).map(|number| block_bytes(&files, number)).collect();
        let whole = Some(BLOCK_BYTES);
        assert_eq!(lengths, [whole, Some(1), Some(5), whole, whole, None]);
        assert_eq!(total(&files), 3 * block + 6);
    }
}
