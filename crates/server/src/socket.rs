//! One task for each socket: reads frames for the hub, writes what the hub says.
//!
//! It decides nothing about rooms. What it refuses is what never becomes a message: broken frames,
//! floods of control frames, readers that do not read.

mod frame;
mod outbox;

use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use visavis_protocol::{CloseCode, limits};

use crate::admission::StrangerTicket;
use crate::driver::Fact;
use crate::hub::{AddressKey, Bucket, ConnectionKey, Rate};
use crate::metrics::Metrics;
use frame::{Decoder, Incoming};
pub(crate) use outbox::{Capacity, Outbox, Overflow};

/// What one read takes at most. All connections of a thread share the buffer, so that an idle one
/// costs none.
const READ_BYTES: usize = 64 * 1024;
/// How long the other end may take to answer our close frame.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
    static WRITE_BUFFER: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(2 * READ_BYTES));
}

/// Anything that carries bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

/// What a socket needs to know of the house around it.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) facts: mpsc::Sender<Fact>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) capacity: Capacity,
    /// The clock that the hub's times are counted from.
    pub(crate) started: Instant,
}

/// One socket after its upgrade.
struct Socket<S> {
    stream: S,
    decoder: Decoder,
    outbox: Arc<Outbox>,
    facts: mpsc::Sender<Fact>,
    key: ConnectionKey,
    /// What the hub's queue had no room for.
    backlog: VecDeque<Fact>,
    control: Bucket,
    started: Instant,
    /// Until when a write that is stuck may stay so.
    stuck: Option<Pin<Box<Sleep>>>,
    /// Held until the first message: so many unknown sockets may one address have.
    stranger: Option<StrangerTicket>,
}

/// Why the reading stopped.
enum End {
    /// The other end closes, and waits for our close frame.
    ClosedByPeer { for_good: bool },
    /// The socket is gone without a word, or does not take what we write.
    Gone,
    /// We close, with the code in the outbox.
    ClosedByUs,
}

enum Step {
    Backlog,
    End(End),
}

/// Tells the hub that a socket is gone, even if its task panics.
struct Presence {
    facts: mpsc::Sender<Fact>,
    key: ConnectionKey,
    /// Whether whoever had the socket went with it.
    for_good: bool,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let fact = if self.for_good {
            Fact::Departed(self.key)
        } else {
            Fact::Disconnected(self.key)
        };
        if let Err(TrySendError::Full(fact)) = self.facts.try_send(fact) {
            let facts = self.facts.clone();
            tokio::spawn(async move { facts.send(fact).await });
        }
    }
}

/// Serves one socket until its end. `leftover` came behind the upgrade request.
pub(crate) async fn run<S: Stream>(
    stream: S,
    leftover: Bytes,
    key: ConnectionKey,
    address: AddressKey,
    stranger: StrangerTicket,
    house: Surroundings,
) {
    let outbox = Arc::new(Outbox::new(house.capacity));
    let connected = Fact::Connected(key, address, Arc::clone(&outbox));
    if house.facts.send(connected).await.is_err() {
        return;
    }
    let mut presence = Presence {
        facts: house.facts.clone(),
        key,
        for_good: false,
    };
    let mut socket = Socket {
        stream,
        decoder: Decoder::new(),
        outbox,
        facts: house.facts,
        key,
        backlog: VecDeque::new(),
        control: Bucket::default(),
        started: house.started,
        stuck: None,
        stranger: Some(stranger),
    };
    let mut end = None;
    if !leftover.is_empty() {
        end = socket.take_in(&mut BytesMut::from(&leftover[..]));
    }
    let end = loop {
        if let Some(end) = end {
            break end;
        }
        while let Some(fact) = socket.backlog.pop_front() {
            if socket.facts.send(fact).await.is_err() {
                socket.outbox.close(CloseCode::Restart);
            }
        }
        match poll_fn(|context| socket.poll_step(context)).await {
            Step::Backlog => {}
            Step::End(ended) => end = Some(ended),
        }
    };
    presence.for_good = matches!(end, End::ClosedByPeer { for_good: true });
    drop(presence);
    let code = socket.outbox.closing();
    house.metrics.count_close(code);
    match end {
        End::Gone => {}
        End::ClosedByPeer { .. } | End::ClosedByUs => {
            // Whoever keeps us waiting here has had their answer.
            let _ = timeout(LINGER, socket.say_goodbye(matches!(end, End::ClosedByUs))).await;
        }
    }
}

