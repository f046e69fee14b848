//! Chat: what people write to each other, and what those who come later are told of it.
//!
//! What its author tells is first-hand, everything else is hearsay and shown as such. A channel that
//! opens begins with a question for what was missed, so a cut loses nothing as long as the author, or
//! anybody who heard it, is there. Others' words are asked of one peer at a time:
//!
//! ```text
//! Wanted ──a channel──▶ Asked ──end──▶ Known
//!    ▲──close, silence────┘              │
//!    └───────────the last channel closes─┘
//! ```

mod answer;
mod channels;
mod history;
mod marks;
mod shell;

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use visavis_protocol::chat::{ChatFrame, ChatMessage};
use visavis_protocol::{ChatKey, PeerId, RoomId, SeatId, limits, text};

use crate::command::Command;
use crate::event::SideEvent;
use crate::id::LinkId;
use crate::peer::Correspondent;
use crate::rate::Rate;
use crate::time::{Timestamp, earliest};
use crate::view::NoticeKind;
use channels::{Answer, CHAT_EVERY, Channel, Channels};
use history::{Entry, History};
use marks::Marks;
pub use shell::{ChatLine, ChatNews, ChatView, Privacy, SayError};

/// Messages that wait until what was said before them is known.
const DRAFTS: usize = 40;
/// People whose names are kept for messages to them: as many as may come and go in a long call.
const NAMES: usize = 64;
/// People of whom it is remembered that they were told of: somebody with so many faces is no news.
const TOLD_OF: usize = 64;
/// Own sessions that are remembered: one for each time that one leaves a call and comes back.
const SESSIONS: usize = 64;
/// Characters of a message that are told with the news of it.
const NEWS_CHARS: usize = 160;

/// Who we are in the present call.
#[derive(Clone, Debug)]
struct Me {
    session: PeerId,
    name: String,
    /// Messages of this session so far.
    said: u32,
}

/// How it stands with what others said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Others {
    #[default]
    Wanted,
    Asked {
        link: LinkId,
        until: Timestamp,
    },
    Known,
}

/// Keys of other secrets that are taken besides: see [`Chat::expect_key`].
const ALSO: usize = 8;

/// What somebody wants to say.
#[derive(Clone, Debug)]
struct Draft {
    text: String,
    to: Option<SeatId>,
    time: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chat {
    room: Option<RoomId>,
    seat: Option<SeatId>,
    key: Option<ChatKey>,
    /// Keys that are as good: of the secret that the room had before, and of those that it may get.
    also: VecDeque<ChatKey>,
    me: Option<Me>,
    /// Own sessions of this tab's life: nobody else knows more of them.
    sessions: VecDeque<PeerId>,
    history: History,
    marks: Marks,
    channels: Channels,
    others: Others,
    /// Who was asked for others' words already.
    tried: Vec<LinkId>,
    /// The highest clock of all that counts.
    clock: u32,
    /// The same among what is for one person.
    aside: u32,
    /// That clock when all that had been said before we came was known.
    caught_up: Option<u32>,
    /// Those of whom all was known at some time in this stay.
    met: Vec<SeatId>,
    drafts: VecDeque<Draft>,
    /// Until when they wait at the longest.
    drafts_until: Option<Timestamp>,
    said: Rate,
    names: VecDeque<(SeatId, String)>,
    told_of: Vec<SeatId>,
    news: u64,
    last_news: Option<ChatNews>,
}

impl Chat {
    /// A room's page was opened. What was said in another one is no business of this.
    pub(crate) fn enter(&mut self, room: &RoomId, seat: SeatId, key: Option<ChatKey>) {
        self.key = key;
        self.also.clear();
        if self.room.as_ref() != Some(room) || self.seat != Some(seat) {
            self.room = Some(room.clone());
            self.seat = Some(seat);
            self.history.clear();
            self.marks.clear();
            self.names.clear();
            self.sessions.clear();
            (self.clock, self.aside) = (0, 0);
            self.last_news = None;
        }
    }

    /// The room has another id and secret. Whoever comes by its new link knows no other key, and whoever is here
    /// could have marked all that was said with it.
    pub(crate) fn moved(&mut self, room: &RoomId, key: ChatKey) {
        self.room = Some(room.clone());
        if let Some(former) = self.key.replace(key) {
            self.expect_key(former);
        }
        self.history.mark_again(&key);
    }

    /// Takes what is marked by another key as well: of a secret that the room may get, for others may have it a
    /// moment earlier.
    pub(crate) fn expect_key(&mut self, key: ChatKey) {
        if self.also.len() >= ALSO {
            self.also.pop_front();
        }
        self.also.push_back(key);
    }

