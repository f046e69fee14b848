//! A tab: one core, its browser's objects, and what becomes of the core's commands.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use visavis_call_core::{
    CaptureId, CaptureKind, Command, Config, ConnectionState, Core, Event, LinkId, LinkRole, MediaEvent,
    RequestId, Seed, SideChannel, Slot, SocketId, VisitId,
};
use visavis_protocol::{RoomSecret, SeatSecret, TransferId};

use super::channel::Channel;
use super::files::{FileShell, Stored};
use super::freight::Freight;
use super::{Due, Rule, World};
use crate::browser::{PeerConnection, Ufrag};
use crate::script::CAPTURE_ERRORS;

/// Somebody, over all their tabs.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) seat: SeatSecret,
    /// Their newest tab: the one that they use.
    pub(super) tab: usize,
    pub(super) offline: bool,
    /// Whether their last word was that they want to be in the call.
    pub(super) wants_in: bool,
    /// Whether a page of theirs was ever hidden.
    pub(super) was_hidden: bool,
    /// When and how they last went out.
    pub(super) departure: Option<Departure>,
    /// The secret in the link that they have.
    pub(super) secret: RoomSecret,
    /// Whether they sat in the room.
    pub(super) was_in: bool,
    /// Whether a host sent them away.
    pub(super) removed: bool,
    /// What their browser keeps of transfers.
    pub(super) disk: BTreeMap<TransferId, Stored>,
    tabs: u64,
    seed: u64,
}

impl Person {
    pub(super) fn new(seed: u64, number: usize, secret: RoomSecret) -> Self {
        let mut rng = Rng::with_seed(seed ^ (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut seat = [0; 16];
        rng.fill(&mut seat);
        Self {
            seat: SeatSecret::from_bytes(seat),
            tab: 0,
            offline: false,
            wants_in: false,
            was_hidden: false,
            departure: None,
            secret,
            was_in: false,
            removed: false,
            disk: BTreeMap::new(),
            tabs: 0,
            seed: rng.u64(..),
        }
    }
}

/// Somebody went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Departure {
    /// When they must be gone everywhere.
    pub(super) forgotten_at: Duration,
    /// The wire on which they said so, if there was one.
    pub(super) wire: Option<usize>,
}

/// One `RTCPeerConnection` and what the model adds to it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) pc: PeerConnection,
    pub(super) state: ConnectionState,
    /// The description operation in flight.
    pub(super) request: Option<RequestId>,
    /// The connection at the other end, once ICE found it.
    pub(super) far: Option<usize>,
    /// What both ends said of themselves when ICE gave up: only something new is tried again.
    pub(super) given_up: Option<(Ufrag, Ufrag)>,
    /// A failure was injected: a rollback may find nothing to take back.
    pub(super) injected: bool,
    pub(super) receiving: [bool; Slot::ALL.len()],
    pub(super) receiving_due: bool,
    pub(super) channel: Channel,
    pub(super) freight: Freight,
    /// Whether ICE does not recover from having failed, whatever is done: as Firefox now and then.
    pub(super) is_stubborn: bool,
}

/// One camera or microphone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capture {
    Asking {
        kind: CaptureKind,
        device: u8,
        stopped: bool,
    },
    Live {
        kind: CaptureKind,
    },
}

/// Whether what is shared has a sound of its own: every other time.
pub(super) const fn has_sound(kind: CaptureKind, capture: CaptureId) -> bool {
    matches!(kind, CaptureKind::Screen) && capture.0.is_multiple_of(2)
}

/// See the module.
pub(super) struct Tab {
    pub(super) person: usize,
    /// `None` once the tab is gone.
    pub(super) core: Option<Core>,
    pub(super) sockets: BTreeMap<SocketId, usize>,
    pub(super) links: BTreeMap<LinkId, Link>,
    pub(super) captures: BTreeMap<CaptureId, Capture>,
    pub(super) timer: Option<Duration>,
    pub(super) spins: u32,
    pub(super) visit: VisitId,
    pub(super) entered: bool,
    pub(super) hidden: bool,
    pub(super) rng: Rng,
    pub(super) files: FileShell,
}

impl Tab {
    /// When a timer for `at` fires: a hidden tab's timers are aligned to whole seconds.
    pub(super) fn throttled(&self, at: Duration) -> Duration {
        if self.hidden && at.subsec_nanos() > 0 {
            Duration::from_secs(at.as_secs() + 1)
        } else {
            at
        }
    }
}

