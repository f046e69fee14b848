//! Leaving leaves nothing behind: connections, tracks, listeners, timers, memory.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join;
use serde_json::json;
use visavis_e2e::page::SOON;
use visavis_e2e::probe::Open;
use visavis_e2e::{Browser, Kind, Look, Member, Room, in_pairs, staged, until};

/// Kinds of listeners' targets that outlive a call: as many as before it, then.
const ALLOWED: [&str; 4] = ["Window", "HTMLDocument", "MediaDevices", "BroadcastChannel"];

/// Whether nothing of a call is left.
fn is_tidy(open: &Open, before: &Open) -> bool {
    let of_calls = open
        .listeners
        .iter()
        .filter(|(kind, _)| !ALLOWED.contains(&kind.as_str()));
    open.peers == 0
        && open.tracks == 0
        && open.sockets == 0
        && open.audio_contexts == 0
        && open.intervals == 0
        && open.frames == 0
        && open.handlers == 0
        && of_calls.clone().count() == 0
        && ALLOWED
            .iter()
            .all(|kind| open.listeners.get(*kind) <= before.listeners.get(*kind))
}

in_pairs! {
    /// R7: the one who leaves frees everything, the one who stays lets go of them.
    async fn leaving_frees_everything(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = try_join(stage.browser(pair[0]), stage.browser(pair[1])).await?;
        let room = Room::new("tidy");
        bob.enter(stage, &room, "Bob").await?;
        ada.open_room(stage, &room).await?;
        ada.see("button", "Join now").await?;
        let before = ada.open().await?;
        // A page that loads itself anew would be tidy too, and prove nothing.
        ada.script("window.__same = true;", Vec::new()).await?;
        ada.join("Ada").await?;
        try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
        let during = ada.open().await?;
        ensure!(during.peers == 1 && during.tracks >= 2 && !is_tidy(&during, &before), "{during:?}");

        ada.leave().await?;
        until("nothing left open", SOON, async || {
            let open = ada.open().await?;
            Ok(Look::when(is_tidy(&open, &before), || format!("{open:?}, before {before:?}")))
        }).await?;
        ensure!(ada.script("return window.__same === true;", Vec::new()).await? == true, "the page was loaded anew");
        bob.see_gone("article", "Ada").await?;
        let open = bob.open().await?;
        ensure!(open.peers == 0 && open.sockets == 1, "{open:?}");
        Ok(())
    }
}

in_pairs! {
    /// R7: a closed tab is a leave, for those who stay.
    async fn a_closed_tab_is_gone(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = try_join(stage.browser(pair[0]), stage.browser(pair[1])).await?;
        let room = Room::new("closed");
        bob.enter(stage, &room, "Bob").await?;
        ada.enter(stage, &room, "Ada").await?;
        bob.wait_for_tile("Ada").await?;
        ada.driver().goto("about:blank").await?;
        bob.see_gone("article", "Ada").await?;
        until("the connection closed", SOON, async || {
            let open = bob.open().await?;
            Ok(Look::when(open.peers == 0, || format!("{open:?}")))
        }).await
    }
}

/// Bytes of script objects in use, after everything that can be freed was.
async fn heap(browser: &Browser) -> Result<f64> {
    browser.cdp("HeapProfiler.enable", json!({})).await?;
    browser.cdp("HeapProfiler.collectGarbage", json!({})).await?;
    let usage = browser.cdp("Runtime.getHeapUsage", json!({})).await?;
    usage["usedSize"].as_f64().context("no heap usage")
}

staged! {
    /// R7: a hundred joins and leaves in one tab cost no memory.
    async fn a_hundred_joins(stage: &Stage) -> Result<()> {
        const WARM_UP: usize = 10;
        const GROWTH: f64 = 5.0 * 1024.0 * 1024.0;
        stage.serve_with(&["--limit", "joins_per_second=100"]).await?;
        let room = Room::new("again");
        // Keeps the room, and gives each join somebody to make a connection to.
        let _bob = Member::join(stage, &room, "Bob").await?;
        let ada = stage.browser(Kind::Chromium).await?;
        ada.enter(stage, &room, "Ada").await?;
        let mut after_warm_up = 0.0;
        for round in 0..100 {
            ada.see("article", "Bob").await?;
            ada.leave().await?;
            ada.press("button", "Rejoin").await?;
            joined(&ada).await?;
            if round == WARM_UP {
                after_warm_up = heap(&ada).await?;
            }
        }
        let grown = heap(&ada).await? - after_warm_up;
        stage.figure(&format!("the heap grew by {:.0} KiB in 90 joins", grown / 1024.0));
        ensure!(grown < GROWTH, "the heap grew by {grown} bytes");
        let open = ada.open().await?;
        ensure!(open.peers == 1 && open.peers_made >= 100 && open.tracks <= 2, "{open:?}");
        Ok(())
    }
}

/// In the call again, over the page before it if there is one.
async fn joined(browser: &Browser) -> Result<()> {
    until("the call again", Duration::from_secs(10), async || {
        if browser.find("button", "Leave call").await?.is_some() {
            return Ok(Look::There(()));
        }
        if let Some(join) = browser.find("button", "Join now").await? {
            join.click().await.ok();
        }
        Ok(Look::NotYet(browser.words().await?))
    })
    .await
}
