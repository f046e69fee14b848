//! A call is recorded: everybody knows, and the file holds what was seen and heard (M11).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::{try_join, try_join_all};
use serde_json::json;
use thirtyfour::prelude::*;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Room, Stage, in_each, staged, until};

/// How long is recorded; a person may ask for longer.
const SECONDS_VARIABLE: &str = "VISAVIS_RECORD_SECONDS";
const SECONDS: u64 = 6;
/// A folder for pictures of the pages and for the recordings, for somebody who wants to look at them.
const KEPT_VARIABLE: &str = "VISAVIS_KEEP_RECORDINGS";
/// How far the file may be from that.
const OFF_SECONDS: f64 = 1.0;
/// How much earlier its pictures may end: an encoder on a machine with too much to do has ten of them
/// waiting, which Chromium throws away at the end.
const BEHIND_SECONDS: f64 = 4.0;
/// Sound below this is silence.
const SILENCE_DB: f64 = -60.0;

/// Size of the recording, and where three people's tiles have their middles.
const SIZE: [usize; 2] = [1280, 720];
const MIDDLES: [[usize; 2]; 3] = [[320, 180], [960, 180], [640, 540]];
/// What of a tile around its middle is looked at.
const PART: [usize; 2] = [400, 240];
/// Brightness of an empty tile, how near to it counts, and how much of a tile may be empty.
const EMPTY: u8 = 29;
const NEAR: u8 = 8;
const EMPTY_SHARE: f64 = 0.5;

/// Where the recording goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Streamed to the disk: a picker that nobody can answer here is played by the test.
    Disk,
    /// Downloaded when it is whole.
    Download,
}

const PLAYED_PICKER: &str = "window.__written = [];
    window.showSaveFilePicker = async ({ suggestedName }) => ({
        createWritable: async () => ({
            write: async (piece) => { window.__written.push(piece); },
            close: async () => { window.__name = suggestedName; },
        }),
    });";

fn seconds() -> Duration {
    let asked = std::env::var(SECONDS_VARIABLE)
        .ok()
        .and_then(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(SECONDS))
}

async fn see_mark(browser: &Browser, tile: &str, is_there: bool) -> Result<()> {
    let what = format!("{}: {tile} recording: {is_there}", browser.label);
    until(&what, SOON, async || {
        let Some(tile) = browser.find("article", tile).await? else {
            return Ok(Look::NotYet("no such tile".into()));
        };
        let marks = tile
            .find_all(By::Css("[role=img][aria-label=\"Recording\"]"))
            .await?;
        Ok(Look::when(marks.is_empty() != is_there, || {
            format!("{} marks", marks.len())
        }))
    })
    .await
}

async fn see_words(browser: &Browser, words: &str, are_there: bool) -> Result<()> {
    let what = format!("{}: \"{words}\": {are_there}", browser.label);
    until(&what, SOON, async || {
        let shown = browser.words().await?;
        Ok(Look::when(shown.contains(words) == are_there, || shown))
    })
    .await
}

