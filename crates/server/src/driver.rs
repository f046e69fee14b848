//! The task that owns the hub.
//!
//! Sockets send it facts through one bounded queue; it feeds them to the hub in batches and puts
//! the hub's words into the sockets' outboxes. It never waits for a socket, so a full queue slows
//! readers down and can never lock up.

use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::SystemTime;

use bytestring::ByteString;
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tracing::{debug, error, info, warn};
use visavis_protocol::{CloseCode, ServerMessage};

use crate::hub::{AddressKey, Change, ConnectionKey, Counts, Hub, Output, Totals};
use crate::links::Signer;
use crate::socket::{Outbox, Overflow, text_of};
use crate::store::{Store, StoreError};

/// Facts that may wait for the hub. Beyond it, sockets are read no further.
pub(crate) const QUEUE_FACTS: usize = 1024;
/// Facts fed to the hub before its words are delivered.
const BATCH_FACTS: usize = 256;
/// A draining server asks its clients to return within this, each at another moment.
const RETURN_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether an operator's command wrote to the store.
const LOOK_AT_STORE_EVERY: Duration = Duration::from_secs(2);
/// How long a write that fails is tried again: another process may hold the file, or a full disk get room.
const WRITE_WITHIN: Duration = Duration::from_secs(5);
/// From one try to the next.
const WRITE_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What happened at a socket.
#[derive(Debug)]
pub(crate) enum Fact {
    /// It was opened.
    Connected(ConnectionKey, AddressKey, Arc<Outbox>),
    /// It said something.
    Said(ConnectionKey, ByteString),
    /// It is gone.
    Disconnected(ConnectionKey),
    /// It is gone, and the page that had it too.
    Departed(ConnectionKey),
}

/// What somebody else wants of the hub's task.
pub(crate) enum Request {
    /// Its figures.
    Figures(oneshot::Sender<(Counts, Totals)>),
    /// Say good-bye to all; sent once, when the server is to stop.
    Drain,
}

struct Driver {
    hub: Hub,
    store: Store,
    signer: Arc<Signer>,
    started: Instant,
    outboxes: FxHashMap<ConnectionKey, Arc<Outbox>>,
    draining: bool,
}

/// Runs the hub until nobody can send it anything any more.
///
/// # Errors
/// If something cannot be written down: then the hub knows more than the next start will, so it must not
/// say another word.
pub(crate) async fn run(
    hub: Hub,
    store: Store,
    signer: Arc<Signer>,
    started: Instant,
    mut facts: mpsc::Receiver<Fact>,
    mut requests: mpsc::Receiver<Request>,
) -> Result<(), StoreError> {
    let mut driver = Driver {
        hub,
        store,
        signer,
        started,
        outboxes: FxHashMap::default(),
        draining: false,
    };
    let mut batch = Vec::with_capacity(BATCH_FACTS);
    let alarm = sleep_until(started);
    tokio::pin!(alarm);
    let mut looks = interval(LOOK_AT_STORE_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = driver.hub.poll_timeout().map(|due| started + due);
        if let Some(due) = due
            && due != alarm.deadline()
        {
            alarm.as_mut().reset(due);
        }
        tokio::select! {
            biased;
            Some(request) = requests.recv() => driver.serve(request),
            received = facts.recv_many(&mut batch, BATCH_FACTS) => {
                if received == 0 {
                    return Ok(());
                }
                driver.take_in(&mut batch);
            }
            () = &mut alarm, if due.is_some() => {
                let now = driver.now();
                driver.guarded(None, |hub| hub.tick(now));
            }
            _ = looks.tick() => driver.look_at_store(),
        }
        driver.deliver().await?;
    }
}

impl Driver {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn take_in(&mut self, batch: &mut Vec<Fact>) {
        let now = self.now();
        self.guarded(None, |hub| hub.set_clock(now, unix_time()));
        for fact in batch.drain(..) {
            match fact {
                Fact::Connected(key, address, outbox) => self.connected(now, key, address, outbox),
                Fact::Said(key, text) => self.guarded(Some(key), |hub| hub.receive(now, key, &text)),
                Fact::Disconnected(key) => {
                    self.outboxes.remove(&key);
                    self.guarded(None, |hub| hub.disconnect(now, key));
                }
                Fact::Departed(key) => {
                    self.outboxes.remove(&key);
                    self.guarded(None, |hub| hub.depart(now, key));
                }
            }
        }
    }

