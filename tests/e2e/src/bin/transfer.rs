//! Figures of a transfer between two browsers: how fast it is beside a bare data channel, and what it does
//! to the pages that send and receive a large file. Run by `cargo xtask transfer`, with what is to be
//! measured: `speed`, `flat-chromium`, `flat-firefox`; all of them if nothing is said.

#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on standard output"
)]

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join;
use serde_json::{Value, json};
use visavis_e2e::files::{self, Sample};
use visavis_e2e::{Browser, Kind, Look, Room, Stage, run, until};

const MIB: u64 = 1 << 20;
/// What is sent for each figure of speed, and how often.
const SPEED_MIB: u64 = 256;
const ROUNDS: usize = 3;
/// The large file; Firefox gets a smaller one. A person may ask for another size.
const SIZE_VARIABLE: &str = "VISAVIS_FILE_MIB";
const LARGE_MIB: u64 = 4096;
const LARGE_FIREFOX_MIB: u64 = 512;
/// Bounds a run that hangs.
const SENT_WITHIN: Duration = Duration::from_secs(1200);

/// One end of a bare channel, on a page that is not the app's.
const BARE: &str = r#"
    const { gives, bytes } = arguments[0];
    const peer = new RTCPeerConnection();
    const bare = window.__bare = { peer, received: 0, began: 0, took: null };
    bare.gathered = async () => {
        await peer.setLocalDescription();
        if (peer.iceGatheringState !== "complete")
            await new Promise((done) => peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && done()));
        return JSON.parse(JSON.stringify(peer.localDescription));
    };
    if (gives) {
        const channel = peer.createDataChannel("bare");
        channel.binaryType = "arraybuffer";
        channel.bufferedAmountLowThreshold = 256 * 1024;
        const chunk = new Uint8Array(16 * 1024);
        let left = bytes;
        const pump = () => {
            while (left > 0 && channel.bufferedAmount < 1024 * 1024) { channel.send(chunk); left -= chunk.length; }
        };
        channel.onopen = () => { bare.began = performance.now(); pump(); };
        channel.onbufferedamountlow = pump;
        channel.onmessage = () => { bare.took = performance.now() - bare.began; };
        return bare.gathered();
    }
    peer.ondatachannel = ({ channel }) => {
        channel.binaryType = "arraybuffer";
        channel.onmessage = ({ data }) => {
            bare.received += data.byteLength;
            if (bare.received === bytes) channel.send("done");
        };
    };
"#;

/// What a page is asked to watch while a file passes: tasks that keep it busy.
const WATCH: &str = r#"
    const watch = window.__watch = { longest: 0, all: [] };
    const began = performance.now();
    const note = (at, took) => { if (took > 100) watch.all.push([Math.round((at - began) / 1000), Math.round(took)]); watch.longest = Math.max(watch.longest, took); };
    if (PerformanceObserver.supportedEntryTypes.includes("longtask")) {
        watch.how = "longest task";
        new PerformanceObserver((list) => { for (const { startTime, duration } of list.getEntries()) note(startTime, duration); })
            .observe({ type: "longtask" });
    } else {
        watch.how = "longest wait for a turn";
        let last = performance.now();
        setInterval(() => { const now = performance.now(); note(last, now - last - 10); last = now; }, 10);
    }
"#;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|name| name == part);
    if is_wanted("speed") {
        for kind in [Kind::Chromium, Kind::Firefox] {
            run("measuring-speed", async |stage: &Stage| speed(stage, kind).await);
        }
    }
    if is_wanted("flat-chromium") {
        run("measuring-flat-chromium", async |stage: &Stage| {
            flat(stage, Kind::Chromium, LARGE_MIB).await
        });
    }
    if is_wanted("flat-firefox") {
        run("measuring-flat-firefox", async |stage: &Stage| {
            flat(stage, Kind::Firefox, LARGE_FIREFOX_MIB).await
        });
    }
}