    /// Whether a message was made with a secret of the room; marked with the present one if so.
    fn take_marked(&self, message: &mut ChatMessage) -> bool {
        if message.is_tagged(self.key.as_ref()) {
            return true;
        }
        let is_marked = self.also.iter().any(|key| message.is_tagged(Some(key)));
        if is_marked {
            message.tag = self.key.as_ref().map(|key| message.tag_with(key));
        }
        is_marked
    }

    /// Follows the call: `me` is our session and name while we are in it.
    pub(crate) fn follow(
        &mut self,
        now: Timestamp,
        me: Option<(PeerId, &str)>,
        is_alone: bool,
        commands: &mut VecDeque<Command>,
    ) {
        let Some((session, name)) = me else {
            self.me = None;
            self.drafts.clear();
            self.drafts_until = None;
            return;
        };
        if self.me.as_ref().is_none_or(|me| me.session != session) {
            self.begin_stay(now, session, name);
        }
        let is_due = self.drafts_until.is_some_and(|until| now >= until);
        if is_alone && self.caught_up.is_none() {
            self.catch_up();
        }
        if is_due || is_alone || self.caught_up.is_some() {
            self.drafts_until = None;
            for draft in core::mem::take(&mut self.drafts) {
                self.write(draft, commands);
            }
        }
    }

    fn begin_stay(&mut self, now: Timestamp, session: PeerId, name: &str) {
        self.me = Some(Me {
            session,
            name: name.to_string(),
            said: 0,
        });
        self.sessions.push_back(session);
        if self.sessions.len() > SESSIONS {
            self.sessions.pop_front();
        }
        self.history.begin_stay();
        self.others = Others::Wanted;
        self.tried.clear();
        self.caught_up = None;
        self.met.clear();
        self.told_of.clear();
        self.drafts.clear();
        self.drafts_until = Some(now + limits::CHAT_ANSWER_WITHIN);
    }

    /// All that was said before we came is known, as far as it ever will be.
    fn catch_up(&mut self) {
        self.caught_up.get_or_insert(self.clock);
    }

    // What the person writes

    /// Whether this could be said now. `is_there` knows who is in the call.
    pub(crate) fn check(
        &self,
        now: Timestamp,
        text: &str,
        to: Option<SeatId>,
        is_there: impl Fn(SeatId) -> bool,
    ) -> Result<String, SayError> {
        if self.me.is_none() {
            return Err(SayError::Outside);
        }
        let text = text::clean_text(text);
        let text = text.trim_end().trim_start_matches('\n');
        if text::is_blank(text) {
            return Err(SayError::Empty);
        }
        if text.len() > limits::CHAT_BYTES {
            return Err(SayError::TooLong);
        }
        if to.is_some_and(|to| !is_there(to)) {
            return Err(SayError::Gone);
        }
        let mut said = self.said;
        if self.drafts.len() >= DRAFTS || !said.admit(now, CHAT_EVERY, limits::CHAT_BURST) {
            return Err(SayError::TooFast);
        }
        Ok(text.to_string())
    }

    /// Says what was checked. It waits until what was said before is known, or it would stand before
    /// that for everybody.
    pub(crate) fn say(
        &mut self,
        now: Timestamp,
        text: String,
        to: Option<SeatId>,
        time: u64,
        commands: &mut VecDeque<Command>,
    ) {
        self.said.admit(now, CHAT_EVERY, limits::CHAT_BURST);
        let draft = Draft { text, to, time };
        if self.drafts_until.is_some() {
            self.drafts.push_back(draft);
        } else {
            self.write(draft, commands);
        }
    }

    fn write(&mut self, draft: Draft, commands: &mut VecDeque<Command>) {
        let (Some(me), Some(author)) = (&mut self.me, self.seat) else {
            return;
        };
        me.said = me.said.saturating_add(1);
        let aside = if draft.to.is_some() {
            self.aside = self.aside.saturating_add(1);
            self.aside
        } else {
            self.clock = self.clock.saturating_add(1);
            0
        };
        let mut message = ChatMessage {
            author,
            session: me.session,
            seq: me.said,
            clock: self.clock,
            aside,
            time: draft.time,
            name: me.name.clone(),
            to: draft.to,
            text: draft.text,
            tag: None,
        };
        message.tag = self.key.as_ref().map(|key| message.tag_with(key));
        self.marks.note(author, message.session, message.seq, true);
        self.channels.say(message.clone(), commands);
        self.history.take(message, None, false);
    }

    // What comes