impl World {
    /// Opens a tab for a person, who uses it from now on.
    pub(super) fn open_tab(&mut self, person: usize) -> usize {
        let number = self.tabs.len();
        let owner = &mut self.people[person];
        owner.tabs += 1;
        owner.tab = number;
        let mut rng = Rng::with_seed(
            owner
                .seed
                .wrapping_add(owner.tabs.wrapping_mul(0xd134_2543_de82_ef95)),
        );
        let mut seed = [0; 32];
        rng.fill(&mut seed);
        let files = u64::from_le_bytes([
            seed[0], seed[1], seed[2], seed[3], seed[4], seed[5], seed[6], seed[7],
        ]);
        let config = Config {
            links_ahead: self.script.pace.links_ahead,
            faults: self.options.faults,
            // Some browsers know that they do not recover, as some do not.
            failed_is_final: rng.u8(0..4) == 0,
            restarts_well: rng.u8(0..4) == 0,
            pulse: if self.options.is_still {
                Duration::from_secs(86_400)
            } else {
                Config::default().pulse
            },
            calls_have_rooms: true,
        };
        let core = Core::new(config, Seed::new(seed), self.timestamp());
        self.tabs.push(Tab {
            person,
            core: Some(core),
            sockets: BTreeMap::new(),
            links: BTreeMap::new(),
            captures: BTreeMap::new(),
            timer: None,
            spins: 0,
            visit: VisitId(0),
            entered: false,
            hidden: false,
            rng,
            files: FileShell::new(files),
        });
        number
    }

    /// Up to `longest_ms` milliseconds, short ones more often than long ones.
    pub(super) fn delay(&mut self, tab: usize, longest_ms: u64) -> Duration {
        let rng = &mut self.tabs[tab].rng;
        let longest = if rng.u8(0..4) == 0 {
            longest_ms * 1000
        } else {
            longest_ms * 250
        };
        Duration::from_micros(rng.u64(0..=longest))
    }

    pub(super) fn execute(&mut self, tab: usize, command: Command) {
        match command {
            Command::OpenSocket { socket } => self.open_socket(tab, socket),
            Command::Send { socket, text } => self.send(tab, socket, text),
            Command::CloseSocket { socket } => self.close_socket(tab, socket),
            Command::CreateLink { link, role, .. } => self.create_link(tab, link, role),
            Command::SetIceServers { link, .. } => {
                _ = self.link_or_violate(tab, link, "SetIceServers");
            }
            Command::SetLocalDescription { link, request } => {
                if let Some(link) = self.begin_operation(tab, link, request) {
                    link.pc.set_local_description(request);
                }
                self.drain_link(tab, link);
            }
            Command::SetRemoteDescription {
                link,
                request,
                kind,
                sdp,
            } => {
                if let Some(link) = self.begin_operation(tab, link, request) {
                    link.pc.set_remote_description(request, kind, sdp);
                }
                self.drain_link(tab, link);
            }
            Command::Rollback { link, request, side } => {
                if let Some(link) = self.begin_operation(tab, link, request) {
                    link.pc.rollback(request, side);
                }
                self.drain_link(tab, link);
            }
            Command::AddCandidate {
                link,
                ufrag,
                candidate,
            } => {
                if let Some(link) = self.link_or_violate(tab, link, "AddCandidate") {
                    link.pc.add_ice_candidate(ufrag, candidate.as_ref());
                }
                self.drain_link(tab, link);
            }
            Command::AdoptTransceivers { link } => {
                let adopted = self
                    .link_or_violate(tab, link, "AdoptTransceivers")
                    .map(|link| link.pc.adopt_slots());
                if let Some(Err(refusal)) = adopted {
                    self.violate(Rule::Nonsense, format_args!("transceivers adopted: {refusal}"));
                }
                self.drain_link(tab, link);
            }
            Command::SetTrack { link, slot, capture } => self.set_track(tab, link, slot, capture),
            Command::RestartIce { link } => {
                if let Some(link) = self.link_or_violate(tab, link, "RestartIce") {
                    link.pc.restart_ice();
                }
                self.count_restart(tab, link);
                self.drain_link(tab, link);
            }
            Command::SendInBand { link, text } => self.send_in_band(tab, link, text),
            Command::SendReaction { link, reaction } => self.send_reaction(tab, link, reaction),
            Command::SendAside {
                link,
                channel: SideChannel::Files,
                text,
            } => self.send_aside(tab, link, text),
            // Nobody chats in here.
            Command::SendAside {
                channel: SideChannel::Chat,
                ..
            } => {}
            Command::File(command) => self.file_command(tab, command),
            Command::SendKeyFrame { link } => {
                _ = self.link_or_violate(tab, link, "SendKeyFrame");
            }
            Command::PausePictures { link, paused } => {
                if let Some(link) = self.link_or_violate(tab, link, "PausePictures") {
                    link.channel.paused = paused;
                }
            }
            Command::Measure { link } => self.measure(tab, link),
            Command::CloseLink { link } => {
                if self.link_or_violate(tab, link, "CloseLink").is_some() {
                    self.close_link(tab, link);
                }
            }
            Command::Capture(request) => {
                let device = request
                    .device
                    .and_then(|id| id.strip_prefix("device ").and_then(|n| n.parse().ok()))
                    .unwrap_or(0);
                self.tabs[tab].captures.insert(
                    request.capture,
                    Capture::Asking {
                        kind: request.kind,
                        device,
                        stopped: false,
                    },
                );
                let delay = self.delay(tab, self.pace.prompt_ms);
                self.after(
                    delay,
                    Due::CaptureAnswered {
                        tab,
                        capture: request.capture,
                    },
                );
            }
            // Nobody in here listens, or has a handle.
            Command::SetSpeaker { .. } | Command::Sign { .. } => {}
            Command::StopCapture { capture } => match self.tabs[tab].captures.get_mut(&capture) {
                Some(Capture::Asking { stopped, .. }) => *stopped = true,
                Some(Capture::Live { .. }) => {
                    self.tabs[tab].captures.remove(&capture);
                }
                // Late successes are stopped by whoever is first, shell or core.
                None => {}
            },
        }
    }

