//! Somebody's page lies about the files that it sends: each lie is refused in words or made harmless, and
//! the call goes on (M73, M74).

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::try_join;
use serde_json::json;
use visavis_e2e::files::{Line, SOON, Sample};
use visavis_e2e::{Browser, Kind, Look, Room, Stage, in_each, until};
use visavis_protocol::limits::OFFERS_WAITING;

const LONG: Duration = Duration::from_secs(30);

/// Lets a test change what leaves a page on its data channels: `__lie` gives what is sent instead.
const LIAR: &str = r#"
    const send = RTCDataChannel.prototype.send;
    RTCDataChannel.prototype.send = function (data) {
        const told = window.__lie?.(this, data) ?? [data];
        for (const one of told) send.call(this, one);
    };
"#;

/// A lie: what it is, and the body of `(channel, data) => [what is sent instead]`.
const LIES: [(&str, &str); 6] = [
    (
        "wrong hash.bin",
        r#"return [typeof data === "string" && channel.label === "file" ? data.replace(/"hash":"./, (hash) => hash.endsWith("0") ? hash.replace(/.$/, "1") : hash.replace(/.$/, "0")) : data];"#,
    ),
    (
        "wrong length.bin",
        r#"return [typeof data === "string" && channel.label === "file" ? data.replace(/"bytes":\d+/, '"bytes":1048577') : data];"#,
    ),
    (
        "negative length.bin",
        r#"return [typeof data === "string" && channel.label === "file" ? data.replace(/"bytes":\d+/, '"bytes":-1') : data];"#,
    ),
    (
        "endless chunks.bin",
        r#"return typeof data === "string" || channel.label !== "file" ? [data] : Array(200).fill(data);"#,
    ),
    (
        "huge chunks.bin",
        r#"return [typeof data === "string" || channel.label !== "file" ? data : new Uint8Array(65536)];"#,
    ),
    (
        "no block at all.bin",
        r#"return [typeof data === "string" && channel.label === "file" ? '{"end":{"root":"' + "0".repeat(64) + '"}}' : data];"#,
    ),
];

async fn two(stage: &Stage, kind: Kind) -> Result<[Rc<Browser>; 2]> {
    stage.serve().await?;
    let room = Room::new("papers");
    let (ada, bea) = try_join(stage.browser(kind), stage.browser(kind)).await?;
    for (browser, name) in [(&ada, "Ada"), (&bea, "Bea")] {
        browser.enter(stage, &room, name).await?;
    }
    try_join(ada.wait_for_tile("Bea"), bea.wait_for_tile("Ada")).await?;
    ada.script(LIAR, Vec::new()).await?;
    bea.open_files().await?;
    Ok([ada, bea])
}

async fn lie(ada: &Browser, body: &str) -> Result<()> {
    ada.script(
        "window.__lie = new Function('channel', 'data', arguments[0]);",
        vec![json!(body)],
    )
    .await?;
    Ok(())
}

/// Waits for a line that is over, with its reason.
async fn see_stopped(browser: &Browser, name: &str) -> Result<Line> {
    until(&format!("{}: {name} refused", browser.label), LONG, async || {
        let line = browser.line(name).await?;
        match line {
            Some(line) if line.state == "stopped" => Ok(Look::There(line)),
            line => Ok(Look::NotYet(format!("{line:?}"))),
        }
    })
    .await
}

/// An honest file still arrives, and both still see each other.
async fn goes_on(stage: &Stage, ada: &Browser, bea: &Browser) -> Result<()> {
    ada.script("window.__lie = null;", Vec::new()).await?;
    let honest = Sample::noise(stage, "honest.bin", 3 << 20)?;
    ada.offer(&honest).await?;
    bea.see_state(honest.name(), "offered", SOON).await?;
    bea.press("button", "Accept").await?;
    bea.see_state(honest.name(), "done", LONG).await?;
    try_join(ada.wait_for_tile("Bea"), bea.wait_for_tile("Ada")).await?;
    Ok(())
}

