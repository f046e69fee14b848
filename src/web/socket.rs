//! One WebSocket.

use std::rc::Rc;

use visavis_protocol::PAGE_GONE;
use wasm_bindgen::JsCast;
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

use super::{Error, Listener, window};

/// What a socket did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// It can be written to.
    Opened,
    /// A text message came.
    Received(String),
    /// It is gone, or never opened.
    Closed {
        /// `CloseEvent.code`
        code: u16,
    },
}

/// A socket, until this is dropped: then nothing more is heard of it, and it closes.
pub struct Socket {
    socket: WebSocket,
    _listeners: [Listener; 3],
}

impl Socket {
    /// Opens a socket to a path of this site.
    ///
    /// # Errors
    /// If the browser forbids it, for instance by the page's content security policy.
    pub fn open(path: &str, handler: impl Fn(SocketEvent) + 'static) -> Result<Self, Error> {
        let socket = WebSocket::new(&address(path)).map_err(Error::from)?;
        Ok(Self::adopt(socket, handler))
    }

    /// Takes over a socket that somebody else opened. What it did before is theirs to tell.
    pub fn adopt(socket: WebSocket, handler: impl Fn(SocketEvent) + 'static) -> Self {
        let handler = Rc::new(handler);
        let listen = |kind, read: fn(&Event) -> Option<SocketEvent>| {
            let handler = Rc::clone(&handler);
            Listener::new(&socket, kind, move |event| {
                // A binary message breaks the protocol and says nothing: it is passed over.
                if let Some(event) = read(&event) {
                    handler(event);
                }
            })
        };
        let listeners = [
            listen("open", |_| Some(SocketEvent::Opened)),
            listen("message", |event| {
                let text = event.dyn_ref::<MessageEvent>()?.data().as_string()?;
                Some(SocketEvent::Received(text))
            }),
            // `error` always comes with a `close`, which says more.
            listen("close", |event| {
                let code = event.dyn_ref::<CloseEvent>().map_or(1006, CloseEvent::code);
                Some(SocketEvent::Closed { code })
            }),
        ];
        Self {
            socket,
            _listeners: listeners,
        }
    }

    /// Whether it has neither opened nor failed yet.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        self.socket.ready_state() == WebSocket::CONNECTING
    }

    /// Tells the server that the page goes away. A page that the browser keeps aside for a way back would
    /// else keep its socket for minutes.
    pub fn depart(&self) {
        // Dropping it afterwards does nothing more.
        _ = self.socket.close_with_code(PAGE_GONE);
    }

    /// Writes a text message. On a socket that is closing the browser drops it silently.
    pub fn send(&self, text: &str) {
        // Throws only while connecting, when there is nobody to write to either.
        _ = self.socket.send_with_str(text);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The listeners go right after this, before any event of the closing can come.
        _ = self.socket.close_with_code(1000);
    }
}

/// The WebSocket address of a path of this site.
fn address(path: &str) -> String {
    let location = window().location();
    let scheme = match location.protocol().as_deref() {
        Ok("https:") => "wss://",
        Ok(_) | Err(_) => "ws://",
    };
    let mut address = String::from(scheme);
    address.push_str(&location.host().unwrap_or_default());
    address.push_str(path);
    address
}
