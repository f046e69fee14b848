//! The control channel of a connection: a data channel that both sides make beforehand.

use std::rc::Rc;

use visavis_protocol::signal::{CONTROL_CHANNEL, CONTROL_LABEL};
use wasm_bindgen::JsCast;
use web_sys::MessageEvent;

use super::rtc::{Connection, DataChannel};
use super::{Error, Listener, value};

/// What the channel did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelEvent {
    /// It can be written to.
    Opened,
    /// A text message came.
    Received(String),
    /// It is gone by the other side's doing.
    Closed,
}

/// A channel, heard until this is dropped. It closes with its connection.
pub struct Channel {
    channel: DataChannel,
    _listeners: [Listener; 3],
}

impl Channel {
    /// Makes the channel, ordered and reliable. On the side that answers it must not be made before
    /// the first offer was applied: the browser would want to offer itself.
    ///
    /// # Errors
    /// As `createDataChannel`.
    pub(super) fn new(
        connection: &Connection,
        handler: impl Fn(ChannelEvent) + 'static,
    ) -> Result<Self, Error> {
        let init = value::dictionary(&[
            ("negotiated", true.into()),
            ("id", CONTROL_CHANNEL.into()),
            ("protocol", CONTROL_LABEL.into()),
        ]);
        let channel = connection
            .create_data_channel(CONTROL_LABEL, &init)
            .map_err(Error::from)?;
        let handler = Rc::new(handler);
        let told = Rc::clone(&handler);
        let opened = Listener::new(&channel, "open", move |_| told(ChannelEvent::Opened));
        let told = Rc::clone(&handler);
        let received = Listener::new(&channel, "message", move |event| {
            // Binary messages are none of this protocol.
            let text = event
                .dyn_ref::<MessageEvent>()
                .and_then(|event| event.data().as_string());
            if let Some(text) = text {
                told(ChannelEvent::Received(text));
            }
        });
        let closed = Listener::new(&channel, "close", move |_| handler(ChannelEvent::Closed));
        Ok(Self {
            channel,
            _listeners: [opened, received, closed],
        })
    }

    /// Writes a text message. On a channel that is not open (any more) it is dropped.
    pub fn send(&self, text: &str) {
        _ = self.channel.send(text);
    }

    /// Whether something written has not left yet.
    pub(super) fn is_busy(&self) -> bool {
        self.channel.buffered_amount() > 0.0
    }
}
