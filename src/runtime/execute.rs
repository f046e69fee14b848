//! What the core wants done, as calls of the browser; outcomes go back into the queue.

use core::cell::Cell;
use core::future::Future;
use core::time::Duration;

use visavis_call_core::{
    CaptureId, Command, ConnectionState, Event, LinkEvent, LinkId, LinkRole, RequestId, RollbackSide, Sample,
    SdpKind, SideChannel, SideEvent, Slot, SocketEvent, SocketId,
};
use visavis_protocol::IceServer;
use web_sys::WebSocket;

use super::engine::{Engine, now};
use crate::web::channel::ChannelEvent;
use crate::web::peer::{Peer, PeerEvent, Side};
use crate::web::reach::Reach;
use crate::web::socket::{self, Socket};
use crate::web::task::spawn;
use crate::web::timer::Timeout;
use crate::web::{Error, boot, console};

/// What every server of ours answers, with little.
const HEALTH_PATH: &str = "/healthz";
/// How long a socket may take to open where the site has just answered, before it is opened anew;
/// doubled each time.
const REOPEN_AFTER: Duration = Duration::from_millis(400);
/// Where the server takes sockets.
const SOCKET_PATH: &str = "/ws";

impl Engine {
    /// Starts one command. It waits for nothing, and the core is not borrowed here.
    pub(super) fn execute(&self, command: Command) {
        match command {
            Command::OpenSocket { socket } => {
                let is_held_back = self.has_socket_failed.get() && Reach::helps();
                if !is_held_back || !self.open_once_reached(socket) {
                    self.open_socket(socket);
                }
            }
            Command::Send { socket, text } => {
                if let Some(socket) = self.sockets.borrow().get(socket) {
                    socket.send(&text);
                }
            }
            Command::CloseSocket { socket } => {
                console::debug("socket given up", socket.0);
                let reach = self.reaches.borrow_mut().remove(socket);
                drop(reach);
                let reopening = self.reopening.borrow_mut().remove(socket);
                drop(reopening);
                let closed = self.sockets.borrow_mut().remove(socket);
                // Given up before it opened: the browser counts that as a failure.
                if closed.as_ref().is_some_and(Socket::is_opening) {
                    self.has_socket_failed.set(true);
                }
                drop(closed);
            }
            Command::CreateLink {
                link,
                role,
                ice,
                relay_only,
            } => {
                if let Err(error) = self.create_link(link, role, &ice, relay_only) {
                    console::warn("no connection", error.to_string());
                    self.links.remove(link);
                    self.push(Event::Link(
                        link,
                        LinkEvent::CreationFailed {
                            error: error.name.as_str().to_owned(),
                        },
                    ));
                }
            }
            Command::SetIceServers {
                link,
                ice,
                relay_only,
            } => {
                self.on_link(link, |peer| peer.set_ice_servers(&ice, relay_only));
            }
            Command::SetLocalDescription { link, request } => self.set_local_description(link, request),
            Command::SetRemoteDescription {
                link,
                request,
                kind,
                sdp,
            } => {
                let kind = match kind {
                    SdpKind::Offer => "offer",
                    SdpKind::Answer => "answer",
                };
                self.describe(
                    link,
                    request,
                    LinkEvent::RemoteDescriptionApplied { request },
                    |peer| peer.set_remote_description(kind, &sdp),
                );
            }
            Command::Rollback { link, request, side } => {
                let side = match side {
                    RollbackSide::Local => Side::Local,
                    RollbackSide::Remote => Side::Remote,
                };
                self.describe(link, request, LinkEvent::RolledBack { request }, |peer| {
                    peer.roll_back(side)
                });
            }
            Command::AddCandidate {
                link,
                ufrag,
                candidate,
            } => {
                if let Some(peer) = self.links.get(link) {
                    log_failure(
                        "candidate refused",
                        peer.add_candidate(&ufrag, candidate.as_ref()),
                    );
                }
            }
            Command::AdoptTransceivers { link } => self.on_link(link, Peer::adopt_transceivers),
            Command::SetTrack { link, slot, capture } => self.set_track(link, slot, capture),
            Command::RestartIce { link } => self.on_link(link, Peer::restart_ice),
            Command::SendInBand { link, text } => {
                if let Some(peer) = self.links.get(link) {
                    peer.send(&text);
                }
            }
            Command::SendReaction { link, reaction } => {
                if let Some(peer) = self.links.get(link) {
                    peer.send_reaction(reaction.sign());
                }
            }
            Command::SendAside { link, channel, text } => {
                if let Some(peer) = self.links.get(link) {
                    match channel {
                        SideChannel::Chat => peer.send_chat(&text),
                        SideChannel::Files => peer.send_about_files(&text),
                    }
                }
            }
            Command::File(command) => self.execute_file(command),
            Command::SendKeyFrame { link } => {
                if let Some(peer) = self.links.get(link) {
                    peer.send_key_frames();
                }
            }
            Command::PausePictures { link, paused } => {
                if let Some(peer) = self.links.get(link) {
                    peer.pause_pictures(paused);
                }
            }
            Command::Measure { link } => self.measure(link),
            Command::CloseLink { link } => {
                self.close_pipes(link);
                self.playback.remove(link);
                self.links.remove(link);
            }
            Command::Capture(request) => self.capture(request),
            Command::SetSpeaker { request, device } => self.set_speaker(request, device),
            Command::Sign { nonce, handle } => self.sign(nonce, &handle),
            Command::StopCapture { capture } => self.captures.stop(capture),
        }
    }

