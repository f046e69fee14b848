//! Appointments, as people make and keep them: a professional at the desk, and clients with their links.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::browser::Browser;
use crate::page::SOON;
use crate::stage::Stage;
use crate::wait::{Look, until};

/// Finds a control within an appointment's item by its words, and presses it.
const PRESS: &str = r#"
    const [client, words] = arguments;
    const item = [...document.querySelectorAll("li")].find((item) => item.ariaLabel === client);
    const control = [...item?.querySelectorAll("button") ?? []]
        .find((button) => button.checkVisibility() && button.innerText.trim() === words);
    control?.click();
    return Boolean(control);
"#;
/// Sets day and time of the form to some minutes from now, as a picker would.
const SET_TIME: &str = r#"
    const [minutes] = arguments;
    const time = new Date(Date.now() + minutes * 60000);
    const two = (number) => String(number).padStart(2, "0");
    const set = (id, value) => {
        const field = document.getElementById(id);
        field.value = value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    set("date", [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-"));
    set("time", [two(time.getHours()), two(time.getMinutes())].join(":"));
"#;
/// The link that a letter with it would have.
const LINK: &str = r#"
    const [client] = arguments;
    const item = [...document.querySelectorAll("li")].find((item) => item.ariaLabel === client);
    const mail = item?.querySelector("a[href^='mailto:']")?.href ?? "";
    return decodeURIComponent(mail).match(/https?:\S+\/join#\S+/)?.[0] ?? null;
"#;

/// A desk's link, made by the operator.
///
/// # Errors
/// If the server makes none.
pub fn desk_link(stage: &Stage, name: &str) -> Result<String> {
    let said = stage.operate(&["desk-link", "--name", name])?;
    let (_, token) = said
        .split_once("/desk#")
        .with_context(|| format!("no link: {said}"))?;
    let token = token.split_whitespace().next().unwrap_or_default();
    Ok(format!("{}/desk?lang=en#{token}", stage.origin()))
}

/// The same link in English, whatever the browser speaks.
#[must_use]
pub fn in_english(link: &str) -> String {
    link.replacen('#', "?lang=en#", 1)
}

impl Browser {
    /// Makes an appointment that begins in some minutes, and waits until the server has it. Tells the client's
    /// link.
    ///
    /// # Errors
    /// If it is not on the list then, with a link.
    pub async fn book(&self, client: &str, in_minutes: i64, note: &str) -> Result<String> {
        self.see("form", "New appointment").await?;
        self.fill("Client", client).await?;
        self.fill("Note", note).await?;
        self.set_time(in_minutes).await?;
        self.press("button", "Create").await?;
        self.client_link(client).await
    }

    /// Sets day and time of the form.
    ///
    /// # Errors
    /// If there is none.
    pub async fn set_time(&self, in_minutes: i64) -> Result<()> {
        self.script(SET_TIME, vec![json!(in_minutes)]).await?;
        Ok(())
    }

    /// The link of a client, once there is one.
    ///
    /// # Errors
    /// If there is none.
    pub async fn client_link(&self, client: &str) -> Result<String> {
        until(
            &format!("{}: the link of {client}", self.label),
            SOON,
            async || {
                let link = self.script(LINK, vec![json!(client)]).await?;
                let link = link.as_str().map(in_english);
                if link.is_none() {
                    return Ok(Look::NotYet(self.words().await?));
                }
                Ok(Look::at(link, String::new))
            },
        )
        .await
    }

    /// Waits until an appointment's item says something; how long that took.
    ///
    /// # Errors
    /// If it never does.
    pub async fn see_standing(&self, client: &str, words: &str, limit: Duration) -> Result<Duration> {
        let began = Instant::now();
        let what = format!("{}: {client} is {words:?}", self.label);
        until(&what, limit, async || {
            let text = self.said("listitem", client).await?;
            Ok(Look::when(text.contains(words), || text))
        })
        .await?;
        Ok(began.elapsed())
    }

    /// Presses a button of one appointment.
    ///
    /// # Errors
    /// If it has none of these words.
    pub async fn press_of(&self, client: &str, words: &str) -> Result<()> {
        let what = format!("{}: {words:?} of {client}", self.label);
        until(&what, SOON, async || {
            let pressed = self.script(PRESS, vec![json!(client), json!(words)]).await?;
            if pressed == false {
                return Ok(Look::NotYet(self.words().await?));
            }
            Ok(Look::There(()))
        })
        .await
    }

    /// Opens a client's link and says that one is ready.
    ///
    /// # Errors
    /// If one does not wait then.
    pub async fn wait_in(&self, link: &str, professional: &str) -> Result<()> {
        self.visit(link).await?;
        self.press("button", "I am ready").await?;
        self.hear("status", &format!("Waiting for {professional}")).await
    }

    /// Waits until pictures of somebody have come.
    ///
    /// # Errors
    /// If none do.
    pub async fn first_picture(&self, limit: Duration) -> Result<()> {
        until(&format!("{}: a first picture", self.label), limit, async || {
            let peers = self.peers().await.unwrap_or_default();
            let frames: u64 = peers.iter().map(crate::probe::Peer::frames).sum();
            Ok(Look::when(frames > 0, || format!("{} peers", peers.len())))
        })
        .await
    }

    /// What was said aloud of who came, on this page.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn told_of_arrival(&self) -> Result<String> {
        let body = "return [...document.querySelectorAll('.ring-place > [role=status]')].map((said) => said.textContent).join(' ');";
        let said = self.script(body, Vec::new()).await?;
        Ok(said.as_str().unwrap_or_default().trim().to_owned())
    }
}

/// Joins somebody who waits; how long it took until both saw each other.
///
/// # Errors
/// If they never do.
pub async fn meet(desk: &Browser, client: &Browser, name: &str) -> Result<Duration> {
    let began = Instant::now();
    desk.press("button", &format!("Join {name}")).await?;
    let (here, there) = tokio::join!(
        async { desk.first_picture(SOON * 3).await.map(|()| began.elapsed()) },
        async { client.first_picture(SOON * 3).await.map(|()| began.elapsed()) },
    );
    let took = here?.max(there?);
    ensure!(
        desk.words().await?.contains(name),
        "whom one meets stands above the call"
    );
    Ok(took)
}
