//! `RTCDataChannel` with all of its options: made by us or by the other side, heard by one handler,
//! written to only while it is open.
//!
//! It judges no option: the browser does, and its error is handed on. `binaryType` is always
//! `"arraybuffer"`, since older Firefoxes begin with `"blob"`, which would have to be read once more.

use core::cell::Cell;
use std::rc::Rc;

use js_sys::{ArrayBuffer, JsString, Object};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, MessageEvent};

use super::rtc::{Connection, RawChannel};
use super::{Error, Listener, value};

/// What a channel is to be: `RTCDataChannelInit` and the label. The numbers are as wide as the browser
/// judges them, not as wide as they may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options<'a> {
    /// Its name. Two channels may have the same.
    pub label: &'a str,
    /// What is spoken on it; empty where nothing is said of it.
    pub protocol: &'a str,
    /// Whether messages come in the order in which they were written.
    pub ordered: bool,
    /// How often a message is sent again at most. Together with the next one it is refused.
    pub max_retransmits: Option<u32>,
    /// For how many milliseconds a message is sent again at most.
    pub max_packet_life_time: Option<u32>,
    /// Whether both sides make it, with the same id; else the other side is told of it.
    pub negotiated: bool,
    /// Its number, below 65,535. Used only if it is negotiated, and needed then.
    pub id: Option<u32>,
}

impl Default for Options<'_> {
    /// Ordered, reliable, announced to the other side.
    fn default() -> Self {
        Self {
            label: "",
            protocol: "",
            ordered: true,
            max_retransmits: None,
            max_packet_life_time: None,
            negotiated: false,
            id: None,
        }
    }
}

impl Options<'_> {
    fn to_init(&self) -> Object {
        let init = value::dictionary(&[
            ("ordered", self.ordered.into()),
            ("protocol", self.protocol.into()),
            ("negotiated", self.negotiated.into()),
        ]);
        for (key, number) in [
            ("maxRetransmits", self.max_retransmits),
            ("maxPacketLifeTime", self.max_packet_life_time),
            ("id", self.id),
        ] {
            if let Some(number) = number {
                value::set(&init, key, &number.into());
            }
        }
        init
    }
}

/// What a channel did.
#[derive(Clone, Debug, PartialEq)]
pub enum DataEvent {
    /// It can be written to. Told once.
    Opened,
    /// A text message. Not copied yet: look at its length first.
    Text(JsString),
    /// A binary message.
    Bytes(ArrayBuffer),
    /// No more is waiting than the threshold, where there was more before.
    Low,
    /// It failed; the end follows.
    Failed(Error),
    /// It is gone, by the other side's doing or with the connection.
    Closed,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The channel is not open yet, or not any more.
    #[error("the channel is not open")]
    NotOpen,
    /// The browser refused it: too long, or too much is waiting.
    #[error(transparent)]
    Browser(Error),
}

/// A channel that the other side made, which nobody hears yet. It has to be taken up within the callback
/// that brought it, or messages are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming(RawChannel);

impl Incoming {
    /// Takes the channel out of a `datachannel` event.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let channel = value::get(event, "channel");
        (!channel.is_undefined()).then(|| Self(channel.unchecked_into()))
    }

    /// Its name.
    #[must_use]
    pub fn label(&self) -> String {
        text(&self.0, "label")
    }

    /// What is spoken on it.
    #[must_use]
    pub fn protocol(&self) -> String {
        text(&self.0, "protocol")
    }

    /// Whether all that is written on it comes, and in order.
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        let has_no = |key| number(&self.0, key).is_none();
        value::get(&self.0, "ordered").is_truthy() && has_no("maxRetransmits") && has_no("maxPacketLifeTime")
    }

    /// Closes it, unheard.
    pub fn refuse(&self) {
        self.0.close();
    }
}

/// A channel, heard until this is dropped. It ends with its connection, or by [`DataChannel::close`].
pub struct DataChannel {
    raw: RawChannel,
    _listeners: [Listener; 5],
}