    /// Something happened on the chat channel of a connection. Returns what the person is to be told.
    pub(crate) fn handle_side(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        event: SideEvent,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        // Our own seat in an earlier session, on its way out.
        if self.seat == Some(whose.seat) {
            return None;
        }
        match event {
            SideEvent::Opened => {
                self.open(now, whose, commands);
                None
            }
            SideEvent::Closed => {
                self.close(now, |link| link != whose.link, commands);
                None
            }
            SideEvent::Received(text) => {
                let frame = ChatFrame::decode(&text).ok()?;
                // A browser may hand over what came before it says that the channel is open.
                self.open(now, whose, commands);
                match frame {
                    ChatFrame::Say(message) => self.hear(now, whose, message),
                    ChatFrame::Ask { known, others } => {
                        if self.channels.get_mut(whose.link)?.admit_question(now) {
                            self.answer(whose, &known, others, commands);
                        }
                        None
                    }
                    ChatFrame::Past { list, end } => self.learn(now, whose, list, end, commands),
                }
            }
        }
    }

    /// Takes channels of connections that are no more for closed.
    pub(crate) fn keep_links(
        &mut self,
        now: Timestamp,
        is_live: impl Fn(LinkId) -> bool,
        commands: &mut VecDeque<Command>,
    ) {
        if !self.channels.is_empty() {
            self.close(now, is_live, commands);
        }
    }

    fn close(&mut self, now: Timestamp, is_kept: impl Fn(LinkId) -> bool, commands: &mut VecDeque<Command>) {
        self.channels.keep(is_kept);
        if self.channels.is_empty() {
            // Somebody may say something meanwhile and be gone before we are back.
            self.others = Others::Wanted;
            self.tried.clear();
        }
        self.seek(now, commands);
    }

    fn open(&mut self, now: Timestamp, whose: &Correspondent, commands: &mut VecDeque<Command>) {
        if self.channels.has(whose.link) {
            return;
        }
        self.remember_name(whose.seat, &whose.name);
        self.channels.open(Channel::new(whose.clone()));
        self.seek(now, commands);
        if self.tried.last() != Some(&whose.link) {
            self.ask(whose.link, false, commands);
        }
    }

    /// Asks somebody for others' words, if they are wanted and nobody is about to tell them.
    fn seek(&mut self, now: Timestamp, commands: &mut VecDeque<Command>) {
        if let Others::Asked { link, until } = self.others
            && (now >= until || !self.channels.has(link))
        {
            self.others = Others::Wanted;
        }
        if self.others != Others::Wanted {
            return;
        }
        let is_new = |channel: &&Channel| !self.tried.contains(&channel.whose.link);
        let Some(next) = self
            .channels
            .iter()
            .find(is_new)
            .map(|channel| channel.whose.link)
        else {
            return;
        };
        self.tried.push(next);
        self.others = Others::Asked {
            link: next,
            until: now + limits::CHAT_ANSWER_WITHIN,
        };
        self.ask(next, true, commands);
    }

    fn ask(&mut self, link: LinkId, others: bool, commands: &mut VecDeque<Command>) {
        let Some(channel) = self.channels.get_mut(link) else {
            return;
        };
        channel.ask(others);
        let known = self.marks.known_to_tell(channel.whose.seat, others);
        channel.send(&ChatFrame::Ask { known, others }, commands);
    }

    /// Somebody says something.
    fn hear(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        mut message: ChatMessage,
    ) -> Option<NoticeKind> {
        let channel = self.channels.get_mut(whose.link)?;
        let is_theirs = message.author == whose.seat
            && message.session == whose.peer
            && message.name == whose.name
            && message.to.is_none_or(|to| Some(to) == self.seat);
        if !channel.admit_said(now) || !is_theirs || !message.is_sound() {
            return None;
        }
        let is_complete = channel.is_complete;
        if !self.take_marked(&mut message) {
            return self.refuse(whose);
        }
        if is_complete {
            self.marks
                .note(message.author, message.session, message.seq, true);
        }
        self.count(&message);
        let news = news_of(&message);
        if self.history.take(message, None, false) {
            self.tell(news);
        }
        None
    }

    /// Somebody tells what was said.
    fn learn(
        &mut self,
        now: Timestamp,
        whose: &Correspondent,
        list: Vec<ChatMessage>,
        end: bool,
        commands: &mut VecDeque<Command>,
    ) -> Option<NoticeKind> {
        if !self.channels.get_mut(whose.link)?.admit_past(list.len()) {
            return None;
        }
        let mut notice = None;
        for mut message in list {
            if !self.may_be_told(whose, &message) {
                continue;
            }
            if self.take_marked(&mut message) {
                self.take_told(whose, message);
            } else {
                notice = notice.or_else(|| self.refuse(whose));
            }
        }
        if let Others::Asked { link, until } = &mut self.others
            && *link == whose.link
        {
            *until = now + limits::CHAT_ANSWER_WITHIN;
        }
        match self.channels.get_mut(whose.link)?.answered(end) {
            Answer::Going => return notice,
            Answer::Own => {}
            Answer::Others => {
                self.others = Others::Known;
                self.catch_up();
            }
        }
        if !self.met.contains(&whose.seat) {
            self.met.push(whose.seat);
        }
        self.seek(now, commands);
        notice
    }

