//! Carries packets between TUN devices, each after the same delay.
//!
//! One thread and one queue: with one delay for all, packets become due in the order in which they
//! came. What is addressed to nobody is dropped, so nothing leaves the place.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tun_rs::{DeviceBuilder, SyncDevice};

/// Packets under way at once; more are dropped, as a router does. 20,000 of 1,200 B in 50 ms are
/// 3.8 Gbit/s.
const UNDER_WAY: usize = 20_000;
/// The longest wait: how soon the end is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The longest packet that a device with an MTU of 1500 gives.
const PACKET_BYTES: usize = 2048;

/// A device that is to be moved into a namespace; it vanishes with this handle.
///
/// # Errors
/// If it cannot be made.
pub fn device(name: &str) -> Result<SyncDevice> {
    let device = DeviceBuilder::new()
        .name(name)
        .inherit_enable_state()
        .build_sync()
        .context("cannot make a TUN device")?;
    device.set_nonblocking(true)?;
    Ok(device)
}

/// The running thread; dropping it ends it.
pub struct Router {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Packet {
    due: Instant,
    to: usize,
    bytes: Vec<u8>,
}

impl Router {
    /// Starts carrying. The nth device is host n + 1 of the network.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(devices: Vec<SyncDevice>, network: [u8; 3], delay: Duration) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("router".into()).spawn(move || {
            if let Err(error) = carry(&devices, network, delay, &seen) {
                eprintln!("the router between the namespaces failed: {error:#}");
            }
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn carry(devices: &[SyncDevice], network: [u8; 3], delay: Duration, stop: &AtomicBool) -> Result<()> {
    let mut queue: VecDeque<Packet> = VecDeque::new();
    let mut buffer = vec![0; PACKET_BYTES];
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        let wait = queue
            .front()
            .map_or(LOOK_EVERY, |packet| packet.due.saturating_duration_since(now))
            .min(LOOK_EVERY);
        wait_for(devices, wait)?;
        for device in devices {
            // Read in turns of a bounded length, so that what is due is not held up by a flood.
            for _ in 0..64 {
                match device.recv(&mut buffer) {
                    Ok(count) => {
                        if let Some(to) = addressee(&buffer[..count], network, devices.len())
                            && queue.len() < UNDER_WAY
                        {
                            queue.push_back(Packet {
                                due: Instant::now() + delay,
                                to,
                                bytes: buffer[..count].to_vec(),
                            });
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error).context("reading a packet"),
                }
            }
        }
        let now = Instant::now();
        while queue.front().is_some_and(|packet| packet.due <= now)
            && let Some(packet) = queue.pop_front()
        {
            match devices[packet.to].send(&packet.bytes) {
                Ok(_) => {}
                // A full device drops, as a full link does.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("writing a packet"),
            }
        }
    }
    Ok(())
}

fn wait_for(devices: &[SyncDevice], wait: Duration) -> Result<()> {
    let mut polled: Vec<PollFd<'_>> = devices
        .iter()
        .map(|device| PollFd::from_borrowed_fd(device.as_fd(), PollFlags::IN))
        .collect();
    let wait = Timespec {
        tv_sec: i64::try_from(wait.as_secs())?,
        tv_nsec: i64::from(wait.subsec_nanos()),
    };
    match poll(&mut polled, Some(&wait)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error).context("waiting for packets"),
    }
}

/// Which device leads to the destination of an IPv4 packet (RFC 791, section 3.1).
fn addressee(packet: &[u8], network: [u8; 3], hosts: usize) -> Option<usize> {
    let destination: [u8; 4] = *packet.get(16..)?.first_chunk()?;
    let is_ours = packet[0] >> 4 == 4 && destination[..3] == network;
    let host = usize::from(destination[3]).checked_sub(1)?;
    (is_ours && host < hosts).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::addressee;

    #[test]
    fn only_packets_to_hosts_of_the_place_are_carried() {
        let mut packet = vec![0; 20];
        packet[0] = 0x45;
        packet[16..].copy_from_slice(&[10, 88, 0, 2]);
        assert_eq!(addressee(&packet, [10, 88, 0], 3), Some(1));
        assert_eq!(addressee(&packet, [10, 88, 0], 1), None);
        packet[16..].copy_from_slice(&[224, 0, 0, 251]);
        assert_eq!(addressee(&packet, [10, 88, 0], 3), None);
        assert_eq!(addressee(&packet[..10], [10, 88, 0], 3), None);
        packet[0] = 0x60;
        assert_eq!(addressee(&packet, [10, 88, 0], 3), None);
    }
}
