//! M01 to M12: frames and heads that break the transport.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout};
use visavis_protocol::{CloseCode, ServerMessage, limits};
use visavis_server::Config;

use crate::support::{Heard, PING, Socket, TEXT, besieged, besieged_with, frame, relay};

#[tokio::test]
async fn m01_a_frame_of_64_kib_and_one_byte() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        socket
            .write(&frame(TEXT, &vec![b'x'; limits::MESSAGE_BYTES + 1], true))
            .await;
        socket.hears_close(CloseCode::TooBig).await;
    })
    .await;
}

#[tokio::test]
async fn m01_before_hello_a_frame_of_4_kib_and_one_byte() {
    besieged(async |server| {
        let mut socket = server.socket().await;
        socket
            .write(&frame(TEXT, &vec![b'x'; limits::FIRST_MESSAGE_BYTES + 1], true))
            .await;
        socket.hears_close(CloseCode::TooBig).await;
    })
    .await;
}

#[tokio::test]
async fn m02_a_declared_length_of_64_mib() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        let mut head = vec![TEXT, 0xff];
        head.extend((64_u64 << 20).to_be_bytes());
        head.extend([1, 2, 3, 4]);
        socket.write(&head).await;
        socket.hears_close(CloseCode::TooBig).await;
    })
    .await;
}

#[tokio::test]
async fn m03_a_million_fragments_of_one_byte() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        socket.write(&frame(0x01, b"x", true)).await;
        let thousand = frame(0x00, b"x", true).repeat(1000);
        for _ in 0..1000 {
            if !socket.write(&thousand).await {
                break;
            }
        }
        // Whoever writes on so long may find the connection reset before the frame is read.
        match socket.hear_any().await {
            Heard::Close(code) => assert_eq!(code, Some(CloseCode::TooBig)),
            Heard::End => {}
            Heard::Message(_) | Heard::Pong(_) => panic!("not refused"),
        }
        server
            .metric_becomes("visavis_closes_total{code=\"1009\"}", 1)
            .await;
    })
    .await;
}

#[tokio::test]
async fn m04_a_fragmented_message_without_end() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        socket.write(&frame(0x01, &[b'x'; 1000], true)).await;
        let mut sent = 1000;
        while sent <= limits::MESSAGE_BYTES + 1000 && socket.write(&frame(0x00, &[b'x'; 1000], true)).await {
            sent += 1000;
        }
        socket.hears_close(CloseCode::TooBig).await;
    })
    .await;
}

#[tokio::test]
async fn m05_an_unmasked_frame() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        socket.write(&frame(TEXT, b"{\"ping\":{}}", false)).await;
        socket.hears_close(CloseCode::ProtocolError).await;
    })
    .await;
}

#[tokio::test]
async fn m06_reserved_bits_and_opcodes() {
    besieged(async |server| {
        for first in [0xc1, 0xa1, 0x91, 0x83, 0x87, 0x8b, 0x8f] {
            let mut socket = server.greeted().await;
            socket.write(&frame(first, b"x", true)).await;
            socket.hears_close(CloseCode::ProtocolError).await;
        }
    })
    .await;
}

#[tokio::test]
async fn m06_a_binary_frame() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        socket.write(&frame(0x82, b"{\"ping\":{}}", true)).await;
        socket.hears_close(CloseCode::Unsupported).await;
    })
    .await;
}

#[tokio::test]
async fn m07_a_flood_of_pings() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        socket.write(&frame(PING, b"one", true)).await;
        assert!(matches!(socket.hear_any().await, Heard::Pong(payload) if payload == b"one"));
        socket.write(&frame(PING, b"x", true).repeat(200)).await;
        socket.hears_close(CloseCode::RateLimited).await;
    })
    .await;
}

#[tokio::test]
async fn m08_a_ping_of_200_bytes() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        socket.write(&frame(PING, &[b'x'; 200], true)).await;
        socket.hears_close(CloseCode::ProtocolError).await;
    })
    .await;
}

#[tokio::test]
async fn m09_a_compressed_bomb() {
    besieged(async |server| {
        let mut stream = Socket {
            stream: server.tcp().await,
        };
        let wish = format!(
            "Origin: {}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
            server.origin()
        );
        let head = stream.upgrade(server.address, &wish).await.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101"));
        assert!(!head.contains("sec-websocket-extensions"), "{head}");
        // What deflate makes of many zeros; the reserved bit alone gives it away.
        stream
            .write(&frame(0xc1, &[0xec, 0xc1, 0x01, 0x01, 0x00, 0x00], true))
            .await;
        stream.hears_close(CloseCode::ProtocolError).await;
    })
    .await;
}

#[tokio::test]
async fn m10_a_head_of_20_megabytes() {
    besieged(async |server| {
        let mut stream = server.tcp().await;
        let line = format!("X-Filler: {}\r\n", "x".repeat(8000)).into_bytes();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        let mut sent = 0;
        while sent < 20_000_000 && stream.write_all(&line).await.is_ok() {
            sent += line.len();
        }
        assert!(sent < 10_000_000, "the server read on");
    })
    .await;
}

#[tokio::test]
async fn m11_a_head_of_one_byte_a_second() {
    besieged(async |server| {
        let mut stream = server.tcp().await;
        let start = Instant::now();
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Filler: {}", "x".repeat(60));
        for byte in head.bytes() {
            if stream.write_all(&[byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
        let elapsed = start.elapsed();
        assert!(
            elapsed < limits::HTTP_HEAD_WITHIN + Duration::from_secs(5),
            "{elapsed:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn m12_an_upgrade_and_then_silence() {
    besieged(async |server| {
        let mut socket = server.socket().await;
        let start = Instant::now();
        socket.hears_close(CloseCode::NoHello).await;
        let elapsed = start.elapsed();
        assert!(
            elapsed < limits::FIRST_MESSAGE_WITHIN + Duration::from_secs(2),
            "{elapsed:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_never_reads_is_let_go() {
    let mut config = Config::default();
    // Kernel buffers hold megabytes on loopback, more than one sender may send in a minute.
    config.hub.limits.bytes_per_second = 0;
    config.limits.queue_bytes = 256 * 1024;
    besieged_with(config, async |server| {
        let _slow = server.seated("slow", 1).await;
        let mut fast = server.seated("slow", 2).await;
        let body = "x".repeat(60_000);
        let mut last = None;
        for n in 0..230 {
            fast.say(&relay(1, n, &body)).await;
            if let Ok(heard) = timeout(Duration::from_millis(5), fast.hear()).await {
                last = Some(heard);
                break;
            }
        }
        let last = match last {
            Some(heard) => heard,
            None => fast.hear().await,
        };
        assert!(
            matches!(last, ServerMessage::PeerAway { away: true, .. }),
            "{last:?}"
        );
        fast.is_open().await;
    })
    .await;
}
