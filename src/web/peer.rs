//! One `RTCPeerConnection` with four media sections: sound, camera, screen, the screen's sound.
//!
//! The transceivers are made once; tracks come and go by `replaceTrack`. It decides nothing: it
//! does what it is told, reports what happens, and holds the streams that tiles show.

use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Promise};
use visavis_protocol::transfer::{PIPE_LABEL, PipeName};
use visavis_protocol::{Candidate, IceServer};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, MediaStream, MediaStreamTrack, RtcPeerConnectionIceEvent};

use super::channel::{Channel, ChannelEvent, Purpose};
use super::data_channel::{DataChannel, DataEvent, Incoming, Options};
use super::encodings::Encodings;
use super::rtc::{Connection, Sender, Transceiver};
use super::stats::{Arrived, Guide};
use super::task::spawn;
use super::timer::sleep;
use super::voice::Ear;
use super::{Error, Listener, codecs, dtls, value};

/// How many media sections a connection has.
pub const SLOTS: usize = 4;

/// How long a connection stays for what was written just before it is dropped: that we leave.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// `kind` of each media section.
const KINDS: [&str; SLOTS] = ["audio", "video", "video", "audio"];
/// Those that carry pictures.
const PICTURES: core::ops::Range<usize> = 1..3;

/// Whether a connection that has failed is of no use in this browser any more. A Firefox whose ICE
/// was restarted from `failed` says that it is connected, and sends nothing after the first second:
/// seen with 153 ESR, after 60 s without a packet.
#[must_use]
pub fn is_failed_final() -> bool {
    is_firefox()
}

/// Whether this browser offers ICE restarts well. A Chromium that offers one pairs its new candidates
/// with the old ones of the other side as long as there is no answer, and sends over what of that
/// works first; a Firefox drops all that comes that way, since it knows no such candidate.
#[must_use]
pub fn restarts_well() -> bool {
    is_firefox()
}

pub(super) fn is_firefox() -> bool {
    let agent = value::get(&super::window().navigator(), "userAgent");
    agent.as_string().is_some_and(|agent| agent.contains("Firefox/"))
}

/// What a connection did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerEvent {
    /// `negotiationneeded`
    NegotiationNeeded,
    /// `icecandidate`
    Candidate {
        /// `usernameFragment`, or what the candidate says of it, or empty.
        ufrag: String,
        /// `None` when there are no more.
        candidate: Option<Candidate>,
    },
    /// `connectionstatechange`, with the new state.
    ConnectionState(String),
    /// Another state changed: which, and to what. For diagnosis.
    Observed(StateKind, String),
    /// `icecandidateerror`: a STUN or TURN server could not be used. For diagnosis.
    CandidateError {
        /// `errorCode` of STUN (RFC 8489, section 14.8), 701 if the server was out of reach.
        code: u16,
        /// The server's URL.
        url: String,
    },
    /// The remote track of a slot began (`true`) or ceased to bring media.
    Receiving(usize, bool),
    /// The control channel did something.
    Channel(ChannelEvent),
    /// A message came on the channel of reactions.
    Reaction(String),
    /// The chat channel did something.
    Chat(ChannelEvent),
    /// The channel on which files are talked about did something.
    Files(ChannelEvent),
    /// The other side made a channel that carries a transfer's bytes. To be taken up within this call.
    Pipe(PipeName, Incoming),
}

/// A state of a connection beside `connectionState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateKind {
    /// `iceConnectionState`
    IceConnection,
    /// `iceGatheringState`
    IceGathering,
    /// `signalingState`
    Signaling,
}

/// Whose pending offer a rollback takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Our own.
    Local,
    /// The other side's.
    Remote,
}

type Handler = Rc<dyn Fn(PeerEvent)>;

/// A connection, until this is dropped: then nothing more is heard of it, and it closes.
pub struct Peer {
    connection: Connection,
    handler: Handler,
    /// What each slot brings, as a stream that stays the same while tracks come.
    incoming: [MediaStream; SLOTS],
    /// Ties sound and camera together on the way, so that lips move with the voice; the other one
    /// does that for a screen and its sound.
    outgoing: [MediaStream; 2],
    slots: RefCell<Slots>,
    /// In the order of [`Purpose::ALL`].
    channels: RefCell<Option<[Channel; Purpose::COUNT]>>,
    encodings: Rc<Encodings>,
    ear: Ear,
    guide: Rc<Guide>,
    _listeners: [Listener; 8],
}