in_each! {
    async fn content_that_is_not_what_was_announced_is_refused(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bea] = two(stage, kind).await?;
        for (name, body) in LIES {
            let sample = Sample::noise(stage, name, (2 << 20) + 1)?;
            ada.offer(&sample).await?;
            bea.see_state(name, "offered", SOON).await?;
            lie(&ada, body).await?;
            bea.press("button", "Accept").await?;
            let (theirs, ours) = try_join(see_stopped(&bea, name), see_stopped(&ada, name)).await?;
            for line in [theirs, ours] {
                ensure!(line.words.trim() != name, "refused without a word: {line:?}");
            }
            ada.script("window.__lie = null;", Vec::new()).await?;
        }
        goes_on(stage, &ada, &bea).await
    }
}

in_each! {
    async fn offers_that_lie_are_made_harmless(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bea] = two(stage, kind).await?;
        // Names that lead elsewhere, or pretend to be another kind.
        for (told, shown) in [
            ("../../x", "x"),
            ("C:\\\\Windows\\\\system.ini", "system.ini"),
            ("a.pdf\\u202egpj.exe", "a.pdfgpj.exe"),
        ] {
            lie(&ada, &format!(
                r#"return [channel.label === "files" && typeof data === "string" ? data.replace('"path":"named.bin"', '"path":"{told}"') : data];"#,
                told = told.replace('\\', "\\\\"),
            ))
            .await?;
            let sample = Sample::noise(stage, "named.bin", 10)?;
            ada.offer(&sample).await?;
            let line = bea.see_state(shown, "offered", SOON).await?;
            ensure!(!line.words.contains('\u{202e}') && !line.words.contains(".."), "{line:?}");
            bea.press("button", "Decline").await?;
        }
        // A length that is none: nothing is offered, and nobody waits for ever.
        lie(&ada, r#"return [channel.label === "files" && typeof data === "string" ? data.replace(/"bytes":\d+/, '"bytes":-5') : data];"#).await?;
        let sample = Sample::noise(stage, "less than nothing.bin", 10)?;
        ada.offer(&sample).await?;
        see_stopped(&ada, sample.name()).await?;
        ensure!(bea.line(sample.name()).await?.is_none(), "a file of negative length is offered");
        // A thousand at once.
        lie(&ada, r#"
            if (channel.label !== "files" || typeof data !== "string" || !data.includes('"offer"')) return [data];
            const id = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
            return Array.from({ length: 1000 }, () => data.replace(/"transfer":"[^"]*"/, `"transfer":"${id()}"`));
        "#)
        .await?;
        let sample = Sample::noise(stage, "one of many.bin", 10)?;
        ada.offer(&sample).await?;
        bea.see_state(sample.name(), "offered", SOON).await?;
        let lines = bea.script(
            "return document.querySelectorAll('[data-state=offered]').length;",
            Vec::new(),
        ).await?;
        ensure!(lines.as_u64() <= Some(OFFERS_WAITING as u64), "{lines} offers are shown");
        try_join(ada.wait_for_tile("Bea"), bea.wait_for_tile("Ada")).await?;
        Ok(())
    }
}

in_each! {
    async fn a_drawing_with_a_picture_s_name_is_not_shown(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bea] = two(stage, kind).await?;
        let path = stage.folder().join("cat.png");
        let drawing = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><script>window.__owned = 1</script></svg>";
        std::fs::write(&path, drawing)?;
        let sample = Sample { path, bytes: drawing.len() as u64 };
        ada.offer(&sample).await?;
        bea.see_state(sample.name(), "offered", SOON).await?;
        ensure!(bea.find("button", "Preview").await?.is_none(), "a preview before consent");
        bea.press("button", "Accept").await?;
        bea.see_state(sample.name(), "done", LONG).await?;
        bea.press("button", "Preview").await?;
        bea.see_line(sample.name(), "said not to be a picture", SOON, |line| line.words.contains("picture")).await?;
        let owned = bea.script("return [window.__owned ?? null, document.querySelectorAll('img, object, embed, iframe').length];", Vec::new()).await?;
        ensure!(owned == json!([null, 0]), "something was rendered: {owned}");
        Ok(())
    }
}
