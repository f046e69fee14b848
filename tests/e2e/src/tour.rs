//! A walk through every screen that there is, in the states that people meet: for whoever has to look
//! at all of them. Chromium only, in which failures of devices and of the server can be acted.

mod office;

use anyhow::{Context, Result};
use serde_json::json;
use thirtyfour::Key;

use crate::browser::{Browser, Devices, Kind};
use crate::member::Member;
use crate::page::{Room, SOON};
use crate::stage::Stage;
use crate::wait::{Look, until};
pub use office::{appointments, door};

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
    // A recording goes into memory: nobody is there to say where it is to be kept.
    delete window.showSaveFilePicker;
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
    let devices = Devices {
        face: Some(1),
        ..Devices::default()
    };
    let bob = stage.browser_with(Kind::Chromium, devices).await?;
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
    comforts(ada, &bob, look).await?;
    files(ada, &bob, look).await?;
    large(ada, &bob, look).await?;
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

/// Hands, the panel of people, reactions, the list of keys, a recording.
async fn comforts(ada: &Browser, bob: &Browser, look: &impl AsyncFn(&str) -> Result<()>) -> Result<()> {
    bob.press("button", "Raise hand").await?;
    ada.press("button", "Raise hand").await?;
    ada.hear("status", "Bob raised a hand").await?;
    ada.press("button", "People").await?;
    ada.see("list", "In this call").await?;
    look("call-people").await?;
    ada.keys(Key::Escape).await?;
    ada.see_gone("list", "In this call").await?;
    ada.press("button", "Chat").await?;
    ada.see("log", "Messages").await?;
    look("call-chat-empty").await?;
    for (who, text) in [
        (bob, "Good morning! Here is the plan: https://example.org/plan"),
        (
            ada,
            "Thank you. I read it on the train.\n\nTwo questions:\n– who brings the seeds?\n– is Tuesday still fine?",
        ),
    ] {
        if who.find("log", "Messages").await?.is_none() {
            who.press("button", "Chat").await?;
        }
        let box_text = "const box = document.querySelector('textarea'); box.value = arguments[0]; box.dispatchEvent(new Event('input'));";
        who.script(box_text, vec![json!(text)]).await?;
        who.press("button", "Send").await?;
    }
    bob.fill("Message", "Tuesday is fine 👍").await?;
    bob.press("button", "Send").await?;
    until("Bob's answer", SOON, async || {
        let words = ada.words().await?;
        Ok(Look::when(words.contains("Tuesday is fine"), || words))
    })
    .await?;
    look("call-chat").await?;
    ada.press("button", "Chat").await?;
    ada.see_gone("log", "Messages").await?;
    ada.press("button", "React").await?;
    ada.see("menu", "React").await?;
    look("call-react").await?;
    ada.keys(Key::Escape).await?;
    ada.press("button", "More").await?;
    ada.press("menuitem", "Keyboard shortcuts").await?;
    ada.see("dialog", "Keyboard shortcuts").await?;
    look("call-shortcuts").await?;
    ada.keys(Key::Escape).await?;
    ada.see_gone("dialog", "Keyboard shortcuts").await?;
    ada.press("button", "Lower hand").await?;
    bob.press("button", "Lower hand").await?;
    ada.press("button", "Record").await?;
    ada.see("button", "Stop recording").await?;
    look("call-recording").await?;
    ada.press("button", "Stop recording").await?;
    ada.see("button", "Record").await.map(drop)
}

/// Picks a file of so many bytes, of which there is none on the disk.
const PICK: &str = "
    const [name, bytes] = arguments;
    const carried = new DataTransfer();
    carried.items.add(new File([new Uint8Array(bytes)], name));
    const input = document.querySelector('input[aria-label=\"Files to send\"]');
    input.files = carried.files;
    input.dispatchEvent(new Event('change'));";

