//! What stands in the way: devices that are missing or refused, a full room, names that are none.

use anyhow::{Result, ensure};
use futures_util::future::try_join;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Devices, Kind, Look, Member, Permission, Room, Stage, in_each, until};
use visavis_protocol::limits::ROOM_SEATS;

/// One without some device joins one with everything; what arrives is what there is.
async fn with_devices(stage: &Stage, kind: Kind, devices: Devices, says: &str) -> Result<()> {
    stage.serve().await?;
    let (ada, bob) = try_join(stage.browser_with(kind, devices), stage.browser(Kind::Chromium)).await?;
    let room = Room::new("tea");
    bob.enter(stage, &room, "Bob").await?;
    ada.open_room(stage, &room).await?;
    // What is wrong is said, in words, before one joins.
    until(&format!("words like \"{says}\""), SOON, async || {
        let words = ada.words().await?;
        Ok(Look::when(words.contains(says), || words))
    })
    .await?;
    ada.join("Ada").await?;
    ada.sees_and_hears(1, SOON).await?;
    ada.wait_for_tile("Bob").await?;
    bob.wait_for_tile("Ada").await?;

    let allowed = devices.permission == Permission::Granted;
    let (camera, microphone) = (devices.camera && allowed, devices.microphone && allowed);
    arrives(&bob, camera, microphone).await?;
    let mut kinds = Vec::new();
    kinds.extend(microphone.then_some("audio".to_owned()));
    kinds.extend(camera.then_some("video".to_owned()));
    ensure!(ada.open().await?.track_kinds == kinds, "{:?}", ada.open().await?);
    // Bob is told by marks on the tile.
    if !camera {
        bob.see("img", "Camera off").await?;
    }
    if !microphone {
        bob.see("img", "Microphone off").await?;
    }
    Ok(())
}

/// Waits until exactly these kinds arrive from the one other.
async fn arrives(browser: &Browser, camera: bool, microphone: bool) -> Result<()> {
    until("what is there to arrive", SOON, async || {
        let peers = browser.peers().await?;
        let holds = peers
            .iter()
            .any(|peer| (peer.frames() > 0) == camera && (peer.audio_energy() > 0.0) == microphone);
        Ok(Look::when(holds, || format!("{peers:?}")))
    })
    .await
}

in_each! {
    async fn no_camera(stage: &Stage, kind: Kind) -> Result<()> {
        with_devices(stage, kind, Devices { camera: false, ..Devices::default() }, "No camera was found").await
    }
}

in_each! {
    async fn no_microphone(stage: &Stage, kind: Kind) -> Result<()> {
        with_devices(stage, kind, Devices { microphone: false, ..Devices::default() }, "No microphone was found").await
    }
}

in_each! {
    async fn refused(stage: &Stage, kind: Kind) -> Result<()> {
        let devices = Devices { permission: Permission::Refused, ..Devices::default() };
        with_devices(stage, kind, devices, "may not use your camera").await
    }
}

in_each! {
    /// R3: the ninth is told politely, harms nobody, and comes in when somebody has left.
    async fn room_full(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let room = Room::new("full");
        let mut members = Vec::new();
        for number in 1..=ROOM_SEATS {
            members.push(Member::join(stage, &room, &format!("Member {number}")).await?);
        }
        let ada = stage.browser(kind).await?;
        ada.open_room(stage, &room).await?;
        ada.fill("Your name", "Ada").await?;
        ada.press("button", "Join now").await?;
        ada.hear("alert", "full").await?;
        ada.see_gone("button", "Leave call").await?;
        ensure!(ada.open().await?.peers == 0);

        members[0].leave();
        until("a free seat", SOON, async || {
            if ada.find("button", "Leave call").await?.is_some() {
                return Ok(Look::There(()));
            }
            if let Some(join) = ada.find("button", "Join now").await? {
                join.click().await.ok();
            }
            Ok(Look::NotYet(ada.words().await?))
        }).await
    }
}

in_each! {
    /// A name that cannot be shown is refused with a reason, before anything is sent.
    async fn impossible_names(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.open_room(stage, &Room::new("names")).await?;
        for name in ["", "   ", &"x".repeat(65), "Ada\u{202e}adA", "Ada\u{200b}"] {
            ada.fill("Your name", name).await?;
            ada.press("button", "Join now").await?;
            let field = ada.see("textbox", "Your name").await?;
            until(&format!("a refusal of {name:?}"), SOON, async || {
                let invalid = field.attr("aria-invalid").await?;
                Ok(Look::when(invalid.as_deref() == Some("true"), || format!("{invalid:?}")))
            }).await?;
            ensure!(ada.find("button", "Leave call").await?.is_none(), "{name:?}");
        }
        // Sixty-four characters of any script are a name.
        ada.join(&"é".repeat(64)).await
    }
}

in_each! {
    /// M71: what one person types is text for the others, whatever it looks like.
    async fn hostile_name(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let room = Room::new("tea");
        let name = "<img src=x onerror=alert(1)><svg onload=alert(2)>";
        let _mallory = Member::join(stage, &room, name).await?;
        let ada = stage.browser(kind).await?;
        ada.enter(stage, &room, "Ada").await?;
        ada.see("article", name).await?;
        ensure!(ada.script("return document.querySelector('img[src=x], svg[onload]') === null;", Vec::new()).await? == true);
        ensure!(ada.words().await?.contains(name));
        Ok(())
    }
}

in_each! {
    /// M79: a fragment that is no secret is refused with a word, and nothing of it runs or is sent.
    async fn hostile_fragment(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        for fragment in ["<script>alert(1)</script>", "javascript:alert(1)", &"A".repeat(1_000_000)] {
            ada.driver().goto("about:blank").await?;
            ada.visit(&format!("{}/room/tea?lang=en#{fragment}", stage.origin())).await?;
            ada.see("heading", "This link does not work").await?;
            ensure!(ada.find("button", "Join now").await?.is_none());
            ensure!(ada.script("return document.querySelectorAll('body script:not([src]):not([type])').length;", Vec::new()).await?.as_u64() <= Some(1));
        }
        Ok(())
    }
}
