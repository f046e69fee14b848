//! Every option of a data channel, between two connections: what the other side sees of it, that messages
//! pass, and what the browser says to options that cannot be.

use core::cell::RefCell;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Uint8Array};
use visavis::web::ErrorName;
use visavis::web::data_channel::{DataChannel, DataEvent, Incoming, Options, SendError};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::RtcPeerConnection;

use crate::pair::Pair;
use crate::wait::until;

/// A channel and all that was heard of it.
struct Heard {
    channel: DataChannel,
    events: Rc<RefCell<Vec<DataEvent>>>,
}

type Handler = Rc<dyn Fn(DataEvent)>;

impl Heard {
    fn with(make: impl FnOnce(Handler) -> DataChannel) -> Self {
        let events = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&events);
        let channel = make(Rc::new(move |event| heard.borrow_mut().push(event)));
        Self { channel, events }
    }

    fn make(connection: &RtcPeerConnection, options: &Options<'_>) -> Self {
        Self::with(|handler| DataChannel::new(connection, options, handler).unwrap())
    }

    fn take(incoming: Incoming) -> Self {
        Self::with(|handler| DataChannel::take(incoming, handler))
    }

    fn has(&self, wanted: impl Fn(&DataEvent) -> bool) -> bool {
        self.events.borrow().iter().any(wanted)
    }

    fn has_text(&self, wanted: &str) -> bool {
        self.has(|event| matches!(event, DataEvent::Text(text) if *text == wanted))
    }

    fn has_bytes(&self, wanted: &[u8]) -> bool {
        self.has(
            |event| matches!(event, DataEvent::Bytes(bytes) if Uint8Array::new(bytes).to_vec() == wanted),
        )
    }

    fn is(&self, key: &str, wanted: impl Into<JsValue>) {
        assert_eq!(self.channel.report(key), wanted.into(), "{key}");
    }
}

/// Makes a channel both ends of which are heard.
async fn both(pair: &Pair, options: &Options<'_>) -> (Heard, Heard) {
    let (listener, incoming) = pair.incoming();
    let here = Heard::make(&pair.here, options);
    let there = if options.negotiated {
        Heard::make(&pair.there, options)
    } else {
        until("the channel comes", || !incoming.borrow().is_empty()).await;
        Heard::take(incoming.borrow_mut().remove(0))
    };
    until("both ends are open", || {
        here.channel.is_open() && there.channel.is_open()
    })
    .await;
    drop(listener);
    (here, there)
}

#[wasm_bindgen_test]
async fn every_combination_is_seen_by_the_other_side_and_carries_messages() {
    let pair = Pair::new().await;
    let mut id = 100;
    for ordered in [true, false] {
        for (max_retransmits, max_packet_life_time) in [(None, None), (Some(3), None), (None, Some(500))] {
            for negotiated in [false, true] {
                for protocol in ["", "sub.protocol"] {
                    id += 2;
                    let options = Options {
                        label: "a label, ünïcode",
                        protocol,
                        ordered,
                        max_retransmits,
                        max_packet_life_time,
                        negotiated,
                        id: negotiated.then_some(id),
                    };
                    let (here, there) = both(&pair, &options).await;
                    for side in [&here, &there] {
                        side.is("label", options.label);
                        side.is("protocol", protocol);
                        side.is("ordered", ordered);
                        side.is("negotiated", negotiated);
                        side.is("binaryType", "arraybuffer");
                        side.is(
                            "maxRetransmits",
                            max_retransmits.map_or(JsValue::NULL, JsValue::from),
                        );
                        side.is(
                            "maxPacketLifeTime",
                            max_packet_life_time.map_or(JsValue::NULL, JsValue::from),
                        );
                    }
                    assert_eq!(here.channel.report("id"), there.channel.report("id"));
                    if negotiated {
                        here.is("id", id);
                    }
                    round_trip(&here, &there).await;
                    round_trip(&there, &here).await;
                    assert!(here.has(|event| *event == DataEvent::Opened), "{options:?}");
                    here.channel.close();
                    until("both ends know of the end", || {
                        [&here, &there]
                            .iter()
                            .all(|side| side.has(|event| *event == DataEvent::Closed))
                    })
                    .await;
                }
            }
        }
    }
}