impl<S: Stream> Socket<S> {
    /// Writes what waits and reads what came, until something needs the task's attention.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        loop {
            if self.poll_write(context).is_err() {
                return Poll::Ready(Step::End(End::Gone));
            }
            if self.outbox.closing().is_some() {
                return Poll::Ready(Step::End(End::ClosedByUs));
            }
            if !self.backlog.is_empty() {
                return Poll::Ready(Step::Backlog);
            }
            if let Some(end) = ready!(self.poll_read(context)) {
                return Poll::Ready(Step::End(end));
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<End>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut read)) {
                Ok(()) if !read.filled().is_empty() => Poll::Ready(self.take_in(read.filled_mut())),
                Ok(()) | Err(_) => Poll::Ready(Some(End::Gone)),
            }
        })
    }

    /// Takes in what was read; says if that was the end.
    fn take_in(&mut self, bytes: &mut [u8]) -> Option<End> {
        let mut end = None;
        let Self {
            decoder,
            outbox,
            facts,
            key,
            backlog,
            control,
            started,
            stranger,
            ..
        } = self;
        let fed = decoder.feed(bytes, |incoming| match incoming {
            Incoming::Text(text) => {
                *stranger = None;
                hand_over(facts, backlog, Fact::Said(*key, text));
            }
            Incoming::Ping(payload) if may_ping(control, *started) => outbox.push_pong(payload),
            Incoming::Pong if may_ping(control, *started) => {}
            Incoming::Ping(_) | Incoming::Pong => outbox.close(CloseCode::RateLimited),
            Incoming::Close { for_good } => end = Some(End::ClosedByPeer { for_good }),
        });
        if let Err(code) = fed {
            outbox.close(code);
            end = Some(End::ClosedByUs);
        }
        end
    }

    /// Writes as much as the socket takes. An error is the end of the socket.
    fn poll_write(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        WRITE_BUFFER.with_borrow_mut(|buffer| {
            while self.outbox.fill(context, buffer) {
                match Pin::new(&mut self.stream).poll_write(context, buffer) {
                    Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                    Poll::Ready(Ok(written)) => {
                        self.outbox.advance(written);
                        self.stuck = None;
                    }
                    Poll::Ready(Err(error)) => return Err(error),
                    Poll::Pending => {
                        self.outbox.advance(0);
                        return self.poll_stuck(context);
                    }
                }
            }
            // What TLS has taken is written only now.
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(flushed) => {
                    self.stuck = None;
                    flushed
                }
                Poll::Pending => self.poll_stuck(context),
            }
        })
    }

    /// Whether a write that does not go on has waited too long.
    fn poll_stuck(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let limit = || Box::pin(sleep_until(Instant::now() + limits::WRITE_WITHIN));
        match self.stuck.get_or_insert_with(limit).as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Writes what is left and the close frame. If we began, reads on until the other end has
    /// closed as well: a socket closed with unread bytes is reset, and the close frame lost.
    async fn say_goodbye(&mut self, wait_for_answer: bool) {
        self.outbox.close(CloseCode::Normal);
        let written = poll_fn(|context| match self.poll_write(context) {
            Err(error) => Poll::Ready(Err(error)),
            Ok(()) if self.outbox.is_empty() => Poll::Ready(Ok(())),
            Ok(()) => Poll::Pending,
        });
        if written.await.is_err() {
            return;
        }
        let _ = poll_fn(|context| Pin::new(&mut self.stream).poll_shutdown(context)).await;
        if wait_for_answer {
            poll_fn(|context| self.poll_discard(context)).await;
        }
    }

    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            loop {
                let mut read = ReadBuf::new(buffer);
                match ready!(Pin::new(&mut self.stream).poll_read(context, &mut read)) {
                    Ok(()) if !read.filled().is_empty() => {}
                    Ok(()) | Err(_) => return Poll::Ready(()),
                }
            }
        })
    }
}

/// Gives a fact to the hub, or keeps it while the hub is busy.
fn hand_over(facts: &mpsc::Sender<Fact>, backlog: &mut VecDeque<Fact>, fact: Fact) {
    if !backlog.is_empty() {
        return backlog.push_back(fact);
    }
    match facts.try_send(fact) {
        Ok(()) | Err(TrySendError::Closed(_)) => {}
        Err(TrySendError::Full(fact)) => backlog.push_back(fact),
    }
}

fn may_ping(control: &mut Bucket, started: Instant) -> bool {
    const BURST: u32 = 3 * limits::CONTROL_FRAMES_PER_SECOND;
    let rate = Rate::per_second(limits::CONTROL_FRAMES_PER_SECOND, BURST);
    control.take(started.elapsed(), rate, 1)
}

/// The text of a message that the shell itself writes.
pub(crate) fn text_of(message: &visavis_protocol::ServerMessage) -> ByteString {
    message.encode().into()
}
