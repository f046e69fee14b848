//! Rooms with a host (A7, X4): a waiting room, letting in and declining, a lock, and the end of an old link.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::{try_join, try_join3};
use serde_json::Value;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Stage, in_each, until};

const LIMIT: Duration = Duration::from_secs(10);

const fn other(kind: Kind) -> Kind {
    match kind {
        Kind::Chromium => Kind::Firefox,
        Kind::Firefox => Kind::Chromium,
    }
}

/// Makes a room and joins it; returns its link.
async fn make_room(stage: &Stage, browser: &Browser, name: &str, has_waiting_room: bool) -> Result<String> {
    browser.visit(&format!("{}/?lang=en", stage.origin())).await?;
    browser.ready().await?;
    if has_waiting_room {
        browser.press("switch", "Waiting room").await?;
    }
    browser.press("button", "New room").await?;
    browser.join(name).await?;
    address(browser).await
}

async fn address(browser: &Browser) -> Result<String> {
    let address = browser.script("return location.href;", Vec::new()).await?;
    Ok(address.as_str().context("an address")?.to_owned())
}

/// Opens a link and asks to come in.
async fn knock(browser: &Browser, link: &str, name: &str) -> Result<()> {
    browser.visit(link).await?;
    browser.ready().await?;
    browser.fill("Your name", name).await?;
    browser.press("button", "Join now").await
}

async fn three(stage: &Stage, kind: Kind) -> Result<[Rc<Browser>; 3]> {
    stage.serve().await?;
    let (ada, bob, cleo) = try_join3(
        stage.browser(kind),
        stage.browser(other(kind)),
        stage.browser(kind),
    )
    .await?;
    Ok([ada, bob, cleo])
}

/// Insists that nothing on a page's socket or screen tells who is inside.
async fn knows_nobody(browser: &Browser, names: &[&str]) -> Result<()> {
    let heard = browser
        .script("return JSON.stringify(__probe.heard());", Vec::new())
        .await?;
    let heard = heard.as_str().context("words")?.to_owned();
    ensure!(heard.contains("waiting"), "nothing was heard: {heard}");
    let shown = browser.words().await?;
    for name in names {
        ensure!(!heard.contains(name), "{name} is on the wire: {heard}");
        ensure!(!shown.contains(name), "{name} is on the page: {shown}");
    }
    for told in ["relay", "peer_joined", "candidate"] {
        ensure!(!heard.contains(told), "{told} is on the wire: {heard}");
    }
    let open = browser.open().await?;
    ensure!(open.peers_made == 0, "{open:?}");
    Ok(())
}

in_each! {
    /// Who comes waits, knows nothing, and is let in or declined with a word.
    async fn waiting_room(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob, cleo] = three(stage, kind).await?;
        let link = make_room(stage, &ada, "Ada", true).await?;
        let began = Instant::now();
        knock(&bob, &link, "Bob").await?;
        bob.room_state("waiting").await?;
        ada.press("button", "People").await?;
        ada.see_said("list", "Waiting", "Bob").await?;
        stage.figure(&format!("a knock is seen after {:.0} ms, the click and the page's part included", began.elapsed().as_secs_f64() * 1000.0));
        bob.see("heading", "Waiting to be let in").await?;
        knows_nobody(&bob, &["Ada"]).await?;
        // A reload goes on with the same wait.
        knock(&cleo, &link, "Cleo").await?;
        cleo.room_state("waiting").await?;
        ada.see("button", "Admit Cleo").await?;
        ada.fill("A word for those you decline", "Tomorrow, please").await?;
        ada.press("button", "Decline Cleo").await?;
        cleo.see("button", "Join now").await?;
        until("the host's word", SOON, async || {
            let words = cleo.words().await?;
            Ok(Look::when(words.contains("Tomorrow, please"), || words))
        }).await?;
        knows_nobody(&cleo, &["Ada"]).await?;
        let admitted = Instant::now();
        ada.press("button", "Admit Bob").await?;
        try_join(ada.sees_and_hears(1, LIMIT), bob.sees_and_hears(1, LIMIT)).await?;
        stage.figure(&format!("from Admit to pictures and sound {:.0} ms", admitted.elapsed().as_secs_f64() * 1000.0));
        // Who was let in comes back without waiting.
        bob.driver().refresh().await?;
        bob.ready().await?;
        try_join(ada.sees_and_hears(1, LIMIT), bob.sees_and_hears(1, LIMIT)).await?;
        // Asked again, and all are let in at once.
        cleo.press("button", "Join now").await?;
        ada.see("button", "Admit Cleo").await?;
        ada.press("button", "Admit all").await?;
        cleo.sees_and_hears(2, LIMIT).await?;
        ada.see_gone("list", "Waiting").await
    }
}

