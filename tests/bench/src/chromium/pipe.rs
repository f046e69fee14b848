//! The DevTools protocol over a pipe: JSON messages with a zero byte behind each.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::program;

/// The longest that one command may take: a page that loads over a slow network included.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);
/// Events kept for a page that nobody asks; the oldest go first.
const EVENTS_KEPT: usize = 50_000;

/// A handle to the pipe; clones share it.
#[derive(Clone)]
pub struct Pipe {
    shared: Arc<Shared>,
}

struct Shared {
    writer: Mutex<ChildStdin>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    waiting: BTreeMap<u64, Sender<Value>>,
    /// By session: events of pages that are listened to.
    events: BTreeMap<String, Vec<Event>>,
    is_closed: bool,
}

/// Something that the browser told of itself.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its name, as `Network.loadingFinished`.
    pub method: String,
    /// Its facts.
    pub params: Value,
}

impl Pipe {
    pub(super) fn new(writer: ChildStdin, reader: ChildStdout) -> Self {
        let pipe = Self {
            shared: Arc::new(Shared {
                writer: Mutex::new(writer),
                state: Mutex::default(),
            }),
        };
        let shared = Arc::clone(&pipe.shared);
        std::thread::spawn(move || {
            for message in BufReader::with_capacity(1 << 20, reader)
                .split(0)
                .map_while(Result::ok)
            {
                if let Ok(message) = serde_json::from_slice(&message) {
                    lock(&shared.state).take_in(message);
                }
            }
            let mut state = lock(&shared.state);
            state.is_closed = true;
            state.waiting.clear();
        });
        pipe
    }

    /// Gives a command and waits for its answer.
    pub(super) fn call(&self, session: Option<&str>, method: &str, params: &Value) -> Result<Value> {
        let (send, answer) = mpsc::channel();
        let id = {
            let mut state = lock(&self.shared.state);
            if state.is_closed {
                bail!("the browser is gone");
            }
            state.next += 1;
            let id = state.next;
            state.waiting.insert(id, send);
            id
        };
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        lock(&self.shared.writer)
            .write_all(&bytes)
            .context("writing to the browser")?;
        let until = Instant::now() + ANSWER_WITHIN;
        loop {
            program::check_interrupt()?;
            match answer.recv_timeout(Duration::from_millis(100)) {
                Ok(answer) => {
                    if let Some(error) = answer.get("error") {
                        bail!(
                            "{method}: {}",
                            error["message"].as_str().unwrap_or("no reason given")
                        );
                    }
                    return Ok(answer["result"].clone());
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => bail!("{method}: the browser is gone"),
                Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() < until => {}
                Err(mpsc::RecvTimeoutError::Timeout) => bail!("{method}: no answer"),
            }
        }
    }

    /// Begins to keep a session's events.
    pub(super) fn listen(&self, session: &str) {
        lock(&self.shared.state)
            .events
            .insert(session.to_owned(), Vec::new());
    }

    /// Forgets a session.
    pub(super) fn forget(&self, session: &str) {
        lock(&self.shared.state).events.remove(session);
    }

    /// Takes the events that came since the last time.
    pub(super) fn take_events(&self, session: &str) -> Vec<Event> {
        let mut state = lock(&self.shared.state);
        state
            .events
            .get_mut(session)
            .map(std::mem::take)
            .unwrap_or_default()
    }
}

impl State {
    fn take_in(&mut self, mut message: Value) {
        if let Some(id) = message["id"].as_u64() {
            if let Some(waiting) = self.waiting.remove(&id) {
                // Whoever asked may have given up.
                waiting.send(message).ok();
            }
            return;
        }
        let Some(events) = message["sessionId"]
            .as_str()
            .and_then(|session| self.events.get_mut(session))
        else {
            return;
        };
        if events.len() >= EVENTS_KEPT {
            events.remove(0);
        }
        events.push(Event {
            method: message["method"].as_str().unwrap_or_default().to_owned(),
            params: message["params"].take(),
        });
    }
}

/// A thread that panicked with the lock has ended the run anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
