//! How the site looks and speaks to each: languages, themes, screens, and nothing that jumps.

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join;
use serde_json::{Value, json};
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Member, Room, Stage, in_each, staged, until};

/// What the page says of itself as a whole.
const ROOT: &str = r#"
    const root = document.documentElement;
    return [root.lang, root.dir, root.dataset.theme ?? "", getComputedStyle(root).backgroundColor];
"#;

async fn root(browser: &Browser) -> Result<[String; 4]> {
    Ok(serde_json::from_value(browser.script(ROOT, Vec::new()).await?)?)
}

/// The files with texts that the page fetched.
async fn texts(browser: &Browser) -> Result<Vec<String>> {
    let names = browser
        .script(
            r#"return performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => name.includes("/words/"));"#,
            Vec::new(),
        )
        .await?;
    Ok(serde_json::from_value(names)?)
}

/// The room's link without the word that forces a language.
fn plain_link(stage: &Stage, room: &Room) -> String {
    room.link(&stage.origin()).replace("?lang=en", "")
}

async fn has_focus(browser: &Browser, role: &str, name: &str) -> Result<()> {
    let element = browser.see(role, name).await?;
    until(&format!("the focus on {role} \"{name}\""), SOON, async || {
        let is_here = browser
            .script(
                "return document.activeElement === arguments[0];",
                vec![element.to_json()?],
            )
            .await?;
        Ok(Look::when(is_here == true, || "elsewhere".into()))
    })
    .await
}

in_each! {
    /// E2: another language within a call: the page is in other words, the call is the same, and the
    /// choice is remembered.
    async fn language_in_a_call(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = try_join(stage.browser(kind), stage.browser(kind)).await?;
        let room = Room::new("sprachen");
        bob.enter(stage, &room, "Bob").await?;
        ada.visit(&plain_link(stage, &room)).await?;
        ensure!(texts(&ada).await?.is_empty(), "English costs no file of texts");
        ada.join("Ada").await?;
        ada.sees_and_hears(1, SOON).await?;
        let (made, ids): (usize, Vec<u64>) =
            (ada.open().await?.peers_made, ada.peers().await?.iter().map(|peer| peer.id).collect());

        ada.press("button", "Settings").await?;
        ada.pick("Language", "de").await?;
        ada.see("dialog", "Einstellungen").await?;
        // Where the person was is where they are.
        has_focus(&ada, "combobox", "Sprache").await?;
        ensure!(root(&ada).await?[..2] == ["de", "ltr"], "{:?}", root(&ada).await?);
        ada.keys(thirtyfour::Key::Escape).await?;
        has_focus(&ada, "button", "Einstellungen").await?;
        ada.see("button", "Mikrofon stummschalten").await?;
        ada.see("article", "Ada (du)").await?;
        ada.sees_and_hears(1, SOON).await?;
        let after = ada.peers().await?;
        ensure!(after.iter().map(|peer| peer.id).collect::<Vec<_>>() == ids, "{after:?}");
        ensure!(ada.open().await?.peers_made == made);
        bob.wait_for_tile("Ada").await?;
        let [file] = &texts(&ada).await?[..] else { anyhow::bail!("{:?}", texts(&ada).await?) };
        ensure!(file.contains("/words/de.txt?"), "{file}");

        // Back without a file, in the same call.
        ada.press("button", "Einstellungen").await?;
        ada.pick("Sprache", "en").await?;
        ada.see("dialog", "Settings").await?;
        ada.pick("Language", "de").await?;
        ada.see("dialog", "Einstellungen").await?;
        ensure!(texts(&ada).await?.len() == 1 && ada.open().await?.peers_made == made);
        ada.keys(thirtyfour::Key::Escape).await?;

        // Remembered, also over a reload into the call, and forced by the address.
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.see("button", "Gespräch verlassen").await?;
        ada.press("button", "Gespräch verlassen").await?;
        ada.see("heading", "Du hast das Gespräch verlassen").await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        ada.see("button", "New room").await?;
        ensure!(root(&ada).await?[0] == "en");
        ada.visit(&stage.origin()).await?;
        ada.see("button", "Neuer Raum").await?;
        Ok(())
    }
}

