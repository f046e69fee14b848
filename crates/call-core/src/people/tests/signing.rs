//! The handle: who a page is, and whom they know.

use alloc::vec;

use visavis_protocol::ErrorCode;
use visavis_protocol::handle::Fixed;
use visavis_protocol::people::{Contact, Presence};

use super::super::{Out, People, PeopleIntent, Standing};
use super::*;

fn sign_in(people: &mut People) -> Out {
    let mut out = Out::default();
    let intent = PeopleIntent::SignIn {
        handle: handle("ada"),
        name: "Ada".into(),
        code: Some("once".into()),
        take: true,
    };
    people.intend(Timestamp::default(), intent, call(1), &mut out);
    out
}

fn hear(people: &mut People, event: PeopleEvent) -> Out {
    let mut out = Out::default();
    people.handle(Timestamp::default(), event, &mut out);
    out
}

fn signed_in() -> PeopleEvent {
    PeopleEvent::SignedIn {
        handle: handle("ada"),
        contacts: vec![Contact {
            handle: handle("bob"),
            presence: Presence::Offline,
        }],
        blocked: vec![],
        missed: vec![],
    }
}

fn proven() -> People {
    let mut people = People::default();
    sign_in(&mut people);
    hear(
        &mut people,
        PeopleEvent::Challenge {
            nonce: Fixed([1; 32]),
        },
    );
    hear(&mut people, signed_in());
    assert_eq!(people.view().standing, Standing::SignedIn);
    people
}

#[test]
fn a_handle_is_proven_by_signing_what_the_server_says() {
    let mut people = People::default();
    assert!(!people.wants_server());
    assert_eq!(sign_in(&mut people).requests, [PeopleRequest::Challenge {}]);
    let out = hear(
        &mut people,
        PeopleEvent::Challenge {
            nonce: Fixed([1; 32]),
        },
    );
    assert_eq!(out.sign, Some((Fixed([1; 32]), handle("ada"))));
    let mut out = Out::default();
    people.signed(&Fixed([2; 32]), Fixed([0; 65]), Fixed([0; 64]), &mut out);
    assert!(out.requests.is_empty(), "signed for another socket");
    people.signed(&Fixed([1; 32]), Fixed([0; 65]), Fixed([0; 64]), &mut out);
    assert!(matches!(
        &out.requests[..],
        [PeopleRequest::SignIn {
            code: Some(_),
            take: true,
            ..
        }]
    ));
    hear(&mut people, signed_in());
    assert_eq!(people.view().standing, Standing::SignedIn);
}

#[test]
fn it_is_proven_anew_on_each_socket_and_is_taken_and_a_code_used_but_once() {
    let mut people = proven();
    people.lost(Timestamp::default());
    assert_eq!(people.view().standing, Standing::SigningIn);
    assert_eq!(people.view().contacts.len(), 1, "what is known stays to be seen");
    let mut out = Out::default();
    people.opened(&mut out);
    assert_eq!(out.requests, [PeopleRequest::Challenge {}]);
    hear(
        &mut people,
        PeopleEvent::Challenge {
            nonce: Fixed([3; 32]),
        },
    );
    let mut out = Out::default();
    people.signed(&Fixed([3; 32]), Fixed([0; 65]), Fixed([0; 64]), &mut out);
    assert!(matches!(
        &out.requests[..],
        [PeopleRequest::SignIn {
            code: None,
            take: false,
            ..
        }]
    ));
}

#[test]
fn what_is_refused_for_the_moment_is_asked_again() {
    let mut people = People::default();
    sign_in(&mut people);
    let now = Timestamp::from_millis(1_000);
    people.refused(now, ErrorCode::TooMany, "sign_in", &mut Out::default());
    let due = people.poll_timeout().unwrap();
    let mut out = Out::default();
    people.handle_tick(due, &mut out);
    assert_eq!(out.requests, [PeopleRequest::Challenge {}]);
    assert_eq!(people.poll_timeout(), None);
    // What will not pass by itself is the person's to change.
    people.refused(due, ErrorCode::HandleTaken, "sign_in", &mut Out::default());
    assert_eq!(people.poll_timeout(), None);
}

fn by_token(people: &mut People, token: &str) -> Out {
    let mut out = Out::default();
    let intent = PeopleIntent::SignInByToken {
        token: token.into(),
        name: "Ada".into(),
    };
    people.intend(Timestamp::default(), intent, call(1), &mut out);
    out
}

