//! Cameras and microphones in the middle of a call: changed, pulled out, taken back, muted (M1, M3, M4, M5).
//!
//! A fake device cannot be pulled out: `devices.js` pretends it, with the events that a browser gives. A
//! Firefox has one fake camera; what needs two is told of Chromium alone.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::{try_join, try_join_all};
use serde_json::{Value, json};
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Devices, Kind, Look, Room, Stage, in_each, staged, until};

/// The longest that others may be without a picture while a camera changes (M3).
const GAP_MS: f64 = 500.0;
/// How soon another device has to be in the place of one that was pulled out (M4).
const REPLACED_MS: f64 = 2000.0;
/// How soon everybody has to know that a camera is off (M5).
const TOLD_MS: f64 = 500.0;

const CAMERA: &str = "videoinput";
const MICROPHONE: &str = "audioinput";

/// Enough cameras to change between, slow enough for several browsers on few cores.
fn devices() -> Devices {
    Devices {
        cameras: 3,
        ..Devices::default()
    }
}

/// Ada in the browser in question and Bob, who see and hear each other.
async fn two(stage: &Stage, kind: Kind, devices: Devices) -> Result<[Rc<Browser>; 2]> {
    stage.serve().await?;
    let (ada, bob) = try_join(
        stage.browser_with(kind, devices),
        stage.browser_with(Kind::Chromium, self::devices()),
    )
    .await?;
    let room = Room::new("devices");
    ada.enter(stage, &room, "Ada").await?;
    bob.enter(stage, &room, "Bob").await?;
    try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
    listen(&ada).await?;
    Ok([ada, bob])
}

/// Notes whatever is said from now on: a notice goes by.
async fn listen(browser: &Browser) -> Result<()> {
    let body = r#"
        window.__heard = [];
        new MutationObserver((changes) => {
            for (const { addedNodes } of changes)
                for (const node of addedNodes)
                    if (node.matches?.(".toast")) __heard.push(`${node.closest("[role]").role}: ${node.textContent}`);
        }).observe(document.body, { childList: true, subtree: true });
    "#;
    browser.script(body, Vec::new()).await.map(drop)
}

/// Waits until something was said in a live region of that role.
async fn heard(browser: &Browser, role: &str, part: &str) -> Result<()> {
    let what = format!("{}: {role} that said \"{part}\"", browser.label);
    until(&what, SOON, async || {
        let said: Vec<String> = serde_json::from_value(browser.script("return __heard;", Vec::new()).await?)?;
        let holds = said
            .iter()
            .any(|text| text.starts_with(role) && text.contains(part));
        Ok(Look::when(holds, || format!("{said:?}")))
    })
    .await
}

async fn in_use(browser: &Browser, kind: &str) -> Result<Value> {
    browser
        .script("return __devices.inUse(arguments[0]);", vec![json!(kind)])
        .await
}

/// Does something to the devices, and waits in the page until another one is in use than before; the
/// milliseconds that this took by the page's clock.
async fn until_another(browser: &Browser, kind: &str, doing: &str) -> Result<f64> {
    let body = format!(
        r#"const [kind] = arguments;
           const before = __devices.inUse(kind);
           const began = performance.now();
           {doing};
           for (;;) {{
               const now = __devices.inUse(kind);
               if (now !== null && now !== before) return performance.now() - began;
               if (performance.now() - began > 10000) throw new Error(`${{before}} and then ${{now}}`);
               await new Promise((done) => setTimeout(done, 5));
           }}"#
    );
    let took = browser.async_script(&body, vec![json!(kind)]).await?;
    Ok(took.as_f64().unwrap_or(f64::MAX))
}

/// Picks an entry of a list of devices in the settings.
async fn pick(browser: &Browser, list: &str, entry: usize) -> Result<()> {
    let list = browser.see("combobox", list).await?;
    let body = "arguments[0].selectedIndex = arguments[1]; arguments[0].dispatchEvent(new Event('change', { bubbles: true }));";
    browser
        .script(body, vec![list.to_json()?, json!(entry)])
        .await
        .map(drop)
}

