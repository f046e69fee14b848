//! What a file survives on its way (C3).

use std::time::Duration;

use anyhow::ensure;
use visavis_e2e::files::{self, SOON, Sample};
use visavis_e2e::{Kind, Stage};
use visavis_net::coturn::Coturn;
use visavis_net::{Lab, Meeting, Nat, pairs_in_lab};
use visavis_protocol::limits::BLOCK_BYTES;

const BYTES: u64 = 24 << 20;
/// When and for how long nothing passes: long enough for ICE to give up, and for SCTP to.
const CUT_AT: f64 = 30.0;
const LASTS: Duration = Duration::from_secs(40);
const SENT_WITHIN: Duration = Duration::from_secs(90);

pairs_in_lab! {
    /// Goes on by itself after a network that was away for long.
    async fn a_file_goes_on(stage: &Stage, lab: &Lab, pair: [Kind; 2]) -> Result<()> {
        let _relay = Coturn::start(stage, lab).await?;
        let meeting = Meeting::begin(stage, lab, pair, &Coturn::stun()).await?;
        let [ada, bob] = &meeting.browsers;
        let sample = Sample::noise(stage, "a film.bin", BYTES)?;
        ada.offer(&sample).await?;
        bob.open_files().await?;
        bob.see_state(sample.name(), "offered", SOON).await?;
        bob.press("button", "Accept").await?;
        bob.see_line(sample.name(), "far enough", SENT_WITHIN, |line| line.percent >= Some(CUT_AT)).await?;
        lab.cut(Nat::A)?;
        // How long the fault lasts is the test's input.
        tokio::time::sleep(LASTS).await;
        lab.restore(Nat::A)?;
        bob.see_state(sample.name(), "done", SENT_WITHIN).await?;
        let repeated = bob.received_bytes().await?.saturating_sub(sample.bytes);
        stage.figure(&format!("{} KiB came twice", repeated >> 10));
        ensure!(repeated <= u64::from(BLOCK_BYTES), "{repeated} bytes came twice");
        let saved = bob.save(stage, &sample, SENT_WITHIN).await?;
        ensure!(files::sha256(&saved)? == files::sha256(&sample.path)?, "another file arrived");
        Ok(())
    }
}
