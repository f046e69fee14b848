//! Sharing a screen: its sound, what it is good for, who sees which of several, and how it ends.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use thirtyfour::By;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Room, Stage, in_each, until};

/// The places of the media sections.
const MICROPHONE: usize = 0;
const SCREEN: usize = 2;
const SCREEN_SOUND: usize = 3;

/// Time within which a share that ended is gone at the others, in milliseconds.
const GONE_MS: f64 = 500.0;

/// Three who see and hear each other, and then are mute: the fake microphones never rest.
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

/// Firefox without a display has no screen to share, and no sound of one in any case: a painted canvas
/// and the tone of a second fake microphone stand in for what the person would have picked. Chromium
/// has fake ones of its own.
const STAND_IN: &str = "navigator.mediaDevices.getDisplayMedia = async (options) => {
        window.__options = options;
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [800, 450];
        const pen = canvas.getContext('2d');
        let hue = 0;
        const paint = setInterval(() => {
            pen.fillStyle = `hsl(${hue++ % 360} 80% 50%)`;
            pen.fillRect(0, 0, 800, 450);
        }, 50);
        const stream = canvas.captureStream(20);
        const [sound] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks();
        stream.addTrack(sound);
        const [track] = stream.getVideoTracks();
        const stop = track.stop.bind(track);
        track.stop = () => { clearInterval(paint); stop(); };
        for (const made of [track, sound]) {
            // Of events that are not the browser's own Firefox tells no listener of such a track.
            const add = made.addEventListener.bind(made);
            made.addEventListener = (kind, hear, ...rest) => {
                if (kind === 'ended') made.end = () => { made.stop(); hear.call(made, new Event(kind)); };
                add(kind, hear, ...rest);
            };
        }
        window.__sound = sound;
        return stream;
    };";

async fn share(sharer: &Browser) -> Result<()> {
    if sharer.kind == Kind::Firefox {
        sharer.script(STAND_IN, Vec::new()).await?;
    }
    sharer.press("button", "Share screen").await?;
    sharer.see("article", "Your screen").await?;
    Ok(())
}

/// Waits until something of one media section has grown since the first look.
async fn grows(browser: &Browser, what: &str, of: impl Fn(&visavis_e2e::probe::Peer) -> f64) -> Result<()> {
    let mut first = None;
    until(&format!("{}: {what}", browser.label), SOON, async || {
        let now: f64 = browser.peers().await?.iter().map(&of).sum();
        let before = *first.get_or_insert(now);
        Ok(Look::when(now > before, || now.to_string()))
    })
    .await
}

async fn pictures_come(browser: &Browser) -> Result<()> {
    grows(browser, "the screen moves", |peer| {
        f64::from(u32::try_from(peer.frames_of(SCREEN)).unwrap_or(u32::MAX))
    })
    .await
}

/// Something of the shared picture's track, by an expression of `track`.
async fn of_picture(sharer: &Browser, expression: &str) -> Result<Value> {
    let script = format!(
        "const [track] = document.querySelector('[data-stream=screen]').srcObject.getVideoTracks(); return {expression};"
    );
    sharer.script(&script, Vec::new()).await
}

async fn optimize(sharer: &Browser, name: &str) -> Result<()> {
    sharer.press("button", "More").await?;
    sharer.press("menuitemradio", name).await?;
    sharer.see_gone("menu", "More").await
}

async fn is_optimized(sharer: &Browser, hint: &str, frame_rate: f64) -> Result<()> {
    until(&format!("{}: {hint}", sharer.label), SOON, async || {
        let now = of_picture(
            sharer,
            "[track.contentHint, track.getConstraints().frameRate?.ideal ?? null]",
        )
        .await?;
        // A canvas takes no constraints; the stand-in was asked for them at the beginning.
        let is_so = now[0] == hint && (sharer.kind == Kind::Firefox || now[1] == frame_rate);
        Ok(Look::when(is_so, || now.to_string()))
    })
    .await
}

async fn descriptions(browsers: &[Rc<Browser>]) -> Result<usize> {
    let mut sum = 0;
    for browser in browsers {
        sum += browser.open().await?.descriptions;
    }
    Ok(sum)
}

