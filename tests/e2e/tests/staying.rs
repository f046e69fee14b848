//! A call outlives its server and its tab (S1 to S5).

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::{try_join, try_join_all};
use thirtyfour::prelude::*;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Room, Stage, in_pairs, staged, until};

/// A gap in what is heard that nobody notices.
const GAP_MS: f64 = 500.0;
/// How soon who leaves is gone for the others, also without a server.
const LEFT_MS: f64 = 3000.0;
/// How long the server is away; a person may ask for the minute of the requirement.
const DOWN_VARIABLE: &str = "VISAVIS_DOWN_SECONDS";
const DOWN_SECONDS: u64 = 12;

fn down() -> Duration {
    let asked = std::env::var(DOWN_VARIABLE)
        .ok()
        .and_then(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(DOWN_SECONDS))
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Three who see and hear each other.
async fn three(stage: &Stage, kinds: [Kind; 3], room: &Room) -> Result<Vec<Rc<Browser>>> {
    let all = try_join_all(kinds.iter().map(|kind| stage.browser(*kind))).await?;
    for (browser, name) in all.iter().zip(["Ada", "Bob", "Cleo"]) {
        browser.enter(stage, room, name).await?;
    }
    let limit = Duration::from_secs(20);
    try_join_all(all.iter().map(|browser| browser.sees_and_hears(2, limit))).await?;
    // The marks come with the first look at each connection: from then on it is looked after.
    for browser in &all {
        until(
            &format!("{}: what the tiles say", browser.label),
            SOON,
            async || {
                let marks = browser.all("img", Some("Direct")).await?.len();
                Ok(Look::when(marks == 2, || format!("{marks} marks")))
            },
        )
        .await?;
    }
    Ok(all)
}

/// How many descriptions were ever set in these pages.
async fn descriptions(browsers: &[Rc<Browser>]) -> Result<usize> {
    let mut sum = 0;
    for browser in browsers {
        sum += browser.open().await?.descriptions;
    }
    Ok(sum)
}

async fn see_mark(browser: &Browser, tile: &str, mark: &str, is_there: bool) -> Result<()> {
    let what = format!("{}: {tile} with mark {mark}: {is_there}", browser.label);
    until(&what, SOON, async || {
        let Some(tile) = browser.find("article", tile).await? else {
            return Ok(Look::NotYet("no such tile".into()));
        };
        let marks = tile
            .find_all(By::Css(format!("[role=img][aria-label=\"{mark}\"]")))
            .await?;
        Ok(Look::when(marks.is_empty() != is_there, || {
            format!("{} marks", marks.len())
        }))
    })
    .await
}

/// Firefox without a display has no screen to share: a painted canvas stands in for what the person
/// would have picked.
const PAINTED_SCREEN: &str = "navigator.mediaDevices.getDisplayMedia = async () => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [800, 450];
        const pen = canvas.getContext('2d');
        let hue = 0;
        const paint = setInterval(() => {
            pen.fillStyle = `hsl(${hue++ % 360} 80% 50%)`;
            pen.fillRect(0, 0, 800, 450);
        }, 50);
        const stream = canvas.captureStream(20);
        const [track] = stream.getVideoTracks();
        const stop = track.stop.bind(track);
        track.stop = () => { clearInterval(paint); stop(); };
        return stream;
    };";

/// Decoded pictures after which a call is under way.
const UNDER_WAY_FRAMES: u64 = 60;
/// The place of the screen's media section.
const SCREEN: usize = 2;

/// Begins and ends to share a screen; the others see it come, move and go.
async fn share_a_screen(sharer: &Browser, others: [&Browser; 2]) -> Result<()> {
    if sharer.kind == Kind::Firefox {
        sharer.script(PAINTED_SCREEN, Vec::new()).await?;
    }
    sharer.press("button", "Share screen").await?;
    sharer.see("button", "Stop sharing").await?;
    for other in others {
        other.see("article", "Ada’s screen").await?;
        let mut first = None;
        until(&format!("{}: the screen moves", other.label), SOON, async || {
            let width = "return document.querySelector('[data-stream=screen]')?.videoWidth ?? 0;";
            let width = other.script(width, Vec::new()).await?;
            let peers = other.peers().await?;
            let frames: u64 = peers.iter().map(|peer| peer.frames_of(SCREEN)).sum();
            let before = *first.get_or_insert(frames);
            Ok(Look::when(width.as_u64() > Some(0) && frames > before, || {
                format!("{width} px, {frames} frames")
            }))
        })
        .await?;
    }
    sharer.press("button", "Stop sharing").await?;
    for other in others {
        other.see_gone("article", "Ada’s screen").await?;
    }
    Ok(())
}

