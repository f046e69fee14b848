//! A desk and a visit, step by step: what they are told, what they say, what there is to see.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::appointment::{
    DeskEvent, DeskRequest, DeskStatus, Entry, Facts, Place, VisitEvent, VisitRequest, VisitState,
};
use visavis_protocol::{AppointmentId, DeskId, ErrorCode, HostSecret, RoomId};

use super::{Desk, DeskIntent, Proof, Visit, VisitIntent};
use crate::time::Timestamp;

const NOON: u64 = 1_800_000_000_000;

fn id(n: u8) -> AppointmentId {
    AppointmentId::from_bytes([n; 16])
}

fn facts(client: &str) -> Facts {
    Facts {
        client: client.to_owned(),
        note: String::new(),
        starts: NOON,
        minutes: 30,
        zone: "Europe/Berlin".to_owned(),
    }
}

fn entry(n: u8, status: DeskStatus) -> Entry {
    Entry {
        appointment: id(n),
        facts: facts("Ada"),
        status,
        token: "a.b.c".to_owned(),
    }
}

fn waiting(since: u64) -> DeskStatus {
    DeskStatus::Waiting { since, away: false }
}

fn place() -> Place {
    Place {
        room: RoomId::derive("appointment", None),
        link: "/room/appointment#x".to_owned(),
        host: HostSecret::from_bytes([1; 16]),
    }
}

#[derive(Default)]
struct DeskPage {
    desk: Desk,
    now: Timestamp,
    said: Vec<DeskRequest>,
}

impl DeskPage {
    fn open() -> Self {
        let mut page = Self::default();
        page.wants(DeskIntent::Open {
            token: "t".to_owned(),
        });
        page.opened(Vec::new());
        page.said.clear();
        page
    }

    fn wants(&mut self, intent: DeskIntent) {
        self.desk.intend(intent, &mut self.said);
    }

    fn hears(&mut self, event: DeskEvent) {
        self.desk.handle(self.now, event, &mut self.said);
    }

    fn opened(&mut self, entries: Vec<Entry>) {
        self.hears(DeskEvent::Opened {
            desk: DeskId::from_bytes([7; 16]),
            name: "Dr. Bell".to_owned(),
            now: NOON,
            entries,
        });
    }

    fn comes(&mut self, n: u8, since: u64, alert: bool) {
        let entry = entry(n, waiting(since));
        self.hears(DeskEvent::Entry { entry, alert });
    }

    fn says(&mut self) -> Vec<&'static str> {
        self.said.drain(..).map(|request| request.kind()).collect()
    }
}

#[test]
fn a_desk_is_shown_again_on_each_socket_and_what_was_not_answered_is_said_again() {
    let mut page = DeskPage::open();
    page.wants(DeskIntent::Put {
        appointment: id(1),
        facts: facts("Ada"),
    });
    assert_eq!(page.says(), ["put_appointment"]);
    assert_eq!(page.desk.view().unsaved, [id(1)]);
    assert_eq!(page.desk.view().entries.len(), 1, "shown before it is answered");

    page.desk.lost();
    page.wants(DeskIntent::Cancel(id(2)));
    assert_eq!(page.says(), [""; 0], "nobody hears it");
    page.desk.opened(&mut page.said);
    assert_eq!(
        page.says(),
        ["open_desk"],
        "and nothing before the desk is proven"
    );
    page.opened(vec![entry(2, DeskStatus::Planned {})]);
    assert_eq!(page.says(), ["put_appointment", "cancel_appointment"]);
    page.hears(DeskEvent::Entry {
        entry: entry(1, DeskStatus::Planned {}),
        alert: false,
    });
    page.hears(DeskEvent::Entry {
        entry: entry(2, DeskStatus::Cancelled {}),
        alert: false,
    });
    assert!(page.desk.view().unsaved.is_empty());
    page.desk.lost();
    page.desk.opened(&mut page.said);
    page.opened(vec![entry(1, DeskStatus::Planned {})]);
    assert_eq!(page.says(), ["open_desk"]);
}

