//! WebSocket frames (RFC 6455) as a server reads and writes them, without IO.
//!
//! The usual libraries keep a read buffer for every connection, which is most of what an idle one
//! costs (decision 0005). This reader is fed from a buffer that all connections share, and keeps
//! only what is unfinished. It knows no extensions: nothing is ever compressed.

use bytes::Bytes;
use bytestring::ByteString;
use visavis_protocol::{CloseCode, PAGE_GONE, limits};

/// Frames that one message may be cut into. Browsers send one; a proxy may cut.
const FRAGMENTS: u16 = 256;
/// Payload of a control frame, at most (RFC 6455, section 5.5).
const CONTROL_BYTES: usize = 125;
/// The longest header: two bytes, a 64-bit length, a mask.
const HEADER_BYTES: usize = 14;

/// Written by a browser whose page is closed, reloaded or left (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A whole text message.
    Text(ByteString),
    /// A ping with its payload.
    Ping(Bytes),
    /// A pong that nobody asked for.
    Pong,
    /// The other end closes; for good, if it is a page that goes away.
    Close { for_good: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opcode {
    Continuation,
    Text,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

#[derive(Clone, Copy, Debug)]
struct Header {
    opcode: Opcode,
    fin: bool,
    mask: [u8; 4],
    bytes: usize,
}

#[derive(Debug)]
enum State {
    /// Gathering a header that came in pieces.
    Header { got: [u8; HEADER_BYTES], have: u8 },
    /// Gathering a payload that came in pieces, unmasked so far as it is here.
    Payload { header: Header, got: Vec<u8> },
}

const START: State = State::Header {
    got: [0; HEADER_BYTES],
    have: 0,
};

/// Reads one connection's frames.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    /// The fragments so far of a message that came in several frames, and their number.
    message: Option<(Vec<u8>, u16)>,
    /// How long a message may be now: shorter before the first one.
    limit: usize,
}

impl Decoder {
    pub(crate) const fn new() -> Self {
        Self {
            state: START,
            message: None,
            limit: limits::FIRST_MESSAGE_BYTES,
        }
    }

    /// Reads what came, unmasking it in place, and hands each finished piece to `sink`.
    ///
    /// # Errors
    /// The code to close with. Nothing more may be fed afterwards.
    pub(crate) fn feed(
        &mut self,
        mut input: &mut [u8],
        mut sink: impl FnMut(Incoming),
    ) -> Result<(), CloseCode> {
        loop {
            match &mut self.state {
                State::Header { got, have } => {
                    let Some(header) = take_header(got, have, &mut input)? else {
                        return Ok(());
                    };
                    self.admit(header)?;
                    self.state = State::Payload {
                        header,
                        got: Vec::new(),
                    };
                }
                State::Payload { header, got } => {
                    let header = *header;
                    let wanted = header.bytes - got.len();
                    let (here, rest) = input.split_at_mut(wanted.min(input.len()));
                    unmask(here, header.mask, got.len());
                    input = rest;
                    if here.len() < wanted {
                        got.extend_from_slice(here);
                        return Ok(());
                    }
                    if got.is_empty() {
                        self.state = START;
                        self.finish(header, here, &mut sink)?;
                    } else {
                        let mut whole = core::mem::take(got);
                        whole.extend_from_slice(here);
                        self.state = START;
                        self.finish(header, &whole, &mut sink)?;
                    }
                }
            }
        }
    }

    /// Judges a frame by its header, before its payload is waited for.
    fn admit(&self, header: Header) -> Result<(), CloseCode> {
        if header.opcode.is_control() {
            return if header.fin && header.bytes <= CONTROL_BYTES {
                Ok(())
            } else {
                Err(CloseCode::ProtocolError)
            };
        }
        let (before, fragments) = match (&self.message, header.opcode) {
            (Some((message, fragments)), Opcode::Continuation) => (message.len(), *fragments),
            (None, Opcode::Text) => (0, 0),
            (Some(_), _) | (None, _) => return Err(CloseCode::ProtocolError),
        };
        if header.bytes > self.limit - before || fragments >= FRAGMENTS {
            return Err(CloseCode::TooBig);
        }
        Ok(())
    }

    fn finish(
        &mut self,
        header: Header,
        payload: &[u8],
        sink: &mut impl FnMut(Incoming),
    ) -> Result<(), CloseCode> {
        match header.opcode {
            Opcode::Ping => sink(Incoming::Ping(Bytes::copy_from_slice(payload))),
            Opcode::Pong => sink(Incoming::Pong),
            Opcode::Close => {
                let code = check_close(payload)?;
                sink(Incoming::Close {
                    for_good: matches!(code, Some(GOING_AWAY | PAGE_GONE)),
                });
            }
            Opcode::Text | Opcode::Continuation => {
                if !header.fin {
                    let (message, fragments) = self.message.get_or_insert_default();
                    message.extend_from_slice(payload);
                    *fragments += 1;
                    return Ok(());
                }
                let text = match self.message.take() {
                    None => as_text(payload)?,
                    Some((mut message, _)) => {
                        message.extend_from_slice(payload);
                        as_text(&message)?
                    }
                };
                self.limit = limits::MESSAGE_BYTES;
                sink(Incoming::Text(text));
            }
        }
        Ok(())
    }
}

/// Takes a header, or as much of it as is there.
fn take_header(
    got: &mut [u8; HEADER_BYTES],
    have: &mut u8,
    input: &mut &mut [u8],
) -> Result<Option<Header>, CloseCode> {
    loop {
        let held = usize::from(*have);
        let needed = header_bytes(&got[..held]);
        if held == needed {
            return parse_header(&got[..held]).map(Some);
        }
        let taken = (needed - held).min(input.len());
        if taken == 0 {
            return Ok(None);
        }
        let (here, rest) = core::mem::take(input).split_at_mut(taken);
        got[held..held + taken].copy_from_slice(here);
        *have += taken as u8;
        *input = rest;
        if held < 2 && held + taken >= 2 {
            // Wrong bits are known now; the rest of the header need not be waited for.
            judge_bits([got[0], got[1]])?;
        }
    }
}

/// How long the header is, as far as its beginning tells. Every client's frame is masked.
fn header_bytes(begun: &[u8]) -> usize {
    match begun.get(1).map(|byte| byte & !MASKED) {
        None => 2,
        Some(126) => 8,
        Some(127) => 14,
        Some(_) => 6,
    }
}

fn judge_bits([first, second]: [u8; 2]) -> Result<Opcode, CloseCode> {
    if first & RESERVED != 0 || second & MASKED == 0 {
        return Err(CloseCode::ProtocolError);
    }
    match first & 0x0f {
        0x0 => Ok(Opcode::Continuation),
        0x1 => Ok(Opcode::Text),
        0x2 => Err(CloseCode::Unsupported),
        0x8 => Ok(Opcode::Close),
        0x9 => Ok(Opcode::Ping),
        0xa => Ok(Opcode::Pong),
        _ => Err(CloseCode::ProtocolError),
    }
}

fn parse_header(header: &[u8]) -> Result<Header, CloseCode> {
    let (length, mask, shortest) = match *header {
        [_, second, a, b, c, d] => (u64::from(second & !MASKED), [a, b, c, d], 0),
        [_, _, l0, l1, a, b, c, d] => (u64::from(u16::from_be_bytes([l0, l1])), [a, b, c, d], 126),
        [_, _, l0, l1, l2, l3, l4, l5, l6, l7, a, b, c, d] => (
            u64::from_be_bytes([l0, l1, l2, l3, l4, l5, l6, l7]),
            [a, b, c, d],
            0x1_0000,
        ),
        _ => return Err(CloseCode::ProtocolError),
    };
    // The shortest form is a must (RFC 6455, section 5.2), and the top bit is never set.
    if length < shortest || length > i64::MAX as u64 {
        return Err(CloseCode::ProtocolError);
    }
    Ok(Header {
        opcode: judge_bits([header[0], header[1]])?,
        fin: header[0] & FIN != 0,
        mask,
        bytes: usize::try_from(length).unwrap_or(usize::MAX),
    })
}

/// Undoes the mask, whose phase depends on where in the payload `bytes` begins.
fn unmask(bytes: &mut [u8], mask: [u8; 4], offset: usize) {
    let mask = u32::from_be_bytes(mask).rotate_left((offset % 4) as u32 * 8);
    let wide = (u64::from(mask) << 32 | u64::from(mask)).to_be_bytes();
    let (blocks, rest) = bytes.as_chunks_mut::<8>();
    for block in blocks {
        *block = (u64::from_ne_bytes(*block) ^ u64::from_ne_bytes(wide)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(wide) {
        *byte ^= mask;
    }
}

fn as_text(bytes: &[u8]) -> Result<ByteString, CloseCode> {
    core::str::from_utf8(bytes)
        .map(ByteString::from)
        .map_err(|_| CloseCode::NotUtf8)
}

/// Checks a close frame's payload (RFC 6455, sections 5.5.1 and 7.4); its code, if it has one.
fn check_close(payload: &[u8]) -> Result<Option<u16>, CloseCode> {
    match payload {
        [] => Ok(None),
        [_] => Err(CloseCode::ProtocolError),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(CloseCode::ProtocolError);
            }
            as_text(reason).map(|_| Some(code))
        }
    }
}

/// A frame to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// A text message in one frame.
    Text(ByteString),
    /// The answer to a ping.
    Pong(Bytes),
    /// The last frame.
    Close(CloseCode),
}

