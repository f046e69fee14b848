//! A model of `RTCPeerConnection`: what a core can see of a browser, and what a browser refuses.
//!
//! Follows W3C WebRTC 1.0 (sections 4.4.1 and 4.7.3) and JSEP (RFC 9429): signaling states with
//! current and pending descriptions, the operations chain, implicit and explicit rollback,
//! argument-less `setLocalDescription`, transceivers and their media sections, the
//! negotiation-needed flag, ICE generations and trickled candidates. It moves no media.
//!
//! Nothing completes by itself: whatever a browser does later is asked for by
//! [`Output::Later`] and done by [`PeerConnection::run`], so that a world can choose the order.

mod apply;
mod create;
mod description;
mod needed;

use std::collections::{BTreeSet, VecDeque};

use visavis_call_core::{CaptureId, RequestId, RollbackSide, SdpKind, Slot};
use visavis_protocol::Candidate;

pub use description::{Direction, MediaKind, Section, SessionDescription, Ufrag, Unreadable};

/// Host candidates of each generation, before the end of candidates.
const CANDIDATES: u8 = 2;

/// `RTCSignalingState` without the provisional answers, which this project never makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signaling {
    /// `"stable"`
    Stable,
    /// `"have-local-offer"`
    HaveLocalOffer,
    /// `"have-remote-offer"`
    HaveRemoteOffer,
}

/// Why an operation was refused, by the names of WebRTC's exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Called in a state that does not allow it.
    #[error("InvalidStateError")]
    WrongState,
    /// The description cannot be read.
    #[error("OperationError: unreadable description")]
    Unreadable,
    /// Sections are missing, reordered, or of another kind than before.
    #[error("InvalidAccessError: the order of media sections does not match")]
    SectionsMoved,
    /// The answer has other sections than the offer that is waiting for one.
    #[error("InvalidAccessError: the answer does not match the offer")]
    AnswerMismatch,
    /// A candidate before any remote description.
    #[error("InvalidStateError: the remote description was null")]
    NoRemoteDescription,
    /// A candidate of a generation that is neither current nor pending.
    #[error("OperationError: unknown ufrag")]
    UnknownUfrag,
    /// A candidate for a section that is not there.
    #[error("OperationError: unknown mid")]
    UnknownMid,
    /// The world wanted a failure: nothing was wrong with the call.
    #[error("OperationError: injected")]
    Injected,
}

/// Something that a browser does later, in its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// Goes on with the operation at the head of the chain.
    Chain,
    /// Looks whether `negotiationneeded` is to be fired.
    CheckNegotiationNeeded,
    /// Finds the next local candidate of a generation.
    Gather(Ufrag, u8),
}

/// What a connection tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To be run later; tasks of different kinds in any order.
    Later(Task),
    /// A description operation is done; what `localDescription` is then, if it was a local one.
    Settled(RequestId, Result<Option<(SdpKind, String)>, Refusal>),
    /// A rollback is done.
    RolledBack(RequestId),
    /// `addIceCandidate` was refused.
    CandidateRefused(Refusal, String),
    /// `negotiationneeded` fired.
    NegotiationNeeded,
    /// `icecandidate` fired.
    LocalCandidate(Ufrag, Option<Candidate>),
    /// A description or candidate was applied: connectivity may have changed.
    Changed,
    /// What the senders send changed.
    TracksChanged,
}

/// One transceiver.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transceiver {
    id: u32,
    kind: MediaKind,
    direction: Direction,
    current_direction: Option<Direction>,
    mid: Option<u16>,
    /// Made by a remote offer that is not answered: a rollback takes it away.
    from_pending_offer: bool,
    track: Option<CaptureId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Operation {
    SetLocal(RequestId),
    SetRemote(RequestId, SdpKind, String),
    Rollback(RequestId, RollbackSide),
    AddCandidate { ufrag: String, mid: Option<String> },
    ReplaceTrack(u32, Option<CaptureId>),
}

