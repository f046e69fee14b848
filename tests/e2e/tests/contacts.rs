//! Who one is, and on how many devices (D1).

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use serde_json::json;
use visavis_e2e::contacts::acquaint;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, in_each, staged, until};

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

staged! {
    /// A handle that the operator frees is its owner's no more, on the page that is open and after a reload,
    /// until they take it again.
    async fn freed(stage: &Stage) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(Kind::Firefox).await?;
        ada.sign_in(stage, "ada").await?;
        let said = stage.operate(&["free-handle", "ada"])?;
        ensure!(said.contains("ada is free"), "{said}");
        ada.hear("alert", "the operator has freed it").await?;
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.see("textbox", "Your handle").await?;
        ada.fill("Your handle", "ada").await?;
        ada.press("button", "Sign in").await?;
        ada.hear("status", "You are ada").await
    }
}

/// A token as the operator's site makes it, with the secret that it shares with the server.
async fn token(browser: &Browser, secret: &str, handle: &str) -> Result<String> {
    let body = r#"
        const [secret, sub] = arguments;
        const text = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
        const utf8 = (text) => new TextEncoder().encode(text);
        const claims = { sub, iss: "https://site.example", aud: "https://meet.example", exp: Math.floor(Date.now() / 1000) + 600 };
        const signed = [{ alg: "HS256", typ: "JWT" }, claims].map((part) => text(utf8(JSON.stringify(part)))).join(".");
        const key = await crypto.subtle.importKey("raw", utf8(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
        return `${signed}.${text(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(signed))))}`;
    "#;
    let token = browser
        .async_script(body, vec![json!(secret), json!(handle)])
        .await?;
    Ok(token.as_str().unwrap_or_default().to_owned())
}

in_each! {
    /// Where the operator's own site says who is who, its link signs in, and is out of the address at once.
    async fn by_the_operators_site(stage: &Stage, kind: Kind) -> Result<()> {
        let secret = "a secret that the site and the server share";
        let file = stage.folder().join("token-secret");
        std::fs::write(&file, secret)?;
        let file = file.to_string_lossy();
        let options = [
            "--people-token-secret-file", &file,
            "--people-token-issuer", "https://site.example",
            "--people-token-audience", "https://meet.example",
        ];
        stage.serve_with(&options).await?;
        let ada = stage.browser(kind).await?;
        let contacts = format!("{}/contacts?lang=en", stage.origin());
        ada.visit(&contacts).await?;
        ada.fill("Your handle", "ada").await?;
        ada.press("button", "Sign in").await?;
        ada.hear("alert", "Open it from there").await?;
        let good = token(&ada, secret, "ada").await?;
        let forged = token(&ada, "a secret of somebody else, long enough for it", "ada").await?;
        for (token, role, says) in [(forged, "alert", "no longer good"), (good, "status", "You are ada")] {
            ada.driver().goto("about:blank").await?;
            ada.visit(&format!("{contacts}#{token}")).await?;
            ada.hear(role, says).await?;
            let address = ada.script("return location.href;", Vec::new()).await?;
            ensure!(address == contacts, "{address}");
        }
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.hear("status", "You are ada").await
    }
}
