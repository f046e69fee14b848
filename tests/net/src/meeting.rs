//! Two people in a call in the lab.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::{try_join, try_join_all};
use visavis_e2e::{Browser, Devices, Kind, Look, Room, Stage, until};

use crate::lab::{Client, Lab};

/// How long a call may take to come about behind NATs.
const CONNECTS_WITHIN: Duration = Duration::from_secs(20);
/// What stands still for so long does not flow, and what has flowed for so long goes on.
const PAUSE: Duration = Duration::from_millis(700);
const STEADY: Duration = Duration::from_millis(2500);
/// How old a call is that goes on.
const UNDER_WAY: Duration = Duration::from_secs(10);

/// Ada on host A and Bob on host B.
pub struct Meeting {
    /// Ada's browser, then Bob's.
    pub browsers: [Rc<Browser>; 2],
}

impl Meeting {
    /// Starts the server with these options and both browsers, and waits until they see and hear
    /// each other.
    ///
    /// # Errors
    /// If they do not.
    pub async fn begin(stage: &Stage, lab: &Lab, pair: [Kind; 2], options: &[String]) -> Result<Self> {
        let meeting = Self::prepare(stage, lab, pair, options).await?;
        meeting.join(stage).await?;
        Ok(meeting)
    }

    /// Starts the server and both browsers.
    ///
    /// # Errors
    /// If one does not start.
    pub async fn prepare(stage: &Stage, lab: &Lab, pair: [Kind; 2], options: &[String]) -> Result<Self> {
        let origin = format!("http://{}", lab.server_address());
        let mut all = vec!["--public-origin", &origin];
        all.extend(options.iter().map(String::as_str));
        stage.serve_at(&lab.public(), &lab.server_address(), &all).await?;
        let devices = Devices {
            frames_per_second: 15,
            ..Devices::default()
        };
        let (ada, bob) = try_join(
            stage.browser_at(pair[0], devices, &lab.client(Client::A)),
            stage.browser_at(pair[1], devices, &lab.client(Client::B)),
        )
        .await?;
        Ok(Self { browsers: [ada, bob] })
    }

    /// Both join, and see and hear each other.
    ///
    /// # Errors
    /// If they do not.
    pub async fn join(&self, stage: &Stage) -> Result<()> {
        let room = Room::new("lab");
        for (browser, name) in self.browsers.iter().zip(["Ada", "Bob"]) {
            browser.enter(stage, &room, name).await?;
        }
        self.see_and_hear(CONNECTS_WITHIN).await
    }

    /// Waits until sound and pictures arrive on both sides, and go on arriving.
    ///
    /// # Errors
    /// If they do not within `limit`.
    pub async fn see_and_hear(&self, limit: Duration) -> Result<()> {
        try_join_all(
            self.browsers
                .iter()
                .map(|browser| browser.sees_and_hears(1, limit)),
        )
        .await?;
        Ok(())
    }

    /// Waits until both tiles are marked so: "Direct" or "Relayed".
    ///
    /// # Errors
    /// If they are not in time.
    pub async fn marked(&self, mark: &str) -> Result<()> {
        for browser in &self.browsers {
            browser.see_within("img", mark, Duration::from_secs(10)).await?;
        }
        Ok(())
    }

    /// How long it takes from now until sound and pictures flow on both sides and go on to: the
    /// moment at which the last of these flows began that was still there 2.5 s later.
    ///
    /// # Errors
    /// If they do not within `limit`.
    pub async fn media_back(&self, limit: Duration) -> Result<Duration> {
        let began = Instant::now();
        let back = try_join_all(self.browsers.iter().map(async |browser| {
            let mut seen = arrived(browser).await?;
            let mut flows = [Flow::default(); 2];
            until(
                &format!("{}: sound and pictures again", browser.label),
                limit,
                async || {
                    let now = arrived(browser).await?;
                    let at = began.elapsed();
                    for ((flow, now), seen) in flows.iter_mut().zip(now).zip(seen) {
                        flow.look(at, now != seen);
                    }
                    seen = now;
                    let since = flows.iter().map(|flow| flow.steady_since(at)).collect();
                    let since: Option<Vec<Duration>> = since;
                    let last = since.and_then(|since| since.into_iter().max());
                    Ok(Look::at(last, || format!("{now:?}, {flows:?}")))
                },
            )
            .await
        }))
        .await?;
        Ok(back.into_iter().max().unwrap_or_default())
    }

    /// Lets the call go on for a while: a receiver of the first second takes late pictures for the
    /// rule, and faults hit calls that are under way.
    pub async fn goes_on(&self) {
        tokio::time::sleep(UNDER_WAY).await;
    }

    /// Each sees exactly the other, in one tile.
    ///
    /// # Errors
    /// If not.
    pub async fn one_tile_each(&self) -> Result<()> {
        for browser in &self.browsers {
            let tiles = browser.all("article", None).await?.len();
            ensure!(tiles == 2, "{}: {tiles} tiles", browser.label);
        }
        Ok(())
    }

    /// What both pages wrote to their consoles, with the milliseconds since they were opened: for
    /// whoever reads about a failure.
    ///
    /// # Errors
    /// If a page does not answer.
    pub async fn told(&self) -> Result<String> {
        let mut told = String::new();
        for browser in &self.browsers {
            let script = "return `${Math.round(performance.now())}: ` + __probe.log.map((line) => `${line.at} ${line.text.slice(0, 120)}`).join('\\n');";
            let said = browser.script(script, Vec::new()).await?;
            told.push_str(&format!(
                "\n{}\n{}",
                browser.label,
                said.as_str().unwrap_or_default()
            ));
        }
        Ok(told)
    }

    /// How many connections both have made so far.
    ///
    /// # Errors
    /// If a page does not answer.
    pub async fn connections_made(&self) -> Result<usize> {
        let mut sum = 0;
        for browser in &self.browsers {
            sum += browser.open().await?.peers_made;
        }
        Ok(sum)
    }
}

/// One flow of media, as looked at from time to time.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    /// When it began to flow, and when it last moved.
    moving: Option<(Duration, Duration)>,
}

impl Flow {
    fn look(&mut self, at: Duration, has_moved: bool) {
        match &mut self.moving {
            Some((_, last)) if has_moved => *last = at,
            Some((_, last)) if at.saturating_sub(*last) >= PAUSE => self.moving = None,
            Some(_) => {}
            None if has_moved => self.moving = Some((at, at)),
            None => {}
        }
    }

    /// When it began, if it has flowed long enough since.
    fn steady_since(&self, at: Duration) -> Option<Duration> {
        let (since, _) = self.moving?;
        (at.saturating_sub(since) >= STEADY).then_some(since)
    }
}

/// Packets of sound, decoded pictures, over all open connections.
async fn arrived(browser: &Browser) -> Result<[u64; 2]> {
    let mut sum = [0, 0];
    for peer in browser.peers().await? {
        for row in &peer.inbound {
            if row.kind == "audio" {
                sum[0] += row.packets;
            }
        }
        sum[1] += peer.frames();
    }
    Ok(sum)
}
