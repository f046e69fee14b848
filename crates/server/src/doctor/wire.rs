//! TCP connections of a check: opened to a name, and over when the check's time is.
//!
//! A server that sends one byte now and then cannot hold up the doctor: every read and write gets
//! only what is left of the time.

use core::time::Duration;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

/// More addresses of one name are not tried: there is no time for them.
const ADDRESSES: usize = 4;

/// The moment at which a check gives up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// What is left, never zero: a socket would take that for "for ever".
    pub(super) fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

/// What bytes go through, encrypted or not.
pub(super) trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// A TCP connection that ends with the check.
pub(super) struct Wire {
    stream: TcpStream,
    deadline: Deadline,
}

impl Wire {
    /// Connects to an address.
    pub(super) fn open(address: SocketAddr, deadline: Deadline) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, deadline.left()?)?;
        Ok(Self { stream, deadline })
    }

    /// Connects to a `host:port`, to the first of its addresses that accepts; else why not.
    pub(super) fn connect(authority: &str, deadline: Deadline) -> Result<Self, String> {
        let addresses = resolve(authority, deadline)?;
        let mut last = ErrorKind::TimedOut.into();
        for (tried, address) in addresses.iter().enumerate() {
            // One that swallows all leaves time for the others.
            let share = u32::try_from(addresses.len() - tried).unwrap_or(1);
            let connected = deadline
                .left()
                .and_then(|left| TcpStream::connect_timeout(address, left / share));
            match connected {
                Ok(stream) => return Ok(Self { stream, deadline }),
                Err(error) => last = error,
            }
        }
        Err(plain(&last))
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.deadline.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.deadline.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The addresses of a `host:port`, at least one. The system's own search has no limit of time that
/// we could set, so it runs beside us and is left behind when it takes too long.
pub(super) fn resolve(authority: &str, deadline: Deadline) -> Result<Vec<SocketAddr>, String> {
    if let Ok(address) = authority.parse() {
        return Ok(vec![address]);
    }
    let (found, finding) = mpsc::channel();
    let name = authority.to_owned();
    thread::spawn(move || {
        let addresses = name
            .to_socket_addrs()
            .map(|all| all.take(ADDRESSES).collect::<Vec<_>>());
        // Nobody hears it any more if it took too long.
        let _ = found.send(addresses);
    });
    let left = deadline.left().map_err(|error| plain(&error))?;
    match finding.recv_timeout(left) {
        Ok(Ok(addresses)) if addresses.is_empty() => Err("its name has no address".into()),
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(format!("its name cannot be found: {error}")),
        Err(_) => Err("its name is not found in time; the DNS server may be out of reach".into()),
    }
}

/// The host of a `host:port`, an IPv6 address without its brackets.
pub(super) fn host(authority: &str) -> &str {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// What went wrong with a connection, for whoever set its address.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the system's errors are an open set"
)]
pub(super) fn plain(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".into(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            "no answer in time; a firewall may be in the way".into()
        }
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            "it ends the connection without an answer".into()
        }
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
            "this machine has no way there; the address may be of a kind (IPv4, IPv6) that it lacks".into()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_drip_does_not_stretch_the_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let dripping = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut drops = 0;
            // Each would renew a limit that was set once for every read.
            while stream.write_all(b".").is_ok() {
                thread::yield_now();
                drops += 1;
            }
            drops
        });
        let mut wire = Wire::open(address, Deadline::after(Duration::from_millis(100))).unwrap();
        let mut one = [0];
        let error = loop {
            if let Err(error) = wire.read_exact(&mut one) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(wire);
        assert!(dripping.join().unwrap() > 0);
    }

    #[test]
    fn hosts_lose_ports_and_brackets() {
        assert_eq!(host("meet.example:443"), "meet.example");
        assert_eq!(host("[2001:db8::1]:443"), "2001:db8::1");
    }
}
