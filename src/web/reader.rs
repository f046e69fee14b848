//! Blocks of files, read and hashed: once for all who ask for the same one within a short while, so that
//! a file that is sent to everybody is read once as long as they keep step.

use core::cell::{Cell, OnceCell, RefCell};
use core::future::Future;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::buffer::Buffer;
use super::{Error, blob, digest, value};

/// Blocks of one file or folder that are kept for others, 4 MiB.
const RECENT: usize = 4;
/// Of all that are being sent.
const RECENT_OF_ALL: usize = RECENT * visavis_protocol::limits::TRANSFERS_AT_ONCE;

/// See the module.
#[derive(Default)]
pub struct Reader {
    recent: RefCell<VecDeque<Recent>>,
    reads: Cell<u32>,
}

/// A block that was or is being read.
#[derive(Clone)]
struct Recent {
    which: Which,
    /// Resolves to its hash.
    hashed: Promise,
    /// There once that has.
    bytes: Rc<OnceCell<Rc<Buffer>>>,
}

/// Which block of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    /// Of which source.
    pub source: u32,
    /// The block's number there.
    pub number: u32,
}

/// A block of a file.
#[derive(Clone, Debug)]
pub struct Read {
    /// Shared with others who read it: not to be changed.
    pub bytes: Rc<Buffer>,
    /// Its SHA-256.
    pub hash: [u8; 32],
}

impl Reader {
    /// Reads a part of a file. Whoever asks for the same block is taken to mean the same part.
    ///
    /// The future fails as [`blob::read`] and [`digest::sha256`] do.
    pub fn read(
        &self,
        which: Which,
        file: &JsValue,
        offset: u64,
        bytes: u32,
    ) -> impl Future<Output = Result<Read, Error>> + 'static + use<> {
        let known = self
            .recent
            .borrow()
            .iter()
            .find(|known| known.which == which)
            .cloned();
        let read = known.unwrap_or_else(|| self.begin(which, blob::read(file, offset, bytes)));
        async move {
            let hashed = JsFuture::from(read.hashed).await.map_err(Error::from)?;
            let bytes = read.bytes.get().cloned();
            let mut hash = [0; 32];
            Uint8Array::new(&hashed).copy_to(&mut hash);
            Ok(Read {
                bytes: bytes.ok_or_else(|| Error::missing("what was read"))?,
                hash,
            })
        }
    }

    fn begin(
        &self,
        which: Which,
        bytes: impl Future<Output = Result<Uint8Array, Error>> + 'static,
    ) -> Recent {
        self.reads.set(self.reads.get().wrapping_add(1));
        let place = Rc::new(OnceCell::new());
        let filled = Rc::clone(&place);
        let hashed = future_to_promise(async move {
            let read = async {
                let bytes = Rc::new(Buffer::new(bytes.await?));
                let hash = digest::sha256(bytes.bytes()).await?;
                // Only ever filled here.
                _ = filled.set(bytes);
                Ok(Uint8Array::from(&hash[..]).into())
            };
            read.await.map_err(|error: Error| {
                let thrown = value::dictionary(&[
                    ("name", error.name.as_str().into()),
                    ("message", error.message.into()),
                ]);
                thrown.into()
            })
        });
        let mut recent = self.recent.borrow_mut();
        let of_source = |known: &Recent| known.which.source == which.source;
        let is_full = recent.iter().filter(|known| of_source(known)).count() >= RECENT;
        let oldest = if is_full {
            recent.iter().position(of_source)
        } else {
            (recent.len() >= RECENT_OF_ALL).then_some(0)
        };
        if let Some(oldest) = oldest {
            recent.remove(oldest);
        }
        let read = Recent {
            which,
            hashed,
            bytes: place,
        };
        recent.push_back(read.clone());
        read
    }

    /// Keeps nothing any more.
    pub fn forget_all(&self) {
        let recent = self.recent.take();
        drop(recent);
    }

    /// How often something was really read.
    #[must_use]
    pub fn reads(&self) -> u32 {
        self.reads.get()
    }
}
