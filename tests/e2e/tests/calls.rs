//! One person calls another (D1 to D7): ringing, answering, and every way in which a call ends.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join;
use serde_json::Value;
use visavis_e2e::contacts::acquaint;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Devices, Kind, Look, Permission, Stage, in_each, staged, until};

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

/// Insists that a page has neither asked for devices, nor made a connection, nor said or heard where
/// anybody can be reached.
async fn nothing_yet(browser: &Browser) -> Result<()> {
    let open = browser.open().await?;
    ensure!(
        open.peers_made == 0 && open.captures == 0,
        "{}: {open:?}",
        browser.label
    );
    let words = "return JSON.stringify([__probe.said(), __probe.heard()]);";
    let words = browser.script(words, Vec::new()).await?;
    let words = words.as_str().context("words")?;
    ensure!(
        words.contains("incoming") || words.contains("ring"),
        "nothing was heard: {words}"
    );
    for told in ["candidate", "a=", "ufrag", "sdp", "relay"] {
        ensure!(
            !words.contains(told),
            "{} has {told} on its socket: {words}",
            browser.label
        );
    }
    Ok(())
}

/// Waits for the end of a call at both, who are on their pages of each other then.
async fn over(people: [(&Browser, &str, &str); 2]) -> Result<()> {
    for (browser, with, line) in people {
        browser
            .see_said("list", &format!("Conversation with {with}"), line)
            .await?;
        ensure!(
            browser.find("dialog", "Call ended").await?.is_none(),
            "{}",
            browser.words().await?
        );
        until(
            &format!("{} has let go of everything", browser.label),
            SOON,
            async || {
                let open = browser.open().await?;
                Ok(Look::when(open.peers == 0 && open.tracks == 0, || {
                    format!("{open:?}")
                }))
            },
        )
        .await?;
    }
    Ok(())
}

in_each! {
    /// It rings, it is taken, both see and hear each other, one hangs up, and both have it in their record.
    async fn video_call(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, kind).await?;
        ada.ring("bob", true).await?;
        let began = Instant::now();
        bob.see_ringing().await?;
        stage.in_time("a call is seen after", began.elapsed().as_secs_f64() * 1000.0, 1_000.0)?;
        bob.see_said("alertdialog", "Incoming call", "ada is calling").await?;
        bob.see_said("alertdialog", "Incoming call", "Video call").await?;
        ada.see_said("dialog", "Calling", "Ringing at bob").await?;
        returns(&bob, "the title says it", "return document.title.includes('ada is calling');").await?;
        try_join(nothing_yet(&ada), nothing_yet(&bob)).await?;
        bob.press("button", "Accept with video").await?;
        let limit = Duration::from_secs(10);
        try_join(ada.sees_and_hears(1, limit), bob.sees_and_hears(1, limit)).await?;
        ada.see("heading", "bob").await?;
        returns(&bob, "the title no longer", "return !document.title.includes('is calling');").await?;
        // A page that is loaded anew comes back into the call.
        bob.driver().refresh().await?;
        bob.ready().await?;
        try_join(ada.sees_and_hears(1, limit), bob.sees_and_hears(1, limit)).await?;
        ada.press("button", "Chat").await?;
        ada.fill("Message", "See you at six").await?;
        ada.press("button", "Send").await?;
        bob.press("button", "Chat").await?;
        bob.see_said("log", "Messages", "See you at six").await?;
        bob.press("button", "Leave call").await?;
        over([(&ada, "bob", "Outgoing: Video call"), (&bob, "ada", "Incoming: Video call")]).await?;
        // What was written is kept with it, also over a reload; and one calls back from there.
        bob.driver().refresh().await?;
        bob.ready().await?;
        bob.see_said("list", "Conversation with ada", "See you at six").await?;
        bob.press("button", "Call back ada").await?;
        ada.see_said("alertdialog", "Incoming call", "bob is calling").await?;
        bob.press("button", "Cancel call").await?;
        ada.see_gone("alertdialog", "Incoming call").await?;
        ada.see_said("list", "Conversation with bob", "Missed: Video call").await?;
        bob.see_said("list", "Conversation with ada", "cancelled").await
    }
}

async fn returns(browser: &Browser, what: &str, script: &str) -> Result<()> {
    until(&format!("{}: {what}", browser.label), SOON, async || {
        let now = browser.script(script, Vec::new()).await?;
        Ok(Look::when(now == true, || now.to_string()))
    })
    .await
}

