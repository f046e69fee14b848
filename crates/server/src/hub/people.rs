//! People: who proves which handle, who is there, and who calls whom, as a pure state machine beside
//! rooms.
//!
//! It knows pages (sockets that proved a handle), persons (all pages of one handle) and calls. What must
//! outlast the server goes out as [`Change`]s, before the words that depend on it. It has no clock, no
//! randomness and no cryptography of its own: what it needs of them it is told at its start.

mod calls;
mod contacts;
mod directory;
mod figures;
mod presence;
mod resume;
mod sign_in;
#[cfg(test)]
mod tests;

use core::cmp::Reverse;
use core::time::Duration;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use visavis_protocol::handle::{Nonce, PublicKey, Signature};
use visavis_protocol::people::{PeopleEvent, PeopleRequest, Presence};
use visavis_protocol::{CallId, ErrorCode, Handle};

use super::room::RoomKey;
use super::{ConnectionKey, HubConfig, HubFault, PeopleConfig};
use calls::Calls;
pub use directory::{Change, Directory};
pub use figures::{CallFigure, PeopleCounts};
use resume::Claim;
use sign_in::{Codes, Proof};

/// Whether a signature is by a key, over a text.
pub type Verify = fn(&PublicKey, &[u8], &Signature) -> bool;

/// Reads a token at a time since 1970: the handle that it proves, if it is good.
pub type ReadToken = dyn Fn(&str, Duration) -> Option<Handle> + Send + Sync;

/// What reads tokens, where these and nothing else prove a handle.
#[derive(Clone)]
pub struct Tokens(pub Arc<ReadToken>);

impl core::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// What the hub knows of the socket that a request came on.
pub(super) struct Site<'a> {
    /// Whether its page said that it is hidden.
    pub(super) hidden: bool,
    /// Whether it sits in a room.
    pub(super) seated: Option<RoomKey>,
    /// Whether its address may take another handle that nobody has; asked only for one that it takes.
    pub(super) may_take_handle: &'a mut dyn FnMut() -> bool,
}

/// What is drawn for people at a server's start.
#[derive(Clone, Copy)]
pub struct PeopleSecret(pub [u8; 32]);

impl core::fmt::Debug for PeopleSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PeopleSecret(…)")
    }
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Tell a page.
    Tell(ConnectionKey, PeopleEvent),
    /// Tell several pages the same.
    TellAll(Vec<ConnectionKey>, PeopleEvent),
    /// Refuse what it asked.
    Refuse(ConnectionKey, ErrorCode, &'static str),
    /// Write this down before anything that follows is told.
    Store(Change),
}

/// A socket that proved a handle.
#[derive(Debug)]
struct Page {
    handle: Handle,
    /// What its person calls themselves there.
    name: String,
    hidden: bool,
    /// Whether it sits in a room.
    seated: Option<RoomKey>,
}

/// Everybody who has a page, or had one a moment ago.
#[derive(Debug, Default)]
struct Person {
    pages: Vec<ConnectionKey>,
    /// The call they are in, be it ringing or taken. Nobody is in two.
    call: Option<CallId>,
    /// Since when no page of theirs can be seen.
    hidden_since: Option<Duration>,
    /// Since when there is no page.
    gone_since: Option<Duration>,
    /// What was told of them last.
    told: Presence,
    /// When it is next looked how it stands with them.
    look_at: Option<Duration>,
}

/// Something that is due. What is no longer true by then does nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A call may have waited long enough.
    Call(CallId),
    /// What a page said of a call may have waited long enough for the other side.
    Claim(ConnectionKey, CallId),
    /// Somebody may be away or offline by now.
    Presence(Handle),
    /// What is known of calls that ended may be forgotten.
    Ended,
}

/// See the [module](self).
pub(super) struct People {
    secret: PeopleSecret,
    verify: Verify,
    /// Where it is set, nothing else proves a handle.
    tokens: Option<Tokens>,
    /// Whether what is written down outlasts this server.
    is_kept: bool,
    directory: Directory,
    pages: FxHashMap<ConnectionKey, Page>,
    /// Ordered by handle: handles are chosen by strangers, who could make a fast hash collide.
    persons: BTreeMap<Handle, Person>,
    calls: Calls,
    /// Calls that pages say they are in and the hub does not know, one for each page.
    claims: FxHashMap<ConnectionKey, Claim>,
    codes: Codes,
    timers: BinaryHeap<Reverse<(Duration, Timer)>>,
    words: VecDeque<Word>,
    /// When somebody first said something: soon after the server's start, if anybody waited for that.
    began: Option<Duration>,
    /// The time since 1970 when the hub's own count is zero.
    unix: Duration,
    #[cfg(feature = "planted-bugs")]
    fault: Option<HubFault>,
}

