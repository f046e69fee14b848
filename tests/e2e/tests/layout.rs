//! How a call looks: who is large, who is out of the way, and what lies beyond the tab (M8).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use thirtyfour::{By, Key};
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Room, Stage, in_each, until};

/// Three who see each other: Ada in the browser in question, Bob and Cleo in one of each kind. All are
/// mute: the fake microphones never rest.
async fn three(stage: &Stage, kind: Kind, room: &Room) -> Result<[Rc<Browser>; 3]> {
    stage.serve().await?;
    let kinds = [kind, Kind::Chromium, Kind::Firefox];
    let all = try_join_all(kinds.map(|kind| stage.browser(kind))).await?;
    for (browser, name) in all.iter().zip(["Ada", "Bob", "Cleo"]) {
        browser.enter(stage, room, name).await?;
    }
    let limit = Duration::from_secs(20);
    try_join_all(all.iter().map(|browser| browser.sees_and_hears(2, limit))).await?;
    for browser in &all {
        browser.press("button", "Mute microphone").await?;
        browser.see("button", "Unmute microphone").await?;
    }
    all.try_into().map_err(|_| anyhow::anyhow!("three"))
}

/// Where each tile lies: left, top, width, height; none that is not shown. Nothing while one moves: a
/// busy page may draw the same picture of a move twice.
const TILES: &str = r#"
    const moves = [...document.querySelectorAll(".stage > article")]
        .some((tile) => tile.getAnimations().some((move) => move.transitionProperty !== "box-shadow"));
    return moves ? {} : Object.fromEntries([...document.querySelectorAll(".stage > article")]
        .filter((tile) => tile.checkVisibility())
        .map((tile) => {
            const { x, y, width, height } = tile.getBoundingClientRect();
            return [tile.getAttribute("aria-label"), [x, y, width, height]];
        }));
"#;

type Tiles = BTreeMap<String, [f64; 4]>;

async fn tiles(browser: &Browser) -> Result<Tiles> {
    Ok(serde_json::from_value(browser.script(TILES, Vec::new()).await?)?)
}

fn area(tiles: &Tiles, name: &str) -> f64 {
    tiles
        .get(name)
        .map_or(0.0, |[_, _, width, height]| width * height)
}

/// Waits until one tile is more than twice as large as any other, or, for `None`, all are the same;
/// then they have come to rest, and this is where they are.
async fn large(browser: &Browser, name: Option<&str>) -> Result<Tiles> {
    let what = format!("{}: large is {name:?}", browser.label);
    let mut before = Tiles::new();
    until(&what, SOON, async || {
        let now = tiles(browser).await?;
        let is_so = now.keys().all(|other| match name {
            Some(name) => other == name || area(&now, name) > 2.0 * area(&now, other),
            None => now.values().all(|[_, _, width, height]| {
                let [_, _, first_width, first_height] = now.values().next().copied().unwrap_or_default();
                [*width, *height] == [first_width, first_height]
            }),
        });
        let rests = before == now && now.len() > 1;
        before.clone_from(&now);
        Ok(if is_so && rests {
            Look::There(now)
        } else {
            Look::NotYet(format!("{before:?}"))
        })
    })
    .await
}

/// Waits until one is large, or all are the same, and everything lies where it lay before.
async fn again(browser: &Browser, name: Option<&str>, as_before: &Tiles) -> Result<()> {
    let what = format!("{}: all is as it was: {as_before:?}", browser.label);
    until(&what, SOON, async || {
        let now = large(browser, name).await?;
        Ok(Look::when(now == *as_before, || format!("{now:?}")))
    })
    .await
}

/// Opens the menu and presses an entry of it.
async fn choose(browser: &Browser, role: &str, name: &str) -> Result<()> {
    browser.press("button", "More").await?;
    browser.see("menu", "More").await?;
    browser.press(role, name).await?;
    browser.see_gone("menu", "More").await
}

