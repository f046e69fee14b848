//! E1: nobody is kept out: by what axe finds on every screen in every theme, and by the keyboard.

use anyhow::{Result, bail, ensure};
use serde_json::Value;
use thirtyfour::Key;
use visavis_e2e::axe::Axe;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Member, Room, in_each, staged, tour, until};

/// How a screen is looked at: its size, the system's colours, and how much contrast is wished for.
const WAYS: [(u32, &str, &str); 8] = [
    (1280, "light", "no-preference"),
    (1280, "dark", "no-preference"),
    (1280, "light", "more"),
    (1280, "dark", "more"),
    (360, "dark", "more"),
    (360, "light", "more"),
    (360, "dark", "no-preference"),
    (360, "light", "no-preference"),
];

/// Looks at a screen in every way; by all rules once for each size.
async fn in_every_way(axe: &Axe, ada: &Browser, screen: &str) -> Result<()> {
    for (index, (width, scheme, contrast)) in WAYS.into_iter().enumerate() {
        ada.pretend_screen(width, 800, false).await?;
        ada.pretend_wishes(&[
            ("prefers-color-scheme", scheme),
            ("prefers-contrast", contrast),
            // Nothing is between two colours while it is looked at.
            ("prefers-reduced-motion", "reduce"),
        ])
        .await?;
        let screen = format!("{screen} at {width} px, {scheme}, contrast {contrast}");
        if index % 4 == 0 {
            axe.look(ada, &screen).await?;
        } else {
            axe.look_at_colours(ada, &screen).await?;
        }
    }
    ada.pretend_screen(1280, 800, false).await
}

staged! {
    async fn every_screen_outside_the_call(stage: &Stage) -> Result<()> {
        let Some(axe) = Axe::load(stage) else { return Ok(()) };
        stage.serve().await?;
        let ada = stage.browser(Kind::Chromium).await?;
        tour::prepare(&ada).await?;
        tour::outside(stage, &ada, &async |screen: &str| in_every_way(&axe, &ada, screen).await).await
    }
}

staged! {
    async fn every_screen_of_people(stage: &Stage) -> Result<()> {
        let Some(axe) = Axe::load(stage) else { return Ok(()) };
        stage.serve().await?;
        let ada = stage.browser(Kind::Chromium).await?;
        let bob = stage.browser(Kind::Chromium).await?;
        tour::people(stage, &ada, &bob, &async |screen: &str| in_every_way(&axe, &ada, screen).await).await
    }
}

staged! {
    async fn every_screen_of_appointments(stage: &Stage) -> Result<()> {
        let Some(axe) = Axe::load(stage) else { return Ok(()) };
        stage.serve().await?;
        let ada = stage.browser(Kind::Chromium).await?;
        let bob = stage.browser(Kind::Chromium).await?;
        tour::appointments(stage, &ada, &bob, &async |screen: &str| in_every_way(&axe, &ada, screen).await).await
    }
}

staged! {
    async fn every_screen_at_the_door(stage: &Stage) -> Result<()> {
        let Some(axe) = Axe::load(stage) else { return Ok(()) };
        stage.serve().await?;
        let ada = stage.browser(Kind::Chromium).await?;
        let bob = stage.browser(Kind::Chromium).await?;
        tour::door(stage, &ada, &bob, &async |screen: &str| in_every_way(&axe, &ada, screen).await).await
    }
}

staged! {
    async fn every_screen_in_the_call(stage: &Stage) -> Result<()> {
        let Some(axe) = Axe::load(stage) else { return Ok(()) };
        stage.serve().await?;
        let ada = stage.browser(Kind::Chromium).await?;
        tour::prepare(&ada).await?;
        tour::call(stage, &ada, &async |screen: &str| in_every_way(&axe, &ada, screen).await).await
    }
}

/// Where the focus is: its name, whether one sees it, and whether it is in a dialog; null outside of
/// the page.
const FOCUS: &str = r#"
    const element = document.activeElement;
    if (!document.hasFocus() || !element || element === document.body) return null;
    const rings = [element, element.closest(".way")].filter(Boolean).map((ringed) => getComputedStyle(ringed));
    const isSeen = rings.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && !/, 0\)$|transparent/.test(style.outlineColor));
    const box = element.getBoundingClientRect();
    const isOnScreen = box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
    const name = element.ariaLabel ?? element.labels?.[0]?.firstChild.textContent ?? element.textContent;
    return [name.trim(), isSeen && isOnScreen && getComputedStyle(element).opacity !== "0", !!element.closest("dialog"), element.outerHTML.slice(0, 120)];
"#;