/// How far the operation at the head of the chain is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Started,
    /// A description was made of what the connection was then; later changes are not in it.
    Made(SessionDescription, Vec<u32>),
    /// The local offer was taken back to make place for a remote one.
    RolledBack,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerConnection {
    id: u32,
    signaling: Signaling,
    current_local: Option<SessionDescription>,
    pending_local: Option<SessionDescription>,
    current_remote: Option<SessionDescription>,
    pending_remote: Option<SessionDescription>,
    transceivers: Vec<Transceiver>,
    /// The senders of the project's slots, once they exist.
    slots: Option<[u32; Slot::ALL.len()]>,
    chain: VecDeque<Operation>,
    phase: Phase,
    needed: needed::Flags,
    ice_credentials_to_replace: BTreeSet<Ufrag>,
    gathered: BTreeSet<Ufrag>,
    remote_candidates: BTreeSet<Ufrag>,
    last_generation: u32,
    last_version: u32,
    last_transceiver: u32,
    fail_next: bool,
    finds_all_at_once: bool,
    outputs: Outputs,
}

/// A queue that is always drained before states are compared.
#[derive(Clone, Debug, Default)]
struct Outputs(VecDeque<Output>);

impl PartialEq for Outputs {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Outputs {}

impl std::hash::Hash for Outputs {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl PeerConnection {
    /// `new RTCPeerConnection()`. Ids are never reused: they name the ICE generations.
    #[must_use]
    pub fn new(id: u32) -> Self {
        Self {
            id,
            signaling: Signaling::Stable,
            current_local: None,
            pending_local: None,
            current_remote: None,
            pending_remote: None,
            transceivers: Vec::new(),
            slots: None,
            chain: VecDeque::new(),
            phase: Phase::Started,
            needed: needed::Flags::default(),
            ice_credentials_to_replace: BTreeSet::new(),
            gathered: BTreeSet::new(),
            remote_candidates: BTreeSet::new(),
            last_generation: 0,
            last_version: 0,
            last_transceiver: 0,
            fail_next: false,
            finds_all_at_once: false,
            outputs: Outputs::default(),
        }
    }

    /// Its number in the world.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// `signalingState`
    #[must_use]
    pub const fn signaling(&self) -> Signaling {
        self.signaling
    }

    /// `currentLocalDescription`
    #[must_use]
    pub const fn current_local(&self) -> Option<&SessionDescription> {
        self.current_local.as_ref()
    }

    /// `currentRemoteDescription`
    #[must_use]
    pub const fn current_remote(&self) -> Option<&SessionDescription> {
        self.current_remote.as_ref()
    }

    /// Whether an operation is in the chain.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.chain.is_empty()
    }

    /// Whether candidates of the other side's present generation are there to be tried.
    #[must_use]
    pub fn has_remote_candidates(&self) -> bool {
        self.current_remote
            .as_ref()
            .is_some_and(|remote| self.remote_candidates.contains(&remote.ufrag))
    }

    /// The track that the sender of a slot has, and whether it was agreed that it sends.
    #[must_use]
    pub fn sending(&self, slot: Slot) -> (Option<CaptureId>, bool) {
        self.slots
            .and_then(|slots| self.transceiver(slots[slot.index()]))
            .map_or((None, false), |transceiver| {
                (
                    transceiver.track,
                    transceiver.current_direction.is_some_and(Direction::sends),
                )
            })
    }

    /// Whether the slots have senders.
    #[must_use]
    pub const fn has_slots(&self) -> bool {
        self.slots.is_some()
    }

    /// How many transceivers there are.
    #[must_use]
    pub fn transceivers(&self) -> usize {
        self.transceivers.len()
    }

    /// `addTransceiver(kind)`
    pub fn add_transceiver(&mut self, kind: MediaKind) {
        self.last_transceiver += 1;
        self.transceivers.push(Transceiver {
            id: self.last_transceiver,
            kind,
            direction: Direction::SendRecv,
            current_direction: None,
            mid: None,
            from_pending_offer: false,
            track: None,
        });
        self.update_negotiation_needed();
    }

    /// Adds the project's transceivers.
    pub fn add_slots(&mut self) {
        let start = self.last_transceiver;
        for slot in Slot::ALL {
            self.add_transceiver(kind_of(slot));
        }
        self.slots = Some([start + 1, start + 2, start + 3, start + 4]);
    }

