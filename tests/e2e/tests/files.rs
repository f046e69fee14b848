//! Files between real browsers: a picked one arrives as it was, also when the receiver loads the page anew
//! in the middle of it (C2, C3).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use thirtyfour::prelude::*;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Room, Stage, in_pairs, until};

/// Not a whole number of blocks.
const BYTES: u64 = 48 * 1024 * 1024 + 12_345;
/// On a machine with more browsers than cores; Firefox takes a moment to make each file.
const ALL_OF_IT: Duration = Duration::from_secs(120);

/// A picker that nobody could answer here; what is written to it stays in the page.
const PLAYED_PICKER: &str = "window.__written = [];
    window.showSaveFilePicker = async ({ suggestedName }) => ({
        createWritable: async () => ({
            write: async (piece) => { window.__written.push(await piece.arrayBuffer()); },
            close: async () => { window.__name = suggestedName; },
            abort: async () => {},
        }),
    });";

/// Makes a file that no two blocks of are the same.
fn made(stage: &Stage, name: &str) -> Result<PathBuf> {
    let path = stage.folder().join(name);
    let mut state = 1_u64;
    let mut bytes = Vec::with_capacity(BYTES as usize);
    while (bytes.len() as u64) < BYTES {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(BYTES as usize);
    std::fs::write(&path, bytes)?;
    Ok(path)
}

fn sha256(path: &Path) -> Result<String> {
    let output = Command::new("sha256sum").arg(path).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split(' ').next().context("a hash")?.to_owned())
}

async fn offer(browser: &Browser, path: &Path) -> Result<()> {
    browser.press("button", "Files").await?;
    let input = browser
        .driver()
        .find(By::Css("input[aria-label=\"Files to send\"]"))
        .await?;
    input.send_keys(path.to_str().context("a path of text")?).await?;
    Ok(())
}

/// How the only transfer stands: its state, and how many percent are through.
async fn standing(browser: &Browser) -> Result<(String, u64)> {
    let look = "const line = document.querySelector('li.transfer');
        const bar = line?.querySelector('[role=progressbar]');
        return [line?.dataset.state ?? 'none', Number(bar?.getAttribute('aria-valuenow') ?? 0)];";
    let seen = browser.script(look, Vec::new()).await?;
    let state = seen[0].as_str().unwrap_or_default().to_owned();
    Ok((state, seen[1].as_f64().unwrap_or_default() as u64))
}

async fn until_state(browser: &Browser, wanted: &str) -> Result<()> {
    let what = format!("{}: the transfer is {wanted}", browser.label);
    until(&what, ALL_OF_IT, async || {
        let (state, percent) = standing(browser).await?;
        Ok(Look::when(state == wanted, || format!("{state}, {percent} %")))
    })
    .await
}

/// The hash of what was saved by a picker that the test plays.
async fn saved(browser: &Browser) -> Result<(String, String)> {
    browser.script(PLAYED_PICKER, Vec::new()).await?;
    browser.press("button", "Save").await?;
    until("it is saved", ALL_OF_IT, async || {
        let name = browser
            .script("return window.__name ?? null;", Vec::new())
            .await?;
        Ok(Look::when(name.is_string(), || name.to_string()))
    })
    .await?;
    let hash = "const all = await new Blob(window.__written).arrayBuffer();
        const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', all));
        return [window.__name, Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('')];";
    let told = browser.async_script(hash, Vec::new()).await?;
    let text = |at: usize| told[at].as_str().unwrap_or_default().to_owned();
    Ok((text(0), text(1)))
}

/// Ada sends Bob a file; he may load his page anew in the middle of it.
async fn sent(stage: &Stage, [from, to]: [Kind; 2], reload: bool) -> Result<()> {
    stage.serve().await?;
    let (ada, bob) = (stage.browser(from).await?, stage.browser(to).await?);
    let room = Room::new("files");
    ada.enter(stage, &room, "Ada").await?;
    bob.enter(stage, &room, "Bob").await?;
    ada.sees_and_hears(1, SOON).await?;
    let path = made(stage, "random bytes.bin")?;
    offer(&ada, &path).await?;
    bob.press("button", "Files").await?;
    bob.press("button", "Accept").await?;
    let begun = std::time::Instant::now();
    if reload {
        until("a third has come", ALL_OF_IT, async || {
            let (state, percent) = standing(&bob).await?;
            ensure!(state != "done", "too quick to be loaded anew in the middle");
            Ok(Look::when(percent >= 30, || format!("{state}, {percent} %")))
        })
        .await?;
        bob.driver().refresh().await?;
        bob.ready().await?;
        bob.press("button", "Files").await?;
        let (state, percent) = until("it is found again", SOON, async || {
            let (state, percent) = standing(&bob).await?;
            Ok(Look::at((percent > 0).then(|| (state.clone(), percent)), || {
                state.clone()
            }))
        })
        .await?;
        stage.figure(&format!("found again at {percent} % ({state})"));
        ensure!(percent >= 25, "{percent} % were kept of 30");
    }
    until_state(&bob, "done").await?;
    until_state(&ada, "done").await?;
    let seconds = begun.elapsed().as_secs_f64();
    stage.figure(&format!("{:.1} MB/s", BYTES as f64 / 1e6 / seconds));
    let (name, hash) = saved(&bob).await?;
    ensure!(name == "random bytes.bin", "{name}");
    ensure!(hash == sha256(&path)?, "another file arrived");
    until("the browser's copy is gone", SOON, async || {
        let left = "const root = await navigator.storage.getDirectory();
            const names = [];
            try {
                for await (const name of (await root.getDirectoryHandle('transfers')).keys()) names.push(name);
            } catch {}
            return names.length;";
        let left = bob.async_script(left, Vec::new()).await?;
        Ok(Look::when(left == 0, || left.to_string()))
    })
    .await?;
    // The call goes on.
    ada.sees_and_hears(1, SOON).await
}

in_pairs! {
    async fn a_file_arrives_as_it_was(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        sent(stage, pair, false).await
    }
}

in_pairs! {
    async fn a_receiver_who_loads_the_page_anew_goes_on(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        sent(stage, pair, true).await
    }
}
