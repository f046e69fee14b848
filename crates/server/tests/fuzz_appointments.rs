//! Fuzzes the hub's appointments with sequences of facts: whatever desks, clients, sockets and clocks do, what is
//! told is what is written down, everybody sees the same, and a restart changes nothing of it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind among all"
)]

mod fuzz;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use fuzz::Fuzz;
use visavis_protocol::appointment::{
    DeskEvent, DeskRequest, DeskStatus, Entry, Facts, Place, VisitEvent, VisitRequest, VisitState,
};
use visavis_protocol::{
    AppointmentId, Claim, ClientMessage, DeskId, Epoch, ErrorCode, HostSecret, RoomId, RoomSecret,
    SeatSecret, ServerMessage, SessionSecret, limits,
};
use visavis_server::hub::{
    AddressKey, AppointmentsConfig, Booking, Change, ConnectionKey, DeskClaims, Hub, HubConfig, Kept,
    KeptAppointment, LinkSigner, Links, Output, VisitClaims,
};

const UNIX: Duration = Duration::from_secs(1_767_225_600);
const DESKS: usize = 3;
const APPOINTMENTS: usize = 6;
const SOCKETS: usize = 16;

/// Tokens that say plainly what they are.
struct Plain;

fn field<T: std::str::FromStr>(token: &str, kind: &str, at: usize) -> Result<T, ErrorCode> {
    let rest = token.strip_prefix(kind).ok_or(ErrorCode::TokenType)?;
    let field = rest.split(' ').nth(at).ok_or(ErrorCode::TokenClaims)?;
    field.parse().map_err(|_| ErrorCode::TokenClaims)
}

impl LinkSigner for Plain {
    fn read_desk(&self, token: &str, _: Duration) -> Result<DeskClaims, ErrorCode> {
        Ok(DeskClaims {
            desk: field(token, "desk", 1)?,
            name: field(token, "desk", 2)?,
        })
    }

    fn read_visit(&self, token: &str, unix: Duration) -> Result<VisitClaims, ErrorCode> {
        let claims = VisitClaims {
            appointment: field(token, "visit", 1)?,
            number: field(token, "visit", 2)?,
            expires: field(token, "visit", 3)?,
        };
        if claims.expires < unix.as_secs() {
            return Err(ErrorCode::TokenExpired);
        }
        Ok(claims)
    }

    fn sign_visit(&self, claims: &VisitClaims) -> String {
        let (appointment, number) = (claims.appointment, claims.number);
        format!("visit {appointment} {number} {}", claims.expires)
    }
}

/// What one page was told last.
#[derive(Default)]
struct Page {
    desk: Option<DeskId>,
    entries: BTreeMap<AppointmentId, Entry>,
    visit: Option<(AppointmentId, VisitState)>,
}

struct World<'a> {
    input: std::slice::Iter<'a, u8>,
    hub: Hub,
    now: Duration,
    /// By how much the machine's clock was put right, in milliseconds.
    leap: i64,
    next: u64,
    pages: BTreeMap<ConnectionKey, Page>,
    /// What was written down.
    desks: BTreeMap<DeskId, String>,
    kept: BTreeMap<AppointmentId, KeptAppointment>,
    /// Links of clients that were ever told.
    tokens: Vec<String>,
    /// Whom the hub answers at the moment, and with how many alarms.
    asked: Option<ConnectionKey>,
    alerts: usize,
}

fn id(n: usize) -> AppointmentId {
    AppointmentId::from_bytes([(n % APPOINTMENTS) as u8; 16])
}

fn place(n: usize) -> Place {
    let n = (n % 8) as u8;
    Place {
        room: RoomId::derive("call", Some(&RoomSecret::from_bytes([n; 16]))),
        link: format!("/room/call#{n}"),
        host: HostSecret::from_bytes([n + 100; 16]),
    }
}

fn hub(kept: Kept, unix: Duration) -> Hub {
    let mut config = HubConfig {
        appointments: Some(AppointmentsConfig {
            links: Links(Arc::new(Plain)),
            kept,
        }),
        ..HubConfig::default()
    };
    config.limits.joins_per_second = 0;
    config.limits.rooms_per_minute = 0;
    config.limits.errors_per_connection = 1000;
    // Pages need not say all the time that they are there.
    config.limits.dead_after = Duration::from_secs(90 * 86_400);
    config.limits.dead_after_hidden = config.limits.dead_after;
    config.limits.messages_per_second = 0;
    config.limits.bytes_per_second = 0;
    Hub::new(config, Epoch::from_bytes([1; 16]), unix)
}