/// Ada records; Bob is there, Cleo comes meanwhile.
async fn recorded(stage: &Stage, kinds: [Kind; 3], way: Way) -> Result<()> {
    stage.serve().await?;
    let all = try_join_all(kinds.iter().map(|kind| stage.browser(*kind))).await?;
    let [ada, bob, cleo] = &all[..] else {
        unreachable!("three were asked for")
    };
    let room = Room::new("recorded");
    ada.enter(stage, &room, "Ada").await?;
    bob.enter(stage, &room, "Bob").await?;
    try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
    prepare(stage, ada, way).await?;
    if way == Way::Disk {
        // So that the sound in the file is that of the others.
        ada.press("button", "Mute microphone").await?;
    }
    let has_sound = can_mix(ada).await?;
    let before = ada.open().await?;

    let begun = Instant::now();
    ada.press("button", "Record").await?;
    // Said for a moment, after what else there is to say.
    try_join(
        bob.hear("status", "Ada records the call"),
        ada.hear("status", "You are recording"),
    )
    .await?;
    ada.see("button", "Stop recording").await?;
    cleo.enter(stage, &room, "Cleo").await?;
    for browser in [bob, cleo] {
        see_words(browser, "Ada is recording", true).await?;
        see_mark(browser, "Ada", true).await?;
    }
    see_words(ada, "You are recording", true).await?;
    see_mark(ada, "Ada (you)", true).await?;
    ada.sees_and_hears(2, Duration::from_secs(20)).await?;
    let enough = seconds();
    until("enough is recorded", enough + SOON, async || {
        Ok(Look::when(begun.elapsed() >= enough, || {
            format!("{:?}", begun.elapsed())
        }))
    })
    .await?;
    if let Some(folder) = kept() {
        for browser in &all {
            let name = format!("recording-{}.png", browser.label);
            std::fs::write(folder.join(name), browser.driver().screenshot_as_png().await?)?;
        }
    }

    ada.press("button", "Stop recording").await?;
    let length = begun.elapsed();
    ada.see("button", "Record").await?;
    for browser in [bob, cleo] {
        see_mark(browser, "Ada", false).await?;
        see_words(browser, "Ada is recording", false).await?;
    }
    let file = saved(stage, ada, way).await?;
    if let Some(folder) = kept() {
        std::fs::copy(&file, folder.join(format!("recording-{}.webm", ada.label)))?;
    }
    until("clones and context let go of", SOON, async || {
        let open = ada.open().await?;
        let is_tidy = open.tracks == before.tracks
            && open.audio_contexts == before.audio_contexts
            && open.intervals == before.intervals
            && open.listeners.get("Window") == before.listeners.get("Window");
        Ok(Look::when(is_tidy, || format!("{open:?}, before {before:?}")))
    })
    .await?;
    ada.sees_and_hears(2, SOON).await?;
    look_into(stage, &file, length, has_sound)
}

/// Whether sound runs through Web Audio: a Firefox on a computer without an output never begins.
async fn can_mix(browser: &Browser) -> Result<bool> {
    let state = "const context = new AudioContext();
        const waited = new Promise((resolve) => setTimeout(resolve, 3000));
        await Promise.race([context.resume(), waited]);
        const { state } = context;
        await context.close();
        return state;";
    Ok(browser.async_script(state, Vec::new()).await? == "running")
}

/// Sees to it that the file goes where the test can look at it.
async fn prepare(stage: &Stage, browser: &Browser, way: Way) -> Result<()> {
    match (way, browser.kind) {
        (Way::Disk, _) => {
            browser.script(PLAYED_PICKER, Vec::new()).await?;
        }
        (Way::Download, Kind::Chromium) => {
            let folder = downloads(stage, browser);
            browser
                .cdp(
                    "Browser.setDownloadBehavior",
                    json!({ "behavior": "allow", "downloadPath": folder }),
                )
                .await?;
            let none = "delete window.showSaveFilePicker; delete Window.prototype.showSaveFilePicker;
                return 'showSaveFilePicker' in window;";
            ensure!(browser.script(none, Vec::new()).await? == false);
        }
        // Has no picker, and puts downloads below the home that the stage gave it.
        (Way::Download, Kind::Firefox) => {}
    }
    Ok(())
}

fn downloads(stage: &Stage, browser: &Browser) -> PathBuf {
    stage.folder().join(&browser.label).join("Downloads")
}

/// Waits for the whole file.
async fn saved(stage: &Stage, browser: &Browser, way: Way) -> Result<PathBuf> {
    match way {
        Way::Disk => {
            until("the file is closed", SOON, async || {
                let name = browser
                    .script("return window.__name ?? null;", Vec::new())
                    .await?;
                let is_named = name.as_str().is_some_and(|name| name.starts_with("Visavis 20"));
                Ok(Look::when(is_named, || name.to_string()))
            })
            .await?;
            let bytes = "const bytes = new Uint8Array(await new Blob(window.__written).arrayBuffer());
                let text = '';
                for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
                return btoa(text);";
            let text = browser.async_script(bytes, Vec::new()).await?;
            let path = stage.folder().join("recording.webm");
            let mut decode = Command::new("base64")
                .arg("-d")
                .stdin(Stdio::piped())
                .stdout(std::fs::File::create(&path)?)
                .spawn()?;
            std::io::Write::write_all(
                &mut decode.stdin.take().context("its input")?,
                text.as_str().unwrap_or_default().as_bytes(),
            )?;
            ensure!(decode.wait()?.success());
            Ok(path)
        }
        Way::Download => {
            let folder = downloads(stage, browser);
            until("the download", SOON, async || {
                let mut names = Vec::new();
                for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                    names.push(entry.path());
                }
                let is_whole = |path: &&PathBuf| {
                    let has_bytes = path.metadata().is_ok_and(|file| file.len() > 0);
                    path.extension().is_some_and(|end| end == "webm") && has_bytes
                };
                let whole = names.iter().find(is_whole).filter(|_| names.len() == 1).cloned();
                Ok(Look::at(whole, || format!("{}: {names:?}", folder.display())))
            })
            .await
        }
    }
}

