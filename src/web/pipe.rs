//! The channel that carries one transfer's bytes: blocks are written in chunks no faster than they leave,
//! and gathered on the other side.
//!
//! Bytes stay in the browser's buffers; none of them passes through the program's own memory. What a
//! block is, and whether it is the right one, is for others to say.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use js_sys::Uint8Array;
use visavis_protocol::limits::{
    BLOCK_BYTES, BLOCKS_AHEAD, CHUNK_BYTES, PIPE_FRAME_BYTES, PIPE_FULL_BYTES, PIPE_LOW_BYTES,
};
use visavis_protocol::transfer::PipeName;

use super::buffer::{self, Buffer};
use super::data_channel::{DataChannel, DataEvent, Incoming};
use super::gather::{Gather, Misfit, Step};
use super::peer::Peer;
use super::{Error, clock};

/// How often it is told how far a block is: more often than that nobody can read it.
const TELL_EVERY: Duration = Duration::from_millis(250);
const CHUNK: u32 = CHUNK_BYTES as u32;

/// What happened on a pipe.
#[derive(Clone, Debug)]
pub enum PipeEvent {
    /// It can be written to. Told once.
    Opened,
    /// A text message.
    Text(String),
    /// A block that was to be sent is in the channel's buffer. Its number.
    Sent(u32),
    /// A block that was expected is whole.
    Came(u32, Uint8Array),
    /// So many bytes of a block have left or come.
    Progress(u32, u32),
    /// What came was not announced, or too long. The pipe is closed; nothing more is told.
    Broken,
    /// It is gone, not by our doing.
    Closed,
}

/// A pipe, heard until this is dropped, which closes it.
pub struct Pipe(Rc<State>);

struct State {
    handler: Box<dyn Fn(PipeEvent)>,
    channel: RefCell<Option<Rc<DataChannel>>>,
    leaving: RefCell<Option<Leaving>>,
    coming: RefCell<Coming>,
    has_opened: Cell<bool>,
    told: Cell<Duration>,
}

/// A block that is being written.
struct Leaving {
    number: u32,
    head: Option<String>,
    bytes: Rc<Buffer>,
    at: u32,
}

#[derive(Default)]
struct Coming {
    gather: Gather,
    block: Option<(u32, Uint8Array)>,
    /// Whether a text was told that may announce a block.
    may_be_announced: bool,
    /// What came behind such a text before it was acted upon, in order.
    held: VecDeque<DataEvent>,
    held_bytes: u32,
}

/// Bytes that may be held: what an honest sender writes without hearing from us. While a browser asks whether
/// the page may go it tells of messages within that question, and nothing that waits for the end of a
/// callback happens: seen with Firefox 153.
const HELD_BYTES: u32 = BLOCKS_AHEAD * (BLOCK_BYTES + PIPE_FRAME_BYTES as u32);

impl Pipe {
    /// Makes a pipe to the other side of a connection.
    ///
    /// # Errors
    /// As `createDataChannel`.
    pub fn make(peer: &Peer, name: PipeName, handler: impl Fn(PipeEvent) + 'static) -> Result<Self, Error> {
        Self::with(handler, |told| peer.make_pipe(name, told))
    }

    /// Takes up a pipe that the other side made, within the callback that brought it.
    ///
    /// # Errors
    /// None; so that it looks like [`Pipe::make`].
    pub fn take(incoming: Incoming, handler: impl Fn(PipeEvent) + 'static) -> Result<Self, Error> {
        let pipe = Self::with(handler, |told| Ok(DataChannel::take(incoming, told)))?;
        // Some browsers tell of it only once it is open.
        if pipe.0.channel().is_some_and(|channel| channel.is_open()) {
            pipe.0.heard(DataEvent::Opened);
        }
        Ok(pipe)
    }

    fn with(
        handler: impl Fn(PipeEvent) + 'static,
        make: impl FnOnce(Rc<dyn Fn(DataEvent)>) -> Result<DataChannel, Error>,
    ) -> Result<Self, Error> {
        let state = Rc::new(State {
            handler: Box::new(handler),
            channel: RefCell::default(),
            leaving: RefCell::default(),
            coming: RefCell::default(),
            has_opened: Cell::new(false),
            told: Cell::new(clock::now()),
        });
        let heard = Rc::downgrade(&state);
        let channel = make(Rc::new(move |event| {
            if let Some(state) = Weak::upgrade(&heard) {
                state.heard(event);
            }
        }))?;
        channel.set_low_bytes(PIPE_LOW_BYTES);
        state.channel.replace(Some(Rc::new(channel)));
        Ok(Self(state))
    }

    /// Writes a text message; on a pipe that is not open it is dropped.
    pub fn write(&self, text: &str) {
        if let Some(channel) = self.0.channel() {
            _ = channel.send_text(text);
        }
    }

    /// Writes a text and then a block, resting while much is waiting. One block at a time: what was left
    /// of the one before is not written.
    pub fn send_block(&self, number: u32, head: String, bytes: Rc<Buffer>) {
        self.0.leaving.replace(Some(Leaving {
            number,
            head: Some(head),
            bytes,
            at: 0,
        }));
        self.0.pump();
    }

    /// Expects a block to come next, as long as the place that it is to be put in.
    pub fn expect_block(&self, number: u32, place: Uint8Array) {
        let expected = self.0.coming.borrow_mut().gather.expect(place.length());
        if expected.is_err() {
            self.0.break_off();
            return;
        }
        {
            let mut coming = self.0.coming.borrow_mut();
            coming.block = Some((number, place));
            coming.may_be_announced = false;
        }
        self.0.go_on();
    }

