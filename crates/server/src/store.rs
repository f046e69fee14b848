//! What outlasts the server, in one `SQLite` file of the data folder.
//!
//! Written by the hub's task alone, in the order in which the hub wants it and before anybody is told. A
//! write takes tens of microseconds: the log is written through to the system, not to the disk (`WAL`,
//! `synchronous = NORMAL`), so a killed process loses nothing and a power cut the last moment at most.

mod bookings;
mod copy;

use core::time::Duration;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use tracing::warn;
use visavis_protocol::Handle;
use visavis_protocol::handle::Fixed;
use visavis_protocol::limits::{MISSED_CALLS, MISSED_FOR};
use visavis_protocol::people::Missed;

use crate::hub::{Change, Directory, Kept};
use crate::private;
pub use copy::backup;

/// The file's name in the data folder.
const FILE: &str = "visavis.sqlite3";
/// Handles that were freed last: a server that runs reads them within seconds.
const FREED_KEPT: i64 = 1000;
/// Steps from an empty file to the present form; never changed, only added to.
const MIGRATIONS: [&str; 2] = ["
    CREATE TABLE person (handle TEXT PRIMARY KEY, last_missed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID, STRICT;
    CREATE TABLE key (handle TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (handle, key)) WITHOUT ROWID, STRICT;
    CREATE TABLE contact (owner TEXT NOT NULL, contact TEXT NOT NULL, PRIMARY KEY (owner, contact)) WITHOUT ROWID, STRICT;
    CREATE TABLE blocked (owner TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY (owner, other)) WITHOUT ROWID, STRICT;
    CREATE TABLE missed (owner TEXT NOT NULL, number INTEGER NOT NULL, caller TEXT NOT NULL, video INTEGER NOT NULL,
        at INTEGER NOT NULL, PRIMARY KEY (owner, number)) WITHOUT ROWID, STRICT;
    CREATE TABLE freed (number INTEGER PRIMARY KEY, handle TEXT NOT NULL) STRICT;
", bookings::TABLES];

/// Why something is not kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be used.
    #[error("cannot use {0}")]
    File(PathBuf, #[source] rusqlite::Error),
    /// There is none.
    #[error("there is no {0}")]
    Absent(PathBuf),
    /// It cannot be made.
    #[error("cannot make {0}")]
    Make(PathBuf, #[source] std::io::Error),
    /// A copy cannot be made.
    #[error("cannot make {0}")]
    Backup(PathBuf, #[source] std::io::Error),
    /// It was written by a newer version of this program.
    #[error("{0} is of a newer version of visavis-server")]
    Newer(PathBuf),
    /// It cannot be read or written any more.
    #[error("the store does not answer")]
    Broken(#[from] rusqlite::Error),
}

/// See the [module](self).
pub struct Store {
    db: Connection,
    /// Changes when another process writes.
    seen: i64,
    /// The last handle that was freed and is known.
    freed: i64,
}

impl Store {
    /// Opens the store of a data folder, or one that is forgotten with the process.
    ///
    /// # Errors
    /// If there is a file that cannot be used.
    pub fn open(folder: Option<&Path>) -> Result<Self, StoreError> {
        let path = folder.map_or_else(|| PathBuf::from(":memory:"), |folder| folder.join(FILE));
        let failed = |error| StoreError::File(path.clone(), error);
        if folder.is_some() {
            keep_private(&path)?;
        }
        let db = Connection::open(&path).map_err(failed)?;
        db.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        db.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
        // Another process may free a handle at the same moment.
        db.busy_timeout(Duration::from_secs(2)).map_err(failed)?;
        let version: u32 = db
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        let version = version as usize;
        if version > MIGRATIONS.len() {
            return Err(StoreError::Newer(path));
        }
        for (index, step) in MIGRATIONS.iter().enumerate().skip(version) {
            let next = index + 1;
            db.execute_batch(&format!("BEGIN; {step} PRAGMA user_version = {next}; COMMIT;"))
                .map_err(failed)?;
        }
        // What was freed before is in the rows already; whoever has such a handle now took it since.
        let seen = db
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(failed)?;
        let freed = db
            .query_row("SELECT coalesce(max(number), 0) FROM freed", [], |row| row.get(0))
            .map_err(failed)?;
        Ok(Self { db, seen, freed })
    }

    /// The same of a folder that has a store already: an operator's command must not make an empty one
    /// where a folder's name is wrong.
    ///
    /// # Errors
    /// If there is none, or it cannot be used.
    pub fn open_present(folder: &Path) -> Result<Self, StoreError> {
        present(folder)?;
        Self::open(Some(folder))
    }

    /// Everything that was written down.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn directory(&self) -> Result<Directory, StoreError> {
        let mut directory = Directory::default();
        let mut skipped = 0_u32;
        let mut take = |change: Option<Change>| match change {
            Some(change) => _ = directory.apply(&change),
            None => skipped += 1,
        };
        // Those first who have a handle: who was named by a token has no key.
        self.each("SELECT handle FROM person", |row| {
            take(handle(row, 0)?.map(|handle| Change::Person { handle }));
            Ok(())
        })?;
        self.each("SELECT handle, key FROM key", |row| {
            let key: Vec<u8> = row.get(1)?;
            let handle = handle(row, 0)?;
            take(handle.zip(key.try_into().ok()).map(|(handle, key)| Change::Key {
                handle,
                key: Fixed(key),
            }));
            Ok(())
        })?;
        self.each("SELECT owner, contact FROM contact", |row| {
            let pair = handle(row, 0)?.zip(handle(row, 1)?);
            take(pair.map(|(owner, contact)| Change::Contact {
                owner,
                contact,
                is: true,
            }));
            Ok(())
        })?;
        self.each("SELECT owner, other FROM blocked", |row| {
            let pair = handle(row, 0)?.zip(handle(row, 1)?);
            take(pair.map(|(owner, other)| Change::Blocked {
                owner,
                other,
                is: true,
            }));
            Ok(())
        })?;
        self.each(
            "SELECT owner, number, caller, video, at FROM missed ORDER BY owner, number",
            |row| {
                let (number, video, at) = (row.get::<_, i64>(1)?, row.get(3)?, row.get::<_, i64>(4)?);
                let pair = handle(row, 0)?.zip(handle(row, 2)?);
                take(pair.map(|(owner, from)| Change::Missed {
                    owner,
                    missed: Missed {
                        number: u64::try_from(number).unwrap_or_default(),
                        from,
                        video,
                        at: u64::try_from(at).unwrap_or_default(),
                    },
                }));
                Ok(())
            },
        )?;
        self.each("SELECT handle, last_missed FROM person", |row| {
            let upto: i64 = row.get(1)?;
            if let Some(owner) = handle(row, 0)? {
                directory.note_last_missed(&owner, u64::try_from(upto).unwrap_or_default());
            }
            Ok(())
        })?;
        if skipped > 0 {
            warn!(skipped, "rows of the store were not understood");
        }
        Ok(directory)
    }

    /// Every desk and appointment that was written down.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn kept(&self) -> Result<Kept, StoreError> {
        let (kept, skipped) = bookings::read(&self.db)?;
        if skipped > 0 {
            warn!(skipped, "appointments of the store were not understood");
        }
        Ok(kept)
    }

    fn each(
        &self,
        query: &str,
        mut take: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let mut statement = self.db.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            take(row)?;
        }
        Ok(())
    }

    /// Writes a change down.
    ///
    /// # Errors
    /// If the disk refuses it: then nothing of it is written.
    pub fn write(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Key { handle, key } => {
                let transaction = self.db.transaction()?;
                transaction.execute(
                    "INSERT OR IGNORE INTO person (handle) VALUES (?1)",
                    [handle.as_str()],
                )?;
                transaction.execute(
                    "INSERT OR IGNORE INTO key (handle, key) VALUES (?1, ?2)",
                    params![handle.as_str(), key.0.as_slice()],
                )?;
                transaction.commit()?;
            }
            Change::Person { handle } => {
                self.db.execute(
                    "INSERT OR IGNORE INTO person (handle) VALUES (?1)",
                    [handle.as_str()],
                )?;
            }
            Change::Contact { owner, contact, is } => self.set("contact", "contact", owner, contact, *is)?,
            Change::Blocked { owner, other, is } => self.set("blocked", "other", owner, other, *is)?,
            Change::Missed { owner, missed } => {
                let number = i64::try_from(missed.number).unwrap_or(i64::MAX);
                let at = i64::try_from(missed.at).unwrap_or(i64::MAX);
                let before = at.saturating_sub(MISSED_FOR.as_millis() as i64);
                let oldest = number.saturating_sub(MISSED_CALLS as i64);
                let transaction = self.db.transaction()?;
                transaction.execute(
                    "INSERT OR REPLACE INTO missed (owner, number, caller, video, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![owner.as_str(), number, missed.from.as_str(), missed.video, at],
                )?;
                transaction.execute(
                    "DELETE FROM missed WHERE owner = ?1 AND (number <= ?2 OR at < ?3)",
                    params![owner.as_str(), oldest, before],
                )?;
                transaction.execute(
                    "UPDATE person SET last_missed = ?2 WHERE handle = ?1",
                    params![owner.as_str(), number],
                )?;
                transaction.commit()?;
            }
            Change::Seen { owner, upto } => {
                let upto = i64::try_from(*upto).unwrap_or(i64::MAX);
                self.db.execute(
                    "DELETE FROM missed WHERE owner = ?1 AND number <= ?2",
                    params![owner.as_str(), upto],
                )?;
            }
            Change::Booking(booking) => bookings::write(&self.db, booking)?,
            Change::Freed { handle } => _ = self.free(handle)?,
        }
        Ok(())
    }

    fn set(
        &self,
        table: &'static str,
        column: &'static str,
        owner: &Handle,
        other: &Handle,
        is: bool,
    ) -> Result<(), StoreError> {
        let query = if is {
            format!("INSERT OR IGNORE INTO {table} (owner, {column}) VALUES (?1, ?2)")
        } else {
            format!("DELETE FROM {table} WHERE owner = ?1 AND {column} = ?2")
        };
        self.db.execute(&query, [owner.as_str(), other.as_str()])?;
        Ok(())
    }

    /// Takes a handle from whoever has it; whether anybody had. Another process that has the same file
    /// open learns of it by [`Store::freed`].
    ///
    /// # Errors
    /// If the disk refuses it: then nothing of it is written.
    pub fn free(&mut self, handle: &Handle) -> Result<bool, StoreError> {
        let transaction = self.db.transaction()?;
        let had: Option<i64> = transaction
            .query_row(
                "SELECT 1 FROM person WHERE handle = ?1",
                [handle.as_str()],
                |row| row.get(0),
            )
            .optional()?;
        if had.is_none() {
            return Ok(false);
        }
        wipe(&transaction, handle)?;
        transaction.execute("INSERT INTO freed (handle) VALUES (?1)", [handle.as_str()])?;
        // Long read by any server that runs.
        transaction.execute(
            "DELETE FROM freed WHERE number <= (SELECT max(number) FROM freed) - ?1",
            [FREED_KEPT],
        )?;
        transaction.commit()?;
        Ok(true)
    }

    /// Handles that another process freed since this was asked last. Costs next to nothing where no other
    /// process wrote.
    ///
    /// What this process wrote of them before it knew is taken away as well: nobody else can have the
    /// handle yet, and who takes it next must not inherit a key or a contact.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn freed(&mut self) -> Result<Vec<Handle>, StoreError> {
        let seen: i64 = self
            .db
            .pragma_query_value(None, "data_version", |row| row.get(0))?;
        if seen == self.seen {
            return Ok(Vec::new());
        }
        let (mut freed, mut last) = (Vec::new(), self.freed);
        let mut statement = self
            .db
            .prepare("SELECT number, handle FROM freed WHERE number > ?1 ORDER BY number")?;
        let mut rows = statement.query([last])?;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            freed.extend(handle(row, 1)?);
        }
        drop(rows);
        drop(statement);
        if !freed.is_empty() {
            let transaction = self.db.transaction()?;
            for handle in &freed {
                wipe(&transaction, handle)?;
            }
            transaction.commit()?;
        }
        // Only now: what failed is looked at again.
        (self.seen, self.freed) = (seen, last);
        Ok(freed)
    }

    /// Forgets missed calls that are too old to be told; `unix` is the time since 1970.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn forget_old(&mut self, unix: Duration) -> Result<(), StoreError> {
        let oldest = unix.saturating_sub(MISSED_FOR).as_millis();
        let oldest = i64::try_from(oldest).unwrap_or(i64::MAX);
        self.db.execute("DELETE FROM missed WHERE at < ?1", [oldest])?;
        Ok(())
    }
}

