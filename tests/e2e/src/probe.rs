//! What a browser says of its connections, tracks and listeners, through the injected probe.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;

use crate::browser::Browser;
use crate::wait::{Look, until};

/// What a page holds open.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// Connections that were not closed.
    pub peers: usize,
    /// Connections ever made.
    pub peers_made: usize,
    /// Descriptions set on any of them, own and remote.
    pub descriptions: usize,
    /// WebSockets connecting or open.
    pub sockets: usize,
    /// Tracks taken from devices that were not stopped.
    pub tracks: usize,
    /// Their kinds.
    pub track_kinds: Vec<String>,
    /// Audio contexts that were not closed.
    pub audio_contexts: usize,
    /// `setTimeout`s that are to come.
    pub timeouts: usize,
    /// `setInterval`s that run.
    pub intervals: usize,
    /// Animation frames asked for.
    pub frames: usize,
    /// Listeners by the kind of their target; kinds without any are left out.
    pub listeners: BTreeMap<String, i64>,
    /// `on…` properties set on what is open.
    pub handlers: usize,
    /// Calls of `getUserMedia` and `getDisplayMedia`.
    pub captures: usize,
    /// How many of them failed.
    pub refused: usize,
}

/// One connection.
#[derive(Clone, Debug, Deserialize)]
pub struct Peer {
    /// Counts the page's connections from 1.
    pub id: u64,
    /// `connectionState`.
    pub connection: String,
    /// `iceConnectionState`.
    pub ice: String,
    /// `signalingState`.
    pub signaling: String,
    /// Every transceiver, in order.
    pub transceivers: Vec<Transceiver>,
    /// Every stream that is received.
    pub inbound: Vec<Inbound>,
    /// Packets sent, of all streams.
    #[serde(rename = "sentPackets")]
    pub sent_packets: u64,
    /// The pair of candidates in use.
    pub pair: Option<Pair>,
    /// Own candidates whose address is hidden behind a `.local` name.
    pub mdns: usize,
}

/// One transceiver.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Transceiver {
    /// The media section's id.
    pub mid: Option<String>,
    /// `audio` or `video`.
    pub kind: String,
    /// What is wished for.
    pub direction: String,
    /// What was agreed on.
    pub current: Option<String>,
    /// Whether a live track is attached.
    pub sends: bool,
}

/// One stream that is received.
#[derive(Clone, Debug, Deserialize)]
pub struct Inbound {
    /// `audio` or `video`.
    pub kind: String,
    /// The media section's id.
    pub mid: Option<String>,
    /// Packets received.
    pub packets: u64,
    /// Frames decoded.
    pub frames: u64,
    /// `totalAudioEnergy`.
    pub energy: f64,
}

/// The candidates in use.
#[derive(Clone, Debug, Deserialize)]
pub struct Pair {
    /// Type of the own one.
    pub local: Option<String>,
    /// Type of the other one.
    pub remote: Option<String>,
}

/// The longest time in which nothing arrived, for one direction of one connection.
#[derive(Clone, Debug, Deserialize)]
pub struct Pause {
    /// Milliseconds, at least; see the probe.
    pub worst: f64,
    /// How often was looked.
    pub looks: u64,
}

/// A line that the page wrote to its console, or an error it did not catch.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    /// `debug` to `error`.
    pub level: String,
    /// What it says.
    pub text: String,
}

/// What went over the page's WebSockets.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wire {
    /// Messages sent.
    pub sent: u64,
    /// Characters sent.
    pub sent_bytes: u64,
    /// Messages received.
    pub received: u64,
    /// Characters received.
    pub received_bytes: u64,
}

impl Peer {
    fn sum(&self, kind: &str, of: impl Fn(&Inbound) -> f64) -> f64 {
        self.inbound.iter().filter(|row| row.kind == kind).map(of).sum()
    }

    /// Energy of the sound that arrived.
    #[must_use]
    pub fn audio_energy(&self) -> f64 {
        self.sum("audio", |row| row.energy)
    }