    /// Whether somebody may know of a message at all, and we of it by them.
    fn may_be_told(&self, teller: &Correspondent, message: &ChatMessage) -> bool {
        let is_ours = Some(message.author) == self.seat;
        // Of what we said in this tab's life nobody knows more than we.
        if is_ours && self.sessions.contains(&message.session) {
            return false;
        }
        let is_between_us = |to: SeatId| {
            (message.author == teller.seat && Some(to) == self.seat) || (is_ours && to == teller.seat)
        };
        message.is_sound() && message.to.is_none_or(is_between_us)
    }

    fn take_told(&mut self, whose: &Correspondent, message: ChatMessage) {
        let is_own = message.author == whose.seat;
        let is_before = self.caught_up.is_none_or(|clock| {
            let is_met = self.met.contains(&message.author);
            !is_met && message.clock <= clock
        });
        let is_ours = Some(message.author) == self.seat;
        self.marks
            .note(message.author, message.session, message.seq, is_own);
        self.count(&message);
        let news = (!is_before && !is_ours).then(|| news_of(&message));
        let teller = (!is_own).then_some(whose.name.as_str());
        if self.history.take(message, teller, is_before)
            && let Some(news) = news
        {
            self.tell(news);
        }
    }

    /// What is out of all reason is in its place in the order, and nothing follows it.
    fn count(&mut self, message: &ChatMessage) {
        for (ours, theirs) in [(&mut self.clock, message.clock), (&mut self.aside, message.aside)] {
            if theirs <= ours.saturating_add(limits::CHAT_AHEAD) {
                *ours = theirs.max(*ours);
            }
        }
    }

    fn tell(&mut self, news: ChatNews) {
        self.news += 1;
        self.last_news = Some(news);
    }

    /// Somebody hands on what was not made with the room's secret: said once of each.
    fn refuse(&mut self, whose: &Correspondent) -> Option<NoticeKind> {
        if self.told_of.contains(&whose.seat) || self.told_of.len() >= TOLD_OF {
            return None;
        }
        self.told_of.push(whose.seat);
        let name = whose.name.clone();
        Some(NoticeKind::MessageRefused { name })
    }

    fn remember_name(&mut self, seat: SeatId, name: &str) {
        self.names.retain(|(known, _)| *known != seat);
        self.names.push_back((seat, name.to_string()));
        if self.names.len() > NAMES {
            self.names.pop_front();
        }
    }

    // Time and what there is to show

    /// A deadline may have come.
    pub(crate) fn handle_tick(&mut self, now: Timestamp, commands: &mut VecDeque<Command>) {
        self.seek(now, commands);
    }

    /// When a tick is wanted at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let asked = match self.others {
            Others::Asked { until, .. } => Some(until),
            Others::Wanted | Others::Known => None,
        };
        let drafts = self.drafts_until.filter(|_| !self.drafts.is_empty());
        earliest(asked, drafts)
    }

    pub(crate) fn view(&self) -> ChatView {
        ChatView {
            version: self.history.version(),
            count: self.history.entries().len(),
            news: self.news,
            last_news: self.last_news.clone(),
            before: self.history.before(),
        }
    }

    /// The numbers of all lines, in their order.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.history.entries().iter().map(|entry| entry.number).collect()
    }

    /// Some of the lines; fewer where there are not so many.
    pub(crate) fn lines(&self, range: Range<usize>) -> Vec<ChatLine> {
        let entries = self.history.entries();
        let end = range.end.min(entries.len());
        let range = range.start.min(end)..end;
        entries.range(range).map(|entry| self.line(entry)).collect()
    }

    fn line(&self, entry: &Entry) -> ChatLine {
        let message = &entry.message;
        let is_own = Some(message.author) == self.seat;
        let privacy = match message.to {
            None => Privacy::Public,
            Some(to) if Some(to) == self.seat => Privacy::ToUs,
            Some(to) => {
                let name = self.names.iter().find(|(seat, _)| *seat == to);
                Privacy::To(name.map(|(_, name)| name.clone()).unwrap_or_default())
            }
        };
        ChatLine {
            number: entry.number,
            author: message.author,
            is_own,
            name: message.name.clone(),
            time: message.time,
            privacy,
            text: text::clean_text(&message.text),
            teller: entry.teller.clone(),
            is_disputed: entry.is_disputed,
            is_before: entry.is_before,
        }
    }
}

fn news_of(message: &ChatMessage) -> ChatNews {
    let beginning: String = text::clean_text(&message.text).chars().take(NEWS_CHARS).collect();
    ChatNews {
        name: message.name.clone(),
        is_private: message.to.is_some(),
        is_whole: beginning.len() == message.text.len(),
        beginning,
    }
}