/// Sees to it that a store's file is for its owner alone: names, notes and the secrets of hosts are in it.
/// What `SQLite` makes beside it gets the rights of the file.
fn keep_private(path: &Path) -> Result<(), StoreError> {
    if private::file(path).map_err(|error| StoreError::Make(path.into(), error))? {
        return Ok(());
    }
    // An older version left the file to the umask.
    for end in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        if let Err(error) = private::tighten(Path::new(&file)) {
            // Somebody else's, who shares it with us.
            warn!(file = %file.display(), %error, "others than its owner may read it");
        }
    }
    Ok(())
}

/// Where the store of a folder is, if there is one.
fn present(folder: &Path) -> Result<PathBuf, StoreError> {
    let path = folder.join(FILE);
    if !path.is_file() {
        return Err(StoreError::Absent(path));
    }
    Ok(path)
}

/// Takes away all that belongs to a handle.
fn wipe(db: &Connection, handle: &Handle) -> rusqlite::Result<()> {
    for query in [
        "DELETE FROM person WHERE handle = ?1",
        "DELETE FROM key WHERE handle = ?1",
        "DELETE FROM contact WHERE owner = ?1",
        "DELETE FROM blocked WHERE owner = ?1",
        "DELETE FROM missed WHERE owner = ?1",
    ] {
        db.execute(query, [handle.as_str()])?;
    }
    Ok(())
}

/// A handle, if it is one.
fn handle(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<Handle>> {
    let text: String = row.get(column)?;
    Ok(text.parse().ok())
}

#[cfg(test)]
mod tests;
