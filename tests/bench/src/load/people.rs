//! Thousands of handles that are online, each with contacts who hear how it stands with them.
//!
//! Everybody signs in with a key of their own and adds their neighbours, all over the wire. Then some of
//! them take a seat in a room and give it up again, each second as many, and whoever has them among their
//! contacts is told `busy` and `online`. The CPU time is the server's own; that of the heartbeats of so
//! many sockets is measured apart and told beside it.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use visavis_protocol::handle::{Fixed, Nonce, proof};
use visavis_protocol::people::{PeopleEvent, PeopleRequest};
use visavis_protocol::{ClientMessage, Handle, RoomId, SeatSecret, ServerMessage, SessionSecret, limits};

use super::client;
use super::crowd::{Crowd, Heard};
use super::frame;
use crate::stats::Sample;
use crate::table::{Row, Table};
use crate::{program, usage};

/// Handles from one address: a family, well within what the server lets one address do.
const PER_ADDRESS: usize = 10;
/// Contacts of each, half of them on either side.
const CONTACTS: usize = 50;
/// Who changes each second: one in so many.
const CHANGING: usize = 100;
/// Seconds from a change to the one back.
const BACK_AFTER: usize = 15;
/// Who adds their contacts at the same time: as many as the server answers within a second or so.
const ADDING_AT_ONCE: usize = 400;
/// How long the crowd does nothing but write its heartbeats, to know what these cost.
const QUIET_FOR: Duration = Duration::from_secs(15);
/// What may come after the last change.
const LATE: Duration = Duration::from_secs(3);

