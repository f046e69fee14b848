//! One page: opened, driven, listened to, and closed with its context.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::field;
use super::pipe::{Event, Pipe};
use crate::program;

/// How often a page is asked whether a condition holds. Figures never come from this clock.
const ASK_EVERY: Duration = Duration::from_millis(40);
/// Notes times and objects inside the page; see the file.
const PROBE: &str = include_str!("probe.js");

/// A network and a processor slower than ours.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// From a request to the head of its answer.
    pub latency: Duration,
    /// Bytes a second towards the page.
    pub down: u32,
    /// Bytes a second from the page.
    pub up: u32,
    /// How many times slower the processor is.
    pub cpu: u32,
}

impl Throttle {
    /// "Slow 4G" as DevTools has it: 1.6 and 0.75 Mbit/s less a tenth, 150 ms times 3.75 for each
    /// request, and a processor a quarter as fast.
    pub const SLOW_4G: Self = Self {
        latency: Duration::from_micros(562_500),
        down: 180_000,
        up: 84_375,
        cpu: 4,
    };
}

/// A page with a context of its own.
pub struct Page {
    pipe: Pipe,
    session: String,
    context: String,
}

impl Page {
    pub(super) fn open(pipe: &Pipe) -> Result<Self> {
        let answer = pipe.call(None, "Target.createBrowserContext", &json!({}))?;
        let context = field(&answer, "browserContextId")?.to_owned();
        let answer = pipe.call(
            None,
            "Target.createTarget",
            &json!({ "url": "about:blank", "browserContextId": context }),
        )?;
        let target = field(&answer, "targetId")?.to_owned();
        let answer = pipe.call(
            None,
            "Target.attachToTarget",
            &json!({ "targetId": target, "flatten": true }),
        )?;
        let page = Self {
            pipe: pipe.clone(),
            session: field(&answer, "sessionId")?.to_owned(),
            context,
        };
        page.pipe.listen(&page.session);
        page.call("Page.enable", &json!({}))?;
        page.call("Network.enable", &json!({}))?;
        page.before_load(PROBE)?;
        Ok(page)
    }

    /// Gives a command of the protocol to this page.
    ///
    /// # Errors
    /// If the browser refuses or is gone.
    pub fn call(&self, method: &str, params: &Value) -> Result<Value> {
        self.pipe.call(Some(&self.session), method, params)
    }

    /// Runs a script in every document before the document's own.
    ///
    /// # Errors
    /// If the browser is gone.
    pub fn before_load(&self, script: &str) -> Result<()> {
        self.call(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({ "source": script }),
        )?;
        Ok(())
    }

    /// Makes network and processor slower.
    ///
    /// # Errors
    /// If the browser is gone.
    pub fn throttle(&self, throttle: Throttle) -> Result<()> {
        self.call(
            "Network.emulateNetworkConditions",
            &json!({
                "offline": false,
                "latency": throttle.latency.as_secs_f64() * 1000.0,
                "downloadThroughput": throttle.down,
                "uploadThroughput": throttle.up,
            }),
        )?;
        self.call("Emulation.setCPUThrottlingRate", &json!({ "rate": throttle.cpu }))?;
        Ok(())
    }

    /// Goes to an address; does not wait for the page to load.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub fn go(&self, url: &str) -> Result<()> {
        let answer = self.call("Page.navigate", &json!({ "url": url }))?;
        if let Some(error) = answer["errorText"].as_str() {
            bail!("{url}: {error}");
        }
        Ok(())
    }

    /// The value of an expression in the page; a promise is awaited.
    ///
    /// # Errors
    /// If it throws.
    pub fn eval(&self, expression: &str) -> Result<Value> {
        let answer = self.call(
            "Runtime.evaluate",
            &json!({
                "expression": expression,
                "awaitPromise": true,
                "returnByValue": true,
                "userGesture": true,
            }),
        )?;
        if let Some(details) = answer.get("exceptionDetails") {
            let reason = details["exception"]["description"]
                .as_str()
                .or(details["text"].as_str());
            bail!("`{expression}` threw: {}", reason.unwrap_or("something"));
        }
        Ok(answer["result"]["value"].clone())
    }

    /// A number in the page.
    ///
    /// # Errors
    /// If it is none.
    pub fn number(&self, expression: &str) -> Result<f64> {
        let value = self.eval(expression)?;
        value
            .as_f64()
            .with_context(|| format!("`{expression}` is {value}"))
    }

    /// Waits until an expression, or what it promises, is true.
    ///
    /// # Errors
    /// If it does not become so in time; tells what the page shows.
    pub fn wait(&self, condition: &str, within: Duration) -> Result<()> {
        let until = Instant::now() + within;
        loop {
            // In the middle of a navigation there is no document to ask.
            let holds = self
                .eval(&format!("!!({condition})"))
                .unwrap_or(Value::Bool(false));
            if holds == Value::Bool(true) {
                return Ok(());
            }
            if Instant::now() > until {
                let shown = self
                    .eval("document.body?.innerText.slice(0, 600)")
                    .unwrap_or_default();
                bail!("`{condition}` did not come true in {within:?}; the page shows {shown}");
            }
            program::pause(ASK_EVERY)?;
        }
    }

    /// Takes the events that came since the last time.
    #[must_use]
    pub fn take_events(&self) -> Vec<Event> {
        self.pipe.take_events(&self.session)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.pipe.forget(&self.session);
        // If the browser is gone, so is the context.
        self.pipe
            .call(
                None,
                "Target.disposeBrowserContext",
                &json!({ "browserContextId": self.context }),
            )
            .ok();
    }
}
