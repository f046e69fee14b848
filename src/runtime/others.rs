//! Other people by their handles: who one is, whom one knows, and whom one calls.

use core::cell::{Cell, RefCell};

use leptos::prelude::*;
use visavis_call_core::{DirectCall, Event, Intent, PeopleIntent, PeopleView, Standing, View};
use visavis_protocol::handle::{Nonce, proof};
use visavis_protocol::people::Missed;
use visavis_protocol::{ErrorCode, Handle};

use super::Runtime;
use super::calling::{Alarm, Meeting};
use super::engine::Engine;
use super::memory;
use super::record::{self, Entry, Record};
use crate::route::Token;
use crate::web::identity::Identity;
use crate::web::task::spawn;
use crate::web::{Error, console, location};

/// What the other tabs of this browser hear when somebody signed in or out.
const HANDLE: &str = "handle";

/// What the engine knows of them beside the core.
#[derive(Default)]
pub(super) struct Others {
    identity: RefCell<Option<Identity>>,
    /// The call as it was looked at last.
    pub(super) call: RefCell<Option<DirectCall>>,
    pub(super) alarm: RefCell<Option<Alarm>>,
    pub(super) meeting: RefCell<Option<Meeting>>,
    /// Whether it was this person who ended the call that they are in.
    pub(super) has_hung_up: Cell<bool>,
    pub(super) record: Record,
    /// The last missed call that was noted.
    missed: Cell<u64>,
    /// How it stood with the handle when it was looked at last.
    was_signed_in: Cell<bool>,
}

impl Engine {
    /// Begins as whoever a token in the address says, or as whoever this browser is known as.
    pub(super) fn remember_handle(&self) {
        let path = location::path();
        if let Some(token) = token_in(&path, &location::fragment()) {
            memory::put_token(Some(&token));
            // It opens a door: it is not to be seen, copied or bookmarked with the address.
            location::replace(&[path, location::query()].concat());
        }
        if let Some(token) = memory::token() {
            let name = memory::name();
            self.intend(Intent::People(PeopleIntent::SignInByToken { token, name }));
        } else if let Some(handle) = memory::handle() {
            self.sign_in(handle, None, false);
        }
    }

    /// `take` it, if nobody has it: the person asks for it now.
    fn sign_in(&self, handle: Handle, code: Option<String>, take: bool) {
        let name = memory::name();
        let name = if name.is_empty() {
            handle.as_str().to_owned()
        } else {
            name
        };
        self.intend(Intent::People(PeopleIntent::SignIn {
            handle,
            name,
            code,
            take,
        }));
    }

    /// Proves the handle to the server.
    pub(super) fn sign(&self, nonce: Nonce, handle: &Handle) {
        let (this, text) = (self.weak(), proof(&nonce, handle));
        let known = self.others.identity.borrow().clone();
        spawn(async move {
            let signed = async {
                let identity = match known {
                    Some(identity) => identity,
                    None => Identity::find_or_make().await?,
                };
                let signature = identity.sign(&text).await?;
                Ok::<_, Error>((identity, signature))
            };
            let signed = signed.await;
            let Some(engine) = this.upgrade() else { return };
            engine.push(match signed {
                Ok((identity, signature)) => {
                    let key = identity.public;
                    engine.others.identity.replace(Some(identity));
                    Event::Signed {
                        nonce,
                        key,
                        signature,
                    }
                }
                Err(error) => {
                    console::warn("no key", error.to_string());
                    Event::SignFailed { nonce }
                }
            });
        });
    }

    /// Keeps what is to be kept, and shows whose record it is.
    pub(super) fn follow_others(&self, view: &View) {
        let others = &view.others;
        let is_signed_in = others.standing == Standing::SignedIn;
        let was_signed_in = self.others.was_signed_in.replace(is_signed_in);
        if !was_signed_in && is_signed_in {
            let kept = memory::handle();
            // Whoever came by a token comes by another one the next time.
            if memory::token().is_none() && kept != others.handle {
                memory::put_handle(others.handle.as_ref());
                self.tell_other_tabs(HANDLE);
            }
        }
        // Signed out without having asked for it: the handle is nobody's now, and not to be taken again by
        // the next page that is opened.
        let is_nobody = matches!(
            others.standing,
            Standing::SignedOut | Standing::Refused(ErrorCode::HandleFree)
        );
        if was_signed_in && is_nobody {
            memory::put_handle(None);
        }
        // Whoever signs out in a call has it in their record.
        self.follow_call(view);
        self.show_record(others.handle.as_ref());
        self.note_missed(&others.missed);
    }

