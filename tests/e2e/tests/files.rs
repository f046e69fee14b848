//! Files between two browsers as people see them: offered, taken, declined, dropped, pasted (C2).

use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join;
use serde_json::{Value, json};
use thirtyfour::{By, WebElement};
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Room, Stage, in_each, until};

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
    stage.serve().await?;
    let room = Room::new("files");
    let (ada, bob) = try_join(stage.browser(kind), stage.browser(other(kind))).await?;
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
        let card = bob.see("group", "Ada wants to send you notes.bin").await?;
        ensure!(card.text().await?.contains("2.5 MB"), "the card says how much it is");
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
        let said = line(&ada, "notes.bin", "done").await?.text().await?;
        ensure!(said.contains("Bob has it"), "{said}");
        bob.press("button", "Save").await?;
        returns(&bob, "saved", "return window.__bytes;", json!(["notes.bin", BYTES])).await?;
        until("it says that it is saved", SOON, async || {
            let said = line(&bob, "notes.bin", "done").await?.text().await?;
            Ok(Look::when(said.contains("Saved"), || said))
        })
        .await?;
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
            let offered = line(&bob, title, "offered").await?;
            ensure!(offered.text().await?.contains("Ada wants to send you this."));
        }
        let first = line(&bob, "one.txt", "offered").await?;
        first.find(By::XPath(".//button[.='Decline']")).await?.click().await?;
        let declined = line(&ada, "one.txt", "stopped").await?;
        ensure!(declined.text().await?.contains("Bob declined it"), "{}", declined.text().await?);
        ensure!(line(&bob, "one.txt", "stopped").await?.text().await?.contains("You declined it"));
        let second = line(&ada, "two.txt", "offered").await?;
        second.find(By::XPath(".//button[.='Cancel']")).await?.click().await?;
        let cancelled = line(&bob, "two.txt", "stopped").await?;
        ensure!(cancelled.text().await?.contains("Ada cancelled it"), "{}", cancelled.text().await?);
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
        let offered = line(&ada, "tea.txt", "offered").await?;
        ensure!(offered.text().await?.contains("To Bob"), "{}", offered.text().await?);
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
