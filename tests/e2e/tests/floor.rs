//! The machine and the harness themselves: do browsers, fake devices, statistics and the network
//! work at all? Where these fail, nothing that follows says anything about the client.

use std::time::Duration;

use anyhow::{Result, ensure};
use visavis_e2e::{Browser, Devices, Kind, Look, Permission, in_each, page::SOON, until};

/// Serves the fixture on a free port of `localhost`, which counts as a secure origin.
async fn floor(browser: &Browser) -> Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                // One read is enough: whatever is asked for, there is one page.
                let Ok(1..) = socket.read(&mut head).await else {
                    return;
                };
                let page = include_str!("../fixtures/floor.html");
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                );
                socket.write_all(answer.as_bytes()).await.ok();
            });
        }
    });
    browser.visit(&format!("http://127.0.0.1:{port}/")).await
}

in_each! {
    /// Two bare connections in one page: sound and pictures flow, and the probe sees them come and go.
    async fn two_bare_connections(stage: &Stage, kind: Kind) -> Result<()> {
        let browser = stage.browser(kind).await?;
        floor(&browser).await?;
        browser.sees_and_hears(2, SOON).await?;
        let open = browser.open().await?;
        ensure!(open.peers == 2 && open.tracks == 2, "{open:?}");
        ensure!(open.handlers >= 3, "{open:?}");
        for peer in browser.peers().await? {
            ensure!(peer.signaling == "stable" && peer.transceivers.len() == 2, "{peer:?}");
        }

        browser.watch_pauses().await?;
        let started = std::time::Instant::now();
        until("a second of looks", SOON, async || {
            Ok(Look::when(started.elapsed() > Duration::from_secs(1), || "less".into()))
        }).await?;
        let pauses = browser.pauses().await?;
        ensure!(pauses.len() == 4 && pauses.values().all(|pause| pause.looks > 3), "{pauses:?}");

        browser.script("hangUp();", Vec::new()).await?;
        let open = browser.open().await?;
        ensure!(open.peers == 0 && open.tracks == 0 && open.handlers == 0, "{open:?}");
        Ok(())
    }
}

in_each! {
    /// A camera that is not there is not found, and the microphone still is.
    async fn no_camera(stage: &Stage, kind: Kind) -> Result<()> {
        let browser = stage.browser_with(kind, Devices { camera: false, ..Devices::default() }).await?;
        floor(&browser).await?;
        let kinds = browser.async_script(
            "return [...new Set((await navigator.mediaDevices.enumerateDevices()).map((device) => device.kind))].filter((kind) => kind.endsWith('input')).sort().join();",
            Vec::new(),
        ).await?;
        ensure!(kinds == "audioinput", "{kinds}");
        let refused = browser.script("return document.body.dataset.refused;", Vec::new()).await?;
        ensure!(refused == "NotFoundError", "{refused}");
        Ok(())
    }
}

in_each! {
    /// A person who says no gives nothing; the connection comes about all the same.
    async fn permission_refused(stage: &Stage, kind: Kind) -> Result<()> {
        let devices = Devices { permission: Permission::Refused, ..Devices::default() };
        let browser = stage.browser_with(kind, devices).await?;
        floor(&browser).await?;
        let refused = browser.script("return document.body.dataset.refused;", Vec::new()).await?;
        ensure!(refused == "NotAllowedError", "{refused}");
        until("a connection that only receives", SOON, async || {
            let peers = browser.peers().await?;
            let connected = peers.len() == 2 && peers.iter().all(|peer| peer.connection == "connected");
            Ok(Look::when(connected, || format!("{peers:?}")))
        }).await?;
        ensure!(browser.open().await?.tracks == 0);
        // Without a permission the own address stays hidden.
        if kind == Kind::Chromium {
            ensure!(browser.peers().await?.iter().any(|peer| peer.mdns > 0), "{:?}", browser.peers().await?);
        }
        Ok(())
    }
}
