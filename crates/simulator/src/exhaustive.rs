//! Every order of everything, for two people who both change tracks.
//!
//! Starts from two connected cores and lets each side make its changes at any time, with every
//! interleaving of deliveries and browser steps between. States that were seen before are not
//! searched again: a state is what cores, connections, channels and open browser tasks say of
//! themselves. Time stands still; a timer fires only where nothing else can happen.
//!
//! The channels are FIFO, as a WebSocket is: reordering across roads belongs to the seeds.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use rustc_hash::FxHashSet;
use visavis_call_core::{
    Command, Core, Event, LinkEvent, LinkId, RequestId, SocketEvent, SocketId, Timestamp,
};
use visavis_protocol::{ClientMessage, PeerId, ServerMessage};

use crate::browser::{Direction, MediaKind, Output, PeerConnection, Signaling, Task};
use crate::script::Change;
use crate::world::{Options, connected_pair};

/// Timers that may fire on one way before it counts as going round in circles.
const TICKS: u8 = 12;
/// Timers further away than that are heartbeats.
const SOON: Duration = Duration::from_secs(8);

/// What the two do, each in the order given.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Shown to people.
    pub name: &'static str,
    /// The changes of either side.
    pub changes: [Vec<Change>; 2],
    /// After how many states to give up.
    pub states: usize,
}

/// The plans that are searched in full.
#[must_use]
pub fn plans(states: usize) -> Vec<Plan> {
    let video = Change::AddTransceiver(MediaKind::Video);
    let audio = Change::AddTransceiver(MediaKind::Audio);
    let mute = Change::Turn(0, Direction::RecvOnly);
    let plan = |name, one: &[Change], two: &[Change]| Plan {
        name,
        changes: [one.to_vec(), two.to_vec()],
        states,
    };
    vec![
        plan("one adds, the other adds", &[video], &[audio]),
        plan("one adds and turns, the other adds", &[video, mute], &[audio]),
        plan("both restart ICE", &[Change::RestartIce], &[Change::RestartIce]),
        plan(
            "one adds twice, the other adds twice",
            &[video, audio],
            &[audio, video],
        ),
        plan(
            "one adds and restarts ICE, the other adds",
            &[video, Change::RestartIce],
            &[audio],
        ),
    ]
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Different states.
    pub states: u64,
    /// Steps between them.
    pub steps: u64,
    /// States in which all was over.
    pub ends: u64,
    /// The longest way to one.
    pub depth: usize,
    /// Whether every state was looked at.
    pub complete: bool,
    /// What broke, with the steps that lead there.
    pub violation: Option<(String, Vec<String>)>,
    /// Wall time.
    pub took: Duration,
}

/// One thing that can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// The first message on the way to a side arrives.
    Deliver(usize),
    /// A side's browser goes on.
    Run(usize, Task),
    /// A side's next change is made.
    Change(usize),
    /// The next timer of both fires.
    Tick,
}

/// One of the two.
#[derive(Clone)]
pub(crate) struct Side {
    pub(crate) core: Core,
    pub(crate) pc: PeerConnection,
    pub(crate) link: LinkId,
    pub(crate) socket: SocketId,
    pub(crate) me: PeerId,
    pub(crate) tasks: Vec<Task>,
    inbox: VecDeque<(u64, String)>,
    changes: usize,
    request: Option<RequestId>,
    /// Of the core, as of its last event.
    fingerprint: u64,
}

impl Side {
    pub(crate) fn new(core: Core, pc: PeerConnection, link: LinkId, socket: SocketId, me: PeerId) -> Self {
        Self {
            core,
            pc,
            link,
            socket,
            me,
            tasks: Vec::new(),
            inbox: VecDeque::new(),
            changes: 0,
            request: None,
            fingerprint: 0,
        }
    }

