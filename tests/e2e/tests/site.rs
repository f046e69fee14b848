//! The site as it is served: exactly these files, headers and words, for everybody.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use thirtyfour::Key;
use visavis_e2e::axe::Axe;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Member, Room, in_each, staged, until};

/// Requests until one can join: goal G2.
const REQUESTS: usize = 7;
/// Bytes of their bodies on the wire: the budget of `cargo xtask test --only weight`, whose table
/// names the goal beside it.
const WIRE_BYTES: f64 = 480_000.0;

/// What the page fetched, with the bytes that it cost.
const FETCHED: &str = r#"
    return JSON.stringify([...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .map((entry) => [entry.name, entry.encodedBodySize, entry.decodedBodySize]));
"#;

async fn fetched(browser: &Browser) -> Result<Vec<(String, f64, f64)>> {
    let text = browser.script(FETCHED, Vec::new()).await?;
    Ok(serde_json::from_str(text.as_str().unwrap_or_default())?)
}

/// Insists that the page wrote no error, and broke no rule of its own content policy.
async fn no_errors(browser: &Browser) -> Result<()> {
    let console = browser.console().await?;
    let errors: Vec<_> = console.iter().filter(|line| line.level == "error").collect();
    ensure!(errors.is_empty(), "{errors:?}");
    if browser.kind == Kind::Chromium {
        let errors: Vec<_> = browser
            .driver()
            .browser_log()
            .await?
            .into_iter()
            .filter(|entry| entry.level == "SEVERE")
            .collect();
        ensure!(errors.is_empty(), "{errors:?}");
    }
    Ok(())
}

in_each! {
    /// G1, G2: what is served starts, is small, compressed, and comes from nowhere else.
    async fn smoke(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.open_room(stage, &Room::new("smoke")).await?;
        ada.see("button", "Join now").await?;

        let files = fetched(&ada).await?;
        let bytes: f64 = files.iter().map(|(_, wire, _)| wire).sum();
        stage.figure(&format!("{} requests, {bytes:.0} bytes of bodies until one can join", files.len()));
        ensure!(files.iter().all(|(url, ..)| url.starts_with(&stage.origin())), "{files:?}");
        ensure!(files.len() <= REQUESTS, "{files:?}");
        ensure!(bytes > 0.0 && bytes <= WIRE_BYTES, "{files:?}");
        let wasm = files.iter().find(|(url, ..)| url.ends_with(".wasm")).context("no wasm")?;
        ensure!(wasm.1 < wasm.2 / 2.0, "the wasm is not compressed: {wasm:?}");

        ada.join("Ada").await?;
        no_errors(&ada).await?;
        ensure!(fetched(&ada).await?.iter().all(|(url, ..)| url.starts_with(&stage.origin())));
        let hidden = ada.script("return document.body.dataset.build ?? '';", Vec::new()).await?;
        ensure!(hidden.as_str().is_some_and(|build| !build.is_empty()), "{hidden}");
        Ok(())
    }
}

staged! {
    /// X3: the headers that the browser enforces are on the page, and cache rules on the files.
    async fn headers(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(Kind::Chromium).await?;
        ada.visit(&stage.origin()).await?;
        let text = ada.async_script(
            r#"const rows = {};
               for (const entry of [location.href, ...performance.getEntriesByType("resource").map((entry) => entry.name)]) {
                 const response = await fetch(entry);
                 rows[new URL(entry).pathname] = Object.fromEntries(response.headers);
               }
               return JSON.stringify(rows);"#,
            Vec::new(),
        ).await?;
        let rows: Value = serde_json::from_str(text.as_str().unwrap_or_default())?;
        let page = &rows["/"];
        let policy = page["content-security-policy"].as_str().context("no content policy")?;
        for part in ["default-src 'none'", "'wasm-unsafe-eval'", "frame-ancestors 'none'", "base-uri 'none'"] {
            ensure!(policy.contains(part), "{policy}");
        }
        ensure!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        ensure!(page["referrer-policy"] == "no-referrer" && page["x-content-type-options"] == "nosniff", "{page}");
        ensure!(page["cache-control"].as_str().is_some_and(|rule| rule.contains("no-cache")), "{page}");
        let wasm = rows.as_object().into_iter().flatten().find(|(path, _)| path.ends_with(".wasm")).context("no wasm")?;
        ensure!(wasm.1["cache-control"].as_str().is_some_and(|rule| rule.contains("immutable")), "{wasm:?}");
        ensure!(wasm.1["content-type"] == "application/wasm", "{wasm:?}");
        no_errors(&ada).await
    }
}

in_each! {
    /// E1: axe finds nothing serious, in the lobby, before joining, alone and with another, and after.
    async fn accessible_to_all(stage: &Stage, kind: Kind) -> Result<()> {
        let Some(axe) = Axe::load(stage) else { return Ok(()) };
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        axe.look(&ada, "lobby").await?;
        let room = Room::new("axe");
        ada.open_room(stage, &room).await?;
        ada.see("button", "Join now").await?;
        axe.look(&ada, "before joining").await?;
        ada.join("Ada").await?;
        ada.see("article", "Ada (you)").await?;
        axe.look(&ada, "alone").await?;
        let _bob = Member::join(stage, &room, "Bob").await?;
        ada.see("article", "Bob").await?;
        axe.look(&ada, "with another").await?;
        ada.press("button", "More").await?;
        ada.see("menu", "More").await?;
        axe.look(&ada, "with the menu").await?;
        ada.keys(Key::Escape).await?;
        ada.press("button", "Raise hand").await?;
        ada.press("button", "People").await?;
        ada.see("list", "In this call").await?;
        axe.look(&ada, "with the panel of people").await?;
        ada.press("button", "React").await?;
        ada.see("menu", "React").await?;
        axe.look(&ada, "with the reactions").await?;
        ada.keys(Key::Escape).await?;
        choose(&ada, "Keyboard shortcuts").await?;
        ada.see("dialog", "Keyboard shortcuts").await?;
        axe.look(&ada, "with the keyboard shortcuts").await?;
        ada.keys(Key::Escape).await?;
        ada.leave().await?;
        axe.look(&ada, "after the call").await
    }
}

/// Presses an entry of the menu.
async fn choose(browser: &Browser, name: &str) -> Result<()> {
    browser.press("button", "More").await?;
    browser.see("menu", "More").await?;
    browser.press("menuitem", name).await
}

in_each! {
    /// E1: from the lobby into a call, through its controls and out again, by the keyboard alone.
    async fn keyboard_only(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        ada.tab_to("textbox", "Your name").await?;
        ada.keys("Ada").await?;
        ada.tab_to("button", "New room").await?;
        ada.press_enter().await?;
        ada.see("button", "Join now").await?;
        ada.tab_to("button", "Join now").await?;
        ada.keys(" ").await?;
        ada.room_state("joined").await?;

        let mut reached = BTreeSet::new();
        for (now, then) in [
            ("Mute microphone", "Unmute microphone"),
            ("Turn camera off", "Turn camera on"),
        ] {
            ada.tab_to("button", now).await?;
            ada.keys(" ").await?;
            ada.see("button", then).await?;
            // The same control under its new name: the focus stays where it was.
            let focused = ada.see("button", then).await?;
            let stays = ada.script("return document.activeElement === arguments[0];", vec![focused.to_json()?]).await?;
            ensure!(stays == true, "the focus left \"{now}\"");
            ada.keys(" ").await?;
            ada.see("button", now).await?;
            reached.insert(now);
        }
        ensure!(reached.len() == 2);
        ada.tab_to("button", "Leave call").await?;
        ada.press_enter().await?;
        ada.see_gone("button", "Leave call").await
    }
}

in_each! {
    /// R2: the lobby makes unguessable rooms, remembers the name and the room, and its links work.
    async fn lobby(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        ada.see("heading", "Visavis").await?;
        ada.fill("Your name", "Ada").await?;
        let mut links = BTreeSet::new();
        for _ in 0..2 {
            ada.press("button", "New room").await?;
            ada.see("button", "Join now").await?;
            let link = ada.script("return location.pathname + location.hash;", Vec::new()).await?;
            let link = link.as_str().unwrap_or_default().to_owned();
            let (path, secret) = link.split_once('#').context("no secret in the link")?;
            ensure!(path.starts_with("/room/") && secret.len() == 45 && secret.contains('.'), "{link}");
            links.insert(link);
            ada.driver().back().await?;
            ada.see("button", "New room").await?;
        }
        ensure!(links.len() == 2, "{links:?}");

        ada.press("button", "New room").await?;
        let field = ada.see("textbox", "Your name").await?;
        ensure!(field.prop("value").await?.as_deref() == Some("Ada"));
        ada.press("button", "Join now").await?;
        ada.room_state("joined").await?;
        ada.leave().await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        ada.see("list", "Recent rooms").await?;
        no_errors(&ada).await
    }
}

staged! {
    /// R1: nobody but the holders of the link is found in the room: another secret is another room.
    async fn another_secret_is_another_room(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let _bob = Member::join(stage, &Room::new("tea"), "Bob").await?;
        let ada = stage.browser(Kind::Chromium).await?;
        ada.enter(stage, &Room::new("tea"), "Ada").await?;
        until("an empty room", SOON, async || {
            let words = ada.words().await?;
            Ok(Look::when(words.contains("No one else is here yet"), || words))
        }).await?;
        ensure!(ada.find("article", "Bob").await?.is_none());
        Ok(())
    }
}