    /// Binds the transceivers of the first sections of the remote offer to the slots.
    ///
    /// # Errors
    /// If there is no such offer.
    pub fn adopt_slots(&mut self) -> Result<(), Refusal> {
        let remote = self
            .pending_remote
            .as_ref()
            .or(self.current_remote.as_ref())
            .ok_or(Refusal::NoRemoteDescription)?;
        let mut slots = [0; Slot::ALL.len()];
        for (slot, place) in Slot::ALL.into_iter().zip(&mut slots) {
            let section = remote.sections.get(slot.index()).ok_or(Refusal::UnknownMid)?;
            let transceiver = self
                .transceivers
                .iter_mut()
                .find(|transceiver| transceiver.mid == Some(section.mid) && transceiver.kind == kind_of(slot))
                .ok_or(Refusal::UnknownMid)?;
            transceiver.direction = Direction::SendRecv;
            *place = transceiver.id;
        }
        self.slots = Some(slots);
        self.update_negotiation_needed();
        Ok(())
    }

    /// Changes the direction of a transceiver, by its place.
    pub fn set_direction(&mut self, place: usize, direction: Direction) {
        if let Some(transceiver) = self.transceivers.get_mut(place)
            && transceiver.direction != direction
        {
            transceiver.direction = direction;
            self.update_negotiation_needed();
        }
    }

    /// The direction that a transceiver is to have, by its place.
    #[must_use]
    pub fn direction(&self, place: usize) -> Option<Direction> {
        self.transceivers
            .get(place)
            .map(|transceiver| transceiver.direction)
    }

    /// `restartIce()`
    pub fn restart_ice(&mut self) {
        self.ice_credentials_to_replace = [&self.current_local, &self.pending_local]
            .into_iter()
            .flatten()
            .map(|description| description.ufrag)
            .collect();
        self.update_negotiation_needed();
    }

    /// `setLocalDescription()`
    pub fn set_local_description(&mut self, request: RequestId) {
        self.enqueue(Operation::SetLocal(request));
    }

    /// `setRemoteDescription({type, sdp})`
    pub fn set_remote_description(&mut self, request: RequestId, kind: SdpKind, sdp: String) {
        self.enqueue(Operation::SetRemote(request, kind, sdp));
    }

    /// `setLocalDescription({type: "rollback"})` or the same of the remote one.
    pub fn rollback(&mut self, request: RequestId, side: RollbackSide) {
        self.enqueue(Operation::Rollback(request, side));
    }

    /// `addIceCandidate(…)`; without a candidate the end of them.
    pub fn add_ice_candidate(&mut self, ufrag: String, candidate: Option<&Candidate>) {
        self.enqueue(Operation::AddCandidate {
            ufrag,
            mid: candidate.and_then(|candidate| candidate.mid.clone()),
        });
    }

    /// `replaceTrack` on the sender of a slot.
    ///
    /// # Errors
    /// If the slot has no sender yet.
    pub fn replace_track(&mut self, slot: Slot, track: Option<CaptureId>) -> Result<(), Refusal> {
        let slots = self.slots.ok_or(Refusal::WrongState)?;
        self.enqueue(Operation::ReplaceTrack(slots[slot.index()], track));
        Ok(())
    }

    /// Makes the next description operation fail for no reason of the caller's.
    pub const fn fail_next(&mut self) {
        self.fail_next = true;
    }

    /// Finds one candidate of each generation and knows at once that there are no more: fewer steps
    /// for a search that tries all their orders.
    pub const fn find_all_at_once(&mut self) {
        self.finds_all_at_once = true;
    }

    /// Takes [`Self::fail_next`] back.
    pub const fn forgive(&mut self) {
        self.fail_next = false;
    }

    /// What it has to tell; to be drained after every call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.0.pop_front()
    }

    /// Does what [`Output::Later`] asked for.
    pub fn run(&mut self, task: Task) {
        match task {
            Task::Chain => self.go_on(),
            Task::CheckNegotiationNeeded => self.check_negotiation_needed(),
            Task::Gather(ufrag, number) => self.gather(ufrag, number),
        }
    }

    fn tell(&mut self, output: Output) {
        self.outputs.0.push_back(output);
    }

    fn transceiver(&self, id: u32) -> Option<&Transceiver> {
        self.transceivers.iter().find(|transceiver| transceiver.id == id)
    }

    /// "Chain an operation": the first one starts at once.
    fn enqueue(&mut self, operation: Operation) {
        self.chain.push_back(operation);
        if self.chain.len() == 1 {
            self.phase = Phase::Started;
            self.tell(Output::Later(Task::Chain));
        }
    }