    /// Notes calls that were missed; what is kept here the server need not keep any longer.
    fn note_missed(&self, missed: &[Missed]) {
        let Some(last) = missed.last().map(|missed| missed.number) else {
            return self.others.missed.set(0);
        };
        if self.others.missed.replace(last) != last {
            self.note(missed.iter().map(Entry::of_missed).collect(), move |engine| {
                engine.intend(Intent::People(PeopleIntent::SeeMissed));
            });
        }
    }

    /// Tells the other tabs of this browser that there is something new for them to read.
    pub(super) fn tell_other_tabs(&self, what: &str) {
        if let Some(tabs) = &*self.tabs.borrow() {
            tabs.post(what);
        }
    }

    /// Another tab has told something of the kind; whether it was.
    pub(super) fn hear_other_tab(&self, message: &str) -> bool {
        match message {
            record::NEWS => self.read_record(),
            HANDLE if memory::token().is_some() => {}
            HANDLE => {
                let (here, there) = (
                    self.store.others.with_untracked(|others| others.handle.clone()),
                    memory::handle(),
                );
                if here != there {
                    match there {
                        Some(handle) => self.sign_in(handle, None, false),
                        None => self.intend(Intent::People(PeopleIntent::SignOut)),
                    }
                }
            }
            _ => return false,
        }
        true
    }
}

/// The token in the address of the contacts, if there is one: three parts with dots between them (RFC 7519).
fn token_in(path: &str, fragment: &str) -> Option<String> {
    let token = fragment.strip_prefix('#').unwrap_or(fragment);
    let token = Token::read(token).filter(|_| path.starts_with("/contacts"))?;
    Some(token.as_str().to_owned())
}

impl Runtime {
    /// Who one is here, whom one knows, and the call that one is in.
    #[must_use]
    pub const fn others(self) -> Memo<PeopleView> {
        self.store.others
    }

    /// Wants to be known by a handle, which whoever comes first has. A code of another browser that has it
    /// lets this one have it too.
    pub fn sign_in(self, handle: Handle, code: Option<String>) {
        self.engine
            .with_value(|engine| engine.sign_in(handle, code, true));
    }

    /// Is not known any more, in no tab of this browser.
    pub fn sign_out(self) {
        memory::put_handle(None);
        memory::put_token(None);
        self.about_people(PeopleIntent::SignOut);
        self.engine.with_value(|engine| engine.tell_other_tabs(HANDLE));
    }

    /// Wants something of other people.
    pub fn about_people(self, intent: PeopleIntent) {
        self.intend(Intent::People(intent));
    }

    /// Calls somebody, with one's picture or without.
    pub fn call(self, to: &Handle, video: bool) {
        let invite = super::names::new_secret().to_text();
        self.about_people(PeopleIntent::Call {
            to: to.clone(),
            video,
            invite,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_on_the_contacts_alone() {
        let token = "eyJ0.eyJz-dWIi_Q.c2ln";
        assert_eq!(
            token_in("/contacts", &["#", token].concat()),
            Some(token.to_owned())
        );
        for (path, fragment) in [
            ("/room/tea", token),
            ("/contacts", ""),
            ("/contacts", "#a.b"),
            ("/contacts", "#a..c"),
            ("/contacts", "#a.b.c.d"),
            ("/contacts", "#a.b.<script>"),
        ] {
            assert_eq!(token_in(path, fragment), None, "{fragment}");
        }
        assert_eq!(token_in("/contacts", &["a.b.", &"c".repeat(3000)].concat()), None);
    }
}
