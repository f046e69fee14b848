//! What nobody may do: refused by name, the others undisturbed (M36 to M38, and what is about handles).

use std::time::{Duration, Instant};

use tokio::time::timeout;
use visavis_protocol::limits::PAGES_PER_PERSON;
use visavis_protocol::people::{EndReason, PeopleEvent, PeopleRequest};
use visavis_protocol::{ErrorCode, ServerMessage};

use crate::folk::{Key, ask, call, hear, named, proven, ring, sign, signed_in};
use crate::support::{Server, Socket};

/// Two who mind their own business, and one who does not.
struct Folk {
    server: Server,
    ada: Socket,
    bob: Socket,
    eve: Socket,
}

impl Folk {
    async fn new() -> Self {
        let server = Server::start().await;
        let ada = signed_in(&server, "ada", &Key::new()).await;
        let bob = signed_in(&server, "bob", &Key::new()).await;
        let eve = signed_in(&server, "eve", &Key::new()).await;
        Self {
            server,
            ada,
            bob,
            eve,
        }
    }

    /// Nobody was told anything, and all go on.
    async fn end(mut self) {
        for socket in [&mut self.ada, &mut self.bob, &mut self.eve] {
            socket.is_open().await;
        }
        self.server.stop().await;
    }
}

async fn ended(socket: &mut Socket, reason: EndReason) {
    let event = hear(socket).await;
    let is_so = matches!(event, PeopleEvent::Ended { reason: why, .. } if why == reason);
    assert!(is_so, "{reason:?} and not {event:?}");
}

async fn is_refused(socket: &mut Socket, request: PeopleRequest, code: ErrorCode) {
    ask(socket, request).await;
    socket.hears_error(code).await;
}

fn accept(n: u8) -> PeopleRequest {
    PeopleRequest::Accept {
        call: call(n),
        video: true,
        answer: None,
    }
}

/// Every request that wants a handle.
fn all_requests() -> Vec<PeopleRequest> {
    let handle = named("bob");
    vec![
        PeopleRequest::SignOut {},
        PeopleRequest::MakeCode {},
        PeopleRequest::Add {
            handle: handle.clone(),
        },
        PeopleRequest::Remove {
            handle: handle.clone(),
        },
        PeopleRequest::Block {
            handle,
            blocked: true,
        },
        ring(1, "bob"),
        PeopleRequest::Ack { call: call(1) },
        accept(1),
        PeopleRequest::Decline { call: call(1) },
        PeopleRequest::HangUp { call: call(1) },
        PeopleRequest::Seen { missed: 1 },
    ]
}

#[tokio::test]
async fn nothing_is_heard_before_sign_in_and_after_sign_out() {
    let mut folk = Folk::new().await;
    let mut stranger = folk.server.greeted().await;
    for request in all_requests() {
        is_refused(&mut stranger, request, ErrorCode::NotSignedIn).await;
    }
    ask(&mut folk.eve, PeopleRequest::SignOut {}).await;
    assert_eq!(hear(&mut folk.eve).await, PeopleEvent::SignedOut {});
    for request in all_requests() {
        is_refused(&mut folk.eve, request, ErrorCode::NotSignedIn).await;
    }
    folk.end().await;
}

#[tokio::test]
async fn oneself_and_who_is_in_a_call_cannot_be_rung() {
    // M36: self, busy; offline and blocked are below.
    let mut folk = Folk::new().await;
    is_refused(&mut folk.eve, ring(1, "eve"), ErrorCode::SelfAddressed).await;
    ask(&mut folk.ada, ring(2, "bob")).await;
    assert!(matches!(hear(&mut folk.bob).await, PeopleEvent::Incoming { .. }));
    ask(&mut folk.bob, PeopleRequest::Ack { call: call(2) }).await;
    assert!(matches!(hear(&mut folk.ada).await, PeopleEvent::Ringing { .. }));
    ask(&mut folk.eve, ring(3, "bob")).await;
    ended(&mut folk.eve, EndReason::Busy).await;
    assert!(matches!(hear(&mut folk.bob).await, PeopleEvent::Missed(missed) if missed.from == named("eve")));
    // Not a second time within five seconds, also of somebody who is busy.
    is_refused(&mut folk.eve, ring(4, "bob"), ErrorCode::RateLimited).await;
    // The call that is there goes on.
    ask(&mut folk.bob, accept(2)).await;
    for socket in [&mut folk.ada, &mut folk.bob] {
        assert!(matches!(hear(socket).await, PeopleEvent::Accepted { .. }));
        assert!(matches!(hear(socket).await, PeopleEvent::Presence(_)));
    }
    folk.end().await;
}

