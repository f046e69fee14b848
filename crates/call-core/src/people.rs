//! People as one page sees them: who this page's person is, whom they know, and the call that they are in.
//!
//! A person has a handle as long as they want one on this page; it is proven anew on each socket:
//! `challenge` out, nonce in, [`Command::SignIn`](crate::Command) to the shell, which has the key, the
//! proof out, `signed_in` in. Where the server takes its operator's tokens instead, the token itself goes
//! out, and the handle is what `signed_in` says. What a page shows of others is the server's word and nothing else.

pub(crate) mod direct_call;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use visavis_protocol::handle::{Nonce, PublicKey, Signature};
use visavis_protocol::people::{Contact, Missed, PeopleEvent, PeopleRequest};
use visavis_protocol::{CallId, ErrorCode, Handle};

use crate::fault::Faults;
use crate::time::Timestamp;
use direct_call::Machine;
pub use direct_call::{CallEnd, CallState, DirectCall, KeptCall, NoConnection};

/// How soon it is asked again where too many pages of a person are open, or too much was asked.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// What a person wants of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleIntent {
    /// To be known by a handle on this page.
    SignIn {
        /// Which.
        handle: Handle,
        /// What others see.
        name: String,
        /// Made by another browser that has the handle.
        code: Option<String>,
        /// Whether it is to be taken if nobody has it: the person asks for it now. A page that comes back
        /// by itself takes none.
        take: bool,
    },
    /// To be known by the handle that a token names, where the server takes tokens.
    SignInByToken {
        /// As the operator's site gave it. It is presented again on each new socket.
        token: String,
        /// What others see.
        name: String,
    },
    /// Not to be known any more.
    SignOut,
    /// A code for another browser.
    MakeCode,
    /// To have somebody among the contacts, or no longer.
    Contact {
        /// Whom.
        handle: Handle,
        /// Whether from now on.
        is: bool,
    },
    /// To hear nothing of somebody, or again.
    Block {
        /// Whom.
        handle: Handle,
        /// Whether from now on.
        blocked: bool,
    },
    /// To call somebody.
    Call {
        /// Whom.
        to: Handle,
        /// Whether with one's picture.
        video: bool,
        /// What they need to meet: see [`PeopleRequest::Ring`].
        invite: String,
    },
    /// To take the call that rings.
    Accept {
        /// Whether with one's picture.
        video: bool,
    },
    /// To decline, cancel or end the call.
    End,
    /// To go on with a call after the page was loaded anew.
    GoOn(KeptCall),
    /// Not to have the call any more, for a reason that this page alone knows.
    Fail(CallEnd),
    /// Has read why the call is over.
    Dismiss,
    /// Has seen the calls that were missed.
    SeeMissed,
}

/// How it stands with the handle of this page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// None is wanted.
    #[default]
    SignedOut,
    /// It is being proven, or waits for the server.
    SigningIn,
    /// It is proven.
    SignedIn,
    /// The server refused it.
    Refused(ErrorCode),
    /// This browser keeps no key to prove it with.
    NoKey,
}

/// Whether an error is about something that is said here.
pub(crate) fn is_about(kind: &str) -> bool {
    kind == "people" || PeopleRequest::KINDS.contains(&kind)
}

/// What there is to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleView {
    /// The handle that is wanted, or that a token brought.
    pub handle: Option<Handle>,
    /// How it stands with it.
    pub standing: Standing,
    /// By handle.
    pub contacts: Vec<Contact>,
    /// By handle.
    pub blocked: Vec<Handle>,
    /// The oldest first.
    pub missed: Vec<Missed>,
    /// A code for another browser, until when it is good.
    pub code: Option<(String, Timestamp)>,
    /// The call that rings, is under way, or has just ended.
    pub call: Option<DirectCall>,
    /// What was refused last of what was wanted of others.
    pub refused: Option<ErrorCode>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Out {
    /// To be sent to the server, if it is there.
    pub(crate) requests: Vec<PeopleRequest>,
    /// What the shell is to sign.
    pub(crate) sign: Option<(Nonce, Handle)>,
}