/// Names of what Tab comes to, from where the focus is now up to `last`. No further: behind the last
/// control of a page comes the browser's own bar, from which Firefox without a window does not return.
async fn walk(browser: &Browser, is_in_dialog: bool, last: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    // More stops than any page of ours has.
    for _ in 0..40 {
        let focus = browser.script(FOCUS, Vec::new()).await?;
        if focus != Value::Null {
            let (name, is_seen, in_dialog, html): (String, bool, bool, String) =
                serde_json::from_value(focus)?;
            ensure!(is_seen, "one does not see the focus on {html}");
            ensure!(in_dialog == is_in_dialog, "{html} has the focus");
            names.push(name);
            if names.last().is_some_and(|name| name == last) {
                return Ok(names);
            }
        }
        browser.keys(Key::Tab).await?;
    }
    bail!("Tab never comes to \"{last}\": {names:?}")
}

async fn focus_is_on(browser: &Browser, role: &str, name: &str) -> Result<()> {
    let element = browser.see(role, name).await?;
    until(&format!("the focus on \"{name}\""), SOON, async || {
        let here = browser
            .script(
                "return document.activeElement === arguments[0];",
                vec![element.to_json()?],
            )
            .await?;
        Ok(Look::when(here == true, || "elsewhere".into()))
    })
    .await
}

in_each! {
    /// The focus goes through the page in the order in which one reads it, and one always sees it.
    async fn focus_order(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        let lobby = walk(&ada, false, "Theme").await?;
        let wanted = ["Your name", "Room", "Join room", "New room", "Waiting room", "Contacts", "Appointments", "Language", "Theme"];
        ensure!(lobby == wanted, "{lobby:?}");

        let room = Room::new("keys");
        ada.open_room(stage, &room).await?;
        focus_is_on(&ada, "textbox", "Your name").await?;
        let names = walk(&ada, false, "Join now").await?;
        ensure!(names == ["Your name", "Join now"], "{names:?}");
        ada.open_room(stage, &room).await?;
        ada.driver().refresh().await?;
        ada.ready().await?;
        focus_is_on(&ada, "textbox", "Your name").await?;
        let mut before = Vec::new();
        // Back from the field, for the page put the focus there.
        for _ in 0..4 {
            ada.driver().action_chain().key_down(Key::Shift).send_keys(Key::Tab).key_up(Key::Shift).perform().await?;
            let focus = ada.script(FOCUS, Vec::new()).await?;
            ensure!(focus[1] == true, "one does not see the focus: {focus}");
            before.insert(0, focus[0].as_str().unwrap_or_default().to_owned());
        }
        ensure!(before == ["Visavis", "Mute microphone", "Turn camera off", "Settings"], "{before:?}");
        ada.join("Ada").await?;
        let _bob = Member::join(stage, &room, "Bob").await?;
        ada.see("article", "Bob").await?;
        // From the top again, as after a page has changed.
        ada.script("document.querySelector('h1').focus();", Vec::new()).await?;
        ada.keys(Key::Tab).await?;
        let call = walk(&ada, false, "Leave call").await?;
        let order: Vec<usize> = ["Pin Bob", "Mute microphone", "Turn camera off", "Copy link", "Settings", "More", "Leave call"]
            .iter()
            .map(|name| call.iter().position(|other| other == name).unwrap_or(usize::MAX))
            .collect();
        ensure!(order.is_sorted() && order.last() < Some(&usize::MAX), "{call:?}");
        Ok(())
    }
}

in_each! {
    /// A dialog and a menu take the focus, a dialog keeps it, and Escape gives it back to what opened
    /// them.
    async fn focus_comes_back(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let (ada, room) = (stage.browser(kind).await?, Room::new("keys"));
        ada.enter(stage, &room, "Ada").await?;
        let _bob = Member::join(stage, &room, "Bob").await?;
        ada.see("article", "Bob").await?;
        for (opener, dialog, inside) in [
            ("Show QR code", "Invite others", &["Close", "Room link", "Copy link"][..]),
            ("Settings", "Settings", &["Close", "Camera", "Microphone", "Play test sound", "Hide my address", "Language", "Theme"][..]),
        ] {
            ada.tab_to("button", opener).await?;
            ada.press_enter().await?;
            ada.see("dialog", dialog).await?;
            let names = walk(&ada, true, inside.last().copied().unwrap_or_default()).await?;
            let order: Vec<_> = inside.iter().map(|name| names.iter().position(|other| other == name)).collect();
            ensure!(order.is_sorted() && !order.contains(&None), "{names:?}");
            ada.keys(Key::Escape).await?;
            ada.see_gone("dialog", dialog).await?;
            focus_is_on(&ada, "button", opener).await?;
        }
        ada.tab_to("button", "More").await?;
        ada.press_enter().await?;
        focus_is_on(&ada, "menuitemradio", "Grid view").await?;
        let seen = ada.script(FOCUS, Vec::new()).await?;
        ensure!(seen[1] == true, "{seen}");
        ada.keys(Key::Escape).await?;
        focus_is_on(&ada, "button", "More").await
    }
}
