//! Desks and their clients: what each is told, whatever the order and whoever is cut off.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

use core::time::Duration;
use std::sync::Arc;

use visavis_protocol::appointment::{
    DeskEvent, DeskRequest, DeskStatus, Entry, Facts, Place, VisitEvent, VisitRequest, VisitState,
};
use visavis_protocol::{
    AppointmentId, Charter, Claim, ClientMessage, DeskId, ErrorCode, HostSecret, RoomId, RoomSecret,
    ServerMessage, limits,
};

use super::harness::{UNIX, World, seat, session};
use crate::hub::{
    AppointmentsConfig, Booking, Change, ConnectionKey, DeskClaims, HubConfig, Kept, LinkSigner, Links,
    VisitClaims,
};

const MINUTE: Duration = Duration::from_secs(60);

/// Tokens that say plainly what they are.
struct Plain;

impl LinkSigner for Plain {
    fn read_desk(&self, token: &str, _: Duration) -> Result<DeskClaims, ErrorCode> {
        let (n, name) = token
            .strip_prefix("desk ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or(ErrorCode::TokenType)?;
        Ok(DeskClaims {
            desk: DeskId::from_bytes([n.parse().map_err(|_| ErrorCode::TokenClaims)?; 16]),
            name: name.into(),
        })
    }

    fn read_visit(&self, token: &str, unix: Duration) -> Result<VisitClaims, ErrorCode> {
        let mut parts = token
            .strip_prefix("visit ")
            .ok_or(ErrorCode::TokenType)?
            .split(' ');
        let mut next = || parts.next().ok_or(ErrorCode::TokenClaims);
        let claims = VisitClaims {
            appointment: next()?.parse().map_err(|_| ErrorCode::TokenClaims)?,
            number: next()?.parse().map_err(|_| ErrorCode::TokenClaims)?,
            expires: next()?.parse().map_err(|_| ErrorCode::TokenClaims)?,
        };
        if claims.expires < unix.as_secs() {
            return Err(ErrorCode::TokenExpired);
        }
        Ok(claims)
    }

    fn sign_visit(&self, claims: &VisitClaims) -> String {
        format!(
            "visit {} {} {}",
            claims.appointment, claims.number, claims.expires
        )
    }
}

fn office_with(kept: Kept) -> World {
    World::with(HubConfig {
        appointments: Some(AppointmentsConfig {
            links: Links(Arc::new(Plain)),
            kept,
        }),
        ..HubConfig::default()
    })
}

fn office() -> World {
    office_with(Kept::default())
}

fn id(n: u8) -> AppointmentId {
    AppointmentId::from_bytes([n; 16])
}

fn unix_ms(world: &World) -> u64 {
    u64::try_from((UNIX + world.now).as_millis()).unwrap()
}

/// Facts of an appointment that begins in so many minutes.
fn facts(world: &World, minutes: u64) -> Facts {
    Facts {
        client: "Cleo".into(),
        note: "Bring the letter".into(),
        starts: unix_ms(world) + minutes * 60_000,
        minutes: 30,
        zone: "Europe/Berlin".into(),
    }
}

fn place(n: u8) -> Place {
    Place {
        room: RoomId::derive("call", Some(&RoomSecret::from_bytes([n; 16]))),
        link: format!("/room/call#{n}"),
        host: HostSecret::from_bytes([n; 16]),
    }
}

fn desk(world: &mut World, connection: ConnectionKey, request: DeskRequest) {
    world.say(connection, &ClientMessage::Desk(request));
}

fn visit(world: &mut World, connection: ConnectionKey, request: VisitRequest) {
    world.say(connection, &ClientMessage::Visit(request));
}

fn open(world: &mut World, n: u8) -> (ConnectionKey, Vec<Entry>) {
    let page = world.greeted();
    let token = format!("desk {n} Dr. Ada");
    desk(world, page, DeskRequest::OpenDesk { token });
    let told = world.take(page);
    let [ServerMessage::Desk(DeskEvent::Opened { entries, name, .. })] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(name, "Dr. Ada");
    (page, entries.clone())
}

fn put(world: &mut World, page: ConnectionKey, n: u8, facts: Facts) -> Entry {
    let appointment = id(n);
    desk(world, page, DeskRequest::PutAppointment { appointment, facts });
    entry(world, page)
}

/// The last entry that a page was told, and how often it was alerted.
fn heard(world: &mut World, page: ConnectionKey) -> (Option<Entry>, usize) {
    let (mut last, mut alerts) = (None, 0);
    for message in world.take(page) {
        if let ServerMessage::Desk(DeskEvent::Entry { entry, alert }) = message {
            last = Some(entry);
            alerts += usize::from(alert);
        }
    }
    (last, alerts)
}

fn entry(world: &mut World, page: ConnectionKey) -> Entry {
    heard(world, page).0.expect("an entry")
}

fn come(world: &mut World, token: &str) -> ConnectionKey {
    let page = world.greeted();
    let token = token.to_owned();
    visit(world, page, VisitRequest::OpenVisit { token });
    page
}

fn ready(world: &mut World, page: ConnectionKey, waited_ms: u64) {
    visit(world, page, VisitRequest::Ready { waited_ms });
}

/// The last state that a client's page was told, and whether the desk was open.
fn state(world: &mut World, page: ConnectionKey) -> (VisitState, bool) {
    let told = world.take(page);
    let last = told.iter().rev().find_map(|message| match message {
        ServerMessage::Visit(VisitEvent::Appointment { state, desk_open, .. }) => {
            Some((state.clone(), *desk_open))
        }
        _ => None,
    });
    last.unwrap_or_else(|| panic!("{told:?}"))
}

fn sit(world: &mut World, n: u8, place: &Place) -> ConnectionKey {
    sit_with(world, n, place, visitor())
}

fn visitor() -> Claim {
    Claim::default()
}

fn host_of(place: &Place) -> Claim {
    Claim {
        host: Some(place.host),
        pass: None,
    }
}

fn sit_with(world: &mut World, n: u8, place: &Place, claim: Claim) -> ConnectionKey {
    let connection = world.greeted();
    let join = ClientMessage::Join {
        room: place.room.clone(),
        seat: seat(n),
        session: session(n),
        name: format!("Person {n}"),
        claim,
    };
    world.say(connection, &join);
    world.take(connection);
    connection
}

#[test]
fn a_client_comes_early_waits_is_called_in_and_the_link_is_used_up() {
    let mut world = office();
    let (page, entries) = open(&mut world, 1);
    assert!(entries.is_empty());
    let wanted = facts(&world, 20);
    let made = put(&mut world, page, 5, wanted.clone());
    assert_eq!((made.status, &made.facts), (DeskStatus::Planned {}, &wanted));

    let client = come(&mut world, &made.token);
    let opens = wanted.starts - 15 * 60_000;
    assert_eq!(state(&mut world, client), (VisitState::Early { opens }, true));
    ready(&mut world, client, 0);
    assert_eq!(world.take_error(client), Some(ErrorCode::AppointmentEarly));
    // The page opens by itself.
    world.pass(6 * MINUTE, &[page, client]);
    assert_eq!(state(&mut world, client).0, VisitState::Open {});
    ready(&mut world, client, 0);
    let since = unix_ms(&world);
    assert_eq!(state(&mut world, client).0, VisitState::Waiting { since });
    let (told, alerts) = heard(&mut world, page);
    assert_eq!(alerts, 1);
    assert_eq!(told.unwrap().status, DeskStatus::Waiting { since, away: false });

    world.pass(10 * MINUTE, &[page, client]);
    let appointment = id(5);
    desk(
        &mut world,
        page,
        DeskRequest::CallIn {
            appointment,
            place: place(7),
        },
    );
    let told = world.take(page);
    let called = DeskEvent::CalledIn {
        appointment,
        place: place(7),
    };
    assert!(told.contains(&ServerMessage::Desk(called)), "{told:?}");
    let link = place(7).link;
    assert_eq!(state(&mut world, client).0, VisitState::CalledIn { link });
    // The place that was said first stays, whichever page asks again.
    desk(
        &mut world,
        page,
        DeskRequest::CallIn {
            appointment,
            place: place(8),
        },
    );
    let again = DeskEvent::CalledIn {
        appointment,
        place: place(7),
    };
    assert!(world.take(page).contains(&ServerMessage::Desk(again)));

    let one = sit(&mut world, 1, &place(7));
    assert_eq!(entry(&mut world, page).status, DeskStatus::InCall {});
    let other = sit(&mut world, 2, &place(7));
    world.say(one, &ClientMessage::Leave {});
    assert_eq!(entry(&mut world, page).status, DeskStatus::InCall {});
    world.say(other, &ClientMessage::Leave {});
    assert_eq!(entry(&mut world, page).status, DeskStatus::Done {});
    assert_eq!(state(&mut world, client).0, VisitState::Over {});
    ready(&mut world, client, 0);
    assert_eq!(world.take_error(client), Some(ErrorCode::AppointmentOver));
    // And the professional may ask them in once more.
    desk(
        &mut world,
        page,
        DeskRequest::CallIn {
            appointment,
            place: place(9),
        },
    );
    assert!(matches!(state(&mut world, client).0, VisitState::CalledIn { .. }));
}

#[test]
fn one_professional_in_two_pages_is_alerted_once_where_they_look() {
    let mut world = office();
    let (first, _) = open(&mut world, 1);
    let (second, _) = open(&mut world, 1);
    world.say(second, &ClientMessage::Visibility { hidden: true });
    let wanted = facts(&world, 5);
    let made = put(&mut world, second, 5, wanted);
    assert_eq!(entry(&mut world, first), made, "both are live");
    let client = come(&mut world, &made.token);
    ready(&mut world, client, 0);
    let alerts = [first, second].map(|page| heard(&mut world, page).1);
    assert_eq!(alerts, [1, 0]);
    // Nobody can be seen: the one that was looked at last.
    visit(&mut world, client, VisitRequest::StopWaiting {});
    world.say(first, &ClientMessage::Visibility { hidden: true });
    world.say(second, &ClientMessage::Visibility { hidden: false });
    world.say(second, &ClientMessage::Visibility { hidden: true });
    ready(&mut world, client, 0);
    let alerts = [first, second].map(|page| heard(&mut world, page).1);
    assert_eq!(alerts, [0, 1]);
    // Whoever waits already is there without a noise.
    ready(&mut world, client, 0);
    let alerts = [first, second].map(|page| heard(&mut world, page).1);
    assert_eq!(alerts, [0, 0]);
}

#[test]
fn who_waits_is_waited_for_when_their_network_is_gone() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    let wanted = facts(&world, 5);
    let made = put(&mut world, page, 5, wanted);
    let client = come(&mut world, &made.token);
    ready(&mut world, client, 0);
    let since = unix_ms(&world);
    heard(&mut world, page);
    world.disconnect(client);
    assert_eq!(
        entry(&mut world, page).status,
        DeskStatus::Waiting { since, away: true }
    );
    world.pass(MINUTE, &[page]);
    let client = come(&mut world, &made.token);
    assert_eq!(state(&mut world, client).0, VisitState::Waiting { since });
    let (told, alerts) = heard(&mut world, page);
    assert_eq!(told.unwrap().status, DeskStatus::Waiting { since, away: false });
    assert_eq!(alerts, 0);
    world.disconnect(client);
    world.pass(2 * MINUTE, &[page]);
    assert_eq!(entry(&mut world, page).status, DeskStatus::Planned {});
    // Hours of sleep later they wait on as before.
    let client = come(&mut world, &made.token);
    let waited_ms = unix_ms(&world) - since;
    ready(&mut world, client, waited_ms);
    let (told, alerts) = heard(&mut world, page);
    assert_eq!(told.unwrap().status, DeskStatus::Waiting { since, away: false });
    // Whether that is news, a page knows that was told by when they came.
    assert_eq!(alerts, 1);
}

