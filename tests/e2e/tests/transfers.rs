//! Files between two people: whole and verified, and after every cut on from the last verified block (C2, C3).

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::try_join;
use visavis_e2e::files::{self, Sample};
use visavis_e2e::{Browser, Kind, Room, Stage, in_pairs};
use visavis_protocol::limits::BLOCK_BYTES;

/// How large the file is, in MiB; a person may ask for another. One that is cut may be smaller: what it
/// shows is at the cuts.
const SIZE_VARIABLE: &str = "VISAVIS_FILE_MIB";
const SIZE_MIB: u64 = 256;
const CUT_SIZE_MIB: u64 = 64;
/// How long it may take, on a machine that does much else.
const SENT_WITHIN: Duration = Duration::from_secs(120);
/// Where it is cut, in percent.
const CUTS: [f64; 3] = [30.0, 60.0, 90.0];

fn bytes(mib: u64) -> u64 {
    let asked = std::env::var(SIZE_VARIABLE)
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    asked.unwrap_or(mib) << 20
}

/// Two in a call, without pictures: what is looked at is files.
async fn two(stage: &Stage, pair: [Kind; 2]) -> Result<[Rc<Browser>; 2]> {
    stage.serve().await?;
    let room = Room::new("papers");
    let (ada, bea) = try_join(stage.browser(pair[0]), stage.browser(pair[1])).await?;
    for (browser, name) in [(&ada, "Ada"), (&bea, "Bea")] {
        browser.open_room(stage, &room).await?;
        browser.press("button", "Turn camera off").await?;
        browser.join(name).await?;
    }
    try_join(ada.wait_for_tile("Bea"), bea.wait_for_tile("Ada")).await?;
    Ok([ada, bea])
}

async fn begin(ada: &Browser, bea: &Browser, sample: &Sample) -> Result<()> {
    ada.offer(sample).await?;
    bea.open_files().await?;
    bea.see_state(sample.name(), "offered", files::SOON).await?;
    ensure!(bea.received_bytes().await? == 0, "bytes came without consent");
    bea.press("button", "Accept").await
}

/// Waits for both to say that it is there, and compares what was saved.
async fn arrived(stage: &Stage, ada: &Browser, bea: &Browser, sample: &Sample) -> Result<()> {
    bea.see_state(sample.name(), "done", SENT_WITHIN).await?;
    ada.see_state(sample.name(), "done", files::SOON).await?;
    let saved = bea.save(stage, sample, SENT_WITHIN).await?;
    ensure!(
        files::sha256(&saved)? == files::sha256(&sample.path)?,
        "another file arrived"
    );
    std::fs::remove_file(saved)?;
    Ok(())
}

/// What came twice, at most so many blocks for each cut: the one under way, and where the receiver's page is
/// loaded anew the one that was being stored.
async fn judge_repeats(
    stage: &Stage,
    bea: &Browser,
    sample: &Sample,
    cuts: usize,
    blocks: u64,
) -> Result<()> {
    let received = bea.received_bytes().await?;
    let repeated = received.saturating_sub(sample.bytes);
    stage.figure(&format!(
        "{cuts} cuts: {} KiB of {} MiB came twice",
        repeated >> 10,
        sample.bytes >> 20
    ));
    ensure!(received >= sample.bytes, "fewer bytes came than the file has");
    ensure!(
        repeated <= cuts as u64 * blocks * u64::from(BLOCK_BYTES),
        "{repeated} bytes came twice in {cuts} cuts"
    );
    Ok(())
}

in_pairs! {
    async fn a_file_arrives(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        let [ada, bea] = two(stage, pair).await?;
        let sample = Sample::noise(stage, "a film.bin", bytes(SIZE_MIB) + 12_345)?;
        begin(&ada, &bea, &sample).await?;
        arrived(stage, &ada, &bea, &sample).await?;
        judge_repeats(stage, &bea, &sample, 0, 0).await?;
        // It can be had again, as often as one likes, until it is taken off the list.
        for _ in 0..3 {
            std::fs::remove_file(bea.save(stage, &sample, SENT_WITHIN).await?)?;
        }
        Ok(())
    }
}

in_pairs! {
    async fn goes_on_after_its_connection_was_killed(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        if !pair.contains(&Kind::Chromium) {
            stage.skip("two Firefox: neither can be told to lose its connection");
            return Ok(());
        }
        let [ada, bea] = two(stage, pair).await?;
        let sample = Sample::noise(stage, "a film.bin", bytes(CUT_SIZE_MIB))?;
        begin(&ada, &bea, &sample).await?;
        // A Firefox says nothing of a connection that was closed behind the page's back, not even that
        // nothing comes: no network does that. What one does, the network lab cuts (tests/net).
        let killers: Vec<_> = [&ada, &bea]
            .into_iter()
            .filter(|browser| browser.kind == Kind::Chromium)
            .collect();
        // It takes the pages a while to notice; between two kinds once is enough.
        let cuts = if pair[0] == pair[1] { &CUTS[..] } else { &CUTS[1..2] };
        for (at, killer) in cuts.iter().zip(killers.into_iter().cycle()) {
            bea.see_line(sample.name(), "far enough", SENT_WITHIN, |line| line.percent >= Some(*at)).await?;
            killer.script("__probe.kill();", Vec::new()).await?;
        }
        arrived(stage, &ada, &bea, &sample).await?;
        judge_repeats(stage, &bea, &sample, cuts.len(), 1).await
    }
}

in_pairs! {
    async fn goes_on_after_the_receiver_was_reloaded(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        let [ada, bea] = two(stage, pair).await?;
        let sample = Sample::noise(stage, "a film.bin", bytes(CUT_SIZE_MIB))?;
        begin(&ada, &bea, &sample).await?;
        for at in CUTS {
            bea.see_line(sample.name(), "far enough", SENT_WITHIN, |line| line.percent >= Some(at)).await?;
            bea.driver().refresh().await?;
            bea.ready().await?;
            bea.room_state("joined").await?;
            bea.open_files().await?;
        }
        arrived(stage, &ada, &bea, &sample).await?;
        judge_repeats(stage, &bea, &sample, CUTS.len(), 2).await
    }
}

in_pairs! {
    async fn goes_on_after_the_sender_was_reloaded(stage: &Stage, pair: [Kind; 2]) -> Result<()> {
        // Of two kinds it is the Firefox that sends here: elsewhere it is the Chromium.
        let [ada, bea] = two(stage, [pair[1], pair[0]]).await?;
        let sample = Sample::noise(stage, "a film.bin", bytes(CUT_SIZE_MIB))?;
        begin(&ada, &bea, &sample).await?;
        for at in CUTS {
            bea.see_line(sample.name(), "far enough", SENT_WITHIN, |line| line.percent >= Some(at)).await?;
            ada.driver().refresh().await?;
            ada.ready().await?;
            ada.room_state("joined").await?;
            ada.open_files().await?;
            ada.see_state(sample.name(), "lacking", files::SOON).await?;
            ada.give_file("The file again", &sample.path).await?;
        }
        arrived(stage, &ada, &bea, &sample).await?;
        judge_repeats(stage, &bea, &sample, CUTS.len(), 1).await
    }
}
