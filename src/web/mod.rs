//! The browser, one capability a file. No leptos, no policy, no core.
//!
//! Every listener is a [`Listener`], whose `Drop` takes it off again; every failure of the browser
//! is an [`Error`]. Handlers are plain `Fn`s that are expected only to enqueue.

pub mod appearance;
pub mod beat;
pub mod blob;
pub mod blocks;
pub mod boot;
pub mod broadcast;
pub mod buffer;
pub mod capture;
pub mod channel;
pub mod clipboard;
pub mod clock;
pub mod codecs;
pub mod console;
pub mod data_channel;
pub mod database;
pub mod day;
pub mod devices;
pub mod digest;
pub mod drop;
pub mod dropped;
mod dtls;
pub mod element;
mod encodings;
mod error;
pub mod file_picker;
pub mod file_sink;
pub mod film;
pub mod folder;
pub mod fullscreen;
pub mod gather;
pub mod identity;
pub mod keys;
pub mod listener;
pub mod location;
pub mod lock;
pub mod meter;
pub mod microtask;
pub mod mix;
pub mod notify;
pub mod page;
pub mod panic;
pub mod peer;
pub mod permission;
pub mod picture;
pub mod pipe;
pub mod popout;
pub mod random;
pub mod reach;
pub mod reader;
pub mod recorder;
pub mod resize;
mod rtc;
pub mod screen;
pub mod site_text;
pub mod socket;
pub mod stats;
pub mod storage;
pub mod task;
pub mod text;
pub mod timer;
pub mod tone;
pub mod value;
mod voice;
pub mod wake_lock;

pub use error::{Error, ErrorName};
pub use listener::Listener;

/// The window that the page runs in.
///
/// # Panics
/// In a worker; the client runs in none.
pub(crate) fn window() -> web_sys::Window {
    web_sys::window().expect("the client runs in a page")
}

/// The page's document.
///
/// # Panics
/// In a worker; the client runs in none.
pub(crate) fn document() -> web_sys::Document {
    window().document().expect("a window has a document")
}
