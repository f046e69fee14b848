//! On the local network over HTTPS, with an authority that the server made (O1).

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use visavis_e2e::{Devices, Kind, Look, Place, Room, Stage, until};

/// Resolves to the preview's width once a few pictures have been shown.
const PREVIEW: &str = r#"
    const video = document.querySelector("section[aria-label=Preview] video");
    for (let shown = 0; shown < 3; shown += 1) await new Promise((next) => video.requestVideoFrameCallback(next));
    return video.videoWidth;
"#;

fn has_certutil() -> bool {
    std::process::Command::new("certutil").arg("-H").output().is_ok()
}

/// A phone that was told to trust the server's authority opens it by its address in the network, and has
/// camera and microphone before joining. One that was not told is warned by its browser.
#[test]
fn a_phone_that_trusts_the_authority_has_camera_and_microphone() {
    visavis_e2e::run("tls::a_phone_that_trusts", async |stage: &Stage| -> Result<()> {
        if !has_certutil() {
            stage.skip("certutil is not installed (package libnss3-tools)");
            return Ok(());
        }
        let authority = stage.serve_securely().await?;
        let origin = stage.origin();
        ensure!(
            origin.starts_with("https://") && !origin.contains("127.0.0.1"),
            "{origin}"
        );
        let stranger = stage.browser(Kind::Chromium).await?;
        stranger.driver().goto(&origin).await?;
        let shown = stranger.driver().source().await?;
        ensure!(
            shown.contains("ERR_CERT_AUTHORITY_INVALID"),
            "no warning but {shown}"
        );

        let plain = origin.replacen("https", "http", 1);
        stranger.pretend_screen(360, 740, true).await?;
        stranger.driver().goto(format!("{plain}/trust")).await?;
        let looks = "return [document.documentElement.scrollWidth, document.querySelector('svg.qr').getBoundingClientRect().width > 150,
            document.querySelector('a[href=\"/trust/authority.crt\"]').getBoundingClientRect().height >= 44, document.scripts.length];";
        let seen = stranger.script(looks, Vec::new()).await?;
        ensure!(seen == json!([360, true, true, 0]), "{seen}");

        let place = Place {
            authority: Some(authority),
            ..Place::default()
        };
        let devices = Devices {
            voice: true,
            ..Devices::default()
        };
        let phone = stage.browser_at(Kind::Chromium, devices, &place).await?;
        phone.pretend_screen(360, 740, true).await?;
        // What was typed without https ends there too, and takes no fragment along.
        phone.driver().goto(format!("{plain}/#secret")).await?;
        let url = phone.driver().current_url().await?;
        ensure!(
            url.as_str().starts_with(&origin) && !url.as_str().contains("secret"),
            "{url}"
        );

        phone.open_room(stage, &Room::new("tls")).await?;
        ensure!(phone.script("return isSecureContext;", Vec::new()).await? == true);
        phone.see("region", "Preview").await?;
        let width = phone.async_script(PREVIEW, Vec::new()).await?;
        ensure!(width.as_u64() > Some(2), "{width}");
        phone.see("meter", "Microphone level").await?;
        let open = phone.open().await?;
        ensure!(open.track_kinds == ["audio", "video"], "{open:?}");
        if phone.measures_sound().await? {
            until("a level", Duration::from_secs(20), async || {
                let meter = phone.see("meter", "Microphone level").await?;
                let level = meter.attr("aria-valuenow").await?.unwrap_or_default();
                Ok(Look::when(level.parse().unwrap_or(0) > 5, || level))
            })
            .await?;
        }
        // Over wss: who has joined has been welcomed.
        phone.join("Ada").await
    });
}