    /// Asks first whether the site is there; a socket that fails is held against the next one. Returns
    /// whether it could.
    fn open_once_reached(&self, id: SocketId) -> bool {
        console::debug("socket waits for the site", id.0);
        let this = self.weak();
        let reach = Reach::ask(HEALTH_PATH, move |is_there| {
            let Some(engine) = this.upgrade() else { return };
            let asked = engine.reaches.borrow_mut().remove(id);
            console::debug(if is_there { "site is there" } else { "site is away" }, id.0);
            if asked.is_none() {
            } else if is_there {
                engine.open_socket(id);
                engine.open_again_after(id, REOPEN_AFTER);
            } else {
                engine.push(Event::Socket(id, SocketEvent::Closed { code: 1006 }));
            }
        });
        let can = reach.is_some();
        if let Some(reach) = reach {
            self.reaches.borrow_mut().insert(id, reach);
        }
        can
    }

    /// Opens a socket anew that is still opening by then, although the site is there: Firefox opens one
    /// at a time, and may have put it on a connection that was begun while the network was away and
    /// tries again ever more slowly.
    fn open_again_after(&self, id: SocketId, wait: Duration) {
        let this = self.weak();
        let later = Timeout::new(wait, move || {
            let Some(engine) = this.upgrade() else { return };
            let over = engine.reopening.borrow_mut().remove(id);
            drop(over);
            let is_opening = engine.sockets.borrow().get(id).is_some_and(Socket::is_opening);
            if is_opening {
                let hanging = engine.sockets.borrow_mut().remove(id);
                drop(hanging);
                engine.open_socket(id);
                engine.open_again_after(id, wait * 2);
            }
        });
        let before = self.reopening.borrow_mut().insert(id, later);
        drop(before);
    }

    fn open_socket(&self, id: SocketId) {
        let this = self.weak();
        let has_opened = Cell::new(false);
        let handler = move |event| {
            if let Some(engine) = this.upgrade() {
                match event {
                    socket::SocketEvent::Opened | socket::SocketEvent::Received(_) => {
                        if !has_opened.replace(true) {
                            console::debug("socket open", id.0);
                        }
                        engine.has_socket_failed.set(false);
                    }
                    socket::SocketEvent::Closed { code } => {
                        console::debug("socket closed", f64::from(code));
                        engine.has_socket_failed.set(!has_opened.get());
                    }
                }
                engine.push(Event::Socket(id, socket_event(event)));
            }
        };
        let opened = match boot::take_socket() {
            Some((begun, received)) => {
                let is_open = begun.ready_state() == WebSocket::OPEN;
                if is_open {
                    self.push(Event::Socket(id, SocketEvent::Opened));
                }
                for text in received {
                    self.push(Event::Socket(id, SocketEvent::Received(text)));
                }
                Ok(Socket::adopt(begun, handler))
            }
            None => {
                console::debug("socket opening", id.0);
                Socket::open(SOCKET_PATH, handler)
            }
        };
        match opened {
            Ok(socket) => {
                let before = self.sockets.borrow_mut().insert(id, socket);
                drop(before);
            }
            Err(error) => {
                console::warn("no socket", error.to_string());
                self.push(Event::Socket(id, SocketEvent::Closed { code: 1006 }));
            }
        }
    }

    fn create_link(
        &self,
        link: LinkId,
        role: LinkRole,
        ice: &[IceServer],
        relay_only: bool,
    ) -> Result<(), Error> {
        let this = self.weak();
        let peer = Peer::new(ice, relay_only, move |event| {
            if let Some(engine) = this.upgrade() {
                engine.peer_event(link, event);
            }
        })?;
        match role {
            LinkRole::Offerer => peer.add_transceivers()?,
            LinkRole::Answerer => {}
        }
        self.links.insert(link, peer);
        Ok(())
    }

