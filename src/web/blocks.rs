//! The verified blocks of one transfer, in the browser's keeping until the person saves them: on disk
//! where the browser lets a page write there, else in memory.
//!
//! On disk each block is a file of its own, whose name says its number and its hash. Such a file is
//! there whole or not at all, so a page that is loaded anew finds blocks and hashes together, and only
//! those that are good. docs/decisions/0010 says why.

use core::cell::RefCell;
use core::ops::Range;

use js_sys::{Array, Uint8Array};
use visavis_protocol::limits::TRANSFER_BYTES_IN_MEMORY;
use wasm_bindgen::JsValue;

use super::folder::{self, Folder};
use super::{Error, ErrorName, blob, console};

/// The folder of all transfers, in the origin private file system.
const ALL: &str = "transfers";
/// What a transfer is; the file's name in the transfer's folder.
const META: &str = "meta";
/// There once the transfer is whole.
const WHOLE: &str = "whole";
/// What a file on disk may take beside its bytes, and what else a site keeps.
const SPARE_BYTES: f64 = 16.0 * 1024.0 * 1024.0;

/// SHA-256 of a block.
pub type Hash = [u8; 32];

/// Where blocks of one transfer are put.
pub struct Blocks {
    place: Place,
    /// Of the blocks stored so far, by number.
    hashes: RefCell<Vec<Hash>>,
}

enum Place {
    Disk(Folder),
    Memory(RefCell<Vec<JsValue>>),
}

/// What an earlier page left of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The name of its folder.
    pub name: String,
    /// What was written with it.
    pub meta: String,
    /// Since when it is there, in milliseconds since 1970.
    pub since: u64,
    /// Hashes of the blocks that are there, without a gap from the first on. The last one may not be
    /// whole yet: see [`Left::drop_torn`].
    pub hashes: Vec<Hash>,
    /// Whether it is noted as whole.
    pub is_whole: bool,
}

impl Blocks {
    /// Makes room for a transfer of so many bytes, or takes up what is there of it. `in_memory` are the
    /// bytes that other transfers hold in memory.
    ///
    /// # Errors
    /// [`folder::is_full`] if there is no room.
    pub async fn prepare(
        name: &str,
        meta: &str,
        bytes: u64,
        hashes: Vec<Hash>,
        in_memory: u64,
    ) -> Result<Self, Error> {
        let place = match Self::prepare_disk(name, meta, bytes, hashes.len()).await {
            Ok(folder) => Place::Disk(folder),
            Err(error) if folder::is_full(&error) => return Err(error),
            // Nothing can be kept on disk here.
            Err(_) if bytes.saturating_add(in_memory) > TRANSFER_BYTES_IN_MEMORY => return Err(full()),
            Err(error) => {
                console::debug("a file is kept in memory", error.to_string());
                Place::Memory(RefCell::default())
            }
        };
        let hashes = match place {
            Place::Disk(_) => hashes,
            Place::Memory(_) => Vec::new(),
        };
        Ok(Self {
            place,
            hashes: RefCell::new(hashes),
        })
    }

    /// Goes on with what an earlier page left.
    ///
    /// # Errors
    /// If it is not there any more.
    pub async fn take_up(left: Left) -> Result<Self, Error> {
        let all = folder::open_private().await?.folder(ALL, false).await?;
        Ok(Self {
            place: Place::Disk(all.folder(&left.name, false).await?),
            hashes: RefCell::new(left.hashes),
        })
    }

