//! Whether this site can be reached, asked by plain HTTP.
//!
//! Firefox holds WebSockets back that failed before, longer each time, up to a minute
//! (`network.websocket.delay-failed-reconnects`). A request is not held back, so a socket is opened
//! only once one was answered. Chromium holds sockets back for no more than five seconds, and has
//! requests wait for connections that were begun while the network was away: there a socket is better.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::task::spawn;
use super::timer::Interval;
use super::{value, window};

/// Pause between two requests. One may hang on a connection that was kept from before the network
/// changed, or wait for a packet to be sent again that was lost; the next one need not.
const AGAIN_AFTER: Duration = Duration::from_millis(700);
/// Requests under way at once: fewer than the connections that browsers make to one host.
const AT_ONCE: usize = 3;

/// A question under way; dropping it gives it up.
pub struct Reach {
    _asked: Rc<Asked>,
    _again: Interval,
}

type Done = Box<dyn FnOnce(bool)>;

struct Asked {
    path: String,
    /// What gives the requests under way up, the oldest first.
    requests: RefCell<VecDeque<JsValue>>,
    done: Cell<Option<Done>>,
}

impl Reach {
    /// Whether asking is better than trying a socket again.
    #[must_use]
    pub fn helps() -> bool {
        super::peer::is_firefox()
    }

    /// Asks for a path of this site until one request is answered or fails; `done` hears which, or is
    /// never called if this is dropped before. `None` in a browser that cannot give a request up.
    pub fn ask(path: &str, done: impl FnOnce(bool) + 'static) -> Option<Self> {
        let asked = Rc::new(Asked {
            path: path.to_owned(),
            requests: RefCell::default(),
            done: Cell::new(Some(Box::new(done))),
        });
        asked.request()?;
        let this = Rc::downgrade(&asked);
        let again = Interval::new(AGAIN_AFTER, move || {
            _ = this.upgrade().and_then(|asked| asked.request());
        });
        Some(Self {
            _asked: asked,
            _again: again,
        })
    }
}

impl Asked {
    fn request(self: &Rc<Self>) -> Option<()> {
        let constructor: Function = value::get(&js_sys::global(), "AbortController").dyn_into().ok()?;
        let abort = Reflect::construct(&constructor, &Array::new()).ok()?;
        let signal = value::get(&abort, "signal");
        let options = value::dictionary(&[("cache", "no-store".into()), ("signal", signal.clone())]);
        let request = value::call(&window(), "fetch", &[&self.path.as_str().into(), &options]).ok()?;
        let mut requests = self.requests.borrow_mut();
        requests.push_back(abort);
        let too_old = (requests.len() > AT_ONCE).then(|| requests.pop_front()).flatten();
        drop(requests);
        if let Some(too_old) = too_old {
            give_up(&too_old);
        }
        spawn(answered(Rc::downgrade(self), request, signal));
        Some(())
    }
}

async fn answered(asked: Weak<Asked>, request: JsValue, signal: JsValue) {
    let answer = JsFuture::from(Promise::resolve(&request)).await;
    let is_given_up = value::get(&signal, "aborted").is_truthy();
    if let Some(asked) = asked.upgrade().filter(|_| !is_given_up)
        && let Some(done) = asked.done.take()
    {
        done(answer.is_ok_and(|answer| value::get(&answer, "ok").is_truthy()));
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        for request in self.requests.take() {
            give_up(&request);
        }
    }
}

/// What was answered already does not mind.
fn give_up(request: &JsValue) {
    _ = value::call(request, "abort", &[]);
}
