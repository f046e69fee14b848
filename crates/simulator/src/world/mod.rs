//! Cores, model browsers and the real hub on one virtual clock.
//!
//! Whatever takes time is an entry in one queue, ordered by time and, at the same time, by when it
//! was put there. Every delay comes from a generator of its own actor, so that one actor less
//! leaves the others alone. Nothing here knows what a core ought to do; that is `check`'s part.

mod act;
mod channel;
mod check;
mod check_files;
mod files;
mod freight;
mod hosts;
mod link;
mod net;
mod offers;
mod pair;
mod run;
mod tab;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use visavis_call_core::{CaptureId, Command, Event, Faults, LinkId, SocketEvent, SocketId, Timestamp};
use visavis_protocol::{CloseCode, PeerId, RoomId, RoomSecret, TransferId};
use visavis_server::hub::HubFault;

use crate::browser::Task;
use crate::queue::Queue;
use crate::script::{Action, Change, Pace, Script};
use crate::trace::Trace;

use files::{Chore, Content};
use freight::Load;
use net::{Server, Wire};
pub(crate) use pair::connected_pair;
pub use run::{Outcome, run};
use tab::{Person, Tab};

/// Commands that one event may cause. Six peers with candidates held for each stay far below.
const COMMANDS_PER_EVENT: usize = 800;
/// Events of one run, after which something goes round in circles.
const EVENTS_PER_RUN: u64 = 400_000;

/// What a run is to be like, beside its script.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Bugs planted in every core.
    pub faults: Faults,
    /// A bug planted in the hub.
    pub hub_fault: Option<HubFault>,
    /// Whether to keep what happened as text.
    pub trace: bool,
    /// Whether nobody looks at connections, and they have no control channel: for a search of all
    /// orders, in which every timer counts.
    pub is_still: bool,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Duration,
    /// Which rule.
    pub rule: Rule,
    /// What there was instead.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} at {:.3} s: {}",
            self.rule,
            self.at.as_secs_f64(),
            self.detail
        )
    }
}

/// The rules: `limits.md`, section 5.1, in the order in which a run meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A browser refuses no operation.
    Refused,
    /// A browser refuses no candidate.
    CandidateRefused,
    /// One description operation is in flight at a time.
    Overlap,
    /// A command makes sense when it is given.
    Nonsense,
    /// One connection a pair on each side, beside those made ahead.
    OneConnection,
    /// The server has nothing to complain about.
    ServerComplained,
    /// One event causes a bounded number of commands, and a timer that fired is over.
    Bounded,
    /// The world comes to rest.
    Livelock,
    /// Within 30 s after the faults: everybody is in, stable and connected with everybody.
    Settles,
    /// A camera or microphone that is on sends, one that is off does not run.
    Media,
    /// Nobody is listed twice, and nobody who is gone.
    Roster,
    /// 90 s after somebody went without being heard nobody shows them.
    Ghost,
    /// Who left holds nothing.
    Leaves,
    /// The loss of the server closes no connection.
    ServerLossDisturbs,
    /// Somebody who leaves is gone at once for those whom they can tell directly.
    LeaveIsHeard,
    /// Who was removed is out, stays out, and never hears of the link that the others have.
    Removed,
    /// Those who stay have the room's link.
    Link,
    /// A transfer ends for both sides alike and for a reason, or waits for a person.
    Transfer,
    /// No pipe is open for nothing.
    Pipe,
    /// What was received is what was sent.
    Content,
    /// What came whole does not come again.
    SentTwice,
    /// Nobody shows a call as ringing 50 s after it began.
    GhostRing,
    /// What ended does not ring.
    LateRing,
    /// Nobody is in two calls.
    TwoCalls,
    /// Nobody is in a call who did not ask for it or take it, as the other one did.
    Consent,
    /// Of two calls that cross the one with the higher id goes on.
    Collision,
    /// A call that was taken goes on until somebody ends it, and both are in it.
    TalkCut,
    /// Both sides know the end of a call as one of the same class.
    EndClass,
    /// A call that was missed is noted and told once, and no other is.
    Missed,
    /// What is over leaves nothing behind in the hub.
    Leftover,
}

