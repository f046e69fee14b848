//! Messages a second that a core of the server relays, beside a bare `ws` relay (G13, G14).
//!
//! Pairs of clients play volleys: each message is answered by one of the same size, several are
//! under way at once, so that the server always has something to do. Both servers get the same
//! load from the same clients in turns, and are compared by messages per second of CPU time.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use visavis_protocol::{ClientMessage, PeerId, limits};

use super::bare::BareRelay;
use super::client;
use super::crowd::{Crowd, Heard, Target};
use super::frame;
use crate::stats::Sample;
use crate::table::{Row, Table, Verdict};
use crate::{program, usage};

/// Clients from one address: the burst of joins that the server allows it.
const PER_ADDRESS: usize = 10;
/// A round: this long to get going, this long measured.
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(3);
/// How long a round's last messages may be under way.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);
/// The share of its allowance that a client uses: the server must have nothing to complain about.
const ALLOWANCE: f64 = 0.9;

/// A size of message, and what is asked of it.
pub struct Size {
    id: &'static str,
    bytes: usize,
    /// Messages of each client that are under way at once.
    under_way: usize,
    /// The goal and the stretch, in times of the bare relay; without one it only explains another.
    goal: Option<(f64, f64)>,
}

/// A batch of candidates.
pub const SMALL: Size = Size {
    id: "G13",
    bytes: 300,
    under_way: 8,
    goal: Some((1.5, 1.9)),
};

/// An offer.
pub const LARGE: Size = Size {
    id: "G14",
    bytes: 6_000,
    under_way: 8,
    goal: Some((3.0, 4.0)),
};

/// An offer, with less to do in one go for each connection.
pub const LARGE_SHALLOW: Size = Size {
    id: "",
    bytes: 6_000,
    under_way: 2,
    goal: None,
};

/// Clients of one server, paired and ready to play.
struct Contest {
    name: &'static str,
    pid: u32,
    crowd: Crowd,
    /// When each client began, and what it has written since: to stay within its allowance.
    began: Instant,
    written: Vec<u32>,
    per_core: Sample,
    load: Sample,
}

/// Measures our server and the bare relay in turns.
///
/// # Errors
/// If one of them fails or loses a message.
pub fn measure(server: &Path, size: &Size, pairs: usize, rounds: usize, table: &mut Table) -> Result<()> {
    println!(
        "{pairs} pairs, messages of {} B, {} under way each way",
        size.bytes, size.under_way
    );
    let (running, target) = client::start(server)?;
    let mut crowd = Crowd::new(target)?;
    crowd.open(2 * pairs, PER_ADDRESS)?;
    let peers = client::join(&mut crowd, 0..2 * pairs)?;
    for client in 0..2 * pairs {
        let text = message(peers[client ^ 1], size.bytes)?;
        crowd.set_volley(client, &frame::text(text.as_bytes()), size.under_way);
    }
    let mut ours = Contest::new("ours", running.pid(), crowd);

    let bare = BareRelay::start()?;
    let mut crowd = Crowd::new(Target {
        address: bare.address.parse().context("the bare relay's address")?,
        path: "/pair".into(),
        names_pair: true,
        greeting: None,
    })?;
    crowd.open(2 * pairs, PER_ADDRESS)?;
    for client in 0..2 * pairs {
        let text = message(PeerId::from_bytes([7; 16]), size.bytes)?;
        crowd.set_volley(client, &frame::text(text.as_bytes()), size.under_way);
    }
    let mut theirs = Contest::new("bare ws", bare.pid(), crowd);

    for _ in 0..rounds {
        ours.round(size)?;
        theirs.keep_alive(false)?;
        theirs.round(size)?;
        ours.keep_alive(true)?;
    }
    report(size, &ours, &theirs, table)
}

fn report(size: &Size, ours: &Contest, theirs: &Contest, table: &mut Table) -> Result<()> {
    let our_rate = ours.per_core.median().context("no round was measured")?;
    let their_rate = theirs.per_core.median().context("no round was measured")?;
    let ratio = our_rate / their_rate;
    let metric = format!(
        "messages of {} B a second of server CPU, {} under way each way of a pair",
        size.bytes, size.under_way
    );
    let measured = format!("{:.0}k = {ratio:.2}x", our_rate / 1000.0);
    let floor = format!("{:.0}k", their_rate / 1000.0);
    table.push(match size.goal {
        None => Row::told(size.id, metric, measured, floor),
        Some((goal, stretch)) => Row {
            id: size.id,
            metric,
            goal: format!("{goal:.1}x bare ws"),
            stretch: format!("{stretch:.1}x"),
            measured,
            floor,
            verdict: Verdict::at_least(ratio, goal, stretch),
        },
    });
    for contest in [ours, theirs] {
        println!(
            "  {}: {} messages per CPU second (quartiles), load {:.0} % of a core",
            contest.name,
            contest.per_core.spread(),
            contest.load.median().unwrap_or(f64::NAN)
        );
    }
    Ok(())
}

impl Contest {
    fn new(name: &'static str, pid: u32, crowd: Crowd) -> Self {
        Self {
            name,
            pid,
            written: vec![0; crowd.len()],
            crowd,
            began: Instant::now(),
            per_core: Sample::default(),
            load: Sample::default(),
        }
    }

