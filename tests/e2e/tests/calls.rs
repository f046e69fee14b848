//! One person calls another (D1 to D7): presence, ringing, answering, and what is kept of it.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::try_join;
use visavis_e2e::contacts::acquaint;
use visavis_e2e::{Browser, Kind, Stage, in_each};

/// The other browser: what one does is seen in both.
const fn other(kind: Kind) -> Kind {
    match kind {
        Kind::Chromium => Kind::Firefox,
        Kind::Firefox => Kind::Chromium,
    }
}

async fn ada_and_bob(stage: &Stage, kind: Kind) -> Result<[Rc<Browser>; 2]> {
    stage.serve().await?;
    let (ada, bob) = try_join(stage.browser(kind), stage.browser(other(kind))).await?;
    acquaint(stage, [(&ada, "ada"), (&bob, "bob")]).await?;
    Ok([ada, bob])
}

in_each! {
    /// It rings, it is taken, both see and hear each other, one hangs up, and both have it in their record.
    async fn video_call(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, kind).await?;
        ada.ring("bob", true).await?;
        bob.see_said("alertdialog", "Incoming call", "ada is calling").await?;
        ada.see_said("dialog", "Calling", "Ringing at bob").await?;
        for browser in [&ada, &bob] {
            let open = browser.open().await?;
            ensure!(open.peers_made == 0 && open.tracks == 0, "{}: {open:?}", browser.label);
        }
        bob.press("button", "Accept with video").await?;
        ada.wait_for_tile("bob").await?;
        bob.wait_for_tile("ada").await?;
        let limit = Duration::from_secs(10);
        try_join(ada.sees_and_hears(1, limit), bob.sees_and_hears(1, limit)).await?;
        bob.press("button", "Leave call").await?;
        for (browser, name) in [(&ada, "Conversation with bob"), (&bob, "Conversation with ada")] {
            browser.see("list", name).await?;
            browser.see_gone("dialog", "Call ended").await?;
        }
        ada.see_said("list", "Conversation with bob", "Outgoing: Video call").await?;
        bob.see_said("list", "Conversation with ada", "Incoming: Video call").await?;
        Ok(())
    }
}
