//! Both change what they send, at the same time and fast.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::try_join;
use serde_json::json;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Look, Room, in_pairs, until};

/// Presses the camera's button 50 times in the page, as fast as it comes back, with pauses that
/// differ from one press to the next.
const FLICKER: &str = r#"
    const [times, seed] = arguments;
    const button = () => [...document.querySelectorAll("button")].find((button) => /^Turn camera (on|off)$/.test(button.getAttribute("aria-label") ?? button.textContent.trim()));
    let state = seed;
    for (let pressed = 0; pressed < times; pressed += 1) {
        button().click();
        state = (state * 1103515245 + 12345) % 2147483648;
        await new Promise((done) => setTimeout(done, state % 40));
    }
"#;

async fn flicker(browser: &Browser, seed: u32) -> Result<()> {
    browser
        .async_script(FLICKER, vec![json!(50), json!(seed)])
        .await?;
    Ok(())
}

in_pairs! {
    /// R4: both turn their cameras on and off 50 times at once; the call ends stable, with the same
    /// transceivers at both ends, live pictures, and one camera each.
    async fn glare(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = try_join(stage.browser(pair[0]), stage.browser(pair[1])).await?;
        let room = Room::new("glare");
        ada.enter(stage, &room, "Ada").await?;
        bob.enter(stage, &room, "Bob").await?;
        try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;

        try_join(flicker(&ada, 1), flicker(&bob, 7)).await?;

        ada.see("button", "Turn camera off").await?;
        bob.see("button", "Turn camera off").await?;
        try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
        until("both ends stable and alike", SOON, async || {
            let (at_ada, at_bob) = (ada.peers().await?, bob.peers().await?);
            let shape = |peers: &[visavis_e2e::probe::Peer]| -> Vec<_> {
                peers.iter().flat_map(|peer| &peer.transceivers)
                    .map(|transceiver| (transceiver.mid.clone(), transceiver.kind.clone()))
                    .collect()
            };
            let stable = at_ada.iter().chain(&at_bob).all(|peer| peer.signaling == "stable" && peer.connection == "connected");
            let alike = !shape(&at_ada).is_empty() && shape(&at_ada) == shape(&at_bob);
            Ok(Look::when(stable && alike && at_ada.len() == 1 && at_bob.len() == 1, || format!("{at_ada:#?} {at_bob:#?}")))
        }).await?;
        for browser in [&ada, &bob] {
            until("one camera and one microphone", SOON, async || {
                let open = browser.open().await?;
                Ok(Look::when(open.track_kinds == ["audio", "video"], || format!("{open:?}")))
            }).await?;
        }
        Ok(())
    }
}

in_pairs! {
    /// M5: camera off stops the camera and the others are told within half a second; so is mute.
    async fn off_means_off(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = try_join(stage.browser(pair[0]), stage.browser(pair[1])).await?;
        let room = Room::new("off");
        ada.enter(stage, &room, "Ada").await?;
        bob.enter(stage, &room, "Bob").await?;
        try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;

        ada.press("button", "Turn camera off").await?;
        bob.see("img", "Camera off").await?;
        until("the camera's light out", SOON, async || {
            let open = ada.open().await?;
            Ok(Look::when(open.track_kinds == ["audio"], || format!("{open:?}")))
        }).await?;
        ada.press("button", "Mute microphone").await?;
        bob.see("img", "Microphone off").await?;
        ada.see("button", "Unmute microphone").await?;

        ada.press("button", "Turn camera on").await?;
        ada.press("button", "Unmute microphone").await?;
        bob.see_gone("img", "Camera off").await?;
        bob.see_gone("img", "Microphone off").await?;
        bob.sees_and_hears(1, Duration::from_secs(5)).await?;
        let peers = bob.peers().await?;
        ensure!(peers.len() == 1, "{peers:?}");
        Ok(())
    }
}
