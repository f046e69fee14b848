//! The record of what two people had to do with each other: calls, and what they wrote in them. It is kept in
//! this browser and nowhere else.

use core::cell::RefCell;
use core::time::Duration;

use leptos::prelude::*;
use visavis_call_core::{CallEnd, CallState, DirectCall};
use visavis_protocol::Handle;
use visavis_protocol::people::{EndReason as EndOfCall, Missed};
use wasm_bindgen::JsValue;

use super::Runtime;
use super::engine::Engine;
use super::memory;
use super::store::set_if_changed;
use crate::web::console;
use crate::web::database::Database;
use crate::web::task::spawn;

const STORE: &str = "calls";
/// What the other tabs of this browser hear when something was written.
pub(super) const NEWS: &str = "record";
/// Calls kept: years of them. The oldest go first.
const CALLS: usize = 1_000;
/// And what was written in them, beside: nobody's words push calls out.
const TEXTS: usize = 1_000;

/// One line of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names it: the same call has one name in all tabs.
    pub key: String,
    /// With whom.
    pub with: Handle,
    /// When it began: milliseconds since 1970.
    pub at: u64,
    /// What it was.
    pub what: What,
}

/// What a line tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A call.
    Call {
        /// Whether this person called.
        outgoing: bool,
        /// Whether with pictures.
        video: bool,
        /// What became of it.
        outcome: Outcome,
    },
    /// Something that was written in one.
    Text {
        /// Whether by this person.
        own: bool,
        /// What.
        text: String,
    },
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They talked, for so many seconds.
    Talked(u64),
    /// They talked, and nobody knows how long: the page was closed in the midst of it.
    Begun,
    /// It came while nobody took it.
    Missed,
    /// Whoever was called said no.
    Declined,
    /// The caller thought better of it.
    Cancelled,
    /// Nobody took it.
    NoAnswer,
    /// They were in another call.
    Busy,
    /// They could not be reached.
    Unreachable,
    /// It was taken on another device.
    Elsewhere,
    /// It was taken, or should have been, and nothing came of it.
    Failed,
}

/// How outcomes are written down.
const OUTCOMES: [(&str, Outcome); 9] = [
    ("begun", Outcome::Begun),
    ("missed", Outcome::Missed),
    ("declined", Outcome::Declined),
    ("cancelled", Outcome::Cancelled),
    ("no-answer", Outcome::NoAnswer),
    ("busy", Outcome::Busy),
    ("unreachable", Outcome::Unreachable),
    ("elsewhere", Outcome::Elsewhere),
    ("failed", Outcome::Failed),
];

impl Entry {
    /// What to note of a call that is over; nothing where the server will tell of it as a missed one, or
    /// another call goes on in its place.
    #[must_use]
    pub fn of_call(call: &DirectCall, is_own_end: bool, age: Duration, now_ms: u64) -> Option<Self> {
        let CallState::Over { reason, talked } = call.state else {
            return None;
        };
        let outcome = match (reason, talked) {
            // Given up on the way to each other.
            (CallEnd::Said(EndOfCall::HungUp), None) if is_own_end => Outcome::Cancelled,
            (CallEnd::Said(reason), talked) => of_reason(reason, call.outgoing, talked)?,
            (CallEnd::Refused(_), _) => return None,
            (_, Some(talked)) => Outcome::Talked(talked.as_secs()),
            (CallEnd::NoServer | CallEnd::NoConnection(_) | CallEnd::NoMicrophone, None) => Outcome::Failed,
        };
        Some(Self {
            key: call.call.to_text(),
            with: call.with.clone(),
            at: now_ms.saturating_sub(millis(age)),
            what: What::Call {
                outgoing: call.outgoing,
                video: call.video,
                outcome,
            },
        })
    }

    /// What to note of a call that has just been taken: what is known of it should the page go.
    #[must_use]
    pub fn of_begun(call: &DirectCall, now_ms: u64) -> Self {
        Self {
            key: call.call.to_text(),
            with: call.with.clone(),
            at: now_ms,
            what: What::Call {
                outgoing: call.outgoing,
                video: call.video,
                outcome: Outcome::Begun,
            },
        }
    }

    /// What to note of a call that nobody took, as the server tells it.
    #[must_use]
    pub fn of_missed(missed: &Missed) -> Self {
        Self {
            key: ["missed-", &missed.number.to_string(), "-", &missed.at.to_string()].concat(),
            with: missed.from.clone(),
            at: missed.at,
            what: What::Call {
                outgoing: false,
                video: missed.video,
                outcome: Outcome::Missed,
            },
        }
    }

