//! WebSocket frames (RFC 6455, section 5) as a client writes and reads them, in bulk.
//!
//! A load generator must cost less than the server that it loads, so frames are made once and
//! written many times, and of what comes back only the head is read.

/// The mask of every frame: any will do for a test, and one alone lets frames be made in advance.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x1f, 0x96];

const TEXT: u8 = 0x1;
const PONG: u8 = 0xa;
const CLOSE: u8 = 0x8;

/// A whole masked text message.
#[must_use]
pub fn text(payload: &[u8]) -> Vec<u8> {
    masked(TEXT, payload)
}

/// A close frame.
#[must_use]
pub fn close(code: u16) -> Vec<u8> {
    masked(CLOSE, &code.to_be_bytes())
}

/// The answer to a ping.
#[must_use]
pub fn pong(payload: &[u8]) -> Vec<u8> {
    masked(PONG, payload)
}

fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | opcode);
    if let Ok(length) = u8::try_from(payload.len())
        && length < 126
    {
        frame.push(0x80 | length);
    } else if let Ok(length) = u16::try_from(payload.len()) {
        frame.push(0x80 | 126);
        frame.extend(length.to_be_bytes());
    } else {
        frame.push(0x80 | 127);
        frame.extend((payload.len() as u64).to_be_bytes());
    }
    frame.extend(MASK);
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

/// A frame from a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A text message, or a part of one: servers here do not split.
    Text(&'a [u8]),
    /// A ping that wants its payload back.
    Ping(&'a [u8]),
    /// The end, with its code if there was one.
    Close(Option<u16>),
    /// A pong, or a kind that nobody here writes.
    Other,
}

/// Takes the first whole frame off a buffer, and says how many bytes it was.
#[must_use]
pub fn read(buffer: &[u8]) -> Option<(Frame<'_>, usize)> {
    let (first, second) = (*buffer.first()?, *buffer.get(1)?);
    let (length, head): (usize, usize) = match second & 0x7f {
        126 => (
            usize::from(u16::from_be_bytes(*buffer.get(2..)?.first_chunk()?)),
            4,
        ),
        127 => {
            let length = u64::from_be_bytes(*buffer.get(2..)?.first_chunk()?);
            (usize::try_from(length).ok()?, 10)
        }
        short => (usize::from(short), 2),
    };
    let end = head.checked_add(length)?;
    let payload = buffer.get(head..end)?;
    let frame = match first & 0x0f {
        0x1 => Frame::Text(payload),
        0x8 => Frame::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
        0x9 => Frame::Ping(payload),
        _ => Frame::Other,
    };
    Some((frame, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_one_by_one_and_never_by_halves() {
        let mut bytes = vec![0x81, 2, b'h', b'i', 0x88, 2, 0x03, 0xe8];
        assert_eq!(read(&bytes), Some((Frame::Text(b"hi"), 4)));
        assert_eq!(read(&bytes[4..]), Some((Frame::Close(Some(1000)), 4)));
        bytes.truncate(3);
        assert_eq!(read(&bytes), None);
    }

    #[test]
    fn long_payloads_get_long_heads() {
        let long = vec![b'x'; 300];
        let frame = text(&long);
        assert_eq!(frame[..4], [0x81, 0x80 | 126, 1, 44]);
        assert_eq!(frame.len(), 300 + 8);
        assert_eq!(frame[8], b'x' ^ MASK[0]);
        assert_eq!(text(&vec![0; 70_000])[1], 0x80 | 127);
    }
}
