//! The part of the WebRTC API that `peer` uses, declared here because `web-sys` lacks some of it
//! (`setLocalDescription()` without an argument, `restartIce`) and lets exceptions of the rest pass
//! through Rust frames, which must not happen.

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, MediaStream, MediaStreamTrack};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = EventTarget, js_name = RTCPeerConnection)]
    #[derive(Clone)]
    pub(super) type Connection;

    #[wasm_bindgen(constructor, catch, js_class = "RTCPeerConnection")]
    pub(super) fn new(configuration: &JsValue) -> Result<Connection, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setConfiguration)]
    pub(super) fn set_configuration(this: &Connection, configuration: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = addTransceiver)]
    pub(super) fn add_transceiver(
        this: &Connection,
        kind: &str,
        init: &JsValue,
    ) -> Result<Transceiver, JsValue>;

    #[wasm_bindgen(method, js_name = getTransceivers)]
    pub(super) fn transceivers(this: &Connection) -> Array;

    #[wasm_bindgen(method, catch, js_name = setLocalDescription)]
    pub(super) fn set_local_description(this: &Connection) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setLocalDescription)]
    pub(super) fn roll_back_local(this: &Connection, description: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setRemoteDescription)]
    pub(super) fn set_remote_description(
        this: &Connection,
        description: &JsValue,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, getter, js_name = localDescription)]
    pub(super) fn local_description(this: &Connection) -> JsValue;

    #[wasm_bindgen(method, getter, js_name = currentLocalDescription)]
    pub(super) fn current_local_description(this: &Connection) -> JsValue;

    #[wasm_bindgen(method, getter, js_name = currentRemoteDescription)]
    pub(super) fn current_remote_description(this: &Connection) -> JsValue;

    #[wasm_bindgen(method, catch, js_name = addIceCandidate)]
    pub(super) fn add_ice_candidate(this: &Connection, candidate: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = restartIce)]
    pub(super) fn restart_ice(this: &Connection) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = createDataChannel)]
    pub(super) fn create_data_channel(
        this: &Connection,
        label: &str,
        init: &JsValue,
    ) -> Result<RawChannel, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getStats)]
    pub(super) fn stats(this: &Connection) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method)]
    pub(super) fn close(this: &Connection);

    #[wasm_bindgen(extends = EventTarget, js_name = RTCDataChannel)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) type RawChannel;

    #[wasm_bindgen(method, catch)]
    pub(super) fn send(this: &RawChannel, message: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter, js_name = bufferedAmount)]
    pub(super) fn buffered_amount(this: &RawChannel) -> f64;

    #[wasm_bindgen(method, js_name = close)]
    pub(super) fn close(this: &RawChannel);

    #[wasm_bindgen(js_name = RTCRtpTransceiver)]
    #[derive(Clone)]
    pub(super) type Transceiver;

    #[wasm_bindgen(method, getter)]
    pub(super) fn sender(this: &Transceiver) -> Sender;

    #[wasm_bindgen(method, getter)]
    pub(super) fn receiver(this: &Transceiver) -> Receiver;

    #[wasm_bindgen(method, getter)]
    pub(super) fn mid(this: &Transceiver) -> JsValue;

    #[wasm_bindgen(method, catch, setter)]
    pub(super) fn set_direction(this: &Transceiver, direction: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = RTCRtpSender)]
    pub(super) type Sender;

    #[wasm_bindgen(method, catch, js_name = replaceTrack)]
    pub(super) fn replace_track(this: &Sender, track: Option<&MediaStreamTrack>) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getParameters)]
    pub(super) fn parameters(this: &Sender) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setParameters)]
    pub(super) fn set_parameters(
        this: &Sender,
        parameters: &JsValue,
        options: &JsValue,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setStreams)]
    pub(super) fn set_streams(this: &Sender, stream: &MediaStream) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = RTCRtpReceiver)]
    pub(super) type Receiver;

    #[wasm_bindgen(method, getter)]
    pub(super) fn track(this: &Receiver) -> MediaStreamTrack;
}