    /// Bytes that were written and have not left yet.
    #[must_use]
    pub fn buffered_bytes(&self) -> u32 {
        self.0.channel().map_or(0, |channel| channel.buffered_bytes())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl State {
    fn channel(&self) -> Option<Rc<DataChannel>> {
        self.channel.borrow().clone()
    }

    fn close(&self) {
        self.leaving.take();
        let held = core::mem::take(&mut self.coming.borrow_mut().held);
        drop(held);
        if let Some(channel) = self.channel() {
            channel.close();
        }
    }

    fn heard(&self, event: DataEvent) {
        match event {
            DataEvent::Opened => {
                if !self.has_opened.replace(true) {
                    (self.handler)(PipeEvent::Opened);
                }
            }
            DataEvent::Text(_) | DataEvent::Bytes(_) if self.must_hold(&event) => self.hold(event),
            DataEvent::Text(text) => {
                // Each of its units is a byte at least.
                if text.length() as usize > PIPE_FRAME_BYTES || self.coming.borrow().gather.is_within() {
                    self.break_off();
                } else {
                    self.coming.borrow_mut().may_be_announced = true;
                    (self.handler)(PipeEvent::Text(text.into()));
                }
            }
            DataEvent::Bytes(buffer) => {
                let chunk = Uint8Array::new(&buffer);
                if self.gather(&chunk).is_err() {
                    self.break_off();
                }
                buffer::release(&buffer);
            }
            DataEvent::Low => self.pump(),
            // The end follows.
            DataEvent::Failed(_) => {}
            DataEvent::Closed => {
                self.leaving.take();
                (self.handler)(PipeEvent::Closed);
            }
        }
    }

    fn must_hold(&self, event: &DataEvent) -> bool {
        let coming = self.coming.borrow();
        let is_early =
            matches!(event, DataEvent::Bytes(_)) && !coming.gather.is_within() && coming.may_be_announced;
        is_early || !coming.held.is_empty()
    }

    fn hold(&self, event: DataEvent) {
        let held_bytes = {
            let mut coming = self.coming.borrow_mut();
            coming.held_bytes = coming.held_bytes.saturating_add(bytes_of(&event));
            coming.held.push_back(event);
            coming.held_bytes
        };
        if held_bytes > HELD_BYTES {
            self.break_off();
        }
    }

    /// Takes what was held, as far as it was announced.
    fn go_on(&self) {
        let held = {
            let mut coming = self.coming.borrow_mut();
            coming.held_bytes = 0;
            core::mem::take(&mut coming.held)
        };
        for event in held {
            self.heard(event);
        }
    }

    fn break_off(&self) {
        self.close();
        (self.handler)(PipeEvent::Broken);
    }

    fn gather(&self, chunk: &Uint8Array) -> Result<(), Misfit> {
        let bytes = chunk.length();
        let step = self.coming.borrow_mut().gather.take(bytes)?;
        let block = self.coming.borrow_mut().block.take();
        let (number, whole) = block.ok_or(Misfit)?;
        match step {
            Step::Part { at } => {
                whole.set(chunk, at);
                self.coming.borrow_mut().block = Some((number, whole));
                self.tell_progress(number, || at + bytes);
            }
            Step::Last { at } => {
                whole.set(chunk, at);
                (self.handler)(PipeEvent::Came(number, whole));
            }
        }
        Ok(())
    }

    /// Writes as much as may wait. That is a block at most, so it takes no noticeable time.
    fn pump(&self) {
        let Some(channel) = self.channel() else { return };
        let leaving = self.leaving.take();
        let Some(mut leaving) = leaving else { return };
        let all = leaving.bytes.bytes().length();
        loop {
            if channel.buffered_bytes() > PIPE_FULL_BYTES - CHUNK {
                let (number, at) = (leaving.number, leaving.at);
                self.leaving.replace(Some(leaving));
                self.tell_progress(number, || at.saturating_sub(channel.buffered_bytes()));
                return;
            }
            let sent = if let Some(head) = leaving.head.take() {
                channel.send_text(&head)
            } else if leaving.at < all {
                let from = leaving.at;
                leaving.at = all.min(from.saturating_add(CHUNK));
                channel.send_bytes(&leaving.bytes.bytes().subarray(from, leaving.at))
            } else {
                (self.handler)(PipeEvent::Sent(leaving.number));
                return;
            };
            if sent.is_err() {
                // If it is closed already, its end was told or will be; else it is of no more use.
                if channel.is_open() {
                    channel.close();
                    (self.handler)(PipeEvent::Closed);
                }
                return;
            }
        }
    }

    fn tell_progress(&self, number: u32, bytes: impl FnOnce() -> u32) {
        let now = clock::now();
        if now.saturating_sub(self.told.get()) >= TELL_EVERY {
            self.told.set(now);
            (self.handler)(PipeEvent::Progress(number, bytes()));
        }
    }
}

/// What it takes to hold it; of a text, its least.
fn bytes_of(event: &DataEvent) -> u32 {
    match event {
        DataEvent::Text(text) => text.length(),
        DataEvent::Bytes(buffer) => buffer.byte_length(),
        DataEvent::Opened | DataEvent::Low | DataEvent::Failed(_) | DataEvent::Closed => 0,
    }
}
