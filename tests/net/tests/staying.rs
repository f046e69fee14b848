//! What a call survives on its way (S3, S7, F15 to F18).

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use visavis_e2e::{Browser, Kind, Room, Stage};
use visavis_net::coturn::Coturn;
use visavis_net::lab::has_conntrack;
use visavis_net::{Lab, Meeting, Nat, in_lab, pairs_in_lab};

/// Loses all packets of one side for a while; how long media take to be back after that.
async fn lost(stage: &Stage, lab: &Lab, pair: [Kind; 2], lasts: u64, within: f64) -> Result<usize> {
    let _relay = Coturn::start(stage, lab).await?;
    let meeting = Meeting::begin(stage, lab, pair, &Coturn::stun()).await?;
    meeting.marked("Direct").await?;
    meeting.goes_on().await;
    let made = meeting.connections_made().await?;
    lab.cut(Nat::A)?;
    // How long the fault lasts is the test's input.
    tokio::time::sleep(Duration::from_secs(lasts)).await;
    meeting.one_tile_each().await?;
    lab.restore(Nat::A)?;
    let took = meeting.media_back(Duration::from_secs(40)).await?;
    stage.figure(&format!(
        "media are back {:.2} s after {lasts} s without a packet (allowed {within} s)",
        took.as_secs_f64()
    ));
    ensure!(took.as_secs_f64() <= within, "{took:?}{}", meeting.told().await?);
    meeting.see_and_hear(Duration::from_secs(15)).await?;
    meeting.one_tile_each().await?;
    Ok(meeting.connections_made().await? - made)
}

pairs_in_lab! {
    /// Five seconds heal by themselves, on the same connections.
    async fn loss_5s(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        let more = lost(stage, lab, pair, 5, 2.0).await?;
        ensure!(more == 0, "{more} new connections");
        Ok(())
    }
}

pairs_in_lab! {
    /// G11.
    async fn loss_8s(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        lost(stage, lab, pair, 8, 1.5).await?;
        Ok(())
    }
}

pairs_in_lab! {
    async fn loss_15s(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        lost(stage, lab, pair, 15, 5.0).await?;
        Ok(())
    }
}

pairs_in_lab! {
    /// G11: consent is long gone (RFC 7675), and ICE has given up.
    async fn loss_35s(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        lost(stage, lab, pair, 35, 3.0).await?;
        Ok(())
    }
}

pairs_in_lab! {
    async fn loss_60s(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        lost(stage, lab, pair, 60, 15.0).await?;
        Ok(())
    }
}

pairs_in_lab! {
    /// F15: from one network to another, as from Wi-Fi to a phone's.
    async fn address_change(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        let _relay = Coturn::start(stage, lab).await?;
        let meeting = Meeting::begin(stage, lab, pair, &Coturn::stun()).await?;
        meeting.marked("Direct").await?;
        meeting.goes_on().await;
        lab.change_address()?;
        let took = meeting.media_back(Duration::from_secs(30)).await?;
        stage.figure(&format!("media are back {:.2} s after the address changed (allowed 12 s)", took.as_secs_f64()));
        ensure!(took <= Duration::from_secs(12), "{took:?}{}", meeting.told().await?);
        meeting.see_and_hear(Duration::from_secs(15)).await?;
        meeting.one_tile_each().await
    }
}

pairs_in_lab! {
    async fn nat_flushed(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        if !has_conntrack() {
            stage.skip("conntrack is not installed");
            return Ok(());
        }
        let _relay = Coturn::start(stage, lab).await?;
        let meeting = Meeting::begin(stage, lab, pair, &Coturn::stun()).await?;
        meeting.marked("Direct").await?;
        meeting.goes_on().await;
        lab.flush(Nat::A)?;
        let took = meeting.media_back(Duration::from_secs(30)).await?;
        stage.figure(&format!("media are back {:.2} s after the NAT forgot its mappings (allowed 5 s)", took.as_secs_f64()));
        ensure!(took <= Duration::from_secs(5), "{took:?}{}", meeting.told().await?);
        meeting.see_and_hear(Duration::from_secs(15)).await
    }
}

pairs_in_lab! {
    /// R9, S7: nothing passes between the clients but over the relay.
    async fn udp_blocked_between(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        let _relay = Coturn::start(stage, lab).await?;
        lab.block_udp_between()?;
        let mut options = Coturn::stun();
        options.extend(Coturn::options(stage, &["udp"])?);
        let began = Instant::now();
        let meeting = Meeting::begin(stage, lab, pair, &options).await?;
        stage.figure(&format!("connected over the relay {:.1} s after the first page was opened", began.elapsed().as_secs_f64()));
        meeting.marked("Relayed").await
    }
}

in_lab! {
    /// A network that lets no UDP out at all.
    async fn no_udp_at_all(stage: &Stage, lab: &Lab) -> Result<()> {
        let _relay = Coturn::start(stage, lab).await?;
        lab.block_udp(Nat::A)?;
        let mut options = Coturn::stun();
        options.extend(Coturn::options(stage, &["udp", "tcp"])?);
        let meeting = Meeting::begin(stage, lab, [Kind::Chromium, Kind::Firefox], &options).await?;
        meeting.marked("Relayed").await
    }
}