#[tokio::test]
async fn anothers_call_and_a_stale_one_are_calls_that_never_were() {
    // M37 and M38.
    let mut folk = Folk::new().await;
    ask(&mut folk.ada, ring(1, "bob")).await;
    assert!(matches!(hear(&mut folk.bob).await, PeopleEvent::Incoming { .. }));
    for n in [1, 9] {
        for request in [
            accept(n),
            PeopleRequest::Ack { call: call(n) },
            PeopleRequest::Decline { call: call(n) },
            PeopleRequest::HangUp { call: call(n) },
        ] {
            ask(&mut folk.eve, request).await;
            ended(&mut folk.eve, EndReason::UnknownCall).await;
        }
    }
    // Nor does the caller take their own call.
    ask(&mut folk.ada, accept(1)).await;
    ended(&mut folk.ada, EndReason::UnknownCall).await;
    // It still rings; once it is over, its id is nothing to anybody but the two, who learn how it ended.
    ask(&mut folk.bob, PeopleRequest::Ack { call: call(1) }).await;
    assert_eq!(hear(&mut folk.ada).await, PeopleEvent::Ringing { call: call(1) });
    ask(&mut folk.bob, PeopleRequest::Decline { call: call(1) }).await;
    ended(&mut folk.ada, EndReason::Declined).await;
    ended(&mut folk.bob, EndReason::Declined).await;
    for request in [accept(1), PeopleRequest::Ack { call: call(1) }] {
        ask(&mut folk.bob, request).await;
        ended(&mut folk.bob, EndReason::DeclinedElsewhere).await;
    }
    ask(&mut folk.ada, ring(1, "bob")).await;
    ended(&mut folk.ada, EndReason::Declined).await;
    ask(&mut folk.eve, ring(1, "bob")).await;
    ended(&mut folk.eve, EndReason::UnknownCall).await;
    folk.end().await;
}

