//! `visavis-server free-handle`: the real program beside a server that runs.

use std::path::Path;
use std::process::Output;

use tokio::process::Command;
use tokio::time::timeout;
use visavis_protocol::ErrorCode;
use visavis_protocol::people::{PeopleEvent, PeopleRequest};

use crate::folk::{Folder, Key, ask, hear, named, sign, signed_in};
use crate::support::{PATIENCE, Server};

/// Runs the program as an operator does.
async fn free(folder: Option<&Path>, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visavis-server"));
    command.arg("free-handle").args(more);
    if let Some(folder) = folder {
        command.arg("--data-dir").arg(folder);
    }
    timeout(PATIENCE, command.kill_on_drop(true).output())
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_handle_whose_key_was_lost_is_freed_while_the_server_runs() {
    let folder = Folder::new("freed");
    let server = Server::with(folder.config()).await;
    let mut old = signed_in(&server, "ada", &Key::new()).await;
    ask(&mut old, PeopleRequest::Add { handle: named("bob") }).await;
    hear(&mut old).await;
    let key = Key::new();
    let mut new = server.greeted().await;
    sign(&mut new, "ada", &key).await;
    new.hears_error(ErrorCode::HandleTaken).await;

    let said = free(Some(&folder.0), &["Ada"]).await;
    assert!(said.status.success(), "{said:?}");
    assert!(
        String::from_utf8_lossy(&said.stdout).starts_with("ada is free."),
        "{said:?}"
    );
    // The old key's page is told within seconds, and it is a stranger's from then on.
    assert_eq!(hear(&mut old).await, PeopleEvent::SignedOut {});
    ask(&mut old, PeopleRequest::MakeCode {}).await;
    old.hears_error(ErrorCode::NotSignedIn).await;
    sign(&mut new, "ada", &key).await;
    let heard = hear(&mut new).await;
    assert!(
        matches!(&heard, PeopleEvent::SignedIn { contacts, .. } if contacts.is_empty()),
        "{heard:?}"
    );
    server.stop().await;

    // It is the new key's for good.
    let server = Server::with(folder.config()).await;
    drop(signed_in(&server, "ada", &key).await);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_freed_is_said_in_one_line() {
    let folder = Folder::new("nobody");
    let absent = folder.0.join("absent");
    // There is no store here yet, and the command makes none.
    let said = free(Some(&folder.0), &["ada"]).await;
    let store = folder.0.join("visavis.sqlite3");
    assert!(!store.exists());
    let mut all = vec![(said, 1, "there is no ")];
    Server::with(folder.config()).await.stop().await;
    for (place, arguments, code, words) in [
        (Some(&folder.0), &["ada"][..], 1, "nobody has ada"),
        (Some(&absent), &["ada"], 1, "there is no "),
        (None, &["ada"], 64, "no data folder is set"),
        (Some(&folder.0), &[], 64, "which handle?"),
        (Some(&folder.0), &["a\u{202e}da"], 64, "letters a to z"),
        (Some(&folder.0), &["ad"], 64, "3 characters"),
    ] {
        all.push((
            free(place.map(|place| place.as_path()), arguments).await,
            code,
            words,
        ));
    }
    for (said, code, words) in all {
        let text = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(code), "{text}");
        assert!(
            text.contains(words) && text.trim_end().lines().count() == 1,
            "{text}"
        );
        assert!(said.stdout.is_empty());
    }
}