/// Where somebody asks for what is seen and recorded.
fn kept() -> Option<PathBuf> {
    std::env::var_os(KEPT_VARIABLE).map(PathBuf::from)
}

fn run(program: &str, arguments: &[&str], file: &Path) -> Result<(Vec<u8>, String)> {
    let (before, after) = arguments.split_at(arguments.iter().position(|word| *word == "FILE").unwrap_or(0));
    let output = Command::new(program)
        .args(
            ["-hide_banner", "-nostdin"]
                .iter()
                .filter(|_| program == "ffmpeg"),
        )
        .args(before)
        .arg(file)
        .args(after.iter().skip(1))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{program}: {said}");
    Ok((output.stdout, said))
}

/// One stream of each kind, as long as was recorded, neither silent nor empty.
fn look_into(stage: &Stage, file: &Path, length: Duration, has_sound: bool) -> Result<()> {
    ensure!(file.metadata()?.len() > 0, "an empty file");
    if Command::new("ffprobe").arg("-version").output().is_err() {
        stage.skip("ffprobe is not installed, so nobody looked into the recording");
        return Ok(());
    }
    let (streams, _) = run(
        "ffprobe",
        &[
            "-v",
            "error",
            "-show_entries",
            "stream=codec_type",
            "-of",
            "csv=p=0",
            "FILE",
        ],
        file,
    )?;
    let streams = String::from_utf8(streams)?;
    let mut kinds: Vec<&str> = streams.split_whitespace().collect();
    kinds.sort_unstable();
    ensure!(kinds == ["audio", "video"], "{kinds:?}");

    let mut rates = Vec::new();
    for (kind, off_seconds) in [("a", OFF_SECONDS), ("v", BEHIND_SECONDS)] {
        let (times, _) = run(
            "ffprobe",
            &[
                "-v",
                "error",
                "-select_streams",
                kind,
                "-show_entries",
                "packet=pts_time",
                "-of",
                "csv=p=0",
                "FILE",
            ],
            file,
        )?;
        let times: Vec<f64> = String::from_utf8(times)?
            .lines()
            .filter_map(|line| line.trim_matches(',').parse().ok())
            .collect();
        let last = times.iter().copied().fold(0.0, f64::max);
        let off = (last - length.as_secs_f64()).abs();
        ensure!(off <= off_seconds, "{kind}: {last} s of {length:?}");
        rates.push((times.len() as f64 / last, last));
    }
    let (_, said) = run(
        "ffmpeg",
        &["-i", "FILE", "-af", "volumedetect", "-f", "null", "-"],
        file,
    )?;
    let volume: f64 = said
        .split_once("mean_volume: ")
        .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
        .context("no volume")?;
    if has_sound {
        ensure!(volume > SILENCE_DB, "mean volume {volume} dB");
    } else {
        stage.figure("this browser has nothing to play sound with here: nobody listened to the recording");
    }

    let (pixels, _) = run(
        "ffmpeg",
        &[
            "-sseof",
            "-1",
            "-i",
            "FILE",
            "-frames:v",
            "1",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "gray",
            "-",
        ],
        file,
    )?;
    let pixels = if pixels.is_empty() {
        last_picture(file)?
    } else {
        pixels
    };
    ensure!(pixels.len() == SIZE[0] * SIZE[1], "{} pixels", pixels.len());
    let shares: Vec<f64> = MIDDLES
        .iter()
        .map(|middle| empty_share(&pixels, *middle))
        .collect();
    ensure!(
        shares.iter().all(|share| *share < EMPTY_SHARE),
        "empty shares of the tiles: {shares:?}"
    );
    let [_, (rate, last)] = rates[..] else {
        unreachable!("two kinds were looked at")
    };
    let bytes = file.metadata()?.len();
    stage.figure(&format!(
        "recorded {:.1} s: file of {last:.1} s, {rate:.1} pictures a second, {volume} dB, {} kB a second",
        length.as_secs_f64(),
        (bytes as f64 / last / 1000.0).round(),
    ));
    Ok(())
}

