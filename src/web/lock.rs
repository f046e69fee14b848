//! Locks among the tabs of this browser (Web Locks).

use core::time::Duration;
use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::timer::Timeout;
use super::{value, window};

/// A name that no other tab of this browser holds, until this is dropped or the tab is closed.
pub struct Lock {
    release: Option<Function>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Takes a name from whichever tab holds it. Nobody learns of it by this.
pub fn steal(name: &str) -> Option<Lock> {
    let locks = value::get(&window().navigator(), "locks");
    value::method(&locks, "request")?;
    let mut release = None;
    let held = Promise::new(&mut |resolve, _| release = Some(resolve));
    let granted = Closure::<dyn Fn(JsValue) -> JsValue>::new(move |_lock| held.clone().into());
    let options = value::dictionary(&[("steal", true.into())]);
    let request = value::call(&locks, "request", &[&name.into(), &options, granted.as_ref()]).ok()?;
    super::task::spawn(async move {
        _ = JsFuture::from(Promise::resolve(&request)).await;
        drop(granted);
    });
    Some(Lock { release })
}

/// Takes a name, waiting at most `patience` for another tab to let go of it. `None` if another tab
/// keeps it. A browser without locks grants every name: so did all before there were any.
pub async fn claim(name: &str, patience: Duration) -> Option<Lock> {
    let locks = value::get(&window().navigator(), "locks");
    if value::method(&locks, "request").is_none() {
        return Some(Lock { release: None });
    }
    // The lock is held for as long as the promise that its callback returns is pending.
    let mut release = None;
    let held = Promise::new(&mut |resolve, _| release = Some(resolve));
    let mut settle = None;
    let outcome = Promise::new(&mut |resolve, _| settle = Some(resolve));
    let (release, settle) = (release?, settle?);

    let in_time = Rc::new(Cell::new(true));
    let granted = Closure::<dyn Fn(JsValue) -> JsValue>::new({
        let (settle, in_time) = (settle.clone(), Rc::clone(&in_time));
        move |_lock| {
            if !in_time.get() {
                return JsValue::UNDEFINED;
            }
            _ = settle.call1(&JsValue::UNDEFINED, &JsValue::TRUE);
            held.clone().into()
        }
    });
    let abort = js_sys::Reflect::construct(
        value::get(&js_sys::global(), "AbortController").unchecked_ref::<Function>(),
        &js_sys::Array::new(),
    )
    .ok()?;
    let options = value::dictionary(&[("signal", value::get(&abort, "signal"))]);
    let request = value::call(&locks, "request", &[&name.into(), &options, granted.as_ref()]).ok()?;
    let timer = Timeout::new(patience, move || {
        in_time.set(false);
        _ = value::call(&abort, "abort", &[]);
        _ = settle.call1(&JsValue::UNDEFINED, &JsValue::FALSE);
    });
    // An aborted request is rejected, which nobody needs to hear of.
    super::task::spawn(async move {
        _ = JsFuture::from(Promise::resolve(&request)).await;
        drop(granted);
    });
    let is_ours = JsFuture::from(outcome)
        .await
        .is_ok_and(|granted| granted.is_truthy());
    drop(timer);
    is_ours.then_some(Lock {
        release: Some(release),
    })
}
