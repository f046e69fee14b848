//! What the hub remembers of network addresses: rates, and resumes that failed.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use visavis_protocol::limits;

use super::config::HubLimits;
use super::rate::{Bucket, Rate};

/// Where a connection comes from, as coarse as one customer's line: an IPv4 address, or the /64
/// prefix of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressKey {
    /// An IPv4 address.
    V4(u32),
    /// The first 64 bits of an IPv6 address.
    V6(u64),
}

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

#[derive(Default)]
struct Usage {
    connections: u32,
    joins: Bucket,
    rooms: Bucket,
    handles: Bucket,
    renames: Bucket,
}

#[derive(Default)]
struct Failures {
    /// Times of failed resumes, oldest first; at most as many as lead to a refusal.
    times: VecDeque<Duration>,
    refused_until: Option<Duration>,
    last: Duration,
}

/// The book of addresses.
pub(super) struct Addresses {
    joins: Rate,
    rooms: Rate,
    handles: Rate,
    failed_resumes: usize,
    usage: BTreeMap<AddressKey, Usage>,
    failures: BTreeMap<AddressKey, Failures>,
    by_age: BTreeSet<(Duration, AddressKey)>,
}

impl Addresses {
    pub(super) fn new(config: &HubLimits) -> Self {
        Self {
            joins: Rate::per_second(config.joins_per_second, config.joins_burst),
            rooms: Rate::new(
                config.rooms_per_minute,
                Duration::from_secs(60),
                config.rooms_per_minute,
            ),
            handles: Rate::new(
                config.handles_per_minute,
                Duration::from_secs(60),
                config.handles_per_minute,
            ),
            failed_resumes: config.failed_resumes as usize,
            usage: BTreeMap::new(),
            failures: BTreeMap::new(),
            by_age: BTreeSet::new(),
        }
    }

    pub(super) fn connected(&mut self, address: AddressKey) {
        let usage = self.usage.entry(address).or_default();
        usage.connections = usage.connections.saturating_add(1);
    }

    /// Counts a connection out; forgets the address when it has its whole allowance anyway.
    pub(super) fn disconnected(&mut self, now: Duration, address: AddressKey) {
        if let Some(usage) = self.usage.get_mut(&address) {
            usage.connections = usage.connections.saturating_sub(1);
            if usage.is_idle(now) {
                self.usage.remove(&address);
            }
        }
    }

    pub(super) fn may_join(&mut self, now: Duration, address: AddressKey) -> bool {
        let rate = self.joins;
        self.usage.entry(address).or_default().joins.take(now, rate, 1)
    }

    pub(super) fn may_open_room(&mut self, now: Duration, address: AddressKey) -> bool {
        let rate = self.rooms;
        self.usage.entry(address).or_default().rooms.take(now, rate, 1)
    }

    /// Whether somebody here may give a room another id.
    pub(super) fn may_rename(&mut self, now: Duration, address: AddressKey) -> bool {
        let pace = limits::RENAMES_PER_ADDRESS;
        let rate = Rate::new(pace, Duration::from_secs(60), pace);
        self.usage.entry(address).or_default().renames.take(now, rate, 1)
    }

    /// Whether somebody here may take another handle that nobody has.
    pub(super) fn may_take_handle(&mut self, now: Duration, address: AddressKey) -> bool {
        let rate = self.handles;
        self.usage.entry(address).or_default().handles.take(now, rate, 1)
    }

    /// Whether too many resumes failed from here.
    pub(super) fn is_refused(&self, now: Duration, address: AddressKey) -> bool {
        self.failures
            .get(&address)
            .and_then(|failures| failures.refused_until)
            .is_some_and(|until| now < until)
    }

    /// Notes a resume of a session that never was. A guess cannot hit (128 bits): who guesses is
    /// looking for something else, and is sent away.
    pub(super) fn resume_failed(&mut self, now: Duration, address: AddressKey) {
        let failures = self.failures.entry(address).or_default();
        self.by_age.remove(&(failures.last, address));
        failures.last = now;
        self.by_age.insert((now, address));
        while failures
            .times
            .front()
            .is_some_and(|time| *time + limits::FAILED_RESUMES_WITHIN <= now)
        {
            failures.times.pop_front();
        }
        failures.times.push_back(now);
        if failures.times.len() >= self.failed_resumes {
            failures.times.clear();
            failures.refused_until = Some(now + limits::REFUSED_FOR);
        }
        while self.failures.len() > limits::REMEMBERED_ADDRESSES
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.failures.remove(&oldest);
        }
    }

    /// Forgets what no longer matters. Called once a minute: the longest bucket is a minute long.
    pub(super) fn sweep(&mut self, now: Duration) {
        self.usage.retain(|_, usage| !usage.is_idle(now));
        while let Some(&(last, address)) = self.by_age.first()
            && last + limits::REFUSED_FOR <= now
        {
            self.by_age.pop_first();
            self.failures.remove(&address);
        }
    }

    /// Addresses with anything remembered.
    pub(super) fn len(&self) -> usize {
        self.usage.len() + self.failures.len()
    }
}

impl Usage {
    fn is_idle(&self, now: Duration) -> bool {
        self.connections == 0
            && [self.joins, self.rooms, self.handles, self.renames]
                .iter()
                .all(|bucket| bucket.is_full(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_customer_is_one_address_and_a_mapped_one_is_ipv4() {
        let key = |text: &str| AddressKey::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
    }

    #[test]
    fn the_memory_of_failures_is_bounded_and_fades() {
        let mut book = Addresses::new(&HubLimits::default());
        for n in 0..20_000_u32 {
            book.resume_failed(Duration::from_millis(u64::from(n)), AddressKey::V4(n));
        }
        assert_eq!(book.len(), limits::REMEMBERED_ADDRESSES);
        book.sweep(limits::REFUSED_FOR + Duration::from_secs(60));
        assert_eq!(book.len(), 0);
    }

    #[test]
    fn failures_far_apart_refuse_nobody() {
        let mut book = Addresses::new(&HubLimits::default());
        let address = AddressKey::V4(1);
        for n in 0..100_u64 {
            let now = Duration::from_secs(n * 5 * 60);
            book.resume_failed(now, address);
            assert!(!book.is_refused(now, address));
        }
        let now = Duration::from_secs(600 * 60);
        for _ in 0..limits::FAILED_RESUMES {
            book.resume_failed(now, address);
        }
        assert!(book.is_refused(now, address));
        assert!(!book.is_refused(now + limits::REFUSED_FOR, address));
    }
}
