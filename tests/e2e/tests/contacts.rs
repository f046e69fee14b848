//! Who one is, and on how many devices (D1).

use anyhow::ensure;
use futures_util::future::try_join_all;
use visavis_e2e::contacts::acquaint;
use visavis_e2e::page::SOON;
use visavis_e2e::{Kind, Look, in_each, until};

in_each! {
    /// A handle is whose it was first; another device of theirs has it by a code that works once.
    async fn one_person_two_devices(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let kinds = [kind, Kind::Firefox, Kind::Chromium];
        let all = try_join_all(kinds.map(|kind| stage.browser(kind))).await?;
        let [laptop, phone, bob] = &all[..] else { return Ok(()) };
        acquaint(stage, [(laptop, "ada"), (bob, "bob")]).await?;
        phone.visit(&format!("{}/contacts?lang=en", stage.origin())).await?;
        for (wrong, why) in [
            ("al", "at least 3 characters"),
            ("\u{430}da", "only letters from a to z"),
            ("ada\u{202e}", "only letters from a to z"),
            ("a__da", "begins with a letter"),
            // Capitals are small letters.
            ("ADA", "Somebody else has this handle"),
        ] {
            phone.fill("Your handle", wrong).await?;
            phone.press("button", "Sign in").await?;
            phone.hear("alert", why).await?;
        }
        phone.fill("Code from the other device", "00000-00000").await?;
        phone.press("button", "Sign in").await?;
        phone.hear("alert", "This code is wrong").await?;
        laptop.press("button", "Link another device").await?;
        let code = until("a code", SOON, async || {
            let code = laptop.script("return document.querySelector('.code')?.innerText ?? '';", Vec::new()).await?;
            let code = code.as_str().unwrap_or_default().to_owned();
            Ok(Look::at((!code.is_empty()).then_some(code), || String::from("none")))
        })
        .await?;
        phone.fill("Code from the other device", &code).await?;
        phone.press("button", "Sign in").await?;
        phone.hear("status", "You are ada").await?;
        phone.see_presence("bob", "Online", SOON).await?;

        // It rings on both, is taken on one, and the other knows.
        bob.ring("ada", false).await?;
        laptop.see_ringing().await?;
        phone.see_ringing().await?;
        phone.press("button", "Accept").await?;
        laptop.see_gone("alertdialog", "Incoming call").await?;
        laptop.see_said("list", "Calls", "answered on another device").await?;
        phone.wait_for_tile("bob").await?;
        bob.wait_for_tile("ada").await?;
        phone.press("button", "Leave call").await?;
        bob.see("list", "Conversation with ada").await?;

        // Signed out here, and still there; and the key is remembered.
        laptop.press("button", "Sign out").await?;
        laptop.see("textbox", "Your handle").await?;
        phone.driver().refresh().await?;
        phone.ready().await?;
        phone.see("list", "Conversation with bob").await?;
        laptop.fill("Your handle", "ada").await?;
        laptop.press("button", "Sign in").await?;
        laptop.hear("status", "You are ada").await?;
        ensure!(laptop.find("button", "Call bob").await?.is_some(), "contacts belong to the handle");
        Ok(())
    }
}

in_each! {
    /// Contacts come and go; who was taken off the list learns nothing more.
    async fn adding_and_removing(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let all = try_join_all([kind, Kind::Chromium].map(|kind| stage.browser(kind))).await?;
        let [ada, bob] = &all[..] else { return Ok(()) };
        ada.sign_in(stage, "ada").await?;
        bob.sign_in(stage, "bob").await?;
        ada.add_contact("bob").await?;
        ada.see_presence("bob", "Offline", SOON).await?;
        ada.fill("Add contact", "ada").await?;
        ada.press("button", "Add").await?;
        ada.hear("alert", "That is you").await?;
        bob.add_contact("ada").await?;
        ada.see_presence("bob", "Online", SOON).await?;
        bob.visit(&format!("{}/contacts/ada?lang=en", stage.origin())).await?;
        bob.press("button", "Remove contact").await?;
        bob.see("button", "Add contact").await?;
        ada.see_presence("bob", "Offline", SOON).await?;
        Ok(())
    }
}