/// An offer while the panel of files is closed, and the panel with what waits, what is over and what was
/// pasted.
async fn files(ada: &Browser, bob: &Browser, look: &impl AsyncFn(&str) -> Result<()>) -> Result<()> {
    let offer =
        async |browser: &Browser, name: &str| browser.script(PICK, vec![json!(name), json!(300_000)]).await;
    bob.press("button", "Files").await?;
    bob.see("button", "Send files").await?;
    let long = "Minutes of the general meeting in spring, second draft.docx";
    offer(bob, long).await?;
    ada.see("button", "Accept").await?;
    look("call-file-offered").await?;
    ada.press("button", "Files").await?;
    ada.see("listitem", long).await?;
    ada.press("button", "Accept").await?;
    ada.see("button", "Save").await?;
    offer(bob, "slides.pdf").await?;
    ada.see("listitem", "slides.pdf").await?;
    offer(ada, "photo.jpg").await?;
    bob.see("listitem", "photo.jpg").await?;
    bob.press("button", "Decline").await?;
    ada.hear("listitem", "Bob declined it").await?;
    look("call-files").await?;
    ada.keys(Key::Escape).await?;
    ada.see_gone("button", "Send files").await?;
    ada.press("button", "Decline").await?;
    bob.keys(Key::Escape).await
}

/// A slide, in place of what the browser's fake screen shows.
const SLIDE: &str = r##"
    navigator.mediaDevices.getDisplayMedia = async () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [1280, 800];
        const pen = canvas.getContext("2d");
        const paint = () => {
            pen.fillStyle = "#fdfcf9";
            pen.fillRect(0, 0, 1280, 800);
            pen.fillStyle = "#1c3d3a";
            pen.font = "600 56px system-ui, sans-serif";
            pen.fillText("Spring plan", 96, 140);
            pen.font = "30px system-ui, sans-serif";
            pen.fillStyle = "#5a6b69";
            pen.fillText("What we sowed, and what came of it", 96, 196);
            const bars = [220, 310, 260, 400, 350, 470];
            for (const [index, height] of bars.entries()) {
                pen.fillStyle = index === bars.length - 1 ? "#1f8f78" : "#b9d8cf";
                pen.fillRect(96 + index * 184, 720 - height, 136, height);
            }
        };
        paint();
        const painter = setInterval(paint, 200);
        const stream = canvas.captureStream(5);
        stream.getTracks()[0].addEventListener("ended", () => clearInterval(painter));
        return stream;
    };
"##;

/// Who or what is large: by a pin, or because it is shared.
async fn large(ada: &Browser, bob: &Browser, look: &impl AsyncFn(&str) -> Result<()>) -> Result<()> {
    ada.press("button", "Pin Bob").await?;
    ada.see("button", "Unpin Bob").await?;
    look("call-pinned").await?;
    ada.press("button", "Unpin Bob").await?;
    bob.script(SLIDE, Vec::new()).await?;
    // The one who speaks to a slide is seen as well.
    bob.press("button", "Turn camera on").await?;
    bob.press("button", "Share screen").await?;
    ada.see("article", "Bob’s screen").await?;
    until("Bob's screen", SOON, async || {
        let width = ada
            .script(
                "return document.querySelector('[data-stream=screen]')?.videoWidth ?? 0;",
                Vec::new(),
            )
            .await?;
        Ok(Look::when(width.as_u64() > Some(2), || width.to_string()))
    })
    .await?;
    until("Bob beside it", SOON, async || {
        let is_seen = ada
            .script(
                "return document.querySelector('article[aria-label=Bob]').matches('.has-picture');",
                Vec::new(),
            )
            .await?;
        Ok(Look::when(is_seen == true, String::new))
    })
    .await?;
    look("call-share").await?;
    bob.press("button", "Stop sharing").await?;
    ada.see_gone("article", "Bob’s screen").await
}

/// Tiles of members without media, as they look while nothing is to be said of their connection.
const AT_EASE: &str = r#"
    for (const trouble of document.querySelectorAll(".tile-trouble > *, .marks > [aria-label=Reconnecting]")) trouble.remove();
    for (const line of document.querySelectorAll(".status-line > .cut")) line.textContent = "";
