//! Appointments (A1–A5): a professional's desk, clients with links, and who waits.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use visavis_e2e::appointments::{desk_link, in_english, meet};
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Stage, in_each, staged, until};

const BELL: &str = "Dr. Bell";
/// How soon the desk shows who came.
const SHOWN_WITHIN_MS: f64 = 1000.0;
/// How soon two see each other after "Join".
const MET_WITHIN_MS: f64 = 3000.0;

async fn at_desk(stage: &Stage, kind: Kind) -> Result<(std::rc::Rc<Browser>, String)> {
    let desk = stage.browser(kind).await?;
    let link = desk_link(stage, BELL)?;
    desk.visit(&link).await?;
    desk.see("heading", "Appointments").await?;
    Ok((desk, link))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

in_each! {
    /// One day at a desk: one comes early, one on time, one late and after it was called off.
    async fn one_day(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let (desk, _) = at_desk(stage, kind).await?;
        let early_link = desk.book("Eve Early", 120, "").await?;
        let link = desk.book("Ada", 5, "Bring your papers, please").await?;
        let late_link = desk.book("Lou", -20, "").await?;
        for client in ["Eve Early", "Ada", "Lou"] {
            desk.see_standing(client, "Not here yet", SOON).await?;
        }
        let kinds = [Kind::Chromium, Kind::Firefox, Kind::Chromium];
        let clients = try_join_all(kinds.map(|kind| stage.browser(kind))).await?;
        let [eve, ada, lou] = &clients[..] else { return Ok(()) };

        eve.visit(&early_link).await?;
        eve.hear("status", "You are early").await?;
        ensure!(eve.find("button", "I am ready").await?.is_none(), "the waiting room is not open yet");

        ada.visit(&link).await?;
        ada.see("heading", "Appointment with Dr. Bell").await?;
        ensure!(ada.words().await?.contains("Bring your papers, please"), "the note is for the client");
        ada.see("button", "Turn camera off").await?;
        ada.press("button", "I am ready").await?;
        let shown = desk.see_standing("Ada", "Waiting since", SOON).await?;
        stage.in_time("an arrival is shown", ms(shown), SHOWN_WITHIN_MS)?;
        ada.hear("status", "Waiting for Dr. Bell").await?;
        ada.hear("status", "is at the desk").await?;
        let title = ada.driver().title().await?;
        ensure!(title.contains("Waiting"), "{title}");
        let said = desk.told_of_arrival().await?;
        ensure!(said.contains("Ada is here"), "{said:?}");

        let took = meet(&desk, ada, "Ada").await?;
        stage.in_time("both see each other after Join", ms(took), MET_WITHIN_MS)?;
        ada.see("article", BELL).await?;

        // Somebody comes in the middle of the call: a card says so, and leads to the desk.
        lou.wait_in(&late_link, BELL).await?;
        desk.see("region", "Appointments").await?;
        ensure!(desk.words().await?.contains("Lou is waiting"), "the card says who");
        ensure!(desk.find("button", "Leave call").await?.is_some(), "the call goes on");

        ada.press("button", "Leave call").await?;
        desk.press("button", "Leave call").await?;
        desk.see("heading", "Appointments").await?;
        desk.see_standing("Ada", "Done", SOON).await?;
        ada.see("heading", "This appointment is over").await?;

        desk.see_standing("Lou", "Waiting since", SOON).await?;
        desk.press_of("Lou", "Cancel appointment").await?;
        desk.see_standing("Lou", "Cancelled", SOON).await?;
        lou.see("heading", "This appointment was cancelled").await?;

        // Moved to now, her page opens by itself and says so.
        desk.press_of("Eve Early", "Edit Eve Early").await?;
        desk.see("form", "Change appointment").await?;
        desk.set_time(2).await?;
        desk.press("button", "Save changes").await?;
        eve.hear("status", "This appointment was moved").await?;
        eve.press("button", "I am ready").await?;
        desk.see_standing("Eve Early", "Waiting since", SOON).await?;
        Ok(())
    }
}

staged! {
    /// Every link that is none says why, and what to do.
    async fn bad_links(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let (desk, desk_link) = at_desk(stage, Kind::Chromium).await?;
        let link = desk.book("Ada", 5, "").await?;
        let other = desk.book("Bob", 5, "").await?;
        let ada = stage.browser(Kind::Firefox).await?;
        let token = |link: &str| link.split_once('#').map(|(_, token)| token.to_owned()).unwrap_or_default();
        let parts = |link: &str| {
            let token = token(link);
            let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
            parts
        };
        let [head, claims, signature] = &parts(&link)[..] else { return Ok(()) };
        let others_claims = &parts(&other)[1];
        let desk_token = token(&desk_link);
        let join = format!("{}/join?lang=en", stage.origin());
        for (token, why) in [
            (format!("{head}.{claims}"), "A part of it was lost"),
            (format!("{head}.{others_claims}.{signature}"), "Its signature is wrong"),
            // {"alg":"none"}
            (format!("eyJhbGciOiJub25lIn0.{claims}.{signature}"), "not signed"),
            (desk_token.clone(), "of another kind"),
        ] {
            ada.visit("about:blank").await.ok();
            ada.visit(&format!("{join}#{token}")).await?;
            ada.see("heading", "This link does not work").await?;
            let words = ada.words().await?;
            ensure!(words.contains(why), "{why:?}: {words}");
            let camera = ada.find("button", "Turn camera off").await?;
            ensure!(camera.is_none(), "nobody's camera is asked for a link that is none");
        }
        ada.visit(&join).await?;
        ada.see("heading", "Your appointment").await?;

        // A client's link makes no desk, and what is said of a desk says how one gets one.
        ada.visit(&format!("{}/desk?lang=en#{}", stage.origin(), token(&link))).await?;
        ada.see("heading", "This link does not work").await?;
        ensure!(ada.words().await?.contains("Ask the operator"), "what to do");
        ada.press("button", "Forget this desk on this device").await?;
        ada.see("heading", "Appointments").await?;
        ensure!(ada.words().await?.contains("visavis-server desk-link"), "how one gets a desk");

        // Nor does it take the place of a desk that this browser knows.
        desk.visit("about:blank").await.ok();
        desk.visit(&format!("{}/desk?lang=en#{}", stage.origin(), token(&link))).await?;
        desk.see("heading", "This link does not work").await?;
        desk.press("button", "Forget this desk on this device").await?;
        desk.see_standing("Ada", "Not here yet", SOON).await?;

        // Called off, and moved to another time with another link.
        desk.press_of("Bob", "Cancel appointment").await?;
        ada.visit(&other).await?;
        ada.see("heading", "This appointment was cancelled").await?;

        // The same link on another page: the later one has it, and the earlier one can take it back.
        let bob = stage.browser(Kind::Chromium).await?;
        ada.visit(&link).await?;
        ada.see("button", "I am ready").await?;
        bob.visit(&link).await?;
        ada.see("heading", "This appointment is open on another page").await?;
        ada.press("button", "Use this page").await?;
        ada.see("button", "I am ready").await?;
        bob.see("heading", "This appointment is open on another page").await?;
        Ok(())
    }
}

staged! {
    /// A desk in two tabs: both are live, and one alone tells who came. A reload goes on with it, also without
    /// the link.
    async fn two_tabs(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let (desk, _) = at_desk(stage, Kind::Chromium).await?;
        let link = desk.book("Ada", 5, "").await?;
        let first = desk.driver().window().await?;
        let second = desk.driver().new_tab().await?;
        desk.turn_to(&second).await?;
        desk.visit(&format!("{}/desk?lang=en", stage.origin())).await?;
        desk.see_standing("Ada", "Not here yet", SOON).await?;
        let ada = stage.browser(Kind::Firefox).await?;
        ada.wait_in(&link, BELL).await?;
        let mut told = Vec::new();
        for tab in [&first, &second] {
            desk.turn_to(tab).await?;
            desk.see_standing("Ada", "Waiting since", SOON).await?;
            told.push(desk.told_of_arrival().await?);
        }
        told.sort();
        ensure!(told == ["", "Ada is here"], "{told:?}");
        desk.driver().refresh().await?;
        desk.ready().await?;
        desk.see_standing("Ada", "Waiting since", SOON).await?;
        ensure!(desk.told_of_arrival().await?.is_empty(), "they came before");
        Ok(())
    }
}

staged! {
    /// The server is killed and started anew while a client waits: both come back by themselves, the wait is as
    /// long as it was, and nobody arrives twice. Who has waited for ten minutes is met as quickly as anybody.
    async fn restarted(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let (desk, _) = at_desk(stage, Kind::Chromium).await?;
        let link = desk.book("Ada", 0, "").await?;
        let ada = stage.browser(Kind::Firefox).await?;
        // As if they had said ten minutes ago that they are ready, and the page were loaded anew.
        ada.visit(&link).await?;
        ada.see("button", "I am ready").await?;
        ada.script("sessionStorage.setItem('visavis.ready-since', String(Date.now() - 601000));", Vec::new()).await?;
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.hear("status", "Waiting for Dr. Bell").await?;
        desk.see_standing("Ada", "10 min", SOON).await?;
        stage.kill_server()?;
        desk.hear("status", "No connection to the server").await?;
        // What is made meanwhile is kept, and sent when the server is back.
        desk.fill("Client", "Bob").await?;
        desk.set_time(30).await?;
        desk.press("button", "Create").await?;
        desk.see_standing("Bob", "Saving", SOON).await?;
        stage.revive_server().await?;
        desk.see_standing("Ada", "10 min", SOON * 3).await?;
        desk.client_link("Bob").await?;
        ada.hear("status", "Waiting for Dr. Bell").await?;
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.hear("status", "Waiting for Dr. Bell").await?;
        let took = meet(&desk, &ada, "Ada").await?;
        stage.in_time("both see each other after a restart and a reload", ms(took), MET_WITHIN_MS)
    }
}

staged! {
    /// The file for calendars is read by a parser of others, with the same time and the client's link.
    async fn calendar_file(stage: &Stage) -> Result<()> {
        use calcard::icalendar::{ICalendar, ICalendarComponentType, ICalendarProperty};
        stage.serve().await?;
        let (desk, _) = at_desk(stage, Kind::Chromium).await?;
        let link = desk.book("Zoë Müller", 60, "Papers, please; and\ntime").await?;
        let folder = desk.downloads(stage).await?;
        desk.press_of("Zoë Müller", "Calendar file").await?;
        let path = folder.join("Zoë-Müller.ics");
        let text = until("the file", SOON, async || {
            let text = std::fs::read_to_string(&path).ok().filter(|text| text.ends_with("END:VCALENDAR\r\n"));
            Ok(Look::at(text, || format!("{:?}", std::fs::read_dir(&folder).map(Iterator::count))))
        })
        .await?;
        let calendar = ICalendar::parse(&text).ok().context("a calendar")?;
        let is_event = |part: &&calcard::icalendar::ICalendarComponent| part.component_type == ICalendarComponentType::VEvent;
        let event = calendar.components.iter().find(is_event).context("an event")?;
        let of = |name: ICalendarProperty| {
            let entry = event.property(&name).and_then(|entry| entry.values.first());
            entry.and_then(|value| value.as_text()).unwrap_or_default().to_owned()
        };
        let url = in_english(&of(ICalendarProperty::Url));
        ensure!(url == link, "{url} is not {link}");
        ensure!(of(ICalendarProperty::Description).starts_with("Papers, please; and\ntime"), "{text}");
        Ok(())
    }
}
