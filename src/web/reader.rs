//! Blocks of files, read and hashed: once for all who ask for the same one within a short while, so that
//! a file that is sent to everybody is read once as long as they keep step.

use core::cell::{Cell, RefCell};
use core::future::Future;
use std::collections::VecDeque;

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::{Error, blob, digest, value};

/// Blocks that are kept for others, 4 MiB.
const RECENT: usize = 4;

/// See the module.
#[derive(Default)]
pub struct Reader {
    recent: RefCell<VecDeque<(Which, Promise)>>,
    reads: Cell<u32>,
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
    pub bytes: Uint8Array,
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
            .find_map(|(known, read)| (*known == which).then(|| read.clone()));
        let read = known.unwrap_or_else(|| self.begin(which, blob::read(file, offset, bytes)));
        async move {
            let read: Array = JsFuture::from(read).await.map_err(Error::from)?.unchecked_into();
            let mut hash = [0; 32];
            Uint8Array::new(&read.get(1)).copy_to(&mut hash);
            Ok(Read {
                bytes: read.get(0).unchecked_into(),
                hash,
            })
        }
    }

    fn begin(
        &self,
        which: Which,
        bytes: impl Future<Output = Result<Uint8Array, Error>> + 'static,
    ) -> Promise {
        self.reads.set(self.reads.get().wrapping_add(1));
        let read = future_to_promise(async move {
            let read = async {
                let bytes = bytes.await?;
                let hash = digest::sha256(&bytes).await?;
                Ok(Array::of2(&bytes, &Uint8Array::from(&hash[..])).into())
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
        if recent.len() >= RECENT {
            recent.pop_front();
        }
        recent.push_back((which, read.clone()));
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