#[test]
fn nobody_says_that_they_waited_before_it_opened() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    let wanted = facts(&world, 10);
    let made = put(&mut world, page, 5, wanted.clone());
    let client = come(&mut world, &made.token);
    ready(&mut world, client, u64::MAX);
    let since = wanted.starts - 15 * 60_000;
    assert_eq!(state(&mut world, client).0, VisitState::Waiting { since });
}

#[test]
fn the_newest_page_of_a_client_is_the_one() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    let wanted = facts(&world, 5);
    let made = put(&mut world, page, 5, wanted);
    let first = come(&mut world, &made.token);
    ready(&mut world, first, 0);
    world.take(first);
    let second = come(&mut world, &made.token);
    assert_eq!(
        world.take(first),
        [ServerMessage::Visit(VisitEvent::Elsewhere {})]
    );
    assert!(matches!(state(&mut world, second).0, VisitState::Waiting { .. }));
    visit(&mut world, first, VisitRequest::StopWaiting {});
    assert_eq!(world.take_error(first), Some(ErrorCode::NoVisit));
    world.disconnect(first);
    assert!(matches!(
        entry(&mut world, page).status,
        DeskStatus::Waiting { away: false, .. }
    ));
}

#[test]
fn what_is_moved_or_called_off_is_told() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    let wanted = facts(&world, 5);
    let made = put(&mut world, page, 5, wanted.clone());
    let client = come(&mut world, &made.token);
    ready(&mut world, client, 0);
    world.take(client);
    let later = Facts {
        starts: wanted.starts + 24 * 3_600_000,
        ..wanted
    };
    let moved = put(&mut world, page, 5, later.clone());
    assert_eq!(moved.token, made.token, "the link that they have is as good");
    assert_eq!(moved.status, DeskStatus::Planned {});
    assert!(matches!(state(&mut world, client).0, VisitState::Early { .. }));
    // Far beyond the end of the link there is a new one, and the old one is good as long as it said.
    let far = Facts {
        starts: later.starts + 90 * 24 * 3_600_000,
        ..later
    };
    let moved = put(&mut world, page, 5, far.clone());
    assert_ne!(moved.token, made.token);
    for token in [&made.token, &moved.token] {
        let client = come(&mut world, token);
        assert!(matches!(state(&mut world, client).0, VisitState::Early { .. }));
    }
    let never = moved.token.replace(" 2 ", " 3 ");
    let client = come(&mut world, &never);
    assert_eq!(world.take_error(client), Some(ErrorCode::TokenReused));
    let client = come(&mut world, &moved.token);
    let appointment = id(5);
    desk(&mut world, page, DeskRequest::CancelAppointment { appointment });
    assert_eq!(entry(&mut world, page).status, DeskStatus::Cancelled {});
    assert_eq!(state(&mut world, client).0, VisitState::Cancelled {});
    ready(&mut world, client, 0);
    assert_eq!(world.take_error(client), Some(ErrorCode::AppointmentCancelled));
    desk(
        &mut world,
        page,
        DeskRequest::CallIn {
            appointment,
            place: place(7),
        },
    );
    assert_eq!(world.take_error(page), Some(ErrorCode::AppointmentCancelled));
    let facts = Facts { minutes: 45, ..far };
    desk(
        &mut world,
        page,
        DeskRequest::PutAppointment { appointment, facts },
    );
    assert_eq!(world.take_error(page), Some(ErrorCode::InvalidAppointment));
}