impl DataChannel {
    /// Makes a channel of an `RTCPeerConnection`.
    ///
    /// # Errors
    /// As `createDataChannel`: `TypeError` for options that contradict each other or are out of range,
    /// `OperationError` for an id that is taken.
    pub fn new(
        connection: &JsValue,
        options: &Options<'_>,
        handler: Rc<dyn Fn(DataEvent)>,
    ) -> Result<Self, Error> {
        let raw = connection
            .unchecked_ref::<Connection>()
            .create_data_channel(options.label, &options.to_init())
            .map_err(Error::from)?;
        Ok(Self::hear(raw, handler))
    }

    /// Hears a channel that the other side made. It may be open by then: see [`DataChannel::is_open`].
    #[must_use]
    pub fn take(incoming: Incoming, handler: Rc<dyn Fn(DataEvent)>) -> Self {
        Self::hear(incoming.0, handler)
    }

    fn hear(raw: RawChannel, handler: Rc<dyn Fn(DataEvent)>) -> Self {
        value::set(&raw, "binaryType", &"arraybuffer".into());
        let listen = |kind, read: fn(&Event) -> Option<DataEvent>| {
            let handler = Rc::clone(&handler);
            Listener::new(&raw, kind, move |event| {
                if let Some(event) = read(&event) {
                    handler(event);
                }
            })
        };
        let has_opened = Cell::new(false);
        let told = Rc::clone(&handler);
        let opened = Listener::new(&raw, "open", move |_| {
            if !has_opened.replace(true) {
                told(DataEvent::Opened);
            }
        });
        let listeners = [
            opened,
            listen("message", |event| {
                let message = event.dyn_ref::<MessageEvent>()?.data();
                match message.dyn_into::<JsString>() {
                    Ok(text) => Some(DataEvent::Text(text)),
                    Err(other) => other.dyn_into().ok().map(DataEvent::Bytes),
                }
            }),
            listen("bufferedamountlow", |_| Some(DataEvent::Low)),
            listen("error", |event| {
                Some(DataEvent::Failed(Error::from(value::get(event, "error"))))
            }),
            listen("close", |_| Some(DataEvent::Closed)),
        ];
        Self {
            raw,
            _listeners: listeners,
        }
    }

    /// Whether it can be written to.
    #[must_use]
    pub fn is_open(&self) -> bool {
        text(&self.raw, "readyState") == "open"
    }

    /// Writes a text message.
    ///
    /// # Errors
    /// See [`SendError`]; nothing was written then.
    pub fn send_text(&self, text: &str) -> Result<(), SendError> {
        self.send(&text.into())
    }

    /// Writes a binary message: an `ArrayBuffer` or a view of one.
    ///
    /// # Errors
    /// See [`SendError`]; nothing was written then.
    pub fn send_bytes(&self, bytes: &Object) -> Result<(), SendError> {
        self.send(bytes)
    }

    fn send(&self, message: &JsValue) -> Result<(), SendError> {
        if !self.is_open() {
            return Err(SendError::NotOpen);
        }
        self.raw
            .send(message)
            .map_err(|thrown| SendError::Browser(Error::from(thrown)))
    }

    /// Bytes that were written and have not left yet.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and browsers close a channel long before 4 GiB"
    )]
    pub fn buffered_bytes(&self) -> u32 {
        self.raw.buffered_amount() as u32
    }

    /// How many waiting bytes are few: at them [`DataEvent::Low`] is told.
    pub fn set_low_bytes(&self, bytes: u32) {
        value::set(&self.raw, "bufferedAmountLowThreshold", &bytes.into());
    }

    /// Closes it once what was written has left; its end is told.
    pub fn close(&self) {
        self.raw.close();
    }

    /// What the browser says that the channel is, by the option's name. For tests and diagnosis.
    #[must_use]
    pub fn report(&self, key: &str) -> JsValue {
        value::get(&self.raw, key)
    }
}

fn text(channel: &RawChannel, key: &str) -> String {
    value::get(channel, key).as_string().unwrap_or_default()
}

fn number(channel: &RawChannel, key: &str) -> Option<f64> {
    value::get(channel, key).as_f64()
}