in_each! {
    /// A call of sound asks for no camera; in the midst of it one can be turned on (M7).
    async fn audio_call(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, kind).await?;
        ada.ring("bob", false).await?;
        bob.see_said("alertdialog", "Incoming call", "Audio call").await?;
        bob.press("button", "Accept").await?;
        ada.wait_for_tile("bob").await?;
        bob.wait_for_tile("ada").await?;
        for browser in [&ada, &bob] {
            until("sound", SOON, async || {
                let peers = browser.peers().await?;
                let packets = peers.first().map_or(0, visavis_e2e::probe::Peer::packets);
                Ok(Look::when(packets > 20, || format!("{peers:?}")))
            })
            .await?;
            let open = browser.open().await?;
            ensure!(open.track_kinds == ["audio"] && open.captures == 1, "{}: {open:?}", browser.label);
        }
        let before = ada.open().await?.descriptions;
        ada.press("button", "Turn camera on").await?;
        until("a picture", SOON, async || {
            let frames = bob.peers().await?.first().map_or(0, visavis_e2e::probe::Peer::frames);
            Ok(Look::when(frames > 5, || frames.to_string()))
        })
        .await?;
        ensure!(ada.open().await?.descriptions == before, "a camera needs no negotiation");
        ada.press("button", "Leave call").await?;
        over([(&ada, "bob", "Outgoing: Audio call"), (&bob, "ada", "Incoming: Audio call")]).await
    }
}

in_each! {
    /// A person is one, whatever number of tabs they have open: all ring, one takes it, none rings on.
    async fn every_tab(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, kind).await?;
        let (ada_first, bob_first) = (ada.driver().window().await?, bob.driver().window().await?);
        let ada_second = ada.another_tab(stage, "ada").await?;
        let bob_second = bob.another_tab(stage, "bob").await?;
        let bob_third = bob.another_tab(stage, "bob").await?;
        ada.turn_to(&ada_first).await?;
        ada.ring("bob", false).await?;
        for tab in [&bob_first, &bob_second, &bob_third] {
            bob.turn_to(tab).await?;
            bob.see_ringing().await?;
        }
        ada.turn_to(&ada_second).await?;
        ada.hear("status", "You are calling bob from another tab").await?;
        // Declined in one, it rings in none.
        bob.press("button", "Decline").await?;
        let began = Instant::now();
        for tab in [&bob_first, &bob_second, &bob_third] {
            bob.turn_to(tab).await?;
            bob.see_gone("alertdialog", "Incoming call").await?;
        }
        stage.in_time("declined in all of three tabs after", began.elapsed().as_secs_f64() * 1000.0, 1_000.0)?;
        ada.turn_to(&ada_first).await?;
        ada.see_said("dialog", "Call ended", "bob declined").await?;
        ada.press("button", "Close").await?;
        ada.turn_to(&ada_second).await?;
        returns(&ada, "nobody calls", "return !document.body.innerText.includes('from another tab');").await?;

        // Taken in one, it is in that one, and the others say nothing more.
        bob.turn_to(&bob_second).await?;
        bob.ring("ada", false).await?;
        ada.see_ringing().await?;
        ada.turn_to(&ada_first).await?;
        ada.see_ringing().await?;
        ada.press("button", "Accept").await?;
        ada.wait_for_tile("bob").await?;
        bob.wait_for_tile("ada").await?;
        ada.turn_to(&ada_second).await?;
        ada.see_gone("alertdialog", "Incoming call").await?;
        ensure!(ada.find("region", "Participants").await?.is_none(), "one tab is in the call");
        ada.see_presence("bob", "Busy", SOON).await?;
        for tab in [&bob_first, &bob_third] {
            bob.turn_to(tab).await?;
            bob.see_presence("ada", "Busy", SOON).await?;
        }
        // Whoever closes the tab of the call is out of it.
        bob.turn_to(&bob_second).await?;
        bob.driver().close_window().await?;
        bob.turn_to(&bob_first).await?;
        ada.turn_to(&ada_first).await?;
        ada.see_said("list", "Conversation with bob", "Incoming: Audio call").await?;
        ada.turn_to(&ada_second).await?;
        ada.see_presence("bob", "Online", SOON).await?;
        Ok(())
    }
}

