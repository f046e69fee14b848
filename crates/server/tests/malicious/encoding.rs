//! M13 to M22: texts that are not messages.

use visavis_protocol::{CloseCode, ErrorCode};

use crate::support::{TEXT, besieged, frame, peer};

#[tokio::test]
async fn m13_invalid_utf_8() {
    besieged(async |server| {
        for payload in [
            &b"\xff"[..],
            b"{\"ping\":\"\xc3\x28\"}",
            b"\xed\xa0\x80",
            b"\xf8\x88\x80\x80\x80",
        ] {
            let mut socket = server.greeted().await;
            socket.write(&frame(TEXT, payload, true)).await;
            socket.hears_close(CloseCode::NotUtf8).await;
        }
    })
    .await;
}

#[tokio::test]
async fn m14_json_ten_thousand_deep() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            for text in [
                deep.clone(),
                format!("{{\"join\":{deep}}}"),
                format!("{{\"relay\":{{\"to\":{deep}}}}}"),
                open.repeat(10_000),
            ] {
                socket.say_text(&text).await;
                let code = if text.starts_with("{\"a\"") {
                    ErrorCode::UnknownKind
                } else {
                    ErrorCode::BadMessage
                };
                socket.hears_error(code).await;
            }
        }
        socket.is_open().await;
    })
    .await;
}

#[tokio::test]
async fn m15_keys_said_twice() {
    besieged(async |server| {
        let mut socket = server.seated("tea", 1).await;
        let (a, b) = (peer(1), peer(2));
        for text in [
            format!(r#"{{"relay":{{"to":"{a}","to":"{b}","n":1,"body":""}}}}"#),
            format!(r#"{{"relay":{{"to":"{b}","n":1,"body":"x","body":"y"}}}}"#),
            r#"{"ping":{},"ping":{}}"#.into(),
            r#"{"ping":{},"leave":{}}"#.into(),
            r#"{"visibility":{"hidden":true,"hidden":false}}"#.into(),
        ] {
            socket.is_refused(&text, ErrorCode::BadMessage).await;
        }
    })
    .await;
}

#[tokio::test]
async fn m16_numbers_out_of_range() {
    besieged(async |server| {
        let mut socket = server.seated("tea", 1).await;
        let to = peer(2);
        for n in [
            "1e999",
            "-0",
            "-1",
            "18446744073709551616",
            "1.5",
            "NaN",
            "\"1\"",
            "01",
            "1e2",
            "true",
        ] {
            let text = format!(r#"{{"relay":{{"to":"{to}","n":{n},"body":""}}}}"#);
            socket.is_refused(&text, ErrorCode::BadMessage).await;
        }
        let mut stranger = server.socket().await;
        stranger.say_text(r#"{"hello":{"versions":[65537]}}"#).await;
        stranger.hears_error(ErrorCode::BadMessage).await;
        stranger.hears_close(CloseCode::NoHello).await;
    })
    .await;
}

#[tokio::test]
async fn m17_an_unknown_kind() {
    besieged(async |server| {
        let mut socket = server.seated("tea", 1).await;
        for text in [
            r#"{"teleport":{}}"#,
            r#"{"":{}}"#,
            r#"{"Ping":{}}"#,
            r#"{"welcome":{}}"#,
        ] {
            socket.is_refused(text, ErrorCode::UnknownKind).await;
        }
    })
    .await;
}

#[tokio::test]
async fn m18_an_unknown_version() {
    besieged(async |server| {
        for versions in ["[]", "[0]", "[65535,2]"] {
            let mut socket = server.socket().await;
            socket
                .say_text(&format!(r#"{{"hello":{{"versions":{versions}}}}}"#))
                .await;
            socket.hears_error(ErrorCode::UnsupportedVersion).await;
            // A page of another version is of no use: it is told to reload.
            socket.hears_close(CloseCode::Version).await;
        }
    })
    .await;
}

#[tokio::test]
async fn m19_fields_missing() {
    besieged(async |server| {
        let mut socket = server.seated("tea", 1).await;
        for text in [
            r#"{"join":{}}"#,
            r#"{"join":{"room":"n.tea"}}"#,
            r#"{"relay":{"n":1,"body":""}}"#,
            r#"{"watch":{}}"#,
            r#"{"visibility":{}}"#,
            r#"{"ping":null}"#,
            r#"{"ping":[]}"#,
            r#""ping""#,
            "{}",
            "[]",
            "null",
            "",
        ] {
            socket.is_refused(text, ErrorCode::BadMessage).await;
        }
    })
    .await;
}

#[tokio::test]
async fn m20_a_field_of_60_kilobytes_too_many() {
    besieged(async |server| {
        let mut socket = server.seated("tea", 1).await;
        let filler = "x".repeat(60_000);
        socket
            .is_refused(
                &format!(r#"{{"ping":{{"x":"{filler}"}}}}"#),
                ErrorCode::BadMessage,
            )
            .await;
        let to = peer(2);
        let text = format!(r#"{{"relay":{{"to":"{to}","n":1,"body":"","x":"{filler}"}}}}"#);
        socket.is_refused(&text, ErrorCode::BadMessage).await;
    })
    .await;
}

#[tokio::test]
async fn m21_nul_and_lone_surrogates() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        let secret = "AAAAAAAAAAAAAAAAAAAAAA";
        let join = |name: &str| {
            format!(r#"{{"join":{{"room":"n.tea","seat":"{secret}","session":"{secret}","name":"{name}"}}}}"#)
        };
        for (name, code) in [
            ("a\0b", ErrorCode::BadMessage),
            ("a\\u0000b", ErrorCode::InvalidName),
            ("\\ud800", ErrorCode::BadMessage),
            ("\\udc00\\ud800", ErrorCode::BadMessage),
            ("a\\u202eb", ErrorCode::InvalidName),
        ] {
            socket.is_refused(&join(name), code).await;
        }
        // In a packet: neither is handed on as it stands.
        let mut first = server.seated("coffee", 1).await;
        let mut second = server.seated("coffee", 2).await;
        first.hear().await;
        let to = peer(1);
        for body in ["a\0b", "\\ud800", "\\udc00"] {
            let text = format!(r#"{{"relay":{{"to":"{to}","n":1,"body":"{body}"}}}}"#);
            second.is_refused(&text, ErrorCode::BadMessage).await;
        }
        first.is_open().await;
    })
    .await;
}

#[tokio::test]
async fn m22_a_byte_order_mark_and_garbage_behind() {
    besieged(async |server| {
        let mut socket = server.greeted().await;
        for text in [
            "\u{feff}{\"ping\":{}}",
            "{\"ping\":{}}x",
            "{\"ping\":{}}{\"ping\":{}}",
            "{\"ping\":{}}\0",
        ] {
            socket.is_refused(text, ErrorCode::BadMessage).await;
        }
    })
    .await;
}
