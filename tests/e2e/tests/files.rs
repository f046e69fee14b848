//! Files between two browsers as people see them: offered, taken, declined, dropped, pasted (C2).

use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join;
use serde_json::{Value, json};
use thirtyfour::{By, WebElement};
use visavis_e2e::files::Sample;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Room, Stage, in_each, staged, until};

/// Two blocks and a bit, so that there is a progress.
const BYTES: usize = 2_500_000;

/// Takes what is saved, in place of a dialog that nobody can answer here.
const PLAYED_PICKER: &str = "window.__bytes = null;
    window.showSaveFilePicker = async ({ suggestedName }) => {
        let bytes = 0;
        return { createWritable: async () => ({
            write: async (piece) => {
                const data = piece.data ?? piece;
                bytes += data.size ?? data.byteLength;
            },
            close: async () => { window.__bytes = [suggestedName, bytes]; },
            abort: async () => {},
        }) };
    };";

/// The other browser: what one sends arrives in both.
const fn other(kind: Kind) -> Kind {
    match kind {
        Kind::Chromium => Kind::Firefox,
        Kind::Firefox => Kind::Chromium,
    }
}

async fn two(stage: &Stage, kind: Kind) -> Result<[Rc<Browser>; 2]> {
    two_of(stage, [kind, other(kind)]).await
}

async fn two_of(stage: &Stage, kinds: [Kind; 2]) -> Result<[Rc<Browser>; 2]> {
    let room = Room::new("files");
    stage.serve().await?;
    let (ada, bob) = try_join(stage.browser(kinds[0]), stage.browser(kinds[1])).await?;
    ada.enter(stage, &room, "Ada").await?;
    bob.enter(stage, &room, "Bob").await?;
    try_join(ada.wait_for_tile("Bob"), bob.wait_for_tile("Ada")).await?;
    Ok([ada, bob])
}

/// A file of so many bytes on the disk.
fn file(stage: &Stage, name: &str, bytes: usize) -> Result<String> {
    let path = stage.folder().join(name);
    std::fs::write(&path, vec![7; bytes])?;
    Ok(path.to_string_lossy().into_owned())
}

/// Picks files in the open panel, as a person does behind the button "Send files".
async fn pick(browser: &Browser, paths: &str) -> Result<()> {
    browser.see("button", "Send files").await?;
    let input = browser
        .driver()
        .find(By::Css("input[type=file][aria-label='Files to send']"))
        .await?;
    input.send_keys(paths).await.context("picking files")
}

/// Waits until the line of a file is in a state; that line.
async fn line(browser: &Browser, title: &str, state: &str) -> Result<WebElement> {
    until(
        &format!("{}: {title} is {state}", browser.label),
        SOON,
        async || {
            let Some(line) = browser.find("listitem", title).await? else {
                return Ok(Look::NotYet(browser.words().await?));
            };
            let is = line.attr("data-state").await?;
            if is.as_deref() == Some(state) {
                return Ok(Look::There(line));
            }
            Ok(Look::NotYet(format!("{is:?}: {}", line.text().await?)))
        },
    )
    .await
}

/// Waits until the line of a file is in a state and says something. A line fades in, and what is not to be
/// seen yet has no text for a driver.
async fn says(browser: &Browser, title: &str, state: &str, words: &str) -> Result<()> {
    line(browser, title, state).await?;
    browser.see_said("listitem", title, words).await
}

async fn returns(browser: &Browser, what: &str, script: &str, wanted: Value) -> Result<()> {
    until(&format!("{}: {what}", browser.label), SOON, async || {
        let now = browser.script(script, Vec::new()).await?;
        Ok(Look::when(now == wanted, || now.to_string()))
    })
    .await
}

