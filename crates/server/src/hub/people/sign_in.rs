//! Proving a handle: by the browser's key, which takes a free handle, or by a code from another browser.

use core::time::Duration;
use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use unicode_normalization::is_nfc;
use visavis_protocol::handle::{Fixed, Nonce, PublicKey, Signature, proof};
use visavis_protocol::limits::{CODE_LIFETIME, PAGES_PER_PERSON};
use visavis_protocol::people::PeopleEvent;
use visavis_protocol::{ErrorCode, Handle, text};

use super::super::ConnectionKey;
use super::directory::millis;
use super::{Change, Page, People, PeopleSecret};

/// Letters of a code: none that is read for another one. Ten of them are 50 bits.
const CODE_LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789z";
const CODE_CHARS: usize = 10;
/// Wrong codes for one handle, after which its code is void.
const CODE_TRIES: u32 = 5;

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
    #[expect(clippy::too_many_arguments, reason = "the message's own fields")]
    pub(super) fn sign_in(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        handle: Handle,
        key: &PublicKey,
        signature: &Signature,
        code: Option<&str>,
        name: String,
    ) {
        if text::check_name(&name).is_err() || !is_nfc(&name) {
            return self.refuse(page, ErrorCode::InvalidName, "sign_in");
        }
        if !(self.verify)(key, &proof(&self.nonce(page), &handle), signature) {
            return self.refuse(page, ErrorCode::BadSignature, "sign_in");
        }
        if self.pages.get(&page).is_some_and(|known| known.handle != handle) {
            return self.refuse(page, ErrorCode::AlreadySignedIn, "sign_in");
        }
        if !self.directory.has_key(&handle, key) {
            let is_taken = self.directory.is_taken(&handle);
            if is_taken {
                match code {
                    None => return self.refuse(page, ErrorCode::HandleTaken, "sign_in"),
                    Some(code) if !self.codes.take(now, &handle, code) => {
                        return self.refuse(page, ErrorCode::BadCode, "sign_in");
                    }
                    Some(_) if !self.directory.may_have_another_key(&handle) => {
                        return self.refuse(page, ErrorCode::TooMany, "sign_in");
                    }
                    Some(_) => {}
                }
            }
            self.change(Change::Key {
                handle: handle.clone(),
                key: *key,
            });
        }
        let is_new = !self.pages.contains_key(&page);
        if is_new && self.pages_of(&handle).len() >= PAGES_PER_PERSON {
            return self.refuse(page, ErrorCode::TooMany, "sign_in");
        }
        if is_new {
            self.pages.insert(
                page,
                Page {
                    handle: handle.clone(),
                    name,
                    hidden: false,
                    seated: false,
                },
            );
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