#[derive(Default)]
struct Slots {
    transceivers: Option<[Transceiver; SLOTS]>,
    /// Tracks that came before the transceivers did.
    early: [Option<MediaStreamTrack>; SLOTS],
    listeners: Vec<Listener>,
}

impl Peer {
    /// Makes a connection that does nothing yet.
    ///
    /// # Errors
    /// If the browser has no WebRTC, an ICE server's address is malformed, or there are too many
    /// connections.
    pub fn new(
        ice: &[IceServer],
        relay_only: bool,
        handler: impl Fn(PeerEvent) + 'static,
    ) -> Result<Self, Error> {
        if value::get(&js_sys::global(), "RTCPeerConnection").is_undefined() {
            return Err(Error::missing("RTCPeerConnection"));
        }
        let connection = Connection::new(&configuration(ice, relay_only)).map_err(Error::from)?;
        let handler: Handler = Rc::new(handler);
        let listeners = observe(&connection, &handler);
        let stream = || MediaStream::new().map_err(Error::from);
        Ok(Self {
            connection,
            handler,
            incoming: [stream()?, stream()?, stream()?, stream()?],
            outgoing: [stream()?, stream()?],
            slots: RefCell::default(),
            channels: RefCell::default(),
            encodings: Rc::default(),
            ear: Ear::default(),
            guide: Rc::default(),
            _listeners: listeners,
        })
    }

    /// Adds the transceivers and the channels, for the side that makes the first offer.
    ///
    /// # Errors
    /// As `addTransceiver` and `createDataChannel`.
    pub fn add_transceivers(&self) -> Result<(), Error> {
        self.bind([self.add(0)?, self.add(1)?, self.add(2)?, self.add(3)?]);
        self.open_channels()
    }

    fn add(&self, slot: usize) -> Result<Transceiver, Error> {
        let streams = Array::of1(self.outgoing(slot));
        let init = value::dictionary(&[("direction", "sendrecv".into()), ("streams", streams.into())]);
        self.connection
            .add_transceiver(KINDS[slot], &init)
            .map_err(Error::from)
    }

    /// Takes the transceivers that the other side's first offer made, by their order.
    ///
    /// An older page offers no section for a screen's sound. Then it is made here, which costs one
    /// more negotiation, and that page hears nothing on it.
    ///
    /// # Errors
    /// If the offer made others than these.
    pub fn adopt_transceivers(&self) -> Result<(), Error> {
        let offered = self.connection.transceivers();
        let adopt = |slot: usize| {
            let transceiver = offered.get(u32::try_from(slot).unwrap_or_default());
            if transceiver.is_undefined() && slot == SLOTS - 1 {
                return self.add(slot);
            }
            if transceiver.is_undefined() {
                return Err(Error::missing("a media section"));
            }
            let transceiver: Transceiver = transceiver.unchecked_into();
            if transceiver.receiver().track().kind() != KINDS[slot] {
                return Err(Error::missing("a media section of the right kind"));
            }
            transceiver.set_direction("sendrecv").map_err(Error::from)?;
            // Older browsers cannot; then lips may run a little ahead of the voice.
            _ = transceiver.sender().set_streams(self.outgoing(slot));
            Ok(transceiver)
        };
        self.bind([adopt(0)?, adopt(1)?, adopt(2)?, adopt(3)?]);
        self.open_channels()
    }

    fn open_channels(&self) -> Result<(), Error> {
        let open = |purpose| {
            let handler = Rc::clone(&self.handler);
            let tell = move |event| match (purpose, event) {
                (Purpose::Control, event) => handler(PeerEvent::Channel(event)),
                (Purpose::Chat, event) => handler(PeerEvent::Chat(event)),
                (Purpose::Files, event) => handler(PeerEvent::Files(event)),
                (Purpose::Reactions, ChannelEvent::Received(text)) => handler(PeerEvent::Reaction(text)),
                // It comes and goes with the other one.
                (Purpose::Reactions, ChannelEvent::Opened | ChannelEvent::Closed) => {}
            };
            Channel::new(&self.connection, purpose, Rc::new(tell))
        };
        let [control, reactions, chat, files] = Purpose::ALL.map(open);
        let before = self.channels.replace(Some([control?, reactions?, chat?, files?]));
        drop(before);
        Ok(())
    }

    /// Writes on the control channel; what it cannot take is dropped.
    pub fn send(&self, text: &str) {
        self.write(Purpose::Control, text);
    }

