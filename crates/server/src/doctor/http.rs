//! The two questions that a Visavis server is known by: its health, and a WebSocket.

use std::io::ErrorKind;

use super::wire::{Stream, plain};

/// No honest answer to these questions is longer, with all that a proxy adds to its head.
const ANSWER_BYTES: usize = 8192;
/// The key of the example in RFC 6455, section 1.3, and the answer to it. Nothing depends on its
/// being random.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    text: String,
}

impl Answer {
    /// Whether this is what our `/healthz` says when all is well.
    pub(super) fn is_health(&self) -> bool {
        self.status == 200 && is_ok(&self.text)
    }

    /// Whether this is the beginning of a WebSocket.
    pub(super) fn is_socket(&self) -> bool {
        self.status == 101 && self.text.contains(ACCEPT)
    }
}

/// Asks for the server's health.
pub(super) fn health(stream: &mut dyn Stream, authority: &str) -> Result<Answer, String> {
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    ask(stream, &request, is_ok)
}

/// Asks for a WebSocket, as a page of `origin` would. It says nothing, and is gone with the stream.
pub(super) fn socket(stream: &mut dyn Stream, authority: &str, origin: &str) -> Result<Answer, String> {
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {authority}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    );
    ask(stream, &request, |text| text.contains("\r\n\r\n"))
}

/// Whether the body says `ok`, in one piece or in chunks.
fn is_ok(text: &str) -> bool {
    text.split_once("\r\n\r\n")
        .is_some_and(|(_, body)| body.contains('\n') && body.lines().any(|line| line == "ok"))
}

/// Sends a request and reads until there is enough, or no more.
fn ask(stream: &mut dyn Stream, request: &str, is_enough: fn(&str) -> bool) -> Result<Answer, String> {
    let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.flush());
    sent.map_err(|error| plain(&error))?;
    let mut bytes = Vec::new();
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while bytes.len() < ANSWER_BYTES && !is_enough(&text) {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                bytes.extend_from_slice(&buffer[..read]);
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Some end without a farewell, or keep the connection open after their answer.
            Err(_) if text.contains("\r\n\r\n") => break,
            Err(error) => return Err(plain(&error)),
        }
    }
    if text.is_empty() {
        return Err(plain(&ErrorKind::UnexpectedEof.into()));
    }
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    match status.and_then(|digits| digits.parse().ok()) {
        Some(status) => Ok(Answer { status, text }),
        None => Err("what answers there does not speak HTTP".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Write};

    use super::*;

    /// Gives what it has in small pieces, and forgets what it is told.
    struct Script<'a>(&'a [u8]);

    impl Read for Script<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (now, later) = self.0.split_at(self.0.len().min(7));
            buffer[..now.len()].copy_from_slice(now);
            self.0 = later;
            Ok(now.len())
        }
    }

    impl Write for Script<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn healthy(answer: &[u8]) -> Result<bool, String> {
        health(&mut Script(answer), "meet.example").map(|answer| answer.is_health())
    }

    #[test]
    fn only_our_health_is_healthy() {
        for (answer, expected) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"[..], Ok(true)),
            (b"HTTP/1.1 200 OK\r\n\r\n3\r\nok\n\r\n0\r\n\r\n", Ok(true)),
            (b"HTTP/1.1 200 OK\r\n\r\n<p>ok</p>\n", Ok(false)),
            (b"HTTP/1.1 200 OK\r\n\r\n", Ok(false)),
            (b"HTTP/1.1 503 Service Unavailable\r\n\r\nok\n", Ok(false)),
            (b"HTTP/1.1 \xff\xff\xff\xff\r\n\r\n", Err(())),
            (b"SSH-2.0-OpenSSH_9.9\r\n", Err(())),
            (b"HTTP/1.", Err(())),
            (b"", Err(())),
        ] {
            assert_eq!(healthy(answer).map_err(|_| ()), expected, "{answer:?}");
        }
    }

    #[test]
    fn endless_answers_are_not_read_to_the_end() {
        let long = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 4 * ANSWER_BYTES]].concat();
        let mut script = Script(&long);
        let answer = health(&mut script, "meet.example").unwrap();
        assert!(!answer.is_health());
        assert!(script.0.len() > 2 * ANSWER_BYTES, "{}", script.0.len());
    }

    #[test]
    fn an_upgrade_needs_the_answer_to_our_key() {
        let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n";
        let right = format!("{head}Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n");
        let wrong = format!("{head}Sec-WebSocket-Accept: {KEY}\r\n\r\n");
        for (answer, expected) in [(right, true), (wrong, false)] {
            let mut script = Script(answer.as_bytes());
            let answer = socket(&mut script, "meet.example", "https://meet.example").unwrap();
            assert_eq!(answer.is_socket(), expected);
        }
    }
}