#[test]
fn who_comes_after_the_end_is_late_and_long_after_it_unknown() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    let wanted = facts(&world, 5);
    let made = put(&mut world, page, 5, wanted);
    let client = come(&mut world, &made.token);
    ready(&mut world, client, 0);
    world.pass(100 * MINUTE, &[page, client]);
    assert_eq!(state(&mut world, client).0, VisitState::Late {});
    assert_eq!(entry(&mut world, page).status, DeskStatus::Done {});
    ready(&mut world, client, 0);
    assert_eq!(world.take_error(client), Some(ErrorCode::AppointmentLate));
    desk(
        &mut world,
        page,
        DeskRequest::CallIn {
            appointment: id(5),
            place: place(7),
        },
    );
    assert_eq!(world.take_error(page), Some(ErrorCode::AppointmentLate));
    world.disconnect(client);
    world.disconnect(page);
    world.now += 2 * 24 * 60 * MINUTE;
    let (page, entries) = open(&mut world, 1);
    assert!(entries.is_empty(), "no longer on the desk");
    world.disconnect(page);
    world.now += 29 * 24 * 60 * MINUTE;
    world.pass(MINUTE, &[]);
    assert_eq!(
        world.stored.last(),
        Some(&Change::Booking(Booking::Forgotten(id(5))))
    );
    assert_eq!(world.hub.poll_timeout(), None, "nothing is left to wait for");
}