impl World<'_> {
    fn byte(&mut self) -> usize {
        usize::from(self.input.next().copied().unwrap_or_default())
    }

    fn unix_ms(&self) -> u64 {
        let unix = u64::try_from((UNIX + self.now).as_millis()).unwrap();
        unix.checked_add_signed(self.leap).unwrap()
    }

    fn unix(&self) -> Duration {
        Duration::from_millis(self.unix_ms())
    }

    fn step(&mut self, action: u8) {
        match action % 12 {
            0 if self.pages.len() < SOCKETS => self.connect(),
            1 => {
                if let Some(key) = self.pick() {
                    self.pages.remove(&key);
                    self.hub.disconnect(self.now, key);
                }
            }
            2 => {
                let spans = [1, 900, 3_001, 60_000, 91_000, 600_000, 3_600_000];
                let span = spans[self.byte() % spans.len()];
                self.pass(Duration::from_millis(span));
            }
            3 => {
                let hours = [1, -1, 24, 24 * 31, 24 * 100, -24];
                let ms = hours[self.byte() % hours.len()] * 3_600_000;
                // Not back beyond the beginning, nor for ever on.
                self.leap = (self.leap + ms).clamp(-1_000_000_000, 100_000_000_000);
                self.hub.set_clock(self.now, self.unix());
                self.hub.tick(self.now);
            }
            4 if self.byte().is_multiple_of(4) => self.restart(),
            _ => {
                if let Some(key) = self.pick() {
                    let message = self.message();
                    self.say(key, &message);
                }
            }
        }
        self.read();
        self.check();
    }

    fn pick(&mut self) -> Option<ConnectionKey> {
        let at = self.byte();
        let count = self.pages.len();
        (count > 0).then(|| *self.pages.keys().nth(at % count).unwrap())
    }

    fn connect(&mut self) {
        let key = ConnectionKey(self.next);
        self.next += 1;
        self.pages.insert(key, Page::default());
        self.hub.connect(self.now, key, AddressKey::V4(1));
        self.say(key, &ClientMessage::Hello { versions: vec![1] });
    }

    fn say(&mut self, key: ConnectionKey, message: &ClientMessage) {
        self.read();
        (self.asked, self.alerts) = (Some(key), 0);
        self.hub.receive(self.now, key, &message.encode());
        self.read();
        let is_ready = matches!(message, ClientMessage::Visit(VisitRequest::Ready { .. }));
        // Of those who came while nobody could be told; each once.
        let is_open = matches!(message, ClientMessage::Desk(DeskRequest::OpenDesk { .. }));
        let most = if is_open {
            APPOINTMENTS
        } else {
            usize::from(is_ready)
        };
        assert!(
            self.alerts <= most,
            "an alarm at nothing, or two pages are alarmed"
        );
        self.asked = None;
    }

    /// Time, in which the hub is woken when it asked for it.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.hub.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.hub.tick(self.now);
            self.read();
            let next = self.hub.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "a timer stuck");
        }
        self.now = end;
        self.hub.tick(self.now);
    }

    /// The server is killed, and another one has what was written down.
    fn restart(&mut self) {
        self.pages.clear();
        let kept = Kept {
            desks: self.desks.clone().into_iter().collect(),
            appointments: self.kept.values().cloned().collect(),
        };
        let unix = self.unix();
        self.hub = hub(kept, unix);
        self.leap = i64::try_from(unix.as_millis()).unwrap() - i64::try_from(UNIX.as_millis()).unwrap();
        self.now = Duration::ZERO;
        self.hub.tick(self.now);
        self.read();
        for n in 0..DESKS {
            self.connect();
            let key = ConnectionKey(self.next - 1);
            self.say(key, &ClientMessage::Desk(open(n)));
            let page = &self.pages[&key];
            for (id, kept) in &self.kept {
                let shown = kept.desk == desk(n)
                    && self.unix_ms() < kept.facts.ends() + span_ms(limits::APPOINTMENT_SHOWN_FOR);
                assert_eq!(page.entries.contains_key(id), shown, "after a restart");
            }
        }
    }

    fn message(&mut self) -> ClientMessage {
        let (kind, a, b) = (self.byte(), self.byte(), self.byte());
        match kind % 18 {
            0..=2 => ClientMessage::Desk(open(a % DESKS)),
            3..=5 => ClientMessage::Desk(DeskRequest::PutAppointment {
                appointment: id(a),
                facts: self.facts(a, b),
            }),
            6 => ClientMessage::Desk(DeskRequest::CancelAppointment { appointment: id(a) }),
            7 | 8 => ClientMessage::Desk(DeskRequest::CallIn {
                appointment: id(a),
                place: place(b),
            }),
            9 => ClientMessage::Desk(DeskRequest::CloseDesk {}),
            10..=12 => {
                let count = self.tokens.len().max(1);
                let token = self.tokens.get(a % count).cloned().unwrap_or_default();
                let token = if b == 255 { token + "0" } else { token };
                ClientMessage::Visit(VisitRequest::OpenVisit { token })
            }
            13 | 14 => ClientMessage::Visit(VisitRequest::Ready {
                waited_ms: [0, 0, 5_000, u64::MAX][a % 4],
            }),
            15 if a % 2 == 0 => ClientMessage::Visit(VisitRequest::StopWaiting {}),
            15 => ClientMessage::Visibility { hidden: b % 2 == 0 },
            16 => ClientMessage::Join {
                room: place(a).room,
                seat: SeatSecret::from_bytes([(b % 4) as u8; 16]),
                session: SessionSecret::from_bytes([(b % 16) as u8; 16]),
                name: "Somebody".into(),
                claim: Claim::default(),
            },
            _ => ClientMessage::Leave {},
        }
    }

    fn facts(&self, a: usize, b: usize) -> Facts {
        let minutes = [-60, 0, 5, 14, 16, 180, 100 * 1440, -3000][b % 8];
        Facts {
            client: if b == 254 {
                "\u{202e}".into()
            } else {
                format!("Client {} {}", a % APPOINTMENTS, (a / APPOINTMENTS) % 3)
            },
            note: String::new(),
            starts: self.unix_ms().saturating_add_signed(minutes * 60_000),
            minutes: [30, 1, 720, 0][(a / 16) % 4],
            zone: "UTC".into(),
        }
    }

    fn read(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Send { connection, text } => {
                    let message = ServerMessage::decode(&text).expect("our own message");
                    assert_eq!(message.encode(), &*text, "written in another way");
                    self.hear(connection, message);
                }
                Output::Store(Change::Booking(booking)) => match booking {
                    Booking::Desk { desk, name } => drop(self.desks.insert(desk, name)),
                    Booking::Appointment(kept) => {
                        let before = self.kept.insert(kept.appointment, (*kept).clone());
                        let before = before.as_ref();
                        assert!(
                            before.is_none_or(|before| before.desk == kept.desk),
                            "another desk's"
                        );
                        let first = before.and_then(|before| before.place.as_ref());
                        assert!(
                            first.is_none_or(|first| kept.place.as_ref() == Some(first)),
                            "moved"
                        );
                    }
                    Booking::Forgotten(id) => {
                        let gone = self.kept.remove(&id).expect("forgotten twice");
                        let until = gone.facts.ends() + span_ms(limits::VISIT_LINK_AFTER);
                        assert!(self.unix_ms() >= until, "forgotten too soon");
                        // Nobody is told: whoever looked at it was told long before that it is over.
                        for page in self.pages.values_mut() {
                            page.entries.remove(&id);
                            page.visit = page.visit.take().filter(|(visit, _)| *visit != id);
                        }
                    }
                },
                Output::Store(change) => panic!("a hub without people keeps {change:?}"),
                Output::Close { connection, .. } => {
                    assert!(self.pages.remove(&connection).is_some(), "closed after the end");
                }
            }
        }
    }

    fn hear(&mut self, connection: ConnectionKey, message: ServerMessage) {
        match message {
            ServerMessage::Desk(DeskEvent::Opened {
                desk, entries, now, ..
            }) => {
                assert_eq!(self.asked, Some(connection), "opened unasked");
                assert!(now.abs_diff(self.unix_ms()) <= 1_000, "another clock");
                for entry in &entries {
                    self.is_true(desk, entry);
                }
                let page = self.pages.get_mut(&connection).expect("told after the end");
                page.desk = Some(desk);
                page.entries = entries
                    .into_iter()
                    .map(|entry| (entry.appointment, entry))
                    .collect();
            }
            ServerMessage::Desk(DeskEvent::Entry { entry, alert }) => {
                self.alerts += usize::from(alert);
                let desk = self.pages[&connection].desk.expect("told without proof");
                self.is_true(desk, &entry);
                let page = self.pages.get_mut(&connection).unwrap();
                page.entries.insert(entry.appointment, entry);
            }
            ServerMessage::Desk(DeskEvent::CalledIn { appointment, place }) => {
                assert_eq!(self.kept[&appointment].place, Some(place), "not what is kept");
                assert_eq!(Some(self.kept[&appointment].desk), self.pages[&connection].desk);
            }
            ServerMessage::Desk(DeskEvent::DeskClosed {}) => {
                assert!(self.pages[&connection].desk.is_some());
            }
            ServerMessage::Visit(VisitEvent::Appointment {
                facts, state, now, ..
            }) => {
                // The client's name tells here which one it is.
                let mut all = self.kept.values().filter(|kept| kept.facts == facts);
                let kept = all.next().expect("facts that are not written down");
                assert!(
                    self.is_state_true(kept, &state, now),
                    "{state:?} is not true of {kept:?}"
                );
                let id = kept.appointment;
                self.pages.get_mut(&connection).unwrap().visit = Some((id, state));
            }
            ServerMessage::Visit(VisitEvent::Elsewhere {}) => {
                self.pages.get_mut(&connection).expect("told after the end").visit = None;
            }
            ServerMessage::Error { code, .. } => {
                assert_eq!(self.asked, Some(connection), "an error unasked");
                assert_ne!(code, ErrorCode::Unknown);
            }
            other => assert!(self.pages.contains_key(&connection), "{other:?} after the end"),
        }
    }

    /// Whether an entry is what was written down before it was told.
    fn is_true(&self, desk: DeskId, entry: &Entry) {
        let kept = self
            .kept
            .get(&entry.appointment)
            .expect("told before it is written");
        assert_eq!(kept.desk, desk, "another desk's");
        assert_eq!(kept.facts, entry.facts);
        let claims = VisitClaims {
            appointment: kept.appointment,
            number: kept.number,
            expires: kept.expires,
        };
        assert_eq!(entry.token, Plain.sign_visit(&claims));
        assert!(
            kept.number > 0 && kept.expires * 1000 + 1000 > closes(kept),
            "a link that ends too soon"
        );
        let is_cancelled = matches!(entry.status, DeskStatus::Cancelled {});
        assert_eq!(is_cancelled, kept.progress.is_cancelled);
        match entry.status {
            // Who waited while it was moved or a clock was put right has waited since before it opened.
            DeskStatus::Waiting { since, .. } => assert!(since > 0 && !kept.progress.is_called),
            DeskStatus::CalledIn {} => assert!(kept.progress.is_called && kept.place.is_some()),
            DeskStatus::InCall {} => assert!(kept.place.is_some()),
            DeskStatus::Done {} => {
                assert!(kept.progress.is_done || self.unix_ms() + 1_000 >= closes(kept));
            }
            DeskStatus::Planned {} | DeskStatus::Cancelled {} => {}
            DeskStatus::Unknown => panic!("a status of nobody"),
        }
    }

    fn is_state_true(&self, kept: &KeptAppointment, state: &VisitState, now: u64) -> bool {
        let progress = kept.progress;
        let is_settled = progress.is_cancelled || progress.is_done;
        match state {
            VisitState::Cancelled {} => progress.is_cancelled,
            VisitState::Over {} => progress.is_done,
            VisitState::CalledIn { link } => {
                !is_settled && kept.place.as_ref().is_some_and(|place| place.link == *link)
            }
            VisitState::Late {} => !is_settled && now >= closes(kept),
            VisitState::Early { opens: told } => !is_settled && *told == opens(kept) && now < *told,
            VisitState::Open {} => !is_settled && now >= opens(kept) && now < closes(kept),
            VisitState::Waiting { .. } => !is_settled && now < closes(kept),
            VisitState::Unknown => false,
        }
    }

    /// What must hold between any two facts.
    fn check(&self) {
        assert_eq!(self.hub.counts().connections, self.pages.len());
        let mut visits = BTreeSet::new();
        for (id, state) in self.pages.values().filter_map(|page| page.visit.as_ref()) {
            let Some(kept) = self.kept.get(id) else { continue };
            assert!(visits.insert(*id), "two pages of one client");
            for page in self.pages.values() {
                let Some(entry) = page.entries.get(id).filter(|entry| entry.facts == kept.facts) else {
                    continue;
                };
                let at_desk = match entry.status {
                    DeskStatus::Waiting { since, away } => Some((since, away)),
                    _ => None,
                };
                let at_client = match state {
                    VisitState::Waiting { since } => Some((*since, false)),
                    _ => None,
                };
                // Who sits in the room already is not shown as waiting besides.
                if !matches!(entry.status, DeskStatus::InCall {}) {
                    assert_eq!(at_desk, at_client, "{id}: {entry:?} {state:?}");
                }
            }
        }
        // Two pages of one desk see the same.
        let mut seen: BTreeMap<(DeskId, AppointmentId), &Entry> = BTreeMap::new();
        for page in self.pages.values() {
            let Some(desk) = page.desk else { continue };
            for (id, entry) in &page.entries {
                let first = seen.entry((desk, *id)).or_insert(entry);
                assert_eq!(*first, entry, "two pages of one desk");
            }
        }
    }

    /// Everybody goes, and long after nothing is waited for.
    fn end(mut self) {
        for key in std::mem::take(&mut self.pages).into_keys() {
            self.hub.disconnect(self.now, key);
            while let Some(output) = self.hub.poll_output() {
                if let Output::Store(Change::Booking(Booking::Appointment(kept))) = output {
                    self.kept.insert(kept.appointment, *kept);
                }
            }
        }
        for _ in 0..4 {
            self.now += Duration::from_secs(200 * 86_400);
            self.hub.tick(self.now);
            self.read();
        }
        assert!(self.kept.is_empty(), "never forgotten: {:?}", self.kept);
        assert_eq!(self.hub.poll_timeout(), None, "something is waited for");
    }
}