    fn create_link(&mut self, tab: usize, handle: LinkId, role: LinkRole) {
        let number = self.connections.len();
        self.connections.push((tab, handle));
        let mut pc = PeerConnection::new(u32::try_from(number).unwrap_or(u32::MAX));
        let is_stubborn = self.tabs[tab].rng.u8(0..100) < self.pace.stubborn;
        if role == LinkRole::Offerer {
            pc.add_slots();
        }
        let link = Link {
            pc,
            state: ConnectionState::New,
            request: None,
            far: None,
            given_up: None,
            injected: false,
            receiving: [false; Slot::ALL.len()],
            receiving_due: false,
            channel: Channel::default(),
            freight: Freight::default(),
            is_stubborn,
        };
        if self.tabs[tab].links.insert(handle, link).is_some() {
            self.violate(Rule::Nonsense, format_args!("{handle:?} was made twice"));
        }
        self.drain_link(tab, handle);
        self.count_links(tab);
    }

    pub(super) fn link_or_violate(&mut self, tab: usize, link: LinkId, what: &str) -> Option<&mut Link> {
        if !self.tabs[tab].links.contains_key(&link) {
            self.violate(
                Rule::Nonsense,
                format_args!("{what} of {link:?}, which is not there"),
            );
        }
        self.tabs[tab].links.get_mut(&link)
    }

    /// Notes the beginning of a description operation, and lets changes happen that wait for it.
    fn begin_operation(&mut self, tab: usize, handle: LinkId, request: RequestId) -> Option<&mut Link> {
        let in_flight = self
            .link_or_violate(tab, handle, "a description operation")?
            .request;
        if let Some(in_flight) = in_flight {
            self.violate(
                Rule::Overlap,
                format_args!("tab {tab} {handle:?}: {request:?} while {in_flight:?} is in flight"),
            );
        }
        let nth = self.operations;
        self.operations += 1;
        self.changes_at_await(tab, handle, nth);
        let link = self.tabs[tab].links.get_mut(&handle)?;
        link.request = Some(request);
        Some(link)
    }

    fn set_track(&mut self, tab: usize, link: LinkId, slot: Slot, capture: Option<CaptureId>) {
        let dead = capture.is_some_and(|capture| {
            !matches!(self.tabs[tab].captures.get(&capture), Some(Capture::Live { .. }))
        });
        if dead {
            self.violate(
                Rule::Nonsense,
                format_args!("tab {tab}: {capture:?} is sent and not live"),
            );
        }
        let set = self.link_or_violate(tab, link, "SetTrack").map(|link| {
            link.channel.stuck[slot.index()] = false;
            link.pc.replace_track(slot, capture)
        });
        if let Some(Err(refusal)) = set {
            self.violate(
                Rule::Nonsense,
                format_args!("tab {tab}: no sender for {slot:?}: {refusal}"),
            );
        }
        self.drain_link(tab, link);
    }

    pub(super) fn capture_answered(&mut self, tab: usize, capture: CaptureId) {
        let Some(Capture::Asking {
            kind,
            device,
            stopped,
        }) = self.tabs[tab].captures.remove(&capture)
        else {
            return;
        };
        if self.tabs[tab].core.is_none() {
            return;
        }
        let refused = self.tabs[tab].rng.u8(0..100) < self.pace.refused;
        let event = if refused {
            let which = self.tabs[tab].rng.usize(0..CAPTURE_ERRORS.len());
            MediaEvent::CaptureFailed {
                capture,
                error: CAPTURE_ERRORS[which],
            }
        } else {
            if !stopped {
                self.tabs[tab].captures.insert(capture, Capture::Live { kind });
            }
            MediaEvent::Captured {
                capture,
                device: format!("device {device}"),
                facing: None,
            }
        };
        let brings = matches!(event, MediaEvent::Captured { .. });
        self.tell(tab, Event::Media(event));
        if brings && has_sound(kind, capture) {
            let sound = MediaEvent::CaptureSound {
                capture,
                is_there: true,
            };
            self.tell(tab, Event::Media(sound));
        }
    }

    /// Ends a tab without a word to its core.
    pub(super) fn kill_tab(&mut self, tab: usize) {
        self.keep_link(tab);
        self.trace.note(self.now, format_args!("tab {tab} is gone"));
        self.tabs[tab].core = None;
        self.tabs[tab].timer = None;
        self.tabs[tab].captures.clear();
        let links: Vec<LinkId> = self.tabs[tab].links.keys().copied().collect();
        for link in links {
            self.close_link(tab, link);
        }
    }
}