/// Remembers every video of the stage, and counts whatever would make one begin anew.
const WATCH_VIDEOS: &str = r#"
    window.__videos = [...document.querySelectorAll(".stage video")];
    window.__restarts = [];
    for (const video of __videos) for (const kind of ["emptied", "loadstart", "abort"])
        video.addEventListener(kind, () => __restarts.push(kind + " of " + video.closest("article").getAttribute("aria-label")));
"#;

/// Insists that the same videos are in the same places of the page, that all which one sees play, and
/// that none began anew.
async fn undisturbed(browser: &Browser) -> Result<()> {
    let told = browser
        .script(
            r#"const now = [...document.querySelectorAll(".stage video")];
               return JSON.stringify([now.length, now.every((video, index) => video === __videos[index] && !(video.paused && video.checkVisibility())), __restarts]);"#,
            Vec::new(),
        )
        .await?;
    ensure!(told == "[3,true,[]]", "{}: {told}", browser.label);
    Ok(())
}

/// Notes what changes within each tile, by its name.
const NOTE_CHANGES: &str = r#"
    window.__changes = {};
    const noted = new MutationObserver((changes) => {
        for (const { type, attributeName, target } of changes) {
            const tile = (target.closest ? target : target.parentElement).closest("article");
            (__changes[tile.getAttribute("aria-label")] ??= []).push(`${type} ${attributeName} ${target.nodeName}`);
        }
    });
    for (const tile of document.querySelectorAll(".stage > article"))
        noted.observe(tile, { subtree: true, childList: true, characterData: true, attributes: true });
"#;

/// Waits until somebody's tile bears a mark, or no longer.
async fn marked(browser: &Browser, tile: &str, mark: &str, is_there: bool) -> Result<()> {
    let what = format!("{}: {tile} is marked {mark}: {is_there}", browser.label);
    let marks = format!("article[aria-label=\"{tile}\"] [role=img][aria-label=\"{mark}\"]");
    until(&what, SOON, async || {
        let found = browser.driver().find_all(By::Css(marks.as_str())).await?;
        Ok(Look::when(found.is_empty() != is_there, || {
            format!("{} marks", found.len())
        }))
    })
    .await
}

in_each! {
    /// What changes with one person changes one tile, and nothing in the others.
    async fn one_tile_changes(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("patch");
        let [ada, bob, _cleo] = three(stage, kind, &room).await?;
        for name in ["Bob", "Cleo"] {
            marked(&ada, name, "Microphone off", true).await?;
            marked(&ada, name, "Direct", true).await?;
        }
        // Whoever spoke just before being muted does so for a second more.
        until("nobody speaks", SOON, async || {
            let speaking = ada.driver().find_all(By::Css("[data-speaking]")).await?;
            Ok(Look::when(speaking.is_empty(), || format!("{} do", speaking.len())))
        })
        .await?;
        ada.script(NOTE_CHANGES, Vec::new()).await?;
        bob.press("button", "Turn camera off").await?;
        marked(&ada, "Bob", "Camera off", true).await?;
        bob.press("button", "Turn camera on").await?;
        marked(&ada, "Bob", "Camera off", false).await?;
        let changes = ada.script("return __changes;", Vec::new()).await?;
        let changed: BTreeMap<String, Vec<String>> = serde_json::from_value(changes)?;
        stage.figure(&format!("changes in Bob's tile: {}", changed.get("Bob").map_or(0, Vec::len)));
        ensure!(changed.keys().eq(["Bob"]), "{changed:?}");
        Ok(())
    }
}

