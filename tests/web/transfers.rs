//! The list of what is sent and received, mounted with made-up transfers: what assistive technology and
//! fingers find of it.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use leptos::mount::mount_to;
use leptos::prelude::*;
use visavis::components::dom::{El, el};
use visavis::components::{Act, Beside, TransferDoes, transfer_list};
use visavis::web::value;
use visavis_call_core::{Direction, Transfer, TransferState};
use visavis_protocol::transfer::StopReason;
use visavis_protocol::{SeatId, TransferId};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlElement;

use crate::wait::until;

/// A list in the page, until this goes.
struct Mounted {
    all: RwSignal<Vec<Transfer>>,
    acted: Rc<RefCell<Vec<(TransferId, Act)>>>,
    place: El,
    _handle: Box<dyn core::any::Any>,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.place.remove();
    }
}

fn mount(transfers: Vec<Transfer>, is_picture: bool) -> Mounted {
    let acted: Rc<RefCell<Vec<(TransferId, Act)>>> = Rc::default();
    let heard = Rc::clone(&acted);
    let place = el("div");
    body().append_child(place.element()).unwrap();
    let (shown, made) = (place.clone(), Rc::new(RefCell::new(None)));
    let told = Rc::clone(&made);
    // What has an owner for what lives on, and somebody to run it.
    let handle = mount_to(body(), move || {
        let all = RwSignal::new(transfers);
        let does = TransferDoes {
            act: Rc::new(move |transfer, act| heard.borrow_mut().push((transfer.transfer, act))),
            beside: Rc::new(|transfer| Beside {
                is_saved: false,
                can_preview: transfer.title.ends_with(".jpg"),
            }),
            preview: Rc::new(move |_, _, done| done(is_picture)),
        };
        shown.put(&transfer_list(Memo::new(move |_| all.get()), does));
        told.replace(Some(all));
    });
    let all = made.take().unwrap();
    Mounted {
        all,
        acted,
        place,
        _handle: Box::new(handle),
    }
}

impl Mounted {
    fn find(&self, selector: &str) -> Vec<HtmlElement> {
        let found = value::call(self.place.element(), "querySelectorAll", &[&selector.into()]).unwrap();
        let found = js_sys::Array::from(&found);
        found.iter().map(JsCast::unchecked_into).collect()
    }

    /// Names of lines, from the top.
    fn names(&self) -> Vec<String> {
        let name = |line: &HtmlElement| line.get_attribute("aria-label").unwrap();
        self.find("ul[role=list] > li").iter().map(name).collect()
    }

    fn buttons(&self) -> Vec<String> {
        let text = |button: &HtmlElement| button.text_content().unwrap();
        self.find("li button").iter().map(text).collect()
    }

    fn press(&self, name: &str) {
        let named = |button: &HtmlElement| button.text_content().as_deref() == Some(name);
        self.find("li button").into_iter().find(named).unwrap().click();
    }

    fn text(&self) -> String {
        self.place.element().text_content().unwrap()
    }
}

fn body() -> HtmlElement {
    web_sys::window().unwrap().document().unwrap().body().unwrap()
}

fn active() -> Option<HtmlElement> {
    let document = web_sys::window().unwrap().document().unwrap();
    document.active_element().map(JsCast::unchecked_into)
}

fn transfer(n: u8, direction: Direction, title: &str, state: TransferState) -> Transfer {
    Transfer {
        transfer: TransferId::from_bytes([n; 16]),
        direction,
        seat: SeatId::from_bytes([9; 16]),
        name: "Bea".to_owned(),
        title: title.to_owned(),
        is_folder: false,
        files: 1,
        bytes: 5_000_000,
        passed: 1_850_000,
        rate: 1_600_000,
        left: Some(Duration::from_secs(95)),
        state,
    }
}

#[wasm_bindgen_test]
fn a_line_has_a_name_a_bar_and_its_buttons_in_every_state() {
    use TransferState::{Done, Interrupted, Lacking, Offered, Paused, Running, Stopped, Verifying, Waiting};

    let stopped = Stopped {
        reason: StopReason::TooBig,
        by_us: true,
    };
    for (state, name, buttons) in [
        (Offered, "offered", "Accept Decline"),
        (Waiting, "waiting", "Pause Cancel"),
        (Running, "running", "Pause Cancel"),
        (Paused { by_us: true }, "paused", "Resume Cancel"),
        (Interrupted, "interrupted", "Cancel"),
        (Lacking { ours: true }, "lacking", "Choose the file again Cancel"),
        (Verifying, "verifying", "Cancel"),
        (Done, "done", "Save Preview Remove"),
        (stopped, "stopped", "Remove"),
    ] {
        let mounted = mount(vec![transfer(1, Direction::Receiving, "tea.jpg", state)], true);
        assert_eq!(mounted.names(), ["tea.jpg"]);
        assert_eq!(mounted.buttons().join(" "), buttons);
        let line = &mounted.find("li")[0];
        assert_eq!(line.get_attribute("data-state").as_deref(), Some(name));
        let bar = &mounted.find("[role=progressbar]")[0];
        let of = |key: &str| bar.get_attribute(key).unwrap();
        assert_eq!(of("aria-label"), "Progress of tea.jpg");
        assert_eq!(of("aria-valuenow"), "37");
        let says = of("aria-valuetext");
        if state == Running {
            assert_eq!(says, "37%, 1.6 MB/s, 2 minutes left");
        } else {
            assert_eq!(says, "37%");
        }
        // Whoever hears of a button hears what it is about.
        let about = mounted.find("li button")[0]
            .get_attribute("aria-describedby")
            .unwrap();
        let described = web_sys::window()
            .unwrap()
            .document()
            .unwrap()
            .get_element_by_id(&about);
        assert_eq!(described.unwrap().text_content().as_deref(), Some("tea.jpg"));
    }
}