in_each! {
    /// E2: in the lobby, and what happens where the texts do not come: the page stays as it is and
    /// says so.
    async fn language_in_the_lobby(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.visit(&stage.origin()).await?;
        ada.fill("Your name", "Ada").await?;
        ada.fill("Room", "tea").await?;
        ada.script(
            "window.plainFetch = fetch; window.fetch = (...all) => String(all[0]).includes('/words/') ? Promise.reject(new TypeError('no network')) : plainFetch(...all);",
            Vec::new(),
        ).await?;
        ada.pick("Language", "de").await?;
        ada.hear("alert", "could not be loaded").await?;
        has_focus(&ada, "combobox", "Language").await?;
        ensure!(root(&ada).await?[0] == "en");
        ada.script("window.fetch = window.plainFetch;", Vec::new()).await?;
        ada.pick("Language", "de").await?;
        has_focus(&ada, "combobox", "Sprache").await?;
        for (name, typed) in [("Dein Name", "Ada"), ("Raum", "tea")] {
            let field = ada.see("textbox", name).await?;
            ensure!(field.prop("value").await?.as_deref() == Some(typed), "what was typed is still there");
        }
        ensure!(!ada.words().await?.contains("Recent") && !ada.words().await?.contains("Language"));
        Ok(())
    }
}

in_each! {
    /// E2: texts of another version, as a browser has them kept while a site is being replaced, are not
    /// taken for these: they are asked for anew.
    async fn words_of_another_version(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.visit(&stage.origin()).await?;
        ada.script(
            r#"window.asked = [];
               const fetched = window.fetch;
               window.fetch = (address, options) => {
                 asked.push(options.cache);
                 return options.cache === "force-cache" ? Promise.resolve(new Response('visavis = "Gestern"\n')) : fetched(address, options);
               };"#,
            Vec::new(),
        ).await?;
        ada.pick("Language", "de").await?;
        ada.see("button", "Neuer Raum").await?;
        ensure!(!ada.words().await?.contains("Gestern"));
        let asked = ada.script("return asked;", Vec::new()).await?;
        ensure!(asked == json!(["force-cache", "reload"]), "{asked}");
        Ok(())
    }
}

in_each! {
    /// E3: the theme is the system's until one is chosen; that one is there before anything is painted.
    async fn theme(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        let [_, _, system, _] = root(&ada).await?;
        ensure!(system.is_empty());
        ada.pick("Theme", "light").await?;
        let [_, _, chosen, light] = root(&ada).await?;
        ensure!(chosen == "light");
        ada.pick("Theme", "dark").await?;
        let [_, _, chosen, dark] = root(&ada).await?;
        ensure!(chosen == "dark" && dark != light, "{dark} {light}");

        // On another page of the site, as soon as there is a page at all.
        ada.driver().goto(Room::new("farben").link(&stage.origin())).await?;
        ensure!(root(&ada).await?[2..] == ["dark".to_owned(), dark.clone()]);
        ada.ready().await?;
        ada.press("button", "Settings").await?;
        ada.pick("Theme", "").await?;
        ensure!(root(&ada).await?[2].is_empty());
        ada.driver().refresh().await?;
        ada.ready().await?;
        ensure!(root(&ada).await?[2].is_empty());
        Ok(())
    }
}

/// How much of the page jumped, but for what a person made jump: the sum that browsers call
/// cumulative layout shift.
const SHIFTS: &str = r#"
    return JSON.stringify(await new Promise((tell) => {
        const seen = [];
        const observer = new PerformanceObserver((list) => seen.push(...list.getEntries()));
        observer.observe({ type: "layout-shift", buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
            seen.push(...observer.takeRecords());
            tell(seen.filter((entry) => !entry.hadRecentInput).map((entry) =>
                [entry.value, entry.sources.map((source) => source.node?.className ?? source.node?.nodeName)]));
        })));
    }));
"#;

async fn shifts(browser: &Browser) -> Result<f64> {
    let text = browser.async_script(SHIFTS, Vec::new()).await?;
    let seen: Vec<(f64, Value)> = serde_json::from_str(text.as_str().unwrap_or_default())?;
    let sum = seen.iter().map(|(share, _)| share).sum();
    ensure!(sum < 0.02, "{sum}: {seen:?}");
    Ok(sum)
}

staged! {
    /// E4: nothing jumps: what comes late has its place. In the lobby with and without rooms, before
    /// joining with somebody inside, on a phone and on a desk.
    async fn nothing_jumps(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(Kind::Chromium).await?;
        let room = Room::new("still");
        let _bob = Member::join(stage, &room, "Bob").await?;
        for (width, height) in [(360, 800), (1280, 800)] {
            ada.pretend_screen(width, height, false).await?;
            ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
            ada.see("button", "New room").await?;
            let lobby = shifts(&ada).await.context("in the lobby")?;
            ada.open_room(stage, &room).await?;
            until("the picture and who is inside", SOON, async || {
                let words = ada.words().await?;
                let has_picture = ada.script("return document.querySelector('video')?.videoWidth > 0;", Vec::new()).await?;
                Ok(Look::when(words.contains("Bob is here") && has_picture == true, || words))
            }).await?;
            let before = shifts(&ada).await.context("before joining")?;
            stage.figure(&format!("layout shift at {width}x{height}: lobby {lobby:.4}, before joining {before:.4}"));
            // The second time with a room that was joined before.
            ada.join("Ada").await?;
            ada.leave().await?;
        }
        Ok(())
    }
}

