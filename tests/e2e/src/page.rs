//! A person's hands and eyes: controls by role and accessible name, words on the screen.
//!
//! The names are the contract that assistive technology relies on too; English, which
//! `?lang=en` forces.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use thirtyfour::components::SelectElement;
use thirtyfour::{Key, WebElement};

use crate::browser::Browser;
use crate::member;
use crate::stage::Stage;
use crate::wait::{Look, until};

const FIND: &str = include_str!("find.js");

/// How long a control may take to appear, on a machine with more browsers than cores.
pub const SOON: Duration = Duration::from_secs(10);

/// A room's link, as it is shared.
#[derive(Clone, Debug)]
pub struct Room {
    /// The path's part.
    pub name: String,
    /// The fragment.
    pub secret: Option<String>,
}

impl Room {
    /// A room with a secret of its own.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            secret: Some(visavis_protocol::RoomSecret::from_bytes(member::random()).to_text()),
        }
    }

    /// The link under an origin.
    #[must_use]
    pub fn link(&self, origin: &str) -> String {
        let fragment = self
            .secret
            .as_ref()
            .map(|secret| format!("#{secret}"))
            .unwrap_or_default();
        format!("{origin}/room/{}?lang=en{fragment}", self.name)
    }
}

impl Browser {
    /// Pretends to be a screen of this size, in CSS pixels; Chromium only, whose windows have a least
    /// width. A touch screen has coarse pointers and no hovering.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn pretend_screen(&self, width: u32, height: u32, is_touch: bool) -> Result<()> {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_touch }),
        )
        .await?;
        self.cdp(
            "Emulation.setTouchEmulationEnabled",
            json!({ "enabled": is_touch }),
        )
        .await?;
        Ok(())
    }

    /// Pretends that the person's system wishes these, as in `prefers-color-scheme` and `dark`;
    /// Chromium only. What is not named is as it is.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn pretend_wishes(&self, wishes: &[(&str, &str)]) -> Result<()> {
        let features: Vec<Value> = wishes
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": features }))
            .await?;
        Ok(())
    }

    /// Opens an address and waits until the page can be used.
    ///
    /// # Errors
    /// If the page does not say that it is ready.
    pub async fn visit(&self, url: &str) -> Result<()> {
        self.driver().goto(url).await?;
        self.ready().await
    }

    /// Waits until the page says that it can be used.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ready(&self) -> Result<()> {
        until(
            &format!("{}: a page that is ready", self.label),
            SOON,
            async || {
                let ready = self
                    .script("return document.body?.dataset.ready ?? null;", Vec::new())
                    .await?;
                Ok(Look::when(ready == "true", || format!("data-ready is {ready}")))
            },
        )
        .await
    }

    /// Everything visible of a role and name.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn all(&self, role: &str, name: Option<&str>) -> Result<Vec<WebElement>> {
        until(&format!("{}: a page to look at", self.label), SOON, async || {
            let found = self
                .driver()
                .execute(FIND, vec![json!(role), json!(name), Value::Null])
                .await?;
            Ok(Look::There(found.elements()?))
        })
        .await
    }

    /// The first visible of a role and name, if there is one.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn find(&self, role: &str, name: &str) -> Result<Option<WebElement>> {
        Ok(self.all(role, Some(name)).await?.into_iter().next())
    }

    /// Waits for a visible element of a role and name.
    ///
    /// # Errors
    /// If it does not appear.
    pub async fn see(&self, role: &str, name: &str) -> Result<WebElement> {
        self.see_within(role, name, SOON).await
    }

    /// As [`Browser::see`], with a deadline of one's own.
    ///
    /// # Errors
    /// If it does not appear.
    pub async fn see_within(&self, role: &str, name: &str, limit: Duration) -> Result<WebElement> {
        until(&format!("{}: {role} \"{name}\"", self.label), limit, async || {
            let found = self.find(role, name).await?;
            if found.is_none() {
                return Ok(Look::NotYet(self.words().await?));
            }
            Ok(Look::at(found, String::new))
        })
        .await
    }

    /// Waits until no visible element of a role and name is left.
    ///
    /// # Errors
    /// If it stays.
    pub async fn see_gone(&self, role: &str, name: &str) -> Result<()> {
        until(
            &format!("{}: no more {role} \"{name}\"", self.label),
            SOON,
            async || {
                let left = self.all(role, Some(name)).await?.len();
                Ok(Look::when(left == 0, || format!("{left} left")))
            },
        )
        .await
    }

    /// Whether an audio context runs at all: a Firefox's does not where there is nothing to play to.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn measures_sound(&self) -> Result<bool> {
        let body = r#"
            const context = new AudioContext();
            context.resume();
            const began = performance.now();
            while (context.state !== "running" && performance.now() - began < 5000) await new Promise((done) => setTimeout(done, 50));
            const { state } = context;
            await context.close();
            return state;
        "#;
        Ok(self.async_script(body, Vec::new()).await? == "running")
    }

    /// The text that can be seen.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn words(&self) -> Result<String> {
        let text = self
            .script("return document.body?.innerText ?? '';", Vec::new())
            .await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until an element of a role says something that holds `part`.
    ///
    /// # Errors
    /// If none does.
    pub async fn hear(&self, role: &str, part: &str) -> Result<()> {
        until(
            &format!("{}: {role} that says \"{part}\"", self.label),
            SOON,
            async || {
                let mut said = Vec::new();
                for element in self.all(role, None).await? {
                    said.push(element.text().await.unwrap_or_default());
                }
                let holds = said
                    .iter()
                    .any(|text| text.to_lowercase().contains(&part.to_lowercase()));
                Ok(Look::when(holds, || format!("{said:?}")))
            },
        )
        .await
    }

    /// Presses a control as soon as it can be pressed.
    ///
    /// # Errors
    /// If it does not appear, or something covers it.
    pub async fn press(&self, role: &str, name: &str) -> Result<()> {
        until(
            &format!("{}: a press on {role} \"{name}\"", self.label),
            SOON,
            async || {
                let Some(element) = self.find(role, name).await? else {
                    return Ok(Look::NotYet(format!("not there: {}", self.words().await?)));
                };
                if !element.is_enabled().await.unwrap_or(true) {
                    return Ok(Look::NotYet(String::from("it cannot be pressed yet")));
                }
                // It may be replaced or move between being found and being pressed.
                Ok(match element.click().await {
                    Ok(()) => Look::There(()),
                    Err(error) => Look::NotYet(error.to_string()),
                })
            },
        )
        .await
    }

    /// Replaces the text of a field.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn fill(&self, name: &str, text: &str) -> Result<()> {
        until(&format!("{}: typing into {name}", self.label), SOON, async || {
            let field = self.see("textbox", name).await?;
            field.clear().await?;
            field.send_keys(text).await?;
            Ok(Look::There(()))
        })
        .await
    }

    /// Picks an entry of a list by its value, as a person who opens the list does.
    ///
    /// # Errors
    /// If the list is not there or has no such entry.
    pub async fn pick(&self, name: &str, value: &str) -> Result<()> {
        let list = self.see("combobox", name).await?;
        list.focus().await?;
        SelectElement::new(&list).await?.select_by_value(value).await?;
        Ok(())
    }

    /// Moves the focus forward until it is on the wanted control, as somebody without a mouse does.
    ///
    /// # Errors
    /// If it never comes there.
    pub async fn tab_to(&self, role: &str, name: &str) -> Result<()> {
        // More stops than any page of ours has.
        for _ in 0..40 {
            if let Some(element) = self.find(role, name).await? {
                let is_here = self
                    .script(
                        "return document.activeElement === arguments[0];",
                        vec![element.to_json()?],
                    )
                    .await?;
                if is_here == true {
                    return Ok(());
                }
            }
            self.keys(Key::Tab).await?;
            // Behind the last control comes the browser's own bar, and Firefox without a window does
            // not find back from it.
            let inside = self.script("return document.hasFocus();", Vec::new()).await?;
            ensure!(
                inside == true,
                "{}: Tab left the page before {role} \"{name}\"",
                self.label
            );
        }
        bail!("{}: Tab never came to {role} \"{name}\"", self.label)
    }

    /// Types into whatever has the focus.
    ///
    /// # Errors
    /// If the browser does not take it.
    pub async fn keys(&self, keys: impl Into<thirtyfour::TypingData>) -> Result<()> {
        self.driver().action_chain().send_keys(keys).perform().await?;
        Ok(())
    }

    /// Opens a room's link, not yet joining it.
    ///
    /// # Errors
    /// If the page does not become ready.
    pub async fn open_room(&self, stage: &Stage, room: &Room) -> Result<()> {
        self.visit(&room.link(&stage.origin())).await
    }

    /// Joins the open room under a name and waits until the page says so.
    ///
    /// # Errors
    /// If it does not.
    pub async fn join(&self, name: &str) -> Result<()> {
        self.fill("Your name", name).await?;
        self.press("button", "Join now").await?;
        self.room_state("joined").await
    }

    /// Opens a room and joins it.
    ///
    /// # Errors
    /// As the two steps.
    pub async fn enter(&self, stage: &Stage, room: &Room, name: &str) -> Result<()> {
        self.open_room(stage, room).await?;
        self.join(name).await
    }

    /// Leaves the call by its button and waits until the page is out of it.
    ///
    /// # Errors
    /// If it stays.
    pub async fn leave(&self) -> Result<()> {
        self.press("button", "Leave call").await?;
        self.see_gone("button", "Leave call").await
    }

    /// Waits for a state of the room.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn room_state(&self, wanted: &str) -> Result<()> {
        until(
            &format!("{}: room state {wanted}", self.label),
            SOON,
            async || {
                let state = self
                    .script(
                        "return document.querySelector('[data-room-state]')?.dataset.roomState ?? null;",
                        Vec::new(),
                    )
                    .await?;
                if state == wanted {
                    return Ok(Look::There(()));
                }
                Ok(Look::NotYet(format!("{state}: {}", self.words().await?)))
            },
        )
        .await
    }

    /// Waits for the tile of somebody else, connected.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn wait_for_tile(&self, name: &str) -> Result<WebElement> {
        until(&format!("{}: {name} connected", self.label), SOON, async || {
            let Some(tile) = self.find("article", name).await? else {
                return Ok(Look::NotYet(self.words().await?));
            };
            let state = tile.attr("data-connection").await?;
            let tile = (state.as_deref() == Some("connected")).then_some(tile);
            Ok(Look::at(tile, || format!("{state:?}")))
        })
        .await
    }

    /// Presses Enter where the focus is.
    ///
    /// # Errors
    /// If the browser does not take it.
    pub async fn press_enter(&self) -> Result<()> {
        self.keys(Key::Enter).await
    }
}