/// What this page wants to be known by.
#[derive(Clone)]
struct Wanted {
    /// Unknown where a token brings it, until the server has read that.
    handle: Option<Handle>,
    name: String,
    by: Means,
}

/// How a handle is proven.
#[derive(Clone)]
enum Means {
    /// By the browser's key, linked by a code if another one has the handle; takes it if nobody has it and
    /// this was asked for.
    Key { code: Option<String>, take: bool },
    /// By a token.
    Token(String),
}

/// Says nothing of codes and tokens: who reads a log must not be able to use them.
impl core::fmt::Debug for Means {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Key { .. } => "Key",
            Self::Token(_) => "Token",
        })
    }
}

impl core::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Wanted")
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

impl Wanted {
    /// What opens the way on a socket.
    fn request(&self) -> PeopleRequest {
        match &self.by {
            Means::Key { .. } => PeopleRequest::Challenge {},
            Means::Token(token) => PeopleRequest::SignInByToken {
                token: token.clone(),
                name: self.name.clone(),
            },
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    wanted: Option<Wanted>,
    standing: Standing,
    /// What was to be signed last: a signature for another socket is void.
    nonce: Option<Nonce>,
    contacts: Vec<Contact>,
    blocked: Vec<Handle>,
    missed: Vec<Missed>,
    code: Option<(String, Timestamp)>,
    refused: Option<ErrorCode>,
    /// How often this socket was signed out and the answer is still to come: it is about who was wanted
    /// before, not about who is wanted now.
    leaving: u32,
    /// When it is asked again for what was refused for the moment alone.
    asks_again: Option<Timestamp>,
    call: Machine,
}

impl People {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            call: Machine::with(faults),
            ..Self::default()
        }
    }

    /// Whether the server is wanted for it.
    pub(crate) const fn wants_server(&self) -> bool {
        self.wanted.is_some()
    }

    pub(crate) const fn call(&self) -> Option<&DirectCall> {
        self.call.present()
    }

    fn is_in(&self) -> bool {
        self.standing == Standing::SignedIn
    }

    pub(crate) fn intend(&mut self, now: Timestamp, intent: PeopleIntent, call: CallId, out: &mut Out) {
        self.refused = None;
        match intent {
            PeopleIntent::SignIn {
                handle,
                name,
                code,
                take,
            } => {
                let wanted = Wanted {
                    handle: Some(handle),
                    name,
                    by: Means::Key { code, take },
                };
                self.want(wanted, out);
            }
            PeopleIntent::SignInByToken { token, name } => {
                let wanted = Wanted {
                    handle: None,
                    name,
                    by: Means::Token(token),
                };
                self.want(wanted, out);
            }
            PeopleIntent::SignOut => {
                self.call.end(now, &mut out.requests);
                self.sign_out(out);
                self.start_over();
            }
            PeopleIntent::MakeCode => out.requests.push(PeopleRequest::MakeCode {}),
            PeopleIntent::Contact { handle, is: true } => out.requests.push(PeopleRequest::Add { handle }),
            PeopleIntent::Contact { handle, is: false } => {
                out.requests.push(PeopleRequest::Remove { handle })
            }
            PeopleIntent::Block { handle, blocked } => {
                out.requests.push(PeopleRequest::Block { handle, blocked });
            }
            PeopleIntent::Call { to, video, invite } => {
                if self.wanted.is_some() {
                    self.call.ring(now, call, to, video, invite, &mut out.requests);
                }
            }
            PeopleIntent::Accept { video } => self.call.accept(now, video, call, &mut out.requests),
            PeopleIntent::End => self.call.end(now, &mut out.requests),
            PeopleIntent::GoOn(kept) => self.call.go_on(now, kept),
            PeopleIntent::Fail(why) => self.call.fail(now, why, &mut out.requests),
            PeopleIntent::Dismiss => self.call.dismiss(),
            PeopleIntent::SeeMissed => {
                if let Some(last) = self.missed.last() {
                    out.requests.push(PeopleRequest::Seen { missed: last.number });
                }
                self.missed.clear();
            }
        }
    }

