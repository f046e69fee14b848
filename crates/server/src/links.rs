//! Links that this server signs: to a desk, for a professional, and to an appointment, for a client.
//!
//! What a link opens stands in its token, so nothing need be kept of a link, and a desk is made by a command
//! that knows nothing of a server that runs. The keys are in a file of the data folder (`keys`); what a token
//! must say, and the error for each rule that it breaks, is in `token`.

mod keys;
#[cfg(test)]
mod tests;
mod token;

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use tracing::{error, info, warn};
use visavis_protocol::{DeskId, ErrorCode, limits};

use crate::hub::{DeskClaims, LinkSigner, VisitClaims};
use keys::Key;
pub use keys::LinksError;

/// What tells that a file is another one by now.
type Stamp = (SystemTime, u64);

/// Who signs and reads the links of this server.
pub struct Signer {
    /// None where the keys end with the process.
    file: Option<PathBuf>,
    /// The newest last; never empty.
    keys: RwLock<Vec<Key>>,
    /// The file as it was when it was looked at last.
    seen: Mutex<Option<Stamp>>,
}

impl core::fmt::Debug for Signer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Signer(…)")
    }
}

/// A desk's link, newly made.
#[derive(Clone, PartialEq, Eq)]
pub struct DeskLink {
    /// Which desk.
    pub desk: DeskId,
    /// The path and the fragment: whoever has it has the desk.
    pub path: String,
}

impl Signer {
    /// The keys of a data folder, made if there are none; or keys that end with the process.
    ///
    /// # Errors
    /// If the file cannot be read, understood or made.
    pub fn open(folder: Option<&Path>) -> Result<Self, LinksError> {
        crate::token::install_cryptography();
        let (file, keys) = match folder {
            Some(folder) => {
                let file = folder.join(keys::FILE);
                let keys = keys::read_or_make(&file, crate::driver::unix_time())?;
                (Some(file), keys)
            }
            None => (None, vec![Key::draw(crate::driver::unix_time())?]),
        };
        let seen = file.as_deref().and_then(changed);
        Ok(Self {
            file,
            keys: RwLock::new(keys),
            seen: Mutex::new(seen),
        })
    }

    /// Whether there are keys in a data folder.
    #[must_use]
    pub fn has_keys(folder: &Path) -> bool {
        folder.join(keys::FILE).exists()
    }

    /// Adds a key, with which everything is signed some seconds from now on. Links by the former ones stay good
    /// until their end.
    ///
    /// # Errors
    /// If there is no file, or it cannot be read or written.
    pub fn rotate(folder: &Path) -> Result<(), LinksError> {
        keys::rotate(&folder.join(keys::FILE), crate::driver::unix_time())
    }

    /// Reads the file again if another process has changed it.
    pub(crate) fn look(&self) {
        let Some(file) = &self.file else { return };
        let now = changed(file);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return;
        }
        // Whatever comes of it is said once.
        *seen = now;
        match keys::read(file) {
            Ok(Some(keys)) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
                info!("the keys of links were read again");
            }
            Ok(None) => warn!("the keys of links are gone; the former ones are used on"),
            Err(error) => error!(%error, "the keys of links cannot be read; the former ones are used on"),
        }
    }

    /// A link to a desk: to a new one, or another one to a desk that there is. `name` is what clients read.
    ///
    /// # Errors
    /// If the name breaks a rule, the lifetime is none, or the system gives no random numbers.
    pub fn desk_link(
        &self,
        name: &str,
        desk: Option<DeskId>,
        lifetime: Duration,
    ) -> Result<DeskLink, LinksError> {
        if !token::is_name(name) {
            return Err(LinksError::Name);
        }
        if lifetime.is_zero() || lifetime > keys::LONGEST {
            return Err(LinksError::Lifetime);
        }
        let desk = match desk {
            Some(desk) => desk,
            None => DeskId::from_bytes(keys::draw()?),
        };
        let number = DeskId::from_bytes(keys::draw()?).to_text();
        let now = crate::driver::unix_time();
        let token = self.sign(now, |key| {
            token::sign_desk(key, desk, name, &number, now, lifetime)
        });
        Ok(DeskLink {
            desk,
            path: ["/desk#", &token].concat(),
        })
    }

    /// How long a link may be good, in days.
    #[must_use]
    pub const fn longest_days() -> u64 {
        keys::LONGEST.as_secs() / 86_400
    }

    /// How long a desk's link is good unless something else is said.
    #[must_use]
    pub const fn usual_lifetime() -> Duration {
        limits::DESK_LINK_LIFETIME
    }

    fn sign(&self, unix: Duration, sign: impl FnOnce(&Key) -> String) -> String {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        // There is always one: the list is read, made and replaced as a whole.
        keys::signing(&keys, unix).map(sign).unwrap_or_default()
    }
}

impl LinkSigner for Signer {
    fn read_desk(&self, token: &str, unix: Duration) -> Result<DeskClaims, ErrorCode> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        token::read_desk(&keys, token, unix)
    }

    fn read_visit(&self, token: &str, unix: Duration) -> Result<VisitClaims, ErrorCode> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        token::read_visit(&keys, token, unix)
    }

    fn sign_visit(&self, claims: &VisitClaims) -> String {
        self.sign(crate::driver::unix_time(), |key| token::sign_visit(key, claims))
    }
}

fn changed(file: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}
