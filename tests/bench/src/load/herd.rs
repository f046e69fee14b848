//! Clients that come back: after the loss of a socket each waits as our own client does and resumes.
//!
//! Unlike a [`Crowd`](super::crowd::Crowd) they read what they are told, and a refused connection is
//! nothing but a reason to try again.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};
use visavis_protocol::{
    ClientMessage, Epoch, ErrorCode, PeerId, RoomId, SeatSecret, ServerMessage, SessionSecret, VERSIONS,
};

use super::crowd::Target;
use super::frame::{self, Frame};
use crate::program;

/// Longest waits before the first retries, of which each is a random part: as in our client.
const RETRIES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_millis(1200),
    Duration::from_millis(2700),
    Duration::from_millis(4800),
];
/// All later ones are between these.
const LATER: std::ops::Range<u64> = 6_000..8_000;
/// Clients of one address: a family. Within the server's limits for one address.
const PER_ADDRESS: usize = 4;
/// How far apart clients come at first.
const FIRST_EVERY: Duration = Duration::from_millis(2);
/// Read at once from one socket.
const SCRATCH_BYTES: usize = 64 * 1024;

enum State {
    Waiting {
        until: Instant,
    },
    Connecting(TcpStream),
    /// The upgrade is asked for, or open.
    Connected {
        stream: TcpStream,
        open: bool,
    },
}

/// One person's tab.
pub struct Member {
    from: Ipv4Addr,
    room: RoomId,
    seat: SeatSecret,
    session: SessionSecret,
    state: State,
    partial: Vec<u8>,
    attempt: usize,
    /// When a server that goes away wants us back.
    return_at: Option<Instant>,
    epoch: Option<Epoch>,
    /// Whom they see in their room.
    pub others: BTreeSet<PeerId>,
    /// When they last were given their seat; none since the loss of the socket.
    pub seated: Option<Instant>,
}

impl Member {
    /// What others see.
    #[must_use]
    pub fn peer(&self) -> PeerId {
        self.session.peer_id()
    }
}

/// The clients of one server.
pub struct Herd {
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    target: Target,
    pub members: Vec<Member>,
    /// When connections were tried.
    pub attempts: Vec<Instant>,
}

impl Herd {
    /// So many people, so many to a room, who will come one after another.
    ///
    /// # Errors
    /// If the system has no way to wait for sockets.
    pub fn new(target: Target, count: usize, to_a_room: usize) -> Result<Self> {
        let now = Instant::now();
        let members = (0..count).map(|n| {
            let wait = FIRST_EVERY * u32::try_from(n).unwrap_or(u32::MAX);
            Member {
                from: super::crowd::source(n / PER_ADDRESS),
                // Those of one room come from different addresses.
                room: RoomId::derive(&format!("herd {}", n % count.div_ceil(to_a_room)), None),
                seat: SeatSecret::from_bytes(super::client::random()),
                session: SessionSecret::from_bytes(super::client::random()),
                state: State::Waiting { until: now + wait },
                partial: Vec::new(),
                attempt: 1,
                return_at: None,
                epoch: None,
                others: BTreeSet::new(),
                seated: None,
            }
        });
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            scratch: vec![0; SCRATCH_BYTES],
            target,
            members: members.collect(),
            attempts: Vec::new(),
        })
    }

    /// Whether everybody sees everybody else of their room, and nobody besides.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.complete() == self.members.len()
    }

    /// How many see exactly those who are in their room.
    #[must_use]
    pub fn complete(&self) -> usize {
        let mut rooms = std::collections::BTreeMap::<&str, BTreeSet<PeerId>>::new();
        for member in &self.members {
            rooms
                .entry(member.room.as_str())
                .or_default()
                .insert(member.peer());
        }
        let complete = self.members.iter().filter(|member| {
            let mut all = member.others.clone();
            let is_new = all.insert(member.peer());
            is_new && member.seated.is_some() && rooms.get(member.room.as_str()) == Some(&all)
        });
        complete.count()
    }

    /// Lets everybody do what is due, and waits a little for news.
    ///
    /// # Errors
    /// If anybody is refused what they should get.
    pub fn turn(&mut self) -> Result<()> {
        program::check_interrupt()?;
        let now = Instant::now();
        for number in 0..self.members.len() {
            if matches!(self.members[number].state, State::Waiting { until } if until <= now) {
                self.connect(number)?;
            }
        }
        match self.poll.poll(&mut self.events, Some(Duration::from_millis(5))) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for event in &self.events {
            let number = event.token().0;
            let member = &mut self.members[number];
            member
                .step(&self.target, &mut self.scratch)
                .with_context(|| format!("client {number}"))?;
        }
        Ok(())
    }

    fn connect(&mut self, number: usize) -> Result<()> {
        let member = &mut self.members[number];
        self.attempts.push(Instant::now());
        member.return_at = None;
        let socket = RawSocket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddr::from((member.from, 0)).into())?;
        match socket.connect(&self.target.address.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            Err(_) => {
                member.wait();
                return Ok(());
            }
        }
        let mut stream = TcpStream::from_std(socket.into());
        self.poll.registry().register(
            &mut stream,
            Token(number),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        member.state = State::Connecting(stream);
        Ok(())
    }
}

