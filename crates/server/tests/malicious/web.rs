//! M75 to M80: what a hostile page or link tries.

use tokio::io::AsyncWriteExt;

use crate::support::{Socket, besieged};

#[tokio::test]
async fn m75_foreign_origins() {
    besieged(async |server| {
        let port = server.address.port();
        for origin in [
            "Origin: http://evil.example\r\n".to_owned(),
            "Origin: null\r\n".to_owned(),
            String::new(),
            "Origin: \r\n".to_owned(),
            format!("Origin: http://sub.127.0.0.1:{port}\r\n"),
            format!("Origin: http://127.0.0.1:{}\r\n", port ^ 1),
            "Origin: http://127.0.0.1\r\n".to_owned(),
            format!("Origin: https://127.0.0.1:{port}\r\n"),
            format!("Origin: http://127.0.0.1:{port}.evil.example\r\n"),
            format!("Origin: http://127.0.0.1:{port}/\r\n"),
            format!("Origin: http://127.0.0.1:{port}\r\nOrigin: http://evil.example\r\n"),
        ] {
            let mut socket = Socket {
                stream: server.tcp().await,
            };
            let head = socket.upgrade(server.address, &origin).await;
            assert!(head.starts_with("HTTP/1.1 403"), "{origin:?}: {head}");
        }
        assert_eq!(server.metric("visavis_foreign_origins_total").await, 11);
    })
    .await;
}

#[tokio::test]
async fn m76_a_framed_page() {
    besieged(async |server| {
        let head = server.get("/room/tea", "").await.to_ascii_lowercase();
        assert!(head.contains("x-frame-options: deny"), "{head}");
        assert!(head.contains("frame-ancestors 'none'"), "{head}");
    })
    .await;
}

#[tokio::test]
async fn m77_an_upgrade_with_nothing_but_a_cookie() {
    besieged(async |server| {
        let mut socket = Socket {
            stream: server.tcp().await,
        };
        let head = socket.upgrade(server.address, "Cookie: session=abc\r\n").await;
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
        for path in ["/", "/healthz", "/room/tea", "/missing.js"] {
            let head = server
                .get(path, "Cookie: session=abc\r\n")
                .await
                .to_ascii_lowercase();
            assert!(!head.contains("set-cookie"), "{head}");
        }
    })
    .await;
}

#[tokio::test]
async fn m78_a_window_of_another_origin() {
    besieged(async |server| {
        // What the server can do: no window of another origin gets hold of the page's.
        let head = server.get("/room/tea", "").await.to_ascii_lowercase();
        assert!(head.contains("cross-origin-opener-policy: same-origin"), "{head}");
        assert!(
            head.contains("cross-origin-resource-policy: same-origin"),
            "{head}"
        );
    })
    .await;
}

#[tokio::test]
async fn m79_fragments_and_paths_that_are_scripts_or_endless() {
    besieged(async |server| {
        // No browser sends a fragment. Who does is told nothing, least of all what they wrote.
        let sent = "/room/tea#<script>alert(1)</script>";
        let answer = server.get(sent, "").await;
        assert!(!answer.contains("alert(1)"), "{answer}");
        let page = server.get("/room/%3Cscript%3Ealert(1)%3C/script%3E", "").await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(!page.contains("alert(1)"), "{page}");
        let mut stream = server.tcp().await;
        let endless = format!("GET /room/{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(1 << 20));
        // The server may hang up before all of it is sent.
        let _ = stream.write_all(endless.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn m80_no_room_link_is_redirected() {
    besieged(async |server| {
        for path in [
            "/room/tea",
            "/room/tea/",
            "//room/tea",
            "/room//tea",
            "/room/../room/tea",
            "/ROOM/tea",
            "/room/tea?x=//evil.example",
            "/room/https://evil.example",
            "/join",
            "/",
        ] {
            for headers in [
                "",
                "X-Forwarded-Proto: http\r\nX-Forwarded-Host: evil.example\r\n",
            ] {
                let head = server.get(path, headers).await.to_ascii_lowercase();
                assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
                assert!(!head.contains("\r\nlocation:"), "{head}");
                assert!(!head.contains("evil.example"), "{head}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn files_outside_the_client_are_out_of_reach() {
    besieged(async |server| {
        for path in [
            "/../Cargo.toml",
            "/..%2fCargo.toml",
            "/%2e%2e/%2e%2e/etc/passwd.txt",
            "/room/../../Cargo.toml",
            "/.git/config.js",
            "/assets\\..\\Cargo.toml",
        ] {
            let answer = server.get(path, "").await;
            assert!(
                !answer.contains("[package]") && !answer.contains("root:"),
                "{path}: {answer}"
            );
        }
    })
    .await;
}
