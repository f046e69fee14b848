//! The frame around a relayed packet, read and written without copying what is inside.
//!
//! Nearly every message of a call is a `relay`, and its body is a text inside a text: a typed
//! decoder would unescape it only for the encoder to escape it again. This reader accepts the form
//! that `JSON.stringify` and `serde_json` write and hands the body on as it stands; everything
//! else, valid or not, is left to the strict decoder.

use bytestring::ByteString;
use visavis_protocol::id::ID_CHARS;

use super::json_string;

const HEAD: &str = r#"{"relay":{"to":""#;
const HEAD_FROM: &str = r#"{"relay":{"from":""#;
const NUMBER: &str = r#"","n":"#;
const BODY: &str = r#","body":"#;
const TAIL: &str = "}}";

/// A `relay` message as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawRelay<'a> {
    /// The addressee's id in its text form, not yet known to be one.
    pub(super) to: &'a str,
    /// The digits of the packet's number.
    pub(super) n: &'a str,
    /// The body with its quotes.
    pub(super) body: &'a str,
}

impl<'a> RawRelay<'a> {
    /// Reads a message in the usual form; `None` asks for the strict decoder.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(HEAD)?;
        let (to, rest) = rest.split_at_checked(ID_CHARS)?;
        let rest = rest.strip_prefix(NUMBER)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        // 18 digits always fit a u64; a leading zero is not JSON.
        if !(1..=18).contains(&digits) || (digits > 1 && rest.starts_with('0')) {
            return None;
        }
        let (n, rest) = rest.split_at_checked(digits)?;
        let body = rest.strip_prefix(BODY)?.strip_suffix(TAIL)?;
        let inner = body.strip_prefix('"')?.strip_suffix('"')?;
        json_string::is_plain(inner.as_bytes()).then_some(Self { to, n, body })
    }

    /// Writes the message as the addressee gets it.
    pub(super) fn write(&self, from: &str) -> ByteString {
        // Of exactly the right length, the string becomes a `ByteString` without another allocation.
        ByteString::from([HEAD_FROM, from, NUMBER, self.n, BODY, self.body, TAIL].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_protocol::{ClientMessage, PeerId, ServerMessage};

    fn relay(n: u64, body: &str) -> String {
        ClientMessage::Relay {
            to: PeerId::from_bytes([9; 16]),
            n,
            body: body.into(),
        }
        .encode()
    }

    #[test]
    fn what_the_fast_reader_accepts_the_strict_decoder_reads_alike() {
        for body in [
            "",
            "plain",
            "a\r\n\"quoted\" \\ / \t",
            "ünïcödé ✨",
            "{\"ack\":1}",
        ] {
            let text = relay(7, body);
            let raw = RawRelay::read(&text).unwrap();
            let ClientMessage::Relay { to, n, .. } = ClientMessage::decode(&text).unwrap() else {
                panic!("another kind");
            };
            assert_eq!((raw.to, raw.n), (to.to_text().as_str(), n.to_string().as_str()));
            let from = PeerId::from_bytes([4; 16]);
            assert_eq!(
                ServerMessage::decode(&raw.write(&from.to_text())),
                Ok(ServerMessage::Relay {
                    from,
                    n,
                    body: body.into()
                })
            );
        }
    }

    #[test]
    fn anything_unusual_is_left_to_the_strict_decoder() {
        let usual = relay(7, "x");
        assert!(RawRelay::read(&usual).is_some());
        for (from, to) in [
            ("\"x\"", "\"\\u0000\""),
            ("\"x\"", "\"\\ud800\""),
            ("\"x\"", "\"\\x\""),
            ("\"x\"", "\"x\\\""),
            ("\"x\"", "\"x\" \"y\""),
            ("\"x\"", "\"x\",\"body\":\"y\""),
            ("\"x\"", "\"\n\""),
            ("\"x\"", "\""),
            ("\"x\"", "7"),
            (":7,", ":07,"),
            (":7,", ":-7,"),
            (":7,", ":7e1,"),
            (":7,", ":99999999999999999999,"),
            (":7,", ":,"),
            ("}}", "}} "),
        ] {
            let text = usual.replace(from, to);
            assert_ne!(text, usual);
            assert_eq!(RawRelay::read(&text), None, "{text}");
        }
        assert_eq!(RawRelay::read(&relay(u64::MAX, "x")), None);
        assert_eq!(RawRelay::read(r#"{"relay":{"to":"ééééééééééééééééééééé"#), None);
    }
}
