//! Who may connect: counts and rates by network address, before anything is known of the caller.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::config::Limits;
use crate::hub::{AddressKey, Rate};

/// How long a connection over its address's rate may wait its turn. A class that opens a link all
/// at once shares one address; refusing them would break their pages.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The node has as many as it can.
    NodeFull,
    /// The address has as many as it may.
    AddressFull,
    /// The address connects too fast.
    TooFast,
}

#[derive(Default)]
struct Usage {
    open: u32,
    sockets: u32,
    strangers: u32,
    /// When the bucket of accepts will be full again.
    full_at: Duration,
    /// Wakes one handshake that waits for a stranger to go; made when the first one waits.
    freed: Option<Arc<Notify>>,
}

#[derive(Default)]
struct Book {
    open: usize,
    addresses: BTreeMap<AddressKey, Usage>,
}

/// The door.
pub(crate) struct Admission {
    limits: Limits,
    book: Mutex<Book>,
    idle: Notify,
}

impl Admission {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            book: Mutex::default(),
            idle: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a TCP connection in, at once or after the time that comes with the ticket.
    ///
    /// `address` is `None` for a trusted proxy, which speaks for many.
    pub(crate) fn admit(
        self: &Arc<Self>,
        now: Duration,
        address: Option<AddressKey>,
    ) -> Result<(Ticket, Duration), Refusal> {
        let mut book = self.lock();
        if book.open >= self.limits.connections {
            return Err(Refusal::NodeFull);
        }
        let mut wait = Duration::ZERO;
        if let Some(address) = address {
            let usage = book.addresses.entry(address).or_default();
            if usage.open >= self.limits.connections_per_address {
                return Err(Refusal::AddressFull);
            }
            wait = usage.queue(now, &self.limits)?;
            usage.open += 1;
        }
        book.open += 1;
        let ticket = Ticket {
            admission: Arc::clone(self),
            address,
        };
        Ok((ticket, wait))
    }

    /// Lets a WebSocket in that came over an admitted connection for this address.
    pub(crate) fn admit_socket(
        self: &Arc<Self>,
        address: AddressKey,
    ) -> Result<(SocketTicket, StrangerTicket), Refusal> {
        let mut book = self.lock();
        let usage = book.addresses.entry(address).or_default();
        if usage.sockets >= self.limits.connections_per_address
            || usage.strangers >= self.limits.strangers_per_address
        {
            let refusal = Refusal::AddressFull;
            book.forget_if_idle(address, Duration::ZERO);
            return Err(refusal);
        }
        usage.sockets += 1;
        usage.strangers += 1;
        Ok((
            SocketTicket(Arc::clone(self), address),
            StrangerTicket(Arc::clone(self), address),
        ))
    }

    /// Waits for a place among the strangers: whoever is in the middle of a TLS handshake is one. Waiting
    /// costs no more than an open connection, so a class that opens a link all at once gets in, and who
    /// leaves handshakes unfinished keeps only their own address waiting.
    pub(crate) async fn admit_handshake(self: &Arc<Self>, address: AddressKey) -> StrangerTicket {
        loop {
            let freed = {
                let mut book = self.lock();
                let usage = book.addresses.entry(address).or_default();
                if usage.strangers < self.limits.strangers_per_address {
                    usage.strangers += 1;
                    return StrangerTicket(Arc::clone(self), address);
                }
                Arc::clone(usage.freed.get_or_insert_default())
            };
            freed.notified().await;
        }
    }

    /// Open TCP connections.
    pub(crate) fn open(&self) -> usize {
        self.lock().open
    }

    /// Waits until no connection is open.
    pub(crate) async fn all_gone(&self) {
        loop {
            let notified = self.idle.notified();
            if self.open() == 0 {
                return;
            }
            notified.await;
        }
    }

    /// Forgets addresses without connections whose rate has recovered. Called now and then.
    pub(crate) fn sweep(&self, now: Duration) {
        self.lock()
            .addresses
            .retain(|_, usage| !usage.is_idle() || usage.full_at > now);
    }

    /// Addresses remembered.
    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.lock().addresses.len()
    }

    fn wake_handshake(&self, address: AddressKey) {
        if let Some(usage) = self.lock().addresses.get(&address)
            && let Some(freed) = &usage.freed
        {
            freed.notify_one();
        }
    }

    fn release(&self, address: AddressKey, field: fn(&mut Usage) -> &mut u32) {
        let mut book = self.lock();
        if let Some(usage) = book.addresses.get_mut(&address) {
            let count = field(usage);
            *count = count.saturating_sub(1);
        }
    }
}

impl Book {
    fn forget_if_idle(&mut self, address: AddressKey, now: Duration) {
        if self
            .addresses
            .get(&address)
            .is_some_and(|usage| usage.is_idle() && usage.full_at <= now)
        {
            self.addresses.remove(&address);
        }
    }
}

