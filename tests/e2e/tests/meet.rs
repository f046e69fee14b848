//! People meet: two, four, one by the keyboard, one without showing an address.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::{try_join, try_join_all};
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Devices, Kind, Look, Permission, Room, Stage, in_each, in_pairs, staged, until};

/// From the second join to sound and pictures at both ends.
const SEEN_WITHIN_MS: f64 = 3000.0;
/// The longest that those who stay may wait for each other's packets when one leaves.
const GAP_MS: f64 = 300.0;

in_pairs! {
    /// R1: two who open the same link hear and see each other within 3 s of the second join.
    async fn two_people(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = try_join(stage.browser(pair[0]), stage.browser(pair[1])).await?;
        let room = Room::new("tea");
        ada.enter(stage, &room, "Ada").await?;
        bob.open_room(stage, &room).await?;
        bob.fill("Your name", "Bob").await?;

        let joined = Instant::now();
        bob.press("button", "Join now").await?;
        try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
        stage.in_time("seen and heard after the second join", joined.elapsed().as_secs_f64() * 1000.0, SEEN_WITHIN_MS)?;

        ada.wait_for_tile("Bob").await?;
        bob.wait_for_tile("Ada").await?;
        ada.see("article", "Ada (you)").await?;
        for browser in [&ada, &bob] {
            let peers = browser.peers().await?;
            ensure!(peers.len() == 1 && peers.iter().all(|peer| peer.signaling == "stable"), "{peers:?}");
            // What goes wrong and is mended shows here alone: a browser that refused a description.
            let console = browser.console().await?;
            ensure!(console.iter().all(|line| line.level != "warn" && line.level != "error"), "{console:?}");
        }
        Ok(())
    }
}

/// R3: every ordered pair of four has sound and pictures, and one who leaves disturbs no other.
async fn four_people(stage: &Stage, kinds: [Kind; 4]) -> Result<()> {
    stage.serve().await?;
    let mut everybody: Vec<Rc<Browser>> = Vec::new();
    for kinds in kinds.chunks(2) {
        everybody.extend(try_join_all(kinds.iter().map(|kind| stage.browser(*kind))).await?);
    }
    let room = Room::new("four");
    for (browser, name) in everybody.iter().zip(["Ada", "Bob", "Cleo", "Dan"]) {
        browser.enter(stage, &room, name).await?;
    }
    let limit = Duration::from_secs(20);
    try_join_all(everybody.iter().map(|browser| browser.sees_and_hears(3, limit))).await?;

    let (leaver, staying) = everybody.split_last().expect("there are four");
    let opens = try_join_all(staying.iter().map(|browser| browser.open())).await?;
    try_join_all(staying.iter().map(|browser| browser.watch_pauses())).await?;
    // As long as it takes to see a second of looks before, the leaving, and a second after.
    looks(staying, 5).await?;
    leaver.leave().await?;
    try_join_all(staying.iter().map(|browser| browser.see_gone("article", "Dan"))).await?;
    let before = looks(staying, 0).await?;
    looks(staying, before + 10).await?;
    let mut worst = 0.0_f64;
    for (browser, before) in staying.iter().zip(opens) {
        let left = browser.peers().await?;
        ensure!(left.len() == 2, "{}: {left:?}", browser.label);
        let after = browser.open().await?;
        ensure!(
            (after.peers_made, after.descriptions) == (before.peers_made, before.descriptions),
            "{}: connections or negotiations for a leaver: {before:?}, then {after:?}",
            browser.label
        );
        let pauses = browser.pauses().await?;
        for peer in left {
            for kind in ["audio", "video"] {
                let pause = &pauses[&format!("{}/{kind}", peer.id)];
                worst = worst.max(pause.worst);
            }
        }
    }
    stage.in_time("longest pause of the others when one leaves", worst, GAP_MS)?;
    try_join_all(staying.iter().map(|browser| browser.sees_and_hears(2, SOON))).await?;
    Ok(())
}

/// Waits until every browser has looked `at_least` so often at each of its streams; the fewest.
async fn looks(browsers: &[Rc<Browser>], at_least: u64) -> Result<u64> {
    until("looks at the streams", Duration::from_secs(30), async || {
        let mut fewest = u64::MAX;
        for browser in browsers {
            let counts = browser.script("return __probe.looks();", Vec::new()).await?;
            fewest = fewest.min(counts.as_u64().unwrap_or_default());
        }
        Ok(Look::at((fewest >= at_least).then_some(fewest), || {
            fewest.to_string()
        }))
    })
    .await
}

mod four {
    use super::*;

    staged! {
        async fn all_chromium(stage: &Stage) -> Result<()> {
            four_people(stage, [Kind::Chromium; 4]).await
        }
    }

    staged! {
        async fn all_firefox(stage: &Stage) -> Result<()> {
            four_people(stage, [Kind::Firefox; 4]).await
        }
    }

    staged! {
        async fn mixed(stage: &Stage) -> Result<()> {
            four_people(stage, [Kind::Chromium, Kind::Firefox, Kind::Chromium, Kind::Firefox]).await
        }
    }
}

in_each! {
    /// R2: from the lobby into a call with nothing but Enter.
    async fn by_enter_alone(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        ada.fill("Your name", "Ada").await?;
        ada.fill("Room", "tea").await?;
        ada.press_enter().await?;
        // The name came along; the field has the focus or is one key press away.
        let field = ada.see("textbox", "Your name").await?;
        ada.see("button", "Join now").await?;
        ensure!(field.prop("value").await?.as_deref() == Some("Ada"));
        field.focus().await?;
        ada.press_enter().await?;
        ada.room_state("joined").await?;
        ada.see("article", "Ada (you)").await?;
        ensure!(ada.words().await?.contains("No one else is here yet"), "{}", ada.words().await?);
        Ok(())
    }
}

staged! {
    /// Without a camera's permission Chromium hides its address behind a `.local` name: the call
    /// must come about all the same, and the one who shows nothing still sees and hears.
    async fn hidden_address(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let hidden = Devices { permission: Permission::Refused, ..Devices::default() };
        let (ada, bob) = try_join(stage.browser_with(Kind::Chromium, hidden), stage.browser(Kind::Chromium)).await?;
        let room = Room::new("hidden");
        bob.enter(stage, &room, "Bob").await?;
        ada.enter(stage, &room, "Ada").await?;
        ada.sees_and_hears(1, SOON).await?;
        let peers = ada.peers().await?;
        ensure!(peers.iter().all(|peer| peer.mdns > 0), "{peers:?}");
        ensure!(ada.open().await?.tracks == 0);
        Ok(())
    }
}