in_each! {
    /// Offered to everyone, seen as a card that takes no focus, taken, followed to its end, saved.
    async fn sent(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind).await?;
        bob.script(PLAYED_PICKER, Vec::new()).await?;
        ada.press("button", "Files").await?;
        pick(&ada, &file(stage, "notes.bin", BYTES)?).await?;
        line(&ada, "notes.bin", "offered").await?;
        bob.see_said("group", "Ada wants to send you notes.bin", "2.5 MB").await?;
        let focus = "return document.activeElement === document.body || !document.activeElement.closest('.offer');";
        ensure!(bob.script(focus, Vec::new()).await? == true, "a card takes no focus");
        bob.hear("status", "Ada wants to send you: notes.bin").await?;
        bob.press("button", "Accept").await?;
        bob.see_gone("group", "Ada wants to send you notes.bin").await?;
        bob.press("button", "Files").await?;
        for browser in [&ada, &bob] {
            line(browser, "notes.bin", "done").await?;
            let bar = "const bar = document.querySelector('.transfer [role=progressbar]');
                return [bar.getAttribute('aria-valuenow'), bar.getAttribute('aria-label')];";
            returns(browser, "the bar is full", bar, json!(["100", "Progress of notes.bin"])).await?;
            returns(browser, "the title says nothing more", "return document.title.includes('%');", json!(false)).await?;
        }
        says(&ada, "notes.bin", "done", "Bob has it").await?;
        // What was not saved does not go without a question.
        bob.press("button", "Remove").await?;
        bob.see("button", "Remove anyway").await?;
        bob.press("button", "Keep").await?;
        bob.see_gone("button", "Remove anyway").await?;
        bob.press("button", "Save").await?;
        returns(&bob, "saved", "return window.__bytes;", json!(["notes.bin", BYTES])).await?;
        says(&bob, "notes.bin", "done", "Saved").await?;
        for browser in [&ada, &bob] {
            browser.press("button", "Remove").await?;
            browser.see_gone("listitem", "notes.bin").await?;
        }
        Ok(())
    }
}

in_each! {
    /// Both sides read what became of what was declined, and of what was cancelled.
    async fn unwanted(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind).await?;
        ada.press("button", "Files").await?;
        bob.press("button", "Files").await?;
        let paths = [file(stage, "one.txt", 10)?, file(stage, "two.txt", 10)?].join("\n");
        pick(&ada, &paths).await?;
        for title in ["one.txt", "two.txt"] {
            says(&bob, title, "offered", "Ada wants to send you this.").await?;
        }
        let first = line(&bob, "one.txt", "offered").await?;
        first.find(By::XPath(".//button[.='Decline']")).await?.click().await?;
        says(&ada, "one.txt", "stopped", "Bob declined it").await?;
        says(&bob, "one.txt", "stopped", "You declined it").await?;
        let second = line(&ada, "two.txt", "offered").await?;
        second.find(By::XPath(".//button[.='Cancel']")).await?.click().await?;
        says(&bob, "two.txt", "stopped", "Ada cancelled it").await?;
        Ok(())
    }
}

/// Drags a file over something. Scripts can make everything of it but the file of a disk.
const DRAG: &str = "
    const [kind, selector] = arguments;
    const carried = new DataTransfer();
    carried.items.add(new File(['tea'], 'tea.txt'));
    const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: carried });
    document.querySelector(selector).dispatchEvent(event);
    return event.defaultPrevented;";

in_each! {
    /// Dragged over the call it says to whom a drop would go; dropped on somebody it is theirs; and the
    /// browser never leaves the call for the file.
    async fn dropped(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind).await?;
        let tile = "article[aria-label='Bob']";
        let drag = async |kind: &str, on: &str| -> Result<()> {
            let prevented = ada.script(DRAG, vec![json!(kind), json!(on)]).await?;
            ensure!(prevented == true || kind == "dragleave", "{kind} is left to the browser");
            Ok(())
        };
        let shown = "const place = document.querySelector('.drop-here');
            return place.hidden ? null : place.innerText.trim();";
        drag("dragenter", "body").await?;
        returns(&ada, "for everyone", shown, json!("Drop to send to everyone")).await?;
        drag("dragenter", tile).await?;
        returns(&ada, "for Bob", shown, json!("Drop to send to Bob")).await?;
        drag("dragleave", "body").await?;
        returns(&ada, "still for Bob", shown, json!("Drop to send to Bob")).await?;
        drag("dragleave", tile).await?;
        returns(&ada, "gone", shown, Value::Null).await?;
        drag("dragover", tile).await?;
        drag("drop", tile).await?;
        returns(&ada, "gone with the drop", shown, Value::Null).await?;
        says(&ada, "tea.txt", "offered", "To Bob").await?;
        bob.see("group", "Ada wants to send you tea.txt").await?;
        // Text that is dragged is no file.
        let plain = "const carried = new DataTransfer();
            carried.setData('text/plain', 'tea');
            const event = new DragEvent('dragover', { bubbles: true, cancelable: true, dataTransfer: carried });
            document.body.dispatchEvent(event);
            return event.defaultPrevented;";
        ensure!(ada.script(plain, Vec::new()).await? == false);
        Ok(())
    }
}

