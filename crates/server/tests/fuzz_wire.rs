//! Fuzzes the decoders of the wire: none panics, and what one accepts survives being written and
//! read again.

mod fuzz;

use fuzz::Fuzz;
use visavis_protocol::message::claimed_kind;
use visavis_protocol::{ClientMessage, Packet, ServerMessage};

fn target(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let _ = claimed_kind(&text);
    if let Ok(message) = ClientMessage::decode(&text) {
        let written = message.encode();
        assert_eq!(claimed_kind(&written), Some(message.kind()));
        assert_eq!(ClientMessage::decode(&written), Ok(message));
    }
    if let Ok(message) = ServerMessage::decode(&text) {
        assert_eq!(ServerMessage::decode(&message.encode()), Ok(message));
    }
    if let Ok(packet) = Packet::decode(&text) {
        assert_eq!(Packet::decode(&packet.encode()), Ok(packet));
    }
}

#[test]
fn the_decoders_take_anything() {
    Fuzz {
        name: "wire",
        longest: 4096,
        dictionary: &[
            b"{",
            b"}",
            b"[",
            b"]",
            b"\"",
            b":",
            b",",
            b"\\",
            b"\\u0000",
            b"\\ud800",
            b"null",
            b"true",
            b"-0",
            b"1e999",
            b"18446744073709551616",
            b"\xef\xbb\xbf",
            b"\"relay\"",
            b"\"hello\"",
            b"\"join\"",
            b"\"error\"",
            b"\"peer\"",
            b"\"name\"",
            b"\"body\"",
            b"\"unknown\"",
            b"AAAAAAAAAAAAAAAAAAAAAA",
            b"n.tea",
            b"s.AAAAAAAAAAAAAAAAAAAAAA",
            b"{\"x\":",
        ],
        target,
    }
    .run();
}