    /// Does the next step of the operation at the head of the chain.
    fn go_on(&mut self) {
        let Some(operation) = self.chain.front().cloned() else {
            return;
        };
        let phase = std::mem::replace(&mut self.phase, Phase::Started);
        match operation {
            Operation::SetLocal(request) => match phase {
                Phase::Made(description, transceivers) => {
                    let result = self.injected().map(|()| {
                        let told = (kind(&description), description.text.as_ref().to_owned());
                        self.apply_local(description, &transceivers);
                        Some(told)
                    });
                    self.finish(request, result);
                }
                Phase::Started | Phase::RolledBack => {
                    let (description, transceivers) = self.make_description();
                    self.phase = Phase::Made(description, transceivers);
                    self.tell(Output::Later(Task::Chain));
                }
            },
            Operation::SetRemote(request, kind, sdp) => {
                if phase == Phase::Started
                    && kind == SdpKind::Offer
                    && self.signaling == Signaling::HaveLocalOffer
                {
                    self.roll_back_local();
                    self.phase = Phase::RolledBack;
                    self.tell(Output::Later(Task::Chain));
                    return;
                }
                let result = self.injected().and_then(|()| self.apply_remote(kind, &sdp));
                self.finish(request, result.map(|()| None));
            }
            Operation::Rollback(request, side) => {
                match (side, self.signaling) {
                    (RollbackSide::Local, Signaling::HaveLocalOffer) => self.roll_back_local(),
                    (RollbackSide::Remote, Signaling::HaveRemoteOffer) => self.roll_back_remote(),
                    (RollbackSide::Local, Signaling::Stable | Signaling::HaveRemoteOffer)
                    | (RollbackSide::Remote, Signaling::Stable | Signaling::HaveLocalOffer) => {
                        return self.finish(request, Err(Refusal::WrongState));
                    }
                }
                self.tell(Output::Changed);
                self.tell(Output::RolledBack(request));
                self.unchain();
            }
            Operation::AddCandidate { ufrag, mid } => {
                match self.apply_candidate(&ufrag, mid.as_deref()) {
                    Ok(()) => self.tell(Output::Changed),
                    Err(refusal) => self.tell(Output::CandidateRefused(refusal, ufrag)),
                }
                self.unchain();
            }
            Operation::ReplaceTrack(id, track) => {
                if let Some(transceiver) = self.transceivers.iter_mut().find(|t| t.id == id) {
                    transceiver.track = track;
                }
                self.tell(Output::TracksChanged);
                self.unchain();
            }
        }
    }

    const fn injected(&mut self) -> Result<(), Refusal> {
        if self.fail_next {
            self.fail_next = false;
            return Err(Refusal::Injected);
        }
        Ok(())
    }

    fn finish(&mut self, request: RequestId, result: Result<Option<(SdpKind, String)>, Refusal>) {
        self.tell(Output::Changed);
        self.tell(Output::Settled(request, result));
        self.unchain();
    }

    /// The operation at the head of the chain is done.
    fn unchain(&mut self) {
        self.chain.pop_front();
        if self.chain.is_empty() {
            self.chain_is_empty();
        } else {
            self.phase = Phase::Started;
            self.tell(Output::Later(Task::Chain));
        }
    }

    fn gather(&mut self, ufrag: Ufrag, number: u8) {
        let is_wanted = [&self.current_local, &self.pending_local]
            .into_iter()
            .flatten()
            .any(|description| description.ufrag == ufrag);
        if !is_wanted {
            return;
        }
        if number >= CANDIDATES {
            self.tell(Output::LocalCandidate(ufrag, None));
            return;
        }
        let candidate = Candidate {
            candidate: format!("candidate:{number} 1 udp 1 192.0.2.1 9 typ host ufrag {ufrag}"),
            mid: Some("0".to_owned()),
            line: Some(0),
        };
        self.tell(Output::LocalCandidate(ufrag, Some(candidate)));
        if self.finds_all_at_once {
            self.tell(Output::LocalCandidate(ufrag, None));
        } else {
            self.tell(Output::Later(Task::Gather(ufrag, number + 1)));
        }
    }
}

const fn kind(description: &SessionDescription) -> SdpKind {
    if description.is_offer {
        SdpKind::Offer
    } else {
        SdpKind::Answer
    }
}

const fn kind_of(slot: Slot) -> MediaKind {
    match slot {
        Slot::Audio | Slot::ScreenSound => MediaKind::Audio,
        Slot::Camera | Slot::Screen => MediaKind::Video,
    }
}

#[cfg(test)]
mod tests;