    /// Writes on the channel of reactions; what it cannot take is dropped, and what is lost is not
    /// sent again.
    pub fn send_reaction(&self, text: &str) {
        self.write(Purpose::Reactions, text);
    }

    /// Writes on the chat channel; what it cannot take is dropped.
    pub fn send_chat(&self, text: &str) {
        self.write(Purpose::Chat, text);
    }

    /// Writes on the channel on which files are talked about; what it cannot take is dropped.
    pub fn send_about_files(&self, text: &str) {
        self.write(Purpose::Files, text);
    }

    fn write(&self, purpose: Purpose, text: &str) {
        if let Some(channels) = &*self.channels.borrow() {
            channels[purpose as usize].send(text);
        }
    }

    /// Makes a channel that carries a transfer's bytes.
    ///
    /// # Errors
    /// As `createDataChannel`.
    pub fn make_pipe(&self, name: PipeName, handler: Rc<dyn Fn(DataEvent)>) -> Result<DataChannel, Error> {
        let options = Options {
            label: PIPE_LABEL,
            protocol: &name.to_string(),
            ..Options::default()
        };
        DataChannel::new(&self.connection, &options, handler)
    }

    #[doc(hidden)]
    #[must_use]
    pub fn connection_for_tests(&self) -> &JsValue {
        &self.connection
    }