    /// Wants to be known from now on, instead of whatever was before.
    fn want(&mut self, wanted: Wanted, out: &mut Out) {
        // A token may be somebody else's than the one before: only the server knows.
        let is_same = |known: &Wanted| known.handle.is_some() && known.handle == wanted.handle;
        if self.is_in() && !self.wanted.as_ref().is_some_and(is_same) {
            self.sign_out(out);
        }
        self.start_over();
        out.requests.push(wanted.request());
        self.wanted = Some(wanted);
        self.standing = Standing::SigningIn;
    }

    fn sign_out(&mut self, out: &mut Out) {
        self.leaving = self.leaving.saturating_add(1);
        out.requests.push(PeopleRequest::SignOut {});
    }

    /// Is nobody, and knows nothing of anybody; the call goes on.
    fn start_over(&mut self) {
        let call = core::mem::take(&mut self.call);
        *self = Self {
            call,
            leaving: self.leaving,
            ..Self::default()
        };
    }

    /// The socket can be written to; nothing is known of the one before.
    pub(crate) fn opened(&mut self, out: &mut Out) {
        self.leaving = 0;
        self.asks_again = None;
        if let Some(wanted) = &self.wanted {
            out.requests.push(wanted.request());
            if self.is_in() {
                self.standing = Standing::SigningIn;
            }
            self.nonce = None;
        }
    }

    /// There is no server.
    pub(crate) fn lost(&mut self, now: Timestamp) {
        self.asks_again = None;
        self.leaving = 0;
        self.nonce = None;
        if self.is_in() {
            self.standing = Standing::SigningIn;
        }
        self.call.alone(now);
    }

    /// The shell has signed.
    pub(crate) fn signed(&self, nonce: &Nonce, key: PublicKey, signature: Signature, out: &mut Out) {
        if let Some(Wanted {
            handle: Some(handle),
            name,
            by: Means::Key { code, take },
        }) = &self.wanted
            && self.nonce.as_ref() == Some(nonce)
        {
            out.requests.push(PeopleRequest::SignIn {
                handle: handle.clone(),
                key,
                signature,
                code: code.clone(),
                take: *take,
                name: name.clone(),
            });
        }
    }

    /// The shell has no key to sign with.
    pub(crate) fn cannot_sign(&mut self, nonce: &Nonce) {
        if self.nonce.as_ref() == Some(nonce) {
            self.standing = Standing::NoKey;
        }
    }

    /// Whether two are in a call and not connected yet, or never were and nobody has said why.
    pub(crate) fn are_meeting(&self) -> bool {
        self.call.is_meeting() || self.call.is_unexplained()
    }

    /// The two in a call are connected.
    pub(crate) fn meet(&mut self) {
        self.call.explain(None);
        self.call.meet();
    }

    /// Ends a call whose two should have met by now, and says why.
    pub(crate) fn look_for(&mut self, now: Timestamp, why: NoConnection, out: &mut Out) {
        self.call.explain(Some(why));
        if self.call.has_missed(now) {
            self.call.fail(now, CallEnd::NoConnection(why), &mut out.requests);
        }
    }

