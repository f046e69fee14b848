//! Calls from one person to another, and what outlasts the server.

use visavis_protocol::ErrorCode;
use visavis_protocol::people::{Contact, EndReason, PeopleEvent, PeopleRequest, Presence};

use crate::folk::{Folder, Key, ask, call, hear, named, ring, sign, signed_in};
use crate::support::Server;

#[tokio::test]
async fn a_call_rings_and_is_taken() {
    let server = Server::start().await;
    let mut ada = signed_in(&server, "ada", &Key::new()).await;
    let mut bob = signed_in(&server, "bob", &Key::new()).await;
    ask(&mut ada, ring(1, "bob")).await;
    assert!(matches!(hear(&mut bob).await, PeopleEvent::Incoming { from, .. } if from == named("ada")));
    ask(&mut bob, PeopleRequest::Ack { call: call(1) }).await;
    assert_eq!(hear(&mut ada).await, PeopleEvent::Ringing { call: call(1) });
    ask(
        &mut bob,
        PeopleRequest::Accept {
            call: call(1),
            video: true,
            answer: None,
        },
    )
    .await;
    for socket in [&mut ada, &mut bob] {
        let event = hear(socket).await;
        assert!(
            matches!(&event, PeopleEvent::Accepted { invite, .. } if invite == "here"),
            "{event:?}"
        );
        let event = hear(socket).await;
        let busy = matches!(
            &event,
            PeopleEvent::Presence(Contact {
                presence: Presence::Busy,
                ..
            })
        );
        assert!(busy, "{event:?}");
    }
    ask(&mut bob, PeopleRequest::HangUp { call: call(1) }).await;
    for socket in [&mut ada, &mut bob] {
        let ended = PeopleEvent::Ended {
            call: call(1),
            reason: EndReason::HungUp,
        };
        assert_eq!(hear(socket).await, ended);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_handle_outlasts_the_server_and_belongs_to_its_key() {
    let folder = Folder::new("outlasts");
    let key = Key::new();
    let server = Server::with(folder.config()).await;
    let mut ada = signed_in(&server, "ada", &key).await;
    ask(&mut ada, PeopleRequest::Add { handle: named("bob") }).await;
    hear(&mut ada).await;
    // Whoever is called and not there finds it later, also with another server.
    drop(signed_in(&server, "bob", &Key::new()).await);
    let mut cleo = signed_in(&server, "cleo", &Key::new()).await;
    drop(ada);
    server.metric_becomes("visavis_sockets", 1).await;
    ask(&mut cleo, ring(1, "ada")).await;
    assert!(matches!(
        hear(&mut cleo).await,
        PeopleEvent::Ended {
            reason: EndReason::Unreachable,
            ..
        }
    ));
    server.stop().await;

    let server = Server::with(folder.config()).await;
    let mut eve = server.greeted().await;
    sign(&mut eve, "ada", &Key::new()).await;
    eve.hears_error(ErrorCode::HandleTaken).await;
    let mut ada = server.greeted().await;
    sign(&mut ada, "ada", &key).await;
    let PeopleEvent::SignedIn { contacts, missed, .. } = hear(&mut ada).await else {
        panic!("the key is known")
    };
    assert_eq!(
        contacts
            .iter()
            .map(|contact| contact.handle.as_str())
            .collect::<Vec<_>>(),
        ["bob"]
    );
    assert_eq!(
        missed
            .iter()
            .map(|missed| missed.from.as_str())
            .collect::<Vec<_>>(),
        ["cleo"]
    );
    server.stop().await;
}