in_each! {
    /// M8, M12: a pin makes one large and taking it off restores what was; the own tile can be put
    /// away; and no video notices anything of it.
    async fn pin_and_hide(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("pin");
        let [ada, ..] = three(stage, kind, &room).await?;
        ada.script(WATCH_VIDEOS, Vec::new()).await?;
        let grid = large(&ada, None).await?;
        ensure!(grid.len() == 3, "{grid:?}");

        ada.press("button", "Pin Bob").await?;
        let pinned = large(&ada, Some("Bob")).await?;
        ensure!(pinned.len() == 3, "{pinned:?}");
        // Another pin takes the place of the first one.
        ada.press("button", "Pin Cleo").await?;
        large(&ada, Some("Cleo")).await?;
        ada.see("button", "Pin Bob").await?;
        ada.press("button", "Unpin Cleo").await?;
        again(&ada, None, &grid).await?;
        // A double click does the same.
        let bob = ada.see("article", "Bob").await?;
        ada.driver().action_chain().double_click_element(&bob).perform().await?;
        again(&ada, Some("Bob"), &pinned).await?;
        ada.press("button", "Unpin Bob").await?;
        again(&ada, None, &grid).await?;

        choose(&ada, "menuitem", "Hide my tile").await?;
        ada.see_gone("article", "Ada (you)").await?;
        let without = large(&ada, None).await?;
        ensure!(without.len() == 2 && area(&without, "Bob") > area(&grid, "Bob"), "{without:?}");
        undisturbed(&ada).await?;
        choose(&ada, "menuitem", "Show my tile").await?;
        again(&ada, None, &grid).await?;
        undisturbed(&ada).await
    }
}

in_each! {
    /// M8: the own tile stays while one is alone, hidden or not.
    async fn alone_one_sees_oneself(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = futures_util::future::try_join(stage.browser(kind), stage.browser(Kind::Chromium)).await?;
        let room = Room::new("alone");
        ada.enter(stage, &room, "Ada").await?;
        ada.press("button", "More").await?;
        ada.see("menu", "More").await?;
        ensure!(ada.find("menuitem", "Hide my tile").await?.is_none());
        ada.keys(Key::Escape).await?;
        bob.enter(stage, &room, "Bob").await?;
        ada.wait_for_tile("Bob").await?;
        choose(&ada, "menuitem", "Hide my tile").await?;
        ada.see_gone("article", "Ada (you)").await?;
        bob.leave().await?;
        ada.see("article", "Ada (you)").await?;
        // The choice stands: with somebody there again it is out of the way.
        bob.press("button", "Rejoin").await?;
        ada.see("article", "Bob").await?;
        ada.see_gone("article", "Ada (you)").await
    }
}

/// Puts a steady tone in the place of Chromium's fake microphone, which beeps for 20 ms now and then;
/// Firefox's is one. Where it is sent, for a muted microphone stays captured.
const TONE: &str = r#"
    const context = new AudioContext();
    await context.resume();
    const tone = new OscillatorNode(context, { frequency: 330 });
    const loudness = new GainNode(context, { gain: 0.3 });
    const out = context.createMediaStreamDestination();
    tone.connect(loudness).connect(out);
    tone.start();
    const [track] = out.stream.getAudioTracks();
    window.__tone = { tone, track };
    const native = RTCRtpSender.prototype.replaceTrack;
    RTCRtpSender.prototype.replaceTrack = function (other) {
        return native.call(this, other?.kind === "audio" ? track : other);
    };
"#;

/// Waits until exactly these tiles have the ring.
async fn rings(browser: &Browser, names: &[&str]) -> Result<()> {
    let script = r#"return [...document.querySelectorAll(".stage > [data-speaking]")].map((tile) => tile.getAttribute("aria-label")).sort();"#;
    until(
        &format!("{}: rings of {names:?}", browser.label),
        SOON,
        async || {
            let now: Vec<String> = serde_json::from_value(browser.script(script, Vec::new()).await?)?;
            Ok(Look::when(now == names, || format!("{now:?}")))
        },
    )
    .await
}

async fn speak(browser: &Browser, on: bool) -> Result<()> {
    let [does, then] = if on {
        ["Unmute microphone", "Mute microphone"]
    } else {
        ["Mute microphone", "Unmute microphone"]
    };
    browser.press("button", does).await?;
    browser.see("button", then).await?;
    Ok(())
}