fn desk(n: usize) -> DeskId {
    DeskId::from_bytes([n as u8; 16])
}

fn open(n: usize) -> DeskRequest {
    let token = format!("desk {} Ada{n}", desk(n));
    DeskRequest::OpenDesk { token }
}

fn span_ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap()
}

fn opens(kept: &KeptAppointment) -> u64 {
    kept.facts.starts - span_ms(limits::VISIT_OPENS_BEFORE)
}

fn closes(kept: &KeptAppointment) -> u64 {
    kept.facts.ends() + span_ms(limits::VISIT_CLOSES_AFTER)
}

fn target(input: &[u8]) {
    let mut world = World {
        input: input.iter(),
        hub: hub(Kept::default(), UNIX),
        now: Duration::ZERO,
        leap: 0,
        next: 0,
        pages: BTreeMap::new(),
        desks: BTreeMap::new(),
        kept: BTreeMap::new(),
        tokens: Vec::new(),
        asked: None,
        alerts: 0,
    };
    while let Some(action) = world.input.next().copied() {
        world.step(action);
        // Links outlive what is known of them.
        let told = world.pages.values().flat_map(|page| page.entries.values());
        let told: Vec<String> = told.map(|entry| entry.token.clone()).collect();
        for token in told {
            if !world.tokens.contains(&token) && world.tokens.len() < 64 {
                world.tokens.push(token);
            }
        }
    }
    world.end();
}

#[test]
fn desks_and_clients_are_told_the_truth_whatever_happens() {
    Fuzz {
        name: "appointments",
        longest: 1024,
        dictionary: &[
            // A page; a desk; an appointment in five minutes; a client who is ready; called in; two who sit.
            b"\x00",
            b"\x05\x00\x00\x00\x00",
            b"\x05\x00\x03\x01\x02",
            b"\x05\x01\x0a\x00\x00",
            b"\x05\x01\x0d\x00\x00",
            b"\x05\x00\x07\x01\x03",
            b"\x05\x00\x10\x03\x00",
            b"\x05\x01\x10\x03\x05",
            b"\x05\x00\x11\x00\x00",
            b"\x05\x01\x11\x00\x00",
            b"\x05\x00\x06\x01\x00",
            b"\x01\x01",
            b"\x02\x03",
            b"\x02\x05",
            b"\x03\x00",
            b"\x04\x00",
        ],
        target,
    }
    .run();
}