#[test]
fn nobody_touches_another_desks_appointments() {
    let mut world = office();
    let (ada, _) = open(&mut world, 1);
    let (bob, entries) = open(&mut world, 2);
    assert!(entries.is_empty());
    let wanted = facts(&world, 5);
    let made = put(&mut world, ada, 5, wanted.clone());
    assert!(world.take(bob).is_empty(), "hears nothing of it");
    let appointment = id(5);
    for request in [
        DeskRequest::PutAppointment {
            appointment,
            facts: wanted,
        },
        DeskRequest::CancelAppointment { appointment },
        DeskRequest::CallIn {
            appointment,
            place: place(7),
        },
    ] {
        desk(&mut world, bob, request);
        assert_eq!(world.take_error(bob), Some(ErrorCode::UnknownAppointment));
    }
    let stranger = world.greeted();
    desk(
        &mut world,
        stranger,
        DeskRequest::CancelAppointment { appointment },
    );
    assert_eq!(world.take_error(stranger), Some(ErrorCode::NoDesk));
    ready(&mut world, stranger, 0);
    assert_eq!(world.take_error(stranger), Some(ErrorCode::NoVisit));
    // One kind of link opens no door of the other.
    let token = made.token.clone();
    desk(&mut world, stranger, DeskRequest::OpenDesk { token });
    assert_eq!(world.take_error(stranger), Some(ErrorCode::TokenType));
    let client = come(&mut world, "desk 1 Dr. Ada");
    assert_eq!(world.take_error(client), Some(ErrorCode::TokenType));
}