/// S1, S2: the server is killed and comes back empty; the call goes on as if it were not needed.
async fn without_server(stage: &Stage, kinds: [Kind; 3]) -> Result<()> {
    stage.serve().await?;
    let room = Room::new("tea");
    let all = three(stage, kinds, &room).await?;
    let [ada, bob, cleo] = &all[..] else {
        anyhow::bail!("three")
    };
    let made: Vec<usize> = vec![
        ada.open().await?.peers_made,
        bob.open().await?.peers_made,
        cleo.open().await?.peers_made,
    ];
    let before = descriptions(&all).await?;
    try_join_all(all.iter().map(|browser| browser.watch_pauses())).await?;

    let killed = Instant::now();
    stage.kill_server()?;
    ada.room_state("reconnecting").await?;
    // Turning the camera off and on needs no server, and no negotiation.
    ada.press("button", "Turn camera off").await?;
    for other in [bob, cleo] {
        see_mark(other, "Ada", "Camera off", true).await?;
    }
    ada.press("button", "Turn camera on").await?;
    for other in [bob, cleo] {
        see_mark(other, "Ada", "Camera off", false).await?;
    }
    share_a_screen(ada, [bob, cleo]).await?;
    let quiet = descriptions(&all).await?;
    ensure!(
        quiet == before,
        "{} descriptions were set while the server was away",
        quiet - before
    );
    // The time that the server is away is the test's input.
    tokio::time::sleep(down().saturating_sub(killed.elapsed())).await;
    stage.revive_server().await?;
    let back = Instant::now();
    for browser in &all {
        browser.room_state("joined").await?;
    }
    stage.figure(&format!(
        "all three are back at the server {} ms after it",
        back.elapsed().as_millis()
    ));
    for browser in &all {
        ensure!(
            browser.all("article", None).await?.len() == 3,
            "{}",
            browser.label
        );
    }

    // Somebody new meets all three.
    let dan = stage.browser(kinds[0]).await?;
    dan.enter(stage, &room, "Dan").await?;
    let joined = Instant::now();
    dan.sees_and_hears(3, Duration::from_secs(15)).await?;
    stage.figure(&format!(
        "a newcomer sees and hears all three {} ms after joining",
        joined.elapsed().as_millis()
    ));

    let mut worst = 0.0_f64;
    for (browser, made) in all.iter().zip(made) {
        for (stream, pause) in browser.pauses().await? {
            // Pictures stopped when Ada turned the camera off; what the newcomer sends has just begun.
            let connection: Option<usize> = stream.split('/').next().and_then(|id| id.parse().ok());
            let is_old = connection.is_some_and(|connection| connection <= made);
            if stream.ends_with("audio") && is_old {
                worst = worst.max(pause.worst);
            }
        }
        // Those of before stand, and one to the newcomer, who on a machine that is slow with four browsers may
        // have taken more than one go to get there.
        let peers = browser.peers().await?;
        let standing = peers.iter().filter(|peer| peer.connection == "connected");
        let is_old = |peer: &&visavis_e2e::probe::Peer| usize::try_from(peer.id).is_ok_and(|id| id <= made);
        let (old, all) = (standing.clone().filter(is_old).count(), standing.count());
        ensure!(
            (old, all) == (made, made + 1),
            "{}: of {made} connections {old} stand, {all} in all: {peers:?}",
            browser.label
        );
    }
    stage.in_time("longest pause of sound over the server's absence", worst, GAP_MS)
}

mod server_away {
    use super::*;

    staged! {
        async fn all_chromium(stage: &Stage) -> Result<()> {
            without_server(stage, [Kind::Chromium; 3]).await
        }
    }

    staged! {
        async fn all_firefox(stage: &Stage) -> Result<()> {
            without_server(stage, [Kind::Firefox; 3]).await
        }
    }

    staged! {
        async fn mixed(stage: &Stage) -> Result<()> {
            without_server(stage, [Kind::Chromium, Kind::Firefox, Kind::Chromium]).await
        }
    }
}