    /// Asks what has arrived so far; `None` if the browser does not say.
    pub fn arrived(&self) -> impl Future<Output = Option<Arrived>> + 'static + use<> {
        let slots = self.slots.borrow();
        let mids = slots
            .transceivers
            .as_ref()
            .map(|all| all.each_ref().map(Transceiver::mid));
        let (asked, guide) = (self.connection.stats(), Rc::clone(&self.guide));
        async move {
            let report = JsFuture::from(asked.ok()?).await.ok()?;
            guide.read(&report, &mids?)
        }
    }

    /// How loud the other side is, 0 to 1 of full scale; `None` if there is nothing to hear yet or the
    /// browser does not say.
    pub fn level(&self) -> impl Future<Output = Option<f64>> + 'static + use<> {
        let slots = self.slots.borrow();
        let sound = slots.transceivers.as_ref().map(|[sound, ..]| sound);
        let asked = sound.map(|sound| self.ear.level(&sound.receiver()));
        async move { asked?.await }
    }

    /// Replaces the ICE servers and whether only relays are used, for candidates gathered from now on.
    ///
    /// # Errors
    /// As `setConfiguration`.
    pub fn set_ice_servers(&self, ice: &[IceServer], relay_only: bool) -> Result<(), Error> {
        self.connection
            .set_configuration(&configuration(ice, relay_only))
            .map_err(Error::from)
    }

    /// Makes and sets the offer or the answer that the state asks for; tells its type and text.
    pub fn set_local_description(
        &self,
    ) -> impl Future<Output = Result<(String, String), Error>> + 'static + use<> {
        let started = self.connection.set_local_description();
        let connection = self.connection.clone();
        async move {
            finish(started).await?;
            let description = connection.local_description();
            let text = |key| value::get(&description, key).as_string().unwrap_or_default();
            Ok((text("type"), codecs::without_orphans(&text("sdp"))))
        }
    }

    /// Applies the other side's description; `kind` is `"offer"` or `"answer"`.
    pub fn set_remote_description(
        &self,
        kind: &str,
        sdp: &str,
    ) -> impl Future<Output = Result<(), Error>> + 'static + use<> {
        let kept;
        let sdp = if kind == "offer" {
            kept = self.with_present_role(sdp);
            &kept
        } else {
            sdp
        };
        let description = value::dictionary(&[("type", kind.into()), ("sdp", sdp.into())]);
        finish(self.connection.set_remote_description(&description))
    }

    fn with_present_role(&self, offer: &str) -> String {
        let theirs = self.connection.current_remote_description();
        let ours = self.connection.current_local_description();
        let text = |of: &JsValue, key| value::get(of, key).as_string();
        let theirs = text(&theirs, "type").zip(text(&theirs, "sdp"));
        dtls::with_present_role(
            offer,
            theirs.as_ref().map(|(kind, sdp)| (kind.as_str(), sdp.as_str())),
            &text(&ours, "sdp").unwrap_or_default(),
        )
    }

    /// Takes a pending offer back.
    pub fn roll_back(&self, side: Side) -> impl Future<Output = Result<(), Error>> + 'static + use<> {
        let description = value::dictionary(&[("type", "rollback".into())]);
        finish(match side {
            Side::Local => self.connection.roll_back_local(&description),
            Side::Remote => self.connection.set_remote_description(&description),
        })
    }

    /// Hands a remote candidate over, or that there are no more.
    pub fn add_candidate(
        &self,
        ufrag: &str,
        candidate: Option<&Candidate>,
    ) -> impl Future<Output = Result<(), Error>> + 'static + use<> {
        let init = match candidate {
            Some(candidate) => value::dictionary(&[
                ("candidate", candidate.candidate.as_str().into()),
                ("sdpMid", candidate.mid.as_deref().into()),
                ("sdpMLineIndex", candidate.line.into()),
            ]),
            None => value::dictionary(&[("candidate", "".into()), ("sdpMLineIndex", 0.into())]),
        };
        if !ufrag.is_empty() {
            value::set(&init, "usernameFragment", &ufrag.into());
        }
        finish(self.connection.add_ice_candidate(&init))
    }

    /// Sends another track on a slot, or none; needs no negotiation. Before there are transceivers
    /// the track waits for them.
    pub fn replace_track(
        &self,
        slot: usize,
        track: Option<&MediaStreamTrack>,
    ) -> impl Future<Output = Result<(), Error>> + 'static + use<> {
        let mut slots = self.slots.borrow_mut();
        let started = match &slots.transceivers {
            Some(transceivers) => {
                if PICTURES.contains(&slot) {
                    let senders = transceivers[PICTURES].iter().map(Transceiver::sender).collect();
                    self.encodings
                        .fill(senders, slot - PICTURES.start, track.is_some());
                }
                transceivers[slot].sender().replace_track(track)
            }
            None => {
                slots.early[slot] = track.cloned();
                Ok(Promise::resolve(&JsValue::UNDEFINED))
            }
        };
        finish(started)
    }

    /// Makes the next picture of each video sender one that needs no other.
    pub fn send_key_frames(&self) {
        self.encodings.send_key_frames(self.video_senders());
    }

    /// Stops to send pictures, or goes on.
    pub fn pause_pictures(&self, paused: bool) {
        self.encodings.pause(self.video_senders(), paused);
    }

    fn video_senders(&self) -> Vec<Sender> {
        let slots = self.slots.borrow();
        let video = slots.transceivers.iter().flat_map(|all| &all[PICTURES]);
        video.map(Transceiver::sender).collect()
    }

    /// Asks for fresh candidates with the next offer.
    ///
    /// # Errors
    /// [`super::ErrorName::NotSupported`] in a browser too old for it.
    pub fn restart_ice(&self) -> Result<(), Error> {
        self.connection.restart_ice().map_err(Error::from)
    }

    /// What a slot brings. The same object for the connection's life.
    #[must_use]
    pub const fn stream(&self, slot: usize) -> &MediaStream {
        &self.incoming[slot]
    }

    const fn outgoing(&self, slot: usize) -> &MediaStream {
        &self.outgoing[slot / 2]
    }

    fn bind(&self, transceivers: [Transceiver; SLOTS]) {
        let mut slots = self.slots.borrow_mut();
        slots.listeners.clear();
        for (slot, transceiver) in transceivers.iter().enumerate() {
            codecs::prefer_codecs(transceiver, KINDS[slot]);
            codecs::prefer_extensions(transceiver, KINDS[slot]);
            let track = transceiver.receiver().track();
            self.incoming[slot].add_track(&track);
            for (kind, receiving) in [("unmute", true), ("mute", false)] {
                let handler = Rc::clone(&self.handler);
                slots.listeners.push(Listener::new(&track, kind, move |_| {
                    handler(PeerEvent::Receiving(slot, receiving));
                }));
            }
            if let Some(early) = slots.early[slot].take() {
                // On a transceiver that was made just now it has nothing to fail of.
                _ = transceiver.sender().replace_track(Some(&early));
            }
        }
        slots.transceivers = Some(transceivers);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let connection = self.connection.clone();
        let channels = self.channels.take();
        // Only what is said on the control channel must arrive.
        if channels.is_some_and(|[control, ..]| control.is_busy()) {
            spawn(async move {
                sleep(LAST_WORDS).await;
                connection.close();
            });
        } else {
            connection.close();
        }
    }
}

/// Waits for an operation that has been started already.
async fn finish(started: Result<Promise, JsValue>) -> Result<(), Error> {
    JsFuture::from(started.map_err(Error::from)?)
        .await
        .map(drop)
        .map_err(Error::from)
}

