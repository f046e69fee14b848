//! What nobody may do: refused by name, the others undisturbed (M36 to M38, and what is about handles).

use visavis_protocol::ErrorCode;
use visavis_protocol::people::{EndReason, PeopleEvent, PeopleRequest};

use crate::folk::{Key, ask, call, hear, ring, signed_in};
use crate::support::Server;

#[tokio::test]
async fn what_nobody_may_do_is_refused_by_name() {
    let server = Server::start().await;
    let (mut ada, mut bob, mut eve) = (
        signed_in(&server, "ada", &Key::new()).await,
        signed_in(&server, "bob", &Key::new()).await,
        signed_in(&server, "eve", &Key::new()).await,
    );
    // Without a handle, to oneself, in another's name, by names that look like another.
    let mut stranger = server.greeted().await;
    ask(&mut stranger, ring(1, "bob")).await;
    stranger.hears_error(ErrorCode::NotSignedIn).await;
    ask(&mut eve, ring(1, "eve")).await;
    eve.hears_error(ErrorCode::SelfAddressed).await;
    for text in [
        r#"{"people":{"ring":{"call":"BQUFBQUFBQUFBQUFBQUFBQ","to":"bob","video":true,"invite":"","from":"ada"}}}"#,
        r#"{"people":{"ring":{"call":"BQUFBQUFBQUFBQUFBQUFBQ","to":"b\u043eb","video":true,"invite":""}}}"#,
        r#"{"people":{"ring":{"call":"BQUFBQUFBQUFBQUFBQUFBQ","to":"bob\u202e","video":true,"invite":""}}}"#,
        r#"{"people":{"ring":{"call":"short","to":"bob","video":true,"invite":""}}}"#,
        r#"{"people":{}}"#,
        r#"{"people":[]}"#,
    ] {
        eve.is_refused(text, ErrorCode::BadMessage).await;
    }
    // Another's call, and one that is not.
    ask(&mut ada, ring(1, "bob")).await;
    assert!(matches!(hear(&mut bob).await, PeopleEvent::Incoming { .. }));
    for request in [
        PeopleRequest::Accept {
            call: call(1),
            video: true,
        },
        PeopleRequest::HangUp { call: call(1) },
        PeopleRequest::Decline { call: call(9) },
    ] {
        ask(&mut eve, request).await;
        let event = hear(&mut eve).await;
        let is_unknown = matches!(
            event,
            PeopleEvent::Ended {
                reason: EndReason::UnknownCall,
                ..
            }
        );
        assert!(is_unknown, "{event:?}");
    }
    // Too often.
    for n in 0..11 {
        ask(&mut eve, ring(20 + n, &format!("nobody{n}"))).await;
    }
    for _ in 0..10 {
        assert!(matches!(hear(&mut eve).await, PeopleEvent::Ended { .. }));
    }
    eve.hears_error(ErrorCode::RateLimited).await;
    bob.is_open().await;
    server.stop().await;
}