/// S2: with the server gone, ICE is restarted over the connection itself, by the side that the app lets
/// do it: the Firefox of a mixed pair, else the last to come.
async fn restart_without_server(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
    stage.serve().await?;
    let (ada, bob) = try_join(stage.browser(pair[0]), stage.browser(pair[1])).await?;
    let room = Room::new("restart");
    ada.enter(stage, &room, "Ada").await?;
    bob.enter(stage, &room, "Bob").await?;
    try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
    see_mark(&ada, "Bob", "Direct", true).await?;
    // A Firefox whose ICE is restarted within the first second or two of a connection now and then
    // hears nothing any more: restarts come when a connection has stood for a while.
    for browser in [&ada, &bob] {
        until(
            &format!("{}: a call under way", browser.label),
            SOON,
            async || {
                let frames: u64 = browser
                    .peers()
                    .await?
                    .iter()
                    .map(visavis_e2e::probe::Peer::frames)
                    .sum();
                Ok(Look::when(frames >= UNDER_WAY_FRAMES, || {
                    format!("{frames} frames")
                }))
            },
        )
        .await?;
    }
    stage.kill_server()?;
    bob.room_state("reconnecting").await?;
    let starter = if pair[0] == Kind::Firefox { &ada } else { &bob };
    let ufrag = "return [...__probe.sdp().matchAll(/a=ice-ufrag:(\\S+)/g)][0][1];";
    let before = starter.script(ufrag, Vec::new()).await?;
    starter.script("__probe.restartIce();", Vec::new()).await?;
    until("other credentials on both sides", SOON, async || {
        let now = starter.script(ufrag, Vec::new()).await?;
        let peers = [ada.peers().await?, bob.peers().await?].concat();
        let is_done = now != before
            && peers.len() == 2
            && peers
                .iter()
                .all(|peer| peer.signaling == "stable" && peer.connection == "connected");
        Ok(Look::when(is_done, || format!("{before} and {now}; {peers:?}")))
    })
    .await?;
    try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
    Ok(())
}

mod restart_in_band {
    use super::*;

    staged! {
        async fn all_chromium(stage: &Stage) -> Result<()> {
            restart_without_server(stage, [Kind::Chromium; 2]).await
        }
    }

    staged! {
        async fn all_firefox(stage: &Stage) -> Result<()> {
            restart_without_server(stage, [Kind::Firefox; 2]).await
        }
    }

    staged! {
        async fn mixed(stage: &Stage) -> Result<()> {
            restart_without_server(stage, [Kind::Chromium, Kind::Firefox]).await
        }
    }

    staged! {
        async fn mixed_the_other_way(stage: &Stage) -> Result<()> {
            restart_without_server(stage, [Kind::Firefox, Kind::Chromium]).await
        }
    }
}

/// S2: who leaves while the server is away is gone for the others within three seconds.
async fn leaving_without_server(stage: &Stage, kinds: [Kind; 3]) -> Result<()> {
    stage.serve().await?;
    let all = three(stage, kinds, &Room::new("leave")).await?;
    let [ada, bob, cleo] = &all[..] else {
        anyhow::bail!("three")
    };
    stage.kill_server()?;
    ada.room_state("reconnecting").await?;
    cleo.leave().await?;
    let left = Instant::now();
    try_join(ada.see_gone("article", "Cleo"), bob.see_gone("article", "Cleo")).await?;
    stage.in_time("who leaves by the button is gone after", millis(left), LEFT_MS)?;
    bob.driver().goto("about:blank").await?;
    let closed = Instant::now();
    ada.see_gone("article", "Bob").await?;
    stage.in_time("who closes the page is gone after", millis(closed), LEFT_MS)
}

mod leaver {
    use super::*;

    staged! {
        async fn all_chromium(stage: &Stage) -> Result<()> {
            leaving_without_server(stage, [Kind::Chromium; 3]).await
        }
    }

    staged! {
        async fn all_firefox(stage: &Stage) -> Result<()> {
            leaving_without_server(stage, [Kind::Firefox; 3]).await
        }
    }

    staged! {
        async fn mixed(stage: &Stage) -> Result<()> {
            leaving_without_server(stage, [Kind::Chromium, Kind::Firefox, Kind::Firefox]).await
        }
    }
}

/// The most tiles under one name that a page showed at once, until asked.
const COUNT_TILES: &str = "window.__most = 0;
    window.__counter = new MutationObserver(() => {
        const tiles = document.querySelectorAll('article[aria-label=\"Cleo\"]').length;
        window.__most = Math.max(window.__most, tiles);
    });
    window.__counter.observe(document.body, { childList: true, subtree: true, attributes: true });";