/// Notes when pictures of Ada are shown, and the longest time between two.
const WATCH_FRAMES: &str = r#"
    const video = document.querySelector("article[aria-label=Ada] video");
    const frames = window.__frames = { count: 0, last: null, worst: 0, shown: null, worstShown: 0 };
    const next = (now, { receiveTime }) => {
        // When it came in, where the browser tells: when it was painted depends on who else wants the processor.
        const at = receiveTime ?? now;
        if (frames.last !== null) {
            frames.worst = Math.max(frames.worst, at - frames.last);
            frames.worstShown = Math.max(frames.worstShown, now - frames.shown);
        }
        frames.last = at;
        frames.shown = now;
        frames.count += 1;
        video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
"#;

/// Waits until this many pictures of Ada were shown to everybody.
async fn frames(browsers: &[Rc<Browser>], more: u64) -> Result<()> {
    for browser in browsers {
        let count = async || -> Result<u64> {
            let count = browser.script("return __frames.count;", Vec::new()).await?;
            Ok(count.as_u64().unwrap_or_default())
        };
        let wanted = count().await? + more;
        let what = format!("{}: {more} more pictures of Ada", browser.label);
        until(&what, Duration::from_secs(30), async || {
            let now = count().await?;
            Ok(Look::when(now >= wanted, || format!("{now} of {wanted}")))
        })
        .await?;
    }
    Ok(())
}

async fn descriptions(browsers: &[Rc<Browser>]) -> Result<Vec<usize>> {
    let mut all = Vec::new();
    for browser in browsers {
        all.push(browser.open().await?.descriptions);
    }
    Ok(all)
}

in_each! {
    /// M3, R6: one of three changes the camera; the others are without a picture for half a second at
    /// most, and nothing is negotiated.
    async fn change_of_camera(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let kinds = [kind, Kind::Chromium, Kind::Firefox];
        let all = try_join_all(kinds.map(|kind| stage.browser_with(kind, devices()))).await?;
        let room = Room::new("change");
        for (browser, name) in all.iter().zip(["Ada", "Bob", "Cleo"]) {
            browser.enter(stage, &room, name).await?;
        }
        let limit = Duration::from_secs(20);
        try_join_all(all.iter().map(|browser| browser.sees_and_hears(2, limit))).await?;
        let [ada, others @ ..] = &all[..] else { unreachable!("three") };
        ada.press("button", "Settings").await?;
        if kind == Kind::Firefox {
            // The one camera that there is: named first, then as the system has it, which is asked for anew.
            pick(ada, "Camera", 1).await?;
        }
        let before = (descriptions(&all).await?, in_use(ada, CAMERA).await?, ada.open().await?.captures);
        for browser in others {
            browser.script(WATCH_FRAMES, Vec::new()).await?;
        }
        frames(others, 15).await?;
        pick(ada, "Camera", if kind == Kind::Firefox { 0 } else { 3 }).await?;
        until("one camera, asked for anew", SOON, async || {
            let open = ada.open().await?;
            let is_another = kind == Kind::Firefox || in_use(ada, CAMERA).await? != before.1;
            let is_one = open.track_kinds == ["audio", "video"];
            Ok(Look::when(open.captures > before.2 && is_one && is_another, || format!("{open:?}")))
        })
        .await?;
        frames(others, 15).await?;
        ensure!(ada.open().await?.captures == before.2 + 1, "asked for once");
        ensure!(descriptions(&all).await? == before.0, "nothing is negotiated");
        for browser in others {
            let told = browser.script("return [__frames.worst, __frames.worstShown];", Vec::new()).await?;
            let [worst, shown]: [f64; 2] = serde_json::from_value(told)?;
            stage.figure(&format!("{}: longest gap as painted: {shown:.0} ms", browser.label));
            stage.in_time(&format!("{}: longest gap between pictures of who changes the camera", browser.label), worst, GAP_MS)?;
        }
        Ok(())
    }
}

staged! {
    /// M3: on a device that is touched one button changes between its cameras, before the call and in it;
    /// elsewhere there is none.
    async fn flip(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser_with(Kind::Chromium, devices()).await?;
        let room = Room::new("flip");
        ada.open_room(stage, &room).await?;
        ada.see("button", "Turn camera off").await?;
        ensure!(ada.find("button", "Flip camera").await?.is_none(), "not with a mouse");
        ada.cdp("Emulation.setTouchEmulationEnabled", json!({ "enabled": true, "maxTouchPoints": 5 })).await?;
        // The same address once more would be no new page.
        ada.driver().goto("about:blank").await?;
        ada.open_room(stage, &room).await?;
        ada.see("button", "Flip camera").await?;
        let press = "document.querySelector('button[aria-label=\"Flip camera\"]').click()";
        let took = until_another(&ada, CAMERA, press).await?;
        stage.figure(&format!("flipped before the call in {took:.0} ms"));
        ada.join("Ada").await?;
        ada.see("button", "Flip camera").await?;
        until_another(&ada, CAMERA, press).await?;
        until("one camera", SOON, async || {
            let open = ada.open().await?;
            Ok(Look::when(open.track_kinds == ["audio", "video"], || format!("{open:?}")))
        })
        .await?;
        // Off there is nothing to flip.
        ada.press("button", "Turn camera off").await?;
        ada.see_gone("button", "Flip camera").await
    }
}

in_each! {
    /// M4: who loses the camera in use has another within 2 s and is told; plugged in again it is back.
    /// Where there is no other one (Firefox), that is said, and it comes back all the same.
    async fn unplugged_and_plugged_in(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind, devices()).await?;
        let all = [Rc::clone(&ada), Rc::clone(&bob)];
        let negotiated = descriptions(&all).await?;
        let first = in_use(&ada, CAMERA).await?;
        if kind == Kind::Chromium {
            let took = until_another(&ada, CAMERA, "__devices.pull(kind)").await?;
            stage.in_time("another camera after the one in use was pulled out", took, REPLACED_MS)?;
            heard(&ada, "alert", "Your camera stopped.").await?;
            heard(&ada, "status", "Now using ").await?;
        } else {
            ada.script("__devices.pull(arguments[0]);", vec![json!(CAMERA)]).await?;
            heard(&ada, "alert", "No camera was found").await?;
            bob.see("img", "Camera off").await?;
        }
        ada.script("__devices.plug();", Vec::new()).await?;
        heard(&ada, "status", "is back and in use").await?;
        ensure!(in_use(&ada, CAMERA).await? == first, "the same one");
        bob.see_gone("img", "Camera off").await?;
        bob.sees_and_hears(1, SOON).await?;
        ensure!(descriptions(&all).await? == negotiated, "nothing is negotiated");

        // The microphone in use, of which there are others in Chromium alone.
        ada.script("__devices.pull(arguments[0]);", vec![json!(MICROPHONE)]).await?;
        heard(&ada, "alert", "Your microphone stopped.").await?;
        ada.script("__devices.plug();", Vec::new()).await?;
        bob.sees_and_hears(1, SOON).await?;
        bob.see_gone("img", "Microphone off").await
    }
}