    fn peer_event(&self, link: LinkId, event: PeerEvent) {
        let event = match event {
            PeerEvent::NegotiationNeeded => LinkEvent::NegotiationNeeded,
            PeerEvent::Candidate { ufrag, candidate } => LinkEvent::LocalCandidate { ufrag, candidate },
            PeerEvent::ConnectionState(state) => match connection_state(&state) {
                Some(state) => LinkEvent::ConnectionStateChanged(state),
                None => return,
            },
            PeerEvent::Receiving(slot, receiving) => match Slot::ALL.get(slot) {
                Some(slot) => LinkEvent::Receiving(*slot, receiving),
                None => return,
            },
            PeerEvent::Channel(event) => match event {
                ChannelEvent::Opened => LinkEvent::ChannelOpened,
                ChannelEvent::Received(text) => LinkEvent::ChannelReceived(text),
                ChannelEvent::Closed => LinkEvent::ChannelClosed,
            },
            PeerEvent::Reaction(text) => {
                if !self.links.admits_reaction(link, now()) {
                    return;
                }
                LinkEvent::ReactionReceived(text)
            }
            PeerEvent::Chat(event) => LinkEvent::Side(SideChannel::Chat, side_event(event)),
            PeerEvent::Files(event) => LinkEvent::Side(SideChannel::Files, side_event(event)),
            PeerEvent::Pipe(name, incoming) => return self.pipe_came(link, name, incoming),
            PeerEvent::Observed(..) | PeerEvent::CandidateError { .. } => {
                self.links.observe(link, event);
                return;
            }
        };
        self.push(Event::Link(link, event));
    }

    fn set_local_description(&self, link: LinkId, request: RequestId) {
        let Some(peer) = self.links.get(link) else {
            return;
        };
        let (this, done) = (self.weak(), peer.set_local_description());
        spawn(async move {
            let outcome = done.await;
            let Some(engine) = this.upgrade() else { return };
            let event = match outcome {
                Ok((kind, sdp)) => LinkEvent::LocalDescriptionApplied {
                    request,
                    kind: if kind == "offer" {
                        SdpKind::Offer
                    } else {
                        SdpKind::Answer
                    },
                    sdp,
                },
                Err(error) => description_failed(request, &error),
            };
            engine.push(Event::Link(link, event));
        });
    }

    fn describe<F>(
        &self,
        link: LinkId,
        request: RequestId,
        applied: LinkEvent,
        start: impl FnOnce(&Peer) -> F,
    ) where
        F: Future<Output = Result<(), Error>> + 'static,
    {
        let Some(peer) = self.links.get(link) else {
            return;
        };
        let (this, done) = (self.weak(), start(&peer));
        spawn(async move {
            let outcome = done.await;
            let Some(engine) = this.upgrade() else { return };
            let event = match outcome {
                Ok(()) => applied,
                Err(error) => description_failed(request, &error),
            };
            engine.push(Event::Link(link, event));
        });
    }

    fn measure(&self, link: LinkId) {
        let Some(peer) = self.links.get(link) else {
            return;
        };
        let (this, asked) = (self.weak(), peer.arrived());
        spawn(async move {
            let Some(arrived) = asked.await else { return };
            let Some(engine) = this.upgrade() else { return };
            let sample = Sample {
                bytes: arrived.bytes,
                age: arrived.age,
                progress: arrived.progress,
                relayed: arrived.relayed,
            };
            engine.push(Event::Link(link, LinkEvent::Measured(sample)));
        });
    }

    fn set_track(&self, link: LinkId, slot: Slot, capture: Option<CaptureId>) {
        let Some(peer) = self.links.get(link) else {
            return;
        };
        let track = capture.and_then(|capture| match slot {
            Slot::ScreenSound => self.captures.sound(capture),
            Slot::Audio | Slot::Camera | Slot::Screen => self.captures.track(capture),
        });
        log_failure("track not sent", peer.replace_track(slot.index(), track.as_ref()));
    }

    fn on_link(&self, link: LinkId, work: impl FnOnce(&Peer) -> Result<(), Error>) {
        let Some(peer) = self.links.get(link) else {
            return;
        };
        if let Err(error) = work(&peer) {
            console::warn("connection refused a step", error.to_string());
        }
    }
}

fn description_failed(request: RequestId, error: &Error) -> LinkEvent {
    console::warn("description refused", error.to_string());
    LinkEvent::DescriptionFailed {
        request,
        error: error.name.as_str().to_owned(),
    }
}

fn log_failure(what: &'static str, done: impl Future<Output = Result<(), Error>> + 'static) {
    spawn(async move {
        if let Err(error) = done.await {
            console::debug(what, error.to_string());
        }
    });
}

fn socket_event(event: socket::SocketEvent) -> SocketEvent {
    match event {
        socket::SocketEvent::Opened => SocketEvent::Opened,
        socket::SocketEvent::Received(text) => SocketEvent::Received(text),
        socket::SocketEvent::Closed { code } => SocketEvent::Closed { code },
    }
}

fn connection_state(state: &str) -> Option<ConnectionState> {
    [
        ConnectionState::New,
        ConnectionState::Connecting,
        ConnectionState::Connected,
        ConnectionState::Disconnected,
        ConnectionState::Failed,
        ConnectionState::Closed,
    ]
    .into_iter()
    .find(|known| known.as_str() == state)
}

fn side_event(event: ChannelEvent) -> SideEvent {
    match event {
        ChannelEvent::Opened => SideEvent::Opened,
        ChannelEvent::Received(text) => SideEvent::Received(text),
        ChannelEvent::Closed => SideEvent::Closed,
    }
}
