//! Proving a handle: by the browser's key, which takes a free handle or one that another browser gave a
//! code for; or, where the operator's site decides who is who, by its token.

use core::time::Duration;
use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use unicode_normalization::is_nfc;
use visavis_protocol::handle::{Fixed, Nonce, PublicKey, Signature, proof};
use visavis_protocol::limits::{CODE_LIFETIME, PAGES_PER_PERSON, TOKEN_BYTES};
use visavis_protocol::people::PeopleEvent;
use visavis_protocol::{ErrorCode, Handle, text};

use super::super::ConnectionKey;
use super::directory::millis;
use super::{Change, Page, People, PeopleSecret, Site};

/// Letters of a code: none that is read for another one. Ten of them are 50 bits.
const CODE_LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789z";
const CODE_CHARS: usize = 10;
/// Wrong codes for one handle, after which its code is void.
const CODE_TRIES: u32 = 5;

/// What somebody says to prove a handle by a key.
pub(super) struct Proof {
    pub(super) handle: Handle,
    pub(super) key: PublicKey,
    pub(super) signature: Signature,
    pub(super) code: Option<String>,
    pub(super) take: bool,
    pub(super) name: String,
}

/// Codes that are good at the moment: one for each handle.
#[derive(Default)]
pub(super) struct Codes {
    drawn: u64,
    good: BTreeMap<Handle, Code>,
}

struct Code {
    text: String,
    until: Duration,
    tries: u32,
}

impl Codes {
    fn take(&mut self, now: Duration, handle: &Handle, text: &str) -> bool {
        let Some(code) = self.good.get_mut(handle) else {
            return false;
        };
        code.tries += 1;
        let is_right = code.until > now && code.text == text;
        if is_right || code.tries >= CODE_TRIES {
            self.good.remove(handle);
        }
        is_right
    }

    /// Makes the code of a handle void.
    pub(super) fn forget(&mut self, handle: &Handle) {
        self.good.remove(handle);
    }
}

fn is_name(name: &str) -> bool {
    text::check_name(name).is_ok() && is_nfc(name)
}

/// What a socket is to sign: nobody can know it before, and it is the same for the socket's life.
pub(super) fn nonce(secret: &PeopleSecret, page: ConnectionKey) -> Nonce {
    Fixed(keyed(secret, b"nonce", page.0))
}

fn keyed(secret: &PeopleSecret, label: &[u8], number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    // HMAC takes a key of any length.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret.0) {
        mac.update(label);
        mac.update(&number.to_be_bytes());
        bytes.copy_from_slice(&mac.finalize().into_bytes());
    }
    bytes
}

impl People {
    /// Lets a page in whose browser has a key of the handle, or that takes a handle that nobody has.
    pub(super) fn sign_in(&mut self, now: Duration, page: ConnectionKey, claim: Proof, site: &mut Site<'_>) {
        let Proof {
            handle,
            key,
            signature,
            code,
            take,
            name,
        } = claim;
        if !is_name(&name) {
            return self.refuse(page, ErrorCode::InvalidName, "sign_in");
        }
        if !(self.verify)(&key, &proof(&self.nonce(page), &handle), &signature) {
            return self.refuse(page, ErrorCode::BadSignature, "sign_in");
        }
        if let Err(code) = self.may_enter(page, &handle) {
            return self.refuse(page, code, "sign_in");
        }
        if !self.directory.has_key(&handle, &key) {
            if !take && self.is_kept && !self.directory.is_taken(&handle) {
                return self.refuse(page, ErrorCode::HandleFree, "sign_in");
            }
            if let Err(code) = self.may_have_key(now, &handle, code.as_deref(), site) {
                return self.refuse(page, code, "sign_in");
            }
            self.change(Change::Key {
                handle: handle.clone(),
                key,
            });
        }
        self.enter(now, page, handle, name, site);
    }

