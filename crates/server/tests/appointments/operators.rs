//! What operators do: links, keys, copies, and a call over HTTP.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use visavis_protocol::appointment::{DeskEvent, DeskRequest};
use visavis_protocol::{ErrorCode, ServerMessage};
use visavis_server::links::Signer;
use visavis_server::store::Store;

use crate::office::{Folder, Program, desk, desk_token, facts, id, operate, until};
use crate::support::{PATIENCE, Socket};

async fn opens(socket: &mut Socket, token: &str) -> Result<usize, ErrorCode> {
    let token = token.to_owned();
    desk(socket, DeskRequest::OpenDesk { token }).await;
    match socket.hear().await {
        ServerMessage::Desk(DeskEvent::Opened { entries, name, .. }) => {
            assert_eq!(name, "Dr. Ada");
            Ok(entries.len())
        }
        ServerMessage::Error { code, .. } => Err(code),
        other => panic!("{other:?}"),
    }
}

/// What the program will sign some seconds after a further key was made.
fn by_second_key(folder: &Path, subject: &str) -> String {
    let text = std::fs::read_to_string(folder.join("links.keys")).unwrap();
    let mut keys: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(keys.as_array().unwrap().len(), 2);
    // The same keys, as they are when the second one was made long ago.
    keys[1]["made"] = 0.into();
    let later = Folder::new("later");
    std::fs::write(later.0.join("links.keys"), keys.to_string()).unwrap();
    let signer = Signer::open(Some(&later.0)).unwrap();
    let day = std::time::Duration::from_secs(86_400);
    let link = signer
        .desk_link("Dr. Ada", Some(subject.parse().unwrap()), day)
        .unwrap();
    link.path.strip_prefix("/desk#").unwrap().to_owned()
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn links_are_made_beside_a_server_and_before_its_first_start() {
    let folder = Folder::new("links");
    let before = desk_token(&folder.0, &[]).await;
    assert_eq!(mode(&folder.0.join("links.keys")), 0o600);
    let program = Program::start(&folder.0, 0, &[]).await;
    let beside = desk_token(&folder.0, &["--days", "1"]).await;
    let mut socket = program.greeted().await;
    assert_eq!(opens(&mut socket, &before).await, Ok(0));
    let appointment = id(1);
    desk(
        &mut socket,
        DeskRequest::PutAppointment {
            appointment,
            facts: facts("Cleo"),
        },
    )
    .await;
    assert!(matches!(
        socket.hear().await,
        ServerMessage::Desk(DeskEvent::Entry { .. })
    ));
    let mut other = program.greeted().await;
    assert_eq!(opens(&mut other, &beside).await, Ok(0), "another desk");
    // Another link to the same desk.
    let subject = {
        let payload = before.split('.').nth(1).unwrap();
        let bytes = <base64ct::Base64UrlUnpadded as base64ct::Encoding>::decode_vec(payload).unwrap();
        let claims: Value = serde_json::from_slice(&bytes).unwrap();
        claims["sub"].as_str().unwrap().to_owned()
    };
    let again = desk_token(&folder.0, &["--desk", &subject]).await;
    assert_eq!(opens(&mut other, &again).await, Ok(1));
    // A server that runs notices another key, and the links by the former one stay good.
    let output = operate(&folder.0, &["rotate-key"]).await;
    assert!(output.status.success(), "{output:?}");
    // A link that is made at once opens at once: the new key signs when the server has noticed it.
    let at_once = desk_token(&folder.0, &["--desk", &subject]).await;
    assert_eq!(opens(&mut program.greeted().await, &at_once).await, Ok(1));
    let by_new_key = by_second_key(&folder.0, &subject);
    until(async || {
        let mut socket = program.greeted().await;
        opens(&mut socket, &by_new_key).await == Ok(1)
    })
    .await;
    let mut socket = program.greeted().await;
    assert_eq!(opens(&mut socket, &before).await, Ok(1));
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_one_line() {
    let folder = Folder::new("refused");
    for (arguments, named) in [
        (&["desk-link"][..], "--name"),
        (&["desk-link", "--name", ""], "a name has"),
        (&["desk-link", "--name", "Ada", "--days", "0"], "1 to 1098 days"),
        (
            &["desk-link", "--name", "Ada", "--days", "18446744073709551615"],
            "1 to 1098 days",
        ),
        (&["desk-link", "--name", "Ada", "--desk", "x"], "--desk"),
        (&["doctor", "--name", "Ada"], "desk-link alone"),
        (&["backup"], "which file"),
    ] {
        let output = operate(&folder.0, arguments).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && said.contains(named),
            "{arguments:?}: {said}"
        );
        let told: Vec<&str> = said
            .lines()
            .filter(|line| line.starts_with("visavis-server:"))
            .collect();
        assert_eq!(told.len(), 1, "{said}");
    }
    std::fs::write(folder.0.join("links.keys"), "nonsense").unwrap();
    let output = operate(&folder.0, &["desk-link", "--name", "Ada"]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is no file of keys"), "{said}");
    let nowhere = tokio::process::Command::new(env!("CARGO_BIN_EXE_visavis-server"))
        .args(["desk-link", "--name", "Ada"])
        .output()
        .await
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(64));
}

#[tokio::test]
async fn a_copy_has_everything_and_is_nobody_elses() {
    let folder = Folder::new("backup");
    let token = desk_token(&folder.0, &[]).await;
    let program = Program::start(&folder.0, 0, &[]).await;
    let mut socket = program.greeted().await;
    opens(&mut socket, &token).await.unwrap();
    for n in 0..5 {
        let appointment = id(n);
        desk(
            &mut socket,
            DeskRequest::PutAppointment {
                appointment,
                facts: facts("Cleo"),
            },
        )
        .await;
        assert!(matches!(
            socket.hear().await,
            ServerMessage::Desk(DeskEvent::Entry { .. })
        ));
    }
    let restored = Folder::new("restored");
    let copy = restored.0.join("visavis.sqlite3");
    let name = copy.to_str().unwrap();
    let output = operate(&folder.0, &["backup", name]).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(mode(&copy), 0o600);
    let kept = Store::open(Some(&restored.0)).unwrap().kept().unwrap();
    assert_eq!((kept.desks.len(), kept.appointments.len()), (1, 5));
    // Nothing that is there is written over.
    let output = operate(&folder.0, &["backup", name]).await;
    assert!(!output.status.success());
    // With the key beside it, it is the same server.
    std::fs::copy(folder.0.join("links.keys"), restored.0.join("links.keys")).unwrap();
    let again = Program::start(&restored.0, 0, &[]).await;
    let mut socket = again.greeted().await;
    assert_eq!(opens(&mut socket, &token).await, Ok(5));
}

#[tokio::test]
async fn a_program_of_the_operator_s_makes_links_with_the_key_alone() {
    let folder = Folder::new("operator");
    let key = "k".repeat(40);
    let file = folder.0.join("operator.key");
    std::fs::write(&file, format!("{key}\n")).unwrap();
    let program = Program::start(&folder.0, 0, &["--operator-key-file", file.to_str().unwrap()]).await;
    let call = async |authorization: &str, body: &str| {
        let mut stream = tokio::net::TcpStream::connect(program.address).await.unwrap();
        let text = format!(
            "POST /api/desk-link HTTP/1.1\r\nHost: {}\r\n{authorization}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            program.address,
            body.len()
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let good = format!("Authorization: Bearer {key}\r\n");
    let answer = call(&good, r#"{"name":"Dr. Ada","days":3}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.to_ascii_lowercase().contains("cache-control: no-store"),
        "{answer}"
    );
    let made: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let token = made["link"]
        .as_str()
        .unwrap()
        .strip_prefix("/desk#")
        .unwrap()
        .to_owned();
    let mut socket = program.greeted().await;
    assert_eq!(opens(&mut socket, &token).await, Ok(0));
    for body in [
        "",
        "{}",
        r#"{"name":" "}"#,
        r#"{"name":"Ada","days":0}"#,
        r#"{"name":"Ada","x":1}"#,
    ] {
        let answer = call(&good, body).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{body}: {answer}");
    }
    // The key comes first: who has none is answered before they have said what they want.
    let mut silent = tokio::net::TcpStream::connect(program.address).await.unwrap();
    let head = format!(
        "POST /api/desk-link HTTP/1.1\r\nHost: {}\r\nContent-Length: 4000\r\nConnection: close\r\n\r\n",
        program.address
    );
    silent.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    let read = tokio::time::timeout(PATIENCE / 4, silent.read_exact(&mut answer));
    read.await.expect("it waits for the body").unwrap();
    assert_eq!(answer, b"HTTP/1.1 401");
    let long = call(&good, &format!(r#"{{"name":"{}"}}"#, "x".repeat(5000))).await;
    assert!(long.starts_with("HTTP/1.1 413"), "{long}");
    for wrong in ["", "Authorization: Bearer \r\n", "Authorization: Basic abc\r\n"] {
        let answer = call(wrong, r#"{"name":"Dr. Ada"}"#).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    for n in 0..7 {
        let answer = call(
            &format!("Authorization: Bearer {n}{key}\r\n"),
            r#"{"name":"Dr. Ada"}"#,
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    // After ten wrong ones not even the right one is looked at, for a minute.
    assert!(
        call(&good, r#"{"name":"Dr. Ada"}"#)
            .await
            .starts_with("HTTP/1.1 429")
    );
    let log = program.log();
    assert!(log.contains("listening"), "it logs: {log}");
    for secret in [token.as_str(), token.rsplit('.').next().unwrap(), &key] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
    // Without the setting there is nothing there.
    let other = Folder::new("no-operator");
    let program = Program::start(&other.0, 0, &[]).await;
    let mut socket = tokio::net::TcpStream::connect(program.address).await.unwrap();
    let text = format!(
        "POST /api/desk-link HTTP/1.1\r\nHost: {}\r\n{good}Content-Length: 0\r\nConnection: close\r\n\r\n",
        program.address
    );
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}
