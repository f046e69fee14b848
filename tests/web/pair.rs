//! Two bare connections in one page, joined.

use core::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use visavis::web::data_channel::Incoming;
use visavis::web::{Listener, value};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, EventTarget, RtcPeerConnection};

use crate::wait::until;

pub(crate) struct Pair {
    pub(crate) here: RtcPeerConnection,
    pub(crate) there: RtcPeerConnection,
    _listeners: Vec<Listener>,
}

pub(crate) async fn settled(begun: JsValue) -> JsValue {
    JsFuture::from(Promise::resolve(&begun)).await.unwrap()
}

async fn call(on: &JsValue, key: &str, argument: &JsValue) -> JsValue {
    settled(value::call(on, key, &[argument]).unwrap()).await
}

fn keep<T: 'static>(
    target: &EventTarget,
    kind: &'static str,
    read: impl Fn(&Event) -> T + 'static,
) -> (Listener, Rc<RefCell<Vec<T>>>) {
    let all = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&all);
    let listener = Listener::new(target, kind, move |event| kept.borrow_mut().push(read(&event)));
    (listener, all)
}

/// Joins two connections that have something to negotiate. `adopt` is called once the other side knows
/// the offer.
pub(crate) async fn join(here: &JsValue, there: &JsValue, adopt: impl FnOnce()) -> Vec<Listener> {
    let candidate = |event: &Event| value::get(event, "candidate");
    let (one, from_here) = keep(here.unchecked_ref(), "icecandidate", candidate);
    let (other, from_there) = keep(there.unchecked_ref(), "icecandidate", candidate);
    call(here, "setLocalDescription", &JsValue::UNDEFINED).await;
    call(
        there,
        "setRemoteDescription",
        &value::get(here, "localDescription"),
    )
    .await;
    adopt();
    call(there, "setLocalDescription", &JsValue::UNDEFINED).await;
    call(
        here,
        "setRemoteDescription",
        &value::get(there, "localDescription"),
    )
    .await;
    let is_connected =
        |side: &JsValue| value::get(side, "connectionState").as_string().as_deref() == Some("connected");
    until("the connection stands", || {
        for (to, from) in [(there, &from_here), (here, &from_there)] {
            for candidate in from.take().iter().filter(|candidate| candidate.is_object()) {
                // Should one be refused, the others are enough, or the wait fails.
                _ = value::call(to, "addIceCandidate", &[candidate]);
            }
        }
        is_connected(here) && is_connected(there)
    })
    .await;
    vec![one, other]
}

use wasm_bindgen::JsCast;

impl Pair {
    /// Joins two connections by a channel that nobody uses.
    pub(crate) async fn new() -> Self {
        let (here, there) = (
            RtcPeerConnection::new().unwrap(),
            RtcPeerConnection::new().unwrap(),
        );
        let init = value::dictionary(&[("negotiated", true.into()), ("id", 0.into())]);
        for side in [&here, &there] {
            value::call(side, "createDataChannel", &[&"first".into(), &init]).unwrap();
        }
        let listeners = join(&here, &there, || ()).await;
        Self {
            here,
            there,
            _listeners: listeners,
        }
    }

    /// The channels that are made by the other side, as they come.
    pub(crate) fn incoming(&self) -> (Listener, Rc<RefCell<Vec<Incoming>>>) {
        keep(&self.there, "datachannel", |event| Incoming::of(event).unwrap())
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.here.close();
        self.there.close();
    }
}