/// Two in a call that says and shows nothing.
async fn meet(stage: &Stage, ada: &Browser, bea: &Browser) -> Result<()> {
    let room = Room::new("papers");
    for (browser, name) in [(ada, "Ada"), (bea, "Bea")] {
        browser.open_room(stage, &room).await?;
        browser.see("button", "Join now").await?;
        // From the second time on it is remembered.
        for control in ["Turn camera off", "Mute microphone"] {
            if browser.find("button", control).await?.is_some() {
                browser.press("button", control).await?;
            }
        }
        browser.join(name).await?;
    }
    try_join(ada.wait_for_tile("Bea"), bea.wait_for_tile("Ada")).await?;
    Ok(())
}

async fn two(stage: &Stage, kind: Kind) -> Result<[Rc<Browser>; 2]> {
    stage.serve().await?;
    let (ada, bea) = try_join(stage.browser(kind), stage.browser(kind)).await?;
    Ok([ada, bea])
}

async fn speed(stage: &Stage, kind: Kind) -> Result<()> {
    let [ada, bea] = two(stage, kind).await?;
    let bytes = SPEED_MIB * MIB;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        bare.push(bare_seconds(stage, &ada, &bea, bytes).await?);
        meet(stage, &ada, &bea).await?;
        let sample = Sample::noise(stage, &format!("{round}.bin"), bytes)?;
        ours.push(seconds(&ada, &bea, &sample).await?);
        std::fs::remove_file(&sample.path)?;
    }
    let (ours, bare) = (median(ours), median(bare));
    let rate = |seconds: f64| mib(bytes) / seconds;
    println!(
        "{kind:?}: {SPEED_MIB} MiB, medians of {ROUNDS}: a transfer {:.1} MiB/s, a bare channel {:.1} MiB/s: {:.0} %",
        rate(ours),
        rate(bare),
        100.0 * bare / ours
    );
    Ok(())
}

/// From the click to the word that all is there.
async fn seconds(ada: &Browser, bea: &Browser, sample: &Sample) -> Result<f64> {
    ada.offer(sample).await?;
    bea.open_files().await?;
    bea.see_state(sample.name(), "offered", files::SOON).await?;
    let began = Instant::now();
    bea.press("button", "Accept").await?;
    bea.see_state(sample.name(), "done", SENT_WITHIN).await?;
    Ok(began.elapsed().as_secs_f64())
}

/// The same bytes in the same chunks through a channel that does nothing else.
async fn bare_seconds(stage: &Stage, ada: &Browser, bea: &Browser, bytes: u64) -> Result<f64> {
    // A page of the site without the app.
    let page = format!("{}/healthz", stage.origin());
    for browser in [ada, bea] {
        browser.driver().goto(&page).await?;
    }
    let takes = json!({ "gives": false, "bytes": bytes });
    bea.async_script(BARE, vec![takes]).await?;
    let gives = json!({ "gives": true, "bytes": bytes });
    let offer = ada.async_script(BARE, vec![gives]).await?;
    let answer = bea
        .async_script(
            "await __bare.peer.setRemoteDescription(arguments[0]); return __bare.gathered();",
            vec![offer],
        )
        .await?;
    ada.async_script(
        "return __bare.peer.setRemoteDescription(arguments[0]);",
        vec![answer],
    )
    .await?;
    let took = until("the bare channel's bytes", SENT_WITHIN, async || {
        let took = ada.script("return __bare.took;", Vec::new()).await?;
        let received = bea.script("return __bare.received;", Vec::new()).await?;
        Ok(Look::at(took.as_f64(), || format!("{received} of {bytes}")))
    })
    .await?;
    Ok(took / 1000.0)
}