/// S4: a reload returns to the same seat without a click, and nobody sees two tiles.
async fn reloading(stage: &Stage, kinds: [Kind; 3]) -> Result<()> {
    stage.serve().await?;
    let all = three(stage, kinds, &Room::new("reload")).await?;
    let [ada, bob, cleo] = &all[..] else {
        anyhow::bail!("three")
    };
    for other in [ada, bob] {
        other.script(COUNT_TILES, Vec::new()).await?;
    }
    let began = Instant::now();
    cleo.driver().refresh().await?;
    cleo.room_state("joined").await?;
    stage.in_time(
        "back in the seat after a reload",
        began.elapsed().as_secs_f64() * 1000.0,
        3_000.0,
    )?;
    try_join_all(all.iter().map(|browser| browser.sees_and_hears(2, SOON))).await?;
    for other in [ada, bob] {
        let most = other.script("return window.__most;", Vec::new()).await?;
        ensure!(
            most.as_u64() == Some(1),
            "{}: {most} tiles of one person",
            other.label
        );
    }
    // Whoever hung up is not taken back by a reload.
    cleo.leave().await?;
    cleo.driver().refresh().await?;
    cleo.ready().await?;
    cleo.see("button", "Join now").await?;
    Ok(())
}

mod reload {
    use super::*;

    staged! {
        async fn chromium(stage: &Stage) -> Result<()> {
            reloading(stage, [Kind::Chromium; 3]).await
        }
    }

    staged! {
        async fn all_firefox(stage: &Stage) -> Result<()> {
            reloading(stage, [Kind::Firefox; 3]).await
        }
    }

    staged! {
        async fn mixed(stage: &Stage) -> Result<()> {
            reloading(stage, [Kind::Chromium, Kind::Firefox, Kind::Firefox]).await
        }
    }
}

in_pairs! {
    /// S4, F7: a duplicated tab is told, and takes nothing unless the person says so.
    async fn duplicated_tab(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = try_join(stage.browser(pair[0]), stage.browser(pair[1])).await?;
        let room = Room::new("twin");
        ada.enter(stage, &room, "Ada").await?;
        bob.enter(stage, &room, "Bob").await?;
        ada.wait_for_tile("Bob").await?;
        let first = bob.driver().window().await?;
        // A window opened by a page starts with a copy of its session storage, as a duplicate does.
        bob.script("window.open(location.href);", Vec::new()).await?;
        let second = until("the second tab", SOON, async || {
            let others: Vec<_> = bob.driver().windows().await?.into_iter().filter(|tab| *tab != first).collect();
            Ok(Look::at(others.into_iter().next(), || "one tab".into()))
        }).await?;
        bob.driver().switch_to_window(second.clone()).await?;
        bob.ready().await?;
        bob.hear("status", "in this call in another tab").await?;
        bob.driver().switch_to_window(first.clone()).await?;
        bob.hear("status", "opened in another tab").await?;
        bob.room_state("joined").await?;
        ensure!(ada.all("article", None).await?.len() == 2);

        bob.driver().switch_to_window(second).await?;
        bob.press("button", "Move here").await?;
        bob.room_state("joined").await?;
        bob.wait_for_tile("Ada").await?;
        bob.driver().switch_to_window(first).await?;
        bob.room_state("ended").await?;
        ensure!(bob.words().await?.contains("went on elsewhere"), "{}", bob.words().await?);
        ada.wait_for_tile("Bob").await?;
        ensure!(ada.all("article", None).await?.len() == 2);
        Ok(())
    }
}

in_pairs! {
    /// S5: a picture that stands still is asked for anew, and both are told.
    async fn frozen_picture(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = try_join(stage.browser(pair[0]), stage.browser(pair[1])).await?;
        let room = Room::new("frozen");
        ada.enter(stage, &room, "Ada").await?;
        bob.enter(stage, &room, "Bob").await?;
        try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
        see_mark(&bob, "Ada", "Direct", true).await?;
        ada.async_script("return __probe.freeze().then(() => null);", Vec::new()).await?;
        let frozen = Instant::now();
        ada.hear("status", "does not get your picture").await?;
        // Where attaching it anew does not help, a new connection does.
        bob.sees_and_hears(1, Duration::from_secs(20)).await?;
        stage.figure(&format!("a frozen picture moves again after {} ms", frozen.elapsed().as_millis()));
        let made = ada.open().await?.peers_made;
        ensure!(made == 1 || pair[0] == Kind::Firefox, "attached anew, and yet {made} connections");
        Ok(())
    }
}
