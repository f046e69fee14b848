//! The browser's own key: made here, kept here, and never to be had by anybody, not even by this page.
//!
//! An ECDSA key on P-256 that cannot be extracted (Web Cryptography, section 23); the browser keeps the
//! object itself in IndexedDB. Whoever clears the site's data loses it, and the handle with it, unless
//! another browser is linked.

use js_sys::{Array, Uint8Array};
use visavis_protocol::handle::{Fixed, PublicKey, Signature};
use wasm_bindgen::JsValue;

use super::database::Database;
use super::task::settled;
use super::{Error, value};

const STORE: &str = "identity";
const KEY: &str = "key";

/// The key pair.
#[derive(Clone, Debug)]
pub struct Identity {
    pair: JsValue,
    /// Its public half.
    pub public: PublicKey,
}

impl Identity {
    /// Finds the key, or makes one.
    ///
    /// # Errors
    /// Where nothing is kept, or the page was not loaded securely.
    pub async fn find_or_make() -> Result<Self, Error> {
        let database = Database::open().await?;
        let kept = database.get(STORE, KEY).await?;
        if kept.is_object() {
            return Self::of(kept).await;
        }
        let pair = settled(value::call(
            &subtle(),
            "generateKey",
            &[&algorithm(), &false.into(), &Array::of1(&"sign".into())],
        ))
        .await?;
        database.add(STORE, KEY, &pair).await?;
        // Another tab may have made one at the same moment: what is kept counts.
        Self::of(database.get(STORE, KEY).await?).await
    }

    async fn of(pair: JsValue) -> Result<Self, Error> {
        let key = value::get(&pair, "publicKey");
        let raw = settled(value::call(&subtle(), "exportKey", &[&"raw".into(), &key])).await?;
        let public = bytes(&raw)?;
        Ok(Self { pair, public })
    }

    /// Signs a text.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn sign(&self, text: &[u8]) -> Result<Signature, Error> {
        let key = value::get(&self.pair, "privateKey");
        let how = value::dictionary(&[("name", "ECDSA".into()), ("hash", "SHA-256".into())]);
        let text = Uint8Array::from(text);
        bytes(&settled(value::call(&subtle(), "sign", &[&how, &key, &text])).await?)
    }
}

fn subtle() -> JsValue {
    value::get(&value::get(&js_sys::global(), "crypto"), "subtle")
}

fn algorithm() -> JsValue {
    value::dictionary(&[("name", "ECDSA".into()), ("namedCurve", "P-256".into())]).into()
}

fn bytes<const N: usize>(buffer: &JsValue) -> Result<Fixed<N>, Error> {
    let array = Uint8Array::new(buffer);
    let mut bytes = [0; N];
    if array.length() as usize != N {
        return Err(Error::missing("ECDSA"));
    }
    array.copy_to(&mut bytes);
    Ok(Fixed(bytes))
}