in_each! {
    /// Both call each other at once: one call, and both are in it (D5).
    async fn both_at_once(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, kind).await?;
        // As close to each other as two programs come.
        let press = "document.querySelector('[aria-label^=\"Video call\"]').click();";
        try_join(ada.script(press, Vec::new()), bob.script(press, Vec::new())).await?;
        // Whoever was a moment too late sees the other's call, and wants it.
        until("both are in a call", SOON, async || {
            let mut words = Vec::new();
            for browser in [&ada, &bob] {
                if let Some(accept) = browser.find("button", "Accept with video").await? {
                    accept.click().await.ok();
                }
                if browser.find("region", "Participants").await?.is_none() {
                    words.push(browser.words().await?);
                }
            }
            Ok(Look::when(words.is_empty(), || words.join("\n")))
        })
        .await?;
        let limit = Duration::from_secs(10);
        try_join(ada.sees_and_hears(1, limit), bob.sees_and_hears(1, limit)).await?;
        bob.press("button", "Leave call").await?;
        ada.see("list", "Conversation with bob").await?;
        Ok(())
    }
}

staged! {
    /// Nobody takes it: after 45 s it is over for both, and missed.
    async fn nobody_answers(stage: &Stage) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, Kind::Chromium).await?;
        ada.ring("bob", false).await?;
        bob.see_ringing().await?;
        let began = Instant::now();
        let limit = Duration::from_secs(60);
        ada.see_within("dialog", "Call ended", limit).await?;
        stage.in_time("it rang for", began.elapsed().as_secs_f64() * 1000.0, 45_000.0)?;
        ada.see_said("dialog", "Call ended", "bob did not answer").await?;
        bob.see_gone("alertdialog", "Incoming call").await?;
        bob.see_said("list", "Calls", "Missed: Audio call").await?;
        ada.press("button", "Close").await?;
        ada.see_said("list", "Calls", "no answer").await
    }
}

staged! {
    /// Who is not there, who does not exist and who blocked one are the same to a stranger; and what was
    /// missed is told once, when one comes back.
    async fn out_of_reach(stage: &Stage) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, Kind::Firefox).await?;
        // Nobody has this handle.
        ada.add_contact("nobody-at-all").await?;
        let mut said = Vec::new();
        ada.ring("nobody-at-all", false).await?;
        said.push(told(&ada).await?.replace("nobody-at-all", "them"));
        // Blocked.
        bob.visit(&format!("{}/contacts/ada?lang=en", stage.origin())).await?;
        bob.press("button", "Block").await?;
        ada.see_presence("bob", "Offline", SOON).await?;
        ada.ring("bob", false).await?;
        said.push(told(&ada).await?.replace("bob", "them"));
        bob.press("button", "Unblock ada").await?;
        ada.see_presence("bob", "Online", SOON).await?;
        ensure!(!bob.words().await?.contains("Missed"), "who is blocked leaves no trace");
        // Gone.
        let began = Instant::now();
        bob.driver().goto("about:blank").await?;
        ada.see_presence("bob", "Offline", SOON).await?;
        stage.in_time("gone at a contact's after", began.elapsed().as_secs_f64() * 1000.0, 2_000.0)?;
        until("it is long enough ago", SOON, async || {
            ada.ring("bob", true).await?;
            let text = told(&ada).await?;
            Ok(Look::when(!text.contains("too often"), || text))
        })
        .await?;
        ensure!(said[0] == said[1] && said[0].contains("cannot be reached"), "{said:?}");
        let began = Instant::now();
        bob.visit(&format!("{}/?lang=en", stage.origin())).await?;
        bob.see("link", "Contacts").await?;
        ada.see_presence("bob", "Online", SOON).await?;
        stage.in_time("back at a contact's after", began.elapsed().as_secs_f64() * 1000.0, 2_000.0)?;
        returns(&bob, "one call was missed", "return document.body.innerText.includes('1 missed call');").await?;
        bob.visit(&format!("{}/contacts?lang=en", stage.origin())).await?;
        bob.see_said("list", "Calls", "Missed: Video call").await?;
        bob.driver().refresh().await?;
        bob.ready().await?;
        bob.hear("status", "You are bob").await?;
        bob.see_said("list", "Calls", "Missed: Video call").await?;
        let lines = bob.script("return document.querySelectorAll('.is-missed').length;", Vec::new()).await?;
        ensure!(lines == 1, "it is told once, not {lines} times");
        Ok(())
    }
}

/// What the card of a call that ended says; it is closed then.
async fn told(browser: &Browser) -> Result<String> {
    let text = until("it says why", SOON, async || {
        let text = browser.said("dialog", "Call ended").await?;
        // Before it stands the first letter of the name.
        let why = text.split_once("Call ended").map(|(_, why)| why.to_owned());
        Ok(Look::at(why.filter(|why| why.len() > 20), || text))
    })
    .await?;
    browser.press("button", "Close").await?;
    browser.see_gone("dialog", "Call ended").await?;
    Ok(text)
}