    /// Plays one round and notes its figures.
    fn round(&mut self, size: &Size) -> Result<()> {
        let mut heard = 0_u64;
        let mut under_way = 0_u64;
        for client in 0..self.crowd.len() {
            self.crowd.volley(client, size.under_way)?;
            self.written[client] += u32::try_from(size.under_way)?;
            under_way += size.under_way as u64;
        }
        self.play(size, WARM_UP, &mut heard, &mut under_way)?;
        let (first, used, started) = (heard, usage::cpu(self.pid)?, Instant::now());
        self.play(size, MEASURED, &mut heard, &mut under_way)?;
        let (span, used) = (started.elapsed(), usage::cpu(self.pid)?.saturating_sub(used));
        #[expect(clippy::cast_precision_loss, reason = "millions at most")]
        self.per_core.push((heard - first) as f64 / used.as_secs_f64());
        self.load.push(used.as_secs_f64() / span.as_secs_f64() * 100.0);

        let until = Instant::now() + DRAIN_WITHIN;
        while under_way > 0 {
            let name = self.name;
            self.crowd.turn(Duration::from_millis(20), &mut |client, news| {
                under_way -= u64::from(is_volley(name, client, news)?);
                Ok(0)
            })?;
            if Instant::now() > until {
                bail!("{}: {under_way} messages were lost", self.name);
            }
        }
        Ok(())
    }

    fn play(&mut self, size: &Size, span: Duration, heard: &mut u64, under_way: &mut u64) -> Result<()> {
        let until = Instant::now() + span;
        let (name, written) = (self.name, &mut self.written);
        let mut allowance = allowance(size, self.began.elapsed());
        while Instant::now() < until {
            self.crowd.turn(Duration::from_millis(20), &mut |client, news| {
                if !is_volley(name, client, news)? {
                    return Ok(0);
                }
                *heard += 1;
                if written[client] >= allowance {
                    *under_way -= 1;
                    return Ok(0);
                }
                written[client] += 1;
                Ok(1)
            })?;
            allowance = self::allowance(size, self.began.elapsed());
        }
        Ok(())
    }

    /// Lets a waiting crowd hear what came, and say that it is there.
    fn keep_alive(&mut self, speaks_ours: bool) -> Result<()> {
        if speaks_ours {
            let ping = frame::text(ClientMessage::Ping {}.encode().as_bytes());
            for client in 0..self.crowd.len() {
                self.crowd.write(client, &ping)?;
                self.written[client] += 1;
            }
        }
        let until = Instant::now() + Duration::from_millis(200);
        while Instant::now() < until {
            self.crowd.turn(Duration::from_millis(20), &mut |client, news| {
                is_volley(self.name, client, news)?;
                Ok(0)
            })?;
        }
        program::check_interrupt()
    }
}

/// Whether this is a relayed message; anything that a fault would bring ends the run.
fn is_volley(name: &str, client: usize, heard: Heard<'_>) -> Result<bool> {
    match heard {
        Heard::Text(text) => {
            client::refuse_errors(client, text)?;
            Ok(text.starts_with(b"{\"relay\""))
        }
        Heard::Closed(code) => bail!("{name}: client {client} was closed ({code:?})"),
    }
}

/// How many messages a client may have written since it began, by the server's limits.
fn allowance(size: &Size, since: Duration) -> u32 {
    let by =
        |rate: u32, burst: u32| f64::from(rate).mul_add(since.as_secs_f64(), f64::from(burst)) * ALLOWANCE;
    let messages = by(limits::MESSAGES_PER_SECOND, limits::MESSAGES_BURST);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let bytes = by(limits::BYTES_PER_SECOND, limits::BYTES_BURST) / size.bytes as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and far below the limit of u32 in a bounded run"
    )]
    {
        messages.min(bytes) as u32
    }
}

/// A relay of an offer, of exactly so many bytes.
fn message(to: PeerId, bytes: usize) -> Result<String> {
    let of = |sdp: String| {
        let packet = json!({ "ack": 3, "signals": [{ "offer": { "link": 0, "neg": 1, "sdp": sdp } }] });
        ClientMessage::Relay {
            to,
            n: 4,
            body: packet.to_string(),
        }
        .encode()
    };
    let line = "a=rtcp-fb:96 transport-cc\r\n";
    let room = bytes
        .checked_sub(of(String::new()).len())
        .context("too small for a relay")?;
    // Each line break is escaped twice on its way into the body, and grows from 2 to 6 characters.
    let sdp = line.repeat(room / (line.len() + 4));
    let filled = of(sdp.clone()).len();
    let text = of(sdp + &"x".repeat(bytes - filled));
    debug_assert_eq!(text.len(), bytes);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_size_that_they_claim_and_are_read_by_the_server() {
        for size in [SMALL.bytes, LARGE.bytes] {
            let text = message(PeerId::from_bytes([1; 16]), size).unwrap();
            assert_eq!(text.len(), size);
            assert!(matches!(
                ClientMessage::decode(&text),
                Ok(ClientMessage::Relay { .. })
            ));
        }
    }

    #[test]
    fn the_allowance_stays_below_the_servers() {
        let after = allowance(&SMALL, Duration::from_secs(10));
        assert!(after < limits::MESSAGES_BURST + 10 * limits::MESSAGES_PER_SECOND);
        assert!(after > limits::MESSAGES_BURST);
        assert!(allowance(&LARGE, Duration::ZERO) < limits::BYTES_BURST / 6000);
    }
}
