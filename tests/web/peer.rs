//! Two connections in one page: that they agree, that media flows, that nothing is left.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::Rc;

use visavis::web::capture::{self, Source, Track, Wish};
use visavis::web::peer::{Peer, PeerEvent, SLOTS};
use visavis::web::stats::Arrived;
use visavis::web::task::spawn;
use visavis_protocol::limits;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{MediaStreamTrack, MediaStreamTrackState};

use crate::wait::until;

struct Heard {
    peer: Peer,
    events: Rc<RefCell<Vec<PeerEvent>>>,
}

impl Heard {
    fn new() -> Self {
        let events = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&events);
        let peer = Peer::new(&[], false, move |event| heard.borrow_mut().push(event)).unwrap();
        Self { peer, events }
    }

    fn count(&self, wanted: impl Fn(&PeerEvent) -> bool) -> usize {
        self.events.borrow().iter().filter(|event| wanted(event)).count()
    }

    fn is_connected(&self) -> bool {
        self.count(|event| *event == PeerEvent::ConnectionState("connected".into())) > 0
    }

    /// Hands the candidates found so far to the other side, which must have our description.
    async fn give_candidates(&self, other: &Peer) {
        let events = self.events.replace(Vec::new());
        for event in &events {
            if let PeerEvent::Candidate { ufrag, candidate } = event {
                other.add_candidate(ufrag, candidate.as_ref()).await.unwrap();
            }
        }
        self.events.borrow_mut().extend(
            events
                .into_iter()
                .filter(|event| !matches!(event, PeerEvent::Candidate { .. })),
        );
    }
}

/// The kinds, directions and ids of a description's media sections.
fn sections(sdp: &str) -> Vec<(String, String, String)> {
    let mut sections = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let kind = media.split(' ').next().unwrap_or_default();
            sections.push((kind.to_owned(), String::new(), String::new()));
        } else if let Some(last) = sections.last_mut() {
            if ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"].contains(&line) {
                last.1 = line.to_owned();
            } else if let Some(mid) = line.strip_prefix("a=mid:") {
                last.2 = mid.to_owned();
            }
        }
    }
    sections
}

/// Negotiates for the first time; returns offer and answer.
async fn negotiate(offerer: &Heard, answerer: &Heard) -> (String, String) {
    exchange(offerer, answerer, true).await
}

async fn exchange(offerer: &Heard, answerer: &Heard, is_first: bool) -> (String, String) {
    let (kind, offer) = offerer.peer.set_local_description().await.unwrap();
    assert_eq!(kind, "offer");
    answerer
        .peer
        .set_remote_description("offer", &offer)
        .await
        .unwrap();
    if is_first {
        answerer.peer.adopt_transceivers().unwrap();
    }
    let (kind, answer) = answerer.peer.set_local_description().await.unwrap();
    assert_eq!(kind, "answer");
    offerer
        .peer
        .set_remote_description("answer", &answer)
        .await
        .unwrap();
    (offer, answer)
}

async fn track(source: Source) -> Track {
    Track::new(
        capture::open(source, Wish::default(), None).await.unwrap(),
        |_| (),
    )
}

#[wasm_bindgen_test]
async fn both_sides_end_with_the_same_sections() {
    let (offerer, answerer) = (Heard::new(), Heard::new());
    offerer.peer.add_transceivers().unwrap();
    until("negotiation is wanted", || {
        offerer.count(|event| *event == PeerEvent::NegotiationNeeded) == 1
    })
    .await;
    let (offer, answer) = negotiate(&offerer, &answerer).await;
    let kinds: Vec<_> = sections(&offer).into_iter().map(|section| section.0).collect();
    assert_eq!(kinds, ["audio", "video", "video", "audio", "application"]);
    assert_eq!(sections(&offer), sections(&answer));
    let mut media = sections(&offer).into_iter().take(SLOTS);
    assert!(media.all(|section| section.1 == "a=sendrecv"));
}

#[wasm_bindgen_test]
async fn an_offer_is_short_and_has_the_codecs_that_are_used() {
    let offerer = Heard::new();
    offerer.peer.add_transceivers().unwrap();
    let (_, offer) = offerer.peer.set_local_description().await.unwrap();
    assert!(offer.contains("opus/48000"));
    assert!(offer.contains("VP8/90000"));
    for unused in ["telephone-event", "PCMU", "ulpfec", "flexfec"] {
        assert!(!offer.contains(unused), "{unused}");
    }
    assert!(offer.len() < 8 * 1024, "{} bytes", offer.len());
    assert!(offer.len() < limits::SDP_BYTES);
}