in_each! {
    /// What is pasted waits until the person says whom it is for.
    async fn pasted(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind).await?;
        let paste = "const carried = new DataTransfer();
            carried.items.add(new File(['tea'], 'image.png', { type: 'image/png' }));
            const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: carried });
            if (!event.clipboardData?.files.length) Object.defineProperty(event, 'clipboardData', { value: carried });
            document.body.dispatchEvent(event);";
        ada.script(paste, Vec::new()).await?;
        ada.see("group", "You pasted 1 file:").await?;
        ada.press("button", "Do not send").await?;
        ada.see_gone("group", "You pasted 1 file:").await?;
        ada.script(paste, Vec::new()).await?;
        ada.see("group", "You pasted 1 file:").await?;
        let bob_value = "return [...document.querySelectorAll('.panel select option')].find((option) => option.text === 'Bob').value;";
        let value = ada.script(bob_value, Vec::new()).await?;
        ada.pick("Send to", value.as_str().context("Bob can be chosen")?).await?;
        ada.press("button", "Send to Bob").await?;
        ada.see_gone("group", "You pasted 1 file:").await?;
        line(&ada, "image.png", "offered").await?;
        bob.see("group", "Ada wants to send you image.png").await?;
        // Who was chosen and leaves is to be chosen again.
        bob.leave().await?;
        ada.hear("status", "Bob has left. Choose who gets your files.").await?;
        Ok(())
    }
}

/// What lies in the folder that stands in for one of the disk, by path.
const SAVED_FOLDER: &str = "
    const all = {};
    const walk = async (folder, path) => {
        for await (const [name, handle] of folder.entries()) {
            if (handle.kind === 'directory') await walk(handle, path + name + '/');
            else all[path + name] = await (await handle.getFile()).text();
        }
    };
    const root = await navigator.storage.getDirectory();
    const picked = await root.getDirectoryHandle('picked', { create: true });
    // What is being written comes and goes under the walker's feet.
    return walk(picked, '').then(() => all, () => null);";

/// A dialog that nobody can answer here gives a folder of the browser's own.
const PLAYED_FOLDER_PICKER: &str = "window.showDirectoryPicker = async () =>
    (await navigator.storage.getDirectory()).getDirectoryHandle('picked', { create: true });";

in_each! {
    /// A folder goes as one transfer, and comes out with its folders. No driver gives a Firefox a folder, so
    /// it is sent by a Chromium.
    async fn folder(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two_of(stage, [Kind::Chromium, kind]).await?;
        let folder = stage.folder().join("plans");
        std::fs::create_dir_all(folder.join("old/older"))?;
        for (path, words) in [("a.txt", "one"), ("old/b.txt", "two"), ("old/older/c.txt", "three"), ("empty.txt", "")] {
            std::fs::write(folder.join(path), words)?;
        }
        bob.script(PLAYED_FOLDER_PICKER, Vec::new()).await?;
        ada.open_files().await?;
        ada.give_file("Folder to send", &folder).await?;
        bob.see("group", "Ada wants to send you plans").await?;
        bob.press("button", "Accept").await?;
        bob.open_files().await?;
        for browser in [&ada, &bob] {
            says(browser, "plans", "done", "4 files").await?;
        }
        bob.press("button", "Save").await?;
        let wanted = json!({ "plans/a.txt": "one", "plans/old/b.txt": "two", "plans/old/older/c.txt": "three", "plans/empty.txt": "" });
        until("the folder is saved", SOON, async || {
            let saved = bob.async_script(SAVED_FOLDER, Vec::new()).await?;
            Ok(Look::when(saved == wanted, || saved.to_string()))
        })
        .await
    }
}

/// Bytes that take long enough to be stopped on their way.
const LONG_BYTES: u64 = 48 << 20;

