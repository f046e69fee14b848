//! How the pictures of a connection are sent: whether at all, and the next one that needs no other.
//!
//! A change takes a browser a while, and what it says meanwhile is what was before: of two changes
//! under way the second would take the first back. So there is one at a time, and each says all.

use core::cell::Cell;
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen_futures::JsFuture;

use super::rtc::Sender;
use super::task::spawn;
use super::value;

/// How much a picture is scaled down, and how many there are a second at most.
const TINY: (f64, f64) = (8.0, 1.0);
const WHOLE: (f64, f64) = (1.0, 60.0);
/// How many video senders a connection has.
const SENDERS: usize = 2;

/// What is wanted of the video senders of a connection.
#[derive(Debug, Default)]
pub(super) struct Encodings {
    is_paused: Cell<bool>,
    /// Which senders had a track and have none now.
    are_empty: Cell<[bool; SENDERS]>,
    wants_key_frame: Cell<bool>,
    is_changing: Cell<bool>,
    is_outdated: Cell<bool>,
}

impl Encodings {
    /// Makes the next picture of each sender one that needs no other. A browser that cannot be told to
    /// (`encodingOptions`, WebRTC Extensions) is asked by the other side's in its own time.
    pub(super) fn send_key_frames(self: &Rc<Self>, senders: Vec<Sender>) {
        self.wants_key_frame.set(true);
        self.change(senders);
    }

    /// Stops to send pictures, or goes on.
    pub(super) fn pause(self: &Rc<Self>, senders: Vec<Sender>, is_paused: bool) {
        self.is_paused.set(is_paused);
        self.change(senders);
    }

    /// Says whether a sender has a track. A Firefox goes on without one, with a black picture a second.
    pub(super) fn fill(self: &Rc<Self>, senders: Vec<Sender>, sender: usize, has_track: bool) {
        let mut are_empty = self.are_empty.get();
        let was_empty = core::mem::replace(&mut are_empty[sender], !has_track);
        self.are_empty.set(are_empty);
        if super::peer::is_firefox() && was_empty == has_track {
            self.change(senders);
        }
    }

    fn change(self: &Rc<Self>, senders: Vec<Sender>) {
        self.is_outdated.set(true);
        if self.is_changing.replace(true) {
            return;
        }
        let this = Rc::clone(self);
        spawn(async move {
            while this.is_outdated.replace(false) {
                let wants_key_frame = this.wants_key_frame.take();
                for (index, sender) in senders.iter().enumerate() {
                    this.change_one(index, sender, wants_key_frame).await;
                }
            }
            this.is_changing.set(false);
        });
    }

    async fn change_one(&self, index: usize, sender: &Sender, wants_key_frame: bool) {
        let Ok(parameters) = sender.parameters() else {
            return;
        };
        let is_paused = self.is_paused.get();
        let options = Array::new();
        for encoding in Array::from(&value::get(&parameters, "encodings")).iter() {
            if super::peer::is_firefox() {
                // A Firefox that begins again confuses the clock of a Chromium that receives, which
                // holds pictures back for two seconds: there they become few and tiny instead.
                let (scale, frames_per_second) = if is_paused { TINY } else { WHOLE };
                let is_empty = self.are_empty.get()[index];
                value::set(&encoding, "active", &(!is_empty).into());
                value::set(&encoding, "scaleResolutionDownBy", &scale.into());
                value::set(&encoding, "maxFramerate", &frames_per_second.into());
            } else {
                value::set(&encoding, "active", &(!is_paused).into());
            }
            options.push(&value::dictionary(&[("keyFrame", wants_key_frame.into())]));
        }
        let options = value::dictionary(&[("encodingOptions", options.into())]);
        if let Ok(change) = sender.set_parameters(&parameters, &options) {
            // Refused by a browser that cannot: then pictures come a little later.
            _ = JsFuture::from(change).await;
        }
    }
}
