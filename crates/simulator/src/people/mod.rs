//! People who call each other by handle: real cores on several pages each, and the real hub, on one
//! virtual clock.
//!
//! Nobody is in a room in here: what a call is about once both are connected is the other world's
//! business. Whatever takes time is an entry in one queue, as there; what must hold is `watch`'s part while
//! it happens, and `check`'s at the end.

mod act;
mod check;
pub mod class;
mod heard;
mod net;
pub mod script;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use visavis_call_core::{Command, Config, Core, Event, PeopleIntent, Seed, SocketId, Timestamp};
use visavis_protocol::handle::{Fixed, Nonce, PublicKey, Signature, proof};
use visavis_protocol::{CallId, Handle};

use crate::queue::Queue;
use crate::trace::Trace;
use crate::world::{Options, Outcome, Rule, Violation};
use net::{Server, Wire};
use script::{Pace, Script};
use watch::{Seen, Story};

/// Commands that one event may cause.
const COMMANDS_PER_EVENT: usize = 40;
/// Events of one run, after which something goes round in circles.
const EVENTS_PER_RUN: u64 = 60_000;
/// What people are called, in their order.
const NAMES: [&str; 4] = ["ada", "bob", "cleo", "dan"];

/// What is due at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Due {
    /// The nth action of the script.
    Act(usize),
    /// A person's page is there (again), and signs in.
    Arrive { person: usize },
    /// A core asked to be woken.
    CoreTimer { page: usize },
    /// The hub asked to be woken.
    HubTimer,
    /// A socket reaches the server.
    ServerOpens { wire: usize },
    /// A message reaches the server.
    ServerReceives { wire: usize, text: String },
    /// The server learns that a socket is gone; and its page, if it is so.
    ServerLoses { wire: usize, departed: bool },
    /// A socket has opened, as its page sees it.
    ClientOpened { wire: usize },
    /// A message reaches a page.
    ClientReceives { wire: usize, text: String },
    /// A page learns that its socket is gone.
    ClientLoses { wire: usize, code: u16 },
    /// The server is up again.
    ServerBack { life: u64 },
    /// The network of a person is there again.
    OnlineAgain { person: usize },
    /// A browser has signed.
    Signed {
        page: usize,
        nonce: Nonce,
        handle: Handle,
    },
    /// Nobody may show this call as ringing any more.
    RingIsOver { call: CallId },
    /// Pages that are in different calls must have heard of it by now.
    OneCallEach { person: usize },
}

/// Somebody, over all their pages.
#[derive(Debug)]
struct Person {
    handle: Handle,
    key: PublicKey,
    /// Those that are open.
    pages: Vec<usize>,
    offline: bool,
    made: u64,
    seed: u64,
    /// Missed calls that were noted and not yet seen, as the server was told of both.
    unseen: Vec<u64>,
    /// Missed calls that were noted, by whose they were.
    noted: BTreeMap<usize, u32>,
    /// Whom they ever blocked.
    blocked: Vec<usize>,
}

/// One page with its core.
struct Page {
    person: usize,
    /// `None` once it is gone.
    core: Option<Core>,
    sockets: BTreeMap<SocketId, usize>,
    timer: Option<Duration>,
    spins: u32,
    hidden: bool,
    /// Whether it was told to sign in and not to sign out.
    wants_in: bool,
    /// The wire on which the hub said that its handle is proven.
    signed_in: Option<usize>,
    /// Since when nothing has been wrong with it, its socket or the server.
    well_since: Option<Duration>,
    seen: Option<Seen>,
    rng: Rng,
}

/// See the module.
struct World {
    script: Script,
    options: Options,
    pace: Pace,
    now: Duration,
    queue: Queue<Due>,
    trace: Trace,
    violation: Option<Violation>,
    people: Vec<Person>,
    pages: Vec<Page>,
    server: Server,
    wires: Vec<Wire>,
    /// Every call that was ever made.
    stories: BTreeMap<CallId, Story>,
}

/// Plays a script to its end or to the first broken rule.
#[must_use]
pub fn run(script: &Script, options: &Options) -> Outcome {
    let mut world = World::new(script, options);
    let settled_after = world.play();
    let violation = world.violation.take();
    Outcome {
        violation,
        hash: world.trace.hash(),
        events: world.trace.events(),
        settled_after,
        lines: world.trace.into_lines(),
    }
}

/// A model of a signature: nobody in here can make another one's, and it is good for one text.
fn sign(key: &PublicKey, text: &[u8]) -> Signature {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.0.iter().chain(text) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&hash.to_be_bytes());
    Fixed(bytes)
}