#[test]
fn a_client_hears_whether_the_desk_is_open_and_not_of_a_reload() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    let wanted = facts(&world, 5);
    let made = put(&mut world, page, 5, wanted);
    let client = come(&mut world, &made.token);
    assert!(state(&mut world, client).1);
    world.disconnect(page);
    world.pass(Duration::from_secs(1), &[client]);
    let (page, _) = open(&mut world, 1);
    assert!(world.take(client).is_empty(), "a reload is no news");
    desk(&mut world, page, DeskRequest::CloseDesk {});
    assert!(!state(&mut world, client).1);
    let token = "desk 1 Dr. Ada".to_owned();
    desk(&mut world, page, DeskRequest::OpenDesk { token });
    assert!(state(&mut world, client).1);
    world.disconnect(page);
    world.pass(Duration::from_secs(10), &[client]);
    assert!(!state(&mut world, client).1);
}

#[test]
fn what_is_wrong_or_too_much_is_refused_and_what_is_said_again_is_the_same() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    let good = facts(&world, 5);
    let bad = [
        Facts {
            client: " ".into(),
            ..good.clone()
        },
        Facts {
            client: "a\u{202e}b".into(),
            ..good.clone()
        },
        Facts {
            note: "x".repeat(limits::NOTE_BYTES + 1),
            ..good.clone()
        },
        Facts {
            note: "a\u{0}b".into(),
            ..good.clone()
        },
        Facts {
            minutes: 0,
            ..good.clone()
        },
        Facts {
            minutes: u16::MAX,
            ..good.clone()
        },
        Facts {
            zone: String::new(),
            ..good.clone()
        },
        Facts {
            zone: "Europe/Berlin\r\nX:".into(),
            ..good.clone()
        },
        Facts {
            starts: good.starts - 2 * 24 * 3_600_000,
            ..good.clone()
        },
        Facts {
            starts: u64::MAX,
            ..good.clone()
        },
    ];
    for facts in bad {
        let appointment = id(9);
        desk(
            &mut world,
            page,
            DeskRequest::PutAppointment {
                appointment,
                facts: facts.clone(),
            },
        );
        assert_eq!(
            world.take_error(page),
            Some(ErrorCode::InvalidAppointment),
            "{facts:?}"
        );
    }
    let made = put(&mut world, page, 5, good.clone());
    let stored = world.stored.len();
    assert_eq!(put(&mut world, page, 5, good.clone()), made);
    assert_eq!(world.stored.len(), stored, "written once");
    for n in 1..limits::APPOINTMENTS_PER_DESK {
        let mut bytes = [9; 16];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        let appointment = AppointmentId::from_bytes(bytes);
        let facts = good.clone();
        desk(
            &mut world,
            page,
            DeskRequest::PutAppointment { appointment, facts },
        );
        world.pass(Duration::from_millis(50), &[page]);
    }
    world.take(page);
    desk(
        &mut world,
        page,
        DeskRequest::PutAppointment {
            appointment: id(200),
            facts: good,
        },
    );
    assert_eq!(world.take_error(page), Some(ErrorCode::TooMany));
    let pages: Vec<ConnectionKey> = (1..limits::PAGES_PER_DESK)
        .map(|_| open(&mut world, 1).0)
        .collect();
    let one_more = world.greeted();
    let token = "desk 1 Dr. Ada".to_owned();
    desk(&mut world, one_more, DeskRequest::OpenDesk { token });
    assert_eq!(world.take_error(one_more), Some(ErrorCode::TooMany));
    for page in pages.into_iter().chain([page]) {
        world.disconnect(page);
    }
    world.pass(Duration::from_secs(5), &[one_more]);
    assert!(world.hub.appointments.as_ref().unwrap().has_no_page());
}