    /// Lets a page in that brought a token of the operator's site.
    pub(super) fn sign_in_by_token(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        token: &str,
        name: String,
        site: &Site<'_>,
    ) {
        const KIND: &str = "sign_in_by_token";
        let Some(tokens) = &self.tokens else {
            return self.refuse(page, ErrorCode::KeysOnly, KIND);
        };
        if !name.is_empty() && !is_name(&name) {
            return self.refuse(page, ErrorCode::InvalidName, KIND);
        }
        let is_short = token.len() <= TOKEN_BYTES;
        let Some(handle) = is_short.then(|| tokens.0(token, self.unix + now)).flatten() else {
            return self.refuse(page, ErrorCode::BadToken, KIND);
        };
        if let Err(code) = self.may_enter(page, &handle) {
            return self.refuse(page, code, KIND);
        }
        if !self.directory.is_taken(&handle) {
            if self.directory.is_whole() {
                return self.refuse(page, ErrorCode::ServerFull, KIND);
            }
            self.change(Change::Person {
                handle: handle.clone(),
            });
        }
        // A page does not read tokens: it cannot know what to say for somebody who never gave a name.
        let name = if name.is_empty() {
            handle.as_str().to_owned()
        } else {
            name
        };
        self.enter(now, page, handle, name, site);
    }

    /// Whether a page may be one of a person's; nothing has changed yet if not.
    fn may_enter(&self, page: ConnectionKey, handle: &Handle) -> Result<(), ErrorCode> {
        match self.pages.get(&page) {
            Some(known) if known.handle != *handle => Err(ErrorCode::AlreadySignedIn),
            Some(_) => Ok(()),
            None if self.pages_of(handle).len() >= PAGES_PER_PERSON => Err(ErrorCode::TooMany),
            None => Ok(()),
        }
    }

    /// Whether a key may prove a handle from now on.
    fn may_have_key(
        &mut self,
        now: Duration,
        handle: &Handle,
        code: Option<&str>,
        site: &mut Site<'_>,
    ) -> Result<(), ErrorCode> {
        if !self.directory.is_taken(handle) {
            if self.directory.is_whole() {
                return Err(ErrorCode::ServerFull);
            }
            return match (site.may_take_handle)() {
                true => Ok(()),
                false => Err(ErrorCode::RateLimited),
            };
        }
        let code = code.ok_or(ErrorCode::HandleTaken)?;
        if !self.codes.take(now, handle, code) {
            return Err(ErrorCode::BadCode);
        }
        match self.directory.may_have_another_key(handle) {
            true => Ok(()),
            false => Err(ErrorCode::TooMany),
        }
    }

    /// A page is one of a person's from now on.
    fn enter(&mut self, now: Duration, page: ConnectionKey, handle: Handle, name: String, site: &Site<'_>) {
        let known = Page {
            handle: handle.clone(),
            name,
            hidden: site.hidden,
            seated: site.seated,
        };
        if self.pages.insert(page, known).is_none() {
            let person = self.persons.entry(handle.clone()).or_default();
            person.pages.push(page);
            person.gone_since = None;
        }
        let event = PeopleEvent::SignedIn {
            contacts: self.contacts_of(&handle),
            blocked: self.directory.blocked(&handle).cloned().collect(),
            missed: self.directory.missed(&handle, self.unix + now),
            handle: handle.clone(),
        };
        self.tell(page, event);
        self.look_at(now, &handle);
        self.tell_present_call(now, page, &handle);
    }

    pub(super) fn make_code(&mut self, now: Duration, page: ConnectionKey, me: &Handle) {
        self.codes.good.retain(|_, code| code.until > now);
        self.codes.drawn += 1;
        let drawn = keyed(&self.secret, b"code", self.codes.drawn);
        let letters = drawn.iter().take(CODE_CHARS);
        let text: String = letters
            .map(|byte| char::from(CODE_LETTERS[usize::from(byte & 31)]))
            .collect();
        self.codes.good.insert(
            me.clone(),
            Code {
                text: text.clone(),
                until: now + CODE_LIFETIME,
                tries: 0,
            },
        );
        self.tell(
            page,
            PeopleEvent::Code {
                code: text,
                lifetime_ms: millis(CODE_LIFETIME),
            },
        );
    }
}
