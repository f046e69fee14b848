//! People by their handles, as a person uses them: signs in, adds somebody, calls.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use thirtyfour::WebElement;

use crate::browser::Browser;
use crate::page::SOON;
use crate::stage::Stage;
use crate::wait::{Look, until};

impl Browser {
    /// Opens the contacts and becomes somebody.
    ///
    /// # Errors
    /// If that does not work.
    pub async fn sign_in(&self, stage: &Stage, handle: &str) -> Result<()> {
        self.visit(&format!("{}/contacts?lang=en", stage.origin()))
            .await?;
        self.fill("Your handle", handle).await?;
        self.press("button", "Sign in").await?;
        self.hear("status", &format!("You are {handle}")).await
    }

    /// Adds somebody to the contacts.
    ///
    /// # Errors
    /// If they are not on the list then.
    pub async fn add_contact(&self, handle: &str) -> Result<()> {
        self.fill("Add contact", handle).await?;
        self.press("button", "Add").await?;
        self.see("listitem", handle).await?;
        Ok(())
    }

    /// Waits until a contact's line has a word; how long that took.
    ///
    /// # Errors
    /// If it never does.
    pub async fn see_presence(&self, handle: &str, word: &str, limit: Duration) -> Result<Duration> {
        let began = Instant::now();
        until(
            &format!("{}: {handle} is {word}", self.label),
            limit,
            async || {
                let text = self.said("listitem", handle).await?;
                Ok(Look::when(text.contains(word), || text))
            },
        )
        .await?;
        Ok(began.elapsed())
    }

    /// Calls somebody from the list of contacts.
    ///
    /// # Errors
    /// If they cannot be called.
    pub async fn ring(&self, handle: &str, video: bool) -> Result<()> {
        let name = if video { "Video call" } else { "Call" };
        self.press("button", &format!("{name} {handle}")).await
    }

    /// Waits for the card of a call that comes in.
    ///
    /// # Errors
    /// If there is none.
    pub async fn see_ringing(&self) -> Result<WebElement> {
        self.see("alertdialog", "Incoming call").await
    }

    /// Waits until a dialog says something.
    ///
    /// # Errors
    /// If it never does.
    pub async fn see_said(&self, role: &str, name: &str, words: &str) -> Result<()> {
        let what = format!("{}: {name} says {words:?}", self.label);
        until(&what, SOON, async || {
            let text = self.said(role, name).await?;
            Ok(Look::when(text.contains(words), || text))
        })
        .await
    }

    /// What an element says; nothing if it is not there, or is just replaced.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn said(&self, role: &str, name: &str) -> Result<String> {
        let found = self.find(role, name).await?;
        let text = match found {
            Some(found) => found.text().await.ok(),
            None => None,
        };
        Ok(text.unwrap_or_default())
    }

    /// Opens another tab on the contacts, where this browser's person is known already; its name.
    ///
    /// # Errors
    /// If the browser opens none.
    pub async fn another_tab(&self, stage: &Stage, handle: &str) -> Result<thirtyfour::WindowHandle> {
        let tab = self.driver().new_tab().await.context("a new tab")?;
        self.turn_to(&tab).await?;
        self.visit(&format!("{}/contacts?lang=en", stage.origin()))
            .await?;
        self.hear("status", &format!("You are {handle}")).await?;
        Ok(tab)
    }

    /// Looks at another tab from now on.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn turn_to(&self, tab: &thirtyfour::WindowHandle) -> Result<()> {
        Ok(self.driver().switch_to_window(tab.clone()).await?)
    }
}

/// Two who know each other, each on their contacts.
///
/// # Errors
/// If they do not see each other there.
pub async fn acquaint(stage: &Stage, [ada, bob]: [(&Browser, &str); 2]) -> Result<()> {
    ada.0.sign_in(stage, ada.1).await?;
    bob.0.sign_in(stage, bob.1).await?;
    ada.0.add_contact(bob.1).await?;
    bob.0.add_contact(ada.1).await?;
    ada.0.see_presence(bob.1, "Online", SOON).await?;
    bob.0.see_presence(ada.1, "Online", SOON).await?;
    Ok(())
}
