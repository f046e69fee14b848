//! What waits to be written to one socket.
//!
//! The task that owns the hub puts messages in and never waits; the socket's own task writes them
//! out, as many as there are in one go. A reader that is too slow is told to come back.

use core::task::{Context, Waker};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use bytestring::ByteString;
use visavis_protocol::CloseCode;

use super::frame::Outgoing;

/// Bytes gathered for one write.
pub(crate) const WRITE_BYTES: usize = 64 * 1024;
/// A queue this small is kept when it runs empty; a larger one is given back.
const KEPT_CAPACITY: usize = 8;
/// How messages of the kind `occupancy` begin. Of these only the last one counts.
const OCCUPANCY: &str = r#"{"occupancy":"#;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// Messages.
    pub(crate) messages: usize,
    /// Bytes of their texts.
    pub(crate) bytes: usize,
}

/// More waits than may: the socket is being closed with 1013.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

/// The queue between the hub and one socket.
#[derive(Debug)]
pub(crate) struct Outbox {
    capacity: Capacity,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<Outgoing>,
    bytes: usize,
    /// Bytes of the first frame that are on the wire already.
    written: usize,
    /// Frames that the socket's task is writing at this moment; they must stay as they are.
    handed: usize,
    closing: Option<CloseCode>,
    waker: Option<Waker>,
}

impl Outbox {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; and if it did, the queue would still be a queue.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a text message. Said after [`Outbox::close`], it is forgotten.
    ///
    /// # Errors
    /// The reader is too slow; the socket will be closed with 1013 and what waits is dropped.
    pub(crate) fn push(&self, text: ByteString) -> Result<(), Overflow> {
        let mut inner = self.lock();
        if inner.closing.is_some() {
            return Ok(());
        }
        if text.starts_with(OCCUPANCY) && inner.replace_occupancy(&text) {
            return Ok(());
        }
        if inner.queue.len() >= self.capacity.messages || inner.bytes + text.len() > self.capacity.bytes {
            inner.drop_waiting();
            inner.close(CloseCode::TryAgainLater);
            return Err(Overflow);
        }
        inner.bytes += text.len();
        inner.queue.push_back(Outgoing::Text(text));
        inner.wake();
        Ok(())
    }

    /// Queues the answer to a ping. A newer one takes the place of one that still waits.
    pub(crate) fn push_pong(&self, payload: Bytes) {
        let mut inner = self.lock();
        if inner.closing.is_some() {
            return;
        }
        let begun = inner.begun();
        let waiting = inner
            .queue
            .iter_mut()
            .skip(begun)
            .find(|frame| matches!(frame, Outgoing::Pong(_)));
        if let Some(waiting) = waiting {
            let before = waiting.weight();
            *waiting = Outgoing::Pong(payload.clone());
            inner.bytes = inner.bytes - before + payload.len();
        } else {
            inner.bytes += payload.len();
            inner.queue.push_back(Outgoing::Pong(payload));
        }
        inner.wake();
    }

    /// Closes the socket after what waits. The first code stays.
    pub(crate) fn close(&self, code: CloseCode) {
        self.lock().close(code);
    }

    /// The code of the close frame, once one was asked for.
    pub(crate) fn closing(&self) -> Option<CloseCode> {
        self.lock().closing
    }

    /// Copies what waits into `buffer`, up to [`WRITE_BYTES`] and one frame more. `false` if there
    /// is nothing; then `context` is woken when there is.
    pub(crate) fn fill(&self, context: &Context<'_>, buffer: &mut Vec<u8>) -> bool {
        let mut inner = self.lock();
        buffer.clear();
        let mut handed = 0;
        for frame in &inner.queue {
            if buffer.len() >= WRITE_BYTES {
                break;
            }
            frame.write_to(buffer);
            handed += 1;
        }
        inner.handed = handed;
        if inner.written > 0 {
            buffer.drain(..inner.written.min(buffer.len()));
        }
        if buffer.is_empty() {
            match &mut inner.waker {
                Some(waker) => waker.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
            return false;
        }
        true
    }

    /// Notes that so many bytes of what [`Outbox::fill`] gave are on the wire.
    pub(crate) fn advance(&self, written: usize) {
        let mut inner = self.lock();
        inner.written += written;
        inner.handed = 0;
        while let Some(frame) = inner.queue.front() {
            let (length, weight) = (frame.wire_len(), frame.weight());
            if inner.written < length {
                break;
            }
            inner.written -= length;
            inner.bytes -= weight;
            inner.queue.pop_front();
        }
        if inner.queue.is_empty() && inner.queue.capacity() > KEPT_CAPACITY {
            inner.queue = VecDeque::new();
        }
    }

    /// Whether everything is written, the close frame included if one was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().queue.is_empty()
    }
}