    /// Reads the core's state off what it says of itself.
    fn update_fingerprint(&mut self, buffer: &mut String) {
        buffer.clear();
        // Never fails: a string takes everything.
        _ = write!(buffer, "{:?}", self.core);
        let mut hasher = DefaultHasher::new();
        buffer.hash(&mut hasher);
        self.fingerprint = hasher.finish();
    }
}

#[derive(Clone)]
struct State {
    sides: [Side; 2],
    now: Timestamp,
    ticks: u8,
}

/// Searches every way through a plan.
#[must_use]
pub fn search(plan: &Plan, options: &Options) -> Findings {
    let began = std::time::Instant::now();
    let (sides, now) = match connected_pair(options) {
        Ok(pair) => pair,
        Err(violation) => {
            return Findings {
                violation: Some((violation.to_string(), Vec::new())),
                ..Findings::default()
            };
        }
    };
    let start = State { sides, now, ticks: 0 };
    let mut search = Search {
        plan,
        seen: FxHashSet::default(),
        path: Vec::new(),
        findings: Findings {
            complete: true,
            ..Findings::default()
        },
        buffer: String::new(),
    };
    search.visit(start);
    search.findings.took = began.elapsed();
    search.findings
}

struct Search<'a> {
    plan: &'a Plan,
    seen: FxHashSet<u64>,
    path: Vec<Step>,
    findings: Findings,
    buffer: String,
}

impl Search<'_> {
    /// Depth first, with a stack of its own: ways are longer than a thread's stack likes.
    fn visit(&mut self, start: State) {
        self.seen.insert(start.fingerprint());
        self.findings.states = 1;
        let mut stack = vec![(start.steps(self.plan), start)];
        while let Some((steps, state)) = stack.last_mut() {
            let Some(step) = steps.pop() else {
                stack.pop();
                self.path.pop();
                continue;
            };
            let mut next = state.clone();
            self.path.push(step);
            self.findings.steps += 1;
            if let Err(broken) = next.take(step, self.plan) {
                return self.found(broken);
            }
            // A step reaches the core of one side only, a timer both.
            match step {
                Step::Deliver(at) | Step::Run(at, _) | Step::Change(at) => {
                    next.sides[at].update_fingerprint(&mut self.buffer);
                }
                Step::Tick => {
                    for side in &mut next.sides {
                        side.update_fingerprint(&mut self.buffer);
                    }
                }
            }
            if !self.seen.insert(next.fingerprint()) {
                self.path.pop();
                continue;
            }
            self.findings.states += 1;
            self.findings.depth = self.findings.depth.max(self.path.len());
            if self.seen.len() >= self.plan.states {
                self.findings.complete = false;
                return;
            }
            let steps = next.steps(self.plan);
            if steps.is_empty() {
                self.findings.ends += 1;
                if let Err(broken) = next.check() {
                    return self.found(broken);
                }
                self.path.pop();
                continue;
            }
            stack.push((steps, next));
        }
    }

    fn found(&mut self, broken: String) {
        let path = self.path.iter().map(|step| format!("{step:?}")).collect();
        self.findings.violation = Some((broken, path));
        self.findings.complete = false;
    }
}

impl State {
    /// Everything that can happen next.
    fn steps(&self, plan: &Plan) -> Vec<Step> {
        let mut steps = Vec::new();
        for (at, side) in self.sides.iter().enumerate() {
            if !side.inbox.is_empty() {
                steps.push(Step::Deliver(at));
            }
            steps.extend(side.tasks.iter().map(|task| Step::Run(at, *task)));
            if side.changes < plan.changes[at].len() {
                steps.push(Step::Change(at));
            }
        }
        if steps.is_empty() && self.deadline().is_some_and(|at| at <= self.now + SOON) {
            steps.push(Step::Tick);
        }
        steps
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.sides
            .iter()
            .filter_map(|side| side.core.poll_timeout())
            .min()
    }

