//! The keys that links are signed with: a file of the data folder, made at the first start.
//!
//! Written at once or not at all, for the owner of the folder alone. Two processes that want to write it take
//! turns, and a key is in the file for some seconds before it signs, so that a server that runs knows it then.

use core::time::Duration;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

/// The file's name in the data folder.
pub(super) const FILE: &str = "links.keys";
/// The longest that a link may be good. A key that was followed by another is forgotten after that.
pub(super) const LONGEST: Duration = Duration::from_secs(3 * 366 * 86_400);
/// From the making of a further key until it signs: a server that runs looks at the file more often.
const SIGNS_AFTER: Duration = Duration::from_secs(10);
/// Keys of a file, far more than anybody rotates within the life of a link.
const KEYS: usize = 1000;

/// Why there are no keys, or no link.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// The file cannot be used.
    #[error("cannot use {0}")]
    File(PathBuf, #[source] io::Error),
    /// It is none of ours.
    #[error("{0} is no file of keys")]
    Damaged(PathBuf),
    /// There is none: a command must not make keys where a folder's name is wrong.
    #[error("there is no {0}")]
    Absent(PathBuf),
    /// Another one could not be read again.
    #[error("there are {KEYS} keys already, each with links that may still be good")]
    Full,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// See [`visavis_protocol::text::check_name`].
    #[error("a name has 1 to 64 visible characters in normalization form C")]
    Name,
    /// No time at all, or longer than keys are kept.
    #[error("a link is good for 1 to 1098 days")]
    Lifetime,
}

/// One key. Its algorithm is ours to choose, whatever a token says: HMAC with SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: [u8; 32],
    /// Seconds since 1970.
    made: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    secret: String,
    made: u64,
}

/// Random bytes.
pub(super) fn draw<const N: usize>() -> Result<[u8; N], LinksError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| LinksError::Random)?;
    Ok(bytes)
}

impl Key {
    pub(super) fn draw(unix: Duration) -> Result<Self, LinksError> {
        Ok(Self {
            id: Base64UrlUnpadded::encode_string(&draw::<8>()?),
            secret: draw()?,
            made: unix.as_secs(),
        })
    }

    /// A key that is known, for tests.
    #[cfg(test)]
    pub(super) fn known(id: &str, byte: u8) -> Self {
        Self {
            id: id.into(),
            secret: [byte; 32],
            made: 0,
        }
    }

    fn read(written: &Written) -> Option<Self> {
        let mut secret = [0; 32];
        let bytes = Base64UrlUnpadded::decode(&written.secret, &mut secret).ok()?;
        let is_whole = bytes.len() == 32 && !written.id.is_empty();
        is_whole.then(|| Self {
            id: written.id.clone(),
            secret,
            made: written.made,
        })
    }

    fn write(&self) -> Written {
        Written {
            id: self.id.clone(),
            secret: Base64UrlUnpadded::encode_string(&self.secret),
            made: self.made,
        }
    }
}

/// The keys of a file, the newest last; `None` if there is no file.
pub(super) fn read(file: &Path) -> Result<Option<Vec<Key>>, LinksError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LinksError::File(file.into(), error)),
    };
    let damaged = || LinksError::Damaged(file.into());
    let written: Vec<Written> = serde_json::from_str(&text).map_err(|_| damaged())?;
    let keys: Option<Vec<Key>> = written.iter().map(Key::read).collect();
    let keys = keys
        .filter(|keys| !keys.is_empty() && keys.len() <= KEYS)
        .ok_or_else(damaged)?;
    Ok(Some(keys))
}

pub(super) fn read_or_make(file: &Path, unix: Duration) -> Result<Vec<Key>, LinksError> {
    if let Some(keys) = read(file)? {
        return Ok(keys);
    }
    let _turn = turn(file)?;
    // Another process may have made them at the same moment: a link is made beside a first start.
    if let Some(keys) = read(file)? {
        return Ok(keys);
    }
    let keys = vec![Key::draw(unix)?];
    write(file, &keys)?;
    Ok(keys)
}

/// The key that signs at a time since 1970: the newest that everybody knows by now. `keys` are in their order.
pub(super) fn signing(keys: &[Key], unix: Duration) -> Option<&Key> {
    let is_known = |key: &&Key| key.made.saturating_add(SIGNS_AFTER.as_secs()) <= unix.as_secs();
    // The first one signs at once, and where a clock was put back.
    keys.iter().rev().find(is_known).or_else(|| keys.first())
}

/// Adds a key, and forgets those whose links have all ended.
pub(super) fn rotate(file: &Path, unix: Duration) -> Result<(), LinksError> {
    let absent = || LinksError::Absent(file.into());
    if !file.is_file() {
        return Err(absent());
    }
    let _turn = turn(file)?;
    let mut keys = read(file)?.ok_or_else(absent)?;
    keys.push(Key::draw(unix)?);
    // A key signed until the next one was known.
    let ends: Vec<u64> = keys
        .iter()
        .skip(1)
        .map(|next| next.made + (SIGNS_AFTER + LONGEST).as_secs())
        .collect();
    let over = ends.iter().take_while(|end| **end < unix.as_secs()).count();
    keys.drain(..over);
    if keys.len() > KEYS {
        return Err(LinksError::Full);
    }
    write(file, &keys)
}

/// Lets one process at a time read what there is and write what is to be, for as long as what it returns lives.
fn turn(file: &Path) -> Result<Option<File>, LinksError> {
    let Some(folder) = file.parent().filter(|_| cfg!(unix)) else {
        // Elsewhere a folder cannot be locked.
        return Ok(None);
    };
    let failed = |error| LinksError::File(folder.into(), error);
    let lock = File::open(folder).map_err(failed)?;
    lock.lock().map_err(failed)?;
    Ok(Some(lock))
}

/// Writes the file at once or not at all, for the owner of the folder alone.
fn write(file: &Path, keys: &[Key]) -> Result<(), LinksError> {
    let failed = |error| LinksError::File(file.into(), error);
    let written: Vec<Written> = keys.iter().map(Key::write).collect();
    let text = serde_json::to_vec(&written).map_err(|error| failed(io::Error::other(error)))?;
    let new = file.with_extension("keys.new");
    // Left behind by a process that was killed: nobody else writes just now.
    let _ = fs::remove_file(&new);
    let mut made = create(&new).map_err(failed)?;
    made.write_all(&text).map_err(failed)?;
    made.sync_all().map_err(failed)?;
    fs::rename(&new, file).map_err(failed)?;
    if let Some(folder) = file.parent().and_then(|folder| File::open(folder).ok()) {
        folder.sync_all().ok();
    }
    Ok(())
}

/// Makes a file that is not there yet, for the owner of its folder alone. An operator's command may be run by
/// root: what only root could read would stop the server at its next start.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        use std::os::unix::fs::{MetadataExt, fchown};
        let (owner, ours) = (fs::metadata(folder)?, file.metadata()?);
        if owner.uid() != ours.uid() {
            // Nobody but root can, and nobody else need.
            let _ = fchown(&file, Some(owner.uid()), Some(owner.gid()));
        }
    }
    Ok(file)
}
