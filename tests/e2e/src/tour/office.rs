//! The screens of appointments and of a host's door.

use anyhow::Result;

use crate::appointments::{desk_link, in_english};
use crate::browser::Browser;
use crate::page::SOON;
use crate::stage::Stage;

/// A desk with its appointments, and the page of a client at every hour.
///
/// # Errors
/// If a screen does not come, or `look` fails.
pub async fn appointments(
    stage: &Stage,
    ada: &Browser,
    bob: &Browser,
    look: &impl AsyncFn(&str) -> Result<()>,
) -> Result<()> {
    ada.visit(&format!("{}/desk?lang=en", stage.origin())).await?;
    look("desk-without-link").await?;
    ada.visit(&format!("{}/join?lang=en", stage.origin())).await?;
    look("join-without-link").await?;
    let link = desk_link(stage, "Dr. Lovelace")?;
    ada.visit(&link).await?;
    ada.see("form", "New appointment").await?;
    look("desk-empty").await?;
    ada.press("button", "Create").await?;
    ada.hear("alert", "").await?;
    look("desk-with-error").await?;
    let cleo = ada.book("Cleo", 5, "").await?;
    let note = "Please bring the letter of your insurance, and the pictures if you have them.";
    let early = ada.book("Grace Brewster Murray Hopper", 90, note).await?;
    let gone = ada.book("Hedy", 60 * 30, "").await?;
    bob.wait_in(&cleo, "Dr. Lovelace").await?;
    ada.see_standing("Cleo", "Waiting since", SOON).await?;
    look("desk").await?;
    ada.press_of("Hedy", "Cancel appointment").await?;
    ada.see_standing("Hedy", "Cancelled", SOON).await?;
    let open = ada.book("Ada", 4, note).await?;
    bob.visit(&format!("{}/?lang=en", stage.origin())).await?;
    for (client, screen, heading) in [
        (&early, "join-early", "Dr. Lovelace"),
        (&gone, "join-cancelled", "was cancelled"),
        (&open, "join", "Dr. Lovelace"),
    ] {
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        ada.visit(client).await?;
        ada.hear("heading", heading).await?;
        look(screen).await?;
    }
    ada.press("button", "I am ready").await?;
    ada.hear("status", "Waiting for Dr. Lovelace").await?;
    look("join-waiting").await?;
    ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
    let damaged = in_english(&format!("{}/join#nonsense", stage.origin()));
    ada.visit(&damaged).await?;
    look("join-damaged").await
}

/// Before a host's door, and at it.
///
/// # Errors
/// If a screen does not come, or `look` fails.
pub async fn door(
    stage: &Stage,
    ada: &Browser,
    bob: &Browser,
    look: &impl AsyncFn(&str) -> Result<()>,
) -> Result<()> {
    let make = async |host: &Browser, name: &str| -> Result<String> {
        host.visit(&format!("{}/?lang=en", stage.origin())).await?;
        host.ready().await?;
        host.press("switch", "Waiting room").await?;
        host.press("button", "New room").await?;
        host.join(name).await?;
        let address = host.script("return location.href;", Vec::new()).await?;
        Ok(address.as_str().unwrap_or_default().to_owned())
    };
    let knock = async |guest: &Browser, link: &str, name: &str| -> Result<()> {
        guest.visit(link).await?;
        guest.ready().await?;
        guest.fill("Your name", name).await?;
        guest.press("button", "Join now").await?;
        guest.room_state("waiting").await
    };
    let theirs = make(bob, "Bob").await?;
    knock(ada, &theirs, "Ada").await?;
    look("waiting").await?;
    bob.press("button", "People").await?;
    bob.fill(
        "A word for those you decline",
        "We are full today, please come tomorrow at ten.",
    )
    .await?;
    bob.press("button", "Decline Ada").await?;
    ada.see("button", "Join now").await?;
    look("declined").await?;
    bob.leave().await?;
    let own = make(ada, "Ada").await?;
    knock(bob, &own, "Wolfeschlegelsteinhausenbergerdorff the Second").await?;
    ada.press("button", "People").await?;
    ada.see("button", "Admit all").await?;
    look("door").await?;
    ada.press("button", "Admit all").await?;
    bob.room_state("joined").await?;
    ada.see_gone("button", "Admit all").await?;
    look("door-inside").await?;
    ada.leave().await
}
