//! Desk links for those who build Visavis into something of their own: one authenticated call over HTTP.
//!
//! The key is the operator's, in a file; a caller shows it in a header, so it is in no address and no log.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ring::hmac;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use unicode_normalization::UnicodeNormalization;
use visavis_protocol::DeskId;
use visavis_protocol::limits::DESK_LINK_LIFETIME;

use crate::hub::AddressKey;
use crate::links::{LinksError, Signer};

/// Characters of a key, at least: what nobody guesses.
const LEAST: usize = 32;
/// A file with more than this is not one with a key.
const MOST: u64 = 4096;
/// Wrong keys from one address in [`WITHIN`]; after that none is looked at.
const WRONG: u32 = 10;
const WITHIN: Duration = Duration::from_secs(60);
/// Addresses of which wrong keys are counted; when there are more, those are forgotten that were wrong first.
const ADDRESSES: usize = 10_000;

/// The operator's key.
#[derive(Clone)]
pub struct OperatorKey {
    /// Draws the same bytes of the same text: two keys are compared by these, which takes always as long.
    by: hmac::Key,
    tag: hmac::Tag,
}

impl core::fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("OperatorKey(…)")
    }
}

/// Why a file has no key.
#[derive(Debug, thiserror::Error)]
pub enum OperatorKeyError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// Nobody would have to guess for long.
    #[error("{0}: a key has 32 characters or more, in one line")]
    Short(String),
}

impl OperatorKey {
    /// The key in a file, without the space around it.
    ///
    /// # Errors
    /// If it cannot be read or is too short.
    pub fn read(file: &Path) -> Result<Self, OperatorKeyError> {
        let name = || file.display().to_string();
        let length = fs::metadata(file)
            .map_err(|error| OperatorKeyError::File(name(), error))?
            .len();
        if length > MOST {
            return Err(OperatorKeyError::Short(name()));
        }
        let text = fs::read_to_string(file).map_err(|error| OperatorKeyError::File(name(), error))?;
        let key = text.trim();
        let is_one_line = !key.contains(char::is_whitespace);
        if key.chars().count() < LEAST || !is_one_line {
            return Err(OperatorKeyError::Short(name()));
        }
        let by = hmac::Key::new(hmac::HMAC_SHA256, b"visavis1/operator");
        let tag = hmac::sign(&by, key.as_bytes());
        Ok(Self { by, tag })
    }

    fn is(&self, shown: &str) -> bool {
        // ring compares tags in constant time.
        hmac::verify(&self.by, shown.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

/// What a caller asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    days: Option<u64>,
    desk: Option<DeskId>,
}

/// What it gets.
#[derive(Serialize)]
pub(crate) struct Made {
    desk: DeskId,
    link: String,
}

/// Why it gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many wrong keys.
    TooMany,
    /// No key, or a wrong one.
    Key,
    /// Not what can be asked for.
    Request(&'static str),
    /// The server cannot.
    Server,
}

/// Makes links for whoever has the operator's key.
pub(crate) struct Office {
    key: OperatorKey,
    signer: std::sync::Arc<Signer>,
    wrong: Mutex<BTreeMap<AddressKey, (Instant, u32)>>,
}

impl Office {
    pub(crate) const fn new(key: OperatorKey, signer: std::sync::Arc<Signer>) -> Self {
        Self {
            key,
            signer,
            wrong: Mutex::new(BTreeMap::new()),
        }
    }

    /// Makes what the body of a call asks for. Only for who has the key: see [`Office::check`].
    pub(crate) fn answer(&self, body: &[u8]) -> Result<Made, Refusal> {
        let wanted: Wanted = serde_json::from_slice(body)
            .map_err(|_| Refusal::Request("the body is {\"name\": \"…\", \"days\": 365, \"desk\": \"…\"}"))?;
        let name: String = wanted.name.trim().nfc().collect();
        let lifetime = wanted.days.map_or(DESK_LINK_LIFETIME, |days| {
            Duration::from_secs(days.saturating_mul(86_400))
        });
        match self.signer.desk_link(&name, wanted.desk, lifetime) {
            Ok(link) => Ok(Made {
                desk: link.desk,
                link: link.path,
            }),
            Err(LinksError::Name) => Err(Refusal::Request("a name has 1 to 64 visible characters")),
            Err(LinksError::Lifetime) => Err(Refusal::Request("a link is good for 1 to 1098 days")),
            Err(
                LinksError::File(..)
                | LinksError::Damaged(_)
                | LinksError::Absent(_)
                | LinksError::Full
                | LinksError::Random,
            ) => Err(Refusal::Server),
        }
    }

    /// Whether a caller has the key, before anything else of a call is read. `shown` is the value of its
    /// `Authorization` header.
    pub(crate) fn check(
        &self,
        now: Instant,
        address: AddressKey,
        shown: Option<&str>,
    ) -> Result<(), Refusal> {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let count = wrong
            .get(&address)
            .filter(|(since, _)| now.duration_since(*since) < WITHIN)
            .copied();
        if count.is_some_and(|(_, count)| count >= WRONG) {
            return Err(Refusal::TooMany);
        }
        let key = shown.and_then(|shown| shown.strip_prefix("Bearer "));
        if key.is_some_and(|key| self.key.is(key.trim())) {
            return Ok(());
        }
        if wrong.len() >= ADDRESSES && !wrong.contains_key(&address) {
            let first = wrong.iter().min_by_key(|(_, (since, _))| *since);
            if let Some(first) = first.map(|(address, _)| *address) {
                wrong.remove(&first);
            }
        }
        let (since, count) = count.unwrap_or((now, 0));
        wrong.insert(address, (since, count + 1));
        Err(Refusal::Key)
    }
}