pairs_in_lab! {
    async fn relay_restarted(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        let mut relay = Coturn::start(stage, lab).await?;
        lab.block_udp_between()?;
        let options = Coturn::options(stage, &["udp"])?;
        let meeting = Meeting::begin(stage, lab, pair, &options).await?;
        meeting.marked("Relayed").await?;
        relay.kill();
        // Long enough to be missed.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let _relay = Coturn::start(stage, lab).await?;
        let took = meeting.media_back(Duration::from_secs(40)).await?;
        stage.figure(&format!("media are back {:.2} s after the relay is (allowed 10 s)", took.as_secs_f64()));
        ensure!(took <= Duration::from_secs(10), "{took:?}");
        meeting.see_and_hear(Duration::from_secs(15)).await
    }
}

/// Everything that a page said to anybody, over the server and over data channels.
async fn said(browser: &Browser) -> Result<String> {
    let said = browser
        .script("return __probe.said().join('\\n');", Vec::new())
        .await?;
    Ok(said.as_str().unwrap_or_default().to_owned())
}

pairs_in_lab! {
    /// S7: who hides their address tells of relays alone, from the first candidate on.
    async fn hidden_address(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        let _relay = Coturn::start(stage, lab).await?;
        let mut options = Coturn::stun();
        options.extend(Coturn::options(stage, &["udp"])?);
        let meeting = Meeting::prepare(stage, lab, pair, &options).await?;
        let [ada, bob] = &meeting.browsers;
        let room = Room::new("lab");
        bob.enter(stage, &room, "Bob").await?;
        ada.open_room(stage, &room).await?;
        ada.press("button", "Settings").await?;
        ada.press("switch", "Hide my address").await?;
        // Remembered, and in force before anything is made ahead.
        ada.open_room(stage, &room).await?;
        ada.join("Ada").await?;
        meeting.see_and_hear(Duration::from_secs(20)).await?;
        meeting.marked("Relayed").await?;
        let said = said(ada).await?;
        ensure!(said.contains("typ relay"), "no candidate at all: {said}");
        let nat = Nat::A.address();
        for never in ["typ host", "typ srflx", "typ prflx", "10.0.", nat.as_str(), ".local"] {
            ensure!(!said.contains(never), "{never} was sent: {said}");
        }
        Ok(())
    }
}

in_lab! {
    /// S7: a warning, and not a silent fallback, where there is no relay.
    async fn hidden_without_relay(stage: &Stage, lab: &Lab) -> Result<()> {
        let meeting = Meeting::prepare(stage, lab, [Kind::Chromium; 2], &[]).await?;
        let [ada, bob] = &meeting.browsers;
        let room = Room::new("lab");
        bob.enter(stage, &room, "Bob").await?;
        ada.open_room(stage, &room).await?;
        ada.press("button", "Settings").await?;
        ada.press("switch", "Hide my address").await?;
        ada.hear("alert", "no relay").await?;
        ada.join("Ada").await?;
        ada.hear("alert", "no relay").await?;
        ensure!(!said(ada).await?.contains("candidate:"), "{}", said(ada).await?);
        Ok(())
    }
}

pairs_in_lab! {
    /// F18: credentials are renewed at half their life; the call does not notice when the first ones
    /// end, and a restart has new ones.
    async fn short_lived_credentials(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        let seconds = |variable: &str, otherwise: u64| {
            std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
        };
        let (lifetime, call) = (seconds("VISAVIS_TURN_LIFETIME", 30), seconds("VISAVIS_CALL_SECONDS", 50));
        let _relay = Coturn::start(stage, lab).await?;
        lab.block_udp_between()?;
        let mut options = Coturn::options(stage, &["udp"])?;
        options.extend(["--turn-lifetime".to_owned(), lifetime.to_string()]);
        let meeting = Meeting::begin(stage, lab, pair, &options).await?;
        meeting.marked("Relayed").await?;
        let made = meeting.connections_made().await?;
        for browser in &meeting.browsers {
            browser.watch_pauses().await?;
        }
        // The call lasts longer than the credentials that it began with: that is the test's input.
        tokio::time::sleep(Duration::from_secs(call)).await;
        let mut worst = 0.0_f64;
        for browser in &meeting.browsers {
            for pause in browser.pauses().await?.values() {
                worst = worst.max(pause.worst);
            }
        }
        let what = format!("longest pause in a call of {call} s with credentials for {lifetime} s");
        stage.in_time(&what, worst, 1000.0)?;
        ensure!(meeting.connections_made().await? == made);
        lab.change_address()?;
        let took = meeting.media_back(Duration::from_secs(30)).await?;
        stage.figure(&format!("media are back {:.2} s after the address changed then", took.as_secs_f64()));
        meeting.marked("Relayed").await
    }
}