#[test]
fn everything_is_there_again_after_a_restart() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    for (n, minutes) in [(5, 5), (6, 50)] {
        let wanted = facts(&world, minutes);
        put(&mut world, page, n, wanted);
    }
    desk(
        &mut world,
        page,
        DeskRequest::CancelAppointment { appointment: id(6) },
    );
    desk(
        &mut world,
        page,
        DeskRequest::CallIn {
            appointment: id(5),
            place: place(7),
        },
    );
    let one = sit(&mut world, 1, &place(7));
    let two = sit(&mut world, 2, &place(7));
    let mut kept = Kept::default();
    for change in world.stored.drain(..) {
        match change {
            Change::Booking(Booking::Desk { desk, name }) => kept.desks.push((desk, name)),
            Change::Booking(Booking::Appointment(appointment)) => {
                kept.appointments
                    .retain(|known| known.appointment != appointment.appointment);
                kept.appointments.push(*appointment);
            }
            other => panic!("{other:?}"),
        }
    }
    world.disconnect(one);
    world.disconnect(two);
    let mut world = office_with(kept);
    let (page, entries) = open(&mut world, 1);
    let statuses: Vec<DeskStatus> = entries.iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [DeskStatus::CalledIn {}, DeskStatus::Cancelled {}]);
    // Both come back to the call, and it ends as it would have.
    let one = sit(&mut world, 1, &place(7));
    world.say(one, &ClientMessage::Leave {});
    assert_eq!(entry(&mut world, page).status, DeskStatus::Done {});
}

