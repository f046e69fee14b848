//! A walk through every screen that there is, in the states that people meet: for whoever has to look
//! at all of them. Chromium only, in which failures of devices and of the server can be acted.

use anyhow::{Context, Result};
use serde_json::json;
use thirtyfour::Key;

use crate::browser::{Browser, Kind};
use crate::page::{Room, SOON};
use crate::stage::Stage;
use crate::wait::{Look, until};

/// Devices fail as the tab's storage says, and sockets can be closed as the server would.
const ACTING: &str = r#"
    const plain = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.getUserMedia = function (wanted) {
        const name = sessionStorage.getItem("fail");
        return name ? Promise.reject(new DOMException("", name)) : plain.call(this, wanted);
    };
    const opened = window.openedSockets = [];
    window.WebSocket = class extends WebSocket {
        constructor(...all) { super(...all); opened.push(this); }
    };
"#;

/// What devices say when they cannot be had.
const FAILURES: [&str; 5] = [
    "NotAllowedError",
    "NotFoundError",
    "NotReadableError",
    "OverconstrainedError",
    "AbortError",
];

/// Lets a browser act what this walk needs. Once, before the walk.
///
/// # Errors
/// If it is no Chromium.
pub async fn prepare(browser: &Browser) -> Result<()> {
    browser
        .cdp(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": ACTING }),
        )
        .await?;
    Ok(())
}

/// Everything but the call itself. `look` gets a name for each screen.
///
/// # Errors
/// If a screen does not come, or `look` fails.
pub async fn outside(stage: &Stage, ada: &Browser, look: &impl AsyncFn(&str) -> Result<()>) -> Result<()> {
    let home = format!("{}/?lang=en", stage.origin());
    ada.visit(&home).await?;
    look("lobby").await?;
    ada.press("button", "Join room").await?;
    ada.hear("alert", "paste its link").await?;
    look("lobby-with-error").await?;
    for (name, path) in [
        ("wrong-link", "/room/tea?lang=en#damaged"),
        ("no-such-page", "/nowhere?lang=en"),
        ("contacts", "/contacts?lang=en"),
    ] {
        ada.visit(&format!("{}{path}", stage.origin())).await?;
        look(name).await?;
    }

    let room = Room::new("tea");
    ada.open_room(stage, &room).await?;
    has_picture(ada).await?;
    look("before").await?;
    ada.press("button", "Settings").await?;
    look("before-with-settings").await?;
    for failure in FAILURES {
        ada.script(
            "sessionStorage.setItem('fail', arguments[0]);",
            vec![json!(failure)],
        )
        .await?;
        ada.open_room(stage, &room).await?;
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.hear("alert", "camera").await?;
        look(&format!("before-{failure}")).await?;
    }
    ada.script("sessionStorage.removeItem('fail');", Vec::new())
        .await?;

    for (name, close) in [
        ("ended-refused", 1000),
        ("ended-moved", 4410),
        ("ended-outdated", 4402),
    ] {
        // A room of its own: a reload would return to the call.
        ada.enter(stage, &Room::new(name), "Ada").await?;
        ada.script(
            "openedSockets.at(-1).dispatchEvent(new CloseEvent('close', { code: arguments[0] }));",
            vec![json!(close)],
        )
        .await?;
        ada.room_state("ended").await?;
        look(name).await?;
    }
    ada.enter(stage, &room, "Ada").await?;
    ada.leave().await?;
    look("ended").await?;
    ada.visit(&home).await?;
    ada.see("list", "Recent rooms").await?;
    look("lobby-with-rooms").await
}

/// The call, alone and with another.
///
/// # Errors
/// If a screen does not come, or `look` fails.
pub async fn call(stage: &Stage, ada: &Browser, look: &impl AsyncFn(&str) -> Result<()>) -> Result<()> {
    let room = Room::new("tea-time-with-everybody");
    ada.enter(stage, &room, "Ada").await?;
    look("alone").await?;
    let bob = stage.browser(Kind::Chromium).await?;
    bob.enter(stage, &room, "Bob").await?;
    ada.wait_for_tile("Bob").await?;
    ada.sees_and_hears(1, SOON).await?;
    look("call").await?;
    bob.press("button", "Turn camera off").await?;
    bob.press("button", "Mute microphone").await?;
    ada.press("button", "Mute microphone").await?;
    ada.see("img", "Microphone off").await?;
    look("call-muted").await?;
    ada.press("button", "More").await?;
    ada.see("menu", "More").await?;
    look("call-menu").await?;
    ada.keys(Key::Escape).await?;
    ada.press("button", "Settings").await?;
    ada.see("dialog", "Settings").await?;
    look("call-settings").await?;
    // This server has no relay to hide behind.
    ada.press("switch", "Hide my address").await?;
    ada.keys(Key::Escape).await?;
    ada.see_gone("dialog", "Settings").await?;
    look("call-without-relay").await?;
    ada.press("button", "Settings").await?;
    ada.press("switch", "Hide my address").await?;
    ada.keys(Key::Escape).await?;
    ada.see_gone("dialog", "Settings").await?;
    ada.pretend_screen(1280, 800, false).await?;
    ada.press("button", "Show QR code").await?;
    ada.see("dialog", "Invite others").await?;
    look("call-invite").await?;
    ada.keys(Key::Escape).await?;
    ada.see_gone("dialog", "Invite others").await?;

    // A duplicate of this tab, which says that the call is elsewhere.
    let first = ada.driver().window().await?;
    ada.script("window.open(location.href);", Vec::new()).await?;
    let second = until("the second tab", SOON, async || {
        let mut tabs = ada.driver().windows().await?;
        tabs.retain(|tab| *tab != first);
        Ok(Look::at(tabs.into_iter().next(), || "one tab".into()))
    })
    .await?;
    ada.driver().switch_to_window(second).await?;
    ada.ready().await?;
    ada.hear("status", "in this call in another tab").await?;
    look("before-elsewhere").await.context("in the duplicate")
}

async fn has_picture(browser: &Browser) -> Result<()> {
    until("the own picture", SOON, async || {
        let has = browser
            .script(
                "return document.querySelector('video')?.videoWidth > 0;",
                Vec::new(),
            )
            .await?;
        Ok(Look::when(has == true, || "none".into()))
    })
    .await
}