in_each! {
    /// M4: who follows the system's choice of microphone goes on to do so when it is another one.
    async fn another_default_microphone(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind, devices()).await?;
        let asked = ada.open().await?.captures;
        ada.script("__devices.another('Headset');", Vec::new()).await?;
        heard(&ada, "status", "Now using ").await?;
        let open = ada.open().await?;
        ensure!(open.captures == asked + 1 && open.track_kinds == ["audio", "video"], "{open:?}");
        bob.sees_and_hears(1, SOON).await
    }
}

/// Where the sound of others plays, and what the page shows and remembers of it.
const SPEAKERS: &str = r#"
    const playing = [...document.querySelectorAll("audio")].map((audio) => audio.__speaker ?? "");
    return [...new Set([...playing, arguments[0].value, localStorage.getItem("visavis.speaker") ?? ""])];
"#;

/// Waits until sound plays through a speaker, and the page says so.
async fn plays_through(browser: &Browser, speaker: &[&str]) -> Result<()> {
    let list = browser.see("combobox", "Speaker").await?;
    until(&format!("sound through {speaker:?}"), SOON, async || {
        let said = browser.script(SPEAKERS, vec![list.to_json()?]).await?;
        Ok(Look::when(said == json!(speaker), || said.to_string()))
    })
    .await
}

