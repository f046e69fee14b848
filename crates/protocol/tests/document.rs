//! `docs/protocol.md` says what the code does: its examples are decoded and written again, its
//! tables are complete.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

use serde_json::Value;
use visavis_protocol::chat::ChatFrame;
use visavis_protocol::message::{CLIENT_KINDS, SERVER_KINDS};
use visavis_protocol::people::PeopleRequest;
use visavis_protocol::transfer::{FilesFrame, PipeFrame};
use visavis_protocol::{ClientMessage, CloseCode, ErrorCode, Frame, Packet, ServerMessage};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The examples of one sort: what stands in fences that open with "```json <sort>".
fn examples(sort: &str) -> Vec<&'static str> {
    let fence = format!("```json {sort}\n");
    let examples: Vec<_> = DOCUMENT
        .split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(!examples.is_empty(), "no examples of {sort}");
    examples
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn kind(text: &str) -> String {
    value(text).as_object().unwrap().keys().next().unwrap().clone()
}

#[test]
fn every_example_of_a_client_is_read_and_written_again() {
    for text in examples("client") {
        let message = ClientMessage::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(value(&message.encode()), value(text));
    }
}

#[test]
fn every_example_of_the_server_is_read_and_written_again() {
    for text in examples("server") {
        let message = ServerMessage::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(value(&message.encode()), value(text));
    }
}

#[test]
fn every_example_of_a_frame_is_read_and_written_again() {
    for text in examples("frame") {
        let frame = Frame::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(value(&frame.encode()), value(text));
    }
}

#[test]
fn every_example_of_a_packet_is_read_and_written_again() {
    for text in examples("packet") {
        let packet = Packet::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(value(&packet.encode()), value(text));
    }
}

#[test]
fn every_example_of_the_chat_is_read_and_written_again() {
    for text in examples("chat") {
        let frame = ChatFrame::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(value(&frame.encode()), value(text));
    }
}

#[test]
fn every_example_of_files_is_read_and_written_again() {
    for text in examples("files") {
        let frame = FilesFrame::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(value(&frame.encode()), value(text));
    }
    for text in examples("pipe") {
        let frame = PipeFrame::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(value(&frame.encode()), value(text));
    }
}

#[test]
fn every_kind_has_an_example() {
    for (sort, kinds) in [("client", CLIENT_KINDS), ("server", SERVER_KINDS)] {
        let shown: Vec<String> = examples(sort).into_iter().map(kind).collect();
        for kind in kinds {
            assert!(
                shown.iter().any(|shown| shown == kind),
                "no example of {sort}'s {kind}"
            );
        }
    }
}

#[test]
fn every_word_about_people_has_an_example() {
    const EVENTS: [&str; 12] = [
        "challenge",
        "signed_in",
        "signed_out",
        "code",
        "contacts",
        "presence",
        "incoming",
        "ringing",
        "outgoing",
        "accepted",
        "ended",
        "missed",
    ];
    for (sort, words) in [("client", &PeopleRequest::KINDS[..]), ("server", &EVENTS[..])] {
        let shown: Vec<String> = examples(sort)
            .into_iter()
            .filter_map(|text| Some(value(text).get("people")?.as_object()?.keys().next()?.clone()))
            .collect();
        for word in words {
            assert!(
                shown.iter().any(|shown| shown == word),
                "no example of {sort}'s {word}"
            );
        }
    }
}

#[test]
fn every_word_of_a_host_has_an_example() {
    let shown: Vec<String> = examples("client")
        .into_iter()
        .filter_map(|text| Some(value(text).get("host")?.as_object()?.keys().next()?.clone()))
        .collect();
    for word in ["set_gate", "admit", "decline", "remove", "rename"] {
        assert!(shown.iter().any(|shown| shown == word), "no example of {word}");
    }
}

#[test]
fn a_request_about_people_is_called_what_it_is_called_on_the_wire() {
    for text in examples("client") {
        if let Ok(ClientMessage::People(request)) = ClientMessage::decode(text) {
            let written = value(text);
            let kinds: Vec<&String> = written["people"].as_object().unwrap().keys().collect();
            assert_eq!(kinds, [request.kind()]);
            assert!(PeopleRequest::KINDS.contains(&request.kind()));
        }
    }
}

#[test]
fn every_code_is_in_its_table() {
    for code in ErrorCode::ALL {
        let row = format!("\n| `{code}` ");
        assert_eq!(DOCUMENT.matches(&row).count(), 1, "{code}");
    }
    for code in CloseCode::ALL {
        let row = DOCUMENT
            .lines()
            .find(|line| line.starts_with(&format!("| {} |", code.code())))
            .unwrap_or_else(|| panic!("no row for {code:?}"));
        assert_eq!(row.ends_with("| yes |"), code.is_final(), "{row}");
    }
}

#[test]
fn every_json_fence_says_whose_it_is() {
    let fences = DOCUMENT.matches("```json").count();
    let known: usize = ["client", "server", "packet", "frame", "chat", "files", "pipe"]
        .map(|sort| examples(sort).len())
        .iter()
        .sum();
    assert_eq!(fences, known);
}