/// Asks what has arrived until it is as wanted.
async fn until_arrived(what: &str, side: &Heard, condition: impl Fn(&Arrived) -> bool) {
    let asked = Rc::new(Cell::new(None));
    until(what, || {
        let told = Rc::clone(&asked);
        let arrived = side.peer.arrived();
        spawn(async move { told.set(arrived.await) });
        asked.get().is_some_and(|arrived| condition(&arrived))
    })
    .await;
}

#[wasm_bindgen_test]
async fn media_flows_and_tracks_change_without_negotiation() {
    let (offerer, answerer) = (Heard::new(), Heard::new());
    let microphone = track(Source::Microphone).await;
    offerer.peer.add_transceivers().unwrap();
    offerer
        .peer
        .replace_track(0, Some(microphone.media()))
        .await
        .unwrap();
    // Before there are transceivers, a track waits for them.
    answerer
        .peer
        .replace_track(0, Some(microphone.media()))
        .await
        .unwrap();
    until("negotiation is wanted", || {
        offerer.count(|event| *event == PeerEvent::NegotiationNeeded) == 1
    })
    .await;
    negotiate(&offerer, &answerer).await;
    exchange_until_connected(&offerer, &answerer).await;
    until("sound arrives at both", || {
        [&offerer, &answerer]
            .iter()
            .all(|side| side.count(|event| *event == PeerEvent::Receiving(0, true)) > 0)
    })
    .await;

    until_arrived("sound is counted", &answerer, |arrived| arrived.bytes > 0).await;
    offerer.peer.replace_track(0, None).await.unwrap();
    let old = Duration::from_millis(700);
    until_arrived("it is told how long ago the last came", &answerer, |arrived| {
        arrived.age > old
    })
    .await;

    let camera = track(Source::Camera).await;
    offerer.peer.replace_track(1, Some(camera.media())).await.unwrap();
    until("the picture arrives", || {
        answerer.count(|event| *event == PeerEvent::Receiving(1, true)) > 0
    })
    .await;
    let screen = answerer.peer.stream(2).get_tracks();
    assert_eq!(screen.length(), 1, "a slot has its track from the beginning");
    let again = |side: &Heard| side.count(|event| *event == PeerEvent::NegotiationNeeded);
    assert_eq!((again(&offerer), again(&answerer)), (1, 0));
}

#[wasm_bindgen_test]
async fn a_dropped_connection_ends_what_it_brought_and_says_nothing() {
    let (offerer, answerer) = (Heard::new(), Heard::new());
    offerer.peer.add_transceivers().unwrap();
    negotiate(&offerer, &answerer).await;
    let brought: Vec<MediaStreamTrack> = (0..SLOTS)
        .map(|slot| answerer.peer.stream(slot).get_tracks().get(0).into())
        .collect();
    let events = Rc::clone(&answerer.events);
    drop(answerer);
    let heard = events.borrow().len();
    until("its tracks have ended", || {
        brought
            .iter()
            .all(|track| track.ready_state() == MediaStreamTrackState::Ended)
    })
    .await;
    assert_eq!(events.borrow().len(), heard);
}

#[wasm_bindgen_test]
async fn a_pending_offer_can_be_taken_back() {
    use visavis::web::peer::Side;

    // Only a later offer is ever taken back: a first one would take what it brought along.
    let (offerer, answerer) = (Heard::new(), Heard::new());
    offerer.peer.add_transceivers().unwrap();
    negotiate(&offerer, &answerer).await;
    offerer.peer.restart_ice().unwrap();
    let (_, offer) = offerer.peer.set_local_description().await.unwrap();
    answerer
        .peer
        .set_remote_description("offer", &offer)
        .await
        .unwrap();
    answerer.peer.roll_back(Side::Remote).await.unwrap();
    offerer.peer.roll_back(Side::Local).await.unwrap();
    let (offer, answer) = exchange(&offerer, &answerer, false).await;
    // One more for the control channel.
    assert_eq!(sections(&offer).len(), SLOTS + 1);
    assert_eq!(sections(&offer), sections(&answer));
}