    pub(crate) fn handle(&mut self, now: Timestamp, event: PeopleEvent, out: &mut Out) {
        match event {
            PeopleEvent::Challenge { nonce } => {
                if let Some(Wanted {
                    handle: Some(handle),
                    by: Means::Key { .. },
                    ..
                }) = &self.wanted
                {
                    self.nonce = Some(nonce);
                    out.sign = Some((nonce, handle.clone()));
                }
            }
            PeopleEvent::SignedIn {
                handle,
                contacts,
                blocked,
                missed,
            } => {
                let is_wanted = |wanted: &Wanted| match wanted.by {
                    Means::Key { .. } => wanted.handle.as_ref() == Some(&handle),
                    Means::Token(_) => true,
                };
                let Some(wanted) = self.wanted.as_mut().filter(|wanted| is_wanted(wanted)) else {
                    return;
                };
                if let Means::Key { code, take } = &mut wanted.by {
                    // A code is good once, and so is taking: from now on the key is known.
                    (*code, *take) = (None, false);
                }
                wanted.handle = Some(handle);
                self.standing = Standing::SignedIn;
                (self.contacts, self.blocked, self.missed) = (contacts, blocked, missed);
                self.call.signed_in(now, &mut out.requests);
            }
            PeopleEvent::SignedOut {} if self.leaving > 0 => self.leaving -= 1,
            PeopleEvent::SignedOut {} => {
                // Unasked: the operator took the handle away, and the person is told.
                let code = match self.wanted.as_ref().map(|wanted| &wanted.by) {
                    Some(Means::Token(_)) => ErrorCode::BadToken,
                    Some(Means::Key { .. }) | None => ErrorCode::HandleFree,
                };
                self.call.alone(now);
                self.start_over();
                self.standing = Standing::Refused(code);
            }
            PeopleEvent::Code { code, lifetime_ms } => {
                let lifetime = Duration::from_millis(lifetime_ms);
                self.code = Some((code, now + lifetime.min(visavis_protocol::limits::CODE_LIFETIME)));
            }
            PeopleEvent::Contacts { contacts, blocked } => {
                (self.contacts, self.blocked) = (contacts, blocked);
            }
            PeopleEvent::Presence(contact) => {
                let known = self
                    .contacts
                    .iter_mut()
                    .find(|known| known.handle == contact.handle);
                if let Some(known) = known {
                    known.presence = contact.presence;
                }
            }
            PeopleEvent::Missed(missed) => {
                if self.missed.iter().all(|known| known.number != missed.number) {
                    if self.missed.len() >= visavis_protocol::limits::MISSED_CALLS {
                        self.missed.remove(0);
                    }
                    self.missed.push(missed);
                }
            }
            PeopleEvent::Incoming { .. }
            | PeopleEvent::Ringing { .. }
            | PeopleEvent::Outgoing { .. }
            | PeopleEvent::Accepted { .. }
            | PeopleEvent::Ended { .. } => self.call.handle(now, event, &mut out.requests),
        }
    }

    /// The server refused something of ours.
    pub(crate) fn refused(&mut self, now: Timestamp, code: ErrorCode, about: &str, out: &mut Out) {
        match about {
            "challenge" | "sign_in" | "sign_in_by_token" => {
                self.standing = Standing::Refused(code);
                // Sockets that a changed network has cut off count until the server misses them.
                let will_pass = matches!(code, ErrorCode::TooMany | ErrorCode::RateLimited);
                self.asks_again = will_pass.then(|| now + ASK_AGAIN_AFTER);
            }
            // A server that knows no handles. Any other refusal of a message is about that message alone.
            "people" if code == ErrorCode::UnknownKind => {
                self.standing = Standing::Refused(code);
                self.call.fail(now, CallEnd::NoServer, &mut out.requests);
            }
            "ring" => {
                self.call.fail(now, CallEnd::Refused(code), &mut out.requests);
            }
            // Nobody was signed in: that is what was wanted.
            "sign_out" => self.leaving = self.leaving.saturating_sub(1),
            _ => self.refused = Some(code),
        }
    }

    pub(crate) fn handle_tick(&mut self, now: Timestamp, out: &mut Out) {
        if self.code.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.code = None;
        }
        if self.asks_again.is_some_and(|due| due <= now) {
            self.asks_again = None;
            out.requests.extend(self.wanted.as_ref().map(Wanted::request));
        }
        self.call.handle_tick(now, &mut out.requests);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let code = self.code.as_ref().map(|(_, until)| *until);
        crate::time::earliest(
            self.call.poll_timeout(),
            crate::time::earliest(code, self.asks_again),
        )
    }

    pub(crate) fn view(&self) -> PeopleView {
        PeopleView {
            handle: self.wanted.as_ref().and_then(|wanted| wanted.handle.clone()),
            standing: self.standing.clone(),
            contacts: self.contacts.clone(),
            blocked: self.blocked.clone(),
            missed: self.missed.clone(),
            code: self.code.clone(),
            call: self.call.present().cloned(),
            refused: self.refused,
        }
    }
}