in_each! {
    /// M8: who speaks has a ring, and in speaker view the place; silence takes the ring alone.
    async fn speaker(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("speaker");
        let [ada, bob, cleo] = three(stage, kind, &room).await?;
        bob.async_script(TONE, Vec::new()).await?;
        ada.script(WATCH_VIDEOS, Vec::new()).await?;
        rings(&ada, &[]).await?;

        // In a grid the ring is all there is to see.
        speak(&cleo, true).await?;
        rings(&ada, &["Cleo"]).await?;
        large(&ada, None).await?;
        choose(&ada, "menuitemradio", "Speaker view").await?;
        large(&ada, Some("Cleo")).await?;
        speak(&cleo, false).await?;
        rings(&ada, &[]).await?;
        large(&ada, Some("Cleo")).await?;

        speak(&bob, true).await?;
        rings(&ada, &["Bob"]).await?;
        large(&ada, Some("Bob")).await?;
        // What is pinned is stronger, and the speaker is back when it is not.
        ada.press("button", "Pin Ada (you)").await?;
        large(&ada, Some("Ada (you)")).await?;
        rings(&ada, &["Bob"]).await?;
        ada.press("button", "Unpin Ada (you)").await?;
        large(&ada, Some("Bob")).await?;
        undisturbed(&ada).await?;

        // The choice outlives the page.
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.room_state("joined").await?;
        ada.press("button", "More").await?;
        let chosen = ada.see("menuitemradio", "Speaker view").await?;
        ensure!(chosen.attr("aria-checked").await?.as_deref() == Some("true"));
        ada.press("menuitemradio", "Grid view").await?;
        large(&ada, None).await.map(drop)
    }
}

async fn has_focus(browser: &Browser, role: &str, name: &str) -> Result<()> {
    until(
        &format!("{}: focus on {role} \"{name}\"", browser.label),
        SOON,
        async || {
            let Some(element) = browser.find(role, name).await? else {
                return Ok(Look::NotYet("it is not there".into()));
            };
            let focused = browser
                .script(
                    "return document.activeElement === arguments[0];",
                    vec![element.to_json()?],
                )
                .await?;
            Ok(Look::when(focused == true, || "the focus is elsewhere".into()))
        },
    )
    .await
}

in_each! {
    /// E1: the menu by the keyboard alone, and a press elsewhere closes it.
    async fn menu_by_keyboard(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.enter(stage, &Room::new("menu"), "Ada").await?;
        let more = ada.see("button", "More").await?;
        ensure!(more.attr("aria-expanded").await?.as_deref() == Some("false"));
        more.focus().await?;
        ada.press_enter().await?;
        has_focus(&ada, "menuitemradio", "Grid view").await?;
        ensure!(more.attr("aria-expanded").await?.as_deref() == Some("true"));
        ada.keys(Key::Down).await?;
        has_focus(&ada, "menuitemradio", "Speaker view").await?;
        ada.keys(Key::Up + Key::Up).await?;
        let last = ada.script("return document.activeElement === [...document.querySelectorAll('[role^=menuitem]')].at(-1);", Vec::new()).await?;
        ensure!(last == true, "Up from the first entry leads to the last");
        ada.keys(Key::Home).await?;
        has_focus(&ada, "menuitemradio", "Grid view").await?;
        ada.keys(Key::Escape).await?;
        ada.see_gone("menu", "More").await?;
        has_focus(&ada, "button", "More").await?;

        ada.press_enter().await?;
        ada.see("menu", "More").await?;
        ada.see("heading", "menu").await?.click().await?;
        ada.see_gone("menu", "More").await
    }
}