    /// Holds blocks in memory, whatever the browser can do. For tests.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            place: Place::Memory(RefCell::default()),
            hashes: RefCell::default(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "no transfer has 2^53 bytes")]
    async fn prepare_disk(name: &str, meta: &str, bytes: u64, stored: usize) -> Result<Folder, Error> {
        let all = folder::open_private().await?.folder(ALL, true).await?;
        if stored == 0
            && folder::room_left()
                .await
                .is_some_and(|left| left < bytes as f64 + SPARE_BYTES)
        {
            return Err(full());
        }
        let folder = all.folder(name, true).await?;
        if stored == 0 {
            folder.write(META, &meta.into()).await?;
        }
        Ok(folder)
    }

    /// Whether they lie in memory.
    #[must_use]
    pub const fn are_in_memory(&self) -> bool {
        matches!(self.place, Place::Memory(_))
    }

    /// Stores a block behind those before it; there it is once this is over. One after the other.
    ///
    /// # Errors
    /// [`folder::is_full`] if there is no room, others if it is not the next one or was forgotten.
    pub async fn store(&self, number: u32, hash: Hash, bytes: &Uint8Array) -> Result<(), Error> {
        if number as usize != self.hashes.borrow().len() {
            return Err(Error::missing("the block before"));
        }
        match &self.place {
            Place::Disk(folder) => folder.write(&name_of(number, &hash), bytes).await?,
            Place::Memory(blocks) => {
                // Browsers put large ones where the page's memory is not.
                let block = blob::join(&Array::of1(bytes))?;
                blocks.borrow_mut().push(block);
            }
        }
        self.hashes.borrow_mut().push(hash);
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.hashes.borrow().len()
    }

    /// A block, as a `Blob` that is read when it is used.
    ///
    /// # Errors
    /// [`ErrorName::NotFound`] if there is none.
    pub async fn get(&self, number: u32) -> Result<JsValue, Error> {
        let hash = self.hashes.borrow().get(number as usize).copied();
        let hash = hash.ok_or_else(not_found)?;
        match &self.place {
            Place::Disk(folder) => folder.file(&name_of(number, &hash)).await,
            Place::Memory(blocks) => blocks
                .borrow()
                .get(number as usize)
                .cloned()
                .ok_or_else(not_found),
        }
    }

    /// Several blocks as one `Blob` that is read when it is used.
    ///
    /// On disk they become one file first. A `Blob` of many files is allowed and costs no copy, but a busy
    /// Firefox 153 stops in the middle of reading one, and never ends what it was read for.
    ///
    /// # Errors
    /// [`ErrorName::NotFound`] if one of them is not there.
    pub async fn joined(&self, range: Range<u32>) -> Result<JsValue, Error> {
        let first = range.start;
        let parts = Array::new();
        for number in range {
            parts.push(&self.get(number).await?);
        }
        if let Place::Disk(folder) = &self.place
            && parts.length() > 1
        {
            match copied(folder, first, &parts).await {
                // Put together anew, for its kind alone: a file's kind is a guess.
                Ok(file) => return blob::join(&Array::of1(&file)),
                // No room for it twice.
                Err(error) if folder::is_full(&error) => {}
                Err(error) => return Err(error),
            }
        }
        blob::join(&parts)
    }

    /// Notes that the transfer is whole.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub async fn note_whole(&self) -> Result<(), Error> {
        match &self.place {
            Place::Disk(folder) => folder.place(WHOLE).await.map(drop),
            Place::Memory(_) => Ok(()),
        }
    }
}

/// One file of blocks, the first of which has a number; as an earlier call left it, if there was one.
async fn copied(folder: &Folder, first: u32, parts: &Array) -> Result<JsValue, Error> {
    let name = ["joined-", &first.to_string()].concat();
    let bytes: u64 = parts.iter().map(|part| blob::size(&part)).sum();
    // It takes its bytes only once all are written.
    if let Ok(file) = folder.file(&name).await
        && blob::size(&file) == bytes
    {
        return Ok(file);
    }
    let writing = folder.place(&name).await?.open().await?;
    for part in parts.iter() {
        writing.add(&part).await?;
    }
    writing.close().await?;
    folder.file(&name).await
}

/// Deletes what there is of a transfer.
///
/// # Errors
/// [`ErrorName::NotFound`] if there is nothing.
pub async fn forget(name: &str) -> Result<(), Error> {
    folder::open_private()
        .await?
        .folder(ALL, false)
        .await?
        .remove(name)
        .await
}