/// Sends until it comes: not every channel repeats what is lost.
async fn round_trip(from: &Heard, to: &Heard) {
    let bytes = Uint8Array::from(&[0, 1, 254, 255][..]);
    let buffer: ArrayBuffer = Uint8Array::from(&[9, 8][..]).buffer();
    until("messages of each kind come", || {
        from.channel.send_text("text, ünïcode 👏").unwrap();
        from.channel.send_text("").unwrap();
        from.channel.send_bytes(&bytes.subarray(1, 4)).unwrap();
        from.channel.send_bytes(&buffer).unwrap();
        to.has_text("text, ünïcode 👏")
            && to.has_text("")
            && to.has_bytes(&[1, 254, 255])
            && to.has_bytes(&[9, 8])
    })
    .await;
}

#[wasm_bindgen_test]
async fn an_id_that_is_not_negotiated_is_passed_over() {
    let pair = Pair::new().await;
    let options = Options {
        id: Some(700),
        ..Options::default()
    };
    let (here, _there) = both(&pair, &options).await;
    assert_ne!(here.channel.report("id"), JsValue::from(700));
}

/// What the browser says to a channel that cannot be.
fn refusal(connection: &RtcPeerConnection, options: &Options<'_>) -> Option<ErrorName> {
    DataChannel::new(connection, options, Rc::new(|_| ()))
        .err()
        .map(|error| error.name)
}

#[wasm_bindgen_test]
async fn options_that_cannot_be_are_refused_with_the_browsers_error() {
    let pair = Pair::new().await;
    let at = |id| Options {
        negotiated: true,
        id,
        ..Options::default()
    };
    let long = "x".repeat(65_536);
    let two_bytes_each = "é".repeat(32_768);
    let most = "x".repeat(65_535);
    let type_error = Some(ErrorName::Other("TypeError".into()));
    let cases = [
        (
            "both limits at once",
            Options {
                max_retransmits: Some(1),
                max_packet_life_time: Some(1),
                ..Options::default()
            },
        ),
        ("an id that is reserved", at(Some(65_535))),
        ("an id beyond 16 bits", at(Some(65_536))),
        ("negotiated without an id", at(None)),
        (
            "a protocol that is too long",
            Options {
                protocol: &long,
                ..Options::default()
            },
        ),
        (
            "a label that is too long",
            Options {
                label: &long,
                ..Options::default()
            },
        ),
        (
            "a label that is too long in bytes, not in letters",
            Options {
                label: &two_bytes_each,
                ..Options::default()
            },
        ),
        (
            "retransmits beyond 16 bits",
            Options {
                max_retransmits: Some(65_536),
                ..Options::default()
            },
        ),
        (
            "a life beyond 16 bits",
            Options {
                max_packet_life_time: Some(65_536),
                ..Options::default()
            },
        ),
    ];
    for (what, options) in cases {
        assert_eq!(refusal(&pair.here, &options), type_error, "{what}");
    }
    let longest = Options {
        label: &most,
        ..Options::default()
    };
    assert_eq!(refusal(&pair.here, &longest), None, "the longest label");
    let kept = Heard::make(&pair.here, &at(Some(40)));
    assert_eq!(
        refusal(&pair.here, &at(Some(40))),
        Some(ErrorName::Other("OperationError".into())),
        "an id that is taken"
    );
    drop(kept);
    pair.here.close();
    assert_eq!(
        refusal(&pair.here, &Options::default()),
        Some(ErrorName::InvalidState),
        "a connection that is closed"
    );
}