impl Outgoing {
    /// Appends the frame's bytes.
    pub(crate) fn write_to(&self, buffer: &mut Vec<u8>) {
        match self {
            Self::Text(text) => write_frame(buffer, 0x1, text.as_bytes()),
            Self::Pong(payload) => write_frame(buffer, 0xa, payload),
            Self::Close(code) => write_frame(buffer, 0x8, &code.code().to_be_bytes()),
        }
    }

    /// How many bytes [`Outgoing::write_to`] appends.
    pub(crate) fn wire_len(&self) -> usize {
        let payload = match self {
            Self::Text(text) => text.len(),
            Self::Pong(payload) => payload.len(),
            Self::Close(_) => 2,
        };
        match payload {
            0..=125 => payload + 2,
            126..=0xffff => payload + 4,
            _ => payload + 10,
        }
    }

    /// How much it counts against the limit of a queue.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Pong(payload) => payload.len(),
            Self::Close(_) => 0,
        }
    }
}

fn write_frame(buffer: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    buffer.push(FIN | opcode);
    match payload.len() {
        short @ 0..=125 => buffer.push(short as u8),
        middle @ 126..=0xffff => {
            buffer.push(126);
            buffer.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            buffer.push(127);
            buffer.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    buffer.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client writes it.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x12, 0x34, 0x56, 0x78];
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..=125 => bytes.push(MASKED | short as u8),
            middle @ 126..=0xffff => {
                bytes.push(MASKED | 126);
                bytes.extend((middle as u16).to_be_bytes());
            }
            long => {
                bytes.push(MASKED | 127);
                bytes.extend((long as u64).to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        bytes
    }

    fn text(first: u8, text: &str) -> Vec<u8> {
        frame(first, text.as_bytes())
    }

    /// Feeds bytes in pieces of a size, as a reader that has read its first message.
    fn feed(bytes: &[u8], piece: usize) -> (Vec<Incoming>, Result<(), CloseCode>) {
        let mut decoder = Decoder::new();
        decoder.limit = limits::MESSAGE_BYTES;
        let mut seen = Vec::new();
        for piece in bytes.to_vec().chunks_mut(piece) {
            if let Err(code) = decoder.feed(piece, |incoming| seen.push(incoming)) {
                return (seen, Err(code));
            }
        }
        (seen, Ok(()))
    }

    #[test]
    fn messages_are_the_same_however_they_are_cut_into_reads() {
        let long = "ü".repeat(20_000);
        let mut bytes = text(FIN | 1, "one");
        bytes.extend(text(FIN | 1, &"x".repeat(300)));
        bytes.extend(text(1, "frag"));
        bytes.extend(frame(FIN | 9, b"ping"));
        bytes.extend(text(0, "men"));
        bytes.extend(text(FIN, "ted"));
        bytes.extend(text(FIN | 1, ""));
        bytes.extend(text(FIN | 1, &long));
        bytes.extend(frame(FIN | 0xa, b""));
        bytes.extend(frame(FIN | 8, &1001_u16.to_be_bytes()));
        let expected = vec![
            Incoming::Text("one".into()),
            Incoming::Text("x".repeat(300).into()),
            Incoming::Ping(Bytes::from_static(b"ping")),
            Incoming::Text("fragmented".into()),
            Incoming::Text("".into()),
            Incoming::Text(long.into()),
            Incoming::Pong,
            Incoming::Close { for_good: true },
        ];
        for piece in [1, 2, 3, 5, 7, 13, 64, 1000, 4096, usize::MAX] {
            assert_eq!(
                feed(&bytes, piece),
                (expected.clone(), Ok(())),
                "pieces of {piece}"
            );
        }
    }

    #[test]
    fn only_a_page_that_goes_away_closes_for_good() {
        for (payload, for_good) in [
            (1001_u16.to_be_bytes().to_vec(), true),
            (1000_u16.to_be_bytes().to_vec(), false),
            (PAGE_GONE.to_be_bytes().to_vec(), true),
            (4000_u16.to_be_bytes().to_vec(), false),
            (Vec::new(), false),
        ] {
            let (seen, _) = feed(&frame(FIN | 8, &payload), usize::MAX);
            assert_eq!(seen, [Incoming::Close { for_good }], "{payload:?}");
        }
    }

    #[test]
    fn frames_that_break_the_protocol_end_the_connection() {
        use CloseCode::{NotUtf8, ProtocolError, TooBig, Unsupported};
        let mut long_form = vec![FIN | 1, MASKED | 126, 0, 5, 0, 0, 0, 0];
        long_form.extend(b"hello");
        let cases: Vec<(&str, Vec<u8>, CloseCode)> = vec![
            ("unmasked", vec![FIN | 1, 2, b'h', b'i'], ProtocolError),
            ("a reserved bit", text(FIN | 0x40 | 1, "x"), ProtocolError),
            ("a reserved opcode", text(FIN | 3, "x"), ProtocolError),
            ("a reserved control opcode", text(FIN | 0xb, "x"), ProtocolError),
            ("binary", frame(FIN | 2, b"x"), Unsupported),
            ("a long ping", frame(FIN | 9, &[0; 126]), ProtocolError),
            ("a fragmented ping", frame(9, b"x"), ProtocolError),
            ("a continuation of nothing", text(FIN, "x"), ProtocolError),
            (
                "a message in a message",
                [text(1, "x"), text(FIN | 1, "y")].concat(),
                ProtocolError,
            ),
            ("not UTF-8", frame(FIN | 1, b"\xff\xfe"), NotUtf8),
            ("a surrogate", frame(FIN | 1, b"\xed\xa0\x80"), NotUtf8),
            ("a length in a longer form than needed", long_form, ProtocolError),
            (
                "a negative length",
                [vec![FIN | 1, MASKED | 127], vec![0xff; 12]].concat(),
                ProtocolError,
            ),
            (
                "too long",
                frame(FIN | 1, &[b'x'; limits::MESSAGE_BYTES + 1]),
                TooBig,
            ),
            (
                "too long in two parts",
                [frame(1, &[b'x'; limits::MESSAGE_BYTES]), text(FIN, "x")].concat(),
                TooBig,
            ),
            (
                "cut too small",
                [text(1, "x"), text(0, "").repeat(256)].concat(),
                TooBig,
            ),
            ("a close code of one byte", frame(FIN | 8, b"x"), ProtocolError),
            (
                "a close code that may not be sent",
                frame(FIN | 8, &1006_u16.to_be_bytes()),
                ProtocolError,
            ),
        ];
        for (name, bytes, code) in cases {
            for piece in [1, usize::MAX] {
                assert_eq!(feed(&bytes, piece).1, Err(code), "{name}");
            }
        }
    }

    #[test]
    fn the_longest_message_passes_and_before_the_first_only_a_short_one() {
        let longest = frame(FIN | 1, &[b'x'; limits::MESSAGE_BYTES]);
        assert_eq!(feed(&longest, usize::MAX).0.len(), 1);
        let mut decoder = Decoder::new();
        let mut first = frame(FIN | 1, &[b'x'; limits::FIRST_MESSAGE_BYTES + 1]);
        assert_eq!(decoder.feed(&mut first, |_| ()), Err(CloseCode::TooBig));
        let mut decoder = Decoder::new();
        let mut first = frame(FIN | 1, &[b'x'; limits::FIRST_MESSAGE_BYTES]);
        first.extend(longest);
        assert_eq!(decoder.feed(&mut first, |_| ()), Ok(()));
    }

    #[test]
    fn a_declared_length_takes_no_memory() {
        let mut decoder = Decoder::new();
        let mut header = frame(FIN | 1, &[b'x'; 4000]);
        assert_eq!(decoder.feed(&mut header[..10], |_| ()), Ok(()));
        let State::Payload { got, .. } = &decoder.state else {
            panic!("no payload awaited");
        };
        assert!(got.capacity() < 64);
    }

    #[test]
    fn written_frames_have_the_shortest_length() {
        for (bytes, header) in [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)] {
            let mut buffer = Vec::new();
            Outgoing::Text("x".repeat(bytes).into()).write_to(&mut buffer);
            assert_eq!(buffer.len(), header + bytes);
        }
        let mut buffer = Vec::new();
        Outgoing::Close(CloseCode::Restart).write_to(&mut buffer);
        assert_eq!(buffer, [0x88, 2, 0x03, 0xf4]);
    }
}