in_each! {
    /// A lock keeps everybody out, with words; those inside may be asked to mute.
    async fn lock_and_ask_to_mute(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob, cleo] = three(stage, kind).await?;
        let link = make_room(stage, &ada, "Ada", false).await?;
        knock(&bob, &link, "Bob").await?;
        try_join(ada.sees_and_hears(1, LIMIT), bob.sees_and_hears(1, LIMIT)).await?;
        ada.press("button", "People").await?;
        bob.press("button", "People").await?;
        ensure!(bob.find("button", "Lock room").await?.is_none(), "Bob is no host");
        ada.press("button", "Lock room").await?;
        ada.see("button", "Unlock room").await?;
        knock(&cleo, &link, "Cleo").await?;
        until("the room is locked", SOON, async || {
            let words = cleo.words().await?;
            Ok(Look::when(words.contains("has locked this room"), || words))
        }).await?;
        let (asked, heard) = (ada.press("button", "Ask Bob to mute"), bob.hear("status", "asks you to mute"));
        try_join(asked, heard).await?;
        ada.press("button", "Unlock room").await?;
        cleo.press("button", "Join now").await?;
        cleo.sees_and_hears(2, LIMIT).await
    }
}

in_each! {
    /// Who is removed is out for good by the old link; the others have a new one, in the same call.
    async fn remove(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob, cleo] = three(stage, kind).await?;
        let link = make_room(stage, &ada, "Ada", false).await?;
        knock(&bob, &link, "Bob").await?;
        knock(&cleo, &link, "Cleo").await?;
        for browser in [&ada, &bob, &cleo] {
            browser.sees_and_hears(2, LIMIT).await?;
        }
        bob.watch_pauses().await?;
        ada.press("button", "People").await?;
        let said = bob.hear("status", "has a new link");
        try_join(ada.press("button", "Remove Cleo"), said).await?;
        cleo.see("heading", "The host removed you from the call").await?;
        let mut links = Vec::new();
        for browser in [&ada, &bob] {
            until("a new link in the address bar", SOON, async || {
                let now = address(browser).await?;
                Ok(Look::when(now != link, || now.clone()))
            }).await?;
            links.push(address(browser).await?);
        }
        ensure!(links[0] == links[1], "{links:?}");
        try_join(ada.sees_and_hears(1, LIMIT), bob.sees_and_hears(1, LIMIT)).await?;
        let pauses = bob.pauses().await?;
        stage.figure(&format!("pauses over the removal: {pauses:?}"));
        // The old link leads nowhere, in a new page as well.
        knock(&cleo, &link, "Cleo again").await?;
        until("the link is no longer good", SOON, async || {
            let words = cleo.words().await?;
            Ok(Look::when(words.contains("no longer good"), || words))
        }).await?;
        ensure!(cleo.open().await?.peers == 0, "Cleo has a connection");
        // The new one works, for a reload and for who comes by it.
        bob.driver().refresh().await?;
        bob.ready().await?;
        try_join(ada.sees_and_hears(1, LIMIT), bob.sees_and_hears(1, LIMIT)).await?;
        knock(&cleo, &links[0], "Cleo").await?;
        cleo.sees_and_hears(2, LIMIT).await?;
        // And the host's own list of rooms has it.
        ada.press("button", "Leave call").await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        ada.ready().await?;
        let href = "return document.querySelector('.rows a').href;";
        let kept = ada.script(href, Vec::new()).await?;
        ensure!(kept == Value::String(links[0].clone()), "{kept} is kept, not {}", links[0]);
        Ok(())
    }
}

in_each! {
    /// A server that was killed and forgot everybody keeps its door shut: who was inside comes back by
    /// themselves, who waits waits on.
    async fn a_server_forgets(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob, cleo] = three(stage, kind).await?;
        let link = make_room(stage, &ada, "Ada", true).await?;
        knock(&bob, &link, "Bob").await?;
        ada.press("button", "People").await?;
        ada.press("button", "Admit Bob").await?;
        try_join(ada.sees_and_hears(1, LIMIT), bob.sees_and_hears(1, LIMIT)).await?;
        knock(&cleo, &link, "Cleo").await?;
        cleo.room_state("waiting").await?;
        ada.see("button", "Admit Cleo").await?;
        stage.kill_server()?;
        for browser in [&ada, &bob] {
            browser.room_state("reconnecting").await?;
        }
        stage.revive_server().await?;
        for browser in [&ada, &bob] {
            browser.room_state("joined").await?;
            browser.sees_and_hears(1, LIMIT).await?;
        }
        ada.see("button", "Admit Cleo").await?;
        cleo.room_state("waiting").await?;
        knows_nobody(&cleo, &["Ada", "Bob"]).await?;
        ada.press("button", "Admit Cleo").await?;
        cleo.sees_and_hears(2, LIMIT).await
    }
}