in_each! {
    /// M4: who loses the chosen speaker hears the others through the system's within 2 s and is told; plugged
    /// in again it is back. One that cannot be used is neither shown as picked nor remembered. The speakers
    /// are pretended; a browser that lets no page choose one has nothing to lose.
    async fn speaker_unplugged_and_plugged_in(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, _bob] = two(stage, kind, devices()).await?;
        if ada.script("return !HTMLMediaElement.prototype.setSinkId;", Vec::new()).await? == true {
            stage.skip("this browser lets no page choose the speaker");
            return Ok(());
        }
        ada.script("__devices.speakers(['Headphones', 'Broken', 'Radio']);", Vec::new()).await?;
        ada.press("button", "Settings").await?;
        let list = ada.see("combobox", "Speaker").await?;
        until("three speakers and the system's", SOON, async || {
            let count = ada.script("return arguments[0].options.length;", vec![list.to_json()?]).await?;
            Ok(Look::when(count == 4, || count.to_string()))
        })
        .await?;
        pick(&ada, "Speaker", 1).await?;
        plays_through(&ada, &["Headphones"]).await?;

        let body = r#"
            const [began, playing] = [performance.now(), () => document.querySelector("audio").__speaker];
            __devices.speakers(["Broken", "Radio"]);
            while (playing() !== "") {
                if (performance.now() - began > 10000) throw new Error(playing());
                await new Promise((done) => setTimeout(done, 5));
            }
            return performance.now() - began;
        "#;
        let took = ada.async_script(body, Vec::new()).await?.as_f64().unwrap_or(f64::MAX);
        stage.in_time("the system's speaker after the chosen one was pulled out", took, REPLACED_MS)?;
        heard(&ada, "status", "Your speaker is gone. Now using the system’s.").await?;
        // It is remembered for the next plug.
        plays_through(&ada, &["", "Headphones"]).await?;

        ada.script("__devices.speakers(['Headphones', 'Broken', 'Radio']);", Vec::new()).await?;
        heard(&ada, "status", "Headphones is back and in use").await?;
        plays_through(&ada, &["Headphones"]).await?;

        pick(&ada, "Speaker", 2).await?;
        heard(&ada, "alert", "This speaker cannot be used.").await?;
        plays_through(&ada, &["Headphones"]).await
    }
}

in_each! {
    /// M5: a permission that is taken back in the call is told in words; the call goes on, nothing is asked
    /// for again, and once it is given again the camera is back.
    async fn permission_taken_back(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind, devices()).await?;
        let tells = ada.script("return __devices.tells('videoinput');", Vec::new()).await? == true;
        stage.figure(&format!("the browser tells of the camera's permission: {tells}"));
        let asked = ada.open().await?.captures;
        ada.script("__devices.revoke('videoinput');", Vec::new()).await?;
        heard(&ada, "alert", "may not use your camera. Allow it").await?;
        bob.see("img", "Camera off").await?;
        ada.see("button", "Turn camera on").await?;
        ada.sees_and_hears(1, SOON).await?;
        let open = ada.open().await?;
        ensure!(open.track_kinds == ["audio"], "{open:?}");
        // Where the browser does not tell, only the question itself does.
        ensure!(open.captures == asked + usize::from(!tells), "{open:?}");

        ada.script("__devices.permit('videoinput');", Vec::new()).await?;
        if !tells {
            ada.press("button", "Turn camera on").await?;
        }
        ada.see("button", "Turn camera off").await?;
        bob.see_gone("img", "Camera off").await?;
        bob.sees_and_hears(1, SOON).await
    }
}