/// Measures our server.
///
/// # Errors
/// If it fails, or anybody is not told what they should be.
pub fn measure(server: &Path, count: usize, seconds: u64, table: &mut Table) -> Result<()> {
    println!("{count} handles with {CONTACTS} contacts each");
    let (running, target) = client::start(server)?;
    let pid = running.pid();
    let empty = usage::resident(pid)?;
    let mut crowd = Crowd::new(target)?;
    crowd.open(count, PER_ADDRESS)?;
    let sockets = usage::resident(pid)?;
    let sign_in = timed(pid, || sign_in(&mut crowd))?;
    println!("  signed in");
    let add = timed(pid, || add(&mut crowd))?;
    println!("  everybody has their contacts");
    let full = usage::resident(pid)?;

    let mut folk = Folk::new(crowd);
    let quiet = timed(pid, || folk.live(QUIET_FOR, 0))?;
    folk.heard = 0;
    let busy_for = Duration::from_secs(seconds);
    let started = Instant::now();
    let busy = timed(pid, || folk.live(busy_for, count / CHANGING))?;
    let lasted = started.elapsed();
    folk.live(LATE, 0)?;
    let after = usage::resident(pid)?;
    folk.is_complete()?;

    let share = |used: Duration, span: Duration| used.as_secs_f64() / span.as_secs_f64();
    let (quiet, busy) = (share(quiet, QUIET_FOR), share(busy, lasted));
    let each = |from: u64, to: u64| float(to.saturating_sub(from)) / float(count as u64) / 1000.0;
    let told = float(folk.delays.len() as u64);
    let delays: Sample = folk
        .delays
        .iter()
        .map(|delay| delay.as_secs_f64() * 1e3)
        .collect();
    let at = |share: f64| delays.quantile(share).unwrap_or(f64::NAN);
    let changes = float(folk.changes as u64);
    let micros = |used: Duration, of: f64| used.as_secs_f64() * 1e6 / of;
    let mut tell = |metric: String, measured: String| table.push(Row::told("", metric, measured, "-"));
    tell(
        format!("{count} handles, {CONTACTS} contacts: server CPU with nothing but heartbeats"),
        format!("{:.1} % of a core", quiet * 100.0),
    );
    tell(
        format!("the same while 1 in {CHANGING} changes each second, for {seconds} s"),
        format!("{:.1} % of a core", busy * 100.0),
    );
    tell(
        "that is for each handle".into(),
        format!("{:.2} us a second", busy * 1e6 / float(count as u64)),
    );
    tell(
        "presence told".into(),
        format!(
            "{:.0}/s of {:.0} changes/s, {:.1} us each beside heartbeats",
            told / lasted.as_secs_f64(),
            changes / lasted.as_secs_f64(),
            (busy - quiet) * lasted.as_secs_f64() * 1e6 / told
        ),
    );
    tell(
        "from a change to who is told, this program's own delay within".into(),
        format!(
            "{:.1} ms; 99 %: {:.1} ms; longest {:.1} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        ),
    );
    tell(
        "memory for each handle with its socket, key and contacts".into(),
        format!(
            "{:.1} KB ({:.1} KB of them the socket); {:.1} KB after the changes",
            each(empty, full),
            each(empty, sockets),
            each(empty, after)
        ),
    );
    tell(
        "server CPU per sign-in; per contact added, both told and written down".into(),
        format!(
            "{:.0} us; {:.0} us",
            micros(sign_in, float(count as u64)),
            micros(add, float((count * CONTACTS) as u64))
        ),
    );
    Ok(())
}

/// The server's CPU time for a piece of work.
fn timed(pid: u32, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let before = usage::cpu_of_threads(pid)?;
    work()?;
    Ok(usage::cpu_of_threads(pid)?.saturating_sub(before))
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn float(number: u64) -> f64 {
    number as f64
}

fn handle(number: usize) -> Result<Handle> {
    format!("h{number:06}").parse().context("a handle")
}

fn request(request: PeopleRequest) -> Vec<u8> {
    frame::text(ClientMessage::People(request).encode().as_bytes())
}

/// Proves a handle for each, by a key of its own.
fn sign_in(crowd: &mut Crowd) -> Result<()> {
    let count = crowd.len();
    for number in 0..count {
        crowd.write(number, &request(PeopleRequest::Challenge {}))?;
    }
    let mut nonces: Vec<Option<Nonce>> = vec![None; count];
    let mut left = count;
    crowd.turn_until("asking what to sign", |number, heard| {
        let event = hear(number, heard)?;
        let PeopleEvent::Challenge { nonce } = event else {
            bail!("handle {number} was told {event:?}")
        };
        nonces[number] = Some(nonce);
        left -= 1;
        Ok(left == 0)
    })?;
    let random = SystemRandom::new();
    let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
    for (number, nonce) in nonces.into_iter().enumerate() {
        let handle = handle(number)?;
        let secret = EcdsaKeyPair::generate_pkcs8(kind, &random)
            .ok()
            .context("a key")?;
        let pair = EcdsaKeyPair::from_pkcs8(kind, secret.as_ref(), &random)
            .ok()
            .context("a key")?;
        let text = proof(&nonce.context("a nonce")?, &handle);
        let signature = pair.sign(&random, &text).ok().context("a signature")?;
        let message = PeopleRequest::SignIn {
            handle,
            key: Fixed(pair.public_key().as_ref().try_into().context("a key's length")?),
            signature: Fixed(signature.as_ref().try_into().context("a signature's length")?),
            code: None,
            take: true,
            name: format!("Handle {number}"),
        };
        crowd.write(number, &request(message))?;
    }
    let mut left = count;
    crowd.turn_until("signing in", |number, heard| {
        let event = hear(number, heard)?;
        let PeopleEvent::SignedIn { .. } = event else {
            bail!("handle {number} was told {event:?}")
        };
        left -= 1;
        Ok(left == 0)
    })
}

/// Lets each add their neighbours, as far as [`CONTACTS`] goes.
fn add(crowd: &mut Crowd) -> Result<()> {
    let count = crowd.len();
    let mut beat = Instant::now();
    for first in (0..count).step_by(ADDING_AT_ONCE) {
        let adding = first..count.min(first + ADDING_AT_ONCE);
        for number in adding.clone() {
            for other in contacts(number, count) {
                let handle = handle(other)?;
                crowd.write(number, &request(PeopleRequest::Add { handle }))?;
            }
        }
        let mut left = adding.len() * CONTACTS;
        crowd.turn_until("adding contacts", |number, heard| {
            let Heard::Text(text) = heard else {
                bail!("handle {number} was cut off")
            };
            client::refuse_errors(number, text)?;
            left -= usize::from(text.starts_with(b"{\"people\":{\"contacts\""));
            Ok(left == 0)
        })?;
        // It takes longer than a silent socket lives.
        if beat.elapsed() > limits::HEARTBEAT / 2 {
            beat = Instant::now();
            let ping = frame::text(ClientMessage::Ping {}.encode().as_bytes());
            for number in 0..count {
                crowd.write(number, &ping)?;
            }
        }
    }
    Ok(())
}

/// The neighbours of one, on a ring.
fn contacts(number: usize, count: usize) -> impl Iterator<Item = usize> {
    let half = CONTACTS / 2;
    (1..=half).flat_map(move |step| [(number + step) % count, (number + count - step) % count])
}

fn hear(number: usize, heard: Heard<'_>) -> Result<PeopleEvent> {
    let Heard::Text(text) = heard else {
        bail!("handle {number} was cut off")
    };
    let message = ServerMessage::decode(&String::from_utf8_lossy(text))?;
    let ServerMessage::People(event) = message else {
        bail!("handle {number} was told {message:?}")
    };
    Ok(event)
}

/// A crowd that lives: writes its heartbeats, and takes and leaves seats.
struct Folk {
    crowd: Crowd,
    /// Who changed last and when; by number.
    changed: Vec<Option<Instant>>,
    /// Who of whom it is still to be told: so many contacts.
    owed: Vec<usize>,
    /// Who sits in a room, the longest first.
    seated: VecDeque<(Instant, usize)>,
    /// Who is next to take a seat.
    next: usize,
    /// Whose heartbeat is next, and since when they are counted.
    beats: usize,
    began: Instant,
    changes: usize,
    heard: usize,
    delays: Vec<Duration>,
}

impl Folk {
    fn new(crowd: Crowd) -> Self {
        let count = crowd.len();
        Self {
            crowd,
            changed: vec![None; count],
            owed: vec![0; count],
            seated: VecDeque::new(),
            next: 0,
            beats: 0,
            began: Instant::now(),
            changes: 0,
            heard: 0,
            delays: Vec::new(),
        }
    }

    /// Lives for a while, with so many changes a second.
    fn live(&mut self, time: Duration, changes: usize) -> Result<()> {
        let (start, until) = (Instant::now(), Instant::now() + time);
        let mut done = 0;
        let ping = frame::text(ClientMessage::Ping {}.encode().as_bytes());
        while Instant::now() < until {
            program::check_interrupt()?;
            let count = self.crowd.len();
            // Spread over the time between two, as those of people are.
            let every = limits::HEARTBEAT / u32::try_from(count).unwrap_or(u32::MAX);
            while self.began + every * u32::try_from(self.beats).unwrap_or(u32::MAX) <= Instant::now() {
                self.crowd.write(self.beats % count, &ping)?;
                self.beats += 1;
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of a few thousand"
            )]
            let due = (start.elapsed().as_secs_f64() * float(changes as u64)) as usize;
            while done < due {
                self.change()?;
                done += 1;
            }
            self.turn()?;
        }
        Ok(())
    }

    /// Somebody who has sat long enough leaves; else the next one takes a seat.
    fn change(&mut self) -> Result<()> {
        let back = Duration::from_secs(BACK_AFTER as u64);
        let (number, message) = match self.seated.front() {
            Some((since, number)) if since.elapsed() >= back => {
                let number = *number;
                self.seated.pop_front();
                (number, ClientMessage::Leave {})
            }
            Some(_) | None => {
                let number = self.next;
                // Neighbours have common contacts; those who change together should not.
                self.next = (self.next + CONTACTS + 1) % self.crowd.len();
                self.seated.push_back((Instant::now(), number));
                let join = ClientMessage::Join {
                    room: RoomId::derive(&format!("alone {number} {}", self.changes), None),
                    seat: SeatSecret::from_bytes(client::random()),
                    session: SessionSecret::from_bytes(client::random()),
                    name: "One of many".into(),
                    claim: visavis_protocol::Claim::default(),
                };
                (number, join)
            }
        };
        if self.owed[number] > 0 {
            bail!("{} contacts of handle {number} were not told", self.owed[number]);
        }
        self.owed[number] = CONTACTS;
        self.changed[number] = Some(Instant::now());
        self.changes += 1;
        self.crowd
            .write(number, &frame::text(message.encode().as_bytes()))
    }

    fn turn(&mut self) -> Result<()> {
        let Self {
            crowd,
            changed,
            owed,
            heard: count,
            delays,
            ..
        } = self;
        crowd.turn(Duration::from_millis(2), &mut |number, heard| {
            let Heard::Text(text) = heard else {
                bail!("handle {number} was cut off")
            };
            client::refuse_errors(number, text)?;
            *count += 1;
            if text.starts_with(b"{\"people\":{\"presence\"")
                && let PeopleEvent::Presence(contact) = hear(number, heard)?
            {
                let whose: usize = contact.handle.as_str()[1..].parse()?;
                if changed[whose].is_none() {
                    // Still of the time in which they became contacts.
                    return Ok(0);
                }
                if owed[whose] == 0 {
                    bail!("handle {number} was told of {whose} once too often");
                }
                owed[whose] -= 1;
                delays.extend(changed[whose].map(|since| since.elapsed()));
            }
            Ok(0)
        })
    }

    /// Everybody was told of everything.
    fn is_complete(&self) -> Result<()> {
        let owed: usize = self.owed.iter().sum();
        if owed > 0 || self.delays.len() != self.changes * CONTACTS {
            bail!("{owed} of {} were not told", self.changes * CONTACTS);
        }
        println!("  {} messages heard", self.heard);
        Ok(())
    }
}