#[test]
fn a_clock_that_leaps_over_an_appointment_in_which_people_sit_stops_nothing() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    let wanted = facts(&world, 5);
    put(&mut world, page, 5, wanted);
    desk(
        &mut world,
        page,
        DeskRequest::CallIn {
            appointment: id(5),
            place: place(7),
        },
    );
    let one = sit(&mut world, 1, &place(7));
    let two = sit(&mut world, 2, &place(7));
    let year = Duration::from_secs(365 * 86_400);
    world.hub.set_clock(world.now, UNIX + world.now + year);
    world.pass(3 * MINUTE, &[page, one, two]);
    assert!(!world.stored.contains(&Change::Booking(Booking::Forgotten(id(5)))));
    for connection in [one, two] {
        world.say(connection, &ClientMessage::Leave {});
    }
    world.pass(MINUTE, &[page]);
    assert_eq!(
        world.stored.last(),
        Some(&Change::Booking(Booking::Forgotten(id(5))))
    );
}

#[test]
fn another_room_of_the_same_host_ends_no_call() {
    let mut world = office();
    let (page, _) = open(&mut world, 1);
    let wanted = facts(&world, 5);
    let made = put(&mut world, page, 5, wanted);
    let host = HostSecret::from_bytes([7; 16]);
    let charter = Charter {
        host: host.host_id(),
        waiting_room: false,
    };
    let room = |n| RoomId::derive_hosted("call", &RoomSecret::from_bytes([n; 16]), charter);
    let at = |n| Place {
        room: room(n),
        link: "/room/call".into(),
        host,
    };
    desk(
        &mut world,
        page,
        DeskRequest::CallIn {
            appointment: id(5),
            place: at(1),
        },
    );
    let one = sit_with(&mut world, 1, &at(1), host_of(&at(1)));
    let two = sit(&mut world, 2, &at(1));
    let stray = sit(&mut world, 3, &at(2));
    world.say(stray, &ClientMessage::Leave {});
    assert_eq!(entry(&mut world, page).status, DeskStatus::InCall {});
    let client = come(&mut world, &made.token);
    assert!(matches!(state(&mut world, client).0, VisitState::CalledIn { .. }));
    for connection in [one, two] {
        world.say(connection, &ClientMessage::Leave {});
    }
    assert_eq!(entry(&mut world, page).status, DeskStatus::Done {});
}

/// A place as the pages make it: of a room whose host is the professional.
fn own_place(n: u8) -> Place {
    let host = HostSecret::from_bytes([n; 16]);
    let charter = Charter {
        host: host.host_id(),
        waiting_room: false,
    };
    Place {
        room: RoomId::derive_hosted("call", &RoomSecret::from_bytes([n; 16]), charter),
        link: format!("/room/call#{n}"),
        host,
    }
}

/// An appointment whose time it is: the desk's page, the client's link, and when it opens.
fn due(world: &mut World) -> (ConnectionKey, String) {
    let (page, _) = open(world, 1);
    let wanted = facts(world, 5);
    let made = put(world, page, 5, wanted);
    (page, made.token)
}

fn call_in(world: &mut World, page: ConnectionKey) {
    desk(
        world,
        page,
        DeskRequest::CallIn {
            appointment: id(5),
            place: own_place(7),
        },
    );
    world.take(page);
}

#[test]
fn who_was_asked_in_and_is_left_alone_waits_and_is_heard() {
    let mut world = office();
    let (page, token) = due(&mut world);
    call_in(&mut world, page);
    let own = sit_with(&mut world, 1, &own_place(7), host_of(&own_place(7)));
    // Another page of theirs is no client.
    let second = sit_with(&mut world, 2, &own_place(7), host_of(&own_place(7)));
    world.say(second, &ClientMessage::Leave {});
    world.say(own, &ClientMessage::Leave {});
    assert_eq!(entry(&mut world, page).status, DeskStatus::Planned {});
    let client = come(&mut world, &token);
    assert_eq!(state(&mut world, client).0, VisitState::Open {});
    ready(&mut world, client, 0);
    let (told, alerts) = heard(&mut world, page);
    assert!(matches!(told.unwrap().status, DeskStatus::Waiting { .. }));
    assert_eq!(alerts, 1);
    // The professional is back in the room, without asking again.
    let own = sit_with(&mut world, 1, &own_place(7), host_of(&own_place(7)));
    assert!(matches!(state(&mut world, client).0, VisitState::CalledIn { .. }));
    world.depart(own);
    assert!(matches!(state(&mut world, client).0, VisitState::Waiting { .. }));
}