async fn flat(stage: &Stage, kind: Kind, size_mib: u64) -> Result<()> {
    let asked = std::env::var(SIZE_VARIABLE)
        .ok()
        .and_then(|text| text.parse().ok());
    let size_mib = asked.unwrap_or(size_mib);
    let [ada, bea] = two(stage, kind).await?;
    meet(stage, &ada, &bea).await?;
    let sample = Sample::sparse(stage, "a long film.bin", size_mib * MIB)?;
    ada.offer(&sample).await?;
    bea.open_files().await?;
    bea.see_state(sample.name(), "offered", files::SOON).await?;
    let people = [(&ada, "sends"), (&bea, "receives")];
    let mut before = Vec::new();
    for (browser, _) in people {
        browser.script(WATCH, Vec::new()).await?;
        before.push(held(browser, true).await?);
    }
    let mut most = before.clone();
    let began = Instant::now();
    bea.press("button", "Accept").await?;
    until("a large file", SENT_WITHIN, async || {
        for (most, (browser, _)) in most.iter_mut().zip(people) {
            *most = most.max(held(browser, false).await?);
        }
        let line = bea.line(sample.name()).await?;
        Ok(Look::when(
            line.as_ref().is_some_and(|line| line.state == "done"),
            || format!("{line:?}"),
        ))
    })
    .await?;
    let took = began.elapsed().as_secs_f64();
    println!(
        "{kind:?}: {size_mib} MiB in {took:.0} s, {:.1} MiB/s",
        mib(sample.bytes) / took
    );
    for ((browser, does), (before, most)) in people.into_iter().zip(before.iter().zip(&most)) {
        let watch = browser.script("return __watch;", Vec::new()).await?;
        println!(
            "  who {does}: {} grew by {:.1} MiB at most (from {:.1} MiB), {} {:.0} ms; those over 100 ms, by second: {}",
            held_is(kind),
            (most - before) / mib_f(),
            before / mib_f(),
            watch["how"].as_str().unwrap_or_default(),
            watch["longest"].as_f64().unwrap_or_default(),
            watch["all"]
        );
    }
    let saved = bea.save(stage, &sample, SENT_WITHIN).await?;
    ensure!(
        files::sha256(&saved)? == files::sha256(&sample.path)?,
        "another file arrived"
    );
    println!("  saved, with the same SHA-256");
    Ok(())
}

const fn held_is(kind: Kind) -> &'static str {
    match kind {
        Kind::Chromium => "JS heap, buffers and wasm memory",
        Kind::Firefox => "the anonymous memory of its process",
    }
}

/// Bytes that a page holds, once garbage is gone if that is wished.
async fn held(browser: &Browser, without_garbage: bool) -> Result<f64> {
    match browser.kind {
        Kind::Chromium => {
            if without_garbage {
                browser.cdp("HeapProfiler.collectGarbage", json!({})).await?;
            }
            let usage = browser.cdp("Runtime.getHeapUsage", json!({})).await?;
            let part = |key: &str| usage.get(key).and_then(Value::as_f64);
            // Buffers, and the memory of wasm, are the backing storage.
            let heap = part("usedSize").context("no size of the heap")?;
            Ok(heap + part("backingStorageSize").context("no size of what backs it")?)
        }
        Kind::Firefox => content_process_bytes(browser),
    }
}

/// Firefox tells a page nothing of this: the largest of its content processes is the one with the page.
fn content_process_bytes(browser: &Browser) -> Result<f64> {
    let mark = browser.home();
    let mut most = 0.0_f64;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let path = entry.path();
        let read = |file: &str| std::fs::read(path.join(file)).unwrap_or_default();
        let line = String::from_utf8_lossy(&read("cmdline")).into_owned();
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        if !line.contains("-contentproc") || !environment.contains(&*mark.to_string_lossy()) {
            continue;
        }
        most = most.max(anonymous_bytes(&path));
    }
    ensure!(most > 0.0, "no content process of {}", browser.label);
    Ok(most)
}

fn anonymous_bytes(process: &Path) -> f64 {
    let text = std::fs::read_to_string(process.join("status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    number.unwrap_or_default() * 1024.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
const fn mib(bytes: u64) -> f64 {
    bytes as f64 / mib_f()
}

const fn mib_f() -> f64 {
    1_048_576.0
}