impl People {
    pub(super) fn new(config: PeopleConfig, unix: Duration) -> Self {
        Self {
            secret: config.secret,
            verify: config.verify,
            tokens: config.tokens,
            is_kept: config.is_kept,
            directory: config.directory,
            pages: FxHashMap::default(),
            persons: BTreeMap::new(),
            calls: Calls::default(),
            claims: FxHashMap::default(),
            codes: Codes::default(),
            timers: BinaryHeap::new(),
            words: VecDeque::new(),
            began: None,
            unix,
            #[cfg(feature = "planted-bugs")]
            fault: None,
        }
    }

    /// With the wrong behaviour that was asked for.
    #[cfg(feature = "planted-bugs")]
    pub(super) fn planted(self, config: &HubConfig) -> Self {
        let fault = config.fault;
        Self { fault, ..self }
    }

    /// With the wrong behaviour that was asked for: none, in this build.
    #[cfg(not(feature = "planted-bugs"))]
    pub(super) fn planted(self, _config: &HubConfig) -> Self {
        self
    }

    /// Whether this wrong behaviour was asked for.
    #[cfg(feature = "planted-bugs")]
    fn has(&self, fault: HubFault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether this wrong behaviour was asked for: never, in this build.
    #[cfg(not(feature = "planted-bugs"))]
    #[expect(clippy::unused_self, reason = "the same call as with the feature")]
    const fn has(&self, _fault: HubFault) -> bool {
        false
    }

    /// A page wrote something.
    pub(super) fn handle(
        &mut self,
        now: Duration,
        page: ConnectionKey,
        request: PeopleRequest,
        site: &mut Site<'_>,
    ) {
        self.began.get_or_insert(now);
        let kind = request.kind();
        match request {
            PeopleRequest::Challenge {} | PeopleRequest::SignIn { .. } | PeopleRequest::MakeCode {}
                if self.tokens.is_some() =>
            {
                return self.refuse(page, ErrorCode::TokensOnly, kind);
            }
            PeopleRequest::Challenge {} => {
                let nonce = self.nonce(page);
                return self.tell(page, PeopleEvent::Challenge { nonce });
            }
            PeopleRequest::SignIn {
                handle,
                key,
                signature,
                code,
                take,
                name,
            } => {
                let proof = Proof {
                    handle,
                    key,
                    signature,
                    code,
                    take,
                    name,
                };
                return self.sign_in(now, page, proof, site);
            }
            PeopleRequest::SignInByToken { token, name } => {
                return self.sign_in_by_token(now, page, &token, name, site);
            }
            PeopleRequest::SignOut {}
            | PeopleRequest::MakeCode {}
            | PeopleRequest::Add { .. }
            | PeopleRequest::Remove { .. }
            | PeopleRequest::Block { .. }
            | PeopleRequest::Ring { .. }
            | PeopleRequest::Resume { .. }
            | PeopleRequest::Ack { .. }
            | PeopleRequest::Accept { .. }
            | PeopleRequest::Decline { .. }
            | PeopleRequest::HangUp { .. }
            | PeopleRequest::Seen { .. } => {}
        }
        let Some(me) = self.pages.get(&page).map(|page| page.handle.clone()) else {
            return self.refuse(page, ErrorCode::NotSignedIn, kind);
        };
        match request {
            PeopleRequest::Challenge {}
            | PeopleRequest::SignIn { .. }
            | PeopleRequest::SignInByToken { .. } => {}
            PeopleRequest::SignOut {} => {
                self.page_gone(now, page, true);
                self.tell(page, PeopleEvent::SignedOut {});
            }
            PeopleRequest::MakeCode {} => self.make_code(now, page, &me),
            PeopleRequest::Add { handle } => self.add(page, &me, handle),
            PeopleRequest::Remove { handle } => self.remove(&me, &handle),
            PeopleRequest::Block { handle, blocked } => self.block(now, page, &me, handle, blocked),
            PeopleRequest::Ring {
                call,
                to,
                video,
                invite,
                rung_ms,
            } => {
                let rung = Duration::from_millis(rung_ms);
                self.ring(now, page, &me, call, to, video, invite, rung);
            }
            PeopleRequest::Resume {
                call,
                with,
                outgoing,
                video,
                invite,
            } => {
                let claim = Claim {
                    call,
                    with: Some(with),
                    is_outgoing: outgoing,
                    video,
                    invite,
                };
                self.resume(now, page, &me, claim);
            }
            PeopleRequest::Ack { call } => self.ack(now, page, &me, call),
            PeopleRequest::Accept { call, video, answer } => {
                self.accept(now, page, &me, call, video, answer);
            }
            PeopleRequest::Decline { call } => self.decline(now, page, &me, call),
            PeopleRequest::HangUp { call } => self.hang_up(now, page, &me, call),
            PeopleRequest::Seen { missed } => self.seen(&me, missed),
        }
    }

    /// A page can be seen, or no longer.
    pub(super) fn set_hidden(&mut self, now: Duration, page: ConnectionKey, hidden: bool) {
        if let Some(known) = self.pages.get_mut(&page)
            && known.hidden != hidden
        {
            known.hidden = hidden;
            let handle = known.handle.clone();
            self.look_at(now, &handle);
        }
    }

    /// A page took a seat in a room, or gave it up.
    pub(super) fn set_seated(&mut self, now: Duration, page: ConnectionKey, seated: Option<RoomKey>) {
        if let Some(known) = self.pages.get_mut(&page)
            && known.seated != seated
        {
            known.seated = seated;
            let handle = known.handle.clone();
            self.look_at(now, &handle);
        }
    }

    /// A socket is gone; `departed` with its page, so that it does not come back as it was.
    pub(super) fn page_gone(&mut self, now: Duration, page: ConnectionKey, departed: bool) {
        let Some(known) = self.pages.remove(&page) else {
            return;
        };
        if let Some(person) = self.persons.get_mut(&known.handle) {
            person.pages.retain(|open| *open != page);
            if person.pages.is_empty() {
                person.gone_since = Some(now);
            }
        }
        self.claims.remove(&page);
        self.call_lost_page(now, &known.handle, page, departed);
        self.look_at(now, &known.handle);
    }

    /// An operator took a handle from whoever had it.
    pub(super) fn free(&mut self, now: Duration, handle: &Handle) {
        let pages = self
            .persons
            .get(handle)
            .map(|person| person.pages.clone())
            .unwrap_or_default();
        for page in pages {
            self.page_gone(now, page, true);
            self.tell(page, PeopleEvent::SignedOut {});
        }
        // Whoever takes the handle next finds nothing of its last owner: no call that still rings, no
        // code that still links a browser; and who knew them reads that they are gone.
        self.end_call_of(now, handle);
        self.codes.forget(handle);
        self.gone_for_good(handle);
        self.directory.apply(&Change::Freed {
            handle: handle.clone(),
        });
    }

    pub(super) fn set_clock(&mut self, now: Duration, unix: Duration) {
        self.unix = unix.saturating_sub(now);
    }

    /// Does what has become due.
    pub(super) fn tick(&mut self, now: Duration) {
        while let Some(Reverse((due, _))) = self.timers.peek()
            && *due <= now
        {
            let Some(Reverse((_, timer))) = self.timers.pop() else {
                return;
            };
            match timer {
                Timer::Call(call) => self.look_at_call(now, call),
                Timer::Claim(page, call) => self.give_up_claim(page, call),
                Timer::Presence(handle) => {
                    if let Some(person) = self.persons.get_mut(&handle) {
                        person.look_at = None;
                    }
                    self.look_at(now, &handle);
                }
                Timer::Ended => self.forget_ended(now),
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.timers.peek().map(|Reverse((due, _))| *due)
    }

    /// The next thing to do.
    pub(super) fn poll_word(&mut self) -> Option<Word> {
        self.words.pop_front()
    }

    fn at(&mut self, due: Duration, timer: Timer) {
        self.timers.push(Reverse((due, timer)));
    }

    fn tell(&mut self, page: ConnectionKey, event: PeopleEvent) {
        self.words.push_back(Word::Tell(page, event));
    }

    fn refuse(&mut self, page: ConnectionKey, code: ErrorCode, about: &'static str) {
        self.words.push_back(Word::Refuse(page, code, about));
    }

    /// Makes a change and has it written down.
    fn change(&mut self, change: Change) {
        if self.directory.apply(&change) {
            self.words.push_back(Word::Store(change));
        }
    }

    fn pages_of(&self, handle: &Handle) -> &[ConnectionKey] {
        self.persons
            .get(handle)
            .map_or(&[], |person| person.pages.as_slice())
    }

    /// Tells all pages of somebody, but for one.
    fn tell_all(&mut self, handle: &Handle, but: Option<ConnectionKey>, event: &PeopleEvent) {
        let pages = self.pages_of(handle).iter().copied();
        let pages: Vec<_> = pages.filter(|page| Some(*page) != but).collect();
        if !pages.is_empty() {
            self.words.push_back(Word::TellAll(pages, event.clone()));
        }
    }

    fn nonce(&self, page: ConnectionKey) -> Nonce {
        sign_in::nonce(&self.secret, page)
    }
}
