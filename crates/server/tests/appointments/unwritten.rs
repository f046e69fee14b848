//! A store that refuses to be written to: what is not written is never confirmed.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::timeout;
use visavis_protocol::appointment::{DeskEvent, DeskRequest};
use visavis_protocol::{AppointmentId, ServerMessage};

use crate::office::{Folder, Program, desk, desk_token, facts, id};
use crate::support::{PATIENCE, Socket};

/// Longer than the server tries again.
const GIVES_UP: Duration = Duration::from_secs(20);

/// As a full disk does: writes of appointments fail until it is over.
fn refuse(folder: &Path, is: bool) {
    let db = Connection::open(folder.join("visavis.sqlite3")).unwrap();
    db.busy_timeout(PATIENCE).unwrap();
    db.execute_batch(if is {
        "CREATE TRIGGER full BEFORE INSERT ON appointment BEGIN SELECT RAISE(ABORT, 'no room'); END"
    } else {
        "DROP TRIGGER full"
    })
    .unwrap();
}

/// How many appointments are on the disk.
fn written(folder: &Path) -> u32 {
    let db = Connection::open(folder.join("visavis.sqlite3")).unwrap();
    db.query_row("SELECT count(*) FROM appointment", [], |row| row.get(0))
        .unwrap()
}

/// A page of the desk, and the appointments that it shows.
async fn opened(program: &Program, token: &str) -> (Socket, Vec<AppointmentId>) {
    let mut socket = program.greeted().await;
    let token = token.to_owned();
    desk(&mut socket, DeskRequest::OpenDesk { token }).await;
    match socket.hear().await {
        ServerMessage::Desk(DeskEvent::Opened { entries, .. }) => {
            (socket, entries.iter().map(|entry| entry.appointment).collect())
        }
        other => panic!("{other:?}"),
    }
}

async fn put(socket: &mut Socket, n: u32) {
    let (appointment, facts) = (id(n), facts("Cleo"));
    desk(socket, DeskRequest::PutAppointment { appointment, facts }).await;
}

async fn hears_of(socket: &mut Socket, n: u32) {
    match socket.hear().await {
        ServerMessage::Desk(DeskEvent::Entry { entry, .. }) => assert_eq!(entry.appointment, id(n)),
        other => panic!("{other:?}"),
    }
}

/// Nothing comes for a while.
async fn hears_nothing(socket: &mut Socket) {
    let heard = timeout(Duration::from_secs(1), socket.hear_any()).await;
    assert!(heard.is_err(), "{heard:?}");
}

#[tokio::test]
async fn what_the_disk_refuses_for_a_moment_is_confirmed_once_it_is_written() {
    let folder = Folder::new("refuses");
    let token = desk_token(&folder.0, &[]).await;
    let program = Program::start(&folder.0, 0, &[]).await;
    let (mut socket, _) = opened(&program, &token).await;
    let (mut other, _) = opened(&program, &token).await;
    refuse(&folder.0, true);
    put(&mut socket, 1).await;
    // Again, and by another page: the first answer was not the only one to hold back.
    put(&mut socket, 1).await;
    put(&mut other, 2).await;
    tokio::join!(hears_nothing(&mut socket), hears_nothing(&mut other));
    assert_eq!(written(&folder.0), 0);
    refuse(&folder.0, false);
    hears_of(&mut socket, 1).await;
    assert_ne!(written(&folder.0), 0, "told, and not written");
    hears_of(&mut other, 1).await;
    drop((socket, other));
    let (_, shown) = opened(&program, &token).await;
    assert_eq!(shown, [id(1), id(2)]);
    assert_eq!(written(&folder.0), 2);
}

#[tokio::test]
async fn what_the_disk_goes_on_refusing_is_confirmed_to_nobody_and_the_server_ends() {
    let folder = Folder::new("refuses-on");
    let token = desk_token(&folder.0, &[]).await;
    let mut program = Program::start(&folder.0, 0, &[]).await;
    let (mut socket, _) = opened(&program, &token).await;
    put(&mut socket, 1).await;
    hears_of(&mut socket, 1).await;
    refuse(&folder.0, true);
    put(&mut socket, 2).await;
    put(&mut socket, 2).await;
    assert_eq!(socket.try_hear().await, None, "told of what is not written");
    let ended = timeout(GIVES_UP, program.child.wait()).await;
    assert_eq!(ended.expect("it never ends").unwrap().code(), Some(1));
    let log = program.log();
    assert!(log.contains("cannot be written down"), "{log}");
    assert!(log.contains("no room"), "{log}");
    refuse(&folder.0, false);
    let program = Program::start(&folder.0, program.address.port(), &[]).await;
    let (_, shown) = opened(&program, &token).await;
    assert_eq!(shown, [id(1)]);
}
