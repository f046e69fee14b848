//! Thousands of WebSocket clients on one thread.
//!
//! The clients come from many loopback addresses, a few from each, because the server counts by
//! address and its limits stay as they are. It knows frames, not messages.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};

use super::frame::{self, Frame};
use crate::program;

/// Sockets that may be opening at one moment: below the backlog of any server.
const OPENING_AT_ONCE: usize = 64;
/// How long opening, and any other common step of a crowd, may take.
const STEP_WITHIN: Duration = Duration::from_secs(90);
/// Read at once from one socket.
const SCRATCH_BYTES: usize = 256 * 1024;
/// The longest head of an answer to the upgrade.
const HEAD_BYTES: usize = 16 * 1024;

/// What the server of a crowd wants to hear at first.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// The path of its WebSocket.
    pub path: String,
    /// Whether the path goes on with the number of the client's pair.
    pub names_pair: bool,
    /// The frame that a client writes as soon as it is open, and to which one message answers.
    pub greeting: Option<Vec<u8>>,
}

/// Something that a client heard.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// A text message.
    Text(&'a [u8]),
    /// The end of the socket, with the close code if there was one.
    Closed(Option<u16>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting,
    Upgrading,
    Open,
    Closed,
}

struct Client {
    stream: TcpStream,
    state: State,
    /// The beginning of a frame whose rest is still to come.
    partial: Vec<u8>,
    /// What the kernel did not take yet.
    unsent: Vec<u8>,
    /// A row of equal frames, of which as many are written as are due.
    volley: Vec<u8>,
    volley_frame: usize,
}

/// The clients. Their numbers count from 0 in the order in which they were opened.
pub struct Crowd {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    opening: usize,
    scratch: Vec<u8>,
    target: Target,
}

impl Crowd {
    /// Nobody yet.
    ///
    /// # Errors
    /// If the system has no way to wait for sockets.
    pub fn new(target: Target) -> Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            clients: Vec::new(),
            opening: 0,
            scratch: vec![0; SCRATCH_BYTES],
            target,
        })
    }

    /// How many clients there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Opens `count` more, at most `per_address` from each loopback address, and waits until all are open
    /// and were greeted back.
    ///
    /// # Errors
    /// If one is refused, or it takes too long.
    pub fn open(&mut self, count: usize, per_address: usize) -> Result<()> {
        // Neighbours come from different addresses, so that no address has many that are new at once.
        let addresses = count.div_ceil(per_address);
        let wanted = self.clients.len() + count;
        let until = Instant::now() + STEP_WITHIN;
        let mut answers = if self.target.greeting.is_some() { count } else { 0 };
        loop {
            while self.opening < OPENING_AT_ONCE && self.clients.len() < wanted {
                self.connect(source(self.clients.len() % addresses))?;
            }
            if self.opening == 0 && answers == 0 {
                return Ok(());
            }
            self.turn(Duration::from_millis(50), &mut |client, heard| match heard {
                Heard::Text(_) => {
                    answers = answers.saturating_sub(1);
                    Ok(0)
                }
                Heard::Closed(code) => bail!("client {client} was closed while opening ({code:?})"),
            })?;
            if Instant::now() > until {
                bail!(
                    "{} of {wanted} sockets did not open, {answers} were not greeted",
                    self.opening
                );
            }
        }
    }

    fn connect(&mut self, from: Ipv4Addr) -> Result<()> {
        let number = self.clients.len();
        let socket = RawSocket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        match socket.connect(&self.target.address.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            Err(error) => return Err(error).context("connecting"),
        }
        let mut stream = TcpStream::from_std(socket.into());
        self.poll.registry().register(
            &mut stream,
            Token(number),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        self.clients.push(Client {
            stream,
            state: State::Connecting,
            partial: Vec::new(),
            unsent: Vec::new(),
            volley: Vec::new(),
            volley_frame: 0,
        });
        self.opening += 1;
        Ok(())
    }

    /// Writes bytes that are whole frames.
    ///
    /// # Errors
    /// If the socket is broken.
    pub fn write(&mut self, client: usize, frames: &[u8]) -> Result<()> {
        self.clients[client].write(frames)
    }

    /// Sets the frame that replies are made of; at most `longest` are written at once.
    pub fn set_volley(&mut self, client: usize, frame: &[u8], longest: usize) {
        let client = &mut self.clients[client];
        client.volley = frame.repeat(longest);
        client.volley_frame = frame.len();
    }

    /// Writes the client's volley frame `count` times.
    ///
    /// # Errors
    /// If the socket is broken.
    pub fn volley(&mut self, client: usize, count: usize) -> Result<()> {
        self.clients[client].volley(count)
    }

    /// Waits once for news and passes them on. What `hear` returns is how often the client's
    /// volley frame is written as a reply.
    ///
    /// # Errors
    /// If a socket is broken, or `hear` fails.
    pub fn turn<F>(&mut self, wait: Duration, hear: &mut F) -> Result<()>
    where
        F: FnMut(usize, Heard<'_>) -> Result<usize>,
    {
        program::check_interrupt()?;
        match self.poll.poll(&mut self.events, Some(wait)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for event in &self.events {
            let number = event.token().0;
            let client = &mut self.clients[number];
            if client.state == State::Connecting && event.is_writable() {
                if let Some(error) = client.stream.take_error()? {
                    return Err(error).context("connecting");
                }
                client.state = State::Upgrading;
                client.write(self.target.upgrade(number).as_bytes())?;
            }
            if event.is_writable() && !client.unsent.is_empty() {
                let unsent = std::mem::take(&mut client.unsent);
                client.write(&unsent)?;
            }
            if event.is_readable() || event.is_read_closed() {
                let was_open = client.state == State::Open;
                client.read(number, &mut self.scratch, hear)?;
                if !was_open && client.state == State::Open {
                    self.opening -= 1;
                    if let Some(greeting) = &self.target.greeting {
                        client.write(greeting)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes turns until `is_done` says so.
    ///
    /// # Errors
    /// As [`Crowd::turn`], and if it takes too long.
    pub fn turn_until<F>(&mut self, what: &str, mut hear: F) -> Result<()>
    where
        F: FnMut(usize, Heard<'_>) -> Result<bool>,
    {
        let until = Instant::now() + STEP_WITHIN;
        let mut done = false;
        while !done {
            self.turn(Duration::from_millis(50), &mut |client, heard| {
                done |= hear(client, heard)?;
                Ok(0)
            })?;
            if Instant::now() > until {
                bail!("{what} took longer than {} s", STEP_WITHIN.as_secs());
            }
        }
        Ok(())
    }
}

impl Target {
    /// The request of one client.
    #[must_use]
    pub fn upgrade(&self, client: usize) -> String {
        let pair = if self.names_pair {
            format!("/{}", client / 2)
        } else {
            String::new()
        };
        format!(
            "GET {}{pair} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.path,
            address = self.address,
        )
    }
}

impl Client {
    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if is_later(&error) => {
                    self.unsent.extend_from_slice(bytes);
                    break;
                }
                Err(error) => return Err(error).context("writing"),
            }
        }
        Ok(())
    }

    fn volley(&mut self, mut count: usize) -> Result<()> {
        let volley = std::mem::take(&mut self.volley);
        let longest = volley.len() / self.volley_frame.max(1);
        while count > 0 && longest > 0 {
            let now = count.min(longest);
            self.write(&volley[..now * self.volley_frame])?;
            count -= now;
        }
        self.volley = volley;
        Ok(())
    }

    fn read<F>(&mut self, number: usize, scratch: &mut [u8], hear: &mut F) -> Result<()>
    where
        F: FnMut(usize, Heard<'_>) -> Result<usize>,
    {
        while self.state != State::Closed {
            match self.stream.read(scratch) {
                Ok(0) => {
                    self.state = State::Closed;
                    hear(number, Heard::Closed(None))?;
                }
                Ok(count) => {
                    let mut replies = 0;
                    if self.partial.is_empty() {
                        let used = self.take_in(number, &scratch[..count], &mut replies, hear)?;
                        self.partial.extend_from_slice(&scratch[used..count]);
                    } else {
                        let mut bytes = std::mem::take(&mut self.partial);
                        bytes.extend_from_slice(&scratch[..count]);
                        let used = self.take_in(number, &bytes, &mut replies, hear)?;
                        bytes.drain(..used);
                        self.partial = bytes;
                    }
                    self.volley(replies)?;
                }
                Err(error) if is_later(&error) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).with_context(|| format!("reading of client {number}")),
            }
        }
        Ok(())
    }

    /// Takes in what is whole and says how many bytes that was.
    fn take_in<F>(&mut self, number: usize, bytes: &[u8], replies: &mut usize, hear: &mut F) -> Result<usize>
    where
        F: FnMut(usize, Heard<'_>) -> Result<usize>,
    {
        let mut used = 0;
        if self.state == State::Upgrading {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                if bytes.len() > HEAD_BYTES {
                    bail!("the answer to the upgrade has no end");
                }
                return Ok(0);
            };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                bail!(
                    "the upgrade was refused: {}",
                    String::from_utf8_lossy(&bytes[..end])
                );
            }
            self.state = State::Open;
            used = end + 4;
        }
        while let Some((frame, length)) = frame::read(&bytes[used..]) {
            match frame {
                Frame::Text(text) => *replies += hear(number, Heard::Text(text))?,
                Frame::Ping(payload) => self.write(&frame::pong(payload))?,
                Frame::Close(code) => {
                    self.state = State::Closed;
                    hear(number, Heard::Closed(code))?;
                }
                Frame::Other => {}
            }
            used += length;
        }
        Ok(used)
    }
}

fn is_later(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

/// The nth loopback address that clients come from; never the servers' own.
#[must_use]
pub fn source(n: usize) -> Ipv4Addr {
    let [_, a, b, c] = u32::try_from(n + 1).unwrap_or(u32::MAX).to_be_bytes();
    Ipv4Addr::new(127, a.saturating_add(1), b, c)
}