/// What is due at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Due {
    /// The nth action of the script.
    Act(usize),
    /// A tab's page is there (again): enter, and join.
    Arrive { tab: usize, join: bool },
    /// A core asked to be woken.
    CoreTimer { tab: usize },
    /// The hub asked to be woken.
    HubTimer,
    /// A socket reaches the server.
    ServerOpens { wire: usize },
    /// A message reaches the server.
    ServerReceives { wire: usize, text: String },
    /// The server learns that a socket is gone.
    ServerLoses { wire: usize },
    /// A socket has opened, as its tab sees it.
    ClientOpened { wire: usize },
    /// A message reaches a tab.
    ClientReceives { wire: usize, text: String },
    /// A tab learns that its socket is gone.
    ClientLoses { wire: usize, code: u16 },
    /// The server is up again.
    ServerBack { life: u64 },
    /// The network of a person is there again.
    OnlineAgain { person: usize },
    /// A browser goes on with something.
    Link { connection: usize, task: Task },
    /// Something wants to be negotiated.
    Change { connection: usize, change: Change },
    /// ICE has found a pair that works.
    IceConnects { connection: usize },
    /// ICE looks whether it lost the other side.
    IceLoses { connection: usize, failed: bool },
    /// The media path between two people is there again.
    PathBack { one: usize, two: usize },
    /// A remote track of a connection may have started or stopped.
    Receiving { connection: usize },
    /// The answer to a capture.
    CaptureAnswered { tab: usize, capture: CaptureId },
    /// A control channel opens.
    ChannelOpens { connection: usize },
    /// A message comes on a control channel.
    ChannelReceives { connection: usize, text: String },
    /// A reaction comes on the channel of its own.
    ReactionComes { connection: usize, text: String },
    /// A control channel ends, because its other end closed.
    ChannelCloses { connection: usize },
    /// Something comes on a side channel or a pipe.
    Freight { connection: usize, load: Load },
    /// A browser is done with something about files.
    Chore { tab: usize, chore: Chore },
    /// What arrived was counted.
    Measured { connection: usize },
    /// Somebody who left must be gone for a tab that could hear it.
    LeaveHeard {
        tab: usize,
        pair: (usize, usize),
        hearer: Option<PeerId>,
        peer: PeerId,
        since: Duration,
    },
}

/// See the module.
pub struct World {
    script: Script,
    options: Options,
    pace: Pace,
    now: Duration,
    queue: Queue<Due>,
    trace: Trace,
    violation: Option<Violation>,
    /// The room's id, as the server was last heard to say.
    room: RoomId,
    people: Vec<Person>,
    tabs: Vec<Tab>,
    server: Server,
    wires: Vec<Wire>,
    /// The tab and handle of every connection ever made, by its number.
    connections: Vec<(usize, LinkId)>,
    /// People whose media do not reach each other, the smaller number first, and how often so.
    severed: BTreeMap<(usize, usize), u32>,
    /// When a path between two people was last interrupted.
    interrupted: BTreeMap<(usize, usize), Duration>,
    /// Whether anybody offers files.
    has_files: bool,
    /// What is in the files that were offered, and in those that were picked for them later.
    contents: BTreeMap<TransferId, Vec<Content>>,
    /// Reads and writes that failed, and blocks that were spoiled.
    troubles: u32,
    spoiled: u32,
    /// Pages that are loading.
    arriving: usize,
    /// Description operations begun so far.
    operations: u64,
    /// Whose sessions those are whom a host wanted to send away.
    whose: BTreeMap<PeerId, usize>,
    /// Which people were told a secret by others.
    heard_by: BTreeMap<RoomSecret, BTreeSet<usize>>,
    chaos: Rng,
}

impl World {
    /// The world at the beginning of a script.
    #[must_use]
    pub fn new(script: &Script, options: &Options) -> Self {
        let mut world = Self {
            pace: script.pace,
            now: Duration::ZERO,
            queue: Queue::default(),
            trace: Trace::new(options.trace),
            violation: None,
            room: hosts::first_room(script),
            people: (0..script.people)
                .map(|person| Person::new(script.seed, person, hosts::first_secret(script.seed)))
                .collect(),
            tabs: Vec::new(),
            server: Server::new(script.seed, options.hub_fault),
            wires: Vec::new(),
            connections: Vec::new(),
            severed: BTreeMap::new(),
            interrupted: BTreeMap::new(),
            has_files: script
                .actions
                .iter()
                .any(|(_, action)| matches!(action, Action::Offer { .. })),
            contents: BTreeMap::new(),
            troubles: 0,
            spoiled: 0,
            arriving: 0,
            operations: 0,
            whose: BTreeMap::new(),
            heard_by: BTreeMap::new(),
            chaos: Rng::with_seed(script.seed ^ 0xc4a0_5c4a_05c4_a05c),
            script: script.clone(),
            options: options.clone(),
        };
        for person in 0..script.people {
            world.open_tab(person);
        }
        for (nth, (at, _)) in script.actions.iter().enumerate() {
            world.schedule(Duration::from_millis(*at), Due::Act(nth));
        }
        world
    }