in_each! {
    /// M5: what the system mutes is told to the person and shown to all, until it gives it back.
    async fn muted_by_the_system(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind, devices()).await?;
        for (device, mark, said, over) in [
            (MICROPHONE, "Microphone off", "Your system has muted the microphone", "Your microphone works again"),
            (CAMERA, "Camera off", "Your system has turned the camera off", "Your camera works again"),
        ] {
            ada.script("__devices.mute(arguments[0], true);", vec![json!(device)]).await?;
            heard(&ada, "alert", said).await?;
            ada.see("img", mark).await?;
            bob.see("img", mark).await?;
            ada.script("__devices.mute(arguments[0], false);", vec![json!(device)]).await?;
            heard(&ada, "status", over).await?;
            ada.see_gone("img", mark).await?;
            bob.see_gone("img", mark).await?;
        }
        Ok(())
    }
}

in_each! {
    /// M5: who talks with the microphone off is told so, once each time it is turned off.
    async fn talking_while_muted(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, _bob] = two(stage, kind, Devices { voice: true, ..devices() }).await?;
        let hints = async || -> Result<usize> {
            let said: Vec<String> = serde_json::from_value(ada.script("return __heard;", Vec::new()).await?)?;
            Ok(said.iter().filter(|text| text.contains("You are muted")).count())
        };
        if !ada.measures_sound().await? {
            stage.skip("no sound is measured in this browser on a machine without a sound device");
            return Ok(());
        }
        for times in 1..=2 {
            ada.press("button", "Mute microphone").await?;
            until("a hint", SOON, async || {
                let count = hints().await?;
                Ok(Look::when(count == times, || format!("{count} hints")))
            })
            .await?;
            heard(&ada, "status", "You are muted. Press “Unmute microphone” to be heard.").await?;
            // Nothing is measured any more.
            until("no meter", SOON, async || {
                let open = ada.open().await?;
                Ok(Look::when(open.audio_contexts == 0, || format!("{open:?}")))
            })
            .await?;
            ada.press("button", "Unmute microphone").await?;
            ada.see("button", "Mute microphone").await?;
        }
        ensure!(hints().await? == 2);
        Ok(())
    }
}

in_each! {
    /// M1: whatever keeps camera and microphone from starting is said in words, with what to do, and one
    /// gets in without them.
    async fn every_failure_in_words(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        let room = Room::new("failures");
        ada.open_room(stage, &room).await?;
        for (name, says) in [
            ("NotAllowedError", "Visavis may not use your {}. Allow it in the browser’s settings for this site, then try again."),
            ("NotFoundError", "No {} was found. Connect one and try again."),
            ("NotReadableError", "Your {} is used by another program. Close it there and try again."),
            ("AbortError", "Your {} is used by another program. Close it there and try again."),
            ("OverconstrainedError", "The chosen {} is not there. Choose another one."),
            ("SecurityError", "Browsers allow the {} only on secure pages. Open this page with https:// at the beginning."),
            ("no mediaDevices", "Browsers allow the {} only on secure pages. Open this page with https:// at the beginning."),
            ("TypeError", "Your {} could not be started. Try again, or choose another one."),
        ] {
            ada.fail_captures(name).await?;
            ada.driver().goto("about:blank").await?;
            ada.open_room(stage, &room).await?;
            let wanted = ["camera", "microphone"].map(|device| says.replace("{}", device));
            until(&format!("words about {name}"), SOON, async || {
                let words = ada.words().await?;
                let holds = wanted.iter().all(|text| words.contains(text)) && words.contains("You can also join without it.");
                Ok(Look::when(holds, || words))
            })
            .await?;
            ada.join("Ada").await?;
            ada.see("img", "Camera off").await?;
            ada.see("img", "Microphone off").await?;
            ensure!(ada.open().await?.tracks == 0);
        }
        Ok(())
    }
}

in_each! {
    /// M5: a camera that comes after it was turned off goes out at once.
    async fn late_success(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.enter(stage, &Room::new("late"), "Ada").await?;
        ada.see("button", "Turn camera off").await?;
        ada.press("button", "Turn camera off").await?;
        ada.see("button", "Turn camera on").await?;
        ada.script("window.__release = __devices.hold();", Vec::new()).await?;
        ada.press("button", "Turn camera on").await?;
        until("a camera that is there and not given yet", SOON, async || {
            let used = in_use(&ada, CAMERA).await?;
            Ok(Look::when(!used.is_null(), || used.to_string()))
        })
        .await?;
        ada.press("button", "Turn camera off").await?;
        ada.see("button", "Turn camera on").await?;
        ada.script("__release();", Vec::new()).await?;
        until("the camera's light out", SOON, async || {
            let open = ada.open().await?;
            Ok(Look::when(open.track_kinds == ["audio"], || format!("{open:?}")))
        })
        .await
    }
}

