//! Guards: what they hear while they live, and that they hear nothing after.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::Rc;

use visavis::web::Listener;
use visavis::web::microtask::Microtask;
use visavis::web::socket::{Socket, SocketEvent};
use visavis::web::timer::{Interval, Timeout};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, EventTarget};

use crate::wait::{pause, until};

/// Longer than the timers of these tests, to see that one did not fire.
const LONG: Duration = Duration::from_millis(80);

fn counter() -> (Rc<Cell<u32>>, impl Fn() + 'static) {
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    (count, move || counted.set(counted.get() + 1))
}

#[wasm_bindgen_test]
fn a_dropped_listener_hears_nothing() {
    let target = EventTarget::new().unwrap();
    let (plain, count_plain) = counter();
    let (capturing, count_capturing) = counter();
    let listeners = (
        Listener::new(&target, "ping", move |_| count_plain()),
        Listener::capturing(&target, "ping", move |_| count_capturing()),
    );
    target.dispatch_event(&Event::new("ping").unwrap()).unwrap();
    assert_eq!((plain.get(), capturing.get()), (1, 1));
    drop(listeners);
    target.dispatch_event(&Event::new("ping").unwrap()).unwrap();
    assert_eq!((plain.get(), capturing.get()), (1, 1));
}

#[wasm_bindgen_test]
async fn a_timeout_fires_once_unless_it_is_dropped() {
    let (kept, count_kept) = counter();
    let (dropped, count_dropped) = counter();
    let timer = Timeout::new(Duration::from_millis(5), count_kept);
    drop(Timeout::new(Duration::from_millis(5), count_dropped));
    until("the timer fires", || kept.get() > 0).await;
    pause(LONG).await;
    assert_eq!((kept.get(), dropped.get()), (1, 0));
    drop(timer);
}

#[wasm_bindgen_test]
async fn a_deadline_beyond_what_the_browser_counts_does_not_fire_at_once() {
    let (count, count_up) = counter();
    let timer = Timeout::new(Duration::from_secs(60 * 60 * 24 * 365), count_up);
    pause(LONG).await;
    assert_eq!(count.get(), 0);
    drop(timer);
}

#[wasm_bindgen_test]
async fn an_interval_fires_until_it_is_dropped() {
    let (count, count_up) = counter();
    let timer = Interval::new(Duration::from_millis(5), count_up);
    until("the timer fires twice", || count.get() > 1).await;
    drop(timer);
    let fired = count.get();
    pause(LONG).await;
    assert_eq!(count.get(), fired);
}

#[wasm_bindgen_test]
async fn a_microtask_runs_once_for_all_who_asked_before_it() {
    let (count, count_up) = counter();
    let task = Microtask::new(count_up);
    task.schedule();
    task.schedule();
    assert_eq!(count.get(), 0);
    until("it ran", || count.get() > 0).await;
    assert_eq!(count.get(), 1);
    task.schedule();
    until("it ran again", || count.get() == 2).await;
}

#[wasm_bindgen_test]
async fn a_socket_that_cannot_open_says_so_once_and_a_dropped_one_nothing() {
    let open = |heard: &Rc<RefCell<Vec<SocketEvent>>>| {
        let heard = Rc::clone(heard);
        // The server of these tests knows no WebSockets.
        Socket::open("/no-socket-here", move |event| heard.borrow_mut().push(event)).unwrap()
    };
    let (kept, dropped) = (Rc::default(), Rc::default());
    let socket = open(&kept);
    drop(open(&dropped));
    until("the socket failed", || !kept.borrow().is_empty()).await;
    pause(LONG).await;
    assert_eq!(*kept.borrow(), [SocketEvent::Closed { code: 1006 }]);
    assert!(dropped.borrow().is_empty());
    drop(socket);
}