#[tokio::test]
async fn who_calls_is_the_servers_own_knowledge_and_a_handle_has_one_spelling() {
    let mut folk = Folk::new().await;
    let call = "BQUFBQUFBQUFBQUFBQUFBQ";
    let ring = |to: &str| {
        format!(r#"{{"people":{{"ring":{{"call":"{call}","to":"{to}","video":true,"invite":""}}}}}}"#)
    };
    let mut texts = vec![
        // Forged.
        ring("bob").replace("\"video\"", "\"from\":\"ada\",\"video\""),
        ring("bob").replace("\"video\"", "\"name\":\"Ada\",\"video\""),
        ring("bob").replace("\"to\"", "\"to\":\"ada\",\"to\""),
        ring("bob").replace(call, "short"),
        ring("bob").replace(call, &"A".repeat(44)),
        ring("bob").replace("true", "\"yes\""),
        r#"{"people":{}}"#.into(),
        r#"{"people":[]}"#.into(),
        r#"{"people":{"ring":{},"ack":{}}}"#.into(),
        r#"{"people":{"signed_in":{"handle":"ada"}}}"#.into(),
    ];
    // Another spelling, look-alikes, what cannot be seen and what turns the text.
    let looks = [
        "Bob",
        "BOB",
        "bo\u{0431}",
        "b\u{043e}b",
        "b\u{03bf}b",
        "\u{ff42}ob",
        "bob\u{202e}",
        "\u{2066}bob",
        "b\u{200b}ob",
        "bob\u{0301}",
        "bob ",
        " bob",
        "bob.",
        "b",
        "bo\\u0000b",
        "bob/../eve",
    ];
    texts.extend(looks.map(ring));
    texts.push(ring(&"b".repeat(33)));
    let add = |to: &str| format!(r#"{{"people":{{"add":{{"handle":"{to}"}}}}}}"#);
    texts.extend(looks.map(add));
    for text in texts {
        // Another page after so many: an endless row of them ends a socket.
        folk.eve.is_refused(&text, ErrorCode::BadMessage).await;
    }
    // None of them can be had as a handle either.
    let key = Key::new();
    let mut stranger = folk.server.greeted().await;
    let good = proven(&mut stranger, "bobby", &key, None).await;
    let text = visavis_protocol::ClientMessage::People(good).encode();
    for look in [
        "Bobby",
        "b\u{043e}bby",
        "bobby\u{202e}",
        "b\u{200b}obby",
        "admin bobby",
    ] {
        let text = text.replace("\"handle\":\"bobby\"", &format!("\"handle\":\"{look}\""));
        stranger.is_refused(&text, ErrorCode::BadMessage).await;
    }
    // What was signed for one handle is nothing for another.
    let other = text.replace("\"handle\":\"bobby\"", "\"handle\":\"bobbi\"");
    stranger.is_refused(&other, ErrorCode::BadSignature).await;
    // A name that turns what follows is none.
    let name = text.replace("\"name\":\"bobby\"", "\"name\":\"bob\\u202eby\"");
    stranger.is_refused(&name, ErrorCode::InvalidName).await;
    folk.end().await;
}

#[tokio::test]
async fn offline_unknown_and_blocked_look_the_same() {
    let mut folk = Folk::new().await;
    let gone = Key::new();
    drop(signed_in(&folk.server, "gone", &gone).await);
    folk.server.metric_becomes("visavis_sockets", 3).await;
    let block = PeopleRequest::Block {
        handle: named("eve"),
        blocked: true,
    };
    ask(&mut folk.bob, block).await;
    assert!(matches!(hear(&mut folk.bob).await, PeopleEvent::Contacts { .. }));
    let mut said = Vec::new();
    let mut took = Vec::new();
    for (n, to) in [(1, "gone"), (2, "nobody"), (3, "bob")] {
        ask(&mut folk.eve, PeopleRequest::Add { handle: named(to) }).await;
        let added = folk.eve.hear().await;
        let start = Instant::now();
        ask(&mut folk.eve, ring(n, to)).await;
        let rung = folk.eve.hear().await;
        took.push(start.elapsed());
        // Nothing more comes, neither now nor after the time in which a page would have shown it.
        let more = timeout(Duration::from_millis(2200), folk.eve.hear_any()).await;
        assert!(more.is_err(), "{more:?}");
        ask(&mut folk.eve, PeopleRequest::Remove { handle: named(to) }).await;
        let removed = folk.eve.hear().await;
        let call = serde_json::to_string(&call(n)).unwrap();
        let text: Vec<String> = [added, rung, removed]
            .iter()
            .map(|message| {
                message
                    .encode()
                    .replace(&format!("\"{to}\""), "\"they\"")
                    .replace(&call, "\"call\"")
            })
            .collect();
        said.push(text);
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(said[1], said[2]);
    assert!(said[0][1].contains("unreachable"), "{said:?}");
    // At once, all three: none waits for a page that would answer.
    let slowest = took.iter().max().unwrap();
    assert!(*slowest < Duration::from_secs(1), "{took:?}");
    folk.end().await;
}

#[tokio::test]
async fn nobody_is_rung_in_a_row() {
    let mut folk = Folk::new().await;
    ask(&mut folk.eve, ring(1, "bob")).await;
    assert!(matches!(hear(&mut folk.bob).await, PeopleEvent::Incoming { .. }));
    ask(&mut folk.eve, PeopleRequest::HangUp { call: call(1) }).await;
    ended(&mut folk.eve, EndReason::Cancelled).await;
    assert!(matches!(hear(&mut folk.bob).await, PeopleEvent::Missed(_)));
    ended(&mut folk.bob, EndReason::Cancelled).await;
    // Once in five seconds.
    for n in 2..7 {
        is_refused(&mut folk.eve, ring(n, "bob"), ErrorCode::RateLimited).await;
    }
    // Ten in a minute, whoever they are.
    for n in 10..19 {
        ask(&mut folk.eve, ring(n, &format!("nobody{n}"))).await;
        ended(&mut folk.eve, EndReason::Unreachable).await;
    }
    is_refused(&mut folk.eve, ring(19, "nobody19"), ErrorCode::RateLimited).await;
    // What one does does not count for another.
    ask(&mut folk.ada, ring(30, "bob")).await;
    assert!(matches!(hear(&mut folk.bob).await, PeopleEvent::Incoming { from, .. } if from == named("ada")));
    folk.end().await;
}

#[tokio::test]
async fn a_ninth_page_is_one_too_many() {
    let server = Server::start().await;
    let key = Key::new();
    let mut pages = Vec::new();
    for _ in 0..PAGES_PER_PERSON {
        pages.push(signed_in(&server, "ada", &key).await);
    }
    let mut ninth = server.greeted().await;
    sign(&mut ninth, "ada", &key).await;
    ninth.hears_error(ErrorCode::TooMany).await;
    for page in &mut pages {
        page.is_open().await;
    }
    // Once one has gone there is a place again.
    drop(pages.pop());
    server
        .metric_becomes("visavis_sockets", PAGES_PER_PERSON as u64)
        .await;
    sign(&mut ninth, "ada", &key).await;
    assert!(matches!(hear(&mut ninth).await, PeopleEvent::SignedIn { .. }));
    server.stop().await;
}

#[tokio::test]
async fn a_code_is_good_once_and_not_to_be_guessed() {
    let server = Server::start().await;
    let mut ada = signed_in(&server, "ada", &Key::new()).await;
    let code = |event| {
        let PeopleEvent::Code { code, .. } = event else {
            panic!("{event:?}")
        };
        code
    };
    ask(&mut ada, PeopleRequest::MakeCode {}).await;
    let first = code(hear(&mut ada).await);
    let mut eve = server.greeted().await;
    let key = Key::new();
    // Five tries, and the right one comes too late.
    for guess in ["a", "aaaaaaaaaa", "", "bbbbbbbbbb", "cccccccccc", first.as_str()] {
        let request = proven(&mut eve, "ada", &key, Some(guess)).await;
        is_refused(&mut eve, request, ErrorCode::BadCode).await;
    }
    // A new one voids the one before, and is good once.
    ask(&mut ada, PeopleRequest::MakeCode {}).await;
    let second = code(hear(&mut ada).await);
    assert_ne!(first, second);
    let mut phone = server.greeted().await;
    let request = proven(&mut phone, "ada", &Key::new(), Some(&second)).await;
    ask(&mut phone, request).await;
    assert!(matches!(hear(&mut phone).await, PeopleEvent::SignedIn { .. }));
    let request = proven(&mut eve, "ada", &key, Some(&second)).await;
    is_refused(&mut eve, request, ErrorCode::BadCode).await;
    // A code of a handle is nothing for another one, nor is a handle that has none.
    let request = proven(&mut eve, "eve", &key, Some("anything")).await;
    ask(&mut eve, request).await;
    assert!(matches!(hear(&mut eve).await, PeopleEvent::SignedIn { .. }));
    ada.is_open().await;
    server.stop().await;
}

/// Whether a handle was refused for haste and not given.
fn is_rationed(heard: &ServerMessage) -> bool {
    if let ServerMessage::Error { code, .. } = heard {
        assert_eq!(*code, ErrorCode::RateLimited);
        return true;
    }
    assert!(matches!(
        heard,
        ServerMessage::People(PeopleEvent::SignedIn { .. })
    ));
    false
}

#[tokio::test]
async fn handles_are_not_taken_by_the_dozen() {
    let server = Server::start().await;
    let key = Key::new();
    let mut refused = 0;
    for n in 0..40 {
        // A page each: none may have two.
        let mut page = server.greeted_from(&format!("127.0.9.{}", 1 + n % 2)).await;
        sign(&mut page, &format!("squatter{n}"), &key).await;
        refused += usize::from(is_rationed(&page.hear().await));
    }
    assert_eq!(refused, 0, "twenty from each of two addresses are a class");
    for n in 40..70 {
        let mut page = server.greeted_from("127.0.9.1").await;
        sign(&mut page, &format!("squatter{n}"), &key).await;
        refused += usize::from(is_rationed(&page.hear().await));
    }
    assert!(refused >= 15, "{refused}");
    server.stop().await;
}