staged! {
    /// A third one calls somebody who talks: busy, nothing rings, and it is missed.
    async fn busy(stage: &Stage) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, Kind::Chromium).await?;
        let cleo = stage.browser(Kind::Chromium).await?;
        cleo.sign_in(stage, "cleo").await?;
        cleo.add_contact("bob").await?;
        bob.add_contact("cleo").await?;
        cleo.see_presence("bob", "Online", SOON).await?;
        ada.ring("bob", false).await?;
        bob.see_ringing().await?;
        bob.press("button", "Accept").await?;
        let took = cleo.see_presence("bob", "Busy", SOON).await?;
        stage.in_time("busy at a contact's after", took.as_secs_f64() * 1000.0, 2_000.0)?;
        ada.wait_for_tile("bob").await?;
        cleo.ring("bob", false).await?;
        cleo.see_said("dialog", "Call ended", "bob is in another call").await?;
        ensure!(bob.find("alertdialog", "Incoming call").await?.is_none(), "nothing rings there");
        // Nor can bob call from another tab meanwhile, and nobody hears that he tried.
        let in_call = bob.driver().window().await?;
        let other = bob.another_tab(stage, "bob").await?;
        bob.ring("cleo", false).await?;
        bob.see_said("dialog", "Call ended", "You are in another call").await?;
        ensure!(cleo.find("alertdialog", "Incoming call").await?.is_none(), "nothing rang");
        bob.turn_to(&other).await?;
        bob.driver().close_window().await?;
        bob.turn_to(&in_call).await?;
        bob.press("button", "Leave call").await?;
        ada.see("list", "Conversation with bob").await?;
        let took = cleo.see_presence("bob", "Online", SOON).await?;
        stage.in_time("online again after", took.as_secs_f64() * 1000.0, 2_000.0)?;
        bob.visit(&format!("{}/contacts?lang=en", stage.origin())).await?;
        bob.see_said("list", "Calls", "Missed: Audio call").await
    }
}

staged! {
    /// A laptop is closed without a word: its person is gone within 30 s.
    async fn closed_laptop(stage: &Stage) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, Kind::Firefox).await?;
        // All processes of bob's Chromium stand still from now on.
        let home = bob.home().to_string_lossy().into_owned();
        let stopped = std::process::Command::new("pkill").args(["-STOP", "-f", &home]).status()?;
        ensure!(stopped.success(), "nothing was stopped");
        let took = ada.see_presence("bob", "Offline", Duration::from_secs(40)).await?;
        stage.in_time("gone without a word after", took.as_secs_f64() * 1000.0, 30_000.0)
    }
}

staged! {
    /// The server is started anew while it rings: it rings on, and can be taken.
    async fn server_restarts_while_it_rings(stage: &Stage) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, Kind::Chromium).await?;
        ada.ring("bob", false).await?;
        bob.see_ringing().await?;
        stage.kill_server()?;
        stage.revive_server().await?;
        for browser in [&ada, &bob] {
            browser.see_presence(if browser.label == ada.label { "bob" } else { "ada" }, "Online", SOON).await?;
        }
        bob.press("button", "Accept").await?;
        ada.wait_for_tile("bob").await?;
        bob.wait_for_tile("ada").await?;
        // And once more while they talk: nobody notices.
        stage.kill_server()?;
        stage.revive_server().await?;
        until("both are back at the server", SOON, async || {
            let mut states = Vec::new();
            for browser in [&ada, &bob] {
                let state = browser.script("return document.querySelector('main')?.dataset.roomState ?? null;", Vec::new()).await?;
                states.push(state);
            }
            Ok(Look::when(states.iter().all(|state| *state == "joined"), || format!("{states:?}")))
        })
        .await?;
        bob.press("button", "Leave call").await?;
        over([(&ada, "bob", "Outgoing: Audio call"), (&bob, "ada", "Incoming: Audio call")]).await
    }
}

in_each! {
    /// Who refuses the microphone is told what to do; the other one is not left in an empty room.
    async fn microphone_refused(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let refused = Devices { permission: Permission::Refused, ..Devices::default() };
        let (ada, bob) = try_join(stage.browser(other(kind)), stage.browser_with(kind, refused)).await?;
        acquaint(stage, [(&ada, "ada"), (&bob, "bob")]).await?;
        ada.ring("bob", false).await?;
        bob.see_ringing().await?;
        bob.press("button", "Accept").await?;
        bob.see_said("dialog", "Call ended", "does not let this site use your microphone").await?;
        bob.see("button", "Try again").await?;
        ada.see_said("dialog", "Call ended", "before you were connected").await?;
        for (browser, with) in [(&ada, "bob"), (&bob, "ada")] {
            browser.press("button", "Close").await?;
            browser.see_said("list", &format!("Conversation with {with}"), "failed").await?;
        }
        Ok(())
    }
}

