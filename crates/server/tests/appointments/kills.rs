//! A server that is killed at any moment loses and doubles nothing that it has acknowledged, and who waited
//! waits on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use visavis_protocol::appointment::{
    DeskEvent, DeskRequest, DeskStatus, Place, VisitEvent, VisitRequest, VisitState,
};
use visavis_protocol::{AppointmentId, ErrorCode, HostSecret, RoomId, RoomSecret, ServerMessage};

use crate::office::{Folder, Program, desk, desk_token, facts, id, until, visit};
use crate::support::Socket;

const KILLS: u32 = 50;

/// What the desk was told of each appointment last, and was therefore promised.
#[derive(Default)]
struct Promised {
    statuses: BTreeMap<AppointmentId, (DeskStatus, String)>,
    made: u32,
    called: u32,
}

/// A page of the desk that makes one appointment after another, calls every third client in, cancels every
/// fifth, and comes back by itself.
async fn professional(address: SocketAddr, token: String, promised: Arc<Mutex<Promised>>) {
    let mut wanted = 0;
    loop {
        if let Some(mut socket) = timeout(Duration::from_secs(2), Program::try_greeted(address))
            .await
            .ok()
            .flatten()
        {
            let token = token.clone();
            desk(&mut socket, DeskRequest::OpenDesk { token }).await;
            // Ends with the server.
            let lived = work(&mut socket, &mut wanted, &promised);
            let _ = lived.await;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

async fn work(socket: &mut Socket, wanted: &mut u32, promised: &Mutex<Promised>) -> Option<()> {
    let mut asked = None;
    loop {
        let message = socket.try_hear().await?;
        let next = {
            let mut promised = promised.lock().unwrap();
            match message {
                ServerMessage::Desk(DeskEvent::Opened { entries, .. }) => {
                    // What was promised is there, and nothing twice.
                    for (appointment, (status, _)) in &promised.statuses {
                        let found: Vec<_> = entries
                            .iter()
                            .filter(|entry| entry.appointment == *appointment)
                            .collect();
                        assert_eq!(found.len(), 1, "{appointment} was promised as {status:?}");
                        if matches!(status, DeskStatus::Cancelled {}) {
                            assert_eq!(found[0].status, DeskStatus::Cancelled {});
                        }
                        if matches!(status, DeskStatus::CalledIn {}) {
                            assert_eq!(found[0].status, DeskStatus::CalledIn {});
                        }
                    }
                    let most = promised.statuses.len() + 1;
                    assert!(entries.len() <= most, "{} of {most}", entries.len());
                }
                ServerMessage::Desk(DeskEvent::Entry { entry, .. }) => {
                    let is_new = !promised.statuses.contains_key(&entry.appointment);
                    promised.made += u32::from(is_new);
                    promised.called += u32::from(entry.status == DeskStatus::CalledIn {});
                    if Some(entry.appointment) == asked {
                        asked = None;
                        *wanted += 1;
                    }
                    promised
                        .statuses
                        .insert(entry.appointment, (entry.status, entry.token));
                }
                ServerMessage::Desk(DeskEvent::CalledIn { .. }) => continue,
                ServerMessage::Error {
                    code: ErrorCode::RateLimited,
                    ..
                } => {}
                other => panic!("{other:?}"),
            }
            promised.statuses.len()
        };
        if asked.is_some() {
            continue;
        }
        let n = u32::try_from(next).unwrap();
        let request = match *wanted % 5 {
            2 if n > 0 => {
                let appointment = id(n - 1);
                asked = Some(appointment);
                let secret = RoomSecret::from_bytes(*appointment.as_bytes());
                let place = Place {
                    room: RoomId::derive("call", Some(&secret)),
                    link: format!("/room/call#{appointment}"),
                    host: HostSecret::from_bytes([1; 16]),
                };
                DeskRequest::CallIn { appointment, place }
            }
            4 if n > 1 => {
                let appointment = id(n - 2);
                asked = Some(appointment);
                DeskRequest::CancelAppointment { appointment }
            }
            // At most as many as the desk shows, and a pause with it.
            _ if n < 250 => {
                let appointment = id(n);
                asked = Some(appointment);
                DeskRequest::PutAppointment {
                    appointment,
                    facts: facts("Cleo"),
                }
            }
            _ => continue,
        };
        sleep(Duration::from_millis(40)).await;
        desk(socket, request).await;
    }
}

/// A client who says that they are ready, waits, and comes back by themselves.
async fn client(address: SocketAddr, token: String, since: Arc<Mutex<Option<u64>>>) {
    let begun = tokio::time::Instant::now();
    loop {
        let socket = timeout(Duration::from_secs(2), Program::try_greeted(address)).await;
        if let Some(mut socket) = socket.ok().flatten() {
            let token = token.clone();
            visit(&mut socket, VisitRequest::OpenVisit { token }).await;
            while let Some(message) = socket.try_hear().await {
                match message {
                    ServerMessage::Visit(VisitEvent::Appointment {
                        state: VisitState::Open {},
                        ..
                    }) => {
                        let waited = since.lock().unwrap().map_or(0, |_| begun.elapsed().as_millis());
                        let waited_ms = u64::try_from(waited).unwrap();
                        visit(&mut socket, VisitRequest::Ready { waited_ms }).await;
                    }
                    ServerMessage::Visit(VisitEvent::Appointment {
                        state: VisitState::Waiting { since: told },
                        ..
                    }) => {
                        let mut since = since.lock().unwrap();
                        if let Some(before) = *since {
                            assert!(
                                told.abs_diff(before) < 2_000,
                                "waits since {told}, and since {before} before"
                            );
                        }
                        since.get_or_insert(told);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// Ends what is still running when the test does.
struct Pages(Vec<JoinHandle<()>>);

impl Drop for Pages {
    fn drop(&mut self) {
        for page in &self.0 {
            page.abort();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_and_double_nothing() {
    let seed = std::env::var("VISAVIS_KILL_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(7_u64);
    println!("seed {seed} (VISAVIS_KILL_SEED)");
    let folder = Folder::new("kills");
    let token = desk_token(&folder.0, &[]).await;
    let waiting_desk = desk_token(&folder.0, &[]).await;
    let mut program = Program::start(&folder.0, 0, &[]).await;
    let (address, port) = (program.address, program.address.port());
    // One appointment of another desk, whose client waits all the while.
    let mut page = program.greeted().await;
    desk(
        &mut page,
        DeskRequest::OpenDesk {
            token: waiting_desk.clone(),
        },
    )
    .await;
    page.hear().await;
    desk(
        &mut page,
        DeskRequest::PutAppointment {
            appointment: id(9_999),
            facts: facts("Grace"),
        },
    )
    .await;
    let ServerMessage::Desk(DeskEvent::Entry { entry, .. }) = page.hear().await else {
        panic!("no entry")
    };
    drop(page);
    let promised = Arc::new(Mutex::new(Promised::default()));
    let since = Arc::new(Mutex::new(None));
    let mut pages = Pages(vec![
        tokio::spawn(professional(address, token.clone(), Arc::clone(&promised))),
        tokio::spawn(client(address, entry.token, Arc::clone(&since))),
    ]);
    let mut state = seed;
    for _ in 0..KILLS {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // The moment itself is what is tested: from before the first answer to amid the work.
        sleep(Duration::from_millis((state >> 33) % 220)).await;
        program.kill().await;
        program = Program::start(&folder.0, port, &[]).await;
    }
    // All are back by themselves, and the work goes on.
    let before = promised.lock().unwrap().made;
    until(async || promised.lock().unwrap().made > before || promised.lock().unwrap().made >= 250).await;
    until(async || since.lock().unwrap().is_some()).await;
    for page in pages.0.drain(..) {
        assert!(!page.is_finished(), "a page gave up: {:?}", page.await);
        page.abort();
        let _ = page.await;
    }
    let mut page = program.greeted().await;
    desk(&mut page, DeskRequest::OpenDesk { token }).await;
    let ServerMessage::Desk(DeskEvent::Opened { entries, .. }) = page.hear().await else {
        panic!("not opened")
    };
    // Nobody else has it any more.
    let promised = std::mem::take(&mut *promised.lock().unwrap());
    let mut unheard = 0;
    for (appointment, told) in &promised.statuses {
        let found: Vec<_> = entries
            .iter()
            .filter(|entry| entry.appointment == *appointment)
            .collect();
        assert_eq!(found.len(), 1, "{appointment}");
        unheard += usize::from((found[0].status, &found[0].token) != (told.0, &told.1));
    }
    let more = entries.len() - promised.statuses.len();
    assert!(
        unheard + more <= 1,
        "but for the last request, the list is what was promised: {unheard}, {more}"
    );
    println!(
        "{} made, {} called in, over {KILLS} kills",
        promised.made, promised.called
    );
    assert!(
        promised.made > 20 && promised.called > 5,
        "too little happened: {} {}",
        promised.made,
        promised.called
    );
    desk(&mut page, DeskRequest::OpenDesk { token: waiting_desk }).await;
    let ServerMessage::Desk(DeskEvent::Opened { entries, .. }) = page.hear().await else {
        panic!("not opened")
    };
    assert!(
        matches!(entries[..], [ref entry] if matches!(entry.status, DeskStatus::Waiting { .. })),
        "{entries:?}"
    );
}