/// For files in which one cannot look from the end.
fn last_picture(file: &Path) -> Result<Vec<u8>> {
    let (mut pixels, _) = run(
        "ffmpeg",
        &["-i", "FILE", "-r", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        file,
    )?;
    let whole = SIZE[0] * SIZE[1];
    Ok(pixels.split_off(pixels.len().saturating_sub(whole)))
}

/// How much of a tile around its middle looks like an empty one.
fn empty_share(pixels: &[u8], [x, y]: [usize; 2]) -> f64 {
    let rows = y - PART[1] / 2..y + PART[1] / 2;
    let empty: usize = rows
        .map(|row| {
            let begin = row * SIZE[0] + x - PART[0] / 2;
            let line = &pixels[begin..begin + PART[0]];
            line.iter().filter(|pixel| pixel.abs_diff(EMPTY) <= NEAR).count()
        })
        .sum();
    empty as f64 / (PART[0] * PART[1]) as f64
}

/// Counts what the browser has recorded.
const WATCH_PIECES: &str = r#"
    window.__recorded = 0;
    const start = MediaRecorder.prototype.start;
    MediaRecorder.prototype.start = function (...all) {
        this.addEventListener("dataavailable", ({ data }) => __recorded += data.size);
        return start.apply(this, all);
    };
"#;

in_each! {
    /// M11: who leaves while they record is told on the page after the call what became of it.
    async fn left_while_recording(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.enter(stage, &Room::new("left"), "Ada").await?;
        prepare(stage, &ada, Way::Download).await?;
        ada.script(WATCH_PIECES, Vec::new()).await?;
        ada.press("button", "Record").await?;
        ada.hear("status", "before you close this tab").await?;
        ada.see("button", "Stop recording").await?;
        // A Firefox that has nothing to play sound with may write nothing until its end, if then.
        if kind == Kind::Chromium {
            until("something is recorded", SOON, async || {
                let bytes = ada.script("return __recorded;", Vec::new()).await?;
                Ok(Look::when(bytes.as_u64() > Some(0), || bytes.to_string()))
            })
            .await?;
        }
        ada.leave().await?;
        let said = until("what became of it", SOON, async || {
            let words = ada.words().await?;
            let said = ["The recording is saved", "The recording did not work"];
            let said = said.into_iter().find(|said| words.contains(said));
            Ok(Look::at(said, || words))
        })
        .await?;
        if kind == Kind::Firefox && said != "The recording is saved" {
            // Then that is what is said, and there is no empty file.
            let files = std::fs::read_dir(downloads(stage, &ada)).into_iter().flatten().count();
            ensure!(files == 0, "{files} files of nothing");
            stage.skip("this browser had not begun to write: it has nothing to play sound with here");
            return Ok(());
        }
        ensure!(said == "The recording is saved", "{said}");
        let file = saved(stage, &ada, Way::Download).await?;
        ensure!(file.metadata()?.len() > 0, "an empty file");
        let open = ada.open().await?;
        ensure!(open.tracks == 0 && open.audio_contexts == 0, "{open:?}");
        // What is said of one call is not said of the next.
        ada.press("button", "Rejoin").await?;
        ada.room_state("joined").await?;
        ada.leave().await?;
        ada.room_state("ended").await?;
        ensure!(!ada.words().await?.contains("The recording is saved"));
        Ok(())
    }
}

mod recording {
    use super::*;

    staged! {
        async fn chromium(stage: &Stage) -> Result<()> {
            recorded(stage, [Kind::Chromium; 3], Way::Disk).await
        }
    }

    staged! {
        async fn all_firefox(stage: &Stage) -> Result<()> {
            recorded(stage, [Kind::Firefox; 3], Way::Download).await
        }
    }

    staged! {
        async fn mixed(stage: &Stage) -> Result<()> {
            recorded(stage, [Kind::Chromium, Kind::Firefox, Kind::Firefox], Way::Download).await
        }
    }
}