/// Elements that play sound: one for each voice and for each screen that has any.
async fn audible(browser: &Browser) -> Result<Value> {
    let script = "return [...document.querySelectorAll('audio, video')].filter((element) => !element.muted && !element.paused && element.srcObject?.getAudioTracks().length).length;";
    browser.script(script, Vec::new()).await
}

/// Ends the shared picture as the browser's own bar does; when that was.
const BY_THE_BAR: &str =
    "(track.end ? track.end() : (track.stop(), track.dispatchEvent(new Event('ended'))), Date.now())";

/// Notes when a tile goes away, by the machine's clock.
const WATCH_TILE: &str = "window.__gone = null;
    const name = arguments[0];
    new MutationObserver((_, observer) => {
        if ([...document.querySelectorAll('.stage > article')].some((tile) => tile.ariaLabel === name)) return;
        window.__gone = Date.now();
        observer.disconnect();
    }).observe(document.querySelector('.stage'), { childList: true });";

in_each! {
    /// M5: the sound of what is shared reaches the others beside its pictures and not the one who shares
    /// it, who stays mute; what it is good for is chosen meanwhile; the browser's own bar ends all of it.
    async fn with_sound(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("sound");
        let all = three(stage, kind, &room).await?;
        let [ada, bob, cleo] = &all;
        let (tracks, heard) = (ada.open().await?.tracks, audible(ada).await?);
        let before = descriptions(&all).await?;

        share(ada).await?;
        for other in [bob, cleo] {
            let tile = other.see("article", "Ada’s screen").await?;
            pictures_come(other).await?;
            grows(other, "the screen is heard", |peer| peer.energy_of(SCREEN_SOUND)).await?;
            ensure!(tile.find_all(By::Css("[role=img][aria-label='With sound']")).await?.len() == 1);
            ensure!(audible(other).await? == 3, "two voices and the screen: {}", audible(other).await?);
        }
        for peer in ada.peers().await? {
            let sends = |place: usize| peer.transceivers.get(place).is_some_and(|one| one.sends);
            ensure!(sends(SCREEN) && sends(SCREEN_SOUND) && !sends(MICROPHONE), "{:?}", peer.transceivers);
        }
        ensure!(audible(ada).await? == heard, "one's own screen is not heard");
        // Neither is it seen where it could show itself, and it can be stopped right there.
        let own = ada.see("article", "Your screen").await?;
        let video = own.find(By::Css("video")).await?;
        ensure!(video.css_value("visibility").await? == "hidden");
        own.find(By::Css("button.chip")).await?;

        is_optimized(ada, "text", 15.0).await?;
        optimize(ada, "Optimize for motion").await?;
        is_optimized(ada, "motion", 30.0).await?;
        for other in [bob, cleo] {
            pictures_come(other).await?;
        }
        optimize(ada, "Optimize for text").await?;
        is_optimized(ada, "text", 15.0).await?;
        optimize(ada, "Optimize for motion").await?;

        for other in [bob, cleo] {
            other.script(WATCH_TILE, vec![json!("Ada’s screen")]).await?;
        }
        let ended = of_picture(ada, BY_THE_BAR).await?.as_f64().context("a time")?;
        for other in [bob, cleo] {
            other.see_gone("article", "Ada’s screen").await?;
            let gone = other.script("return window.__gone;", Vec::new()).await?;
            let took = gone.as_f64().context("a time")? - ended;
            stage.in_time(&format!("{}: a screen that ended is gone after", other.label), took, GONE_MS)?;
        }
        ada.see("button", "Share screen").await?;
        ada.see_gone("article", "Your screen").await?;
        let open = ada.open().await?;
        ensure!(open.tracks == tracks, "{tracks} tracks before, now {open:?}");
        let now = descriptions(&all).await?;
        ensure!(now == before, "{} descriptions were set", now - before);

        // The choice is kept, and is what the next share begins with.
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.room_state("joined").await?;
        ada.wait_for_tile("Bob").await?;
        share(ada).await?;
        is_optimized(ada, "motion", 30.0).await?;
        if kind == Kind::Firefox {
            let asked = ada.script("return [__options.video.frameRate.max, __options.audio.echoCancellation, __options.selfBrowserSurface];", Vec::new()).await?;
            ensure!(asked == json!([30, false, "exclude"]), "{asked}");
        }
        // Its sound may end before it.
        if kind == Kind::Firefox {
            ada.script("__sound.end();", Vec::new()).await?;
            bob.see("article", "Ada’s screen").await?;
            no_sound(bob, "Ada’s screen").await?;
        }
        ada.press("button", "Stop sharing").await?;
        bob.see_gone("article", "Ada’s screen").await
    }
}

