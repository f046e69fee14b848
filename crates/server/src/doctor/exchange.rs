//! One question and its answer with a STUN or TURN server, in datagrams or in a stream, encrypted or
//! not (RFC 8489, section 6).

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use stun_types::message::{Message, MessageHeader};

use super::Patience;
use super::wire::{Deadline, Stream, plain};

/// No honest answer is longer.
const ANSWER_BYTES: usize = 2048;

/// How questions travel.
pub(super) enum Road {
    /// Each in a datagram, asked again when no answer comes.
    Datagrams {
        /// Connected to the server.
        socket: UdpSocket,
        patience: Patience,
        deadline: Deadline,
    },
    /// One after another. The stream keeps to the time itself.
    Stream(Box<dyn Stream>),
}

impl Road {
    /// Opens a road of datagrams to a server.
    pub(super) fn datagrams(to: SocketAddr, patience: Patience, deadline: Deadline) -> Result<Self, String> {
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).and_then(|socket| socket.connect(to).map(|()| socket));
        Ok(Self::Datagrams {
            socket: socket.map_err(|error| plain(&error))?,
            patience,
            deadline,
        })
    }

    /// Sends a request and waits for the response with its transaction id.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        let answer = match self {
            Self::Datagrams {
                socket,
                patience,
                deadline,
            } => ask_by_datagrams(socket, request, *patience, *deadline),
            Self::Stream(stream) => ask_in_stream(&mut **stream, request),
        }?;
        if is_answer(&answer, request) {
            Ok(answer)
        } else {
            Err("what answers there does not speak STUN".into())
        }
    }
}

fn ask_by_datagrams(
    socket: &UdpSocket,
    request: &[u8],
    patience: Patience,
    deadline: Deadline,
) -> Result<Vec<u8>, String> {
    let mut buffer = [0; ANSWER_BYTES];
    let mut heard = None;
    for _ in 0..patience.attempts {
        let received = deadline
            .left()
            .and_then(|left| socket.set_read_timeout(Some(left.min(patience.attempt))))
            .and_then(|()| socket.send(request))
            .and_then(|_| socket.recv(&mut buffer));
        match received {
            Ok(bytes) => {
                let answer = buffer[..bytes].to_vec();
                if is_answer(&answer, request) {
                    return Ok(answer);
                }
                // Perhaps a late answer to something else.
                heard = Some(answer);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(plain(&error)),
        }
    }
    heard.ok_or_else(|| "no answer; a firewall may be in the way, or nothing listens".into())
}

fn ask_in_stream(stream: &mut dyn Stream, request: &[u8]) -> Result<Vec<u8>, String> {
    let mut exchange = || {
        stream.write_all(request)?;
        stream.flush()?;
        let mut answer = vec![0; MessageHeader::LENGTH];
        stream.read_exact(&mut answer)?;
        let body = usize::from(u16::from_be_bytes([answer[2], answer[3]]));
        if body <= ANSWER_BYTES {
            answer.resize(MessageHeader::LENGTH + body, 0);
            stream.read_exact(&mut answer[MessageHeader::LENGTH..])?;
        }
        Ok(answer)
    };
    exchange().map_err(|error: io::Error| plain(&error))
}

/// Whether bytes are a response to a request.
fn is_answer(answer: &[u8], request: &[u8]) -> bool {
    match (Message::from_bytes(answer), Message::from_bytes(request)) {
        (Ok(answer), Ok(request)) => {
            answer.is_response()
                && answer.transaction_id() == request.transaction_id()
                && answer.method() == request.method()
        }
        _ => false,
    }
}