#[wasm_bindgen_test]
async fn lines_stay_what_they_are_while_their_transfers_go_on() {
    let offered = transfer(1, Direction::Receiving, "one.pdf", TransferState::Offered);
    let running = transfer(2, Direction::Sending, "two.pdf", TransferState::Running);
    let mounted = mount(vec![running.clone(), offered.clone()], true);
    assert_eq!(mounted.names(), ["one.pdf", "two.pdf"], "offers come first");
    let line = mounted.find("li")[0].clone();
    let accept = mounted.find("li button")[0].clone();
    accept.focus().unwrap();
    accept.click();
    assert_eq!(*mounted.acted.borrow(), [(offered.transfer, Act::Accept)]);

    let mut accepted = offered.clone();
    accepted.state = TransferState::Running;
    mounted.all.set(vec![running.clone(), accepted.clone()]);
    until("it runs", || mounted.names() == ["two.pdf", "one.pdf"]).await;
    assert!(mounted.find("li")[1] == line, "the same line elsewhere");
    let focused = active().unwrap();
    assert_eq!(
        focused.text_content().as_deref(),
        Some("Pause"),
        "the focus is on what has come in its place"
    );
    // A step further nothing is made anew.
    accepted.passed += 1_000_000;
    mounted.all.set(vec![running.clone(), accepted.clone()]);
    let bar = mounted.find("[role=progressbar]")[1].clone();
    until("the bar has grown", || {
        bar.get_attribute("aria-valuenow").as_deref() == Some("57")
    })
    .await;
    assert!(active().as_ref() == Some(&focused));
    // Nothing that ends something comes under a finger that is about to press.
    accepted.state = TransferState::Verifying;
    mounted.all.set(vec![running, accepted]);
    until("it is verified", || {
        mounted.buttons() == ["Pause", "Cancel", "Cancel"]
    })
    .await;
    assert!(active() == Some(line), "the focus is on the line");
}

#[wasm_bindgen_test]
async fn who_takes_lines_away_goes_on_with_the_next() {
    let done = |n, title| transfer(n, Direction::Sending, title, TransferState::Done);
    let (one, two) = (done(1, "one.pdf"), done(2, "two.pdf"));
    let mounted = mount(vec![one.clone(), two.clone()], true);
    assert_eq!(mounted.names(), ["two.pdf", "one.pdf"], "the latest first");
    mounted.press("Remove");
    assert_eq!(*mounted.acted.borrow(), [(two.transfer, Act::Remove)]);
    mounted.all.set(vec![one]);
    until("it is gone", || mounted.names() == ["one.pdf"]).await;
    assert!(active() == Some(mounted.find("li")[0].clone()));
}

#[wasm_bindgen_test]
fn nothing_is_drawn_before_somebody_wants_to_see_it() {
    let picture = || vec![transfer(1, Direction::Receiving, "tea.jpg", TransferState::Done)];
    let mounted = mount(picture(), true);
    assert!(mounted.find("canvas").is_empty());
    mounted.press("Preview");
    let canvas = &mounted.find("canvas")[0];
    assert_eq!(canvas.get_attribute("aria-label").as_deref(), Some("tea.jpg"));
    mounted.press("Hide preview");
    assert!(mounted.find("canvas").is_empty());
    assert!(mounted.acted.borrow().is_empty());

    let none = mount(picture(), false);
    none.press("Preview");
    assert!(none.find("canvas").is_empty());
    assert!(none.text().contains("This picture cannot be shown here"));
}

#[wasm_bindgen_test]
fn a_name_is_text_and_its_end_is_whole() {
    let title = "<img src=x onerror=alert(1)> and a name that is much longer than there is room.exe";
    let mounted = mount(
        vec![transfer(1, Direction::Receiving, title, TransferState::Offered)],
        true,
    );
    assert_eq!(mounted.names(), [title]);
    assert!(mounted.find("img").is_empty());
    let end = mounted.find(".file-name-end")[0].text_content().unwrap();
    assert!(end.ends_with("room.exe"), "{end}");
}