#[wasm_bindgen_test]
async fn nothing_is_sent_before_it_is_open_and_after_it_is_closed() {
    let alone = RtcPeerConnection::new().unwrap();
    let early = Heard::make(&alone, &Options::default());
    let bytes = Uint8Array::new_with_length(1);
    assert_eq!(early.channel.send_text("early"), Err(SendError::NotOpen));
    assert_eq!(early.channel.send_bytes(&bytes), Err(SendError::NotOpen));
    alone.close();

    let pair = Pair::new().await;
    let (here, there) = both(&pair, &Options::default()).await;
    here.channel.close();
    assert_eq!(here.channel.send_text("late"), Err(SendError::NotOpen), "closing");
    until("the other side hears of the end", || {
        there.has(|event| *event == DataEvent::Closed)
    })
    .await;
    assert_eq!(there.channel.send_text("late"), Err(SendError::NotOpen));
    assert_eq!(there.channel.send_bytes(&bytes), Err(SendError::NotOpen));
    assert!(!there.has_text("late"));
}

#[wasm_bindgen_test]
async fn what_is_too_long_for_the_other_side_is_refused_with_the_browsers_error() {
    let pair = Pair::new().await;
    let (here, there) = both(&pair, &Options::default()).await;
    // Chromium takes 256 KiB in one message and says so in its descriptions; Firefox takes 1 GiB.
    let sctp = visavis::web::value::get(&pair.here, "sctp");
    let most = visavis::web::value::get(&sctp, "maxMessageSize")
        .as_f64()
        .unwrap();
    let is_small = most < 16_777_216.0;
    let bytes = Uint8Array::new_with_length(if is_small { most as u32 + 1 } else { 1 });
    let sent = here.channel.send_bytes(&bytes);
    if is_small {
        let Err(SendError::Browser(error)) = sent else {
            panic!("{sent:?}");
        };
        assert_eq!(error.name, ErrorName::Other("TypeError".into()));
    } else {
        assert_eq!(sent, Ok(()));
    }
    // It is as good as before.
    here.channel.send_text("after").unwrap();
    until("the next one comes", || there.has_text("after")).await;
}

#[wasm_bindgen_test]
async fn it_is_told_when_little_is_waiting() {
    let pair = Pair::new().await;
    let (here, there) = both(&pair, &Options::default()).await;
    let low = |side: &Heard| side.has(|event| *event == DataEvent::Low);
    here.channel.set_low_bytes(64 * 1024);
    here.is("bufferedAmountLowThreshold", 64 * 1024);
    let chunk = Uint8Array::new_with_length(16 * 1024);
    for _ in 0..32 {
        here.channel.send_bytes(&chunk).unwrap();
    }
    assert!(here.channel.buffered_bytes() > 64 * 1024);
    assert!(!low(&here));
    until("little is waiting", || low(&here)).await;
    assert!(here.channel.buffered_bytes() <= 64 * 1024);
    let bytes = || -> u32 {
        let events = there.events.borrow();
        let lengths = events.iter().map(|event| match event {
            DataEvent::Bytes(bytes) => bytes.byte_length(),
            DataEvent::Opened
            | DataEvent::Text(_)
            | DataEvent::Low
            | DataEvent::Failed(_)
            | DataEvent::Closed => 0,
        });
        lengths.sum()
    };
    until("all of it has come", || bytes() == 32 * 16 * 1024).await;
}

#[wasm_bindgen_test]
async fn a_dropped_channel_says_nothing() {
    let pair = Pair::new().await;
    let (here, there) = both(&pair, &Options::default()).await;
    let Heard { channel, events } = there;
    drop(channel);
    let heard = events.borrow().len();
    here.channel.send_text("to nobody").unwrap();
    here.channel.close();
    until("it is closed", || here.has(|event| *event == DataEvent::Closed)).await;
    assert_eq!(events.borrow().len(), heard);
}
