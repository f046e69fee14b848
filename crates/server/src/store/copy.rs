//! A copy of the store, as it is at one moment, while a server writes on.

use core::time::Duration;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{StoreError, present};

/// How long a copy waits for somebody who writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Copies the store of a data folder into a file, beside a server that runs or without one: all of it as it was
/// at one moment. The store may be of an older version of this program; it is not changed.
///
/// # Errors
/// If there is no store, or there is such a file already, or it cannot be written. Then nothing is left of it.
pub fn backup(folder: &Path, file: &Path) -> Result<(), StoreError> {
    let from = present(folder)?;
    let failed = |error| StoreError::Backup(file.into(), error);
    let Some(name) = file.to_str() else {
        return Err(failed(io::Error::other("its name is not UTF-8")));
    };
    // For its owner alone, from its first byte on; and nothing that is there is written over.
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(file).map_err(failed)?;
    let copied = copy(&from, name).and_then(|()| made.sync_all().map_err(failed));
    if copied.is_err() {
        // Nobody is to take half of a copy for one.
        let _ = fs::remove_file(file);
    }
    copied
}

fn copy(from: &Path, name: &str) -> Result<(), StoreError> {
    let failed = |error| StoreError::File(from.into(), error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(from, flags).map_err(failed)?;
    db.busy_timeout(PATIENCE).map_err(failed)?;
    // Reads in one transaction, into a file without a log beside it.
    db.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
    Ok(())
}