/// What earlier pages left. Makes nothing that is not there.
///
/// # Errors
/// [`ErrorName::NotFound`] if there is nothing; others if the disk cannot be read now, as just after the page
/// that wrote there went.
pub async fn left() -> Result<Vec<Left>, Error> {
    let all = folder::open_private().await?.folder(ALL, false).await?;
    let mut left = Vec::new();
    for name in all.names().await? {
        match look(&all, name).await {
            Ok(found) => left.push(found),
            // Another tab deletes it at this moment.
            Err(error) if error.name == ErrorName::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}

/// A folder without `meta` is one that was being made or deleted; it counts as very old, and as empty.
async fn look(all: &Folder, name: String) -> Result<Left, Error> {
    let folder = all.folder(&name, false).await?;
    let names = folder.names().await?;
    let (meta, since) = match folder.file(META).await {
        Ok(file) => {
            let text = super::task::settled(super::value::call(&file, "text", &[])).await?;
            (text.as_string().unwrap_or_default(), blob::modified(&file))
        }
        Err(error) if error.name == ErrorName::NotFound => (String::new(), 0),
        Err(error) => return Err(error),
    };
    Ok(Left {
        name,
        meta,
        since,
        hashes: gapless(&names),
        is_whole: names.iter().any(|name| name == WHOLE),
    })
}

impl Left {
    /// Drops the last block if it is not as long as it is to be: the page went while it was written. Blocks
    /// are written one after the other, so no other can be torn.
    pub async fn drop_torn(&mut self, bytes: impl FnOnce(usize) -> Option<u32>) {
        let Some((last, hash)) = self.hashes.len().checked_sub(1).zip(self.hashes.last().copied()) else {
            return;
        };
        let name = name_of(u32::try_from(last).unwrap_or(u32::MAX), &hash);
        let wanted = bytes(last).map(u64::from);
        let look = async {
            let all = folder::open_private().await?.folder(ALL, false).await?;
            let folder = all.folder(&self.name, false).await?;
            let is_whole = wanted == Some(blob::size(&folder.file(&name).await?));
            if !is_whole {
                folder.remove(&name).await?;
            }
            Ok::<bool, Error>(is_whole)
        };
        if !look.await.unwrap_or_default() {
            self.hashes.pop();
        }
    }
}

/// The hashes of those files that are blocks, from the first on as far as none is missing.
fn gapless(names: &[String]) -> Vec<Hash> {
    let mut blocks: Vec<(u32, Hash)> = names.iter().filter_map(|name| parse(name)).collect();
    blocks.sort_unstable_by_key(|(number, _)| *number);
    // Two of one number: one of them was not whole when its page went. Nobody knows which, so neither
    // counts, nor what is behind them.
    let doubled = blocks
        .windows(2)
        .find_map(|pair| (pair[0].0 == pair[1].0).then_some(pair[0].0));
    let end = doubled.unwrap_or(u32::MAX);
    (0..end)
        .zip(blocks)
        .take_while(|(number, (found, _))| number == found)
        .map(|(_, (_, hash))| hash)
        .collect()
}

/// `000012-<hash>`
fn name_of(number: u32, hash: &Hash) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digits = number.to_string();
    let mut name = String::with_capacity(6 + 1 + 64);
    for _ in digits.len()..6 {
        name.push('0');
    }
    name.push_str(&digits);
    name.push('-');
    for byte in hash {
        name.push(DIGITS[usize::from(byte >> 4)]);
        name.push(DIGITS[usize::from(byte & 15)]);
    }
    name
}

fn parse(name: &str) -> Option<(u32, Hash)> {
    let (number, digits) = name.split_once('-')?;
    let number = number.parse().ok()?;
    let mut hash = Hash::default();
    let mut left = digits.chars();
    for byte in &mut hash {
        let mut digit = || left.next()?.to_digit(16);
        let (high, low) = (digit()?, digit()?);
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    (left.next().is_none() && name_of(number, &hash) == name).then_some((number, hash))
}

fn full() -> Error {
    Error {
        name: ErrorName::Other("QuotaExceededError".to_owned()),
        message: String::new(),
    }
}

fn not_found() -> Error {
    Error {
        name: ErrorName::NotFound,
        message: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocks_name_says_number_and_hash() {
        let name = name_of(12, &[0xa5; 32]);
        assert_eq!(name, format!("000012-{}", "a5".repeat(32)));
        assert_eq!(parse(&name), Some((12, [0xa5; 32])));
        for wrong in [
            "meta",
            "000012",
            "000012-",
            "12-a5",
            &name[1..],
            &name.to_uppercase(),
            &format!("{name}a"),
            "000012-éé",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse(&name_of(16_384_000, &[1; 32])), Some((16_384_000, [1; 32])));
    }

    #[test]
    fn what_is_behind_a_gap_does_not_count() {
        let names = |numbers: &[u32]| -> Vec<String> {
            let mut names: Vec<_> = numbers.iter().map(|number| name_of(*number, &[7; 32])).collect();
            names.push("meta".to_owned());
            names
        };
        assert_eq!(gapless(&names(&[2, 0, 1])).len(), 3);
        assert_eq!(gapless(&names(&[0, 1, 3])).len(), 2);
        assert_eq!(gapless(&names(&[1, 2])).len(), 0);
        assert_eq!(gapless(&names(&[])).len(), 0);
    }

    #[test]
    fn of_two_that_claim_one_number_neither_counts() {
        let names = [(0, 1), (1, 1), (1, 2), (2, 1)].map(|(number, hash)| name_of(number, &[hash; 32]));
        assert_eq!(gapless(&names), [[1; 32]]);
    }
}