    fn take(&mut self, step: Step, plan: &Plan) -> Result<(), String> {
        match step {
            Step::Deliver(at) => {
                let from = self.sides[1 - at].me;
                let Some((n, body)) = self.sides[at].inbox.pop_front() else {
                    return Ok(());
                };
                let text = ServerMessage::Relay { from, n, body }.encode();
                let socket = self.sides[at].socket;
                self.tell(at, Event::Socket(socket, SocketEvent::Received(text)))
            }
            Step::Run(at, task) => {
                self.sides[at].tasks.retain(|waiting| *waiting != task);
                self.sides[at].pc.run(task);
                self.listen(at)
            }
            Step::Change(at) => {
                let change = plan.changes[at][self.sides[at].changes];
                self.sides[at].changes += 1;
                let pc = &mut self.sides[at].pc;
                match change {
                    Change::RestartIce => pc.restart_ice(),
                    Change::AddTransceiver(kind) => pc.add_transceiver(kind),
                    Change::Turn(place, direction) => pc.set_direction(place, direction),
                }
                self.listen(at)
            }
            Step::Tick => {
                self.ticks += 1;
                if self.ticks > TICKS {
                    return Err("timers fire again and again".to_owned());
                }
                if let Some(at) = self.deadline() {
                    self.now = self.now.max(at);
                }
                for at in 0..2 {
                    let due = self.sides[at].core.poll_timeout();
                    if due.is_some_and(|due| due <= self.now) {
                        self.tell(at, Event::Tick)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Takes what a browser told and passes it on.
    fn listen(&mut self, at: usize) -> Result<(), String> {
        while let Some(output) = self.sides[at].pc.poll_output() {
            let event = match output {
                Output::Later(task) => {
                    self.sides[at].tasks.push(task);
                    self.sides[at].tasks.sort();
                    continue;
                }
                Output::Changed | Output::TracksChanged => continue,
                Output::CandidateRefused(refusal, ufrag) => {
                    return Err(format!("side {at}: candidate of {ufrag}: {refusal}"));
                }
                Output::Settled(_, Err(refusal)) => {
                    return Err(format!("side {at}: refused: {refusal}"));
                }
                Output::Settled(request, Ok(Some((kind, sdp)))) => {
                    self.sides[at].request = None;
                    LinkEvent::LocalDescriptionApplied { request, kind, sdp }
                }
                Output::Settled(request, Ok(None)) => {
                    self.sides[at].request = None;
                    LinkEvent::RemoteDescriptionApplied { request }
                }
                Output::RolledBack(request) => {
                    self.sides[at].request = None;
                    LinkEvent::RolledBack { request }
                }
                Output::NegotiationNeeded => LinkEvent::NegotiationNeeded,
                Output::LocalCandidate(ufrag, candidate) => LinkEvent::LocalCandidate {
                    ufrag: ufrag.to_string(),
                    candidate,
                },
            };
            let link = self.sides[at].link;
            self.tell(at, Event::Link(link, event))?;
        }
        Ok(())
    }

    fn tell(&mut self, at: usize, event: Event) -> Result<(), String> {
        self.sides[at].core.handle(self.now, event);
        while let Some(command) = self.sides[at].core.poll_command() {
            self.execute(at, command)?;
        }
        Ok(())
    }

    fn execute(&mut self, at: usize, command: Command) -> Result<(), String> {
        let begun = match &command {
            Command::SetLocalDescription { request, .. }
            | Command::SetRemoteDescription { request, .. }
            | Command::Rollback { request, .. } => Some(*request),
            Command::OpenSocket { .. }
            | Command::Send { .. }
            | Command::CloseSocket { .. }
            | Command::CreateLink { .. }
            | Command::SetIceServers { .. }
            | Command::AddCandidate { .. }
            | Command::AdoptTransceivers { .. }
            | Command::SetTrack { .. }
            | Command::RestartIce { .. }
            | Command::SendInBand { .. }
            | Command::SendReaction { .. }
            | Command::SendAside { .. }
            | Command::File(_)
            | Command::Measure { .. }
            | Command::SendKeyFrame { .. }
            | Command::PausePictures { .. }
            | Command::CloseLink { .. }
            | Command::Capture(_)
            | Command::StopCapture { .. }
            | Command::SetSpeaker { .. }
            | Command::Sign { .. } => None,
        };
        let side = &mut self.sides[at];
        if begun.is_some() && std::mem::replace(&mut side.request, begun).is_some() {
            return Err(format!("side {at}: two description operations at once"));
        }
        match command {
            Command::Send { text, .. } => {
                if let Ok(ClientMessage::Relay { n, body, .. }) = ClientMessage::decode(&text) {
                    self.sides[1 - at].inbox.push_back((n, body));
                }
                return Ok(());
            }
            Command::SetLocalDescription { request, .. } => side.pc.set_local_description(request),
            Command::SetRemoteDescription {
                request, kind, sdp, ..
            } => side.pc.set_remote_description(request, kind, sdp),
            Command::Rollback {
                request, side: whose, ..
            } => side.pc.rollback(request, whose),
            Command::AddCandidate { ufrag, candidate, .. } => {
                side.pc.add_ice_candidate(ufrag, candidate.as_ref())
            }
            Command::RestartIce { .. } => side.pc.restart_ice(),
            Command::AdoptTransceivers { .. } => {
                return Err(format!("side {at}: transceivers adopted twice"));
            }
            Command::CreateLink { .. } | Command::CloseLink { .. } => {
                return Err(format!("side {at}: gave a working connection up"));
            }
            Command::OpenSocket { .. } | Command::CloseSocket { .. } => {
                return Err(format!("side {at}: gave a working socket up"));
            }
            Command::Sign { .. }
            | Command::SetIceServers { .. }
            | Command::SendInBand { .. }
            | Command::SendReaction { .. }
            | Command::SendAside { .. }
            | Command::File(_)
            | Command::Measure { .. }
            | Command::SendKeyFrame { .. }
            | Command::PausePictures { .. }
            | Command::SetTrack { .. }
            | Command::Capture(_)
            | Command::StopCapture { .. }
            | Command::SetSpeaker { .. } => {}
        }
        self.listen(at)
    }

    /// What must hold where nothing more can happen.
    fn check(&self) -> Result<(), String> {
        for (at, side) in self.sides.iter().enumerate() {
            if side.pc.signaling() != Signaling::Stable || side.request.is_some() || side.pc.is_busy() {
                return Err(format!("side {at} ends in {:?}", side.pc.signaling()));
            }
            if side.pc.is_negotiation_needed() {
                return Err(format!("side {at}: something was never negotiated"));
            }
            if !side.pc.has_remote_candidates() {
                return Err(format!("side {at} has no candidates of the other"));
            }
        }
        let [one, two] = &self.sides;
        let agree = one.pc.current_local().map(|d| &d.text) == two.pc.current_remote().map(|d| &d.text)
            && one.pc.current_remote().map(|d| &d.text) == two.pc.current_local().map(|d| &d.text);
        if !agree {
            return Err("what one says is not what the other heard".to_owned());
        }
        if one.pc.transceivers() != two.pc.transceivers() {
            return Err(format!(
                "{} transceivers and {}",
                one.pc.transceivers(),
                two.pc.transceivers()
            ));
        }
        Ok(())
    }

    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for side in &self.sides {
            side.fingerprint.hash(&mut hasher);
            side.pc.hash(&mut hasher);
            side.inbox.hash(&mut hasher);
            side.tasks.hash(&mut hasher);
            side.changes.hash(&mut hasher);
            side.request.hash(&mut hasher);
        }
        self.now.hash(&mut hasher);
        self.ticks.hash(&mut hasher);
        hasher.finish()
    }
}