    fn connected(&mut self, now: Duration, key: ConnectionKey, address: AddressKey, outbox: Arc<Outbox>) {
        if self.draining {
            return say_goodbye(&outbox);
        }
        self.outboxes.insert(key, outbox);
        self.guarded(Some(key), |hub| hub.connect(now, key, address));
    }

    /// Lets the hub work. Should it panic on what one client wrote, that client goes and the
    /// others stay; it is a bug all the same.
    fn guarded(&mut self, cause: Option<ConnectionKey>, work: impl FnOnce(&mut Hub)) {
        let hub = &mut self.hub;
        if catch_unwind(AssertUnwindSafe(|| work(hub))).is_err() {
            error!(connection = cause.map(|key| key.0), "the hub panicked");
            if let Some(outbox) = cause.and_then(|key| self.outboxes.remove(&key)) {
                outbox.close(CloseCode::BadMessage);
            }
        }
    }

    /// Does what the hub wants, in its order: nobody is told anything before all that was to be written
    /// down until then is written.
    async fn deliver(&mut self) -> Result<(), StoreError> {
        loop {
            let mut slow = Vec::new();
            while let Some(output) = self.hub.poll_output() {
                match output {
                    Output::Send { connection, text } => {
                        if let Some(outbox) = self.outboxes.get(&connection)
                            && outbox.push(text) == Err(Overflow)
                        {
                            self.outboxes.remove(&connection);
                            slow.push(connection);
                        }
                    }
                    Output::Store(change) => self.write(&change).await?,
                    Output::Close { connection, code } => {
                        debug!(connection = connection.0, code = code.code(), "closed");
                        if let Some(outbox) = self.outboxes.remove(&connection) {
                            outbox.close(code);
                        }
                    }
                }
            }
            if slow.is_empty() {
                return Ok(());
            }
            let now = self.now();
            for connection in slow {
                debug!(connection = connection.0, "too slow a reader");
                self.guarded(None, |hub| hub.disconnect(now, connection));
            }
        }
    }

    /// Writes a change down, and waits for a store that refuses it. Everybody waits with it: which words
    /// build on the change, the hub alone knows.
    async fn write(&mut self, change: &Change) -> Result<(), StoreError> {
        let mut refused = None;
        while let Err(error) = self.store.write(change) {
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            let since: Instant = *refused.get_or_insert_with(|| {
                warn!(%error, reason, "something could not be written down; everybody waits while it is tried again");
                Instant::now()
            });
            if since.elapsed() >= WRITE_WITHIN {
                error!(%error, reason, "something cannot be written down; the server ends, so that nobody is told that it was");
                return Err(error);
            }
            sleep(WRITE_AGAIN_AFTER).await;
        }
        if refused.is_some() {
            info!("it is written down now");
        }
        Ok(())
    }

    /// Looks whether an operator freed a handle.
    fn look_at_store(&mut self) {
        self.signer.look();
        let freed = self.store.freed().unwrap_or_else(|error| {
            error!(%error, "the store cannot be looked at");
            Vec::new()
        });
        let now = self.now();
        for handle in freed {
            info!("a handle was freed");
            debug!(%handle, "freed");
            self.guarded(None, |hub| hub.free_handle(now, &handle));
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Figures(reply) => {
                // Whoever asked may have gone meanwhile.
                let _ = reply.send((self.hub.counts(), self.hub.totals().clone()));
            }
            Request::Drain => {
                info!(connections = self.outboxes.len(), "draining");
                self.draining = true;
                for outbox in self.outboxes.values() {
                    say_goodbye(outbox);
                }
                self.outboxes.clear();
            }
        }
    }
}

/// The time since 1970; none before.
pub(crate) fn unix_time() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// Tells a client when to come back, spread so that not all come at once (F11).
fn say_goodbye(outbox: &Outbox) {
    let retry_after_ms = getrandom::u64().unwrap_or_default() % RETURN_WITHIN.as_millis() as u64;
    // A reader too slow for this is closed as well.
    let _ = outbox.push(text_of(&ServerMessage::GoingAway { retry_after_ms }));
    outbox.close(CloseCode::Restart);
}