fn configuration(ice: &[IceServer], relay_only: bool) -> JsValue {
    let servers = Array::new();
    for server in ice {
        let urls: Array = server.urls.iter().map(|url| JsValue::from_str(url)).collect();
        let entry = value::dictionary(&[("urls", urls.into())]);
        if let Some(username) = &server.username {
            value::set(&entry, "username", &username.into());
        }
        if let Some(credential) = &server.credential {
            value::set(&entry, "credential", &credential.into());
        }
        servers.push(&entry);
    }
    value::dictionary(&[
        ("bundlePolicy", "max-bundle".into()),
        ("iceServers", servers.into()),
        (
            "iceTransportPolicy",
            (if relay_only { "relay" } else { "all" }).into(),
        ),
    ])
    .into()
}

fn observe(connection: &Connection, handler: &Handler) -> [Listener; 8] {
    let listen = |kind, read: fn(&Connection, &Event) -> PeerEvent| {
        // The listener belongs to the connection's owner, so this makes no circle.
        let (connection, handler) = (connection.clone(), Rc::clone(handler));
        Listener::new(&connection.clone(), kind, move |event| {
            handler(read(&connection, &event));
        })
    };
    [
        listen("negotiationneeded", |_, _| PeerEvent::NegotiationNeeded),
        listen("icecandidate", |_, event| read_candidate(event)),
        listen("connectionstatechange", |connection, _| {
            PeerEvent::ConnectionState(state(connection, "connectionState"))
        }),
        listen("iceconnectionstatechange", |connection, _| {
            PeerEvent::Observed(StateKind::IceConnection, state(connection, "iceConnectionState"))
        }),
        listen("icegatheringstatechange", |connection, _| {
            PeerEvent::Observed(StateKind::IceGathering, state(connection, "iceGatheringState"))
        }),
        listen("signalingstatechange", |connection, _| {
            PeerEvent::Observed(StateKind::Signaling, state(connection, "signalingState"))
        }),
        listen("icecandidateerror", |_, event| PeerEvent::CandidateError {
            code: read_number(event, "errorCode"),
            url: value::get(event, "url").as_string().unwrap_or_default(),
        }),
        take_channels(connection, handler),
    ]
}

/// Hands on the channels that are pipes; all others that the other side makes are closed.
fn take_channels(connection: &Connection, handler: &Handler) -> Listener {
    let handler = Rc::clone(handler);
    Listener::new(connection, "datachannel", move |event| {
        let Some(channel) = Incoming::of(&event) else {
            return;
        };
        let is_pipe = channel.label() == PIPE_LABEL && channel.is_reliable();
        match channel.protocol().parse() {
            Ok(name) if is_pipe => handler(PeerEvent::Pipe(name, channel)),
            _ => channel.refuse(),
        }
    })
}

fn state(connection: &Connection, key: &str) -> String {
    value::get(connection, key).as_string().unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and STUN's codes have three digits"
)]
fn read_number(event: &Event, key: &str) -> u16 {
    value::get(event, key).as_f64().unwrap_or_default() as u16
}

fn read_candidate(event: &Event) -> PeerEvent {
    let candidate = event
        .dyn_ref::<RtcPeerConnectionIceEvent>()
        .and_then(RtcPeerConnectionIceEvent::candidate);
    let Some(found) = candidate else {
        return PeerEvent::Candidate {
            ufrag: String::new(),
            candidate: None,
        };
    };
    let line = found.candidate();
    let ufrag = value::get(&found, "usernameFragment")
        .as_string()
        .or_else(|| ufrag_of(&line).map(str::to_owned))
        .unwrap_or_default();
    // An empty line is the end of the candidates of one generation.
    let candidate = (!line.is_empty()).then(|| Candidate {
        candidate: line,
        mid: found.sdp_mid(),
        line: found.sdp_m_line_index(),
    });
    PeerEvent::Candidate { ufrag, candidate }
}

/// The `ufrag` extension of a candidate line, for browsers that have no `usernameFragment`.
fn ufrag_of(line: &str) -> Option<&str> {
    let mut words = line.split(' ').skip_while(|word| *word != "ufrag");
    words.next()?;
    words.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ufrag_is_read_off_a_candidate() {
        let line = "candidate:1 1 udp 2122 10.0.0.1 5000 typ host generation 0 ufrag ab+c network-id 1";
        assert_eq!(ufrag_of(line), Some("ab+c"));
        assert_eq!(ufrag_of("candidate:1 1 udp 2122 10.0.0.1 5000 typ host"), None);
        assert_eq!(ufrag_of(""), None);
    }
}