    /// Whether it is a call that was missed.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        matches!(
            self.what,
            What::Call {
                outcome: Outcome::Missed,
                ..
            }
        )
    }

    /// As it is kept: a field a line, what was written last.
    fn to_text(&self) -> String {
        let at = self.at.to_string();
        let (kind, side, how, text) = match &self.what {
            What::Call {
                outgoing,
                video,
                outcome,
            } => {
                let kind = if *video { "video" } else { "audio" };
                let side = if *outgoing { "out" } else { "in" };
                (kind, side, outcome.to_text(), "")
            }
            What::Text { own, text } => {
                let side = if *own { "out" } else { "in" };
                ("text", side, String::new(), text.as_str())
            }
        };
        [&self.key, self.with.as_str(), &at, kind, side, &how, text].join("\n")
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut fields = text.splitn(7, '\n');
        let mut field = || fields.next();
        let (key, with, at) = (
            field()?.to_owned(),
            field()?.parse().ok()?,
            field()?.parse().ok()?,
        );
        let (kind, side, how, text) = (field()?, field()?, field()?, field()?);
        let is_own = side == "out";
        let what = match kind {
            "text" => What::Text {
                own: is_own,
                text: text.to_owned(),
            },
            _ => What::Call {
                outgoing: is_own,
                video: kind == "video",
                outcome: Outcome::from_text(how)?,
            },
        };
        Some(Self { key, with, at, what })
    }
}

impl Outcome {
    fn to_text(self) -> String {
        if let Self::Talked(seconds) = self {
            return seconds.to_string();
        }
        let known = OUTCOMES.iter().find(|(_, outcome)| *outcome == self);
        known.map(|(text, _)| (*text).to_owned()).unwrap_or_default()
    }

    fn from_text(text: &str) -> Option<Self> {
        if let Ok(seconds) = text.parse() {
            return Some(Self::Talked(seconds));
        }
        let known = OUTCOMES.iter().find(|(known, _)| *known == text);
        known.map(|(_, outcome)| *outcome)
    }
}