impl Inner {
    /// Frames at the front that must not be changed any more.
    fn begun(&self) -> usize {
        self.handed.max(usize::from(self.written > 0))
    }

    fn wake(&mut self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    fn close(&mut self, code: CloseCode) {
        if self.closing.is_none() {
            self.closing = Some(code);
            self.queue.push_back(Outgoing::Close(code));
            self.wake();
        }
    }

    /// Forgets what waits but for a frame that is half written.
    fn drop_waiting(&mut self) {
        let begun = self.begun();
        self.queue.truncate(begun);
        self.bytes = self.queue.iter().map(Outgoing::weight).sum();
    }

    /// Puts a newer `occupancy` in the place of one that still waits.
    fn replace_occupancy(&mut self, text: &ByteString) -> bool {
        let begun = self.begun();
        let waiting = self
            .queue
            .iter_mut()
            .skip(begun)
            .find(|frame| matches!(frame, Outgoing::Text(text) if text.starts_with(OCCUPANCY)));
        let Some(waiting) = waiting else {
            return false;
        };
        let before = waiting.weight();
        *waiting = Outgoing::Text(text.clone());
        self.bytes = self.bytes - before + text.len();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMY: Capacity = Capacity {
        messages: 4,
        bytes: 1000,
    };

    fn filled(outbox: &Outbox) -> Vec<u8> {
        let mut buffer = Vec::new();
        outbox.fill(&Context::from_waker(Waker::noop()), &mut buffer);
        buffer
    }

    #[test]
    fn what_waits_is_written_in_one_go_and_may_be_cut_anywhere() {
        let whole = {
            let outbox = Outbox::new(ROOMY);
            outbox.push("one".into()).unwrap();
            outbox.push("two".into()).unwrap();
            outbox.close(CloseCode::Normal);
            filled(&outbox)
        };
        for cut in 0..=whole.len() {
            let outbox = Outbox::new(ROOMY);
            outbox.push("one".into()).unwrap();
            outbox.push("two".into()).unwrap();
            outbox.close(CloseCode::Normal);
            outbox.advance(cut);
            assert_eq!(filled(&outbox), whole[cut..], "cut at {cut}");
            outbox.advance(whole.len() - cut);
            assert!(outbox.is_empty());
        }
    }

    #[test]
    fn a_reader_too_slow_is_told_to_come_back_and_keeps_a_whole_frame() {
        let outbox = Outbox::new(ROOMY);
        for text in ["one", "two", "three", "four"] {
            outbox.push(text.into()).unwrap();
        }
        outbox.advance(2);
        assert_eq!(outbox.push("five".into()), Err(Overflow));
        assert_eq!(outbox.closing(), Some(CloseCode::TryAgainLater));
        assert_eq!(outbox.push("six".into()), Ok(()), "forgotten, not counted");
        assert_eq!(filled(&outbox), b"one\x88\x02\x03\xf5");
    }

    #[test]
    fn bytes_are_counted_too_and_given_back() {
        let outbox = Outbox::new(ROOMY);
        let text = ByteString::from("x".repeat(600));
        outbox.push(text.clone()).unwrap();
        outbox.advance(filled(&outbox).len());
        outbox.push(text.clone()).unwrap();
        assert_eq!(outbox.push(text), Err(Overflow));
    }

    #[test]
    fn of_several_occupancies_the_last_one_counts() {
        let outbox = Outbox::new(ROOMY);
        for n in 0..10 {
            outbox
                .push(format!(r#"{{"occupancy":{{"n":{n}}}}}"#).into())
                .unwrap();
        }
        assert_eq!(filled(&outbox), b"\x81\x15{\"occupancy\":{\"n\":9}}");
    }

    #[test]
    fn pongs_do_not_pile_up() {
        let outbox = Outbox::new(ROOMY);
        for n in 0..10_u8 {
            outbox.push_pong(Bytes::copy_from_slice(&[n]));
        }
        assert_eq!(filled(&outbox), [0x8a, 1, 9]);
    }
}
