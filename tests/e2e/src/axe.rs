//! What axe-core finds in a page.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::stage::Stage;

/// Findings that keep somebody out. Arguments: the rules to look at, null for all.
const FINDINGS: &str = r#"
    const rules = arguments[0];
    // What fades in and out is looked at while it is there.
    for (const move of document.getAnimations()) {
        if (move.animationName === "toast") move.currentTime = move.effect.getComputedTiming().duration / 2;
        else if (["panel", "sheet"].includes(move.animationName) || move instanceof CSSTransition) move.finish();
    }
    const options = { resultTypes: ["violations"], ...(rules && { runOnly: { type: "rule", values: rules } }) };
    const results = await axe.run(document, options);
    return JSON.stringify(results.violations
        .filter((found) => ["serious", "critical"].includes(found.impact))
        .map((found) => [found.id, found.impact, found.nodes.map((node) => [node.html.slice(0, 200), node.any[0]?.message])]));
"#;

/// axe-core, ready to be put into pages.
pub struct Axe(String);

impl Axe {
    /// Reads it; `None`, and the test counts as skipped, where it is not installed.
    #[must_use]
    pub fn load(stage: &Stage) -> Option<Self> {
        let axe = std::env::var_os("VISAVIS_AXE").and_then(|path| std::fs::read_to_string(path).ok());
        if axe.is_none() {
            stage.skip("axe-core is not installed; `cargo xtask setup` gets it where npm is");
        }
        axe.map(Self)
    }

    /// Insists that nothing in the page keeps somebody out, by all rules.
    ///
    /// # Errors
    /// If something does; `screen` names it.
    pub async fn look(&self, browser: &Browser, screen: &str) -> Result<()> {
        self.look_for(browser, screen, Value::Null).await
    }

    /// The same by the rules alone that depend on size and colours.
    ///
    /// # Errors
    /// As [`Axe::look`].
    pub async fn look_at_colours(&self, browser: &Browser, screen: &str) -> Result<()> {
        let rules = json!([
            "color-contrast",
            "target-size",
            "scrollable-region-focusable",
            "link-in-text-block"
        ]);
        self.look_for(browser, screen, rules).await
    }

    async fn look_for(&self, browser: &Browser, screen: &str, rules: Value) -> Result<()> {
        let is_there = browser.script("return !!window.axe;", Vec::new()).await?;
        if is_there != true {
            browser.script(&self.0, Vec::new()).await?;
        }
        let found = browser.async_script(FINDINGS, vec![rules]).await?;
        ensure!(found == "[]", "{screen}: {found}");
        Ok(())
    }
}