/// Controls that a finger misses: what does not answer 21 px from its middle, in both directions.
const SMALL: &str = r#"
    const holds = (control, x, y) => {
        const hit = document.elementFromPoint(x, y);
        return hit && (control.contains(hit) || hit.closest("label")?.control === control || hit.closest(".way")?.contains(control));
    };
    return [...document.querySelectorAll("button, a[href], select, input")]
        .filter((control) => control.checkVisibility({ opacityProperty: false, visibilityProperty: true }))
        .map((control) => {
            control.scrollIntoView({ block: "center", inline: "center" });
            const box = control.getBoundingClientRect();
            const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
            // Covered as a whole, as by a dialog: not to be touched at all.
            if (!holds(control, x, y)) return null;
            const misses = [[0, -21], [0, 21], [-21, 0], [21, 0]].filter(([dx, dy]) => !holds(control, x + dx, y + dy));
            return misses.length ? `${control.ariaLabel ?? control.textContent} ${box.width}x${box.height}` : null;
        })
        .filter(Boolean);
"#;

async fn fits_fingers(browser: &Browser, screen: &str) -> Result<()> {
    let small = browser.script(SMALL, Vec::new()).await?;
    ensure!(small == json!([]), "{screen}: {small}");
    // Nothing lies beyond the edge, where one would have to find it first.
    let wide = browser
        .script(
            "return document.documentElement.scrollWidth - innerWidth;",
            Vec::new(),
        )
        .await?;
    ensure!(
        wide.as_f64().is_some_and(|over| over <= 0.0),
        "{screen}: {wide} px too wide"
    );
    Ok(())
}

staged! {
    /// E5: on a phone every control is as large as a finger, and nothing reaches over the edge.
    async fn large_enough_for_fingers(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let (ada, room) = (stage.browser(Kind::Chromium).await?, Room::new("fingers"));
        ada.pretend_screen(360, 800, true).await?;
        let coarse = ada.script("return matchMedia('(pointer: coarse)').matches;", Vec::new()).await?;
        ensure!(coarse == true, "this browser does not pretend to have a touch screen");
        for language in ["en", "de"] {
            ada.visit(&format!("{}/?lang={language}", stage.origin())).await?;
            fits_fingers(&ada, "lobby").await?;
        }
        ada.visit(&room.link(&stage.origin()).replace("lang=en", "lang=de")).await?;
        ada.press("button", "Einstellungen").await?;
        fits_fingers(&ada, "before joining, in German").await?;
        ada.open_room(stage, &room).await?;
        fits_fingers(&ada, "before joining").await?;
        ada.press("button", "Settings").await?;
        fits_fingers(&ada, "before joining, with settings").await?;
        ada.join("Ada").await?;
        fits_fingers(&ada, "alone").await?;
        let _bob = Member::join(stage, &room, "Bob").await?;
        ada.see("article", "Bob").await?;
        fits_fingers(&ada, "with another").await?;
        ada.press("button", "More").await?;
        ada.see("menu", "More").await?;
        fits_fingers(&ada, "menu").await?;
        ada.keys(thirtyfour::Key::Escape).await?;
        ada.press("button", "Settings").await?;
        ada.see("dialog", "Settings").await?;
        fits_fingers(&ada, "settings").await?;
        ada.keys(thirtyfour::Key::Escape).await?;
        ada.leave().await?;
        fits_fingers(&ada, "after the call").await
    }
}

/// The smallest size of any text that can be seen, in CSS pixels.
const SMALLEST: &str = r#"
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const sizes = [];
    while (texts.nextNode()) {
        const holder = texts.currentNode.parentElement;
        if (texts.currentNode.data.trim() && holder.checkVisibility()) sizes.push(parseFloat(getComputedStyle(holder).fontSize));
    }
    return Math.min(...sizes);
"#;

staged! {
    /// E5: nothing is smaller than 13 px, and on a large screen everything grows.
    async fn text_is_readable(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let (ada, room) = (stage.browser(Kind::Chromium).await?, Room::new("letters"));
        for (width, height, least) in [(360, 800, 13.0), (1280, 800, 13.0), (2560, 1440, 16.0), (3840, 2160, 19.0)] {
            ada.pretend_screen(width, height, false).await?;
            ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
            ada.see("button", "New room").await?;
            let lobby = ada.script(SMALLEST, Vec::new()).await?;
            ada.open_room(stage, &room).await?;
            ada.see("button", "Join now").await?;
            let before = ada.script(SMALLEST, Vec::new()).await?;
            for smallest in [lobby, before] {
                ensure!(smallest.as_f64().is_some_and(|px| px >= least), "{width}x{height}: {smallest} px");
            }
        }
        Ok(())
    }
}