#[test]
fn an_arrival_is_told_once_also_over_a_restart_of_the_server() {
    let mut page = DeskPage::open();
    page.comes(1, NOON, true);
    page.comes(1, NOON, true);
    page.comes(2, NOON, false);
    let told = |page: &DeskPage| page.desk.view().arrivals.len();
    assert_eq!(told(&page), 1, "the second is told on another page");
    page.desk.lost();
    page.desk.opened(&mut page.said);
    page.opened(vec![
        entry(1, DeskStatus::Planned {}),
        entry(2, DeskStatus::Planned {}),
    ]);
    page.comes(1, NOON + 900, true);
    page.comes(2, NOON + 900, true);
    assert_eq!(told(&page), 1, "they have been here all the time");
    page.comes(1, NOON + 600_000, true);
    assert_eq!(told(&page), 2, "came back after they had gone");
}

#[test]
fn only_who_asked_somebody_in_goes_there() {
    let mut page = DeskPage::open();
    page.comes(1, NOON, false);
    let called_in = || DeskEvent::CalledIn {
        appointment: id(1),
        place: place(),
    };
    page.hears(called_in());
    assert_eq!(page.desk.view().called_in, None);
    page.wants(DeskIntent::CallIn {
        appointment: id(1),
        place: place(),
    });
    page.hears(called_in());
    let called = page.desk.view().called_in.expect("a place");
    assert_eq!((called.client.as_str(), called.place), ("Ada", place()));
    page.wants(DeskIntent::Met);
    assert_eq!(page.desk.view().called_in, None);
}

#[test]
fn what_is_refused_is_given_back_as_it_was_typed() {
    let mut page = DeskPage::open();
    page.wants(DeskIntent::Put {
        appointment: id(1),
        facts: facts("Ada"),
    });
    page.desk
        .refused(page.now, ErrorCode::InvalidAppointment, "put_appointment");
    let refused = page.desk.view().refused.expect("a refusal");
    assert_eq!((refused.appointment, refused.facts), (id(1), Some(facts("Ada"))));
    assert!(page.desk.view().entries.is_empty());
    page.desk
        .refused(page.now, ErrorCode::InvalidAppointment, "put_appointment");
    assert_eq!(page.desk.view().refused.expect("the same").number, refused.number);
}

#[test]
fn a_desk_refused_for_good_is_not_asked_for_again_and_one_refused_for_now_is() {
    let mut page = DeskPage::open();
    page.desk.refused(page.now, ErrorCode::TokenExpired, "open_desk");
    assert!(!page.desk.wants_server());
    page.desk.opened(&mut page.said);
    assert_eq!(page.says(), [""; 0]);

    let mut page = DeskPage::open();
    page.desk.refused(page.now, ErrorCode::TooMany, "open_desk");
    assert!(page.desk.wants_server());
    page.now = page.desk.poll_timeout().expect("a deadline");
    page.desk.handle_tick(page.now, &mut page.said);
    assert_eq!(page.says(), ["open_desk"]);
    assert_eq!(page.desk.view().proof, Proof::Asking);
}

#[derive(Default)]
struct VisitPage {
    visit: Visit,
    now: Timestamp,
    said: Vec<VisitRequest>,
}

impl VisitPage {
    fn open(state: VisitState) -> Self {
        let mut page = Self::default();
        page.wants(VisitIntent::Open {
            token: "t".to_owned(),
        });
        page.hears(state);
        page.said.clear();
        page
    }

    fn wants(&mut self, intent: VisitIntent) {
        self.visit.intend(self.now, intent, &mut self.said);
    }

    fn ready(&mut self) {
        self.wants(VisitIntent::Ready {
            waited: Duration::ZERO,
        });
    }

    fn hears(&mut self, state: VisitState) {
        self.hears_of(NOON, state);
    }

    fn hears_of(&mut self, starts: u64, state: VisitState) {
        let event = VisitEvent::Appointment {
            professional: "Dr. Bell".to_owned(),
            facts: Facts {
                starts,
                ..facts("Ada")
            },
            now: NOON,
            desk_open: true,
            state,
        };
        self.visit.handle(self.now, event, &mut self.said);
    }

    fn passes(&mut self, ms: u64) {
        self.now = self.now + Duration::from_millis(ms);
    }

    fn said(&mut self) -> Vec<VisitRequest> {
        self.said.drain(..).collect()
    }
}

fn opens() -> VisitRequest {
    VisitRequest::OpenVisit {
        token: "t".to_owned(),
    }
}