impl Member {
    /// Waits for the next try, as our client does.
    fn wait(&mut self) {
        let wait = match RETRIES.get(self.attempt) {
            Some(longest) => longest.mul_f64(fastrand::f64()),
            None => Duration::from_millis(fastrand::u64(LATER)),
        };
        self.attempt += 1;
        self.partial.clear();
        self.seated = None;
        let until = self.return_at.take().unwrap_or_else(|| Instant::now() + wait);
        self.state = State::Waiting { until };
    }

    /// Goes on with a socket of which there is news.
    fn step(&mut self, target: &Target, scratch: &mut [u8]) -> Result<()> {
        if let State::Connecting(stream) = &mut self.state {
            // News of an older socket look the same: only a peer's address proves a connection.
            if stream.take_error()?.is_some() {
                self.wait();
                return Ok(());
            }
            if stream.peer_addr().is_err() {
                return Ok(());
            }
            let State::Connecting(stream) = std::mem::replace(
                &mut self.state,
                State::Waiting {
                    until: Instant::now(),
                },
            ) else {
                return Ok(());
            };
            self.state = State::Connected { stream, open: false };
            self.write(target.upgrade(0).as_bytes());
        }
        while let State::Connected { stream, .. } = &mut self.state {
            match stream.read(scratch) {
                Ok(0) => self.lost(),
                Ok(count) => {
                    self.partial.extend_from_slice(&scratch[..count]);
                    self.take_in()?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.lost(),
            }
        }
        Ok(())
    }

    fn lost(&mut self) {
        if self.return_at.is_some() {
            // A server that says good-bye was a good one.
            self.attempt = 0;
        }
        self.wait();
    }

    fn take_in(&mut self) -> Result<()> {
        let mut bytes = std::mem::take(&mut self.partial);
        let mut used = 0;
        if let State::Connected {
            open: open @ false, ..
        } = &mut self.state
        {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                self.partial = bytes;
                return Ok(());
            };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                bail!(
                    "the upgrade was refused: {}",
                    String::from_utf8_lossy(&bytes[..end])
                );
            }
            *open = true;
            used = end + 4;
            self.greet();
        }
        while let Some((frame, length)) = frame::read(&bytes[used..]) {
            match frame {
                Frame::Text(text) => self.hear(&String::from_utf8_lossy(text))?,
                Frame::Ping(payload) => self.write(&frame::pong(payload)),
                Frame::Close(code) => {
                    if code != Some(1012) {
                        bail!("closed with {code:?}");
                    }
                    self.write(&frame::close(1012));
                    self.lost();
                    return Ok(());
                }
                Frame::Other => {}
            }
            used += length;
        }
        bytes.drain(..used);
        self.partial = bytes;
        Ok(())
    }

    /// What the kernel does not take is lost: so little is never too much for it.
    fn write(&mut self, bytes: &[u8]) {
        if let State::Connected { stream, .. } = &mut self.state {
            // A socket that is gone says so to whoever reads it.
            stream.write_all(bytes).ok();
        }
    }

    fn say(&mut self, message: &ClientMessage) {
        self.write(&frame::text(message.encode().as_bytes()));
    }

    fn greet(&mut self) {
        self.say(&ClientMessage::Hello {
            versions: VERSIONS.to_vec(),
        });
        match self.epoch {
            Some(epoch) => self.say(&ClientMessage::Resume {
                epoch,
                room: self.room.clone(),
                session: self.session,
                claim: visavis_protocol::Claim::default(),
            }),
            None => self.join(),
        }
    }

    fn join(&mut self) {
        self.say(&ClientMessage::Join {
            room: self.room.clone(),
            seat: self.seat,
            session: self.session,
            name: "One of many".into(),
            claim: visavis_protocol::Claim::default(),
        });
    }

    fn hear(&mut self, text: &str) -> Result<()> {
        match ServerMessage::decode(text)? {
            ServerMessage::Joined { epoch, peers, .. } => {
                self.epoch = Some(epoch);
                self.others = peers.iter().map(|entry| entry.peer).collect();
                self.seated = Some(Instant::now());
                self.attempt = 0;
            }
            ServerMessage::PeerJoined { peer, .. } => {
                self.others.insert(peer.peer);
            }
            ServerMessage::PeerLeft { peer, .. } => {
                self.others.remove(&peer);
            }
            ServerMessage::GoingAway { retry_after_ms } => {
                self.return_at = Some(Instant::now() + Duration::from_millis(retry_after_ms));
            }
            ServerMessage::Error {
                code: ErrorCode::UnknownSession,
                ..
            } => self.join(),
            ServerMessage::Error { code, .. } => bail!("told {code}"),
            ServerMessage::Welcome { .. }
            | ServerMessage::Occupancy { .. }
            | ServerMessage::PeerAway { .. }
            | ServerMessage::Relay { .. }
            | ServerMessage::Ice { .. }
            | ServerMessage::Left {}
            | ServerMessage::People(_)
            | ServerMessage::Waiting {}
            | ServerMessage::Declined { .. }
            | ServerMessage::Removed {}
            | ServerMessage::Knocks { .. }
            | ServerMessage::Gate { .. }
            | ServerMessage::Moved { .. }
            | ServerMessage::Desk(_)
            | ServerMessage::Visit(_)
            | ServerMessage::Pong {} => {}
        }
        Ok(())
    }
}