    /// Frames that arrived and were decoded.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.inbound
            .iter()
            .filter(|row| row.kind == "video")
            .map(|row| row.frames)
            .sum()
    }

    /// Frames that arrived in one media section, by its place, and were decoded.
    #[must_use]
    pub fn frames_of(&self, section: usize) -> u64 {
        self.rows_of(section).map(|row| row.frames).sum()
    }

    /// Energy of the sound that arrived in one media section, by its place.
    #[must_use]
    pub fn energy_of(&self, section: usize) -> f64 {
        self.rows_of(section).map(|row| row.energy).sum()
    }

    fn rows_of(&self, section: usize) -> impl Iterator<Item = &Inbound> {
        let mid = self
            .transceivers
            .get(section)
            .and_then(|transceiver| transceiver.mid.as_deref());
        self.inbound.iter().filter(move |row| row.mid.as_deref() == mid)
    }

    /// Packets that arrived, of both kinds.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.inbound.iter().map(|row| row.packets).sum()
    }
}

impl Browser {
    /// What the page holds open.
    ///
    /// # Errors
    /// If there is no probe in the page.
    pub async fn open(&self) -> Result<Open> {
        // As text: chromedriver stumbles over an object with a key `Window`.
        let text = self
            .script("return JSON.stringify(__probe.open());", Vec::new())
            .await?;
        Ok(serde_json::from_str(text.as_str().unwrap_or_default())?)
    }

    /// Every connection that is not closed.
    ///
    /// # Errors
    /// If there is no probe in the page.
    pub async fn peers(&self) -> Result<Vec<Peer>> {
        Ok(serde_json::from_value(
            self.async_script("return __probe.peers();", Vec::new()).await?,
        )?)
    }

    /// What went over the page's WebSockets so far.
    ///
    /// # Errors
    /// If there is no probe in the page.
    pub async fn wire(&self) -> Result<Wire> {
        Ok(serde_json::from_value(
            self.script("return __probe.wire();", Vec::new()).await?,
        )?)
    }

    /// The page's console, with the errors that it did not catch.
    ///
    /// # Errors
    /// If there is no probe in the page.
    pub async fn console(&self) -> Result<Vec<Line>> {
        Ok(serde_json::from_value(
            self.script("return __probe.log;", Vec::new()).await?,
        )?)
    }

    /// Starts to measure the longest pause of every direction.
    ///
    /// # Errors
    /// If there is no probe in the page.
    pub async fn watch_pauses(&self) -> Result<()> {
        self.script("__probe.watch();", Vec::new()).await?;
        Ok(())
    }

    /// Ends the measurement; by `<connection>/<kind>`.
    ///
    /// # Errors
    /// If there is no probe in the page.
    pub async fn pauses(&self) -> Result<BTreeMap<String, Pause>> {
        Ok(serde_json::from_value(
            self.script("return __probe.unwatch();", Vec::new()).await?,
        )?)
    }

    /// Waits until sound and pictures of `count` others have arrived and go on arriving.
    ///
    /// # Errors
    /// If they do not within `limit`.
    pub async fn sees_and_hears(&self, count: usize, limit: Duration) -> Result<()> {
        let mut before: BTreeMap<u64, (f64, u64)> = BTreeMap::new();
        let what = format!("{}: sound and pictures of {count} others", self.label);
        until(&what, limit, async || {
            let peers = self.peers().await?;
            let now: BTreeMap<u64, (f64, u64)> = peers
                .iter()
                .map(|peer| (peer.id, (peer.audio_energy(), peer.frames())))
                .collect();
            let growing = now
                .iter()
                .filter(|(id, (energy, frames))| {
                    before.get(id).is_some_and(|(energy_before, frames_before)| {
                        energy > energy_before && frames > frames_before
                    })
                })
                .count();
            let seen = format!("{now:?}, before {before:?}");
            // Energy comes in bursts, with the fake device's beeps: compare with the first look.
            for (id, values) in now {
                before.entry(id).or_insert(values);
            }
            Ok(Look::when(growing == count && peers.len() == count, || seen))
        })
        .await
    }
}