async fn no_sound(browser: &Browser, tile: &str) -> Result<()> {
    until(
        &format!("{}: {tile} without sound", browser.label),
        SOON,
        async || {
            let tile = browser.see("article", tile).await?;
            let marks = tile
                .find_all(By::Css("[role=img][aria-label='With sound']"))
                .await?;
            Ok(Look::when(marks.is_empty(), || format!("{} marks", marks.len())))
        },
    )
    .await
}

/// Waits until this tile is the large one.
async fn large(browser: &Browser, name: Option<&str>) -> Result<()> {
    let script = "return document.querySelector('.stage > article.is-large')?.ariaLabel ?? null;";
    until(
        &format!("{}: large is {name:?}", browser.label),
        SOON,
        async || {
            let now = browser.script(script, Vec::new()).await?;
            Ok(Look::when(now == json!(name), || now.to_string()))
        },
    )
    .await
}

in_each! {
    /// M5: of two screens the one shared last is large, another one if somebody wants it so, and the
    /// other when that ends.
    async fn two_at_once(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("two");
        let all = three(stage, kind, &room).await?;
        let [ada, bob, cleo] = &all;
        let before = descriptions(&all).await?;
        share(ada).await?;
        large(cleo, Some("Ada’s screen")).await?;
        large(bob, Some("Ada’s screen")).await?;
        large(ada, None).await?;
        share(bob).await?;
        large(cleo, Some("Bob’s screen")).await?;
        large(ada, Some("Bob’s screen")).await?;
        // One's own is never large by itself.
        large(bob, Some("Ada’s screen")).await?;
        for other in ["Ada’s screen", "Bob’s screen"] {
            cleo.see("article", other).await?;
        }

        cleo.press("button", "Pin Ada’s screen").await?;
        large(cleo, Some("Ada’s screen")).await?;
        cleo.press("button", "Unpin Ada’s screen").await?;
        large(cleo, Some("Bob’s screen")).await?;
        grows(cleo, "both are heard", |peer| peer.energy_of(SCREEN_SOUND)).await?;

        bob.press("button", "Stop sharing").await?;
        large(cleo, Some("Ada’s screen")).await?;
        large(ada, None).await?;
        // Who shares anew is the last.
        share(bob).await?;
        large(cleo, Some("Bob’s screen")).await?;
        // From the tile this time.
        let own = ada.see("article", "Your screen").await?;
        own.find(By::Css("button.chip")).await?.click().await?;
        ada.see_gone("article", "Your screen").await?;
        cleo.see_gone("article", "Ada’s screen").await?;
        large(cleo, Some("Bob’s screen")).await?;
        bob.press("button", "Stop sharing").await?;
        large(cleo, None).await?;
        let now = descriptions(&all).await?;
        ensure!(now == before, "{} descriptions were set", now - before);
        Ok(())
    }
}

in_each! {
    /// M5: where the browser has no screens to share, nothing is offered that would not work.
    async fn where_there_is_none(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.open_room(stage, &Room::new("phone")).await?;
        ada.script("delete MediaDevices.prototype.getDisplayMedia;", Vec::new()).await?;
        ada.join("Ada").await?;
        ada.see("button", "Leave call").await?;
        ensure!(ada.find("button", "Share screen").await?.is_none());
        ada.press("button", "More").await?;
        ada.see("menuitemradio", "Grid view").await?;
        ensure!(ada.find("menuitemradio", "Optimize for text").await?.is_none());
        Ok(())
    }
}