    fn schedule(&mut self, at: Duration, due: Due) {
        self.queue.push(at.max(self.now), due);
    }

    fn after(&mut self, delay: Duration, due: Due) {
        self.schedule(self.now + delay, due);
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
            Due::Arrive { tab, join } => self.arrive(tab, join),
            Due::CoreTimer { tab } => self.wake_core(tab),
            Due::HubTimer => self.wake_hub(),
            Due::ServerOpens { wire } => self.server_opens(wire),
            Due::ServerReceives { wire, text } => self.server_receives(wire, &text),
            Due::ServerLoses { wire } => self.server_loses(wire),
            Due::ClientOpened { wire } => self.client_opened(wire),
            Due::ClientReceives { wire, text } => self.client_receives(wire, text),
            Due::ClientLoses { wire, code } => self.client_loses(wire, code),
            Due::ServerBack { life } => self.server_back(life),
            Due::OnlineAgain { person } => self.online_again(person),
            Due::Link { connection, task } => self.run_link(connection, task),
            Due::Change { connection, change } => self.change(connection, change),
            Due::IceConnects { connection } => self.ice_connects(connection),
            Due::IceLoses { connection, failed } => self.ice_loses(connection, failed),
            Due::PathBack { one, two } => self.path_back(one, two),
            Due::Receiving { connection } => self.update_receiving(connection),
            Due::CaptureAnswered { tab, capture } => self.capture_answered(tab, capture),
            Due::ChannelOpens { connection } => self.channel_opens(connection),
            Due::ChannelReceives { connection, text } => self.channel_receives(connection, text),
            Due::ReactionComes { connection, text } => self.reaction_comes(connection, text),
            Due::ChannelCloses { connection } => self.channel_closes(connection),
            Due::Freight { connection, load } => self.freight_comes(connection, load),
            Due::Chore { tab, chore } => self.do_chore(tab, chore),
            Due::Measured { connection } => self.measured(connection),
            Due::LeaveHeard {
                tab,
                pair,
                hearer,
                peer,
                since,
            } => self.leave_heard(tab, pair, hearer, peer, since),
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

    fn timestamp(&self) -> Timestamp {
        Timestamp::new(self.now)
    }

    /// Tells a core a fact and does all that it wants done.
    fn tell(&mut self, tab: usize, event: Event) {
        let now = self.timestamp();
        self.trace.note(self.now, format_args!("tab {tab} <- {event:?}"));
        let Some(core) = self.tabs[tab].core.as_mut() else {
            return;
        };
        let is_loss = matches!(&event, Event::Socket(_, SocketEvent::Closed { code })
            if CloseCode::from_code(*code).is_none_or(|code| !code.is_final()));
        core.handle(now, event);
        let mut count = 0;
        while let Some(command) = self.tabs[tab].core.as_mut().and_then(|core| core.poll_command()) {
            self.trace
                .note(self.now, format_args!("tab {tab} -> {command:?}"));
            count += 1;
            if is_loss && matches!(command, Command::CloseLink { .. }) {
                self.violate(
                    Rule::ServerLossDisturbs,
                    format_args!("tab {tab}: {command:?} because a socket was lost"),
                );
            }
            self.execute(tab, command);
        }
        if count > COMMANDS_PER_EVENT {
            self.violate(
                Rule::Bounded,
                format_args!("tab {tab} gave {count} commands for one event"),
            );
        }
        self.set_core_timer(tab);
    }

    fn set_core_timer(&mut self, tab: usize) {
        let wanted = self.tabs[tab]
            .core
            .as_ref()
            .and_then(|core| core.poll_timeout())
            .map(|at| self.tabs[tab].throttled(at.since_start()));
        if self.tabs[tab].timer != wanted {
            self.tabs[tab].timer = wanted;
            if let Some(at) = wanted {
                self.schedule(at, Due::CoreTimer { tab });
            }
        }
    }

    fn wake_core(&mut self, tab: usize) {
        if self.tabs[tab].timer.is_none_or(|at| at > self.now) {
            return;
        }
        self.tabs[tab].timer = None;
        self.tell(tab, Event::Tick);
        let again = self.tabs[tab].timer;
        let spins = &mut self.tabs[tab].spins;
        if again.is_some_and(|at| at <= self.now) {
            *spins += 1;
            if *spins > 3 {
                self.violate(
                    Rule::Bounded,
                    format_args!("tab {tab} wants to be woken again and again for {again:?}"),
                );
            }
        } else {
            *spins = 0;
        }
    }

    /// The newest wire of a tab under that handle.
    fn wire_of(&self, tab: usize, socket: SocketId) -> Option<usize> {
        self.tabs[tab].sockets.get(&socket).copied()
    }
}