fn is_signed(key: &PublicKey, text: &[u8], signature: &Signature) -> bool {
    sign(key, text) == *signature
}

impl Person {
    fn new(seed: u64, number: usize) -> Self {
        let mut rng = Rng::with_seed(seed ^ (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut key = [0; 65];
        rng.fill(&mut key);
        Self {
            handle: handle(number),
            key: Fixed(key),
            pages: Vec::new(),
            offline: false,
            made: 0,
            seed: rng.u64(..),
            unseen: Vec::new(),
            noted: BTreeMap::new(),
            blocked: Vec::new(),
        }
    }
}

/// A person's handle.
fn handle(person: usize) -> Handle {
    NAMES[person % NAMES.len()]
        .parse()
        .unwrap_or_else(|why| unreachable!("a handle of ours: {why}"))
}

impl World {
    fn new(script: &Script, options: &Options) -> Self {
        let people: Vec<Person> = (0..script.pages.len())
            .map(|person| Person::new(script.seed, person))
            .collect();
        let keys = people.iter().map(|person| (person.handle.clone(), person.key));
        let mut world = Self {
            pace: script.pace,
            now: Duration::ZERO,
            queue: Queue::default(),
            trace: Trace::new(options.trace),
            violation: None,
            server: Server::new(script.seed, options.hub_fault, keys),
            people,
            pages: Vec::new(),
            wires: Vec::new(),
            stories: BTreeMap::new(),
            script: script.clone(),
            options: options.clone(),
        };
        for (person, count) in script.pages.iter().enumerate() {
            for _ in 0..*count {
                world.open_page(person);
            }
        }
        for (nth, (at, _)) in script.actions.iter().enumerate() {
            world.schedule(Duration::from_millis(*at), Due::Act(nth));
        }
        world
    }

    fn open_page(&mut self, person: usize) -> usize {
        let number = self.pages.len();
        let owner = &mut self.people[person];
        owner.made += 1;
        owner.pages.push(number);
        let mut rng = Rng::with_seed(
            owner
                .seed
                .wrapping_add(owner.made.wrapping_mul(0xd134_2543_de82_ef95)),
        );
        let mut seed = [0; 32];
        rng.fill(&mut seed);
        let config = Config {
            faults: self.options.faults,
            calls_have_rooms: false,
            ..Config::default()
        };
        self.pages.push(Page {
            person,
            core: Some(Core::new(config, Seed::new(seed), Timestamp::new(self.now))),
            sockets: BTreeMap::new(),
            timer: None,
            spins: 0,
            hidden: false,
            wants_in: false,
            signed_in: None,
            well_since: None,
            seen: None,
            rng,
        });
        number
    }

    fn schedule(&mut self, at: Duration, due: Due) {
        self.queue.push(at.max(self.now), due);
    }

    fn after(&mut self, delay: Duration, due: Due) {
        self.schedule(self.now + delay, due);
    }

    /// Up to `longest_ms` milliseconds, short ones more often than long ones.
    fn delay(&mut self, page: usize, longest_ms: u64) -> Duration {
        let rng = &mut self.pages[page].rng;
        let longest = if rng.u8(0..4) == 0 {
            longest_ms * 1000
        } else {
            longest_ms * 250
        };
        Duration::from_micros(rng.u64(0..=longest))
    }

    /// Lets happen what is due until then, or until a rule is broken.
    fn advance(&mut self, until: Duration) {
        while self.violation.is_none()
            && let Some((at, due)) = self.queue.pop(until)
        {
            self.now = at;
            self.happen(due);
            if self.trace.events() > EVENTS_PER_RUN {
                self.violate(Rule::Livelock, format_args!("{EVENTS_PER_RUN} events and no end"));
            }
        }
        self.now = self.now.max(until);
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Act(nth) => self.act(nth),
            Due::Arrive { person } => self.arrive(person),
            Due::CoreTimer { page } => self.wake_core(page),
            Due::HubTimer => self.wake_hub(),
            Due::ServerOpens { wire } => self.server_opens(wire),
            Due::ServerReceives { wire, text } => self.server_receives(wire, &text),
            Due::ServerLoses { wire, departed } => self.server_loses(wire, departed),
            Due::ClientOpened { wire } => self.client_opened(wire),
            Due::ClientReceives { wire, text } => self.client_receives(wire, text),
            Due::ClientLoses { wire, code } => self.client_loses(wire, code),
            Due::ServerBack { life } => self.server_back(life),
            Due::OnlineAgain { person } => self.online_again(person),
            Due::Signed { page, nonce, handle } => {
                let key = self.people[self.pages[page].person].key;
                let signature = sign(&key, &proof(&nonce, &handle));
                self.tell(
                    page,
                    Event::Signed {
                        nonce,
                        key,
                        signature,
                    },
                );
            }
            Due::RingIsOver { call } => self.ring_is_over(call),
            Due::OneCallEach { person } => self.one_call_each(person),
        }
    }

    fn violate(&mut self, rule: Rule, detail: fmt::Arguments<'_>) {
        self.trace
            .note(self.now, format_args!("VIOLATION {rule:?}: {detail}"));
        if self.violation.is_none() {
            self.violation = Some(Violation {
                at: self.now,
                rule,
                detail: detail.to_string(),
            });
        }
    }

    fn intend(&mut self, page: usize, intent: PeopleIntent) {
        self.tell(page, Event::Intent(visavis_call_core::Intent::People(intent)));
    }

    /// Tells a core a fact and does all that it wants done.
    fn tell(&mut self, page: usize, event: Event) {
        self.trace
            .note(self.now, format_args!("page {page} <- {event:?}"));
        let now = Timestamp::new(self.now);
        let Some(core) = self.pages[page].core.as_mut() else {
            return;
        };
        core.handle(now, event);
        let mut count = 0;
        while let Some(command) = self.pages[page].core.as_mut().and_then(Core::poll_command) {
            self.trace
                .note(self.now, format_args!("page {page} -> {command:?}"));
            count += 1;
            self.execute(page, command);
        }
        if count > COMMANDS_PER_EVENT {
            self.violate(
                Rule::Bounded,
                format_args!("page {page} gave {count} commands for one event"),
            );
        }
        self.set_core_timer(page);
        self.look(page);
    }

    fn execute(&mut self, page: usize, command: Command) {
        match command {
            Command::OpenSocket { socket } => self.open_socket(page, socket),
            Command::Send { socket, text } => self.send(page, socket, text),
            Command::CloseSocket { socket } => self.close_socket(page, socket),
            Command::Sign { nonce, handle } => {
                let delay = self.delay(page, self.pace.sign_ms);
                self.after(delay, Due::Signed { page, nonce, handle });
            }
            Command::CreateLink { .. }
            | Command::SetIceServers { .. }
            | Command::SetLocalDescription { .. }
            | Command::SetRemoteDescription { .. }
            | Command::Rollback { .. }
            | Command::AddCandidate { .. }
            | Command::AdoptTransceivers { .. }
            | Command::SetTrack { .. }
            | Command::RestartIce { .. }
            | Command::SendInBand { .. }
            | Command::SendReaction { .. }
            | Command::SendAside { .. }
            | Command::File(_)
            | Command::SendKeyFrame { .. }
            | Command::PausePictures { .. }
            | Command::Measure { .. }
            | Command::CloseLink { .. }
            | Command::Capture(_)
            | Command::SetSpeaker { .. }
            | Command::StopCapture { .. } => {
                self.violate(
                    Rule::Nonsense,
                    format_args!("page {page} is in no room and wants {command:?}"),
                );
            }
        }
    }

    fn set_core_timer(&mut self, page: usize) {
        let entry = &mut self.pages[page];
        let wanted = entry.core.as_ref().and_then(Core::poll_timeout);
        // Timers of a page in the background come at whole seconds.
        let wanted = wanted.map(|at| match at.since_start() {
            at if entry.hidden && at.subsec_nanos() > 0 => Duration::from_secs(at.as_secs() + 1),
            at => at,
        });
        if entry.timer != wanted {
            entry.timer = wanted;
            if let Some(at) = wanted {
                self.schedule(at, Due::CoreTimer { page });
            }
        }
    }

    fn wake_core(&mut self, page: usize) {
        if self.pages[page].timer.is_none_or(|at| at > self.now) {
            return;
        }
        self.pages[page].timer = None;
        self.tell(page, Event::Tick);
        let again = self.pages[page].timer;
        let spins = &mut self.pages[page].spins;
        *spins = if again.is_some_and(|at| at <= self.now) {
            *spins + 1
        } else {
            0
        };
        if *spins > 3 {
            self.violate(
                Rule::Bounded,
                format_args!("page {page} wants to be woken again and again for {again:?}"),
            );
        }
    }
}