fn presented(token: &str) -> PeopleRequest {
    PeopleRequest::SignInByToken {
        token: token.into(),
        name: "Ada".into(),
    }
}

#[test]
fn a_token_brings_the_handle_and_is_presented_again_on_a_new_socket() {
    let mut people = People::default();
    assert_eq!(
        by_token(&mut people, "e30.first").requests,
        [presented("e30.first")]
    );
    assert!(people.wants_server());
    assert_eq!(people.view().handle, None, "the server reads it");
    hear(&mut people, signed_in());
    assert_eq!(people.view().handle, Some(handle("ada")));
    assert_eq!(people.view().standing, Standing::SignedIn);
    people.lost(Timestamp::default());
    assert_eq!(people.view().standing, Standing::SigningIn);
    assert_eq!(
        people.view().handle,
        Some(handle("ada")),
        "what is known stays to be seen"
    );
    let mut out = Out::default();
    people.opened(&mut out);
    assert_eq!(out.requests, [presented("e30.first")]);
    // There is nothing to sign, whatever a server says.
    let nonce = Fixed([1; 32]);
    assert_eq!(hear(&mut people, PeopleEvent::Challenge { nonce }).sign, None);
    people.signed(&nonce, Fixed([0; 65]), Fixed([0; 64]), &mut out);
    assert_eq!(out.requests.len(), 1);
    assert!(!format!("{people:?}").contains("e30.first"), "not in a log");
}

#[test]
fn another_token_is_another_person_until_the_server_says_who() {
    let mut people = People::default();
    by_token(&mut people, "one");
    hear(&mut people, signed_in());
    assert_eq!(
        by_token(&mut people, "two").requests,
        [PeopleRequest::SignOut {}, presented("two")]
    );
    assert_eq!(people.view().handle, None);
    // The answer to the first one's end does not undo the second.
    hear(&mut people, PeopleEvent::SignedOut {});
    assert_eq!(people.view().standing, Standing::SigningIn);
    hear(&mut people, signed_in());
    assert_eq!(people.view().standing, Standing::SignedIn);
    // The operator's word does.
    hear(&mut people, PeopleEvent::SignedOut {});
    assert_eq!(people.view().standing, Standing::Refused(ErrorCode::BadToken));
}

#[test]
fn who_loses_their_handle_is_told_so_and_does_not_take_it_again_by_themselves() {
    let mut people = People::default();
    sign_in(&mut people);
    hear(&mut people, signed_in());
    hear(&mut people, PeopleEvent::SignedOut {});
    assert_eq!(people.view().standing, Standing::Refused(ErrorCode::HandleFree));
    let mut out = Out::default();
    people.opened(&mut out);
    assert_eq!(out.requests, []);
}

#[test]
fn a_server_says_which_of_the_two_it_wants() {
    for (code, about) in [
        (ErrorCode::TokensOnly, "challenge"),
        (ErrorCode::KeysOnly, "sign_in_by_token"),
        (ErrorCode::BadToken, "sign_in_by_token"),
    ] {
        assert!(super::super::is_about(about));
        let mut people = People::default();
        sign_in(&mut people);
        people.refused(Timestamp::default(), code, about, &mut Out::default());
        assert_eq!(people.view().standing, Standing::Refused(code));
    }
}

#[test]
fn what_is_refused_says_why_and_signing_out_forgets_all() {
    let mut people = People::default();
    sign_in(&mut people);
    people.refused(
        Timestamp::default(),
        ErrorCode::HandleTaken,
        "sign_in",
        &mut Out::default(),
    );
    assert_eq!(people.view().standing, Standing::Refused(ErrorCode::HandleTaken));
    let mut people = proven();
    let presence = Presence::Busy;
    let contact = Contact {
        handle: handle("bob"),
        presence,
    };
    hear(&mut people, PeopleEvent::Presence(contact.clone()));
    assert_eq!(people.view().contacts, [contact]);
    let mut out = Out::default();
    people.intend(Timestamp::default(), PeopleIntent::SignOut, call(1), &mut out);
    assert_eq!(out.requests, [PeopleRequest::SignOut {}]);
    assert!(!people.wants_server() && people.view().contacts.is_empty());
}