/// Resolves to the time of the next picture that is decoded.
const NEXT_PICTURE: &str = r#"
    const decoded = async () => {
        let sum = 0;
        for (const peer of __probe.connections())
            for (const row of (await peer.getStats()).values())
                if (row.type === "inbound-rtp" && row.kind === "video") sum += row.framesDecoded;
        return sum;
    };
    const before = await decoded();
    while (await decoded() === before) await new Promise((later) => setTimeout(later, 20));
    return Date.now();
"#;

/// Bytes of pictures sent so far, over all connections.
const SENT: &str = r#"
    const reports = await Promise.all(__probe.connections().map((peer) => peer.getStats()));
    let sent = 0;
    for (const report of reports) for (const row of report.values()) if (row.type === "outbound-rtp" && row.kind === "video") sent += row.bytesSent;
    return sent;
"#;

in_each! {
    /// M5: a camera that is turned off is out, sends nothing, and everybody knows within half a second.
    async fn camera_off(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind, devices()).await?;
        // Both pages are on one machine, so their clocks are one.
        bob.script(
            r#"const tile = document.querySelector("article[aria-label=Ada]");
               const look = () => { if (tile.querySelector('[role=img][aria-label="Camera off"]')) window.__toldAt ??= Date.now(); };
               new MutationObserver(look).observe(tile, { childList: true, subtree: true });"#,
            Vec::new(),
        )
        .await?;
        let pressed = ada
            .script(
                r#"document.querySelector('button[aria-label="Turn camera off"]').click(); return Date.now();"#,
                Vec::new(),
            )
            .await?;
        until("the mark at Bob", SOON, async || {
            let told = bob.script("return window.__toldAt ?? null;", Vec::new()).await?;
            Ok(Look::when(!told.is_null(), String::new))
        })
        .await?;
        let told = bob.script("return __toldAt;", Vec::new()).await?;
        let took = told.as_f64().unwrap_or(f64::MAX) - pressed.as_f64().unwrap_or_default();
        stage.in_time("\"Camera off\" at the other after the press", took, TOLD_MS)?;
        ensure!(ada.open().await?.track_kinds == ["audio"], "{:?}", ada.open().await?);

        let sent = async || -> Result<f64> {
            Ok(ada.async_script(SENT, Vec::new()).await?.as_f64().unwrap_or_default())
        };
        // What was under way leaves; then, over two seconds, nothing more.
        let mut before = (std::time::Instant::now(), sent().await?);
        let mut rate = f64::MAX;
        until("two seconds in which nothing is sent", SOON, async || {
            let over = before.0.elapsed();
            if over < Duration::from_secs(2) {
                return Ok(Look::NotYet(format!("{over:?}")));
            }
            let now = sent().await?;
            rate = (now - before.1) / over.as_secs_f64();
            before = (std::time::Instant::now(), now);
            Ok(Look::when(rate <= 0.0, || format!("{rate} bytes a second")))
        })
        .await?;
        stage.figure(&format!("sent in place of pictures while the camera is off: {rate:.0} bytes a second"));
        let pressed = async {
            ada.script(
                r#"document.querySelector('button[aria-label="Turn camera on"]').click(); return Date.now();"#,
                Vec::new(),
            )
            .await
        };
        let (seen, pressed) = try_join(bob.async_script(NEXT_PICTURE, Vec::new()), pressed).await?;
        let took = seen.as_f64().unwrap_or(f64::MAX) - pressed.as_f64().unwrap_or_default();
        stage.figure(&format!("on again: the next picture at the other {took:.0} ms after the press"));
        bob.sees_and_hears(1, SOON).await
    }
}