fn of_reason(reason: EndOfCall, outgoing: bool, talked: Option<Duration>) -> Option<Outcome> {
    if let Some(talked) = talked {
        return Some(Outcome::Talked(talked.as_secs()));
    }
    Some(match reason {
        EndOfCall::Unreachable => Outcome::Unreachable,
        EndOfCall::Busy => Outcome::Busy,
        EndOfCall::Declined | EndOfCall::DeclinedElsewhere => Outcome::Declined,
        // The server tells of it once more, as of one that was missed.
        EndOfCall::Cancelled | EndOfCall::TimedOut if !outgoing => return None,
        EndOfCall::Cancelled => Outcome::Cancelled,
        EndOfCall::TimedOut => Outcome::NoAnswer,
        EndOfCall::AnsweredElsewhere if !outgoing => Outcome::Elsewhere,
        // Nobody was called: the other call goes on.
        EndOfCall::InAnotherCall => return None,
        EndOfCall::AnsweredElsewhere | EndOfCall::Merged => return None,
        EndOfCall::UnknownCall if !outgoing => return None,
        EndOfCall::Collision
        | EndOfCall::HungUp
        | EndOfCall::Lost
        | EndOfCall::UnknownCall
        | EndOfCall::Unknown => Outcome::Failed,
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What is known of the record here.
#[derive(Default)]
pub(super) struct Record {
    /// Whose it is that is shown.
    whose: RefCell<Option<Handle>>,
}

impl Engine {
    /// Shows the record of a person, or of nobody.
    pub(super) fn show_record(&self, whose: Option<&Handle>) {
        if self.others.record.whose.borrow().as_ref() == whose {
            return;
        }
        self.others.record.whose.replace(whose.cloned());
        self.read_record();
    }

    /// Reads it anew: it was changed here or in another tab.
    pub(super) fn read_record(&self) {
        set_if_changed(self.store.looked_at, memory::looked_at());
        let whose = self.others.record.whose.borrow().clone();
        let Some(whose) = whose else {
            return set_if_changed(self.store.record, Vec::new());
        };
        let this = self.weak();
        spawn(async move {
            let entries = match read(&whose).await {
                Ok(entries) => entries,
                Err(error) => return console::warn("no record", error.name.as_str()),
            };
            if let Some(engine) = this.upgrade()
                && engine.others.record.whose.borrow().as_ref() == Some(&whose)
            {
                set_if_changed(engine.store.record, entries);
            }
        });
    }

    /// Writes lines into the record, and then does something: only what is kept was told for good.
    pub(super) fn note(&self, entries: Vec<Entry>, then: impl FnOnce(&Self) + 'static) {
        let whose = self.others.record.whose.borrow().clone();
        let Some(whose) = whose.filter(|_| !entries.is_empty()) else {
            return;
        };
        let this = self.weak();
        spawn(async move {
            let written = write(&whose, &entries).await;
            let Some(engine) = this.upgrade() else { return };
            if let Err(error) = written {
                console::warn("not recorded", error.name.as_str());
                // A browser that keeps nothing shows it as long as this page is there.
                if engine.others.record.whose.borrow().as_ref() == Some(&whose) {
                    engine.store.record.update(|known| merge(known, entries));
                }
            } else {
                engine.read_record();
                engine.tell_other_tabs(NEWS);
                then(&engine);
            }
        });
    }
}

/// Puts lines among others, in place of what was known of the same.
fn merge(known: &mut Vec<Entry>, new: Vec<Entry>) {
    known.retain(|entry| new.iter().all(|new| new.key != entry.key));
    known.extend(new);
    sort(known);
    surplus(known);
}

fn sort(entries: &mut [Entry]) {
    entries.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
}

/// The key in the store: what people of one browser did is kept apart.
fn key(whose: &Handle, entry: &str) -> String {
    [whose.as_str(), "/", entry].concat()
}

async fn read(whose: &Handle) -> Result<Vec<Entry>, crate::web::Error> {
    let database = Database::open().await?;
    let mine = key(whose, "");
    let mut entries: Vec<Entry> = database
        .all(STORE)
        .await?
        .iter()
        .filter_map(|kept| kept.as_string())
        .filter_map(|kept| Entry::from_text(kept.strip_prefix(&mine)?))
        .collect();
    sort(&mut entries);
    for old in surplus(&mut entries) {
        database.delete(STORE, &key(whose, &old.key)).await?;
    }
    Ok(entries)
}

/// Takes out what is too much, the oldest of its kind.
fn surplus(entries: &mut Vec<Entry>) -> Vec<Entry> {
    let mut gone = Vec::new();
    for (is_text, most) in [(false, CALLS), (true, TEXTS)] {
        let is_of = |entry: &Entry| matches!(entry.what, What::Text { .. }) == is_text;
        let mut left = entries
            .iter()
            .filter(|entry| is_of(entry))
            .count()
            .saturating_sub(most);
        entries.retain(|entry| {
            let goes = left > 0 && is_of(entry);
            if goes {
                left -= 1;
                gone.push(entry.clone());
            }
            !goes
        });
    }
    gone
}

async fn write(whose: &Handle, entries: &[Entry]) -> Result<(), crate::web::Error> {
    let database = Database::open().await?;
    for entry in entries {
        let key = key(whose, &entry.key);
        // Whose it is stands before the rest as well: values are read without their keys.
        let text = key_of_value(whose, entry);
        database.put(STORE, &key, &JsValue::from_str(&text)).await?;
    }
    Ok(())
}

fn key_of_value(whose: &Handle, entry: &Entry) -> String {
    [&key(whose, ""), entry.to_text().as_str()].concat()
}

impl Runtime {
    /// Everything that is kept of calls, the oldest first.
    #[must_use]
    pub fn past_calls(self) -> ReadSignal<Vec<Entry>> {
        self.store.record.read_only()
    }

    /// How many calls were missed since somebody last looked. Follows signals.
    #[must_use]
    pub fn missed(self) -> usize {
        let looked_at = self.store.looked_at.get();
        let is_new = |entry: &&Entry| entry.is_missed() && entry.at > looked_at;
        self.store
            .record
            .with(|entries| entries.iter().filter(is_new).count())
    }

    /// Somebody looks at the calls. What counts is the last one that there is, by the clock that told of it.
    pub fn look_at_calls(self) {
        let missed = |entries: &Vec<Entry>| {
            entries
                .iter()
                .filter(|entry| entry.is_missed())
                .map(|entry| entry.at)
                .max()
        };
        let last = self.store.record.with(missed).unwrap_or_default();
        if last > self.store.looked_at.get_untracked() {
            memory::put_looked_at(last);
            self.store.looked_at.set(last);
            self.engine.with_value(|engine| engine.tell_other_tabs(NEWS));
        }
    }

    /// Forgets what is kept of somebody.
    pub fn forget_conversation(self, with: &Handle) {
        let keys: Vec<String> = self.store.record.with_untracked(|entries| {
            let theirs = entries.iter().filter(|entry| entry.with == *with);
            theirs.map(|entry| entry.key.clone()).collect()
        });
        self.engine.with_value(|engine| engine.forget(keys));
    }
}

impl Engine {
    fn forget(&self, keys: Vec<String>) {
        let whose = self.others.record.whose.borrow().clone();
        let (Some(whose), this) = (whose, self.weak()) else {
            return;
        };
        spawn(async move {
            let forgotten = async {
                let database = Database::open().await?;
                for entry in keys {
                    database.delete(STORE, &key(&whose, &entry)).await?;
                }
                Ok::<(), crate::web::Error>(())
            };
            if let Err(error) = forgotten.await {
                console::warn("not forgotten", error.name.as_str());
            }
            if let Some(engine) = this.upgrade() {
                engine.read_record();
                engine.tell_other_tabs(NEWS);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use visavis_call_core::Timestamp;
    use visavis_protocol::CallId;

    use super::*;

    fn entry(what: What) -> Entry {
        Entry {
            key: String::from("k"),
            with: "bob".parse().unwrap(),
            at: 1_700_000_000_000,
            what,
        }
    }

    #[test]
    fn what_is_kept_can_be_read() {
        let mut outcomes: Vec<Outcome> = OUTCOMES.iter().map(|(_, outcome)| *outcome).collect();
        outcomes.push(Outcome::Talked(75));
        for outcome in outcomes {
            for (outgoing, video) in [(true, false), (false, true)] {
                let call = entry(What::Call {
                    outgoing,
                    video,
                    outcome,
                });
                assert_eq!(Entry::from_text(&call.to_text()), Some(call));
            }
        }
        let text = entry(What::Text {
            own: true,
            text: String::from("two\nlines\n"),
        });
        assert_eq!(Entry::from_text(&text.to_text()), Some(text));
        for damaged in [
            "",
            "k\nbob\nx",
            "k\nB!\n1\naudio\nin\nmissed\n",
            "k\nbob\n1\naudio\nin\n?\n",
        ] {
            assert_eq!(Entry::from_text(damaged), None, "{damaged:?}");
        }
    }

    #[test]
    fn words_do_not_push_calls_out() {
        let mut entries: Vec<Entry> = (0..TEXTS + 5)
            .map(|n| Entry {
                key: n.to_string(),
                ..entry(What::Text {
                    own: false,
                    text: String::from("spam"),
                })
            })
            .collect();
        let call = entry(What::Call {
            outgoing: true,
            video: false,
            outcome: Outcome::Talked(9),
        });
        entries.insert(0, call.clone());
        let gone: Vec<String> = surplus(&mut entries).into_iter().map(|entry| entry.key).collect();
        assert_eq!(gone, ["0", "1", "2", "3", "4"]);
        assert_eq!((entries.len(), &entries[0]), (TEXTS + 1, &call));
    }

    fn over(outgoing: bool, reason: CallEnd, talked: Option<u64>) -> Option<Outcome> {
        let call = DirectCall {
            call: CallId::from_bytes([1; 16]),
            with: "bob".parse().unwrap(),
            name: None,
            outgoing,
            video: false,
            since: Timestamp::default(),
            state: CallState::Over {
                reason,
                talked: talked.map(Duration::from_secs),
            },
        };
        let entry = Entry::of_call(&call, false, Duration::from_secs(9), 10_000)?;
        assert_eq!(entry.at, 1_000);
        match entry.what {
            What::Call { outcome, .. } => Some(outcome),
            What::Text { .. } => None,
        }
    }

    #[test]
    fn every_end_of_a_call_is_noted_as_what_it_was() {
        use CallEnd::Said;
        for (outgoing, reason, talked, wanted) in [
            (true, Said(EndOfCall::HungUp), Some(75), Some(Outcome::Talked(75))),
            (false, Said(EndOfCall::Lost), Some(5), Some(Outcome::Talked(5))),
            (true, Said(EndOfCall::Declined), None, Some(Outcome::Declined)),
            (true, Said(EndOfCall::TimedOut), None, Some(Outcome::NoAnswer)),
            (true, Said(EndOfCall::Cancelled), None, Some(Outcome::Cancelled)),
            (true, Said(EndOfCall::Busy), None, Some(Outcome::Busy)),
            (
                true,
                Said(EndOfCall::Unreachable),
                None,
                Some(Outcome::Unreachable),
            ),
            (true, Said(EndOfCall::Merged), None, None),
            // What was missed the server tells, also to who was not there.
            (false, Said(EndOfCall::TimedOut), None, None),
            (false, Said(EndOfCall::Cancelled), None, None),
            (false, Said(EndOfCall::Declined), None, Some(Outcome::Declined)),
            (
                false,
                Said(EndOfCall::AnsweredElsewhere),
                None,
                Some(Outcome::Elsewhere),
            ),
            (true, CallEnd::NoMicrophone, None, Some(Outcome::Failed)),
            (false, Said(EndOfCall::HungUp), None, Some(Outcome::Failed)),
            (true, CallEnd::NoServer, None, Some(Outcome::Failed)),
            (
                true,
                CallEnd::Refused(visavis_protocol::ErrorCode::RateLimited),
                None,
                None,
            ),
        ] {
            assert_eq!(over(outgoing, reason, talked), wanted, "{outgoing} {reason:?}");
        }
    }
}