"#;

/// A call of four, and one of eight of whom four are there in name only.
///
/// # Errors
/// If a screen does not come, or `look` fails.
pub async fn crowd(
    stage: &Stage,
    ada: &Browser,
    devices: Devices,
    look: &impl AsyncFn(&str) -> Result<()>,
) -> Result<()> {
    let room = Room::new("team-morning");
    ada.enter(stage, &room, "Ada").await?;
    let mut others = Vec::new();
    for (name, face) in ["Bob", "Cleo", "Dov"].into_iter().zip(1..) {
        let devices = Devices {
            face: Some(face),
            ..devices
        };
        let other = stage.browser_with(Kind::Chromium, devices).await?;
        other.enter(stage, &room, name).await?;
        ada.wait_for_tile(name).await?;
        others.push(other);
    }
    ada.sees_and_hears(3, SOON).await?;
    look("call-of-4").await?;
    let mut members = Vec::new();
    for name in ["Emil", "Fatima", "Gil", "Hanna"] {
        members.push(Member::join(stage, &room, name).await?);
        ada.see("article", name).await?;
    }
    ada.script(AT_EASE, Vec::new()).await?;
    look("call-of-8").await?;
    for other in others {
        other.leave().await?;
    }
    Ok(())
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

/// People by their handles, and a call from one to another.
///
/// # Errors
/// If a screen does not come, or `look` fails.
pub async fn people(
    stage: &Stage,
    ada: &Browser,
    bob: &Browser,
    look: &impl AsyncFn(&str) -> Result<()>,
) -> Result<()> {
    ada.visit(&format!("{}/contacts?lang=en", stage.origin())).await?;
    look("contacts-sign-in").await?;
    ada.press("button", "This is my handle on another device").await?;
    ada.fill("Your handle", "a").await?;
    ada.press("button", "Sign in").await?;
    ada.hear("alert", "at least 3").await?;
    look("contacts-sign-in-with-error").await?;
    ada.sign_in(stage, "ada").await?;
    look("contacts-empty").await?;
    for handle in ["grace.hopper", "hedy-lamarr", "a-handle.as-long.as-there-can_be"] {
        ada.add_contact(handle).await?;
    }
    ada.add_contact("bob").await?;
    ada.press("button", "Link another device").await?;
    bob.sign_in(stage, "bob").await?;
    bob.add_contact("ada").await?;
    ada.see_presence("bob", "Online", SOON).await?;
    look("contacts").await?;

    ada.ring("hedy-lamarr", false).await?;
    ada.see_said("dialog", "Call ended", "cannot be reached").await?;
    look("call-unreachable").await?;
    ada.press("button", "Close").await?;
    bob.ring("ada", false).await?;
    ada.see_ringing().await?;
    look("ringing").await?;
    ada.press("button", "Decline").await?;
    bob.see_said("dialog", "Call ended", "declined").await?;
    bob.press("button", "Close").await?;
    ada.ring("bob", true).await?;
    ada.see_said("dialog", "Calling", "Ringing at bob").await?;
    look("calling").await?;
    bob.press("button", "Accept").await?;
    ada.wait_for_tile("bob").await?;
    look("direct-call").await?;
    ada.press("button", "Chat").await?;
    ada.fill("Message", "Shall we meet at six?").await?;
    ada.press("button", "Send").await?;
    ada.see_said("log", "Messages", "Shall we meet").await?;
    bob.press("button", "Leave call").await?;
    ada.see_said("list", "Conversation with bob", "Outgoing: Video call")
        .await?;
    look("conversation").await?;
    ada.visit(&format!("{}/contacts?lang=en", stage.origin())).await?;
    ada.see_said("list", "Calls", "Incoming").await?;
    look("contacts-with-calls").await?;
    Ok(())
}