#[test]
fn who_waits_says_after_a_restart_for_how_long() {
    let mut page = VisitPage::open(VisitState::Open {});
    page.ready();
    assert_eq!(page.said(), [VisitRequest::Ready { waited_ms: 0 }]);
    page.hears(VisitState::Waiting { since: NOON });
    page.passes(600_000);
    page.visit.lost();
    page.visit.opened(&mut page.said);
    assert_eq!(page.said(), [opens()]);
    page.hears(VisitState::Open {});
    assert_eq!(page.said(), [VisitRequest::Ready { waited_ms: 600_000 }]);
    // A server that does not take it is not asked for ever.
    page.hears(VisitState::Open {});
    assert_eq!(page.said(), []);
    page.hears(VisitState::Waiting { since: NOON });
    page.visit.lost();
    page.visit.opened(&mut page.said);
    page.hears(VisitState::Waiting { since: NOON });
    assert_eq!(page.said(), [opens()], "the server knows");
}

#[test]
fn a_page_that_was_loaded_anew_says_the_whole_wait() {
    let mut page = VisitPage::open(VisitState::Open {});
    page.passes(500);
    page.wants(VisitIntent::Ready {
        waited: Duration::from_secs(600),
    });
    assert_eq!(page.said(), [VisitRequest::Ready { waited_ms: 600_000 }]);
    page.visit.lost();
    page.passes(1000);
    page.visit.opened(&mut page.said);
    page.hears(VisitState::Open {});
    assert_eq!(page.said(), [opens(), VisitRequest::Ready { waited_ms: 601_000 }]);
}

#[test]
fn who_is_ready_goes_where_they_are_expected_and_comes_back_to_stay() {
    let mut page = VisitPage::open(VisitState::Open {});
    let called_in = || VisitState::CalledIn {
        link: "/room/a#b".to_owned(),
    };
    page.hears(called_in());
    assert_eq!(
        page.visit.view().enter,
        None,
        "nobody's camera goes there unasked"
    );
    page.ready();
    assert_eq!(page.visit.view().enter.as_deref(), Some("/room/a#b"));
    page.wants(VisitIntent::Met);
    page.hears(called_in());
    assert_eq!(page.visit.view().enter, None, "they left by themselves");
}

#[test]
fn who_comes_early_is_let_wait_when_it_opens() {
    let mut page = VisitPage::open(VisitState::Early { opens: NOON + 60_000 });
    let due = page.visit.poll_timeout().expect("a deadline");
    assert!(due > page.now + Duration::from_secs(60));
    page.now = due;
    page.visit.handle_tick(page.now, &mut page.said);
    assert_eq!(page.said(), [opens()]);
    page.hears(VisitState::Open {});
    assert_eq!(page.visit.poll_timeout(), None);
}

#[test]
fn a_move_is_told_until_it_is_moved_back() {
    let mut page = VisitPage::open(VisitState::Open {});
    page.hears_of(NOON + 1000, VisitState::Open {});
    page.hears_of(NOON + 2000, VisitState::Open {});
    assert_eq!(page.visit.view().moved_from, Some(NOON));
    page.hears_of(NOON, VisitState::Open {});
    assert_eq!(page.visit.view().moved_from, None);
}

#[test]
fn a_visit_that_went_elsewhere_comes_back_only_when_asked() {
    let mut page = VisitPage::open(VisitState::Open {});
    page.ready();
    page.visit
        .handle(page.now, VisitEvent::Elsewhere {}, &mut page.said);
    page.said.clear();
    page.visit.opened(&mut page.said);
    assert_eq!(page.said(), []);
    page.wants(VisitIntent::Open {
        token: "t".to_owned(),
    });
    assert_eq!(page.said(), [opens()]);
    page.hears(VisitState::Open {});
    assert_eq!(page.said(), [], "and is not ready before they say so");
}

#[test]
fn tokens_stand_in_no_log() {
    let token = "eyJ-secret".to_owned();
    let mut desk = Desk::default();
    desk.intend(DeskIntent::Open { token: token.clone() }, &mut Vec::new());
    let mut visit = Visit::default();
    let open = VisitIntent::Open { token: token.clone() };
    let shown = alloc::format!("{open:?} {:?}", DeskIntent::Open { token: token.clone() });
    visit.intend(Timestamp::default(), open, &mut Vec::new());
    let shown = alloc::format!("{shown} {desk:?} {visit:?}");
    assert!(!shown.contains(&token), "{shown}");
}