/// Waits until nothing more comes; how many bytes there are then.
async fn at_rest(browser: &Browser) -> Result<u64> {
    let mut before = (0, 0);
    until(&format!("{}: nothing comes", browser.label), SOON, async || {
        let bytes = browser.received_bytes().await?;
        before = if bytes == before.0 {
            (bytes, before.1 + 1)
        } else {
            (bytes, 0)
        };
        // Half a second: many times what a block takes.
        Ok(Look::at((before.1 == 10).then_some(bytes), || bytes.to_string()))
    })
    .await
}

in_each! {
    /// Either side lets it rest, then nothing comes, and only who stopped it may let it go on.
    async fn paused(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind).await?;
        let sample = Sample::noise(stage, "long.bin", LONG_BYTES)?;
        ada.offer(&sample).await?;
        bob.open_files().await?;
        bob.press("button", "Accept").await?;
        for (stopper, other) in [(&ada, &bob), (&bob, &ada)] {
            bob.see_line("long.bin", "under way", SOON, |line| line.state == "running").await?;
            stopper.press("button", "Pause").await?;
            for browser in [stopper, other] {
                browser.see_state("long.bin", "paused", SOON).await?;
            }
            stopper.see("button", "Resume").await?;
            ensure!(other.find("button", "Resume").await?.is_none(), "the other may let it go on");
            let bytes = at_rest(&bob).await?;
            ensure!(bytes < LONG_BYTES, "it went by");
            stopper.press("button", "Resume").await?;
            until("it goes on", SOON, async || {
                let now = bob.received_bytes().await?;
                Ok(Look::when(now > bytes, || format!("{bytes} bytes, then {now}")))
            })
            .await?;
        }
        let limit = SOON * 4;
        bob.see_state("long.bin", "done", limit).await?;
        ada.see_state("long.bin", "done", limit).await?;
        ensure!(bob.received_bytes().await? == LONG_BYTES, "a rest costs nothing");
        Ok(())
    }
}

/// Counts how often a part of a file is taken.
const COUNT_READS: &str = "window.__reads = 0;
    const slice = Blob.prototype.slice;
    Blob.prototype.slice = function (...range) { if (this instanceof File) window.__reads += 1; return slice.apply(this, range); };";

staged! {
    /// To everybody: a transfer for each, and who keep step share what is read.
    async fn to_everyone(stage: &Stage) -> Result<()> {
        const BLOCKS: u64 = 16;
        let [ada, bob] = two(stage, Kind::Chromium).await?;
        let cleo = stage.browser(Kind::Chromium).await?;
        cleo.visit(ada.driver().current_url().await?.as_str()).await?;
        cleo.join("Cleo").await?;
        ada.wait_for_tile("Cleo").await?;
        ada.script(COUNT_READS, Vec::new()).await?;
        let sample = Sample::noise(stage, "all.bin", BLOCKS << 20)?;
        ada.offer(&sample).await?;
        for browser in [&bob, &cleo] {
            browser.see("group", "Ada wants to send you all.bin").await?;
        }
        try_join(bob.press("button", "Accept"), cleo.press("button", "Accept")).await?;
        until("both have it", SOON * 4, async || {
            let lines = ada.all("listitem", Some("all.bin")).await?;
            let mut states = Vec::new();
            for line in &lines {
                states.push(line.attr("data-state").await?.unwrap_or_default());
            }
            Ok(Look::when(states == ["done", "done"], || states.join(", ")))
        })
        .await?;
        let reads = ada.script("return window.__reads;", Vec::new()).await?;
        stage.figure(&format!("{BLOCKS} blocks sent to two with {reads} reads"));
        let reads = reads.as_u64().context("no count")?;
        // Who is kept standing by a busy machine for longer than the other has patience for shares less; that
        // they wait for each other is judged where time is virtual (`transfer_step`). Here it is that what was
        // read for one serves the other at all.
        ensure!((BLOCKS..=BLOCKS * 15 / 8).contains(&reads), "{reads} reads for {BLOCKS} blocks");
        for browser in [&bob, &cleo] {
            ensure!(browser.received_bytes().await? == BLOCKS << 20, "{}", browser.label);
        }
        // Nobody wants to keep it after all.
        bob.open_files().await?;
        bob.press("button", "Remove").await?;
        bob.press("button", "Remove anyway").await?;
        bob.see_gone("listitem", "all.bin").await?;
        Ok(())
    }
}