#[wasm_bindgen_test]
async fn the_control_channel_carries_texts_in_order_and_tells_its_end() {
    use visavis::web::channel::ChannelEvent;

    let (offerer, answerer) = (Heard::new(), Heard::new());
    let channel =
        |side: &Heard, wanted: ChannelEvent| side.count(|event| *event == PeerEvent::Channel(wanted.clone()));
    offerer.peer.add_transceivers().unwrap();
    // Too early: dropped, and nothing breaks.
    offerer.peer.send("early");
    negotiate(&offerer, &answerer).await;
    exchange_until_connected(&offerer, &answerer).await;
    until("the channel is open on both sides", || {
        [&offerer, &answerer]
            .iter()
            .all(|side| channel(side, ChannelEvent::Opened) == 1)
    })
    .await;
    let sent: Vec<String> = (0..100).map(|n| format!("text {n}")).collect();
    for text in &sent {
        offerer.peer.send(text);
    }
    answerer.peer.send("back");
    let texts = |side: &Heard| -> Vec<String> {
        let events = side.events.borrow();
        let mut texts = Vec::new();
        for event in events.iter() {
            if let PeerEvent::Channel(ChannelEvent::Received(text)) = event {
                texts.push(text.clone());
            }
        }
        texts
    };
    until("all has arrived", || texts(&answerer).len() >= sent.len()).await;
    assert_eq!(texts(&answerer), sent);
    until("the other way as well", || texts(&offerer) == ["back"]).await;
    drop(offerer);
    until("the end is told", || {
        channel(&answerer, ChannelEvent::Closed) == 1
    })
    .await;
}

#[wasm_bindgen_test]
async fn reactions_have_a_channel_of_their_own() {
    let (offerer, answerer) = (Heard::new(), Heard::new());
    offerer.peer.add_transceivers().unwrap();
    offerer.peer.send_reaction("too early");
    negotiate(&offerer, &answerer).await;
    exchange_until_connected(&offerer, &answerer).await;
    let came = |side: &Heard| side.count(|event| *event == PeerEvent::Reaction("👏".into()));
    let long = "👏".repeat(200);
    // Nothing is repeated there, so it may take more than one.
    until("a reaction each way", || {
        offerer.peer.send_reaction(&long);
        offerer.peer.send_reaction("👏");
        answerer.peer.send_reaction("👏");
        came(&offerer) > 0 && came(&answerer) > 0
    })
    .await;
    for dropped in ["too early", &long] {
        let dropped = PeerEvent::Reaction(dropped.into());
        assert_eq!(answerer.count(|event| *event == dropped), 0);
    }
    let is_control = |event: &PeerEvent| {
        matches!(
            event,
            PeerEvent::Channel(visavis::web::channel::ChannelEvent::Received(_))
        )
    };
    assert_eq!(answerer.count(is_control), 0, "not on the control channel");
}

#[wasm_bindgen_test]
async fn a_description_that_is_none_is_refused() {
    let peer = Heard::new();
    let refused = peer.peer.set_remote_description("offer", "v=nonsense").await;
    assert!(refused.is_err());
}

/// Carries candidates both ways until there is a connection.
async fn exchange_until_connected(one: &Heard, other: &Heard) {
    use core::time::Duration;

    for _ in 0..1000 {
        one.give_candidates(&other.peer).await;
        other.give_candidates(&one.peer).await;
        if one.is_connected() && other.is_connected() {
            return;
        }
        crate::wait::pause(Duration::from_millis(10)).await;
    }
    panic!("waited too long until both are connected");
}

/// An offer as an older page makes it, which knows of no screen's sound.
fn without_screen_sound(offer: &str) -> String {
    let mut kept = String::new();
    let mut section = 0;
    for line in offer.split_inclusive('\n') {
        section += usize::from(line.starts_with("m="));
        if section == SLOTS {
            continue;
        }
        if line.starts_with("a=group:BUNDLE") {
            kept.push_str(&line.replace(" 3", ""));
        } else {
            kept.push_str(line);
        }
    }
    kept
}

#[wasm_bindgen_test]
async fn an_older_page_is_met_without_its_screens_sound() {
    let (offerer, answerer) = (Heard::new(), Heard::new());
    offerer.peer.add_transceivers().unwrap();
    let (_, offer) = offerer.peer.set_local_description().await.unwrap();
    let offer = without_screen_sound(&offer);
    assert_eq!(sections(&offer).len(), SLOTS);
    answerer
        .peer
        .set_remote_description("offer", &offer)
        .await
        .unwrap();
    answerer.peer.adopt_transceivers().unwrap();
    let (_, answer) = answerer.peer.set_local_description().await.unwrap();
    assert_eq!(sections(&answer), sections(&offer));
    until("the missing section is to be negotiated", || {
        answerer.count(|event| *event == PeerEvent::NegotiationNeeded) == 1
    })
    .await;
    let (_, further) = answerer.peer.set_local_description().await.unwrap();
    assert_eq!(sections(&further).len(), SLOTS + 1);
}