impl Usage {
    const fn is_idle(&self) -> bool {
        self.open == 0 && self.sockets == 0 && self.strangers == 0
    }

    /// Takes a place in the queue of the address, or says that it is too long.
    fn queue(&mut self, now: Duration, limits: &Limits) -> Result<Duration, Refusal> {
        let rate = Rate::per_second(limits.accepts_per_second, limits.accepts_burst);
        let full_at = self.full_at.max(now) + rate.period();
        let wait = (full_at - now).saturating_sub(rate.tolerance());
        if wait > PATIENCE {
            return Err(Refusal::TooFast);
        }
        self.full_at = full_at;
        Ok(wait)
    }
}

/// The place of one open TCP connection; given back on drop.
pub(crate) struct Ticket {
    admission: Arc<Admission>,
    address: Option<AddressKey>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(address) = self.address {
            self.admission.release(address, |usage| &mut usage.open);
        }
        let mut book = self.admission.lock();
        book.open -= 1;
        if book.open == 0 {
            self.admission.idle.notify_waiters();
        }
    }
}

/// The place of one WebSocket; given back on drop.
pub(crate) struct SocketTicket(Arc<Admission>, AddressKey);

impl Drop for SocketTicket {
    fn drop(&mut self) {
        self.0.release(self.1, |usage| &mut usage.sockets);
    }
}

/// The place of one WebSocket that has not said anything yet; given back on drop.
pub(crate) struct StrangerTicket(Arc<Admission>, AddressKey);

impl Drop for StrangerTicket {
    fn drop(&mut self) {
        self.0.release(self.1, |usage| &mut usage.strangers);
        self.0.wake_handshake(self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: AddressKey = AddressKey::V4(1);

    fn door(limits: Limits) -> Arc<Admission> {
        Admission::new(limits)
    }

    #[test]
    fn a_crowd_from_one_address_waits_its_turn_and_a_flood_is_refused() {
        let door = door(Limits::default());
        let mut waits = Vec::new();
        let mut tickets = Vec::new();
        let refused = loop {
            match door.admit(Duration::ZERO, Some(ADDRESS)) {
                Ok((ticket, wait)) => {
                    waits.push(wait);
                    // Closed again at once, so that only the rate counts.
                    tickets.push(ticket);
                    tickets.clear();
                }
                Err(refusal) => break refusal,
            }
        };
        assert_eq!(refused, Refusal::TooFast);
        assert_eq!(waits.iter().filter(|wait| wait.is_zero()).count(), 64);
        assert_eq!(waits.len(), 64 + 200);
        assert!(waits.is_sorted());
        assert!(door.admit(Duration::ZERO, Some(AddressKey::V4(2))).is_ok());
    }

    #[test]
    fn places_are_counted_by_address_and_in_all_and_given_back() {
        let limits = Limits {
            connections: 3,
            connections_per_address: 2,
            ..Limits::default()
        };
        let door = door(limits);
        let first = door.admit(Duration::ZERO, Some(ADDRESS)).unwrap();
        let _second = door.admit(Duration::ZERO, Some(ADDRESS)).unwrap();
        let refused = door.admit(Duration::ZERO, Some(ADDRESS)).err();
        assert_eq!(refused, Some(Refusal::AddressFull));
        let _third = door.admit(Duration::ZERO, None).unwrap();
        let refused = door.admit(Duration::ZERO, None).err();
        assert_eq!(refused, Some(Refusal::NodeFull));
        drop(first);
        assert_eq!(door.open(), 2);
        assert!(door.admit(Duration::ZERO, Some(ADDRESS)).is_ok());
    }

    #[tokio::test]
    async fn handshakes_are_strangers_and_wait_for_one_to_go() {
        let limits = Limits {
            strangers_per_address: 2,
            ..Limits::default()
        };
        let door = door(limits);
        let first = door.admit_handshake(ADDRESS).await;
        let _second = door.admit_handshake(ADDRESS).await;
        assert!(door.admit_socket(ADDRESS).is_err());
        let mut third = std::pin::pin!(door.admit_handshake(ADDRESS));
        let mut context = core::task::Context::from_waker(core::task::Waker::noop());
        assert!(third.as_mut().poll(&mut context).is_pending());
        let _other = door.admit_handshake(AddressKey::V4(2)).await;
        drop(first);
        assert!(third.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn strangers_are_few_and_the_book_is_swept() {
        let door = door(Limits::default());
        let tickets: Vec<_> = (0..32).map(|_| door.admit_socket(ADDRESS).unwrap()).collect();
        assert!(door.admit_socket(ADDRESS).is_err());
        let known: Vec<_> = tickets.into_iter().map(|(socket, _)| socket).collect();
        assert!(door.admit_socket(ADDRESS).is_ok());
        drop(known);
        door.sweep(Duration::ZERO);
        assert_eq!(door.remembered(), 0);
    }
}
