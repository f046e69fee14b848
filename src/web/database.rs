//! IndexedDB: what a browser keeps for this site until the person says otherwise. A store of values by key,
//! and nothing of the rest.

use core::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::task::settled;
use super::{Error, value};

const NAME: &str = "visavis";
/// Counts up with [`STORES`].
const VERSION: u32 = 1;
/// Every store there is; each is made if it is missing.
const STORES: [&str; 2] = ["identity", "calls"];

/// The open database. It is closed when it is dropped, else an open tab would be in the way of a later version
/// that has more stores.
#[derive(Debug)]
pub struct Database(JsValue);

impl Drop for Database {
    fn drop(&mut self) {
        // What is under way is done first.
        _ = value::call(&self.0, "close", &[]);
    }
}

impl Database {
    /// Opens it, or makes it.
    ///
    /// # Errors
    /// In a window that keeps nothing, and where the disk is full or broken.
    pub async fn open() -> Result<Self, Error> {
        let factory = value::get(&js_sys::global(), "indexedDB");
        let request = value::call(&factory, "open", &[&NAME.into(), &VERSION.into()])?;
        let upgraded = request.clone();
        // Lives as long as the request is waited for.
        let upgrade = Closure::<dyn FnMut()>::new(move || {
            let database = value::get(&upgraded, "result");
            for store in STORES {
                // Fails where there is such a store already.
                _ = value::call(&database, "createObjectStore", &[&store.into()]);
            }
        });
        value::set(&request, "onupgradeneeded", upgrade.as_ref());
        answer(&request).await.map(Self)
    }

    /// What is kept under a key; `undefined` if nothing is.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&self, store: &str, key: &str) -> Result<JsValue, Error> {
        let request = value::call(&self.store(store, "readonly")?, "get", &[&key.into()])?;
        answer(&request).await
    }

    /// Everything in a store, by its keys.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn all(&self, store: &str) -> Result<js_sys::Array, Error> {
        let request = value::call(&self.store(store, "readonly")?, "getAll", &[])?;
        Ok(js_sys::Array::from(&answer(&request).await?))
    }

    /// Keeps a value under a key, in place of what was there.
    ///
    /// # Errors
    /// If there is no room.
    pub async fn put(&self, store: &str, key: &str, kept: &JsValue) -> Result<(), Error> {
        let request = value::call(&self.store(store, "readwrite")?, "put", &[kept, &key.into()])?;
        answer(&request).await.map(drop)
    }

    /// Keeps a value under a key where nothing is kept yet; whether it did.
    ///
    /// # Errors
    /// If there is no room.
    pub async fn add(&self, store: &str, key: &str, kept: &JsValue) -> Result<bool, Error> {
        let request = value::call(&self.store(store, "readwrite")?, "add", &[kept, &key.into()])?;
        match answer(&request).await {
            Ok(_) => Ok(true),
            Err(error) if error.name.as_str() == "ConstraintError" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Forgets what is kept under a key.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn delete(&self, store: &str, key: &str) -> Result<(), Error> {
        let request = value::call(&self.store(store, "readwrite")?, "delete", &[&key.into()])?;
        answer(&request).await.map(drop)
    }

    fn store(&self, store: &str, mode: &str) -> Result<JsValue, Error> {
        let transaction = value::call(&self.0, "transaction", &[&store.into(), &mode.into()])?;
        value::call(&transaction, "objectStore", &[&store.into()])
    }
}

/// What hears of a request while it is waited for.
type Handlers = [Closure<dyn FnMut()>; 2];

/// Waits for a request.
async fn answer(request: &JsValue) -> Result<JsValue, Error> {
    let kept: Rc<RefCell<Option<Handlers>>> = Rc::default();
    let place = Rc::clone(&kept);
    let asked = request.clone();
    let promise = Promise::new(&mut |resolve: Function, reject: Function| {
        let (done, failed) = (asked.clone(), asked.clone());
        let succeeded = Closure::<dyn FnMut()>::new(move || {
            _ = resolve.call1(&JsValue::UNDEFINED, &value::get(&done, "result"));
        });
        let refused = Closure::<dyn FnMut()>::new(move || {
            _ = reject.call1(&JsValue::UNDEFINED, &value::get(&failed, "error"));
        });
        value::set(&asked, "onsuccess", succeeded.as_ref());
        value::set(&asked, "onerror", refused.as_ref());
        place.replace(Some([succeeded, refused]));
    });
    let answered = settled(Ok(promise.unchecked_into())).await;
    value::set(request, "onsuccess", &JsValue::NULL);
    value::set(request, "onerror", &JsValue::NULL);
    drop(kept);
    answered
}