staged! {
    /// No way between the two: both are told why, with a way to try again (D7).
    async fn no_way(stage: &Stage) -> Result<()> {
        let [ada, bob] = ada_and_bob(stage, Kind::Chromium).await?;
        // Whoever hides their address on a site without a relay can be reached by nobody.
        ada.script("localStorage.setItem('visavis.hide-address', 'on');", Vec::new()).await?;
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.hear("status", "You are ada").await?;
        ada.ring("bob", false).await?;
        bob.see_ringing().await?;
        bob.press("button", "Accept").await?;
        ada.see_within("dialog", "Call ended", Duration::from_secs(60)).await?;
        ada.see_said("dialog", "Call ended", "this site has no relay").await?;
        ada.see("button", "Try again").await?;
        // Nor is the other one left waiting in a room where nobody comes, and both have it as what it was,
        // whichever of the two pages is first to give up.
        bob.see_said("dialog", "Call ended", "this site has no relay").await?;
        for (browser, with) in [(&ada, "bob"), (&bob, "ada")] {
            browser.press("button", "Close").await?;
            browser.see_said("list", &format!("Conversation with {with}"), "failed").await?;
        }
        Ok(())
    }
}

/// How often a call is made for the figure.
const CALLS: usize = 3;

staged! {
    /// From the press on "Accept" to the first picture at both.
    async fn soon_there(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let (ada, bob) = try_join(stage.browser(Kind::Chromium), stage.browser(Kind::Chromium)).await?;
        acquaint(stage, [(&ada, "ada"), (&bob, "bob")]).await?;
        let calls = std::env::var("VISAVIS_CALLS").ok().and_then(|calls| calls.parse().ok());
        let mut took = Vec::new();
        for turn in 0..calls.unwrap_or(CALLS) {
            let [(from, _), (to, name)] = if turn % 2 == 0 {
                [(&ada, "ada"), (&bob, "bob")]
            } else {
                [(&bob, "bob"), (&ada, "ada")]
            };
            until("it rings", Duration::from_secs(20), async || {
                from.ring(name, true).await?;
                let words = until("it rings, or not", SOON, async || {
                    let words = from.words().await?;
                    let is_known = words.contains("Ringing at") || words.contains("too often");
                    Ok(Look::at(is_known.then(|| words.clone()), || words))
                })
                .await?;
                if words.contains("too often") {
                    from.press("button", "Close").await?;
                }
                Ok(Look::when(words.contains("Ringing at"), || words))
            })
            .await?;
            to.see_ringing().await?;
            let accept = "window.__accepted = Date.now(); [...document.querySelectorAll('.ring-acts button')].find((one) => one.innerText.includes('with video')).click();";
            let now = to.script(&format!("{accept} return __accepted;"), Vec::new()).await?;
            let first = try_join(first_picture(from), first_picture(to)).await?;
            let accepted = now.as_f64().context("a time")?;
            took.push(first.0.max(first.1) - accepted);
            from.press("button", "Leave call").await?;
            for (browser, with) in [(&ada, "bob"), (&bob, "ada")] {
                browser.see("list", &format!("Conversation with {with}")).await?;
                browser.visit(&format!("{}/contacts?lang=en", stage.origin())).await?;
                browser.see_presence(with, "Online", SOON).await?;
            }
        }
        took.sort_by(f64::total_cmp);
        stage.figure(&format!("accepted to first pictures at both, each: {took:.0?} ms"));
        stage.in_time("accepted to first pictures at both, median", took[took.len() / 2], 1_500.0)
    }
}

/// When the first picture of the other one was there, by the wall's clock in milliseconds.
async fn first_picture(browser: &Browser) -> Result<f64> {
    let script = "const deadline = Date.now() + 20000;
        for (;;) {
            const video = [...document.querySelectorAll('.stage > article:not([data-own]) video[data-stream=camera]')]
                .find((video) => !video.closest('article').ariaLabel.endsWith('(you)') && video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 0);
            if (video) return Date.now();
            if (Date.now() > deadline) return null;
            await new Promise((done) => setTimeout(done, 10));
        }";
    let at = browser.async_script(script, Vec::new()).await?;
    ensure!(at != Value::Null, "{} never saw a picture", browser.label);
    at.as_f64().context("a time")
}