in_each! {
    /// M8: the whole screen and the window above all others, where the browser offers them.
    async fn beyond_the_tab(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.enter(stage, &Room::new("windows"), "Ada").await?;
        let offers = ada.script("return [document.fullscreenEnabled, 'documentPictureInPicture' in window || !!document.pictureInPictureEnabled];", Vec::new()).await?;
        let [screen, window]: [bool; 2] = serde_json::from_value(offers)?;
        ada.press("button", "More").await?;
        ada.see("menu", "More").await?;
        ensure!(ada.find("menuitem", "Full screen").await?.is_some() == screen, "{screen}");
        ensure!(ada.find("menuitem", "Pop out").await?.is_some() == window, "{window}");
        ada.keys(Key::Escape).await?;
        ada.see_gone("menu", "More").await?;
        stage.figure(&format!("offers: full screen {screen}, pop-out {window}"));

        if screen {
            choose(&ada, "menuitem", "Full screen").await?;
            filled(&ada, true).await?;
            choose(&ada, "menuitem", "Leave full screen").await?;
            filled(&ada, false).await?;
            choose(&ada, "menuitem", "Full screen").await?;
            filled(&ada, true).await?;
            // As by the browser's own key: the menu knows.
            ada.async_script("await document.exitFullscreen();", Vec::new()).await?;
            ada.press("button", "More").await?;
            ada.see("menuitem", "Full screen").await?;
            ada.keys(Key::Escape).await?;
        }
        if window {
            pop_out(&ada).await?;
        }
        // What is open goes with the call.
        if screen {
            choose(&ada, "menuitem", "Full screen").await?;
            filled(&ada, true).await?;
        }
        ada.leave().await?;
        filled(&ada, false).await
    }
}

async fn filled(browser: &Browser, is_filled: bool) -> Result<()> {
    until(
        &format!("{}: full screen {is_filled}", browser.label),
        SOON,
        async || {
            let now = browser
                .script("return document.fullscreenElement !== null;", Vec::new())
                .await?;
            Ok(Look::when(now == is_filled, || now.to_string()))
        },
    )
    .await
}

/// Out and back again.
async fn pop_out(browser: &Browser) -> Result<()> {
    let look = r#"
        const small = window.documentPictureInPicture?.window;
        const video = small ? small.document.querySelector("video") : document.pictureInPictureElement;
        if (!video) return "closed";
        const seen = video.videoWidth > 0 && !video.paused && video.getBoundingClientRect().width > 100;
        if (small && small.document.querySelectorAll(".pop-out button[aria-label]").length < 2) return "no controls";
        // It would change the stage, which nobody looks at from here.
        if (small?.document.querySelector(".tile-pin")) return "a pin";
        return seen ? "open" : "nothing to see";
    "#;
    let is = async |state: &str| {
        until(&format!("{}: pop-out {state}", browser.label), SOON, async || {
            let now = browser.script(look, Vec::new()).await?;
            Ok(Look::when(now == state, || now.to_string()))
        })
        .await
    };
    choose(browser, "menuitem", "Pop out").await?;
    is("open").await?;
    choose(browser, "menuitem", "Bring back").await?;
    is("closed").await?;
    // Closed by the person it can be opened again.
    choose(browser, "menuitem", "Pop out").await?;
    is("open").await?;
    let close = "if (window.documentPictureInPicture?.window) documentPictureInPicture.window.close(); else document.exitPictureInPicture();";
    browser.script(close, Vec::new()).await?;
    is("closed").await?;
    choose(browser, "menuitem", "Pop out").await?;
    is("open").await?;
    choose(browser, "menuitem", "Bring back").await?;
    is("closed").await?;
    browser.press("button", "More").await?;
    browser.see("menuitem", "Pop out").await?;
    browser.keys(Key::Escape).await
}

in_each! {
    /// M8: one sees oneself as in a mirror until one no longer wants to, also after a reload.
    async fn mirror(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.enter(stage, &Room::new("mirror"), "Ada").await?;
        let mirrors = async |wanted: bool| {
            until(&format!("mirrored: {wanted}"), SOON, async || {
                let transform = ada.script("return getComputedStyle(document.querySelector('.tile.is-own > video')).transform;", Vec::new()).await?;
                let is_mirrored = transform.as_str().context("a style")?.starts_with("matrix(-1");
                Ok(Look::when(is_mirrored == wanted, || transform.to_string()))
            })
            .await
        };
        mirrors(true).await?;
        ada.press("button", "Settings").await?;
        ada.press("switch", "Mirror my video").await?;
        mirrors(false).await?;
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.room_state("joined").await?;
        mirrors(false).await
    }
}