#[test]
fn a_reload_in_an_empty_room_does_not_end_an_appointment() {
    let mut world = office();
    let (page, token) = due(&mut world);
    call_in(&mut world, page);
    let own = sit_with(&mut world, 1, &own_place(7), host_of(&own_place(7)));
    let client = sit_with(&mut world, 2, &own_place(7), visitor());
    world.say(client, &ClientMessage::Leave {});
    world.depart(own);
    assert_eq!(entry(&mut world, page).status, DeskStatus::Done {});
    let own = sit_with(&mut world, 1, &own_place(7), host_of(&own_place(7)));
    assert_eq!(entry(&mut world, page).status, DeskStatus::InCall {});
    let visitor = come(&mut world, &token);
    assert!(matches!(
        state(&mut world, visitor).0,
        VisitState::CalledIn { .. }
    ));
    world.say(own, &ClientMessage::Leave {});
    assert_eq!(state(&mut world, visitor).0, VisitState::Over {});
}

#[test]
fn what_is_moved_to_another_day_begins_anew() {
    for in_call in [false, true] {
        let mut world = office();
        let (page, _) = due(&mut world);
        call_in(&mut world, page);
        let seats = in_call.then(|| {
            let own = sit_with(&mut world, 1, &own_place(7), host_of(&own_place(7)));
            [own, sit_with(&mut world, 2, &own_place(7), visitor())]
        });
        let later = facts(&world, 7 * 24 * 60);
        let made = put(&mut world, page, 5, later);
        for seat in seats.into_iter().flatten() {
            world.say(seat, &ClientMessage::Leave {});
        }
        if in_call {
            assert_eq!(entry(&mut world, page).status, DeskStatus::Planned {});
        } else {
            assert_eq!(made.status, DeskStatus::Planned {});
        }
        let client = come(&mut world, &made.token);
        assert!(
            matches!(state(&mut world, client).0, VisitState::Early { .. }),
            "{in_call}"
        );
    }
}

#[test]
fn who_comes_while_no_desk_is_open_is_told_of_to_the_first_that_is() {
    let mut world = office();
    let (page, token) = due(&mut world);
    world.disconnect(page);
    let client = come(&mut world, &token);
    // Pressed while the page had no server.
    ready(&mut world, client, 3_000);
    let page = world.greeted();
    let token = "desk 1 Dr. Ada".to_owned();
    desk(&mut world, page, DeskRequest::OpenDesk { token });
    let (told, alerts) = heard(&mut world, page);
    assert!(matches!(told.unwrap().status, DeskStatus::Waiting { .. }));
    assert_eq!(alerts, 1);
    let (second, _) = open(&mut world, 1);
    assert_eq!(heard(&mut world, second).1, 0);
}

#[test]
fn nobody_fills_the_sockets_of_a_desk_by_coming_and_going() {
    let mut world = office();
    let (page, token) = due(&mut world);
    let client = come(&mut world, &token);
    for _ in 0..50 {
        ready(&mut world, client, 0);
        ready(&mut world, client, 0);
        visit(&mut world, client, VisitRequest::StopWaiting {});
        visit(&mut world, client, VisitRequest::StopWaiting {});
    }
    let told = world.take(page).len();
    assert!((2..=12).contains(&told), "{told}");
}

#[test]
fn a_page_that_shows_a_link_in_use_elsewhere_lets_go_of_the_one_before() {
    let mut world = office();
    let (page, token) = due(&mut world);
    let wanted = facts(&world, 6);
    let other = put(&mut world, page, 6, wanted);
    let first = come(&mut world, &token);
    let elsewhere = come(&mut world, &other.token);
    world.take(elsewhere);
    visit(&mut world, first, VisitRequest::OpenVisit { token: other.token });
    world.take(first);
    ready(&mut world, first, 0);
    assert_eq!(world.take_error(first), Some(ErrorCode::NoVisit));
    assert_eq!(heard(&mut world, page).1, 0);
}
